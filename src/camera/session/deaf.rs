//! Ignores what a viewer sends that only has to receive, up to a limit.

/// How many bytes such a viewer may send.
const MOST: usize = 1 << 20;

/// Counts the bytes that the viewer has sent.
#[derive(Debug, Default)]
pub(super) struct Deaf {
    heard: usize,
}

/// The viewer has sent more than the limit.
#[derive(Debug, thiserror::Error)]
#[error("the viewer sent more than {} kB, though it only gets pictures", MOST / 1000)]
pub(super) struct Talkative;

impl Deaf {
    /// How many more bytes to receive: at least one, so that exceeding the limit is noticed.
    pub(super) fn room(&self) -> usize {
        (MOST + 1).saturating_sub(self.heard)
    }

    pub(super) fn received(&mut self, count: usize) {
        self.heard += count;
    }

    /// # Errors
    /// When the viewer has sent more than the limit.
    pub(super) fn check(&self) -> Result<(), Talkative> {
        if self.heard > MOST { Err(Talkative) } else { Ok(()) }
    }
}
