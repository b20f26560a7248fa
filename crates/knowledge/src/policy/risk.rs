//! Weights of the axes of risk, and what the operator says of countries: one TOML text that is shipped, and one of the
//! operator's over it.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use umbilical_core::finding::CODES;

use super::files::{PolicyError, PolicyText, parse};
use super::pack::Spanned;
use crate::table::{Word as _, words};

words! {
    /// An axis of risk: each has a score of its own, and there is no sum over them.
    Axis {
        /// Whether what is there is what was declared, and what it says it is.
        HardwareIntegrity = "hardware-integrity",
        /// Whether it is known who stands behind it.
        Transparency = "transparency",
        /// What the operator says of the countries whose law reaches it.
        Jurisdiction = "jurisdiction",
        /// What it can hear, see and know.
        PrivacyExposure = "privacy-exposure",
    }
}

impl Axis {
    /// Every axis, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::HardwareIntegrity, Self::Transparency, Self::Jurisdiction, Self::PrivacyExposure];
}

impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::from_name(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is none of {}", Self::ALLOWED.trim())))
    }
}

/// The text that is shipped.
const SHIPPED: &str = include_str!("../../../../policies/risk.toml");
/// A module that is sold under another name, without its maker's word: no finding of its own.
const OWN_TERM: &str = "rebrand-unstated";
/// Ends the term that weighs a finding which was concluded and not observed.
const INFERRED: &str = "-inferred";
/// A score is at most this; so is a weight.
const MOST: u32 = 100;
/// The highest step of what the operator says of a country.
pub const STEPS: u32 = 5;

type Terms = BTreeMap<Spanned<String>, Spanned<u32>>;

/// A text as it stands; everything may be left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Text {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    hardware_integrity: Terms,
    #[serde(default)]
    transparency: Terms,
    #[serde(default)]
    jurisdiction: Terms,
    #[serde(default)]
    privacy_exposure: Terms,
    #[serde(default)]
    rank: Option<RankText>,
    #[serde(default, rename = "country")]
    countries: Vec<CountryText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RankText {
    #[serde(default)]
    criticality: Option<Vec<String>>,
    #[serde(default)]
    sector: Option<Vec<String>>,
    #[serde(default)]
    axes: Option<Spanned<Vec<Axis>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountryText {
    code: Spanned<String>,
    hostility: Spanned<u32>,
    intention: Spanned<u32>,
    capability: Spanned<u32>,
    because: String,
}

/// What the operator says of a country. All three are theirs: none is worked out from law that is on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryInputs {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    /// 0 to [`STEPS`].
    pub hostility: u32,
    /// 0 to [`STEPS`].
    pub intention: u32,
    /// 0 to [`STEPS`].
    pub capability: u32,
    /// Who decided it, when, on what.
    pub because: String,
}

impl CountryInputs {
    /// The three by their names, as the weights name them.
    pub fn inputs(&self) -> [(&'static str, u32); 3] {
        [("hostility", self.hostility), ("intention", self.intention), ("capability", self.capability)]
    }
}

/// By what subjects are put in order: nothing else depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// Words of the fact `criticality`, the first of them first; `unsaid` is what nobody has said.
    pub criticality: Vec<String>,
    /// Words of the fact `sector`, the same way; empty = it does not count.
    pub sector: Vec<String>,
    /// Axes, the first decides.
    pub axes: Vec<Axis>,
}

/// Everything that scores depend on beside the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// Of the last text that was read.
    pub title: String,
    /// The texts, in the order in which they were laid over each other, with the digest of each.
    pub texts: Vec<(String, String)>,
    terms: BTreeMap<(Axis, String), u32>,
    /// What the operator says of countries, by code.
    pub countries: Vec<CountryInputs>,
    /// The order.
    pub ranking: Ranking,
}

impl Weights {
    /// Those that are shipped.
    ///
    /// # Errors
    /// A mistake in the shipped text; a test holds that there is none.
    pub fn shipped() -> Result<Self, PolicyError> {
        let mut out = Self::default();
        out.lay(&PolicyText { name: "policies/risk.toml".to_owned(), text: SHIPPED.to_owned() })?;
        Ok(out)
    }

    /// Those that are shipped, with a text of the operator over them.
    ///
    /// # Errors
    /// The first mistake, located.
    pub fn with(text: &PolicyText) -> Result<Self, PolicyError> {
        let mut out = Self::shipped()?;
        out.lay(text)?;
        Ok(out)
    }

    /// What a term weighs; 0 where it is not named.
    pub fn of(&self, axis: Axis, term: &str) -> u32 {
        self.terms.iter().find(|((a, t), _)| *a == axis && t == term).map_or(0, |(_, weight)| *weight)
    }

    /// The term that a finding of the hardware weighs by: `CODE-inferred` where that has a weight of its own.
    pub fn finding_term(&self, code: &str, inferred: bool) -> String {
        let own = format!("{code}{INFERRED}");
        let has = inferred && self.terms.keys().any(|(axis, term)| *axis == Axis::HardwareIntegrity && *term == own);
        if has { own } else { code.to_owned() }
    }

    /// Every weight: axis, term, points; by axis, then the heaviest first.
    pub fn terms(&self) -> Vec<(Axis, &str, u32)> {
        let mut out: Vec<(Axis, &str, u32)> = self.terms.iter().map(|((axis, term), weight)| (*axis, term.as_str(), *weight)).collect();
        out.sort_by(|a, b| (a.0, b.2, a.1).cmp(&(b.0, a.2, b.1)));
        out
    }

    /// What the operator says of a country.
    pub fn country(&self, code: &str) -> Option<&CountryInputs> {
        self.countries.iter().find(|c| c.code == code)
    }

    fn lay(&mut self, text: &PolicyText) -> Result<(), PolicyError> {
        let read: Text = parse(text)?;
        let first = self.texts.is_empty();
        let axes = [
            (Axis::HardwareIntegrity, read.hardware_integrity),
            (Axis::Transparency, read.transparency),
            (Axis::Jurisdiction, read.jurisdiction),
            (Axis::PrivacyExposure, read.privacy_exposure),
        ];
        for (axis, terms) in axes {
            for (term, weight) in terms {
                let name = term.get_ref();
                // The text that is shipped says which terms there are; any finding may weigh on the hardware.
                let code = name.strip_suffix(INFERRED).unwrap_or(name);
                let found = axis == Axis::HardwareIntegrity && (name == OWN_TERM || CODES.iter().any(|c| c.0 == code));
                if !found && (axis == Axis::HardwareIntegrity || !first) && !self.terms.contains_key(&(axis, name.clone())) {
                    return Err(PolicyError::at(text, term.span(), self.no_term(axis, name)));
                }
                let points = *weight.get_ref();
                if points > MOST {
                    return Err(PolicyError::at(text, weight.span(), format!("`{points}`: a weight is 0 to {MOST}")));
                }
                self.terms.insert((axis, name.clone()), points);
            }
        }
        for country in read.countries {
            self.say(text, country)?;
        }
        self.countries.sort_by(|a, b| a.code.cmp(&b.code));
        if let Some(rank) = read.rank {
            self.order(text, rank)?;
        }
        self.title = read.title.unwrap_or_else(|| text.name.clone());
        let digest = Sha256::digest(text.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
        self.texts.push((text.name.clone(), digest));
        Ok(())
    }

    fn no_term(&self, axis: Axis, name: &str) -> String {
        if axis == Axis::HardwareIntegrity {
            return format!("`{name}` is the code of no finding, nor `{OWN_TERM}`");
        }
        let known: Vec<&str> = self.terms.keys().filter(|(a, _)| *a == axis).map(|(_, term)| term.as_str()).collect();
        format!("`{name}` is no term of {axis}; use one of {}", known.join(", "))
    }

    fn say(&mut self, text: &PolicyText, country: CountryText) -> Result<(), PolicyError> {
        let code = country.code.get_ref();
        let fault = |what: String| Err(PolicyError::at(text, country.code.span(), what));
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return fault(format!("`{code}` is no country: ISO 3166, two capitals"));
        }
        if self.country(code).is_some() {
            return fault(format!("`{code}` stands twice"));
        }
        for step in [&country.hostility, &country.intention, &country.capability] {
            if *step.get_ref() > STEPS {
                return Err(PolicyError::at(text, step.span(), format!("`{}`: say 0 to {STEPS}", step.get_ref())));
            }
        }
        self.countries.push(CountryInputs {
            code: code.clone(),
            hostility: *country.hostility.get_ref(),
            intention: *country.intention.get_ref(),
            capability: *country.capability.get_ref(),
            because: country.because,
        });
        Ok(())
    }

    fn order(&mut self, text: &PolicyText, rank: RankText) -> Result<(), PolicyError> {
        if let Some(words) = rank.criticality {
            self.ranking.criticality = words;
        }
        if let Some(words) = rank.sector {
            self.ranking.sector = words;
        }
        if let Some(axes) = rank.axes {
            let list = axes.get_ref();
            if let Some(twice) = list.iter().enumerate().find(|(i, a)| list.iter().take(*i).any(|b| b == *a)) {
                return Err(PolicyError::at(text, axes.span(), format!("`{}` stands twice", twice.1)));
            }
            self.ranking.axes = list.clone();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> PolicyText {
        PolicyText { name: "risk.toml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_shipped_text_weighs_every_axis_and_says_nothing_of_any_country() {
        let shipped = Weights::shipped().unwrap();
        for axis in Axis::ALL {
            assert!(shipped.terms().iter().any(|(a, _, points)| *a == axis && *points > 0), "{axis}");
            assert!(shipped.ranking.axes.contains(&axis), "{axis} does not rank");
        }
        assert_eq!(shipped.countries, vec![]);
        // The worst of everything comes to 100 and not beyond.
        let most = |axis: Axis, ending: &str| -> u32 {
            shipped.terms().iter().filter(|(a, term, _)| *a == axis && term.ends_with(ending)).map(|t| t.2).sum()
        };
        assert_eq!(most(Axis::Transparency, "-unknown"), 100);
        assert_eq!(most(Axis::Jurisdiction, "") * STEPS, 100);
        assert_eq!(most(Axis::PrivacyExposure, "") - shipped.of(Axis::PrivacyExposure, "location-unverified"), 100);
    }

    #[test]
    fn a_text_of_the_operator_lies_over_the_shipped_one() {
        let own = "[transparency]\nmaker-unknown = 50\n[hardware-integrity]\nsim-moved = 5\n[rank]\nsector = [\"health\"]\n\
                   [[country]]\ncode = \"CA\"\nhostility = 1\nintention = 0\ncapability = 5\nbecause = \"board, 2026-10-01\"\n";
        let (shipped, mine) = (Weights::shipped().unwrap(), Weights::with(&text(own)).unwrap());
        assert_eq!((mine.of(Axis::Transparency, "maker-unknown"), mine.of(Axis::HardwareIntegrity, "sim-moved")), (50, 5));
        assert_eq!(mine.of(Axis::Transparency, "owner-unknown"), shipped.of(Axis::Transparency, "owner-unknown"));
        assert_eq!((mine.ranking.sector.len(), &mine.ranking.criticality), (1, &shipped.ranking.criticality));
        assert_eq!(mine.country("CA").map(|c| (c.hostility, c.intention, c.capability)), Some((1, 0, 5)));
        assert_eq!(mine.texts.len(), 2);
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let country = |more: &str| format!("[[country]]\ncode = \"CA\"\nintention = 0\ncapability = 5\nbecause = \"x\"\n{more}");
        let cases = [
            ("[transparency]\nmakr-unknown = 5\n".to_owned(), (2, 1), "is no term of transparency"),
            ("[hardware-integrity]\nno-such-code = 5\n".to_owned(), (2, 1), "the code of no finding"),
            ("[transparency]\nmaker-unknown = 101\n".to_owned(), (2, 17), "0 to 100"),
            ("[total]\nall = 5\n".to_owned(), (1, 2), "unknown field `total`"),
            ("[rank]\naxes = [\"jurisdiction\", \"jurisdiction\"]\n".to_owned(), (2, 8), "stands twice"),
            ("[rank]\naxes = [\"all\"]\n".to_owned(), (2, 8), "`all` is none of"),
            (country("hostility = 6\n"), (6, 13), "0 to 5"),
            (country(""), (1, 1), "missing field `hostility`"),
            (country("hostility = 1\n").replace("\"CA\"", "\"Canada\""), (2, 8), "two capitals"),
            (country("hostility = 1\n").repeat(2), (8, 8), "stands twice"),
        ];
        for (own, place, said) in cases {
            let error = Weights::with(&text(&own)).unwrap_err();
            assert_eq!((error.line, error.column), place, "{error}");
            assert!(error.what.contains(said), "{error}");
        }
    }
}
