//! The list of keys, for the window and for `--help`'s reader.

use crate::viewer::paint::help::{Entry, Section};

const fn entry<'a>(keys: &'a [&'a str], what: &'a str) -> Entry<'a> {
    Entry { keys, what }
}

/// All keys, by what they are for.
pub const KEYS: [Section<'static>; 4] = [
    Section {
        title: "Window",
        entries: &[
            entry(&["q"], "quit"),
            entry(&["Esc"], "put away what lies on top, then quit"),
            entry(&["f", "F11"], "full screen, and back; or double click"),
            entry(&["?", "F1"], "this list, and back"),
        ],
    },
    Section {
        title: "Picture",
        entries: &[
            entry(&["+", "-"], "zoom; or the wheel"),
            entry(&["0"], "reset zoom"),
            entry(&["←", "→", "↑", "↓"], "move it when zoomed; or drag"),
            entry(&["[", "]"], "turn it left, right"),
            entry(&["h", "v"], "mirror it left-right, top-bottom"),
            entry(&["Space"], "pause, all cameras of a grid"),
        ],
    },
    Section {
        title: "Cameras",
        entries: &[
            entry(&["Tab"], "select the next; or click"),
            entry(&["Enter"], "enlarge it, and back; or double click"),
            entry(&["i"], "figures: age, rate, size"),
            entry(&["c"], "the camera's controls"),
            entry(&["l"], "another camera, from a list"),
        ],
    },
    Section {
        title: "Keep it",
        entries: &[
            entry(&["s"], "save the picture as PNG"),
            entry(&["Shift", "s"], "save the camera's own JPEG"),
            entry(&["r"], "record, and stop"),
        ],
    },
];
