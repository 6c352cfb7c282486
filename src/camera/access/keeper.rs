//! Keeps what a running camera knows of its keys the same as its files: a thread that reads what `lancam pair` changed, and
//! writes down which keys were used.

use super::Access;
use super::day::Day;
use crate::stop::Stop;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

/// How often to look at the files. A key that is revoked ends its sessions within a second.
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// Starts the thread, which runs until the program is stopped.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(access: Arc<Access>, stop: Stop) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("keys".into()).spawn(move || {
        while !stop.wait(LOOK_AGAIN) {
            access.catch_up();
            note_uses(&access);
        }
        note_uses(&access);
    })
}

fn note_uses(access: &Access) {
    let today = Day::at(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
    if let Err(error) = access.note_uses(today) {
        log::warn!("cannot write down that a key was used today: {error}");
    }
}
