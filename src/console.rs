//! The one way to print: no output that is closed or full ends a program by a panic.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Prints one line on standard output at once. That nobody reads it is no reason to stop streaming.
pub fn say(line: impl Display) {
    let _ = write_line(io::stdout(), &line);
}

/// Prints one line on standard error, where there is no log yet.
pub fn complain(line: impl Display) {
    let _ = write_line(io::stderr(), &line);
}

/// Prints what a command was asked for, and says whether it could. A reader that has seen enough, such as `head`, is no failure.
pub fn answer(program: &str, text: impl Display) -> ExitCode {
    match write_line(io::stdout(), &text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("{program}: cannot write the output: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn write_line(mut out: impl Write, line: &impl Display) -> io::Result<()> {
    // One call, so that lines of several threads and programs stay whole.
    let text = format!("{line}\n");
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
