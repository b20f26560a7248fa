//! Reference designators: one by one, in lists, in ranges.

/// The most designators of one line: a range may ask for any number.
const MOST: usize = 4096;

/// The designators in a text: `C1, C5, `, `C1 C5`, `C1-C5`.
pub(crate) fn designators(text: &str) -> Vec<Box<str>> {
    let mut out: Vec<Box<str>> = Vec::new();
    let spaced: String;
    let mut text = text;
    // A dash with blanks around it is a range too.
    if [" - ", " – ", " ~ ", " .. ", " to "].iter().any(|dash| text.contains(dash)) {
        spaced = [" - ", " – ", " ~ ", " .. ", " to "].iter().fold(text.to_owned(), |t, dash| t.replace(dash, "-"));
        text = &spaced;
    }
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '、' | '；' | '|')).filter(|w| !w.is_empty()) {
        let room = MOST.saturating_sub(out.len());
        if room == 0 {
            break;
        }
        match range(word) {
            Some((prefix, from, to)) => out.extend((from..=to).take(room).map(|n| format!("{prefix}{n}").into_boxed_str())),
            None => out.push(word.chars().take(64).collect::<String>().into_boxed_str()),
        }
    }
    out
}

/// `C1-C5`, `C1..C5`, `C1~C5`: the letters, the first and the last number.
fn range(word: &str) -> Option<(&str, u32, u32)> {
    let (a, b) = ["..", "-", "–", "~"].iter().find_map(|dash| word.split_once(dash))?;
    let cut = |w: &'_ str| w.find(|c: char| c.is_ascii_digit());
    let (prefix, from) = a.split_at_checked(cut(a)?)?;
    let (other, to) = b.split_at_checked(cut(b)?)?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (!prefix.is_empty() && prefix == other && from <= to).then_some((prefix, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designators_of_every_style() {
        let of = |text| designators(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of("C1, C5, "), ["C1", "C5"]);
        assert_eq!(of("C1 C5\nR2;R3"), ["C1", "C5", "R2", "R3"]);
        assert_eq!(of("C1-C3, U2"), ["C1", "C2", "C3", "U2"]);
        assert_eq!(of("R1 - R2"), ["R1", "R2"]);
        assert_eq!(of("J1-2"), ["J1-2"]);
        assert_eq!(of("R1-R4000000000").len(), MOST);
        assert_eq!(of("R9-R1"), ["R9-R1"]);
    }
}
