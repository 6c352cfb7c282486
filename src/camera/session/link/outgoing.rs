//! What is being sent to one viewer: small messages and at most one frame, in one `writev`.

use crate::image::frame::Micros;
use crate::wire::packet::Packet;
use std::io::IoSlice;
use std::sync::Arc;

/// The most bytes that a protocol puts before a frame.
const MAX_PREFIX: usize = 256;

/// Bytes to send, in this order: messages, a frame's prefix, its payload, its suffix.
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

/// How a picture is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// As a frame of the camera, sent for the first time.
    Frame,
    /// Not at all: it was sent before, or says why there is no picture.
    Filling,
}

/// Which bytes count as progress. A viewer that makes none is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    /// Those of frames: a viewer that takes only other messages shows no picture.
    Frames,
    /// All of them: they are the answer that the client waits for.
    Everything,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Whether the kernel took bytes that count as progress.
    pub owed: bool,
    /// What has been sent completely, if nothing is left.
    pub left: Option<Left>,
}

/// Everything has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// How many bytes, including messages.
    pub bytes: usize,
    /// When the frame among them was captured, if there was one that counts.
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

    /// Where to write small messages, which leave before the next frame; `None` while a write is
    /// half done or a frame waits.
    pub fn messages(&mut self) -> Option<&mut Vec<u8>> {
        (self.sent == 0 && self.frame.is_none()).then_some(&mut self.messages)
    }

    /// Marks what is to be sent as an answer: all of it counts as progress.
    pub fn is_an_answer(&mut self) {
        self.owed = Owed::Everything;
    }

    /// Puts a picture after the messages. Allowed only while no other is being sent.
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

    /// Notes frames that are not sent.
    pub fn note_skipped(&mut self, frames: u64) {
        self.skipped += frames;
    }

    /// How many frames were noted since the last call.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// How many bytes the picture needs, with prefix and suffix, if it has not begun to leave;
    /// otherwise 0.
    pub(super) fn room_needed(&self) -> usize {
        match &self.frame {
            Some(packet) if self.sent == 0 => {
                self.prefix_len + packet.payload().len() + self.suffix.len()
            }
            _ => 0,
        }
    }

    /// Hands everything that is left to `send`, which returns how many bytes were taken.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::pixels::Size;
    use crate::wire::packet::{Codec, FrameFacts, PacketPool};
    use std::convert::Infallible;

    fn frame() -> Arc<Packet> {
        let (codec, size) = (Codec::Jpeg, Size::new(8, 8));
        let facts = FrameFacts { sequence: 1, captured_at: Micros(1), codec, size };
        let mut packet = PacketPool::default().take(facts);
        PacketPool::open(&mut packet).storage(10);
        PacketPool::open(&mut packet).set_len(10);
        packet
    }

    /// Whether a viewer that takes this many bytes makes progress.
    fn is_progress(out: &mut Outgoing, count: usize) -> bool {
        let Ok(taken) = out.send_with(|_| Ok::<_, Infallible>(count));
        taken.owed
    }

    #[test]
    fn only_bytes_of_frames_and_of_asked_answers_are_progress() {
        let mut out = Outgoing::default();
        out.messages().expect("nothing is sent").extend([0; 1000]);
        out.put(&[0; 5], frame(), &[], Counting::Frame);
        assert!(!is_progress(&mut out, 999) && !is_progress(&mut out, 1), "messages");
        assert!(is_progress(&mut out, 1) && is_progress(&mut out, 14), "the frame");
        assert!(out.is_empty());
        out.messages().expect("nothing is sent").extend([0; 1000]);
        assert!(!is_progress(&mut out, 1000), "answers to a viewer");
        out.messages().expect("nothing is sent").extend([0; 1000]);
        out.is_an_answer();
        assert!(is_progress(&mut out, 1) && is_progress(&mut out, 999), "what a client waits for");
        out.messages().expect("nothing is sent").extend([0; 10]);
        assert!(!is_progress(&mut out, 10), "the next messages are not an answer");
    }
}
