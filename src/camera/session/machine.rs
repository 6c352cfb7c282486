//! What a protocol is to the link that runs it: bytes go in, bytes and orders come out.
//!
//! A machine makes no system call, reads no clock and takes no lock. Tests and fuzzers drive it with made-up bytes at made-up
//! times.

use super::link::outgoing::Outgoing;
use super::notice::Notice;
use crate::camera::connections::Crowd;
use crate::camera::controls::Answer;
use crate::camera::roster::wish::Wish;
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::ladder::{Lowest, Transfer};
use crate::wire::native::credit::Arrival;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// A protocol at one connection.
pub trait Machine {
    /// How many more bytes it takes now; what is beyond stays in the socket.
    fn room(&self) -> usize;

    /// The viewer sent these bytes, no more than there is room for.
    fn received(&mut self, bytes: &[u8], now: Micros);

    /// The viewer sends nothing more.
    fn input_ended(&mut self);

    /// What is to be done next, after `input`. What is to be sent stands in `out` then.
    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next;

    /// The session is to end, for this reason; [`next`](Self::next) says when it has.
    fn end(&mut self, why: SessionEnd, out: &mut Outgoing, now: Micros);

    /// Frames that the viewer has acknowledged so far.
    fn acknowledged(&self) -> u64 {
        0
    }

    /// Whether the viewer has to acknowledge a frame before the next one.
    fn owes_acknowledgement(&self) -> bool {
        false
    }
}

/// What is true at the moment of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time, by the camera's clock.
    pub now: Micros,
    /// The same, since 1970.
    pub since_1970: Duration,
    /// Between two frames for this viewer, as announced and wished for.
    pub interval: Duration,
    /// Between two frames of the source, as measured; zero while nobody knows.
    pub measured: Duration,
    /// When the source sent its first frame since it was opened.
    pub first_frame_at: Micros,
}

impl Moment {
    /// When `at` was, since 1970.
    pub fn since_1970(&self, at: Micros) -> Duration {
        self.since_1970.saturating_sub(self.now.since(at))
    }
}

/// What a machine learns with a call.
#[derive(Debug)]
pub enum Input {
    /// Bytes may have come, what was to be sent may have left, the time may have come.
    Awake,
    /// After [`Next::Look`].
    Newest(Newest<Update>),
    /// After [`Order::Sit`].
    Seated(Result<(), Crowd>),
    /// After [`Order::Report`].
    Reported(Reported),
    /// After [`Order::Draw`]; `None` where it could not be drawn.
    Drawn(Option<Arc<Packet>>),
    /// After [`Order::Current`]; `None` while there is no picture.
    Current(Option<Arc<Packet>>),
    /// After [`Order::Answer`].
    Answer(Option<Answer>),
    /// After [`Order::Ebb`], at once or when it has come true.
    Ebbed(Ebbed),
    /// After [`Order::Arrived`].
    Arrived(Step),
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// Send what is to be sent. Then sleep until something happens, until this time at the latest.
    Wait(Option<Micros>),
    /// Look for an update that was not taken yet.
    Look,
    /// Do this.
    Order(Order),
    /// End the session.
    End(SessionEnd),
}

/// What a machine has done for it. Where no other [`Input`] is named, [`Input::Awake`] follows.
#[derive(Debug)]
pub enum Order {
    /// Give the viewer a seat, and count it.
    Sit,
    /// Tell people that it watches.
    Announce,
    /// Say how its connection stands.
    Stand(Standing),
    /// Subscribe to this wish, instead of another if there is one. Nothing below `Lowest` is sent for it.
    Watch(Wish, Lowest),
    /// Subscribe to what is made that comes nearest to the wish.
    StandIn(Lowest),
    /// End the subscription.
    Unwatch,
    /// Give what is current for this wish, taken or not.
    Current,
    /// Say how the camera is.
    Report(Report),
    /// Draw a picture of words.
    Draw(Notice),
    /// A frame has been acknowledged.
    Acknowledged(Arrival),
    /// A frame has arrived, or seems to: the ladder learns how long that took.
    Arrived(Transfer),
    /// Say when nothing is unsent, and at most so many bytes are unacknowledged.
    Ebb(usize),
    /// Ask the source's controls.
    Ask(Question),
    /// Give the next answer about controls, if there is one.
    Answer,
    /// Tell the viewer that nothing more comes.
    CloseSending,
}

/// How a connection stands among all, which decides who goes first when it is crowded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has said what it wants, and is being answered.
    Answered,
    /// It may say what it wants next.
    Waits,
    /// It watches and has closed its sending side: perhaps it has gone.
    MayHaveGone,
}

/// What can be reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// `/state`
    State,
    /// `/metrics`
    Metrics,
    /// `/healthz`
    Health,
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Whether there are pictures, or will be as soon as somebody watches.
    pub is_well: bool,
    /// What is to be said.
    pub text: String,
}

/// What a viewer asks of the source's controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// All controls.
    List,
    /// One to be set.
    Set {
        /// Its number.
        id: u32,
        /// To what.
        value: i64,
    },
}

/// The last frame has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ebbed {
    /// It had when the next one came, and took about so long.
    InTime(Duration),
    /// The next one had to wait for that.
    Late,
}

/// Whether frames are others from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// As before.
    Stays,
    /// They are of another form.
    Goes,
}
