//! The proofs of pairing: each side shows that it knows the code, and neither says it.
//!
//! A proof is an HMAC over a fresh number of each side and the certificate of the connection as its maker sees it. A machine
//! in the middle has another certificate, so a proof that it passes on is wrong. What it learns is one HMAC, and to try all
//! 2^60 codes on it takes `iterations` hashes each.

use super::code::Code;
use crate::crypto::{self, HASH_LEN, MacKey};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// The length of the fresh number of each side.
pub const NONCE_LEN: usize = 32;

/// The length of a salt.
pub const SALT_LEN: usize = 16;

/// How often a camera's code is hashed. The camera pays once for each code, a viewer once for each pairing.
pub const ITERATIONS: u32 = 100_000;

/// What a viewer accepts. With fewer, guessing would be cheap; with more, an impostor could keep it busy.
pub const ACCEPTED: RangeInclusive<u32> = 50_000..=5_000_000;

/// How a code is hashed before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salting {
    salt: [u8; SALT_LEN],
    iterations: NonZeroU32,
}

/// A number of iterations that is not [accepted](ACCEPTED).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the code would be hashed {} times; {} to {} are expected", .0, ACCEPTED.start(), ACCEPTED.end())]
pub struct NotAccepted(pub u32);

impl Salting {
    /// Hashes with this salt so many times.
    ///
    /// # Errors
    /// When the number is not [accepted](ACCEPTED).
    pub fn new(salt: [u8; SALT_LEN], iterations: u32) -> Result<Self, NotAccepted> {
        match NonZeroU32::new(iterations).filter(|it| ACCEPTED.contains(&it.get())) {
            Some(iterations) => Ok(Self { salt, iterations }),
            None => Err(NotAccepted(iterations)),
        }
    }

    /// The salt.
    pub fn salt(&self) -> &[u8; SALT_LEN] {
        &self.salt
    }

    /// How often the code is hashed.
    pub fn iterations(&self) -> u32 {
        self.iterations.get()
    }
}

/// Who proves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The viewer, first.
    Viewer,
    /// The camera, when the viewer's proof was right.
    Camera,
}

/// What a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The fresh number of the viewer.
    pub viewer_nonce: [u8; NONCE_LEN],
    /// The fresh number of the camera.
    pub camera_nonce: [u8; NONCE_LEN],
    /// SHA-256 of the camera's certificate, as the maker of the proof sees it.
    pub pin: [u8; HASH_LEN],
}

/// Makes and checks proofs with one code.
#[derive(Debug, Clone)]
pub struct Prover(MacKey);

impl Prover {
    /// Hashes the code, which takes [`iterations`](Salting::iterations) hashes.
    pub fn new(code: &Code, salting: &Salting) -> Self {
        Self(MacKey::new(&crypto::stretch(code.letters(), &salting.salt, salting.iterations)))
    }

    /// The proof of this side.
    pub fn proof(&self, side: Side, exchange: &Exchange) -> [u8; HASH_LEN] {
        self.0.sign(&exchange.message(side))
    }

    /// Whether this is the proof of that side.
    pub fn is_proof(&self, side: Side, exchange: &Exchange, proof: &[u8; HASH_LEN]) -> bool {
        self.0.verify(&exchange.message(side), proof)
    }
}

impl Exchange {
    fn message(&self, side: Side) -> Vec<u8> {
        // Of equal length, so that one side's proof is never the other's.
        let label: &[u8; 13] = match side {
            Side::Viewer => b"lancam viewer",
            Side::Camera => b"lancam camera",
        };
        [label, &self.viewer_nonce[..], &self.camera_nonce, &self.pin].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCHANGE: Exchange =
        Exchange { viewer_nonce: [1; 32], camera_nonce: [2; 32], pin: [3; 32] };

    fn prover(code: &str, salt: u8) -> Prover {
        let salting = Salting::new([salt; 16], 50_000).expect("accepted");
        Prover::new(&Code::parse(code).expect("a code"), &salting)
    }

    #[test]
    fn proofs_are_those_that_pythons_library_makes() {
        let hex = |proof: [u8; 32]| proof.map(|byte| format!("{byte:02x}")).concat();
        // k = hashlib.pbkdf2_hmac("sha256", b"K7QM2XPD9HRT", b"\4" * 16, 50_000)
        // hmac.digest(k, b"lancam viewer" + b"\1" * 32 + b"\2" * 32 + b"\3" * 32, "sha256").hex()
        let prover = prover("k7qm-2xpd-9hrt", 4);
        assert_eq!(hex(prover.proof(Side::Viewer, &EXCHANGE)), VIEWER);
        assert_eq!(hex(prover.proof(Side::Camera, &EXCHANGE)), CAMERA);
    }

    #[test]
    fn a_proof_holds_for_its_side_code_salt_numbers_and_certificate_alone() {
        let own = prover("K7QM-2XPD-9HRT", 4);
        let proof = own.proof(Side::Viewer, &EXCHANGE);
        assert!(own.is_proof(Side::Viewer, &EXCHANGE, &proof));
        assert!(!own.is_proof(Side::Camera, &EXCHANGE, &proof));
        assert!(!prover("K7QM-2XPD-9HRS", 4).is_proof(Side::Viewer, &EXCHANGE, &proof));
        assert!(!prover("K7QM-2XPD-9HRT", 5).is_proof(Side::Viewer, &EXCHANGE, &proof));
        for other in [
            Exchange { viewer_nonce: [9; 32], ..EXCHANGE },
            Exchange { camera_nonce: [9; 32], ..EXCHANGE },
            Exchange { pin: [9; 32], ..EXCHANGE },
            Exchange { viewer_nonce: [2; 32], camera_nonce: [1; 32], ..EXCHANGE },
        ] {
            assert!(!own.is_proof(Side::Viewer, &other, &proof), "{other:?}");
        }
        for at in 0..proof.len() {
            let mut wrong = proof;
            wrong[at] ^= 1;
            assert!(!own.is_proof(Side::Viewer, &EXCHANGE, &wrong), "byte {at}");
        }
    }

    #[test]
    fn too_few_iterations_are_refused_and_so_are_too_many() {
        for iterations in [0, 1, 49_999, 5_000_001, u32::MAX] {
            assert_eq!(Salting::new([0; 16], iterations), Err(NotAccepted(iterations)));
        }
        for iterations in [50_000, ITERATIONS, 5_000_000] {
            assert!(Salting::new([0; 16], iterations).is_ok());
        }
        let text = "the code would be hashed 1 times; 50000 to 5000000 are expected";
        assert_eq!(NotAccepted(1).to_string(), text);
    }

    const VIEWER: &str = "7d48e756b4b06ad6df4f69ac2c34bb56f0fd9668e34a487866604e9e26cc3fc1";
    const CAMERA: &str = "004cd3575c55e127a500183b7b50b84f621c55e87a397c931dae8c5edb7b29ce";
}
