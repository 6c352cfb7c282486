//! Asks X for the text that was copied elsewhere: one short piece, and nothing that comes in several (ICCCM, 2.4 and 2.7).

use super::Pasted;
use super::replies::{answer, done};
use std::io;
use x11rb::protocol::xproto::{ConnectionExt as _, SelectionNotifyEvent, Window};
use x11rb::rust_connection::RustConnection;

/// What was asked for and has not come, and what has come.
#[derive(Debug, Default)]
pub(super) struct Clipboard {
    asked: Option<Asked>,
    pasted: Option<Pasted>,
}

/// Where the text is to be put.
#[derive(Debug, Clone, Copy)]
struct Asked {
    window: Window,
    property: u32,
    /// What a text is called that comes in several pieces.
    pieces: u32,
}

/// Longer texts are not read.
const MOST_WORDS: u32 = 256;

impl Clipboard {
    /// Asks for the text; `window` is one of this connection's own.
    pub(super) fn ask(&mut self, connection: &RustConnection, window: Window) -> io::Result<()> {
        let atom = |name: &str| {
            let asked = answer(connection.intern_atom(false, name.as_bytes()))?;
            io::Result::Ok(asked.atom)
        };
        let (clipboard, text) = (atom("CLIPBOARD")?, atom("UTF8_STRING")?);
        let asked = Asked { window, property: atom("_LANCAM_PASTED")?, pieces: atom("INCR")? };
        let now = x11rb::CURRENT_TIME;
        let sent = connection.convert_selection(window, clipboard, text, asked.property, now);
        done(sent)?;
        self.asked = Some(asked);
        Ok(())
    }

    /// Hears what has become of a question; what nobody asked for is not looked at.
    pub(super) fn hear(&mut self, connection: &RustConnection, event: &SelectionNotifyEvent) {
        let Some(asked) = self.asked.take_if(|asked| asked.window == event.requestor) else {
            return;
        };
        // Nobody has copied anything, or no text.
        let has_come = event.property == asked.property;
        let read = if has_come { read(connection, asked) } else { Ok(Pasted::Nothing) };
        self.pasted = Some(read.unwrap_or(Pasted::Nothing));
    }

    /// What has come, once.
    pub(super) fn take(&mut self) -> Option<Pasted> {
        self.pasted.take()
    }
}

fn read(connection: &RustConnection, asked: Asked) -> io::Result<Pasted> {
    let Asked { window, property, pieces } = asked;
    let any = 0_u32;
    let found = answer(connection.get_property(false, window, property, any, 0, MOST_WORDS))?;
    if found.type_ == pieces {
        // Taking it away would ask for the first piece.
        return Ok(Pasted::TooLong);
    }
    done(connection.delete_property(window, property))?;
    Ok(match String::from_utf8(found.value) {
        _ if found.bytes_after > 0 => Pasted::TooLong,
        Ok(text) if found.format == 8 => Pasted::Text(text),
        _ => Pasted::Nothing,
    })
}
