//! The camera and those who watch it: what they get, how fast, and how many of them.

mod abuse;
mod accepted;
mod http;
pub mod http_peers;
mod http_trouble;
mod ladder;
mod limits;
mod machines;
pub mod paced;
mod renditions;
mod roster;
mod rude_clients;
mod schedules;
mod silence;
mod slow_viewer;
pub mod stream;
