//! HTTP as browsers, printers' software and recorders speak it: requests in any chopping, heads, parts of a stream.

pub mod host;
pub mod multipart;
pub mod request;
pub mod resource;
pub mod response;
pub mod status;

use status::Status;

/// Why a request gets no more than an answer that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub status: Status,
    /// For people: what was found, what is expected. One line.
    pub text: String,
}

impl Refusal {
    /// A refusal that reads `text`.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}
