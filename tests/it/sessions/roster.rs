//! Which form of the picture each viewer gets, after viewers did anything in any order. A list and four
//! sentences say what is right.

use lancam::camera::encode::Coding;
use lancam::camera::roster::subscriptions::{MOST_FORMS, Share, Subscriptions, ViewerId};
use lancam::camera::roster::wish::{Captured, Form, Wish};
use lancam::image::pixels::{Chroma, PixelFormat, Size};
use lancam::image::size_wish::SizeWish;
use lancam::rate::Rate;
use lancam::wire::ladder::Rung;
use lancam::wire::native::message::Wishes;
use proptest::prelude::*;
use std::collections::BTreeMap;

const RAW: Captured = Captured { format: PixelFormat::YUYV, size: Size::new(640, 360) };
const JPEG: Captured = Captured { format: PixelFormat::Jpeg, ..RAW };
/// In this shape, wishes for a width and for a height mean different sizes. In the others, they may mean the
/// same.
const TALL: Captured = Captured { format: PixelFormat::YUYV, size: Size::new(360, 640) };

fn owners() -> Wish {
    Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default())
}

/// What viewers ask for: nothing, the tutorial's picture, sizes, a size in two ways, qualities, a rate.
fn wishes() -> Vec<Wish> {
    let size = SizeWish { width: Some(500), ..SizeWish::default() };
    let asked = |width, height, quality| Wishes { width, height, quality, rate: Rate::NONE };
    let wishes = [
        asked(100, 0, 0),
        asked(200, 0, 0),
        asked(300, 0, 0),
        asked(320, 0, 0),
        asked(0, 180, 0),
        asked(640, 0, 0),
        asked(0, 0, 90),
        asked(0, 0, 70),
        asked(0, 0, 60),
        Wishes { rate: Rate(5000), ..asked(100, 0, 0) },
    ];
    let own = [owners(), Wish::own(Coding::Bgr24, size)];
    own.into_iter().chain(wishes.map(|wishes| owners().with(&wishes))).collect()
}

/// The events. A number chooses one of those that exist.
#[derive(Debug, Clone, Copy)]
enum Event {
    Join(usize),
    Leave(usize),
    Ask(usize, usize),
    Lower(usize, usize),
    Capture(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let any = any::<usize>;
    prop_oneof![
        6 => any().prop_map(Event::Join),
        3 => any().prop_map(Event::Leave),
        2 => (any(), any()).prop_map(|(viewer, wish)| Event::Ask(viewer, wish)),
        4 => (any(), any()).prop_map(|(viewer, rung)| Event::Lower(viewer, rung)),
        1 => any().prop_map(Event::Capture),
    ]
}

/// The same as a list: the viewers' wishes in their order, and the granted forms.
#[derive(Debug, Default)]
struct Model {
    captured: Option<Captured>,
    /// What was captured last. While there are no frames, forms are granted as if they came like those.
    last: Option<Captured>,
    viewers: Vec<(ViewerId, Wish)>,
    granted: Vec<Form>,
}

impl Model {
    fn is_owners(wish: &Wish, captured: Captured) -> bool {
        let form = wish.form(captured);
        form == Form::AsCaptured || form == owners().form(captured) || wish.is_the_owners()
    }

    /// Grants forms: first those that are granted already and still wanted, then the owner's, then the others
    /// in the order of asking.
    fn settle(&mut self) {
        let Some(captured) = self.last else { return };
        let asked: Vec<_> = self.viewers.iter().map(|(_, wish)| wish.form(captured)).collect();
        self.granted.retain(|form| asked.contains(form));
        for (_, wish) in self.viewers.iter().filter(|(_, it)| Self::is_owners(it, captured)) {
            if !self.granted.contains(&wish.form(captured)) {
                self.granted.push(wish.form(captured));
            }
        }
        for form in asked {
            if self.granted.len() < MOST_FORMS && !self.granted.contains(&form) {
                self.granted.push(form);
            }
        }
    }

    fn asks(&mut self, viewer: ViewerId, wish: Wish) {
        self.viewers.retain(|(known, _)| *known != viewer);
        self.viewers.push((viewer, wish));
        self.settle();
    }
}

fn check(roster: &Subscriptions, model: &Model) -> Result<(), TestCaseError> {
    let shares: BTreeMap<_, _> = roster.shares().collect();
    prop_assert_eq!(shares.len(), model.viewers.len());
    let order: Vec<_> = roster.shares().map(|(viewer, _)| viewer).collect();
    let asked: Vec<_> = model.viewers.iter().map(|(viewer, _)| *viewer).collect();
    prop_assert_eq!(order, asked, "the order in which they asked");
    let Some(captured) = model.captured else {
        prop_assert!(shares.values().all(|share| *share == Share::NoFrames));
        return Ok(());
    };
    for (viewer, wish) in &model.viewers {
        let form = wish.form(captured);
        let gets_less = |(other, share): (ViewerId, Share)| {
            roster.is_lowered(other) && share == Share::Gets(form)
        };
        let is_sent = model.granted.contains(&form) || roster.shares().any(gets_less);
        let expected = if is_sent { Share::Gets(form) } else { Share::Waits };
        let share = shares[viewer];
        if roster.is_lowered(*viewer) {
            // It gets less than it asked for, but it gets something.
            prop_assert!(matches!(share, Share::Gets(_)), "{:?}", share);
        } else {
            prop_assert_eq!(share, expected, "{:?}", form);
        }
    }
    let mut sent: Vec<Form> = Vec::new();
    for share in shares.values() {
        if let Share::Gets(form) = share
            && !sent.contains(form)
        {
            sent.push(*form);
        }
    }
    let owners = model.viewers.iter().filter(|(_, wish)| Model::is_owners(wish, captured));
    let owners: Vec<_> = owners.map(|(_, wish)| wish.form(captured)).collect();
    let others = sent.iter().filter(|form| !owners.contains(form)).count();
    prop_assert!(others <= MOST_FORMS, "{others} forms besides the owner's");
    if shares.values().any(|share| *share == Share::Waits) {
        prop_assert!(model.granted.len() >= MOST_FORMS, "somebody waits while there is room");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_owners_form_is_always_sent_four_others_at_most_and_who_waits_gets_its_turn(
        events in prop::collection::vec(event(), 0..60),
    ) {
        let wishes = wishes();
        let mut roster = Subscriptions::new(owners());
        let mut model = Model::default();
        for event in [Event::Capture(0)].into_iter().chain(events) {
            let pick = |viewer: usize, model: &Model| {
                let viewers = &model.viewers;
                (!viewers.is_empty()).then(|| viewers[viewer % viewers.len()])
            };
            match event {
                Event::Join(wish) => {
                    let wish = wishes[wish % wishes.len()];
                    model.asks(roster.join(wish), wish);
                }
                Event::Leave(viewer) => {
                    let Some((viewer, _)) = pick(viewer, &model) else { continue };
                    roster.leave(viewer);
                    model.viewers.retain(|(known, _)| *known != viewer);
                    model.settle();
                }
                Event::Ask(viewer, wish) => {
                    let Some((viewer, _)) = pick(viewer, &model) else { continue };
                    let wish = wishes[wish % wishes.len()];
                    roster.ask(viewer, wish);
                    model.asks(viewer, wish);
                }
                Event::Lower(viewer, rung) => {
                    let Some((viewer, wish)) = pick(viewer, &model) else { continue };
                    let rung = Rung::ALL[rung % Rung::ALL.len()];
                    let lesser = wish.on(rung);
                    if rung != Rung::Asked && lesser.is_none() {
                        continue;
                    }
                    let before: Vec<_> = roster.shares().collect();
                    let lowered = roster.lower(viewer, lesser);
                    if lowered.is_err() {
                        prop_assert_ne!(rung, Rung::Asked, "what was asked for is kept");
                        prop_assert_eq!(before, roster.shares().collect::<Vec<_>>());
                    } else {
                        prop_assert_eq!(roster.is_lowered(viewer), lesser.is_some());
                    }
                }
                Event::Capture(what) => {
                    model.captured = [Some(RAW), Some(JPEG), Some(TALL), None][what % 4];
                    model.last = model.captured.or(model.last);
                    roster.capture(model.captured);
                    model.settle();
                }
            }
            check(&roster, &model)?;
        }
    }
}
