//! Who watches what: viewers with equal wishes share a place, places of equal form share an encode.
//!
//! Sessions join and leave here, the capture thread reads the [`Plan`] that follows from it.

mod decode;
mod pace;
mod place;
pub mod plan;
pub mod pool;
mod staff;
mod taken;
pub mod wish;
mod worker;

use super::encode::Recipe;
use super::metrics::Metrics;
use super::notices::Notices;
use super::update::{Shown, StatusText, StreamFacts, Update};
use crate::latest::{Latest, Reader};
use crate::source::clock;
use crate::stop::Stop;
use crate::wire::ladder::Rung;
use crate::wire::native::message::StatusCode;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use place::{Grant, Place};
use plan::Plan;
use staff::{grant, staff};
use std::fmt::Write;
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
pub use taken::NoPlace;
use taken::Places;
use wish::{Captured, Form, Wish};

/// A picture that was taken so long ago is live, whatever the camera's rate; one that is older only while no other is due.
pub const FRESH: Duration = Duration::from_millis(250);

/// All places where one camera is watched.
#[derive(Debug)]
pub struct Renditions {
    /// What a viewer without wishes gets.
    own: Wish,
    state: Mutex<State>,
    /// Apart from the state, so that the capture thread never waits while a thread is started.
    plan: Mutex<Arc<Plan>>,
    /// Rings when somebody comes while the camera rests.
    arrival: EventFd,
    /// What there is to see here, whether anybody watches or not.
    shown: Arc<Latest<Shown>>,
    metrics: Arc<Metrics>,
    notices: Notices,
}

#[derive(Debug)]
struct State {
    taken: Places,
    captured: Option<(Captured, Arc<StreamFacts>)>,
    /// Why a new place has no picture yet.
    news: Option<Update>,
    rest: Rest,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rest {
    #[default]
    Awake,
    UntilSomebodyComes,
}

/// What there is to tell of a camera.
#[derive(Debug, Clone)]
pub struct Situation {
    /// What was captured last, unless it is known that there is nothing now.
    pub captured: Option<(Captured, Arc<StreamFacts>)>,
    /// What whoever comes now is told until the next frame.
    pub news: Option<Arc<StatusText>>,
    /// What is encoded.
    pub made: Vec<Recipe>,
}

/// Why a rest is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waking {
    /// Somebody watches.
    ViewerCame,
    /// The program ends.
    Stop,
}

impl Renditions {
    /// Nobody watches yet; who does without wishes gets what `own` says.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new(own: Wish) -> io::Result<Arc<Self>> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Arc::new(Self {
            own,
            state: Mutex::new(State {
                taken: Places::new(own),
                captured: None,
                news: None,
                rest: Rest::default(),
            }),
            plan: Mutex::default(),
            arrival: EventFd::from_value_and_flags(0, flags)?,
            shown: Latest::new(),
            metrics: Arc::new(Metrics::new(clock::now())),
            notices: Notices::default(),
        }))
    }

    /// What a viewer without wishes gets.
    pub fn own(&self) -> Wish {
        self.own
    }

    /// What there is to see here: nothing until there was a frame.
    pub fn shown(&self) -> &Arc<Latest<Shown>> {
        &self.shown
    }

    /// Tells those who look for cameras what is `captured`.
    pub fn show(&self, captured: Captured, stream: &StreamFacts) {
        let size = match self.own.form(captured) {
            Form::AsCaptured => captured.size,
            Form::Made(recipe) => recipe.size,
        };
        self.shown.publish(Shown { size, millifps: stream.millifps });
    }

    /// A place for somebody with this wish, until it is dropped. Whether there is a picture, or why not,
    /// is told there.
    pub fn watch(self: &Arc<Self>, wish: Wish) -> Watching {
        Watching { asked: self.join(wish), rung: None, renditions: Arc::clone(self) }
    }

    /// What stands in for a wish that is one too many: of the wishes that are fulfilled now, the one that comes nearest.
    pub fn nearest(&self, wish: &Wish) -> Wish {
        let state = self.lock();
        match &state.captured {
            Some((captured, _)) => state.taken.nearest(wish, *captured),
            None => self.own.at_the_rate_of(wish),
        }
    }

    fn join(&self, wish: Wish) -> Arc<Place> {
        let mut state = self.lock();
        let (places, outline) = (state.taken.len(), state.taken.outline());
        let place = state.taken.join(wish);
        if state.taken.len() > places
            && let Some(news) = &state.news
        {
            place.tell(news.clone());
        }
        // Even a place that was there may have been nobody's, kept for somebody.
        if state.taken.outline() != outline {
            self.decide_anew(&state);
        }
        if std::mem::take(&mut state.rest) == Rest::UntilSomebodyComes {
            // Fails only when the counter is full, and then it rings already.
            let _ = self.arrival.write(1);
        }
        place
    }

    fn leave(&self, asked: &Arc<Place>, rung: Option<&Arc<Place>>) {
        let mut state = self.lock();
        let outline = state.taken.outline();
        state.taken.leave(asked, rung);
        if state.taken.outline() != outline {
            self.decide_anew(&state);
        }
    }

    fn step(
        &self,
        asked: &Arc<Place>,
        from: Option<&Arc<Place>>,
        to: Option<Wish>,
    ) -> Result<(Option<Arc<Place>>, Reader<Update>), NoPlace> {
        let mut state = self.lock();
        let captured = state.captured.as_ref().map(|(captured, _)| *captured);
        let place = state.taken.step(asked, from, to, captured)?;
        // What stands in the slot is older than this; what is told from now on is not to be missed.
        let reader = place.as_ref().unwrap_or(asked).output.reader_of_what_comes();
        self.decide_anew(&state);
        Ok((place, reader))
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.lock().taken.viewers()
    }

    /// What all threads of this camera count.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The time between two frames for somebody who wishes for so many in a thousand seconds (0: for all there are). Zero while
    /// nobody knows.
    pub fn interval(&self, millifps: u32) -> Duration {
        let wished = Duration::from_secs(1000).checked_div(millifps).unwrap_or_default();
        self.metrics.interval().max(wished)
    }

    /// What those are sent who know no words, while there is no picture.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// What is captured, while somebody watches; and else, why there is no picture.
    pub fn situation(&self) -> Situation {
        let state = self.lock();
        let news = match &state.news {
            Some(Update::Status(status)) => Some(Arc::clone(status)),
            _ => None,
        };
        let made = self.plan().made.iter().map(|rendition| rendition.recipe).collect();
        Situation { captured: state.captured.clone(), news, made }
    }

    /// What is to be done with a frame. Costs a reference count.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Frames are `captured` from here on; until one of them is there, a new place is told `news`.
    pub fn begin(&self, captured: Captured, stream: &Arc<StreamFacts>, news: Update) -> Arc<Plan> {
        let mut state = self.lock();
        state.captured = Some((captured, Arc::clone(stream)));
        state.news = Some(news);
        self.decide_anew(&state);
        drop(state);
        self.plan()
    }

    /// There are frames, though nobody may watch: who comes now is told `news`, and not why there were none.
    pub fn is_well(&self, news: &Update) {
        self.lock().news = Some(news.clone());
    }

    /// There are no frames for now: every viewer is told so, and what is still being encoded reaches nobody.
    pub fn no_picture(&self, status: &Update) {
        let mut state = self.lock();
        state.captured = None;
        state.news = Some(status.clone());
        self.decide_anew(&state);
        for taken in state.taken.iter() {
            taken.place.tell(status.clone());
        }
    }

    /// Sleeps until somebody watches, or the end is asked for.
    pub fn rest(&self, stop: &Stop) -> Waking {
        loop {
            {
                let mut state = self.lock();
                if !state.taken.is_empty() {
                    return Waking::ViewerCame;
                }
                state.rest = Rest::UntilSomebodyComes;
            }
            let mut fds = [
                PollFd::new(self.arrival.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            // Interrupted by a signal: the loop looks again.
            let _ = poll(&mut fds, PollTimeout::NONE);
            if fds[1].any().unwrap_or(false) {
                return Waking::Stop;
            }
            // Empty when nobody rang: then it need not be emptied.
            let _ = self.arrival.read();
        }
    }

    /// Makes a new plan: threads that nobody needs any more end, those that are missing are started.
    fn decide_anew(&self, state: &State) {
        let old = self.plan();
        let mut new = Plan {
            captured: state.captured.clone(),
            watched: state.taken.len(),
            ..Plan::default()
        };
        let groups = match &state.captured {
            Some((captured, stream)) => grant(&state.taken, *captured, stream, &mut new),
            None => {
                for taken in state.taken.iter() {
                    taken.place.set_grant(Grant::Nothing);
                }
                Vec::new()
            }
        };
        let failed = staff(groups, &old, &mut new, &self.metrics);
        for (place, status) in failed {
            place.set_grant(Grant::Waiting(Arc::clone(&status)));
            place.tell(Update::Status(status));
        }
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        self.tell_who_waits(state);
    }

    /// Tells those that wait what is made instead, unless they know.
    fn tell_who_waits(&self, state: &State) {
        let plan = self.plan();
        let mut text = None;
        for taken in state.taken.iter() {
            let Grant::Waiting(told) = taken.place.grant() else { continue };
            let status = text.get_or_insert_with(|| Arc::new(self.full(&plan)));
            // A thread that could not be started is another reason.
            if told.code == StatusCode::Full && told != *status {
                taken.place.set_grant(Grant::Waiting(Arc::clone(status)));
                taken.place.tell(Update::Status(Arc::clone(status)));
            }
        }
    }

    fn full(&self, plan: &Plan) -> StatusText {
        let mut text = String::from("the camera sends as many sizes and qualities as it can: ");
        if !plan.as_captured.is_empty() {
            text.push_str("its own JPEGs, ");
        }
        for (index, rendition) in plan.made.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}{}", rendition.recipe);
        }
        text.push_str("; ask for one of these or for none, or wait until one is no longer watched");
        StatusText { code: StatusCode::Full, text }
    }

    /// No panic can leave the state half-way: it is a list and what was last heard.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's place; dropping it leaves.
#[derive(Debug)]
pub struct Watching {
    renditions: Arc<Renditions>,
    /// Of what was asked for.
    asked: Arc<Place>,
    /// Where it stands instead, while its link is too narrow for that.
    rung: Option<Arc<Place>>,
}

impl Watching {
    /// The updates that come to this place, beginning with what it was told last.
    /// A picture that is no longer live is nothing to begin with.
    pub fn reader(&self) -> Reader<Update> {
        let interval = self.renditions.interval(self.asked.wish.millifps);
        let live_for = FRESH.max(interval * 2);
        let now = clock::now();
        self.rung.as_ref().unwrap_or(&self.asked).output.reader_unless(|update| match update {
            Update::Frame { packet, .. } => now.since(packet.facts.captured_at) > live_for,
            Update::Status(_) => false,
        })
    }

    /// Wishes for something else. Readers from before hear nothing more.
    pub fn change(&mut self, wish: Wish) {
        // Left first: the place that becomes free may be the one that is needed.
        self.renditions.leave(&self.asked, self.rung.take().as_ref());
        self.asked = self.renditions.join(wish);
    }

    /// Goes to that rung of what was asked for, and stays counted as somebody who asked. Returns a reader of what comes
    /// there; those from before hear nothing more.
    ///
    /// # Errors
    /// When there is nothing to go to; it stays where it is then.
    pub fn step(&mut self, rung: Rung) -> Result<Reader<Update>, NoPlace> {
        let wish = self.asked.wish.on(rung);
        if rung != Rung::Asked && wish.is_none() {
            return Err(NoPlace::NotEncoded);
        }
        let (rung, reader) = self.renditions.step(&self.asked, self.rung.as_ref(), wish)?;
        self.rung = rung;
        Ok(reader)
    }

    /// What was asked for.
    pub fn wish(&self) -> Wish {
        self.asked.wish
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.renditions.leave(&self.asked, self.rung.as_ref());
    }
}
