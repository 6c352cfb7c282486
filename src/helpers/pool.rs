//! The pool: batches of pieces, the threads that have them, and the threads that help.
//!
//! A lock is held only while somebody takes a piece or says that it is done, never while it is
//! worked on. Nothing spins, and a call allocates nothing.

use super::sync::{Builder, Condvar, JoinHandle, Mutex, MutexGuard};
use crate::image::frame::Micros;
use std::any::Any;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, PoisonError};

/// Helper threads, which sleep while there is nothing to do. They end when it is dropped.
#[derive(Debug)]
pub struct Helpers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Helpers sleep here until there is a piece to take.
    begun: Condvar,
    /// Callers sleep here until helpers are done with their last pieces.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// One for each caller.
    batches: Vec<Batch>,
    /// The number of the newest batch.
    newest: u64,
    /// Helpers asleep on `begun`.
    idle: usize,
    is_over: bool,
}

/// The pieces of one call.
#[derive(Debug)]
struct Batch {
    number: u64,
    due: Micros,
    work: Work,
    /// The first piece that nobody has taken.
    next: usize,
    len: usize,
    /// Pieces that somebody works on.
    running: usize,
    /// Whether its caller is asleep on `done`.
    is_awaited: bool,
    /// What the first piece panicked with.
    panic: Option<Panic>,
}

/// Works on the piece with this number. It is the caller's own, and valid only while its batch is
/// in the list.
type Work = *const (dyn Fn(usize) + Sync + 'static);

type Panic = Box<dyn Any + Send>;

/// A piece that was taken. Its batch counts it as running.
struct Piece {
    batch: u64,
    index: usize,
    work: Work,
}

impl Helpers {
    /// Starts `threads` helpers, or fewer if the system has no more.
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            begun: Condvar::new(),
            done: Condvar::new(),
        });
        let start = |number: usize| {
            let shared = Arc::clone(&shared);
            let thread = Builder::new().name(format!("helper {number}"));
            thread.spawn(move || shared.help()).ok()
        };
        let threads = (1..=threads).map_while(start).collect();
        Self { shared, threads }
    }

    /// The number of helper threads.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Calls `work` once for each of `items`, on this thread and on helpers, and returns when all
    /// are done. Several threads may call at once. Helpers go to the call whose `due` is earliest:
    /// when its frame should be done, by a clock that all callers share.
    ///
    /// # Panics
    /// When `work` panics: with the same panic, once nobody works on `items` any more. Items that
    /// nobody had begun are left out.
    pub fn each<T: Send>(&self, due: Micros, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        if self.threads.is_empty() || items.len() < 2 {
            items.iter_mut().for_each(work);
            return;
        }
        let first = First(items.as_mut_ptr());
        let one = |index: usize| {
            // SAFETY: `index` is below the length of `items`, which is borrowed until this call
            // ends, and the batch gives each index to one thread only.
            let item = unsafe { &mut *first.ahead(index) };
            work(item);
        };
        self.shared.work_on(due, items.len(), &one);
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.begun.notify_all();
        for thread in self.threads.drain(..) {
            // A helper catches what its work panics with, so it has no panic of its own.
            let _ = thread.join();
        }
    }
}

/// The place of the first item.
struct First<T>(*mut T);

// SAFETY: it is used only to reach items of `Send`, each from one thread at a time.
unsafe impl<T: Send> Sync for First<T> {}

impl<T> First<T> {
    fn ahead(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }
}

impl Shared {
    /// The life of a helper.
    fn help(&self) {
        while let Some(piece) = self.next_piece() {
            self.carry_out(&piece);
        }
    }

    /// Sleeps until there is a piece to take. `None` when the pool is over.
    fn next_piece(&self) -> Option<Piece> {
        let mut state = self.lock();
        while !state.is_over {
            if let Some(piece) = state.most_urgent().and_then(Batch::take) {
                return Some(piece);
            }
            state.idle += 1;
            state = self.begun.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        None
    }

    /// What a caller does: works on its pieces, then waits for those that helpers have taken.
    fn work_on(&self, due: Micros, len: usize, work: &(dyn Fn(usize) + Sync)) {
        let work: *const (dyn Fn(usize) + Sync + '_) = work;
        // SAFETY: only the lifetime changes. `carry_out` says why `work` is alive when it is
        // called; this function does not return before that.
        let work = unsafe { mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Work>(work) };
        let number = self.begin(due, len, work);
        while let Some(piece) = self.own_piece(number) {
            self.carry_out(&piece);
        }
        if let Some(panic) = self.end(number) {
            panic::resume_unwind(panic);
        }
    }

    fn begin(&self, due: Micros, len: usize, work: Work) -> u64 {
        let mut state = self.lock();
        state.newest += 1;
        let number = state.newest;
        state.batches.push(Batch {
            number,
            due,
            work,
            next: 0,
            len,
            running: 0,
            is_awaited: false,
            panic: None,
        });
        let idle = state.idle;
        drop(state);
        // The caller takes one piece itself.
        if idle < len {
            if idle > 0 {
                self.begun.notify_all();
            }
        } else {
            (1..len).for_each(|_| self.begun.notify_one());
        }
        number
    }

    fn own_piece(&self, number: u64) -> Option<Piece> {
        self.lock().batch(number).take()
    }

    fn carry_out(&self, piece: &Piece) {
        // SAFETY: this piece counts as running until the lock below is taken, and until then the
        // batch's caller stays in `work_on`, whose argument `work` is.
        let work = unsafe { &*piece.work };
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(piece.index)));
        let mut state = self.lock();
        let batch = state.batch(piece.batch);
        batch.running -= 1;
        let not_told = match outcome {
            Ok(()) => None,
            Err(panic) => batch.fail(panic),
        };
        let wakes = batch.is_awaited && batch.is_done();
        drop(state);
        // What was panicked with may have a `drop` of its own, which must not panic in here.
        mem::forget(not_told);
        if wakes {
            self.done.notify_all();
        }
    }

    /// Sleeps until nobody works on the batch, and takes it out of the list. Returns what a piece
    /// panicked with.
    fn end(&self, number: u64) -> Option<Panic> {
        let mut state = self.lock();
        while !state.batch(number).is_done() {
            state.batch(number).is_awaited = true;
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let index = state.batches.iter().position(|batch| batch.number == number)?;
        state.batches.swap_remove(index).panic
    }

    /// Nobody panics while holding the lock, so poison is ignored.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Of the batches with pieces that nobody has taken, the one that is due first.
    fn most_urgent(&mut self) -> Option<&mut Batch> {
        self.batches
            .iter_mut()
            .filter(|batch| batch.next < batch.len)
            .min_by_key(|batch| (batch.due, batch.number))
    }

    fn batch(&mut self, number: u64) -> &mut Batch {
        let found = self.batches.iter_mut().find(|batch| batch.number == number);
        found.expect("its caller takes it out of the list when nobody works on it")
    }
}

// SAFETY: `work` may be called by any thread, for it is `Sync`.
unsafe impl Send for Batch {}

impl Batch {
    fn take(&mut self) -> Option<Piece> {
        if self.next == self.len {
            return None;
        }
        let piece = Piece { batch: self.number, index: self.next, work: self.work };
        self.next += 1;
        self.running += 1;
        Some(piece)
    }

    /// A piece panicked, so the pieces that nobody has begun are left out. Returns the panic if
    /// another piece panicked before.
    fn fail(&mut self, panic: Panic) -> Option<Panic> {
        self.next = self.len;
        if self.panic.is_some() {
            return Some(panic);
        }
        self.panic = Some(panic);
        None
    }

    /// Whether all pieces were taken, and nobody works on one.
    fn is_done(&self) -> bool {
        self.next == self.len && self.running == 0
    }
}
