//! Radios beside the cellular one: what an observed module has by design, what a survey heard, and whether a document
//! declares it.

use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::answer::bom::{Check, PartAnswer};
use umbilical_core::answer::verify::{RadioRow, Row};
use umbilical_core::answer::{Because, Device};
use umbilical_core::bom::PartKind;
use umbilical_core::text::clean;
use umbilical_core::{Basis, Group};
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
    pub fn of(check: Option<&Check>) -> Self {
        let mut out = Vec::new();
        for file in check.iter().flat_map(|c| &c.files) {
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
            if out.iter().any(|o| o.device == row.device && o.radio == radio.radio) {
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

/// Radios of a survey that belong to a compared device, by address or, where the survey was taken beside it, by signal.
/// The number of those that belong to none comes with them.
pub(super) fn heard(
    kb: &Knowledge,
    heard: &[Heard],
    devices: &[Device],
    near: Option<i32>,
    declared: &DeclaredRadios,
    locate: &dyn Fn(&Heard) -> (u32, String),
) -> (Vec<RadioRow>, usize) {
    let (mut out, mut others) = (Vec::new(), 0usize);
    for one in heard {
        let has = |d: &&Device, fits: fn(&str, &str) -> bool| d.identifiers.mac.iter().any(|m| fits(m, &one.address));
        let tie = devices
            .iter()
            .find(|d| has(d, |a, b| a.eq_ignore_ascii_case(b)))
            .map(Tie::Same)
            .or_else(|| devices.iter().find(|d| has(d, same_block)).map(Tie::Block))
            .or_else(|| {
                let only = if let [one] = devices { Some(one) } else { None };
                near.filter(|least| one.dbm.is_some_and(|dbm| dbm >= *least)).map(|_| Tie::Near(only))
            });
        let Some(tie) = tie else {
            others = others.saturating_add(1);
            continue;
        };
        let (input, at) = locate(one);
        let line = declared.line(one.kind);
        let name = one.name.as_deref().map(|n| clean(n).into_owned());
        let maker = kb.oui(&one.address).map(|o| o.brand.to_string()).or_else(|| one.maker.as_deref().map(|m| clean(m).into_owned()));
        let dbm = one.dbm.map(|d| format!(" at {d} dBm")).unwrap_or_default();
        let how = match tie {
            Tie::Same(_) => "it is the device's own address".to_owned(),
            Tie::Block(_) => "its address stands beside the device's".to_owned(),
            Tie::Near(_) => "so strong that it stands beside the receiver; another device nearby could be as strong".to_owned(),
        };
        let device = match tie {
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
        out.push(RadioRow {
            device: device.map(|d| d.id.clone()),
            radio: one.kind,
            witness: "survey",
            presence: None,
            declared: line,
            address: Some(one.address.to_string()),
            name,
            dbm: one.dbm,
            basis: if matches!(tie, Tie::Near(_)) { Basis::Inferred } else { Basis::Observed },
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
        });
    }
    (out, others)
}

/// Whether two addresses are of one block: all but the last octet alike (the bit for local addresses aside) and the last
/// within sixteen. Radios of one product are numbered one after the other.
fn same_block(a: &str, b: &str) -> bool {
    let octets = |text: &str| -> Option<Vec<u8>> {
        let list: Option<Vec<u8>> = text.split([':', '-']).map(|o| u8::from_str_radix(o, 16).ok()).collect();
        list.filter(|l| l.len() == 6)
    };
    let (Some(a), Some(b)) = (octets(a), octets(b)) else { return false };
    let bare = |o: &[u8]| -> Vec<u8> { o.iter().take(5).enumerate().map(|(n, v)| if n == 0 { v & !2 } else { *v }).collect() };
    let last = |o: &[u8]| o.last().copied().unwrap_or_default();
    bare(&a) == bare(&b) && last(&a).abs_diff(last(&b)) <= 16
}

#[cfg(test)]
mod tests {
    use super::same_block;

    #[test]
    fn addresses_of_one_block_stand_beside_one_another() {
        assert!(same_block("00:1e:42:aa:bb:10", "00:1E:42:AA:BB:12"));
        assert!(same_block("00:1e:42:aa:bb:10", "02:1e:42:aa:bb:11"));
        assert!(!same_block("00:1e:42:aa:bb:10", "00:1e:42:aa:bb:40"));
        assert!(!same_block("00:1e:42:aa:bb:10", "00:1e:42:aa:bc:10"));
        assert!(!same_block("", "x"));
    }
}
