//! Identification over the real knowledge base: facts in, claims out.

mod bom;
mod bom_diff;
mod fleet;
mod identify;
mod risk;
mod suppliers;
mod verify;

use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::Device;
use umbilical_core::{At, Basis, Group, IdKind, Kind, Observations};
use umbilical_knowledge::Knowledge;

/// One thing for [`fleet`]: identifiers, then facts with their part and witness.
pub(crate) struct Thing<'a> {
    pub(crate) ids: &'a [(IdKind, &'a str)],
    pub(crate) facts: &'a [(u16, Kind, &'a str, Group)],
}

pub(crate) fn observe(things: &[Thing<'_>]) -> Observations {
    let mut all = Observations::new();
    for (n, thing) in things.iter().enumerate() {
        all.begin_input(&format!("{n}.txt"), "test", format!("{n:064}"), 1);
        let mut record = all.record(At::line(1));
        for (kind, value) in thing.ids {
            if *kind == IdKind::Imei {
                record.imei(At::line(1), value, Group::Network, Basis::Observed);
            } else {
                record.id(*kind, value);
            }
        }
        for (line, (part, kind, value, group)) in (2u32..).zip(thing.facts) {
            let basis = if *group == Group::Document { Basis::Declared } else { Basis::Observed };
            record.part(*part);
            if *kind == Kind::Tac {
                // A whole IMEI stands for its TAC.
                record.imei(At::line(line), value, *group, basis);
            } else {
                record.fact_at(At::line(line), *kind, value, *group, basis);
            }
        }
    }
    all
}

pub(crate) fn options(as_of: &str) -> Options {
    Options { as_of: as_of.parse().unwrap(), show_subscribers: false }
}

/// The devices of some things, in document order.
pub(crate) fn devices(things: &[Thing<'_>]) -> Vec<Device> {
    let all = observe(things);
    let kb = Knowledge::embedded();
    Fleet::new(&all, &kb, options("2026-11-25")).devices().collect()
}

/// The one device of one thing that says everything itself.
pub(crate) fn own_word(facts: &[(u16, Kind, &str)]) -> Device {
    let facts: Vec<(u16, Kind, &str, Group)> = facts.iter().map(|(p, k, v)| (*p, *k, *v, Group::OwnWord)).collect();
    let mut found = devices(&[Thing { ids: &[], facts: &facts }]);
    assert_eq!(found.len(), 1);
    found.remove(0)
}
