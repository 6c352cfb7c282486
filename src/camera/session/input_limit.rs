//! Ignores what a viewer sends that only has to receive, up to a limit.

/// How many bytes such a viewer may send.
const MOST: usize = 1 << 20;

/// Counts the bytes that the viewer has sent.
#[derive(Debug, Default)]
pub(super) struct InputLimit {
    received: usize,
}

/// The viewer has sent more than the limit.
#[derive(Debug, thiserror::Error)]
#[error("the viewer sent more than {} kB, though it only gets pictures", MOST / 1000)]
pub(super) struct TooMuchInput;

impl InputLimit {
    /// How many more bytes to receive: at least one, so that exceeding the limit is noticed.
    pub(super) fn room(&self) -> usize {
        (MOST + 1).saturating_sub(self.received)
    }

    pub(super) fn received(&mut self, count: usize) {
        self.received += count;
    }

    /// # Errors
    /// When the viewer has sent more than the limit.
    pub(super) fn check(&self) -> Result<(), TooMuchInput> {
        if self.received > MOST { Err(TooMuchInput) } else { Ok(()) }
    }
}
