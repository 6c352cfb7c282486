//! Sets the source's controls for viewers, on a thread of its own.
//!
//! A call for a control may take longer than a frame lasts. So neither the capture thread nor a
//! session makes it. A session leaves an order here and goes on. When there is an answer in its
//! mailbox, the mailbox wakes it.

mod mailbox;

pub use mailbox::{Answer, Visitor};

use crate::bucket::{Allowance, Bucket};
use crate::latest::Doorbell;
use crate::source::FrameSource;
use crate::source::control::{self, AnyBoard};
use mailbox::Mailbox;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Who may change the source's controls, besides the owner through options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Nobody.
    Off,
    /// Every native viewer that may watch.
    Lan,
}

impl Control {
    /// Parses `off` or `lan`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "off" => Some(Self::Off),
            "lan" => Some(Self::Lan),
            _ => None,
        }
    }
}

/// Collects the orders of all viewers.
#[derive(Debug, Default)]
pub struct Controls {
    source: Mutex<Source>,
    /// A call has returned.
    returned: Condvar,
    state: Mutex<State>,
    bell: Arc<Doorbell>,
}

/// The source whose controls are set.
#[derive(Default)]
struct Source {
    /// Its description, for people; `None` while no source is open.
    open: Option<String>,
    /// Its controls. Taken out for the time of a call.
    board: Option<AnyBoard>,
    /// Whether a call is being made.
    is_lent: bool,
    /// The number of this source. The board of an earlier source is not put back.
    number: u64,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Source").field("open", &self.open).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    orders: VecDeque<Order>,
    /// All visitors. Those that have asked are told of changes.
    visitors: Vec<Arc<Mailbox>>,
    /// Another source was opened.
    is_another: bool,
    is_closed: bool,
}

/// An order, and all who wait for its outcome.
#[derive(Debug)]
struct Order {
    what: What,
    askers: Vec<Arc<Mailbox>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    List,
    Set { id: u32, value: i64 },
}

/// What the thread has to do next.
enum Todo {
    Order(Order),
    /// Send the controls of the newly opened source to all who have asked for controls.
    Introduce,
    /// Nothing was set for a moment: look for other changes.
    LookAround,
    End,
}

/// The most orders that may wait. No camera has so many controls, so further orders are refused.
const MOST_ORDERS: usize = 256;

/// How often all viewers together may set a control: a lens has a motor, and a camera queues all
/// its calls.
const PACE: Allowance = Allowance { at_once: 20, each: Duration::from_millis(50) };

/// When nothing was set for this long, all controls are read, since one may have changed others.
const QUIET: Duration = Duration::from_millis(200);

/// The longest that closing a source waits for a call.
const LONGEST_CALL: Duration = Duration::from_secs(1);

const FOR_EVER: Duration = Duration::from_secs(3600);

impl Controls {
    /// Creates the controls and starts their thread, which ends with [`close`](Self::close).
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn open() -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let controls = Arc::<Self>::default();
        let setter = Setter {
            controls: Arc::clone(&controls),
            known: Vec::new(),
            set: BTreeSet::new(),
            pace: Bucket::full(PACE),
        };
        let setter = thread::Builder::new().name("controls".into()).spawn(move || setter.run())?;
        Ok((controls, setter))
    }

    /// Notes that a source was opened. Its controls are set from here on.
    pub fn begin(&self, source: &dyn FrameSource) {
        let mut place = lock(&self.source);
        place.number += 1;
        place.open = Some(source.description());
        place.board = source.board();
        drop(place);
        lock(&self.state).is_another = true;
        self.bell.ring();
    }

    /// Notes that the source is about to be closed. Waits for a call in progress: until it returns,
    /// the driver would refuse to open the device again. But the wait is limited. A camera's calls
    /// may take seconds to time out, and this is the capture thread, which the watchdog observes.
    pub fn end(&self) {
        let mut source = lock(&self.source);
        source.number += 1;
        source.open = None;
        source.board = None;
        let waited = self.returned.wait_timeout_while(source, LONGEST_CALL, |it| it.is_lent);
        let (source, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if source.is_lent {
            log::warn!("setting a control of the camera takes longer than {LONGEST_CALL:?}");
        }
    }

    /// Lends the board of the open source for one call. No lock is held meanwhile.
    fn with_board<T>(&self, call: impl FnOnce(&mut AnyBoard) -> T) -> Result<T, String> {
        let mut source = lock(&self.source);
        let Some(mut board) = source.board.take() else { return Err(source.no_controls()) };
        let number = source.number;
        source.is_lent = true;
        drop(source);
        let answer = call(&mut board);
        let mut source = lock(&self.source);
        if source.number == number {
            source.board = Some(board);
        } else {
            // Close it before waking the thread that waits for that.
            drop(board);
        }
        source.is_lent = false;
        self.returned.notify_all();
        Ok(answer)
    }

    /// Ends the thread.
    pub fn close(&self) {
        lock(&self.state).is_closed = true;
        self.bell.ring();
    }

    /// Takes an order. If another order for the same control waits, the new value replaces the old
    /// one, and both visitors get the outcome.
    fn take(&self, what: What, asker: &Arc<Mailbox>) {
        let mut state = lock(&self.state);
        let is_same = |order: &&mut Order| match (order.what, what) {
            (What::List, What::List) => true,
            (What::Set { id, .. }, What::Set { id: other, .. }) => id == other,
            _ => false,
        };
        if let Some(order) = state.orders.iter_mut().find(is_same) {
            order.what = what;
            if !order.askers.iter().any(|other| Arc::ptr_eq(other, asker)) {
                order.askers.push(Arc::clone(asker));
            }
        } else if state.orders.len() < MOST_ORDERS {
            state.orders.push_back(Order { what, askers: vec![Arc::clone(asker)] });
        } else {
            drop(state);
            asker.put(Answer::Refused("too many changes of controls at once".into()));
            return;
        }
        drop(state);
        self.bell.ring();
    }

    /// What to do next. Returns no order before `not_before`, and sleeps no longer than `patience`.
    fn next(&self, patience: Duration, not_before: Instant) -> Todo {
        loop {
            let mut state = lock(&self.state);
            if state.is_closed {
                return Todo::End;
            }
            if std::mem::take(&mut state.is_another) {
                return Todo::Introduce;
            }
            let pause = not_before.saturating_duration_since(Instant::now());
            if pause.is_zero()
                && let Some(order) = state.orders.pop_front()
            {
                return Todo::Order(order);
            }
            let waits = !state.orders.is_empty();
            drop(state);
            if !self.bell.wait(if waits { pause } else { patience }) && !waits {
                return Todo::LookAround;
            }
        }
    }

    /// The visitors that have asked for controls.
    fn audience(&self) -> Vec<Arc<Mailbox>> {
        let state = lock(&self.state);
        state.visitors.iter().filter(|mailbox| mailbox.has_listed()).cloned().collect()
    }

    fn enter(&self, mailbox: Arc<Mailbox>) {
        lock(&self.state).visitors.push(mailbox);
    }

    fn leave(&self, mailbox: &Arc<Mailbox>) {
        let mut state = lock(&self.state);
        let is_other = |other: &Arc<Mailbox>| !Arc::ptr_eq(other, mailbox);
        state.visitors.retain(is_other);
        for order in &mut state.orders {
            order.askers.retain(is_other);
        }
        // An order to set a control is carried out even if its visitor has left.
        state.orders.retain(|order| order.what != What::List || !order.askers.is_empty());
    }
}

/// The thread that makes the calls.
struct Setter {
    controls: Arc<Controls>,
    /// The controls as viewers know them.
    known: Vec<control::Control>,
    /// The controls that were set and not logged yet.
    set: BTreeSet<u32>,
    pace: Bucket,
}

impl Setter {
    fn run(mut self) {
        let mut patience = FOR_EVER;
        loop {
            match self.controls.next(patience, self.pace.next_at(Instant::now())) {
                Todo::End => return,
                Todo::Order(Order { what: What::List, askers }) => {
                    self.pace.spend(Instant::now());
                    let answer = self.list();
                    for asker in askers {
                        asker.put(answer.clone());
                    }
                }
                Todo::Order(Order { what: What::Set { id, value }, askers }) => {
                    self.pace.spend(Instant::now());
                    self.set(id, value, &askers);
                    patience = QUIET;
                }
                Todo::Introduce => {
                    let audience = self.controls.audience();
                    if !audience.is_empty() {
                        let answer = self.list();
                        for mailbox in audience {
                            mailbox.put(answer.clone());
                        }
                    }
                }
                Todo::LookAround => {
                    if patience != FOR_EVER {
                        self.look_around();
                    }
                    patience = FOR_EVER;
                }
            }
        }
    }

    fn list(&mut self) -> Answer {
        let listed = self.controls.with_board(|board| board.list());
        let (controls, reason) = match listed {
            Ok(controls) if controls.is_empty() => {
                (controls, lock(&self.controls.source).no_controls())
            }
            Ok(controls) => (controls, String::new()),
            Err(reason) => (Vec::new(), reason),
        };
        self.known = controls;
        Answer::List { controls: self.known.clone().into(), reason: reason.into() }
    }

    fn set(&mut self, id: u32, value: i64, askers: &[Arc<Mailbox>]) {
        let set = self.controls.with_board(|board| (board.set(id, value), board.control(id)));
        let (outcome, control) = set.unwrap_or_else(|reason| (Err(reason), None));
        if let Err(reason) = &outcome {
            let what = match &control {
                Some(control) => format!("{}={value}: {reason}", control.name),
                None => format!("control {id:#010x}: {reason}"),
            };
            log::debug!("refused to a viewer: {what}");
            for asker in askers {
                asker.put(Answer::Refused(what.as_str().into()));
            }
        } else {
            self.set.insert(id);
        }
        let Some(control) = control else { return };
        let is_news = self.note(&control);
        for mailbox in askers {
            mailbox.put(Answer::Control(control.clone().into()));
        }
        if is_news {
            self.tell(&control, askers);
        }
    }

    /// Sends controls that have changed by themselves. For example, when an automatic is switched
    /// off, its manual value can be set.
    fn look_around(&mut self) {
        let now = self.controls.with_board(|board| board.list()).unwrap_or_default();
        let set = std::mem::take(&mut self.set);
        let set: Vec<String> = now.iter().filter(|it| set.contains(&it.id)).map(spell).collect();
        if !set.is_empty() {
            log::info!("viewers have set {}", set.join(", "));
        }
        for control in now {
            if self.note(&control) {
                self.tell(&control, &[]);
            }
        }
    }

    /// Updates `known`. Returns whether that was a change.
    fn note(&mut self, control: &control::Control) -> bool {
        match self.known.iter_mut().find(|known| known.id == control.id) {
            Some(known) if known == control => false,
            Some(known) => {
                *known = control.clone();
                true
            }
            None => false,
        }
    }

    /// Sends a control to all who have asked, except those who got it already.
    fn tell(&self, control: &control::Control, know: &[Arc<Mailbox>]) {
        for mailbox in self.controls.audience() {
            if !know.iter().any(|other| Arc::ptr_eq(other, &mailbox)) {
                mailbox.put(Answer::Control(control.clone().into()));
            }
        }
    }
}

impl Source {
    fn no_controls(&self) -> String {
        match &self.open {
            Some(description) => format!("{description} has no controls"),
            None => "no camera is open, so there are no controls".into(),
        }
    }
}

fn spell(control: &control::Control) -> String {
    match control.value {
        Some(value) => format!("{}={value}", control.name),
        None => control.name.clone(),
    }
}

/// A poisoned lock is used all the same: everything here is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
