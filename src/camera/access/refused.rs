//! Why a client gets no key or is not let in, and why nothing can be changed, in words.

use super::folder::FolderError;
use super::guesses::Rests;
use super::keys::Full;
use super::pair_command::PairCommand;
use crate::crypto::NoRandomness;
use std::io;

/// Why files are not used, or not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The folder or a file in it cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// There are too many keys.
    #[error(transparent)]
    Full(#[from] Full),
    /// There are no file descriptors left.
    #[error("cannot watch for changes of the keys: {0}")]
    NoDescriptor(#[source] io::Error),
}

impl AccessError {
    /// Whether a file itself is at fault, so that reading it again brings the same until somebody changes it.
    pub(super) fn is_of_a_file(&self) -> bool {
        matches!(self, Self::Folder(error) if error.is_of_the_file())
    }
}

/// Why a client gets no key.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// Too many wrong codes came.
    #[error(transparent)]
    Rests(#[from] Rests),
    /// Its code is wrong.
    #[error("the code is wrong. On the camera's machine, {0} shows the right one")]
    WrongCode(PairCommand),
    /// It would show to the whole LAN what it claims.
    #[error("this camera pairs over TLS only")]
    TlsWanted,
    /// It needs none.
    #[error("this camera shows its picture to everybody on the LAN, so it needs no code")]
    Open,
    /// The camera cannot make one or write it down.
    #[error("the camera cannot make a key now: {0}")]
    Failed(#[from] AccessError),
}

/// Why a client is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// It shows none.
    #[error(
        "this camera wants a key. Pair with it first: on the camera's machine, {0} shows the code"
    )]
    NoKey(PairCommand),
    /// It shows one that the camera does not know, or no longer.
    #[error("this camera does not know that key; it may have been revoked. Pair again")]
    Unknown,
    /// Nobody is let in outside of TLS.
    #[error(
        "this camera sends its picture over TLS only. Update the viewer, or open the camera's https:// address in a browser"
    )]
    TlsWanted,
    /// Its key may be shown inside TLS only.
    #[error(
        "that key works over TLS only. For a program without TLS, make another one on the camera's machine: {0} --name NAME --plain"
    )]
    TlsOnly(PairCommand),
}
