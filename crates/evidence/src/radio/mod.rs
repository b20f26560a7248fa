//! What listening gives: surveys of Wi-Fi and Bluetooth, and sweeps of the spectrum.
//!
//! **What it reads.** Kismet's device export (JSON, one array or one device a line), its older `.netxml` and `.csv`,
//! airodump-ng's CSV and `.kismet.csv`, WiGLE CSV; and what `rtl_power`, `hackrf_sweep` and `soapy_power` write. A survey
//! says which radios were heard, not in which device they are: that is assessment's, by address.
//!
//! **When it is wrong.** Addresses that a device makes up (private addresses of telephones) belong to nobody. A sweep in
//! which the gain was changed half-way has two floors.

mod kismet;
mod sweep;
mod tables;
mod xml;

pub use kismet::KismetJson;
pub use sweep::SweepReader;
pub use tables::SurveyTable;
pub use xml::KismetXml;

use umbilical_core::Observations;
use umbilical_core::air::{Heard, RadioKind};
use umbilical_core::text::{clean, is_blank, short};

/// The most radios that are kept of one survey.
const MOST: usize = 200_000;

/// Text of a survey as it is kept; `None` where it says nothing.
fn kept(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    (!is_blank(text)).then(|| Box::from(&*clean(short(text, 120).as_ref())))
}

/// The radio that a word of a survey means.
fn kind(word: &str) -> RadioKind {
    let word = word.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|p| word.contains(p));
    if has(&["wi-fi", "wifi", "802.11", "802_11", "infra", "ad-hoc", "probe"]) {
        RadioKind::Wifi
    } else if has(&["bt", "bluetooth", "ble", "btle"]) {
        RadioKind::Bluetooth
    } else if has(&["802.15.4", "802154", "zigbee"]) {
        RadioKind::Zigbee
    } else if has(&["lora"]) {
        RadioKind::Lora
    } else {
        RadioKind::Other
    }
}

/// A signal in dBm; -1, 0 and positive numbers are "not measured" in every one of these formats.
fn dbm(text: &str) -> Option<i32> {
    text.trim().parse::<f64>().ok().map(|d| d.round() as i32).filter(|d| (-150..-1).contains(d))
}

/// Keeps a radio; one heard twice in a survey is one, at its strongest.
struct Survey<'o> {
    out: &'o mut Observations,
    input: u32,
    seen: rustc_hash::FxHashMap<(RadioKind, Box<str>), usize>,
    full: bool,
}

impl<'o> Survey<'o> {
    fn new(out: &'o mut Observations) -> Self {
        let input = u32::try_from(out.inputs.len()).unwrap_or(u32::MAX).saturating_sub(1);
        Self { out, input, seen: rustc_hash::FxHashMap::default(), full: false }
    }

    fn add(&mut self, mut heard: Heard) {
        heard.input = self.input;
        let key = (heard.kind, heard.address.clone());
        if let Some(known) = self.seen.get(&key).and_then(|at| self.out.heard.get_mut(*at)) {
            known.dbm = known.dbm.max(heard.dbm);
            known.name = known.name.take().or(heard.name);
            known.last = heard.last.or(known.last.take());
            if heard.role.as_deref() == Some("access point") {
                known.role = heard.role;
            }
            return;
        }
        if self.seen.len() >= MOST {
            if !std::mem::replace(&mut self.full, true) {
                self.out.problem(heard.at, format!("more than {MOST} radios in one survey: the rest is not kept"));
            }
            return;
        }
        self.seen.insert(key, self.out.heard.len());
        self.out.heard.push(heard);
        if let Some(input) = self.out.inputs.last_mut() {
            input.observations = input.observations.saturating_add(1);
        }
    }
}
