//! An emulated Pi that a test boots, uses and throws away.
//!
//! ```ignore
//! let pi = match Guest::boot(Machine::Virt, Some(lancam), "vivid.n_devs=2") {
//!     Ok(pi) => pi,
//!     Err(Skip(reason)) => skip!("{reason}"),
//! };
//! pi.sh("lancam >/tmp/log 2>&1 &");
//! let viewer = TcpStream::connect(("127.0.0.1", pi.port(9999)));
//! ```
//! The guest runs Debian's arm64 kernel with `vivid`, a real V4L2 driver: see cross/rig/README.md. It ends with the thread
//! that boots it, also if the whole process is killed.
#![allow(clippy::panic, reason = "what goes wrong here fails the test that asked for it")]

use crate::tools::kernel_log;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// QEMU's generic machine with two CPUs of a Pi 3 and a network. Most tests use it.
    Virt,
    /// A Raspberry Pi 3B: its device tree, its clock that starts in 1970, no network.
    Raspi3b,
}

/// Why this machine has no emulator, as a message: `cannot install qemu-system-arm`.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

/// The result of a command.
pub(crate) struct Output {
    /// Its exit status. 128 + N if signal N ended it.
    pub(crate) status: i32,
    /// What it wrote to standard output and standard error.
    pub(crate) stdout: Vec<u8>,
}

/// A booted machine. Dropping it ends it. A test that fails is told if the guest's kernel has failed.
pub(crate) struct Guest {
    qemu: Child,
    ports: Vec<(u16, u16)>,
    console: Mutex<Console>,
}

impl Guest {
    /// Boots `machine` with the static aarch64 program `lancam` as its /bin/lancam, and waits until it takes commands.
    /// `kernel_arguments` contain module parameters: `vivid.n_devs=2`.
    pub(crate) fn boot(
        machine: Machine,
        lancam: Option<&Path>,
        kernel_arguments: &str,
    ) -> Result<Guest, Skip> {
        fetch()?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut guest = Guest::start(machine, lancam, kernel_arguments);
            let ready = guest.console().read_until(|line| line == READY, BOOT);
            match ready {
                Ok(_) => return Ok(guest),
                // Another program may have taken a port after we chose it and before QEMU used it.
                Err(_) if attempts < 3 && guest.ends_within(Duration::from_secs(1)) => {}
                Err(why) => panic!("the emulated Pi did not boot: {why}"),
            }
        }
    }

    /// Runs a shell command in the guest, for at most a minute. A background process must not keep the command's output
    /// open: `lancam >/tmp/log 2>&1 &`. Commands of several threads run one after the other.
    pub(crate) fn sh(&self, command: &str) -> Output {
        self.sh_within(Duration::from_secs(60), command)
    }

    /// Runs a shell command in the guest. Panics if it takes longer than `limit`.
    pub(crate) fn sh_within(&self, limit: Duration, command: &str) -> Output {
        assert!(!command.contains('\n'), "one line is one command: {command}");
        let mut console = self.console();
        console
            .run(command, limit)
            .unwrap_or_else(|why| panic!("in the emulated Pi, `{command}`: {why}"))
    }

    /// Writes a line as it is to the console. Returns the line that ends the answer.
    pub(crate) fn last_line_after(&self, line: &str) -> String {
        let mut console = self.console();
        let answer = console.answer_to_line(line, Duration::from_secs(60)).expect("an answer");
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.lines().last().unwrap_or_default().to_owned()
    }

    /// The port on this machine's 127.0.0.1 that is forwarded to the guest's `port`, one of `GUEST_PORTS`.
    pub(crate) fn port(&self, port: u16) -> u16 {
        let pair = self.ports.iter().find(|(_, guest)| *guest == port);
        pair.unwrap_or_else(|| panic!("port {port} of the emulated Pi is not forwarded")).0
    }

    /// Powers the guest off at once, and waits for the emulator to end. Panics if the guest's kernel has failed.
    pub(crate) fn power_off(mut self) {
        let failure = self.kernel_failure();
        let _ = self.console().send("poweroff -f");
        let has_ended = self.ends_within(Duration::from_secs(20));
        assert!(failure.is_none(), "{}", failure.unwrap_or_default());
        assert!(has_ended, "the emulated Pi did not power off");
    }

    /// What the guest's kernel says of a failure of its own, with a sentence about it. `None` if there is none, or if the
    /// guest does not answer.
    pub(crate) fn kernel_failure(&self) -> Option<String> {
        let log = self.console().run("dmesg", Duration::from_secs(20)).ok()?;
        let lines = kernel_log::failure(&log.text())?;
        Some(format!(
            "the guest's kernel failed, not lancam (a CPU that stood still may be this busy machine's):\n{lines}"
        ))
    }

    fn start(machine: Machine, lancam: Option<&Path>, kernel_arguments: &str) -> Guest {
        let (name, ports) = match machine {
            Machine::Virt => ("virt", choose_ports()),
            Machine::Raspi3b => ("raspi3b", Vec::new()),
        };
        let forward: Vec<String> =
            ports.iter().map(|(host, guest)| format!("{host}:{guest}")).collect();
        let mut qemu = script("run.sh")
            .arg(name)
            .arg(lancam.unwrap_or(Path::new("")))
            .args(kernel_arguments.split_whitespace())
            .env("LANCAM_RIG_FORWARD", forward.join(" "))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("cross/rig/run.sh is executable");
        let stdin = qemu.stdin.take().expect("stdin is piped");
        let lines = lines_of(qemu.stdout.take().expect("stdout is piped"));
        Guest { qemu, ports, console: Mutex::new(Console { stdin, lines }) }
    }

    fn console(&self) -> MutexGuard<'_, Console> {
        self.console.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the emulator ends by itself.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            match self.qemu.try_wait() {
                Ok(Some(_)) => return true,
                _ if Instant::now() >= deadline => return false,
                _ => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // A test that fails may have failed because of the kernel.
        if thread::panicking()
            && let Some(failure) = self.kernel_failure()
        {
            eprintln!("{failure}");
        }
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Output {
    pub(crate) fn ok(&self) -> bool {
        self.status == 0
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// So that `assert!(output.ok(), "{output}")` shows what happened.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}, output:\n{}", self.status, self.text())
    }
}

/// The command channel, described in cross/rig/init.
struct Console {
    stdin: ChildStdin,
    lines: Receiver<Vec<u8>>,
}

impl Console {
    /// Sends a command without waiting for its answer.
    fn send(&mut self, command: &str) -> std::io::Result<()> {
        writeln!(self.stdin, "{}", with_length(command))
    }

    fn run(&mut self, command: &str, limit: Duration) -> Result<Output, String> {
        for _ in 0..ATTEMPTS {
            let mut stdout = self.answer_to_line(&with_length(command), limit)?;
            let last_line = stdout.iter().rposition(|&byte| byte == b'\n').unwrap_or(0);
            let last = stdout.split_off(last_line);
            if let Some(status) = exit_status(last.trim_ascii()) {
                return Ok(Output { status, stdout });
            }
            eprintln!("the emulated Pi's console lost a part of `{command}`");
        }
        Err(format!("the console loses a part of it, {ATTEMPTS} times in a row"))
    }

    /// Writes a line, and reads the output of its command and the line after that.
    fn answer_to_line(&mut self, line: &str, limit: Duration) -> Result<Vec<u8>, String> {
        writeln!(self.stdin, "{line}").map_err(|error| format!("the emulator is gone: {error}"))?;
        let is_last = |line: &[u8]| line == LOST || exit_status(line).is_some();
        let mut stdout = Vec::new();
        if let Err(why) = self.read_into(&mut stdout, is_last, limit) {
            // Seen once on a busy machine: all output of the command had arrived, but not the line that ends it. A guest
            // that answers an empty line has not hung. If it was the command's end that was lost, this line ends it.
            writeln!(self.stdin).map_err(|error| error.to_string())?;
            self.read_into(&mut stdout, is_last, NUDGED).map_err(|_| why)?;
            eprintln!("the emulated Pi's console stood still during `{line}`");
            let _ = self.read_until(is_last, Duration::from_secs(2));
        }
        Ok(stdout)
    }

    /// Reads up to the line for which `is_last` is true, and including it, without its line end. An error shows what came
    /// instead.
    fn read_until(
        &self,
        is_last: impl Fn(&[u8]) -> bool,
        limit: Duration,
    ) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        self.read_into(&mut text, is_last, limit).map(|()| text)
    }

    /// The same, appended to `text`.
    fn read_into(
        &self,
        text: &mut Vec<u8>,
        is_last: impl Fn(&[u8]) -> bool,
        limit: Duration,
    ) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        loop {
            let line =
                match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                    Ok(line) => line,
                    Err(RecvTimeoutError::Timeout) => {
                        return Err(found(&format!("no end within {limit:?}"), text));
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(found("the emulator ended", text));
                    }
                };
            text.extend_from_slice(&line);
            let line = line.trim_ascii_end();
            if is_last(line) {
                text.truncate(text.trim_ascii_end().len());
                return Ok(());
            }
        }
    }
}

/// The line that runs this command: its length in bytes stands before it.
fn with_length(command: &str) -> String {
    format!("{} {command}", command.len())
}

fn found(what: &str, text: &[u8]) -> String {
    format!("{what}; it had written:\n{}", String::from_utf8_lossy(text))
}

fn exit_status(line: &[u8]) -> Option<i32> {
    std::str::from_utf8(line).ok()?.strip_prefix("rig exit ")?.parse().ok()
}

/// Lines with their ends, each as soon as it comes. They are read by a separate thread, so that waiting for one can have a deadline.
pub(crate) fn lines_of(stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(stream.read_until(b'\n', &mut line), Ok(length) if length > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    lines
}

/// Ports that are free now. All are held at once, so that they differ.
fn choose_ports() -> Vec<(u16, u16)> {
    let held: Vec<TcpListener> = GUEST_PORTS
        .iter()
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port"))
        .collect();
    let port =
        |socket: &TcpListener| socket.local_addr().expect("a bound socket has an address").port();
    held.iter().map(port).zip(GUEST_PORTS).collect()
}

/// Downloads everything before the time of a boot counts. The first time it downloads 80 MB.
pub(crate) fn fetch() -> Result<(), Skip> {
    let output = script("fetch.sh")
        .output()
        .map_err(|error| Skip(format!("cannot run cross/rig/fetch.sh: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let log = String::from_utf8_lossy(&output.stderr);
    let reason = log.trim_end().lines().last().unwrap_or("cross/rig/fetch.sh failed").to_owned();
    if output.status.code() == Some(SKIP_CODE) {
        Err(Skip(reason))
    } else {
        panic!("cross/rig/fetch.sh failed:\n{log}")
    }
}

/// A script of cross/rig.
pub(crate) fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("cross/rig").join(name))
}

/// The ports of lancam, forwarded from this machine's loopback on `Machine::Virt`.
const GUEST_PORTS: [u16; 2] = [9999, 8080];

/// How often a command is sent of which the console loses a part. Nothing of it has run then.
const ATTEMPTS: usize = 3;

/// What init says if it received a command whose length is wrong.
const LOST: &[u8] = b"rig lost";

/// How long a console that stood still may take to answer.
const NUDGED: Duration = Duration::from_secs(10);

/// The line of init that says it takes commands.
pub(crate) const READY: &[u8] = b"rig ready";

/// The exit code of cross/rig/fetch.sh if this machine cannot get the files.
const SKIP_CODE: i32 = 77;

/// A boot takes 4 s on two idle cores, but they may be busy with other tests.
pub(crate) const BOOT: Duration = Duration::from_secs(120);
