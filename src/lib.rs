//! A LAN camera and its viewer: frames from V4L2 to the pixels of a desktop window, over TCP.
//!
//! Data flows one way, and imports point down only; ARCHITECTURE.md draws both. The camera program
//! is `source -> camera -> wire -> net`, the viewer program `net -> wire -> viewer`. [`image`]
//! defines what image bytes mean; [`latest`] hands values from thread to thread.

pub mod bucket;
pub mod console;
pub mod decimal;
pub mod fnv;
pub mod helpers;
pub mod hex;
pub mod image;
pub mod json;
pub mod latest;
pub mod log_setup;
pub mod nearest;
pub mod net;
pub mod one_dash;
pub mod plain;
pub mod prefix;
pub mod rate;
pub mod version;
pub mod wire;
pub mod wording;

#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod camera;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod clock;
#[cfg(any(feature = "camera", feature = "viewer", feature = "setup"))]
pub mod crypto;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod holders;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod repeats;
#[cfg(all(any(feature = "camera", feature = "setup"), target_os = "linux"))]
pub mod settings;
#[cfg(all(feature = "setup", target_os = "linux"))]
pub mod setup;
#[cfg(all(any(feature = "camera", feature = "viewer"), unix))]
pub mod signals;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod source;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod stop;
#[cfg(feature = "viewer")]
pub mod viewer;
