//! Bills of materials as devices of an audit: each product is one thing that declares what is in it.

use umbilical_core::answer::bom::State;
use umbilical_core::bom::{Bom, PartKind};
use umbilical_core::{Basis, Group, IdKind, Kind, Observations};
use umbilical_knowledge::Knowledge;

use super::{Options, judge};

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
        let files = || project.files.iter().filter_map(|i| judged.files.get(*i as usize));
        let Some(first) = files().next() else { continue };
        let (input, product) = (first.input, &first.product);
        // Lines of several documents: facts stand at the places of the first that names a module.
        let speaking = files().find(|f| f.state == project.state).unwrap_or(first);
        let at: Vec<_> = speaking.parts.iter().map(|p| p.part.at).collect();
        let mut record = all.record_of(if project.state == State::CleanAsDeclared { input } else { speaking.input });
        let name = product.name.as_deref().unwrap_or(&project.path);
        record.id(IdKind::Name, name);
        if let (Some(maker), Some(serial)) = (product.manufacturer.as_deref().or(product.brand.as_deref()), product.serial.as_deref()) {
            record.id(IdKind::Serial, &format!("{maker}|{serial}"));
        }
        let declared = (Group::Document, Basis::Declared);
        product.brand.iter().for_each(|b| {
            record.fact(Kind::HostMaker, b, declared.0, declared.1);
        });
        product.model.iter().for_each(|m| {
            record.fact(Kind::HostModel, m, declared.0, declared.1);
        });
        for (part, at) in speaking.parts.iter().zip(at) {
            let p = &part.part;
            match part.kind {
                PartKind::Module => {
                    record.next_part();
                    record.fact_at(at, Kind::Cellular, "declared as a part", declared.0, declared.1);
                    p.manufacturer.iter().for_each(|m| {
                        record.fact_at(at, Kind::DeclaredMaker, m, declared.0, declared.1);
                    });
                    p.mpn.iter().chain(&p.value).for_each(|n| {
                        record.fact_at(at, Kind::DeclaredModel, n, declared.0, declared.1);
                    });
                    p.fcc_id.iter().for_each(|id| {
                        record.fact_at(at, Kind::FccId, id, declared.0, declared.1);
                    });
                }
                _ if speaking
                    .findings
                    .iter()
                    .any(|f| f.code == "undisclosed-modem" && f.detail.get("at").is_some_and(|at| at == part.at.as_str())) =>
                {
                    record.part(0);
                    let said = p.name().or(p.description.as_deref()).unwrap_or("a part");
                    record.fact_at(at, Kind::Undisclosed, &format!("{}: {said}", part.kind.name()), declared.0, declared.1);
                }
                _ => {}
            }
        }
    }
    judged.projects.len()
}
