//! The live picture as `multipart/x-mixed-replace`, in the form that every known reader accepts.
//!
//! The boundary comes before the first part too (Tasmota's readers need that), and without quotes.
//! Each part has its length (go2rtc refuses parts without). The next boundary follows a picture in
//! the same write, for readers that wait for it. Nothing is chunked.
//!
//! Chrome shows a picture only when it has the whole head of the next part (crbug 527446), so one
//! picture late; but a head with a length cannot be written before its picture exists. So Chrome's
//! own window, which needs no lengths, gets heads without length. Each is sent ahead of its
//! picture, in the same write as the picture before. A script in Chrome that reads the stream
//! itself, such as Mainsail's, needs the lengths and gets them. Safari is late too, but does not
//! accept heads sent ahead. So if no other picture follows for a while, it gets the same picture
//! again (as with ustreamer's `dual_final_frames`). The same goes for Firefox, and for Home
//! Assistant, which passes everything on to some browser.

use super::request::Reader;
use std::io::Write;
use std::time::Duration;

/// The content type of the stream.
pub const CONTENT_TYPE: &str = "multipart/x-mixed-replace;boundary=frame";

/// Comes before the first part.
pub const FIRST_BOUNDARY: &[u8] = b"--frame\r\n";

/// Comes after every part, in the same write.
pub const NEXT_BOUNDARY: &[u8] = b"\r\n--frame\r\n";

/// The form of the heads of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heads {
    /// Right before the picture, with its length and time.
    Exact,
    /// The same, for browsers. A picture that no other follows for a while is sent once more.
    ExactTwice,
    /// Ahead: with the picture before, without length and time.
    Ahead,
}

/// [`FIRST_BOUNDARY`], and a head that is sent ahead.
pub const FIRST_AHEAD: &[u8] = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n";

/// [`NEXT_BOUNDARY`], and a head that is sent ahead.
pub const NEXT_AHEAD: &[u8] = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n";

impl Heads {
    /// The form by which `reader`, in a program with this `User-Agent`, shows pictures soonest. All
    /// browsers with Chrome's engine name `Chrome/`. Browsers with Safari's engine, such as every
    /// browser on an iPhone, do not.
    pub fn for_client(user_agent: &str, reader: Reader) -> Self {
        let name = user_agent;
        if name.contains(" Chrome/") || name.contains(" HeadlessChrome/") {
            match reader {
                Reader::Window => Self::Ahead,
                Reader::Program => Self::Exact,
            }
        } else if name.contains(" AppleWebKit/")
            || name.contains(" Firefox/")
            || name.starts_with("HomeAssistant/")
        {
            Self::ExactTwice
        } else {
            Self::Exact
        }
    }

    /// Comes before the first part.
    pub fn first(self) -> &'static [u8] {
        match self {
            Self::Exact | Self::ExactTwice => FIRST_BOUNDARY,
            Self::Ahead => FIRST_AHEAD,
        }
    }

    /// Comes after every picture, in the same write.
    pub fn next(self) -> &'static [u8] {
        match self {
            Self::Exact | Self::ExactTwice => NEXT_BOUNDARY,
            Self::Ahead => NEXT_AHEAD,
        }
    }
}

/// The head of a part.
#[derive(Debug, Clone, Copy)]
pub struct PartHead {
    bytes: [u8; ROOM],
    len: usize,
}

/// Enough for the longest head.
const ROOM: usize = 128;

impl PartHead {
    /// The head for a JPEG of `len` bytes, taken at this time since 1970.
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
    fn browsers_get_what_they_paint_on_and_others_the_plain_form() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
        assert_eq!(Heads::for_client(chrome, Reader::Window), Heads::Ahead);
        assert_eq!(Heads::for_client(chrome, Reader::Program), Heads::Exact, "a script reads it");
        let on_an_iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        for browser in ["Version/18.5 Mobile/15E148 Safari/604.1", "CriOS/150.0.0.0 Safari/604.1"] {
            let name = format!("{on_an_iphone} {browser}");
            assert_eq!(Heads::for_client(&name, Reader::Window), Heads::ExactTwice, "{name}");
        }
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let home_assistant = "HomeAssistant/2025.4.4 aiohttp/3.11.16 Python/3.13";
        for browser in [firefox, home_assistant] {
            assert_eq!(Heads::for_client(browser, Reader::Window), Heads::ExactTwice, "{browser}");
        }
        for other in ["VLC/3.0.21 LibVLC/3.0.21", "Lavf/61.7.100", "go2rtc/1.9.9", ""] {
            assert_eq!(Heads::for_client(other, Reader::Window), Heads::Exact, "{other}");
        }
        assert!(FIRST_AHEAD.starts_with(FIRST_BOUNDARY) && NEXT_AHEAD.starts_with(NEXT_BOUNDARY));
    }

    #[test]
    fn a_part_begins_with_these_bytes() {
        let head = PartHead::new(4321, Duration::from_micros(1_700_000_000_000_042));
        let expected = "Content-Type: image/jpeg\r\nContent-Length: 4321\r\nX-Timestamp: 1700000000.000042\r\n\r\n";
        assert_eq!(str::from_utf8(head.as_bytes()), Ok(expected));
        assert!(PartHead::new(usize::MAX, Duration::MAX).as_bytes().ends_with(b"\r\n\r\n"));
    }
}
