//! The manual pages are made from `--help` and from the list of keys, so they cannot differ from them.
//!
//! `LANCAM_BLESS=1` writes them anew.

use lancam::camera;
use lancam::viewer::config::help;
use lancam::viewer::paint::help::Entry;
use lancam::viewer::stage::keys::{KEYS, written};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the camera's `--help` leaves out and its manual page adds.
const CAMERA_FOOT: &str = ".SH FILES
.TP
.B /etc/lancam/lancam.toml
options for every start; the file is optional. \\fBlancam check\\fR names its mistakes
.SH SERVICE
.PP
\\fBlancam.socket\\fR holds the listeners and hands them to \\fBlancam.service\\fR, so \\fBsystemctl restart lancam\\fR refuses nobody.
Ribbon cameras on Raspberry Pi OS need no other unit.
.SH \"SEE ALSO\"
.PP
.BR lancam\\-view (1),
.BR systemd.socket (5)
";

/// Each program, its page in the project, and the text that the page must have.
fn pages() -> [(&'static str, &'static str, String); 2] {
    let camera = page("lancam", &camera::help::text()) + CAMERA_FOOT;
    let viewer = page("lancam-view", &help::text());
    [("lancam", "cross/deb/lancam/lancam.1", camera), ("lancam-view", VIEWER_PAGE, viewer)]
}

const VIEWER_PAGE: &str = "cross/desktop/lancam-view.1";

/// Makes a manual page in `man`'s language from the text of `--help`.
fn page(program: &str, help: &str) -> String {
    let blocks: Vec<Vec<&str>> =
        help.trim_end().split("\n\n").map(|block| block.lines().collect()).collect();
    let (first, blocks) = blocks.split_first().expect("it says what it is");
    let purpose = first[0].strip_prefix(program).expect("PROGRAM what it does");
    let purpose = purpose.trim_start_matches(':').trim_start().trim_end_matches('.');
    let mut page = format!(
        ".\\\" Made from --help by tests/it/package/manual.rs.\n.TH {} 1 \"\" lancam\n.SH NAME\n{} \\- {}\n",
        escaped(&program.to_uppercase()),
        escaped(program),
        escaped(purpose)
    );
    let [mut description, mut options, mut examples, mut status] = [const { String::new() }; 4];
    page.push_str(".SH SYNOPSIS\n");
    for block in blocks {
        if let Some(text) = block[0].strip_prefix("Exit status: ") {
            let rest = block[1..].join(" ");
            entries(&mut status, &[text, &rest].join(" "));
        } else if block[0].starts_with(program) {
            terms(&mut page, block);
        } else if block[0].trim_end_matches(':') == "Examples" {
            examples.push_str(".SH EXAMPLES\n");
            terms(&mut examples, &block[1..]);
        } else if block.iter().any(|line| line.starts_with("  -")) {
            terms(&mut options, block);
        } else {
            // The keys have their own chapter.
            let lines: Vec<&str> =
                block.iter().copied().filter(|line| !line.starts_with(' ')).collect();
            writeln!(description, ".PP\n{}", escaped(&lines.join(" "))).expect("into a text");
        }
    }
    write!(page, ".SH DESCRIPTION\n{description}.SH OPTIONS\n{options}").expect("into a text");
    if program == "lancam-view" {
        keys(&mut page);
    }
    write!(page, "{examples}.SH \"EXIT STATUS\"\n{status}").expect("into a text");
    page
}

/// The window's keys.
fn keys(page: &mut String) {
    page.push_str(".SH KEYS\n");
    for section in KEYS {
        writeln!(page, ".SS {}", escaped(section.title)).expect("into a text");
        for entry in section.entries {
            let keys = written(entry);
            writeln!(page, ".TP\n.B {}\n{}", escaped(&keys), escaped(entry.what)).expect("text");
        }
    }
}

/// Splits `0 done; 1 failure` into lines.
fn entries(page: &mut String, text: &str) {
    for entry in text.trim().trim_end_matches('.').split("; ") {
        let (number, what) = entry.split_once(' ').expect("a number, and what it means");
        writeln!(page, ".TP\n.B {number}\n{}", escaped(what)).expect("into a text");
    }
}

/// Lines with two columns become terms, and their second column may continue in the next lines. Other lines
/// become paragraphs.
fn terms(page: &mut String, block: &[&str]) {
    let mut lines = block.iter().copied().peekable();
    while let Some(line) = lines.next() {
        let term_alone = line.trim_start();
        let is_followed = lines.peek().is_some_and(|line| line.starts_with("      "));
        let split = term_alone.split_once("  ");
        let split = split.or_else(|| is_followed.then_some((term_alone, "")));
        let Some((term, text)) = split else {
            writeln!(page, ".PP\n{}", escaped(line)).expect("into a text");
            continue;
        };
        let mut text = text.trim().to_owned();
        while let Some(more) = lines.next_if(|line| line.starts_with("      ")) {
            text = format!("{text} {}", more.trim()).trim_start().to_owned();
        }
        writeln!(page, ".TP\n.B {}\n{}", escaped(term), escaped(&text)).expect("into a text");
    }
}

/// Escapes a text, so that `man` takes none of it as a command.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}

#[test]
fn each_manual_page_says_what_help_says() {
    for (program, file, made) in pages() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("LANCAM_BLESS").is_some() {
            std::fs::write(&path, &made).expect("written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(made == kept, "LANCAM_BLESS=1 makes {file} anew");
        // The page must contain every option.
        let plain = made.replace("\\-", "-").replace("\\(aq", "'");
        let help = if program == "lancam" { camera::help::text() } else { help::text() };
        for word in help.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(plain.contains(word), "{program}: {word}");
        }
    }
}

#[test]
fn the_readme_has_every_key_of_the_window() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("it is there");
    let (before, rest) = readme.split_once(TABLE).expect("its table of keys");
    let (kept, after) = rest.split_once("\n\n").expect("something follows it");
    let mut made = String::new();
    for section in KEYS {
        let row = |entry: &Entry<'_>| {
            let keys: Vec<_> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
            let between = if entry.keys.contains(&"Shift") { "+" } else { " " };
            format!("{} {}", keys.join(between), entry.what)
        };
        let rows: Vec<_> = section.entries.iter().map(row).collect();
        write!(made, "\n| **{}** | {} |", section.title, rows.join(" · ")).expect("into a text");
    }
    if std::env::var_os("LANCAM_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{TABLE}{made}\n\n{after}")).expect("written");
        return;
    }
    assert_eq!(kept, made, "LANCAM_BLESS=1 makes it anew");
}

/// The first lines of the table.
const TABLE: &str = "| In the window | keys |\n|---|---|";

#[test]
fn man_shows_each_manual_page_without_a_warning() {
    for (_, file, _) in pages() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let mut man = Command::new("man");
        man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"])
            .arg(file)
            .env("LC_ALL", "C.UTF-8");
        man.env("MANROFFSEQ", "").env("MANWIDTH", "80").stdin(Stdio::null());
        match man.output() {
            Ok(output) => {
                let complaint = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && complaint.trim().is_empty(), "{complaint}");
            }
            Err(error) => return crate::tools::skip::skip("man", &error.to_string()),
        }
    }
}
