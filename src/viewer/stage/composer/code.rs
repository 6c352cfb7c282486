//! What the window shows of a camera that wants a code: the field that takes it.

use crate::viewer::paint::Canvas;
use crate::viewer::paint::code::{CodeSheet, State};
use crate::viewer::stage::tile::Tile;
use crate::viewer::stage::wall::Wall;
use crate::viewer::watch::news::NoticeKind;

/// Where the code is.
const WHERE_IT_IS: &str =
    "The camera's screen shows it. Or type on the camera's machine: sudo lancam pair";

/// Draws the field for the code of the selected camera.
pub(super) fn draw(canvas: &mut Canvas<'_>, wall: &Wall, tile: &Tile) {
    let typed = wall.code().shown();
    let sheet = CodeSheet {
        camera: tile.channel.name(),
        typed: &typed,
        advice: WHERE_IT_IS,
        state: state(wall, tile),
        leaving: if wall.is_grid() { "goes back" } else { "shows the list" },
    };
    sheet.draw(canvas);
}

/// How far the pairing is.
fn state<'a>(wall: &'a Wall, tile: &'a Tile) -> State<'a> {
    let notice = tile.channel.notice.as_ref().map(|standing| &*standing.notice);
    match (wall.code().complaint(), notice) {
        (Some(why), _) => State::Refused(why),
        (None, Some(notice)) => match notice.kind {
            NoticeKind::Pairing => State::Tried,
            NoticeKind::WantsCode | NoticeKind::Connecting | NoticeKind::NoPicture => State::Typed,
            // The notice itself is hidden behind the field.
            _ => State::Refused(&notice.text),
        },
        (None, None) => State::Typed,
    }
}
