//! Unpacks a raw frame on all cores, where that takes about as long as encoding it.

use super::strips::{EncodeThreads, LEAST_STRIP, strips_for};
use crate::helpers::Helpers;
use crate::image::frame::{Micros, RawFrame};
use crate::image::orientation::Orientation;
use crate::image::pixels::{PixelFormat, Size};
use crate::image::planes::Planes;
use crate::image::unpack::{Part, RawLook, Unpacker, Wanted};
use std::sync::Arc;

/// Unpacks the frames of one camera.
#[derive(Debug)]
pub struct SharedUnpacker {
    unpacker: Unpacker,
    threads: Arc<EncodeThreads>,
    /// Those that encode too. Held from the first frame that is shared until the camera rests.
    helpers: Option<Arc<Helpers>>,
}

impl SharedUnpacker {
    /// An unpacker that develops a sensor's samples as `look` says, on these threads.
    pub fn new(look: RawLook, threads: &Arc<EncodeThreads>) -> Self {
        let unpacker = Unpacker::new(look);
        Self { unpacker, threads: Arc::clone(threads), helpers: None }
    }

    /// Fills `planes` as [`Unpacker::unpack`] does. Of several pictures the one that was captured
    /// first is helped first.
    ///
    /// # Panics
    /// As [`Unpacker::unpack`].
    pub fn unpack(
        &mut self,
        frame: &RawFrame<'_>,
        wanted: Wanted,
        captured_at: Micros,
        planes: &mut Planes,
    ) {
        let layout = frame.layout;
        // What has to be turned is not unpacked in parts.
        let is_shared = layout.orientation == Orientation::UPRIGHT && takes_long(layout.format);
        let threads = self.threads.count();
        if !is_shared || threads < 2 || parts_for(threads, layout.size) < 2 {
            return self.unpacker.unpack(frame, wanted, planes);
        }
        let helpers = self.helpers.get_or_insert_with(|| self.threads.helpers());
        let most = parts_for(helpers.threads() + 1, layout.size);
        self.unpacker.unpack_in_parts(frame, wanted, planes, most, |parts| {
            helpers.each(captured_at, parts, Part::unpack);
        });
    }

    /// No frames are unpacked for now, so it needs no helpers.
    pub fn rest(&mut self) {
        self.helpers = None;
    }
}

/// Into how many parts so many threads cut a frame of this size.
fn parts_for(threads: usize, size: Size) -> usize {
    strips_for(threads, size.area() / LEAST_STRIP)
}

/// Whether a pixel takes about ten instructions or more (benches/instructions.txt). Those of the
/// other formats take one to five; handing their rows to another thread saves nothing.
fn takes_long(format: PixelFormat) -> bool {
    matches!(format, PixelFormat::Rgb(_) | PixelFormat::Bayer(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::FrameLayout;
    use crate::image::orientation::Rotation;
    use crate::image::pixels::{Chroma, Colour, FourCc};

    const SIZE: Size = Size::new(1024, 770);

    /// A frame of this format.
    fn layout(fourcc: &[u8; 4]) -> FrameLayout {
        let format = PixelFormat::from_fourcc(FourCc(*fourcc)).expect("known");
        let stride = format.min_stride(SIZE.width).expect("raw");
        FrameLayout::new(format, SIZE, stride, Colour::CAMERA)
    }

    /// A frame of noise, unpacked on this many threads.
    fn unpacked(layout: &FrameLayout, unpacker: &mut SharedUnpacker) -> Vec<u8> {
        let mut state = 1_u32;
        let bytes: Vec<u8> = (0..layout.frame_len().expect("raw"))
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let wanted = Wanted { chroma: Chroma::Yuv420, at_least: layout.upright_size() };
        let mut planes = Planes::default();
        let frame = RawFrame { bytes: &bytes, layout };
        unpacker.unpack(&frame, wanted, Micros(1), &mut planes);
        planes.packed().to_vec()
    }

    #[test]
    fn several_threads_unpack_what_one_does() {
        for fourcc in [b"RGB3", b"RGGB", b"pRAA"] {
            let [alone, shared] = [1, 3].map(|threads| {
                let threads = EncodeThreads::new(threads);
                unpacked(&layout(fourcc), &mut SharedUnpacker::new(RawLook::default(), &threads))
            });
            assert!(alone == shared, "{fourcc:?}");
        }
    }

    #[test]
    fn each_thread_gets_as_many_parts_as_every_other() {
        for (size, threads, expected) in [
            (Size::new(1280, 720), 4, 8),
            (Size::new(1280, 720), 3, 6),
            (Size::new(1920, 1080), 4, 8),
            (Size::new(1920, 1080), 8, 16),
            (Size::new(3840, 2160), 12, 24),
            (Size::new(1024, 400), 4, 3),
        ] {
            let format = PixelFormat::from_fourcc(FourCc(*b"RGB3")).expect("known");
            let layout = FrameLayout::new(format, size, 3 * size.width, Colour::CAMERA);
            let bytes = vec![0; layout.frame_len().expect("raw")];
            let frame = RawFrame { bytes: &bytes, layout: &layout };
            let wanted = Wanted { chroma: Chroma::Yuv420, at_least: size };
            let (mut planes, mut count) = (Planes::default(), 0);
            let most = parts_for(threads, size);
            let count_them = |parts: &mut [Part<'_>]| count = parts.len();
            Unpacker::default().unpack_in_parts(&frame, wanted, &mut planes, most, count_them);
            assert_eq!(count, expected, "{size} on {threads} threads");
        }
    }

    #[test]
    fn helpers_come_with_a_frame_that_takes_long_and_go_when_the_camera_rests() {
        let mut unpacker = SharedUnpacker::new(RawLook::default(), &EncodeThreads::new(3));
        unpacked(&layout(b"YUYV"), &mut unpacker);
        assert!(unpacker.helpers.is_none());
        let orientation = Orientation::turned(Rotation::Quarter);
        unpacked(&FrameLayout { orientation, ..layout(b"RGB3") }, &mut unpacker);
        assert!(unpacker.helpers.is_none(), "what is turned is not shared");
        unpacked(&layout(b"RGB3"), &mut unpacker);
        assert_eq!(unpacker.helpers.as_ref().map(|helpers| helpers.threads()), Some(2));
        unpacker.rest();
        assert!(unpacker.helpers.is_none());
    }
}
