//! Radios beside the cellular one: what an observed module has by design, what a survey heard, and whether a document
//! declares it.

use rustc_hash::FxHashMap;
use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::answer::bom::{Check, PartAnswer};
use umbilical_core::answer::verify::{RadioRow, Row};
use umbilical_core::answer::{Because, Device};
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;
use umbilical_core::{Basis, Group, Observations};
use umbilical_knowledge::{Knowledge, ModuleRadio, Presence};

/// Words by which a document says that a radio is there; each stands alone in the text.
const WORDS: &[(RadioKind, &[&str])] = &[
    (RadioKind::Gnss, &["gnss", "gps", "glonass", "galileo", "beidou", "navstar", "satnav"]),
    (RadioKind::Wifi, &["wifi", "wlan", "80211", "80211b", "80211g", "80211n", "80211ac", "80211ax", "wi-fi", "802.11"]),
    (RadioKind::Bluetooth, &["bluetooth", "ble", "bt", "bt4", "bt5"]),
    (RadioKind::Lora, &["lora", "lorawan", "sx1276", "sx1262", "rfm95"]),
    (RadioKind::Zigbee, &["zigbee", "thread", "802154", "802.15.4"]),
    (RadioKind::Satellite, &["satellite", "iridium", "globalstar", "inmarsat", "ntn"]),
    (RadioKind::V2x, &["v2x", "c-v2x", "cv2x"]),
];

/// A line that declares a radio.
struct Line {
    /// `None`: a radio whose kind the line leaves open, which is taken for any.
    kind: Option<RadioKind>,
    place: String,
}

/// The radios that the documents declare.
pub(super) struct DeclaredRadios(Vec<Line>);

impl DeclaredRadios {
    /// Reads them off parts and their descriptions.
    pub fn of(check: &Check) -> Self {
        let mut out = Vec::new();
        for file in &check.files {
            for part in &file.parts {
                let place = || format!("{}, {}", clean(&file.path), part.at);
                let words = said(part);
                out.extend(words.iter().map(|kind| Line { kind: Some(*kind), place: place() }));
                match part.kind {
                    PartKind::Gnss => out.push(Line { kind: Some(RadioKind::Gnss), place: place() }),
                    PartKind::Radio if words.is_empty() => out.push(Line { kind: None, place: place() }),
                    _ => {}
                }
            }
        }
        Self(out)
    }

    /// The line that declares a kind.
    pub fn line(&self, kind: RadioKind) -> Option<String> {
        let exact = self.0.iter().find(|l| l.kind == Some(kind));
        let any = || self.0.iter().find(|l| l.kind.is_none() && kind != RadioKind::Gnss);
        exact.or_else(any).map(|l| l.place.clone())
    }
}

/// The radios that a line's own words name.
fn said(part: &PartAnswer) -> Vec<RadioKind> {
    // Only lines of things that may have a radio: a `GPS` in the description of a capacitor names its net.
    let may = matches!(
        part.kind,
        PartKind::Module | PartKind::Carrier | PartKind::Slot | PartKind::Gnss | PartKind::Radio | PartKind::Chipset | PartKind::Processor
    );
    if !may {
        return Vec::new();
    }
    let p = &part.part;
    let cells = [&p.value, &p.mpn, &p.description, &p.role];
    let properties = p.properties.iter().map(|(_, value)| value);
    let texts: Vec<String> = cells.into_iter().flatten().chain(properties).map(|t| t.to_lowercase()).collect();
    let has = |word: &&str| {
        texts.iter().any(|text| {
            text.match_indices(*word).any(|(at, _)| {
                let before = text.get(..at).and_then(|t| t.chars().next_back());
                let after = text.get(at.saturating_add(word.len())..).and_then(|t| t.chars().next());
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
            })
        })
    };
    WORDS.iter().filter(|(_, words)| words.iter().any(has)).map(|(kind, _)| *kind).collect()
}

/// The radios that the catalogue knows of the modules observed in these rows.
pub(super) fn by_design(kb: &Knowledge, rows: &[Row], declared: &DeclaredRadios) -> Vec<RadioRow> {
    let mut out: Vec<RadioRow> = Vec::new();
    for row in rows {
        let Some(module) = &row.observed else { continue };
        let (Some(maker), Some(model)) = (&module.maker, module.model.as_ref().or(module.family.as_ref())) else { continue };
        for radio in kb.radios_of(maker, model) {
            // Rows of one device stand together.
            if out.iter().rev().take_while(|o| o.device == row.device).any(|o| o.radio == radio.radio) {
                continue;
            }
            let line = declared.line(radio.radio);
            out.push(RadioRow {
                device: row.device.clone(),
                radio: radio.radio,
                witness: "catalogue",
                presence: Some(umbilical_knowledge::Word::name(radio.presence)),
                sentence: by_design_sentence(maker, model, radio, line.as_deref()),
                declared: line,
                address: None,
                name: None,
                dbm: None,
                basis: Basis::Inferred,
                because: super::rows::strongest(row).cloned().into_iter().collect(),
            });
        }
    }
    out
}

fn by_design_sentence(maker: &str, model: &str, radio: &ModuleRadio, line: Option<&str>) -> String {
    let has = match radio.presence {
        Presence::Always => "has",
        Presence::Option => "has in some builds",
    };
    let declared = match line {
        Some(line) => format!("declared in {line}"),
        None => "no document declares it".to_owned(),
    };
    let note = radio.note.as_deref().map(|n| format!(" ({n})")).unwrap_or_default();
    let mark = if radio.source.verified { "" } else { ", not verified" };
    format!("{maker} {model} {has} {}{note}: {declared}; by the catalogue: {}{mark}", radio.radio.words(), radio.source.text)
}

/// How a heard radio belongs to a device.
enum Tie<'d> {
    Same(&'d Device),
    Block(&'d Device),
    Near(Option<&'d Device>),
}

/// Surveys, and how they were taken.
pub(super) struct Survey<'a> {
    pub all: &'a Observations,
    /// Number of its first input in the answer.
    pub first: u32,
    /// The signal from which on a radio is at the device, where the survey was taken beside it.
    pub near: Option<i32>,
}

impl Survey<'_> {
    /// Radios that belong to a compared device, by address or, where the survey was taken beside it, by signal; and how many
    /// belong to none.
    pub fn heard(&self, kb: &Knowledge, devices: &[Device], declared: &DeclaredRadios) -> (Vec<RadioRow>, usize) {
        let addresses = Addresses::of(devices);
        let only = if let [one] = devices { Some(one) } else { None };
        let (mut out, mut others) = (Vec::new(), 0usize);
        for one in &self.all.heard {
            let near = || self.near.filter(|least| one.dbm.is_some_and(|dbm| dbm >= *least)).map(|_| Tie::Near(only));
            match addresses.tie(&one.address).or_else(near) {
                Some(tie) => {
                    let place = (one.input.saturating_add(self.first), self.all.locate(one.at));
                    out.push(row(kb, one, &tie, place, declared));
                }
                None => others = others.saturating_add(1),
            }
        }
        (out, others)
    }
}

/// The addresses of devices.
struct Addresses<'d>(FxHashMap<[u8; 5], Vec<(u8, bool, &'d Device)>>);

impl<'d> Addresses<'d> {
    fn of(devices: &'d [Device]) -> Self {
        let mut out: FxHashMap<[u8; 5], Vec<(u8, bool, &Device)>> = FxHashMap::default();
        for device in devices {
            for (block, last, local) in device.identifiers.mac.iter().filter_map(|m| octets(m)) {
                out.entry(block).or_default().push((last, local, device));
            }
        }
        Self(out)
    }

    /// The device of an address: its own, or one beside it. Radios of one product are numbered one after the other, and
    /// further networks of one radio differ in the bit for local addresses.
    fn tie(&self, address: &str) -> Option<Tie<'d>> {
        let (block, last, local) = octets(address)?;
        let known = self.0.get(&block)?;
        let same = known.iter().find(|k| (k.0, k.1) == (last, local)).map(|k| Tie::Same(k.2));
        same.or_else(|| known.iter().find(|k| k.0.abs_diff(last) <= 16).map(|k| Tie::Block(k.2)))
    }
}

/// The first five octets without the bit for local addresses, the last one, and that bit.
fn octets(text: &str) -> Option<([u8; 5], u8, bool)> {
    let list: Vec<u8> = text.split([':', '-']).map(|o| u8::from_str_radix(o, 16).ok()).collect::<Option<_>>()?;
    let [a, b, c, d, e, last] = *list.as_slice() else { return None };
    Some(([a & !2, b, c, d, e], last, a & 2 != 0))
}

/// A heard radio in the answer.
fn row(kb: &Knowledge, one: &Heard, tie: &Tie<'_>, (input, at): (u32, String), declared: &DeclaredRadios) -> RadioRow {
    let line = declared.line(one.kind);
    let name = one.name.as_deref().map(|n| clean(n).into_owned());
    let maker = kb.oui(&one.address).map(|o| o.brand.to_string()).or_else(|| one.maker.as_deref().map(|m| clean(m).into_owned()));
    let dbm = one.dbm.map(|d| format!(" at {d} dBm")).unwrap_or_default();
    let how = match *tie {
        Tie::Same(_) => "it is the device's own address".to_owned(),
        Tie::Block(_) => "its address stands beside the device's".to_owned(),
        Tie::Near(_) => "so strong that it stands beside the receiver; another device nearby could be as strong".to_owned(),
    };
    let device = match *tie {
        Tie::Same(d) | Tie::Block(d) => Some(d),
        Tie::Near(d) => d,
    };
    let whose = maker.map(|m| format!(" of {m}")).unwrap_or_default();
    let role = one.role.as_deref().map(|r| format!(", {}", clean(r))).unwrap_or_default();
    let said = match &line {
        Some(line) => format!("declared in {line}"),
        None => "no document declares it".to_owned(),
    };
    let sentence = format!("{} {}{whose}{role} was heard{dbm}: {how}; {said}", one.kind.words(), one.address);
    let sent = name.as_deref().map(|n| format!(" `{n}`")).unwrap_or_default();
    RadioRow {
        device: device.map(|d| d.id.clone()),
        radio: one.kind,
        witness: "survey",
        presence: None,
        declared: line,
        address: Some(one.address.to_string()),
        name,
        dbm: one.dbm,
        basis: if matches!(*tie, Tie::Near(_)) { Basis::Inferred } else { Basis::Observed },
        sentence,
        because: vec![Because {
            input,
            at,
            group: Group::Traffic.name(),
            kind: "mac",
            value: format!("{}{sent}{dbm}", one.address),
            basis: Basis::Observed,
            weight: 0,
            matched: how,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::octets;

    /// Whether two addresses are of one block.
    fn beside(a: &str, b: &str) -> bool {
        matches!((octets(a), octets(b)), (Some(a), Some(b)) if a.0 == b.0 && a.1.abs_diff(b.1) <= 16)
    }

    #[test]
    fn addresses_of_one_block_stand_beside_one_another() {
        assert!(beside("00:1e:42:aa:bb:10", "00:1E:42:AA:BB:12"));
        assert!(beside("00:1e:42:aa:bb:10", "02:1e:42:aa:bb:11"));
        assert!(!beside("00:1e:42:aa:bb:10", "00:1e:42:aa:bb:40"));
        assert!(!beside("00:1e:42:aa:bb:10", "00:1e:42:aa:bc:10"));
        assert!(!beside("", "x"));
    }
}
