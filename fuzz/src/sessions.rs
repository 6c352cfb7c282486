//! Sessions in a simulated world: data is split anywhere, readiness is lost and found, clocks jump.
//!
//! The link and a protocol run as in the camera. The kernel, the camera and the viewer are simulated and follow [`Choices`].
//! Whatever these are: no session sleeps when it should work, a viewer that takes nothing is disconnected within 5 s, no
//! frame is sent out of order, and every session ends.

mod reader;
pub(crate) mod seal;
mod seen;
mod world;

use lancam::camera::access::Channel;
use lancam::camera::context::HttpRules;
use lancam::camera::encode::Coding;
use lancam::camera::roster::wish::Wish;
use lancam::camera::session::http::{Guard, Http};
use lancam::camera::session::link;
use lancam::camera::session::link::outgoing::Outgoing;
use lancam::camera::session::link::sealed::Sealed;
use lancam::camera::session::machine::{Input, Machine, Moment, Next};
use lancam::camera::session::native::Native;
use lancam::camera::session::pairing::Pairing;
use lancam::camera::session::pickle::Pickle;
use lancam::camera::session_end::SessionEnd;
use lancam::image::frame::Micros;
use lancam::image::pixels::Chroma;
use lancam::image::size_wish::SizeWish;
use seen::Seen;
use std::cell::RefCell;
use std::rc::Rc;
pub use world::Choices;
use world::{MadeUpCamera, MadeUpKernel, START, World};

/// The protocol of a simulated viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// The native protocol.
    Native,
    /// Pairing.
    Pairing,
    /// HTTP.
    Http,
    /// HTTP, and the camera wants keys.
    HttpWithKeys,
    /// Nothing.
    Pickle,
}

/// Whether a session's bytes are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// They are not.
    Tcp,
    /// They are.
    Tls,
}

/// The result of a session.
#[derive(Debug)]
pub struct Outcome {
    /// Why it ended. `Err` if the connection broke.
    pub end: Result<SessionEnd, std::io::Error>,
    /// How many frames the viewer received.
    pub frames: usize,
}

/// A fault on purpose, to show that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The link is not told that bytes have arrived.
    Bytes,
    /// The link is not told that there is room.
    Room,
    /// The link is not told that there is a new frame.
    Bell,
    /// Everything a viewer sends counts as an acknowledgement.
    Progress,
    /// Everything a viewer takes counts as part of a frame.
    Answers,
    /// The camera sends an older frame.
    Order,
}

/// Runs a session in a world with these choices.
///
/// # Panics
/// When the session breaks a rule.
pub fn run(speaks: Speaks, choices: Choices<'_>) -> Outcome {
    run_with(Fault::None, speaks, Over::Tcp, choices)
}

/// Runs a session with a fault.
///
/// # Panics
/// When the fault is noticed.
pub fn run_with(fault: Fault, speaks: Speaks, over: Over, choices: Choices<'_>) -> Outcome {
    let world = Rc::new(RefCell::new(World::new(speaks, choices)));
    let own = Wish::own(Coding::Jpeg { quality: 80, chroma: Chroma::Yuv420 }, SizeWish::default());
    let tutorial = Wish::own(Coding::Bgr24, SizeWish::default());
    let deadline = START.after(std::time::Duration::from_secs(5));
    let rules = HttpRules::default();
    let (mut native, mut pairing, mut http, mut pickle);
    let machine: &mut dyn Machine = match speaks {
        Speaks::Native => {
            native = Native::new("made up", "id", own, deadline);
            &mut native
        }
        Speaks::Pairing => {
            pairing = Pairing::new("made up", "id", deadline);
            &mut pairing
        }
        Speaks::Http => {
            http = Http::new("made up", &rules, own, deadline, START);
            &mut http
        }
        Speaks::HttpWithKeys => {
            http = Http::new("made up", &rules, own, deadline, START)
                .guarded(Guard::new(Channel::Tls, [7; 32]));
            &mut http
        }
        Speaks::Pickle => {
            pickle = Pickle::new(tutorial, START);
            &mut pickle
        }
    };
    let kernel = MadeUpKernel(Rc::clone(&world), fault);
    let mut camera = MadeUpCamera(Rc::clone(&world), fault);
    let mut lenient = Lenient { machine, fault, calls: 0 };
    let machine: &mut dyn Machine = match fault {
        Fault::Progress | Fault::Answers => &mut lenient,
        _ => lenient.machine,
    };
    let end = match over {
        Over::Tcp => link::run(machine, &mut Seen::new(kernel, &world), &mut camera),
        Over::Tls => {
            let (secured, seal) = seal::agreed();
            world.borrow_mut().seal_with(seal);
            let sealed = Sealed::new(kernel, secured);
            link::run(machine, &mut Seen::new(sealed, &world), &mut camera)
        }
    };
    let frames = world.borrow().frames();
    Outcome { end, frames }
}

/// Takes too much for progress: all input for acknowledgements, or all output for frames.
struct Lenient<'a> {
    machine: &'a mut dyn Machine,
    fault: Fault,
    calls: u64,
}

impl Machine for Lenient<'_> {
    fn room(&self) -> usize {
        self.machine.room()
    }

    fn received(&mut self, bytes: &[u8], now: Micros) {
        self.calls += 1;
        self.machine.received(bytes, now);
    }

    fn input_ended(&mut self) {
        self.machine.input_ended();
    }

    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let next = self.machine.next(input, out, moment);
        if self.fault == Fault::Answers {
            out.is_an_answer();
        }
        next
    }

    fn end(&mut self, why: SessionEnd, out: &mut Outgoing, now: Micros) {
        self.machine.end(why, out, now);
    }

    fn acknowledged(&self) -> u64 {
        if self.fault == Fault::Progress { self.calls } else { self.machine.acknowledged() }
    }

    fn owes_acknowledgement(&self) -> bool {
        self.machine.owes_acknowledgement()
    }
}
