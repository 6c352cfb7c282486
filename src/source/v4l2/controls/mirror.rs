//! Turns a camera's picture by the camera's own controls, if they can, which costs no CPU time.
//!
//! Only mirrorings, and half turns, which are two mirrorings. V4L2_CID_ROTATE takes 90 degrees too,
//! but no document says in which direction, nor what happens to the size of the picture.

use super::control::{Control, Value};
use super::driver::{Driver, Query};
use crate::image::orientation::{Orientation, Steps};
use nix::errno::Errno;
use v4l::v4l_sys::{V4L2_CID_HFLIP, V4L2_CID_ROTATE, V4L2_CID_VFLIP};

/// What was done with a camera's controls.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Turned {
    /// The turn that is still to be done in software.
    pub(in super::super) rest: Orientation,
    /// Which controls were changed, and their values before.
    changed: Vec<(Control, Value)>,
}

/// A control and its new value.
type Step<'a> = (&'a Control, i64);

impl Turned {
    /// Lets the camera do all of `wanted` or none of it. If none, switches off what another program
    /// left switched on. `driver` may have little time left. If it ends in the middle, `patient`
    /// undoes what was done, since the camera would mirror a picture that lancam turns.
    pub(in super::super) fn by(
        driver: &impl Driver,
        patient: &impl Driver,
        wanted: Orientation,
    ) -> Self {
        let knobs = Knobs::of(driver);
        let mut turned = Self { rest: wanted, changed: Vec::new() };
        for steps in knobs.ways(wanted) {
            match turned.take(driver, &steps) {
                Ok(()) => return Self { rest: Orientation::UPRIGHT, ..turned },
                Err(errno) => log::debug!("the camera did not take {steps:?}: {errno}"),
            }
            turned.put_back(patient);
            turned.changed.clear();
        }
        for step in knobs.all().map(|control| (control, 0)) {
            if let Err(errno) = turned.take(driver, &[step]) {
                log::debug!("the camera keeps {}: {errno}", step.0.name);
            }
        }
        turned
    }

    /// Restores all changed controls.
    pub(in super::super) fn put_back(&self, driver: &impl Driver) {
        for (control, value) in self.changed.iter().rev() {
            // Fails if the camera was unplugged; then it has forgotten its settings.
            let _ = control.set(driver, value);
        }
    }

    fn take(&mut self, driver: &impl Driver, steps: &[Step<'_>]) -> Result<(), Errno> {
        for &(control, number) in steps {
            let before = control.value(driver).ok_or(Errno::ENODATA)?;
            let wanted = Value::Number(number);
            if before == wanted {
                continue;
            }
            control.set(driver, &wanted)?;
            self.changed.push((control.clone(), before));
            if control.value(driver) != Some(wanted) {
                return Err(Errno::ENOTSUP);
            }
        }
        Ok(())
    }
}

/// The controls that turn pictures, as far as the camera has them.
struct Knobs {
    left_right: Option<Control>,
    top_bottom: Option<Control>,
    half_turn: Option<Control>,
}

impl Knobs {
    fn of(driver: &impl Driver) -> Self {
        let find = |id: u32, name: &str, most: i64| {
            let raw = driver.query(Query::Extended, id).or_else(|_| driver.query(Query::Old, id));
            let control = Control::new(&raw.ok()?, name.into(), driver);
            let is_usable = control.id == id && !control.is_fixed() && control.maximum >= most;
            is_usable.then_some(control)
        };
        Self {
            left_right: find(V4L2_CID_HFLIP, "horizontal_flip", 1),
            top_bottom: find(V4L2_CID_VFLIP, "vertical_flip", 1),
            half_turn: find(V4L2_CID_ROTATE, "rotate", HALF_TURN),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Control> {
        [&self.left_right, &self.top_bottom, &self.half_turn].into_iter().flatten()
    }

    /// Each combination of controls that does `wanted`, the simplest first.
    fn ways(&self, wanted: Orientation) -> Vec<Vec<Step<'_>>> {
        let Steps { transpose: false, left_right, top_bottom } = wanted.steps() else {
            return Vec::new();
        };
        let way = |turned: bool| {
            let mut steps = Vec::new();
            for (control, is_on, on) in [
                (&self.left_right, left_right != turned, 1),
                (&self.top_bottom, top_bottom != turned, 1),
                (&self.half_turn, turned, HALF_TURN),
            ] {
                match control {
                    Some(control) => steps.push((control, if is_on { on } else { 0 })),
                    None if is_on => return None,
                    None => {}
                }
            }
            Some(steps)
        };
        [way(false), way(true)].into_iter().flatten().collect()
    }
}

/// In degrees.
const HALF_TURN: i64 = 180;

#[cfg(test)]
mod tests {
    use super::super::driver::RawControl;
    use super::super::fake::{FakeDriver, FewCalls, raw};
    use super::*;
    use crate::image::orientation::Rotation;

    const LEFT_RIGHT: Orientation = Orientation::FLIPPED_LEFT_RIGHT;
    const TOP_BOTTOM: Orientation = Orientation::FLIPPED_TOP_BOTTOM;
    const HALF: Orientation = Orientation::turned(Rotation::Half);
    const QUARTER: Orientation = Orientation::turned(Rotation::Quarter);

    fn camera(ids: &[u32]) -> FakeDriver {
        let control = |&id: &u32| match id {
            V4L2_CID_ROTATE => RawControl { maximum: 360, step: 90, ..raw(id, 1, "Rotate") },
            _ => RawControl { maximum: 1, ..raw(id, 2, "Flip") },
        };
        FakeDriver { controls: ids.iter().map(control).collect(), ..FakeDriver::default() }
    }

    fn state(driver: &FakeDriver) -> [i64; 3] {
        [V4L2_CID_HFLIP, V4L2_CID_VFLIP, V4L2_CID_ROTATE]
            .map(|id| driver.numbers.borrow().get(&id).copied().unwrap_or(0))
    }

    #[test]
    fn a_camera_does_what_its_controls_can_do_whole() {
        const H: u32 = V4L2_CID_HFLIP;
        const V: u32 = V4L2_CID_VFLIP;
        const R: u32 = V4L2_CID_ROTATE;
        let upright = Orientation::UPRIGHT;
        for (ids, wanted, expected, rest) in [
            (&[H, V][..], LEFT_RIGHT, [1, 0, 0], upright),
            (&[H, V], TOP_BOTTOM, [0, 1, 0], upright),
            (&[H, V], HALF, [1, 1, 0], upright),
            (&[H, V], upright, [0, 0, 0], upright),
            (&[H, V, R], HALF, [1, 1, 0], upright),
            (&[R], HALF, [0, 0, 180], upright),
            (&[H, R], TOP_BOTTOM, [1, 0, 180], upright),
            (&[H], LEFT_RIGHT, [1, 0, 0], upright),
            (&[H], TOP_BOTTOM, [0, 0, 0], TOP_BOTTOM),
            (&[H], HALF, [0, 0, 0], HALF),
            (&[H, V, R], QUARTER, [0, 0, 0], QUARTER),
            (&[], LEFT_RIGHT, [0, 0, 0], LEFT_RIGHT),
        ] {
            let driver = camera(ids);
            let turned = Turned::by(&driver, &driver, wanted);
            assert_eq!((state(&driver), turned.rest), (expected, rest), "{wanted} with {ids:x?}");
        }
    }

    #[test]
    fn what_was_left_switched_on_is_switched_off_and_put_back_at_the_end() {
        for wanted in [LEFT_RIGHT, QUARTER] {
            let driver = camera(&[V4L2_CID_HFLIP, V4L2_CID_VFLIP]);
            driver.numbers.borrow_mut().insert(V4L2_CID_VFLIP, 1);
            let turned = Turned::by(&driver, &driver, wanted);
            assert_eq!(state(&driver)[1], 0, "{wanted}");
            turned.put_back(&driver);
            assert_eq!(state(&driver), [0, 1, 0], "{wanted}");
        }
    }

    #[test]
    fn a_turn_is_done_whole_or_not_at_all_whenever_the_time_is_over() {
        for calls in 0..=12 {
            let driver = camera(&[V4L2_CID_HFLIP, V4L2_CID_VFLIP]);
            let turned = Turned::by(&FewCalls::of(&driver, calls), &driver, HALF);
            let is_done = turned.rest == Orientation::UPRIGHT;
            let expected = if is_done { [1, 1, 0] } else { [0, 0, 0] };
            assert_eq!(state(&driver), expected, "{calls} calls, {}", turned.rest);
        }
    }

    #[test]
    fn a_camera_that_does_not_do_it_or_says_so_and_does_not_leaves_all_to_others() {
        let refuses = FakeDriver {
            lock: Some((1, V4L2_CID_VFLIP)),
            ..camera(&[V4L2_CID_HFLIP, V4L2_CID_VFLIP])
        };
        refuses.numbers.borrow_mut().insert(1, 1);
        let pretends = FakeDriver {
            makes: Some((V4L2_CID_VFLIP, 0)),
            ..camera(&[V4L2_CID_HFLIP, V4L2_CID_VFLIP])
        };
        for driver in [refuses, pretends] {
            let turned = Turned::by(&driver, &driver, HALF);
            assert_eq!((state(&driver), turned.rest), ([0, 0, 0], HALF));
        }
    }
}
