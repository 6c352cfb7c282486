//! Sets up the log on standard error: readable for people, or with priorities for journald.

use env_logger::{Builder, Env};
use log::{Level, LevelFilter};
use std::io::Write;

/// Starts the log. `verbosity` 0 is `info`; each step above or below is one level more or less.
/// `RUST_LOG` overrides it. Starting it twice changes nothing.
pub fn start(verbosity: i8) {
    let level = match verbosity {
        ..=-2 => LevelFilter::Error,
        -1 => LevelFilter::Warn,
        0 => LevelFilter::Info,
        1.. => LevelFilter::Debug,
    };
    // Leave out warnings about broken fonts of the system, which the viewer's user cannot do
    // anything about.
    let filter = format!("{level},fontdb=error");
    let mut builder = Builder::from_env(Env::default().default_filter_or(filter));
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        // journald adds the time itself, and reads the priority from the line (sd-daemon(3)).
        builder.format(|out, record| {
            let priority = match record.level() {
                Level::Error => 3,
                Level::Warn => 4,
                Level::Info => 6,
                Level::Debug | Level::Trace => 7,
            };
            writeln!(out, "<{priority}>{}", record.args())
        });
    } else {
        builder.format_target(false).format_timestamp_millis();
    }
    let _ = builder.try_init();
}
