//! V4L2 cameras.
//!
//! From the kernel up: `ioctl` makes the calls, `node` recognises what a node is, `offer` reads
//! what a camera offers, `negotiate` decides what to ask of it, `grant` reads what it granted, and
//! `colour` what that means. `queue` lends its frames; `camera` combines all of this for one
//! camera; `controls` reads and sets its controls. `survey`, `identity`, `watch` and `finder` find
//! the camera, and find it again. `openings` remembers what the last opening was like, so that the
//! log stays short and a slow camera is waited for.

mod camera;
mod colour;
mod controls;
mod errors;
mod finder;
mod grant;
mod identity;
mod ioctl;
pub mod list;
mod negotiate;
mod node;
mod offer;
mod opening;
mod openings;
mod queue;
mod sequence;
mod survey;
mod usable;
mod watch;

pub use camera::Camera;
pub use controls::{ControlSetting, Wanted};
pub use finder::Finder;
