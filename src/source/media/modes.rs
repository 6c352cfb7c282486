//! Reads what `rpicam-vid --list-cameras` prints: the modes of each ribbon camera.

use crate::image::pixels::Size;
use crate::json::Object;
use crate::plain::printable;
use crate::rate::Rate;
use std::fmt::{self, Write};

/// A camera and its modes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::source) struct CameraModes {
    /// Its number, which `--camera` takes.
    pub(super) number: usize,
    /// Its place in the device tree: `/base/soc/i2c0mux/i2c@1/imx219@10`.
    pub(super) id: String,
    pub(super) modes: Vec<Mode>,
}

/// A mode of a sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mode {
    /// As libcamera calls it: `SRGGB10_CSI2P`.
    format: String,
    size: Size,
    /// The highest rate, if it is told.
    fps: Option<Rate>,
}

/// No Pi has more cameras, and no sensor has more modes.
const MOST_CAMERAS: usize = 8;
const MOST_MODES: usize = 64;

impl CameraModes {
    /// Reads the list. What it does not understand, it leaves out.
    ///
    /// libcamera-apps on Bullseye printed sizes alone at first, with several in a line:
    /// ```text
    /// 0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)
    ///     Modes: 'SRGGB10_CSI2P' : 1332x990
    ///            'SRGGB12_CSI2P' : 2028x1080 2028x1520 4056x3040
    /// ```
    /// Later ones print a mode in each line, and since Bookworm the colours behind the size of the sensor:
    /// ```text
    /// 0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)
    ///     Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
    ///                              1640x1232 [41.85 fps - (0, 0)/3280x2464 crop]
    /// ```
    pub(in crate::source) fn parse(list: &str) -> Vec<Self> {
        let mut cameras: Vec<Self> = Vec::new();
        let mut format = String::new();
        for line in list.lines().map(str::trim) {
            if let Some(camera) = Self::begun_by(line) {
                if cameras.len() == MOST_CAMERAS {
                    break;
                }
                format.clear();
                cameras.push(camera);
                continue;
            }
            let Some(camera) = cameras.last_mut() else { continue };
            let mut rest = line.strip_prefix("Modes:").unwrap_or(line).trim_start();
            if let Some((name, sizes)) = format_in(rest) {
                format = printable(name);
                rest = sizes;
            }
            while let Some((mode, behind)) = Mode::read(&format, rest) {
                if camera.modes.len() < MOST_MODES && !format.is_empty() {
                    camera.modes.push(mode);
                }
                rest = behind;
            }
        }
        cameras
    }

    /// `0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)`
    fn begun_by(line: &str) -> Option<Self> {
        let (number, rest) = line.split_once(" : ")?;
        let number = number.parse().ok()?;
        let (_, id) = rest.strip_suffix(')')?.rsplit_once('(')?;
        Some(Self { number, id: printable(id), modes: Vec::new() })
    }

    /// An array of objects.
    pub(super) fn json(modes: &[Mode]) -> String {
        crate::json::array(modes, |Mode { format, size, fps }| {
            Object::new()
                .text("format", format)
                .json("width", size.width)
                .json("height", size.height)
                .or_null("fps", *fps)
                .end()
        })
    }
}

impl Mode {
    /// The mode at the start of `text`, and what stands behind it.
    fn read<'a>(format: &str, text: &'a str) -> Option<(Self, &'a str)> {
        let text = text.trim_start_matches([' ', ',']);
        let end = text.find([' ', ',']).unwrap_or(text.len());
        let (size, behind) = text.split_at(end);
        let size = Size::parse(size)?;
        let behind = behind.trim_start();
        let (fps, behind) = match facts_in(behind) {
            Some((facts, behind)) => (rate_in(facts), behind),
            None => (None, behind),
        };
        Some((Self { format: format.to_owned(), size, fps }, behind))
    }
}

/// The modes for people, below a camera: lines, each with its end.
pub(super) fn shown(modes: &[Mode]) -> impl fmt::Display {
    let mut text = String::new();
    let mut last = "";
    for Mode { format, size, fps } in modes {
        if format != last {
            // A String takes all.
            let _ = writeln!(text, "  {format}");
            last = format;
        }
        let _ = match fps {
            Some(fps) => writeln!(text, "    {size}  up to {fps} fps"),
            None => writeln!(text, "    {size}"),
        };
    }
    text
}

/// The same in one line for each format, without its end: `  SRGGB10_CSI2P 640x480 1640x1232`.
pub(super) fn brief(modes: &[Mode]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut last = "";
    for Mode { format, size, .. } in modes {
        match lines.last_mut().filter(|_| format == last) {
            Some(line) => *line += &format!(" {size}"),
            None => lines.push(format!("  {format} {size}")),
        }
        last = format;
    }
    lines
}

/// `'SRGGB10_CSI2P' : 640x480 …`: the name, and what stands behind the colon.
fn format_in(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('\'')?.split_once('\'')?;
    Some((name, rest.trim_start().strip_prefix(':')?))
}

/// `[206.65 fps - (1000, 752)/1280x960 crop]` or `(120.00 fps)`: what is in the brackets, and what stands behind them.
fn facts_in(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix(['[', '('])?;
    let end = if text.contains(']') { ']' } else { ')' };
    text.split_once(end)
}

/// `206.65 fps - …`; `nan fps` where libcamera knows no rate.
fn rate_in(facts: &str) -> Option<Rate> {
    let (number, _) = facts.split_once(" fps")?;
    Rate::parse(number, 0.001..=100_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(list: &str) -> Vec<String> {
        let cameras = CameraModes::parse(list);
        let camera = cameras.first().expect("a camera");
        let text = |mode: &Mode| {
            let Mode { format, size, fps } = mode;
            format!("{format} {size} {}", fps.map_or("-".into(), |fps| fps.to_string()))
        };
        camera.modes.iter().map(text).collect()
    }

    #[test]
    fn bullseye_lists_sizes_and_later_one_rate_for_each() {
        let first = "Available cameras\n-----------------\n\
            0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)\n\
            \x20   Modes: 'SRGGB10_CSI2P' : 1332x990 \n\
            \x20          'SRGGB12_CSI2P' : 2028x1080 2028x1520 4056x3040 \n";
        let expected = [
            "SRGGB10_CSI2P 1332x990 -",
            "SRGGB12_CSI2P 2028x1080 -",
            "SRGGB12_CSI2P 2028x1520 -",
            "SRGGB12_CSI2P 4056x3040 -",
        ];
        assert_eq!(modes(first), expected);
        let between = "0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)\n\
            \x20   Modes: 'SRGGB12_CSI2P' : 2028x1080 (50.00 fps), 2028x1520 (40.00 fps)\n";
        assert_eq!(modes(between), ["SRGGB12_CSI2P 2028x1080 50", "SRGGB12_CSI2P 2028x1520 40"]);
        let last = "0 : imx477 [4056x3040] (/base/soc/i2c0mux/i2c@1/imx477@1a)\n\
            \x20   Modes: 'SRGGB10_CSI2P' : 1332x990 [120.05 fps - (696, 528)/2664x1980 crop]\n\
            \x20          'SRGGB12_CSI2P' : 2028x1080 [50.03 fps - (0, 440)/4056x2160 crop]\n\
            \x20                            2028x1520 [40.01 fps - (0, 0)/4056x3040 crop]\n";
        let expected = [
            "SRGGB10_CSI2P 1332x990 120.05",
            "SRGGB12_CSI2P 2028x1080 50.03",
            "SRGGB12_CSI2P 2028x1520 40.01",
        ];
        assert_eq!(modes(last), expected);
    }

    #[test]
    fn bookworm_and_trixie_list_two_cameras_with_colours_and_without() {
        let list = "Available cameras\n-----------------\n\
            0 : imx708_wide [4608x2592 10-bit RGGB] (/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a)\n\
            \x20   Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]\n\
            \x20                            2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]\n\
            \x20                            4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]\n\
            \n\
            1 : ov9281 [1280x800 10-bit MONO] (/base/axi/pcie@1000120000/rp1/i2c@80000/ov9281@60)\n\
            \x20   Modes: 'R8' : 640x400 [309.79 fps - (0, 0)/1280x800 crop]\n\
            \x20          'R10_CSI2P' : 1280x800 [nan fps - (0, 0)/1280x800 crop]\n\n";
        let cameras = CameraModes::parse(list);
        assert_eq!(cameras.len(), 2);
        assert_eq!(cameras[0].id, "/base/axi/pcie@1000120000/rp1/i2c@88000/imx708@1a");
        assert_eq!(
            shown(&cameras[0].modes).to_string(),
            "  SRGGB10_CSI2P\n    1536x864  up to 120.13 fps\n    2304x1296  up to 56.03 fps\n    4608x2592  up to 14.35 fps\n"
        );
        assert_eq!(
            shown(&cameras[1].modes).to_string(),
            "  R8\n    640x400  up to 309.79 fps\n  R10_CSI2P\n    1280x800\n"
        );
        let short = ["  SRGGB10_CSI2P 1536x864 2304x1296 4608x2592"];
        assert_eq!(brief(&cameras[0].modes), short);
        assert_eq!(brief(&cameras[1].modes), ["  R8 640x400", "  R10_CSI2P 1280x800"]);
        assert_eq!((cameras[1].number, cameras[1].modes.len()), (1, 2));
        assert_eq!(
            CameraModes::json(&cameras[1].modes),
            concat!(
                r#"[{"format":"R8","width":640,"height":400,"fps":309.79},"#,
                r#"{"format":"R10_CSI2P","width":1280,"height":800,"fps":null}]"#
            )
        );
    }

    #[test]
    fn a_list_that_is_cut_or_something_else_gives_what_is_whole() {
        let list = "0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)\n\
            \x20   Modes: 'SRGGB10_CSI2P' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]\n";
        for end in 0..list.len() {
            for camera in CameraModes::parse(&list[..end]) {
                assert!(camera.modes.len() <= 1, "{end}: {camera:?}");
            }
        }
        for other in ["", "No cameras available!\n", "x : y\n0 : \n'' : 1x1\n", "640x480\n"] {
            assert_eq!(CameraModes::parse(other), [], "{other:?}");
        }
        let long = format!("0 : a (b)\nModes: 'S' : {}\n", "8x8 ".repeat(1000)).repeat(1000);
        let cameras = CameraModes::parse(&long);
        assert_eq!((cameras.len(), cameras[0].modes.len()), (MOST_CAMERAS, MOST_MODES));
    }
}
