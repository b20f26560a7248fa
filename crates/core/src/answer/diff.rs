//! What is answered about revisions of a bill of materials: what came, went and changed, and who supplied since when.

use serde::Serialize;

use super::bom::{Completeness, State};
use super::{KnowledgeStamp, Said, Trace};
use crate::bom::PartKind;
use crate::finding::Finding;
use crate::observation::Input;
use crate::words::Word;

/// Version of the document of `bom diff`.
pub const DIFF_SCHEMA: &str = "umbilical.bom-diff/1";

/// The document of `bom diff`.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// [`DIFF_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// Which facts were used.
    pub knowledge: KnowledgeStamp,
    /// What was read, revision by revision.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// By what the revisions are ordered: `dates` that all of them carry or were given, or `arguments`.
    pub ordered_by: Word,
    /// The revisions, the oldest first.
    pub revisions: Vec<Revision>,
    /// What changed from each revision to the next.
    pub steps: Vec<Step>,
    /// Who supplied each part since when: modules, and parts that changed their maker.
    pub history: Vec<History>,
    /// What is noteworthy, the worst first.
    pub findings: Vec<Finding>,
    /// Every organisation that stands behind a part, by id.
    pub organisations: Vec<Trace>,
}

/// One of the documents or folders that are compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revision {
    /// As the user named it.
    pub path: String,
    /// The day it is dated, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// Who says the day: `document` or `flag`.
    pub dated_by: Option<Word>,
    /// The dialects read.
    pub formats: Vec<String>,
    /// What it says about cellular modules.
    pub state: State,
    /// Parts on the board, each designator and each piece of a quantity counted once.
    pub parts: u64,
    /// How much it says of what it should; `null` where several documents are compared as one.
    pub completeness: Option<Completeness>,
}

/// From one revision to the next.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Index of the earlier revision.
    pub from: u32,
    /// Index of the later one.
    pub to: u32,
    /// How many parts are as they were; lines, not pieces.
    pub unchanged: u64,
    /// What came, went or changed: modules first, then by place.
    pub changes: Vec<Change>,
}

/// What happened to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happened {
    /// It was not there.
    Added,
    /// It is no longer there.
    Removed,
    /// It is another, or another is said of it.
    Changed,
}

impl Happened {
    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One part that came, went or changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Which of the three.
    pub change: Happened,
    /// How the two were found to be one: `designator`, `reference`, `name`; `null` where there is only one.
    pub aligned_by: Option<Word>,
    /// What the part is, on the new side where there is one.
    pub kind: PartKind,
    /// Its designators that this is about.
    pub designators: Vec<String>,
    /// Names of the assemblies that hold it, the outermost first.
    pub path: Vec<String>,
    /// What changed; empty where it came or went. Only what both sides say can differ.
    pub fields: Vec<FieldChange>,
    /// The earlier line.
    pub old: Option<Line>,
    /// The later line.
    pub new: Option<Line>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// `maker`, `manufacturer` (as written, where the part itself is known to be of one maker), `model`, `value`, `mpn`, `quantity`, `placed`, `alternates`, `origin`, `jurisdictions`, `supplier`,
    /// `version`, `effective`, `kind`, `designators`.
    pub field: Word,
    /// As it was; `null` = nothing.
    pub old: Option<String>,
    /// As it is; `null` = nothing, or nobody knows.
    pub new: Option<String>,
}

/// A line of a document, as far as a comparison shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The document.
    pub file: String,
    /// Where it stands.
    pub at: String,
    /// The line of text.
    pub line: Option<u32>,
    /// All its designators.
    pub designators: Vec<String>,
    /// How many pieces this is about.
    pub quantity: u64,
    /// Value as placed.
    pub value: Option<String>,
    /// The maker's part number.
    pub mpn: Option<String>,
    /// The maker as written.
    pub manufacturer: Option<String>,
    /// The maker by its usual name.
    pub maker: Option<String>,
    /// The module's model, where it is one.
    pub model: Option<String>,
    /// Whether it is on the board.
    pub placed: bool,
}

/// Who supplied a part, since when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// The designators that share this history.
    pub designators: Vec<String>,
    /// Names of the assemblies that hold it.
    pub path: Vec<String>,
    /// What it is, in the newest revision that has it.
    pub kind: PartKind,
    /// Whether the maker changed at least once.
    pub switched: bool,
    /// One after the other, the oldest first.
    pub spans: Vec<Span>,
}

/// From a revision on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Index of the revision that says it first.
    pub revision: u32,
    /// Its day.
    pub from: Option<String>,
    /// `placed`, `not-placed`, `absent`.
    pub state: Word,
    /// The maker; `null` = not said.
    pub maker: Option<String>,
    /// The module or part; `null` = not said.
    pub name: Option<String>,
    /// The document.
    pub file: Option<String>,
    /// Where it stands there.
    pub at: Option<String>,
    /// The line of text.
    pub line: Option<u32>,
}
