//! Gives each rendition a thread, and ends the threads that nobody needs any more.

use super::inbox::Inbox;
use super::plan::Plan;
use super::rendition::Rendition;
use super::{decode, rendition};
use crate::camera::encode::Recipe;
use crate::camera::metrics::Metrics;
use crate::camera::strips::EncodeThreads;
use crate::camera::update::StatusText;
use crate::image::pixels::PixelFormat;
use crate::wire::native::message::StatusCode;
use std::sync::Arc;

/// The recipe of a rendition, and its viewers.
pub(super) type Group = (Recipe, Vec<Arc<Inbox>>);

/// A viewer that gets nothing, and the reason.
pub(super) type Failed = (Arc<Inbox>, Arc<StatusText>);

/// Gives each group a thread: the one that already has its recipe, or a new one. When the camera's
/// pictures have changed, and all sizes with them, an idle thread is reused. Returns the viewers
/// that could get no thread, with the reason.
pub(super) fn provide(
    groups: Vec<Group>,
    old: &Plan,
    new: &mut Plan,
    encode_threads: &Arc<EncodeThreads>,
    metrics: &Arc<Metrics>,
) -> Vec<Failed> {
    let mut idle = old.made.clone();
    let mut take_same = |(recipe, inboxes): Group| {
        let same = idle.iter().position(|rendition| rendition.recipe == recipe);
        (recipe, inboxes, same.map(|index| idle.swap_remove(index)))
    };
    let groups: Vec<_> = groups.into_iter().map(&mut take_same).collect();
    let kind = |plan: &Plan| plan.captured.as_ref().map(|(captured, _)| *captured);
    let is_other_capture = kind(old) != kind(new);
    let mut failed = Vec::new();
    for (recipe, inboxes, own_thread) in groups {
        let thread = match own_thread.or_else(|| idle.pop_if(|_| is_other_capture)) {
            Some(rendition) => Ok((rendition.number, Arc::clone(&rendition.tasks))),
            None => {
                let number = free_number(old, new);
                rendition::start(number, recipe, encode_threads, metrics)
                    .map(|tasks| (number, tasks))
            }
        };
        match thread {
            Ok((number, tasks)) => {
                new.made.push(Arc::new(Rendition { number, recipe, inboxes, tasks }));
            }
            Err(error) => {
                let why = refused(format!("cannot make pictures of {recipe}: {error}"));
                failed.extend(inboxes.into_iter().map(|inbox| (inbox, Arc::clone(&why))));
            }
        }
    }
    for rendition in idle {
        rendition.tasks.close();
    }
    failed.extend(provide_decoder(old, new, metrics));
    failed
}

fn free_number(old: &Plan, new: &Plan) -> usize {
    let is_free =
        |number: &usize| !new.made.iter().chain(&old.made).any(|made| made.number == *number);
    (1..).find(is_free).expect("there are more numbers than renditions")
}

/// Starts or ends the decoding thread, which renditions of a camera's JPEGs need.
fn provide_decoder(old: &Plan, new: &mut Plan, metrics: &Arc<Metrics>) -> Vec<Failed> {
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
            let why = refused(format!("cannot decode this camera's JPEGs: {error}"));
            let inboxes = new.made.iter().flat_map(|rendition| &rendition.inboxes);
            inboxes.map(|inbox| (Arc::clone(inbox), Arc::clone(&why))).collect()
        }
    }
}

fn refused(text: String) -> Arc<StatusText> {
    log::warn!("{text}");
    Arc::new(StatusText { code: StatusCode::CameraRefused, text })
}
