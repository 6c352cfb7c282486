//! The protocols without a link: the input is bytes and a made-up clock, the output is bytes and orders.

use lancam::camera::context::HttpRules;
use lancam::camera::encode::Coding;
use lancam::camera::roster::wish::Wish;
use lancam::camera::session::http::Http;
use lancam::camera::session::link::outgoing::Outgoing;
use lancam::camera::session::machine::{
    Ebbed, Input, Machine, Moment, Next, Order, Reported, Step,
};
use lancam::camera::session::native::Native;
use lancam::camera::session::pickle::Pickle;
use lancam::camera::session_end::SessionEnd;
use lancam::camera::update::{StatusText, StreamFacts, Update};
use lancam::image::frame::Micros;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::size_wish::SizeWish;
use lancam::latest::Newest;
use lancam::rate::Rate;
use lancam::wire::access::key::May;
use lancam::wire::native::VERSION;
use lancam::wire::native::message::{Message, Secret, StatusCode, Wishes};
use lancam::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

const START: Micros = Micros(1_000_000_000);
const DEADLINE: Micros = Micros(1_005_000_000);

fn own() -> Wish {
    Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default())
}

/// A machine under test, with a camera of one slot.
struct Table<'a> {
    machine: &'a mut dyn Machine,
    out: Outgoing,
    now: Micros,
    /// The orders that the machine gave.
    orders: Vec<String>,
    slot: Option<Update>,
    stream: Arc<StreamFacts>,
    sequence: u64,
    /// The answer to the question whether the last frame has left. `None`: it has not.
    ebbed: Option<Ebbed>,
    skipped: u64,
}

/// What the machine waits for, or how it ended.
#[derive(Debug)]
enum Rest {
    Until(Option<Micros>),
    End(SessionEnd),
}

impl<'a> Table<'a> {
    fn new(machine: &'a mut dyn Machine) -> Self {
        let (source, told) = ("x".into(), "x".into());
        let stream = StreamFacts { source, told, rate: Rate::NONE, size: Size::new(8, 8) };
        Self {
            machine,
            out: Outgoing::default(),
            now: START,
            orders: Vec::new(),
            slot: None,
            stream: Arc::new(stream),
            sequence: 0,
            ebbed: Some(Ebbed::InTime(Duration::ZERO)),
            skipped: 0,
        }
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
    }

    fn say(&mut self, bytes: &[u8]) {
        self.machine.received(bytes, self.now);
    }

    fn message(&mut self, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes);
        self.say(&bytes);
    }

    fn packet(&mut self, sequence: u64) -> Arc<Packet> {
        let facts = FrameFacts {
            sequence,
            captured_at: self.now,
            codec: Codec::Jpeg,
            size: Size::new(8, 8),
        };
        let mut packet = PacketPool::default().take(facts);
        let open = PacketPool::open(&mut packet);
        open.storage(192).fill(b'a');
        open.set_len(192);
        packet
    }

    fn publish(&mut self) {
        self.sequence += 1;
        let (packet, stream) = (self.packet(self.sequence), Arc::clone(&self.stream));
        self.slot = Some(Update::Frame { packet, stream });
    }

    /// Lets it work without sending anything.
    fn think(&mut self, input: Input) -> Rest {
        let mut input = input;
        loop {
            let moment = Moment {
                now: self.now,
                since_1970: Duration::from_secs(9),
                interval: Duration::from_millis(33),
                measured: Duration::from_millis(33),
                first_frame_at: Micros(1),
            };
            let next = self.machine.next(input, &mut self.out, &moment);
            self.skipped += self.out.take_skipped();
            input = match next {
                Next::Wait(until) => return Rest::Until(until),
                Next::End(end) => return Rest::End(end),
                Next::Look => Input::Newest(match self.slot.take() {
                    Some(value) => Newest::Fresh { value, skipped: 0 },
                    None => Newest::NotYet,
                }),
                Next::Order(order) => self.fulfil(&order),
            };
        }
    }

    fn fulfil(&mut self, order: &Order) -> Input {
        let text = format!("{order:?}");
        let name = text.split(['(', ' ']).next().expect("a name");
        self.orders.push(name.to_owned());
        match order {
            Order::Admit(_) => Input::Admitted(Ok(May::Control)),
            Order::Sit => Input::Seated(Ok(())),
            Order::Report(_) => Input::Reported(Reported { is_well: true, text: "fine\n".into() }),
            Order::Draw(_) => Input::Drawn(Some(self.packet(0))),
            Order::Current => Input::Current(Some(self.packet(self.sequence))),
            Order::Ebb(_) => self.ebbed.map_or(Input::Awake, Input::Ebbed),
            Order::Arrived(_) => Input::Arrived(Step::Stays),
            _ => Input::Awake,
        }
    }

    /// Takes at most this many of the bytes that it wants to send.
    fn take(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        if !self.out.is_empty() {
            let taken = self.out.send_with(|parts| {
                bytes.extend(parts.iter().flat_map(|part| part.iter()).take(most));
                Ok::<_, Infallible>(bytes.len())
            });
            let Ok(_) = taken;
        }
        bytes
    }

    /// Lets it work for a viewer that takes everything.
    fn run(&mut self) -> (Vec<u8>, Rest) {
        let mut bytes = Vec::new();
        loop {
            let rest = self.think(Input::Awake);
            if self.out.is_empty() || matches!(rest, Rest::End(_)) {
                return (bytes, rest);
            }
            bytes.extend(self.take(usize::MAX));
        }
    }

    fn run_to_text(&mut self) -> (String, Rest) {
        let (bytes, rest) = self.run();
        (String::from_utf8_lossy(&bytes).into_owned(), rest)
    }
}

fn native() -> Native<'static> {
    Native::new("Garage", "id", own(), DEADLINE)
}

fn hello(credit: u8) -> Message<'static> {
    let (min_version, max_version) = (VERSION, VERSION);
    let (wishes, key) = (Wishes::default(), Secret::default());
    Message::Hello { min_version, max_version, credit, wishes, program: "x", key }
}

fn http(rules: &HttpRules) -> Http<'_> {
    Http::new("Garage", rules, own(), DEADLINE, START)
}

#[test]
fn a_native_viewer_is_welcomed_when_it_has_a_seat_and_watches() {
    let mut machine = native();
    let mut table = Table::new(&mut machine);
    let mut bytes = Vec::new();
    hello(1).write_to(&mut bytes);
    for byte in &bytes[..bytes.len() - 1] {
        table.say(&[*byte]);
        let (sent, rest) = table.run();
        assert!(sent.is_empty() && matches!(rest, Rest::Until(Some(DEADLINE))), "{rest:?}");
    }
    table.say(&bytes[bytes.len() - 1..]);
    let (welcome, rest) = table.run();
    assert!(welcome.starts_with(b"LCAM") && matches!(rest, Rest::Until(None)), "{rest:?}");
    assert_eq!(table.orders, ["Admit", "Sit", "Announce", "Watch"]);
}

#[test]
fn a_viewer_that_never_greets_is_silent_at_its_deadline() {
    let mut machine = native();
    let mut table = Table::new(&mut machine);
    table.say(b"LCAM");
    table.pass(4999);
    assert!(matches!(table.run(), (_, Rest::Until(Some(DEADLINE)))));
    table.pass(1);
    assert!(matches!(table.run(), (_, Rest::End(SessionEnd::Silent))));
}

#[test]
fn a_frame_waits_for_credit_and_then_the_newest_goes() {
    let mut machine = native();
    let mut table = Table::new(&mut machine);
    table.message(&hello(1));
    table.publish();
    let (first, _) = table.run();
    assert!(first.len() > 192 && table.machine.owes_acknowledgement());
    table.publish();
    assert!(table.run().0.is_empty(), "no credit is left");
    table.publish();
    table.message(&Message::Ack { sequence: 1 });
    let (third, _) = table.run();
    assert!(third.len() > 192 && table.machine.acknowledged() == 1);
    table.message(&Message::Ack { sequence: 2 });
    assert!(table.run().0.is_empty(), "the second was never sent");
    assert_eq!(table.machine.acknowledged(), 1, "an acknowledgement of nothing is no progress");
}

#[test]
fn a_pong_never_stands_in_the_middle_of_a_frame() {
    let mut machine = native();
    let mut table = Table::new(&mut machine);
    table.message(&hello(1));
    table.run();
    table.publish();
    table.think(Input::Awake);
    let mut bytes = table.take(100);
    table.message(&Message::Ping { token: 7 });
    table.think(Input::Awake);
    bytes.extend(table.run().0);
    let mut decoder = lancam::wire::native::decoder::Decoder::new(1 << 20);
    decoder.push(&bytes);
    let mut kinds = Vec::new();
    while let Some(message) = decoder.next_message().expect("whole messages") {
        kinds.push(format!("{message:?}").split(' ').next().expect("a name").to_owned());
    }
    assert_eq!(kinds, ["Stream", "Frame", "Pong"]);
}

#[test]
fn whoever_asks_without_taking_answers_is_refused_and_whoever_takes_them_is_not() {
    let pings = |table: &mut Table<'_>| {
        let mut bytes = Vec::new();
        Message::Ping { token: 1 }.write_to(&mut bytes);
        let count = table.machine.room() / bytes.len();
        table.say(&bytes.repeat(count));
    };
    let mut machine = native();
    let mut table = Table::new(&mut machine);
    table.message(&hello(1));
    table.run();
    for _ in 0..10 {
        pings(&mut table);
        let (pongs, rest) = table.run();
        assert!(!pongs.is_empty() && matches!(rest, Rest::Until(None)), "{rest:?}");
    }
    pings(&mut table);
    table.think(Input::Awake);
    table.take(1);
    let room = table.machine.room();
    table.say(&vec![0; room]);
    table.think(Input::Awake);
    let (_, rest) = table.run();
    let Rest::End(SessionEnd::Refused { text, .. }) = rest else { panic!("{rest:?}") };
    assert!(text.contains("without taking the answers"), "{text}");
}

#[test]
fn a_request_that_is_cut_anywhere_is_answered_once_and_the_next_one_too() {
    let rules = HttpRules::default();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD / HTTP/1.0\r\n\r\n";
    for cut in 0..request.len() {
        let mut machine = http(&rules);
        let mut table = Table::new(&mut machine);
        let mut said = String::new();
        table.say(&request[..cut]);
        said += &table.run_to_text().0;
        table.say(&request[cut..]);
        let (rest_of_it, rest) = table.run_to_text();
        said += &rest_of_it;
        assert_eq!(said.matches("HTTP/1.").count(), 2, "cut at {cut}: {said}");
        assert!(said.contains("fine\n"), "{said}");
        // The client reads the last answer before the connection is closed.
        assert!(matches!(rest, Rest::Until(Some(_))), "{rest:?}");
        assert_eq!(table.orders.last().map(String::as_str), Some("CloseSending"));
        table.machine.input_ended();
        assert!(matches!(table.run().1, Rest::End(SessionEnd::Answered(2))));
    }
}

#[test]
fn half_a_request_is_told_so_after_5_s_and_nothing_at_all_is_silence() {
    let rules = HttpRules::default();
    for (said, answer) in [("GET / HT", "HTTP/1.1 408 "), ("", "")] {
        let mut machine = http(&rules);
        let mut table = Table::new(&mut machine);
        table.say(said.as_bytes());
        table.pass(4999);
        assert!(matches!(table.run(), (bytes, Rest::Until(Some(DEADLINE))) if bytes.is_empty()));
        table.pass(1);
        let (text, rest) = table.run_to_text();
        assert!(text.starts_with(answer), "{text}");
        assert_eq!(matches!(rest, Rest::End(SessionEnd::Silent)), said.is_empty(), "{rest:?}");
    }
}

#[test]
fn a_frame_over_http_waits_for_the_last_to_leave_and_then_the_newest_goes() {
    let rules = HttpRules::default();
    let mut machine = http(&rules);
    let mut table = Table::new(&mut machine);
    table.say(b"GET /stream HTTP/1.0\r\n\r\n");
    table.publish();
    let (text, _) = table.run_to_text();
    assert!(text.starts_with("HTTP/1.0 200 ") && text.ends_with("\r\n--frame\r\n"), "{text}");
    table.ebbed = None;
    table.pass(33);
    table.publish();
    assert!(table.run().0.is_empty() && table.orders.ends_with(&["Ebb".to_owned()]));
    table.pass(300);
    table.publish();
    assert!(table.run().0.is_empty(), "it still waits");
    table.ebbed = Some(Ebbed::InTime(Duration::ZERO));
    table.think(Input::Ebbed(Ebbed::Late));
    assert!(!table.take(usize::MAX).is_empty());
    assert_eq!((table.skipped, table.slot.is_none()), (1, true), "the older one is not sent");
}

#[test]
fn a_stream_whose_form_is_one_too_many_after_an_outage_goes_on_with_the_nearest() {
    let rules = HttpRules::default();
    let mut machine = http(&rules);
    let mut table = Table::new(&mut machine);
    table.say(b"GET /stream?width=4 HTTP/1.0\r\n\r\n");
    table.publish();
    table.run();
    let count =
        |table: &Table<'_>, name: &str| table.orders.iter().filter(|order| *order == name).count();
    let full = || {
        let text = "one form too many".to_owned();
        Some(Update::Status(Arc::new(StatusText { code: StatusCode::Full, text })))
    };
    table.pass(33);
    table.slot = full();
    assert!(table.run().0.is_empty());
    assert_eq!(count(&table, "StandIn"), 1, "{:?}", table.orders);
    table.pass(1500);
    table.publish();
    assert!(table.run_to_text().0.contains("aaa"), "the pictures of another form");
    assert_eq!(count(&table, "Draw"), 0, "no words");
    // Forms that end before they are subscribed to are not asked for without end.
    for _ in 0..20 {
        table.slot = full();
        table.run();
    }
    assert_eq!(count(&table, "StandIn"), 1 + 8);
    table.pass(1500);
    table.run();
    assert_eq!(count(&table, "Draw"), 1, "then it says why: {:?}", table.orders);
}

#[test]
fn a_stream_knows_of_an_end_that_came_with_the_rest_of_its_request() {
    let rules = HttpRules::default();
    for ends in [false, true] {
        let mut machine = http(&rules);
        let mut table = Table::new(&mut machine);
        table.say(b"GET /stream HT");
        table.run();
        table.say(b"TP/1.0\r\n\r\n");
        if ends {
            table.machine.input_ended();
        }
        table.publish();
        table.run();
        // The first `Stand` says that the connection is being answered. After the end of the input, a second one follows.
        let told = table.orders.iter().filter(|order| *order == "Stand").count();
        assert_eq!(told, 1 + usize::from(ends), "{:?}", table.orders);
    }
}

#[test]
fn a_stopped_stream_ends_with_the_newest_picture_and_no_boundary() {
    let rules = HttpRules::default();
    let mut machine = http(&rules);
    let mut table = Table::new(&mut machine);
    table.say(b"GET /stream HTTP/1.0\r\n\r\n");
    table.publish();
    table.run();
    let now = table.now;
    table.machine.end(SessionEnd::Stopping, &mut table.out, now);
    let (text, rest) = table.run_to_text();
    assert!(text.ends_with("aaa\r\n") && matches!(rest, Rest::End(SessionEnd::Stopping)), "{text}");
    // A client that reads nothing must not delay the end.
    let mut machine = http(&rules);
    let mut table = Table::new(&mut machine);
    table.say(b"GET /stream HTTP/1.0\r\n\r\n");
    table.publish();
    table.think(Input::Awake);
    table.take(10);
    table.machine.end(SessionEnd::Stopping, &mut table.out, now);
    let Rest::Until(Some(until)) = table.think(Input::Awake) else { panic!("no time is set") };
    assert!(until.since(table.now) <= Duration::from_millis(200));
    table.pass(200);
    assert!(matches!(table.think(Input::Awake), Rest::End(SessionEnd::Stopping)));
}

#[test]
fn the_tutorials_client_is_sent_a_notice_when_nothing_comes() {
    let tutorial = Wish::own(Coding::Bgr24, SizeWish::default());
    let mut machine = Pickle::new(tutorial, START);
    let mut table = Table::new(&mut machine);
    assert!(matches!(table.run(), (bytes, Rest::Until(Some(_))) if bytes.is_empty()));
    table.pass(4000);
    let (bytes, _) = table.run();
    assert!(bytes.len() > 192, "{}", bytes.len());
    assert_eq!(table.orders, ["Sit", "Announce", "Watch", "Draw"]);
    table.machine.input_ended();
    assert!(matches!(table.run(), (_, Rest::End(SessionEnd::ViewerLeft))));
}
