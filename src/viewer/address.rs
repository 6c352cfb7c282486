//! Where a camera is, as people write it.

use super::local_name;
use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};

/// The port that `lancam` listens on unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 9999;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraAddress {
    /// A name, or an IPv4 or IPv6 address without brackets.
    pub host: String,
    /// Where lancam listens there.
    pub port: u16,
}

/// Why something is no address of a camera.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a host, or not a port behind it.
    #[error(
        "'{0}' is no camera's address; write HOST, HOST:PORT, [IPv6]:PORT or lancam://HOST:PORT"
    )]
    Malformed(String),
    /// What a browser wants.
    #[error("'{url}' is for a browser; for lancam-view write {host}")]
    ForBrowsers {
        /// As it was written.
        url: String,
        /// The host and port in it.
        host: String,
    },
}

impl CameraAddress {
    /// Parses `host`, `host:port`, `[v6]:port`, a bare IPv6 address, each with `lancam://` before it or not.
    /// `tcp://` is what `lancam` itself prints.
    ///
    /// # Errors
    /// When there is no host, or the port is not 1 to 65535.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let malformed = || AddressError::Malformed(text.to_owned());
        let (scheme, rest) = text.split_once("://").unwrap_or(("lancam", text));
        let rest = rest.split('/').next().unwrap_or_default();
        match scheme {
            "lancam" | "tcp" => {}
            "http" | "https" => {
                let host = rest.to_owned();
                return Err(AddressError::ForBrowsers { url: text.to_owned(), host });
            }
            _ => return Err(malformed()),
        }
        let (host, port) = split_port(rest).ok_or_else(malformed)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or_else(malformed)?,
            None => DEFAULT_PORT,
        };
        let is_possible = |letter: char| letter.is_alphanumeric() || "-._:%".contains(letter);
        if host.is_empty() || host.starts_with('-') || !host.chars().all(is_possible) {
            return Err(malformed());
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// Asks the system for the host's addresses, and for NAME.local the LAN too, best first. May take seconds.
    ///
    /// # Errors
    /// When the name is not known, or no name server answers.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if local_name::is_local(&self.host) {
            return local_name::resolve(self);
        }
        let found: Vec<_> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        match found.is_empty() {
            true => Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")),
            false => Ok(found),
        }
    }
}

/// Host and port, if there is one; `None` when the brackets do not match.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        let (address, _scope) = host.split_once('%').unwrap_or((host, ""));
        address.parse::<Ipv6Addr>().ok()?;
        return match rest {
            "" => Some((host, None)),
            _ => Some((host, Some(rest.strip_prefix(':')?))),
        };
    }
    match text.split_once(':') {
        None => Some((text, None)),
        // Two colons and no brackets: all of it is one IPv6 address.
        Some((_, rest)) if rest.contains(':') => {
            let (address, _scope) = text.split_once('%').unwrap_or((text, ""));
            address.parse::<Ipv6Addr>().ok()?;
            Some((text, None))
        }
        Some((host, port)) => Some((host, Some(port))),
    }
}

impl fmt::Display for CameraAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(out, "[{}]:{}", self.host, self.port),
            false => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_is_understood() {
        for (text, shown) in [
            ("pi", "pi:9999"),
            ("pi.local:81", "pi.local:81"),
            ("192.168.1.5", "192.168.1.5:9999"),
            ("lancam://pi:1", "pi:1"),
            ("lancam://pi", "pi:9999"),
            ("tcp://10.0.0.2:9999/", "10.0.0.2:9999"),
            ("[::1]:65535", "[::1]:65535"),
            ("[fe80::1%eth0]", "[fe80::1%eth0]:9999"),
            ("fe80::1%eth0", "[fe80::1%eth0]:9999"),
            ("::1", "[::1]:9999"),
            ("küche.local", "küche.local:9999"),
        ] {
            let address = CameraAddress::parse(text).map(|address| address.to_string());
            assert_eq!(address, Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_one_that_is() {
        for text in [
            "",
            ":9999",
            "pi:",
            "pi:0",
            "pi:65536",
            "pi:x",
            "[::1",
            "[pi]:1",
            "1:2:3",
            "a b",
            "ftp://pi",
            "-x",
            "pi:-1",
            "[::1]9999",
            "lancam://",
        ] {
            let error = CameraAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains("HOST:PORT"), "{error}");
        }
        let error = CameraAddress::parse("http://pi:8080/stream").expect_err("a web address");
        assert!(error.to_string().ends_with("write pi:8080"), "{error}");
    }
}
