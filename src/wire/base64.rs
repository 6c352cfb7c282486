//! Bytes as letters (base64, RFC 4648, section 4), with padding.

/// The letters.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The letters of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or(0);
        let sixes = [
            byte(0) >> 2,
            byte(0) << 4 & 0x30 | byte(1) >> 4,
            byte(1) << 2 & 0x3C | byte(2) >> 6,
            byte(2) & 0x3F,
        ];
        for (at, six) in sixes.into_iter().enumerate() {
            let letter = char::from(LETTERS[usize::from(six)]);
            text.push(if at <= group.len() { letter } else { '=' });
        }
    }
    text
}

/// The bytes of these letters; `None` if they are not exactly what [`encode`] writes, or empty.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    if !text.len().is_multiple_of(4) || letters.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let value = LETTERS.iter().position(|it| it == letter)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let [_, group_bytes @ ..] = (bits << (6 * (4 - group.len()))).to_be_bytes();
        bytes.extend_from_slice(group_bytes.get(..group.len() - 1)?);
    }
    // Bits that carry nothing must be zero, so that one text means one thing.
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_the_standard_shows_them() {
        // RFC 4648, section 10.
        for (bytes, text) in [
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        for wrong in
            ["", "Z", "Zg", "Zg=", "Zh==", "Zm8", "Zm9=", "Zm9v=", "Zm9v====", "Z g=", "Zm9v!A=="]
        {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
