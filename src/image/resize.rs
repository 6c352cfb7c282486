//! Resizes planes with `fast_image_resize`. Only this file names that crate.

use super::pixels::{Chroma, Size};
use super::planes::Planes;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// Keeps the library's buffers from one picture to the next.
///
/// The library builds its coefficient tables at each call; those are the only allocations left.
#[derive(Debug, Default)]
pub struct PlaneResizer {
    resizer: Resizer,
}

impl PlaneResizer {
    /// Fills `target` with `source` scaled to `size`, with its chroma planes scaled directly to
    /// `chroma`.
    ///
    /// A grey source gives grey chroma; a grey target takes only luma.
    ///
    /// # Panics
    /// When a side is over 2^32, which [`Size::MAX_SIDE`] excludes.
    pub fn resize(&mut self, source: &Planes, target: &mut Planes, size: Size, chroma: Chroma) {
        target.reshape(size, chroma);
        let luma = (source.chroma().luma_size(source.size()), chroma.luma_size(size));
        let colour = (source.chroma().chroma_size(source.size()), chroma.chroma_size(size));
        let [from_y, from_cb, from_cr] = source.split();
        let to = target.split_mut();
        self.resize_plane(from_y, luma, to.y);
        if source.chroma() == Chroma::Grey {
            to.cb.fill(128);
            to.cr.fill(128);
        } else if chroma != Chroma::Grey {
            self.resize_plane(from_cb, colour, to.cb);
            self.resize_plane(from_cr, colour, to.cr);
        }
    }

    fn resize_plane(&mut self, from: &[u8], (from_size, to_size): (Size, Size), to: &mut [u8]) {
        if from_size == to_size {
            to.copy_from_slice(from);
            return;
        }
        // A triangle filter over the whole footprint: no aliasing when shrinking, smooth when
        // enlarging.
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .use_alpha(false);
        let side = |side: usize| u32::try_from(side).expect("sides are at most 65535");
        // Use the typed interface: the other one compiles every pixel type into the program.
        let from =
            TypedImageRef::<U8>::from_buffer(side(from_size.width), side(from_size.height), from)
                .expect("the plane has one byte for each of its pixels");
        let mut to = TypedImage::<U8>::from_buffer(side(to_size.width), side(to_size.height), to)
            .expect("the plane has one byte for each of its pixels");
        self.resizer
            .resize_typed(&from, &mut to, &options)
            .expect("both planes have pixels, and the same pixel type");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plane_goes_straight_to_its_own_size() {
        let mut source = Planes::default();
        source.reshape(Size::new(64, 36), Chroma::Yuv422);
        let planes = source.split_mut();
        planes.y.fill(200);
        planes.cb.fill(90);
        planes.cr.fill(30);
        let mut target = Planes::default();
        PlaneResizer::default().resize(&source, &mut target, Size::new(33, 17), Chroma::Yuv420);
        let [y, cb, cr] = target.split();
        assert_eq!((y.len(), cb.len(), cr.len()), (34 * 18, 17 * 9, 17 * 9));
        assert!(y.iter().all(|&value| value == 200));
        assert!(cb.iter().all(|&value| value == 90));
        assert!(cr.iter().all(|&value| value == 30));
    }
}
