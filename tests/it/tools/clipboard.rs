//! A program on a test's screen that owns the clipboard.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Puts `text` into the clipboard of `display`, until another program replaces it or the server ends. The
/// receiver gets a message each time a program has taken the text.
pub fn copy(display: &str, text: &str) -> Receiver<()> {
    let (connection, screen) = RustConnection::connect(Some(display)).expect("a display");
    let atom = |name: &[u8]| {
        let asked = connection.intern_atom(false, name).expect("asked");
        asked.reply().expect("an atom").atom
    };
    let (clipboard, utf8) = (atom(b"CLIPBOARD"), atom(b"UTF8_STRING"));
    let window = connection.generate_id().expect("a number");
    let root = connection.setup().roots[screen].root;
    let made = connection.create_window(
        0,
        window,
        root,
        0,
        0,
        1,
        1,
        0,
        WindowClass::INPUT_ONLY,
        x11rb::COPY_FROM_PARENT,
        &CreateWindowAux::new(),
    );
    made.expect("sent").check().expect("a window");
    let owns = connection.set_selection_owner(window, clipboard, x11rb::CURRENT_TIME);
    owns.expect("sent").check().expect("it is ours");
    let text = text.to_owned();
    let (given, is_given) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let Ok(event) = connection.wait_for_event() else { return };
            let Event::SelectionRequest(asked) = event else { return };
            let is_text = asked.target == utf8;
            if is_text {
                let put = connection.change_property8(
                    PropMode::REPLACE,
                    asked.requestor,
                    asked.property,
                    utf8,
                    text.as_bytes(),
                );
                put.expect("sent").check().expect("put");
            }
            let answer = SelectionNotifyEvent {
                response_type: SELECTION_NOTIFY_EVENT,
                sequence: 0,
                time: asked.time,
                requestor: asked.requestor,
                selection: asked.selection,
                target: asked.target,
                property: if is_text { asked.property } else { AtomEnum::NONE.into() },
            };
            let sent = connection.send_event(false, asked.requestor, EventMask::NO_EVENT, answer);
            sent.expect("sent").check().expect("told");
            // The test may not listen.
            let _ = given.send(());
        }
    });
    is_given
}
