//! Pairs with a camera: shows that the viewer knows the code, and is given a key. No I/O: bytes go in and out.

use super::identity::Identity;
use crate::crypto::HASH_LEN;
use crate::plain::printable;
use crate::wire::access::code::Code;
use crate::wire::access::key::{Key, May};
use crate::wire::access::proof::{Exchange, NONCE_LEN, NotAccepted, Prover, Salting, Side};
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message};
use crate::wire::native::{MAX_REQUEST, WireError};

/// A pairing with one camera, over one connection. It is given the code when the camera has said who it is, so that the code of
/// another camera is not used up on it.
#[derive(Debug)]
pub struct Pairing {
    nonce: [u8; NONCE_LEN],
    /// SHA-256 of the certificate that the other side showed.
    pin: [u8; HASH_LEN],
    decoder: Decoder,
    phase: Phase,
    has_proved: bool,
}

/// How far it is.
#[derive(Debug)]
enum Phase {
    /// Waits for the camera's offer.
    Asks,
    /// Waits for the code.
    Offered { salting: Salting, exchange: Exchange, identity: Identity },
    /// Waits for the camera's proof.
    Proves { prover: Box<Prover>, exchange: Exchange, identity: Identity },
    /// It is paired or refused.
    Over,
}

/// What a viewer has when it is paired. It keeps the pin of the connection beside it.
#[derive(Debug)]
pub struct Paired {
    /// The key that it shows from now on.
    pub key: Key,
    /// What the key allows.
    pub may: May,
    /// The camera's name and id.
    pub identity: Identity,
}

/// Why a viewer is not paired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// The other side is no camera.
    #[error("it cannot pair: {0}")]
    Wire(#[from] WireError),
    /// The camera said no.
    #[error("{text}")]
    Refused {
        /// Its reason, for programs.
        reason: GoodbyeReason,
        /// Its reason, in words for people.
        text: String,
    },
    /// It would make the code cheap to guess, or this viewer busy.
    #[error("it cannot be trusted: {0}")]
    Salting(#[from] NotAccepted),
    /// It does not know the code, though it took the viewer's proof.
    #[error(
        "it does not know the code that you typed. So it is not your camera, or another machine is in between"
    )]
    Impostor,
    /// It sent another message than the one whose turn it is.
    #[error("it cannot pair: it sent {0} out of turn")]
    OutOfTurn(&'static str),
    /// What it gave is not a key.
    #[error("it cannot pair: what it sent is not a key")]
    NoKey,
}

impl Pairing {
    /// Begins with a request, which is put into `out`. The viewer's key is to be called `name`; `nonce` is a fresh random
    /// number.
    pub fn begin(
        name: &str,
        nonce: [u8; NONCE_LEN],
        pin: [u8; HASH_LEN],
        out: &mut Vec<u8>,
    ) -> Self {
        Message::PairRequest { nonce, name }.write_to(out);
        let decoder = Decoder::new(MAX_REQUEST);
        Self { nonce, pin, decoder, phase: Phase::Asks, has_proved: false }
    }

    /// Takes bytes of the camera. Returns the key when it has come.
    ///
    /// # Errors
    /// When the viewer is not paired. The connection is of no use then.
    pub fn received(&mut self, bytes: &[u8]) -> Result<Option<Paired>, PairingError> {
        self.decoder.push(bytes);
        self.turn()
    }

    /// Who the camera says it is, while it waits for the proof of the code. Nothing of the code was said so far.
    pub fn offered(&self) -> Option<&Identity> {
        match &self.phase {
            Phase::Offered { identity, .. } => Some(identity),
            _ => None,
        }
    }

    /// Whether the camera was given a proof of the code, right or wrong.
    pub fn has_proved(&self) -> bool {
        self.has_proved
    }

    /// Proves to a camera that has [`offered`](Self::offered) it that this viewer knows the code: puts the proof into `out`.
    /// Returns the key if it has come.
    ///
    /// Hashing the code takes some time: with the most iterations, seconds.
    ///
    /// # Errors
    /// As [`received`](Self::received).
    pub fn prove(
        &mut self,
        code: &Code,
        out: &mut Vec<u8>,
    ) -> Result<Option<Paired>, PairingError> {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Offered { salting, exchange, identity } => {
                let prover = Box::new(Prover::new(code, &salting));
                let proof = prover.proof(Side::Viewer, &exchange);
                Message::PairProof { proof }.write_to(out);
                self.has_proved = true;
                Phase::Proves { prover, exchange, identity }
            }
            other => other,
        };
        self.turn()
    }

    fn turn(&mut self) -> Result<Option<Paired>, PairingError> {
        let turn = self.take_messages();
        if !matches!(turn, Ok(None)) {
            self.phase = Phase::Over;
        }
        turn
    }

    fn take_messages(&mut self) -> Result<Option<Paired>, PairingError> {
        while matches!(self.phase, Phase::Asks | Phase::Proves { .. })
            && let Some(message) = self.decoder.next_message()?
        {
            match (&self.phase, message) {
                (_, Message::Goodbye { reason, text, .. }) => {
                    return Err(PairingError::Refused { reason, text: printable(text) });
                }
                (Phase::Asks, Message::PairOffer { nonce, salt, iterations, name, id }) => {
                    let salting = Salting::new(salt, iterations)?;
                    let (viewer_nonce, pin) = (self.nonce, self.pin);
                    let exchange = Exchange { viewer_nonce, camera_nonce: nonce, pin };
                    let identity = Identity { name: printable(name), id: printable(id) };
                    self.phase = Phase::Offered { salting, exchange, identity };
                }
                (
                    Phase::Proves { prover, exchange, identity },
                    Message::Paired { proof, may, key },
                ) => {
                    if !prover.is_proof(Side::Camera, exchange, &proof) {
                        return Err(PairingError::Impostor);
                    }
                    let key = Key::parse(key.0).ok_or(PairingError::NoKey)?;
                    let (may, identity) = (May::from_bits(may), identity.clone());
                    return Ok(Some(Paired { key, may, identity }));
                }
                (_, message) => return Err(PairingError::OutOfTurn(message.kind().name())),
            }
        }
        Ok(None)
    }
}
