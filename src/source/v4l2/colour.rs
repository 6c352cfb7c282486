//! Derives the meaning of a driver's code values from the three fields in which V4L2 describes it.
//!
//! A field of 0 stands for a default, which macros in `linux/videodev2.h` and tables in the
//! kernel's documentation define ("Colorspaces", "Detailed Colorspace Descriptions").

use super::ioctl::DriverFormat;
use crate::image::pixels::{Colour, Matrix, PixelFormat, Range};
use v4l::v4l_sys::{
    v4l2_colorspace_V4L2_COLORSPACE_BT2020 as COLORSPACE_BT2020,
    v4l2_colorspace_V4L2_COLORSPACE_DCI_P3 as COLORSPACE_DCI_P3,
    v4l2_colorspace_V4L2_COLORSPACE_JPEG as COLORSPACE_JPEG,
    v4l2_colorspace_V4L2_COLORSPACE_REC709 as COLORSPACE_REC709,
    v4l2_colorspace_V4L2_COLORSPACE_SMPTE240M as COLORSPACE_SMPTE240M,
    v4l2_quantization_V4L2_QUANTIZATION_FULL_RANGE as FULL_RANGE,
    v4l2_quantization_V4L2_QUANTIZATION_LIM_RANGE as LIMITED_RANGE,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_601 as ENC_601,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_709 as ENC_709,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_BT2020 as ENC_BT2020,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_BT2020_CONST_LUM as ENC_BT2020_CONST_LUM,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_SMPTE240M as ENC_SMPTE240M,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_SYCC as ENC_SYCC,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_XV601 as ENC_XV601,
    v4l2_ycbcr_encoding_V4L2_YCBCR_ENC_XV709 as ENC_XV709,
};

/// What the code values of `format` mean, if the driver granted `driver`.
pub(super) fn colour(format: PixelFormat, driver: &DriverFormat) -> Colour {
    match format {
        // Ignore the driver: decoders follow JFIF.
        PixelFormat::Jpeg => Colour::JPEG,
        // The macro says limited range, but no program follows it. Cameras without colour use every
        // code value, and GStreamer and FFmpeg take grey as full range. The kernel's own test
        // driver draws full range even when it says limited.
        PixelFormat::Grey(_) => Colour { matrix: Matrix::Bt601, range: Range::Full },
        // V4L2_MAP_QUANTIZATION_DEFAULT(true, …), as Bayer holds R'G'B' too. Drivers that send
        // limited range, as HDMI grabbers may, say so.
        PixelFormat::Rgb(_) | PixelFormat::Bayer(..) => {
            Colour { matrix: Matrix::Bt601, range: range(driver, Range::Full) }
        }
        PixelFormat::Packed(_) | PixelFormat::SemiPlanar(..) | PixelFormat::Planar(..) => {
            ycbcr(driver)
        }
    }
}

fn ycbcr(driver: &DriverFormat) -> Colour {
    let (matrix, only_range) = match encoding(driver) {
        ENC_709 => (Matrix::Bt709, None),
        // xvYCC has colours beyond R'G'B' outside of limited range, and no other form.
        ENC_XV601 => (Matrix::Bt601, Some(Range::Limited)),
        ENC_XV709 => (Matrix::Bt709, Some(Range::Limited)),
        ENC_BT2020 | ENC_BT2020_CONST_LUM => (Matrix::Bt2020, None),
        ENC_SMPTE240M => (Matrix::Bt709, None),
        // ENC_601; ENC_SYCC, which is the same matrix; and encodings newer than this program.
        _ => (Matrix::Bt601, None),
    };
    // V4L2_MAP_QUANTIZATION_DEFAULT(false, colorspace, encoding)
    let unsaid = if driver.colorspace == COLORSPACE_JPEG { Range::Full } else { Range::Limited };
    Colour { matrix, range: only_range.unwrap_or_else(|| range(driver, unsaid)) }
}

/// The range that the driver states, or `unsaid` if it states none.
fn range(driver: &DriverFormat, unsaid: Range) -> Range {
    match driver.quantization {
        FULL_RANGE => Range::Full,
        LIMITED_RANGE => Range::Limited,
        _ => unsaid,
    }
}

/// V4L2_MAP_YCBCR_ENC_DEFAULT, if the driver leaves the encoding to the colour space.
fn encoding(driver: &DriverFormat) -> u32 {
    match (driver.ycbcr_encoding, driver.colorspace) {
        (0, COLORSPACE_REC709 | COLORSPACE_DCI_P3) => ENC_709,
        (0, COLORSPACE_BT2020) => ENC_BT2020,
        (0, COLORSPACE_SMPTE240M) => ENC_SMPTE240M,
        (0, _) => ENC_601,
        (said, _) => said,
    }
}

/// What is converted with slightly wrong colours, for the log; `None` if nothing is.
pub(super) fn approximated(format: PixelFormat, driver: &DriverFormat) -> Option<&'static str> {
    if !matches!(
        format,
        PixelFormat::Packed(_) | PixelFormat::SemiPlanar(..) | PixelFormat::Planar(..)
    ) {
        return None;
    }
    match encoding(driver) {
        ENC_SMPTE240M => Some("SMPTE 240M as BT.709"),
        ENC_BT2020_CONST_LUM => Some("BT.2020 of constant luminance as BT.2020"),
        ENC_601..=ENC_BT2020 => None,
        _ => Some("an encoding younger than this program as BT.601"),
    }
}

// The range pattern above relies on this.
const _: () = assert!(ENC_601 == 1 && ENC_SYCC == 5 && ENC_BT2020 == 6);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::{BayerOrder, FourCc, Rgb, SampleDepth, SamplePacking};

    const YUYV: PixelFormat = PixelFormat::YUYV;
    const RGB3: PixelFormat = PixelFormat::Rgb(Rgb::Rgb24);
    const GREY: PixelFormat = PixelFormat::Grey(SampleDepth::Bits8);
    const BAYER: PixelFormat =
        PixelFormat::Bayer(BayerOrder::Rggb, SamplePacking::Unpacked(SampleDepth::Bits8));

    fn driver(colorspace: u32, ycbcr_encoding: u32, quantization: u32) -> DriverFormat {
        DriverFormat {
            fourcc: FourCc(*b"????"),
            width: 64,
            height: 64,
            stride: 0,
            buffer_len: 0,
            field: 1,
            colorspace,
            ycbcr_encoding,
            quantization,
            planes: 1,
        }
    }

    /// Colour spaces have their numbers in `enum v4l2_colorspace`, encodings those in `enum
    /// v4l2_ycbcr_encoding`. The comments there say what 0 maps to.
    #[test]
    fn a_matrix_is_what_the_driver_says_or_what_the_kernel_maps_silence_to() {
        use Matrix::{Bt601, Bt709, Bt2020};
        for (name, colorspace, encoding, expected) in [
            ("DEFAULT", 0, 0, Bt601),
            ("SMPTE170M", 1, 0, Bt601),
            ("SMPTE240M", 2, 0, Bt709),
            ("REC709", 3, 0, Bt709),
            ("470_SYSTEM_M", 5, 0, Bt601),
            ("470_SYSTEM_BG", 6, 0, Bt601),
            ("JPEG", 7, 0, Bt601),
            ("SRGB", 8, 0, Bt601),
            ("OPRGB", 9, 0, Bt601),
            ("BT2020", 10, 0, Bt2020),
            ("RAW", 11, 0, Bt601),
            ("DCI_P3", 12, 0, Bt709),
            ("one from the future", 77, 0, Bt601),
            ("REC709, 601", 3, 1, Bt601),
            ("SRGB, 709", 8, 2, Bt709),
            ("SRGB, XV601", 8, 3, Bt601),
            ("SRGB, XV709", 8, 4, Bt709),
            ("REC709, SYCC", 3, 5, Bt601),
            ("SRGB, BT2020", 8, 6, Bt2020),
            ("BT2020, BT2020_CONST_LUM", 10, 7, Bt2020),
            ("SRGB, SMPTE240M", 8, 8, Bt709),
            ("SRGB, one from the future", 8, 77, Bt601),
        ] {
            let colour = colour(YUYV, &driver(colorspace, encoding, 0));
            assert_eq!(colour.matrix, expected, "{name}");
        }
    }

    /// Quantizations have their numbers in `enum v4l2_quantization`: 1 full, 2 limited.
    #[test]
    fn a_range_is_what_the_driver_says_or_what_silence_means() {
        use Range::{Full, Limited};
        for (format, colorspace, encoding, quantization, expected) in [
            (YUYV, 8, 0, 0, Limited),
            (YUYV, 3, 0, 0, Limited),
            (YUYV, 10, 0, 0, Limited),
            (YUYV, 7, 0, 0, Full),
            (YUYV, 8, 0, 1, Full),
            (YUYV, 7, 0, 2, Limited),
            (YUYV, 8, 0, 77, Limited),
            // xvYCC has limited range only (kernel, "V4L2_YCBCR_ENC_XV601").
            (YUYV, 3, 4, 1, Limited),
            (YUYV, 7, 3, 0, Limited),
            (RGB3, 8, 0, 0, Full),
            (RGB3, 10, 0, 0, Full),
            (RGB3, 8, 0, 2, Limited),
            (RGB3, 3, 4, 1, Full),
            (BAYER, 11, 0, 0, Full),
            (GREY, 8, 0, 0, Full),
            (GREY, 8, 0, 2, Full),
            (PixelFormat::Jpeg, 8, 2, 2, Full),
        ] {
            let driver = driver(colorspace, encoding, quantization);
            assert_eq!(colour(format, &driver).range, expected, "{format}: {driver:?}");
        }
    }

    #[test]
    fn colours_that_are_only_nearly_right_are_told() {
        assert_eq!(approximated(YUYV, &driver(8, 0, 0)), None);
        assert_eq!(approximated(YUYV, &driver(8, 5, 0)), None);
        assert_eq!(approximated(YUYV, &driver(2, 0, 0)), Some("SMPTE 240M as BT.709"));
        assert_eq!(approximated(RGB3, &driver(2, 0, 0)), None);
        assert!(approximated(YUYV, &driver(8, 9, 0)).is_some());
    }
}
