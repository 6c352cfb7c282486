//! Draws what lies over pictures: figures, badges, notices, help, lists, menus, controls. No I/O, no clock.
//!
//! A [`Painter`] lives as long as the window and keeps drawn letters. For each frame it lends a [`Canvas`]: a part of a
//! picture with a [`Scale`] for text. Everything to draw is plain data with a `draw` function, and with a `layout` function
//! where the mouse matters. Nothing outside the canvas's area is touched, whatever its size and the text. After the first
//! frames nothing is allocated.

pub mod badges;
mod canvas;
mod choice;
pub mod code;
pub mod controls;
mod field;
pub mod figures;
mod glyphs;
mod graph;
pub mod help;
mod layer;
mod lock;
pub mod menu;
pub mod notice;
pub mod pane;
pub mod picker;
mod rect;
mod rows;
mod scale;
mod style;
mod text;
mod text_style;
mod track;
pub mod widget;

pub use canvas::{Canvas, Painter};
pub use glyphs::Typeface;
pub use layer::Layer;
pub use rect::Rect;
pub use scale::Scale;
pub use style::{Colour, GROUND};
pub use text_style::{Align, Digits, Style, Weight};
pub use track::AgeTrack;
