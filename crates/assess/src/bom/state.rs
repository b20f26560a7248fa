//! What documents declare about cellular modules, the same for one document and for all of one product: named, hidden, or
//! absent.

use umbilical_core::answer::bom::{PartAnswer, State};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;

use super::file::{assembly_name, detail, said, subject};
use crate::findings::raise;

/// A part and the number of its document.
type Of<'p> = (usize, &'p PartAnswer);

/// What a set of parts declares.
pub(super) struct Declared<'p> {
    pub state: State,
    /// Why, in sentences.
    pub because: Vec<String>,
    /// The parts that tell of a module nobody names.
    pub tells: Vec<Of<'p>>,
}

pub(super) fn is_module(part: &PartAnswer) -> bool {
    part.kind == PartKind::Module
}

impl<'p> Declared<'p> {
    /// What the placed and the not placed parts of some documents declare together. `place` says where a part stands.
    pub fn of(
        placed: impl Iterator<Item = Of<'p>> + Clone,
        not_placed: impl Iterator<Item = Of<'p>>,
        place: &dyn Fn(usize, &PartAnswer) -> String,
    ) -> Self {
        let modules: Vec<Of<'p>> = placed.clone().filter(|(_, p)| is_module(p)).collect();
        // The place of a module that stays empty explains its holder and its antenna, though not a slot for another.
        let empty = not_placed.into_iter().find(|(_, p)| is_module(p));
        let explained = |kind: PartKind| match kind {
            // A carrier hides a module of its own, whatever else is named.
            PartKind::Carrier => false,
            PartKind::Slot => !modules.is_empty(),
            _ => !modules.is_empty() || empty.is_some(),
        };
        let hides = |part: &PartAnswer| part.kind.is_tell() && !explained(part.kind) && !holds_module(part, &modules);
        let tells: Vec<Of<'p>> = placed.filter(|(_, p)| hides(p)).collect();
        let name = |(file, part): &Of<'p>| format!("{} ({})", said(part), place(*file, part));
        let (state, because) = if !modules.is_empty() {
            (State::Found, modules.iter().map(name).collect())
        } else if !tells.is_empty() {
            (State::Undisclosed, tells.iter().map(|t| format!("{}: {}", name(t), tell(t.1))).collect())
        } else {
            let why = empty.as_ref().map(|part| format!("{} is declared as not placed", name(part)));
            (State::CleanAsDeclared, vec![why.unwrap_or_else(|| "no part of it is cellular, as far as it declares".to_owned())])
        };
        Self { state, because, tells }
    }
}

/// The finding of a part that tells of a module nobody names.
pub(super) fn undisclosed(part: &PartAnswer, file: &str) -> Option<Finding> {
    let because = vec![format!("{}: {} ({file}, {})", said(part), tell(part), part.at)];
    raise("undisclosed-modem", subject(part, file), because, detail(part, file))
}

/// Whether one of the modules is declared inside an assembly.
fn holds_module(assembly: &PartAnswer, modules: &[Of<'_>]) -> bool {
    let Some(name) = assembly_name(&assembly.part) else { return false };
    modules.iter().any(|(_, m)| m.path.get(assembly.path.len()) == Some(&name))
}

/// What a part tells of a module that is not named.
fn tell(part: &PartAnswer) -> String {
    let word = match part.kind {
        PartKind::Carrier => "carries a cellular module that the document does not name",
        PartKind::Slot => "a place for a module that the document does not name",
        PartKind::Sim => "serves a SIM, and no module is named",
        _ => "is for cellular bands, and no module is named",
    };
    if part.known_by.is_empty() { word.to_owned() } else { format!("{word} ({})", part.known_by) }
}
