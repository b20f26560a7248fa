//! Transparency: who stands behind a module, tier by tier. A tier that nobody has named is a gap; one that rests on rows
//! that nobody has verified is half of one. Of several modules the one that is known worst counts at each tier.

use umbilical_core::Basis;
use umbilical_core::answer::bom::TierKind;
use umbilical_core::answer::risk::{AxisScore, Term};
use umbilical_core::answer::{Behind, Cellular, Trace};
use umbilical_knowledge::policy::Axis;

use super::sight::{Chain, Sight};
use super::{Scale, scored, silent};

const AXIS: Axis = Axis::Transparency;

/// How a tier is known.
enum Known {
    /// By somebody's word, or a row that was verified.
    Yes,
    /// By a row that nobody has verified: what it says, and its source.
    Unverified(String, String),
    /// Not at all: whom to ask.
    No(&'static str),
}

/// How one chain is asked for a tier.
type Ask = fn(&Asked<'_>) -> Known;

/// The tiers, in the order in which they are asked.
const TIERS: [(&str, &str, Ask); 9] = [
    ("brand", "the brand", brand),
    ("maker", "the maker", maker),
    ("owner", "who owns the maker", owner),
    ("chipset", "the chipset", chipset),
    ("firmware-signer", "who signs the firmware", signer),
    ("factory", "the factory", factory),
    ("rd-seat", "where it is developed", rd_seat),
    ("update-path", "the path of updates", update_path),
    ("support-end", "the end of support", support_end),
];

struct Asked<'a> {
    scale: &'a Scale<'a>,
    sight: &'a Sight<'a>,
    chain: &'a Chain<'a>,
    /// Who stands behind its maker.
    maker: Option<&'a Trace>,
}

pub(super) fn axis(scale: &Scale<'_>, sight: &Sight<'_>) -> AxisScore {
    if sight.chains.is_empty() {
        let why = if sight.cellular == Cellular::No {
            "no cellular module in it as far as the evidence goes: no chain to disclose"
        } else {
            "whether a cellular module is in it is not known"
        };
        return silent(AXIS, vec![why.to_owned()]);
    }
    let behind: Vec<Vec<Behind>> = sight.chains.iter().map(|c| scale.behind(c)).collect();
    let mut terms = Vec::new();
    for (tier, words, known) in TIERS {
        let (mut unknown, mut unverified, mut source): (Vec<String>, Vec<String>, Option<String>) = (Vec::new(), Vec::new(), None);
        for (chain, behind) in sight.chains.iter().zip(&behind) {
            let maker = behind.iter().find(|b| b.role == "maker").map(|b| &*b.trace);
            match known(&Asked { scale, sight, chain, maker }) {
                Known::Yes => {}
                Known::No(ask) => unknown.push(format!("{}: nobody has said; ask {ask}", chain.label)),
                Known::Unverified(says, of) => {
                    unverified.push(format!("{}: {says}", chain.label));
                    source.get_or_insert(of);
                }
            }
        }
        let term = |state: &str, what: String, because: Vec<String>, source: Option<String>| {
            let name = format!("{tier}-{state}");
            Term { weight: scale.weights.of(AXIS, &name), term: name, what, basis: Basis::Inferred, because, source }
        };
        if !unknown.is_empty() {
            terms.push(term("unknown", format!("{words} is not known"), unknown, None));
        } else if !unverified.is_empty() {
            terms.push(term("unverified", format!("{words} rests on a row that nobody has verified"), unverified, source));
        }
    }
    terms.retain(|t| t.weight > 0);
    scored(AXIS, terms, Vec::new())
}

impl Asked<'_> {
    /// What a document discloses of a tier.
    fn disclosed(&self, tier: TierKind) -> bool {
        self.chain.tiers.iter().any(|t| t.tier == tier && t.name.is_some() && t.basis == Some(Basis::Declared))
    }

    /// A name by the row of its organisation.
    fn organisation(&self, name: &str) -> Known {
        match self.scale.kb.org_of_brand(name) {
            Some(org) if org.source.verified => Known::Yes,
            Some(org) => Known::Unverified(format!("{name} is {}", org.name), org.source.text.to_string()),
            None => Known::Unverified(format!("{name} is no organisation on file"), String::new()),
        }
    }

    /// A cell of the row of the maker's organisation.
    fn cell(&self, cell: Option<&str>, ask: &'static str) -> Known {
        let row = self.maker.and_then(|t| self.scale.kb.org(&t.org));
        match (cell, row) {
            (Some(_), Some(row)) if row.source.verified => Known::Yes,
            (Some(text), row) => Known::Unverified(text.to_owned(), row.map(|r| r.source.text.to_string()).unwrap_or_default()),
            (None, _) => Known::No(ask),
        }
    }
}

fn brand(asked: &Asked<'_>) -> Known {
    let module = asked.chain.module.and_then(|m| m.brand.as_deref().or(m.maker.as_deref()));
    match module.or(asked.chain.product.and_then(|p| p.brand.as_deref())) {
        Some(brand) => asked.organisation(brand),
        None => Known::No("who sells it"),
    }
}

fn maker(asked: &Asked<'_>) -> Known {
    match (asked.chain.module.and_then(|m| m.maker.as_deref()), asked.maker) {
        (Some(maker), _) => asked.organisation(maker),
        (None, Some(trace)) => asked.cell(Some(&trace.name), "who sells it"),
        (None, None) => Known::No("who sells it"),
    }
}

fn owner(asked: &Asked<'_>) -> Known {
    let Some(trace) = asked.maker.filter(|t| !t.owner.is_empty()) else { return Known::No("the maker") };
    match trace.chain.iter().find(|s| s.control && !s.verified) {
        Some(step) => Known::Unverified(format!("{} {} {}", step.parent_name, step.edge, step.child_name), step.source.clone()),
        None => Known::Yes,
    }
}

fn chipset(asked: &Asked<'_>) -> Known {
    if asked.disclosed(TierKind::Chipset) {
        return Known::Yes;
    }
    let Some((module, chipset)) = asked.chain.module.and_then(|m| Some((m, m.chipset.as_deref()?))) else { return Known::No("the maker") };
    let names = module.maker.as_deref().zip(module.model.as_deref());
    let row = names.and_then(|(maker, model)| asked.scale.kb.module(maker, model)).filter(|r| r.chipset.is_some());
    match row {
        Some(row) if row.chipset_basis != umbilical_knowledge::Basis::Source || !row.source.verified => {
            Known::Unverified(chipset.to_owned(), row.source.text.to_string())
        }
        _ => Known::Yes,
    }
}

fn signer(asked: &Asked<'_>) -> Known {
    if asked.disclosed(TierKind::Firmware) {
        return Known::Yes;
    }
    asked.cell(asked.maker.and_then(|t| t.firmware_signer.as_deref()), "the maker")
}

fn factory(asked: &Asked<'_>) -> Known {
    asked.cell(asked.maker.and_then(|t| t.factory.as_deref()), "the maker")
}

fn rd_seat(asked: &Asked<'_>) -> Known {
    asked.cell(asked.maker.and_then(|t| t.rd_seat.as_deref()), "the maker")
}

fn update_path(asked: &Asked<'_>) -> Known {
    if ["path_operator", "path_country"].iter().any(|fact| asked.sight.facts.get(fact).is_some()) {
        return Known::Yes;
    }
    let makers: Vec<&str> = asked.chain.module.iter().flat_map(|m| [m.maker.as_deref(), m.brand.as_deref()]).flatten().collect();
    let hosts = crate::label::served_from(asked.scale.kb, &makers);
    match hosts.first() {
        None => Known::No("the maker"),
        Some(_) if hosts.iter().any(|h| h.verified) => Known::Yes,
        Some(host) => Known::Unverified(format!("firmware is served from {}", host.host), host.source.clone()),
    }
}

fn support_end(asked: &Asked<'_>) -> Known {
    match (asked.sight.facts.get("support_end"), &asked.sight.support_end) {
        (None, None) => Known::No("who sells it"),
        _ => Known::Yes,
    }
}
