//! Whose places are taken: by those who asked for them, kept for those, or stood on by those on a lower rung.

use super::place::{Grant, Place};
use super::plan::{Claim, Decision, Standing, decide};
use super::wish::{Captured, Wish};
use std::sync::Arc;

/// All places, in the order they were taken.
#[derive(Debug, Default, Clone)]
pub(super) struct Places(Vec<Taken>);

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

    /// What this comes to, and has now.
    fn claim(&self, captured: Captured) -> Claim {
        let now = match self.place.grant() {
            Grant::Frames(form, _) => Some(form),
            Grant::Nothing | Grant::Waiting(_) => None,
        };
        Claim { form: self.place.wish.form(captured), now, standing: self.standing() }
    }
}

impl Places {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Taken> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many watch.
    pub(super) fn viewers(&self) -> usize {
        self.0.iter().map(Taken::viewers).sum()
    }

    /// All that a plan depends on besides the wishes.
    pub(super) fn outline(&self) -> Vec<(*const Place, Standing, bool)> {
        let outline =
            |taken: &Taken| (Arc::as_ptr(&taken.place), taken.standing(), taken.is_watched());
        self.0.iter().map(outline).collect()
    }

    /// What each gets.
    pub(super) fn decide(&self, captured: Captured) -> Vec<Decision> {
        let claims: Vec<_> = self.0.iter().map(|taken| taken.claim(captured)).collect();
        decide(&claims)
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
        self.0.retain(|Taken { asked, away, below, .. }| asked + away + below > 0);
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
            let there = next.0.iter().zip(decisions).find(|(taken, _)| is_it(taken));
            if there.is_none_or(|(_, decision)| decision == Decision::Waits) {
                return Err(NoPlace::Full);
            }
        }
        *self = next;
        Ok(place)
    }

    /// The place of this wish, an empty one if need be.
    fn with(&mut self, wish: Wish) -> &mut Taken {
        let known = self.0.iter().position(|taken| taken.place.wish == wish);
        let index = known.unwrap_or_else(|| {
            self.0.push(Taken::new(&Arc::new(Place::new(wish))));
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    fn at(&mut self, place: &Arc<Place>, change: impl FnOnce(&mut Taken)) {
        if let Some(taken) = self.0.iter_mut().find(|taken| Arc::ptr_eq(&taken.place, place)) {
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
        let mut places = Places::default();
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
        let mut places = Places::default();
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
        let mut places = Places::default();
        let asked = places.join(wish(0));
        settle(&places, jpeg);
        let lower = || wish(0).on(Rung::HalfSize);
        let step = places.step(&asked, None, lower(), Some(jpeg));
        assert_eq!(step.map(|_| ()), Err(NoPlace::NotEncoded));
        let step = places.step(&asked, None, lower(), None);
        assert_eq!(step.map(|_| ()), Err(NoPlace::NotEncoded), "while there are no pictures");
    }
}
