//! What a request asks for, and how to answer it.

use crate::camera::context::HttpRules;
use crate::wire::http::Refusal;
use crate::wire::http::host;
use crate::wire::http::multipart::Heads;
use crate::wire::http::request::{Afterwards, Method, Request, Version};
use crate::wire::http::resource::Resource;
use crate::wire::http::response::Status;

/// What a client has asked for, and how to answer it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) resource: Result<Resource, Refusal>,
    pub(super) version: Version,
    pub(super) afterwards: Afterwards,
    /// How the parts of a stream begin.
    pub(super) heads: Heads,
    /// The origin whose pages may read the answer.
    pub(super) allow_origin: Option<String>,
}

impl Asked {
    /// What `request` asks for under these rules.
    pub(super) fn of(request: &Request<'_>, rules: &HttpRules) -> Self {
        let origin = match request.origin {
            _ if rules.origins.iter().any(|allowed| allowed == "*") => Some("*".to_owned()),
            Some(origin) => rules.origins.iter().find(|allowed| *allowed == origin).cloned(),
            None => None,
        };
        let resource = match request.host {
            Some(host) if !host::is_ours(host, &rules.names) => Err(foreign_host(host)),
            _ if request.method == Method::Other => {
                let text = "the method must be GET, HEAD or OPTIONS";
                Err(Refusal::new(Status::METHOD_NOT_ALLOWED, text))
            }
            // The answer is the same for every resource.
            _ if request.method == Method::Options => Ok(Resource::Page),
            _ => Resource::parse(request.target),
        };
        let is_foreign = matches!(&resource, Err(refusal) if refusal.status == Status::MISDIRECTED);
        // The body of a request with another method was not read. Closing after a foreign host puts
        // it into the log.
        let closes = request.method == Method::Other || is_foreign;
        Self {
            method: request.method,
            resource,
            version: request.version,
            afterwards: if closes { Afterwards::Close } else { request.afterwards },
            heads: Heads::for_client(request.user_agent, request.reader),
            allow_origin: origin,
        }
    }

    /// A request that was refused before it could be parsed.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self {
            method: Method::Get,
            resource: Err(refusal),
            version: Version::Http11,
            afterwards: Afterwards::Close,
            heads: Heads::Exact,
            allow_origin: None,
        }
    }
}

/// The refusal for a foreign host. A page of that name elsewhere may have pointed its name at this
/// address (DNS rebinding), so it learns nothing that it did not know.
fn foreign_host(host: &str) -> Refusal {
    let text = match host::name_in(host) {
        Some(name) => format!(
            "this camera does not answer to the name {name}. Use its IP address or its name in .local, \
             or start lancam with --http-name {name}"
        ),
        None => {
            "this camera does not answer to that name. Use its IP address or its name in .local"
                .into()
        }
    };
    Refusal::new(Status::MISDIRECTED, text)
}
