//! V4L2 cameras.
//!
//! From the kernel up: `ioctl` calls it, `node` says what a node is, `offer` what a camera offers,
//! `negotiate` what to ask of it, `grant` what it granted and `colour` what that means; `queue` lends its frames, `camera` is all of
//! that for one camera; `controls` are its knobs. `survey`, `identity`, `watch` and `finder` find the camera and find it again;
//! `openings` keeps the log short when it is opened in vain.

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
