//! Who gets which frames: decided when something changes, only read when a frame comes.

use super::decode::DecodeTask;
use super::place::Place;
use super::wish::{Captured, Form};
use super::worker::EncodeTask;
use crate::camera::encode::Recipe;
use crate::camera::update::{StreamFacts, Update};
use crate::image::frame::Micros;
use crate::image::orientation::Orientation;
use crate::image::pixels::{Chroma, Size};
use crate::image::planes::Planes;
use crate::image::unpack::Wanted;
use crate::latest::Latest;
use crate::wire::packet::Packet;
use std::sync::Arc;

/// How many forms of the picture may be sent at once: what cannot be shared costs each frame anew.
pub const MAX_RENDITIONS: usize = 4;

/// What is to be done with each frame, until the next plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// For which frames this was decided; `None` while there are none.
    pub(super) captured: Option<(Captured, Arc<StreamFacts>)>,
    /// How many places are watched, those that wait among them.
    pub(super) watched: usize,
    /// Whose viewers get the camera's own JPEGs.
    pub(super) as_captured: Vec<Arc<Place>>,
    /// What is encoded.
    pub(super) made: Vec<Arc<Rendition>>,
    /// Where JPEGs are made into planes for those, while the camera sends JPEGs.
    pub(super) decoder: Option<Arc<Latest<DecodeTask>>>,
}

/// One form in which pictures are sent, and who gets them.
#[derive(Debug)]
pub struct Rendition {
    /// For people: no other has it, nor has one whose thread is just ending.
    pub(super) number: usize,
    pub(super) recipe: Recipe,
    pub(super) places: Vec<Arc<Place>>,
    /// What its thread takes its work from.
    pub(super) tasks: Arc<Latest<EncodeTask>>,
}

impl Rendition {
    /// Whether anybody wants the frame captured `at`.
    pub(super) fn wants(&self, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let form = Form::Made(self.recipe);
        self.places.iter().any(|place| place.wants(form, stream, at))
    }

    /// Publishes a frame to all who want it.
    pub(super) fn publish(&self, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        for place in &self.places {
            place.offer(Form::Made(self.recipe), packet, stream);
        }
    }

    /// Tells all who wait for its frames why there are none.
    pub(super) fn tell(&self, status: &Update, stream: &Arc<StreamFacts>) {
        for place in &self.places {
            place.tell_of(Form::Made(self.recipe), stream, status);
        }
    }
}

impl Plan {
    /// Whether this was decided for such frames.
    pub fn is_for(&self, captured: Captured, stream: &Arc<StreamFacts>) -> bool {
        self.captured
            .as_ref()
            .is_some_and(|(planned, of)| *planned == captured && Arc::ptr_eq(of, stream))
    }

    /// Tells all who wait for renditions why there are none.
    pub(super) fn tell_made(&self, status: &Update, stream: &Arc<StreamFacts>) {
        for rendition in &self.made {
            rendition.tell(status, stream);
        }
    }

    /// Whether anybody watches, or waits to.
    pub fn is_watched(&self) -> bool {
        self.watched > 0
    }

    /// Whether anybody gets the camera's own JPEGs.
    pub fn passes_any(&self) -> bool {
        !self.as_captured.is_empty()
    }

    /// Whether anybody wants the camera's own JPEG captured `at`.
    pub fn wants_as_captured(&self, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        self.as_captured.iter().any(|place| place.wants(Form::AsCaptured, stream, at))
    }

    /// Publishes the camera's own JPEG to all who want it.
    pub fn publish_as_captured(&self, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        for place in &self.as_captured {
            place.offer(Form::AsCaptured, packet, stream);
        }
    }

    /// What planes the renditions want of the frame captured `at`, if any.
    pub fn wanted(&self, stream: &Arc<StreamFacts>, at: Micros) -> Option<Wanted> {
        let mut wanted: Option<Wanted> = None;
        for rendition in self.made.iter().filter(|rendition| rendition.wants(stream, at)) {
            let Recipe { coding, size } = rendition.recipe;
            let so_far = wanted.unwrap_or(Wanted { at_least: size, chroma: Chroma::Yuv420 });
            let width = so_far.at_least.width.max(size.width);
            let height = so_far.at_least.height.max(size.height);
            let chroma =
                if coding.chroma() == Chroma::Yuv422 { Chroma::Yuv422 } else { so_far.chroma };
            wanted = Some(Wanted { at_least: Size::new(width, height), chroma });
        }
        wanted
    }

    /// Hands a JPEG to the thread that makes planes of it, and does to them what `orientation` says.
    pub fn decode(
        self: &Arc<Self>,
        packet: Arc<Packet>,
        orientation: Orientation,
        stream: &Arc<StreamFacts>,
    ) {
        if let Some(decoder) = &self.decoder {
            decoder.publish(DecodeTask {
                packet,
                orientation,
                stream: Arc::clone(stream),
                plan: Arc::clone(self),
            });
        }
    }

    /// Hands shared planes to the threads of all renditions that want them.
    pub fn share(
        &self,
        planes: &Arc<Planes>,
        sequence: u64,
        captured_at: Micros,
        stream: &Arc<StreamFacts>,
    ) {
        for rendition in self.made.iter().filter(|rendition| rendition.wants(stream, captured_at)) {
            rendition.tasks.publish(EncodeTask {
                rendition: Arc::clone(rendition),
                planes: Arc::clone(planes),
                sequence,
                captured_at,
                stream: Arc::clone(stream),
            });
        }
    }
}

/// What becomes of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    AsCaptured,
    /// It gets this recipe's pictures.
    Made(Recipe),
    /// Its wishes are one too many.
    Waits,
}

/// Decides for places in the order they came, with what each comes to and what it has now.
///
/// What is sent already goes on being sent. The camera's own JPEGs cost nothing to pass on, so they are
/// never refused, but they count, as the first of the renditions that a busy machine has to send.
pub(super) fn decide(places: &[(Form, Option<Form>)]) -> Vec<Decision> {
    let mut made: Vec<Recipe> = Vec::with_capacity(MAX_RENDITIONS);
    let passes = usize::from(places.iter().any(|(form, _)| *form == Form::AsCaptured));
    let goes_on = |(form, now): &(Form, Option<Form>)| *now == Some(*form);
    for (form, _) in places.iter().filter(|place| goes_on(place)) {
        if let Form::Made(recipe) = form
            && !made.contains(recipe)
        {
            made.push(*recipe);
        }
    }
    let mut decision = |&(form, _): &(Form, Option<Form>)| match form {
        Form::AsCaptured => Decision::AsCaptured,
        Form::Made(recipe) if made.contains(&recipe) => Decision::Made(recipe),
        Form::Made(recipe) if made.len() + passes < MAX_RENDITIONS => {
            made.push(recipe);
            Decision::Made(recipe)
        }
        Form::Made(_) => Decision::Waits,
    };
    places.iter().map(&mut decision).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;

    fn made(width: usize) -> Form {
        Form::Made(Recipe { coding: Coding::Bgr24, size: Size::new(width, 1) })
    }

    fn decisions(places: &[(Form, Option<Form>)]) -> String {
        let letter = |decision| match decision {
            Decision::AsCaptured => 'c',
            Decision::Made(_) => 'm',
            Decision::Waits => 'w',
        };
        decide(places).into_iter().map(letter).collect()
    }

    #[test]
    fn four_renditions_are_sent_and_the_fifth_waits() {
        let new = |width| (made(width), None);
        assert_eq!(decisions(&[new(1), new(2), new(3), new(4), new(5), new(4)]), "mmmmwm");
        let pass = (Form::AsCaptured, None);
        assert_eq!(decisions(&[new(1), pass, new(2), new(3), new(4), pass]), "mcmmwc");
    }

    #[test]
    fn what_is_sent_goes_on_whoever_came_first() {
        let sent = |width| (made(width), Some(made(width)));
        let waits = |width| (made(width), None);
        // Recipe 9 was first wished for by somebody who has left; the one who shares it came last.
        assert_eq!(decisions(&[sent(1), sent(2), sent(3), waits(5), sent(9)]), "mmmwm");
        // The camera's own JPEGs are let in beside four, and then the next to leave makes no room.
        let pass = (Form::AsCaptured, None);
        assert_eq!(decisions(&[sent(1), sent(2), sent(3), sent(4), pass]), "mmmmc");
        assert_eq!(decisions(&[sent(2), sent(3), sent(4), waits(5), pass]), "mmmwc");
    }
}
