//! The files of one recording: a new one wherever the pictures' size changes, none over another, each whole at any time.

use super::RecordError;
use super::tape::Frame;
use crate::image::jpeg::markers;
use crate::image::pixels::Size;
use crate::viewer::album;
use crate::wire::matroska::{Muxer, Patch, Track};
use crate::wire::packet::Codec;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// What has been written, and where the next frame goes.
#[derive(Debug)]
pub(super) struct Files {
    /// The name that was asked for.
    first: PathBuf,
    path: Arc<Path>,
    out: Output,
    /// `None` while nothing is in the file.
    film: Option<Film>,
    number: u32,
    frames: u64,
    /// Of the files before this one.
    bytes: u64,
    /// What is written before a frame.
    head: Vec<u8>,
}

/// What is in the file.
#[derive(Debug)]
struct Film {
    muxer: Muxer,
    form: Form,
    /// When in the recording it begins.
    began: Duration,
}

/// What all frames of a file have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form {
    codec: Codec,
    size: Size,
    /// The number of the frame's film.
    film: u64,
}

/// An open file.
#[derive(Debug)]
struct Output {
    file: File,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What was written can be replaced.
    Regular,
    /// A pipe: what is written is gone.
    Stream,
}

/// A camera whose size changes more often than this does it for ever.
const MOST_FILES: u32 = 100;

impl Files {
    /// Makes the first file, or opens a pipe of that name; nothing is in it yet.
    pub(super) fn claim(path: &Path) -> Result<Self, RecordError> {
        let out = Output::claim(path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => RecordError::Exists(path.to_owned()),
            _ => RecordError::Create { path: path.to_owned(), source },
        })?;
        Ok(Self {
            first: path.to_owned(),
            path: Arc::from(path),
            out,
            film: None,
            number: 1,
            frames: 0,
            bytes: 0,
            head: Vec::new(),
        })
    }

    /// Frames in all files.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.film.as_ref().map_or(0, |film| film.muxer.file_len())
    }

    /// The newest file.
    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Writes a frame that was taken `at` in the recording. One without a picture that a player could find is passed over.
    ///
    /// After an error the file is finished as far as it goes.
    pub(super) fn write(&mut self, frame: &Frame, at: Duration) -> Result<(), RecordError> {
        let Some(form) = Form::of(frame) else { return Ok(()) };
        if self.film.as_ref().is_some_and(|film| film.form != form) {
            self.turn_to_next()?;
        }
        self.append(frame, form, at).map_err(|source| {
            // It is the first error that counts.
            let _ = self.close();
            RecordError::Write { path: self.path.to_path_buf(), source }
        })
    }

    /// Writes what makes seeking quick. A file without frames is removed.
    pub(super) fn finish(&mut self) -> Result<(), RecordError> {
        self.close().map_err(|source| RecordError::Write { path: self.path.to_path_buf(), source })
    }

    fn append(&mut self, frame: &Frame, form: Form, at: Duration) -> io::Result<()> {
        self.head.clear();
        let film = match &mut self.film {
            Some(film) => film,
            empty => {
                let began = frame.taken.duration_since(SystemTime::UNIX_EPOCH).ok();
                let Form { codec, size, .. } = form;
                let interval = frame.interval;
                let track = Track { codec, size, camera: &frame.camera, began, interval };
                let muxer = Muxer::begin(&track, &mut self.head);
                empty.insert(Film { muxer, form, began: at })
            }
        };
        let payload = frame.packet.payload();
        let at = at.saturating_sub(film.began);
        let place = film.muxer.frame(at, payload.len(), &mut self.head);
        self.out.append(&self.head, payload)?;
        self.frames += 1;
        film.muxer.wrote(&place).try_for_each(|patch| self.out.replace(&patch))
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(film) = self.film.take() else {
            return match self.out.kind {
                Kind::Regular => fs::remove_file(&self.path),
                Kind::Stream => Ok(()),
            };
        };
        self.bytes += film.muxer.file_len();
        let muxer = film.muxer;
        // Of a frame that was not written to its end nothing is to stay.
        self.out.cut(muxer.file_len())?;
        self.head.clear();
        let patches = muxer.end(&mut self.head);
        match self.out.append(&self.head, &[]) {
            Ok(()) => {
                self.bytes += u64::try_from(self.head.len()).unwrap_or_default();
                patches.into_iter().try_for_each(|patch| self.out.replace(&patch))
            }
            // Seeking takes longer without it, and that is all.
            Err(error) => {
                self.out.cut(muxer.file_len())?;
                muxer.patches_without_tail().try_for_each(|patch| self.out.replace(&patch))?;
                Err(error)
            }
        }
    }

    /// Ends this file and makes the next: `NAME-2.mkv`, or the first number behind it that is free.
    fn turn_to_next(&mut self) -> Result<(), RecordError> {
        let closed = self.close();
        closed.map_err(|source| RecordError::Write { path: self.path.to_path_buf(), source })?;
        while self.number < MOST_FILES {
            self.number += 1;
            let path = album::numbered(&self.first, self.number);
            match Output::create(&path) {
                Ok(out) => {
                    (self.out, self.path) = (out, Arc::from(path));
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(RecordError::Create { path, source }),
            }
        }
        Err(RecordError::TooManyFiles(MOST_FILES))
    }
}

impl Form {
    /// `None` for what is no picture.
    fn of(Frame { packet, film, .. }: &Frame) -> Option<Self> {
        let (codec, payload) = (packet.facts.codec, packet.payload());
        let size = match codec {
            Codec::Jpeg => markers::picture_size(payload)?,
            Codec::Bgr24 => packet.facts.size,
        };
        let is_whole = codec == Codec::Jpeg || payload.len() == size.area() * 3;
        (is_whole && size.area() > 0).then_some(Self { codec, size, film: *film })
    }
}

impl Output {
    /// Opens a new file; or a pipe or a device that is there, where nothing can be overwritten.
    fn claim(path: &Path) -> io::Result<Self> {
        let is_stream = fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir());
        if !is_stream {
            return Self::create(path);
        }
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Self { file, kind: Kind::Stream })
    }

    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { file, kind: Kind::Regular })
    }

    /// Writes these behind each other, with one call where that is enough.
    fn append(&mut self, head: &[u8], payload: &[u8]) -> io::Result<()> {
        let written = loop {
            match self.file.write_vectored(&[IoSlice::new(head), IoSlice::new(payload)]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                written => break written?,
            }
        };
        let of_head = written.min(head.len());
        self.file.write_all(&head[of_head..])?;
        self.file.write_all(&payload[written - of_head..])
    }

    fn replace(&mut self, patch: &Patch) -> io::Result<()> {
        if self.kind == Kind::Stream {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(patch.at))?;
        self.file.write_all(patch.bytes())?;
        self.file.seek(SeekFrom::End(0)).map(drop)
    }

    /// Forgets what stands behind so many bytes.
    fn cut(&mut self, len: u64) -> io::Result<()> {
        if self.kind == Kind::Stream {
            return Ok(());
        }
        self.file.set_len(len)?;
        self.file.seek(SeekFrom::End(0)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_not_touched_and_an_empty_one_does_not_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mkv");
        Files::claim(&path).expect("new").finish().expect("removed");
        assert!(!path.exists());
        fs::write(&path, b"dear").expect("written");
        let error = Files::claim(&path).expect_err("it is there").to_string();
        assert!(error.contains("x.mkv exists already"), "{error}");
        assert_eq!(fs::read(&path).expect("there"), b"dear");
    }
}
