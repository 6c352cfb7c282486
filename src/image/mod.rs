//! Image bytes: formats, planes, sizes, JPEG. No I/O, no clock, no threads.

pub mod cover;
pub mod cuts;
pub mod frame;
pub mod jpeg;
#[cfg(feature = "camera")]
pub mod notice;
pub mod orientation;
pub mod picture;
pub mod pixels;
pub mod planes;
#[cfg(feature = "camera")]
pub mod planes_pool;
#[cfg(feature = "camera")]
pub mod resize;
pub mod scale;
pub mod size_wish;
pub mod stamp;
pub mod text;
pub mod turn;
pub mod unpack;
