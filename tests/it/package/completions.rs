//! Shells complete exactly what `--help` of `lancam` and `lancam-view` prints. It is tried in real shells.
//!
//! `LANCAM_BLESS=1` makes the files anew.

use crate::tools::skip::skip;
use lancam::{camera, viewer};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program, from the text of its `--help`.
struct Program {
    name: &'static str,
    /// The folder of its shell files in the project.
    folder: &'static str,
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

/// The value that follows an option.
enum Value {
    Nothing,
    /// One of these words.
    Words(Vec<String>),
    /// A file, or one of these words.
    File(Vec<String>),
    /// Something that shells cannot complete, with this name.
    Other(String),
}

impl Program {
    fn of(name: &'static str, folder: &'static str, help: &str) -> Self {
        let mut program = Self { name, folder, commands: Vec::new(), options: Vec::new() };
        let mut lines = help.lines().peekable();
        while let Some(line) = lines.next() {
            let is_followed = lines.peek().is_some_and(|line| line.starts_with("      "));
            let is_usage = line.starts_with(&format!("{name} "));
            let split = line.trim_start().split_once("  ");
            let split = split.or((is_usage && is_followed).then_some((line, "")));
            let Some((term, text)) = split else { continue };
            let mut text = text.trim().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with("      ")) {
                text = format!("{text} {}", more.trim());
            }
            let text = first_sentence(&text);
            if line.starts_with("  -") {
                let offers = term.split(", ").map(|option| Offer::of(option, &text));
                program.options.extend(offers);
            } else if let Some(rest) = line.strip_prefix(name).and_then(|it| it.strip_prefix(' ')) {
                program.add_usage(rest.split("  ").next().unwrap_or_default(), &text);
            }
        }
        for (flag, help) in [("--help", "show the options"), ("--version", "show the version")] {
            if !program.options.iter().any(|offer| offer.flag == flag) {
                program.options.push(Offer::of(flag, help));
            }
        }
        program.commands.dedup_by(|later, first| later.0 == first.0);
        // An option of the whole program stands behind those of a command.
        let mut known = BTreeSet::new();
        program.options.reverse();
        program.options.retain(|offer| known.insert(offer.flag.clone()));
        program.options.reverse();
        program
    }

    /// Adds what a line of usage names. `list [--json]` is a command, `[OPTIONS] --pickle HOST:PORT` an
    /// option.
    fn add_usage(&mut self, usage: &str, help: &str) {
        let mut words = usage.split(' ').peekable();
        let command = words.peek().map_or("", |word| word.trim_matches(['[', ']']));
        if command.bytes().all(|letter| letter.is_ascii_lowercase()) {
            self.commands.push((command.to_owned(), help.to_owned()));
        }
        while let Some(word) = words.next() {
            if word.starts_with("--") {
                let value = words.next_if(|next| !next.starts_with(['-', '[']));
                let option = [word, value.unwrap_or_default()].join(" ");
                self.options.push(Offer::of(option.trim_end(), help));
            }
        }
    }

    fn flags(&self) -> String {
        let flags = self.options.iter().map(|offer| offer.flag.as_str());
        flags.filter(|flag| flag.starts_with("--")).collect::<Vec<_>>().join(" ")
    }

    fn bash(&self) -> String {
        let Self { name, commands, options, .. } = self;
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
        let Self { name, commands, options, .. } = self;
        let quoted = |text: &str| text.replace('\'', "'\\''");
        let inside =
            |text: &str| quoted(text).replace('[', "\\[").replace(']', "\\]").replace(':', "\\:");
        let mut lines = Vec::new();
        if !commands.is_empty() {
            let words = commands.iter().map(|(command, help)| {
                format!("{command}\\:\"{}\"", inside(&help.replace('"', "")))
            });
            lines.push(format!("'1:command:(({}))'", words.collect::<Vec<_>>().join(" ")));
        } else {
            // Without this, zsh completes nothing after a camera's name.
            lines.push("'*:camera: '".to_owned());
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
        let Self { name, commands, options, .. } = self;
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        let mut text = format!("# Made from {name} --help by tests/it/package/completions.rs.\n");
        if commands.is_empty() {
            // A word without an option is a camera, and not a file.
            writeln!(text, "complete -c {name} -f").expect("into a text");
        }
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
    /// Parses an option such as `--flip h|v|hv`.
    fn of(option: &str, help: &str) -> Self {
        let (flag, value) = option.split_once(' ').unwrap_or((option, ""));
        let words = |text: &str| text.split('|').map(str::to_owned).collect();
        let value = match value {
            "" => Value::Nothing,
            _ if flag == "--source" => Value::File(words("auto|test|-")),
            "PATH" => Value::File(Vec::new()),
            _ if value.starts_with("FILE") => Value::File(Vec::new()),
            _ if value.contains('|') => Value::Words(words(value)),
            _ => Value::Other(value.to_owned()),
        };
        Self { flag: flag.to_owned(), value, help: help.to_owned() }
    }
}

/// The first sentence, which fits beside an option in a terminal.
fn first_sentence(text: &str) -> String {
    let end = ["; ", ". ", ": ", " ["].iter().filter_map(|sign| text.find(sign)).min();
    let sentence = &text[..end.unwrap_or(text.len())];
    match sentence.rfind(" (") {
        // The sentence ended inside brackets.
        Some(opened) if !sentence[opened..].contains(')') => sentence[..opened].to_owned(),
        _ => sentence.to_owned(),
    }
}

fn programs() -> [Program; 2] {
    [
        Program::of("lancam", "cross/deb/lancam", &camera::help::text()),
        Program::of("lancam-view", "cross/desktop", &viewer::config::help::text()),
    ]
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The three files of a program, by their shells.
fn files(program: &Program) -> [(&'static str, PathBuf); 3] {
    let (folder, name) = (root().join(program.folder), program.name);
    [
        ("bash", folder.join(format!("{name}.bash"))),
        ("zsh", folder.join(format!("_{name}"))),
        ("fish", folder.join(format!("{name}.fish"))),
    ]
}

/// The file of this program for `shell`.
fn file(name: &str, shell: &str) -> PathBuf {
    let programs = programs();
    let program = programs.iter().find(|program| program.name == name).expect("it is a program");
    let found = files(program).into_iter().find(|(of, _)| *of == shell);
    found.expect("it is a shell").1
}

#[test]
fn what_shells_complete_is_what_help_says() {
    for program in programs() {
        let made = [program.bash(), program.zsh(), program.fish()];
        for ((_, path), made) in files(&program).into_iter().zip(made) {
            if std::env::var_os("LANCAM_BLESS").is_some() {
                fs::write(&path, &made).expect("writes");
            }
            let there = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(there, made, "LANCAM_BLESS=1 makes {} anew", path.display());
        }
        let flags = program.flags();
        let offered =
            |name: &str| flags.split(' ').any(|flag| flag.strip_prefix("--") == Some(name));
        let all: Vec<&str> = match program.name {
            "lancam" => camera::config::options::OPTIONS.iter().map(|entry| entry.name).collect(),
            _ => viewer::config::OPTIONS.to_vec(),
        };
        for name in all {
            assert!(offered(name), "{} --{name}", program.name);
        }
    }
}

/// What bash offers for the last of `words`.
fn completed(words: &[&str]) -> Vec<String> {
    let name = words[0];
    let script = format!(
        "compopt() {{ :; }}; . '{}'; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _{}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file(name, "bash").display(),
        name.replace('-', "_")
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
        (&["lancam-view", ""], &[]),
        (&["lancam-view", "--pi"], &["--pickle"]),
        (&["lancam-view", "Garage", "--li"], &["--list"]),
        (&["lancam-view", "--record-"], &["--record-every", "--record-max", "--record-keep"]),
        (&["lancam-view", "--seconds", ""], &[]),
    ] {
        assert_eq!(completed(words), offered, "{words:?}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("my clip.mjpeg");
    fs::write(&clip, "").expect("writes");
    let begun = folder.path().join("my");
    for words in [["lancam", "--source"], ["lancam-view", "--save"], ["lancam-view", "--record"]] {
        let offered = completed(&[words[0], words[1], begun.to_str().expect("UTF-8")]);
        assert_eq!(offered, [clip.to_str().expect("UTF-8")], "{words:?}");
    }
}

#[test]
fn zsh_and_fish_can_read_their_files() {
    for (shell, path) in programs().iter().flat_map(files).filter(|(shell, _)| *shell != "bash") {
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
    for (name, typed, offered) in [
        ("lancam", "--fli", &["--flip"][..]),
        ("lancam", "--flip ", &["h", "hv", "v"]),
        ("lancam-view", "--fulls", &["--fullscreen"]),
        ("lancam-view", "Garage --pic", &["--pickle"]),
        ("lancam-view", "/et", &[]),
        ("lancam-view", "--save /et", &["/etc/"]),
    ] {
        let source = file(name, "fish");
        let script = format!("source '{}'; complete -C '{name} {typed}'", source.display());
        match Command::new("fish").args(["-c", &script]).output() {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let words = text.lines().filter_map(|line| line.split('\t').next());
                assert_eq!(words.collect::<Vec<_>>(), offered, "{typed}: {text}");
            }
            Err(error) => return skip("completions of fish", &error.to_string()),
        }
    }
}

/// Starts a zsh with completion that has the files of the folder `$1`, types `$2` and Tab, and waits until
/// `$3` appears.
const TYPE_INTO_ZSH: &str = r#"
zmodload zsh/zpty || exit 1
zpty shell zsh -f -i
zpty -w shell "PS1= fpath=('$1' \$fpath); autoload -Uz compinit; compinit -u -D; print rea''dy"
zpty -r -m shell said '*ready*' || exit 1
zpty -w -n shell "$2"$'\t'
zpty -r -m shell said "*$3*"
"#;

#[test]
fn zsh_completes_options_and_their_values() {
    for (name, typed, completed) in [
        ("lancam", "lancam sel", "lancam selftest"),
        ("lancam", "lancam --control of", "--control off"),
        ("lancam-view", "lancam-view --fulls", "--fullscreen"),
        ("lancam-view", "lancam-view Garage --pic", "--pickle"),
    ] {
        let zsh = file(name, "zsh");
        let folder = zsh.parent().expect("it lies in a folder");
        // If zsh completes something else, `timeout` ends it.
        let mut command = Command::new("timeout");
        command.args(["60", "zsh", "-f", "-c", TYPE_INTO_ZSH, "zsh"]).arg(folder);
        command.args([typed, completed]).env("TERM", "dumb");
        let output = command.output().expect("timeout runs");
        match output.status.code() {
            Some(0) => {}
            // `timeout` returns this status if the program does not exist.
            Some(127) => return skip("completions of zsh", "zsh is not installed"),
            _ => panic!("{typed}: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}
