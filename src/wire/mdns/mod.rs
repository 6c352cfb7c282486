//! A multicast DNS responder (RFC 6762) that only announces, and stores nothing of what others say.
//!
//! The [`Responder`](responder::Responder) is a machine without sockets and clock. It is told which
//! links there are and what arrives; it returns what to send, and when to call it again.

mod answer;
mod limits;
mod link;
pub mod responder;
#[cfg(test)]
mod tests;
mod zone;

use super::service::{host_label, instance_name, numbered_host_label};
use crate::prefix::Prefix;
// Only the types of addresses; this module uses no sockets.
use core::net::{IpAddr, SocketAddr};

/// The port of multicast DNS.
pub const PORT: u16 = 5353;

/// The longest message that is received (RFC 6762, section 17).
pub const MAX_MESSAGE: usize = 9000;

/// The longest message that is sent: one Ethernet packet, with room for the headers of IPv6.
const MAX_SENT: usize = 1400;

/// A link: an interface and an address family on it. RFC 6762 treats each separately (section 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId {
    /// The number of the interface.
    pub interface: u32,
    /// The address family.
    pub family: Family,
}

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its addresses with the prefix lengths of their networks.
    pub addresses: Vec<Prefix>,
    /// Those of its addresses at which the camera can be reached.
    pub announced: Vec<IpAddr>,
}

/// A service to announce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its type: `_http._tcp.local`.
    pub kind: &'static str,
    /// The port where it listens.
    pub port: u16,
    /// Its TXT record.
    pub text: Vec<(String, String)>,
}

/// The names that a camera wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The camera's own name.
    pub name: String,
    /// The host name of the machine.
    pub host_name: String,
    /// The camera's port, which distinguishes it from the machine.
    pub port: u16,
}

/// The names that a camera has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The name for people: `Garage`, or `Garage (2)` for the next one.
    pub instance: String,
    /// The host name for programs: `garage`, to be followed by `.local`.
    pub host: String,
    /// Whether somebody else has the wanted name.
    pub is_renamed: bool,
    /// The host name, if somebody else has that while the name for people is this camera's.
    pub host_of_another: Option<String>,
}

/// The numbers of a camera among those that want the same names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// Above 1 if other cameras have the name for people.
    pub instance: u32,
    /// Above 1 if others have the host name. Names that differ may make the same host name.
    pub host: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { instance: 1, host: 1 }
    }
}

impl Names {
    /// The names of the camera with these numbers.
    ///
    /// HOST.local belongs to the machine. If avahi or systemd-resolved announces it too, any
    /// difference between its addresses and ours would be a conflict, and they would rename the
    /// machine.
    pub fn numbered(&self, numbers: Numbers) -> Called {
        let Numbers { instance, host } = numbers;
        let of_another = (host > instance).then(|| self.host(instance));
        Called {
            instance: instance_name(&self.name, instance),
            host: self.host(host),
            is_renamed: instance > 1,
            host_of_another: of_another,
        }
    }

    /// The host name with this number.
    fn host(&self, number: u32) -> String {
        let label = numbered_host_label(&self.name, number);
        let of_machine = self.host_name.split('.').next().unwrap_or_default();
        let is_machines = [of_machine, &self.host_name].map(host_label).contains(&label);
        match is_machines {
            true => {
                let port = self.port.to_string();
                let room = 63 - 1 - port.len();
                format!("{}-{port}", label[..label.len().min(room)].trim_end_matches('-'))
            }
            false => label,
        }
    }
}

/// Where a message came from.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The link on which it arrived.
    pub link: LinkId,
    /// Its sender.
    pub from: SocketAddr,
    /// Its destination.
    pub to: SentTo,
}

/// The destination of a received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentTo {
    /// Everybody on the link.
    Group,
    /// This machine.
    Us,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The link on which to send it.
    pub link: LinkId,
    /// Its destination; `None` is everybody on the link.
    pub to: Option<SocketAddr>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The standing of a camera on the LAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// There is no network.
    Alone,
    /// It probes whether its name is free.
    Asking,
    /// It can be found by this name.
    Found(Called),
    /// Somebody claims every name that it tries.
    Crowded,
}
