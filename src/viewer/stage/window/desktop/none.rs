//! The desktop on systems without X: does nothing.

use super::Pasted;
use crate::image::pixels::Size;
use crate::viewer::stage::input::Input;
use std::io;

/// No desktop. No value of this type exists.
#[derive(Debug)]
pub enum Desktop {}

#[allow(missing_docs, clippy::missing_errors_doc)] // as desktop/x11.rs has them
impl Desktop {
    pub fn connect() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn screen(&self) -> Size {
        match *self {}
    }

    pub fn density(&self) -> f32 {
        match *self {}
    }

    pub fn introduce(&self, _window: u32, _program: &str) -> io::Result<()> {
        match *self {}
    }

    pub fn stay_awake(&mut self, _is_to_stay: bool) -> io::Result<()> {
        match *self {}
    }

    pub fn listen(&mut self, _window: u32) -> io::Result<()> {
        match *self {}
    }

    pub fn ask_for_paste(&mut self) -> io::Result<()> {
        match *self {}
    }

    pub fn pasted(&mut self) -> Option<Pasted> {
        match *self {}
    }

    pub fn next_input(&mut self) -> Option<Input> {
        match *self {}
    }

    pub fn place(&self, _window: u32) -> io::Result<(i32, i32)> {
        match *self {}
    }

    pub fn is_full_screen(&self, _window: u32) -> io::Result<bool> {
        match *self {}
    }

    pub fn fill_screen(&mut self, _window: u32, _is_to_fill: bool) -> io::Result<()> {
        match *self {}
    }
}
