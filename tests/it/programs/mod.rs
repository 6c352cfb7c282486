//! Other projects' programs watch a camera.

mod clients;
mod http_programs;
pub mod integrations;
mod login;
mod native_example;
mod page;
pub mod tutorial;
mod with_a_key;
