//! What to do with each frame. Decided when a viewer comes, goes or changes its wish; only read
//! when a frame comes.

use super::inbox::Inbox;
use super::rendition::Rendition;
use super::wish::{Captured, Form};
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

/// What to do with each frame, until the next plan.
#[derive(Debug, Default)]
pub struct Plan {
    /// The kind of frames that this plan was made for; `None` while the camera gives no frames.
    pub(super) captured: Option<(Captured, Arc<StreamFacts>)>,
    /// How many viewers there are, including those that wait for a free form.
    pub(super) viewers: usize,
    /// The viewers that get the camera's own JPEGs.
    pub(super) as_captured: Vec<Arc<Inbox>>,
    /// The renditions that are encoded.
    pub(super) made: Vec<Arc<Rendition>>,
    /// The thread that decodes JPEGs for the renditions, while the camera sends JPEGs.
    pub(super) decoder: Option<Arc<Latest<DecodeTask>>>,
}

/// A JPEG from which renditions are to be made.
#[derive(Debug, Clone)]
pub(super) struct DecodeTask {
    pub(super) packet: Arc<Packet>,
    /// How its planes still have to be turned.
    pub(super) orientation: Orientation,
    pub(super) stream: Arc<StreamFacts>,
    /// The plan with the renditions.
    pub(super) plan: Arc<Plan>,
}

/// What is due of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Whether a viewer gets the frame as captured.
    pub as_captured: bool,
    /// The planes that the renditions need, if any rendition is due.
    pub planes: Option<Wanted>,
}

impl Plan {
    /// Whether this plan was made for such frames.
    pub fn is_for(&self, captured: Captured, stream: &Arc<StreamFacts>) -> bool {
        self.captured
            .as_ref()
            .is_some_and(|(planned, of)| *planned == captured && Arc::ptr_eq(of, stream))
    }

    /// Whether anybody watches or waits.
    pub fn is_watched(&self) -> bool {
        self.viewers > 0
    }

    /// Whether anybody gets the camera's own JPEGs.
    pub fn passes_any(&self) -> bool {
        !self.as_captured.is_empty()
    }

    /// What is due of the frame captured `at`. Must be called once for each frame, in the order of
    /// capture.
    pub fn due(&self, stream: &Arc<StreamFacts>, at: Micros) -> Due {
        // Ask every inbox, without stopping at the first: each learns the frame rate from every
        // frame.
        let as_captured = self
            .as_captured
            .iter()
            .fold(false, |due, inbox| inbox.is_due(Form::AsCaptured, stream, at) | due);
        let planes = self
            .made
            .iter()
            .filter(|rendition| rendition.is_due(stream, at))
            .fold(None, |wanted, rendition| Some(with(wanted, rendition.recipe)));
        Due { as_captured, planes }
    }

    /// Which planes of the frame captured `at` are still wanted.
    pub(super) fn still_wanted(&self, stream: &Arc<StreamFacts>, at: Micros) -> Option<Wanted> {
        self.made
            .iter()
            .filter(|rendition| rendition.is_still_due(stream, at))
            .fold(None, |wanted, rendition| Some(with(wanted, rendition.recipe)))
    }

    /// Publishes the camera's own JPEG to all who want it.
    pub fn publish_as_captured(&self, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        for inbox in &self.as_captured {
            inbox.offer(Form::AsCaptured, packet, stream);
        }
    }

    /// Hands a JPEG to the thread that decodes it and turns its planes by `orientation`.
    pub fn decode(
        self: &Arc<Self>,
        packet: Arc<Packet>,
        orientation: Orientation,
        stream: &Arc<StreamFacts>,
    ) {
        if let Some(decoder) = &self.decoder {
            let (stream, plan) = (Arc::clone(stream), Arc::clone(self));
            decoder.publish(DecodeTask { packet, orientation, stream, plan });
        }
    }

    /// Hands shared planes to the threads of all renditions that are due.
    pub fn share(
        &self,
        planes: &Arc<Planes>,
        sequence: u64,
        captured_at: Micros,
        stream: &Arc<StreamFacts>,
    ) {
        for rendition in &self.made {
            rendition.make_of(planes, sequence, captured_at, stream);
        }
    }

    /// Tells the viewers of every rendition why they get no frames.
    pub(super) fn tell_made(&self, status: &Update, stream: &Arc<StreamFacts>) {
        for rendition in &self.made {
            rendition.tell(status, stream);
        }
    }
}

/// Extends `wanted` so that the planes also suffice for this recipe.
fn with(wanted: Option<Wanted>, Recipe { coding, size }: Recipe) -> Wanted {
    let so_far = wanted.unwrap_or(Wanted { at_least: size, chroma: Chroma::Yuv420 });
    let width = so_far.at_least.width.max(size.width);
    let height = so_far.at_least.height.max(size.height);
    let chroma = if coding.chroma() == Chroma::Yuv422 { Chroma::Yuv422 } else { so_far.chroma };
    Wanted { at_least: Size::new(width, height), chroma }
}
