//! Two made-up clocks and a path between them: the true age always lies within the stated bounds.

use lancam::image::frame::Micros;
use lancam::wire::native::clock::{ClockMatch, DRIFT, Exchange};
use proptest::prelude::*;
use std::time::Duration;

/// A camera's clock. It is `ahead` of the viewer's, and `ppm` faster.
#[derive(Debug, Clone, Copy)]
struct CameraClock {
    ahead: i64,
    ppm: f64,
}

impl CameraClock {
    /// What it shows when the viewer's clock shows `at` microseconds.
    fn shows(&self, at: f64) -> f64 {
        at * (1.0 + self.ppm / 1e6) + self.ahead as f64
    }
}

/// The reading of a clock that counts whole microseconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The tests' times are positive and short.
fn whole(micros: f64) -> Micros {
    Micros(micros as u64)
}

fn exchange(clock: CameraClock, asked: f64, there: f64, held: f64, back: f64) -> Exchange {
    Exchange {
        asked_at: whole(asked),
        received_at: whole(clock.shows(asked + there)),
        answered_at: whole(clock.shows(asked + there + held)),
        heard_at: whole(asked + there + held + back),
    }
}

/// The error of an age at this time, and the stated uncertainty, in microseconds.
fn wrong_and_admitted(matched: &ClockMatch, clock: CameraClock, at: f64) -> (f64, f64) {
    let now = matched.matched(whole(at)).expect("a ping was answered");
    let apart = clock.shows(at) - at;
    ((now.apart as f64 - apart).abs(), now.uncertainty.as_secs_f64() * 1e6)
}

fn hours() -> impl Strategy<Value = i64> {
    let hour = 3_600_000_000_i64;
    prop_oneof![Just(0), hour..1000 * hour]
}

fn ways() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    // The shortest times in each direction are up to 80 ms and may differ. Jitter is added to each.
    let least = (10.0..80_000.0, 10.0..80_000.0);
    let jitter = prop::collection::vec((0.0..20_000.0, 0.0..50_000.0, 0.0..20_000.0), 1..60);
    (least, jitter).prop_map(|((there, back), jitter)| {
        let add = |(more, held, later)| (there + more, held, back + later);
        jitter.into_iter().map(add).collect()
    })
}

proptest! {
    #[test]
    fn the_truth_is_within_what_is_claimed(
        ahead in hours(),
        ppm in -f64::from(DRIFT)..f64::from(DRIFT),
        ways in ways(),
        pause in 1000.0..3_000_000.0,
    ) {
        let clock = CameraClock { ahead, ppm };
        let mut matched = ClockMatch::default();
        let mut asked = 1_000_000.0;
        let mut least = f64::INFINITY;
        for (there, held, back) in ways {
            prop_assert!(matched.learn(&exchange(clock, asked, there, held, back)).is_some());
            let heard = asked + there + held + back;
            least = least.min(there + back);
            asked = heard + pause;
            for at in [heard, asked] {
                let (wrong, admitted) = wrong_and_admitted(&matched, clock, at);
                prop_assert!(wrong <= admitted + 2.0, "{wrong} but {admitted}");
            }
        }
        // Half of the shortest round trip, and the most that the clocks can have drifted since the first one.
        let (_, admitted) = wrong_and_admitted(&matched, clock, asked);
        let drifted = asked * f64::from(DRIFT) / 1e6 + 200.0;
        prop_assert!(admitted <= least / 2.0 + drifted, "{admitted} for a round trip of {least}");
    }

    #[test]
    fn a_clock_that_was_set_or_slept_is_followed(
        ahead in hours(),
        slept in prop_oneof![-3_600_000_000_i64..-1_000_000, 1_000_000_i64..3_600_000_000],
        ways in ways(),
    ) {
        let mut clock = CameraClock { ahead: ahead + 3_600_000_000, ppm: 0.0 };
        let mut matched = ClockMatch::default();
        let mut asked = 1_000_000.0;
        for after in [false, true] {
            if after {
                clock.ahead += slept;
            }
            for &(there, held, back) in &ways {
                matched.learn(&exchange(clock, asked, there, held, back));
                asked += there + held + back;
                let (wrong, admitted) = wrong_and_admitted(&matched, clock, asked);
                prop_assert!(wrong <= admitted + 2.0, "{wrong} but {admitted}, after: {after}");
            }
        }
    }

    #[test]
    fn no_times_of_a_stranger_panic(times in prop::collection::vec(any::<[u64; 5]>(), 1..20)) {
        let mut matched = ClockMatch::default();
        for [asked_at, received_at, answered_at, heard_at, now] in times {
            let [asked_at, received_at] = [asked_at, received_at].map(Micros);
            let [answered_at, heard_at] = [answered_at, heard_at].map(Micros);
            matched.learn(&Exchange { asked_at, received_at, answered_at, heard_at });
            if let Some(matched) = matched.matched(Micros(now)) {
                matched.age(Micros(now), heard_at);
            }
        }
    }
}

#[test]
fn an_hour_of_pings_over_jittery_wifi_stays_within_two_milliseconds_while_clocks_drift() {
    let clock = CameraClock { ahead: 7_200_000_000, ppm: 80.0 };
    let mut matched = ClockMatch::default();
    let mut noise = 1_u64;
    let mut jitter = || {
        noise =
            noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Mostly small values, sometimes up to 20 ms.
        let part = (noise >> 40) as f64 / f64::from(1 << 24);
        500.0 + 20_000.0 * part.powi(4)
    };
    for second in 1..3600 {
        let asked = f64::from(second) * 1e6;
        matched.learn(&exchange(clock, asked, jitter(), 30.0, jitter()));
        if second < 60 {
            continue;
        }
        let (wrong, admitted) = wrong_and_admitted(&matched, clock, asked + 500_000.0);
        assert!(
            wrong <= admitted + 2.0 && admitted < 2000.0,
            "{wrong} of {admitted} at {second} s"
        );
        let trip = matched.matched(whole(asked)).expect("answered").round_trip;
        assert!(trip < Duration::from_millis(12), "{trip:?}");
    }
}
