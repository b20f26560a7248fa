//! Cases: an input, the day, and the verdict that must come out.

use serde::Deserialize;

use super::facts::Facts;
use super::pack::{Date, Spanned};
use super::words::Tier;

/// The cases of a pack.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// In the order of the file.
    #[serde(default, rename = "case")]
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: Spanned<String>,
    /// The rule.
    pub rule: Spanned<String>,
    /// The day.
    pub as_of: Date,
    /// The module by maker and model, as the catalogue names it: `Huawei ME909s`.
    #[serde(default)]
    pub module: Option<String>,
    /// It is a product of its own, such as a stick, and no module.
    #[serde(default)]
    pub product: bool,
    /// It is a part of a board by itself, beside any module: a `chip`, a `memory`, or `host` for any other.
    #[serde(default)]
    pub part: Option<Tier>,
    /// A maker by organisation id, where no module of the catalogue is meant.
    #[serde(default)]
    pub maker: Option<String>,
    /// Under whose brand (organisation id) it is sold, where that is another.
    #[serde(default)]
    pub brand: Option<String>,
    /// The maker of the device around it, by organisation id.
    #[serde(default)]
    pub host: Option<String>,
    /// Who signs its firmware: a country code, with words.
    #[serde(default)]
    pub firmware_signer: Option<String>,
    /// The chip's maker by organisation id.
    #[serde(default)]
    pub chip: Option<String>,
    /// The memory's maker by organisation id.
    #[serde(default)]
    pub memory: Option<String>,
    /// How sure the module is, 0–1.
    #[serde(default = "sure")]
    pub confidence: f64,
    /// What is known of the asset and the deal.
    #[serde(default)]
    pub facts: Facts,
    /// What is assumed: `quectel listed US-FCC-COVERED 2027-01-01`.
    #[serde(default)]
    pub assume: Vec<String>,
    /// `pass`, `fail`, `review`, `unknown`, or `not-applicable`.
    pub expect: Spanned<String>,
    /// Words that the reasons must hold.
    #[serde(default)]
    pub says: Vec<String>,
}

fn sure() -> f64 {
    0.97
}
