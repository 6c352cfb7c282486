//! The session of one viewer: recognises its protocol, then runs that until one side ends it.
//!
//! A protocol is a [`machine`] of bytes and times. The [`link`] runs it; the camera is behind its
//! [`surroundings`].

pub(super) mod farewell;
pub mod http;
mod input_limit;
pub mod link;
pub mod machine;
pub mod native;
pub mod notice;
pub mod opening;
pub mod pairing;
pub mod pickle;
pub mod protocol;
mod silence;
pub mod surroundings;
mod view;
mod viewing;

use super::access::Channel;
use super::connection_log::LogEntry;
use super::connections::Connection;
use super::context::Camera;
use super::metrics::Transport;
use super::session_end::{GREETING_TIMEOUT, SessionEnd};
use crate::clock;
use http::{Guard, Http};
use link::kernel::Kernel;
use link::sealed::Sealed;
use link::tcp::Tcp;
use link::waiter::Waiter;
use machine::Machine;
use native::Native;
use opening::{Opened, Opening};
use pairing::Pairing;
use pickle::Pickle;
use protocol::Protocol;
use std::io;
use std::rc::Rc;
use viewing::Viewing;

/// Serves one viewer until its session ends.
pub fn run(connection: &Connection, camera: &Camera, entry: &LogEntry) -> SessionEnd {
    let end = match serve(connection, camera, entry) {
        _ if connection.was_let_go() => SessionEnd::MadeRoom,
        Ok(end) => end,
        Err(error) => error.into(),
    };
    if let Some(why) = end.refused() {
        camera.metrics.refused(why);
    }
    end
}

fn serve(connection: &Connection, camera: &Camera, entry: &LogEntry) -> io::Result<SessionEnd> {
    let came_at = clock::now();
    let deadline = came_at.after(GREETING_TIMEOUT);
    let stream = connection.stream();
    let Opened { opening, mut secured } = opening::open(connection, camera)?;
    let protocol = match opening {
        Opening::Native(_) | Opening::Pairing(_) => Protocol::Native,
        Opening::Http(_) => Protocol::Http,
        Opening::Silent => Protocol::Open,
        Opening::Over(end) => return Ok(end),
    };
    let waiter = match Waiter::new(stream, &camera.stop) {
        Ok(waiter) => Rc::new(waiter),
        Err(error) => {
            return Ok(farewell::no_descriptors(stream, secured.as_mut(), protocol, &error));
        }
    };
    let channel = if secured.is_some() { Channel::Tls } else { Channel::Plain };
    let mut kernel = Tcp::new(stream, &waiter, &camera.stop)?;
    let (own, name) = (camera.roster.own(), &camera.name);
    let (mut native, mut pairing, mut http, mut pickle);
    let (machine, transport): (&mut dyn Machine, _) = match &opening {
        Opening::Native(_) => {
            native = Native::new(name, &camera.id, own, deadline);
            kernel.make_room(native::FIRST_ROOM)?;
            (&mut native, Transport::Native)
        }
        Opening::Pairing(_) => {
            pairing = Pairing::new(name, &camera.id, deadline);
            (&mut pairing, Transport::Native)
        }
        Opening::Http(_) => {
            http = Http::new(name, &camera.http, own, deadline, came_at);
            if let Some(access) = &camera.access {
                http =
                    http.guarded(Guard::new(channel, access.pin()).telling(access.pair_command()));
            }
            (&mut http, Transport::Http)
        }
        Opening::Silent | Opening::Over(_) => {
            pickle = Pickle::new(camera.tutorial.unwrap_or(own), clock::now());
            (&mut pickle, Transport::Pickle)
        }
    };
    if let Opening::Native(first) | Opening::Pairing(first) | Opening::Http(first) = &opening {
        machine.received(first, clock::now());
    }
    let mut viewing = Viewing::new(camera, connection, entry, transport, channel, &waiter);
    let Some(secured) = secured else { return link::run(machine, &mut kernel, &mut viewing) };
    let mut sealed = Sealed::new(kernel, secured);
    let end = link::run(machine, &mut sealed, &mut viewing)?;
    // Without it, a client that knows no length could not tell the end from a broken connection.
    sealed.bid_farewell();
    Ok(end)
}
