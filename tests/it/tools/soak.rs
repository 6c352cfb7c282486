//! Endurance tests: what a process holds after each batch of rounds.

use crate::tools::camera_process::PATIENCE;
use crate::tools::viewer_process::{Output, Viewer};
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How much memory an allocator may gain in the second half of the rounds: less than a kilobyte per round.
const SLACK_KIB: u64 = 490;

/// The resources that a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Resident memory of its own, without program text.
    pub kib: u64,
    pub files: usize,
    pub threads: usize,
}

impl Holdings {
    pub fn of(process: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("memory");
        let kib = line.trim().trim_end_matches(" kB").parse().expect("a number");
        let entries =
            |what| fs::read_dir(format!("/proc/{process}/{what}")).expect("it runs").count();
        Self { kib, files: entries("fd"), threads: entries("task") }
    }

    /// The resources, once there are no more open files and threads than before.
    pub fn settled(process: u32, before: Self) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Self::of(process);
            if now.files <= before.files && now.threads <= before.threads {
                return now;
            }
            assert!(Instant::now() < deadline, "{before:?} became {now:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Checks that the second half of the rounds takes no more memory than the first. Prints the figures.
#[track_caller]
pub fn assert_flat(what: &str, after: &[Holdings]) {
    let kib: Vec<u64> = after.iter().map(|it| it.kib).collect();
    println!("{what}: KiB after each batch of rounds: {kib:?}");
    let (first, second) = kib.split_at(kib.len() / 2);
    let most = |half: &[u64]| half.iter().copied().max().expect("batches");
    assert!(most(second) <= most(first) + SLACK_KIB, "{what}: {kib:?}");
}

/// Asks a viewer to end, and returns what it printed.
pub fn ended(viewer: Viewer) -> Output {
    let sent = Command::new("kill").arg("-INT").arg(viewer.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
    viewer.finish()
}
