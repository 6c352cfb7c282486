//! What the benches share: pairs of runs, and a scene to run them on.

use lancam::image::pixels::Size;

/// Pairs of runs, A B A B: the medians of both times, in seconds of CPU, and of their ratios.
pub(crate) fn paired(
    rounds: usize,
    mut ours: impl FnMut(),
    mut limit: impl FnMut(),
) -> (f64, f64, f64) {
    let time = |work: &mut dyn FnMut()| {
        let start = cpu_seconds();
        work();
        cpu_seconds() - start
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

/// This thread's CPU time: what others do on a shared machine does not count.
#[cfg(all(feature = "camera", target_os = "linux"))]
fn cpu_seconds() -> f64 {
    use nix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("Linux has this clock");
    std::time::Duration::from(time).as_secs_f64()
}

/// Where the thread's own clock is not at hand, the wall's.
#[cfg(not(all(feature = "camera", target_os = "linux")))]
fn cpu_seconds() -> f64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

/// A picture with as much detail as a room has: smooth areas, edges, and a little noise.
pub(crate) fn scene(size: Size) -> Vec<u8> {
    let mut noise = 0x2545_F491_u32;
    let mut bytes = Vec::with_capacity(size.area() * 2);
    for y in 0..size.height {
        for x in 0..size.width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let smooth = 60 + (x * 90 / size.width) + (y * 40 / size.height);
            let edge = if (x / 37 + y / 23) % 5 == 0 { 40 } else { 0 };
            let grain = usize::try_from(noise >> 28).expect("four bits");
            bytes.push(u8::try_from(smooth + edge + grain).expect("below 256"));
            bytes.push(u8::try_from(110 + (x + y) % 97 / 4).expect("below 256"));
        }
    }
    bytes
}
