//! Decides which of a camera's JPEGs are usable, from what its pictures are usually like.

use super::repair::{self, Damage, Ending, Examined};
use super::splitter::MAX_PICTURE;

/// What is remembered of one camera's stream.
///
/// - A picture without an end marker is either cut or complete: some cameras leave the marker out
///   of most pictures. It counts as cut if nearly all of the last pictures had one, or if it is much
///   shorter than the last one that had one. Otherwise it counts as complete.
/// - The rest of an older picture after the first one is searched for at the start of a stream, in
///   a frame that is much longer than the one before, and now and then. Once one was found, it is
///   searched for in every frame.
#[derive(Debug)]
pub struct Gate {
    /// Whether each of the last 32 pictures had an end marker, the newest in the lowest bit. At
    /// first all bits are set, since the first frames of a stream are often cut.
    marked: u32,
    /// The length of the last picture with an end marker.
    marked_len: usize,
    examined: u64,
    /// The length of the frame before.
    last_len: usize,
    leftovers: Leftovers,
}

/// Whether a frame ever had another picture after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leftovers {
    Unseen,
    Seen,
}

/// What the driver says about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverSays {
    /// No fault is known.
    Whole,
    /// Data was lost (`V4L2_BUF_FLAG_ERROR`).
    Damaged,
}

impl Gate {
    /// Nine in ten of the last 32. The ELP-USB100W03M sends 13 of 100 with an end marker
    /// (pikvm/ustreamer#230).
    const USUALLY: u32 = 29;

    /// How many frames are searched at the start. Buffers that are filled for the first time hold
    /// no older picture.
    const FIRST: u64 = 16;

    /// After that, one frame in this many is searched.
    const SELDOM: u64 = 256;

    /// A gate for a file or a pipe, whose first pictures are not cut, unlike those of a starting
    /// camera. So a single picture without an end marker is cut, but two in a row show a habit.
    pub fn for_streams() -> Self {
        Self { marked: u32::MAX << (32 - Self::USUALLY), ..Self::default() }
    }

    /// A gate for a stream whose first pictures are known: `marked` of them have end markers, and
    /// `bare` have none.
    pub fn knowing(marked: usize, bare: usize) -> Self {
        Self { marked: if marked >= bare { u32::MAX } else { 0 }, ..Self::default() }
    }

    /// Whether most pictures of this stream lack their end markers.
    pub fn expects_no_ends(&self) -> bool {
        self.marked.count_ones() < Self::USUALLY
    }

    /// Decides how the picture in `bytes` can be used.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn judge<'a>(
        &mut self,
        bytes: &'a [u8],
        driver: DriverSays,
    ) -> Result<Examined<'a>, Damage> {
        let mut picture = repair::examine(bytes)?;
        self.examined += 1;
        let is_much_longer = bytes.len() > self.last_len.saturating_mul(3) / 2;
        self.last_len = bytes.len();
        if is_much_longer
            || self.leftovers == Leftovers::Seen
            || self.examined <= Self::FIRST
            || self.examined.is_multiple_of(Self::SELDOM)
        {
            let first = picture.without_leftovers();
            if first.span().len() < picture.span().len() {
                self.leftovers = Leftovers::Seen;
            }
            picture = first;
        }
        if picture.len() > MAX_PICTURE {
            return Err(Damage::TooLong);
        }
        let usually_marked = !self.expects_no_ends();
        let is_marked = picture.ending() == Ending::Marked;
        let is_too_short = self.is_too_short(picture.len());
        if driver == DriverSays::Whole {
            self.marked = self.marked << 1 | u32::from(is_marked);
            if is_marked {
                self.marked_len = picture.len();
            }
        }
        // A frame that the driver calls damaged is used only if it has both its start and its end.
        let is_damaged = driver == DriverSays::Damaged;
        let is_cut = !is_marked && (usually_marked || is_too_short || is_damaged);
        if is_cut { Err(Damage::Cut) } else { Ok(picture) }
    }

    /// Whether a picture of this length is shorter than two thirds of a marked one. If none of the
    /// last 32 was marked, the scene may be another one by now.
    fn is_too_short(&self, len: usize) -> bool {
        self.marked != 0 && len.saturating_mul(3) < self.marked_len.saturating_mul(2)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            marked: u32::MAX,
            marked_len: 0,
            examined: 0,
            last_len: 0,
            leftovers: Leftovers::Unseen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8x8 grey pixels; `data` is the data of the scan.
    fn jpeg(data: &[u8]) -> Vec<u8> {
        let quantization = [&[0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0][..], &[1; 64]].concat();
        let frame = [0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0];
        let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0];
        [&quantization[..], &frame, &scan, data].concat()
    }

    const END: &[u8] = &[0xFF, 0xD9];

    #[test]
    fn a_picture_without_its_end_is_cut_where_others_have_theirs() {
        let (whole, cut) = (jpeg(&[0x3F, 0xFF, 0xD9]), jpeg(&[0x3F]));
        let mut gate = Gate::default();
        for _ in 0..100 {
            for _ in 0..20 {
                gate.judge(&whole, DriverSays::Whole).expect("whole");
            }
            assert_eq!(gate.judge(&cut, DriverSays::Whole).err(), Some(Damage::Cut));
        }
    }

    #[test]
    fn a_camera_that_leaves_ends_out_is_found_out_after_a_few_pictures() {
        let (whole, bare) = (jpeg(&[0x3F, 0xFF, 0xD9]), jpeg(&[0x3F]));
        let mut gate = Gate::default();
        let mut refused = 0;
        for frame in 0..200 {
            let sent = if frame % 8 == 7 { &whole } else { &bare };
            match gate.judge(sent, DriverSays::Whole) {
                Ok(picture) => assert!(picture.len() > bare.len()),
                Err(damage) => {
                    assert_eq!((damage, frame < 4), (Damage::Cut, true), "{frame}");
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 4);
    }

    #[test]
    fn what_is_cut_often_is_refused_by_its_length() {
        let long = |end: &[u8]| jpeg(&[&[0x3F; 4000][..], end].concat());
        let (whole, bare, cut) = (long(END), long(&[]), jpeg(&[0x3F; 2000]));
        let mut gate = Gate::default();
        for frame in 0..300 {
            let sent = if frame % 3 == 2 { &cut } else { &whole };
            let judged = gate.judge(sent, DriverSays::Whole).map(|_| ());
            let expected = if frame % 3 == 2 { Err(Damage::Cut) } else { Ok(()) };
            assert_eq!(judged, expected, "{frame}");
        }
        assert!(gate.judge(&bare, DriverSays::Whole).is_ok(), "it lacks only the marker");
        let refused = (0..100).filter(|_| gate.judge(&cut, DriverSays::Whole).is_err()).count();
        assert!((20..=32).contains(&refused), "{refused}: the scene may have less detail now");
    }

    #[test]
    fn in_a_pipe_two_pictures_without_ends_are_a_habit_and_one_is_cut() {
        let (whole, bare) = (jpeg(&[0x3F, 0xFF, 0xD9]), jpeg(&[0x3F]));
        let mut gate = Gate::for_streams();
        assert!(gate.judge(&whole, DriverSays::Whole).is_ok());
        let mut gate = Gate::for_streams();
        assert_eq!(gate.judge(&bare, DriverSays::Whole).err(), Some(Damage::Cut));
        assert!(gate.judge(&bare, DriverSays::Whole).is_ok());
        assert!(Gate::knowing(1, 30).judge(&bare, DriverSays::Whole).is_ok());
        assert!(Gate::knowing(30, 1).judge(&bare, DriverSays::Whole).is_err());
    }

    #[test]
    fn a_picture_marked_as_damaged_is_used_only_with_both_ends() {
        let (whole, bare) = (jpeg(&[0x3F, 0xFF, 0xD9]), jpeg(&[0x3F]));
        let mut gate = Gate::default();
        for _ in 0..64 {
            assert_eq!(gate.judge(&bare, DriverSays::Damaged).err(), Some(Damage::Cut));
            assert!(gate.judge(&whole, DriverSays::Damaged).is_ok());
        }
    }

    #[test]
    fn what_is_left_of_older_pictures_is_looked_for_until_it_is_found_and_then_always() {
        let whole = jpeg(&[0x3F, 0xFF, 0xD9]);
        let with_leftovers = [&whole, &[1, 2, 3][..], END].concat();
        let mut gate = Gate::default();
        for _ in 0..Gate::SELDOM - 1 {
            gate.judge(&whole, DriverSays::Whole).expect("whole");
        }
        for _ in 0..3 {
            let picture = gate.judge(&with_leftovers, DriverSays::Whole).expect("whole");
            assert_eq!(picture.span(), whole);
        }
    }

    #[test]
    fn a_second_picture_in_a_frame_is_found_by_how_long_it_makes_the_frame() {
        let whole = jpeg(&[0x3F, 0xFF, 0xD9]);
        let mut gate = Gate::default();
        for _ in 0..Gate::FIRST + 1 {
            gate.judge(&whole, DriverSays::Whole).expect("whole");
        }
        let two = [&whole[..], &whole].concat();
        assert_eq!(gate.judge(&two, DriverSays::Whole).expect("whole").span(), whole);
    }
}
