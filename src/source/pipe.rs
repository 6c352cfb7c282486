//! A source that reads concatenated JPEGs from another program, at that program's pace: from
//! standard input or a named pipe.

use super::expected::Expected;
use super::frame_count::FrameCount;
use super::jpeg_stream::{Arrived, JpegStream, Picture};
use super::path::AtItsEnd;
use super::{Drops, FrameSource, Next, SourceError, Trouble, jpeg_layout};
use crate::clock;
use crate::image::frame::{Frame, FrameLayout, TimedBy};
use crate::image::jpeg::repair::Damage;
use crate::image::orientation::Orientation;
use crate::image::pixels::Size;
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pipe that carries concatenated JPEGs, such as `rpicam-vid --codec mjpeg -t 0 -o -` writes.
#[derive(Debug)]
pub struct Pipe {
    input: Input,
    stream: JpegStream,
    layout: FrameLayout,
    count: FrameCount,
    /// Whether there has been a picture.
    has_begun: bool,
    writer: Writer,
    expected: Expected,
    /// What was wrong with the last picture, if it could not be used.
    damage: Option<Damage>,
    silence: Silence,
}

/// Where the bytes come from.
#[derive(Debug)]
struct Input {
    file: File,
    /// Where to open the pipe again; `None` for a pipe that was handed over.
    path: Option<PathBuf>,
    name: String,
}

/// Whether a program writes into the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// No writer was seen yet.
    NotSeen,
    /// There is a writer, as far as is known.
    Writes,
    /// The last writer has left.
    Left,
}

/// How long nothing may come in the middle of a picture without an end marker, before the picture
/// counts as complete.
#[derive(Debug)]
struct Silence {
    limit: Duration,
    /// Whether the last picture was taken as complete after such a silence. The next bytes show
    /// whether it was.
    doubt: bool,
}

/// A program that writes a picture in one piece has written all of it by then.
const FIRST_LIMIT: Duration = Duration::from_millis(60);

/// A network between the writer and the pipe may stall for this long. Shorter than [`TURN`], so
/// that it fits into one wait.
const LAST_LIMIT: Duration = Duration::from_millis(800);

/// The longest wait in one call of `next_frame`, so that the thread can report that it is alive and
/// why nothing comes.
const TURN: Duration = Duration::from_secs(1);

/// What ended a wait.
enum Woken {
    Stop,
    Bytes,
    /// No bytes came in that time.
    Silence,
}

impl Pipe {
    /// Opens standard input.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn standard_input(count: FrameCount) -> Result<Self, SourceError> {
        let name = "standard input".to_owned();
        let own = io::stdin().as_fd().try_clone_to_owned();
        let file = own.map_err(|error| unusable(format!("{name}: {error}")))?.into();
        Ok(Self::of(Input { file, path: None, name }, count))
    }

    /// Opens the pipe at `path`. A named pipe need not have a writer yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path, end: AtItsEnd, count: FrameCount) -> Result<Self, SourceError> {
        let name = format!("pipe {}", path.display());
        let file = opened(path).map_err(|error| unusable(format!("{name}: {error}")))?;
        let path = (end == AtItsEnd::Waits).then(|| path.to_owned());
        Ok(Self::of(Input { file, path, name }, count))
    }

    fn of(input: Input, count: FrameCount) -> Self {
        // A placeholder: each picture has its own size.
        let layout = jpeg_layout(Size::new(1, 1), None);
        Self {
            input,
            stream: JpegStream::new(),
            layout,
            count,
            has_begun: false,
            writer: Writer::NotSeen,
            expected: Expected::default(),
            damage: None,
            silence: Silence { limit: FIRST_LIMIT, doubt: false },
        }
    }

    /// Marks its frames to be turned like this by their consumers.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    /// Sets the interval in which a picture is expected.
    #[must_use]
    pub(super) fn at(mut self, interval: Duration) -> Self {
        self.layout.interval = Some(interval);
        self
    }

    /// The newest usable picture of those that have come. An error if none of them is usable.
    fn newest(&mut self) -> Result<Option<Taken>, Damage> {
        let pictures = self.stream.pictures();
        let last = self.count.advance(pictures.count);
        match (pictures.usable, pictures.damage) {
            (Some(picture), _) => {
                let sequence = last - (pictures.count - picture.number);
                Ok(Some(Taken { picture, sequence }))
            }
            (None, Some(damage)) => Err(damage),
            (None, None) => Ok(None),
        }
    }

    fn lend(&mut self, taken: &Taken) -> Next<'_> {
        let now = clock::now();
        self.has_begun = true;
        self.expected.picture(now);
        self.damage = None;
        Next::Frame(Frame {
            content: self.stream.content(&taken.picture, self.layout.orientation),
            sequence: taken.sequence,
            // A pipe carries no capture times. The arrival time is the nearest one known.
            captured_at: now,
            timed_by: TimedBy::Arrival,
        })
    }

    fn unusable(&mut self, damage: Damage) -> Next<'static> {
        self.damage = Some(damage);
        Next::Unusable(damage)
    }

    /// Takes an incomplete picture as complete, since nothing more of it comes.
    fn last(&mut self) -> Option<Result<Taken, Damage>> {
        let judged = self.stream.last()?;
        let sequence = self.count.advance(1);
        Some(judged.map(|picture| Taken { picture, sequence }))
    }

    /// Waits for bytes, for at most `patience`.
    fn wait(&self, stop: &Stop, patience: Duration) -> Woken {
        let mut fds = [
            PollFd::new(self.input.file.as_fd(), PollFlags::POLLIN),
            PollFd::new(stop.as_fd(), PollFlags::POLLIN),
        ];
        // Round up, so that the last millisecond is not spent in a busy loop.
        let timeout = PollTimeout::try_from(patience + Duration::from_micros(999));
        // EINTR looks as if nothing were ready, and the caller asks again.
        let _ = poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX));
        if fds[1].any().unwrap_or(false) {
            Woken::Stop
        } else if fds[0].any().unwrap_or(false) {
            Woken::Bytes
        } else {
            Woken::Silence
        }
    }

    /// Reads what the pipe holds.
    fn fill(&mut self) -> Result<(), SourceError> {
        let arrived = self.stream.read(&mut self.input.file);
        match arrived.map_err(|error| unusable(format!("{}: {error}", self.input.name)))? {
            Arrived::Nothing => {}
            Arrived::End => self.writer = Writer::Left,
            Arrived::Bytes { first } => {
                self.silence.note(first);
                self.writer = Writer::Writes;
            }
        }
        Ok(())
    }

    /// The writer has left, or the pipe was replaced: opens it again if another writer may come.
    fn begin_anew(&mut self) -> Result<(), SourceError> {
        self.stream.forget();
        let name = &self.input.name;
        let Some(path) = &self.input.path else {
            return Err(if self.has_begun {
                SourceError::new(Trouble::Ended, format!("{name} has ended"))
            } else {
                let why = self.stream.why(name).unwrap_or_else(|| {
                    "it was empty. Try rpicam-vid --codec mjpeg -t 0 -o - | lancam --source -"
                        .into()
                });
                unusable(format!("{name} ended without a usable JPEG; {why}"))
            });
        };
        // Open it before the old one is closed, so that a writer that comes just now finds a
        // reader.
        self.input.file = opened(path)
            .map_err(|error| SourceError::new(Trouble::Lost, format!("{name}: {error}")))?;
        // No more than a debug line: some programs open the pipe for each picture.
        log::debug!("{name}: the program that wrote into it has ended; waiting for the next one");
        self.writer = Writer::NotSeen;
        Ok(())
    }

    /// Switches to another pipe that has taken its place at the path; a removed pipe can get no new
    /// writer. If the path is gone, goes on reading for as long as there is a writer.
    fn follow_path(&mut self) -> Result<(), SourceError> {
        let Some(path) = &self.input.path else { return Ok(()) };
        let is_same = match (fs::metadata(path), self.input.file.metadata()) {
            (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
            _ => self.writer == Writer::Writes,
        };
        if is_same { Ok(()) } else { self.begin_anew() }
    }

    /// The known reason why there is no picture.
    fn why(&self) -> Option<String> {
        let name = &self.input.name;
        if self.input.path.is_some() && self.writer == Writer::NotSeen {
            if self.expected.is_in_time(self.layout.interval, clock::now()) {
                return None;
            }
            return Some(format!("no program writes into {name}"));
        }
        // A picture that is still arriving is not missing.
        if self.stream.may_be_coming() {
            return None;
        }
        match self.damage {
            Some(damage) => Some(format!("the last picture on {name} {damage}")),
            None => self.stream.why(name),
        }
    }
}

impl FrameSource for Pipe {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        self.input.name.clone()
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError> {
        let began_at = clock::now();
        loop {
            match self.newest() {
                Ok(Some(taken)) => return Ok(self.lend(&taken)),
                Ok(None) => {}
                Err(damage) => return Ok(self.unusable(damage)),
            }
            let left = TURN.saturating_sub(clock::now().since(began_at));
            if left.is_zero() {
                self.follow_path()?;
                return Ok(Next::Waiting(self.why()));
            }
            let may_be_whole = self.stream.may_be_whole();
            let patience = if may_be_whole { left.min(self.silence.limit) } else { left };
            match self.wait(stop, patience) {
                Woken::Stop => return Ok(Next::Stopped),
                Woken::Bytes => self.fill()?,
                Woken::Silence if may_be_whole && patience == self.silence.limit => {
                    self.silence.doubt = true;
                    match self.last() {
                        Some(Ok(taken)) => return Ok(self.lend(&taken)),
                        Some(Err(damage)) => return Ok(self.unusable(damage)),
                        None => {}
                    }
                }
                Woken::Silence => {}
            }
            if self.writer == Writer::Left {
                match self.last() {
                    Some(Ok(taken)) => return Ok(self.lend(&taken)),
                    Some(Err(_)) | None => self.begin_anew()?,
                }
            }
        }
    }

    fn is_handed_over(&self) -> bool {
        self.input.path.is_none()
    }

    fn drops(&self) -> Drops {
        self.stream.drops()
    }
}

/// A usable picture.
struct Taken {
    picture: Picture,
    sequence: u64,
}

impl Silence {
    /// After a picture that was taken as complete, another one must begin. If instead the old one
    /// goes on, the writer needs more time.
    fn note(&mut self, first: u8) {
        if std::mem::take(&mut self.doubt) && first != 0xFF {
            self.limit = (self.limit * 2).min(LAST_LIMIT);
        }
    }
}

/// Opens a pipe for reading, without waiting for a writer. Refuses a file, which would be read in a
/// busy loop.
fn opened(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        Ok(file)
    } else {
        Err(io::Error::other("it is no longer a pipe"))
    }
}

fn unusable(text: String) -> SourceError {
    SourceError::new(Trouble::Unusable, text)
}
