//! A real kernel with a real driver as the camera, on an emulated Pi.

mod guests;
pub mod pi;
mod pi_controls;
mod pi_formats;
mod usb_camera;
mod usb_descriptors;
mod usb_faults;
mod usb_frames;
mod usb_models;
mod usb_replugs;
mod usb_scene;
mod usb_soak;
mod usb_troubles;
