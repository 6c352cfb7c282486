//! The pixel formats that are understood, and the words of the field for them.

use std::fmt;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// The largest side a JPEG can have, and so the largest of anything here.
    pub const MAX_SIDE: usize = 65_535;

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

    /// How many pixels.
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
    /// Parses one to four printable ASCII characters; short codes are padded with blanks, as V4L2 does (`Y10 `).
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
        for &byte in &self.0 {
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

/// A format that frames can be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// One JPEG picture per frame: what V4L2 calls `MJPG` or `JPEG`.
    Jpeg,
    /// Packed 4:2:2, bytes Y0 Cb Y1 Cr.
    Yuyv,
}

impl PixelFormat {
    /// Every format that is understood, cheapest first.
    pub const ALL: [Self; 2] = [Self::Jpeg, Self::Yuyv];

    /// The format a driver means by `fourcc`, if it is one of ours.
    pub fn from_fourcc(fourcc: FourCc) -> Option<Self> {
        match &fourcc.0 {
            // Drivers use either name for the same bytes.
            b"MJPG" | b"JPEG" => Some(Self::Jpeg),
            b"YUYV" => Some(Self::Yuyv),
            _ => None,
        }
    }

    /// The name to ask a driver for.
    pub fn fourcc(self) -> FourCc {
        match self {
            Self::Jpeg => FourCc(*b"MJPG"),
            Self::Yuyv => FourCc(*b"YUYV"),
        }
    }

    /// The fewest bytes a row of `width` pixels can have; `None` for compressed formats.
    pub fn min_stride(self, width: usize) -> Option<usize> {
        match self {
            Self::Jpeg => None,
            Self::Yuyv => Some(width.div_ceil(2) * 4),
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fourcc().fmt(out)
    }
}

/// How much colour detail planes and JPEGs keep: Cb and Cr samples per Y sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chroma {
    /// One for four pixels (2x2).
    Yuv420,
    /// One for two pixels in a row (2x1).
    Yuv422,
    /// One for each pixel.
    Yuv444,
    /// One for two pixels in a column (1x2): a 4:2:2 JPEG turned by 90 degrees.
    Yuv440,
    /// One for four pixels in a row (4x1).
    Yuv411,
    /// None: grey.
    Grey,
}

impl Chroma {
    /// How many luma columns and rows share one chroma sample.
    const fn factors(self) -> Size {
        match self {
            Self::Yuv420 => Size::new(2, 2),
            Self::Yuv422 => Size::new(2, 1),
            Self::Yuv444 | Self::Grey => Size::new(1, 1),
            Self::Yuv440 => Size::new(1, 2),
            Self::Yuv411 => Size::new(4, 1),
        }
    }

    /// The size of the Y plane of a picture of `size`: rounded up so that the chroma planes divide it.
    pub const fn luma_size(self, size: Size) -> Size {
        let Size { width, height } = self.factors();
        Size::new(size.width.next_multiple_of(width), size.height.next_multiple_of(height))
    }

    /// The size of the Cb and of the Cr plane of a picture of `size`.
    pub const fn chroma_size(self, size: Size) -> Size {
        let Size { width, height } = self.factors();
        match self {
            Self::Grey => Size::new(0, 0),
            _ => Size::new(size.width.div_ceil(width), size.height.div_ceil(height)),
        }
    }
}

/// Which code values carry the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// Y 16 to 235, Cb and Cr 16 to 240: what cameras send in raw YCbCr unless they say otherwise.
    Limited,
    /// 0 to 255: what a JPEG carries.
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
