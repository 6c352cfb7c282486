//! Measures pairs of runs, whose ratios are stable on a noisy machine.

/// Runs both in turn, A B A B. Returns the medians of both times, in seconds of CPU, and of their ratios.
pub(crate) fn paired(rounds: usize, ours: impl FnMut(), limit: impl FnMut()) -> (f64, f64, f64) {
    paired_by(cpu_seconds, rounds, ours, limit)
}

/// The same in seconds of another clock.
pub(crate) fn paired_by(
    clock: fn() -> f64,
    rounds: usize,
    mut ours: impl FnMut(),
    mut limit: impl FnMut(),
) -> (f64, f64, f64) {
    let time = |work: &mut dyn FnMut()| {
        let start = clock();
        work();
        clock() - start
    };
    ours();
    limit();
    let pairs: Vec<(f64, f64)> = (0..rounds).map(|_| (time(&mut ours), time(&mut limit))).collect();
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    (
        median(pairs.iter().map(|pair| pair.0).collect()),
        median(pairs.iter().map(|pair| pair.1).collect()),
        median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
    )
}

/// This thread's CPU time. What others do on a shared machine does not count.
#[cfg(all(feature = "camera", target_os = "linux"))]
pub(crate) fn cpu_seconds() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has this clock");
    std::time::Duration::from(time).as_secs_f64()
}

/// Wall time, on systems without the thread's own clock here.
#[cfg(not(all(feature = "camera", target_os = "linux")))]
pub(crate) fn cpu_seconds() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}
