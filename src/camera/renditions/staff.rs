//! Puts a decision into effect: grants each place what it gets, and each rendition its thread.

use super::place::{Grant, Place};
use super::plan::{Decision, Plan, Rendition};
use super::taken::Places;
use super::wish::{Captured, Form};
use super::{decode, worker};
use crate::camera::encode::Recipe;
use crate::camera::metrics::Metrics;
use crate::camera::update::{StatusText, StreamFacts};
use crate::image::pixels::PixelFormat;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;

/// A rendition to be, and whose it is.
pub(super) type Group = (Recipe, Vec<Arc<Place>>);

/// Grants each place what it may have, and returns what is to be encoded.
pub(super) fn grant(
    taken: &Places,
    captured: Captured,
    stream: &Arc<StreamFacts>,
    plan: &mut Plan,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (taken, decision) in taken.iter().zip(taken.decide(captured)) {
        let place = &taken.place;
        let form = match decision {
            Decision::AsCaptured => {
                plan.as_captured.push(Arc::clone(place));
                Form::AsCaptured
            }
            // What is only kept is not made.
            Decision::Made(recipe) if !taken.is_watched() => Form::Made(recipe),
            Decision::Made(recipe) => {
                match groups.iter_mut().find(|(known, _)| *known == recipe) {
                    Some((_, places)) => places.push(Arc::clone(place)),
                    None => groups.push((recipe, vec![Arc::clone(place)])),
                }
                Form::Made(recipe)
            }
            Decision::Waits => {
                if !matches!(place.grant(), Grant::Waiting(_)) {
                    // What they are told follows when it is known what is made instead.
                    let untold = StatusText { code: StatusCode::Full, text: String::new() };
                    place.set_grant(Grant::Waiting(Arc::new(untold)));
                }
                continue;
            }
        };
        place.set_grant(Grant::Frames(form, Arc::clone(stream)));
    }
    groups
}

/// Gives each group a thread: the one that makes the same already, a new one, or, when the camera's pictures have
/// changed and all sizes with them, any that is free. Returns whom there is none for, and why.
pub(super) fn staff(
    groups: Vec<Group>,
    old: &Plan,
    new: &mut Plan,
    metrics: &Arc<Metrics>,
) -> Vec<(Arc<Place>, Arc<StatusText>)> {
    let mut idle = old.made.clone();
    let mut take_same = |(recipe, places): Group| {
        let same = idle.iter().position(|rendition| rendition.recipe == recipe);
        (recipe, places, same.map(|index| idle.swap_remove(index)))
    };
    let groups: Vec<_> = groups.into_iter().map(&mut take_same).collect();
    let kind = |plan: &Plan| plan.captured.as_ref().map(|(captured, _)| *captured);
    let others_go_on = kind(old) != kind(new);
    let mut failed = Vec::new();
    for (recipe, places, own_thread) in groups {
        let thread = match own_thread.or_else(|| idle.pop_if(|_| others_go_on)) {
            Some(rendition) => Ok((rendition.number, Arc::clone(&rendition.tasks))),
            None => {
                let is_free = |number: &usize| {
                    !new.made.iter().chain(&old.made).any(|made| made.number == *number)
                };
                let number = (1..).find(is_free).expect("there are more numbers than renditions");
                worker::start(number, recipe, metrics).map(|tasks| (number, tasks))
            }
        };
        match thread {
            Ok((number, tasks)) => {
                new.made.push(Arc::new(Rendition { number, recipe, places, tasks }));
            }
            Err(error) => {
                let text = format!("no pictures of {recipe} can be made: {error}");
                log::warn!("{text}");
                let status = Arc::new(StatusText { code: StatusCode::CameraRefused, text });
                failed.extend(places.into_iter().map(|place| (place, Arc::clone(&status))));
            }
        }
    }
    for rendition in idle {
        rendition.tasks.close();
    }
    failed.extend(staff_decoder(old, new, metrics));
    failed
}

/// JPEGs that renditions are made of need one more thread.
fn staff_decoder(
    old: &Plan,
    new: &mut Plan,
    metrics: &Arc<Metrics>,
) -> Vec<(Arc<Place>, Arc<StatusText>)> {
    let is_jpeg =
        new.captured.as_ref().is_some_and(|(captured, _)| captured.format == PixelFormat::Jpeg);
    if !is_jpeg || new.made.is_empty() {
        if let Some(decoder) = &old.decoder {
            decoder.close();
        }
        return Vec::new();
    }
    match old.decoder.clone().map_or_else(|| decode::start(metrics), Ok) {
        Ok(decoder) => {
            new.decoder = Some(decoder);
            Vec::new()
        }
        Err(error) => {
            let text = format!("this camera's JPEGs cannot be decoded: {error}");
            log::warn!("{text}");
            let status = Arc::new(StatusText { code: StatusCode::CameraRefused, text });
            let made = new.made.iter().flat_map(|rendition| &rendition.places);
            made.map(|place| (Arc::clone(place), Arc::clone(&status))).collect()
        }
    }
}
