//! Finds out whether a name means a camera on the LAN or a machine. Asks the system and the LAN at the same time.

mod error;
mod inquiry;

pub(super) use error::LookupError;

use super::address::{CameraAddress, HostKind};
use super::finder::PATIENCE;
use super::found::Found;
use crate::net::mdns;
use inquiry::Inquiry;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Instant;

/// What a name means.
#[derive(Debug)]
pub(super) enum Meant {
    /// A camera.
    Camera(Box<Found>),
    /// Whatever listens at one of these addresses, the best first.
    Machine(Vec<SocketAddr>),
}

/// An answer about a name.
enum Word {
    System(io::Result<Vec<SocketAddr>>),
    Lan(mdns::Answer),
    LanIsSilent,
}

/// Resolves the host of `address`. A camera of exactly this name comes first. Then, if no port was given, a camera whose
/// name as a host is this. Then the machine of this name. May take seconds.
///
/// # Errors
/// When nothing has the name, or several cameras fit it.
pub(super) fn look_up(address: &CameraAddress) -> Result<Meant, LookupError> {
    match address.kind() {
        HostKind::Fixed => ask_system(address)
            .map(Meant::Machine)
            .map_err(|source| LookupError::nowhere(&address.host, source)),
        HostKind::Domain => match ask_system(address) {
            Ok(addresses) => Ok(Meant::Machine(addresses)),
            // A camera may have a dot in its name.
            Err(source) => inquire(address, Some(Err(source))),
        },
        HostKind::Bare | HostKind::Local | HostKind::Camera => inquire(address, None),
    }
}

/// Asks until the result is certain, or no more answers are expected.
fn inquire(
    address: &CameraAddress,
    system: Option<io::Result<Vec<SocketAddr>>>,
) -> Result<Meant, LookupError> {
    let mut inquiry = Inquiry::begin(address, system, Instant::now());
    let (sender, words) = mpsc::sync_channel(1);
    // Separate threads, because the system's resolver cannot be interrupted.
    if inquiry.needs_system() {
        let (sender, address) = (sender.clone(), address.clone());
        // Nobody receives this if the LAN answered first.
        spawn(move || drop(sender.send(Word::System(ask_system(&address)))));
    }
    let question = inquiry.question();
    spawn(move || ask_lan(&question, &sender));
    loop {
        if let Some(meant) = inquiry.judge(Instant::now()) {
            return meant;
        }
        match words.recv_timeout(inquiry.patience(Instant::now())) {
            Ok(word) => inquiry.hear(word),
            Err(RecvTimeoutError::Timeout) => {}
            // Both threads have ended, or neither could be started.
            Err(RecvTimeoutError::Disconnected) => inquiry.hear(Word::LanIsSilent),
        }
        let now = Instant::now();
        if inquiry.is_over(now) {
            return inquiry.judge(now).unwrap_or_else(|| Err(inquiry.unknown()));
        }
    }
}

fn ask_system(address: &CameraAddress) -> io::Result<Vec<SocketAddr>> {
    let host = without_needless_zone(&address.host);
    let found: Vec<_> = (host, address.port()).to_socket_addrs()?.collect();
    match found.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")),
        false => Ok(found),
    }
}

/// The host without the interface behind `%`, where the address is not a link-local one. The system accepts the name of an
/// interface behind link-local addresses only, and others do not need it.
fn without_needless_zone(host: &str) -> &str {
    match host.split_once('%') {
        Some((address, _))
            if address.parse().is_ok_and(|ip: Ipv6Addr| !ip.is_unicast_link_local()) =>
        {
            address
        }
        _ => host,
    }
}

fn spawn(ask: impl FnOnce() + Send + 'static) {
    // If the thread cannot be started, no answer comes, and the user is told that.
    drop(thread::Builder::new().name("resolve".into()).spawn(ask));
}

fn ask_lan(question: &[u8], sender: &SyncSender<Word>) {
    match mdns::ask(question, PATIENCE) {
        Ok(mut answers) => {
            // Stops when the inquiry has ended.
            let _ = answers.try_for_each(|answer| sender.send(Word::Lan(answer)));
        }
        Err(error) => log::debug!("cannot ask the LAN: {error}"),
    }
    let _ = sender.send(Word::LanIsSilent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_needed_behind_a_link_local_address_only() {
        let look_up = |text| look_up(&CameraAddress::parse(text).expect("an address"));
        for (text, found) in [
            ("[::1%lo]:81", "[::1]:81"),
            ("lancam://[::1%25lo]:81", "[::1]:81"),
            ("[fd00::2%nosuch]:81", "[fd00::2]:81"),
        ] {
            let found: SocketAddr = found.parse().expect("an address");
            match look_up(text) {
                Ok(Meant::Machine(addresses)) => assert_eq!(addresses, [found], "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        let error = look_up("[fe80::1%nosuch]:81").expect_err("there is no such interface");
        assert!(error.to_string().contains("no network interface nosuch"), "{error}");
    }
}
