//! Connects to the camera that is wanted, wherever it is by now, and knows whether what answers there is that camera.

use super::address::{CameraAddress, HostKind};
use super::connect::{ConnectError, Reached, connect_to, connect_to_one_of};
use super::finder;
use super::found;
use super::identity::{Identity, Likeness};
use super::lookup::{self, LookupError, Meant};
use super::search::Search;
use super::wanted::{Origin, Wanted};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The way to one camera.
#[derive(Debug)]
pub(in crate::viewer) struct Reach {
    wanted: Wanted,
    /// Where it was last.
    last: Option<SocketAddr>,
    /// Who answered last: of a machine's name only what it means now is sure.
    seen: Option<Identity>,
    /// By what the connection was found that is judged next, and who is announced there.
    way: Way,
    announced: Option<Identity>,
    /// Attempts since then.
    failures: u32,
    search: Search,
    /// Since when another camera is where the wanted one was.
    stranger: Option<(Stranger, Instant)>,
}

/// By what a connection was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What was asked for was looked up just now.
    Asked,
    /// It was there before.
    Remembered,
    /// What was asked for is the name of a camera, and that is announced there.
    Named,
    /// It was looked for, and is announced there.
    Announced,
}

/// Another camera than the one that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Stranger {
    /// The one that is wanted.
    pub wanted: String,
    /// What the one that is there calls itself.
    pub found: String,
    /// Where.
    pub address: CameraAddress,
}

impl Stranger {
    fn text(&self) -> String {
        let Self { wanted, found, .. } = self;
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
    /// The name means nothing here, or too much.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// Nobody answers there.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Another camera is there, and the wanted one answers nowhere.
    #[error(transparent)]
    Stranger(#[from] Stranger),
}

/// A machine that was NAME.local may have another address by now: each so many attempts, that is asked for again.
const RESOLVED_EACH: u32 = 5;

/// Another camera, where the wanted one was, is asked so often who it is: each time is two lines in its log.
const STRANGER_ASKED_EACH: Duration = Duration::from_secs(10);

impl Reach {
    pub(in crate::viewer) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            last: None,
            seen: None,
            way: Way::Asked,
            announced: None,
            failures: 0,
            search: Search::default(),
            stranger: None,
        }
    }

    /// What is wanted, as it was written.
    pub(in crate::viewer) fn address(&self) -> &CameraAddress {
        &self.wanted.address
    }

    /// Connects to where the camera is, or else to where it is announced now.
    pub(in crate::viewer) fn connect(&mut self, now: Instant) -> Result<Reached, ReachError> {
        let is_due = self.search.is_due(now);
        let is_asked = is_due && self.known().is_some();
        let reached = match self.stranger.clone() {
            // Who is there is known.
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

    /// Connects to where the wanted camera is by now, when another one answered at `there`.
    pub(in crate::viewer) fn connect_elsewhere(
        &mut self,
        stranger: Stranger,
        there: &Reached,
        now: Instant,
    ) -> Result<Reached, ReachError> {
        if self.wanted.identity.is_none() {
            // The address was remembered, and is another's by now. What was asked for is looked up again.
            self.last = None;
            return self.connect_to_known(Lookup::Now);
        }
        self.stranger = Some((stranger.clone(), now));
        let reached = self.connect_by_name().unwrap_or_else(|| Err(stranger.clone().into()))?;
        if reached.stream.peer_addr().ok() == there.stream.peer_addr().ok() {
            // It is still announced where it is no longer.
            return Err(stranger.into());
        }
        Ok(reached)
    }

    /// Whether one camera is wanted and no other, or whichever is where it is looked for.
    pub(in crate::viewer) fn is_choosy(&self) -> bool {
        self.wanted.identity.is_some()
    }

    /// A server that does not say who it is has been connected to.
    pub(in crate::viewer) fn admit_nameless(&mut self) -> Origin {
        (self.failures, self.search) = (0, Search::default());
        Origin::nameless(self.wanted.address.clone())
    }

    /// Whether the camera that answers at `address` and says `said` of itself is the wanted one.
    pub(in crate::viewer) fn judge(
        &mut self,
        said: Identity,
        reached: &Reached,
    ) -> Result<Admitted, Stranger> {
        let address = &reached.address;
        let stranger = |wanted: &str| Stranger {
            wanted: wanted.to_owned(),
            found: said.name.clone(),
            address: address.clone(),
        };
        let known = match (&self.wanted.identity, self.way) {
            // It is the one with the id that was known, or the only one of its name.
            (_, Way::Announced) | (None, Way::Named) => self.announced.clone(),
            (Some(known), _) => Some(known.clone()),
            (None, Way::Remembered) => self.seen.clone(),
            // Whatever the name of a machine means now is what was asked for.
            (None, Way::Asked) => None,
        };
        if let Some(known) = &known {
            let likeness = known.likeness(&said);
            let is_other = match likeness {
                Likeness::Same => false,
                Likeness::Other => true,
                // It was set up anew, unless the one with the old id is somewhere else.
                Likeness::Namesake => reached
                    .stream
                    .peer_addr()
                    .is_ok_and(|here| finder::is_elsewhere(&known.id, here)),
            };
            if is_other {
                return Err(stranger(&known.name));
            }
        }
        if self.way == Way::Named && self.wanted.identity.is_none() {
            // From here on it is this one and no other.
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
        self.last = reached.stream.peer_addr().ok();
        let records_into = match self.seen.replace(said.clone()) {
            Some(before) if before.needs_new_file(&said) => RecordsInto::NewFile,
            _ => RecordsInto::SameFile,
        };
        let name = if said.name.is_empty() { address.to_string() } else { said.name };
        let camera = self.wanted.clone();
        Ok(Admitted { origin: Origin { name: Arc::from(name), id: said.id, camera }, records_into })
    }

    /// How long there is nothing to try before the LAN is asked again, where it is the only one to know.
    pub(in crate::viewer) fn pause(&self, now: Instant) -> Duration {
        let is_unknown = self.last.is_none() && self.wanted.address.kind() != HostKind::Fixed;
        if is_unknown { self.search.left(now) } else { Duration::ZERO }
    }

    /// Who is asked for on the LAN. A machine's camera that was seen is looked for too; whoever is at an IP address is not.
    fn known(&self) -> Option<&Identity> {
        let is_machine = matches!(self.wanted.address.kind(), HostKind::Local | HostKind::Bare);
        self.wanted.identity.as_ref().or(self.seen.as_ref().filter(|_| is_machine))
    }

    fn connect_to_known(&mut self, lookup: Lookup) -> Result<Reached, ReachError> {
        let is_now = match lookup {
            Lookup::Now => true,
            // Asking takes seconds while nobody has that name.
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

    /// Connects to where the camera is announced; `None` where it is not.
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

/// When a name is looked up, though it was reached before.
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

/// Whether what is recorded may go on in the same file.
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

    /// Somebody listens at the wanted address.
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
        // It was given another name, and is known by that too.
        reach.judge(camera("Barn", "1"), &way).expect("it is the same");
        reach.judge(camera("Barn", ""), &way).expect("it is the same");
        assert!(reach.judge(camera("Garage", "3"), &way).is_err());
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
