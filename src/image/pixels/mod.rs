//! Basic types for pixels: sizes, format codes, chroma subsampling, colour encodings.

mod format;

pub use format::{BayerOrder, ChromaOrder, Packed, PixelFormat, Rgb, SampleDepth, SamplePacking};

use std::fmt;

/// The most pixels that a picture may have: 67 million, twice an 8K screen.
///
/// Checked before allocating, since the number may come from a stranger.
pub const MAX_PIXELS: usize = 64 << 20;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Size {
    /// The largest side on the wire, where sides have 16 bits.
    pub const MAX_SIDE: usize = 65_535;
    /// The largest side of a JPEG that programs read: the limit of libjpeg, which other libraries
    /// share.
    pub const MAX_JPEG_SIDE: usize = 65_500;
    /// What is expected of a size, for messages.
    pub const EXPECTED: &str =
        "WIDTHxHEIGHT, such as 1280x720 (sides 1 to 65500, at most 67 million pixels)";

    /// `width` x `height`.
    pub const fn new(width: usize, height: usize) -> Self {
        Self { width, height }
    }

    /// Parses `640x480`. Neither side may be 0 or over [`Self::MAX_SIDE`].
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(['x', 'X', '×'])?;
        let side =
            |text: &str| text.parse().ok().filter(|side| (1..=Self::MAX_SIDE).contains(side));
        Some(Self::new(side(width)?, side(height)?))
    }

    /// Whether a JPEG of this size can be made and shown.
    pub const fn fits_a_jpeg(self) -> bool {
        self.width <= Self::MAX_JPEG_SIDE
            && self.height <= Self::MAX_JPEG_SIDE
            && self.area() <= MAX_PIXELS
    }

    /// The number of pixels.
    pub const fn area(self) -> usize {
        self.width * self.height
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}x{}", self.width, self.height)
    }
}

/// A V4L2 pixel format code: four characters, such as `YUYV`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl FourCc {
    /// Parses one to four printable ASCII characters. Pads short codes with blanks, as V4L2 does
    /// (`Y10 `).
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = [b' '; 4];
        if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        code[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self(code))
    }
}

impl fmt::Display for FourCc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Leave out the blanks that pad short codes.
        for &byte in self.0.trim_ascii_end() {
            let character =
                if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
            write!(out, "{character}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// The chroma subsampling of planes and JPEGs: how many pixels share a Cb and Cr sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// Four pixels (2x2).
    Yuv420,
    /// Two pixels in a row (2x1).
    Yuv422,
    /// None: each pixel has its own.
    Yuv444,
    /// Two pixels in a column (1x2): a 4:2:2 JPEG turned by 90 degrees.
    Yuv440,
    /// Four pixels in a row (4x1).
    Yuv411,
    /// Four pixels in a column (1x4): a 4:1:1 JPEG turned by 90 degrees.
    Yuv441,
    /// There is no chroma: grey.
    Grey,
}

impl Chroma {
    /// How many columns and rows of luma share one chroma sample.
    pub const fn factors(self) -> Size {
        match self {
            Self::Yuv420 => Size::new(2, 2),
            Self::Yuv422 => Size::new(2, 1),
            Self::Yuv444 | Self::Grey => Size::new(1, 1),
            Self::Yuv440 => Size::new(1, 2),
            Self::Yuv411 => Size::new(4, 1),
            Self::Yuv441 => Size::new(1, 4),
        }
    }

    /// The size of the Y plane of a picture of `size`: rounded up to a multiple of the subsampling.
    pub const fn luma_size(self, size: Size) -> Size {
        let Size { width, height } = self.factors();
        Size::new(size.width.next_multiple_of(width), size.height.next_multiple_of(height))
    }

    /// The size of the Cb and the Cr plane of a picture of `size`.
    pub const fn chroma_size(self, size: Size) -> Size {
        let Size { width, height } = self.factors();
        match self {
            Self::Grey => Size::new(0, 0),
            _ => Size::new(size.width.div_ceil(width), size.height.div_ceil(height)),
        }
    }
}

/// The meaning of a frame's code values: how R'G'B' was converted to Y'CbCr, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The weights of red, green and blue; not used for RGB and Bayer.
    pub matrix: Matrix,
    /// The range of the code values.
    pub range: Range,
}

impl Colour {
    /// What a JPEG has (JFIF 1.02), and what planes have.
    pub const JPEG: Self = Self { matrix: Matrix::Bt601, range: Range::Full };

    /// What cameras send in raw YCbCr, unless they say otherwise.
    pub const CAMERA: Self = Self { matrix: Matrix::Bt601, range: Range::Limited };
}

impl fmt::Display for Colour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matrix = match self.matrix {
            Matrix::Bt601 => "BT.601",
            Matrix::Bt709 => "BT.709",
            Matrix::Bt2020 => "BT.2020",
        };
        let range = match self.range {
            Range::Limited => "limited",
            Range::Full => "full",
        };
        write!(out, "{matrix}, {range} range")
    }
}

/// The weights of red, green and blue in luma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition, webcams, JPEG.
    Bt601,
    /// ITU-R BT.709: high definition.
    Bt709,
    /// ITU-R BT.2020 with non-constant luminance: ultra-high definition.
    Bt2020,
}

/// The range of the code values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// Y (or R, G and B) 16 to 235, Cb and Cr 16 to 240.
    Limited,
    /// 0 to 255.
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed_and_impossible_ones_are_not() {
        assert_eq!(Size::parse("1280x720"), Some(Size::new(1280, 720)));
        for text in ["0x720", "1280x0", "100000x1", "1280", "x", "-1x4", "1280x720x3", ""] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }

    #[test]
    fn short_fourccs_are_padded_as_the_kernel_pads_them() {
        assert_eq!(FourCc::parse("Y10").map(|code| code.0), Some(*b"Y10 "));
        assert_eq!(FourCc::parse("GREYS"), None);
        assert_eq!(FourCc::parse("Y\n"), None);
    }

    #[test]
    fn chroma_planes_of_odd_sizes_round_up() {
        let odd = Size::new(641, 361);
        assert_eq!(Chroma::Yuv420.chroma_size(odd), Size::new(321, 181));
        assert_eq!(Chroma::Yuv422.chroma_size(odd), Size::new(321, 361));
        assert_eq!(Chroma::Yuv420.luma_size(odd), Size::new(642, 362));
        assert_eq!(Chroma::Yuv422.luma_size(odd), Size::new(642, 361));
    }
}
