//! What sessions ask of those who know who may watch, and what they are answered.

use crate::crypto::HASH_LEN;
use crate::wire::access::key::{Key, KeyHash, May};
use crate::wire::access::proof::{NONCE_LEN, Salting};

/// What a viewer needs to make its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// A fresh number.
    pub nonce: [u8; NONCE_LEN],
    /// How the code is hashed.
    pub salting: Salting,
}

/// A viewer's claim that it knows the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The viewer's fresh number.
    pub viewer_nonce: [u8; NONCE_LEN],
    /// The number of the [`Offer`].
    pub camera_nonce: [u8; NONCE_LEN],
    /// Its proof.
    pub proof: [u8; HASH_LEN],
    /// What its key is to be called.
    pub name: String,
}

/// A key that was given. Nobody can look it up again.
#[derive(Debug)]
pub struct Given {
    /// The key.
    pub key: Key,
    /// Its name in the list, which may differ from the one that was wished for.
    pub name: String,
    /// What it allows.
    pub may: May,
}

/// A viewer that was paired.
#[derive(Debug)]
pub struct Paired {
    /// Its key.
    pub given: Given,
    /// That the camera knows the code too.
    pub proof: [u8; HASH_LEN],
}

/// A client whose key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// By what its key is found again, to ask whether it still [holds](super::Access::holds).
    pub hash: KeyHash,
    /// The name of its key.
    pub name: String,
    /// What it may do.
    pub may: May,
}

/// What a key allows of what it has allowed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The same.
    All,
    /// More or less: somebody has changed the file by hand, or put an older one in its place.
    SomethingElse,
    /// It was revoked.
    Nothing,
}

/// Whether a connection is inside TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Nobody else reads it.
    Tls,
    /// Everybody on the LAN can.
    Plain,
}
