//! Announces the camera on the LAN, so that viewers find it, with the size and rate of its pictures
//! once they are known.

mod report;
mod talk;

use super::listen::Listen;
use super::update::Shown;
use crate::latest::{Newest, Reader};
use crate::net::reach::Reach;
use crate::wire::mdns::{Names, Service};
use crate::wire::service::{CAMERA, Facts, PinStart, WEB};
use report::Report;
use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use talk::Talk;

/// Whether the camera is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announce {
    /// On every network where it listens.
    On,
    /// Not announced: viewers need its address.
    Off,
}

/// What is announced.
#[derive(Debug)]
pub struct Announcement {
    /// The addresses and ports where viewers reach it.
    reach: Reach,
    /// The host name of this machine.
    host_name: String,
    facts: Facts,
}

/// How long to wait for the first picture before announcing. By then a camera that works has sent
/// one, so its size is announced at once.
const FIRST_PICTURE: Duration = Duration::from_secs(1);

/// The pause before the first retry after a failure. Each further pause is twice as long, up to a
/// minute.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// After this long without a failure, the pause begins small again.
const WENT_WELL: Duration = Duration::from_secs(60);

/// What a look at the pictures has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Learnt {
    Nothing,
    News,
    Leaving,
}

impl Announcement {
    /// The announcement of the camera `name` with this id that listens at `listeners`, on the
    /// machine `host_name`. `None` if the camera listens for this machine only.
    pub fn new(name: &str, id: &str, listeners: &[SocketAddr], host_name: &str) -> Option<Self> {
        let [_, usual_web_port] = Listen::DEFAULT_PORTS;
        let reach = Reach::of(listeners, usual_web_port)?;
        let facts = Facts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: name.to_owned(),
            id: id.to_owned(),
            ..Facts::default()
        };
        Some(Self { reach, host_name: host_name.to_owned(), facts })
    }

    /// The same for a camera that speaks TLS: how the hash of its certificate begins.
    #[must_use]
    pub fn with_pin(mut self, pin: Option<PinStart>) -> Self {
        self.facts.pin = pin;
        self
    }

    /// Announces on a thread of its own until `shown` is closed. Then withdraws everything.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(self, shown: Reader<Shown>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("announce".into()).spawn(move || self.run(shown))
    }

    fn run(mut self, mut shown: Reader<Shown>) {
        if self.learn(&shown.wait(FIRST_PICTURE)) == Learnt::Leaving {
            return;
        }
        let scheme = if self.facts.pin.is_some() { "https" } else { "http" };
        let mut report = Report::new(&self.reach, scheme);
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let over = Talk::begin(&self)
                .and_then(|talk| talk.keep_up(&mut self, &mut shown, &mut report));
            let Err(error) = over else { return };
            if began.elapsed() > WENT_WELL {
                pause = FIRST_PAUSE;
            }
            report.failed(&error);
            if self.rest(pause, &mut shown) == Learnt::Leaving {
                return;
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Waits before a retry, and meanwhile keeps the facts of the pictures up to date.
    fn rest(&mut self, pause: Duration, shown: &mut Reader<Shown>) -> Learnt {
        let until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.learn(&shown.wait(left)) == Learnt::Leaving {
                return if left.is_zero() { Learnt::Nothing } else { Learnt::Leaving };
            }
        }
    }

    fn learn(&mut self, newest: &Newest<Shown>) -> Learnt {
        let &Newest::Fresh { value: Shown { size, rate }, .. } = newest else {
            let is_closed = matches!(newest, Newest::Closed);
            return if is_closed { Learnt::Leaving } else { Learnt::Nothing };
        };
        let is_known = (self.facts.size, self.facts.rate) == (Some(size), rate);
        (self.facts.size, self.facts.rate) = (Some(size), rate);
        if is_known { Learnt::Nothing } else { Learnt::News }
    }

    fn names(&self) -> Names {
        Names {
            name: self.facts.name.clone(),
            host_name: self.host_name.clone(),
            port: self.reach.port,
        }
    }

    /// The part of this camera's TXT records that no other camera has.
    fn mark(&self) -> (String, String) {
        ("id".to_owned(), self.facts.id.clone())
    }

    fn services(&self) -> Vec<Service> {
        let text: Vec<_> =
            self.facts.to_text().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let web_text = [text.clone(), vec![("path".to_owned(), "/".to_owned())]].concat();
        vec![
            Service { kind: CAMERA, port: self.reach.port, text },
            Service { kind: WEB, port: self.reach.web_port, text: web_text },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_for_this_machine_alone_is_not_announced() {
        let announced = |listener: &str| {
            let listeners: Vec<SocketAddr> = vec![listener.parse().expect("an address")];
            Announcement::new("a", "1", &listeners, "h").is_some()
        };
        assert!(announced("[::]:9999"));
        assert!(announced("192.0.2.1:9999"));
        assert!(!announced("127.0.0.1:9999"));
        assert!(!announced("[::1]:9999"));
        assert!(Announcement::new("a", "1", &[], "h").is_none());
    }

    #[test]
    fn a_camera_that_speaks_tls_announces_how_its_certificate_begins() {
        let listeners: [SocketAddr; 1] = ["[::]:9999".parse().expect("an address")];
        let said = |pin: Option<PinStart>| {
            let announced = Announcement::new("a", "1", &listeners, "h").expect("others reach it");
            let services = announced.with_pin(pin).services();
            let services = services.into_iter().map(|service| {
                let said = service.text.into_iter().filter(|(key, _)| key == "tls" || key == "pin");
                said.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
            });
            services.collect::<Vec<_>>()
        };
        let pin = [0xAB, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(
            said(Some(pin)),
            [["tls=1", "pin=ab00000000000001"], ["tls=1", "pin=ab00000000000001"]]
        );
        assert_eq!(said(None), [[""; 0], [""; 0]]);
    }
}
