//! Reads the greeting of a native viewer, or says why the viewer is refused.

use crate::camera::access::NotAdmitted;
use crate::plain::printable;
use crate::wire::access::key::ShownKey;
use crate::wire::native::WireError;
use crate::wire::native::credit::Credit;
use crate::wire::native::decoder::Decoder;
use crate::wire::native::message::{GoodbyeReason, Message, Wishes};
use crate::wire::native::version::{NoCommonVersion, common_version};

/// What a viewer's greeting says.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) version: u8,
    pub(super) credit: Credit,
    pub(super) wishes: Wishes,
    /// The key that it shows.
    pub(super) key: ShownKey,
}

/// Why a viewer cannot be served.
pub(super) struct Refusal {
    pub(super) reason: GoodbyeReason,
    pub(super) text: String,
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self { reason: GoodbyeReason::BadMessage, text: error.to_string() }
    }
}

impl From<NoCommonVersion> for Refusal {
    fn from(error: NoCommonVersion) -> Self {
        Self { reason: GoodbyeReason::Version, text: error.to_string() }
    }
}

impl From<NotAdmitted> for Refusal {
    fn from(why: NotAdmitted) -> Self {
        let reason = match why {
            NotAdmitted::NoKey(_) | NotAdmitted::Unknown => GoodbyeReason::NoKey,
            NotAdmitted::TlsWanted | NotAdmitted::TlsOnly(_) => GoodbyeReason::TlsWanted,
        };
        Self { reason, text: why.to_string() }
    }
}

/// The viewer's greeting; `None` until it is complete.
pub(super) fn greeting(decoder: &mut Decoder) -> Result<Option<Greeting>, Refusal> {
    let Some(message) = decoder.next_message()? else { return Ok(None) };
    let Message::Hello { min_version, max_version, credit, wishes, program, key } = message else {
        let text = "the first message of a viewer must be its greeting".into();
        return Err(Refusal { reason: GoodbyeReason::BadMessage, text });
    };
    log::debug!("viewer is {}", printable(program));
    let version = common_version(min_version, max_version)?;
    let (credit, key) = (Credit::new(credit), ShownKey(key.0.to_owned()));
    Ok(Some(Greeting { version, credit, wishes, key }))
}
