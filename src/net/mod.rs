//! The LAN: sockets and who may use them.

pub mod socket;
#[cfg(any(feature = "camera", feature = "viewer"))]
pub mod tls;

#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod handed_over;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod interfaces;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod lan;
#[cfg(feature = "viewer")]
pub mod mdns;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod multicast;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod notify;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod on_link;
#[cfg(feature = "viewer")]
pub mod own_name;
#[cfg(all(feature = "camera", target_os = "linux"))]
pub mod reach;
