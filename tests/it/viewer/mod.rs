//! The viewer without a window: what it receives, draws and records.

mod age;
mod at_a_terminal;
mod paint;
mod reconnect;
mod record;
mod record_disk;
mod record_rotation;
mod record_signals;
mod viewer_allocations;
mod viewer_cores;
mod viewer_headless;
mod viewer_keys;
