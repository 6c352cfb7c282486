//! What one viewer watches: what it asked for, or as much less as its link carries.

use super::link::waiter::Waiter;
use super::machine::Step;
use crate::camera::renditions::wish::Wish;
use crate::camera::renditions::{NoPlace, Renditions, Watching};
use crate::camera::update::{StatusText, StreamFacts, Update};
use crate::latest::{Newest, Reader};
use crate::source::clock;
use crate::wire::ladder::{Asked, Ladder, Lowest, Rung, Transfer};
use crate::wire::native::message::StatusCode;
use crate::wire::packet::Packet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A viewer's place, and the reader that belongs to it.
pub(super) struct View {
    /// Before the place it reads from, which it may be the last to leave.
    reader: Reader<Update>,
    watching: Watching,
    lowest: Lowest,
    ladder: Ladder,
    /// The newest frame that was taken, and whose.
    newest: Option<(Arc<StreamFacts>, u64)>,
}

/// Of a camera that does not say its rate.
const USUAL_INTERVAL: Duration = Duration::from_millis(33);

impl View {
    /// Of somebody who asks for `wish`, and takes nothing below `lowest`.
    pub(super) fn new(
        renditions: &Arc<Renditions>,
        wish: Wish,
        lowest: Lowest,
        waiter: &Waiter,
    ) -> io::Result<Self> {
        let watching = renditions.watch(wish);
        let mut reader = watching.reader();
        waiter.listen_to(&mut reader)?;
        let ladder = ladder(&wish, lowest);
        Ok(Self { reader, watching, lowest, ladder, newest: None })
    }

    /// What was asked for.
    pub(super) fn wish(&self) -> Wish {
        self.watching.wish()
    }

    /// Asks for something else.
    pub(super) fn change(&mut self, wish: Wish, lowest: Lowest, waiter: &Waiter) -> io::Result<()> {
        self.watching.change(wish);
        self.reader = self.watching.reader();
        (self.lowest, self.ladder) = (lowest, ladder(&wish, lowest));
        waiter.listen_to(&mut self.reader)
    }

    /// The newest update, if it was not taken. After [`Newest::NotYet`] the waiter wakes at the next.
    pub(super) fn newest(&mut self, waiter: &Waiter) -> io::Result<Newest<Update>> {
        loop {
            match self.reader.newest() {
                // What waits in a place that others watch may be older than what was taken elsewhere.
                Newest::Fresh { value: Update::Frame { packet, stream }, skipped } => {
                    if self.is_new(&stream, packet.facts.sequence) {
                        self.newest = Some((Arc::clone(&stream), packet.facts.sequence));
                        let value = Update::Frame { packet, stream };
                        return Ok(Newest::Fresh { value, skipped });
                    }
                }
                // Somebody asked for what this one only had for want of more.
                Newest::Fresh { value: Update::Status(status), .. } if self.is_evicted(&status) => {
                    self.ladder.stays(clock::now());
                    self.step(Rung::Asked, waiter)?;
                }
                newest => return Ok(newest),
            }
        }
    }

    /// The newest frame there is for this viewer, though it was taken; `None` while there is no picture.
    pub(super) fn current(&self) -> Option<Arc<Packet>> {
        match self.reader.current() {
            Some(Update::Frame { packet, .. }) => Some(packet),
            Some(Update::Status(_)) | None => None,
        }
    }

    /// Takes note that a frame has arrived, and goes to another rung if that is called for and there is a place.
    pub(super) fn arrived(&mut self, transfer: Transfer, waiter: &Waiter) -> io::Result<Step> {
        match self.ladder.arrived(transfer, self.interval()) {
            Some(rung) => self.step(rung, waiter),
            None => Ok(Step::Stays),
        }
    }

    /// Whether less is sent than was asked for.
    pub(super) fn is_lowered(&self) -> bool {
        self.ladder.rung() != Rung::Asked
    }

    /// Frames per thousand seconds that are to be sent; 0 when nobody knows.
    pub(super) fn millifps(&self, stream: &StreamFacts) -> u32 {
        let rates = [stream.millifps, self.wish().millifps];
        rates.into_iter().filter(|&millifps| millifps > 0).min().unwrap_or(0)
    }

    /// The time in which a frame is made.
    pub(super) fn interval(&self) -> Duration {
        let millifps = self.newest.as_ref().map_or(0, |(stream, _)| self.millifps(stream));
        Duration::from_secs(1000).checked_div(millifps).unwrap_or(USUAL_INTERVAL)
    }

    fn step(&mut self, rung: Rung, waiter: &Waiter) -> io::Result<Step> {
        let now = clock::now();
        match self.watching.step(rung) {
            Ok(reader) => {
                log::debug!("its link carries {rung} now");
                self.reader = reader;
                self.ladder.moved(rung, now);
                waiter.listen_to(&mut self.reader)?;
                Ok(Step::Goes)
            }
            Err(why) => {
                if why == NoPlace::Full {
                    log::debug!("its link would carry {rung}, but all renditions are others'");
                }
                self.ladder.stays(now);
                Ok(Step::Stays)
            }
        }
    }

    fn is_new(&self, stream: &Arc<StreamFacts>, sequence: u64) -> bool {
        let Some((of, newest)) = &self.newest else { return true };
        !Arc::ptr_eq(of, stream) || sequence > *newest
    }

    fn is_evicted(&self, status: &StatusText) -> bool {
        self.is_lowered() && status.code == StatusCode::Full
    }
}

fn ladder(wish: &Wish, lowest: Lowest) -> Ladder {
    Ladder::new(Asked { quality: wish.quality().unwrap_or(0), lowest })
}
