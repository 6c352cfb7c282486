//! Tools that tests share: cameras, viewers, clients, machines and displays, and readers of what programs write.

pub mod allocations;
pub mod alone;
pub mod appliance;
mod c_allocations;
pub mod camera_process;
pub mod ciede2000;
pub mod clipboard;
pub mod delaying_proxy;
pub mod fake_camera;
pub mod golden;
pub mod http_client;
pub mod jpeg_quirks;
pub mod jpeg_tools;
pub mod lan;
pub mod matroska_reader;
pub mod mdns_cable;
pub mod mdns_liar;
pub mod mounting;
pub mod native_client;
pub mod paced_reader;
pub mod png_file;
pub mod program;
#[path = "../../../fuzz/src/lib.rs"]
pub mod properties;
pub mod recording;
pub mod rig;
pub mod rpicam;
pub mod screen_stamp;
pub mod skip;
pub mod soak;
pub mod stage;
pub mod systemd;
pub mod until;
pub mod usb_camera;
pub mod viewer_process;
pub mod x11;
