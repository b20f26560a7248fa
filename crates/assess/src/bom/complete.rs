//! How much a document says of what a hardware bill of materials should say, for three uses.
//!
//! Only what is declared counts, and by its form alone: nothing here asks which maker or which module it is, so equal
//! documents of two vendors score alike. A certificate says that a device may operate, not that it is safe: it has no
//! weight for security.

use rustc_hash::FxHashMap;
use umbilical_core::answer::bom::{Completeness, FileAnswer, PartAnswer, Term, UseScore};
use umbilical_core::bom::Part;
use umbilical_knowledge::{HbomField, HbomTerm};

/// The uses, in the order of the weights.
const USES: [&str; 3] = ["compliance", "security", "availability"];

/// The scores of a document.
pub(super) fn of(file: &FileAnswer, terms: &[HbomTerm]) -> Completeness {
    let beside = beside(file);
    let counted: Vec<(u64, u64)> = terms
        .iter()
        .map(|term| {
            // Of a document without parts nothing can be said.
            let held = !file.parts.is_empty() && term.held(file.design, &file.format);
            if held { count(term.field, file, beside) } else { (0, 0) }
        })
        .collect();
    let uses = USES.iter().enumerate().map(|(which, use_case)| {
        let weighed = terms.iter().zip(&counted).filter_map(|(term, counts)| {
            let weight = *term.weights.get(which)?;
            (weight > 0).then(|| Term {
                term: term.what.to_string(),
                weight,
                have: counts.0,
                of: counts.1,
                // The title; where to find it stands in the table.
                source: term.source.text.split(';').next().unwrap_or_default().trim().to_owned(),
            })
        });
        let terms: Vec<Term> = weighed.collect();
        UseScore { use_case, score: score(&terms), terms }
    });
    Completeness { uses: uses.collect() }
}

/// The mean of what is said by weight; a term that cannot be said does not count.
#[expect(clippy::cast_precision_loss, reason = "counts of parts are far below 2^52")]
fn score(terms: &[Term]) -> Option<f64> {
    let (mut sum, mut all) = (0.0, 0.0);
    for term in terms.iter().filter(|t| t.of > 0) {
        sum += f64::from(term.weight) * term.have as f64 / term.of as f64;
        all += f64::from(term.weight);
    }
    (all > 0.0).then(|| (sum / all * 10_000.0).round() / 10_000.0)
}

/// How many say a field, and how many should.
fn count(field: HbomField, file: &FileAnswer, [lead_time, life_cycle, datasheet]: [u64; 3]) -> (u64, u64) {
    use HbomField as F;
    let p = &file.product;
    let some = |cell: &Option<Box<str>>| says(cell.as_deref());
    let one = |said: bool| (u64::from(said), 1);
    match field {
        F::ProductName => one(some(&p.name) || some(&p.model)),
        F::ProductMaker => one(some(&p.brand) || some(&p.manufacturer)),
        F::ProductVersion => one(some(&p.version)),
        F::DocumentDate => one(some(&p.date)),
        F::Author => one(file.rest.properties.iter().any(|(name, value)| is_author(name) && says(Some(value)))),
        F::PartName => each(file, |p| some(&p.value) || some(&p.mpn)),
        F::PartNumber => each(file, |p| some(&p.mpn)),
        F::PartMaker => each(file, |p| some(&p.manufacturer)),
        F::PartVersion => each(file, |p| some(&p.version)),
        F::Description => each(file, |p| some(&p.description)),
        F::Quantity => each(file, |p| p.quantity.is_some() || !p.designators.is_empty()),
        F::Location => each(file, |p| !p.designators.is_empty()),
        F::Origin => each(file, |p| some(&p.origin)),
        F::Supplier => each(file, |p| some(&p.supplier)),
        F::SupplierPart => each(file, |p| some(&p.supplier_part)),
        F::LeadTime => (lead_time, file.parts.len() as u64),
        F::LifeCycle => (life_cycle, file.parts.len() as u64),
        F::Datasheet => (datasheet, file.parts.len() as u64),
        F::Alternates => one(any(file, |p| !p.part.alternates.is_empty())),
        F::Assemblies => one(any(file, |p| !p.path.is_empty())),
        F::Firmware => one(any(file, |p| is_firmware(&p.part) && some(&p.part.version))),
        F::Certificates => one(any(file, |p| !p.part.certificates.is_empty() || some(&p.part.fcc_id))),
    }
}

/// How many parts on the board say something.
fn each(file: &FileAnswer, said: impl Fn(&Part) -> bool) -> (u64, u64) {
    let have = file.parts.iter().filter(|p| said(&p.part)).count();
    (have as u64, file.parts.len() as u64)
}

fn any(file: &FileAnswer, said: impl Fn(&PartAnswer) -> bool) -> bool {
    file.parts.iter().any(said)
}

/// Whether a cell says something: a dash, `n/a`, `tbd` is no answer.
fn says(cell: Option<&str>) -> bool {
    const NOTHING: [&str; 11] = ["", "-", "--", "~", "?", "n/a", "na", "none", "tbd", "unknown", "noassertion"];
    // The longest of them has eleven letters.
    cell.map(str::trim).is_some_and(|text| text.len() > 11 || !NOTHING.iter().any(|n| text.eq_ignore_ascii_case(n)))
}

/// What properties say, by the words in their names.
const BESIDE: [&[&str]; 3] = [&["leadtime"], &["lifecycle", "obsolescence", "partstatus"], &["datasheet", "documentation"]];

/// How many parts have a lead time, a life cycle, a data sheet among their properties.
fn beside(file: &FileAnswer) -> [u64; 3] {
    // A document has few names of properties, each many times.
    let mut known: FxHashMap<&str, [bool; 3]> = FxHashMap::default();
    let mut counts = [0u64; 3];
    for part in &file.parts {
        let mut said = [false; 3];
        for (name, value) in &part.part.properties {
            let means = known.entry(name).or_insert_with(|| BESIDE.map(|words| words.iter().any(|w| holds(name, w))));
            if means.contains(&true) && says(Some(value)) {
                said.iter_mut().zip(means).for_each(|(s, m)| *s |= *m);
            }
        }
        counts.iter_mut().zip(said).for_each(|(n, s)| *n = n.saturating_add(u64::from(s)));
    }
    counts
}

/// Whether letters of a name spell a word of lower-case letters, signs and case left out.
fn holds(name: &str, word: &str) -> bool {
    let mut letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    loop {
        if letters.clone().take(word.len()).eq(word.bytes()) {
            return true;
        }
        if letters.next().is_none() {
            return false;
        }
    }
}

/// The property that names the author: `Author`, `hbom_author`, the authors of a statement's metadata.
fn is_author(name: &str) -> bool {
    holds(name, "author") || holds(name, "preparedby")
}

/// Whether the document itself calls it firmware.
fn is_firmware(part: &Part) -> bool {
    part.role.as_deref().is_some_and(|r| holds(r, "firmware") || holds(r, "software"))
}
