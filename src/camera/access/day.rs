//! A day of the calendar, as it stands in the list of keys: `2026-11-30`.

use std::fmt;
use std::time::Duration;

/// Days since 1970-01-01, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

/// The last day that is written with four digits of a year: 9999-12-31.
const LAST: u32 = 2_932_896;

const SECONDS: u64 = 24 * 60 * 60;

impl Day {
    /// The day at this time since 1970.
    pub fn at(since_1970: Duration) -> Self {
        let days = u32::try_from(since_1970.as_secs() / SECONDS).unwrap_or(LAST);
        Self(days.min(LAST))
    }

    /// Reads `2026-11-30`; `None` if there is no such day.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |len: usize| -> Option<u32> {
            let part = parts.next().filter(|part| part.len() == len)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            part.parse().ok()
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        let found = Self(days_to(year, month)?.checked_add(day.checked_sub(1)?)?);
        // Only a real day is written as it was read.
        (found.to_string() == text).then_some(found)
    }

    fn year_month_day(self) -> (u32, u32, u32) {
        // In 400 years of the calendar there are 97 leap days, so no year begins more than a day away from this.
        let mut year = 1970 + self.0 * 400 / 146_097;
        while days_to(year, 1).is_none_or(|days| days > self.0) {
            year -= 1;
        }
        while days_to(year + 1, 1).is_some_and(|days| days <= self.0) {
            year += 1;
        }
        let begins = |month: u32| days_to(year, month).filter(|days| *days <= self.0);
        let last = (1..=12).rev().find_map(|month| Some((month, begins(month)?)));
        let (month, first) = last.unwrap_or((1, self.0));
        (year, month, self.0 - first + 1)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.year_month_day();
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

/// How many days lie between 1970-01-01 and the first of this month.
fn days_to(year: u32, month: u32) -> Option<u32> {
    /// How many days of a year without a leap day lie before each month.
    const BEFORE: [u32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = *BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let whole = year.checked_sub(1970)?;
    let leap_days = |year: u32| year / 4 - year / 100 + year / 400;
    let is_leap = leap_days(year) > leap_days(year - 1);
    let leaps = leap_days(year - 1) - leap_days(1969) + u32::from(is_leap && month > 2);
    Some(whole * 365 + leaps + before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_787, "2026-11-30"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
            (LAST, "9999-12-31"),
        ] {
            let day = Day::at(Duration::from_secs(u64::from(days) * SECONDS + SECONDS - 1));
            assert_eq!((day, day.to_string().as_str()), (Day(days), text));
            assert_eq!(Day::parse(text), Some(day));
        }
        assert_eq!(Day::at(Duration::MAX), Day(LAST));
    }

    #[test]
    fn every_day_of_centuries_is_read_as_it_is_written() {
        for days in (0..=160_000).chain(LAST - 800..=LAST) {
            assert_eq!(Day::parse(&Day(days).to_string()), Some(Day(days)));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026-11-31",
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "1969-12-31",
            "26-11-30",
            "2026-1-30",
            "2026-11-30 ",
            "2026-11-30-1",
            "+026-11-30",
            "２０２６-11-30",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
