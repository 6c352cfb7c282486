//! A stream of JPEGs from a pipe: it is cut into pictures, and each picture is judged once.

use super::Drops;
use super::heard::Heard;
use super::interrupted::is_nothing;
use crate::image::frame::Content;
use crate::image::jpeg::gate::{DriverSays, Gate};
use crate::image::jpeg::repair::{Damage, Findings};
use crate::image::jpeg::splitter::Splitter;
use crate::image::orientation::Orientation;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

/// Concatenated JPEGs as they arrive, in any chopping.
#[derive(Debug)]
pub(super) struct JpegStream {
    splitter: Splitter,
    gate: Gate,
    heard: Heard,
    /// Pictures that were judged and not used. What the splitter dropped is not among them.
    drops: Drops,
}

/// The whole pictures that came since the last look.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// How many they are, whatever is wrong with them.
    pub(super) count: u64,
    /// The newest one that can be used.
    pub(super) usable: Option<Picture>,
    /// What is wrong with the newest one that cannot.
    pub(super) damage: Option<Damage>,
}

/// A picture that can be used. It stands in the stream's buffer until the stream is read again.
#[derive(Debug)]
pub(super) struct Picture {
    /// Its number among the pictures of this look, from 1.
    pub(super) number: u64,
    at: Range<usize>,
    found: Findings,
}

/// What one read has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// Nothing for now.
    Nothing,
    /// Nobody writes any more.
    End,
    /// Bytes that begin with this one.
    Bytes { first: u8 },
}

impl JpegStream {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self {
            splitter: Splitter::default(),
            gate: Gate::for_streams(),
            heard: Heard::default(),
            drops: Drops::default(),
        }
    }

    /// Reads once.
    ///
    /// # Errors
    /// The pipe's.
    pub(super) fn read(&mut self, from: &mut File) -> io::Result<Arrived> {
        let space = self.splitter.space();
        let count = match from.read(space) {
            Ok(count) => count,
            Err(error) if is_nothing(&error) => return Ok(Arrived::Nothing),
            Err(error) => return Err(error),
        };
        let came = &space[..count];
        let arrived = came.first().map_or(Arrived::End, |&first| Arrived::Bytes { first });
        self.heard.note(came);
        self.splitter.filled(count);
        Ok(arrived)
    }

    /// Takes the whole pictures that have come.
    pub(super) fn pictures(&mut self) -> Pictures {
        let mut pictures = Pictures::default();
        loop {
            let too_long = self.splitter.oversized();
            let next = self.splitter.next_picture();
            let too_long = self.splitter.oversized() - too_long;
            if too_long > 0 {
                pictures.count += too_long;
                pictures.damage = Some(Damage::TooLong);
            }
            let Some(at) = next else { return pictures };
            pictures.count += 1;
            match self.judge(at, pictures.count) {
                Ok(picture) => {
                    let older = pictures.usable.replace(picture);
                    self.drops.stale += u64::from(older.is_some());
                }
                Err(damage) => pictures.damage = Some(damage),
            }
        }
    }

    /// Takes what has begun for a whole picture: nothing more of it comes.
    pub(super) fn last(&mut self) -> Option<Result<Picture, Damage>> {
        let at = self.splitter.finish()?;
        Some(self.judge(at, 1))
    }

    /// Forgets what has begun.
    pub(super) fn forget(&mut self) {
        self.splitter.finish();
    }

    /// A picture of the last look, to be turned so.
    pub(super) fn content(&self, picture: &Picture, orientation: Orientation) -> Content<'_> {
        let examined = picture.found.in_bytes(self.splitter.bytes(picture.at.clone()));
        Content::Jpeg(examined.then(orientation))
    }

    /// A usable picture is left out, since newer ones came that cannot be used.
    pub(super) fn leave_out(&mut self, _: Picture) {
        self.drops.stale += 1;
    }

    /// What was left out so far.
    pub(super) fn drops(&self) -> Drops {
        Drops { broken: self.drops.broken + self.splitter.dropped(), ..self.drops }
    }

    /// Whether a picture has begun and is not whole.
    pub(super) fn is_in_a_picture(&self) -> bool {
        self.splitter.is_in_a_picture()
    }

    /// Whether what has begun may be all of a picture whose writer leaves out end markers.
    pub(super) fn may_be_whole(&self) -> bool {
        self.splitter.is_in_data() && self.gate.expects_no_ends()
    }

    /// Whether what came since the last usable picture may be a part of the next one.
    pub(super) fn may_be_coming(&self) -> bool {
        self.is_in_a_picture() && self.heard.may_be_a_picture()
    }

    /// What came instead of a picture on the pipe called `name`, if anything did.
    pub(super) fn why(&self, name: &str) -> Option<String> {
        self.heard.why(name)
    }

    fn judge(&mut self, at: Range<usize>, number: u64) -> Result<Picture, Damage> {
        match self.gate.judge(self.splitter.bytes(at.clone()), DriverSays::Whole) {
            Ok(usable) => {
                let found = usable.findings();
                self.heard = Heard::default();
                Ok(Picture { number, at, found })
            }
            Err(damage) => {
                self.drops.broken += 1;
                Err(damage)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::jpeg::splitter::MAX_PICTURE;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use nix::unistd::pipe2;
    use std::io::Write;

    /// 8x8 grey.
    fn jpeg() -> Vec<u8> {
        let quantization = [&[0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
        let frame = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x3F];
        [&quantization[..], &frame, &scan, &[0xFF, 0xD9]].concat()
    }

    /// Without its end.
    fn cut() -> Vec<u8> {
        let whole = jpeg();
        whole[..whole.len() - 2].to_vec()
    }

    /// What the stream makes of `bytes`.
    fn look(stream: &mut JpegStream, bytes: &[u8]) -> Pictures {
        const ROOM: usize = 1 << 20;
        let (out, into) = pipe2(OFlag::O_NONBLOCK).expect("a pipe");
        fcntl(&out, FcntlArg::F_SETPIPE_SZ(1 << 20)).expect("what any user may ask for");
        let (mut out, mut into) = (File::from(out), File::from(into));
        for piece in bytes.chunks(ROOM) {
            into.write_all(piece).expect("room");
            while stream.read(&mut out).expect("reads") != Arrived::Nothing {}
        }
        stream.pictures()
    }

    #[test]
    fn each_picture_that_is_not_used_is_counted_once() {
        let mut stream = JpegStream::new();
        let three = look(&mut stream, &jpeg().repeat(3));
        assert_eq!((three.count, three.usable.map(|it| it.number)), (3, Some(3)));
        assert_eq!(stream.drops(), Drops { stale: 2, broken: 0 });
        // The second one is broken, the third one is shown.
        let more = look(&mut stream, &[jpeg(), cut(), jpeg()].concat());
        assert_eq!((more.count, more.usable.map(|it| it.number)), (3, Some(3)));
        assert_eq!(more.damage, Some(Damage::Cut));
        assert_eq!(stream.drops(), Drops { stale: 3, broken: 1 });
    }

    #[test]
    fn a_picture_that_is_too_long_is_told_and_counts_as_one() {
        let mut stream = JpegStream::new();
        let mut long = cut();
        long.resize(MAX_PICTURE + 100, 0x55);
        let pictures = look(&mut stream, &[long, jpeg(), vec![0xFF]].concat());
        assert_eq!(pictures.damage, Some(Damage::TooLong));
        assert_eq!((pictures.count, pictures.usable.map(|it| it.number)), (2, Some(2)));
        assert_eq!(stream.drops(), Drops { stale: 0, broken: 1 });
    }
}
