//! Writes answers about the source's controls as native messages.

use crate::camera::controls::Answer;
use crate::source::control::{self, Access};
use crate::wire::native::control::{Control, ControlFlags, ControlKind};
use crate::wire::native::message::{Message, StatusCode};

/// Appends an answer to `messages`.
pub(super) fn write(answer: &Answer, messages: &mut Vec<u8>) {
    match answer {
        Answer::List { controls, reason } => write_list(controls, reason, messages),
        Answer::Control(control) => write_control(control, messages),
        Answer::Refused(text) => {
            Message::Status { code: StatusCode::Refused, text }.write_to(messages);
        }
    }
}

fn write_list(controls: &[control::Control], reason: &str, messages: &mut Vec<u8>) {
    let count: usize = controls.iter().map(|control| 1 + control.items.len()).sum();
    // Never reached: drivers have far fewer controls and items.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Message::ControlList { count, reason }.write_to(messages);
    for control in controls {
        write_control(control, messages);
        for (value, name) in control.items.iter() {
            Message::MenuItem { id: control.id, value: *value, name }.write_to(messages);
        }
    }
}

fn write_control(control: &control::Control, messages: &mut Vec<u8>) {
    Message::Control(Control {
        id: control.id,
        writable: control.access == Access::Free,
        kind: kind(control.kind),
        flags: flags(control),
        minimum: control.minimum,
        maximum: control.maximum,
        step: control.step,
        default: control.default,
        value: control.value.unwrap_or(0),
        name: &control.name,
        reason: control.access.reason(),
    })
    .write_to(messages);
}

fn kind(kind: control::ControlKind) -> ControlKind {
    match kind {
        control::ControlKind::Integer => ControlKind::Integer,
        control::ControlKind::Boolean => ControlKind::Boolean,
        control::ControlKind::Menu => ControlKind::Menu,
        control::ControlKind::Button => ControlKind::Button,
        control::ControlKind::Integer64 => ControlKind::Integer64,
        control::ControlKind::Bitmask => ControlKind::Bitmask,
        control::ControlKind::IntegerMenu => ControlKind::IntegerMenu,
    }
}

fn flags(control: &control::Control) -> ControlFlags {
    [
        (control.access == Access::ReadOnly, ControlFlags::READ_ONLY),
        (control.access == Access::Automatic, ControlFlags::INACTIVE),
        (control.is_volatile, ControlFlags::VOLATILE),
        (control.value.is_none(), ControlFlags::UNREADABLE),
    ]
    .into_iter()
    .filter(|(is_so, _)| *is_so)
    .fold(ControlFlags::default(), |all, (_, flag)| all.and(flag))
}
