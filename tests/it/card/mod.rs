//! The SD card: its image, how it is written, what owners put on it, and how it boots.

mod access;
mod boot;
mod data_partition;
mod faults;
mod flash;
mod image;
pub mod setup;
mod setup_boots;
mod setup_windows;
