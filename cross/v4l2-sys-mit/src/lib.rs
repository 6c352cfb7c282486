//! Linux's V4L2 structures, constants and request codes, checked in so that no build needs libclang.

#![allow(non_camel_case_types, non_snake_case, non_upper_case_globals, clippy::all)]

#[cfg(target_pointer_width = "64")]
#[rustfmt::skip]
mod lp64;
#[cfg(target_pointer_width = "64")]
pub use lp64::*;

#[cfg(target_pointer_width = "32")]
#[rustfmt::skip]
mod ilp32;
#[cfg(target_pointer_width = "32")]
pub use ilp32::*;

// The kernel tells one layout from another by the size inside the request code.
const _: () = {
    use core::mem::size_of;
    let wide = size_of::<usize>() == 8;
    assert!(size_of::<timeval>() == 16 && size_of::<timespec>() == 16);
    assert!(size_of::<v4l2_buffer>() == if wide { 88 } else { 80 });
    assert!(size_of::<v4l2_format>() == if wide { 208 } else { 204 });
    assert!(size_of::<v4l2_event>() == 136);
    assert!((VIDIOC_DQBUF >> 16 & 0x3fff) as usize == size_of::<v4l2_buffer>());
    assert!((VIDIOC_DQEVENT >> 16 & 0x3fff) as usize == size_of::<v4l2_event>());
};
