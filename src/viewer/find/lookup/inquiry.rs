//! Decides what a name means from the answers of the system and the LAN. Has no thread and no clock.

use super::error::LookupError;
use super::{Meant, Word};
use crate::plain::printable;
use crate::viewer::find::address::{CameraAddress, HostKind};
use crate::viewer::find::census::Census;
use crate::viewer::find::finder;
use crate::viewer::find::found::{self, Found};
use crate::wire::dns::{self, Name, QueryKind};
use crate::wire::service::{CAMERA, host_label, instance_name};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The answers for one name so far.
#[derive(Debug)]
pub(super) struct Inquiry<'a> {
    address: &'a CameraAddress,
    kind: HostKind,
    begun: Instant,
    system: Option<io::Result<Vec<SocketAddr>>>,
    is_lan_silent: bool,
    census: Census,
    /// The machine's addresses, from the LAN.
    machine: Vec<SocketAddr>,
}

impl<'a> Inquiry<'a> {
    /// Begins with no answer but the system's, if it was asked already.
    pub(super) fn begin(
        address: &'a CameraAddress,
        system: Option<io::Result<Vec<SocketAddr>>>,
        now: Instant,
    ) -> Self {
        Self {
            address,
            kind: address.kind(),
            begun: now,
            system,
            is_lan_silent: false,
            census: Census::default(),
            machine: Vec::new(),
        }
    }

    /// Whether the system should be asked for a machine of this name.
    pub(super) fn needs_system(&self) -> bool {
        self.system.is_none() && self.kind != HostKind::Camera
    }

    /// The question for the LAN.
    pub(super) fn question(&self) -> Vec<u8> {
        let (host, service) = (Name::of(&self.address.host), Name::of(CAMERA));
        match self.kind {
            HostKind::Local => dns::query(&[
                (&host, QueryKind::A),
                (&host, QueryKind::Aaaa),
                (&service, QueryKind::Pointer),
            ]),
            _ => finder::question(),
        }
    }

    /// Adds an answer.
    pub(super) fn hear(&mut self, word: Word) {
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
                    self.machine = found::addresses(&host, port, &records, &answer);
                }
            }
        }
    }

    /// How long the result stays the same if no answer comes.
    pub(super) fn patience(&self, now: Instant) -> Duration {
        let waited = self.waited(now);
        let next = if waited < GRACE { GRACE } else { SYSTEM_PATIENCE };
        next.saturating_sub(waited).max(Duration::from_millis(1))
    }

    /// Whether no more answers are expected.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_system_done = self.system.is_some() || self.kind == HostKind::Camera;
        self.is_lan_silent && is_system_done || self.waited(now) >= SYSTEM_PATIENCE
    }

    fn waited(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    /// The result, as soon as later answers cannot change it.
    pub(super) fn judge(&self, now: Instant) -> Option<Result<Meant, LookupError>> {
        let is_time = self.is_lan_silent || self.waited(now) >= GRACE;
        let machine = self.machine();
        // A port belongs to a machine, and its address is known.
        if self.address.port.is_some() && self.kind != HostKind::Camera {
            if let Some(machine) = machine {
                return Some(Ok(Meant::Machine(machine)));
            }
            let is_system_done = matches!(self.system, Some(Err(_))) || self.is_over(now);
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

    /// The only camera that fits the name, or the error if several do.
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

    /// The error when nothing has this name.
    pub(super) fn unknown(self) -> LookupError {
        let cameras = self.census.sightings().cameras;
        let name = self.address.name().to_lowercase();
        let is_namesake = |camera: &&Found| {
            let own = camera.facts.name.to_lowercase();
            own == name || is_label(&name) && host_label(&own) == name
        };
        let namesake = cameras.iter().find(is_namesake);
        LookupError::Unknown {
            name: printable(&self.address.host),
            is_camera: self.kind == HostKind::Camera,
            namesake: namesake.map(|camera| camera.name.clone()),
            found: cameras.into_iter().map(|camera| camera.name).collect(),
            source: self.system.and_then(Result::err),
        }
    }
}

/// The cameras that `name` may mean: those with exactly this name, else those whose host is called so, else those that call
/// themselves so or whose name as a host is this. A camera with a number in its announced name is not meant by the name
/// without it: that is the name of another camera, which may be away.
fn fitting(name: &str, mut cameras: Vec<Found>) -> Vec<Found> {
    let name = name.to_lowercase();
    let is_called = |camera: &Found| camera.name.to_lowercase() == name;
    let is_host = |camera: &Found| !name.is_empty() && camera.host == name;
    let may_be = |camera: &Found| {
        let own = camera.facts.name.to_lowercase();
        own == name && !is_numbered(camera) || has_label(camera, &name)
    };
    let ways: [&dyn Fn(&Found) -> bool; 3] = [&is_called, &is_host, &may_be];
    let way = ways.into_iter().find(|way| cameras.iter().any(way));
    cameras.retain(|camera| way.is_some_and(|way| way(camera)));
    cameras
}

/// Whether a camera has another name than it was given, since that was another's.
fn is_numbered(camera: &Found) -> bool {
    camera.name.to_lowercase() != instance_name(&camera.facts.name, 1).to_lowercase()
}

/// Whether a camera's announced name makes this one as a host. If its host is known to be called otherwise, another camera
/// has that. The machine's own name is followed by a port.
fn has_label(camera: &Found, name: &str) -> bool {
    let with_port =
        || camera.addresses.iter().any(|it| camera.host == format!("{name}-{}", it.port()));
    let may_be_its_host = camera.host.is_empty() || with_port();
    is_label(name) && host_label(&camera.name) == name && may_be_its_host
}

fn is_label(name: &str) -> bool {
    host_label(name) == name
}

/// How long to wait for a camera of exactly this name to answer, when a machine or another camera that fits is known
/// already.
const GRACE: Duration = Duration::from_millis(500);

/// How long to wait for the system when nothing on the LAN has the name. A system without multicast DNS asks its name
/// servers for NAME.local, which may take long.
const SYSTEM_PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::service::Facts;

    fn camera(announced: &str, own: &str) -> Found {
        Found {
            name: announced.into(),
            addresses: vec!["10.0.0.5:9999".parse().expect("an address")],
            facts: Facts { name: own.into(), ..Facts::default() },
            ..Found::default()
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
            ("front-door", &["Front door"]),
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

    /// What `text` opens once all have answered: the name of a camera.
    fn opened(text: &str, lan: &[Found]) -> Option<String> {
        let address = CameraAddress::parse(text).expect("a name");
        let now = Instant::now();
        let mut inquiry = Inquiry::begin(&address, None, now);
        inquiry.census = Census::of_all(lan.to_vec());
        inquiry.hear(Word::System(Err(io::ErrorKind::NotFound.into())));
        inquiry.hear(Word::LanIsSilent);
        match inquiry.judge(now)? {
            Ok(Meant::Camera(camera)) => Some(camera.name.clone()),
            Ok(Meant::Machine(machine)) => panic!("{machine:?}"),
            Err(LookupError::Ambiguous { found, .. }) => Some(format!("{} cameras", found.len())),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn a_host_of_another_number_than_its_camera_leads_to_that_camera() {
        let at = |name: &str, host: &str| Found { host: host.into(), ..camera(name, name) };
        let lan = [
            at("玄関", "lancam-2"),
            at("台所", "lancam"),
            at("a-b", "a-b-2"),
            at("Pi", "pi-9999"),
            at("P i", "p-i-1"),
        ];
        for (name, expected) in [
            ("lancam.local", Some("台所")),
            ("lancam-2.local", Some("玄関")),
            ("a-b-2.local", Some("a-b")),
            ("pi-9999.local", Some("Pi")),
            ("p-i.local", None),
            ("lancam-3.local", None),
        ] {
            assert_eq!(opened(name, &lan).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_host_is_the_camera_that_is_announced_so_and_no_namesake() {
        let door = camera("Front door", "Front door");
        let second = camera("Front door (2)", "Front door");
        let both = [door.clone(), second.clone()];
        for (name, lan, expected) in [
            ("front-door.local", &both[1..], None),
            ("front-door.local", &both[..], Some("Front door")),
            ("front-door-2.local", &both, Some("Front door (2)")),
            ("front-door", &both, Some("Front door")),
            ("front-door", &both[1..], None),
            ("Front door", &both[1..], None),
            ("Pi 4.2", &[camera("Pi 4-2", "Pi 4.2")], Some("Pi 4-2")),
        ] {
            assert_eq!(opened(name, lan).as_deref(), expected, "{name} of {lan:?}");
        }
        let address = CameraAddress::parse("front-door").expect("a name");
        let mut inquiry = Inquiry::begin(&address, None, Instant::now());
        inquiry.census = Census::of_all(vec![second]);
        let said = inquiry.unknown().to_string();
        assert!(said.contains("Did you mean \"Front door (2)\"?"), "{said}");
    }

    #[test]
    fn a_camera_by_its_name_with_a_port_is_found_though_the_system_never_answers() {
        let address = CameraAddress::parse("garage:9998").expect("a name and a port");
        let now = Instant::now();
        let mut inquiry = Inquiry::begin(&address, None, now);
        inquiry.census = Census::of_all(vec![camera("Garage", "Garage")]);
        inquiry.hear(Word::LanIsSilent);
        assert!(inquiry.judge(now).is_none(), "a machine may be called so");
        let late = inquiry.judge(now + SYSTEM_PATIENCE);
        let Some(Ok(Meant::Machine(found))) = late else { panic!("it is known") };
        assert_eq!(found, ["10.0.0.5:9998".parse().expect("an address")]);
    }

    #[test]
    fn a_machine_is_taken_when_no_camera_of_that_name_has_answered_for_half_a_second() {
        let address = CameraAddress::parse("garage").expect("a name");
        let now = Instant::now();
        let mut inquiry = Inquiry::begin(&address, None, now);
        assert!(inquiry.needs_system());
        let machine = vec!["10.0.0.7:9999".parse().expect("an address")];
        inquiry.hear(Word::System(Ok(machine.clone())));
        assert!(inquiry.judge(now).is_none() && !inquiry.is_over(now), "a camera may answer");
        assert_eq!(inquiry.patience(now), GRACE);
        let Some(Ok(Meant::Machine(found))) = inquiry.judge(now + GRACE) else {
            panic!("nobody else answers")
        };
        assert_eq!(found, machine);
        inquiry.census = Census::of_all(vec![camera("Garage", "Garage")]);
        let Some(Ok(Meant::Camera(found))) = inquiry.judge(now) else { panic!("it is there") };
        assert_eq!(found.name, "Garage");
    }
}
