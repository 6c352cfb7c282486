//! One viewer at the camera: its subscription, its seat, and its questions about controls.

use super::link::waiter::Waiter;
use super::machine::{Input, Moment, Order, Question, Report, Reported, Standing, Step};
use super::notice::Notice;
use super::surroundings::Surroundings;
use super::view::View;
use crate::camera::access::day::Day;
use crate::camera::access::{
    Channel, Claim, Given, Holds, InUse, NotAdmitted, NotGiven, Offer, Paired,
};
use crate::camera::connection_log::LogEntry;
use crate::camera::connections::{Connection, Seat};
use crate::camera::context::Camera;
use crate::camera::controls::{Answer, Visitor};
use crate::camera::metrics::{Transport, Viewer};
use crate::camera::session_end::SessionEnd;
use crate::camera::state;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::access::code::Code;
use crate::wire::access::key::{May, ShownKey};
use crate::wire::native::credit::Arrival;
use crate::wire::packet::Packet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// The camera's side of one session.
pub(super) struct Viewing<'a> {
    camera: &'a Camera,
    connection: &'a Connection,
    entry: &'a LogEntry,
    transport: Transport,
    channel: Channel,
    waiter: Rc<Waiter>,
    /// By which key the client was let in last, where the camera wants one.
    admitted: Option<InUse<'a>>,
    /// How many changes of the keys there were when that was looked at last.
    changes: u64,
    view: Option<View>,
    /// Created when the viewer first asks about controls.
    visitor: Option<Visitor>,
    counted: Option<Viewer<'a>>,
    seat: Option<Seat<'a>>,
}

impl<'a> Viewing<'a> {
    pub(super) fn new(
        camera: &'a Camera,
        connection: &'a Connection,
        entry: &'a LogEntry,
        transport: Transport,
        channel: Channel,
        waiter: &Rc<Waiter>,
    ) -> Self {
        Self {
            camera,
            connection,
            entry,
            transport,
            channel,
            waiter: Rc::clone(waiter),
            admitted: None,
            changes: 0,
            view: None,
            visitor: None,
            counted: None,
            seat: None,
        }
    }

    fn sit(&mut self) -> Input {
        Input::Seated(self.connection.sit().map(|seat| {
            self.seat = Some(seat);
            self.counted = Some(self.camera.metrics.viewer(self.transport));
        }))
    }

    fn stand(&self, standing: Standing) {
        let now = Instant::now();
        match (standing, &self.seat) {
            // A client that has shown no key where one is wanted may be closed at any time, to make room for another.
            (Standing::Answered, _) if self.is_stranger() => {}
            (Standing::Answered, _) => self.connection.is_answered(),
            (Standing::Waits, _) => self.connection.waits(now),
            (Standing::MayHaveGone, Some(seat)) => seat.may_be_empty(now),
            (Standing::MayHaveGone, None) => {}
        }
    }

    /// Whether the camera wants a key, and the client has shown none that counts.
    fn is_stranger(&self) -> bool {
        self.camera.access.is_some() && self.admitted.is_none()
    }

    fn current(&self) -> Option<Arc<Packet>> {
        self.view.as_ref().and_then(View::current)
    }

    fn report(&self, report: Report, now: Micros) -> Reported {
        let camera = self.camera;
        let (is_well, text) = match report {
            Report::State => (true, state::json(camera, now)),
            Report::Metrics => (true, camera.metrics.text(now)),
            Report::Health => state::health(camera, now),
        };
        Reported { is_well, text }
    }

    fn draw(&self, notice: &Notice, now: Micros) -> Option<Arc<Packet>> {
        let camera = self.camera;
        let shown = match camera.roster.shown().reader().newest() {
            Newest::Fresh { value, .. } => Some(value.size),
            Newest::NotYet | Newest::Closed => None,
        };
        let silent_for = camera.metrics.health(now).silent_for;
        let (recipe, name) = (notice.recipe(shown), &camera.name);
        match camera.notices.draw(recipe, &notice.trouble, name, silent_for) {
            Ok(packet) => Some(packet),
            Err(error) => {
                log::debug!("cannot draw a notice: {error}");
                None
            }
        }
    }

    /// Looks at a key, where the camera wants one. An earlier one does not count any more.
    fn admit(&mut self, key: &ShownKey) -> io::Result<Result<May, NotAdmitted>> {
        self.admitted = None;
        let camera = self.camera;
        let Some(access) = &camera.access else { return Ok(Ok(May::Control)) };
        // First, so that no change in between is missed.
        self.changes = access.changes().count();
        let admitted = match access.admit(&key.0, self.channel) {
            Ok(admitted) => admitted,
            Err(why) => return Ok(Err(why)),
        };
        self.connection.has_shown_a_key();
        self.connection.is_answered();
        self.waiter.wake_at(access.changes())?;
        let may = admitted.may;
        self.admitted = Some(access.in_use(admitted));
        Ok(Ok(may))
    }

    fn log_in(&self, code: &Code, name: &str) -> Result<Given, NotGiven> {
        let access = self.camera.access.as_ref().ok_or(NotGiven::Open)?;
        if self.channel == Channel::Plain {
            return Err(NotGiven::TlsWanted);
        }
        access.log_in(&code.shown(), name, self.connection.peer(), Instant::now(), today())
    }

    fn offer(&self) -> Result<Offer, NotGiven> {
        let access = self.camera.access.as_ref().ok_or(NotGiven::Open)?;
        if self.channel == Channel::Plain {
            return Err(NotGiven::TlsWanted);
        }
        access.offer(self.connection.peer(), Instant::now())
    }

    fn pair(&self, claim: &Claim) -> Result<Paired, NotGiven> {
        let access = self.camera.access.as_ref().ok_or(NotGiven::Open)?;
        access.pair(claim, self.connection.peer(), Instant::now(), today())
    }

    /// Passes a question on to the controls; refuses it if viewers may not use them.
    fn ask(&mut self, question: Question) -> io::Result<Input> {
        let may = self.admitted.as_ref().map(|it| it.admitted().may);
        if let (Some(access), None | Some(May::Watch)) = (&self.camera.access, may) {
            let text = format!(
                "this viewer's key allows to watch only; {} --name NAME --may control makes another",
                access.pair_command()
            );
            return Ok(Input::Answer(Some(Answer::Refused(text.into()))));
        }
        let Some(controls) = &self.camera.controls else {
            // The viewer shows this in two lines.
            let text = "controls are off; start lancam with --control lan, or write control = \"lan\" \
                        into lancam.toml";
            return Ok(Input::Answer(Some(Answer::Refused(text.into()))));
        };
        let visitor = match self.visitor.take() {
            Some(visitor) => visitor,
            None => {
                let mut visitor = Visitor::new(controls);
                self.waiter.listen_to(visitor.ring())?;
                visitor
            }
        };
        match question {
            Question::List => visitor.list(),
            Question::Set { id, value } => visitor.set(id, value),
        }
        self.visitor = Some(visitor);
        Ok(Input::Awake)
    }
}

fn today() -> Day {
    Day::at(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

impl Surroundings for Viewing<'_> {
    fn moment(&self, now: Micros) -> Moment {
        let metrics = &self.camera.metrics;
        Moment {
            now,
            since_1970: SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
            interval: self.view.as_ref().map_or(Duration::ZERO, View::interval),
            measured: metrics.interval(),
            first_frame_at: metrics.first_frame_at(),
        }
    }

    fn newest(&mut self) -> io::Result<Newest<Update>> {
        match &mut self.view {
            Some(view) => Ok(view.newest()),
            None => Ok(Newest::NotYet),
        }
    }

    fn fulfil(&mut self, order: Order, now: Micros) -> io::Result<Input> {
        match order {
            Order::Sit => return Ok(self.sit()),
            Order::Announce => self.entry.watches(),
            Order::Stand(standing) => self.stand(standing),
            Order::Watch(wish, lowest) => match &mut self.view {
                Some(view) => view.change(wish, lowest),
                None => {
                    let roster = &self.camera.roster;
                    self.view = Some(View::new(roster, wish, lowest, &self.waiter)?);
                }
            },
            Order::StandIn(lowest) => {
                if let Some(view) = &mut self.view {
                    let wish = self.camera.roster.nearest(&view.wish());
                    view.change(wish, lowest);
                }
            }
            Order::Unwatch => self.view = None,
            Order::Current => return Ok(Input::Current(self.current())),
            Order::Report(report) => return Ok(Input::Reported(self.report(report, now))),
            Order::Draw(notice) => return Ok(Input::Drawn(self.draw(&notice, now))),
            Order::Arrived(transfer) => {
                return Ok(Input::Arrived(match &mut self.view {
                    Some(view) => view.arrived(transfer),
                    None => Step::Stays,
                }));
            }
            Order::Ask(question) => return self.ask(question),
            Order::Answer => {
                return Ok(Input::Answer(self.visitor.as_mut().and_then(Visitor::answer)));
            }
            // The client has its whole answer, so another connection may have this one's place.
            Order::CloseSending if self.seat.is_none() => self.stand(Standing::Waits),
            Order::Admit(key) => return Ok(Input::Admitted(self.admit(&key)?)),
            Order::LogIn(code, name) => return Ok(Input::LoggedIn(self.log_in(&code, &name))),
            Order::Offer => return Ok(Input::Offered(self.offer())),
            Order::Pair(claim) => return Ok(Input::Paired(self.pair(&claim))),
            // The link carries these out.
            Order::Acknowledged(_) | Order::Ebb(_) | Order::CloseSending => {}
        }
        Ok(Input::Awake)
    }

    fn revoked(&mut self) -> Option<SessionEnd> {
        let admitted = self.admitted.as_ref()?.admitted();
        let access = self.camera.access.as_ref()?;
        let changes = access.changes().count();
        if std::mem::replace(&mut self.changes, changes) == changes {
            return None;
        }
        match access.holds(admitted, self.channel) {
            Holds::All => None,
            Holds::SomethingElse => Some(SessionEnd::OtherRights(admitted.name.clone())),
            Holds::Nothing => Some(SessionEnd::Revoked(admitted.name.clone())),
        }
    }

    fn is_lowered(&self) -> bool {
        self.view.as_ref().is_some_and(View::is_lowered)
    }

    fn count_sent(&self, bytes: usize, age: Duration) {
        self.camera.metrics.sent(self.transport, bytes, age);
    }

    fn count_skipped(&self, frames: u64) {
        self.camera.metrics.skipped(self.transport, frames);
    }

    fn count_arrived(&self, arrival: Arrival, now: Micros) {
        self.camera.metrics.arrived(Some(arrival), now);
    }
}
