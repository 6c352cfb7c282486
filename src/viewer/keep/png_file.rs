//! Writes and reads PNG files. Only this file names `png`.

use crate::image::picture::Picture;
use crate::image::pixels::Size;
use std::fs::File;
use std::io::{self, BufWriter, Cursor, Write};

/// Writes a picture into a file.
pub(super) fn write(picture: &Picture, file: File) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
    let size = picture.size();
    let mut encoder = png::Encoder::new(&mut file, side(size.width)?, side(size.height)?);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut rgb = Vec::with_capacity(size.area() * 3);
    for pixel in picture.pixels() {
        let [_, red, green, blue] = pixel.to_be_bytes();
        rgb.extend([red, green, blue]);
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb)?;
    writer.finish()?;
    file.flush()
}

/// Reads a PNG with 8-bit RGBA into rows of `0xAARRGGBB`. `None` for any other file.
pub fn with_alpha(bytes: &[u8]) -> Option<(Size, Vec<u32>)> {
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().ok()?;
    let mut rgba = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgba).ok()?;
    if (info.color_type, info.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
        return None;
    }
    let size = Size::new(info.width.try_into().ok()?, info.height.try_into().ok()?);
    let pixels = rgba[..info.buffer_size()].as_chunks().0.iter();
    let pixels =
        pixels.map(|&[red, green, blue, alpha]| u32::from_be_bytes([alpha, red, green, blue]));
    Some((size, pixels.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::keep::snapshot::save;

    #[test]
    fn a_png_has_the_pictures_pixels() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("picture.png");
        let mut picture = Picture::blank(Size::new(3, 2), 0x0010_2030);
        picture.pixels_mut()[5] = 0x00FF_8000;
        save(&picture, &path).expect("written");
        let file = io::BufReader::new(File::open(&path).expect("there"));
        let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
        let mut pixels = [0; 18];
        let info = reader.next_frame(&mut pixels).expect("whole");
        assert_eq!((info.width, info.height, info.color_type), (3, 2, png::ColorType::Rgb));
        assert_eq!(pixels[..3], [0x10, 0x20, 0x30]);
        assert_eq!(pixels[15..], [0xFF, 0x80, 0x00]);
    }

    #[test]
    fn what_is_no_png_with_alpha_has_no_pixels() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("picture.png");
        save(&Picture::blank(Size::new(3, 2), 0), &path).expect("written");
        let plain = std::fs::read(&path).expect("there");
        for bytes in [&plain[..], &plain[..20], b"GIF89a", b""] {
            assert_eq!(with_alpha(bytes), None);
        }
    }
}
