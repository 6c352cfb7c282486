//! What `lancam --help` prints.

use super::config::options::{Entry, OPTIONS, Section, ValueKind};

const HEAD: &str = "\
lancam turns this machine's camera into a LAN camera.

lancam [run] [options]     stream until SIGTERM or Ctrl-C
lancam list [--json]       the cameras, and the nodes that are none, with why
lancam check [options]     whether the configuration is right; all that is not, with its line
lancam selftest            one block to paste: board, kernel, cameras, measured fps, watchdog, network
lancam --version           version, commit, target, features built in
lancam --help              this text
";

const FOOT: &str = "
Each option can be set in the environment too (LANCAM_SIZE=640x480, LANCAM_PICKLE=1) and, but for --config and --set, in
the file (size = \"640x480\", pickle = true; controls below a line [controls]). The command line beats the environment, the
environment the file. --pickle=no undoes a switch.

Exit status: 0 ended as asked; 1 failure; 2 wrong options; 69 address in use, or the camera can never be used;
78 wrong configuration.
";

/// Where an option's description begins, and where lines end.
const COLUMN: usize = 22;
const WIDTH: usize = 100;

/// Every option and what it is when nobody sets it.
pub fn text() -> String {
    let mut text = HEAD.to_owned();
    for section in Section::ALL {
        text += &format!("\n{}:\n", section.title());
        for entry in OPTIONS.iter().filter(|entry| entry.section == section) {
            text += &lines(entry);
        }
    }
    text + "  -v, -q              more or less in the log\n" + FOOT
}

fn lines(entry: &Entry) -> String {
    let value = match entry.kind {
        ValueKind::Switch => String::new(),
        _ => format!(" {}", entry.value),
    };
    let mut line = format!("  --{}{value}", entry.name);
    // Two spaces at least between an option and what it does.
    line += &" ".repeat(COLUMN.saturating_sub(line.len()).max(2) - 1);
    let mut text = String::new();
    for word in entry.help.split_whitespace().chain([bracketed(entry).as_str()]) {
        if word.is_empty() {
            continue;
        }
        if line.len() + 1 + word.len() > WIDTH {
            text += &format!("{line}\n");
            line = " ".repeat(COLUMN - 1);
        }
        line += " ";
        line += word;
    }
    text + &line + "\n"
}

fn bracketed(entry: &Entry) -> String {
    match entry.default {
        "" => String::new(),
        default => format!("[{default}]"),
    }
}
