//! What two lines of one part say differently. Only what both say can differ: a dialect that leaves a field out changes
//! nothing. Alternates, places and effectivity are the exception: to say none of them is to say something.

use std::collections::BTreeSet;

use umbilical_core::answer::Jurisdiction;
use umbilical_core::answer::bom::PartAnswer;
use umbilical_core::answer::diff::FieldChange;
use umbilical_core::bom::{Alternate, Effectivity, PartKind, Placed};
use umbilical_core::text::clean;
use umbilical_core::words::Word;
use umbilical_knowledge::Knowledge;

use super::side::{firm, is_module, maker, model, plain};

/// How two lines are compared.
#[derive(Clone, Copy)]
pub(super) struct How<'k> {
    /// Knows firms in their spellings.
    pub kb: &'k Knowledge,
    /// Both documents are of one dialect.
    pub same_format: bool,
    /// Both can name alternates.
    pub alternates: bool,
}

/// The fields that differ, who supplies it first.
pub(super) fn compare(old: &PartAnswer, new: &PartAnswer, how: How<'_>) -> Vec<FieldChange> {
    let mut out = Vec::new();
    let (a, b) = (&old.part, &new.part);
    let mut put = |field: Word, old: Option<String>, new: Option<String>| out.push(FieldChange { field, old, new });
    let text = |t: &str| Some(clean(t).into_owned());
    if old.kind != new.kind && (is_module(old) || is_module(new) || (old.kind != PartKind::Other && new.kind != PartKind::Other)) {
        put("kind", text(old.kind.name()), text(new.kind.name()));
    }
    let other_maker = differ(maker(old), maker(new), firm);
    if let Some((x, y)) = other_maker {
        put("maker", text(x), text(y));
    } else if let Some((x, y)) = differ(a.manufacturer.as_deref(), b.manufacturer.as_deref(), firm)
        && usual(how.kb, x) != usual(how.kb, y)
    {
        // The number is that of one maker, and the line names another.
        put("manufacturer", text(x), text(y));
    }
    if let Some((x, y)) = differ(model(old), model(new), plain) {
        put("model", text(x), text(y));
    }
    // Across dialects one calls the value what the other calls the number.
    let names = |p: &PartAnswer| [p.part.value.as_deref(), p.part.mpn.as_deref()].into_iter().flatten().map(plain).collect::<Vec<_>>();
    let known = model(old).is_some() && model(old) == model(new);
    let same_name = !how.same_format && (known || names(old).iter().any(|n| names(new).contains(n)));
    if !same_name {
        for (field, x, y) in [("value", &a.value, &b.value), ("mpn", &a.mpn, &b.mpn)] {
            if let Some((x, y)) = differ(x.as_deref(), y.as_deref(), plain) {
                put(field, text(x), text(y));
            }
        }
    }
    if a.is_placed() != b.is_placed() {
        put("placed", placed(&a.placed), placed(&b.placed));
    }
    if how.alternates {
        let (x, y) = (alternates(&a.alternates), alternates(&b.alternates));
        if x.iter().map(|n| plain(n)).ne(y.iter().map(|n| plain(n))) {
            put("alternates", listed(&x), listed(&y));
        }
    }
    if let Some((x, y)) = differ(a.origin.as_deref(), b.origin.as_deref(), |text| place(how.kb, text)) {
        put("origin", text(x), text(y));
    }
    let (x, y) = (laws(old), laws(new));
    // Where the new maker is not on file, nobody knows; where the old one was not, nothing is known to have changed.
    if x != y && !x.is_empty() && (!y.is_empty() || other_maker.is_some()) {
        put("jurisdictions", listed(&x), listed(&y));
    }
    if let Some((x, y)) = differ(a.supplier.as_deref(), b.supplier.as_deref(), firm) {
        put("supplier", text(x), text(y));
    }
    if let Some((x, y)) = differ(a.version.as_deref(), b.version.as_deref(), plain) {
        put("version", text(x), text(y));
    }
    if a.effective != b.effective {
        put("effective", effective(&a.effective), effective(&b.effective));
    }
    out
}

/// Two texts that differ; `None` where one is silent.
fn differ<'a>(a: Option<&'a str>, b: Option<&'a str>, by: impl Fn(&str) -> String) -> Option<(&'a str, &'a str)> {
    let (a, b) = (a?, b?);
    let (x, y) = (by(a), by(b));
    (!x.is_empty() && !y.is_empty() && x != y).then_some((a, b))
}

/// A firm by its usual name, else as written.
fn usual(kb: &Knowledge, written: &str) -> String {
    let brand = kb.brand(written).or_else(|| kb.brand_of(written)).or_else(|| kb.brands_in(written).first().map(|h| h.brand));
    let name = brand.map(|b| &*b.brand).or_else(|| kb.part_maker(written).map(|m| m.name));
    name.map_or_else(|| firm(written), str::to_owned)
}

/// A country by its code, however it is written.
fn place(kb: &Knowledge, text: &str) -> String {
    let codes = kb.countries_named(text);
    if codes.is_empty() { plain(text) } else { codes.join(" ") }
}

fn placed(placed: &Placed) -> Option<String> {
    Some(match placed {
        Placed::Yes => "placed".to_owned(),
        Placed::No(words) => format!("not placed: {}", clean(words)),
    })
}

fn alternates(list: &[Alternate]) -> BTreeSet<String> {
    let one = |a: &Alternate| {
        let words = [a.manufacturer.as_deref(), a.mpn.as_deref().or(a.value.as_deref())];
        clean(&words.into_iter().flatten().collect::<Vec<_>>().join(" ")).into_owned()
    };
    list.iter().map(one).filter(|n| !n.is_empty()).collect()
}

fn listed(names: &BTreeSet<String>) -> Option<String> {
    (!names.is_empty()).then(|| names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Countries whose law can compel somebody behind the part.
pub(super) fn laws(part: &PartAnswer) -> BTreeSet<String> {
    let own: Box<dyn Iterator<Item = &Jurisdiction>> = match part.module.as_deref() {
        Some(module) => Box::new(module.jurisdictions.iter()),
        None => Box::new(part.ownership.iter().flat_map(|b| &b.jurisdictions)),
    };
    own.map(|j| j.country.clone()).collect()
}

fn effective(e: &Effectivity) -> Option<String> {
    let mut words = Vec::new();
    let mut put = |word: &str, value: Option<String>| words.extend(value.map(|v| format!("{word} {v}")));
    put("from serial", e.serial_from.as_deref().map(|s| clean(s).into_owned()));
    put("to serial", e.serial_to.as_deref().map(|s| clean(s).into_owned()));
    put("from", e.from.map(|d| d.to_string()));
    put("until", e.to.map(|d| d.to_string()));
    (!words.is_empty()).then(|| words.join(" "))
}
