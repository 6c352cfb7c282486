//! What the HTTP clients of a camera that wants keys have to show, and what each of them is.

use crate::camera::access::{Channel, PairCommand};
use crate::hex;
use crate::wire::access::key::ShownKey;
use crate::wire::http::credentials::Credentials;
use crate::wire::http::request::{Reader, Request};
use crate::wire::http::site::Site;

/// How long a browser keeps its key. Browsers accept no longer time (RFC 6265bis); each visit begins it anew.
const KEPT_DAYS: u32 = 400;

/// How one connection of a camera that wants keys is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    pub(super) channel: Channel,
    /// The name of the cookie. Browsers send a cookie to all ports of a host, and each may be another camera.
    cookie: String,
    /// What clients are told to type.
    pub(super) pair_command: PairCommand,
}

/// What a client is, as far as that makes a difference for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A browser that shows the answer to a person.
    Page,
    /// A picture or a script in a browser.
    PartOfPage,
    Program,
}

/// What a request says of its client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) kind: Kind,
    pub(super) site: Site,
    /// How it calls the camera.
    pub(super) host: Option<String>,
    /// The keys that it shows and that have not been looked at yet.
    pub(super) keys: Vec<Shown>,
}

/// A key, and whether it came as the camera's cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) key: ShownKey,
    pub(super) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Request,
    Cookie,
}

impl Guard {
    /// The guard of a connection to a camera whose certificate has this hash.
    pub fn new(channel: Channel, pin: [u8; 32]) -> Self {
        let cookie = format!("__Host-lancam-{}", hex::text(&pin[..4]));
        Self { channel, cookie, pair_command: PairCommand::default() }
    }

    /// The same, with this command in what clients are told.
    #[must_use]
    pub fn telling(self, pair_command: PairCommand) -> Self {
        Self { pair_command, ..self }
    }

    /// What a request says of its client. A cookie is passed over that a page of another origin made the browser send.
    pub(super) fn client(&self, request: &Request<'_>) -> Client {
        let fields = request.fields;
        let site = Site::of(fields, request.host);
        let Credentials { authorization, address, cookie } =
            Credentials::of(fields, request.target, &self.cookie);
        let cookie = cookie.filter(|_| site != Site::Foreign);
        let keys =
            [(authorization, Place::Request), (address, Place::Request), (cookie, Place::Cookie)];
        let keys = keys.into_iter().filter_map(|(key, place)| Some(Shown { key: key?, place }));
        let wants = |kind: &[u8]| {
            fields
                .values("accept")
                .any(|it| it.to_ascii_lowercase().windows(kind.len()).any(|part| part == kind))
        };
        let is_browser = fields.values("sec-fetch-site").next().is_some();
        let kind = match request.reader {
            Reader::Window if wants(b"text/html") => Kind::Page,
            Reader::Window => Kind::PartOfPage,
            Reader::Program if is_browser => Kind::PartOfPage,
            Reader::Program => Kind::Program,
        };
        Client { kind, site, host: request.host.map(str::to_owned), keys: keys.rev().collect() }
    }

    /// The header that makes a browser keep this key.
    pub(super) fn set_cookie(&self, key: &str) -> String {
        let (name, seconds) = (&self.cookie, KEPT_DAYS * 24 * 60 * 60);
        format!(
            "Set-Cookie: {name}={key}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Strict"
        )
    }
}
