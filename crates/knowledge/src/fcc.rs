//! FCC identifiers: the grantee and, often, the model inside the product code.

use crate::modules::{Module, Modules};
use crate::table::{FromRow, Problem, Row, Source, words};

words! {
    /// What a grantee makes.
    GranteeRole {
        /// Modules, and other radios beside them.
        Module = "module",
        /// Hosts: the id names the laptop or router, not the module in it.
        Host = "host",
    }
}

/// One row of `identifiers/fcc.csv`.
#[derive(Clone, Debug)]
pub struct FccGrantee {
    /// Three characters, or five when the first is a digit.
    pub grantee: Box<str>,
    /// The organisation.
    pub name: Box<str>,
    /// Its brand.
    pub brand: Box<str>,
    /// Module maker or host.
    pub role: GranteeRole,
    /// Also grantee of parts without cellular radio: no proof of cellular alone.
    pub mixed: bool,
    /// Known ids with the model they stand for, `ID=MODEL`.
    pub known: Vec<(Box<str>, Box<str>)>,
    /// Caveats.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for FccGrantee {
    const FILE: &'static str = "identifiers/fcc.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let grantee = row.required("grantee")?;
        if grantee.len() != grantee_len(&grantee) {
            return Err(Problem::Number { column: "grantee", text: grantee.into(), wanted: "three characters, or five after a digit" });
        }
        let pair = |text: &str| {
            let (id, model) = text.split_once('=').ok_or(Problem::Empty("known"))?;
            Ok((normal(id).into(), Box::from(model.trim())))
        };
        Ok(Self {
            grantee,
            name: row.required("name")?,
            brand: row.required("brand")?,
            role: row.word("role")?,
            mixed: row.yes("mixed")?,
            known: row.list("known")?.iter().map(|t| pair(t)).collect::<Result<_, Problem>>()?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// What an FCC id says.
#[derive(Clone, Debug)]
pub struct FccHit<'k> {
    /// The grantee.
    pub grantee: &'k FccGrantee,
    /// The product code: the id without the grantee.
    pub product: String,
    /// Models the product code spells, the most specific first; empty for parts that are no module of the catalogue.
    pub models: Vec<&'k Module>,
}

fn normal(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn grantee_len(id: &str) -> usize {
    if id.as_bytes().first().is_some_and(u8::is_ascii_digit) { 5 } else { 3 }
}

/// Reads an id, with or without dash and the words "FCC ID".
pub(crate) fn read<'k>(grantees: &'k [FccGrantee], modules: &'k Modules, text: &str) -> Option<FccHit<'k>> {
    let mut id = normal(text);
    for label in ["CONTAINSFCCID", "FCCID"] {
        if let Some(rest) = id.strip_prefix(label) {
            id = rest.to_owned();
        }
    }
    let (prefix, product) = id.split_at_checked(grantee_len(&id))?;
    let grantee = grantees.iter().find(|g| *g.grantee == *prefix)?;
    if product.is_empty() || product.len() > 14 {
        return None;
    }
    let known = grantee.known.iter().find(|(k, _)| **k == *id).and_then(|(_, model)| modules.named(&grantee.brand, model));
    let spelled = spelled_model(modules, &grantee.brand, product);
    let mut models: Vec<&Module> = known.into_iter().chain(spelled).collect();
    models.dedup_by(|a, b| std::ptr::eq(*a, *b));
    Some(FccHit { grantee, product: product.to_owned(), models })
}

/// Product codes begin with the model or with the year, often the month too: `201909EC25AFX`, `2020EM160RGL2`.
fn spelled_model<'k>(modules: &'k Modules, brand: &str, product: &str) -> Option<&'k Module> {
    let dated = product.starts_with("20").then_some([6, 4]).into_iter().flatten();
    let tails = dated.chain([0]).filter_map(|skip| product.get(skip..));
    tails.filter(|t| t.starts_with(|c: char| c.is_ascii_alphabetic())).find_map(|tail| modules.stem(brand, tail))
}
