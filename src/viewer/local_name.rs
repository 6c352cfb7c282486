//! Finds out the address of NAME.local, whether or not the system knows multicast DNS.

use super::address::{CameraAddress, DEFAULT_PORT};
use super::finder::{self, PATIENCE};
use crate::net::mdns::{self, Answer};
use crate::wire::dns::{self, Kind, Name};
use crate::wire::service::CAMERA;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Systems that do not know multicast DNS ask their name servers for NAME.local, some for a long time. This is how long
/// they are waited for when nobody on the LAN has the name.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(2);

/// Whether a host is to be looked for on the LAN.
pub(super) fn is_local(host: &str) -> bool {
    name_of(host).is_some()
}

/// The NAME of NAME.local.
pub(super) fn name_of(host: &str) -> Option<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let at = host.len().checked_sub(LOCAL.len()).filter(|&at| at > 0)?;
    let is_local = host.is_char_boundary(at) && host[at..].eq_ignore_ascii_case(LOCAL);
    is_local.then(|| &host[..at])
}

const LOCAL: &str = ".local";

/// The addresses of `camera`, whose host [`is_local`]: those of the host of that name, or those of the camera of that
/// name, at whatever port it listens unless one was named. The system and the LAN are asked at once; the first that
/// knows is believed.
///
/// # Errors
/// The system's, when neither knows.
pub(super) fn resolve(camera: &CameraAddress) -> io::Result<Vec<SocketAddr>> {
    let (sender, known) = mpsc::channel();
    let asked_at = Instant::now();
    let (of_system, of_lan) = (sender.clone(), sender);
    let (for_system, for_lan) = (camera.clone(), camera.clone());
    // Threads of their own, because the system's resolver cannot be told when to give up.
    spawn(move || {
        let addresses = (for_system.host.as_str(), for_system.port).to_socket_addrs();
        // Nobody listens when the LAN was faster.
        let _ = of_system.send(addresses.map(Iterator::collect::<Vec<_>>));
    })?;
    spawn(move || {
        let _ = of_lan.send(ask_lan(&for_lan));
    })?;
    let mut failure = None;
    for _ in 0..2 {
        let left = SYSTEM_PATIENCE.saturating_sub(asked_at.elapsed());
        match known.recv_timeout(left) {
            Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
            Ok(Ok(_)) | Err(_) => {}
            Ok(Err(error)) => failure = Some(error),
        }
    }
    let nobody = || io::Error::new(io::ErrorKind::NotFound, "nobody on the LAN has that name");
    Err(failure.unwrap_or_else(nobody))
}

fn spawn(ask: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("resolve".into()).spawn(ask).map(drop)
}

/// Empty when nobody answers.
fn ask_lan(camera: &CameraAddress) -> io::Result<Vec<SocketAddr>> {
    let (host, service) = (Name::of(&camera.host), Name::of(CAMERA));
    let questions = [(&host, Kind::A), (&host, Kind::Aaaa), (&service, Kind::Pointer)];
    let mut answers = mdns::ask(&dns::query(&questions), PATIENCE)?;
    Ok(answers.find_map(|answer| known(camera, &host, &answer)).unwrap_or_default())
}

/// What one answer says of it. The camera of that name knows its port, and so has the first word unless one was named.
fn known(camera: &CameraAddress, host: &Name, answer: &Answer) -> Option<Vec<SocketAddr>> {
    let records = dns::records(&answer.bytes).ok()?;
    let of_host = finder::addresses(host, camera.port, &records, answer);
    let is_it = |name: &str| name.eq_ignore_ascii_case(host.first());
    let found = finder::heard(answer).into_iter().find(|found| is_it(&found.name));
    match found {
        Some(found) if camera.port == DEFAULT_PORT => Some(found.addresses),
        Some(mut found) if of_host.is_empty() => {
            found.addresses.iter_mut().for_each(|address| address.set_port(camera.port));
            Some(found.addresses)
        }
        _ => (!of_host.is_empty()).then_some(of_host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_local_are_looked_for_on_the_lan_and_no_others() {
        for host in ["pi.local", "PI.LOCAL", "pi.local.", "küche.local"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["pi", "local", ".local", "pi.local.net", "pi.ⓛocal", "192.168.1.5", "::1"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
