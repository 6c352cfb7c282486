//! The simulated kernel, camera and viewer.

use super::reader::Reader;
use super::seal::Seal;
use super::{Fault, Speaks};
use lancam::camera::access::guesses::Rests;
use lancam::camera::access::{Given, NotAdmitted, NotGiven, Offer, PairCommand, Paired};
use lancam::camera::connections::Crowd;
use lancam::camera::controls::Answer;
use lancam::camera::session::link::kernel::{Happened, Kernel};
use lancam::camera::session::machine::{Input, Moment, Order, Reported, Step};
use lancam::camera::session::surroundings::Surroundings;
use lancam::camera::update::{StatusText, StreamFacts, Update};
use lancam::image::frame::Micros;
use lancam::image::pixels::Size;
use lancam::latest::Newest;
use lancam::net::socket::{Held, Path};
use lancam::net::tls::records::OVERHEAD;
use lancam::rate::Rate;
use lancam::wire::access::key::{Key, May};
use lancam::wire::access::proof::{ITERATIONS, Salting};
use lancam::wire::native::VERSION;
use lancam::wire::native::credit::Arrival;
use lancam::wire::native::message::{Message, Secret, StatusCode, Wishes};
use lancam::wire::packet::{Codec, FrameFacts, Packet, PacketPool};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The time at which every world begins.
pub(super) const START: Micros = Micros(1_000_000_000);

/// A viewer that takes nothing must be disconnected within this time.
const LET_GO: Duration = Duration::from_secs(5);

/// A viewer that takes so many bytes in the second half of the time until it is disconnected makes progress.
const SOME: usize = 16 << 10;

/// A session must end within this time when the program ends.
const STOPS: Duration = Duration::from_millis(300);

/// The number of events after which the viewer leaves.
const MOST_EVENTS: u32 = 120;

/// The most kernel calls of a session after its viewer has left.
const LAST_CALLS: u32 = 100;

/// The source of a world's choices.
#[derive(Debug)]
pub enum Choices<'a> {
    /// Pseudo-random numbers with this seed.
    Random(u64),
    /// A fuzzer's bytes. After their end, nothing unusual happens.
    Bytes(&'a [u8]),
}

impl Choices<'_> {
    /// A number below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        let chosen = match self {
            Self::Random(state) => {
                // SplitMix64.
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut mixed = *state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                mixed ^ (mixed >> 31)
            }
            Self::Bytes(bytes) => match bytes {
                [first, second, rest @ ..] if limit > 256 => {
                    let chosen = u64::from(*first) << 8 | u64::from(*second);
                    *bytes = rest;
                    chosen
                }
                [first, rest @ ..] => {
                    let chosen = u64::from(*first);
                    *bytes = rest;
                    chosen
                }
                [] => 0,
            },
        };
        usize::try_from(chosen % u64::try_from(limit).expect("it fits")).expect("it is below")
    }

    /// Whether something happens that should happen once in `times`.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }
}

/// Everything outside of a link.
pub(super) struct World<'a> {
    speaks: Speaks,
    choices: Choices<'a>,
    now: Micros,
    events: u32,
    calls_left: Option<u32>,
    // From the viewer.
    inbox: VecDeque<u8>,
    /// What the viewer will send.
    to_say: VecDeque<u8>,
    /// What it has sent and has not arrived.
    on_its_way: VecDeque<u8>,
    seal: Option<Seal>,
    has_closed: bool,
    /// Whether the camera's other parts know that the session sends nothing more.
    is_told_of_the_end: bool,
    is_gone: bool,
    // To the viewer.
    queue: VecDeque<u8>,
    capacity: usize,
    /// The bytes of the last write that found no room.
    left_over: usize,
    narrowed: Option<usize>,
    /// How many unacknowledged bytes the link was told about last.
    held: usize,
    /// The most of what it was told since the viewer last took [`SOME`] of it.
    most_held: usize,
    reader: Reader,
    got: Vec<u64>,
    // What a sleep ends with.
    socket_edge: bool,
    /// There is room, and the link will be told.
    room_due: bool,
    bell_edge: bool,
    stop: Stop,
    // The camera.
    pool: PacketPool,
    stream: Arc<StreamFacts>,
    slot: Option<Update>,
    published: u64,
    seen: u64,
    is_watched: bool,
    is_armed: bool,
    sequence: u64,
    answers: VecDeque<Answer>,
    // What a native viewer owes.
    credit: usize,
    unacknowledged: VecDeque<u64>,
    owes_since: Option<Micros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    NotAsked,
    Asked(Micros),
    /// The stop is ignored from now on.
    Ignored(Micros),
}

impl<'a> World<'a> {
    pub(super) fn new(speaks: Speaks, mut choices: Choices<'a>) -> Self {
        let source = String::from("made up");
        let told = source.clone();
        let stream = StreamFacts { source, told, rate: Rate(30_000), size: Size::new(64, 48) };
        let credit = 1 + choices.below(4);
        let mut to_say = Vec::new();
        match speaks {
            Speaks::Native => {
                let wishes = Wishes::default();
                let credit = u8::try_from(credit).expect("small");
                let (min_version, max_version) = (VERSION, VERSION);
                let (program, key) = ("x", Secret::default());
                let hello =
                    Message::Hello { min_version, max_version, credit, wishes, program, key };
                hello.write_to(&mut to_say);
            }
            Speaks::Http | Speaks::HttpWithKeys => {
                to_say.extend(request(speaks, choices.below(REQUESTS.len())));
            }
            Speaks::Pairing => {
                Message::PairRequest { nonce: [1; 32], name: "x" }.write_to(&mut to_say);
            }
            Speaks::Pickle => {}
        }
        Self {
            speaks,
            capacity: 200 + choices.below(4000),
            choices,
            now: START,
            events: 0,
            calls_left: None,
            inbox: VecDeque::new(),
            to_say: to_say.into(),
            on_its_way: VecDeque::new(),
            seal: None,
            has_closed: false,
            is_told_of_the_end: false,
            is_gone: false,
            queue: VecDeque::new(),
            left_over: 0,
            narrowed: None,
            held: 0,
            most_held: 0,
            reader: Reader::new(speaks),
            got: Vec::new(),
            socket_edge: false,
            room_due: false,
            bell_edge: false,
            stop: Stop::NotAsked,
            pool: PacketPool::default(),
            stream: Arc::new(stream),
            slot: None,
            published: 0,
            seen: 0,
            is_watched: false,
            is_armed: false,
            sequence: 0,
            answers: VecDeque::new(),
            credit,
            unacknowledged: VecDeque::new(),
            owes_since: None,
        }
    }

    /// The viewer speaks TLS from now on.
    pub(super) fn seal_with(&mut self, seal: Seal) {
        self.seal = Some(seal);
    }

    pub(super) fn frames(&self) -> usize {
        self.got.len()
    }

    /// Counts a kernel call. A session whose viewer is gone may make only a few.
    fn call(&mut self) {
        if let Some(left) = &mut self.calls_left {
            assert!(*left > 0, "a session does not end");
            *left -= 1;
        }
    }

    /// Bytes that have not been sent yet. The first 600 bytes of the queue count as sent, and lie in the viewer's own
    /// buffer.
    fn unsent(&self) -> usize {
        self.queue.len().saturating_sub(600)
    }

    fn has_room(&self) -> bool {
        match self.narrowed {
            Some(most) => self.unsent() == 0 && self.queue.len() <= most,
            None => self.queue.len() < self.capacity - self.capacity / 3,
        }
    }

    pub(super) fn is_native(&self) -> bool {
        self.speaks == Speaks::Native
    }

    /// Notes whether the viewer owes something, and since when.
    pub(super) fn note_debt(&mut self, progress: bool) {
        let owes_acknowledgement =
            self.speaks == Speaks::Native && self.unacknowledged.len() >= self.credit;
        let owes = self.left_over > 0 || self.narrowed.is_some() || owes_acknowledgement;
        self.owes_since = match self.owes_since {
            Some(since) if owes && !progress => Some(since),
            _ => owes.then_some(self.now),
        };
    }

    /// Whether a sleep ends at once.
    fn is_told(&self) -> bool {
        self.socket_edge || self.bell_edge || self.is_stopping()
    }

    /// Checks what must be true whenever a link goes to sleep.
    fn check(&self, time: Option<Duration>) {
        let is_told = self.is_told();
        if let Some(since) = self.owes_since
            && !is_told
            && !self.is_gone
            && self.stop == Stop::NotAsked
            && time != Some(Duration::ZERO)
        {
            let left = LET_GO.checked_sub(self.now.since(since));
            let left = left.expect("a viewer that has taken nothing for 5 s is let go");
            assert!(time.is_some_and(|time| time <= left), "it sleeps {time:?}, {left:?} are left");
        }
        if let Stop::Asked(at) | Stop::Ignored(at) = self.stop {
            assert!(self.now.since(at) <= STOPS || is_told, "it goes on though the program ends");
        }
        if is_told || time == Some(Duration::ZERO) || self.stop != Stop::NotAsked {
            return;
        }
        assert!(self.inbox.is_empty(), "{} bytes are there, and it sleeps", self.inbox.len());
        if !self.room_due && self.has_room() {
            assert!(self.narrowed.is_none(), "the last frame has left, and it sleeps");
            assert!(self.left_over == 0, "there is room, and it sleeps");
        }
        self.check_slot();
    }

    /// Checks that a link that sleeps will be woken for a frame that it can send.
    fn check_slot(&self) {
        let may_send = self.left_over == 0 && self.narrowed.is_none();
        let has_credit = !self.is_native() || self.unacknowledged.len() < self.credit;
        let is_left = self.is_gone || self.stop != Stop::NotAsked;
        if self.is_watched && may_send && has_credit && !is_left && self.seen < self.published {
            assert!(self.is_armed || self.is_told(), "a frame is there, and it sleeps");
        }
    }

    fn is_stopping(&self) -> bool {
        matches!(self.stop, Stop::Asked(_))
    }

    /// What has happened. Each edge is reported once.
    fn happened(&mut self) -> Option<Happened> {
        let is_stopping = self.is_stopping();
        if !self.socket_edge && !self.bell_edge && !is_stopping {
            return None;
        }
        self.bell_edge = false;
        let mut happened = Happened { stop: is_stopping, ..Happened::default() };
        if std::mem::take(&mut self.socket_edge) {
            happened.bytes = !self.inbox.is_empty();
            happened.end = self.has_closed || self.is_gone;
            happened.gone = self.is_gone;
            happened.room = self.has_room();
            self.room_due &= !happened.room;
        }
        Some(happened)
    }

    fn sleep(&mut self, time: Option<Duration>) -> Happened {
        self.note_debt(false);
        self.check(time);
        let until = time.map(|time| self.now.after(time));
        loop {
            if let Some(happened) = self.happened() {
                return happened;
            }
            let pause = self.pause();
            if let Some(until) = until
                && self.now.after(pause) >= until
            {
                // A sleeping thread may wake up late.
                let late = if self.choices.once_in(10) { self.pause() } else { Duration::ZERO };
                self.now = until.after(late);
                return Happened::default();
            }
            self.now = self.now.after(pause);
            self.act();
            self.check_slot();
        }
    }

    fn pause(&mut self) -> Duration {
        match self.choices.below(24) {
            0..12 => Duration::from_millis(10),
            12..20 => Duration::from_micros(u64::try_from(self.choices.below(40_000)).unwrap_or(0)),
            20..22 => Duration::from_millis(300),
            22 => Duration::from_millis(1500),
            _ if self.choices.once_in(4) => Duration::from_secs(3600),
            _ => Duration::from_millis(4800),
        }
    }

    /// Lets something happen.
    fn act(&mut self) {
        self.events += 1;
        if self.events > MOST_EVENTS || (self.events > 5 && self.choices.once_in(200)) {
            self.is_gone = true;
            self.socket_edge = true;
            self.calls_left.get_or_insert(LAST_CALLS);
            return;
        }
        match self.choices.below(16) {
            0..5 => self.publish(),
            5..8 => self.viewer_reads(),
            8..11 => self.viewer_acknowledges(),
            11..14 => self.viewer_says(),
            14 => self.room_is_told(),
            _ if self.choices.once_in(8) => {
                if self.stop == Stop::NotAsked {
                    self.stop = Stop::Asked(self.now);
                }
            }
            _ if self.choices.once_in(8) => {
                self.has_closed = true;
                self.socket_edge = true;
            }
            _ => self.answer_a_question(),
        }
        self.note_debt(false);
    }

    fn room_is_told(&mut self) {
        if self.has_room() && self.room_due {
            self.socket_edge = true;
        }
    }

    fn publish(&mut self) {
        let update = if self.choices.once_in(12) {
            let code = match self.choices.below(3) {
                0 => StatusCode::Starting,
                1 => StatusCode::CameraLost,
                _ => StatusCode::Full,
            };
            Update::Status(Arc::new(StatusText { code, text: "made up".into() }))
        } else {
            self.sequence += 1;
            let packet = self.packet(self.sequence);
            Update::Frame { packet, stream: Arc::clone(&self.stream) }
        };
        self.slot = Some(update);
        self.published += 1;
        self.bell_edge |= std::mem::take(&mut self.is_armed);
    }

    fn packet(&mut self, sequence: u64) -> Arc<Packet> {
        let most = match self.choices.once_in(10) {
            // A frame of several records.
            true if self.seal.is_some() => 3000,
            true => 300,
            false => 20,
        };
        let rows = 1 + self.choices.below(most);
        let size = Size::new(8, rows);
        let codec = if self.speaks == Speaks::Pickle { Codec::Bgr24 } else { Codec::Jpeg };
        let mut packet =
            self.pool.take(FrameFacts { sequence, captured_at: self.now, codec, size });
        let len = 3 * 8 * rows;
        let open = PacketPool::open(&mut packet);
        open.storage(len)[..8].copy_from_slice(&sequence.to_be_bytes());
        open.set_len(len);
        self.pool.remember(&packet);
        packet
    }

    fn viewer_reads(&mut self) {
        let most = self.queue.len() + 1;
        let count = if self.choices.once_in(3) { most } else { 1 + self.choices.below(most) };
        let bytes: Vec<u8> = self.queue.drain(..count.min(self.queue.len())).collect();
        let opened = match &mut self.seal {
            Some(seal) => seal.open(&bytes),
            None => bytes.clone(),
        };
        for number in self.reader.read(&opened) {
            // A notice is not a frame of the camera and has no number.
            if number == 0 {
                continue;
            }
            let last = self.got.last().copied().unwrap_or(0);
            let is_repeated = number == last && self.speaks != Speaks::Native;
            assert!(number > last || is_repeated, "{number} after {last}");
            self.got.push(number);
        }
        if self.narrowed.is_some() && !bytes.is_empty() {
            self.note_debt(true);
        }
        if (self.left_over > 0 || self.narrowed.is_some()) && self.has_room() {
            self.socket_edge = true;
        }
    }

    fn viewer_acknowledges(&mut self) {
        if self.speaks != Speaks::Native {
            return self.viewer_reads();
        }
        let Some(&sequence) = self.got.last() else { return };
        let mut bytes = Vec::new();
        Message::Ack { sequence }.write_to(&mut bytes);
        self.to_say.extend(bytes);
        let count = self.to_say.len();
        self.say(count);
        if self.unacknowledged.front().is_some_and(|first| *first <= sequence) {
            self.unacknowledged.retain(|other| *other > sequence);
            self.note_debt(true);
        }
    }

    fn viewer_says(&mut self) {
        if self.to_say.is_empty() {
            let mut bytes = Vec::new();
            match (self.speaks, self.choices.below(6)) {
                (Speaks::Native, 0) => Message::ListControls.write_to(&mut bytes),
                (Speaks::Native, 1) => {
                    let wishes = Wishes { width: 32, ..Wishes::default() };
                    Message::Wishes(wishes).write_to(&mut bytes);
                }
                (Speaks::Native, 2) if self.choices.once_in(30) => bytes.extend(b"nonsense"),
                (Speaks::Native, _) => Message::Ping { token: 7 }.write_to(&mut bytes),
                (Speaks::Pairing, 0) if self.choices.once_in(4) => bytes.extend(b"nonsense"),
                (Speaks::Pairing, _) => Message::PairProof { proof: [2; 32] }.write_to(&mut bytes),
                (Speaks::Http | Speaks::HttpWithKeys, which) => {
                    bytes.extend(request(self.speaks, which));
                }
                (Speaks::Pickle, _) => bytes.push(b'x'),
            }
            self.to_say.extend(bytes);
        }
        let most = self.to_say.len();
        let count = if self.choices.once_in(3) { 1 + self.choices.below(most) } else { most };
        if self.seal.is_some() && self.choices.once_in(3) {
            return self.say_a_part(count);
        }
        self.say(count);
    }

    /// Lets a record be cut on its way. The rest comes with the next one.
    fn say_a_part(&mut self, count: usize) {
        if let (Some(seal), false) = (&mut self.seal, self.has_closed) {
            let said: Vec<u8> = self.to_say.drain(..count).collect();
            self.on_its_way.extend(seal.seal(&said));
            let arrives = 1 + self.choices.below(self.on_its_way.len());
            self.arrive(arrives);
        }
    }

    fn say(&mut self, count: usize) {
        if !self.has_closed {
            let said: Vec<u8> = self.to_say.drain(..count).collect();
            match &mut self.seal {
                Some(seal) => self.on_its_way.extend(seal.seal(&said)),
                None => self.on_its_way.extend(said),
            }
            self.arrive(self.on_its_way.len());
        }
    }

    /// Lets so many bytes arrive of those that were sent.
    fn arrive(&mut self, count: usize) {
        self.inbox.extend(self.on_its_way.drain(..count));
        self.socket_edge = true;
    }

    fn answer_a_question(&mut self) {
        self.answers.push_back(Answer::Refused("made up".into()));
        self.bell_edge = true;
    }
}

/// Requests of HTTP clients. `HEAD` only where the response does not state the length.
const REQUESTS: [&str; 6] = [
    "GET /stream HTTP/1.0\r\n\r\n",
    "GET /stream HTTP/1.0\r\nUser-Agent: X Firefox/140.0\r\n\r\n",
    "GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /state HTTP/1.1\r\nHost: evil.example\r\n\r\n",
];

/// Requests to a camera that wants keys. The camera of these worlds accepts most keys and some codes.
const REQUESTS_WITH_KEYS: [&str; 6] = [
    "GET /stream?key=x HTTP/1.0\r\n\r\n",
    "GET /stream HTTP/1.0\r\nAuthorization: Basic eDp5\r\nCookie: __Host-lancam-07070707=z\r\n\r\n",
    "GET /snapshot?key=x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer y\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /login HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 17\r\n\
     Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=K7QM2XPD9HRT",
    "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\nGET /state?key=x HTTP/1.1\r\nHost: localhost\r\n\r\n",
];

fn request(speaks: Speaks, which: usize) -> impl Iterator<Item = u8> {
    let requests = if speaks == Speaks::HttpWithKeys { REQUESTS_WITH_KEYS } else { REQUESTS };
    requests[which % REQUESTS.len()].bytes()
}

/// The simulated kernel.
pub(super) struct MadeUpKernel<'a>(pub(super) Rc<RefCell<World<'a>>>, pub(super) Fault);

impl Kernel for MadeUpKernel<'_> {
    fn now(&self) -> Micros {
        self.0.borrow().now
    }

    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let world = &mut *self.0.borrow_mut();
        world.call();
        if world.is_gone {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if world.inbox.is_empty() {
            return if world.has_closed { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        }
        if world.choices.once_in(20) {
            // The bytes arrive a moment later, and are reported then.
            world.socket_edge = true;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let most = into.len().min(world.inbox.len());
        let count = if world.choices.once_in(4) { 1 + world.choices.below(most) } else { most };
        for (to, from) in into.iter_mut().zip(world.inbox.drain(..count)) {
            *to = from;
        }
        world.socket_edge |= count < into.len() && !world.inbox.is_empty();
        Ok(count)
    }

    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let world = &mut *self.0.borrow_mut();
        world.call();
        if world.is_gone {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let total: usize = parts.iter().map(|part| part.len()).sum();
        assert!(total > 0, "nothing is sent");
        let was_left_over = world.left_over > 0;
        let room = world.capacity.saturating_sub(world.queue.len()).min(total);
        let count = if world.choices.once_in(4) { world.choices.below(room + 1) } else { room };
        world.queue.extend(parts.iter().flat_map(|part| part.iter()).take(count));
        world.left_over = total - count;
        world.room_due = count < total;
        let small = if world.seal.is_some() { 24 + OVERHEAD } else { 24 };
        // What is progress of a native viewer, `Seen` knows.
        let progress = !world.is_native() && count > 0 && (was_left_over || total > small);
        world.note_debt(progress);
        if count == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }

    fn make_room(&mut self, len: usize) -> io::Result<()> {
        let world = &mut *self.0.borrow_mut();
        world.capacity = world.capacity.max(len / 2);
        Ok(())
    }

    fn held(&self) -> io::Result<Held> {
        let world = &mut *self.0.borrow_mut();
        let unacknowledged = world.queue.len();
        let before = std::mem::replace(&mut world.held, unacknowledged);
        world.most_held = world.most_held.max(unacknowledged);
        let has_taken_some = world.most_held - unacknowledged >= SOME;
        if has_taken_some {
            world.most_held = unacknowledged;
        }
        if has_taken_some || world.narrowed.is_some() && unacknowledged < before {
            world.note_debt(true);
        }
        Ok(Held { unsent: world.unsent(), unacknowledged })
    }

    fn narrow(&mut self, bytes: usize) -> io::Result<()> {
        let world = &mut *self.0.borrow_mut();
        world.narrowed = Some(bytes);
        world.socket_edge |= world.has_room();
        Ok(())
    }

    fn widen(&mut self) -> io::Result<()> {
        let world = &mut *self.0.borrow_mut();
        world.narrowed = None;
        world.note_debt(false);
        Ok(())
    }

    fn path(&self) -> io::Result<Path> {
        Ok(Path { least_round_trip: Duration::from_millis(1), bytes_a_second: 1 << 20 })
    }

    fn close_sending(&mut self) -> io::Result<()> {
        let is_told = self.0.borrow().is_told_of_the_end;
        assert!(is_told, "the viewer may connect anew before its place is given up");
        Ok(())
    }

    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened> {
        let world = &mut *self.0.borrow_mut();
        world.call();
        let mut happened = world.sleep(time);
        happened.bytes &= self.1 != Fault::Bytes;
        happened.room &= self.1 != Fault::Room;
        Ok(happened)
    }

    fn ignore_stop(&mut self) -> io::Result<()> {
        let world = &mut *self.0.borrow_mut();
        world.stop = Stop::Ignored(world.now);
        Ok(())
    }
}

/// The simulated camera.
pub(super) struct MadeUpCamera<'a>(pub(super) Rc<RefCell<World<'a>>>, pub(super) Fault);

impl Surroundings for MadeUpCamera<'_> {
    fn moment(&self, now: Micros) -> Moment {
        Moment {
            now,
            since_1970: Duration::from_secs(1_700_000_000),
            interval: Duration::from_millis(33),
            measured: Duration::from_millis(40),
            first_frame_at: Micros(1),
        }
    }

    fn newest(&mut self) -> io::Result<Newest<Update>> {
        let world = &mut *self.0.borrow_mut();
        world.is_armed = self.1 != Fault::Bell;
        let Some(update) = world.slot.clone().filter(|_| world.seen < world.published) else {
            return Ok(Newest::NotYet);
        };
        let skipped = world.published - world.seen - 1;
        world.seen = world.published;
        world.is_armed = false;
        if let (Speaks::Native, Update::Frame { packet, .. }) = (world.speaks, &update) {
            world.unacknowledged.push_back(packet.facts.sequence);
            assert!(world.unacknowledged.len() <= world.credit, "more than there is credit for");
            world.note_debt(world.unacknowledged.len() == world.credit);
        }
        if self.1 == Fault::Order && world.choices.once_in(4) {
            world.sequence = world.sequence.saturating_sub(3);
        }
        Ok(Newest::Fresh { value: update, skipped })
    }

    fn fulfil(&mut self, order: Order, _now: Micros) -> io::Result<Input> {
        let world = &mut *self.0.borrow_mut();
        Ok(match order {
            Order::Admit(_) if world.choices.once_in(20) => {
                Input::Admitted(Err(NotAdmitted::NoKey(PairCommand::default())))
            }
            Order::Admit(_) => Input::Admitted(Ok(May::Control)),
            Order::Sit if world.choices.once_in(20) => Input::Seated(Err(Crowd::Seats(1))),
            Order::Sit => Input::Seated(Ok(())),
            Order::Watch(..) => {
                world.is_watched = true;
                world.is_armed = false;
                Input::Awake
            }
            Order::Unwatch => {
                world.is_watched = false;
                Input::Awake
            }
            Order::Current => Input::Current(match &world.slot {
                Some(Update::Frame { packet, .. }) => Some(Arc::clone(packet)),
                _ => None,
            }),
            Order::Report(_) => Input::Reported(Reported { is_well: true, text: "ok\n".into() }),
            Order::Draw(_) if world.choices.once_in(8) => Input::Drawn(None),
            Order::Draw(_) => Input::Drawn(Some(world.packet(0))),
            Order::Arrived(_) if world.choices.once_in(8) => {
                // What is in another slot is not new.
                world.seen = world.published;
                world.is_armed = false;
                Input::Arrived(Step::Goes)
            }
            Order::Arrived(_) => Input::Arrived(Step::Stays),
            Order::Answer => Input::Answer(world.answers.pop_front()),
            Order::CloseSending => {
                world.is_told_of_the_end = true;
                Input::Awake
            }
            Order::LogIn(_, name) if world.choices.once_in(2) => Input::LoggedIn(Ok(Given {
                key: Key::from_random([5; 32]),
                name,
                may: May::Control,
            })),
            Order::LogIn(..) => Input::LoggedIn(Err(NotGiven::WrongCode(PairCommand::default()))),
            Order::Offer if world.choices.once_in(6) => Input::Offered(Err(Rests(STOPS).into())),
            Order::Offer => {
                let salting = Salting::new([3; 16], ITERATIONS).expect("accepted");
                Input::Offered(Ok(Offer { nonce: [4; 32], salting }))
            }
            Order::Pair(claim) if world.choices.once_in(3) => {
                let key = Key::from_random([5; 32]);
                let given = Given { key, name: claim.name, may: May::Watch };
                Input::Paired(Ok(Paired { given, proof: [6; 32] }))
            }
            Order::Pair(_) => Input::Paired(Err(NotGiven::WrongCode(PairCommand::default()))),
            _ => Input::Awake,
        })
    }

    fn is_lowered(&self) -> bool {
        self.0.borrow_mut().choices.once_in(8)
    }

    fn count_sent(&self, _bytes: usize, _age: Duration) {}

    fn count_skipped(&self, _frames: u64) {}

    fn count_arrived(&self, _arrival: Arrival, _now: Micros) {}
}
