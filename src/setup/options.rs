//! The command line of `lancam-setup`.

use lexopt::Arg::{Long, Short};
use std::ffi::OsString;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
lancam-setup reads what the owner left on the boot partition of lancam's SD card, and writes what
the programs of the image read. The image runs it at each start; docs/IMAGE.md tells what it reads.

lancam-setup [options]     read all settings: name, addresses, networks, SSH keys, lancam.toml
lancam-setup --keep-secrets [options]     move Wi-Fi passwords to the camera's own partition
lancam-setup --version
lancam-setup --help

  --boot DIR    the boot partition: /boot
  --run DIR     where to write the files for programs: /run. Only with /run is the machine named
  --data DIR    the camera's own partition: /data

It never fails: settings that it cannot read are ignored, with a line each in RUN/lancam/complaints.
Exit status: 0; 2 wrong options.";

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
    /// The step to do.
    pub step: Step,
}

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All that can be done before the camera's own partition is mounted.
    Everything,
    /// Move Wi-Fi passwords to that partition, and use those that are there.
    KeepSecrets,
}

impl Default for Options {
    fn default() -> Self {
        Self { boot: "/boot".into(), run: RUN.into(), data: "/data".into(), step: Step::Everything }
    }
}

impl Command {
    /// Reads `arguments`, without the program's name.
    ///
    /// # Errors
    /// What is wrong with the arguments, as a message.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let wrong = |error: lexopt::Error| format!("{error}; lancam-setup --help lists what works");
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options = Options::default();
        while let Some(argument) = parser.next().map_err(wrong)? {
            let folder = match argument {
                Long("boot") => &mut options.boot,
                Long("run") => &mut options.run,
                Long("data") => &mut options.data,
                Long("keep-secrets") => {
                    options.step = Step::KeepSecrets;
                    continue;
                }
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("version") | Short('V') => return Ok(Self::Version),
                other => return Err(wrong(other.unexpected())),
            };
            *folder = parser.value().map_err(wrong)?.into();
        }
        Ok(Self::Run(options))
    }
}
