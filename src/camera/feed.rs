//! What the capture thread does with each frame: passes JPEGs to viewers first, then hands the rest
//! of the work to other threads.

use super::encode::EncodeError;
use super::figures::Figures;
use super::jpegs::Jpegs;
use super::roster::Roster;
use super::roster::plan::Plan;
use super::roster::wish::Captured;
use super::unpacking::SharedUnpacker;
use super::update::{StreamFacts, Update};
use crate::clock;
use crate::image::frame::{Content, Frame, Micros, RawFrame, SharedFrame};
use crate::image::jpeg::repair::Examined;
use crate::image::orientation::Orientation;
use crate::image::pixels::Colour;
use crate::image::planes::Planes;
use crate::image::planes_pool::PlanesPool;
use crate::image::unpack::{RawLook, Wanted};
use crate::wire::packet::{Codec, FrameFacts};
use std::convert::Infallible;
use std::sync::Arc;

/// Processes a frame until its memory can be given back to the camera.
#[derive(Debug)]
pub struct Feed {
    roster: Arc<Roster>,
    jpegs: Jpegs,
    planes: PlanesPool,
    unpacker: SharedUnpacker,
    /// The figures of the JPEGs that are passed through, while there are any.
    passed: Option<Figures>,
    /// The stream that was last announced to those who look for cameras.
    shown: Option<Arc<StreamFacts>>,
}

/// Whether anybody wants frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// A viewer watches or waits for a picture.
    Yes,
    /// Nobody watches. The frame was not read.
    No,
}

impl Feed {
    /// Feeds all viewers on the `roster`. `look` sets how a sensor's raw samples are developed.
    pub fn new(roster: Arc<Roster>, look: RawLook) -> Self {
        let unpacker = SharedUnpacker::new(look, roster.encode_threads());
        Self {
            roster,
            jpegs: Jpegs::default(),
            planes: PlanesPool::default(),
            unpacker,
            passed: None,
            shown: None,
        }
    }

    /// Reads a frame once, for all viewers that want it. `news` is the status for viewers that
    /// connect before the next frame.
    ///
    /// # Errors
    /// When the frame cannot be sent. No viewer gets it then.
    pub fn frame(
        &mut self,
        frame: &Frame<'_>,
        stream: &Arc<StreamFacts>,
        news: &Update,
    ) -> Result<Watched, EncodeError> {
        self.show(frame, stream, news);
        let mut plan = self.roster.plan();
        if !plan.passes_any() {
            self.end_of_passing();
        }
        if !plan.is_watched() {
            self.end_of_all();
            return Ok(Watched::No);
        }
        let captured = captured(frame);
        if !plan.is_for(captured, stream) {
            self.roster.show(captured, stream);
            plan = self.roster.begin(captured, stream, news.clone());
        }
        match &frame.content {
            Content::Jpeg(picture) => self.jpeg(frame, picture, &plan, stream)?,
            Content::Raw(raw) => self.raw(frame, raw, &plan, stream),
            Content::Shared(shared) => self.shared(frame, shared, &plan, stream),
        }
        Ok(Watched::Yes)
    }

    /// Announces the stream once, even if nobody watches.
    fn show(&mut self, frame: &Frame<'_>, stream: &Arc<StreamFacts>, news: &Update) {
        if self.shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, stream)) {
            return;
        }
        self.roster.show(captured(frame), stream);
        self.roster.is_well(news);
        self.shown = Some(Arc::clone(stream));
    }

    /// Whether anybody watches or waits, asked while the camera gives no frames. If nobody does, frees
    /// the memory for them.
    pub fn watched(&mut self) -> Watched {
        if self.roster.plan().is_watched() {
            return Watched::Yes;
        }
        self.end_of_passing();
        self.end_of_all();
        Watched::No
    }

    /// Pictures come again. Viewers that connect now are told `news`, no longer the old reason why
    /// there were none.
    pub fn is_well(&self, news: &Update) {
        self.roster.is_well(news);
    }

    /// Tells every viewer why there is no picture.
    pub fn no_picture(&self, status: &Update) {
        self.roster.no_picture(status);
    }

    /// Copies a JPEG once, turns it where needed, and publishes it to those who get it as captured.
    /// Only then hands it to the thread that decodes for renditions.
    fn jpeg(
        &mut self,
        frame: &Frame<'_>,
        picture: &Examined<'_>,
        plan: &Arc<Plan>,
        stream: &Arc<StreamFacts>,
    ) -> Result<(), EncodeError> {
        let due = plan.due(stream, frame.captured_at);
        if !due.as_captured && due.planes.is_none() {
            return Ok(());
        }
        let started = clock::now();
        let Frame { sequence, captured_at, .. } = *frame;
        let facts = FrameFacts { sequence, captured_at, codec: Codec::Jpeg, size: picture.size() };
        let (packet, still_to_do) = if due.as_captured {
            (self.jpegs.turned(picture, facts)?, Orientation::UPRIGHT)
        } else {
            // Turning the decoded planes costs less than turning the JPEG.
            (self.jpegs.copied(picture, facts)?, picture.orientation())
        };
        if due.as_captured {
            plan.publish_as_captured(&packet, stream);
            let ended = clock::now();
            let figures = self.passed.get_or_insert_with(|| Figures::new(started));
            figures.count(packet.payload().len(), started, ended);
        }
        if due.planes.is_some() {
            plan.decode(packet, still_to_do, stream);
        }
        Ok(())
    }

    /// Reads a raw frame once, into planes from which all renditions start.
    fn raw(
        &mut self,
        frame: &Frame<'_>,
        raw: &RawFrame<'_>,
        plan: &Plan,
        stream: &Arc<StreamFacts>,
    ) {
        let Some(wanted) = plan.due(stream, frame.captured_at).planes else { return };
        let planes = self.unpacked(raw, wanted, frame.captured_at);
        plan.share(&planes, frame.sequence, frame.captured_at, stream);
    }

    /// Passes shared planes on without copying, if renditions can start from them unchanged.
    fn shared(
        &mut self,
        frame: &Frame<'_>,
        shared: &SharedFrame<'_>,
        plan: &Plan,
        stream: &Arc<StreamFacts>,
    ) {
        let Some(wanted) = plan.due(stream, frame.captured_at).planes else { return };
        let is_ready = shared.layout.orientation == Orientation::UPRIGHT
            && shared.layout.colour == Colour::JPEG
            && shared.planes.chroma() == wanted.chroma;
        if is_ready {
            plan.share(shared.planes, frame.sequence, frame.captured_at, stream);
        } else {
            let planes = self.unpacked(&shared.raw(), wanted, frame.captured_at);
            plan.share(&planes, frame.sequence, frame.captured_at, stream);
        }
    }

    fn unpacked(&mut self, raw: &RawFrame<'_>, wanted: Wanted, captured_at: Micros) -> Arc<Planes> {
        let unpacker = &mut self.unpacker;
        let Ok(planes) = self.planes.filled(|planes| {
            unpacker.unpack(raw, wanted, captured_at, planes);
            Ok::<_, Infallible>(())
        });
        planes
    }

    /// Nobody gets the camera's own JPEGs any more: logs what they cost.
    fn end_of_passing(&mut self) {
        if let Some(mut figures) = self.passed.take() {
            figures.memory = self.jpegs.memory();
            log::log!(figures.level(), "nobody watches the camera's own JPEGs any more: {figures}");
        }
    }

    /// Nobody wants frames any more: frees the memory for them.
    fn end_of_all(&mut self) {
        self.unpacker.rest();
        let memory = self.planes.memory();
        if memory > 0 {
            log::debug!("frames are not unpacked any more; the planes took {} kB", memory / 1000);
            self.planes.clear();
        }
        if self.jpegs.memory() > 0 {
            self.jpegs = Jpegs::default();
        }
    }
}

/// What a frame is without any viewer's wish: its format, and its size once it is upright.
fn captured(frame: &Frame<'_>) -> Captured {
    Captured { format: frame.format(), size: frame.upright_size() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::camera::metrics::Metrics;
    use crate::camera::roster::wish::Wish;
    use crate::camera::update::StatusText;
    use crate::image::pixels::{Chroma, Size};
    use crate::image::size_wish::SizeWish;
    use crate::rate::Rate;
    use crate::source::test_pattern::TestPattern;
    use crate::source::{FrameSource, Next};
    use crate::stop::Stop;
    use crate::wire::native::message::StatusCode;

    fn feed(roster: &Arc<Roster>) -> Feed {
        Feed::new(Arc::clone(roster), RawLook::default())
    }

    fn roster() -> Arc<Roster> {
        let own = Wish::own(Coding::Bgr24, SizeWish::default());
        let metrics = Arc::new(Metrics::new(clock::now()));
        Roster::new(own, 1, &metrics).expect("a descriptor is free")
    }

    #[test]
    fn what_frames_needed_is_freed_though_no_frame_comes_after_the_last_viewer() {
        let mut feed = feed(&roster());
        let size = Size::new(64, 48);
        let mut source = TestPattern::new(size, Rate(1_000_000));
        let stop = Stop::new().expect("a descriptor is free");
        let Ok(Next::Frame(frame)) = source.next_frame(&stop) else { panic!("no frame") };
        let Content::Raw(raw) = frame.content else { panic!("a JPEG") };
        let wanted = Wanted { chroma: Chroma::Yuv420, at_least: size };
        drop(feed.unpacked(&raw, wanted, frame.captured_at));
        assert!(feed.planes.memory() > 0);
        assert_eq!(feed.watched(), Watched::No);
        assert_eq!(feed.planes.memory(), 0);
    }

    /// Regression: the camera's node got its group a moment after lancam first tried to open it. As
    /// long as nobody had watched, every new viewer was told that the camera could not be opened.
    #[test]
    fn who_comes_when_there_are_frames_is_not_told_why_there_were_none() {
        let told = |code| Update::Status(Arc::new(StatusText { code, text: String::new() }));
        let roster = roster();
        let mut feed = feed(&roster);
        feed.no_picture(&told(StatusCode::CameraRefused));

        let size = Size::new(64, 48);
        let mut source = TestPattern::new(size, Rate(1_000_000));
        let description = source.description();
        let facts =
            StreamFacts { source: description.clone(), told: description, rate: Rate::NONE, size };
        let stream = Arc::new(facts);
        let stop = Stop::new().expect("a descriptor is free");
        let Ok(Next::Frame(frame)) = source.next_frame(&stop) else { panic!("no frame") };
        let watched = feed.frame(&frame, &stream, &told(StatusCode::Starting)).expect("is read");

        assert_eq!(watched, Watched::No);
        let news = roster.situation().news.expect("something is told");
        assert_eq!(news.code, StatusCode::Starting);
    }
}
