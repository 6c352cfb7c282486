//! Takes frames from an open source and feeds them to whoever watches, until the source fails, nobody does for long, or
//! the end is asked for.

use super::complaint::Complaint;
use super::feed::{Feed, Watched};
use super::update::{StatusText, StreamFacts, Update};
use crate::image::frame::{Micros, RawFrame};
use crate::image::jpeg::markers;
use crate::image::pixels::PixelFormat;
use crate::source::{FrameSource, SourceError, clock};
use crate::stop::Stop;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// Why a source that works is no longer read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureEnd {
    /// The end was asked for.
    Stopped,
    /// Nobody has watched for so long.
    Idle,
}

/// Runs until `stop` is requested, nobody has watched for `idle_stop`, or the source gives no frames any more.
///
/// # Errors
/// The source's own.
pub fn run_once(
    source: &mut dyn FrameSource,
    feed: &mut Feed,
    idle_stop: Option<Duration>,
    stop: &Stop,
) -> Result<CaptureEnd, SourceError> {
    let description = source.description();
    let starting = Update::Status(Arc::new(StatusText {
        code: StatusCode::Starting,
        text: format!("waiting for the next picture of {description}"),
    }));
    let mut stream = None;
    let mut complaint = Complaint::default();
    let mut broken = 0;
    let mut idle = Idle { limit: idle_stop, since: None };
    let metrics = Arc::clone(feed.metrics());
    while let Some(frame) = source.next_frame(stop)? {
        let stream = stream.get_or_insert_with(|| {
            let facts = Arc::new(facts(&description, &frame, metrics.complaints().len()));
            metrics.begins(frame.captured_at, &facts);
            facts
        });
        metrics.captured(frame.sequence, frame.captured_at);
        let outcome = feed.frame(&frame, stream, &starting);
        let watched = *outcome.as_ref().unwrap_or(&Watched::Yes);
        if outcome.is_err() {
            metrics.failed(1);
        }
        if let Some(status) = complaint.note(outcome.err().map(|error| error.to_string())) {
            feed.no_picture(&status);
        }
        if watched == Watched::Yes {
            idle.since = None;
        } else if idle.is_over(clock::now()) {
            return Ok(CaptureEnd::Idle);
        }
        let broken_now = source.drops().broken;
        let before = std::mem::replace(&mut broken, broken_now);
        if before != broken_now {
            metrics.failed(broken_now.saturating_sub(before));
            log::debug!("{broken_now} broken frames so far");
        }
    }
    Ok(CaptureEnd::Stopped)
}

/// How long nobody has watched.
#[derive(Debug)]
struct Idle {
    /// `None`: for ever is fine.
    limit: Option<Duration>,
    since: Option<Micros>,
}

impl Idle {
    /// Whether nobody has watched for too long, now that nobody does.
    fn is_over(&mut self, now: Micros) -> bool {
        let since = *self.since.get_or_insert(now);
        self.limit.is_some_and(|limit| now.since(since) >= limit)
    }
}

/// What is known of a source once its first frame is there: a pipe's size is that of its pictures.
fn facts(description: &str, first: &RawFrame<'_>, complaints: usize) -> StreamFacts {
    let mut layout = *first.layout;
    if layout.format == PixelFormat::Jpeg {
        layout.size = markers::picture_size(first.bytes).unwrap_or(layout.size);
    }
    let source = format!("{description}: {layout}");
    log::info!("capturing from {source}");
    // For viewers that have no page to look at.
    let source = match complaints {
        0 => source,
        1 => format!("{source} (something is wrong: see its page)"),
        count => format!("{source} ({count} things are wrong: see its page)"),
    };
    let interval = layout.interval.filter(|interval| !interval.is_zero());
    StreamFacts { source, millifps: interval.map_or(0, millifps), size: layout.size }
}

fn millifps(interval: Duration) -> u32 {
    let rate = 1e12 / interval.as_nanos() as f64;
    // Rates a camera can have are far below 4 million frames a second; the cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rate = rate.round() as u32;
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_in_thousandths() {
        assert_eq!(millifps(Duration::from_nanos(33_333_333)), 30_000);
        assert_eq!(millifps(Duration::from_micros(33_367)), 29_970);
        assert_eq!(millifps(Duration::from_secs(2)), 500);
    }

    #[test]
    fn it_is_over_when_nobody_has_watched_for_the_limit() {
        let at = |seconds: u64| Micros(seconds * 1_000_000);
        let mut idle = Idle { limit: Some(Duration::from_secs(60)), since: None };
        assert!(!idle.is_over(at(1)));
        assert!(!idle.is_over(at(60)));
        assert!(idle.is_over(at(61)));
        let mut never = Idle { limit: None, since: None };
        assert!(!never.is_over(at(1)) && !never.is_over(at(100_000)));
    }
}
