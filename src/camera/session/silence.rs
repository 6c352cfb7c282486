//! Fills the time without pictures: a viewer of a stream gives up when nothing comes.
//!
//! Home Assistant waits 10 s for the next bytes, GStreamer 15, OpenCV 30, nginx 60. So something is sent every 4 s:
//! a picture of words while something is wrong, and the newest picture again while the camera works and is only slow.

use super::link::outgoing::Counting;
use super::machine::Moment;
use super::notice::{Look, Notice};
use crate::camera::notices::Trouble;
use crate::camera::roster::wish::Wish;
use crate::camera::update::StatusText;
use crate::image::frame::Micros;
use crate::image::jpeg::markers;
use crate::wire::packet::{Codec, Packet};
use std::sync::Arc;
use std::time::Duration;

/// A stream is silent for no longer than this.
const EVERY: Duration = Duration::from_secs(4);

/// Trouble that is over by then is not worth a picture.
const GRACE: Duration = Duration::from_secs(1);

/// A camera that says nothing of its rate, and has not shown it, is slow for so long, and silent then.
const UNKNOWN_RATE: Duration = Duration::from_secs(10);

/// What one viewer was sent last, and what is wrong.
#[derive(Debug)]
pub(super) struct Silence {
    wish: Wish,
    /// Notices look like the last picture, which some programs rely on.
    last: Option<Look>,
    /// Whether the next picture may look otherwise.
    is_guess: bool,
    /// Why there is no picture; `None` while nobody said so.
    told: Option<Arc<StatusText>>,
    /// When the last picture was taken, or the viewer came.
    taken_at: Micros,
    /// When the picture that was sent last was taken.
    sent: Option<Micros>,
    /// Kept, so that others who need the same are sent the same.
    notice: Option<Arc<Packet>>,
    due: Micros,
}

/// What fills a silence.
#[derive(Debug)]
pub(super) enum Filling {
    /// A picture of words.
    Notice(Notice),
    /// The newest picture once more: it is still the newest.
    NewestAgain,
}

impl Silence {
    /// Of a viewer with this wish, who has just come.
    pub(super) fn new(wish: Wish, now: Micros) -> Self {
        Self {
            wish,
            last: None,
            is_guess: true,
            told: None,
            taken_at: now,
            sent: None,
            notice: None,
            due: now.after(EVERY),
        }
    }

    /// There is a picture.
    pub(super) fn picture(&mut self, packet: &Packet) {
        self.told = None;
        self.notice = None;
        self.taken_at = packet.facts.captured_at;
        let size = packet.facts.size;
        if std::mem::take(&mut self.is_guess) || self.last.is_none_or(|last| last.size != size) {
            let chroma = match packet.facts.codec {
                Codec::Jpeg => markers::chroma(packet.payload()),
                Codec::Bgr24 => None,
            };
            let before = self.last.and_then(|last| last.chroma);
            self.last = Some(Look { size, chroma: chroma.or(before) });
        }
    }

    /// This is sent now; what it counts as.
    pub(super) fn sends(&mut self, packet: &Arc<Packet>, now: Micros) -> Counting {
        self.due = now.after(EVERY);
        let sent = self.sent.replace(packet.facts.captured_at);
        if self.is_notice(packet) || sent == self.sent {
            Counting::Filling
        } else {
            Counting::Frame
        }
    }

    /// Whether it is the last notice.
    pub(super) fn is_notice(&self, packet: &Arc<Packet>) -> bool {
        self.notice.as_ref().is_some_and(|notice| Arc::ptr_eq(notice, packet))
    }

    /// The last notice, while there is still no picture.
    pub(super) fn last_notice(&self) -> Option<Arc<Packet>> {
        self.notice.clone()
    }

    /// There is no picture for now, and this is why.
    pub(super) fn trouble(&mut self, status: Arc<StatusText>, now: Micros) {
        if self.told.as_ref() != Some(&status) {
            self.due = self.due.min(now.after(GRACE));
            self.told = Some(status);
            self.is_guess = true;
        }
    }

    /// When something is to be sent, if nothing is until then.
    pub(super) fn due(&self) -> Micros {
        self.due
    }

    /// What is to be sent now, if something is.
    pub(super) fn filling(&mut self, moment: &Moment) -> Option<Filling> {
        if moment.now < self.due {
            return None;
        }
        // Should there be nothing to send, nobody tries again at once.
        self.due = moment.now.after(EVERY);
        if self.told.is_none() && !self.is_silent(moment) {
            return Some(Filling::NewestAgain);
        }
        Some(Filling::Notice(self.notice(self.wrong())))
    }

    /// What is wrong while there is no picture.
    pub(super) fn wrong(&self) -> Trouble {
        self.told.as_ref().map_or(Trouble::Silence, |status| Trouble::Told(Arc::clone(status)))
    }

    /// What is to be drawn to say `trouble`.
    pub(super) fn notice(&self, trouble: Trouble) -> Notice {
        Notice { trouble, wish: self.wish, like: self.last }
    }

    /// It was drawn.
    pub(super) fn drawn(&mut self, notice: Option<Arc<Packet>>) -> Option<Arc<Packet>> {
        if notice.is_some() {
            self.notice.clone_from(&notice);
        }
        notice
    }

    /// Whether a picture should have come long since.
    fn is_silent(&self, moment: &Moment) -> bool {
        let expected = moment.measured.max(moment.interval);
        let limit = if moment.measured.is_zero() { UNKNOWN_RATE } else { EVERY };
        moment.now.since(self.taken_at) >= limit.max(expected * 3)
    }
}
