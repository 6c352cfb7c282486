//! Lets viewers find this camera: announces it on the LAN, with the size and rate of its pictures once they are known.

use super::listen::Listen;
use super::update::Shown;
use crate::latest::{Newest, Reader};
use crate::net::announce::{AnnounceError, Announcer, Claim, Reach, Service};
use crate::wire::service::{CAMERA, Facts, WEB, host_label, instance_name};
use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Whether the camera can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// On every network where it listens.
    On,
    /// Only by who knows its address.
    Off,
}

/// What is announced.
#[derive(Debug)]
pub struct Announcement {
    /// Where viewers reach it.
    reach: Reach,
    /// What this machine is called.
    host_name: String,
    facts: Facts,
    /// Above 1 where others have the name too.
    number: u32,
}

/// A camera that runs has its first picture by then, and is announced with its size at once.
const FIRST_PICTURE: Duration = Duration::from_secs(1);

/// Whether a name is free turns out within a second, and each while that is looked for.
const CLAIMING: Duration = Duration::from_secs(4);
const CLAIM_CHECK: Duration = Duration::from_millis(100);

/// While it is asked whether a name is free, nothing new is said: heard by the library, which hears its own words too, that
/// looks like somebody else's.
const ASKING: Duration = Duration::from_millis(1500);

/// Later it may still turn out, on a network that came later.
const LATE_CHECK: Duration = Duration::from_secs(2);

/// Why an announcement is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The camera leaves.
    Leaving,
    /// Somebody else has the name.
    NameTaken,
}

/// Whether a name is really somebody else's. On a network that comes late it is asked for again, and addresses turn up
/// meanwhile: what the library says of those is not what it asked with, and when it hears that, it takes it for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// It is.
    None,
    /// It is to be asked for once more, with what is known by now.
    Some,
}

impl Doubt {
    /// A name turned out to be taken, so long after it was claimed.
    fn after(self, held: Duration) -> Self {
        match self {
            Self::Some if held < CLAIMING => Self::None,
            _ => Self::Some,
        }
    }
}

impl Announcement {
    /// Of the camera `name` with this id that listens at `listeners`, on the machine `host_name`. `None` when it listens
    /// nowhere.
    pub fn new(name: &str, id: &str, listeners: &[SocketAddr], host_name: &str) -> Option<Self> {
        let [_, usual_web_port] = Listen::DEFAULT_PORTS;
        let reach = Reach::of(listeners, usual_web_port)?;
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
            id: id.to_owned(),
            ..Facts::default()
        };
        Some(Self { reach, host_name: host_name.to_owned(), facts, number: 1 })
    }

    /// Announces on a thread of its own until `shown` is closed, and withdraws everything then.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(self, shown: Reader<Shown>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("announce".into()).spawn(move || {
            if let Err(error) = self.run(shown) {
                log::warn!(
                    "this camera is not announced on the LAN: {error}; viewers need its address"
                );
            }
        })
    }

    fn run(mut self, mut shown: Reader<Shown>) -> Result<(), AnnounceError> {
        if self.learn(&shown.wait(FIRST_PICTURE)) == Learnt::Leaving {
            return Ok(());
        }
        let mut doubt = Doubt::None;
        loop {
            let host = host(&self.instance(), &self.host_name, self.reach.port);
            let announcer = Announcer::start(&host, self.reach.addresses.clone())?;
            let began = Instant::now();
            self.announce(&announcer, Claim::New)?;
            let over = self.keep_up(&announcer, &mut shown);
            announcer.withdraw();
            if over? == Over::Leaving {
                return Ok(());
            }
            doubt = doubt.after(began.elapsed());
            if doubt == Doubt::Some {
                continue;
            }
            let wanted = self.instance();
            self.number += 1;
            log::warn!(
                "{wanted} is somebody else on the LAN: this camera is found as {}",
                self.instance()
            );
        }
    }

    /// Tells what is new about the pictures, until the end or until the name turns out to be taken.
    fn keep_up(
        &mut self,
        announcer: &Announcer,
        shown: &mut Reader<Shown>,
    ) -> Result<Over, AnnounceError> {
        let began = Instant::now();
        let mut news = Learnt::Nothing;
        loop {
            let patience = if began.elapsed() < CLAIMING { CLAIM_CHECK } else { LATE_CHECK };
            match self.learn(&shown.wait(patience)) {
                Learnt::Nothing => {}
                learnt => news = learnt,
            }
            match news {
                Learnt::Leaving => return Ok(Over::Leaving),
                Learnt::News if began.elapsed() >= ASKING => {
                    self.announce(announcer, Claim::Ours)?;
                    news = Learnt::Nothing;
                }
                Learnt::News | Learnt::Nothing => {}
            }
            if announcer.name_is_taken() {
                return Ok(Over::NameTaken);
            }
        }
    }

    fn learn(&mut self, newest: &Newest<Shown>) -> Learnt {
        let &Newest::Fresh { value: Shown { size, millifps }, .. } = newest else {
            let is_closed = matches!(newest, Newest::Closed);
            return if is_closed { Learnt::Leaving } else { Learnt::Nothing };
        };
        let is_known = (self.facts.size, self.facts.millifps) == (Some(size), millifps);
        (self.facts.size, self.facts.millifps) = (Some(size), millifps);
        if is_known { Learnt::Nothing } else { Learnt::News }
    }

    /// What people call it: `Garage`, and the next one `Garage (2)`.
    fn instance(&self) -> String {
        instance_name(&self.facts.name, self.number)
    }

    fn announce(&self, announcer: &Announcer, claim: Claim) -> Result<(), AnnounceError> {
        let text = self.facts.to_text();
        let instance = self.instance();
        let web_text = [text.clone(), vec![("path", "/".to_owned())]].concat();
        if claim == Claim::New {
            log::info!("announced on the LAN as {instance}, port {}", self.reach.port);
        }
        let camera = Service { kind: CAMERA, instance, port: self.reach.port, text };
        let web =
            Service { kind: WEB, port: self.reach.web_port, text: web_text, ..camera.clone() };
        announcer.announce(&camera, claim)?;
        announcer.announce(&web, claim)
    }
}

/// What looking for news of the pictures came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learnt {
    Nothing,
    News,
    Leaving,
}

/// The name that the camera's addresses get. HOST.local belongs to the machine: where avahi or systemd-resolved
/// announces that, one address more or less of ours would be a conflict, and they would rename the machine.
fn host(name: &str, host_name: &str, port: u16) -> String {
    let label = host_label(name);
    match label == host_label(host_name) {
        true => format!("{label}-{port}"),
        false => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_name_is_left_to_whoever_announces_it() {
        assert_eq!(host("Pi", "pi", 9999), "pi-9999");
        assert_eq!(host("Front door", "pi", 9999), "front-door");
    }

    #[test]
    fn a_name_is_given_up_when_it_is_taken_twice_in_a_row() {
        let (soon, late) = (Duration::from_millis(700), Duration::from_secs(60));
        assert_eq!(Doubt::None.after(soon), Doubt::Some);
        assert_eq!(Doubt::None.after(soon).after(soon), Doubt::None);
        assert_eq!(Doubt::None.after(soon).after(late), Doubt::Some, "that is another matter");
    }

    #[test]
    fn two_cameras_of_the_same_name_differ_in_what_they_say() {
        let listeners = ["127.0.0.1:9999".parse().expect("an address")];
        let mut second = Announcement::new("a", "1", &listeners, "h").expect("it listens");
        second.number = 2;
        assert_eq!((&*second.facts.name, &*second.instance()), ("a", "a (2)"));
        assert_eq!(host(&second.instance(), "h", 1), "a-2");
        assert!(Announcement::new("a", "1", &[], "h").is_none());
    }
}
