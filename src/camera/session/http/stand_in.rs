//! A size or quality that is one too many is a wish: over HTTP the nearest one that is made stands in for it.
//!
//! It does so until the client leaves: programs that record take pictures of one size.

/// How often a client was given another wish than its own.
#[derive(Debug, Default)]
pub(super) struct StandIns(usize);

/// What stands in may be gone before it is asked for, when others come and go at the same time.
const MOST: usize = 8;

impl StandIns {
    /// Whether to try one more.
    pub(super) fn may_be_asked_for(&mut self) -> bool {
        self.0 += 1;
        self.0 <= MOST
    }
}
