//! A camera's controls as the viewer knows them, and what it wants of them: between the window's thread and a receiver's.

use crate::latest::Doorbell;
use crate::wire::native::control::{self, ControlFlags, ControlKind};
use crate::wire::native::message::{Message, StatusCode};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of a camera's controls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls {
    /// How far it is known.
    pub state: State,
    /// All of them, in the camera's order, as they were last told or set here.
    pub all: Vec<Control>,
    /// Why the camera did not do what it was last asked, until it is asked again.
    pub complaint: Option<String>,
}

/// How far a camera's controls are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Nobody wants to know.
    #[default]
    Closed,
    /// There is no connection; those that were known may have changed.
    Disconnected,
    /// The camera was asked.
    Asked,
    /// They are known.
    Listed,
    /// It has none, or tells none, and why.
    Refused(String),
}

/// One control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Its V4L2 number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// What kind of value it has.
    pub kind: ControlKind,
    /// What else is known of it.
    pub flags: ControlFlags,
    /// Least value.
    pub minimum: i64,
    /// Greatest value.
    pub maximum: i64,
    /// Distance between values.
    pub step: u64,
    /// Value after power-on.
    pub default: i64,
    /// Value now.
    pub value: i64,
    /// What the values of a menu are called; menus have gaps.
    pub items: Vec<(i64, String)>,
    /// Why it cannot be changed; `None` when it can.
    pub greyed: Option<String>,
}

/// What a session is to ask the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// All controls.
    List,
    /// One to be set.
    Set { id: u32, value: i64 },
}

/// The far end of the camera's controls. Clones share it; no call blocks.
#[derive(Debug, Clone, Default)]
pub struct Remote(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    shown: Arc<Controls>,
    doorbell: Option<Arc<Doorbell>>,
    is_open: bool,
    is_connected: bool,
    wants_list: bool,
    /// Values to be sent, one for each control.
    wanted: VecDeque<(u32, i64)>,
    /// What was sent and not answered: one at a time, so that values that come faster than they are answered replace each
    /// other here, and an answer is known to be its.
    asked: Option<u32>,
    /// Whether the camera was asked for its list; from then on it tells another when another source was opened.
    has_asked: bool,
    /// The list that is being told.
    listing: Option<Listing>,
}

/// A list that is being told.
#[derive(Debug)]
struct Listing {
    all: Vec<Control>,
    /// Messages of it that are still to come.
    left: u32,
    /// Bytes of memory that may still be spent on it.
    budget: usize,
}

/// For one camera's controls: the richest of cameras needs a fiftieth of it, and what a camera claims beyond is left out.
const BUDGET: usize = 1 << 20;

/// Values that are set faster than they can be sent.
const MOST_WANTED: usize = 2048;

impl Remote {
    /// The same; each change rings `doorbell`.
    pub fn ring(&self, doorbell: Arc<Doorbell>) {
        self.lock().doorbell = Some(doorbell);
    }

    /// Somebody wants to know: the camera is asked now, and whenever it is connected to again.
    pub fn open(&self) {
        let mut inside = self.lock();
        inside.is_open = true;
        inside.ask_for_list();
    }

    /// Nobody does any more. What was set last is still sent.
    pub fn close(&self) {
        let mut inside = self.lock();
        inside.is_open = false;
        (inside.wants_list, inside.has_asked, inside.listing) = (false, false, None);
        inside.show(Controls::default());
    }

    /// What is known.
    pub fn controls(&self) -> Arc<Controls> {
        Arc::clone(&self.lock().shown)
    }

    /// Has a control set. It is shown so at once, and as the camera made it when that is known.
    pub fn set(&self, id: u32, value: i64) {
        let mut inside = self.lock();
        if !inside.is_connected {
            return;
        }
        let waiting = inside.wanted.len();
        match inside.wanted.iter_mut().find(|(wanted, _)| *wanted == id) {
            Some((_, wanted)) => *wanted = value,
            None if waiting < MOST_WANTED => inside.wanted.push_back((id, value)),
            None => return,
        }
        inside.complain(None);
        inside.change(id, |control| {
            (control.kind != ControlKind::Button)
                .then(|| Control { value, ..Control::clone(control) })
        });
    }

    /// Whether the session should look for requests often.
    pub(super) fn is_open(&self) -> bool {
        let inside = self.lock();
        inside.is_open || !inside.wanted.is_empty()
    }

    /// A camera was connected to.
    pub(super) fn begin(&self) {
        let mut inside = self.lock();
        inside.is_connected = true;
        if inside.is_open {
            inside.ask_for_list();
        }
    }

    /// The connection has ended.
    pub(super) fn end(&self) {
        let mut inside = self.lock();
        let doorbell = inside.doorbell.take();
        let (is_open, shown) = (inside.is_open, Arc::clone(&inside.shown));
        *inside = Inside { doorbell, is_open, shown, ..Inside::default() };
        if is_open {
            inside.become_known(State::Disconnected);
        }
    }

    /// What the camera is to be asked next.
    pub(super) fn next_request(&self) -> Option<Request> {
        let mut inside = self.lock();
        if std::mem::take(&mut inside.wants_list) {
            inside.has_asked = true;
            return Some(Request::List);
        }
        if inside.asked.is_some() {
            return None;
        }
        let (id, value) = inside.wanted.pop_front()?;
        inside.asked = Some(id);
        Some(Request::Set { id, value })
    }

    /// Takes note of what the camera said of its controls; whether it was of those at all.
    pub(super) fn hear(&self, message: &Message<'_>) -> bool {
        let mut inside = self.lock();
        match *message {
            Message::ControlList { count, reason } => inside.begin_list(count, reason),
            Message::Control(control) => inside.hear_of(&control),
            Message::MenuItem { id, value, name } => inside.hear_of_item(id, value, name),
            Message::Status { code: StatusCode::Refused, text } => return inside.refused(text),
            _ => return false,
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // Everything is changed in one step: poison is ignored.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// Shows something else.
    fn show(&mut self, controls: Controls) {
        if controls != *self.shown {
            self.shown = Arc::new(controls);
            self.ring();
        }
    }

    fn become_known(&mut self, state: State) {
        if self.shown.state != state {
            Arc::make_mut(&mut self.shown).state = state;
            self.ring();
        }
    }

    fn complain(&mut self, complaint: Option<&str>) {
        if self.shown.complaint.as_deref() != complaint {
            Arc::make_mut(&mut self.shown).complaint = complaint.map(str::to_owned);
            self.ring();
        }
    }

    /// Shows what `change` makes of one control. What is shown is copied only where somebody still looks at what it was, so
    /// a camera that tells of a control all the time costs a copy for each look and not for each message.
    fn change(&mut self, id: u32, change: impl FnOnce(&Control) -> Option<Control>) {
        let Some(at) = self.shown.all.iter().position(|control| control.id == id) else { return };
        let known = &self.shown.all[at];
        let Some(changed) = change(known).filter(|changed| changed != known) else { return };
        Arc::make_mut(&mut self.shown).all[at] = changed;
        self.ring();
    }

    fn ring(&self) {
        if let Some(doorbell) = &self.doorbell {
            doorbell.ring();
        }
    }

    fn ask_for_list(&mut self) {
        self.wants_list = self.is_connected;
        let state = if self.is_connected { State::Asked } else { State::Disconnected };
        self.become_known(state);
    }

    /// A list begins. One that nobody wants to know is not taken.
    fn begin_list(&mut self, count: u32, reason: &str) {
        self.listing = None;
        if !self.has_asked || !self.is_open {
            return;
        }
        if count > 0 {
            self.listing = Some(Listing { all: Vec::new(), left: count, budget: BUDGET });
        } else {
            let state = State::Refused(reason.into());
            self.show(Controls { state, ..Controls::default() });
        }
    }

    fn hear_of(&mut self, told: &control::Control<'_>) {
        if let Some(listing) = &mut self.listing {
            listing.hear_of(told);
            return self.count_listed();
        }
        let is_answer = self.asked == Some(told.id);
        if is_answer {
            self.asked = None;
        }
        // Somebody drags it: where it is by now is known here, and not yet there.
        let is_newer_here =
            self.wanted.iter().any(|(id, _)| *id == told.id) || self.asked == Some(told.id);
        self.change(told.id, |known| {
            let value = if is_newer_here { known.value } else { told.value };
            // Its name is listed once, so that it cannot grow.
            let (name, items) = (known.name.clone(), known.items.clone());
            Some(Control { name, items, value, ..Control::from(told) })
        });
    }

    fn hear_of_item(&mut self, id: u32, value: i64, name: &str) {
        let Some(listing) = &mut self.listing else { return };
        listing.hear_of_item(id, value, name);
        self.count_listed();
    }

    /// One message less of the list is to come.
    fn count_listed(&mut self) {
        let Some(listing) = &mut self.listing else { return };
        listing.left = listing.left.saturating_sub(1);
        if listing.left > 0 {
            return;
        }
        let Some(Listing { mut all, .. }) = self.listing.take() else { return };
        for (id, value) in &self.wanted {
            if let Some(control) = all.iter_mut().find(|control| control.id == *id) {
                control.value = *value;
            }
        }
        let complaint = self.shown.complaint.clone();
        self.show(Controls { state: State::Listed, all, complaint });
    }

    /// A request was refused; whether it was of controls.
    fn refused(&mut self, text: &str) -> bool {
        if self.asked.take().is_some() {
            self.complain(Some(text));
        } else if self.is_open && self.shown.state == State::Asked {
            let state = State::Refused(text.into());
            self.show(Controls { state, ..Controls::default() });
        } else {
            return false;
        }
        true
    }
}

impl Listing {
    fn hear_of(&mut self, told: &control::Control<'_>) {
        let cost = size_of::<Control>() + told.name.len() + told.reason.len();
        if self.pay(cost) {
            self.all.push(Control::from(told));
        }
    }

    fn hear_of_item(&mut self, id: u32, value: i64, name: &str) {
        let is_its = self.all.last().is_some_and(|control| control.id == id);
        if is_its
            && self.pay(size_of::<(i64, String)>() + name.len())
            && let Some(control) = self.all.last_mut()
        {
            control.items.push((value, name.into()));
        }
    }

    /// Whether there is memory for it. Behind the first thing that there is none for, nothing is taken.
    fn pay(&mut self, cost: usize) -> bool {
        let left = self.budget.checked_sub(cost);
        self.budget = left.unwrap_or_default();
        left.is_some()
    }
}

impl From<&control::Control<'_>> for Control {
    fn from(told: &control::Control<'_>) -> Self {
        let greyed = match (told.writable, told.reason) {
            (true, _) => None,
            (false, "") => Some("it cannot be changed for now".to_owned()),
            (false, reason) => Some(reason.to_owned()),
        };
        Self {
            id: told.id,
            name: told.name.into(),
            kind: told.kind,
            flags: told.flags,
            minimum: told.minimum,
            maximum: told.maximum,
            step: told.step,
            default: told.default,
            value: told.value,
            items: Vec::new(),
            greyed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(id: u32, value: i64) -> Message<'static> {
        Message::Control(control::Control {
            id,
            writable: true,
            kind: ControlKind::Menu,
            flags: ControlFlags::default(),
            minimum: 0,
            maximum: 9,
            step: 1,
            default: 0,
            value,
            name: "Some",
            reason: "",
        })
    }

    /// A remote that has been told of controls 1 and 2, the first with an item.
    fn listed() -> Remote {
        let remote = Remote::default();
        remote.open();
        assert_eq!(remote.controls().state, State::Disconnected);
        assert_eq!(remote.next_request(), None);
        remote.begin();
        assert_eq!(remote.controls().state, State::Asked);
        assert_eq!(remote.next_request(), Some(Request::List));
        assert_eq!(remote.next_request(), None);
        remote.hear(&Message::ControlList { count: 3, reason: "" });
        remote.hear(&told(1, 5));
        remote.hear(&Message::MenuItem { id: 1, value: 5, name: "five" });
        assert_eq!(remote.controls().state, State::Asked, "not before all have come");
        remote.hear(&told(2, 6));
        assert_eq!(remote.controls().state, State::Listed);
        remote
    }

    fn values(remote: &Remote) -> Vec<i64> {
        remote.controls().all.iter().map(|control| control.value).collect()
    }

    #[test]
    fn values_that_come_faster_than_answers_replace_each_other() {
        let remote = listed();
        remote.set(1, 7);
        assert_eq!(remote.next_request(), Some(Request::Set { id: 1, value: 7 }));
        for value in 0..9 {
            remote.set(1, value);
        }
        remote.set(2, 3);
        assert_eq!((remote.next_request(), values(&remote)), (None, vec![8, 3]));
        // The answer to the first is old by now.
        remote.hear(&told(1, 7));
        assert_eq!(values(&remote), [8, 3]);
        assert_eq!(remote.next_request(), Some(Request::Set { id: 1, value: 8 }));
        remote.hear(&told(1, 4));
        assert_eq!(values(&remote), [4, 3], "what was granted counts");
        assert_eq!(remote.controls().all[0].items.len(), 1, "a menu stays");
        assert_eq!(remote.next_request(), Some(Request::Set { id: 2, value: 3 }));
    }

    #[test]
    fn what_others_change_is_shown() {
        let remote = listed();
        let doorbell = Doorbell::new();
        remote.ring(Arc::clone(&doorbell));
        remote.hear(&told(2, 1));
        assert!(doorbell.wait(std::time::Duration::ZERO));
        remote.hear(&told(99, 1));
        assert_eq!(values(&remote), [5, 1]);
        assert!(!doorbell.wait(std::time::Duration::ZERO), "nothing has changed");
    }

    #[test]
    fn a_refusal_is_a_complaint_of_what_was_asked_until_it_is_asked_again() {
        let remote = listed();
        let refused = Message::Status { code: StatusCode::Refused, text: "0 to 9 would work" };
        assert!(!remote.hear(&refused), "nobody has asked for anything");
        remote.set(1, 10);
        remote.next_request();
        assert!(remote.hear(&refused));
        remote.hear(&told(1, 5));
        let controls = remote.controls();
        assert_eq!(controls.complaint.as_deref(), Some("0 to 9 would work"));
        assert_eq!(values(&remote), [5, 6]);
        remote.set(1, 9);
        assert_eq!(remote.controls().complaint, None);
    }

    #[test]
    fn where_there_are_none_the_reason_is_known() {
        let remote = Remote::default();
        remote.begin();
        remote.open();
        remote.next_request();
        remote.hear(&Message::Status { code: StatusCode::Refused, text: "--control lan" });
        assert_eq!(remote.controls().state, State::Refused("--control lan".into()));
        remote.hear(&Message::ControlList { count: 0, reason: "a clip" });
        assert_eq!(remote.controls().state, State::Refused("a clip".into()));
    }

    #[test]
    fn a_new_connection_is_asked_again_and_what_was_wanted_of_the_old_one_is_not() {
        let remote = listed();
        remote.set(1, 7);
        remote.next_request();
        remote.set(1, 8);
        remote.end();
        assert_eq!(remote.controls().state, State::Disconnected);
        remote.set(1, 9);
        remote.begin();
        assert_eq!(remote.next_request(), Some(Request::List));
        assert_eq!(remote.next_request(), None);
        remote.close();
        assert_eq!(*remote.controls(), Controls::default());
        remote.end();
        remote.begin();
        assert_eq!(remote.next_request(), None, "nobody wants to know");
    }

    #[test]
    fn a_list_that_lies_does_no_harm() {
        let remote = listed();
        remote.hear(&Message::ControlList { count: u32::MAX, reason: "" });
        for id in 0..3000 {
            remote.hear(&told(id, 1));
            remote.hear(&Message::MenuItem { id: 7, value: 5, name: "of another" });
        }
        assert_eq!(values(&remote), [5, 6], "it never ends");
        for (message, expected) in [
            (told(1, 2), vec![2]),
            (Message::MenuItem { id: 1, value: 5, name: "of nobody" }, vec![]),
        ] {
            remote.hear(&Message::ControlList { count: 1, reason: "" });
            remote.hear(&message);
            assert_eq!(values(&remote), expected);
        }
    }

    #[test]
    fn a_list_that_nobody_asked_for_is_not_kept() {
        let remote = Remote::default();
        remote.begin();
        let tell = |remote: &Remote| {
            remote.hear(&Message::ControlList { count: 3, reason: "" });
            remote.hear(&told(1, 5));
            remote.hear(&Message::MenuItem { id: 1, value: 5, name: "five" });
            remote.lock().listing.is_none()
        };
        assert!(tell(&remote), "nobody looks");
        remote.open();
        assert!(tell(&remote), "the camera was not asked yet");
        remote.next_request();
        assert!(!tell(&remote), "now it was");
        remote.hear(&told(2, 6));
        assert_eq!(values(&remote), [5, 6]);
        assert!(!tell(&remote), "another source was opened");
        remote.close();
        assert!(tell(&remote));
    }

    #[test]
    fn a_list_takes_no_more_than_a_mebibyte() {
        let remote = Remote::default();
        remote.open();
        remote.begin();
        remote.next_request();
        let long = "x".repeat(1000);
        remote.hear(&Message::ControlList { count: 60 * 4097, reason: "" });
        for id in 0..60 {
            remote.hear(&told(id, 1));
            for value in 0..4096 {
                remote.hear(&Message::MenuItem { id, value, name: &long });
            }
        }
        let controls = remote.controls();
        assert_eq!(controls.state, State::Listed);
        let items = controls.all.iter().flat_map(|control| &control.items);
        let bytes: usize = items.map(|(_, name)| name.len()).sum();
        assert!((BUDGET / 2..BUDGET).contains(&bytes), "{bytes} bytes");
    }

    #[test]
    fn a_control_that_is_told_of_all_the_time_is_copied_once_for_each_look() {
        let remote = listed();
        let seen = remote.controls();
        remote.hear(&told(2, 100));
        let copied = Arc::as_ptr(&remote.lock().shown);
        for value in 0..100 {
            remote.hear(&told(2, value));
            remote.hear(&told(77, value));
        }
        assert_eq!(Arc::as_ptr(&remote.lock().shown), copied, "nobody has looked meanwhile");
        assert_eq!((values(&remote), seen.all[1].value), (vec![5, 99], 6));
    }
}
