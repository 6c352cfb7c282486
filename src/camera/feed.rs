//! The capture thread's part for each frame: passes JPEGs on first, hands the rest of the work to others.

use super::encode::EncodeError;
use super::figures::Figures;
use super::jpegs::Jpegs;
use super::roster::Roster;
use super::roster::plan::Plan;
use super::roster::wish::Captured;
use super::update::{StreamFacts, Update};
use crate::clock;
use crate::image::frame::{Content, Frame, RawFrame, SharedFrame};
use crate::image::jpeg::repair::Examined;
use crate::image::orientation::Orientation;
use crate::image::pixels::Colour;
use crate::image::planes::Planes;
use crate::image::planes_pool::PlanesPool;
use crate::image::unpack::{RawLook, Unpacker, Wanted};
use crate::wire::packet::{Codec, FrameFacts};
use std::convert::Infallible;
use std::sync::Arc;

/// What a frame goes through before its memory is given back to the camera.
#[derive(Debug)]
pub struct Feed {
    roster: Arc<Roster>,
    jpegs: Jpegs,
    planes: PlanesPool,
    unpacker: Unpacker,
    /// Of the JPEGs passed through, while there are any.
    passed: Option<Figures>,
    /// The stream that those who look for cameras were told of.
    shown: Option<Arc<StreamFacts>>,
}

/// Whether anybody wants frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Somebody, or waits to.
    Yes,
    /// Nobody: the frame was not even looked at.
    No,
}

impl Feed {
    /// For all who are on the `roster`; of a sensor's samples it makes what `look` says.
    pub fn new(roster: Arc<Roster>, look: RawLook) -> Self {
        Self {
            roster,
            jpegs: Jpegs::default(),
            planes: PlanesPool::default(),
            unpacker: Unpacker::new(look),
            passed: None,
            shown: None,
        }
    }

    /// Reads a frame once, for everyone who wants it. `news` is what a viewer is told who comes before the
    /// next frame.
    ///
    /// # Errors
    /// When it cannot be sent; nobody gets it then.
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

    /// Tells once for each stream what there is to see, though nobody may watch.
    fn show(&mut self, frame: &Frame<'_>, stream: &Arc<StreamFacts>, news: &Update) {
        if self.shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, stream)) {
            return;
        }
        self.roster.show(captured(frame), stream);
        self.roster.is_well(news);
        self.shown = Some(Arc::clone(stream));
    }

    /// Whether anybody waits for frames while the camera gives no frames.
    pub fn watched(&self) -> Watched {
        if self.roster.plan().is_watched() { Watched::Yes } else { Watched::No }
    }

    /// Pictures come again: who comes now is told `news`, and not why there were none.
    pub fn is_well(&self, news: &Update) {
        self.roster.is_well(news);
    }

    /// Tells everyone why there is none.
    pub fn no_picture(&self, status: &Update) {
        self.roster.no_picture(status);
    }

    /// One copy, turned where it must be, published to those who want it as it is; then whoever makes something else of it has time.
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
            // Turning planes costs less than turning a JPEG.
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

    /// One reading, into planes that all renditions start from.
    fn raw(
        &mut self,
        frame: &Frame<'_>,
        raw: &RawFrame<'_>,
        plan: &Plan,
        stream: &Arc<StreamFacts>,
    ) {
        let Some(wanted) = plan.due(stream, frame.captured_at).planes else { return };
        let planes = self.unpacked(raw, wanted);
        plan.share(&planes, frame.sequence, frame.captured_at, stream);
    }

    /// No reading at all, where the planes are what renditions start from as they are.
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
            let planes = self.unpacked(&shared.raw(), wanted);
            plan.share(&planes, frame.sequence, frame.captured_at, stream);
        }
    }

    fn unpacked(&mut self, raw: &RawFrame<'_>, wanted: Wanted) -> Arc<Planes> {
        let unpacker = &mut self.unpacker;
        let Ok(planes) = self.planes.filled(|planes| {
            unpacker.unpack(raw, wanted, planes);
            Ok::<_, Infallible>(())
        });
        planes
    }

    /// Nobody gets the camera's own JPEGs any more: what that took is told.
    fn end_of_passing(&mut self) {
        if let Some(mut figures) = self.passed.take() {
            figures.memory = self.jpegs.memory();
            log::log!(figures.level(), "nobody watches the camera's own JPEGs any more: {figures}");
        }
    }

    /// Nobody wants frames any more, and their memory is given back.
    fn end_of_all(&mut self) {
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

/// What viewers get of a frame, before any wish: its format, and its size once it stands upright.
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
    use crate::image::pixels::Size;
    use crate::image::size_wish::SizeWish;
    use crate::rate::Rate;
    use crate::source::test_pattern::TestPattern;
    use crate::source::{FrameSource, Next};
    use crate::stop::Stop;
    use crate::wire::native::message::StatusCode;

    /// Seen where the camera's node belonged to its group a moment after the camera was first tried: who came
    /// later was told that it could not be opened, as long as nobody had ever waited for a frame.
    #[test]
    fn who_comes_when_there_are_frames_is_not_told_why_there_were_none() {
        let told = |code| Update::Status(Arc::new(StatusText { code, text: String::new() }));
        let own = Wish::own(Coding::Bgr24, SizeWish::default());
        let metrics = Arc::new(Metrics::new(clock::now()));
        let roster = Roster::new(own, &metrics).expect("a descriptor is free");
        let mut feed = Feed::new(Arc::clone(&roster), RawLook::default());
        feed.no_picture(&told(StatusCode::CameraRefused));

        let size = Size::new(64, 48);
        let mut source = TestPattern::new(size, Rate(1_000_000));
        let stream = Arc::new(StreamFacts { source: source.description(), rate: Rate::NONE, size });
        let stop = Stop::new().expect("a descriptor is free");
        let Ok(Next::Frame(frame)) = source.next_frame(&stop) else { panic!("no frame") };
        let watched = feed.frame(&frame, &stream, &told(StatusCode::Starting)).expect("is read");

        assert_eq!(watched, Watched::No);
        let news = roster.situation().news.expect("something is told");
        assert_eq!(news.code, StatusCode::Starting);
    }
}
