//! Encodes one picture on all cores: cuts it into strips, which its own thread and helpers encode at
//! the same time, and joins them.

use crate::clock;
use crate::helpers::Helpers;
use crate::image::frame::Micros;
use crate::image::jpeg::codec::{Encoder, JpegError, Restarts};
use crate::image::jpeg::join::{self, join};
use crate::image::pixels::Size;
use crate::image::planes::Planes;
use crate::wire::packet::Packet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// The threads that encode one picture. All renditions share the helpers among them, which exist
/// while somebody encodes large pictures.
#[derive(Debug)]
pub struct EncodeThreads {
    count: usize,
    helpers: Mutex<Weak<Helpers>>,
}

impl EncodeThreads {
    /// The most threads that an owner may ask for.
    pub const MOST: usize = 64;

    /// This many threads, the rendition's own among them.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { count, helpers: Mutex::default() })
    }

    /// One for each core that this program may use.
    pub fn one_for_each_core() -> usize {
        thread::available_parallelism().map_or(1, usize::from).min(Self::MOST)
    }

    /// How many threads work on one picture, that of its owner among them.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The helpers, which end when nobody holds them any more.
    pub(super) fn helpers(&self) -> Arc<Helpers> {
        let mut shared = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let helpers = Arc::new(Helpers::new(self.count.saturating_sub(1)));
            *shared = Arc::downgrade(&helpers);
            helpers
        })
    }
}

/// Encodes the pictures of one rendition as JPEG.
#[derive(Debug)]
pub struct SharedEncoder {
    quality: u8,
    threads: Arc<EncodeThreads>,
    /// Encodes what is small, and all where nobody helps.
    whole: Encoder,
    /// Made for the first picture that is large enough to be shared.
    strips: Option<Strips>,
    helped: Duration,
}

/// The strips of a picture, and who helps with them.
#[derive(Debug)]
struct Strips {
    helpers: Arc<Helpers>,
    strips: Vec<Strip>,
}

/// A strip, with its own encoder and memory, reused from picture to picture.
#[derive(Debug)]
struct Strip {
    encoder: Encoder,
    /// Its rows of pixels.
    rows: Range<usize>,
    /// Longer than what was written to it.
    jpeg: Vec<u8>,
    len: usize,
    error: Option<JpegError>,
    /// How long it took a helper; nothing if no helper encoded it.
    helped: Duration,
}

impl SharedEncoder {
    /// An encoder with `quality` 1 to 100.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot start.
    pub fn new(quality: u8, threads: &Arc<EncodeThreads>) -> Result<Self, JpegError> {
        Ok(Self {
            quality,
            threads: Arc::clone(threads),
            whole: Encoder::new(quality)?,
            strips: None,
            helped: Duration::ZERO,
        })
    }

    /// Encodes `planes` into `packet`, and returns the length of the JPEG. Of several pictures the
    /// one that was captured first is helped first.
    ///
    /// # Errors
    /// When the picture or its JPEG is too large, or the library fails.
    pub fn encode(
        &mut self,
        planes: &Planes,
        captured_at: Micros,
        packet: &mut Packet,
    ) -> Result<usize, JpegError> {
        self.helped = Duration::ZERO;
        let size = planes.size();
        let out = packet.storage(Encoder::max_len(size, planes.chroma())?);
        let most = size.area() / LEAST_STRIP;
        if self.threads.count < 2 || most < 2 || !size.fits_a_jpeg() {
            return self.whole.encode(planes, out);
        }
        let strips = self
            .strips
            .get_or_insert_with(|| Strips { helpers: self.threads.helpers(), strips: Vec::new() });
        let threads = strips.helpers.threads() + 1;
        if threads == 1 {
            return self.whole.encode(planes, out);
        }
        let cuts = join::strips(size, planes.chroma(), strips_for(threads, most));
        if cuts.len() < 2 {
            return self.whole.encode(planes, out);
        }
        let strips = strips.encode(planes, cuts, captured_at, self.quality)?;
        self.helped = strips.iter().map(|strip| strip.helped).sum();
        let height = u16::try_from(size.height).map_err(|_| JpegError::TooLarge(size))?;
        join(strips.iter().map(Strip::written), height, out).ok_or(JpegError::TooLong(size))
    }

    /// How long helpers worked on the last picture, in CPU time.
    pub fn helped(&self) -> Duration {
        self.helped
    }

    /// Bytes held: those of the last picture's strips.
    pub fn memory(&self) -> usize {
        let strips = self.strips.iter().flat_map(|strips| &strips.strips);
        strips.map(|strip| strip.written().len()).sum()
    }
}

/// How many strips so many threads make of a picture that is enough for `most`. Threads with one strip less than others would
/// have nothing to do while those have two.
pub(super) fn strips_for(threads: usize, most: usize) -> usize {
    match most.min(threads * STRIPS_EACH) {
        few if few < threads => few,
        many => (many + threads / 2) / threads * threads,
    }
}

impl Strips {
    /// Encodes `planes` in strips of these rows of pixels. Returns them from top to bottom.
    fn encode(
        &mut self,
        planes: &Planes,
        cuts: impl ExactSizeIterator<Item = Range<usize>>,
        captured_at: Micros,
        quality: u8,
    ) -> Result<&[Strip], JpegError> {
        self.strips.truncate(cuts.len());
        while self.strips.len() < cuts.len() {
            self.strips.push(Strip::new(quality)?);
        }
        for (strip, rows) in self.strips.iter_mut().zip(cuts) {
            let size = Size::new(planes.size().width, rows.len());
            strip.place(rows, Encoder::max_len(size, planes.chroma())?);
        }
        let caller = thread::current().id();
        self.helpers.each(captured_at, &mut self.strips, |strip| strip.encode(planes, caller));
        for strip in &mut self.strips {
            strip.error.take().map_or(Ok(()), Err)?;
        }
        Ok(&self.strips)
    }
}

impl Strip {
    fn new(quality: u8) -> Result<Self, JpegError> {
        Ok(Self {
            encoder: Encoder::with_restarts(quality, Restarts::EachRow)?,
            rows: 0..0,
            jpeg: Vec::new(),
            len: 0,
            error: None,
            helped: Duration::ZERO,
        })
    }

    /// Is to have these rows, with `room` bytes for its JPEG.
    fn place(&mut self, rows: Range<usize>, room: usize) {
        self.rows = rows;
        self.error = None;
        if self.jpeg.len() < room {
            // As in packets, what is not written to takes only address space.
            self.jpeg = vec![0; room];
        }
    }

    fn encode(&mut self, planes: &Planes, caller: ThreadId) {
        let is_helper = thread::current().id() != caller;
        let before = if is_helper { clock::of_this_thread() } else { Duration::ZERO };
        let part = planes.strip(self.rows.start, self.rows.len());
        let outcome = self.encoder.encode_strip(part, &mut self.jpeg);
        let after = if is_helper { clock::of_this_thread() } else { Duration::ZERO };
        self.helped = after - before;
        match outcome {
            Ok(len) => self.len = len,
            Err(error) => (self.len, self.error) = (0, Some(error)),
        }
    }

    /// Its JPEG.
    fn written(&self) -> &[u8] {
        &self.jpeg[..self.len]
    }
}

/// The fewest pixels of a strip. Half of 480x360 on another core is done in two thirds of the time,
/// and takes all cores a quarter more.
pub(super) const LEAST_STRIP: usize = 128 << 10;

/// Strips for each thread: so a thread that comes late has less to do.
const STRIPS_EACH: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::codec::{Decoded, Decoder};
    use crate::image::pixels::Chroma;
    use crate::wire::packet::{Codec, FrameFacts, PacketPool};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Large enough for three strips; two threads make four of it.
    const SIZE: Size = Size::new(1024, 400);

    fn picture(number: usize) -> Planes {
        let mut planes = Planes::default();
        planes.reshape(SIZE, Chroma::Yuv420);
        for (at, sample) in planes.packed_mut().iter_mut().enumerate() {
            *sample = u8::try_from((at * (number + 3) / 50) % 256).expect("below 256");
        }
        planes
    }

    fn encoded(
        encoder: &mut SharedEncoder,
        planes: &Planes,
        at: u64,
        pool: &mut PacketPool,
    ) -> Arc<Packet> {
        let (sequence, captured_at) = (at, Micros(at));
        let facts = FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size: SIZE };
        let mut packet = pool.take(facts);
        let content = PacketPool::open(&mut packet);
        let len = encoder.encode(planes, captured_at, content).expect("encodes");
        content.set_len(len);
        pool.remember(&packet);
        packet
    }

    /// Keeps the helpers from the strips: takes them for a random time, again and again.
    fn distract(helpers: &Helpers, seed: u64, is_over: &AtomicBool) {
        let mut state = seed;
        while !is_over.load(Ordering::Relaxed) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(seed);
            let mut pauses = [state >> 54, state >> 44 & 1023, state >> 34 & 1023];
            helpers.each(Micros(0), &mut pauses, |micros| {
                thread::sleep(Duration::from_micros(*micros));
            });
        }
    }

    #[test]
    fn ten_thousand_frames_are_whole_and_in_order_however_late_helpers_are() {
        let threads = EncodeThreads::new(3);
        let pictures: Vec<Planes> = (0..3).map(picture).collect();
        let mut pool = PacketPool::default();
        let mut encoder = SharedEncoder::new(70, &threads).expect("an encoder");
        let expected: Vec<Vec<u8>> = pictures
            .iter()
            .map(|planes| {
                let mut jpeg = vec![0; Encoder::max_len(SIZE, Chroma::Yuv420).expect("a size")];
                let len = Encoder::with_restarts(70, Restarts::EachRow)
                    .and_then(|mut encoder| encoder.encode(planes, &mut jpeg));
                jpeg.truncate(len.expect("encodes"));
                jpeg
            })
            .collect();
        let helpers = threads.helpers();
        let is_over = AtomicBool::new(false);
        let mut helped = Duration::ZERO;
        thread::scope(|scope| {
            for seed in [3, 5] {
                let (helpers, is_over) = (&helpers, &is_over);
                scope.spawn(move || distract(helpers, seed, is_over));
            }
            for at in 0..10_000_u64 {
                let kind = usize::try_from(at % 3).expect("below 3");
                let packet = encoded(&mut encoder, &pictures[kind], at, &mut pool);
                let is_right = packet.payload() == expected[kind] && packet.facts.sequence == at;
                if !is_right {
                    is_over.store(true, Ordering::Relaxed);
                }
                assert!(is_right, "frame {at}");
                helped += encoder.helped();
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(helped > Duration::ZERO, "helpers came now and then");
    }

    #[test]
    fn what_went_wrong_with_one_picture_is_over_with_the_next() {
        let mut pool = PacketPool::default();
        let mut encoder = SharedEncoder::new(70, &EncodeThreads::new(2)).expect("an encoder");
        let expected = encoded(&mut encoder, &picture(1), 1, &mut pool).payload().to_vec();
        let strips = &mut encoder.strips.as_mut().expect("it is large").strips;
        assert_eq!(strips.len(), 4);
        for strip in &mut *strips {
            (strip.len, strip.error) = (0, Some(JpegError::TooLong(SIZE)));
        }
        let next = encoded(&mut encoder, &picture(1), 2, &mut pool);
        assert!(next.payload() == expected);
    }

    #[test]
    fn each_thread_gets_as_many_strips_as_every_other() {
        let mut pool = PacketPool::default();
        for (size, threads, expected) in [
            (Size::new(1280, 720), 4, 8),
            (Size::new(1280, 720), 2, 4),
            (Size::new(1280, 720), 3, 6),
            (Size::new(1920, 1080), 4, 8),
            // Rows of MCUs that so many strips cannot share evenly.
            (Size::new(1920, 1080), 8, 16),
            (Size::new(1280, 784), 4, 8),
            (Size::new(1024, 400), 4, 3),
        ] {
            let mut planes = Planes::default();
            planes.reshape(size, Chroma::Yuv420);
            let mut encoder =
                SharedEncoder::new(70, &EncodeThreads::new(threads)).expect("an encoder");
            encoded(&mut encoder, &planes, 1, &mut pool);
            let strips = encoder.strips.map(|strips| strips.strips.len());
            assert_eq!(strips, Some(expected), "{size} on {threads} threads");
        }
    }

    /// Eight rows of a block, black and white, that takes two bytes for each pixel at quality 100: what there is room for.
    const DEAR: [u8; 8] = [0x5E, 0xE2, 0xA0, 0x51, 0x37, 0x87, 0x5F, 0xB3];

    #[test]
    fn a_jpeg_that_becomes_too_long_in_strips_is_refused_and_the_next_one_is_whole() {
        let tall = Size::new(256, 8000);
        let mut planes = Planes::default();
        planes.reshape(tall, Chroma::Grey);
        for (at, sample) in planes.packed_mut().iter_mut().enumerate() {
            let (column, row) = (at % tall.width, at / tall.width);
            let is_white = DEAR[row % 8] >> (7 - column % 8) & 1 == 1;
            *sample = if is_white { 255 } else { 0 };
        }
        let (mut pool, facts) = (
            PacketPool::default(),
            FrameFacts { sequence: 1, captured_at: Micros(1), codec: Codec::Jpeg, size: tall },
        );
        let mut packet = pool.take(facts);
        let content = PacketPool::open(&mut packet);
        let mut alone = SharedEncoder::new(100, &EncodeThreads::new(1)).expect("an encoder");
        let len = alone.encode(&planes, Micros(1), content).expect("it just fits");
        assert!(len > tall.area() * 2);
        // Each strip fits too. Together, they have a thousand restart markers besides.
        let mut shared = SharedEncoder::new(100, &EncodeThreads::new(4)).expect("an encoder");
        let refused = shared.encode(&planes, Micros(2), content);
        assert!(matches!(refused, Err(JpegError::TooLong(size)) if size == tall), "{refused:?}");
        planes.packed_mut().fill(7);
        let len = shared.encode(&planes, Micros(3), content).expect("it fits");
        content.set_len(len);
        let mut back = Planes::default();
        let whole =
            Decoder::new().and_then(|mut it| it.decode_planes(content.payload(), tall, &mut back));
        assert_eq!(whole.expect("decodes"), Decoded::Whole);
        assert!(back.packed().iter().all(|sample| sample.abs_diff(7) <= 1));
    }

    #[test]
    fn a_picture_of_one_row_of_blocks_is_no_work_to_share() {
        let wide = Size::new(65_500, 16);
        let mut planes = Planes::default();
        planes.reshape(wide, Chroma::Yuv420);
        let mut pool = PacketPool::default();
        let mut encoder = SharedEncoder::new(70, &EncodeThreads::new(2)).expect("an encoder");
        let packet = encoded(&mut encoder, &planes, 1, &mut pool);
        assert!(encoder.strips.is_none_or(|strips| strips.strips.is_empty()));
        assert!(!packet.payload().windows(2).any(|pair| pair == [0xFF, 0xDD]), "no restarts");
    }

    #[test]
    fn renditions_share_helpers_which_end_with_the_last_one() {
        let threads = EncodeThreads::new(4);
        let mut pool = PacketPool::default();
        let mut encoders =
            [60, 80].map(|quality| SharedEncoder::new(quality, &threads).expect("an encoder"));
        assert_eq!(
            threads.helpers.lock().expect("no panic").strong_count(),
            0,
            "nothing to encode yet"
        );
        for encoder in &mut encoders {
            encoded(encoder, &picture(1), 1, &mut pool);
        }
        let helpers = threads.helpers.lock().expect("no panic").clone();
        assert_eq!(helpers.strong_count(), 2);
        assert_eq!(helpers.upgrade().map(|helpers| helpers.threads()), Some(3));
        drop(encoders);
        assert_eq!(helpers.strong_count(), 0);
    }
}
