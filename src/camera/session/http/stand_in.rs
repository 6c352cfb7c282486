//! When a client wishes for one form too many, HTTP sends it the nearest form that is being encoded
//! instead.
//!
//! The client keeps that form until it leaves: programs that record need pictures of one size.

use crate::camera::session::machine::{Next, Order};
use crate::camera::update::StatusText;
use crate::wire::ladder::Lowest;
use crate::wire::native::message::StatusCode;

/// How often a client was given another wish than its own.
#[derive(Debug, Default)]
pub(super) struct StandIns(usize);

/// How often to try. The form that stands in may end before it is subscribed to, when viewers come
/// and go at the same time.
const MOST: usize = 8;

impl StandIns {
    /// What to do at this status, if it says that the client's form is one too many.
    pub(super) fn instead(&mut self, status: &StatusText) -> Option<Next> {
        if status.code != StatusCode::Full || self.0 >= MOST {
            return None;
        }
        self.0 += 1;
        Some(Next::Order(Order::StandIn(Lowest::Quality40)))
    }
}
