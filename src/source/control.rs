//! The controls of an open source, for others than the thread that captures from it.
//!
//! That thread is not asked: a driver answers calls for controls while another thread waits for its frames,
//! and a camera may take longer over one than a frame lasts.

use crate::wording::either;
use std::sync::Arc;

/// An open source's controls. It must be dropped before the source is opened again.
pub trait Board {
    /// All of them, as they are now.
    fn list(&mut self) -> Vec<Control>;

    /// One of them, as it is now.
    fn control(&mut self, id: u32) -> Option<Control>;

    /// Sets one; what the source made of it, [`control`](Self::control) says.
    ///
    /// # Errors
    /// Why it was not set, and what is expected.
    fn set(&mut self, id: u32, value: i64) -> Result<(), String>;
}

/// A board that may be given to another thread.
pub type AnyBoard = Box<dyn Board + Send>;

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its V4L2 number.
    pub id: u32,
    /// Its name, for people: `Exposure Time, Absolute`.
    pub name: String,
    /// What kind of value it has.
    pub kind: ControlKind,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
    /// Distance between values.
    pub step: u64,
    /// Value after power-on.
    pub default: i64,
    /// Value now; `None` where it has none, or keeps it secret.
    pub value: Option<i64>,
    /// What the values of a menu are called; menus have gaps.
    pub items: Arc<[(i64, String)]>,
    /// Whether it can be set.
    pub access: Access,
    /// Whether the source changes its value by itself.
    pub is_volatile: bool,
}

/// What kind of value a control has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// A number.
    Integer,
    /// 0 or 1.
    Boolean,
    /// One of its items.
    Menu,
    /// Does something when it is set.
    Button,
    /// A number of 64 bits.
    Integer64,
    /// Bits of its greatest value.
    Bitmask,
    /// One of its items, which are numbers.
    IntegerMenu,
}

/// Whether a control can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Now.
    Free,
    /// Never.
    ReadOnly,
    /// Not before an automatic is off.
    Automatic,
    /// Not while somebody uses it.
    Grabbed,
    /// Not while frames flow: they would become others.
    ChangesFrames,
    /// lancam itself sets it, as its options say.
    Lancams,
}

impl Access {
    /// Why it cannot be set; empty when it can.
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
    /// Whether it can be set to `value` as things are.
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
            // A range the wrong way round is no range; the driver may know what it takes.
            _ => maximum < minimum || (*minimum..=*maximum).contains(&value),
        };
        if is_fit {
            return Ok(());
        }
        Err(self.expected())
    }

    /// What a value must be.
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

/// A menu may have hundreds of items, and a message a thousand bytes.
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
