//! Finds out what somebody means by a name: a camera on the LAN, or a machine.

use super::address::{CameraAddress, HostKind};
use super::finder::{self, Census, Found, PATIENCE};
use crate::nearest;
use crate::net::mdns;
use crate::plain::printable;
use crate::wire::dns::{self, Kind, Name};
use crate::wire::service::{CAMERA, host_label};
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// What is meant.
#[derive(Debug)]
pub(super) enum Meant {
    /// This camera.
    Camera(Box<Found>),
    /// Whatever listens at one of these, best first.
    Machine(Vec<SocketAddr>),
}

/// Why nobody knows what is meant.
#[derive(Debug)]
pub enum LookupError {
    /// There is no such machine, and no such camera.
    Unknown {
        /// As it was written.
        name: String,
        /// What a host may be.
        is_camera: bool,
        /// The cameras that answered, by their names.
        found: Vec<String>,
        /// The system's word for it.
        source: Option<io::Error>,
    },
    /// Several cameras could be meant, each with its address.
    Ambiguous {
        /// As it was written.
        name: String,
        /// Their names and addresses.
        found: Vec<(String, String)>,
    },
}

impl LookupError {
    /// The host of that name has no address.
    pub(super) fn nowhere(name: String, source: io::Error) -> Self {
        Self::Unknown { name, is_camera: false, found: Vec::new(), source: Some(source) }
    }
}

/// So long a camera's own announcement is waited for, when a machine of the name is known already, and another camera that
/// the name fits as well.
const GRACE: Duration = Duration::from_millis(500);

/// Systems that do not know multicast DNS ask their name servers for NAME.local, some for a long time. This is how long
/// they are waited for when nobody on the LAN has the name.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(2);

/// No list of cameras in a sentence is longer.
const MOST_NAMED: usize = 8;

/// What the host of `address` means. The camera of exactly that name wins; then, where no port was named, the one whose name
/// as a host is that; then the machine of that name. May take seconds.
///
/// # Errors
/// When nobody knows the name, or several cameras could be meant.
pub(super) fn look_up(address: &CameraAddress) -> Result<Meant, LookupError> {
    match address.kind() {
        HostKind::Fixed => ask_system(address)
            .map(Meant::Machine)
            .map_err(|source| LookupError::nowhere(address.host.clone(), source)),
        HostKind::Domain => match ask_system(address) {
            Ok(addresses) => Ok(Meant::Machine(addresses)),
            // A camera may have a dot in its name.
            Err(source) => Inquiry::begin(address, Some(Err(source))).run(),
        },
        HostKind::Bare | HostKind::Local | HostKind::Camera => Inquiry::begin(address, None).run(),
    }
}

fn ask_system(address: &CameraAddress) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = (address.host.as_str(), address.port()).to_socket_addrs()?.collect();
    match found.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "it has no address")),
        false => Ok(found),
    }
}

/// What comes to be known.
enum Word {
    System(io::Result<Vec<SocketAddr>>),
    Lan(mdns::Answer),
    LanIsSilent,
}

/// The system and the LAN are asked at once.
struct Inquiry<'a> {
    address: &'a CameraAddress,
    kind: HostKind,
    begun: Instant,
    system: Option<io::Result<Vec<SocketAddr>>>,
    is_lan_silent: bool,
    census: Census,
    /// Of the machine, from the LAN.
    machine: Vec<SocketAddr>,
}

impl<'a> Inquiry<'a> {
    fn begin(address: &'a CameraAddress, system: Option<io::Result<Vec<SocketAddr>>>) -> Self {
        Self {
            address,
            kind: address.kind(),
            begun: Instant::now(),
            system,
            is_lan_silent: false,
            census: Census::default(),
            machine: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Meant, LookupError> {
        let (sender, words) = mpsc::sync_channel(1);
        // Threads of their own, because the system's resolver cannot be told when to give up.
        if self.system.is_none() && self.kind != HostKind::Camera {
            let (sender, address) = (sender.clone(), self.address.clone());
            // Nobody listens when the LAN was faster.
            spawn(move || drop(sender.send(Word::System(ask_system(&address)))));
        }
        let question = self.question();
        spawn(move || ask_lan(&question, &sender));
        loop {
            if let Some(meant) = self.judge() {
                return meant;
            }
            match words.recv_timeout(self.patience()) {
                Ok(word) => self.hear(word),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // Both are done, or neither could be asked.
                Err(mpsc::RecvTimeoutError::Disconnected) => self.is_lan_silent = true,
            }
            if self.is_over() {
                return self.judge().unwrap_or_else(|| Err(self.unknown()));
            }
        }
    }

    fn question(&self) -> Vec<u8> {
        let (host, service) = (Name::of(&self.address.host), Name::of(CAMERA));
        match self.kind {
            HostKind::Local => {
                dns::query(&[(&host, Kind::A), (&host, Kind::Aaaa), (&service, Kind::Pointer)])
            }
            _ => finder::question(),
        }
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::System(addresses) => self.system = Some(addresses),
            Word::LanIsSilent => self.is_lan_silent = true,
            Word::Lan(answer) => {
                self.census.take(&answer, 0);
                if let Ok(records) = dns::records(&answer.bytes)
                    && self.kind == HostKind::Local
                    && self.machine.is_empty()
                {
                    let (host, port) = (Name::of(&self.address.host), self.address.port());
                    self.machine = finder::addresses(&host, port, &records, &answer);
                }
            }
        }
    }

    /// Until when nothing changes by itself.
    fn patience(&self) -> Duration {
        let waited = self.begun.elapsed();
        let next = if waited < GRACE { GRACE } else { SYSTEM_PATIENCE };
        next.saturating_sub(waited).max(Duration::from_millis(1))
    }

    /// Whether nobody is left who could say more.
    fn is_over(&self) -> bool {
        let is_system_done = self.system.is_some() || self.kind == HostKind::Camera;
        self.is_lan_silent && is_system_done || self.begun.elapsed() >= SYSTEM_PATIENCE
    }

    /// What is meant, as soon as that is sure.
    fn judge(&self) -> Option<Result<Meant, LookupError>> {
        let is_time = self.is_lan_silent || self.begun.elapsed() >= GRACE;
        let machine = self.machine();
        // A port is one of a machine, and there it is.
        if self.address.port.is_some() && self.kind != HostKind::Camera {
            if let Some(machine) = machine {
                return Some(Ok(Meant::Machine(machine)));
            }
            let is_system_done = matches!(self.system, Some(Err(_))) || self.is_over();
            return (is_time && is_system_done).then(|| self.camera()).flatten();
        }
        let cameras = self.census.sightings().cameras;
        let name = self.address.name().to_lowercase();
        let exact = cameras.iter().filter(|camera| camera.name.to_lowercase() == name);
        if let [camera] = exact.collect::<Vec<_>>().as_slice() {
            return Some(Ok(self.meant(Found::clone(camera))));
        }
        if !is_time {
            return None;
        }
        self.camera().or_else(|| machine.map(|machine| Ok(Meant::Machine(machine))))
    }

    fn machine(&self) -> Option<Vec<SocketAddr>> {
        match &self.system {
            Some(Ok(addresses)) => Some(addresses.clone()),
            _ => (!self.machine.is_empty()).then(|| self.machine.clone()),
        }
    }

    /// The only camera that the name fits.
    fn camera(&self) -> Option<Result<Meant, LookupError>> {
        let fits = fitting(self.address.name(), self.census.sightings().cameras);
        match fits.as_slice() {
            [] => None,
            [camera] => Some(Ok(self.meant(camera.clone()))),
            several => {
                let found = several.iter().map(|it| (it.name.clone(), it.address().to_string()));
                let (name, found) = (self.address.host.clone(), found.collect());
                Some(Err(LookupError::Ambiguous { name, found }))
            }
        }
    }

    fn meant(&self, mut camera: Found) -> Meant {
        if let Some(port) = self.address.port {
            camera.addresses.iter_mut().for_each(|address| address.set_port(port));
            return Meant::Machine(camera.addresses);
        }
        Meant::Camera(Box::new(camera))
    }

    fn unknown(self) -> LookupError {
        let cameras = self.census.sightings().cameras;
        LookupError::Unknown {
            name: printable(&self.address.host),
            is_camera: self.kind == HostKind::Camera,
            found: cameras.into_iter().map(|camera| camera.name).collect(),
            source: self.system.and_then(Result::err),
        }
    }
}

/// The cameras that may be meant by `name`: those of exactly that name; or else all that call themselves so, or would as a host.
fn fitting(name: &str, cameras: Vec<Found>) -> Vec<Found> {
    let name = name.to_lowercase();
    let is_called = |camera: &Found| camera.name.to_lowercase() == name;
    if cameras.iter().any(is_called) {
        return cameras.into_iter().filter(is_called).collect();
    }
    let label = Some(host_label(&name)).filter(|label| *label == name);
    let fits = |camera: &Found| {
        let own = camera.facts.name.to_lowercase();
        own == name
            || label
                .as_ref()
                .is_some_and(|label| [&camera.name, &own].iter().any(|it| host_label(it) == *label))
    };
    cameras.into_iter().filter(fits).collect()
}

fn spawn(ask: impl FnOnce() + Send + 'static) {
    // Without a thread nobody answers, and that is what is told.
    drop(thread::Builder::new().name("resolve".into()).spawn(ask));
}

fn ask_lan(question: &[u8], sender: &SyncSender<Word>) {
    match mdns::ask(question, PATIENCE) {
        Ok(mut answers) => {
            // Until nobody listens.
            let _ = answers.try_for_each(|answer| sender.send(Word::Lan(answer)));
        }
        Err(error) => log::debug!("cannot ask the LAN: {error}"),
    }
    let _ = sender.send(Word::LanIsSilent);
}

impl fmt::Display for LookupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, is_camera, found, source } => {
                let what = if *is_camera { "no camera" } else { "no camera or machine" };
                write!(out, "cannot find {name}: {what} has that name")?;
                if let Some(source) = source {
                    write!(out, " ({source})")?;
                }
                if found.is_empty() {
                    return out.write_str(
                        ", and no camera answers on the LAN. Is it switched on? Its IP address works too: \
                         lancam-view 192.168.1.20",
                    );
                }
                let names = found.iter().map(String::as_str);
                if let Some(meant) = nearest::of(name, names) {
                    write!(out, ". Did you mean \"{meant}\"?")?;
                } else {
                    out.write_str(".")?;
                }
                let rest = found.len().saturating_sub(MOST_NAMED);
                write!(out, " These cameras answer: {}", found[..found.len() - rest].join(", "))?;
                if rest > 0 { write!(out, " and {rest} more") } else { Ok(()) }
            }
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

impl std::error::Error for LookupError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::service::Facts;

    fn camera(announced: &str, own: &str) -> Found {
        Found {
            name: announced.into(),
            addresses: vec!["10.0.0.5:9999".parse().expect("an address")],
            facts: Facts { name: own.into(), ..Facts::default() },
        }
    }

    #[test]
    fn a_name_fits_the_camera_that_is_listed_so_before_all_that_are_called_so() {
        let lan = [
            camera("Garage", "Garage"),
            camera("Garage (2)", "Garage"),
            camera("Front door", "Front door"),
            camera("front-door (2)", "front-door"),
            camera("玄関", "玄関"),
            camera("台所", "台所"),
        ];
        for (name, expected) in [
            ("garage", &["Garage"][..]),
            ("garage (2)", &["Garage (2)"]),
            ("garage-2", &["Garage (2)"]),
            ("FRONT DOOR", &["Front door"]),
            ("front-door", &["Front door", "front-door (2)"]),
            ("front-door-2", &["front-door (2)"]),
            ("玄関", &["玄関"]),
            ("lancam", &["玄関", "台所"]),
            ("玄", &[]),
            ("door", &[]),
            ("", &[]),
        ] {
            let fits = fitting(name, lan.to_vec());
            let names: Vec<_> = fits.iter().map(|camera| &*camera.name).collect();
            assert_eq!(names, expected, "{name}");
        }
    }

    #[test]
    fn a_camera_by_its_name_with_a_port_is_found_though_the_system_never_answers() {
        let address = CameraAddress::parse("garage:9998").expect("a name and a port");
        let mut inquiry = Inquiry::begin(&address, None);
        inquiry.census = Census::of(camera("Garage", "Garage"));
        inquiry.is_lan_silent = true;
        assert!(inquiry.judge().is_none(), "a machine may be called so");
        inquiry.begun = inquiry.begun.checked_sub(SYSTEM_PATIENCE).expect("it runs for longer");
        let Some(Ok(Meant::Machine(found))) = inquiry.judge() else { panic!("it is known") };
        assert_eq!(found, ["10.0.0.5:9998".parse().expect("an address")]);
    }

    #[test]
    fn whoever_is_not_found_is_told_who_is() {
        let unknown = |found: &[&str]| LookupError::Unknown {
            name: "garag".into(),
            is_camera: false,
            found: found.iter().map(|name| (*name).to_owned()).collect(),
            source: None,
        };
        let text = unknown(&["Door", "Garage"]).to_string();
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
