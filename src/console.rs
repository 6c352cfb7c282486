//! All printing goes through here, so that an output that is closed, full or read by nobody never
//! makes a program panic or stand still.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// If an output takes no line for this long, nobody reads it. A pipe holds hundreds of lines, and a
/// slow serial line sends what it holds in less time.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// Whether standard output did not take the last line. Then the next line does not wait for it. The
/// process has one standard output, so this is a global.
static IS_UNREAD: AtomicBool = AtomicBool::new(false);

/// Prints one line on standard output at once. Ignores errors, and leaves the line out where nobody
/// reads: the program works without a reader too.
pub fn say(line: impl Display) {
    // The lock makes sure that no other thread takes the room for this line.
    let out = io::stdout().lock();
    let is_unread = IS_UNREAD.load(Ordering::Relaxed);
    let takes = takes_a_line(&out, if is_unread { Duration::ZERO } else { PATIENCE });
    IS_UNREAD.store(!takes, Ordering::Relaxed);
    if takes {
        let _ = write_line(out, &line);
    }
}

/// Whether a person reads what is said, and nothing keeps it: standard output is a terminal.
pub fn says_to_a_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Prints one line on standard error, before the log has been set up. The rest is as in [`say`].
pub fn complain(line: impl Display) {
    let out = io::stderr().lock();
    if takes_a_line(&out, PATIENCE) {
        let _ = write_line(out, &line);
    }
}

/// Whether somebody can be asked: standard input and standard error are a terminal.
pub fn has_somebody() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Prints a question on standard error; what is typed stands behind it. The rest is as in [`say`].
pub fn ask(question: impl Display) {
    let mut out = io::stderr().lock();
    if takes_a_line(&out, PATIENCE) {
        let _ = out.write_all(format!("{question} ").as_bytes()).and_then(|()| out.flush());
    }
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

/// Whether a line can be written without waiting, now or within `patience`. Pipes, sockets and
/// terminals then have room for 4096 bytes (pipe(7)). An output that is closed takes a line too:
/// writing it fails at once.
#[cfg(unix)]
pub fn takes_a_line(output: &impl std::os::fd::AsFd, patience: Duration) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let mut outputs = [PollFd::new(output.as_fd(), PollFlags::POLLOUT)];
    let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
    poll(&mut outputs, timeout).is_ok_and(|ready| ready > 0)
}

/// Other systems have no such check here. There, writing waits for the reader.
#[cfg(not(unix))]
pub fn takes_a_line<T>(_output: &T, _patience: Duration) -> bool {
    true
}
