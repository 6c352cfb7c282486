//! The text of a file on the boot partition, and the position of each character in the file.

use std::ops::Range;

/// A file's text. Positions are bytes of `text`; [`Text::in_file`] converts them to positions in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// The text in UTF-8. Lines may end in CR LF.
    pub(super) text: String,
    encoding: Encoding,
}

/// The encoding in which an editor saved the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// UTF-8, after a byte order mark of this length.
    Utf8 { mark: usize },
    /// UTF-16, which Windows' Notepad calls "Unicode", after a byte order mark of this length.
    Utf16 { order: Order, mark: usize },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Text {
    /// Decodes `bytes`. Lines that are not valid text are blanked. The second value has their positions.
    ///
    /// Without a byte order mark, a file is UTF-16 if one of its first two bytes is zero: these files begin with ASCII.
    pub(super) fn decode(bytes: Vec<u8>) -> (Self, Vec<usize>) {
        match *bytes.as_slice() {
            [0xff, 0xfe, ref units @ ..] => Self::decode_utf16(units, Order::Little, 2),
            [0xfe, 0xff, ref units @ ..] => Self::decode_utf16(units, Order::Big, 2),
            [0xef, 0xbb, 0xbf, ref rest @ ..] => Self::decode_utf8(rest.to_vec(), 3),
            [1..=0xff, 0, ..] => Self::decode_utf16(&bytes, Order::Little, 0),
            [0, 1..=0xff, ..] => Self::decode_utf16(&bytes, Order::Big, 0),
            _ => Self::decode_utf8(bytes, 0),
        }
    }

    fn decode_utf8(mut bytes: Vec<u8>, mark: usize) -> (Self, Vec<usize>) {
        let mut taken_out = Vec::new();
        let mut text = String::with_capacity(bytes.len());
        for line in bytes.split_inclusive_mut(|&byte| byte == b'\n') {
            if std::str::from_utf8(line).is_err() {
                taken_out.push(text.len());
                // Blanks keep all positions as they are.
                line.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            }
            text += std::str::from_utf8(line).unwrap_or_default();
        }
        (Self { text, encoding: Encoding::Utf8 { mark } }, taken_out)
    }

    fn decode_utf16(bytes: &[u8], order: Order, mark: usize) -> (Self, Vec<usize>) {
        let units = bytes.chunks_exact(2).map(|pair| match order {
            Order::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Order::Big => u16::from_be_bytes([pair[0], pair[1]]),
        });
        // An unpaired surrogate becomes another single unit, so that positions stay the same.
        let letters =
            char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        let text = letters.collect();
        (Self { text, encoding: Encoding::Utf16 { order, mark } }, Vec::new())
    }

    /// The range in the file of a range in `text`.
    pub(super) fn in_file(&self, place: &Range<usize>) -> Range<usize> {
        self.offset(place.start)..self.offset(place.end)
    }

    fn offset(&self, at: usize) -> usize {
        match self.encoding {
            Encoding::Utf8 { mark } => mark + at,
            Encoding::Utf16 { mark, .. } => {
                let before = self.text.get(..at).unwrap_or(&self.text);
                mark + 2 * before.encode_utf16().count()
            }
        }
    }

    /// How many ASCII characters fit into the place of a range in `text`.
    pub(super) fn room(&self, place: &Range<usize>) -> usize {
        let bytes = self.in_file(place).len();
        match self.encoding {
            Encoding::Utf8 { .. } => bytes,
            Encoding::Utf16 { .. } => bytes / 2,
        }
    }

    /// Encodes `ascii` as in this file.
    pub(super) fn encode(&self, ascii: &str) -> Vec<u8> {
        match self.encoding {
            Encoding::Utf8 { .. } => ascii.as_bytes().to_vec(),
            Encoding::Utf16 { order: Order::Little, .. } => {
                ascii.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }
            Encoding::Utf16 { order: Order::Big, .. } => {
                ascii.encode_utf16().flat_map(u16::to_be_bytes).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again_in_files_of_every_encoding() {
        let text = "größe = 1\r\npsk = \"geheim\"\r\n";
        let utf16 = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
            mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
        };
        for file in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16(&[0xff, 0xfe], u16::to_le_bytes),
            utf16(&[0xfe, 0xff], u16::to_be_bytes),
            utf16(&[], u16::to_le_bytes),
            utf16(&[], u16::to_be_bytes),
        ] {
            let (read, taken_out) = Text::decode(file.clone());
            assert_eq!((read.text.as_str(), taken_out), (text, vec![]));
            let at = text.find("geheim").expect("it is there");
            let place = at..at + 6;
            assert_eq!(read.room(&place), 6);
            assert_eq!(file[read.in_file(&place)], read.encode("geheim"));
        }
    }

    #[test]
    fn lines_that_are_no_text_are_taken_out_and_others_stay_where_they_are() {
        let (read, taken_out) = Text::decode(b"a\nb\xff\nc".to_vec());
        assert_eq!(read.text, "a\n  \nc");
        assert_eq!(taken_out, [2]);
        let (odd, _) = Text::decode(b"\xff\xfea\0\x00\xd8b\0x".to_vec());
        assert_eq!(odd.text, "a\u{fffd}b");
        assert_eq!(odd.in_file(&(4..5)), 6..8);
        assert_eq!(Text::decode(Vec::new()).0.text, "");
        assert_eq!(Text::decode(b"\0\0a".to_vec()).0.text, "\0\0a");
    }
}
