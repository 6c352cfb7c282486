//! Parses and prints values in the form that people use: `on`, `50 Hz`, `0x1f`.

use super::control::{Control, ControlType, Item, Value, plain};
use crate::wording::either;

impl Control {
    /// Parses `text` as a value for this control. The error says what is expected.
    pub(in super::super) fn parse(&self, text: &str) -> Result<Value, String> {
        if self.is_fixed() {
            return Err(match self.kind {
                ControlType::Class => "it is the title of a group, not a control".into(),
                ControlType::Other { .. } => {
                    format!("lancam cannot set a control of type \"{}\"", self.kind)
                }
                _ => "it can only be read".into(),
            });
        }
        if self.kind == ControlType::Text {
            return self.parse_text(text);
        }
        let text = text.trim();
        match &self.kind {
            ControlType::Button => match text {
                "" | "press" | "1" => Ok(Value::Number(1)),
                _ => Err(expected("press")),
            },
            ControlType::Menu(items) | ControlType::IntegerMenu(items) => {
                match find_item(items, text) {
                    Some(item) => Ok(Value::Number(item.number)),
                    None if text == DEFAULT => Ok(Value::Number(self.default)),
                    None => Err(expected(&list(items))),
                }
            }
            _ if text == DEFAULT => Ok(Value::Number(self.default)),
            ControlType::Boolean => match text.to_ascii_lowercase().as_str() {
                "1" | "on" | "true" | "yes" => Ok(Value::Number(1)),
                "0" | "off" | "false" | "no" => Ok(Value::Number(0)),
                _ => Err(expected("on or off")),
            },
            ControlType::Bitmask => number(text)
                .filter(|bits| bits & !self.maximum == 0)
                .map(Value::Number)
                .ok_or_else(|| expected(&format!("bits of {:#x}", self.maximum))),
            _ => number(text)
                // If the range is reversed it is wrong; let the driver decide.
                .filter(|it| {
                    self.maximum < self.minimum || (self.minimum..=self.maximum).contains(it)
                })
                .map(Value::Number)
                .ok_or_else(|| expected(&self.range())),
        }
    }

    fn parse_text(&self, text: &str) -> Result<Value, String> {
        let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let is_step = len.checked_sub(self.minimum).is_some_and(|over| {
            u64::try_from(over).is_ok_and(|over| over.is_multiple_of(self.step))
        });
        if text.contains('\0') || len > self.maximum || !is_step {
            return Err(expected(&format!("a text of {}", self.lengths())));
        }
        Ok(Value::Text(text.into()))
    }

    /// `0 to 255`, `-10 to 10 in steps of 5`.
    pub(super) fn range(&self) -> String {
        self.range_of("")
    }

    /// Of a text: `2 to 6 bytes in steps of 2`.
    pub(super) fn lengths(&self) -> String {
        self.range_of(" bytes")
    }

    fn range_of(&self, unit: &str) -> String {
        let Self { minimum, maximum, step, .. } = self;
        match step {
            1 => format!("{minimum} to {maximum}{unit}"),
            _ => format!("{minimum} to {maximum}{unit} in steps of {step}"),
        }
    }

    /// `value` in words for people: `1 (50 Hz)`.
    pub(in super::super) fn spell(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (_, Value::Text(text)) => format!("\"{}\"", text.escape_debug()),
            (ControlType::Boolean, Value::Number(0)) => "off".into(),
            (ControlType::Boolean, Value::Number(1)) => "on".into(),
            (ControlType::Bitmask, Value::Number(bits)) => format!("{bits:#x}"),
            (ControlType::Menu(items) | ControlType::IntegerMenu(items), Value::Number(number)) => {
                match items.iter().find(|item| item.number == *number) {
                    Some(item) => format!("{number} ({})", item.text),
                    None => number.to_string(),
                }
            }
            (_, Value::Number(number)) => number.to_string(),
        }
    }
}

/// Finds an item by its number, otherwise by its text, ignoring case and punctuation.
fn find_item<'a>(items: &'a [Item], text: &str) -> Option<&'a Item> {
    let is_named = |item: &&Item| {
        let is_alike = item.text.trim().eq_ignore_ascii_case(text);
        is_alike || !plain(text).is_empty() && plain(&item.text) == plain(text) && !is_number(text)
    };
    let by_number = number(text).and_then(|it| items.iter().find(|item| item.number == it));
    by_number.or_else(|| items.iter().find(is_named))
}

/// `0 (Disabled) or 1 (50 Hz)`; a long list is cut.
fn list(items: &[Item]) -> String {
    let shown = items.iter().take(SHOWN_ITEMS);
    let names: Vec<String> =
        shown.map(|Item { number, text }| format!("{number} ({text})")).collect();
    match items.last() {
        None => "nothing".into(),
        Some(last) if items.len() > SHOWN_ITEMS => {
            format!("{}, … up to {}", names.join(", "), last.number)
        }
        Some(_) => either(&names),
    }
}

fn is_number(text: &str) -> bool {
    number(text).is_some()
}

/// Decimal, or hexadecimal with `0x`.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => i64::from_str_radix(&format!("{sign}{digits}"), 16).ok(),
        None => format!("{sign}{digits}").parse().ok(),
    }
}

fn expected(what: &str) -> String {
    format!("it must be {what}")
}

/// The word for the driver's default value, unless a menu has an item of that name.
const DEFAULT: &str = "default";

/// How many items a list shows: enough for every menu except those of test drivers, and short
/// enough for a line of the log.
const SHOWN_ITEMS: usize = 12;

#[cfg(test)]
mod tests {
    use super::super::driver::RawControl;
    use super::super::fake::{FakeDriver, raw};
    use super::*;

    fn control(raw: &RawControl) -> Control {
        Control::new(raw, "some".into(), &FakeDriver::default())
    }

    fn parse(raw: &RawControl, text: &str) -> Result<i64, String> {
        match control(raw).parse(text)? {
            Value::Number(number) => Ok(number),
            Value::Text(text) => panic!("{text}"),
        }
    }

    #[test]
    fn a_number_is_checked_before_the_driver_is_asked() {
        let integer = RawControl { minimum: -10, maximum: 100, step: 5, ..raw(1, 1, "Pan") };
        for (text, number) in
            [("0", 0), (" -10 ", -10), ("100", 100), ("0x10", 16), ("+7", 7), ("default", 128)]
        {
            assert_eq!(parse(&integer, text), Ok(number), "{text}");
        }
        let expected = Err("it must be -10 to 100 in steps of 5".to_owned());
        for text in ["101", "-11", "", "on", "0x", "--5", "1e3", "99999999999999999999"] {
            assert_eq!(parse(&integer, text), expected, "{text}");
        }
        let plain = raw(1, 1, "Brightness");
        assert_eq!(parse(&plain, "300"), Err("it must be 0 to 255".into()));
    }

    #[test]
    fn a_range_the_wrong_way_round_is_left_to_the_driver() {
        let lying = RawControl { minimum: 9, maximum: -9, step: 0, ..raw(1, 1, "Lies") };
        assert_eq!(parse(&lying, "1000"), Ok(1000));
    }

    #[test]
    fn yes_and_no_have_many_names() {
        let switch = RawControl { maximum: 1, default: 1, ..raw(1, 2, "Switch") };
        for text in ["on", "true", "1", "YES", "default"] {
            assert_eq!(parse(&switch, text), Ok(1), "{text}");
        }
        for text in ["off", "False", "0", "no"] {
            assert_eq!(parse(&switch, text), Ok(0), "{text}");
        }
        assert_eq!(parse(&switch, "2"), Err("it must be on or off".into()));
    }

    #[test]
    fn a_menu_takes_the_number_or_the_text_of_an_item() {
        let menu = RawControl { maximum: 4, default: 2, ..raw(1, 3, "Menu") };
        for (text, number) in
            [("2", 2), ("Item 4", 4), ("item 0", 0), ("item_2", 2), ("default", 2)]
        {
            assert_eq!(parse(&menu, text), Ok(number), "{text}");
        }
        for text in ["1", "5", "Item", "", "-"] {
            let error = parse(&menu, text).expect_err(text);
            assert_eq!(error, "it must be 0 (Item 0), 2 (Item 2) or 4 (Item 4)");
        }
        let long = RawControl { maximum: 10_000, ..menu };
        assert!(parse(&long, "x").expect_err("no item").len() < 250);
    }

    #[test]
    fn a_button_is_pressed_and_bits_are_bits() {
        let button = raw(1, 4, "Button");
        assert_eq!((parse(&button, ""), parse(&button, "press")), (Ok(1), Ok(1)));
        assert_eq!(parse(&button, "7"), Err("it must be press".into()));
        let mask = RawControl { maximum: 0x8000_2000, ..raw(1, 8, "Mask") };
        assert_eq!(parse(&mask, "0x80000000"), Ok(0x8000_0000));
        for text in ["1", "-1", "0x100000000", "bits"] {
            assert_eq!(parse(&mask, text), Err("it must be bits of 0x80002000".into()), "{text}");
        }
    }

    #[test]
    fn a_text_has_a_length() {
        let text = RawControl { minimum: 2, maximum: 6, step: 2, ..raw(1, 7, "Text") };
        let parse = |value: &str| control(&text).parse(value);
        assert_eq!(parse(" a b"), Ok(Value::Text(" a b".into())));
        for value in ["", "a", "abc", "abcdefgh", "a\0"] {
            let expected = "it must be a text of 2 to 6 bytes in steps of 2";
            assert_eq!(parse(value), Err(expected.into()), "{value:?}");
        }
        let lying = RawControl { minimum: i64::MIN, maximum: i64::MIN, step: 0, ..text };
        assert!(control(&lying).parse("a").is_err());
    }

    #[test]
    fn what_cannot_be_set_says_why() {
        for (kind, flags, why) in [
            (6, 0, "it is the title of a group, not a control"),
            (0x106, 0, "lancam cannot set a control of type \"area\""),
            (0x7777, 0, "lancam cannot set a control of type \"unknown type 0x7777\""),
            (1, 4, "it can only be read"),
        ] {
            let fixed = RawControl { flags, ..raw(1, kind, "Fixed") };
            assert_eq!(parse(&fixed, "1"), Err(why.into()));
        }
    }

    #[test]
    fn a_value_is_spelled_as_people_say_it() {
        let menu = control(&RawControl { maximum: 4, ..raw(1, 3, "Menu") });
        assert_eq!(menu.spell(&Value::Number(2)), "2 (Item 2)");
        assert_eq!(menu.spell(&Value::Number(3)), "3");
        assert_eq!(control(&raw(1, 2, "Switch")).spell(&Value::Number(1)), "on");
        assert_eq!(control(&raw(1, 7, "Text")).spell(&Value::Text("a\"\n".into())), r#""a\"\n""#);
    }
}
