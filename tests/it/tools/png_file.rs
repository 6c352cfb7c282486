//! Reads the PNG files that the viewer writes, and writes small ones.

use lancam::image::picture::Picture;
use lancam::image::pixels::Size;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Reads a PNG with red, green and blue bytes.
pub fn read(path: &Path) -> Picture {
    let file = BufReader::new(File::open(path).expect("the viewer saved it"));
    let mut reader = png::Decoder::new(file).read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut rgb).expect("pixels");
    assert_eq!(info.color_type, png::ColorType::Rgb);
    let side = |side| usize::try_from(side).expect("small");
    let mut picture = Picture::blank(Size::new(side(info.width), side(info.height)), 0);
    for (pixel, [red, green, blue]) in picture.pixels_mut().iter_mut().zip(rgb.as_chunks().0) {
        *pixel = u32::from_be_bytes([0, *red, *green, *blue]);
    }
    picture
}

/// Writes a picture with the best compression.
pub fn write(path: &Path, picture: &Picture) {
    let file = File::create(path).expect("a folder that can be written");
    let side = |side| u32::try_from(side).expect("small");
    let size = picture.size();
    let mut encoder = png::Encoder::new(file, side(size.width), side(size.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("written");
    let rgb: Vec<u8> =
        picture.pixels().iter().flat_map(|pixel| pixel.to_be_bytes()[1..].to_vec()).collect();
    writer.write_image_data(&rgb).expect("written");
    writer.finish().expect("written");
}
