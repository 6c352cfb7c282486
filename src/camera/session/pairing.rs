//! Pairing: a viewer that knows the camera's code gets a key of its own.
//!
//! It takes the place of the greeting, and the connection ends with it. The viewer comes back with its key.

use super::farewell::goodbye;
use super::link::outgoing::Outgoing;
use super::machine::{Input, Machine, Moment, Next, Order};
use crate::camera::access::{Claim, NotGiven, Offer, Paired};
use crate::camera::metrics::Refused;
use crate::camera::session_end::SessionEnd;
use crate::image::frame::Micros;
use crate::wire::access::proof::NONCE_LEN;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::header::Header;
use crate::wire::native::message::{GoodbyeReason, Message, Secret};
use crate::wire::native::{MAX_REQUEST, WireError};
use std::time::Duration;

/// How long a viewer may take for its proof: it hashes the code many times.
const PROOF_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the connection stays open behind the answer, so that the viewer surely gets it.
const LINGER: Duration = Duration::from_secs(1);

/// How many bytes wait here at most: one whole message, of which none is longer.
const MOST_WAITING: usize = Header::LEN + MAX_REQUEST as usize;

/// The pairing of one viewer.
#[derive(Debug)]
pub struct Pairing<'a> {
    /// The camera's name.
    name: &'a str,
    /// Its id.
    id: &'a str,
    decoder: Decoder,
    input: InputSide,
    phase: Phase,
    /// How many bytes the viewer may still send that nobody reads.
    unread: usize,
}

/// Whether the viewer may still send something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InputSide {
    Open,
    Ended,
}

/// How far the pairing is.
#[derive(Debug)]
enum Phase {
    /// Waits for the request, until then.
    Begins(Micros),
    /// Waits for what the camera offers.
    Offers(Request),
    /// Waits for the viewer's proof, until then.
    Proves(Request, Offer, Micros),
    /// Waits for the camera's judgement.
    Judged,
    /// Sends the answer.
    Answers(SessionEnd),
    /// The sending side is closed. Waits until the viewer has closed too, at most until then.
    Lingers(SessionEnd, Micros),
    Over,
}

/// What the viewer asked with.
#[derive(Debug)]
struct Request {
    nonce: [u8; NONCE_LEN],
    name: String,
}

/// Why there is no next message.
enum Silence {
    NotYet,
    End(SessionEnd),
    Wrong(String),
}

impl From<WireError> for Silence {
    fn from(error: WireError) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl<'a> Pairing<'a> {
    /// The pairing with a camera of this name and id. The request must be complete by `deadline`.
    pub fn new(name: &'a str, id: &'a str, deadline: Micros) -> Self {
        Self {
            name,
            id,
            decoder: Decoder::new(MAX_REQUEST),
            input: InputSide::Open,
            phase: Phase::Begins(deadline),
            unread: MOST_WAITING,
        }
    }

    fn begin(&mut self, deadline: Micros, out: &mut Outgoing, now: Micros) -> Next {
        match self.request() {
            Ok(request) => {
                self.phase = Phase::Offers(request);
                Next::Order(Order::Offer)
            }
            Err(silence) => {
                self.wait(silence, Phase::Begins(deadline), deadline, SessionEnd::Silent, out, now)
            }
        }
    }

    fn request(&mut self) -> Result<Request, Silence> {
        match self.decoder.next_message()? {
            Some(Message::PairRequest { nonce, name }) => Ok(Request { nonce, name: name.into() }),
            Some(_) => {
                Err(Silence::Wrong("the first message must be a request for pairing".into()))
            }
            None => Err(self.silence()),
        }
    }

    fn offer(&mut self, request: Request, offer: Offer, out: &mut Outgoing, now: Micros) -> Next {
        let Offer { nonce, salting } = offer;
        let (salt, iterations) = (*salting.salt(), salting.iterations());
        if let Some(messages) = out.messages() {
            let (name, id) = (self.name, self.id);
            Message::PairOffer { nonce, salt, iterations, name, id }.write_to(messages);
        }
        let deadline = now.after(PROOF_TIMEOUT);
        self.phase = Phase::Proves(request, offer, deadline);
        Next::Wait(Some(deadline))
    }

    fn prove(
        &mut self,
        request: Request,
        offer: Offer,
        deadline: Micros,
        out: &mut Outgoing,
        now: Micros,
    ) -> Next {
        match self.proof() {
            Ok(proof) => {
                self.phase = Phase::Judged;
                let Request { nonce: viewer_nonce, name } = request;
                let camera_nonce = offer.nonce;
                Next::Order(Order::Pair(Claim { viewer_nonce, camera_nonce, proof, name }))
            }
            Err(silence) => {
                let seconds = PROOF_TIMEOUT.as_secs();
                let late = format!("the viewer sent no proof of the code within {seconds} s");
                let late = SessionEnd::bad_request(late);
                let phase = Phase::Proves(request, offer, deadline);
                self.wait(silence, phase, deadline, late, out, now)
            }
        }
    }

    fn proof(&mut self) -> Result<[u8; 32], Silence> {
        match self.decoder.next_message()? {
            Some(Message::PairProof { proof }) => Ok(proof),
            Some(_) => Err(Silence::Wrong(
                "after an offer of pairing, the viewer's proof must come".into(),
            )),
            None => Err(self.silence()),
        }
    }

    fn silence(&self) -> Silence {
        match self.input {
            InputSide::Open => Silence::NotYet,
            InputSide::Ended => Silence::End(SessionEnd::ViewerLeft),
        }
    }

    /// Waits on in `phase` until `deadline`, unless there is nothing to wait for.
    fn wait(
        &mut self,
        silence: Silence,
        phase: Phase,
        deadline: Micros,
        late: SessionEnd,
        out: &mut Outgoing,
        now: Micros,
    ) -> Next {
        match silence {
            Silence::NotYet if now < deadline => {
                self.phase = phase;
                Next::Wait(Some(deadline))
            }
            Silence::NotYet => Next::End(late),
            Silence::End(end) => Next::End(end),
            Silence::Wrong(text) => {
                let end = SessionEnd::bad_request(text.clone());
                self.refuse(GoodbyeReason::BadMessage, &text, end, out)
            }
        }
    }

    fn paired(&mut self, paired: &Paired, out: &mut Outgoing) -> Next {
        let Paired { given, proof } = paired;
        let key = given.key.text();
        if let Some(messages) = out.messages() {
            let key = Secret(&key);
            Message::Paired { proof: *proof, may: given.may.bits(), key }.write_to(messages);
        }
        self.answer(SessionEnd::Paired(given.name.clone()), out)
    }

    fn not_given(&mut self, why: &NotGiven, out: &mut Outgoing) -> Next {
        let (reason, counted) = match why {
            NotGiven::WrongCode(_) => (GoodbyeReason::WrongCode, Refused::WrongCode),
            NotGiven::Rests(_) => (GoodbyeReason::PairingRests, Refused::WrongCode),
            NotGiven::TlsWanted => (GoodbyeReason::TlsWanted, Refused::NoKey),
            NotGiven::Open => (GoodbyeReason::PairingRests, Refused::BadRequest),
            NotGiven::Failed(_) => (GoodbyeReason::PairingRests, Refused::TooMany),
        };
        let text = why.to_string();
        let end = SessionEnd::Refused { why: counted, text: text.clone() };
        self.refuse(reason, &text, end, out)
    }

    fn refuse(
        &mut self,
        reason: GoodbyeReason,
        text: &str,
        end: SessionEnd,
        out: &mut Outgoing,
    ) -> Next {
        if let Some(messages) = out.messages() {
            goodbye(reason, text).write_to(messages);
        }
        self.answer(end, out)
    }

    /// Sends what was written, and then closes.
    fn answer(&mut self, end: SessionEnd, out: &mut Outgoing) -> Next {
        out.is_an_answer();
        self.phase = Phase::Answers(end);
        Next::Wait(None)
    }

    fn answers(&mut self, end: SessionEnd, out: &Outgoing, now: Micros) -> Next {
        // A viewer that goes on sending instead of taking its answer is not waited for.
        if self.unread == 0 {
            return Next::End(end);
        }
        if !out.is_empty() {
            self.phase = Phase::Answers(end);
            return Next::Wait(None);
        }
        self.phase = Phase::Lingers(end, now.after(LINGER));
        Next::Order(Order::CloseSending)
    }

    fn linger(&mut self, end: SessionEnd, until: Micros, now: Micros) -> Next {
        if self.input == InputSide::Ended || now >= until || self.unread == 0 {
            return Next::End(end);
        }
        self.phase = Phase::Lingers(end, until);
        Next::Wait(Some(until))
    }

    fn is_answered(&self) -> bool {
        matches!(self.phase, Phase::Answers(_) | Phase::Lingers(..) | Phase::Over)
    }
}

impl Machine for Pairing<'_> {
    fn room(&self) -> usize {
        match self.is_answered() {
            true => self.unread,
            false => MOST_WAITING.saturating_sub(self.decoder.received().len()),
        }
    }

    fn received(&mut self, bytes: &[u8], _now: Micros) {
        match self.is_answered() {
            true => self.unread = self.unread.saturating_sub(bytes.len()),
            false => self.decoder.push(bytes),
        }
    }

    fn input_ended(&mut self) {
        self.input = InputSide::Ended;
    }

    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        let now = moment.now;
        match (std::mem::replace(&mut self.phase, Phase::Over), input) {
            (Phase::Begins(deadline), _) => self.begin(deadline, out, now),
            (Phase::Offers(request), Input::Offered(Ok(offer))) => {
                self.offer(request, offer, out, now)
            }
            (Phase::Offers(_), Input::Offered(Err(why))) => self.not_given(&why, out),
            (Phase::Proves(request, offer, deadline), _) => {
                self.prove(request, offer, deadline, out, now)
            }
            (Phase::Judged, Input::Paired(Ok(paired))) => self.paired(&paired, out),
            (Phase::Judged, Input::Paired(Err(why))) => self.not_given(&why, out),
            (Phase::Answers(end), _) => self.answers(end, out, now),
            (Phase::Lingers(end, until), _) => self.linger(end, until, now),
            // An order is answered at once. So nothing else comes while one is out.
            (Phase::Offers(_) | Phase::Judged | Phase::Over, _) => {
                Next::End(SessionEnd::ViewerLeft)
            }
        }
    }

    fn end(&mut self, why: SessionEnd, _out: &mut Outgoing, now: Micros) {
        // A viewer that has its answer ends with it, however it closes.
        let end = match std::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Lingers(end, _) => end,
            _ => why,
        };
        self.phase = Phase::Lingers(end, now);
    }
}
