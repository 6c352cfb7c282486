//! Text over a dimmed picture.
