//! What `/state` and `/healthz` say: the camera in one look, for programs and for the page.

use super::metrics::{Lately, SourceState, Transport};
use super::renditions::Situation;
use super::renditions::wish::Form;
use super::session::Camera;
use crate::image::frame::Micros;
use crate::image::pixels::{PixelFormat, Size};
use crate::plain::{array, quoted};
use std::time::Duration;

/// JSON. `source`, `encoder` and `stream` have ustreamer's keys, as far as they mean something here; others are lancam's own.
pub(super) fn json(camera: &Camera, now: Micros) -> String {
    let metrics = camera.renditions.metrics();
    let health = metrics.health(now);
    let situation = camera.renditions.situation();
    let facts = metrics.stream();
    let size = sent_size(camera, &situation).or(facts.as_ref().map(|facts| facts.size));
    let passes =
        situation.captured.as_ref().map(|(captured, _)| captured.format) == Some(PixelFormat::Jpeg);
    let resolution = size.map_or("null".into(), |Size { width, height }| {
        format!("{{\"width\":{width},\"height\":{height}}}")
    });
    let desired_fps = facts.as_ref().map_or(0, |facts| facts.millifps);
    let description = facts.as_ref().map_or("null".into(), |facts| quoted(&facts.source));
    let age = match (health.state, health.silent_for) {
        (SourceState::Streaming, Some(age)) => age.as_millis().to_string(),
        _ => "null".into(),
    };
    let arrival = metrics.lately(now).map_or("null".into(), |lately| {
        let ms = |duration: Duration| (duration.as_secs_f64() * 10_000.0).round() / 10.0;
        let Lately { frames, p50, p95, uncertainty } = lately;
        let [p50, p95, uncertainty] = [p50, p95, uncertainty].map(ms);
        format!("{{\"frames\":{frames},\"p50\":{p50},\"p95\":{p95},\"uncertainty\":{uncertainty}}}")
    });
    let viewers = Transport::ALL
        .map(|transport| format!("{}:{}", quoted(transport.name()), metrics.viewers(transport)))
        .join(",");
    format!(
        "{{\"ok\":{},\"result\":{{\"name\":{},\"version\":{},\"uptime_seconds\":{},\
         \"config_errors\":{},\
         \"source\":{{\"online\":{},\"state\":{},\"text\":{},\"description\":{description},\
         \"resolution\":{resolution},\"desired_fps\":{},\"captured_fps\":{},\"newest_frame_ms\":{age}}},\
         \"encoder\":{{\"type\":{},\"renditions\":{}}},\
         \"stream\":{{\"clients\":{},\"max_clients\":{},\"clients_by_transport\":{{{viewers}}},\
         \"arrival_age_ms\":{arrival}}}}}}}\n",
        health.is_well(),
        quoted(&camera.name),
        quoted(env!("CARGO_PKG_VERSION")),
        metrics.uptime(now).as_secs(),
        array(&metrics.complaints(), |text| quoted(text)),
        health.state == SourceState::Streaming,
        quoted(word(health.state)),
        quoted(&text(camera, &situation, now)),
        f64::from(desired_fps) / 1000.0,
        (health.fps * 100.0).round() / 100.0,
        quoted(if passes { "NOOP" } else { "CPU" }),
        array(&situation.made, |recipe| quoted(&recipe.to_string())),
        camera.connections.viewers(),
        camera.connections.seats(),
    )
}

/// Whether it is well, and one line for people.
pub(super) fn health(camera: &Camera, now: Micros) -> (bool, String) {
    let health = camera.renditions.metrics().health(now);
    (health.is_well(), format!("{}\n", text(camera, &camera.renditions.situation(), now)))
}

/// The size that viewers without wishes get.
fn sent_size(camera: &Camera, situation: &Situation) -> Option<Size> {
    let (captured, _) = situation.captured.as_ref()?;
    Some(match camera.renditions.own().form(*captured) {
        Form::AsCaptured => captured.size,
        Form::Made(recipe) => recipe.size,
    })
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
    let health = camera.renditions.metrics().health(now);
    let news = situation.news.as_ref().map(|news| news.text.clone());
    if let Some(trouble) = camera.renditions.metrics().trouble() {
        return trouble;
    }
    match (health.state, health.silent_for) {
        (SourceState::Starting, _) => news.unwrap_or_else(|| "the camera is being opened".into()),
        (SourceState::Streaming, _) => "the picture is live".into(),
        (SourceState::Resting, _) => "the camera rests, since nobody watches".into(),
        (SourceState::Down, Some(silent)) if situation.captured.is_some() => {
            format!("the camera has sent no picture for {} s", silent.as_secs())
        }
        (SourceState::Down, _) => news.unwrap_or_else(|| "the camera does not answer".into()),
    }
}
