//! Keeps the window out of GNOME's Wayland, where `minifb` has no title bar.
