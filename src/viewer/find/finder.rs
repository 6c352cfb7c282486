//! Asks the LAN which cameras there are.

use super::census::{Census, Sightings};
use super::found::{Found, heard};
use super::identity::Identity;
use crate::latest::Latest;
use crate::net::mdns;
use crate::wire::dns::{self, Name, QueryKind};
use crate::wire::service::CAMERA;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// How long cameras may take to answer. With the program's start it makes less than a second.
pub const PATIENCE: Duration = Duration::from_millis(900);

/// Asks the LAN, and collects who answers within [`PATIENCE`].
///
/// # Errors
/// When this machine has no way to ask.
pub fn look() -> io::Result<Sightings> {
    let mut census = Census::default();
    for answer in mdns::ask(&question(), PATIENCE)? {
        census.take(&answer, 0);
    }
    Ok(census.sightings())
}

/// For so long a camera is waited for that has the very id, when another one of the same name has answered.
const GRACE: Duration = Duration::from_millis(500);

/// Asks the LAN for a camera; returns when it has answered, or nobody has within [`PATIENCE`]. The one with its id, however it
/// is called; or else the one that is announced by its name.
///
/// # Errors
/// When this machine has no way to ask.
pub fn look_for(camera: &Identity) -> io::Result<Option<Found>> {
    let asked_at = Instant::now();
    let mut namesake = None;
    let has_id = |id: &str| !id.is_empty() && id == camera.id;
    for answer in mdns::ask(&question(), PATIENCE)? {
        for found in heard(&answer) {
            if has_id(&found.facts.id) {
                return Ok(Some(found));
            }
            let is_called_so = found.name.to_lowercase() == camera.name.to_lowercase();
            if is_called_so && (camera.id.is_empty() || found.facts.id.is_empty()) {
                return Ok(Some(found));
            }
            if is_called_so {
                namesake.get_or_insert(found);
            }
        }
        if namesake.is_some() && asked_at.elapsed() >= GRACE {
            break;
        }
    }
    Ok(namesake)
}

/// Whether a camera with this id, that is not at `here`, answers within half a second.
pub(super) fn is_elsewhere(id: &str, here: SocketAddr) -> bool {
    let Ok(mut answers) = mdns::ask(&question(), GRACE) else { return false };
    answers.any(|answer| {
        let is_it = |found: &Found| found.facts.id == id && !found.addresses.contains(&here);
        heard(&answer).iter().any(is_it)
    })
}

/// Who is a camera?
pub(super) fn question() -> Vec<u8> {
    dns::query(&[(&Name::of(CAMERA), QueryKind::Pointer)])
}

/// Looks for cameras until the slot is closed, and publishes all that are there when that changes.
pub fn watch(found: &Latest<Vec<Found>>) {
    let mut census = Census::default();
    let mut trouble = None;
    for round in 1.. {
        census.begin();
        let answers = mdns::ask(&question(), PATIENCE);
        let now = answers.as_ref().err().map(ToString::to_string);
        if let Some(error) = now.as_ref().filter(|_| now != trouble) {
            log::warn!("cannot look for cameras on the LAN: {error}");
        }
        trouble = now;
        for answer in answers.into_iter().flatten() {
            if census.take(&answer, round) {
                found.publish(census.sightings().cameras);
            }
        }
        if census.forget(round) || round == 1 {
            found.publish(census.sightings().cameras);
        }
        if found.is_closed() {
            return;
        }
        thread::sleep(BREATH);
    }
}

/// Between two rounds: everybody on the LAN hears them.
const BREATH: Duration = Duration::from_millis(600);
