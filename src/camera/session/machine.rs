//! The interface between a protocol and the link that runs it: bytes go in, bytes and orders come
//! out.
//!
//! A machine makes no system call, reads no clock and takes no lock. Tests and fuzzers drive it
//! with any bytes at any times.

use super::link::outgoing::Outgoing;
use super::notice::Notice;
use crate::camera::access::{Claim, Given, NotAdmitted, NotGiven, Offer, Paired};
use crate::camera::connections::Crowd;
use crate::camera::controls::Answer;
use crate::camera::roster::wish::Wish;
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::access::code::Code;
use crate::wire::access::key::{May, ShownKey};
use crate::wire::ladder::{Lowest, Transfer};
use crate::wire::native::credit::Arrival;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

/// A protocol on one connection.
pub trait Machine {
    /// How many more bytes it takes now. The rest stays in the socket.
    fn room(&self) -> usize;

    /// Takes bytes from the viewer, at most [`room`](Self::room).
    fn received(&mut self, bytes: &[u8], now: Micros);

    /// Notes that the viewer sends nothing more.
    fn input_ended(&mut self);

    /// Returns what to do next, after `input`. Puts bytes to send into `out`.
    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next;

    /// Asks for the end of the session, for this reason. [`next`](Self::next) returns [`Next::End`]
    /// within a moment; what the viewer has to be told goes out before.
    fn end(&mut self, why: SessionEnd, out: &mut Outgoing, now: Micros);

    /// How many frames the viewer has acknowledged so far.
    fn acknowledged(&self) -> u64 {
        0
    }

    /// Whether the viewer has to acknowledge a frame before the next one.
    fn owes_acknowledgement(&self) -> bool {
        false
    }
}

/// The facts at the moment of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time by the camera's clock.
    pub now: Micros,
    /// The same as a time since 1970.
    pub since_1970: Duration,
    /// The time between two frames for this viewer, as announced and wished for.
    pub interval: Duration,
    /// The time between two frames of the source, as measured; zero if unknown.
    pub measured: Duration,
    /// When the source sent its first frame since it was opened.
    pub first_frame_at: Micros,
}

impl Moment {
    /// Converts `at` to a time since 1970.
    pub fn since_1970(&self, at: Micros) -> Duration {
        self.since_1970.saturating_sub(self.now.since(at))
    }
}

/// What a machine learns with a call.
#[derive(Debug)]
pub enum Input {
    /// Something may have happened: bytes came, bytes were sent, or a deadline passed.
    Awake,
    /// The answer to [`Next::Look`].
    Newest(Newest<Update>),
    /// The answer to [`Order::Sit`].
    Seated(Result<(), Crowd>),
    /// The answer to [`Order::Report`].
    Reported(Reported),
    /// The answer to [`Order::Draw`]; `None` if the picture could not be drawn.
    Drawn(Option<Arc<Packet>>),
    /// The answer to [`Order::Current`]; `None` while there is no picture.
    Current(Option<Arc<Packet>>),
    /// The answer to [`Order::Answer`].
    Answer(Option<Answer>),
    /// The answer to [`Order::Ebb`], at once or when the last frame has left.
    Ebbed(Ebbed),
    /// The answer to [`Order::Arrived`].
    Arrived(Step),
    /// The answer to [`Order::Offer`].
    Offered(Result<Offer, NotGiven>),
    /// The answer to [`Order::Admit`].
    Admitted(Result<May, NotAdmitted>),
    /// The answer to [`Order::LogIn`].
    LoggedIn(Result<Given, NotGiven>),
    /// The answer to [`Order::Pair`].
    Paired(Result<Paired, NotGiven>),
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Send what is in `out`. Then sleep until something happens, at most until this time.
    Wait(Option<Micros>),
    /// Get the newest update, if it was not taken yet.
    Look,
    /// Carry out an order.
    Order(Order),
    /// End the session.
    End(SessionEnd),
}

/// What a machine asks of the link and the camera. Unless another [`Input`] is named, the answer is
/// [`Input::Awake`].
#[derive(Debug)]
pub enum Order {
    /// Give the viewer a seat, and count it.
    Sit,
    /// Print that a viewer watches.
    Announce,
    /// Change the standing of the connection.
    Stand(Standing),
    /// Subscribe to this wish, instead of an earlier one. The ladder may lower it, but not below
    /// `Lowest`.
    Watch(Wish, Lowest),
    /// Subscribe to the form that is being sent and is nearest to the wish.
    StandIn(Lowest),
    /// End the subscription.
    Unwatch,
    /// Get the current picture for this wish, even if it was taken before.
    Current,
    /// Report on the camera.
    Report(Report),
    /// Draw a picture of words.
    Draw(Notice),
    /// A frame was acknowledged.
    Acknowledged(Arrival),
    /// A frame has arrived or seems to have: tell the ladder how long that took.
    Arrived(Transfer),
    /// Report when nothing is unsent and about the given number of bytes, at most, is
    /// unacknowledged.
    Ebb(usize),
    /// Pass a question to the source's controls.
    Ask(Question),
    /// Get the next answer about controls, if there is one.
    Answer,
    /// Let the client in that shows this key, which may be empty. From then on its session ends when that key is revoked
    /// or changed.
    Admit(ShownKey),
    /// Say what a viewer needs that wants to be paired.
    Offer,
    /// Give a key of this name to a client that shows this code.
    LogIn(Code, String),
    /// Give a key to a viewer that claims to know the code.
    Pair(Claim),
    /// Close the sending side.
    CloseSending,
}

/// The standing of a connection, which decides which one is closed when there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has said what it wants, and is being answered.
    Answered,
    /// It waits for its next request.
    Waits,
    /// It watches and has closed its sending side: its viewer may be gone.
    MayHaveGone,
}

/// The kinds of report.
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
    /// The text of the report.
    pub text: String,
}

/// What a viewer asks of the source's controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// List all controls.
    List,
    /// Set one control.
    Set {
        /// Its number.
        id: u32,
        /// Its new value.
        value: i64,
    },
}

/// How the last frame has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ebbed {
    /// Before the next one came. It took about this long.
    InTime(Duration),
    /// Late: the next one had to wait for it.
    Late,
}

/// Whether the form of the frames changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// No change.
    Stays,
    /// Frames have another form from here on.
    Goes,
}
