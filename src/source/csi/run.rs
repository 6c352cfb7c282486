//! One child from its start to its end: what it writes, and why it ended.

use super::asked::{Asked, Times as Telling};
use super::child::Child;
use super::frames::Frames;
use super::raw::{Came, Fit};
use super::settings::CsiSetting;
use super::times::{Taken, Times};
use super::words::{Granted, Reason, Words};
use crate::clock;
use crate::image::frame::{Micros, TimedBy};
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

/// A child and what it has written so far.
#[derive(Debug)]
pub(super) struct Run {
    child: Child,
    pub(super) frames: Frames,
    words: Words,
    times: Times,
    telling: Telling,
    /// So many frames in a row came without a time.
    in_vain: u32,
    /// When the last frame came, or when the child was started.
    silent_since: Micros,
    has_frames: bool,
    /// The times were looked at since the last frame, and no other had begun.
    has_looked_between: bool,
    /// When it said something last.
    heard_at: Micros,
    /// Its words are not read before this time, because there are too many. No more will come where it is the end of time.
    deaf_until: Micros,
    /// Nothing came during the last wait.
    is_quiet: bool,
    interval: Duration,
}

/// What a look at the child has found.
#[derive(Debug)]
pub(super) enum Seen {
    /// So many whole frames.
    Frames(u64),
    /// Nothing so far.
    Nothing,
    /// The rows of its frames may have padding, because of their size.
    Padded(Granted),
    /// Its frames have another size, and the first of them was read before it said so.
    Misread(Granted),
    /// It has ended, or hangs.
    End(Reason),
}

/// A child that has sent no frame for so long, and for so many intervals, hangs.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_INTERVALS: u32 = 5;

/// The first frame may take longer: about 4 s on a Pi Zero.
const START: Duration = Duration::from_secs(8);

/// Between the end of its output and its own end.
const LAST_MOMENT: Duration = Duration::from_millis(300);

/// While nothing comes, the child is looked at so often. It may have ended while its own children hold the pipe open.
const LOOK: Duration = Duration::from_millis(100);

/// The time of a frame comes right behind the frame. lancam waits so long for it, and longer for the first one.
const TIME_COMES: Duration = Duration::from_millis(2);
const FIRST_TIME_COMES: Duration = Duration::from_millis(250);

/// After so many frames without a time, lancam waits for times no more. The program takes the option and tells none.
const MOST_IN_VAIN: u32 = 30;

/// A read of a full pipe. So many words at once are a flood, and are read after a pause.
const WORDS: usize = 64 << 10;
const FLOOD_PAUSE: Duration = Duration::from_millis(1);

/// A picture that comes so long after the last words shows that the child has recovered from what they say.
const RECOVERED: Duration = Duration::from_secs(1);

/// The first real-time signal as glibc's programs count them, and rpicam-vid is one. musl counts from 35.
const SIGRTMIN: i32 = 34;

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
            has_looked_between: false,
            heard_at: clock::now(),
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
        if let Some(otherwise) = self.heed() {
            return Ok(otherwise);
        }
        // A line is written behind its frame. So what is told before another frame begins is of frames that came.
        let looks_between = self.telling == Telling::Told
            && self.has_frames
            && !self.has_looked_between
            && !self.frames.is_in_a_frame();
        if looks_between {
            self.read_times();
        }
        let came = self.frames.fill(&mut self.child.frames)?;
        // What the child said before it sent these bytes may have come with them.
        if self.frames.have_begun()
            && let Some(otherwise) = self.heed()
        {
            return Ok(otherwise);
        }
        if looks_between && came == Came::Nothing && !self.frames.is_in_a_frame() {
            self.times.no_frame_has_begun(clock::now());
            self.has_looked_between = true;
        }
        match came {
            Came::Frames(frames) => Ok(Seen::Frames(frames)),
            Came::End => Ok(Seen::End(self.ended())),
            // All that it wrote was read. Its own children may hold the pipe open.
            Came::Nothing if self.is_quiet && self.child.ended().is_some() => {
                Ok(Seen::End(self.ended()))
            }
            Came::Nothing if self.hangs() => Ok(Seen::End(self.why_it_hangs())),
            Came::Nothing => Ok(Seen::Nothing),
        }
    }

    /// Whether it has sent a frame that was taken.
    pub(super) fn has_frames(&self) -> bool {
        self.has_frames
    }

    /// When the newest of so many frames was taken. Where that is not known, when it came.
    pub(super) fn taken(&mut self, frames: u64) -> (Micros, TimedBy) {
        let now = clock::now();
        let is_first = !std::mem::replace(&mut self.has_frames, true);
        self.silent_since = now;
        self.has_looked_between = false;
        if now.since(self.heard_at) >= RECOVERED {
            self.words.forget();
        }
        if self.telling == Telling::NotTold {
            return (now, TimedBy::Arrival);
        }
        let patience = match self.in_vain {
            _ if is_first => FIRST_TIME_COMES,
            0..MOST_IN_VAIN => TIME_COMES,
            _ => Duration::ZERO,
        };
        // A time may come in pieces.
        while !self.times.has_next(frames) {
            let left = patience.saturating_sub(clock::now().since(now));
            let [came] = wait(&[self.child.times.as_fd()], left);
            if !came || !self.read_times() || left.is_zero() {
                break;
            }
        }
        self.in_vain = if self.times.has_next(frames) { 0 } else { self.in_vain.saturating_add(1) };
        match self.times.of_newest(frames, now) {
            Taken::Told(at) | Taken::Reckoned(at) => (at, TimedBy::Camera),
            Taken::Unknown => (now, TimedBy::Arrival),
        }
    }

    /// Waits until the child has written something or `stop` is requested, not longer than `patience`. Says whether it is.
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

    /// Until the first frame: takes what the camera was configured for. The child says it before it sends that frame.
    fn heed(&mut self) -> Option<Seen> {
        if self.has_frames {
            return None;
        }
        self.hear();
        let granted = self.words.granted()?;
        match self.frames.adjust(granted) {
            Fit::Fits => None,
            Fit::Padded => Some(Seen::Padded(granted)),
            Fit::TooLate => Some(Seen::Misread(granted)),
        }
    }

    /// Reads what the child says of itself.
    fn hear(&mut self) {
        let mut said = [0; WORDS];
        match self.child.words.read(&mut said) {
            Ok(0) => self.deaf_until = Micros(u64::MAX),
            Ok(count) => {
                self.words.note(&said[..count]);
                self.heard_at = clock::now();
                if count == WORDS {
                    self.deaf_until = clock::now().after(FLOOD_PAUSE);
                }
            }
            // There is nothing to read now.
            Err(_) => {}
        }
    }

    /// Reads the times that were told. Says whether anything came.
    fn read_times(&mut self) -> bool {
        let mut told = [0; 4096];
        // A frame's facts are about 1 kB. The next turn reads what is left.
        for turn in 0..4 {
            let Ok(count @ 1..) = self.child.times.read(&mut told) else { return turn > 0 };
            self.times.note(&told[..count]);
        }
        true
    }

    fn ended(&mut self) -> Reason {
        // It closes its output a moment before it ends.
        self.child.waited(LAST_MOMENT);
        // So many reads empty the pipe.
        (0..4).for_each(|_| self.hear());
        let how = self.child.ended().map_or_else(
            || "has closed its output".to_owned(),
            |status| match status.code() {
                Some(code) => format!("has ended with exit code {code}"),
                None => format!("was ended: {}", by_signal(status)),
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
        // Once there were pictures, what came since the last one is a part of the next one.
        let why = if self.has_frames { None } else { self.frames.why() };
        let what = why.unwrap_or_else(|| format!("rpicam-vid has sent no frame for {seconds} s"));
        self.words.reason(&format!("{what}; lancam starts it again"))
    }
}

/// The signal that ended it, with its name. Rust's library has no names for real-time signals.
fn by_signal(status: ExitStatus) -> String {
    match status.signal() {
        Some(signal @ SIGRTMIN..) => format!("{status} (SIGRTMIN+{})", signal - SIGRTMIN),
        _ => status.to_string(),
    }
}

/// Waits until one of them can be read, not longer than `patience`. Says which of them can.
pub(super) fn wait<const N: usize>(from: &[BorrowedFd<'_>; N], patience: Duration) -> [bool; N] {
    let mut fds = from.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    // Rounded up. Otherwise the last millisecond would be spent in calls that wait for nothing.
    let timeout = PollTimeout::try_from(patience + Duration::from_micros(999));
    // After EINTR nothing seems ready, and the caller asks again.
    let _ = poll(&mut fds, timeout.unwrap_or(PollTimeout::MAX));
    fds.map(|fd| fd.any().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_told_by_its_own_name() {
        for (signal, said) in [
            (9, "signal: 9 (SIGKILL)"),
            (34, "signal: 34 (SIGRTMIN+0)"),
            (37, "signal: 37 (SIGRTMIN+3)"),
        ] {
            assert_eq!(by_signal(ExitStatus::from_raw(signal)), said);
        }
    }
}
