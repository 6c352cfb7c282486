//! A camera that this viewer is paired with: what is known of it, and whether somebody means it.

use crate::net::tls::handshake::Pin;
use crate::viewer::find::address::CameraAddress;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::wanted::Wanted;
use crate::wire::access::key::{Key, May};
use crate::wire::service::host_label;

/// A camera that this viewer is paired with.
#[derive(Debug, Clone)]
pub struct PairedCamera {
    /// Its name and its id.
    pub identity: Identity,
    /// Where it was last.
    pub address: CameraAddress,
    /// Where it was met before, the last one first. Each address belongs to the paired camera that was met there last.
    pub before: Vec<CameraAddress>,
    /// SHA-256 of its certificate.
    pub pin: Pin,
    /// The key that it has given to this viewer.
    pub key: Key,
    /// What the key allows.
    pub may: May,
}

/// How many addresses are remembered at which a camera was met before.
const MOST_BEFORE: usize = 8;

impl PairedCamera {
    /// Whether this is its id. None has an empty one.
    pub(super) fn has_id(&self, id: &str) -> bool {
        !id.is_empty() && self.identity.id == id
    }

    /// Whether it has the wanted name.
    pub(super) fn is_called(&self, wanted: &Wanted) -> bool {
        let Wanted { identity, address } = wanted;
        match identity {
            Some(identity) => self.is_named(&identity.name),
            // One machine may have several cameras, each at its port.
            None => {
                let mut known = self.before.iter().chain([&self.address]);
                let has_port = address.port.is_none_or(|port| known.any(|it| it.port() == port));
                has_port && self.is_named(address.name())
            }
        }
    }

    /// Whether somebody who says `name` means this camera: by its name, or as its host is called.
    pub(super) fn is_named(&self, name: &str) -> bool {
        let (name, own) = (name.to_lowercase(), self.identity.name.to_lowercase());
        !name.is_empty() && !own.is_empty() && (name == own || name == host_label(&own))
    }

    /// Whether it was met at this address before it was met where it was last.
    pub(super) fn was_at(&self, address: &CameraAddress) -> bool {
        self.before.iter().any(|it| it.is_same_place(address))
    }

    /// Notes where it is. When there are too many addresses, names stay longest: people type them.
    pub(super) fn is_met_at(&mut self, address: CameraAddress) {
        let last = std::mem::replace(&mut self.address, address);
        self.before.insert(0, last);
        self.before.retain(|it| !it.is_same_place(&self.address));
        while self.before.len() > MOST_BEFORE {
            let oldest = self.before.iter().rposition(CameraAddress::is_ip);
            self.before.remove(oldest.unwrap_or(MOST_BEFORE));
        }
    }

    /// Notes that a camera is at this address now where it was met before.
    pub(super) fn has_left(&mut self, address: &CameraAddress) {
        self.before.retain(|it| !it.is_same_place(address));
    }
}

/// Whether somebody who says one of these names may mean a camera that has the other.
pub(super) fn are_alike(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(str::to_lowercase);
    let labels = [&one, &other].map(|name| host_label(name));
    !one.is_empty() && (one == other || labels[0] == labels[1] && labels[0] != host_label(""))
}
