//! The viewer in five rooms: find a camera, keep what it sends, watch it, paint, and put all of that on the stage, a window.

pub mod arrival;
pub mod config;
pub mod find;
pub mod headless;
pub mod keep;
pub mod leave;
pub mod paint;
pub mod run;
pub mod stage;
pub mod watch;
