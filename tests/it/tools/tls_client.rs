//! A viewer that speaks TLS, for tests of the camera alone.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::{Said, hello};
use crate::tools::pairing_viewer::PairingViewer;
use lancam::net::tls::handshake::{Accepts, Client, Pin};
use lancam::net::tls::stream::{GreetingError, Secured};
use lancam::viewer::find::pairing::{Paired, PairingError};
use lancam::wire::access::code::Code;
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::{Message, Secret};
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use lancam::wire::packet::FrameFacts;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Instant;

/// A connection to a camera whose certificate has the right hash.
pub struct TlsClient {
    stream: TcpStream,
    secured: Secured,
    decoder: Decoder,
}

/// The greeting of a native viewer that shows this key.
pub fn greeting(key: &str) -> Message<'_> {
    let mut greeting = hello(VERSION, VERSION);
    if let Message::Hello { key: shown, .. } = &mut greeting {
        *shown = Secret(key);
    }
    greeting
}

impl TlsClient {
    /// Does the handshake with a camera on loopback.
    pub fn connect(port: u16, pin: Pin) -> Result<Self, GreetingError> {
        Self::over(TcpStream::connect(("127.0.0.1", port)).expect("connects"), Accepts::Only(pin))
    }

    /// Does it over a connection that was made.
    pub fn over(stream: TcpStream, accepts: Accepts) -> Result<Self, GreetingError> {
        stream.set_nodelay(true).expect("sets nodelay");
        let client = Client::new(accepts).expect("ciphers");
        let handshake = client.begin().expect("begins");
        let until = Instant::now() + PATIENCE;
        let secured = Secured::greet(handshake, &stream, Vec::new(), 64 << 10, until)?;
        stream.set_read_timeout(Some(PATIENCE)).expect("sets a timeout");
        Ok(Self { stream, secured, decoder: Decoder::new(MAX_PAYLOAD) })
    }

    /// Greets it as a native viewer.
    pub fn greet(&mut self) {
        let mut bytes = Vec::new();
        hello(VERSION, VERSION).write_to(&mut bytes);
        self.write(&bytes);
    }

    /// The same, and shows a key.
    pub fn greet_with(&mut self, key: &str) {
        let mut bytes = Vec::new();
        greeting(key).write_to(&mut bytes);
        self.write(&bytes);
    }

    /// Whether the camera lets this viewer in.
    pub fn is_welcome(&mut self) -> bool {
        matches!(self.hear(), Said::Welcome { .. })
    }

    /// Pairs with the camera, which closes the connection then.
    pub fn pair(&mut self, code: &str, name: &str, pin: Pin) -> Result<Paired, PairingError> {
        let code = Code::parse(code).expect("a code");
        let mut out = Vec::new();
        let mut pairing = PairingViewer::begin(code, name, [7; 32], pin, &mut out);
        let mut some = vec![0; 4096];
        loop {
            self.write(&out);
            out.clear();
            let count = self.read(&mut some);
            assert!(count > 0, "the camera has closed the connection");
            if let Some(paired) = pairing.received(&some[..count], &mut out)? {
                return Ok(paired);
            }
        }
    }

    /// The next message of the camera. Frames are not acknowledged.
    pub fn hear(&mut self) -> Said {
        loop {
            if let Some(message) = self.decoder.next_message().expect("it is the protocol") {
                return Said::from(message);
            }
            let mut some = vec![0; 64 << 10];
            match self.read(&mut some) {
                0 => return Said::Closed,
                count => self.decoder.push(&some[..count]),
            }
        }
    }

    /// Sends bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.secured.write_all(&self.stream, bytes).expect("the camera listens");
    }

    /// Receives some bytes; 0 at the end.
    pub fn read(&mut self, into: &mut [u8]) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.secured.read(&self.stream, into) {
                Ok(count) => return count,
                Err(error) if error.kind() == ErrorKind::Interrupted && Instant::now() < until => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// All that comes until the camera says that it sends no more.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let (mut all, mut some) = (Vec::new(), vec![0; 4096]);
        loop {
            match self.read(&mut some) {
                0 => return all,
                count => all.extend_from_slice(&some[..count]),
            }
        }
    }

    /// The number of the next frame, which is acknowledged.
    pub fn frame(&mut self) -> u64 {
        self.frame_facts().sequence
    }

    /// What is known of the next frame, which is acknowledged.
    pub fn frame_facts(&mut self) -> FrameFacts {
        self.whole_frame().0
    }

    /// The same, and what the frame shows.
    pub fn whole_frame(&mut self) -> (FrameFacts, Vec<u8>) {
        loop {
            let (facts, payload) = match self.decoder.next_message().expect("it is the protocol") {
                Some(Message::Frame { facts, payload }) => (facts, payload.to_vec()),
                Some(_) => continue,
                None => {
                    self.receive();
                    continue;
                }
            };
            let mut bytes = Vec::new();
            Message::Ack { sequence: facts.sequence }.write_to(&mut bytes);
            self.write(&bytes);
            return (facts, payload);
        }
    }

    fn receive(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.secured.read(&self.stream, self.decoder.space()) {
                Ok(0) => panic!("the camera has closed the connection"),
                Ok(count) => return self.decoder.filled(count),
                Err(error) if error.kind() == ErrorKind::Interrupted && Instant::now() < until => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
