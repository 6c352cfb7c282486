//! The answers of fixed length: the page, reports, pictures, refusals; and the head of a stream.

use super::asked::Asked;
use super::guard::Guard;
use crate::camera::metrics::text::CONTENT_TYPE as METRICS_TYPE;
use crate::camera::session::farewell::RETRY;
use crate::camera::session::link::outgoing::{Counting, Outgoing};
use crate::camera::session::machine::{Report, Reported};
use crate::camera::update::StatusText;
use crate::wire::http::Refusal;
use crate::wire::http::multipart;
use crate::wire::http::request::{Afterwards, Method, Version};
use crate::wire::http::resource::Resource;
use crate::wire::http::response::{Head, Status};
use crate::wire::native::message::StatusCode;
use crate::wire::packet::Packet;
use std::sync::Arc;
use std::time::Duration;

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

const ALLOW: &str = "Allow: GET, HEAD, OPTIONS";

/// Keeps nginx from buffering several pictures of a stream.
const NO_BUFFERING: &str = "X-Accel-Buffering: no";

/// The page loads nothing from elsewhere, and sends no forms.
const PAGE_POLICY: &str = "Content-Security-Policy: default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; \
    script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// A page with a form loads nothing at all, and no other page shows it in a frame, where it could draw over it.
const FORM_POLICY: &str = "Content-Security-Policy: default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Keeps a key in the page's address from other sites. Without the origin, a browser would not say that a form is the page's
/// own.
const NO_REFERRER: &str = "Referrer-Policy: same-origin";

/// The body of an answer.
enum Content<'a> {
    Text(&'static str, &'a str),
    Picture(Arc<Packet>),
}

/// Answers with the page, and with this cookie.
pub(super) fn page(asked: &Asked, html: &str, cookie: Option<&str>, out: &mut Outgoing) {
    let more: Vec<_> = [PAGE_POLICY].into_iter().chain(cookie).collect();
    tell(asked, Status::OK, Content::Text(HTML, html), &more, out);
}

/// Answers a person with a small page instead of what was asked for.
pub(super) fn form(asked: &Asked, status: Status, html: &str, more: &[&str], out: &mut Outgoing) {
    let more = [&[FORM_POLICY, NO_REFERRER], more].concat();
    tell(asked, status, Content::Text(HTML, html), &more, out);
}

/// Sends a browser from the form to the page, with this cookie.
pub(super) fn see_page(asked: &Asked, cookie: Option<&str>, out: &mut Outgoing) {
    // Relative, since a proxy may show the page under another path.
    let more: Vec<_> = ["Location: ./"].into_iter().chain(cookie).collect();
    tell(asked, Status::SEE_OTHER, Content::Text(PLAIN, "see the page\n"), &more, out);
}

/// Answers with a picture that was taken at this time since 1970.
pub(super) fn picture(asked: &Asked, packet: Arc<Packet>, taken: Duration, out: &mut Outgoing) {
    let stamp = format!("X-Timestamp: {}.{:06}", taken.as_secs(), taken.subsec_micros());
    tell(asked, Status::OK, Content::Picture(packet), &[&stamp], out);
}

/// Answers with a report on the camera. A HEAD request for a picture or a stream does not start the
/// camera; its answer says whether there would be pictures. Returns the refusal, if the answer is
/// one.
pub(super) fn report(
    asked: &Asked,
    kind: Report,
    said: &Reported,
    out: &mut Outgoing,
) -> Option<Refusal> {
    let text = &said.text;
    let content_type = match (&asked.resource, kind) {
        (Ok(Resource::Stream(_)), _) => Some((multipart::CONTENT_TYPE, Version::Http10)),
        (Ok(Resource::Snapshot(_)), _) => Some(("image/jpeg", asked.version)),
        (_, Report::State) => {
            tell(asked, Status::OK, Content::Text(JSON, text), &[], out);
            None
        }
        (_, Report::Metrics) => {
            tell(asked, Status::OK, Content::Text(METRICS_TYPE, text), &[], out);
            None
        }
        (_, Report::Health) => {
            let status = if said.is_well { Status::OK } else { Status::UNAVAILABLE };
            tell(asked, status, Content::Text(PLAIN, text), &[], out);
            None
        }
    };
    let (content_type, version) = content_type?;
    if !said.is_well {
        let refusal = Refusal::new(Status::UNAVAILABLE, text.trim());
        refuse(asked, &refusal, out);
        return Some(refusal);
    }
    let is_stream = content_type == multipart::CONTENT_TYPE;
    let head = Head {
        status: Status::OK,
        version,
        afterwards: asked.afterwards,
        content_type: Some(content_type),
        content_len: None,
        allow_origin: asked.allow_origin.as_deref(),
        more: if is_stream { &[NO_BUFFERING] } else { &[] },
    };
    put_head(&head, out);
    out.is_an_answer();
    None
}

/// Answers an OPTIONS request.
pub(super) fn options(asked: &Asked, guard: Option<&Guard>, out: &mut Outgoing) {
    let mut more = vec![ALLOW];
    if asked.allow_origin.is_some() {
        // The answer to a CORS preflight request.
        more.push("Access-Control-Allow-Methods: GET, HEAD, OPTIONS");
        // The star does not stand for this one.
        more.push(match guard {
            Some(_) => "Access-Control-Allow-Headers: *, Authorization",
            None => "Access-Control-Allow-Headers: *",
        });
        more.push("Access-Control-Allow-Private-Network: true");
        more.push("Access-Control-Max-Age: 600");
    }
    let head = Head {
        status: Status::NO_CONTENT,
        version: asked.version,
        afterwards: asked.afterwards,
        content_type: None,
        content_len: None,
        allow_origin: asked.allow_origin.as_deref(),
        more: &more,
    };
    put_head(&head, out);
    out.is_an_answer();
}

/// Refuses a request, with the reason.
pub(super) fn refuse(asked: &Asked, refusal: &Refusal, out: &mut Outgoing) {
    let more: &[&str] = match refusal.status {
        Status::METHOD_NOT_ALLOWED => &[ALLOW],
        Status::UNAVAILABLE => &[RETRY],
        _ => &[],
    };
    refuse_with(asked, refusal, more, out);
}

/// The same with these headers.
pub(super) fn refuse_with(asked: &Asked, refusal: &Refusal, more: &[&str], out: &mut Outgoing) {
    let text = format!("{}\n", refusal.text);
    tell(asked, refusal.status, Content::Text(PLAIN, &text), more, out);
}

/// The header that makes programs show their key as a password (RFC 7617). A camera's name may have any letters.
pub(super) fn challenge(name: &str) -> String {
    let is_plain = |letter: &char| (' '..='~').contains(letter) && !['"', '\\'].contains(letter);
    let name: String = name.chars().map(|it| if is_plain(&it) { it } else { '?' }).collect();
    format!("WWW-Authenticate: Basic realm=\"{name}\"")
}

/// Writes the head of a stream, before its first part.
pub(super) fn stream_head(allow_origin: Option<&str>, out: &mut Outgoing) {
    let head = Head {
        status: Status::OK,
        // HTTP/1.0: the end of the connection is the end of the stream.
        version: Version::Http10,
        afterwards: Afterwards::Close,
        content_type: Some(multipart::CONTENT_TYPE),
        content_len: None,
        allow_origin,
        more: &[NO_BUFFERING],
    };
    put_head(&head, out);
}

/// Writes a head, and its content unless the method is HEAD.
fn tell(asked: &Asked, status: Status, content: Content<'_>, more: &[&str], out: &mut Outgoing) {
    let (content_type, len) = match &content {
        Content::Text(content_type, text) => (*content_type, text.len()),
        Content::Picture(packet) => ("image/jpeg", packet.payload().len()),
    };
    let head = Head {
        status,
        version: asked.version,
        afterwards: asked.afterwards,
        content_type: Some(content_type),
        content_len: Some(len),
        allow_origin: asked.allow_origin.as_deref(),
        more,
    };
    put_head(&head, out);
    if asked.method != Method::Head {
        match content {
            Content::Text(_, text) => {
                if let Some(messages) = out.messages() {
                    messages.extend_from_slice(text.as_bytes());
                }
            }
            Content::Picture(packet) => out.put(&[], packet, &[], Counting::Frame),
        }
    }
    out.is_an_answer();
}

fn put_head(head: &Head<'_>, out: &mut Outgoing) {
    if let Some(messages) = out.messages() {
        head.write_to(messages);
    }
}

/// Whether this status refuses a request for a first picture; `None` if the client should wait.
pub(super) fn reason_not_to_wait(status: &StatusText) -> Option<Refusal> {
    match status.code {
        StatusCode::Starting => None,
        _ => Some(Refusal::new(Status::UNAVAILABLE, status.text.clone())),
    }
}
