//! Pixels and JPEGs, without a camera.

pub mod jpeg_damage;
mod jpeg_joined;
mod jpeg_strips;
mod jpeg_turn;
mod odd_sizes;
mod sensor;
