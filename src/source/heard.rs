//! Keeps what a pipe has carried since its last picture, and describes it.

use super::foreign;
use crate::wording::count;

/// After this many bytes without a picture, bytes that look like the start of one no longer count.
const A_FEW: u64 = 1 << 20;

/// The bytes since the last picture: their count, and the first of them.
#[derive(Debug)]
pub(super) struct Heard {
    bytes: u64,
    first: [u8; foreign::LOOKED_AT],
    kept: usize,
}

impl Default for Heard {
    fn default() -> Self {
        Self { bytes: 0, first: [0; foreign::LOOKED_AT], kept: 0 }
    }
}

impl Heard {
    /// Notes bytes that came.
    pub(super) fn note(&mut self, came: &[u8]) {
        let room = &mut self.first[self.kept..];
        let more = room.len().min(came.len());
        room[..more].copy_from_slice(&came[..more]);
        self.kept += more;
        self.bytes += came.len() as u64;
    }

    /// Whether a picture may be arriving.
    pub(super) fn may_be_a_picture(&self) -> bool {
        self.first[..self.kept].starts_with(&[0xFF, 0xD8]) || self.bytes < A_FEW
    }

    /// Why there is no picture, if something else came on the pipe called `name`.
    pub(super) fn why(&self, name: &str) -> Option<String> {
        let first = &self.first[..self.kept];
        if first.is_empty() {
            return None;
        }
        let bytes = count(self.bytes, "byte");
        if first.starts_with(&[0xFF, 0xD8]) {
            return Some(format!("{bytes} came from {name}, without a complete JPEG"));
        }
        let what = foreign::described(first);
        Some(format!("{bytes} came from {name}, without a JPEG; {what}"))
    }
}
