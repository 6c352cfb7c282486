//! The controls of a USB camera: those in its descriptors, with the ranges of an ordinary webcam.

use super::model::Unit;
use std::collections::BTreeMap;

/// A control's name, its bit in the descriptor, its selector, and its values.
struct Known {
    name: &'static str,
    bit: u8,
    selector: u8,
    /// The length of a value in bytes; minimum, maximum, step and default.
    len: usize,
    range: [i64; 4],
}

const fn known(name: &'static str, bit: u8, selector: u8, len: usize, range: [i64; 4]) -> Known {
    Known { name, bit, selector, len, range }
}

/// Controls of a processing unit.
const PROCESSING: [Known; 14] = [
    known("brightness", 0, 0x02, 2, [-64, 64, 1, 0]),
    known("contrast", 1, 0x03, 2, [0, 95, 1, 32]),
    known("hue", 2, 0x06, 2, [-2000, 2000, 1, 0]),
    known("saturation", 3, 0x07, 2, [0, 128, 1, 64]),
    known("sharpness", 4, 0x08, 2, [0, 7, 1, 2]),
    known("gamma", 5, 0x09, 2, [100, 300, 1, 100]),
    known("white_balance_temperature", 6, 0x0A, 2, [2800, 6500, 1, 4600]),
    known("white_balance_component", 7, 0x0C, 4, [0, 255, 1, 128]),
    known("backlight_compensation", 8, 0x01, 2, [0, 2, 1, 1]),
    known("gain", 9, 0x04, 2, [0, 255, 1, 64]),
    known("power_line_frequency", 10, 0x05, 1, [0, 2, 1, 1]),
    known("hue_automatic", 11, 0x10, 1, [0, 1, 1, 0]),
    known("white_balance_automatic", 12, 0x0B, 1, [0, 1, 1, 1]),
    known("digital_multiplier", 14, 0x0E, 2, [0, 10, 1, 0]),
];

/// Controls of a camera terminal. The step of `auto_exposure` is a bit mask of the available modes.
const CAMERA: [Known; 16] = [
    known("scanning_mode", 0, 0x01, 1, [0, 1, 1, 0]),
    known("auto_exposure", 1, 0x02, 1, [0, 8, 9, 8]),
    known("exposure_dynamic_framerate", 2, 0x03, 1, [0, 1, 1, 0]),
    known("exposure_time_absolute", 3, 0x04, 4, [3, 2047, 1, 250]),
    known("exposure_time_relative", 4, 0x05, 1, [-1, 1, 1, 0]),
    known("focus_absolute", 5, 0x06, 2, [0, 255, 5, 0]),
    known("focus_relative", 6, 0x07, 2, [0, 255, 1, 0]),
    known("iris_absolute", 7, 0x09, 2, [0, 255, 1, 0]),
    known("iris_relative", 8, 0x0A, 1, [-1, 1, 1, 0]),
    known("zoom_absolute", 9, 0x0B, 2, [100, 400, 1, 100]),
    known("zoom_relative", 10, 0x0C, 3, [0, 255, 1, 0]),
    known("pan_tilt_absolute", 11, 0x0D, 8, [-36000, 36000, 3600, 0]),
    known("pan_tilt_relative", 12, 0x0E, 4, [0, 255, 1, 0]),
    known("roll_absolute", 13, 0x0F, 2, [-180, 180, 1, 0]),
    known("focus_automatic", 17, 0x08, 1, [0, 1, 1, 1]),
    known("privacy", 18, 0x11, 1, [0, 1, 1, 0]),
];

/// Each automatic mode, the value that switches it off, and the control that it sets.
const AUTOMATICS: [(&str, i64, &str); 3] = [
    ("white_balance_automatic", 0, "white_balance_temperature"),
    ("auto_exposure", 1, "exposure_time_absolute"),
    ("focus_automatic", 0, "focus_absolute"),
];

/// The current values of a camera.
pub(super) struct Controls {
    units: Vec<Unit>,
    /// The values that were set, by unit and selector. The others have their defaults.
    set: BTreeMap<(u8, u8), Vec<u8>>,
}

/// Why a request was refused: `bRequestErrorCode` of the UVC specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongState = 2,
    OutOfRange = 4,
    InvalidControl = 6,
    InvalidRequest = 7,
}

const SET_CUR: u8 = 0x01;
const GET_CUR: u8 = 0x81;
const GET_MIN: u8 = 0x82;
const GET_MAX: u8 = 0x83;
const GET_RES: u8 = 0x84;
const GET_LEN: u8 = 0x85;
const GET_INFO: u8 = 0x86;
const GET_DEF: u8 = 0x87;

impl Controls {
    pub(super) fn of(units: Vec<Unit>) -> Self {
        Self { units, set: BTreeMap::new() }
    }

    /// The name, in tests, of the control with this unit and selector.
    pub(super) fn name(&self, unit: u8, selector: u8) -> Option<&'static str> {
        self.known(unit, selector).map(|known| known.name)
    }

    fn known(&self, unit: u8, selector: u8) -> Option<&'static Known> {
        let unit = self.units.iter().find(|it| it.id == unit)?;
        let table: &[Known] = if unit.is_camera { &CAMERA } else { &PROCESSING };
        table.iter().find(|it| it.selector == selector && unit.controls >> it.bit & 1 == 1)
    }

    pub(super) fn answer(&self, unit: u8, selector: u8, request: u8) -> Result<Vec<u8>, Refusal> {
        let known = self.known(unit, selector).ok_or(Refusal::InvalidControl)?;
        let [min, max, step, default] = known.range;
        match request {
            GET_CUR => {
                Ok(self.set.get(&(unit, selector)).cloned().unwrap_or_else(|| known.bytes(default)))
            }
            GET_MIN => Ok(known.bytes(min)),
            GET_MAX => Ok(known.bytes(max)),
            GET_RES => Ok(known.bytes(step)),
            GET_DEF => Ok(known.bytes(default)),
            GET_LEN => Ok(vec![u8::try_from(known.len).expect("a short value"), 0]),
            // The control can be read and written.
            GET_INFO => Ok(vec![3]),
            _ => Err(Refusal::InvalidRequest),
        }
    }

    pub(super) fn set(
        &mut self,
        unit: u8,
        selector: u8,
        request: u8,
        value: &[u8],
    ) -> Result<(), Refusal> {
        let known = self.known(unit, selector).ok_or(Refusal::InvalidControl)?;
        if request != SET_CUR || value.len() != known.len {
            return Err(Refusal::InvalidRequest);
        }
        let ruled_by = AUTOMATICS.iter().find(|(_, _, ruled)| *ruled == known.name);
        if let Some((automatic, off, _)) = ruled_by
            && self.value(automatic).is_some_and(|value| value != *off)
        {
            return Err(Refusal::WrongState);
        }
        let [min, max, ..] = known.range;
        if known.parts(value).any(|value| value < min || value > max) {
            return Err(Refusal::OutOfRange);
        }
        self.set.insert((unit, selector), value.to_vec());
        Ok(())
    }

    /// The value of the control with this name. `None` if there is none.
    pub(super) fn value(&self, name: &str) -> Option<i64> {
        self.units.iter().find_map(|unit| {
            let table: &[Known] = if unit.is_camera { &CAMERA } else { &PROCESSING };
            let known =
                table.iter().find(|it| it.name == name && unit.controls >> it.bit & 1 == 1)?;
            let set = self.set.get(&(unit.id, known.selector));
            Some(set.map_or(known.range[3], |bytes| known.parts(bytes).next().unwrap_or_default()))
        })
    }

    /// All values that were set, by name.
    pub(super) fn all_set(&self) -> BTreeMap<String, i64> {
        let name = |&(unit, selector): &(u8, u8)| self.name(unit, selector);
        self.set
            .keys()
            .filter_map(name)
            .filter_map(|name| Some((name.to_owned(), self.value(name)?)))
            .collect()
    }
}

impl Known {
    /// A value of eight bytes consists of two numbers of four: pan and tilt.
    fn bytes(&self, value: i64) -> Vec<u8> {
        let part = self.len.min(4);
        value.to_le_bytes()[..part].repeat(self.len / part)
    }

    fn parts(&self, bytes: &[u8]) -> impl Iterator<Item = i64> {
        let is_signed = self.range[0] < 0;
        bytes.chunks(4).map(move |part| {
            let is_below_zero = is_signed && part.last().is_some_and(|&byte| byte >= 0x80);
            let mut all = [if is_below_zero { 0xFF } else { 0 }; 8];
            all[..part.len()].copy_from_slice(part);
            i64::from_le_bytes(all)
        })
    }
}
