//! Everything on file about one module of the catalogue, row by row: what it shows itself by, under which names it is sold, what
//! radios it has, what it sits in, and what could stand in its place.

use umbilical_knowledge::{Knowledge, Module, PciKey, Replacement, TacHit, TacOrigin, Word as _};

use super::{Entry, models, module, rebrand};

/// Type allocation codes that one row names; the rest are counted.
const CODES: usize = 24;

/// The sheet of a module. Lists are in the order of their tables.
#[derive(Clone, Debug)]
pub struct Sheet<'k> {
    /// The catalogue's row.
    pub module: Entry,
    /// USB and PCI ids, type allocation codes, FCC ids.
    pub identifiers: Vec<Entry>,
    /// Under whose name it is sold beside its maker's.
    pub sold: Vec<Entry>,
    /// Radios beside the cellular one.
    pub radios: Vec<Entry>,
    /// Products that carry it.
    pub products: Vec<Entry>,
    /// What could stand in its place.
    pub replacements: Vec<&'k Replacement>,
}

impl Sheet<'_> {
    /// Every row, the catalogue's first.
    pub fn rows(self) -> impl Iterator<Item = Entry> {
        let lists = [self.identifiers, self.sold, self.radios, self.products];
        [self.module].into_iter().chain(lists.into_iter().flatten())
    }
}

/// Gathers the sheet.
pub fn sheet<'k>(kb: &'k Knowledge, m: &Module) -> Sheet<'k> {
    let mut identifiers = Vec::new();
    usb(kb, m, &mut identifiers);
    pci(kb, m, &mut identifiers);
    codes(kb, m, &mut identifiers);
    fcc(kb, m, &mut identifiers);
    let sold = kb.rebrands().iter().filter(|r| *r.maker == *m.maker && r.model.as_deref().is_some_and(|n| is(m, n)));
    let radios = kb.radios_of(&m.maker, &m.model).into_iter().map(|r| {
        Entry::new("radio", r.radio.name(), &r.source)
            .with("says so of", &*r.model)
            .with("presence", r.presence.name())
            .with("note", r.note.as_deref().unwrap_or_default())
    });
    let carries = |p: &&umbilical_knowledge::Product| {
        p.module_maker.as_deref() == Some(&*m.maker) && p.module_model.as_deref().is_some_and(|n| is(m, n))
    };
    let products = kb.products().iter().filter(carries).map(|p| {
        Entry::new("product", format!("{} {}", p.brand, p.product), &p.source)
            .with("class", p.class.name())
            .with("basis", p.basis.name())
            .with("note", p.note.as_deref().unwrap_or_default())
    });
    Sheet {
        module: module(kb, m),
        identifiers,
        sold: sold.map(rebrand).collect(),
        radios: radios.collect(),
        products: products.collect(),
        replacements: kb.replacements_for(&m.maker, &m.model),
    }
}

/// Whether a text is a name of the module.
fn is(m: &Module, name: &str) -> bool {
    name.eq_ignore_ascii_case(&m.model) || m.aliases.iter().any(|a| name.eq_ignore_ascii_case(a))
}

fn usb(kb: &Knowledge, m: &Module, out: &mut Vec<Entry>) {
    for row in kb.usb_ids().iter().filter(|r| r.brand.as_deref() == Some(&*m.maker) && r.models.iter().any(|n| is(m, n))) {
        let note = if row.needs_second { "a chip's default id: names nobody without a second clue" } else { "" };
        out.push(
            Entry::new("usb-id", format!("USB id {:04x}:{:04x}", row.vid, row.pid), &row.source)
                .with("shared with", others(m, &row.models))
                .with("mode", row.mode.as_deref().unwrap_or_default())
                .with("note", note),
        );
    }
}

fn pci(kb: &Knowledge, m: &Module, out: &mut Vec<Entry>) {
    for row in kb.pci_ids().iter().filter(|r| r.brand.as_deref() == Some(&*m.maker) && r.models.iter().any(|n| is(m, n))) {
        let PciKey { vendor, device, subsystem } = row.key;
        let sub = subsystem.map(|(v, d)| format!("/{v:04x}:{d:04x}")).unwrap_or_default();
        out.push(
            Entry::new("pci-id", format!("PCI id {vendor:04x}:{device:04x}{sub}"), &row.source)
                .with("shared with", others(m, &row.models))
                .with("chip", row.chipset.as_deref().unwrap_or_default())
                .with("note", row.note.as_deref().unwrap_or_default()),
        );
    }
}

/// The models beside this one.
fn others(m: &Module, all: &[Box<str>]) -> String {
    let rest: Vec<Box<str>> = all.iter().filter(|n| !is(m, n)).cloned().collect();
    models(&rest)
}

/// Codes of one table and source are one row.
fn codes(kb: &Knowledge, m: &Module, out: &mut Vec<Entry>) {
    let ours = |hit: &TacHit<'_>| {
        // The model first: comparing brands costs a look-up.
        is(m, hit.model) && hit.brand.is_some_and(|b| *b == *m.maker || kb.brand_of(b).is_some_and(|b| b.brand == m.maker))
    };
    let mut groups: Vec<(TacOrigin, &str, bool, Vec<u32>)> = Vec::new();
    for (code, hit) in kb.tacs().filter(|(_, hit)| ours(hit)) {
        match groups.iter_mut().find(|g| (g.0, g.1, g.2) == (hit.origin, hit.source, hit.verified)) {
            Some(group) => group.3.push(code),
            None => groups.push((hit.origin, hit.source, hit.verified, vec![code])),
        }
    }
    for (origin, source, verified, mut list) in groups {
        list.sort_unstable();
        list.dedup();
        let title = if list.len() == 1 { "type allocation code".to_owned() } else { format!("{} type allocation codes", list.len()) };
        let mut shown: Vec<String> = list.iter().take(CODES).map(|c| format!("{c:08}")).collect();
        if list.len() > CODES {
            shown.push(format!("and {} more", list.len().saturating_sub(CODES)));
        }
        out.push(Entry::sourced("tac", title, source, verified).with("codes", shown.join(", ")).with("table", origin.name()));
    }
}

fn fcc(kb: &Knowledge, m: &Module, out: &mut Vec<Entry>) {
    for row in kb.fcc_grantees().iter().filter(|g| *g.brand == *m.maker) {
        let ids: Vec<&str> = row.known.iter().filter(|(_, model)| is(m, model)).map(|(id, _)| &**id).collect();
        let known = if ids.is_empty() { "none on file spells this model".to_owned() } else { ids.join(", ") };
        out.push(
            Entry::new("fcc-id", format!("FCC grantee {}", row.grantee), &row.source)
                .with("applicant", &*row.name)
                .with("ids of this model", known)
                .with("note", row.note.as_deref().unwrap_or_default()),
        );
    }
}
