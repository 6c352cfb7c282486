//! Reads as much of Matroska as a recording contains. Any contradiction in the file fails the test.

use std::collections::BTreeSet;

/// The content of a file.
#[derive(Debug, Default)]
pub struct Recording {
    /// Each frame's time in tenths of a millisecond, and its bytes.
    pub frames: Vec<(u64, Vec<u8>)>,
    /// The file's duration in the same unit.
    pub duration: u64,
    pub codec: String,
    pub size: (u64, u64),
    pub title: String,
    /// Where a player can seek to: a time, and the time of the cluster there.
    pub cues: Vec<(u64, u64)>,
    /// Whether every length is known and right.
    pub is_closed: bool,
    /// Bytes after the last whole element.
    pub rest: usize,
}

const MASTERS: [u64; 11] = [
    0x1A45_DFA3,
    0x1853_8067,
    0x114D_9B74,
    0x1549_A966,
    0x1654_AE6B,
    0xAE,
    0xE0,
    0x1F43_B675,
    0x1C53_BB6B,
    0xBB,
    0xB7,
];

/// Reads a file, or the part of one that was cut off.
#[track_caller]
pub fn read(file: &[u8]) -> Recording {
    let mut recording = Recording { is_closed: true, ..Recording::default() };
    let mut boundaries = BTreeSet::from([file.len()]);
    let mut ends = Vec::new();
    let (mut at, mut segment, mut cluster_at) = (0, 0, 0);
    let (mut cluster, mut cue_time) = (None, 0);
    // The position and time of each cluster.
    let mut clusters = Vec::new();
    let mut cues = Vec::new();
    while let Some((id, len, content)) = head(file, at) {
        boundaries.insert(at);
        let is_master = MASTERS.contains(&id);
        match (is_master, len) {
            (true, Some(len)) => ends.push(content + len),
            (true, None) => recording.is_closed = false,
            (false, None) => panic!("{id:X} has no length"),
            (false, Some(len)) if content + len > file.len() => break,
            (false, Some(_)) => {}
        }
        if is_master {
            match id {
                0x1853_8067 => segment = content,
                0x1F43_B675 => (cluster, cluster_at) = (None, at),
                _ => {}
            }
            at = content;
            continue;
        }
        let bytes = &file[content..content + len.expect("checked above")];
        match id {
            0x002A_D7B1 => assert_eq!(number(bytes), 100_000, "tenths of a millisecond"),
            0x4489 => {
                let duration = f64::from_be_bytes(bytes.try_into().expect("eight bytes"));
                recording.duration = format!("{duration:.0}").parse().expect("not negative");
            }
            0x7BA9 => recording.title = String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            0x86 => recording.codec = String::from_utf8(bytes.to_vec()).expect("ASCII"),
            0xB0 => recording.size.0 = number(bytes),
            0xBA => recording.size.1 = number(bytes),
            0xE7 => {
                cluster = Some(number(bytes));
                clusters.push((cluster_at - segment, number(bytes)));
            }
            0xA3 => {
                let [0x81, high, low, 0x80, payload @ ..] = bytes else {
                    panic!("no block: {bytes:?}")
                };
                let from = u64::from(u16::from_be_bytes([*high, *low]));
                assert!(from < 1 << 15, "before its cluster");
                recording
                    .frames
                    .push((cluster.expect("a cluster's time") + from, payload.to_vec()));
            }
            0xB3 => cue_time = number(bytes),
            0xF1 => cues.push((cue_time, usize::try_from(number(bytes)).expect("small"))),
            _ => {}
        }
        at = content + bytes.len();
    }
    recording.rest = file.len() - at;
    let is_cut = ends.iter().any(|end| !boundaries.contains(end));
    recording.is_closed &= !is_cut && recording.rest == 0;
    let time_at = |place| clusters.iter().find(|(at, _)| *at == place).map(|(_, time)| *time);
    recording.cues =
        cues.iter().map(|&(time, at)| (time, time_at(at).expect("a cluster is there"))).collect();
    recording
}

/// An element's id, its length if known, and the position of its content. `None` if it is cut off.
fn head(file: &[u8], at: usize) -> Option<(u64, Option<usize>, usize)> {
    let (id, size_at, _) = vint(file, at)?;
    let (size, content, is_unknown) = vint(file, size_at)?;
    let bits = 7 * (content - size_at);
    let len = usize::try_from(size & ((1 << bits) - 1)).expect("64 bits");
    Some((id, (!is_unknown).then_some(len), content))
}

/// A number with its length marker, the position after it, and whether all its bits are ones.
fn vint(file: &[u8], at: usize) -> Option<(u64, usize, bool)> {
    let bytes = usize::try_from(file.get(at)?.leading_zeros()).expect("few") + 1;
    let whole = number(file.get(at..at + bytes)?);
    Some((whole, at + bytes, whole.count_ones() == u32::try_from(7 * bytes).expect("few") + 1))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
