//! A list of controls while a camera tells it, message by message.

use super::Control;
use crate::wire::native::control;

/// A list that is being told.
#[derive(Debug)]
pub(super) struct Listing {
    pub all: Vec<Control>,
    /// Messages of it that are still to come.
    pub left: u32,
    /// Bytes of memory that may still be spent on it.
    budget: usize,
}

/// For one camera's controls: the richest of cameras needs a fiftieth of it, and what a camera claims beyond is left out.
pub(super) const BUDGET: usize = 1 << 20;

impl Listing {
    /// One of which so many messages are to come.
    pub(super) fn of(count: u32) -> Self {
        Self { all: Vec::new(), left: count, budget: BUDGET }
    }

    pub(super) fn hear_of(&mut self, told: &control::Control<'_>) {
        let cost = size_of::<Control>() + told.name.len() + told.reason.len();
        if self.pay(cost) {
            self.all.push(Control::from(told));
        }
    }

    pub(super) fn hear_of_item(&mut self, id: u32, value: i64, name: &str) {
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
