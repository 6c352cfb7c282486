//! Pairing without a socket: the camera's machine and the viewer's against each other, and against those who are neither.

use crate::tools::pairing_viewer::PairingViewer;
use lancam::camera::access::day::Day;
use lancam::camera::access::folder::Folder;
use lancam::camera::access::{Access, Channel, NotGiven};
use lancam::camera::session::link::outgoing::Outgoing;
use lancam::camera::session::machine::{Input, Machine, Moment, Next, Order};
use lancam::camera::session::pairing::Pairing as CameraPairing;
use lancam::camera::session_end::SessionEnd;
use lancam::image::frame::Micros;
use lancam::viewer::find::identity::Identity;
use lancam::viewer::find::pairing::{Paired, Pairing, PairingError};
use lancam::wire::access::code::Code;
use lancam::wire::access::key::May;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{GoodbyeReason, Message, Secret};
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use std::convert::Infallible;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// SHA-256 of the camera's certificate, and of that of a machine in the middle.
const PIN: [u8; 32] = [7; 32];
const PIN_OF_RELAY: [u8; 32] = [8; 32];

const START: Micros = Micros(1_000_000_000);
const DEADLINE: Micros = Micros(1_005_000_000);

/// A camera's access over files of its own.
struct Camera {
    folder: tempfile::TempDir,
    access: Access,
    now: Instant,
}

impl Camera {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let access = Self::open(&folder);
        Self { folder, access, now: Instant::now() }
    }

    fn open(folder: &tempfile::TempDir) -> Access {
        let folder = Folder::open(&folder.path().join("state")).expect("made");
        Access::open(folder, PIN).expect("opens")
    }

    /// Whether a camera that starts now lets this key in.
    fn lets_in_after_a_restart(&self, paired: &Paired) -> bool {
        Self::open(&self.folder).admit(&paired.key.text(), Channel::Tls).is_ok()
    }
}

/// A connection at the camera's end.
struct Connection<'a> {
    camera: &'a Camera,
    peer: IpAddr,
    machine: CameraPairing<'static>,
    out: Outgoing,
    now: Micros,
    is_closed: bool,
    end: Option<SessionEnd>,
}

impl<'a> Connection<'a> {
    fn new(camera: &'a Camera, peer: [u8; 4]) -> Self {
        let machine = CameraPairing::new("Garage", "7f3", DEADLINE);
        let (out, is_closed, end) = (Outgoing::default(), false, None);
        Self { camera, peer: peer.into(), machine, out, now: START, is_closed, end }
    }

    /// Takes what a viewer sends, as far as there is room for it, and returns what the camera sends.
    fn received(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut sent = self.turn();
        while !bytes.is_empty() && self.end.is_none() {
            let (now, later) = bytes.split_at(bytes.len().min(self.machine.room()));
            assert!(!now.is_empty(), "there is room, or an end");
            self.machine.received(now, self.now);
            bytes = later;
            sent.extend(self.turn());
        }
        sent
    }

    /// Lets the machine do what it can, as the link does.
    fn turn(&mut self) -> Vec<u8> {
        let (mut sent, mut input) = (Vec::new(), Input::Awake);
        while self.end.is_none() {
            let moment = Moment {
                now: self.now,
                since_1970: Duration::from_secs(9),
                interval: Duration::ZERO,
                measured: Duration::ZERO,
                first_frame_at: Micros(0),
            };
            input = match self.machine.next(input, &mut self.out, &moment) {
                Next::Order(order) => self.fulfil(order),
                Next::End(end) => {
                    self.end = Some(end);
                    break;
                }
                Next::Wait(_) if self.out.is_empty() => break,
                Next::Wait(_) => {
                    assert!(!self.is_closed, "nothing is sent after the end");
                    let send = |parts: &[std::io::IoSlice<'_>]| {
                        parts.iter().for_each(|part| sent.extend_from_slice(part));
                        Ok::<_, Infallible>(parts.iter().map(|part| part.len()).sum())
                    };
                    let Ok(_) = self.out.send_with(send);
                    Input::Awake
                }
                Next::Look => panic!("pairing shows no picture"),
            };
        }
        sent
    }

    fn fulfil(&mut self, order: Order) -> Input {
        let Camera { access, now, .. } = self.camera;
        match order {
            Order::Offer => Input::Offered(access.offer(self.peer, *now)),
            Order::Pair(claim) => Input::Paired(access.pair(&claim, self.peer, *now, today())),
            Order::CloseSending => {
                self.is_closed = true;
                Input::Awake
            }
            order => panic!("pairing orders {order:?}"),
        }
    }

    /// The end, when the viewer has closed too.
    fn ended(mut self) -> SessionEnd {
        self.machine.input_ended();
        self.turn();
        self.end.expect("it ends")
    }
}

fn today() -> Day {
    Day::parse("2026-11-30").expect("a day")
}

/// A viewer that has this code and sees this certificate, and its request.
fn viewer(code: &Code, nonce: u8, pin: [u8; 32]) -> (PairingViewer, Vec<u8>) {
    let mut request = Vec::new();
    let viewer = PairingViewer::begin(code.clone(), "desk", [nonce; 32], pin, &mut request);
    (viewer, request)
}

fn wrong_code() -> Code {
    Code::parse("K7QM-2XPD-9HRT").expect("a code")
}

/// Pairs, with nobody in between.
fn pair(camera: &Camera, code: &Code, peer: [u8; 4]) -> Result<Paired, PairingError> {
    let mut connection = Connection::new(camera, peer);
    let (mut viewer, mut bytes) = viewer(code, 1, PIN);
    for _ in 0..4 {
        let answer = connection.received(&bytes);
        bytes.clear();
        if let Some(paired) = viewer.received(&answer, &mut bytes)? {
            return Ok(paired);
        }
    }
    panic!("it takes two turns");
}

fn messages(bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    decoder.push(bytes);
    let mut all = Vec::new();
    while let Some(message) = decoder.next_message().expect("messages") {
        all.push(format!("{message:?}"));
    }
    all
}

fn bytes_of(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.write_to(&mut bytes);
    bytes
}

/// The reason of the goodbye, which is all that was sent.
fn goodbye(bytes: &[u8]) -> (GoodbyeReason, String) {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    decoder.push(bytes);
    match decoder.next_message() {
        Ok(Some(Message::Goodbye { reason, text, .. })) => (reason, text.to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_viewer_that_knows_the_code_gets_a_key_that_counts_after_a_restart() {
    let camera = Camera::new();
    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let (mut viewer, mut bytes) = viewer(&camera.access.code(), 1, PIN);
    let offer = connection.received(&bytes);
    bytes.clear();
    assert!(viewer.received(&offer, &mut bytes).expect("an offer").is_none());
    let answer = connection.received(&bytes);
    assert!(connection.is_closed, "nothing else follows");
    let paired = viewer.received(&answer, &mut Vec::new()).expect("right").expect("whole");
    assert_eq!(paired.identity, Identity { name: "Garage".into(), id: "7f3".into() });
    assert_eq!(paired.may, May::Control);
    assert!(camera.lets_in_after_a_restart(&paired));
    assert!(matches!(connection.ended(), SessionEnd::Paired(name) if name == "desk"));
    let shown = format!("{paired:?} {viewer:?}");
    assert!(!shown.contains(&paired.key.text()), "{shown}");
}

#[test]
fn a_viewer_knows_who_the_camera_says_it_is_before_it_says_anything_of_the_code() {
    let camera = Camera::new();
    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let mut request = Vec::new();
    let mut viewer = Pairing::begin("desk", [1; 32], PIN, &mut request);
    assert_eq!(messages(&request).len(), 1);
    let mut early = Vec::new();
    let code = camera.access.code();
    assert!(viewer.prove(&code, &mut early).expect("not its turn").is_none() && early.is_empty());
    assert!(viewer.received(&connection.received(&request)).expect("an offer").is_none());
    let identity = Identity { name: "Garage".into(), id: "7f3".into() };
    assert_eq!(viewer.offered(), Some(&identity));
    // Whatever comes instead of waiting is not looked at before the code is given.
    let more = bytes_of(&Message::Paired { proof: [0; 32], may: 1, key: Secret("") });
    assert!(viewer.received(&more).expect("it waits").is_none());
    let mut proof = Vec::new();
    assert_eq!(viewer.prove(&code, &mut proof).err(), Some(PairingError::Impostor));
    assert!(messages(&proof)[0].starts_with("PairProof"));
}

#[test]
fn the_conversation_may_be_cut_anywhere() {
    let camera = Camera::new();
    for len in [1, 2, 7, 12, 13, 64] {
        let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
        let (mut viewer, mut to_camera) = viewer(&camera.access.code(), 1, PIN);
        let mut paired = None;
        for _ in 0..4 {
            let mut answer = Vec::new();
            to_camera.chunks(len).for_each(|part| answer.extend(connection.received(part)));
            to_camera.clear();
            for part in answer.chunks(len) {
                paired = viewer.received(part, &mut to_camera).expect("right").or(paired);
            }
        }
        assert!(camera.lets_in_after_a_restart(&paired.expect("it was paired")), "in {len} bytes");
    }
}

#[test]
fn a_wrong_code_is_refused_with_words_and_gives_no_key() {
    let camera = Camera::new();
    let refused = pair(&camera, &wrong_code(), [192, 0, 2, 1]).expect_err("it is wrong");
    let PairingError::Refused { reason, text } = refused else { panic!("{refused:?}") };
    assert_eq!(reason, GoodbyeReason::WrongCode);
    let expected =
        "the code is wrong. On the camera's machine, sudo lancam pair shows the right one";
    assert_eq!(text, expected);
    assert!(camera.access.keys().is_empty());
}

#[test]
fn after_wrong_codes_pairing_rests_for_one_address_and_in_the_end_for_all() {
    let mut camera = Camera::new();
    let code = camera.access.code();
    let reason = |camera: &Camera, code: &Code, peer| match pair(camera, code, peer) {
        Err(PairingError::Refused { reason, text }) => Some((reason, text)),
        Err(error) => panic!("{error}"),
        Ok(_) => None,
    };
    let (one, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    for _ in 0..3 {
        let (reason, _) = reason(&camera, &wrong_code(), one).expect("refused");
        assert_eq!(reason, GoodbyeReason::WrongCode);
    }
    let (rests, text) = reason(&camera, &code, one).expect("too many");
    assert_eq!(rests, GoodbyeReason::PairingRests);
    let expected =
        "too many wrong codes: the camera takes no code for 1 s. Keys that it has given still work";
    assert_eq!(text, expected);
    assert_eq!(reason(&camera, &code, other), None, "another address pairs");
    camera.now += Duration::from_secs(1);
    assert_eq!(reason(&camera, &code, one), None, "a second later it pairs too");
    for last in 10..27 {
        let reason = reason(&camera, &wrong_code(), [192, 0, 2, last]).expect("refused");
        assert_eq!(reason.0, GoodbyeReason::WrongCode);
    }
    let (rests, text) = reason(&camera, &code, other).expect("20 were wrong within a minute");
    assert!(rests == GoodbyeReason::PairingRests && text.contains("for 5 minutes"), "{text}");
    camera.now += Duration::from_secs(300);
    assert_eq!(reason(&camera, &code, other), None);
}

#[test]
fn viewers_that_have_their_offers_already_get_no_more_guesses() {
    let camera = Camera::new();
    let mut offered: Vec<_> = (0..100_u8)
        .map(|last| {
            let mut connection = Connection::new(&camera, [192, 0, 2, last]);
            let (_, request) = viewer(&wrong_code(), 1, PIN);
            assert!(messages(&connection.received(&request))[0].starts_with("PairOffer"));
            connection
        })
        .collect();
    let proof = bytes_of(&Message::PairProof { proof: [9; 32] });
    let reasons = offered.iter_mut().map(|connection| goodbye(&connection.received(&proof)).0);
    let reasons: Vec<_> = reasons.collect();
    let count = |wanted| reasons.iter().filter(|reason| **reason == wanted).count();
    let counts = (count(GoodbyeReason::WrongCode), count(GoodbyeReason::PairingRests));
    assert_eq!(counts, (20, 80));
}

#[test]
fn a_machine_in_the_middle_is_refused_by_both() {
    let camera = Camera::new();
    let code = camera.access.code();
    // It passes on all that both say. The viewer sees its certificate, the camera shows its own.
    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let (mut viewer_one, mut bytes) = viewer(&code, 1, PIN_OF_RELAY);
    let offer = connection.received(&bytes);
    bytes.clear();
    viewer_one.received(&offer, &mut bytes).expect("an offer");
    let answer = connection.received(&bytes);
    assert_eq!(goodbye(&answer).0, GoodbyeReason::WrongCode);
    assert!(camera.access.keys().is_empty());
    let refused = viewer_one.received(&answer, &mut Vec::new()).expect_err("refused");
    assert!(matches!(refused, PairingError::Refused { reason: GoodbyeReason::WrongCode, .. }));

    // It says in the camera's place that all is well: with the viewer's own proof, or with one of another pairing.
    let (mut honest, mut bytes) = viewer(&code, 1, PIN);
    let mut connection = Connection::new(&camera, [192, 0, 2, 3]);
    let offer_before = connection.received(&bytes);
    bytes.clear();
    honest.received(&offer_before, &mut bytes).expect("an offer");
    let paired_before = connection.received(&bytes);
    honest.received(&paired_before, &mut Vec::new()).expect("right").expect("paired");
    let key = Secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    for nonce in [1, 2] {
        let (mut victim, _) = viewer(&code, nonce, PIN_OF_RELAY);
        let mut own_proof = Vec::new();
        victim.received(&offer_before, &mut own_proof).expect("an offer");
        let proof: [u8; 32] = own_proof[12..].try_into().expect("a proof");
        let (mut second, _) = viewer(&code, nonce, PIN_OF_RELAY);
        second.received(&offer_before, &mut Vec::new()).expect("an offer");
        let reflected = bytes_of(&Message::Paired { proof, may: 3, key });
        let refused = victim.received(&reflected, &mut Vec::new()).expect_err("refused");
        assert_eq!(refused, PairingError::Impostor);
        let refused = second.received(&paired_before, &mut Vec::new()).expect_err("refused");
        assert_eq!(refused, PairingError::Impostor);
    }
}

#[test]
fn a_pairing_that_was_recorded_is_worth_nothing_to_whoever_plays_it_again() {
    let camera = Camera::new();
    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let (mut viewer_one, request) = viewer(&camera.access.code(), 1, PIN);
    let mut proof = Vec::new();
    viewer_one.received(&connection.received(&request), &mut proof).expect("an offer");
    assert!(messages(&connection.received(&proof))[0].starts_with("Paired"));
    assert!(connection.received(&proof).is_empty(), "one proof, one key");
    assert_eq!(camera.access.keys().len(), 1);
    for _ in 0..2 {
        let mut connection = Connection::new(&camera, [192, 0, 2, 2]);
        connection.received(&request);
        assert_eq!(goodbye(&connection.received(&proof)).0, GoodbyeReason::WrongCode);
        assert!(matches!(connection.ended(), SessionEnd::Refused { .. }));
    }
    assert_eq!(camera.access.keys().len(), 1);
}

#[test]
fn a_viewer_refuses_an_offer_that_makes_its_code_cheap_or_itself_busy() {
    for iterations in [0, 1, 49_999, 5_000_001, u32::MAX] {
        let offer = Message::PairOffer {
            nonce: [2; 32],
            salt: [3; 16],
            iterations,
            name: "Garage",
            id: "7f3",
        };
        let (mut viewer, _) = viewer(&wrong_code(), 1, PIN);
        let mut out = Vec::new();
        let refused = viewer.received(&bytes_of(&offer), &mut out).expect_err("refused");
        assert!(matches!(refused, PairingError::Salting(_)) && out.is_empty(), "{refused}");
    }
}

#[test]
fn a_viewer_believes_nothing_that_comes_out_of_turn_or_is_no_key() {
    let camera = Camera::new();
    let (mut early, _) = viewer(&wrong_code(), 1, PIN);
    let key = Secret("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let paired = bytes_of(&Message::Paired { proof: [1; 32], may: 3, key });
    let refused = early.received(&paired, &mut Vec::new()).expect_err("no offer came");
    assert_eq!(refused, PairingError::OutOfTurn("the end of pairing"));
    let (mut other, _) = viewer(&wrong_code(), 1, PIN);
    let refused = other.received(b"HTTP/1.1 400 Bad Request\r\n\r\n", &mut Vec::new());
    assert!(matches!(refused, Err(PairingError::Wire(_))));

    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let (mut right, request) = viewer(&camera.access.code(), 1, PIN);
    let mut proof = Vec::new();
    right.received(&connection.received(&request), &mut proof).expect("an offer");
    let mut answer = connection.received(&proof);
    // The last letter of the key stands last.
    *answer.last_mut().expect("a key") = b'!';
    let refused = right.received(&answer, &mut Vec::new()).expect_err("it is no key");
    assert_eq!(refused, PairingError::NoKey);
}

#[test]
fn whoever_speaks_otherwise_at_the_camera_is_told_so() {
    let camera = Camera::new();
    let (_, request) = viewer(&wrong_code(), 1, PIN);
    let proof = bytes_of(&Message::PairProof { proof: [0; 32] });
    let too_long = b"LCAM\x01\x09\0\0\x01\x10\0\0".to_vec();
    let cases: [(&str, Vec<u8>); 5] = [
        ("the first message must be a request for pairing", proof.clone()),
        (
            "it does not speak lancam's protocol: it began with \"GET / HTTP/1\"",
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        ),
        ("a message of 4097 bytes is over the limit of 4096", too_long),
        (
            "after an offer of pairing, the viewer's proof must come",
            [&request[..], &request].concat(),
        ),
        (
            "a proof of the code is cut short: 3 bytes, and proof is missing",
            [&request[..], b"LCAM\x01\x0A\0\0\x03\0\0\0abc"].concat(),
        ),
    ];
    for (expected, said) in cases {
        let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
        let sent = connection.received(&said);
        let answer = messages(&sent).pop().expect("an answer");
        assert!(
            answer.contains("reason: BadMessage") && answer.contains(&format!("{expected:?}")),
            "{answer}"
        );
        assert!(matches!(connection.ended(), SessionEnd::Refused { text, .. } if text == expected));
    }
    assert!(camera.access.keys().is_empty());
}

#[test]
fn whoever_says_nothing_more_is_closed_in_time() {
    let camera = Camera::new();
    let mut silent = Connection::new(&camera, [192, 0, 2, 1]);
    silent.turn();
    silent.now = DEADLINE;
    silent.turn();
    assert!(matches!(silent.end, Some(SessionEnd::Silent)));

    let (_, request) = viewer(&wrong_code(), 1, PIN);
    let mut slow = Connection::new(&camera, [192, 0, 2, 1]);
    slow.received(&request);
    slow.now = START.after(Duration::from_millis(9_999));
    slow.turn();
    assert!(slow.end.is_none(), "hashing takes its time");
    slow.now = START.after(Duration::from_secs(10));
    slow.turn();
    let text = "the viewer sent no proof of the code within 10 s";
    assert!(matches!(slow.end, Some(SessionEnd::Refused { text: it, .. }) if it == text));

    let mut gone = Connection::new(&camera, [192, 0, 2, 1]);
    gone.received(&request[..20]);
    assert!(matches!(gone.ended(), SessionEnd::ViewerLeft));

    // One that does not close is waited for a second, and however much it sends, little of it is taken.
    let mut stays = Connection::new(&camera, [192, 0, 2, 1]);
    stays.received(b"GET / HTTP/1.1\r\n\r\n");
    assert!(stays.end.is_none() && stays.is_closed);
    stays.received(&vec![b'x'; 100_000]);
    assert!(stays.end.is_some());
}

#[test]
fn a_camera_that_cannot_keep_a_key_gives_none_and_says_why() {
    let camera = Camera::new();
    std::fs::write(camera.folder.path().join("state/keys"), "nonsense").expect("written");
    let refused = pair(&camera, &camera.access.code(), [192, 0, 2, 1]).expect_err("no key");
    let PairingError::Refused { reason: GoodbyeReason::PairingRests, text } = refused else {
        panic!("{refused:?}");
    };
    assert!(
        text.starts_with("the camera cannot make a key now: ") && text.contains("state/keys"),
        "{text}"
    );
}

#[test]
fn a_camera_that_is_open_says_so() {
    let mut machine = CameraPairing::new("Garage", "7f3", DEADLINE);
    let (_, request) = viewer(&wrong_code(), 1, PIN);
    machine.received(&request, START);
    let mut out = Outgoing::default();
    let moment = Moment {
        now: START,
        since_1970: Duration::ZERO,
        interval: Duration::ZERO,
        measured: Duration::ZERO,
        first_frame_at: Micros(0),
    };
    assert!(matches!(machine.next(Input::Awake, &mut out, &moment), Next::Order(Order::Offer)));
    machine.next(Input::Offered(Err(NotGiven::Open)), &mut out, &moment);
    let (reason, text) = goodbye(out.messages().expect("nothing is on its way"));
    assert_eq!(reason, GoodbyeReason::PairingRests);
    assert!(text.contains("needs no code"), "{text}");
}

#[test]
fn a_newer_viewer_pairs_too() {
    let camera = Camera::new();
    let mut connection = Connection::new(&camera, [192, 0, 2, 1]);
    let (_, mut request) = viewer(&camera.access.code(), 1, PIN);
    request[4] = VERSION + 1;
    assert!(messages(&connection.received(&request))[0].starts_with("PairOffer"));
}
