//! The table of the window's keys, from which the list of keys, the menu, `--help`, the manual page and README.md are made.

use super::input::Key;
use crate::viewer::paint::help::{Entry, Section};
use crate::viewer::paint::menu;

/// A command by key, or by the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// End the program.
    Quit,
    /// Close what lies on top. If nothing does, quit.
    Back,
    /// Toggle full screen.
    FullScreen,
    /// Show or hide the list of keys.
    Help,
    /// Open or close the menu.
    Menu,
    /// Zoom in on the selected picture.
    ZoomIn,
    /// Zoom out.
    ZoomOut,
    /// Show the whole picture.
    Fit,
    /// Move a zoomed picture, the selection, a mark, or a control's value.
    Move(Way),
    /// Turn the picture a quarter to the left.
    TurnLeft,
    /// Turn it a quarter to the right.
    TurnRight,
    /// Mirror it left-right.
    MirrorLeftRight,
    /// Mirror it top-bottom.
    MirrorTopBottom,
    /// Pause or resume all pictures.
    Pause,
    /// Select the next camera.
    Next,
    /// Select the previous camera.
    Previous,
    /// Enlarge the selected camera, or go back to the grid. In a list, choose the marked line.
    Enlarge,
    /// Show or hide the figures.
    Figures,
    /// Show or hide the selected camera's controls.
    Controls,
    /// Show or hide the list of cameras on the LAN.
    List,
    /// Save the picture as PNG.
    SavePicture,
    /// Save the camera's own JPEG.
    SaveJpeg,
    /// Begin or end a recording.
    Record,
    /// Set the selected control to its default.
    Default,
    /// Open the camera at this place of the list.
    Choose(usize),
    /// Go to the field for an address in the list.
    Type,
}

/// The direction of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names of the arrow keys
pub enum Way {
    Up,
    Down,
    Left,
    Right,
    /// Ten steps of a control to the left.
    FarLeft,
    /// Ten steps to the right.
    FarRight,
}

/// A line in the list of keys: the keys, what each does, and the entries for the menu.
#[derive(Debug, Clone, Copy)]
struct Row {
    shown: Entry<'static>,
    keys: &'static [(Key, Command)],
    menu: &'static [(&'static str, Command)],
}

const WINDOW: [Row; 5] = [
    row(
        &["f", "F11"],
        "full screen, and back; or double click",
        &[(key('f'), Command::FullScreen), (Key::F11, Command::FullScreen)],
        &[("Full screen", Command::FullScreen)],
    ),
    row(
        &["?", "F1"],
        "this list, and back",
        &[(key('?'), Command::Help), (Key::F1, Command::Help)],
        &[("All keys", Command::Help)],
    ),
    row(&["Menu"], "a menu; or right click", &[(Key::Menu, Command::Menu)], &[]),
    row(&["Esc"], "close what lies on top, then quit", &[(Key::Escape, Command::Back)], &[]),
    row(&["q"], "quit", &[(key('q'), Command::Quit)], &[("Quit", Command::Quit)]),
];

const PICTURE: [Row; 6] = [
    row(
        &["+", "-"],
        "zoom; or the wheel",
        &[
            (key('+'), Command::ZoomIn),
            (key('-'), Command::ZoomOut),
            // The same keys with or without Shift.
            (key('='), Command::ZoomIn),
            (key('_'), Command::ZoomOut),
        ],
        &[("Zoom in", Command::ZoomIn), ("Zoom out", Command::ZoomOut)],
    ),
    row(&["0"], "reset zoom", &[(key('0'), Command::Fit)], &[("Reset zoom", Command::Fit)]),
    row(
        &["←", "→", "↑", "↓"],
        "move it when zoomed; or drag",
        &[
            (Key::Left, Command::Move(Way::Left)),
            (Key::Right, Command::Move(Way::Right)),
            (Key::Up, Command::Move(Way::Up)),
            (Key::Down, Command::Move(Way::Down)),
            (Key::FarLeft, Command::Move(Way::FarLeft)),
            (Key::FarRight, Command::Move(Way::FarRight)),
        ],
        &[],
    ),
    row(
        &["[", "]"],
        "turn it left, right",
        &[(key('['), Command::TurnLeft), (key(']'), Command::TurnRight)],
        &[("Turn left", Command::TurnLeft), ("Turn right", Command::TurnRight)],
    ),
    row(
        &["h", "v"],
        "mirror it left-right, top-bottom",
        &[(key('h'), Command::MirrorLeftRight), (key('v'), Command::MirrorTopBottom)],
        &[
            ("Mirror left-right", Command::MirrorLeftRight),
            ("Mirror top-bottom", Command::MirrorTopBottom),
        ],
    ),
    row(
        &["Space"],
        "pause all cameras, and go on",
        &[(key(' '), Command::Pause)],
        &[("Pause, or go on", Command::Pause)],
    ),
];

const CAMERAS: [Row; 5] = [
    row(
        &["Tab"],
        "select the next; or click",
        &[(Key::Tab, Command::Next), (Key::BackTab, Command::Previous)],
        &[],
    ),
    row(
        &["Enter"],
        "enlarge it, and back; or double click",
        &[(Key::Enter, Command::Enlarge)],
        &[("Enlarge, or back", Command::Enlarge)],
    ),
    row(
        &["i"],
        "figures: age, rate, size",
        &[(key('i'), Command::Figures)],
        &[("Figures", Command::Figures)],
    ),
    row(
        &["c"],
        "the camera's controls",
        &[(key('c'), Command::Controls)],
        &[("Controls", Command::Controls)],
    ),
    row(
        &["l"],
        "another camera, from a list",
        &[(key('l'), Command::List), (Key::Backspace, Command::List)],
        &[("Another camera", Command::List)],
    ),
];

const FILES: [Row; 3] = [
    row(
        &["s"],
        "save the picture as PNG",
        &[(key('s'), Command::SavePicture)],
        &[("Save as PNG", Command::SavePicture)],
    ),
    row(
        &["Shift", "s"],
        "save the camera's own JPEG",
        &[(key('S'), Command::SaveJpeg)],
        &[("Save the camera's JPEG", Command::SaveJpeg)],
    ),
    row(
        &["r"],
        "record, and stop",
        &[(key('r'), Command::Record)],
        &[("Record, or stop", Command::Record)],
    ),
];

/// Keys that mean something only in the panel of controls or in the list of cameras.
const ELSEWHERE: [(Key, Command); 11] = [
    (key('d'), Command::Default),
    (key('/'), Command::Type),
    (key('1'), Command::Choose(0)),
    (key('2'), Command::Choose(1)),
    (key('3'), Command::Choose(2)),
    (key('4'), Command::Choose(3)),
    (key('5'), Command::Choose(4)),
    (key('6'), Command::Choose(5)),
    (key('7'), Command::Choose(6)),
    (key('8'), Command::Choose(7)),
    (key('9'), Command::Choose(8)),
];

/// The list of keys, in sections.
pub const KEYS: [Section<'static>; 4] = [
    Section { title: "Window", entries: &shown(&WINDOW) },
    Section { title: "Picture", entries: &shown(&PICTURE) },
    Section { title: "Cameras", entries: &shown(&CAMERAS) },
    Section { title: "Keep it", entries: &shown(&FILES) },
];

/// What a menu is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MenuOf {
    /// A camera's picture, and the window.
    Picture,
    /// The window alone.
    Window,
}

/// The entries of a menu, each with its command.
pub fn menu(of: MenuOf) -> Vec<(menu::Entry<'static>, Command)> {
    let sections = match of {
        MenuOf::Picture => &[&PICTURE[..], &CAMERAS, &FILES, &WINDOW][..],
        MenuOf::Window => &[&WINDOW[..]],
    };
    let mut all = Vec::new();
    for section in sections {
        let items = section.iter().flat_map(|row| row.menu.iter().map(move |item| (row, item)));
        for (number, (row, &(what, command))) in items.enumerate() {
            let begins = number == 0 && !all.is_empty();
            all.push((menu::Entry { what, key: row.cap(command), begins }, command));
        }
    }
    all
}

impl Row {
    /// The key of this row that does `command`, as written on a keyboard.
    fn cap(&self, command: Command) -> &'static str {
        let caps = self.shown.keys;
        if caps.contains(&"Shift") {
            return "Shift+s";
        }
        let place = self.keys.iter().position(|(_, does)| *does == command);
        place.and_then(|place| caps.get(place)).copied().unwrap_or_default()
    }
}

impl Command {
    /// The command of `key`. A capital letter does the same as the small one, unless it has a row of its own. Caps Lock
    /// changes nothing.
    pub fn of(key: Key) -> Option<Self> {
        let key = match key {
            Key::Locked(letter) if letter.is_ascii_uppercase() => {
                Key::Character(letter.to_ascii_lowercase())
            }
            Key::Locked(letter) => Key::Character(letter.to_ascii_uppercase()),
            key => key,
        };
        let small = match key {
            Key::Character(letter) => Key::Character(letter.to_ascii_lowercase()),
            key => key,
        };
        bound(key).or_else(|| bound(small))
    }

    /// Whether the command repeats while the key is held. Moving, zooming and selecting repeat; switching and one-time
    /// commands do not.
    pub fn repeats(self) -> bool {
        use Command::{Move, Next, Previous, ZoomIn, ZoomOut};
        matches!(self, Move(_) | Next | Previous | ZoomIn | ZoomOut)
    }
}

/// The keys of an entry as text: `f F11` or `Shift+s`.
pub fn written(entry: &Entry<'_>) -> String {
    entry.keys.join(if entry.keys.contains(&"Shift") { "+" } else { " " })
}

fn bound(key: Key) -> Option<Command> {
    let listed = [&WINDOW[..], &PICTURE, &CAMERAS, &FILES].into_iter().flatten();
    let mut all = listed.flat_map(|row| row.keys).chain(&ELSEWHERE);
    all.find(|(bound, _)| *bound == key).map(|(_, command)| *command)
}

const fn row(
    keys: &'static [&'static str],
    what: &'static str,
    bound: &'static [(Key, Command)],
    menu: &'static [(&'static str, Command)],
) -> Row {
    Row { shown: Entry { keys, what }, keys: bound, menu }
}

const fn key(letter: char) -> Key {
    Key::Character(letter)
}

/// The entries of the rows for the list of keys.
const fn shown<const N: usize>(rows: &[Row; N]) -> [Entry<'static>; N] {
    let mut entries = [Entry { keys: &[], what: "" }; N];
    let mut at = 0;
    while at < N {
        entries[at] = rows[at].shown;
        at += 1;
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every key of the table with its command.
    fn all() -> Vec<(Key, Command)> {
        let listed = [&WINDOW[..], &PICTURE, &CAMERAS, &FILES].into_iter().flatten();
        listed.flat_map(|row| row.keys).chain(&ELSEWHERE).copied().collect()
    }

    #[test]
    fn every_key_is_bound_once() {
        let all = all();
        for (at, (key, _)) in all.iter().enumerate() {
            assert!(!all[..at].iter().any(|(other, _)| other == key), "{key:?} twice");
        }
    }

    #[test]
    fn every_key_that_is_listed_is_bound_in_its_own_row() {
        for row in [&WINDOW[..], &PICTURE, &CAMERAS, &FILES].into_iter().flatten() {
            let caps = row.shown.keys;
            let is_shifted = caps.contains(&"Shift");
            for cap in caps.iter().filter(|cap| **cap != "Shift") {
                let key = match (*cap, cap.chars().next().expect("never empty")) {
                    ("Esc", _) => Key::Escape,
                    ("Enter", _) => Key::Enter,
                    ("Tab", _) => Key::Tab,
                    ("Menu", _) => Key::Menu,
                    ("F1", _) => Key::F1,
                    ("F11", _) => Key::F11,
                    ("Space", _) => Key::Character(' '),
                    (_, '←') => Key::Left,
                    (_, '→') => Key::Right,
                    (_, '↑') => Key::Up,
                    (_, '↓') => Key::Down,
                    (_, letter) if is_shifted => Key::Character(letter.to_ascii_uppercase()),
                    (_, letter) => Key::Character(letter),
                };
                assert!(row.keys.iter().any(|(bound, _)| *bound == key), "{cap} {key:?}");
            }
        }
    }

    #[test]
    fn the_menu_has_what_keys_do_once_each_with_its_key() {
        let all = menu(MenuOf::Picture);
        for (at, (entry, command)) in all.iter().enumerate() {
            assert!(!all[..at].iter().any(|(_, other)| other == command), "{command:?} twice");
            let key = match entry.key {
                "Shift+s" => Key::Character('S'),
                "Space" => Key::Character(' '),
                "Enter" => Key::Enter,
                cap => Key::Character(cap.chars().next().expect("each has a key")),
            };
            assert_eq!(Command::of(key), Some(*command), "{}", entry.what);
        }
        // Moves are better done with keys and mouse, and some commands make no sense in a menu.
        use Command::{Back, Menu, Move, Next, Previous};
        let listed = [&WINDOW[..], &PICTURE, &CAMERAS, &FILES].into_iter().flatten();
        for (_, command) in listed.flat_map(|row| row.keys) {
            let is_left_out = matches!(command, Move(_) | Next | Previous | Back | Menu);
            assert_eq!(!is_left_out, all.iter().any(|(_, it)| it == command), "{command:?}");
        }
        let window: Vec<_> = menu(MenuOf::Window).iter().map(|(_, command)| *command).collect();
        assert_eq!(window, [Command::FullScreen, Command::Help, Command::Quit]);
    }

    #[test]
    fn capital_letters_do_what_small_ones_do_but_for_s() {
        let of = |letter| Command::of(Key::Character(letter));
        assert_eq!((of('Q'), of('L')), (Some(Command::Quit), Some(Command::List)));
        assert_eq!((of('s'), of('S')), (Some(Command::SavePicture), Some(Command::SaveJpeg)));
        assert_eq!((of('ß'), of('~')), (None, None));
        let locked = |letter| Command::of(Key::Locked(letter));
        assert_eq!(
            (locked('S'), locked('s')),
            (Some(Command::SavePicture), Some(Command::SaveJpeg))
        );
        assert_eq!((locked('Q'), locked('q')), (of('q'), of('Q')));
    }
}
