//! What the axes look at: a device of the evidence, or a product by its documents.

use std::collections::BTreeSet;
use std::rc::Rc;

use umbilical_core::answer::bom::{FileAnswer, PartAnswer, Project, State, Tier};
use umbilical_core::answer::{Cellular, Device, Module, Product};
use umbilical_core::bom::PartKind;
use umbilical_core::finding::Finding;
use umbilical_core::words::Word;
use umbilical_knowledge::policy::Facts;

/// One subject, as far as it is known.
pub struct Sight<'a> {
    pub(super) kind: Word,
    pub(super) id: &'a str,
    pub(super) names: Vec<String>,
    pub(super) cellular: Cellular,
    /// Modules and products in it, and places that hide one.
    pub(super) chains: Vec<Chain<'a>>,
    /// What the evidence raised about it; verdicts of rules are none of it.
    pub(super) findings: Vec<&'a Finding>,
    /// Groups of evidence that speak of what is in it.
    pub(super) groups: BTreeSet<Word>,
    /// Receivers of satellite navigation that documents place beside the module.
    pub(super) receivers: Vec<String>,
    /// Until when documents say that it is supported, and where.
    pub(super) support_end: Option<(String, String)>,
    pub(super) facts: Rc<Facts>,
}

/// A module, a product that is one itself, or a place that hides one.
pub(super) struct Chain<'a> {
    pub label: String,
    pub module: Option<&'a Module>,
    pub product: Option<&'a Product>,
    /// What a document discloses of its supply chain.
    pub tiers: &'a [Tier],
}

impl<'a> Chain<'a> {
    fn module(module: &'a Module, tiers: &'a [Tier]) -> Self {
        let name = module.variant.as_deref().or(module.model.as_deref());
        let label = match (module.maker.as_deref(), name) {
            (Some(maker), Some(name)) => format!("{maker} {name}"),
            (Some(maker), None) => format!("module of {maker}"),
            (None, Some(name)) => name.to_owned(),
            (None, None) => "module of an unknown maker".to_owned(),
        };
        Self { label, module: Some(module), product: None, tiers }
    }

    /// A module must be there, and nobody has named it.
    fn nobody(label: String, tiers: &'a [Tier]) -> Self {
        Self { label, module: None, product: None, tiers }
    }
}

impl<'a> Sight<'a> {
    /// A device.
    pub fn device(device: &'a Device, facts: Rc<Facts>) -> Self {
        let mut chains: Vec<Chain<'a>> = device.modules.iter().map(|m| Chain::module(m, &[])).collect();
        if let Some(product) = &device.product {
            let words = [product.brand.as_deref(), product.model.as_deref()];
            let label = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let label = if label.is_empty() { format!("cellular {}", product.kind) } else { label };
            chains.push(Chain { label, module: None, product: Some(product), tiers: &[] });
        }
        if chains.is_empty() && device.cellular == Cellular::Yes {
            chains.push(Chain::nobody("a module that nothing identifies".to_owned(), &[]));
        }
        let claims = device.modules.iter().flat_map(|m| m.claims.iter().flat_map(|c| c.because.iter().chain(&c.against)));
        Self {
            kind: "device",
            id: &device.id,
            names: device.names.clone(),
            cellular: device.cellular,
            groups: claims.chain(&device.because).map(|b| b.group).collect(),
            chains,
            findings: device.findings.iter().filter(|f| f.source != "rule").collect(),
            receivers: Vec::new(),
            support_end: None,
            facts,
        }
    }

    /// Adds what came of holding it against documents: they are a witness of their own.
    #[must_use]
    pub fn compared(mut self, findings: &'a [Finding]) -> Self {
        self.groups.insert("document");
        self.findings.extend(findings);
        self
    }

    /// A product by its documents. `open`: it looks clean and was not understood whole.
    pub fn product(files: &[&'a FileAnswer], project: &'a Project, open: bool, facts: Rc<Facts>) -> Self {
        let parts = || files.iter().flat_map(|f| &f.parts);
        let mut chains: Vec<Chain<'a>> = Vec::new();
        for chain in parts().flat_map(chains_of) {
            if !chains.iter().any(|c| c.label == chain.label) {
                chains.push(chain);
            }
        }
        let mut names: Vec<String> = files.iter().filter_map(|f| f.product.name.as_deref().map(str::to_owned)).collect();
        names.dedup();
        let findings = files.iter().flat_map(|f| &f.findings).chain(&project.findings);
        Self {
            kind: "file",
            id: &project.path,
            names,
            cellular: match project.state {
                State::Found | State::Undisclosed => Cellular::Yes,
                State::CleanAsDeclared if open => Cellular::Unknown,
                State::CleanAsDeclared => Cellular::No,
            },
            chains,
            findings: findings.filter(|f| f.source != "rule").collect(),
            groups: BTreeSet::from(["document"]),
            receivers: parts().filter(|p| p.kind == PartKind::Gnss).map(|p| format!("a receiver, declared at {}", p.at)).collect(),
            support_end: crate::label::declared_support_end(files),
            facts,
        }
    }
}

/// The chains of a part: of the module that it is, of every one that may stand in its place, or of one that it hides.
fn chains_of(part: &PartAnswer) -> Vec<Chain<'_>> {
    let own = part.module.as_deref().map(|m| Chain::module(m, &part.tiers));
    let hides = own.is_none() && !part.tiers.is_empty();
    let place = hides.then(|| Chain::nobody(format!("{} at {}", part.part.name().unwrap_or("a part"), part.at), &part.tiers));
    let others = part.alternates.iter().filter_map(|a| a.module.as_deref()).map(|m| Chain::module(m, &[]));
    own.into_iter().chain(place).chain(others).collect()
}
