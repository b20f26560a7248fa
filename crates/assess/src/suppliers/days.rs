//! Days of contact.

use umbilical_core::Day;

const SECONDS: i64 = 86_400;

/// Days since 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn number(day: Day) -> i64 {
    let (y, m, d) = (i64::from(day.year), i64::from(day.month), i64::from(day.day));
    let y = if m <= 2 { y.saturating_sub(1) } else { y };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = if m > 2 { m.saturating_sub(3) } else { m.saturating_add(9) };
    let doy = mp.saturating_mul(153).saturating_add(2).div_euclid(5).saturating_add(d).saturating_sub(1);
    let doe = yoe.saturating_mul(365).saturating_add(yoe.div_euclid(4)).saturating_sub(yoe.div_euclid(100)).saturating_add(doy);
    era.saturating_mul(146_097).saturating_add(doe).saturating_sub(719_468)
}

fn of_number(number: i64) -> Option<Day> {
    Day::from_unix(number.checked_mul(SECONDS)?)
}

/// The first of `from + step`, `from + 2 step`, … that lies behind `after`; a Saturday or Sunday becomes the Monday after.
pub(super) fn next_contact(from: Day, step: i64, after: Day) -> Option<Day> {
    let (start, after) = (number(from), number(after));
    let behind = after.saturating_sub(start).max(0);
    let steps = behind.checked_div(step)?.checked_add(1)?;
    let day = start.checked_add(step.checked_mul(steps)?)?;
    // 1970-01-01 was a Thursday.
    let weekend = match day.checked_add(3)?.rem_euclid(7) {
        5 => 2,
        6 => 1,
        _ => 0,
    };
    of_number(day.checked_add(weekend)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_added_over_months_and_leap_days() {
        assert_eq!(number(day("1970-01-01")), 0);
        let plus = |from: &str, days: i64| of_number(number(day(from)) + days);
        assert_eq!(plus("2028-02-28", 2), Some(day("2028-03-01")));
        assert_eq!(plus("2026-12-31", 1), Some(day("2027-01-01")));
    }

    #[test]
    fn contact_is_made_behind_today_and_on_a_working_day() {
        // 2026-12-01 is a Tuesday.
        assert_eq!(next_contact(day("2026-12-01"), 14, day("2026-11-25")), Some(day("2026-12-15")));
        assert_eq!(next_contact(day("2026-12-01"), 14, day("2026-12-15")), Some(day("2026-12-29")));
        // 2026-11-28 is a Saturday.
        assert_eq!(next_contact(day("2026-11-27"), 1, day("2026-11-27")), Some(day("2026-11-30")));
    }
}
