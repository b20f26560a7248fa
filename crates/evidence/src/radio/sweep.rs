//! Spectrum sweeps: `date, time, Hz low, Hz high, Hz step, samples, dB, dB, …` in lines, as `rtl_power`,
//! `hackrf_sweep` and `soapy_power` write them.
//!
//! A file of any length becomes, for each 200 kHz, a count of passes for each decibel: some 30 MB for everything from 0 to
//! 8 GHz.

use std::collections::BTreeMap;
use std::io;

use umbilical_core::air::{CELL_KHZ, Sweep, SweepCell};
use umbilical_core::{At, Observations};

use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// What lies outside is no power that a receiver shows, dB.
const DB: std::ops::Range<i32> = -200..100;
/// The highest frequency that is kept, Hz.
const TOP_HZ: f64 = 10e9;
/// The most cells that one line may fill.
const MOST_CELLS: u32 = 50_000;

/// The reader of spectrum sweeps.
pub struct SweepReader;

impl Reader for SweepReader {
    fn name(&self) -> &'static str {
        "power-sweep"
    }

    fn about(&self) -> &'static str {
        "Spectrum sweeps: CSV of rtl_power, hackrf_sweep and soapy_power."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let lines = head.text.iter().flat_map(|t| t.lines()).filter(|l| !skipped(l));
        // The last line of a head may be cut.
        let sure = lines.take(2).all(|l| parse(l).is_some());
        let any = head.text.iter().flat_map(|t| t.lines()).any(|l| !skipped(l));
        if sure && any { 97 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, _: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let mut folded = Folded::default();
        let (mut bad, mut first_bad) = (0u64, 0u32);
        for_each_line(&mut *source.utf8(), |line| {
            if skipped(&line.text) {
                return;
            }
            match parse(&line.text) {
                Some(row) => folded.add(line.n, &row),
                None => {
                    bad = bad.saturating_add(1);
                    first_bad = if first_bad == 0 { line.n } else { first_bad };
                }
            }
        })?;
        if bad > 0 {
            out.problem(
                At::line(first_bad),
                format!("{bad} line(s) are no lines of a sweep (date, time, low, high, step, samples, dB …): not read"),
            );
        }
        let input = u32::try_from(out.inputs.len()).unwrap_or(u32::MAX).saturating_sub(1);
        if let Some(begun) = out.inputs.last_mut() {
            begun.observations = begun.observations.saturating_add(folded.lines);
        }
        out.sweeps.push(folded.done(input));
        Ok(())
    }
}

fn skipped(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#') || line.get(..4).is_some_and(|h| h.eq_ignore_ascii_case("date"))
}

/// One line.
struct Row<'l> {
    date: &'l str,
    time: &'l str,
    low: f64,
    step: f64,
    powers: &'l str,
}

fn parse(line: &str) -> Option<Row<'_>> {
    let mut cells = line.splitn(7, ',').map(str::trim);
    let (date, time) = (cells.next()?, cells.next()?);
    let mut number = || cells.next()?.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    let (low, high, step, _samples) = (number()?, number()?, number()?, number()?);
    let powers = cells.next()?;
    let digits = |text: &str, parts: usize, separator: char| {
        text.split(separator).count() == parts && text.bytes().all(|b| b.is_ascii_digit() || b == separator as u8 || b == b'.')
    };
    let dated = date.len() == 10 && digits(date, 3, '-') && digits(time, 3, ':');
    let power = powers.split(',').next()?.trim();
    let measured = power.parse::<f64>().is_ok() || power.is_empty();
    (dated && low < high && high <= TOP_HZ && step > 0.0 && measured).then_some(Row { date, time, low, step, powers })
}

/// A cell under way.
struct Open {
    cell: SweepCell,
    counts: Vec<u32>,
    /// The pass that measured it last, and what that pass counts as now.
    pass: u64,
    db: i32,
}

#[derive(Default)]
struct Folded {
    lines: u64,
    first: Option<Box<str>>,
    last: String,
    /// Changes whenever the time does: lines of one time are one pass.
    pass: u64,
    cells: BTreeMap<u32, Open>,
    /// The strongest of each cell of the line.
    line: Vec<(u32, f32)>,
}

impl Folded {
    fn add(&mut self, n: u32, row: &Row<'_>) {
        self.lines = self.lines.saturating_add(1);
        if self.last.len() != row.date.len().saturating_add(row.time.len()).saturating_add(1)
            || !(self.last.starts_with(row.date) && self.last.ends_with(row.time))
        {
            self.pass = self.pass.saturating_add(1);
            self.last.clear();
            self.last.extend([row.date, " ", row.time]);
            self.first.get_or_insert_with(|| self.last.as_str().into());
        }
        self.line.clear();
        let mut hz = row.low;
        for power in row.powers.split(',') {
            let (from, to) = (hz, hz + row.step);
            hz = to;
            if from >= TOP_HZ {
                break;
            }
            let Ok(power) = power.trim().parse::<f32>() else { continue };
            if !power.is_finite() {
                continue;
            }
            // A bin belongs to the cell of its middle, and to every cell that it covers whole.
            let cell = |hz: f64| (hz / f64::from(CELL_KHZ * 1000)) as u32;
            let (one, other) = if to - from > f64::from(CELL_KHZ * 1000) {
                (cell(from + f64::from(CELL_KHZ * 500)), cell(to - f64::from(CELL_KHZ * 500)))
            } else {
                let middle = cell((from + to) / 2.0);
                (middle, middle)
            };
            for index in one..=other.min(one.saturating_add(MOST_CELLS)) {
                match self.line.last_mut() {
                    Some(last) if last.0 == index => last.1 = last.1.max(power),
                    _ => self.line.push((index, power)),
                }
            }
        }
        for (index, power) in std::mem::take(&mut self.line).iter() {
            self.count(n, *index, (power.round() as i32).clamp(DB.start, DB.end.saturating_sub(1)));
        }
    }

    fn count(&mut self, line: u32, index: u32, db: i32) {
        let pass = self.pass;
        let open = self.cells.entry(index).or_insert_with(|| Open {
            cell: SweepCell { khz: index.saturating_mul(CELL_KHZ), from_db: db, ..SweepCell::default() },
            counts: Vec::new(),
            pass: 0,
            db: i32::MIN,
        });
        if open.pass == pass {
            // Two lines of one pass meet in this cell: the stronger counts.
            if db <= open.db {
                return;
            }
            open.shift(open.db, -1);
        }
        if open.counts.is_empty() || db > open.cell.peak_db_of(&open.counts) {
            open.cell.peak_at = Some(self.last.as_str().into());
            open.cell.peak_line = line;
        }
        open.shift(db, 1);
        (open.pass, open.db) = (pass, db);
    }

    fn done(self, input: u32) -> Sweep {
        let finish = |open: Open| {
            let mut cell = open.cell;
            let mut counts = open.counts;
            // A count that was taken back may have been the first or last.
            let empty = counts.iter().take_while(|c| **c == 0).count();
            counts.drain(..empty);
            cell.from_db = cell.from_db.saturating_add(i32::try_from(empty).unwrap_or(0));
            while counts.last() == Some(&0) {
                counts.pop();
            }
            SweepCell { counts: counts.into(), ..cell }
        };
        let last = (!self.last.is_empty()).then(|| self.last.into());
        Sweep { input, lines: self.lines, first: self.first, last, cells: self.cells.into_values().map(finish).collect() }
    }
}

impl Open {
    /// Counts a power once more or once less.
    fn shift(&mut self, db: i32, by: i32) {
        if self.counts.is_empty() {
            self.cell.from_db = db;
        }
        while db < self.cell.from_db {
            let more = usize::try_from(self.cell.from_db.saturating_sub(db)).unwrap_or(0);
            self.counts.splice(..0, std::iter::repeat_n(0, more));
            self.cell.from_db = db;
        }
        let at = usize::try_from(db.saturating_sub(self.cell.from_db)).unwrap_or(0);
        if self.counts.len() <= at {
            self.counts.resize(at.saturating_add(1), 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add_signed(by);
        }
    }
}

/// The strongest power that has a count.
trait Peak {
    fn peak_db_of(&self, counts: &[u32]) -> i32;
}

impl Peak for SweepCell {
    fn peak_db_of(&self, counts: &[u32]) -> i32 {
        let last = counts.iter().rposition(|c| *c > 0).unwrap_or(0);
        self.from_db.saturating_add(i32::try_from(last).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(lines: &[&str]) -> Sweep {
        let mut folded = Folded::default();
        for (n, line) in (1u32..).zip(lines) {
            folded.add(n, &parse(line).unwrap());
        }
        folded.done(0)
    }

    #[test]
    fn bins_become_cells_and_lines_of_one_time_one_pass() {
        let sweep = fold(&[
            "2026-05-01, 10:00:00, 824000000, 824400000, 100000, 8, -60.2, -58.0, -59.6, -61",
            "2026-05-01, 10:00:00, 824350000, 824550000, 100000, 8, -20, -61",
            "2026-05-01, 10:00:10, 824000000, 824400000, 100000, 8, -60, nan, -90, -inf",
        ]);
        let at = |khz| sweep.cells.iter().find(|c| c.khz == khz).unwrap();
        assert_eq!((at(824_000).passes(), at(824_000).peak_db(), at(824_000).median_db()), (2, -58, Some(-60)));
        assert_eq!((at(824_200).passes(), at(824_200).peak_db(), at(824_200).from_db), (2, -60, -90));
        // -20 dB at 824.4 MHz: its bin's middle lies in the next cell.
        assert_eq!((at(824_400).passes(), at(824_400).peak_db(), at(824_400).peak_line), (1, -20, 2));
        assert_eq!((sweep.first.as_deref(), sweep.last.as_deref()), (Some("2026-05-01 10:00:00"), Some("2026-05-01 10:00:10")));
    }

    #[test]
    fn a_pass_that_meets_a_cell_twice_counts_once() {
        let sweep = fold(&[
            "2026-05-01, 10:00:00, 900000000, 900100000, 100000, 8, -70",
            "2026-05-01, 10:00:00, 900100000, 900200000, 100000, 8, -50",
        ]);
        assert_eq!(sweep.cells.len(), 1);
        assert_eq!((sweep.cells[0].passes(), sweep.cells[0].from_db, &*sweep.cells[0].counts), (1, -50, &[1][..]));
    }

    #[test]
    fn wide_bins_fill_the_cells_that_they_cover() {
        let sweep = fold(&["2026-05-01, 10:00:00.123456, 2400000000, 2402000000, 1000000.00, 20, -60.5, -70"]);
        assert_eq!(sweep.cells.iter().map(|c| c.khz).collect::<Vec<_>>(), (0..10).map(|n| 2_400_000 + n * 200).collect::<Vec<_>>());
    }

    #[test]
    fn other_lines_are_none_of_a_sweep() {
        for line in [
            "a,b,c",
            "2026-05-01, 10:00, 1, 2, 1, 1, -3",
            "2026-05-01, 10:00:00, 5, 2, 1, 1, -3",
            "2026-05-01, 10:00:00, 1, 2, 1, 1, x",
            "",
        ] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
