//! A scene for benches.

use lancam::image::frame::{FrameLayout, RawFrame};
use lancam::image::pixels::{Chroma, Colour, PixelFormat, Size};
use lancam::image::planes::Planes;
use lancam::image::unpack::{Unpacker, Wanted};

/// A picture with about as much detail as a room: smooth areas, edges, and a little noise.
pub(crate) fn scene(size: Size) -> Vec<u8> {
    let mut noise = 0x2545_F491_u32;
    let mut bytes = Vec::with_capacity(size.area() * 2);
    for y in 0..size.height {
        for x in 0..size.width {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let smooth = 60 + (x * 90 / size.width) + (y * 40 / size.height);
            let edge = if (x / 37 + y / 23) % 5 == 0 { 40 } else { 0 };
            let grain = usize::try_from(noise >> 28).expect("four bits");
            bytes.push(u8::try_from(smooth + edge + grain).expect("below 256"));
            bytes.push(u8::try_from(110 + (x + y) % 97 / 4).expect("below 256"));
        }
    }
    bytes
}

/// The layout of the scene's bytes: YUYV.
pub(crate) fn scene_layout(size: Size, colour: Colour) -> FrameLayout {
    FrameLayout::new(PixelFormat::YUYV, size, size.width * 2, colour)
}

/// The scene as planes, from which encoders start.
pub(crate) fn scene_planes(size: Size, chroma: Chroma) -> Planes {
    let layout = scene_layout(size, Colour::JPEG);
    let bytes = &scene(size);
    let frame = RawFrame { bytes, layout: &layout };
    let mut planes = Planes::default();
    Unpacker::default().unpack(&frame, Wanted { chroma, at_least: size }, &mut planes);
    planes
}
