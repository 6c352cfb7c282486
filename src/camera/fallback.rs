//! Runs a camera although its options can never work: with fewer options, and with a complaint
//! where people see it.

use super::access::Mode;
use super::config::{Config, ConfigErrors, NO_KEY_IN_PICKLE};
use super::listen::{self, Listen, ListenError};
use super::metrics::Metrics;
use crate::settings::COMPLAINTS;
use crate::source::{CaptureWish, CsiWish, Opener, SourceError, SourceSpec, Trouble};
use crate::stop::Stop;
use std::net::TcpListener;
use std::time::Duration;

/// How long to wait before trying again when no plan works.
const AGAIN: Duration = Duration::from_secs(2);

/// Reports every mistake in the configuration: in the log, on the page and in `/state`.
pub fn complain(config: &Config, metrics: &Metrics) {
    for problem in &config.problems {
        log::error!("{problem}");
        metrics.complain(problem.to_string());
    }
    // On a prepared card, `lancam-setup` writes its complaints to a file, some of them after lancam
    // has started. The owner of such a card does not read logs, so lancam shows them.
    if config.config_errors == ConfigErrors::Defaults {
        metrics.heed(COMPLAINTS.into());
    }
}

/// Reports that the tutorial's client is not served where a key is needed. `config` did not show it: sockets were handed
/// over, or lancam listens elsewhere than it was told.
pub fn complain_of_pickle(config: &Config, access: Mode, metrics: &Metrics) {
    if config.pickle && access == Mode::Keys {
        log::error!("{NO_KEY_IN_PICKLE}");
        metrics.complain(NO_KEY_IN_PICKLE.to_owned());
    }
}

/// Listens where `config` says. If that fails and `--config-errors defaults` is set, listens on the
/// default ports.
///
/// # Errors
/// When no address can be listened on.
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

/// Checks at the start whether the source can ever work, unless `--config-errors defaults` is set.
///
/// # Errors
/// Why it can never work.
pub fn check_source(config: &Config, stop: &Stop) -> Result<(), SourceError> {
    match config.config_errors {
        ConfigErrors::Stop => Opener::new(config.source.clone(), config.capture).check(stop),
        ConfigErrors::Defaults => Ok(()),
    }
}

/// Calls `run` with the source that `config` names. If that source can never work and
/// `--config-errors defaults` is set, tries it without options, then any camera.
///
/// # Errors
/// The error of `run`.
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
    // A pipe on standard input has no fallback: its writer starts anew only when lancam does.
    if config.config_errors == ConfigErrors::Defaults && *named != SourceSpec::StandardInput {
        plans.push(as_it_is(named));
        plans.push(as_it_is(&SourceSpec::Auto));
    }
    let last = plans.len() - 1;
    for (number, opener) in plans.into_iter().enumerate() {
        match run(opener) {
            Err(error) if error.trouble == Trouble::Unusable && last > 0 => {
                log::error!("{error}");
                // Complain about the options, and also when the named camera is not used at all;
                // but do not repeat the same message.
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
