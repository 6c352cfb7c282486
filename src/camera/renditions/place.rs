//! Where viewers with equal wishes get their pictures: one slot, and what may be put into it.

use super::pace::Pace;
use super::wish::{Form, Wish};
use crate::camera::update::{StatusText, StreamFacts, Update};
use crate::image::frame::Micros;
use crate::latest::Latest;
use crate::wire::packet::Packet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The slot of one wish, as long as somebody watches it.
///
/// Frames come from several threads, and may be late; a place takes only those that it was granted. So no
/// frame follows the news that its camera is gone, and none of another form comes in between.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) wish: Wish,
    pub(super) output: Arc<Latest<Update>>,
    standing: Mutex<Standing>,
}

#[derive(Debug)]
struct Standing {
    grant: Grant,
    pace: Pace,
}

/// What a place may be given.
#[derive(Debug, Clone)]
pub(super) enum Grant {
    /// There are no frames for anyone.
    Nothing,
    /// All renditions that may be made are made for others; this is what its viewers were told.
    Waiting(Arc<StatusText>),
    /// Frames of this form, from this source.
    Frames(Form, Arc<StreamFacts>),
}

impl Grant {
    fn covers(&self, form: Form, stream: &Arc<StreamFacts>) -> bool {
        matches!(self, Self::Frames(granted, of) if *granted == form && Arc::ptr_eq(of, stream))
    }
}

impl Place {
    pub(super) fn new(wish: Wish) -> Self {
        let standing = Standing { grant: Grant::Nothing, pace: Pace::new(wish.millifps) };
        Self { wish, output: Latest::new(), standing: Mutex::new(standing) }
    }

    /// Whether a frame of `form` captured `at` would be taken.
    pub(super) fn wants(&self, form: Form, stream: &Arc<StreamFacts>, at: Micros) -> bool {
        let mut standing = self.lock();
        standing.grant.covers(form, stream) && standing.pace.is_due(at)
    }

    /// Publishes a frame to this place's viewers, if they are to have it.
    pub(super) fn offer(&self, form: Form, packet: &Arc<Packet>, stream: &Arc<StreamFacts>) {
        let at = packet.facts.captured_at;
        // Held while publishing: a status that is published meanwhile must come after, not before.
        let mut standing = self.lock();
        if standing.grant.covers(form, stream) && standing.pace.is_due(at) {
            standing.pace.sent(at);
            let (packet, stream) = (Arc::clone(packet), Arc::clone(stream));
            // The replaced packet goes back to its pool by being let go of.
            self.output.publish(Update::Frame { packet, stream });
        }
    }

    /// Puts a status into the slot in place of a picture.
    pub(super) fn tell(&self, status: Update) {
        self.output.publish(status);
    }

    /// The same, if it is news of the frames that it is to have.
    pub(super) fn tell_of(&self, form: Form, stream: &Arc<StreamFacts>, status: &Update) {
        // Held while publishing, as for frames.
        let standing = self.lock();
        if standing.grant.covers(form, stream) {
            self.output.publish(status.clone());
        }
    }

    pub(super) fn grant(&self) -> Grant {
        self.lock().grant.clone()
    }

    pub(super) fn set_grant(&self, grant: Grant) {
        self.lock().grant = grant;
    }

    /// Poison is ignored: no panic can leave a grant half-way.
    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
