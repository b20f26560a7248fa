//! What the operator knows of their assets: facts by name, site, id or model, in a file of their own.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::facts::Facts;
use super::pack::Spanned;
use super::vocabulary::{Fault, Vocabulary};

/// The file: facts of everything, and of what matches.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assets {
    /// Words of their own, as in a pack.
    #[serde(default)]
    pub words: BTreeMap<Spanned<String>, Vec<String>>,
    /// Facts of every asset and deal.
    #[serde(default)]
    pub facts: Facts,
    /// Assets; where several match, the later counts.
    #[serde(default, rename = "asset")]
    pub assets: Vec<Asset>,
}

impl Assets {
    /// Reads every word as rules know it.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn settle(&mut self, words: &mut Vocabulary<'_>) -> Result<(), Fault> {
        words.list(&self.words)?;
        self.facts = words.facts(&self.facts)?;
        for asset in &mut self.assets {
            asset.facts = words.facts(&asset.facts)?;
        }
        Ok(())
    }
}

/// One group of assets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Which: every pattern that is given must match. `*` stands for any text; case does not count.
    #[serde(rename = "match")]
    pub pattern: Pattern,
    /// What is known of them.
    pub facts: Facts,
}

/// Patterns of one group.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// A name.
    #[serde(default)]
    pub name: Option<String>,
    /// A site.
    #[serde(default)]
    pub site: Option<String>,
    /// An asset number, IMEI, serial number or the id of an answer.
    #[serde(default)]
    pub id: Option<String>,
    /// Brand and model of the device.
    #[serde(default)]
    pub model: Option<String>,
    /// The path of a bill of materials.
    #[serde(default)]
    pub path: Option<String>,
}

/// What patterns are held against.
#[derive(Clone, Copy, Debug, Default)]
pub struct Labels<'a> {
    /// Names.
    pub names: &'a [&'a str],
    /// Sites.
    pub sites: &'a [&'a str],
    /// Identifiers of any kind.
    pub ids: &'a [&'a str],
    /// Brand and model.
    pub model: &'a str,
    /// Path of a document.
    pub path: &'a str,
}

impl Pattern {
    /// Whether every pattern that is given matches; one without any matches nothing.
    pub fn fits(&self, labels: &Labels<'_>) -> bool {
        let tests = [
            (&self.name, labels.names),
            (&self.site, labels.sites),
            (&self.id, labels.ids),
            (&self.model, &[labels.model][..]),
            (&self.path, &[labels.path][..]),
        ];
        let given = tests.iter().filter(|(pattern, _)| pattern.is_some()).count();
        let hits = tests.iter().filter(|(pattern, texts)| pattern.as_deref().is_some_and(|p| texts.iter().any(|t| like(p, t)))).count();
        given > 0 && hits == given
    }
}

/// Whether a text is like a pattern in which `*` stands for any text; ASCII case does not count.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece).and_then(|at| rest.get(at.saturating_add(piece.len())..)) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}
