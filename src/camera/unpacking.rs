//! Unpacks a raw frame on all cores, where that takes about as long as encoding it.

use super::strips::{EncodeThreads, LEAST_STRIP, STRIPS_EACH};
use crate::helpers::Helpers;
use crate::image::frame::{Micros, RawFrame};
use crate::image::pixels::PixelFormat;
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
        let threads = self.threads.count();
        let most = (frame.layout.size.area() / LEAST_STRIP).min(threads * STRIPS_EACH);
        if threads < 2 || most < 2 || !takes_long(frame.layout.format) {
            return self.unpacker.unpack(frame, wanted, planes);
        }
        let helpers = self.helpers.get_or_insert_with(|| self.threads.helpers());
        self.unpacker.unpack_in_parts(frame, wanted, planes, most, |parts| {
            helpers.each(captured_at, parts, Part::unpack);
        });
    }

    /// No frames are unpacked for now, so it needs no helpers.
    pub fn rest(&mut self) {
        self.helpers = None;
    }
}

/// Whether a pixel takes ten instructions or more (benches/instructions.txt). The other formats
/// take one to three; handing their rows to another thread saves nothing.
fn takes_long(format: PixelFormat) -> bool {
    matches!(format, PixelFormat::Rgb(_) | PixelFormat::Bayer(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::FrameLayout;
    use crate::image::pixels::{Chroma, Colour, FourCc, Size};

    const SIZE: Size = Size::new(1024, 770);

    /// A frame of noise, unpacked on this many threads.
    fn unpacked(fourcc: &[u8; 4], unpacker: &mut SharedUnpacker) -> Vec<u8> {
        let format = PixelFormat::from_fourcc(FourCc(*fourcc)).expect("known");
        let stride = format.min_stride(SIZE.width).expect("raw");
        let layout = FrameLayout::new(format, SIZE, stride, Colour::CAMERA);
        let mut state = 1_u32;
        let bytes: Vec<u8> = (0..layout.frame_len().expect("raw"))
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        let wanted = Wanted { chroma: Chroma::Yuv420, at_least: SIZE };
        let mut planes = Planes::default();
        let frame = RawFrame { bytes: &bytes, layout: &layout };
        unpacker.unpack(&frame, wanted, Micros(1), &mut planes);
        planes.packed().to_vec()
    }

    #[test]
    fn several_threads_unpack_what_one_does() {
        for fourcc in [b"RGB3", b"RGGB", b"pRAA"] {
            let [alone, shared] = [1, 3].map(|threads| {
                let threads = EncodeThreads::new(threads);
                unpacked(fourcc, &mut SharedUnpacker::new(RawLook::default(), &threads))
            });
            assert!(alone == shared, "{fourcc:?}");
        }
    }

    #[test]
    fn helpers_come_with_a_frame_that_takes_long_and_go_when_the_camera_rests() {
        let mut unpacker = SharedUnpacker::new(RawLook::default(), &EncodeThreads::new(3));
        unpacked(b"YUYV", &mut unpacker);
        assert!(unpacker.helpers.is_none());
        unpacked(b"RGB3", &mut unpacker);
        assert_eq!(unpacker.helpers.as_ref().map(|helpers| helpers.threads()), Some(2));
        unpacker.rest();
        assert!(unpacker.helpers.is_none());
    }
}
