//! The camera's settings as they are now. The thread that captures and the one that serves controls share them.

use super::settings::{CsiSetting, KNOBS, Knob, NEAREST, Values, micros};
use crate::clock;
use crate::image::frame::Micros;
use crate::source::control::{Access, Board, Control, ControlKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The settings. They outlive each child, which gets them when it starts.
#[derive(Debug, Default)]
pub(super) struct Knobs {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What the owner has set.
    owners: Vec<CsiSetting>,
    /// What the next child gets.
    settings: Vec<CsiSetting>,
    /// What the last child got.
    given: Vec<CsiSetting>,
    /// What the last child got that sent a picture. At first what the owner has set.
    proven: Vec<CsiSetting>,
    /// What viewers have changed and the child does not know yet.
    changes: Option<Changes>,
}

/// When the first and the last of some changes was made.
#[derive(Debug, Clone, Copy)]
struct Changes {
    first: Micros,
    last: Micros,
}

/// rpicam-vid takes its settings when it starts. lancam restarts it when nobody has changed anything for so long, because a
/// viewer who drags a value sends many in a row.
pub(super) const QUIET: Duration = Duration::from_millis(400);

/// Viewers who go on changing see the camera change after so long.
const LONGEST: Duration = Duration::from_secs(2);

impl Changes {
    /// One more change after these, if there are any.
    fn with_one(earlier: Option<Self>, now: Micros) -> Self {
        Self { first: earlier.map_or(now, |it| it.first), last: now }
    }

    /// Whether they are to be made known to the child.
    fn are_due(self, now: Micros) -> bool {
        now.since(self.last) >= QUIET || now.since(self.first) >= LONGEST
    }
}

/// The values of V4L2's `V4L2_CID_POWER_LINE_FREQUENCY`, their names, and what rpicam-vid takes for them.
const FLICKER: [(i64, &str, &str); 3] =
    [(0, "Off", "0"), (1, "50 Hz", "10000us"), (2, "60 Hz", "8333us")];

/// Viewers set a lens in tenths of 1/m. The second number leaves it to the camera.
const LENS_PARTS: u16 = 10;
const LENS_DEFAULT: i64 = -1;

impl Knobs {
    /// With these settings at first.
    pub(super) fn new(owners: Vec<CsiSetting>) -> Self {
        let (settings, given, proven) = (owners.clone(), owners.clone(), owners.clone());
        Self { state: Mutex::new(State { owners, settings, given, proven, changes: None }) }
    }

    /// The settings for a child that starts now. They include every change so far.
    pub(super) fn for_start(&self) -> Vec<CsiSetting> {
        let state = &mut *self.lock();
        state.changes = None;
        state.given.clone_from(&state.settings);
        state.given.clone()
    }

    /// Notes that the last child has sent a picture.
    pub(super) fn have_given_a_picture(&self) {
        let state = &mut *self.lock();
        state.proven.clone_from(&state.given);
    }

    /// Notes that the last child has ended without a picture. Takes back each setting that it got and the last one that sent a
    /// picture did not get, and returns them. What no child has got yet stays.
    pub(super) fn go_back(&self) -> Option<String> {
        let State { settings, given, proven, .. } = &mut *self.lock();
        let is_new = |setting: &&CsiSetting| !proven.contains(setting);
        let refused: Vec<&CsiSetting> = given.iter().filter(is_new).collect();
        for setting in &refused {
            // A viewer may have set it once more meanwhile.
            if let Some(at) = settings.iter().position(|now| now == *setting) {
                let before = proven.iter().find(|it| it.is_for_the_same(setting)).cloned();
                drop(settings.splice(at..=at, before));
            }
        }
        let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        (!refused.is_empty()).then(|| refused.join(", "))
    }

    /// Whether the child is to be restarted because of a change.
    pub(super) fn are_due(&self, now: Micros) -> bool {
        self.lock().changes.is_some_and(|changes| changes.are_due(now))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change of it is one step, so a poisoned one is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of a knob.
    fn value(&self, knob: &Knob) -> String {
        let state = self.lock();
        let set = state.settings.iter().find(|setting| setting.knob() == knob);
        set.map_or(knob.default, CsiSetting::value).to_owned()
    }
}

impl Board for Arc<Knobs> {
    fn list(&mut self) -> Vec<Control> {
        KNOBS.iter().filter_map(|knob| control(knob, &self.value(knob))).collect()
    }

    fn control(&mut self, id: u32) -> Option<Control> {
        let knob = KNOBS.iter().find(|knob| knob.control == Some(id))?;
        control(knob, &self.value(knob))
    }

    fn set(&mut self, id: u32, value: i64) -> Result<(), String> {
        let is_meant = |knob: &&Knob| knob.control == Some(id);
        let knob = KNOBS.iter().find(is_meant).ok_or("ribbon cameras have no such control")?;
        let control = control(knob, &self.value(knob)).ok_or("it is set in lancam.toml only")?;
        control.accepts(value)?;
        if control.value == Some(value) {
            return Ok(());
        }
        let setting = CsiSetting::of(knob, &text(knob.values, value))?;
        let mut state = self.lock();
        state.settings.retain(|other| !other.is_for_the_same(&setting));
        // An old program does not know every option, and needs none for its default.
        let is_of_the_owner = state.owners.iter().any(|owners| owners.is_for_the_same(&setting));
        if value != control.default || is_of_the_owner {
            state.settings.push(setting);
        }
        state.changes = Some(Changes::with_one(state.changes, clock::now()));
        Ok(())
    }
}

/// A knob and its value as a control. `None` for text, which viewers cannot set.
fn control(knob: &Knob, value: &str) -> Option<Control> {
    let (kind, minimum, maximum) = match knob.values {
        Values::Number { least, most, parts } => {
            (ControlKind::Integer, steps(least, parts), steps(most, parts))
        }
        Values::Time { usual, .. } => (ControlKind::Integer, 0, i64::from(usual)),
        Values::Word(words) => (ControlKind::Menu, 0, i64::try_from(words.len()).unwrap_or(1) - 1),
        Values::Flicker => (ControlKind::Menu, 0, 2),
        Values::Lens => (ControlKind::Integer, LENS_DEFAULT, steps(NEAREST, LENS_PARTS)),
        Values::Region | Values::Mode | Values::File => return None,
    };
    let value = number(knob.values, value);
    let items = match knob.values {
        Values::Word(words) => {
            (0..).zip(words).map(|(at, word)| (at, (*word).to_owned())).collect()
        }
        Values::Flicker => FLICKER.iter().map(|(at, name, _)| (*at, (*name).to_owned())).collect(),
        _ => Arc::from([]),
    };
    Some(Control {
        id: knob.control?,
        name: knob.label.into(),
        kind,
        minimum,
        maximum: maximum.max(value.unwrap_or(maximum)),
        step: 1,
        default: number(knob.values, knob.default).unwrap_or_default(),
        value,
        items,
        access: Access::Free,
        is_volatile: false,
    })
}

/// A value as viewers get it.
fn number(values: Values, text: &str) -> Option<i64> {
    match values {
        Values::Number { parts, .. } => text.parse().ok().map(|it| steps(it, parts)),
        Values::Time { .. } => micros(text).map(|it| steps(it, 1)),
        Values::Word(words) => index(words.iter().position(|word| *word == text)),
        Values::Flicker => {
            let period = micros(text)?;
            let is_same = |entry: &&(i64, &str, &str)| micros(entry.2) == Some(period);
            FLICKER.iter().find(is_same).map(|(at, ..)| *at)
        }
        Values::Lens if text == "default" => Some(LENS_DEFAULT),
        Values::Lens => text.parse().ok().map(|it| steps(it, LENS_PARTS)),
        Values::Region | Values::Mode | Values::File => None,
    }
}

/// A viewer's value as rpicam-vid gets it. The control has accepted it.
fn text(values: Values, value: i64) -> String {
    match values {
        Values::Number { parts, .. } => part_of(value, parts),
        Values::Time { .. } => format!("{value}us"),
        Values::Word(words) => {
            let word = usize::try_from(value).ok().and_then(|at| words.get(at));
            (*word.unwrap_or(&"")).to_owned()
        }
        Values::Flicker => {
            let entry = FLICKER.iter().find(|(at, ..)| *at == value);
            entry.map_or("0", |(_, _, text)| *text).to_owned()
        }
        Values::Lens if value == LENS_DEFAULT => "default".into(),
        Values::Lens => part_of(value, LENS_PARTS),
        Values::Region | Values::Mode | Values::File => String::new(),
    }
}

fn index(at: Option<usize>) -> Option<i64> {
    i64::try_from(at?).ok()
}

/// A value in steps of one `parts`th.
#[expect(clippy::cast_possible_truncation, reason = "every range ends far below 2^53")]
fn steps(value: f64, parts: u16) -> i64 {
    (value * f64::from(parts)).round() as i64
}

fn part_of(value: i64, parts: u16) -> String {
    let value = i32::try_from(value).unwrap_or_default();
    (f64::from(value) / f64::from(parts)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(knobs: &mut Arc<Knobs>, name: &str, value: i64) -> String {
        let knob = KNOBS.iter().find(|knob| knob.name == name).expect("there is one");
        knobs.set(knob.control.expect("viewers set it"), value).expect("is accepted");
        let state = knobs.lock();
        state.settings.iter().map(CsiSetting::argument).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_viewers_set_becomes_what_rpicam_vid_takes() {
        for (name, value, argument) in [
            ("brightness", -25, "--brightness=-0.25"),
            ("contrast", 150, "--contrast=1.5"),
            ("ev", -80, "--ev=-8"),
            ("shutter", 20_000, "--shutter=20000us"),
            ("awb", 5, "--awb=daylight"),
            ("flicker-period", 2, "--flicker-period=8333us"),
            ("lens-position", 25, "--lens-position=2.5"),
            ("hdr", 3, "--hdr=single-exp"),
        ] {
            assert_eq!(set(&mut Arc::default(), name, value), argument);
        }
    }

    #[test]
    fn every_control_takes_its_own_values_and_shows_them_again() {
        let mut knobs = Arc::<Knobs>::default();
        for before in knobs.list() {
            for value in [before.minimum, before.maximum, before.default] {
                assert_eq!(knobs.set(before.id, value), Ok(()), "{} {value}", before.name);
                let after = knobs.control(before.id).and_then(|control| control.value);
                assert_eq!(after, Some(value), "{}", before.name);
            }
            assert!(knobs.set(before.id, before.maximum + 1).is_err(), "{}", before.name);
        }
        assert_eq!(knobs.list().len(), 14);
    }

    #[test]
    fn the_child_is_started_anew_once_nothing_was_changed_for_a_while() {
        let mut knobs = Arc::new(Knobs::new(vec![CsiSetting::parse("ev=1").expect("is one")]));
        let later = |by| clock::now().after(by);
        assert!(!knobs.are_due(later(QUIET)), "as the owner said");
        assert_eq!(set(&mut knobs, "ev", 10), "--ev=1", "it is set so already");
        assert!(!knobs.are_due(later(QUIET)));
        assert_eq!(set(&mut knobs, "ev", 20), "--ev=2");
        assert!(!knobs.are_due(clock::now()), "more may come");
        assert!(knobs.are_due(later(QUIET)));
        assert_eq!(knobs.for_start().len(), 1);
        assert!(!knobs.are_due(later(QUIET)), "it was told");
    }

    #[test]
    fn a_value_that_is_dragged_on_and_on_costs_few_starts() {
        let at = |millis: u64| Micros(millis * 1000);
        let (mut changes, mut starts) = (None, Vec::new());
        for millis in (0..8000).step_by(50) {
            if millis < 5000 && millis % 300 == 0 {
                changes = Some(Changes::with_one(changes, at(millis)));
            }
            if changes.is_some_and(|it: Changes| it.are_due(at(millis))) {
                starts.push(millis);
                changes = None;
            }
        }
        assert_eq!(starts, [2000, 4100, 5200], "twice on the way, and once for the last value");
    }

    #[test]
    fn a_default_needs_no_argument_unless_the_owner_has_set_something_else() {
        let mut knobs = Arc::new(Knobs::new(vec![CsiSetting::parse("ev=1").expect("is one")]));
        assert_eq!(set(&mut knobs, "flicker-period", 1), "--ev=1 --flicker-period=10000us");
        assert_eq!(set(&mut knobs, "flicker-period", 0), "--ev=1");
        assert!(knobs.are_due(clock::now().after(QUIET)));
        assert_eq!(set(&mut knobs, "ev", 0), "--ev=0");
    }

    #[test]
    fn what_gave_no_picture_is_taken_back() {
        let mut knobs = Arc::new(Knobs::new(vec![CsiSetting::parse("ev=1").expect("is one")]));
        knobs.for_start();
        assert_eq!(knobs.go_back(), None, "the owner's settings stay");
        set(&mut knobs, "gain", 20);
        knobs.for_start();
        knobs.have_given_a_picture();
        set(&mut knobs, "flicker-period", 1);
        assert_eq!(knobs.go_back(), None, "no child has got it");
        set(&mut knobs, "gain", 30);
        knobs.for_start();
        set(&mut knobs, "brightness", 20);
        assert_eq!(knobs.go_back().as_deref(), Some("flicker-period=10000us, gain=3"));
        assert!(knobs.are_due(clock::now().after(QUIET)), "no child has got the brightness");
        let settings: Vec<_> = knobs.for_start().iter().map(CsiSetting::argument).collect();
        assert_eq!(settings, ["--ev=1", "--gain=2", "--brightness=0.2"]);
        assert_eq!(knobs.go_back().as_deref(), Some("brightness=0.2"), "now one has");
        assert_eq!(knobs.for_start().len(), 2);
        assert_eq!(knobs.go_back(), None);
    }

    #[test]
    fn what_a_viewer_has_set_once_more_is_not_taken_back() {
        let mut knobs = Arc::<Knobs>::default();
        set(&mut knobs, "gain", 20);
        knobs.for_start();
        set(&mut knobs, "gain", 30);
        assert_eq!(knobs.go_back().as_deref(), Some("gain=2"));
        let settings: Vec<_> = knobs.for_start().iter().map(CsiSetting::argument).collect();
        assert_eq!(settings, ["--gain=3"]);
    }

    #[test]
    fn defaults_and_another_order_are_not_taken_back() {
        let mut knobs = Arc::<Knobs>::default();
        set(&mut knobs, "ev", 10);
        set(&mut knobs, "gain", 20);
        knobs.for_start();
        knobs.have_given_a_picture();
        set(&mut knobs, "ev", 20);
        assert_eq!(set(&mut knobs, "ev", 10), "--gain=2 --ev=1");
        knobs.for_start();
        assert_eq!(knobs.go_back(), None, "the same settings gave pictures");
        assert_eq!(set(&mut knobs, "gain", 0), "--ev=1");
        knobs.for_start();
        assert_eq!(knobs.go_back(), None, "the child ended for another reason");
        assert_eq!(knobs.for_start().len(), 1);
    }
}
