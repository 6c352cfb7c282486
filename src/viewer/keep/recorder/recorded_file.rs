//! One file of a recording: whole after each frame, whatever the disk does.

use super::output::Output;
use super::queue::Frame;
use crate::image::jpeg::markers;
use crate::image::pixels::Size;
use crate::wire::matroska::{Muxer, Track};
use crate::wire::packet::Codec;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A file, and what is in it.
#[derive(Debug)]
pub(super) struct RecordedFile {
    out: Output,
    muxer: Muxer,
    form: Form,
    /// When in the recording it begins.
    began: Duration,
    frames: u64,
    /// What is written before the next frame.
    head: Vec<u8>,
}

/// What all frames of a file have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    codec: Codec,
    size: Size,
    /// The number of the file, as its frames have it.
    file: u64,
}

impl Form {
    /// `None` for what is no picture.
    pub(super) fn of(Frame { packet, file, .. }: &Frame) -> Option<Self> {
        let (codec, payload) = (packet.facts.codec, packet.payload());
        let size = match codec {
            Codec::Jpeg => markers::picture_size(payload)?,
            Codec::Bgr24 => packet.facts.size,
        };
        let is_whole = codec == Codec::Jpeg || payload.len() == size.area() * 3;
        (is_whole && size.area() > 0).then_some(Self { codec, size, file: *file })
    }
}

impl RecordedFile {
    /// The file in `out`. Its first frame will be this one, taken `at` in the recording. Nothing is written yet.
    pub(super) fn begin(out: Output, frame: &Frame, form: Form, at: Duration) -> Self {
        let mut head = Vec::new();
        let track = Track {
            codec: form.codec,
            size: form.size,
            camera: &frame.camera,
            began: frame.taken.duration_since(SystemTime::UNIX_EPOCH).ok(),
            interval: frame.interval,
        };
        let muxer = Muxer::begin(&track, &mut head);
        Self { out, muxer, form, began: at, frames: 0, head }
    }

    /// Writes a frame that was taken `at` in the recording.
    pub(super) fn append(&mut self, frame: &Frame, at: Duration) -> io::Result<()> {
        let payload = frame.packet.payload();
        let at = at.saturating_sub(self.began);
        let place = self.muxer.frame(at, payload.len(), &mut self.head);
        let written = self.out.append(&self.head, payload);
        self.head.clear();
        written?;
        self.frames += 1;
        self.muxer.wrote(&place).try_for_each(|patch| self.out.replace(&patch))
    }

    /// Ends the file: nothing stays of a frame that was not written to its end, and nothing of a file without a frame. The
    /// bytes that it has.
    pub(super) fn close(mut self) -> (u64, io::Result<()>) {
        if self.frames == 0 {
            return (0, self.out.remove());
        }
        let closed = self.write_end();
        (self.out.len().unwrap_or(self.muxer.file_len()), closed)
    }

    fn write_end(&mut self) -> io::Result<()> {
        let Self { out, muxer, head, .. } = self;
        out.cut(muxer.file_len())?;
        head.clear();
        let patches = muxer.end(head);
        match out.append(head, &[]) {
            Ok(()) => patches.into_iter().try_for_each(|patch| out.replace(&patch)),
            // Seeking takes longer without it, and that is all.
            Err(error) => {
                out.cut(muxer.file_len())?;
                muxer.patches_without_tail().try_for_each(|patch| out.replace(&patch))?;
                match error.kind() {
                    // It has all that there is room for in a file.
                    ErrorKind::FileTooLarge => Ok(()),
                    _ => Err(error),
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Arc<Path> {
        self.out.path()
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// When in the recording it begins.
    pub(super) fn began(&self) -> Duration {
        self.began
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes of all whole frames.
    pub(super) fn len(&self) -> u64 {
        self.muxer.file_len()
    }

    /// Bytes that the disk took, those of a frame that is not whole included.
    pub(super) fn taken_by_disk(&self) -> Option<u64> {
        self.out.len()
    }

    /// At most so many bytes the file has when it ends behind a further frame of `payload` bytes.
    pub(super) fn len_with(&self, payload: usize) -> u64 {
        self.muxer.len_with(payload)
    }
}
