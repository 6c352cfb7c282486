//! A source that plays a file of concatenated JPEGs in a loop, at a given rate.

use super::frame_count::FrameCount;
use super::path::{self, PathKind};
use super::{Drops, FrameSource, Next, SourceError, Trouble, foreign, jpeg_layout, meant};
use crate::clock;
use crate::image::frame::{Content, Frame, FrameLayout, Micros, TimedBy};
use crate::image::jpeg::gate::{DriverSays, Gate};
use crate::image::jpeg::markers;
use crate::image::jpeg::repair::{self, Damage, Ending};
use crate::image::jpeg::splitter::{MAX_PICTURE, Splitter};
use crate::image::orientation::Orientation;
use crate::image::pixels::Size;
use crate::rate::Rate;
use crate::stop::Stop;
use crate::wording::{count, unknown};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file of concatenated JPEGs that starts again at its end.
#[derive(Debug)]
pub struct Clip {
    path: PathBuf,
    file: File,
    /// Device and inode number of the open file.
    inode: (u64, u64),
    splitter: Splitter,
    gate: Gate,
    layout: FrameLayout,
    interval: Duration,
    next_at: Micros,
    count: FrameCount,
    drops: Drops,
    round: Round,
}

/// What this pass through the file has given so far.
#[derive(Debug, Default)]
struct Round {
    pictures: u64,
    /// Bytes since the last picture.
    passed: usize,
}

/// How many pictures are examined to find out whether they have end markers.
const LOOKED_AT: usize = 8;

/// A file without a picture within this many bytes is not a clip.
const MOST_PASSED: usize = 2 * MAX_PICTURE;

/// The longest wait in one call of `next_frame`, so that the thread can report that it is alive.
const TURN: Duration = Duration::from_secs(1);

impl Clip {
    /// Opens the clip at `path`, to be played at `rate`.
    ///
    /// # Errors
    /// When it cannot be read, or has no JPEG.
    pub fn open(path: &Path, rate: Rate, stop: &Stop) -> Result<Self, SourceError> {
        Self::counting(path, rate, FrameCount::default(), stop)
    }

    /// The same; `count` numbers its frames.
    pub(super) fn counting(
        path: &Path,
        rate: Rate,
        count: FrameCount,
        stop: &Stop,
    ) -> Result<Self, SourceError> {
        let cannot_read = |error: io::Error| unusable(not_read(path, &error));
        let mut file = open_file(path).map_err(cannot_read)?;
        let inode = inode(&file.metadata().map_err(cannot_read)?);
        let first = FirstLook::at(&mut file, stop).map_err(cannot_read)?;
        let Some(size) = first.size else { return Err(unusable(first.no_jpeg(path))) };
        file.rewind().map_err(cannot_read)?;
        let interval = rate.interval().unwrap_or_default();
        let layout = jpeg_layout(size, Some(interval));
        Ok(Self {
            path: path.into(),
            file,
            inode,
            splitter: Splitter::default(),
            gate: Gate::knowing(first.marked, first.bare),
            layout,
            interval,
            next_at: clock::now(),
            count,
            drops: Drops::default(),
            round: Round::default(),
        })
    }

    /// Marks its frames to be turned like this by their consumers.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    /// Reads up to the next picture; `None` when `stop` is requested.
    fn next_picture(&mut self, stop: &Stop) -> Result<Option<Range<usize>>, SourceError> {
        let lost = |text: String| SourceError::new(Trouble::Lost, text);
        loop {
            if let Some(picture) = self.splitter.next_picture() {
                self.round.pictures += 1;
                self.round.passed = 0;
                return Ok(Some(picture));
            }
            // While the file is being rewritten, it may have no picture for a long time.
            if stop.is_requested() {
                return Ok(None);
            }
            let read = read_some(&mut self.file, &mut self.splitter);
            let count = read.map_err(|error| lost(not_read(&self.path, &error)))?;
            self.round.passed += count;
            if self.round.passed > MOST_PASSED {
                let text = format!(
                    "file {} has no JPEG within {} MB",
                    self.path.display(),
                    self.round.passed / 1_000_000
                );
                return Err(lost(text));
            }
            if count > 0 {
                continue;
            }
            if let Some(last) = self.splitter.finish() {
                self.round.pictures += 1;
                return Ok(Some(last));
            }
            if std::mem::take(&mut self.round).pictures == 0 {
                return Err(lost(format!("file {} has no JPEG any more", self.path.display())));
            }
            self.begin_again().map_err(lost)?;
        }
    }

    /// Returns to the start of the file, or opens the file that has replaced it.
    fn begin_again(&mut self) -> Result<(), String> {
        let cannot_read = |error: io::Error| not_read(&self.path, &error);
        self.splitter.clear();
        let there = fs::metadata(&self.path).map_err(cannot_read)?;
        if inode(&there) == self.inode {
            return self.file.rewind().map_err(cannot_read);
        }
        match path::look(&self.path) {
            Ok(PathKind::File) => {}
            Ok(_) => return Err(format!("{} is not a file any more", self.path.display())),
            Err(error) => return Err(error.message),
        }
        log::info!("file {} was replaced; lancam plays the new one", self.path.display());
        self.file = open_file(&self.path).map_err(cannot_read)?;
        self.inode = inode(&self.file.metadata().map_err(cannot_read)?);
        Ok(())
    }
}

impl FrameSource for Clip {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        format!("clip {}", self.path.display())
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError> {
        let left = self.next_at.since(clock::now());
        if stop.wait(left.min(TURN)) {
            return Ok(Next::Stopped);
        }
        if left > TURN {
            return Ok(Next::Waiting(None));
        }
        let now = clock::now();
        let step = u64::try_from(self.interval.as_micros()).unwrap_or(u64::MAX).max(1);
        let missed = now.0.saturating_sub(self.next_at.0) / step;
        self.drops.stale += missed;
        self.next_at.0 += (1 + missed) * step;
        let Some(picture) = self.next_picture(stop)? else { return Ok(Next::Stopped) };
        let sequence = self.count.advance(1 + missed);
        match self.gate.judge(self.splitter.bytes(picture), DriverSays::Whole) {
            Ok(picture) => {
                let content = Content::Jpeg(picture.then(self.layout.orientation));
                Ok(Next::Frame(Frame {
                    content,
                    sequence,
                    captured_at: now,
                    timed_by: TimedBy::Camera,
                }))
            }
            Err(damage) => {
                self.drops.broken += 1;
                Ok(Next::Unusable(damage))
            }
        }
    }

    fn drops(&self) -> Drops {
        Drops { broken: self.drops.broken + self.splitter.dropped(), ..self.drops }
    }
}

/// What the first pictures of a file are like.
#[derive(Debug, Default)]
struct FirstLook {
    /// The size of the first picture that has one.
    size: Option<Size>,
    marked: usize,
    bare: usize,
    /// How many bytes were read.
    len: usize,
    /// The first bytes.
    start: Vec<u8>,
}

impl FirstLook {
    fn at(file: &mut File, stop: &Stop) -> io::Result<Self> {
        let mut look = Self::default();
        let mut splitter = Splitter::default();
        while look.marked + look.bare < LOOKED_AT && look.len <= MOST_PASSED {
            if let Some(picture) = splitter.next_picture() {
                look.take(splitter.bytes(picture));
                continue;
            }
            if stop.is_requested() {
                break;
            }
            let space = splitter.space();
            let count = file.read(space)?;
            let wanted = foreign::LOOKED_AT.saturating_sub(look.start.len()).min(count);
            look.start.extend_from_slice(&space[..wanted]);
            splitter.filled(count);
            look.len += count;
            if count == 0 {
                if let Some(last) = splitter.finish() {
                    look.take(splitter.bytes(last));
                }
                break;
            }
        }
        Ok(look)
    }

    fn take(&mut self, picture: &[u8]) {
        let examined = repair::examine(picture);
        let size = match &examined {
            Ok(usable) => Some(usable.size()),
            // A clip of unusable pictures is opened too, and then reports what is wrong with them.
            Err(_) => markers::picture_size(picture),
        };
        let Some(size) = size else { return };
        self.size.get_or_insert(size);
        match examined {
            Ok(usable) if usable.ending() == Ending::Bare => self.bare += 1,
            Err(Damage::Cut) => self.bare += 1,
            _ => self.marked += 1,
        }
    }

    fn no_jpeg(&self, path: &Path) -> String {
        let path = path.display();
        if self.len == 0 {
            return format!("file {path} is empty; it must have JPEGs, one after the other");
        }
        format!(
            "file {path} has no JPEG in {}; {}. To make one of any video, type \
             ffmpeg -i VIDEO -c:v mjpeg -q:v 4 -f mjpeg CLIP.mjpeg",
            count(self.len, "byte"),
            foreign::looks_like(&self.start)
        )
    }
}

/// Opens a file with O_NONBLOCK: reading some files of the kernel, such as /proc/kmsg, would block
/// for ever.
fn open_file(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)
}

fn read_some(from: &mut impl Read, splitter: &mut Splitter) -> io::Result<usize> {
    let count = from.read(splitter.space())?;
    splitter.filled(count);
    Ok(count)
}

fn inode(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn unusable(text: String) -> SourceError {
    SourceError::new(Trouble::Unusable, text)
}

fn not_read(path: &Path, error: &io::Error) -> String {
    let meant = meant::source(path);
    let path = path.display();
    match error.kind() {
        io::ErrorKind::NotFound if meant.is_some() => {
            unknown("source", &path.to_string(), meant.as_deref(), "")
        }
        io::ErrorKind::NotFound => format!(
            "there is no file {path}. --source must be a camera (lancam list shows them), auto, csi, a file of JPEGs, \
             - for a pipe, or test"
        ),
        io::ErrorKind::WouldBlock => format!(
            "file {path} has nothing to read now. For pictures that come one by one, use a pipe (mkfifo)"
        ),
        _ => format!("cannot read {path}: {error}"),
    }
}
