//! Bytes as lines of text between two marks (PEM, RFC 7468): how files keep keys and certificates.

use super::base64::{decode, encode};

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

/// Reads the block with this label. `None` if the text lacks it, or it is damaged.
pub fn read(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (letters, _) = rest.split_once(&format!("-----END {label}-----"))?;
    decode(&letters.split_ascii_whitespace().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

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
