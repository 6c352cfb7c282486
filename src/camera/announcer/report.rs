//! Logs how the camera is found: once for each change, and rarely if a neighbour causes many
//! changes.

use crate::net::reach::Reach;
use crate::wire::mdns::{Called, Standing};
use std::fmt;
use std::time::{Duration, Instant};

/// What was logged.
#[derive(Debug)]
pub(super) struct Report {
    port: u16,
    web_port: u16,
    /// How browsers reach it: `http` or `https`.
    scheme: &'static str,
    found_as: Option<Called>,
    found_at: Option<Instant>,
    /// How many names were logged.
    told: usize,
    complaint: Option<&'static str>,
}

/// The first few names are logged at once. After that, a new name is logged at most once in this
/// time.
const FIRST: usize = 3;
const APART: Duration = Duration::from_secs(60);

/// The complaints, each logged once until the camera is found.
const NO_NETWORK: &str = "no network";
const CROWDED: &str = "crowded";
const FAILED: &str = "failed";

impl Report {
    pub(super) fn new(reach: &Reach, scheme: &'static str) -> Self {
        let &Reach { port, web_port, .. } = reach;
        Self { port, web_port, scheme, found_as: None, found_at: None, told: 0, complaint: None }
    }

    /// Logs that the camera cannot be announced now.
    pub(super) fn failed(&mut self, error: &impl fmt::Display) {
        if self.is_new(FAILED) {
            log::warn!(
                "cannot announce this camera on the LAN: {error}. Viewers need its address. lancam tries again at \
                 least once a minute"
            );
        } else {
            log::debug!("still cannot announce this camera on the LAN: {error}");
        }
    }

    /// Logs the current standing, if it is new.
    pub(super) fn tell(&mut self, standing: &Standing, now: Instant) {
        match standing {
            Standing::Alone if self.found_as.is_none() => {
                if self.is_new(NO_NETWORK) {
                    log::info!("this camera is not announced yet: this machine has no network");
                }
            }
            Standing::Crowded => {
                if self.is_new(CROWDED) {
                    log::warn!(
                        "cannot announce this camera on the LAN: another device claims every name that lancam tries. \
                         Viewers need its address. lancam tries again every 5 s"
                    );
                }
            }
            Standing::Found(called) => self.found(called, now),
            Standing::Alone | Standing::Asking => {}
        }
    }

    fn found(&mut self, called: &Called, now: Instant) {
        self.complaint = None;
        let is_same = self.found_as.as_ref() == Some(called);
        let is_soon = self.told >= FIRST && self.found_at.is_some_and(|at| now < at + APART);
        if is_same || is_soon {
            return;
        }
        self.found_at = Some(now);
        self.told += 1;
        let Called { instance, host, is_renamed, host_of_another } = called;
        log::info!(
            "announced on the LAN as {instance}, port {}; browsers find it at {}://{host}.local:{}/",
            self.port,
            self.scheme,
            self.web_port
        );
        if *is_renamed {
            log::warn!(
                "another device on the LAN has this camera's name, so this one is called {instance}. --name NAME changes that"
            );
        }
        if let Some(other) = host_of_another {
            log::warn!(
                "another device on the LAN has the name {other}.local, so browsers find this camera at {host}.local. \
                 --name NAME changes that"
            );
        }
        self.found_as = Some(called.clone());
    }

    fn is_new(&mut self, complaint: &'static str) -> bool {
        self.complaint.replace(complaint) != Some(complaint)
    }
}
