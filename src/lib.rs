//! A LAN camera and its viewer.
