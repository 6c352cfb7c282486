//! A machine that answers in a camera's place, speaks TLS, and shows everybody a picture.

use crate::tools::fake_camera::{FakeCamera, FakeServer, Pattern, jpeg_facts};
use crate::tools::relay::Relay;
use lancam::image::pixels::Size;
use lancam::wire::access::proof::ITERATIONS;
use lancam::wire::native::VERSION;
use lancam::wire::native::message::{GoodbyeReason, Message};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// It answers at its address, with TLS or without, until it is dropped.
pub struct Impostor {
    _server: FakeServer,
    relay: Relay,
    proofs: Arc<AtomicUsize>,
}

/// What it does with viewers that want to pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// It says that no code is needed.
    Never,
    /// It takes a proof of the code, and closes.
    ThenCloses,
    /// It takes one, and offers to pair once more.
    ThenAsksAgain,
}

impl Impostor {
    /// One that does this with viewers that want to pair.
    pub fn that(pairs: Pairs) -> Self {
        let proofs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&proofs);
        let server = FakeServer::on(0, move |stream| answer(stream, pairs, &counted));
        let relay = Relay::before(server.port());
        Self { _server: server, relay, proofs }
    }

    /// The address to give to a viewer.
    pub fn address(&self) -> String {
        self.relay.address()
    }

    pub fn port(&self) -> u16 {
        self.relay.port()
    }

    /// How many proofs of a code it was sent.
    pub fn proofs(&self) -> usize {
        self.proofs.load(Ordering::SeqCst)
    }
}

fn answer(stream: TcpStream, pairs: Pairs, proofs: &AtomicUsize) -> io::Result<()> {
    let mut camera = FakeCamera::meet(stream)?;
    let is_greeting = camera.wait_for(|message| match message {
        Message::Hello { .. } => Some(true),
        Message::PairRequest { .. } => Some(false),
        _ => None,
    })?;
    let (name, id) = ("Garage", "");
    if is_greeting {
        camera.send(&Message::Welcome { version: VERSION, name, id })?;
        let size = Size { width: 320, height: 180 };
        let mut pattern = Pattern::new(size);
        for sequence in 1.. {
            camera.send_frame(&jpeg_facts(sequence, size), pattern.jpeg(sequence))?;
        }
    }
    if pairs == Pairs::Never {
        let (reason, text) = (GoodbyeReason::PairingRests, "no code is needed");
        let (min_version, max_version) = (VERSION, VERSION);
        return camera.send(&Message::Goodbye { reason, min_version, max_version, text });
    }
    loop {
        let (nonce, salt) = ([1; 32], [2; 16]);
        camera.send(&Message::PairOffer { nonce, salt, iterations: ITERATIONS, name, id })?;
        camera.wait_for(|message| matches!(message, Message::PairProof { .. }).then_some(()))?;
        proofs.fetch_add(1, Ordering::SeqCst);
        if pairs == Pairs::ThenCloses {
            return Ok(());
        }
    }
}
