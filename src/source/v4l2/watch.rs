//! Waits for device nodes to come, go, or change their access rights.

use super::survey::Snapshot;
use crate::clock;
use crate::source::Changed;
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// Wakes at once by inotify, and also checks every [`Watch::POLLED_EVERY`], in case inotify reports
/// nothing.
#[derive(Debug)]
pub(super) struct Watch {
    /// `None` if the system has no inotify instance left.
    inotify: Option<Inotify>,
}

impl Watch {
    /// How often to check without inotify: a folder may be on a file system without it, or be
    /// created after the watch.
    const POLLED_EVERY: Duration = Duration::from_millis(500);

    /// Watches nothing yet.
    pub(super) fn new() -> Self {
        let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
        Self { inotify: Inotify::init(flags).ok() }
    }

    /// Returns when the nodes differ from `seen`, when `stop` is requested, or after `patience`.
    pub(super) fn wait(
        &self,
        seen: &Snapshot,
        named: Option<&Path>,
        stop: &Stop,
        patience: Duration,
    ) -> Changed {
        self.watch_folders(named);
        let began_at = clock::now();
        // Check after the watch was set up, and compare with the last attempt, so that no change in
        // between is missed.
        while Snapshot::take(named) == *seen {
            let left = patience.saturating_sub(clock::now().since(began_at));
            if left.is_zero() || self.sleep(stop, left.min(Self::POLLED_EVERY)) {
                return Changed::Nothing;
            }
        }
        Changed::Nodes
    }

    fn watch_folders(&self, named: Option<&Path>) {
        let Some(inotify) = &self.inotify else { return };
        let events = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_MOVED_TO
            | AddWatchFlags::IN_ATTRIB;
        let parent = named.and_then(Path::parent);
        for folder in FOLDERS.iter().map(Path::new).chain(parent) {
            // Watching a folder twice has no effect. One that is missing is covered by polling.
            let _ = inotify.add_watch(folder, events);
        }
    }

    /// Returns whether the program is stopping.
    fn sleep(&self, stop: &Stop, time: Duration) -> bool {
        let Some(inotify) = &self.inotify else { return stop.wait(time) };
        let mut fds = [
            PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            PollFd::new(inotify.as_fd(), PollFlags::POLLIN),
        ];
        // A signal counts as a change: the caller checks again.
        let _ = poll(&mut fds, PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX));
        // The events only wake this thread; the next snapshot shows what happened.
        let _ = inotify.read_events();
        fds[0].any().unwrap_or(false)
    }
}

/// Where nodes and udev's links to them appear.
const FOLDERS: [&str; 3] = ["/dev", "/dev/v4l/by-id", "/dev/v4l/by-path"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Instant;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_node_that_appears_ends_the_wait_before_the_next_poll() {
        let folder = tempfile::tempdir().expect("a folder");
        let node = folder.path().join("camera");
        let stop = Stop::new().expect("eventfd");
        let seen = Snapshot::take(Some(&node));
        let began_at = Instant::now();
        std::thread::scope(|threads| {
            threads.spawn(|| fs::write(&node, "").expect("a file"));
            Watch::new().wait(&seen, Some(&node), &stop, LONG);
        });
        assert!(began_at.elapsed() < LONG);
        assert_ne!(Snapshot::take(Some(&node)), seen);
    }

    #[test]
    fn what_changed_before_the_wait_ends_it_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let node = folder.path().join("camera");
        let seen = Snapshot::take(Some(&node));
        fs::write(&node, "").expect("a file");
        let stop = Stop::new().expect("eventfd");
        let began_at = Instant::now();
        Watch::new().wait(&seen, Some(&node), &stop, LONG);
        assert!(began_at.elapsed() < LONG);
    }

    #[test]
    fn without_inotify_it_polls() {
        let folder = tempfile::tempdir().expect("a folder");
        let node = folder.path().join("camera");
        let stop = Stop::new().expect("eventfd");
        let seen = Snapshot::take(Some(&node));
        std::thread::scope(|threads| {
            threads.spawn(|| fs::write(&node, "").expect("a file"));
            Watch { inotify: None }.wait(&seen, Some(&node), &stop, LONG);
        });
        assert_ne!(Snapshot::take(Some(&node)), seen);
    }

    #[test]
    fn the_end_of_the_program_and_of_patience_end_the_wait() {
        let stop = Stop::new().expect("eventfd");
        let named = Some(Path::new("/nowhere/camera"));
        let seen = Snapshot::take(named);
        Watch::new().wait(&seen, named, &stop, Duration::from_millis(1));
        stop.request();
        Watch::new().wait(&seen, named, &stop, LONG);
    }
}
