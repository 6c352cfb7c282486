//! When frames were taken. The child tells it in a pipe of its own, and this file matches times to frames.
//!
//! rpicam-vid writes the facts of a frame (`--metadata`) right after the frame, and flushes each line of `txt` (rpicam-apps
//! `output.cpp`: `std::endl`). So the line of a whole frame is there, or comes at once, and lines are in the order of their
//! frames. A line may be lost or late, and its time must not go to another frame. Where fewer lines came than frames, the
//! steady pace of a camera tells their frames. A time that is told before another frame begins is the newest frame's, so a
//! mistake does not last.

use super::pace::Pace;
use crate::image::frame::Micros;
use std::collections::VecDeque;
use std::time::Duration;

/// The times that were told, and what is known of their frames.
#[derive(Debug)]
pub(super) struct Times {
    /// The line that is being read.
    line: Vec<u8>,
    /// Times that belong to no frame yet, in their order.
    told: VecDeque<Micros>,
    /// The last frame with a certain time.
    certain: Option<Certain>,
    /// How many frames came after that one. Without such a frame, how many came at all.
    frames: u64,
    /// So many frames in a row had no time of their own.
    unmatched: u32,
    /// A time was told since the last frame.
    is_fresh: bool,
    pace: Pace,
}

#[derive(Debug, Clone, Copy)]
struct Certain {
    at: Micros,
    /// The time from the camera to here.
    delay: Duration,
}

/// When a frame was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// As the child told it.
    Told(Micros),
    /// By the camera's pace, because the frame's line is lost or late. Not for longer than a few seconds.
    Reckoned(Micros),
    /// Some time before the frame came.
    Unknown,
}

/// When more frames in a row have no time of their own, the count of frames is wrong.
const MOST_UNMATCHED: u32 = 8;

/// So long, and for so many frames, a time by the camera's pace is believed. The pace is not exact, and rpicam-vid leaves out
/// frames.
const RECKONED: Duration = Duration::from_secs(5);
const MOST_RECKONED: u32 = 8;

/// rpicam-vid has so many buffers (`rpicam_app.cpp`). It leaves out frames while all of them wait.
const BUFFERS: u32 = 6;

/// So many times without frames are kept.
const MOST_TOLD: usize = 64;

/// So much of a line is read. The lines of times are short.
const LONGEST: usize = 64;

/// The name of the time in what libcamera tells of a frame, in nanoseconds.
const NAME: &[u8] = b"SensorTimestamp=";

/// A frame is taken before it comes. But two readings of the clock may be in the wrong order.
const SLACK: Duration = Duration::from_millis(1);

/// A frame comes at most so long after it was taken. With few frames a second it may wait longer in the child's buffers.
const OLDEST: Duration = Duration::from_secs(10);

impl Times {
    /// For a camera that was asked for a frame in each such interval.
    pub(super) fn new(asked: Duration) -> Self {
        Self {
            line: Vec::with_capacity(LONGEST),
            told: VecDeque::with_capacity(MOST_TOLD),
            certain: None,
            frames: 0,
            unmatched: 0,
            is_fresh: false,
            pace: Pace::new(asked),
        }
    }

    /// Takes note of what was told, in pieces of any length.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match piece {
                [text @ .., b'\n'] => (text, true),
                text => (text, false),
            };
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                // The late line of an earlier frame is of no use.
                if let Some(at) = time(&self.line).filter(|&at| self.is_new(at)) {
                    if self.told.len() == MOST_TOLD {
                        self.told.pop_front();
                    }
                    self.told.push_back(at);
                    self.is_fresh = true;
                }
                self.line.clear();
            }
        }
    }

    /// Whether this is not the time of the certain frame or of one before it.
    fn is_new(&self, at: Micros) -> bool {
        self.certain.is_none_or(|certain| at > certain.at)
    }

    /// Whether the time of the last one of so many new frames may be among the times. The late time of an earlier frame is
    /// not.
    pub(super) fn has_next(&self, frames: u64) -> bool {
        let count = self.frames + frames;
        self.in_order(count).is_some() || self.by_pace(count).is_some()
    }

    /// So many frames were whole at `now`, and no other frame lay in the pipe. When was the last of them taken?
    pub(super) fn of_newest(&mut self, frames: u64, now: Micros) -> Taken {
        self.frames += frames;
        self.unmatched += 1;
        let is_possible = |at: &Micros| self.may_be_of_a_frame(*at, now);
        let own = self.in_order(self.frames).filter(is_possible);
        let own = own.or_else(|| self.by_pace(self.frames).filter(is_possible));
        let own = own.or_else(|| self.ahead().filter(is_possible));
        self.is_fresh = false;
        if let Some(at) = own {
            self.is_certain(at, self.frames, now);
            return Taken::Told(at);
        }
        match self.certain {
            Some(certain) if self.may_be_reckoned(certain, now) => {
                Taken::Reckoned(self.reckoned(certain, now))
            }
            _ => Taken::Unknown,
        }
    }

    /// No frame has begun since the last one, and it is `now`. So all times that were told are of frames that came, and the
    /// last time is the newest frame's, unless that one's own is still to come.
    pub(super) fn no_frame_has_begun(&mut self, now: Micros) {
        let mut told = std::mem::take(&mut self.told);
        told.retain(|&at| self.may_be_of_a_frame(at, now));
        self.told = told;
        let Some(&at) = self.told.back() else { return };
        let count = match self.certain {
            Some(certain) => self.pace.frames_in(at.since(certain.at)).max(self.told.len() as u64),
            None => self.frames,
        };
        self.is_certain(at, count.min(self.frames), now);
    }

    /// The time of the frame with this number since the certain one, if no line is missing.
    fn in_order(&self, number: u64) -> Option<Micros> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.told.get(index).copied()
    }

    /// The same by the camera's pace, if the child has left out no frame.
    fn by_pace(&self, number: u64) -> Option<Micros> {
        let certain = self.certain?;
        self.told.iter().copied().find(|at| self.pace.frames_in(at.since(certain.at)) == number)
    }

    /// The last time, if it came just now and belongs to no earlier frame: lines are missing, and the child has left out
    /// frames, or the count of frames is wrong.
    fn ahead(&self) -> Option<Micros> {
        let newest = self.told.back().copied().filter(|_| self.is_fresh)?;
        let is_ahead =
            self.certain.is_some_and(|it| self.pace.frames_in(newest.since(it.at)) > self.frames);
        (is_ahead || self.unmatched > MOST_UNMATCHED).then_some(newest)
    }

    /// Whether a frame that came at `now` may have been taken at that time. If not, the time is by another clock. As a
    /// certain one it would spoil all that are compared with it.
    fn may_be_of_a_frame(&self, at: Micros, now: Micros) -> bool {
        let oldest = self.pace.interval().saturating_mul(2 * BUFFERS).max(OLDEST);
        at <= now.after(SLACK) && now.since(at) <= oldest
    }

    /// The frame with this number since the certain one was taken `at` that time.
    fn is_certain(&mut self, at: Micros, number: u64, now: Micros) {
        if let Some(certain) = self.certain
            && number == 1
        {
            self.pace.note(at.since(certain.at));
        }
        self.certain = Some(Certain { at, delay: now.since(at) });
        self.frames -= number;
        if self.frames == 0 {
            self.unmatched = 0;
        }
        // The times behind it are of coming frames.
        self.told.retain(|&other| other > at);
    }

    /// Whether the certain frame is not too long ago for a time by the camera's pace.
    fn may_be_reckoned(&self, certain: Certain, now: Micros) -> bool {
        let longest = self.pace.interval().saturating_mul(MOST_RECKONED).max(RECKONED);
        now.since(certain.at).saturating_sub(certain.delay) <= longest
    }

    /// The time by the camera's pace: so many frames after the certain one. The child may have left out more.
    fn reckoned(&self, certain: Certain, now: Micros) -> Micros {
        let pace = self.pace.interval();
        let by_count = u32::try_from(self.frames).unwrap_or(u32::MAX);
        let by_time = now.since(certain.at).saturating_sub(certain.delay);
        let by_time = u32::try_from(self.pace.frames_in(by_time)).unwrap_or(u32::MAX);
        // A frame may have waited in one of the child's buffers.
        let steps = if by_time > by_count.saturating_add(BUFFERS) { by_time } else { by_count };
        certain.at.after(pace.saturating_mul(steps)).min(now)
    }
}

/// `SensorTimestamp=123456789`
fn time(line: &[u8]) -> Option<Micros> {
    let digits = str::from_utf8(line.strip_prefix(NAME)?).ok()?;
    let nanos: u64 = digits.trim().parse().ok()?;
    Some(Micros(nanos / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: u64 = 33_333;
    const DELAY: u64 = 50_000;

    fn line(at: u64) -> Vec<u8> {
        format!("ExposureTime=20000\nSensorTimestamp={}\nLux=12.0\n\n", at * 1000).into_bytes()
    }

    /// What happens to a line.
    #[derive(Clone, Copy, PartialEq)]
    enum Fate {
        Comes,
        Lost,
        /// With that of the next frame.
        Late,
    }

    /// How wrong the times of frames are, in microseconds, when each line has such a fate and frames come so much later or earlier than usual.
    fn errors(fate: impl Fn(u64) -> Fate, jitter: impl Fn(u64) -> u64) -> Vec<u64> {
        let mut times = Times::new(Duration::from_micros(PACE));
        let mut late = Vec::new();
        let mut errors = Vec::new();
        for number in 0..600 {
            let taken = 1_000_000 + number * PACE;
            let now = Micros(taken + DELAY + jitter(number));
            times.note(&std::mem::take(&mut late));
            match fate(number) {
                Fate::Comes => times.note(&line(taken)),
                Fate::Lost => {}
                Fate::Late => late = line(taken),
            }
            match times.of_newest(1, now) {
                Taken::Told(at) | Taken::Reckoned(at) => errors.push(at.0.abs_diff(taken)),
                // If the first line is lost, the frame of the second one is not known.
                Taken::Unknown => assert!(number < 10, "frame {number}"),
            }
        }
        errors
    }

    #[test]
    fn each_frame_has_its_own_time() {
        let errors = errors(|_| Fate::Comes, |number| number * 7919 % 90_000);
        assert_eq!(errors.len(), 600);
        assert!(errors.iter().all(|&error| error == 0));
    }

    #[test]
    fn a_line_that_is_lost_or_late_never_gives_its_time_to_another_frame() {
        for lost in [Fate::Lost, Fate::Late] {
            for phase in 0..10 {
                let tenth = |number: u64| if number % 10 == phase { lost } else { Fate::Comes };
                let errors = errors(tenth, |number| number * 7919 % 40_000);
                let worst = errors.iter().max();
                assert!(worst < Some(&3000), "phase {phase}: {worst:?}");
            }
        }
    }

    #[test]
    fn two_in_a_row_may_be_lost_and_the_first_too() {
        let errors = errors(|n| if n < 2 || n % 7 < 2 { Fate::Lost } else { Fate::Comes }, |_| 0);
        assert!(errors.iter().all(|&error| error < 3000), "{:?}", errors.iter().max());
    }

    /// The child and this program are held up again and again, by less than the child's buffers last for: frames come in
    /// batches, and lines after the next frame or before the frame is read.
    #[test]
    fn a_busy_machine_shifts_no_times_for_long() {
        let mut seed = 7_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % below
        };
        let mut events = Vec::new();
        let mut free_at = 0;
        for number in 0..3000 {
            let taken = 1_000_000 + number * PACE;
            let stall = |it: u64| if it < 8 { it * 9000 } else { 0 };
            let written = free_at.max(taken + DELAY) + stall(random(40));
            let told = written + 50 + stall(random(40));
            free_at = told;
            events.push((written, taken, told));
        }
        let mut times = Times::new(Duration::from_micros(PACE));
        let (mut now, mut read, mut heard, mut wrong, mut all) = (0, 0, 0, 0, 0);
        while read < events.len() {
            now = now.max(events[read].0) + if random(30) == 0 { random(90_000) } else { 20 };
            let whole = events[read..].iter().take_while(|event| event.0 <= now).count();
            read += whole;
            // Its line is waited for.
            let until = now + 2000;
            let lines = events[heard..].iter().take_while(|event| event.2 <= until);
            lines.for_each(|event| times.note(&line(event.1)));
            heard += events[heard..].iter().take_while(|event| event.2 <= until).count();
            let taken = events[read - 1].1;
            let frames = u64::try_from(whole).expect("few");
            all += 1;
            match times.of_newest(frames, Micros(now)) {
                Taken::Told(at) | Taken::Reckoned(at) if at.0.abs_diff(taken) < 3000 => {}
                _ => wrong += 1,
            }
        }
        assert!(wrong * 200 < all, "{wrong} of {all}");
    }

    #[test]
    fn a_late_line_is_not_taken_for_that_of_the_next_frame_whose_own_is_lost() {
        let fate = |number: u64| match number % 10 {
            3 => Fate::Late,
            4 => Fate::Lost,
            _ => Fate::Comes,
        };
        let errors = errors(fate, |_| 0);
        assert!(errors.iter().all(|&error| error < 3000), "{:?}", errors.iter().max());
    }

    #[test]
    fn the_time_of_an_earlier_frame_is_not_the_one_that_is_waited_for() {
        let mut times = Times::new(Duration::from_micros(PACE));
        assert!(!times.has_next(1));
        times.note(&line(1_000_000));
        assert!(times.has_next(1) && !times.has_next(2));
        times.of_newest(1, Micros(1_000_000 + DELAY));
        times.of_newest(1, Micros(1_000_000 + PACE + DELAY));
        times.note(&line(1_000_000 + PACE));
        assert!(!times.has_next(1), "that came late");
        times.note(&line(1_000_000 + 2 * PACE));
        assert!(times.has_next(1));
    }

    #[test]
    fn frames_that_the_child_leaves_out_are_seen_in_time() {
        let mut times = Times::new(Duration::from_micros(PACE));
        times.note(&line(1_000_000));
        let told = times.of_newest(1, Micros(1_000_000 + DELAY));
        assert_eq!(told, Taken::Told(Micros(1_000_000)));
        let reckoned = times.of_newest(1, Micros(1_000_000 + 10 * PACE + DELAY));
        assert_eq!(reckoned, Taken::Reckoned(Micros(1_000_000 + 10 * PACE)));
    }

    #[test]
    fn times_that_cease_are_reckoned_for_seconds_and_not_for_ever() {
        let mut times = Times::new(Duration::from_micros(PACE));
        let taken = |number: u64| 1_000_000 + number * PACE;
        let came = |number: u64| Micros(taken(number) + DELAY);
        times.note(&line(taken(0)));
        assert_eq!(times.of_newest(1, came(0)), Taken::Told(Micros(taken(0))));
        for number in 1..600 {
            let found = times.of_newest(1, came(number));
            let is_known = matches!(found, Taken::Reckoned(_));
            assert_eq!(is_known, number * PACE <= 5_000_000, "{number}: {found:?}");
        }
        times.note(&line(taken(600)));
        assert_eq!(times.of_newest(1, came(600)), Taken::Told(Micros(taken(600))), "they are back");
    }

    #[test]
    fn lines_are_read_in_any_chopping_and_nonsense_is_passed_over() {
        let text = [b"junk\nSensorTimestamp=x\n".to_vec(), vec![b'y'; 1000], line(77)].concat();
        for chop in [1, 2, 3, 17, text.len()] {
            let mut times = Times::new(Duration::from_micros(PACE));
            text.chunks(chop).for_each(|piece| times.note(piece));
            assert_eq!(times.told.len(), 1, "{chop}");
            assert_eq!(times.of_newest(1, Micros(100)), Taken::Told(Micros(77)), "{chop}");
        }
    }

    /// How many of so many frames have another time than their own. Each comes so long after the one before, and its line
    /// comes with it.
    fn wrong(gaps: impl Iterator<Item = u64>) -> usize {
        let mut times = Times::new(Duration::from_micros(PACE));
        let mut taken = 1_000_000;
        let is_wrong = |gap: &u64| {
            taken += gap;
            times.note(&line(taken));
            times.of_newest(1, Micros(taken + DELAY)) != Taken::Told(Micros(taken))
        };
        gaps.filter(is_wrong).count()
    }

    #[test]
    fn frames_that_are_left_out_and_another_rate_shift_no_times() {
        assert_eq!(wrong((0..100).map(|n| if n % 20 == 10 { 2 * PACE } else { PACE })), 0);
        for rate in [PACE / 3, PACE / 2, 2 * PACE, 5 * PACE] {
            assert_eq!(wrong((0..100).map(|_| rate)), 0, "{rate}");
        }
    }

    #[test]
    fn a_time_that_went_to_the_next_frame_puts_all_right_when_its_own_comes() {
        let mut times = Times::new(Duration::from_micros(PACE));
        let taken = |number: u64| 1_000_000 + number * PACE;
        let came = |number: u64| Micros(taken(number) + DELAY);
        times.note(&line(taken(0)));
        assert_eq!(times.of_newest(1, came(0)), Taken::Told(Micros(taken(0))));
        // The frame of 1 is left out. The line of 2 comes behind the start of 3, and that of 3 later still.
        times.of_newest(1, came(2));
        times.note(&line(taken(2)));
        assert_eq!(times.of_newest(1, came(3)), Taken::Told(Micros(taken(2))), "one too old");
        times.note(&line(taken(3)));
        times.no_frame_has_begun(came(3));
        times.note(&line(taken(4)));
        assert_eq!(times.of_newest(1, came(4)), Taken::Told(Micros(taken(4))));
    }

    #[test]
    fn a_time_that_no_frame_can_have_is_not_taken_for_certain() {
        let came_at = |number: u64| 1_000_000_000 + number * PACE + DELAY;
        for wrong in [0, came_at(0) + 2_000_000, 2_000_000_000_000] {
            let mut times = Times::new(Duration::from_micros(PACE));
            times.note(&line(wrong));
            assert_eq!(times.of_newest(1, Micros(came_at(0))), Taken::Unknown, "{wrong}");
            times.note(&line(came_at(1) - DELAY));
            let taken = times.of_newest(1, Micros(came_at(1)));
            assert_eq!(taken, Taken::Told(Micros(came_at(1) - DELAY)), "after {wrong}");
        }
    }

    #[test]
    fn without_a_line_nothing_is_known() {
        let mut times = Times::new(Duration::from_micros(PACE));
        assert_eq!(times.of_newest(1, Micros(5)), Taken::Unknown);
        // A time after the frame came is not its.
        times.note(&line(9_000_000));
        assert_eq!(times.of_newest(1, Micros(38_000)), Taken::Unknown);
    }
}
