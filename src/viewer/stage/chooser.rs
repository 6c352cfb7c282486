//! Which cameras are shown when none was named: the last ones if they answer, else the only one, else those that are chosen.

use crate::latest::{Doorbell, Latest, Newest, Reader};
use crate::viewer::find::finder;
use crate::viewer::find::found::Found;
use crate::viewer::find::identity::Likeness;
use crate::viewer::paint::picker::Row;
use crate::viewer::watch::channel::Channel;
use crate::viewer::watch::news::NoticeKind;
use crate::viewer::watch::receiver::Wanted;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Looks at the LAN, and at the last cameras meanwhile.
#[derive(Debug)]
pub struct Chooser {
    slot: Arc<Latest<Vec<Found>>>,
    reader: Reader<Vec<Found>>,
    found: Vec<Found>,
    rows: Vec<Row>,
    /// Those that are to be opened together.
    chosen: Vec<Wanted>,
    since: Instant,
    /// Since when there is exactly one.
    alone_since: Option<Instant>,
    progress: Progress,
    /// The row that the mouse is on.
    pub hover: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The last camera may still answer.
    Waiting,
    /// There was none when the time was up: the first one to come is taken.
    Empty,
    /// People choose.
    Offered,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet, or nothing new.
    Wait,
    /// The last camera has answered: it is the one.
    Keep,
    /// This one is it.
    Watch(Wanted),
    /// The list is to be shown, or has changed.
    Offer,
}

/// By then every camera that runs has answered.
const PATIENCE: Duration = Duration::from_secs(1);

impl Chooser {
    /// Begins to look; what is found rings `doorbell`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(doorbell: &Arc<Doorbell>) -> io::Result<Self> {
        let slot = Latest::with_doorbell(Arc::clone(doorbell));
        let found = Arc::clone(&slot);
        thread::Builder::new().name("finder".into()).spawn(move || finder::watch(&found))?;
        Ok(Self::of(slot, Instant::now()))
    }

    /// Begins to look, and takes none by itself: people choose.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn browse(doorbell: &Arc<Doorbell>) -> io::Result<Self> {
        let mut chooser = Self::start(doorbell)?;
        chooser.progress = Progress::Offered;
        Ok(chooser)
    }

    fn of(slot: Arc<Latest<Vec<Found>>>, since: Instant) -> Self {
        let (reader, found, rows) = (slot.reader(), Vec::new(), Vec::new());
        let (alone_since, progress, chosen) = (None, Progress::Waiting, Vec::new());
        Self { slot, reader, found, rows, chosen, since, alone_since, progress, hover: None }
    }

    /// The cameras that are there, for the list.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// One of them.
    pub fn camera(&self, index: usize) -> Option<Wanted> {
        self.found.get(index).map(Found::wanted)
    }

    /// Selects one of them, or no longer: those that are selected are opened together.
    pub fn select(&mut self, index: usize) {
        let Some(camera) = self.camera(index) else { return };
        let is_it = |chosen: &Wanted| self.place_of(chosen) == Some(index);
        match self.chosen.iter().position(is_it) {
            Some(place) => drop(self.chosen.remove(place)),
            None => self.chosen.push(camera),
        }
        self.mark_rows();
    }

    /// Those that are selected and still there, in the order of the list.
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

    /// Where in the list a camera is now that was there before.
    pub fn place_of(&self, camera: &Wanted) -> Option<usize> {
        let known = camera.identity.clone().unwrap_or_default();
        let is_same = |found: &Found| known.likeness(&found.identity()) == Likeness::Same;
        let mut places = (0..self.found.len()).filter(|&place| is_same(&self.found[place]));
        let first = places.clone().next();
        places.find(|&place| self.camera(place).as_ref() == Some(camera)).or(first)
    }

    /// Where in the list a camera is that is so.
    pub fn place_where(&self, is_it: impl Fn(&Wanted) -> bool) -> Option<usize> {
        (0..self.found.len()).find(|&place| self.camera(place).is_some_and(|camera| is_it(&camera)))
    }

    /// For how long it has looked.
    pub fn looking(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// What to do now; `last` are the last cameras, which are being connected to. One that answers is enough for all to stay.
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
                Some(camera) if self.found.len() == 1 => Verdict::Watch(camera),
                first => {
                    self.progress =
                        if first.is_some() { Progress::Offered } else { Progress::Empty };
                    Verdict::Offer
                }
            },
            // Another one may answer just after it.
            Progress::Empty if is_alone(PATIENCE) => {
                self.camera(0).map_or(Verdict::Wait, Verdict::Watch)
            }
            Progress::Empty if self.found.len() > 1 => {
                self.progress = Progress::Offered;
                Verdict::Offer
            }
            Progress::Empty | Progress::Offered if has_changed => Verdict::Offer,
            Progress::Empty | Progress::Offered => Verdict::Wait,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let Newest::Fresh { value, .. } = self.reader.newest() else { return false };
        self.rows = value.iter().map(row).collect();
        self.found = value;
        self.mark_rows();
        self.alone_since = (self.found.len() == 1).then_some(self.alone_since.unwrap_or(now));
        true
    }
}

impl Drop for Chooser {
    fn drop(&mut self) {
        self.slot.close();
    }
}

/// Whether it is there, with a picture or without one.
fn has_answered(channel: &Channel) -> bool {
    let kind = channel.notice.as_ref().map(|standing| standing.notice.kind);
    channel.arrival.is_some() || kind == Some(NoticeKind::NoPicture)
}

fn row(found: &Found) -> Row {
    Row {
        name: found.name.clone(),
        address: found.address().to_string(),
        size: found.facts.size,
        rate: found.facts.rate,
        lost: None,
        is_chosen: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::service::Facts;

    const SECOND: Duration = Duration::from_secs(1);

    fn found(names: &[&str]) -> Vec<Found> {
        let addresses = vec!["10.0.0.5:9999".parse().expect("an address")];
        let found = |name: &&str| Found {
            name: (*name).to_owned(),
            addresses: addresses.clone(),
            facts: Facts::default(),
        };
        names.iter().map(found).collect()
    }

    fn chooser() -> (Chooser, Arc<Latest<Vec<Found>>>, Instant) {
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
        slot.publish(Vec::new());
        assert_eq!(chooser.judge_by(false, start + SECOND), Verdict::Offer, "an empty list");
        slot.publish(found(&["Door"]));
        assert_eq!(chooser.judge_by(false, start + 5 * SECOND), Verdict::Offer);
        assert_eq!(chooser.judge_by(false, start + 5 * SECOND), Verdict::Wait);
        assert_eq!(name(&chooser.judge_by(false, start + 6 * SECOND)), Some("Door"));
        slot.publish(found(&["Door", "Garage"]));
        assert_eq!(chooser.judge_by(false, start + 6 * SECOND), Verdict::Offer);
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
