//! Counts the instructions per frame, which do not vary between runs, and compares them with the last count. Counts how
//! they are shared where four threads encode one picture.
//!
//! `cargo bench --bench instructions` counts with valgrind and compares with benches/instructions.txt. `LANCAM_BLESS=1`
//! writes that file anew.

// The output is the result. Nothing is lost if nobody reads it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod scene;

use lancam::camera::encode::{Coding, Encoding, Recipe};
use lancam::camera::strips::EncodeThreads;
use lancam::image::frame::{FrameLayout, Micros, RawFrame};
use lancam::image::jpeg::codec::Encoder;
use lancam::image::jpeg::repair;
use lancam::image::orientation::{Orientation, Rotation};
use lancam::image::pixels::{Chroma, Colour, FourCc, Matrix, PixelFormat, Range, Size};
use lancam::image::planes::Planes;
use lancam::image::unpack::{RawLook, Unpacker, Wanted};
use lancam::wire::packet::{Codec, FrameFacts};
use scene::{scene, scene_planes};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

const SIZE: Size = Size::new(1280, 720);
const HALF: Size = Size::new(640, 360);
const FILE: &str = "benches/instructions.txt";

/// A change by more than this fraction is reported.
const SAME: f64 = 0.02;

const CASES: [&str; 18] = [
    "unpack NV12, full range",
    "unpack NV12",
    "unpack YU12",
    "unpack YUYV, full range",
    "unpack YUYV",
    "unpack YUYV, BT.709",
    "unpack YUYV, turned by 90",
    "unpack NV24",
    "unpack RGBP",
    "unpack RGB3",
    "unpack XR24",
    "unpack GREY",
    "unpack RGGB",
    "unpack RGGB, as it is",
    "unpack RGGB, to 640x360",
    "unpack pRAA",
    "examine a JPEG",
    "encode ready planes",
];

/// A picture that several threads encode, which do not find the same strips free in each run.
const LARGE: Size = Size::new(1920, 1080);
const ENCODE_LARGE: &str = "encode 1920x1080, threads: ";
const THREADS: usize = 4;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if let (Some(case), Some(times)) = (arguments.next(), arguments.next()) {
        return run(&case, times.parse().expect("how often"));
    }
    let known = std::fs::read_to_string(FILE).unwrap_or_default();
    let known: BTreeMap<&str, f64> = known
        .lines()
        .filter_map(|line| line.rsplit_once(": "))
        .filter_map(|(case, count)| Some((case, count.parse().ok()?)))
        .collect();
    println!("instructions a frame of 1280x720, in thousands");
    let mut lines = String::new();
    for case in CASES {
        let Some(count) = instructions(case) else {
            println!("skipped: instructions: valgrind is not installed");
            return;
        };
        let thousands = count / 1e3;
        let change = match known.get(case) {
            Some(before) if (thousands / before - 1.0).abs() > SAME => {
                format!("; it was {before:.1}: {:+.1} %", (thousands / before - 1.0) * 100.0)
            }
            Some(_) => String::new(),
            None => "; not counted before".into(),
        };
        println!("  {case}: {thousands:.1}{change}");
        lines += &format!("{case}: {thousands:.1}\n");
    }
    if std::env::var_os("LANCAM_BLESS").is_some() {
        std::fs::write(Path::new(FILE), lines).expect("the package's folder can be written to");
    }
    let [one, most] = [1, THREADS].map(|threads| {
        let counts = instructions_of_threads(&format!("{ENCODE_LARGE}{threads}"));
        counts.into_iter().fold(0.0, f64::max)
    });
    println!(
        "{LARGE} encoded on {THREADS} threads: {:.0} thousand instructions a frame for the thread with most, {:.3} of one \
         thread's (goal 0.30)",
        most / 1e3,
        most / one
    );
}

/// The instructions for one frame: the difference of two runs with different numbers of frames, so that one-time work does
/// not count.
fn instructions(case: &str) -> Option<f64> {
    const FEW: u32 = 2;
    const MANY: u32 = 6;
    let count = |times: u32| -> Option<f64> {
        let program = std::env::current_exe().expect("this program has a path");
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(program)
            .args([case, &times.to_string()])
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let count = said.lines().find_map(|line| line.split_once("Collected : "));
        Some(count.expect("callgrind says what it counted").1.trim().parse().expect("a number"))
    };
    Some((count(MANY)? - count(FEW)?) / f64::from(MANY - FEW))
}

/// The same for each thread by itself.
fn instructions_of_threads(case: &str) -> Vec<f64> {
    const FEW: u32 = 2;
    const MANY: u32 = 22;
    let folder = tempfile::tempdir().expect("a folder for what valgrind writes");
    let counts = |times: u32| -> Vec<f64> {
        let file = folder.path().join(times.to_string());
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--separate-threads=yes", "--fair-sched=yes"])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(std::env::current_exe().expect("this program has a path"))
            .args([case, &times.to_string()])
            .output()
            .expect("valgrind runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let files = (1..).map_while(|thread| {
            std::fs::read_to_string(format!("{}-{thread:02}", file.display())).ok()
        });
        let totals = files.map(|text| {
            let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
            total.expect("callgrind says what it counted").trim().parse().expect("a number")
        });
        totals.collect()
    };
    let (few, many) = (counts(FEW), counts(MANY));
    assert_eq!(few.len(), many.len(), "as many threads");
    many.iter().zip(&few).map(|(many, few)| (many - few) / f64::from(MANY - FEW)).collect()
}

fn run(case: &str, times: u32) {
    if let Some(threads) = case.strip_prefix(ENCODE_LARGE) {
        return encode_large(threads.parse().expect("a number of threads"), times);
    }
    match case {
        "encode ready planes" => {
            let planes = scene_planes(SIZE, Chroma::Yuv420);
            let mut encoder = Encoder::new(80).expect("encoder");
            let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
            for _ in 0..times {
                encoder.encode(&planes, &mut out).expect("encodes");
            }
        }
        "examine a JPEG" => {
            let planes = scene_planes(SIZE, Chroma::Yuv420);
            let mut out = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
            let encoded = Encoder::new(80).and_then(|mut it| it.encode(&planes, &mut out));
            out.truncate(encoded.expect("encodes"));
            for _ in 0..times {
                black_box(repair::examine(black_box(&out)).expect("a JPEG").len());
            }
        }
        _ => unpack(case.strip_prefix("unpack ").expect("one of the cases"), times),
    }
}

fn unpack(what: &str, times: u32) {
    let (format, how) = what.split_once(", ").unwrap_or((what, ""));
    let format = FourCc::parse(format).and_then(PixelFormat::from_fourcc).expect("known");
    let (mut colour, mut orientation) = (Colour::CAMERA, Orientation::UPRIGHT);
    let (mut look, mut at_least) = (RawLook::default(), SIZE);
    match how {
        "" => {}
        "full range" => colour.range = Range::Full,
        "BT.709" => colour.matrix = Matrix::Bt709,
        "turned by 90" => orientation = Orientation::turned(Rotation::Quarter),
        "as it is" => look = RawLook::AS_IT_IS,
        "to 640x360" => at_least = HALF,
        _ => unreachable!("one of the cases"),
    }
    let stride = format.min_stride(SIZE.width).expect("a raw format");
    let layout = FrameLayout { orientation, ..FrameLayout::new(format, SIZE, stride, colour) };
    let len = layout.frame_len().expect("a raw format");
    let bytes: Vec<u8> = scene(SIZE).into_iter().cycle().take(len).collect();
    let frame = RawFrame { bytes: &bytes, layout: &layout };
    let mut unpacker = Unpacker::new(look);
    let mut planes = Planes::default();
    for _ in 0..times {
        unpacker.unpack(&frame, Wanted { chroma: Chroma::Yuv420, at_least }, &mut planes);
    }
}

fn encode_large(threads: usize, times: u32) {
    let planes = scene_planes(LARGE, Chroma::Yuv420);
    let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
    let threads = EncodeThreads::new(threads);
    let mut encoding = Encoding::new(Recipe { coding, size: LARGE }, &threads).expect("encoder");
    for sequence in 0..u64::from(times) {
        let captured_at = Micros(sequence);
        let facts = FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size: LARGE };
        drop(encoding.encode(&planes, facts).expect("encodes"));
    }
}
