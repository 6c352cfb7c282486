//! Goes on with the settings of a slow camera while its pictures come.

use super::driver::Driver;
use super::limited::Lent;
use super::settings::Newest;
use super::{ControlSetting, Moment, Settings};
use crate::wording::reason;
use std::sync::{Arc, Weak};
use std::thread;

/// Sets all that is `wanted`, in a thread of its own. What viewers have set meanwhile is `newest`, and
/// counts. The thread ends when all is set, or when nobody else has the driver any more. It logs the
/// outcomes if they are news.
pub(in super::super) fn set_later<D: Driver + Send + Sync + 'static>(
    driver: &Arc<D>,
    wanted: Vec<ControlSetting>,
    newest: impl Fn(u32) -> Option<String> + Send + 'static,
    camera: String,
    is_news: bool,
) {
    let driver = Arc::downgrade(driver);
    let setter = thread::Builder::new().name("settings".into());
    let started = setter.spawn(move || {
        let is_open = || driver.strong_count() > 0;
        match set(&driver, &wanted, &newest) {
            Some(settings) if is_news && is_open() => settings.log(&camera),
            _ => {}
        }
    });
    if let Err(error) = started {
        log::warn!(
            "cannot start a thread for the camera's controls, so the rest are not set: {}",
            reason(&error)
        );
    }
}

fn set<'a, D: Driver>(
    driver: &Weak<D>,
    wanted: &'a [ControlSetting],
    newest: Newest<'_>,
) -> Option<Settings<'a>> {
    let driver = Lent(driver);
    let mut settings = Settings::new(wanted, &driver)?;
    settings.apply_newest(&driver, Moment::Streaming, newest);
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::super::super::identity::{Identity, Known};
    use super::super::Wanted;
    use super::super::fake::{FakeDriver, FewCalls, raw};
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    const FIRST: u32 = 0x0098_0900;

    /// A camera with twenty controls, the first of which is a button.
    fn webcam() -> FakeDriver {
        let control = |at: u32| match at {
            0 => raw(FIRST, 4, "Button"),
            _ => raw(FIRST + at, 1, &format!("Control {at}")),
        };
        FakeDriver { controls: (0..20).map(control).collect(), ..FakeDriver::default() }
    }

    fn wanted() -> Vec<ControlSetting> {
        let of_number = (1..20).map(|at| format!("control_{at}={at}"));
        let all = ["button=press".to_owned()].into_iter().chain(of_number);
        all.map(|text| ControlSetting::parse(&text).expect("a setting")).collect()
    }

    /// What is left after so many calls.
    fn opened(driver: &FakeDriver, calls: usize) -> Vec<ControlSetting> {
        let (wanted, few) = (wanted(), FewCalls::of(driver, calls));
        let mut settings = Settings::new(&wanted, &few).expect("something to set");
        settings.apply(&few, Moment::BeforeStreaming);
        settings.apply(&few, Moment::Streaming);
        assert!(few.has_left_calls_out(), "{calls}");
        settings.but_pressed_buttons()
    }

    #[test]
    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn a_slow_camera_is_not_asked_any_more_when_the_time_is_over_and_all_is_set_later() {
        for calls in [0, 1, 10, 30, 60] {
            let driver = Arc::new(webcam());
            let rest = opened(&driver, calls);
            set(&Arc::downgrade(&driver), &rest, &|_| None);
            let numbers = driver.numbers.borrow();
            assert!((1..20).all(|at| numbers.get(&(FIRST + at)) == Some(&i64::from(at))));
        }
    }

    #[test]
    fn a_button_that_was_pressed_is_not_pressed_again() {
        // 21 calls for the list, and four for each of nineteen settings: then comes the button.
        let driver = webcam();
        let rest = opened(&driver, 21 + 19 * 4 + 12);
        let presses = driver.sets.borrow().iter().filter(|set| set.0 == FIRST).count();
        assert_eq!((presses, rest.len()), (1, 19));
    }

    #[test]
    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn what_a_viewer_sets_meanwhile_counts() {
        let camera = Known::alone(Identity::webcam("", "port"));
        let of_viewers = Wanted::default();
        of_viewers.are_for(Some(&camera));
        let (newest, at_set) = (of_viewers.newest_of(Some(camera)), of_viewers.clone());
        let at_set = move || {
            at_set.keep(FIRST + 1, "control_1", 200);
            at_set.keep(FIRST + 2, "control_2", 250);
        };
        let driver = Arc::new(FakeDriver { at_set: Some(Box::new(at_set)), ..webcam() });
        let wanted = wanted();
        set(&Arc::downgrade(&driver), &wanted[1..4], &newest);
        let expected = [(1, 1), (1, 200), (2, 250), (3, 3)].map(|(at, value)| (FIRST + at, value));
        assert_eq!(*driver.sets.borrow(), expected);
    }

    #[test]
    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn a_camera_that_is_closed_is_left_alone_from_then_on() {
        for closed_at in [1, 2, 7] {
            let owner = Rc::new(RefCell::new(None));
            let (sets, owned) = (Cell::new(0), Rc::clone(&owner));
            let at_set = move || {
                sets.set(sets.get() + 1);
                if sets.get() == closed_at {
                    drop(owned.borrow_mut().take());
                }
            };
            let driver = Arc::new(FakeDriver { at_set: Some(Box::new(at_set)), ..webcam() });
            let borrowed = Arc::downgrade(&driver);
            *owner.borrow_mut() = Some(driver);
            for taken in [closed_at, 0] {
                let wanted = wanted();
                let settings = set(&borrowed, &wanted, &|_| None).expect("something to set");
                assert_eq!(settings.taken().len(), taken);
            }
        }
    }
}
