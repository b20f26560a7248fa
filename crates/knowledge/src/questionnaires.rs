//! Questions to suppliers as data: one TOML file for each form in `knowledge/questionnaires/`, parsed when first asked for.
//!
//! A form has sections and questions. A question says what it expects, how much it counts for each use case, which tier
//! of the supply chain it is about, with which known fact its answer is compared, and what to ask where it leads nowhere.

use std::collections::HashSet;
use std::sync::OnceLock;

use serde::Deserialize;
use umbilical_core::answer::bom::TierKind;

use crate::table::Word;

const EMBEDDED: [(&str, &str); 3] = [
    ("questionnaires/hbom.toml", include_str!("../../../knowledge/questionnaires/hbom.toml")),
    ("questionnaires/mds2.toml", include_str!("../../../knowledge/questionnaires/mds2.toml")),
    ("questionnaires/tender.toml", include_str!("../../../knowledge/questionnaires/tender.toml")),
];

crate::table::words! {
    /// What kind of answer a question expects.
    Expects {
        /// Prose.
        Text = "text",
        /// One or several countries.
        Country = "country",
        /// The name of an organisation.
        Org = "org",
        /// Yes or no.
        YesNo = "yes-no",
        /// A day.
        Date = "date",
        /// A part number.
        PartNumber = "part-number",
        /// An FCC ID.
        FccId = "fcc-id",
        /// A share in percent.
        Percentage = "percentage",
    }
}

crate::table::words! {
    /// With which known fact an answer is compared.
    KnownFact {
        /// Under whose brand the product is sold: what products of the brand are known to hold.
        Brand = "brand",
        /// Who makes the module.
        ModuleMaker = "module-maker",
        /// The module's model or part number.
        ModuleModel = "module-model",
        /// The module's FCC ID.
        FccId = "fcc-id",
        /// The chip in the module.
        Chipset = "chipset",
        /// In which country the module is made.
        SiteCountry = "site-country",
        /// Under whose law its maker and owners stand.
        OwnerCountry = "owner-country",
        /// Whether an organisation of the chain is on a list.
        Listed = "listed",
    }
}

crate::table::words! {
    /// In which case a question leads to another.
    When {
        /// The answer is yes.
        Yes = "yes",
        /// The answer is no.
        No = "no",
        /// It was answered at all.
        Disclosed = "disclosed",
        /// It was refused.
        Withheld = "withheld",
        /// The supplier does not know.
        Unknown = "unknown",
        /// Nothing stands there.
        Missing = "missing",
    }
}

/// One form.
#[derive(Clone, Debug)]
pub struct Template {
    /// `hbom`.
    pub id: String,
    /// Raised whenever a question changes its meaning.
    pub version: u32,
    /// For people.
    pub title: String,
    /// What it is for and what it leaves out.
    pub about: String,
    /// Where the questions come from.
    pub source: String,
    /// The questions in order.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question {
    /// `HB-01`.
    pub id: String,
    /// The heading it stands under.
    pub section: String,
    /// The question.
    pub text: String,
    /// Why it is asked.
    pub why: String,
    /// The field of a published taxonomy that it asks for.
    pub field: Option<String>,
    /// The tier that it is about.
    pub tier: Option<TierKind>,
    /// The answer is the name of who stands at that tier.
    pub names_tier: bool,
    /// How much it counts for compliance, security, availability: 0 to 3 each.
    pub weights: [u32; 3],
    /// What kind of answer it expects.
    pub expects: Expects,
    /// With which known fact its answer is compared.
    pub known_fact: Option<KnownFact>,
    /// It concerns every product that holds a module: `not-applicable` is no answer.
    pub always: bool,
    /// Where it leads.
    pub follow_up: Vec<(When, String)>,
}

impl Question {
    /// How much it counts over all use cases.
    pub fn weight(&self) -> u32 {
        self.weights.iter().fold(0, |sum, w| sum.saturating_add(*w))
    }
}

impl Template {
    /// Every form of the program.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Template>> = OnceLock::new();
        // Tests parse every embedded form, so none is missing here.
        ALL.get_or_init(|| EMBEDDED.iter().filter_map(|(_, text)| Self::parse(text).ok()).collect())
    }

    /// The form of an id.
    pub fn get(id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|t| t.id == id)
    }

    /// A question by its id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|q| q.id == id)
    }

    /// Parses a form.
    ///
    /// # Errors
    /// What is wrong and where: broken TOML, words outside a vocabulary, ids that stand twice or lead nowhere.
    pub fn parse(text: &str) -> Result<Self, String> {
        let raw: RawTemplate = toml::from_str(text).map_err(|e| e.to_string())?;
        let questions = raw.question.into_iter().map(|q| q.checked(&raw.section)).collect::<Result<Vec<_>, _>>()?;
        let mut ids = HashSet::new();
        if let Some(twice) = questions.iter().find(|q| !ids.insert(q.id.as_str())) {
            return Err(format!("question {} stands twice", twice.id));
        }
        for question in &questions {
            if let Some((_, to)) = question.follow_up.iter().find(|(_, to)| !ids.contains(to.as_str()) || *to == question.id) {
                return Err(format!("question {}: follow_up leads to {to}, which is no other question", question.id));
            }
        }
        if raw.source.trim().is_empty() {
            return Err("no source: every form says where its questions come from".into());
        }
        Ok(Self { id: raw.id, version: raw.version, title: raw.title, about: raw.about, source: raw.source, questions })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTemplate {
    id: String,
    version: u32,
    title: String,
    about: String,
    source: String,
    section: Vec<RawSection>,
    question: Vec<RawQuestion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSection {
    id: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    id: String,
    section: String,
    text: String,
    why: String,
    field: Option<String>,
    tier: Option<String>,
    #[serde(default)]
    names_tier: bool,
    /// Compliance, security, availability.
    weights: [u32; 3],
    expects: String,
    known_fact: Option<String>,
    #[serde(default)]
    always: bool,
    #[serde(default)]
    follow_up: Vec<RawFollowUp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFollowUp {
    when: String,
    ask: String,
}

impl RawQuestion {
    fn checked(self, sections: &[RawSection]) -> Result<Question, String> {
        let id = self.id;
        let section = sections.iter().find(|s| s.id == self.section).map(|s| s.title.clone());
        let section = section.ok_or_else(|| format!("question {id}: no section `{}`", self.section))?;
        let tier = self.tier.as_deref().map(|t| tier(t).ok_or_else(|| format!("question {id}: no tier `{t}`"))).transpose()?;
        if self.names_tier && tier.is_none() {
            return Err(format!("question {id}: names_tier without a tier"));
        }
        if self.weights.iter().any(|w| *w > 3) || self.weights.iter().all(|w| *w == 0) {
            return Err(format!("question {id}: weights are 0 to 3 and one of them is more than 0"));
        }
        let known_fact = self.known_fact.as_deref().map(|k| word::<KnownFact>(&id, "known_fact", k)).transpose()?;
        let follow_up = self.follow_up.into_iter().map(|f| Ok((word::<When>(&id, "when", &f.when)?, f.ask)));
        Ok(Question {
            expects: word::<Expects>(&id, "expects", &self.expects)?,
            follow_up: follow_up.collect::<Result<_, String>>()?,
            section,
            text: self.text,
            why: self.why,
            field: self.field,
            tier,
            names_tier: self.names_tier,
            weights: self.weights,
            known_fact,
            always: self.always,
            id,
        })
    }
}

fn tier(name: &str) -> Option<TierKind> {
    TierKind::ALL.iter().copied().find(|t| t.name() == name)
}

fn word<T: Word>(id: &str, what: &str, text: &str) -> Result<T, String> {
    T::from_name(text).ok_or_else(|| format!("question {id}: {what} `{text}` is none of {}", T::ALLOWED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_parses_and_asks_for_every_tier_by_name() {
        for (name, text) in EMBEDDED {
            let form = Template::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(name.ends_with(&format!("/{}.toml", form.id)), "{name}");
            for tier in TierKind::ALL {
                assert_eq!(form.questions.iter().filter(|q| q.names_tier && q.tier == Some(*tier)).count(), 1, "{name} {}", tier.name());
            }
            for question in &form.questions {
                assert!(question.text.ends_with(['?', '.']) && !question.why.is_empty(), "{name} {}", question.id);
            }
        }
        assert_eq!(Template::all().len(), EMBEDDED.len());
    }

    #[test]
    fn ids_are_of_one_form_only() {
        let mut ids = HashSet::new();
        for question in Template::all().iter().flat_map(|t| &t.questions) {
            assert!(ids.insert(&question.id), "{}", question.id);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let form = |question: &str| {
            format!(
                "id = 'x'\nversion = 1\ntitle = 't'\nabout = 'a'\nsource = 's'\n[[section]]\nid = 'a'\ntitle = 'A'\n[[question]]\nid = 'X-1'\ntext = 'Who?'\nwhy = 'w'\n{question}"
            )
        };
        let good = "section = 'a'\nweights = [1, 0, 0]\nexpects = 'org'\n";
        assert!(Template::parse(&form(good)).is_ok());
        let cases = [
            ("section = 'b'\nweights = [1, 0, 0]\nexpects = 'org'\n", "no section `b`"),
            ("section = 'a'\nweights = [0, 0, 0]\nexpects = 'org'\n", "weights"),
            ("section = 'a'\nweights = [1, 0, 0]\nexpects = 'name'\n", "expects `name`"),
            ("section = 'a'\nweights = [1, 0, 0]\nexpects = 'org'\ntier = 'moon'\n", "no tier `moon`"),
            ("section = 'a'\nweights = [1, 0, 0]\nexpects = 'org'\nknown_fact = 'x'\n", "known_fact `x`"),
            ("section = 'a'\nweights = [1, 0, 0]\nexpects = 'org'\nfollow_up = [{ when = 'no', ask = 'X-9' }]\n", "X-9"),
            ("section = 'a'\nweights = [1, 0, 0]\nexpects = 'org'\ncolour = 'red'\n", "colour"),
        ];
        for (question, expected) in cases {
            let error = Template::parse(&form(question)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
