//! Checks whether the bytes of a buffer are a whole frame.

use crate::image::frame::FrameLayout;
use crate::image::jpeg::gate::{DriverSays, Gate};
use crate::image::jpeg::repair::{Damage, Findings};
use crate::image::pixels::PixelFormat;
use std::fmt;

/// What was found in a usable frame.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are two at most, and they lie on the stack")]
pub(super) enum Found {
    Jpeg(Findings),
    Raw,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged,
    Empty,
    Short,
    Long,
    Jpeg(Damage),
}

/// Checks whether `bytes` are a whole frame. Returns what was found in them.
pub(super) fn usable(
    bytes: &[u8],
    is_damaged: bool,
    layout: &FrameLayout,
    gate: &mut Gate,
) -> Result<Found, Fault> {
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    match layout.format {
        PixelFormat::Jpeg => {
            let driver = if is_damaged { DriverSays::Damaged } else { DriverSays::Whole };
            let picture = gate.judge(bytes, driver).map_err(Fault::Jpeg)?;
            Ok(Found::Jpeg(picture.findings()))
        }
        _ if is_damaged => Err(Fault::Damaged),
        _ if layout.frame_len().is_some_and(|least| bytes.len() < least) => Err(Fault::Short),
        _ => Ok(Found::Raw),
    }
}

/// Follows "a frame ".
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => out.write_str("was marked as damaged by the driver"),
            Self::Empty => out.write_str("was empty"),
            Self::Short => out.write_str("was too short for its size"),
            Self::Long => out.write_str("was said to be longer than its buffer"),
            Self::Jpeg(damage) => damage.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::image::pixels::{Colour, Size};

    fn layout(format: PixelFormat) -> FrameLayout {
        let size = Size::new(4, 2);
        FrameLayout::new(format, size, 12, Colour::CAMERA)
    }

    fn usable(bytes: &[u8], is_damaged: bool, layout: &FrameLayout) -> Result<usize, Fault> {
        super::usable(bytes, is_damaged, layout, &mut Gate::default()).map(|found| match found {
            Found::Jpeg(found) => found.in_bytes(bytes).span().len(),
            Found::Raw => bytes.len(),
        })
    }

    #[test]
    fn a_raw_frame_is_whole_when_its_last_row_is() {
        let yuyv = layout(PixelFormat::YUYV);
        assert_eq!(usable(&[0; 20], false, &yuyv), Ok(20), "the last row needs no padding");
        assert_eq!(usable(&[0; 24], false, &yuyv), Ok(24));
        assert_eq!(usable(&[0; 19], false, &yuyv), Err(Fault::Short));
        assert_eq!(usable(&[], false, &yuyv), Err(Fault::Empty));
        assert_eq!(usable(&[0; 24], true, &yuyv), Err(Fault::Damaged));
    }

    #[test]
    fn a_jpeg_frame_is_its_picture_and_one_marked_as_damaged_is_used_when_it_has_both_ends() {
        let quantization = [&[0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
        let frame = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x3F, 0xFF, 0xD9];
        let picture = [&quantization[..], &frame, &scan].concat();
        let padded = [&picture[..], &[0; 7]].concat();
        let jpeg = layout(PixelFormat::Jpeg);
        assert_eq!(usable(&picture, false, &jpeg), Ok(picture.len()));
        assert_eq!(usable(&padded, false, &jpeg), Ok(picture.len()));
        assert_eq!(usable(&padded, true, &jpeg), Ok(picture.len()));
        let cut = &picture[..picture.len() - 2];
        assert_eq!(usable(cut, true, &jpeg), Err(Fault::Jpeg(Damage::Cut)));
        assert_eq!(usable(&[0; 64], false, &jpeg), Err(Fault::Jpeg(Damage::NoStart)));
        assert_eq!(usable(&[], true, &jpeg), Err(Fault::Empty));
    }
}
