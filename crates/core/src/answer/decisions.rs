//! What people decided upon an answer, and what the answer stood on.

use serde::{Deserialize, Serialize};

use super::{KnowledgeStamp, Said};
use crate::words::Word;

/// Version of the document of `policy decisions`.
pub const DECISIONS_SCHEMA: &str = "umbilical.decisions/1";

/// One decision: a line of the log, without its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Hash of the line before it; empty in the first.
    pub prev: String,
    /// Its number, from 1.
    pub n: u64,
    /// When it was recorded, RFC 3339 in UTC.
    pub at: String,
    /// Who decided, as they said.
    pub by: String,
    /// What was decided, in their words.
    pub decision: String,
    /// Version of the program that answered.
    pub program: String,
    /// The command that answered, without the program's name.
    pub command: Vec<String>,
    /// The folder that it ran in.
    pub folder: String,
    /// The day of the answer.
    pub as_of: String,
    /// Version of the facts.
    pub knowledge: String,
    /// The newest day of their sources.
    pub sources_to: String,
    /// Packs of rules in use.
    pub packs: Vec<Digest>,
    /// What was read.
    pub inputs: Vec<Digest>,
    /// Other files that the command names, and the waivers of the home: assets, packs, weights, waivers.
    pub files: Vec<Digest>,
    /// Exit code of the command.
    pub exit: u8,
    /// Digest of the answer, as JSON.
    pub answer: String,
}

/// A thing by its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Path, or id of a pack.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// The document of `policy decisions`.
#[derive(Clone, Debug, Serialize)]
pub struct Decisions {
    /// [`DECISIONS_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// The facts of this program; each decision names its own.
    pub knowledge: KnowledgeStamp,
    /// Always empty: the log is no evidence.
    pub inputs: Vec<Digest>,
    /// Where the log is broken.
    pub problems: Vec<Said>,
    /// Whether every line is what was written, in its order, up to the head.
    pub intact: bool,
    /// Hash of the last line; `null` = no decision. Kept elsewhere it shows whether the log was cut or written anew.
    pub head: Option<String>,
    /// Oldest first.
    pub decisions: Vec<Decision>,
}
