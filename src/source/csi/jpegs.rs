//! Frames as JPEGs, cut out of the pipe's bytes.

use super::raw::{Came, is_nothing};
use crate::image::frame::{Content, FrameLayout};
use crate::image::jpeg::gate::{DriverSays, Gate};
use crate::image::jpeg::repair::{Damage, Findings};
use crate::image::jpeg::splitter::Splitter;
use crate::source::heard::Heard;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

/// `mjpeg` of rpicam-vid: one JPEG after the other, each with its end marker.
#[derive(Debug)]
pub(super) struct JpegFrames {
    pub(super) layout: FrameLayout,
    splitter: Splitter,
    gate: Gate,
    heard: Heard,
    /// The newest picture, if it can be used.
    ready: Option<(Range<usize>, Findings)>,
    /// What was wrong with the newest, if it cannot.
    damage: Option<Damage>,
    broken: u64,
}

/// Who writes faster than this program reads must not keep it from looking at anything else. More than a pipe holds.
const MOST_READS: usize = 32;

impl JpegFrames {
    /// For pictures with this to be done to them.
    pub(super) fn new(layout: FrameLayout) -> Self {
        Self {
            layout,
            splitter: Splitter::default(),
            gate: Gate::for_streams(),
            heard: Heard::default(),
            ready: None,
            damage: None,
            broken: 0,
        }
    }

    /// Reads what has come, all of it: the newest picture is the one that counts.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn fill(&mut self, from: &mut File) -> io::Result<Came> {
        self.ready = None;
        self.damage = None;
        let mut otherwise = Came::Nothing;
        for _ in 0..MOST_READS {
            let space = self.splitter.space();
            match from.read(space) {
                Ok(0) => {
                    otherwise = Came::End;
                    break;
                }
                Ok(count) => {
                    self.heard.note(&space[..count]);
                    self.splitter.filled(count);
                }
                Err(error) if is_nothing(&error) => break,
                Err(error) => return Err(error),
            }
        }
        let mut frames = 0;
        while let Some(picture) = self.splitter.next_picture() {
            frames += 1;
            match self.gate.judge(self.splitter.bytes(picture.clone()), DriverSays::Whole) {
                Ok(usable) => self.ready = Some((picture, usable.findings())),
                Err(damage) => {
                    // Number and time are those of the newest: an older one would be shown under them.
                    self.ready = None;
                    self.broken += 1;
                    self.damage = Some(damage);
                }
            }
        }
        if self.ready.is_some() {
            self.heard = Heard::default();
        }
        Ok(if frames > 0 { Came::Frames(frames) } else { otherwise })
    }

    /// Whether a frame has begun and is not whole.
    pub(super) fn is_in_a_frame(&self) -> bool {
        self.splitter.is_in_a_picture()
    }

    /// The newest picture of the last turn, or what is wrong with it.
    ///
    /// # Errors
    /// When there were only pictures that cannot be used.
    pub(super) fn newest(&self) -> Result<Option<Content<'_>>, Damage> {
        match (&self.ready, self.damage) {
            (Some((at, found)), _) => {
                let picture = found.in_bytes(self.splitter.bytes(at.clone()));
                Ok(Some(Content::Jpeg(picture.then(self.layout.orientation))))
            }
            (None, Some(damage)) => Err(damage),
            (None, None) => Ok(None),
        }
    }

    /// Pictures that could not be used.
    pub(super) fn broken(&self) -> u64 {
        self.broken + self.splitter.dropped()
    }

    /// What came instead of a picture, if anything did.
    pub(super) fn why(&self) -> Option<String> {
        self.heard.why("its pipe")
    }
}
