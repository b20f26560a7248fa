//! From what people type to ISO 3166-1 codes.

use super::countries::COUNTRIES;

/// The codes of the countries that a cell names, in its order: `Made in USA`, `DE / CZ`, `Vietnam (final assembly), 中国`.
/// `None` where it names none.
pub(crate) fn parse(text: &str) -> Option<Vec<&'static str>> {
    let text = text.trim();
    let whole = named(text).map(|c| vec![c]);
    let parts = || {
        let mut found: Vec<&'static str> = Vec::new();
        for part in text.split([',', ';', '/', '|', '\n', '+', '&', '(', ')', '、', '，', '；']) {
            let part = part.trim().trim_end_matches('.');
            let part = strip(part);
            let code = named(part).or_else(|| part.rsplit(' ').next().and_then(code));
            found.extend(code.filter(|c| !found.contains(c)));
        }
        found
    };
    whole.or_else(|| Some(parts()).filter(|f| !f.is_empty()))
}

/// Without the words that labels put in front.
fn strip(text: &str) -> &str {
    const LABELS: [&str; 9] = [
        "made in ",
        "product of ",
        "assembled in ",
        "manufactured in ",
        "country of origin: ",
        "origin: ",
        "designed in ",
        "hergestellt in ",
        "fabriqué en ",
    ];
    let lower = text.to_lowercase();
    let label = LABELS.iter().find(|l| lower.starts_with(**l));
    let rest = label.and_then(|l| text.get(l.len()..)).unwrap_or(text).trim();
    rest.strip_prefix("the ").unwrap_or(rest)
}

fn named(text: &str) -> Option<&'static str> {
    let is = |name: &str| name.to_lowercase() == text.to_lowercase();
    code(text).or_else(|| COUNTRIES.iter().find(|(_, _, names)| names.split(';').any(is)).map(|c| c.0))
}

/// A code by itself; in capitals only, since `in` and `no` are words.
fn code(text: &str) -> Option<&'static str> {
    COUNTRIES.iter().find(|(two, three, _)| text == *two || text == *three).map(|c| c.0)
}

/// The two-letter codes that stand as words of their own in a text of our tables: `Hefei, CN (…); IN (…)`.
pub(super) fn codes_in(text: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| w.len() == 2) {
        found.extend(code(word).filter(|c| !found.contains(c)));
    }
    if text.to_lowercase().contains("china") && !found.contains(&"CN") {
        found.push("CN");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_as_people_write_them() {
        let one = |text: &str| parse(text).map(|c| c.join(" "));
        for text in ["USA", "US", "United States of America", "Made in USA", "made in the United States", "U.S.A."] {
            assert_eq!(one(text).as_deref(), Some("US"), "{text}");
        }
        assert_eq!(one("中国").as_deref(), Some("CN"));
        assert_eq!(one("P.R. China").as_deref(), Some("CN"));
        assert_eq!(one("Deutschland").as_deref(), Some("DE"));
        assert_eq!(one("DE / CZ").as_deref(), Some("DE CZ"));
        assert_eq!(one("Shenzhen, CN").as_deref(), Some("CN"));
        assert_eq!(one("Vietnam (final assembly), China").as_deref(), Some("VN CN"));
        // Words that look like codes are no countries.
        for text in ["in no case", "we do not say", "", "see attachment", "XX"] {
            assert_eq!(one(text), None, "{text}");
        }
    }

    #[test]
    fn codes_in_the_tables_are_words_of_their_own() {
        assert_eq!(codes_in("Hefei and Changzhou, CN (subsidiaries); IN (Syrma SGS builds for it)"), ["CN", "IN"]);
        assert_eq!(codes_in("contract makers in mainland China (at the 2020 sale)"), ["CN"]);
        assert!(codes_in("to be found").is_empty());
    }
}
