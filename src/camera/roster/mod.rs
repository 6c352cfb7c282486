//! Who watches, and what is sent to each: sessions subscribe here, and the capture thread reads the [`Plan`] that follows.

mod decode;
mod inbox;
mod pace;
pub mod plan;
mod rendition;
mod rest;
pub mod subscriptions;
mod threads;
pub mod wish;

use super::encode::Recipe;
use super::metrics::Metrics;
use super::update::{Shown, StatusText, StreamFacts, Update};
use crate::clock;
use crate::image::jpeg::codec::JpegError;
use crate::latest::{Latest, Reader};
use crate::stop::Stop;
use crate::wire::ladder::Rung;
use crate::wire::native::message::StatusCode;
use inbox::{Grant, Inbox};
use plan::Plan;
use rest::Rest;
pub use rest::Waking;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subscriptions::{NotLowered, Share, Subscriptions, ViewerId};
use threads::Group;
use wish::{Captured, Form, Wish};

/// A picture that was taken so long ago is live, whatever the camera's rate; one that is older only while no other is due.
pub const FRESH: Duration = Duration::from_millis(250);

/// All who watch one camera.
#[derive(Debug)]
pub struct Roster {
    /// What a viewer without wishes gets.
    own: Wish,
    state: Mutex<State>,
    /// Apart from the state, so that the capture thread never waits while a thread is started.
    plan: Mutex<Arc<Plan>>,
    rest: Rest,
    /// What there is to see here, whether anybody watches or not.
    shown: Arc<Latest<Shown>>,
    /// What the threads count that make renditions.
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct State {
    subscriptions: Subscriptions,
    inboxes: BTreeMap<ViewerId, Arc<Inbox>>,
    /// Whose frames are captured.
    stream: Option<Arc<StreamFacts>>,
    /// Why a viewer that has just come has no picture yet.
    news: Option<Update>,
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

/// Why a thread that renditions need is not there.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl Roster {
    /// Nobody watches yet; who does without wishes gets what `own` says.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new(own: Wish, metrics: &Arc<Metrics>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            own,
            state: Mutex::new(State {
                subscriptions: Subscriptions::new(own),
                inboxes: BTreeMap::new(),
                stream: None,
                news: None,
            }),
            plan: Mutex::default(),
            rest: Rest::new()?,
            shown: Latest::new(),
            metrics: Arc::clone(metrics),
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
        let size = self.own.form(captured).size(captured);
        self.shown.publish(Shown { size, rate: stream.rate });
    }

    /// Somebody watches, and asks for this, until it is dropped. Whether there is a picture, or why not, is told there.
    pub fn subscribe(self: &Arc<Self>, wish: Wish) -> Subscription {
        let mut state = self.lock();
        let viewer = state.subscriptions.join(wish);
        let inbox = Arc::new(Inbox::new(&wish));
        state.inboxes.insert(viewer, Arc::clone(&inbox));
        self.settle(&state);
        self.greet(&state, viewer, &wish);
        self.keep_step(&state, viewer);
        self.rest.somebody_came();
        Subscription { roster: Arc::clone(self), viewer, inbox, wish }
    }

    /// What stands in for a wish that is one too many: of the wishes that are fulfilled now, the one that comes nearest.
    pub fn nearest(&self, wish: &Wish) -> Wish {
        self.lock().subscriptions.nearest(wish)
    }

    /// How many watch.
    pub fn viewers(&self) -> usize {
        self.lock().subscriptions.viewers()
    }

    /// What is captured, while somebody watches; and else, why there is no picture.
    pub fn situation(&self) -> Situation {
        let state = self.lock();
        let news = match &state.news {
            Some(Update::Status(status)) => Some(Arc::clone(status)),
            _ => None,
        };
        let made = self.plan().made.iter().map(|rendition| rendition.recipe).collect();
        Situation { captured: state.captured(), news, made }
    }

    /// What is to be done with a frame. Costs a reference count.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Frames are `captured` from here on; until one of them is there, who comes is told `news`.
    pub fn begin(&self, captured: Captured, stream: &Arc<StreamFacts>, news: Update) -> Arc<Plan> {
        let mut state = self.lock();
        state.subscriptions.capture(Some(captured));
        state.stream = Some(Arc::clone(stream));
        state.news = Some(news);
        self.settle(&state);
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
        state.subscriptions.capture(None);
        state.stream = None;
        state.news = Some(status.clone());
        self.settle(&state);
        for inbox in state.inboxes.values() {
            inbox.tell(status.clone());
        }
    }

    /// Sleeps until somebody watches, or the end is asked for.
    pub fn rest(&self, stop: &Stop) -> Waking {
        self.rest.until(stop, || self.viewers() > 0)
    }

    /// Makes a new plan: threads that nobody needs any more end, those that are missing are started.
    fn settle(&self, state: &State) {
        let old = self.plan();
        let mut new = Plan {
            captured: state.captured(),
            viewers: state.subscriptions.viewers(),
            ..Plan::default()
        };
        let groups = state.grant(&mut new);
        for (inbox, why) in threads::provide(groups, &old, &mut new, &self.metrics) {
            inbox.set_grant(Grant::Refused(Some(Arc::clone(&why))));
            inbox.tell(Update::Status(why));
        }
        let new = Arc::new(new);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        state.tell_who_waits(&new);
    }

    /// Viewers of one form and rate get the same frames, so that each is encoded once for all of them.
    fn keep_step(&self, state: &State, viewer: ViewerId) {
        let Some(inbox) = state.inboxes.get(&viewer) else { return };
        let Grant::Frames(form, stream) = inbox.grant() else { return };
        let mut others = state.inboxes.iter().filter(|(other, _)| **other != viewer);
        others.any(|(_, other)| inbox.keep_step_with(other, form, &stream));
    }

    /// Gives a viewer that has just asked something to begin with: a live picture that others have of the same form, or
    /// why there is none yet.
    fn greet(&self, state: &State, viewer: ViewerId, wish: &Wish) {
        let Some(inbox) = state.inboxes.get(&viewer) else { return };
        let (form, stream) = match inbox.grant() {
            Grant::Frames(form, stream) => (form, stream),
            // It is told what is made instead.
            Grant::Refused(_) => return,
            Grant::NoFrames => return state.news.iter().for_each(|news| inbox.tell(news.clone())),
        };
        if let Some(Update::Frame { .. }) = inbox.newest_of(form, &stream) {
            // What it has is of this form already.
            return;
        }
        let others = state.inboxes.iter().filter(|(other, _)| **other != viewer);
        let theirs = others.filter_map(|(_, other)| other.newest_of(form, &stream));
        let newest = theirs.max_by_key(|update| match update {
            Update::Frame { packet, .. } => packet.facts.sequence,
            Update::Status(_) => 0,
        });
        match newest.or_else(|| state.news.clone()) {
            Some(Update::Frame { packet, .. }) => {
                let wished = wish.rate.interval();
                let interval = self.metrics.interval().max(wished.unwrap_or_default());
                if clock::now().since(packet.facts.captured_at) <= FRESH.max(interval * 2) {
                    inbox.offer(form, &packet, &stream);
                }
            }
            Some(status) => inbox.tell(status),
            None => {}
        }
    }

    /// No panic can leave the state half-way: it is a list and what was last heard.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn captured(&self) -> Option<(Captured, Arc<StreamFacts>)> {
        self.subscriptions.captured().zip(self.stream.clone())
    }

    /// Grants each viewer what it gets, puts who gets the camera's own JPEGs into `plan`, and returns what is to be made.
    fn grant(&self, plan: &mut Plan) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for (viewer, share) in self.subscriptions.shares() {
            let Some(inbox) = self.inboxes.get(&viewer) else { continue };
            let form = match (share, &self.stream) {
                (Share::Gets(form), Some(stream)) => {
                    inbox.set_grant(Grant::Frames(form, Arc::clone(stream)));
                    form
                }
                (Share::Waits, _) => {
                    // What it is told follows when it is known what is made instead.
                    if !matches!(inbox.grant(), Grant::Refused(_)) {
                        inbox.set_grant(Grant::Refused(None));
                    }
                    continue;
                }
                (Share::NoFrames | Share::Gets(_), _) => {
                    inbox.set_grant(Grant::NoFrames);
                    continue;
                }
            };
            let inbox = Arc::clone(inbox);
            match form {
                Form::AsCaptured => plan.as_captured.push(inbox),
                Form::Made(recipe) => match groups.iter_mut().find(|(known, _)| *known == recipe) {
                    Some((_, inboxes)) => inboxes.push(inbox),
                    None => groups.push((recipe, vec![inbox])),
                },
            }
        }
        groups
    }

    /// Tells those that wait what is made instead, unless they know.
    fn tell_who_waits(&self, plan: &Plan) {
        let mut text = None;
        for inbox in self.inboxes.values() {
            let Grant::Refused(told) = inbox.grant() else { continue };
            let status = text.get_or_insert_with(|| Arc::new(full(plan)));
            // A thread that could not be started is another reason.
            if told.is_none_or(|told| told.code == StatusCode::Full && told != *status) {
                inbox.set_grant(Grant::Refused(Some(Arc::clone(status))));
                inbox.tell(Update::Status(Arc::clone(status)));
            }
        }
    }
}

fn full(plan: &Plan) -> StatusText {
    let mut text = String::from("the camera already sends as many sizes and qualities as it can: ");
    if plan.passes_any() {
        text.push_str("its own JPEGs, ");
    }
    for (index, rendition) in plan.made.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{comma}{}", rendition.recipe);
    }
    text.push_str("; ask for one of these, or for none");
    StatusText { code: StatusCode::Full, text }
}

/// What one viewer asks for, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    roster: Arc<Roster>,
    viewer: ViewerId,
    inbox: Arc<Inbox>,
    wish: Wish,
}

impl Subscription {
    /// The updates for this viewer, whatever it asks for later.
    pub fn reader(&self) -> Reader<Update> {
        self.inbox.reader()
    }

    /// What was asked for.
    pub fn wish(&self) -> Wish {
        self.wish
    }

    /// Asks for something else.
    pub fn ask(&mut self, wish: Wish) {
        let mut state = self.roster.lock();
        state.subscriptions.ask(self.viewer, wish);
        // Whatever it was told before, it is told anew.
        self.inbox.set_grant(Grant::NoFrames);
        self.inbox.set_rate(wish.rate);
        self.roster.settle(&state);
        self.inbox.withdraw();
        self.roster.greet(&state, self.viewer, &wish);
        self.roster.keep_step(&state, self.viewer);
        drop(state);
        self.wish = wish;
    }

    /// Goes to that rung of what was asked for, which is kept meanwhile. That is always there to come back to.
    ///
    /// # Errors
    /// When there is nothing to go to; nothing has changed then.
    pub fn lower(&self, rung: Rung) -> Result<(), NotLowered> {
        let lesser = self.wish.on(rung);
        if rung != Rung::Asked && lesser.is_none() {
            return Err(NotLowered::NotMade);
        }
        let mut state = self.roster.lock();
        state.subscriptions.lower(self.viewer, lesser)?;
        self.roster.settle(&state);
        self.inbox.withdraw();
        Ok(())
    }

    /// Whether less is sent than was asked for: a lower rung gives way to whoever asks for its room.
    pub fn is_lowered(&self) -> bool {
        self.roster.lock().subscriptions.is_lowered(self.viewer)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // What is still being made is made for nobody.
        self.inbox.set_grant(Grant::NoFrames);
        let mut state = self.roster.lock();
        state.inboxes.remove(&self.viewer);
        state.subscriptions.leave(self.viewer);
        self.roster.settle(&state);
    }
}
