//! One child from its start to its end: what it writes is read, and why it ended is told.

use super::asked::{Asked, Times as Telling};
use super::child::Child;
use super::frames::Frames;
use super::raw::{Came, RawFrames};
use super::settings::CsiSetting;
use super::times::{Taken, Times};
use super::words::{Granted, Reason, Words};
use crate::clock;
use crate::image::frame::{Micros, TimedBy};
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

/// A child and what it has written so far.
#[derive(Debug)]
pub(super) struct Run {
    child: Child,
    pub(super) frames: Frames,
    words: Words,
    times: Times,
    telling: Telling,
    /// For how many frames in a row no time came.
    in_vain: u32,
    /// Since when there is no frame: since it was started at first.
    silent_since: Micros,
    has_frames: bool,
    /// Until when its words are not read, because there are too many; for ever, when there will be no more.
    deaf_until: Micros,
    /// Nothing came for as long as was waited last.
    is_quiet: bool,
    interval: Duration,
}

/// What a look at the child has brought.
#[derive(Debug)]
pub(super) enum Seen {
    /// So many whole frames.
    Frames(u64),
    /// Nothing so far.
    Nothing,
    /// It sends frames in a size whose rows may have padding.
    Padded(Granted),
    /// It has ended, or hangs.
    End(Reason),
}

/// A child hangs that has sent no frame for so long, or for so many intervals.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_INTERVALS: u32 = 5;

/// It may take longer to start: about 4 s on a Pi Zero.
const START: Duration = Duration::from_secs(8);

/// Between the end of its output and its own.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// While nothing comes, it is looked so often whether the child lives: its own children may hold the pipe open.
const LOOK: Duration = Duration::from_millis(100);

/// The time of a frame comes right behind it. It is waited for so long, the first one longer.
const TIME_COMES: Duration = Duration::from_millis(2);
const FIRST_TIME_COMES: Duration = Duration::from_millis(250);

/// A program that tells no times, though it takes the option, delays no more pictures than this.
const MOST_IN_VAIN: u32 = 30;

/// All that a pipe holds. Words that fill it are a flood, which is read no faster than this.
const WORDS: usize = 64 << 10;
const FLOOD_PAUSE: Duration = Duration::from_millis(1);

impl Run {
    /// Starts `program`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(
        program: &Path,
        asked: &Asked,
        settings: &[CsiSetting],
        telling: Telling,
    ) -> io::Result<Self> {
        let arguments = asked.arguments(settings, telling);
        log::debug!("{} {}", program.display(), arguments.join(" "));
        Ok(Self {
            child: Child::start(program, &arguments)?,
            frames: Frames::new(asked),
            words: Words::default(),
            times: Times::new(asked.interval()),
            telling,
            in_vain: 0,
            silent_since: clock::now(),
            has_frames: false,
            deaf_until: Micros(0),
            is_quiet: false,
            interval: asked.interval(),
        })
    }

    /// Reads what has come.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn look(&mut self) -> io::Result<Seen> {
        if !self.has_frames {
            // What the camera was configured for is said before the first frame.
            self.hear();
            if let Some(granted) = self.words.granted()
                && self.frames.adjust(granted)
                && !RawFrames::can_be(granted.size)
            {
                return Ok(Seen::Padded(granted));
            }
        }
        match self.frames.fill(&mut self.child.frames)? {
            Came::Frames(frames) => Ok(Seen::Frames(frames)),
            Came::End => Ok(Seen::End(self.ended())),
            // All that it wrote was read, though its own children may hold the pipe open.
            Came::Nothing if self.is_quiet && self.child.ended().is_some() => {
                Ok(Seen::End(self.ended()))
            }
            Came::Nothing if self.hangs() => Ok(Seen::End(self.why_it_hangs())),
            Came::Nothing => Ok(Seen::Nothing),
        }
    }

    /// When the newest of so many frames was taken, as far as that is known, or when it came.
    pub(super) fn taken(&mut self, frames: u64) -> (Micros, TimedBy) {
        let now = clock::now();
        let is_first = !std::mem::replace(&mut self.has_frames, true);
        self.silent_since = now;
        if self.telling == Telling::NotTold {
            return (now, TimedBy::Arrival);
        }
        self.read_times();
        let patience = match self.in_vain {
            _ if is_first => FIRST_TIME_COMES,
            0..MOST_IN_VAIN => TIME_COMES,
            _ => Duration::ZERO,
        };
        // It comes in pieces.
        while !self.times.has_next(frames) {
            let left = patience.saturating_sub(clock::now().since(now));
            let [came] = wait(&[self.child.times.as_fd()], left);
            if !came || left.is_zero() || !self.read_times() {
                break;
            }
        }
        self.in_vain = if self.times.has_next(frames) { 0 } else { self.in_vain.saturating_add(1) };
        match self.times.of_newest(frames, now) {
            Taken::Told(at) | Taken::Reckoned(at) => (at, TimedBy::Camera),
            Taken::Unknown => (now, TimedBy::Arrival),
        }
    }

    /// Waits for the child or for the end of all, which it says, not longer than `patience`.
    pub(super) fn wait(&mut self, stop: &Stop, patience: Duration) -> bool {
        let patience = patience.min(LOOK);
        let deaf_for = self.deaf_until.since(clock::now());
        let (stopped, wrote, spoke) = if deaf_for.is_zero() {
            let fds = [stop.as_fd(), self.child.frames.as_fd(), self.child.words.as_fd()];
            let [stopped, wrote, spoke] = wait(&fds, patience);
            (stopped, wrote, spoke)
        } else {
            let fds = [stop.as_fd(), self.child.frames.as_fd()];
            let [stopped, wrote] = wait(&fds, patience.min(deaf_for));
            (stopped, wrote, false)
        };
        if spoke {
            self.hear();
        }
        self.is_quiet = !wrote && !spoke;
        stopped
    }

    /// Takes note of what the child says of itself.
    fn hear(&mut self) {
        let mut said = [0; WORDS];
        match self.child.words.read(&mut said) {
            Ok(0) => self.deaf_until = Micros(u64::MAX),
            Ok(count) => {
                self.words.note(&said[..count]);
                if count == WORDS {
                    self.deaf_until = clock::now().after(FLOOD_PAUSE);
                }
            }
            // There is nothing now.
            Err(_) => {}
        }
    }

    /// Says whether anything came.
    fn read_times(&mut self) -> bool {
        let mut told = [0; 4096];
        // The facts of a frame are about 1 kB; of more frames than that, the next turn reads them.
        for turn in 0..4 {
            let Ok(count @ 1..) = self.child.times.read(&mut told) else { return turn > 0 };
            self.times.note(&told[..count]);
        }
        true
    }

    fn ended(&mut self) -> Reason {
        // It closes its output a moment before it is gone.
        self.child.waited(LAST_MOMENT);
        // As much as a pipe holds.
        (0..4).for_each(|_| self.hear());
        let how = self.child.ended().map_or_else(
            || "has closed its output".to_owned(),
            |status| match status.code() {
                Some(code) => format!("has ended with exit code {code}"),
                None => format!("was ended: {status}"),
            },
        );
        let when = match (self.has_frames, self.frames.is_in_a_frame()) {
            (_, true) => " in the middle of a frame",
            (true, false) => "",
            (false, false) => " before its first frame",
        };
        self.words.reason(&format!("rpicam-vid {how}{when}"))
    }

    fn hangs(&self) -> bool {
        let least = if self.has_frames { PATIENCE } else { START };
        let patience = least.max(self.interval.saturating_mul(PATIENCE_INTERVALS));
        clock::now().since(self.silent_since) >= patience
    }

    fn why_it_hangs(&mut self) -> Reason {
        self.hear();
        let seconds = clock::now().since(self.silent_since).as_secs();
        let why = self.frames.why();
        let what = why.unwrap_or_else(|| format!("rpicam-vid has sent no frame for {seconds} s"));
        self.words.reason(&format!("{what}; it is started anew"))
    }
}

/// Waits until something can be read, and says of each whether it can; not longer than `patience`.
fn wait<const N: usize>(from: &[BorrowedFd<'_>; N], patience: Duration) -> [bool; N] {
    let mut fds = from.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    // Rounded up, or the last millisecond would be spent asking again and again.
    let timeout = PollTimeout::try_from(patience + Duration::from_micros(999));
    // EINTR looks like nothing ready, and the caller asks again.
    let _ = poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX));
    fds.map(|fd| fd.any().unwrap_or(false))
}
