//! Sets a camera's controls as the user asked, whenever the camera is opened.

use super::driver::Driver;
use super::{Controls, Made, NotSet, control, plain};
use std::fmt;

/// A control's name and its wanted value, as written in `--set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlSetting {
    name: String,
    value: String,
    /// What people call the control, if that is not its `name` here.
    called: Option<String>,
}

impl ControlSetting {
    /// Parses `NAME=VALUE`. Only the camera knows which names and values are valid.
    ///
    /// # Errors
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "NAME=VALUE, such as brightness=128";
        let (name, value) = text.split_once('=').ok_or(wrong)?;
        if plain(name).is_empty() || value.contains('\0') {
            return Err(wrong);
        }
        Ok(Self { name: name.trim().into(), value: value.into(), called: None })
    }

    /// A setting of a control by its V4L2 number.
    pub(super) fn numbered(id: u32, value: i64) -> Self {
        Self { name: format!("{id:#010x}"), value: value.to_string(), called: None }
    }

    /// The same, of a control that people call `name`.
    pub(super) fn called(self, name: &str) -> Self {
        Self { called: Some(name.into()), ..self }
    }

    /// Whether it sets the control with this title.
    pub fn is_for(&self, title: &str) -> bool {
        plain(&self.name) == plain(title)
    }

    /// The wanted value.
    pub fn value(&self) -> &str {
        self.value.trim()
    }

    /// Whether both set the same control.
    pub fn is_for_the_same(&self, other: &Self) -> bool {
        plain(&self.name) == plain(&other.name)
    }
}

impl fmt::Display for ControlSetting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.called.as_ref().unwrap_or(&self.name), self.value)
    }
}

/// When settings are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Moment {
    /// Before the camera streams. Buttons are not pressed.
    BeforeStreaming,
    /// While it streams: some cameras forget earlier settings when they start, so they are applied
    /// again.
    Streaming,
}

/// The settings for one camera, with their outcomes.
pub(in super::super) struct Settings<'a> {
    controls: Controls,
    /// Whether all controls were listed before the time was over.
    knows_all: bool,
    all: Vec<(&'a ControlSetting, Option<Result<Made, NotSet>>)>,
}

impl<'a> Settings<'a> {
    /// Asks the driver for its controls; `None` if nothing is to be set.
    pub(in super::super) fn new(
        wanted: &'a [ControlSetting],
        driver: &impl Driver,
    ) -> Option<Self> {
        if wanted.is_empty() {
            return None;
        }
        let controls = Controls::list(driver);
        let knows_all = !driver.has_left_calls_out();
        let ids: Vec<Option<u32>> =
            wanted.iter().map(|it| controls.find(&it.name).map(|control| control.id)).collect();
        // A control may be set twice under different names; the last setting counts.
        let is_last = |at: usize| ids[at].is_none() || !ids[at + 1..].contains(&ids[at]);
        let all = wanted.iter().enumerate().filter(|(at, _)| is_last(*at));
        let all = all.map(|(_, setting)| (setting, None)).collect();
        Some(Self { controls, knows_all, all })
    }

    /// Applies all settings in their order. Tries again at the end what was refused or is inactive:
    /// a later setting may have switched off the automatic control that prevents it.
    pub(in super::super) fn apply(&mut self, driver: &impl Driver, moment: Moment) {
        self.apply_newest(driver, moment, &|_| None);
    }

    /// The same, while viewers may set controls too. A control gets what is the `newest` value of it then.
    pub(super) fn apply_newest(
        &mut self,
        driver: &impl Driver,
        moment: Moment,
        newest: Newest<'_>,
    ) {
        let mut again = Vec::new();
        for (at, (setting, outcome)) in self.all.iter_mut().enumerate() {
            let is_button = is_button(&self.controls, setting);
            if is_button && moment == Moment::BeforeStreaming {
                continue;
            }
            let now = set(&self.controls, driver, setting, newest);
            if deserves_another(&now) && !(is_button && now.is_ok()) {
                again.push(at);
            }
            note(outcome, now);
        }
        if again.len() == self.all.len() {
            return;
        }
        for at in again {
            let (setting, outcome) = &mut self.all[at];
            note(outcome, set(&self.controls, driver, setting, newest));
        }
    }

    /// All settings but the buttons that were pressed.
    pub(in super::super) fn but_pressed_buttons(&self) -> Vec<ControlSetting> {
        let is_left = |(setting, outcome): &&(&ControlSetting, Option<Result<Made, NotSet>>)| {
            !(matches!(outcome, Some(Ok(_))) && is_button(&self.controls, setting))
        };
        self.all.iter().filter(is_left).map(|(setting, _)| (*setting).clone()).collect()
    }

    /// The settings of controls that an automatic control sets instead.
    pub(in super::super) fn overruled(&self) -> Vec<ControlSetting> {
        let is_overruled = |outcome: &Option<Result<Made, NotSet>>| match outcome {
            Some(Ok(made)) => made.is_inactive,
            Some(Err(NotSet::Refused { is_inactive, .. })) => *is_inactive,
            _ => false,
        };
        let overruled = self.all.iter().filter(|(_, outcome)| is_overruled(outcome));
        overruled.map(|(setting, _)| (*setting).clone()).collect()
    }

    /// The mistakes of the configuration: names that the camera does not have, and values that do not fit. None if the time was
    /// over before all controls were known.
    pub(in super::super) fn problems(&self, camera: &str) -> Vec<String> {
        if !self.knows_all {
            return Vec::new();
        }
        let wrong = self.all.iter().filter_map(|(setting, outcome)| match outcome {
            Some(Err(reason)) if reason.is_mistake() => {
                Some(format!("camera {camera}: {setting}: {reason}"))
            }
            _ => None,
        });
        wrong.collect()
    }

    /// The settings that the camera took.
    #[cfg(test)]
    pub(super) fn taken(&self) -> Vec<&ControlSetting> {
        let taken = self.all.iter().filter(|(_, outcome)| matches!(outcome, Some(Ok(_))));
        taken.map(|(setting, _)| *setting).collect()
    }

    /// Logs the outcomes.
    pub(in super::super) fn log(&self, camera: &str) {
        let mut as_asked = Vec::new();
        for (setting, outcome) in &self.all {
            match outcome {
                Some(Ok(made)) => match made.surprise() {
                    Some(surprise) => log::info!("camera {camera}: {setting}: {surprise}"),
                    None => as_asked.push(format!("{}={}", made.name, made.asked)),
                },
                Some(Err(reason)) => log::warn!("camera {camera}: {setting}: {reason}"),
                None => {}
            }
        }
        if !as_asked.is_empty() {
            log::info!("camera {camera}: set {}", as_asked.join(", "));
        }
    }
}

/// What a viewer has set a control to, by its number; `None` if no viewer has.
pub(super) type Newest<'a> = &'a dyn Fn(u32) -> Option<String>;

/// Sets a control until it has what is wanted then: a viewer may set it while the camera takes its time.
fn set(
    controls: &Controls,
    driver: &impl Driver,
    setting: &ControlSetting,
    newest: Newest<'_>,
) -> Result<Made, NotSet> {
    let id = controls.find(&setting.name).map(|control| control.id);
    let wanted = || id.and_then(newest).unwrap_or_else(|| setting.value.clone());
    let mut value = wanted();
    loop {
        let made = controls.set(driver, &setting.name, &value);
        let now = wanted();
        if now == value {
            return made;
        }
        value = now;
    }
}

impl NotSet {
    /// Whether the name or the value is wrong, whatever state the camera is in.
    fn is_mistake(&self) -> bool {
        match self {
            Self::Unknown(_) | Self::NoControls | Self::Unfit(_) => true,
            Self::Silent(_) | Self::Refused { .. } => false,
        }
    }
}

impl Made {
    /// What came out otherwise than asked.
    fn surprise(&self) -> Option<String> {
        let instead =
            self.instead.as_ref().map(|made| format!("the camera set it to {made} instead"));
        let inactive = "an automatic control sets it; switch that off first";
        match (instead, self.is_inactive) {
            (Some(instead), true) => Some(format!("{instead}; {inactive}")),
            (None, true) => Some(inactive.into()),
            (instead, false) => instead,
        }
    }
}

fn is_button(controls: &Controls, setting: &ControlSetting) -> bool {
    let control = controls.find(&setting.name);
    control.is_some_and(|it| it.kind == control::ControlType::Button)
}

fn deserves_another(outcome: &Result<Made, NotSet>) -> bool {
    match outcome {
        Ok(made) => made.is_inactive,
        Err(NotSet::Refused { .. } | NotSet::Unfit(_)) => true,
        Err(NotSet::Unknown(_) | NotSet::NoControls | NotSet::Silent(_)) => false,
    }
}

/// A setting made before streaming still holds if the camera refuses it while streaming.
fn note(outcome: &mut Option<Result<Made, NotSet>>, now: Result<Made, NotSet>) {
    match (&*outcome, now) {
        (Some(Ok(_)), Err(reason)) => log::debug!("cannot set it again while streaming: {reason}"),
        (_, now) => *outcome = Some(now),
    }
}

#[cfg(test)]
mod tests {
    use super::super::driver::RawControl;
    use super::super::fake::{FakeDriver, FewCalls, raw};
    use super::*;

    const AUTOMATIC: u32 = 0x0098_090c;
    const MANUAL: u32 = 0x0098_091a;
    const BUTTON: u32 = 0x0098_0920;

    /// A camera whose white balance is automatic at first. Meanwhile its temperature cannot be set.
    fn webcam() -> FakeDriver {
        let controls = vec![
            RawControl { maximum: 1, ..raw(AUTOMATIC, 2, "White Balance, Automatic") },
            raw(MANUAL, 1, "White Balance Temperature"),
            raw(BUTTON, 4, "Auto Focus, Start"),
        ];
        let driver =
            FakeDriver { controls, lock: Some((AUTOMATIC, MANUAL)), ..FakeDriver::default() };
        driver.numbers.borrow_mut().insert(AUTOMATIC, 1);
        driver
    }

    fn parse(settings: &[&str]) -> Vec<ControlSetting> {
        settings.iter().map(|text| ControlSetting::parse(text).expect(text)).collect()
    }

    fn outcome(settings: &Settings<'_>, at: usize) -> Result<Option<String>, String> {
        match settings.all[at].1.as_ref().expect("it was set") {
            Ok(made) => Ok(made.surprise()),
            Err(reason) => Err(reason.to_string()),
        }
    }

    #[test]
    fn a_misspelt_name_and_a_wrong_value_are_problems_and_what_the_camera_refuses_for_now_is_none()
    {
        let driver = webcam();
        let wanted = parse(&[
            "white_balance_automatc=off",
            "white_balance_automatic=maybe",
            "white_balance_temperature=77",
        ]);
        let mut settings = Settings::new(&wanted, &driver).expect("some");
        settings.apply(&driver, Moment::BeforeStreaming);
        settings.apply(&driver, Moment::Streaming);
        let problems = settings.problems("/dev/video0");
        let [unknown, unfit] = &problems[..] else { panic!("{problems:?}") };
        let expected = "camera /dev/video0: white_balance_automatc=off: the camera has no such control; did you mean \
                        white_balance_automatic";
        assert!(unknown.starts_with(expected), "{unknown}");
        assert!(unfit.contains("white_balance_automatic=maybe: it must be "), "{unfit}");
    }

    #[test]
    fn a_manual_value_is_set_though_the_automatic_is_switched_off_behind_it() {
        let driver = webcam();
        let wanted = parse(&["white_balance_temperature=77", "white_balance_automatic=off"]);
        let mut settings = Settings::new(&wanted, &driver).expect("something to set");
        settings.apply(&driver, Moment::BeforeStreaming);
        assert_eq!(*driver.sets.borrow(), [(MANUAL, 77), (AUTOMATIC, 0), (MANUAL, 77)]);
        assert_eq!((outcome(&settings, 0), outcome(&settings, 1)), (Ok(None), Ok(None)));
    }

    #[test]
    fn a_manual_value_alone_is_refused_with_what_stands_in_its_way() {
        let driver = webcam();
        let wanted = parse(&["white_balance_temperature=77"]);
        let mut settings = Settings::new(&wanted, &driver).expect("something to set");
        settings.apply(&driver, Moment::BeforeStreaming);
        assert_eq!(driver.sets.borrow().len(), 1, "once more would not help");
        let reason = outcome(&settings, 0).expect_err("refused");
        assert!(reason.contains("Permission denied; an automatic control sets it"), "{reason}");
    }

    #[test]
    fn all_but_buttons_is_set_again_when_the_camera_streams() {
        let driver = webcam();
        let wanted = parse(&["auto_focus_start=press", "white_balance_automatic=0"]);
        let mut settings = Settings::new(&wanted, &driver).expect("something to set");
        settings.apply(&driver, Moment::BeforeStreaming);
        assert_eq!(*driver.sets.borrow(), [(AUTOMATIC, 0)]);
        settings.apply(&driver, Moment::Streaming);
        assert_eq!(*driver.sets.borrow(), [(AUTOMATIC, 0), (BUTTON, 1), (AUTOMATIC, 0)]);
    }

    #[test]
    fn what_was_set_before_streaming_counts_where_it_cannot_be_set_again() {
        let driver = webcam();
        driver.numbers.borrow_mut().insert(AUTOMATIC, 0);
        let wanted = parse(&["white_balance_temperature=77"]);
        let mut settings = Settings::new(&wanted, &driver).expect("something to set");
        settings.apply(&driver, Moment::BeforeStreaming);
        driver.numbers.borrow_mut().insert(AUTOMATIC, 1);
        settings.apply(&driver, Moment::Streaming);
        assert_eq!(outcome(&settings, 0), Ok(None));
    }

    #[test]
    fn mistakes_are_known_though_the_time_was_over_if_all_controls_are() {
        let wanted = parse(&["white_balance_temperatur=77", "white_balance_temperature=999"]);
        for (calls, expected) in [(1, 0), (5, 2)] {
            let driver = webcam();
            let few = FewCalls::of(&driver, calls);
            let mut settings = Settings::new(&wanted, &few).expect("something to set");
            settings.apply(&few, Moment::BeforeStreaming);
            settings.apply(&few, Moment::Streaming);
            assert!(few.has_left_calls_out());
            assert_eq!(settings.problems("x").len(), expected, "{calls} calls");
        }
    }

    #[test]
    fn where_nothing_is_to_be_set_the_driver_is_not_asked() {
        let driver = webcam();
        assert!(Settings::new(&[], &driver).is_none());
        assert_eq!(*driver.calls.borrow(), 0);
    }

    #[test]
    fn a_setting_has_a_name_and_a_value() {
        for (text, shown) in [("gain=5", "gain=5"), (" Pan = ", "Pan= "), ("a=b=c", "a=b=c")] {
            let setting = ControlSetting::parse(text).expect(text);
            assert_eq!(setting.to_string(), shown);
        }
        for text in ["", "gain", "=5", "!=5", "a=\0"] {
            assert!(ControlSetting::parse(text).is_err(), "{text:?}");
        }
    }
}
