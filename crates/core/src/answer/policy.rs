//! What is answered about law and house rules: packs, verdicts, what each stands on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{KnowledgeStamp, Said};
use crate::finding::Finding;
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `policy check`.
pub const POLICY_SCHEMA: &str = "umbilical.policy-check/1";

/// What a rule comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does not reach the case.
    NotApplicable,
    /// On the sources seen, it is kept.
    Pass,
    /// Evidence is missing.
    Unknown,
    /// The text leaves a hole, or a fact that decides is not verified: a person has to look.
    Review,
    /// It is broken.
    Fail,
}

impl Verdict {
    /// The word in every output.
    pub fn name(self) -> Word {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Review => "review",
            Self::Fail => "fail",
        }
    }

    /// The verdict of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::NotApplicable, Self::Pass, Self::Unknown, Self::Review, Self::Fail].into_iter().find(|v| v.name() == word)
    }
}

/// One sentence that a verdict stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// How it is known.
    pub basis: Basis,
    /// The sentence.
    pub what: String,
    /// Where it was read; `null` = it follows from the others, or the user said so.
    pub source: Option<String>,
}

/// A pack that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackStamp {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whose law it is.
    pub jurisdiction: String,
    /// Its version.
    pub version: String,
    /// The newest day of its sources.
    pub sources_to: String,
    /// `law`, `proposed`, `house`, `evidence`.
    pub standing: String,
    /// Digest of its text.
    pub sha256: String,
}

/// By what an answer was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LawStamp {
    /// Packs in use, by id.
    pub packs: Vec<PackStamp>,
    /// What was assumed for this run.
    pub assumed: Vec<String>,
    /// What was said of every asset and deal.
    pub facts: BTreeMap<String, String>,
}

/// What was judged, and what came out.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// `device`, `file`, `part`.
    pub kind: Word,
    /// Its id: of a device, or the path of a bill of materials.
    pub id: String,
    /// What people call it.
    pub names: Vec<String>,
    /// The worst of its verdicts.
    pub state: Verdict,
    /// Rules that it keeps, on the sources seen.
    pub passed: Vec<String>,
    /// The same with what each stands on; `[]` where nobody reads it.
    pub passes: Vec<Passed>,
    /// Rules that reach it and are not yet in force, in the order of the packs.
    pub upcoming: Vec<Upcoming>,
    /// Verdicts other than `pass`, the worst first.
    pub findings: Vec<Finding>,
}

/// A rule that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// The rule.
    pub rule: String,
    /// What that stands on, in sentences with their basis.
    pub because: Vec<String>,
}

/// A rule that is not yet in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upcoming {
    /// The rule.
    pub rule: String,
    /// Its first day, as its pack has it: a day, a month or a year.
    pub from: String,
    /// The worst that it would say on that day, on what is known now.
    pub would: Verdict,
}

/// A waiver that accepts nothing of what was judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnusedWaiver {
    /// The file.
    pub file: String,
    /// Its line.
    pub line: u64,
    /// The rule that it names.
    pub code: String,
    /// The subject that it names.
    pub subject: String,
    /// Why it accepts nothing, and what would.
    pub why: String,
}

/// The document of `policy check` without what was judged, which may be too much to hold.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyCheck {
    /// [`POLICY_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// By what was judged.
    #[serde(flatten)]
    pub law: LawStamp,
    /// Rule by rule, in the order of the packs; rules that reach nothing are left out.
    pub rules: Vec<RuleTally>,
    /// Waivers that accept nothing, in the order of their file.
    pub unused_waivers: Vec<UnusedWaiver>,
}

/// What a run comes to, rule by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleTally {
    /// The rule's id.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// The clause.
    pub cite: String,
    /// Subjects that break it.
    pub fail: u64,
    /// Subjects for a person to look at.
    pub review: u64,
    /// Subjects of which too little is known.
    pub unknown: u64,
    /// Subjects that keep it.
    pub pass: u64,
    /// Subjects all of whose findings of the rule somebody has accepted.
    pub waived: u64,
}

/// Version of the document of `policy markets`.
pub const MARKETS_SCHEMA: &str = "umbilical.policy-markets/1";
/// Version of the document of `policy diff`.
pub const DIFF_SCHEMA: &str = "umbilical.policy-diff/1";
/// Version of the document of `policy why`.
pub const WHY_SCHEMA: &str = "umbilical.policy-why/1";
/// Version of the document of `policy list --facts`.
pub const FACTS_SCHEMA: &str = "umbilical.policy-facts/1";
/// Version of the document of `policy list`.
pub const LIST_SCHEMA: &str = "umbilical.policy-list/1";
/// Version of the document of `policy test`.
pub const TEST_SCHEMA: &str = "umbilical.policy-test/1";
/// Version of the document of `policy timeline`.
pub const TIMELINE_SCHEMA: &str = "umbilical.policy-timeline/1";

/// The document of `policy markets`: products against jurisdictions.
#[derive(Clone, Debug, Serialize)]
pub struct Markets {
    /// [`MARKETS_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// By what was judged.
    #[serde(flatten)]
    pub law: LawStamp,
    /// The columns.
    pub markets: Vec<String>,
    /// The rows.
    pub skus: Vec<Sku>,
}

/// A product over all markets.
#[derive(Clone, Debug, Serialize)]
pub struct Sku {
    /// Path or id.
    pub id: String,
    /// What people call it.
    pub names: Vec<String>,
    /// One for each market, in their order.
    pub cells: Vec<Cell>,
}

/// One product in one market.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// The market.
    pub market: String,
    /// The worst verdict of its rules.
    pub verdict: Verdict,
    /// The rules that say so; `[]` = none was found.
    pub rules: Vec<String>,
    /// In words.
    pub says: String,
}

/// The document of `policy diff`: the same evidence on two days.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyDiff {
    /// [`DIFF_SCHEMA`].
    pub schema: Word,
    /// Both days; the same one twice where tables are compared.
    pub as_of: [String; 2],
    /// Which facts the first side used.
    pub knowledge_before: KnowledgeStamp,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// By what was judged.
    #[serde(flatten)]
    pub law: LawStamp,
    /// Verdicts that differ, by subject and rule.
    pub changes: Vec<Turned>,
}

/// A verdict that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Turned {
    /// The subject's id.
    pub subject: String,
    /// What people call it.
    pub names: Vec<String>,
    /// The rule.
    pub rule: String,
    /// The module that it is about, where it is about one.
    pub module: Option<String>,
    /// The verdict on the first day.
    pub was: String,
    /// The verdict on the second.
    pub is: String,
    /// What the second stands on.
    pub because: Vec<String>,
    /// The finding of the second verdict, for gates.
    #[serde(skip)]
    pub finding: Option<Finding>,
}

/// The document of `policy list`.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyList {
    /// By id.
    pub packs: Vec<PackText>,
}

/// What a pack says.
#[derive(Clone, Debug, Serialize)]
pub struct PackText {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whose law it is.
    pub jurisdiction: String,
    /// Who issues it.
    pub authority: Option<String>,
    /// Its version.
    pub version: String,
    /// The newest day of its sources.
    pub sources_to: String,
    /// `law`, `proposed`, `house`, `evidence`.
    pub standing: Word,
    /// Only judged when it is asked for by name.
    pub optional: bool,
    /// What to know before relying on it.
    pub note: Option<String>,
    /// Its rules.
    pub rules: Vec<Clause>,
}

/// What a rule says.
#[derive(Clone, Debug, Serialize)]
pub struct Clause {
    /// Its id.
    pub id: String,
    /// In one line.
    pub title: String,
    /// The clause.
    pub cite: String,
    /// Where its words were read.
    pub source: String,
    /// Whether somebody has read them there.
    pub verified: bool,
    /// What it governs: the first of `effects`.
    pub effect: Word,
    /// All that it governs, in the order of its text.
    pub effects: Vec<Word>,
    /// What it applies to.
    pub tier: Vec<Word>,
    /// Who is bound.
    pub binds: String,
    /// First day.
    pub from: Option<String>,
    /// First day on which it no longer holds.
    pub to: Option<String>,
    /// `law`, `proposed`, `house`, `evidence`.
    pub standing: Word,
    /// Its conditions.
    pub scope: Vec<String>,
    /// What takes a case out of it.
    pub exceptions: Vec<String>,
    /// What the text leaves open.
    pub open_points: Vec<String>,
}

/// The document of `policy test`.
#[derive(Clone, Debug, Serialize)]
pub struct PolicyTest {
    /// How many were run.
    pub cases: u64,
    /// How many came out otherwise than they must.
    pub failed: u64,
    /// Each of them.
    pub runs: Vec<CaseRun>,
}

/// One case.
#[derive(Clone, Debug, Serialize)]
pub struct CaseRun {
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: u64,
    /// Its rule.
    pub rule: String,
    /// What it shows.
    pub name: String,
    /// What must come out.
    pub expected: Verdict,
    /// What came out.
    pub got: Verdict,
    /// Whether it is right.
    pub right: bool,
    /// Words that the reasons lack.
    pub unsaid: Vec<String>,
    /// The reasons.
    pub because: Vec<String>,
}

/// The document of `policy timeline`.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    /// The day from which past and future are told; it stands in the head of the document.
    #[serde(skip)]
    pub as_of: String,
    /// By day.
    pub events: Vec<Dated>,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
pub struct Dated {
    /// A day, a month or a year.
    pub on: String,
    /// The pack.
    pub pack: String,
    /// The rule, where it is one's first or last day.
    pub rule: Option<String>,
    /// What.
    pub what: String,
    /// Where it was read.
    pub source: String,
    /// Whether somebody has read it there.
    pub verified: bool,
}
