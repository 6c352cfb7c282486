//! Every raw format, from the kernel's test driver on an emulated Pi to the pixels that a viewer gets.
//!
//! `vivid` draws eight bars of known colours (drivers/media/common/v4l2-tpg/v4l2-tpg-colors.c). The picture
//! that the static program makes of them must look the same in every format, encoding and range. The long
//! test goes through all formats and writes docs/FORMATS.md: `LANCAM_BLESS=1 make test-all` accepts changes.

use crate::hardware::pi::boot_with;
use crate::tools::ciede2000::Lab;
use crate::tools::native_client::{self, NativeClient};
use crate::tools::rig::{Guest, Machine};
use lancam::image::pixels::{Chroma, PixelFormat, Rgb, SamplePacking, Size};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// White, yellow, cyan, green, magenta, red, blue, black: whether red, green and blue are on.
const BARS: [[u8; 3]; 8] =
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]];

/// The brightness of the bars, with the numbers of `test_pattern`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bars {
    Of75Percent = 0,
    Of100Percent = 1,
}

/// The values of `y_cbcr_encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Bt601 = 1,
    Bt709 = 2,
    XvYcc601 = 3,
    XvYcc709 = 4,
    Bt2020 = 6,
    Smpte240M = 8,
}

/// The values of `quantization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Full = 1,
    Limited = 2,
}

/// What one start of the program must send.
#[derive(Debug, Clone, Copy)]
struct Shot {
    format: PixelFormat,
    size: Size,
    bars: Bars,
    encoding: Encoding,
    range: Range,
}

const USUAL: Size = Size::new(640, 360);

impl Shot {
    const fn usual(format: PixelFormat, encoding: Encoding, range: Range) -> Self {
        Self { format, size: USUAL, bars: Bars::Of100Percent, encoding, range }
    }

    fn odd(format: PixelFormat) -> Self {
        Self {
            size: odd_size(format),
            bars: Bars::Of75Percent,
            ..Self::usual(format, Encoding::Bt601, Range::Limited)
        }
    }

    /// The bars as vivid draws them.
    fn expected(&self) -> [Lab; 8] {
        let level = match self.bars {
            Bars::Of75Percent => 191,
            Bars::Of100Percent => 255,
        };
        BARS.map(|bar| {
            let [red, green, blue] = bar.map(|on| on * level);
            match self.format {
                // precalculate_color() of v4l2-tpg-core.c: the luma of BT.709, in full range.
                PixelFormat::Grey(_) => {
                    let [red, green, blue] = [red, green, blue].map(u32::from);
                    let luma = (13_879 * red + 46_688 * green + 4_713 * blue) >> 16;
                    let luma = u8::try_from(luma).expect("the weights add up to less than one");
                    Lab::of([luma; 3])
                }
                _ => Lab::of([red, green, blue]),
            }
        })
    }

    /// The largest difference of all bars.
    fn judge(&self, found: [[u8; 3]; 8]) -> f64 {
        let differences = self.expected().into_iter().zip(found).map(|(expected, found)| {
            let found = match self.format {
                PixelFormat::Grey(_) => Lab::of(found).without_colour(),
                _ => Lab::of(found),
            };
            expected.difference(found)
        });
        differences.fold(0.0, f64::max)
    }

    /// The largest difference that is right. Colours of five and six bits have steps of 8 and 4.
    fn limit(&self) -> f64 {
        match self.format {
            PixelFormat::Rgb(Rgb::Rgb565 | Rgb::Rgb565BigEndian) => 5.0,
            _ => 3.0,
        }
    }
}

/// An odd size for which vivid still makes whole planes. At odd heights vivid leaves out half a row of chroma
/// of 4:2:0; at odd widths, half a pair of pixels of 4:2:2. Cb and Cr planes need a width that is a multiple
/// of four. No side is a multiple of eight, which those of most cameras are.
fn odd_size(format: PixelFormat) -> Size {
    match format {
        PixelFormat::SemiPlanar(Chroma::Yuv420, _) => Size::new(642, 362),
        PixelFormat::Planar(Chroma::Yuv420, _) => Size::new(644, 362),
        PixelFormat::SemiPlanar(Chroma::Yuv422, _) | PixelFormat::Packed(_) => Size::new(642, 361),
        PixelFormat::Planar(..) => Size::new(644, 361),
        _ => Size::new(643, 361),
    }
}

/// The formats that vivid has.
fn formats() -> impl Iterator<Item = PixelFormat> {
    PixelFormat::all().filter(|format| {
        !matches!(format, PixelFormat::Jpeg | PixelFormat::Bayer(_, SamplePacking::Packed10))
    })
}

/// An emulated Pi, and the program that runs on it.
struct Studio {
    guest: Guest,
    /// The node that the pictures come from.
    node: &'static str,
}

impl Studio {
    /// Chooses vivid's webcam for the usual size, which it has, and its HDMI input for others, which it
    /// scales to every size.
    fn choose_input(&self, size: Size) {
        let input = if size == USUAL { "-i 0" } else { "-i 3 --set-dv-bt-timings index=5" };
        self.run(&format!("v4l2-ctl -d {} {input}", self.node));
    }

    fn run(&self, command: &str) {
        let output = self.guest.sh(command);
        assert!(output.ok(), "{command}: {output}");
    }

    /// Starts the program, takes its first picture, and looks at the middle of each bar.
    fn shoot(&self, shot: &Shot) -> [[u8; 3]; 8] {
        let Self { guest, node } = self;
        let Shot { format, size, bars, encoding, range } = *shot;
        self.run(&format!(
            "v4l2-ctl -d {node} -c test_pattern={},osd_text_mode=2,colorspace=2,y_cbcr_encoding={},quantization={}",
            bars as u8, encoding as u8, range as u8,
        ));
        let raw = if let PixelFormat::Bayer(..) = format { "--raw off" } else { "" };
        self.run(&format!(
            "LANCAM_ACCESS=open lancam --source {node} --listen 0.0.0.0:9999 --format {format} --size {size} --fps 10 \
             --quality 100 --chroma 422 {raw} >/tmp/out 2>/tmp/log & echo $! >/tmp/pid"
        ));
        let is_listening = "while kill -0 $(cat /tmp/pid) && ! grep LISTENING /tmp/out; do usleep 20000; done 2>/dev/null";
        guest.sh(is_listening);
        let mut client = NativeClient::connect(guest.port(9999));
        let deadline = Instant::now() + Duration::from_secs(30);
        let jpeg = loop {
            match client.hear() {
                native_client::Said::Frame { payload, .. } => break payload,
                native_client::Said::Closed | native_client::Said::Goodbye { .. } => {
                    panic!("{shot:?}: {}", guest.sh("cat /tmp/out /tmp/log"))
                }
                _ => assert!(Instant::now() < deadline, "{shot:?}: no frame"),
            }
        };
        self.run("kill $(cat /tmp/pid); while kill -0 $(cat /tmp/pid) 2>/dev/null; do usleep 10000; done; true");
        let log = guest.sh("cat /tmp/log").text();
        assert!(log.contains(&format!("{size} {format} ")) && !log.contains("panicked"), "{log}");

        let (picture, _) = native_client::look(&jpeg);
        assert_eq!(picture.size(), size, "{shot:?}");
        std::array::from_fn(|index| picture.rgb(size.width * (2 * index + 1) / 16, size.height / 2))
    }

    /// Takes a shot and returns the largest difference of all bars. Panics if the difference is visible.
    fn measure(&self, shot: &Shot) -> f64 {
        let found = self.shoot(shot);
        let worst = shot.judge(found);
        assert!(worst < shot.limit(), "{worst:.2} off: {shot:?}: bars are {found:?}");
        worst
    }
}

#[test]
fn formats_of_each_kind_arrive_in_the_colours_that_the_driver_drew() {
    let Some(guest) = boot_with(Machine::Virt, "vivid.n_devs=2 vivid.multiplanar=1,2") else {
        return;
    };
    let mut studio = Studio { guest, node: "/dev/video0" };
    let named = |name: &str| {
        let of_name = |format: &PixelFormat| format.to_string() == name;
        PixelFormat::all().find(of_name).expect("a known format")
    };
    studio.choose_input(USUAL);
    for (name, encoding, range) in [
        ("YUYV", Encoding::Bt601, Range::Limited),
        ("NV12", Encoding::Bt709, Range::Limited),
        ("YV12", Encoding::Bt709, Range::Full),
        ("BGR3", Encoding::Bt601, Range::Limited),
        ("RG10", Encoding::Bt601, Range::Full),
    ] {
        let worst = studio.measure(&Shot::usual(named(name), encoding, range));
        println!("{name}, {encoding:?}, {range:?}: at most {worst:.2} off");
    }
    let odd = Shot::odd(named("Y10"));
    studio.choose_input(odd.size);
    println!("{} Y10: at most {:.2} off", odd.size, studio.measure(&odd));

    studio.node = the_second_camera(&studio.guest);
    studio.choose_input(USUAL);
    for name in ["NV12", "YUYV"] {
        let shot = Shot::usual(named(name), Encoding::Bt709, Range::Full);
        println!("{name}, multi-planar: at most {:.2} off", studio.measure(&shot));
    }
    let list = studio.guest.sh("lancam list").text();
    assert!(list.contains("NM12") && list.contains("several pieces of memory"), "{list}");
    studio.guest.power_off();
}

/// The second instance of vivid, which has only the multi-planar interface.
fn the_second_camera(guest: &Guest) -> &'static str {
    let list = guest.sh("lancam list");
    let second = "/dev/video4 (vivid";
    assert!(list.ok() && list.text().contains("vivid (/dev/video4, "), "{second}: {list}");
    "/dev/video4"
}

#[test]
#[ignore = "minutes: make test-all"]
fn every_format_arrives_in_the_colours_that_the_driver_drew() {
    let Some(guest) = boot_with(Machine::Virt, "") else { return };
    let studio = Studio { guest, node: "/dev/video0" };
    let start = Instant::now();
    let mut rows = Vec::new();
    studio.choose_input(USUAL);
    for format in formats() {
        let figures = VARIANTS.map(|(encoding, range)| {
            let is_ycbcr = matches!(
                format,
                PixelFormat::Packed(_) | PixelFormat::SemiPlanar(..) | PixelFormat::Planar(..)
            );
            let shot = Shot::usual(format, encoding, range);
            (is_ycbcr || encoding == Encoding::Bt601).then(|| studio.measure(&shot))
        });
        println!("{format} {figures:.2?}, {:.0} s", start.elapsed().as_secs_f64());
        rows.push((format, figures, f64::NAN));
    }
    let others = OTHER_ENCODINGS.map(|encoding| {
        let shot = Shot::usual(PixelFormat::YUYV, encoding, Range::Limited);
        (encoding, studio.measure(&shot))
    });
    println!("{others:.2?}");
    studio.choose_input(Size::new(643, 361));
    for (format, _, odd) in &mut rows {
        *odd = studio.measure(&Shot::odd(*format));
        println!("{} {format} {odd:.2}, {:.0} s", odd_size(*format), start.elapsed().as_secs_f64());
    }
    studio.guest.power_off();
    assert_document(&document(&rows, others));
}

/// The columns of the table. Formats without Y'CbCr depend only on the range.
const VARIANTS: [(Encoding, Range); 4] = [
    (Encoding::Bt601, Range::Limited),
    (Encoding::Bt601, Range::Full),
    (Encoding::Bt709, Range::Limited),
    (Encoding::Bt709, Range::Full),
];

/// Encodings that only some HDMI grabbers send.
const OTHER_ENCODINGS: [Encoding; 4] =
    [Encoding::XvYcc601, Encoding::XvYcc709, Encoding::Bt2020, Encoding::Smpte240M];

fn document(
    rows: &[(PixelFormat, [Option<f64>; 4], f64)],
    others: [(Encoding, f64); OTHER_ENCODINGS.len()],
) -> String {
    let mut text = String::from(HEAD);
    for (format, figures, odd) in rows {
        let codes: Vec<String> = PixelFormat::KNOWN
            .iter()
            .filter(|(_, known)| known == format)
            .map(|(code, _)| format!("`{code}`"))
            .collect();
        let _ = write!(text, "| {} | {} |", codes.join(" "), in_words(*format));
        for figure in figures {
            let figure = figure.map_or("–".into(), |figure| format!("{figure:.1}"));
            let _ = write!(text, " {figure} |");
        }
        let _ = writeln!(text, " {odd:.1} at {} |", odd_size(*format));
    }
    let others = others.map(|(encoding, figure)| format!("{encoding:?} {figure:.1}")).join(", ");
    let _ = writeln!(text, "\nOther encodings, in limited range, as YUYV: {others}.");
    text + TAIL
}

const HEAD: &str = "\
# Formats

This page lists what a camera may send, and how true its colours arrive. A test makes the table (tests/it/hardware/pi_formats.rs):

1. The static program on the emulated Pi captures each format from `vivid`, the kernel's test driver, and encodes it at quality 100.
2. The test decodes it as a viewer does, and compares the middle of each of eight colour bars with what `vivid` drew.

Each figure is the CIEDE2000 of the worst bar. Few people see a difference of 1 side by side. The limit is 3, and 5 for 16-bit RGB, whose steps are coarse.
For grey formats only lightness counts, and grey is full range whatever a driver says.
Bayer is sent with `--raw off`, because the samples of `vivid` are gamma-coded and balanced already, and a sensor's are not.

The columns at 640x360 have bars of 100 %, in the encoding and range of the column. The odd size has bars of 75 % in BT.601, limited range.
A dash: the format has no Y'CbCr, so the encoding makes no difference. Of several codes in a line, lancam asks for the first.

| format | what it is | 601 limited | 601 full | 709 limited | 709 full | at an odd size |
|---|---|---|---|---|---|---|
";

const TAIL: &str = "
`MJPG` and `JPEG` pass through as they are: their colours are the camera's own. `vivid` has none, and no packed Bayer format.

lancam shows SMPTE 240M as BT.709, and BT.2020 of constant luminance as BT.2020. The log says so. xvYCC is limited range, whatever the driver says. lancam asks the driver
what it sends, and changes nothing about it. If the driver says nothing, the kernel's own defaults hold (`V4L2_MAP_YCBCR_ENC_DEFAULT`, `V4L2_MAP_QUANTIZATION_DEFAULT`).
";

#[test]
fn the_words_around_the_table_are_those_of_the_page() {
    let page = page();
    assert!(page.starts_with(HEAD), "docs/FORMATS.md begins in another way");
    assert!(page.ends_with(TAIL), "docs/FORMATS.md ends in another way");
}

fn page() -> String {
    std::fs::read_to_string(path_of_the_page()).unwrap_or_default()
}

fn path_of_the_page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORMATS.md")
}

fn in_words(format: PixelFormat) -> String {
    let chroma = |chroma: Chroma| match chroma {
        Chroma::Yuv420 => "4:2:0",
        Chroma::Yuv422 => "4:2:2",
        _ => "4:4:4",
    };
    match format {
        PixelFormat::Jpeg => "JPEG".into(),
        PixelFormat::Packed(order) => {
            format!("4:2:2, one plane, {}", format!("{order:?}").to_uppercase())
        }
        PixelFormat::SemiPlanar(sampling, order) => {
            format!("{}, Y and {order:?} planes", chroma(sampling))
        }
        PixelFormat::Planar(sampling, order) => {
            let order = format!("{order:?}").replace('C', ", C");
            format!("{}, planes Y{order}", chroma(sampling))
        }
        PixelFormat::Grey(depth) => format!("grey, {} bits", depth.bits()),
        PixelFormat::Rgb(rgb) => match rgb {
            Rgb::Rgb24 => "R G B",
            Rgb::Bgr24 => "B G R",
            Rgb::Rgb565 => "5 bits red, 6 green, 5 blue",
            Rgb::Rgb565BigEndian => "the same, big-endian",
            Rgb::Rgbx32 => "R G B x",
            Rgb::Bgrx32 => "B G R x",
            Rgb::Xrgb32 => "x R G B",
            Rgb::Xbgr32 => "x B G R",
        }
        .into(),
        PixelFormat::Bayer(order, SamplePacking::Unpacked(depth)) => {
            format!("Bayer {}, {} bits", format!("{order:?}").to_uppercase(), depth.bits())
        }
        PixelFormat::Bayer(order, SamplePacking::Packed10) => {
            format!("Bayer {}, 10 bits, packed", format!("{order:?}").to_uppercase())
        }
    }
}

fn assert_document(document: &str) {
    if std::env::var_os("LANCAM_BLESS").is_some() {
        std::fs::write(path_of_the_page(), document).expect("docs/FORMATS.md is writable");
    }
    assert_eq!(page(), document, "LANCAM_BLESS=1 writes docs/FORMATS.md anew");
}
