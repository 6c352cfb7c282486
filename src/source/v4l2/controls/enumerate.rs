//! Asks a driver for all its controls, whatever it answers.

use super::driver::{Driver, Query, RawControl};
use nix::errno::Errno;
use std::ops::Range;
use v4l::v4l_sys::{V4L2_CTRL_FLAG_NEXT_COMPOUND, V4L2_CTRL_FLAG_NEXT_CTRL};

/// Every control that `driver` describes, by number, and those that it has and fails to describe.
pub(super) fn enumerate(driver: &impl Driver) -> (Vec<RawControl>, Vec<Silent>) {
    let (mut found, mut end) = walk(driver, Query::Extended);
    if found.is_empty() {
        (found, end) = walk(driver, Query::Old);
    }
    let mut silent = Vec::new();
    if end == End::Failed || found.is_empty() {
        // A USB camera that fails to describe one control hides all controls after it.
        let last = found.last().map_or(0, |last| last.id);
        silent = probe(driver, last, &mut found);
    }
    (found, silent)
}

/// A control that a camera has, and fails to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Silent {
    pub(super) id: u32,
    /// How the driver answers.
    pub(super) errno: Errno,
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is no further control, or the driver's answer makes no sense.
    Complete,
    /// A control could not be described, so the controls after it were not reached.
    Failed,
}

/// Walks from each control to the next.
fn walk(driver: &impl Driver, how: Query) -> (Vec<RawControl>, End) {
    let next = match how {
        Query::Extended => V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CTRL_FLAG_NEXT_COMPOUND,
        Query::Old => V4L2_CTRL_FLAG_NEXT_CTRL,
    };
    let mut found: Vec<RawControl> = Vec::new();
    let mut last = 0;
    while found.len() < MOST_CONTROLS {
        match driver.query(how, last | next) {
            // Ids that do not rise would never end.
            Ok(raw) if raw.id > last && raw.id < NEXT_FLAGS => {
                last = raw.id;
                found.push(raw);
            }
            Ok(_) | Err(Errno::EINVAL | Errno::ENOTTY | Errno::ENODEV) => break,
            Err(_) => return (found, End::Failed),
        }
    }
    (found, End::Complete)
}

/// Tries the numbers of usual camera controls, as far as they come after `last`. Returns those that exist and fail.
fn probe(driver: &impl Driver, last: u32, found: &mut Vec<RawControl>) -> Vec<Silent> {
    let ids = PROBED.into_iter().flatten().filter(|&id| id > last);
    let mut silent = Vec::new();
    for id in ids {
        match driver.query(Query::Old, id) {
            Ok(raw) if raw.id == id => found.push(raw),
            // There is none of that number.
            Ok(_) | Err(Errno::EINVAL) => {}
            Err(Errno::ENOTTY | Errno::ENODEV) => break,
            Err(errno) => silent.push(Silent { id, errno }),
        }
    }
    // A driver that fails at every number says nothing about any.
    if found.is_empty() {
        silent.clear();
    }
    silent
}

/// The most controls that are taken from a driver; no real driver has as many.
const MOST_CONTROLS: usize = 1024;

/// Numbers from here on are flags of the query.
const NEXT_FLAGS: u32 = V4L2_CTRL_FLAG_NEXT_COMPOUND;

/// The numbers of camera controls in `linux/v4l2-controls.h`: user controls and camera controls.
const PROBED: [Range<u32>; 2] = [0x0098_0900..0x0098_0930, 0x009a_0900..0x009a_0930];

#[cfg(test)]
mod tests {
    use super::super::fake::{FakeDriver, raw};
    use super::*;

    fn ids(driver: &FakeDriver) -> Vec<u32> {
        enumerate(driver).0.iter().map(|raw| raw.id).collect()
    }

    fn answering(answer: impl Fn(Query, u32) -> Result<RawControl, Errno> + 'static) -> FakeDriver {
        FakeDriver { answer: Some(Box::new(answer)), ..FakeDriver::default() }
    }

    /// A driver that knows neither NEXT flag.
    fn by_number(id: u32) -> Result<RawControl, Errno> {
        match id {
            0x0098_0900 | 0x0098_0913 | 0x009a_0902 => Ok(raw(id, 1, "Some")),
            _ => Err(Errno::EINVAL),
        }
    }

    #[test]
    fn each_control_leads_to_the_next() {
        let controls = [5, 7, 0x0fff_ffff].map(|id| raw(id, 1, "Some")).to_vec();
        let driver = FakeDriver { controls, ..FakeDriver::default() };
        assert_eq!(ids(&driver), [5, 7, 0x0fff_ffff]);
        assert_eq!(*driver.calls.borrow(), 4);
    }

    #[test]
    fn a_driver_without_the_extended_query_is_asked_the_old_way() {
        let driver = answering(|how, id| match (how, id & 0x0fff_ffff) {
            (Query::Extended, _) => Err(Errno::ENOTTY),
            (Query::Old, 0) if id == V4L2_CTRL_FLAG_NEXT_CTRL => Ok(raw(9, 1, "Some")),
            _ => Err(Errno::EINVAL),
        });
        assert_eq!(ids(&driver), [9]);
    }

    #[test]
    fn a_driver_that_knows_no_next_control_is_asked_number_by_number() {
        assert_eq!(ids(&answering(|_, id| by_number(id))), [0x0098_0900, 0x0098_0913, 0x009a_0902]);
    }

    #[test]
    fn a_control_that_cannot_be_described_does_not_hide_those_behind_it() {
        let driver = answering(|how, id| match (how, id & 0x0fff_ffff) {
            (Query::Extended, 0) => Ok(raw(0x0098_0900, 1, "Some")),
            (Query::Extended, _) => Err(Errno::EIO),
            (Query::Old, 0x0098_0901) => Err(Errno::EPIPE),
            (Query::Old, id) => by_number(id),
        });
        assert_eq!(ids(&driver), [0x0098_0900, 0x0098_0913, 0x009a_0902]);
        assert_eq!(enumerate(&driver).1, [Silent { id: 0x0098_0901, errno: Errno::EPIPE }]);
    }

    #[test]
    fn numbers_that_do_not_rise_and_never_end_come_to_an_end() {
        let same = answering(|_, _| Ok(raw(77, 1, "Same")));
        assert_eq!(ids(&same), [77]);
        let falling = answering(|_, id| Ok(raw((id & 0x0fff_ffff).wrapping_sub(1), 1, "Less")));
        assert_eq!(ids(&falling), []);
        let flags = answering(|_, id| Ok(raw(id, 1, "Flags")));
        assert_eq!(ids(&flags).len(), 96, "each of the numbers that are tried");
        let endless = answering(|_, id| Ok(raw((id & 0x0fff_ffff) + 1, 1, "More")));
        assert_eq!(ids(&endless).len(), MOST_CONTROLS);
    }

    #[test]
    fn a_driver_that_fails_at_everything_has_no_controls() {
        for errno in [Errno::ENOTTY, Errno::EINVAL, Errno::EIO, Errno::ENODEV, Errno::EPIPE] {
            let driver = answering(move |_, _| Err(errno));
            assert_eq!(ids(&driver), []);
            assert!(*driver.calls.borrow() < 200, "{errno}");
        }
    }
}
