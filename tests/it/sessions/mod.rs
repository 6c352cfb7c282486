//! The camera and its viewers: what they get, how fast, and how many there may be.

mod abuse;
mod accepted;
mod floods;
mod http;
mod http_keys;
pub mod http_peers;
mod http_trouble;
mod keyed;
mod ladder;
mod limits;
mod listener;
mod machines;
mod middle;
mod over_tls;
pub mod paced;
mod pairing;
mod renditions;
mod roster;
mod rude_clients;
mod schedules;
mod silence;
mod slow_viewer;
pub mod stream;
