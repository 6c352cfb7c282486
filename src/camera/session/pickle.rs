//! A session with the tutorial's client: it says nothing, and is sent pickled pictures.

use super::outgoing::{Outgoing, Rest};
use super::receive::{Deaf, Received};
use super::stall::{STALLED, StallClock};
use super::{Refused, SessionEnd, Viewer};
use crate::camera::metrics::Transport;
use crate::camera::renditions::wish::Wish;
use crate::camera::update::Update;
use crate::latest::{Newest, Reader};
use crate::net::socket::SendBuffer;
use crate::wire::pickle::head::{PickleHead, TAIL};
use std::io;
use std::net::TcpStream;
use std::time::Instant;

/// Serves a silent viewer what `wish` says. It cannot be told why there is no picture: it waits. One that closes its sending
/// side leaves: the tutorial's client never closes only that.
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
    let mut send_buffer = SendBuffer::for_accepted(stream)?;
    waiter.listen_to(&mut reader)?;
    let mut outgoing = Outgoing::counted(metrics, Transport::Pickle);
    let mut stall = StallClock::default();
    let mut deaf = Deaf::default();
    loop {
        if outgoing.is_empty() && take_newest(&mut reader, &mut outgoing, &mut send_buffer, stream)?
        {
            return Ok(SessionEnd::Stopping);
        }
        if !outgoing.is_empty() {
            let written = outgoing.write_to(stream)?;
            if written.of_frame > 0 {
                stall.progressed(Instant::now());
            }
            // Nothing tells that it has arrived; the next frame follows when it has left.
            if written.rest == Rest::Nothing {
                continue;
            }
        }
        stall.owes(!outgoing.is_empty(), Instant::now());
        let happened = waiter.wait(stall.deadline())?;
        if happened.stop {
            return Ok(SessionEnd::Stopping);
        }
        if happened.readable {
            match deaf.receive(stream, waiter)? {
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

/// Puts the newest frame on its way, if there is one; `true` when none will ever come again.
fn take_newest(
    reader: &mut Reader<Update>,
    outgoing: &mut Outgoing,
    send_buffer: &mut SendBuffer,
    stream: &TcpStream,
) -> io::Result<bool> {
    loop {
        match reader.newest() {
            Newest::Fresh { value: Update::Frame { packet, .. }, skipped } => {
                outgoing.note_skipped(skipped);
                let head = PickleHead::new(packet.facts.size);
                let len = head.as_bytes().len() + packet.payload().len() + TAIL.len();
                send_buffer.make_room(stream, len)?;
                outgoing.put_frame(head.as_bytes(), packet, TAIL);
                return Ok(false);
            }
            // The bell rings only after everything there is has been looked at.
            Newest::Fresh { .. } => {}
            Newest::NotYet => return Ok(false),
            Newest::Closed => return Ok(true),
        }
    }
}
