//! Concatenated JPEGs that another program writes, at its own pace: on standard input, or into a pipe with a name.

use super::frame_count::FrameCount;
use super::heard::Heard;
use super::path::AtItsEnd;
use super::{Drops, FrameSource, Next, SourceError, Trouble, jpeg_layout};
use crate::clock;
use crate::image::frame::{Content, Frame, FrameLayout, TimedBy};
use crate::image::jpeg::gate::{DriverSays, Gate};
use crate::image::jpeg::repair::{Damage, Findings};
use crate::image::jpeg::splitter::Splitter;
use crate::image::orientation::Orientation;
use crate::image::pixels::Size;
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A pipe that carries concatenated JPEGs, such as `rpicam-vid --codec mjpeg -t 0 -o -` writes.
#[derive(Debug)]
pub struct Pipe {
    input: Input,
    splitter: Splitter,
    gate: Gate,
    layout: FrameLayout,
    count: FrameCount,
    drops: Drops,
    /// Whether there ever was a picture.
    has_begun: bool,
    writer: Writer,
    heard: Heard,
    /// What was wrong with the last one, if it could not be used.
    damage: Option<Damage>,
    silence: Silence,
}

/// Where the bytes come from.
#[derive(Debug)]
struct Input {
    file: File,
    /// Where it can be opened again; `None` for what was handed over.
    path: Option<PathBuf>,
    name: String,
}

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Nobody was seen.
    NotSeen,
    /// Somebody, as far as is known.
    Writes,
    /// The last one has left.
    Left,
}

/// How long nothing may come in the middle of a picture without end marker before it counts as whole.
#[derive(Debug)]
struct Silence {
    limit: Duration,
    /// A picture was taken for whole: what comes next shows whether it was.
    doubt: bool,
}

/// Whoever writes a picture in one piece has written all of it by then.
const FIRST_LIMIT: Duration = Duration::from_millis(60);

/// A network between the writer and here may stand still for so long. Less than a [`TURN`], so that it is waited for in one.
const LAST_LIMIT: Duration = Duration::from_millis(800);

/// Nobody waits longer in one go, so that others see that this thread lives, and why nothing comes.
const TURN: Duration = Duration::from_secs(1);

/// What made a wait end.
enum Woken {
    Stop,
    Bytes,
    /// Nothing came for that time.
    Silence,
}

impl Pipe {
    /// Standard input.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn standard_input(count: FrameCount) -> Result<Self, SourceError> {
        let name = "standard input".to_owned();
        let own = io::stdin().as_fd().try_clone_to_owned();
        let file = own.map_err(|error| unusable(format!("{name}: {error}")))?.into();
        Ok(Self::of(Input { file, path: None, name }, count))
    }

    /// The pipe at `path`. A named one need not have a writer yet.
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
        // The size is each picture's own; this one only says "not known yet".
        let layout = jpeg_layout(Size::new(1, 1), None);
        Self {
            input,
            splitter: Splitter::default(),
            gate: Gate::for_streams(),
            layout,
            count,
            drops: Drops::default(),
            has_begun: false,
            writer: Writer::NotSeen,
            heard: Heard::default(),
            damage: None,
            silence: Silence { limit: FIRST_LIMIT, doubt: false },
        }
    }

    /// The same, with its frames to be turned so by who takes them.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    /// The same, with a picture to be expected in each such interval.
    #[must_use]
    pub(super) fn at(mut self, interval: Duration) -> Self {
        self.layout.interval = Some(interval);
        self
    }

    /// The newest usable picture of those that have come; an error when there are only others.
    fn newest(&mut self) -> Result<Option<Taken>, Damage> {
        let mut newest = None;
        let mut damage = None;
        let oversized = self.splitter.oversized();
        while let Some(picture) = self.splitter.next_picture() {
            match self.judge(picture) {
                Ok(taken) => self.drops.stale += u64::from(newest.replace(taken).is_some()),
                Err(why) => damage = Some(why),
            }
        }
        if self.splitter.oversized() > oversized {
            damage = Some(Damage::TooLong);
        }
        match (newest, damage) {
            (None, Some(damage)) => Err(damage),
            (newest, _) => Ok(newest),
        }
    }

    fn judge(&mut self, picture: Range<usize>) -> Result<Taken, Damage> {
        let sequence = self.count.advance(1);
        let judged = self.gate.judge(self.splitter.bytes(picture.clone()), DriverSays::Whole);
        match judged {
            Ok(usable) => Ok(Taken { found: usable.findings(), at: picture, sequence }),
            Err(damage) => {
                self.drops.broken += 1;
                Err(damage)
            }
        }
    }

    fn lend(&mut self, taken: Taken) -> Next<'_> {
        self.has_begun = true;
        self.heard = Heard::default();
        self.damage = None;
        let picture = taken.found.in_bytes(self.splitter.bytes(taken.at));
        Next::Frame(Frame {
            content: Content::Jpeg(picture.then(self.layout.orientation)),
            sequence: taken.sequence,
            // A pipe carries no times; arrival is the nearest that is known.
            captured_at: clock::now(),
            timed_by: TimedBy::Arrival,
        })
    }

    fn unusable(&mut self, damage: Damage) -> Next<'static> {
        self.damage = Some(damage);
        Next::Unusable(damage)
    }

    /// Takes what has begun for a whole picture: nothing more of it comes.
    fn last(&mut self) -> Option<Result<Taken, Damage>> {
        let picture = self.splitter.finish()?;
        Some(self.judge(picture))
    }

    /// Waits for bytes, and not longer than `patience`.
    fn wait(&self, stop: &Stop, patience: Duration) -> Woken {
        let mut fds = [
            PollFd::new(self.input.file.as_fd(), PollFlags::POLLIN),
            PollFd::new(stop.as_fd(), PollFlags::POLLIN),
        ];
        // Rounded up, or the last millisecond would be spent asking again and again.
        let timeout = PollTimeout::try_from(patience + Duration::from_micros(999));
        // EINTR looks like nothing ready, and the caller asks again.
        let _ = poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX));
        if fds[1].any().unwrap_or(false) {
            Woken::Stop
        } else if fds[0].any().unwrap_or(false) {
            Woken::Bytes
        } else {
            Woken::Silence
        }
    }

    /// Takes what the pipe holds.
    fn fill(&mut self) -> Result<(), SourceError> {
        let space = self.splitter.space();
        let count = match self.input.file.read(space) {
            Ok(count) => count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                return Ok(());
            }
            Err(error) => return Err(unusable(format!("{}: {error}", self.input.name))),
        };
        let came = &space[..count];
        self.heard.note(came);
        self.silence.note(came);
        self.splitter.filled(count);
        self.writer = if count == 0 { Writer::Left } else { Writer::Writes };
        Ok(())
    }

    /// The writer has left, or the pipe: waits for another where one may come.
    fn begin_anew(&mut self) -> Result<(), SourceError> {
        self.splitter.finish();
        let name = &self.input.name;
        let Some(path) = &self.input.path else {
            return Err(if self.has_begun {
                SourceError::new(Trouble::Ended, format!("{name} has ended"))
            } else {
                let why = self.heard.why(name).unwrap_or_else(|| {
                    "it was empty. Try rpicam-vid --codec mjpeg -t 0 -o - | lancam --source -"
                        .into()
                });
                unusable(format!("{name} ended without a usable JPEG; {why}"))
            });
        };
        // Opened before the old one is closed: a writer that comes just now always finds a reader.
        self.input.file = opened(path)
            .map_err(|error| SourceError::new(Trouble::Lost, format!("{name}: {error}")))?;
        log::info!("{name}: the program that wrote into it has ended; waiting for the next one");
        self.writer = Writer::NotSeen;
        Ok(())
    }

    /// Takes the pipe that now lies at the path: nobody can open one that was removed. Who still writes into that is read on,
    /// until there is another.
    fn follow_path(&mut self) -> Result<(), SourceError> {
        let Some(path) = &self.input.path else { return Ok(()) };
        let is_same = match (fs::metadata(path), self.input.file.metadata()) {
            (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
            _ => self.writer == Writer::Writes,
        };
        if is_same { Ok(()) } else { self.begin_anew() }
    }

    /// What is known of why there is no picture.
    fn why(&self) -> Option<String> {
        let name = &self.input.name;
        if self.input.path.is_some() && self.writer == Writer::NotSeen {
            return Some(format!("no program writes into {name}"));
        }
        // A picture that is still coming is none that is missing.
        let is_coming = self.splitter.is_in_a_picture() && self.heard.may_be_a_picture();
        if is_coming {
            return None;
        }
        match self.damage {
            Some(damage) => Some(format!("the last picture on {name} {damage}")),
            None => self.heard.why(name),
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
                Ok(Some(taken)) => return Ok(self.lend(taken)),
                Ok(None) => {}
                Err(damage) => return Ok(self.unusable(damage)),
            }
            let left = TURN.saturating_sub(clock::now().since(began_at));
            if left.is_zero() {
                self.follow_path()?;
                return Ok(Next::Waiting(self.why()));
            }
            let may_be_whole = self.splitter.is_in_data() && self.gate.expects_no_ends();
            let patience = if may_be_whole { left.min(self.silence.limit) } else { left };
            match self.wait(stop, patience) {
                Woken::Stop => return Ok(Next::Stopped),
                Woken::Bytes => self.fill()?,
                Woken::Silence if may_be_whole && patience == self.silence.limit => {
                    self.silence.doubt = true;
                    match self.last() {
                        Some(Ok(taken)) => return Ok(self.lend(taken)),
                        Some(Err(damage)) => return Ok(self.unusable(damage)),
                        None => {}
                    }
                }
                Woken::Silence => {}
            }
            if self.writer == Writer::Left {
                match self.last() {
                    Some(Ok(taken)) => return Ok(self.lend(taken)),
                    Some(Err(_)) | None => self.begin_anew()?,
                }
            }
        }
    }

    fn is_handed_over(&self) -> bool {
        self.input.path.is_none()
    }

    fn drops(&self) -> Drops {
        Drops { broken: self.drops.broken + self.splitter.dropped(), ..self.drops }
    }
}

/// A picture that can be used.
struct Taken {
    at: Range<usize>,
    found: Findings,
    sequence: u64,
}

impl Silence {
    /// After a picture that was taken for whole another one must begin; if it goes on instead, the writer needs more time.
    fn note(&mut self, came: &[u8]) {
        if came.is_empty() || !std::mem::take(&mut self.doubt) {
            return;
        }
        if came[0] != 0xFF {
            self.limit = (self.limit * 2).min(LAST_LIMIT);
        }
    }
}

/// For reading, without waiting for a writer. A file would be read again and again, as fast as it goes.
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
