//! What is asked of suppliers and what their replies are worth: `bom ask` and `bom answer`.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

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

/// Which form the questions have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TemplateStamp {
    /// `hbom`, `mds2`, `tender`.
    pub id: String,
    /// Raised whenever a question changes its meaning.
    pub version: u32,
    /// For people.
    pub title: String,
    /// Where the questions come from.
    pub source: String,
}

/// The document of `bom ask`: it goes to somebody else, so it holds nothing about our files.
#[derive(Clone, Debug, Serialize)]
pub struct Questionnaire {
    /// [`QUESTIONNAIRE_SCHEMA`].
    pub schema: Word,
    /// The day on which it was made out.
    pub as_of: String,
    /// Which tables the program had.
    pub knowledge: KnowledgeStamp,
    /// Always empty: the supplier need not know what we read.
    pub inputs: Vec<Input>,
    /// Always empty, for the same reason.
    pub problems: Vec<Said>,
    /// `ask-` and 12 hex digits, from what is asked about what of whom; the reply is known by it.
    pub questionnaire: String,
    /// Which form.
    pub template: TemplateStamp,
    /// The product asked about.
    pub device: String,
    /// Who is asked.
    pub supplier: String,
    /// The day by which an answer is asked for.
    pub due: Option<String>,
    /// The tiers asked about, from the outside in.
    pub tiers: Vec<TierKind>,
    /// How to answer, sentence by sentence.
    pub how_to_answer: Vec<String>,
    /// The questions, in the order of the form.
    pub questions: Vec<Asked>,
    /// The parts, those with the most open places first.
    pub parts: Vec<PartRow>,
}

/// One question with the places for its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its id in the template.
    pub id: String,
    /// The heading it stands under.
    pub section: String,
    /// The question.
    pub question: String,
    /// Why it is asked.
    pub why: String,
    /// The field of a published taxonomy that it asks for; `null` = our own.
    pub field: Option<String>,
    /// `text`, `country`, `org`, `yes-no`, `date`, `part-number`, `fcc-id`, `percentage`.
    pub expects: String,
    /// The tier that it is about.
    pub tier: Option<TierKind>,
    /// To be filled in: `disclosed`, `withheld`, `unknown`, `not-applicable`.
    pub status: Option<String>,
    /// To be filled in.
    pub answer: Option<String>,
    /// To be filled in where the answer is withheld.
    pub reason: Option<String>,
    /// To be filled in: the document that shows it.
    pub evidence: Option<String>,
    /// To be filled in: who answers.
    pub who: Option<String>,
    /// To be filled in: when.
    pub date: Option<String>,
}

/// One column of the list of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartColumn {
    /// Its snake_case name.
    pub key: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The tier whose name stands in it.
    pub tier: Option<TierKind>,
}

const fn column(key: &'static str, title: &'static str, tier: Option<TierKind>) -> PartColumn {
    PartColumn { key, title, tier }
}

/// The columns of the list of parts.
pub const PART_COLUMNS: [PartColumn; 18] = [
    column("our_ref", "Our reference", None),
    column("designators", "Designators", None),
    column("function", "Function", None),
    column("part_maker", "Maker of the part", Some(TierKind::Module)),
    column("maker_part_number", "Maker's part number", None),
    column("fg_part_number", "Finished good's part number", None),
    column("version", "Version or hash", None),
    column("site_country", "Country of the site of manufacture", None),
    column("tier", "Tier (1 = you make it)", None),
    column("alternates", "Alternates", None),
    column("chipset", "Chipset and its maker", Some(TierKind::Chipset)),
    column("memory", "Memory and its maker", Some(TierKind::Memory)),
    column("firmware_supplier", "Supplier of the firmware", Some(TierKind::Firmware)),
    column("fcc_id", "FCC ID", None),
    column("certification", "Certification (PTCRB, GCF, FCC, RED: compatibility only)", None),
    column("remote_update", "Remote update (by whom, how switched off)", None),
    column("signer", "Who signs the firmware", None),
    column("end_of_life", "End of life", None),
];

/// One part with what is known of it and the places for the rest, in the order of [`PART_COLUMNS`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartRow {
    /// A text for each column; empty = open.
    pub cells: [String; PART_COLUMNS.len()],
}

impl PartRow {
    /// The text in a column; empty where there is none.
    pub fn get(&self, key: &str) -> &str {
        PART_COLUMNS.iter().zip(&self.cells).find(|(c, _)| c.key == key).map_or("", |(_, cell)| cell)
    }

    /// Puts text into a column; a key that is no column changes nothing.
    pub fn set(&mut self, key: &str, text: &str) {
        if let Some((_, cell)) = PART_COLUMNS.iter().zip(&mut self.cells).find(|(c, _)| c.key == key) {
            text.clone_into(cell);
        }
    }

    /// How many places are open.
    pub fn open(&self) -> usize {
        self.cells.iter().filter(|c| c.is_empty()).count()
    }
}

impl Serialize for PartRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(PART_COLUMNS.len()))?;
        for (column, cell) in PART_COLUMNS.iter().zip(&self.cells) {
            map.serialize_entry(column.key, &Some(cell).filter(|c| !c.is_empty()))?;
        }
        map.end()
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
    /// Share of the places in the list of parts that are filled; `null` = the reply lists no parts.
    pub of_parts: Option<f64>,
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
    /// Which comparison found it: `fcc-grantee`, `fcc-model`, `model-maker`, `rebrand`, `chipset`, `site-country`,
    /// `owner-country`, `listed`.
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
