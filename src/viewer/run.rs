//! The main thread's loop, with a window and without one: sleeps until something is new, and shows that until it is time to end.

use super::leave::Leave;
use crate::latest::Doorbell;
use std::time::{Duration, Instant};

/// Shows what cameras send, and knows when to end.
pub trait Screen {
    /// Why it cannot go on.
    type Error;

    /// How long there is nothing to do unless something is new.
    fn patience(&self, now: Instant) -> Duration;

    /// Takes what is new and shows it; returns why to end, when it is time to.
    ///
    /// # Errors
    /// When the screen cannot go on.
    fn refresh(&mut self, now: Instant) -> Result<Option<End>, Self::Error>;

    /// Why it ends when something else than its user asks it to.
    fn interrupted(&self) -> End;
}

/// Why a screen ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All was shown that was asked for.
    Done,
    /// The user closed the window.
    UserLeft,
    /// No picture came in time; why, as far as it is known.
    NoFirstPicture(String),
    /// There is no lancam server; who it is instead.
    NotLancam(String),
    /// There were pictures, and then none for too long; or the programs cannot understand each other.
    Failed(String),
}

/// Runs `screen` until it ends, or `leave` asks it to. `doorbell` rings when something is new.
///
/// # Errors
/// When the screen cannot go on.
pub fn run<S: Screen>(screen: &mut S, doorbell: &Doorbell, leave: &Leave) -> Result<End, S::Error> {
    loop {
        doorbell.wait(screen.patience(Instant::now()));
        if leave.is_asked() {
            return Ok(screen.interrupted());
        }
        if let Some(end) = screen.refresh(Instant::now())? {
            return Ok(end);
        }
    }
}
