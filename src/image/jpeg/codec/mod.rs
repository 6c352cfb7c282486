//! Encodes planes as JPEG, and decodes JPEG to planes or to pixels for a screen. Only this folder
//! names `turbojpeg`.

mod encoder;
mod scale;
mod transform;

pub use encoder::{Encoder, Restarts};
pub(super) use scale::Scale;
pub use transform::{Edges, Turned, Turner};

use crate::image::picture::Picture;
use crate::image::pixels::{Chroma, MAX_PIXELS, Size};
use crate::image::planes::Planes;
use turbojpeg::{Colorspace, DecompressHeader, Decompressor, PixelFormat, Subsamp, YuvImage};

/// Why libjpeg-turbo could not encode or decode.
#[derive(Debug, thiserror::Error)]
pub enum JpegError {
    /// The bytes are not a JPEG, or a broken one.
    #[error("not a JPEG that can be decoded: {0}")]
    Broken(turbojpeg::Error),
    /// The size is over the limit; checked before allocating.
    #[error("a JPEG of {0} is over the limit of {MAX_PIXELS} pixels")]
    TooLarge(Size),
    /// Bytes without a frame header.
    #[error("{0} bytes without a frame header are not a JPEG")]
    NoSize(usize),
    /// The number of scans is over the limit: each costs as much as decoding the whole picture
    /// once.
    #[error("a JPEG of more than {MOST_SCANS} scans is over the limit")]
    TooManyScans,
    /// A kind of JPEG that no camera sends, such as CMYK.
    #[error("a JPEG with {0} cannot be shown")]
    Unsupported(&'static str),
    /// The JPEG is longer than [`Encoder::max_len`].
    #[error("the JPEG of {0} is too long. Choose a lower quality")]
    TooLong(Size),
    /// The encoder failed.
    #[error("cannot encode {size} as JPEG: {source}")]
    Encode {
        /// The size of the picture.
        size: Size,
        /// The library's error.
        source: turbojpeg::Error,
    },
    /// The library could not be set up.
    #[error("libjpeg-turbo cannot start: {0}")]
    Setup(turbojpeg::Error),
}

/// Whether a picture was decoded without loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// Every block was there.
    Whole,
    /// The same, and some bytes before the end marker belong to no block. Cheap cameras send such
    /// bytes in every picture.
    WithLeftovers,
    /// Data is missing or wrong; the pixels are the best that libjpeg-turbo could decode.
    Damaged,
}

/// A JPEG decoder, reused for all frames of a stream.
#[derive(Debug)]
pub struct Decoder {
    decompressor: Decompressor,
}

impl Decoder {
    /// A decoder.
    ///
    /// # Errors
    /// When the library has no memory.
    pub fn new() -> Result<Self, JpegError> {
        let mut decompressor = Decompressor::new().map_err(JpegError::Setup)?;
        decompressor.set_scan_limit(MOST_SCANS).map_err(JpegError::Setup)?;
        Ok(Self { decompressor })
    }

    /// Decodes `jpeg` to pixels for a screen. `picture` gets the size of the JPEG.
    ///
    /// # Errors
    /// When it is not a JPEG, is broken before its first block, or is over [`MAX_PIXELS`].
    pub fn decode(&mut self, jpeg: &[u8], picture: &mut Picture) -> Result<Decoded, JpegError> {
        self.decode_at_least(jpeg, EVERY_PIXEL, picture).map(|(_, decoded)| decoded)
    }

    /// The same at the smallest DCT scale that is at least `at_least`. Returns the size of the
    /// JPEG.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_at_least(
        &mut self,
        jpeg: &[u8],
        at_least: Size,
        picture: &mut Picture,
    ) -> Result<(Size, Decoded), JpegError> {
        let (full, _) = self.header(jpeg)?;
        let scale = Scale::at_least(full, at_least);
        let size = scale.of(full);
        picture.reshape(size);
        Ok((full, self.fill(jpeg, scale, size, picture.pixels_mut())?))
    }

    /// Decodes `jpeg` at `scale` to the `pixels` of a picture of this `size`, row by row without
    /// padding.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when the JPEG is larger than `size` at this scale.
    ///
    /// # Panics
    /// When there are not as many pixels.
    pub(super) fn decode_at(
        &mut self,
        jpeg: &[u8],
        scale: Scale,
        size: Size,
        pixels: &mut [u32],
    ) -> Result<Decoded, JpegError> {
        self.header(jpeg)?;
        self.fill(jpeg, scale, size, pixels)
    }

    /// Decodes a JPEG whose header was read without a warning.
    fn fill(
        &mut self,
        jpeg: &[u8],
        scale: Scale,
        size: Size,
        pixels: &mut [u32],
    ) -> Result<Decoded, JpegError> {
        self.scale(scale)?;
        let image = turbojpeg::Image {
            pixels: bytemuck::cast_slice_mut::<u32, u8>(pixels),
            width: size.width,
            pitch: size.width * 4,
            height: size.height,
            format: SCREEN,
        };
        forgiving(self.decompressor.decompress(jpeg, image))
    }

    /// Decodes `jpeg` to planes at the smallest DCT scale that is at least `at_least`.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when the colours of the JPEG are neither YCbCr nor grey.
    pub fn decode_planes(
        &mut self,
        jpeg: &[u8],
        at_least: Size,
        planes: &mut Planes,
    ) -> Result<Decoded, JpegError> {
        let (size, DecompressHeader { subsamp, colorspace, .. }) = self.header(jpeg)?;
        // The library would return red, green and blue as if they were Y, Cb and Cr.
        if !matches!(colorspace, Colorspace::YCbCr | Colorspace::Gray) {
            return Err(JpegError::Unsupported("colours other than YCbCr"));
        }
        let chroma = match subsamp {
            Subsamp::Sub2x2 => Chroma::Yuv420,
            Subsamp::Sub2x1 => Chroma::Yuv422,
            Subsamp::None => Chroma::Yuv444,
            Subsamp::Sub1x2 => Chroma::Yuv440,
            Subsamp::Sub4x1 => Chroma::Yuv411,
            Subsamp::Sub1x4 => Chroma::Yuv441,
            Subsamp::Gray => Chroma::Grey,
            _ => return Err(JpegError::Unsupported("unknown subsampling")),
        };
        let scale = Scale::at_least(size, at_least);
        self.scale(scale)?;
        let scaled = scale.of(size);
        planes.reshape(scaled, chroma);
        let image = YuvImage {
            pixels: planes.packed_mut(),
            width: scaled.width,
            align: 1,
            height: scaled.height,
            subsamp,
        };
        let decoded = forgiving(self.decompressor.decompress_to_yuv(jpeg, image))?;
        // At a smaller scale the library copies more samples than it has decoded.
        if scale.divisor() > 1 {
            planes.repeat_edges();
        }
        Ok(decoded)
    }

    fn header(&mut self, jpeg: &[u8]) -> Result<(Size, DecompressHeader), JpegError> {
        let header = self.decompressor.read_header(jpeg).map_err(|error| match error {
            // What the library says of bytes that end before a size.
            turbojpeg::Error::IntegerOverflow(_) => JpegError::NoSize(jpeg.len()),
            error => JpegError::Broken(error),
        })?;
        let size = Size::new(header.width, header.height);
        if size.area() > MAX_PIXELS {
            return Err(JpegError::TooLarge(size));
        }
        Ok((size, header))
    }

    fn scale(&mut self, scale: Scale) -> Result<(), JpegError> {
        self.decompressor.set_scaling_factor(scale.factor()).map_err(JpegError::Broken)
    }
}

/// The most scans. A few bytes make one, and decoding it goes over the whole picture. Cameras send
/// one, or one for each component; progressive encoders use ten to twenty.
pub(super) const MOST_SCANS: u32 = 32;

/// Larger than any JPEG.
const EVERY_PIXEL: Size = Size::new(usize::MAX, usize::MAX);

/// `0x00RRGGBB` in the byte order of this machine.
const SCREEN: PixelFormat =
    if cfg!(target_endian = "little") { PixelFormat::BGRX } else { PixelFormat::XRGB };

fn subsampling(chroma: Chroma) -> Subsamp {
    match chroma {
        Chroma::Yuv420 => Subsamp::Sub2x2,
        Chroma::Yuv422 => Subsamp::Sub2x1,
        Chroma::Yuv444 => Subsamp::None,
        Chroma::Yuv440 => Subsamp::Sub1x2,
        Chroma::Yuv411 => Subsamp::Sub4x1,
        Chroma::Yuv441 => Subsamp::Sub1x4,
        Chroma::Grey => Subsamp::Gray,
    }
}

/// After a warning the pixels are usable, but the crate returns it as an error with the library's
/// text: that of the first warning.
fn forgiving(result: turbojpeg::Result<()>) -> Result<Decoded, JpegError> {
    let text = match result {
        Ok(()) => return Ok(Decoded::Whole),
        Err(turbojpeg::Error::TurboJpegError(text)) => text,
        Err(error) => return Err(JpegError::Broken(error)),
    };
    let begins_like = |warnings: &[&str]| warnings.iter().any(|it| text.starts_with(it));
    if begins_like(&REMARKS) {
        Ok(Decoded::Whole)
    } else if text.starts_with(CORRUPT) && text.ends_with(LEFTOVERS) {
        Ok(Decoded::WithLeftovers)
    } else if begins_like(&DAMAGE) {
        Ok(Decoded::Damaged)
    } else {
        Err(JpegError::Broken(turbojpeg::Error::TurboJpegError(text)))
    }
}

// The beginnings of libjpeg's messages that are only warnings (`JWRN_` in its jerror.h).

/// About the head. They cost no pixel.
const REMARKS: [&str; 3] =
    ["Invalid SOS parameters for sequential JPEG", "Unknown Adobe color transform", "Warning: "];
/// About the data.
const DAMAGE: [&str; 3] = ["Premature end of JPEG", CORRUPT, "Inconsistent progression sequence"];
const CORRUPT: &str = "Corrupt JPEG data: ";
/// The end of the message about bytes between the last block and the end marker.
const LEFTOVERS: &str = " extraneous bytes before marker 0xd9";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::markers;
    use crate::image::jpeg::repair::examine;

    fn ramp(size: Size, chroma: Chroma) -> Planes {
        let mut planes = Planes::default();
        planes.reshape(size, chroma);
        let to = planes.split_mut();
        let width = chroma.luma_size(size).width;
        for (index, y) in to.y.iter_mut().enumerate() {
            *y = u8::try_from(index % width * 255 / width).expect("below 255");
        }
        to.cb.fill(100);
        to.cr.fill(160);
        planes
    }

    fn encode(planes: &Planes, quality: u8) -> Vec<u8> {
        let mut out =
            vec![0; Encoder::max_len(planes.size(), planes.chroma()).expect("small enough")];
        let len = Encoder::new(quality)
            .and_then(|mut encoder| encoder.encode(planes, &mut out))
            .expect("encodes");
        out.truncate(len);
        out
    }

    #[test]
    fn planes_survive_the_way_to_jpeg_and_back() {
        for chroma in [Chroma::Yuv420, Chroma::Yuv422] {
            let planes = ramp(Size::new(101, 67), chroma);
            let jpeg = encode(&planes, 95);
            let mut back = Planes::default();
            let mut decoder = Decoder::new().expect("decoder");
            let whole = decoder.decode_planes(&jpeg, planes.size(), &mut back);
            assert_eq!(whole.expect("decodes"), Decoded::Whole);
            assert_eq!((back.size(), back.chroma()), (planes.size(), chroma));
            for (a, b) in planes.packed().iter().zip(back.packed()) {
                assert!(a.abs_diff(*b) <= 8, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_jpeg_for_which_there_is_no_room_is_refused_and_nothing_is_written_behind_it() {
        let planes = ramp(Size::new(64, 48), Chroma::Yuv420);
        let mut encoder = Encoder::new(90).expect("an encoder");
        let whole = encode(&planes, 90);
        for room in [0, 1, 100, whole.len() - 1] {
            let mut out = vec![0xA5; room + 64];
            let refused = encoder.encode(&planes, &mut out[..room]);
            assert!(matches!(refused, Err(JpegError::TooLong(_))), "{room}: {refused:?}");
            assert_eq!(out[room..], [0xA5; 64], "{room}");
        }
        // The library never fills the last byte.
        let mut out = vec![0; whole.len() + 1];
        assert_eq!(encoder.encode(&planes, &mut out).expect("it fits"), whole.len());
        assert_eq!(out[..whole.len()], whole);
    }

    #[test]
    fn planes_of_odd_sizes_hold_nothing_of_what_was_there_before_at_any_scale() {
        let mut decoder = Decoder::new().expect("decoder");
        for chroma in
            [Chroma::Yuv420, Chroma::Yuv422, Chroma::Yuv440, Chroma::Yuv411, Chroma::Yuv441]
        {
            for (width, height) in [(1, 1), (8, 8), (17, 40), (40, 17), (129, 67), (200, 200)] {
                let size = Size::new(width, height);
                let jpeg = encode(&ramp(size, chroma), 95);
                for divisor in [1, 2, 4, 8] {
                    let at_least = Size::new(width.div_ceil(divisor), height.div_ceil(divisor));
                    let mut decoded = |before: u8| {
                        let mut planes = Planes::default();
                        planes.reshape(at_least, chroma);
                        planes.packed_mut().fill(before);
                        decoder.decode_planes(&jpeg, at_least, &mut planes).expect("decodes");
                        planes
                    };
                    let (planes, others) = (decoded(0), decoded(255));
                    let what = format!("{size} {chroma:?} 1/{divisor}");
                    assert_eq!(planes.packed(), others.packed(), "{what}");
                    if divisor == 1 {
                        continue;
                    }
                    // The last column and row that the picture has, again.
                    let shown = planes.size();
                    let luma = chroma.luma_size(shown);
                    for (row, samples) in planes.split()[0].chunks(luma.width).enumerate() {
                        let from = &planes.split()[0][row.min(shown.height - 1) * luma.width..];
                        for (column, sample) in samples.iter().enumerate() {
                            let expected = from[column.min(shown.width - 1)];
                            assert_eq!(*sample, expected, "{what} {column}x{row}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn planes_are_made_of_no_other_colours_than_ycbcr() {
        let jpeg = encode(&ramp(Size::new(64, 48), Chroma::Yuv444), 90);
        // Without its JFIF segment, and with an Adobe segment that says "RGB".
        let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
        let rgb = [&jpeg[..2], adobe, &jpeg[20..]].concat();
        let mut decoder = Decoder::new().expect("decoder");
        let refused = decoder.decode_planes(&rgb, Size::new(1, 1), &mut Planes::default());
        assert!(matches!(refused, Err(JpegError::Unsupported(_))), "{refused:?}");
        decoder.decode(&rgb, &mut Picture::default()).expect("a screen's colours it becomes");
    }

    #[test]
    fn screen_pixels_have_red_green_and_blue_in_their_places() {
        let mut planes = Planes::default();
        planes.reshape(Size::new(16, 16), Chroma::Yuv420);
        let to = planes.split_mut();
        // Full-range BT.601 of pure red.
        to.y.fill(76);
        to.cb.fill(85);
        to.cr.fill(255);
        let mut picture = Picture::default();
        Decoder::new()
            .and_then(|mut decoder| decoder.decode(&encode(&planes, 100), &mut picture))
            .expect("decodes");
        let [red, green, blue] = picture.rgb(8, 8);
        assert!(red > 250 && green < 5 && blue < 5, "{red} {green} {blue}");
    }

    #[test]
    fn a_smaller_picture_is_decoded_at_the_nearest_larger_dct_scale() {
        let jpeg = encode(&ramp(Size::new(1280, 720), Chroma::Yuv422), 80);
        let mut planes = Planes::default();
        let mut decoder = Decoder::new().expect("decoder");
        for (at_least, found) in [
            (Size::new(320, 180), Size::new(320, 180)),
            (Size::new(321, 180), Size::new(640, 360)),
            (Size::new(1280, 1), Size::new(1280, 720)),
            (Size::new(4000, 4000), Size::new(1280, 720)),
        ] {
            decoder.decode_planes(&jpeg, at_least, &mut planes).expect("decodes");
            assert_eq!(planes.size(), found);
        }
    }

    #[test]
    fn a_small_pane_costs_a_small_decode() {
        let jpeg = encode(&ramp(Size::new(1280, 720), Chroma::Yuv420), 80);
        let mut picture = Picture::default();
        let mut decoder = Decoder::new().expect("decoder");
        decoder.decode_at_least(&jpeg, Size::new(426, 240), &mut picture).expect("decodes");
        assert_eq!(picture.size(), Size::new(640, 360));
        assert!(picture.rgb(10, 10)[1] < picture.rgb(630, 10)[1], "a ramp still");
        decoder.decode(&jpeg, &mut picture).expect("decodes");
        assert_eq!(picture.size(), Size::new(1280, 720));
    }

    #[test]
    fn a_cut_jpeg_is_shown_as_far_as_it_goes_and_garbage_is_refused() {
        let jpeg = encode(&ramp(Size::new(64, 64), Chroma::Yuv420), 90);
        let mut picture = Picture::default();
        let mut decoder = Decoder::new().expect("decoder");
        let cut = decoder.decode(&jpeg[..jpeg.len() - 20], &mut picture);
        assert_eq!(cut.expect("shown"), Decoded::Damaged);
        assert!(matches!(decoder.decode(b"garbage", &mut picture), Err(JpegError::Broken(_))));
        assert!(matches!(decoder.decode(&[], &mut picture), Err(JpegError::Broken(_))));
        let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("SOF0");
        for cut in 0..frame {
            let refused = decoder.decode(&jpeg[..cut], &mut picture).expect_err("no size");
            assert!(!refused.to_string().contains("integer"), "at {cut}: {refused}");
        }
    }

    /// The picture's own scan, repeated this many times.
    fn with_scans(jpeg: &[u8], scans: usize) -> Vec<u8> {
        let scan = jpeg.windows(2).position(|pair| pair == [0xFF, markers::SOS]).expect("a scan");
        let end = jpeg.len() - 2;
        [&jpeg[..scan], &jpeg[scan..end].repeat(scans), &jpeg[end..]].concat()
    }

    #[test]
    fn a_jpeg_of_thousands_of_scans_is_refused_before_they_are_decoded() {
        let jpeg = encode(&ramp(Size::new(640, 480), Chroma::Grey), 90);
        // libjpeg looks for further scans because the first has one of three components.
        let progressive = {
            let mut jpeg = jpeg.clone();
            let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("SOF0");
            jpeg[frame + 1] = 0xC2;
            let scan = jpeg.windows(2).position(|pair| pair == [0xFF, markers::SOS]).expect("SOS");
            // Only the DC coefficients.
            jpeg[scan + 8] = 0;
            jpeg
        };
        let mut decoder = Decoder::new().expect("decoder");
        let mut picture = Picture::default();
        let many = with_scans(&progressive, 5000);
        let started = std::time::Instant::now();
        let refused = decoder.decode(&many, &mut picture).expect_err("too many").to_string();
        assert!(refused.contains("scans"), "{refused}");
        assert!(decoder.decode_planes(&many, Size::new(8, 8), &mut Planes::default()).is_err());
        let mut turner = Turner::new().expect("a turner");
        let mut out = vec![0; Turner::max_len(Size::new(640, 480)).expect("small enough")];
        let turned = turner.turn(&examine(&many).expect("it can be decoded"), &mut out);
        assert!(matches!(turned, Err(JpegError::TooManyScans)), "{turned:?}");
        assert!(started.elapsed().as_secs() < 20, "5000 scans take minutes");
        decoder.decode(&jpeg, &mut picture).expect("the next one is fine");
    }

    #[test]
    fn a_size_from_a_stranger_is_refused_before_memory_is_asked_for() {
        let mut jpeg = encode(&ramp(Size::new(64, 64), Chroma::Yuv420), 90);
        let header = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("SOF0");
        jpeg[header + 5..header + 9].copy_from_slice(&[0xFD, 0xE8, 0xFD, 0xE8]);
        let refused =
            Decoder::new().and_then(|mut decoder| decoder.decode(&jpeg, &mut Picture::default()));
        assert!(matches!(refused, Err(JpegError::TooLarge(_))), "{refused:?}");
    }
}
