//! Everything that is tested through the library's public face or as whole programs, as one binary.

// What it prints is its result; nothing is lost when nobody reads that.
#![allow(clippy::print_stdout, clippy::print_stderr)]
// Modules share by `pub`; there is no outside that it could reach.
#![allow(unreachable_pub)]
// What goes wrong in a helper fails the test that called it.
#![allow(clippy::panic)]

mod abuse;
mod accepted;
mod age;
mod age_properties;
mod allocations;
mod appliance;
mod boot;
mod c_allocations;
mod camera_allocations;
mod camera_package;
mod camera_process;
mod ciede2000;
mod cli;
mod clients;
mod configuration;
mod controls;
mod data_partition;
mod debian;
mod delaying_proxy;
mod exif;
mod fake_camera;
mod faults;
mod flash;
mod found;
mod fresh;
mod fuzz_corpus;
mod golden;
mod http;
mod http_client;
mod http_peers;
mod http_programs;
mod http_trouble;
mod identity;
mod image;
mod integrations;
mod jpeg_damage;
mod jpeg_tools;
mod jpeg_turn;
mod ladder;
mod lan;
mod limits;
mod manual;
mod matroska;
mod matroska_reader;
mod mdns_cable;
mod mdns_liar;
mod mdns_trouble;
mod mounting;
mod names;
mod native_client;
mod native_example;
mod need;
mod odd_sizes;
mod paced;
mod paced_reader;
mod paced_simulated;
mod packages;
mod paint;
mod pi;
mod pi_controls;
mod pi_formats;
mod pickle;
mod pictures;
mod png_file;
mod process;
mod reconnect;
mod record;
mod record_disk;
mod record_rotation;
mod record_signals;
mod recording;
mod release;
mod renditions;
mod reproducible;
mod rig;
mod screen_stamp;
mod sensor;
mod service;
mod setup;
mod setup_boots;
mod setup_windows;
mod silence;
mod skip;
mod slow_viewer;
mod sources;
mod stream;
mod syscalls;
mod tidy;
mod turned;
mod tutorial;
mod units;
mod viewer_allocations;
mod viewer_golden;
mod viewer_headless;
mod viewer_odd;
mod viewer_process;
mod wayland;
mod window;
mod window_held;
mod window_input;
mod window_truth;
mod wire_bytes;
mod wire_chopped;
mod x11;

#[global_allocator]
static COUNTING: allocations::Counting = allocations::Counting;
