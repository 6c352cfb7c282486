//! What a session asks of the controls, and the answers that wait for it.

use super::{Controls, What, lock};
use crate::latest::{Latest, Newest, Reader};
use crate::source::control::Control;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What came of an order, or what others changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All controls.
    List {
        /// As they are now.
        controls: Arc<[Control]>,
        /// Why there are none, for people.
        reason: Arc<str>,
    },
    /// A control as it is now.
    Control(Arc<Control>),
    /// An order that was not carried out, and why; if there is such a control, it follows as it is.
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
    /// Whether it was told of all controls, and so is to be told of changes.
    pub(super) fn has_listed(&self) -> bool {
        self.has_listed.load(Ordering::Relaxed)
    }

    /// Puts an answer in. Of several that say how a control is, the newest is enough.
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
        // Refusals keep their places: what follows one may only come later.
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
    /// Enters.
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

    /// Asks for all controls, and to be told of changes from here on.
    pub fn list(&self) {
        self.controls.take(What::List, &self.mailbox);
    }

    /// Asks for a control to be set.
    pub fn set(&self, id: u32, value: i64) {
        self.controls.take(What::Set { id, value }, &self.mailbox);
    }

    /// The next answer; `None` until it rings.
    pub fn answer(&mut self) -> Option<Answer> {
        // Armed before the look, so that what comes in between rings.
        while let Newest::Fresh { .. } = self.ring.newest() {}
        lock(&self.mailbox.answers).pop_front()
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.controls.leave(&self.mailbox);
    }
}
