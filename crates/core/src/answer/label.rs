//! The sourcing label of a product: who made what in it, whose law reaches each, how it is updated and for how long, and
//! how much of that nobody has said. The same members for every maker; what is not known is `null`, never left out.

use serde::Serialize;

use super::bom::{State, Tier};
use super::{KnowledgeStamp, Said};
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `bom label`.
pub const LABEL_SCHEMA: &str = "umbilical.label/1";

/// The document of `bom label`.
#[derive(Clone, Debug, Serialize)]
pub struct Labels {
    /// [`LABEL_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// One for each product, sorted by path.
    pub labels: Vec<Carded>,
}

/// A label with the text of the code on its card.
#[derive(Clone, Debug, Serialize)]
pub struct Carded {
    /// `umbilical-label:1?sha256=…`: the digest of `label` in canonical form (RFC 8785).
    pub card: String,
    /// The label.
    pub label: Label,
}

/// The label of one product: what is signed.
#[derive(Clone, Debug, Serialize)]
pub struct Label {
    /// What it is about.
    pub product: Labelled,
    /// The documents that it is made from, by digest.
    pub documents: Vec<Document>,
    /// What the documents say of cellular modules, as declared.
    pub state: State,
    /// Why, in sentences.
    pub because: Vec<String>,
    /// Each module, and each part that hides one.
    pub modules: Vec<LabelModule>,
    /// How many of the tiers are known, of the module of which least is known.
    pub depth: Depth,
    /// Until when the product is supported.
    pub support_end: Known,
    /// NIST IR 8425: of each capability what this label says.
    pub capabilities: Vec<Capability>,
    /// The day of the answer.
    pub as_of: String,
    /// Digest of the facts used.
    pub knowledge: String,
    /// The newest day of their sources.
    pub sources_to: String,
}

/// What a label is about.
#[derive(Clone, Debug, Serialize)]
pub struct Labelled {
    /// As the document names it, else its file or folder.
    pub name: String,
    /// Its number.
    pub model: Option<String>,
    /// Its revision.
    pub version: Option<String>,
    /// Who sells it.
    pub brand: Maker,
    /// Who builds it, where the document names another than the brand.
    pub builder: Maker,
    /// The file or folder.
    pub path: String,
}

/// A firm, and the countries whose law reaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Maker {
    /// Its name; `null` = nobody has said.
    pub name: Option<String>,
    /// Its organisation id, where it is one of the tables.
    pub org: Option<String>,
    /// ISO 3166-1 codes; `[]` = not known.
    pub jurisdictions: Vec<String>,
    /// How its name is known; `null` where it is not.
    pub basis: Option<Basis>,
}

/// A document by its digest.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    /// As the user named it.
    pub path: String,
    /// The dialect.
    pub format: String,
    /// Of its bytes.
    pub sha256: String,
}

/// Something said, or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Known {
    /// As it was said; `null` = not known.
    pub value: Option<String>,
    /// How it is known; `null` where it is not.
    pub basis: Option<Basis>,
    /// Where it was said, or whom to ask.
    pub source: String,
}

/// A module on the label, or a part that hides one.
#[derive(Clone, Debug, Serialize)]
pub struct LabelModule {
    /// In a few words.
    pub name: String,
    /// Whether it is a module by name; otherwise a part that carries one without naming it.
    pub named: bool,
    /// Where the document has it.
    pub at: String,
    /// Its chipset, as far as it is known.
    pub chipset: Known,
    /// What may stand in its place, as declared.
    pub alternates: Vec<String>,
    /// The tiers from the name on the box down to who writes the firmware, each with its jurisdictions.
    pub tiers: Vec<LabelTier>,
    /// How its firmware comes to it.
    pub updates: Updates,
    /// How many of its tiers are known.
    pub depth: Depth,
}

/// One tier: who stands there.
#[derive(Clone, Debug, Serialize)]
pub struct LabelTier {
    /// `brand`, `odm`, `module`, `chipset`, `memory`, `firmware`.
    pub tier: Word,
    /// Who.
    #[serde(flatten)]
    pub maker: Maker,
    /// What it supplies there.
    pub part: Option<String>,
    /// 0–1; 0 for a gap.
    pub confidence: f64,
    /// Where that was said, or what to ask.
    pub because: String,
}

/// How firmware comes to a module.
#[derive(Clone, Debug, Serialize)]
pub struct Updates {
    /// Who signs it.
    pub signer: Known,
    /// From where it is served.
    pub served_from: Vec<Host>,
}

/// A host that serves firmware to modules of a maker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Host {
    /// Its name.
    pub host: String,
    /// What it serves.
    pub what: String,
    /// `inferred`: a row about the maker, not about this product.
    pub basis: Basis,
    /// Where that was read.
    pub source: String,
    /// Whether somebody has confirmed it.
    pub verified: bool,
}

/// How deep a supply chain is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Depth {
    /// Tiers with a name.
    pub known: u64,
    /// Tiers asked for; 0 where no module is declared.
    pub of: u64,
    /// The deepest with a name.
    pub deepest: Option<Word>,
    /// Of those with a name the one that is known worst.
    pub worst_known: Option<Worst>,
    /// Those nobody has named.
    pub gaps: Vec<Word>,
}

/// The tier that is known worst.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worst {
    /// Which.
    pub tier: Word,
    /// Who.
    pub name: String,
    /// 0–1.
    pub confidence: f64,
    /// How it is known.
    pub basis: Option<Basis>,
}

/// A capability of NIST IR 8425, and what a label says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// Its name there.
    pub capability: Word,
    /// `technical`, `non-technical`.
    pub kind: Word,
    /// What this label says of it; `null` = nothing.
    pub says: Option<String>,
}

impl From<&Tier> for LabelTier {
    fn from(t: &Tier) -> Self {
        let mut jurisdictions: Vec<String> = Vec::new();
        for j in &t.jurisdictions {
            if !jurisdictions.contains(&j.country) {
                jurisdictions.push(j.country.clone());
            }
        }
        Self {
            tier: t.tier.name(),
            maker: Maker { name: t.name.clone(), org: t.org.clone(), jurisdictions, basis: t.basis },
            part: t.part.clone(),
            confidence: t.confidence,
            because: t.because.clone(),
        }
    }
}
