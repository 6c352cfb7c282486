//! How others reach a camera, and what they need: `lancam` writes it into its state folder when it starts, and `lancam pair`
//! shows it.

use super::access::folder::{Folder, FolderError, Name};
use super::access::{Mode, Plain};
use super::announcer::Announce;
use super::config::Config;
use super::door;
use super::listen::{Listen, reaches_others};
use crate::net::lan::own_addresses;
use crate::plain::is_plain;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

/// How others reach a camera, and what they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// NAME.local, if the camera is announced.
    local_name: Option<String>,
    /// Where it listens for others; for itself if no other machine reaches it.
    listeners: Vec<SocketAddr>,
    access: Mode,
    plain: Plain,
}

/// What stands in the file in place of the name of a camera that is not announced.
const NO_NAME: &str = "-";

impl Whereabouts {
    /// Of a camera that listens at these addresses.
    pub fn of(config: &Config, addresses: &[SocketAddr], host_name: &str) -> Self {
        let for_others = addresses.iter().copied().filter(reaches_others);
        let mut listeners: Vec<SocketAddr> = for_others.collect();
        let is_alone = listeners.is_empty();
        if is_alone {
            listeners = addresses.to_vec();
        }
        let name = config.name.as_deref().unwrap_or(host_name);
        let is_announced = config.announce == Announce::On && !is_alone;
        let local_name = is_announced.then(|| door::local_name(name));
        // On loopback nobody needs a key.
        let access = if is_alone { Mode::Open } else { config.access };
        Self { local_name, listeners, access, plain: config.plain }
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

    /// Of the camera that has started last with this state folder; `None` if none has, or the file is damaged.
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
        let listeners: Vec<String> = self.listeners.iter().map(SocketAddr::to_string).collect();
        let name = self.local_name.as_deref().unwrap_or(NO_NAME);
        format!("{name}\n{}\n{} {}\n", listeners.join(" "), self.access.word(), self.plain.word())
    }

    fn parse(text: &str) -> Option<Self> {
        let [name, listeners, who] = text.strip_suffix('\n')?.split('\n').collect::<Vec<_>>()[..]
        else {
            return None;
        };
        if !name.chars().all(|letter| is_plain(letter) && !letter.is_whitespace()) {
            return None;
        }
        let local_name = (name != NO_NAME).then(|| name.to_owned());
        let listeners = listeners.split(' ').map(|it| it.parse().ok()).collect::<Option<_>>()?;
        let (access, plain) = who.split_once(' ')?;
        let (access, plain) = (Mode::parse(access)?, Plain::parse(plain)?);
        Some(Self { local_name, listeners, access, plain })
    }

    /// The name of the camera in .local, if it is announced.
    pub fn local_name(&self) -> Option<&str> {
        self.local_name.as_deref()
    }

    /// Whether others need a key.
    pub fn access(&self) -> Mode {
        self.access
    }

    /// Whether some keys are accepted without TLS.
    pub fn plain(&self) -> Plain {
        self.plain
    }

    /// Whether no other machine reaches it.
    pub fn is_alone(&self) -> bool {
        !self.listeners.iter().any(reaches_others)
    }

    /// How viewers call it.
    pub fn camera(&self) -> String {
        let usual = Listen::DEFAULT_PORTS[0];
        self.local_name.clone().unwrap_or_else(|| self.by_address_or_here(usual))
    }

    /// Its name or address and its port for browsers.
    pub fn web(&self) -> String {
        match &self.local_name {
            Some(name) => format!("{name}:{}", self.listener(WEB).port()),
            None => self.by_address_or_here(WEB),
        }
    }

    /// The same by its address, for browsers whose system does not resolve names in .local. `None` without a network.
    pub fn web_by_address(&self) -> Option<String> {
        self.by_address(WEB, &own_addresses())
    }

    fn by_address_or_here(&self, usual: u16) -> String {
        let here = || SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.listener(usual).port());
        self.by_address(usual, &own_addresses()).unwrap_or_else(|| here().to_string())
    }

    /// Where a machine with these addresses is reached.
    fn by_address(&self, usual: u16, own: &[IpAddr]) -> Option<String> {
        let listener = self.listener(usual);
        let address = match listener.ip() {
            any if any.is_unspecified() => {
                let is_v4 = own.iter().copied().find(IpAddr::is_ipv4);
                is_v4.or(own.first().copied().filter(|_| any.is_ipv6()))?
            }
            address => address.to_canonical(),
        };
        Some(SocketAddr::new(address, listener.port()).to_string())
    }

    /// The listener at the usual port if there is one, else the first.
    fn listener(&self, usual: u16) -> SocketAddr {
        let at_usual = self.listeners.iter().find(|it| it.port() == usual);
        let found = at_usual.or(self.listeners.first()).copied();
        found.unwrap_or(SocketAddr::from(([0_u16; 8], usual)))
    }
}

/// The usual port for browsers.
const WEB: u16 = Listen::DEFAULT_PORTS[1];

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
        assert!(kept.web_by_address().is_none_or(|web| web.ends_with(":10000")));
    }

    #[test]
    fn the_address_is_one_at_which_the_camera_listens() {
        let own: Vec<IpAddr> =
            ["2001:db8::4", "10.0.0.5"].iter().map(|it| it.parse().expect("an address")).collect();
        let by_address = |listener: &str, own: &[IpAddr]| {
            let listeners = addresses(&[listener]);
            Whereabouts::of(&Config::default(), &listeners, "pi").by_address(WEB, own)
        };
        for (listener, own, shown) in [
            ("192.168.1.4:9999", &own[..], Some("192.168.1.4:9999")),
            ("[::]:8080", &own, Some("10.0.0.5:8080")),
            ("[::]:8080", &own[..1], Some("[2001:db8::4]:8080")),
            ("0.0.0.0:8080", &own[..1], None),
            ("[::]:8080", &[], None),
        ] {
            assert_eq!(by_address(listener, own).as_deref(), shown, "{listener}");
        }
    }

    #[test]
    fn a_camera_that_only_this_machine_reaches_needs_no_key_and_has_no_name() {
        let config = Config::default();
        assert_eq!((config.access, config.announce), (Mode::Keys, Announce::On));
        let alone = Whereabouts::of(&config, &addresses(&["127.0.0.1:9999"]), "pi");
        assert_eq!(alone.local_name(), None);
        assert_eq!((alone.access(), alone.is_alone()), (Mode::Open, true));
        assert_eq!(
            (alone.camera(), alone.web()),
            ("127.0.0.1:9999".into(), "127.0.0.1:9999".into())
        );
        assert_eq!(Whereabouts::parse(&alone.text()), Some(alone));
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
        for text in [
            "",
            "x\n",
            "x\n8080\n",
            "x\n[::]:8080\n",
            "x\ny\nkeys off\n",
            "x\n\nkeys off\n",
            "x\n[::]:70000\nkeys off\n",
            "x\n[::]:8080\nkeys\n",
            "x\n[::]:8080\nnobody off\n",
            "x\n[::]:8080\nkeys off\nmore\n",
            "\u{1b}[2J\n[::]:8080\nkeys off\n",
        ] {
            assert_eq!(Whereabouts::parse(text), None, "{text:?}");
        }
        assert!(Whereabouts::parse("x\n[::]:8080\nkeys off\n").is_some());
    }
}
