//! Connects to one of the addresses that a camera may have, and says why that cannot be.

use super::address::CameraAddress;
use super::found::{self, Found};
use crate::net::socket;
use std::io::{self, ErrorKind};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection.
#[derive(Debug)]
pub(in crate::viewer) struct Reached {
    pub(in crate::viewer) stream: TcpStream,
    /// Where it leads to, for people.
    pub(in crate::viewer) address: CameraAddress,
}

/// Why nobody answers.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The machine is there, and nobody listens.
    #[error("nothing listens at {}. Is lancam running there?", place(camera, *address))]
    Refused {
        /// As it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
    },
    /// The machine is not there.
    #[error("cannot reach {}: {source}; is it switched on, and on this network?", place(camera, *address))]
    Unreachable {
        /// As it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
        /// The system's word for it.
        source: io::Error,
    },
    /// An address that each network has, without the network's name.
    #[error(
        "{camera} is a link-local address; add % and your network interface, such as {ip}%eth0 (`ip link` lists the interfaces)"
    )]
    NoInterface {
        /// As it was written.
        camera: CameraAddress,
        /// The address of it.
        ip: Ipv6Addr,
    },
    /// Its name has no address.
    #[error("cannot reach {camera}: it has no address ({source})")]
    Nowhere {
        /// As it was written.
        camera: CameraAddress,
        /// What went wrong.
        source: io::Error,
    },
}

/// Longer than any answer takes on a LAN; so the next attempt, with a SYN of its own, is not far: the network may be
/// back just after this one was lost.
const CONNECT_PATIENCE: Duration = Duration::from_millis(700);

pub(super) fn connect_to(found: &Found) -> Result<Reached, ConnectError> {
    let stream = connect_to_one_of(&found.address(), &found.addresses)?;
    let address = stream.peer_addr().map_or_else(|_| found.address(), found::at);
    Ok(Reached { stream, address })
}

/// Tries all addresses in their order; reports the last one's failure, or that of the machine that is there.
pub(super) fn connect_to_one_of(
    camera: &CameraAddress,
    addresses: &[SocketAddr],
) -> Result<TcpStream, ConnectError> {
    let mut failure = (io::Error::from(ErrorKind::NotFound), None);
    for &address in addresses {
        match socket::connect(address, CONNECT_PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(_) if failure.0.kind() == ErrorKind::ConnectionRefused => {}
            Err(source) => failure = (source, Some(address)),
        }
    }
    let camera = camera.clone();
    Err(match failure {
        (source, Some(address)) if source.kind() == ErrorKind::ConnectionRefused => {
            ConnectError::Refused { camera, address }
        }
        (_, Some(SocketAddr::V6(address)))
            if address.ip().is_unicast_link_local() && address.scope_id() == 0 =>
        {
            ConnectError::NoInterface { camera, ip: *address.ip() }
        }
        (source, Some(address)) => ConnectError::Unreachable { camera, address, source },
        (source, None) => ConnectError::Nowhere { camera, source },
    })
}

/// Where it was tried, and which address that is, where the two differ.
fn place(camera: &CameraAddress, address: SocketAddr) -> String {
    match (camera.to_string(), address.to_string()) {
        (camera, address) if camera == address => camera,
        (camera, address) => format!("{camera} ({address})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_without_its_interface_is_told_what_it_lacks() {
        let camera = CameraAddress::parse("fe80::1").expect("an address");
        let local = "[fe80::1]:9999".parse().expect("an address");
        let said = connect_to_one_of(&camera, &[local]).expect_err("no interface").to_string();
        assert!(said.contains("such as fe80::1%eth0"), "{said}");
    }

    #[test]
    fn a_machine_where_nothing_listens_is_named_whatever_its_other_addresses_say() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let closed = listener.local_addr().expect("bound");
        drop(listener);
        let camera = CameraAddress::parse("garage.local:80").expect("an address");
        let local = "[fe80::1]:80".parse().expect("an address");
        for addresses in [[closed, local], [local, closed]] {
            let failure = connect_to_one_of(&camera, &addresses).expect_err("nobody listens");
            assert!(matches!(failure, ConnectError::Refused { address, .. } if address == closed));
        }
    }
}
