//! What the knowledge base says of a key, every row with its source. No evidence is read.
//!
//! [`answer`] takes a text of any kind; [`sheet`] gathers what stands on file about one module of the catalogue. The command
//! and the pages show the same rows.

mod sheet;

pub use sheet::{Sheet, sheet};

use serde::Serialize;
use umbilical_core::Day;
use umbilical_core::answer::Trace;
use umbilical_core::number::{Check, Imei, imei, mac};
use umbilical_core::text::clean;
use umbilical_knowledge::{Knowledge, Module, PciKey, Scope, Source, Word as _};

use crate::trace::trace;

/// What is known of one text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The text, made safe to print.
    pub text: String,
    /// What the tables say, each row apart.
    pub entries: Vec<Entry>,
    /// Who stands behind the makers and brands named above.
    pub ownership: Vec<Trace>,
}

/// One row, told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Which table.
    pub kind: &'static str,
    /// What it is about.
    pub title: String,
    /// What it says.
    pub facts: Vec<Pair>,
    /// Where it was read.
    pub source: String,
    /// Whether somebody has read it there.
    pub verified: bool,
    /// Brand or maker, for tracing.
    #[serde(skip)]
    pub brand: Option<String>,
    /// Organisation id, for tracing.
    #[serde(skip)]
    pub org: Option<String>,
}

/// One fact of a row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// What.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

impl Entry {
    fn new(kind: &'static str, title: impl Into<String>, source: &Source) -> Self {
        Self::sourced(kind, title, &source.text, source.verified)
    }

    fn sourced(kind: &'static str, title: impl Into<String>, source: &str, verified: bool) -> Self {
        Self { kind, title: title.into(), facts: Vec::new(), source: source.to_owned(), verified, brand: None, org: None }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push(Pair { name, value });
        }
        self
    }

    fn of(mut self, brand: Option<&str>) -> Self {
        self.brand = brand.map(str::to_owned);
        self
    }
}

/// What is on file of a text, and who stands behind those it names, as of the end of a day.
pub fn answer(kb: &Knowledge, text: &str, as_of: Day) -> Answer {
    let entries = entries(kb, text.trim());
    let mut orgs: Vec<String> = Vec::new();
    for entry in &entries {
        let org = entry.org.clone().or_else(|| Some(kb.org_of_brand(entry.brand.as_deref()?)?.id.to_string()));
        orgs.extend(org.filter(|o| !orgs.contains(o)));
    }
    let ownership = orgs.iter().map(|org| trace(kb, org, as_of)).collect();
    Answer { text: clean(text).into_owned(), entries, ownership }
}

/// Every table is asked; a text may be several things.
fn entries(kb: &Knowledge, text: &str) -> Vec<Entry> {
    let mut out = Vec::new();
    bus(kb, text, &mut out);
    numbers(kb, text, &mut out);
    if out.is_empty() {
        words(kb, text, &mut out);
    }
    out
}

fn models(list: &[Box<str>]) -> String {
    list.join(", ")
}

fn bus(kb: &Knowledge, text: &str, out: &mut Vec<Entry>) {
    // `lspci -nn` prints subsystem ids apart, ModemManager all four in a row.
    let text = text.to_ascii_lowercase();
    let parts: Vec<&str> = text.split(':').collect();
    let text = match parts.as_slice() {
        [vendor, device, subvendor, subdevice] => format!("{vendor}:{device}/{subvendor}:{subdevice}"),
        _ => text,
    };
    let Some(key) = PciKey::parse(&text) else { return };
    if key.subsystem.is_none() {
        for row in kb.usb(key.vendor, key.device) {
            let note = match (row.needs_second, row.vid_shared) {
                (true, _) => "a chip's default id: names nobody without a second clue",
                (false, true) => "the vendor id is used by several firms",
                (false, false) => "",
            };
            out.push(
                Entry::new("usb-id", format!("USB id {text}"), &row.source)
                    .with("brand", row.brand.as_deref().unwrap_or_default())
                    .with("models", models(&row.models))
                    .with("class", row.class.name())
                    .with("mode", row.mode.as_deref().unwrap_or_default())
                    .with("note", note)
                    .of(row.brand.as_deref()),
            );
        }
        if kb.usb(key.vendor, key.device).is_empty()
            && let Some(vendor) = kb.usb_vendor(key.vendor)
        {
            out.push(
                Entry::new("usb-vendor", format!("USB vendor {:04x} (the product id is not on file)", key.vendor), &vendor.source)
                    .with("brand", vendor.brand.as_deref().unwrap_or_default())
                    .with("shared", if vendor.shared { "yes" } else { "no" })
                    .of(vendor.brand.as_deref()),
            );
        }
    }
    if let Some(row) = kb.pci(key.vendor, key.device, key.subsystem) {
        out.push(
            Entry::new("pci-id", format!("PCI id {text}"), &row.source)
                .with("brand", row.brand.as_deref().unwrap_or_default())
                .with("models", models(&row.models))
                .with("chip", row.chipset.as_deref().unwrap_or_default())
                .with("note", row.note.as_deref().unwrap_or_default())
                .of(row.brand.as_deref()),
        );
    }
    for re in kb.rebrands_by_usb(key.vendor, key.device).chain(kb.rebrands_by_pci(key)) {
        out.push(rebrand(re));
    }
}

fn rebrand(re: &umbilical_knowledge::Rebrand) -> Entry {
    Entry::new("rebrand", format!("{} {}", re.brand, re.sold_as.as_deref().unwrap_or_default()).trim().to_owned(), &re.source)
        .with("relation", re.relation.name())
        .with("maker", &*re.maker)
        .with("model", re.model.as_deref().unwrap_or_default())
        .with("note", re.note.as_deref().unwrap_or_default())
        .of(Some(&re.maker))
}

fn numbers(kb: &Knowledge, text: &str, out: &mut Vec<Entry>) {
    let whole = match imei(text) {
        Imei::Whole { tac, check, .. } => Some((format!("{tac:08}"), check)),
        _ => None,
    };
    let code = umbilical_knowledge::parse_tac(text).map(|_| text.to_owned()).or_else(|| whole.as_ref().map(|w| w.0.clone()));
    if let Some(code) = code {
        if let Some((_, Check::Wrong)) = whole {
            out.push(said("imei", format!("IMEI {text}"), "note", "fails its check digit"));
        }
        if let Some(trap) = kb.imei_trap(&code).or_else(|| kb.imei_trap(text)) {
            out.push(Entry::new("imei-trap", format!("TAC {code}"), &trap.source).with("note", &*trap.why));
        }
        let hits = umbilical_knowledge::parse_tac(&code).map(|t| kb.tac(t)).unwrap_or_default();
        if hits.is_empty() {
            out.push(said(
                "tac",
                format!("TAC {code}"),
                "note",
                "no table at hand names it; a licensed TAC file can be imported with `umbilical knowledge import FILE`",
            ));
        }
        for hit in hits {
            out.push(
                Entry {
                    kind: "tac",
                    title: format!("TAC {code}"),
                    facts: Vec::new(),
                    source: hit.source.to_owned(),
                    verified: hit.verified,
                    brand: hit.brand.and_then(|b| kb.brand_of(b)).map(|b| b.brand.to_string()),
                    org: None,
                }
                .with("table", hit.origin.name())
                .with("brand", hit.brand.unwrap_or_default())
                .with("model", hit.model)
                .with("class", hit.class.name()),
            );
        }
    }
    if let Some(plmn) = (text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit())).then(|| kb.plmn(text)).flatten()
        && (text.len() <= 6 || umbilical_core::number::imsi(text).is_some())
    {
        out.push(
            Entry::new("plmn", format!("PLMN {}{}", plmn.mcc, plmn.mnc), &plmn.source)
                .with("country", &*plmn.country)
                .with("operator", &*plmn.operator),
        );
    }
    let oui = mac(text).or_else(|| {
        let hex: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let separated = text.contains([':', '-']) && hex.len() >= 6 && text.chars().all(|c| c.is_ascii_hexdigit() || c == ':' || c == '-');
        separated.then_some(hex)
    });
    if let Some(row) = oui.and_then(|m| kb.oui(&m)) {
        out.push(
            Entry::new("oui", format!("OUI {}", row.prefix), &row.source)
                .with("registered to", &*row.registered_name)
                .with("note", "weak: a maker's Wi-Fi parts carry it too")
                .of(Some(&row.brand)),
        );
    }
}

fn said(kind: &'static str, title: String, name: &'static str, value: &str) -> Entry {
    Entry {
        kind,
        title,
        facts: vec![Pair { name, value: value.into() }],
        source: "this program".into(),
        verified: true,
        brand: None,
        org: None,
    }
}

fn words(kb: &Knowledge, text: &str, out: &mut Vec<Entry>) {
    if let Some(hit) = kb.fcc(text) {
        let found: Vec<&str> = hit.models.iter().map(|m| &*m.model).collect();
        out.push(
            Entry::new("fcc-id", format!("FCC grantee {}", hit.grantee.grantee), &hit.grantee.source)
                .with("applicant", &*hit.grantee.name)
                .with("product code", hit.product.as_str())
                .with("models spelled by the code", found.join(", "))
                .with("note", hit.grantee.note.as_deref().unwrap_or_default())
                .of(Some(&hit.grantee.brand)),
        );
        out.extend(hit.models.first().map(|m| module(kb, m)));
    }
    if out.is_empty() {
        for hit in kb.matches(Scope::Revision, text) {
            let row = hit.pattern;
            out.push(
                Entry::new("revision", format!("firmware revision, grammar `{}`", row.id), &row.source)
                    .with("maker", row.maker.as_deref().unwrap_or_default())
                    .with("model", hit.model.as_ref().map(|m| m.name.to_string()).unwrap_or_default())
                    .with("variant", hit.variant.as_deref().unwrap_or_default())
                    .with("silicon", hit.silicon.as_deref().unwrap_or_default())
                    .with("strength", row.strength.name())
                    .of(row.maker.as_deref()),
            );
            out.extend(hit.model.and_then(|m| m.module).map(|m| module(kb, m)));
        }
    }
    if text.contains('.')
        && let Some(row) = kb.endpoint(host_of(text))
    {
        out.push(
            Entry::new("endpoint", format!("domain {}", row.domain), &row.source)
                .with("serves", &*row.what)
                .with("tells", row.level.name())
                .with("strength", row.strength.name())
                .with("brand", row.brand.as_deref().unwrap_or_default())
                .of(row.brand.as_deref()),
        );
    }
    if out.is_empty() {
        let mut seen: Vec<&Module> = Vec::new();
        for hit in kb.models_in(text) {
            if !seen.iter().any(|m| std::ptr::eq(*m, hit.module)) {
                seen.push(hit.module);
            }
        }
        // One module alone is told whole.
        match seen.as_slice() {
            [one] => out.extend(sheet(kb, one).rows()),
            several => out.extend(several.iter().map(|m| module(kb, m))),
        }
        for re in kb.rebrands_in(text).into_iter().map(rebrand) {
            if !out.contains(&re) {
                out.push(re);
            }
        }
        for product in kb.products_in(None, text) {
            out.push(
                Entry::new("product", format!("{} {}", product.brand, product.product), &product.source)
                    .with("class", product.class.name())
                    .with("module maker", product.module_maker.as_deref().unwrap_or_default())
                    .with("module", product.module_model.as_deref().unwrap_or_default())
                    .with("basis", product.basis.name())
                    .with("note", product.note.as_deref().unwrap_or_default())
                    .of(product.module_maker.as_deref()),
            );
        }
    }
    if out.is_empty() {
        let brand = kb.brand(text).or_else(|| kb.brand_of(text));
        if let Some(brand) = brand {
            out.push(
                Entry::new("brand", format!("brand {}", brand.brand), &brand.source)
                    .with("sells", brand.kind.name())
                    .with("also written", brand.aliases.join(", "))
                    .of(Some(&brand.brand)),
            );
        }
        for org in kb.orgs_in(text).into_iter().chain(kb.org(text)) {
            let known = brand.and_then(|b| b.org.as_deref()) == Some(&*org.id);
            if !known {
                let mut entry = Entry::new("organisation", org.name.to_string(), &org.source)
                    .with("country", org.country.as_deref().unwrap_or("unknown"))
                    .with("kind", &*org.kind);
                entry.org = Some(org.id.to_string());
                out.push(entry);
            }
        }
    }
}

/// The name in a URL, with or without scheme, port and path.
fn host_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    rest.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(rest, |(host, _)| host)
}

/// The catalogue's row of a module.
pub fn module(kb: &Knowledge, m: &Module) -> Entry {
    let mark = |basis: umbilical_knowledge::Basis| {
        if basis == umbilical_knowledge::Basis::Rule { " (by rule of the name, unverified)" } else { "" }
    };
    let rats: Vec<&str> = m.rats.iter().map(|r| r.name()).collect();
    let rat = if rats.is_empty() { "not on file".to_owned() } else { format!("{}{}", rats.join(", "), mark(m.rat_basis)) };
    let swaps: Vec<String> =
        kb.replacements_for(&m.maker, &m.model).iter().map(|r| format!("{} {} ({})", r.to_brand, r.to_model, r.drop_in.name())).collect();
    Entry::new("module", format!("{} {}", m.maker, m.model), &m.source)
        .with("family", &*m.family)
        .with("radio", rat)
        .with("chip", m.chipset.as_ref().map(|c| format!("{c}{}", mark(m.chipset_basis))).unwrap_or_default())
        .with("form", m.form_factor.as_ref().map(|c| format!("{c}{}", mark(m.form_basis))).unwrap_or_default())
        .with("also written", models(&m.aliases))
        .with("candidates to replace it", swaps.join("; "))
        .of(Some(&m.maker))
}

/// Keys that one label is asked for.
const KEYS: usize = 24;

/// What is on file of the text of a label: of the whole text, or else of each of its lines, or else of each word with a digit in it.
/// What no table knows is left out, unless nothing is known at all: then the text as a whole is answered.
pub fn label(kb: &Knowledge, text: &str, as_of: Day) -> Vec<Answer> {
    let whole = answer(kb, text, as_of);
    if !whole.entries.is_empty() && !text.trim().contains('\n') {
        return vec![whole];
    }
    let mut keys: Vec<&str> = Vec::new();
    let mut found: Vec<Answer> = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        // `FCC ID: XMR…` is asked for by what stands behind the colon, an identifier with colons as it stands.
        let value = line.split_once(": ").map_or(line, |(_, value)| value.trim());
        let words = line.split_whitespace().map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()));
        let coded = words.filter(|w| w.len() >= 4 && w.bytes().any(|b| b.is_ascii_digit()));
        for key in [value].into_iter().chain(coded) {
            if keys.len() >= KEYS || keys.contains(&key) {
                continue;
            }
            keys.push(key);
            let said = answer(kb, key, as_of);
            let new = !said.entries.is_empty() && !found.iter().any(|f| f.entries == said.entries);
            if new {
                found.push(said);
            }
        }
    }
    if found.is_empty() { vec![whole] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Day {
        Day { year: 2026, month: 11, day: 29 }
    }

    #[test]
    fn one_module_is_told_whole() {
        let kb = Knowledge::embedded();
        let said = answer(&kb, "EC25", day());
        let kinds: Vec<&str> = said.entries.iter().map(|e| e.kind).collect();
        assert!(kinds.contains(&"module") && kinds.contains(&"usb-id") && kinds.contains(&"fcc-id"), "{kinds:?}");
        assert!(said.entries.iter().any(|e| e.title == "USB id 2c7c:0125"), "{said:?}");
        assert!(said.entries.iter().all(|e| !e.source.is_empty()));
        assert!(said.ownership.iter().any(|t| t.org == "quectel"));
    }

    #[test]
    fn a_sheet_has_codes_and_replacements_with_their_sources() {
        let kb = Knowledge::embedded();
        let m = kb.module("Quectel", "EC25").unwrap();
        let sheet = sheet(&kb, m);
        assert!(!sheet.replacements.is_empty());
        assert!(sheet.identifiers.iter().filter(|e| e.kind == "tac").all(|e| e.facts.iter().any(|f| f.name == "codes")));
        assert_eq!(sheet.rows().next().map(|e| e.kind), Some("module"));
    }

    #[test]
    fn a_label_is_asked_line_by_line() {
        let kb = Knowledge::embedded();
        let found = label(&kb, "Model: EC25-E\nFCC ID: XMR201909EC25AFX\nMade somewhere\nS/N 000112", day());
        let kinds: Vec<&str> = found.iter().flat_map(|a| &a.entries).map(|e| e.kind).collect();
        assert!(kinds.contains(&"fcc-id") && kinds.contains(&"module"), "{kinds:?}");
        let nothing = label(&kb, "zzzz qqqq\nwww", day());
        assert!(matches!(nothing.as_slice(), [one] if one.entries.is_empty()), "{nothing:?}");
        assert!(label(&kb, &"EC25 86882204\n".repeat(5000), day()).len() <= KEYS);
    }
}
