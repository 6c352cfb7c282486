//! Who watches, and what each viewer gets. Sessions subscribe here; the capture thread reads the
//! [`Plan`] that results.

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
use super::strips::EncodeThreads;
use super::update::{Shown, StatusText, StreamFacts, Update};
use crate::clock;
use crate::image::jpeg::codec::JpegError;
use crate::latest::{Latest, Reader};
use crate::stop::Stop;
use crate::wire::ladder::Rung;
use crate::wire::native::message::StatusCode;
use crate::wording::reason;
use inbox::{Grant, Inbox};
use plan::Plan;
use rest::Rest;
pub use rest::Waking;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use subscriptions::{NotLowered, Share, Subscriptions, ViewerId};
use threads::Group;
use wish::{Captured, Form, Wish};

/// A picture this young counts as live, whatever the camera's rate. An older one is sent only while
/// no newer one is due.
pub const FRESH: Duration = Duration::from_millis(250);

/// All viewers of one camera.
#[derive(Debug)]
pub struct Roster {
    /// What a viewer without wishes gets.
    own: Wish,
    state: Mutex<State>,
    /// A lock of its own, so that the capture thread never waits while a thread is started.
    plan: Mutex<Arc<Plan>>,
    rest: Rest,
    /// Size and rate of the pictures, for those who look for cameras. Kept whether anybody watches
    /// or not.
    shown: Arc<Latest<Shown>>,
    /// The counters of the threads that make renditions.
    metrics: Arc<Metrics>,
    /// The threads that encode one picture of them.
    encode_threads: Arc<EncodeThreads>,
}

#[derive(Debug)]
struct State {
    subscriptions: Subscriptions,
    inboxes: BTreeMap<ViewerId, Arc<Inbox>>,
    /// The stream whose frames are captured now.
    stream: Option<Arc<StreamFacts>>,
    /// The status for a viewer that has just connected and has no picture yet.
    news: Option<Update>,
}

/// What the roster knows of the camera now.
#[derive(Debug, Clone)]
pub struct Situation {
    /// What was captured last; `None` while it is known that there are no pictures.
    pub captured: Option<(Captured, Arc<StreamFacts>)>,
    /// The status for viewers that connect before the next frame.
    pub news: Option<Arc<StatusText>>,
    /// The recipes that are encoded now.
    pub made: Vec<Recipe>,
}

/// Why a thread for renditions could not be started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Jpeg(#[from] JpegError),
    #[error("cannot start a thread: {}", reason(.0))]
    Thread(#[from] io::Error),
}

impl Roster {
    /// A roster without viewers. A viewer without wishes gets `own`. `encode_threads` encode a
    /// picture.
    ///
    /// # Errors
    /// When the process has no file descriptors left.
    pub fn new(own: Wish, encode_threads: usize, metrics: &Arc<Metrics>) -> io::Result<Arc<Self>> {
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
            encode_threads: EncodeThreads::new(encode_threads),
        }))
    }

    /// What a viewer without wishes gets.
    pub fn own(&self) -> Wish {
        self.own
    }

    /// The threads that work on one picture.
    pub fn encode_threads(&self) -> &Arc<EncodeThreads> {
        &self.encode_threads
    }

    /// Size and rate of the pictures. Empty until the first frame.
    pub fn shown(&self) -> &Arc<Latest<Shown>> {
        &self.shown
    }

    /// Announces what is `captured` to those who look for cameras.
    pub fn show(&self, captured: Captured, stream: &StreamFacts) {
        let size = self.own.form(captured).size(captured);
        self.shown.publish(Shown { size, rate: stream.rate });
    }

    /// Adds a viewer with this wish, until the subscription is dropped. Its reader is told whether
    /// there is a picture, or why not.
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

    /// The wish to use instead of one that is too many: the nearest of those that are being sent
    /// now.
    pub fn nearest(&self, wish: &Wish) -> Wish {
        self.lock().subscriptions.nearest(wish)
    }

    /// How many viewers there are.
    pub fn viewers(&self) -> usize {
        self.lock().subscriptions.viewers()
    }

    /// What is captured while somebody watches; otherwise, why there is no picture.
    pub fn situation(&self) -> Situation {
        let state = self.lock();
        let news = match &state.news {
            Some(Update::Status(status)) => Some(Arc::clone(status)),
            _ => None,
        };
        let made = self.plan().made.iter().map(|rendition| rendition.recipe).collect();
        Situation { captured: state.captured(), news, made }
    }

    /// What to do with a frame. Costs only a reference count.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on frames are `captured` like this. Until the first of them, viewers that connect
    /// are told `news`.
    pub fn begin(&self, captured: Captured, stream: &Arc<StreamFacts>, news: Update) -> Arc<Plan> {
        let mut state = self.lock();
        state.subscriptions.capture(Some(captured));
        state.stream = Some(Arc::clone(stream));
        state.news = Some(news);
        self.settle(&state);
        drop(state);
        self.plan()
    }

    /// There are frames, even if nobody watches. Viewers that connect now are told `news`, no
    /// longer the old reason why there were none.
    pub fn is_well(&self, news: &Update) {
        self.lock().news = Some(news.clone());
    }

    /// There are no frames for now. Every viewer is told so, and frames that are still being
    /// encoded are discarded.
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

    /// Sleeps until somebody watches or the program is stopped.
    pub fn rest(&self, stop: &Stop) -> Waking {
        self.rest.until(stop, || self.viewers() > 0)
    }

    /// Makes a new plan: starts the threads that are missing, and ends those that nobody needs any
    /// more.
    fn settle(&self, state: &State) {
        let old = self.plan();
        let mut new = Plan {
            captured: state.captured(),
            viewers: state.subscriptions.viewers(),
            ..Plan::default()
        };
        let groups = state.grant(&mut new);
        let failed = threads::provide(groups, &old, &mut new, &self.encode_threads, &self.metrics);
        for (inbox, why) in failed {
            inbox.set_grant(Grant::Refused(Some(Arc::clone(&why))));
            inbox.tell(Update::Status(why));
        }
        let new = Arc::new(new);
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&new);
        state.tell_waiting(&new);
    }

    /// Viewers of one form and rate get the same frames, so that each frame is encoded once for all
    /// of them.
    fn keep_step(&self, state: &State, viewer: ViewerId) {
        let Some(inbox) = state.inboxes.get(&viewer) else { return };
        let Grant::Frames(form, stream) = inbox.grant() else { return };
        let mut others = state.inboxes.iter().filter(|(other, _)| **other != viewer);
        others.any(|(_, other)| inbox.keep_step_with(other, form, &stream));
    }

    /// Gives a viewer that has just asked something to start with: a live picture of the same form
    /// from another viewer, or the status.
    fn greet(&self, state: &State, viewer: ViewerId, wish: &Wish) {
        let Some(inbox) = state.inboxes.get(&viewer) else { return };
        let (form, stream) = match inbox.grant() {
            Grant::Frames(form, stream) => (form, stream),
            // `tell_waiting` tells it what is encoded instead.
            Grant::Refused(_) => return,
            Grant::NoFrames => return state.news.iter().for_each(|news| inbox.tell(news.clone())),
        };
        if let Some(Update::Frame { .. }) = inbox.newest_of(form, &stream) {
            // The viewer already has a frame of this form.
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

    /// A poisoned lock is used all the same: no panic can leave the state half changed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn captured(&self) -> Option<(Captured, Arc<StreamFacts>)> {
        self.subscriptions.captured().zip(self.stream.clone())
    }

    /// Grants each viewer what it gets, adds those who get the camera's own JPEGs to `plan`, and
    /// returns the groups that need a rendition.
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
                    // `tell_waiting` tells it, once it is known what is encoded instead.
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

    /// Tells viewers whose form is one too many what is encoded instead, unless they know.
    fn tell_waiting(&self, plan: &Plan) {
        let mut text = None;
        for inbox in self.inboxes.values() {
            let Grant::Refused(told) = inbox.grant() else { continue };
            let status = text.get_or_insert_with(|| Arc::new(full(plan)));
            // A viewer whose thread could not be started keeps that reason.
            if told.is_none_or(|told| told.code == StatusCode::Full && told != *status) {
                inbox.set_grant(Grant::Refused(Some(Arc::clone(status))));
                inbox.tell(Update::Status(Arc::clone(status)));
            }
        }
    }
}

fn full(plan: &Plan) -> StatusText {
    let own = plan.passes_any().then(|| String::from("its own JPEGs"));
    let made = plan.made.iter().map(|rendition| rendition.recipe.to_string());
    let all: Vec<_> = own.into_iter().chain(made).collect();
    let text = if all.is_empty() {
        String::from("the camera cannot encode another size or quality now; ask for none")
    } else {
        let all = all.join(", ");
        format!(
            "the camera already sends as many sizes and qualities as it can: {all}; ask for one of these, or for none"
        )
    };
    StatusText { code: StatusCode::Full, text }
}

/// One viewer's wish, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    roster: Arc<Roster>,
    viewer: ViewerId,
    inbox: Arc<Inbox>,
    wish: Wish,
}

impl Subscription {
    /// A reader of the viewer's updates. It stays the same when the wish changes.
    pub fn reader(&self) -> Reader<Update> {
        self.inbox.reader()
    }

    /// The current wish.
    pub fn wish(&self) -> Wish {
        self.wish
    }

    /// Changes the wish.
    pub fn ask(&mut self, wish: Wish) {
        let mut state = self.roster.lock();
        state.subscriptions.ask(self.viewer, wish);
        // Discard what it was told before, so that it is told again.
        self.inbox.set_grant(Grant::NoFrames);
        self.inbox.set_rate(wish.rate);
        self.roster.settle(&state);
        self.inbox.withdraw();
        self.roster.greet(&state, self.viewer, &wish);
        self.roster.keep_step(&state, self.viewer);
        drop(state);
        self.wish = wish;
    }

    /// Changes to `rung` of the ladder of lesser qualities. The form that was asked for stays
    /// reserved for this viewer, so it can always come back.
    ///
    /// # Errors
    /// When that rung cannot be sent. Nothing has changed then.
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

    /// Whether less is sent than was asked for. This may end by itself: a lower rung is given up
    /// when another viewer asks for its place.
    pub fn is_lowered(&self) -> bool {
        self.roster.lock().subscriptions.is_lowered(self.viewer)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Frames that are still being encoded are discarded.
        self.inbox.set_grant(Grant::NoFrames);
        let mut state = self.roster.lock();
        state.inboxes.remove(&self.viewer);
        state.subscriptions.leave(self.viewer);
        self.roster.settle(&state);
    }
}
