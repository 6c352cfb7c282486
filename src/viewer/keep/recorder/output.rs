//! An open file or pipe that frames are written into.

use super::error::RecordError;
use super::pipe;
use super::queue::Queue;
use crate::wire::matroska::Patch;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

/// An open file, pipe or device.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    path: Arc<Path>,
    kind: OutputKind,
}

#[derive(Debug)]
enum OutputKind {
    /// A file: written bytes can be replaced.
    Regular,
    /// A pipe or a device: written bytes cannot be replaced. While its reader takes nothing, the queue says whether the
    /// recording was stopped.
    Stream(Arc<Queue>),
}

impl Output {
    /// Creates a new file, or opens a pipe or a device that exists.
    pub(super) fn claim(path: &Path, queue: &Arc<Queue>) -> Result<Self, RecordError> {
        match fs::metadata(path) {
            Ok(there) if pipe::is_disk(&there) => Err(RecordError::IsDisk(path.to_owned())),
            Ok(there) if !there.is_file() && !there.is_dir() => Self::open_pipe(path, queue),
            _ => Self::create(path).map_err(|source| RecordError::create(path, source)),
        }
    }

    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { file, path: Arc::from(path), kind: OutputKind::Regular })
    }

    /// Waits for a reader of the pipe until the recording is stopped.
    fn open_pipe(path: &Path, queue: &Arc<Queue>) -> Result<Self, RecordError> {
        loop {
            match pipe::open(path).map_err(|source| RecordError::create(path, source))? {
                Some(file) => {
                    let kind = OutputKind::Stream(Arc::clone(queue));
                    return Ok(Self { file, path: Arc::from(path), kind });
                }
                None if queue.waits_for_a_reader() => {}
                None => return Err(RecordError::NobodyReads(path.to_owned())),
            }
        }
    }

    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// Writes `head` and `payload`, in one system call if the kernel takes all of it.
    pub(super) fn append(&mut self, head: &[u8], payload: &[u8]) -> io::Result<()> {
        let mut written = 0;
        let len = head.len() + payload.len();
        while written < len {
            let of_head = written.min(head.len());
            let parts =
                [IoSlice::new(&head[of_head..]), IoSlice::new(&payload[written - of_head..])];
            match self.file.write_vectored(&parts) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) => match (error.kind(), &self.kind) {
                    (ErrorKind::Interrupted, _) => {}
                    (ErrorKind::WouldBlock, OutputKind::Stream(queue)) => {
                        pipe::wait_for_room(&self.file);
                        if queue.is_overdue() {
                            return Err(ErrorKind::TimedOut.into());
                        }
                    }
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    /// Replaces bytes that were written before. Does nothing on a pipe.
    pub(super) fn replace(&mut self, patch: &Patch) -> io::Result<()> {
        if self.is_stream() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(patch.at))?;
        self.file.write_all(patch.bytes())?;
        self.file.seek(SeekFrom::End(0)).map(drop)
    }

    /// Removes all bytes after the first `len`. Does nothing on a pipe.
    pub(super) fn cut(&mut self, len: u64) -> io::Result<()> {
        if self.is_stream() {
            return Ok(());
        }
        self.file.set_len(len)?;
        self.file.seek(SeekFrom::End(0)).map(drop)
    }

    /// The file's length, including a frame that was not written to its end. `None` for a pipe.
    pub(super) fn len(&self) -> Option<u64> {
        self.file.metadata().ok().map(|it| it.len()).filter(|_| !self.is_stream())
    }

    /// Removes the file. A pipe stays.
    pub(super) fn remove(self) -> io::Result<()> {
        match self.kind {
            OutputKind::Regular => fs::remove_file(&self.path),
            OutputKind::Stream(_) => Ok(()),
        }
    }

    fn is_stream(&self) -> bool {
        matches!(self.kind, OutputKind::Stream(_))
    }
}
