//! One slot between two threads: the newest value wins, and what nobody took in time is counted.
//!
//! A producer publishes, any number of readers take. A reader that finds nothing new either sleeps
//! on the slot ([`Reader::wait`]), on several at once ([`Doorbell`]) or, where it must watch a socket too, on its own bell
//! ([`Reader::bell`], an eventfd). Only readers that really wait are woken: a published frame costs
//! no system call for a reader that is busy sending the last one.

mod doorbell;

pub use doorbell::Doorbell;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(all(feature = "camera", target_os = "linux"))]
use bell::{Bell, Bells};

/// The slot. Share it as `Arc<Latest<T>>`; `T` is cloned to each reader, so make it an `Arc` or small.
#[derive(Debug)]
pub struct Latest<T> {
    slot: Mutex<Slot<T>>,
    changed: Condvar,
    doorbell: Option<Arc<Doorbell>>,
    #[cfg(all(feature = "camera", target_os = "linux"))]
    bells: Bells,
}

#[derive(Debug)]
struct Slot<T> {
    newest: Option<T>,
    /// How many values were ever published; the number of the one in the slot.
    number: u64,
    closed: bool,
    /// Readers asleep on `changed`: publishing makes no system call when there are none.
    sleepers: usize,
}

/// What a reader finds in the slot.
#[derive(Debug, PartialEq, Eq)]
pub enum Newest<T> {
    /// A value this reader has not seen, and how many it missed since its last one.
    Fresh {
        /// The value.
        value: T,
        /// Values published since this reader's last one and never taken by it.
        skipped: u64,
    },
    /// Nothing new since this reader's last value.
    NotYet,
    /// The producer has ended and this reader has seen its last value.
    Closed,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self {
            slot: Mutex::new(Slot { newest: None, number: 0, closed: false, sleepers: 0 }),
            changed: Condvar::new(),
            doorbell: None,
            #[cfg(all(feature = "camera", target_os = "linux"))]
            bells: Bells::default(),
        }
    }
}

impl<T> Latest<T> {
    /// An empty, open slot.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// The same, for a thread that sleeps on several slots at once: each change rings `doorbell`.
    pub fn with_doorbell(doorbell: Arc<Doorbell>) -> Arc<Self> {
        Arc::new(Self { doorbell: Some(doorbell), ..Self::default() })
    }

    /// Puts `value` into the slot, wakes the readers that wait for it, and returns the value that it
    /// replaces. A closed slot accepts nothing, and returns `value`.
    pub fn publish(&self, value: T) -> Option<T> {
        let mut slot = self.lock();
        if slot.closed {
            return Some(value);
        }
        let replaced = slot.newest.replace(value);
        slot.number += 1;
        self.wake(slot);
        replaced
    }

    /// Says that nothing more will come. Readers still get the last value, then [`Newest::Closed`].
    pub fn close(&self) {
        let mut slot = self.lock();
        slot.closed = true;
        self.wake(slot);
    }

    /// Takes the value out of the slot if `is_withdrawn` says so of it: readers that have not seen it never will.
    pub fn withdraw(&self, is_withdrawn: impl FnOnce(&T) -> bool) {
        let mut slot = self.lock();
        let withdrawn = slot.newest.take_if(|newest| is_withdrawn(newest));
        // Dropped after the lock.
        drop(slot);
        drop(withdrawn);
    }

    /// Whether it takes nothing more.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn wake(&self, slot: MutexGuard<'_, Slot<T>>) {
        let sleepers = slot.sleepers;
        drop(slot);
        if sleepers > 0 {
            self.changed.notify_all();
        }
        if let Some(doorbell) = &self.doorbell {
            doorbell.ring();
        }
        #[cfg(all(feature = "camera", target_os = "linux"))]
        self.bells.ring();
    }

    /// The slot holds no invariant that a panicking thread could break half-way, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Latest<T> {
    /// What is in the slot.
    pub fn current(&self) -> Option<T> {
        self.lock().newest.clone()
    }

    /// A reader that begins with the value now in the slot, if there is one.
    pub fn reader(self: &Arc<Self>) -> Reader<T> {
        let slot = self.lock();
        let seen = if slot.newest.is_some() { slot.number - 1 } else { slot.number };
        drop(slot);
        Reader {
            latest: Arc::clone(self),
            seen,
            #[cfg(all(feature = "camera", target_os = "linux"))]
            bell: None,
        }
    }
}

/// One reader's place in the sequence of values.
#[derive(Debug)]
pub struct Reader<T> {
    latest: Arc<Latest<T>>,
    seen: u64,
    #[cfg(all(feature = "camera", target_os = "linux"))]
    bell: Option<Arc<Bell>>,
}

impl<T: Clone> Reader<T> {
    /// Takes the newest value if this reader has not seen it. Never blocks. After
    /// [`Newest::NotYet`] the bell, if there is one, rings at the next change.
    pub fn newest(&mut self) -> Newest<T> {
        // Armed before the look, so that a value published in between rings.
        #[cfg(all(feature = "camera", target_os = "linux"))]
        if let Some(bell) = &self.bell {
            bell.arm();
        }
        let slot = self.latest.lock();
        let found = Self::look(&slot, &mut self.seen);
        drop(slot);
        #[cfg(all(feature = "camera", target_os = "linux"))]
        if let (Some(bell), Newest::Fresh { .. }) = (&self.bell, &found) {
            bell.disarm();
        }
        found
    }

    /// What is in the slot, whether or not this reader has taken it.
    pub fn current(&self) -> Option<T> {
        self.latest.current()
    }

    /// Like [`newest`](Self::newest), but sleeps for at most `timeout` until there is something.
    pub fn wait(&mut self, timeout: Duration) -> Newest<T> {
        let deadline = Instant::now() + timeout;
        let mut slot = self.latest.lock();
        loop {
            match Self::look(&slot, &mut self.seen) {
                Newest::NotYet => {}
                found => return found,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Newest::NotYet;
            }
            slot.sleepers += 1;
            slot = self
                .latest
                .changed
                .wait_timeout(slot, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            slot.sleepers -= 1;
        }
    }

    /// Sleeps until there is a value this reader has not seen and moves it out of the slot; `None` once the
    /// slot is closed. For a slot with one reader: what it has taken, nobody holds but itself.
    pub fn take(&mut self) -> Option<T> {
        let mut slot = self.latest.lock();
        loop {
            if slot.number > self.seen
                && let Some(value) = slot.newest.take()
            {
                self.seen = slot.number;
                return Some(value);
            }
            if slot.closed {
                return None;
            }
            slot.sleepers += 1;
            slot = self.latest.changed.wait(slot).unwrap_or_else(PoisonError::into_inner);
            slot.sleepers -= 1;
        }
    }

    fn look(slot: &Slot<T>, seen: &mut u64) -> Newest<T> {
        match &slot.newest {
            Some(value) if slot.number > *seen => {
                let skipped = slot.number - *seen - 1;
                *seen = slot.number;
                Newest::Fresh { value: value.clone(), skipped }
            }
            _ if slot.closed => Newest::Closed,
            _ => Newest::NotYet,
        }
    }
}

#[cfg(all(feature = "camera", target_os = "linux"))]
mod bell {
    //! Wakes a thread that sleeps in `epoll_wait` on its socket and on the slot at once.

    use super::{Latest, Reader};
    use nix::sys::eventfd::{EfdFlags, EventFd};
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};

    /// An eventfd that is written at most once between two looks at the slot.
    ///
    /// It is never read: watched edge-triggered, each write is an event of its own, and the
    /// counter would need 584,942 years at a million writes a second to overflow.
    #[derive(Debug)]
    pub(super) struct Bell {
        event: EventFd,
        armed: AtomicBool,
    }

    impl Bell {
        pub(super) fn arm(&self) {
            self.armed.store(true, Ordering::SeqCst);
        }

        pub(super) fn disarm(&self) {
            self.armed.store(false, Ordering::SeqCst);
        }
    }

    /// The bells of one slot. The lock is contended only while a reader comes or goes.
    #[derive(Debug, Default)]
    pub(super) struct Bells(Mutex<Vec<Arc<Bell>>>);

    impl Bells {
        pub(super) fn ring(&self) {
            for bell in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                if bell.armed.swap(false, Ordering::SeqCst) {
                    // Can only fail when the counter is full, and then the bell is ringing already.
                    let _ = bell.event.write(1);
                }
            }
        }
    }

    impl<T> Latest<T> {
        /// How many readers watch this slot with a bell.
        #[cfg(test)]
        pub(super) fn watchers(&self) -> usize {
            self.bells.0.lock().unwrap_or_else(PoisonError::into_inner).len()
        }
    }

    impl<T> Reader<T> {
        /// The file descriptor that becomes readable when there is something new after
        /// [`Newest::NotYet`](super::Newest::NotYet). Watch it edge-triggered (`EPOLLIN | EPOLLET`) and never read it.
        ///
        /// # Errors
        /// When the process has no file descriptors left.
        pub fn bell(&mut self) -> io::Result<BorrowedFd<'_>> {
            let bell = match self.bell.take() {
                Some(bell) => bell,
                None => self.hang_bell()?,
            };
            Ok(self.bell.insert(bell).event.as_fd())
        }

        fn hang_bell(&self) -> io::Result<Arc<Bell>> {
            let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
            let event = EventFd::from_value_and_flags(0, flags)?;
            let bell = Arc::new(Bell { event, armed: AtomicBool::new(false) });
            let mut bells = self.latest.bells.0.lock().unwrap_or_else(PoisonError::into_inner);
            bells.push(Arc::clone(&bell));
            Ok(bell)
        }
    }

    impl<T> Drop for Reader<T> {
        fn drop(&mut self) {
            if let Some(own) = self.bell.take() {
                let mut bells = self.latest.bells.0.lock().unwrap_or_else(PoisonError::into_inner);
                bells.retain(|bell| !Arc::ptr_eq(bell, &own));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_wins_and_the_missed_ones_are_counted() {
        let latest = Latest::new();
        let mut reader = latest.reader();
        assert_eq!(reader.newest(), Newest::NotYet);
        latest.publish(1);
        assert_eq!(reader.newest(), Newest::Fresh { value: 1, skipped: 0 });
        assert_eq!(reader.newest(), Newest::NotYet);
        latest.publish(2);
        latest.publish(3);
        assert_eq!(reader.newest(), Newest::Fresh { value: 3, skipped: 1 });
    }

    #[test]
    fn a_late_reader_starts_with_the_value_in_the_slot() {
        let latest = Latest::new();
        latest.publish('a');
        latest.publish('b');
        let mut reader = latest.reader();
        assert_eq!(reader.newest(), Newest::Fresh { value: 'b', skipped: 0 });
        assert_eq!((reader.newest(), reader.current()), (Newest::NotYet, Some('b')));
    }

    #[test]
    fn closing_hands_out_the_last_value_first() {
        let latest = Latest::new();
        let mut reader = latest.reader();
        latest.publish(7);
        latest.close();
        assert_eq!(reader.newest(), Newest::Fresh { value: 7, skipped: 0 });
        assert_eq!(reader.wait(Duration::from_secs(60)), Newest::Closed);
    }

    #[test]
    fn what_is_taken_is_in_the_slot_no_longer() {
        let latest = Latest::new();
        let mut reader = latest.reader();
        let value = Arc::new(1);
        latest.publish(Arc::clone(&value));
        drop(reader.take());
        assert_eq!(Arc::strong_count(&value), 1);
        latest.publish(Arc::new(2));
        assert_eq!(reader.take().as_deref(), Some(&2));
        latest.close();
        assert_eq!(latest.publish(Arc::clone(&value)), Some(value), "a closed slot takes nothing");
        assert_eq!(reader.take(), None);
    }

    #[test]
    fn what_is_withdrawn_is_never_read_and_counts_as_missed() {
        let latest = Latest::new();
        let mut reader = latest.reader();
        latest.publish(1);
        latest.withdraw(|&value| value == 2);
        assert_eq!(reader.newest(), Newest::Fresh { value: 1, skipped: 0 });
        latest.publish(2);
        latest.withdraw(|&value| value == 2);
        assert_eq!((reader.newest(), reader.current()), (Newest::NotYet, None));
        latest.publish(3);
        assert_eq!(reader.newest(), Newest::Fresh { value: 3, skipped: 1 });
    }

    #[test]
    fn a_sleeping_reader_is_woken() {
        let latest = Latest::new();
        let mut reader = latest.reader();
        let publisher = {
            let latest = Arc::clone(&latest);
            std::thread::spawn(move || latest.publish(5))
        };
        assert_eq!(reader.wait(Duration::from_secs(60)), Newest::Fresh { value: 5, skipped: 0 });
        publisher.join().expect("the publisher does not panic");
    }

    #[cfg(all(feature = "camera", target_os = "linux"))]
    #[test]
    fn only_a_reader_that_waits_is_rung() {
        use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
        let latest = Latest::new();
        let mut reader = latest.reader();
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("epoll");
        let edge = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, 0);
        epoll.add(reader.bell().expect("eventfd"), edge).expect("watch");
        let rings = || {
            let mut events = [EpollEvent::empty()];
            epoll.wait(&mut events, EpollTimeout::ZERO).expect("wait")
        };
        latest.publish(1);
        assert_eq!(rings(), 0, "nobody had asked yet");
        assert!(matches!(reader.newest(), Newest::Fresh { .. }));
        latest.publish(2);
        assert_eq!(rings(), 0, "busy with the first value");
        assert!(matches!(reader.newest(), Newest::Fresh { .. }));
        assert_eq!(reader.newest(), Newest::NotYet);
        latest.publish(3);
        latest.publish(4);
        assert_eq!(rings(), 1);
        assert_eq!(reader.newest(), Newest::Fresh { value: 4, skipped: 1 });
        assert_eq!(rings(), 0, "one ring for one wait");
        drop(reader);
        assert_eq!(latest.watchers(), 0);
    }
}
