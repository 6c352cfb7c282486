//! Keeps a camera going whose options can never work: with fewer of them, and a complaint where people look.

use super::config::{Config, ConfigErrors};
use super::listen::{self, Listen, ListenError};
use super::metrics::Metrics;
use crate::settings::COMPLAINTS;
use crate::source::{CaptureWish, CsiWish, Opener, SourceError, SourceSpec, Trouble};
use crate::stop::Stop;
use std::net::TcpListener;
use std::time::Duration;

/// How long to wait when nothing works at all, before it is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// Tells of everything that is wrong with the configuration: in the log now, elsewhere for good.
pub fn complain(config: &Config, metrics: &Metrics) {
    for problem in &config.problems {
        log::error!("{problem}");
        metrics.complain(problem.to_string());
    }
    // Nobody who is to have a camera whatever happens reads the log of what runs beside it, and some of that after it began.
    if config.config_errors == ConfigErrors::Defaults {
        metrics.heed(COMPLAINTS.into());
    }
}

/// Listens where `config` says or, where that cannot be and the program is to run anyway, where everybody looks.
///
/// # Errors
/// When that cannot be either.
pub fn listen(
    config: &Config,
    handed_over: Vec<TcpListener>,
    metrics: &Metrics,
) -> Result<Vec<TcpListener>, ListenError> {
    let may_try_elsewhere = config.config_errors == ConfigErrors::Defaults;
    let more = match listen::listen(&config.listen, &handed_over) {
        Err(error) if may_try_elsewhere && config.listen != Listen::Default => {
            log::error!("{error}");
            metrics.complain(format!("{error}. lancam listens on its usual ports instead"));
            listen::listen(&Listen::Default, &handed_over)
        }
        listeners => listeners,
    };
    Ok(handed_over.into_iter().chain(more?).collect())
}

/// Says before anything else what can be said of a source that can never work, unless the program is to run anyway.
///
/// # Errors
/// Why it cannot.
pub fn check_source(config: &Config, stop: &Stop) -> Result<(), SourceError> {
    match config.config_errors {
        ConfigErrors::Stop => Opener::new(config.source.clone(), config.capture).check(stop),
        ConfigErrors::Defaults => Ok(()),
    }
}

/// Runs the source that `config` names, by `run`. If that can never work and the program is to run anyway: as the camera
/// is, then any camera.
///
/// # Errors
/// As `run`.
pub fn capture(
    config: &Config,
    metrics: &Metrics,
    stop: &Stop,
    mut run: impl FnMut(Opener) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let named = &config.source;
    let turned = CaptureWish { orientation: config.capture.orientation, ..CaptureWish::default() };
    let as_it_is = |spec: &SourceSpec| {
        Opener::new(spec.clone(), turned)
            .with_csi(CsiWish { settings: Vec::new(), ..config.csi_wish() })
    };
    let full = Opener::new(named.clone(), config.capture)
        .with_controls(config.settings.clone())
        .with_csi(config.csi_wish());
    let mut plans = vec![full];
    // Whoever writes into a pipe begins anew with this program.
    if config.config_errors == ConfigErrors::Defaults && *named != SourceSpec::StandardInput {
        plans.push(as_it_is(named));
        plans.push(as_it_is(&SourceSpec::Auto));
    }
    let last = plans.len() - 1;
    for (number, opener) in plans.into_iter().enumerate() {
        match run(opener) {
            Err(error) if error.trouble == Trouble::Unusable && last > 0 => {
                log::error!("{error}");
                // What the camera cannot be asked for is told once, and so is that it is not used at all.
                if number < last && metrics.complaints().last() != Some(&error.message) {
                    metrics.complain(error.message);
                }
            }
            ended => return ended,
        }
    }
    loop {
        if stop.wait(AGAIN) {
            return Ok(());
        }
        match run(as_it_is(&SourceSpec::Auto)) {
            Err(error) if error.trouble == Trouble::Unusable => log::debug!("{error}"),
            ended => return ended,
        }
    }
}
