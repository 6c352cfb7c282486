//! The stages of the viewer: receive, develop, present.

pub mod address;
pub mod ages;
pub mod album;
pub mod channel;
pub mod chooser;
pub mod composer;
pub mod config;
pub mod controls;
pub mod demand;
pub mod desktop;
pub mod developer;
pub mod figures;
pub mod finder;
pub mod headless;
pub mod help;
pub mod input;
pub mod keys;
pub mod layout;
pub mod list;
mod local_name;
pub mod memory;
pub mod news;
pub mod paint;
pub mod panel;
pub mod presenter;
pub mod receiver;
pub mod recorder;
pub mod session;
pub mod show;
pub mod snapshot;
pub mod title;
pub mod view;
pub mod wall;
pub mod window;
#[cfg(unix)]
pub mod xwayland;
