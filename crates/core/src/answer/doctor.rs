//! Whether this installation is in order.

use serde::Serialize;

use super::{KnowledgeStamp, Said};
use crate::observation::Input;
use crate::words::Word;

/// Version of the document of `doctor`.
pub const DOCTOR_SCHEMA: &str = "umbilical.doctor/1";

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// In order.
    Pass,
    /// There is nothing of the kind here.
    Na,
    /// It cannot be told.
    Unknown,
    /// Not in order.
    Fail,
}

impl Health {
    /// The word in every output.
    pub fn name(self) -> Word {
        match self {
            Self::Pass => "pass",
            Self::Na => "na",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// `home`, `tables`, `packs`, …
    pub id: Word,
    /// What it comes to.
    pub verdict: Health,
    /// What was found.
    pub read: String,
    /// What is in order.
    pub expected: String,
    /// What to do; empty where nothing is to be done.
    pub fix: String,
}

/// The document of `doctor`.
#[derive(Clone, Debug, Serialize)]
pub struct Doctor {
    /// [`DOCTOR_SCHEMA`].
    pub schema: Word,
    /// The day of the answer.
    pub as_of: String,
    /// The facts in use.
    pub knowledge: KnowledgeStamp,
    /// Always empty: it reads no evidence.
    pub inputs: Vec<Input>,
    /// Always empty: what is wrong is a check.
    pub problems: Vec<Said>,
    /// Version of the program.
    pub program: String,
    /// In the order of the book.
    pub checks: Vec<Checkup>,
}
