//! One file of a recording. It plays up to the last whole frame, whatever happens to the disk.

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

/// A file that is being written.
#[derive(Debug)]
pub(super) struct RecordedFile {
    out: Output,
    muxer: Muxer,
    form: Form,
    /// When it begins, counted from the start of the recording.
    began: Duration,
    frames: u64,
    /// What is written before the next frame's bytes.
    head: Vec<u8>,
}

/// What all frames of one file have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    codec: Codec,
    size: Size,
    /// The number of the file that the frame belongs to.
    file: u64,
}

impl Form {
    /// The form of a frame; `None` if it has no picture in it.
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
    /// Begins a file with `frame`, taken `at` this time of the recording. Writes nothing yet.
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

    /// Writes a frame taken `at` this time of the recording.
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

    /// Closes the file and returns its length. Cuts off a frame that was not written to its end, and removes a file without
    /// a frame.
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
            // Without the index, seeking takes longer. The file plays all the same.
            Err(error) => {
                out.cut(muxer.file_len())?;
                muxer.patches_without_tail().try_for_each(|patch| out.replace(&patch))?;
                match error.kind() {
                    // The file is as long as it may be. All its frames are in it.
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

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes up to the end of the last whole frame.
    pub(super) fn len(&self) -> u64 {
        self.muxer.file_len()
    }

    /// Bytes on disk, including a frame that was not written to its end.
    pub(super) fn taken_by_disk(&self) -> Option<u64> {
        self.out.len()
    }

    /// The most bytes that the file has if it ends after one more frame of `payload` bytes.
    pub(super) fn len_with(&self, payload: usize) -> u64 {
        self.muxer.len_with(payload)
    }
}
