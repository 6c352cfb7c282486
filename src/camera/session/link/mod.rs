//! One connection from its first message to its end: the only loop that waits, receives and sends
//! for a viewer.
//!
//! The link owns the socket, its known readiness, the bytes to be sent, and the clock that ends the
//! session of a stalled viewer. The protocol is a [`Machine`]; the camera is behind
//! [`Surroundings`].

mod ebb;
mod incoming;
pub mod kernel;
pub mod outgoing;
pub mod sealed;
mod sealing;
mod stall;
pub mod tcp;
pub mod waiter;
mod way;

use super::machine::{Input, Machine, Next, Order};
use super::surroundings::Surroundings;
use crate::camera::session_end::{SessionEnd, has_left};
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::native::credit::Arrival;
use ebb::Ebb;
use incoming::Incoming;
use kernel::Kernel;
use outgoing::Outgoing;
use stall::{STALLED, StallClock};
use std::io;
use std::time::Duration;
use way::Way;

/// How many bytes one call receives. Most requests and acknowledgements are smaller.
const MOST_PER_CALL: usize = 2 << 10;

/// How many bytes are received in one turn, before the session does its other work.
const MOST_PER_TURN: usize = 64 << 10;

/// Runs a protocol until the session ends.
///
/// # Errors
/// When the connection breaks.
pub fn run(
    machine: &mut dyn Machine,
    kernel: &mut dyn Kernel,
    around: &mut dyn Surroundings,
) -> io::Result<SessionEnd> {
    let link = Link {
        machine,
        kernel,
        around,
        out: Outgoing::default(),
        incoming: Incoming::default(),
        has_room: true,
        ebb: Ebb::default(),
        stall: StallClock::default(),
        acknowledged: 0,
        way: Way::default(),
        course: Course::GoesOn,
    };
    link.run()
}

/// Whether the session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    GoesOn,
    /// The machine was told to end.
    Ends,
}

struct Link<'a> {
    machine: &'a mut dyn Machine,
    kernel: &'a mut dyn Kernel,
    around: &'a mut dyn Surroundings,
    out: Outgoing,
    incoming: Incoming,
    /// Whether the socket may take bytes: true until a write finds it full.
    has_room: bool,
    ebb: Ebb,
    stall: StallClock,
    /// How many frames the viewer has acknowledged.
    acknowledged: u64,
    way: Way,
    course: Course,
}

/// The machine has nothing to do now.
enum Pause {
    /// Until something happens, or until this time.
    Until(Option<Micros>),
    ForEver(SessionEnd),
}

impl Link<'_> {
    fn run(mut self) -> io::Result<SessionEnd> {
        loop {
            let until = match self.advance()? {
                Pause::Until(until) => until,
                Pause::ForEver(end) => return Ok(end),
            };
            if self.course == Course::GoesOn
                && let Some(end) = self.around.revoked()
            {
                self.end(end)?;
                continue;
            }
            // Check this in every turn, whatever else happens: a viewer that sends only pings takes
            // no frames.
            if self.is_stalled()? {
                self.end(SessionEnd::TooSlow(STALLED))?;
                continue;
            }
            self.sleep(until)?;
            self.receive()?;
        }
    }

    /// Lets the machine do what it can, and sends what it has put out.
    fn advance(&mut self) -> io::Result<Pause> {
        let mut input = self.ebb.take(self.kernel)?.map_or(Input::Awake, Input::Ebbed);
        loop {
            let moment = self.around.moment(self.kernel.now());
            let next = self.machine.next(input, &mut self.out, &moment);
            input = match next {
                Next::Look => Input::Newest(self.newest()?),
                Next::Order(order) => self.fulfil(order)?,
                Next::End(end) => {
                    self.count_skipped();
                    return Ok(Pause::ForEver(end));
                }
                Next::Wait(until) => {
                    self.count_skipped();
                    if self.out.is_empty() || !self.has_room || !self.send()? {
                        return Ok(Pause::Until(until));
                    }
                    Input::Awake
                }
            };
        }
    }

    fn newest(&mut self) -> io::Result<Newest<Update>> {
        let newest = self.around.newest()?;
        if let Newest::Fresh { skipped, .. } = newest {
            self.out.note_skipped(skipped);
        }
        Ok(newest)
    }

    fn count_skipped(&mut self) {
        match self.out.take_skipped() {
            0 => {}
            frames => self.around.count_skipped(frames),
        }
    }

    fn fulfil(&mut self, order: Order) -> io::Result<Input> {
        match order {
            Order::Ebb(last) => {
                let ebbed = self.ebb.ask(last, self.around.is_lowered(), self.kernel)?;
                Ok(ebbed.map_or(Input::Awake, Input::Ebbed))
            }
            Order::Acknowledged(arrival) => self.acknowledged(arrival),
            Order::CloseSending => {
                // First of all, the connection's place is given up. Once the client knows that this was all, it
                // may connect anew before this thread goes on.
                let input = self.around.fulfil(Order::CloseSending, self.kernel.now())?;
                self.kernel.close_sending()?;
                Ok(input)
            }
            order => self.around.fulfil(order, self.kernel.now()),
        }
    }

    fn acknowledged(&mut self, arrival: Arrival) -> io::Result<Input> {
        self.around.count_arrived(arrival, arrival.at);
        // A frame that arrived in time, even with its round trip, gives no reason to ask the
        // kernel.
        let interval = self.around.moment(arrival.at).interval;
        let is_late = arrival.transfer(Duration::ZERO) > interval;
        let asks = is_late || self.around.is_lowered();
        let transfer = self.way.transfer(arrival, asks, self.kernel)?;
        self.around.fulfil(Order::Arrived(transfer), arrival.at)?;
        Ok(Input::Awake)
    }

    /// Sends as much as there is room for. Returns whether that was everything.
    fn send(&mut self) -> io::Result<bool> {
        match self.out.room_needed() {
            0 => {}
            bytes => self.kernel.make_room(bytes)?,
        }
        let kernel = &mut *self.kernel;
        let taken = self.out.send_with(|parts| match kernel.send(parts) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            outcome => outcome,
        })?;
        let now = self.kernel.now();
        if taken.owed {
            self.stall.progressed(now);
        }
        let Some(left) = taken.left else {
            self.has_room = false;
            return Ok(false);
        };
        if let Some(captured_at) = left.frame {
            self.around.count_sent(left.bytes, now.since(captured_at));
        }
        Ok(true)
    }

    /// Whether the viewer has made no progress for too long.
    fn is_stalled(&mut self) -> io::Result<bool> {
        let now = self.kernel.now();
        let owes =
            !self.out.is_empty() || self.ebb.is_awaited() || self.machine.owes_acknowledgement();
        self.stall.owes(owes, now);
        let acknowledged = self.machine.acknowledged();
        if std::mem::replace(&mut self.acknowledged, acknowledged) != acknowledged {
            self.stall.progressed(now);
        }
        if self.course != Course::GoesOn || !self.stall.is_due(now) {
            return Ok(false);
        }
        // While the last frame is to leave, `Ebb` asks the kernel.
        let held = if self.ebb.is_awaited() { 0 } else { self.kernel.held()?.unacknowledged };
        Ok(self.stall.is_over(held, now))
    }

    fn end(&mut self, why: SessionEnd) -> io::Result<()> {
        if self.course == Course::GoesOn {
            self.course = Course::Ends;
            self.ebb.cancel(self.kernel)?;
            self.has_room = true;
        }
        self.machine.end(why, &mut self.out, self.kernel.now());
        Ok(())
    }

    fn sleep(&mut self, until: Option<Micros>) -> io::Result<()> {
        let now = self.kernel.now();
        let stalls = self.stall.deadline().filter(|_| self.course == Course::GoesOn);
        let until = [until, stalls, self.ebb.deadline(now)];
        let until = if self.may_receive() { Some(now) } else { until.into_iter().flatten().min() };
        let happened = self.kernel.sleep(until.map(|until| until.since(now)))?;
        self.incoming.note(&happened);
        self.has_room |= happened.room && !self.ebb.is_awaited();
        if self.ebb.note(&happened, self.kernel)? {
            self.stall.progressed(self.kernel.now());
        }
        if happened.stop {
            self.kernel.ignore_stop()?;
            self.end(SessionEnd::Stopping)?;
        }
        if happened.gone {
            self.end(SessionEnd::ViewerLeft)?;
        }
        Ok(())
    }

    fn may_receive(&self) -> bool {
        self.incoming.waits() && self.machine.room() > 0
    }

    /// Receives until the socket is empty or the machine has enough. One call, unless that fills
    /// the buffer.
    fn receive(&mut self) -> io::Result<()> {
        let mut bytes = [0; MOST_PER_CALL];
        let mut received = 0;
        while self.may_receive() && received < MOST_PER_TURN {
            let room = self.machine.room().min(MOST_PER_CALL);
            match self.kernel.receive(&mut bytes[..room]) {
                Ok(0) => {
                    self.incoming = Incoming::Ended;
                    self.machine.input_ended();
                }
                Ok(count) => {
                    self.machine.received(&bytes[..count], self.kernel.now());
                    received += count;
                    if count < room {
                        self.incoming.found_empty();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Even if an end was reported: the socket would report it again.
                    self.incoming = Incoming::Empty;
                }
                Err(error) if has_left(&error) => {
                    self.incoming = Incoming::Ended;
                    self.end(SessionEnd::ViewerLeft)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
