//! What tables that an operator keeps of its own subscribers have in common: where their heads stand, how they write nothing, and how times.

use std::io;

use umbilical_core::text::short;
use umbilical_core::{Day, number};

use super::Understood;
use super::dates::{self, Order};
use super::rows::{Form, Met, Row, for_each_row};
use crate::Source;

/// Rows above the heads that are passed over.
const TITLES: usize = 20;

/// What stands below the heads.
pub(super) enum Below<'r, 'a> {
    /// A row.
    Row(&'r Row<'a>),
    /// None that can be read, and why.
    Wrong(&'static str),
}

/// What makes columns of a row of heads; `None` where it is none.
pub(super) type Heads<'h, C> = &'h dyn Fn(&[&str]) -> Option<Vec<Option<C>>>;
/// Whoever gets rows: their numbers, the columns, what stands there.
pub(super) type EachRow<'e, C> = &'e mut dyn FnMut(u32, &[Option<C>], Below<'_, '_>);

/// Reads what stands below the first row that `heads` takes for one; `each` gets it with its number and the columns. Gives how each column
/// was understood, `head → meaning`, or `None` where no row is one of heads.
pub(super) fn below<C: Copy>(
    source: &mut Source<'_>,
    heads: Heads<'_, C>,
    name: fn(C) -> &'static str,
    each: EachRow<'_, C>,
) -> io::Result<Option<Understood>> {
    let form = {
        let head = source.head("");
        let text = head.text.as_deref().unwrap_or_default();
        let end = if text.contains('\n') || !text.contains('\r') { b'\n' } else { b'\r' };
        let fits = |delimiter: &u8| {
            let cells = |line: &str| heads(&line.split(char::from(*delimiter)).collect::<Vec<_>>()).is_some();
            text.split(char::from(end)).take(TITLES).any(cells)
        };
        match [b',', b';', b'\t', b'|'].into_iter().find(fits) {
            Some(delimiter) => Form { delimiter: Some(delimiter), end },
            None => return Ok(None),
        }
    };
    let mut columns: Option<Vec<Option<C>>> = None;
    let mut mapping = Vec::new();
    for_each_row(&mut *source.utf8(), form, |met| {
        let known = columns.as_deref().unwrap_or_default();
        match met {
            Met::Row(_, row) if row.is_blank() => {}
            Met::Row(n, row) if columns.is_some() => each(n, known, Below::Row(&row)),
            Met::Row(_, row) => {
                columns = heads(&(0..row.len()).map(|i| row.get(i)).collect::<Vec<_>>());
                for (i, column) in columns.iter().flatten().enumerate() {
                    mapping.push(format!("{} → {}", short(row.get(i).trim(), 60), column.map_or("ignored", name)));
                }
            }
            Met::TooLong(n) => each(n, known, Below::Wrong("this line is longer than 1 MiB: it is skipped")),
            Met::OpenQuote(n) => {
                let what = "a quote is opened here and never closed: from here on each line is read as a row of its own";
                each(n, known, Below::Wrong(what));
            }
        }
    })?;
    Ok(columns.is_some().then_some(mapping))
}

/// Nothing, as exports write it.
pub(super) fn nothing(text: &str) -> bool {
    text.is_empty() || ["null", "none", "nil", "n/a", "na", "-", "--", "\\n", "nan"].iter().any(|w| text.eq_ignore_ascii_case(w))
}

/// The digits of a module's number.
pub(super) fn equipment(text: &str) -> Option<String> {
    match number::imei(text) {
        number::Imei::Whole { .. } => Some(text.chars().filter(char::is_ascii_digit).collect()),
        _ => None,
    }
}

const SECOND: i64 = 1_000_000;

/// Microseconds since 1970 of a time as exports write it: RFC 3339, the same with a blank and without a zone (UTC), or a number of
/// seconds, milliseconds or microseconds.
pub(super) fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(number) = epoch(text) {
        return Some(number);
    }
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let at = |n: usize| text.as_bytes().get(n).copied();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !matches!((at(4), at(7)), (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'/'))) {
        return None;
    }
    let day = Day::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    let days = day.days_since(Day::from_unix(0)?);
    let midnight = days.checked_mul(86_400)?.checked_mul(SECOND)?;
    let Some(rest) = text.get(10..).filter(|r| !r.is_empty()) else { return Some(midnight) };
    midnight.checked_add(clock(rest.strip_prefix(['T', 't', ' '])?)?)
}

/// Microseconds since midnight in UTC of `12:00`, `12:00:00.5` and the like, with a zone or without.
fn clock(rest: &str) -> Option<i64> {
    let digits = |from: usize| {
        let part = rest.get(from..from.checked_add(2)?)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok())?
    };
    let colon = |n: usize| rest.as_bytes().get(n) == Some(&b':');
    let (hour, minute) = (digits(0)?, digits(3)?);
    // Seconds may be left out.
    let (second, mut zone) = if colon(5) { (digits(6)?, rest.get(8..)?) } else { (0, rest.get(5..)?) };
    if !colon(2) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if let Some(fraction) = zone.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let kept: String = fraction.chars().take(length.min(6)).collect();
        micros = format!("{kept:0<6}").parse().ok().filter(|_| length > 0)?;
        zone = fraction.get(length..)?;
    }
    let ahead = offset(zone.trim())?;
    let seconds = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?.checked_sub(ahead)?;
    seconds.checked_mul(SECOND)?.checked_add(micros)
}

/// What tells the order of day and month in a table: its first rows.
pub(super) fn order(source: &Source<'_>) -> Order {
    let head = source.head("");
    let text = head.text.as_deref().unwrap_or_default();
    Order::of(text.split([',', ';', '\t', '|', '\n', '\r']).map(|cell| cell.trim_matches(['"', '\'', ' '])))
}

/// A day and a time of it: as [`time`] reads them, or the day in any usual form, or all in a row (`20261101120000`, TS 32.297 and many a
/// switch). A day alone is none.
pub(super) fn moment(text: &str, order: Order) -> Option<i64> {
    let text = text.trim();
    if text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) {
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let clock = format!("{}:{}:{}", part(8, 10), part(10, 12), part(12, 14));
        return time(&format!("{}-{}-{} {clock}", part(0, 4), part(4, 6), part(6, 8)));
    }
    let Some(colon) = text.find(':') else { return epoch(text) };
    if let Some(found) = time(text) {
        return Some(found);
    }
    let (before, _) = text.split_at_checked(colon)?;
    let hour = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (day, rest) = text.split_at_checked(hour)?;
    let day = day.trim_end_matches([' ', ',', 'T']);
    // A day of digits alone could be an hour's neighbour in something else.
    let day = dates::parse(day, order).filter(|_| day.len() >= 6)?;
    let midnight = day.days_since(Day::from_unix(0)?).checked_mul(86_400)?.checked_mul(SECOND)?;
    midnight.checked_add(spoken(rest)?)
}

/// A time of day as people write it: `9:14`, `9:14:55 PM`.
fn spoken(text: &str) -> Option<i64> {
    let low = text.trim().to_ascii_lowercase();
    let half = low.strip_suffix("am").map(|rest| (rest, 0)).or_else(|| low.strip_suffix("pm").map(|rest| (rest, 12)));
    let bare = half.map_or(text.trim(), |(rest, _)| rest.trim());
    let (hour, rest) = bare.split_once(':')?;
    let hour: i64 = hour.parse().ok()?;
    let hour = match half {
        Some((_, later)) => (1..=12).contains(&hour).then_some(hour % 12 + later)?,
        None => hour,
    };
    clock(&format!("{hour:02}:{rest}"))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1i64, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    (hours < 24 && minutes < 60).then(|| hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_mul(sign))?
}

/// Seconds (with or without a fraction), milliseconds or microseconds since 1970, told by how many digits there are.
fn epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let micros = match whole.len() {
        9 | 10 => number.checked_mul(SECOND)?,
        12 | 13 => number.checked_mul(1000)?,
        15 | 16 => number,
        _ => return None,
    };
    let part: String = fraction.chars().take(6).collect();
    let part: i64 = if whole.len() <= 10 { format!("{part:0<6}").parse().ok()? } else { 0 };
    micros.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_in_more_clothes() {
        let noon = 1_793_534_400_000_000;
        for text in [
            "2026-11-01 12:00:00",
            "20261101120000",
            "01.11.2026 12:00:00",
            "1.11.2026, 12:00",
            "01-Nov-2026 12:00:00",
            "20261101 12:00:00",
            "Nov 1, 2026 12:00 PM",
            "Sun, 01 Nov 2026 13:00:00 +0100",
            "1793534400",
        ] {
            assert_eq!(moment(text, Order::Unclear), Some(noon), "{text}");
        }
        assert_eq!(moment("11/01/2026 12:00:00 PM", Order::MonthFirst), Some(noon));
        assert_eq!(moment("01/11/2026 12:00", Order::DayFirst), Some(noon));
        assert_eq!(moment("2026-11-01 12:30:00 AM", Order::Unclear), Some(noon - 11 * 3_600_000_000 - 1_800_000_000));
        for text in [
            "01/11/2026 12:00",
            "2026-11-01",
            "01.11.2026",
            "12:00",
            "2026-11-01 13:00 PM",
            "2026-11-01 12:00 CET",
            "20261301120000",
            "",
            ":",
            "é:é",
        ] {
            assert_eq!(moment(text, Order::Unclear), None, "{text}");
        }
    }

    #[test]
    fn times_as_exports_write_them() {
        let noon = 1_793_534_400_000_000;
        for text in [
            "2026-11-01T12:00:00Z",
            "2026-11-01 12:00:00",
            "2026/11/01 12:00",
            "2026-11-01T14:00:00.000+02:00",
            "2026-11-01 07:00:00 -0500",
            "1793534400",
            "1793534400000",
            "1793534400.0",
            "1793534400000000",
        ] {
            assert_eq!(time(text), Some(noon), "{text}");
        }
        assert_eq!(time("2026-11-01T12:00:00.25Z"), Some(noon + 250_000));
        assert_eq!(time("2026-11-01"), Some(noon - 43_200_000_000));
        for text in
            ["", "12:00", "2026-13-01 00:00:00", "2026-11-01T25:00:00Z", "2026-11-01 12:00 CET", "20261101", "2026-11-01T12:00:00.Z"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
