//! What is known of a camera's controls and wanted of them, and how the two meet.

use super::listing::Listing;
use super::{Control, Controls, State};
use crate::latest::Doorbell;
use crate::wire::native::control;
use std::collections::VecDeque;
use std::sync::Arc;

/// What the camera said, what was set here, and what is under way between the two.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub shown: Arc<Controls>,
    pub doorbell: Option<Arc<Doorbell>>,
    pub is_open: bool,
    pub is_connected: bool,
    pub wants_list: bool,
    /// Values to be sent, one for each control.
    pub wanted: VecDeque<(u32, i64)>,
    /// What was sent and not answered: one at a time, so that values that come faster than they are answered replace each
    /// other here, and an answer is known to be its.
    pub asked: Option<u32>,
    /// Whether the camera was asked for its list; from then on it tells another when another source was opened.
    pub has_asked: bool,
    /// The list that is being told.
    pub listing: Option<Listing>,
}

impl Table {
    /// Shows something else.
    pub(super) fn show(&mut self, controls: Controls) {
        if controls != *self.shown {
            self.shown = Arc::new(controls);
            self.ring();
        }
    }

    pub(super) fn become_known(&mut self, state: State) {
        if self.shown.state != state {
            Arc::make_mut(&mut self.shown).state = state;
            self.ring();
        }
    }

    pub(super) fn complain(&mut self, complaint: Option<&str>) {
        if self.shown.complaint.as_deref() != complaint {
            Arc::make_mut(&mut self.shown).complaint = complaint.map(str::to_owned);
            self.ring();
        }
    }

    /// Shows what `change` makes of one control. What is shown is copied only where somebody still looks at what it was, so
    /// a camera that tells of a control all the time costs a copy for each look and not for each message.
    pub(super) fn change(&mut self, id: u32, change: impl FnOnce(&Control) -> Option<Control>) {
        let Some(at) = self.shown.all.iter().position(|control| control.id == id) else { return };
        let known = &self.shown.all[at];
        let Some(changed) = change(known).filter(|changed| changed != known) else { return };
        Arc::make_mut(&mut self.shown).all[at] = changed;
        self.ring();
    }

    pub(super) fn ring(&self) {
        if let Some(doorbell) = &self.doorbell {
            doorbell.ring();
        }
    }

    pub(super) fn ask_for_list(&mut self) {
        self.wants_list = self.is_connected;
        let state = if self.is_connected { State::Asked } else { State::Disconnected };
        self.become_known(state);
    }

    /// A list begins. One that nobody wants to know is not taken.
    pub(super) fn begin_list(&mut self, count: u32, reason: &str) {
        self.listing = None;
        if !self.has_asked || !self.is_open {
            return;
        }
        if count > 0 {
            self.listing = Some(Listing::of(count));
        } else {
            let state = State::Refused(reason.into());
            self.show(Controls { state, ..Controls::default() });
        }
    }

    pub(super) fn hear_of(&mut self, told: &control::Control<'_>) {
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

    pub(super) fn hear_of_item(&mut self, id: u32, value: i64, name: &str) {
        let Some(listing) = &mut self.listing else { return };
        listing.hear_of_item(id, value, name);
        self.count_listed();
    }

    /// One message less of the list is to come.
    pub(super) fn count_listed(&mut self) {
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
    pub(super) fn refused(&mut self, text: &str) -> bool {
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
