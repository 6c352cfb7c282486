//! The field for the selected camera's code.

use super::{Action, Arrangement, Sheet, Wall};
use crate::plain::is_plain;
use crate::viewer::stage::input::Key;
use crate::viewer::stage::keys::Command;

/// The code of the selected camera, as far as it was typed.
#[derive(Debug, Default)]
pub struct CodeField {
    /// Letters and digits alone, in capitals.
    letters: String,
    /// What is wrong with it.
    complaint: Option<String>,
}

/// More letters than a code has, so that a surplus one is seen and can be taken away.
const MOST_LETTERS: usize = 20;

/// The longest text that can be a code and its surroundings.
const LONGEST_PASTED: usize = 200;

/// How many letters stand between two dashes.
const GROUP: usize = 4;

impl CodeField {
    /// The code as people read it: `K7QM-2XPD`.
    pub fn shown(&self) -> String {
        let letters: Vec<char> = self.letters.chars().collect();
        let groups: Vec<String> = letters.chunks(GROUP).map(|it| it.iter().collect()).collect();
        groups.join("-")
    }

    /// What is wrong with what was typed.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    fn push(&mut self, letter: char) {
        let letter = letter.to_ascii_uppercase();
        let is_between = letter.is_whitespace() || !letter.is_alphanumeric();
        if is_between || !is_plain(letter) || self.letters.chars().count() >= MOST_LETTERS {
            return;
        }
        self.letters.push(letter);
        self.complaint = None;
    }
}

impl Wall {
    /// The field for the code.
    pub fn code(&self) -> &CodeField {
        &self.code
    }

    /// Notes whether camera `index` wants a code.
    pub fn note_code_wanted(&mut self, index: usize, is_wanted: bool) {
        if let Some(pane) = self.panes.get_mut(index) {
            pane.wants_code = is_wanted;
        }
    }

    /// Opens the field for the selected camera's code.
    pub fn ask_for_code(&mut self) {
        self.code = CodeField::default();
        self.sheet = Sheet::Code;
    }

    /// Says in the field what is wrong with what was typed.
    pub fn refuse_code(&mut self, why: String) {
        self.code.complaint = Some(why);
    }

    /// Closes the field, if it is open, and forgets what was typed.
    pub fn close_code(&mut self) {
        self.code = CodeField::default();
        if self.sheet == Sheet::Code {
            self.sheet = Sheet::None;
        }
    }

    /// Puts the clipboard's text in the place of what was typed.
    pub(super) fn paste_code(&mut self, text: &str) {
        self.code = CodeField::default();
        for letter in text.chars().take(LONGEST_PASTED) {
            self.code.push(letter);
        }
    }

    /// Handles a key for the field, pressed or held. All letters may be part of a code.
    pub(super) fn type_code(&mut self, key: Key, is_held: bool) -> Option<Action> {
        match key {
            Key::Character(letter) | Key::Locked(letter) => self.code.push(letter),
            Key::Backspace => {
                self.code.letters.pop();
                self.code.complaint = None;
            }
            Key::Enter if !is_held && !self.code.letters.is_empty() => return Some(Action::Pair),
            Key::Escape if !is_held => {
                self.close_code();
                // Beside others, the camera can wait. Alone, it leaves nothing to look at.
                let is_beside_others = self.arrangement == Arrangement::Grid && self.is_grid();
                return (!is_beside_others).then_some(Action::List);
            }
            Key::F11 if !is_held => return self.obey(Command::FullScreen),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::stage::input::Input;

    fn type_all(wall: &mut Wall, text: &str) {
        for letter in text.chars() {
            assert_eq!(wall.take(Input::Key(Key::Character(letter))), None, "{letter}");
        }
    }

    fn asked(cameras: usize) -> Wall {
        let mut wall = Wall::new(cameras);
        wall.ask_for_code();
        wall
    }

    #[test]
    fn every_letter_goes_into_the_field_and_none_is_a_command() {
        let mut wall = asked(1);
        type_all(&mut wall, "q?k7 qm-2x/pd9hrt");
        assert_eq!(wall.code().shown(), "QK7Q-M2XP-D9HR-T");
        assert_eq!(wall.sheet, Sheet::Code);
        for _ in 0..9 {
            wall.take(Input::Repeat(Key::Backspace));
        }
        assert_eq!(wall.code().shown(), "QK7Q");
        type_all(&mut wall, &"a".repeat(100));
        assert_eq!(wall.code().shown().len(), MOST_LETTERS + MOST_LETTERS / GROUP - 1);
    }

    #[test]
    fn enter_pairs_and_what_is_wrong_stays_until_something_is_typed() {
        let mut wall = asked(1);
        assert_eq!(wall.take(Input::Key(Key::Enter)), None, "there is nothing");
        type_all(&mut wall, "k7qm");
        assert_eq!(wall.take(Input::Repeat(Key::Enter)), None);
        assert_eq!(wall.take(Input::Key(Key::Enter)), Some(Action::Pair));
        wall.refuse_code("a code has 12 letters".into());
        assert_eq!(wall.code().complaint(), Some("a code has 12 letters"));
        type_all(&mut wall, "2");
        assert_eq!(wall.code().complaint(), None);
    }

    #[test]
    fn a_pasted_code_takes_the_place_of_what_was_typed() {
        let mut wall = asked(1);
        type_all(&mut wall, "zzz");
        assert_eq!(wall.take(Input::Key(Key::Paste)), Some(Action::Paste));
        wall.paste(" K7QM–2XPD–9HRT\n").expect("a code");
        assert_eq!(wall.code().shown(), "K7QM-2XPD-9HRT");
        wall.paste(&"x".repeat(1 << 20)).expect("some of it");
        assert_eq!(wall.code().shown().replace('-', "").len(), MOST_LETTERS);
    }

    #[test]
    fn escape_shows_the_list_or_the_other_cameras_and_enter_asks_again() {
        let mut wall = asked(1);
        type_all(&mut wall, "k7");
        assert_eq!(wall.take(Input::Key(Key::Escape)), Some(Action::List));
        assert_eq!((wall.sheet, wall.code().shown()), (Sheet::None, String::new()));
        let mut wall = asked(2);
        assert_eq!(wall.take(Input::Key(Key::Escape)), None);
        assert_eq!(wall.sheet, Sheet::None);
        wall.note_code_wanted(0, true);
        assert_eq!(wall.take(Input::Key(Key::Enter)), None);
        assert_eq!(wall.sheet, Sheet::Code, "it is not enlarged");
        wall.close_code();
        wall.note_code_wanted(0, false);
        wall.take(Input::Key(Key::Enter));
        assert!(!wall.is_grid(), "it is enlarged");
    }
}
