//! What has been sealed for a viewer and has not left: whole records, in the session's one buffer.

use crate::net::tls::records::{Gather, MOST_CONTENT, carried_len, sealed_len};
use crate::net::tls::traffic::{Traffic, TrafficError};
use std::io::{self, IoSlice};

/// How much of a frame is sealed at once. A longer frame is sealed in pieces, so that no session needs much more memory.
const MOST_AT_ONCE: usize = 64 * MOST_CONTENT;

/// Sealed bytes on their way to the socket. What has been sealed must be sent, and in this order.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    records: Vec<u8>,
    sent: usize,
    batch: Batch,
}

/// Bytes of the protocol that were sealed together.
#[derive(Debug, Clone, Copy, Default)]
struct Batch {
    /// Where its records begin; records of TLS itself are before it and behind it.
    start: usize,
    end: usize,
    /// How many bytes of the protocol it carries.
    carries: usize,
    /// How many of them have been reported as taken.
    reported: usize,
}

impl Sealing {
    /// Whether everything has been sent.
    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.records.len()
    }

    /// How many sealed bytes have not been sent.
    pub(super) fn waiting(&self) -> usize {
        self.records.len() - self.sent
    }

    /// How many bytes of the protocol have been sealed and not reported as taken.
    pub(super) fn ahead(&self) -> usize {
        self.batch.carries - self.batch.reported
    }

    /// Seals as much as fits into a batch. Only when everything has been sent.
    pub(super) fn seal(
        &mut self,
        from: &mut Gather<'_>,
        traffic: &mut Traffic,
    ) -> Result<(), TrafficError> {
        debug_assert!(self.is_empty() && self.ahead() == 0);
        self.records.clear();
        self.sent = 0;
        traffic.prepare(&mut self.records)?;
        let carries = from.len().min(MOST_AT_ONCE);
        let needed = self.records.len() + sealed_len(carries);
        if self.records.capacity() < needed {
            // A quarter more, so that slowly growing frames do not need new memory each time.
            self.records.reserve_exact(needed + needed / 4);
        }
        let start = self.records.len();
        for _ in 0..carries.div_ceil(MOST_CONTENT) {
            traffic.seal(from, &mut self.records)?;
        }
        self.batch = Batch { start, end: self.records.len(), carries, reported: 0 };
        Ok(())
    }

    /// Puts records of TLS itself behind the rest.
    pub(super) fn add(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), TrafficError>,
    ) -> Result<(), TrafficError> {
        if self.is_empty() && self.ahead() == 0 {
            self.records.clear();
            (self.sent, self.batch) = (0, Batch::default());
        }
        write(&mut self.records)
    }

    /// Hands everything to `send`, which returns how many bytes it took.
    pub(super) fn send_with(
        &mut self,
        send: impl FnOnce(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<()> {
        self.sent += send(&[IoSlice::new(&self.records[self.sent..])])?;
        Ok(())
    }

    /// How many more bytes of the protocol count as taken since the last call. The last one counts only when its record
    /// has left entirely.
    pub(super) fn report(&mut self) -> usize {
        let Batch { start, end, carries, reported } = self.batch;
        let taken = if self.sent >= end {
            carries
        } else {
            carried_len(self.sent.saturating_sub(start)).min(carries.saturating_sub(1))
        };
        self.batch.reported = taken;
        taken - reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported_grows_with_each_byte_and_is_all_only_at_the_end() {
        for carries in [1, 2, 100, MOST_CONTENT, MOST_CONTENT + 1, 3 * MOST_CONTENT + 7] {
            let end = 30 + sealed_len(carries);
            let batch = Batch { start: 30, end, carries, reported: 0 };
            let mut sealing = Sealing { records: vec![0; end + 24], sent: 0, batch };
            let mut reported = 0;
            while !sealing.is_empty() {
                assert_eq!(reported == carries, sealing.sent >= end, "{carries}");
                assert_eq!(sealing.ahead(), carries - reported);
                sealing.send_with(|_| Ok(1)).expect("it takes one");
                reported += sealing.report();
            }
            assert_eq!(reported, carries);
            assert_eq!(sealing.report(), 0, "nothing is reported twice");
        }
    }
}
