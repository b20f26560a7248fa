//! What is noteworthy about a change: each finding with the earlier line and the later one.

use serde_json::{Value, json};
use umbilical_core::answer::bom::PartAnswer;
use umbilical_core::answer::diff::{Change, FieldChange, Happened};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::{Finding, Severity};

use super::side::{Line, Side, is_module, maker, model};
use crate::bom::file::{detail, said, subject};
use crate::findings;

/// How many modules of a revision are named in a sentence.
const NAMED: usize = 3;

/// A change with the lines that it is about.
pub(super) struct About<'a> {
    pub change: &'a Change,
    pub old: Option<Line<'a>>,
    pub new: Option<Line<'a>>,
    /// What the earlier and the later revision say of modules, in a sentence.
    pub modules: (&'a str, &'a str),
}

/// What a revision says of modules: which it names, and where.
pub(super) fn modules(side: &Side<'_>) -> String {
    let mut named: Vec<String> = Vec::new();
    let mut more = 0usize;
    for line in side.lines.iter().filter(|l| carries(l.part) && l.part.part.is_placed()) {
        if named.len() < NAMED {
            named.push(format!("{}{} ({}, {})", said(line.part), known(line.part), line.file.path, line.part.at));
        } else {
            more = more.saturating_add(1);
        }
    }
    match (named.as_slice(), more) {
        ([], _) => format!("names no module ({})", side.lines.first().map_or("an empty document", |l| &l.file.path)),
        (named, 0) => format!("names {}", named.join("; ")),
        (named, more) => format!("names {} and {more} more", named.join("; ")),
    }
}

/// The findings of a change.
pub(super) fn raise(about: &About<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let change = about.change;
    let field = |name: &str| change.fields.iter().find(|f| f.field == name);
    let on_board =
        |line: &Option<Line<'_>>, kind: fn(&PartAnswer) -> bool| line.as_ref().is_some_and(|l| l.part.part.is_placed() && kind(l.part));
    let (was, is) = (on_board(&about.old, carries), on_board(&about.new, carries));
    let more = change.fields.iter().any(|f| f.field == "quantity" && grew(f));
    let another = field("model").is_some() || (field("maker").is_some() && is_module_of(&about.new)) || other_name(about);
    if is && (!was || (another && !was_allowed(about)) || more) {
        let now = if was && more && !another { "there are more of it" } else { "is new" };
        out.extend(about.finding("new-module", vec![about.line(&about.new, now), about.earlier()]));
    }
    if was && (!is || another) {
        let gone = match change.change {
            Happened::Removed => "is gone",
            _ if is => "is replaced",
            _ => "is no longer placed as a module",
        };
        out.extend(about.finding("removed-module", vec![about.line(&about.old, gone), about.later()]));
    }
    if let Some(maker) = field("maker").or_else(|| field("manufacturer")).filter(|_| about.kind() != PartKind::Other) {
        let finding = about.finding("maker-change", about.because("another maker", maker));
        out.extend(finding.map(|f| weigh(f, about.kind(), Severity::High, Severity::Medium)));
    }
    if let Some(alternates) = field("alternates") {
        let finding = about.finding("alternates-change", about.because("other alternates", alternates));
        out.extend(finding.map(|f| weigh(f, about.kind(), Severity::Medium, Severity::Medium)));
    }
    // A country that nobody knows is no other country: that is said with the maker.
    let moved: Vec<&FieldChange> =
        ["origin", "jurisdictions"].into_iter().filter_map(field).filter(|f| f.old.is_some() && f.new.is_some()).collect();
    if let [first, rest @ ..] = moved.as_slice() {
        let mut because = about.because(words(first), first);
        because.extend(rest.iter().map(|f| in_words(words(f), f)));
        out.extend(about.finding("origin-change", because).map(|f| weigh(f, about.kind(), Severity::High, Severity::Medium)));
    }
    out
}

/// Whether it is a module or carries one.
fn carries(part: &PartAnswer) -> bool {
    matches!(part.kind, PartKind::Module | PartKind::Carrier)
}

fn is_module_of(line: &Option<Line<'_>>) -> bool {
    line.as_ref().is_some_and(|l| is_module(l.part))
}

/// A module that the catalogue does not know on either side goes by the name that is written.
fn other_name(about: &About<'_>) -> bool {
    let (Some(old), Some(new)) = (&about.old, &about.new) else { return false };
    let unknown = model(old.part).is_none() || model(new.part).is_none();
    unknown && about.change.fields.iter().any(|f| matches!(f.field, "mpn" | "value"))
}

/// Whether the earlier line named the module that stands there now among its alternates.
fn was_allowed(about: &About<'_>) -> bool {
    let (Some(old), Some(new)) = (&about.old, &about.new) else { return false };
    let models = old.part.alternates.iter().filter_map(|a| a.module.as_deref());
    let now = (maker(new.part), model(new.part));
    now.1.is_some() && models.map(|m| (m.maker.as_deref(), m.model.as_deref())).any(|m| m == now)
}

fn grew(field: &FieldChange) -> bool {
    let number = |n: &Option<String>| n.as_deref().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    number(&field.new) > number(&field.old)
}

fn words(field: &FieldChange) -> &'static str {
    if field.field == "origin" { "another country of origin" } else { "other jurisdictions" }
}

fn in_words(what: &str, field: &FieldChange) -> String {
    let of = |side: &Option<String>, none: &str| side.clone().unwrap_or_else(|| none.to_owned());
    format!("{what}: {} instead of {}", of(&field.new, "none"), of(&field.old, "none"))
}

/// Parts that speak with the network count most, parts that nothing here names least.
fn weigh(mut finding: Finding, kind: PartKind, cellular: Severity, typed: Severity) -> Finding {
    finding.severity = match kind {
        PartKind::Module | PartKind::Carrier | PartKind::Chipset | PartKind::Sim | PartKind::Firmware => cellular,
        PartKind::Other => Severity::Low,
        _ => typed,
    };
    finding
}

impl<'a> About<'a> {
    fn kind(&self) -> PartKind {
        self.change.kind
    }

    /// The later line, else the earlier one: where the finding stands.
    fn place(&self) -> Option<Line<'a>> {
        self.new.or(self.old)
    }

    fn line(&self, line: &Option<Line<'_>>, what: &str) -> String {
        let Some(line) = line else { return what.to_owned() };
        let designators = &self.change.designators;
        let of = if designators.len() > 1 { format!(" ({} places)", designators.len()) } else { String::new() };
        format!("{}{of}{} {what} ({}, {})", said(line.part), known(line.part), line.file.path, line.part.at)
    }

    fn earlier(&self) -> String {
        if self.old.is_some() { self.line(&self.old, "stood there before") } else { format!("the earlier revision {}", self.modules.0) }
    }

    fn later(&self) -> String {
        if self.new.is_some() { self.line(&self.new, "stands there now") } else { format!("the later revision {}", self.modules.1) }
    }

    fn because(&self, what: &str, field: &FieldChange) -> Vec<String> {
        let mut out = vec![in_words(what, field), self.later(), self.earlier()];
        let unknown = field.field == "maker" && self.change.fields.iter().any(|f| f.field == "jurisdictions" && f.new.is_none());
        out.extend(unknown.then(|| "who stands behind the new maker is not on file".to_owned()));
        out
    }

    fn finding(&self, code: &'static str, because: Vec<String>) -> Option<Finding> {
        // What is gone stands in the earlier document only.
        let gone = code == "removed-module" && !self.new.is_some_and(|l| l.part.part.is_placed() && is_module(l.part));
        let line = if gone { self.old } else { self.place() }?;
        let mut detail = detail(line.part, &line.file.path);
        if let Value::Object(members) = &mut detail {
            members.insert("designators".into(), json!(self.change.designators));
            members.insert("change".into(), json!(self.change.change));
            members.insert("fields".into(), json!(self.change.fields));
            members.insert("old".into(), json!(self.change.old));
            members.insert("new".into(), json!(self.change.new));
        }
        let finding = findings::raise(code, subject(line.part, &line.file.path), because, detail)?;
        let surest = line.part.module.as_deref().map(|m| m.confidence);
        Some(Finding { confidence: surest.unwrap_or(finding.confidence), ..finding })
    }
}

/// What the catalogue knows a module as, where the line does not say it.
fn known(part: &PartAnswer) -> String {
    let declared = said(part).to_uppercase();
    let words: Vec<&str> = [maker(part), model(part)].into_iter().flatten().filter(|w| !declared.contains(&w.to_uppercase())).collect();
    if words.is_empty() || part.module.is_none() { String::new() } else { format!(" [{}]", words.join(" ")) }
}
