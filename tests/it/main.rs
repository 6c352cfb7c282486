//! Everything that is tested through the library's public face or as whole programs, as one binary.

// The tests print results. A lost line does no harm.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Modules share by `pub`; there is no outside that it could reach.
#![allow(unreachable_pub)]
// What goes wrong in a helper fails the test that called it.
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
