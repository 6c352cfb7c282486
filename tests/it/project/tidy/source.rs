//! Reads Rust source files as far as the rules need it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// The path from the package's folder, such as `src/wire/packet.rs`.
    pub name: String,
    pub text: String,
    /// The text without comments and without the contents of literals.
    pub with_tests: String,
    /// The same, without the tests at its end.
    pub code: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let relative = path.strip_prefix(root).expect("it was found below the root");
        let text = fs::read_to_string(path).expect("a source file is readable");
        let with_tests = bare(&text);
        let name = relative.to_string_lossy().replace('\\', "/");
        let tests = with_tests.find("#[cfg(test)]\nmod tests {").unwrap_or(with_tests.len());
        // A file of its own for tests contains only tests.
        let tests = if name.ends_with("/tests.rs") { 0 } else { tests };
        Self { name, code: with_tests[..tests].to_owned(), text, with_tests }
    }

    /// The room of this file, or `None` for programs.
    pub fn room(&self) -> Option<&str> {
        let first = self.name.strip_prefix("src/")?.split(['/', '.']).next()?;
        (first != "bin").then_some(first)
    }

    /// The names of the modules that contain this one, and its own name last: `camera`, `session` for
    /// src/camera/session/mod.rs.
    pub fn module(&self) -> Vec<&str> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        path.split('/').filter(|part| !["mod", "lib"].contains(part)).collect()
    }

    /// The paths that this file names, from the library's root: `wire::packet::Packet` is three words. A path
    /// that does not begin with `crate`, `super` or `self` counts as a path into a submodule. A `super` in a
    /// module inside the file counts as the file's own.
    pub fn names(&self) -> BTreeSet<Vec<&str>> {
        let own = self.module();
        paths(&self.code).iter().map(|path| absolute(&own, path)).collect()
    }

    pub fn names_crate(&self, name: &str) -> bool {
        let path = format!("{name}::");
        let starts_a_path = |at: usize| {
            let before = self.code[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || "_:.".contains(letter))
        };
        self.code.match_indices(&path).any(|(at, _)| starts_a_path(at))
            || self.code.contains(&format!("use {name};"))
    }
}

/// The path from the library's root that `path` means in the module `own`.
fn absolute<'a>(own: &[&'a str], path: &[&'a str]) -> Vec<&'a str> {
    let up = path.iter().take_while(|part| **part == "super").count();
    let inside = &own[..own.len().saturating_sub(up)];
    match path.first() {
        Some(&"crate") => path[1..].to_vec(),
        Some(&"self") => [inside, &path[1..]].concat(),
        _ => [inside, &path[up..]].concat(),
    }
}

/// Every path with more than one name. Groups are split: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let goes_on = at > 0 && ["::", "."].contains(&tokens[at - 1]);
        if !goes_on && tokens.get(at + 1) == Some(&"::") && is_name(tokens[at]) {
            at = take_path(&tokens, at, &mut Vec::new(), &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads the path or the group that begins at `at`, after `prefix`. Returns where it ends.
fn take_path<'a>(
    tokens: &[&'a str],
    mut at: usize,
    prefix: &mut Vec<&'a str>,
    found: &mut Vec<Vec<&'a str>>,
) -> usize {
    match tokens.get(at) {
        Some(&"{") => {
            at += 1;
            while let Some(token) = tokens.get(at).filter(|token| **token != "}") {
                at = match *token {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => take_path(tokens, at, prefix, found),
                };
            }
        }
        Some(&name) if is_name(name) => {
            prefix.push(name);
            if tokens.get(at + 1) == Some(&"::") {
                at = take_path(tokens, at + 2, prefix, found);
                prefix.pop();
                return at;
            }
            found.push(prefix.clone());
            prefix.pop();
        }
        // `a::*` or `a::<T>`.
        _ if !prefix.is_empty() => found.push(prefix.clone()),
        _ => {}
    }
    at + 1
}

fn is_name(token: &str) -> bool {
    token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
}

/// Splits code into names, numbers, `::` and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
        let len = match word.unwrap_or(rest.len()) {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            len => len,
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}

/// Every .rs file in `folder` of the package and in its subfolders.
pub fn sources(folder: &str) -> Vec<Source> {
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

/// Rust code without comments and without the contents of literals. Line breaks stay.
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

/// The hashes of a raw string at the start of `text`, such as `r#"`.
fn raw_hashes(text: &str) -> Option<&str> {
    let text = text.strip_prefix('r')?;
    let hashes = text.len() - text.trim_start_matches('#').len();
    text[hashes..].starts_with('"').then(|| &text[..hashes])
}

/// The length of a character literal at the start of `text`, or 0 if there is none, as in a lifetime.
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
}

#[test]
fn paths_are_found_with_their_groups_taken_apart() {
    let text =
        "use crate::{wire::{a as f, b::C}, image}; let x = super::y::<T>(self.z, d::e::*) as d;";
    let expected: [&[&str]; 5] = [
        &["crate", "wire", "a"],
        &["crate", "wire", "b", "C"],
        &["crate", "image"],
        &["super", "y"],
        &["d", "e"],
    ];
    assert_eq!(paths(text), expected);
}
