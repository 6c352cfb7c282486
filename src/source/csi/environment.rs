//! The environment of the child: what libcamera logs, and a mark by which every process that comes of the child is found.

use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// The child has this variable, and so has every process that comes of it, in whatever group or session.
const MARK: &str = "CHILD_OF_LANCAM";

/// What libcamera logs: `CATEGORY:LEVEL,...`. The first entry for a category counts.
const LOG_LEVELS: &str = "LIBCAMERA_LOG_LEVELS";
/// A file that libcamera logs to, instead of its standard error.
const LOG_FILE: &str = "LIBCAMERA_LOG_FILE";

/// A child's mark. No other child that runs has the same.
#[derive(Debug)]
pub(super) struct Mark(String);

/// The processes with a mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bearers {
    pub(super) found: Vec<Pid>,
    /// There are no others. A process that is just starting another program shows no environment.
    pub(super) are_all: bool,
}

impl Mark {
    /// Prepares the environment of a child that writes its frames to `pipe`.
    ///
    /// # Errors
    /// When the pipe has no number.
    pub(super) fn put(command: &mut Command, pipe: &File) -> io::Result<Self> {
        let mark = format!("{}.{}", std::process::id(), pipe.metadata()?.ino());
        command.env(MARK, &mark).env_remove(LOG_FILE);
        if let Some(levels) = log_levels(std::env::var_os(LOG_LEVELS)) {
            command.env(LOG_LEVELS, levels);
        }
        Ok(Self(format!("{MARK}={mark}")))
    }

    /// Looks for processes with this mark, as far as this user may see them.
    pub(super) fn bearers(&self) -> Bearers {
        let mut bearers = Bearers { found: Vec::new(), are_all: true };
        let Ok(processes) = fs::read_dir("/proc") else { return bearers };
        for process in processes.flatten() {
            let number = process.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(number) = number else { continue };
            let Ok(environment) = fs::read(process.path().join("environ")) else { continue };
            if environment.split(|&byte| byte == 0).any(|it| it == self.0.as_bytes()) {
                bearers.found.push(Pid::from_raw(number));
            }
            // A process that has ended, and a thread of the kernel, have no program either.
            let has_program = || fs::read_link(process.path().join("exe")).is_ok();
            bearers.are_all &= !environment.is_empty() || !has_program();
        }
        bearers
    }
}

/// The owner's levels, and before them the one that lancam needs: the category `Camera` says what the camera was configured
/// for. Where the owner has set none, rpicam-vid chooses, and that is among it.
fn log_levels(owners: Option<OsString>) -> Option<OsString> {
    let mut levels = OsString::from("Camera:INFO,");
    levels.push(owners?);
    Some(levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libcamera_tells_of_the_camera_whatever_the_owner_has_it_log() {
        assert_eq!(log_levels(None), None);
        assert_eq!(log_levels(Some("*:ERROR".into())), Some("Camera:INFO,*:ERROR".into()));
        assert_eq!(log_levels(Some("".into())), Some("Camera:INFO,".into()));
    }

    #[test]
    fn the_environment_of_this_program_bears_no_mark() {
        let pipe = File::open("/proc/self/stat").expect("it is there");
        let mark = Mark::put(&mut Command::new("true"), &pipe).expect("it has a number");
        assert_eq!(mark.bearers().found, []);
    }
}
