//! The sourcing label of each product, from what its documents declare and what the tables know of the makers they name.

use umbilical_core::Day;
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, Project, State, Tier, TierKind};
use umbilical_core::answer::label::{
    Capability, Depth, Document, Host, Known, Label, LabelModule, LabelTier, Labelled, Maker, Updates, Worst,
};
use umbilical_core::observation::Basis;
use umbilical_core::text::{clean, squash};
use umbilical_knowledge::{Endpoint, EndpointLevel, Knowledge};

use crate::owners::Owners;

/// Properties, squashed, by which documents say until when a product is supported.
const SUPPORT_END: [&str; 8] = [
    "SUPPORTEND",
    "ENDOFSUPPORT",
    "ENDOFSUPPORTDATE",
    "SUPPORTEDUNTIL",
    "SUPPORTPERIODEND",
    "SECURITYSUPPORTEND",
    "SECURITYUPDATESUNTIL",
    "CDXLIFECYCLEMILESTONEENDOFSUPPORT",
];
/// Words in the row of a host by which it serves firmware.
const SERVES: [&str; 2] = ["ota", "fota"];

/// Labels of every product. `support_end` is what the user says of all of them.
pub fn labels(check: &Check, kb: &Knowledge, as_of: Day, support_end: Option<Day>) -> Vec<Label> {
    let owners = Owners::new(kb, as_of);
    check.projects.iter().map(|project| Made { check, kb, owners: &owners, project }.label(support_end)).collect()
}

/// Everything that one label is made from.
struct Made<'a> {
    check: &'a Check,
    kb: &'a Knowledge,
    owners: &'a Owners<'a>,
    project: &'a Project,
}

impl<'a> Made<'a> {
    fn files(&self) -> impl Iterator<Item = &'a FileAnswer> {
        let check = self.check;
        self.project.files.iter().filter_map(move |i| check.files.get(*i as usize))
    }

    fn label(&self, support_end: Option<Day>) -> Label {
        let modules: Vec<LabelModule> =
            self.files().flat_map(|f| &f.parts).filter(|p| !p.tiers.is_empty()).map(|p| self.module(p)).collect();
        // The module of which least is known stands for the product: a label is no better than its worst line.
        let depth = modules.iter().map(|m| &m.depth).min_by_key(|d| d.known).cloned().unwrap_or_default();
        let support_end = self.support_end(support_end);
        let state = self.project.state;
        Label {
            product: self.product(),
            documents: self.files().map(|f| self.document(f)).collect(),
            state,
            because: self.project.because.clone(),
            capabilities: capabilities(state, &modules, &depth, &support_end),
            modules,
            depth,
            support_end,
            as_of: self.check.as_of.clone(),
            knowledge: self.check.knowledge.version.clone(),
            sources_to: self.check.knowledge.sources_to.clone(),
        }
    }

    fn document(&self, file: &FileAnswer) -> Document {
        let sha256 = self.check.inputs.get(file.input as usize).map(|i| i.sha256.to_string()).unwrap_or_default();
        Document { path: clean(&file.path).into_owned(), format: file.format.clone(), sha256 }
    }

    fn product(&self) -> Labelled {
        let first = |of: fn(&FileAnswer) -> Option<&str>| self.files().find_map(of).map(|t| clean(t).into_owned());
        let (brand, builder) = (first(|f| f.product.brand.as_deref()), first(|f| f.product.manufacturer.as_deref()));
        // Where one firm is named only, it is the one that stands for the product.
        let (brand, builder) = if brand.is_none() { (builder, None) } else { (brand, builder) };
        let model = first(|f| f.product.model.as_deref());
        let path = clean(&self.project.path).into_owned();
        let last = path.rsplit(['/', '\\', '!']).find(|p| !p.is_empty()).unwrap_or(&path).to_owned();
        Labelled {
            name: first(|f| f.product.name.as_deref()).or_else(|| model.clone()).unwrap_or(last),
            model,
            version: first(|f| f.product.version.as_deref()),
            brand: self.firm(brand),
            builder: self.firm(builder),
            path,
        }
    }

    /// A firm that the documents name.
    fn firm(&self, name: Option<String>) -> Maker {
        let Some(name) = name else { return Maker::default() };
        let brand = self.kb.brand(&name).and_then(|b| b.org.as_deref());
        let org = brand.or_else(|| self.kb.orgs_in(&name).first().map(|o| &*o.id));
        let mut jurisdictions: Vec<String> = Vec::new();
        for j in org.map(|o| self.owners.org(o)).iter().flat_map(|t| &t.jurisdictions) {
            if !jurisdictions.contains(&j.country) {
                jurisdictions.push(j.country.clone());
            }
        }
        Maker { org: org.map(str::to_owned), name: Some(name), jurisdictions, basis: Some(Basis::Declared) }
    }

    fn module(&self, part: &PartAnswer) -> LabelModule {
        let module = part.module.as_deref();
        let named = part.tiers.iter().any(|t| t.tier == TierKind::Module && t.name.is_some());
        let name = match module {
            Some(m) => [m.maker.as_deref(), m.model.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "),
            None => String::new(),
        };
        let shown = clean(part.part.name().unwrap_or("a part without a name")).into_owned();
        let chip = part.tiers.iter().find(|t| t.tier == TierKind::Chipset && t.name.is_some());
        let chipset = match (chip, module.and_then(|m| m.chipset.clone())) {
            (Some(t), of) => Known { value: t.part.clone().or(of).or_else(|| t.name.clone()), basis: t.basis, source: t.because.clone() },
            (None, Some(of)) => Known { value: Some(of), basis: Some(Basis::Inferred), source: "the module's row in the catalogue".into() },
            (None, None) => Known { source: "nobody has said: ask the maker of the module".into(), ..Known::default() },
        };
        let other = part.alternates.iter().filter_map(|a| a.part.mpn.as_deref().or(a.part.value.as_deref()));
        LabelModule {
            name: if named && !name.is_empty() { name } else { shown },
            named,
            at: part.at.clone(),
            chipset,
            alternates: other.map(|a| clean(a).into_owned()).collect(),
            tiers: part.tiers.iter().map(LabelTier::from).collect(),
            updates: self.updates(part),
            depth: depth(&part.tiers),
        }
    }

    fn updates(&self, part: &PartAnswer) -> Updates {
        let firmware = part.tiers.iter().find(|t| t.tier == TierKind::Firmware && t.name.is_some());
        let signer = firmware.map_or_else(
            || Known { source: "nobody has said: ask the maker of the module who signs its firmware".into(), ..Known::default() },
            |t| Known { value: t.name.clone(), basis: t.basis, source: t.because.clone() },
        );
        let module = part.module.as_deref();
        let makers: Vec<&str> = module.iter().flat_map(|m| [m.maker.as_deref(), m.brand.as_deref()]).flatten().collect();
        let served_from = served_from(self.kb, &makers);
        Updates { signer, served_from }
    }

    fn support_end(&self, said: Option<Day>) -> Known {
        let files: Vec<&FileAnswer> = self.files().collect();
        let declared = declared_support_end(&files);
        match (said, declared) {
            (Some(day), Some((text, at))) if text != day.to_string() => Known {
                value: Some(day.to_string()),
                basis: Some(Basis::Declared),
                source: format!("said for this label; {} has {text}", clean(&at)),
            },
            (Some(day), _) => Known { value: Some(day.to_string()), basis: Some(Basis::Declared), source: "said for this label".into() },
            (None, Some((text, at))) => Known { value: Some(text), basis: Some(Basis::Declared), source: clean(&at).into_owned() },
            (None, None) => Known { source: "nobody has said: ask who sells the product".into(), ..Known::default() },
        }
    }
}

/// Hosts known to serve firmware to modules of these makers.
pub(crate) fn served_from(kb: &Knowledge, makers: &[&str]) -> Vec<Host> {
    let of = |e: &&Endpoint| {
        let words = |w: &str| e.what.split(|c: char| !c.is_alphanumeric()).any(|x| x.eq_ignore_ascii_case(w));
        let ours = e.brand.as_deref().is_some_and(|b| makers.iter().any(|m| squash(m) == squash(b)));
        ours && e.level == EndpointLevel::Maker && SERVES.into_iter().any(words)
    };
    let host = |e: &Endpoint| Host {
        host: e.domain.to_string(),
        what: e.what.to_string(),
        basis: Basis::Inferred,
        source: e.source.text.to_string(),
        verified: e.source.verified,
    };
    let mut out: Vec<Host> = kb.endpoints().iter().filter(of).map(host).collect();
    // A parent zone says no more than the host below it.
    let below: Vec<String> = out.iter().map(|h| h.host.clone()).collect();
    out.retain(|h| !below.iter().any(|b| b.strip_suffix(&*h.host).is_some_and(|rest| rest.ends_with('.'))));
    out
}

/// Until when the documents of a product say that it is supported, and where.
pub(crate) fn declared_support_end(files: &[&FileAnswer]) -> Option<(String, String)> {
    // A property of the document stands below the path that leads to it.
    let is = |name: &str| SUPPORT_END.iter().any(|s| squash(name).ends_with(s));
    let of = |list: &[(Box<str>, Box<str>)]| {
        list.iter().find(|(name, value)| is(name) && !value.trim().is_empty()).map(|(_, v)| clean(v.trim()).into_owned())
    };
    let whole = files.iter().find_map(|f| Some((of(&f.rest.properties)?, f.path.clone())));
    whole.or_else(|| {
        let mut parts = files.iter().flat_map(|f| f.parts.iter().map(move |p| (f, p))).filter(|(_, p)| !p.tiers.is_empty());
        parts.find_map(|(f, p)| Some((of(&p.part.properties)?, format!("{}, {} (of the module)", f.path, p.at))))
    })
}

fn depth(tiers: &[Tier]) -> Depth {
    let known = || tiers.iter().filter(|t| t.name.is_some());
    // The first of equals, from the outside in.
    let worst = known().fold(None, |worst: Option<&Tier>, t| match worst {
        Some(w) if w.confidence <= t.confidence => Some(w),
        _ => Some(t),
    });
    Depth {
        known: known().count() as u64,
        of: tiers.len() as u64,
        deepest: tiers.iter().rfind(|t| t.name.is_some()).map(|t| t.tier.name()),
        worst_known: worst.map(|t| Worst {
            tier: t.tier.name(),
            name: t.name.clone().unwrap_or_default(),
            confidence: t.confidence,
            basis: t.basis,
        }),
        gaps: tiers.iter().filter(|t| t.name.is_none()).map(|t| t.tier.name()).collect(),
    }
}

/// The capabilities of NIST IR 8425 in its order. A label of sourcing says something of few of them, and never that one
/// is met.
fn capabilities(state: State, modules: &[LabelModule], depth: &Depth, support_end: &Known) -> Vec<Capability> {
    let hosts: usize = modules.iter().map(|m| m.updates.served_from.len()).sum();
    let signers = modules.iter().filter(|m| m.updates.signer.value.is_some()).count();
    let components = format!(
        "the cellular modules among the components, by maker and model ({}); nothing that tells one piece from another",
        state.name()
    );
    let updates = (!modules.is_empty()).then(|| {
        format!(
            "who signs the firmware of the modules (known for {signers} of {}), and hosts known to serve firmware to modules of \
             their makers ({hosts}); nothing of how an update is checked",
            modules.len()
        )
    });
    let documents = if depth.of == 0 {
        "the bill of materials by its digest".to_owned()
    } else {
        format!("the bill of materials by its digest, and the supply chain to {} of {} tiers", depth.known, depth.of)
    };
    let until = support_end.value.as_deref().map(|v| format!("the end of support as declared: {v}"));
    [
        ("Asset Identification", "technical", Some(components)),
        ("Product Configuration", "technical", None),
        ("Data Protection", "technical", None),
        ("Interface Access Control", "technical", None),
        ("Software Update", "technical", updates),
        ("Cybersecurity State Awareness", "technical", None),
        ("Documentation", "non-technical", Some(documents)),
        ("Information and Query Reception", "non-technical", None),
        ("Information Dissemination", "non-technical", until),
        ("Product Education and Awareness", "non-technical", None),
    ]
    .into_iter()
    .map(|(capability, kind, says)| Capability { capability, kind, says })
    .collect()
}
