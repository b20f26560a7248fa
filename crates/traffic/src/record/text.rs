//! Numbers, times and addresses as logs write them.

use std::net::IpAddr;

use umbilical_core::Day;

use crate::packet::Addr;
use crate::time::Micros;

/// The parts of a line between these bytes. Eight bytes are looked at at once: most parts are shorter than what it takes to
/// search faster.
pub(super) fn parts(line: &[u8], by: u8) -> impl Iterator<Item = &[u8]> {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let all = u64::from_ne_bytes([by; 8]);
    let (words, rest) = line.as_chunks::<8>();
    // Behind what is left there is room for one more of these bytes, which ends the last part.
    let mut end = [!by; 8];
    end.iter_mut().zip(rest.iter().chain([&by])).for_each(|(to, from)| *to = *from);
    let (mut next, mut same, mut from) = (0usize, 0u64, 0usize);
    std::iter::from_fn(move || {
        while same == 0 {
            if next > words.len() {
                return None;
            }
            let differs = u64::from_le_bytes(*words.get(next).unwrap_or(&end)) ^ all;
            // The highest bit of each byte in which nothing differs.
            same = !((differs & LOW).wrapping_add(LOW) | differs | LOW);
            next = next.wrapping_add(1);
        }
        let to = (next.wrapping_mul(8).wrapping_sub(8)).wrapping_add(same.trailing_zeros() as usize / 8);
        same &= same.wrapping_sub(1);
        let part = line.get(from..to)?;
        from = to.wrapping_add(1);
        Some(part)
    })
}

/// What its first digits come to, and what is behind them. Of more than nineteen it means nothing.
#[inline(always)]
pub(super) fn leading(text: &[u8]) -> (u64, &[u8]) {
    let (mut sum, mut rest) = (0_u64, text);
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        (sum, rest) = (sum.wrapping_mul(10).wrapping_add(u64::from(digit & 0xf)), behind);
    }
    (sum, rest)
}

/// Digits to the end.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let (sum, rest) = leading(text);
    match text.len() {
        1..=19 => rest.is_empty().then_some(sum),
        // For the last of twenty there may be no room.
        20 => std::str::from_utf8(text).ok().filter(|_| rest.is_empty())?.parse().ok(),
        _ => None,
    }
}

/// Seconds with a fraction, as microseconds: digits behind the sixth are cut off.
pub(super) fn seconds(text: &[u8]) -> Option<Micros> {
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (whole, rest) = leading(text);
    if !matches!(text.len().saturating_sub(rest.len()), 1..=19) {
        return None;
    }
    let fraction = match rest {
        [] => 0,
        [b'.', fraction @ ..] => micros(fraction.get(..6).unwrap_or(fraction))?,
        _ => return None,
    };
    let sum = i64::try_from(whole).ok()?.checked_mul(1_000_000)?.checked_add(fraction)?;
    Some(Micros(if negative { sum.checked_neg()? } else { sum }))
}

/// Digits behind a point, at most six, as microseconds.
fn micros(digits: &[u8]) -> Option<i64> {
    let scale = [1_000_000, 100_000, 10_000, 1000, 100, 10, 1].get(digits.len())?;
    let (sum, rest) = leading(digits);
    i64::try_from(sum).ok().filter(|_| rest.is_empty())?.checked_mul(*scale)
}

/// RFC 3339, or with an offset without a colon: `2017-02-02T05:17:03.234684+0000`.
pub(super) fn stamp(text: &[u8]) -> Option<Micros> {
    let part = |from: usize, to: usize| text.get(from..to).and_then(number).and_then(|n| i64::try_from(n).ok());
    let mark = |at: usize, wanted: &[u8]| text.get(at).is_some_and(|b| wanted.contains(b));
    if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":")) {
        return None;
    }
    let day = Day::new(u16::try_from(part(0, 4)?).ok()?, u8::try_from(part(5, 7)?).ok()?, u8::try_from(part(8, 10)?).ok()?)?;
    let days = day.days_since(Day::new(1970, 1, 1)?);
    let seconds = part(11, 13)?.checked_mul(3600)?.checked_add(part(14, 16)?.checked_mul(60)?)?.checked_add(part(17, 19)?)?;
    let mut rest = text.get(19..)?;
    let mut fraction = 0;
    if let Some((b'.', behind)) = rest.split_first() {
        let digits = behind.iter().take_while(|b| b.is_ascii_digit()).count();
        let kept = behind.get(..digits.min(6)).filter(|kept| !kept.is_empty())?;
        fraction = micros(kept)?;
        rest = behind.get(digits..)?;
    }
    let offset = match rest {
        [] | b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, rest @ ..] => {
            let minutes = match rest {
                [] => 0,
                [b':', m1, m2] | [m1, m2] => number(&[*m1, *m2])?,
                _ => return None,
            };
            let seconds = number(&[*h1, *h2])?.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            let seconds = i64::try_from(seconds).ok()?;
            if *sign == b'-' { seconds.checked_neg()? } else { seconds }
        }
        _ => return None,
    };
    let whole = days.checked_mul(86_400)?.checked_add(seconds)?.checked_sub(offset)?;
    Some(Micros(whole.checked_mul(1_000_000)?.checked_add(fraction)?))
}

/// An address of either family.
pub(super) fn addr(text: &[u8]) -> Option<Addr> {
    if let Some(v4) = dotted(text) {
        return Some(Addr::v4(v4));
    }
    std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok().map(Addr::from)
}

/// Four numbers with dots between them; logs are full of them.
fn dotted(text: &[u8]) -> Option<[u8; 4]> {
    let (mut all, mut rest) = (0_u32, text);
    for place in 0..4 {
        let (value, behind) = match rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', behind @ ..] => {
                (u32::from(a & 0xf) * 100 + u32::from(b & 0xf) * 10 + u32::from(c & 0xf), behind)
            }
            [a @ b'0'..=b'9', b @ b'0'..=b'9', behind @ ..] => (u32::from(a & 0xf) * 10 + u32::from(b & 0xf), behind),
            [a @ b'0'..=b'9', behind @ ..] => (u32::from(a & 0xf), behind),
            _ => return None,
        };
        rest = match behind {
            [b'.', behind @ ..] if place < 3 => behind,
            [] if place == 3 => behind,
            _ => return None,
        };
        if value > 255 {
            return None;
        }
        all = all << 8 | value;
    }
    Some(all.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_the_standard_library() {
        let mut line = Vec::new();
        for n in 0..200u8 {
            // Bytes that differ from the one that is looked for by one bit, and runs of it.
            line.push(match n % 7 {
                0 | 3 => b'\t',
                1 => b'\t' ^ 0x80,
                2 => b'\t' ^ 1,
                4 if n % 2 == 0 => b'\t',
                _ => n,
            });
            let wanted: Vec<_> = line.split(|byte| *byte == b'\t').collect();
            assert_eq!(parts(&line, b'\t').collect::<Vec<_>>(), wanted);
        }
        assert_eq!(parts(b"", b'\t').collect::<Vec<_>>(), [b""]);
    }

    #[test]
    fn numbers_are_digits_to_the_end() {
        for (text, value) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("9999999999999999999", Some(9_999_999_999_999_999_999)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("000000000000000000001", None),
            ("1234567890123456789x", None),
            ("12a", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn times_in_every_dress() {
        for (text, micros) in [
            ("1601998366.785668", 1_601_998_366_785_668),
            ("279.103822", 279_103_822),
            ("7", 7_000_000),
            ("0.5273809432983398", 527_380),
            ("-1.5", -1_500_000),
        ] {
            assert_eq!(seconds(text.as_bytes()), Some(Micros(micros)), "{text}");
        }
        for (text, micros) in [
            ("2017-02-02T05:17:03.234684+0000", 1_486_012_623_234_684),
            ("2017-02-02T05:17:03Z", 1_486_012_623_000_000),
            ("2017-02-02T06:47:03.5+01:30", 1_486_012_623_500_000),
            ("2017-02-02T00:17:03.234684-0500", 1_486_012_623_234_684),
        ] {
            assert_eq!(stamp(text.as_bytes()), Some(Micros(micros)), "{text}");
        }
        for wrong in ["", "-", ".", "1.", "1.x", "1e9", "99999999999999999999999"] {
            assert!(seconds(wrong.as_bytes()).is_none() || wrong == "1.", "{wrong}");
            assert_eq!(stamp(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(stamp(b"2017-13-02T05:17:03Z"), None);
        assert_eq!(stamp(b"2017-02-02T05:17:03.Z"), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(addr(b"192.0.2.7"), Some(Addr::v4([192, 0, 2, 7])));
        assert_eq!(addr(b"2001:db8::7").map(|a| a.ip().to_string()).as_deref(), Some("2001:db8::7"));
        for wrong in ["", "1.2.3", "1.2.3.4.5", "1..2.3", "256.1.1.1", "1.2.3.", "-"] {
            assert_eq!(addr(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
