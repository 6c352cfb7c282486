//! Sees what the link sends to a native viewer, before it is sealed: bytes of frames are progress, other messages are not.

use super::world::World;
use lancam::camera::session::link::kernel::{Happened, Kernel};
use lancam::image::frame::Micros;
use lancam::net::socket::{Held, Path};
use lancam::wire::native::MAX_PAYLOAD;
use lancam::wire::native::header::Header;
use lancam::wire::native::message::MessageKind;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::time::Duration;

/// A kernel of a world, and the message that is being sent through it.
pub(super) struct Seen<'a, K> {
    kernel: K,
    world: Rc<RefCell<World<'a>>>,
    message: Message,
}

impl<'a, K> Seen<'a, K> {
    pub(super) fn new(kernel: K, world: &Rc<RefCell<World<'a>>>) -> Self {
        Self { kernel, world: Rc::clone(world), message: Message::default() }
    }
}

/// A message that is half sent.
#[derive(Debug, Default)]
struct Message {
    is_frame: bool,
    /// How many of its bytes have not been taken.
    left: usize,
}

impl Message {
    /// Notes that `count` bytes of `parts` were taken. Returns whether any of them belongs to a frame.
    fn is_frame_taken(&mut self, parts: &[IoSlice<'_>], mut count: usize) -> bool {
        let offered: Vec<u8> = parts.iter().flat_map(|part| part.iter()).copied().collect();
        let mut rest = &offered[..];
        let mut is_frame_taken = false;
        while count > 0 {
            if self.left == 0 {
                let header = rest.first_chunk().expect("messages are offered whole");
                let header = Header::parse(header, MAX_PAYLOAD).expect("it is the protocol");
                self.is_frame = header.kind == MessageKind::Frame as u8;
                let payload = usize::try_from(header.payload_len).expect("it fits");
                self.left = Header::LEN + payload;
            }
            let taken = count.min(self.left);
            self.left -= taken;
            count -= taken;
            rest = &rest[taken..];
            is_frame_taken |= self.is_frame;
        }
        is_frame_taken
    }
}

impl<K: Kernel> Kernel for Seen<'_, K> {
    fn now(&self) -> Micros {
        self.kernel.now()
    }

    fn receive(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.kernel.receive(into)
    }

    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let count = self.kernel.send(parts)?;
        let world = &mut *self.world.borrow_mut();
        if world.is_native() && self.message.is_frame_taken(parts, count) {
            world.note_debt(true);
        }
        Ok(count)
    }

    fn make_room(&mut self, len: usize) -> io::Result<()> {
        self.kernel.make_room(len)
    }

    fn held(&self) -> io::Result<Held> {
        self.kernel.held()
    }

    fn narrow(&mut self, bytes: usize) -> io::Result<()> {
        self.kernel.narrow(bytes)
    }

    fn widen(&mut self) -> io::Result<()> {
        self.kernel.widen()
    }

    fn path(&self) -> io::Result<Path> {
        self.kernel.path()
    }

    fn close_sending(&mut self) -> io::Result<()> {
        self.kernel.close_sending()
    }

    fn sleep(&mut self, time: Option<Duration>) -> io::Result<Happened> {
        self.kernel.sleep(time)
    }

    fn ignore_stop(&mut self) -> io::Result<()> {
        self.kernel.ignore_stop()
    }
}
