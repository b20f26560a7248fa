//! What is judged: a device with its modules, a bill of materials, a module by itself.

use std::collections::HashSet;
use std::rc::Rc;

use umbilical_core::Basis;
use umbilical_core::answer::bom::{FileAnswer, PartAnswer, State, TierKind};
use umbilical_core::answer::{Cellular, Device, Host, Level, Module};
use umbilical_core::bom::PartKind;
use umbilical_knowledge::policy::{Facts, Tier};
use umbilical_knowledge::{Knowledge, Word as _};

/// One thing with an origin: a module, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    /// What people call it: `Quectel EC25-E`.
    pub label: String,
    /// Organisation id of the maker; `None` = the maker is not known or not on file.
    pub maker: Option<String>,
    /// The maker's name as it is known.
    pub maker_name: Option<String>,
    /// Organisation id of the brand, where it is another.
    pub brand: Option<String>,
    /// Organisation id of the chip's maker.
    pub chip: Option<String>,
    /// Organisation id of the memory's maker.
    pub memory: Option<String>,
    /// Country or organisation that signs the firmware, as it is known.
    pub firmware_signer: Option<String>,
    /// Confidence in thousandths.
    pub confidence: u16,
    /// How it is known.
    pub basis: Basis,
    /// What would make it surer.
    pub next: Option<String>,
    /// A product of its own, such as a stick or a router: no module, though it is cellular.
    pub is_product: bool,
    /// A part of the board by itself, beside the modules: a chip, a memory, or any other good ([`Tier::Host`]).
    pub part: Option<Tier>,
}

/// Below *probable* a rule cannot fail.
pub(super) const PROBABLE: u16 = 900;

impl Thing {
    /// A module of a device or document.
    pub fn module(kb: &Knowledge, module: &Module) -> Self {
        let org = |name: &Option<String>| name.as_deref().and_then(|n| kb.org_of_brand(n)).map(|o| o.id.to_string());
        let name = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => format!("{a} {b}"),
            (Some(a), None) => format!("module of {a}"),
            (None, Some(b)) => b.clone(),
            (None, None) => "module of an unknown maker".to_owned(),
        };
        // Whose it is decides, not a variant nobody is sure of; a model names its maker, so it is never surer than they are.
        let maker_confidence = module.claims.iter().find(|c| c.level == Level::Maker && Some(&c.value) == module.maker.as_ref());
        let of_level = if module.level <= Level::Maker { module.confidence } else { 0.0 };
        let confidence = maker_confidence.map_or(of_level, |c| c.confidence.max(of_level));
        Self {
            label: name(&module.maker, &module.variant.clone().or_else(|| module.model.clone())),
            maker: org(&module.maker),
            maker_name: module.maker.clone(),
            brand: org(&module.brand).filter(|_| module.brand != module.maker),
            chip: module.chipset.as_deref().and_then(|c| chip_org(kb, c)),
            memory: None,
            firmware_signer: module.ownership.iter().find(|b| b.role == "maker").and_then(|b| b.firmware_signer.clone()),
            confidence: thousandths(confidence),
            basis: module.basis,
            next: None,
            is_product: false,
            part: None,
        }
    }

    /// A part of a bill of materials that is a module, with the tiers that the document discloses.
    pub fn part(kb: &Knowledge, part: &PartAnswer) -> Option<Self> {
        let mut thing = Self::module(kb, part.module.as_deref()?);
        let at = |kind: TierKind| part.tiers.iter().find(|t| t.tier == kind);
        thing.memory = at(TierKind::Memory).and_then(|t| t.org.clone());
        thing.chip = at(TierKind::Chipset).and_then(|t| t.org.clone()).or(thing.chip);
        Some(thing)
    }
}

impl Thing {
    /// Goods that stand on a board beside its modules, where their makers are on file: the part and what may stand in its
    /// place. All of one maker and kind are one thing.
    pub fn beside(kb: &Knowledge, part: &PartAnswer) -> Vec<Self> {
        let own = part.ownership.iter().find(|b| b.role == "maker").map(|b| (part.kind, b.trace.org.clone(), b.trace.name.clone()));
        let own = own.filter(|_| part.module.is_none());
        let others = part.alternates.iter().filter(|a| a.module.is_none()).filter_map(|a| {
            let name = a.maker.as_deref().or(a.part.manufacturer.as_deref())?;
            let org = kb.org_of_brand(name)?;
            Some((a.kind, org.id.to_string(), org.name.to_string()))
        });
        own.into_iter().chain(others).filter_map(|(kind, org, name)| Some(Self::good(tier(kind)?, org, name))).collect()
    }

    pub(super) fn good(tier: Tier, org: String, name: String) -> Self {
        let kind = if tier == Tier::Host { "part" } else { tier.name() };
        Self {
            label: format!("{kind} of {name}"),
            chip: (tier == Tier::Chip).then(|| org.clone()),
            memory: (tier == Tier::Memory).then(|| org.clone()),
            maker: Some(org),
            maker_name: Some(name),
            brand: None,
            firmware_signer: None,
            confidence: PROBABLE,
            basis: Basis::Declared,
            next: None,
            is_product: false,
            part: Some(tier),
        }
    }
}

/// What a part that is no module counts as in rules; `None` = it is no good, or stands for a module.
fn tier(kind: PartKind) -> Option<Tier> {
    match kind {
        PartKind::Memory => Some(Tier::Memory),
        PartKind::Chipset | PartKind::Processor | PartKind::Radio | PartKind::Gnss | PartKind::Amplifier | PartKind::Power => {
            Some(Tier::Chip)
        }
        PartKind::Module | PartKind::Firmware => None,
        _ => Some(Tier::Host),
    }
}

pub(super) fn chip_org(kb: &Knowledge, chip: &str) -> Option<String> {
    kb.brands_in(chip).first().and_then(|hit| hit.brand.org.as_deref()).map(str::to_owned)
}

pub(super) fn thousandths(confidence: f64) -> u16 {
    // Confidence is 0–1 by contract.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let value = (confidence.clamp(0.0, 1.0) * 1000.0).floor() as u16;
    value
}

/// What is judged at once: the modules of one device, and what is known of the device and the deal.
#[derive(Clone, Debug)]
pub struct Item {
    /// Modules and cellular products in it.
    pub things: Rc<[Thing]>,
    /// Whether it is cellular at all.
    pub cellular: Cellular,
    /// Organisation id of the brand on the device.
    pub host: Option<String>,
    /// What is known of the asset and the deal; shared by all assets of which the same is known.
    pub facts: Rc<Facts>,
}

impl Item {
    /// Its modules and products, without the goods beside them.
    pub(super) fn modules(&self) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(|t| t.part.is_none())
    }

    /// Whether all but the facts is the same.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        self.things == other.things && self.cellular == other.cellular && self.host == other.host
    }

    /// Whether everything that decides is the same; facts are shared, so the same are the same object.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_alike(other) && Rc::ptr_eq(&self.facts, &other.facts)
    }

    /// A device of an audit.
    pub fn device(kb: &Knowledge, device: &Device, facts: Rc<Facts>) -> Self {
        let mut things: Vec<Thing> = device.modules.iter().map(|m| Thing::module(kb, m)).collect();
        let next = device.next_evidence.first();
        if let Some(product) = &device.product {
            let org = product.brand.as_deref().and_then(|b| kb.org_of_brand(b)).map(|o| o.id.to_string());
            things.push(Thing {
                label: [product.brand.as_deref(), product.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "),
                maker: org,
                maker_name: product.brand.clone(),
                brand: None,
                chip: None,
                memory: None,
                firmware_signer: None,
                confidence: thousandths(product.confidence),
                basis: product.basis,
                next: None,
                is_product: true,
                part: None,
            });
        }
        for thing in &mut things {
            thing.next = next.cloned();
        }
        Self { things: things.into(), cellular: device.cellular, host: host_org(kb, device.host.as_ref()), facts }
    }
}

impl Item {
    /// A product by its documents: every module on its boards and every one that may stand in a place counts, and the goods
    /// beside them for rules that are about those.
    /// `open`: it looks clean and was not understood whole.
    pub fn product(kb: &Knowledge, files: &[&FileAnswer], state: State, open: bool, facts: Rc<Facts>) -> Self {
        let mut things: Vec<Thing> = Vec::new();
        let parts = || files.iter().flat_map(|f| &f.parts);
        for part in parts() {
            let alternates = part.alternates.iter().filter_map(|a| a.module.as_deref());
            let all = Thing::part(kb, part).into_iter().chain(alternates.map(|m| Thing::module(kb, m)));
            for thing in all {
                if !things.contains(&thing) {
                    things.push(thing);
                }
            }
        }
        let mut seen = HashSet::new();
        let beside = parts().flat_map(|part| Thing::beside(kb, part));
        things.extend(beside.filter(|thing| seen.insert(thing.label.clone())));
        let cellular = match state {
            State::Found => Cellular::Yes,
            // A module must be there: nobody can say whose.
            State::Undisclosed => Cellular::Unknown,
            State::CleanAsDeclared if open => Cellular::Unknown,
            State::CleanAsDeclared => Cellular::No,
        };
        let brand = files.iter().find_map(|f| f.product.brand.as_deref().or(f.product.manufacturer.as_deref()));
        let host = Host { brand: brand.map(str::to_owned), model: None, basis: Basis::Declared };
        Self { things: things.into(), cellular, host: host_org(kb, Some(&host)), facts }
    }
}

fn host_org(kb: &Knowledge, host: Option<&Host>) -> Option<String> {
    let brand = host?.brand.as_deref()?;
    kb.org_of_brand(brand).or_else(|| kb.orgs_in(brand).first().copied()).map(|o| o.id.to_string())
}
