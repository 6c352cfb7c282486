//! A small viewer for tests of the camera alone. It can be slow, silent or rude.

use crate::tools::camera_process::PATIENCE;
use crate::tools::interrupted::again;
use lancam::image::jpeg::codec::Decoder as JpegDecoder;
use lancam::image::picture::Picture;
use lancam::image::stamp::Stamp;
use lancam::rate::Rate;
use lancam::wire::native::control::Control;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{GoodbyeReason, Message, Secret, StatusCode, Wishes};
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use lancam::wire::packet::FrameFacts;
use std::io::{Read, Write};
use std::net::TcpStream;

/// A connection to a camera.
pub struct NativeClient {
    pub stream: TcpStream,
    decoder: Decoder,
}

/// A message from the camera, with its own memory.
#[derive(Debug, PartialEq)]
pub enum Said {
    Welcome { name: String },
    Stream { source: String, rate: Rate },
    Frame { facts: FrameFacts, payload: Vec<u8> },
    Status { code: StatusCode, text: String },
    Goodbye { reason: GoodbyeReason, text: String },
    Pong { token: u64 },
    ControlList { count: u32, reason: String },
    Control { id: u32, value: i64, name: String, reason: String },
    MenuItem { id: u32, value: i64, name: String },
    Other,
    Closed,
}

/// A greeting with these versions.
pub fn hello(min_version: u8, max_version: u8) -> Message<'static> {
    hello_wishing(min_version, max_version, Wishes::default())
}

/// The same, with wishes.
pub fn hello_wishing(min_version: u8, max_version: u8, wishes: Wishes) -> Message<'static> {
    let key = Secret::default();
    Message::Hello { min_version, max_version, credit: 1, wishes, program: "test", key }
}

impl NativeClient {
    /// Connects to a camera on loopback and greets it.
    pub fn connect(port: u16) -> Self {
        let mut client = Self::connect_silently(port);
        client.say(&hello(VERSION, VERSION));
        client
    }

    /// Connects to a camera on loopback and greets it with these wishes.
    pub fn connect_wishing(port: u16, wishes: Wishes) -> Self {
        let mut client = Self::connect_silently(port);
        client.say(&hello_wishing(VERSION, VERSION, wishes));
        client
    }

    /// Connects and says nothing.
    pub fn connect_silently(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        Self::over(stream)
    }

    /// Uses a connection on which nothing was sent.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        stream.set_nodelay(true).expect("sets nodelay");
        Self { stream, decoder: Decoder::new(MAX_PAYLOAD) }
    }

    /// Sends a message.
    pub fn say(&mut self, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes);
        self.stream.write_all(&bytes).expect("the camera takes it");
    }

    /// Waits for a message about controls. Acknowledges frames in the meantime.
    pub fn hear_of_controls(&mut self) -> Said {
        loop {
            match self.hear() {
                Said::Frame { facts, .. } => self.say(&Message::Ack { sequence: facts.sequence }),
                said @ (Said::Control { .. }
                | Said::ControlList { .. }
                | Said::MenuItem { .. }
                | Said::Status { code: StatusCode::Refused, .. }) => return said,
                Said::Closed => panic!("the camera closed the connection"),
                _ => {}
            }
        }
    }

    /// Waits for the next message.
    pub fn hear(&mut self) -> Said {
        loop {
            match self.decoder.next_message().expect("the camera speaks the protocol") {
                Some(message) => return Said::from(message),
                None => match again(|| self.stream.read(self.decoder.space())) {
                    Ok(0) => return Said::Closed,
                    Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                        return Said::Closed;
                    }
                    read => self.decoder.filled(read.expect("the camera says something in time")),
                },
            }
        }
    }

    /// Waits for the next frame and acknowledges it. Skips everything else.
    pub fn frame(&mut self) -> (FrameFacts, Vec<u8>) {
        loop {
            match self.hear() {
                Said::Frame { facts, payload } => {
                    self.say(&Message::Ack { sequence: facts.sequence });
                    return (facts, payload);
                }
                Said::Closed => panic!("the camera closed the connection"),
                _ => {}
            }
        }
    }
}

impl From<Message<'_>> for Said {
    fn from(message: Message<'_>) -> Self {
        match message {
            Message::Welcome { name, .. } => Self::Welcome { name: name.into() },
            Message::Stream { source, rate, .. } => Self::Stream { source: source.into(), rate },
            Message::Frame { facts, payload } => Self::Frame { facts, payload: payload.into() },
            Message::Status { code, text } => Self::Status { code, text: text.into() },
            Message::Goodbye { reason, text, .. } => Self::Goodbye { reason, text: text.into() },
            Message::Pong { token, .. } => Self::Pong { token },
            Message::ControlList { count, reason } => {
                Self::ControlList { count, reason: reason.into() }
            }
            Message::Control(Control { id, value, name, reason, writable, .. }) => {
                assert_eq!(writable, reason.is_empty());
                Self::Control { id, value, name: name.into(), reason: reason.into() }
            }
            Message::MenuItem { id, value, name } => {
                Self::MenuItem { id, value, name: name.into() }
            }
            _ => Self::Other,
        }
    }
}

/// Decodes a JPEG and reads the stamp in its pixels.
pub fn look(jpeg: &[u8]) -> (Picture, Option<Stamp>) {
    let mut picture = Picture::default();
    JpegDecoder::new()
        .and_then(|mut decoder| decoder.decode(jpeg, &mut picture))
        .expect("a whole JPEG");
    let stamp = Stamp::read(picture.size(), |x, y| picture.rgb(x, y)[1]);
    (picture, stamp)
}
