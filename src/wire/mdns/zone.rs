//! The records that a camera announces on one link, and when each was last sent.

use super::{Called, Service};
use crate::wire::dns::message::{Question, Stated};
use crate::wire::dns::write::Terms;
use crate::wire::dns::{ANY, Data, IN, Name, Record};
use core::net::IpAddr;
use std::time::{Duration, Instant};

/// A set of records of a [`Zone`], one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set(u64);

impl Set {
    pub(super) fn of(index: usize) -> Self {
        Self(1 << index)
    }

    pub(super) fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<usize> for Set {
    fn from_iter<I: IntoIterator<Item = usize>>(indexes: I) -> Self {
        indexes.into_iter().map(Self::of).fold(Self::default(), Self::and)
    }
}

/// A record and its state.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub record: Record,
    pub sharing: Sharing,
    pub ttl: u32,
    /// When it was last sent to everybody.
    pub told_at: Option<Instant>,
    /// How often it still has to be announced unasked.
    pub announcements: u8,
    /// When it will be sent to everybody who asked.
    pub pending: Option<Pending>,
}

/// A scheduled answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending {
    pub due: Instant,
    /// Who asked; `None` if several did.
    pub asker: Option<IpAddr>,
}

/// Whether other devices may have records of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    Shared,
    Unique,
}

/// The TTLs of RFC 6762, section 10, in seconds: for records that depend on a host's addresses, and
/// for the rest.
const HOST_TTL: u32 = 120;
const OTHER_TTL: u32 = 4500;

/// The most addresses. An interface has few that matter, and a [`Set`] has 64 bits.
const MAX_ADDRESSES: usize = 32;

/// How often a new record is announced unasked.
pub(super) const ANNOUNCEMENTS: u8 = 3;

/// The shortest time between two multicasts of a record (RFC 6762, section 6).
pub(super) const APART: Duration = Duration::from_secs(1);

/// The same where somebody else claims the record's name or ends the record.
pub(super) const DEFENDED_APART: Duration = Duration::from_millis(250);

impl Entry {
    fn new(name: &Name, sharing: Sharing, ttl: u32, data: Data) -> Self {
        let record = Record { name: name.clone(), data };
        Self { record, sharing, ttl, told_at: None, announcements: 0, pending: None }
    }

    /// The terms for sending it to everybody.
    pub(super) fn terms(&self) -> Terms {
        Terms { ttl: self.ttl, replaces: self.sharing == Sharing::Unique }
    }

    /// When it may be sent to everybody again.
    pub(super) fn free_at(&self) -> Option<Instant> {
        self.told_at.map(|at| at + APART)
    }

    fn is(&self, other: &Self) -> bool {
        self.record == other.record
    }

    /// Schedules it to be sent to everybody, as soon as it may be.
    pub(super) fn say_soon(&mut self, now: Instant) {
        let due = self.told_at.map_or(now, |at| now.max(at + DEFENDED_APART));
        self.pending = Some(Pending { due, asker: None });
    }

    /// Whether `stated` is a record of the same name and kind.
    pub(super) fn is_of_kind(&self, stated: &Stated<'_>) -> bool {
        stated.class == IN
            && stated.kind == self.record.data.kind()
            && self.record.name == stated.name
    }

    /// Whether `stated` is the same record.
    pub(super) fn is_stated(&self, stated: &Stated<'_>) -> bool {
        self.is_of_kind(stated)
            && stated
                .plain_data()
                .is_some_and(|data| data.eq_ignore_ascii_case(&self.record.data.plain()))
    }
}

/// All records on one link.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    host: Name,
    pub entries: Vec<Entry>,
}

impl Zone {
    /// `mark` is a TXT entry that only this camera has. It is also a record of the host name: two
    /// cameras on one machine have the same addresses, and would not notice otherwise that they use
    /// the same host name.
    pub(super) fn new(
        called: &Called,
        services: &[Service],
        mark: &(String, String),
        addresses: &[IpAddr],
    ) -> Self {
        use Sharing::{Shared, Unique};
        let host = Name::of(&format!("{}.local", called.host));
        let every_kind = Name::of("_services._dns-sd._udp.local");
        let mut entries = Vec::new();
        for service in services {
            let kind = Name::of(service.kind);
            let instance = Name::below(&called.instance, &kind);
            let place = Data::Place { port: service.port, host: host.clone() };
            let text = Data::Text(service.text.clone());
            let only = only(&instance, [&place, &text]);
            entries.extend([
                Entry::new(&every_kind, Shared, OTHER_TTL, Data::Instance(kind.clone())),
                Entry::new(&kind, Shared, OTHER_TTL, Data::Instance(instance.clone())),
                Entry::new(&instance, Unique, HOST_TTL, place),
                Entry::new(&instance, Unique, OTHER_TTL, text),
                Entry::new(&instance, Unique, OTHER_TTL, only),
            ]);
        }
        let addresses = addresses.iter().take(MAX_ADDRESSES).copied().map(Data::Address);
        let facts: Vec<Data> = addresses.chain([Data::Text(vec![mark.clone()])]).collect();
        let only = only(&host, &facts);
        for fact in facts {
            entries.push(Entry::new(&host, Unique, HOST_TTL, fact));
        }
        entries.push(Entry::new(&host, Unique, HOST_TTL, only));
        Self { host, entries }
    }

    /// Whether a record is one of the host name.
    pub(super) fn is_host(&self, stated: &Stated<'_>) -> bool {
        self.host == stated.name
    }

    /// Takes over the state of the records that `before` had too. New records will be announced.
    /// Returns the records that are gone.
    pub(super) fn follow(&mut self, before: &Self) -> Vec<Entry> {
        for entry in &mut self.entries {
            match before.entries.iter().find(|known| known.is(entry)) {
                Some(known) => entry.clone_from(known),
                None => entry.announcements = ANNOUNCEMENTS,
            }
        }
        // Announce a set of addresses as a whole, since each announcement replaces the others.
        let is_new = |entry: &Entry| entry.announcements == ANNOUNCEMENTS;
        let names: Vec<_> =
            self.entries.iter().filter(|entry| is_new(entry)).map(kind_of).collect();
        for entry in &mut self.entries {
            if names.contains(&kind_of(entry)) {
                entry.announcements = ANNOUNCEMENTS;
            }
        }
        let is_gone = |known: &&Entry| !self.entries.iter().any(|entry| entry.is(known));
        // Records that follow from others need no end of their own.
        let is_fact =
            |known: &&Entry| !matches!(known.record.data, Data::Only { .. } | Data::Text(_));
        before.entries.iter().filter(is_gone).filter(is_fact).cloned().collect()
    }

    /// The records that answer a question.
    pub(super) fn answering(&self, question: &Question<'_>) -> Set {
        if question.class != IN && question.class != ANY {
            return Set::default();
        }
        let of_name = self.indexes(|entry| entry.record.name == question.name);
        let is_asked = |entry: &Entry| match &entry.record.data {
            Data::Only { .. } => question.kind == entry.record.data.kind(),
            data => question.kind == ANY || data.kind() == question.kind,
        };
        let found: Set =
            of_name.iter().copied().filter(|&at| is_asked(&self.entries[at])).collect();
        if !found.is_empty() {
            return found;
        }
        // There is no such record, which is an answer too (RFC 6762, section 6.1).
        let is_only = |at: &usize| matches!(self.entries[*at].record.data, Data::Only { .. });
        of_name.into_iter().filter(is_only).collect()
    }

    /// The records that somebody who asks for `answers` will ask for next (RFC 6763, section 12).
    pub(super) fn beside(&self, answers: Set) -> Set {
        let mut all = answers;
        // An instance leads to its place, and that to a host.
        for _ in 0..2 {
            let names: Vec<&Name> = (0..self.entries.len())
                .filter(|&at| all.has(at))
                .filter_map(|at| match &self.entries[at].record.data {
                    Data::Instance(name) | Data::Place { host: name, .. } => Some(name),
                    Data::Address(_) => Some(&self.entries[at].record.name),
                    Data::Text(_) | Data::Only { .. } => None,
                })
                .collect();
            let led_to = self.indexes(|entry| {
                entry.sharing == Sharing::Unique && names.contains(&&entry.record.name)
            });
            all = all.and(led_to.into_iter().collect());
        }
        let is_of_host = |entry: &Entry| entry.record.name == self.host;
        // Leave out the host's mark, which only matters to other owners of that name, and the
        // negative record of an instance, which helps nobody.
        let is_idle = |entry: &Entry| match &entry.record.data {
            Data::Text(_) => is_of_host(entry),
            Data::Only { .. } => !is_of_host(entry),
            Data::Address(_) | Data::Instance(_) | Data::Place { .. } => false,
        };
        all.without(answers).without(self.indexes(is_idle).into_iter().collect())
    }

    /// The indexes of the records that fulfil a condition.
    pub(super) fn indexes(&self, condition: impl Fn(&Entry) -> bool) -> Vec<usize> {
        (0..self.entries.len()).filter(|&at| condition(&self.entries[at])).collect()
    }

    /// The names that only the camera has, each once.
    pub(super) fn unique_names(&self) -> Vec<&Name> {
        let mut names: Vec<&Name> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.sharing == Sharing::Unique) {
            if !names.contains(&&entry.record.name) {
                names.push(&entry.record.name);
            }
        }
        names
    }
}

fn kind_of(entry: &Entry) -> (Name, u16) {
    (entry.record.name.clone(), entry.record.data.kind())
}

fn only<'a>(name: &Name, facts: impl IntoIterator<Item = &'a Data>) -> Data {
    let mut kinds: Vec<u16> = facts.into_iter().map(Data::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Data::Only { name: name.clone(), kinds }
}
