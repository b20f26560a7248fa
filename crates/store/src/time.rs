//! Instants as they are stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use umbilical_core::Day;

/// Milliseconds since 1970-01-01T00:00:00Z, by the caller's clock: the store has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

/// One day.
pub(crate) const DAY: i64 = 86_400_000;

impl Time {
    /// So many days earlier.
    pub fn days_before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(days).saturating_mul(DAY)))
    }
}

impl Time {
    /// The time of an RFC 3339 text in UTC (`…Z`), to the millisecond; `None` of any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let (day, clock) = text.strip_suffix('Z')?.split_once('T')?;
        let day: Day = day.parse().ok()?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
        let mut parts = clock.split(':').map(|p| p.parse::<i64>().ok().filter(|_| p.len() == 2));
        let (h, m, s) = (parts.next()??, parts.next()??, parts.next()??);
        let ms: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
        let within = (0..24).contains(&h) && (0..60).contains(&m) && (0..=60).contains(&s) && ms >= 0 && parts.next().is_none();
        let days = day.days_since(Day { year: 1970, month: 1, day: 1 });
        let clock = h.checked_mul(3_600_000)?.checked_add(m.checked_mul(60_000)?)?.checked_add(s.checked_mul(1000)?)?.checked_add(ms)?;
        within.then(|| Self(days.saturating_mul(DAY).saturating_add(clock)))
    }
}

/// RFC 3339 in UTC, to the millisecond; a time outside the years 1 to 9999 is shown as its number.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(day) = Day::from_unix(self.0.div_euclid(1000)) else { return write!(f, "{}", self.0) };
        let ms = self.0.rem_euclid(DAY);
        let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{day}T{h:02}:{m:02}:{s:02}.{:03}Z", ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Time(951_782_399_007).to_string(), "2000-02-28T23:59:59.007Z");
        assert_eq!(Time(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Time(i64::MAX).to_string(), i64::MAX.to_string());
        for time in [Time(0), Time(951_782_399_007), Time(-1), Time(1_790_000_000_123)] {
            assert_eq!(Time::parse(&time.to_string()), Some(time));
        }
        assert_eq!(Time::parse("1970-01-01T00:00:01.5Z"), Some(Time(1500)));
        assert_eq!(Time::parse("1970-01-01T00:00:01.123456Z"), Some(Time(1123)));
        for text in ["", "1970-01-01", "1970-01-01T00:00:00", "1970-13-01T00:00:00Z", "1970-01-01T25:00:00Z", "1970-01-01T00:00:00.-1Z"] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
        assert_eq!(Time(DAY * 3).days_before(3), Time(0));
    }
}
