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
    /// The form that takes the camera's code, where the camera wants keys.
    Login,
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
            "/login" => Self::Login,
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
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut next = || digit(rest.next()?);
                next()? * 16 + next()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The refusal of a target where there is nothing.
pub fn not_found(target: &str) -> Refusal {
    let shown = FirstBytes(without_keys(target).bytes().take(60).collect());
    Refusal::new(Status::NOT_FOUND, format!("there is nothing at {shown}; try one of {PATHS}"))
}

/// A target without the keys in it, since what is shown gets into the log. People and programs encode too much by mistake, even
/// twice, so a key is looked for in each part.
fn without_keys(target: &str) -> String {
    let kept = |part: &str| part[..key_at(part).unwrap_or(part.len())].to_owned();
    let Some((path, query)) = target.split_once('?') else { return kept(target) };
    // A second question mark begins a parameter too.
    let parts: String = query.split_inclusive(['&', '?']).map(kept).collect();
    format!("{}?{parts}", kept(path))
}

/// Where `key=` begins, in any case, and with any of its letters encoded.
fn key_at(text: &str) -> Option<usize> {
    (0..text.len()).find(|at| {
        let mut rest = &text.as_bytes()[*at..];
        b"key=".iter().all(|expected| {
            let Some((letter, behind)) = first_letter(rest) else { return false };
            rest = behind;
            letter.eq_ignore_ascii_case(expected)
        })
    })
}

/// The first letter, and what is behind it. `%3D`, `%253D` and so on are one.
fn first_letter(text: &[u8]) -> Option<(u8, &[u8])> {
    let (mut letter, mut rest) = (*text.first()?, &text[1..]);
    while letter == b'%'
        && let [high, low, behind @ ..] = rest
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        (letter, rest) = (high * 16 + low, behind);
    }
    Some((letter, rest))
}

fn digit(letter: u8) -> Option<u8> {
    u8::try_from(char::from(letter).to_digit(16)?).ok()
}

/// Names and values. Some clients put a second question mark before a parameter that avoids caches.
/// Invalid encoding stays as it is.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
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
            let found = FirstBytes(without_keys(&value).bytes().take(20).collect());
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
    fn no_refusal_shows_a_key() {
        for (target, shown) in [
            ("/x?key=SECRET", "\"/x?\""),
            ("/x?a=1&key=SECRET&b=2", "\"/x?a=1&b=2\""),
            ("/x?a=1?key=SECRET?b", "\"/x?a=1?b\""),
            ("/x?%6bey=SECRET", "\"/x?\""),
            ("/?action=x&key=SECRET", "\"/?action=x&\""),
            ("/x%3Fkey=SECRET", "\"/x%3F\""),
            ("/x%3Fkey%3DSECRET", "\"/x%3F\""),
            ("/x%3FKEY%3dSECRET", "\"/x%3F\""),
            ("/x%3F%6Bey%3DSECRET", "\"/x%3F\""),
            ("/x%3F%6bE%59=SECRET", "\"/x%3F\""),
            ("/x%3Fa=1%26key%3DSECRET", "\"/x%3Fa=1%26\""),
            ("/x%253Fkey%253DSECRET", "\"/x%253F\""),
            ("/x?a%26key%3DSECRET", "\"/x?a%26\""),
            ("/x?KEY=SECRET", "\"/x?\""),
            ("/x?a=%zz&%6bey=SECRET", "\"/x?a=%zz&\""),
            ("/x/key=SECRET?b=1", "\"/x/?b=1\""),
            ("/keys", "\"/keys\""),
        ] {
            let text = Resource::parse(target).expect_err(target).text;
            assert!(text.contains(shown), "{target}: {text}");
        }
        for target in [
            "/stream?width=x&key=SECRET",
            "/stream?width=1%26key%3DSECRET",
            "/stream?width=1;KEY=SECRET",
            "/stream?fps=?Key=SECRET",
        ] {
            let text = Resource::parse(target).expect_err("a wish").text;
            assert!(!text.contains("SECRET"), "{text}");
        }
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
