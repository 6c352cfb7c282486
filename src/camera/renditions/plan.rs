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

/// What a place claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// What its wish comes to.
    pub(super) form: Form,
    /// What it has now.
    pub(super) now: Option<Form>,
    pub(super) standing: Standing,
    pub(super) right: Right,
}

/// Whether a form may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// What the camera's owner chose: whoever asks for nothing special gets it, whatever others ask for.
    Always,
    /// What a viewer chose, while there is room.
    WhileThereIsRoom,
}

/// On what grounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Somebody watches it who asked for it.
    Asked,
    /// All who asked for it are on lower rungs, and may come back: it is theirs, and costs nothing meanwhile.
    Kept,
    /// It is watched by those only who had asked for more.
    Rung,
}

/// Decides for places in the order they came.
///
/// What is sent already goes on being sent. What the camera's owner chose is never refused, and neither are the camera's own
/// JPEGs, which cost nothing to pass on; but they count, as the first of the renditions that a busy machine has to send. What
/// was asked for comes before any lower rung.
pub(super) fn decide(claims: &[Claim]) -> Vec<Decision> {
    let passes = usize::from(claims.iter().any(|claim| claim.form == Form::AsCaptured));
    let room = MAX_RENDITIONS.saturating_sub(passes);
    let asked = granted(claims, |standing| standing != Standing::Rung, always(claims), room);
    let is_made = |recipe: &Recipe| {
        let here = Form::Made(*recipe);
        claims.iter().any(|claim| claim.form == here && claim.standing == Standing::Asked)
    };
    let made: Vec<_> = asked.iter().copied().filter(is_made).collect();
    let rungs = granted(claims, |standing| standing == Standing::Rung, made, room);
    let decision = |claim: &Claim| match (claim.form, claim.standing) {
        (Form::AsCaptured, _) => Decision::AsCaptured,
        (Form::Made(recipe), Standing::Rung) if rungs.contains(&recipe) => Decision::Made(recipe),
        (Form::Made(recipe), Standing::Asked | Standing::Kept) if asked.contains(&recipe) => {
            Decision::Made(recipe)
        }
        (Form::Made(_), _) => Decision::Waits,
    };
    claims.iter().map(decision).collect()
}

/// What is made whatever else is.
fn always(claims: &[Claim]) -> Vec<Recipe> {
    let mut made = Vec::new();
    for claim in claims.iter().filter(|claim| claim.right == Right::Always) {
        if let Form::Made(recipe) = claim.form
            && claim.standing != Standing::Rung
            && !made.contains(&recipe)
        {
            made.push(recipe);
        }
    }
    made
}

/// Adds what claims of these standings get to what is `made` anyway: first what goes on, then what is new.
fn granted(
    claims: &[Claim],
    counts: impl Fn(Standing) -> bool,
    mut made: Vec<Recipe>,
    room: usize,
) -> Vec<Recipe> {
    let goes_on = |claim: &&Claim| claim.now == Some(claim.form);
    let here = || claims.iter().filter(|claim| counts(claim.standing));
    for claim in here().filter(goes_on) {
        // Even where the camera's own JPEGs have come in beside four.
        if let Form::Made(recipe) = claim.form
            && !made.contains(&recipe)
            && (made.len() < room || claim.standing != Standing::Rung)
        {
            made.push(recipe);
        }
    }
    for claim in here() {
        if let Form::Made(recipe) = claim.form
            && !made.contains(&recipe)
            && made.len() < room
        {
            made.push(recipe);
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;

    fn made(width: usize) -> Form {
        Form::Made(Recipe { coding: Coding::Bgr24, size: Size::new(width, 1) })
    }

    fn decisions(claims: &[Claim]) -> String {
        let letter = |decision| match decision {
            Decision::AsCaptured => 'c',
            Decision::Made(_) => 'm',
            Decision::Waits => 'w',
        };
        decide(claims).into_iter().map(letter).collect()
    }

    fn new(form: Form, standing: Standing) -> Claim {
        Claim { form, now: None, standing, right: Right::WhileThereIsRoom }
    }

    fn sent(form: Form, standing: Standing) -> Claim {
        Claim { form, now: Some(form), standing, right: Right::WhileThereIsRoom }
    }

    #[test]
    fn what_the_owner_chose_is_made_beside_four_others_and_counts() {
        let ask = |width| new(made(width), Standing::Asked);
        let own = Claim { right: Right::Always, ..ask(9) };
        let goes_on = |width| sent(made(width), Standing::Asked);
        let four = [goes_on(1), goes_on(2), goes_on(3), goes_on(4)];
        assert_eq!(decisions(&[&four[..], &[own]].concat()), "mmmmm");
        assert_eq!(decisions(&[&four[..], &[own, ask(5), own]].concat()), "mmmmmwm");
        // With it, one fewer begins; and when one of five leaves, nobody takes its place.
        assert_eq!(decisions(&[ask(1), own, ask(2), ask(3), ask(4)]), "mmmmw");
        assert_eq!(decisions(&[goes_on(1), goes_on(2), goes_on(3), own, ask(5)]), "mmmmw");
        // Two of them: the camera's own picture, and the tutorial's.
        let tutorial = Claim { right: Right::Always, ..ask(8) };
        assert_eq!(decisions(&[&four[..], &[own, tutorial]].concat()), "mmmmmm");
    }

    #[test]
    fn four_renditions_are_sent_and_the_fifth_waits() {
        let ask = |width| new(made(width), Standing::Asked);
        assert_eq!(decisions(&[ask(1), ask(2), ask(3), ask(4), ask(5), ask(4)]), "mmmmwm");
        let pass = new(Form::AsCaptured, Standing::Asked);
        assert_eq!(decisions(&[ask(1), pass, ask(2), ask(3), ask(4), pass]), "mcmmwc");
    }

    #[test]
    fn what_is_sent_goes_on_whoever_came_first() {
        let goes_on = |width| sent(made(width), Standing::Asked);
        let waits = |width| new(made(width), Standing::Asked);
        // Recipe 9 was first wished for by somebody who has left; the one who shares it came last.
        let all = [goes_on(1), goes_on(2), goes_on(3), waits(5), goes_on(9)];
        assert_eq!(decisions(&all), "mmmwm");
        // The camera's own JPEGs are let in beside four, and then the next to leave makes no room.
        let pass = new(Form::AsCaptured, Standing::Asked);
        let all = [goes_on(1), goes_on(2), goes_on(3), goes_on(4), pass];
        assert_eq!(decisions(&all), "mmmmc");
        assert_eq!(decisions(&[goes_on(2), goes_on(3), goes_on(4), waits(5), pass]), "mmmwc");
    }

    #[test]
    fn lower_rungs_take_what_is_left_and_give_way() {
        let asked = |width| sent(made(width), Standing::Asked);
        let asks = |width| new(made(width), Standing::Asked);
        let kept = |width| sent(made(width), Standing::Kept);
        let on = |width| sent(made(width), Standing::Rung);
        let wants = |width| new(made(width), Standing::Rung);
        // What is kept costs nothing: its viewer's lower rung takes its place.
        assert_eq!(decisions(&[asked(1), asked(2), asked(3), kept(4), wants(9)]), "mmmmm");
        assert_eq!(decisions(&[asked(1), asked(2), asked(3), kept(4), on(9), wants(8)]), "mmmmmw");
        // Nobody new gets what is kept, and whoever comes back finds it: the rung gives way.
        assert_eq!(decisions(&[asked(1), asked(2), asked(3), kept(4), asks(5)]), "mmmmw");
        assert_eq!(decisions(&[asked(1), asked(2), asked(3), asked(4), on(9)]), "mmmmw");
        // Who asks comes before who stands lower, and what both want is shared.
        assert_eq!(decisions(&[asked(1), kept(2), on(7), on(8), on(9), asks(3)]), "mmmmwm");
        assert_eq!(decisions(&[asked(1), asked(2), asked(3), asks(9), on(9)]), "mmmmm");
        // Beside the camera's own JPEGs there are three.
        let pass = new(Form::AsCaptured, Standing::Asked);
        assert_eq!(decisions(&[pass, asked(1), kept(2), on(8), wants(9)]), "cmmmm");
        assert_eq!(decisions(&[pass, asked(1), asked(2), on(8), wants(9)]), "cmmmw");
    }
}
