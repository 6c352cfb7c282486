//! The viewer's window, under X and Wayland.

mod pictures;
mod viewer_golden;
mod viewer_odd;
mod wayland;
pub mod window;
mod window_held;
mod window_input;
mod window_truth;
