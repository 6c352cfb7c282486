//! Decodes a camera's JPEGs: large ones with all cores at once, if they can be cut, and others in one piece.

use super::surplus::Surplus;
use crate::helpers::Helpers;
use crate::image::frame::Micros;
use crate::image::jpeg::codec::{Decoded, Decoder, JpegError};
use crate::image::jpeg::intervals::{Job, MOST_STRIPS, Outcome, Outline, StripDecoder};
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread;
use std::time::Instant;

/// The cores that decode, shared by all cameras of the viewer.
#[derive(Debug)]
pub struct Cores {
    count: usize,
    /// Started when the first picture comes that can be cut.
    helpers: OnceLock<Helpers>,
    /// The moment from which pictures' times are counted.
    since: Instant,
}

/// JPEGs of fewer bytes are decoded in one piece: that takes less than a millisecond.
const LEAST_BYTES: usize = 24 << 10;

/// The least number of restart intervals in a strip. Those at its edge may be decoded twice.
const LEAST_INTERVALS: usize = 8;

impl Cores {
    /// So many cores.
    pub fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { count, helpers: OnceLock::new(), since: Instant::now() })
    }

    /// The cores of this machine, the same for all cameras.
    pub fn of_this_machine() -> Arc<Self> {
        static ALL: LazyLock<Arc<Cores>> =
            LazyLock::new(|| Cores::new(thread::available_parallelism().map_or(1, usize::from)));
        Arc::clone(&ALL)
    }

    /// In how many strips to decode this JPEG, and what its head says of them. `None`: in one piece.
    fn plan(&self, jpeg: &[u8]) -> Option<(usize, Outline)> {
        if self.count < 2 || jpeg.len() < LEAST_BYTES {
            return None;
        }
        let outline = Outline::read(jpeg)?;
        let strips = (outline.intervals / LEAST_INTERVALS).min(self.count).min(MOST_STRIPS);
        (strips > 1).then_some((strips, outline))
    }

    /// Whether helper threads were started.
    pub fn has_helpers(&self) -> bool {
        self.helpers.get().is_some()
    }

    /// Runs all jobs. The picture that came first is helped first.
    fn run(&self, jobs: &mut [Job<'_>]) {
        let start = || Helpers::new(self.count.min(MOST_STRIPS) - 1);
        let came = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.helpers.get_or_init(start).each(Micros(came), jobs, Job::run);
    }
}

/// The decoder of one camera's JPEGs, reused for all of them.
#[derive(Debug)]
pub struct JpegDecoder {
    cores: Arc<Cores>,
    whole: Decoder,
    strips: StripDecoder,
    surplus: Surplus,
}

impl JpegDecoder {
    /// A decoder that uses these cores.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn new(cores: Arc<Cores>) -> Result<Self, JpegError> {
        let (strips, surplus) = (StripDecoder::default(), Surplus::default());
        Ok(Self { cores, whole: Decoder::new()?, strips, surplus })
    }

    /// Forgets what the camera's pictures are usually like, since the next ones may come from another.
    pub fn begin(&mut self) {
        self.surplus = Surplus::default();
    }

    /// Decodes `jpeg` at the smallest DCT scale that is at least `at_least`. Returns the size of the JPEG, and between
    /// which of its rows it is damaged: all of them, if only that much is known.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn decode(
        &mut self,
        jpeg: &[u8],
        at_least: Size,
        picture: &mut Picture,
    ) -> Result<(Size, Range<usize>), JpegError> {
        let (size, Outcome { damaged, leftovers }) = self.pixels(jpeg, at_least, picture)?;
        let is_damage = self.surplus.is_damage(!leftovers.is_empty());
        let damaged = match (is_damage, damaged.is_empty()) {
            (false, _) => damaged,
            (true, true) => leftovers,
            (true, false) => damaged.start..leftovers.end,
        };
        Ok((size, damaged))
    }

    fn pixels(
        &mut self,
        jpeg: &[u8],
        at_least: Size,
        picture: &mut Picture,
    ) -> Result<(Size, Outcome), JpegError> {
        if let Some((strips, outline)) = self.cores.plan(jpeg) {
            let run = |jobs: &mut [Job<'_>]| self.cores.run(jobs);
            let decoded = self.strips.decode(jpeg, &outline, strips, at_least, picture, run);
            if let Some(outcome) = decoded {
                return Ok((outline.size, outcome?));
            }
        }
        let (size, decoded) = self.whole.decode_at_least(jpeg, at_least, picture)?;
        let all_if = |is: Decoded| 0..if decoded == is { size.height } else { 0 };
        let damaged = all_if(Decoded::Damaged);
        Ok((size, Outcome { damaged, leftovers: all_if(Decoded::WithLeftovers) }))
    }
}
