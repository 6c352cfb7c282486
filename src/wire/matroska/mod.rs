//! Makes Matroska files (RFC 9559) with one video track of independent frames.
//!
//! It only makes bytes; the caller writes them. A file is valid after each frame, up to where its
//! writer got. A cluster has an unknown length until the next one begins, and the duration is
//! updated with every frame. What is appended at the end only makes seeking fast.

mod ebml;

use super::packet::Codec;
use crate::image::pixels::Size;
use ebml::{count, element, long_size, master, number};
use std::time::Duration;

/// What a file says about its frames.
#[derive(Debug, Clone, Copy)]
pub struct Track<'a> {
    /// Their encoding.
    pub codec: Codec,
    /// Their size, which is the same for all.
    pub size: Size,
    /// The name of the camera.
    pub camera: &'a str,
    /// When the first frame was captured, since 1970.
    pub began: Option<Duration>,
    /// The usual time between frames, if known. Players use each frame's own time; programs that
    /// convert to a fixed rate use this.
    pub interval: Option<Duration>,
}

/// Bytes that replace others earlier in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patch {
    /// The place, from the start of the file.
    pub at: u64,
    bytes: [u8; SEEK_LEN],
    len: usize,
}

/// The place of a frame in the file, as [`Muxer::frame`] returns it for [`Muxer::wrote`].
#[derive(Debug, Clone, Copy)]
pub struct Place {
    ticks: u64,
    cluster: Option<u64>,
    end: u64,
}

/// The state of a growing file.
#[derive(Debug)]
pub struct Muxer {
    /// The number of bytes so far.
    len: u64,
    /// The start of the segment's content, from which all offsets in the file are counted.
    segment: u64,
    /// The place of the duration.
    duration: u64,
    /// The place of the seek entry for the cues.
    cues_seek: u64,
    cluster: Option<Cluster>,
    cues: Cues,
    last: Option<u64>,
    /// How long the last frame is taken to be shown, in ticks.
    interval: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cluster {
    at: u64,
    ticks: u64,
}

/// A tick, the unit of time in the file: a tenth of a millisecond. Readers accept any unit. The
/// time of a frame relative to its cluster has 16 bits with sign, which is three seconds in this
/// unit.
const TICK_MICROS: u16 = 100;

/// The length of a cluster: one second. A player can jump to its start, and has to read over the
/// rest.
const CLUSTER_TICKS: u64 = 10_000;

/// The greatest length of a cluster. The specification recommends no more than 5 MB.
const CLUSTER_BYTES: u64 = 4 << 20;

/// How long a single frame is taken to be shown: 25 frames per second.
const FIRST_INTERVAL: u64 = 400;

/// From 1970 to 2001, where Matroska's calendar begins.
const EPOCH: Duration = Duration::from_secs(978_307_200);

const CLUSTER: u32 = 0x1F43_B675;
const CUES: u32 = 0x1C53_BB6B;
const INFO: u32 = 0x1549_A966;
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_AE6B;

/// An identifier and a length in eight bytes.
const MOST_OF_A_HEAD: u64 = 4 + 8;

/// The head of a cluster and its time, the head of a block and its first fields.
const MOST_BEFORE_A_FRAME: u64 = MOST_OF_A_HEAD + 10 + 9 + 4;

/// The head of a cue and its time, and a position with its head, its track and its place.
const MOST_OF_A_CUE: u64 = 9 + 10 + 9 + 3 + 10;

/// The number of the only track.
const TRACK_NUMBER: u64 = 1;

/// The length of a seek entry with an offset of eight bytes.
const SEEK_LEN: usize = 21;

impl Patch {
    fn new<const N: usize>(at: u64, content: [u8; N]) -> Self {
        let mut bytes = [0; SEEK_LEN];
        bytes[..N].copy_from_slice(&content);
        Self { at, bytes, len: N }
    }

    /// The new bytes at that place.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Muxer {
    /// Appends the beginning of a file to `head`.
    pub fn begin(track: &Track<'_>, head: &mut Vec<u8>) -> Self {
        let start = head.len();
        let interval = track.interval.map_or(FIRST_INTERVAL, ticks).max(1);
        let place = |out: &Vec<u8>| count(out.len() - start);
        master(head, 0x1A45_DFA3, |out| {
            number(out, 0x4286, 1); // the version of EBML, and the one to read it
            number(out, 0x42F7, 1);
            number(out, 0x42F2, 4); // the longest identifier, the longest length
            number(out, 0x42F3, 8);
            element(out, 0x4282, b"matroska");
            number(out, 0x4287, 4); // the version of Matroska, and the one to read it
            number(out, 0x4285, 2);
        });
        ebml::id(head, SEGMENT);
        head.extend(ebml::UNKNOWN);
        let segment = place(head);
        ebml::id(head, 0x114D_9B74);
        ebml::size(head, count(3 * SEEK_LEN));
        let seeks = head.len();
        head.resize(seeks + 3 * SEEK_LEN, 0);
        let info = place(head) - segment;
        let mut duration = 0;
        master(head, INFO, |out| {
            number(out, 0x002A_D7B1, u64::from(TICK_MICROS) * 1000);
            element(out, 0x4489, &duration_bytes(interval));
            duration = place(out) - 8;
            if let Some(date) = track.began.and_then(|began| began.checked_sub(EPOCH)) {
                let nanos = u64::try_from(date.as_nanos()).unwrap_or(u64::MAX);
                element(out, 0x4461, &nanos.to_be_bytes());
            }
            element(out, 0x7BA9, track.camera.as_bytes());
            for program in [0x4D80, 0x5741] {
                element(out, program, concat!("lancam ", env!("CARGO_PKG_VERSION")).as_bytes());
            }
        });
        let tracks = place(head) - segment;
        master(head, TRACKS, |out| describe(track, out));
        for (index, entry) in [seek(INFO, info), seek(TRACKS, tracks), VOID].iter().enumerate() {
            head[seeks + index * SEEK_LEN..][..SEEK_LEN].copy_from_slice(entry);
        }
        Self {
            len: place(head),
            segment,
            duration,
            cues_seek: count(seeks - start + 2 * SEEK_LEN),
            cluster: None,
            cues: Cues::default(),
            last: None,
            interval,
        }
    }

    /// Appends to `head` what comes in the file before a frame of `len` bytes, which was captured
    /// `at` this time after the first one. The state changes only with [`wrote`](Self::wrote).
    ///
    /// A frame is at least one tick later than the one before.
    pub fn frame(&self, at: Duration, len: usize, head: &mut Vec<u8>) -> Place {
        let start = head.len();
        let ticks = self.last.map_or(ticks(at), |last| ticks(at).max(last + 1));
        let going_on = self.cluster.filter(|cluster| {
            ticks - cluster.ticks < CLUSTER_TICKS && self.len - cluster.at < CLUSTER_BYTES
        });
        if going_on.is_none() {
            ebml::id(head, CLUSTER);
            head.extend(ebml::UNKNOWN);
            number(head, 0xE7, ticks);
        }
        let from_cluster = ticks - going_on.map_or(ticks, |cluster| cluster.ticks);
        let from_cluster = u16::try_from(from_cluster).unwrap_or(u16::MAX); // it is less than CLUSTER_TICKS
        ebml::id(head, 0xA3);
        ebml::size(head, 4 + count(len));
        let [high, low] = from_cluster.to_be_bytes();
        // The track number, the relative time, and the keyframe flag.
        head.extend([0x81, high, low, 0x80]);
        Place {
            ticks,
            cluster: going_on.is_none().then_some(self.len),
            end: self.len + count(head.len() - start + len),
        }
    }

    /// Notes that a frame was written. Returns the patches that make the file valid.
    pub fn wrote(&mut self, place: &Place) -> impl Iterator<Item = Patch> + use<> {
        let closed = match place.cluster {
            Some(at) => {
                let closed = self.close_cluster();
                self.cluster = Some(Cluster { at, ticks: place.ticks });
                self.cues.add(Cue { ticks: place.ticks, at: at - self.segment });
                closed
            }
            None => None,
        };
        self.len = place.end;
        if let Some(interval) = self.last.map(|last| place.ticks - last)
            && interval < CLUSTER_TICKS
        {
            self.interval = interval;
        }
        self.last = Some(place.ticks);
        closed.into_iter().chain([self.duration_patch()])
    }

    /// Appends the end of a file to `tail`. Returns the patches to apply once it is written. If it
    /// cannot be written, apply [`patches_without_tail`](Self::patches_without_tail) instead.
    pub fn end(&self, tail: &mut Vec<u8>) -> impl Iterator<Item = Patch> + use<> {
        let start = tail.len();
        master(tail, CUES, |out| self.cues.write_to(out));
        let end = self.len + count(tail.len() - start);
        let seek = Patch::new(self.cues_seek, seek(CUES, self.len - self.segment));
        [Some(seek), self.segment_patch(end), self.close_cluster()].into_iter().flatten()
    }

    /// The patches to apply if there was no room for the end.
    pub fn patches_without_tail(&self) -> impl Iterator<Item = Patch> + use<> {
        [self.segment_patch(self.len), self.close_cluster()].into_iter().flatten()
    }

    /// The length of everything that was written.
    pub fn file_len(&self) -> u64 {
        self.len
    }

    /// The greatest length of the file if it ends after one more frame of `payload` bytes.
    pub fn len_with(&self, payload: usize) -> u64 {
        let cues = count(self.cues.cues.len()) + 1;
        let frame = MOST_BEFORE_A_FRAME + count(payload);
        self.len.saturating_add(frame).saturating_add(MOST_OF_A_HEAD + cues * MOST_OF_A_CUE)
    }

    /// The time from the first frame to the end of the last one.
    pub fn duration(&self) -> Duration {
        let ticks = self.last.map_or(0, |last| last + self.interval);
        Duration::from_micros(ticks.saturating_mul(TICK_MICROS.into()))
    }

    fn close_cluster(&self) -> Option<Patch> {
        let cluster = self.cluster?;
        let content = cluster.at + 4 + count(ebml::UNKNOWN.len());
        Some(Patch::new(cluster.at + 4, long_size(self.len - content)))
    }

    fn segment_patch(&self, end: u64) -> Option<Patch> {
        let size = count(ebml::UNKNOWN.len());
        Some(Patch::new(self.segment - size, long_size(end - self.segment)))
    }

    fn duration_patch(&self) -> Patch {
        let ticks = self.last.map_or(0, |last| last + self.interval);
        Patch::new(self.duration, duration_bytes(ticks))
    }
}

/// A time in ticks, limited to what a f64 represents exactly.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_micros() / u128::from(TICK_MICROS)).unwrap_or(u64::MAX).min(1 << 53)
}

fn describe(track: &Track<'_>, out: &mut Vec<u8>) {
    master(out, 0xAE, |out| {
        number(out, 0xD7, TRACK_NUMBER);
        number(out, 0x73C5, 1); // an identifier of its own
        number(out, 0x83, 1); // video
        number(out, 0x9C, 0); // one frame in a block
        if let Some(interval) = track.interval {
            number(out, 0x0023_E383, u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX).max(1));
        }
        element(out, 0x0022_B59C, b"und"); // in no language
        match track.codec {
            Codec::Jpeg => element(out, 0x86, b"V_MJPEG"),
            Codec::Bgr24 => element(out, 0x86, b"V_UNCOMPRESSED"),
        }
        master(out, 0xE0, |out| {
            number(out, 0x9A, 2); // not interlaced
            number(out, 0xB0, count(track.size.width));
            number(out, 0xBA, count(track.size.height));
            if track.codec == Codec::Bgr24 {
                element(out, 0x002E_B524, b"BGR\x18");
            }
        });
    });
}

/// The duration as a float, in big-endian bytes.
fn duration_bytes(ticks: u64) -> [u8; 8] {
    (ticks as f64).to_be_bytes()
}

/// A seek entry: the place of an element, at the start of the file.
fn seek(id: u32, at: u64) -> [u8; SEEK_LEN] {
    let mut out = [0; SEEK_LEN];
    out[..6].copy_from_slice(&[0x4D, 0xBB, 0x92, 0x53, 0xAB, 0x84]);
    out[6..10].copy_from_slice(&id.to_be_bytes());
    out[10..13].copy_from_slice(&[0x53, 0xAC, 0x88]);
    out[13..].copy_from_slice(&at.to_be_bytes());
    out
}

/// The placeholder for a seek entry.
const VOID: [u8; SEEK_LEN] = {
    let mut void = [0; SEEK_LEN];
    void[0] = 0xEC;
    void[1] = 0x93; // what is left of them
    void
};

/// A place to which a player can jump.
#[derive(Debug, Clone, Copy)]
struct Cue {
    ticks: u64,
    /// The offset of the cluster in the segment.
    at: u64,
}

/// The cues: at first one for each cluster. When there would be too many, only one for every
/// second, fourth, eighth cluster, and so on.
#[derive(Debug)]
struct Cues {
    cues: Vec<Cue>,
    /// One cluster in this many has a cue.
    every: u64,
    /// The number of clusters so far.
    clusters: u64,
}

/// Enough for four and a half hours with a cue per second; a quarter of a megabyte.
const MOST_CUES: usize = 16_384;

impl Default for Cues {
    fn default() -> Self {
        Self { cues: Vec::with_capacity(MOST_CUES), every: 1, clusters: 0 }
    }
}

impl Cues {
    fn add(&mut self, cue: Cue) {
        if self.clusters.is_multiple_of(self.every) {
            if self.cues.len() == MOST_CUES {
                self.every *= 2;
                let mut is_kept = false;
                self.cues.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
            }
            self.cues.push(cue);
        }
        self.clusters += 1;
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        for cue in &self.cues {
            master(out, 0xBB, |out| {
                number(out, 0xB3, cue.ticks);
                master(out, 0xB7, |out| {
                    number(out, 0xF7, TRACK_NUMBER);
                    number(out, 0xF1, cue.at);
                });
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACK: Track<'_> = Track {
        codec: Codec::Jpeg,
        size: Size::new(640, 360),
        camera: "Küche",
        began: None,
        interval: None,
    };

    /// A file of frames at these times in milliseconds, with all patches applied.
    fn file(times: &[u64]) -> (Vec<u8>, Muxer) {
        let mut file = Vec::new();
        let mut muxer = Muxer::begin(&TRACK, &mut file);
        let mut head = Vec::new();
        for &time in times {
            head.clear();
            let place = muxer.frame(Duration::from_millis(time), 3, &mut head);
            file.extend(&head);
            file.extend(b"abc");
            let patches: Vec<_> = muxer.wrote(&place).collect();
            patches.iter().for_each(|patch| apply(&mut file, patch));
            assert_eq!(count(file.len()), muxer.file_len());
        }
        (file, muxer)
    }

    fn apply(file: &mut [u8], patch: &Patch) {
        let at = usize::try_from(patch.at).expect("small");
        file[at..at + patch.bytes().len()].copy_from_slice(patch.bytes());
    }

    fn found(file: &[u8], what: &[u8]) -> usize {
        file.windows(what.len()).filter(|window| *window == what).count()
    }

    #[test]
    fn a_cluster_lasts_a_second_and_a_block_is_counted_from_its_beginning() {
        let (file, muxer) = file(&[0, 40, 999, 1000, 5000]);
        assert_eq!(found(&file, &CLUSTER.to_be_bytes()), 3);
        // Identifier, length, track, 40 ms in ticks, flags, content.
        assert_eq!(found(&file, b"\xA3\x87\x81\x01\x90\x80abc"), 1);
        // At the start of each cluster.
        assert_eq!(found(&file, b"\xA3\x87\x81\x00\x00\x80abc"), 3);
        let end = Duration::from_millis(5001);
        assert_eq!(
            muxer.duration(),
            end,
            "frames are 1 ms apart; the gap of 4 s is none of theirs"
        );
    }

    #[test]
    fn time_never_stands_still_nor_runs_back() {
        let (file, muxer) = file(&[0, 40, 40, 10]);
        for ticks in [400_u16, 401, 402] {
            let [high, low] = ticks.to_be_bytes();
            assert_eq!(found(&file, &[0xA3, 0x87, 0x81, high, low, 0x80]), 1);
        }
        assert_eq!(muxer.duration(), Duration::from_micros(40_300));
    }

    #[test]
    fn the_end_makes_the_lengths_known_and_names_the_cues() {
        let (mut file, muxer) = file(&[0, 2000]);
        assert_eq!(found(&file, &[ebml::UNKNOWN.as_slice()].concat()), 2, "segment, last cluster");
        let mut tail = Vec::new();
        let patches: Vec<_> = muxer.end(&mut tail).collect();
        file.extend(&tail);
        patches.iter().for_each(|patch| apply(&mut file, patch));
        assert_eq!(found(&file, ebml::UNKNOWN.as_slice()), 0);
        assert_eq!(found(&file, &CUES.to_be_bytes()), 2, "in the list of places, and there");
    }

    #[test]
    fn no_file_becomes_longer_than_was_foretold() {
        let times: Vec<_> = (0..200).map(|time| time * 997).collect();
        for count_of_frames in 1..times.len() {
            let foretold = file(&times[..count_of_frames]).1.len_with(3);
            let (mut file, muxer) = file(&times[..=count_of_frames]);
            muxer.end(&mut file).for_each(drop);
            let len = count(file.len());
            assert!(len <= foretold && foretold < len + 8000, "{len}, foretold {foretold}");
        }
    }

    #[test]
    fn a_long_recording_has_fewer_cues_and_no_more_memory() {
        let mut cues = Cues::default();
        let capacity = cues.cues.capacity();
        for second in 0..40_000 {
            cues.add(Cue { ticks: second * CLUSTER_TICKS, at: second });
        }
        assert_eq!(cues.cues.capacity(), capacity);
        assert_eq!(cues.cues.len(), 10_000);
        assert!(cues.cues.iter().zip((0..).step_by(4)).all(|(cue, second)| cue.at == second));
    }
}
