//! A camera's frame as the camera lends it: borrowed bytes and what they mean.

use super::pixels::{PixelFormat, Range, Size};
use std::fmt;
use std::time::Duration;

/// A moment on the camera machine's `CLOCK_MONOTONIC`, in microseconds: what V4L2 stamps frames with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Micros(pub u64);

impl Micros {
    /// The time from `earlier` to `self`; zero when the two are the other way round.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// How the bytes of every frame of a stream are laid out, as the driver granted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLayout {
    /// What the bytes are.
    pub format: PixelFormat,
    /// Visible size.
    pub size: Size,
    /// Bytes from one row to the next; 0 for compressed formats.
    pub stride: usize,
    /// Range of the code values; JPEG is always full.
    pub range: Range,
    /// Time between frames, where the driver or the user named one.
    pub interval: Option<Duration>,
}

impl FrameLayout {
    /// How many bytes a whole raw frame has at least; `None` for compressed formats.
    pub fn frame_len(&self) -> Option<usize> {
        let last_row = self.format.min_stride(self.size.width)?;
        Some(self.stride * (self.size.height - 1) + last_row)
    }
}

impl fmt::Display for FrameLayout {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.size, self.format)?;
        match self.interval {
            Some(interval) if !interval.is_zero() => {
                // 30, 29.97, 7.5: no zeros that say nothing.
                let fps = format!("{:.2}", 1.0 / interval.as_secs_f64());
                write!(out, " {} fps", fps.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => Ok(()),
        }
    }
}

/// One frame, lent by its source until the next is asked for. It never leaves the capture thread.
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'a> {
    /// Exactly the bytes the driver filled.
    pub bytes: &'a [u8],
    /// What they mean.
    pub layout: &'a FrameLayout,
    /// Rises by one per captured frame, by more where frames were lost before this one.
    pub sequence: u64,
    /// When the camera took it.
    pub captured_at: Micros,
}
