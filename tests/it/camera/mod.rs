//! The camera program alone: its sources, options, process and costs.

mod camera_allocations;
mod cli;
mod configuration;
pub mod controls;
mod csi;
mod csi_age;
mod csi_faults;
mod encode_threads;
mod exif;
mod power_cuts;
mod process;
mod service;
mod sources;
mod state_folder;
mod syscalls;
mod turned;
