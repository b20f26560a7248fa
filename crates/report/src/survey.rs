//! What a report keeps while devices stream by: the first ones whole, and counts with examples of the rest.
//!
//! Devices come cellular first, so a fleet with up to [`EXACT`] of them is grouped exactly. In a larger one the counts
//! come from the tallies of the answer, and looking goes on (up to [`SEEK`]) only until every maker has been met once.

use std::collections::BTreeSet;

use umbilical_core::answer::{Audit, Behind, Cellular, Device, Module};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::weight::ConfidenceLevel;

use crate::say;

const EXACT: u64 = 5_000;
const SEEK: u64 = 20_000;
/// Examples kept of a group.
const EXAMPLES: usize = 3;
/// Groups kept apart; the rest are counted in the tallies.
const GROUPS: usize = 2_000;

/// Modules alike.
pub struct Group {
    /// As [`say::name`] says it.
    pub title: String,
    pub maker: Option<String>,
    /// `maker model`, as the tallies say it.
    pub tally: Option<String>,
    pub count: u64,
    /// By level, hint first.
    pub levels: [u64; 4],
    pub countries: Vec<String>,
    /// Names of devices.
    pub where_: Vec<String>,
}

impl Group {
    /// `confirmed`, or `12 confirmed, 3 probable`.
    pub fn sure(&self) -> String {
        let words = [ConfidenceLevel::Confirmed, ConfidenceLevel::Probable, ConfidenceLevel::Possible, ConfidenceLevel::Hint];
        let some: Vec<(u64, &str)> =
            words.iter().zip(self.levels.iter().rev()).filter(|(_, n)| **n > 0).map(|(w, n)| (*n, w.name())).collect();
        match &*some {
            [(_, word)] => (*word).to_owned(),
            several => several.iter().map(|(n, word)| format!("{} {word}", say::count(*n))).collect::<Vec<_>>().join(", "),
        }
    }

    /// `GW-1, GW-2 and 4 more`.
    pub fn places(&self) -> String {
        let more = self.count.saturating_sub(self.where_.len() as u64);
        let names = self.where_.join(", ");
        if more == 0 { names } else { format!("{names} and {} more", say::count(more)) }
    }
}

/// An organisation behind modules.
pub struct Counted {
    pub who: Behind,
    /// Devices met.
    pub count: u64,
}

/// Findings of one code.
pub struct Found {
    pub first: Finding,
    pub severity: Severity,
    pub count: u64,
    /// Device id, name and what makes it so.
    pub examples: Vec<(String, String, String)>,
}

/// What was kept.
#[derive(Default)]
pub struct Survey {
    pub shown: Vec<Device>,
    pub groups: Vec<Group>,
    pub behind: Vec<Counted>,
    pub found: Vec<Found>,
    /// What unknown devices need first, and how many.
    open: Vec<(String, u64)>,
    /// Whether every cellular device was met.
    pub exact: bool,
    pub looked: u64,
}

impl Survey {
    /// How many devices have a finding: of the whole fleet where one verdict of its code was met, else as many as were met.
    pub fn count(&self, audit: &Audit, found: &Found) -> u64 {
        let alone = self.found.iter().filter(|f| f.first.code == found.first.code).count() == 1;
        audit.tallies.findings.iter().find(|t| alone && t.label == found.first.code).map_or(found.count, |t| t.count)
    }

    /// Reads devices as far as needed, keeping the first `keep`.
    pub fn of(audit: &Audit, devices: impl IntoIterator<Item = Device>, keep: usize) -> Self {
        let mut out = Self { exact: true, ..Self::default() };
        let mut missing: BTreeSet<&str> = audit.tallies.makers.iter().map(|t| t.label.as_str()).filter(|l| *l != "unknown").collect();
        for device in devices {
            let cellular = device.cellular == Cellular::Yes;
            let done = out.shown.len() >= keep && out.looked >= EXACT;
            if done && (!cellular || missing.is_empty() || out.looked >= SEEK) {
                out.exact = !cellular;
                break;
            }
            out.looked = out.looked.saturating_add(1);
            for maker in device.modules.iter().filter_map(|m| m.maker.as_deref()) {
                missing.remove(maker);
            }
            if let Some(p) = &device.product {
                missing.remove(&*format!("{} ({})", p.brand.as_deref().unwrap_or_default(), p.kind));
            }
            out.note(audit, &device);
            if out.shown.len() < keep {
                out.shown.push(device);
            }
        }
        out.groups.sort_by(|a, b| (b.count, &a.title).cmp(&(a.count, &b.title)));
        out.behind.sort_by(|a, b| (b.count, a.who.role, &a.who.name).cmp(&(a.count, b.who.role, &b.who.name)));
        out.found.sort_by(|a, b| (b.severity, b.count, &a.first.code).cmp(&(a.severity, a.count, &b.first.code)));
        out
    }

    /// What most of the unknown devices that were met need first.
    pub fn collect(&self) -> Option<&str> {
        self.open.iter().rev().max_by_key(|o| o.1).map(|o| o.0.as_str())
    }

    fn note(&mut self, audit: &Audit, device: &Device) {
        if let (Cellular::Unknown, Some(next)) = (device.cellular, device.next_evidence.first()) {
            match self.open.iter_mut().find(|o| o.0 == *next) {
                Some(o) => o.1 = o.1.saturating_add(1),
                None => self.open.push((next.clone(), 1)),
            }
        }
        let mut traced: Vec<(&str, &str)> = Vec::new();
        for module in &device.modules {
            self.group(audit, device, module);
        }
        let of_modules = device.modules.iter().flat_map(|m| &m.ownership);
        for who in of_modules.chain(device.product.iter().flat_map(|p| &p.ownership)) {
            let key = (who.role, who.org.as_str());
            if traced.contains(&key) {
                continue;
            }
            traced.push(key);
            let room = self.behind.len() < GROUPS;
            match self.behind.iter_mut().find(|b| (b.who.role, b.who.org.as_str()) == key) {
                Some(b) => b.count = b.count.saturating_add(1),
                None if room => self.behind.push(Counted { who: who.clone(), count: 1 }),
                None => {}
            }
        }
        let is_open = |f: &&umbilical_core::finding::Finding| f.source == "rule" && f.verdict == Some("unknown");
        for finding in device.findings.iter().filter(|f| !is_open(f)) {
            let found = match self.found.iter_mut().position(|f| f.first.code == finding.code && f.first.verdict == finding.verdict) {
                Some(at) => self.found.get_mut(at),
                None => {
                    self.found.push(Found { first: finding.clone(), severity: finding.severity, count: 0, examples: Vec::new() });
                    self.found.last_mut()
                }
            };
            if let Some(found) = found {
                found.count = found.count.saturating_add(1);
                found.severity = found.severity.max(finding.severity);
                if found.examples.len() < EXAMPLES * 4 {
                    found.examples.push((device.id.clone(), say::label(audit, device), finding.because.join(" ")));
                }
            }
        }
    }

    fn group(&mut self, audit: &Audit, device: &Device, module: &Module) {
        let title = say::name(module);
        let at = match self.groups.iter().position(|g| g.title == title) {
            Some(at) => at,
            None if self.groups.len() < GROUPS => {
                self.groups.push(Group {
                    title,
                    maker: module.maker.clone(),
                    tally: module.maker.as_ref().zip(module.model.as_ref()).map(|(maker, model)| format!("{maker} {model}")),
                    count: 0,
                    levels: [0; 4],
                    countries: say::countries(module),
                    where_: Vec::new(),
                });
                self.groups.len().saturating_sub(1)
            }
            None => return,
        };
        let Some(group) = self.groups.get_mut(at) else { return };
        group.count = group.count.saturating_add(1);
        if let Some(n) = group.levels.get_mut(module.confidence_level as usize) {
            *n = n.saturating_add(1);
        }
        if group.where_.len() < EXAMPLES {
            group.where_.push(say::label(audit, device));
        }
    }

    /// Makers with the count of the whole fleet, and the countries whose law reaches them where one was met.
    pub fn countries_of(&self, maker: &str) -> String {
        let group = self.groups.iter().find(|g| g.maker.as_deref() == Some(maker));
        match group.map(|g| g.countries.join(", ")) {
            Some(list) if !list.is_empty() => list,
            _ => "unknown".to_owned(),
        }
    }
}
