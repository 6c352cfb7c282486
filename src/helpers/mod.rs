//! Threads that help others with a frame: all cores work on one picture, in pieces.
//!
//! A thread that has pieces works on them itself, and helpers that sleep take those that are left.
//! So the work is done even where no helper ever comes.

mod pool;
mod sync;

#[cfg(all(test, target_os = "linux"))]
mod schedules;

pub use pool::Helpers;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Micros;
    use std::panic::{self, AssertUnwindSafe};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier, Mutex};
    use std::thread;
    use std::time::Duration;

    const DUE: Micros = Micros(0);

    #[test]
    fn every_item_is_worked_on_once_whoever_is_there_to_help() {
        for threads in [0, 1, 2, 5] {
            let helpers = Helpers::new(threads);
            assert_eq!(helpers.threads(), threads);
            for round in 0..400 {
                let mut items = vec![0; round % 40];
                let worked = AtomicUsize::new(0);
                helpers.each(DUE, &mut items, |item| {
                    *item += 1;
                    worked.fetch_add(1, Ordering::Relaxed);
                });
                assert!(items.iter().all(|times| *times == 1), "{threads}: {items:?}");
                assert_eq!(worked.into_inner(), items.len());
            }
        }
    }

    #[test]
    fn without_helpers_it_is_a_loop() {
        let caller = thread::current().id();
        let order = Mutex::new(Vec::new());
        Helpers::new(0).each(DUE, &mut [1, 2, 3], |item| {
            assert_eq!(thread::current().id(), caller);
            order.lock().expect("no panic").push(*item);
        });
        assert_eq!(order.into_inner().expect("no panic"), [1, 2, 3]);
    }

    #[test]
    fn helpers_work_at_the_same_time_as_their_caller() {
        let all = Barrier::new(3);
        // Nobody passes the barrier before three threads have come.
        Helpers::new(2).each(DUE, &mut [(), (), ()], |()| {
            all.wait();
        });
    }

    /// Keeps the only helper at an item of its own until `meanwhile` has run.
    fn with_a_busy_helper(helpers: &Helpers, meanwhile: impl FnOnce()) {
        let (begun, until) = (Barrier::new(3), Barrier::new(3));
        thread::scope(|scope| {
            scope.spawn(|| {
                helpers.each(DUE, &mut [(), ()], |()| {
                    begun.wait();
                    until.wait();
                });
            });
            begun.wait();
            meanwhile();
            until.wait();
        });
    }

    #[test]
    fn who_has_no_helper_does_all_the_work() {
        let helpers = Helpers::new(1);
        with_a_busy_helper(&helpers, || {
            let caller = thread::current().id();
            let mut items = [0; 50];
            helpers.each(DUE, &mut items, |item| {
                assert_eq!(thread::current().id(), caller);
                *item += 1;
            });
            assert_eq!(items, [1; 50]);
        });
    }

    #[test]
    fn a_helper_goes_to_the_picture_that_is_due_first() {
        let helpers = Helpers::new(1);
        let helped = Mutex::new(Vec::new());
        let (begun, until) = (Barrier::new(4), Barrier::new(4));
        // Its caller stays at the first of three items. The other two are the helper's.
        let picture = |due| {
            let caller = thread::current().id();
            helpers.each(Micros(due), &mut [(), (), ()], |()| {
                if thread::current().id() == caller {
                    begun.wait();
                    until.wait();
                } else {
                    helped.lock().expect("no panic").push(due);
                }
            });
        };
        thread::scope(|scope| {
            with_a_busy_helper(&helpers, || {
                for due in [3, 1, 2] {
                    let picture = &picture;
                    scope.spawn(move || picture(due));
                }
                begun.wait();
            });
            while helped.lock().expect("no panic").len() < 6 {
                thread::yield_now();
            }
            until.wait();
        });
        assert_eq!(helped.into_inner().expect("no panic"), [1, 1, 2, 2, 3, 3]);
    }

    /// Whose items panic.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Whose {
        Caller,
        Helper,
        Both,
    }

    #[test]
    fn a_panic_goes_on_in_the_caller_once_nobody_works_any_more() {
        let helpers = Helpers::new(1);
        for whose in [Whose::Caller, Whose::Helper, Whose::Both] {
            let caller = thread::current().id();
            let both = Barrier::new(2);
            let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let told = panic::catch_unwind(AssertUnwindSafe(|| {
                helpers.each(DUE, &mut [(); 9], |()| {
                    if begun.fetch_add(1, Ordering::SeqCst) < 2 {
                        both.wait();
                        let is_own = thread::current().id() == caller;
                        if whose == Whose::Both || is_own == (whose == Whose::Caller) {
                            panic::panic_any(whose);
                        }
                    }
                    thread::sleep(Duration::from_millis(5));
                    ended.fetch_add(1, Ordering::SeqCst);
                });
            }));
            let panics = if whose == Whose::Both { 2 } else { 1 };
            assert_eq!(begun.into_inner(), ended.into_inner() + panics, "{whose:?}");
            let told = told.expect_err("it panicked");
            assert_eq!(told.downcast_ref::<Whose>(), Some(&whose));
        }
        let mut items = [0; 9];
        helpers.each(DUE, &mut items, |item| *item += 1);
        assert_eq!(items, [1; 9]);
    }

    #[test]
    fn after_a_panic_what_nobody_has_begun_is_left_out() {
        let helpers = Helpers::new(1);
        with_a_busy_helper(&helpers, || {
            let begun = AtomicUsize::new(0);
            let told = panic::catch_unwind(AssertUnwindSafe(|| {
                helpers.each(DUE, &mut [(); 9], |()| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    panic::panic_any(Whose::Caller);
                });
            }));
            assert!(told.is_err());
            assert_eq!(begun.into_inner(), 1);
        });
    }

    #[test]
    fn many_callers_at_once_get_their_own_work() {
        let helpers = Arc::new(Helpers::new(2));
        let callers: Vec<_> = (0..6_u64)
            .map(|caller| {
                let helpers = Arc::clone(&helpers);
                thread::spawn(move || {
                    let mut items: Vec<u64> = vec![caller; 7];
                    for round in 1..=1000 {
                        helpers.each(Micros(round), &mut items, |item| *item += 10);
                        assert_eq!(items, [caller + 10 * round; 7]);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.join().expect("no panic");
        }
    }
}
