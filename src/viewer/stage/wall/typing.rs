//! The field for an address or name below the list of cameras.

use super::{Action, Choice, Sheet, Wall};
use crate::plain::is_plain;
use crate::viewer::stage::input::Key;
use crate::viewer::stage::keys::Command;

/// The longest text. A host's name has at most 255 bytes (RFC 1035), plus scheme and port.
const LONGEST: usize = 300;

impl Wall {
    /// The text in the field.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Whether keys go into the field: it is marked, or the list is empty.
    pub fn is_in_field(&self) -> bool {
        let is_marked = self.choice.is_some_and(|choice| choice.marked >= choice.count);
        is_marked && self.sheet == Sheet::None
    }

    /// Whether the user has gone into the field, or typed something.
    pub(super) fn types(&self) -> bool {
        let is_marked = |choice: Choice| choice.marked >= choice.count && choice.is_moved;
        self.choice.is_some_and(is_marked) || !self.typed.is_empty()
    }

    /// Marks the field.
    pub fn go_into_field(&mut self) {
        if let Some(choice) = &mut self.choice {
            (choice.marked, choice.is_moved) = (choice.count, true);
        }
    }

    /// Handles a key for the field, pressed or held. Returns an action if the key types nothing.
    pub(super) fn type_in(&mut self, key: Key, is_held: bool) -> Option<Action> {
        let is_empty = self.typed.is_empty();
        match key {
            // While the field is empty, these keys mean what they mean elsewhere.
            Key::Character('q' | '?' | '/') if is_empty => {}
            Key::Character(letter) => {
                let has_room = self.typed.len() + letter.len_utf8() <= LONGEST;
                if has_room && is_plain(letter) && !(is_empty && letter == ' ') {
                    self.typed.push(letter);
                    self.go_into_field();
                }
                return None;
            }
            Key::Backspace if !is_empty => {
                self.typed.pop();
                return None;
            }
            Key::Escape if !is_empty && !is_held => {
                self.typed.clear();
                return None;
            }
            Key::Enter if !is_empty => return (!is_held).then_some(Action::WatchTyped),
            _ => {}
        }
        let command = Command::of(key).filter(|command| !is_held || command.repeats())?;
        self.obey(command)
    }
}
