//! Radios beside the cellular one that stand on a device's own bus.

use rustc_hash::{FxHashMap, FxHashSet};
use umbilical_core::air::RadioKind;
use umbilical_core::answer::verify::RadioRow;
use umbilical_core::answer::{Because, Device};
use umbilical_core::text::clean;
use umbilical_core::{Fact, Kind, Observations};

use super::radios::DeclaredRadios;

/// Words by which a bus listing or a driver names a radio.
const WORDS: &[(RadioKind, &[&str])] = &[
    (RadioKind::Wifi, &["802.11", "wi-fi", "wifi", "wlan", "wireless network adapter", "wireless-ac", "wireless-n", "wireless lan"]),
    (RadioKind::Bluetooth, &["bluetooth"]),
    (RadioKind::Gnss, &["gnss", "gps"]),
    (RadioKind::Zigbee, &["zigbee", "802.15.4"]),
    (RadioKind::Lora, &["lora"]),
];
/// Drivers, by how their names begin.
const DRIVERS: &[(RadioKind, &[&str])] = &[
    (
        RadioKind::Wifi,
        &["ath", "iwlwifi", "brcmfmac", "brcmsmac", "rtl8", "rtw8", "rtw_8", "mt76", "mt79", "mwifiex", "carl9170", "wl12", "wl18"],
    ),
    (RadioKind::Bluetooth, &["btusb", "btqca", "hci_"]),
];

/// Radios that stand on a device's own bus. A listing that speaks of one thing alone, in which one compared device is named,
/// is that device's.
pub(super) fn radios(all: &Observations, first: u32, devices: &[Device], declared: &DeclaredRadios) -> Vec<RadioRow> {
    let mut whose: FxHashMap<u32, Option<&Device>> = FxHashMap::default();
    for device in devices {
        for input in &device.inputs {
            whose.entry(*input).and_modify(|d| *d = None).or_insert(Some(device));
        }
    }
    let mut things: FxHashMap<u32, u32> = FxHashMap::default();
    for thing in all.things() {
        let count = things.entry(thing.input()).or_default();
        *count = count.saturating_add(1);
    }
    let mut told: FxHashSet<(&str, RadioKind)> = FxHashSet::default();
    let mut out: Vec<RadioRow> = Vec::new();
    for thing in all.things().filter(|t| things.get(&t.input()) == Some(&1)) {
        let input = thing.input().saturating_add(first);
        let Some(device) = whose.get(&input).copied().flatten() else { continue };
        for (_, fact, at) in thing.facts() {
            let Some(kind) = named(fact) else { continue };
            if !told.insert((&*device.id, kind)) {
                continue;
            }
            let line = declared.line(kind);
            let said = line.as_ref().map_or_else(|| "no document declares it".to_owned(), |l| format!("declared in {l}"));
            out.push(RadioRow {
                device: Some(device.id.clone()),
                radio: kind,
                witness: "bus",
                presence: None,
                declared: line,
                address: None,
                name: None,
                dbm: None,
                basis: fact.basis,
                sentence: format!("{} stands on the bus of the device (`{}`): {said}", kind.words(), clean(&fact.value)),
                because: vec![Because {
                    input,
                    at: all.locate(at),
                    group: fact.group.name(),
                    kind: fact.kind.name(),
                    value: clean(&fact.value).into_owned(),
                    basis: fact.basis,
                    weight: 0,
                    matched: "the words of the listing".to_owned(),
                }],
            });
        }
    }
    out
}

/// The radio that a fact of a bus listing names.
fn named(fact: &Fact) -> Option<RadioKind> {
    let text = fact.value.to_lowercase();
    let by = |table: &[(RadioKind, &[&str])], fits: &dyn Fn(&str) -> bool| {
        table.iter().find(|(_, words)| words.iter().any(|w| fits(w))).map(|(kind, _)| *kind)
    };
    match fact.kind {
        Kind::BusName | Kind::UsbProduct => by(WORDS, &|word| text.contains(word)),
        Kind::Driver => by(DRIVERS, &|word| text.starts_with(word)),
        // Wireless controller, radio frequency, Bluetooth: a class of the USB standard.
        Kind::UsbInterface => text.split_once(':').filter(|(_, class)| *class == "e0/01/01").map(|_| RadioKind::Bluetooth),
        _ => None,
    }
}
