//! One pack: the rules of one regime or one house, as its TOML says them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, Deserializer, IntoDeserializer as _, SeqAccess, Visitor};
use umbilical_core::Day;
use umbilical_core::date::Loose;
use umbilical_core::finding::Severity;

use super::facts::{Conditions, Facts};
use super::words::{Covers, Effect, Origin, Reach, Standing, Tier};
use crate::table::{Status, Word as _};

/// A text with its place in the file.
pub type Spanned<T> = toml::Spanned<T>;

/// One pack.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name on the command line: `us-fcc-covered`.
    pub id: Spanned<String>,
    /// For people.
    pub title: String,
    /// Whose law it is: ISO 3166 code, `EU`, `US-TX`; `any` for house rules.
    pub jurisdiction: Spanned<String>,
    /// Who issues or keeps it.
    #[serde(default)]
    pub authority: Option<String>,
    /// Raised with every change of meaning.
    pub version: String,
    /// The newest day that its sources were read to.
    pub sources_to: Date,
    /// Law, proposal, house or evidence.
    pub standing: Standing,
    /// Only judged when it is asked for by name.
    #[serde(default)]
    pub optional: bool,
    /// What a reader has to know before relying on it.
    #[serde(default)]
    pub note: Option<String>,
    /// Sets of countries or organisations that rules name as `@set`: the operator may edit them.
    #[serde(default)]
    pub sets: BTreeMap<String, Vec<Spanned<String>>>,
    /// Words of `buyer`, `funded_by`, `use`, `asset`, `sector`, `zone` beside those that are listed and asked for.
    #[serde(default)]
    pub words: BTreeMap<Spanned<String>, Vec<String>>,
    /// Exclusion zones, drawn.
    #[serde(default, rename = "zone")]
    pub zones: Vec<Zone>,
    /// The rules, in the order in which they are shown.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// What happened, and when.
    #[serde(default, rename = "event")]
    pub events: Vec<Event>,
    /// Exemptions with an owner and an end.
    #[serde(default, rename = "exemption")]
    pub exemptions: Vec<Exemption>,
    /// Pass nothing on sources older than so many days.
    #[serde(default)]
    pub stale_after_days: Option<u32>,
    /// Facts that hold for whoever uses this pack.
    #[serde(default)]
    pub facts: Facts,
}

/// One clause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `US-FCC-COVERED-HOST`: the code of its findings.
    pub id: Spanned<String>,
    /// What it says, in one line.
    pub title: String,
    /// The clause.
    pub cite: String,
    /// Where its words were read.
    pub source: String,
    /// Whether somebody has read them there: what is not verified never decides a fail.
    pub status: StatusWord,
    /// What it governs: one word, or a list of them.
    pub effect: Effects,
    /// What it applies to.
    pub tier: Vec<Tier>,
    /// Who is bound, in words.
    pub binds: String,
    /// First day; open where it is not known.
    #[serde(default)]
    pub from: Option<Date>,
    /// First day on which it no longer holds.
    #[serde(default)]
    pub to: Option<Date>,
    /// A rule of its own standing in a pack of another.
    #[serde(default)]
    pub standing: Option<Standing>,
    /// Facts of the asset and the deal without which it does not apply.
    #[serde(default)]
    pub scope: Conditions,
    /// A further condition, in CEL.
    #[serde(default)]
    pub when: Option<Spanned<String>>,
    /// What `when` asks, in words that fit behind "whether": shown in place of the expression.
    #[serde(default)]
    pub when_says: Option<String>,
    /// It is also about goods on the board beside the modules, each by its maker.
    #[serde(default)]
    pub parts: bool,
    /// Whom it is about: any of these. Empty = everything in scope.
    #[serde(default, rename = "subject")]
    pub subjects: Vec<Subject>,
    /// What takes a case out of it.
    #[serde(default, rename = "except")]
    pub exceptions: Vec<Exception>,
    /// What the text leaves open: software must not decide it.
    #[serde(default, rename = "unsettled")]
    pub unsettled: Vec<Unsettled>,
    /// How bad a breach is.
    #[serde(default)]
    pub severity: Option<SeverityWord>,
    /// What threatens.
    #[serde(default)]
    pub threats: Vec<String>,
    /// What helps, the least restrictive first; `none` where nothing does.
    pub remedies: Vec<String>,
    /// What nobody could find out about the rule itself: whom it would reach is then `unknown`.
    #[serde(default)]
    pub unread: Option<String>,
    /// What evidence it wants, for packs of evidence.
    #[serde(default)]
    pub evidence: Option<String>,
    /// What else to know.
    #[serde(default)]
    pub note: Option<String>,
    /// What an offer that breaks it costs, for bids: percent on the price.
    #[serde(default)]
    pub surcharge_percent: Option<f64>,
    /// Weight in the ranking of bids.
    #[serde(default)]
    pub bid_weight: Option<u32>,
}

/// What a rule governs, in the order of its text: a clause may bind who authorises, who imports and who sells at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    first: Effect,
    more: Vec<Effect>,
}

impl Effects {
    /// The one that is shown where there is room for one.
    pub fn first(&self) -> Effect {
        self.first
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Effect> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }
}

/// Joined by commas.
impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.first.name())?;
        self.more.iter().try_for_each(|e| write!(f, ", {}", e.name()))
    }
}

impl<'de> Deserialize<'de> for Effects {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Effects;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("what the rule governs, as one word or a list of words")
            }
            fn visit_str<E: de::Error>(self, word: &str) -> Result<Effects, E> {
                let first = Effect::deserialize(word.into_deserializer())?;
                Ok(Effects { first, more: Vec::new() })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Effects, A::Error> {
                let first = words.next_element()?.ok_or_else(|| de::Error::custom("`effect` is empty: say what the rule governs"))?;
                let mut out = Effects { first, more: Vec::new() };
                while let Some(word) = words.next_element::<Effect>()? {
                    if out.iter().any(|e| e == word) {
                        return Err(de::Error::custom(format!("`{}` stands twice", word.name())));
                    }
                    out.more.push(word);
                }
                Ok(out)
            }
        }
        from.deserialize_any(OneOrMore)
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Whose origin is tested; the tier of the rule where it is not said.
    #[serde(default)]
    pub of: Option<Tier>,
    /// Regimes whose lists name it.
    #[serde(default)]
    pub listed: Vec<Spanned<String>>,
    /// How far the list reaches.
    #[serde(default)]
    pub reach: Option<Reach>,
    /// What of a listed entity counts; equipment and entity entries where it is not said.
    #[serde(default)]
    pub covers: Vec<Covers>,
    /// An entry counts only so many days after it was made.
    #[serde(default)]
    pub after_days: Option<u16>,
    /// Organisations by id, with the reach.
    #[serde(default)]
    pub organisations: Vec<Spanned<String>>,
    /// Countries, or `@set`.
    #[serde(default)]
    pub jurisdiction: Vec<Spanned<String>>,
    /// Countries, or `@set`, outside which an origin counts: whom a market trusts, so that a place nobody thought of is
    /// not trusted by silence.
    #[serde(default)]
    pub outside: Vec<Spanned<String>>,
    /// Organisations by id, or `@set`, whom it never means, wherever they are.
    #[serde(default)]
    pub unless: Vec<Spanned<String>>,
    /// Which of the seven fields of origin are tested against the countries.
    #[serde(default)]
    pub tests: Vec<Origin>,
    /// Only makers who are organised in none of these countries: a rule about owners elsewhere is not asked of who is there
    /// himself.
    #[serde(default)]
    pub maker_outside: Vec<Spanned<String>>,
    /// Not from one of these countries, or not all of it.
    #[serde(default)]
    pub produced_outside: Vec<Spanned<String>>,
}

/// What takes a case out of a rule. It has to be claimed: where the facts are not known, it does not apply and is
/// named among what would change the verdict.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// In words.
    pub what: String,
    /// When.
    #[serde(rename = "if")]
    pub when: Conditions,
    /// Holds from this day.
    #[serde(default)]
    pub from: Option<Date>,
    /// First day on which it no longer holds.
    #[serde(default)]
    pub to: Option<Date>,
}

/// A hole in the text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsettled {
    /// `component_exclusion`.
    pub id: String,
    /// What nobody has settled.
    pub what: String,
    /// Only of a product of its own, such as a stick or a router, that is found where a module is meant.
    #[serde(default)]
    pub product: bool,
    /// Only then; always where nothing is said.
    #[serde(default, rename = "if")]
    pub when: Conditions,
}

/// A dated event of a regime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub on: Date,
    /// What.
    pub what: String,
    /// Where it was read.
    pub source: String,
    /// Whether somebody has read it there.
    pub status: StatusWord,
}

/// A place in which rules of their own hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its name: what the fact `zone` holds.
    pub name: String,
    /// Corners as latitude and longitude in degrees (WGS 84), in order; the last joins the first.
    pub corners: Vec<[f64; 2]>,
    /// First day.
    #[serde(default)]
    pub from: Option<Date>,
    /// First day on which it no longer holds.
    #[serde(default)]
    pub to: Option<Date>,
}

/// An exemption by risk: named, owned, ended.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// The rules.
    pub rules: Vec<Spanned<String>>,
    /// For what.
    #[serde(rename = "if")]
    pub when: Conditions,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// First day on which it no longer holds.
    pub until: Date,
}

/// `verified` or `unverified`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusWord(pub bool);

impl<'de> Deserialize<'de> for StatusWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let status =
            Status::from_name(&text).ok_or_else(|| de::Error::custom(format!("`{text}` is none of {}", Status::ALLOWED.trim())))?;
        Ok(Self(status == Status::Verified))
    }
}

/// `info` to `critical`.
#[derive(Clone, Copy, Debug)]
pub struct SeverityWord(pub Severity);

impl<'de> Deserialize<'de> for SeverityWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Severity::deserialize(from).map(Self)
    }
}

/// A day, a month or a year, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub Loose);

impl Date {
    /// The day, where it is known to the day.
    pub fn day(self) -> Option<Day> {
        match self.0 {
            Loose::Day(day) => Some(day),
            _ => None,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Loose::from_str(&text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Line {
        effect: Effects,
    }

    #[test]
    fn a_rule_governs_one_thing_or_several() {
        let read = |text: &str| toml::from_str::<Line>(text).map(|l| (l.effect.first(), l.effect.to_string())).map_err(|e| e.to_string());
        assert_eq!(read("effect = \"buy\""), Ok((Effect::Buy, "buy".to_owned())));
        assert_eq!(read("effect = [\"import\", \"market\"]"), Ok((Effect::Import, "import, market".to_owned())));
        for (text, said) in [
            ("effect = []", "`effect` is empty"),
            ("effect = [\"buy\", \"buy\"]", "`buy` stands twice"),
            ("effect = [\"buy\", \"byu\"]", "byu"),
            ("effect = \"byu\"", "byu"),
            ("effect = 3", "one word or a list of words"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(said), "{text}: {told}");
        }
    }
}
