//! Frames of bare samples, read from the pipe straight into planes.

use super::words::Granted;
use crate::image::frame::{Content, FrameLayout, SharedFrame};
use crate::image::pixels::{Chroma, Size};
use crate::image::planes::Planes;
use crate::image::planes_pool::PlanesPool;
use crate::source::Drops;
use crate::source::interrupted::is_nothing;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// `yuv420` of rpicam-vid: a plane of Y, then Cb and Cr. The next frame follows at once.
#[derive(Debug)]
pub(super) struct RawFrames {
    pub(super) layout: FrameLayout,
    rows: Rows,
    pool: PlanesPool,
    /// The frame that is being read. Nobody else has it.
    filling: Arc<Planes>,
    /// How many of its bytes have come.
    at: usize,
    /// The newest whole frame.
    ready: Option<Arc<Planes>>,
    /// Frames that a newer one has replaced before anybody took them.
    stale: u64,
}

/// What a turn of reading has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// So many whole frames; the newest is ready.
    Frames(u64),
    /// Nothing more for now.
    Nothing,
    /// The writer has closed its end, perhaps in the middle of a frame.
    End,
}

/// Whether frames can be read as the camera was configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Fits,
    /// Their rows may have padding, because of their size.
    Padded,
    /// The first of them was already read as one of another size.
    TooLate,
}

/// One turn reads so many frames at most, so that a fast writer cannot keep this thread.
const MOST_IN_A_TURN: u64 = 16;

/// How the camera's hardware lays rows. rpicam-vid sends the hardware's memory as it is (rpicam-apps `null_encoder.cpp`), with
/// the padding of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rows {
    /// A row of Y is as long as a multiple of this.
    pub(super) alignment: usize,
}

impl Rows {
    /// The older boards: `bytesperline_align` of `YUV420` in the kernel's `bcm2835-isp-fmts.h`.
    pub(super) const VIDEOCORE: Self = Self { alignment: 64 };

    /// The boards with a PiSP. libpisp aligns each row to 64 bytes (`PISP_BACK_END_OUTPUT_MAX_ALIGN`). A row of Y is twice a row
    /// of chroma (libcamera `pisp.cpp`, `computeOptimalStride`).
    pub(super) const PISP: Self = Self { alignment: 128 };

    /// Whether such frames have no padding, so that their planes lie as ours do.
    pub(super) fn are_whole(self, size: Size) -> bool {
        size.width.is_multiple_of(self.alignment) && size.height.is_multiple_of(2)
    }

    /// The largest size within `size` that has no padding.
    pub(super) fn rounded(self, size: Size) -> Size {
        let width = (size.width / self.alignment).max(1) * self.alignment;
        Size::new(width, (size.height & !1).max(2))
    }
}

impl RawFrames {
    /// For frames with this layout, in such rows.
    pub(super) fn new(layout: FrameLayout, rows: Rows) -> Self {
        let mut this = Self {
            layout,
            rows,
            pool: PlanesPool::default(),
            filling: Arc::default(),
            at: 0,
            ready: None,
            stale: 0,
        };
        this.begin();
        this
    }

    /// Takes the size and the colours that the camera was configured for. It is too late for another size once bytes have come.
    pub(super) fn adjust(&mut self, Granted { size, colour }: Granted) -> Fit {
        if !self.rows.are_whole(size) {
            return Fit::Padded;
        }
        let is_another = size != self.layout.size;
        if is_another && (self.at > 0 || self.ready.is_some()) {
            return Fit::TooLate;
        }
        self.layout = FrameLayout { size, stride: size.width, colour, ..self.layout };
        if is_another {
            self.begin();
        }
        Fit::Fits
    }

    /// Begins a new frame, in planes that nobody reads. Returns the planes of the last one.
    fn begin(&mut self) -> Arc<Planes> {
        let filled = std::mem::replace(&mut self.filling, self.pool.take());
        self.at = 0;
        let planes = Arc::get_mut(&mut self.filling).expect("taken from the pool, nobody reads it");
        planes.reshape(self.layout.size, Chroma::Yuv420);
        filled
    }

    /// Reads what has come.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn fill(&mut self, from: &mut File) -> io::Result<Came> {
        let mut frames = 0;
        let otherwise = loop {
            if frames == MOST_IN_A_TURN {
                break Came::Nothing;
            }
            let planes =
                Arc::get_mut(&mut self.filling).expect("nobody reads it until it is whole");
            let space = &mut planes.packed_mut()[self.at..];
            match from.read(space) {
                Ok(0) => break Came::End,
                Ok(count) if count < space.len() => self.at += count,
                Ok(_) => {
                    frames += 1;
                    self.whole();
                }
                Err(error) if is_nothing(&error) => break Came::Nothing,
                Err(error) => return Err(error),
            }
        };
        self.stale += frames.saturating_sub(1);
        Ok(if frames > 0 { Came::Frames(frames) } else { otherwise })
    }

    fn whole(&mut self) {
        if let Some(older) = self.ready.take() {
            self.pool.give_back(older);
        }
        self.ready = Some(self.begin());
    }

    /// Whether a frame has begun and is not whole.
    pub(super) fn is_in_a_frame(&self) -> bool {
        self.at > 0
    }

    /// The newest whole frame. It stays the same until another one is whole.
    pub(super) fn newest(&self) -> Option<Content<'_>> {
        let planes = self.ready.as_ref()?;
        Some(Content::Shared(SharedFrame { planes, layout: &self.layout }))
    }

    /// Frames that came and were not used.
    pub(super) fn drops(&self) -> Drops {
        Drops { stale: self.stale, broken: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::image::pixels::{ChromaOrder, Colour, PixelFormat};
    use nix::fcntl::OFlag;
    use nix::unistd::pipe2;
    use std::io::Write;

    const LEN: usize = 64 * 4 * 3 / 2;

    fn frames() -> (RawFrames, File, File) {
        let size = Size::new(64, 4);
        let layout = FrameLayout::new(
            PixelFormat::Planar(Chroma::Yuv420, ChromaOrder::CbCr),
            size,
            size.width,
            Colour::JPEG,
        );
        let (out, into) = pipe2(OFlag::O_NONBLOCK).expect("a pipe");
        (RawFrames::new(layout, Rows::VIDEOCORE), out.into(), into.into())
    }

    fn first_byte(frames: &RawFrames) -> u8 {
        let Some(Content::Shared(shared)) = frames.newest() else { panic!("no frame") };
        assert_eq!(shared.planes.packed().len(), LEN);
        shared.planes.packed()[0]
    }

    #[test]
    fn frames_are_cut_where_they_end_in_any_chopping_and_the_newest_is_ready() {
        let bytes: Vec<u8> = (1..=3).flat_map(|number| [number; LEN]).collect();
        for chop in [1, 7, LEN - 1, LEN, LEN + 1, 3 * LEN] {
            let (mut frames, mut out, mut into) = frames();
            let mut count = 0;
            for piece in bytes.chunks(chop) {
                into.write_all(piece).expect("room");
                while let Came::Frames(more) = frames.fill(&mut out).expect("reads") {
                    count += more;
                    assert_eq!(u64::from(first_byte(&frames)), count, "pieces of {chop}");
                }
            }
            assert_eq!(count, 3, "pieces of {chop}");
            // Only a piece that holds more than one frame makes some of them old.
            assert_eq!(
                frames.drops().stale,
                if chop == 3 * LEN { 2 } else { 0 },
                "pieces of {chop}"
            );
            assert!(!frames.is_in_a_frame());
            drop(into);
            assert_eq!(frames.fill(&mut out).expect("reads"), Came::End);
        }
    }

    #[test]
    fn a_size_whose_rows_have_padding_on_this_board_does_not_fit() {
        let granted = |width| Granted { size: Size::new(width, 64), colour: Colour::JPEG };
        for (rows, width, fit) in [
            (Rows::VIDEOCORE, 64, Fit::Fits),
            (Rows::VIDEOCORE, 320, Fit::Fits),
            (Rows::VIDEOCORE, 1000, Fit::Padded),
            (Rows::PISP, 64, Fit::Padded),
            (Rows::PISP, 320, Fit::Padded),
            (Rows::PISP, 384, Fit::Fits),
        ] {
            let (frames, ..) = frames();
            let mut frames = RawFrames::new(frames.layout, rows);
            assert_eq!(frames.adjust(granted(width)), fit, "{rows:?} {width}");
        }
    }

    #[test]
    fn planes_that_somebody_reads_are_not_written() {
        let (mut frames, mut out, mut into) = frames();
        into.write_all(&[1; LEN]).expect("room");
        assert_eq!(frames.fill(&mut out).expect("reads"), Came::Frames(1));
        let Some(Content::Shared(shared)) = frames.newest() else { panic!("no frame") };
        let kept = Arc::clone(shared.planes);
        for number in 2..9 {
            into.write_all(&[number; LEN]).expect("room");
            assert_eq!(frames.fill(&mut out).expect("reads"), Came::Frames(1));
        }
        assert_eq!(first_byte(&frames), 8);
        assert!(kept.packed().iter().all(|&byte| byte == 1));
    }
}
