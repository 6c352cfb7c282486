//! One link: claims the camera's names there, defends them, and schedules what is sent.

use super::zone::{ANNOUNCEMENTS, APART, DEFENDED_APART, Entry, Set, Sharing, Zone};
use super::{Called, Family, Interface, LinkId, MAX_SENT, Service};
use crate::prefix::Prefix;
use crate::wire::dns::message::{Message, Section, Stated};
use crate::wire::dns::write::{Terms, Writer};
use crate::wire::dns::{ANY, Data, IN, Name};
use core::cmp::Ordering;
use core::net::IpAddr;
use std::time::{Duration, Instant};

/// The number of probes and the time between them (RFC 6762, section 8.1).
const PROBES: u8 = 3;
const PROBES_APART: Duration = Duration::from_millis(250);

/// How long to wait after losing a tie against another prober (section 8.2).
const AFTER_LOSS: Duration = Duration::from_secs(1);

/// The time between the first two announcements. It doubles after each (section 8.3).
const FIRST_GAP: Duration = Duration::from_secs(1);

/// The flags of an answer: response, authoritative.
pub(super) const ANSWER: u16 = 0x8400;

/// A link and what is announced there.
#[derive(Debug)]
pub(super) struct Link {
    pub id: LinkId,
    pub zone: Zone,
    /// Whether the names are ours: they were probed, and nobody had them.
    pub is_ours: bool,
    networks: Vec<Prefix>,
    probe: Option<Probe>,
    announce_at: Option<Instant>,
    gap: Duration,
    /// Records that no longer exist, and whose end is not announced yet.
    gone: Vec<Entry>,
}

/// The state of probing.
#[derive(Debug, Clone, Copy)]
struct Probe {
    sent: u8,
    next: Instant,
}

/// What a message means for the camera's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// Somebody else has names that are being probed.
    Taken(Lost),
    /// Somebody else claims a name that is ours.
    Doubtful,
}

/// Which of the names somebody else has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lost {
    pub instance: bool,
    pub host: bool,
}

/// How the camera recognises its own records when somebody else repeats them in another message.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// The camera's addresses on all links.
    pub addresses: Vec<IpAddr>,
    /// A TXT entry that only this camera has.
    pub mark: (String, String),
}

impl Own {
    fn has_said(&self, stated: &Stated<'_>) -> bool {
        let Some(data) = stated.plain_data() else { return true };
        let is_address = |ip: &IpAddr| Data::Address(*ip).plain() == data;
        let mark = Data::Text(vec![self.mark.clone()]).plain();
        let has_mark = data.windows(mark.len()).any(|window| window == mark);
        has_mark || self.addresses.iter().any(is_address)
    }
}

impl Link {
    pub(super) fn new(id: LinkId, interface: &Interface, zone: Zone, start: Instant) -> Self {
        Self {
            id,
            zone,
            is_ours: false,
            networks: interface.addresses.clone(),
            probe: Some(Probe { sent: 0, next: start }),
            announce_at: None,
            gap: FIRST_GAP,
            gone: Vec::new(),
        }
    }

    /// The records for a link, if `interface` has addresses of its family.
    pub(super) fn zone(
        called: &Called,
        services: &[Service],
        own: &Own,
        interface: &Interface,
    ) -> Zone {
        Zone::new(called, services, &own.mark, &interface.announced)
    }

    /// Whether an address is on this link, not behind a router (section 11).
    pub(super) fn has_neighbour(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        let is_link_local = match peer {
            IpAddr::V4(peer) => peer.is_link_local(),
            IpAddr::V6(peer) => peer.is_unicast_link_local(),
        };
        is_link_local || self.networks.iter().any(|network| network.contains(peer))
    }

    /// Changes what is announced, or at which addresses.
    pub(super) fn update(&mut self, interface: &Interface, mut zone: Zone, now: Instant) {
        self.networks.clone_from(&interface.addresses);
        let gone = zone.follow(&self.zone);
        self.zone = zone;
        if !self.is_ours {
            return;
        }
        self.gone.extend(gone);
        let news = self.zone.indexes(|entry| entry.announcements == ANNOUNCEMENTS);
        if !news.is_empty() || !self.gone.is_empty() {
            let free = news.iter().filter_map(|&at| self.zone.entries[at].free_at()).max();
            self.announce_from(free.map_or(now, |free| free.max(now)));
        }
    }

    fn announce_from(&mut self, at: Instant) {
        self.announce_at = Some(at);
        self.gap = FIRST_GAP;
    }

    /// When the next message has to be sent.
    pub(super) fn wake(&self) -> Option<Instant> {
        let probe = self.probe.map(|probe| probe.next);
        let pending = self.zone.entries.iter().filter_map(|entry| Some(entry.pending?.due));
        [probe, self.announce_at].into_iter().flatten().chain(pending).min()
    }

    /// The next message to everybody that is due.
    pub(super) fn next(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some(probe) = self.probe.filter(|probe| probe.next <= now) {
            if probe.sent < PROBES {
                self.probe = Some(Probe { sent: probe.sent + 1, next: now + PROBES_APART });
                return Some(self.question());
            }
            self.probe = None;
            if !self.is_ours {
                self.is_ours = true;
                for entry in &mut self.zone.entries {
                    entry.announcements = ANNOUNCEMENTS;
                }
                self.announce_from(now);
            }
        }
        if self.announce_at.is_some_and(|at| at <= now) {
            return Some(self.announcement(now));
        }
        self.answer(now)
    }

    /// A probe: asks whether the names are free, with the records that are wanted.
    fn question(&self) -> Vec<u8> {
        let mut writer = Writer::new(0, 0, MAX_SENT);
        for name in self.zone.unique_names() {
            // The answers go to everybody, since other programs on this machine share the port
            // (section 15.1). A name that does not fit is not probed first, but is defended all the
            // same.
            let _ = writer.question(name, ANY);
        }
        for entry in self.claims() {
            let terms = Terms { ttl: entry.ttl, replaces: false };
            let _ = writer.record(Section::Authority, &entry.record, terms);
        }
        writer.finish()
    }

    /// The records of unique names, except negative ones.
    fn claims(&self) -> impl Iterator<Item = &Entry> {
        let is_claim = |entry: &&Entry| {
            entry.sharing == Sharing::Unique && !matches!(entry.record.data, Data::Only { .. })
        };
        self.zone.entries.iter().filter(is_claim)
    }

    fn announcement(&mut self, now: Instant) -> Vec<u8> {
        let mut writer = Writer::new(0, ANSWER, MAX_SENT);
        let over = Terms { ttl: 0, replaces: false };
        self.gone.retain(|entry| writer.record(Section::Answer, &entry.record, over).is_err());
        let mut is_full = !self.gone.is_empty();
        for entry in self.zone.entries.iter_mut().filter(|entry| entry.announcements > 0) {
            if is_full || writer.record(Section::Answer, &entry.record, entry.terms()).is_err() {
                is_full = true;
                continue;
            }
            entry.announcements -= 1;
            entry.told_at = Some(now);
            entry.pending = None;
        }
        let is_done = !is_full && self.zone.entries.iter().all(|entry| entry.announcements == 0);
        self.announce_at =
            (!is_done).then(|| if is_full { now + DEFENDED_APART } else { now + self.gap });
        if !is_full {
            self.gap *= 2;
        }
        writer.finish()
    }

    /// The due answers to everybody, with the records that are usually asked for next.
    fn answer(&mut self, now: Instant) -> Option<Vec<u8>> {
        let is_due = |entry: &Entry| entry.pending.is_some_and(|pending| pending.due <= now);
        let due: Set = self.zone.indexes(is_due).into_iter().collect();
        if due.is_empty() {
            return None;
        }
        let is_recent = |entry: &Entry| entry.free_at().is_some_and(|free| free > now);
        let recent = self.zone.indexes(is_recent).into_iter().collect();
        let beside = self.zone.beside(due).without(recent);
        let mut writer = Writer::new(0, ANSWER, MAX_SENT);
        for (section, set) in [(Section::Answer, due), (Section::Additional, beside)] {
            for (at, entry) in self.zone.entries.iter_mut().enumerate() {
                if set.has(at) && writer.record(section, &entry.record, entry.terms()).is_ok() {
                    entry.told_at = Some(now);
                    entry.pending = None;
                }
            }
        }
        (!writer.is_empty()).then(|| writer.finish())
    }

    /// A message that ends everything that was announced here, except what other devices announce
    /// too.
    pub(super) fn goodbye(&self) -> Option<Vec<u8>> {
        self.goodbye_to(|_| true)
    }

    /// A message that ends what was announced here of names that somebody else has, who stated this. It leaves the records
    /// that are that one's too.
    pub(super) fn goodbye_beside(&self, winner: &Message<'_>) -> Option<Vec<u8>> {
        self.goodbye_to(|entry| {
            entry.sharing == Sharing::Unique
                && !winner.records().any(|stated| entry.is_stated(&stated))
        })
    }

    fn goodbye_to(&self, is_over: impl Fn(&Entry) -> bool) -> Option<Vec<u8>> {
        if !self.is_ours {
            return None;
        }
        let mut writer = Writer::new(0, ANSWER, MAX_SENT);
        let services = Name::of("_services._dns-sd._udp.local");
        let is_own = |entry: &&Entry| entry.record.name != services && is_over(entry);
        for entry in self.zone.entries.iter().filter(is_own) {
            // It replaces nothing: others may have records of the same name.
            let terms = Terms { ttl: 0, replaces: false };
            // What does not fit expires by itself.
            let _ = writer.record(Section::Answer, &entry.record, terms);
        }
        (!writer.is_empty()).then(|| writer.finish())
    }

    /// Handles an answer by somebody else: whether it claims one of the names.
    pub(super) fn hear_answer(
        &mut self,
        message: &Message<'_>,
        own: &Own,
        now: Instant,
    ) -> Verdict {
        if self.is_ours {
            message.records().for_each(|stated| self.rescue(&stated, own, now));
        }
        let mut lost = Lost::default();
        for stated in message.records().filter(|stated| self.contradicts(stated, own)) {
            match self.zone.is_host(&stated) {
                true => lost.host = true,
                false => lost.instance = true,
            }
        }
        if lost == Lost::default() {
            return Verdict::Fine;
        }
        match self.probe {
            // Before the first probe was sent, an old message may still be on its way.
            Some(probe) if probe.sent > 0 || !self.is_ours => Verdict::Taken(lost),
            Some(_) => Verdict::Fine,
            None => Verdict::Doubtful,
        }
    }

    /// Says a record again that others forget within a second because of what somebody else has stated: the end of
    /// it or of another one that it replaces (RFC 6762, section 10.1), or less than half its time (section 6.6).
    fn rescue(&mut self, stated: &Stated<'_>, own: &Own, now: Instant) {
        let replaces_ours = stated.replaces && stated.ttl == 0 && !own.has_said(stated);
        for entry in &mut self.zone.entries {
            let is_replaced =
                replaces_ours && entry.sharing == Sharing::Unique && entry.is_of_kind(stated);
            if is_replaced || stated.ttl < entry.ttl / 2 && entry.is_stated(stated) {
                entry.say_soon(now);
            }
        }
    }

    /// Probes the names again. Questions are answered meanwhile.
    pub(super) fn verify(&mut self, start: Instant) {
        self.probe = Some(Probe { sent: 0, next: start });
    }

    fn contradicts(&self, stated: &Stated<'_>, own: &Own) -> bool {
        if stated.ttl == 0 || stated.class != IN || stated.kind == NSEC {
            return false;
        }
        let mut of_name = self
            .zone
            .entries
            .iter()
            .filter(|entry| entry.sharing == Sharing::Unique && entry.record.name == stated.name)
            .peekable();
        if of_name.peek().is_none() {
            return false;
        }
        let (mut has_kind, mut is_same) = (false, false);
        for entry in of_name {
            has_kind |= entry.record.data.kind() == stated.kind;
            is_same |= entry.is_stated(stated);
        }
        // While a name is probed, any record of it counts. Once it is ours, only a different record
        // of the same kind does.
        (has_kind || !self.is_ours) && !is_same && !own.has_said(stated)
    }

    /// Handles a probe by somebody else (section 8.2). Defends a name that is ours.
    pub(super) fn hear_probe(&mut self, message: &Message<'_>, now: Instant) {
        let claimed: Vec<Stated<'_>> = message
            .records()
            .filter(|stated| stated.section == Section::Authority && stated.class == IN)
            .filter(|stated| self.claims().any(|entry| entry.record.name == stated.name))
            .take(MAX_CLAIMED)
            .collect();
        if claimed.is_empty() {
            return;
        }
        match self.probe {
            // Both probe at the same time. Section 8.2: the one whose records are later in order
            // wins.
            Some(probe) if probe.sent > 0 && self.loses_against(&claimed) => {
                self.probe = Some(Probe { sent: 0, next: now + AFTER_LOSS });
            }
            Some(_) => {}
            None => self.defend(&claimed, now),
        }
    }

    /// Compares the records that both want for a name. If several names are shared, the first one
    /// decides; otherwise each side could win some names, and both would lose all.
    fn loses_against(&self, claimed: &[Stated<'_>]) -> bool {
        let is_theirs = |name: &&Name| claimed.iter().any(|stated| **name == stated.name);
        let Some(name) = self.zone.unique_names().into_iter().find(is_theirs) else { return false };
        let ours = self.claims().filter(|entry| entry.record.name == *name);
        let mut ours: Vec<_> =
            ours.map(|entry| (entry.record.data.kind(), entry.record.data.plain())).collect();
        let theirs = claimed.iter().filter(|stated| *name == stated.name);
        let mut theirs: Vec<_> =
            theirs.filter_map(|stated| Some((stated.kind, stated.plain_data()?))).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        ours.cmp(&theirs) == Ordering::Less
    }

    /// Announces the claimed names at once.
    fn defend(&mut self, claimed: &[Stated<'_>], now: Instant) {
        for entry in &mut self.zone.entries {
            let is_meant = entry.sharing == Sharing::Unique
                && claimed.iter().any(|stated| entry.record.name == stated.name);
            if is_meant {
                entry.say_soon(now);
            }
        }
    }

    /// Whether it may answer questions. It may while it probes a name again.
    pub(super) fn may_answer(&self) -> bool {
        self.is_ours
    }

    /// Schedules these records to be sent to everybody, each at most once a second.
    pub(super) fn tell(&mut self, answers: Set, asker: IpAddr, delay: Duration, now: Instant) {
        for (at, entry) in self.zone.entries.iter_mut().enumerate() {
            if !answers.has(at) {
                continue;
            }
            let due = entry.told_at.map_or(now + delay, |told| (now + delay).max(told + APART));
            entry.pending = Some(match entry.pending {
                Some(earlier) => super::zone::Pending {
                    due: earlier.due.min(due),
                    asker: earlier.asker.filter(|&it| it == asker),
                },
                None => super::zone::Pending { due, asker: Some(asker) },
            });
        }
    }

    /// Cancels what an asker knows already, by its follow-up message.
    pub(super) fn forget(&mut self, known: Set, asker: IpAddr) {
        for (at, entry) in self.zone.entries.iter_mut().enumerate() {
            if known.has(at) && entry.pending.is_some_and(|it| it.asker == Some(asker)) {
                entry.pending = None;
            }
        }
    }
}

/// The most records of a probe that are compared; nobody claims more for one name.
const MAX_CLAIMED: usize = 64;
const NSEC: u16 = 47;

/// The links of an interface.
pub(super) fn links_of(interface: &Interface) -> impl Iterator<Item = LinkId> + use<'_> {
    let has = |family| interface.announced.iter().any(|&ip| Family::of(ip) == family);
    [Family::V4, Family::V6]
        .into_iter()
        .filter(move |&family| has(family))
        .map(|family| LinkId { interface: interface.index, family })
}
