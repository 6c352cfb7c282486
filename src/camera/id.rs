//! Makes the id by which viewers tell this camera from any other.

use crate::fnv::Fnv;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::LinkAddr;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{SocketAddr, TcpListener};

/// The id of the camera `name` that listens at `listeners`: 16 hexadecimal digits.
///
/// It is the same after a restart, and after a reboot where the machine has a serial number or a machine id. It changes
/// with the machine, the camera's name and its addresses and ports. So equal ids mean the same camera; a different id
/// may be the same camera with another configuration.
pub fn camera_id(name: &str, listeners: &[TcpListener]) -> String {
    let listeners: Vec<_> =
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    id(&machine(), name, &listeners)
}

fn id(machine: &[String], name: &str, listeners: &[SocketAddr]) -> String {
    if machine.is_empty() {
        // No mark tells this machine from others. A random id keeps two such cameras apart.
        return format!("{:016x}", RandomState::new().build_hasher().finish());
    }
    let mut hash = Fnv::default();
    let listeners = listeners.iter().map(ToString::to_string);
    for part in machine.iter().cloned().chain([name.to_owned()]).chain(listeners) {
        // A separator after each part, so that "ab", "c" differs from "a", "bc".
        hash = hash.with(part.as_bytes()).with(&[0xFF]);
    }
    format!("{:016x}", hash.0)
}

/// What tells this machine from others; empty if nothing does.
///
/// A board's serial number is enough. A machine id is not, since copied cards, virtual machines and
/// containers share it; so a network interface's address is added.
fn machine() -> Vec<String> {
    let read = |path: &str| {
        let text = fs::read_to_string(path).ok()?;
        let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        let is_known = text.bytes().any(|byte| byte.is_ascii_alphanumeric() && byte != b'0');
        is_known.then(|| text.to_owned())
    };
    let interfaces = Interfaces::now();
    let serial = read("/proc/device-tree/serial-number");
    match serial {
        // A board with a serial number has built-in interfaces. Without one this is a container,
        // whose interfaces are virtual: add an address.
        Some(serial) if !interfaces.built_in.is_empty() => vec![serial],
        Some(serial) => [Some(serial), interfaces.least()].into_iter().flatten().collect(),
        None => {
            let machine_id = read("/etc/machine-id").or_else(|| read("/var/lib/dbus/machine-id"));
            [machine_id, interfaces.least()].into_iter().flatten().collect()
        }
    }
}

/// The hardware addresses of this machine's network interfaces, as text.
#[derive(Debug, Default)]
struct Interfaces {
    /// Addresses assigned by hardware.
    built_in: Vec<String>,
    /// Addresses assigned by software.
    made_up: Vec<String>,
}

impl Interfaces {
    fn now() -> Self {
        let mut interfaces = Self::default();
        for interface in getifaddrs().into_iter().flatten() {
            let address = interface.address.as_ref().and_then(|address| address.as_link_addr());
            let Some(bytes) = address.and_then(LinkAddr::addr) else { continue };
            if bytes.iter().all(|&byte| byte == 0) {
                continue;
            }
            // 0 is NET_ADDR_PERM in <linux/netdevice.h>: a permanent address.
            let name = &interface.interface_name;
            let kind = fs::read_to_string(format!("/sys/class/net/{name}/addr_assign_type"));
            let is_built_in = kind.is_ok_and(|kind| kind.trim() == "0");
            let list = if is_built_in { &mut interfaces.built_in } else { &mut interfaces.made_up };
            list.push(bytes.map(|byte| format!("{byte:02x}")).join(":"));
        }
        interfaces
    }

    /// The smallest address, so that the order of the interfaces does not matter.
    fn least(&self) -> Option<String> {
        self.built_in.iter().min().or_else(|| self.made_up.iter().min()).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(machine: &str, name: &str, listener: &str) -> String {
        let listener = listener.parse().expect("an address");
        id(&[machine.to_owned()], name, &[listener])
    }

    #[test]
    fn an_id_stays_and_differs_by_machine_name_and_port() {
        let own = of("1000", "Garage", "[::]:9999");
        assert_eq!(own, of("1000", "Garage", "[::]:9999"));
        assert_eq!(own.len(), 16);
        for other in [
            of("1001", "Garage", "[::]:9999"),
            of("1000", "Door", "[::]:9999"),
            of("1000", "Garage", "[::]:9998"),
            of("1000G", "arage", "[::]:9999"),
        ] {
            assert_ne!(own, other);
        }
    }

    #[test]
    fn two_cameras_on_machines_without_any_mark_have_two_ids() {
        assert_ne!(id(&[], "Garage", &[]), id(&[], "Garage", &[]));
    }

    #[test]
    fn this_machine_is_the_same_twice() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let listeners = [listener];
        if !machine().is_empty() {
            assert_eq!(camera_id("a", &listeners), camera_id("a", &listeners));
        }
    }
}
