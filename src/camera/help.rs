//! What `lancam --help` prints.

use super::config::options::{Entry, OPTIONS, Section, ValueKind};

const HEAD: &str = "\
lancam turns this machine's camera into a LAN camera.

lancam [run] [options]     stream until Ctrl-C
lancam list [--json]       show the cameras and what they can do
lancam check [options]     check the options and the file; show each mistake with its line
lancam pair                show the code that viewers ask for, and what to type on another computer
lancam pair --name HA --may watch|control
                           make a key for a program; with --plain, one that works without TLS
lancam pair --list         show who has a key
lancam pair --revoke NAME  take a key back; viewers that use it are disconnected
lancam pair --new-code     replace the code; paired viewers can still watch
lancam selftest            measure this machine and its cameras: one block to paste into a report
lancam version             show version, commit, target and features
lancam help                show this text

Examples:
  lancam                                 the first camera, on ports 9999 and 8080 of this machine
  lancam --size 1920x1080 --fps 15       ask the camera for another size and rate
  lancam --source test --listen 8080     a test pattern, on port 8080 alone
  lancam --name Garage --rotate 180      a camera that hangs upside down
  lancam --access open                   everybody on the LAN may watch
  lancam --set brightness=128            set a control that lancam list shows
";

const FOOT: &str = "
--port (-p), --device (-d), --resolution (-r) and --framerate also work, for --listen, --source,
--size and --fps.

An option can also be set in the environment (LANCAM_SIZE=640x480, LANCAM_PICKLE=1) or in the file
(size = \"640x480\", pickle = true; controls below a line [controls]). The command line overrides the
environment, and the environment overrides the file. --pickle=no switches off what the file has on.

Exit status: 0 ended as asked; 1 failure; 2 wrong options; 69 the address is in use, or the camera
can never be used; 78 wrong configuration.
";

/// The column where descriptions begin, and the greatest width of a line.
const COLUMN: usize = 22;
const WIDTH: usize = 100;

/// The whole help text: every option with its default.
pub fn text() -> String {
    let mut text = HEAD.to_owned();
    for section in Section::ALL {
        text += &format!("\n{}:\n", section.title());
        for entry in OPTIONS.iter().filter(|entry| entry.section == section) {
            text += &lines(entry);
        }
    }
    text + "  -v, -q              log more, or less\n" + FOOT
}

fn lines(entry: &Entry) -> String {
    let value = match entry.kind {
        ValueKind::Switch => String::new(),
        _ => format!(" {}", entry.value),
    };
    let mut line = format!("  --{}{value}", entry.name);
    // At least two spaces between an option and its description.
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
