//! Asks for the codes of cameras that want one.

use super::Show;
use crate::viewer::stage::wall::Sheet;
use crate::viewer::watch::news::NoticeKind;
use crate::wire::access::code::Code;

impl Show {
    /// Pairs with the selected camera by the typed code.
    pub(super) fn pair(&mut self) {
        let Some(tile) = self.tiles.get(self.wall.selected()) else { return };
        match Code::parse(&self.wall.code().shown()) {
            Ok(code) => tile.channel.pair(code),
            Err(error) => self.wall.refuse_code(error.to_string()),
        }
    }

    /// Opens the field when the only visible camera begins to want a code, and closes it when the camera has let this viewer
    /// in. Returns whether that changed anything.
    pub(super) fn hear_of_codes(&mut self) -> bool {
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            let kind = tile.channel.notice.as_ref().map(|standing| standing.notice.kind);
            tile.wants_code = kind.is_some_and(NoticeKind::wants_code);
            self.wall.note_code_wanted(index, tile.wants_code);
            if !tile.wants_code && kind != Some(NoticeKind::Pairing) {
                tile.was_asked = false;
            }
        }
        let before = self.wall.sheet;
        let (is_alone, is_free) = (!self.wall.is_grid(), before == Sheet::None);
        let Some(tile) = self.tiles.get_mut(self.wall.selected()) else { return false };
        let kind = tile.channel.notice.as_ref().map(|standing| standing.notice.kind);
        match before {
            Sheet::Code if !tile.wants_code && kind != Some(NoticeKind::Pairing) => {
                self.wall.close_code();
            }
            _ if tile.wants_code
                && is_alone
                && is_free
                && self.chooser.is_none()
                && !std::mem::replace(&mut tile.was_asked, true) =>
            {
                self.wall.ask_for_code();
            }
            _ => {}
        }
        before != self.wall.sheet
    }
}
