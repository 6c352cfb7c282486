//! HTTP as browsers, printer software and recorders use it: requests in reads of any length, heads,
//! parts of a stream.

pub mod browser;
#[cfg(feature = "camera")]
pub mod credentials;
pub mod fields;
pub mod form;
pub mod host;
pub mod multipart;
pub mod request;
pub mod resource;
pub mod response;
pub mod site;
pub mod status;

use status::Status;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For programs.
    pub status: Status,
    /// For people, in one line: what was found, what is expected.
    pub text: String,
}

impl Refusal {
    /// A refusal with this text.
    pub fn new(status: Status, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }
}
