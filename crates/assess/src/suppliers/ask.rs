//! Making out a questionnaire.

use rustc_hash::FxHashSet;
use umbilical_core::answer::bom::{Check, PartAnswer, TierKind};
use umbilical_core::answer::suppliers::{Asked, PartRow, QUESTIONNAIRE_SCHEMA, Questionnaire, TemplateStamp};
use umbilical_core::bom::{Alternate, PartKind};
use umbilical_core::text::clean;
use umbilical_core::{Day, id};
use umbilical_knowledge::{Knowledge, Template};

/// What is to be asked of whom.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The form.
    pub template: &'static Template,
    /// The product.
    pub device: &'a str,
    /// The supplier.
    pub supplier: &'a str,
    /// By when.
    pub due: Option<Day>,
    /// How many tiers are asked about, from the outside in: 1 = the brand alone, 6 = all.
    pub tiers: usize,
    /// The day.
    pub as_of: Day,
}

/// How to answer: said in the workbook and in the document.
const HOW_TO_ANSWER: [&str; 8] = [
    "Fill in one line for each question on the sheet Questions: choose a status and write the answer beside it.",
    "disclosed: the answer stands beside it. Name the document that shows it under evidence, and attach the document.",
    "withheld: you know and do not say. Write the reason; a signed statement or an answer under a non-disclosure agreement is welcome.",
    "unknown: you do not know. That is an honest answer; say who may know.",
    "not-applicable: the question does not concern this product.",
    "On the sheet Parts, fill in what is open and correct what is wrong. In a single cell write withheld, unknown or n/a.",
    "You may add rows, move columns, translate headings and save in another program. Please leave the ids, the grey row of words that begin with # and the sheet About as they are: your reply is known by them.",
    "What happens with it: answers are compared with public records, the share that is disclosed is counted the same way for every supplier, and you are told what contradicts and what is asked next.",
];

/// Makes out a questionnaire; parts are filled in with what the documents of `check` declare and what each part is for, never
/// with what we hold of its maker, chip or origin ourselves: a supplier is not led.
pub fn questionnaire(kb: &Knowledge, wanted: &Wanted<'_>, check: Option<&Check>) -> Questionnaire {
    let template = wanted.template;
    let tiers: Vec<TierKind> = TierKind::ALL.iter().copied().take(wanted.tiers.max(1)).collect();
    let asked = template.questions.iter().filter(|q| q.tier.is_none_or(|t| tiers.contains(&t)));
    let questions: Vec<Asked> = asked
        .map(|q| Asked {
            id: q.id.clone(),
            section: q.section.clone(),
            question: q.text.clone(),
            why: q.why.clone(),
            field: q.field.clone(),
            expects: q.expects.to_string(),
            tier: q.tier,
            ..Asked::default()
        })
        .collect();
    let mut parts = check.map(parts).unwrap_or_default();
    if parts.is_empty() {
        parts.push(PartRow::default());
        if let Some(first) = parts.first_mut() {
            first.set("our_ref", "P1");
            first.set("function", "cellular module");
        }
    }
    let due = wanted.due.map(|d| d.to_string());
    let (device, supplier) = (clean(wanted.device).into_owned(), clean(wanted.supplier).into_owned());
    let mut content =
        vec![template.id.clone(), template.version.to_string(), device.clone(), supplier.clone(), due.clone().unwrap_or_default()];
    content.extend(questions.iter().map(|q| q.id.clone()));
    content.extend(parts.iter().flat_map(|p| p.cells.clone()));
    Questionnaire {
        schema: QUESTIONNAIRE_SCHEMA,
        as_of: wanted.as_of.to_string(),
        knowledge: crate::trace::stamp(kb, wanted.as_of),
        inputs: Vec::new(),
        problems: Vec::new(),
        questionnaire: id::content_id("ask-", "questionnaire", &content.join("\u{1f}")),
        template: stamp(template),
        device,
        supplier,
        due,
        tiers,
        how_to_answer: HOW_TO_ANSWER.map(str::to_owned).to_vec(),
        questions,
        parts,
    }
}

pub(super) fn stamp(template: &Template) -> TemplateStamp {
    TemplateStamp { id: template.id.clone(), version: template.version, title: template.title.clone(), source: template.source.clone() }
}

/// Kinds of parts that a supplier is asked about; resistors and screws are not.
fn matters(kind: PartKind) -> bool {
    !matches!(kind, PartKind::Other | PartKind::Power | PartKind::Assembly | PartKind::Filter)
}

/// A row for each part that matters: those whose maker or number nobody has named first, then modules before the rest. Where a
/// module must be there and no document names it, there is a row for it.
fn parts(check: &Check) -> Vec<PartRow> {
    let mut rows: Vec<(PartKind, PartRow)> = Vec::new();
    let mut seen: FxHashSet<(PartKind, PartRow)> = FxHashSet::default();
    if check.hides_module() {
        let mut row = PartRow::default();
        row.set("function", "cellular module, named in no document");
        rows.push((PartKind::Module, row));
    }
    for file in &check.files {
        let finished = file.product.model.as_deref().unwrap_or_default();
        for part in file.parts.iter().filter(|p| matters(p.kind)) {
            let row = row(part, finished);
            // One product in several documents: a part that reads alike is asked about once.
            if seen.insert((part.kind, row.clone())) {
                rows.push((part.kind, row));
            }
        }
    }
    let unnamed = |row: &PartRow| ["part_maker", "maker_part_number"].iter().filter(|key| row.get(key).is_empty()).count();
    rows.sort_by_key(|(kind, row)| (std::cmp::Reverse(unnamed(row)), *kind, std::cmp::Reverse(row.open())));
    for (n, (_, row)) in (1u32..).zip(&mut rows) {
        row.set("our_ref", &format!("P{n}"));
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

fn row(part: &PartAnswer, finished: &str) -> PartRow {
    let declared = &part.part;
    let text = |cell: &Option<Box<str>>| clean(cell.as_deref().unwrap_or_default()).into_owned();
    let mut row = PartRow::default();
    let designators: Vec<&str> = declared.designators.iter().map(|d| &**d).collect();
    row.set("designators", &clean(&designators.join(", ")));
    row.set("function", &part.kind.name().replace('-', " "));
    row.set("part_maker", &text(&declared.manufacturer));
    row.set("maker_part_number", &clean(declared.name().unwrap_or_default()));
    row.set("fg_part_number", &clean(finished));
    row.set("version", &text(&declared.version));
    row.set("site_country", &text(&declared.origin));
    row.set("fcc_id", &text(&declared.fcc_id));
    let alternates: Vec<String> = declared.alternates.iter().map(alternate).filter(|a| !a.is_empty()).collect();
    row.set("alternates", &clean(&alternates.join("; ")));
    let certificates: Vec<String> =
        declared.certificates.iter().map(|(scheme, number)| format!("{scheme} {number}").trim().to_owned()).collect();
    row.set("certification", &clean(&certificates.join("; ")));
    row
}

fn alternate(other: &Alternate) -> String {
    let name = other.mpn.as_deref().or(other.value.as_deref()).unwrap_or_default();
    format!("{} {name}", other.manufacturer.as_deref().unwrap_or_default()).trim().to_owned()
}
