//! Every message of the programs in one list, so that a person can read them as a whole; and the
//! phrases that must not come back, in messages, documents and comments.
//!
//! The list is in tests/golden/messages, a file for each part of the sources. `LANCAM_BLESS=1`
//! writes it again.

use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the list, and the folders or files that are in it.
const PARTS: [(&str, &[&str]); 4] = [
    ("camera", &["src/bin/lancam.rs", "src/camera", "src/settings", "src/source"]),
    ("viewer", &["src/bin/lancam-view.rs", "src/viewer"]),
    ("setup", &["src/bin/lancam-setup.rs", "src/setup"]),
    ("shared", &["src/image", "src/latest", "src/net", "src/wire", "src/wording.rs"]),
];

/// Phrases that no message, help text, page or comment may have, in lower case, each with plain
/// words to use instead.
const OLD_DIALECT: [(&str, &str); 29] = [
    ("cannot be:", "must be ..., not ..."),
    ("cannot be so", "must be ..."),
    ("would work", "must be ..., or use ..."),
    ("will work", "use ..."),
    ("is gone, and", "was unplugged. Waiting for it"),
    ("and waited for", "waiting for it"),
    ("that are none", "others"),
    ("which are none", "others"),
    ("are none of", "are not"),
    ("that is none", "is not one"),
    ("is told why", "is refused, with a reason"),
    ("is no option", "unknown option"),
    ("is no control", "is not a control"),
    ("is no key", "is not KEY = VALUE"),
    ("makes no difference here", "is ignored"),
    ("it does not count", "it is ignored"),
    ("nothing in it counts", "all of it is ignored"),
    (": it rests", "off until somebody watches"),
    ("rests, since", "is off until somebody watches"),
    ("whatever becomes of", "ignoring ..."),
    ("is here a second time", "is set twice"),
    ("where lancam encodes", "when lancam has to encode"),
    ("was answered", "... requests, closed"),
    ("took nothing", "took no data"),
    ("for who has", "needs ..."),
    ("of theirs", "their ..."),
    ("they are none", "there are no ..."),
    ("is no lancam", "is not lancam"),
    ("goes on trying", "tries again"),
];

/// Further phrases that nothing that users read may have.
const OLD_FOR_USERS: [(&str, &str); 5] = [
    ("is wanted", "name ..., or ... is needed"),
    ("stands behind", "is written after"),
    ("inside tls only", "over TLS only"),
    ("whomever", "anybody"),
    ("begin anew", "delete ..., or start again"),
];

/// Further phrases that no comment may have.
const OLD_IN_COMMENTS: [(&str, &str); 14] = [
    ("whoever", "a viewer, a client, a program: name it"),
    ("anyway", "say why, or leave it out"),
    ("becomes of", "what happens to ..."),
    ("became of", "what happened to ..."),
    ("came of", "the result of ..."),
    ("to be had", "available"),
    ("of no account", "ignored"),
    ("his own", "its own"),
    ("is no news", "is not new"),
    ("as far as it goes", "as much as fits"),
    ("goes along", "is sent with it"),
    ("nobody knows", "is unknown"),
    ("that was none", "was not one"),
    ("let go", "closed, dropped, released"),
];

/// Pages that are not in plain words yet. Do not add any.
const NOT_YET: [&str; 0] = [];

#[test]
fn the_list_of_messages_is_that_of_the_sources() {
    let bless = std::env::var_os("LANCAM_BLESS").is_some();
    for (part, _) in PARTS {
        let list = list(part);
        assert!(list.lines().count() > 20, "{part}: {list}");
        let path = root().join(format!("tests/golden/messages/{part}.txt"));
        if bless {
            fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
            fs::write(&path, &list).expect("writes");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        let new = list.lines().find(|line| !there.contains(line));
        let gone = there.lines().find(|line| !list.contains(line));
        assert!(
            there == list,
            "{part}: {new:?}, {gone:?}: LANCAM_BLESS=1 renews the list; read it"
        );
    }
}

#[test]
fn nothing_that_people_read_is_in_the_old_dialect() {
    let mut wrong = Vec::new();
    for (part, _) in PARTS {
        for_users(&list(part), part, &mut wrong);
    }
    let docs = fs::read_dir(root().join("docs")).expect("docs");
    let docs = docs.map(|entry| entry.expect("readable").path());
    let pages = docs.filter(|path| path.extension().is_some_and(|it| it == "md"));
    let others =
        ["README.md", "CHANGELOG.md", "systemd/lancam.toml", "cross/image/boot/lancam.toml"];
    for path in pages.chain(others.map(|name| root().join(name))) {
        let name = path.strip_prefix(root()).expect("in here").display().to_string();
        if !NOT_YET.contains(&name.as_str()) {
            for_users(&fs::read_to_string(&path).expect("readable"), &name, &mut wrong);
        }
    }
    for file in BESIDE.iter().flat_map(|place| rust_files(&root().join(place), &[])) {
        let name = file.strip_prefix(root()).expect("in here").display().to_string();
        let code = fs::read_to_string(&file).expect("readable");
        let messages = texts(&code).into_iter().filter(|text| is_message(text));
        messages.for_each(|message| for_users(&message, &name, &mut wrong));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs beside those that are installed.
const BESIDE: [&str; 4] = ["benches", "examples", "fuzz/fuzz_targets", "fuzz/src"];

/// The ends of the names of scripts, pages and units, and the names of those that have no end.
const SCRIPTS: [&str; 19] = [
    "sh",
    "py",
    "html",
    "1",
    "service",
    "txt",
    "md",
    "NEWS",
    "control",
    "preinst",
    "postinst",
    "prerm",
    "postrm",
    "from-rpicam",
    "choose",
    "screen",
    "data",
    "init",
    "crash",
];

#[test]
fn no_script_and_no_page_is_in_the_old_dialect() {
    let mut files = Vec::new();
    for place in ["cross", "examples", "systemd", "src/camera/page", "tests/compare"] {
        files.extend(files_with(&root().join(place), &SCRIPTS));
    }
    // What else is there was built, or is for programs.
    files.extend(files_with(&root().join("fuzz"), &["sh"]));
    assert!(files.len() > 50, "only {} files", files.len());
    files.extend(["Makefile", "CONTRIBUTING.md"].map(|name| root().join(name)));
    let mut wrong = Vec::new();
    for file in files {
        let name = file.strip_prefix(root()).expect("in here").display().to_string();
        for_users(&fs::read_to_string(&file).expect("readable"), &name, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All files below a folder whose names end like this, or are this. The image has links that lead to a unit only there.
fn files_with(place: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(place).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files_with(&path, endings));
        } else if path.is_file()
            && path
                .extension()
                .or(path.file_name())
                .is_some_and(|it| endings.iter().any(|end| it == *end))
        {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_comment_is_in_the_old_dialect() {
    let files: Vec<_> = ["src", "tests/it"]
        .iter()
        .chain(&BESIDE)
        .flat_map(|place| rust_files(&root().join(place), &[]))
        .collect();
    assert!(files.len() > 400, "only {} files", files.len());
    let (mut count, mut wrong) = (0, Vec::new());
    for file in files {
        let name = file.strip_prefix(root()).expect("in here").display().to_string();
        let code = fs::read_to_string(&file).expect("readable");
        for comment in comments(&code) {
            count += 1;
            old_phrases(&comment, &name, &mut wrong);
            phrases(&comment, &name, &OLD_IN_COMMENTS, &mut wrong);
        }
    }
    assert!(count > 7000, "only {count} comments");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn for_users(text: &str, name: &str, wrong: &mut Vec<String>) {
    old_phrases(text, name, wrong);
    phrases(text, name, &OLD_FOR_USERS, wrong);
    for line in text.lines().filter(|line| says_is_no(&line.to_lowercase())) {
        wrong.push(format!("{name}: \"is no\" (is not a ...): {}", line.trim()));
    }
}

/// `this is no camera` in place of `this is not a camera`. `There is no camera` is plain.
fn says_is_no(line: &str) -> bool {
    line.replace("there is no ", "").replace("is no longer ", "").contains(" is no ")
}

fn old_phrases(text: &str, name: &str, wrong: &mut Vec<String>) {
    phrases(text, name, &OLD_DIALECT, wrong);
}

fn phrases(text: &str, name: &str, refused: &[(&str, &str)], wrong: &mut Vec<String>) {
    for line in text.lines() {
        let small = line.to_lowercase();
        for (phrase, plain) in refused.iter().filter(|(phrase, _)| small.contains(phrase)) {
            wrong.push(format!("{name}: \"{phrase}\" ({plain}): {}", line.trim()));
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A part of the list: each file, and below it its messages.
fn list(part: &str) -> String {
    let (_, places) = PARTS.iter().find(|(name, _)| *name == part).expect("one of them");
    let mut list = String::new();
    let mut files: Vec<PathBuf> =
        places.iter().flat_map(|place| rust_files(&root().join(place), &OF_TESTS)).collect();
    if part == "shared" {
        files.extend(single_files());
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let messages: Vec<_> = texts(&text).into_iter().filter(|text| is_message(text)).collect();
        if !messages.is_empty() {
            let name = file.strip_prefix(root()).expect("in here").display();
            list += &format!("{name}\n");
            for line in messages.iter().flat_map(|message| message.lines()) {
                list += &format!("    {line}\n");
            }
        }
    }
    list
}

fn single_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("src")).expect("src");
    let files = entries.map(|entry| entry.expect("readable").path());
    files.filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// Files that contain only tests. Their texts are not messages.
const OF_TESTS: [&str; 4] = ["tests.rs", "contrast.rs", "followed.rs", "fake.rs"];

/// All Rust files below a folder, except those with these names.
fn rust_files(place: &Path, except: &[&str]) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).expect("a folder");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let is_read = |path: &PathBuf| {
        path.is_dir()
            || path.extension().is_some_and(|it| it == "rs")
                && !except.iter().any(|name| path.ends_with(name))
    };
    paths.filter(is_read).flat_map(|path| rust_files(&path, except)).collect()
}

/// The string literals outside of tests. Texts of `expect` are left out, since they are for
/// programmers.
fn texts(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or(code);
    let text = |piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Comment(_) => None,
    };
    pieces(code).into_iter().filter_map(text).collect()
}

/// The comments, each on one line.
fn comments(code: &str) -> Vec<String> {
    let comment = |piece| match piece {
        Piece::Comment(comment) => Some(comment),
        Piece::Text(_) => None,
    };
    pieces(code).into_iter().filter_map(comment).collect()
}

/// A part of a source file in words.
enum Piece {
    /// The content of a string literal.
    Text(String),
    /// A comment, or several lines of comment that follow each other.
    Comment(String),
}

fn pieces(code: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = code;
    let mut is_after_comment = false;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (skipped, found) = rest.split_at(at);
        let raw_end = [("r#", "\"#"), ("r", "\"")]
            .into_iter()
            .find_map(|(begin, end)| skipped.ends_with(begin).then_some(end));
        let is_comment = found.starts_with("//");
        let len = if is_comment {
            let len = found.find('\n').unwrap_or(found.len());
            let line = found[..len].trim_start_matches(['/', '!']).trim();
            match pieces.last_mut() {
                Some(Piece::Comment(comment))
                    if is_after_comment
                        && skipped.trim().is_empty()
                        && skipped.matches('\n').count() == 1 =>
                {
                    *comment += " ";
                    *comment += line;
                }
                _ => pieces.push(Piece::Comment(line.to_owned())),
            }
            len
        } else if let Some(inside) = found.strip_prefix("'\\") {
            2 + inside.find('\'').map_or(0, |end| end.max(1) + 1)
        } else if let Some(inside) = found.strip_prefix('\'') {
            let letter = inside.chars().next().map_or(0, char::len_utf8);
            if inside[letter..].starts_with('\'') { letter + 2 } else { 1 }
        } else if found.starts_with('"') {
            let end = end_of_text(found, raw_end);
            if !skipped.ends_with("expect(") {
                let inside = &found[1..end - 1];
                let text = if raw_end.is_some() { inside.to_owned() } else { plain(inside) };
                pieces.push(Piece::Text(text));
            }
            end
        } else {
            1
        };
        is_after_comment = is_comment;
        rest = &found[len..];
    }
    pieces
}

/// The position after the closing quote. A raw string ends with `raw_end`.
fn end_of_text(text: &str, raw_end: Option<&str>) -> usize {
    if let Some(raw_end) = raw_end {
        return text[1..].find(raw_end).map_or(text.len(), |at| at + 2);
    }
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The text as the program has it, with continued lines joined.
fn plain(written: &str) -> String {
    let mut text = String::new();
    let mut rest = written;
    while let Some(at) = rest.find('\\') {
        text += &rest[..at];
        rest = &rest[at + 1..];
        let mut letters = rest.chars();
        match letters.next() {
            Some('\n') => rest = rest.trim_start(),
            Some('n') => {
                text.push('\n');
                rest = letters.as_str();
            }
            Some(letter @ ('"' | '\\')) => {
                text.push(letter);
                rest = letters.as_str();
            }
            _ => text.push('\\'),
        }
    }
    text + rest
}

/// Whether a text has at least two words, apart from placeholders.
fn is_message(text: &str) -> bool {
    let mut words = 0;
    let mut is_inside = 0_usize;
    let mut word = 0;
    for letter in text.chars().chain([' ']) {
        match letter {
            '{' => is_inside += 1,
            '}' => is_inside = is_inside.saturating_sub(1),
            _ if is_inside > 0 => {}
            _ if letter.is_alphabetic() => word += 1,
            _ => {
                words += usize::from(word >= 2);
                word = 0;
            }
        }
    }
    words >= 2 && text.contains(' ')
}

#[test]
fn messages_are_told_from_code_and_from_what_programmers_read() {
    let code = "// \"not this one\"\nlet a = 'x'; b(\"cannot open {path}: {error}\", '\\'', '\"');\n\
                c(\"one \\\n   two\"); d.expect(\"why it cannot fail\"); e(\"word\"); f(r\"C:\\new file\");\n\
                h(r#\"says \"yes please\" to it\"#);\n\
                #[cfg(test)]\nmod tests {\n g(\"in a test\") }";
    let found: Vec<_> = texts(code).into_iter().filter(|text| is_message(text)).collect();
    assert_eq!(
        found,
        ["cannot open {path}: {error}", "one two", "C:\\new file", "says \"yes please\" to it"]
    );
    let mut wrong = Vec::new();
    old_phrases("quality = 800 cannot be: a number would work", "x", &mut wrong);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    for_users("This is no camera\nThere is no camera\nit is no longer there", "x", &mut wrong);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

#[test]
fn a_phrase_is_found_in_a_comment_though_it_goes_over_two_lines() {
    let code = "/// A camera that is gone,\n/// and more.\nlet a = \"// whoever\"; // nobody\n\n// knows whoever\n";
    let found = comments(code);
    assert_eq!(found, ["A camera that is gone, and more.", "nobody", "knows whoever"]);
    let mut wrong = Vec::new();
    for comment in found {
        old_phrases(&comment, "x", &mut wrong);
        phrases(&comment, "x", &OLD_IN_COMMENTS, &mut wrong);
    }
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}
