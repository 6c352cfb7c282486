//! The command line of `lancam-setup`.

use crate::nearest;
use crate::wording::unknown;
use lexopt::Arg::{Long, Short, Value};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
lancam-setup reads what the owner left on the boot partition of lancam's SD card, and writes what
the programs of the image read. The image runs it at each start; docs/IMAGE.md tells what it reads.

lancam-setup [options]     read all settings: name, addresses, networks, SSH keys, lancam.toml
lancam-setup --keep-secrets [options]     move the code and Wi-Fi passwords to the camera's own partition
lancam-setup --tell-code [options]     write the code that the camera made into code.txt, if that is there
lancam-setup --version
lancam-setup --help

  --boot DIR    the boot partition: /boot
  --run DIR     where to write the files for programs: /run. Only with /run is the machine named
  --data DIR    the camera's own partition: /data
  --state DIR   where lancam keeps its code and its keys: /var/lib/lancam

It never fails: settings that it cannot read are ignored, with a line each in RUN/lancam/complaints.
Exit status: 0; 2 wrong options.";

/// All long options.
const OPTIONS: [&str; 8] =
    ["keep-secrets", "tell-code", "boot", "run", "data", "state", "version", "help"];

/// Where to look when nothing else can be said.
const SEE_HELP: &str = "lancam-setup --help lists the options";

/// The folder for files that are made anew at each start.
pub(super) const RUN: &str = "/run";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Do a step.
    Run(Options),
    /// Print the version.
    Version,
    /// Print [`HELP`].
    Help,
}

/// Where to read and write, and which step to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The boot partition.
    pub boot: PathBuf,
    /// The folder in memory. The machine gets its name only if this is `/run`.
    pub run: PathBuf,
    /// The camera's own partition.
    pub data: PathBuf,
    /// The folder of lancam's code and keys.
    pub state: PathBuf,
    /// The step to do.
    pub step: Step,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All that can be done before the camera's own partition is mounted.
    Everything,
    /// Move the code and Wi-Fi passwords to that partition, and use those that are there.
    KeepSecrets,
    /// Write the code that the camera made onto the boot partition.
    TellCode,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            boot: "/boot".into(),
            run: RUN.into(),
            data: "/data".into(),
            state: "/var/lib/lancam".into(),
            step: Step::Everything,
        }
    }
}

impl Command {
    /// Reads `arguments`, without the program's name.
    ///
    /// # Errors
    /// What is wrong with the arguments, as a message.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let wrong = |error: lexopt::Error| format!("{error}; {SEE_HELP}");
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options = Options::default();
        while let Some(argument) = parser.next().map_err(wrong)? {
            let folder = match argument {
                Long("boot") => &mut options.boot,
                Long("run") => &mut options.run,
                Long("data") => &mut options.data,
                Long("state") => &mut options.state,
                Long("tell-code") => {
                    options.step = Step::TellCode;
                    continue;
                }
                Long("keep-secrets") => {
                    options.step = Step::KeepSecrets;
                    continue;
                }
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("version") | Short('V') => return Ok(Self::Version),
                Long(name) => {
                    let meant = nearest::of(name, OPTIONS).map(|meant| format!("--{meant}"));
                    let name = format!("--{name}");
                    return Err(unknown("option", &name, meant.as_deref(), SEE_HELP));
                }
                Short(letter) => {
                    return Err(unknown("option", &format!("-{letter}"), None, SEE_HELP));
                }
                Value(word) => {
                    let word = word.to_string_lossy();
                    let meant = nearest::of(&word, OPTIONS).map(|meant| format!("--{meant}"));
                    return Err(unknown("command", &word, meant.as_deref(), SEE_HELP));
                }
            };
            *folder = parser.value().map_err(wrong)?.into();
        }
        Ok(Self::Run(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_answered_with_what_was_meant() {
        for (argument, answer) in [
            ("--bot", "unknown option \"--bot\"; did you mean \"--boot\"?"),
            ("--keepsecrets", "did you mean \"--keep-secrets\"?"),
            ("help", "unknown command \"help\"; did you mean \"--help\"?"),
            ("-x", "unknown option \"-x\"; lancam-setup --help lists the options"),
            ("image", "unknown command \"image\"; lancam-setup --help lists the options"),
        ] {
            let said = Command::parse([OsString::from(argument)]).expect_err(argument);
            assert!(said.contains(answer), "{argument}: {said}");
        }
        for option in OPTIONS {
            let said = Command::parse([format!("--{option}").into()]).err().unwrap_or_default();
            assert!(HELP.contains(&format!("--{option}")) && !said.contains("unknown"), "{said}");
        }
    }
}
