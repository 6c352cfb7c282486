//! What is installed: packages, units, manual pages, releases.

mod camera_package;
mod closing;
mod completions;
mod debian;
mod from_rpicam;
mod manual;
pub mod packages;
mod release;
pub mod units;
