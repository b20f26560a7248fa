//! Who stands at each tier according to a supplier.

use umbilical_core::Day;
use umbilical_core::answer::bom::TierKind;
use umbilical_core::answer::suppliers::{Answered, PART_COLUMNS, PartAnswered, PartRow, Status, TierAnswer};
use umbilical_knowledge::{Knowledge, Template};

use super::compare::organisation;
use super::said;

/// Every tier, from the question that asks for its name, else from the rows of modules in the list of parts.
pub(super) fn tiers(
    kb: &Knowledge,
    day: Day,
    template: &Template,
    answers: &[Answered],
    parts: &[PartAnswered],
    path_of: &dyn Fn(u32) -> String,
) -> Vec<TierAnswer> {
    let asks = |tier: TierKind| template.questions.iter().find(move |q| q.names_tier && q.tier == Some(tier));
    TierKind::ALL
        .iter()
        .map(|tier| {
            let line = asks(*tier).and_then(|q| answers.iter().find(|a| a.id == q.id));
            let mut found = TierAnswer {
                tier: *tier,
                status: line.map_or(Status::NotAsked, |l| l.status),
                name: line.filter(|l| l.status == Status::Disclosed).and_then(|l| l.answer.clone()),
                org: None,
                jurisdictions: Vec::new(),
                at: line.and_then(|l| Some(format!("{} {}", path_of(l.input?), l.at.as_deref()?))),
                reason: line.and_then(|l| l.reason.clone()),
            };
            if found.status != Status::Disclosed
                && let Some((status, name, part)) = of_parts(kb, *tier, parts)
                && (status == Status::Disclosed || matches!(found.status, Status::Unanswered | Status::NotAsked))
            {
                found.status = status;
                found.name = name;
                found.at = Some(format!("{} {}", path_of(part.input), part.at));
            }
            if let Some(org) = found.name.as_deref().and_then(|n| organisation(kb, n)) {
                found.org = Some(org.id.to_string());
                found.jurisdictions = crate::trace::trace(kb, &org.id, day).jurisdictions;
            }
            found
        })
        .collect()
}

/// What the rows of modules say of a tier: a name, else that it is refused or not known.
fn of_parts<'p>(kb: &Knowledge, tier: TierKind, parts: &'p [PartAnswered]) -> Option<(Status, Option<String>, &'p PartAnswered)> {
    let column = PART_COLUMNS.iter().find(|c| c.tier == Some(tier))?;
    let mut best: Option<(Status, Option<String>, &PartAnswered)> = None;
    for part in parts.iter().filter(|p| is_module(kb, &p.row)) {
        let cell = part.row.get(column.key);
        let status = match said::empty_answer(cell) {
            Some(status) => status,
            None if cell.is_empty() => continue,
            None => Status::Disclosed,
        };
        let name = (status == Status::Disclosed).then(|| cell.to_owned());
        if best.as_ref().is_none_or(|(before, ..)| status < *before) {
            best = Some((status, name, part));
        }
    }
    best
}

/// Whether a row of the list is about a cellular module.
pub(super) fn is_module(kb: &Knowledge, row: &PartRow) -> bool {
    let function = row.get("function").to_lowercase();
    let words = ["module", "modem", "cellular", "lte", "5g", "modul", "模组", "模块"];
    // The chip, the card and the antenna of a modem are no modules.
    let others = ["antenna", "sim", "chipset", "memory", "radio", "gnss", "wi-fi", "wifi", "bluetooth"];
    let named = words.iter().any(|w| function.contains(w)) && !others.iter().any(|w| function.contains(w));
    named || !kb.models_in(row.get("maker_part_number")).is_empty()
}
