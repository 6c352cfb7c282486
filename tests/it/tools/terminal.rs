//! A program on a terminal, as people sit at one: what it shows there, and what they type. `script` of util-linux makes it.

use crate::tools::camera_process::{PATIENCE, wait};
use crate::tools::skip::skip;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A terminal with a program on it. Dropping it hangs up.
pub struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    shown: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts this command on a terminal of its own. `None`, reported as a skip, if there is no `script`.
    pub fn start(command: &Command) -> Option<Self> {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let quoted = words.map(|word| format!("'{}'", word.to_str().expect("UTF-8")));
        let line = quoted.collect::<Vec<_>>().join(" ");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut script = match script.spawn() {
            Ok(script) => script,
            Err(error) => {
                skip("script", &error.to_string());
                return None;
            }
        };
        let keyboard = script.stdin.take().expect("piped");
        let mut screen = script.stdout.take().expect("piped");
        let shown = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut some) {
                into.lock().expect("no panic").push_str(&String::from_utf8_lossy(&some[..count]));
            }
        });
        Some(Self { script, keyboard, shown, reader: Some(reader) })
    }

    /// All that was shown so far, and what was typed.
    pub fn shown(&self) -> String {
        self.shown.lock().expect("no panic").clone()
    }

    /// Waits until `text` was shown so many times.
    #[track_caller]
    pub fn wait_for(&self, times: usize, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.shown().matches(text).count() < times {
            assert!(Instant::now() < deadline, "'{text}' was not shown:\n{}", self.shown());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("the program runs");
    }

    /// Waits until the program has ended. Returns its exit code and all that was shown.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let code = wait(&mut self.script).code();
        let reader = self.reader.take().expect("it is waited for once");
        reader.join().expect("it does not panic");
        (code, self.shown())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
