//! Every command line in the pages works: our programs understand their options; targets of `make`, units and
//! benches exist.

use super::{Page, pages, root};
use lancam::camera::config::Command as Camera;
use lancam::viewer::config as viewer;
use std::ffi::OsString;
use std::fs;

/// The other programs that occur in the pages. tests/it/programs runs the lines of docs/INTEGRATIONS.md.
const OTHERS: &[&str] = &[
    "apt",
    "apt-get",
    "base64",
    "cat",
    "cd",
    "cp",
    "curl",
    "cvlc",
    "dmesg",
    "ffmpeg",
    "ffplay",
    "find",
    "fuser",
    "git",
    "groups",
    "gst-launch-1.0",
    "hostname",
    "ip",
    "iw",
    "journalctl",
    "ls",
    "mpv",
    "nano",
    "nc",
    "openssl",
    "ping",
    "python3",
    "raspi-config",
    "rm",
    "rpi-imager",
    "rpicam-vid",
    "scp",
    "sed",
    "ssh",
    "ssh-keygen",
    "tee",
    "uname",
    "usermod",
    "vlc",
    "while",
    "xz",
    "perf",
];

/// Placeholders in the pages, with an example for each.
const PLACEHOLDERS: &[(&str, &str)] = &[
    ("ADDRESS:PORT", "127.0.0.1:9999"),
    ("HOST:PORT", "127.0.0.1:9999"),
    ("ADDRESS", "192.168.1.17"),
    ("CAMERA", "garage.local"),
    ("HOST", "garage.local"),
    ("NAME=VALUE", "gain=1"),
    ("PREFIX", "10.0.0.0/8"),
    ("NAME", "garage"),
    ("FILE", "file.toml"),
    // HOWTO.md has it written first.
    ("/etc/lancam/second.toml", "systemd/lancam.toml"),
];

/// The commands of a page: lines of blocks without a language, and code in its sentences.
fn commands(page: &Page) -> Vec<String> {
    let mut found = Vec::new();
    let blocks = page.blocks();
    for block in &blocks {
        let is_printed = block.before.starts_with("<!-- printed by:");
        if !block.language.is_empty() || is_printed {
            continue;
        }
        // If some lines have a prompt, the other lines are answers.
        let has_prompts = block.text.lines().any(|line| line.trim_start().starts_with("$ "));
        for line in block.text.lines() {
            let line = line.trim_start();
            match line.strip_prefix("$ ") {
                Some(command) => found.push(command.to_owned()),
                None if !has_prompts => found.push(line.to_owned()),
                None => {}
            }
        }
    }
    let mut sentences = page.text.clone();
    for block in &blocks {
        sentences = sentences.replace(block.text, "");
    }
    let spans = sentences.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let starts = ["lancam ", "lancam-view ", "make ", "sudo ", "cargo ", "systemctl "];
    let is_command = |span: &&str| starts.iter().any(|start| span.starts_with(start));
    found.extend(spans.filter(is_command).map(String::from));
    found
}

/// The words of one simple command, without quotes.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in command.chars() {
        match (quote, letter) {
            (Some(mark), _) if letter == mark => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Checks a command. The error says what is wrong.
fn judge(command: &str) -> Result<(), String> {
    let command = command.split("  #").next().unwrap_or_default().trim();
    for part in command.split(" | ").flat_map(|part| part.split(" && ")) {
        let mut words = words(part);
        words.retain(|word| word != "sudo");
        // Variables come first, as in `LANCAM_BLESS=1 cargo test`.
        while words.first().is_some_and(|word| word.contains('=')) {
            words.remove(0);
        }
        let Some((program, arguments)) = words.split_first() else { continue };
        judge_one(program.trim_start_matches("./"), arguments)?;
    }
    Ok(())
}

fn judge_one(program: &str, arguments: &[String]) -> Result<(), String> {
    let filled = || arguments.iter().map(|word| OsString::from(filled(word)));
    match program {
        "lancam" => {
            let environment = [("LANCAM_CONFIG".into(), "".into())];
            Camera::parse(environment, filled()).map(drop).map_err(|error| error.to_string())
        }
        "lancam-view" => viewer::parse(filled()).map(drop).map_err(|error| error.to_string()),
        "lancam-setup" => Ok(()),
        "make" => makes(arguments),
        "systemctl" => units(arguments),
        "cargo" => benches(arguments),
        program if program.contains('/') && root().join(program).exists() => Ok(()),
        program if OTHERS.contains(&program) => Ok(()),
        program => Err(format!("nobody knows {program}")),
    }
}

fn filled(word: &str) -> String {
    let fill = |word: String, (mark, case): &(&str, &str)| word.replace(mark, case);
    PLACEHOLDERS.iter().fold(word.to_owned(), fill)
}

fn makes(arguments: &[String]) -> Result<(), String> {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let is_target =
        |word: &&String| makefile.lines().any(|line| line.starts_with(&format!("{word}: ##")));
    let mut targets = arguments.iter().filter(|word| !word.contains('='));
    match targets.find(|word| !is_target(word)) {
        Some(word) => Err(format!("the Makefile has no {word}")),
        None => Ok(()),
    }
}

fn units(arguments: &[String]) -> Result<(), String> {
    let is_there = |unit: &str| {
        let unit = unit.replace("@0", "@").replace("@1", "@");
        let unit = if unit.contains('.') { unit } else { format!("{unit}.service") };
        // The units of a second camera are copies, which tests/it/documents/recipes.rs makes.
        unit.starts_with("lancam2.") || root().join("systemd").join(unit).exists()
    };
    let mut units = arguments.iter().filter(|word| word.starts_with("lancam"));
    match units.find(|unit| !is_there(unit)) {
        Some(unit) => Err(format!("there is no unit {unit}")),
        None => Ok(()),
    }
}

fn benches(arguments: &[String]) -> Result<(), String> {
    let Some(at) = arguments.iter().position(|word| word == "--bench") else { return Ok(()) };
    let Some(bench) = arguments.get(at + 1) else { return Ok(()) };
    let is_there = root().join(format!("benches/{bench}.rs")).exists();
    if is_there { Ok(()) } else { Err(format!("there is no bench {bench}")) }
}

/// If a target that is not phony has the name of a file, make does nothing.
#[test]
fn every_target_of_the_makefile_is_phony() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY:")).expect("a list");
    let phony: Vec<&str> = phony.split_whitespace().collect();
    let targets = makefile.lines().filter_map(|line| Some(line.split_once(": ##")?.0));
    let left_out: Vec<&str> = targets.filter(|target| !phony.contains(target)).collect();
    assert_eq!(left_out, [""; 0]);
}

#[test]
fn every_command_that_the_pages_tell_to_type_is_understood() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in pages() {
        for command in commands(&page) {
            count += 1;
            if let Err(why) = judge(&command) {
                wrong.push(format!("{}: `{command}`: {why}", page.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} commands:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 100, "{count} commands");
}

#[test]
fn commands_that_do_not_work_are_found() {
    for wrong in [
        "lancam --rotat 90",
        "sudo systemctl restart lancam3",
        "make flesh DEV=/dev/sdX",
        "lancam-view --fullscren garage.local",
        "cargo bench --bench nothing",
        "lnacam list",
    ] {
        assert!(judge(wrong).is_err(), "{wrong}");
    }
    for right in ["lancam --set power_line_frequency=\"50 Hz\"", "LANCAM_BLESS=1 cargo test"] {
        assert_eq!(judge(right), Ok(()), "{right}");
    }
}
