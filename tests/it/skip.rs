//! Names what a machine cannot run.

use std::io::Write;

/// Says that a test was skipped, past the capture of standard error.
pub fn skip(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
}
