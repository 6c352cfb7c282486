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
            if has_let_in(kind) {
                tile.was_asked = false;
            }
        }
        let before = self.wall.sheet;
        let (is_alone, is_free) = (!self.wall.is_grid(), before == Sheet::None);
        let Some(tile) = self.tiles.get_mut(self.wall.selected()) else { return false };
        let kind = tile.channel.notice.as_ref().map(|standing| standing.notice.kind);
        match before {
            Sheet::Code if has_let_in(kind) => self.wall.close_code(),
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

/// Whether the camera with this notice has let the viewer in. While it is looked for or away, the code may be typed on.
fn has_let_in(kind: Option<NoticeKind>) -> bool {
    kind.is_none_or(|kind| kind == NoticeKind::NoPicture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_on_while_the_camera_is_away_or_looked_for() {
        for (kind, is_in) in [
            (None, true),
            (Some(NoticeKind::NoPicture), true),
            (Some(NoticeKind::WantsCode), false),
            (Some(NoticeKind::Pairing), false),
            (Some(NoticeKind::OtherCamera), false),
            (Some(NoticeKind::Disconnected), false),
        ] {
            assert_eq!(has_let_in(kind), is_in, "{kind:?}");
        }
    }
}
