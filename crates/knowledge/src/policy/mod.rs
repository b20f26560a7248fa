//! Packs of rules as data: law, proposals, house rules, frameworks of evidence.
//!
//! A pack is one TOML file with its cases beside it. Reading it checks every word against a closed list; what is wrong
//! is shown on its own line, underlined.

mod assets;
mod assume;
mod cases;
mod facts;
mod files;
mod pack;
mod risk;
mod vocabulary;
mod waivers;
mod words;

pub use assets::{Asset, Assets, Labels, Pattern, like};
pub use assume::{Assumption, Change};
pub use cases::{Case, Cases};
pub use facts::{Conditions, Demand, FACTS, Facts, Form, Than, Value, form};
pub use files::{PolicyError, PolicyText, parse, shipped, shipped_ids};
pub use pack::{Date, Effects, Event, Exception, Exemption, Pack, Rule, Spanned, Subject, Unsettled, Zone};
pub use risk::{Axis, CountryInputs, Ranking, STEPS, Weights};
pub use vocabulary::{Fault, Vocabulary, listed};
pub use waivers::{Justification, Met, Waiver, Waivers};
pub use words::{Covers, Effect, Origin, Reach, Standing, Tier};
