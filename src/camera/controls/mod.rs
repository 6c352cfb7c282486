//! Sets the source's controls for viewers, on a thread of its own.
//!
//! A call for a control may take a camera longer than a frame lasts. So neither the thread that captures makes it, nor the
//! sessions that send: a session leaves an order here, goes on, and is rung when there is an answer in its mailbox.

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

/// Who may change the source's controls, besides the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Nobody.
    Off,
    /// Whoever may watch with a native viewer.
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

/// Where viewers' orders come together.
#[derive(Debug, Default)]
pub struct Controls {
    source: Mutex<Source>,
    /// A call has ended.
    returned: Condvar,
    state: Mutex<State>,
    bell: Arc<Doorbell>,
}

/// Whose controls are set.
#[derive(Default)]
struct Source {
    /// What it is, for people; `None` while none is open.
    open: Option<String>,
    /// Not here while a call is made of it.
    board: Option<AnyBoard>,
    /// A call is being made of some board.
    is_lent: bool,
    /// Which source this is; a board of an earlier one does not come back.
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
    /// All who are there, to be told of changes once they have asked.
    visitors: Vec<Arc<Mailbox>>,
    /// Another source was opened.
    is_another: bool,
    is_closed: bool,
}

/// What is to be done, for all who wait for it.
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

/// What the thread is to do next.
enum Todo {
    Order(Order),
    /// Tell all who have asked for controls of those of the source that was opened.
    Introduce,
    /// Nothing was set for a moment.
    LookAround,
    End,
}

/// More orders than a camera has controls only strangers leave; they are told so.
const MOST_ORDERS: usize = 256;

/// What all viewers together may have set: a lens has a motor, and a camera has one queue for all calls.
const PACE: Allowance = Allowance { at_once: 20, each: Duration::from_millis(50) };

/// When nothing was set for so long, all controls are read: one may have changed others.
const QUIET: Duration = Duration::from_millis(200);

/// Whoever closes a source waits no longer for a call than this.
const LONGEST_CALL: Duration = Duration::from_secs(1);

const FOR_EVER: Duration = Duration::from_secs(3600);

impl Controls {
    /// The controls, and the thread behind them, which ends with [`close`](Self::close).
    ///
    /// # Errors
    /// When the process can have no more threads.
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

    /// A source was opened: its controls are set from here on.
    pub fn begin(&self, source: &dyn FrameSource) {
        let mut place = lock(&self.source);
        place.number += 1;
        place.open = Some(source.description());
        place.board = source.board();
        drop(place);
        lock(&self.state).is_another = true;
        self.bell.ring();
    }

    /// It is about to be closed. Waits for a call that is being made, since the driver would keep the node from being opened
    /// anew, but not for ever: a camera may let a call time out after seconds, and this thread is watched.
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

    /// Lends the board of the source that is open, for one call. Nothing is locked meanwhile.
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
            // Closed before whoever waits for that goes on.
            drop(board);
        }
        source.is_lent = false;
        self.returned.notify_all();
        Ok(answer)
    }

    /// Nothing is set any more.
    pub fn close(&self) {
        lock(&self.state).is_closed = true;
        self.bell.ring();
    }

    /// Takes an order. Of several for one control that wait, the newest counts, and all are answered by what came of it.
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

    /// What is to be done next: no order before `not_before`, and no longer sleep than `patience`.
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

    /// Those who have asked for controls.
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
        // What it set last is still set.
        state.orders.retain(|order| order.what != What::List || !order.askers.is_empty());
    }
}

/// The thread behind the controls.
struct Setter {
    controls: Arc<Controls>,
    /// The controls as viewers were told of them.
    known: Vec<control::Control>,
    /// What was set since the log was told.
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

    /// Tells what has changed besides what was set: an automatic that is off leaves a value to be set by hand.
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

    /// Whether this is news.
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

    /// Tells all who have asked, but those who know.
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

/// What stands here is changed in one step: poison is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
