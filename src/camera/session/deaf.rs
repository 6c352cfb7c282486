//! Viewers that only have to listen: what they say is passed over, as long as it is little.

/// How much such a viewer may say.
const MOST: usize = 1 << 20;

/// How much it has said.
#[derive(Debug, Default)]
pub(super) struct Deaf {
    heard: usize,
}

/// A viewer talks where it should listen.
#[derive(Debug, thiserror::Error)]
#[error("the viewer sent more than {} kB, though it only gets pictures", MOST / 1000)]
pub(super) struct Talkative;

impl Deaf {
    /// How much more may come: always something, so that too much is noticed.
    pub(super) fn room(&self) -> usize {
        (MOST + 1).saturating_sub(self.heard)
    }

    pub(super) fn received(&mut self, count: usize) {
        self.heard += count;
    }

    /// # Errors
    /// When it has said far too much.
    pub(super) fn check(&self) -> Result<(), Talkative> {
        if self.heard > MOST { Err(Talkative) } else { Ok(()) }
    }
}
