//! The program that drives the camera, as a child that never outlives lancam.

use super::environment::Mark;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, killpg, signal};
use nix::unistd::{Pid, getppid, pipe2};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running program, in a process group of its own. Dropping it ends the whole group, and what has left that.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    group: Pid,
    mark: Mark,
    /// Its standard output: frames. A read does not wait.
    pub(super) frames: File,
    /// Its standard error. A read does not wait.
    pub(super) words: File,
    /// What it writes to [`TIMES`]. A read does not wait.
    pub(super) times: File,
}

/// The state of the child's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Runs,
    /// It has ended, and the kernel keeps its number.
    Ended(ExitStatus),
    /// Somebody else has waited for it. Its number may be another process's by now.
    Forgotten,
}

/// The file into which the child writes times, beside its frames and words.
///
/// rpicam-vid reads standard input only with `--keypress`. So its standard input can be the writing end of a pipe, and it
/// inherits no other descriptor.
pub(super) const TIMES: &str = "/dev/fd/0";

/// How long the child may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// How long a killed process may take to end. One that hangs in the kernel never ends.
const DEATH: Duration = Duration::from_secs(2);

/// A process that is starting another program shows its environment within that time. Some programs never show one.
const SHOWN: Duration = Duration::from_millis(300);

/// Between two looks at a process that is to end.
const LOOK: Duration = Duration::from_millis(5);

/// Room for frames in the pipe. Any user may ask for so much by default (`/proc/sys/fs/pipe-max-size`).
const ROOM: i32 = 1 << 20;

impl Child {
    /// Starts `program` with these arguments. No shell is involved.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(program: &Path, arguments: &[String]) -> io::Result<Self> {
        let (frames, frames_in) = pipe()?;
        let frames = File::from(frames);
        let (words, words_in) = pipe()?;
        let (times, times_in) = pipe()?;
        // A smaller pipe only costs more reads.
        let _ = fcntl(&frames, FcntlArg::F_SETPIPE_SZ(ROOM));
        remember_ended_children();
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::from(times_in))
            .stdout(Stdio::from(frames_in))
            .stderr(Stdio::from(words_in))
            .process_group(0);
        let mark = Mark::put(&mut command, &frames)?;
        end_with_this_thread(&mut command);
        let process = command.spawn()?;
        let id = i32::try_from(process.id()).map_err(io::Error::other)?;
        // This closes the writing ends here. Otherwise the end of its output would never be read.
        drop(command);
        Ok(Self {
            process,
            group: Pid::from_raw(id),
            mark,
            frames,
            words: words.into(),
            times: times.into(),
        })
    }

    /// Asks the kernel for its state. A child that has ended stays known, so that nobody else gets its number.
    fn state(&self) -> State {
        // nix's call fails for a child that was ended by a signal without a name.
        // SAFETY: a `siginfo_t` may be all zeros.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the kernel fills `info` in, and touches no other memory.
        let result = unsafe { libc::waitid(libc::P_PID, self.process.id(), &raw mut info, flags) };
        // SAFETY: waitid wrote this field, or it is still zero.
        let process = unsafe { info.si_pid() };
        // SAFETY: as above.
        let status = unsafe { info.si_status() };
        match (Errno::result(result), info.si_code) {
            (Err(Errno::ECHILD), _) => State::Forgotten,
            (Err(_), _) => State::Runs,
            (Ok(_), _) if process == 0 => State::Runs,
            (Ok(_), libc::CLD_EXITED) => State::Ended(ExitStatus::from_raw((status & 0xFF) << 8)),
            (Ok(_), _) => State::Ended(ExitStatus::from_raw(status)),
        }
    }

    /// How it has ended, if it has.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        match self.state() {
            State::Runs => None,
            State::Ended(status) => Some(status),
            State::Forgotten => Some(ExitStatus::from_raw(0)),
        }
    }

    /// Sends a signal to its group, and to it alone if it has moved to another group and left its own empty. Sends none where
    /// its number may be that of a stranger.
    fn tell(&self, signal: Signal) {
        if self.state() != State::Forgotten && killpg(self.group, signal).is_err() {
            let _ = kill(self.group, signal);
        }
    }

    /// Ends the processes that have left its group, as a daemon does. They may still have the camera.
    fn end_those_who_left(&self) {
        let began_at = Instant::now();
        loop {
            let left = self.mark.bearers();
            let is_done = left.found.is_empty();
            if is_done && (left.are_all || began_at.elapsed() >= SHOWN) {
                return;
            }
            if began_at.elapsed() >= DEATH {
                let left: Vec<_> = left.found.iter().map(ToString::to_string).collect();
                return log::error!("processes {} do not end", left.join(", "));
            }
            for process in left.found {
                let _ = kill(process, Signal::SIGKILL);
            }
            std::thread::sleep(LOOK);
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
        self.tell(Signal::SIGTERM);
        if !self.waited(GRACE) {
            log::warn!("process {} did not end when it was asked to, and is killed", self.id());
        }
        // The child's own children may still run.
        self.tell(Signal::SIGKILL);
        if self.waited(DEATH) {
            self.end_those_who_left();
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

/// The kernel remembers an ended child until it is waited for, unless SIGCHLD is ignored. The program that
/// started lancam may have ignored it.
fn remember_ended_children() {
    // SAFETY: the default action replaces whatever was set, and no handler of this program runs for it.
    let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) };
}

/// Has the kernel kill the child when the thread ends that starts it. That is the thread that captures.
fn end_with_this_thread(command: &mut Command) {
    let parent = nix::unistd::getpid();
    let at_start = move || -> io::Result<()> {
        // lancam blocks the signals that end a program, and a child inherits that.
        SigSet::empty().thread_set_mask()?;
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have ended before that.
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
    use nix::sys::wait::waitpid;
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

    /// Whether a process runs.
    fn lives(process: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
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
    fn a_child_that_a_signal_ended_is_known_by_that_signal() {
        // No library has a name for the last two.
        for signal in [9, 15, 34, 64] {
            let child = shell(&format!("kill -{signal} $$"));
            assert!(child.waited(Duration::from_secs(30)));
            assert_eq!(child.ended().and_then(|status| status.signal()), Some(signal));
        }
    }

    #[test]
    fn a_process_that_has_left_for_a_session_of_its_own_is_ended_with_the_child() {
        // As a daemon does: its parent has ended, and it has closed what it inherited.
        let script = "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!";
        let mut other = shell(script);
        let others = said(&mut other.frames);
        // Some daemons are found while they still start their program.
        for _ in 0..20 {
            let child = shell(script);
            let mut frames = child.frames.try_clone().expect("a descriptor");
            assert!(child.waited(Duration::from_secs(30)));
            drop(child);
            let daemon = said(&mut frames);
            let deadline = Instant::now() + Duration::from_secs(30);
            while lives(daemon.trim()) {
                assert!(Instant::now() < deadline, "process {daemon} still runs");
                std::thread::sleep(LOOK);
            }
        }
        assert!(lives(others.trim()), "it is another child's");
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
        let deadline = Instant::now() + Duration::from_secs(30);
        while lives(grandchild.trim()) {
            assert!(Instant::now() < deadline, "process {grandchild} still runs");
            std::thread::sleep(LOOK);
        }
    }

    #[test]
    fn a_child_that_has_moved_to_another_group_is_ended() {
        let script = "setpgrp(0, getpgrp(getppid())); $| = 1; print qq(moved\\n); sleep 600";
        let Ok(mut child) = Child::start(Path::new("/usr/bin/perl"), &["-e".into(), script.into()])
        else {
            return println!("skipped: there is no /usr/bin/perl");
        };
        assert_eq!(said(&mut child.frames), "moved\n");
        let process = child.id().to_string();
        let began_at = Instant::now();
        drop(child);
        assert!(!lives(&process), "process {process} still runs");
        assert!(began_at.elapsed() < GRACE, "it was asked to end, not killed");
    }

    #[test]
    fn a_group_whose_number_may_be_that_of_strangers_gets_no_signal() {
        let folder = tempfile::tempdir().expect("a folder");
        let (begun, end) = (folder.path().join("begun"), folder.path().join("end"));
        let wait = format!("while [ ! -e {} ]; do sleep 0.02; done", end.display());
        let stranger = format!("touch {}; {wait}; echo alive", begun.display());
        // It is in the child's group, and has no mark.
        let child = shell(&format!("env -i /bin/sh -c '{stranger}' &"));
        let mut words = child.frames.try_clone().expect("a descriptor");
        // Before it begins, it is a copy of the child, mark and all.
        let began_at = Instant::now();
        while !begun.exists() {
            assert!(began_at.elapsed() < Duration::from_secs(30), "it does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        waitpid(child.group, None).expect("it ends");
        assert_eq!(child.state(), State::Forgotten);
        drop(child);
        std::fs::write(end, "").expect("written");
        assert_eq!(said(&mut words), "alive\n");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        let error = Child::start(Path::new("/nowhere/rpicam-vid"), &[]).expect_err("is not there");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
