//! What is answered about bids: verdicts first, then the weight of broken rules, then the price with its surcharges.

use serde::Serialize;

use super::policy::{LawStamp, Verdict};
use super::{KnowledgeStamp, Said};
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `policy bids`.
pub const BIDS_SCHEMA: &str = "umbilical.bids/1";

/// The document of `policy bids`.
#[derive(Clone, Debug, Serialize)]
pub struct Bids {
    /// [`BIDS_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read, bid by bid.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// By what was judged.
    #[serde(flatten)]
    pub law: LawStamp,
    /// What decides the order, the first key first.
    pub order: Vec<Word>,
    /// Every bid, by its place.
    pub bids: Vec<Bid>,
}

/// One bid.
#[derive(Clone, Debug, Serialize)]
pub struct Bid {
    /// One more than the number of bids that stand before it; bids that cannot be compared share a place.
    pub place: u64,
    /// The file or folder.
    pub path: String,
    /// Indices into `inputs`.
    pub inputs: Vec<u32>,
    /// The worst verdict over everything in it, findings that somebody has accepted left out.
    pub state: Verdict,
    /// Devices and products in it.
    pub subjects: Vec<String>,
    /// Weight of the rules that it breaks.
    pub bid_weight: u64,
    /// The price.
    pub price: Price,
    /// Rules that it breaks, then those that are open: where every number comes from.
    pub rules: Vec<BidRule>,
    /// Why its price is not held against another's.
    pub not_compared: Option<String>,
}

/// A price and what is added to it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Price {
    /// As it was said; `null` = nobody has.
    pub amount: Option<f64>,
    /// ISO 4217, as it was said.
    pub currency: Option<String>,
    /// How it is known; `null` where it is not.
    pub basis: Option<Basis>,
    /// Sum of the surcharges of broken rules, percent.
    pub surcharge_percent: f64,
    /// The amount with the surcharge, to a hundredth: what is compared.
    pub counted: Option<f64>,
}

/// One rule that a bid breaks or leaves open.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BidRule {
    /// Its id.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// The clause.
    pub cite: String,
    /// The worst of its verdicts in this bid.
    pub verdict: Verdict,
    /// Whether somebody has accepted all that it found: then it counts for nothing.
    pub waived: bool,
    /// What it adds to the bid's weight: 0 unless it is broken.
    pub bid_weight: u32,
    /// What it adds to the price, percent: 0 unless it is broken.
    pub surcharge_percent: f64,
    /// What in the bid it is about.
    pub subjects: Vec<String>,
}
