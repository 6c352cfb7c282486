//! The answers of `/state` and `/healthz`: the whole camera at a glance, for programs and for the
//! page.

use super::context::Camera;
use super::metrics::{Lately, SourceState, Transport};
use super::roster::Situation;
use crate::image::frame::Micros;
use crate::image::pixels::{PixelFormat, Size};
use crate::json::{Object, array, quoted};
use crate::rate::Rate;
use std::time::Duration;

/// The JSON of `/state`. `source`, `encoder` and `stream` use ustreamer's keys where they apply;
/// the other keys are lancam's.
pub(super) fn json(camera: &Camera, now: Micros) -> String {
    let metrics = &camera.metrics;
    let health = metrics.health(now);
    let situation = camera.roster.situation();
    let facts = metrics.stream();
    let size = sent_size(camera, &situation).or(facts.as_ref().map(|facts| facts.size));
    let passes =
        situation.captured.as_ref().map(|(captured, _)| captured.format) == Some(PixelFormat::Jpeg);
    let resolution = size.map(|Size { width, height }| {
        Object::new().json("width", width).json("height", height).end()
    });
    let desired = facts.as_ref().map_or(Rate::NONE, |facts| facts.rate);
    let newest = health.silent_for.filter(|_| health.state == SourceState::Streaming);
    let source = Object::new()
        .json("online", health.state == SourceState::Streaming)
        .text("state", word(health.state))
        .text("text", &text(camera, &situation, now))
        .or_null("description", facts.as_ref().map(|facts| quoted(&facts.source)))
        .or_null("resolution", resolution)
        .json("desired_fps", desired.fps())
        .json("captured_fps", (health.fps * 100.0).round() / 100.0)
        .or_null("newest_frame_ms", newest.map(|age| age.as_millis()));
    let encoder = Object::new()
        .text("type", if passes { "NOOP" } else { "CPU" })
        .json("renditions", array(&situation.made, |recipe| quoted(&recipe.to_string())));
    let by_transport = Transport::ALL.into_iter().fold(Object::new(), |all, transport| {
        all.json(transport.name(), metrics.viewers(transport))
    });
    let stream = Object::new()
        .json("clients", camera.connections.viewers())
        .json("max_clients", camera.connections.seats())
        .json("clients_by_transport", by_transport.end())
        .or_null("arrival_age_ms", metrics.lately(now).map(arrival_json));
    let result = Object::new()
        .text("name", &camera.name)
        .text("version", env!("CARGO_PKG_VERSION"))
        .json("uptime_seconds", metrics.uptime(now).as_secs())
        .text("access", camera.mode().word())
        .json("config_errors", array(&metrics.complaints(), |text| quoted(text)))
        .json("source", source.end())
        .json("encoder", encoder.end())
        .json("stream", stream.end());
    Object::new().json("ok", health.is_well()).json("result", result.end()).end() + "\n"
}

fn arrival_json(Lately { frames, p50, p95, uncertainty }: Lately) -> String {
    let ms = |duration: Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
    Object::new()
        .json("frames", frames)
        .json("p50", ms(p50))
        .json("p95", ms(p95))
        .json("uncertainty", ms(uncertainty))
        .end()
}

/// Whether the camera is healthy, with one line for people.
pub(super) fn health(camera: &Camera, now: Micros) -> (bool, String) {
    let health = camera.metrics.health(now);
    (health.is_well(), format!("{}\n", text(camera, &camera.roster.situation(), now)))
}

/// The size that viewers without wishes get.
fn sent_size(camera: &Camera, situation: &Situation) -> Option<Size> {
    let (captured, _) = situation.captured.as_ref()?;
    Some(camera.roster.own().form(*captured).size(*captured))
}

fn word(state: SourceState) -> &'static str {
    match state {
        SourceState::Starting => "starting",
        SourceState::Streaming => "streaming",
        SourceState::Resting => "resting",
        SourceState::Down => "down",
    }
}

fn text(camera: &Camera, situation: &Situation, now: Micros) -> String {
    let health = camera.metrics.health(now);
    let news = situation.news.as_ref().map(|news| news.text.clone());
    if let Some(trouble) = camera.metrics.trouble() {
        return trouble;
    }
    match (health.state, health.silent_for) {
        (SourceState::Starting, _) => news.unwrap_or_else(|| "lancam is opening the camera".into()),
        (SourceState::Streaming, _) => "the picture is live".into(),
        (SourceState::Resting, _) => "the camera is off until somebody watches".into(),
        (SourceState::Down, Some(silent)) if situation.captured.is_some() => {
            format!("the camera has sent no picture for {} s", silent.as_secs())
        }
        (SourceState::Down, _) => news.unwrap_or_else(|| "the camera does not answer".into()),
    }
}
