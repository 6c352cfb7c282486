//! How many threads cannot make pictures now, and why.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

/// The faults of all threads of one camera.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    threads: AtomicUsize,
    newest: Mutex<String>,
}

impl Troubles {
    /// One more thread has a fault.
    pub(super) fn begin(&self, text: &str) {
        text.clone_into(&mut self.newest.lock().unwrap_or_else(PoisonError::into_inner));
        self.threads.fetch_add(1, Relaxed);
    }

    /// One thread less has a fault.
    pub(super) fn end(&self) {
        self.threads.fetch_sub(1, Relaxed);
    }

    /// Whether any thread has a fault.
    pub(super) fn are_there(&self) -> bool {
        self.threads.load(Relaxed) > 0
    }

    /// The text of the last fault, while there is any.
    pub(super) fn newest(&self) -> Option<String> {
        self.are_there().then(|| self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
