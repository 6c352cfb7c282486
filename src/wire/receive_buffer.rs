//! A buffer for bytes that have arrived and are not parsed yet.

/// Collects received bytes for a decoder, which takes whole messages off the front.
///
/// The buffer grows with the bytes that arrive, never by a length field. Nothing is moved while the
/// buffer holds only one message.
#[derive(Debug, Default)]
pub(crate) struct ReceiveBuffer {
    bytes: Vec<u8>,
    /// How many bytes of it are filled.
    filled: usize,
    /// How many of those were taken.
    taken: usize,
}

/// The least room offered for receiving.
const MIN_SPACE: usize = 4 << 10;

impl ReceiveBuffer {
    /// Room for more bytes; never empty. The aim is `wanted` bytes after those that were taken.
    pub(crate) fn space(&mut self, wanted: usize) -> &mut [u8] {
        if self.taken > 0 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        let room = if wanted > self.filled {
            // At most twice what has arrived: a stranger gets memory only for bytes that he sends.
            wanted.min(2 * self.filled + MIN_SPACE)
        } else {
            self.filled + MIN_SPACE
        };
        if self.bytes.len() < room {
            self.bytes.reserve_exact(room - self.bytes.len());
            self.bytes.resize(room, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// Notes that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub(crate) fn filled(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.bytes.len(), "more bytes than there was space for");
    }

    /// Appends bytes that were received elsewhere.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = self.space(self.waiting().len() + bytes.len());
            let count = bytes.len().min(space.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.filled(count);
            bytes = &bytes[count..];
        }
    }

    /// The bytes that have arrived and were not taken.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.taken..self.filled]
    }

    /// Takes the first `count` of the [`waiting`](Self::waiting) bytes.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let start = self.taken;
        self.taken += count;
        &self.bytes[start..self.taken]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: with few bytes missing there was room for some thousands. So wherever a message was cut
    /// a little later than all before it, the buffer grew.
    #[test]
    fn messages_of_one_length_need_no_more_memory_wherever_they_are_cut() {
        const MESSAGE: usize = 100_000;
        let mut buffer = ReceiveBuffer::default();
        for missing in [5000, 900, 30, 1] {
            for end in [MESSAGE - missing, MESSAGE] {
                while buffer.waiting().len() < end {
                    let space = buffer.space(MESSAGE).len();
                    buffer.filled(space.min(end - buffer.waiting().len()));
                }
            }
            assert_eq!(buffer.take(MESSAGE).len(), MESSAGE);
            assert_eq!(buffer.bytes.capacity(), MESSAGE, "{missing} bytes were missing");
        }
    }

    #[test]
    fn memory_follows_what_arrives_and_not_what_is_wanted() {
        let mut buffer = ReceiveBuffer::default();
        let mut arrived = 0;
        while arrived < 1 << 20 {
            let space = buffer.space(usize::MAX).len();
            assert!((MIN_SPACE..=arrived + MIN_SPACE).contains(&space), "{space} after {arrived}");
            assert!(buffer.bytes.capacity() <= 2 * arrived + MIN_SPACE);
            buffer.filled(1000);
            arrived += 1000;
        }
    }

    #[test]
    fn what_was_not_taken_stays_in_order() {
        let mut buffer = ReceiveBuffer::default();
        buffer.space(0)[..5].copy_from_slice(b"abcde");
        buffer.filled(5);
        assert_eq!(buffer.take(2), b"ab");
        buffer.space(0)[..1].copy_from_slice(b"f");
        buffer.filled(1);
        assert_eq!(buffer.waiting(), b"cdef");
    }
}
