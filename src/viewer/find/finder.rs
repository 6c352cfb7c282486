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

/// How long cameras may take to answer. Together with the start of the program this is less than a second.
pub const PATIENCE: Duration = Duration::from_millis(900);

/// Asks the LAN, and collects the cameras that answer within [`PATIENCE`].
///
/// # Errors
/// When this machine cannot send the question.
pub fn look() -> io::Result<Sightings> {
    let mut census = Census::default();
    for answer in mdns::ask(&question(), PATIENCE)? {
        census.take(&answer, 0);
    }
    Ok(census.sightings())
}

/// How long to wait for the camera with the right id after another one of the same name has answered.
const GRACE: Duration = Duration::from_millis(500);

/// Asks the LAN for one camera. Returns the one with its id, whatever its name is, or else the one that is announced by its
/// name. `None` if neither answers within [`PATIENCE`].
///
/// # Errors
/// When this machine cannot send the question.
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

/// Whether a camera with this id answers within half a second from another address than `here`.
pub(super) fn is_elsewhere(id: &str, here: SocketAddr) -> bool {
    let Ok(mut answers) = mdns::ask(&question(), GRACE) else { return false };
    answers.any(|answer| {
        let is_it = |found: &Found| found.facts.id == id && !found.addresses.contains(&here);
        heard(&answer).iter().any(is_it)
    })
}

/// The question for all cameras.
pub(super) fn question() -> Vec<u8> {
    dns::query(&[(&Name::of(CAMERA), QueryKind::Pointer)])
}

/// Asks for cameras in rounds until the slot is closed, and publishes the list when it changes.
pub fn watch(found: &Latest<Sightings>) {
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
                found.publish(census.sightings());
            }
        }
        if census.end(round) || round == 1 {
            found.publish(census.sightings());
        }
        if found.is_closed() {
            return;
        }
        thread::sleep(BREATH);
    }
}

/// The pause between two rounds, because every machine on the LAN receives the questions.
const BREATH: Duration = Duration::from_millis(600);
