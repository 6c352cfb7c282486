//! What people and scripts read on standard output.

use std::fmt::Display;
use std::io::Write;

/// Prints one line at once. That nobody reads it is no reason to stop streaming.
pub fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
