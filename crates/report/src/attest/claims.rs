//! Claims that somebody may want to stand by: "no cellular module of maker X".

use serde::Serialize;
use umbilical_core::answer::Module;
use umbilical_core::answer::bom::{Check, PartAnswer, State};
use umbilical_core::bom::PartKind;
use umbilical_core::text::squash;
use umbilical_core::words::Word;

/// A claim about everything that was judged, and whether the documents bear it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// In a sentence.
    pub claim: String,
    /// `pass`, `fail`, `unknown`.
    pub verdict: Word,
    /// Why, in sentences with their places.
    pub because: Vec<String>,
}

/// For each maker the claim that no module of its is declared: as a part on the board, or as what may stand in the
/// place of one. Where a module is hidden, its maker is not known or a place was not understood, that is unknown, never a
/// pass.
pub fn claims(check: &Check, makers: &[String]) -> Vec<Claim> {
    makers.iter().map(|maker| claim(check, maker)).collect()
}

fn claim(check: &Check, maker: &str) -> Claim {
    let wanted = squash(maker);
    let (mut against, mut open) = (Vec::new(), Vec::new());
    for file in &check.files {
        for part in &file.parts {
            let place = format!("{} {}: {}", file.path, part.at, part.part.name().unwrap_or("unnamed part"));
            match stands(part, &wanted) {
                Some(true) => against.push(place),
                None => open.push(format!("{place} is a module of a maker that is not known")),
                Some(false) => {}
            }
        }
    }
    for project in check.projects.iter().filter(|p| p.state == State::Undisclosed) {
        open.push(format!("{}: {}", project.path, project.because.first().map_or("a module is not disclosed", |b| b)));
    }
    for project in &check.projects {
        let places = check.not_understood(project);
        if places > 0 {
            open.push(format!("{}: not understood in {places} places: a module may stand there", project.path));
        }
    }
    if check.files.is_empty() {
        open.push("no bill of materials was read".into());
    }
    let (verdict, because) = match (against.is_empty(), open.is_empty()) {
        (false, _) => ("fail", against),
        (true, false) => ("unknown", open),
        (true, true) => ("pass", vec!["no part, and no part that may stand in its place, is a module of that maker, as declared".into()]),
    };
    Claim { claim: format!("no cellular module of {maker} is declared"), verdict, because }
}

/// Whether a part is a module of the maker; `None` = it is a module, and whose is not known.
fn stands(part: &PartAnswer, wanted: &str) -> Option<bool> {
    let own = (part.kind == PartKind::Module, part.maker.as_deref(), part.module.as_deref());
    let alternates = part.alternates.iter().map(|a| (a.kind == PartKind::Module, a.maker.as_deref(), a.module.as_deref()));
    let each: Vec<Option<bool>> =
        std::iter::once(own).chain(alternates).filter(|(module, ..)| *module).map(|(_, maker, module)| of(wanted, maker, module)).collect();
    if each.contains(&Some(true)) {
        Some(true)
    } else if each.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn of(wanted: &str, maker: Option<&str>, module: Option<&Module>) -> Option<bool> {
    let names = [maker, module.and_then(|m| m.maker.as_deref()), module.and_then(|m| m.brand.as_deref())];
    let hit = names.iter().flatten().any(|name| squash(name) == wanted);
    (hit || names.iter().take(2).any(Option::is_some)).then_some(hit)
}
