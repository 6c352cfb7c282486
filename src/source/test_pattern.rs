//! A source that draws a moving test pattern in YUYV, with a readable clock and a stamp for tests.

use super::control::AnyBoard;
use super::frame_count::FrameCount;
use super::pattern_controls::{Look, PatternControls};
use super::{Drops, FrameSource, Next, SourceError};
use crate::clock;
use crate::image::frame::{Content, Frame, FrameLayout, Micros, RawFrame, TimedBy};
use crate::image::orientation::Orientation;
use crate::image::pixels::{Colour, PixelFormat, Size};
use crate::image::stamp::Stamp;
use crate::image::text;
use crate::rate::Rate;
use crate::stop::Stop;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Colour bars of 75 %, a ball that moves one step a frame, the time of day, the frame number and,
/// along the lower edge, a [`Stamp`].
#[derive(Debug)]
pub struct TestPattern {
    layout: FrameLayout,
    /// The bars. Each frame starts as a copy of them.
    background: Vec<u8>,
    frame: Vec<u8>,
    interval: Duration,
    next_at: Micros,
    count: FrameCount,
    stale: u64,
    line: Vec<u8>,
    controls: Arc<PatternControls>,
    /// The look with which the background was drawn.
    look: Look,
}

impl TestPattern {
    /// A pattern of this size and rate.
    pub fn new(size: Size, rate: Rate) -> Self {
        let stride = size.width.div_ceil(2) * 4;
        let interval = rate.interval().unwrap_or_default();
        let layout = FrameLayout::new(PixelFormat::YUYV, size, stride, Colour::CAMERA);
        let layout = FrameLayout { interval: Some(interval), ..layout };
        let look = Look::default();
        let mut background = vec![0; stride * size.height];
        draw_bars(&mut background, stride, size.width, look);
        Self {
            layout,
            frame: background.clone(),
            background,
            interval,
            next_at: clock::now(),
            count: FrameCount::default(),
            stale: 0,
            line: Vec::with_capacity(64),
            controls: Arc::default(),
            look,
        }
    }

    /// Marks its frames to be turned like this by their consumers.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    /// Numbers its frames by `count`.
    #[must_use]
    pub(super) fn counting(self, count: FrameCount) -> Self {
        Self { count, ..self }
    }

    /// Draws each frame as `controls` say.
    #[must_use]
    pub(super) fn with_controls(self, controls: Arc<PatternControls>) -> Self {
        Self { controls, ..self }
    }

    fn draw(&mut self, sequence: u64, made_at: Micros) {
        let look = self.controls.look();
        if std::mem::replace(&mut self.look, look) != look {
            let FrameLayout { stride, size, .. } = self.layout;
            draw_bars(&mut self.background, stride, size.width, look);
        }
        self.frame.copy_from_slice(&self.background);
        let Size { width, height } = self.layout.size;
        let stride = self.layout.stride;
        let frame = &mut self.frame;
        let mut fill = |columns: std::ops::Range<usize>, row: usize, luma: u8| {
            if row < height {
                let columns = columns.start.min(width)..columns.end.min(width);
                fill_grey(&mut frame[row * stride..][..stride], columns, luma);
            }
        };

        // A ball that moves to and fro, so that every dropped or repeated frame can be seen.
        let radius = (height / 10).max(1);
        let way = (width.saturating_sub(2 * radius)).max(1);
        let place =
            usize::try_from(sequence).unwrap_or(0).wrapping_mul((width / 100).max(1)) % (2 * way);
        let centre_x = radius + if place < way { place } else { 2 * way - place };
        let centre_y = height / 2;
        for row in centre_y.saturating_sub(radius)..centre_y + radius {
            let dy = row.abs_diff(centre_y);
            let dx = (radius * radius - dy * dy).isqrt();
            fill(centre_x.saturating_sub(dx)..centre_x + dx, row, WHITE);
        }

        let scale = (height / 180).max(1);
        let (left, top) = (height / 20, height / 20);
        self.line.clear();
        let since_midnight =
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
                % 86_400_000;
        let (hours, minutes) = (since_midnight / 3_600_000, since_midnight / 60_000 % 60);
        let (seconds, millis) = (since_midnight / 1000 % 60, since_midnight % 1000);
        // Writing to a Vec cannot fail.
        let _ =
            write!(self.line, "{hours:02}:{minutes:02}:{seconds:02}.{millis:03} UTC  #{sequence}");
        let line = std::str::from_utf8(&self.line).expect("digits are ASCII");
        let end = left + (line.len() + 1) * text::CHARACTER_WIDTH * scale;
        for row in top..top + text::LINE_HEIGHT * scale {
            fill(left.saturating_sub(text::CHARACTER_WIDTH * scale)..end, row, BLACK);
        }
        text::draw_line(line, (left, top), scale, &mut |columns, row| fill(columns, row, WHITE));

        let low_half = u32::try_from(sequence & u64::from(u32::MAX)).expect("masked to 32 bits");
        Stamp { sequence: low_half, made_at }.draw(self.layout.size, |columns, rows, white| {
            for row in rows {
                fill(columns.clone(), row, if white { WHITE } else { BLACK });
            }
        });
    }
}

impl FrameSource for TestPattern {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        "test pattern".into()
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Next<'_>, SourceError> {
        let left = self.next_at.since(clock::now());
        if stop.wait(left.min(TURN)) {
            return Ok(Next::Stopped);
        }
        if left > TURN {
            return Ok(Next::Waiting(None));
        }
        // The wait may have ended early, since it counts in milliseconds. The rest is at most one.
        let mut now = clock::now();
        while now < self.next_at {
            std::thread::sleep(self.next_at.since(now));
            now = clock::now();
        }
        let step = u64::try_from(self.interval.as_micros()).unwrap_or(u64::MAX).max(1);
        let missed = (now.0 - self.next_at.0) / step;
        self.stale += missed;
        let sequence = self.count.advance(1 + missed);
        self.next_at.0 += (1 + missed) * step;
        self.draw(sequence, now);
        let content = Content::Raw(RawFrame { bytes: &self.frame, layout: &self.layout });
        Ok(Next::Frame(Frame { content, sequence, captured_at: now, timed_by: TimedBy::Camera }))
    }

    fn drops(&self) -> Drops {
        Drops { stale: self.stale, broken: 0 }
    }

    fn board(&self) -> Option<AnyBoard> {
        Some(Box::new(Arc::clone(&self.controls)))
    }
}

/// The longest wait in one call of `next_frame`, so that the thread can report that it is alive.
const TURN: Duration = Duration::from_secs(1);

/// Draws the same bars into every row.
fn draw_bars(rows: &mut [u8], stride: usize, width: usize, look: Look) {
    let bars = BARS.map(|bar| look.of(bar));
    for row in rows.chunks_exact_mut(stride) {
        for (pair, pixels) in row.chunks_exact_mut(4).enumerate() {
            let [luma, cb, cr] = bars[(pair * 2 * BARS.len() / width).min(BARS.len() - 1)];
            pixels.copy_from_slice(&[luma, cb, luma, cr]);
        }
    }
}

/// Fills some columns of a YUYV row with grey. Does not change the luma of their neighbours.
fn fill_grey(row: &mut [u8], columns: std::ops::Range<usize>, luma: u8) {
    for column in columns {
        let pair = column / 2 * 4;
        row[pair + column % 2 * 2] = luma;
        row[pair + 1] = NO_COLOUR;
        row[pair + 3] = NO_COLOUR;
    }
}

const WHITE: u8 = 235;
const BLACK: u8 = 16;
const NO_COLOUR: u8 = 128;

/// Y, Cb and Cr of the 75 % bars of ITU-R BT.601, limited range: white, yellow, cyan, green,
/// magenta, red, blue, black.
pub const BARS: [[u8; 3]; 8] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
    [16, 128, 128],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_its_number_and_time_in_its_pixels() {
        let stop = Stop::new().expect("eventfd");
        let size = Size::new(321, 181);
        let mut pattern = TestPattern::new(size, Rate(1_000_000));
        let mut last = 0;
        for _ in 0..3 {
            let Ok(Next::Frame(frame)) = pattern.next_frame(&stop) else { panic!("no frame") };
            let Content::Raw(raw) = frame.content else { panic!("a JPEG") };
            assert_eq!(Some(raw.bytes.len()), raw.layout.frame_len());
            let luma = |x: usize, y: usize| raw.bytes[y * raw.layout.stride + x * 2];
            let stamp = Stamp::read(size, luma).expect("a stamp");
            assert_eq!(u64::from(stamp.sequence), frame.sequence);
            assert_eq!(stamp.made_at, frame.captured_at);
            assert!(frame.sequence > last);
            last = frame.sequence;
        }
    }

    #[test]
    fn even_the_smallest_pattern_has_frames() {
        let stop = Stop::new().expect("eventfd");
        let mut pattern = TestPattern::new(Size::new(1, 1), Rate(1_000_000));
        assert!(matches!(pattern.next_frame(&stop), Ok(Next::Frame(_))));
    }
}
