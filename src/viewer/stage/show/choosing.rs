//! Follows the chooser: opens, replaces and records cameras.

use super::{Show, ShowError};
use crate::viewer::find::address::CameraAddress;
use crate::viewer::keep::recorder::{Naming, Plan, Recorder};
use crate::viewer::paint::badges::Mood;
use crate::viewer::stage::chooser::{Chooser, Verdict};
use crate::viewer::stage::tile::Tile;
use crate::viewer::stage::wall::{Behind, Wall};
use crate::viewer::watch::channel::Channel;
use crate::viewer::watch::receiver::Wanted;
use std::time::Instant;

impl Show {
    /// Takes the chooser's verdict. Returns whether anything changed.
    pub(super) fn follow_chooser(&mut self, now: Instant) -> Result<bool, ShowError> {
        let Some(chooser) = &mut self.chooser else { return Ok(false) };
        let choice = self.wall.choice.unwrap_or_default();
        let marked = chooser.camera(choice.marked).filter(|_| choice.is_moved);
        let verdict = chooser.judge(self.tiles.iter().map(|tile| &tile.channel), now);
        match verdict {
            Verdict::Wait => return Ok(false),
            Verdict::Keep => {
                self.chooser = None;
                self.wall.chosen();
                self.begin_to_record();
            }
            // A user who is typing wants another camera.
            Verdict::Watch(_) if !self.wall.typed().is_empty() => {
                self.wall.offer(chooser.rows().len());
                return Ok(false);
            }
            Verdict::Watch(camera) => self.watch(camera)?,
            Verdict::Offer => {
                if choice.behind == Behind::Nothing {
                    let ends = self.tiles.drain(..).filter_map(let_go);
                    self.leaving.extend(ends);
                }
                self.wall.offer(chooser.rows().len());
                // Cameras that come and go do not change which one Enter opens. At first it is the one being watched.
                let watched = self.tiles.get(self.wall.selected());
                let place = match marked {
                    Some(marked) => chooser.place_of(&marked),
                    None => {
                        watched.and_then(|tile| chooser.place_where(|it| tile.channel.is_of(it)))
                    }
                };
                if let Some(place) = place {
                    self.wall.mark(place);
                }
            }
        }
        Ok(true)
    }

    /// Shows the list of cameras on the LAN over those being watched.
    pub(super) fn browse(&mut self) {
        match Chooser::browse(&self.doorbell, &self.dialogue.keyring) {
            Ok(chooser) => {
                self.chooser = Some(chooser);
                self.wall.browse();
            }
            Err(error) => self.say(Mood::Bad, format!("cannot look for cameras: {error}")),
        }
    }

    pub(super) fn put_list_away(&mut self) {
        self.chooser = None;
        self.wall.chosen();
    }

    /// Watches a chosen camera. It replaces the selected one if others are being watched.
    pub(super) fn watch(&mut self, camera: Wanted) -> Result<(), ShowError> {
        let behind = self.wall.choice.unwrap_or_default().behind;
        self.put_list_away();
        let selected = self.wall.selected();
        match self.tiles.get_mut(selected).filter(|_| behind == Behind::Cameras) {
            Some(tile) if tile.channel.is_of(&camera) => Ok(()),
            Some(tile) => {
                let next = Channel::open(camera, self.dialogue.for_next(), &self.doorbell)?;
                let last = std::mem::replace(tile, next.into());
                self.leaving.extend(let_go(last));
                self.wall.replace_selected();
                self.composer.forget();
                Ok(())
            }
            None => self.watch_all(&[camera]),
        }
    }

    /// Watches the cameras selected in the list, side by side, or else the one at this place.
    pub(super) fn watch_selected_or(&mut self, place: usize) -> Result<(), ShowError> {
        let Some(chooser) = &self.chooser else { return Ok(()) };
        match chooser.selected().as_slice() {
            [] => chooser.camera(place).map_or(Ok(()), |camera| self.watch(camera)),
            [only] => self.watch(only.clone()),
            several => {
                self.put_list_away();
                self.watch_all(several)
            }
        }
    }

    /// Watches the camera whose name or address was typed.
    pub(super) fn watch_typed(&mut self) -> Result<(), ShowError> {
        match CameraAddress::parse(self.wall.typed()) {
            Ok(address) => self.watch(Wanted::at(address)),
            Err(error) => {
                self.say(Mood::Bad, error.to_string());
                Ok(())
            }
        }
    }

    /// Watches exactly these cameras.
    fn watch_all(&mut self, cameras: &[Wanted]) -> Result<(), ShowError> {
        let mut next = Vec::new();
        for camera in cameras {
            let dialogue = self.dialogue.for_next();
            next.push(Tile::from(Channel::open(camera.clone(), dialogue, &self.doorbell)?));
        }
        let last = std::mem::replace(&mut self.tiles, next);
        self.leaving.extend(last.into_iter().filter_map(let_go));
        self.begin_to_record();
        self.wall = Wall::new(self.tiles.len());
        self.wall.resize(self.window.size());
        self.composer.forget();
        Ok(())
    }

    /// Starts the recording of the chosen cameras that the command line asked for.
    pub(super) fn begin_to_record(&mut self) {
        let Some(plan) = self.record.take() else { return };
        let naming = if self.tiles.len() > 1 { Naming::WithCamera } else { plan.naming };
        let mut failure = None;
        for tile in &mut self.tiles {
            let channel = &mut tile.channel;
            match channel.recorder.start(Plan { naming, ..plan.clone() }) {
                Ok(()) => channel.is_recording = true,
                Err(error) => failure = Some(error.to_string()),
            }
        }
        if let Some(failure) = failure {
            self.say(Mood::Bad, failure);
        }
    }
}

/// Stops watching a camera. Returns its recorder, if a recording still has to be finished.
#[allow(clippy::needless_pass_by_value)] // its end ends its threads
fn let_go(tile: Tile) -> Option<Recorder> {
    let Tile { channel, .. } = &tile;
    channel.is_recording.then(|| channel.recorder.clone())
}
