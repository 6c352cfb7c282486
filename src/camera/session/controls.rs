//! What a native viewer asks of the camera's controls, and what it is told.

use super::waiter::Waiter;
use crate::camera::desk::{Answer, Desk, Visitor};
use crate::source::control::{self, Access};
use crate::wire::native::control::{Control, ControlFlags, ControlKind};
use crate::wire::native::message::{Message, StatusCode};
use std::io;
use std::sync::Arc;

/// One viewer at the desk, once it has asked for something there.
pub(super) struct Controls {
    /// `None` where viewers set no controls.
    desk: Option<Arc<Desk>>,
    visitor: Option<Visitor>,
    /// Whether the waiter wakes at answers.
    is_listening: bool,
}

/// What a viewer asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question {
    /// All controls.
    List,
    /// One to be set.
    Set { id: u32, value: i64 },
}

/// Whether the waiter has begun to wake at answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listening {
    /// It has: those that came before must be looked for.
    FromNow,
    /// It did before, or there is nothing to wait for.
    AsBefore,
}

impl Controls {
    pub(super) fn new(desk: Option<Arc<Desk>>) -> Self {
        Self { desk, visitor: None, is_listening: false }
    }

    /// Passes a question on; where nobody answers those, it is refused at once.
    pub(super) fn ask(&mut self, question: Question, messages: &mut Vec<u8>) {
        let Some(desk) = &self.desk else {
            let text = "this camera's controls cannot be changed from viewers: \
                        it was not started with --control lan";
            Message::Status { code: StatusCode::Refused, text }.write_to(messages);
            return;
        };
        let visitor = self.visitor.get_or_insert_with(|| Visitor::new(desk));
        match question {
            Question::List => visitor.list(),
            Question::Set { id, value } => visitor.set(id, value),
        }
    }

    /// Has the waiter wake at answers, once there was a question.
    pub(super) fn listen(&mut self, waiter: &Waiter) -> io::Result<Listening> {
        match &mut self.visitor {
            Some(visitor) if !self.is_listening => {
                self.is_listening = true;
                waiter.listen_to(visitor.ring())?;
                Ok(Listening::FromNow)
            }
            _ => Ok(Listening::AsBefore),
        }
    }

    /// Whether the viewer has to take answers before it is asked again.
    pub(super) fn is_crowded(&self) -> bool {
        self.visitor.as_ref().is_some_and(Visitor::is_crowded)
    }

    /// Writes what has come, as long as `messages` is not above `most`.
    pub(super) fn answer(&mut self, messages: &mut Vec<u8>, most: usize) {
        let Some(visitor) = &mut self.visitor else { return };
        while messages.len() <= most {
            match visitor.answer() {
                None => return,
                Some(Answer::List { controls, reason }) => write_list(&controls, &reason, messages),
                Some(Answer::Control(control)) => write_control(&control, messages),
                Some(Answer::Refused(text)) => {
                    Message::Status { code: StatusCode::Refused, text: &text }.write_to(messages);
                }
            }
        }
    }
}

fn write_list(controls: &[control::Control], reason: &str, messages: &mut Vec<u8>) {
    let count: usize = controls.iter().map(|control| 1 + control.items.len()).sum();
    // A driver's controls and items are limited far below.
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

fn kind(kind: control::Kind) -> ControlKind {
    match kind {
        control::Kind::Integer => ControlKind::Integer,
        control::Kind::Boolean => ControlKind::Boolean,
        control::Kind::Menu => ControlKind::Menu,
        control::Kind::Button => ControlKind::Button,
        control::Kind::Integer64 => ControlKind::Integer64,
        control::Kind::Bitmask => ControlKind::Bitmask,
        control::Kind::IntegerMenu => ControlKind::IntegerMenu,
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
