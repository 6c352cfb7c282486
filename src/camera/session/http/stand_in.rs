//! When a client wishes for one form too many, HTTP sends it the nearest form that is being encoded
//! instead.
//!
//! The client keeps that form until it leaves: programs that record need pictures of one size.

/// How often a client was given another wish than its own.
#[derive(Debug, Default)]
pub(super) struct StandIns(usize);

/// How often to try. The form that stands in may end before it is subscribed to, when viewers come
/// and go at the same time.
const MOST: usize = 8;

impl StandIns {
    /// Whether to try once more.
    pub(super) fn may_be_asked_for(&mut self) -> bool {
        self.0 += 1;
        self.0 <= MOST
    }
}
