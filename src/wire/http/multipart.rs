//! The live picture as `multipart/x-mixed-replace`, in the form that every known reader takes.
//!
//! The boundary stands before the first part (Tasmota's readers need that) and without quotes; each part has its length
//! (go2rtc refuses those without); and the next boundary follows a picture at once, in the same write, since Chrome shows
//! a picture only when it sees where it ends (crbug 527446). Nothing is chunked.

use std::io::Write;
use std::time::Duration;

/// The whole stream's type.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace;boundary=frame";

/// Goes before the first part.
pub const FIRST_BOUNDARY: &[u8] = b"--frame\r\n";

/// Goes behind every part, in the same write.
pub const NEXT_BOUNDARY: &[u8] = b"\r\n--frame\r\n";

/// What stands before a picture of the stream.
#[derive(Debug, Clone, Copy)]
pub struct PartHead {
    bytes: [u8; ROOM],
    len: usize,
}

/// Enough for the longest head.
const ROOM: usize = 128;

impl PartHead {
    /// For a JPEG of `len` bytes, taken so long after 1970.
    ///
    /// # Panics
    /// Never: the longest numbers fit.
    pub fn new(len: usize, taken_at: Duration) -> Self {
        let mut bytes = [0; ROOM];
        let mut rest = &mut bytes[..];
        let (seconds, micros) = (taken_at.as_secs(), taken_at.subsec_micros());
        write!(
            rest,
            "Content-Type: image/jpeg\r\nContent-Length: {len}\r\nX-Timestamp: {seconds}.{micros:06}\r\n\r\n"
        )
        .expect("there is room for the longest numbers");
        let len = ROOM - rest.len();
        Self { bytes, len }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_with_these_bytes() {
        let head = PartHead::new(4321, Duration::from_micros(1_700_000_000_000_042));
        let expected = "Content-Type: image/jpeg\r\nContent-Length: 4321\r\nX-Timestamp: 1700000000.000042\r\n\r\n";
        assert_eq!(str::from_utf8(head.as_bytes()), Ok(expected));
        assert!(PartHead::new(usize::MAX, Duration::MAX).as_bytes().ends_with(b"\r\n\r\n"));
    }
}
