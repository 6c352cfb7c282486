//! Opens the listening sockets of the camera program.

use crate::holders::listeners_at;
use crate::net::lan::own_addresses;
use crate::net::socket;
use crate::wording::reason;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
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

    /// Whether other machines reach one of these addresses.
    pub fn reaches_others(&self) -> bool {
        match self {
            Self::Default => true,
            Self::At(addresses) => addresses.iter().any(reaches_others),
        }
    }
}

/// No address could be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {address}: {why}. {INSTEAD}")]
pub struct ListenError {
    address: SocketAddr,
    why: String,
    is_in_use: bool,
}

/// Whether other machines reach a listener at this address.
pub fn reaches_others(address: &SocketAddr) -> bool {
    !address.ip().to_canonical().is_loopback()
}

impl ListenError {
    fn new(address: SocketAddr, error: &io::Error) -> Self {
        let is_in_use = error.kind() == io::ErrorKind::AddrInUse;
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => in_use(address.port()),
            io::ErrorKind::AddrNotAvailable => not_of_this_machine(address.ip()),
            io::ErrorKind::PermissionDenied if address.port() < 1024 => {
                format!("this user may not use port {}, because it is below 1024", address.port())
            }
            _ => reason(error),
        };
        Self { address, why, is_in_use }
    }
}

/// What to do about any of them.
const INSTEAD: &str =
    "To listen elsewhere, use --listen PORT or ADDRESS:PORT; port 0 is any free port";

fn not_of_this_machine(ip: IpAddr) -> String {
    let own: Vec<String> = own_addresses().iter().map(IpAddr::to_string).collect();
    match own.is_empty() {
        true => format!("this machine does not have the address {ip}"),
        false => format!("this machine does not have the address {ip}; it has {}", own.join(", ")),
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
        return format!("lancam is running already (process {})", holder.process);
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
