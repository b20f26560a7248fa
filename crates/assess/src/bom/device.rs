//! Bills of materials as devices of an audit: each product is one thing that declares what is in it.

use std::collections::HashSet;

use umbilical_core::answer::bom::FileAnswer;
use umbilical_core::bom::{Bom, PartKind};
use umbilical_core::observation::Record;
use umbilical_core::{Basis, Group, IdKind, Kind, Observations};
use umbilical_knowledge::Knowledge;

use super::{Options, judge};

/// What is said of a part that a bill of materials declares as a module of its own.
pub(crate) const PLACED: &str = "declared as a part";

/// Adds a record for each product that the bills of materials are about: the modules it declares, or the parts that
/// tell of one it does not name. Gives the number of products.
pub fn as_devices(all: &mut Observations, kb: &Knowledge, options: &Options) -> usize {
    if all.boms.is_empty() {
        return 0;
    }
    let judged = judge(all, kb, options);
    // That documents were judged stays visible: without one, nothing can be said to be undisclosed.
    all.boms = judged.files.iter().map(|f| Bom { input: f.input, design: Some(f.design), ..Bom::default() }).collect();
    for project in &judged.projects {
        let files: Vec<&FileAnswer> = project.files.iter().filter_map(|i| judged.files.get(*i as usize)).collect();
        let Some(first) = files.first() else { continue };
        let product = files.iter().map(|f| &f.product).find(|p| p.name.is_some()).unwrap_or(&first.product);
        let own = index(all);
        let mut record = all.record_of(first.input);
        record.id(IdKind::Name, product.name.as_deref().unwrap_or(&project.path));
        if let (Some(maker), Some(serial)) = (product.manufacturer.as_deref().or(product.brand.as_deref()), product.serial.as_deref()) {
            record.id(IdKind::Serial, &format!("{maker}|{serial}"));
        }
        for (kind, name) in [(Kind::HostMaker, &product.brand), (Kind::HostModel, &product.model)] {
            name.iter().for_each(|n| {
                record.fact(kind, n, Group::Document, Basis::Declared);
            });
        }
        parts(&mut record, first);
        drop(record);
        // Each document is a witness of its own: its facts stand at its own places.
        for file in files.iter().skip(1) {
            let other = index(all);
            let mut record = all.record_of(file.input);
            parts(&mut record, file);
            drop(record);
            if index(all) > other {
                all.same_thing(own, other);
            }
        }
    }
    judged.projects.len()
}

/// The index of the next record.
fn index(all: &Observations) -> u32 {
    u32::try_from(all.len()).unwrap_or(u32::MAX)
}

/// The modules that a document declares, and the parts that tell of one it does not name.
fn parts(record: &mut Record<'_>, file: &FileAnswer) {
    let (group, basis) = (Group::Document, Basis::Declared);
    let hidden = file.findings.iter().filter(|f| f.code == "undisclosed-modem").filter_map(|f| f.detail.get("at")?.as_str());
    let hidden: HashSet<&str> = hidden.collect();
    for part in &file.parts {
        let (p, at) = (&part.part, part.part.at);
        if part.kind == PartKind::Module {
            record.next_part();
            record.fact_at(at, Kind::Cellular, PLACED, group, basis);
            let named = p.manufacturer.iter().map(|m| (Kind::DeclaredMaker, m));
            let named = named.chain(p.mpn.iter().chain(&p.value).map(|n| (Kind::DeclaredModel, n)));
            for (kind, text) in named.chain(p.fcc_id.iter().map(|id| (Kind::FccId, id))) {
                record.fact_at(at, kind, text, group, basis);
            }
        } else if hidden.contains(part.at.as_str()) {
            record.part(0);
            let said = p.name().or(p.description.as_deref()).unwrap_or("a part");
            record.fact_at(at, Kind::Undisclosed, &format!("{}: {said}", part.kind.name()), group, basis);
        }
    }
}
