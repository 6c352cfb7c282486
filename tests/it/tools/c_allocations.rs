//! Counts what C code allocates: libjpeg-turbo does not use Rust's allocator.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use crate::tools::allocations;
use lancam::image::jpeg::codec::{Decoder, Encoder};
use lancam::image::picture::Picture;
use lancam::image::pixels::{Chroma, Size};
use lancam::image::planes::Planes;
use std::cell::Cell;
use std::ffi::c_void;

thread_local! {
    static THIS_THREAD: Cell<usize> = const { Cell::new(0) };
}

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
}

/// Replaces the C library's malloc in this test program. The C library's own `free` frees what it returns.
// SAFETY: it has malloc's signature, and calls malloc.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    let _ = THIS_THREAD.try_with(|count| count.set(count.get() + 1));
    // SAFETY: this is glibc's malloc under another name, which takes any size.
    unsafe { __libc_malloc(size) }
}

/// Calls of malloc that did not come from Rust's allocator, which calls it too.
fn count_c(work: impl FnOnce()) -> usize {
    let before = THIS_THREAD.get();
    let rust = allocations::count(work);
    THIS_THREAD.get() - before - rust
}

#[test]
fn what_libjpeg_turbo_allocates_per_frame_is_known() {
    const FRAMES: usize = 50;
    let size = Size::new(1280, 720);
    let mut planes = Planes::default();
    planes.reshape(size, Chroma::Yuv420);
    planes.packed_mut().fill(128);
    let mut encoder = Encoder::new(80).expect("an encoder");
    let mut jpeg = vec![0; Encoder::max_len(size, Chroma::Yuv420).expect("a size")];
    let mut decoder = Decoder::new().expect("a decoder");
    let mut picture = Picture::default();
    let mut half = Planes::default();
    let mut len = 0;
    let run = |what: &mut dyn FnMut()| {
        what();
        count_c(|| (0..FRAMES).for_each(|_| what())) / FRAMES
    };
    let encoding = run(&mut || len = encoder.encode(&planes, &mut jpeg).expect("encodes"));
    let decoding = run(&mut || {
        decoder.decode(&jpeg[..len], &mut picture).expect("decodes");
    });
    let small = Size::new(640, 360);
    let scaling = run(&mut || {
        decoder.decode_planes(&jpeg[..len], small, &mut half).expect("decodes");
    });
    println!(
        "libjpeg-turbo's own allocations a frame: {encoding} to encode, {decoding} to decode, {scaling} to decode at half size"
    );
    // libjpeg-turbo allocates a few pools per picture, whatever its size. One per row would be many hundreds.
    assert!(encoding + decoding + scaling > 0, "the count counts");
    assert!(encoding <= 20 && decoding <= 20 && scaling <= 20);
}
