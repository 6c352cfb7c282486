//! A responder of multicast DNS (RFC 6762) that only announces: it keeps nothing of what others say.
//!
//! The [`Responder`](responder::Responder) is a machine without sockets and clock. It is told which links there are and what
//! arrives, and says what is to be sent and when it wants to be asked again.

mod answer;
mod limits;
mod link;
pub mod responder;
#[cfg(test)]
mod tests;
mod zone;

use super::service::{host_label, instance_name};
use crate::prefix::Prefix;
// Addresses as numbers; sockets are in std alone.
use core::net::{IpAddr, SocketAddr};

/// The port of multicast DNS.
pub const PORT: u16 = 5353;

/// The longest message that is received (RFC 6762, section 17).
pub const MAX_MESSAGE: usize = 9000;

/// The longest message that is sent: one Ethernet packet, with room for the headers of IPv6.
const MAX_SENT: usize = 1400;

/// One network that the camera is in: an interface, and one of the two families of addresses on it. RFC 6762 has everything
/// that follows once for each (section 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId {
    /// The interface's number.
    pub interface: u32,
    /// The family.
    pub family: Family,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// An interface, as far as being found there matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its addresses, each with the length of its network's prefix.
    pub addresses: Vec<Prefix>,
    /// Those of them that the camera can be reached at.
    pub announced: Vec<IpAddr>,
}

/// A service as it is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What it is: `_http._tcp.local`.
    pub kind: &'static str,
    /// Where it listens.
    pub port: u16,
    /// What it says of itself.
    pub text: Vec<(String, String)>,
}

/// What a camera wants to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The camera's own name.
    pub name: String,
    /// The machine's.
    pub host_name: String,
    /// The camera's port, which tells it from the machine.
    pub port: u16,
}

/// What it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// By people: `Garage`, and the next one `Garage (2)`.
    pub instance: String,
    /// By programs: `garage`, with `.local` behind it.
    pub host: String,
    /// Whether somebody else has the name that was wanted.
    pub is_renamed: bool,
}

impl Names {
    /// What the camera is called when so many have its name.
    ///
    /// HOST.local belongs to the machine: where avahi or systemd-resolved announces that, one address more or less of ours
    /// would be a conflict, and they would rename the machine.
    pub fn numbered(&self, number: u32) -> Called {
        let instance = instance_name(&self.name, number);
        let label = host_label(&instance);
        let of_machine = self.host_name.split('.').next().unwrap_or_default();
        let is_machines = [of_machine, &self.host_name].map(host_label).contains(&label);
        let host = match is_machines {
            true => {
                let port = self.port.to_string();
                let room = 63 - 1 - port.len();
                format!("{}-{port}", label[..label.len().min(room)].trim_end_matches('-'))
            }
            false => label,
        };
        Called { instance, host, is_renamed: number > 1 }
    }
}

/// Where a message came from.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// On this link.
    pub link: LinkId,
    /// From there.
    pub from: SocketAddr,
    /// Sent to whom.
    pub to: SentTo,
}

/// To whom somebody sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentTo {
    /// To everybody on the link.
    Group,
    /// To this machine.
    Us,
}

/// A message that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// On this link.
    pub link: LinkId,
    /// To this address; `None` is everybody on the link.
    pub to: Option<SocketAddr>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How a camera stands on the LAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is no network.
    Alone,
    /// It asks whether its name is free.
    Asking,
    /// It is found by this name.
    Found(Called),
    /// Somebody claims every name that it tries.
    Crowded,
}
