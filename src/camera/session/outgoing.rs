//! What is on its way to one viewer: small messages and at most one frame, in one `writev`.

use crate::camera::metrics::{Metrics, Transport};
use crate::source::clock;
use crate::wire::packet::Packet;
use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// The most bytes a protocol puts before a frame.
const MAX_PREFIX: usize = 256;

/// Bytes that are to be sent, in this order: messages, a frame's prefix, its payload, its suffix.
#[derive(Debug)]
pub(super) struct Outgoing {
    messages: Vec<u8>,
    prefix: [u8; MAX_PREFIX],
    prefix_len: usize,
    frame: Option<Arc<Packet>>,
    suffix: &'static [u8],
    sent: usize,
    counting: Counting,
    counted: Option<(Arc<Metrics>, Transport)>,
}

/// What a picture counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// A frame of the camera's, sent for the first time.
    Frame,
    /// Nothing: it was sent before, or says why there is none.
    Filling,
}

/// How far a write came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Bytes that are with the kernel now.
    pub(super) bytes: usize,
    /// Those of them that belong to a frame.
    pub(super) of_frame: usize,
    /// What is left.
    pub(super) rest: Rest,
}

/// What a write has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// More than the kernel had room for; the socket will say when it has.
    Some,
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            messages: Vec::with_capacity(1024),
            prefix: [0; MAX_PREFIX],
            prefix_len: 0,
            frame: None,
            suffix: &[],
            sent: 0,
            counting: Counting::Frame,
            counted: None,
        }
    }

    /// The same; what is sent is counted.
    pub(super) fn counted(metrics: &Arc<Metrics>, transport: Transport) -> Self {
        Self { counted: Some((Arc::clone(metrics), transport)), ..Self::new() }
    }

    /// Takes note of frames that came while this viewer was not ready for them.
    pub(super) fn note_skipped(&self, frames: u64) {
        if let Some((metrics, transport)) = &self.counted {
            metrics.skipped(*transport, frames);
        }
    }

    /// Whether everything has been sent.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.frame.is_none()
    }

    /// Where small messages are written, to leave before the next frame; `None` while a write is half done.
    pub(super) fn messages(&mut self) -> Option<&mut Vec<u8>> {
        (self.sent == 0 && self.frame.is_none()).then_some(&mut self.messages)
    }

    /// Puts a frame behind the messages. Only when no other frame is on its way.
    pub(super) fn put_frame(&mut self, prefix: &[u8], packet: Arc<Packet>, suffix: &'static [u8]) {
        self.put_picture(prefix, packet, suffix, Counting::Frame);
    }

    /// The same, for what may be no frame.
    pub(super) fn put_picture(
        &mut self,
        prefix: &[u8],
        packet: Arc<Packet>,
        suffix: &'static [u8],
        counting: Counting,
    ) {
        debug_assert!(self.frame.is_none() && self.sent == 0);
        self.prefix[..prefix.len()].copy_from_slice(prefix);
        self.prefix_len = prefix.len();
        self.frame = Some(packet);
        self.suffix = suffix;
        self.counting = counting;
    }

    /// One `writev` of all that is left.
    pub(super) fn write_to(&mut self, mut stream: &TcpStream) -> io::Result<Written> {
        let (payload, prefix, suffix): (&[u8], &[u8], &[u8]) = match &self.frame {
            Some(packet) => (packet.payload(), &self.prefix[..self.prefix_len], self.suffix),
            None => (&[], &[], &[]),
        };
        let mut parts = [&self.messages[..], prefix, payload, suffix].map(IoSlice::new);
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let mut left = &mut parts[..];
        IoSlice::advance_slices(&mut left, self.sent);
        let written = match stream.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => count,
            Err(error) if super::is_not_yet(&error) => 0,
            Err(error) => return Err(error),
        };
        let of_messages = self.messages.len().saturating_sub(self.sent);
        let of_frame = written.saturating_sub(of_messages);
        self.sent += written;
        if self.sent < total {
            return Ok(Written { bytes: written, of_frame, rest: Rest::Some });
        }
        if let (Some(packet), Some((metrics, transport))) = (&self.frame, &self.counted)
            && self.counting == Counting::Frame
        {
            metrics.sent(*transport, total, clock::now().since(packet.facts.captured_at));
        }
        self.messages.clear();
        self.frame = None;
        self.sent = 0;
        Ok(Written { bytes: written, of_frame, rest: Rest::Nothing })
    }
}
