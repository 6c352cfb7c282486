//! Whose places are taken: by those who asked for them, kept for those, or stood on by those on a lower rung.

use super::place::{Grant, Place};
use super::plan::{Claim, Decision, Right, Standing, decide};
use super::wish::{Captured, Wish};
use std::sync::Arc;

/// All places, in the order they were taken.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// What the camera's owner chose.
    own: Wish,
    taken: Vec<Taken>,
}

/// A place, and how many there are to whom it matters.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) place: Arc<Place>,
    /// They asked for this, and watch it.
    asked: usize,
    /// They asked for this, and are on a lower rung for now.
    away: usize,
    /// They watch this, and had asked for more.
    below: usize,
}

/// Why a viewer stays on its rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlace {
    /// The camera's own JPEGs are what they are.
    NotEncoded,
    /// All renditions that may be made are made for others.
    Full,
}

impl Taken {
    fn new(place: &Arc<Place>) -> Self {
        Self { place: Arc::clone(place), asked: 0, away: 0, below: 0 }
    }

    /// How many watch.
    fn viewers(&self) -> usize {
        self.asked + self.below
    }

    /// Whether anybody watches.
    pub(super) fn is_watched(&self) -> bool {
        self.viewers() > 0
    }

    fn standing(&self) -> Standing {
        match self {
            Self { asked: 1.., .. } => Standing::Asked,
            // What is kept for somebody is his before it is another's lower rung.
            Self { away: 1.., below: 0, .. } => Standing::Kept,
            Self { away: 1.., .. } => Standing::Asked,
            _ => Standing::Rung,
        }
    }

    /// What this comes to, and has now, on a camera whose owner chose `own`.
    fn claim(&self, captured: Captured, own: &Wish) -> Claim {
        let now = match self.place.grant() {
            Grant::Frames(form, _) => Some(form),
            Grant::Nothing | Grant::Waiting(_) => None,
        };
        let form = self.place.wish.form(captured);
        let right = if self.place.wish.is_the_owners() || form == own.form(captured) {
            Right::Always
        } else {
            Right::WhileThereIsRoom
        };
        Claim { form, now, standing: self.standing(), right }
    }
}

impl Places {
    /// Nobody watches yet; the camera's owner chose `own`.
    pub(super) fn new(own: Wish) -> Self {
        Self { own, taken: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Taken> {
        self.taken.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// How many watch.
    pub(super) fn viewers(&self) -> usize {
        self.taken.iter().map(Taken::viewers).sum()
    }

    /// All that a plan depends on besides the wishes.
    pub(super) fn outline(&self) -> Vec<(*const Place, Standing, bool)> {
        let outline =
            |taken: &Taken| (Arc::as_ptr(&taken.place), taken.standing(), taken.is_watched());
        self.taken.iter().map(outline).collect()
    }

    /// What each gets.
    pub(super) fn decide(&self, captured: Captured) -> Vec<Decision> {
        let claims: Vec<_> =
            self.taken.iter().map(|taken| taken.claim(captured, &self.own)).collect();
        decide(&claims)
    }

    /// Which wish that is fulfilled now comes nearest to `wish`: the owner's always is. At the rate of `wish`.
    pub(super) fn nearest(&self, wish: &Wish, captured: Captured) -> Wish {
        let is_sent = |taken: &&Taken| {
            let is_granted = matches!(taken.place.grant(), Grant::Frames(..));
            is_granted && taken.is_watched() && taken.standing() == Standing::Asked
        };
        let sent = self.taken.iter().filter(is_sent).map(|taken| taken.place.wish);
        let distances = [self.own].into_iter().chain(sent).filter_map(|there| {
            let distance = wish.distance(&there, captured)?;
            Some((distance, there))
        });
        let nearest = distances.min_by_key(|(distance, _)| *distance);
        let nearest = nearest.map_or(self.own, |(_, there)| there);
        nearest.at_the_rate_of(wish)
    }

    /// Somebody asks for this. Returns his place.
    pub(super) fn join(&mut self, wish: Wish) -> Arc<Place> {
        let taken = self.with(wish);
        taken.asked += 1;
        Arc::clone(&taken.place)
    }

    /// Somebody leaves what he asked for, and where he stands instead.
    pub(super) fn leave(&mut self, asked: &Arc<Place>, rung: Option<&Arc<Place>>) {
        match rung {
            Some(rung) => {
                self.at(asked, |taken| taken.away -= 1);
                self.at(rung, |taken| taken.below -= 1);
            }
            None => self.at(asked, |taken| taken.asked -= 1),
        }
        self.taken.retain(|Taken { asked, away, below, .. }| asked + away + below > 0);
    }

    /// Somebody who asked for `asked`, and stands on the rung `from`, goes to another; `None` is what he asked for.
    /// There is always a place for that; for a rung, where one is made for it or may be. Returns the rung's place.
    pub(super) fn step(
        &mut self,
        asked: &Arc<Place>,
        from: Option<&Arc<Place>>,
        to: Option<Wish>,
        captured: Option<Captured>,
    ) -> Result<Option<Arc<Place>>, NoPlace> {
        let mut next = self.clone();
        let place = match to {
            None => {
                next.at(asked, |taken| taken.asked += 1);
                None
            }
            Some(wish) => {
                let captured = captured.ok_or(NoPlace::NotEncoded)?;
                if !asked.wish.is_encoded(captured) {
                    return Err(NoPlace::NotEncoded);
                }
                next.at(asked, |taken| taken.away += 1);
                let taken = next.with(wish);
                taken.below += 1;
                Some(Arc::clone(&taken.place))
            }
        };
        next.leave(asked, from);
        if let (Some(place), Some(captured)) = (&place, captured) {
            let decisions = next.decide(captured);
            let is_it = |taken: &Taken| Arc::ptr_eq(&taken.place, place);
            let there = next.taken.iter().zip(decisions).find(|(taken, _)| is_it(taken));
            if there.is_none_or(|(_, decision)| decision == Decision::Waits) {
                return Err(NoPlace::Full);
            }
        }
        *self = next;
        Ok(place)
    }

    /// The place of this wish, an empty one if need be.
    fn with(&mut self, wish: Wish) -> &mut Taken {
        let known = self.taken.iter().position(|taken| taken.place.wish == wish);
        let index = known.unwrap_or_else(|| {
            self.taken.push(Taken::new(&Arc::new(Place::new(wish))));
            self.taken.len() - 1
        });
        &mut self.taken[index]
    }

    fn at(&mut self, place: &Arc<Place>, change: impl FnOnce(&mut Taken)) {
        if let Some(taken) = self.taken.iter_mut().find(|taken| Arc::ptr_eq(&taken.place, place)) {
            change(taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::camera::renditions::wish::Form;
    use crate::camera::update::StreamFacts;
    use crate::image::pixels::{Chroma, PixelFormat, Size};
    use crate::image::rendition::SizeWish;
    use crate::wire::ladder::Rung;
    use crate::wire::native::message::Wishes;

    const RAW: Captured = Captured { format: PixelFormat::YUYV, size: Size::new(640, 360) };

    fn wish(width: u16) -> Wish {
        let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
        Wish::own(coding, SizeWish::default()).with(&Wishes { width, ..Wishes::default() })
    }

    fn places() -> Places {
        Places::new(wish(0))
    }

    #[test]
    fn when_all_renditions_are_made_the_nearest_stands_in() {
        let mut places = places();
        for width in [100, 200, 300, 400] {
            places.join(wish(width));
        }
        settle(&places, RAW);
        let nearest = |width: u16, quality: u8| {
            let coding = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
            let wishes = Wishes { width, quality, height: 0, millifps: 5000 };
            let wish = Wish::own(coding, SizeWish::default()).with(&wishes);
            let nearest = places.nearest(&wish, RAW);
            assert_eq!(nearest.millifps, 5000);
            let Form::Made(recipe) = nearest.form(RAW) else { panic!("not made") };
            recipe.size.width
        };
        assert_eq!(
            [1, 140, 151, 340, 500, 600, 640].map(|width| nearest(width, 0)),
            [100, 100, 200, 300, 400, 640, 640]
        );
        assert_eq!((nearest(0, 30), nearest(310, 30)), (640, 300));
        // Neither the tutorial's raw pictures, nor what waits itself, nor a lower rung.
        let raw = places
            .join(Wish::own(Coding::Bgr24, SizeWish { width: Some(500), ..SizeWish::default() }));
        places.join(wish(505));
        settle(&places, RAW);
        assert!(matches!(raw.grant(), Grant::Frames(..)), "its owner chose it");
        let is_jpeg = places.nearest(&wish(500), RAW).quality().is_some();
        assert!(is_jpeg);
        let Form::Made(recipe) = places.nearest(&wish(500), RAW).form(RAW) else {
            panic!("not made")
        };
        assert_eq!(recipe.size.width, 400);
    }

    /// Grants what was decided, as the plan does.
    fn settle(places: &Places, captured: Captured) {
        let source = "test".into();
        let stream = Arc::new(StreamFacts { source, millifps: 0, size: captured.size });
        for (taken, decision) in places.iter().zip(places.decide(captured)) {
            taken.place.set_grant(match decision {
                Decision::AsCaptured => Grant::Frames(Form::AsCaptured, Arc::clone(&stream)),
                Decision::Made(recipe) => Grant::Frames(Form::Made(recipe), Arc::clone(&stream)),
                Decision::Waits => Grant::Nothing,
            });
        }
    }

    fn waits(places: &Places) -> usize {
        let decisions = places.decide(RAW);
        decisions.into_iter().filter(|decision| *decision == Decision::Waits).count()
    }

    #[test]
    fn what_a_viewer_asked_for_is_kept_while_it_stands_on_a_lower_rung() {
        let mut places = places();
        let asked: Vec<_> = [100, 200, 300, 400].map(|width| places.join(wish(width))).into();
        settle(&places, RAW);
        let lower = wish(400).on(Rung::Quality40);
        let rung = places.step(&asked[3], None, lower, Some(RAW)).expect("its own place is free");
        settle(&places, RAW);
        assert_eq!((places.viewers(), waits(&places)), (4, 0));
        // A fifth wish finds no place, as if nobody had stepped anywhere.
        let fifth = places.join(wish(500));
        settle(&places, RAW);
        assert_eq!(waits(&places), 1);
        places.leave(&fifth, None);
        // Another one on a narrow link finds the same.
        let lower = wish(300).on(Rung::Quality40);
        let second = places.step(&asked[2], None, lower, Some(RAW)).expect("its own is free too");
        let back = places.step(&asked[3], rung.as_ref(), None, Some(RAW)).expect("always");
        assert_eq!((back.is_none(), waits(&places)), (true, 0));
        places.leave(&asked[2], second.as_ref());
        for asked in [&asked[0], &asked[1], &asked[3]] {
            places.leave(asked, None);
        }
        assert!(places.is_empty());
    }

    #[test]
    fn with_no_place_for_a_lower_rung_nothing_changes() {
        let mut places = places();
        let asked: Vec<_> = [100, 200, 300, 400].map(|width| places.join(wish(width))).into();
        // Two watch this one, so that it is made whether one of them leaves or not.
        places.join(wish(100));
        settle(&places, RAW);
        let before = places.outline();
        let lower = wish(100).on(Rung::Quality60);
        let step = places.step(&asked[0], None, lower, Some(RAW));
        assert_eq!(step.map(|_| ()), Err(NoPlace::Full));
        assert_eq!(places.outline(), before);
        // What somebody else has already costs nothing.
        let shared = places.step(&asked[0], None, Some(wish(200)), Some(RAW));
        assert!(shared.is_ok_and(|place| place.is_some_and(|it| Arc::ptr_eq(&it, &asked[1]))));
    }

    #[test]
    fn the_cameras_own_jpegs_are_not_made_less() {
        let jpeg = Captured { format: PixelFormat::Jpeg, ..RAW };
        let mut places = places();
        let asked = places.join(wish(0));
        settle(&places, jpeg);
        let lower = || wish(0).on(Rung::HalfSize);
        let step = places.step(&asked, None, lower(), Some(jpeg));
        assert_eq!(step.map(|_| ()), Err(NoPlace::NotEncoded));
        let step = places.step(&asked, None, lower(), None);
        assert_eq!(step.map(|_| ()), Err(NoPlace::NotEncoded), "while there are no pictures");
    }
}
