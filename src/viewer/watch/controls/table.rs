//! The state behind a camera's controls: values from the camera, values set here, and requests under way.

use super::listing::Listing;
use super::{Control, Controls, State};
use crate::latest::Doorbell;
use crate::wire::native::control;
use std::collections::VecDeque;
use std::sync::Arc;

/// Values from the camera, values set here, and requests under way.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub shown: Arc<Controls>,
    pub doorbell: Option<Arc<Doorbell>>,
    pub is_open: bool,
    pub is_connected: bool,
    pub wants_list: bool,
    /// Values still to be sent, one per control.
    pub wanted: VecDeque<(u32, i64)>,
    /// The control whose new value was sent and not yet answered. Only one is under way, so that newer values replace each
    /// other in `wanted`, and each answer belongs to a known request.
    pub asked: Option<u32>,
    /// Whether the camera was asked for its list. From then on it sends a new list whenever it opens another source.
    pub has_asked: bool,
    /// The list that is being received.
    pub listing: Option<Listing>,
}

impl Table {
    /// Shows other controls.
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

    /// Applies `change` to one control. The list is copied only while somebody holds the last one. So a camera that sends
    /// changes all the time costs one copy per look, not one per message.
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

    /// Begins a list, unless nobody asked for one.
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
        // The user is changing this control: the value here is newer than the camera's.
        let is_newer_here =
            self.wanted.iter().any(|(id, _)| *id == told.id) || self.asked == Some(told.id);
        self.change(told.id, |known| {
            let value = if is_newer_here { known.value } else { told.value };
            // Keep the name from the list, so that memory cannot grow.
            let (name, items) = (known.name.clone(), known.items.clone());
            Some(Control { name, items, value, ..Control::from(told) })
        });
    }

    pub(super) fn hear_of_item(&mut self, id: u32, value: i64, name: &str) {
        let Some(listing) = &mut self.listing else { return };
        listing.hear_of_item(id, value, name);
        self.count_listed();
    }

    /// Counts one message of the list.
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

    /// Takes a refusal. Returns whether it was about controls.
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
