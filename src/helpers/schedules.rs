//! The pool with loom's locks and threads: every order in which a few of them can meet.

use crate::image::frame::Micros;
use loom::model::Builder;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

// As in the programs, others see no more of it than `super` shows.
#[allow(dead_code, unreachable_pub, clippy::duplicate_mod)]
#[path = "pool.rs"]
mod pool;

/// What the pool finds in the place of the standard library's.
mod sync {
    pub(super) use loom::sync::{Condvar, Mutex, MutexGuard};
    pub(super) use loom::thread::{Builder, JoinHandle};
}

use pool::Helpers;

/// Runs `model` in all orders with up to `preemptions` moments at which a thread that could go on
/// does not. Loom complains when nobody can go on.
fn in_all_orders(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Works on `N` items of a picture that is due at `due`. Each is touched once.
fn once_each<const N: usize>(helpers: &Helpers, due: u64) {
    let mut items = [0_usize; N];
    let worked = AtomicUsize::new(0);
    helpers.each(Micros(due), &mut items, |item| {
        *item += 1;
        worked.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!((items, worked.into_inner()), ([1; N], N));
}

#[test]
fn a_helper_that_sleeps_wakes_or_comes_late_leaves_each_item_worked_on_once() {
    in_all_orders(4, || {
        let helpers = Helpers::new(1);
        once_each::<2>(&helpers, 1);
        once_each::<2>(&helpers, 2);
    });
}

#[test]
fn two_helpers_never_take_the_same_item() {
    in_all_orders(2, || once_each::<3>(&Helpers::new(2), 1));
}

#[test]
fn two_callers_share_a_helper() {
    in_all_orders(2, || {
        let helpers = Arc::new(Helpers::new(1));
        let others = Arc::clone(&helpers);
        let other = loom::thread::spawn(move || once_each::<2>(&others, 2));
        once_each::<2>(&helpers, 1);
        other.join().expect("no panic");
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    in_all_orders(2, || {
        let helpers = Helpers::new(1);
        let panics = std::panic::AssertUnwindSafe(|| {
            helpers.each(Micros(1), &mut [0, 1], |item| assert_eq!(*item, 0, "the second one"));
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        once_each::<2>(&helpers, 2);
    });
}
