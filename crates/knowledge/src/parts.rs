//! What is known of parts that are no modules: series of part numbers, words in descriptions, makers.
//!
//! A series is recognised by how its numbers begin; how much of a number its expression covers decides between two.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use umbilical_core::bom::PartKind;

use crate::table::{FromRow, Problem, Row, Source, Word};

pub(crate) mod makers;
pub(crate) mod words;

impl Word for PartKind {
    const ALLOWED: &'static str = "`module` `carrier` `slot` `chipset` `sim` `cellular-antenna` `antenna` `amplifier` `filter` `memory` \
                                   `processor` `radio` `gnss` `power` `firmware` `assembly` `other`";
    fn from_name(name: &str) -> Option<Self> {
        Self::from_name(name)
    }
    fn name(self) -> &'static str {
        self.name()
    }
}

crate::table::words! {
    /// What a row asks for before it is believed.
    Needs {
        /// Nothing: the number, or the name, speaks for itself.
        Nothing = "",
        /// That the maker is named beside it.
        Maker = "maker",
    }
}

/// One row of `parts/series.csv`.
#[derive(Clone, Debug)]
pub struct Series {
    /// Kebab-case name.
    pub id: Box<str>,
    /// How its numbers begin; anchored at the start, indifferent to case, what follows it is free unless it ends in `$`.
    pub regex: Box<str>,
    /// Who makes it; empty: anybody.
    pub makers: Vec<Box<str>>,
    /// What its parts are.
    pub kind: PartKind,
    /// Whether the maker must be named beside the number.
    pub needs: Needs,
    /// What it is, in words.
    pub what: Box<str>,
    /// A number of the series.
    pub example: Box<str>,
    /// Numbers that look like it and are not.
    pub counter_example: Vec<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Series {
    const FILE: &'static str = "parts/series.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        Ok(Self {
            id: row.required("id")?,
            regex: row.required("regex")?,
            makers: row.list("makers")?,
            kind: row.word("kind")?,
            needs: row.word("needs")?,
            what: row.required("what")?,
            example: row.required("example")?,
            counter_example: row.list("counter_example")?,
            source: row.source()?,
        })
    }
}

/// A number of a series.
#[derive(Clone, Copy, Debug)]
pub struct SeriesHit<'k> {
    /// The series.
    pub series: &'k Series,
    /// Whether nothing is left open: the number leads its text, and the maker named is one of the series', or none is
    /// named and the number needs none. False where the named maker is not known here.
    pub certain: bool,
}

/// Whether a maker named beside a number is one of a series'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// It is.
    Agrees,
    /// Nobody known is named.
    Silent {
        /// Whether a text stands there all the same.
        text: bool,
    },
    /// Another maker is named.
    Contradicts,
}

/// The table, its expressions compiled on first use.
#[derive(Debug, Default)]
pub(crate) struct AllSeries {
    pub rows: Vec<Series>,
    compiled: Vec<OnceLock<Option<Regex>>>,
    set: OnceLock<(RegexSet, Vec<usize>)>,
}

impl From<Vec<Series>> for AllSeries {
    fn from(rows: Vec<Series>) -> Self {
        let compiled = rows.iter().map(|_| OnceLock::new()).collect();
        Self { rows, compiled, set: OnceLock::new() }
    }
}

/// Compiles one expression.
fn compile(text: &str) -> Result<Regex, Problem> {
    let built = RegexBuilder::new(text).unicode(false).case_insensitive(true).build();
    built.map_err(|e| Problem::Regex { text: text.to_owned(), reason: e.to_string() })
}

/// What may stand between two part numbers in one field.
fn between(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '"' | '\'' | '（' | '）' | '，' | '；' | '、')
}

/// At most this many tokens of a text are tried.
const MAX_TOKENS: usize = 16;

impl AllSeries {
    fn regex(&self, at: usize) -> Option<&Regex> {
        let row = self.rows.get(at)?;
        self.compiled.get(at)?.get_or_init(|| compile(&row.regex).ok()).as_ref()
    }

    fn set(&self) -> &(RegexSet, Vec<usize>) {
        let build = |rows: &[usize]| {
            let texts = rows.iter().filter_map(|at| self.rows.get(*at)).map(|r| &*r.regex);
            RegexSetBuilder::new(texts).unicode(false).case_insensitive(true).size_limit(1 << 26).build()
        };
        self.set.get_or_init(|| {
            let mut rows: Vec<usize> = (0..self.rows.len()).collect();
            let set = build(&rows).or_else(|_| {
                // A row that does not compile is reported by the check of the tables; here it is left out.
                rows.retain(|at| self.rows.get(*at).is_some_and(|r| compile(&r.regex).is_ok()));
                build(&rows)
            });
            (set.unwrap_or_else(|_| RegexSet::empty()), rows)
        })
    }

    /// The series of one token and how much of the token each covers.
    fn of_token<'k>(&'k self, token: &str) -> impl Iterator<Item = (&'k Series, usize)> {
        let (set, members) = self.set();
        let rows: Vec<_> = set.matches(token).into_iter().filter_map(|i| members.get(i).copied()).collect();
        rows.into_iter()
            .filter_map(move |at| Some((self.rows.get(at)?, self.regex(at)?.find(token)?.end())))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The series that covers most of a number, of those that the maker named beside it does not contradict.
    pub fn find(&self, number: &str, stance: impl Fn(&Series) -> Stance) -> Option<SeriesHit<'_>> {
        let mut best: Option<(SeriesHit<'_>, (bool, usize))> = None;
        for (place, token) in number.split(between).filter(|t| !t.is_empty()).take(MAX_TOKENS).enumerate() {
            for (series, covered) in self.of_token(token) {
                let stance = stance(series);
                let agrees = stance == Stance::Agrees;
                if stance == Stance::Contradicts || (series.needs == Needs::Maker && !agrees) {
                    continue;
                }
                let rank = (agrees, covered);
                if best.as_ref().is_none_or(|(_, held)| rank > *held) {
                    let certain = place == 0 && (agrees || stance == Stance::Silent { text: false } || series.makers.is_empty());
                    best = Some((SeriesHit { series, certain }, rank));
                }
            }
        }
        best.map(|(hit, _)| hit)
    }
}

/// Tries the example and the counter-examples of every row.
pub(crate) fn check_examples(table: &AllSeries) -> Vec<(&Series, Problem)> {
    let mut problems = Vec::new();
    for row in &table.rows {
        if !row.regex.starts_with('^') {
            let reason = "not anchored at the start: begin it with `^`".to_owned();
            problems.push((row, Problem::Regex { text: row.regex.clone().into(), reason }));
            continue;
        }
        let regex = match compile(&row.regex) {
            Ok(regex) => regex,
            Err(problem) => {
                problems.push((row, problem));
                continue;
            }
        };
        let example = |text: &str, found: &str, expected: &str| Problem::Example {
            example: text.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        let own = table.find(&row.example, |r| if r.id == row.id { Stance::Agrees } else { Stance::Silent { text: false } });
        if own.is_none_or(|hit| hit.series.id != row.id) {
            problems.push((row, example(&row.example, "no match", &row.id)));
        }
        for text in row.counter_example.iter().filter(|text| regex.is_match(text)) {
            problems.push((row, example(text, "a match", "none: it is a counter-example")));
        }
    }
    problems
}
