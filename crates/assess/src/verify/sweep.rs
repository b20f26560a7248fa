//! Spectrum sweeps: energy over the noise floor where only devices send.
//!
//! The floor of a cell is the median of what was measured in it over time, and no more than the median of its
//! neighbours' medians, so that a sender which never stops does not hide in its own floor. The threshold above it is what
//! was asked for, or six times the spread (as a standard deviation) where that is more.

use umbilical_core::air::{CELL_KHZ, Sweep, SweepCell};
use umbilical_core::answer::verify::{Energy, SweepAnswer};
use umbilical_knowledge::{Band, Duplex, Knowledge};

/// Neighbours on each side that the floor is compared with: 10 MHz.
const NEIGHBOURS: usize = 50;
/// Over the floor in more passes than this share, energy is no burst.
const CONSTANT: f64 = 0.9;
/// Constant energy narrower than this, kHz, is what a receiver's own spurious lines look like.
const NARROW_KHZ: u32 = 1_000;
/// Cells with a gap of up to this between them are one stretch, kHz.
const GAP_KHZ: u32 = 600;

/// Other things that send where cellular devices do: from, to (MHz), what.
const OTHERS: &[(f64, f64, &str)] = &[
    (862.0, 870.0, "short-range devices and LoRa of Europe (863 to 870 MHz)"),
    (902.0, 928.0, "unlicensed devices of the Americas, LoRa among them (902 to 928 MHz)"),
    (1880.0, 1900.0, "cordless telephones of Europe (DECT, 1880 to 1900 MHz)"),
    (1920.0, 1930.0, "cordless telephones of North America (DECT, 1920 to 1930 MHz)"),
    (2400.0, 2483.5, "Wi-Fi and Bluetooth (2400 to 2483.5 MHz)"),
    (5150.0, 5925.0, "Wi-Fi (5150 to 5925 MHz)"),
];

/// A cell over its threshold.
struct Loud<'s> {
    cell: &'s SweepCell,
    floor: i32,
    passes: u64,
    /// Whether only devices send there, anywhere in the world.
    uplink: bool,
}

/// What a sweep measured in cellular bands. `over` is how many dB over the floor count.
pub(super) fn energy(kb: &Knowledge, sweep: &Sweep, over: i32, at: &dyn Fn(u32) -> String) -> Vec<Energy> {
    let floors = floors(&sweep.cells);
    let mut out: Vec<Energy> = Vec::new();
    let mut run: Vec<Loud<'_>> = Vec::new();
    for (cell, floor) in sweep.cells.iter().zip(floors) {
        let Some(floor) = floor else { continue };
        // A standard deviation is 1.4826 times the median distance; six of them.
        let noise = cell.spread_db().unwrap_or(0).saturating_mul(9);
        let threshold = floor.saturating_add(over.max(noise));
        let passes = cell.at_least(threshold);
        if passes == 0 {
            continue;
        }
        let bands = bands(kb, mhz(cell));
        if bands.is_empty() {
            continue;
        }
        // Where the network of another region sends, a base station looks like a device.
        let uplink = bands.iter().any(|b| b.duplex == Duplex::Fdd) && kb.downlinks_at(mhz(cell)).is_empty();
        let apart = run
            .last()
            .is_some_and(|last| cell.khz.saturating_sub(last.cell.khz) > GAP_KHZ.saturating_add(CELL_KHZ) || last.uplink != uplink);
        if apart {
            out.extend(stretch(kb, &run, at));
            run.clear();
        }
        run.push(Loud { cell, floor, passes, uplink });
    }
    out.extend(stretch(kb, &run, at));
    out
}

/// The middle of a cell, MHz.
fn mhz(cell: &SweepCell) -> f64 {
    f64::from(cell.khz.saturating_add(CELL_KHZ / 2)) / 1000.0
}

/// Bands in which devices send at a frequency.
fn bands(kb: &Knowledge, mhz: f64) -> Vec<&Band> {
    Vec::from_iter(kb.uplinks_at(mhz))
}

/// The floor of each cell; `None` for a cell without measurements.
fn floors(cells: &[SweepCell]) -> Vec<Option<i32>> {
    let medians: Vec<Option<i32>> = cells.iter().map(SweepCell::median_db).collect();
    let around = |at: usize| {
        let from = at.saturating_sub(NEIGHBOURS);
        let near = medians.get(from..at.saturating_add(NEIGHBOURS).saturating_add(1).min(medians.len())).unwrap_or_default();
        let mut known: Vec<i32> = near.iter().flatten().copied().collect();
        known.sort_unstable();
        known.get(known.len() / 2).copied()
    };
    medians.iter().enumerate().map(|(at, own)| own.map(|own| around(at).map_or(own, |near| own.min(near)))).collect()
}

/// One stretch of loud cells.
fn stretch(kb: &Knowledge, run: &[Loud<'_>], at: &dyn Fn(u32) -> String) -> Option<Energy> {
    let (first, last) = (run.first()?, run.last()?);
    let peak = run.iter().max_by_key(|l| (l.cell.peak_db().saturating_sub(l.floor), std::cmp::Reverse(l.cell.khz)))?;
    let most = run.iter().max_by_key(|l| (l.passes, std::cmp::Reverse(l.cell.khz)))?;
    let (from, to) = (first.cell.khz, last.cell.khz.saturating_add(CELL_KHZ));
    let mut names: Vec<String> = Vec::new();
    let sent = run.iter().flat_map(|l| bands(kb, mhz(l.cell))).map(|b| (b, "uplink"));
    let heard = run.iter().flat_map(|l| kb.downlinks_at(mhz(l.cell))).filter(|b| b.duplex == Duplex::Fdd).map(|b| (b, "downlink"));
    for (band, way) in sent.chain(heard) {
        let way = if band.duplex == Duplex::Fdd { way } else { "both directions" };
        let name = format!("{} {} ({way})", band.rat, band.band);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let (from_mhz, to_mhz) = (f64::from(from) / 1000.0, f64::from(to) / 1000.0);
    let of = most.cell.passes();
    let constant = of > 1 && most.passes as f64 > of as f64 * CONSTANT;
    let form = match (constant, to.saturating_sub(from) < NARROW_KHZ) {
        (true, true) => "narrow",
        (true, false) => "constant",
        (false, _) => "bursts",
    };
    Some(Energy {
        from_mhz,
        to_mhz,
        bands: names,
        direction: if first.uplink { "uplink" } else { "both" },
        form,
        over_floor_db: peak.cell.peak_db().saturating_sub(peak.floor),
        floor_db: peak.floor,
        passes: most.passes,
        of,
        peak_at: peak.cell.peak_at.as_deref().map(str::to_owned),
        at: at(peak.cell.peak_line),
        could_also_be: OTHERS.iter().filter(|(a, b, _)| *a < to_mhz && from_mhz < *b).map(|o| o.2.to_owned()).collect(),
    })
}

/// Whether it measured anything where only devices send.
fn covers(kb: &Knowledge, sweep: &Sweep) -> bool {
    sweep.cells.iter().any(|cell| bands(kb, mhz(cell)).iter().any(|b| b.duplex == Duplex::Fdd))
}

/// A sweep as it is answered. `modem` says what the documents say of a modem, where they say anything but "none".
pub(super) fn answer(kb: &Knowledge, sweep: &Sweep, input: u32, energy: Vec<Energy>, modem: Option<&str>) -> SweepAnswer {
    let edge = |cell: Option<&SweepCell>, more: u32| cell.map_or(0.0, |c| f64::from(c.khz.saturating_add(more)) / 1000.0);
    let loud = energy.iter().filter(|e| e.direction == "uplink" && e.form != "narrow").count();
    let sentence = match (loud, modem) {
        (0, _) if sweep.cells.is_empty() => "nothing was measured".to_owned(),
        (0, _) if !covers(kb, sweep) => {
            "not evaluable: no band in which only devices send lies within what was measured, as far as the table of bands goes".to_owned()
        }
        (0, _) => "no energy over the floor in a band where only devices send; a modem that is asleep sends nothing for hours".to_owned(),
        (n, None) => {
            format!("energy over the floor in {n} stretch(es) of bands where only devices send, beside a device that declares no modem")
        }
        (n, Some(says)) => format!("energy over the floor in {n} stretch(es) of bands where only devices send; {says}"),
    };
    SweepAnswer {
        input,
        from_mhz: edge(sweep.cells.first(), 0),
        to_mhz: edge(sweep.cells.last(), CELL_KHZ),
        first: sweep.first.as_deref().map(str::to_owned),
        last: sweep.last.as_deref().map(str::to_owned),
        energy,
        sentence,
    }
}

/// How sure energy is a cellular device's, 0–1. Never more than *possible*: a telephone in somebody's pocket looks the same.
pub(super) fn confidence(energy: &Energy) -> f64 {
    let mut sure: f64 = 0.6;
    if energy.direction != "uplink" {
        sure -= 0.3;
    }
    if !energy.could_also_be.is_empty() {
        sure -= 0.2;
    }
    if energy.form != "bursts" {
        sure -= 0.1;
    }
    if energy.of < 5 {
        sure -= 0.1;
    }
    umbilical_core::weight::round4(sure.max(0.1))
}

/// One stretch in a sentence.
pub(super) fn sentence(e: &Energy) -> String {
    let when = e.peak_at.as_deref().map(|t| format!(", strongest at {t}")).unwrap_or_default();
    let also = if e.could_also_be.is_empty() { String::new() } else { format!(", {}", e.could_also_be.join(", ")) };
    let way = if e.direction == "uplink" { "" } else { "; network and device share this frequency, which of them sent is not known" };
    format!(
        "energy at {} to {} MHz ({}), {} dB over the floor, in {} of {} sweeps{when}{way}; it could also be a phone nearby{also}: repeat with \
         the device off",
        e.from_mhz,
        e.to_mhz,
        e.bands.join(", "),
        e.over_floor_db,
        e.passes,
        e.of
    )
}
