//! The architecture as a test: who may name whom, what stands where, and what stands nowhere.
//!
//! ARCHITECTURE.md tells the reasons. A rule that gets in the way of better code is changed here, in the open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms below each room. A room names itself, these, and no other; programs name any.
const BELOW: [(&str, &[&str]); 16] = [
    (
        "camera",
        &[
            "console", "holders", "image", "latest", "nearest", "net", "plain", "source", "stop",
            "wire",
        ],
    ),
    ("viewer", &["image", "latest", "nearest", "net", "plain", "signals", "wire"]),
    ("source", &["holders", "image", "plain", "stop"]),
    ("wire", &["image", "plain"]),
    ("image", &[]),
    ("nearest", &[]),
    ("net", &[]),
    ("plain", &[]),
    ("latest", &[]),
    ("stop", &[]),
    ("log_setup", &[]),
    ("version", &[]),
    ("console", &[]),
    ("signals", &[]),
    ("holders", &[]),
    ("lib", &[]),
];

/// Rooms of the bytes and their rules: no I/O, no clock, no thread, so that any test and fuzzer drives them.
const PURE: [&str; 2] = ["image", "wire"];
/// A folder of another room that keeps the same rules.
const PURE_FOLDER: &str = "src/viewer/paint/";
const IMPURE: [&str; 12] = [
    "Instant::now",
    "SystemTime",
    "clock::now",
    "sleep(",
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "nix::",
    "println!",
    "log::",
];

/// The only files with `unsafe`.
const UNSAFE: [(&str, &str); 7] = [
    ("src/net/handed_over.rs", "sockets that the service manager hands over are numbers"),
    ("src/net/socket.rs", "two ioctls that count what a socket still holds, which no crate offers"),
    (
        "src/source/v4l2/controls/ioctl.rs",
        "V4L2's ioctls for controls, which the crate that has them does not survive",
    ),
    ("src/source/v4l2/ioctl/mod.rs", "V4L2's ioctls, which no crate offers for every driver"),
    ("src/source/v4l2/ioctl/format.rs", "the same, for both interfaces"),
    ("src/source/v4l2/ioctl/enumerate.rs", "the same, within bounds"),
    (
        "src/source/v4l2/ioctl/buffers.rs",
        "mapped buffers, which no crate offers in a way that survives a timeout",
    ),
];

/// Where each crate that Cargo.toml asks for is named: one file, or one folder.
const CRATES: [(&str, &str); 22] = [
    ("ab_glyph", "src/viewer/paint/glyphs.rs"),
    ("bytemuck", "src/image/"),
    ("embedded_graphics", "src/image/text.rs"),
    ("env_logger", "src/log_setup.rs"),
    ("fast_image_resize", "src/image/resize.rs"),
    ("if_addrs", "src/net/mdns.rs"),
    ("jiff", "src/viewer/album.rs"),
    ("lexopt", "src/"), // both programs' config.rs
    ("log", "src/"),
    ("minifb", "src/viewer/window.rs"),
    ("nix", "src/"), // `PURE` says where not
    ("pbkdf2", "src/camera/setup/wifi_key.rs"),
    ("png", "src/viewer/snapshot.rs"),
    ("raw_window_handle", "src/viewer/window.rs"),
    ("sha1", "src/camera/setup/wifi_key.rs"),
    ("socket2", "src/net/socket.rs"),
    ("thiserror", "src/"),
    ("toml", "src/camera/config/statements.rs"),
    ("turbojpeg", "src/image/jpeg/codec/"),
    ("v4l", "src/source/v4l2/"),
    ("x11rb", "src/viewer/desktop/"),
    ("proptest", "tests/"),
];

/// A file is a short read; its tests, which stand last, do not count.
const MAX_LINES: usize = 450;

#[test]
fn imports_point_down_only() {
    let below: BTreeMap<_, _> = BELOW.into_iter().collect();
    let mut wrong = Vec::new();
    for file in sources("src") {
        let Some(room) = file.room() else { continue };
        let Some(below) = below.get(room) else {
            wrong.push(format!("{}: this test knows no room {room}", file.name));
            continue;
        };
        for named in file.rooms_named() {
            let is_room = BELOW.iter().any(|(room, _)| *room == named);
            if is_room && named != room && !below.contains(&named.as_str()) {
                wrong.push(format!("{} names {named}, which is not below {room}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rooms_of_bytes_and_rules_do_no_io_read_no_clock_and_start_no_thread() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let is_in_pure_room = file.room().is_some_and(|room| PURE.contains(&room));
        if !is_in_pure_room && !file.name.starts_with(PURE_FOLDER) {
            continue;
        }
        let found = IMPURE.iter().filter(|word| file.code.contains(**word));
        wrong.extend(found.map(|word| format!("{}: {word}", file.name)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_only_where_there_is_a_reason() {
    let found: BTreeSet<String> = sources("src")
        .into_iter()
        .filter(|file| words(&file.with_tests).any(|word| word == "unsafe"))
        .map(|file| file.name)
        .collect();
    let expected = UNSAFE.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(found, expected, "found on the left, listed with reasons on the right");
}

#[test]
fn a_foreign_crate_is_named_in_one_place() {
    let wanted: BTreeSet<String> = dependencies();
    let listed: BTreeSet<String> = CRATES.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted: Vec<_> = wanted.difference(&listed).collect();
    assert!(unlisted.is_empty(), "say in CRATES where these are named: {unlisted:?}");

    let mut wrong = Vec::new();
    for file in sources("src") {
        for (name, place) in CRATES {
            if file.names_crate(name) && !file.name.starts_with(place) {
                wrong.push(format!("{} names {name}, which belongs to {place}", file.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_begins_with_a_sentence_about_itself() {
    // fuzz/fuzz_targets has one line a file, and that is all there is to say.
    let folders = ["src", "tests", "benches", "examples", "fuzz/src"];
    let wrong: Vec<String> = folders
        .into_iter()
        .flat_map(sources)
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.name)
        .collect();
    assert!(wrong.is_empty(), "`//! ` and one sentence belong first in {wrong:?}");
}

#[test]
fn every_file_is_a_short_read() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let lines = file.code.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{}: {lines} lines; at most {MAX_LINES}", file.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_outside_tests_is_unwrapped() {
    let wrong: Vec<String> = sources("src")
        .into_iter()
        .filter(|file| file.code.contains(".unwrap()"))
        .map(|file| file.name)
        .collect();
    assert!(wrong.is_empty(), "return the error, or `expect` why it cannot be: {wrong:?}");
}

#[test]
fn the_table_of_tests_is_what_stands_in_their_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/DEVELOPING.md")).expect("a page for developers");
    let (mut folder, mut listed) = ("", BTreeSet::new());
    let (_, table) = page.split_once("| folder | module | shows |").expect("a table of tests");
    for row in table.split("\n\n").next().unwrap_or_default().lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, named, modules, ..] = cells[..] else { continue };
        folder = if named.is_empty() { folder } else { named.trim_matches('`') };
        let modules = modules.split('`').filter(|module| words(module).next().is_some());
        listed.extend(modules.map(|module| format!("{folder}/{module}")));
    }
    let found: BTreeSet<String> = sources("tests/it")
        .iter()
        .filter_map(|file| file.name.strip_prefix("tests/it/")?.strip_suffix(".rs"))
        .filter(|name| !name.starts_with("tools/") && !name.ends_with("/mod") && *name != "main")
        .map(str::to_owned)
        .collect();
    assert_eq!(found, listed, "found on the left, in docs/DEVELOPING.md on the right");
}

/// A source file.
struct Source {
    /// From the package's folder: `src/wire/packet.rs`.
    name: String,
    text: String,
    /// Without comments and what stands in quotes.
    with_tests: String,
    /// The same, without the tests at its end.
    code: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let relative = path.strip_prefix(root).expect("it was found below the root");
        let text = fs::read_to_string(path).expect("a source file is readable");
        let with_tests = bare(&text);
        let name = relative.to_string_lossy().replace('\\', "/");
        let tests = with_tests.find("#[cfg(test)]\nmod tests {").unwrap_or(with_tests.len());
        // Tests that have a file of their own are tests too.
        let tests = if name.ends_with("/tests.rs") { 0 } else { tests };
        Self { name, code: with_tests[..tests].to_owned(), text, with_tests }
    }

    /// The room that this file belongs to; `None` for programs.
    fn room(&self) -> Option<&str> {
        let first = self.name.strip_prefix("src/")?.split(['/', '.']).next()?;
        (first != "bin").then_some(first)
    }

    /// What paths in this file begin with: after `crate::`, and after as many `super::` as lead there. Inside a module in
    /// the file those lead only to the file itself, so that some of these are no rooms.
    fn rooms_named(&self) -> BTreeSet<String> {
        let depth = self.name.matches('/').count() - usize::from(self.name.ends_with("/mod.rs"));
        let mut rooms = BTreeSet::new();
        for root in ["crate::".to_owned(), "super::".repeat(depth)] {
            if root.is_empty() {
                continue;
            }
            for (at, _) in self.code.match_indices(&root) {
                let is_longer_path = self.code[..at].ends_with("super::");
                if !is_longer_path {
                    rooms.extend(first_names(&self.code[at + root.len()..]));
                }
            }
        }
        rooms
    }

    fn names_crate(&self, name: &str) -> bool {
        let path = format!("{name}::");
        let starts_a_path = |at: usize| {
            let before = self.code[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || "_:.".contains(letter))
        };
        self.code.match_indices(&path).any(|(at, _)| starts_a_path(at))
            || self.code.contains(&format!("use {name};"))
    }
}

/// What `rest` of a path begins with: one name, or every one of a `{group}`.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return words(rest).next().into_iter().map(str::to_owned).collect();
    };
    let mut depth = 0_usize;
    let mut names = vec![String::new()];
    for letter in group.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 => names.last_mut().expect("never empty").push(letter),
            _ => {}
        }
    }
    names.iter().filter_map(|name| words(name).next()).map(str::to_owned).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}

/// Every .rs file in `folder` of the package, however deep.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a readable folder").path()) {
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.iter().map(|path: &PathBuf| Source::read(root, path)).collect()
}

/// The crates that Cargo.toml asks for, by the names that code knows them by.
fn dependencies() -> BTreeSet<String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("Cargo.toml is readable");
    let mut in_dependencies = false;
    let mut names = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies
            && !line.starts_with('#')
            && let Some((name, _)) = line.split_once('=')
        {
            names.insert(name.trim().replace('-', "_"));
        }
    }
    // Tests use it, src does not.
    names.remove("tempfile");
    names
}

/// Rust without its comments and without what stands in quotes; lines stay lines.
fn bare(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if letter == '"' || rest.starts_with("b\"") {
            quoted_len(rest)
        } else if let Some(hashes) = raw_hashes(rest) {
            let end = format!("\"{hashes}");
            let start = 2 + hashes.len();
            rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
        } else {
            char_len(rest)
        };
        if skipped == 0 {
            bare.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            bare.extend(rest[..skipped].chars().filter(|&letter| letter == '\n'));
            rest = &rest[skipped..];
        }
    }
    bare
}

/// The length of a string literal at the start of `text`.
fn quoted_len(text: &str) -> usize {
    let open = text.find('"').expect("a string begins here") + 1;
    let mut escaped = false;
    for (at, letter) in text[open..].char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return open + at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The hashes of a raw string at the start of `text`: `r#"`.
fn raw_hashes(text: &str) -> Option<&str> {
    let text = text.strip_prefix('r')?;
    let hashes = text.len() - text.trim_start_matches('#').len();
    text[hashes..].starts_with('"').then(|| &text[..hashes])
}

/// The length of a character literal at the start of `text`; 0 where there is none, as at a lifetime.
fn char_len(text: &str) -> usize {
    let Some(inside) = text.strip_prefix('\'') else { return 0 };
    if inside.starts_with('\\') {
        return inside[2..].find('\'').map_or(text.len(), |end| end + 4);
    }
    let letter = inside.chars().next().map_or(0, char::len_utf8);
    if inside[letter..].starts_with('\'') { letter + 2 } else { 0 }
}

#[test]
fn words_in_comments_and_quotes_are_not_code() {
    let text = "let a = \"x\\\"unsafe\"; // unsafe\n/* unsafe */ 'b' '\\'' r#\"unsafe\"# b\"unsafe\" &'a x;";
    assert_eq!(bare(text), "let a = ; \n     &'a x;");
    assert_eq!(first_names("{wire::{a, b}, image}; camera"), ["wire", "image"]);
    assert_eq!(first_names("net::socket"), ["net"]);
}
