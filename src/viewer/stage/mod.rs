//! The window: which cameras it shows, what lies over them, and what keys and mouse do.

pub mod chooser;
mod close_up;
pub mod composer;
mod facts;
pub mod fonts;
pub mod grid;
pub mod input;
pub mod keys;
pub mod panel;
pub mod show;
pub mod tile;
pub mod title;
pub mod wall;
pub mod window;
