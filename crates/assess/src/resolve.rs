//! Which records speak of one device: joined on strong identifiers, never on weak ones.
//!
//! Asset id, maker + serial, EID, VIN, UDI and IMEI join; an ICCID joins where no IMEI contradicts (a card
//! moves); names, addresses, subscriptions and telephone numbers never do. An IMEI that things carry which
//! cannot be one (different asset ids, serials, vehicles) is *contested*: it splits instead of fusing.
//! An input whose path names an asset id exactly (`GW-0042/lsusb.txt`), and a record whose label is one (a SIM named
//! `GW-0042`), speak of that asset, if they have no asset id of their own.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use umbilical_core::observation::ThingRef;
use umbilical_core::text::squash;
use umbilical_core::{Day, IdKind, Observations};

/// More different IMEIs than this behind one asset id or serial: the number is a placeholder (`1`, `TBD`), not a
/// name of one thing.
const MAX_MODEMS: usize = 8;

/// The devices: lists of records.
pub struct Devices {
    members: Vec<u32>,
    starts: Vec<u32>,
    /// Identifiers that could not join what carries them, each with the first record of every side.
    pub contested: Vec<Contested>,
}

/// An identifier that things carry which cannot be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    /// IMEI, ICCID, asset id or serial.
    pub kind: IdKind,
    /// Its value.
    pub value: String,
    /// One record of each device that carries it.
    pub records: Vec<u32>,
}

impl Devices {
    /// How many.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records of a device, in order of input and place.
    pub fn members(&self, device: usize) -> &[u32] {
        match (self.starts.get(device), self.starts.get(device.saturating_add(1))) {
            (Some(from), Some(to)) => self.members.get(*from as usize..*to as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// Joins records into devices. `trap` says whether a canonical IMEI is a known factory default.
pub fn resolve(all: &Observations, trap: &dyn Fn(&str) -> bool) -> Devices {
    let mut sets = Sets::new(all.len());
    let mut contested = Vec::new();
    let keys = Keys::collect(all, trap);
    let mut assets = Assets::default();
    for (record, thing) in (0u32..).zip(all.things()) {
        for (_, kind, value) in thing.ids() {
            if kind == IdKind::AssetId && !is_placeholder(kind, value) {
                assets.add(value, record);
            }
        }
    }
    for (a, b) in all.same_things() {
        sets.union(*a, *b);
    }
    // What names the asset comes before IMEI and card, so that two assets with one IMEI are seen to be two.
    for kind in [IdKind::Device, IdKind::AssetId, IdKind::Serial, IdKind::Eid, IdKind::Vin, IdKind::Udi, IdKind::Imei, IdKind::Iccid] {
        if kind == IdKind::Imei && !assets.0.is_empty() {
            by_mention(all, &mut sets, &assets);
        }
        for group in keys.groups(kind) {
            join(all, &mut sets, kind, group, &mut contested);
        }
    }
    contested.sort_by(|a, b| (a.kind, &a.value).cmp(&(b.kind, &b.value)));
    let (members, starts) = sets.lists();
    Devices { members, starts, contested }
}

/// `(hash of value, record)` for one kind, sorted: equal values stand together. The values themselves are compared
/// in [`join`], so that two that share a hash are not fused.
struct Keys(FxHashMap<IdKind, Vec<(u64, u32)>>);

impl Keys {
    fn collect(all: &Observations, trap: &dyn Fn(&str) -> bool) -> Self {
        let mut by_kind: FxHashMap<IdKind, Vec<(u64, u32)>> = FxHashMap::default();
        for (record, thing) in (0u32..).zip(all.things()) {
            for (_, kind, value) in thing.ids() {
                let joins = matches!(
                    kind,
                    IdKind::Device
                        | IdKind::AssetId
                        | IdKind::Serial
                        | IdKind::Eid
                        | IdKind::Vin
                        | IdKind::Udi
                        | IdKind::Imei
                        | IdKind::Iccid
                );
                let empty = matches!(kind, IdKind::AssetId | IdKind::Serial) && is_placeholder(kind, value);
                if !joins
                    || empty
                    || (kind == IdKind::Iccid && !value.bytes().all(|b| b.is_ascii_hexdigit()))
                    || (kind == IdKind::Imei && trap(value))
                {
                    continue;
                }
                by_kind.entry(kind).or_default().push((hash_of(&join_key(kind, value)), record));
            }
        }
        for list in by_kind.values_mut() {
            keep_repeated(list);
            list.sort_unstable();
            list.dedup();
        }
        Self(by_kind)
    }

    fn groups(&self, kind: IdKind) -> impl Iterator<Item = &[(u64, u32)]> {
        self.0.get(&kind).map_or(&[][..], Vec::as_slice).chunk_by(|a, b| a.0 == b.0).filter(|g| g.len() > 1)
    }
}

/// Drops the keys that stand alone, in linear time: most identifiers of a fleet do, and sorting them all would not be.
/// Two bit maps, of what was seen and what was seen again; a few lone keys that share a bit stay, which does no harm.
pub(crate) fn keep_repeated(list: &mut Vec<(u64, u32)>) {
    let words = list.len().div_ceil(8).next_power_of_two();
    let (mut seen, mut again) = (vec![0u64; words], vec![0u64; words]);
    let place = |hash: u64| (usize::try_from(hash >> 38).unwrap_or(0) & words.saturating_sub(1), 1u64 << (hash >> 32 & 63));
    for (hash, _) in &*list {
        let (word, bit) = place(*hash);
        if let (Some(seen), Some(again)) = (seen.get_mut(word), again.get_mut(word)) {
            *again |= *seen & bit;
            *seen |= bit;
        }
    }
    drop(seen);
    list.retain(|(hash, _)| {
        let (word, bit) = place(*hash);
        again.get(word).is_some_and(|w| w & bit != 0)
    });
}

/// What two spellings of an identifier have in common.
fn join_key(kind: IdKind, value: &str) -> String {
    match kind {
        // The 20-digit form adds a check digit to the 19-digit one (ITU-T E.118).
        IdKind::Iccid => value.get(..19).unwrap_or(value).to_owned(),
        IdKind::Serial => serial_key(value),
        IdKind::AssetId | IdKind::Vin | IdKind::Udi => value.to_ascii_uppercase(),
        _ => value.to_owned(),
    }
}

/// `maker|serial` without the maker's legal form: `Dell Inc.|X1` and `Dell|X1` are one.
fn serial_key(value: &str) -> String {
    const FORMS: [&str; 20] = [
        "inc",
        "incorporated",
        "ltd",
        "limited",
        "co",
        "corp",
        "corporation",
        "company",
        "gmbh",
        "ag",
        "sa",
        "sas",
        "srl",
        "spa",
        "bv",
        "nv",
        "oy",
        "ab",
        "llc",
        "kg",
    ];
    let (maker, serial) = value.split_once('|').unwrap_or(("", value));
    let words =
        maker.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).filter(|w| !w.is_empty() && !FORMS.contains(&w.as_str()));
    format!("{}|{}", words.collect::<String>(), serial.to_ascii_uppercase())
}

fn ids_of<'a>(all: &'a Observations, record: u32, kind: IdKind) -> impl Iterator<Item = &'a str> {
    let thing = all.thing(record as usize);
    thing.into_iter().flat_map(|t: ThingRef<'a>| t.ids()).filter(move |(_, k, _)| *k == kind).map(|(_, _, v)| v)
}

fn join(all: &Observations, sets: &mut Sets, kind: IdKind, group: &[(u64, u32)], contested: &mut Vec<Contested>) {
    // Nearly always one value; two that share a hash are kept apart.
    let mut values: Vec<(String, Vec<u32>)> = Vec::new();
    for (hash, record) in group {
        for value in ids_of(all, *record, kind) {
            let key = join_key(kind, value);
            if hash_of(&key) != *hash {
                continue;
            }
            match values.iter_mut().find(|(v, _)| *v == key) {
                Some((_, records)) if records.last() != Some(record) => records.push(*record),
                Some(_) => {}
                None => values.push((key, vec![*record])),
            }
        }
    }
    for (value, records) in values.into_iter().filter(|(_, r)| r.len() > 1) {
        let cards = if kind == IdKind::Iccid { cards(all, &value, records) } else { vec![records] };
        for records in cards.into_iter().filter(|r| r.len() > 1) {
            join_value(all, sets, kind, value.clone(), &records, contested);
        }
    }
}

/// Records that share 19 digits of an ICCID, by card: two numbers of 20 digits that differ in the last are two cards; a
/// number of 19 belongs to the one of 20 if there is but one.
fn cards(all: &Observations, key: &str, records: Vec<u32>) -> Vec<Vec<u32>> {
    let long = |record: u32| ids_of(all, record, IdKind::Iccid).find(|v| v.len() > 19 && v.starts_with(key));
    let mut by_card: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
    for record in &records {
        if let Some(value) = long(*record) {
            by_card.entry(value).or_default().push(*record);
        }
    }
    if by_card.len() <= 1 {
        return vec![records];
    }
    let mut out: Vec<Vec<u32>> = by_card.into_values().collect();
    out.push(records.into_iter().filter(|r| long(*r).is_none()).collect());
    out.sort_unstable();
    out
}

fn hash_of(key: &str) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

fn join_value(all: &Observations, sets: &mut Sets, kind: IdKind, value: String, records: &[u32], contested: &mut Vec<Contested>) {
    let mut roots: Vec<u32> = records.iter().map(|r| sets.find(*r)).collect();
    roots.sort_unstable();
    roots.dedup();
    if roots.len() < 2 {
        return;
    }
    let of_roots = |sets: &mut Sets, id: IdKind| -> Vec<(u32, FxHashSet<String>)> {
        let key = |v: &str| if id == IdKind::Serial { number_of(v) } else { join_key(id, v) };
        roots.iter().map(|root| (*root, sets.members(*root).iter().flat_map(|m| ids_of(all, *m, id)).map(key).collect())).collect()
    };
    let differ = |found: &[(u32, FxHashSet<String>)]| {
        let named: Vec<&FxHashSet<String>> = found.iter().map(|(_, s)| s).filter(|s| !s.is_empty()).collect();
        named.iter().enumerate().any(|(i, a)| named.iter().skip(i.saturating_add(1)).any(|b| a.is_disjoint(b)))
    };
    // An earlier answer counted them as two, with more evidence than it carries.
    if kind != IdKind::Device && two_answers(all, sets, &roots) {
        let kept =
            roots.iter().copied().filter(|root| sets.members(*root).iter().any(|m| ids_of(all, *m, kind).next().is_some())).collect();
        contested.push(Contested { kind, value, records: kept });
        return;
    }
    match kind {
        IdKind::Imei => {
            let things = [IdKind::Serial, IdKind::Vin, IdKind::Udi, IdKind::Eid].into_iter().any(|id| differ(&of_roots(sets, id)));
            if things || two_assets(all, sets, &roots) || many_cards(all, records) {
                contested.push(Contested { kind, value, records: roots });
                return;
            }
        }
        IdKind::Iccid => {
            let imeis = of_roots(sets, IdKind::Imei);
            let clash = two_assets(all, sets, &roots)
                || [IdKind::Serial, IdKind::Vin, IdKind::Udi].into_iter().any(|id| differ(&of_roots(sets, id)));
            if clash || differ(&imeis) {
                // The card moved. What knows only the card belongs to the device that had it last, if that is known.
                let holders: Vec<u32> = imeis.iter().filter(|(_, s)| !s.is_empty()).map(|(r, _)| *r).collect();
                if let Some(last) = last_seen(all, sets, &holders, records) {
                    for (root, _) in imeis.iter().filter(|(_, s)| s.is_empty()) {
                        if !clash {
                            sets.union(last, *root);
                        }
                    }
                }
                contested.push(Contested { kind, value, records: holders });
                return;
            }
        }
        _ => {
            let mut many =
                |id: IdKind| of_roots(sets, id).into_iter().flat_map(|(_, s)| s).collect::<FxHashSet<String>>().len() > MAX_MODEMS;
            let placeholder = many(IdKind::Imei) || many(IdKind::Iccid) || many(IdKind::Eid);
            if placeholder || (kind == IdKind::Serial && two_assets(all, sets, &roots)) {
                contested.push(Contested { kind, value, records: roots });
                return;
            }
        }
    }
    for pair in roots.windows(2) {
        if let [a, b] = pair {
            sets.union(*a, *b);
        }
    }
}

/// Whether two of the sets have different asset ids from one input, or of one form (`GW-0042`, `GW-0043`): somebody
/// counts them as two. Registers that number things in forms of their own do not contradict each other.
fn two_assets(all: &Observations, sets: &Sets, roots: &[u32]) -> bool {
    let form = |id: &str| -> String { id.chars().map(|c| if c.is_ascii_digit() { '9' } else { c.to_ascii_uppercase() }).collect() };
    let mut counts: FxHashMap<String, Vec<(u32, FxHashSet<String>)>> = FxHashMap::default();
    for root in roots {
        for member in sets.members(*root) {
            let Some(thing) = all.thing(member as usize) else { continue };
            for value in ids_of(all, member, IdKind::AssetId) {
                for counter in [thing.input().to_string(), form(value)] {
                    let list = counts.entry(counter).or_default();
                    match list.iter_mut().find(|(r, _)| r == root) {
                        Some((_, assets)) => {
                            assets.insert(join_key(IdKind::AssetId, value));
                        }
                        None => list.push((*root, FxHashSet::from_iter([join_key(IdKind::AssetId, value)]))),
                    }
                }
            }
        }
    }
    counts
        .values()
        .any(|list| list.iter().enumerate().any(|(n, (_, a))| list.iter().skip(n.saturating_add(1)).any(|(_, b)| a.is_disjoint(b))))
}

/// Whether two of the sets have different ids by answers of one input.
fn two_answers(all: &Observations, sets: &Sets, roots: &[u32]) -> bool {
    let mut of_input: FxHashMap<u32, (u32, &str)> = FxHashMap::default();
    for root in roots {
        for member in sets.members(*root) {
            let Some(thing) = all.thing(member as usize) else { continue };
            for id in ids_of(all, member, IdKind::Device) {
                let (known, other) = of_input.entry(thing.input()).or_insert((*root, id));
                if *known != *root && *other != id {
                    return true;
                }
            }
        }
    }
    false
}

/// Whether one input shows the IMEI on more cards than one device holds, under different names: equipment whose IMEI was
/// copied, as a SIM platform sees it.
fn many_cards(all: &Observations, records: &[u32]) -> bool {
    const MAX_CARDS: usize = 2;
    let mut of_input: FxHashMap<u32, (FxHashSet<String>, FxHashSet<&str>)> = FxHashMap::default();
    for record in records {
        let Some(thing) = all.thing(*record as usize) else { continue };
        let (cards, names) = of_input.entry(thing.input()).or_default();
        cards.extend(ids_of(all, *record, IdKind::Iccid).map(|v| join_key(IdKind::Iccid, v)));
        names.extend(ids_of(all, *record, IdKind::Name));
    }
    of_input.values().any(|(cards, names)| cards.len() > MAX_MODEMS || (cards.len() > MAX_CARDS && names.len() > MAX_CARDS))
}

/// The number of `maker|number`.
fn number_of(serial: &str) -> String {
    serial.split_once('|').map_or(serial, |(_, number)| number).to_ascii_uppercase()
}

/// What makers and registrars write where they have no number (DMI tables, spreadsheets).
fn is_placeholder(kind: IdKind, value: &str) -> bool {
    const WORDS: [&str; 19] = [
        "0",
        "1",
        "123",
        "TBD",
        "TBC",
        "TODO",
        "NONE",
        "TEST",
        "UNKNOWN",
        "DEFAULT",
        "DEFAULTSTRING",
        "TOBEFILLEDBYOEM",
        "SYSTEMSERIALNUMBER",
        "NOTSPECIFIED",
        "NOTAVAILABLE",
        "NOTAPPLICABLE",
        "INVALID",
        "EMPTY",
        "SERIALNUMBER",
    ];
    let number = squash(&if kind == IdKind::Serial { number_of(value) } else { value.to_owned() });
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let counting = |text: &str| text.len() >= 6 && "01234567890123456789".contains(text);
    let hex = number.len() == 16 && number == "0123456789ABCDEF";
    WORDS.contains(&number.as_str())
        || hex
        || (digits && (counting(&number) || (number.len() >= 4 && number.bytes().all(|b| Some(b) == number.bytes().next()))))
}

/// The holder that was seen with the card on the latest day; nothing when two share it or no day is given.
fn last_seen(all: &Observations, sets: &mut Sets, holders: &[u32], records: &[u32]) -> Option<u32> {
    let mut latest: Vec<(Option<Day>, u32)> = Vec::new();
    for record in records {
        let root = sets.find(*record);
        if holders.contains(&root) {
            latest.push((all.thing(*record as usize).and_then(|t| t.day()), root));
        }
    }
    latest.sort_unstable();
    let (day, root) = latest.pop()?;
    let unique = latest.iter().all(|(d, r)| *r == root || *d < day);
    (day.is_some() && unique).then_some(root)
}

/// The assets by what their ids have in common whatever the separators: `GW-42`, `gw_42`.
#[derive(Default)]
struct Assets(FxHashMap<String, Vec<(String, u32)>>);

impl Assets {
    fn add(&mut self, id: &str, record: u32) {
        let exact = id.trim().to_ascii_uppercase();
        let list = self.0.entry(squash(id)).or_default();
        if !list.iter().any(|(known, _)| *known == exact) {
            list.push((exact, record));
        }
    }

    /// The asset that a text names: to the letter, or the only one that it can mean. Short numbers (`100`) mean anything.
    fn named(&self, text: &str) -> Option<u32> {
        let key = squash(text);
        if key.len() < 4 || !key.bytes().any(|b| b.is_ascii_digit()) {
            return None;
        }
        let list = self.0.get(&key)?;
        let exact = list.iter().find(|(id, _)| *id == text.trim().to_ascii_uppercase());
        match (exact, list.as_slice()) {
            (Some((_, record)), _) | (None, [(_, record)]) => Some(*record),
            _ => None,
        }
    }
}

/// Records without an asset id of their own join the asset that their label or their path names: the router in a crane
/// has a serial number of its own and is in the crane all the same.
fn by_mention(all: &Observations, sets: &mut Sets, assets: &Assets) {
    let mut of_input: Vec<Option<Option<u32>>> = vec![None; all.inputs.len()];
    for (record, thing) in (0u32..).zip(all.things()) {
        // An answer that is read back has joined what it names.
        let own = |k: IdKind| matches!(k, IdKind::AssetId | IdKind::Vin | IdKind::Udi | IdKind::Device);
        if thing.ids().any(|(_, k, _)| own(k)) {
            continue;
        }
        let labels = thing.ids().filter(|(_, k, v)| *k == IdKind::Name && v.bytes().any(|b| b.is_ascii_digit()));
        let by_label = labels.into_iter().find_map(|(_, _, v)| assets.named(v));
        let input = thing.input() as usize;
        let by_path = || {
            let slot = of_input.get_mut(input)?;
            *slot.get_or_insert_with(|| path_asset(all.inputs.get(input).map(|i| i.path.as_str()).unwrap_or_default(), assets))
        };
        if let Some(asset) = by_label.or_else(by_path) {
            sets.union(asset, record);
        }
    }
}

fn path_asset(path: &str, assets: &Assets) -> Option<u32> {
    let mut parts = path.rsplit(['/', '\\', '!']).take(2).map(|p| p.split_once('.').map_or(p, |(stem, _)| stem));
    parts.find_map(|part| {
        // `GW-0042`, or the asset id before or after an underscore: `GW-0042_lsusb`.
        let whole = std::iter::once(part);
        let pieces = part.split_once("__").into_iter().chain(part.rsplit_once('_')).flat_map(|(a, b)| [a, b]);
        whole.chain(pieces).find_map(|piece| assets.named(piece))
    })
}

/// Union–find whose root is always the smallest record, so that the order of joining does not matter.
struct Sets {
    parent: Vec<u32>,
    next: Vec<u32>,
}

impl Sets {
    fn new(len: usize) -> Self {
        let parent: Vec<u32> = (0..u32::try_from(len).unwrap_or(u32::MAX)).collect();
        // A ring through the members of each set, so that they can be listed.
        Self { next: parent.clone(), parent }
    }

    fn up(&self, of: u32) -> u32 {
        self.parent.get(of as usize).copied().unwrap_or(of)
    }

    fn find(&mut self, of: u32) -> u32 {
        let mut at = of;
        while self.up(at) != at {
            let grand = self.up(self.up(at));
            if let Some(slot) = self.parent.get_mut(at as usize) {
                *slot = grand;
            }
            at = grand;
        }
        at
    }

    fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        let (root, child) = (a.min(b), a.max(b));
        if let Some(slot) = self.parent.get_mut(child as usize) {
            *slot = root;
        }
        self.next.swap(root as usize, child as usize);
    }

    fn members(&self, root: u32) -> Vec<u32> {
        let mut out = vec![root];
        let mut at = self.next.get(root as usize).copied().unwrap_or(root);
        while at != root {
            out.push(at);
            at = self.next.get(at as usize).copied().unwrap_or(root);
        }
        out
    }

    /// Members by device, devices in the order of their first record: a counting sort by root.
    fn lists(mut self) -> (Vec<u32>, Vec<u32>) {
        let len = self.parent.len();
        let mut device_of = vec![0u32; len];
        let mut sizes: Vec<u32> = Vec::new();
        for record in 0..u32::try_from(len).unwrap_or(u32::MAX) {
            let root = self.find(record);
            let device = if root == record {
                sizes.push(0);
                u32::try_from(sizes.len()).unwrap_or(u32::MAX).saturating_sub(1)
            } else {
                device_of.get(root as usize).copied().unwrap_or_default()
            };
            if let Some(slot) = device_of.get_mut(record as usize) {
                *slot = device;
            }
            if let Some(size) = sizes.get_mut(device as usize) {
                *size = size.saturating_add(1);
            }
        }
        drop(self);
        let mut starts = Vec::with_capacity(sizes.len().saturating_add(1));
        let mut sum = 0u32;
        starts.push(0);
        for size in &sizes {
            sum = sum.saturating_add(*size);
            starts.push(sum);
        }
        let mut fill = starts.clone();
        let mut members = vec![0u32; len];
        for (record, device) in (0u32..).zip(&device_of) {
            if let Some(slot) = fill.get_mut(*device as usize) {
                if let Some(place) = members.get_mut(*slot as usize) {
                    *place = record;
                }
                *slot = slot.saturating_add(1);
            }
        }
        (members, starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use umbilical_core::{At, Basis, Group, Kind};

    /// One record: identifiers, and the day it was seen.
    type Row<'a> = (&'a [(IdKind, &'a str)], Option<&'a str>);

    fn fleet(rows: &[Row<'_>]) -> Observations {
        let mut out = Observations::new();
        out.begin_input("a.csv", "csv", String::new(), 0);
        for (n, (ids, day)) in (2u32..).zip(rows) {
            let mut record = out.record(At::row(n));
            record.fact(Kind::DeviceClass, "meter", Group::Document, Basis::Declared);
            if let Some(day) = day {
                record.seen(day.parse().unwrap());
            }
            for (kind, value) in *ids {
                record.id(*kind, value);
            }
        }
        out
    }

    fn groups(all: &Observations) -> Vec<Vec<u32>> {
        let devices = resolve(all, &|imei| imei == "001027000000007");
        (0..devices.len()).map(|d| devices.members(d).to_vec()).collect()
    }

    const A: &str = "490154203237518";
    const B: &str = "490154203237526";

    #[test]
    fn strong_identifiers_join_and_chain() {
        let all = fleet(&[
            (&[(IdKind::Imei, A)], None),
            (&[(IdKind::AssetId, "GW-1"), (IdKind::Imei, A)], None),
            (&[(IdKind::AssetId, "gw-1")], None),
            (&[(IdKind::Imei, B)], None),
        ]);
        assert_eq!(groups(&all), [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn one_imei_on_many_cards_with_names_of_their_own_is_a_copy() {
        let cards: Vec<String> = (0..5).map(|n| format!("89860012345678{n:05}")).collect();
        let names: Vec<String> = (0..5).map(|n| format!("pump {n}")).collect();
        let ids: Vec<[(IdKind, &str); 3]> =
            cards.iter().zip(&names).map(|(c, n)| [(IdKind::Iccid, c.as_str()), (IdKind::Name, n.as_str()), (IdKind::Imei, A)]).collect();
        let rows: Vec<Row<'_>> = ids.iter().map(|i| (&i[..], None)).collect();
        let devices = resolve(&fleet(&rows), &|_| false);
        assert_eq!((devices.len(), devices.contested.len()), (5, 1));
    }

    #[test]
    fn cards_that_differ_in_the_last_digit_are_two() {
        let all = fleet(&[(&[(IdKind::Iccid, "89860012345678901234")], None), (&[(IdKind::Iccid, "89860012345678901235")], None)]);
        assert_eq!(groups(&all).len(), 2);
    }

    #[test]
    fn rows_about_one_modem_are_one_device_and_placeholders_join_nothing() {
        let usage: Vec<Row<'_>> = (0..20).map(|_| (&[(IdKind::AssetId, "GW-1"), (IdKind::Imei, A)][..], None)).collect();
        assert_eq!(groups(&fleet(&usage)).len(), 1);
        for serial in ["Dell|To be filled by O.E.M.", "Dell|0", "Acme|1234567890", "Acme|0123456789ABCDEF", "Acme|0000"] {
            let all = fleet(&[(&[(IdKind::Serial, serial)], None), (&[(IdKind::Serial, serial)], None)]);
            assert_eq!(groups(&all).len(), 2, "{serial}");
        }
        let spelled = fleet(&[
            (&[(IdKind::Serial, "Teltonika|1122334455"), (IdKind::Imei, A)], None),
            (&[(IdKind::Serial, "Teltonika Networks|1122334455"), (IdKind::Imei, A)], None),
        ]);
        assert_eq!(groups(&spelled).len(), 1);
    }

    #[test]
    fn a_path_means_the_asset_to_the_letter_or_none() {
        let mut all =
            fleet(&[(&[(IdKind::AssetId, "A-1-11")], None), (&[(IdKind::AssetId, "A-111")], None), (&[(IdKind::AssetId, "100")], None)]);
        for path in ["A-111/lsusb.txt", "A111/lsusb.txt", "2026_100.txt"] {
            all.begin_input(path, "lsusb", String::new(), 0);
            all.record(At::line(1)).fact(Kind::UsbId, "2c7c:0125", Group::OwnWord, Basis::Observed);
        }
        assert_eq!(groups(&all), [vec![0], vec![1, 3], vec![2], vec![4], vec![5]]);
    }

    #[test]
    fn two_assets_that_sims_name_with_one_imei_are_two() {
        let all = fleet(&[
            (&[(IdKind::AssetId, "TRK-11")], None),
            (&[(IdKind::AssetId, "TRK-12")], None),
            (&[(IdKind::Name, "TRK-11"), (IdKind::Imei, A)], None),
            (&[(IdKind::Name, "TRK-12"), (IdKind::Imei, A)], None),
        ]);
        let devices = resolve(&all, &|_| false);
        assert_eq!(devices.len(), 2);
        assert_eq!(devices.contested.len(), 1);
    }

    #[test]
    fn a_makers_legal_form_does_not_part_a_serial() {
        let all = fleet(&[
            (&[(IdKind::Serial, "Dell|X1")], None),
            (&[(IdKind::Serial, "DELL Inc.|x1")], None),
            (&[(IdKind::Serial, "HP|X1")], None),
        ]);
        assert_eq!(groups(&all), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn names_numbers_and_addresses_never_join() {
        let weak = [IdKind::Name, IdKind::Imsi, IdKind::Msisdn, IdKind::Ip, IdKind::Site, IdKind::ImeiUnusable, IdKind::Mac];
        for kind in weak {
            let all = fleet(&[(&[(kind, "same")], None), (&[(kind, "same")], None)]);
            assert_eq!(groups(&all).len(), 2, "{kind:?}");
        }
    }

    #[test]
    fn a_cloned_imei_splits() {
        let all =
            fleet(&[(&[(IdKind::AssetId, "GW-1"), (IdKind::Imei, A)], None), (&[(IdKind::AssetId, "GW-2"), (IdKind::Imei, A)], None)]);
        let devices = resolve(&all, &|_| false);
        assert_eq!(devices.len(), 2);
        assert_eq!(devices.contested, [Contested { kind: IdKind::Imei, value: A.into(), records: vec![0, 1] }]);
    }

    #[test]
    fn a_factory_default_joins_nothing() {
        let all = fleet(&[(&[(IdKind::Imei, "001027000000007")], None), (&[(IdKind::Imei, "001027000000007")], None)]);
        assert_eq!(groups(&all).len(), 2);
    }

    #[test]
    fn a_card_joins_where_no_imei_contradicts() {
        let card = "8944500102198304826";
        let all = fleet(&[(&[(IdKind::Iccid, card)], None), (&[(IdKind::Iccid, "89445001021983048260"), (IdKind::Imei, A)], None)]);
        assert_eq!(groups(&all), [vec![0, 1]]);
        let moved = fleet(&[
            (&[(IdKind::Iccid, card)], None),
            (&[(IdKind::Iccid, card), (IdKind::Imei, A)], Some("2026-01-01")),
            (&[(IdKind::Iccid, card), (IdKind::Imei, B)], Some("2026-02-01")),
        ]);
        assert_eq!(groups(&moved), [vec![0, 2], vec![1]]);
        let undated = fleet(&[
            (&[(IdKind::Iccid, card)], None),
            (&[(IdKind::Iccid, card), (IdKind::Imei, A)], None),
            (&[(IdKind::Iccid, card), (IdKind::Imei, B)], None),
        ]);
        assert_eq!(groups(&undated).len(), 3);
    }

    #[test]
    fn what_repeats_is_kept_whatever_else_stands_alone() {
        let mut list: Vec<(u64, u32)> = (0..1000u32).map(|n| (hash_of(&n.to_string()), n)).collect();
        list.push((hash_of("7"), 5000));
        keep_repeated(&mut list);
        assert!(list.contains(&(hash_of("7"), 7)) && list.contains(&(hash_of("7"), 5000)));
        assert!(list.len() < 300, "{}", list.len());
        keep_repeated(&mut Vec::new());
    }

    #[test]
    fn an_asset_id_that_a_whole_fleet_carries_names_nothing() {
        let imeis: Vec<String> = (0..20).map(|n| umbilical_core::number::Imei::canonical(&format!("490154203237{n:02}"))).collect();
        let ids: Vec<[(IdKind, &str); 2]> = imeis.iter().map(|i| [(IdKind::AssetId, "TBD"), (IdKind::Imei, i.as_str())]).collect();
        let rows: Vec<Row<'_>> = ids.iter().map(|i| (&i[..], None)).collect();
        assert_eq!(groups(&fleet(&rows)).len(), 20);
    }

    #[test]
    fn a_label_that_is_an_asset_id_speaks_of_the_asset() {
        let all = fleet(&[
            (&[(IdKind::AssetId, "GW-0042"), (IdKind::Name, "Pump house")], None),
            (&[(IdKind::Name, "gw-0042"), (IdKind::Imei, A)], None),
            (&[(IdKind::Name, "Pump house"), (IdKind::Imei, B)], None),
        ]);
        assert_eq!(groups(&all), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn a_path_that_is_an_asset_id_speaks_of_the_asset() {
        let mut all = fleet(&[(&[(IdKind::AssetId, "GW-0042")], None)]);
        for path in ["site/GW-0042/lsusb.txt", "gw-0042.log", "gw-0042_at.txt", "site/GW-00421/lsusb.txt"] {
            all.begin_input(path, "lsusb", String::new(), 0);
            all.record(At::line(1)).fact(Kind::UsbId, "2c7c:0125", Group::OwnWord, Basis::Observed);
        }
        assert_eq!(groups(&all), [vec![0, 1, 2, 3], vec![4]]);
    }
}
