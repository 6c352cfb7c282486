//! What keeps threads from making pictures now: how many of them, and why.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

/// Of all threads of one camera.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    threads: AtomicUsize,
    newest: Mutex<String>,
}

impl Troubles {
    /// One more thread is in trouble.
    pub(super) fn begin(&self, text: &str) {
        text.clone_into(&mut self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        self.threads.fetch_add(1, Relaxed);
    }

    /// One is not any more.
    pub(super) fn end(&self) {
        self.threads.fetch_sub(1, Relaxed);
    }

    /// Whether any is.
    pub(super) fn are_there(&self) -> bool {
        self.threads.load(Relaxed) > 0
    }

    /// Why, as the last of them said.
    pub(super) fn newest(&self) -> Option<String> {
        self.are_there().then(|| self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
