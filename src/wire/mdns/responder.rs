//! The responder: on every link it claims the camera's names, answers for them, and renames the
//! camera if necessary.

use super::answer;
use super::limits::{Answers, Conflicts, Echoes, Random};
use super::link::{Link, Lost, Own, Verdict, links_of};
use super::{Arrival, Interface, LinkId, Names, Numbers, Outgoing, Service, Standing};
use crate::wire::dns::message::Message;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Announces one camera.
#[derive(Debug)]
pub struct Responder {
    names: Names,
    numbers: Numbers,
    services: Vec<Service>,
    interfaces: Vec<Interface>,
    links: Vec<Link>,
    own: Own,
    outbox: VecDeque<Outgoing>,
    echoes: Echoes,
    answers: Answers,
    conflicts: Conflicts,
    random: Random,
    is_crowded: bool,
    verified_at: Option<Instant>,
}

/// The shortest time between two checks whether the names are still ours, whatever others say.
const VERIFIED_APART: Duration = Duration::from_secs(60);

/// The most answers to single askers that may wait to be sent; further ones are dropped.
const MAX_OUTBOX: usize = 64;

/// The greatest random number in a name.
const MAX_NUMBER: u64 = 9999;

impl Responder {
    /// A responder without links. `mark`, a key and its value, is in the TXT records of `services`
    /// and nowhere else; `seed` is any number.
    pub fn new(names: Names, services: Vec<Service>, mark: (String, String), seed: u64) -> Self {
        Self {
            names,
            numbers: Numbers::default(),
            services,
            interfaces: Vec::new(),
            links: Vec::new(),
            own: Own { addresses: Vec::new(), mark },
            outbox: VecDeque::new(),
            echoes: Echoes::default(),
            answers: Answers::default(),
            conflicts: Conflicts::default(),
            random: Random::new(seed),
            is_crowded: false,
            verified_at: None,
        }
    }

    /// Sets the interfaces that are up now. Claims the names on new ones, and announces new
    /// addresses.
    pub fn set_interfaces(&mut self, mut interfaces: Vec<Interface>, now: Instant) {
        interfaces.retain(|interface| !interface.announced.is_empty());
        let addresses = interfaces.iter().flat_map(|interface| &interface.addresses);
        self.own.addresses = addresses.map(|network| network.address).collect();
        self.interfaces = interfaces;
        let up: Vec<LinkId> = self.interfaces.iter().flat_map(links_of).collect();
        self.links.retain(|link| up.contains(&link.id));
        self.outbox.retain(|outgoing| up.contains(&outgoing.link));
        self.renew(now, Duration::ZERO);
    }

    /// Changes the announced services.
    pub fn set_services(&mut self, services: Vec<Service>, now: Instant) {
        self.services = services;
        self.renew(now, Duration::ZERO);
    }

    /// What is announced.
    #[cfg(test)]
    pub(super) fn services(&self) -> &[Service] {
        &self.services
    }

    /// Updates every link. New links begin to probe after `pause` and a random delay.
    fn renew(&mut self, now: Instant, pause: Duration) {
        let called = self.names.numbered(self.numbers);
        for interface in &self.interfaces {
            let zone = Link::zone(&called, &self.services, &self.own, interface);
            for id in links_of(interface) {
                match self.links.iter_mut().find(|link| link.id == id) {
                    Some(link) => link.update(interface, zone.clone(), now),
                    None => {
                        let start = now + pause + self.random.between(0, 250);
                        self.links.push(Link::new(id, interface, zone.clone(), start));
                    }
                }
            }
        }
    }

    /// Handles a received message.
    pub fn received(&mut self, bytes: &[u8], arrival: &Arrival, now: Instant) {
        let Some(at) = self.links.iter().position(|link| link.id == arrival.link) else { return };
        // Multicast messages of this machine are received here too.
        if self.echoes.has(bytes) {
            return;
        }
        let Ok(message) = Message::parse(bytes) else { return };
        let link = &mut self.links[at];
        if !message.is_answer() {
            link.hear_probe(&message, now);
            let answer =
                answer::hear(link, &message, arrival, &mut self.answers, &mut self.random, now);
            if self.outbox.len() < MAX_OUTBOX {
                self.outbox.extend(answer);
            }
            return;
        }
        // Section 11: answers must come from a neighbour, and from the port of multicast DNS.
        let is_credible =
            arrival.from.port() == super::PORT && link.has_neighbour(arrival.from.ip());
        if !is_credible {
            return;
        }
        match link.hear_answer(&message, &self.own, now) {
            Verdict::Fine => {}
            Verdict::Taken(lost) => {
                self.give_up(&message, arrival.link.interface);
                self.rename(lost, now);
            }
            // Section 9: probe the names again. A device that really has one of them answers, and
            // keeps it. But at most once in a while, so that a neighbour cannot force constant
            // probing.
            Verdict::Doubtful if self.verified_at.is_some_and(|at| now < at + VERIFIED_APART) => {}
            Verdict::Doubtful => {
                self.verified_at = Some(now);
                link.verify(now + self.random.between(0, 250));
            }
        }
    }

    /// Ends what was announced, because somebody has stated on this interface to have the names.
    fn give_up(&mut self, winner: &Message<'_>, lost_on: u32) {
        self.outbox.clear();
        for link in &self.links {
            let goodbye = match link.id.interface == lost_on {
                true => link.goodbye_beside(winner),
                false => link.goodbye(),
            };
            self.outbox.extend(goodbye.map(|bytes| Outgoing { link: link.id, to: None, bytes }));
        }
    }

    /// Somebody else has these names: tries the next ones.
    fn rename(&mut self, lost: Lost, now: Instant) {
        let pause = self.conflicts.note(now);
        let Numbers { instance, host } = self.numbers;
        let number = if lost.instance { instance } else { host };
        // Somebody who claims one number after the other will hardly guess a random one.
        let next = match self.conflicts.are_suspicious(now) {
            true => u32::try_from(self.random.number(100, MAX_NUMBER)).unwrap_or(2),
            false => number + 1,
        };
        self.numbers = match lost.instance {
            // People expect Garage (2) at garage-2.local.
            true if lost.host => Numbers { instance: next, host: next.max(host + 1) },
            true => Numbers { instance: next, host: next.max(host) },
            false => Numbers { instance, host: next },
        };
        self.is_crowded = !pause.is_zero();
        self.links.clear();
        self.renew(now, pause);
    }

    /// Tells everybody that the camera is leaving.
    pub fn say_goodbye(&mut self) {
        for link in &self.links {
            let goodbye = link.goodbye();
            self.outbox.extend(goodbye.map(|bytes| Outgoing { link: link.id, to: None, bytes }));
        }
    }

    /// The next message to send now. Call this until it returns `None`.
    pub fn next(&mut self, now: Instant) -> Option<Outgoing> {
        let outgoing = self.outbox.pop_front().or_else(|| {
            self.links.iter_mut().find_map(|link| {
                let bytes = link.next(now)?;
                Some(Outgoing { link: link.id, to: None, bytes })
            })
        })?;
        if self.links.iter().any(|link| link.is_ours) {
            self.is_crowded = false;
        }
        if outgoing.to.is_none() {
            self.echoes.note(&outgoing.bytes);
        }
        Some(outgoing)
    }

    /// When to call [`next`](Self::next) again, if nothing arrives before.
    pub fn wake(&self) -> Option<Instant> {
        self.links.iter().filter_map(Link::wake).min()
    }

    /// The standing of the camera.
    pub fn standing(&self) -> Standing {
        if self.links.is_empty() {
            Standing::Alone
        } else if self.links.iter().any(|link| link.is_ours) {
            Standing::Found(self.names.numbered(self.numbers))
        } else if self.is_crowded {
            Standing::Crowded
        } else {
            Standing::Asking
        }
    }
}
