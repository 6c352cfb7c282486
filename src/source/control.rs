//! The interface to the controls of an open source, for other threads than the capture thread.
//!
//! The capture thread is not involved. A driver answers calls for controls while another thread
//! waits for its frames, and such a call may take a camera longer than a frame lasts.

use crate::wording::either;
use std::sync::Arc;

/// The controls of an open source. Must be dropped before the source is opened again.
pub trait Board {
    /// All controls with their current state.
    fn list(&mut self) -> Vec<Control>;

    /// One control with its current state.
    fn control(&mut self, id: u32) -> Option<Control>;

    /// Sets a control. [`control`](Self::control) then returns the value that the source made of
    /// it.
    ///
    /// # Errors
    /// Why it was not set, and what is expected.
    fn set(&mut self, id: u32, value: i64) -> Result<(), String>;
}

/// A board that may be sent to another thread.
pub type AnyBoard = Box<dyn Board + Send>;

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its V4L2 number.
    pub id: u32,
    /// Its name, in words for people: `Exposure Time, Absolute`.
    pub name: String,
    /// The kind of its value.
    pub kind: ControlKind,
    /// The least value.
    pub minimum: i64,
    /// The greatest value.
    pub maximum: i64,
    /// The step between values.
    pub step: u64,
    /// The value after power-on.
    pub default: i64,
    /// The current value; `None` if it has none or cannot be read.
    pub value: Option<i64>,
    /// The values of a menu with their names; menus may have gaps.
    pub items: Arc<[(i64, String)]>,
    /// Whether it can be set.
    pub access: Access,
    /// Whether the source changes its value by itself.
    pub is_volatile: bool,
}

/// The kind of a control's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// A number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// One of its items.
    Menu,
    /// Setting it triggers an action.
    Button,
    /// A 64-bit number.
    Integer64,
    /// A set of bits; `maximum` has all that are allowed.
    Bitmask,
    /// One of its items, which are numbers.
    IntegerMenu,
}

/// Whether a control can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It can be set now.
    Free,
    /// It can never be set.
    ReadOnly,
    /// Not while an automatic control sets it.
    Automatic,
    /// Not while another program uses it.
    Grabbed,
    /// Not while the camera streams, since it would change the layout of the frames.
    ChangesFrames,
    /// lancam sets it itself, for its options.
    Lancams,
}

impl Access {
    /// Why it cannot be set; empty if it can.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Free => "",
            Self::ReadOnly => "it can only be read",
            Self::Automatic => "an automatic control sets it; switch that off first",
            Self::Grabbed => "it cannot be changed while the camera streams",
            Self::ChangesFrames => {
                "it changes the form of the frames, so only lancam --set can set it, at the start"
            }
            Self::Lancams => "lancam uses it for --rotate and --flip",
        }
    }
}

impl Control {
    /// Checks whether it can be set to `value` now.
    ///
    /// # Errors
    /// What is expected.
    pub fn accepts(&self, value: i64) -> Result<(), String> {
        if self.access != Access::Free {
            return Err(self.access.reason().into());
        }
        let Self { minimum, maximum, .. } = self;
        let is_fit = match self.kind {
            ControlKind::Button => true,
            ControlKind::Menu | ControlKind::IntegerMenu => {
                self.items.iter().any(|(item, _)| *item == value)
            }
            ControlKind::Bitmask => value & !maximum == 0,
            // If the range is reversed it is wrong; let the driver decide.
            _ => maximum < minimum || (*minimum..=*maximum).contains(&value),
        };
        if is_fit {
            return Ok(());
        }
        Err(self.expected())
    }

    /// A sentence that says which values are valid.
    pub fn expected(&self) -> String {
        let Self { minimum, maximum, step, .. } = self;
        let fit = match self.kind {
            ControlKind::Menu | ControlKind::IntegerMenu => {
                let items = self.items.iter().take(MOST_NAMED);
                let items: Vec<_> = items.map(|(item, name)| format!("{item} ({name})")).collect();
                either(&items)
            }
            ControlKind::Bitmask => format!("bits of {maximum:#x}"),
            _ if *step > 1 => format!("{minimum} to {maximum} in steps of {step}"),
            _ => format!("{minimum} to {maximum}"),
        };
        format!("it must be {fit}")
    }
}

/// How many items of a menu a message lists. A menu may have hundreds, and a message has room for a
/// thousand bytes.
const MOST_NAMED: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn control(kind: ControlKind) -> Control {
        Control {
            id: 1,
            name: "Some".into(),
            kind,
            minimum: -5,
            maximum: 10,
            step: 5,
            default: 0,
            value: Some(0),
            items: Arc::from([(1, "one".into()), (3, "three".into())]),
            access: Access::Free,
            is_volatile: false,
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_does() {
        let refused = |kind, value| control(kind).accepts(value).expect_err("refused");
        assert_eq!(refused(ControlKind::Integer, 11), "it must be -5 to 10 in steps of 5");
        assert_eq!(refused(ControlKind::Menu, 2), "it must be 1 (one) or 3 (three)");
        assert_eq!(refused(ControlKind::Bitmask, 5), "it must be bits of 0xa");
        for (kind, value) in [
            (ControlKind::Integer, -5),
            (ControlKind::Integer64, 10),
            (ControlKind::Menu, 3),
            (ControlKind::IntegerMenu, 1),
            (ControlKind::Bitmask, 10),
            (ControlKind::Button, i64::MIN),
        ] {
            assert_eq!(control(kind).accepts(value), Ok(()), "{kind:?}");
        }
        let inside_out = Control { minimum: 9, maximum: -9, ..control(ControlKind::Integer) };
        assert_eq!(inside_out.accepts(i64::MAX), Ok(()));
    }

    #[test]
    fn what_cannot_be_set_now_is_refused_with_the_reason() {
        for access in [
            Access::ReadOnly,
            Access::Automatic,
            Access::Grabbed,
            Access::ChangesFrames,
            Access::Lancams,
        ] {
            let refused = Control { access, ..control(ControlKind::Integer) }.accepts(0);
            assert_eq!(refused, Err(access.reason().to_owned()));
            assert!(!access.reason().is_empty());
        }
    }
}
