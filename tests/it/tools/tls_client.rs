//! A viewer that speaks TLS, for tests of the camera alone.

use crate::tools::camera_process::PATIENCE;
use crate::tools::native_client::hello;
use lancam::net::tls::handshake::{Accepts, Client, Pin};
use lancam::net::tls::stream::{GreetingError, Secured};
use lancam::wire::native::decoder::Decoder;
use lancam::wire::native::message::Message;
use lancam::wire::native::{MAX_PAYLOAD, VERSION};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Instant;

/// A connection to a camera whose certificate has the right hash.
pub struct TlsClient {
    stream: TcpStream,
    secured: Secured,
    decoder: Decoder,
}

impl TlsClient {
    /// Does the handshake with a camera on loopback.
    pub fn connect(port: u16, pin: Pin) -> Result<Self, GreetingError> {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        stream.set_nodelay(true).expect("sets nodelay");
        let client = Client::new(Accepts::Only(pin)).expect("ciphers");
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
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {}
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
        loop {
            let sequence = match self.decoder.next_message().expect("it is the protocol") {
                Some(Message::Frame { facts, .. }) => facts.sequence,
                Some(_) => continue,
                None => {
                    self.receive();
                    continue;
                }
            };
            let mut bytes = Vec::new();
            Message::Ack { sequence }.write_to(&mut bytes);
            self.write(&bytes);
            return sequence;
        }
    }

    fn receive(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.secured.read(&self.stream, self.decoder.space()) {
                Ok(0) => panic!("the camera has closed the connection"),
                Ok(count) => return self.decoder.filled(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
