//! Which parts of a device are one module: a router's modem seen on its bus, in its AT answers and by the SIM
//! platform is one thing; two modems in one router are two.

use rustc_hash::FxHashMap;
use umbilical_core::answer::Level;
use umbilical_core::weight::NONE_OF_THEM;
use umbilical_core::{Fact, Kind};

use super::claims::{Cast, FactRef};
use super::vote::{For, usb_id};

/// A part of one record.
pub struct Part<'a> {
    /// Index into the device's records.
    pub record: u32,
    /// Number of the part in the record; 0 is the thing itself.
    pub part: u16,
    /// Its facts.
    pub facts: Vec<(FactRef, &'a Fact)>,
    /// The IMEI it carries, as a number that is equal for equal IMEIs.
    pub imei: Option<u32>,
    /// Its votes.
    pub casts: Vec<Cast>,
}

impl Part<'_> {
    /// For minus against being cellular.
    pub fn cellular_score(&self) -> i32 {
        let of = |word: &str| {
            let votes: Vec<&Cast> =
                self.casts.iter().filter(|c| matches!(&c.vote.what, For::Claim(Level::Cellular, v) if v == word)).collect();
            super::claims::score(&votes)
        };
        of("yes").saturating_sub(of("no"))
    }

    /// Where it sits on a bus.
    pub fn bus(&self) -> Option<&str> {
        self.facts.iter().find(|(_, f)| f.kind == Kind::BusPath).map(|(_, f)| &*f.value)
    }

    /// Whether it is a device on a bus.
    pub fn on_bus(&self) -> bool {
        self.facts.iter().any(|(_, f)| matches!(f.kind, Kind::BusPath | Kind::UsbId | Kind::PciId))
    }

    /// Whether every id it shows is a chip's default or loader id, which a module shows while it is flashed.
    fn only_default_ids(&self) -> bool {
        let mut ids = self.facts.iter().filter(|(_, f)| f.kind == Kind::UsbId).peekable();
        ids.peek().is_some() && ids.all(|(_, f)| usb_id(&f.value).is_some_and(|(vid, _)| vid == 0x05c6))
    }

    /// The firms whose chips it names: the first words of its silicon.
    fn silicon(&self) -> Vec<&str> {
        let named = self.casts.iter().filter_map(|c| match &c.vote.what {
            For::Claim(Level::Silicon, value) => value.split_whitespace().next(),
            _ => None,
        });
        named.collect()
    }

    /// Maker and model that most votes go to, for comparing parts.
    fn leaning(&self) -> (Option<&str>, Option<&str>) {
        let top = |level: Level| {
            let mut sums: FxHashMap<&str, i32> = FxHashMap::default();
            for cast in &self.casts {
                if let For::Claim(l, value) = &cast.vote.what
                    && *l == level
                {
                    let sum = sums.entry(value).or_default();
                    *sum = (*sum).max(cast.vote.weight);
                }
            }
            sums.into_iter().filter(|(_, w)| *w >= 2000).max_by(|a, b| (a.1, b.0).cmp(&(b.1, a.0))).map(|(v, _)| v)
        };
        (top(Level::Maker), top(Level::Model))
    }
}

/// Groups the parts that can be cellular into modules; gives indices into `parts`.
pub fn modules(parts: &[Part<'_>]) -> Vec<Vec<usize>> {
    let candidates: Vec<usize> = (0..parts.len()).filter(|i| parts.get(*i).is_some_and(|p| p.cellular_score() > NONE_OF_THEM)).collect();
    let get = |i: &usize| parts.get(*i);
    let mut imeis: Vec<u32> = candidates.iter().filter_map(get).filter_map(|p| p.imei).collect();
    imeis.sort_unstable();
    imeis.dedup();
    let mut on_bus: FxHashMap<u32, usize> = FxHashMap::default();
    for part in candidates.iter().filter_map(get).filter(|p| p.on_bus() && !p.only_default_ids()) {
        let count = on_bus.entry(part.record).or_default();
        *count = count.saturating_add(1);
    }
    let apart = candidates.iter().enumerate().any(|(n, i)| {
        let rest = candidates.iter().skip(n.saturating_add(1)).filter_map(get);
        get(i).is_some_and(|a| rest.into_iter().any(|b| (a.record == b.record && different(a, b)) || both_placed(a, b)))
    });
    let several = imeis.len() > 1 || apart || on_bus.values().any(|n| *n > 1);
    if !several {
        // What names a brand without being cellular by itself (a label's maker line) still speaks for the one module.
        return if candidates.is_empty() { Vec::new() } else { vec![with_silent(parts, candidates)] };
    }
    let mut clusters: Vec<Vec<usize>> =
        imeis.iter().map(|imei| candidates.iter().copied().filter(|i| get(i).is_some_and(|p| p.imei == Some(*imei))).collect()).collect();
    let rest = |bus: bool| candidates.iter().copied().filter(move |i| get(i).is_some_and(|p| p.imei.is_none() && p.on_bus() == bus));
    for index in rest(true).chain(rest(false)) {
        let Some(part) = parts.get(index) else { continue };
        let same_place = clusters.iter().position(|c| part.bus().is_some() && c.iter().filter_map(get).any(|p| p.bus() == part.bus()));
        let home = same_place.or_else(|| {
            let same_bus = |p: &Part<'_>| p.bus().zip(part.bus()).is_none_or(|(a, b)| a.get(..3) == b.get(..3));
            let taken =
                |c: &Vec<usize>| part.on_bus() && c.iter().filter_map(get).any(|p| p.record == part.record && p.on_bus() && same_bus(p));
            let mut fits = (0..clusters.len()).filter(|c| clusters.get(*c).is_some_and(|c| !taken(c) && agree(parts, c, part)));
            let first = fits.next();
            // One that agrees, no more: two alike modems cannot be told apart by what they have in common.
            if fits.next().is_none() { first } else { None }
        });
        let unlike = part.leaning().1.is_some() && !clusters.iter().any(|c| agree(parts, c, part));
        let alone = part.on_bus() || unlike || clusters.is_empty();
        match home.and_then(|c| clusters.get_mut(c)) {
            Some(cluster) => cluster.push(index),
            None if alone => clusters.push(vec![index]),
            // A statement about "the modem" of a host with several, which fits none or more than one of them.
            None => {}
        }
    }
    clusters
}

/// Whether two parts of one record each answered for a modem, and name models that cannot be one.
fn different(a: &Part<'_>, b: &Part<'_>) -> bool {
    let answers = |p: &Part<'_>, kind: Kind| p.facts.iter().any(|(_, f)| f.kind == kind);
    let alike = [Kind::Model, Kind::FirmwareRevision].into_iter().any(|kind| answers(a, kind) && answers(b, kind));
    alike && !a.on_bus() && !b.on_bus() && unlike(a, b)
}

/// Whether two parts are lines of bills of materials that name models which cannot be one: each is placed by itself, on
/// whichever sheet.
fn both_placed(a: &Part<'_>, b: &Part<'_>) -> bool {
    let placed = |p: &Part<'_>| p.facts.iter().any(|(_, f)| f.kind == Kind::Cellular && &*f.value == crate::bom::PLACED);
    placed(a) && placed(b) && unlike(a, b)
}

/// Whether two parts name models of which neither is short for the other.
fn unlike(a: &Part<'_>, b: &Part<'_>) -> bool {
    let models = a.leaning().1.zip(b.leaning().1);
    models.is_some_and(|(x, y)| !super::claims::is_stem(x, y) && !super::claims::is_stem(y, x))
}

fn agree(parts: &[Part<'_>], cluster: &[usize], part: &Part<'_>) -> bool {
    let (maker, model) = part.leaning();
    cluster.iter().filter_map(|i| parts.get(*i)).any(|p| {
        let (m, o) = p.leaning();
        // One card in a slot that carries both buses: seen on PCI as its chip, on USB with its maker's name.
        let other_bus = p.bus().zip(part.bus()).is_some_and(|(a, b)| a.get(..3) != b.get(..3));
        if other_bus && (maker.is_none() || m.is_none()) {
            return p.silicon().iter().any(|a| part.silicon().contains(a));
        }
        match (model, o) {
            (Some(a), Some(b)) => super::claims::is_stem(a, b) || super::claims::is_stem(b, a),
            _ => maker.is_some() && maker == m,
        }
    })
}

/// Adds the parts that are not cellular by themselves and not devices on a bus: their words are about the one module.
fn with_silent(parts: &[Part<'_>], mut candidates: Vec<usize>) -> Vec<usize> {
    let silent =
        (0..parts.len()).filter(|i| parts.get(*i).is_some_and(|p| (0..=NONE_OF_THEM).contains(&p.cellular_score()) && !p.on_bus()));
    candidates.extend(silent);
    candidates.sort_unstable();
    candidates
}
