//! Parses the path and query of a request.

use super::Refusal;
use super::response::Status;
use crate::rate::Rate;
use crate::wire::FirstBytes;
use crate::wire::native::message::Wishes;

/// The resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The web page with the live picture.
    Page,
    /// The live picture as a multipart stream.
    Stream(Wishes),
    /// One picture.
    Snapshot(Wishes),
    /// The state of the camera, as JSON.
    State,
    /// The counters, for Prometheus.
    Metrics,
    /// The health of the camera.
    Health,
}

/// The paths named in the answer to an unknown one.
const PATHS: &str = "/ /stream /stream.mjpg /snapshot /snapshot.jpg /?action=stream /?action=snapshot /state /metrics /healthz";

impl Resource {
    /// The resource that `target`, path and query, asks for. Ignores unknown parameters: some
    /// clients add one to avoid caches.
    ///
    /// # Errors
    /// When there is nothing at that path, or a wish is invalid.
    pub fn parse(target: &str) -> Result<Self, Refusal> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(match plain_path(path).ok_or_else(|| not_found(target))?.as_str() {
            "/" | "/index.html" => match action(query).as_deref() {
                None => Self::Page,
                Some("stream") => Self::Stream(wishes(query)?),
                Some("snapshot") => Self::Snapshot(wishes(query)?),
                Some(_) => return Err(not_found(target)),
            },
            "/stream" | "/stream.mjpg" => Self::Stream(wishes(query)?),
            "/snapshot" | "/snapshot.jpg" => Self::Snapshot(wishes(query)?),
            "/state" => Self::State,
            "/metrics" => Self::Metrics,
            "/healthz" => Self::Health,
            _ => return Err(not_found(target)),
        })
    }
}

/// A path without what proxies and people add: doubled slashes, one at the end, characters encoded
/// like `%73`. `None` if it is not a path.
fn plain_path(path: &str) -> Option<String> {
    let path = decoded(path)?;
    if !path.is_empty() && !path.starts_with('/') {
        return None;
    }
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    let plain: String = parts.map(|part| format!("/{part}")).collect();
    Some(if plain.is_empty() { "/".to_owned() } else { plain })
}

/// Decodes percent-encoding. `None` if it is invalid, or the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn not_found(target: &str) -> Refusal {
    let shown = FirstBytes(target.bytes().take(60).collect());
    Refusal::new(Status::NOT_FOUND, format!("there is nothing at {shown}; try one of {PATHS}"))
}

/// Names and values. Some clients put a second question mark before a parameter that avoids caches.
/// Invalid encoding stays as it is.
fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let plain = |text: &str| decoded(text).unwrap_or_else(|| text.to_owned());
    query.split(['&', '?']).map(move |part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (plain(name), plain(value))
    })
}

/// The parameter of mjpg-streamer's URLs; its first input is number 0.
fn action(query: &str) -> Option<String> {
    let (_, action) = parameters(query).find(|(name, _)| name == "action")?;
    Some(action.strip_suffix("_0").unwrap_or(&action).to_owned())
}

/// The wishes in a query.
fn wishes(query: &str) -> Result<Wishes, Refusal> {
    let mut wishes = Wishes::default();
    for (name, value) in parameters(query) {
        let wrong = |expected: &str| {
            let found = FirstBytes(value.bytes().take(20).collect());
            Refusal::new(Status::BAD_REQUEST, format!("{name} must be {expected}, not {found}"))
        };
        let side = || {
            value.parse().ok().filter(|&side| side > 0).ok_or_else(|| wrong("1 to 65535 pixels"))
        };
        match name.as_str() {
            "width" => wishes.width = side()?,
            "height" => wishes.height = side()?,
            "quality" => {
                let quality = value.parse().ok().filter(|quality| (1..=100).contains(quality));
                wishes.quality = quality.ok_or_else(|| wrong("1 to 100"))?;
            }
            "fps" => {
                let rate = Rate::parse(&value, 0.001..=1000.0);
                wishes.rate = rate.ok_or_else(|| wrong("0.001 to 1000 frames per second"))?;
            }
            _ => {}
        }
    }
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(width: u16) -> Wishes {
        Wishes { width, ..Wishes::default() }
    }

    #[test]
    fn every_way_to_ask_is_understood() {
        let all = Wishes::default();
        for (target, resource) in [
            ("/", Resource::Page),
            ("/?", Resource::Page),
            ("/?theme=dark", Resource::Page),
            ("/stream", Resource::Stream(all)),
            ("/stream.mjpg?t=1700000000", Resource::Stream(all)),
            ("/?action=stream", Resource::Stream(all)),
            ("/?action=stream?nonce_dashboard=12", Resource::Stream(all)),
            ("/?action=stream&cacheBust=34", Resource::Stream(all)),
            ("/?1700000000&action=stream_0&width=320", Resource::Stream(width(320))),
            ("/?action=snapshot", Resource::Snapshot(all)),
            ("/snapshot", Resource::Snapshot(all)),
            ("/snapshot.jpg?width=320&", Resource::Snapshot(width(320))),
            ("/state", Resource::State),
            ("/metrics?x", Resource::Metrics),
            ("/healthz", Resource::Health),
            ("//", Resource::Page),
            ("", Resource::Page),
            ("?action=stream", Resource::Stream(all)),
            ("//stream", Resource::Stream(all)),
            ("/stream/", Resource::Stream(all)),
            ("///stream.mjpg//?width=320", Resource::Stream(width(320))),
            ("//?action=snapshot", Resource::Snapshot(all)),
            ("/./snapshot/", Resource::Snapshot(all)),
            ("/%73napshot", Resource::Snapshot(all)),
            ("/%2Fstate", Resource::State),
            ("/?%61ction=st%72eam&width=%33%32%30", Resource::Stream(width(320))),
            ("/healthz/", Resource::Health),
        ] {
            assert_eq!(Resource::parse(target), Ok(resource), "{target}");
        }
        let wishes = Wishes { width: 640, height: 480, quality: 60, rate: Rate(7_500) };
        assert_eq!(
            Resource::parse("/stream?width=640&height=480&quality=60&fps=7.5"),
            Ok(Resource::Stream(wishes))
        );
    }

    #[test]
    fn what_cannot_be_is_told_with_what_would_work() {
        for (target, code, says) in [
            ("/favicon.ico", 404, "/snapshot"),
            ("/stream/stream", 404, "/stream"),
            ("/snapshot.jpg/x", 404, "/snapshot"),
            ("/%", 404, "/stream"),
            ("/%7", 404, "/stream"),
            ("/%zz", 404, "/stream"),
            ("/%FF", 404, "/stream"),
            ("/%+3", 404, "/stream"),
            ("/?action=command", 404, "/?action=stream"),
            ("/../etc/passwd", 404, "/metrics"),
            ("stream", 404, "/stream"),
            ("*", 404, "/stream"),
            ("/stream?width=0", 400, "65535"),
            ("/stream?width=", 400, "65535"),
            ("/stream?height=70000", 400, "65535"),
            ("/snapshot?quality=101", 400, "100"),
            ("/?action=snapshot&fps=0", 400, "0.001"),
            ("/stream?fps=NaN", 400, "0.001"),
            ("/stream?fps=%00\"", 400, "0.001"),
        ] {
            let refusal = Resource::parse(target).expect_err(target);
            assert!(
                refusal.status.code == code && refusal.text.contains(says),
                "{target}: {refusal:?}"
            );
        }
    }
}
