//! Who stands at each tier of a module's supply chain, with a gap where nobody has said.

use std::collections::HashMap;

use umbilical_core::Basis;
use umbilical_core::answer::bom::{PartAnswer, Tier, TierKind};
use umbilical_core::answer::{Jurisdiction, Trace};
use umbilical_core::bom::{PartKind, Product};
use umbilical_core::text::clean;
use umbilical_knowledge::Knowledge;

use crate::owners::Owners;

/// What a document's word is worth at a tier: it is a declaration, whoever signs it.
const DECLARED: f64 = 0.9;
/// What the catalogue's rule of thumb is worth.
const RULE: f64 = 0.6;
/// The tiers that a document can put inside a module.
const INSIDE: [PartKind; 3] = [PartKind::Chipset, PartKind::Memory, PartKind::Firmware];

/// Puts the tiers to every part that is a module or hides one.
pub(super) fn fill(parts: &mut [PartAnswer], product: &Product, kb: &Knowledge, owners: &Owners<'_>) {
    let cellular = |p: &PartAnswer| matches!(p.kind, PartKind::Module | PartKind::Carrier | PartKind::Slot);
    let wanted: Vec<usize> = parts.iter().enumerate().filter(|(_, p)| cellular(p)).map(|(i, _)| i).collect();
    // The first of each kind stands for it.
    let mut inside: HashMap<(u32, PartKind), usize> = HashMap::new();
    for (at, part) in parts.iter().enumerate() {
        if let (Some(parent), true) = (part.part.parent, INSIDE.contains(&part.kind)) {
            inside.entry((parent, part.kind)).or_insert(at);
        }
    }
    for i in wanted {
        let Some(part) = parts.get(i) else { continue };
        let tiers = Tiers { part, all: parts, inside: &inside, product, kb, owners }.all();
        if let Some(slot) = parts.get_mut(i) {
            slot.tiers = tiers;
        }
    }
}

struct Tiers<'a> {
    part: &'a PartAnswer,
    all: &'a [PartAnswer],
    /// The part of a kind that a part holds.
    inside: &'a HashMap<(u32, PartKind), usize>,
    product: &'a Product,
    kb: &'a Knowledge,
    owners: &'a Owners<'a>,
}

impl Tiers<'_> {
    fn all(&self) -> Vec<Tier> {
        TierKind::ALL.iter().map(|tier| self.tier(*tier)).collect()
    }

    fn tier(&self, tier: TierKind) -> Tier {
        let found = match tier {
            TierKind::Brand => self
                .product
                .brand
                .as_deref()
                .or(self.product.manufacturer.as_deref())
                .map(|b| self.named(b, self.product.model.as_deref(), "the document's product")),
            // Who builds it is only said where it is another than the brand.
            TierKind::Odm => self
                .product
                .brand
                .as_deref()
                .and(self.product.manufacturer.as_deref())
                .map(|m| self.named(m, None, "the document's product")),
            TierKind::Module => self.module(),
            TierKind::Chipset => self.inside(PartKind::Chipset).or_else(|| self.catalogued_chipset()),
            TierKind::Memory => self.inside(PartKind::Memory),
            TierKind::Firmware => self.inside(PartKind::Firmware).or_else(|| self.signer()),
        };
        let found = found.map(|f| Tier { tier, ..f });
        found.unwrap_or_else(|| Tier {
            tier,
            name: None,
            part: None,
            org: None,
            jurisdictions: Vec::new(),
            confidence: 0.0,
            basis: None,
            because: format!("nobody has said: ask the supplier for the {} tier", tier.name()),
        })
    }

    /// A firm that the document names.
    fn named(&self, name: &str, part: Option<&str>, because: &str) -> Tier {
        let kb = self.kb;
        let brand = kb.brand(name).or_else(|| kb.brands_in(name).first().map(|h| h.brand));
        let org = brand.and_then(|b| b.org.as_deref()).or_else(|| kb.orgs_in(name).first().map(|o| &*o.id));
        let trace = org.map(|o| self.owners.org(o));
        let shown = brand.map_or_else(|| clean(name).into_owned(), |b| b.brand.to_string());
        tier(shown, part, trace.as_deref(), DECLARED, Basis::Declared, because.to_owned())
    }

    fn module(&self) -> Option<Tier> {
        let module = self.part.module.as_deref()?;
        let maker = module.maker.clone()?;
        let trace = module.ownership.iter().find(|b| b.role == "maker").map(|b| &*b.trace);
        let because = format!("declared at {}", self.part.at);
        Some(tier(maker, module.model.as_deref(), trace, module.confidence, module.basis, because))
    }

    /// A part of the kind that the document puts inside the module.
    fn inside(&self, kind: PartKind) -> Option<Tier> {
        let part = self.all.get(*self.inside.get(&(self.part.index, kind))?)?;
        let name = part.maker.as_deref().or(part.part.manufacturer.as_deref());
        let trace = part.ownership.first().map(|b| &*b.trace);
        let because = format!("declared at {}", part.at);
        Some(tier(clean(name?).into_owned(), part.part.name(), trace, DECLARED, Basis::Declared, because))
    }

    fn catalogued_chipset(&self) -> Option<Tier> {
        let chip = self.part.module.as_deref()?.chipset.as_deref()?;
        let brand = self.kb.brands_in(chip).first().map(|h| h.brand)?;
        let trace = brand.org.as_deref().map(|o| self.owners.org(o));
        let because = "the module's row in the catalogue".to_owned();
        Some(tier(brand.brand.to_string(), Some(chip), trace.as_deref(), RULE, Basis::Inferred, because))
    }

    /// Who signs the firmware of the module's maker, where that is on file.
    fn signer(&self) -> Option<Tier> {
        let maker = self.part.module.as_deref()?.ownership.iter().find(|b| b.role == "maker")?;
        let signer = maker.firmware_signer.clone()?;
        let because = format!("who signs the firmware of {}, by the table of organisations", maker.name);
        Some(Tier { name: Some(signer), ..tier(String::new(), None, None, RULE, Basis::Inferred, because) })
    }
}

fn tier(name: String, part: Option<&str>, trace: Option<&Trace>, confidence: f64, basis: Basis, because: String) -> Tier {
    let jurisdictions: Vec<Jurisdiction> = trace.map(|t| t.jurisdictions.clone()).unwrap_or_default();
    Tier {
        tier: TierKind::Brand,
        name: Some(name),
        part: part.map(|p| clean(p).into_owned()),
        org: trace.map(|t| t.org.clone()),
        jurisdictions,
        confidence,
        basis: Some(basis),
        because,
    }
}
