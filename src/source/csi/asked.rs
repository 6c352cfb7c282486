//! What lancam asks of a ribbon camera, and the options of rpicam-vid for that.

use super::raw::Rows;
use super::settings::CsiSetting;
use super::{CsiFormat, CsiWish, child};
use crate::image::frame::FrameLayout;
use crate::image::orientation::{Mirror, Orientation, Rotation};
use crate::image::pixels::{Chroma, ChromaOrder, Colour, PixelFormat, Size};
use crate::rate::Rate;
use crate::source::{CaptureWish, jpeg_layout};
use std::fmt;
use std::time::Duration;

/// All that lancam asks of rpicam-vid, except the settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Which of the ribbon cameras, from 0.
    pub(super) camera: u8,
    pub(super) size: Size,
    pub(super) rate: Rate,
    pub(super) codec: Codec,
    /// How the board's hardware lays the rows of bare samples.
    pub(super) rows: Rows,
    /// What the camera does to the picture, and what lancam has to do after that.
    turned: Orientation,
    left: Orientation,
    /// The quality of the camera's JPEGs.
    quality: u8,
}

/// How frames come through the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Bare samples. lancam encodes each rendition from them.
    Yuv420,
    /// JPEGs. rpicam-vid makes them, on up to four cores.
    Mjpeg,
}

/// What lancam asks for when nobody says anything.
const SIZE: Size = Size::new(1280, 720);
const RATE: Rate = Rate(30_000);

impl Asked {
    /// What fits these wishes on this `board` (`Raspberry Pi 4 Model B Rev 1.4`, or empty where the kernel does not name it),
    /// and the reason.
    pub(super) fn of(camera: u8, wish: &CaptureWish, csi: &CsiWish, board: &str) -> (Self, String) {
        let wished = wish.size.unwrap_or(SIZE);
        let rate = wish.rate.unwrap_or(RATE);
        let rows = rows(board);
        let (codec, mut why) = decided(csi.format, wish.format, board, wished, rate);
        let mut size = wished;
        if codec == Codec::Yuv420 && !rows.are_whole(wished) {
            // This happens only where --csi-format names yuv420.
            size = rows.rounded(wished);
            why += &format!(
                ". yuv420 needs a width that is a multiple of {} and an even height, so lancam does not ask for {wished}",
                rows.alignment
            );
        }
        let (turned, left) = match wish.orientation.rotation {
            Rotation::None | Rotation::Half => (wish.orientation, Orientation::UPRIGHT),
            // No sensor can turn rows into columns.
            Rotation::Quarter | Rotation::ThreeQuarters => (Orientation::UPRIGHT, wish.orientation),
        };
        let asked = Self { camera, size, rate, codec, rows, turned, left, quality: csi.quality };
        (asked, why)
    }

    /// The arguments of rpicam-vid (rpicam-apps `options.cpp`, `video_options.hpp`).
    pub(super) fn arguments(&self, settings: &[CsiSetting], times: Times) -> Vec<String> {
        let Self { camera, size, rate, quality, .. } = self;
        let mut arguments =
            ["--nopreview", "--flush", "--timeout=0", "--output=-"].map(String::from).to_vec();
        let mut add = |argument: String| arguments.push(argument);
        add(format!("--camera={camera}"));
        add(format!("--width={}", size.width));
        add(format!("--height={}", size.height));
        add(format!("--framerate={rate}"));
        match self.codec {
            Codec::Yuv420 => add("--codec=yuv420".into()),
            Codec::Mjpeg => {
                add("--codec=mjpeg".into());
                add(format!("--quality={quality}"));
            }
        }
        match (self.turned.mirror, self.turned.rotation) {
            (Mirror::None, Rotation::Half) => add("--rotation=180".into()),
            (Mirror::LeftRight, Rotation::Half) => add("--vflip".into()),
            (Mirror::LeftRight, _) => add("--hflip".into()),
            (Mirror::None, _) => {}
        }
        if times == Times::Told {
            // rpicam-vid flushes each line of text, but not of JSON.
            add(format!("--metadata={}", child::TIMES));
            add("--metadata-format=txt".into());
        }
        settings.iter().for_each(|setting| add(setting.argument()));
        arguments
    }

    /// The layout of its frames, as far as is known before the first one.
    pub(super) fn layout(&self) -> FrameLayout {
        let interval = Some(self.interval());
        let layout = match self.codec {
            Codec::Mjpeg => jpeg_layout(self.size, interval),
            Codec::Yuv420 => {
                let format = PixelFormat::Planar(Chroma::Yuv420, ChromaOrder::CbCr);
                // libcamera-apps asks for sYCC since 1.0, for both codecs (`get_colourspace_flags`).
                let layout = FrameLayout::new(format, self.size, self.size.width, Colour::JPEG);
                FrameLayout { interval, ..layout }
            }
        };
        FrameLayout { orientation: self.left, ..layout }
    }

    /// The time between frames.
    pub(super) fn interval(&self) -> Duration {
        self.rate.interval().unwrap_or(Duration::MAX)
    }
}

/// `yuv420 of 1280x720 at 30 fps`
impl fmt::Display for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codec = match self.codec {
            Codec::Yuv420 => "yuv420",
            Codec::Mjpeg => "mjpeg",
        };
        write!(out, "{codec} of {} at {} fps", self.size, self.rate)
    }
}

/// Whether the child is to tell when frames were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    Told,
    NotTold,
}

/// Bare samples where this board can encode so many of them, and JPEGs where it cannot. And the reason.
fn decided(
    named: CsiFormat,
    format: Option<PixelFormat>,
    board: &str,
    size: Size,
    rate: Rate,
) -> (Codec, String) {
    let decision = |codec, why: &str| (codec, why.to_owned());
    let by_itself = |codec, why: &str| (codec, format!("{why}; --csi-format overrules that"));
    match (named, format) {
        (CsiFormat::Yuv420, _) => return decision(Codec::Yuv420, "as --csi-format says"),
        (CsiFormat::Mjpeg, _) => return decision(Codec::Mjpeg, "as --csi-format says"),
        (_, Some(PixelFormat::Jpeg)) => return decision(Codec::Mjpeg, "as --format says"),
        _ => {}
    }
    let rows = rows(board);
    if !rows.are_whole(size) {
        let why = format!(
            "since yuv420 needs a width that is a multiple of {} and an even height here",
            rows.alignment
        );
        return by_itself(Codec::Mjpeg, &why);
    }
    #[expect(clippy::cast_precision_loss, reason = "a picture has fewer than 2^52 pixels")]
    let pixels = size.area() as f64 * rate.fps();
    let board_name = if board.is_empty() { "this machine" } else { board };
    match most_pixels(board) {
        Some(most) if pixels > most => {
            let why = format!("since {board_name} is too slow to make JPEGs of that on one core");
            by_itself(Codec::Mjpeg, &why)
        }
        _ => by_itself(Codec::Yuv420, &format!("since {board_name} can make JPEGs of that")),
    }
}

/// How many pixels a second a board encodes with half a core. `None`: as many as any camera has.
/// A JPEG costs 26 ns a pixel on a Cortex-A53 at 1 GHz, 18 ns at 1.4 GHz, and 10 ns on a Cortex-A72 at 1.5 GHz.
fn most_pixels(board: &str) -> Option<f64> {
    if is_one_of(board, &["Pi Zero", "Pi 1", "Pi 2", "Pi Model", "Compute Module Rev"]) {
        return Some(0.0);
    }
    is_one_of(board, &["Pi 3", "Compute Module 3"]).then_some(15e6)
}

/// How the hardware of this board lays rows. The Pi 5, the Pi 500 and the Compute Module 5 have a PiSP.
fn rows(board: &str) -> Rows {
    if is_one_of(board, &["Pi 5", "Compute Module 5"]) { Rows::PISP } else { Rows::VIDEOCORE }
}

fn is_one_of(board: &str, names: &[&str]) -> bool {
    names.iter().any(|name| board.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(wish: &CaptureWish, csi: &CsiWish, board: &str) -> (Asked, String) {
        Asked::of(1, wish, csi, board)
    }

    #[test]
    fn small_boards_are_sent_jpegs_and_large_ones_bare_samples() {
        for (board, size, codec) in [
            ("Raspberry Pi 5 Model B Rev 1.0", Size::new(1920, 1080), Codec::Yuv420),
            ("Raspberry Pi 4 Model B Rev 1.4", Size::new(1280, 720), Codec::Yuv420),
            ("Raspberry Pi 3 Model B Plus Rev 1.3", Size::new(640, 480), Codec::Yuv420),
            ("Raspberry Pi 3 Model B Plus Rev 1.3", Size::new(1280, 720), Codec::Mjpeg),
            ("Raspberry Pi Zero 2 W Rev 1.0", Size::new(640, 480), Codec::Mjpeg),
            ("Raspberry Pi Zero W Rev 1.1", Size::new(320, 240), Codec::Mjpeg),
            ("Raspberry Pi Compute Module 4 Rev 1.0", Size::new(1280, 720), Codec::Yuv420),
            ("Raspberry Pi Compute Module 3 Plus Rev 1.0", Size::new(1280, 720), Codec::Mjpeg),
            ("Raspberry Pi 4 Model B Rev 1.4", Size::new(320, 240), Codec::Yuv420),
            ("Raspberry Pi 400 Rev 1.0", Size::new(960, 540), Codec::Yuv420),
            ("Raspberry Pi 5 Model B Rev 1.0", Size::new(320, 240), Codec::Mjpeg),
            ("Raspberry Pi 500 Rev 1.0", Size::new(960, 540), Codec::Mjpeg),
            ("Raspberry Pi Compute Module 5 Rev 1.0", Size::new(1600, 1200), Codec::Mjpeg),
            ("Raspberry Pi Compute Module 5 Rev 1.0", Size::new(640, 480), Codec::Yuv420),
            ("", Size::new(1280, 720), Codec::Yuv420),
            ("", Size::new(1000, 750), Codec::Mjpeg),
        ] {
            let wish = CaptureWish { size: Some(size), ..CaptureWish::default() };
            let (asked, why) = asked(&wish, &CsiWish::default(), board);
            assert_eq!(asked.codec, codec, "{board} {size}: {why}");
            assert_eq!(asked.size, size);
        }
    }

    #[test]
    fn the_format_that_is_named_is_taken_and_its_width_rounded_where_it_must_be() {
        let wish = CaptureWish { size: Some(Size::new(1000, 751)), ..CaptureWish::default() };
        let raw = CsiWish { format: CsiFormat::Yuv420, ..CsiWish::default() };
        let (asked, why) = asked(&wish, &raw, "Raspberry Pi Zero 2 W Rev 1.0");
        assert!(why.starts_with("as --csi-format says. ") && why.contains("1000x751"), "{why}");
        assert_eq!((asked.codec, asked.size), (Codec::Yuv420, Size::new(960, 750)));
        let layout = asked.layout();
        assert_eq!(layout.frame_len(), Some(960 * 750 * 3 / 2));
        let (asked, why) = Asked::of(0, &wish, &raw, "Raspberry Pi 5 Model B Rev 1.0");
        assert!(why.contains("a multiple of 128"), "{why}");
        assert_eq!(asked.size, Size::new(896, 750));
    }

    #[test]
    fn arguments_say_it_in_the_options_of_rpicam_vid() {
        let csi = CsiWish { quality: 70, format: CsiFormat::Mjpeg, ..CsiWish::default() };
        let settings = [CsiSetting::parse("ev=-1").expect("is one")];
        let turned = |orientation| {
            let wish =
                CaptureWish { orientation, rate: Some(Rate(12_500)), ..CaptureWish::default() };
            let (asked, _) = asked(&wish, &csi, "");
            (asked.arguments(&settings, Times::NotTold), asked.layout().orientation)
        };
        let upright = [
            "--nopreview",
            "--flush",
            "--timeout=0",
            "--output=-",
            "--camera=1",
            "--width=1280",
            "--height=720",
            "--framerate=12.5",
            "--codec=mjpeg",
            "--quality=70",
        ];
        let with = |more: &[&'static str]| [&upright[..], more, &["--ev=-1"]].concat();
        for (orientation, more, left) in [
            (Orientation::UPRIGHT, &[][..], Orientation::UPRIGHT),
            (Orientation::turned(Rotation::Half), &["--rotation=180"][..], Orientation::UPRIGHT),
            (Orientation::FLIPPED_LEFT_RIGHT, &["--hflip"][..], Orientation::UPRIGHT),
            (Orientation::FLIPPED_TOP_BOTTOM, &["--vflip"][..], Orientation::UPRIGHT),
            (
                Orientation::turned(Rotation::Quarter),
                &[][..],
                Orientation::turned(Rotation::Quarter),
            ),
        ] {
            let (arguments, rest) = turned(orientation);
            assert_eq!(arguments, with(more), "{orientation}");
            assert_eq!(rest, left, "{orientation}");
        }
        let (asked, _) = asked(&CaptureWish::default(), &CsiWish::default(), "");
        let arguments = asked.arguments(&[], Times::Told);
        assert!(arguments.ends_with(&[
            "--codec=yuv420".into(),
            "--metadata=/dev/fd/0".into(),
            "--metadata-format=txt".into()
        ]));
    }
}
