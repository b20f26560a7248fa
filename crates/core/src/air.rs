//! What listening beside a device gives: radios that were heard, and the energy that a spectrum sweep measured.

use serde::{Deserialize, Serialize};

use crate::bom::Cell;
use crate::observation::At;

/// A kind of radio that is not the cellular one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RadioKind {
    /// A receiver of navigation satellites.
    Gnss,
    /// IEEE 802.11.
    Wifi,
    /// Classic or low energy.
    Bluetooth,
    /// LoRa and its relatives below 1 GHz.
    Lora,
    /// IEEE 802.15.4: ZigBee, Thread.
    Zigbee,
    /// Two-way satellite communication.
    Satellite,
    /// Vehicle to everything, on its direct interface.
    V2x,
    /// Any other.
    Other,
}

impl RadioKind {
    /// Every kind, in order.
    pub const ALL: &[Self] = &[Self::Gnss, Self::Wifi, Self::Bluetooth, Self::Lora, Self::Zigbee, Self::Satellite, Self::V2x, Self::Other];

    /// The kebab-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gnss => "gnss",
            Self::Wifi => "wifi",
            Self::Bluetooth => "bluetooth",
            Self::Lora => "lora",
            Self::Zigbee => "zigbee",
            Self::Satellite => "satellite",
            Self::V2x => "v2x",
            Self::Other => "other",
        }
    }

    /// The kind of a kebab-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|k| k.name() == name)
    }

    /// The name in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gnss => "satellite navigation (GNSS)",
            Self::Wifi => "Wi-Fi",
            Self::Bluetooth => "Bluetooth",
            Self::Lora => "LoRa",
            Self::Zigbee => "ZigBee or Thread",
            Self::Satellite => "satellite communication",
            Self::V2x => "vehicle-to-everything (V2X)",
            Self::Other => "another radio",
        }
    }
}

/// A radio that a survey heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Index of the input.
    pub input: u32,
    /// Where it stands.
    pub at: At,
    /// What kind of radio.
    pub kind: RadioKind,
    /// Its address, `aa:bb:cc:dd:ee:ff`.
    pub address: Box<str>,
    /// The name it sends: SSID, device name.
    pub name: Cell,
    /// What it was doing, as the survey says: `access point`, `client`.
    pub role: Cell,
    /// The maker that the survey's own table gives.
    pub maker: Cell,
    /// Its strongest signal, dBm; `None` = not measured.
    pub dbm: Option<i32>,
    /// First heard, as written.
    pub first: Cell,
    /// Last heard, as written.
    pub last: Cell,
}

/// The width of a [`SweepCell`], kHz: one GSM channel, about the narrowest thing that a cellular uplink sends.
pub const CELL_KHZ: u32 = 200;

/// A spectrum sweep, folded: for each cell of [`CELL_KHZ`] how often which power was measured in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sweep {
    /// Index of the input.
    pub input: u32,
    /// How many lines it has.
    pub lines: u64,
    /// Time of the first line, as written.
    pub first: Cell,
    /// Time of the last line, as written.
    pub last: Cell,
    /// The cells, by frequency.
    pub cells: Vec<SweepCell>,
}

/// What was measured in one cell of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SweepCell {
    /// Where it begins, kHz: a multiple of [`CELL_KHZ`].
    pub khz: u32,
    /// The power of the first count, dB of the receiver's own scale.
    pub from_db: i32,
    /// How many passes measured each power, in steps of 1 dB: of a pass the strongest bin in the cell counts.
    pub counts: Box<[u32]>,
    /// When the strongest was measured, as written.
    pub peak_at: Cell,
    /// Where the strongest stands: a line.
    pub peak_line: u32,
}

impl SweepCell {
    /// How many passes measured it.
    pub fn passes(&self) -> u64 {
        self.counts.iter().map(|c| u64::from(*c)).sum()
    }

    /// The strongest, dB.
    pub fn peak_db(&self) -> i32 {
        self.from_db.saturating_add(i32::try_from(self.counts.len()).unwrap_or(i32::MAX)).saturating_sub(1)
    }

    /// In how many passes the power was this or more.
    pub fn at_least(&self, db: i32) -> u64 {
        let skip = usize::try_from(i64::from(db).saturating_sub(i64::from(self.from_db)).max(0)).unwrap_or(usize::MAX);
        self.counts.iter().skip(skip).map(|c| u64::from(*c)).sum()
    }

    /// The power that half of the passes stay at or below, dB; `None` without any.
    pub fn median_db(&self) -> Option<i32> {
        let half = self.passes().checked_sub(1)? / 2;
        let mut seen = 0u64;
        for (db, count) in (self.from_db..).zip(&self.counts) {
            seen = seen.saturating_add(u64::from(*count));
            if seen > half {
                return Some(db);
            }
        }
        None
    }

    /// The median distance from the median, dB.
    pub fn spread_db(&self) -> Option<i32> {
        let median = self.median_db()?;
        let half = self.passes().checked_sub(1)? / 2;
        let mut far: Vec<(i32, u64)> =
            (self.from_db..).zip(&self.counts).map(|(db, c)| (db.saturating_sub(median).saturating_abs(), u64::from(*c))).collect();
        far.sort_unstable();
        let mut seen = 0u64;
        far.into_iter().find_map(|(distance, count)| {
            seen = seen.saturating_add(count);
            (seen > half).then_some(distance)
        })
    }
}

/// One line of a list of pieces that were shipped or received: a piece, or a range of IMEIs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Piece {
    /// Index of the input.
    pub input: u32,
    /// Where it stands.
    pub at: At,
    /// Lot, batch or order.
    pub lot: Cell,
    /// Carton or pallet.
    pub carton: Cell,
    /// IMEIs, 15 digits each.
    pub imeis: Vec<Box<str>>,
    /// The first and last IMEI of a range, 14 digits without the check digit.
    pub range: Option<(u64, u64)>,
    /// Serial number.
    pub serial: Cell,
    /// Maker as written.
    pub maker: Cell,
    /// Model as written.
    pub model: Cell,
    /// Firmware version.
    pub firmware: Cell,
    /// Digest of its firmware, lower-case.
    pub hash: Cell,
    /// What the label says.
    pub label: Cell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_tells_its_middle_and_how_often_it_was_louder() {
        let cell = SweepCell { khz: 824_000, from_db: -60, counts: [90, 6, 0, 0, 4].into(), ..SweepCell::default() };
        assert_eq!((cell.passes(), cell.median_db(), cell.spread_db(), cell.peak_db()), (100, Some(-60), Some(0), -56));
        assert_eq!([cell.at_least(-100), cell.at_least(-59), cell.at_least(-56), cell.at_least(-55)], [100, 10, 4, 0]);
        assert_eq!(SweepCell::default().median_db(), None);
    }
}
