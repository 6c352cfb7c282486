//! Bytes as hexadecimal digits.

use std::fmt::Write;

/// The digits of these bytes, with small letters.
pub fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("memory takes any text");
    }
    text
}

/// The bytes of a text that [`text`] writes; `None` if it is another one, or of another length.
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_nothing_else_is() {
        let all: [u8; 256] = std::array::from_fn(|at| u8::try_from(at).expect("small"));
        assert!(text(&all).starts_with("000102") && text(&all).ends_with("fdfeff"));
        assert_eq!(bytes(&text(&all)), Some(all));
        assert_eq!(bytes("00ff"), Some([0, 255]));
        for wrong in ["", "00f", "00fff", "00ff00", "00FF", "0xff", "+0ff", " 0ff", "00f\u{e9}"] {
            assert_eq!(bytes::<2>(wrong), None, "{wrong}");
        }
    }
}
