//! The program that drives the camera, as a child that ends with lancam, whatever happens to either.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, getppid, pipe2};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running program, in a process group of its own. Dropping it ends the whole group.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    group: Pid,
    /// What it writes to standard output: frames. Reads do not wait.
    pub(super) frames: File,
    /// What it writes to standard error. Reads do not wait.
    pub(super) words: File,
    /// What it writes into its standard input, see [`TIMES`]. Reads do not wait.
    pub(super) times: File,
}

/// The file into which the child may write beside its frames and words.
///
/// rpicam-vid reads nothing from standard input unless `--keypress` asks for it. So that descriptor can be the writing end of
/// a pipe: no other descriptor has to be inherited.
pub(super) const TIMES: &str = "/dev/fd/0";

/// How long the child may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// How long a killed process may take to be gone. One that hangs in the kernel may never be.
const DEATH: Duration = Duration::from_secs(2);

/// How often it is looked whether it is gone.
const LOOK: Duration = Duration::from_millis(5);

/// Room for frames on their way: what any user may ask for by default (`/proc/sys/fs/pipe-max-size`).
const ROOM: i32 = 1 << 20;

impl Child {
    /// Starts `program` with these arguments; there is no shell in between.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, arguments: &[String]) -> io::Result<Self> {
        let (frames, frames_in) = pipe()?;
        let (words, words_in) = pipe()?;
        let (times, times_in) = pipe()?;
        // Frames fit as they come; a smaller pipe only costs more turns.
        let _ = fcntl(&frames, FcntlArg::F_SETPIPE_SZ(ROOM));
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::from(times_in))
            .stdout(Stdio::from(frames_in))
            .stderr(Stdio::from(words_in))
            .process_group(0);
        end_with_this_thread(&mut command);
        let process = command.spawn()?;
        let id = i32::try_from(process.id()).map_err(io::Error::other)?;
        // The writing ends are closed here with `command`, so that its end can be read.
        drop(command);
        Ok(Self {
            process,
            group: Pid::from_raw(id),
            frames: frames.into(),
            words: words.into(),
            times: times.into(),
        })
    }

    /// How it has ended, if it has. It stays known to the kernel, so that its group's number is not another's.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.group), flags) {
            Err(Errno::EINTR) => None,
            // The kernel has forgotten it, where this program was started with SIGCHLD ignored; or nix has no name for its signal.
            Err(_) => Some(ExitStatus::from_raw(0)),
            Ok(WaitStatus::Exited(_, code)) => Some(ExitStatus::from_raw((code & 0xFF) << 8)),
            Ok(WaitStatus::Signaled(_, signal, _)) => Some(ExitStatus::from_raw(signal as i32)),
            _ => None,
        }
    }

    /// Its process number.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has ended, not longer than `patience`.
    pub(super) fn waited(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.ended().is_none() {
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A group that is gone already is what is wanted.
        let _ = killpg(self.group, Signal::SIGTERM);
        if !self.waited(GRACE) {
            log::warn!("process {} did not end when it was asked to, and is killed", self.id());
        }
        // Before the child is forgotten: after that its number may be another's. Its own children end here too.
        let _ = killpg(self.group, Signal::SIGKILL);
        if self.waited(DEATH) {
            let _ = self.process.wait();
        } else {
            log::error!(
                "process {} hangs in the kernel; a restart of this machine ends it",
                self.id()
            );
        }
    }
}

/// A pipe whose reading end does not wait.
fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (out, into) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(out.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((out, into))
}

/// Has the kernel kill the child when the thread that starts it is gone, which is that of this process that captures.
fn end_with_this_thread(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let at_start = move || -> io::Result<()> {
        // lancam blocks the signals that end a program, and what is blocked stays so in a program that it starts.
        SigSet::empty().thread_set_mask()?;
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have been gone before that.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: the closure runs between fork and exec; it makes three system calls and touches no memory but its own.
    unsafe {
        command.pre_exec(at_start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn shell(script: &str) -> Child {
        Child::start(Path::new("/bin/sh"), &["-c".into(), script.into()]).expect("a shell")
    }

    fn said(from: &mut File) -> String {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut text = String::new();
        while !text.ends_with('\n') && Instant::now() < deadline {
            let _ = from.read_to_string(&mut text);
            std::thread::sleep(LOOK);
        }
        text
    }

    #[test]
    fn it_writes_frames_words_and_times_and_its_end_is_told_as_often_as_asked() {
        let mut child = shell("echo frame; echo word >&2; echo time > /dev/fd/0; exit 3");
        assert_eq!(said(&mut child.frames), "frame\n");
        assert_eq!(said(&mut child.words), "word\n");
        assert_eq!(said(&mut child.times), "time\n");
        assert!(child.waited(Duration::from_secs(30)));
        assert_eq!(child.ended().and_then(|status| status.code()), Some(3));
        assert_eq!(child.ended().and_then(|status| status.code()), Some(3));
    }

    #[test]
    fn a_child_ends_when_it_is_asked_to_though_lancam_blocks_that_signal() {
        let mut blocked = SigSet::empty();
        blocked.add(Signal::SIGTERM);
        blocked.thread_block().expect("blocked in this test's thread alone");
        let mut child = shell("echo started; exec sleep 600");
        assert_eq!(said(&mut child.frames), "started\n");
        let from = Instant::now();
        drop(child);
        assert!(from.elapsed() < GRACE, "it was killed after {:?}", from.elapsed());
    }

    #[test]
    fn a_child_that_ignores_to_be_ended_is_killed_with_its_own_children() {
        let mut child = shell("trap '' TERM; sleep 600 & echo $!; while :; do sleep 1; done");
        let grandchild = said(&mut child.frames);
        let began_at = Instant::now();
        drop(child);
        assert!(began_at.elapsed() >= GRACE, "it was given time");
        let status = format!("/proc/{}/stat", grandchild.trim());
        let deadline = Instant::now() + Duration::from_secs(30);
        let lives = || std::fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
        while lives() {
            assert!(Instant::now() < deadline, "process {grandchild} still runs");
            std::thread::sleep(LOOK);
        }
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let error = Child::start(Path::new("/nowhere/rpicam-vid"), &[]).expect_err("is not there");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
