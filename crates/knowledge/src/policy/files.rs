//! Texts of packs: those that are shipped, and those of the user.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;

use super::vocabulary::Fault;

macro_rules! embedded {
    ($($id:literal),* $(,)?) => {
        &[$((
            $id,
            include_str!(concat!("../../../../policies/", $id, "/pack.toml")),
            include_str!(concat!("../../../../policies/", $id, "/cases.toml")),
        )),*]
    };
}

/// Every pack that is shipped: its id, its text, its cases.
const SHIPPED: &[(&str, &str, &str)] = embedded![
    "au-5g-pspf",
    "ca-c8",
    "etsi-en-303645",
    "eu-cra",
    "eu-csa2",
    "eu-ict-toolbox",
    "eu-ipi-med",
    "eu-nis2",
    "eu-red-da",
    "gb-cab-surveillance",
    "gb-procurement-act",
    "gb-psti",
    "house-hospital",
    "house-port",
    "house-toy-maker",
    "house-trust-profiles",
    "house-utility",
    "iec-62443-3-2",
    "in-mtcte",
    "in-nsdts",
    "jp-procurement",
    "lt-elec-73-3",
    "tw-prc-ict",
    "us-bis-cv",
    "us-bis-entity-list",
    "us-dod-1260h",
    "us-fcc-covered",
    "us-fcc-trustmark",
    "us-human-rights",
    "us-ndaa-5949",
    "us-ndaa-805",
    "us-ndaa-889",
    "us-nerc-cip",
    "us-proposed",
    "us-tx-lsipa",
    "us-tx-prohibited",
];

/// A text and where it stands.
#[derive(Clone, Debug)]
pub struct PolicyText {
    /// `policies/us-fcc-covered/pack.toml`, or the path as the user typed it.
    pub name: String,
    /// The TOML.
    pub text: String,
}

/// The ids of the packs that are shipped.
pub fn shipped_ids() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|p| p.0)
}

/// The text of a shipped pack and of its cases.
pub fn shipped(id: &str) -> Option<(PolicyText, PolicyText)> {
    let (id, pack, cases) = SHIPPED.iter().find(|p| p.0 == id)?;
    let text = |file: &str, text: &str| PolicyText { name: format!("policies/{id}/{file}"), text: text.to_owned() };
    Some((text("pack.toml", pack), text("cases.toml", cases)))
}

/// What is wrong with a pack, on its own line, underlined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The file.
    pub file: String,
    /// Counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, and what is right.
    pub what: String,
    /// The line, and marks below what is meant.
    shown: String,
}

impl PolicyError {
    /// Points at a part of the text.
    pub fn at(text: &PolicyText, span: Range<usize>, what: impl Into<String>) -> Self {
        let whole = text.text.as_str();
        let start = floor(whole, span.start);
        let before = whole.get(..start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let head = before.rfind('\n').map_or(0, |n| n.saturating_add(1));
        let column = before.get(head..).unwrap_or_default().chars().count().saturating_add(1);
        let rest = whole.get(head..).unwrap_or_default();
        let shown_line = rest.lines().next().unwrap_or_default().replace('\t', " ");
        let marked = whole.get(start..floor(whole, span.end)).unwrap_or_default();
        let width = marked.lines().next().unwrap_or_default().chars().count().max(1);
        let gutter = " ".repeat(line.to_string().len());
        let marks = format!("{}{}", " ".repeat(column.saturating_sub(1)), "^".repeat(width));
        let shown = format!("{gutter} |\n{line} | {shown_line}\n{gutter} | {marks}");
        Self { file: text.name.clone(), line, column, what: what.into(), shown }
    }
}

impl PolicyText {
    /// The line of each place, counted from 1: the text is gone through once, however many places there are.
    pub fn lines_of(&self, places: impl Iterator<Item = Range<usize>>) -> Vec<usize> {
        let ends: Vec<usize> = self.text.match_indices('\n').map(|(at, _)| at).collect();
        places.map(|place| ends.partition_point(|end| *end < place.start).saturating_add(1)).collect()
    }

    /// Points at a word of a fact or condition.
    pub fn fault(&self, fault: Fault) -> PolicyError {
        let Fault { span, word, what } = fault;
        let value = self.text.get(span.clone()).unwrap_or_default();
        let marked = [format!("\"{word}\""), word].into_iter().filter(|w| !w.is_empty());
        let inside = marked.filter_map(|w| value.find(&w).map(|at| (at, w.len()))).next();
        let span = inside.map_or(span.clone(), |(at, long)| {
            let start = span.start.saturating_add(at);
            start..start.saturating_add(long)
        });
        PolicyError::at(self, span, what)
    }
}

/// The nearest place at or before a byte at which a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}\n{}", self.file, self.line, self.column, self.what, self.shown)
    }
}

impl std::error::Error for PolicyError {}

/// Reads a pack or cases.
///
/// # Errors
/// The first mistake, located.
pub fn parse<T: DeserializeOwned>(text: &PolicyText) -> Result<T, PolicyError> {
    toml::from_str(&text.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        PolicyError::at(text, span, error.message())
    })
}
