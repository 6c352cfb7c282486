//! Decides what to send while there are no pictures: viewers of a stream give up when nothing
//! comes.
//!
//! Home Assistant waits 10 s for the next bytes, GStreamer 15 s, OpenCV 30 s, nginx 60 s. So
//! something is sent every 4 s: a picture of words if something is wrong, or the newest picture
//! again if the camera is only slow.

use super::link::outgoing::Counting;
use super::machine::Moment;
use super::notice::{Look, Notice};
use crate::camera::notices::Trouble;
use crate::camera::roster::wish::Wish;
use crate::camera::update::StatusText;
use crate::image::frame::Micros;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// The longest time without anything being sent.
const EVERY: Duration = Duration::from_secs(4);

/// No notice is drawn for a fault that lasts less than this.
const GRACE: Duration = Duration::from_secs(1);

/// A camera of unknown rate counts as slow for this long, and then as silent.
const UNKNOWN_RATE: Duration = Duration::from_secs(10);

/// What one viewer got last, and what is wrong now.
#[derive(Debug)]
pub(super) struct Silence {
    wish: Wish,
    /// The format of the last picture. Notices use it, since some programs cannot follow a change.
    last: Option<Look>,
    /// The status that says why there is no picture, if there is one.
    told: Option<Arc<StatusText>>,
    /// When the last picture was captured, or when the viewer came.
    taken_at: Micros,
    /// When the last picture that was sent was captured.
    sent: Option<Micros>,
    /// Held, so that other viewers that need the same notice share it.
    notice: Option<Arc<Packet>>,
    due: Micros,
}

/// What to send during a silence.
#[derive(Debug)]
pub(super) enum Filling {
    /// A picture of words.
    Notice(Notice),
    /// The newest picture again.
    NewestAgain,
}

impl Silence {
    /// The state of a viewer with this wish that has just come.
    pub(super) fn new(wish: Wish, now: Micros) -> Self {
        Self {
            wish,
            last: None,
            told: None,
            taken_at: now,
            sent: None,
            notice: None,
            due: now.after(EVERY),
        }
    }

    /// Notes a new picture.
    pub(super) fn picture(&mut self, packet: &Packet) {
        self.told = None;
        self.notice = None;
        self.taken_at = packet.facts.captured_at;
        let before = self.last.and_then(|last| last.chroma);
        self.last = Some(Look { size: packet.facts.size, chroma: packet.chroma.or(before) });
    }

    /// Notes that this picture is sent now. Returns how to count it.
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

    /// Notes the reason why there is no picture.
    pub(super) fn trouble(&mut self, status: Arc<StatusText>, now: Micros) {
        if self.told.as_ref() != Some(&status) {
            self.due = self.due.min(now.after(GRACE));
            self.told = Some(status);
        }
    }

    /// When to send something, if nothing is sent before.
    pub(super) fn due(&self) -> Micros {
        self.due
    }

    /// What to send now, if anything.
    pub(super) fn filling(&mut self, moment: &Moment) -> Option<Filling> {
        if moment.now < self.due {
            return None;
        }
        // Even if there turns out to be nothing to send, do not try again at once.
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

    /// The notice that says `trouble`.
    pub(super) fn notice(&self, trouble: Trouble) -> Notice {
        Notice { trouble, wish: self.wish, like: self.last }
    }

    /// Keeps the notice that was drawn.
    pub(super) fn drawn(&mut self, notice: Option<Arc<Packet>>) -> Option<Arc<Packet>> {
        if notice.is_some() {
            self.notice.clone_from(&notice);
        }
        notice
    }

    /// Whether a picture is long overdue.
    fn is_silent(&self, moment: &Moment) -> bool {
        let expected = moment.measured.max(moment.interval);
        let limit = if moment.measured.is_zero() { UNKNOWN_RATE } else { EVERY };
        moment.now.since(self.taken_at) >= limit.max(expected * 3)
    }
}
