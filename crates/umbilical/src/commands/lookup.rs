//! `lookup`: what the knowledge base says of a key, every row with its source. No evidence is read.

use std::io::{self, Write};

use serde::Serialize;
use umbilical_assess::trace::trace;
use umbilical_core::answer::{KnowledgeStamp, Trace};
use umbilical_core::number::{Check, Imei, imei, mac};
use umbilical_core::text::clean;
use umbilical_knowledge::{Knowledge, Module, PciKey, Scope, Source, Word as _};
use umbilical_report::json;

use super::{facts, formats};
use crate::args::{Format, Global, Lookup};
use crate::fail::Fail;
use crate::{home, out};

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    as_of: String,
    knowledge: KnowledgeStamp,
    inputs: [(); 0],
    problems: [(); 0],
    answers: Vec<Answer>,
}

/// What is known of one text.
#[derive(Serialize)]
struct Answer {
    text: String,
    entries: Vec<Entry>,
    /// Who stands behind the makers and brands named above.
    ownership: Vec<Trace>,
}

/// One row, told.
#[derive(Serialize)]
struct Entry {
    /// Which table.
    kind: &'static str,
    title: String,
    facts: Vec<Pair>,
    source: String,
    verified: bool,
    /// Brand or maker, for tracing.
    #[serde(skip)]
    brand: Option<String>,
    /// Organisation id, for tracing.
    #[serde(skip)]
    org: Option<String>,
}

#[derive(Serialize)]
struct Pair {
    name: &'static str,
    value: String,
}

impl Entry {
    fn new(kind: &'static str, title: impl Into<String>, source: &Source) -> Self {
        Self {
            kind,
            title: title.into(),
            facts: Vec::new(),
            source: source.text.to_string(),
            verified: source.verified,
            brand: None,
            org: None,
        }
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

pub fn run(global: &Global, command: &Lookup) -> Result<u8, Fail> {
    formats(global, "lookup", &[Format::Table, Format::Json])?;
    let kb = facts(global)?;
    let as_of = home::as_of(global);
    let answers: Vec<Answer> = command
        .text
        .iter()
        .map(|text| {
            let entries = entries(&kb, text.trim());
            let mut orgs: Vec<String> = Vec::new();
            for entry in &entries {
                let org = entry.org.clone().or_else(|| Some(kb.org_of_brand(entry.brand.as_deref()?)?.id.to_string()));
                orgs.extend(org.filter(|o| !orgs.contains(o)));
            }
            let ownership = orgs.iter().map(|org| trace(&kb, org, as_of)).collect();
            Answer { text: clean(text).into_owned(), entries, ownership }
        })
        .collect();
    let unread = umbilical_assess::trace::unread_lists(&kb, as_of);
    let sources_to = kb.sources_to().map(|d| d.to_string()).unwrap_or_default();
    let document = Document {
        schema: "umbilical.lookup/1",
        as_of: as_of.to_string(),
        knowledge: KnowledgeStamp {
            version: kb.version().to_owned(),
            sources_to,
            absent: unread.into_iter().map(|l| format!("the entries of {l}")).collect(),
        },
        inputs: [],
        problems: [],
        answers,
    };
    out::answer(global, |w| if global.format == Format::Json { json::one(w, &document) } else { print(w, &document) })?;
    Ok(0)
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
        let mut seen: Vec<*const Module> = Vec::new();
        for hit in kb.models_in(text) {
            if !seen.contains(&std::ptr::from_ref(hit.module)) {
                seen.push(hit.module);
                out.push(module(kb, hit.module));
            }
        }
        out.extend(kb.rebrands_in(text).into_iter().map(rebrand));
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

fn module(kb: &Knowledge, m: &Module) -> Entry {
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
        .with("candidates to replace it", swaps.join("; "))
        .of(Some(&m.maker))
}

fn print(w: &mut dyn Write, document: &Document) -> io::Result<()> {
    for (n, answer) in document.answers.iter().enumerate() {
        if n > 0 {
            writeln!(w)?;
        }
        writeln!(w, "{}", answer.text)?;
        if answer.entries.is_empty() {
            writeln!(w, "  nothing on file (that is not the same as harmless): asked as USB and PCI id, TAC and IMEI, FCC ID, firmware")?;
            writeln!(w, "  revision, domain, MAC address, module, product, brand and organisation")?;
        }
        for entry in &answer.entries {
            writeln!(w, "  {}", clean(&entry.title))?;
            for pair in &entry.facts {
                writeln!(w, "    {:<26} {}", pair.name, clean(&pair.value))?;
            }
            writeln!(w, "    {:<26} {}{}", "source", clean(&entry.source), if entry.verified { "" } else { " (unverified)" })?;
        }
        for trace in &answer.ownership {
            owner(w, trace)?;
        }
    }
    if !document.knowledge.absent.is_empty() {
        writeln!(w, "\nnot on file, so that nobody can be said to be listed there or not: {}", document.knowledge.absent.join(", "))?;
    }
    writeln!(w, "\nas of {}, sources to {}, knowledge {}", document.as_of, document.knowledge.sources_to, document.knowledge.version)
}

fn owner(w: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    writeln!(w, "  who stands behind {}", clean(&trace.name))?;
    writeln!(w, "    {}", trace.statement)?;
    for step in &trace.chain {
        let share = step
            .share
            .as_deref()
            .map(|s| if s.bytes().all(|b| b.is_ascii_digit() || b == b'.') { format!(" {s} %") } else { format!(" {s}") })
            .unwrap_or_default();
        let from = step.from.as_deref().map(|f| format!(" since {f}")).unwrap_or_default();
        let to = step.to.as_deref().map(|t| format!(" until {t}")).unwrap_or_default();
        let mark = if step.verified { "" } else { " (unverified)" };
        writeln!(w, "    {} {} {}{share}{from}{to}{mark}", step.parent_name, step.edge, step.child_name)?;
    }
    for step in &trace.former {
        let to = step.to.as_deref().unwrap_or("?");
        writeln!(w, "    formerly: {} {} {} until {to}", step.parent_name, step.edge, step.child_name)?;
    }
    for step in &trace.alleged {
        writeln!(w, "    alleged, not counted: {} and {} ({})", step.child_name, step.parent_name, step.source)?;
    }
    for j in &trace.jurisdictions {
        let unclear = if j.unclear { " (for review: the day lies inside a bound known only by month or year)" } else { "" };
        let via = if j.via.is_empty() { String::new() } else { format!(" via {}", j.via.join(" → ")) };
        writeln!(w, "    jurisdiction {}{via}: {}{unclear}", j.country, j.laws.join("; "))?;
    }
    for l in &trace.listings {
        writeln!(w, "    listed: {} since {} as {} — {}", l.regime, l.from.as_deref().unwrap_or("?"), l.entity, l.citation)?;
    }
    Ok(())
}
