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

impl Sample {
    /// The memory, in KiB.
    pub fn kib_as_float(&self) -> f64 {
        f64::from(u32::try_from(self.held.kib).expect("small"))
    }
}

/// How fast something grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    pub per_hour: f64,
    /// The standard error of that.
    pub error: f64,
}

impl Slope {
    /// The line through these values that has the least squares, over hours. `None` if they are too few to tell growth from
    /// noise.
    pub fn of(values: &[(f64, f64)]) -> Option<Self> {
        if values.len() < FEWEST {
            return None;
        }
        let count = as_float(values.len());
        let mean = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>() / count;
        let (middle, level) = (mean(|it| it.0), mean(|it| it.1));
        let spread: f64 = values.iter().map(|(at, _)| (at - middle).powi(2)).sum();
        let joint: f64 = values.iter().map(|(at, value)| (at - middle) * (value - level)).sum();
        let per_hour = joint / spread;
        let rest = |&(at, value): &(f64, f64)| value - level - per_hour * (at - middle);
        let rests: Vec<f64> = values.iter().map(rest).collect();
        let squares: f64 = rests.iter().map(|rest| rest * rest).sum();
        let neighbours: f64 = rests.windows(2).map(|pair| pair[0] * pair[1]).sum();
        // Memory moves in steps, so a value resembles the one before it. Then the values tell less than as many that are
        // independent.
        let alike = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.99) } else { 0.0 };
        let variance = squares / (count - 2.0) / spread * (1.0 + alike) / (1.0 - alike);
        Some(Self { per_hour, error: variance.sqrt() })
    }

    /// Whether it is more than this, and more than noise can be: with chance alone, one run of forty has two standard errors.
    pub fn exceeds(&self, per_hour: f64) -> bool {
        self.per_hour > per_hour + 2.0 * self.error
    }
}

/// The fewest values of which a slope is computed.
const FEWEST: usize = 10;

/// A figure's name, and where it is found.
type Curve = (&'static str, fn(&Sample) -> f64);

/// Draws a long run into a PNG: a curve over time for each figure.
pub fn draw(path: &Path, samples: &[Sample]) {
    let curves: [Curve; 4] = [
        ("memory, KiB", Sample::kib_as_float),
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

#[test]
fn a_slope_is_told_from_noise_and_from_a_step() {
    let values = |of: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        (0..100).map(|index| f64::from(index) / 100.0).map(|at| (at, of(at))).collect()
    };
    let slope = |of: &dyn Fn(f64) -> f64| Slope::of(&values(of)).expect("enough values");
    let noise = |at: f64| 20.0 * (at * 7919.0).sin();
    let leak = slope(&|at| 5000.0 + 60.0 * at + noise(at));
    assert!((leak.per_hour - 60.0).abs() < 3.0 * leak.error, "{leak:?}");
    assert!(leak.exceeds(1.0) && !leak.exceeds(100.0), "{leak:?}");
    assert!(!slope(&|at| 5000.0 + noise(at)).exceeds(1.0), "noise");
    let step = slope(&|at| if at < 0.5 { 5000.0 } else { 5064.0 });
    assert!(step.error > 20.0, "that a hundred values are two tells less: {step:?}");
    assert!(slope(&|at| 2.0 * at).exceeds(1.0), "without any noise");
    assert_eq!(Slope::of(&values(&noise)[..9]), None);
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
