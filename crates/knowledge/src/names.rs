//! Names inside text: token-bounded, longest first, indifferent to case and to `-`, `_`, `.` and spaces; to `:` only where a
//! name is spelled with one.
//!
//! A name's key is its ASCII letters and digits in upper case (`RM520N-GL`, `RM520NGL` and `rm520n_gl` are one
//! key). A text is cut into runs of letters and digits; up to four neighbouring runs joined by single separators
//! are looked up in a hash table, so the cost does not grow with the number of names.

use std::ops::Range;

use rustc_hash::FxHashMap;

const MAX_RUNS: usize = 4;
const MAX_KEY: usize = 48;

/// The key of a name: its ASCII letters and digits in upper case.
pub fn key(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| char::from(b.to_ascii_uppercase())).collect()
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    spaced: bool,
    colon: bool,
}

/// A set of names, each leading to a row number.
#[derive(Clone, Debug, Default)]
pub(crate) struct NameIndex {
    map: FxHashMap<Box<str>, Vec<Entry>>,
    // Names outside ASCII (移远) have no word boundaries: they are searched as they are.
    wide: Vec<(Box<str>, u32)>,
    // Where in a name its first letter outside ASCII stands, and which name: only at such letters is one looked for.
    wide_at: FxHashMap<char, Vec<(usize, usize)>>,
}

/// A name found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub ids: Vec<u32>,
    pub span: Range<usize>,
}

impl NameIndex {
    /// The index of rows, each by its name and its other spellings.
    pub fn of<'n>(rows: impl Iterator<Item = (&'n str, &'n [Box<str>])>) -> Self {
        let mut index = Self::default();
        for (id, (name, aliases)) in (0u32..).zip(rows) {
            index.insert(name, id);
            aliases.iter().for_each(|alias| index.insert(alias, id));
        }
        index
    }

    pub fn insert(&mut self, name: &str, id: u32) {
        let key = key(name);
        if let Some((offset, letter)) = name.char_indices().find(|(_, c)| !c.is_ascii()) {
            self.wide_at.entry(letter).or_default().push((offset, self.wide.len()));
            self.wide.push((name.into(), id));
            return;
        }
        if key.is_empty() || key.len() > MAX_KEY {
            return;
        }
        let (spaced, colon) = (name.contains(' '), name.contains(':'));
        let entries = self.map.entry(key.into()).or_default();
        match entries.iter_mut().find(|e| e.id == id) {
            Some(entry) => {
                entry.spaced |= spaced;
                entry.colon |= colon;
            }
            None => entries.push(Entry { id, spaced, colon }),
        }
    }

    /// Rows with exactly this name.
    pub fn exact(&self, name: &str) -> Vec<u32> {
        let wide = self.wide.iter().filter(|(n, _)| **n == *name).map(|(_, id)| *id);
        // A name outside ASCII has no meaningful key: 移远A is not A.
        let plain = name.is_ascii().then(|| key(name)).into_iter().flat_map(|key| self.by_key(&key).collect::<Vec<_>>());
        plain.chain(wide).collect()
    }

    /// Rows with exactly this key.
    pub fn by_key<'k>(&'k self, key: &str) -> impl Iterator<Item = u32> + use<'k> {
        self.map.get(key).into_iter().flatten().map(|e| e.id)
    }

    /// Every name in the text, left to right, the longest at each place.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let runs = runs(text);
        let mut found = Vec::new();
        let mut at = 0usize;
        while at < runs.len() {
            match self.longest_at(text, &runs, at) {
                Some((hit, used)) => {
                    found.push(hit);
                    at = at.saturating_add(used);
                }
                None => at = at.saturating_add(1),
            }
        }
        found.extend(self.wide_in(text));
        found.sort_by_key(|f| (f.span.start, std::cmp::Reverse(f.span.end)));
        found
    }

    /// Names outside ASCII in the text.
    fn wide_in(&self, text: &str) -> impl Iterator<Item = Found> {
        let letters = text.char_indices().filter(|(_, c)| !c.is_ascii());
        let tried = letters.flat_map(|(at, c)| self.wide_at.get(&c).into_iter().flatten().map(move |(offset, name)| (at, *offset, *name)));
        tried.filter_map(|(at, offset, name)| {
            let (name, id) = self.wide.get(name)?;
            let start = at.checked_sub(offset)?;
            let hit = text.get(start..)?.starts_with(&**name);
            hit.then(|| Found { ids: vec![*id], span: start..start.saturating_add(name.len()) })
        })
    }

    fn longest_at(&self, text: &str, runs: &[Range<usize>], at: usize) -> Option<(Found, usize)> {
        let mut key = [0u8; MAX_KEY];
        let mut len = 0usize;
        let (mut spaced_join, mut colon_join) = (false, false);
        let mut best = None;
        let window = runs.get(at..)?.iter().take(MAX_RUNS).enumerate();
        let first = runs.get(at)?;
        let mut end = first.start;
        for (used, run) in window {
            let gap = text.get(end..run.start)?;
            if used > 0 && !matches!(gap, "-" | "_" | " " | "." | ":") {
                break;
            }
            let word = text.get(run.clone())?.as_bytes();
            // A space joins only what looks like the tail of a model (`EC25 EU`), unless the name is spelled so.
            spaced_join |= used > 0 && gap == " " && (word.len() < 2 || !model_like(text.get(first.clone())?.as_bytes()));
            // A colon parts words (`model:EC25`), save in a name that is spelled with one (`Thingy:91`).
            colon_join |= used > 0 && gap == ":";
            let longer = len.saturating_add(word.len());
            let Some(room) = key.get_mut(len..longer) else { break };
            for (to, from) in room.iter_mut().zip(word) {
                *to = from.to_ascii_uppercase();
            }
            len = longer;
            end = run.end;
            let Some(entries) = std::str::from_utf8(key.get(..len)?).ok().and_then(|k| self.map.get(k)) else { continue };
            let ids: Vec<u32> = entries.iter().filter(|e| (!spaced_join || e.spaced) && (!colon_join || e.colon)).map(|e| e.id).collect();
            if !ids.is_empty() {
                best = Some((Found { ids, span: first.start..run.end }, used.saturating_add(1)));
            }
        }
        best
    }
}

fn model_like(word: &[u8]) -> bool {
    word.iter().any(u8::is_ascii_digit) && word.iter().any(u8::is_ascii_alphabetic)
}

/// Runs of letters and digits. Letters outside ASCII belong to a run (so `éEM12` is no EM12), except CJK, which
/// has no word boundaries.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let inside = c.is_ascii_alphanumeric() || (c.is_alphanumeric() && u32::from(c) < 0x2E80);
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                out.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        out.push(from..text.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> NameIndex {
        let mut index = NameIndex::default();
        for (id, name) in ["EC25", "EC25-E", "RM520N-GL", "EG06", "L850 LTE Module", "移远", "EC25-EU"].iter().enumerate() {
            index.insert(name, id as u32);
        }
        index
    }

    fn found(text: &str) -> Vec<(u32, String)> {
        index().find(text).into_iter().map(|f| (f.ids[0], text[f.span].to_owned())).collect()
    }

    #[test]
    fn spelling_does_not_matter() {
        for text in ["RM520N-GL", "rm520ngl", "RM520N_GL", "(RM520N-GL)", "Quectel RM520N-GL,"] {
            assert_eq!(found(text).first().map(|f| f.0), Some(2), "{text}");
        }
    }

    #[test]
    fn the_longest_name_wins_and_tokens_bound_it() {
        assert_eq!(found("EC25-E EC25"), [(1, "EC25-E".into()), (0, "EC25".into())]);
        assert_eq!(found("EG0600FBVFP"), []);
        assert_eq!(found("xEC25 ECx25"), []);
    }

    #[test]
    fn a_space_joins_only_model_tails_or_names_spelled_so() {
        assert_eq!(found("EC25 E"), [(0, "EC25".into())]);
        assert_eq!(found("EC25 EU"), [(6, "EC25 EU".into())]);
        assert_eq!(found("\"L850 LTE Module\""), [(4, "L850 LTE Module".into())]);
    }

    #[test]
    fn a_colon_joins_only_names_spelled_so() {
        let mut index = index();
        index.insert("Thingy:91", 7);
        let found = |text: &str| index.find(text).into_iter().map(|f| (f.ids[0], text[f.span].to_owned())).collect::<Vec<_>>();
        assert_eq!(found("Nordic Thingy:91"), [(7, "Thingy:91".into())]);
        assert_eq!(found("thingy-91 Thingy91"), [(7, "thingy-91".into()), (7, "Thingy91".into())]);
        assert_eq!(found("EC25:E model:EG06"), [(0, "EC25".into()), (3, "EG06".into())]);
    }

    #[test]
    fn chinese_names_need_no_boundary() {
        assert_eq!(found("采用移远EC25模块"), [(5, "移远".into()), (0, "EC25".into())]);
    }

    #[test]
    fn a_name_outside_ascii_is_found_wherever_its_first_wide_letter_stands() {
        let mut index = NameIndex::default();
        for (id, name) in ["sim卡座", "módulo gsm", "卡座"].iter().enumerate() {
            index.insert(name, id as u32);
        }
        let found = |text: &str| index.find(text).into_iter().map(|f| (f.ids[0], f.span)).collect::<Vec<_>>();
        assert_eq!(found("µ nano-sim卡座 1"), [(0, 8..17), (2, 11..17)]);
        assert_eq!(found("un módulo gsm"), [(1, 3..14)]);
        assert_eq!(found("卡"), []);
    }

    proptest::proptest! {
        #[test]
        fn spans_lie_on_character_boundaries(text in "\\PC*") {
            for hit in index().find(&text) {
                proptest::prop_assert!(text.get(hit.span.clone()).is_some());
            }
        }
    }
}
