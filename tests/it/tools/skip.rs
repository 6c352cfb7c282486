//! Lets a test say why it cannot run on this machine, instead of passing silently or failing.
//!
//! ```ignore
//! let Ok(pi) = Guest::boot(Machine::Virt, lancam, "") else {
//!     return skip("pi", "cannot install qemu-system-arm");
//! };
//! ```
//! Use it for what a machine lacks (QEMU, a display, a network). What lancam does wrong is a failure. `make test` lists and
//! counts skips; continuous integration fails on a skip that .ci/allowed-skips does not list. Tests too long for `make test`
//! are not skipped but marked `#[ignore = "minutes: make test-all"]`.

use std::fs::OpenOptions;
use std::io::Write;

/// Reports that this test, or its part `what`, was skipped: `skipped: stream::colours: djpeg: not installed`.
///
/// Writes to standard error past cargo's capture, and to the file in `LANCAM_SKIPS`, where `make test` counts.
pub fn skip(what: &str, why: &str) {
    let thread = std::thread::current();
    let line = line(thread.name(), what, why);
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("LANCAM_SKIPS") {
        let opened = OpenOptions::new().append(true).create(true).open(&file);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.unwrap_or_else(|error| panic!("LANCAM_SKIPS={}: {error}", file.display()));
    }
}

/// A test's thread is named after the test, unless tests run one by one on the main thread.
fn line(thread: Option<&str>, what: &str, why: &str) -> String {
    let test = thread.unwrap_or("main");
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("skipped: {test}: {what}: {why}\n")
}

#[test]
fn a_skip_is_one_line_with_the_test_the_part_and_the_reason() {
    let line = line(Some("pi::streams"), "qemu", "not\n installed ");
    assert_eq!(line, "skipped: pi::streams: qemu: not installed\n");
}
