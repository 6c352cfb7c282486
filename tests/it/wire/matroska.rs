//! Files of any frames at any times, cut off anywhere: everything that was written completely can be read.

use crate::tools::allocations;
use crate::tools::matroska_reader::{Recording, read};
use lancam::image::pixels::Size;
use lancam::wire::matroska::{Muxer, Patch, Track};
use lancam::wire::packet::Codec;
use proptest::prelude::*;
use std::time::Duration;

const TRACK: Track<'_> = Track {
    codec: Codec::Jpeg,
    size: Size::new(640, 360),
    camera: "cam",
    began: Some(Duration::from_secs(1_790_000_000)),
    interval: None,
};

/// A file as it grows on a disk.
struct File {
    bytes: Vec<u8>,
    muxer: Muxer,
}

impl File {
    fn begin() -> Self {
        let mut bytes = Vec::new();
        let muxer = Muxer::begin(&TRACK, &mut bytes);
        Self { bytes, muxer }
    }

    /// Appends a frame. Returns where it begins.
    fn append(&mut self, at: Duration, payload: &[u8]) -> usize {
        let began = self.bytes.len();
        let place = self.muxer.frame(at, payload.len(), &mut self.bytes);
        self.bytes.extend(payload);
        let patches: Vec<_> = self.muxer.wrote(&place).collect();
        patches.iter().for_each(|patch| self.replace(patch));
        assert_eq!(u64::try_from(self.bytes.len()), Ok(self.muxer.file_len()));
        began
    }

    fn end(mut self) -> Vec<u8> {
        let mut tail = Vec::new();
        let patches: Vec<_> = self.muxer.end(&mut tail).collect();
        self.bytes.extend(tail);
        patches.iter().for_each(|patch| self.replace(patch));
        self.bytes
    }

    fn replace(&mut self, patch: &Patch) {
        let at = usize::try_from(patch.at).expect("small");
        self.bytes[at..at + patch.bytes().len()].copy_from_slice(patch.bytes());
    }
}

/// Pauses before frames, in microseconds, and lengths of frames.
fn frames() -> impl Strategy<Value = Vec<(u64, usize)>> {
    let wait = prop_oneof![Just(0), 0..100_u64, 0..100_000_u64, 0..5_000_000_u64, 0..1_u64 << 50];
    let len = prop_oneof![0..200_usize, 16_000..17_000_usize, Just(1_500_000), 0..200_usize];
    prop::collection::vec((wait, len), 1..20)
}

/// Bytes that sometimes look like elements.
fn payload(index: usize, len: usize) -> Vec<u8> {
    let mark = u8::try_from(index).expect("few");
    [0x1F, 0x43, 0xB6, 0x75, mark].into_iter().cycle().take(len).collect()
}

#[track_caller]
fn assert_holds(recording: &Recording, frames: &[(u64, usize)]) {
    assert_eq!(recording.frames.len(), frames.len());
    let (mut at, mut least) = (0, 0);
    for (index, ((time, found), &(wait, len))) in recording.frames.iter().zip(frames).enumerate() {
        at += wait;
        let expected = (at / 100).max(least);
        assert_eq!(*time, expected);
        least = expected + 1;
        assert!(*found == payload(index, len));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_at_any_length(frames in frames(), cut in 0.0..1.0_f64) {
        let mut file = File::begin();
        let mut at = 0;
        let mut ends = Vec::new();
        for (index, &(wait, len)) in frames.iter().enumerate() {
            at += wait;
            file.append(Duration::from_micros(at), &payload(index, len));
            ends.push(file.bytes.len());
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a place in the file
        let cut = (file.bytes.len() as f64 * cut) as usize;
        let whole = ends.iter().filter(|&&end| end <= cut).count();
        if cut > ends[0] {
            assert_holds(&read(&file.bytes[..cut]), &frames[..whole]);
        }
        assert_holds(&read(&file.bytes), &frames);
        let recording = read(&file.end());
        assert_holds(&recording, &frames);
        prop_assert!(recording.is_closed);
        prop_assert!(recording.cues.iter().all(|(time, cluster)| time == cluster));
        let last = recording.frames.last().expect("one at least").0;
        prop_assert!(recording.duration > last && recording.duration < last + 10_000);
        prop_assert!(!recording.cues.is_empty());
    }
}

#[test]
fn a_frame_costs_no_allocation() {
    let mut muxer = Muxer::begin(&TRACK, &mut Vec::new());
    let mut head = Vec::with_capacity(64);
    let count = allocations::count(|| {
        for second in 0..100_000 {
            head.clear();
            let place = muxer.frame(Duration::from_secs(second), 100_000, &mut head);
            muxer.wrote(&place).for_each(drop);
        }
    });
    assert_eq!(count, 0, "nor does an index of a day and more");
}
