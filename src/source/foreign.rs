//! Describes bytes that should be JPEGs and are something else.

use crate::plain::printable;
use std::fmt::Write;

/// How many of the first bytes are examined: two packets of an MPEG transport stream.
pub(super) const LOOKED_AT: usize = 400;

/// How many bytes are shown to people.
const SHOWN: usize = 8;

const VIDEO: &str = "use rpicam-vid --codec mjpeg -t 0 -o -, or make JPEGs of it: ffmpeg -i - -c:v mjpeg -q:v 4 -f mjpeg -";
const IMAGES: &str = "make JPEGs of it: ffmpeg -i - -c:v mjpeg -q:v 4 -f mjpeg -";
const PACKED: &str = "unpack it first";
const TEXT: &str = "check the messages and the options of the program that writes it";
const PAGE: &str = "send the JPEGs alone, without the server's headers";
const RAW: &str = "if they are raw pictures, make JPEGs of them: \
    ffmpeg -f rawvideo -pixel_format yuv420p -video_size WxH -i - -c:v mjpeg -q:v 4 -f mjpeg -";

/// The first bytes of files and streams, the name of the format, and what to do.
const KINDS: [(&[u8], &str, &str); 24] = [
    (b"\x89PNG", "PNG", IMAGES),
    (b"GIF8", "GIF", IMAGES),
    (b"BM", "BMP", IMAGES),
    (b"II*\0", "TIFF", IMAGES),
    (b"MM\0*", "TIFF", IMAGES),
    (b"P5", "PGM", IMAGES),
    (b"P6", "PPM", IMAGES),
    (b"\xFF\x4F\xFF\x51", "JPEG 2000", IMAGES),
    (b"\0\0\0\x0CjP  ", "JPEG 2000", IMAGES),
    (b"\xFF\x0A", "JPEG XL", IMAGES),
    (b"YUV4MPEG2", "YUV4MPEG (y4m)", VIDEO),
    (b"DKIF", "IVF (VP8, VP9 or AV1)", VIDEO),
    (b"\x1A\x45\xDF\xA3", "Matroska or WebM", VIDEO),
    (b"FLV\x01", "Flash video", VIDEO),
    (b"OggS", "Ogg", VIDEO),
    (b"\0\0\x01\xBA", "an MPEG program stream", VIDEO),
    (b"\0\0\x01\xB3", "MPEG-1 or MPEG-2 video", VIDEO),
    (b"\x1F\x8B", "gzip", PACKED),
    (b"BZh", "bzip2", PACKED),
    (b"\xFD7zXZ", "xz", PACKED),
    (b"\x28\xB5\x2F\xFD", "zstd", PACKED),
    (b"PK\x03\x04", "a ZIP archive", PACKED),
    (b"HTTP/1.", "a web server's answer", PAGE),
    (b"%PDF", "PDF", IMAGES),
];

/// A description with advice: `they begin with 00 00 00 01 67 42 c0 1e, which looks like H.264: use
/// rpicam-vid --codec mjpeg …`.
pub(super) fn described(first: &[u8]) -> String {
    format!("{}: {}", looks_like(first), kind(first).1)
}

/// The description without advice.
pub(super) fn looks_like(first: &[u8]) -> String {
    let mut text = String::from("they begin with ");
    let (name, _) = kind(first);
    if name == "text" {
        let start: String = String::from_utf8_lossy(first).trim().chars().take(40).collect();
        let _ = write!(text, "\"{}\"", printable(&start));
    } else {
        for (index, byte) in first.iter().take(SHOWN).enumerate() {
            let gap = if index == 0 { "" } else { " " };
            let _ = write!(text, "{gap}{byte:02x}");
        }
    }
    let _ = match name {
        "" => write!(text, ", which lancam cannot read"),
        _ => write!(text, ", which looks like {name}"),
    };
    text
}

/// The name of the format (empty if unknown) and what to do.
fn kind(first: &[u8]) -> (&'static str, &'static str) {
    if let Some((_, name, remedy)) = KINDS.iter().find(|(start, ..)| first.starts_with(start)) {
        return (name, remedy);
    }
    if let Some(name) = of_start_code(first) {
        return (name, VIDEO);
    }
    let at = |index: usize| first.get(index).copied();
    if at(0) == Some(0x47) && (first.len() <= 188 || at(188) == Some(0x47)) {
        return ("an MPEG transport stream", VIDEO);
    }
    match (first.get(4..8), first.get(..4), first.get(8..12)) {
        (Some(b"ftyp"), ..) => return ("MP4, QuickTime or HEIF", VIDEO),
        (_, Some(b"RIFF"), Some(b"AVI ")) => return ("AVI", VIDEO),
        (_, Some(b"RIFF"), Some(b"WEBP")) => return ("WebP", IMAGES),
        _ => {}
    }
    if first.iter().all(|&byte| byte == 0) {
        return ("nothing but zeros", TEXT);
    }
    if is_text(first) {
        let start = String::from_utf8_lossy(first).trim_start().to_ascii_lowercase();
        let is_page = ["<!doctype html", "<html", "<head"].iter().any(|tag| start.starts_with(tag));
        return if is_page { ("HTML", PAGE) } else { ("text", TEXT) };
    }
    ("", RAW)
}

/// Recognises video in units that begin with a start code (H.264 and H.265, annex B).
fn of_start_code(first: &[u8]) -> Option<&'static str> {
    let unit = first.strip_prefix(&[0, 0, 0, 1]).or_else(|| first.strip_prefix(&[0, 0, 1]))?;
    Some(match *unit.first()? {
        // Parameter sets and access unit delimiters of H.265. In H.264 these numbers are units that
        // no stream begins with.
        0x40 | 0x42 | 0x44 | 0x46 => "H.265",
        0xB0 | 0xB5 | 0xB6 => "MPEG-4 video",
        unit if unit & 0x80 == 0 => "H.264",
        _ => return None,
    })
}

/// Whether these bytes are text. They may end in the middle of a character.
fn is_text(first: &[u8]) -> bool {
    let text = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&first[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty()
        && text.chars().all(|letter| !letter.is_control() || "\t\r\n\u{1b}".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_send_by_mistake_is_called_by_its_name() {
        let transport = [&[0x47, 0x40, 0, 0x10][..], &[0xFF; 184], &[0x47, 1]].concat();
        for (first, name) in [
            (&b"\0\0\0\x01\x67\x42\xC0\x1E"[..], "H.264"),
            (b"\0\0\x01\x09\xF0", "H.264"),
            (b"\0\0\0\x01\x40\x01\x0C", "H.265"),
            (b"\0\0\x01\xB3\x28", "MPEG-1 or MPEG-2"),
            (&transport, "transport stream"),
            (b"\x89PNG\r\n\x1a\n", "PNG"),
            (b"\0\0\0\x20ftypisom", "MP4"),
            (b"RIFF\0\0\0\0AVI LIST", "AVI"),
            (b"\x1F\x8B\x08\0", "gzip"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"HTTP/1.1 200 OK\r\n", "web server"),
            (b"ERROR: *** no cameras available ***\n", "text"),
            (b"YUV4MPEG2 W64 H48", "y4m"),
            (&[0; 64], "zeros"),
            (&[16, 130, 16, 127, 17, 129], "raw pictures"),
        ] {
            let text = described(first);
            assert!(text.contains(name), "{name}: {text}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_is_shown_without_control_characters() {
        let text = described(b"camera \x1b[31mbroken\nsecond line");
        assert!(text.contains("camera ?[31mbroken?second line") && !text.contains('\n'), "{text}");
    }
}
