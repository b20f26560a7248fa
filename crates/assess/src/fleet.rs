//! The fleet: every device with its verdict, counts over all of them, and the answer for each on demand.
//!
//! A million rows of a SIM export have a few thousand different lists of facts, so verdicts are computed once for
//! each list ([`identify`](crate::identify::identify)) and devices keep a number.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::answer::{
    AUDIT_SCHEMA, Audit, Because, Behind, Cellular, Coverage, Device, Duty, Identifiers, Imeis, Product, Said, Tallies, Tally, Trace,
};
use umbilical_core::finding::{Finding, Subject};
use umbilical_core::number::{Shown, cover, mask_numbers};
use umbilical_core::observation::ThingRef;
use umbilical_core::text::clean;
use umbilical_core::{Day, Group, IdKind, Kind, Observations};
use umbilical_knowledge::{Knowledge, TacOrigin};

use crate::findings::raise;
use crate::identify::claims::{FactRef, Reason};
use crate::identify::learn::Lessons;
use crate::identify::{Placed, Verdict, identify};
use crate::resolve::{Devices, keep_repeated, resolve};
use crate::shown;
use crate::trace::trace;

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The day of the answer.
    pub as_of: Day,
    /// Whether ICCID, IMSI and MSISDN are shown whole.
    pub show_subscribers: bool,
}

/// A resolved, identified fleet.
pub struct Fleet<'a> {
    all: &'a Observations,
    kb: &'a Knowledge,
    options: Options,
    devices: Devices,
    verdict_of: Vec<u32>,
    verdicts: Vec<Verdict>,
    lessons: Lessons,
    /// By brand name.
    traces: FxHashMap<String, Arc<Trace>>,
    /// Contested identifiers by record.
    contested: FxHashMap<u32, Vec<usize>>,
}

/// A verdict under way: a device that stands for all alike, and how many there are.
struct Alike {
    device: usize,
    count: u32,
}

/// What a device's id derives from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The first identifier present, else the place of its first evidence.
    Identifier,
    /// The digest of its first evidence and the place in it.
    Place,
    /// The same, and the path.
    Path,
}

impl<'a> Fleet<'a> {
    /// Resolves, learns, identifies and traces everything that was observed.
    pub fn new(all: &'a Observations, kb: &'a Knowledge, options: Options) -> Self {
        let trap = |imei: &str| kb.imei_trap(imei).is_some();
        let devices = resolve(all, &trap);
        let (verdict_of, kinds) = sort_out(all, &devices, &trap);
        let blank = Lessons::default();
        let mut verdicts: Vec<Verdict> = kinds.iter().map(|k| identify(kb, &blank, &place(all, &devices, k.device, &trap))).collect();
        let mut taught: Vec<(usize, Taught)> = Vec::new();
        for (number, (verdict, kind)) in verdicts.iter().zip(&kinds).enumerate() {
            taught.extend(teaches(verdict, &place(all, &devices, kind.device, &trap)).into_iter().map(|t| (number, t)));
        }
        let mut lessons = Lessons::default();
        if !taught.is_empty() {
            let inputs = inputs_of_kinds(all, &devices, &verdict_of, &taught.iter().map(|t| t.0).collect());
            for (number, t) in &taught {
                let count = kinds.get(*number).map_or(0, |k| k.count);
                lessons.teach(t.tac, &t.maker, &t.model, t.group, count, inputs.get(number).into_iter().flatten().copied());
            }
            for (number, kind) in kinds.iter().enumerate() {
                let placed = place(all, &devices, kind.device, &trap);
                let tacs = placed.iter().filter(|p| p.fact.kind == Kind::Tac);
                let codes: Vec<u32> = tacs.filter_map(|p| umbilical_knowledge::parse_tac(&p.fact.value)).collect();
                if codes.iter().all(|tac| lessons.of(*tac).is_empty()) {
                    continue;
                }
                let own = taught.iter().filter(|t| t.0 == number).map(|(_, t)| (t.tac, t.maker.as_str(), t.model.as_str()));
                let verdict = identify(kb, &lessons.from_others(&codes, own), &placed);
                if let Some(slot) = verdicts.get_mut(number) {
                    *slot = verdict;
                }
            }
        }
        let mut traces = FxHashMap::default();
        for name in verdicts.iter().flat_map(names_behind) {
            if !traces.contains_key(name)
                && let Some(org) = kb.org_of_brand(name)
            {
                traces.insert(name.to_owned(), Arc::new(trace(kb, &org.id, options.as_of)));
            }
        }
        let mut contested: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
        for (index, c) in devices.contested.iter().enumerate() {
            for record in &c.records {
                contested.entry(*record).or_default().push(index);
            }
        }
        Self { all, kb, options, devices, verdict_of, verdicts, lessons, traces, contested }
    }

    /// How many devices.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn verdict(&self, device: usize) -> Option<&Verdict> {
        self.verdicts.get(*self.verdict_of.get(device)? as usize)
    }

    /// The answer without its devices.
    pub fn audit(&self) -> Audit {
        let mut counts: Vec<u64> = vec![0; self.verdicts.len()];
        for number in &self.verdict_of {
            if let Some(count) = counts.get_mut(*number as usize) {
                *count = count.saturating_add(1);
            }
        }
        let mut coverage = Coverage { undisclosed: (!self.all.boms.is_empty()).then_some(0), ..Coverage::default() };
        let mut imeis = Imeis { licensed_table: self.kb.has_tac(TacOrigin::Licensed), ..Imeis::default() };
        let mut tally = TallyBook::default();
        for (verdict, count) in self.verdicts.iter().zip(counts) {
            coverage.devices = coverage.devices.saturating_add(count);
            let slot = match verdict.cellular {
                Cellular::Yes => &mut coverage.cellular,
                Cellular::No => &mut coverage.not_cellular,
                Cellular::Unknown => &mut coverage.unknown,
            };
            *slot = slot.saturating_add(count);
            if let (true, Some(n)) = (verdict.undisclosed, &mut coverage.undisclosed) {
                *n = n.saturating_add(count);
            }
            if verdict.modules.iter().any(|m| m.maker.is_some()) {
                coverage.module_known = coverage.module_known.saturating_add(count);
            }
            if verdict.cellular == Cellular::Yes && verdict.modules.is_empty() && verdict.product.is_some() {
                coverage.products = coverage.products.saturating_add(count);
            }
            let decided = verdict.tacs.iter().filter(|t| t.1).count() as u64;
            imeis.seen = imeis.seen.saturating_add(count.saturating_mul(verdict.tacs.len() as u64));
            imeis.decided = imeis.decided.saturating_add(count.saturating_mul(decided));
            self.tally(&mut tally, verdict, count);
        }
        imeis.undecided = imeis.seen.saturating_sub(imeis.decided);
        for c in &self.devices.contested {
            let n = c.records.len() as u64;
            match c.kind {
                IdKind::Imei => tally.findings.add("cloned-imei", n),
                IdKind::Iccid => tally.findings.add("sim-moved", n),
                _ => {}
            }
        }
        let mut problems: Vec<Said> =
            self.all.problems.iter().map(|p| Said { input: p.input, at: self.all.locate(p.at), what: p.what.clone() }).collect();
        for c in self.devices.contested.iter().filter(|c| !matches!(c.kind, IdKind::Imei | IdKind::Iccid)) {
            let what = format!(
                "{} `{}` stands on {} things with modems of their own: not used to join them",
                c.kind.name(),
                clean(&c.value),
                c.records.len()
            );
            problems.push(Said { input: None, at: "file".into(), what });
        }
        let mut absent = Vec::new();
        if !self.kb.has_tac(TacOrigin::Osmocom) {
            absent.push(
                "the Osmocom TAC table (CC-BY-SA 3.0, kept apart from the program) was not found: 2G-era IMEIs are not decided by it"
                    .to_owned(),
            );
        }
        if !imeis.licensed_table && imeis.undecided > 0 {
            absent.push(format!("no licensed TAC table: {} of {} IMEIs can be decided by no open table", imeis.undecided, imeis.seen));
        }
        let mut organisations: Vec<Trace> = self.traces.values().map(|t| Trace::clone(t)).collect();
        organisations.sort_by(|a, b| a.org.cmp(&b.org));
        organisations.dedup_by(|a, b| a.org == b.org);
        let mut knowledge = crate::trace::stamp(self.kb, self.options.as_of);
        absent.append(&mut knowledge.absent);
        knowledge.absent = absent;
        Audit {
            schema: AUDIT_SCHEMA,
            as_of: self.options.as_of.to_string(),
            knowledge,
            inputs: self.all.inputs.clone(),
            problems,
            coverage,
            imeis,
            learned: self.lessons.table(),
            tallies: tally.done(),
            law: None,
            organisations,
        }
    }

    fn tally(&self, book: &mut TallyBook, verdict: &Verdict, count: u64) {
        let open = match verdict.cellular {
            Cellular::Unknown => true,
            Cellular::Yes => verdict.product.is_none() && verdict.modules.iter().all(|m| m.model.is_none()),
            Cellular::No => false,
        };
        if let (true, Some(item)) = (open, verdict.next.first()) {
            book.next.add(item, count);
        }
        // What is found over devices is counted there, unless only an earlier answer knows of it.
        let found = |code: &str| self.devices.contested.iter().any(|c| over_devices(c.kind) == Some(code));
        let codes: FxHashSet<&str> = verdict.notices.iter().map(|n| n.0).filter(|code| !found(code)).collect();
        for code in codes {
            book.findings.add(code, count);
        }
        if verdict.cellular != Cellular::Yes {
            return;
        }
        let product = verdict.product.as_ref();
        if verdict.modules.is_empty() {
            let label = product.and_then(|p| p.brand.as_deref().map(|b| format!("{b} ({})", p.kind)));
            book.makers.add(label.as_deref().unwrap_or("unknown"), count);
            book.confidence.add("unknown", count);
        }
        let distinct = |labels: Vec<String>| -> FxHashSet<String> { labels.into_iter().collect() };
        for label in distinct(verdict.modules.iter().map(|m| m.maker.clone().unwrap_or_else(|| "unknown".into())).collect()) {
            book.makers.add(&label, count);
        }
        for label in distinct(verdict.modules.iter().filter_map(|m| Some(format!("{} {}", m.maker.as_ref()?, m.model.as_ref()?))).collect())
        {
            book.models.add(&label, count);
        }
        if let Some(best) = verdict.modules.first() {
            book.confidence.add(best.confidence_level.name(), count);
        }
        let mut countries = FxHashSet::default();
        let mut regimes = FxHashSet::default();
        for name in names_behind(verdict) {
            if let Some(found) = self.traces.get(name) {
                countries.extend(found.jurisdictions.iter().map(|j| j.country.clone()));
                regimes.extend(found.listings.iter().map(|l| l.regime.clone()));
            }
        }
        if countries.is_empty() {
            book.jurisdictions.add("unknown", count);
        }
        for country in countries {
            book.jurisdictions.add(&country, count);
        }
        for regime in regimes {
            book.listings.add(&regime, count);
        }
    }

    /// Every device in document order: cellular yes, unknown, no; then id.
    pub fn in_order(&self) -> Vec<(u64, u32)> {
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        let mut ids: Vec<u64> = (0..count).map(|d| self.id48(d as usize, By::Identifier)).collect();
        // Names and factory numbers repeat: things that would share an id take their evidence's place instead, and
        // copies of one file the path as well.
        for by in [By::Place, By::Path] {
            let mut repeated: Vec<(u64, u32)> = ids.iter().map(|id| id << 16).zip(0..count).collect();
            keep_repeated(&mut repeated);
            repeated.sort_unstable();
            for (_, device) in repeated.chunk_by(|a, b| a.0 == b.0).filter(|g| g.len() > 1).flatten() {
                if let Some(id) = ids.get_mut(*device as usize) {
                    *id = self.id48(*device as usize, by);
                }
            }
        }
        // One number to sort by: two bits of rank, 48 of id, 32 of device.
        let rank = |device: u32| self.verdict(device as usize).map_or(3u128, |v| v.cellular as u128);
        let mut keys: Vec<u128> = ids.iter().zip(0..count).map(|(id, d)| rank(d) << 80 | u128::from(*id) << 32 | u128::from(d)).collect();
        drop(ids);
        keys.sort_unstable();
        keys.into_iter().map(|k| ((k >> 32) as u64 & 0xffff_ffff_ffff, k as u32)).collect()
    }

    /// Every device's answer, in document order, made one at a time.
    pub fn devices(&self) -> impl Iterator<Item = Device> {
        self.in_order().into_iter().filter_map(|(id, device)| self.device(device as usize, id))
    }

    /// The first 48 bits of SHA-256 of `kind:value` of the first identifier present.
    fn id48(&self, device: usize, by: By) -> u64 {
        const ORDER: [IdKind; 8] =
            [IdKind::AssetId, IdKind::Serial, IdKind::Imei, IdKind::Eid, IdKind::Mac, IdKind::Vin, IdKind::Udi, IdKind::Name];
        let members = self.devices.members(device);
        let things = || members.iter().filter_map(|m| self.all.thing(*m as usize));
        let given = |t: ThingRef<'a>| t.ids().find(|(_, kind, _)| *kind == IdKind::Device).map(|(_, _, value)| value);
        // Who is known from earlier answers alone keeps the id they gave: names that were covered there derive another.
        if by == By::Identifier
            && let Some(id) = things().map(given).collect::<Option<Vec<&str>>>().and_then(|ids| ids.into_iter().min()).and_then(number_of)
        {
            return id;
        }
        let mut best: Option<(usize, &str)> = None;
        if by == By::Identifier {
            for (_, kind, value) in things().flat_map(|t| t.ids()) {
                if let Some(rank) = ORDER.iter().position(|k| *k == kind)
                    && best.is_none_or(|b| (rank, value) < b)
                    && !(is_typed(kind) && self.is_subscribers(members, value))
                {
                    best = Some((rank, value));
                }
            }
        }
        // An id that was given once comes before the place of evidence, which is another in every file.
        if best.is_none()
            && by == By::Identifier
            && let Some(id) = things().filter_map(given).min().and_then(number_of)
        {
            return id;
        }
        let (kind, value) = match best.and_then(|(rank, value)| Some((ORDER.get(rank)?.name(), value.to_owned()))) {
            Some(found) => found,
            None => {
                let thing = members.first().and_then(|m| self.all.thing(*m as usize));
                let place = thing.map(|t| {
                    let input = self.all.inputs.get(t.input() as usize);
                    let sha = input.map(|i| i.sha256.as_str()).unwrap_or_default();
                    let path = input.filter(|_| by == By::Path).map(|i| format!(" {}", i.path)).unwrap_or_default();
                    format!("{sha} {}{path}", self.all.locate(t.at()))
                });
                ("evidence", place.unwrap_or_default())
            }
        };
        let id = umbilical_core::id::content_id("", kind, &value);
        u64::from_str_radix(&id, 16).unwrap_or_default()
    }

    /// Whether a name or number that people gave is the card's or the subscriber's: such a one is never in an id, from
    /// which it could be guessed back.
    fn is_subscribers(&self, members: &[u32], value: &str) -> bool {
        let bare = value.trim_start_matches('+');
        if bare.len() < 7 || !bare.bytes().next().is_some_and(|b| b.is_ascii_digit()) {
            return false;
        }
        let ids = members.iter().filter_map(|m| self.all.thing(*m as usize)).flat_map(|t| t.ids());
        bare.len() < value.len()
            || umbilical_core::number::iccid(value).is_some()
            || ids.into_iter().any(|(_, kind, v)| is_subscriber(kind) && v == bare)
    }

    fn device(&self, device: usize, id: u64) -> Option<Device> {
        let verdict = self.verdict(device)?;
        let members = self.devices.members(device);
        let things: Vec<ThingRef<'_>> = members.iter().filter_map(|m| self.all.thing(*m as usize)).collect();
        let id = format!("dev-{id:012x}");
        let (names, identifiers) = self.identifiers(&things);
        let mut inputs: Vec<u32> = things.iter().map(|t| t.input()).collect();
        inputs.dedup();
        let numbers = imei_numbers(&things, &|imei| self.kb.imei_trap(imei).is_some());
        let modules = verdict
            .modules
            .iter()
            .map(|m| {
                let imei =
                    m.imeis.iter().filter_map(|n| numbers.iter().find(|(_, number)| **number == *n as usize)).map(|(v, _)| (*v).to_owned());
                let ownership = self.ownership(m.maker.as_deref(), m.brand.as_deref());
                shown::module(m, &id, ownership, imei.collect(), &|reason| self.because(&things, reason))
            })
            .collect();
        Some(Device {
            names,
            identifiers,
            cellular: verdict.cellular,
            cellular_confidence: verdict.cellular_confidence,
            because: verdict.cellular_because.iter().filter_map(|r| self.because(&things, r)).collect(),
            host: verdict.host.clone(),
            product: verdict.product.as_ref().map(|p| {
                let ownership = self.ownership(None, p.brand.as_deref());
                Product {
                    kind: p.kind,
                    brand: p.brand.clone(),
                    model: p.model.clone(),
                    confidence: p.confidence,
                    basis: p.basis,
                    jurisdictions: shown::jurisdictions(&ownership),
                    ownership,
                }
            }),
            modules,
            next_evidence: verdict.next.clone(),
            findings: self.findings(&id, verdict, &things, members),
            inputs,
            id,
            duty: Duty::default(),
        })
    }

    fn ownership(&self, maker: Option<&str>, brand: Option<&str>) -> Vec<Behind> {
        let of =
            |name: Option<&str>, role: &'static str| name.and_then(|n| self.traces.get(n)).map(|t| Behind { role, trace: Arc::clone(t) });
        let maker_trace = of(maker, "maker");
        let brand_trace = if brand == maker { None } else { of(brand, "brand") };
        maker_trace.into_iter().chain(brand_trace).collect()
    }

    fn because(&self, things: &[ThingRef<'_>], reason: &Reason) -> Option<Because> {
        let thing = things.get(reason.fact.record as usize)?;
        let (_, fact, at) = thing.facts().nth(reason.fact.fact as usize)?;
        Some(Because {
            input: thing.input(),
            at: self.all.locate(at),
            group: fact.group.name(),
            kind: fact.kind.name(),
            value: if self.options.show_subscribers || !in_words(fact.kind) {
                fact.value.to_string()
            } else {
                mask_numbers(&fact.value).into_owned()
            },
            basis: fact.basis,
            weight: reason.weight,
            matched: clean(&reason.matched).into_owned(),
        })
    }

    fn identifiers(&self, things: &[ThingRef<'_>]) -> (Vec<String>, Identifiers) {
        let mut names = Vec::new();
        let mut ids = Identifiers::default();
        let mut numbers: Vec<&str> =
            things.iter().flat_map(|t| t.ids()).filter(|(_, kind, _)| is_subscriber(*kind)).map(|(_, _, v)| v).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for (_, kind, value) in things.iter().flat_map(|t| t.ids()) {
            // What people type as a name or asset number may be the card's or the subscriber's number.
            let shown = clean(value).into_owned();
            let shown = if is_typed(kind) && !self.options.show_subscribers { cover(&shown, &numbers) } else { shown };
            let masked = |v: String| if self.options.show_subscribers { v } else { Shown(&v).to_string() };
            match kind {
                IdKind::AssetId => ids.asset_id.push(shown),
                IdKind::Serial => ids.serial.push(shown),
                IdKind::Imei => ids.imei.push(shown),
                IdKind::ImeiUnusable => ids.imei_unusable.push(shown),
                IdKind::Eid => ids.eid.push(shown),
                IdKind::Meid => ids.meid.push(shown),
                IdKind::Iccid => ids.iccid.push(masked(shown)),
                IdKind::Imsi => ids.imsi.push(masked(shown)),
                IdKind::Msisdn => ids.msisdn.push(masked(shown)),
                IdKind::Mac => ids.mac.push(shown),
                IdKind::Ip => ids.ip.push(shown),
                IdKind::Vin => ids.vin.push(shown),
                IdKind::Udi => ids.udi.push(shown),
                IdKind::Site => ids.site.push(shown),
                IdKind::Name => names.push(shown),
                // It is the device's id, or was.
                IdKind::Device => {}
            }
        }
        let lists = [
            &mut names,
            &mut ids.asset_id,
            &mut ids.serial,
            &mut ids.imei,
            &mut ids.imei_unusable,
            &mut ids.eid,
            &mut ids.meid,
            &mut ids.iccid,
            &mut ids.imsi,
            &mut ids.msisdn,
            &mut ids.mac,
            &mut ids.ip,
            &mut ids.vin,
            &mut ids.udi,
            &mut ids.site,
        ];
        for list in lists {
            list.sort_unstable();
            list.dedup();
        }
        (names, ids)
    }

    fn findings(&self, device: &str, verdict: &Verdict, things: &[ThingRef<'_>], members: &[u32]) -> Vec<Finding> {
        let place = |at: FactRef| {
            let thing = things.get(at.record as usize);
            let input =
                thing.and_then(|t| self.all.inputs.get(t.input() as usize)).map(|i| clean(&i.path).into_owned()).unwrap_or_default();
            let line = thing.and_then(|t| t.facts().nth(at.fact as usize)).map(|(_, _, at)| self.all.locate(at)).unwrap_or_default();
            format!("{input}, {line}")
        };
        let identity = |code: &'static str, because: Vec<String>| {
            raise(code, Subject { kind: "device", id: device.to_owned() }, because, serde_json::Value::Null)
        };
        let mut out: Vec<Finding> = verdict
            .notices
            .iter()
            .filter_map(|(code, what, at)| identity(code, vec![format!("{} ({})", clean(what), place(*at))]))
            .collect();
        let mut seen: Vec<usize> = members.iter().filter_map(|m| self.contested.get(m)).flatten().copied().collect();
        seen.sort_unstable();
        seen.dedup();
        for c in seen.into_iter().filter_map(|i| self.devices.contested.get(i)) {
            // Found again: what an earlier answer said of it adds nothing.
            out.retain(|f| over_devices(c.kind) != Some(&f.code) || !repeats(f));
            let others = c.records.len().saturating_sub(1);
            match c.kind {
                IdKind::Imei => out.extend(identity(
                    "cloned-imei",
                    vec![format!("IMEI {} is carried by {others} other thing(s) with identifiers of their own", c.value)],
                )),
                IdKind::Iccid => out
                    .extend(identity("sim-moved", vec![format!("SIM card {} was also seen in {others} other thing(s)", Shown(&c.value))])),
                _ => {}
            }
        }
        out.sort_by(|a, b| a.worst_first(b));
        out
    }

    /// Devices whose id, name or any identifier is the text (case ignored), or that have a claim of that id.
    pub fn find(&self, text: &str) -> Vec<Device> {
        let wanted = text.trim();
        let same = |v: &str| v.eq_ignore_ascii_case(wanted);
        let is_id = wanted.starts_with("dev-") || wanted.starts_with("clm-") || wanted.starts_with("fnd-");
        let mut out = Vec::new();
        for (id, device) in self.in_order() {
            let hit = if is_id {
                format!("dev-{id:012x}") == wanted
                    || (!wanted.starts_with("dev-")
                        && self.device(device as usize, id).is_some_and(|d| {
                            d.modules.iter().flat_map(|m| &m.claims).any(|c| c.id == wanted) || d.findings.iter().any(|f| f.id == wanted)
                        }))
            } else {
                let things = self.devices.members(device as usize).iter().filter_map(|m| self.all.thing(*m as usize));
                let mut ids = things.clone().flat_map(|t| t.ids());
                ids.any(|(_, kind, v)| same(v) || (kind == IdKind::Serial && v.split_once('|').is_some_and(|(_, s)| same(s))))
                    || things.clone().any(|t| self.all.inputs.get(t.input() as usize).is_some_and(|i| same(&i.path)))
            };
            if hit {
                out.extend(self.device(device as usize, id));
            }
        }
        out
    }
}

/// The finding that an identifier raises which several devices carry.
fn over_devices(kind: IdKind) -> Option<&'static str> {
    match kind {
        IdKind::Imei => Some("cloned-imei"),
        IdKind::Iccid => Some("sim-moved"),
        _ => None,
    }
}

/// Whether a finding is one of an earlier answer.
fn repeats(finding: &Finding) -> bool {
    finding.because.iter().any(|b| b.starts_with(crate::identify::EARLIER_FOUND))
}

/// The number behind `dev-`.
fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("dev-").filter(|hex| hex.len() == 12).and_then(|hex| u64::from_str_radix(hex, 16).ok())
}

/// Facts that are people's words, and may hold any number.
fn in_words(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::HostMaker
            | Kind::HostModel
            | Kind::DeclaredMaker
            | Kind::DeclaredModel
            | Kind::Model
            | Kind::DeviceClass
            | Kind::Earlier
    )
}

/// Identifiers that people type, and that may be any number.
fn is_typed(kind: IdKind) -> bool {
    matches!(kind, IdKind::Name | IdKind::AssetId | IdKind::Serial | IdKind::Site | IdKind::ImeiUnusable)
}

fn is_subscriber(kind: IdKind) -> bool {
    matches!(kind, IdKind::Iccid | IdKind::Imsi | IdKind::Msisdn)
}

/// Makers and brands of what a verdict found.
fn names_behind(verdict: &Verdict) -> impl Iterator<Item = &str> {
    let modules = verdict.modules.iter().flat_map(|m| [&m.maker, &m.brand]);
    modules.chain(verdict.product.iter().map(|p| &p.brand)).filter_map(|name| name.as_deref())
}

/// Usable IMEIs of a device, each with its number: its place in the order of first sight.
fn imei_numbers<'a>(things: &[ThingRef<'a>], trap: &dyn Fn(&str) -> bool) -> FxHashMap<&'a str, usize> {
    let mut out: FxHashMap<&str, usize> = FxHashMap::default();
    for (_, kind, value) in things.iter().flat_map(|t| t.ids()) {
        if kind == IdKind::Imei && !trap(value) {
            let next = out.len();
            out.entry(value).or_insert(next);
        }
    }
    out
}

fn place<'a>(all: &'a Observations, devices: &Devices, device: usize, trap: &dyn Fn(&str) -> bool) -> Vec<Placed<'a>> {
    let things: Vec<ThingRef<'a>> = devices.members(device).iter().filter_map(|m| all.thing(*m as usize)).collect();
    let numbers = imei_numbers(&things, trap);
    let mut out = Vec::new();
    // A year of daily rows about one SIM says one thing: what repeats in facts and IMEIs is taken once.
    let mut seen: FxHashSet<(u32, Vec<(u16, u32)>)> = FxHashSet::default();
    for (record, thing) in (0u32..).zip(&things) {
        let imeis: Vec<(u16, u32)> = thing
            .ids()
            .filter(|(_, kind, _)| *kind == IdKind::Imei)
            .filter_map(|(part, _, v)| Some((part, u32::try_from(*numbers.get(v)?).ok()?)))
            .collect();
        if !seen.insert((thing.signature(), imeis.clone())) {
            continue;
        }
        for (fact, (part, value, _)) in (0u32..).zip(thing.facts()) {
            let imei = imeis.iter().find(|(p, _)| *p == part).map(|(_, n)| *n);
            out.push(Placed { at: FactRef { record, fact }, part, imei, fact: value });
        }
    }
    out
}

/// Gives each device the number of its kind: same signatures, same pattern of IMEIs over parts.
fn sort_out(all: &Observations, devices: &Devices, trap: &dyn Fn(&str) -> bool) -> (Vec<u32>, Vec<Alike>) {
    let mut numbers: FxHashMap<Box<[u32]>, u32> = FxHashMap::default();
    let mut kinds: Vec<Alike> = Vec::new();
    let mut of = Vec::with_capacity(devices.len());
    let mut key: Vec<u32> = Vec::new();
    let mut imeis: Vec<&str> = Vec::new();
    for device in 0..devices.len() {
        key.clear();
        imeis.clear();
        for thing in devices.members(device).iter().filter_map(|m| all.thing(*m as usize)) {
            key.push(thing.signature());
            for (part, kind, value) in thing.ids() {
                if kind == IdKind::Imei && !trap(value) {
                    let number = imeis.iter().position(|v| *v == value).unwrap_or_else(|| {
                        imeis.push(value);
                        imeis.len().saturating_sub(1)
                    });
                    key.extend([u32::MAX, u32::from(part), u32::try_from(number).unwrap_or(u32::MAX)]);
                }
            }
        }
        let number = match numbers.get(&key[..]) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
                kinds.push(Alike { device, count: 0 });
                numbers.insert(key.clone().into(), number);
                number
            }
        };
        if let Some(kind) = kinds.get_mut(number as usize) {
            kind.count = kind.count.saturating_add(1);
        }
        of.push(number);
    }
    (of, kinds)
}

/// One teaching: TAC, maker, model, and by which witness the model was known.
struct Taught {
    tac: u32,
    maker: String,
    model: String,
    group: Group,
}

/// What a verdict teaches: the TAC of a module whose model was decided by something else than a TAC.
fn teaches(verdict: &Verdict, placed: &[Placed<'_>]) -> Vec<Taught> {
    let mut out = Vec::new();
    for module in &verdict.modules {
        let ([imei], Some(maker), Some(model)) = (module.imeis.as_slice(), &module.maker, &module.model) else { continue };
        if !module.conflicts.is_empty() {
            continue;
        }
        let Some(claim) = module.claims.iter().find(|c| c.level == umbilical_core::answer::Level::Model && c.value == *model) else {
            continue;
        };
        // What an earlier answer repeats may have been learned: it teaches nobody.
        let group_of = |at: FactRef| placed.iter().find(|p| p.at == at && p.fact.kind != Kind::Earlier).map(|p| p.fact.group);
        let group =
            claim.because.iter().filter(|r| !r.matched.starts_with("TAC") && r.weight >= 2000).filter_map(|r| group_of(r.fact)).min();
        let tac = placed
            .iter()
            .find(|p| p.imei == Some(*imei) && p.fact.kind == Kind::Tac)
            .and_then(|p| umbilical_knowledge::parse_tac(&p.fact.value));
        if let (Some(group), Some(tac), true) = (group, tac, claim.confidence >= 0.9) {
            out.push(Taught { tac, maker: maker.clone(), model: model.clone(), group });
        }
    }
    out
}

fn inputs_of_kinds(all: &Observations, devices: &Devices, verdict_of: &[u32], wanted: &FxHashSet<usize>) -> FxHashMap<usize, Vec<u32>> {
    let mut out: FxHashMap<usize, Vec<u32>> = FxHashMap::default();
    for (device, number) in verdict_of.iter().enumerate() {
        let number = *number as usize;
        if wanted.contains(&number) {
            let list = out.entry(number).or_default();
            for thing in devices.members(device).iter().filter_map(|m| all.thing(*m as usize)) {
                if list.last() != Some(&thing.input()) && !list.contains(&thing.input()) {
                    list.push(thing.input());
                }
            }
        }
    }
    out
}

#[derive(Default)]
struct Book(FxHashMap<String, u64>);

impl Book {
    fn add(&mut self, label: &str, count: u64) {
        match self.0.get_mut(label) {
            Some(n) => *n = n.saturating_add(count),
            None => {
                self.0.insert(label.to_owned(), count);
            }
        }
    }

    fn done(self) -> Vec<Tally> {
        let mut out: Vec<Tally> = self.0.into_iter().map(|(label, count)| Tally { label: clean(&label).into_owned(), count }).collect();
        out.sort_by(|a, b| (b.count, &a.label).cmp(&(a.count, &b.label)));
        out
    }
}

#[derive(Default)]
struct TallyBook {
    makers: Book,
    models: Book,
    jurisdictions: Book,
    confidence: Book,
    listings: Book,
    next: Book,
    findings: Book,
}

impl TallyBook {
    fn done(self) -> Tallies {
        Tallies {
            makers: self.makers.done(),
            models: self.models.done(),
            jurisdictions: self.jurisdictions.done(),
            confidence: self.confidence.done(),
            listings: self.listings.done(),
            next_evidence: self.next.done(),
            findings: self.findings.done(),
        }
    }
}
