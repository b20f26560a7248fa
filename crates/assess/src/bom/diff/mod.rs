//! Revisions of a bill of materials: what came, what went, what changed, and who supplied since when.
//!
//! A revision is a document or a folder of them, in any dialect; two need not be of the same. Parts are aligned
//! ([`align`]), the lines of each pair compared ([`fields`]), and what is noteworthy raised ([`raise`]), all in time
//! that grows with the number of parts.

mod align;
mod fields;
mod history;
mod raise;
mod side;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use umbilical_core::Day;
use umbilical_core::answer::bom::{Check, State};
use umbilical_core::answer::diff::{Change, DIFF_SCHEMA, Diff, FieldChange, Happened, Line as Shown, Revision, Step};
use umbilical_core::answer::{Said, Trace};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;
use umbilical_core::observation::Input;
use umbilical_core::text::clean;
use umbilical_core::words::Word;
use umbilical_knowledge::Knowledge;

use align::{Aligned, align};
use fields::{How, compare};
use raise::{About, modules, raise};
use side::{Line, Side, maker, model};

/// One revision, judged.
#[derive(Debug)]
pub struct Dated {
    /// As the user named it.
    pub path: String,
    /// The day that the user gives it.
    pub date: Option<Day>,
    /// Its documents.
    pub check: Check,
}

/// Compares revisions, each with the next. Two are taken in the order given; more are ordered by their days where every
/// one has one.
pub fn diff(mut all: Vec<Dated>, kb: &Knowledge, as_of: Day) -> Diff {
    let days: Vec<Option<(Day, Word)>> = all.iter().map(day).collect();
    let by_dates = all.len() > 2 && days.iter().all(Option::is_some);
    let mut order: Vec<(Option<(Day, Word)>, Dated)> = days.into_iter().zip(all.drain(..)).collect();
    if by_dates {
        order.sort_by_key(|(day, _)| day.map(|d| d.0));
    }
    let scoped = order.iter().all(|(_, d)| d.check.projects.len() > 1);
    let sides: Vec<Side<'_>> = order.iter().map(|(_, d)| Side::new(&d.check, scoped)).collect();
    let revisions: Vec<Revision> = order.iter().zip(&sides).map(|((day, d), side)| revision(d, *day, side)).collect();
    let (mut steps, mut aligned, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for (number, pair) in (0u32..).zip(sides.windows(2)) {
        let [old, new] = pair else { continue };
        let found = align(old, new);
        steps.push(step(kb, number, (old, new), &found, &mut findings));
        aligned.push(found);
    }
    let history = history::history(&sides, &aligned, &revisions);
    findings.sort_by(Finding::worst_first);
    findings.dedup_by(|a, b| a.id == b.id);
    drop(sides);
    let (inputs, problems, organisations) = merged(order.into_iter().map(|(_, d)| d.check));
    Diff {
        schema: DIFF_SCHEMA,
        as_of: as_of.to_string(),
        knowledge: crate::trace::stamp(kb, as_of),
        inputs,
        problems,
        ordered_by: if by_dates { "dates" } else { "arguments" },
        revisions,
        steps,
        history,
        findings,
        organisations,
    }
}

/// The day of a revision: as the user says, else the latest that its documents carry.
fn day(dated: &Dated) -> Option<(Day, Word)> {
    // A document may add the time to the day; what is no day in this form is not guessed at.
    let written = |text: &str| text.trim().get(..10).and_then(|d| d.parse::<Day>().ok());
    let own = || dated.check.files.iter().filter_map(|f| written(f.product.date.as_deref()?)).max();
    dated.date.map(|d| (d, "flag")).or_else(|| own().map(|d| (d, "document")))
}

fn revision(dated: &Dated, day: Option<(Day, Word)>, side: &Side<'_>) -> Revision {
    let check = &dated.check;
    let mut formats: Vec<String> = check.files.iter().map(|f| f.format.clone()).collect();
    formats.sort();
    formats.dedup();
    let on_board = |line: u32| side.lines.get(line as usize).is_some_and(|l| l.part.part.is_placed());
    Revision {
        path: dated.path.clone(),
        date: day.map(|d| d.0.to_string()),
        dated_by: day.map(|d| d.1),
        formats,
        state: check.projects.iter().map(|p| p.state).min().unwrap_or(State::CleanAsDeclared),
        parts: side.units.iter().filter(|u| on_board(u.line)).fold(0, |n, u| u64::saturating_add(n, u.amount)),
        completeness: match check.files.as_slice() {
            [one] => one.completeness.clone(),
            _ => None,
        },
    }
}

/// The inputs, problems and organisations of all revisions as those of one answer.
fn merged(checks: impl Iterator<Item = Check>) -> (Vec<Input>, Vec<Said>, Vec<Trace>) {
    let (mut inputs, mut problems, mut organisations) = (Vec::new(), Vec::new(), BTreeMap::new());
    for check in checks {
        let before = u32::try_from(inputs.len()).unwrap_or(u32::MAX);
        problems.extend(check.problems.into_iter().map(|p| Said { input: p.input.map(|i| i.saturating_add(before)), ..p }));
        inputs.extend(check.inputs);
        organisations.extend(check.organisations.into_iter().map(|t| (t.org.clone(), t)));
    }
    (inputs, problems, organisations.into_values().collect())
}

/// Pieces of one line that went the same way.
#[derive(Default)]
struct Pieces {
    old: Vec<u32>,
    new: Vec<u32>,
    by: Option<Word>,
}

fn step(kb: &Knowledge, number: u32, (old, new): (&Side<'_>, &Side<'_>), aligned: &Aligned, findings: &mut Vec<Finding>) -> Step {
    let line_of = |side: &Side<'_>, unit: Option<&u32>| unit.and_then(|u| side.unit(*u)).map(|u| u.line);
    // Back from designators to lines.
    let (mut lines, mut known): (Vec<Pieces>, FxHashMap<_, usize>) = (Vec::new(), FxHashMap::default());
    let mut add = |a: &[u32], b: &[u32], by: Option<Word>| {
        let key = (line_of(old, a.first()), line_of(new, b.first()), by);
        let at = *known.entry(key).or_insert_with(|| {
            lines.push(Pieces { by, ..Pieces::default() });
            lines.len().saturating_sub(1)
        });
        if let Some(pieces) = lines.get_mut(at) {
            pieces.old.extend(a);
            pieces.new.extend(b);
        }
    };
    aligned.groups.iter().for_each(|g| add(&g.old, &g.new, Some(g.by)));
    aligned.removed.iter().for_each(|u| add(&[*u], &[], None));
    aligned.added.iter().for_each(|u| add(&[], &[*u], None));
    let alternates = |side: &Side<'_>| side.lines.iter().any(|l| !l.part.part.alternates.is_empty());
    let both_name_alternates = alternates(old) && alternates(new);
    let mut step = Step { from: number, to: number.saturating_add(1), unchanged: 0, changes: Vec::new() };
    let modules = (modules(old), modules(new));
    for pieces in &lines {
        let (a, b) = (pieces.old.first().and_then(|u| old.line(*u)), pieces.new.first().and_then(|u| new.line(*u)));
        let Some(change) = change(kb, pieces, (old, a), (new, b), both_name_alternates) else {
            step.unchanged = step.unchanged.saturating_add(1);
            continue;
        };
        findings.extend(raise(&About { change: &change, old: a.copied(), new: b.copied(), modules: (&modules.0, &modules.1) }));
        step.changes.push(change);
    }
    let place = |c: &Change| c.new.as_ref().or(c.old.as_ref()).map(|l| (l.file.clone(), l.line, l.at.clone()));
    step.changes.sort_by_cached_key(|c| (c.kind != PartKind::Module, place(c), c.change));
    step
}

fn change(
    kb: &Knowledge,
    pieces: &Pieces,
    (old, a): (&Side<'_>, Option<&Line<'_>>),
    (new, b): (&Side<'_>, Option<&Line<'_>>),
    alternates: bool,
) -> Option<Change> {
    let names = |side: &Side<'_>, units: &[u32]| -> Vec<String> {
        units.iter().filter_map(|u| side.unit(*u)?.designator).map(|d| clean(d).into_owned()).collect()
    };
    let amount =
        |side: &Side<'_>, units: &[u32]| units.iter().filter_map(|u| side.unit(*u)).fold(0, |n, u| u64::saturating_add(n, u.amount));
    let (old_names, new_names) = (names(old, &pieces.old), names(new, &pieces.new));
    let (old_amount, new_amount) = (amount(old, &pieces.old), amount(new, &pieces.new));
    let mut fields = Vec::new();
    if let (Some(a), Some(b)) = (a, b) {
        let same_format = a.file.format == b.file.format;
        fields = compare(a.part, b.part, How { kb, same_format, alternates: same_format || alternates });
        let mut put = |field, old: String, new: String| fields.push(FieldChange { field, old: Some(old), new: Some(new) });
        if old_amount != new_amount {
            put("quantity", old_amount.to_string(), new_amount.to_string());
        }
        if pieces.by == Some("name") && old_names.len() == pieces.old.len() && new_names.len() == pieces.new.len() && old_names != new_names
        {
            put("designators", old_names.join(" "), new_names.join(" "));
        }
        if fields.is_empty() {
            return None;
        }
    }
    let shown = |line: &Line<'_>, quantity: u64| Shown {
        file: line.file.path.clone(),
        at: line.part.at.clone(),
        line: line.part.line,
        designators: line.part.part.designators.iter().map(|d| clean(d).into_owned()).collect(),
        quantity,
        value: line.part.part.value.as_deref().map(|t| clean(t).into_owned()),
        mpn: line.part.part.mpn.as_deref().map(|t| clean(t).into_owned()),
        manufacturer: line.part.part.manufacturer.as_deref().map(|t| clean(t).into_owned()),
        maker: maker(line.part).map(|t| clean(t).into_owned()),
        model: model(line.part).map(str::to_owned),
        placed: line.part.part.is_placed(),
    };
    let part = b.or(a)?.part;
    Some(Change {
        change: match (a, b) {
            (None, _) => Happened::Added,
            (_, None) => Happened::Removed,
            _ => Happened::Changed,
        },
        aligned_by: pieces.by,
        kind: part.kind,
        designators: if new_names.is_empty() { old_names } else { new_names },
        path: part.path.to_vec(),
        fields,
        old: a.map(|l| shown(l, old_amount)),
        new: b.map(|l| shown(l, new_amount)),
    })
}
