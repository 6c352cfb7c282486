//! README.md, CONTRIBUTING.md and docs/: the commands in them work, and the samples are what the programs
//! print.

mod commands;
mod links;
mod printed;
mod recipes;

use std::fs;
use std::path::{Path, PathBuf};

/// A page and its path from the project's folder.
struct Page {
    name: String,
    text: String,
}

/// A block between two lines of backticks.
struct Block<'a> {
    /// The word after the first backticks, such as `toml`.
    language: &'a str,
    /// The line before it, which may hold a mark.
    before: &'a str,
    text: &'a str,
}

impl Page {
    fn path(&self) -> PathBuf {
        root().join(&self.name)
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut rest = self.text.as_str();
        let mut before = "";
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            if let Some(language) = line.trim_start().strip_prefix("```") {
                // A block in a list is indented, and so is its end.
                let indent = &line[..line.len() - line.trim_start().len()];
                let end = format!("\n{indent}```");
                let at = after.find(&end).unwrap_or_else(|| panic!("{}: no end", self.name));
                blocks.push(Block { language, before, text: &after[..at] });
                let (_, behind) = after[at + end.len()..].split_once('\n').unwrap_or_default();
                rest = behind;
            }
            before = line;
        }
        blocks
    }
}

/// All pages that people read.
fn pages() -> Vec<Page> {
    let docs = fs::read_dir(root().join("docs")).expect("docs");
    let mut names: Vec<String> = docs
        .map(|file| file.expect("a file").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.ends_with(".md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    names.extend(["README.md", "CONTRIBUTING.md"].map(String::from));
    names.sort();
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).expect("readable");
        Page { name, text }
    };
    names.into_iter().map(read).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
