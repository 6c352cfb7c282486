//! The mailbox of a session: its orders to the controls, and the answers that wait for it.

use super::{Controls, What, lock};
use crate::latest::{Latest, Newest, Reader};
use crate::source::control::Control;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The answer to an order, or a change that another viewer made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All controls.
    List {
        /// Their current state.
        controls: Arc<[Control]>,
        /// Why the camera has no controls, in words for people. Empty if it has some.
        reason: Arc<str>,
    },
    /// The current state of a control.
    Control(Arc<Control>),
    /// Why an order was not carried out. If the control exists, its state follows.
    Refused(Arc<str>),
}

/// The answers for one visitor.
#[derive(Debug)]
pub(super) struct Mailbox {
    answers: Mutex<VecDeque<Answer>>,
    has_listed: AtomicBool,
    ring: Arc<Latest<()>>,
}

impl Mailbox {
    /// Whether the visitor has asked for the list, and so is told of changes.
    pub(super) fn has_listed(&self) -> bool {
        self.has_listed.load(Ordering::Relaxed)
    }

    /// Adds an answer. Removes older answers about the same control, or all of them if this is a
    /// list.
    pub(super) fn put(&self, answer: Answer) {
        if let Answer::List { .. } = answer {
            self.has_listed.store(true, Ordering::Relaxed);
        }
        let mut answers = lock(&self.answers);
        let is_obsolete = |old: &Answer| match (old, &answer) {
            (Answer::Control(old), Answer::Control(new)) => old.id == new.id,
            (Answer::List { .. } | Answer::Control(_), Answer::List { .. }) => true,
            _ => false,
        };
        // Refusals stay: the answer that belongs to one may only come later.
        answers.retain(|old| !is_obsolete(old));
        answers.push_back(answer);
        drop(answers);
        self.ring.publish(());
    }
}

/// A session that uses the controls, until it is dropped.
#[derive(Debug)]
pub struct Visitor {
    controls: Arc<Controls>,
    mailbox: Arc<Mailbox>,
    ring: Reader<()>,
}

impl Visitor {
    /// Registers a visitor.
    pub fn new(controls: &Arc<Controls>) -> Self {
        let ring = Latest::new();
        let mailbox = Arc::new(Mailbox {
            answers: Mutex::default(),
            has_listed: AtomicBool::new(false),
            ring: Arc::clone(&ring),
        });
        controls.enter(Arc::clone(&mailbox));
        Self { controls: Arc::clone(controls), mailbox, ring: ring.reader() }
    }

    /// Rings when there are answers.
    pub fn ring(&mut self) -> &mut Reader<()> {
        &mut self.ring
    }

    /// Asks for all controls, and to be told of changes from then on.
    pub fn list(&self) {
        self.controls.take(What::List, &self.mailbox);
    }

    /// Asks to set a control.
    pub fn set(&self, id: u32, value: i64) {
        self.controls.take(What::Set { id, value }, &self.mailbox);
    }

    /// The next answer; `None` until the bell rings.
    pub fn answer(&mut self) -> Option<Answer> {
        // Empty the slot before looking, so that an answer that comes in between rings.
        while let Newest::Fresh { .. } = self.ring.newest() {}
        lock(&self.mailbox.answers).pop_front()
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.controls.leave(&self.mailbox);
    }
}
