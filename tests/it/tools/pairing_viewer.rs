//! A viewer that tries its code on whichever camera answers.

use lancam::viewer::find::pairing::{Paired, Pairing, PairingError};
use lancam::wire::access::code::Code;

/// A pairing and the code for it.
#[derive(Debug)]
pub struct PairingViewer {
    code: Code,
    pairing: Pairing,
}

impl PairingViewer {
    /// Begins with a request, which is put into `out`.
    pub fn begin(
        code: Code,
        name: &str,
        nonce: [u8; 32],
        pin: [u8; 32],
        out: &mut Vec<u8>,
    ) -> Self {
        Self { code, pairing: Pairing::begin(name, nonce, pin, out) }
    }

    /// Takes bytes of the camera, and puts the proof into `out` when it is wanted. Returns the key when it has come.
    pub fn received(
        &mut self,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Paired>, PairingError> {
        let paired = self.pairing.received(bytes)?;
        match self.pairing.offered() {
            Some(_) => self.pairing.prove(&self.code, out),
            None => Ok(paired),
        }
    }
}
