//! Pairs with a camera over a connection of its own, by the code.

use super::Received;
use super::line::Line;
use crate::crypto::{self, NoRandomness};
use crate::net::tls::stream::GreetingError;
use crate::viewer::find::connect::Reached;
use crate::viewer::find::identity::Identity;
use crate::viewer::find::pairing::{Paired, Pairing, PairingError};
use crate::viewer::find::reach::Stranger;
use crate::viewer::keep::keyring::PairedCamera;
use crate::wire::access::code::Code;
use crate::wire::native::message::GoodbyeReason;
use std::io;
use std::time::{Duration, Instant};

/// How long pairing may take: the camera writes the key to its card, and both may hash for seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long one call waits.
const LOOK: Duration = Duration::from_secs(1);

/// Why a viewer that has a code has no key.
#[derive(Debug, thiserror::Error)]
pub enum NotPaired {
    /// There is no encrypted connection.
    #[error("it {0}")]
    Sealing(#[from] GreetingError),
    /// It does not encrypt, so the code says nothing about it, and its picture is not shown.
    #[error(
        "it does not encrypt ({0}). If it lets everybody watch, leave the code out. If not, another machine answers in the camera's place"
    )]
    NoTls(GreetingError),
    /// The camera does not take the proof of the code. A machine that passes messages on has the same effect.
    #[error(
        "{text}. If this is the right code, another machine answers in the camera's place. Its certificate begins with {pin}; sudo lancam pair shows the camera's"
    )]
    WrongCode {
        /// What the camera says.
        text: String,
        /// The first bytes of the certificate's hash.
        pin: String,
    },
    /// It is another camera than the one whose code it is.
    #[error(transparent)]
    OtherCamera(Stranger),
    /// It is no camera, or it says no for another reason.
    #[error("{0}")]
    Pairing(#[from] PairingError),
    /// It ended the connection.
    #[error("it closed the connection. Is its lancam as new as this viewer?")]
    Closed,
    /// It does not answer.
    #[error("it has not answered for {} s", PATIENCE.as_secs())]
    Late,
    /// It took the viewer's proof of the code, and then the connection ended. The viewer does not prove the same code again by
    /// itself: each proof is one more on which codes can be tried.
    #[error(
        "it took this viewer's proof of the code, and did not answer. Give the code again. If that fails too, another machine may answer in the camera's place"
    )]
    Unanswered,
    /// The connection broke.
    #[error("the connection broke off: {0}")]
    Connection(#[from] io::Error),
    /// No secret can be made here.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
}

impl NotPaired {
    /// Whether only the network has failed, so that the same code may do the next time.
    pub(in crate::viewer::watch) fn is_of_the_network(&self) -> bool {
        match self {
            Self::Sealing(GreetingError::Handshake(error)) => error.is_refusal(),
            Self::Sealing(_) | Self::Connection(_) | Self::Closed | Self::Late => true,
            Self::NoTls(_) | Self::WrongCode { .. } | Self::Pairing(_) => false,
            Self::Unanswered | Self::OtherCamera(_) | Self::NoRandomness(_) => false,
        }
    }
}

/// How many bytes of a certificate's hash are shown, for people to compare.
const SHOWN_BYTES: usize = 8;

/// Pairs with the camera at the other end of a fresh connection. The key there is to be called `name`.
///
/// `check` decides whether the code may be that of a camera which says this of itself. Nothing of the code is said before.
///
/// The other end is taken for the camera only if it proves that it knows the code and sees the same certificate as this
/// viewer. So a machine in between learns nothing, and is not paired.
pub(in crate::viewer::watch) fn pair(
    reached: &Reached,
    code: &Code,
    name: &str,
    check: impl Fn(&Identity) -> Result<(), Stranger>,
) -> Result<PairedCamera, NotPaired> {
    let mut line = Line::sealed(&reached.stream)?;
    let pin = line.seen().ok_or(NotPaired::Closed)?;
    line.set_patience(LOOK)?;
    line.set_write_patience(PATIENCE)?;
    let mut out = Vec::new();
    let pairing = Pairing::begin(name, crypto::random()?, pin, &mut out);
    let prove = |pairing: &mut Pairing, out: &mut Vec<u8>| match pairing.offered().map(&check) {
        None => Ok(None),
        Some(Ok(())) => Ok(pairing.prove(code, out)?),
        Some(Err(stranger)) => Err(NotPaired::OtherCamera(stranger)),
    };
    let paired = converse(&mut line, pairing, out, prove).map_err(|error| match error {
        NotPaired::Pairing(PairingError::Refused { reason: GoodbyeReason::WrongCode, text }) => {
            let bytes = pin[..SHOWN_BYTES].iter().map(|byte| format!("{byte:02X}"));
            NotPaired::WrongCode { text, pin: bytes.collect::<Vec<_>>().join(":") }
        }
        error => error,
    })?;
    let Paired { key, may, identity } = paired;
    let (address, before) = (reached.address.clone(), Vec::new());
    Ok(PairedCamera { identity, address, before, pin, key, may })
}

fn converse(
    line: &mut Line<'_>,
    mut pairing: Pairing,
    out: Vec<u8>,
    prove: impl Fn(&mut Pairing, &mut Vec<u8>) -> Result<Option<Paired>, NotPaired>,
) -> Result<Paired, NotPaired> {
    exchange(line, &mut pairing, out, prove).map_err(|error| {
        match pairing.has_proved() && error.is_of_the_network() {
            true => {
                log::debug!("after the proof of the code: {error}");
                NotPaired::Unanswered
            }
            false => error,
        }
    })
}

fn exchange(
    line: &mut Line<'_>,
    pairing: &mut Pairing,
    mut out: Vec<u8>,
    prove: impl Fn(&mut Pairing, &mut Vec<u8>) -> Result<Option<Paired>, NotPaired>,
) -> Result<Paired, NotPaired> {
    let until = Instant::now() + PATIENCE;
    let mut space = [0; 4096];
    while Instant::now() < until {
        if !out.is_empty() {
            line.send(&out)?;
            out.clear();
        }
        match line.receive(&mut space)? {
            Received::Bytes(count) => {
                let paired = match pairing.received(&space[..count])? {
                    None => prove(pairing, &mut out)?,
                    paired => paired,
                };
                if let Some(paired) = paired {
                    return Ok(paired);
                }
            }
            Received::NothingYet => {}
            Received::End => return Err(NotPaired::Closed),
        }
    }
    Err(NotPaired::Late)
}
