//! The tutorial's wire: it reads what Python and numpy write, writes the same as they do, and refuses
//! everything else.
//!
//! tests/data/pickle/make.py makes the pickles. refused.txt tells why each bad one is refused.

use lancam::image::pixels::Size;
use lancam::wire::FirstBytes;
use lancam::wire::pickle::decoder::Decoder;
use lancam::wire::pickle::head::{PickleHead, TAIL};
use lancam::wire::pickle::{BgrArray, MAX_PICKLE, PickleError};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

#[test]
fn what_numpy_writes_is_read_in_every_protocol() {
    let mut read = 0;
    for (name, pickle) in pickles() {
        if name.contains("refused") {
            continue;
        }
        let size = if name.contains("wide") { Size::new(300, 2) } else { Size::new(3, 4) };
        let mut scratch = Vec::new();
        let array = BgrArray::parse(&pickle, &mut scratch);
        assert_eq!(array, Ok(BgrArray { size, pixels: &picture(size) }), "{name}");
        // Only protocol 2 has no bytes that could be borrowed.
        assert_eq!(scratch.is_empty(), !name.contains("protocol2"), "{name}");
        read += 1;
    }
    assert_eq!(
        read,
        2 * (4 * 7 + 1) + 1,
        "two generations, four protocols, seven ways; three more"
    );
}

#[test]
fn everything_else_is_refused_by_name_and_nothing_runs() {
    let expected = fs::read_to_string(data().join("refused.txt")).expect("refused.txt");
    let found: String = pickles()
        .into_iter()
        .filter(|(name, _)| name.contains("refused"))
        .map(|(name, pickle)| {
            let error = BgrArray::parse(&pickle, &mut Vec::new()).expect_err(&name);
            format!("{name}: {error}\n")
        })
        .collect();
    assert_eq!(found, expected, "what is refused now, and what refused.txt says");
    let trace = "lancam-was-here"; // What the worst of them would make.
    assert!(!PathBuf::from(trace).exists() && !data().join(trace).exists());
}

#[test]
fn pickles_from_before_numpy_1_19_have_numbers_for_truth_values() {
    let pickle = &written(Size::new(3, 4))[8..];
    let with_numbers: Vec<u8> = replace(pickle, b"\x89\x88\x87R", b"K\x00K\x01\x87R");
    let array = BgrArray::parse(&with_numbers, &mut Vec::new()).map(|array| array.size);
    assert_eq!(array, Ok(Size::new(3, 4)));
}

#[test]
fn what_we_write_is_what_numpy_1_writes_without_its_memo() {
    let python = fs::read(data().join("numpy1/optimised-wide-protocol3.pkl")).expect("it is there");
    let written = written(Size::new(300, 2));
    let len = u64::try_from(python.len()).expect("it is short");
    assert_eq!(written[..8], len.to_le_bytes(), "the length before the pickle");
    assert_eq!(written[8..], python);
}

#[test]
fn pickles_are_cut_out_of_the_stream_in_any_chopping() {
    let sizes = [Size::new(3, 4), Size::new(300, 2), Size::new(1, 1)];
    let stream: Vec<u8> = sizes.into_iter().flat_map(written).collect();
    for piece_len in 1..=stream.len() {
        let mut decoder = Decoder::new(MAX_PICKLE);
        let mut seen = Vec::new();
        for mut piece in stream.chunks(piece_len) {
            while !piece.is_empty() {
                let space = decoder.space();
                let count = piece.len().min(space.len());
                space[..count].copy_from_slice(&piece[..count]);
                decoder.filled(count);
                piece = &piece[count..];
                while let Some(pickle) = decoder.next_pickle().expect("lengths are right") {
                    let array = BgrArray::parse(pickle, &mut Vec::new()).map(|array| array.size);
                    seen.push(array.expect("it is a picture"));
                }
            }
        }
        assert_eq!(seen, sizes, "pieces of {piece_len}");
        assert!(!decoder.is_inside_a_pickle());
    }
}

#[test]
fn a_stranger_taken_for_a_length_is_refused_before_memory_is_set_aside() {
    let mut decoder = Decoder::new(MAX_PICKLE);
    decoder.space()[..8].copy_from_slice(b"HTTP/1.1");
    decoder.filled(8);
    let error = decoder.next_pickle().expect_err("no length");
    let first = FirstBytes(b"HTTP/1.1".to_vec());
    let len = u64::from_le_bytes(*b"HTTP/1.1");
    assert_eq!(error, PickleError::TooLong { len, max: MAX_PICKLE, first });
    assert!(decoder.space().len() < 16 << 10);
}

#[test]
fn memory_follows_what_arrives_and_not_what_the_length_claims() {
    let mut decoder = Decoder::new(MAX_PICKLE);
    decoder.space()[..8].copy_from_slice(&MAX_PICKLE.to_le_bytes());
    decoder.filled(20);
    assert_eq!(decoder.next_pickle(), Ok(None));
    assert!(decoder.space().len() < 16 << 10, "20 bytes arrived");
}

#[test]
fn a_pickle_cut_anywhere_is_refused() {
    for (name, pickle) in pickles() {
        for len in 0..pickle.len() {
            let cut = BgrArray::parse(&pickle[..len], &mut Vec::new()).map(|array| array.size);
            // In this file, bytes follow the end of a good pickle, and these may be cut off.
            assert!(cut.is_err() || name == "refused/trailing", "{name} cut to {len}: {cut:?}");
        }
    }
}

proptest! {
    #[test]
    fn what_we_write_we_read(width in 1_usize..600, height in 1_usize..300) {
        let size = Size::new(width, height);
        let bytes = written(size);
        let mut scratch = Vec::new();
        let array = BgrArray::parse(&bytes[8..], &mut scratch);
        prop_assert_eq!(array, Ok(BgrArray { size, pixels: &picture(size) }));
    }

    #[test]
    fn damaged_pickles_never_panic_and_never_give_a_wrong_number_of_pixels(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let pickles = pickles();
        let (_, mut pickle) = pickles[which.index(pickles.len())].clone();
        for (at, byte) in damages {
            if !pickle.is_empty() {
                let at = at.index(pickle.len());
                pickle[at] = byte;
            }
        }
        if let Ok(array) = BgrArray::parse(&pickle, &mut Vec::new()) {
            prop_assert_eq!(array.pixels.len(), 3 * array.size.area());
        }
    }
}

/// The picture that make.py makes.
fn picture(size: Size) -> Vec<u8> {
    let byte = |number: usize| number.to_le_bytes()[0];
    let pixel = |row: usize, column: usize| {
        [byte(row), byte(column), byte(255_usize.wrapping_sub(row + column))]
    };
    let rows = 0..size.height;
    rows.flat_map(|row| (0..size.width).flat_map(move |column| pixel(row, column))).collect()
}

/// The bytes that a session sends.
fn written(size: Size) -> Vec<u8> {
    [PickleHead::new(size).as_bytes(), &picture(size), TAIL].concat()
}

/// The name and the bytes of every pickle, in order.
fn pickles() -> Vec<(String, Vec<u8>)> {
    let mut pickles = BTreeMap::new();
    for folder in ["numpy1", "numpy2", "refused"] {
        for entry in fs::read_dir(data().join(folder)).expect("a folder of pickles") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            pickles.insert(format!("{folder}/{name}"), fs::read(&path).expect("a pickle"));
        }
    }
    pickles.into_iter().collect()
}

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/pickle")
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
