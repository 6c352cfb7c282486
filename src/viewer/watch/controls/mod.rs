//! A camera's controls in the viewer, shared by the window's thread and the receiver's.

mod listing;
mod remote;
mod table;

use crate::wire::native::control::{self, ControlFlags, ControlKind};
pub use remote::Remote;
pub(super) use remote::Request;

/// What is known about a camera's controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls {
    /// How much is known.
    pub state: State,
    /// All controls in the camera's order, as last received or set here.
    pub all: Vec<Control>,
    /// Why the camera refused the last request. Cleared by the next one.
    pub complaint: Option<String>,
}

/// How much is known about a camera's controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// The panel is closed: nobody needs them.
    #[default]
    Closed,
    /// There is no connection. The controls known before may have changed.
    Disconnected,
    /// The camera was asked for the list.
    Asked,
    /// The list is complete.
    Listed,
    /// The camera has none or lists none, for this reason.
    Refused(String),
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its V4L2 number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The kind of its value.
    pub kind: ControlKind,
    /// Its V4L2 flags.
    pub flags: ControlFlags,
    /// The lowest value.
    pub minimum: i64,
    /// The highest value.
    pub maximum: i64,
    /// The distance between two values.
    pub step: u64,
    /// The default value.
    pub default: i64,
    /// The current value.
    pub value: i64,
    /// The values of a menu and their names. A menu may have gaps.
    pub items: Vec<(i64, String)>,
    /// Why it cannot be changed; `None` if it can.
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
