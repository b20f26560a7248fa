//! What is asked of suppliers and what their replies are worth: `bom ask` and `bom answer`.

mod questionnaire;

use serde::Serialize;

pub use questionnaire::{Asked, PART_COLUMNS, PartColumn, PartRow, Questionnaire, TemplateStamp};

use super::bom::{Term, TierKind};
use super::{Jurisdiction, KnowledgeStamp, Said, Trace};
use crate::finding::Finding;
use crate::observation::Input;
use crate::words::Word;

/// Version of the document of `bom ask`.
pub const QUESTIONNAIRE_SCHEMA: &str = "umbilical.questionnaire/1";
/// Version of the document of `bom answer`.
pub const ANSWER_SCHEMA: &str = "umbilical.bom-answer/1";

/// One sheet of a reply as cells of text: a sheet of a workbook, a CSV file, a list of a JSON document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its name; empty where it has none.
    pub name: String,
    /// What its rows are counted in: `sheet Questions row`, `row`, `questions item`.
    pub unit: String,
    /// Number of the row in the document and its cells; rows without any text are left out.
    pub rows: Vec<(u32, Vec<String>)>,
}

impl Sheet {
    /// A place in words: `sheet Questions row 12`.
    pub fn at(&self, row: u32) -> String {
        format!("{} {row}", self.unit)
    }
}

/// What was said to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It was answered.
    Disclosed,
    /// The supplier knows and does not say.
    Withheld,
    /// The supplier says that it does not know.
    Unknown,
    /// The supplier says that the question does not concern this product.
    NotApplicable,
    /// It was asked, and the place is empty.
    Unanswered,
    /// It was not asked.
    NotAsked,
}

impl Status {
    /// Every status, in order.
    pub const ALL: &[Self] = &[Self::Disclosed, Self::Withheld, Self::Unknown, Self::NotApplicable, Self::Unanswered, Self::NotAsked];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disclosed => "disclosed",
            Self::Withheld => "withheld",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not-applicable",
            Self::Unanswered => "unanswered",
            Self::NotAsked => "not-asked",
        }
    }
}

/// The document of `bom answer`.
#[derive(Clone, Debug, Serialize)]
pub struct Answers {
    /// [`ANSWER_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read, sorted by path.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// One entry for each supplier and product asked about, sorted by both.
    pub suppliers: Vec<Supplier>,
    /// Every organisation that an answer names, by id.
    pub organisations: Vec<Trace>,
}

/// How far an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Every question has a status.
    Complete,
    /// Some have.
    Partial,
    /// A reply came, and nothing is filled in.
    Empty,
    /// Asked, no reply, and the day has not passed (or none was set).
    Awaited,
    /// Asked, and the day has passed without a reply.
    Silent,
}

impl Progress {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Empty => "empty",
            Self::Awaited => "awaited",
            Self::Silent => "silent",
        }
    }
}

/// What one supplier says about one product.
#[derive(Clone, Debug, Serialize)]
pub struct Supplier {
    /// Who was asked.
    pub supplier: String,
    /// About which product; empty = the reply does not say and no questionnaire was given.
    pub device: String,
    /// The questionnaire's id; `null` = the reply does not carry it.
    pub questionnaire: Option<String>,
    /// The form of the questions.
    pub template: TemplateStamp,
    /// The day by which an answer was asked for.
    pub due: Option<String>,
    /// How far the answer came.
    pub state: Progress,
    /// The replies, oldest first; those without a day first.
    pub replies: Vec<ReplyStamp>,
    /// How much was disclosed.
    pub coverage: Disclosed,
    /// Questions by status.
    pub counts: Counts,
    /// How transparent the supplier is.
    pub label: Label,
    /// Who stands at each tier according to the supplier.
    pub tiers: Vec<TierAnswer>,
    /// Every question of the form, with the newest answer.
    pub answers: Vec<Answered>,
    /// The parts as the supplier lists them, of the newest reply that lists any.
    pub parts: Vec<PartAnswered>,
    /// Where an answer and a known fact cannot both be right.
    pub contradictions: Vec<Contradiction>,
    /// Organisations in the answers that a list names.
    pub listed: Vec<ListedName>,
    /// What could not be compared, and why.
    pub open_points: Vec<String>,
    /// What a later reply says otherwise than an earlier one, oldest first.
    pub history: Vec<Change>,
    /// What to ask next, the most telling first; empty = nothing is open.
    pub next: Vec<Next>,
    /// When to ask again.
    pub ask_again: AskAgain,
    /// What is noteworthy.
    pub findings: Vec<Finding>,
}

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplyStamp {
    /// Index into `inputs`.
    pub input: u32,
    /// As the user named it.
    pub path: String,
    /// The newest day written in it; `null` = not dated.
    pub date: Option<String>,
}

/// How much of what was asked is disclosed. What does not apply is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Disclosed {
    /// Share of the questions by weight, in percent with one decimal; `null` = nothing that applies was asked.
    pub by_weight: Option<f64>,
    /// Share of the questions by number.
    pub by_count: Option<f64>,
    /// Share by the weight that the questions have for one use each.
    pub by_use: Uses,
    /// Share of the places in the list of parts that are filled; `null` = the reply lists no parts.
    pub of_parts: Option<f64>,
}

/// A share in percent for each use of the answers; `null` = nothing that counts for it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Uses {
    /// Whether the product may be bought and sold.
    pub compliance: Option<f64>,
    /// Who can reach into it.
    pub security: Option<f64>,
    /// How long it can be had, kept up and replaced.
    pub availability: Option<f64>,
}

/// Questions by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the statuses by name: see Status")]
pub struct Counts {
    pub disclosed: u64,
    pub withheld: u64,
    pub unknown: u64,
    pub not_applicable: u64,
    pub unanswered: u64,
    pub not_asked: u64,
}

/// How transparent a supplier is: the same terms for every one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
    /// `A` to `F`; `null` = nothing that could be measured.
    pub letter: Option<Word>,
    /// 0–1: the mean of the terms by weight.
    pub score: Option<f64>,
    /// Why the letter is lower than the score alone would give; `null` = it is not.
    pub cap: Option<String>,
    /// Every term.
    pub terms: Vec<Term>,
}

/// Who stands at a tier according to the supplier.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierAnswer {
    /// Which.
    pub tier: TierKind,
    /// What was said of it.
    pub status: Status,
    /// Who, as the supplier writes it.
    pub name: Option<String>,
    /// The organisation of the tables that has this name.
    pub org: Option<String>,
    /// Whose law can compel it.
    pub jurisdictions: Vec<Jurisdiction>,
    /// Where it was said: path and place; `null` = nowhere.
    pub at: Option<String>,
    /// Why it is withheld, as the supplier writes it.
    pub reason: Option<String>,
}

/// One question with the newest answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// Its id in the template.
    pub id: String,
    /// The question.
    pub question: String,
    /// The heading it stands under.
    pub section: String,
    /// The tier that it is about.
    pub tier: Option<TierKind>,
    /// How much it counts.
    pub weight: u32,
    /// What was said.
    pub status: Status,
    /// The answer as written.
    pub answer: Option<String>,
    /// Why it is withheld.
    pub reason: Option<String>,
    /// What is attached.
    pub evidence: Option<String>,
    /// Who answers.
    pub who: Option<String>,
    /// The day written beside it.
    pub date: Option<String>,
    /// Index into `inputs`; `null` = no reply has it.
    pub input: Option<u32>,
    /// Where in it.
    pub at: Option<String>,
}

/// One part as the supplier lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartAnswered {
    /// Index into `inputs`.
    pub input: u32,
    /// Where in it.
    pub at: String,
    /// What the supplier says.
    #[serde(flatten)]
    pub row: PartRow,
}

/// How strongly an answer and a fact contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// The fact may be incomplete, or nobody has checked its row.
    Doubt,
    /// Both cannot be right.
    Conflict,
}

/// An answer and a known fact that cannot both be right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contradiction {
    /// Which comparison found it: `fcc-grantee`, `fcc-model`, `model-maker`, `rebrand`, `product`, `chipset`, `site-country`,
    /// `owner-country`, `listed`, `itself`.
    pub check: Word,
    /// How strongly.
    pub strength: Strength,
    /// What the supplier says.
    pub said: String,
    /// Where: path and place.
    pub at: String,
    /// What is on file.
    pub known: String,
    /// The table and the source of its row.
    pub source: String,
}

/// An organisation in an answer that a list names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedName {
    /// As the supplier writes it.
    pub name: String,
    /// Its id.
    pub org: String,
    /// Where it was said.
    pub at: String,
    /// What stands behind it on the day, in one sentence.
    pub statement: String,
}

/// What a later reply says otherwise than an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The question's id, or the part and its column: `P1 part_maker`.
    pub what: String,
    /// The tier that changed hands, where the change is one of supplier.
    pub tier: Option<TierKind>,
    /// What was said first.
    pub from: String,
    /// When; `null` = not dated.
    pub from_date: Option<String>,
    /// Where.
    pub from_at: String,
    /// What was said later.
    pub to: String,
    /// When.
    pub to_date: Option<String>,
    /// Where.
    pub to_at: String,
}

/// A question to ask next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Its id in the template.
    pub id: String,
    /// The question.
    pub question: String,
    /// Why this one.
    pub because: String,
    /// Weight times the factor of its tier.
    pub score: u32,
}

/// When to ask again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskAgain {
    /// The day.
    pub on: Option<String>,
    /// By which rule.
    pub rule: String,
}
