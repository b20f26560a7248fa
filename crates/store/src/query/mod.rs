//! The query language of pages, API and commands: `maker:quectel AND NOT site:lab confidence>0.8`.
//!
//! Words that stand side by side must all fit (`AND`); `OR`, `NOT` or `-` before a word, and parentheses do what they say.
//! `field:value` asks a field (the list is [`Query::fields`]), a word alone asks all of them. A value fits where its words stand in the text
//! one after another; with `*` behind it, where they begin it: `imei:3586*`. In quotes it must be the whole text: `model:"EC25"`
//! is not the EC25-E. Numbers, days and severities can be compared: `confidence>=0.9`, `seen<2026-01-01`, `severity>=high`.
//! Upper and lower case and signs make no difference.

mod fields;
mod parse;
pub(crate) mod sql;

use std::fmt;

pub use fields::STATES;
pub(crate) use fields::{CERTAINTIES, FIELDS, SEVERITIES, What, field_of_word};

/// The longest query, in bytes.
pub const LONGEST: usize = 4000;
/// How deep parentheses and negations may be nested.
pub const DEEPEST: usize = 32;
/// The most terms of a query.
pub const MOST_TERMS: usize = 100;

/// A query that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub(crate) root: Node,
    text: String,
}

/// A part of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Term(Term),
}

/// One thing asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    /// Index into [`FIELDS`]; `None` asks all.
    pub field: Option<usize>,
    pub op: Op,
    pub value: String,
    /// In quotes: the whole text.
    pub whole: bool,
    /// With `*` behind it.
    pub prefix: bool,
    /// Whether so many names or numbers fit that to look at each device is cheaper than to gather them; found out before SQL
    /// is made.
    pub broad: bool,
    /// Of a word alone: whether what it finds in all is little enough to be gathered.
    pub few: bool,
    /// Of a word alone: whether it stands in a code.
    pub codes: bool,
    /// Where it stands, from 1.
    pub column: usize,
}

/// How a field and a value are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Is,
    Less,
    LessOrIs,
    More,
    MoreOrIs,
}

/// What is wrong with a query, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    /// The character at which it stands, counted from 1.
    pub column: usize,
    /// What is wrong, a lower-case fragment.
    pub what: String,
    /// What could stand there; empty where that is no closed list.
    pub allowed: Vec<&'static str>,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)?;
        if !self.allowed.is_empty() {
            write!(f, "; possible: {}", self.allowed.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for QueryError {}

impl Query {
    /// Everything.
    pub fn all() -> Self {
        Self { root: Node::And(Vec::new()), text: String::new() }
    }

    /// Reads a query; an empty one asks for everything.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(|root| Self { root, text: text.trim().to_owned() })
    }

    /// The part of it that profiles answer: what must fit in any case. A list that goes from profile to profile leaves out
    /// with it those in which nothing can fit.
    pub(crate) fn coarse(&self) -> Self {
        let root = match &self.root {
            Node::And(all) => Node::And(all.iter().filter(|n| sql::by_bucket(n)).cloned().collect()),
            one if sql::by_bucket(one) => one.clone(),
            _ => Node::And(Vec::new()),
        };
        Self { root, text: String::new() }
    }

    /// The terms that are looked up among names and numbers.
    pub(crate) fn keyed(&mut self) -> Vec<&mut Term> {
        fn walk<'q>(node: &'q mut Node, out: &mut Vec<&'q mut Term>) {
            match node {
                Node::And(all) | Node::Or(all) => all.iter_mut().for_each(|n| walk(n, out)),
                Node::Not(inner) => walk(inner, out),
                Node::Term(term) => {
                    let what = term.field.and_then(|f| FIELDS.get(f)).map(|f| f.2);
                    if matches!(what, None | Some(What::Key(_) | What::Subscriber(_))) {
                        out.push(term);
                    }
                }
            }
        }
        let mut out = Vec::new();
        walk(&mut self.root, &mut out);
        out
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every field with a line for people, for help and completion.
    pub fn fields() -> impl Iterator<Item = (&'static str, &'static str)> {
        FIELDS.iter().map(|(name, _, _, line)| (*name, *line))
    }
}
