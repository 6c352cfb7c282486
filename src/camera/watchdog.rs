//! Tells the service manager that the camera is ready, what its state is, and that it is alive
//! while its capture thread makes progress.

use super::context::Camera;
use super::metrics::{Metrics, SourceState};
use super::state;
use crate::clock;
use crate::image::frame::Micros;
use crate::net::notify::Notifier;
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longer than any source waits for a frame or a driver before it reports an error and is opened
/// again.
const HUNG: Duration = Duration::from_secs(12);

/// How often to check whether viewers can be shown something, until READY is sent.
const STARTING: Duration = Duration::from_millis(20);

/// The shortest time between two status messages.
const STATUS: Duration = Duration::from_secs(1);

/// Starts the watchdog thread. It ends when the program is stopped.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(notifier: Notifier, camera: Camera) -> io::Result<JoinHandle<()>> {
    let watchdog = Watchdog {
        notifier,
        camera,
        pulse: Pulse::default(),
        ready: Ready::NotYet,
        told: String::new(),
    };
    thread::Builder::new().name("watchdog".into()).spawn(move || watchdog.run())
}

struct Watchdog {
    notifier: Notifier,
    camera: Camera,
    pulse: Pulse,
    ready: Ready,
    /// The last status sent.
    told: String,
}

#[derive(PartialEq, Eq)]
enum Ready {
    NotYet,
    Told,
}

impl Watchdog {
    fn run(mut self) {
        // Three beats in each watchdog period: two may be lost.
        let between = self.notifier.watchdog().map_or(STATUS, |time| STATUS.min(time / 3));
        loop {
            let pause = if self.ready == Ready::Told { between } else { STARTING.min(between) };
            if self.camera.stop.wait(pause) {
                self.notifier.tell("STOPPING=1\nSTATUS=ending");
                return;
            }
            self.beat(clock::now());
        }
    }

    fn beat(&mut self, now: Micros) {
        let metrics = &self.camera.metrics;
        // READY once there is a frame, or a reason why there is none: viewers can be served either.
        let has_begun = metrics.health(now).state != SourceState::Starting;
        let lives = self.pulse.is_felt(metrics, now);
        if self.ready == Ready::NotYet && has_begun && self.notifier.tell("READY=1") {
            self.ready = Ready::Told;
        }
        let (_, text) = state::health(&self.camera, now);
        let status = match lives {
            true => format!("{}; viewers: {}", text.trim_end(), self.camera.connections.viewers()),
            false => "the capture thread hangs".to_owned(),
        };
        if self.told != status && self.notifier.status(&status) {
            self.told = status;
        }
        if lives && self.notifier.watchdog().is_some() {
            self.notifier.tell("WATCHDOG=1");
        }
    }
}

/// Whether the capture thread still makes progress.
#[derive(Debug, Default)]
struct Pulse {
    turns: u64,
    /// When this count of turns was first seen.
    since: Option<Micros>,
}

impl Pulse {
    fn is_felt(&mut self, metrics: &Metrics, now: Micros) -> bool {
        let turns = metrics.turns();
        // While the camera is off because nobody watches, the capture thread may sleep for ever.
        let rests = metrics.health(now).state == SourceState::Resting;
        if rests || turns != self.turns || self.since.is_none() {
            *self = Self { turns, since: Some(now) };
        }
        // A camera with a low frame rate gets more time: it may take five intervals before it
        // reports that it is late.
        let patience = HUNG + metrics.interval() * 6;
        self.since.is_none_or(|since| now.since(since) < patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_announced_few_frames_is_given_time_for_its_first() {
        let at = |seconds: u64| Micros(seconds * 1_000_000);
        let metrics = Metrics::new(at(0));
        metrics.expects(Some(Duration::from_secs(20)));
        let mut pulse = Pulse::default();
        assert!(pulse.is_felt(&metrics, at(1)));
        assert!(pulse.is_felt(&metrics, at(110)));
        assert!(!pulse.is_felt(&metrics, at(140)), "but not for ever");
    }

    #[test]
    fn it_lives_while_the_capture_thread_turns_or_rests() {
        let at = |seconds: u64| Micros(seconds * 1_000_000);
        let metrics = Metrics::new(at(0));
        let mut pulse = Pulse::default();
        assert!(pulse.is_felt(&metrics, at(1)));
        assert!(pulse.is_felt(&metrics, at(12)));
        assert!(!pulse.is_felt(&metrics, at(14)));
        metrics.turned();
        assert!(pulse.is_felt(&metrics, at(15)), "it goes on");
        metrics.is(SourceState::Resting, at(20));
        assert!(pulse.is_felt(&metrics, at(1000)), "it rests");
        metrics.is(SourceState::Starting, at(1001));
        assert!(pulse.is_felt(&metrics, at(1002)));
        assert!(!pulse.is_felt(&metrics, at(1020)), "it was to start, and does not");
    }
}
