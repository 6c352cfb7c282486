//! The pixel formats of frames, and their V4L2 codes.

use super::{Chroma, FourCc};
use std::fmt;

/// A pixel format of frames. V4L2's documents call them by the names of their macros. Byte orders
/// are those in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// One JPEG per frame, which V4L2 calls `MJPG` or `JPEG`.
    Jpeg,
    /// 4:2:2 in one plane: four bytes for two pixels.
    Packed(Packed),
    /// A Y plane, followed by one plane of alternate Cb and Cr with this subsampling.
    SemiPlanar(Chroma, ChromaOrder),
    /// A Y plane, followed by two chroma planes with this subsampling.
    Planar(Chroma, ChromaOrder),
    /// Luma only.
    Grey(SampleDepth),
    /// Red, green and blue of each pixel.
    Rgb(Rgb),
    /// The samples of a sensor behind its mosaic of colour filters: one colour for each pixel.
    Bayer(BayerOrder, SamplePacking),
}

/// The byte order of two pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packed {
    /// Y0 Cb Y1 Cr.
    Yuyv,
    /// Y0 Cr Y1 Cb.
    Yvyu,
    /// Cb Y0 Cr Y1.
    Uyvy,
    /// Cr Y0 Cb Y1.
    Vyuy,
}

/// Which chroma comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChromaOrder {
    /// Cb, then Cr.
    CbCr,
    /// Cr, then Cb.
    CrCb,
}

/// The bits of a grey sample, in one byte or in the low bits of a little-endian word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleDepth {
    /// One byte.
    Bits8,
    /// 10 of 16.
    Bits10,
    /// 12 of 16.
    Bits12,
    /// All 16.
    Bits16,
}

/// How the samples of a sensor are packed in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SamplePacking {
    /// Each in its own byte or word.
    Unpacked(SampleDepth),
    /// 10 bits each: five bytes for four samples, the fifth with the low bits of all four (MIPI
    /// CSI-2 RAW10).
    Packed10,
}

/// The bytes of a pixel in memory; `x` is unused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rgb {
    /// R G B.
    Rgb24,
    /// B G R.
    Bgr24,
    /// A little-endian word of 5 bits red, 6 green, 5 blue.
    Rgb565,
    /// The same as a big-endian word.
    Rgb565BigEndian,
    /// R G B x.
    Rgbx32,
    /// B G R x.
    Bgrx32,
    /// x R G B.
    Xrgb32,
    /// x B G R.
    Xbgr32,
}

/// The colours of the first two pixels of the first row, then of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the colours")]
pub enum BayerOrder {
    Rggb,
    Bggr,
    Gbrg,
    Grbg,
}

impl PixelFormat {
    /// The most common raw format of webcams.
    pub const YUYV: Self = Self::Packed(Packed::Yuyv);

    /// Every known code with its format, in the order of cost, cheapest to send first. If several
    /// codes mean one format, lancam asks for the first.
    pub const KNOWN: [(FourCc, Self); 52] = {
        use BayerOrder::{Bggr, Gbrg, Grbg, Rggb};
        use ChromaOrder::{CbCr, CrCb};
        use SampleDepth::{Bits8, Bits10, Bits12, Bits16};
        use SamplePacking::{Packed10, Unpacked};
        [
            (FourCc(*b"MJPG"), Self::Jpeg),
            // Drivers use either code for the same bytes.
            (FourCc(*b"JPEG"), Self::Jpeg),
            // Fewest bytes first: 12 bits per pixel, then 16, then more.
            (FourCc(*b"NV12"), Self::SemiPlanar(Chroma::Yuv420, CbCr)),
            (FourCc(*b"NV21"), Self::SemiPlanar(Chroma::Yuv420, CrCb)),
            (FourCc(*b"YU12"), Self::Planar(Chroma::Yuv420, CbCr)),
            (FourCc(*b"YV12"), Self::Planar(Chroma::Yuv420, CrCb)),
            (FourCc(*b"YUYV"), Self::Packed(Packed::Yuyv)),
            (FourCc(*b"YVYU"), Self::Packed(Packed::Yvyu)),
            (FourCc(*b"UYVY"), Self::Packed(Packed::Uyvy)),
            (FourCc(*b"VYUY"), Self::Packed(Packed::Vyuy)),
            (FourCc(*b"NV16"), Self::SemiPlanar(Chroma::Yuv422, CbCr)),
            (FourCc(*b"NV61"), Self::SemiPlanar(Chroma::Yuv422, CrCb)),
            (FourCc(*b"422P"), Self::Planar(Chroma::Yuv422, CbCr)),
            (FourCc(*b"NV24"), Self::SemiPlanar(Chroma::Yuv444, CbCr)),
            (FourCc(*b"RGBP"), Self::Rgb(Rgb::Rgb565)),
            (FourCc(*b"RGBR"), Self::Rgb(Rgb::Rgb565BigEndian)),
            (FourCc(*b"RGB3"), Self::Rgb(Rgb::Rgb24)),
            (FourCc(*b"BGR3"), Self::Rgb(Rgb::Bgr24)),
            // V4L2 names these by a big-endian word: its XBGR32 is B G R x in memory. Alpha is
            // ignored.
            (FourCc(*b"XR24"), Self::Rgb(Rgb::Bgrx32)),
            (FourCc(*b"AR24"), Self::Rgb(Rgb::Bgrx32)),
            (FourCc(*b"BGR4"), Self::Rgb(Rgb::Bgrx32)),
            (FourCc(*b"XB24"), Self::Rgb(Rgb::Rgbx32)),
            (FourCc(*b"AB24"), Self::Rgb(Rgb::Rgbx32)),
            (FourCc(*b"BX24"), Self::Rgb(Rgb::Xrgb32)),
            (FourCc(*b"BA24"), Self::Rgb(Rgb::Xrgb32)),
            (FourCc(*b"RGB4"), Self::Rgb(Rgb::Xrgb32)),
            (FourCc(*b"RX24"), Self::Rgb(Rgb::Xbgr32)),
            (FourCc(*b"RA24"), Self::Rgb(Rgb::Xbgr32)),
            // Raw samples of a sensor, without any processing by the driver.
            (FourCc(*b"RGGB"), Self::Bayer(Rggb, Unpacked(Bits8))),
            (FourCc(*b"BA81"), Self::Bayer(Bggr, Unpacked(Bits8))),
            (FourCc(*b"GBRG"), Self::Bayer(Gbrg, Unpacked(Bits8))),
            (FourCc(*b"GRBG"), Self::Bayer(Grbg, Unpacked(Bits8))),
            (FourCc(*b"pRAA"), Self::Bayer(Rggb, Packed10)),
            (FourCc(*b"pBAA"), Self::Bayer(Bggr, Packed10)),
            (FourCc(*b"pGAA"), Self::Bayer(Gbrg, Packed10)),
            (FourCc(*b"pgAA"), Self::Bayer(Grbg, Packed10)),
            (FourCc(*b"RG10"), Self::Bayer(Rggb, Unpacked(Bits10))),
            (FourCc(*b"BG10"), Self::Bayer(Bggr, Unpacked(Bits10))),
            (FourCc(*b"GB10"), Self::Bayer(Gbrg, Unpacked(Bits10))),
            (FourCc(*b"BA10"), Self::Bayer(Grbg, Unpacked(Bits10))),
            (FourCc(*b"RG12"), Self::Bayer(Rggb, Unpacked(Bits12))),
            (FourCc(*b"BG12"), Self::Bayer(Bggr, Unpacked(Bits12))),
            (FourCc(*b"GB12"), Self::Bayer(Gbrg, Unpacked(Bits12))),
            (FourCc(*b"BA12"), Self::Bayer(Grbg, Unpacked(Bits12))),
            (FourCc(*b"RG16"), Self::Bayer(Rggb, Unpacked(Bits16))),
            (FourCc(*b"BYR2"), Self::Bayer(Bggr, Unpacked(Bits16))),
            (FourCc(*b"GB16"), Self::Bayer(Gbrg, Unpacked(Bits16))),
            (FourCc(*b"GR16"), Self::Bayer(Grbg, Unpacked(Bits16))),
            // Without colour: only if there is nothing else.
            (FourCc(*b"GREY"), Self::Grey(Bits8)),
            (FourCc(*b"Y10 "), Self::Grey(Bits10)),
            (FourCc(*b"Y12 "), Self::Grey(Bits12)),
            (FourCc(*b"Y16 "), Self::Grey(Bits16)),
        ]
    };

    /// The format that a driver means by `fourcc`, if lancam knows it.
    pub fn from_fourcc(fourcc: FourCc) -> Option<Self> {
        Self::KNOWN.iter().find(|(code, _)| *code == fourcc).map(|(_, format)| *format)
    }

    /// The code to ask a driver for.
    pub fn fourcc(self) -> FourCc {
        let known = Self::KNOWN.iter().find(|(_, format)| *format == self);
        known.map_or(FourCc(*b"????"), |(code, _)| *code)
    }

    /// Each known format once, cheapest to send first.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::KNOWN.into_iter().filter(|(code, format)| format.fourcc() == *code).map(|it| it.1)
    }

    /// The least number of bytes in a row of `width` pixels of the first plane; `None` for
    /// compressed formats.
    pub fn min_stride(self, width: usize) -> Option<usize> {
        Some(match self {
            Self::Jpeg => return None,
            Self::Packed(_) => width.div_ceil(2) * 4,
            Self::SemiPlanar(..) | Self::Planar(..) => width,
            Self::Grey(depth) => width * depth.bytes(),
            Self::Rgb(rgb) => width * rgb.bytes(),
            Self::Bayer(_, SamplePacking::Unpacked(depth)) => width * depth.bytes(),
            Self::Bayer(_, SamplePacking::Packed10) => width.div_ceil(4) * 5,
        })
    }
}

impl SampleDepth {
    /// Bytes per sample.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Bits8 => 1,
            Self::Bits10 | Self::Bits12 | Self::Bits16 => 2,
        }
    }

    /// Significant bits per sample.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bits8 => 8,
            Self::Bits10 => 10,
            Self::Bits12 => 12,
            Self::Bits16 => 16,
        }
    }
}

impl Rgb {
    /// Bytes per pixel.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Rgb24 | Self::Bgr24 => 3,
            Self::Rgb565 | Self::Rgb565BigEndian => 2,
            Self::Rgbx32 | Self::Bgrx32 | Self::Xrgb32 | Self::Xbgr32 => 4,
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fourcc().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once_and_every_format_has_a_code() {
        for (at, (code, format)) in PixelFormat::KNOWN.iter().enumerate() {
            assert_eq!(PixelFormat::from_fourcc(*code), Some(*format), "{code} is there twice");
            assert!(PixelFormat::KNOWN[..=at].iter().any(|(code, _)| *code == format.fourcc()));
        }
        assert_eq!(PixelFormat::from_fourcc(FourCc(*b"H264")), None);
    }
}
