//! All tests of the library's public face and of whole programs, as one binary.

// The tests print results. A lost line does no harm.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// The modules use each other's items by `pub`. Nothing outside can reach them.
#![allow(unreachable_pub)]
// A failure in a helper must fail the test that called it.
#![allow(clippy::panic)]

mod camera;
mod card;
mod desktop;
mod discovery;
mod documents;
mod hardware;
mod package;
mod picture;
mod programs;
mod project;
mod sessions;
mod tools;
mod viewer;
mod wire;

#[global_allocator]
static COUNTING: tools::allocations::Counting = tools::allocations::Counting;
