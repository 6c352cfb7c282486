//! What one viewer watches: the form that it asked for, or a lesser one that its link can carry.

use super::link::waiter::Waiter;
use super::machine::Step;
use crate::camera::roster::subscriptions::NotLowered;
use crate::camera::roster::wish::Wish;
use crate::camera::roster::{Roster, Subscription};
use crate::camera::update::{StreamFacts, Update};
use crate::clock;
use crate::latest::{Newest, Reader};
use crate::rate::Rate;
use crate::wire::ladder::{Asked, Ladder, Lowest, Rung, Transfer};
use crate::wire::packet::Packet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A viewer's subscription, and its rung on the ladder of qualities.
pub(super) struct View {
    reader: Reader<Update>,
    subscription: Subscription,
    ladder: Ladder,
    /// The stream of the last frame.
    stream: Option<Arc<StreamFacts>>,
}

/// For a camera that does not state its rate.
const USUAL_INTERVAL: Duration = Duration::from_millis(33);

impl View {
    /// Subscribes to `wish`. The ladder goes no lower than `lowest`.
    pub(super) fn new(
        roster: &Arc<Roster>,
        wish: Wish,
        lowest: Lowest,
        waiter: &Waiter,
    ) -> io::Result<Self> {
        let subscription = roster.subscribe(wish);
        let mut reader = subscription.reader();
        waiter.listen_to(&mut reader)?;
        Ok(Self { reader, subscription, ladder: ladder(&wish, lowest), stream: None })
    }

    /// What was asked for.
    pub(super) fn wish(&self) -> Wish {
        self.subscription.wish()
    }

    /// Subscribes to another wish.
    pub(super) fn change(&mut self, wish: Wish, lowest: Lowest) {
        self.subscription.ask(wish);
        self.ladder = ladder(&wish, lowest);
    }

    /// The newest update, if it was not taken yet. After [`Newest::NotYet`] the next update wakes
    /// the waiter.
    pub(super) fn newest(&mut self) -> Newest<Update> {
        let newest = self.reader.newest();
        if let Newest::Fresh { value: Update::Frame { stream, .. }, .. } = &newest
            && self.stream.as_ref().is_none_or(|known| !Arc::ptr_eq(known, stream))
        {
            self.stream = Some(Arc::clone(stream));
        }
        newest
    }

    /// The newest frame for this viewer, even if it was taken before; `None` while there is no
    /// picture.
    pub(super) fn current(&self) -> Option<Arc<Packet>> {
        match self.reader.current() {
            Some(Update::Frame { packet, .. }) => Some(packet),
            Some(Update::Status(_)) | None => None,
        }
    }

    /// Notes that a frame has arrived. Changes the rung if the ladder says so and there is room.
    pub(super) fn arrived(&mut self, transfer: Transfer) -> Step {
        if self.is_lowered() && !self.subscription.is_lowered() {
            // Another viewer asked for a form and got the place of this viewer's lesser form.
            log::debug!("another viewer got its rendition");
            let now = clock::now();
            self.ladder.moved(Rung::Asked, now);
            self.ladder.stays(now);
        }
        match self.ladder.arrived(transfer, self.interval()) {
            Some(rung) => self.step(rung),
            None => Step::Stays,
        }
    }

    /// Whether less is sent than was asked for.
    pub(super) fn is_lowered(&self) -> bool {
        self.ladder.rung() != Rung::Asked
    }

    /// The time between two frames.
    pub(super) fn interval(&self) -> Duration {
        let stream = self.stream.as_ref();
        let rate = stream.map_or(Rate::NONE, |stream| stream.rate.lower(self.wish().rate));
        rate.interval().unwrap_or(USUAL_INTERVAL)
    }

    fn step(&mut self, rung: Rung) -> Step {
        let now = clock::now();
        match self.subscription.lower(rung) {
            Ok(()) => {
                log::debug!("its link carries {rung} now");
                self.ladder.moved(rung, now);
                Step::Goes
            }
            Err(why) => {
                if why == NotLowered::Full {
                    log::debug!("its link could carry {rung}, but all renditions are in use");
                }
                self.ladder.stays(now);
                Step::Stays
            }
        }
    }
}

fn ladder(wish: &Wish, lowest: Lowest) -> Ladder {
    Ladder::new(Asked { quality: wish.quality().unwrap_or(0), lowest })
}
