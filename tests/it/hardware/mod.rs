//! A real kernel's driver as the camera, on an emulated Pi.

pub mod pi;
mod pi_controls;
mod pi_formats;
