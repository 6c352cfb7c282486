//! What is installed: packages, units, manual pages, releases.

mod camera_package;
mod debian;
mod manual;
pub mod packages;
mod release;
pub mod units;
