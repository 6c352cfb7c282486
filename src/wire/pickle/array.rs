//! Parses a picture that numpy has pickled.

use super::PickleError;
use super::machine::Machine;
use super::value::{Array, Bytes, Value};
use crate::image::pixels::Size;

/// A picture that was pickled as an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BgrArray<'a> {
    /// Its size.
    pub size: Size,
    /// Rows of B, G, R bytes without padding.
    pub pixels: &'a [u8],
}

impl<'a> BgrArray<'a> {
    /// Parses a whole pickle of protocol 2 to 5, from any numpy version. Runs nothing that it
    /// names.
    ///
    /// The pixels are a part of `pickle`; with protocol 2 they are decoded into `scratch`.
    ///
    /// # Errors
    /// When it is anything but one array of uint8, (height, width, 3), in C order.
    pub fn parse(pickle: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<Self, PickleError> {
        let array = match Machine::read(pickle)? {
            Value::Array(array) => array,
            other => return Err(PickleError::NotAnArray(other.name())),
        };
        let Array { height, width, data } = array;
        let expected = height.checked_mul(width).and_then(|area| area.checked_mul(3));
        let expected = expected.unwrap_or(usize::MAX);
        let pixels = match data {
            Bytes::Plain(bytes) => bytes,
            Bytes::Latin1(text) => text.decode(scratch),
        };
        if pixels.len() != expected {
            return Err(PickleError::Length { expected, found: pixels.len() });
        }
        Ok(Self { size: Size::new(width, height), pixels })
    }
}
