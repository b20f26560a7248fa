//! Who stands behind an organisation on a day: owners, the law that can compel them, the lists that name them.
//!
//! Edges and listings hold on `from ≤ day < to`. The walk goes up from the organisation along the edges that decide
//! over it:
//!
//! | edge | decides | jurisdiction of the parent |
//! |---|---|---|
//! | `controls`, or `owns` with more than 50 % or as general partner (`GP`) | yes | carried |
//! | `brands` | yes: the parent stands behind the brand | carried |
//! | `owns` with 50 % or without a stated share | open | carried as unclear, with an open point |
//! | `owns` with less than 50 % | no | not carried; a listed holder is an open point (affiliate tests differ) |
//! | `affiliate-alleged` | no | never carried, never counted |
//! | the others | no | not carried |
//!
//! A note that begins with `alleged:` or `listed:` gives an edge that basis; an alleged edge of any kind is kept apart
//! like `affiliate-alleged`. Every other row restates a record: `declared`.
//!
//! A day inside a bound that is known by month or year only makes an edge unclear, and everything above it. The same
//! walk, fields and sentences serve every organisation, whatever its flag.
//!
//! *When it is wrong:* shares of several rows are never added up, so two parents with 30 % each that belong together
//! are two minorities here; an owner that no row names is unknown, not absent.

mod sentence;

pub use sentence::unread_lists;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use umbilical_core::answer::{Jurisdiction, KnowledgeStamp, Listing, Step, Trace};
use umbilical_core::date::{Holds, Loose, holds};
use umbilical_core::{Basis, Day};
use umbilical_knowledge::{Edge, EdgeKind, Knowledge, Organisation, Word};

/// Members of the European Union, where its regulations bind beside national law (Treaty on European Union, art. 52).
pub(crate) const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
];

/// What a jurisdiction says that nobody has looked into: never "none".
pub const NO_ROW: &str = "no row on file";

/// Which facts are used, and which lists are not on file on a day.
pub fn stamp(kb: &Knowledge, as_of: Day) -> KnowledgeStamp {
    let unread = unread_lists(kb, as_of).join(", ");
    let absent = format!("lists whose entries are not on file, so that nobody can be said to be on them or not: {unread}");
    KnowledgeStamp {
        version: kb.version().to_owned(),
        sources_to: kb.sources_to().map(|d| d.to_string()).unwrap_or_default(),
        absent: if unread.is_empty() { Vec::new() } else { vec![absent] },
    }
}

/// Traces an organisation (its id in `organisations.csv`) as of the end of a day. An id that is not on file gives a
/// trace in which everything is unknown.
pub fn trace(kb: &Knowledge, org: &str, as_of: Day) -> Trace {
    let walk = Walk::up(kb, org, as_of);
    let row = kb.org(org);
    let name = row.map_or(org, |o| &o.name).to_owned();
    let jurisdictions = walk.jurisdictions();
    let (listings, pending) = walk.listings();
    let sources_to = kb.sources_to().map_or_else(|| "an unknown day".to_owned(), |d| d.to_string());
    let statement = sentence::statement(kb, org, &jurisdictions, &listings, &pending, as_of, &sources_to);
    Trace {
        org: org.to_owned(),
        name,
        owner: walk.owners(),
        headquarters: owned(row.and_then(|o| o.headquarters.as_deref())),
        rd_seat: owned(row.and_then(|o| o.rd_seat.as_deref())),
        factory: owned(row.and_then(|o| o.factory.as_deref())),
        // No table names who signs a maker's firmware; an image's signature does (a finding of that image).
        firmware_signer: None,
        open_points: walk.open_points(&listings),
        chain: walk.chain,
        former: walk.former,
        other: walk.other,
        alleged: walk.alleged,
        jurisdictions,
        listings,
        pending,
        statement,
    }
}

fn owned(cell: Option<&str>) -> Option<String> {
    cell.map(str::to_owned)
}

/// What an edge lets the parent decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Control,
    /// Half, or a share that is not stated: for a person to decide.
    Open,
    Minority,
    None,
}

fn power(edge: &Edge) -> Power {
    match (edge.edge, edge.share.as_deref()) {
        (EdgeKind::Controls | EdgeKind::Brands, _) | (EdgeKind::Owns, Some("GP")) => Power::Control,
        (EdgeKind::Owns, share) => match share.and_then(|s| s.trim_end_matches('%').trim().parse::<f64>().ok()) {
            Some(percent) if percent > 50.0 => Power::Control,
            Some(percent) if percent < 50.0 => Power::Minority,
            _ => Power::Open,
        },
        _ => Power::None,
    }
}

fn basis(edge: &Edge) -> Basis {
    let says = |word: &str| edge.note.as_deref().is_some_and(|n| n.starts_with(word));
    match edge.edge {
        EdgeKind::AffiliateAlleged => Basis::Alleged,
        _ if says("alleged:") => Basis::Alleged,
        _ if says("listed:") => Basis::Listed,
        _ => Basis::Declared,
    }
}

/// An organisation that decides over the one asked about, with the way to it.
struct Reached<'k> {
    id: &'k str,
    row: Option<&'k Organisation>,
    /// Organisations between, nearest first, this one last; empty for the one asked about.
    way: Vec<&'k str>,
    unclear: bool,
    top: bool,
}

/// Everything met on the way up.
struct Walk<'k> {
    kb: &'k Knowledge,
    day: Day,
    reached: Vec<Reached<'k>>,
    chain: Vec<Step>,
    former: Vec<Step>,
    other: Vec<Step>,
    alleged: Vec<Step>,
    /// Edges for a person to decide, and holders of minorities.
    open: Vec<(&'k Edge, Holds, Power)>,
}

impl<'k> Walk<'k> {
    /// Breadth first over what is clear, then over what is not: each organisation is expanded once, on the clearest
    /// way to it, so a circle of owners ends.
    fn up(kb: &'k Knowledge, org: &'k str, day: Day) -> Self {
        let mut walk = Walk {
            kb,
            day,
            reached: Vec::new(),
            chain: Vec::new(),
            former: Vec::new(),
            other: Vec::new(),
            alleged: Vec::new(),
            open: Vec::new(),
        };
        let mut clear = VecDeque::from([(org, Vec::new())]);
        let mut unclear = VecDeque::new();
        while let Some(((id, way), in_doubt)) = clear.pop_front().map(|n| (n, false)).or_else(|| unclear.pop_front().map(|n| (n, true))) {
            if walk.reached.iter().any(|r| r.id == id) {
                continue;
            }
            let parents = walk.expand(id, way.is_empty());
            walk.reached.push(Reached { id, row: kb.org(id), way: way.clone(), unclear: in_doubt, top: parents.is_empty() });
            for (parent, doubt) in parents {
                let mut way = way.clone();
                way.push(parent);
                if doubt || in_doubt { unclear.push_back((parent, way)) } else { clear.push_back((parent, way)) }
            }
        }
        walk.below(org);
        walk
    }

    /// What the organisation asked about is to others: whom it makes for, supplies and sells to.
    fn below(&mut self, org: &str) {
        let mut edges: Vec<&'k Edge> = self.kb.edges().iter().filter(|e| *e.parent == *org).collect();
        edges.sort_by_key(|e| (e.edge, e.from.map(Loose::earliest), &e.child));
        for edge in edges {
            let state = holds(self.day, edge.from, edge.to);
            let step = self.step(edge, state, power(edge));
            match edge.edge {
                _ if state == Holds::No => {}
                _ if step.basis == Basis::Alleged => self.alleged.push(step),
                EdgeKind::Makes | EdgeKind::Supplies | EdgeKind::CustomerOf => self.other.push(step),
                _ => {}
            }
        }
    }

    /// Sorts the edges of one organisation into what holds, what has ended and what is only said; returns the parents
    /// that decide, with whether that is in doubt.
    fn expand(&mut self, id: &str, asked: bool) -> Vec<(&'k str, bool)> {
        let mut edges: Vec<&'k Edge> = self.kb.edges_of(id).collect();
        edges.sort_by_key(|e| (e.edge, e.from.map(Loose::earliest), &e.parent));
        let mut parents = Vec::new();
        for edge in edges {
            let state = holds(self.day, edge.from, edge.to);
            let power = power(edge);
            let step = self.step(edge, state, power);
            match (edge.edge, state) {
                (EdgeKind::Owns | EdgeKind::Controls | EdgeKind::Brands, Holds::No)
                    if step.basis != Basis::Alleged && edge.to.is_some_and(|to| self.day >= to.latest()) =>
                {
                    self.former.push(step);
                }
                (_, Holds::No) => {}
                _ if step.basis == Basis::Alleged => self.alleged.push(step),
                (EdgeKind::Owns | EdgeKind::Controls | EdgeKind::Brands, _) => {
                    self.chain.push(step);
                    if state == Holds::Unclear || power != Power::Control {
                        self.open.push((edge, state, power));
                    }
                    if power != Power::Minority {
                        parents.push((&*edge.parent, state == Holds::Unclear || power == Power::Open));
                    }
                }
                // What a state gives an owner matters; who supplies an owner does not concern the one asked about.
                (EdgeKind::StateSupport | EdgeKind::Influence, _) => self.other.push(step),
                _ if asked => self.other.push(step),
                _ => {}
            }
        }
        parents
    }

    fn step(&self, edge: &Edge, state: Holds, power: Power) -> Step {
        Step {
            child: edge.child.to_string(),
            child_name: self.name(&edge.child).to_owned(),
            parent: edge.parent.to_string(),
            parent_name: self.name(&edge.parent).to_owned(),
            edge: edge.edge.name().to_owned(),
            share: owned(edge.share.as_deref()),
            from: edge.from.map(|d| d.to_string()),
            to: edge.to.map(|d| d.to_string()),
            control: power == Power::Control && state == Holds::Yes,
            unclear: state == Holds::Unclear,
            basis: basis(edge),
            source: edge.source.text.to_string(),
            verified: edge.source.verified,
        }
    }

    fn name(&self, id: &'k str) -> &'k str {
        self.kb.org(id).map_or(id, |o| &o.name)
    }

    /// The last ones that decide; empty = no row names an owner.
    fn owners(&self) -> Vec<String> {
        let above = self.reached.iter().filter(|r| r.top && !r.way.is_empty());
        above.map(|r| if r.unclear { format!("{} (unclear)", self.name(r.id)) } else { self.name(r.id).to_owned() }).collect()
    }

    fn jurisdictions(&self) -> Vec<Jurisdiction> {
        let mut out = Vec::new();
        for org in &self.reached {
            let countries = org.row.and_then(|o| o.country.as_deref()).unwrap_or_default();
            for country in countries.split(';').map(str::trim).filter(|c| !c.is_empty()) {
                out.push(Jurisdiction {
                    org: org.id.to_owned(),
                    country: country.to_owned(),
                    via: org.way.iter().map(|id| self.name(id).to_owned()).collect(),
                    laws: self.laws(country),
                    // Where it is organised is on record; that an owner's law reaches it follows from the edges.
                    basis: if org.way.is_empty() { Basis::Declared } else { Basis::Inferred },
                    unclear: org.unclear,
                    as_of: self.day.to_string(),
                });
            }
        }
        out
    }

    /// The laws on file that exist on the day; one that began at an unknown day of a month or year says so inside it.
    fn laws(&self, country: &str) -> Vec<String> {
        let national = self.kb.laws(country);
        let union = EU.contains(&country).then(|| self.kb.laws("EU")).into_iter().flatten();
        let mut laws = Vec::new();
        for law in national.chain(union) {
            let doubt = match (holds(self.day, law.date, None), law.date) {
                (Holds::No, _) => continue,
                (Holds::Unclear, Some(date)) => format!(" (in force in {date}, day not on file)"),
                _ => String::new(),
            };
            let comma = |p: &str| if p.starts_with('(') { " " } else { ", " };
            let provision = law.provision.as_deref().map(|p| format!("{}{p}", comma(p))).unwrap_or_default();
            let mark = if law.source.verified { "" } else { " (unverified)" };
            laws.push(format!("{}{provision}{doubt}{mark}", law.law));
        }
        if laws.is_empty() {
            laws.push(NO_ROW.to_owned());
        }
        laws
    }

    /// What lists name, and what only may become a listing.
    fn listings(&self) -> (Vec<Listing>, Vec<Listing>) {
        let (mut named, mut pending) = (Vec::new(), Vec::new());
        for org in &self.reached {
            let mut rows: Vec<_> = self.kb.listings_of(org.id).collect();
            rows.sort_by_key(|l| (&l.regime, l.from.map(Loose::earliest), &l.entity));
            for row in rows {
                let state = holds(self.day, row.from, row.to);
                let status = row.list_status.replace('_', "-");
                let listing = Listing {
                    regime: row.regime.to_string(),
                    entity: row.entity.to_string(),
                    org: org.id.to_owned(),
                    from: row.from.map(|d| d.to_string()),
                    to: row.to.map(|d| d.to_string()),
                    citation: row.citation.to_string(),
                    scope: row.scope.as_deref().unwrap_or_default().to_owned(),
                    prohibits: self.kb.regime(&row.regime).and_then(|r| r.prohibits.as_deref()).unwrap_or_default().to_owned(),
                    basis: Basis::Listed,
                    unclear: org.unclear || state == Holds::Unclear,
                    source: row.source.text.to_string(),
                    verified: row.source.verified,
                    list_status: status,
                };
                match (&*listing.list_status, state) {
                    (_, Holds::No) | ("not-listed", _) => {}
                    // An ended entry counts inside its own dates.
                    ("in-force" | "ended", _) => named.push(listing),
                    _ => pending.push(listing),
                }
            }
        }
        (named, pending)
    }

    fn open_points(&self, listings: &[Listing]) -> Vec<String> {
        let mut points = Vec::new();
        for (edge, state, power) in &self.open {
            let (parent, child) = (self.name(&edge.parent), self.name(&edge.child));
            if *state == Holds::Unclear {
                let bound = |d: Option<Loose>| d.map_or_else(|| "an unknown day".to_owned(), |d| d.to_string());
                let (from, to) = (bound(edge.from), bound(edge.to));
                points.push(format!(
                    "{parent} {} {child} from {from} to {to}: {} lies inside a bound that is not known to the day",
                    edge.edge, self.day
                ));
            }
            match (power, edge.share.as_deref()) {
                (Power::Open, Some(share)) => {
                    points.push(format!("{parent} owns {share} % of {child}: whether that is control is not decided here"))
                }
                (Power::Open, None) => points
                    .push(format!("{parent} owns {child} with a share that is not stated: whether that is control is not decided here")),
                (Power::Minority, Some(share)) => points.extend(self.listed_minority(edge, share, listings)),
                _ => {}
            }
        }
        points
    }

    /// A minority is no control, but some lists reach affiliates.
    fn listed_minority(&self, edge: &Edge, share: &str, listings: &[Listing]) -> Option<String> {
        let mut regimes: Vec<&str> = self
            .kb
            .listings_of(&edge.parent)
            .filter(|l| matches!(&*l.list_status, "in_force" | "in-force" | "ended") && holds(self.day, l.from, l.to) != Holds::No)
            .map(|l| &*l.regime)
            .filter(|r| !listings.iter().any(|l| l.regime == *r))
            .collect();
        regimes.sort_unstable();
        regimes.dedup();
        let (parent, child) = (self.name(&edge.parent), self.name(&edge.child));
        let lists = regimes.join(", ");
        (!lists.is_empty())
            .then(|| format!("{parent} holds {share} % of {child} and is listed ({lists}): whether that makes an affiliate is for review"))
    }
}
