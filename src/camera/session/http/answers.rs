//! The answers that are small and whole: the page, figures, refusals.

use super::{Asked, Connection, Content, Step};
use crate::camera::metrics::text::CONTENT_TYPE as METRICS_TYPE;
use crate::camera::renditions::wish::Wish;
use crate::camera::session::Camera;
use crate::camera::session::farewell::RETRY;
use crate::camera::update::StatusText;
use crate::camera::{page, state};
use crate::source::clock;
use crate::wire::http::Refusal;
use crate::wire::http::host;
use crate::wire::http::request::{Afterwards, Method};
use crate::wire::http::resource::Resource;
use crate::wire::http::response::{Head, Status};
use crate::wire::http::{multipart, request::Version};
use crate::wire::native::message::{StatusCode, Wishes};
use std::time::Duration;

const PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";

const ALLOW: &str = "Allow: GET, HEAD, OPTIONS";

/// Said to nginx, which would hold pictures of a stream back until it has many.
pub(super) const NO_BUFFERING: &str = "X-Accel-Buffering: no";

/// The page needs nothing from anywhere, and takes nothing.
const PAGE_POLICY: &str = "Content-Security-Policy: default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; \
    script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'";

impl Connection<'_> {
    /// Answers everything but a live picture.
    pub(super) fn answer(&mut self, asked: &Asked) -> Step<()> {
        let camera = self.camera;
        let now = clock::now();
        let resource = match &asked.resource {
            Err(refusal) => return self.refuse(asked, refusal),
            Ok(_) if asked.method == Method::Options => return self.tell_options(asked),
            Ok(resource) => resource,
        };
        match resource {
            Resource::Page => {
                let page = page::html(&camera.name);
                self.tell(asked, Status::OK, Content::Text(HTML, &page), &[PAGE_POLICY])
            }
            Resource::State => {
                let json = state::json(camera, now);
                self.tell(asked, Status::OK, Content::Text(JSON, &json), &[])
            }
            Resource::Metrics => {
                let text = camera.renditions.metrics().text(now);
                self.tell(asked, Status::OK, Content::Text(METRICS_TYPE, &text), &[])
            }
            Resource::Health => {
                let (is_well, text) = state::health(camera, now);
                let status = if is_well { Status::OK } else { Status::UNAVAILABLE };
                self.tell(asked, status, Content::Text(PLAIN, &text), &[])
            }
            Resource::Stream(_) => self.tell_head(asked, Version::Http10, multipart::CONTENT_TYPE),
            Resource::Snapshot(_) if asked.method == Method::Head => {
                self.tell_head(asked, asked.version, "image/jpeg")
            }
            Resource::Snapshot(wishes) => self.snapshot(asked, wishes),
        }
    }

    /// The head of a picture that nobody wants to see: the camera is not started for it.
    fn tell_head(
        &mut self,
        asked: &Asked,
        version: Version,
        content_type: &'static str,
    ) -> Step<()> {
        let (is_well, text) = state::health(self.camera, clock::now());
        if !is_well {
            return self.refuse(asked, &Refusal::new(Status::UNAVAILABLE, text.trim()));
        }
        self.put_head(&Head {
            status: Status::OK,
            version,
            afterwards: asked.afterwards,
            content_type: Some(content_type),
            content_len: None,
            allow_origin: asked.allow_origin.as_deref(),
            more: if content_type == multipart::CONTENT_TYPE { &[NO_BUFFERING] } else { &[] },
        });
        self.flush()
    }

    fn tell_options(&mut self, asked: &Asked) -> Step<()> {
        let mut more = vec![ALLOW];
        if asked.allow_origin.is_some() {
            // What browsers ask before a page of another origin may ask.
            more.push("Access-Control-Allow-Methods: GET, HEAD, OPTIONS");
            more.push("Access-Control-Allow-Headers: *");
            more.push("Access-Control-Allow-Private-Network: true");
            more.push("Access-Control-Max-Age: 600");
        }
        self.put_head(&Head {
            status: Status::NO_CONTENT,
            version: asked.version,
            afterwards: asked.afterwards,
            content_type: None,
            content_len: None,
            allow_origin: asked.allow_origin.as_deref(),
            more: &more,
        });
        self.flush()
    }

    /// Says no, and why.
    pub(super) fn refuse(&mut self, asked: &Asked, refusal: &Refusal) -> Step<()> {
        self.refusal = Some(refusal.clone());
        let text = format!("{}\n", refusal.text);
        let more: &[&str] = match refusal.status {
            Status::METHOD_NOT_ALLOWED => &[ALLOW],
            Status::UNAVAILABLE => &[RETRY],
            _ => &[],
        };
        self.tell(asked, refusal.status, Content::Text(PLAIN, &text), more)
    }

    /// Says no to what cannot be served now, and closes.
    pub(super) fn refuse_stream(&mut self, asked: &Asked, refusal: &Refusal) -> Step<()> {
        let asked = Asked {
            resource: Err(refusal.clone()),
            allow_origin: asked.allow_origin.clone(),
            afterwards: Afterwards::Close,
            ..*asked
        };
        match self.refuse(&asked, refusal)? {
            Ok(()) => self.close().map(Ok),
            Err(end) => Ok(Err(end)),
        }
    }
}

/// What somebody wishes for, or the camera's own options.
pub(super) fn wish(camera: &Camera, wishes: &Wishes) -> Wish {
    camera.renditions.own().with(wishes)
}

/// How long somebody waits for a first picture. A camera that rested must be opened, and one that sends few pictures has
/// its time for the next; Home Assistant gives up after 10 s, OctoPrint after 5 s, and leave by themselves.
pub(super) fn first_picture(camera: &Camera, wishes: &Wishes) -> Duration {
    const LEAST: Duration = Duration::from_secs(8);
    const MARGIN: Duration = Duration::from_secs(2);
    LEAST.max(camera.renditions.interval(wishes.millifps) * 2 + MARGIN)
}

/// None came in that time.
pub(super) fn no_picture(waited: Duration) -> Refusal {
    let text = format!("the camera has sent no picture for {} s", waited.as_secs());
    Refusal::new(Status::UNAVAILABLE, text)
}

/// What a status means to somebody who waits for a first picture; `None`: that he should wait.
pub(super) fn reason_not_to_wait(status: &StatusText) -> Option<Refusal> {
    match status.code {
        StatusCode::Starting => None,
        _ => Some(Refusal::new(Status::UNAVAILABLE, status.text.clone())),
    }
}

/// A page elsewhere may have had its own name point here: it is told nothing that it did not know.
pub(super) fn foreign_host(host: &str) -> Refusal {
    let text = match host::name_in(host) {
        Some(name) => format!(
            "this camera does not answer to the name {name}. Use its IP address, or its name that ends in .local. \
             To have it answer to {name}, start lancam with --http-name {name}"
        ),
        None => "this camera does not answer to that name. Use its IP address, or its name that ends in .local".into(),
    };
    Refusal::new(Status::MISDIRECTED, text)
}
