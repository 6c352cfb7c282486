//! What shells complete is made from what `--help` prints, so that it offers nothing else; and it works in real shells.
//!
//! `LANCAM_BLESS=1` makes the files anew.

use crate::tools::skip::skip;
use lancam::camera;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, as its `--help` describes it.
struct Program {
    name: &'static str,
    commands: Vec<(String, String)>,
    options: Vec<Offer>,
}

/// An option.
struct Offer {
    /// `--size` or `-v`.
    flag: String,
    value: Value,
    help: String,
}

/// What follows an option.
enum Value {
    Nothing,
    /// One of these words.
    Words(Vec<String>),
    /// A file, or one of these words.
    File(Vec<String>),
    /// Something that no shell knows, called this.
    Other(String),
}

impl Program {
    fn of(name: &'static str, help: &str) -> Self {
        let mut program = Self { name, commands: Vec::new(), options: Vec::new() };
        let mut lines = help.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((term, text)) = line.trim_start().split_once("  ") else { continue };
            let mut text = text.trim().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with("      ")) {
                text = format!("{text} {}", more.trim());
            }
            let text = first_sentence(&text);
            if line.starts_with("  -") {
                let offers = term.split(", ").map(|option| Offer::of(option, &text));
                program.options.extend(offers);
            } else if let Some(rest) = line.strip_prefix(name).and_then(|it| it.strip_prefix(' ')) {
                let command = rest.split(' ').next().unwrap_or_default();
                let command = command.trim_matches(['[', ']']);
                if command.bytes().all(|letter| letter.is_ascii_lowercase()) && line.contains("  ")
                {
                    program.commands.push((command.to_owned(), text));
                }
            }
        }
        for (flag, help) in [("--help", "show the options"), ("--version", "show the version")] {
            if !program.options.iter().any(|offer| offer.flag == flag) {
                program.options.push(Offer::of(flag, help));
            }
        }
        program
    }

    fn flags(&self) -> String {
        let flags = self.options.iter().map(|offer| offer.flag.as_str());
        flags.filter(|flag| flag.starts_with("--")).collect::<Vec<_>>().join(" ")
    }

    fn bash(&self) -> String {
        let Self { name, commands, options } = self;
        let function = name.replace('-', "_");
        let mut cases = String::new();
        for Offer { flag, value, .. } in options {
            let offered = match value {
                Value::Nothing => continue,
                Value::Words(words) => {
                    format!("COMPREPLY=($(compgen -W '{}' -- \"$word\"))", words.join(" "))
                }
                Value::File(words) => format!(
                    "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"; compgen -f -- \"$word\")",
                    words.join(" ")
                ),
                Value::Other(_) => ":".into(),
            };
            writeln!(cases, "    {flag}) {offered}; return ;;").expect("into a text");
        }
        let first = match commands.is_empty() {
            true => String::new(),
            false => {
                let words: Vec<_> = commands.iter().map(|(command, _)| command.as_str()).collect();
                format!(
                    "    [[ $word == -* || $COMP_CWORD != 1 ]] || COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n",
                    words.join(" ")
                )
            }
        };
        format!(
            "# What bash completes for {name}: made from its --help by tests/it/package/completions.rs.\n\
             _{function}() {{\n    \
                 local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n    \
                 # bash takes --size=640x480 apart.\n    \
                 if [[ $word == = ]]; then before=${{COMP_WORDS[COMP_CWORD-1]}} word=; \
                 elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}; fi\n    \
                 COMPREPLY=()\n    \
                 case $before in\n{cases}    esac\n{first}    \
                 [[ $word != -* ]] || COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n\
             }}\ncomplete -F _{function} {name}\n",
            self.flags()
        )
    }

    fn zsh(&self) -> String {
        let Self { name, commands, options } = self;
        let quoted = |text: &str| text.replace('\'', "'\\''");
        let inside =
            |text: &str| quoted(text).replace('[', "\\[").replace(']', "\\]").replace(':', "\\:");
        let mut lines = Vec::new();
        if !commands.is_empty() {
            let words = commands.iter().map(|(command, help)| {
                format!("{command}\\:\"{}\"", inside(&help.replace('"', "")))
            });
            lines.push(format!("'1:command:(({}))'", words.collect::<Vec<_>>().join(" ")));
        }
        for Offer { flag, value, help } in options {
            let value = match value {
                Value::Nothing => String::new(),
                Value::Words(words) => format!(":value:({})", words.join(" ")),
                Value::File(_) => ":file:_files".into(),
                Value::Other(what) => format!(":{}: ", inside(what)),
            };
            lines.push(format!("'*{flag}[{}]{value}'", inside(help)));
        }
        format!(
            "#compdef {name}\n# Made from {name} --help by tests/it/package/completions.rs.\n_arguments -s -S \\\n    {}\n",
            lines.join(" \\\n    ")
        )
    }

    fn fish(&self) -> String {
        let Self { name, commands, options } = self;
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        let mut text = format!("# Made from {name} --help by tests/it/package/completions.rs.\n");
        for (command, help) in commands {
            let help = quoted(help);
            writeln!(text, "complete -c {name} -f -n __fish_is_first_arg -a {command} -d '{help}'")
                .expect("into a text");
        }
        for Offer { flag, value, help } in options {
            let flag = match flag.strip_prefix("--") {
                Some(long) => format!("-l {long}"),
                None => format!("-s {}", flag.trim_start_matches('-')),
            };
            let value = match value {
                Value::Nothing => String::new(),
                Value::Words(words) => format!(" -x -a '{}'", words.join(" ")),
                Value::File(words) => format!(" -r -F -a '{}'", words.join(" ")),
                Value::Other(_) => " -x".into(),
            };
            writeln!(text, "complete -c {name} {flag}{value} -d '{}'", quoted(help))
                .expect("into a text");
        }
        text
    }
}

impl Offer {
    /// `--flip h|v|hv`
    fn of(option: &str, help: &str) -> Self {
        let (flag, value) = option.split_once(' ').unwrap_or((option, ""));
        let words = |text: &str| text.split('|').map(str::to_owned).collect();
        let value = match value {
            "" => Value::Nothing,
            "S" => Value::File(words("auto|test|-")),
            "PATH" => Value::File(Vec::new()),
            _ if value.starts_with("FILE") => Value::File(Vec::new()),
            _ if value.contains('|') => Value::Words(words(value)),
            _ => Value::Other(value.to_owned()),
        };
        Self { flag: flag.to_owned(), value, help: help.to_owned() }
    }
}

/// As much as fits beside an option in a terminal.
fn first_sentence(text: &str) -> String {
    let end = ["; ", ". ", ": ", " ["].iter().filter_map(|sign| text.find(sign)).min();
    text[..end.unwrap_or(text.len())].to_owned()
}

fn program() -> Program {
    Program::of("lancam", &camera::help::text())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("cross/deb/lancam")
}

#[test]
fn what_shells_complete_is_what_help_says() {
    let program = program();
    for (file, made) in [
        ("lancam.bash", program.bash()),
        ("_lancam", program.zsh()),
        ("lancam.fish", program.fish()),
    ] {
        let path = folder().join(file);
        if std::env::var_os("LANCAM_BLESS").is_some() {
            fs::write(&path, &made).expect("writes");
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(there, made, "LANCAM_BLESS=1 makes {file} anew");
    }
    for entry in &camera::config::options::OPTIONS {
        let flag = format!("--{}", entry.name);
        assert!(program.flags().split(' ').any(|offered| offered == flag), "{flag}");
    }
}

/// What bash offers for the last of `words`.
fn completed(words: &[&str]) -> Vec<String> {
    let script = format!(
        "compopt() {{ :; }}; . '{}'; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _lancam; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        folder().join("lancam.bash").display()
    );
    let output = Command::new("bash").args(["-c", &script, "bash"]).args(words).output();
    let output = output.expect("bash runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_their_values() {
    for (words, offered) in [
        (&["lancam", "l"][..], &["list"][..]),
        (&["lancam", "se"], &["selftest"]),
        (&["lancam", "--si"], &["--size"]),
        (&["lancam", "list", "--id"], &["--idle-stop"]),
        (&["lancam", "--flip", ""], &["h", "v", "hv"]),
        (&["lancam", "--flip", "=", "h"], &["h", "hv"]),
        (&["lancam", "--control", "="], &["off", "lan"]),
        (&["lancam", "--source", "aut"], &["auto"]),
        (&["lancam", "--size", "6"], &[]),
        (&["lancam", "--nothing-like-it"], &[]),
    ] {
        assert_eq!(completed(words), offered, "{words:?}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("my clip.mjpeg");
    fs::write(&clip, "").expect("writes");
    let begun = folder.path().join("my");
    let offered = completed(&["lancam", "--source", begun.to_str().expect("UTF-8")]);
    assert_eq!(offered, [clip.to_str().expect("UTF-8")]);
}

#[test]
fn zsh_and_fish_can_read_their_files() {
    for (shell, file) in [("zsh", "_lancam"), ("fish", "lancam.fish")] {
        let path = folder().join(file);
        match Command::new(shell).arg("-n").arg(&path).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success() && said.is_empty(), "{shell}: {said}");
            }
            Err(error) => skip(&format!("completions of {shell}"), &format!("{shell}: {error}")),
        }
    }
}

#[test]
fn fish_completes_options_and_their_values() {
    let file = folder().join("lancam.fish");
    let script = format!(
        "source '{}'; complete -C 'lancam --fli'; complete -C 'lancam --flip '",
        file.display()
    );
    match Command::new("fish").args(["-c", &script]).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let words: Vec<_> = text.lines().filter_map(|line| line.split('\t').next()).collect();
            assert_eq!(words, ["--flip", "h", "hv", "v"], "{text}");
        }
        Err(error) => skip("completions of fish", &error.to_string()),
    }
}
