//! Decides which forms of the picture are sent, and to whom: a list and its rules, without lock,
//! thread or clock.

use super::wish::{Captured, Form, Wish};

/// How many forms may be sent at once. Each encoded form costs an encode for every frame.
///
/// The form that the camera's owner chose is always sent, and so are the camera's own JPEGs, which
/// need no encoding. Both count: while they are sent, fewer others may start.
pub const MOST_FORMS: usize = 4;

/// All viewers in the order in which they asked, and what each of them gets.
///
/// A form continues to be sent for as long as a viewer asks for it, also after a time without
/// frames. A viewer that asks for one form too many waits. It gets its form when there is room and
/// no viewer that asked earlier waits. A viewer on a narrow link gets a lesser form, but the form
/// that it asked for stays reserved and is given to nobody else. The lesser form is sent only while
/// there is room. A viewer that waits for exactly that form shares it meanwhile.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    /// What a viewer without wishes gets.
    owners: Wish,
    /// What was captured last; `None` until there are frames for the first time.
    captured: Option<Captured>,
    has_frames: bool,
    entries: Vec<Entry>,
    /// The forms granted to viewers that asked for them: sent, or reserved.
    asked: Vec<Form>,
    /// The forms that only viewers on narrow links get.
    lesser: Vec<Form>,
    last: u64,
}

/// One viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewerId(u64);

/// What a viewer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// No frames, like everybody: the camera gives none.
    NoFrames,
    /// No frames yet: other viewers have all the forms that may be sent.
    Waits,
    /// Frames of this form.
    Gets(Form),
}

/// Why a viewer on a narrow link keeps its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLowered {
    /// It gets the camera's own JPEGs, which are not encoded here.
    NotMade,
    /// No further form may be sent.
    Full,
}

#[derive(Debug, Clone)]
struct Entry {
    viewer: ViewerId,
    asked: Wish,
    /// A lesser wish, while the link is too narrow for what it asked for.
    lesser: Option<Wish>,
    share: Share,
}

impl Subscriptions {
    /// No viewers; `owners` is what the camera's owner chose.
    pub fn new(owners: Wish) -> Self {
        Self {
            owners,
            captured: None,
            has_frames: false,
            entries: Vec::new(),
            asked: Vec::new(),
            lesser: Vec::new(),
            last: 0,
        }
    }

    /// What a viewer without wishes gets.
    pub fn owners(&self) -> Wish {
        self.owners
    }

    /// What is captured now; `None` while there are no frames.
    pub fn captured(&self) -> Option<Captured> {
        self.captured.filter(|_| self.has_frames)
    }

    /// Changes what is captured from here on.
    pub fn capture(&mut self, captured: Option<Captured>) {
        self.has_frames = captured.is_some();
        self.captured = captured.or(self.captured);
        self.settle();
    }

    /// Adds a viewer with this wish.
    pub fn join(&mut self, wish: Wish) -> ViewerId {
        self.last += 1;
        let viewer = ViewerId(self.last);
        self.entries.push(Entry { viewer, asked: wish, lesser: None, share: Share::NoFrames });
        self.settle();
        viewer
    }

    /// Removes a viewer.
    pub fn leave(&mut self, viewer: ViewerId) {
        self.entries.retain(|entry| entry.viewer != viewer);
        self.settle();
    }

    /// Changes the wish of a viewer, which moves to the end of the order.
    pub fn ask(&mut self, viewer: ViewerId, wish: Wish) {
        self.entries.retain(|entry| entry.viewer != viewer);
        self.entries.push(Entry { viewer, asked: wish, lesser: None, share: Share::NoFrames });
        self.settle();
    }

    /// Sets a lesser wish for a viewer on a narrow link; `None` returns it to what it asked for,
    /// which is always possible.
    ///
    /// # Errors
    /// When the lesser form cannot be sent. Nothing has changed then.
    pub fn lower(&mut self, viewer: ViewerId, wish: Option<Wish>) -> Result<(), NotLowered> {
        let Some(index) = self.entries.iter().position(|entry| entry.viewer == viewer) else {
            return Ok(());
        };
        let is_made = |captured| self.entries[index].asked.is_encoded(captured);
        if wish.is_some() && !self.captured().is_some_and(is_made) {
            return Err(NotLowered::NotMade);
        }
        let before = self.clone();
        self.entries[index].lesser = wish;
        self.settle();
        if self.entries[index].lesser == wish {
            return Ok(());
        }
        *self = before;
        Err(NotLowered::Full)
    }

    /// How many viewers there are.
    pub fn viewers(&self) -> usize {
        self.entries.len()
    }

    /// Whether the viewer gets less than it asked for.
    pub fn is_lowered(&self, viewer: ViewerId) -> bool {
        self.entries.iter().any(|entry| entry.viewer == viewer && entry.lesser.is_some())
    }

    /// What each viewer gets, in the order in which they asked.
    pub fn shares(&self) -> impl Iterator<Item = (ViewerId, Share)> {
        self.entries.iter().map(|entry| (entry.viewer, entry.share))
    }

    /// The nearest to `wish` among the wishes that are being sent now, which always include the
    /// owner's. It has the rate of `wish`.
    pub fn nearest(&self, wish: &Wish) -> Wish {
        let nearest = self.captured().and_then(|captured| {
            let is_sent = |entry: &&Entry| {
                entry.lesser.is_none() && self.asked.contains(&entry.asked.form(captured))
            };
            let sent = self.entries.iter().filter(is_sent);
            let wishes = [self.owners].into_iter().chain(sent.map(|entry| entry.asked));
            let distances =
                wishes.filter_map(|there| Some((wish.distance(&there, captured)?, there)));
            distances.min_by_key(|(distance, _)| *distance)
        });
        nearest.map_or(self.owners, |(_, there)| there).at_the_rate_of(wish)
    }

    /// Decides again what each viewer gets.
    fn settle(&mut self) {
        // While there are no frames, forms are granted as if they came like the last ones: a viewer
        // that got pictures before a short outage gets them after it.
        let Some(captured) = self.captured else { return };
        self.grant_asked(captured);
        // A viewer that loses its lesser form returns to its reserved form. That may take the room
        // of another lesser form, so repeat.
        while let Some(index) = self.grant_lesser(captured) {
            self.entries[index].lesser = None;
        }
        let (asked, lesser) = (&self.asked, &self.lesser);
        for entry in &mut self.entries {
            let form = entry.wish().form(captured);
            let is_granted = asked.contains(&form) || lesser.contains(&form);
            entry.share = match is_granted.then_some(form) {
                _ if !self.has_frames => Share::NoFrames,
                Some(form) => Share::Gets(form),
                None => Share::Waits,
            };
        }
    }

    /// Grants forms in three rounds: those that are never refused, those that are being sent, new
    /// ones.
    fn grant_asked(&mut self, captured: Captured) {
        let before = std::mem::take(&mut self.asked);
        let owners = self.owners.form(captured);
        let never_refused = |entry: &Entry, form: Form| {
            form == Form::AsCaptured || form == owners || entry.asked.is_the_owners()
        };
        let mut granted = Vec::new();
        let claims = || self.entries.iter().map(|entry| (entry, entry.asked.form(captured)));
        for (entry, form) in claims() {
            if never_refused(entry, form) && !granted.contains(&form) {
                granted.push(form);
            }
        }
        for (_, form) in claims() {
            if before.contains(&form) && !granted.contains(&form) {
                granted.push(form);
            }
        }
        for (_, form) in claims() {
            if granted.len() < MOST_FORMS && !granted.contains(&form) {
                granted.push(form);
            }
        }
        self.asked = granted;
    }

    /// Grants the room that is left to viewers on narrow links. Returns one viewer for which there
    /// is none, if any.
    fn grant_lesser(&mut self, captured: Captured) -> Option<usize> {
        let before = std::mem::take(&mut self.lesser);
        let sent = |form: &Form| {
            let gets =
                |entry: &Entry| entry.lesser.is_none() && entry.asked.form(captured) == *form;
            self.entries.iter().any(gets)
        };
        let mut granted: Vec<_> = self.asked.iter().copied().filter(sent).collect();
        let shared = granted.len();
        let claims = || {
            let claim = |entry: &Entry| Some(entry.lesser?.form(captured));
            self.entries.iter().map(claim).enumerate()
        };
        for is_new in [false, true] {
            for form in claims().filter_map(|(_, form)| form) {
                let has_room = granted.len() < MOST_FORMS || form == Form::AsCaptured;
                let is_its_turn = is_new || before.contains(&form);
                if is_its_turn && has_room && !granted.contains(&form) {
                    granted.push(form);
                }
            }
        }
        let left_out = claims().find(|(_, form)| form.is_some_and(|form| !granted.contains(&form)));
        let left_out = left_out.map(|(index, _)| index);
        self.lesser = granted.split_off(shared);
        left_out
    }
}

impl Entry {
    /// The wish that counts now.
    fn wish(&self) -> Wish {
        self.lesser.unwrap_or(self.asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::encode::Coding;
    use crate::image::pixels::{Chroma, PixelFormat, Size};
    use crate::image::size_wish::SizeWish;
    use crate::rate::Rate;
    use crate::wire::ladder::Rung;
    use crate::wire::native::message::Wishes;

    const RAW: Captured = Captured { format: PixelFormat::YUYV, size: Size::new(640, 360) };

    fn wish(width: u16, quality: u8) -> Wish {
        let own = Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 };
        let wishes = Wishes { width, quality, height: 0, rate: Rate(5000) };
        Wish::own(own, SizeWish::default()).with(&wishes)
    }

    /// The width of each viewer's pictures; 0 while it waits.
    fn widths(subscriptions: &Subscriptions) -> Vec<usize> {
        let width = |(_, share)| match share {
            Share::Gets(form) => form.size(RAW).width,
            Share::NoFrames | Share::Waits => 0,
        };
        subscriptions.shares().map(width).collect()
    }

    fn watched(widths: &[u16]) -> (Subscriptions, Vec<ViewerId>) {
        let mut subscriptions = Subscriptions::new(wish(0, 0));
        subscriptions.capture(Some(RAW));
        let viewers = widths.iter().map(|&width| subscriptions.join(wish(width, 0))).collect();
        (subscriptions, viewers)
    }

    #[test]
    fn four_odd_sizes_lock_nobody_out_who_asks_for_nothing_special() {
        let (mut subscriptions, viewers) = watched(&[100, 200, 300, 400, 500, 200, 0]);
        assert_eq!(widths(&subscriptions), [100, 200, 300, 400, 0, 200, 640]);
        // The owner's form counts too: when one of five forms ends, no other takes its place.
        subscriptions.leave(viewers[0]);
        assert_eq!(widths(&subscriptions), [200, 300, 400, 0, 200, 640]);
        subscriptions.leave(viewers[2]);
        assert_eq!(widths(&subscriptions), [200, 400, 500, 200, 640]);
    }

    #[test]
    fn who_got_pictures_before_an_outage_gets_them_after_it() {
        let (mut subscriptions, viewers) = watched(&[100, 200, 300, 400, 0, 500]);
        assert_eq!(widths(&subscriptions), [100, 200, 300, 400, 640, 0], "five forms");
        subscriptions.capture(None);
        assert_eq!(widths(&subscriptions), [0; 6]);
        assert_eq!(subscriptions.captured(), None);
        subscriptions.capture(Some(RAW));
        assert_eq!(widths(&subscriptions), [100, 200, 300, 400, 640, 0]);
        // Who leaves during the outage reserves nothing, not even for somebody who asks for the same.
        subscriptions.capture(None);
        subscriptions.leave(viewers[0]);
        subscriptions.leave(viewers[3]);
        subscriptions.join(wish(400, 0));
        subscriptions.capture(Some(RAW));
        assert_eq!(widths(&subscriptions), [200, 300, 640, 500, 0]);
        // Another camera with other forms: the owner's first, then as many as may be sent.
        subscriptions.capture(None);
        let square = Captured { size: Size::new(640, 640), ..RAW };
        subscriptions.capture(Some(square));
        assert_eq!(widths(&subscriptions), [200, 300, 640, 500, 0]);
    }

    #[test]
    fn what_a_viewer_asked_for_is_kept_while_it_stands_on_a_lower_rung() {
        let (mut subscriptions, viewers) = watched(&[100, 200, 300, 400]);
        let lower = wish(400, 0).on(Rung::HalfSize);
        subscriptions.lower(viewers[3], lower).expect("its own room is free");
        assert_eq!(widths(&subscriptions), [100, 200, 300, 200]);
        let fifth = subscriptions.join(wish(500, 0));
        assert_eq!(widths(&subscriptions), [100, 200, 300, 200, 0], "as if nobody stood lower");
        subscriptions.leave(fifth);
        subscriptions.lower(viewers[3], None).expect("always");
        assert_eq!(widths(&subscriptions), [100, 200, 300, 400]);
    }

    #[test]
    fn a_lower_rung_gives_way_to_whoever_comes_back_for_what_is_kept() {
        let (mut subscriptions, _) = watched(&[100, 200]);
        subscriptions.join(wish(400, 40));
        let [one, other] = [(); 2].map(|()| subscriptions.join(wish(400, 0)));
        let half = wish(400, 0).on(Rung::HalfSize);
        let refused = subscriptions.lower(one, half);
        assert_eq!(refused, Err(NotLowered::Full), "the other gets a fourth form");
        assert_eq!(widths(&subscriptions), [100, 200, 400, 400, 400]);
        let shared = wish(400, 0).on(Rung::Quality40);
        subscriptions.lower(other, shared).expect("what somebody else has costs nothing");
        subscriptions.lower(one, half).expect("nobody gets what both asked for");
        assert_eq!(widths(&subscriptions), [100, 200, 400, 200, 400]);
        subscriptions.lower(other, None).expect("always");
        assert!(!subscriptions.is_lowered(one), "its rung has no room any more");
        assert_eq!(widths(&subscriptions), [100, 200, 400, 400, 400]);
    }

    #[test]
    fn the_cameras_own_jpegs_are_not_made_less() {
        let (mut subscriptions, viewers) = watched(&[0]);
        let lower = wish(0, 0).on(Rung::HalfSize);
        subscriptions.capture(None);
        assert_eq!(subscriptions.lower(viewers[0], lower), Err(NotLowered::NotMade));
        subscriptions.capture(Some(Captured { format: PixelFormat::Jpeg, ..RAW }));
        assert_eq!(subscriptions.lower(viewers[0], lower), Err(NotLowered::NotMade));
        subscriptions.capture(Some(RAW));
        assert_eq!(subscriptions.lower(viewers[0], lower), Ok(()));
    }

    #[test]
    fn when_all_renditions_are_made_the_nearest_stands_in() {
        let (mut subscriptions, _) = watched(&[100, 200, 300, 400]);
        let nearest = |subscriptions: &Subscriptions, width, quality| {
            let nearest = subscriptions.nearest(&wish(width, quality));
            assert_eq!(nearest.rate, Rate(5000));
            nearest.form(RAW).size(RAW).width
        };
        assert_eq!(
            [1, 140, 151, 340, 500, 600, 640].map(|width| nearest(&subscriptions, width, 0)),
            [100, 100, 200, 300, 400, 640, 640]
        );
        assert_eq!([0, 310].map(|width| nearest(&subscriptions, width, 30)), [640, 300]);
        // Neither the tutorial's raw pictures nor a form that itself waits can stand in.
        let raw = SizeWish { width: Some(500), ..SizeWish::default() };
        subscriptions.join(Wish::own(Coding::Bgr24, raw));
        subscriptions.join(wish(505, 0));
        assert_eq!(widths(&subscriptions), [100, 200, 300, 400, 500, 0]);
        assert_eq!(nearest(&subscriptions, 500, 0), 400);
    }
}
