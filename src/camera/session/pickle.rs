//! A session with the tutorial's client: it says nothing, and is sent pickled pictures.

use super::outgoing::{Outgoing, Rest};
use super::receive::{Deaf, Received};
use super::silence::{Filling, Silence};
use super::stall::{STALLED, StallClock};
use super::waiter::Waiter;
use super::{Camera, Refused, SessionEnd, Viewer};
use crate::camera::metrics::Transport;
use crate::camera::renditions::wish::Wish;
use crate::camera::update::Update;
use crate::latest::{Newest, Reader};
use crate::net::socket::SendBuffer;
use crate::wire::packet::Packet;
use crate::wire::pickle::head::{PickleHead, TAIL};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Serves a silent viewer what `wish` says. It understands nothing but pictures: where there is none, it is sent one of words.
/// One that closes its sending side leaves: the tutorial's client never closes only that.
pub(super) fn serve(viewer: &Viewer<'_>, wish: Wish) -> io::Result<SessionEnd> {
    let Viewer { connection, camera, guest, waiter } = viewer;
    let stream = connection.stream();
    let _seat = match connection.sit() {
        Ok(seat) => seat,
        Err(crowd) => {
            return Ok(SessionEnd::Refused { why: Refused::TooMany, text: crowd.to_string() });
        }
    };
    guest.watches();
    let metrics = camera.renditions.metrics();
    let _viewer = metrics.viewer(Transport::Pickle);
    let watching = camera.renditions.watch(wish);
    let mut reader = watching.reader();
    waiter.listen_to(&mut reader)?;
    let mut session = Session {
        stream,
        camera,
        reader,
        silence: Silence::new(camera, &wish),
        send_buffer: SendBuffer::for_accepted(stream)?,
        outgoing: Outgoing::counted(metrics, Transport::Pickle),
    };
    session.run(waiter)
}

struct Session<'a> {
    stream: &'a TcpStream,
    camera: &'a Camera,
    reader: Reader<Update>,
    silence: Silence,
    send_buffer: SendBuffer,
    outgoing: Outgoing,
}

impl Session<'_> {
    fn run(&mut self, waiter: &Waiter) -> io::Result<SessionEnd> {
        let mut stall = StallClock::default();
        let mut deaf = Deaf::default();
        loop {
            if self.outgoing.is_empty() && self.take_newest()? {
                return Ok(SessionEnd::Stopping);
            }
            if !self.outgoing.is_empty() {
                let written = self.outgoing.write_to(self.stream)?;
                if written.of_frame > 0 {
                    stall.progressed(Instant::now());
                }
                // Nothing tells that it has arrived; the next frame follows when it has left.
                if written.rest == Rest::Nothing {
                    continue;
                }
            }
            stall.owes(!self.outgoing.is_empty(), Instant::now());
            let deadline = stall.deadline().unwrap_or(self.silence.due());
            let happened = waiter.wait(Some(deadline))?;
            if happened.stop {
                return Ok(SessionEnd::Stopping);
            }
            if happened.readable {
                match deaf.receive(self.stream, waiter)? {
                    Ok(Received::Closed) => return Ok(SessionEnd::ViewerLeft),
                    Ok(_) => {}
                    Err(error) => return Ok(error.into()),
                }
            }
            if stall.is_over(Instant::now()) {
                return Ok(SessionEnd::TooSlow(STALLED));
            }
        }
    }

    /// Puts the newest frame on its way, if there is one, or what fills the silence, if that is due; `true` when no frame
    /// will ever come again.
    fn take_newest(&mut self) -> io::Result<bool> {
        loop {
            match self.reader.newest() {
                Newest::Fresh { value: Update::Frame { packet, .. }, skipped } => {
                    self.outgoing.note_skipped(skipped);
                    self.silence.picture(&packet);
                    self.put(packet)?;
                    return Ok(false);
                }
                // The bell rings only after everything there is has been looked at.
                Newest::Fresh { value: Update::Status(status), .. } => self.silence.trouble(status),
                Newest::NotYet => break,
                Newest::Closed => return Ok(true),
            }
        }
        let packet = match self.silence.filling(self.camera, Duration::ZERO) {
            Some(Filling::Notice(packet)) => packet,
            Some(Filling::NewestAgain) => match self.reader.current() {
                Some(Update::Frame { packet, .. }) => packet,
                Some(Update::Status(_)) | None => return Ok(false),
            },
            None => return Ok(false),
        };
        self.put(packet)?;
        Ok(false)
    }

    fn put(&mut self, packet: Arc<Packet>) -> io::Result<()> {
        let head = PickleHead::new(packet.facts.size);
        let len = head.as_bytes().len() + packet.payload().len() + TAIL.len();
        self.send_buffer.make_room(self.stream, len)?;
        let counting = self.silence.sends(&packet);
        self.outgoing.put_picture(head.as_bytes(), packet, TAIL, counting);
        Ok(())
    }
}
