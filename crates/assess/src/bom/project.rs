//! Which documents are one product.
//!
//! A drawing is rarely whole: a board has many sheets, and a sheet without a module says nothing of the board. So a
//! folder that holds drawings (schematics or netlists) is one product, with everything in and below it. A list or a
//! statement is meant to be whole: without drawings beside it each is a product of its own, so that an undisclosed
//! module in one is not outvoted by a disclosed one in the next. Folders named for a role (`bom`, `hardware`,
//! `v1.2`) count as the folder above.

use std::collections::BTreeMap;

use umbilical_core::answer::Said;
use umbilical_core::answer::bom::{FileAnswer, PartAnswer, Project};
use umbilical_core::bom::{Design, PartKind};
use umbilical_core::finding::{Finding, Subject};
use umbilical_core::id::content_id;

use super::state::{Declared, undisclosed};
use crate::findings::raise;

/// Reasons that are kept for a product; its documents hold them all.
const REASONS: usize = 20;

/// Names of folders that say what is in them, not which product.
const ROLES: &[&str] = &[
    "altium",
    "assembly",
    "bom",
    "boms",
    "cad",
    "design",
    "doc",
    "docs",
    "eagle",
    "electronics",
    "export",
    "exports",
    "fab",
    "fabrication",
    "gerber",
    "gerbers",
    "hardware",
    "hw",
    "kicad",
    "manufacturing",
    "netlist",
    "output",
    "outputs",
    "pcb",
    "pcbs",
    "production",
    "project",
    "release",
    "releases",
    "schematic",
    "schematics",
    "sheets",
];

/// Groups files into products, says what each product declares, and puts to its documents what it does not disclose.
pub(super) fn projects(files: &mut [FileAnswer], sheets: &[Vec<Box<str>>], problems: &mut Vec<Said>) -> Vec<Project> {
    let mut group: Vec<usize> = (0..files.len()).collect();
    let folders: Vec<String> = files.iter().map(|f| home_of(&f.path)).collect();
    let drawing = |i: &usize| files.get(*i).is_some_and(|f| matches!(f.design, Design::Schematic | Design::Netlist));
    // The topmost folders that hold a drawing; everything below belongs to them.
    let mut roots: Vec<&str> = (0..files.len()).filter(drawing).filter_map(|i| folders.get(i)).map(String::as_str).collect();
    roots.sort_unstable();
    roots.dedup();
    let tops: Vec<&str> = roots.iter().copied().filter(|r| !roots.iter().any(|o| o != r && below(r, o))).collect();
    for (i, folder) in folders.iter().enumerate() {
        let Some(top) = tops.iter().find(|t| *t == folder || below(folder, t)) else { continue };
        let first = folders.iter().position(|f| f == top || below(f, top)).unwrap_or(i);
        if let Some(slot) = group.get_mut(i) {
            *slot = first;
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, g) in group.iter().enumerate() {
        members.entry(*g).or_default().push(i);
    }
    missing_sheets(files, sheets, problems);
    let mut out: Vec<Project> = Vec::with_capacity(members.len());
    for list in members.into_values() {
        let (project, hidden) = project(files, &list);
        out.push(project);
        for (file, finding) in hidden {
            // The worst stands first: nothing else that a document raises is as severe.
            if let Some(file) = files.get_mut(file) {
                file.findings.push(finding);
                file.findings.sort_by(|a, b| a.worst_first(b));
                file.findings.dedup_by(|a, b| a.id == b.id);
            }
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out
}

/// The folder of a path, folders named for a role left out. Archives count as folders.
fn home_of(path: &str) -> String {
    let path = path.replace('!', "/");
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    while parts.last().is_some_and(|p| is_role(p)) && parts.len() > 1 {
        parts.pop();
    }
    parts.join("/")
}

fn is_role(name: &str) -> bool {
    let plain: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    let version = plain.strip_prefix("rev").or_else(|| plain.strip_prefix('v')).or_else(|| plain.strip_prefix('r')).unwrap_or(&plain);
    let numbered = !version.is_empty() && version.len() <= 4 && version.bytes().all(|b| b.is_ascii_digit());
    ROLES.contains(&plain.as_str()) || numbered || name.to_lowercase().ends_with("bom")
}

fn below(folder: &str, top: &str) -> bool {
    top.is_empty() || folder.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'))
}

/// Sheets that a drawing names and that were not read: what stands on them is not known.
fn missing_sheets(files: &[FileAnswer], sheets: &[Vec<Box<str>>], problems: &mut Vec<Said>) {
    let name = |path: &str| path.rsplit(['/', '!', '\\']).next().unwrap_or(path).to_owned();
    for (file, wanted) in files.iter().zip(sheets) {
        for sheet in wanted {
            if !files.iter().any(|f| name(&f.path).ends_with(&name(sheet))) {
                let what = format!("the sheet `{}` is part of this design and was not read", umbilical_core::text::clean(&name(sheet)));
                problems.push(Said { input: Some(file.input), at: "file".into(), what });
            }
        }
    }
}

/// One product, and what of it is not disclosed, with the number of the document that tells.
fn project(files: &[FileAnswer], list: &[usize]) -> (Project, Vec<(usize, Finding)>) {
    let members: Vec<(usize, &FileAnswer)> = list.iter().filter_map(|i| Some((*i, files.get(*i)?))).collect();
    let path = match members.as_slice() {
        [(_, one)] => one.path.clone(),
        _ => common(members.iter().map(|(_, f)| f.path.as_str())),
    };
    let file = |i: usize| files.get(i).map(|f| f.path.as_str()).unwrap_or_default();
    let place = |i: usize, part: &PartAnswer| if list.len() == 1 { part.at.clone() } else { format!("{}, {}", file(i), part.at) };
    let placed = members.iter().flat_map(|(i, f)| f.parts.iter().map(|p| (*i, p)));
    let not_placed = members.iter().flat_map(|(i, f)| f.not_placed.iter().map(|p| (*i, p)));
    let Declared { state, mut because, tells } = Declared::of(placed, not_placed, &place);
    because.truncate(REASONS);
    let hidden = tells.iter().filter_map(|(i, part)| Some((*i, undisclosed(part, file(*i))?))).collect();
    let findings = disagreement(&path, &members.iter().map(|(_, f)| *f).collect::<Vec<_>>()).into_iter().collect();
    let files = list.iter().map(|i| u32::try_from(*i).unwrap_or(u32::MAX)).collect();
    (Project { path, files, state, because, findings }, hidden)
}

/// The deepest folder that holds them all.
fn common<'p>(mut paths: impl Iterator<Item = &'p str>) -> String {
    let Some(first) = paths.next() else { return String::new() };
    let mut parts: Vec<&str> = first.split('/').collect();
    parts.pop();
    for path in paths {
        let same = parts.iter().zip(path.split('/')).take_while(|(a, b)| **a == *b).count();
        parts.truncate(same);
    }
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

/// Documents of one product that each name a module, and not the same.
fn disagreement(path: &str, files: &[&FileAnswer]) -> Option<Finding> {
    let named = |f: &FileAnswer| -> Vec<(String, String)> {
        let mut out: Vec<_> = f
            .parts
            .iter()
            .filter(|p| p.kind == PartKind::Module)
            .map(|p| (models(p).join(" or "), format!("{}, {}", f.path, p.at)))
            .filter(|(m, _)| !m.is_empty())
            .collect();
        out.sort();
        out.dedup_by(|a, b| a.0 == b.0);
        out
    };
    let lists: Vec<Vec<(String, String)>> = files.iter().map(|f| named(f)).filter(|l| !l.is_empty()).collect();
    let first = lists.first()?;
    let same = |a: &[(String, String)], b: &[(String, String)]| a.iter().map(|x| &x.0).eq(b.iter().map(|x| &x.0));
    // One document may know less exactly than another; it disagrees where none of its names begins like one of the other's.
    let akin = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let other = lists.iter().find(|l| !same(l, first) && !l.iter().any(|x| first.iter().any(|y| akin(&x.0, &y.0))))?;
    let say = |l: &[(String, String)]| l.iter().map(|(m, at)| format!("{m} ({at})")).collect::<Vec<_>>().join(", ");
    let because = vec![format!("one document names {}", say(first)), format!("another names {}", say(other))];
    let subject = Subject { kind: "file", id: content_id("prj-", "project", path) };
    raise("documents-disagree", subject, because, serde_json::json!({ "file": path, "line": null, "at": "file" }))
}

fn models(part: &PartAnswer) -> Vec<String> {
    let own = part.module.as_deref().and_then(|m| m.model.clone());
    let others = part.alternates.iter().filter_map(|a| a.module.as_deref().and_then(|m| m.model.clone()));
    let mut all: Vec<String> = own.into_iter().chain(others).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_named_for_a_role_count_as_the_folder_above() {
        assert_eq!(home_of("gw/hardware/v1.2/a.kicad_sch"), "gw");
        assert_eq!(home_of("gw/Fabrication/Old/BOM/b.csv"), "gw/Fabrication/Old");
        assert_eq!(home_of("gw.zip!gw/bom/b.csv"), "gw.zip/gw");
        assert_eq!(home_of("a.csv"), "");
        assert_eq!(home_of("hardware/a.csv"), "hardware");
    }
}
