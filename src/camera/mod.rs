//! The stages of the camera program, in the order frames pass them.

pub mod announcer;
pub mod anyway;
pub mod capture;
pub mod complaint;
pub mod config;
pub mod desk;
pub mod encode;
pub mod feed;
pub mod figures;
pub mod guestbook;
pub mod heart;
pub mod help;
pub mod identity;
mod jpegs;
mod lateness;
pub mod listen;
pub mod metrics;
mod page;
pub mod renditions;
pub mod selftest;
pub mod server;
pub mod session;
pub mod setup;
mod state;
pub mod supervisor;
pub mod update;
