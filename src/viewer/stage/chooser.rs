//! Decides which cameras to show if none was named: the last ones if they answer, else the only one, else a list.

use crate::latest::{Doorbell, Latest, Newest, Reader};
use crate::viewer::find::census::Sightings;
use crate::viewer::find::finder;
use crate::viewer::find::found::Found;
use crate::viewer::find::identity::Likeness;
use crate::viewer::keep::keyring::{Keyring, PairedWith};
use crate::viewer::paint::picker::{Lock, Row};
use crate::viewer::watch::channel::Channel;
use crate::viewer::watch::news::NoticeKind;
use crate::viewer::watch::receiver::Wanted;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Searches the LAN while the last cameras are being connected to.
#[derive(Debug)]
pub struct Chooser {
    slot: Arc<Latest<Sightings>>,
    reader: Reader<Sightings>,
    found: Vec<Found>,
    /// Whether more cameras have answered than the list has room for.
    is_cut: bool,
    rows: Vec<Row>,
    /// The cameras to open together.
    chosen: Vec<Wanted>,
    /// The cameras that this viewer is paired with.
    keyring: Arc<Keyring>,
    since: Instant,
    /// Since when exactly one camera has been there, and none was left out.
    alone_since: Option<Instant>,
    progress: Progress,
    /// The row under the mouse.
    pub hover: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The last camera may still answer.
    Waiting,
    /// No camera answered in time. The first one to come is taken.
    Empty,
    /// The user chooses.
    Offered,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Wait,
    /// The last camera has answered: keep it.
    Keep,
    /// Show this camera.
    Watch(Wanted),
    /// Show the list, or show that it has changed.
    Offer,
}

/// By then every running camera has answered.
const PATIENCE: Duration = Duration::from_secs(1);

impl Chooser {
    /// Starts the search. Each change rings `doorbell`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(doorbell: &Arc<Doorbell>, keyring: &Arc<Keyring>) -> io::Result<Self> {
        let slot = Latest::with_doorbell(Arc::clone(doorbell));
        let found = Arc::clone(&slot);
        thread::Builder::new().name("finder".into()).spawn(move || finder::watch(&found))?;
        let mut chooser = Self::of(slot, Instant::now());
        chooser.keyring = Arc::clone(keyring);
        Ok(chooser)
    }

    /// Starts the search, and leaves the choice to the user.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn browse(doorbell: &Arc<Doorbell>, keyring: &Arc<Keyring>) -> io::Result<Self> {
        let mut chooser = Self::start(doorbell, keyring)?;
        chooser.progress = Progress::Offered;
        Ok(chooser)
    }

    fn of(slot: Arc<Latest<Sightings>>, since: Instant) -> Self {
        let (reader, found, rows) = (slot.reader(), Vec::new(), Vec::new());
        let (alone_since, progress, chosen) = (None, Progress::Waiting, Vec::new());
        let (keyring, hover) = (Arc::default(), None);
        Self {
            slot,
            reader,
            found,
            is_cut: false,
            rows,
            chosen,
            keyring,
            since,
            alone_since,
            progress,
            hover,
        }
    }

    /// The cameras for the list.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether more cameras have answered than the list has room for.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The camera at this place of the list.
    pub fn camera(&self, index: usize) -> Option<Wanted> {
        self.found.get(index).map(Found::wanted)
    }

    /// Selects the camera at this place, or deselects it. All selected cameras are opened together.
    pub fn select(&mut self, index: usize) {
        let Some(camera) = self.camera(index) else { return };
        let is_it = |chosen: &Wanted| self.place_of(chosen) == Some(index);
        match self.chosen.iter().position(is_it) {
            Some(place) => drop(self.chosen.remove(place)),
            None => self.chosen.push(camera),
        }
        self.mark_rows();
    }

    /// The selected cameras that still answer, in the order of the list.
    pub fn selected(&self) -> Vec<Wanted> {
        (0..self.found.len())
            .filter(|&place| self.rows.get(place).is_some_and(|row| row.is_chosen))
            .filter_map(|place| self.camera(place))
            .collect()
    }

    fn mark_rows(&mut self) {
        let places: Vec<_> = self.chosen.iter().map(|chosen| self.place_of(chosen)).collect();
        for (index, row) in self.rows.iter_mut().enumerate() {
            row.is_chosen = places.contains(&Some(index));
        }
    }

    /// The present place in the list of a camera that was in it before.
    pub fn place_of(&self, camera: &Wanted) -> Option<usize> {
        let known = camera.identity.clone().unwrap_or_default();
        let is_same = |found: &Found| known.likeness(&found.identity()) == Likeness::Same;
        let mut places = (0..self.found.len()).filter(|&place| is_same(&self.found[place]));
        let first = places.clone().next();
        places.find(|&place| self.camera(place).as_ref() == Some(camera)).or(first)
    }

    /// The place in the list of the first camera for which `is_it` is true.
    pub fn place_where(&self, is_it: impl Fn(&Wanted) -> bool) -> Option<usize> {
        (0..self.found.len()).find(|&place| self.camera(place).is_some_and(|camera| is_it(&camera)))
    }

    /// How long the search has been running.
    pub fn looking(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// What to do now. `last` are the last cameras, which are being connected to. If one of them answers, all are kept.
    pub fn judge<'a>(
        &mut self,
        mut last: impl Iterator<Item = &'a Channel>,
        now: Instant,
    ) -> Verdict {
        self.judge_by(last.any(has_answered), now)
    }

    fn judge_by(&mut self, last_has_answered: bool, now: Instant) -> Verdict {
        let has_changed = self.take(now);
        let is_alone =
            |long| self.alone_since.is_some_and(|since| now.duration_since(since) >= long);
        match self.progress {
            Progress::Waiting if last_has_answered => Verdict::Keep,
            Progress::Waiting if self.looking(now) < PATIENCE => Verdict::Wait,
            Progress::Waiting => match self.camera(0) {
                Some(camera) if self.has_one() => Verdict::Watch(camera),
                first => {
                    self.progress =
                        if first.is_some() { Progress::Offered } else { Progress::Empty };
                    Verdict::Offer
                }
            },
            // Another camera may answer just after this one.
            Progress::Empty if is_alone(PATIENCE) => {
                self.camera(0).map_or(Verdict::Wait, Verdict::Watch)
            }
            Progress::Empty if !self.found.is_empty() && !self.has_one() => {
                self.progress = Progress::Offered;
                Verdict::Offer
            }
            Progress::Empty | Progress::Offered if has_changed => Verdict::Offer,
            Progress::Empty | Progress::Offered => Verdict::Wait,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let Newest::Fresh { value, .. } = self.reader.newest() else { return false };
        let Sightings { cameras, is_cut } = value;
        self.rows =
            cameras.iter().map(|found| row(found, self.keyring.standing_of(found))).collect();
        (self.found, self.is_cut) = (cameras, is_cut);
        self.mark_rows();
        self.alone_since = self.has_one().then_some(self.alone_since.unwrap_or(now));
        true
    }

    /// Whether exactly one camera has answered.
    fn has_one(&self) -> bool {
        self.found.len() == 1 && !self.is_cut
    }
}

impl Drop for Chooser {
    fn drop(&mut self) {
        self.slot.close();
    }
}

/// Whether the camera is there, with or without a picture.
fn has_answered(channel: &Channel) -> bool {
    let kind = channel.notice.as_ref().map(|standing| standing.notice.kind);
    use NoticeKind::{NoPicture, NotPaired, Pairing, WantsCode};
    channel.arrival.is_some() || matches!(kind, Some(NoPicture | WantsCode | NotPaired | Pairing))
}

fn row(found: &Found, standing: PairedWith) -> Row {
    Row {
        name: found.name.clone(),
        address: found.address().to_string(),
        size: found.facts.size,
        rate: found.facts.rate,
        lost: None,
        is_chosen: false,
        lock: match standing {
            PairedWith::NotNeeded => Lock::None,
            PairedWith::Yes => Lock::Paired,
            PairedWith::No => Lock::WantsCode,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn found(names: &[&str]) -> Sightings {
        let addresses = vec!["10.0.0.5:9999".parse().expect("an address")];
        let found = |name: &&str| Found {
            name: (*name).to_owned(),
            addresses: addresses.clone(),
            ..Found::default()
        };
        Sightings { cameras: names.iter().map(found).collect(), is_cut: false }
    }

    fn chooser() -> (Chooser, Arc<Latest<Sightings>>, Instant) {
        let (slot, start) = (Latest::new(), Instant::now());
        (Chooser::of(Arc::clone(&slot), start), slot, start)
    }

    fn name(verdict: &Verdict) -> Option<&str> {
        match verdict {
            Verdict::Watch(camera) => camera.name(),
            _ => None,
        }
    }

    #[test]
    fn the_last_camera_is_kept_as_soon_as_it_answers() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(found(&["Door", "Garage"]));
        assert_eq!(chooser.judge_by(false, start), Verdict::Wait);
        assert_eq!(chooser.judge_by(true, start + SECOND / 5), Verdict::Keep);
    }

    #[test]
    fn after_a_second_the_only_one_is_taken() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(found(&["Door"]));
        assert_eq!(chooser.judge_by(false, start + SECOND / 2), Verdict::Wait);
        assert_eq!(name(&chooser.judge_by(false, start + SECOND)), Some("Door"));
    }

    #[test]
    fn several_are_offered_and_stay_so() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(found(&["Door", "Garage"]));
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer);
        assert_eq!(chooser.judge_by(true, start + SECOND), Verdict::Wait);
        slot.publish(found(&["Garage"]));
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer, "the list is shorter");
        assert_eq!(chooser.judge_by(false, start + 9 * SECOND), Verdict::Wait, "people choose");
        assert_eq!(chooser.camera(0).expect("one").name(), Some("Garage"));
    }

    #[test]
    fn where_there_was_none_the_first_to_come_is_taken_unless_another_follows() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(Sightings::default());
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer, "an empty list");
        slot.publish(found(&["Door"]));
        assert_eq!(chooser.judge_by(false, start + 5 * SECOND), Verdict::Offer);
        assert_eq!(chooser.judge_by(false, start + 5 * SECOND), Verdict::Wait);
        assert_eq!(name(&chooser.judge_by(false, start + 6 * SECOND)), Some("Door"));
        slot.publish(found(&["Door", "Garage"]));
        assert_eq!(chooser.judge_by(false, start + 6 * SECOND), Verdict::Offer);
    }

    #[test]
    fn a_list_that_leaves_cameras_out_says_so() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(Sightings { is_cut: true, ..found(&["Door", "Garage"]) });
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer);
        assert!(chooser.is_cut());
        slot.publish(found(&["Door", "Garage"]));
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer);
        assert!(!chooser.is_cut());
    }

    #[test]
    fn a_camera_beside_which_others_are_left_out_is_not_the_only_one() {
        let cut = || Sightings { is_cut: true, ..found(&["Door"]) };
        let (mut chooser, slot, start) = chooser();
        slot.publish(cut());
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer);
        assert_eq!(chooser.judge_by(false, start + 9 * SECOND), Verdict::Wait, "people choose");
        let (mut chooser, slot, start) = self::chooser();
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer, "an empty list");
        slot.publish(cut());
        assert_eq!(chooser.judge_by(false, start + 2 * SECOND), Verdict::Offer);
        assert_eq!(chooser.judge_by(false, start + 9 * SECOND), Verdict::Wait, "people choose");
    }

    #[test]
    fn several_are_selected_and_stay_so_while_others_come_and_go() {
        let (mut chooser, slot, start) = chooser();
        let names = |chooser: &Chooser| {
            let selected = chooser.selected();
            selected.iter().filter_map(|it| it.name().map(str::to_owned)).collect::<Vec<_>>()
        };
        slot.publish(found(&["Door", "Garage", "Yard"]));
        chooser.judge_by(false, start + SECOND);
        for place in [2, 0, 1, 1, 7] {
            chooser.select(place);
        }
        assert_eq!(names(&chooser), ["Door", "Yard"]);
        slot.publish(found(&["Attic", "Garage", "Yard"]));
        chooser.judge_by(false, start + SECOND);
        assert_eq!(names(&chooser), ["Yard"], "one is gone");
        let marks: Vec<_> = chooser.rows().iter().map(|row| row.is_chosen).collect();
        assert_eq!(marks, [false, false, true]);
    }

    #[test]
    fn a_camera_is_found_again_where_others_have_come_before_it() {
        let (mut chooser, slot, start) = chooser();
        slot.publish(found(&["Door", "Garage"]));
        chooser.judge_by(false, start + SECOND);
        let garage = chooser.camera(1).expect("it is there");
        slot.publish(found(&["Attic", "Door", "Garage"]));
        chooser.judge_by(false, start + SECOND);
        assert_eq!(chooser.place_of(&garage), Some(2));
        slot.publish(found(&["Attic"]));
        chooser.judge_by(false, start + SECOND);
        assert_eq!(chooser.place_of(&garage), None);
    }
}
