//! Takes frames from an open source and has them encoded, until the source fails or the end is asked for.

use super::encode::Renditions;
use super::update::{StatusText, StreamFacts, Update};
use crate::image::frame::RawFrame;
use crate::image::jpeg::markers;
use crate::image::pixels::PixelFormat;
use crate::source::{FrameSource, SourceError};
use crate::stop::Stop;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;

/// Runs until `stop` is requested (`Ok`) or the source gives no frames any more.
///
/// # Errors
/// The source's own.
pub fn run_once(
    source: &mut dyn FrameSource,
    renditions: &mut Renditions,
    stop: &Stop,
) -> Result<(), SourceError> {
    let description = source.description();
    let starting = Update::Status(Arc::new(StatusText {
        code: StatusCode::Starting,
        text: format!("{description} has not sent a picture yet"),
    }));
    let mut stream = None;
    let mut complaint = Complaint::default();
    let mut broken = 0;
    while let Some(frame) = source.next_frame(stop)? {
        let stream = stream.get_or_insert_with(|| Arc::new(facts(&description, &frame)));
        let outcome = renditions.encode(&frame, stream, &starting);
        complaint.note(outcome.err().map(|error| error.to_string()));
        let broken_now = source.drops().broken;
        if std::mem::replace(&mut broken, broken_now) != broken_now {
            log::debug!("{broken_now} broken frames so far");
        }
    }
    Ok(())
}

/// What is known of a source once its first frame is there: a pipe's size is that of its pictures.
fn facts(description: &str, first: &RawFrame<'_>) -> StreamFacts {
    let mut layout = *first.layout;
    if layout.format == PixelFormat::Jpeg {
        layout.size = markers::picture_size(first.bytes).unwrap_or(layout.size);
    }
    let source = format!("{description}: {layout}");
    log::info!("capturing from {source}");
    let interval = layout.interval.filter(|interval| !interval.is_zero());
    StreamFacts { source, millifps: interval.map_or(0, millifps) }
}

/// Logs a repeating trouble when it begins, changes and ends; not at every frame.
#[derive(Debug, Default)]
struct Complaint {
    text: Option<String>,
    frames: u64,
}

impl Complaint {
    fn note(&mut self, trouble: Option<String>) {
        match (&self.text, &trouble) {
            (None, None) => return,
            (Some(_), None) => log::info!("frames can be sent again, after {} lost", self.frames),
            (old, Some(text)) if old.as_ref() != Some(text) => log::warn!("frame dropped: {text}"),
            _ => {}
        }
        self.frames = if trouble.is_some() { self.frames + 1 } else { 0 };
        self.text = trouble;
    }
}

fn millifps(interval: std::time::Duration) -> u32 {
    let rate = 1e12 / interval.as_nanos() as f64;
    // Rates a camera can have are far below 4 million frames a second; the cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rate = rate.round() as u32;
    rate
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn rates_are_told_in_thousandths() {
        assert_eq!(millifps(Duration::from_nanos(33_333_333)), 30_000);
        assert_eq!(millifps(Duration::from_micros(33_367)), 29_970);
        assert_eq!(millifps(Duration::from_secs(2)), 500);
    }
}
