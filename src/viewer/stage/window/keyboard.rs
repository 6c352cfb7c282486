//! Turns what `minifb` reports about the keyboard into keys.

use super::mouse::Button;
use crate::viewer::stage::input::{Input, Key};
use minifb::InputCallback;
use std::sync::mpsc::Sender;

/// A report of `minifb` about the keyboard.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stroke {
    /// The character that a key types in the user's layout.
    Character(char),
    Key(minifb::Key, Button),
}

/// The keys that are held.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    down: Vec<minifb::Key>,
    /// Whether the last key was held already, so that its character is a repetition.
    is_repeating: bool,
}

/// Receives `minifb`'s reports and passes them on.
pub(super) struct Reporter(pub(super) Sender<Stroke>);

impl InputCallback for Reporter {
    fn add_char(&mut self, code: u32) {
        if let Some(letter) = char::from_u32(code).filter(|letter| !letter.is_control()) {
            // Fails only while the window is being closed.
            let _ = self.0.send(Stroke::Character(letter));
        }
    }

    fn set_key_state(&mut self, key: minifb::Key, is_down: bool) {
        let state = if is_down { Button::Down } else { Button::Up };
        let _ = self.0.send(Stroke::Key(key, state));
    }
}

impl Keyboard {
    /// The input that a report means. On Wayland, a key's character comes before the key; elsewhere after it.
    pub(super) fn hear(&mut self, stroke: Stroke) -> Option<Input> {
        let key = match stroke {
            Stroke::Character(_) if self.holds(&OF_THE_DESKTOP) => return None,
            Stroke::Character(letter) if self.is_locked(letter) => {
                Key::Locked(on_us_keyboard(letter))
            }
            Stroke::Character(letter) => Key::Character(on_us_keyboard(letter)),
            Stroke::Key(key, Button::Up) => {
                self.down.retain(|&down| down != key);
                self.is_repeating = false;
                return None;
            }
            Stroke::Key(key, Button::Down) => {
                self.is_repeating = self.down.contains(&key);
                if !self.is_repeating {
                    self.down.push(key);
                }
                let paste = self.is_paste(key).then_some(Key::Paste);
                named(key, self.holds(&SHIFT)).or(paste)?
            }
        };
        Some(if self.is_repeating { Input::Repeat(key) } else { Input::Key(key) })
    }

    /// No key is held any more: a key released outside of the window is not reported.
    pub(super) fn forget(&mut self) {
        self.down.clear();
    }

    /// Whether Caps Lock has changed the case of a letter that was typed.
    fn is_locked(&self, letter: char) -> bool {
        match self.holds(&SHIFT) {
            true => letter.is_lowercase(),
            false => letter.is_uppercase(),
        }
    }

    /// Whether this key means what Ctrl+V and Shift+Insert mean.
    fn is_paste(&self, key: minifb::Key) -> bool {
        match key {
            minifb::Key::V => self.holds(&PASTES),
            minifb::Key::Insert => self.holds(&SHIFT),
            _ => false,
        }
    }

    fn holds(&self, keys: &[minifb::Key]) -> bool {
        self.down.iter().any(|down| keys.contains(down))
    }
}

const SHIFT: [minifb::Key; 2] = [minifb::Key::LeftShift, minifb::Key::RightShift];

/// What is held to paste with `v`.
#[cfg(not(target_os = "macos"))]
const PASTES: [minifb::Key; 2] = [minifb::Key::LeftCtrl, minifb::Key::RightCtrl];
#[cfg(target_os = "macos")]
const PASTES: [minifb::Key; 2] = [minifb::Key::LeftSuper, minifb::Key::RightSuper];

/// With these, keys belong to the desktop. Not the right Alt key, which types letters on many keyboards.
const OF_THE_DESKTOP: [minifb::Key; 5] = [
    minifb::Key::LeftCtrl,
    minifb::Key::RightCtrl,
    minifb::Key::LeftAlt,
    minifb::Key::LeftSuper,
    minifb::Key::RightSuper,
];

/// The letters of other scripts' keyboards in the places of a US keyboard. Needed because `minifb` does not report places.
const US: &str = "qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const OTHERS: [&str; 5] = [
    "йцукенгшщзхъфывапролджэячсмитьбю",
    // Ukrainian, which differs in a few.
    "йцукенгшщзхїфівапролджєячсмитьбю",
    "\0ςερτυθιοπ\0\0ασδφγηξκλ\0\0ζχψωβνμ\0\0",
    "\0\0קראטוןםפ\0\0שדגכעיחלךף\0זסבהנמצתץ",
    "ضصثقفغعهخحجدشسيبلاتنمكطئءؤر\0ىةوز",
];

/// A letter of another script as the character in its place on a US keyboard. Other characters stay.
fn on_us_keyboard(letter: char) -> char {
    if letter.is_ascii() {
        return letter;
    }
    let small = letter.to_lowercase().next().unwrap_or(letter);
    let at = OTHERS.into_iter().find_map(|row| row.chars().position(|other| other == small));
    match at.and_then(|at| US.chars().nth(at)) {
        Some(us) if small != letter => us.to_ascii_uppercase(),
        Some(us) => us,
        None => letter,
    }
}

/// Keys that type nothing. The others are reported by what they type.
fn named(key: minifb::Key, is_shifted: bool) -> Option<Key> {
    Some(match key {
        minifb::Key::Escape => Key::Escape,
        minifb::Key::Enter | minifb::Key::NumPadEnter => Key::Enter,
        minifb::Key::Tab if is_shifted => Key::BackTab,
        minifb::Key::Tab => Key::Tab,
        minifb::Key::Up => Key::Up,
        minifb::Key::Down => Key::Down,
        minifb::Key::Left if is_shifted => Key::FarLeft,
        minifb::Key::Left => Key::Left,
        minifb::Key::Right if is_shifted => Key::FarRight,
        minifb::Key::Right => Key::Right,
        minifb::Key::Backspace => Key::Backspace,
        minifb::Key::Menu => Key::Menu,
        minifb::Key::F1 => Key::F1,
        minifb::Key::F11 => Key::F11,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs that come of these reports.
    fn heard(strokes: &[Stroke]) -> Vec<Input> {
        let mut keyboard = Keyboard::default();
        strokes.iter().filter_map(|stroke| keyboard.hear(*stroke)).collect()
    }

    const DOWN: Button = Button::Down;
    const UP: Button = Button::Up;

    #[test]
    fn keys_that_type_are_what_they_type_and_others_what_stands_on_them() {
        use minifb::Key as Of;
        let key = |key: Of| heard(&[Stroke::Key(Of::LeftShift, DOWN), Stroke::Key(key, DOWN)]);
        assert_eq!(heard(&[Stroke::Character('ß')]), [Input::Key(Key::Character('ß'))]);
        assert_eq!(key(Of::Q), [], "it types");
        assert_eq!(key(Of::Tab), [Input::Key(Key::BackTab)]);
        assert_eq!(key(Of::Left), [Input::Key(Key::FarLeft)]);
        assert_eq!(heard(&[Stroke::Key(Of::Tab, UP)]), []);
        for (typed, us) in
            ["йЙыї", "ςΣ", "שק", "ضش", "é"].iter().zip(["qQs]", "wS", "ae", "qa", "é"])
        {
            assert_eq!(typed.chars().map(on_us_keyboard).collect::<String>(), us);
        }
        for row in OTHERS {
            assert!(row.chars().count() <= US.chars().count(), "{row}");
        }
    }

    #[test]
    fn a_key_that_is_held_repeats_itself_and_with_ctrl_it_is_not_the_viewers() {
        use minifb::Key as Of;
        let (r, typed) = (Stroke::Key(Of::R, DOWN), Stroke::Character('r'));
        let key = Key::Character('r');
        let (once, again) = (Input::Key(key), Input::Repeat(key));
        assert_eq!(heard(&[r, typed, r, typed, r, typed]), [once, again, again]);
        let up = Stroke::Key(Of::R, UP);
        assert_eq!(heard(&[r, typed, up, r, typed]), [once, once]);
        assert_eq!(heard(&[typed, r, up, typed, r]), [once, once], "as Wayland has it");
        for modifier in OF_THE_DESKTOP {
            let (down, up) = (Stroke::Key(modifier, DOWN), Stroke::Key(modifier, UP));
            assert_eq!(heard(&[down, r, typed]), [], "{modifier:?}");
            assert_eq!(heard(&[down, up, r, typed]), [once], "{modifier:?}");
        }
        assert_eq!(heard(&[Stroke::Key(Of::RightAlt, DOWN), Stroke::Character('[')]).len(), 1);
        let (v, typed) = (Stroke::Key(Of::V, DOWN), Stroke::Character('v'));
        let paste = [Input::Key(Key::Paste)];
        for held in PASTES {
            assert_eq!(heard(&[Stroke::Key(held, DOWN), v, typed]), paste, "{held:?}");
        }
        assert_eq!(heard(&[v]), [], "it types");
        let (shift, insert) = (Stroke::Key(Of::LeftShift, DOWN), Stroke::Key(Of::Insert, DOWN));
        assert_eq!((heard(&[shift, insert]), heard(&[insert])), (paste.to_vec(), vec![]));
    }
}
