//! Writes what comes before and after the pixels of a pickled picture.

use crate::image::pixels::Size;

/// The length and the pickle of a picture up to its pixels. Sent before them in the same `writev`,
/// with [`TAIL`] after them.
///
/// It is a `numpy.ndarray` of uint8, (height, width, 3), in the one form that both numpy 1.x and
/// 2.x read without a warning: protocol 3, `numpy.core.multiarray._reconstruct`.
#[derive(Debug, Clone, Copy)]
pub struct PickleHead {
    bytes: [u8; ROOM],
    len: usize,
}

/// What comes after the pixels: TUPLE for the array's state, BUILD, STOP.
pub const TAIL: &[u8] = b"tb.";

/// Enough for the longest head.
const ROOM: usize = 160;

/// The length field before a pickle, in bytes.
pub(super) const LENGTH_LEN: usize = 8;

impl PickleHead {
    /// The head for a picture of this size.
    ///
    /// # Panics
    /// When a side is over 65535 or the picture over 4 GiB, which no protocol carries.
    pub fn new(size: Size) -> Self {
        let pixels = size.area().checked_mul(3).and_then(|len| u32::try_from(len).ok());
        let pixels = pixels.expect("no picture is over 4 GiB");
        let mut head = Self { bytes: [0; ROOM], len: LENGTH_LEN };
        head.put(b"\x80\x03"); // PROTO 3
        head.put(b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"); // GLOBAL, GLOBAL
        head.put(b"K\x00\x85C\x01b\x87R"); // _reconstruct(ndarray, (0,), b'b')
        head.put(b"(K\x01"); // its state: version 1,
        head.put_side(size.height); // (height,
        head.put_side(size.width); // width,
        head.put(b"K\x03\x87"); // 3),
        head.put(b"cnumpy\ndtype\nX\x02\0\0\0u1\x89\x88\x87R"); // dtype('u1', False, True)
        head.put(b"(K\x03X\x01\0\0\0|NNN"); // with the state (3, '|', None, None, None,
        head.put(b"J\xFF\xFF\xFF\xFFJ\xFF\xFF\xFF\xFFK\0tb"); // -1, -1, 0),
        head.put(b"\x89"); // not in Fortran order,
        head.put(b"B"); // BINBYTES:
        head.put(&pixels.to_le_bytes());
        let tail = u64::try_from(TAIL.len()).expect("three bytes");
        let pickle_len = u64::try_from(head.len - LENGTH_LEN).expect("under 160 bytes");
        let length = pickle_len + u64::from(pixels) + tail;
        head.bytes[..LENGTH_LEN].copy_from_slice(&length.to_le_bytes());
        head
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Writes a number as Python does: BININT1 below 256, otherwise BININT2.
    fn put_side(&mut self, pixels: usize) {
        match u8::try_from(pixels) {
            Ok(pixels) => self.put(&[b'K', pixels]),
            Err(_) => {
                let pixels = u16::try_from(pixels).expect("no picture has a side over 65535");
                let [low, high] = pixels.to_le_bytes();
                self.put(&[b'M', low, high]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_head_has_room() {
        let head = PickleHead::new(Size::new(65_535, 20_000));
        let length = head.as_bytes().first_chunk().map(|length| u64::from_le_bytes(*length));
        let len = u64::try_from(head.as_bytes().len()).unwrap();
        assert_eq!(length, Some(len - 8 + 65_535 * 20_000 * 3 + 3));
    }
}
