//! Text from outside: made safe to print and comparable.

use std::borrow::Cow;

/// Text without control characters, so that no name steers a terminal or hides in a report: escape sequences
/// lose their escape, line ends become spaces, bidirectional overrides are dropped (CVE-2021-42574).
pub fn clean(text: &str) -> Cow<'_, str> {
    // Nearly all text is plain: it is looked at byte by byte, without being decoded.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let hostile =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}' | '\u{feff}');
    if !text.chars().any(hostile) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(|c| if matches!(c, '\n' | '\r' | '\t') { Some(' ') } else { (!hostile(c)).then_some(c) }).collect())
}

/// At most `max` characters, with `…` where something was cut.
pub fn short(text: &str, max: usize) -> Cow<'_, str> {
    // No text has more characters than bytes.
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    match text.char_indices().nth(max) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or_default())),
    }
}

/// Letters and digits in upper case, the rest dropped: `RM520N-GL`, `rm520n_gl` and `RM520NGL` are one name.
pub fn squash(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// Whether a cell means "nothing here": empty, a dash, `n/a`, `unknown`, `null`, `none`, `--`, `0` is not among them.
pub fn is_blank(text: &str) -> bool {
    let t = text.trim().trim_matches(['"', '\'']).trim();
    t.is_empty()
        || t.bytes().all(|b| matches!(b, b'-' | b'.' | b'?' | b'_'))
        || [
            "n/a",
            "na",
            "unknown",
            "null",
            "none",
            "nil",
            "undefined",
            "not available",
            "not applicable",
            "(null)",
            "<snip>",
            "nan",
            "无",
            "未知",
            "unbekannt",
            "inconnu",
            "desconocido",
        ]
        .iter()
        .any(|word| t.eq_ignore_ascii_case(word))
}

/// Whether a spreadsheet would compute a cell of this text, or hides an apostrophe before it.
fn computes(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

/// A cell of text that no spreadsheet takes for a formula: an apostrophe stands before what would be one, and another before
/// text that begins like that by itself, so that [`unguarded`] restores every cell.
pub fn guarded(text: &str) -> String {
    let text = clean(text);
    if computes(&text) { format!("'{text}") } else { text.into_owned() }
}

/// The text behind a guarded cell.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| computes(rest)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\r\nb\u{202e}c"), "a[31mred  bc");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn names_compare_by_letters_and_digits() {
        assert_eq!(squash("rm520n_gl"), squash("RM520N-GL"));
        assert!(is_blank(" N/A ") && is_blank("--") && !is_blank("0") && !is_blank("Quectel"));
        assert_eq!(short("abcdef", 3), "abc…");
    }
}
