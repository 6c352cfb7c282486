//! Decodes frames into pictures and publishes them.

use super::cores::{Cores, JpegDecoder};
use super::demand::Demand;
use super::news::{Notice, NoticeKind, Publisher};
use crate::image::jpeg::codec::JpegError;
use crate::image::picture::Picture;
use crate::image::pixels::{MAX_PIXELS, Size};
use crate::rate::Rate;
use crate::viewer::arrival::{Age, Arrival, Totals};
use crate::viewer::find::wanted::Origin;
use crate::viewer::keep::recorder::Recorder;
use crate::viewer::keep::recorder::intake::Intake;
use crate::wire::packet::{Codec, FrameFacts};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The decoder and its counts. It outlives connections, so that a new one allocates nothing.
#[derive(Debug)]
pub struct Decoding {
    jpeg: JpegDecoder,
    origin: Arc<Origin>,
    /// The number of the newest frame on this connection.
    sequence: Option<u64>,
    totals: Totals,
    corrupt_in_a_row: u32,
    /// What was last said of that.
    cannot_be_shown: Option<Arc<Notice>>,
    complaints: Complaints,
    damages: Complaints,
    demand: Arc<Demand>,
    intake: Intake,
}

/// Why a frame cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodingError {
    /// libjpeg-turbo cannot decode the JPEG.
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    /// A raw frame whose length does not fit its size.
    #[error("a raw picture of {size} has {found} bytes instead of {}", size.area() * 3)]
    RawLength {
        /// The size that the frame claims.
        size: Size,
        /// Its length in bytes.
        found: usize,
    },
    /// A size over the limit, refused before memory is allocated.
    #[error("a picture of {0} is over the limit of {MAX_PIXELS} pixels")]
    TooLarge(Size),
}

/// After this many corrupt frames in a row the user is told. A single one is not worth a notice.
const CORRUPT_PATIENCE: u32 = 5;
/// More pixels than any picture has.
const EVERY_PIXEL: Size = Size::new(usize::MAX, usize::MAX);

impl Decoding {
    /// A decoder that has not decoded anything yet. It uses all cores of this machine.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn new() -> Result<Self, JpegError> {
        Self::with(Cores::of_this_machine())
    }

    /// The same with these cores.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up.
    pub fn with(cores: Arc<Cores>) -> Result<Self, JpegError> {
        Ok(Self {
            jpeg: JpegDecoder::new(cores)?,
            origin: Arc::default(),
            sequence: None,
            totals: Totals::default(),
            corrupt_in_a_row: 0,
            cannot_be_shown: None,
            complaints: Complaints::default(),
            damages: Complaints::default(),
            demand: Arc::default(),
            intake: Intake::default(),
        })
    }

    /// Decodes only what `demand` asks for from now on.
    pub fn look_at(&mut self, demand: Arc<Demand>) {
        self.demand = demand;
    }

    /// The recorder of the frames, whether or not they are decoded.
    pub fn recorder(&self) -> Recorder {
        self.intake.recorder()
    }

    /// Begins a connection: frames come from this camera from now on, and their numbers start anew.
    pub fn begin(&mut self, origin: Origin) {
        self.origin = Arc::new(origin);
        self.sequence = None;
        self.corrupt_in_a_row = 0;
        self.expect_another();
        self.announce(Rate::NONE);
    }

    /// Forgets what was learnt from the pictures, since the next ones may be those of another camera: in another size, and
    /// with other bytes left over.
    pub fn expect_another(&mut self) {
        self.intake.begin();
        self.jpeg.begin();
    }

    /// Begins a new recorded file with the next frame, because another camera sends it.
    pub fn begin_new_file(&mut self) {
        self.intake.begin_new_file();
    }

    /// The size that the camera should keep, because its frames are recorded; `None` if nothing is recorded.
    pub fn held_size(&self) -> Option<Size> {
        self.intake.held_size()
    }

    /// Sets the frame rate that the camera announces.
    pub fn announce(&mut self, rate: Rate) {
        self.intake.announce(rate);
    }

    /// Records and decodes one frame, and publishes the picture. Allocates nothing for frames no larger than before.
    ///
    /// A frame that cannot be decoded is counted and skipped. One that is damaged is counted and shown.
    pub fn decode(
        &mut self,
        facts: &FrameFacts,
        age: Option<Age>,
        payload: &[u8],
        publisher: &mut Publisher,
    ) {
        self.count(facts.sequence, payload.len());
        self.intake.take(facts, age, payload, &self.origin.name);
        // While a notice is shown, one frame is decoded even if nobody looks: it removes the notice.
        let overdue = publisher.has_notice().then_some(EVERY_PIXEL);
        let Some(shown) = self.demand.get().or(overdue) else {
            self.totals.unseen += 1;
            return;
        };
        let arrival = publisher.blank();
        let started = Instant::now();
        let decoded = self.fill(facts, payload, shown, &mut arrival.picture);
        self.totals.decode_time += started.elapsed();
        match decoded {
            Ok((size, damaged)) => {
                arrival.size = size;
                if !damaged.is_empty() {
                    self.totals.damaged += 1;
                    self.tell_damage(facts.sequence, &damaged, size.height);
                }
            }
            Err(error) => {
                self.totals.corrupt += 1;
                self.corrupt_in_a_row += 1;
                self.complain(facts.sequence, &error, publisher);
                return;
            }
        }
        self.totals.frames += 1;
        self.corrupt_in_a_row = 0;
        self.label(facts, arrival);
        arrival.jpeg.clear();
        if facts.codec == Codec::Jpeg {
            arrival.jpeg.extend_from_slice(payload);
        }
        arrival.age = age;
        publisher.publish();
    }

    fn count(&mut self, sequence: u64, len: usize) {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        self.totals.bytes = self.totals.bytes.saturating_add(len);
        match self.sequence {
            Some(last) if sequence > last => {
                let missing = sequence - last - 1;
                self.totals.skipped = self.totals.skipped.saturating_add(missing);
            }
            Some(_) => self.totals.disordered += 1,
            None => {}
        }
        self.sequence = Some(sequence);
    }

    /// Decodes the frame, at least in the size `shown`. Returns its full size, and between which rows it is damaged.
    fn fill(
        &mut self,
        facts: &FrameFacts,
        payload: &[u8],
        shown: Size,
        picture: &mut Picture,
    ) -> Result<(Size, Range<usize>), DecodingError> {
        match facts.codec {
            Codec::Jpeg => Ok(self.jpeg.decode(payload, shown, picture)?),
            Codec::Bgr24 => {
                fill_from_bgr(payload, facts.size, picture)?;
                Ok((facts.size, 0..0))
            }
        }
    }

    fn label(&self, facts: &FrameFacts, arrival: &mut Arrival) {
        arrival.picture.sequence = facts.sequence;
        arrival.picture.captured_at = facts.captured_at;
        arrival.codec = facts.codec;
        arrival.totals = self.totals;
        if !Arc::ptr_eq(&arrival.origin, &self.origin) {
            arrival.origin = Arc::clone(&self.origin);
        }
    }

    /// `rows`: between which rows of a picture of this height it is damaged.
    fn tell_damage(&mut self, sequence: u64, rows: &Range<usize>, height: usize) {
        let (name, first, last) = (&self.origin.name, rows.start + 1, rows.end);
        match self.damages.next(Instant::now()) {
            Some(0) => log::warn!(
                "frame {sequence} of {name} is damaged in rows {first} to {last} of {height}"
            ),
            Some(more) => log::warn!(
                "frame {sequence} of {name} and {more} before it are damaged, this one in rows {first} to {last} of {height}"
            ),
            None => {}
        }
    }

    fn complain(&mut self, sequence: u64, error: &DecodingError, publisher: &mut Publisher) {
        let name = &self.origin.name;
        match self.complaints.next(Instant::now()) {
            Some(0) => log::warn!("skipped frame {sequence} of {name}: {error}"),
            Some(more) => {
                log::warn!("skipped frame {sequence} of {name} and {more} before it: {error}");
            }
            None => {}
        }
        // Once, until something else is said. Each frame may be broken in another way.
        let is_said = self.cannot_be_shown.is_some() && publisher.notice() == self.cannot_be_shown;
        if self.corrupt_in_a_row >= CORRUPT_PATIENCE && !is_said {
            let text = format!("{name} sends pictures that cannot be shown: {error}");
            publisher.notify(NoticeKind::NoPicture, text);
            self.cannot_be_shown = publisher.notice();
        }
    }
}

/// Limits the log lines about corrupt frames: the first is logged at once, later ones as a count.
#[derive(Debug, Default)]
struct Complaints {
    told: Option<Instant>,
    untold: u64,
}

/// The time between two such lines.
const TOLD_EACH: Duration = Duration::from_secs(60);

impl Complaints {
    /// Counts a corrupt frame. Returns how many came since the last line, if a line is due.
    fn next(&mut self, now: Instant) -> Option<u64> {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < TOLD_EACH) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// Converts rows of B, G, R bytes to `0x00RRGGBB`.
fn fill_from_bgr(bytes: &[u8], size: Size, picture: &mut Picture) -> Result<(), DecodingError> {
    if size.area() > MAX_PIXELS {
        return Err(DecodingError::TooLarge(size));
    }
    if bytes.len() != size.area() * 3 {
        return Err(DecodingError::RawLength { size, found: bytes.len() });
    }
    picture.reshape(size);
    for (pixel, &[blue, green, red]) in picture.pixels_mut().iter_mut().zip(bytes.as_chunks().0) {
        *pixel = u32::from_be_bytes([0, red, green, blue]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::frame::Micros;
    use crate::latest::{Latest, Newest, Reader};
    use crate::viewer::keep::recorder::Plan;
    use crate::viewer::watch::news::News;

    fn raw(sequence: u64, size: Size) -> FrameFacts {
        FrameFacts { sequence, captured_at: Micros(0), codec: Codec::Bgr24, size }
    }

    fn newest(reader: &mut Reader<News>) -> Option<News> {
        match reader.newest() {
            Newest::Fresh { value, .. } => Some(value),
            _ => None,
        }
    }

    /// A decoder, its publisher, and a reader of what is published.
    fn decoding() -> (Decoding, Publisher, Reader<News>) {
        let news = Latest::new();
        let reader = news.reader();
        (Decoding::new().expect("a decoder"), Publisher::new(news), reader)
    }

    fn seen_by_nobody(decoding: &mut Decoding) -> Arc<Demand> {
        let demand = Arc::new(Demand::default());
        decoding.look_at(Arc::clone(&demand));
        demand.set(None);
        demand
    }

    #[test]
    fn raw_frames_keep_their_colours_and_gaps_are_counted() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        decoding.begin(Origin { name: "pi".into(), ..Origin::default() });
        let size = Size::new(2, 1);
        // Blue, then red.
        let pixels = [255, 0, 0, 0, 0, 255];
        for sequence in [7, 8, 12, 12] {
            decoding.decode(&raw(sequence, size), None, &pixels, &mut publisher);
        }
        let Some(News::Picture(arrival)) = newest(&mut reader) else { panic!("a picture") };
        assert_eq!(arrival.picture.pixels(), [0x0000_00FF, 0x00FF_0000]);
        assert_eq!(&*arrival.origin.name, "pi");
        let totals = arrival.totals;
        assert_eq!((totals.frames, totals.bytes), (4, 24));
        assert_eq!((totals.skipped, totals.disordered, totals.corrupt), (3, 1, 0));
    }

    #[test]
    fn numbers_that_leap_as_far_as_they_can_are_counted_without_harm() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        for sequence in [1, u64::MAX, 0, u64::MAX, 0, u64::MAX] {
            decoding.decode(&raw(sequence, Size::new(2, 1)), None, &[0; 6], &mut publisher);
        }
        let Some(News::Picture(arrival)) = newest(&mut reader) else { panic!("a picture") };
        assert_eq!((arrival.totals.skipped, arrival.totals.disordered), (u64::MAX, 2));
        let mut statistics = crate::viewer::watch::statistics::Statistics::default();
        statistics.count(&arrival, Instant::now());
        assert_eq!(statistics.skipped(), u64::MAX, "with those that were skipped here");
    }

    #[test]
    fn what_nobody_sees_is_counted_and_not_decoded() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        let demand = seen_by_nobody(&mut decoding);
        decoding.decode(&raw(1, Size::new(2, 1)), None, &[0; 6], &mut publisher);
        assert!(newest(&mut reader).is_none());
        demand.set(Some(Size::new(1, 1)));
        decoding.decode(&raw(3, Size::new(2, 1)), None, &[0; 6], &mut publisher);
        let Some(News::Picture(arrival)) = newest(&mut reader) else { panic!("a picture") };
        let Totals { frames, unseen, skipped, .. } = arrival.totals;
        assert_eq!((frames, unseen, skipped), (1, 1, 1));
    }

    #[test]
    fn that_there_is_no_picture_is_not_said_for_longer_than_it_is_so_though_nobody_looks() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        seen_by_nobody(&mut decoding);
        publisher.notify(NoticeKind::Disconnected, "the camera has left".into());
        for sequence in 1..=3 {
            decoding.decode(&raw(sequence, Size::new(2, 1)), None, &[0; 6], &mut publisher);
        }
        let Some(News::Picture(arrival)) = newest(&mut reader) else { panic!("a picture") };
        assert_eq!((arrival.totals.frames, decoding.totals.unseen), (1, 2));
    }

    #[test]
    fn frames_that_are_no_pictures_are_counted_passed_over_and_in_the_end_told() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        let jpeg = FrameFacts { codec: Codec::Jpeg, ..raw(1, Size::new(2, 1)) };
        decoding.decode(&jpeg, None, b"no JPEG", &mut publisher);
        decoding.decode(&raw(2, Size::new(2, 1)), None, &[0; 5], &mut publisher);
        decoding.decode(&raw(3, Size::new(65_535, 65_535)), None, &[0; 5], &mut publisher);
        assert!(newest(&mut reader).is_none(), "nothing to show, and nothing to say yet");
        for sequence in 4..=9 {
            decoding.decode(&raw(sequence, Size::new(2, 1)), None, &[0; 5], &mut publisher);
        }
        let Some(News::Notice { notice, .. }) = newest(&mut reader) else { panic!("a notice") };
        assert!(notice.text.contains("5 bytes instead of 6"), "{}", notice.text);
        assert_eq!(decoding.totals.corrupt, 9);
    }

    /// Sends five frames that cannot be decoded. Returns the newest notice.
    fn told_of_five_broken(
        decoding: &mut Decoding,
        publisher: &mut Publisher,
        reader: &mut Reader<News>,
    ) -> String {
        for sequence in 1..=5 {
            decoding.decode(&raw(sequence, Size::new(2, 1)), None, &[0; 5], publisher);
        }
        match newest(reader) {
            Some(News::Notice { notice, .. }) => notice.text.clone(),
            _ => "nothing".into(),
        }
    }

    #[test]
    fn that_pictures_cannot_be_shown_is_said_on_each_connection_and_after_what_else_is_said() {
        let (mut decoding, mut publisher, mut reader) = decoding();
        let cannot = "cannot be shown";
        let told = told_of_five_broken(&mut decoding, &mut publisher, &mut reader);
        assert!(told.contains(cannot), "{told}");
        let told = told_of_five_broken(&mut decoding, &mut publisher, &mut reader);
        assert_eq!(told, "nothing", "it stands there");
        publisher.notify(NoticeKind::NoPicture, "the camera starts".into());
        let told = told_of_five_broken(&mut decoding, &mut publisher, &mut reader);
        assert!(told.contains(cannot), "{told}");
        decoding.begin(Origin::default());
        publisher.notify(NoticeKind::NoPicture, "connected".into());
        for sequence in 1..=4 {
            decoding.decode(&raw(sequence, Size::new(2, 1)), None, &[0; 5], &mut publisher);
        }
        let Some(News::Notice { notice, .. }) = newest(&mut reader) else { panic!("a notice") };
        assert_eq!(notice.text, "connected", "a few may be broken");
        let told = told_of_five_broken(&mut decoding, &mut publisher, &mut reader);
        assert!(told.contains(cannot), "{told}");
    }

    #[test]
    fn the_largest_size_of_a_connection_is_held_while_it_is_recorded() {
        let (mut decoding, mut publisher, _reader) = decoding();
        seen_by_nobody(&mut decoding);
        let mut decode = |decoding: &mut Decoding, size: Size| {
            let pixels = vec![0; size.area() * 3];
            decoding.decode(&raw(1, size), None, &pixels, &mut publisher);
            decoding.held_size()
        };
        let (whole, half) = (Size::new(64, 36), Size::new(32, 18));
        decoding.begin(Origin::default());
        assert_eq!(decode(&mut decoding, whole), None);
        assert_eq!(decode(&mut decoding, half), None, "nothing is recorded");
        let folder = tempfile::tempdir().expect("a folder");
        let plan = Plan::file(&folder.path().join("x.mkv"));
        decoding.recorder().start(plan).expect("it starts");
        assert_eq!(decode(&mut decoding, half), Some(whole), "what came before counts");
        decoding.begin(Origin::default());
        assert_eq!(decoding.held_size(), None, "the next camera may have larger pictures");
        assert_eq!(decode(&mut decoding, half), Some(half));
        assert_eq!(decode(&mut decoding, whole), Some(whole));
        decoding.recorder().finish(Instant::now() + Duration::from_secs(10));
        assert_eq!(decode(&mut decoding, half), None);
    }

    #[test]
    fn a_camera_whose_frames_are_broken_has_a_line_a_minute_with_their_number() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        let minute = Duration::from_secs(60);
        assert_eq!(complaints.next(start), Some(0));
        for frame in 1..1000 {
            assert_eq!(complaints.next(start + minute * frame / 1000), None);
        }
        assert_eq!(complaints.next(start + minute), Some(999));
        assert_eq!(complaints.next(start + minute * 2), Some(0));
    }
}
