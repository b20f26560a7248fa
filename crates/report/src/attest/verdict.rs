//! What `bom check` answered, as the predicate of a statement.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, State};
use umbilical_core::bom::PartKind;
use umbilical_core::signed;

use super::{Claim, sign, tool};

/// The statement of what was found in these inputs: states with their reasons, modules, findings.
pub fn verdict(check: &Check, claims: &[Claim]) -> Vec<u8> {
    let subjects = sign::subjects(check.inputs.iter().map(|i| (&*i.path, &*i.sha256)));
    let mut predicate = said(check, claims);
    let products = check.projects.iter().map(|p| json!({ "path": p.path, "state": p.state, "because": p.because, "findings": p.findings }));
    predicate.insert("products".into(), products.collect());
    predicate.insert("documents".into(), check.files.iter().map(document).collect());
    let problem = |p: &umbilical_core::answer::Said| {
        let input = p.input.and_then(|i| check.inputs.get(i as usize)).map(|i| &*i.path);
        json!({ "document": input, "at": p.at, "what": p.what })
    };
    predicate.insert("problems".into(), check.problems.iter().map(problem).collect());
    sign::statement(&subjects, signed::VERDICT, &predicate.into())
}

/// What every statement of a verdict says, whatever else it shows.
pub(super) fn said(check: &Check, claims: &[Claim]) -> Map<String, Value> {
    let said = json!({
        "tool": tool(),
        "as_of": check.as_of,
        "knowledge": check.knowledge,
        "policies": [],
        "state": state(check),
        "claims": claims,
    });
    if let Value::Object(map) = said { map } else { Map::new() }
}

/// The state of all products together: a hidden module anywhere counts before one that is named, and that before none.
pub(super) fn state(check: &Check) -> Option<State> {
    let rank = |s: &State| match s {
        State::Undisclosed => 2,
        State::Found => 1,
        State::CleanAsDeclared => 0,
    };
    check.projects.iter().map(|p| p.state).max_by_key(rank)
}

/// How many parts there are of each kind.
pub(super) fn counts<'a>(parts: impl Iterator<Item = &'a PartAnswer>) -> BTreeMap<&'static str, u64> {
    parts.fold(BTreeMap::new(), |mut counts, part| {
        let count: &mut u64 = counts.entry(part.kind.name()).or_default();
        *count = count.saturating_add(1);
        counts
    })
}

fn document(file: &FileAnswer) -> Value {
    let modules = file.parts.iter().filter(|p| p.kind == PartKind::Module);
    let module = |p: &PartAnswer| {
        let module = p.module.as_deref();
        json!({
            "at": p.at,
            "designators": p.part.designators,
            "name": p.part.name(),
            "maker": p.maker.as_deref(),
            "model": module.and_then(|m| m.model.as_ref()),
            "basis": module.map(|m| m.basis.name()),
            "confidence": module.map(|m| m.confidence),
            "worst": p.worst,
        })
    };
    json!({
        "path": file.path,
        "format": file.format,
        "state": file.state,
        "because": file.because,
        "parts": file.parts.len(),
        "not_placed": file.not_placed.len(),
        "counts": counts(file.parts.iter()),
        "modules": modules.map(module).collect::<Vec<_>>(),
        "findings": file.findings,
    })
}
