//! The words that facts may hold: countries, organisations, effects, kinds of assets, buyers, uses.
//!
//! | facts | words |
//! |---|---|
//! | `market`, `produced_in`, `path_country`, `bidder_country` | countries, by code or name (`countries.csv`); a market also `EU` or a part of a country (`US-TX`) |
//! | `seller`, `path_operator` | organisations by id or name; who is not on file stays as it was said: rules answer `unknown` |
//! | `effect`, `item`, `role`, `criticality`, `sim` | a closed list |
//! | `buyer`, `funded_by`, `use`, `asset`, `sector`, `zone` | a list that packs and files of assets add to: by asking for a word in a condition, by drawing a zone, under `[words]` |
//! | `site`, `evidence`, `certified` | any text |
//! | `currency` | three letters, which `policy bids` asks for |
//!
//! People's words are taken in any case and by any name; a pack writes each word as it is listed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::facts::{Conditions, Demand, Facts, Value};
use super::pack::{Pack, Spanned};
use super::words::Effect;
use crate::Knowledge;
use crate::table::Word as _;

/// Words beside those that packs ask for.
const LISTED: &[(&str, &[&str])] = &[
    (
        "buyer",
        &[
            "us-agency",
            "us-dod",
            "us-contractor",
            "us-grantee",
            "us-state-agency",
            "carrier",
            "telecom-provider",
            "designated-operator",
            "essential-entity",
            "important-entity",
            "au-government",
            "gb-department",
            "gb-contracting-authority",
            "jp-ministry",
            "jp-specified-operator",
            "tw-agency",
            "tw-contractor",
            "utility",
            "private",
            "household",
        ],
    ),
    ("funded_by", &["usf", "federal-grant", "dod-contract", "own"]),
    (
        "use",
        &[
            "public-safety",
            "government-facility",
            "critical-infrastructure",
            "national-security",
            "sensitive-site",
            "key-ict-asset",
            "5g-network",
            "interconnection",
            "metering",
            "tender",
            "stock",
            "office",
            "home",
            "ward",
            "canteen",
            "garage",
        ],
    ),
    (
        "asset",
        &[
            "router",
            "modem",
            "iot-gateway",
            "access-point",
            "base-station",
            "repeater",
            "satellite-terminal",
            "telephone",
            "ip-phone",
            "fax",
            "pabx",
            "sim",
            "tracker",
            "meter",
            "sensor",
            "rtu",
            "plc",
            "substation",
            "inverter",
            "pv",
            "wind",
            "bess",
            "charger",
            "pump",
            "vehicle",
            "forklift",
            "crane",
            "straddle-carrier",
            "reach-stacker",
            "drone",
            "robot",
            "aircraft",
            "marine-equipment",
            "medical-device",
            "camera",
            "toy",
            "training-model",
            "laptop",
            "tablet",
            "appliance",
        ],
    ),
    (
        "sector",
        &["energy", "health", "water", "transport", "industry", "telecom", "finance", "government", "defence", "retail", "household"],
    ),
    ("zone", &["none"]),
];

/// Words to which no pack can add.
const CLOSED: &[(&str, &[&str])] = &[
    ("item", &["host", "module", "chip", "memory", "service"]),
    ("role", &["monitor", "control"]),
    ("criticality", &["low", "medium", "high"]),
    ("sim", &["active", "inactive", "none", "esim"]),
];

/// Parts of the United States (ISO 3166-2:US), without the country.
const STATES: &str = "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA \
                      RI SC SD TN TX UT VT VA WA WV WI WY DC AS GU MP PR UM VI";

/// The union whose law holds in its members.
const UNION: [&str; 3] = ["EU", "European Union", "European-Union"];

/// A word that is none, where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of the value in the text; empty where it was not read from one.
    pub span: Range<usize>,
    /// The word.
    pub word: String,
    /// What is wrong, and what is right.
    pub what: String,
}

/// What the words of facts may be in one run.
pub struct Vocabulary<'k> {
    kb: &'k Knowledge,
    words: BTreeMap<&'static str, Vec<String>>,
}

impl<'k> Vocabulary<'k> {
    /// The words that are listed here.
    pub fn new(kb: &'k Knowledge) -> Self {
        let listed = LISTED.iter().chain(CLOSED).map(|(name, words)| (*name, words.iter().map(|w| (*w).to_owned()).collect()));
        let mut words: BTreeMap<&'static str, Vec<String>> = listed.collect();
        words.insert("effect", effects().map(str::to_owned).collect());
        Self { kb, words }
    }

    /// Adds the words that a pack asks for in its conditions, its zones, and what it lists under `[words]`.
    ///
    /// # Errors
    /// `[words]` of a fact to which nothing can be added.
    pub fn learn(&mut self, pack: &Pack) -> Result<(), Fault> {
        for zone in &pack.zones {
            self.add("zone", &zone.name);
        }
        for conditions in conditions(pack) {
            for (name, demand) in &conditions.0 {
                if let Demand::OneOf(words) | Demand::NoneOf(words) = demand {
                    words.iter().for_each(|w| self.add(name, w));
                }
            }
        }
        self.list(&pack.words)
    }

    /// Adds words as they are listed under `[words]`.
    ///
    /// # Errors
    /// A fact to which nothing can be added.
    pub fn list(&mut self, words: &BTreeMap<Spanned<String>, Vec<String>>) -> Result<(), Fault> {
        for (name, words) in words {
            let Some(open) = LISTED.iter().find(|(n, _)| n == name.get_ref()) else {
                let open: Vec<&str> = LISTED.iter().map(|(n, _)| *n).collect();
                let what = format!("words can be added to {}, not to `{}`", open.join(", "), name.get_ref());
                return Err(Fault { span: name.span(), word: name.get_ref().clone(), what });
            };
            words.iter().for_each(|w| self.add(open.0, w));
        }
        Ok(())
    }

    fn add(&mut self, name: &str, word: &str) {
        let Some((name, _)) = LISTED.iter().find(|(n, _)| *n == name) else { return };
        let known = self.words.entry(name).or_default();
        if !known.iter().any(|k| k == word) {
            known.push(word.to_owned());
        }
    }

    /// Facts with every word as rules know it.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn facts(&self, facts: &Facts) -> Result<Facts, Fault> {
        let mut out = facts.clone();
        for (name, value) in facts.iter() {
            let Value::Words(words) = value else { continue };
            let read: Result<Vec<String>, Fault> =
                words.iter().map(|w| self.word(name, w).map_err(|what| Fault { span: facts.span(name), word: w.clone(), what })).collect();
            out.set(name, Value::Words(read?));
        }
        Ok(out)
    }

    /// Whether every word of some conditions is written as it is listed.
    ///
    /// # Errors
    /// The first that is not.
    pub fn conditions(&self, conditions: &Conditions) -> Result<(), Fault> {
        for (i, (name, demand)) in conditions.0.iter().enumerate() {
            let (Demand::OneOf(words) | Demand::NoneOf(words)) = demand else { continue };
            for word in words {
                let fault = |what| Fault { span: conditions.span(i), word: word.clone(), what };
                let read = self.word(name, word).map_err(fault)?;
                if read != *word {
                    return Err(fault(format!("`{name}`: rules write `{read}`, not `{word}`")));
                }
                if ORGANISATIONS.contains(name) && self.kb.org(word).is_none() {
                    return Err(fault(format!("`{name}`: `{word}` is no organisation of organisations.csv")));
                }
            }
        }
        Ok(())
    }

    /// Whether a text is a jurisdiction as packs write it: a country, a part of one, the union, or `any`.
    ///
    /// # Errors
    /// What it should be.
    pub fn jurisdiction(&self, text: &str) -> Result<(), String> {
        match if text == "any" { Ok(text.to_owned()) } else { self.market("jurisdiction", text) } {
            Ok(read) if read == text => Ok(()),
            Ok(read) => Err(format!("`jurisdiction`: write `{read}`, not `{text}`")),
            Err(what) => Err(what),
        }
    }

    /// One word of a fact as rules know it.
    fn word(&self, name: &str, word: &str) -> Result<String, String> {
        match name {
            "market" => self.market(name, word),
            _ if COUNTRIES.contains(&name) => self.country(name, word),
            _ if ORGANISATIONS.contains(&name) => Ok(self.organisation(word)),
            _ => {
                let Some(known) = self.words.get(name) else { return Ok(word.to_owned()) };
                let same = known.iter().find(|k| k.eq_ignore_ascii_case(word));
                same.cloned().ok_or_else(|| {
                    let open = LISTED.iter().any(|(n, _)| *n == name);
                    let add = if open { " (a pack or file of assets adds others under `[words]`)" } else { "" };
                    format!("`{name}`: `{word}` is none of its words{}; use one of {}{add}", near(word, known.iter()), known.join(", "))
                })
            }
        }
    }

    fn market(&self, name: &str, word: &str) -> Result<String, String> {
        if UNION.iter().any(|u| u.eq_ignore_ascii_case(word)) {
            return Ok(UNION[0].to_owned());
        }
        let Some((country, part)) = word.split_once('-') else { return self.country(name, word) };
        let (Ok(country), part) = (self.country(name, country), part.to_ascii_uppercase()) else { return self.country(name, word) };
        let formed = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if formed && (country != "US" || STATES.split_whitespace().any(|s| s == part)) {
            return Ok(format!("{country}-{part}"));
        }
        Err(format!("`{name}`: `{word}` is no part of {country}; write it as ISO 3166-2 has it, as in `US-TX`"))
    }

    fn country(&self, name: &str, word: &str) -> Result<String, String> {
        let rows = self.kb.countries();
        let is = |text: &str| text.eq_ignore_ascii_case(word) || text.to_lowercase() == word.to_lowercase();
        if let Some(row) = rows.iter().find(|c| is(&c.code) || is(&c.alpha3) || c.names().any(is)) {
            return Ok(row.code.to_string());
        }
        let names: Vec<String> = rows.iter().flat_map(|c| c.names().map(str::to_owned).collect::<Vec<_>>()).collect();
        let by_name = nearest(word, names.iter());
        let row = rows.iter().find(|c| by_name.is_some_and(|n| c.names().any(|own| own == n)));
        let meant = row.map(|c| format!("; nearest is {} ({})", c.code, c.name)).unwrap_or_default();
        let codes: Vec<&str> = rows.iter().map(|c| &*c.code).collect();
        let more = if matches!(name, "market" | "jurisdiction") { "EU, a part of a country as in US-TX, or " } else { "" };
        Err(format!("`{name}`: `{word}` is no country{meant}; write {more}a name or an ISO 3166 code: {}", codes.join(" ")))
    }

    /// The id of an organisation that is named; who is not on file stays as named.
    fn organisation(&self, word: &str) -> String {
        let same = |text: &str| text.to_lowercase() == word.to_lowercase();
        let rows = self.kb.organisations();
        let row = rows.iter().find(|o| same(&o.id)).or_else(|| rows.iter().find(|o| same(&o.name) || o.aliases.iter().any(|a| same(a))));
        row.or_else(|| self.kb.org_of_brand(word)).map_or_else(|| word.to_owned(), |o| o.id.to_string())
    }
}

/// Facts that hold countries only.
const COUNTRIES: [&str; 3] = ["produced_in", "path_country", "bidder_country"];
/// Facts that hold organisations.
const ORGANISATIONS: [&str; 2] = ["seller", "path_operator"];

/// Every table of conditions in a pack.
fn conditions(pack: &Pack) -> impl Iterator<Item = &Conditions> {
    let of_rules = pack
        .rules
        .iter()
        .flat_map(|r| std::iter::once(&r.scope).chain(r.exceptions.iter().map(|e| &e.when)).chain(r.unsettled.iter().map(|u| &u.when)));
    of_rules.chain(pack.exemptions.iter().map(|e| &e.when))
}

impl Pack {
    /// Checks every word of its conditions, and reads those of its facts.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn settle(&mut self, words: &Vocabulary<'_>) -> Result<(), Fault> {
        conditions(self).try_for_each(|c| words.conditions(c))?;
        self.facts = words.facts(&self.facts)?;
        Ok(())
    }
}

/// The words that a fact may hold, where they are listed; `None` for countries, organisations and free text.
pub fn listed(fact: &str) -> Option<Vec<&'static str>> {
    if fact == "effect" {
        return Some(effects().collect());
    }
    LISTED.iter().chain(CLOSED).find(|(name, _)| *name == fact).map(|(_, words)| words.to_vec())
}

fn effects() -> impl Iterator<Item = &'static str> {
    Effect::ALLOWED.split(['`', ' ']).filter(|w| !w.is_empty())
}

fn near<'w>(word: &str, known: impl Iterator<Item = &'w String>) -> String {
    nearest(word, known).map(|n| format!(", nearest is `{n}`")).unwrap_or_default()
}

/// The nearest of some words, where it is near enough to be meant: a third of its letters may differ.
fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w String>) -> Option<&'w str> {
    let word: Vec<char> = word.to_lowercase().chars().take(MOST).collect();
    let near = known.map(|k| (steps(&word, &k.to_lowercase().chars().take(MOST).collect::<Vec<_>>()), k.as_str()));
    near.filter(|(steps, k)| steps.saturating_mul(3) <= k.chars().count().max(word.len()).saturating_add(1))
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, k)| k)
}

/// Letters of a word that are compared.
const MOST: usize = 64;

/// Letters to change, add or leave out on the way from one word to another (Levenshtein).
fn steps(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = i;
        let mut left = i.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let here = (*cell).saturating_add(1).min(left.saturating_add(1)).min(before.saturating_add(usize::from(x != y)));
            before = *cell;
            *cell = here;
            left = here;
        }
    }
    let steps = row.last().copied().unwrap_or_default();
    let sorted = |letters: &[char]| {
        let mut letters = letters.to_vec();
        letters.sort_unstable();
        letters
    };
    // Letters that only changed places are one slip.
    if steps > 1 && sorted(a) == sorted(b) { 1 } else { steps }
}

/// Whether any text will do.
#[cfg(test)]
fn is_free(fact: &str) -> bool {
    matches!(fact, "site" | "evidence" | "certified" | "currency")
}

#[cfg(test)]
mod tests {
    use super::super::{FACTS, Form, parse, shipped, shipped_ids};
    use super::*;

    fn said(name: &str, text: &str) -> Result<String, String> {
        let kb = Knowledge::embedded();
        let mut facts = Facts::default();
        facts.say(name, text)?;
        let read = Vocabulary::new(&kb).facts(&facts).map_err(|f| f.what)?;
        Ok(read.get(name).unwrap().to_string())
    }

    #[test]
    fn people_write_countries_and_makers_as_they_like() {
        for (name, text, read) in [
            ("market", "us", "US"),
            ("market", "USA", "US"),
            ("market", "UK", "GB"),
            ("market", "Us-Tx", "US-TX"),
            ("market", "eu, Lithuania", "EU, LT"),
            ("path_country", "China", "CN"),
            ("path_country", "cn", "CN"),
            ("path_country", "PRC", "CN"),
            ("produced_in", "usa", "US"),
            ("buyer", "US-DoD", "us-dod"),
            ("seller", "Quectel", "quectel"),
            ("seller", "acme", "acme"),
            ("effect", "Buy", "buy"),
        ] {
            assert_eq!(said(name, text).as_deref(), Ok(read), "{name}={text}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_told_with_the_nearest() {
        for (name, text, wanted) in [
            ("market", "UX", "no country"),
            ("market", "US-TE", "no part of US"),
            ("market", "", "empty"),
            ("market", "Lituania", "nearest is LT (Lithuania)"),
            ("path_country", "Chnia", "nearest is CN"),
            ("buyer", "dod", "us-dod"),
            ("buyer", "us-dodd", "nearest is `us-dod`"),
            ("effect", "byu", "nearest is `buy`"),
            ("item", "modul", "nearest is `module`"),
            ("asset", "rooter", "nearest is `router`"),
            ("power_kw", "NaN", "no number"),
            ("power_kw", "1e999", "no number"),
            ("power_kw", "-5", "at least 0"),
            ("lat", "991", "from -90 to 90"),
            ("lon", "-180.5", "from -180 to 180"),
            ("mhz", "0", "more than 0"),
            ("model_year", "99999999999999999999", "from 1900 to 2200"),
            ("model_year", "2027.5", "whole"),
            ("input_share", "101", "from 0 to 100"),
        ] {
            let answer = said(name, text).unwrap_err();
            assert!(answer.contains(wanted), "{name}={text}: {answer}");
        }
    }

    #[test]
    fn every_word_of_a_shipped_condition_is_listed() {
        let kb = Knowledge::embedded();
        let mut open = Vec::new();
        for id in shipped_ids() {
            let pack: Pack = parse(&shipped(id).unwrap().0).unwrap();
            let mut own = Vocabulary::new(&kb);
            pack.zones.iter().for_each(|z| own.add("zone", &z.name));
            open.extend(conditions(&pack).filter_map(|c| own.conditions(c).err()).map(|f| format!("{id}: {}", f.what)));
        }
        assert!(open.is_empty(), "{}", open.join("\n"));
    }

    #[test]
    fn every_fact_of_words_has_its_words() {
        for (name, ..) in FACTS.iter().filter(|f| f.1 == Form::Words) {
            let ways = [listed(name).is_some(), *name == "market" || COUNTRIES.contains(name), ORGANISATIONS.contains(name), is_free(name)];
            assert_eq!(ways.iter().filter(|w| **w).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_house_adds_words_and_a_slip_beside_them_is_told() {
        let kb = Knowledge::embedded();
        let mut words = Vocabulary::new(&kb);
        words.add("asset", "boiler");
        let mut facts = Facts::default();
        facts.say("asset", "Boiler").unwrap();
        assert_eq!(words.facts(&facts).unwrap().get("asset").unwrap().to_string(), "boiler");
        facts.say("asset", "boyler").unwrap();
        assert!(words.facts(&facts).unwrap_err().what.contains("nearest is `boiler`"));
    }
}
