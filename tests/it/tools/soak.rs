//! Endurance tests: what a process holds after each batch of rounds.

use crate::tools::camera_process::PATIENCE;
use crate::tools::png_file;
use crate::tools::viewer_process::{Output, Viewer};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use lancam::image::text::draw_line;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How much memory an allocator may gain in the second half of the rounds: less than a kilobyte per round.
const SLACK_KIB: u64 = 490;

/// The resources that a process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// Memory of its own that it has written: `Private_Dirty`. `RssAnon` is an estimate in new kernels: each CPU counts up to
    /// 256 KiB for itself.
    pub kib: u64,
    pub files: usize,
    pub threads: usize,
}

impl Holdings {
    pub fn of(process: u32) -> Self {
        let sums = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("it runs");
        let line = sums.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
        let line = line.expect("memory");
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

/// What was found at one moment of a long run.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Since the start.
    pub at: Duration,
    /// How long there was no picture although the camera was well.
    pub gap: Duration,
    pub held: Holdings,
}

/// A figure's name, and where it is found.
type Curve = (&'static str, fn(&Sample) -> f64);

/// Draws a long run into a PNG: a curve over time for each figure.
pub fn draw(path: &Path, samples: &[Sample]) {
    let curves: [Curve; 4] = [
        ("memory, KiB", |it| as_float(it.held.kib.try_into().expect("small"))),
        ("open files", |it| as_float(it.held.files)),
        ("threads", |it| as_float(it.held.threads)),
        ("no picture, ms", |it| it.gap.as_secs_f64() * 1000.0),
    ];
    let mut picture = Picture::blank(Size::new(1000, curves.len() * PANEL), WHITE);
    for (index, (name, of)) in curves.into_iter().enumerate() {
        let values: Vec<_> = samples.iter().map(|it| (it.at.as_secs_f64(), of(it))).collect();
        draw_curve(&mut picture, index * PANEL, name, &values);
    }
    png_file::write(path, &picture);
}

/// The height of a curve with its title, in pixels.
const PANEL: usize = 200;
const WHITE: u32 = 0x00FF_FFFF;

/// A dot for each value between the title and the line of zero, and the time at its right end.
fn draw_curve(picture: &mut Picture, top: usize, name: &str, values: &[(f64, f64)]) {
    let width = picture.size().width;
    let last = values.last().map_or(1.0, |(at, _)| at.max(1.0));
    let most = values.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let (low, height) = (top + PANEL - 5, as_float(PANEL - 40));
    let title = format!("{name}: at most {most:.0} in {:.0} min", last / 60.0);
    let mut fill = |columns: Range<usize>, row: usize, colour: u32| {
        let (start, end) = (columns.start.min(width), columns.end.min(width));
        picture.pixels_mut()[row * width..][start..end].fill(colour);
    };
    draw_line(&title, (10, top + 5), 1, &mut |columns, row| fill(columns, row, 0));
    fill(0..width, low, 0x0080_8080);
    for (at, value) in values {
        let column = as_pixels(at / last * as_float(width - 4));
        let row = low - as_pixels(value / most * height);
        (row - 1..=row + 1).for_each(|row| fill(column..column + 3, row, 0x0000_60C0));
    }
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("small"))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in the picture")]
fn as_pixels(length: f64) -> usize {
    length as usize
}

#[test]
fn a_long_run_is_drawn_from_left_to_right_with_its_highest_value_on_top() {
    let held = |kib| Holdings { kib, files: 10, threads: 5 };
    let sample = |seconds, kib| Sample {
        at: Duration::from_secs(seconds),
        gap: Duration::ZERO,
        held: held(kib),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("soak.png");
    draw(&path, &[sample(0, 1000), sample(100, 2000)]);
    let picture = png_file::read(&path);
    let dot = |x, y| picture.rgb(x, y) == [0, 0x60, 0xC0];
    assert!(dot(1, PANEL - 5 - 80) && dot(997, PANEL - 5 - 160), "memory doubles");
    assert!(!dot(500, PANEL - 5 - 80), "nothing is made up in between");
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
