//! Who supplied a part since when, over all revisions.

use std::collections::BTreeMap;

use umbilical_core::answer::diff::{History, Revision, Span};
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;

use super::align::Aligned;
use super::side::{Side, firm, is_module, maker, model, plain};

/// A part through the revisions: the unit that it is in each.
type Thread = Vec<Option<u32>>;

/// The history of every module, and of every part that changed its maker.
pub(super) fn history(sides: &[Side<'_>], steps: &[Aligned], revisions: &[Revision]) -> Vec<History> {
    let threads = threads(sides, steps);
    // Parts of one history are told once, with all their designators.
    let mut grouped: Vec<(History, String)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for thread in threads {
        let Some((mut one, key)) = told(&thread, sides, revisions) else { continue };
        match known.get(&key) {
            Some(at) => grouped.get_mut(*at).into_iter().for_each(|(h, _)| h.designators.append(&mut one.designators)),
            None => {
                known.insert(key.clone(), grouped.len());
                grouped.push((one, key));
            }
        }
    }
    let mut out: Vec<History> = grouped.into_iter().map(|(h, _)| h).collect();
    out.sort_by_key(|h| (h.kind != PartKind::Module, !h.switched));
    out
}

fn threads(sides: &[Side<'_>], steps: &[Aligned]) -> Vec<Thread> {
    let mut out: Vec<Thread> = Vec::new();
    let mut of: Vec<Option<usize>> = Vec::new();
    for (number, side) in sides.iter().enumerate() {
        let mut next: Vec<Option<usize>> = vec![None; side.units.len()];
        let step = number.checked_sub(1).and_then(|n| steps.get(n));
        for group in step.into_iter().flat_map(|s| &s.groups) {
            for (old, new) in group.old.iter().zip(&group.new) {
                if let Some(slot) = next.get_mut(*new as usize) {
                    *slot = of.get(*old as usize).copied().flatten();
                }
            }
            // Pieces that are only counted have no history of their own.
        }
        let counted: Vec<u32> = step.into_iter().flat_map(|s| &s.groups).flat_map(|g| g.new.iter().skip(g.old.len()).copied()).collect();
        let mut counted_here = vec![false; side.units.len()];
        counted.iter().filter_map(|u| counted_here.get_mut(*u as usize).map(|c| *c = true)).count();
        for (unit, slot) in next.iter_mut().enumerate() {
            if slot.is_none() && !counted_here.get(unit).copied().unwrap_or(false) {
                *slot = Some(out.len());
                out.push(vec![None; sides.len()]);
            }
            if let Some(here) = slot.and_then(|t| out.get_mut(t)).and_then(|t| t.get_mut(number)) {
                *here = u32::try_from(unit).ok();
            }
        }
        of = next;
    }
    out
}

/// The spans of a thread, and what they are grouped by.
fn told(thread: &Thread, sides: &[Side<'_>], revisions: &[Revision]) -> Option<(History, String)> {
    let lines = || thread.iter().zip(sides).map(|(unit, side)| unit.and_then(|u| side.line(u)));
    let present = || lines().flatten();
    let makers = {
        let mut names: Vec<String> = present().filter_map(|l| maker(l.part)).map(firm).collect();
        names.dedup();
        names
    };
    let switched = makers.len() > 1;
    if !switched && !present().any(|l| is_module(l.part)) {
        return None;
    }
    let last = present().last()?;
    let (mut spans, mut before): (Vec<Span>, Option<String>) = (Vec::new(), None);
    for ((number, line), revision) in (0u32..).zip(lines()).zip(revisions) {
        let part = line.map(|l| l.part);
        let state = match part {
            None => "absent",
            Some(p) if p.part.is_placed() => "placed",
            Some(_) => "not-placed",
        };
        let name = part.and_then(|p| model(p).or(p.part.name()));
        let key = format!("{state} {} {}", part.and_then(maker).map(firm).unwrap_or_default(), name.map(plain).unwrap_or_default());
        // What was never there before is not absent yet.
        if before.as_ref() == Some(&key) || (part.is_none() && before.is_none()) {
            continue;
        }
        before = Some(key);
        let text = |t: &str| clean(t).into_owned();
        spans.push(Span {
            revision: number,
            from: revision.date.clone(),
            state,
            maker: part.and_then(maker).map(text),
            name: name.map(text),
            file: line.map(|l| l.file.path.clone()),
            at: part.map(|p| p.at.clone()),
            line: part.and_then(|p| p.line),
        });
    }
    let key = format!(
        "{:?}",
        (last.part.kind, &*last.part.path, spans.iter().map(|s| (s.revision, s.state, &s.maker, &s.name)).collect::<Vec<_>>())
    );
    let designators = thread.iter().zip(sides).rev().find_map(|(u, s)| s.unit((*u)?)?.designator).map(|d| clean(d).into_owned());
    let path = last.part.path.to_vec();
    Some((History { designators: designators.into_iter().collect(), path, kind: last.part.kind, switched, spans }, key))
}
