//! Days, and dates known only to the month or year.
//!
//! Edges and listings hold on `from ≤ day < to`; a day inside a bound that is known only by year or month
//! cannot be decided and is said to be so ([`Holds::Unclear`]).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A calendar day (proleptic Gregorian), ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    /// Year, 1..=9999.
    pub year: u16,
    /// Month, 1..=12.
    pub month: u8,
    /// Day of month, 1..=31.
    pub day: u8,
}

impl Day {
    /// A day that exists, or nothing.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let fits = (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        fits.then_some(Self { year, month, day })
    }

    /// The UTC day of a Unix time in seconds (Howard Hinnant's `civil_from_days`).
    pub fn from_unix(seconds: i64) -> Option<Self> {
        let days = seconds.div_euclid(86_400).checked_add(719_468)?;
        let era = days.div_euclid(146_097);
        let doe = days.rem_euclid(146_097);
        // Nothing here saturates: the day of an era is below 146,097, the era far below i64::MAX / 400.
        let yoe = doe.saturating_sub(doe / 1460).saturating_add(doe / 36_524).saturating_sub(doe / 146_096) / 365;
        let before = yoe.saturating_mul(365).saturating_add(yoe / 4).saturating_sub(yoe / 100);
        let doy = doe.saturating_sub(before);
        let mp = doy.saturating_mul(5).saturating_add(2) / 153;
        let day = u8::try_from(doy.saturating_sub(mp.saturating_mul(153).saturating_add(2) / 5).saturating_add(1)).ok()?;
        let month = u8::try_from(if mp < 10 { mp.saturating_add(3) } else { mp.saturating_sub(9) }).ok()?;
        let year = u16::try_from(era.saturating_mul(400).saturating_add(yoe).saturating_add(i64::from(month <= 2))).ok()?;
        Self::new(year, month, day)
    }
}

impl Day {
    /// Days since the civil epoch, by the same calendar (Howard Hinnant's `days_from_civil`).
    fn number(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = i64::from(self.year).saturating_sub(i64::from(month <= 2));
        let era = year.div_euclid(400);
        let yoe = year.rem_euclid(400);
        let mp = if month > 2 { month.saturating_sub(3) } else { month.saturating_add(9) };
        let doy = mp.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(day).saturating_sub(1);
        let doe = yoe.saturating_mul(365).saturating_add(yoe / 4).saturating_sub(yoe / 100).saturating_add(doy);
        era.saturating_mul(146_097).saturating_add(doe)
    }

    /// The day so many days later, or earlier where it is negative; nothing outside the years 1 to 9999.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        let number = self.number().checked_add(days)?.checked_sub(719_468)?;
        Self::from_unix(number.checked_mul(86_400)?)
    }

    /// Days from another day to this one; negative where that is later.
    pub fn days_since(self, earlier: Self) -> i64 {
        self.number().saturating_sub(earlier.number())
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// As `YYYY-MM-DD`.
impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What was wrong with a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDate(pub String);

impl fmt::Display for BadDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a date: write YYYY-MM-DD", self.0)
    }
}

impl std::error::Error for BadDate {}

impl FromStr for Day {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        match Loose::from_str(text)? {
            Loose::Day(day) => Ok(day),
            _ => Err(BadDate(text.to_owned())),
        }
    }
}

/// A date as sources give it: a day, a month or a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loose {
    /// `2017`
    Year(u16),
    /// `2025-06`
    Month(u16, u8),
    /// `2025-01-07`
    Day(Day),
}

impl Loose {
    /// The first day it can mean.
    pub fn earliest(self) -> Day {
        match self {
            Self::Year(year) => Day { year, month: 1, day: 1 },
            Self::Month(year, month) => Day { year, month, day: 1 },
            Self::Day(day) => day,
        }
    }

    /// The last day it can mean.
    pub fn latest(self) -> Day {
        match self {
            Self::Year(year) => Day { year, month: 12, day: 31 },
            Self::Month(year, month) => Day { year, month, day: days_in(year, month) },
            Self::Day(day) => day,
        }
    }
}

impl FromStr for Loose {
    type Err = BadDate;
    fn from_str(text: &str) -> Result<Self, BadDate> {
        let bad = || BadDate(text.to_owned());
        let mut parts = text.trim().split('-');
        let mut number = |digits: usize| -> Result<Option<u16>, BadDate> {
            match parts.next() {
                None => Ok(None),
                Some(p) if p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()) => p.parse().map(Some).map_err(|_| bad()),
                Some(_) => Err(bad()),
            }
        };
        let year = number(4)?.ok_or_else(bad)?;
        let month = number(2)?;
        let day = number(2)?;
        if number(1)?.is_some() {
            return Err(bad());
        }
        match (month, day) {
            (None, _) => (1..=9999).contains(&year).then_some(Self::Year(year)).ok_or_else(bad),
            (Some(m), None) => Day::new(year, u8::try_from(m).map_err(|_| bad())?, 1).map(|d| Self::Month(d.year, d.month)).ok_or_else(bad),
            (Some(m), Some(d)) => {
                Day::new(year, u8::try_from(m).map_err(|_| bad())?, u8::try_from(d).map_err(|_| bad())?).map(Self::Day).ok_or_else(bad)
            }
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(y) => write!(f, "{y:04}"),
            Self::Month(y, m) => write!(f, "{y:04}-{m:02}"),
            Self::Day(d) => d.fmt(f),
        }
    }
}

/// Whether something dated holds on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The day lies inside a bound known only by month or year.
    Unclear,
}

/// `from ≤ day < to`; an open end is `None`.
pub fn holds(day: Day, from: Option<Loose>, to: Option<Loose>) -> Holds {
    let started = match from {
        Some(f) if day < f.earliest() => return Holds::No,
        Some(f) => day >= f.latest(),
        None => true,
    };
    let ended = match to {
        Some(t) if day >= t.latest() => return Holds::No,
        Some(t) => day >= t.earliest(),
        None => false,
    };
    if started && !ended { Holds::Yes } else { Holds::Unclear }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_day_holds_and_the_last_does_not() {
        let (from, to) = ("2020-11-18".parse().ok(), "2024-07-26".parse().ok());
        assert_eq!(holds(day("2020-11-17"), from, to), Holds::No);
        assert_eq!(holds(day("2020-11-18"), from, to), Holds::Yes);
        assert_eq!(holds(day("2024-07-25"), from, to), Holds::Yes);
        assert_eq!(holds(day("2024-07-26"), from, to), Holds::No);
    }

    #[test]
    fn a_day_inside_a_month_only_bound_is_unclear() {
        let to = "2025-06".parse().ok();
        assert_eq!(holds(day("2025-05-31"), None, to), Holds::Yes);
        assert_eq!(holds(day("2025-06-01"), None, to), Holds::Unclear);
        assert_eq!(holds(day("2025-06-30"), None, to), Holds::No);
        let from = "2017".parse().ok();
        assert_eq!(holds(day("2016-12-31"), from, None), Holds::No);
        assert_eq!(holds(day("2017-06-01"), from, None), Holds::Unclear);
        assert_eq!(holds(day("2018-01-01"), from, None), Holds::Yes);
    }

    #[test]
    fn bad_dates_are_refused() {
        for text in ["", "2026-13-01", "2026-02-30", "26-01-01", "2026-1-1", "2026-01-01-01", "2026/01/01", "0000-01-01"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
        assert_eq!(Day::from_unix(0).map(|d| d.to_string()).as_deref(), Some("1970-01-01"));
        assert_eq!(Day::from_unix(1_795_478_400).map(|d| d.to_string()).as_deref(), Some("2026-11-24"));
        // The leap day at the end of an era, the days around it, and times that no calendar has.
        let days = [951_782_400, 951_868_800, -86_400, 253_402_300_799].map(|s| Day::from_unix(s).map(|d| d.to_string()));
        assert_eq!(days.each_ref().map(Option::as_deref), [Some("2000-02-29"), Some("2000-03-01"), Some("1969-12-31"), Some("9999-12-31")]);
        assert_eq!([i64::MIN, i64::MAX, 253_402_300_800].map(Day::from_unix), [None; 3]);
    }

    #[test]
    fn days_before_and_after() {
        let plus = |day: &str, n| day.parse::<Day>().unwrap().plus_days(n).map(|d| d.to_string());
        assert_eq!(plus("2024-02-28", 1).as_deref(), Some("2024-02-29"));
        assert_eq!(plus("2025-03-01", -1).as_deref(), Some("2025-02-28"));
        assert_eq!(plus("1970-01-01", 0).as_deref(), Some("1970-01-01"));
        assert_eq!((plus("0001-01-01", -1), plus("9999-12-31", 1), plus("2025-01-01", i64::MAX)), (None, None, None));
    }
}
