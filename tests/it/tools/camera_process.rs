//! A `lancam` process that a test starts, reads and ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take here: five times what it takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running camera.
pub struct CameraProcess {
    pub child: Child,
    lines: Receiver<String>,
    /// The port of each listener, in order.
    pub ports: Vec<u16>,
}

impl CameraProcess {
    /// Starts `lancam` on a free port of loopback and waits until it listens.
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut Self::command(&[&["--listen", "127.0.0.1:0"], arguments].concat()))
    }

    /// `lancam` with these arguments. It is open and not announced, and gets nothing from this environment.
    pub fn command(arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lancam"));
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("LANCAM_") {
                command.env_remove(variable);
            }
        }
        command
            .args(arguments)
            .env("LANCAM_ANNOUNCE", "off")
            // Tests of who may watch say --access keys and where the keys lie.
            .env("LANCAM_ACCESS", "open")
            // Ignore the configuration of a camera on this machine.
            .env("LANCAM_CONFIG", "")
            .env_remove("RUST_LOG")
            .env_remove("JOURNAL_STREAM");
        command
    }

    /// Starts `command` and waits until it listens.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::inherit())
    }

    /// Like [`spawn`](Self::spawn), with the log going to `log`.
    pub fn spawn_with(command: &mut Command, log: Stdio) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("lancam starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut camera = Self { child, lines, ports: Vec::new() };
        let line = camera.line_with("LISTENING AT: tcp://");
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        camera.ports.push(port.expect("a port in the line"));
        camera
    }

    /// The port of the first listener.
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// Sends it this signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for a line of standard output that contains `text`.
    pub fn line_with(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("no line with {text:?}: {error}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        signal(&self.child, "TERM");
        wait(&mut self.child)
    }
}

impl Drop for CameraProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name to a process that a test started.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// Waits for a process to end, with a deadline.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return status;
        }
        assert!(Instant::now() < deadline, "the program does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs a command that should end by itself. Returns its exit code and its standard error.
pub fn run_to_end(command: &mut Command) -> (Option<i32>, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stderr = child.stderr.take().expect("piped");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let status = wait(&mut child);
    (status.code(), reader.join().expect("the reader does not panic"))
}
