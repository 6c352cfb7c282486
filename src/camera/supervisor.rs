//! Keeps a source open while it is watched: tells viewers why there is no picture, waits, and tries again.

use super::capture::{self, CaptureEnd};
use super::desk::Desk;
use super::feed::Feed;
use super::metrics::SourceState;
use super::renditions::{Renditions, Waking};
use super::update::{StatusText, Update};
use crate::image::unpack::RawLook;
use crate::source::{Opener, SourceError, SourceSpec, Trouble, clock};
use crate::stop::Stop;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait before a source is tried again when nothing tells that it has changed: doubled
/// from the first to the last. A camera that was reset is back within the first few.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_millis(500);

/// A source that gave frames for so long was well; one that fails sooner is failing all the time, and
/// is neither tried nor complained of as often.
const STEADY: Duration = Duration::from_secs(2);

/// Runs until `stop` is requested, or the source ends or can never be used. A source that nobody has watched for
/// `idle_stop` is closed until somebody does. While it is open, its controls are set at `desk`.
///
/// # Errors
/// [`Trouble::Unusable`]: this source will never give a picture.
pub fn run(
    mut opener: Opener,
    renditions: &Arc<Renditions>,
    desk: Option<&Desk>,
    look: RawLook,
    idle_stop: Option<Duration>,
    stop: &Stop,
) -> Result<(), SourceError> {
    // Whoever writes into the pipe would be held up by our rest.
    let idle_stop = idle_stop.filter(|_| *opener.spec() != SourceSpec::StandardInput);
    let mut feed = Feed::new(Arc::clone(renditions), look);
    let mut logged: Option<SourceError> = None;
    let mut retry = FIRST_RETRY;
    loop {
        renditions.metrics().turned();
        let mut opened_at = None;
        let outcome = opener.open().and_then(|mut source| {
            opened_at = Some(clock::now());
            if let Some(desk) = desk {
                desk.begin(&*source);
            }
            let ended = capture::run_once(&mut *source, &mut feed, idle_stop, stop);
            if let Some(desk) = desk {
                desk.end();
            }
            ended
        });
        let error = match outcome {
            Ok(CaptureEnd::Stopped) => return Ok(()),
            // The source was closed on the way here: its light is off, and others may use it.
            Ok(CaptureEnd::Idle) => match rest(&opener, renditions, stop) {
                Waking::Stop => return Ok(()),
                Waking::ViewerCame => {
                    logged = None;
                    retry = FIRST_RETRY;
                    continue;
                }
            },
            Err(error) => error,
        };
        match error.trouble {
            Trouble::Unusable => return Err(error),
            Trouble::Ended => {
                log::info!("{error}");
                return Ok(());
            }
            _ => {}
        }
        if opened_at.is_some_and(|at| clock::now().since(at) >= STEADY) {
            logged = None;
            retry = FIRST_RETRY;
        }
        let is_news = logged.as_ref() != Some(&error);
        renditions.metrics().is(SourceState::Down, clock::now());
        if is_news || opened_at.is_some() {
            // Frames may have come in between: viewers must not take the last one for live.
            renditions.no_picture(&status(&error));
        }
        if is_news {
            log::warn!("{error}");
            logged = Some(error);
        }
        if stop.is_requested() {
            return Ok(());
        }
        opener.wait_for_change(stop, retry);
        retry = (retry * 2).min(LAST_RETRY);
    }
}

/// Waits until somebody watches.
fn rest(opener: &Opener, renditions: &Renditions, stop: &Stop) -> Waking {
    log::info!("nobody watches {}: it rests", opener.spec());
    renditions.no_picture(&Update::Status(Arc::new(StatusText {
        code: StatusCode::Starting,
        text: format!("{} rested while nobody watched, and is being started", opener.spec()),
    })));
    renditions.metrics().is(SourceState::Resting, clock::now());
    let waking = renditions.rest(stop);
    if waking == Waking::ViewerCame {
        renditions.metrics().is(SourceState::Starting, clock::now());
        log::info!("somebody watches {}: it is started", opener.spec());
    }
    waking
}

fn status(error: &SourceError) -> Update {
    let code = match error.trouble {
        Trouble::NoCamera => StatusCode::NoCamera,
        Trouble::Lost | Trouble::Ended => StatusCode::CameraLost,
        Trouble::Busy | Trouble::Denied | Trouble::Bandwidth | Trouble::Unusable => {
            StatusCode::CameraRefused
        }
    };
    Update::Status(Arc::new(StatusText { code, text: error.message.clone() }))
}
