//! What single cells of a list of parts say.

use std::borrow::Cow;

use super::super::{dates, fold};
use umbilical_core::bom::Effectivity;

/// How many: `3`, `3.0`, `3,0`, `4 pcs`, `x2`. A length or weight of broken number is none.
pub(super) fn quantity(text: &str) -> Option<u32> {
    let text = text.trim().trim_start_matches(['x', 'X', '×']).trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',')).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.trim().trim_end_matches('.').to_lowercase();
    let counted = [
        "", "x", "×", "pcs", "pc", "ea", "each", "stk", "stück", "st", "st.", "шт", "个", "只", "片", "颗", "個", "pz", "uds", "szt",
        "adet", "개",
    ];
    if !counted.contains(&unit.as_str()) {
        return None;
    }
    let (whole, broken) = number.split_once(['.', ',']).unwrap_or((number, ""));
    // Thousands are parted by a sign and three digits, never by a sign and zeros alone.
    if broken.len() == 3 && broken.bytes().any(|b| b != b'0') && !whole.is_empty() {
        return format!("{whole}{broken}").parse().ok();
    }
    if broken.bytes().any(|b| b != b'0') {
        return None;
    }
    whole.parse().ok()
}

/// The depth that a cell names: `2`, `..2`, `.1`, `L3`, `1.2.3`, dots alone.
pub(super) fn level(text: &str) -> Option<u32> {
    let text = text.trim();
    let bare = text.trim_start_matches(['.', '-', '_', '+', ' ', '>', '|', 'L', 'l']);
    let (whole, rest) = bare.split_once(['.', ',']).unwrap_or((bare, ""));
    if bare.is_empty() {
        let dots = text.chars().filter(|c| matches!(c, '.' | '-' | '+' | '>' | '*')).count();
        return (dots > 0).then(|| u32::try_from(dots).unwrap_or(u32::MAX));
    }
    // A spreadsheet makes `1.0` of a level of 1.
    if !rest.is_empty() && rest != "0" {
        return outline(bare);
    }
    whole.parse().ok().filter(|n| *n <= 10_000)
}

/// The depth of a number in an outline: `1` = 0, `1.2` = 1.
pub(super) fn outline(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('.');
    let digits = |p: &str| !p.is_empty() && p.len() <= 6 && p.bytes().all(|b| b.is_ascii_digit());
    if !text.split('.').all(digits) {
        return None;
    }
    u32::try_from(text.split('.').count().saturating_sub(1)).ok()
}

/// How far a cell is indented by blanks or dots in front, and the text behind.
pub(super) fn indent(cell: &str) -> (u32, &str) {
    let bare = cell.trim_start_matches([' ', '\t', '\u{a0}', '\u{3000}', '.', '·', '└', '├', '─', '│']);
    let gone = cell.chars().count().saturating_sub(bare.chars().count());
    (u32::try_from(gone).unwrap_or(u32::MAX), bare.trim_end())
}

/// Prefixes of reference designators, by IEEE 315, IEC 81346 and GOST 2.710 and by custom.
const PREFIXES: &[&str] = &[
    "R", "C", "L", "D", "U", "Q", "J", "P", "X", "Y", "F", "FB", "K", "S", "SW", "T", "TP", "IC", "LED", "CN", "CON", "H", "M", "BT",
    "BAT", "ANT", "A", "AE", "JP", "RN", "RV", "VR", "Z", "ZD", "TVS", "E", "MK", "MP", "LS", "SP", "B", "BZ", "DS", "CR", "FL", "G", "W",
    "N", "V", "VT", "DA", "DD", "HL", "XP", "XS", "XT", "GB", "FD", "FID", "MH", "LCD", "OSC", "XTAL", "USB", "SIM", "RF", "MOD", "POT",
    "RL", "RY", "OK", "PS", "TR", "NT", "SB", "CB", "RP", "HS", "PCB", "TH", "NTC", "RT", "U$", "VD", "TVS", "I",
];

/// Whether a cell holds reference designators and nothing else.
pub(super) fn is_designators(text: &str) -> bool {
    let mut any = false;
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、' | '；' | '|')).filter(|w| !w.is_empty()) {
        let one = |w: &str| {
            let cut = w.find(|c: char| c.is_ascii_digit()).unwrap_or(w.len());
            let (prefix, number) = w.split_at_checked(cut).unwrap_or((w, ""));
            let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            PREFIXES.iter().any(|p| prefix.eq_ignore_ascii_case(p))
                && !digits.is_empty()
                && digits.len() <= if prefix.len() > 2 { 2 } else { 4 }
                && digits.bytes().all(|b| b.is_ascii_digit())
                && number.len().saturating_sub(digits.len()) <= 1
        };
        any = true;
        if !word.split(['-', '~', '–']).all(|w| one(w) || (w.bytes().all(|b| b.is_ascii_digit()) && !w.is_empty()))
            || !one(word.split(['-', '~', '–']).next().unwrap_or(word))
        {
            return false;
        }
    }
    any
}

/// A cell of a Markdown table as a reader sees it: links by their text, no signs of emphasis, line breaks as such.
pub(super) fn markdown(cell: &str) -> Cow<'_, str> {
    if !cell.contains(['[', '*', '`', '<', '\\', '&', '~']) {
        return Cow::Borrowed(cell);
    }
    let mut out = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '<' => {
                let tag = rest.find('>').and_then(|end| rest.get(..=end)).unwrap_or_default();
                let name = tag.trim_start_matches(['<', '/']).trim_end_matches(['>', '/']).split_whitespace().next().unwrap_or("");
                let known =
                    ["br", "b", "i", "em", "strong", "sup", "sub", "code", "a", "span", "u", "s", "del", "kbd", "p", "small", "img"];
                if known.iter().any(|k| name.eq_ignore_ascii_case(k)) {
                    if name.eq_ignore_ascii_case("br") || name.eq_ignore_ascii_case("p") {
                        out.push('\n');
                    }
                    rest = rest.get(tag.len()..).unwrap_or_default();
                    continue;
                }
                out.push(c);
            }
            // An image or a link: its text counts, its address does not.
            '[' => {
                if let Some((text, behind)) = tail.split_once("](")
                    && !text.contains('\n')
                    && let Some((_, after)) = behind.split_once(')')
                {
                    out.push_str(&markdown_text(text));
                    rest = after;
                    continue;
                }
                out.push(c);
            }
            '!' if tail.starts_with('[') => {}
            '*' | '`' => {}
            '~' if tail.starts_with('~') => {
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
            '\\' => {
                if let Some(next) = tail.chars().next().filter(char::is_ascii_punctuation) {
                    out.push(next);
                    rest = tail.get(next.len_utf8()..).unwrap_or_default();
                    continue;
                }
                out.push(c);
            }
            '&' => {
                let named = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&nbsp;", ' '), ("&#124;", '|')];
                if let Some((name, c)) = named.iter().find(|(name, _)| rest.starts_with(name)) {
                    out.push(*c);
                    rest = rest.get(name.len()..).unwrap_or_default();
                    continue;
                }
                out.push(c);
            }
            c => out.push(c),
        }
        rest = tail;
    }
    Cow::Owned(out)
}

fn markdown_text(text: &str) -> String {
    text.trim_start_matches("![").replace(['*', '`'], "")
}

/// Whether a row begins with a word for the end of a list.
pub(super) fn is_total(cell: &str) -> bool {
    const WORDS: &[&str] = &[
        "total",
        "totals",
        "subtotal",
        "grandtotal",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "somme",
        "totale",
        "toplam",
        "suma",
        "razem",
        "итого",
        "всего",
        "合计",
        "总计",
        "小计",
        "合計",
        "小計",
        "総計",
        "합계",
        "총계",
        "totalcost",
        "totalprice",
        "totalquantity",
        "totalqty",
        "totalparts",
        "approved",
        "approvedby",
        "preparedby",
        "checkedby",
        "endofbom",
        "endoflist",
        "审核",
        "批准",
        "编制",
        "制表",
    ];
    let folded = fold(cell);
    !folded.is_empty() && WORDS.contains(&folded.as_str())
}

/// For which pieces: `1001-1999`, `SN1001..SN1999`, `1001+`, or two days.
pub(super) fn effectivity(text: &str, into: &mut Effectivity) {
    let text = text.trim();
    for mark in ["..", "…", " - ", " – ", " to ", " bis ", "~", "–", "-", "→"] {
        let Some((from, to)) = text.split_once(mark) else { continue };
        let (from, to) = (from.trim(), to.trim().trim_start_matches('.'));
        // `2024-01-01` is one day, not a range of three.
        if mark == "-" && text.matches('-').count() > 1 {
            break;
        }
        match (day(from), day(to)) {
            (Some(a), b) if b.is_some() || to.is_empty() => (into.from, into.to) = (Some(a), b),
            _ => {
                let some =
                    |t: &str| (!t.is_empty() && !matches!(fold(t).as_str(), "up" | "open" | "on" | "99999" | "999999")).then(|| t.into());
                (into.serial_from, into.serial_to) = (some(from), some(to));
            }
        }
        return;
    }
    if let Some(first) = text.strip_suffix('+') {
        into.serial_from = Some(first.trim().into());
    } else if let Some(found) = day(text) {
        into.from = Some(found);
    } else if !text.is_empty() && text.len() <= 64 {
        (into.serial_from, into.serial_to) = (Some(text.into()), Some(text.into()));
    }
}

/// A day, where the text is one.
pub(super) fn day(text: &str) -> Option<umbilical_core::Day> {
    text.bytes().any(|b| b.is_ascii_digit()).then(|| dates::parse(text, dates::Order::Unclear)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_as_people_write_them() {
        for (text, n) in
            [("3", 3), ("3.0", 3), ("3,00", 3), ("4 pcs", 4), ("x2", 2), ("1,200", 1200), ("12个", 12), ("2 Stk.", 2), ("0", 0)]
        {
            assert_eq!(quantity(text), Some(n), "{text}");
        }
        for text in ["", "0.5", "0,25", "2 m", "A/R", "-", "1e9999", "99999999999", "one"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn levels_of_every_style() {
        for (text, n) in [("0", 0), ("2", 2), ("..2", 2), (".1", 1), ("L3", 3), ("1.2.3", 2), ("1.0", 1), ("...", 3), ("-- 2", 2)] {
            assert_eq!(level(text), Some(n), "{text}");
        }
        assert_eq!((level("A"), outline("1.a"), outline("1.2.")), (None, None, Some(1)));
        assert_eq!((indent("  ..EC25 "), indent("EC25")), ((4, "EC25"), (0, "EC25")));
    }

    #[test]
    fn designators_and_part_numbers() {
        for text in ["C1", "C1, C5, ", "R1-R4", "U$25", "TP12", "IC1A", "R1-5"] {
            assert!(is_designators(text), "{text}");
        }
        for text in ["", "BC66", "EC25-E", "10k", "BG96", "SIM800L", "STM32F4", "C0402"] {
            assert_eq!(is_designators(text), text == "C0402", "{text}");
        }
    }

    #[test]
    fn markdown_as_read() {
        for (cell, text) in [
            ("[BC66](https://example.net/bc66?x=(1))", "BC66)"),
            ("**SARA-R410M**", "SARA-R410M"),
            ("SARA-G350<br>SARA-U260<br/>SARA-U270", "SARA-G350\nSARA-U260\nSARA-U270"),
            ("a \\| b", "a | b"),
            ("PART_NO_1", "PART_NO_1"),
            ("R < 5 & C", "R < 5 & C"),
            ("![photo](x.png) `EC25`", "photo EC25"),
        ] {
            assert_eq!(markdown(cell), text);
        }
    }

    #[test]
    fn ranges_of_pieces() {
        let of = |text| {
            let mut e = Effectivity::default();
            effectivity(text, &mut e);
            e
        };
        assert_eq!((of("1001-1999").serial_from.as_deref(), of("1001-1999").serial_to.as_deref()), (Some("1001"), Some("1999")));
        assert_eq!((of("SN1001..").serial_from.as_deref(), of("SN1001..").serial_to), (Some("SN1001"), None));
        assert_eq!((of("2024-01-01").from.map(|d| d.to_string()), of("2024-01-01").serial_from), (Some("2024-01-01".into()), None));
        assert_eq!(of("2024-01-01 to 2025-06-30").to.map(|d| d.to_string()).as_deref(), Some("2025-06-30"));
    }
}
