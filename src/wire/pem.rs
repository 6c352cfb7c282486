//! Bytes as lines of text between two marks (PEM, RFC 7468): how files keep keys and certificates.

/// The letters of base64 (RFC 4648, section 4).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// How many letters a line has.
const LINE: usize = 64;

/// Appends `bytes` under this label.
pub fn write(label: &str, bytes: &[u8], into: &mut String) {
    let letters = encode(bytes);
    into.push_str(&format!("-----BEGIN {label}-----\n"));
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at.is_multiple_of(LINE) {
            into.push('\n');
        }
        into.push(letter);
    }
    into.push_str(&format!("\n-----END {label}-----\n"));
}

/// The bytes under this label; `None` if there are none, or they are damaged.
pub fn read(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (letters, _) = rest.split_once(&format!("-----END {label}-----"))?;
    decode(&letters.split_ascii_whitespace().collect::<String>())
}

fn encode(bytes: &[u8]) -> String {
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

fn decode(text: &str) -> Option<Vec<u8>> {
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
    fn base64_is_as_the_standard_shows_it() {
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

    #[test]
    fn what_was_written_is_read_among_others() {
        let (one, two): (Vec<u8>, Vec<u8>) = ((0..=255).collect(), vec![7; 48]);
        let mut text = String::new();
        write("CERTIFICATE", &one, &mut text);
        write("PRIVATE KEY", &two, &mut text);
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----\nAAECAwQF"));
        assert!(text.ends_with("BwcH\n-----END PRIVATE KEY-----\n"));
        assert!(text.lines().all(|line| line.len() <= LINE && !line.is_empty()));
        assert_eq!(read("CERTIFICATE", &text), Some(one.clone()));
        assert_eq!(read("PRIVATE KEY", &text.replace('\n', "\r\n")), Some(two));
        assert_eq!(read("PUBLIC KEY", &text), None);
        for end in 0..text.find("PRIVATE").expect("a second part") - 16 {
            assert_eq!(read("CERTIFICATE", &text[..end]), None, "cut off at {end}");
        }
        assert_eq!(read("CERTIFICATE", &text.replacen('A', "!", 4)), None);
    }
}
