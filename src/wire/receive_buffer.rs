//! Bytes that have arrived and are not yet understood.

/// Collects received bytes for a decoder, which takes whole messages off the front.
///
/// Memory follows what really arrives, never what a length field claims. Nothing is moved
/// while a message lies alone in the buffer.
#[derive(Debug, Default)]
pub(crate) struct ReceiveBuffer {
    bytes: Vec<u8>,
    /// How much of it holds received bytes.
    filled: usize,
    /// How much of that was taken.
    taken: usize,
}

/// The least room offered for receiving.
const MIN_SPACE: usize = 4 << 10;

impl ReceiveBuffer {
    /// Room for more bytes, never empty: towards `wanted` bytes behind what was taken.
    pub(crate) fn space(&mut self, wanted: usize) -> &mut [u8] {
        if self.taken > 0 {
            self.bytes.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        // At most twice what has arrived: a stranger pays for the memory he gets with bytes.
        let room = wanted.clamp(self.filled + MIN_SPACE, 2 * self.filled + MIN_SPACE);
        if self.bytes.len() < room {
            self.bytes.reserve_exact(room - self.bytes.len());
            self.bytes.resize(room, 0);
        }
        &mut self.bytes[self.filled..]
    }

    /// Says that `count` bytes were received into [`space`](Self::space).
    ///
    /// # Panics
    /// When that is more than there was space for.
    pub(crate) fn filled(&mut self, count: usize) {
        self.filled += count;
        assert!(self.filled <= self.bytes.len(), "more bytes than there was space for");
    }

    /// Puts bytes that were received elsewhere behind the others.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let space = self.space(self.waiting().len() + bytes.len());
            let count = bytes.len().min(space.len());
            space[..count].copy_from_slice(&bytes[..count]);
            self.filled(count);
            bytes = &bytes[count..];
        }
    }

    /// What has arrived and was not taken.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.bytes[self.taken..self.filled]
    }

    /// Takes `count` of the [`waiting`](Self::waiting) bytes off the front.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let start = self.taken;
        self.taken += count;
        &self.bytes[start..self.taken]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
