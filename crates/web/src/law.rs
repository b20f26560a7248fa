//! Law as the program has it: packs on file, and what they say to things on a day. Where texts and waivers lie is the program's
//! business; pages ask.

use std::collections::BTreeMap;

use umbilical_core::Day;
use umbilical_core::answer::Device;
use umbilical_core::answer::bom::{Check, Project};
use umbilical_core::answer::policy::{Judged, LawStamp};
use umbilical_knowledge::Knowledge;
use umbilical_knowledge::policy::PolicyText;

/// A pack on file.
pub struct OnFile {
    /// Its text.
    pub text: PolicyText,
    /// Whether it is asked about the devices here.
    pub asked: bool,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// As of the end of this day.
    pub as_of: Day,
    /// Ids of packs; none for those that are asked here, or else for all law.
    pub packs: Vec<String>,
    /// Markets, as `--market` takes them; `None` for every one.
    pub market: Option<String>,
    /// Who buys or operates, as `--buyer` takes it.
    pub buyer: Option<String>,
    /// Whose money pays, as `--funded-by` takes it.
    pub funded_by: Option<String>,
    /// Facts of every deal, as `--say` takes them.
    pub say: Vec<String>,
    /// Whether only what was said of the deal counts: a letter to somebody rests on nothing else. Otherwise whoever is not named is
    /// taken for the one whom a rule reaches.
    pub as_said: bool,
    /// What is assumed, as `--assume` takes it.
    pub assume: Vec<String>,
    /// Whether what is kept says what that stands on.
    pub reasons: bool,
}

impl Question {
    /// Of a day, and nothing else said.
    pub fn on(as_of: Day) -> Self {
        Self {
            as_of,
            packs: Vec::new(),
            market: None,
            buyer: None,
            funded_by: None,
            say: Vec::new(),
            as_said: false,
            assume: Vec::new(),
            reasons: false,
        }
    }
}

/// Law in reach, while it is asked.
pub struct Asking<'a> {
    /// Rule by rule, whose law it is.
    pub homes: BTreeMap<String, String>,
    /// Title and clause of a rule.
    pub title: &'a dyn Fn(&str) -> (String, String),
    /// Judges a device.
    pub of: &'a dyn Fn(Device) -> Judged,
    /// Judges a product by its documents.
    pub product: &'a dyn Fn(&Check, &Project) -> Judged,
    /// By what is judged.
    pub stamp: LawStamp,
}

/// Has law. Errors are in words for the person who asked.
pub trait Law: Send + Sync {
    /// Every pack on file, by id.
    fn packs(&self) -> Result<Vec<OnFile>, String>;

    /// Asks a question: calls back once, on this thread. `kb` are the facts without what is assumed. Packs are named by their ids
    /// alone: a name from a page never reads a file.
    fn ask(&self, kb: &Knowledge, question: &Question, then: &mut dyn FnMut(Asking<'_>)) -> Result<(), String>;
}
