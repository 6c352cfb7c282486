//! Counts calls of Rust's allocator, for tests that allow no allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which counts every allocation.
pub struct Counting;

/// Allocations of all threads since the start. Frees are not counted; growing is.
static ALL_THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THIS_THREAD: Cell<usize> = const { Cell::new(0) };
    static CHARGED_TO: Cell<Option<Meter>> = const { Cell::new(None) };
}

/// Counts the allocations of the threads charged to it. Can be read from any thread.
#[derive(Debug, Clone, Copy)]
pub struct Meter(&'static AtomicUsize);

impl Meter {
    /// A meter at 0. Its few bytes are never freed.
    pub fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    /// Counts this thread's allocations from now on.
    pub fn charge_this_thread(self) {
        CHARGED_TO.set(Some(self));
    }

    /// The allocations so far.
    pub fn count(self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// The number of allocations that `work` makes on this thread.
pub fn count(work: impl FnOnce()) -> usize {
    let before = THIS_THREAD.get();
    work();
    THIS_THREAD.get() - before
}

/// Allocations of all threads since the program was started.
pub fn total() -> usize {
    ALL_THREADS.load(Ordering::SeqCst)
}

fn note() {
    ALL_THREADS.fetch_add(1, Ordering::SeqCst);
    // A thread that ends may allocate after its thread-local variables are gone.
    let _ = THIS_THREAD.try_with(|count| count.set(count.get() + 1));
    let _ = CHARGED_TO.try_with(|meter| {
        if let Some(Meter(count)) = meter.get() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
}

// SAFETY: every call is passed on unchanged to the system's allocator, and counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller guarantees what `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note();
        // SAFETY: as in `alloc`; `memory` came from `System` by way of this allocator.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `System` by way of this allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[test]
fn allocations_are_counted_by_thread_and_by_meter() {
    assert_eq!(count(|| drop(black_box(Box::new(1_u8)))), 1);
    let mut grown = black_box(Vec::with_capacity(1));
    assert_eq!(count(|| grown.extend([1_u8; 100])), 1, "growing");
    assert_eq!(count(|| black_box(&mut grown).clear()), 0);
    let meter = Meter::new();
    let before = total();
    let elsewhere = std::thread::spawn(move || {
        meter.charge_this_thread();
        drop(black_box(Box::new(1_u8)));
    });
    elsewhere.join().expect("it only allocates");
    drop(black_box(Box::new(1_u8)));
    assert_eq!(meter.count(), 1);
    assert!(total() - before >= 2);
}
