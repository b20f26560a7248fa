//! What is asked: questions and parts, with the places for the answers.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::answer::bom::TierKind;
use crate::answer::{KnowledgeStamp, Said};
use crate::observation::Input;
use crate::words::Word;

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
    /// The parts, those whose maker or number is open first.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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
