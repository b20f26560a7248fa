//! Grammars of what modules say: revisions, identity answers, commands, USB strings, file names.
//!
//! A pattern is applied only to the kinds of fields in its scope, and its model template is resolved against the
//! catalogue, longest name first, so that one grammar covers models nobody wrote down beside it.
//! Expressions are compiled without Unicode classes: write positive classes, not `.` or `[^…]`.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::endpoints::Strength;
use crate::modules::{Module, Modules};
use crate::table::{FromRow, Problem, Row, Source, Word, words};

words! {
    /// The kind of field a pattern may be applied to.
    Scope {
        /// A firmware revision.
        Revision = "revision",
        /// The answer to ATI, +CGMI, +CGMM, +GMM and the like, one line.
        AtIdentity = "at-identity",
        /// Any line of an AT dialogue.
        AtLine = "at-line",
        /// USB product string.
        UsbProduct = "usb-product",
        /// USB manufacturer string.
        UsbManufacturer = "usb-manufacturer",
        /// A field that holds a model name.
        Model = "model",
        /// Prose, labels, logs.
        Text = "text",
        /// The name of a firmware or flash file.
        FileName = "file-name",
    }
}

/// All scopes, in the order of the enum.
const SCOPES: [Scope; 8] = [
    Scope::Revision,
    Scope::AtIdentity,
    Scope::AtLine,
    Scope::UsbProduct,
    Scope::UsbManufacturer,
    Scope::Model,
    Scope::Text,
    Scope::FileName,
];

/// One row of `identifiers/patterns.csv`.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Kebab-case name.
    pub id: Box<str>,
    /// The expression.
    pub regex: Box<str>,
    /// Where it may be applied.
    pub scope: Vec<Scope>,
    /// The brand it speaks for.
    pub brand: Option<Box<str>>,
    /// The maker it speaks for.
    pub maker: Option<Box<str>>,
    /// Templates of the model, tried in turn (`$1$2`, `L850-GL`).
    pub model: Vec<Box<str>>,
    /// Template of the variant or firmware branch.
    pub variant: Option<Box<str>>,
    /// Template of the silicon.
    pub silicon: Option<Box<str>>,
    /// How much a match says.
    pub strength: Strength,
    /// A text it matches.
    pub example: Box<str>,
    /// The model it gives there.
    pub example_model: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for Pattern {
    const FILE: &'static str = "identifiers/patterns.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let scope: Vec<Scope> = row.words("scope")?;
        if scope.is_empty() {
            return Err(Problem::Empty("scope"));
        }
        Ok(Self {
            id: row.required("id")?,
            regex: row.required("regex")?,
            scope,
            brand: row.opt("brand")?,
            maker: row.opt("maker")?,
            model: row.list("model")?,
            variant: row.opt("variant")?,
            silicon: row.opt("silicon")?,
            strength: row.word("strength")?,
            example: row.required("example")?,
            example_model: row.opt("example_model")?,
            source: row.source()?,
        })
    }
}

/// A model as evidence spells it, and its catalogue row where there is one.
#[derive(Clone, Debug)]
pub struct ModelName<'k> {
    /// The maker's name of it, or the spelling met when the catalogue lacks it.
    pub name: Box<str>,
    /// The catalogue row.
    pub module: Option<&'k Module>,
}

/// A match of a pattern.
#[derive(Clone, Debug)]
pub struct PatternHit<'k> {
    /// The pattern: brand, maker, strength, source.
    pub pattern: &'k Pattern,
    /// The model, resolved against the catalogue.
    pub model: Option<ModelName<'k>>,
    /// The variant or firmware branch.
    pub variant: Option<Box<str>>,
    /// The silicon.
    pub silicon: Option<Box<str>>,
    /// Where in the text, in bytes.
    pub span: Range<usize>,
}

/// At most this many matches of one pattern are reported for one text.
const MAX_MATCHES: usize = 64;

/// The table, its expressions compiled on first use.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub rows: Vec<Pattern>,
    compiled: Vec<OnceLock<Option<Regex>>>,
    sets: [OnceLock<(RegexSet, Vec<usize>)>; SCOPES.len()],
}

impl From<Vec<Pattern>> for Patterns {
    fn from(rows: Vec<Pattern>) -> Self {
        let compiled = rows.iter().map(|_| OnceLock::new()).collect();
        Self { rows, compiled, sets: Default::default() }
    }
}

/// Compiles one expression.
pub(crate) fn compile(text: &str) -> Result<Regex, Problem> {
    let built = RegexBuilder::new(text).unicode(false).multi_line(true).build();
    built.map_err(|e| Problem::Regex { text: text.to_owned(), reason: e.to_string() })
}

impl Patterns {
    fn regex(&self, at: usize) -> Option<&Regex> {
        let row = self.rows.get(at)?;
        self.compiled.get(at)?.get_or_init(|| compile(&row.regex).ok()).as_ref()
    }

    fn build(&self, members: &[usize]) -> Result<RegexSet, regex::Error> {
        let texts = members.iter().filter_map(|at| self.rows.get(*at)).map(|r| &*r.regex);
        RegexSetBuilder::new(texts).unicode(false).multi_line(true).build()
    }

    fn set(&self, scope: Scope) -> Option<&(RegexSet, Vec<usize>)> {
        let slot = self.sets.get(SCOPES.iter().position(|s| *s == scope)?)?;
        Some(slot.get_or_init(|| {
            let members: Vec<usize> = self.rows.iter().enumerate().filter(|(_, r)| r.scope.contains(&scope)).map(|(at, _)| at).collect();
            if let Ok(set) = self.build(&members) {
                return (set, members);
            }
            // A row that does not compile is reported by the check of the tables; here it is left out.
            let good: Vec<usize> = members.into_iter().filter(|at| self.rows.get(*at).is_some_and(|r| compile(&r.regex).is_ok())).collect();
            (self.build(&good).unwrap_or_else(|_| RegexSet::empty()), good)
        }))
    }

    pub fn matches<'k>(&'k self, modules: &'k Modules, scope: Scope, text: &str) -> Vec<PatternHit<'k>> {
        let Some((set, members)) = self.set(scope) else { return Vec::new() };
        let mut hits = Vec::new();
        for at in set.matches(text).into_iter().filter_map(|i| members.get(i)) {
            let (Some(pattern), Some(regex)) = (self.rows.get(*at), self.regex(*at)) else { continue };
            hits.extend(regex.captures_iter(text).take(MAX_MATCHES).filter_map(|c| hit(pattern, modules, &c)));
        }
        hits
    }
}

fn hit<'k>(pattern: &'k Pattern, modules: &'k Modules, captures: &Captures<'_>) -> Option<PatternHit<'k>> {
    let whole = captures.get(0)?;
    let fill = |template: &str| {
        let mut out = String::new();
        captures.expand(template, &mut out);
        Some(out.trim()).filter(|t| !t.is_empty()).map(Box::<str>::from)
    };
    let spellings: Vec<Box<str>> = pattern.model.iter().filter_map(|t| fill(t)).collect();
    let maker = pattern.maker.as_deref().or(pattern.brand.as_deref()).unwrap_or_default();
    Some(PatternHit {
        pattern,
        model: resolve(modules, maker, &spellings),
        variant: pattern.variant.as_deref().and_then(fill),
        silicon: pattern.silicon.as_deref().and_then(fill),
        span: whole.range(),
    })
}

/// Each spelling as it stands; then the longest catalogue name that the last, fullest spelling begins with.
fn resolve<'k>(modules: &'k Modules, maker: &str, spellings: &[Box<str>]) -> Option<ModelName<'k>> {
    let exact = spellings.iter().find_map(|s| modules.named(maker, s));
    let module = exact.or_else(|| spellings.iter().rev().find_map(|s| modules.stem(maker, s)));
    let name = module.map(|m| m.model.clone()).or_else(|| spellings.first().cloned())?;
    Some(ModelName { name, module })
}

/// Tries the example of every row.
pub(crate) fn check_examples<'k>(patterns: &'k Patterns, modules: &Modules) -> Vec<(&'k Pattern, Problem)> {
    let mut problems = Vec::new();
    for row in &patterns.rows {
        if let Err(problem) = compile(&row.regex) {
            problems.push((row, problem));
            continue;
        }
        for scope in &row.scope {
            let hits = patterns.matches(modules, *scope, &row.example);
            let own = hits.iter().find(|h| h.pattern.id == row.id);
            let found = own.map(|h| h.model.as_ref().map(|m| m.name.clone()));
            if found != Some(row.example_model.clone()) {
                let found = match found {
                    None => format!("no match as {}", scope.name()),
                    Some(model) => format!("`{}`", model.unwrap_or_default()),
                };
                let expected = row.example_model.clone().unwrap_or_default().into();
                problems.push((row, Problem::Example { example: row.example.clone().into(), expected, found }));
            }
        }
    }
    problems
}
