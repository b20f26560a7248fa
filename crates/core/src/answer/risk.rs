//! What is answered about risk: four axes for each subject, never summed, with every term and every weight.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Jurisdiction, KnowledgeStamp, Said};
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `policy risk`.
pub const RISK_SCHEMA: &str = "umbilical.risk/1";

/// The document of `policy risk`.
#[derive(Clone, Debug, Serialize)]
pub struct RiskAnswer {
    /// [`RISK_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// What was assumed for this run.
    pub assumed: Vec<String>,
    /// What was said of every asset and deal.
    pub facts: BTreeMap<String, String>,
    /// By what the axes were weighed and the subjects put in order.
    pub weights: WeightsUsed,
    /// Every subject, by its rank.
    pub subjects: Vec<Risked>,
}

/// The weights in use: with them and the terms every score can be worked out again.
#[derive(Clone, Debug, Serialize)]
pub struct WeightsUsed {
    /// What the text calls itself.
    pub title: String,
    /// The texts, the later over the earlier.
    pub texts: Vec<WeightText>,
    /// Points of every term, by axis, the heaviest first.
    pub terms: Vec<WeightOf>,
    /// The highest step of what the operator says of a country.
    pub steps: u32,
    /// What the operator says of countries, by code.
    pub countries: Vec<CountrySaid>,
    /// By what subjects are put in order.
    pub rank: RankOrder,
}

/// A text of weights.
#[derive(Clone, Debug, Serialize)]
pub struct WeightText {
    /// Its file.
    pub file: String,
    /// Digest of its bytes.
    pub sha256: String,
}

/// A weight.
#[derive(Clone, Debug, Serialize)]
pub struct WeightOf {
    /// The axis.
    pub axis: Word,
    /// The term.
    pub term: String,
    /// Points of 100; on `jurisdiction` for each step.
    pub weight: u32,
}

/// What the operator says of a country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountrySaid {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// 0 to `steps`.
    pub hostility: u32,
    /// 0 to `steps`.
    pub intention: u32,
    /// 0 to `steps`.
    pub capability: u32,
    /// Who decided it, when, on what.
    pub because: String,
}

/// By what subjects are put in order.
#[derive(Clone, Debug, Serialize)]
pub struct RankOrder {
    /// Words of `criticality`, the first of them first.
    pub criticality: Vec<String>,
    /// Words of `sector`, the same way; `[]` = it does not count.
    pub sector: Vec<String>,
    /// Axes, the first decides.
    pub axes: Vec<Word>,
}

/// One subject on four axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Risked {
    /// Its place, counted from 1.
    pub rank: u64,
    /// Why it stands there, the first key first.
    pub ranked_by: Vec<String>,
    /// `device`, `file`.
    pub kind: Word,
    /// Its id: of a device, or the path of a bill of materials.
    pub id: String,
    /// What people call it.
    pub names: Vec<String>,
    /// What the operator says of how critical it is; `null` = nobody has said.
    pub criticality: Option<String>,
    /// What the operator says of its sector.
    pub sector: Vec<String>,
    /// The modules and products in it.
    pub modules: Vec<String>,
    /// The four axes, always all of them.
    pub axes: Vec<AxisScore>,
    /// Whose law reaches it, with the laws that are on file: facts, whatever the operator says of the country.
    pub jurisdictions: Vec<Reached>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisScore {
    /// `hardware-integrity`, `transparency`, `jurisdiction`, `privacy-exposure`.
    pub axis: Word,
    /// 0–100: the sum of the terms, at most 100; `null` = nothing can be said.
    pub score: Option<u32>,
    /// What counts.
    pub terms: Vec<Term>,
    /// What is not known, and what counts for nothing.
    pub open: Vec<String>,
}

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Term {
    /// Its name among the weights.
    pub term: String,
    /// In words.
    pub what: String,
    /// Points that it adds.
    pub weight: u32,
    /// How it is known.
    pub basis: Basis,
    /// What makes it so.
    pub because: Vec<String>,
    /// Where it was read; `null` = it follows from the evidence, or the operator said so.
    pub source: Option<String>,
}

/// A jurisdiction that reaches a subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// The fact.
    #[serde(flatten)]
    pub fact: Jurisdiction,
    /// What the operator says of the country; `null` = nothing.
    pub said: Option<CountrySaid>,
    /// Points that this comes to; `null` where the operator has said nothing.
    pub points: Option<u32>,
}
