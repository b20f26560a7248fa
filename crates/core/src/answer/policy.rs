//! What is answered about law and house rules: packs, verdicts, what each stands on.

use serde::{Deserialize, Serialize};

use super::{KnowledgeStamp, Said, Trace};
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
    /// Verdicts other than `pass`, the worst first.
    pub findings: Vec<Finding>,
}

/// The document of `policy check`.
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
    /// Packs in use, by id.
    pub packs: Vec<PackStamp>,
    /// What was assumed for this run; `[]` = nothing.
    pub assumed: Vec<String>,
    /// What was said of every asset and deal.
    pub facts: Vec<(String, String)>,
    /// What was judged, the worst first, then by id.
    pub subjects: Vec<Judged>,
    /// Every organisation that stands behind a module, by id.
    pub organisations: Vec<Trace>,
}
