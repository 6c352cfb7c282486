//! All printing goes through here, so that a closed or full output never makes a program panic.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Prints one line on standard output at once. Ignores errors: the program works without a reader
/// too.
pub fn say(line: impl Display) {
    let _ = write_line(io::stdout(), &line);
}

/// Prints one line on standard error, before the log has been set up.
pub fn complain(line: impl Display) {
    let _ = write_line(io::stderr(), &line);
}

/// Prints the output of a command, and returns whether that worked. A reader that closes the pipe
/// early, such as `head`, is not a failure.
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
    // One call, so that lines of several threads and programs are not mixed.
    let text = format!("{line}\n");
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
