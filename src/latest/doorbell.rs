//! One sleep on several slots: rings when any of them changes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Hung at any number of slots ([`Latest::with_doorbell`](super::Latest::with_doorbell)) by the one thread that sleeps on it.
#[derive(Debug, Default)]
pub struct Doorbell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it has rung since the last wait.
    rings: bool,
    is_waited_for: bool,
}

impl Doorbell {
    /// A bell that hangs nowhere yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Wakes the thread that waits, or spares it its next sleep.
    pub fn ring(&self) {
        let mut state = self.lock();
        state.rings = true;
        let is_waited_for = state.is_waited_for;
        drop(state);
        if is_waited_for {
            self.rung.notify_one();
        }
    }

    /// Sleeps for at most `timeout` until it rings; not at all if it has rung since the last wait. Says whether it has.
    pub fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        state.is_waited_for = true;
        while !state.rings {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.rung.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_waited_for = false;
        std::mem::take(&mut state.rings)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latest::{Latest, Newest};

    #[test]
    fn it_rings_for_each_slot_it_hangs_at_and_once_for_all_that_came_meanwhile() {
        let bell = Doorbell::new();
        let slots = [1, 2].map(|_| Latest::with_doorbell(Arc::clone(&bell)));
        assert!(!bell.wait(Duration::ZERO), "nothing has come");
        slots[0].publish('a');
        slots[1].publish('b');
        assert!(bell.wait(Duration::from_secs(60)));
        assert!(!bell.wait(Duration::ZERO), "both were heard");
        slots[1].close();
        assert!(bell.wait(Duration::from_secs(60)));
        assert_eq!(slots[0].reader().newest(), Newest::Fresh { value: 'a', skipped: 0 });
    }

    #[test]
    fn it_wakes_a_thread_that_sleeps() {
        let bell = Doorbell::new();
        let slot = Latest::with_doorbell(Arc::clone(&bell));
        let publisher = std::thread::spawn(move || slot.publish(5));
        assert!(bell.wait(Duration::from_secs(60)));
        publisher.join().expect("the publisher does not panic");
    }
}
