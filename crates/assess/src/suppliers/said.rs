//! From typed words to statuses, days, yes and no.

use umbilical_core::Day;
use umbilical_core::answer::suppliers::Status;
use umbilical_core::text::{clean, is_blank, short};

/// The longest text of an answer that is kept, in characters.
const MAX_TEXT: usize = 2000;

/// A cell as it is kept: steers nothing, is not endless, and has lost the apostrophe that guards it from being computed.
pub(super) fn text(cell: &str) -> String {
    let cell = cell.trim();
    let computes = |c: &str| c.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let cell = cell.strip_prefix('\'').filter(|rest| computes(rest)).unwrap_or(cell);
    short(clean(cell).trim(), MAX_TEXT).into_owned()
}

const STATUSES: [(Status, &[&str]); 4] = [
    // The longer word comes first where one begins like another.
    (
        Status::NotApplicable,
        &[
            "not applicable",
            "not-applicable",
            "n/a",
            "na",
            "nicht zutreffend",
            "entfällt",
            "sans objet",
            "no aplica",
            "non applicabile",
            "不适用",
        ],
    ),
    (
        Status::Disclosed,
        &[
            "disclosed",
            "answered",
            "offengelegt",
            "beantwortet",
            "divulgué",
            "communiqué",
            "divulgado",
            "revelado",
            "comunicato",
            "已披露",
            "公开",
        ],
    ),
    (
        Status::Withheld,
        &[
            "withheld",
            "refused",
            "confidential",
            "not disclosed",
            "zurückgehalten",
            "verweigert",
            "vertraulich",
            "retenu",
            "confidentiel",
            "refusé",
            "confidencial",
            "retenido",
            "riservato",
            "保密",
            "拒绝",
        ],
    ),
    (Status::Unknown, &["unknown", "not known", "unbekannt", "inconnu", "desconocido", "sconosciuto", "未知", "不知道", "不明"]),
];

/// What a cell of the column for statuses says; `None` where it says nothing that is known.
pub(super) fn status(cell: &str) -> Option<Status> {
    let cell = cell.trim().to_lowercase();
    let begins = |word: &str| {
        let rest = cell.strip_prefix(word);
        rest.is_some_and(|r| !r.starts_with(char::is_alphabetic) || !word.is_ascii())
    };
    // "Not disclosed" is no "disclosed": the words are tried as beginnings.
    STATUSES.iter().find(|(_, words)| words.iter().any(|w| begins(w))).map(|(status, _)| *status)
}

/// What an answer says that names nothing: a refusal, `unknown`, `n/a`.
pub(super) fn empty_answer(answer: &str) -> Option<Status> {
    let lower = answer.trim().trim_matches(['.', '!', '"', '(', ')']).to_lowercase();
    const REFUSALS: [&str; 13] = [
        "confidential",
        "proprietary",
        "trade secret",
        "business secret",
        "under nda",
        "withheld",
        "not disclosed",
        "cannot disclose",
        "can not disclose",
        "will not disclose",
        "vertraulich",
        "confidentiel",
        "保密",
    ];
    // A sentence that happens to hold one of the words beside a name is an answer.
    let refuses = |word: &str| lower.starts_with(word) || (lower.len() <= 60 && lower.contains(word));
    if REFUSALS.iter().any(|w| refuses(w)) {
        return Some(Status::Withheld);
    }
    // A part number may begin like one of the words: here the whole answer is the word.
    let whole = STATUSES.iter().find(|(_, words)| words.contains(&lower.as_str())).map(|(status, _)| *status);
    if let Some(said) = whole.filter(|s| matches!(s, Status::Unknown | Status::NotApplicable)) {
        return Some(said);
    }
    if ["we do not know", "we don't know", "not known to us", "unknown to us"].iter().any(|w| lower.starts_with(w)) {
        return Some(Status::Unknown);
    }
    (!lower.is_empty() && is_blank(answer)).then_some(Status::Unknown)
}

/// A day as offices write it: `2026-12-01`, `2026/12/01`, `01.12.2026`, `1 December 2026`, `Dec 1, 2026`. With slashes and the
/// year behind, day and month cannot be told apart unless one of them is above 12.
pub(super) fn day(text: &str) -> Option<Day> {
    let text = text.trim();
    let text = text.split(['T', ' ']).next().filter(|t| t.len() == 10 && t.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text);
    if let Ok(day) = text.parse() {
        return Some(day);
    }
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let [a, b, c] = words.as_slice() else { return None };
    let number = |w: &str| w.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<u16>().ok();
    let make = |y: u16, m: u16, d: u16| Day::new(y, u8::try_from(m).ok()?, u8::try_from(d).ok()?).filter(|d| d.year >= 1990);
    if let Some(month) = month(a) {
        return make(number(c)?, month, number(b)?);
    }
    if let Some(month) = month(b) {
        return make(number(c)?, month, number(a)?);
    }
    match (number(a)?, number(b)?, number(c)?) {
        (y, m, d) if y >= 1990 => make(y, m, d),
        (d, m, y) if text.contains('.') || d > 12 => make(y, m, d),
        (m, d, y) if d > 12 => make(y, m, d),
        _ => None,
    }
}

fn month(word: &str) -> Option<u16> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start: String = word.to_lowercase().chars().take(3).collect();
    let start = match start.as_str() {
        "mai" => "may",
        "mär" => "mar",
        "okt" => "oct",
        "dez" => "dec",
        other => other,
    };
    (1..).zip(MONTHS).find(|(_, m)| *m == start).map(|(n, _)| n)
}

/// Yes or no at the beginning of an answer.
pub(super) fn yes(text: &str) -> Option<bool> {
    let first: String = text.trim().to_lowercase().chars().take_while(|c| c.is_alphanumeric()).collect();
    match first.as_str() {
        "yes" | "y" | "ja" | "oui" | "sí" | "si" | "true" | "sì" => Some(true),
        "no" | "n" | "nein" | "non" | "false" | "none" => Some(false),
        word if word.starts_with('是') || word.starts_with('有') => Some(true),
        word if word.starts_with('否') || word.starts_with('无') || word.starts_with("没") || word.starts_with('不') => Some(false),
        _ => None,
    }
}

/// A share in percent.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number = text.trim().trim_end_matches('%').trim().replace(',', ".");
    number.parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_in_the_words_of_offices() {
        let cases = [
            ("disclosed", Some(Status::Disclosed)),
            ("Withheld (NDA)", Some(Status::Withheld)),
            ("not disclosed", Some(Status::Withheld)),
            ("N/A", Some(Status::NotApplicable)),
            ("nicht zutreffend", Some(Status::NotApplicable)),
            ("未知", Some(Status::Unknown)),
            ("Unbekannt.", Some(Status::Unknown)),
            ("nation", None),
            ("", None),
            ("later", None),
        ];
        for (cell, expected) in cases {
            assert_eq!(status(cell), expected, "{cell}");
        }
    }

    #[test]
    fn an_answer_that_says_nothing_is_none() {
        assert_eq!(empty_answer("Confidential."), Some(Status::Withheld));
        assert_eq!(empty_answer("We cannot disclose this"), Some(Status::Withheld));
        assert_eq!(empty_answer("unknown"), Some(Status::Unknown));
        assert_eq!(empty_answer("--"), Some(Status::Unknown));
        assert_eq!(empty_answer("n/a"), Some(Status::NotApplicable));
        assert_eq!(empty_answer("Quectel"), None);
        assert_eq!(empty_answer("NA-4711"), None);
        assert_eq!(empty_answer(""), None);
    }

    #[test]
    fn days_yes_and_percent() {
        for text in ["2026-12-01", "2026/12/01", "01.12.2026", "1 December 2026", "Dec 1, 2026", "2026-12-01T09:00:00Z", "1. Dez 2026"] {
            assert_eq!(day(text).map(|d| d.to_string()).as_deref(), Some("2026-12-01"), "{text}");
        }
        assert_eq!(day("31/12/2026").map(|d| d.to_string()).as_deref(), Some("2026-12-31"));
        for text in ["03/04/2026", "soon", "31.02.2026", "", "1.2"] {
            assert_eq!(day(text), None, "{text}");
        }
        assert_eq!(
            [yes("Yes, by a jumper"), yes("Nein"), yes("Notebook"), yes("不能"), yes("")],
            [Some(true), Some(false), None, Some(false), None]
        );
        assert_eq!([percent("45 %"), percent("12,5"), percent("120")], [Some(45.0), Some(12.5), None]);
    }

    #[test]
    fn typed_text_steers_nothing() {
        assert_eq!(text(" '=cmd()"), "=cmd()");
        assert_eq!(text("a\u{1b}[31mb"), "a[31mb");
        assert_eq!(text("'quoted'"), "'quoted'");
    }
}
