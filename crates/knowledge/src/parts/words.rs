//! What words in a value or a description say of a part.

use std::collections::HashSet;

use umbilical_core::bom::PartKind;

use crate::names::NameIndex;
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// How much a word says.
    WordWeight {
        /// It says what the part is.
        Strong = "strong",
        /// It says so where nothing else speaks.
        Weak = "weak",
        /// A part described so is *not* of the row's kind, whatever other words say.
        Denies = "denies",
    }
}

/// One row of `parts/words.csv`.
#[derive(Clone, Debug)]
pub struct PartWord {
    /// The words, as they stand in a text.
    pub word: Box<str>,
    /// The kind of part that they tell of.
    pub kind: PartKind,
    /// How much they say.
    pub weight: WordWeight,
    /// ISO 639 code of their language.
    pub language: Box<str>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for PartWord {
    const FILE: &'static str = "parts/words.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            word: row.required("word")?,
            kind: row.word("kind")?,
            weight: row.word("weight")?,
            language: row.required("language")?,
            source: row.source()?,
        })
    }
}

/// The table with its index.
#[derive(Debug, Default)]
pub(crate) struct PartWords {
    pub rows: Vec<PartWord>,
    names: NameIndex,
}

impl From<Vec<PartWord>> for PartWords {
    fn from(rows: Vec<PartWord>) -> Self {
        let mut names = NameIndex::default();
        for (id, row) in (0u32..).zip(&rows) {
            names.insert(&row.word.to_lowercase(), id);
            if &*row.language == "en" {
                names.insert(&format!("{}s", row.word), id);
            }
        }
        Self { rows, names }
    }
}

impl PartWords {
    /// The words in a text, left to right, the longest at each place, without those that another word denies.
    pub fn find(&self, text: &str) -> Vec<&PartWord> {
        let text = text.to_lowercase();
        let mut hits: Vec<&PartWord> = Vec::new();
        let mut end = 0;
        for found in self.names.find(&text) {
            // Names outside ASCII are searched each by itself: one inside another says nothing more.
            if found.span.start < end && found.span.end <= end {
                continue;
            }
            end = found.span.end;
            hits.extend(found.ids.iter().filter_map(|id| self.rows.get(*id as usize)));
        }
        let denied: HashSet<PartKind> = hits.iter().filter(|w| w.weight == WordWeight::Denies).map(|w| w.kind).collect();
        hits.retain(|w| !denied.contains(&w.kind));
        hits
    }
}
