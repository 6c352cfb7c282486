//! The list of keys that the camera has given, and its text in the file `keys`.

use super::day::Day;
use crate::hex;
use crate::plain::{is_plain, printable};
use crate::wire::access::key::{KeyHash, May};
use std::fmt::Write;

/// The most keys that one camera gives.
pub const MOST: usize = 256;

/// The longest name of a key, in letters; a number may follow it.
const LONGEST_NAME: usize = 40;

/// The name of a key whose holder says none.
const NO_NAME: &str = "viewer";

/// The first line of the file. An empty file is no list: something has damaged it.
const TITLE: &str = "# Keys of lancam: SHA-256, may, without TLS, made, last used, name. To change them: lancam pair";

/// Whether a key is accepted outside of TLS, where everybody on the LAN can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// Only inside TLS.
    TlsOnly,
    /// Without TLS too, for programs that have none.
    PlainToo,
}

/// What the camera knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is kept of the key itself.
    pub hash: KeyHash,
    /// Its name, which no other has.
    pub name: String,
    /// What it allows.
    pub may: May,
    /// Whether it is accepted without TLS.
    pub sealing: Sealing,
    /// When it was given.
    pub made: Day,
    /// When it was last used, as far as that was written down.
    pub last_used: Option<Day>,
}

/// All keys of a camera, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(Vec<Entry>);

/// A line that cannot be one of a list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Damaged {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

/// There are as many keys as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the camera has given {MOST} keys, which is the limit. Revoke one that nobody needs: lancam pair --list shows them"
)]
pub struct Full;

impl Keys {
    /// Reads the list from the text of its file.
    ///
    /// # Errors
    /// When anything in it is not as [`text`](Self::text) writes it. No part of a damaged list is used.
    pub fn parse(text: &str) -> Result<Self, Damaged> {
        let at = |line, what| Damaged { line, what };
        let Some(text) = text.strip_prefix(TITLE).and_then(|text| text.strip_prefix('\n')) else {
            return Err(at(1, "it is not the title of a list of keys"));
        };
        let mut keys = Self::default();
        for (number, line) in (2..).zip(text.split_inclusive('\n')) {
            let Some(line) = line.strip_suffix('\n') else {
                return Err(at(number, "its end is missing"));
            };
            let entry = Entry::parse(line).map_err(|what| at(number, what))?;
            if keys.is_taken(&entry.name) || keys.find(&entry.hash).is_some() {
                return Err(at(number, "it repeats another line"));
            }
            if keys.0.len() >= MOST {
                return Err(at(number, "there are too many keys"));
            }
            keys.0.push(entry);
        }
        Ok(keys)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = format!("{TITLE}\n");
        for entry in &self.0 {
            entry.write_to(&mut text);
        }
        text
    }

    /// All keys, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The key with this hash.
    pub fn find(&self, hash: &KeyHash) -> Option<&Entry> {
        // How long this takes depends on hashes alone, and no key follows from its hash.
        self.0.iter().find(|entry| entry.hash == *hash)
    }

    /// Adds a key. Its name is made printable, short, and different from all others; returns it.
    ///
    /// # Errors
    /// When there are [`MOST`] already.
    pub fn add(&mut self, mut entry: Entry) -> Result<String, Full> {
        if self.0.len() >= MOST {
            return Err(Full);
        }
        let name = self.free_name(&entry.name);
        entry.name.clone_from(&name);
        self.0.push(entry);
        Ok(name)
    }

    /// Removes the key with this name; returns whether there was one.
    pub fn revoke(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|entry| entry.name != name);
        self.0.len() < before
    }

    /// Notes that a key was used on this day. Returns whether that is worth writing: it was not known to be used so late.
    pub fn used(&mut self, hash: &KeyHash, today: Day) -> bool {
        let entry = self.0.iter_mut().find(|entry| entry.hash == *hash);
        // A clock that was set back says nothing new.
        let Some(entry) = entry.filter(|entry| entry.last_used < Some(today)) else {
            return false;
        };
        entry.last_used = Some(today);
        true
    }

    fn is_taken(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry.name == name)
    }

    /// A name like `wanted` that no key has: the second "desk" is "desk (2)".
    fn free_name(&self, wanted: &str) -> String {
        let wanted: String = printable(wanted.trim()).chars().take(LONGEST_NAME).collect();
        let wanted = match wanted.trim_end() {
            "" => NO_NAME,
            wanted => wanted,
        };
        let names = (2..).map(|number: u32| format!("{wanted} ({number})"));
        let mut names = std::iter::once(wanted.to_owned()).chain(names);
        names.find(|name| !self.is_taken(name)).expect("there are more numbers than keys")
    }
}

impl Entry {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [hash, may, plain, made, last_used, name] = fields[..] else {
            return Err("it has not six parts with tabs between them");
        };
        let hash = hex::bytes(hash).map(KeyHash).ok_or("its SHA-256 has not 64 digits")?;
        let may = May::parse(may).ok_or("it allows neither \"watch\" nor \"control\"")?;
        let sealing = match plain {
            "no" => Sealing::TlsOnly,
            "yes" => Sealing::PlainToo,
            _ => return Err("\"without TLS\" is neither \"yes\" nor \"no\""),
        };
        let day = |text| Day::parse(text).ok_or("a date is not like 2026-11-30");
        let made = day(made)?;
        let last_used = if last_used == "never" { None } else { Some(day(last_used)?) };
        // Twice the longest: a number may follow.
        let is_name = name.trim() == name && (1..=2 * LONGEST_NAME).contains(&name.chars().count());
        if !is_name || !name.chars().all(is_plain) {
            return Err("its name cannot be a key's");
        }
        Ok(Self { hash, name: name.to_owned(), may, sealing, made, last_used })
    }

    fn write_to(&self, text: &mut String) {
        let Self { hash, name, may, sealing, made, last_used } = self;
        let plain = match sealing {
            Sealing::TlsOnly => "no",
            Sealing::PlainToo => "yes",
        };
        let last_used = last_used.map_or("never".to_owned(), |day| day.to_string());
        let (hash, may) = (hex::text(&hash.0), may.word());
        writeln!(text, "{hash}\t{may}\t{plain}\t{made}\t{last_used}\t{name}")
            .expect("memory takes any text");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a day")
    }

    fn entry(number: u8, name: &str) -> Entry {
        Entry {
            hash: KeyHash([number; 32]),
            name: name.into(),
            may: May::Watch,
            sealing: Sealing::TlsOnly,
            made: day("2026-11-30"),
            last_used: None,
        }
    }

    /// Two keys, and their file.
    fn two() -> (Keys, String) {
        let mut keys = Keys::default();
        keys.add(entry(0x0A, "desk")).expect("room");
        let ha = Entry {
            may: May::Control,
            sealing: Sealing::PlainToo,
            last_used: Some(day("2026-12-01")),
            ..entry(0xFF, "Home Assistant é")
        };
        keys.add(ha).expect("room");
        let text = format!(
            "{TITLE}\n{}\twatch\tno\t2026-11-30\tnever\tdesk\n{}\tcontrol\tyes\t2026-11-30\t2026-12-01\tHome Assistant é\n",
            "0a".repeat(32),
            "ff".repeat(32)
        );
        (keys, text)
    }

    #[test]
    fn a_list_is_one_line_a_key() {
        let (keys, text) = two();
        assert_eq!(keys.text(), text);
        assert_eq!(Keys::parse(&text), Ok(keys));
        assert_eq!(Keys::parse(&Keys::default().text()), Ok(Keys::default()));
    }

    #[test]
    fn no_part_of_a_list_that_was_cut_off_is_used() {
        let (keys, text) = two();
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let read = Keys::parse(&text[..end]);
            // A cut between two lines cannot be seen. So a file is written whole and then renamed.
            match ends.iter().position(|it| *it == end) {
                Some(lines) => assert_eq!(read.expect("whole lines").entries(), &keys.0[..lines]),
                None => assert!(read.is_err(), "cut at {end}"),
            }
        }
    }

    #[test]
    fn a_damaged_line_is_named_and_lets_nobody_in() {
        let (_, text) = two();
        for (from, to, line, what) in [
            ("# Keys", "Keys", 1, "it is not the title of a list of keys"),
            ("0a0a", "0A0a", 2, "its SHA-256 has not 64 digits"),
            ("0a0a", "0a0", 2, "its SHA-256 has not 64 digits"),
            ("ffff", "xfff", 3, "its SHA-256 has not 64 digits"),
            ("\twatch", "\tall", 2, "it allows neither \"watch\" nor \"control\""),
            ("\tyes", "\t1", 3, "\"without TLS\" is neither \"yes\" nor \"no\""),
            ("\t2026-11-30\tnever", "\t\tnever", 2, "a date is not like 2026-11-30"),
            ("never", "2026-02-30", 2, "a date is not like 2026-11-30"),
            ("desk\n", "\n", 2, "its name cannot be a key's"),
            ("desk", " desk", 2, "its name cannot be a key's"),
            ("desk", "de\u{1b}sk", 2, "its name cannot be a key's"),
            ("desk", "desk\t", 2, "it has not six parts with tabs between them"),
            ("\tno\t", " no\t", 2, "it has not six parts with tabs between them"),
            ("desk\n", "desk\n\n", 3, "it has not six parts with tabs between them"),
            ("Home Assistant é", "desk", 3, "it repeats another line"),
            (&"ff".repeat(32), &"0a".repeat(32), 3, "it repeats another line"),
        ] {
            let damaged = text.replacen(from, to, 1);
            assert_ne!(damaged, text, "{from}");
            assert_eq!(Keys::parse(&damaged), Err(Damaged { line, what }), "{from:?} {to:?}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_hash_until_it_is_revoked() {
        let (mut keys, _) = two();
        let hash = KeyHash([0xFF; 32]);
        assert_eq!(keys.find(&hash).map(|it| it.may), Some(May::Control));
        assert_eq!(keys.find(&KeyHash([0xFE; 32])), None);
        assert!(!keys.revoke("home assistant é") && keys.revoke("Home Assistant é"));
        assert!(!keys.revoke("Home Assistant é"));
        assert_eq!((keys.find(&hash), keys.entries().len()), (None, 1));
    }

    #[test]
    fn names_are_printable_short_and_all_different() {
        let mut keys = Keys::default();
        let mut named = |number, name: &str| keys.add(entry(number, name)).expect("room");
        assert_eq!(named(1, "desk"), "desk");
        assert_eq!(named(2, " desk\n"), "desk (2)");
        assert_eq!(named(3, "desk"), "desk (3)");
        assert_eq!(named(4, "desk (2)"), "desk (2) (2)");
        assert_eq!(named(5, ""), "viewer");
        assert_eq!(named(6, "a\tb\u{202e}\u{1b}[2J"), "a?b??[2J");
        let long = "é".repeat(LONGEST_NAME);
        assert_eq!(named(7, &"é".repeat(500)), long);
        assert_eq!(named(8, &"é".repeat(500)), format!("{long} (2)"));
        assert_eq!(Keys::parse(&keys.text()), Ok(keys));
    }

    #[test]
    fn there_is_an_end_to_the_list_and_its_file_is_read_at_its_longest() {
        let mut keys = Keys::default();
        for number in 0..=255 {
            let entry = Entry { hash: KeyHash([number; 32]), ..entry(0, &"🚪".repeat(90)) };
            keys.add(entry).expect("room");
        }
        assert_eq!(keys.add(entry(0, "one more")), Err(Full));
        let text = keys.text();
        assert_eq!(Keys::parse(&text), Ok(keys));
        assert!(text.len() < super::super::folder::MAX_LEN, "{}", text.len());
        let more = format!("{text}{}02\twatch\tno\t2026-11-30\tnever\tx\n", "01".repeat(31));
        let too_many = Damaged { line: MOST + 2, what: "there are too many keys" };
        assert_eq!(Keys::parse(&more), Err(too_many));
    }

    #[test]
    fn a_use_is_worth_writing_once_a_day() {
        let (mut keys, _) = two();
        let hash = KeyHash([0x0A; 32]);
        assert!(keys.used(&hash, day("2026-11-30")));
        assert!(!keys.used(&hash, day("2026-11-30")));
        assert!(!keys.used(&hash, day("2026-11-29")), "the clock was set back");
        assert!(keys.used(&hash, day("2026-12-01")));
        assert_eq!(keys.find(&hash).and_then(|it| it.last_used), Some(day("2026-12-01")));
        assert!(!keys.used(&KeyHash([1; 32]), day("2026-12-01")), "nobody has this key");
    }
}
