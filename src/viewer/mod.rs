//! The stages of the viewer: receive, develop, present.

pub mod address;
pub mod ages;
pub mod album;
pub mod config;
pub mod demand;
pub mod developer;
pub mod figures;
pub mod finder;
pub mod headless;
pub mod list;
mod local_name;
pub mod news;
pub mod overlay;
pub mod paint;
pub mod presenter;
pub mod receiver;
pub mod recorder;
pub mod session;
pub mod snapshot;
pub mod window;
#[cfg(unix)]
pub mod xwayland;
