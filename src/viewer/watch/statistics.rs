//! Counts what was shown, and prints it as one line.

use super::ages::Ages;
use crate::image::pixels::Size;
use crate::json::{Object, quoted};
use crate::viewer::arrival::{Age, Arrival, Totals};
use crate::viewer::keep::recorder::Recording;
use crate::wire::packet::Codec;
use crate::wording::count;
use std::fmt;
use std::time::{Duration, Instant};

/// Counts of what was shown since the viewer started.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    shown: u64,
    totals: Totals,
    newest: Option<(Size, Codec)>,
    /// When the first and the newest picture were shown.
    span: Option<(Instant, Instant)>,
    recent: Recent,
    ages: Ages,
    /// The possible error of each age.
    uncertainties: Ages,
    round_trip: Option<Duration>,
    /// How many frames were recorded, and how many dropped.
    recorded: (u64, u64),
}

/// The rates of the last second or so.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    since: Option<(Instant, Totals)>,
    count: u32,
    /// The last rates, and until when they are valid if nothing more is shown.
    rates: Option<(Rates, Instant)>,
}

/// What arrived and was shown in one second.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Pictures shown per second.
    pub shown: f64,
    /// Frames received per second.
    pub received: f64,
    /// Bits received per second.
    pub bits: f64,
}

/// The shortest time over which a rate is measured.
const MEASURED_OVER: Duration = Duration::from_secs(1);
/// How many times that long a rate stays valid when no picture comes.
const BELIEVED: u32 = 3;

impl Statistics {
    /// Counts `arrival`, which is being shown.
    pub fn count(&mut self, arrival: &Arrival, now: Instant) {
        self.shown += 1;
        self.totals = arrival.totals;
        self.newest = Some((arrival.size, arrival.codec));
        let first = self.span.map_or(now, |(first, _)| first);
        self.span = Some((first, now));
        self.recent.count(now, arrival.totals);
    }

    /// Counts the age of a picture that is on the screen now.
    pub fn count_age(&mut self, age: &Age, now: Instant) {
        self.ages.count(age.by(now));
        self.uncertainties.count(age.uncertainty);
        self.round_trip = Some(age.round_trip);
    }

    /// Notes what has been recorded.
    pub fn count_recording(&mut self, recording: &Recording) {
        self.recorded = (recording.frames, recording.dropped);
    }

    /// The ages of pictures when they were shown. Those before the clocks were matched are not in it.
    pub fn ages(&self) -> &Ages {
        &self.ages
    }

    /// The error that 95 % of the ages do not exceed. `None` until an age is known.
    pub fn age_uncertainty(&self) -> Option<Duration> {
        self.uncertainties.percentile(0.95)
    }

    /// The shortest recent round trip to the camera. `None` until it has answered a ping.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Pictures shown.
    pub fn shown(&self) -> u64 {
        self.shown
    }

    /// When the newest picture was shown.
    pub fn shown_at(&self) -> Option<Instant> {
        self.span.map(|(_, newest)| newest)
    }

    /// Pictures per second over the last second or so; `None` until it has been measured.
    pub fn recent_fps(&self, now: Instant) -> Option<f64> {
        self.rates(now).map(|rates| rates.shown)
    }

    /// What arrived and was shown per second, over the last second or so. `None` until it has been measured.
    pub fn rates(&self, now: Instant) -> Option<Rates> {
        self.recent.rates.filter(|(_, until)| now <= *until).map(|(rates, _)| rates)
    }

    /// Measures rates anew, because nothing was to be shown for a while.
    pub fn forget_rates(&mut self) {
        self.recent = Recent::default();
    }

    /// The full size of the newest frame, and its codec.
    pub fn newest(&self) -> Option<(Size, Codec)> {
        self.newest
    }

    /// Pictures that were decoded and not shown.
    pub fn skipped_here(&self) -> u64 {
        self.totals.frames.saturating_sub(self.shown)
    }

    /// Frames that the camera took and that did not arrive.
    pub fn skipped_there(&self) -> u64 {
        self.totals.skipped
    }

    /// Pictures per second from the first to the newest; `None` with fewer than two.
    pub fn fps(&self) -> Option<f64> {
        let (first, newest) = self.span?;
        let seconds = (newest - first).as_secs_f64();
        (self.shown > 1 && seconds > 0.0).then(|| (self.shown - 1) as f64 / seconds)
    }

    /// Frames between those that were shown: lost on the way, or not shown here.
    pub fn skipped(&self) -> u64 {
        self.totals.skipped.saturating_add(self.skipped_here())
    }

    /// The mean time to decode a frame.
    pub fn decode_time(&self) -> Option<Duration> {
        let decoded = u32::try_from(self.totals.frames.saturating_add(self.totals.corrupt)).ok()?;
        self.totals.decode_time.checked_div(decoded)
    }

    /// One line of JSON.
    ///
    /// `age_ms` and `age_uncertainty_ms` are null until the clocks of camera and viewer are matched.
    pub fn to_json(&self) -> String {
        let millis = |time: Option<Duration>| time.map(|time| format!("{:.3}", in_millis(time)));
        let percentile = |part| millis(self.ages.percentile(part));
        let ages = Object::new()
            .or_null("p50", percentile(0.50))
            .or_null("p95", percentile(0.95))
            .or_null("p99", percentile(0.99))
            .or_null("max", millis(self.ages.max()));
        Object::new()
            .json("frames", self.shown)
            .or_null("fps", self.fps().map(|fps| format!("{fps:.2}")))
            .json("skipped", self.skipped())
            .json("disordered", self.totals.disordered)
            .json("corrupt", self.totals.corrupt)
            .json("damaged", self.totals.damaged)
            .json("bytes", self.totals.bytes)
            .json("recorded", self.recorded.0)
            .json("record_dropped", self.recorded.1)
            .json("age_ms", ages.end())
            .or_null("age_uncertainty_ms", millis(self.age_uncertainty()))
            .or_null("round_trip_ms", millis(self.round_trip()))
            .or_null("decode_ms", millis(self.decode_time()))
            .or_null("size", self.newest.map(|(size, _)| quoted(&size.to_string())))
            .or_null("codec", self.newest.map(|(_, codec)| quoted(codec_name(codec))))
            .end()
    }
}

/// For people.
impl fmt::Display for Statistics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((size, codec)) = self.newest else { return write!(out, "no frames") };
        write!(out, "{} of {size} {}", count(self.shown, "frame"), codec_name(codec))?;
        if let Some(fps) = self.fps() {
            write!(out, ", {fps:.1} fps")?;
        }
        write!(out, ", {} skipped, {} corrupt", self.skipped(), self.totals.corrupt)?;
        if self.totals.damaged > 0 {
            write!(out, ", {} damaged", self.totals.damaged)?;
        }
        write!(out, ", {}", count(self.totals.bytes, "byte"))?;
        if self.recorded != (0, 0) {
            let (recorded, dropped) = self.recorded;
            write!(out, ", {recorded} recorded and {dropped} dropped there")?;
        }
        if let (Some(half), Some(most), Some(unsure)) =
            (self.ages.percentile(0.50), self.ages.percentile(0.95), self.age_uncertainty())
        {
            let (half, most, unsure) = (in_millis(half), in_millis(most), in_millis(unsure));
            write!(out, ", {half:.1} ms old on the screen ({most:.1} ms at p95, ±{unsure:.1} ms)")?;
        }
        if let Some(time) = self.decode_time() {
            write!(out, ", {:.2} ms to decode each", in_millis(time))?;
        }
        Ok(())
    }
}

impl Recent {
    fn count(&mut self, now: Instant, totals: Totals) {
        let Some((since, before)) = self.since else {
            self.since = Some((now, totals));
            return;
        };
        self.count += 1;
        let elapsed = now - since;
        if elapsed >= MEASURED_OVER {
            let seconds = elapsed.as_secs_f64();
            let arrived = |totals: Totals| totals.frames + totals.corrupt + totals.unseen;
            let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
            let rates = Rates {
                shown: f64::from(self.count) / seconds,
                received: rate(arrived(totals), arrived(before)),
                bits: rate(totals.bytes, before.bytes) * 8.0,
            };
            self.rates = Some((rates, now + elapsed * BELIEVED));
            self.since = Some((now, totals));
            self.count = 0;
        }
    }
}

fn in_millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Jpeg => "jpeg",
        Codec::Bgr24 => "bgr24",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(frames: u64) -> Arrival {
        let mut arrival = Arrival { size: Size::new(4, 2), ..Arrival::default() };
        let decode_time = Duration::from_millis(2) * u32::try_from(frames).expect("few");
        arrival.totals =
            Totals { frames, bytes: frames * 100, skipped: 3, decode_time, ..Totals::default() };
        arrival
    }

    #[test]
    fn nothing_shown_is_nulls_and_zeros() {
        assert_eq!(
            Statistics::default().to_json(),
            "{\"frames\":0,\"fps\":null,\"skipped\":0,\"disordered\":0,\"corrupt\":0,\"damaged\":0,\"bytes\":0,\
             \"recorded\":0,\"record_dropped\":0,\
             \"age_ms\":{\"p50\":null,\"p95\":null,\"p99\":null,\"max\":null},\
             \"age_uncertainty_ms\":null,\"round_trip_ms\":null,\
             \"decode_ms\":null,\"size\":null,\"codec\":null}"
        );
        assert_eq!(Statistics::default().to_string(), "no frames");
    }

    #[test]
    fn ages_are_those_of_the_moment_a_picture_is_on_the_screen() {
        let mut statistics = Statistics::default();
        let ms = Duration::from_millis;
        let arrived = Instant::now();
        statistics.count(&arrival(1), arrived);
        let (uncertainty, round_trip) = (ms(2), ms(4));
        let age = Age { age: ms(30), at: arrived, uncertainty, round_trip };
        statistics.count_age(&age, arrived + ms(10));
        assert_eq!(statistics.ages().max(), Some(ms(40)));
        let json = statistics.to_json();
        assert!(json.contains("\"max\":40.000}"), "{json}");
        let sure = "\"age_uncertainty_ms\":2.000,\"round_trip_ms\":4.000";
        assert!(json.contains(sure), "{json}");
        assert!(statistics.to_string().contains("±2.0 ms"), "{statistics}");
        assert!(statistics.to_string().starts_with("1 frame of 4x2 jpeg, "), "{statistics}");
    }

    #[test]
    fn rates_are_not_of_a_time_without_pictures_nor_kept_for_ever() {
        let mut statistics = Statistics::default();
        let (ms, mut now) = (Duration::from_millis, Instant::now());
        let mut show = |statistics: &mut Statistics, count: u64, interval: u64| {
            for _ in 0..count {
                now += ms(interval);
                statistics.count(&arrival(statistics.shown() + 1), now);
            }
            now
        };
        let shown = show(&mut statistics, 32, 33);
        assert!(statistics.recent_fps(shown).is_some_and(|fps| (fps - 30.3).abs() < 0.1));
        assert!(statistics.recent_fps(shown + ms(2500)).is_some(), "it may come yet");
        assert_eq!(statistics.recent_fps(shown + ms(3100)), None, "the camera hangs");
        // The view was paused for 12 s.
        statistics.forget_rates();
        show(&mut statistics, 1, 12_000);
        let shown = show(&mut statistics, 20, 33);
        assert_eq!(statistics.recent_fps(shown), None, "not measured yet");
        let shown = show(&mut statistics, 15, 33);
        assert!(statistics.recent_fps(shown).is_some_and(|fps| (fps - 30.3).abs() < 0.1));
        // A rate below one per second is measured too.
        let shown = show(&mut statistics, 3, 5000);
        assert!(
            statistics.recent_fps(shown + ms(5000)).is_some_and(|fps| (fps - 0.2).abs() < 0.01)
        );
    }

    #[test]
    fn rates_are_measured_between_pictures_and_skips_are_counted_here_and_there() {
        let mut statistics = Statistics::default();
        let mut now = Instant::now();
        // Every second frame is shown, one each 100 ms.
        for shown in 1..=21_u32 {
            now += Duration::from_millis(if shown == 1 { 0 } else { 100 });
            statistics.count(&arrival(u64::from(shown) * 2), now);
        }
        assert!((statistics.fps().expect("measured") - 10.0).abs() < 1e-6);
        assert!((statistics.recent_fps(now).expect("measured") - 10.0).abs() < 1e-6);
        assert_eq!(statistics.skipped(), 3 + 21);
        assert_eq!(statistics.decode_time(), Some(Duration::from_millis(2)));
        assert_eq!(
            statistics.to_json(),
            "{\"frames\":21,\"fps\":10.00,\"skipped\":24,\"disordered\":0,\"corrupt\":0,\"damaged\":0,\
             \"bytes\":4200,\"recorded\":0,\"record_dropped\":0,\"age_ms\":{\"p50\":null,\"p95\":null,\"p99\":null,\"max\":null},\
             \"age_uncertainty_ms\":null,\"round_trip_ms\":null,\
             \"decode_ms\":2.000,\"size\":\"4x2\",\"codec\":\"jpeg\"}"
        );
    }
}
