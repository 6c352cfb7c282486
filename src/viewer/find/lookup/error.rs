//! Why a name could not be resolved, and what may help.

use crate::nearest;
use crate::plain::printable;
use std::fmt;
use std::io;

/// Why a name could not be resolved.
#[derive(Debug)]
pub enum LookupError {
    /// No machine and no camera has this name.
    Unknown {
        /// The name as it was written.
        name: String,
        /// Whether only a camera can have this name.
        is_camera: bool,
        /// The camera that was given this name and is announced with a number behind it.
        namesake: Option<String>,
        /// The names of the cameras that answered.
        found: Vec<String>,
        /// The system's error.
        source: Option<io::Error>,
    },
    /// An address with a zone that is not an interface of this machine.
    NoSuchInterface {
        /// The address as it was written.
        address: String,
        /// The zone.
        interface: String,
    },
    /// Several cameras fit the name.
    Ambiguous {
        /// The name as it was written.
        name: String,
        /// The cameras' names and addresses.
        found: Vec<(String, String)>,
    },
}

impl LookupError {
    /// The error for a host that the system could not resolve.
    pub(super) fn nowhere(host: &str, source: io::Error) -> Self {
        if let Some((_, interface)) = host.split_once('%') {
            let (address, interface) = (printable(host), printable(interface));
            return Self::NoSuchInterface { address, interface };
        }
        let name = host.to_owned();
        let (namesake, found) = (None, Vec::new());
        Self::Unknown { name, is_camera: false, namesake, found, source: Some(source) }
    }
}

/// The most cameras named in one message.
const MOST_NAMED: usize = 8;

impl fmt::Display for LookupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, is_camera, namesake, found, .. } => {
                let what = if *is_camera { "no camera" } else { "no camera or machine" };
                write!(out, "cannot find {name}: {what} has that name")?;
                if found.is_empty() {
                    return out.write_str(
                        ", and no camera answers on the LAN. Is it switched on? Its IP address works too: \
                         lancam-view 192.168.1.20",
                    );
                }
                let names = found.iter().map(String::as_str);
                if let Some(meant) = namesake.as_deref().or_else(|| nearest::of(name, names)) {
                    write!(out, ". Did you mean \"{meant}\"?")?;
                } else {
                    out.write_str(".")?;
                }
                let rest = found.len().saturating_sub(MOST_NAMED);
                write!(out, " These cameras answer: {}", found[..found.len() - rest].join(", "))?;
                if rest > 0 { write!(out, " and {rest} more") } else { Ok(()) }
            }
            Self::NoSuchInterface { address, interface } => write!(
                out,
                "{address}: this machine has no network interface {interface}. Type `ip link` to list its interfaces"
            ),
            Self::Ambiguous { name, found } => {
                let names: Vec<_> = found
                    .iter()
                    .take(MOST_NAMED)
                    .map(|(name, address)| format!("\"{name}\" ({address})"))
                    .collect();
                write!(
                    out,
                    "{name} may be any of {}. Name one by its address or as it stands here",
                    names.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for LookupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown { source, .. } => source.as_ref().map(|source| source as _),
            Self::NoSuchInterface { .. } | Self::Ambiguous { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_not_found_is_told_who_is() {
        let unknown = |found: &[&str]| LookupError::Unknown {
            name: "garag".into(),
            is_camera: false,
            namesake: None,
            found: found.iter().map(|name| (*name).to_owned()).collect(),
            // Its words differ from system to system, and help nobody.
            source: Some(io::Error::other("failed to lookup address information")),
        };
        let text = unknown(&["Door", "Garage"]).to_string();
        assert!(!text.contains("lookup"), "{text}");
        assert!(
            text.contains("Did you mean \"Garage\"?") && text.contains("Door, Garage"),
            "{text}"
        );
        let text = unknown(&["Door"]).to_string();
        assert!(!text.contains("mean") && text.ends_with("Door"), "{text}");
        let text = unknown(&[]).to_string();
        assert!(text.contains("no camera answers on the LAN"), "{text}");
        assert!(unknown(&["x"; 30]).to_string().ends_with("and 22 more"));
    }
}
