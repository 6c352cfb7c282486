//! Access to a camera's controls, shared by the window's thread and the receiver's.

use super::table::Table;
use super::{Control, Controls, State};
use crate::latest::Doorbell;
use crate::wire::native::control::ControlKind;
use crate::wire::native::message::{Message, StatusCode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a session asks the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::viewer) enum Request {
    /// All controls.
    List,
    /// Set one control.
    Set { id: u32, value: i64 },
}

/// Access to a camera's controls. Clones share it. No call blocks.
#[derive(Debug, Clone, Default)]
pub struct Remote(Arc<Mutex<Table>>);

/// The most values that may wait to be sent.
const MOST_WANTED: usize = 2048;

impl Remote {
    /// Makes each change ring `doorbell`.
    pub fn ring(&self, doorbell: Arc<Doorbell>) {
        self.lock().doorbell = Some(doorbell);
    }

    /// Asks the camera for its controls now, and after each reconnection.
    pub fn open(&self) {
        let mut table = self.lock();
        table.is_open = true;
        table.ask_for_list();
    }

    /// Stops asking. Values that were set are still sent.
    pub fn close(&self) {
        let mut table = self.lock();
        table.is_open = false;
        (table.wants_list, table.has_asked, table.listing) = (false, false, None);
        table.show(Controls::default());
    }

    /// The controls as they are known now.
    pub fn controls(&self) -> Arc<Controls> {
        Arc::clone(&self.lock().shown)
    }

    /// Sets a control. The new value is shown at once, and replaced by the camera's answer when that comes.
    pub fn set(&self, id: u32, value: i64) {
        let mut table = self.lock();
        if !table.is_connected {
            return;
        }
        let waiting = table.wanted.len();
        match table.wanted.iter_mut().find(|(wanted, _)| *wanted == id) {
            Some((_, wanted)) => *wanted = value,
            None if waiting < MOST_WANTED => table.wanted.push_back((id, value)),
            None => return,
        }
        table.complain(None);
        table.change(id, |control| {
            (control.kind != ControlKind::Button)
                .then(|| Control { value, ..Control::clone(control) })
        });
    }

    /// Whether the session should often look for requests.
    pub(in crate::viewer) fn is_open(&self) -> bool {
        let table = self.lock();
        table.is_open || !table.wanted.is_empty()
    }

    /// Notes that a connection to the camera begins.
    pub(in crate::viewer) fn begin(&self) {
        let mut table = self.lock();
        table.is_connected = true;
        if table.is_open {
            table.ask_for_list();
        }
    }

    /// Notes that the connection has ended.
    pub(in crate::viewer) fn end(&self) {
        let mut table = self.lock();
        let doorbell = table.doorbell.take();
        let (is_open, shown) = (table.is_open, Arc::clone(&table.shown));
        *table = Table { doorbell, is_open, shown, ..Table::default() };
        if is_open {
            table.become_known(State::Disconnected);
        }
    }

    /// The next request for the camera.
    pub(in crate::viewer) fn next_request(&self) -> Option<Request> {
        let mut table = self.lock();
        if std::mem::take(&mut table.wants_list) {
            table.has_asked = true;
            return Some(Request::List);
        }
        if table.asked.is_some() {
            return None;
        }
        let (id, value) = table.wanted.pop_front()?;
        table.asked = Some(id);
        Some(Request::Set { id, value })
    }

    /// Takes a message about controls. Returns whether it was one.
    pub(in crate::viewer) fn hear(&self, message: &Message<'_>) -> bool {
        let mut table = self.lock();
        match *message {
            Message::ControlList { count, reason } => table.begin_list(count, reason),
            Message::Control(control) => table.hear_of(&control),
            Message::MenuItem { id, value, name } => table.hear_of_item(id, value, name),
            Message::Status { code: StatusCode::Refused, text } => return table.refused(text),
            _ => return false,
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Poison is ignored, because no change can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::listing::BUDGET;
    use super::*;
    use crate::wire::native::control::{self, ControlFlags};

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

    /// A remote that has received controls 1 and 2, the first with a menu item.
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
        // This answers the first value, which has been replaced since.
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
