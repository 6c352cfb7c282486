//! Runs `lancam-view` as people do, with deadlines.

use crate::tools::camera_process::PATIENCE;
use crate::tools::lan::{Lan, Machine};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

/// A running viewer. Dropping it ends it.
pub struct Viewer {
    child: Child,
    log: Receiver<String>,
    /// All lines of the log that were read.
    seen: Vec<String>,
}

/// The result of a viewer that has ended.
pub struct Output {
    pub status: ExitStatus,
    pub stdout: String,
    pub log: Vec<String>,
}

impl Viewer {
    /// Starts `lancam-view` with `arguments`.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, |_| {})
    }

    /// Starts it after `prepare` has changed its environment.
    pub fn start_with(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        Self::spawn(&mut Self::command(arguments, prepare))
    }

    /// Starts it on that LAN, on the machine for viewers.
    pub fn start_in(lan: &Lan, arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        Self::spawn(&mut lan.on(Machine::Desk, &Self::command(arguments, prepare)))
    }

    fn command(arguments: &[&str], prepare: impl FnOnce(&mut Command)) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lancam-view"));
        command.args(arguments).env_remove("RUST_LOG");
        // A test must not remember anything from another, unless it asks for that.
        command.env("XDG_STATE_HOME", "/dev/null");
        prepare(&mut command);
        command
    }

    /// Starts a given command.
    pub fn spawn(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("lancam-view was built");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, log, seen: Vec::new() }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the next line of the log that contains `text`.
    pub fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else {
                panic!("'{text}' did not come:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits until it has ended by itself.
    pub fn finish(mut self) -> Output {
        let deadline = Instant::now() + PATIENCE;
        // The log ends when the program ends.
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => self.seen.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("the viewer does not end:\n{}", self.seen.join("\n"));
                }
            }
        }
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().expect("piped");
        pipe.read_to_string(&mut stdout).expect("UTF-8");
        let status = self.child.wait().expect("ended");
        Output { status, stdout, log: std::mem::take(&mut self.seen) }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    /// The number with this key in the JSON output.
    pub fn figure(&self, key: &str) -> f64 {
        let (_, rest) = self
            .stdout
            .split_once(&format!("\"{key}\":"))
            .unwrap_or_else(|| panic!("no {key} in {}", self.stdout));
        let end = rest.find([',', '}']).expect("an object");
        rest[..end].parse().unwrap_or_else(|_| panic!("{key} is {}", &rest[..end]))
    }

    /// The numbers of the frames in the log of `-v`.
    pub fn sequences(&self) -> Vec<u64> {
        self.log.iter().filter_map(|line| sequence(line)).collect()
    }

    /// Checks the exit code, and that the last line contains the reason. Only with `-v` may other lines contain it too.
    #[track_caller]
    pub fn expect(&self, code: i32, reason: &str) {
        let log = self.log.join("\n");
        assert_eq!(self.status.code(), Some(code), "{log}");
        let last = self.log.last().map(String::as_str).unwrap_or_default();
        assert!(last.contains(reason), "no '{reason}' in the last line of:\n{log}");
        assert!(!log.contains("panicked"), "{log}");
        let said = self.log.iter().filter(|line| line.contains(reason)).count();
        assert!(said == 1 || log.contains(" DEBUG]"), "'{reason}' stands {said} times in:\n{log}");
    }
}

/// The number in a log line about a frame.
pub fn sequence(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("frame ")?;
    rest.split_once(" of ")?.0.parse().ok()
}
