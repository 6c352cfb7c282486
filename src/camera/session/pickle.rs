//! A session with the tutorial's client: it says nothing, and is sent pickled pictures.

use super::outgoing::{Outgoing, Progress};
use super::waiter::Waiter;
use super::{Camera, STALLED, SessionEnd, is_not_yet};
use crate::camera::metrics::Transport;
use crate::camera::renditions::wish::Wish;
use crate::camera::update::Update;
use crate::latest::{Newest, Reader};
use crate::net::socket::SendBuffer;
use crate::wire::pickle::head::{PickleHead, TAIL};
use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Instant;

/// Serves a silent viewer what `wish` says. It cannot be told why there is no picture: it waits.
pub(super) fn serve(stream: &TcpStream, wish: Wish, camera: &Camera) -> io::Result<SessionEnd> {
    let Some(_seat) = camera.seats.take() else {
        return Ok(SessionEnd::Refused("all places for viewers are taken".into()));
    };
    let metrics = camera.renditions.metrics();
    let _viewer = metrics.viewer(Transport::Pickle);
    let watching = camera.renditions.watch(wish);
    let mut reader = watching.reader();
    let mut send_buffer = SendBuffer::for_accepted(stream)?;
    let waiter = Waiter::new(stream, &camera.stop)?;
    waiter.listen_to(&mut reader)?;
    let mut outgoing = Outgoing::counted(metrics, Transport::Pickle);
    let mut last_progress = Instant::now();
    loop {
        if outgoing.is_empty() && take_newest(&mut reader, &mut outgoing, &mut send_buffer, stream)?
        {
            return Ok(SessionEnd::Stopping);
        }
        if !outgoing.is_empty() {
            match outgoing.write_to(stream)? {
                // Nothing tells that it has arrived; the next frame follows when it has left.
                Progress::Done => {
                    last_progress = Instant::now();
                    continue;
                }
                Progress::Partly { bytes: 0 } => {}
                Progress::Partly { .. } => last_progress = Instant::now(),
            }
        }
        let deadline = (!outgoing.is_empty()).then(|| last_progress + STALLED);
        let happened = waiter.wait(deadline)?;
        if happened.stop {
            return Ok(SessionEnd::Stopping);
        }
        if happened.readable && has_closed(stream)? {
            return Ok(SessionEnd::ViewerLeft);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
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

/// Passes over whatever the viewer says, until nothing is left; `true` when it has closed its end.
fn has_closed(mut stream: &TcpStream) -> io::Result<bool> {
    let mut sink = [0; 512];
    loop {
        match stream.read(&mut sink) {
            Ok(0) => return Ok(true),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if is_not_yet(&error) => {}
            Err(error) => return Err(error),
        }
    }
}
