//! Text that was copied elsewhere, for the field below the list of cameras and for that of a code.

use super::Show;
use crate::viewer::paint::badges::Mood;
use crate::viewer::stage::wall::NotPasted;
use crate::viewer::stage::window::desktop::{Desktop, Pasted};

impl Show {
    /// Asks for what was copied; it comes later.
    pub(super) fn ask_for_paste(&mut self) {
        let Some(desktop) = &mut self.desktop else {
            let why = NotPasted::NoClipboard(self.wall.field());
            return self.say(Mood::Bad, why.to_string());
        };
        if let Err(error) = desktop.ask_for_paste() {
            self.say(Mood::Bad, format!("cannot paste: {error}"));
        }
    }

    /// Puts what has come into the field; says whether something is new.
    pub(super) fn take_pasted(&mut self) -> bool {
        let Some(pasted) = self.desktop.as_mut().and_then(Desktop::pasted) else {
            return false;
        };
        let why = match pasted {
            Pasted::Text(text) => self.wall.paste(&text).err().map(|why| why.to_string()),
            Pasted::TooLong => Some(NotPasted::TooLong(self.wall.field()).to_string()),
            Pasted::Nothing => Some("there is no copied text to paste".to_owned()),
        };
        if let Some(why) = why {
            self.say(Mood::Bad, why);
        }
        true
    }
}
