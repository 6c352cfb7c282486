//! Goes on with the settings of a slow camera while its pictures come.

use super::driver::Driver;
use super::limited::Lent;
use super::{ControlSetting, Moment, Settings};
use std::sync::{Arc, Weak};
use std::thread;

/// Sets all that is `wanted`, in a thread of its own. The thread ends when all is set, or when
/// nobody else has the driver any more. It logs the outcomes if they are news.
pub(in super::super) fn set_later<D: Driver + Send + Sync + 'static>(
    driver: &Arc<D>,
    wanted: Vec<ControlSetting>,
    camera: String,
    is_news: bool,
) {
    let driver = Arc::downgrade(driver);
    let setter = thread::Builder::new().name("settings".into());
    let started = setter.spawn(move || {
        let is_open = || driver.strong_count() > 0;
        match set(&driver, &wanted) {
            Some(settings) if is_news && is_open() => settings.log(&camera),
            _ => {}
        }
    });
    if let Err(error) = started {
        log::warn!("no thread for the camera's controls can be started: {error}");
    }
}

fn set<'a, D: Driver>(driver: &Weak<D>, wanted: &'a [ControlSetting]) -> Option<Settings<'a>> {
    let driver = Lent(driver);
    let mut settings = Settings::new(wanted, &driver)?;
    settings.apply(&driver, Moment::Streaming);
    Some(settings)
}

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeDriver, raw};
    use super::super::limited::Limited;
    use super::*;
    use std::time::Duration;

    const FIRST: u32 = 0x0098_0900;
    const CALL: Duration = Duration::from_millis(2);

    /// A camera that takes long for each of its twenty controls, the first of which is a button.
    fn slow() -> FakeDriver {
        let control = |at: u32| match at {
            0 => raw(FIRST, 4, "Button"),
            _ => raw(FIRST + at, 1, &format!("Control {at}")),
        };
        FakeDriver {
            controls: (0..20).map(control).collect(),
            takes: Some(CALL),
            ..FakeDriver::default()
        }
    }

    fn wanted() -> Vec<ControlSetting> {
        let of_number = (1..20).map(|at| format!("control_{at}={at}"));
        let all = ["button=press".to_owned()].into_iter().chain(of_number);
        all.map(|text| ControlSetting::parse(&text).expect("a setting")).collect()
    }

    /// What was set within `time`, and what is left then.
    fn opened(driver: &FakeDriver, time: Duration) -> Vec<ControlSetting> {
        let (wanted, limited) = (wanted(), Limited::new(driver, time));
        let mut settings = Settings::new(&wanted, &limited).expect("something to set");
        settings.apply(&limited, Moment::BeforeStreaming);
        settings.apply(&limited, Moment::Streaming);
        assert!(limited.is_over());
        settings.but_pressed_buttons()
    }

    #[test]
    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn a_slow_camera_is_not_asked_any_more_when_the_time_is_over_and_all_is_set_later() {
        for calls in [0, 1, 10, 30, 60] {
            let driver = Arc::new(slow());
            let rest = opened(&driver, CALL * calls);
            let made = *driver.calls.borrow();
            assert!(made <= usize::try_from(calls).expect("few"), "{made} calls of {calls}");
            set(&Arc::downgrade(&driver), &rest);
            let numbers = driver.numbers.borrow();
            assert!((1..20).all(|at| numbers.get(&(FIRST + at)) == Some(&i64::from(at))));
        }
    }

    #[test]
    fn a_button_that_was_pressed_is_not_pressed_again() {
        let driver = slow();
        let rest = opened(&driver, CALL * 110);
        let presses =
            |driver: &FakeDriver| driver.sets.borrow().iter().filter(|it| it.0 == FIRST).count();
        assert_eq!(rest.len(), 20 - presses(&driver));
    }

    #[test]
    #[allow(clippy::arc_with_non_send_sync)] // a test has one thread
    fn a_camera_that_was_closed_is_left_alone() {
        let driver = Arc::new(slow());
        let weak = Arc::downgrade(&driver);
        drop(driver);
        set(&weak, &wanted());
    }
}
