//! Reports for regulators, tenders and suppliers: sections of rows, each with its basis; what is not known is said as
//! unknown, and what only the writer can say is left to be supplied.

use serde::Serialize;

use super::policy::LawStamp;
use super::{KnowledgeStamp, Said};
use crate::observation::{Basis, Input};
use crate::words::Word;

/// Version of the document of `report`.
pub const REPORT_SCHEMA: &str = "umbilical.report/1";

/// The document of `report`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
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
    /// Which report.
    pub report: Head,
    /// Its sections, in its order.
    pub sections: Vec<Section>,
    /// Names that are to be supplied with `--set`.
    pub to_supply: Vec<String>,
}

/// Which report it is.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// Its id.
    pub id: String,
    /// Version of its template.
    pub version: String,
    /// In one line.
    pub title: String,
    /// To whom it goes.
    pub addressed: String,
    /// What it answers to.
    pub cite: String,
    /// Where that was read.
    pub source: String,
    /// Whether its words were compared with the text in force.
    pub verified: bool,
}

/// A section.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// Its name.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is about; `null` = the report as a whole.
    pub about: Option<String>,
    /// The statement.
    pub what: String,
    /// Whether it is stated, unknown, or left to the writer.
    pub state: Standing,
    /// How it is known; `null` where it is not.
    pub basis: Option<Basis>,
    /// Where it was read, or whom to ask.
    pub source: Option<String>,
    /// The clause.
    pub cite: Option<String>,
    /// Whether somebody has read the source.
    pub verified: Option<bool>,
    /// What the statement rests on, each with its basis.
    pub because: Vec<String>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Said, with its basis.
    Stated,
    /// Nobody has said.
    Unknown,
    /// Left to whoever writes the report.
    ToBeSupplied,
}

impl Standing {
    /// The word in every output.
    pub fn name(self) -> Word {
        match self {
            Self::Stated => "stated",
            Self::Unknown => "unknown",
            Self::ToBeSupplied => "to-be-supplied",
        }
    }
}
