//! What all sessions of one camera share.

use super::connections::Connections;
use super::controls::Controls;
use super::metrics::Metrics;
use super::notices::Notices;
use super::roster::Roster;
use super::roster::wish::Wish;
use crate::stop::Stop;
use std::sync::Arc;

/// One camera, as its sessions know it. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Camera {
    /// Shown in viewers.
    pub name: String,
    /// Tells it from any other camera, whatever they are called: `camera::identity` makes it.
    pub id: String,
    /// Where frames and statuses come from.
    pub roster: Arc<Roster>,
    /// What all threads count.
    pub metrics: Arc<Metrics>,
    /// What those are sent who understand nothing but pictures, while there is none.
    pub notices: Arc<Notices>,
    /// What the tutorial's client is sent, where it is served.
    pub tutorial: Option<Wish>,
    /// To whom HTTP answers.
    pub http: HttpRules,
    /// Where viewers set the source's controls; `None` where they may not.
    pub controls: Option<Arc<Controls>>,
    /// Who is connected, and how many may watch at once.
    pub connections: Connections,
    /// Asks all sessions to end.
    pub stop: Stop,
}

/// To whom HTTP answers.
#[derive(Debug, Clone, Default)]
pub struct HttpRules {
    /// The names that the camera may be called by, besides its addresses.
    pub names: Vec<String>,
    /// The origins whose pages may read what it says; `*` for all.
    pub origins: Vec<String>,
}
