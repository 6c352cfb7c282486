//! One camera in the window: its channel, its panel of controls, and the ages of its pictures.

use super::close_up::CloseUp;
use super::panel::Panel;
use crate::image::picture::Picture;
use crate::image::pixels::Size;
use crate::latest::Doorbell;
use crate::viewer::keep::recorder::Recording;
use crate::viewer::paint::{AgeTrack, badges};
use crate::viewer::watch::channel::{Change, Channel};
use std::sync::Arc;
use std::time::Instant;

/// One camera in the window.
#[derive(Debug)]
pub struct Tile {
    /// The channel that watches it.
    pub channel: Channel,
    /// Its panel of controls.
    pub panel: Panel,
    /// Whether the panel is open.
    is_adjusted: bool,
    /// The ages of the last pictures.
    pub ages: AgeTrack,
    /// The picture at its full size, if it stands still and was decoded smaller than it is shown.
    close_up: Option<CloseUp>,
    /// Whether the camera waits for its code.
    pub wants_code: bool,
    /// Whether the field for it was opened, since it began to wait.
    pub was_asked: bool,
}

impl From<Channel> for Tile {
    fn from(channel: Channel) -> Self {
        let (panel, ages) = (Panel::default(), AgeTrack::default());
        let (wants_code, was_asked) = (false, false);
        Self { channel, panel, is_adjusted: false, ages, close_up: None, wants_code, was_asked }
    }
}

impl Tile {
    /// Takes what is new. Skips pictures unless `is_wanted`.
    pub fn update(&mut self, now: Instant, is_wanted: bool) -> Change {
        let change = self.channel.update(now, is_wanted);
        if self.close_up.as_mut().is_some_and(CloseUp::has_come) {
            self.channel.is_changed = true;
        }
        let arrival = self.channel.arrival.as_ref();
        self.close_up = self.close_up.take().filter(|it| arrival.is_some_and(|of| it.is_of(of)));
        change
    }

    /// Notes that the picture is on the screen.
    pub fn shown(&mut self, now: Instant) {
        if let Some(age) = self.channel.shown(now) {
            self.ages.push(now, age);
        }
        self.channel.is_changed = false;
    }

    /// Opens or closes the panel. While it is open, the camera is asked for its controls.
    pub fn adjust(&mut self, is_adjusted: bool) {
        match (std::mem::replace(&mut self.is_adjusted, is_adjusted), is_adjusted) {
            (false, true) => self.channel.remote.open(),
            (true, false) => self.channel.remote.close(),
            _ => {}
        }
    }

    /// The picture, in the largest size decoded.
    pub fn picture(&self) -> Option<&Picture> {
        let arrival = self.channel.arrival.as_ref()?;
        let close_up = self.close_up.as_ref().filter(|close_up| close_up.is_of(arrival));
        Some(close_up.and_then(CloseUp::picture).unwrap_or(&arrival.picture))
    }

    /// Decodes a picture that stands still at its full size, once, if it was decoded smaller than it is `shown`.
    pub fn look_closer(&mut self, shown: Size, doorbell: &Arc<Doorbell>) {
        let Some(arrival) = &self.channel.arrival else { return };
        let (there, whole) = (arrival.picture.size(), arrival.size);
        let is_coarse = there.width < whole.width.min(shown.width)
            || there.height < whole.height.min(shown.height);
        let is_begun = self.close_up.as_ref().is_some_and(|close_up| close_up.is_of(arrival));
        if is_coarse && !is_begun && !arrival.jpeg.is_empty() {
            let begun = CloseUp::begin(Arc::clone(arrival), Arc::clone(doorbell));
            self.close_up = begun.inspect_err(|error| log::debug!("no thread: {error}")).ok();
        }
    }

    /// The running recording.
    pub fn recording(&self, now: Instant) -> Option<badges::Recording> {
        if !self.channel.is_recording {
            return None;
        }
        let state = self.channel.recorder.state().filter(Recording::is_on)?;
        let running = now.saturating_duration_since(state.since);
        Some(badges::Recording { running, dropped: state.dropped })
    }
}
