//! The numbers of a cellular device: what they look like, which check digits they have, how they are masked.
//!
//! Sources: IMEI 3GPP TS 23.003 clause 6.2 and annex B (Luhn); ICCID ITU-T E.118 (Luhn); EID GSMA SGP.02
//! clause 2.2.2 (ISO 7064 mod 97-10); IMSI TS 23.003 clause 2.2 (no check digit); MAC IEEE 802.

use std::borrow::Cow;
use std::fmt;

/// Whether a number's own check digit agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// It has one and it is right.
    Right,
    /// It has one and it is wrong: mistyped, invented or read badly.
    Wrong,
    /// The form carries none.
    Absent,
}

/// The Luhn digit that belongs behind these decimal digits; `None` where something is not a digit.
pub fn luhn_digit(digits: &str) -> Option<u32> {
    let mut sum = 0u32;
    for (place, byte) in digits.bytes().rev().enumerate() {
        let mut d = u32::from(byte.checked_sub(b'0').filter(|d| *d <= 9)?);
        if place % 2 == 0 {
            d = d.wrapping_mul(2);
            if d > 9 {
                d = d.wrapping_sub(9);
            }
        }
        sum = sum.wrapping_add(d);
    }
    Some(10u32.wrapping_sub(sum % 10) % 10)
}

fn luhn(digits: &str) -> Check {
    let split = digits.len().saturating_sub(1);
    let (Some(body), Some(last)) = (digits.get(..split), digits.bytes().last()) else { return Check::Absent };
    if luhn_digit(body) == Some(u32::from(last.wrapping_sub(b'0'))) { Check::Right } else { Check::Wrong }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What a field that should hold an IMEI holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imei {
    /// 14 digits (no check digit), 15 (with), 16 (IMEISV: the last two are the software version) or 17
    /// (check digit and software version, as some platforms print it).
    Whole {
        /// TAC and serial number: the 14 digits that identify the equipment.
        body: String,
        /// The 8-digit type allocation code.
        tac: u32,
        /// The Luhn digit, where the form has one.
        check: Check,
    },
    /// Some digits are covered, or the serial number is all zeros; the type allocation code where its eight digits can be read.
    Masked {
        /// The TAC, if not covered.
        tac: Option<u32>,
    },
    /// A number of the right shape that identifies nothing: all one digit, counting up or down, a TAC of zeros.
    Placeholder,
    /// Not an IMEI.
    No,
}

impl Imei {
    /// The 15-digit form of a whole IMEI, its check digit computed: one spelling for one equipment.
    pub fn canonical(body: &str) -> String {
        let mut out = String::with_capacity(15);
        out.push_str(body);
        out.push(luhn_digit(body).and_then(|d| char::from_digit(d, 10)).unwrap_or('0'));
        out
    }
}

/// Reads an IMEI as it stands in exports, transcripts and labels: spaces, dashes, slashes, dots, quotes, an
/// apostrophe or `=""` put there by spreadsheets, and `IMEI:` prefixes are ignored.
pub fn imei(text: &str) -> Imei {
    let mut buffer = [0u8; 18];
    let mut len = 0usize;
    let mut covered = false;
    for c in text.chars() {
        let byte = match c {
            '0'..='9' => c as u8,
            'X' | 'x' | '*' | '•' | '#' | '?' | '…' => {
                covered = true;
                b'*'
            }
            ' ' | '-' | '/' | '.' | '"' | '\'' | '=' | '\u{a0}' | '\t' => continue,
            _ => return Imei::No,
        };
        match buffer.get_mut(len) {
            Some(slot) => *slot = byte,
            None => return Imei::No,
        }
        len = len.saturating_add(1);
    }
    let Some(digits) = buffer.get(..len).and_then(|b| std::str::from_utf8(b).ok()) else { return Imei::No };
    if covered {
        let tac = digits.get(..8).filter(|t| all_digits(t)).and_then(|t| t.parse().ok());
        let shaped = tac.is_some() || len >= 14 || digits.bytes().all(|b| b == b'*');
        return if shaped { Imei::Masked { tac } } else { Imei::No };
    }
    if (10..14).contains(&len) && placeholder(digits) {
        return Imei::Placeholder;
    }
    if !(14..=17).contains(&len) {
        return Imei::No;
    }
    if placeholder(digits) {
        return Imei::Placeholder;
    }
    let (Some(body), Some(Ok(tac))) = (digits.get(..14), digits.get(..8).map(str::parse)) else { return Imei::No };
    // A serial number of zeros is one that somebody blotted out before passing the text on.
    if body.ends_with("000000") {
        return Imei::Masked { tac: Some(tac) };
    }
    let check = match len {
        15 | 17 => digits.get(..15).map_or(Check::Absent, luhn),
        _ => Check::Absent,
    };
    // Seventeen digits that fail Luhn at the fifteenth are more likely two numbers run together than an IMEI.
    let check = if len == 17 && check == Check::Wrong { Check::Absent } else { check };
    Imei::Whole { body: body.to_owned(), tac, check }
}

/// All one digit, counting up or down from the first, or a reporting body (first two digits) of 00 with nothing
/// but zeros in the rest of the TAC: the shapes that people and factories type when they have no number.
fn placeholder(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let Some(first) = bytes.first() else { return true };
    if bytes.iter().take(13).all(|b| b == first) {
        return true;
    }
    let steps = |delta: u8| {
        bytes.windows(2).take(8).all(|w| matches!(w, [a, b] if a.wrapping_sub(b'0').wrapping_add(delta) % 10 == b.wrapping_sub(b'0')))
    };
    if steps(1) || steps(9) {
        return true;
    }
    digits.get(..8) == Some("00000000")
}

/// An ICCID: 18 to 20 digits beginning with 89 (ITU-T E.118), nibble padding `F` and separators taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Iccid {
    /// The digits as given.
    pub digits: String,
    /// The Luhn digit of the 19- or 20-digit form. A 19-digit number may be written without one, so a
    /// mismatch there is `Absent`, not `Wrong`.
    pub check: Check,
}

impl Iccid {
    /// What joins two spellings of one card: the first 19 digits.
    pub fn key(&self) -> &str {
        self.digits.get(..19).unwrap_or(&self.digits)
    }
}

/// Reads an ICCID; `None` where the text is not one (masked ones included: see [`is_masked`]).
pub fn iccid(text: &str) -> Option<Iccid> {
    let mut digits = String::with_capacity(20);
    let mut letters = false;
    for c in text.trim_end_matches(['F', 'f']).chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '"' | '\'' | '=' | '\u{a0}' => {}
            // Operators of China write hexadecimal digits behind the issuer; such a number has no check digit.
            'A'..='F' | 'a'..='f' if digits.len() >= 6 && digits.starts_with("8986") => {
                letters = true;
                digits.push(c.to_ascii_uppercase());
            }
            _ => return None,
        }
    }
    if !(18..=20).contains(&digits.len()) || !digits.starts_with("89") {
        return None;
    }
    if letters {
        return (digits.len() >= 19).then_some(Iccid { digits, check: Check::Absent });
    }
    let check = match (digits.len(), luhn(&digits)) {
        (20, check) => check,
        (19, Check::Right) => Check::Right,
        _ => Check::Absent,
    };
    Some(Iccid { digits, check })
}

/// An EID: 32 digits beginning with 89, the last two an ISO 7064 mod 97-10 check (SGP.02 clause 2.2.2).
pub fn eid(text: &str) -> Option<(String, Check)> {
    let mut digits = String::with_capacity(32);
    for c in text.chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '"' | '\'' => {}
            _ => return None,
        }
    }
    if digits.len() != 32 || !digits.starts_with("89") {
        return None;
    }
    let rest = digits.bytes().fold(0u32, |r, b| r.wrapping_mul(10).wrapping_add(u32::from(b.wrapping_sub(b'0'))) % 97);
    Some((digits, if rest == 1 { Check::Right } else { Check::Wrong }))
}

/// An IMSI: 14 or 15 digits whose first three are a mobile country code in use (ITU-T E.212: 2xx to 7xx, 001 for
/// tests, 901 for international networks). It has no check digit.
pub fn imsi(text: &str) -> Option<String> {
    let digits = text.trim().trim_matches(['"', '\'', '=']);
    let shape = (14..=15).contains(&digits.len()) && all_digits(digits);
    let mcc = digits.get(..3)?;
    let country = matches!(mcc.bytes().next()?, b'2'..=b'7') || matches!(mcc, "001" | "901" | "999");
    (shape && country).then(|| digits.to_owned())
}

/// A telephone number (E.164: at most 15 digits), separators taken off, `+` dropped.
pub fn msisdn(text: &str) -> Option<String> {
    let mut digits = String::with_capacity(15);
    for c in text.trim().trim_start_matches('+').chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '-' | '(' | ')' | '.' | '/' => {}
            _ => return None,
        }
    }
    (5..=15).contains(&digits.len()).then_some(digits)
}

/// A MAC address in any usual spelling, as 12 lower-case hex digits with colons; not the null or broadcast one.
pub fn mac(text: &str) -> Option<String> {
    let mut hex = String::with_capacity(12);
    for c in text.trim().chars() {
        match c {
            '0'..='9' | 'a'..='f' | 'A'..='F' => hex.push(c.to_ascii_lowercase()),
            ':' | '-' | '.' => {}
            _ => return None,
        }
    }
    if hex.len() != 12 || hex.bytes().all(|b| b == b'0') || hex.bytes().all(|b| b == b'f') {
        return None;
    }
    let mut out = String::with_capacity(17);
    for (i, c) in hex.chars().enumerate() {
        if i > 0 && i % 2 == 0 {
            out.push(':');
        }
        out.push(c);
    }
    Some(out)
}

/// A vehicle identification number (ISO 3779): 17 letters and digits without I, O and Q, at least one of each.
pub fn vin(text: &str) -> Option<String> {
    let vin = text.trim().to_ascii_uppercase();
    let shape = vin.len() == 17 && vin.bytes().all(|b| b.is_ascii_digit() || (b.is_ascii_uppercase() && !matches!(b, b'I' | b'O' | b'Q')));
    (shape && vin.bytes().any(|b| b.is_ascii_digit()) && vin.bytes().any(|b| b.is_ascii_uppercase())).then_some(vin)
}

/// Whether a value is a number with covered digits: nothing but digits, blanks, `+`, `-`, padding `F` and at least two of
/// `*`, `•`, `…` and `X`; or nothing but digits and at least one `…`, as [`Shown`] writes it.
pub fn is_masked(text: &str) -> bool {
    let covered = text.chars().filter(|c| matches!(c, '*' | '•' | '…' | 'X' | 'x')).count();
    covered >= 2 && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '*' | '•' | '…' | 'X' | 'x' | ' ' | '+' | '-' | 'F' | 'f'))
        || text.contains('…') && text.chars().all(|c| c.is_ascii_digit() || c == '…')
}

/// A subscriber number with only its first five and last two characters shown.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        if text.contains('…') {
            return f.write_str(text);
        }
        let end = text.len().saturating_sub(2);
        match (text.get(..5), text.get(end..)) {
            (Some(head), Some(tail)) if end >= 5 => write!(f, "{head}…{tail}"),
            _ => f.write_str("…"),
        }
    }
}

/// A text whose subscriber numbers are shown as [`Shown`] shows them: every run of 14 digits or more, unless it is an IMEI
/// of 15 digits with the right check digit, and every `+` with eight digits or more behind it.
pub fn mask_numbers(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    // How far the text has been copied, and where the run of digits that is open began.
    let (mut done, mut start) = (0usize, None);
    let mut plus = false;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        if byte.is_ascii_digit() {
            start.get_or_insert(at);
            continue;
        }
        if let Some(run) = start.take().and_then(|from: usize| text.get(from..at).filter(|run| hides(run, plus)))
            && let Some(before) = text.get(done..at.saturating_sub(run.len()))
        {
            out.push_str(before);
            out.push_str(&Shown(run).to_string());
            done = at;
        }
        plus = byte == b'+';
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// A name or number that people gave, in which what belongs to the subscription is covered: the device's own numbers (as
/// they stand, whole), a card's number, a telephone number. Other long numbers are the owner's.
pub fn cover(text: &str, numbers: &[&str]) -> String {
    let card = iccid(text).is_some();
    let mut out = if card || text.contains('+') { mask_numbers(text).into_owned() } else { text.to_owned() };
    for number in numbers.iter().filter(|n| n.len() >= 7 && !n.contains('…')) {
        if out.contains(number) {
            out = out.replace(number, &Shown(number).to_string());
        }
    }
    out
}

/// Whether a run of digits may be a subscriber's.
fn hides(run: &str, plus: bool) -> bool {
    let equipment = || run.len() == 15 && matches!(imei(run), Imei::Whole { check: Check::Right, .. });
    (plus && run.len() >= 8) || (run.len() >= 14 && !equipment())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_of_an_imei() {
        // TS 23.003 annex B's own example: the check digit of 26053179311383 is 7.
        assert_eq!(luhn_digit("26053179311383"), Some(7));
        let whole = |check| Imei::Whole { body: "49015420323751".into(), tac: 49_015_420, check };
        assert_eq!(imei("490154203237518"), whole(Check::Right));
        assert_eq!(imei("490154203237519"), whole(Check::Wrong));
        assert_eq!(imei("49015420323751"), whole(Check::Absent));
        assert_eq!(imei("4901542032375101"), whole(Check::Absent));
        assert_eq!(imei("49015420323751801"), whole(Check::Right));
        assert_eq!(imei("49-015420-323751-8"), whole(Check::Right));
        assert_eq!(imei("=\"490154203237518\""), whole(Check::Right));
        assert_eq!(imei("355654XXXXXXXXX"), Imei::Masked { tac: None });
        assert_eq!(imei("35565401*******"), Imei::Masked { tac: Some(35_565_401) });
        assert_eq!(imei("****"), Imei::Masked { tac: None });
        assert_eq!(imei("867698040000004"), Imei::Masked { tac: Some(86_769_804) });
        for text in ["1234567891", "123456789012345", "000000000000000", "0000000000000018", "999999999999999"] {
            assert_eq!(imei(text), Imei::Placeholder, "{text}");
        }
        for text in ["", "unknown", "4.9015E+14", "12", "490154203237518490154203237518"] {
            assert_eq!(imei(text), Imei::No, "{text}");
        }
        assert_eq!(Imei::canonical("49015420323751"), "490154203237518");
    }

    #[test]
    fn cards_and_subscriptions() {
        let card = iccid("8944500102198304826F").unwrap();
        assert_eq!(card.key(), "8944500102198304826");
        assert_eq!(iccid("89445001021983048260").unwrap().key(), card.key());
        assert!(iccid("12345678901234567890").is_none());
        let chinese = iccid("898607b5151790000020").unwrap();
        assert_eq!((chinese.digits.as_str(), chinese.check), ("898607B5151790000020", Check::Absent));
        assert!(iccid("8986B75151790000020").is_none() && iccid("898807B5151790000020").is_none());
        assert_eq!(eid("89049032123451234512345678901235").unwrap().1, Check::Right);
        assert_eq!(eid("89049032123451234512345678901234").unwrap().1, Check::Wrong);
        assert!(imsi("262011234567890").is_some() && imsi("862011234567890").is_none());
        assert_eq!(Shown("262011234567890").to_string(), "26201…90");
        assert_eq!(Shown("1234").to_string(), "…");
        assert!(is_masked("8988****1234") && !is_masked("898812341234") && !is_masked("XMR2019"));
    }

    #[test]
    fn numbers_of_subscribers_in_a_text_are_masked() {
        for (text, masked) in [
            ("card 89445001021983048260, phone +4917012345678.", "card 89445…60, phone +49170…78."),
            ("89445001021983048260", "89445…60"),
            ("IMEI 490154203237518 and 490154203237519", "IMEI 490154203237518 and 49015…19"),
            ("+490154203237518", "+49015…18"),
            ("é262011234567890é+12345678", "é26201…90é+12345…78"),
        ] {
            assert_eq!(mask_numbers(text), masked);
        }
        for text in ["", "+1234567", "1234567890123", "EC25EFAR06A11M4G of 20260822, 4917012345678", "row 12 + 3", "…", "26201…90"] {
            assert!(matches!(mask_numbers(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn addresses_and_vehicles() {
        assert_eq!(mac("A4-D4-B2-00-01-02").as_deref(), Some("a4:d4:b2:00:01:02"));
        assert_eq!(mac("a4d4.b200.0102").as_deref(), Some("a4:d4:b2:00:01:02"));
        assert!(mac("00:00:00:00:00:00").is_none());
        assert!(vin("1HGCM82633A004352").is_some() && vin("12345678901234567").is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_masks_show_seven_characters(text in "\\PC{0,40}") {
            let _ = (imei(&text), iccid(&text), eid(&text), imsi(&text), msisdn(&text), mac(&text), vin(&text), is_masked(&text));
            if !text.contains('…') {
                prop_assert!(Shown(&text).to_string().chars().count() <= 8);
            }
        }

        #[test]
        fn masking_leaves_no_number_and_nothing_to_mask(text in "([+ é]|[0-9]{1,22}|x){0,8}") {
            let masked = mask_numbers(&text).into_owned();
            prop_assert_eq!(mask_numbers(&masked), masked.as_str());
            for run in masked.split(|c: char| !c.is_ascii_digit()).filter(|run| run.len() >= 14) {
                prop_assert!(matches!(imei(run), Imei::Whole { check: Check::Right, .. }), "{} in {}", run, masked);
            }
        }

        #[test]
        fn every_body_has_one_canonical_imei(body in "[1-9][0-9]{12}[1-9]") {
            let canonical = Imei::canonical(&body);
            match imei(&canonical) {
                Imei::Whole { body: read, tac, check } => {
                    prop_assert_eq!(check, Check::Right);
                    prop_assert_eq!(format!("{tac:08}"), &body[..8]);
                    prop_assert_eq!(read, body);
                }
                other => {
                    prop_assert_eq!(other, Imei::Placeholder);
                    prop_assert!(placeholder(&body), "{}", body);
                }
            }
        }
    }
}
