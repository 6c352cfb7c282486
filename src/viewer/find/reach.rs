//! Connects to the wanted camera wherever it is now, and checks that it is that camera which answers.

use super::address::{CameraAddress, HostKind};
use super::connect::{ConnectError, Reached, connect_to, connect_to_one_of};
use super::finder;
use super::found;
use super::identity::{Identity, Likeness};
use super::lookup::{self, LookupError, Meant};
use super::search::Search;
use super::wanted::{Origin, Wanted};
use crate::wording::{TYPE, shell_word};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The way to one camera.
#[derive(Debug)]
pub(in crate::viewer) struct Reach {
    wanted: Wanted,
    /// Its last address.
    last: Option<SocketAddr>,
    /// The camera that was admitted last. Decides only at its remembered address; a machine's name means whatever answers
    /// there now.
    seen: Option<Identity>,
    /// How the current connection was found, and which camera is announced at that address.
    way: Way,
    announced: Option<Identity>,
    /// How often a camera was admitted.
    admissions: u64,
    /// Failed attempts since the last admitted connection.
    failures: u32,
    search: Search,
    /// Another camera that answered at the wanted one's address, and when it was asked last.
    stranger: Option<(Stranger, Instant)>,
}

/// How a connection was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The name or address that the user gave was resolved just now.
    Asked,
    /// At the address from before.
    Remembered,
    /// The user gave a camera's name, and that camera is announced there.
    Named,
    /// The camera was searched for on the LAN, and is announced there.
    Announced,
}

/// A camera that is not the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Stranger {
    /// The name of the wanted camera.
    pub wanted: String,
    /// The name that the other camera gives.
    pub found: String,
    /// Its address.
    pub address: CameraAddress,
    /// By what it was told from the wanted one.
    pub by: ToldBy,
}

/// By what a camera was told from the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToldBy {
    /// It gives another name or id.
    Name,
    /// The wanted one was paired, and this one shows another certificate.
    Certificate,
    /// The wanted one was paired, and this one does not speak TLS.
    NoCertificate,
}

impl Stranger {
    /// A camera that calls itself `found`, where `wanted` was expected.
    pub(in crate::viewer) fn at(
        reached: &Reached,
        wanted: &str,
        found: String,
        by: ToldBy,
    ) -> Self {
        Self { wanted: wanted.to_owned(), found, address: reached.address.clone(), by }
    }

    /// What to say while the wanted one is looked for.
    pub(in crate::viewer) fn while_looking(&self) -> String {
        match self.by {
            ToldBy::Name => self.text(),
            ToldBy::Certificate | ToldBy::NoCertificate => {
                let wanted = &self.wanted;
                format!("This is not the {wanted} that you paired. Looking for {wanted} on the LAN")
            }
        }
    }

    fn text(&self) -> String {
        let Self { wanted, found, .. } = self;
        match self.by {
            ToldBy::Name => {}
            ToldBy::Certificate => {
                return format!(
                    "This is not the {wanted} that you paired: it shows another certificate. If you have set {wanted} up \
                     anew, pair again with its code. Otherwise another machine answers in its place"
                );
            }
            ToldBy::NoCertificate => {
                return format!(
                    "This is not the {wanted} that you paired: it does not encrypt. Another machine may answer in its \
                     place. If you have opened {wanted} to everybody, forget the pairing. {TYPE}lancam-view --forget {}",
                    shell_word(wanted)
                );
            }
        }
        if found.is_empty() {
            return format!(
                "This is not {wanted} but a camera without a name. Looking for {wanted} on the LAN"
            );
        }
        if found.to_lowercase() == wanted.to_lowercase() {
            return format!(
                "This is another camera called {found}. Looking for the right one on the LAN"
            );
        }
        format!("This is not {wanted} but {found}. Looking for {wanted} on the LAN")
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ReachError {
    /// The name cannot be resolved, or it fits several cameras.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Nothing answers there.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Another camera is there, and the wanted one does not answer on the LAN.
    #[error(transparent)]
    Stranger(#[from] Stranger),
}

/// After how many failed attempts to resolve a machine's name again: it may have another address now.
const RESOLVED_EACH: u32 = 5;

/// How often to ask another camera who it is. Each time writes two lines into its log.
const STRANGER_ASKED_EACH: Duration = Duration::from_secs(10);

impl Reach {
    pub(in crate::viewer) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            last: None,
            seen: None,
            way: Way::Asked,
            announced: None,
            admissions: 0,
            failures: 0,
            search: Search::default(),
            stranger: None,
        }
    }

    /// The wanted camera's address, as it was written.
    pub(in crate::viewer) fn address(&self) -> &CameraAddress {
        &self.wanted.address
    }

    /// Connects to the camera's last address, or to the one where it is announced now.
    pub(in crate::viewer) fn connect(&mut self, now: Instant) -> Result<Reached, ReachError> {
        let is_due = self.search.is_due(now);
        let is_asked = is_due && self.known().is_some();
        let reached = match self.stranger.clone() {
            // The camera at this address is known to be another one.
            Some((stranger, asked))
                if now.saturating_duration_since(asked) < STRANGER_ASKED_EACH =>
            {
                Err(stranger.into())
            }
            _ => {
                if let Some((_, asked)) = &mut self.stranger {
                    *asked = now;
                }
                self.connect_to_known(if is_due { Lookup::IfNeeded } else { Lookup::Never })
            }
        };
        let was_asked_by_lookup =
            self.way != Way::Remembered && self.wanted.address.kind() != HostKind::Fixed;
        if is_asked || was_asked_by_lookup {
            self.search.asked = Some(now);
        }
        let reached = match reached {
            Err(failure) if is_asked => self.connect_by_name().unwrap_or(Err(failure)),
            reached => reached,
        };
        if reached.is_err() {
            self.failures = self.failures.wrapping_add(1);
            self.search.since.get_or_insert(now);
        }
        reached
    }

    /// Connects to the wanted camera at another address, after another camera answered at `there`.
    pub(in crate::viewer) fn connect_elsewhere(
        &mut self,
        stranger: Stranger,
        there: &Reached,
        now: Instant,
    ) -> Result<Reached, ReachError> {
        if self.wanted.identity.is_none() {
            // The remembered address belongs to another camera now. Resolve the name again.
            self.last = None;
            return self.connect_to_known(Lookup::Now);
        }
        self.stranger = Some((stranger.clone(), now));
        let reached = self.connect_by_name().unwrap_or_else(|| Err(stranger.clone().into()))?;
        if reached.stream.peer_addr().ok() == there.stream.peer_addr().ok() {
            // The wanted camera is still announced at its old address.
            return Err(stranger.into());
        }
        Ok(reached)
    }

    /// The camera that is wanted, as far as that is known.
    pub(in crate::viewer) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// A camera as the user calls it, and the address where it is now if that is another text: `Garage (10.0.0.5:9999)`.
    pub(in crate::viewer) fn called(&self, at: &CameraAddress) -> String {
        let Wanted { identity, address } = &self.wanted;
        let known = identity.as_ref().map(|known| known.name.clone());
        let written = || (address.host != at.host).then(|| address.written());
        match known.filter(|name| !name.is_empty()).or_else(written) {
            Some(name) if name != at.to_string() => format!("{name} ({at})"),
            _ => at.to_string(),
        }
    }

    /// Whether the wanted camera may be at another address than the one that was reached.
    pub(in crate::viewer) fn may_be_elsewhere(&self) -> bool {
        self.is_choosy() || self.wanted.address.kind() != HostKind::Fixed
    }

    /// Whether only one particular camera is wanted, not whichever is at the address.
    pub(in crate::viewer) fn is_choosy(&self) -> bool {
        self.wanted.identity.is_some()
    }

    /// How often a camera was admitted.
    pub(in crate::viewer) fn admissions(&self) -> u64 {
        self.admissions
    }

    /// Connects to the last address again, although another camera was there.
    pub(in crate::viewer) fn ask_again(&mut self) {
        self.stranger = None;
    }

    /// Admits a server that does not say who it is.
    pub(in crate::viewer) fn admit_nameless(&mut self) -> Origin {
        (self.failures, self.search) = (0, Search::default());
        Origin::nameless(self.wanted.address.clone())
    }

    /// Whether the camera at `reached`, which says `said` about itself, may be the wanted one. Returns which one is expected
    /// there, if that is known.
    pub(in crate::viewer) fn check(
        &self,
        said: &Identity,
        reached: &Reached,
    ) -> Result<Option<Identity>, Stranger> {
        let known = match (&self.wanted.identity, self.way) {
            // The camera with the known id, or the only one of its name.
            (_, Way::Announced) | (None, Way::Named) => self.announced.clone(),
            (Some(known), _) => Some(known.clone()),
            (None, Way::Remembered) => self.seen.clone(),
            // Whatever the machine's name means now is what the user asked for.
            (None, Way::Asked) => None,
        };
        let Some(known) = known else { return Ok(None) };
        let is_other = match known.likeness(said) {
            Likeness::Same => false,
            Likeness::Other => true,
            // It was set up anew, unless the camera with the old id answers elsewhere.
            Likeness::Namesake => {
                reached.stream.peer_addr().is_ok_and(|here| finder::is_elsewhere(&known.id, here))
            }
        };
        match is_other {
            true => Err(Stranger::at(reached, &known.name, said.name.clone(), ToldBy::Name)),
            false => Ok(Some(known)),
        }
    }

    /// Decides whether the camera at `reached`, which says `said` about itself, is the wanted one.
    pub(in crate::viewer) fn judge(
        &mut self,
        said: Identity,
        reached: &Reached,
    ) -> Result<Admitted, Stranger> {
        let address = &reached.address;
        let known = self.check(&said, reached)?;
        if self.way == Way::Named && self.wanted.identity.is_none() {
            // From now on only this camera is wanted.
            self.wanted.identity = known;
        }
        if let Some(known) = &mut self.wanted.identity {
            if !said.id.is_empty() {
                known.id.clone_from(&said.id);
            }
            if !known.is_name_of(&said.name) && !said.name.is_empty() {
                known.name.clone_from(&said.name);
            }
            self.wanted.address = address.clone();
        }
        (self.stranger, self.failures, self.search) = (None, 0, Search::default());
        self.admissions += 1;
        self.last = reached.stream.peer_addr().ok();
        let records_into = match self.seen.replace(said.clone()) {
            Some(before) if before.needs_new_file(&said) => RecordsInto::NewFile,
            _ => RecordsInto::SameFile,
        };
        let name = if said.name.is_empty() { address.to_string() } else { said.name };
        let camera = self.wanted.clone();
        Ok(Admitted { origin: Origin { name: Arc::from(name), id: said.id, camera }, records_into })
    }

    /// How long to wait before the next attempt, if only the LAN can say where the camera is.
    pub(in crate::viewer) fn pause(&self, now: Instant) -> Duration {
        let is_unknown = self.last.is_none() && self.wanted.address.kind() != HostKind::Fixed;
        if is_unknown { self.search.left(now) } else { Duration::ZERO }
    }

    /// The camera to search for on the LAN. If the user gave a machine's name, that is the camera seen there. At an IP
    /// address, no camera is searched for.
    fn known(&self) -> Option<&Identity> {
        let is_machine = matches!(self.wanted.address.kind(), HostKind::Local | HostKind::Bare);
        self.wanted.identity.as_ref().or(self.seen.as_ref().filter(|_| is_machine))
    }

    fn connect_to_known(&mut self, lookup: Lookup) -> Result<Reached, ReachError> {
        let is_now = match lookup {
            Lookup::Now => true,
            // Resolving takes seconds while nothing has that name.
            Lookup::IfNeeded => self.failures % RESOLVED_EACH == RESOLVED_EACH - 1,
            Lookup::Never => false,
        };
        let is_fixed = self.wanted.address.kind() == HostKind::Fixed;
        if let Some(last) = self.last.filter(|_| !is_fixed && !is_now) {
            self.way = Way::Remembered;
            let address = match &self.wanted.identity {
                Some(_) => found::at(last),
                None => self.wanted.address.clone(),
            };
            let stream = connect_to_one_of(&address, &[last])?;
            return Ok(Reached { stream, address });
        }
        self.way = Way::Asked;
        match lookup::look_up(&self.wanted.address)? {
            Meant::Machine(addresses) => {
                let address = self.wanted.address.clone();
                Ok(Reached { stream: connect_to_one_of(&address, &addresses)?, address })
            }
            Meant::Camera(found) => {
                (self.way, self.announced) = (Way::Named, Some(found.identity()));
                Ok(connect_to(&found)?)
            }
        }
    }

    /// Connects to the address where the camera is announced. `None` if it is not announced.
    fn connect_by_name(&mut self) -> Option<Result<Reached, ReachError>> {
        let known = self.known()?.clone();
        let found = match finder::look_for(&known) {
            Ok(found) => found?,
            Err(error) => {
                log::debug!("cannot look for {}: {error}", known.name);
                return None;
            }
        };
        if self.last.is_none_or(|last| !found.addresses.contains(&last)) {
            log::info!("{} is at {} now", known.name, found.address());
        }
        (self.way, self.announced) = (Way::Announced, Some(found.identity()));
        Some(connect_to(&found).map_err(ReachError::from))
    }
}

/// When to resolve a name again although it was reached before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lookup {
    Now,
    IfNeeded,
    Never,
}

/// The wanted camera has answered.
#[derive(Debug)]
pub(in crate::viewer) struct Admitted {
    pub(in crate::viewer) origin: Origin,
    pub(in crate::viewer) records_into: RecordsInto,
}

/// Whether a recording may continue in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::viewer) enum RecordsInto {
    SameFile,
    NewFile,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn camera(name: &str, id: &str) -> Identity {
        Identity { name: name.into(), id: id.into() }
    }

    /// A reach whose camera is at an address where something listens.
    fn reached(wanted: Option<Identity>) -> (Reach, Reached) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = found::at(listener.local_addr().expect("bound"));
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
        let reach = Reach::new(Wanted { identity: wanted, address: address.clone() });
        (reach, Reached { stream, address })
    }

    #[test]
    fn the_wanted_camera_is_admitted_and_no_other() {
        let (mut reach, way) = reached(Some(camera("Garage", "1")));
        let stranger = reach.judge(camera("Door", "2"), &way).expect_err("another one");
        assert_eq!(
            stranger.to_string(),
            "This is not Garage but Door. Looking for Garage on the LAN"
        );
        assert!(reach.judge(camera("", ""), &way).is_err());
        let admitted = reach.judge(camera("Garage", "1"), &way).expect("it is");
        assert_eq!((&*admitted.origin.name, &*admitted.origin.id), ("Garage", "1"));
        // The camera was renamed. From now on its new name is known too.
        reach.judge(camera("Barn", "1"), &way).expect("it is the same");
        reach.judge(camera("Barn", ""), &way).expect("it is the same");
        assert!(reach.judge(camera("Garage", "3"), &way).is_err());
    }

    #[test]
    fn a_camera_is_called_what_the_user_calls_it_with_the_address_behind_it() {
        let at = CameraAddress::parse("10.77.3.3:9999").expect("an address");
        for (typed, name, called) in [
            ("garage", None, "garage (10.77.3.3:9999)"),
            ("Front door", None, "Front door (10.77.3.3:9999)"),
            ("garage.local:81", None, "garage.local:81 (10.77.3.3:9999)"),
            ("10.77.3.3", None, "10.77.3.3:9999"),
            ("10.77.3.2", Some("Garage"), "Garage (10.77.3.3:9999)"),
            ("10.77.3.3", Some(""), "10.77.3.3:9999"),
            ("10.77.3.3", Some("10.77.3.3:9999"), "10.77.3.3:9999"),
        ] {
            let address = CameraAddress::parse(typed).expect("an address");
            let identity = name.map(|name| camera(name, "1"));
            let reach = Reach::new(Wanted { identity, address });
            assert_eq!(reach.called(&at), called, "{typed}");
        }
        let address = CameraAddress::parse("garage.local").expect("an address");
        let reach = Reach::new(Wanted { identity: None, address: address.clone() });
        assert_eq!(reach.called(&address), "garage.local:9999", "it is what was resolved");
    }

    #[test]
    fn at_an_address_the_picture_follows_and_the_recording_does_not() {
        let (mut reach, way) = reached(None);
        let records_into = |reach: &mut Reach, name, id| {
            let admitted = reach.judge(camera(name, id), &way).expect("whoever it is");
            assert_eq!(admitted.origin.camera.identity, None);
            admitted.records_into
        };
        for (name, id, expected) in [
            ("Garage", "1", RecordsInto::SameFile),
            ("Garage", "1", RecordsInto::SameFile),
            ("Garage", "2", RecordsInto::NewFile),
            ("Door", "3", RecordsInto::NewFile),
            ("Door", "", RecordsInto::SameFile),
            ("Garage", "", RecordsInto::NewFile),
        ] {
            assert_eq!(records_into(&mut reach, name, id), expected, "{name} {id}");
        }
    }
}
