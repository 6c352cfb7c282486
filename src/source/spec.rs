//! Parses the source that `--source` names.

use super::path::{self, PathKind};
use crate::image::pixels::Size;
use crate::plain::printable;
use crate::rate::Rate;
use crate::wording::{TYPE, must_be, shell_word};
use std::fmt;
use std::path::PathBuf;

/// The source that `--source` names.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceSpec {
    /// A USB camera first, then any other node that gives pictures by itself, then a ribbon camera.
    Auto,
    /// A device node or a link to one. If the path is a file or a pipe, that is used.
    Device(PathBuf),
    /// A ribbon camera by its number, from 0.
    Csi(u8),
    /// The moving test pattern.
    Test {
        /// Its size.
        size: Size,
        /// Its frame rate.
        rate: Rate,
    },
    /// A file of concatenated JPEGs, played in a loop. If the path is a pipe or a camera's node,
    /// that is used.
    Clip(PathBuf),
    /// Concatenated JPEGs on standard input.
    StandardInput,
}

impl SourceSpec {
    /// What a source must be.
    pub const EXPECTED: &str = "auto, a camera such as /dev/video0, a file of JPEGs, test or -";

    /// The size and the rate of `test` without either.
    const TEST_SIZE: Size = Size::new(1280, 720);
    pub(super) const TEST_RATE: Rate = Rate(30_000);

    /// Parses `auto`, `csi[:N]`, `test[:WxH[@FPS]]`, `-`, a device's path or number, or a file's
    /// path.
    ///
    /// # Errors
    /// A sentence that says what to do instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err(must_be("a source", Self::EXPECTED, text)),
            "auto" => Ok(Self::Auto),
            "csi" => Ok(Self::Csi(0)),
            "-" | "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => Ok(Self::StandardInput),
            "test" => Ok(Self::Test { size: Self::TEST_SIZE, rate: Self::TEST_RATE }),
            _ if text.starts_with("csi:") => Self::parse_csi(text),
            _ if text.contains("://") => Err(Self::no_network(text)),
            _ => match text.strip_prefix("test:") {
                Some(pattern) => Self::parse_test(pattern),
                None if text.starts_with("/dev/") => Ok(Self::Device(text.into())),
                // OpenCV and ffmpeg number cameras like this: 0, video0.
                None => match text.strip_prefix("video").unwrap_or(text).parse::<u8>() {
                    Ok(number) => Ok(Self::Device(format!("/dev/video{number}").into())),
                    Err(_) => Ok(Self::Clip(text.into())),
                },
            },
        }
    }

    fn parse_csi(text: &str) -> Result<Self, String> {
        let camera = text.strip_prefix("csi:").and_then(|number| number.parse().ok());
        let camera = camera.filter(|camera| (0..=9).contains(camera));
        let wrong =
            || format!("{text} is not a ribbon camera: csi is the first one, csi:1 the second");
        camera.map(Self::Csi).ok_or_else(wrong)
    }

    /// The message about a network address.
    fn no_network(text: &str) -> String {
        match text.split_once("://") {
            Some(("file", path)) => format!("a file is named by its path: {}", printable(path)),
            _ => format!(
                "lancam reads cameras and files, not network streams. Another program can fetch this one. {TYPE}\
                 ffmpeg -i {} -c:v mjpeg -q:v 4 -f mjpeg - | lancam --source -",
                shell_word(text)
            ),
        }
    }

    /// Whether this may be a camera.
    pub(super) fn may_be_a_camera(&self) -> bool {
        match self {
            Self::Auto => true,
            Self::Csi(_) => false,
            Self::Device(path) | Self::Clip(path) => match path::look(path) {
                Ok(PathKind::Camera) => true,
                Ok(PathKind::Nothing) => matches!(self, Self::Device(_)),
                _ => false,
            },
            Self::Test { .. } | Self::StandardInput => false,
        }
    }

    fn parse_test(text: &str) -> Result<Self, String> {
        let (size, rate) = text.split_once('@').unwrap_or((text, ""));
        let Some(size) = Size::parse(size).filter(|size| size.fits_a_jpeg()) else {
            return Err(format!(
                "{}. {TYPE}lancam --source test:1280x720",
                must_be("the size of the test pattern", Size::EXPECTED, size)
            ));
        };
        match (rate, parse_rate(rate)) {
            ("", _) => Ok(Self::Test { size, rate: Self::TEST_RATE }),
            (_, Some(rate)) => Ok(Self::Test { size, rate }),
            (_, None) => Err(format!(
                "{}. {TYPE}lancam --source test:{size}@30",
                must_be("the rate of the test pattern", "0.01 to 1000 frames per second", rate)
            )),
        }
    }
}

/// The slowest rate that a source may be asked for.
pub(super) const SLOWEST_RATE: Rate = Rate(10);

/// Parses a rate that a source may be asked for: the slowest one to 1000 frames per second.
pub fn parse_rate(text: &str) -> Option<Rate> {
    Rate::parse(text, SLOWEST_RATE.fps()..=1000.0)
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => out.write_str("auto"),
            Self::Csi(0) => out.write_str("csi"),
            Self::Csi(camera) => write!(out, "csi:{camera}"),
            Self::Device(path) | Self::Clip(path) => path.display().fmt(out),
            Self::Test { size, rate } => write!(out, "test:{size}@{rate}"),
            Self::StandardInput => out.write_str("standard input"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart_by_how_they_are_written() {
        let test = |width, height, rate| {
            Ok(SourceSpec::Test { size: Size::new(width, height), rate: Rate(rate) })
        };
        assert_eq!(SourceSpec::parse("auto"), Ok(SourceSpec::Auto));
        assert_eq!(SourceSpec::parse("csi"), Ok(SourceSpec::Csi(0)));
        assert_eq!(SourceSpec::parse("csi:1"), Ok(SourceSpec::Csi(1)));
        assert!(SourceSpec::parse("csi:x").expect_err("no number").contains("csi:1 the second"));
        assert_eq!(SourceSpec::parse("-"), Ok(SourceSpec::StandardInput));
        assert_eq!(SourceSpec::parse("test"), test(1280, 720, 30_000));
        assert_eq!(SourceSpec::parse("test:320x180"), test(320, 180, 30_000));
        assert_eq!(SourceSpec::parse("test:320x180@12.5"), test(320, 180, 12_500));
        assert_eq!(SourceSpec::parse("/dev/video0"), Ok(SourceSpec::Device("/dev/video0".into())));
        assert_eq!(SourceSpec::parse("clip.mjpeg"), Ok(SourceSpec::Clip("clip.mjpeg".into())));
        assert_eq!(SourceSpec::parse("1"), Ok(SourceSpec::Device("/dev/video1".into())));
        assert_eq!(SourceSpec::parse("video12"), Ok(SourceSpec::Device("/dev/video12".into())));
        assert_eq!(SourceSpec::parse("/dev/stdin"), Ok(SourceSpec::StandardInput));
    }

    #[test]
    fn an_address_on_the_network_is_refused_with_a_way_to_watch_it() {
        for address in ["rtsp://host/stream", "http://host:8080/?action=stream", "https://h/x"] {
            let error = SourceSpec::parse(address).expect_err(address);
            assert!(error.contains("not network streams") && error.contains(address), "{error}");
        }
        // The shell takes it in one piece, and all of it.
        let address = format!("rtsp://h/{}?user=a&pw=b", "x".repeat(200));
        let error = SourceSpec::parse(&address).expect_err("an address");
        assert!(error.contains(&format!("ffmpeg -i '{address}' -c:v")), "{error}");
        let error = SourceSpec::parse("file:///home/clip.mjpeg").expect_err("a path is meant");
        assert!(error.ends_with("by its path: /home/clip.mjpeg"), "{error}");
    }

    #[test]
    fn a_pattern_that_cannot_be_is_refused_with_one_that_can() {
        for text in [
            "test:",
            "test:0x1",
            "test:1x100000",
            "test:9x9@0",
            "test:9x9@x",
            "test:60000x60000",
            "test:1x65535",
            "",
        ] {
            let error = SourceSpec::parse(text).expect_err(text);
            assert!(error.contains("test"), "{error}");
        }
    }
}
