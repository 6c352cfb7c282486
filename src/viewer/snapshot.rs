//! Writes a picture as a PNG file: the only file that names `png`.

use crate::image::picture::Picture;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Why a picture could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct SnapshotError {
    path: PathBuf,
    source: io::Error,
}

/// Writes `picture` to `path`, over what was there.
///
/// # Errors
/// When the file cannot be written.
pub fn save(picture: &Picture, path: &Path) -> Result<(), SnapshotError> {
    write(picture, path).map_err(|source| SnapshotError { path: path.to_owned(), source })
}

fn write(picture: &Picture, path: &Path) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;

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
    fn a_file_that_cannot_be_written_is_named() {
        let picture = Picture::blank(Size::new(1, 1), 0);
        let error = save(&picture, Path::new("/nowhere/at/all.png")).expect_err("no such folder");
        assert!(error.to_string().starts_with("cannot write /nowhere/at/all.png: "), "{error}");
    }
}
