//! The property of JPEGs that are decoded in strips.

use lancam::image::jpeg::codec::Decoder;
use lancam::image::jpeg::intervals::{Job, MOST_STRIPS, Outline, StripDecoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::Size;

/// More pixels take too long for a fuzzer.
const MOST_PIXELS: usize = 1 << 18;

/// What is decoded in strips looks as in one piece, whatever the bytes and the restart markers say.
pub fn jpeg_strips(bytes: &[u8]) {
    let Some(outline) = Outline::read(bytes) else { return };
    assert!(outline.intervals > 1 && outline.rows > 0);
    assert!(outline.rows * (outline.intervals - 1) < outline.size.height);
    if outline.size.area() > MOST_PIXELS {
        return;
    }
    let mut decoder = StripDecoder::default();
    let Size { width, height } = outline.size;
    for (strips, divisor) in [(2, 1), (3, 2), (MOST_STRIPS, 4), (5, 8), (MOST_STRIPS, 1)] {
        let at_least = Size::new(width.div_ceil(divisor), height.div_ceil(divisor));
        let (mut picture, mut whole) = (Picture::default(), Picture::default());
        let run = |jobs: &mut [Job<'_>]| jobs.iter_mut().for_each(Job::run);
        let decoded = decoder.decode(bytes, &outline, strips, at_least, &mut picture, run);
        let Some(decoded) = decoded else { return };
        let mut expected = Decoder::new().expect("memory");
        let expected = expected.decode_at_least(bytes, at_least, &mut whole);
        assert_eq!(decoded.is_ok(), expected.is_ok(), "{decoded:?}, {expected:?}");
        if let Ok(outcome) = decoded {
            assert!(outcome.damaged.end <= height && outcome.leftovers.end <= height);
            assert_eq!(picture.size(), whole.size());
            assert!(picture.pixels() == whole.pixels(), "{strips} strips at 1/{divisor}");
        }
    }
}
