//! Handles questions, and decides whether everybody on the link or only the asker gets the answers.

use super::limits::{Answers, Random};
use super::link::{ANSWER, Link};
use super::zone::{Entry, Set, Sharing};
use super::{Arrival, MAX_SENT, Outgoing, PORT, SentTo};
use crate::wire::dns::message::{Message, Question, Section};
use crate::wire::dns::write::{Terms, Writer};
use std::time::{Duration, Instant};

/// How many questions of a message are read. Nobody has more for one camera.
const MAX_QUESTIONS: usize = 32;

/// The longest TTL for askers that speak plain DNS, in seconds (RFC 6762, section 6.7).
const LEGACY_TTL: u32 = 10;

/// How a question came, which decides how it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// From a port other than 5353 (section 6.7).
    Legacy,
    /// By multicast DNS.
    Peer,
    /// By multicast DNS, from an address behind a router. Answered only to everybody, if it was
    /// asked of everybody.
    Distant,
}

/// Handles a question. Returns the answer for the asker alone; the answer for everybody is
/// scheduled on the link.
pub(super) fn hear(
    link: &mut Link,
    message: &Message<'_>,
    arrival: &Arrival,
    limits: &mut Answers,
    random: &mut Random,
    now: Instant,
) -> Option<Outgoing> {
    if !link.may_answer() {
        return None;
    }
    let is_legacy = arrival.from.port() != PORT;
    let asker = match link.has_neighbour(arrival.from.ip()) {
        true if is_legacy => Asker::Legacy,
        true => Asker::Peer,
        // Otherwise a stranger could have answers sent to any address in the world.
        false if is_legacy || arrival.to == SentTo::Us => return None,
        false => Asker::Distant,
    };
    let known = known(link, message);
    if message.has_no_questions() {
        link.forget(known, arrival.from.ip());
        return None;
    }
    let (mut to_asker, mut to_all) = (Set::default(), Set::default());
    let mut answered = Vec::new();
    for question in message.questions().take(MAX_QUESTIONS) {
        let found = link.zone.answering(&question).without(known);
        if found.is_empty() {
            continue;
        }
        answered.push(question);
        let is_private = match asker {
            Asker::Legacy => true,
            Asker::Peer => question.is_for_unicast || arrival.to == SentTo::Us,
            Asker::Distant => false,
        };
        let set = if is_private { &mut to_asker } else { &mut to_all };
        *set = set.and(found);
    }
    if asker == Asker::Peer {
        // Section 5.4: what was not multicast for long goes to everybody.
        let stale = link.zone.indexes(|entry| is_stale(entry, now)).into_iter().collect();
        to_all = to_all.and(to_asker.without(to_asker.without(stale)));
        to_asker = to_asker.without(stale);
    }
    let delay = delay(link, message, to_all, random);
    link.tell(to_all, arrival.from.ip(), delay, now);
    if to_asker.is_empty() || !limits.may(arrival.from.ip(), now) {
        return None;
    }
    let bytes = match asker {
        Asker::Legacy => to_legacy(link, message.id, &answered, to_asker),
        Asker::Peer | Asker::Distant => to_peer(link, to_asker),
    };
    Some(Outgoing { link: link.id, to: Some(arrival.from), bytes })
}

/// The records that the asker knows already, with enough of their TTL left (section 7.1).
fn known(link: &Link, message: &Message<'_>) -> Set {
    let stated = message.records().filter(|stated| stated.section == Section::Answer);
    let indexes = stated.flat_map(|stated| {
        let is_known = |entry: &Entry| stated.ttl >= entry.ttl / 2 && entry.is_stated(&stated);
        link.zone.indexes(is_known)
    });
    indexes.collect()
}

/// Whether a record was multicast so long ago that others may have forgotten it.
fn is_stale(entry: &Entry, now: Instant) -> bool {
    let quarter = Duration::from_secs(u64::from(entry.ttl / 4));
    entry.told_at.is_none_or(|at| now >= at + quarter)
}

/// How long an answer to everybody is delayed, to be sent together with others (sections 6 and
/// 7.2).
fn delay(link: &Link, message: &Message<'_>, to_all: Set, random: &mut Random) -> Duration {
    let is_shared = |entry: &Entry| entry.sharing == Sharing::Shared;
    let shared: Set = link.zone.indexes(is_shared).into_iter().collect();
    if message.is_continued() {
        random.between(400, 500)
    } else if to_all.without(shared) == to_all {
        Duration::ZERO
    } else {
        random.between(20, 120)
    }
}

fn to_legacy(link: &Link, id: u16, questions: &[Question<'_>], answers: Set) -> Vec<u8> {
    let mut writer = Writer::new(id, ANSWER, MAX_SENT);
    for question in questions {
        let _ = writer.question(&question.name.to_name(), question.kind);
    }
    let terms = |entry: &Entry| Terms { ttl: entry.ttl.min(LEGACY_TTL), replaces: false };
    put(&mut writer, link, answers, terms);
    writer.finish()
}

fn to_peer(link: &Link, answers: Set) -> Vec<u8> {
    let mut writer = Writer::new(0, ANSWER, MAX_SENT);
    put(&mut writer, link, answers, Entry::terms);
    writer.finish()
}

fn put(writer: &mut Writer, link: &Link, answers: Set, terms: impl Fn(&Entry) -> Terms) {
    let beside = link.zone.beside(answers);
    for (section, set) in [(Section::Answer, answers), (Section::Additional, beside)] {
        for (at, entry) in link.zone.entries.iter().enumerate() {
            if set.has(at) {
                // If something does not fit, the asker asks again.
                let _ = writer.record(section, &entry.record, terms(entry));
            }
        }
    }
}
