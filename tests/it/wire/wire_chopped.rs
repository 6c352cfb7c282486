//! The native protocol cut into pieces anywhere: what is read is always the same.

use crate::wire::wire_bytes::GOLDEN;
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::decoder::Decoder;
use proptest::prelude::*;

/// All golden messages, with messages of unknown kinds between them.
fn stream() -> Vec<u8> {
    let mut stream = Vec::new();
    for (golden, kind) in GOLDEN.iter().zip([0, 11, 63, 127, 255].into_iter().cycle()) {
        stream.extend_from_slice(golden.bytes);
        // The version, kind, flags and payload of a later version. The payload looks like a header.
        stream.extend_from_slice(&[b'L', b'C', b'A', b'M', 9, kind, 0xFF, 0xFF, 12, 0, 0, 0]);
        stream.extend_from_slice(b"LCAM\x01\x42\0\0\xFF\xFF\xFF\xFF");
    }
    stream
}

/// The messages that a decoder reads from `pieces`, as text, because they would borrow its buffer.
fn messages<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut decoder = Decoder::new(MAX_PAYLOAD);
    let mut messages = Vec::new();
    for mut piece in pieces {
        while !piece.is_empty() {
            let space = decoder.space();
            let count = piece.len().min(space.len());
            space[..count].copy_from_slice(&piece[..count]);
            decoder.filled(count);
            piece = &piece[count..];
            while let Some(message) = decoder.next_message().expect("golden bytes") {
                messages.push(format!("{message:?}"));
            }
        }
    }
    assert!(!decoder.is_inside_a_message(), "the stream ends with a whole message");
    messages
}

fn golden_messages() -> Vec<String> {
    GOLDEN.iter().map(|golden| format!("{:?}", golden.message)).collect()
}

#[test]
fn every_split_point_gives_the_same_messages() {
    let stream = stream();
    for at in 0..=stream.len() {
        let (before, after) = stream.split_at(at);
        assert_eq!(messages([before, after]), golden_messages(), "split at {at}");
    }
}

#[test]
fn every_size_of_pieces_gives_the_same_messages() {
    let stream = stream();
    for size in 1..=stream.len() {
        assert_eq!(messages(stream.chunks(size)), golden_messages(), "pieces of {size}");
    }
}

#[test]
fn a_message_larger_than_the_first_room_arrives_whole() {
    let picture: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let mut stream = b"LCAM\x01\x42\0\0".to_vec();
    stream.extend(u32::try_from(24 + picture.len()).expect("short").to_le_bytes());
    stream.extend([0; 16]); // sequence and time
    stream.extend([1, 0, 1, 0, 1, 0, 0, 0]); // 1x1, JPEG
    stream.extend(&picture);
    let stream = stream.repeat(3);
    for size in [1, 1000, 4096, 65_536, stream.len()] {
        let messages = messages(stream.chunks(size));
        assert_eq!(messages.len(), 3, "pieces of {size}");
        assert!(messages[2].ends_with(&format!("payload: {picture:?} }}")), "pieces of {size}");
    }
}

proptest! {
    #[test]
    fn any_chopping_gives_the_same_messages(sizes in prop::collection::vec(1_usize..200, 1..60)) {
        let stream = stream();
        let mut rest = stream.as_slice();
        let mut pieces = Vec::new();
        for size in sizes.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(messages(pieces), golden_messages());
    }

    #[test]
    fn bytes_of_a_stranger_never_panic(
        head in prop::sample::select(vec![&b"LCAM\x01"[..], b"LCAM", b"LC", b""]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut decoder = Decoder::new(300);
        for piece in [head, &bytes] {
            decoder.space()[..piece.len()].copy_from_slice(piece);
            decoder.filled(piece.len());
            while let Ok(Some(_)) = decoder.next_message() {}
        }
    }
}
