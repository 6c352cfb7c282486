//! Writes the elements of Matroska files (RFC 8794): an identifier, a length, a content.

/// A length that is not known yet, in the eight bytes that it will take.
pub(super) const UNKNOWN: [u8; 8] = [0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];

/// A length in eight bytes, for a length that is written after its content.
pub(super) fn long_size(len: u64) -> [u8; 8] {
    // No file has 2^56 bytes. The 57th bit marks a number of eight bytes.
    (len | 1 << 56).to_be_bytes()
}

/// A length or an offset as the type of numbers that are written.
pub(super) fn count(len: usize) -> u64 {
    u64::try_from(len).expect("no usize has more than 64 bits")
}

/// Appends an identifier. Identifiers of one byte begin with a 1 bit, those of two with 01, and so
/// on.
pub(super) fn id(out: &mut Vec<u8>, id: u32) {
    out.extend(id.to_be_bytes().iter().skip_while(|&&byte| byte == 0));
}

/// Appends a length in as few bytes as possible.
pub(super) fn size(out: &mut Vec<u8>, len: u64) {
    // All ones would mean an unknown length.
    let bytes = (1..8).find(|bytes| len < (1 << (7 * bytes)) - 1).unwrap_or(8);
    let marked = len | 1 << (7 * bytes);
    out.extend(&marked.to_be_bytes()[8 - bytes..]);
}

/// Appends an element.
pub(super) fn element(out: &mut Vec<u8>, identifier: u32, content: &[u8]) {
    id(out, identifier);
    size(out, count(content.len()));
    out.extend(content);
}

/// Appends an element whose content is an unsigned integer.
pub(super) fn number(out: &mut Vec<u8>, identifier: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    element(out, identifier, &bytes[zeros.min(7)..]);
}

/// Appends an element whose content is the elements that `fill` appends.
pub(super) fn master(out: &mut Vec<u8>, identifier: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    id(out, identifier);
    let at = out.len();
    out.extend(UNKNOWN);
    fill(out);
    let len = out.len() - at - UNKNOWN.len();
    out[at..at + UNKNOWN.len()].copy_from_slice(&long_size(count(len)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_few_bytes_as_they_need() {
        let sized = |len| {
            let mut out = Vec::new();
            size(&mut out, len);
            out
        };
        assert_eq!(sized(0), [0x80]);
        assert_eq!(sized(126), [0xFE]);
        assert_eq!(sized(127), [0x40, 0x7F], "seven ones mean that the length is unknown");
        assert_eq!(sized(0x3FFE), [0x7F, 0xFE]);
        assert_eq!(sized(0x3FFF), [0x20, 0x3F, 0xFF]);
        assert_eq!(sized(1 << 50)[0], 0x01, "eight bytes");
        assert_eq!(long_size(5), [1, 0, 0, 0, 0, 0, 0, 5]);
        let mut out = Vec::new();
        number(&mut out, 0x42F7, 0);
        number(&mut out, 0xD7, 0x0102);
        assert_eq!(out, [0x42, 0xF7, 0x81, 0, 0xD7, 0x82, 1, 2]);
    }
}
