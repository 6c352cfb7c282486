//! The field for an address or name below the list of cameras.

use super::{Action, Choice, Sheet, Wall};
use crate::plain::is_plain;
use crate::viewer::stage::input::Key;
use crate::viewer::stage::keys::Command;

/// Why the clipboard's text cannot be pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPasted {
    /// It has several lines, or invisible letters.
    #[error("only one line can be pasted here: a camera's name or address")]
    NotOneLine,
    /// There is no room for it.
    #[error("what you copied is too long for {}", .0.thing())]
    TooLong(Field),
    /// This desktop's clipboard cannot be read.
    #[error("pasting does not work on this desktop. Type {}, or start the viewer with it: {}", .0.thing(), .0.started_with())]
    NoClipboard(Field),
}

/// What is typed into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A camera's address or name.
    Address,
    /// A camera's code.
    Code,
}

impl Field {
    fn thing(self) -> &'static str {
        match self {
            Self::Address => "an address",
            Self::Code => "a code",
        }
    }

    fn started_with(self) -> &'static str {
        match self {
            Self::Address => "lancam-view ADDRESS",
            Self::Code => "lancam-view CAMERA --code CODE",
        }
    }
}

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

    /// Whether a field is on the screen: that of the list, or that for a code.
    pub(super) fn has_field(&self) -> bool {
        self.choice.is_some() && self.sheet == Sheet::None || self.sheet == Sheet::Code
    }

    /// Which field that is.
    pub fn field(&self) -> Field {
        if self.sheet == Sheet::Code { Field::Code } else { Field::Address }
    }

    /// Adds the clipboard's text to the typed text: all of it, without the blanks around it, or nothing. A code takes the
    /// place of what was typed.
    ///
    /// # Errors
    /// When it cannot be an address.
    pub fn paste(&mut self, text: &str) -> Result<(), NotPasted> {
        let text = text.trim();
        if !self.has_field() || text.is_empty() {
            return Ok(());
        }
        if self.field() == Field::Code {
            self.paste_code(text);
            return Ok(());
        }
        if !text.chars().all(is_plain) {
            return Err(NotPasted::NotOneLine);
        }
        if self.typed.len() + text.len() > LONGEST {
            return Err(NotPasted::TooLong(Field::Address));
        }
        self.typed.push_str(text);
        self.go_into_field();
        Ok(())
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
            Key::Character(letter) | Key::Locked(letter) => {
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
