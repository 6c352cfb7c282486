//! Tests of the responder with literal bytes and a simulated clock.

use super::responder::Responder;
use super::*;
use crate::prefix::Prefix;
use crate::wire::dns::message::{Message, Section};
use crate::wire::dns::write::{Terms, Writer};
use crate::wire::dns::{ANY, Data, Name, QueryKind, Record, query, records};
use std::time::{Duration, Instant};

const LINK: LinkId = LinkId { interface: 2, family: Family::V4 };

fn service(kind: &'static str, id: &str) -> Service {
    let text = vec![("id".to_owned(), id.to_owned()), ("fps".to_owned(), "30".to_owned())];
    Service { kind, port: 9999, text }
}

fn interface(index: u32, address: [u8; 4]) -> Interface {
    let ip = IpAddr::from(address);
    Interface { index, addresses: vec![Prefix { address: ip, len: 24 }], announced: vec![ip] }
}

/// A responder on one link, and a clock.
struct Camera {
    responder: Responder,
    now: Instant,
}

impl Camera {
    fn new(id: &str, address: u8) -> Self {
        let names = Names { name: "Garage".into(), host_name: "pi".into(), port: 9999 };
        let services = vec![service("_lancam._tcp.local", id), service("_http._tcp.local", id)];
        let mut responder = Responder::new(names, services, ("id".into(), id.into()), 7);
        let now = Instant::now();
        responder.set_interfaces(vec![interface(2, [10, 0, 0, address])], now);
        Self { responder, now }
    }

    /// A camera that has its wanted name.
    fn found(id: &str, address: u8) -> Self {
        let mut camera = Self::new(id, address);
        camera.pass(6000);
        assert!(matches!(camera.responder.standing(), Standing::Found(_)));
        camera
    }

    /// What is sent within this many milliseconds, and when, counted from the start.
    fn pass(&mut self, millis: u64) -> Vec<(u64, Outgoing)> {
        let (start, end) = (self.now, self.now + Duration::from_millis(millis));
        let mut sent = Vec::new();
        loop {
            while let Some(outgoing) = self.responder.next(self.now) {
                let at = u64::try_from((self.now - start).as_millis()).expect("short");
                sent.push((at, outgoing));
            }
            match self.responder.wake().filter(|&wake| wake <= end) {
                Some(wake) => {
                    assert!(wake > self.now, "it never wants to be asked again at once");
                    self.now = wake;
                }
                None => break,
            }
        }
        self.now = end;
        sent
    }

    fn hear(&mut self, bytes: &[u8], from: &str) {
        self.hear_on(LINK, bytes, from, SentTo::Group);
    }

    fn hear_on(&mut self, link: LinkId, bytes: &[u8], from: &str, to: SentTo) {
        let from = from.parse().expect("an address");
        self.responder.received(bytes, &Arrival { link, from, to }, self.now);
    }

    fn called(&self) -> Option<String> {
        match self.responder.standing() {
            Standing::Found(called) => Some(called.instance),
            Standing::Alone | Standing::Asking | Standing::Crowded => None,
        }
    }
}

const PEER: &str = "10.0.0.9:5353";
const LEGACY: &str = "10.0.0.9:40000";

fn is_answer(outgoing: &Outgoing) -> bool {
    Message::parse(&outgoing.bytes).expect("ours").is_answer()
}

/// The kinds of the records in each section, sorted.
fn kinds(outgoing: &Outgoing) -> [Vec<u16>; 3] {
    let message = Message::parse(&outgoing.bytes).expect("ours");
    [Section::Answer, Section::Authority, Section::Additional].map(|section| {
        let of_it = message.records().filter(|stated| stated.section == section);
        let mut kinds: Vec<_> = of_it.map(|stated| stated.kind).collect();
        kinds.sort_unstable();
        kinds
    })
}

const A: u16 = 1;
const PTR: u16 = 12;
const TXT: u16 = 16;
const SRV: u16 = 33;
const NSEC: u16 = 47;

/// A record that somebody else states.
fn says(name: &str, data: Data, ttl: u32) -> Vec<u8> {
    let name = match name.split_once("._") {
        Some((instance, kind)) => Name::below(instance, &Name::of(&format!("_{kind}"))),
        None => Name::of(name),
    };
    let mut writer = Writer::new(0, 0x8400, 1400);
    let terms = Terms { ttl, replaces: true };
    writer.record(Section::Answer, &Record { name, data }, terms).expect("it fits");
    writer.finish()
}

fn elsewhere() -> Data {
    Data::Place { port: 1, host: Name::of("other.local") }
}

#[test]
fn a_name_is_asked_for_three_times_and_then_announced_three_times() {
    let mut camera = Camera::new("1", 1);
    let sent = camera.pass(10_000);
    let (probes, answers): (Vec<_>, Vec<_>) = sent.iter().partition(|(_, it)| !is_answer(it));
    let times: Vec<_> = probes.iter().map(|(at, _)| *at).collect();
    assert!(times[0] <= 250, "{times:?}");
    assert_eq!([times[1] - times[0], times[2] - times[1]], [250, 250]);
    assert_eq!(probes.len(), 3);
    for (_, probe) in &probes {
        let message = Message::parse(&probe.bytes).expect("ours");
        let asked: Vec<_> = message.questions().collect();
        assert_eq!(asked.len(), 3, "two instances and a host");
        assert!(asked.iter().all(|question| question.kind == ANY && !question.is_for_unicast));
        assert_eq!(kinds(probe), [vec![], vec![A, TXT, TXT, TXT, SRV, SRV], vec![]]);
    }
    let times: Vec<_> = answers.iter().map(|(at, _)| at - times[2]).collect();
    assert_eq!(times, [250, 1250, 3250]);
    let all = vec![A, PTR, PTR, PTR, PTR, TXT, TXT, TXT, SRV, SRV, NSEC, NSEC, NSEC];
    for (_, answer) in &answers {
        assert_eq!(kinds(answer), [all.clone(), vec![], vec![]]);
        assert_eq!(answer.to, None);
    }
    assert_eq!(camera.called().as_deref(), Some("Garage"));
}

/// The bytes of an answer, all of them constant.
#[test]
fn an_answer_about_the_host_is_these_bytes() {
    let mut camera = Camera::found("1", 1);
    #[rustfmt::skip]
    let question = [
        0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, // number, one question
        6, b'g', b'A', b'r', b'a', b'g', b'e', 5, b'l', b'o', b'c', b'a', b'l', 0, 0, 1, 0, 1,
    ];
    camera.hear(&question, LEGACY);
    let sent = camera.pass(0);
    #[rustfmt::skip]
    let expected = [
        0x12, 0x34, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 1, // an answer, and one thing beside it
        6, b'g', b'A', b'r', b'a', b'g', b'e', 5, b'l', b'o', b'c', b'a', b'l', 0, 0, 1, 0, 1,
        6, b'g', b'a', b'r', b'a', b'g', b'e', 0xC0, 19, // garage, and local as above
        0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 10, 0, 0, 1, // A, IN, 10 s
        0xC0, 30, 0, 47, 0, 1, 0, 0, 0, 10, 0, 7, // NSEC
        0xC0, 30, 0, 3, 0x40, 0, 0x80, // this name has only A and TXT records
    ];
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1.bytes, expected);
    assert_eq!(sent[0].1.to, Some(LEGACY.parse().expect("an address")));
}

#[test]
fn a_question_from_a_port_of_its_own_is_answered_at_once_whole_and_to_the_asker() {
    let mut camera = Camera::found("1", 1);
    let host = Name::of("garage.local");
    let service = Name::of("_lancam._tcp.local");
    let question =
        query(&[(&host, QueryKind::A), (&host, QueryKind::Aaaa), (&service, QueryKind::Pointer)]);
    camera.hear(&question, LEGACY);
    let sent = camera.pass(0);
    let [(0, answer)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(kinds(answer), [vec![A, PTR, NSEC], vec![], vec![TXT, SRV]]);
    let message = Message::parse(&answer.bytes).expect("ours");
    assert_eq!(message.questions().count(), 3);
    assert!(message.records().all(|stated| stated.ttl <= 10));
    let known = records(&answer.bytes).expect("the viewer reads it");
    assert!(known.iter().any(|it| it.data == Data::Address([10, 0, 0, 1].into())));
}

#[test]
fn what_everybody_is_told_waits_a_little_and_comes_once_a_second() {
    let mut camera = Camera::found("1", 1);
    camera.pass(2000);
    let question = query(&[(&Name::of("_lancam._tcp.local"), QueryKind::Pointer)]);
    camera.hear(&question, PEER);
    camera.hear(&question, "10.0.0.8:5353");
    let sent = camera.pass(900);
    assert_eq!(sent.len(), 1);
    let first = sent[0].0;
    assert!((20..=120).contains(&first), "{first}");
    assert_eq!(kinds(&sent[0].1)[0], [PTR]);
    assert_eq!(sent[0].1.to, None);
    for _ in 0..1000 {
        camera.hear(&question, PEER);
    }
    let sent = camera.pass(2000);
    assert_eq!(sent.len(), 1, "and not before a second has passed since it was told");
    assert!(900 + sent[0].0 >= first + 1000, "{}", sent[0].0);
    // Unique records are sent at once.
    camera.hear(&query(&[(&Name::of("garage.local"), QueryKind::A)]), PEER);
    assert_eq!(camera.pass(0).len(), 1);
}

#[test]
fn what_the_asker_knows_is_not_told_him() {
    let mut camera = Camera::found("1", 1);
    camera.pass(2000);
    let kind = Name::of("_lancam._tcp.local");
    let known = |ttl| {
        let mut writer = Writer::new(0, 0, 1400);
        writer.question(&kind, PTR).expect("fits");
        let data = Data::Instance(Name::below("Garage", &kind));
        let record = Record { name: kind.clone(), data };
        let terms = Terms { ttl, replaces: false };
        writer.record(Section::Answer, &record, terms).expect("fits");
        writer.finish()
    };
    camera.hear(&known(3000), PEER);
    assert_eq!(camera.pass(1500), []);
    camera.hear(&known(2000), PEER);
    assert_eq!(camera.pass(1500).len(), 1, "not for long enough");

    // The rest of what the asker knows comes in another message.
    let mut question = query(&[(&kind, QueryKind::Pointer)]);
    question[2] |= 0x02;
    camera.hear(&question, PEER);
    assert_eq!(camera.pass(300), []);
    let mut rest = known(4500);
    // Without its question.
    rest.drain(12..12 + 24);
    rest[5] = 0;
    camera.hear(&rest, "10.0.0.8:5353");
    camera.hear(&rest, PEER);
    let sent = camera.pass(1500);
    assert_eq!(sent.len(), 1, "compression points elsewhere now, so this rest means nothing");
}

#[test]
fn an_answer_may_come_to_the_asker_alone_where_everybody_was_told_lately() {
    let mut camera = Camera::found("1", 1);
    let mut question = query(&[(&Name::of("garage.local"), QueryKind::A)]);
    let len = question.len();
    question[len - 2] |= 0x80;
    camera.hear(&question, PEER);
    let sent = camera.pass(0);
    assert_eq!(sent[0].1.to, Some(PEER.parse().expect("an address")));
    // A quarter of two minutes later, everybody gets it again.
    camera.pass(31_000);
    camera.hear(&question, PEER);
    assert_eq!(camera.pass(0)[0].1.to, None);
    // A question sent to the camera alone is answered alone.
    let question = query(&[(&Name::of("garage.local"), QueryKind::A)]);
    camera.hear_on(LINK, &question, PEER, SentTo::Us);
    assert_eq!(camera.pass(0)[0].1.to, Some(PEER.parse().expect("an address")));
}

#[test]
fn what_there_is_not_is_answered_too() {
    let mut camera = Camera::found("1", 1);
    camera.pass(2000);
    camera.hear(&query(&[(&Name::of("garage.local"), QueryKind::Aaaa)]), PEER);
    let sent = camera.pass(0);
    assert_eq!(kinds(&sent[0].1)[0], [NSEC]);
    camera.hear(&query(&[(&Name::of("other.local"), QueryKind::Aaaa)]), PEER);
    assert_eq!(camera.pass(1000), [], "nothing about others");
}

#[test]
fn the_kinds_of_services_are_listed() {
    let mut camera = Camera::found("1", 1);
    camera.hear(&query(&[(&Name::of("_services._dns-sd._udp.local"), QueryKind::Pointer)]), LEGACY);
    let sent = camera.pass(0);
    let listed = records(&sent[0].1.bytes).expect("whole");
    let listed: Vec<_> = listed
        .into_iter()
        .filter_map(|it| match it.data {
            Data::Instance(kind) => Some(kind.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(listed, ["_lancam._tcp.local", "_http._tcp.local"]);
}

#[test]
fn nobody_behind_a_router_is_answered_alone_or_believed() {
    let mut camera = Camera::found("1", 1);
    camera.pass(2000);
    let question = query(&[(&Name::of("garage.local"), QueryKind::A)]);
    camera.hear(&question, "203.0.113.9:40000");
    camera.hear_on(LINK, &question, "203.0.113.9:5353", SentTo::Us);
    assert_eq!(camera.pass(1000), []);
    camera.hear(&question, "203.0.113.9:5353");
    assert_eq!(camera.pass(0)[0].1.to, None);
    for from in ["203.0.113.9:5353", LEGACY] {
        let mut camera = Camera::new("1", 1);
        camera.pass(300);
        camera.hear(&says("Garage._lancam._tcp.local", elsewhere(), 120), from);
        camera.pass(2000);
        assert_eq!(camera.called().as_deref(), Some("Garage"), "{from}");
    }
}

#[test]
fn a_name_that_somebody_has_is_left_to_him() {
    for (name, data, called) in [
        ("Garage._lancam._tcp.local", elsewhere(), "Garage (2)"),
        ("garage._HTTP._tcp.local", elsewhere(), "Garage (2)"),
        ("GARAGE.local", Data::Address([10, 0, 0, 77].into()), "Garage"),
        ("garage.local", Data::Address("fd00::1".parse().expect("an address")), "Garage"),
    ] {
        let mut camera = Camera::new("1", 1);
        camera.pass(300);
        camera.hear(&says(name, data, 120), PEER);
        let sent = camera.pass(3000);
        assert_eq!(camera.called().as_deref(), Some(called), "{name}");
        let first = &sent[0].1.bytes;
        assert!(first.windows(8).any(|bytes| bytes == b"garage-2"), "{name}");
    }
    // These are not a reason.
    for (name, data, ttl) in [
        ("Garage._lancam._tcp.local", elsewhere(), 0),
        ("Garage 2._lancam._tcp.local", elsewhere(), 120),
        ("garage.local", Data::Address([10, 0, 0, 1].into()), 120),
        ("pi.local", Data::Address([10, 0, 0, 1].into()), 120),
    ] {
        let mut camera = Camera::new("1", 1);
        camera.pass(300);
        camera.hear(&says(name, data, ttl), PEER);
        camera.pass(3000);
        assert_eq!(camera.called().as_deref(), Some("Garage"), "{name}");
    }
}

/// Passes time for both; each receives what the other sends. Returns that, with its time.
fn pass_together(a: &mut Camera, b: &mut Camera, millis: u64) -> Vec<(u64, Outgoing)> {
    let mut sent = Vec::new();
    for at in 0..millis {
        let (from_a, from_b) = (a.pass(1), b.pass(1));
        for (from, messages) in [("10.0.0.1:5353", from_a), ("10.0.0.2:5353", from_b)] {
            for (_, outgoing) in messages {
                a.hear(&outgoing.bytes, from);
                b.hear(&outgoing.bytes, from);
                sent.push((at, outgoing));
            }
        }
    }
    sent
}

/// What a neighbour remembers of all that is multicast (RFC 6762, sections 10.1 and 10.2).
#[derive(Default)]
struct Cache(Vec<Remembered>);

struct Remembered {
    name: Name,
    kind: u16,
    data: Vec<u8>,
    heard: u64,
    until: u64,
}

impl Cache {
    /// `at`: milliseconds.
    fn hear(&mut self, bytes: &[u8], at: u64) {
        let message = Message::parse(bytes).expect("ours");
        for stated in message.records().filter(|_| message.is_answer()) {
            let data = stated.plain_data().expect("ours");
            let soon = at + 1000;
            for known in &mut self.0 {
                let is_kind = known.name == stated.name.to_name() && known.kind == stated.kind;
                let is_over = stated.ttl == 0 && known.data == data;
                let is_replaced = stated.replaces && known.heard + 1000 < at && known.data != data;
                if is_kind && (is_over || is_replaced) {
                    known.until = known.until.min(soon);
                }
            }
            if stated.ttl > 0 {
                let (name, kind) = (stated.name.to_name(), stated.kind);
                self.0.retain(|it| !(it.name == name && it.kind == kind && it.data == data));
                let until = at + 1000 * u64::from(stated.ttl);
                self.0.push(Remembered { name, kind, data, heard: at, until });
            }
        }
    }

    /// Whether `camera`, with this last byte of its address, can be found and reached at this time.
    fn knows(&self, camera: &Camera, address: u8, at: u64) -> bool {
        let Standing::Found(Called { instance, host, .. }) = camera.responder.standing() else {
            return false;
        };
        let service = Name::of("_lancam._tcp.local");
        let (instance, host) =
            (Name::below(&instance, &service), Name::of(&format!("{host}.local")));
        let has = |name: &Name, data: Data| {
            let of_it = self.0.iter().filter(|it| it.name == *name && it.kind == data.kind());
            let alive: Vec<_> = of_it.filter(|it| it.until > at).map(|it| &it.data).collect();
            alive == [&data.plain()]
        };
        let text = camera.responder.services()[0].text.clone();
        self.0.iter().any(|it| it.data == Data::Instance(instance.clone()).plain() && it.until > at)
            && has(&instance, Data::Place { port: 9999, host: host.clone() })
            && has(&instance, Data::Text(text))
            && has(&host, Data::Address([10, 0, 0, address].into()))
    }
}

#[test]
fn of_two_cameras_that_ask_at_the_same_moment_one_gets_the_name() {
    for (left, right) in [("1", "2"), ("2", "1"), ("a", "b")] {
        let (mut a, mut b) = (Camera::new(left, 1), Camera::new(right, 2));
        pass_together(&mut a, &mut b, 6000);
        let mut called = [a.called(), b.called()].map(|name| name.expect("both are found"));
        called.sort();
        assert_eq!(called, ["Garage", "Garage (2)"]);
    }
}

/// Different names give the same host name, and two cameras on one machine have the same addresses.
#[test]
fn two_cameras_on_one_machine_do_not_share_a_host() {
    let named = |name: &str, id: &str| {
        let mut camera = Camera::new(id, 1);
        camera.responder = {
            let names = Names { name: name.into(), host_name: "pi".into(), port: 9999 };
            let services = vec![service("_lancam._tcp.local", id)];
            Responder::new(names, services, ("id".into(), id.into()), 3)
        };
        camera.responder.set_interfaces(vec![interface(2, [10, 0, 0, 1])], camera.now);
        camera
    };
    // Names of another script have nothing that a host name may have.
    for (left, right, host) in [("A  B", "a-b", "a-b"), ("玄関", "台所", "lancam")] {
        for head_start in [0, 5000] {
            let (mut a, mut b) = (named(left, "1"), named(right, "2"));
            a.pass(head_start);
            pass_together(&mut a, &mut b, 8000);
            let called = [a, b].map(|camera| match camera.responder.standing() {
                Standing::Found(called) => called,
                standing => panic!("{standing:?}"),
            });
            assert!(called.iter().all(|it| !it.is_renamed), "each has its own name: {called:?}");
            assert_eq!(called.each_ref().map(|it| &*it.instance), [left, right]);
            let second = format!("{host}-2");
            for called in &called {
                let of_another = (called.host == second).then(|| host.to_owned());
                assert_eq!(called.host_of_another, of_another, "{called:?}");
            }
            let mut hosts = called.map(|called| called.host);
            hosts.sort();
            assert_eq!(hosts, [host.to_owned(), second]);
        }
    }
}

#[test]
fn a_name_is_defended_against_whoever_asks_for_it() {
    let mut first = Camera::found("1", 1);
    let mut second = Camera::new("2", 2);
    pass_together(&mut first, &mut second, 5000);
    assert_eq!(first.called().as_deref(), Some("Garage"));
    assert_eq!(second.called().as_deref(), Some("Garage (2)"));
}

/// Two networks that were separate are joined.
#[test]
fn of_two_cameras_that_have_the_same_name_one_keeps_it() {
    let (mut a, mut b) = (Camera::new("1", 1), Camera::new("2", 2));
    let mut cache = Cache::default();
    for (at, outgoing) in a.pass(11_000).into_iter().chain(b.pass(11_000)) {
        cache.hear(&outgoing.bytes, at);
    }
    a.hear(&query(&[(&Name::of("Garage._lancam._tcp.local"), QueryKind::Pointer)]), PEER);
    let mut who = query(&[(&Name::of("garage.local"), QueryKind::A)]);
    a.hear(&who, PEER);
    b.hear(&who, PEER);
    who.clear();
    for (at, outgoing) in pass_together(&mut a, &mut b, 8000) {
        cache.hear(&outgoing.bytes, 11_000 + at);
    }
    // The one that gave the name up withdraws nothing of the other.
    assert!(cache.knows(&a, 1, 25_000), "{:?}", a.responder.standing());
    assert!(cache.knows(&b, 2, 25_000), "{:?}", b.responder.standing());
    let mut called = [a.called(), b.called()].map(|name| name.expect("both are found"));
    called.sort();
    assert_ne!(called[0], called[1]);
    assert!(called.contains(&"Garage (2)".to_owned()), "{called:?}");
}

/// Records that the camera [`Camera::found`] with number 1 has announced.
fn announced() -> [(&'static str, Data); 3] {
    let kind = Name::of("_lancam._tcp.local");
    [
        ("_lancam._tcp.local", Data::Instance(Name::below("Garage", &kind))),
        ("Garage._lancam._tcp.local", Data::Place { port: 9999, host: Name::of("garage.local") }),
        ("garage.local", Data::Address([10, 0, 0, 1].into())),
    ]
}

#[test]
fn what_somebody_else_withdraws_is_said_again_within_a_second() {
    let mut camera = Camera::found("1", 1);
    camera.pass(5000);
    let foreign = [
        ("Garage._lancam._tcp.local", elsewhere()),
        ("garage.local", Data::Address([10, 0, 0, 2].into())),
    ];
    for (name, data) in announced().into_iter().chain(foreign) {
        let kind = data.kind();
        camera.hear(&says(name, data, 0), PEER);
        let sent = camera.pass(1000);
        let [(at, answer)] = &sent[..] else { panic!("{name}: {sent:?}") };
        assert!(*at < 900 && answer.to.is_none(), "{name}: {at}");
        let message = Message::parse(&answer.bytes).expect("ours");
        let mut said = message.records().filter(|it| it.section == Section::Answer);
        assert!(said.all(|it| it.kind == kind && it.ttl >= 120), "{name}");
    }
}

#[test]
fn who_gives_a_record_less_than_half_its_time_has_it_said_again() {
    let mut camera = Camera::found("1", 1);
    camera.pass(5000);
    for (name, data) in announced() {
        let whole = if data.kind() == PTR { 4500 } else { 120 };
        camera.hear(&says(name, data.clone(), whole / 2), PEER);
        assert_eq!(camera.pass(1100), [], "{name}");
        camera.hear(&says(name, data, whole / 2 - 1), PEER);
        assert_eq!(camera.pass(1100).len(), 1, "{name}");
    }
}

#[test]
fn a_flood_of_goodbyes_has_four_answers_a_second() {
    let mut camera = Camera::found("1", 1);
    camera.pass(5000);
    let mut sent = 0;
    for _ in 0..2000 {
        for (name, data) in announced() {
            camera.hear(&says(name, data, 0), PEER);
        }
        sent += camera.pass(1).len();
    }
    assert!((2..=9).contains(&sent), "{sent} in two seconds");
    assert_eq!(camera.called().as_deref(), Some("Garage"));
}

#[test]
fn a_liar_about_a_name_costs_a_camera_that_name_at_most_once_a_minute() {
    let mut camera = Camera::found("1", 1);
    let mut names = vec![camera.called().expect("it is found")];
    let mut unfound = 0;
    for _ in 0..1800 {
        match camera.called() {
            Some(called) => {
                let lie = says(&format!("{called}._lancam._tcp.local"), elsewhere(), 120);
                camera.hear(&lie, PEER);
                if names.last() != Some(&called) {
                    names.push(called);
                }
            }
            None => unfound += 1,
        }
        camera.pass(100);
    }
    assert_eq!(names, ["Garage", "Garage (2)", "Garage (3)", "Garage (4)"][..names.len()]);
    assert!(names.len() >= 3, "{names:?}");
    assert!(unfound < 60, "of three minutes it was not found for {unfound} tenths of a second");
}

#[test]
fn whoever_claims_one_name_after_the_other_does_not_think_of_all() {
    let mut camera = Camera::new("1", 1);
    for _ in 0..100 {
        for number in 1..60 {
            let instance = if number == 1 { "Garage".into() } else { format!("Garage ({number})") };
            let claim = says(&format!("{instance}._lancam._tcp.local"), elsewhere(), 120);
            camera.hear(&claim, PEER);
        }
        camera.pass(50);
    }
    assert!(camera.called().is_some());
}

#[test]
fn a_storm_is_met_with_a_try_each_five_seconds() {
    let mut camera = Camera::new("1", 1);
    let mut probes = 0;
    // Every probe is answered: the name belongs to somebody else.
    for _ in 0..6000 {
        for (_, outgoing) in camera.pass(10) {
            let message = Message::parse(&outgoing.bytes).expect("ours");
            if message.is_answer() {
                continue;
            }
            probes += 1;
            let name = message.questions().next().expect("it asks").name.to_name();
            let mut writer = Writer::new(0, 0x8400, 1400);
            let record = Record { name, data: elsewhere() };
            let terms = Terms { ttl: 120, replaces: true };
            writer.record(Section::Answer, &record, terms).expect("fits");
            camera.hear(&writer.finish(), PEER);
        }
    }
    assert_eq!(camera.responder.standing(), Standing::Crowded);
    // 15 at once, then 12 per minute.
    assert!((20..=30).contains(&probes), "{probes}");
    // When it is over, the camera is found within a few seconds.
    camera.pass(8000);
    assert!(camera.called().is_some());
}

#[test]
fn nobody_takes_his_own_words_for_anothers() {
    let mut camera = Camera::new("1", 1);
    camera
        .responder
        .set_interfaces(vec![interface(2, [10, 0, 0, 1]), interface(3, [10, 0, 0, 2])], camera.now);
    // Two interfaces in the same network: each receives what the other sends, and changes in
    // between.
    for step in 0..600 {
        if step == 50 {
            let mut services = vec![service("_lancam._tcp.local", "1")];
            services[0].text.push(("size".into(), "640x480".into()));
            camera.responder.set_services(services, camera.now);
        }
        for (_, outgoing) in camera.pass(10) {
            for index in [2, 3] {
                let link = LinkId { interface: index, ..LINK };
                let from = if outgoing.link.interface == 2 { "10.0.0.1" } else { "10.0.0.2" };
                camera.hear_on(link, &outgoing.bytes, &format!("{from}:5353"), SentTo::Group);
            }
        }
    }
    assert_eq!(camera.called().as_deref(), Some("Garage"));
    // A router repeats them in other bytes.
    let address = Data::Address([10, 0, 0, 2].into());
    let mark = Data::Text(vec![("id".into(), "1".into()), ("old".into(), "1".into())]);
    for (name, data) in [("garage.local", address), ("Garage._lancam._tcp.local", mark)] {
        camera.hear(&says(name, data, 120), "10.0.0.254:5353");
    }
    assert!(camera.pass(5000).iter().all(|(_, outgoing)| is_answer(outgoing)), "nothing is asked");
}

#[test]
fn an_end_is_told_once_for_all_that_was_said() {
    let mut camera = Camera::found("1", 1);
    camera.responder.say_goodbye();
    let sent = camera.pass(0);
    assert_eq!(sent.len(), 1);
    let message = Message::parse(&sent[0].1.bytes).expect("ours");
    let ends: Vec<_> = message.records().map(|it| (it.kind, it.ttl)).collect();
    assert!(ends.iter().all(|(_, ttl)| *ttl == 0), "{ends:?}");
    assert_eq!(ends.iter().filter(|(kind, _)| *kind == PTR).count(), 2, "the two instances");
    // A camera that is not announced has nothing to end.
    let mut camera = Camera::new("1", 1);
    camera.pass(300);
    camera.responder.say_goodbye();
    assert_eq!(camera.pass(0), []);
}

#[test]
fn another_address_is_announced_and_the_old_one_is_over() {
    let mut camera = Camera::found("1", 1);
    camera.responder.set_interfaces(vec![interface(2, [10, 0, 0, 200])], camera.now);
    let sent = camera.pass(5000);
    assert_eq!(sent.len(), 3, "three times");
    let message = Message::parse(&sent[0].1.bytes).expect("ours");
    let told: Vec<_> =
        message.records().map(|it| (it.kind, it.ttl, it.plain_data().expect("plain"))).collect();
    assert_eq!(told, [(A, 0, vec![10, 0, 0, 1]), (A, 120, vec![10, 0, 0, 200])]);
    assert_eq!(camera.called().as_deref(), Some("Garage"));
}

#[test]
fn a_network_that_comes_is_claimed_and_one_that_goes_is_forgotten() {
    let mut camera = Camera::new("1", 1);
    camera.responder.set_interfaces(Vec::new(), camera.now);
    assert_eq!(camera.responder.standing(), Standing::Alone);
    assert_eq!(camera.pass(10_000), []);
    camera.responder.set_interfaces(vec![interface(5, [10, 0, 5, 1])], camera.now);
    let sent = camera.pass(6000);
    assert!(sent.iter().all(|(_, outgoing)| outgoing.link.interface == 5));
    assert_eq!(sent.len(), 6);
    // Unplugged and plugged in again: it is probed again.
    camera.responder.set_interfaces(Vec::new(), camera.now);
    camera.responder.set_interfaces(vec![interface(5, [10, 0, 5, 1])], camera.now);
    assert_eq!(camera.pass(6000).len(), 6);
}

#[test]
fn the_machines_own_name_is_left_to_whoever_announces_it() {
    let host = |name: &str, host_name: &str| {
        let names = Names { name: name.into(), host_name: host_name.into(), port: 9999 };
        names.numbered(Numbers::default()).host
    };
    assert_eq!(host("Pi", "pi"), "pi-9999");
    assert_eq!(host("pi", "pi.example.org"), "pi-9999");
    assert_eq!(host("pi.example.org", "pi.example.org"), "pi-example-org-9999");
    assert_eq!(host("Front door", "pi"), "front-door");
    let long = "a".repeat(64);
    assert_eq!(host(&long, &long).len(), 63);
}

#[test]
fn any_name_is_announced_by_labels_that_dns_can_carry() {
    for name in ["", ".", "a.b", "Küche", "🐔 Hühner", &"x".repeat(200), "_x", "A  B", "\\", "(2)"]
    {
        let names = Names { name: name.into(), host_name: "pi".into(), port: 9999 };
        for number in [1, 2, 9999] {
            let numbers = Numbers { instance: number, host: number };
            let Called { instance, host, .. } = names.numbered(numbers);
            assert!(instance.len() <= 63 && !instance.contains(['.', '\\']), "{instance}");
            assert!((1..=63).contains(&host.len()), "{host}");
            let is_plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(host.bytes().all(is_plain) && !host.starts_with('-') && !host.ends_with('-'));
        }
    }
}

#[test]
fn hostile_bytes_are_survived_and_nothing_grows() {
    let mut camera = Camera::found("1", 1);
    let question = query(&[(&Name::of("_lancam._tcp.local"), QueryKind::Pointer)]);
    let answer = says("Garage._lancam._tcp.local", elsewhere(), 120);
    for message in [&question, &answer] {
        for len in 0..message.len() {
            camera.hear(&message[..len], PEER);
        }
        for at in 0..message.len() {
            for value in [0, 1, 12, 0x3F, 0x40, 0xC0, 0xFF] {
                let mut changed = message.to_vec();
                changed[at] = value;
                camera.hear(&changed, PEER);
                camera.hear(&changed, LEGACY);
            }
        }
        // Nobody calls `next` meanwhile.
        for _ in 0..10_000 {
            camera.hear(message, LEGACY);
        }
    }
    let sent = camera.pass(100);
    assert!(sent.len() <= 80, "{}", sent.len());
}
