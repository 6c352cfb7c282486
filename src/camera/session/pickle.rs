//! The tutorial's protocol: the client sends nothing and gets pickled pictures.
//!
//! The client understands only pictures, so it gets a picture of words when there is no other. A
//! client that closes its sending side has left: the tutorial's client never closes only that side.

use super::input_limit::InputLimit;
use super::link::outgoing::Outgoing;
use super::machine::{Input, Machine, Moment, Next, Order};
use super::silence::{Filling, Silence};
use crate::camera::roster::wish::Wish;
use crate::camera::session_end::SessionEnd;
use crate::camera::update::Update;
use crate::image::frame::Micros;
use crate::latest::Newest;
use crate::wire::ladder::Lowest;
use crate::wire::packet::Packet;
use crate::wire::pickle::head::{PickleHead, TAIL};
use std::sync::Arc;

/// A session with a client that sends nothing.
#[derive(Debug)]
pub struct Pickle {
    /// The orders to carry out before anything is sent, in reverse.
    beginning: Vec<Order>,
    silence: Silence,
    input_limit: InputLimit,
    end: Option<SessionEnd>,
}

impl Pickle {
    /// A session that sends what `wish` says.
    pub fn new(wish: Wish, now: Micros) -> Self {
        Self {
            beginning: vec![Order::Watch(wish, Lowest::Quality40), Order::Announce, Order::Sit],
            silence: Silence::new(wish, now),
            input_limit: InputLimit::default(),
            end: None,
        }
    }

    fn put(&mut self, packet: Arc<Packet>, out: &mut Outgoing, now: Micros) -> Next {
        let head = PickleHead::new(packet.facts.size);
        let counting = self.silence.sends(&packet, now);
        out.put(head.as_bytes(), packet, TAIL, counting);
        Next::Wait(None)
    }

    /// No picture has come: sends a filling, if it is time for one.
    fn fill(&mut self, moment: &Moment) -> Next {
        match self.silence.filling(moment) {
            Some(Filling::Notice(notice)) => Next::Order(Order::Draw(notice)),
            Some(Filling::NewestAgain) => Next::Order(Order::Current),
            None => Next::Wait(Some(self.silence.due())),
        }
    }
}

impl Machine for Pickle {
    fn room(&self) -> usize {
        self.input_limit.room()
    }

    fn received(&mut self, bytes: &[u8], _now: Micros) {
        self.input_limit.received(bytes.len());
    }

    fn input_ended(&mut self) {
        self.end.get_or_insert(SessionEnd::ViewerLeft);
    }

    fn next(&mut self, input: Input, out: &mut Outgoing, moment: &Moment) -> Next {
        match input {
            Input::Newest(Newest::Fresh { value: Update::Frame { packet, .. }, .. }) => {
                self.silence.picture(&packet);
                return self.put(packet, out, moment.now);
            }
            // The bell rings again only after the slot was found empty.
            Input::Newest(Newest::Fresh { value: Update::Status(status), .. }) => {
                self.silence.trouble(status, moment.now);
                return Next::Look;
            }
            Input::Newest(Newest::NotYet) => return self.fill(moment),
            Input::Newest(Newest::Closed) => return Next::End(SessionEnd::Stopping),
            Input::Drawn(packet) => match self.silence.drawn(packet) {
                Some(packet) => return self.put(packet, out, moment.now),
                None => return Next::Wait(Some(self.silence.due())),
            },
            Input::Current(Some(packet)) => return self.put(packet, out, moment.now),
            Input::Current(None) => return Next::Wait(Some(self.silence.due())),
            Input::Seated(Err(crowd)) => return Next::End(SessionEnd::crowded(crowd)),
            _ => {}
        }
        if let Err(error) = self.input_limit.check() {
            return Next::End(SessionEnd::bad_request(error.to_string()));
        }
        if let Some(end) = self.end.take() {
            return Next::End(end);
        }
        match self.beginning.pop() {
            Some(order) => Next::Order(order),
            // The client acknowledges nothing, so the next frame follows when the last one has
            // left.
            None if out.is_empty() => Next::Look,
            None => Next::Wait(None),
        }
    }

    fn end(&mut self, why: SessionEnd, _out: &mut Outgoing, _now: Micros) {
        self.end.get_or_insert(why);
    }
}
