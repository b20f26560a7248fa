//! Dates as exports write them.

use umbilical_core::Day;

/// Which number comes first in `03/04/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// Nothing in the column tells: such dates are left out.
    #[default]
    Unclear,
    /// 3 April.
    DayFirst,
    /// March 4.
    MonthFirst,
}

impl Order {
    /// What the values of a column tell.
    pub fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut order = Self::Unclear;
        for value in values {
            let Some([a, b, _]) = slashed(value) else { continue };
            match (a > 12, b > 12) {
                (true, false) => return Self::DayFirst,
                (false, true) => order = Self::MonthFirst,
                _ => {}
            }
        }
        order
    }
}

/// Three numbers parted by slashes, at the beginning.
fn slashed(text: &str) -> Option<[u16; 3]> {
    let date = text.trim().split([' ', 'T', ',']).next()?;
    let mut parts = date.split('/').map(|p| p.parse::<u16>().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

fn day(year: u16, month: u16, day: u16) -> Option<Day> {
    let year = if year < 100 { year.saturating_add(2000) } else { year };
    let found = Day::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    // A year outside this is no date of a cellular device: an epoch of zero, a placeholder.
    (1990..2200).contains(&found.year).then_some(found)
}

fn number(text: &str) -> Option<u16> {
    (!text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Reads a date of any usual form; the time of day is dropped. Unix seconds and milliseconds and spreadsheet day
/// numbers count as dates too, since the column is known to hold one.
pub(super) fn parse(text: &str, order: Order) -> Option<Day> {
    let text = text.trim();
    let bytes = text.as_bytes();
    // 2026-05-21…, 2026/05/21…, 2026.05.21…: the usual case first.
    if let [_, _, _, _, b'-' | b'/' | b'.', _, _, b'-' | b'/' | b'.', _, _, ..] = bytes
        && let (Some(y), Some(m), Some(d)) =
            (text.get(..4).and_then(number), text.get(5..7).and_then(number), text.get(8..10).and_then(number))
    {
        return day(y, m, d);
    }
    if !text.is_empty()
        && bytes.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && let Some(found) = plain_number(text)
    {
        return Some(found);
    }
    if let Some([a, b, c]) = slashed(text) {
        return match order {
            _ if a > 31 => day(a, b, c),
            Order::DayFirst => day(c, b, a),
            Order::MonthFirst => day(c, a, b),
            Order::Unclear if a == b => day(c, a, b),
            Order::Unclear => None,
        };
    }
    words(text)
}

fn plain_number(text: &str) -> Option<Day> {
    let whole = text.split('.').next()?;
    match whole.len() {
        5 if text.matches('.').count() <= 1 => serial(whole.parse().ok()?, false),
        8 if !text.contains('.') => day(text.get(..4).and_then(number)?, text.get(4..6).and_then(number)?, text.get(6..).and_then(number)?),
        10 if text.matches('.').count() <= 1 => Day::from_unix(whole.parse().ok()?),
        13 if !text.contains('.') => Day::from_unix(whole.parse::<i64>().ok()?.checked_div(1000)?),
        14 if !text.contains('.') => {
            day(text.get(..4).and_then(number)?, text.get(4..6).and_then(number)?, text.get(6..8).and_then(number)?)
        }
        _ => {
            // 21.05.2026
            let mut parts = text.split('.');
            let (d, m, y) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
            day(y, m, d)
        }
    }
}

/// The day of a spreadsheet's day number (ECMA-376 part 1, 18.17.4.1: day 60 of the 1900 system does not exist).
pub(super) fn serial(days: i64, since_1904: bool) -> Option<Day> {
    let unix_days = if since_1904 { days.checked_sub(24_107)? } else { days.checked_sub(25_569)? };
    Day::from_unix(unix_days.checked_mul(86_400)?)
}

#[rustfmt::skip]
const MONTHS: &[(&str, u16)] = &[
    ("jan", 1), ("ene", 1), ("gen", 1), ("feb", 2), ("fév", 2), ("fev", 2), ("mar", 3), ("mär", 3), ("mrt", 3), ("maa", 3), ("apr", 4), ("avr", 4), ("abr", 4),
    ("may", 5), ("mai", 5), ("mag", 5), ("mei", 5), ("jun", 6), ("juin", 6), ("giu", 6), ("jul", 7), ("juil", 7), ("lug", 7), ("aug", 8), ("aoû", 8),
    ("ago", 8), ("sep", 9), ("set", 9), ("oct", 10), ("okt", 10), ("ott", 10), ("out", 10), ("nov", 11), ("dec", 12), ("déc", 12), ("dez", 12), ("dic", 12),
];

/// `21.05.2026 09:14`, `21-May-2026`, `May 21, 2026`, `Thu, 21 May 2026 09:14:55 GMT`, `2026年5月21日`.
fn words(text: &str) -> Option<Day> {
    if text.len() > 60 {
        return None;
    }
    let mut numbers: Vec<u16> = Vec::new();
    let mut month = None;
    for word in text.split(|c: char| !c.is_alphanumeric()).flat_map(|w| w.split(['年', '月', '日'])) {
        if word.contains(':') || word.is_empty() {
            continue;
        }
        if let Some(n) = number(word.trim_end_matches(['T', 'Z'])) {
            if numbers.len() < 3 {
                numbers.push(n);
            }
        } else if let Some((d, rest)) = word.split_once('T').filter(|(d, _)| number(d).is_some()) {
            let _ = rest;
            numbers.push(number(d)?);
        } else if month.is_none() {
            let lower = word.to_lowercase();
            // Longer names first: `juin` and `juil` both begin with `jui`.
            month = MONTHS.iter().filter(|(m, _)| lower.starts_with(m)).max_by_key(|(m, _)| m.len()).map(|(_, n)| *n);
        }
    }
    match (month, numbers.as_slice()) {
        (Some(m), [d, y, ..]) if *d <= 31 => day(*y, m, *d),
        (Some(m), [y, d, ..]) => day(*y, m, *d),
        (None, [y, m, d]) if *y > 31 => day(*y, *m, *d),
        // Dots and dashes with the year last are day first everywhere they are used.
        (None, [d, m, y]) if *y > 31 && !text.contains('/') => day(*y, *m, *d),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_day_in_many_clothes() {
        for text in [
            "2026-05-21",
            "2026-05-21T09:14:55.000Z",
            "2026/05/21 09:14",
            "2026/5/21",
            "21.05.2026",
            "21.05.2026 09:14",
            "21-05-2026",
            "20260521",
            "20260521091455",
            "1779354895",
            "1779354895000",
            "21 May 2026",
            "May 21, 2026 9:14 AM",
            "Thu, 21 May 2026 09:14:55 GMT",
            "21-May-2026",
            "2026年5月21日",
            "21 mai 2026",
            "46163",
            "46163.385",
            "21/05/2026",
        ] {
            assert_eq!(parse(text, Order::DayFirst).map(|d| d.to_string()).as_deref(), Some("2026-05-21"), "{text}");
        }
        assert_eq!(parse("05/21/2026 9:14", Order::MonthFirst).map(|d| d.to_string()).as_deref(), Some("2026-05-21"));
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_out() {
        assert_eq!(Order::of(["03/04/2026", "21/04/2026"].into_iter()), Order::DayFirst);
        assert_eq!(Order::of(["03/04/2026", "03/24/2026"].into_iter()), Order::MonthFirst);
        assert_eq!(Order::of(["03/04/2026"].into_iter()), Order::Unclear);
        for text in ["03/04/2026", "", "never", "0000-00-00", "1970-01-01", "31.02.2026", "12:30", "99999999999999999999"] {
            assert_eq!(parse(text, Order::Unclear), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,30}") {
            for order in [Order::Unclear, Order::DayFirst, Order::MonthFirst] {
                let _ = parse(&text, order);
            }
            let _ = Order::of([text.as_str()].into_iter());
        }

        #[test]
        fn every_day_reads_back(n in 8_000i64..40_000) {
            let day = Day::from_unix(n * 86_400).unwrap();
            prop_assert_eq!(parse(&day.to_string(), Order::Unclear), Some(day));
            prop_assert_eq!(parse(&format!("{:02}.{:02}.{:04}", day.day, day.month, day.year), Order::Unclear), Some(day));
            prop_assert_eq!(serial(n + 25_569, false), Some(day));
            prop_assert_eq!(serial(n + 24_107, true), Some(day));
        }
    }
}
