//! Sends drawn pictures while the camera gives none: a viewer of a stream gives up when nothing comes.
//!
//! Home Assistant waits 10 s for the next bytes, GStreamer 15, OpenCV 30, nginx 60. So something is sent every 4 s:
//! a picture of words while something is wrong, and the newest picture again while the camera works and is only slow.

use super::Camera;
use super::outgoing::Counting;
use crate::camera::encode::{Coding, Recipe};
use crate::camera::notices::Trouble;
use crate::camera::renditions::wish::Wish;
use crate::camera::update::StatusText;
use crate::image::frame::Micros;
use crate::image::jpeg::markers;
use crate::image::pixels::Size;
use crate::latest::Newest;
use crate::source::clock;
use crate::wire::packet::{Codec, Packet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A stream is silent for no longer than this.
const EVERY: Duration = Duration::from_secs(4);

/// Trouble that is over by then is not worth a picture.
const GRACE: Duration = Duration::from_secs(1);

/// A camera that says nothing of its rate, and has not shown it, is slow for so long, and silent then.
const UNKNOWN_RATE: Duration = Duration::from_secs(10);

/// Of a notice before there ever was a picture.
const USUAL_SIZE: Size = Size::new(640, 360);

/// Of all notices, whatever the stream's is: there is little to lose.
const QUALITY: u8 = 80;

/// What one viewer was sent last, and what is wrong.
#[derive(Debug)]
pub(super) struct Silence {
    /// Notices look like the last picture, which some programs rely on.
    recipe: Recipe,
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
    due: Instant,
}

/// What fills a silence.
#[derive(Debug)]
pub(super) enum Filling {
    /// A picture of words.
    Notice(Arc<Packet>),
    /// The newest picture once more: it is still the newest.
    NewestAgain,
}

impl Silence {
    /// Of a viewer with this wish, who has just come.
    pub(super) fn new(camera: &Camera, wish: &Wish) -> Self {
        let shown = match camera.renditions.shown().reader().newest() {
            Newest::Fresh { value, .. } => value.size,
            Newest::NotYet | Newest::Closed => USUAL_SIZE,
        };
        Self {
            recipe: of_notices(wish.recipe(shown)),
            is_guess: true,
            told: None,
            taken_at: clock::now(),
            sent: None,
            notice: None,
            due: Instant::now() + EVERY,
        }
    }

    /// There is a picture.
    pub(super) fn picture(&mut self, packet: &Packet) {
        self.told = None;
        self.notice = None;
        self.taken_at = packet.facts.captured_at;
        if std::mem::take(&mut self.is_guess) || packet.facts.size != self.recipe.size {
            self.resemble(packet);
        }
    }

    /// This is sent now; what it counts as.
    pub(super) fn sends(&mut self, packet: &Arc<Packet>) -> Counting {
        self.postpone();
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

    fn postpone(&mut self) {
        self.due = Instant::now() + EVERY;
    }

    /// There is no picture for now, and this is why.
    pub(super) fn trouble(&mut self, status: Arc<StatusText>) {
        if self.told.as_ref() != Some(&status) {
            self.due = self.due.min(Instant::now() + GRACE);
            self.told = Some(status);
            self.is_guess = true;
        }
    }

    /// When something is to be sent, if nothing is until then.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// What is to be sent now, if something is; pictures are to come in this `interval`.
    pub(super) fn filling(&mut self, camera: &Camera, interval: Duration) -> Option<Filling> {
        if Instant::now() < self.due {
            return None;
        }
        // Should there be nothing to send, nobody tries again at once.
        self.postpone();
        if self.told.is_none() && !self.is_silent(camera, interval) {
            return Some(Filling::NewestAgain);
        }
        let trouble = self.wrong();
        self.notice(camera, &trouble).map(Filling::Notice)
    }

    /// What is wrong while there is no picture.
    pub(super) fn wrong(&self) -> Trouble {
        self.told.as_ref().map_or(Trouble::Silence, |status| Trouble::Told(Arc::clone(status)))
    }

    /// A picture that says `trouble`.
    pub(super) fn notice(&mut self, camera: &Camera, trouble: &Trouble) -> Option<Arc<Packet>> {
        let silent_for = camera.renditions.metrics().health(clock::now()).silent_for;
        let notices = camera.renditions.notices();
        match notices.draw(self.recipe, trouble, &camera.name, silent_for) {
            Ok(packet) => Some(Arc::clone(self.notice.insert(packet))),
            Err(error) => {
                log::debug!("no notice: {error}");
                None
            }
        }
    }

    /// Whether a picture should have come long since.
    fn is_silent(&self, camera: &Camera, interval: Duration) -> bool {
        let measured = camera.renditions.metrics().interval();
        let expected = measured.max(interval);
        let limit = if measured.is_zero() { UNKNOWN_RATE } else { EVERY };
        clock::now().since(self.taken_at) >= limit.max(expected * 3)
    }

    fn resemble(&mut self, packet: &Packet) {
        self.recipe.size = packet.facts.size;
        if packet.facts.codec == Codec::Jpeg
            && let Some(chroma) = markers::chroma(packet.payload())
        {
            self.recipe.coding = Coding::Jpeg { quality: QUALITY, chroma };
        }
    }
}

fn of_notices(mut recipe: Recipe) -> Recipe {
    if let Coding::Jpeg { quality, .. } = &mut recipe.coding {
        *quality = QUALITY;
    }
    recipe
}
