//! A ribbon camera as a source: one child after the other, each with what is asked for by then.

use super::asked::{Asked, Codec, Times as Telling};
use super::knobs::Knobs;
use super::ribbon;
use super::run::{Run, Seen};
use super::words::{Granted, Reason};
use crate::clock;
use crate::image::frame::{Frame, FrameLayout};
use crate::source::control::AnyBoard;
use crate::source::frame_count::FrameCount;
use crate::source::{Drops, FrameSource, Next, SourceError, Trouble};
use crate::stop::Stop;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A ribbon camera that a child drives.
#[derive(Debug)]
pub(in crate::source) struct Csi {
    program: PathBuf,
    asked: Asked,
    knobs: Arc<Knobs>,
    telling: Telling,
    /// `None` only between two children.
    run: Option<Run>,
    count: FrameCount,
    stale: u64,
    /// Broken frames of earlier children.
    broken: u64,
    description: String,
    layout: FrameLayout,
}

/// Nobody waits longer in one go, so that others see that this thread lives.
const TURN: Duration = Duration::from_secs(1);

/// What the camera has by the end of a turn.
enum Turn {
    /// So many frames.
    Frames(u64),
    Nothing,
    Stopped,
}

impl Csi {
    /// Starts the first child.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(
        program: PathBuf,
        asked: Asked,
        knobs: Arc<Knobs>,
        description: String,
        count: FrameCount,
    ) -> Result<Self, SourceError> {
        let layout = asked.layout();
        let mut this = Self {
            program,
            asked,
            knobs,
            telling: Telling::Told,
            run: None,
            count,
            stale: 0,
            broken: 0,
            description,
            layout,
        };
        this.restart()?;
        Ok(this)
    }

    /// Starts another child in the place of the one that runs, if one does.
    fn restart(&mut self) -> Result<(), SourceError> {
        // The camera is free for the next one only when the last one is gone.
        if let Some(last) = self.run.take() {
            self.broken += last.frames.broken();
        }
        let settings = self.knobs.for_start();
        let run = Run::start(&self.program, &self.asked, &settings, self.telling);
        self.run = Some(run.map_err(|error| not_started(&self.program, &error))?);
        self.layout = self.asked.layout();
        Ok(())
    }

    fn run(&mut self) -> &mut Run {
        self.run.as_mut().expect("only `restart` takes it, and what fails there is not used again")
    }

    /// Waits for frames until the turn is over.
    fn turn(&mut self, stop: &Stop) -> Result<Turn, SourceError> {
        let began_at = clock::now();
        loop {
            if self.knobs.are_due(clock::now()) {
                log::info!(
                    "{}: its settings were changed, so rpicam-vid is started anew",
                    self.description
                );
                self.restart()?;
            }
            let seen = self.run().look();
            match seen.map_err(|error| self.lost(&error))? {
                Seen::Frames(frames) => return Ok(Turn::Frames(frames)),
                Seen::Nothing => {}
                Seen::Padded(granted) => self.without_padding(granted)?,
                Seen::End(reason) => self.after(reason)?,
            }
            let left = TURN.saturating_sub(clock::now().since(began_at));
            if left.is_zero() {
                return Ok(Turn::Nothing);
            }
            if self.run().wait(stop, left) {
                return Ok(Turn::Stopped);
            }
        }
    }

    /// The child has ended: starts one without what this program is too old for, or says why there is no picture.
    fn after(&mut self, reason: Reason) -> Result<(), SourceError> {
        if reason.knows_no_times && self.telling == Telling::Told {
            log::info!("{} is too old to tell when frames were taken", self.program.display());
            self.telling = Telling::NotTold;
            return self.restart();
        }
        let text = if reason.is_in_use { ribbon::in_use(&reason.text) } else { reason.text };
        Err(SourceError::new(reason.trouble, text))
    }

    /// The camera sends another size than it was asked for, and how its rows are padded is not known: as JPEGs, they have none.
    fn without_padding(&mut self, Granted { size, .. }: Granted) -> Result<(), SourceError> {
        log::info!(
            "{}: it sends {size} instead of {}, so lancam asks for mjpeg",
            self.description,
            self.asked.size
        );
        self.asked.codec = Codec::Mjpeg;
        self.restart()
    }

    fn lost(&self, error: &io::Error) -> SourceError {
        SourceError::new(Trouble::Lost, format!("{}: its pipe: {error}", self.description))
    }
}

impl FrameSource for Csi {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError> {
        let frames = match self.turn(stop)? {
            Turn::Frames(frames) => frames,
            Turn::Nothing => return Ok(Next::Waiting(None)),
            Turn::Stopped => return Ok(Next::Stopped),
        };
        let sequence = self.count.advance(frames);
        let (captured_at, timed_by) = self.run().taken(frames);
        let run = self.run.as_mut().expect("it has just sent frames");
        self.layout = *run.frames.layout();
        match run.frames.newest() {
            Ok(Some(content)) => {
                self.stale += frames - 1;
                Ok(Next::Frame(Frame { content, sequence, captured_at, timed_by }))
            }
            Ok(None) => Ok(Next::Waiting(None)),
            Err(damage) => Ok(Next::Unusable(damage)),
        }
    }

    fn drops(&self) -> Drops {
        let broken = self.run.as_ref().map_or(0, |run| run.frames.broken());
        Drops { stale: self.stale, broken: self.broken + broken }
    }

    fn board(&self) -> Option<AnyBoard> {
        Some(Box::new(Arc::clone(&self.knobs)))
    }
}

fn not_started(program: &Path, error: &io::Error) -> SourceError {
    let program = program.display();
    let (trouble, what) = match error.kind() {
        io::ErrorKind::NotFound => {
            (Trouble::NoCamera, "it, or the interpreter in its first line, is not there")
        }
        io::ErrorKind::PermissionDenied => (Trouble::Denied, "this user may not execute it"),
        _ => (Trouble::Lost, "a later try may work"),
    };
    SourceError::new(trouble, format!("{program} cannot be started: {error}; {what}"))
}
