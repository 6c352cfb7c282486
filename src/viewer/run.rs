//! The main thread's loop, with a window or without: sleeps until something is new, shows it, and ends when it should.

use super::leave::Leave;
use crate::latest::Doorbell;
use std::time::{Duration, Instant};

/// Shows what cameras send, and decides when to end.
pub trait Screen {
    /// Why the screen cannot go on.
    type Error;

    /// How long to sleep if nothing new comes.
    fn patience(&self, now: Instant) -> Duration;

    /// Shows what is new. Returns why to end, if it should.
    ///
    /// # Errors
    /// When the screen cannot go on.
    fn refresh(&mut self, now: Instant) -> Result<Option<End>, Self::Error>;

    /// Why it ends when something other than its user asks it to.
    fn interrupted(&self) -> End;
}

/// Why a screen ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Everything that was asked for was shown.
    Done,
    /// The user closed the window.
    UserLeft,
    /// No picture came in time; the reason, as far as it is known.
    NoFirstPicture(String),
    /// The server is not lancam; what it is instead.
    NotLancam(String),
    /// Pictures stopped coming, or the two programs have no common protocol version.
    Failed(String),
}

/// Runs `screen` until it ends or `leave` asks it to. `doorbell` rings when something is new.
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
