//! Opens the listening sockets of the camera program, and prints where viewers find it.

use crate::console::say;
use crate::holders::listeners_at;
use crate::net::lan::{link_local_address, own_addresses};
use crate::net::socket;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On the default ports; one that is busy is left out. On no further port if sockets were
    /// handed over.
    Default,
    /// On exactly these addresses; an error if one cannot be used.
    At(Vec<SocketAddr>),
}

impl Listen {
    /// The default ports: lancam's own, and 8080, which mjpg-streamer made customary.
    pub const DEFAULT_PORTS: [u16; 2] = [9999, 8080];
}

/// No address could be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen at {address}: {why}. Use --listen PORT or ADDRESS:PORT; port 0 is any free port"
)]
pub struct ListenError {
    address: SocketAddr,
    why: String,
    is_in_use: bool,
}

impl ListenError {
    fn new(address: SocketAddr, error: &io::Error) -> Self {
        let is_in_use = error.kind() == io::ErrorKind::AddrInUse;
        let why = if is_in_use { in_use(address.port()) } else { error.to_string() };
        Self { address, why, is_in_use }
    }
}

/// Which program has the port. Usually lancam itself, started a second time.
fn in_use(port: u16) -> String {
    let holders = listeners_at(Path::new("/proc"), port);
    let Some(holder) = holders.first() else {
        return format!(
            "another program uses port {port} (`sudo ss -ltnp sport = :{port}` shows which)"
        );
    };
    if is_this_program(&holder.program) {
        return format!("lancam is running already (process {}); stop it first", holder.process);
    }
    format!("{holder} uses port {port}")
}

/// Whether a process of this name runs the same program. The kernel cuts names to 15 bytes.
fn is_this_program(name: &str) -> bool {
    let own = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
    name == own.trim_end()
}

/// Opens the listening sockets that are needed besides those that were handed over.
///
/// # Errors
/// When an address that was named is busy or does not belong to this machine, or when no default
/// port is free.
pub fn listen(
    listen: &Listen,
    handed_over: &[TcpListener],
) -> Result<Vec<TcpListener>, ListenError> {
    match listen {
        Listen::At(addresses) => {
            let is_there = |address: &SocketAddr| {
                handed_over.iter().any(|there| there.local_addr().ok() == Some(*address))
            };
            let missing = addresses.iter().filter(|address| !is_there(address));
            missing.map(|&address| listen_at(address)).collect()
        }
        Listen::Default if !handed_over.is_empty() => Ok(Vec::new()),
        Listen::Default => {
            let attempts = Listen::DEFAULT_PORTS.map(listen_anywhere);
            let works = attempts.iter().any(Result::is_ok);
            let mut listeners = Vec::new();
            for attempt in attempts {
                match attempt {
                    Ok(listener) => listeners.push(listener),
                    Err(error) if works => log::warn!("{error}"),
                    Err(error) => return Err(error),
                }
            }
            Ok(listeners)
        }
    }
}

/// On all addresses; on those of IPv4 alone if the kernel has no IPv6.
fn listen_anywhere(port: u16) -> Result<TcpListener, ListenError> {
    listen_at(SocketAddr::from(([0_u16; 8], port))).or_else(|error| match error.is_in_use {
        true => Err(error),
        false => listen_at(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
    })
}

fn listen_at(address: SocketAddr) -> Result<TcpListener, ListenError> {
    socket::listen(address).map_err(|error| ListenError::new(address, &error))
}

/// Prints where viewers find this camera.
pub fn say_where(listeners: &[TcpListener], host_name: &str) {
    let addresses = own_addresses();
    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    say(format_args!("{host_name} {}", list.join(" ")));
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        say(format_args!("LISTENING AT: tcp://{address}"));
        say(how_to_watch(address, &addresses, link_local_address()));
    }
}

/// The line to type, on another computer if that can reach the listener.
fn how_to_watch(listener: SocketAddr, own: &[IpAddr], link_local: Option<Ipv6Addr>) -> String {
    let port = listener.port();
    let reachable = match listener.ip().is_unspecified() {
        false => Some(listener.ip()),
        true => own.iter().copied().find(IpAddr::is_ipv4).or(own.first().copied()),
    };
    match (reachable, link_local) {
        (None, Some(address)) if listener.is_ipv6() => format!(
            "  watch with: lancam-view '[{address}%INTERFACE]:{port}'; INTERFACE is the network interface of the computer you type this on, such as eth0"
        ),
        (host, _) => {
            let address = SocketAddr::new(host.unwrap_or(Ipv4Addr::LOCALHOST.into()), port);
            format!("  watch with: lancam-view {address}, or a browser: http://{address}/")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_type_works_from_another_computer() {
        let any: SocketAddr = "[::]:9999".parse().expect("an address");
        let v4: IpAddr = "192.168.1.4".parse().expect("an address");
        let v6: IpAddr = "2001:db8::4".parse().expect("an address");
        let near: Ipv6Addr = "fe80::4".parse().expect("an address");
        let line = how_to_watch(any, &[v6, v4], Some(near));
        assert!(line.contains("lancam-view 192.168.1.4:9999,"), "{line}");
        let line = how_to_watch(any, &[v6], Some(near));
        assert!(line.contains("http://[2001:db8::4]:9999/"), "{line}");
        let line = how_to_watch(any, &[], Some(near));
        assert!(line.contains("'[fe80::4%INTERFACE]:9999'"), "{line}");
        let line = how_to_watch(any, &[], None);
        assert!(line.contains("lancam-view 127.0.0.1:9999,"), "{line}");
        let named = "127.0.0.1:80".parse().expect("an address");
        let line = how_to_watch(named, &[v4], Some(near));
        assert!(line.contains("lancam-view 127.0.0.1:80,"), "{line}");
    }
}
