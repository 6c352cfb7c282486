//! A camera's controls as the viewer knows them, and what it wants of them: between the window's thread and a receiver's.

mod listing;
mod remote;
mod table;

use crate::wire::native::control::{self, ControlFlags, ControlKind};
pub use remote::Remote;
pub(super) use remote::Request;

/// What is known of a camera's controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls {
    /// How far it is known.
    pub state: State,
    /// All of them, in the camera's order, as they were last told or set here.
    pub all: Vec<Control>,
    /// Why the camera did not do what it was last asked, until it is asked again.
    pub complaint: Option<String>,
}

/// How far a camera's controls are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Nobody wants to know.
    #[default]
    Closed,
    /// There is no connection; those that were known may have changed.
    Disconnected,
    /// The camera was asked.
    Asked,
    /// They are known.
    Listed,
    /// It has none, or tells none, and why.
    Refused(String),
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its V4L2 number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What kind of value it has.
    pub kind: ControlKind,
    /// What else is known of it.
    pub flags: ControlFlags,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
    /// Distance between values.
    pub step: u64,
    /// Value after power-on.
    pub default: i64,
    /// Value now.
    pub value: i64,
    /// What the values of a menu are called; menus have gaps.
    pub items: Vec<(i64, String)>,
    /// Why it cannot be changed; `None` when it can.
    pub greyed: Option<String>,
}

impl From<&control::Control<'_>> for Control {
    fn from(told: &control::Control<'_>) -> Self {
        let greyed = match (told.writable, told.reason) {
            (true, _) => None,
            (false, "") => Some("it cannot be changed for now".to_owned()),
            (false, reason) => Some(reason.to_owned()),
        };
        Self {
            id: told.id,
            name: told.name.into(),
            kind: told.kind,
            flags: told.flags,
            minimum: told.minimum,
            maximum: told.maximum,
            step: told.step,
            default: told.default,
            value: told.value,
            items: Vec::new(),
            greyed,
        }
    }
}
