//! A list of controls that is being received, message by message.

use super::Control;
use crate::wire::native::control;

/// A list of controls that is being received.
#[derive(Debug)]
pub(super) struct Listing {
    pub all: Vec<Control>,
    /// How many messages are still to come.
    pub left: u32,
    /// How many bytes of memory it may still use.
    budget: usize,
}

/// The most memory for one camera's controls. The camera with the most controls needs a fiftieth. What exceeds it is left
/// out.
pub(super) const BUDGET: usize = 1 << 20;

impl Listing {
    /// Begins a list of this many messages.
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

    /// Takes memory from the budget. Once that fails, nothing more is taken.
    fn pay(&mut self, cost: usize) -> bool {
        let left = self.budget.checked_sub(cost);
        self.budget = left.unwrap_or_default();
        left.is_some()
    }
}
