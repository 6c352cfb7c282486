//! Saves single pictures, as PNG or as the camera's own JPEG.

use super::folders::{self, Folder};
use super::png_file::write;
use super::recorder::pipe;
use crate::image::jpeg::codec::{Decoder, JpegError};
use crate::image::picture::Picture;
use crate::viewer::arrival::Arrival;
use crate::wording::reason;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

/// The form in which a picture is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All pixels that the camera sent, even if the window shows fewer.
    Png,
    /// The bytes that the camera sent.
    Jpeg,
}

/// Saves each picture in a thread of its own, so that a slow disk delays nothing, and collects the results.
#[derive(Debug)]
pub struct Keeper {
    /// How many results are still to come.
    pending: usize,
    sender: Sender<Result<PathBuf, SnapshotError>>,
    answers: Receiver<Result<PathBuf, SnapshotError>>,
}

/// Why a picture was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The disk is full, or the folder is read-only or gone.
    #[error("cannot write {}: {}", path.display(), reason(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file exists. Saving overwrites nothing.
    #[error("{} exists already; name another file, or remove that one", .0.display())]
    Exists(PathBuf),
    /// The folder does not exist.
    #[error("there is no folder {}: make it, or name another file", .0.display())]
    NoFolder(PathBuf),
    /// The path is a pipe that no program reads.
    #[error("nobody reads the pipe {}: start its reader first", .0.display())]
    NobodyReads(PathBuf),
    /// The server sends pixels, not JPEGs.
    #[error("{0} does not send JPEGs; save a PNG")]
    NoJpeg(Arc<str>),
    /// Too many pictures are being saved: the key is held down, or the disk hangs.
    #[error("{MOST_AT_ONCE} pictures are still being saved: wait for them")]
    Busy,
    /// The JPEG cannot be decoded at its full size.
    #[error("cannot decode the picture at its full size: {0}")]
    Decode(#[from] JpegError),
}

/// Each takes a thread and the memory of a picture.
const MOST_AT_ONCE: usize = 8;

impl Default for Keeper {
    fn default() -> Self {
        let (sender, answers) = mpsc::channel();
        Self { pending: 0, sender, answers }
    }
}

impl Keeper {
    /// Starts saving a picture into the user's folder for pictures. The result comes through [`answer`](Self::answer).
    pub fn keep(&mut self, arrival: Arc<Arrival>, form: Form) {
        self.pending += 1;
        if self.pending > MOST_AT_ONCE {
            // Cannot fail: the receiver is in this struct.
            let _ = self.sender.send(Err(SnapshotError::Busy));
            return;
        }
        let sender = self.sender.clone();
        let keeping = move || {
            let kept = keep(&arrival, form, &folders::folder(Folder::Pictures));
            // Fails only after the window is closed.
            let _ = sender.send(kept);
        };
        if let Err(source) = thread::Builder::new().name("snapshot".into()).spawn(keeping) {
            let path = folders::folder(Folder::Pictures);
            let _ = self.sender.send(Err(SnapshotError::Write { path, source }));
        }
    }

    /// The next result: the path, or the reason. Never waits.
    pub fn answer(&mut self) -> Option<Result<PathBuf, SnapshotError>> {
        let answer = self.answers.try_recv().ok()?;
        self.pending = self.pending.saturating_sub(1);
        Some(answer)
    }

    /// Waits until all are saved, at most until `deadline`, and returns the results that [`answer`](Self::answer) has not
    /// given.
    pub fn finish(&mut self, deadline: Instant) -> Vec<Result<PathBuf, SnapshotError>> {
        let mut answers = Vec::new();
        while self.pending > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(answer) = self.answers.recv_timeout(left) else { break };
            answers.push(answer);
            self.pending -= 1;
        }
        answers
    }
}

/// Saves a picture in `folder`, under a name made of camera and time, and returns the path.
///
/// # Errors
/// When it cannot be written, or the camera sends no JPEGs and one is wanted.
pub fn keep(arrival: &Arrival, form: Form, folder: &Path) -> Result<PathBuf, SnapshotError> {
    let keep = |extension, write: &dyn Fn(File) -> io::Result<()>| {
        let path = folder.join(folders::file_name(&arrival.origin.name, arrival.taken, extension));
        let (file, path) = folders::create(&path)
            .map_err(|source| SnapshotError::Write { path: path.clone(), source })?;
        match write(file) {
            Ok(()) => Ok(path),
            Err(source) => {
                // Leave no half-written picture.
                let _ = std::fs::remove_file(&path);
                Err(SnapshotError::Write { path, source })
            }
        }
    };
    match form {
        Form::Jpeg if arrival.jpeg.is_empty() => {
            Err(SnapshotError::NoJpeg(Arc::clone(&arrival.origin.name)))
        }
        Form::Jpeg => keep("jpg", &|mut file| file.write_all(&arrival.jpeg)),
        Form::Png if arrival.picture.size() == arrival.size => {
            keep("png", &|file| write(&arrival.picture, file))
        }
        Form::Png => {
            let mut picture = Picture::default();
            Decoder::new()?.decode(&arrival.jpeg, &mut picture)?;
            keep("png", &|file| write(&picture, file))
        }
    }
}

impl Form {
    /// The form that a file's extension stands for: `.png`, or `.jpg` and `.jpeg`.
    pub fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_ascii_lowercase();
        match ending.to_str()? {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }
}

/// Tests whether `path` could be saved: nothing is overwritten.
///
/// # Errors
/// When the file exists, or its folder does not.
pub fn check(path: &Path) -> Result<(), SnapshotError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let missing = folder.filter(|folder| !folder.is_dir());
    match path.symlink_metadata() {
        Ok(_) if !is_stream(path) => Err(SnapshotError::Exists(path.to_owned())),
        _ => match missing {
            Some(folder) => Err(SnapshotError::NoFolder(folder.to_owned())),
            None => Ok(()),
        },
    }
}

/// Saves a picture in the form that the file's extension names. Overwrites nothing.
///
/// # Errors
/// When the file exists or cannot be written, or the camera sends no JPEGs and one is wanted.
pub fn keep_as(arrival: &Arrival, path: &Path) -> Result<(), SnapshotError> {
    let form = Form::of(path).unwrap_or(Form::Png);
    if form == Form::Jpeg && arrival.jpeg.is_empty() {
        return Err(SnapshotError::NoJpeg(Arc::clone(&arrival.origin.name)));
    }
    let mut options = OpenOptions::new();
    let file = match is_stream(path) {
        true => {
            // Opening a pipe that no program reads would block for ever. So `pipe::open` tests for a reader first.
            let reader = pipe::open(path);
            if let Ok(None) = reader {
                return Err(SnapshotError::NobodyReads(path.to_owned()));
            }
            reader.and_then(|_reader| options.write(true).open(path))
        }
        false => options.write(true).create_new(true).open(path),
    };
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AlreadyExists => SnapshotError::Exists(path.to_owned()),
        _ => SnapshotError::Write { path: path.to_owned(), source },
    };
    let mut file = file.map_err(failed)?;
    let written = match form {
        Form::Jpeg => file.write_all(&arrival.jpeg),
        Form::Png => write(&arrival.picture, file),
    };
    written.map_err(|source| {
        if !is_stream(path) {
            // Leave no half-written picture.
            let _ = std::fs::remove_file(path);
        }
        failed(source)
    })
}

/// Whether the path is a pipe or a device, which cannot be overwritten.
fn is_stream(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Writes `picture` as PNG, over a file that exists. For tools.
///
/// # Errors
/// When the file cannot be written.
pub fn save(picture: &Picture, path: &Path) -> Result<(), SnapshotError> {
    File::create(path)
        .and_then(|file| write(picture, file))
        .map_err(|source| SnapshotError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::viewer::find::wanted::Origin;

    /// An arrival of 64x48 pixels, decoded at a quarter of that.
    fn arrival() -> Arrival {
        use crate::image::jpeg::codec::Encoder;
        use crate::image::pixels::Chroma;
        use crate::image::planes::Planes;
        let size = Size::new(64, 48);
        let mut planes = Planes::default();
        planes.reshape(size, Chroma::Yuv420);
        planes.packed_mut().fill(128);
        let mut jpeg = vec![0; Encoder::max_len(size, Chroma::Yuv420).expect("small")];
        let len = Encoder::new(90).and_then(|mut encoder| encoder.encode(&planes, &mut jpeg));
        jpeg.truncate(len.expect("encodes"));
        let picture = Picture::blank(Size::new(16, 12), 0);
        let origin = Arc::new(Origin { name: "a/b".into(), ..Origin::default() });
        Arrival { picture, size, jpeg, origin, ..Arrival::default() }
    }

    #[test]
    fn why_a_picture_is_not_written_is_said_without_the_number_of_the_error() {
        let source = io::Error::from_raw_os_error(13);
        let said = SnapshotError::Write { path: "/x.png".into(), source }.to_string();
        assert_eq!(said, "cannot write /x.png: Permission denied");
    }

    #[test]
    fn what_is_kept_is_the_cameras_picture_at_its_full_size_or_its_own_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let arrival = arrival();
        let keep = |form| keep(&arrival, form, folder.path()).expect("kept");
        let jpeg = keep(Form::Jpeg);
        assert_eq!(std::fs::read(&jpeg).expect("there"), arrival.jpeg);
        let png = std::fs::read(keep(Form::Png)).expect("there");
        let size = [&png[16..20], &png[20..24]];
        assert_eq!(size, [64_u32, 48].map(u32::to_be_bytes), "in its header");
        let name = jpeg.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        assert!(name.starts_with("a_b_1970-01-0") && name.ends_with(".jpg"), "{name}");
    }

    #[test]
    fn what_cannot_be_kept_is_told_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let keep = |arrival: &Arrival, form, folder: &Path| {
            keep(arrival, form, folder).expect_err("not kept").to_string()
        };
        let raw = Arrival { jpeg: Vec::new(), ..arrival() };
        assert_eq!(keep(&raw, Form::Jpeg, folder.path()), "a/b does not send JPEGs; save a PNG");
        let broken = Arrival { jpeg: vec![0xFF; 9], ..arrival() };
        assert!(keep(&broken, Form::Png, folder.path()).contains("full size"));
        assert!(keep(&arrival(), Form::Jpeg, Path::new("/nowhere")).contains("/nowhere/a_b_"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
    }

    #[test]
    fn a_files_ending_says_what_is_in_it_and_no_file_is_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let arrival = arrival();
        for (name, begins) in
            [("x.png", &b"\x89PNG"[..]), ("x.JPG", b"\xFF\xD8"), ("x.jpeg", b"\xFF\xD8")]
        {
            let path = folder.path().join(name);
            check(&path).expect("it is not there");
            keep_as(&arrival, &path).expect("kept");
            let bytes = std::fs::read(&path).expect("there");
            assert!(bytes.starts_with(begins), "{name}");
            for refused in [check(&path), keep_as(&arrival, &path)] {
                assert!(refused.expect_err("it is there").to_string().contains("exists already"));
            }
            assert_eq!(std::fs::read(&path).expect("there"), bytes);
        }
        assert_eq!(std::fs::read(folder.path().join("x.jpeg")).expect("there"), arrival.jpeg);
        let raw = Arrival { jpeg: Vec::new(), ..arrival };
        assert!(keep_as(&raw, &folder.path().join("y.jpg")).is_err());
        assert!(!folder.path().join("y.jpg").exists());
        assert_eq!(Form::of(Path::new("x.gif")), None);
        assert_eq!(Form::of(Path::new("png")), None);
    }

    #[test]
    fn all_are_kept_in_the_end_and_no_more_than_a_few_at_once() {
        let mut keeper = Keeper::default();
        let raw = Arc::new(Arrival { jpeg: Vec::new(), ..arrival() });
        for _ in 0..MOST_AT_ONCE + 2 {
            keeper.keep(Arc::clone(&raw), Form::Jpeg);
        }
        let answers = keeper.finish(Instant::now() + std::time::Duration::from_secs(60));
        assert_eq!(answers.len(), MOST_AT_ONCE + 2);
        let busy = answers.iter().filter(|it| matches!(it, Err(SnapshotError::Busy))).count();
        assert_eq!(busy, 2, "{answers:?}");
        assert!(keeper.answer().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let picture = Picture::blank(Size::new(1, 1), 0);
        let error = save(&picture, Path::new("/nowhere/at/all.png")).expect_err("no such folder");
        assert!(error.to_string().starts_with("cannot write /nowhere/at/all.png: "), "{error}");
    }

    #[test]
    fn a_file_in_a_folder_that_is_not_there_is_refused_before_there_is_a_picture() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = check(&folder.path().join("nodir/a.png")).expect_err("no folder").to_string();
        assert!(error.starts_with("there is no folder") && error.contains("nodir:"), "{error}");
        check(&folder.path().join("a.png")).expect("it can be made");
        check(Path::new("a-picture-that-nobody-has-saved.png")).expect("it can be made here");
    }
}
