//! One viewer's slot, and the rules for what may be put into it.

use super::pace::Pace;
use super::wish::{Form, Wish};
use crate::camera::update::{StatusText, StreamFacts, Update};
use crate::image::frame::Micros;
use crate::latest::{Latest, Reader};
use crate::rate::Rate;
use crate::wire::packet::Packet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The slot of one viewer. It stays the same when the viewer asks for another form.
///
/// Frames come from several threads, and some come late. An inbox takes only frames of the form
/// that its viewer was granted, and only frames newer than the last one. So no frame of a camera
/// follows the status that it was unplugged, and sequence numbers always rise.
#[derive(Debug)]
pub(super) struct Inbox {
    slot: Arc<Latest<Update>>,
    rules: Mutex<Rules>,
}

#[derive(Debug)]
struct Rules {
    grant: Grant,
    pace: Pace,
    newest: Option<Newest>,
}

/// The newest frame that was put in.
#[derive(Debug)]
struct Newest {
    stream: Arc<StreamFacts>,
    form: Form,
    sequence: u64,
}

/// What a viewer gets now.
#[derive(Debug, Clone)]
pub(super) enum Grant {
    /// No frames, because the camera gives none.
    NoFrames,
    /// No frames, for this reason. `None` until the viewer is told the reason.
    Refused(Option<Arc<StatusText>>),
    /// Frames of this form, from this source.
    Frames(Form, Arc<StreamFacts>),
}

impl Rules {
    fn is_granted(&self, form: Form, stream: &Arc<StreamFacts>) -> bool {
        matches!(&self.grant, Grant::Frames(granted, of) if *granted == form && Arc::ptr_eq(of, stream))
    }
}

impl Inbox {
    pub(super) fn new(wish: &Wish) -> Self {
        let rules = Rules { grant: Grant::NoFrames, pace: Pace::new(wish.rate), newest: None };
        Self { slot: Latest::new(), rules: Mutex::new(rules) }
    }

    /// A reader of the updates, for the viewer.
    pub(super) fn reader(&self) -> Reader<Update> {
        self.slot.reader()
    }

    /// The update that was put in last, if another viewer of the same form can start with it.
    pub(super) fn newest_of(&self, form: Form, stream: &Arc<StreamFacts>) -> Option<Update> {
        let rules = self.lock();
        let is_same = |newest: &Newest| newest.form == form && Arc::ptr_eq(&newest.stream, stream);
        match self.slot.current()? {
            Update::Frame { .. } if !rules.newest.as_ref().is_some_and(is_same) => None,
            update => rules.is_granted(form, stream).then_some(update),
        }
    }

    /// Whether a frame of `form` captured `at` is due for this viewer. Must be called once for each
    /// frame, in the order of capture.
    pub(super) fn is_due(&self, form: Form, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let mut rules = self.lock();
        rules.pace.saw(at);
        rules.is_granted(form, stream) && rules.pace.is_due(at)
    }

    /// Whether that frame is still due after it was encoded.
    pub(super) fn is_still_due(&self, form: Form, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let rules = self.lock();
        rules.is_granted(form, stream) && rules.pace.is_due(at)
    }

    /// Puts in a frame, if the viewer is to get it.
    pub(super) fn offer(&self, form: Form, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        let facts = &packet.facts;
        // Hold the lock while publishing: a status that another thread publishes meanwhile must
        // come after this frame.
        let mut rules = self.lock();
        let is_newer = rules.newest.as_ref().is_none_or(|newest| {
            !Arc::ptr_eq(&newest.stream, stream) || facts.sequence > newest.sequence
        });
        if rules.is_granted(form, stream) && rules.pace.is_due(facts.captured_at) && is_newer {
            rules.pace.sent(facts.captured_at);
            let (packet, stream) = (Arc::clone(packet), Arc::clone(stream));
            let sequence = facts.sequence;
            rules.newest = Some(Newest { stream: Arc::clone(&stream), form, sequence });
            // The replaced packet returns to its pool when it is dropped.
            self.slot.publish(Update::Frame { packet, stream });
        }
    }

    /// Puts in a status instead of a picture.
    pub(super) fn tell(&self, status: Update) {
        self.slot.publish(status);
    }

    /// Puts in a status, if it is about the frames that the viewer is granted.
    pub(super) fn tell_of(&self, form: Form, stream: &Arc<StreamFacts>, status: &Update) {
        // Hold the lock while publishing, as in `offer`.
        let rules = self.lock();
        if rules.is_granted(form, stream) {
            self.slot.publish(status.clone());
        }
    }

    /// Removes a frame that the viewer has not taken yet, if the viewer asks for another form now.
    pub(super) fn withdraw(&self) {
        let rules = self.lock();
        let is_granted = |newest: &Newest| rules.is_granted(newest.form, &newest.stream);
        if !rules.newest.as_ref().is_some_and(is_granted) {
            self.slot.withdraw(|update| matches!(update, Update::Frame { .. }));
        }
    }

    pub(super) fn grant(&self) -> Grant {
        self.lock().grant.clone()
    }

    pub(super) fn set_grant(&self, grant: Grant) {
        self.lock().grant = grant;
    }

    /// Changes the rate at which frames are due.
    pub(super) fn set_rate(&self, rate: Rate) {
        self.lock().pace = Pace::new(rate);
    }

    /// Takes the same frames as `other`, which has the same form and rate. Returns whether `other`
    /// gets frames already.
    pub(super) fn keep_step_with(
        &self,
        other: &Self,
        form: Form,
        stream: &Arc<StreamFacts>,
    ) -> bool {
        // Do not hold both locks at once.
        let theirs = {
            let rules = other.lock();
            rules.is_granted(form, stream).then_some(rules.pace)
        };
        theirs.is_some_and(|pace| self.lock().pace.keep_step_with(pace))
    }

    /// A poisoned lock is used all the same: no panic can leave the rules half changed.
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
