//! The controls of the test pattern: a few of different kinds, with a visible effect.

use super::control::{Access, Board, Control, ControlKind};
use super::v4l2::ControlSetting;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The current settings. They outlive the pattern, as those of a camera do.
#[derive(Debug)]
pub(super) struct PatternControls {
    brightness: AtomicI64,
    automatic: AtomicI64,
    effect: AtomicI64,
}

/// How the bars look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// 0 to 255.
    brightness: i64,
    effect: i64,
}

/// V4L2_CID_BRIGHTNESS, V4L2_CID_AUTOBRIGHTNESS and V4L2_CID_COLORFX.
const BRIGHTNESS: u32 = 0x0098_0900;
const AUTOMATIC: u32 = 0x0098_0920;
const EFFECT: u32 = 0x0098_091f;

const MIDDLE: i64 = 128;

/// Values of V4L2_CID_COLORFX.
const NO_EFFECT: i64 = 0;
const BLACK_AND_WHITE: i64 = 1;
const NEGATIVE: i64 = 3;
const EFFECTS: [(i64, &str); 3] =
    [(NO_EFFECT, "None"), (BLACK_AND_WHITE, "Black & White"), (NEGATIVE, "Negative")];

impl Default for Look {
    fn default() -> Self {
        Self { brightness: MIDDLE, effect: NO_EFFECT }
    }
}

impl Look {
    /// Applies the look to a colour (Y, Cb, Cr of limited range).
    pub(super) fn of(self, [luma, cb, cr]: [u8; 3]) -> [u8; 3] {
        let lighter = i64::from(luma) + self.brightness - MIDDLE;
        let luma = u8::try_from(lighter.clamp(16, 235)).unwrap_or(luma);
        match self.effect {
            BLACK_AND_WHITE => [luma, 128, 128],
            NEGATIVE => [251 - luma, u8::MAX - cb, u8::MAX - cr],
            _ => [luma, cb, cr],
        }
    }
}

impl Default for PatternControls {
    fn default() -> Self {
        Self {
            brightness: AtomicI64::new(MIDDLE),
            automatic: AtomicI64::new(0),
            effect: AtomicI64::new(NO_EFFECT),
        }
    }
}

impl PatternControls {
    /// The current look.
    pub(super) fn look(&self) -> Look {
        let brightness = match self.automatic.load(Ordering::Relaxed) {
            0 => self.brightness.load(Ordering::Relaxed),
            _ => MIDDLE,
        };
        Look { brightness, effect: self.effect.load(Ordering::Relaxed) }
    }

    fn value(&self, id: u32) -> Option<&AtomicI64> {
        match id {
            BRIGHTNESS => Some(&self.brightness),
            AUTOMATIC => Some(&self.automatic),
            EFFECT => Some(&self.effect),
            _ => None,
        }
    }
}

impl PatternControls {
    /// Sets a control as `--set` says.
    ///
    /// # Errors
    /// Why it was not set, and what is expected.
    pub(super) fn apply(self: &Arc<Self>, setting: &ControlSetting) -> Result<(), String> {
        let mut board = Arc::clone(self);
        let control = board.list().into_iter().find(|control| setting.is_for(&control.name));
        let control = control.ok_or(
            "the test pattern has only Brightness, Color Effects and Brightness, Automatic",
        )?;
        let text = setting.value();
        let item = control.items.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        let value = match (item, text) {
            (Some((number, _)), _) => Some(*number),
            (None, "on" | "true" | "yes") => Some(1),
            (None, "off" | "false" | "no") => Some(0),
            (None, text) => text.parse().ok(),
        };
        let value = value.ok_or_else(|| control.expected())?;
        board.set(control.id, value)
    }
}

impl Board for Arc<PatternControls> {
    fn list(&mut self) -> Vec<Control> {
        [BRIGHTNESS, EFFECT, AUTOMATIC].into_iter().filter_map(|id| self.control(id)).collect()
    }

    fn control(&mut self, id: u32) -> Option<Control> {
        let value = self.value(id)?.load(Ordering::Relaxed);
        let control = Control {
            id,
            name: String::new(),
            kind: ControlKind::Integer,
            minimum: 0,
            maximum: 1,
            step: 1,
            default: 0,
            value: Some(value),
            items: Arc::from([]),
            access: Access::Free,
            is_volatile: false,
        };
        Some(match id {
            BRIGHTNESS => Control {
                name: "Brightness".into(),
                maximum: 255,
                default: MIDDLE,
                access: match self.automatic.load(Ordering::Relaxed) {
                    0 => Access::Free,
                    _ => Access::Automatic,
                },
                ..control
            },
            EFFECT => Control {
                name: "Color Effects".into(),
                kind: ControlKind::Menu,
                maximum: NEGATIVE,
                items: EFFECTS.iter().map(|(item, name)| (*item, (*name).into())).collect(),
                ..control
            },
            _ => Control {
                name: "Brightness, Automatic".into(),
                kind: ControlKind::Boolean,
                ..control
            },
        })
    }

    fn set(&mut self, id: u32, value: i64) -> Result<(), String> {
        let control = self.control(id).ok_or("the test pattern has no such control")?;
        control.accepts(value)?;
        if let Some(at) = self.value(id) {
            at.store(value, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{CaptureWish, Opener, SourceSpec};

    #[test]
    fn options_set_them_by_the_names_that_people_read() {
        let controls = Arc::<PatternControls>::default();
        let apply = |text: &str| controls.apply(&ControlSetting::parse(text).expect(text));
        assert_eq!(apply("brightness=138"), Ok(()));
        assert_eq!(apply("color_effects=negative"), Ok(()));
        assert_eq!(controls.look(), Look { brightness: 138, effect: NEGATIVE });
        assert!(apply("gain=1").expect_err("unknown").contains("Brightness"));
        assert!(apply("brightness=x").expect_err("no number").contains("0 to 255"));
        assert!(apply("brightness=256").expect_err("too much").contains("0 to 255"));
    }

    #[test]
    fn a_misspelt_name_is_a_problem_and_other_sources_have_no_controls_at_all() {
        let problems = |source: &str| {
            let spec = SourceSpec::parse(source).expect(source);
            let settings = vec![ControlSetting::parse("brightnes=5").expect("a setting")];
            let opener = Opener::new(spec, CaptureWish::default()).with_controls(settings);
            opener.problems().to_vec()
        };
        let [pattern] = &problems("test")[..] else { panic!("one") };
        assert!(pattern.contains("brightnes=5: the test pattern has only Brightness"), "{pattern}");
        let [clip] = &problems("clip.mjpeg")[..] else { panic!("one") };
        assert!(clip.contains("has no controls: brightnes=5"), "{clip}");
    }

    #[test]
    fn bars_look_as_they_are_set_and_as_ever_by_default() {
        let mut controls = Arc::<PatternControls>::default();
        let bar = [180, 100, 200];
        assert_eq!(controls.look().of(bar), bar);
        for (id, value, expected) in [
            (BRIGHTNESS, 138, [190, 100, 200]),
            (BRIGHTNESS, 255, [235, 100, 200]),
            (EFFECT, NEGATIVE, [16, 155, 55]),
            (AUTOMATIC, 1, [71, 155, 55]),
            (EFFECT, BLACK_AND_WHITE, [180, 128, 128]),
        ] {
            assert_eq!(controls.set(id, value), Ok(()));
            assert_eq!(controls.look().of(bar), expected, "{id:#x} = {value}");
        }
        assert!(controls.set(BRIGHTNESS, 1).expect_err("inactive").contains("automatic"));
        assert!(controls.set(EFFECT, 2).expect_err("a gap").contains("or 3 (Negative)"));
        assert!(controls.set(7, 2).expect_err("unknown").contains("no such control"));
        let values: Vec<_> = controls.list().iter().map(|control| control.value).collect();
        assert_eq!(values, [Some(255), Some(1), Some(1)]);
    }
}
