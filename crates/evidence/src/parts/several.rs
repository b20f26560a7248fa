//! Several names or makers in one field.

/// Several names in one field (`SARA-G350` over `SARA-U260`, `EC25 or EG25`), the part's own first; the text as it stands
/// where it is one name. What could be a value with its tolerance (`10k / 1%`) is one.
pub(crate) fn alternatives(text: &str) -> Vec<&str> {
    let pieces = split(text);
    let is_name = |piece: &&str| {
        piece.chars().next().is_some_and(char::is_alphabetic)
            && piece.chars().any(|c| c.is_ascii_digit())
            && piece.chars().filter(|c| c.is_alphanumeric()).count() >= 4
    };
    if pieces.len() > 1 && pieces.iter().all(is_name) { pieces } else { vec![text.trim()] }
}

/// Several makers in one field; the text as it stands where it is one.
pub(crate) fn makers(text: &str) -> Vec<&str> {
    let pieces = split(text);
    if pieces.is_empty() { vec![text.trim()] } else { pieces }
}

fn split(text: &str) -> Vec<&str> {
    let mut pieces = vec![text];
    for mark in ["\n", "\r", ";", "；", " | ", " || ", " / ", " or ", " OR ", " oder ", " ou ", " 或 "] {
        if text.contains(mark) {
            pieces = pieces.into_iter().flat_map(|p| p.split(mark)).collect();
        }
    }
    pieces.retain(|p| !p.trim().is_empty());
    pieces.truncate(64);
    pieces.into_iter().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_names_in_one_field() {
        assert_eq!(alternatives("SARA-G350\nSARA-U260\nSARA-U270"), ["SARA-G350", "SARA-U260", "SARA-U270"]);
        assert_eq!(alternatives("EC25-E or EG25-G"), ["EC25-E", "EG25-G"]);
        assert_eq!(alternatives("BG95-M3 / BG96 | BG770A; SIM7080G"), ["BG95-M3", "BG96", "BG770A", "SIM7080G"]);
        for one in ["10k/1%", "10k / 1%", "100nF; 16V", "EC25/EG25", "SIM7600E or equivalent", "LED or lamp"] {
            assert_eq!(alternatives(one), [one]);
        }
        assert_eq!(makers("Quectel / SIMCom"), ["Quectel", "SIMCom"]);
        assert_eq!(makers(""), [""]);
    }
}
