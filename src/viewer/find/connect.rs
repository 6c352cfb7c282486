//! Connects to one of a camera's addresses, and says why that failed.

use super::address::CameraAddress;
use super::found::{self, Found};
use crate::net::socket;
use crate::wording::reason;
use std::io::{self, ErrorKind};
use std::net::{Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A connection.
#[derive(Debug)]
pub(in crate::viewer) struct Reached {
    pub(in crate::viewer) stream: TcpStream,
    /// The address it leads to, for people.
    pub(in crate::viewer) address: CameraAddress,
}

impl Reached {
    /// Another connection to the same address.
    pub(in crate::viewer) fn again(&self) -> io::Result<Self> {
        let stream = socket::connect(self.stream.peer_addr()?, CONNECT_PATIENCE)?;
        Ok(Self { stream, address: self.address.clone() })
    }
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The machine is there, but nothing listens on the port.
    #[error("nothing listens at {}. {}", place(camera, *address), who_is_meant(*address))]
    Refused {
        /// The camera's address as it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
    },
    /// The machine does not answer.
    #[error(
        "cannot reach {}: {}. Is it switched on, and on this network?",
        place(camera, *address),
        reason(source)
    )]
    Unreachable {
        /// The camera's address as it was written.
        camera: CameraAddress,
        /// The last address that was tried.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A link-local address without the name of an interface. It exists in every network.
    #[error(
        "{camera} is a link-local address; add % and your network interface, such as {ip}%eth0 (`ip link` lists the interfaces)"
    )]
    NoInterface {
        /// The camera's address as it was written.
        camera: CameraAddress,
        /// The link-local address.
        ip: Ipv6Addr,
    },
    /// The name has no address.
    #[error("cannot reach {camera}: it has no address ({})", reason(source))]
    Nowhere {
        /// The camera's address as it was written.
        camera: CameraAddress,
        /// What went wrong.
        source: io::Error,
    },
}

/// Longer than any answer takes on a LAN. Short enough that the next attempt comes soon: the network may be back just after
/// the SYN of this one was lost.
const CONNECT_PATIENCE: Duration = Duration::from_millis(700);

/// Connects to a camera that was found. An error names it as it is announced.
pub(super) fn connect_to(found: &Found) -> Result<Reached, ConnectError> {
    let named = CameraAddress { host: found.name.clone(), port: None };
    let stream = connect_to_one_of(&named, &found.addresses)?;
    let address = stream.peer_addr().map_or_else(|_| found.address(), found::at);
    Ok(Reached { stream, address })
}

/// Tries the addresses in order. Returns the last failure, or the one from a machine that answered.
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

/// What to look at where nothing listens. `lancam` prints [::] where it listens at all addresses of its machine.
fn who_is_meant(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => {
            format!(
                "{} means this computer. Type the address of the camera's machine",
                address.ip()
            )
        }
        false => "Is lancam running there?".to_owned(),
    }
}

/// The camera's address as written, and the address that was tried where it differs.
fn place(camera: &CameraAddress, address: SocketAddr) -> String {
    match (camera.to_string(), address.to_string()) {
        (camera, address) if camera == address => camera,
        (_, address) => format!("{} ({address})", camera.written()),
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
    fn the_address_of_no_machine_is_not_taken_for_one() {
        let closed = std::net::TcpListener::bind("[::]:0").and_then(|it| it.local_addr());
        let Ok(closed) = closed else { return };
        let camera = CameraAddress::parse(&closed.to_string()).expect("an address");
        let said = connect_to_one_of(&camera, &[closed]).expect_err("nobody listens").to_string();
        assert!(said.ends_with(":: means this computer. Type the address of the camera's machine"));
        let said = ConnectError::Unreachable {
            camera,
            address: closed,
            source: io::Error::from_raw_os_error(113),
        };
        assert!(!said.to_string().contains("os error"), "{said}");
    }

    #[test]
    fn a_camera_that_was_found_by_its_name_is_called_by_it() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let closed = closed.expect("a free port");
        let garage = Found { name: "Garage".into(), addresses: vec![closed], ..Found::default() };
        let said = connect_to(&garage).expect_err("nobody listens").to_string();
        assert!(said.starts_with(&format!("nothing listens at Garage ({closed}).")), "{said}");
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
