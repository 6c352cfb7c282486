//! Sets up the log on standard error: readable for people, or with priorities for journald.

use crate::console::{PATIENCE, takes_a_line};
use crate::wording::count;
use env_logger::{Builder, Env, Logger};
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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
    let lines = builder.build();
    let most = lines.filter();
    if log::set_boxed_logger(Box::new(Lines { lines, left_out: Mutex::default() })).is_ok() {
        log::set_max_level(most);
    }
}

/// Writes the log, and leaves lines out while nobody reads it: pictures do not wait for the log.
struct Lines {
    lines: Logger,
    /// The number of lines that were left out since the last one that was written. Locked while a
    /// line is written, so that no other thread takes the room for it.
    left_out: Mutex<u64>,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.lines.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.lines.matches(record) {
            return;
        }
        let mut left_out = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = if *left_out > 0 { Duration::ZERO } else { PATIENCE };
        if !takes_a_line(&io::stderr(), patience) {
            *left_out += 1;
            return;
        }
        let missing = std::mem::take(&mut *left_out);
        if missing > 0 {
            self.lines.log(
                &Record::builder()
                    .level(Level::Warn)
                    .target(record.target())
                    .args(format_args!(
                        "nobody read the log for a while; missing: {}",
                        count(missing, "line")
                    ))
                    .build(),
            );
        }
        self.lines.log(record);
    }

    fn flush(&self) {
        self.lines.flush();
    }
}
