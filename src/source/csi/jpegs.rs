//! Frames that come through the pipe as JPEGs.

use super::raw::Came;
use crate::image::frame::{Content, FrameLayout};
use crate::image::jpeg::repair::Damage;
use crate::source::Drops;
use crate::source::jpeg_stream::{Arrived, JpegStream, Picture, Pictures};
use std::fs::File;
use std::io;

/// `mjpeg` of rpicam-vid: one JPEG after the other, each with its end marker.
#[derive(Debug)]
pub(super) struct JpegFrames {
    pub(super) layout: FrameLayout,
    stream: JpegStream,
    /// The newest picture of the last read, or what is wrong with it.
    newest: Result<Option<Picture>, Damage>,
}

/// One turn reads so often at most, so that a fast writer cannot keep this thread. A full pipe needs fewer reads.
const MOST_READS: usize = 32;

impl JpegFrames {
    /// For pictures with this layout.
    pub(super) fn new(layout: FrameLayout) -> Self {
        Self { layout, stream: JpegStream::new(), newest: Ok(None) }
    }

    /// Reads all that has come. The newest picture is the one that counts.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn fill(&mut self, from: &mut File) -> io::Result<Came> {
        self.newest = Ok(None);
        let mut otherwise = Came::Nothing;
        for _ in 0..MOST_READS {
            match self.stream.read(from)? {
                Arrived::Bytes { .. } => {}
                Arrived::Nothing => break,
                Arrived::End => {
                    otherwise = Came::End;
                    break;
                }
            }
        }
        let pictures = self.stream.pictures();
        let count = pictures.count;
        self.newest = self.newest_of(pictures);
        Ok(if count > 0 { Came::Frames(count) } else { otherwise })
    }

    /// The frame's number and time are those of the newest picture. An older one would be shown with a wrong time.
    fn newest_of(&mut self, pictures: Pictures) -> Result<Option<Picture>, Damage> {
        match (pictures.usable, pictures.damage) {
            (Some(picture), Some(damage)) if picture.number < pictures.count => {
                self.stream.leave_out(picture);
                Err(damage)
            }
            (None, Some(damage)) => Err(damage),
            (newest, _) => Ok(newest),
        }
    }

    /// Whether a frame has begun and is not whole.
    pub(super) fn is_in_a_frame(&self) -> bool {
        self.stream.is_in_a_picture()
    }

    /// The newest picture of the last turn.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn newest(&self) -> Result<Option<Content<'_>>, Damage> {
        match &self.newest {
            Ok(picture) => Ok(picture
                .as_ref()
                .map(|picture| self.stream.content(picture, self.layout.orientation))),
            Err(damage) => Err(*damage),
        }
    }

    /// Pictures that came and were not used.
    pub(super) fn drops(&self) -> Drops {
        self.stream.drops()
    }

    /// What came instead of a picture, if anything did.
    pub(super) fn why(&self) -> Option<String> {
        self.stream.why("its pipe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::codec::Encoder;
    use crate::image::pixels::{Chroma, Size};
    use crate::image::planes::Planes;
    use crate::source::jpeg_layout;
    use nix::fcntl::OFlag;
    use nix::unistd::pipe2;
    use std::io::Write;

    /// What comes of `bytes`, which are written in one go.
    fn filled(bytes: &[u8]) -> (JpegFrames, Came) {
        let (out, into) = pipe2(OFlag::O_NONBLOCK).expect("a pipe");
        File::from(into).write_all(bytes).expect("room");
        let mut frames = JpegFrames::new(jpeg_layout(Size::new(8, 8), None));
        let came = frames.fill(&mut out.into()).expect("reads");
        (frames, came)
    }

    fn jpeg() -> Vec<u8> {
        let mut planes = Planes::default();
        planes.reshape(Size::new(8, 8), Chroma::Yuv420);
        let mut room = vec![0; Encoder::max_len(planes.size(), Chroma::Yuv420).expect("a size")];
        let len = Encoder::new(80).and_then(|mut it| it.encode(&planes, &mut room));
        room.truncate(len.expect("it encodes"));
        room
    }

    #[test]
    fn a_frame_that_is_left_out_is_counted_once() {
        let whole = jpeg();
        let cut = &whole[..whole.len() - 2];
        for (bytes, is_usable, drops) in [
            (whole.repeat(3), true, Drops { stale: 2, broken: 0 }),
            ([cut, &whole].concat(), true, Drops { stale: 0, broken: 1 }),
            // What is wrong with the newest one is told, and an older one is not shown instead.
            ([&whole, cut, &[0xFF, 0xD8, 0xFF]].concat(), false, Drops { stale: 1, broken: 1 }),
        ] {
            let pictures = u64::from(is_usable) + drops.stale + drops.broken;
            let (frames, came) = filled(&bytes);
            assert_eq!(came, Came::Frames(pictures));
            assert_eq!(frames.newest().is_ok(), is_usable);
            assert_eq!(frames.drops(), drops);
        }
    }
}
