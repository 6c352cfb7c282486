//! A control in the panel: its range, its value, and the steps between.

// A slider's columns are converted to values and back. Every range is clamped before.
#![allow(clippy::cast_possible_truncation)]

use super::text::Short;

/// A control in the panel. Any numbers are allowed: if they make no sense, the control is shown but cannot be moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Widget {
    /// Its name.
    pub name: String,
    /// The lowest value.
    pub minimum: i64,
    /// The highest value.
    pub maximum: i64,
    /// The distance between values.
    pub step: u64,
    /// The default value.
    pub default: i64,
    /// The current value.
    pub value: i64,
    /// The names of the values from the lowest on. Empty if values are numbers.
    pub choices: Vec<String>,
    /// Why it cannot be changed; `None` if it can.
    pub greyed: Option<String>,
}

impl Widget {
    /// Whether its range has more than one value.
    pub fn is_movable(&self) -> bool {
        self.minimum < self.maximum
    }

    /// Whether it is a switch.
    pub fn is_switch(&self) -> bool {
        (self.minimum, self.maximum) == (0, 1) && self.choices.is_empty()
    }

    /// Whether it is a number with a slider.
    pub fn is_slider(&self) -> bool {
        self.choices.is_empty() && !self.is_switch()
    }

    /// The value this many steps away, within the range.
    pub fn stepped(&self, steps: i64) -> i64 {
        let by = i128::from(steps) * self.step();
        self.granted(i128::from(self.value) + by)
    }

    /// The value at a fraction of the range, from 0 to 1.
    pub fn at_part(&self, part: f64) -> i64 {
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        let steps = self.span() / self.step();
        let step = (part * steps as f64).round() as i128;
        let is_last = part >= 1.0;
        let offset = if is_last { self.span() } else { step * self.step() };
        self.granted(i128::from(self.minimum) + offset)
    }

    /// The fraction of the range, from 0 to 1, at which a value lies.
    pub(super) fn part_of(&self, value: i64) -> f32 {
        let offset = i128::from(value) - i128::from(self.minimum);
        if self.is_movable() {
            (offset as f64 / self.span() as f64).clamp(0.0, 1.0) as f32
        } else {
            0.0
        }
    }

    fn span(&self) -> i128 {
        (i128::from(self.maximum) - i128::from(self.minimum)).max(0)
    }

    fn step(&self) -> i128 {
        i128::from(self.step.max(1))
    }

    fn granted(&self, value: i128) -> i64 {
        if !self.is_movable() {
            return self.value;
        }
        let (least, most) = (i128::from(self.minimum), i128::from(self.maximum));
        i64::try_from(value.clamp(least, most)).unwrap_or(self.value)
    }

    fn choice(&self, value: i64) -> Option<&str> {
        let index = usize::try_from(value.checked_sub(self.minimum)?).ok()?;
        self.choices.get(index).map(String::as_str)
    }

    /// Its value in words.
    pub(super) fn said(&self) -> Short {
        match self.choice(self.value) {
            Some(choice) => Short::of(format_args!("{choice}")),
            None if self.is_switch() => {
                Short::of(format_args!("{}", if self.value == 0 { "off" } else { "on" }))
            }
            None => Short::of(format_args!("{}", self.value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(minimum: i64, maximum: i64, step: u64, value: i64) -> Widget {
        Widget { minimum, maximum, step, value, default: 5, ..Widget::default() }
    }

    #[test]
    fn values_stay_within_any_range() {
        let edges = [i64::MIN, -7, 0, 3, i64::MAX];
        for (minimum, maximum) in edges.into_iter().flat_map(|a| edges.map(|b| (a, b))) {
            for step in [0, 1, 3, u64::MAX] {
                for value in edges {
                    let control = control(minimum, maximum, step, value);
                    let found = [f64::NAN, -1.0, 0.0, 0.3, 1.0, f64::INFINITY]
                        .map(|part| control.at_part(part))
                        .into_iter()
                        .chain(edges.map(|steps| control.stepped(steps)));
                    for found in found {
                        let is_inside = (minimum..=maximum).contains(&found);
                        assert!(is_inside || (minimum >= maximum && found == value));
                    }
                }
            }
        }
    }

    #[test]
    fn sliders_stop_at_steps_and_at_both_ends() {
        let control = control(-10, 11, 4, 2);
        let values = [0.0, 0.1, 0.5, 0.99, 1.0].map(|part| control.at_part(part));
        assert_eq!(values, [-10, -6, 2, 10, 11]);
        assert_eq!([1, -1, 9].map(|steps| control.stepped(steps)), [6, -2, 11]);
    }
}
