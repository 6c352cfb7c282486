//! The viewer: `find` connects to cameras, `keep` saves, `watch` receives, `paint` draws, `stage` is the window.

pub mod arrival;
pub mod config;
pub mod find;
pub mod headless;
pub mod keep;
pub mod leave;
pub mod paint;
pub mod run;
pub mod stage;
pub mod terminal;
pub mod watch;
