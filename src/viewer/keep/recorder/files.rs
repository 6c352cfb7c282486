//! Divides a recording into files: a new one begins when one is full or the form of the frames changes. No file is
//! overwritten.

use super::error::{Kept, RecordError};
use super::kept::KeptFiles;
use super::names::{Again, Names};
use super::output::Output;
use super::plan::{Plan, Rotation};
use super::queue::{Frame, Queue};
use super::recorded_file::{Form, RecordedFile};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The files written so far, and the one that the next frame goes into.
#[derive(Debug)]
pub(super) struct Files {
    names: Names,
    rotation: Rotation,
    /// The file that was created at the start, until the first frame is written into it.
    claimed: Option<Output>,
    file: Option<RecordedFile>,
    path: Arc<Path>,
    /// The turn of the rotation that the current file belongs to. `None` if the next file begins one.
    turn: Option<Turn>,
    kept: KeptFiles,
    changes: Changes,
    /// The largest file that the disk allows, once a write has failed because of it.
    ceiling: Option<u64>,
    /// How many files frames were written into.
    count: u64,
    frames: u64,
    left_out: u64,
    /// Bytes of the files before the current one.
    bytes: u64,
}

/// One turn of the rotation: the files that lie between two limits of time or length.
#[derive(Debug)]
struct Turn {
    /// When it began, counted from the start of the recording.
    began: Duration,
    /// Bytes of its finished files.
    bytes: u64,
}

impl Files {
    /// Creates the first file, or opens the pipe that the plan names. Where the name depends on the first frame, only tests
    /// whether files can be created there.
    pub(super) fn claim(plan: &Plan, queue: &Arc<Queue>) -> Result<Self, RecordError> {
        let path: &Path = &plan.path;
        let mut names = Names::new(plan.clone());
        let claimed = match plan.is_one_name() {
            true => {
                let out = Output::claim(path, queue)?;
                names.first_is_taken();
                Some(out)
            }
            false => {
                try_out(path)?;
                None
            }
        };
        Ok(Self {
            names,
            rotation: plan.rotation,
            claimed,
            file: None,
            path: Arc::from(path),
            turn: None,
            kept: KeptFiles::new(plan.rotation.keep),
            changes: Changes::default(),
            ceiling: None,
            count: 0,
            frames: 0,
            left_out: 0,
            bytes: 0,
        })
    }

    /// Frames in all files.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames that were left out because their form changed too often.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Bytes of all files, including those that were removed since.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes + self.file.as_ref().map_or(0, RecordedFile::len)
    }

    /// How many files frames were written into, with those that were removed since.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The newest file.
    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Writes a frame taken `at` this time of the recording. Skips a frame that has no picture in it.
    ///
    /// After an error, the current file is finished as far as possible.
    pub(super) fn write(&mut self, frame: &Frame, at: Duration) -> Result<(), RecordError> {
        let Some(form) = Form::of(frame) else { return Ok(()) };
        match &self.file {
            Some(file) if self.is_full(file, frame, at) => {
                self.close()?;
                self.turn = None;
            }
            Some(file) if file.form() != form => {
                if !self.changes.allow(at) {
                    self.left_out += 1;
                    return Ok(());
                }
                self.close()?;
            }
            _ => {}
        }
        match self.append(frame, form, at) {
            Err(RecordError::Write { source, .. })
                if source.kind() == ErrorKind::FileTooLarge
                    && self.file.as_ref().is_some_and(|file| file.frames() > 0) =>
            {
                self.learn_ceiling();
                self.close_for_good();
                self.turn = None;
                self.append(frame, form, at)
            }
            written => written,
        }
        .inspect_err(|_| self.close_for_good())
    }

    /// Writes the index that makes seeking quick, and closes the file. Removes a file without frames.
    pub(super) fn finish(&mut self) -> Result<(), RecordError> {
        if let Some(claimed) = self.claimed.take() {
            // If somebody has removed it already, that is fine.
            let _ = claimed.remove();
        }
        self.close()
    }

    fn append(&mut self, frame: &Frame, form: Form, at: Duration) -> Result<(), RecordError> {
        let file = match &mut self.file {
            Some(file) => file,
            empty => {
                let out = match self.claimed.take() {
                    Some(claimed) => claimed,
                    None => create(&mut self.names, frame)?,
                };
                if self.turn.is_none() {
                    self.kept.begin_turn();
                    self.turn = Some(Turn { began: at, bytes: 0 });
                }
                self.path = Arc::clone(out.path());
                self.count += 1;
                empty.insert(RecordedFile::begin(out, frame, form, at))
            }
        };
        let before = file.frames();
        let written = file.append(frame, at);
        self.frames += file.frames() - before;
        let kept = if self.frames > 0 { Kept::All } else { Kept::Nothing };
        let path = self.path.to_path_buf();
        written.map_err(|source| RecordError::Write { path, source, kept })
    }

    /// Whether the next turn has to begin with this frame, because of a limit of time or length.
    fn is_full(&self, file: &RecordedFile, frame: &Frame, at: Duration) -> bool {
        let Some(Turn { began, bytes }) = &self.turn else { return false };
        let is_over = |every: Duration| {
            let number = |at: Duration| at.as_nanos() / every.as_nanos().max(1);
            number(at) > number(*began)
        };
        let len = file.len_with(frame.packet.payload().len());
        self.rotation.every.is_some_and(is_over)
            || self.rotation.max.is_some_and(|max| bytes + len > max)
            || self.ceiling.is_some_and(|ceiling| len > ceiling)
    }

    /// Notes how long a file can be here, so that the next files end before a write fails.
    fn learn_ceiling(&mut self) {
        self.ceiling = self.file.as_ref().and_then(RecordedFile::taken_by_disk).or(self.ceiling);
        log::info!("{} is as long as a file can be here; the next one begins", self.path.display());
    }

    fn close(&mut self) -> Result<(), RecordError> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let (path, is_empty) = (Arc::clone(file.path()), file.frames() == 0);
        let (bytes, closed) = file.close();
        self.bytes += bytes;
        if let Some(turn) = &mut self.turn {
            turn.bytes += bytes;
        }
        if !is_empty {
            self.kept.add(&path, bytes);
        }
        let kept = Kept::All;
        closed.map_err(|source| RecordError::Write { path: path.to_path_buf(), source, kept })
    }

    /// Closes the file after an error. That first error is reported, not one that closing meets.
    fn close_for_good(&mut self) {
        let _ = self.close();
    }
}

/// Tests whether a file can be created at `path`.
fn try_out(path: &Path) -> Result<(), RecordError> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(RecordError::IsFolder(path.to_owned())),
        Ok(there) if !there.is_file() => return Err(RecordError::Endless(path.to_owned())),
        _ => {}
    }
    match Output::create(path) {
        Ok(file) => file.remove().map_err(|source| RecordError::create(path, source)),
        // A file of this very name exists, but the recording's names have more behind it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(RecordError::create(path, source)),
    }
}

/// Creates the file that begins with `frame`, under the first free name.
fn create(names: &mut Names, frame: &Frame) -> Result<Output, RecordError> {
    let mut again = Again::No;
    loop {
        let path = names.next(frame, again);
        match Output::create(&path) {
            Ok(out) => return Ok(out),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => again = Again::Yes,
            Err(source) => return Err(RecordError::create(&path, source)),
        }
    }
}

/// Limits how often a camera may change the form of its pictures: [`AT_ONCE`] times in a row, then once every [`ONE_MORE`].
/// Otherwise a camera that changes it with each frame would fill the disk with files.
#[derive(Debug)]
struct Changes {
    left: u32,
    counted: Duration,
}

const AT_ONCE: u32 = 100;
const ONE_MORE: Duration = Duration::from_secs(36);

impl Default for Changes {
    fn default() -> Self {
        Self { left: AT_ONCE, counted: Duration::ZERO }
    }
}

impl Changes {
    fn allow(&mut self, at: Duration) -> bool {
        let earned = at.saturating_sub(self.counted).as_secs() / ONE_MORE.as_secs();
        let earned = u32::try_from(earned).unwrap_or(AT_ONCE);
        self.counted = self.counted.saturating_add(ONE_MORE.saturating_mul(earned));
        self.left = self.left.saturating_add(earned).min(AT_ONCE);
        let is_allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Micros;
    use crate::image::pixels::Size;
    use crate::wire::packet::{Codec, FrameFacts, PacketPool};
    use std::time::{Instant, SystemTime};

    /// A frame of raw pixels.
    fn frame(size: Size) -> Frame {
        let (sequence, captured_at, codec) = (1, Micros(0), Codec::Bgr24);
        let facts = FrameFacts { sequence, captured_at, codec, size };
        let mut packet = PacketPool::default().take(facts);
        let open = PacketPool::open(&mut packet);
        open.storage(size.area() * 3).fill(0);
        open.set_len(size.area() * 3);
        Frame {
            packet,
            arrived: Instant::now(),
            lasting: Duration::ZERO,
            taken: SystemTime::UNIX_EPOCH,
            camera: Arc::from("a"),
            interval: None,
            file: 0,
        }
    }

    /// Records frames of these sizes at these times. Returns the files after each.
    fn record(
        rotation: Rotation,
        frames: impl IntoIterator<Item = (u64, Size)>,
    ) -> Vec<Vec<String>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mkv");
        let plan = Plan { rotation, ..Plan::file(&path) };
        let queue = Arc::new(Queue::new(&path, Instant::now()));
        let mut files = Files::claim(&plan, &queue).expect("new");
        let names = || {
            let entries = fs::read_dir(folder.path()).expect("a folder");
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            let mut names: Vec<_> = entries.map(|entry| name(entry.expect("readable"))).collect();
            names.sort();
            names
        };
        let there = frames.into_iter().map(|(seconds, size)| {
            let at = Duration::from_secs(seconds);
            let taken = SystemTime::UNIX_EPOCH + at;
            files.write(&Frame { taken, ..frame(size) }, at).expect("written");
            names()
        });
        let there = there.collect();
        files.finish().expect("finished");
        there
    }

    const SMALL: Size = Size::new(16, 16);
    const LARGE: Size = Size::new(32, 16);
    const HOUR: u64 = 3600;

    #[test]
    fn frames_of_another_size_drive_no_earlier_turn_out() {
        let every = Some(Duration::from_secs(HOUR));
        let rotation = Rotation { every, max: None, keep: 3 };
        let hours = (0..3).map(|hour| (hour * HOUR, SMALL));
        let changes = (0..10).map(|turn| (2 * HOUR + 1, if turn % 2 == 0 { LARGE } else { SMALL }));
        let next = [(3 * HOUR, SMALL), (4 * HOUR, LARGE), (5 * HOUR, LARGE)];
        let there = record(rotation, hours.chain(changes).chain(next));
        let first = &there[2];
        assert_eq!(first.len(), 3, "{first:?}");
        let changed = &there[12];
        assert!(first.iter().all(|name| changed.contains(name)), "{first:?}: {changed:?}");
        assert_eq!(changed.len(), 13, "{changed:?}");
        // The first hour goes, then the second, then the third with all its files.
        assert_eq!([13, 14, 15].map(|at| there[at].len()), [13, 13, 3]);
    }

    #[test]
    fn files_of_other_sizes_need_no_more_room_than_one() {
        let frame = (SMALL.area() * 3) as u64;
        let rotation = Rotation { every: None, max: Some(20 * frame), keep: 2 };
        let sizes = (0..90).map(|number| (number, if number % 3 == 0 { LARGE } else { SMALL }));
        let there = record(rotation, sizes);
        let most = there.iter().map(Vec::len).max().expect("some");
        assert!((10..40).contains(&most), "{most}");
    }

    #[test]
    fn a_file_that_is_there_is_not_touched_and_an_empty_one_does_not_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.mkv");
        let plan = Plan::file(&path);
        let queue = Arc::new(Queue::new(&path, Instant::now()));
        Files::claim(&plan, &queue).expect("new").finish().expect("removed");
        assert!(!path.exists());
        fs::write(&path, b"dear").expect("written");
        let error = Files::claim(&plan, &queue).expect_err("it is there").to_string();
        assert!(error.contains("x.mkv exists already"), "{error}");
        assert_eq!(fs::read(&path).expect("there"), b"dear");
    }

    #[test]
    fn a_camera_that_changes_its_form_all_the_time_gets_a_hundred_files_an_hour() {
        let mut changes = Changes::default();
        let second = Duration::from_secs;
        let allowed = |changes: &mut Changes, at| (0..1000).filter(|_| changes.allow(at)).count();
        assert_eq!(allowed(&mut changes, second(0)), 100);
        assert_eq!(allowed(&mut changes, second(35)), 0);
        assert_eq!(allowed(&mut changes, second(36)), 1);
        assert_eq!(allowed(&mut changes, second(3636)), 100);
        assert_eq!(allowed(&mut changes, second(1_000_000)), 100);
    }
}
