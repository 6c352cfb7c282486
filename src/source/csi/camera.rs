//! A ribbon camera as a source of frames: one child after the other, each with the settings of its time.

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
use crate::wording::reason;
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
    /// `None` between two children, and after the last one.
    run: Option<Run>,
    count: FrameCount,
    /// Frames of earlier children that were not used.
    past: Drops,
    description: String,
    layout: FrameLayout,
}

/// One turn takes no longer, so that the watchdog sees that this thread lives.
const TURN: Duration = Duration::from_secs(1);

/// What a turn has brought.
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
            past: Drops::default(),
            description,
            layout,
        };
        this.restart()?;
        Ok(this)
    }

    /// Starts another child in the place of the one that runs, if one does.
    fn restart(&mut self) -> Result<(), SourceError> {
        // The camera is free for the next child once the last one has ended.
        self.end_run();
        let settings = self.knobs.for_start();
        let run = Run::start(&self.program, &self.asked, &settings, self.telling);
        self.run = Some(run.map_err(|error| not_started(&self.program, &error))?);
        self.layout = self.asked.layout();
        Ok(())
    }

    /// Ends the child that runs, if one does.
    fn end_run(&mut self) {
        if let Some(last) = self.run.take() {
            self.past = self.past + last.frames.drops();
        }
    }

    fn run(&mut self) -> &mut Run {
        self.run.as_mut().expect("there is a child until an error, and no turn follows that")
    }

    /// Waits for frames until the turn is over.
    fn turn(&mut self, stop: &Stop) -> Result<Turn, SourceError> {
        let began_at = clock::now();
        loop {
            if self.knobs.are_due(clock::now()) {
                log::info!(
                    "{}: its settings were changed, so lancam restarts rpicam-vid",
                    self.description
                );
                self.restart()?;
            }
            let seen = self.run().look();
            match seen.map_err(|error| self.lost(&error))? {
                Seen::Frames(frames) => return Ok(Turn::Frames(frames)),
                Seen::Nothing => {}
                Seen::Padded(granted) => self.without_padding(granted)?,
                Seen::Misread(granted) => self.in_that_size(granted)?,
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

    /// The child has ended, or hangs. A program that is too old for times is started again without them. Otherwise this is the
    /// reason for no picture. What viewers have set is taken back if the child has sent no picture with it.
    fn after(&mut self, reason: Reason) -> Result<(), SourceError> {
        if reason.knows_no_times && self.telling == Telling::Told {
            log::info!("{} is too old to tell when frames were taken", self.program.display());
            self.telling = Telling::NotTold;
            return self.restart();
        }
        let has_frames = self.run.as_ref().is_some_and(Run::has_frames);
        // A child that hangs still has the camera, and must not be named as its user.
        self.end_run();
        let text = if reason.is_in_use { ribbon::in_use(&reason.text) } else { reason.text };
        let may_be_of_settings = matches!(reason.trouble, Trouble::Lost | Trouble::Excessive);
        if may_be_of_settings
            && !has_frames
            && let Some(refused) = self.knobs.go_back()
        {
            return Err(SourceError::new(Trouble::Lost, taken_back(&refused, &text)));
        }
        Err(SourceError::new(reason.trouble, text))
    }

    /// The camera sends another size than it was asked for. The padding of its rows is not known then. JPEGs have none.
    fn without_padding(&mut self, Granted { size, .. }: Granted) -> Result<(), SourceError> {
        log::info!(
            "{}: it sends {size} instead of {}, so lancam asks for mjpeg",
            self.description,
            self.asked.size
        );
        self.asked.codec = Codec::Mjpeg;
        self.restart()
    }

    /// The camera sends another size than it was asked for, and bytes of it were read in the wrong size. Nothing tells where the
    /// next frame begins, so the next child is asked for the size that this one sends.
    fn in_that_size(&mut self, Granted { size, .. }: Granted) -> Result<(), SourceError> {
        log::info!(
            "{}: it sends {size} instead of {}. lancam asks for the size that it sends",
            self.description,
            self.asked.size
        );
        self.asked.size = size;
        self.restart()
    }

    fn lost(&self, error: &io::Error) -> SourceError {
        SourceError::new(
            Trouble::Lost,
            format!("{}: its pipe: {}", self.description, reason(error)),
        )
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
        if !self.run().has_frames() {
            self.knobs.have_given_a_picture();
        }
        let sequence = self.count.advance(frames);
        let (captured_at, timed_by) = self.run().taken(frames);
        let run = self.run.as_mut().expect("it has just sent frames");
        self.layout = *run.frames.layout();
        match run.frames.newest() {
            Ok(Some(content)) => {
                Ok(Next::Frame(Frame { content, sequence, captured_at, timed_by }))
            }
            Ok(None) => Ok(Next::Waiting(None)),
            Err(damage) => Ok(Next::Unusable(damage)),
        }
    }

    fn drops(&self) -> Drops {
        self.past + self.run.as_ref().map_or(Drops::default(), |run| run.frames.drops())
    }

    fn board(&self) -> Option<AnyBoard> {
        Some(Box::new(Arc::clone(&self.knobs)))
    }
}

/// Viewers have set what the child could not do.
fn taken_back(refused: &str, why: &str) -> String {
    format!(
        "rpicam-vid sends no picture with {refused}, which a viewer has set. lancam goes back to the setting before: {why}"
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Content;
    use crate::image::pixels::Size;
    use crate::source::control::Board;
    use crate::source::csi::{CsiFormat, CsiWish};
    use crate::source::{CaptureWish, FrameCount};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A camera whose program is this script.
    fn camera(folder: &Path, script: &str, asked: Asked) -> Csi {
        let program = folder.join("rpicam-vid");
        fs::write(&program, script).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
        let count = FrameCount::default();
        Csi::start(program, asked, Arc::default(), "camera".into(), count).expect("it starts")
    }

    /// Bare samples of this size.
    fn raw(size: Size) -> Asked {
        let wish = CaptureWish { size: Some(size), ..CaptureWish::default() };
        let csi = CsiWish { format: CsiFormat::Yuv420, ..CsiWish::default() };
        Asked::of(0, &wish, &csi, "").0
    }

    #[test]
    fn frames_begin_where_they_do_though_the_first_came_before_its_size_was_said() {
        const SCRIPT: &str = r#"#!/bin/sh
            frame() { printf '\377'; head -c 12287 /dev/zero; }
            say() { echo 'INFO configuring streams: (0) 128x64-YUV420/sYCC (1) 1640x1232-SBGGR10_CSI2P/RAW' >&2; }
            case "$*" in
                *--width=640*) frame; sleep 0.3; say ;;
                *) say ;;
            esac
            while frame; do sleep 0.05; done
            "#;
        let folder = tempfile::tempdir().expect("a folder");
        let mut camera = camera(folder.path(), SCRIPT, raw(Size::new(640, 480)));
        let stop = Stop::new().expect("a descriptor");
        for _ in 0..3 {
            let frame = loop {
                match camera.next_frame(&stop).expect("it goes on") {
                    Next::Frame(frame) => break frame,
                    other => assert!(matches!(other, Next::Waiting(None)), "{other:?}"),
                }
            };
            assert_eq!(frame.size(), Size::new(128, 64));
            let Content::Shared(shared) = frame.content else { panic!("{frame:?}") };
            assert_eq!(shared.planes.packed()[0], 255, "the first byte of a frame");
        }
    }

    #[test]
    fn what_a_viewer_has_set_is_taken_back_if_the_program_ends_because_of_it() {
        const SCRIPT: &str = r#"#!/bin/sh
            case "$*" in
                *--flicker-period*) echo "ERROR: *** unrecognised option '--flicker-period' ***" >&2; exit 255 ;;
            esac
            while head -c 12288 /dev/zero; do sleep 0.05; done
            "#;
        let folder = tempfile::tempdir().expect("a folder");
        let mut camera = camera(folder.path(), SCRIPT, raw(Size::new(128, 64)));
        let stop = Stop::new().expect("a descriptor");
        while !matches!(camera.next_frame(&stop).expect("it goes on"), Next::Frame(_)) {}
        let flicker = 0x0098_0918;
        assert_eq!(Arc::clone(&camera.knobs).set(flicker, 1), Ok(()));
        let error = loop {
            if let Err(error) = camera.next_frame(&stop) {
                break error;
            }
        };
        assert_eq!(error.trouble, Trouble::Lost);
        let (what, why) = ("flicker-period=10000us", "unrecognised option '--flicker-period'");
        assert!(error.message.contains(what) && error.message.contains(why), "{error}");
        assert_eq!(camera.knobs.for_start(), []);
    }

    #[test]
    fn the_child_has_ended_before_the_users_of_the_camera_are_looked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let (asked, _) = Asked::of(0, &CaptureWish::default(), &CsiWish::default(), "");
        let mut camera = camera(folder.path(), "#!/bin/sh\nexec sleep 600\n", asked);
        let reason = Reason {
            trouble: Trouble::Busy,
            text: "in use".into(),
            is_in_use: true,
            knows_no_times: false,
        };
        assert!(camera.after(reason).expect_err("is told").message.starts_with("in use"));
        assert!(camera.run.is_none());
        assert_eq!(camera.drops(), Drops::default());
    }
}
