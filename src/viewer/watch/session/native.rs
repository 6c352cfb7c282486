//! One connection to a lancam server: greeting, frames, pings, goodbye.

use super::clock::{Answer, CameraClock, Moment};
use super::line::Line;
use super::{READ_PATIENCE, Received, SessionEnd, SessionError};
use crate::image::pixels::Size;
use crate::plain::printable;
use crate::rate::Rate;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::reach::{Reach, RecordsInto, Stranger, ToldBy};
use crate::viewer::keep::keyring::Keyring;
use crate::viewer::watch::controls::{Remote, Request};
use crate::viewer::watch::decoding::Decoding;
use crate::viewer::watch::news::{NoticeKind, Publisher};
use crate::wire::FirstBytes;
use crate::wire::access::key::Key;
use crate::wire::native::credit::Appetite;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, Secret, StatusCode, Wishes};
use crate::wire::native::{MAX_PAYLOAD, VERSION};
use crate::wire::packet::{Codec, FrameFacts};
use crate::wording::count;
use std::io;
use std::time::{Duration, Instant};

/// After this time without an answer, a camera is gone: unplugged, without power, or out of Wi-Fi range.
///
/// It is sent a ping after one second, and a second more is long on a LAN. If the network was only away for a moment, a new
/// connection has a picture sooner than the old one, whose kernel doubles its wait with each retransmission.
const SILENCE: Duration = Duration::from_secs(2);

/// While the panel of controls is open, requests are looked for between frames, and this often when none come. The window's
/// thread cannot send them itself, because two writing threads would mix their messages.
const CONTROL_PATIENCE: Duration = Duration::from_millis(20);

/// What makes a server that waits for the end of a line answer.
const END_OF_REQUEST: &[u8] = b"\r\n\r\n";

/// A connection to a camera.
struct Session<'a> {
    line: Line<'a>,
    reached: &'a Reached,
    reach: &'a mut Reach,
    keyring: &'a Keyring,
    /// Whether the camera has sent its welcome.
    is_welcomed: bool,
    /// Where its pictures come from, as it says; empty until it has said it.
    source: String,
    clock: CameraClock,
    appetite: Appetite,
    /// When bytes last arrived.
    heard: Instant,
    /// When the first bytes of the current message arrived.
    begun: Instant,
    /// The buffer for messages to send.
    outbox: Vec<u8>,
    remote: &'a Remote,
    /// The user's wishes, and the wishes last sent to the camera.
    wishes: Wishes,
    told: Wishes,
    /// Whether the camera has refused to keep its size.
    is_hold_refused: bool,
    /// How long to wait for bytes before looking for other work.
    patience: Duration,
    decoding: &'a mut Decoding,
    publisher: &'a mut Publisher,
}

/// A connection on which nothing has been said yet, and what this viewer may show on it.
pub(in crate::viewer::watch) struct Doorstep<'a> {
    pub(in crate::viewer::watch) line: Line<'a>,
    pub(in crate::viewer::watch) reached: &'a Reached,
    /// The key for the camera whose certificate was seen.
    pub(in crate::viewer::watch) key: Option<Key>,
    /// The cameras that are paired. None of them is believed to be at the other end without its certificate.
    pub(in crate::viewer::watch) keyring: &'a Keyring,
}

/// Greets the camera and publishes what it sends, until the session ends.
///
/// # Errors
/// When the other end is not lancam, breaks the protocol, or is gone.
pub(in crate::viewer::watch) fn watch(
    doorstep: Doorstep<'_>,
    wishes: Wishes,
    reach: &mut Reach,
    remote: &Remote,
    decoding: &mut Decoding,
    publisher: &mut Publisher,
) -> Result<SessionEnd, SessionError> {
    let Doorstep { line, reached, key, keyring } = doorstep;
    line.set_patience(READ_PATIENCE)?;
    line.set_write_patience(SILENCE)?;
    let now = Instant::now();
    let mut session = Session {
        line,
        reached,
        reach,
        keyring,
        is_welcomed: false,
        source: String::new(),
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
    let key = key.map_or_else(String::new, |key| key.text());
    session.send(&[Message::Hello {
        min_version: VERSION,
        max_version: VERSION,
        credit: CREDIT,
        wishes: session.told,
        program: concat!("lancam-view ", env!("CARGO_PKG_VERSION")),
        key: Secret(&key),
    }])?;
    session.receive()
}

/// One frame under way at a time, so that none waits in a buffer and gets old. More are asked for only once the round trip
/// is known to be long.
const CREDIT: u8 = 1;

impl Session<'_> {
    fn receive(&mut self) -> Result<SessionEnd, SessionError> {
        let mut decoder = Decoder::new(MAX_PAYLOAD);
        let mut greeting = Greeting::Unheard;
        // Check here too: a camera without a picture publishes nothing, and would not notice the closed slot.
        while !self.publisher.is_closed() {
            while let Some(message) = decoder.next_message()? {
                if let Some(end) = self.take(message)? {
                    return Ok(end);
                }
                // The beginning of the next message came with the same bytes.
                self.begun = self.heard;
            }
            // Before the welcome it is not known in which version to say it.
            if self.is_welcomed {
                self.ask_of_controls()?;
                self.hold_size()?;
            }
            let is_inside = decoder.is_inside_a_message();
            match self.line.receive(decoder.space())? {
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
            // It is not known which camera sent it.
            Message::Frame { .. } if !self.is_welcomed => return Err(SessionError::NoWelcome),
            Message::Welcome { .. } if self.is_welcomed => return Err(SessionError::SecondWelcome),
            _ if !self.is_welcomed && !may_come_first(&message) => {}
            Message::Frame { facts, payload } => self.take_frame(&facts, payload)?,
            Message::Welcome { version, name, id } => self.welcomed(version, name, id)?,
            Message::Stream { codec, size, rate, source } => {
                self.streams(codec, size, rate, source);
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
            // The camera has no free rendition for the size to keep. Any size is better than no picture.
            Message::Status { code: StatusCode::Full, .. } if self.told != self.wishes => {
                self.is_hold_refused = true;
            }
            // Pictures continue; only the request was refused.
            Message::Status { code: StatusCode::Refused, text } => {
                if !self.remote.hear(&message) {
                    self.publisher.log(log::Level::Warn, format_args!("{}", printable(text)));
                }
            }
            Message::Status { code, text } => self.has_no_picture(code, text),
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
            // Messages of pairing, which has a connection of its own, and those that only cameras receive.
            Message::PairOffer { .. }
            | Message::Paired { .. }
            | Message::PairRequest { .. }
            | Message::PairProof { .. }
            | Message::Hello { .. }
            | Message::Ack { .. }
            | Message::Wishes(_)
            | Message::Credit { .. }
            | Message::ListControls
            | Message::SetControl { .. } => {}
        }
        Ok(None)
    }

    /// Takes what the pictures will be like, and where they come from.
    fn streams(&mut self, codec: Codec, size: Size, rate: Rate, source: &str) {
        // Otherwise the reason for no picture would be logged behind the pictures.
        self.publisher.tell_held();
        let camera = printable(&self.reach.address().written());
        let (source, codec) = (printable(source), called(codec));
        if !self.source.is_empty() && self.source != source {
            self.decoding.expect_another();
        }
        let line = format_args!("{camera} sends {size} {codec} at {rate} fps ({source})");
        self.publisher.log(log::Level::Info, line);
        self.source = source;
        self.appetite.rate(rate);
        self.decoding.announce(rate);
    }

    /// Takes the reason for which there is no picture. Another camera may be plugged in where this one is gone.
    fn has_no_picture(&mut self, code: StatusCode, text: &str) {
        // A camera that is late is lost for a moment, and the same one.
        if code == StatusCode::NoCamera {
            self.decoding.expect_another();
        }
        self.publisher.notify(NoticeKind::NoPicture, printable(text));
    }

    /// Takes the round trip, which decides how many frames should be under way.
    fn ping_answered(&mut self, Answer { round_trip, asked }: Answer) -> io::Result<()> {
        if asked != Moment::BeforeAck {
            return Ok(());
        }
        self.appetite.ping_answered(round_trip);
        let Some(frames) = self.appetite.news() else { return Ok(()) };
        let at_once = count(frames, "frame");
        log::debug!("{at_once} on the way at once, for a round trip of {round_trip:.1?}");
        self.send(&[Message::Credit { frames }])
    }

    /// Takes the camera's welcome. Only the wanted camera is shown and recorded.
    fn welcomed(&mut self, version: u8, name: &str, id: &str) -> Result<(), SessionError> {
        if version != VERSION {
            return Err(SessionError::Version { min: version, max: version });
        }
        let said = Identity { name: printable(name), id: printable(id) };
        let seen = self.line.seen();
        // A camera that says it is a paired one must have its certificate, or that of the key that was given.
        let claimed = self.keyring.claimed_by(&said.id, seen.as_ref());
        if let Some(paired) = claimed.filter(|_| !self.keyring.is_bound()) {
            let by = if seen.is_some() { ToldBy::Certificate } else { ToldBy::NoCertificate };
            let stranger = Stranger::at(self.reached, &paired.identity.name, said.name, by);
            return Err(SessionError::OtherCamera(stranger));
        }
        let id = said.id.clone();
        let admitted = self.reach.judge(said, self.reached).map_err(SessionError::OtherCamera)?;
        if let Some(pin) = seen {
            let name = admitted.origin.camera.name().unwrap_or(&admitted.origin.name).to_owned();
            self.keyring.met(&pin, &Identity { name, id }, &self.reached.address);
        }
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

    /// Acknowledges a frame, then decodes it.
    fn take_frame(&mut self, facts: &FrameFacts, payload: &[u8]) -> io::Result<()> {
        self.appetite.frame_arrived(self.heard.saturating_duration_since(self.begun));
        // Before decoding, so that the next frame travels meanwhile.
        let ack = Message::Ack { sequence: facts.sequence };
        let now = Instant::now();
        let ping = match self.appetite.wants_ping() {
            true => self.clock.ask(Moment::BeforeAck, now),
            false => self.clock.ask_if_due(Moment::BeforeAck, now),
        };
        match ping {
            // The camera answers the ping before it sends the frame that this acknowledgement allows.
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

    /// While recording, asks the camera to keep the size it sends, because another size begins another file.
    fn hold_size(&mut self) -> io::Result<()> {
        let wishes = self.held_wishes();
        if wishes == self.told {
            return Ok(());
        }
        self.told = wishes;
        self.send(&[Message::Wishes(wishes)])
    }

    /// The wishes that the camera should have now.
    fn held_wishes(&self) -> Wishes {
        let is_free = self.wishes.width == 0 && self.wishes.height == 0;
        let held = self.decoding.held_size();
        let Some(size) = held.filter(|_| is_free && !self.is_hold_refused) else {
            return self.wishes;
        };
        match (u16::try_from(size.width), u16::try_from(size.height)) {
            (Ok(width), Ok(height)) => Wishes { width, height, ..self.wishes },
            _ => self.wishes,
        }
    }

    /// Sends the window's requests about controls.
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
            self.line.set_patience(patience)?;
        }
        Ok(())
    }

    /// Nothing has arrived for a while: sends a ping, or gives up.
    fn wonder(&mut self, greeting: Greeting) -> Result<(), SessionError> {
        let silence = self.heard.elapsed();
        match greeting {
            Greeting::Unheard if silence >= SILENCE => Err(self.provoke()?),
            Greeting::Heard if silence >= SILENCE => Err(SessionError::Silent(SILENCE)),
            // No ping before the welcome: a server that knows only one greeting would take it for a second message.
            _ if !self.is_welcomed => Ok(()),
            _ => Ok(self.ask_if_due(Moment::Idle)?),
        }
    }

    /// Sends the end of a line, for which many servers wait before they answer. The answer tells the user what listens on
    /// this port.
    fn provoke(&mut self) -> io::Result<SessionError> {
        self.line.send(END_OF_REQUEST)?;
        let mut first = [0; 16];
        match self.line.receive(&mut first) {
            Ok(Received::Bytes(count)) if count > 0 => {
                Ok(SessionError::stranger(FirstBytes(first[..count].to_vec())))
            }
            _ => Ok(SessionError::NoGreeting(SILENCE)),
        }
    }

    /// Sends these messages in one write.
    fn send(&mut self, messages: &[Message<'_>]) -> io::Result<()> {
        self.outbox.clear();
        for message in messages {
            message.write_to(&mut self.outbox);
        }
        self.line.send(&self.outbox)
    }
}

/// Whether a camera may send this before its welcome.
fn may_come_first(message: &Message<'_>) -> bool {
    matches!(
        message,
        Message::Welcome { .. }
            | Message::Goodbye { .. }
            | Message::Ping { .. }
            | Message::Pong { .. }
    )
}

/// What people call the encoding of pictures.
fn called(codec: Codec) -> &'static str {
    match codec {
        Codec::Jpeg => "JPEG",
        Codec::Bgr24 => "BGR",
    }
}

/// Whether the other end has sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Unheard,
    Heard,
}
