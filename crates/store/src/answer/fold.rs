//! Texts as they are compared: lower case, words apart by one blank.

/// `Quectel Wireless (Shanghai)` → `quectel wireless shanghai`. A text without a letter or digit stays as it is.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    if out.is_empty() { text.trim().to_lowercase() } else { out }
}

/// A folded text and what begins at each of its later words: a search by the beginning finds a word in the middle.
pub(crate) fn suffixes(folded: &str) -> impl Iterator<Item = &str> {
    // Names are short; a hostile one is not worth a thousand rows.
    std::iter::once(folded).chain(folded.match_indices(' ').take(11).filter_map(|(at, _)| folded.get(at.saturating_add(1)..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_case_and_signs() {
        assert_eq!(fold("  EC25-E_(GL) "), "ec25 e gl");
        assert_eq!(fold("Ústí nad Labem"), "ústí nad labem");
        assert_eq!(fold("---"), "---");
        assert_eq!(suffixes("rtu brno 42").collect::<Vec<_>>(), ["rtu brno 42", "brno 42", "42"]);
        assert_eq!(suffixes(&fold(&"x ".repeat(500))).count(), 12);
    }
}
