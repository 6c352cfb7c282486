//! Records of TLS 1.3 once the handshake is over (RFC 8446, section 5): sealed and opened in place.

use crate::crypto::aead::{AeadKey, Cipher, NONCE_LEN, TAG_LEN};
use std::io::IoSlice;
use std::ops::Range;

/// The most bytes that one record carries.
pub const MOST_CONTENT: usize = 1 << 14;

/// How many bytes a record has besides what it carries: its head, the type of the content, the tag.
pub const OVERHEAD: usize = HEAD + 1 + TAG_LEN;

/// Type, version and length.
pub(super) const HEAD: usize = 5;

/// The longest record that a peer may send, without its head.
pub(super) const MOST_SEALED: usize = MOST_CONTENT + 256;

/// The type that all sealed records show to the network.
const SEALED: u8 = 23;

/// AES in Galois/Counter mode is safe for 2^24.5 full records with one key (RFC 8446, section 5.5).
const MOST_WITH_AES: u64 = 1 << 23;

/// What a record carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Alert = 21,
    Handshake = 22,
    Data = 23,
}

/// How many bytes `len` bytes become in records.
pub fn sealed_len(len: usize) -> usize {
    len.saturating_add(len.div_ceil(MOST_CONTENT) * OVERHEAD)
}

/// How many bytes `sealed` bytes of full records carry, and at most [`OVERHEAD`] more: 0 only for 0.
pub fn carried_len(sealed: usize) -> usize {
    let record = MOST_CONTENT + OVERHEAD;
    sealed / record * MOST_CONTENT + (sealed % record).min(MOST_CONTENT)
}

/// The length of the first record, with its head; `None` while that has not come.
pub(super) fn record_len(bytes: &[u8]) -> Result<Option<usize>, RecordError> {
    let Some(&[_, _, _, high, low]) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > MOST_SEALED { Err(RecordError::TooLong(len)) } else { Ok(Some(HEAD + len)) }
}

/// Several slices, read as one stream.
#[derive(Debug)]
pub struct Gather<'a> {
    parts: &'a [IoSlice<'a>],
    /// How much of the first one has been taken.
    taken: usize,
}

impl<'a> Gather<'a> {
    /// Begins with the first byte.
    pub fn new(parts: &'a [IoSlice<'a>]) -> Self {
        Self { parts, taken: 0 }
    }

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum::<usize>() - self.taken
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Leaves out `count` bytes, or all that is left.
    pub fn skip(&mut self, mut count: usize) {
        while let Some(slice) = self.next(count) {
            count -= slice.len();
        }
    }

    /// Appends `count` bytes to `into`, or all that is left.
    fn copy_to(&mut self, into: &mut Vec<u8>, mut count: usize) {
        while let Some(slice) = self.next(count) {
            count -= slice.len();
            into.extend_from_slice(slice);
        }
    }

    /// Takes the next bytes: at most `most`, and only from one slice. `None` when all were taken.
    fn next(&mut self, most: usize) -> Option<&'a [u8]> {
        while let Some((first, rest)) = self.parts.split_first() {
            let left = &first[self.taken..];
            if left.is_empty() {
                (self.parts, self.taken) = (rest, 0);
                continue;
            }
            let count = left.len().min(most);
            self.taken += count;
            return (count > 0).then(|| &left[..count]);
        }
        None
    }
}

/// A key, and the number that makes each record's nonce.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) key: AeadKey,
    pub(super) iv: [u8; NONCE_LEN],
    pub(super) cipher: Cipher,
}

impl Keys {
    /// The nonce of record number `sequence` (section 5.3).
    fn nonce(&self, sequence: u64) -> [u8; NONCE_LEN] {
        let mut nonce = self.iv;
        for (byte, with) in nonce[NONCE_LEN - 8..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= with;
        }
        nonce
    }
}

/// Keys of one direction, and the number of the next record.
#[derive(Debug)]
pub(super) struct Side {
    keys: Keys,
    sequence: u64,
}

impl Side {
    pub(super) fn new(keys: Keys, sequence: u64) -> Self {
        Self { keys, sequence }
    }

    /// Whether so many records have been sealed that the key must be replaced.
    pub(super) fn is_worn(&self) -> bool {
        self.keys.cipher != Cipher::ChaCha20Poly1305 && self.sequence >= MOST_WITH_AES
    }

    fn next_nonce(&mut self) -> Result<[u8; NONCE_LEN], RecordError> {
        let nonce = self.keys.nonce(self.sequence);
        self.sequence = self.sequence.checked_add(1).ok_or(RecordError::Exhausted)?;
        Ok(nonce)
    }

    /// Takes as much from `from` as one record carries, and appends that record to `into`.
    pub(super) fn seal(
        &mut self,
        content: Content,
        from: &mut Gather<'_>,
        into: &mut Vec<u8>,
    ) -> Result<(), RecordError> {
        let len = from.len().min(MOST_CONTENT);
        let sealed = u16::try_from(len + 1 + TAG_LEN).map_err(|_| RecordError::TooLong(len))?;
        let [high, low] = sealed.to_be_bytes();
        let head = [SEALED, 3, 3, high, low];
        let nonce = self.next_nonce()?;
        into.reserve(len + OVERHEAD);
        into.extend_from_slice(&head);
        let start = into.len();
        from.copy_to(into, len);
        into.push(content as u8);
        let tag = self.keys.key.seal(nonce, &head, &mut into[start..]);
        into.extend_from_slice(&tag.ok_or(RecordError::Exhausted)?);
        Ok(())
    }

    /// Opens one whole record in place. Returns what it carries, and where that is.
    pub(super) fn open(
        &mut self,
        record: &mut [u8],
    ) -> Result<(Content, Range<usize>), RecordError> {
        let Some((head, sealed)) = record.split_first_chunk_mut::<HEAD>() else {
            return Err(RecordError::Changed);
        };
        if head[0] != SEALED {
            return Err(RecordError::NotSealed(head[0]));
        }
        let nonce = self.next_nonce()?;
        let text = self.keys.key.open(nonce, head, sealed).ok_or(RecordError::Changed)?;
        // Zeros may follow the content and its type, to hide how long it is.
        let Some(at) = text.iter().rposition(|byte| *byte != 0) else {
            return Err(RecordError::Unknown(0));
        };
        if at > MOST_CONTENT || text.len() > MOST_CONTENT + 1 {
            return Err(RecordError::TooLong(text.len()));
        }
        let content = match text[at] {
            21 => Content::Alert,
            22 => Content::Handshake,
            23 => Content::Data,
            unknown => return Err(RecordError::Unknown(unknown)),
        };
        Ok((content, HEAD..HEAD + at))
    }
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is longer than TLS allows.
    #[error("sent a TLS record of {0} bytes, and TLS allows {MOST_SEALED}")]
    TooLong(usize),
    /// It is not encrypted.
    #[error("sent a TLS record of type {0} that is not encrypted")]
    NotSealed(u8),
    /// It does not open.
    #[error("sent a TLS record that was changed on its way, or encrypted with another key")]
    Changed,
    /// It carries what TLS does not know.
    #[error("sent a TLS record that carries the unknown type {0}")]
    Unknown(u8),
    /// There are no numbers left for more records.
    #[error("this TLS connection has sent all the records that it may")]
    Exhausted,
}

impl RecordError {
    /// The number by which TLS tells the peer (section 6).
    pub(super) fn alert(self) -> u8 {
        match self {
            Self::TooLong(_) => 22,
            Self::NotSealed(_) | Self::Unknown(_) => 10,
            Self::Changed => 20,
            Self::Exhausted => 80,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(cipher: Cipher, key: &[u8], iv: [u8; NONCE_LEN]) -> Side {
        let key = AeadKey::new(cipher, key).expect("the right length");
        Side::new(Keys { key, iv, cipher }, 0)
    }

    fn pair() -> (Side, Side) {
        let one = || side(Cipher::ChaCha20Poly1305, &[7; 32], [9; NONCE_LEN]);
        (one(), one())
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16);
        digits.chunks(2).map(|pair| byte(pair).expect("a byte")).collect()
    }

    #[test]
    fn a_record_is_as_the_standard_shows_it() {
        // RFC 8448, section 3: the client's application data.
        let key = bytes("17 42 2d da 59 6e d5 d9 ac d8 90 e3 c6 3f 50 51");
        let iv = bytes("5b 78 92 3d ee 08 57 90 33 e5 23 d9").try_into().expect("12 bytes");
        let expected = bytes(
            "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa
             66 bc ab 3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2
             97 70 14 bd 1e 3d ea e6 3a ee bb 21 69 49 15 e4",
        );
        let text: Vec<u8> = (0..50).collect();
        let mut sealed = Vec::new();
        let parts = [IoSlice::new(&text)];
        let mut sealer = side(Cipher::Aes128Gcm, &key, iv);
        sealer.seal(Content::Data, &mut Gather::new(&parts), &mut sealed).expect("seals");
        assert_eq!(sealed, expected);
        let opened = side(Cipher::Aes128Gcm, &key, iv).open(&mut sealed).expect("opens");
        assert_eq!((opened.0, &sealed[opened.1]), (Content::Data, &text[..]));
    }

    #[test]
    fn slices_become_records_wherever_they_are_cut() {
        let text: Vec<u8> = (0..=255_u8).cycle().take(3 * MOST_CONTENT + 5).collect();
        for cuts in [[0, 0], [1, 2], [MOST_CONTENT, MOST_CONTENT], [100, 40_000]] {
            let parts = [&text[..cuts[0]], &text[cuts[0]..cuts[1]], &text[cuts[1]..], &[]];
            let parts = parts.map(IoSlice::new);
            let (mut sealer, mut opener) = pair();
            let (mut sealed, mut from) = (Vec::new(), Gather::new(&parts));
            assert_eq!(from.len(), text.len());
            while !from.is_empty() {
                sealer.seal(Content::Data, &mut from, &mut sealed).expect("seals");
            }
            assert_eq!(sealed.len(), sealed_len(text.len()));
            let (mut opened, mut rest) = (Vec::new(), &mut sealed[..]);
            while let Some(len) = record_len(rest).expect("records") {
                let (record, next) = rest.split_at_mut(len);
                let (_, at) = opener.open(record).expect("opens");
                opened.extend_from_slice(&record[at]);
                rest = next;
            }
            assert!(opened == text);
        }
    }

    #[test]
    fn what_is_skipped_is_left_out() {
        let parts = [&b"ab"[..], b"", b"cde"].map(IoSlice::new);
        let mut from = Gather::new(&parts);
        from.skip(3);
        let mut left = Vec::new();
        from.copy_to(&mut left, 1);
        assert_eq!((from.len(), &left[..]), (1, &b"d"[..]));
        from.skip(9);
        assert!(from.is_empty());
    }

    #[test]
    fn a_record_that_is_repeated_left_out_or_changed_does_not_open() {
        let (mut sealer, _) = pair();
        let mut sealed = Vec::new();
        let parts = [IoSlice::new(b"one")];
        sealer.seal(Content::Data, &mut Gather::new(&parts), &mut sealed).expect("seals");
        let first = sealed.len();
        sealer.seal(Content::Data, &mut Gather::new(&parts), &mut sealed).expect("seals");
        let (one, two) = sealed.split_at(first);
        let opened = |records: &[&[u8]]| {
            let (_, mut opener) = pair();
            let mut last = Ok((Content::Data, 0..0));
            for record in records {
                last = opener.open(&mut record.to_vec());
            }
            last.map(|(content, _)| content)
        };
        assert_eq!(opened(&[one, two]), Ok(Content::Data));
        assert_eq!(opened(&[one, one]), Err(RecordError::Changed), "repeated");
        assert_eq!(opened(&[two]), Err(RecordError::Changed), "left out");
        for at in 1..one.len() {
            let mut changed = one.to_vec();
            changed[at] ^= 1;
            assert_eq!(opened(&[&changed]), Err(RecordError::Changed), "changed at {at}");
        }
        assert_eq!(opened(&[&[21, 3, 3, 0, 2, 2, 40]]), Err(RecordError::NotSealed(21)));
        assert_eq!(opened(&[&[]]), Err(RecordError::Changed));
    }

    #[test]
    fn padding_is_taken_off_and_what_is_only_padding_is_refused() {
        let seal = |text: &[u8]| {
            let (side, _) = pair();
            let [high, low] = u16::try_from(text.len() + TAG_LEN).expect("short").to_be_bytes();
            let head = [SEALED, 3, 3, high, low];
            let mut sealed = text.to_vec();
            let tag = side.keys.key.seal(side.keys.nonce(0), &head, &mut sealed).expect("seals");
            [&head[..], &sealed, &tag].concat()
        };
        let opened = |text: &[u8]| pair().1.open(&mut seal(text));
        assert_eq!(opened(b"ab\x17\0\0\0"), Ok((Content::Data, HEAD..HEAD + 2)));
        assert_eq!(opened(b"\x17"), Ok((Content::Data, HEAD..HEAD)));
        assert_eq!(opened(b"\0\0"), Err(RecordError::Unknown(0)));
        assert_eq!(opened(b"ab\x14"), Err(RecordError::Unknown(20)));
        assert!(opened(&[&[1; MOST_CONTENT][..], &[23]].concat()).is_ok());
        let longer = [&[1; MOST_CONTENT + 1][..], &[23]].concat();
        assert_eq!(opened(&longer), Err(RecordError::TooLong(MOST_CONTENT + 2)));
        let padded = [&[1; MOST_CONTENT][..], &[23, 0]].concat();
        assert_eq!(opened(&padded), Err(RecordError::TooLong(MOST_CONTENT + 2)));
    }

    #[test]
    fn a_length_that_tls_does_not_allow_is_refused_before_it_comes() {
        assert_eq!(record_len(&[23, 3, 3, 0]), Ok(None));
        assert_eq!(record_len(&[23, 3, 3, 0x41, 0]), Ok(Some(HEAD + MOST_SEALED)));
        assert_eq!(record_len(&[23, 3, 3, 0x41, 1]), Err(RecordError::TooLong(MOST_SEALED + 1)));
    }

    #[test]
    fn lengths_go_there_and_back() {
        assert_eq!((sealed_len(0), carried_len(0)), (0, 0));
        assert_eq!(sealed_len(1), 1 + OVERHEAD);
        for len in [1, 100, MOST_CONTENT, MOST_CONTENT + 1, 120_000, 16 << 20] {
            let back = carried_len(sealed_len(len));
            assert!((len..=len + OVERHEAD).contains(&back), "{len}: {back}");
            assert!(carried_len(sealed_len(len) - 1) <= back);
        }
    }

    #[test]
    fn a_key_of_aes_wears_out_and_one_of_chacha_does_not() {
        let (mut chacha, _) = pair();
        let mut aes = side(Cipher::Aes128Gcm, &[7; 16], [9; NONCE_LEN]);
        (chacha.sequence, aes.sequence) = (MOST_WITH_AES - 1, MOST_WITH_AES - 1);
        assert!(!chacha.is_worn() && !aes.is_worn());
        (chacha.sequence, aes.sequence) = (MOST_WITH_AES, MOST_WITH_AES);
        assert!(!chacha.is_worn() && aes.is_worn());
        aes.sequence = u64::MAX;
        assert_eq!(aes.next_nonce(), Err(RecordError::Exhausted), "no nonce is used twice");
    }
}
