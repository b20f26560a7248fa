//! Words that say whether a part is on the board.

use super::PartField;

/// Words that say "do not place" wherever they stand in a text.
const NOT_PLACED: &[&str] = &[
    "dnp",
    "dnf",
    "dni",
    "dnm",
    "nopop",
    "unpopulated",
    "unmounted",
    "do not populate",
    "do not place",
    "do not fit",
    "do not install",
    "do not mount",
    "do not stuff",
    "do not assemble",
    "do not solder",
    "not populated",
    "not placed",
    "not fitted",
    "not mounted",
    "not installed",
    "not assembled",
    "not stuffed",
    "no pop",
    "no populate",
    "no place",
    "no mount",
    "no stuff",
    "no fit",
    "no load",
    "nicht bestücken",
    "nicht bestückt",
    "nicht bestuecken",
    "nicht bestueckt",
    "ne pas monter",
    "non monté",
    "no montar",
    "non montato",
    "niet plaatsen",
    "不贴",
    "不焊",
    "未贴",
    "不装",
    "空贴",
    "未実装",
    "не устанавливать",
];
/// Those that mean something else inside a longer text.
const ALONE: &[&str] = &[
    "nc",
    "np",
    "nf",
    "nm",
    "ns",
    "dns",
    "n.c",
    "n.p",
    "n/f",
    "n/p",
    "nopopulate",
    "noload",
    "nofit",
    "notfitted",
    "notplaced",
    "notpopulated",
    "donotpopulate",
    "donotplace",
    "donotfit",
    "not used",
    "unused",
    "unfitted",
    "omit",
    "omitted",
    "xdnp",
    "none fitted",
];

/// Whether a text, a value or what stands in a field about placing, says that the part is not on the board.
pub(crate) fn not_placed(text: &str) -> bool {
    let lower: String = text.chars().take(400).flat_map(char::to_lowercase).map(|c| if matches!(c, '_' | '-') { ' ' } else { c }).collect();
    let whole = lower.trim_matches(|c: char| !c.is_alphanumeric());
    ALONE.contains(&whole)
        || ALONE.iter().take(2).any(|w| [format!("({w})"), format!("[{w}]")].iter().any(|bracketed| lower.contains(bracketed.as_str())))
        || NOT_PLACED.iter().any(|w| {
            lower.match_indices(w).any(|(at, _)| {
                let before = lower.get(..at).and_then(|t| t.chars().next_back());
                let after = lower.get(at.saturating_add(w.len())..).and_then(|t| t.chars().next());
                // Chinese and Japanese put no blanks between words.
                let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric()) || !w.is_ascii();
                free(before) && free(after)
            })
        })
}

/// Whether what stands in a field of that kind ([`PartField::NotPlaced`], [`PartField::Placed`]) says that the part is not on
/// the board.
pub(crate) fn leaves_out(field: PartField, text: &str) -> bool {
    const NO: &[&str] = &["0", "no", "n", "false", "off", "nein", "non", "否", "нет", "いいえ"];
    let text = text.trim().to_lowercase();
    match field {
        PartField::NotPlaced => {
            let fitted =
                ["fit", "fitted", "place", "placed", "populate", "populated", "mount", "mounted", "load", "normal", "install", "installed"];
            text.chars().any(char::is_alphanumeric) && !NO.contains(&text.as_str()) && !fitted.contains(&text.as_str())
        }
        PartField::Placed => NO.contains(&text.as_str()) || not_placed(&text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_parts_that_are_not_placed() {
        for yes in ["DNP", "10k DNP", "DNP_100n", "NC", "np", "Do not populate", "100n (NC)", "SIM7600 [DNF]", "nicht bestückt", "物料不贴"]
        {
            assert!(not_placed(yes), "{yes}");
        }
        for no in ["10k", "NCP1117", "DNPX4", "NC7SZ125", "SPDT NO NC", "nfc", ""] {
            assert!(!not_placed(no), "{no}");
        }
        assert!(
            leaves_out(PartField::NotPlaced, "yes")
                && leaves_out(PartField::NotPlaced, "x")
                && !leaves_out(PartField::NotPlaced, "0")
                && !leaves_out(PartField::NotPlaced, "~")
        );
        assert!(
            leaves_out(PartField::Placed, "no")
                && leaves_out(PartField::Placed, "DNF")
                && !leaves_out(PartField::Placed, "yes")
                && !leaves_out(PartField::Placed, "")
        );
    }
}
