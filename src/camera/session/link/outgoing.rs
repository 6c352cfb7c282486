//! What is on its way to one viewer: small messages and at most one frame, in one `writev`.

use crate::image::frame::Micros;
use crate::wire::packet::Packet;
use std::io::IoSlice;
use std::sync::Arc;

/// The most bytes a protocol puts before a frame.
const MAX_PREFIX: usize = 256;

/// Bytes that are to be sent, in this order: messages, a frame's prefix, its payload, its suffix.
#[derive(Debug)]
pub struct Outgoing {
    messages: Vec<u8>,
    prefix: [u8; MAX_PREFIX],
    prefix_len: usize,
    frame: Option<Arc<Packet>>,
    suffix: &'static [u8],
    sent: usize,
    counting: Counting,
    owed: Owed,
    skipped: u64,
}

/// What a picture counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// A frame of the camera's, sent for the first time.
    Frame,
    /// Nothing: it was sent before, or says why there is none.
    Filling,
}

/// Which bytes a viewer has to take, or it is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// Those of frames: whoever takes other messages alone sees no picture.
    Frames,
    /// All: the answer is what it waits for.
    Everything,
}

/// What came of bytes that the kernel has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether some of them were owed.
    pub owed: bool,
    /// What has left with the last of them, if nothing is left.
    pub left: Option<Left>,
}

/// Everything has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// All bytes, those of messages too.
    pub bytes: usize,
    /// When the frame among them was taken, if there was one that counts.
    pub frame: Option<Micros>,
}

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            messages: Vec::with_capacity(1024),
            prefix: [0; MAX_PREFIX],
            prefix_len: 0,
            frame: None,
            suffix: &[],
            sent: 0,
            counting: Counting::Frame,
            owed: Owed::Frames,
            skipped: 0,
        }
    }
}

impl Outgoing {
    /// Whether everything has been sent.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.frame.is_none()
    }

    /// Where small messages are written, to leave before the next frame; `None` while a write is half done.
    pub fn messages(&mut self) -> Option<&mut Vec<u8>> {
        (self.sent == 0 && self.frame.is_none()).then_some(&mut self.messages)
    }

    /// What is to be sent is an answer: the viewer has to take all of it.
    pub fn is_an_answer(&mut self) {
        self.owed = Owed::Everything;
    }

    /// Puts a picture behind the messages. Only when no other is on its way.
    pub fn put(
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

    /// Takes note of frames that are not sent.
    pub fn note_skipped(&mut self, frames: u64) {
        self.skipped += frames;
    }

    /// Those that were noted since this was asked last.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// The bytes of the picture that has not begun to leave, with all that goes along; 0 when there is none.
    pub(super) fn room_needed(&self) -> usize {
        match &self.frame {
            Some(packet) if self.sent == 0 => {
                self.prefix_len + packet.payload().len() + self.suffix.len()
            }
            _ => 0,
        }
    }

    /// Hands all that is left to `send`, which returns how much of it was taken.
    ///
    /// # Errors
    /// Those of `send`.
    pub fn send_with<E>(
        &mut self,
        send: impl FnOnce(&[IoSlice<'_>]) -> Result<usize, E>,
    ) -> Result<Taken, E> {
        let (payload, prefix, suffix): (&[u8], &[u8], &[u8]) = match &self.frame {
            Some(packet) => (packet.payload(), &self.prefix[..self.prefix_len], self.suffix),
            None => (&[], &[], &[]),
        };
        let mut parts = [&self.messages[..], prefix, payload, suffix].map(IoSlice::new);
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let mut rest = &mut parts[..];
        IoSlice::advance_slices(&mut rest, self.sent);
        let count = send(rest)?;
        let of_messages = match self.owed {
            Owed::Frames => self.messages.len().saturating_sub(self.sent),
            Owed::Everything => 0,
        };
        self.sent += count;
        Ok(Taken {
            owed: count > of_messages,
            left: (self.sent == total).then(|| self.clear(total)),
        })
    }

    fn clear(&mut self, bytes: usize) -> Left {
        let frame = self.frame.take().filter(|_| self.counting == Counting::Frame);
        self.messages.clear();
        self.sent = 0;
        self.owed = Owed::Frames;
        Left { bytes, frame: frame.map(|packet| packet.facts.captured_at) }
    }
}
