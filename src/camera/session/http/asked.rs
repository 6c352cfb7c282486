//! What a request asks for, and how to answer it.

use super::guard::{Client, Guard};
use crate::camera::access::service::to_add;
use crate::camera::context::HttpRules;
use crate::wire::access::key::ShownKey;
use crate::wire::http::Refusal;
use crate::wire::http::browser;
use crate::wire::http::form;
use crate::wire::http::host;
use crate::wire::http::multipart::Heads;
use crate::wire::http::request::{Afterwards, Body, Method, Request, Version};
use crate::wire::http::resource::{Resource, not_found};
use crate::wire::http::response::Status;
use crate::wire::http::site::Site;

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
    /// Who asks, if an answer depends on that.
    pub(super) client: Option<Client>,
    /// The form that follows, or why it is not read.
    pub(super) form: Option<Result<Form, Refusal>>,
    /// The key that the browser is to keep for longer: the one in its cookie.
    pub(super) keeps: Option<ShownKey>,
}

/// A form that follows a request.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) len: usize,
    /// The name of the browser that sends it.
    pub(super) name: String,
}

impl Asked {
    /// What `request` asks for under these rules. Without a guard, everybody is answered.
    pub(super) fn of(request: &Request<'_>, rules: &HttpRules, guard: Option<&Guard>) -> Self {
        let origin = match request.origin {
            _ if rules.origins.iter().any(|allowed| allowed == "*") => Some("*".to_owned()),
            Some(origin) => rules.origins.iter().find(|allowed| *allowed == origin).cloned(),
            None => None,
        };
        let resource = match request.host {
            Some(host) if !host::is_ours(host, &rules.names) => {
                Err(foreign_host(host, rules.is_service))
            }
            _ => resource(request, guard),
        };
        let is_foreign = matches!(&resource, Err(refusal) if refusal.status == Status::MISDIRECTED);
        // A body may not have been read. Closing after a foreign host puts it into the log.
        let may_have_body = matches!(request.method, Method::Other | Method::Post);
        let closes = may_have_body || is_foreign;
        // The answer to OPTIONS says nothing about the camera, and browsers show no key with it.
        let guard = guard.filter(|_| !is_foreign && request.method != Method::Options);
        let client = guard.map(|guard| guard.client(request));
        let is_login = request.method == Method::Post && resource == Ok(Resource::Login);
        let form = client.as_ref().filter(|_| is_login).map(|client| form(request, client.site));
        Self {
            method: request.method,
            resource,
            version: request.version,
            afterwards: if closes { Afterwards::Close } else { request.afterwards },
            heads: Heads::for_client(request.user_agent, request.reader),
            allow_origin: origin,
            client,
            form,
            keeps: None,
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
            client: None,
            form: None,
            keeps: None,
        }
    }
}

fn resource(request: &Request<'_>, guard: Option<&Guard>) -> Result<Resource, Refusal> {
    let wrong_method = || {
        let text = "the method must be GET, HEAD or OPTIONS";
        Err(Refusal::new(Status::METHOD_NOT_ALLOWED, text))
    };
    match (request.method, guard) {
        (Method::Other, _) | (Method::Post, None) => wrong_method(),
        // The answer is the same for every resource.
        (Method::Options, _) => Ok(Resource::Page),
        (method, guard) => match (Resource::parse(request.target)?, method) {
            (Resource::Login, _) if guard.is_none() => Err(not_found(request.target)),
            (Resource::Login, _) => Ok(Resource::Login),
            (_, Method::Post) => wrong_method(),
            (resource, _) => Ok(resource),
        },
    }
}

/// The form that follows a request, if it is small and comes from the camera's own page.
fn form(request: &Request<'_>, site: Site) -> Result<Form, Refusal> {
    if site != Site::Own {
        let text = "a code must be typed on this camera's own page; open /login in a browser";
        return Err(Refusal::new(Status::FORBIDDEN, text));
    }
    form::check_type(request.fields.text("content-type"))?;
    let (most, name) = (form::LONGEST, browser::name(request.user_agent));
    match request.body {
        Body::Length(len) if len <= most => Ok(Form { len, name }),
        Body::Length(_) => {
            let text = format!("the form must not be longer than {most} bytes");
            Err(Refusal::new(Status::CONTENT_TOO_LARGE, text))
        }
        // The form came, with nothing in it.
        Body::None if request.fields.text("content-length").is_some() => Ok(Form { len: 0, name }),
        Body::None | Body::Unknown => {
            let text = "a form must have one Content-Length, and no Transfer-Encoding";
            Err(Refusal::new(Status::LENGTH_REQUIRED, text))
        }
    }
}

/// The refusal for a foreign host. A page of that name elsewhere may have pointed its name at this
/// address (DNS rebinding), so it learns nothing that it did not know.
fn foreign_host(host: &str, is_service: bool) -> Refusal {
    let text = match host::name_in(host) {
        Some(name) => format!(
            "this camera does not answer to the name {name}. Use its IP address or its name in .local, or {}",
            to_add("http-name", &name, is_service)
        ),
        None => {
            "this camera does not answer to that name. Use its IP address or its name in .local"
                .into()
        }
    };
    Refusal::new(Status::MISDIRECTED, text)
}
