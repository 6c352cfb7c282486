//! What all sessions of one camera share.

use super::access::{Access, Mode};
use super::connections::Connections;
use super::controls::Controls;
use super::listen::reaches_others;
use super::metrics::Metrics;
use super::notices::Notices;
use super::roster::Roster;
use super::roster::wish::Wish;
use crate::net::tls::handshake::Server;
use crate::stop::Stop;
use std::net::SocketAddr;
use std::sync::Arc;

/// One camera, as its sessions see it. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Camera {
    /// The name that viewers show.
    pub name: String,
    /// Distinguishes this camera from all others, even with the same name. Made by
    /// `camera::id`.
    pub id: String,
    /// Where frames and statuses come from.
    pub roster: Arc<Roster>,
    /// The counters of all threads.
    pub metrics: Arc<Metrics>,
    /// Pictures of words, for viewers that understand only pictures, while there is no camera
    /// picture.
    pub notices: Arc<Notices>,
    /// What the camera shows to viewers that speak TLS; `None` while it does not speak it.
    pub tls: Option<Server>,
    /// What the tutorial's client gets, if it is served.
    pub tutorial: Option<Wish>,
    /// Which requests HTTP answers.
    pub http: HttpRules,
    /// Where viewers set the controls of the source; `None` if they may not.
    pub controls: Option<Arc<Controls>>,
    /// Who may watch; `None` if everybody on the LAN may.
    pub access: Option<Arc<Access>>,
    /// Who is connected, and how many may watch at once.
    pub connections: Connections,
    /// Ends all sessions.
    pub stop: Stop,
}

impl Camera {
    /// The camera as those see it who connect to this address. Only this machine reaches a listener on loopback, so nobody
    /// needs a key there. The tutorial's client shows none, so it is not served where one is needed.
    #[must_use]
    pub fn at(&self, listener: &SocketAddr) -> Self {
        let access = self.access.clone().filter(|_| reaches_others(listener));
        let tutorial = self.tutorial.filter(|_| access.is_none());
        Self { access, tutorial, ..self.clone() }
    }

    /// Who may watch.
    pub fn mode(&self) -> Mode {
        if self.access.is_some() { Mode::Keys } else { Mode::Open }
    }
}

/// Which requests HTTP answers.
#[derive(Debug, Clone, Default)]
pub struct HttpRules {
    /// The host names of the camera, besides its addresses.
    pub names: Vec<String>,
    /// The origins whose pages may read its answers; `*` for all.
    pub origins: Vec<String>,
    /// Whether lancam runs as a service, whose options are in a file.
    pub is_service: bool,
}
