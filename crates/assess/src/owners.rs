//! Who stands behind a maker, traced once for each.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use umbilical_core::Day;
use umbilical_core::answer::{Behind, Trace};
use umbilical_knowledge::Knowledge;

use crate::trace::trace;

/// Traces by organisation id, on one day.
pub(crate) struct Owners<'k> {
    kb: &'k Knowledge,
    as_of: Day,
    traces: RefCell<FxHashMap<Box<str>, Arc<Trace>>>,
}

impl<'k> Owners<'k> {
    pub fn new(kb: &'k Knowledge, as_of: Day) -> Self {
        Self { kb, as_of, traces: RefCell::default() }
    }

    /// Who stands behind an organisation.
    pub fn org(&self, id: &str) -> Arc<Trace> {
        if let Some(known) = self.traces.borrow().get(id) {
            return Arc::clone(known);
        }
        let made = Arc::new(trace(self.kb, id, self.as_of));
        self.traces.borrow_mut().insert(id.into(), Arc::clone(&made));
        made
    }

    /// Who stands behind a brand, where its organisation is on file.
    pub fn brand(&self, brand: &str) -> Option<Arc<Trace>> {
        self.kb.org_of_brand(brand).map(|org| self.org(&org.id))
    }

    /// Maker and, where it is another, brand.
    pub fn behind(&self, maker: Option<&str>, brand: Option<&str>) -> Vec<Behind> {
        let of = |name: Option<&str>, role: &'static str| name.and_then(|n| self.brand(n)).map(|trace| Behind { role, trace });
        let other = brand.filter(|b| Some(*b) != maker);
        of(maker, "maker").into_iter().chain(of(other, "brand")).collect()
    }

    /// Every organisation that was asked for.
    pub fn used(&self) -> impl Iterator<Item = Arc<Trace>> {
        self.traces.borrow().values().map(Arc::clone).collect::<Vec<_>>().into_iter()
    }
}
