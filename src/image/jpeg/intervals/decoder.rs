//! Decodes the strips of a JPEG into the rows of one picture.

use super::super::codec::{Decoded, Decoder, JpegError, Scale};
use super::outline::Outline;
use super::places::Places;
use super::shares::{MOST_STRIPS, shares};
use crate::image::picture::Picture;
use crate::image::pixels::{Chroma, Size};
use std::ops::Range;

/// Decodes JPEGs in strips; reused for all frames of a stream. Allocates only when a picture or the
/// number of strips is larger than ever before.
#[derive(Debug, Default)]
pub struct StripDecoder {
    places: Places,
    strips: Vec<Strip>,
}

/// What decoding a JPEG found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The rows of the JPEG in which data is damaged, from the first to the last damaged strip: the
    /// pixels there are the best that libjpeg-turbo could decode, and as damaged as if it were decoded
    /// in one piece.
    pub damaged: Range<usize>,
    /// The rows of the last strip, if bytes before the end marker belong to no block
    /// ([`Decoded::WithLeftovers`]); otherwise none.
    pub leftovers: Range<usize>,
}

/// What one strip is decoded with.
#[derive(Debug)]
struct Strip {
    decoder: Decoder,
    /// The strip as a JPEG of its own.
    part: Vec<u8>,
    /// The pixels around its upper edge.
    seam: Vec<u32>,
    result: Result<Decoded, JpegError>,
}

/// The JPEG that is decoded.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    jpeg: &'a [u8],
    outline: &'a Outline,
    places: &'a Places,
    scale: Scale,
}

/// One strip to be decoded, on whichever thread.
#[derive(Debug, Default)]
pub struct Job<'a>(Option<Work<'a>>);

#[derive(Debug)]
struct Work<'a> {
    source: Source<'a>,
    strip: &'a mut Strip,
    intervals: Range<usize>,
    /// The strip's rows of the picture.
    pixels: &'a mut [u32],
}

impl StripDecoder {
    /// Decodes `jpeg` in so many `strips` at the smallest DCT scale that is at least `at_least`.
    /// `outline` is what was read in its head. There are at most [`MOST_STRIPS`], and no more than
    /// it has restart intervals. `picture` gets the size of the JPEG at that scale.
    ///
    /// `run` must run every job once, on any threads, and return when all have ended.
    ///
    /// `None` if the JPEG must be decoded in one piece, because its restart markers are not as they
    /// should be.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub fn decode(
        &mut self,
        jpeg: &[u8],
        outline: &Outline,
        strips: usize,
        at_least: Size,
        picture: &mut Picture,
        run: impl FnOnce(&mut [Job<'_>]),
    ) -> Option<Result<Outcome, JpegError>> {
        self.places.find(jpeg, outline)?;
        let strips = strips.clamp(1, outline.intervals.min(MOST_STRIPS));
        if let Err(error) = self.provide(strips) {
            return Some(Err(error));
        }
        let Self { places, strips: all } = self;
        let scale = Scale::at_least(outline.size, at_least);
        let source = Source { jpeg, outline, places, scale };
        picture.reshape(scale.of(outline.size));
        let mut rest = picture.pixels_mut();
        let mut jobs: [Job<'_>; MOST_STRIPS] = std::array::from_fn(|_| Job::default());
        let shares = shares(outline.intervals, source.seam(), strips);
        for ((job, strip), intervals) in jobs.iter_mut().zip(all.iter_mut()).zip(shares) {
            let pixels;
            (pixels, rest) = rest.split_at_mut(source.size_of(&intervals).area());
            *job = Job(Some(Work { source, strip, intervals, pixels }));
        }
        run(&mut jobs[..strips]);
        Some(source.join(&mut all[..strips], picture.pixels_mut()))
    }

    fn provide(&mut self, strips: usize) -> Result<(), JpegError> {
        while self.strips.len() < strips {
            let (decoder, result) = (Decoder::new()?, Ok(Decoded::Whole));
            self.strips.push(Strip { decoder, part: Vec::new(), seam: Vec::new(), result });
        }
        Ok(())
    }
}

impl Job<'_> {
    /// Decodes the strip.
    pub fn run(&mut self) {
        if let Some(work) = &mut self.0 {
            work.run();
        }
    }
}

impl Work<'_> {
    fn run(&mut self) {
        let Self { source, strip, intervals, pixels } = self;
        strip.result = strip.decode(source, intervals, pixels);
        if strip.result.is_err() || source.seam() == 0 || intervals.start == 0 {
            return;
        }
        if let Err(error) = strip.mend(source, intervals.start, pixels) {
            strip.result = Err(error);
        }
    }
}

impl Strip {
    fn decode(
        &mut self,
        source: &Source<'_>,
        intervals: &Range<usize>,
        pixels: &mut [u32],
    ) -> Result<Decoded, JpegError> {
        source.places.write(source.jpeg, source.outline, intervals, &mut self.part);
        let size = source.size_of(intervals);
        let decoded = self.decoder.decode_at(&self.part, source.scale, size, pixels)?;
        let is_last = intervals.end == source.outline.intervals;
        // Bytes that belong to no block are harmless only where nothing follows.
        let is_harmless = decoded != Decoded::WithLeftovers || is_last;
        Ok(if is_harmless { decoded } else { Decoded::Damaged })
    }

    /// Decodes the interval before `first` and `first` itself once more, together, and copies the
    /// row of pixels below the edge between them. The one above it stays in `seam`.
    fn mend(
        &mut self,
        source: &Source<'_>,
        first: usize,
        pixels: &mut [u32],
    ) -> Result<(), JpegError> {
        let mut seam = std::mem::take(&mut self.seam);
        let around = first - 1..first + 1;
        let len = source.size_of(&around).area();
        seam.resize(len.max(seam.len()), 0);
        let result = self.decode(source, &around, &mut seam[..len]);
        self.seam = seam;
        let below = source.size_of(&(first - 1..first)).area();
        let row = source.width();
        pixels[..row].copy_from_slice(&self.seam[below..][..row]);
        result.map(drop)
    }
}

impl Source<'_> {
    fn width(&self) -> usize {
        self.scale.of(self.outline.size).width
    }

    /// The size of these intervals in the picture.
    fn size_of(&self, intervals: &Range<usize>) -> Size {
        let rows = self.outline.rows_of(intervals).len();
        Size::new(self.width(), self.scale.rows(rows))
    }

    /// How many intervals are decoded twice for each edge between two strips: those around it, where
    /// decoders make a pixel's colours also of those in the row above or below. At smaller scales,
    /// libjpeg-turbo takes colours of two rows from the transform already if it can.
    fn seam(&self) -> usize {
        let blends_rows = match self.outline.chroma {
            Chroma::Yuv420 => self.scale.divisor() == 1,
            Chroma::Yuv440 => self.scale.divisor() < 8,
            Chroma::Yuv422 | Chroma::Yuv444 | Chroma::Yuv411 | Chroma::Yuv441 | Chroma::Grey => {
                false
            }
        };
        if blends_rows { 2 } else { 0 }
    }

    /// Completes the picture after all strips were decoded.
    fn join(&self, strips: &mut [Strip], pixels: &mut [u32]) -> Result<Outcome, JpegError> {
        let (mut damaged, mut leftovers) = (0..0, 0..0);
        let shares = shares(self.outline.intervals, self.seam(), strips.len());
        for (strip, intervals) in strips.iter_mut().zip(shares) {
            let rows = self.outline.rows_of(&intervals);
            match std::mem::replace(&mut strip.result, Ok(Decoded::Whole))? {
                Decoded::Whole => {}
                Decoded::WithLeftovers => leftovers = rows,
                Decoded::Damaged if damaged.is_empty() => damaged = rows,
                Decoded::Damaged => damaged.end = rows.end,
            }
            if self.seam() > 0 && intervals.start > 0 {
                let row = self.width();
                let above = self.size_of(&(intervals.start - 1..intervals.start)).area() - row;
                let end = self.size_of(&(0..intervals.start)).area();
                pixels[end - row..end].copy_from_slice(&strip.seam[above..][..row]);
            }
        }
        Ok(Outcome { damaged, leftovers })
    }
}
