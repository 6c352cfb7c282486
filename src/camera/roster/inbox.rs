//! One viewer's slot, and what may be put into it.

use super::pace::Pace;
use super::wish::{Form, Wish};
use crate::camera::update::{StatusText, StreamFacts, Update};
use crate::image::frame::Micros;
use crate::latest::{Latest, Reader};
use crate::rate::Rate;
use crate::wire::packet::Packet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A slot as long as its viewer stays, whatever it asks for meanwhile.
///
/// Frames come from several threads, and may be late. An inbox takes only those of the form that its viewer was granted, and
/// only newer ones than it had. So no frame follows the news that its camera is gone, and numbers rise.
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

/// What a viewer gets.
#[derive(Debug, Clone)]
pub(super) enum Grant {
    /// No frames, because the camera gives no frames.
    NoFrames,
    /// No frames, and this is why; empty until it was told.
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

    /// The updates that are put in, for its viewer.
    pub(super) fn reader(&self) -> Reader<Update> {
        self.slot.reader()
    }

    /// The update that was put in last, if it is good for another viewer that gets the same form.
    pub(super) fn newest_of(&self, form: Form, stream: &Arc<StreamFacts>) -> Option<Update> {
        let rules = self.lock();
        let is_same = |newest: &Newest| newest.form == form && Arc::ptr_eq(&newest.stream, stream);
        match self.slot.current()? {
            Update::Frame { .. } if !rules.newest.as_ref().is_some_and(is_same) => None,
            update => rules.is_granted(form, stream).then_some(update),
        }
    }

    /// A frame of `form` was captured `at`: whether it is due here. To be asked once for each frame, in their order.
    pub(super) fn is_due(&self, form: Form, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let mut rules = self.lock();
        rules.pace.saw(at);
        rules.is_granted(form, stream) && rules.pace.is_due(at)
    }

    /// Whether that is so still, when it has taken a while to make it.
    pub(super) fn is_still_due(&self, form: Form, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let rules = self.lock();
        rules.is_granted(form, stream) && rules.pace.is_due(at)
    }

    /// Puts in a frame, if its viewer is to have it.
    pub(super) fn offer(&self, form: Form, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        let facts = &packet.facts;
        // Held while publishing: a status that is published meanwhile must come after, not before.
        let mut rules = self.lock();
        let is_newer = rules.newest.as_ref().is_none_or(|newest| {
            !Arc::ptr_eq(&newest.stream, stream) || facts.sequence > newest.sequence
        });
        if rules.is_granted(form, stream) && rules.pace.is_due(facts.captured_at) && is_newer {
            rules.pace.sent(facts.captured_at);
            let (packet, stream) = (Arc::clone(packet), Arc::clone(stream));
            let sequence = facts.sequence;
            rules.newest = Some(Newest { stream: Arc::clone(&stream), form, sequence });
            // The replaced packet goes back to its pool by being let go of.
            self.slot.publish(Update::Frame { packet, stream });
        }
    }

    /// Puts in a status in place of a picture.
    pub(super) fn tell(&self, status: Update) {
        self.slot.publish(status);
    }

    /// The same, if it is news of the frames that its viewer is to have.
    pub(super) fn tell_of(&self, form: Form, stream: &Arc<StreamFacts>, status: &Update) {
        // Held while publishing, as for frames.
        let rules = self.lock();
        if rules.is_granted(form, stream) {
            self.slot.publish(status.clone());
        }
    }

    /// Takes out a frame that its viewer has not taken and is granted no more: it asks for another form now.
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

    /// Frames come at this rate from here on.
    pub(super) fn set_rate(&self, rate: Rate) {
        self.lock().pace = Pace::new(rate);
    }

    /// Takes the same frames as another viewer of the same form and rate from here on; returns whether that is one.
    pub(super) fn keep_step_with(
        &self,
        other: &Self,
        form: Form,
        stream: &Arc<StreamFacts>,
    ) -> bool {
        // Never both locks at once.
        let theirs = {
            let rules = other.lock();
            rules.is_granted(form, stream).then_some(rules.pace)
        };
        theirs.is_some_and(|pace| self.lock().pace.keep_step_with(pace))
    }

    /// Poison is ignored: no panic can leave a grant half-way.
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
