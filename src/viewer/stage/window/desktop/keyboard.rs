//! Translates X11 keys into characters: by the user's layout, or by a US keyboard where the layout has no Latin letters.

use super::replies::answer;
use crate::viewer::stage::input::{Input, Key};
use std::io;
use x11rb::protocol::xkb::{
    self, BoolCtrl, ConnectionExt as _, KeySymMap, KeyType, MapPart, PerClientFlag, VMod,
};
use x11rb::protocol::xproto::{Keysym, ModMask};
use x11rb::rust_connection::RustConnection;

/// The keyboard as the X server has it.
#[derive(Debug, Default)]
pub(super) struct Keyboard {
    layout: Option<KeyMap>,
    /// The keys that are held.
    down: Vec<u8>,
}

/// The symbols on the keys.
#[derive(Debug)]
struct KeyMap {
    first: u8,
    keys: Vec<KeySymMap>,
    types: Vec<KeyType>,
}

/// The core keyboard, which stands for all keyboards.
const CORE_KEYBOARD: u16 = 0x100;

/// The rows of a US keyboard, each with the code of its first key. All keyboards have the same codes, since the kernel
/// numbers keys.
const ROWS: [(u8, &str); 4] =
    [(10, "1234567890-="), (24, "qwertyuiop[]"), (38, "asdfghjkl;'"), (52, "zxcvbnm,./")];
/// A layout counts as Latin if it has this many Latin letters on the 26 letter keys. Some layouts have other things on a
/// few.
const LATIN: usize = 13;

impl Keyboard {
    /// Reads the layout. From then on, a held key reports repeated presses without releases.
    pub(super) fn read(connection: &RustConnection) -> io::Result<Self> {
        answer(connection.xkb_use_extension(1, 0))?;
        let (device, flag) = (CORE_KEYBOARD, PerClientFlag::DETECTABLE_AUTO_REPEAT);
        let none = BoolCtrl::from(0_u32);
        answer(connection.xkb_per_client_flags(device, flag, flag, none, none, none))?;
        Ok(Self { layout: Some(KeyMap::read(connection)?), down: Vec::new() })
    }

    /// The layout has changed: reads it again at the next key.
    pub(super) fn forget(&mut self) {
        self.layout = None;
    }

    pub(super) fn press(
        &mut self,
        connection: &RustConnection,
        code: u8,
        state: u16,
    ) -> Option<Input> {
        if self.layout.is_none() {
            self.layout = KeyMap::read(connection).ok();
        }
        let is_held = self.down.contains(&code);
        if !is_held {
            self.down.push(code);
        }
        let key = self.layout.as_ref()?.key(code, state)?;
        Some(if is_held { Input::Repeat(key) } else { Input::Key(key) })
    }

    pub(super) fn release(&mut self, code: u8) {
        self.down.retain(|&down| down != code);
    }

    /// All keys were released: releases outside of the window are not reported.
    pub(super) fn release_all(&mut self) {
        self.down.clear();
    }
}

impl KeyMap {
    fn read(connection: &RustConnection) -> io::Result<Self> {
        let parts = MapPart::KEY_TYPES | MapPart::KEY_SYMS;
        let (none, mods) = (MapPart::from(0_u16), VMod::from(0_u16));
        let asked = connection.xkb_get_map(
            CORE_KEYBOARD,
            parts,
            none,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            mods,
            0,
            0,
            0,
            0,
            0,
            0,
        );
        let xkb::GetMapReply { first_key_sym: first, map, .. } = answer(asked)?;
        let (keys, types) = (map.syms_rtrn.unwrap_or_default(), map.types_rtrn.unwrap_or_default());
        Ok(Self { first, keys, types })
    }

    /// What a key means with the modifiers and the group in `state` (XKB protocol, 2.2.2).
    fn key(&self, code: u8, state: u16) -> Option<Key> {
        let has = |mask: ModMask| u16::from(mask) & state != 0;
        // Keys with Ctrl, Alt or Super belong to the desktop, except Ctrl+V.
        if has(ModMask::M1) || has(ModMask::M4) {
            return None;
        }
        match (has(ModMask::CONTROL), self.key_alone(code, state)?) {
            (false, key) => Some(key),
            (true, Key::Character('v' | 'V')) => Some(Key::Paste),
            (true, _) => None,
        }
    }

    /// The same, without regard to Ctrl, Alt and Super.
    fn key_alone(&self, code: u8, state: u16) -> Option<Key> {
        let mods = u8::try_from(state & 0xFF).unwrap_or_default();
        let has = |mask: ModMask| u16::from(mask) & state != 0;
        let (group, shift) = (usize::from(state >> 13 & 3), has(ModMask::SHIFT));
        let sym = self.sym(code, group, mods)?;
        if let Some(key) = named(sym, shift) {
            return Some(key);
        }
        let typed = character(sym);
        let place = place(code, shift);
        let is_letter = place.is_some_and(|place| place.is_ascii_alphabetic());
        let typed = match typed {
            Some(_) if is_letter && !self.is_latin(group) => place,
            Some(typed) if typed.is_ascii() => Some(typed),
            // A dead key, or a letter of another script.
            None if !is_letter || self.is_latin(group) => None,
            _ if self.is_latin(group) => typed,
            _ => place,
        };
        let unlocked = self.sym(code, group, mods & !lock());
        let is_locked = typed == character(sym) && unlocked != Some(sym);
        typed.map(if is_locked { Key::Locked } else { Key::Character })
    }

    /// The symbol on a key at the level that these modifiers choose.
    fn sym(&self, code: u8, group: usize, mods: u8) -> Option<Keysym> {
        let key = self.keys.get(usize::from(code.checked_sub(self.first)?))?;
        let groups = usize::from(key.group_info & 0x0F);
        if groups == 0 {
            return None;
        }
        // What to do with a group that this key does not have.
        let group = match (group < groups, key.group_info & 0xC0) {
            (true, _) => group,
            (false, 0x40) => groups - 1,
            (false, 0x80) => usize::from(key.group_info >> 4 & 3).min(groups - 1),
            (false, _) => group % groups,
        };
        let kind = self.types.get(usize::from(*key.kt_index.get(group)?));
        let level = kind.map_or(0, |kind| {
            let mods = mods & u8::try_from(u16::from(kind.mods_mask)).unwrap_or_default();
            let is_it = |mask: ModMask| u16::from(mask) == u16::from(mods);
            let mut entries = kind.map.iter().filter(|entry| entry.active);
            entries.find(|entry| is_it(entry.mods_mask)).map_or(0, |entry| entry.level)
        });
        key.syms.get(group * usize::from(key.width) + usize::from(level)).copied()
    }

    /// Whether a layout has Latin letters on the letter keys.
    fn is_latin(&self, group: usize) -> bool {
        let letters = (0..=u8::MAX)
            .filter(|&code| place(code, false).is_some_and(|place| place.is_ascii_lowercase()));
        let is_latin = |&code: &u8| {
            let typed = self.sym(code, group, 0).and_then(character);
            typed.is_some_and(|typed| typed.is_ascii_alphabetic())
        };
        letters.filter(is_latin).count() >= LATIN
    }
}

/// The bit of Caps Lock in a state.
fn lock() -> u8 {
    u8::try_from(u16::from(ModMask::LOCK)).unwrap_or_default()
}

/// The character at this key on a US keyboard.
fn place(code: u8, shift: bool) -> Option<char> {
    let at = |(first, row): (u8, &str)| row.chars().nth(usize::from(code.checked_sub(first)?));
    let plain = ROWS.into_iter().find_map(at)?;
    Some(match plain {
        '/' if shift => '?',
        '=' if shift => '+',
        '-' if shift => '_',
        plain if shift => plain.to_ascii_uppercase(),
        plain => plain,
    })
}

/// The character of a keysym (X protocol, appendix A): Latin-1, the number pad, and Unicode keysyms.
fn character(sym: Keysym) -> Option<char> {
    match sym {
        0x20..=0x7E | 0xA0..=0xFF => char::from_u32(sym),
        0xFFAA..=0xFFB9 | 0xFFBD => char::from_u32(sym - 0xFF80),
        0x0100_0100..=0x0110_FFFF => char::from_u32(sym - 0x0100_0000),
        // Old keysyms of other scripts. Which letter it is does not matter.
        0x100..=0x20FF => Some(char::REPLACEMENT_CHARACTER),
        _ => None,
    }
}

/// Keys that type nothing, by their keysyms.
fn named(sym: Keysym, shift: bool) -> Option<Key> {
    Some(match sym {
        0xFF1B => Key::Escape,
        0xFF0D | 0xFF8D => Key::Enter,
        // On most layouts, Shift changes Tab to this keysym.
        0xFE20 => Key::BackTab,
        0xFF09 if shift => Key::BackTab,
        0xFF09 => Key::Tab,
        0xFF08 => Key::Backspace,
        0xFF51 | 0xFF96 if shift => Key::FarLeft,
        0xFF51 | 0xFF96 => Key::Left,
        0xFF52 | 0xFF97 => Key::Up,
        0xFF53 | 0xFF98 if shift => Key::FarRight,
        0xFF53 | 0xFF98 => Key::Right,
        0xFF54 | 0xFF99 => Key::Down,
        0xFF63 | 0xFF9E if shift => Key::Paste,
        0xFF67 => Key::Menu,
        0xFFBE => Key::F1,
        0xFFC8 => Key::F11,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layout with two groups of `rows` on a US keyboard's keys, and one level.
    fn layout(groups: [[&str; 4]; 2]) -> KeyMap {
        let sym = |letter: char| match u32::from(letter) {
            latin @ ..0x100 => latin,
            // As old keysyms have it.
            cyrillic @ 0x400..0x500 => cyrillic - 0x400 + 0x680,
            other => other + 0x0100_0000,
        };
        let key = |code: u8| {
            let syms = groups.map(|rows| {
                let mut places = ROWS.into_iter().zip(rows);
                let found = places.find_map(|((first, us), row)| {
                    let at = usize::from(code.checked_sub(first)?);
                    (at < us.len()).then(|| row.chars().nth(at)).flatten()
                });
                found.map_or(0, sym)
            });
            KeySymMap { kt_index: [0; 4], group_info: 2, width: 1, syms: syms.to_vec() }
        };
        KeyMap { first: 8, keys: (8..=255).map(key).collect(), types: Vec::new() }
    }

    const US: [&str; 4] = ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"];
    const RUSSIAN: [&str; 4] = ["1234567890-=", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю."];
    const GREEK: [&str; 4] = ["1234567890-=", ";ςερτυθιοπ[]", "ασδφγηξκλ΄'", "ζχψωβνμ,./"];
    const HEBREW: [&str; 4] = ["1234567890-=", "/'קראטוןםפ][", "שדגכעיחלךף,", "זסבהנמצתץ."];
    const ARABIC: [&str; 4] = ["١٢٣٤٥٦٧٨٩٠-=", "ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤرﻻىةوزظ"];
    const DVORAK: [&str; 4] = ["1234567890[]", "',.pyfgcrl/=", "aoeuidhtns-", ";qjkxbmwvz"];

    /// What keys 24 (q), 27 (r), 39 (s), 19 (0) and 34 ([) mean in the second group.
    fn meant(second: [&str; 4]) -> String {
        let layout = layout([US, second]);
        [24, 27, 39, 19, 34]
            .map(|code| match layout.key(code, 1 << 13) {
                Some(Key::Character(letter)) => letter,
                _ => '-',
            })
            .iter()
            .collect()
    }

    #[test]
    fn letters_of_layouts_without_latin_ones_are_known_by_their_places() {
        for (name, second) in [("ru", RUSSIAN), ("gr", GREEK), ("ara", ARABIC)] {
            assert_eq!(meant(second), "qrs0[", "{name}");
        }
        assert_eq!(meant(HEBREW), "qrs0]", "brackets are typed, mirrored");
        assert_eq!(meant(DVORAK), "'po0/", "a Latin layout is what it types");
        let layout = layout([US, RUSSIAN]);
        assert_eq!(layout.key(24, 0), Some(Key::Character('q')), "the first group");
        assert_eq!(layout.key(39, 1 << 13 | 1), Some(Key::Character('S')), "with Shift");
        assert_eq!(layout.key(61, 1 << 13 | 1), Some(Key::Character('.')), "typed, in ASCII");
        for modifier in [ModMask::CONTROL, ModMask::M1, ModMask::M4] {
            assert_eq!(layout.key(39, u16::from(modifier)), None);
        }
        let ctrl = u16::from(ModMask::CONTROL);
        for group in [0, 1 << 13] {
            assert_eq!(layout.key(55, ctrl | group), Some(Key::Paste), "the place of v");
        }
        assert_eq!(layout.key(55, ctrl | u16::from(ModMask::M1)), None);
        assert_eq!((layout.key(0, 0), layout.key(255, 3 << 13)), (None, None));
    }

    #[test]
    fn levels_and_groups_that_a_key_has_not_are_what_x_says() {
        let mut layout = layout([US, RUSSIAN]);
        let entry = |mods: ModMask, level: u8| xkb::KTMapEntry {
            active: true,
            mods_mask: mods,
            level,
            mods_mods: mods,
            mods_vmods: VMod::default(),
        };
        layout.types = vec![KeyType {
            mods_mask: ModMask::SHIFT | ModMask::M5,
            mods_mods: ModMask::SHIFT | ModMask::M5,
            mods_vmods: VMod::default(),
            num_levels: 3,
            has_preserve: false,
            map: vec![entry(ModMask::SHIFT, 1), entry(ModMask::M5, 2)],
            preserve: Vec::new(),
        }];
        // German: 8, Shift+8, AltGr+8.
        let eight = 17 - layout.first;
        let syms = "8([".chars().map(u32::from).collect();
        layout.keys[usize::from(eight)] =
            KeySymMap { kt_index: [0; 4], group_info: 1, width: 3, syms };
        // Num Lock and Caps Lock are not among its modifiers.
        for (state, typed) in [(0, '8'), (1, '('), (0x80, '['), (0x12, '8'), (0x92, '[')] {
            assert_eq!(layout.key(17, state), Some(Key::Character(typed)), "{state:x}");
        }
        assert_eq!(layout.sym(17, 3, 0), Some(u32::from('8')), "wrapped");
        // A letter: Caps Lock chooses its capital, and with Shift the small one again.
        layout.types.push(KeyType {
            map: vec![entry(ModMask::SHIFT, 1), entry(ModMask::LOCK, 1)],
            mods_mask: ModMask::SHIFT | ModMask::LOCK,
            ..layout.types[0].clone()
        });
        let s = usize::from(39 - layout.first);
        layout.keys[s] = KeySymMap {
            kt_index: [1, 0, 0, 0],
            group_info: 1,
            width: 2,
            syms: "sS".chars().map(u32::from).collect(),
        };
        let (typed, locked) = (|it| Some(Key::Character(it)), |it| Some(Key::Locked(it)));
        let states = [0, 1, 2, 3].map(|state| layout.key(39, state));
        assert_eq!(states, [typed('s'), typed('S'), locked('S'), locked('s')]);
        layout.keys[usize::from(eight)].kt_index[0] = 9;
        assert_eq!(layout.sym(17, 0, 1), Some(u32::from('8')), "a type that is not there");
    }

    #[test]
    fn keys_that_type_nothing_have_names_and_the_number_pad_types() {
        assert_eq!(named(0xFF09, true), Some(Key::BackTab));
        assert_eq!(named(0xFF96, true), Some(Key::FarLeft));
        assert_eq!(named(u32::from('q'), false), None);
        assert_eq!((named(0xFF63, true), named(0xFF63, false)), (Some(Key::Paste), None));
        assert_eq!([0xFFAB, 0xFFAD, 0xFFB0].map(character), [Some('+'), Some('-'), Some('0')]);
        assert_eq!(character(0xFE03), None, "AltGr");
    }
}
