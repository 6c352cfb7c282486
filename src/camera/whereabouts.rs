//! How others reach a camera: the running `lancam` writes it into its state folder, and `lancam pair` shows it.

use super::access::folder::{Folder, FolderError, Name};
use super::announcer::Announce;
use super::config::Config;
use super::door;
use super::listen::{Listen, reaches_others};
use crate::net::lan::own_addresses;
use crate::plain::is_plain;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// How others reach a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// NAME.local, if the camera is announced.
    local_name: Option<String>,
    /// The ports at which others reach it.
    ports: Vec<u16>,
}

/// What stands in the file in place of the name of a camera that is not announced.
const NO_NAME: &str = "-";

impl Whereabouts {
    /// Of a camera that listens at these addresses.
    pub fn of(config: &Config, addresses: &[SocketAddr], host_name: &str) -> Self {
        let name = config.name.as_deref().unwrap_or(host_name);
        let local_name = (config.announce == Announce::On).then(|| door::local_name(name));
        let ports = addresses.iter().filter(|it| reaches_others(it)).map(SocketAddr::port);
        Self { local_name, ports: ports.collect() }
    }

    /// Of a camera that has not run yet, by its configuration.
    pub fn expected(config: &Config, host_name: &str) -> Self {
        match &config.listen {
            Listen::At(addresses) => Self::of(config, addresses, host_name),
            Listen::Default => {
                let anywhere = |port| SocketAddr::from(([0_u16; 8], port));
                Self::of(config, &Listen::DEFAULT_PORTS.map(anywhere), host_name)
            }
        }
    }

    /// Of the camera that has run last with this state folder; `None` if none has, or the file is damaged.
    pub fn kept(place: &Path) -> Option<Self> {
        Self::parse(&Folder::open(place).ok()?.read(Name::Whereabouts).ok()??)
    }

    /// Writes it into the state folder, unless it is there already.
    ///
    /// # Errors
    /// When that fails.
    pub fn keep(&self, place: &Path) -> Result<(), FolderError> {
        let folder = Folder::open(place)?;
        let text = self.text();
        if folder.read(Name::Whereabouts).ok().flatten().as_ref() == Some(&text) {
            return Ok(());
        }
        folder.write(Name::Whereabouts, &text, &folder.lock()?)
    }

    fn text(&self) -> String {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        format!("{}\n{}\n", self.local_name.as_deref().unwrap_or(NO_NAME), ports.join(" "))
    }

    fn parse(text: &str) -> Option<Self> {
        let [name, ports] = text.strip_suffix('\n')?.split('\n').collect::<Vec<_>>()[..] else {
            return None;
        };
        if !name.chars().all(|letter| is_plain(letter) && !letter.is_whitespace()) {
            return None;
        }
        let local_name = (name != NO_NAME).then(|| name.to_owned());
        let ports = ports.split_whitespace().map(|port| port.parse().ok());
        Some(Self { local_name, ports: ports.collect::<Option<_>>()? })
    }

    /// The name of the camera in .local, if it is announced.
    pub fn local_name(&self) -> Option<&str> {
        self.local_name.as_deref()
    }

    /// How viewers call it.
    pub fn camera(&self) -> String {
        self.local_name.clone().unwrap_or_else(|| self.at_own_address(Listen::DEFAULT_PORTS[0]))
    }

    /// Its name or address and its port for browsers.
    pub fn web(&self) -> String {
        let usual = Listen::DEFAULT_PORTS[1];
        match &self.local_name {
            Some(name) => format!("{name}:{}", self.port(usual)),
            None => self.at_own_address(usual),
        }
    }

    /// The same by its address, for browsers whose system does not resolve names in .local.
    pub fn web_by_address(&self) -> String {
        self.at_own_address(Listen::DEFAULT_PORTS[1])
    }

    fn at_own_address(&self, usual: u16) -> String {
        SocketAddr::new(own_address(), self.port(usual)).to_string()
    }

    /// The usual port if it is one of them, else the first.
    fn port(&self, usual: u16) -> u16 {
        let first = self.ports.first().copied();
        if self.ports.contains(&usual) { usual } else { first.unwrap_or(usual) }
    }
}

fn own_address() -> IpAddr {
    let own = own_addresses();
    let found = own.iter().copied().find(IpAddr::is_ipv4).or(own.first().copied());
    found.unwrap_or(IpAddr::from([127, 0, 0, 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|it| it.parse().expect("an address")).collect()
    }

    #[test]
    fn a_camera_is_reached_where_it_ran_last_and_before_that_where_it_is_configured() {
        let around = tempfile::tempdir().expect("a folder");
        let place = around.path().join("state");
        let mut config = Config::default();
        config.name = Some("Front door".into());
        assert_eq!(Whereabouts::kept(&place), None);
        let expected = Whereabouts::expected(&config, "pi");
        let shown = (expected.camera(), expected.web());
        assert_eq!(shown, ("front-door.local".into(), "front-door.local:8080".into()));
        let running = addresses(&["127.0.0.1:9999", "[::]:10000", "[::]:8081"]);
        let running = Whereabouts::of(&config, &running, "pi");
        running.keep(&place).expect("kept");
        let kept = Whereabouts::kept(&place).expect("it has run");
        assert_eq!((&kept, kept.web()), (&running, "front-door.local:10000".into()));
        assert!(kept.web_by_address().ends_with(":10000"));
    }

    #[test]
    fn a_camera_that_is_not_announced_is_named_by_its_address_and_port() {
        let mut config = Config::default();
        config.announce = Announce::Off;
        config.listen = Listen::At(addresses(&["127.0.0.1:9999", "[::]:7000"]));
        let expected = Whereabouts::expected(&config, "pi");
        assert!(expected.camera().ends_with(":7000") && expected.web().ends_with(":7000"));
        assert_eq!(Whereabouts::parse(&expected.text()), Some(expected));
    }

    #[test]
    fn a_damaged_file_is_ignored() {
        for text in ["", "x", "x\n", "x\ny\n", "x\n1\n2\n", "x\n70000\n", "\u{1b}[2J\n1\n"] {
            assert_eq!(Whereabouts::parse(text), None, "{text:?}");
        }
    }
}
