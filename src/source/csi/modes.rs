//! Asks rpicam-vid which modes each ribbon camera has.

use super::child::Child;
use super::run::wait;
use crate::source::interrupted::is_nothing;
use crate::source::media::CameraModes;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// It may take so long to look at every camera. A Pi Zero takes about 5 s.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two looks at its messages, which nobody reads, but which must not fill their pipe.
const LOOK: Duration = Duration::from_millis(50);

/// No list of cameras is longer.
const MOST: usize = 64 << 10;

/// The cameras that `program` knows, with their modes. Empty if it does not answer.
pub(in crate::source) fn modes_of(program: &Path) -> Vec<CameraModes> {
    match printed(program, PATIENCE) {
        Ok(list) => CameraModes::parse(&list),
        Err(error) => {
            log::debug!("{} --list-cameras: {error}", program.display());
            Vec::new()
        }
    }
}

/// What it prints within that time. It may have been cut off there.
fn printed(program: &Path, patience: Duration) -> io::Result<String> {
    let mut child = Child::start(program, &["--list-cameras".to_owned()])?;
    let deadline = Instant::now() + patience;
    let mut list = Vec::new();
    let mut piece = [0; 4096];
    while list.len() < MOST && Instant::now() < deadline {
        match child.frames.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => list.extend_from_slice(&piece[..count]),
            Err(error) if is_nothing(&error) => {
                wait(&[child.frames.as_fd()], LOOK);
                // A flood of messages is read no faster than that.
                let _ = child.words.read(&mut piece);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(String::from_utf8_lossy(&list).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// What is read of a program that does this.
    fn printed_by(script: &str, patience: Duration) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("rpicam-vid");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("set");
        printed(&program, patience).expect("it starts")
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_list_is_read_to_its_end() {
        let text = printed_by("echo \"$1\"; echo words >&2; sleep 0.1; echo more", LONG);
        assert_eq!(text, "--list-cameras\nmore\n");
    }

    #[test]
    fn a_program_that_hangs_or_prints_for_ever_is_ended() {
        let began_at = Instant::now();
        assert_eq!(printed_by("echo one; exec sleep 600", Duration::from_millis(500)), "one\n");
        assert!(printed_by("exec yes", LONG).len() < MOST + 4096);
        assert!(began_at.elapsed() < LONG);
    }

    #[test]
    fn a_program_that_is_not_there_has_no_cameras() {
        assert_eq!(modes_of(Path::new("/nowhere/rpicam-vid")), []);
    }
}
