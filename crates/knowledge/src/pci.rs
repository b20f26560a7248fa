//! PCI identifiers. Always read the subsystem: 17cb:0306 is a chip, 17cb:0306 with 18d7:0200 a Sierra EM919x.

use crate::table::{FromRow, Problem, Row, Source, hex16};

/// Vendor, device and, where known, the subsystem's pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PciKey {
    /// Vendor id.
    pub vendor: u16,
    /// Device id.
    pub device: u16,
    /// Subsystem vendor and device.
    pub subsystem: Option<(u16, u16)>,
}

impl PciKey {
    /// `vid:did` or `vid:did/svid:sdid`.
    pub fn parse(text: &str) -> Option<Self> {
        let pair = |t: &str| t.split_once(':').and_then(|(a, b)| Some((hex16(a)?, hex16(b)?)));
        let (chip, subsystem) = match text.split_once('/') {
            Some((chip, sub)) => (chip, Some(pair(sub)?)),
            None => (text, None),
        };
        let (vendor, device) = pair(chip)?;
        Some(Self { vendor, device, subsystem })
    }
}

/// One row of `identifiers/pci.csv`.
#[derive(Clone, Debug)]
pub struct PciId {
    /// The id.
    pub key: PciKey,
    /// The brand; `None` for chip ids, from which no maker follows.
    pub brand: Option<Box<str>>,
    /// Models known to use the id.
    pub models: Vec<Box<str>>,
    /// The chip.
    pub chipset: Option<Box<str>>,
    /// False for phones and chips that are no module.
    pub module: bool,
    /// What else is known.
    pub note: Option<Box<str>>,
    /// Where the row comes from.
    pub source: Source,
}

impl FromRow for PciId {
    const FILE: &'static str = "identifiers/pci.csv";
    fn from_row(row: &Row<'_>) -> Result<Self, Problem> {
        let subsystem = match (row.opt_hex16("subvendor")?, row.opt_hex16("subdevice")?) {
            (Some(v), Some(d)) => Some((v, d)),
            (None, None) => None,
            (None, Some(_)) => return Err(Problem::Empty("subvendor")),
            (Some(_), None) => return Err(Problem::Empty("subdevice")),
        };
        Ok(Self {
            key: PciKey { vendor: row.hex16("vendor")?, device: row.hex16("device")?, subsystem },
            brand: row.opt("brand")?,
            models: row.list("models")?,
            chipset: row.opt("chipset")?,
            module: row.yes("module")?,
            note: row.opt("note")?,
            source: row.source()?,
        })
    }
}

/// The row that says most: one with the subsystem beats one without.
pub(crate) fn most_specific(rows: &[PciId], key: PciKey) -> Option<&PciId> {
    let chip = |r: &&PciId| (r.key.vendor, r.key.device) == (key.vendor, key.device);
    rows.iter().filter(chip).find(|r| r.key == key).or_else(|| rows.iter().filter(chip).find(|r| r.key.subsystem.is_none()))
}
