//! One camera in the window: the channel that watches it, and what the window adds to it.

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

/// One camera.
#[derive(Debug)]
pub struct Tile {
    /// What it sends.
    pub channel: Channel,
    /// Its controls, as they are drawn.
    pub panel: Panel,
    /// Whether somebody looks at them.
    is_adjusted: bool,
    /// The ages of the last pictures.
    pub ages: AgeTrack,
    /// The picture at its full size, where it stands still and more of it is seen than was decoded.
    close_up: Option<CloseUp>,
}

impl From<Channel> for Tile {
    fn from(channel: Channel) -> Self {
        let (panel, ages) = (Panel::default(), AgeTrack::default());
        Self { channel, panel, is_adjusted: false, ages, close_up: None }
    }
}

impl Tile {
    /// Takes what is new; pictures that nobody wants to see now are left out.
    pub fn update(&mut self, now: Instant, is_wanted: bool) -> Change {
        let change = self.channel.update(now, is_wanted);
        if self.close_up.as_mut().is_some_and(CloseUp::has_come) {
            self.channel.is_changed = true;
        }
        let arrival = self.channel.arrival.as_ref();
        self.close_up = self.close_up.take().filter(|it| arrival.is_some_and(|of| it.is_of(of)));
        change
    }

    /// Takes note that the picture is on the screen.
    pub fn shown(&mut self, now: Instant) {
        if let Some(age) = self.channel.shown(now) {
            self.ages.push(now, age);
        }
        self.channel.is_changed = false;
    }

    /// Whether somebody looks at its controls: the camera is asked for them then.
    pub fn adjust(&mut self, is_adjusted: bool) {
        match (std::mem::replace(&mut self.is_adjusted, is_adjusted), is_adjusted) {
            (false, true) => self.channel.remote.open(),
            (true, false) => self.channel.remote.close(),
            _ => {}
        }
    }

    /// The picture, as large as it is there.
    pub fn picture(&self) -> Option<&Picture> {
        let arrival = self.channel.arrival.as_ref()?;
        let close_up = self.close_up.as_ref().filter(|close_up| close_up.is_of(arrival));
        Some(close_up.and_then(CloseUp::picture).unwrap_or(&arrival.picture))
    }

    /// The picture stands still, and all of it is shown at this size: where less was decoded, all of it is, once.
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

    /// The recording that is going on.
    pub fn recording(&self, now: Instant) -> Option<badges::Recording> {
        if !self.channel.is_recording {
            return None;
        }
        let state = self.channel.recorder.state().filter(Recording::is_on)?;
        let running = now.saturating_duration_since(state.since);
        Some(badges::Recording { running, dropped: state.dropped })
    }
}
