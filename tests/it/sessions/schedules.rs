//! Sessions in made-up worlds: reads and writes of any length, readiness that comes and goes, clocks that
//! jump.

use crate::tools::properties::sessions::{Choices, Fault, Over, Speaks, run_with};
use lancam::camera::session_end::SessionEnd;
use std::time::SystemTime;

/// If a schedule fails, prints which one it was.
struct Schedule(Speaks, Over, u64);

impl Drop for Schedule {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(speaks, over, seed) = self;
            println!("{speaks:?} over {over:?}: to see this schedule alone, LANCAM_SEED={seed}");
        }
    }
}

const ALL: [Speaks; 5] =
    [Speaks::Native, Speaks::Pairing, Speaks::Http, Speaks::HttpWithKeys, Speaks::Pickle];

/// The tutorial's client knows no TLS.
const SEALED: [Speaks; 4] = [Speaks::Native, Speaks::Pairing, Speaks::Http, Speaks::HttpWithKeys];

/// Runs this many schedules of each protocol.
fn run_schedules(over: Over, protocols: &[Speaks], count: u64) {
    let seed = std::env::var("LANCAM_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let count = if seed.is_some() { 1 } else { count };
    let time = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let first = seed.unwrap_or(time.as_secs() << 32);
    for &speaks in protocols {
        let (mut frames, mut paired, mut slow, mut stopped) = (0, 0, 0, 0);
        for seed in first..first + count {
            let schedule = Schedule(speaks, over, seed);
            let outcome = run_with(Fault::None, speaks, over, Choices::Random(seed));
            drop(schedule);
            frames += outcome.frames;
            paired += usize::from(matches!(outcome.end, Ok(SessionEnd::Paired(_))));
            slow += usize::from(matches!(outcome.end, Ok(SessionEnd::TooSlow(_))));
            stopped += usize::from(matches!(outcome.end, Ok(SessionEnd::Stopping)));
        }
        println!(
            "{speaks:?} over {over:?}: {count} schedules, {frames} frames, {slow} too slow, {stopped} stopped"
        );
        if count >= 1000 {
            let is_busy = match speaks {
                Speaks::Pairing => paired > 100,
                _ => frames > 1000 && slow > 10,
            };
            assert!(is_busy && stopped > 10, "the worlds are too calm");
        }
    }
}

#[test]
fn a_schedule_loses_no_wake_up_no_stall_and_no_order() {
    run_schedules(Over::Tcp, &ALL, 3000);
}

#[test]
fn a_schedule_over_tls_loses_no_wake_up_no_stall_and_no_order() {
    run_schedules(Over::Tls, &SEALED, 1000);
}

#[test]
#[ignore = "minutes: make test-all"]
fn a_million_schedules_lose_no_wake_up_no_stall_and_no_order() {
    run_schedules(Over::Tcp, &ALL, 1_000_000 / 5);
}

#[test]
#[ignore = "minutes: make test-all"]
fn two_hundred_thousand_schedules_over_tls_lose_no_wake_up_no_stall_and_no_order() {
    run_schedules(Over::Tls, &SEALED, 200_000 / 3);
}

#[test]
fn a_link_that_misses_something_is_noticed() {
    for (fault, speaks) in [
        (Fault::Bytes, Speaks::Native),
        (Fault::Bytes, Speaks::Http),
        (Fault::Bytes, Speaks::Pairing),
        (Fault::Room, Speaks::Native),
        (Fault::Room, Speaks::Http),
        (Fault::Room, Speaks::Pickle),
        (Fault::Bell, Speaks::Native),
        (Fault::Bell, Speaks::Http),
        (Fault::Bell, Speaks::Pickle),
        (Fault::Progress, Speaks::Native),
        (Fault::Answers, Speaks::Native),
        (Fault::Order, Speaks::Native),
        (Fault::Order, Speaks::Http),
        (Fault::Order, Speaks::Pickle),
    ] {
        for over in [Over::Tcp, Over::Tls] {
            if over == Over::Tls && !SEALED.contains(&speaks) {
                continue;
            }
            let is_noticed = |seed| {
                let choices = Choices::Random(seed);
                std::panic::catch_unwind(|| run_with(fault, speaks, over, choices)).is_err()
            };
            let noticed = (0..5000).any(is_noticed);
            assert!(noticed, "{fault:?} in {speaks:?} over {over:?} is not noticed");
        }
    }
}
