//! Concatenated JPEGs: from a file in a loop at a given rate, or from a pipe at its own pace.

use super::{Drops, FrameSource, SourceError, Trouble, clock};
use crate::image::frame::{FrameLayout, Micros, RawFrame};
use crate::image::jpeg::markers;
use crate::image::jpeg::splitter::Splitter;
use crate::image::orientation::Orientation;
use crate::image::pixels::{Colour, PixelFormat, Size};
use crate::stop::Stop;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, Read, Seek, Stdin};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file of concatenated JPEGs, begun again at its end.
#[derive(Debug)]
pub struct Clip {
    path: PathBuf,
    file: File,
    splitter: Splitter,
    layout: FrameLayout,
    interval: Duration,
    next_at: Micros,
    sequence: u64,
    stale: u64,
}

impl Clip {
    /// Opens the clip at `path`, to be played at `fps` frames per second.
    ///
    /// # Errors
    /// When it cannot be read, or holds no JPEG.
    pub fn open(path: &Path, fps: f64) -> Result<Self, SourceError> {
        let unusable = |what: String| SourceError::new(Trouble::Unusable, what);
        let cannot_read = |error: io::Error| {
            unusable(format!(
                "clip {}: {error}; name a file of concatenated JPEGs, or test for the test pattern",
                path.display()
            ))
        };
        let mut file = File::open(path).map_err(cannot_read)?;
        let mut splitter = Splitter::default();
        let first = loop {
            if let Some(picture) = splitter.next_picture() {
                break picture;
            }
            if read_some(&mut file, &mut splitter).map_err(cannot_read)? == 0 {
                return Err(unusable(format!(
                    "clip {} holds no whole JPEG; ffmpeg -i VIDEO -c:v mjpeg -q:v 4 -f mjpeg CLIP.mjpeg makes one that works",
                    path.display()
                )));
            }
        };
        let size = markers::picture_size(splitter.bytes(first)).ok_or_else(|| {
            unusable(format!("clip {}: its first JPEG has no size", path.display()))
        })?;
        splitter.clear();
        file.rewind().map_err(cannot_read)?;
        let interval = Duration::from_secs_f64(1.0 / fps);
        Ok(Self {
            path: path.into(),
            file,
            splitter,
            layout: jpeg_layout(size, Some(interval)),
            interval,
            next_at: clock::now(),
            sequence: 0,
            stale: 0,
        })
    }

    /// The same, with its frames to be turned so by who takes them.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    fn next_picture(&mut self) -> Result<std::ops::Range<usize>, SourceError> {
        loop {
            if let Some(picture) = self.splitter.next_picture() {
                return Ok(picture);
            }
            let read = read_some(&mut self.file, &mut self.splitter).and_then(|count| {
                if count == 0 {
                    self.splitter.clear();
                    self.file.rewind()?;
                }
                Ok(count)
            });
            read.map_err(|error| {
                SourceError::new(Trouble::Lost, format!("clip {}: {error}", self.path.display()))
            })?;
        }
    }
}

impl FrameSource for Clip {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        format!("clip {}", self.path.display())
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Option<RawFrame<'_>>, SourceError> {
        if stop.wait(self.next_at.since(clock::now())) {
            return Ok(None);
        }
        let now = clock::now();
        let step = u64::try_from(self.interval.as_micros()).unwrap_or(u64::MAX).max(1);
        let missed = now.0.saturating_sub(self.next_at.0) / step;
        self.stale += missed;
        self.sequence += 1 + missed;
        self.next_at.0 += (1 + missed) * step;
        let picture = self.next_picture()?;
        Ok(Some(RawFrame {
            bytes: self.splitter.bytes(picture),
            layout: &self.layout,
            sequence: self.sequence,
            captured_at: now,
        }))
    }

    fn drops(&self) -> Drops {
        Drops { stale: self.stale, broken: self.splitter.dropped() }
    }
}

/// A pipe that carries concatenated JPEGs, such as `rpicam-vid --codec mjpeg -t 0 -o -` writes.
#[derive(Debug)]
pub struct Pipe {
    input: Stdin,
    splitter: Splitter,
    layout: FrameLayout,
    sequence: u64,
    stale: u64,
}

impl Pipe {
    /// Standard input.
    pub fn standard_input() -> Self {
        Self {
            input: io::stdin(),
            splitter: Splitter::default(),
            // The size is each picture's own; this one only says "not known yet".
            layout: jpeg_layout(Size::new(1, 1), None),
            sequence: 0,
            stale: 0,
        }
    }

    /// The same, with its frames to be turned so by who takes them.
    #[must_use]
    pub fn to_be_turned(mut self, orientation: Orientation) -> Self {
        self.layout.orientation = orientation;
        self
    }

    /// Takes what the pipe holds; `Ok(false)` at its end.
    fn fill(&mut self) -> io::Result<bool> {
        match read_some(&mut self.input, &mut self.splitter) {
            Ok(0) => Ok(false),
            Ok(_) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn ended(&self) -> SourceError {
        if self.sequence > 0 {
            return SourceError::new(Trouble::Ended, "standard input has ended");
        }
        SourceError::new(
            Trouble::Unusable,
            "standard input ended without a whole JPEG; \
             rpicam-vid --codec mjpeg -t 0 -o - | lancam --source - would work",
        )
    }
}

impl FrameSource for Pipe {
    fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    fn description(&self) -> String {
        "standard input".into()
    }

    fn next_frame(&mut self, stop: &Stop) -> Result<Option<RawFrame<'_>>, SourceError> {
        loop {
            let mut newest = None;
            while let Some(picture) = self.splitter.next_picture() {
                self.sequence += 1;
                self.stale += u64::from(newest.is_some());
                newest = Some(picture);
            }
            if let Some(picture) = newest {
                return Ok(Some(RawFrame {
                    bytes: self.splitter.bytes(picture),
                    layout: &self.layout,
                    sequence: self.sequence,
                    // A pipe carries no times; arrival is the nearest that is known.
                    captured_at: clock::now(),
                }));
            }
            let mut fds = [
                PollFd::new(self.input.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            // EINTR looks like nothing ready, and the loop asks again.
            let _ = poll(&mut fds, PollTimeout::NONE);
            if fds[1].any().unwrap_or(false) {
                return Ok(None);
            }
            if fds[0].any().unwrap_or(false) {
                match self.fill() {
                    Ok(true) => {}
                    Ok(false) => return Err(self.ended()),
                    Err(error) => {
                        return Err(SourceError::new(
                            Trouble::Unusable,
                            format!("standard input: {error}"),
                        ));
                    }
                }
            }
        }
    }

    fn drops(&self) -> Drops {
        Drops { stale: self.stale, broken: self.splitter.dropped() }
    }
}

fn read_some(from: &mut impl Read, splitter: &mut Splitter) -> io::Result<usize> {
    let count = from.read(splitter.space())?;
    splitter.filled(count);
    Ok(count)
}

fn jpeg_layout(size: Size, interval: Option<Duration>) -> FrameLayout {
    FrameLayout {
        format: PixelFormat::Jpeg,
        size,
        stride: 0,
        colour: Colour::JPEG,
        orientation: Orientation::UPRIGHT,
        interval,
    }
}
