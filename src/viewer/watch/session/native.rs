//! One connection to a lancam server: greeting, frames, pings, goodbye.

use super::clock::{Answer, CameraClock, Moment};
use super::{READ_PATIENCE, Received, SessionEnd, SessionError, receive};
use crate::plain::printable;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::reach::{Reach, RecordsInto};
use crate::viewer::watch::controls::{Remote, Request};
use crate::viewer::watch::decoding::Decoding;
use crate::viewer::watch::news::{NoticeKind, Publisher};
use crate::wire::FirstBytes;
use crate::wire::native::credit::Appetite;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, StatusCode, Wishes};
use crate::wire::native::{MAX_PAYLOAD, VERSION};
use crate::wire::packet::FrameFacts;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A camera that has not answered for so long is gone: pulled cable, no power, Wi-Fi out of reach.
///
/// It is asked after one second, so this much longer is much on a LAN; and where the network was only away for a moment,
/// a new connection has the picture sooner than the old one, whose kernel waits twice as long from one attempt to the next.
const SILENCE: Duration = Duration::from_secs(2);

/// While somebody looks at the controls, their wishes are looked for between frames, and this often where there are none. The
/// window's thread cannot send them itself: two threads that write would mix their messages.
const CONTROL_PATIENCE: Duration = Duration::from_millis(20);

/// What a server waiting for the end of a line needs to say who it is.
const END_OF_REQUEST: &[u8] = b"\r\n\r\n";

/// A session in progress.
struct Session<'a> {
    stream: &'a TcpStream,
    reached: &'a Reached,
    reach: &'a mut Reach,
    /// Whether the camera has said who it is.
    is_welcomed: bool,
    clock: CameraClock,
    appetite: Appetite,
    /// When bytes last came.
    heard: Instant,
    /// When the first bytes of the message came that is being received.
    begun: Instant,
    /// Small messages are put together here.
    outbox: Vec<u8>,
    remote: &'a Remote,
    /// What its user wishes for, and what the camera was told.
    wishes: Wishes,
    told: Wishes,
    /// Whether the camera has refused to keep to a size.
    is_hold_refused: bool,
    /// How long it waits for bytes before it looks for something else to do.
    patience: Duration,
    decoding: &'a mut Decoding,
    publisher: &'a mut Publisher,
}

/// Greets the camera at the other end of `stream` and shows what it sends, until it ends.
///
/// # Errors
/// When the other end is no lancam server, breaks the protocol, or is gone.
pub(in crate::viewer) fn watch(
    reached: &Reached,
    wishes: Wishes,
    reach: &mut Reach,
    remote: &Remote,
    decoding: &mut Decoding,
    publisher: &mut Publisher,
) -> Result<SessionEnd, SessionError> {
    let stream = &reached.stream;
    stream.set_read_timeout(Some(READ_PATIENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    let now = Instant::now();
    let mut session = Session {
        stream,
        reached,
        reach,
        is_welcomed: false,
        clock: CameraClock::new(now),
        appetite: Appetite::new(),
        heard: now,
        begun: now,
        outbox: Vec::new(),
        remote,
        wishes,
        told: wishes,
        is_hold_refused: false,
        patience: READ_PATIENCE,
        decoding,
        publisher,
    };
    session.told = session.held_wishes();
    session.send(&[Message::Hello {
        min_version: VERSION,
        max_version: VERSION,
        credit: CREDIT,
        wishes: session.told,
        program: concat!("lancam-view ", env!("CARGO_PKG_VERSION")),
    }])?;
    session.receive()
}

/// One frame on its way at a time: none waits in a buffer and grows old. More is asked for once the
/// round trip is known, and only where that is long.
const CREDIT: u8 = 1;

impl Session<'_> {
    fn receive(&mut self) -> Result<SessionEnd, SessionError> {
        let mut decoder = Decoder::new(MAX_PAYLOAD);
        let mut greeting = Greeting::Unheard;
        // A camera without a picture sends nothing that would find the slot closed.
        while !self.publisher.is_closed() {
            while let Some(message) = decoder.next_message()? {
                if let Some(end) = self.take(message)? {
                    return Ok(end);
                }
                // What is there of the next one came with the same bytes.
                self.begun = self.heard;
            }
            self.ask_of_controls()?;
            self.hold_size()?;
            let is_inside = decoder.is_inside_a_message();
            match receive(self.stream, decoder.space())? {
                Received::Bytes(count) => {
                    decoder.filled(count);
                    greeting = Greeting::Heard;
                    self.heard = Instant::now();
                    if !is_inside {
                        self.begun = self.heard;
                    }
                }
                Received::NothingYet if self.heard.elapsed() < READ_PATIENCE => {}
                Received::NothingYet => self.wonder(greeting)?,
                Received::End if decoder.is_inside_a_message() => {
                    return Err(SessionError::CutShort);
                }
                Received::End if greeting == Greeting::Unheard => {
                    return Err(SessionError::ClosedUnheard);
                }
                Received::End => return Ok(SessionEnd::Closed),
            }
        }
        Ok(SessionEnd::Closed)
    }

    fn take(&mut self, message: Message<'_>) -> Result<Option<SessionEnd>, SessionError> {
        match message {
            // Nobody knows whose it is.
            Message::Frame { .. } if !self.is_welcomed => return Err(SessionError::NoWelcome),
            Message::Frame { facts, payload } => self.take_frame(&facts, payload)?,
            Message::Welcome { version, name, id } => self.welcomed(version, name, id)?,
            Message::Stream { codec, size, rate, source } => {
                let source = printable(source);
                let line = format_args!("{source}: {size} {codec:?} at {rate} fps");
                self.publisher.log(log::Level::Info, line);
                self.appetite.rate(rate);
                self.decoding.announce(rate);
            }
            Message::Ping { token } => {
                let received_at = self.clock.micros(self.heard);
                let sent_at = self.clock.micros(Instant::now());
                self.send(&[Message::Pong { token, received_at, sent_at }])?;
            }
            Message::Pong { token, received_at, sent_at } => {
                if let Some(answer) = self.clock.answered(token, received_at, sent_at, self.heard) {
                    self.ping_answered(answer)?;
                }
            }
            // It has no place for the size that is held: any size is better than none.
            Message::Status { code: StatusCode::Full, .. } if self.told != self.wishes => {
                self.is_hold_refused = true;
            }
            // The picture goes on; only the request was not granted.
            Message::Status { code: StatusCode::Refused, text } => {
                if !self.remote.hear(&message) {
                    self.publisher.log(log::Level::Warn, format_args!("{}", printable(text)));
                }
            }
            Message::Status { text, .. } => {
                self.publisher.notify(NoticeKind::NoPicture, printable(text));
            }
            Message::Goodbye {
                reason: GoodbyeReason::Version, min_version, max_version, ..
            } => {
                return Err(SessionError::Version { min: min_version, max: max_version });
            }
            Message::Goodbye { reason, text, .. } => {
                return Ok(Some(SessionEnd::Goodbye { reason, text: printable(text) }));
            }
            Message::Control(_) | Message::ControlList { .. } | Message::MenuItem { .. } => {
                self.remote.hear(&message);
            }
            // What only a camera takes.
            Message::Hello { .. }
            | Message::Ack { .. }
            | Message::Wishes(_)
            | Message::Credit { .. }
            | Message::ListControls
            | Message::SetControl { .. } => {}
        }
        Ok(None)
    }

    /// The round trip says how many frames are to be on their way.
    fn ping_answered(&mut self, Answer { round_trip, asked }: Answer) -> io::Result<()> {
        if asked != Moment::BeforeAck {
            return Ok(());
        }
        self.appetite.ping_answered(round_trip);
        let Some(frames) = self.appetite.news() else { return Ok(()) };
        log::debug!("{frames} frames on their way at once, for a round trip of {round_trip:.1?}");
        self.send(&[Message::Credit { frames }])
    }

    /// The camera has said who it is: only the one that is wanted is shown and recorded.
    fn welcomed(&mut self, version: u8, name: &str, id: &str) -> Result<(), SessionError> {
        if version != VERSION {
            return Err(SessionError::Version { min: version, max: version });
        }
        let said = Identity { name: printable(name), id: printable(id) };
        let admitted = self.reach.judge(said, self.reached).map_err(SessionError::OtherCamera)?;
        if admitted.records_into == RecordsInto::NewFile {
            self.decoding.begin_new_file();
        }
        let text = format!("connected to {} at {}", admitted.origin.name, self.reached.address);
        self.decoding.begin(admitted.origin);
        self.is_welcomed = true;
        self.publisher.notify(NoticeKind::NoPicture, text);
        self.remote.begin();
        Ok(self.ask_if_due(Moment::Idle)?)
    }

    /// Acknowledges a frame, then makes a picture of it.
    fn take_frame(&mut self, facts: &FrameFacts, payload: &[u8]) -> io::Result<()> {
        self.appetite.frame_arrived(self.heard.saturating_duration_since(self.begun));
        // Before the pixels are made: the next frame travels meanwhile.
        let ack = Message::Ack { sequence: facts.sequence };
        let now = Instant::now();
        let ping = match self.appetite.wants_ping() {
            true => self.clock.ask(Moment::BeforeAck, now),
            false => self.clock.ask_if_due(Moment::BeforeAck, now),
        };
        match ping {
            // The camera answers before it sends the frame that the acknowledgement allows.
            Some(token) => self.send(&[Message::Ping { token }, ack])?,
            None => self.send(&[ack])?,
        }
        let age = self.clock.age(facts.captured_at, now);
        self.decoding.decode(facts, age, payload, self.publisher);
        self.appetite.frame_decoded(now.elapsed());
        self.ask_if_due(Moment::AfterDecoding)
    }

    fn ask_if_due(&mut self, moment: Moment) -> io::Result<()> {
        match self.clock.ask_if_due(moment, Instant::now()) {
            Some(token) => self.send(&[Message::Ping { token }]),
            None => Ok(()),
        }
    }

    /// While it is recorded the camera is to keep to the size it sends, since another size begins another file.
    fn hold_size(&mut self) -> io::Result<()> {
        let wishes = self.held_wishes();
        if wishes == self.told {
            return Ok(());
        }
        self.told = wishes;
        self.send(&[Message::Wishes(wishes)])
    }

    /// What the camera is to be told now.
    fn held_wishes(&self) -> Wishes {
        let is_free = self.wishes.width == 0 && self.wishes.height == 0;
        let recorded = self.decoding.recorded_size();
        let Some(size) = recorded.filter(|_| is_free && !self.is_hold_refused) else {
            return self.wishes;
        };
        match (u16::try_from(size.width), u16::try_from(size.height)) {
            (Ok(width), Ok(height)) => Wishes { width, height, ..self.wishes },
            _ => self.wishes,
        }
    }

    /// Asks the camera what the window wants of its controls.
    fn ask_of_controls(&mut self) -> io::Result<()> {
        while let Some(request) = self.remote.next_request() {
            self.send(&[match request {
                Request::List => Message::ListControls,
                Request::Set { id, value } => Message::SetControl { id, value },
            }])?;
        }
        let patience = if self.remote.is_open() { CONTROL_PATIENCE } else { READ_PATIENCE };
        if patience != self.patience {
            self.patience = patience;
            self.stream.set_read_timeout(Some(patience))?;
        }
        Ok(())
    }

    /// Nothing has come for a while: asks for a sign of life, or gives up.
    fn wonder(&mut self, greeting: Greeting) -> Result<(), SessionError> {
        let silence = self.heard.elapsed();
        match greeting {
            Greeting::Unheard if silence >= SILENCE => Err(self.provoke()?),
            // A ping before the welcome would be a second message to a server that knows only one greeting.
            Greeting::Unheard => Ok(()),
            Greeting::Heard if silence >= SILENCE => Err(SessionError::Silent(SILENCE)),
            Greeting::Heard => Ok(self.ask_if_due(Moment::Idle)?),
        }
    }

    /// Many a server waits for the end of a line before it answers: one gets it here, so that people
    /// can be told whose port this is.
    fn provoke(&self) -> io::Result<SessionError> {
        let mut stream = self.stream;
        stream.write_all(END_OF_REQUEST)?;
        let mut first = [0; 16];
        match stream.read(&mut first) {
            Ok(count) if count > 0 => {
                Ok(SessionError::stranger(FirstBytes(first[..count].to_vec())))
            }
            _ => Ok(SessionError::NoGreeting(SILENCE)),
        }
    }

    /// Sends these in one piece.
    fn send(&mut self, messages: &[Message<'_>]) -> io::Result<()> {
        self.outbox.clear();
        for message in messages {
            message.write_to(&mut self.outbox);
        }
        (&*self.stream).write_all(&self.outbox)
    }
}

/// Whether the other end has said anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Unheard,
    Heard,
}
