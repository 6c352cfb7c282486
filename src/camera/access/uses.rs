//! Which keys are in use, so that the day of that is written down.

use super::{Access, Admitted};
use crate::wire::access::key::KeyHash;

/// The keys that clients have shown, and those of sessions that go on.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Shown since somebody asked last. No more than there are keys.
    shown: Vec<KeyHash>,
    /// One for each session.
    running: Vec<KeyHash>,
}

impl Uses {
    /// A client has shown this key.
    pub(super) fn note(&mut self, hash: KeyHash) {
        if !self.shown.contains(&hash) {
            self.shown.push(hash);
        }
    }

    fn begin(&mut self, hash: KeyHash) {
        self.running.push(hash);
    }

    fn end(&mut self, hash: &KeyHash) {
        if let Some(at) = self.running.iter().position(|it| it == hash) {
            self.running.swap_remove(at);
        }
    }

    /// The keys that were used since this was asked last, some of them more than once.
    pub(super) fn take(&mut self) -> Vec<KeyHash> {
        let mut used = std::mem::take(&mut self.shown);
        used.extend_from_slice(&self.running);
        used
    }
}

/// A session that goes on with a key. The key is in use until this is dropped.
#[derive(Debug)]
pub struct InUse<'a> {
    access: &'a Access,
    admitted: Admitted,
}

impl InUse<'_> {
    /// By which key the client was let in.
    pub fn admitted(&self) -> &Admitted {
        &self.admitted
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        self.access.uses().end(&self.admitted.hash);
    }
}

impl Access {
    /// Counts a session as a use of its key for as long as it goes on.
    pub fn in_use(&self, admitted: Admitted) -> InUse<'_> {
        self.uses().begin(admitted.hash);
        InUse { access: self, admitted }
    }
}
