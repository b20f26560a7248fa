//! Declared against observed at a terminal: what differs first, each with both lines, then what agrees.

use std::io::{self, Write};

use serde::Serialize;
use umbilical_core::answer::Because;
use umbilical_core::answer::bom::State;
use umbilical_core::answer::verify::{Custody, LotAnswer, Outcome, Row, Verify};
use umbilical_core::text::{clean, short};

use crate::terminal::{Page, Tone};
use crate::{View, csv, say};

/// Lines of a list before it says how many more there are.
const LINES: usize = 20;
/// Lines of evidence of one side of a row.
const EVIDENCE: usize = 3;

/// Writes the answer of `bom verify` for a person at a terminal.
pub fn verify(out: &mut dyn Write, answer: &Verify, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    page.para(0, Tone::Bold, &verdict(answer))?;
    notes(&mut page, answer)?;
    rows(&mut page, answer, view)?;
    air(&mut page, answer)?;
    if let Some(custody) = &answer.custody {
        self::custody(&mut page, answer, custody)?;
    }
    problems(&mut page, answer)?;
    page.heading("What this cannot see")?;
    for limit in &answer.limits {
        page.hanging(2, 2, Tone::Dim, &format!("- {limit}"))?;
    }
    page.gap()?;
    page.para(0, Tone::Dim, &format!("As of {}. Sources to {}.", answer.as_of, answer.knowledge.sources_to))
}

fn verdict(answer: &Verify) -> String {
    let of = |outcome: Outcome| answer.rows.iter().filter(|r| r.result == outcome).count();
    let mut parts = Vec::new();
    if answer.declared.is_some() {
        let counts: Vec<String> = Outcome::ALL.iter().filter(|o| of(**o) > 0).map(|o| format!("{} {}", of(*o), words(*o))).collect();
        let counts = if counts.is_empty() { "no modem declared, none observed".to_owned() } else { counts.join(", ") };
        parts.push(format!("{} compared: {counts}", say::counted(answer.devices.len() as u64, "device")));
    }
    let raised = |code: &str| answer.findings.iter().filter(|f| f.code == code).count() as u64;
    let radios = raised("undeclared-radio");
    if radios > 0 {
        parts.push(say::counted(radios, "undeclared radio"));
    }
    if !answer.sweeps.is_empty() {
        let sweeps = say::counted(answer.sweeps.len() as u64, "sweep");
        parts.push(format!("{sweeps}: energy in an uplink {}", say::counted(raised("uplink-energy"), "time")));
    }
    if let Some(custody) = &answer.custody {
        let differ: usize = custody.lots.iter().map(|l| l.mismatches.len()).sum();
        parts.push(format!("{}: {}", say::counted(custody.lots.len() as u64, "lot"), say::counted(differ as u64, "difference")));
    }
    parts.join("; ")
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Substituted => "substituted",
        Outcome::Undeclared => "undeclared",
        Outcome::NotSeen => "not seen",
        Outcome::Rebrand => "under another name",
        Outcome::Match => "as declared",
    }
}

fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Substituted | Outcome::Undeclared => Tone::Bad,
        Outcome::NotSeen => Tone::Warn,
        Outcome::Rebrand => Tone::Note,
        Outcome::Match => Tone::Good,
    }
}

fn notes(page: &mut Page<'_>, answer: &Verify) -> io::Result<()> {
    if let Some(declared) = &answer.declared {
        let product: Vec<&str> = declared.brand.iter().chain(&declared.model).map(String::as_str).collect();
        page.field(
            2,
            "declared",
            &format!("{} ({})", if product.is_empty() { "a product".to_owned() } else { product.join(" ") }, declared.state.name()),
        )?;
        // Beside a module that is named, a SIM holder tells nothing.
        for tell in declared.tells.iter().take(3).filter(|_| declared.state == State::Undisclosed) {
            page.hanging(4, 2, Tone::Dim, &format!("a module must be there: {}", told(answer, tell)))?;
        }
    }
    let noted: Vec<_> = answer.devices.iter().filter(|d| !d.notes.is_empty()).collect();
    for device in noted.iter().take(LINES) {
        page.hanging(2, 2, Tone::Warn, &format!("{}: {}", device.label, device.notes.join("; ")))?;
    }
    more(page, noted.len())
}

fn more(page: &mut Page<'_>, count: usize) -> io::Result<()> {
    match count.checked_sub(LINES) {
        Some(left @ 1..) => page.para(2, Tone::Dim, &format!("and {left} more (--format json has all)")),
        _ => Ok(()),
    }
}

fn told(answer: &Verify, b: &Because) -> String {
    let file = answer.inputs.get(b.input as usize).map(|i| i.path.as_str()).unwrap_or_default();
    let weight = if b.weight == 0 { String::new() } else { format!(", {} nats", say::nats(b.weight)) };
    format!("{} {} ({file}, {}; {}{weight})", say::kind(b.kind), short(&b.value, 120), b.at, b.group)
}

fn rows(page: &mut Page<'_>, answer: &Verify, view: &View) -> io::Result<()> {
    let mut sorted: Vec<&Row> = answer.rows.iter().collect();
    sorted.sort_by_key(|r| r.result);
    for (n, row) in sorted.iter().enumerate() {
        if n >= view.max_rows {
            return page.para(2, Tone::Dim, &format!("and {} more rows (--format json has all)", sorted.len().saturating_sub(n)));
        }
        let place = row.designators.join(", ");
        let what: Vec<&str> = [row.label.as_deref().unwrap_or_default(), &place].into_iter().filter(|w| !w.is_empty()).collect();
        page.gap()?;
        page.hanging(0, 2, tone(row.result), format!("{} {}", row.result.name().to_uppercase(), what.join(" · ")).trim_end())?;
        page.hanging(2, 2, Tone::Plain, &row.sentence)?;
        let split = row.declared.as_ref().map_or(0, |d| d.also.len().saturating_add(1));
        let (declared, observed) = row.because.split_at_checked(split).unwrap_or((&row.because, &[]));
        for b in declared.iter().take(EVIDENCE) {
            page.hanging(4, 4, Tone::Dim, &format!("declared: {}", told(answer, b)))?;
        }
        let mut observed: Vec<&Because> = observed.iter().collect();
        observed.sort_by_key(|b| std::cmp::Reverse(b.weight));
        for b in observed.iter().take(EVIDENCE) {
            let side = if b.weight < 0 { "against" } else { "observed" };
            page.hanging(4, 4, Tone::Dim, &format!("{side}: {}", told(answer, b)))?;
        }
        if row.result == Outcome::NotSeen {
            for collect in row.collect.iter().take(EVIDENCE) {
                page.hanging(4, 4, Tone::Note, &format!("would show it: {collect}"))?;
            }
        }
    }
    Ok(())
}

fn air(page: &mut Page<'_>, answer: &Verify) -> io::Result<()> {
    if !answer.radios.is_empty() {
        page.heading("Radios beside the cellular one")?;
        // What no document declares first.
        let mut sorted: Vec<_> = answer.radios.iter().collect();
        sorted.sort_by_key(|r| r.declared.is_some());
        for radio in sorted.iter().take(LINES) {
            let tone = if radio.declared.is_some() { Tone::Plain } else { Tone::Warn };
            page.hanging(2, 2, tone, &radio.sentence)?;
            for b in radio.because.iter().take(1) {
                page.hanging(4, 4, Tone::Dim, &told(answer, b))?;
            }
        }
        more(page, sorted.len())?;
    }
    for sweep in &answer.sweeps {
        let file = answer.inputs.get(sweep.input as usize).map(|i| i.path.as_str()).unwrap_or_default();
        page.heading(&format!("Sweep {file}: {} to {} MHz", sweep.from_mhz, sweep.to_mhz))?;
        page.hanging(2, 2, Tone::Plain, &sweep.sentence)?;
        let rows = sweep.energy.iter().take(LINES).map(|e| {
            vec![
                format!("{} to {}", e.from_mhz, e.to_mhz),
                e.bands.join(", "),
                e.over_floor_db.to_string(),
                format!("{} of {}", e.passes, e.of),
                e.form.to_owned(),
                e.could_also_be.join(", "),
            ]
        });
        if !sweep.energy.is_empty() {
            page.table(&["MHz", "Bands", "#dB over floor", "Sweeps", "Form", "Could also be"], rows)?;
        }
        more(page, sweep.energy.len())?;
    }
    Ok(())
}

fn custody(page: &mut Page<'_>, answer: &Verify, custody: &Custody) -> io::Result<()> {
    for lot in &custody.lots {
        page.heading(&format!("Lot {}", lot.lot.as_deref().unwrap_or("(none named)")))?;
        let counts = format!(
            "{} shipped, {} received, {} as shipped in everything that both lists say",
            say::count(lot.shipped),
            say::count(lot.received),
            say::count(lot.agree)
        );
        page.para(2, Tone::Plain, &counts)?;
        for m in lot.mismatches.iter().take(LINES) {
            page.hanging(2, 2, Tone::Bad, &format!("{}: {}", m.kind, m.what))?;
            for (side, place) in [("shipped", &m.shipped), ("received", &m.received)] {
                if let Some(place) = place {
                    let file = answer.inputs.get(place.input as usize).map(|i| i.path.as_str()).unwrap_or_default();
                    page.hanging(4, 4, Tone::Dim, &format!("{side}: {} ({file}, {})", place.value, place.at))?;
                }
            }
        }
        more(page, lot.mismatches.len())?;
        sample(page, lot)?;
    }
    page.gap()?;
    page.hanging(2, 2, Tone::Dim, &format!("Samples: {}", custody.formula))
}

fn sample(page: &mut Page<'_>, lot: &LotAnswer) -> io::Result<()> {
    if lot.sampling.is_empty() {
        return Ok(());
    }
    page.gap()?;
    page.para(2, Tone::Plain, "How many to open so that a lot with bad pieces is found:")?;
    let rows = lot
        .sampling
        .iter()
        .map(|s| vec![format!("{} % ({})", s.bad_percent, s.bad_pieces), format!("{} %", s.confidence_percent), s.take.to_string()]);
    page.table(&["Bad (pieces)", "Found with", "#Take"], rows)?;
    let shown: Vec<&str> = lot.draw.iter().take(LINES).map(String::as_str).collect();
    let left = lot.draw.len().saturating_sub(shown.len());
    let rest = if left > 0 { format!(" and {left} more (--format json has all)") } else { String::new() };
    page.hanging(2, 2, Tone::Plain, &format!("Take, by seed `{}`: {}{rest}", lot.seed, shown.join(", ")))
}

fn problems(page: &mut Page<'_>, answer: &Verify) -> io::Result<()> {
    if answer.problems.is_empty() {
        return Ok(());
    }
    page.heading("Not understood")?;
    for p in answer.problems.iter().take(LINES) {
        let file = p.input.and_then(|i| answer.inputs.get(i as usize)).map(|i| format!("{}, ", i.path)).unwrap_or_default();
        page.hanging(2, 2, Tone::Warn, &format!("{file}{}: {}", p.at, p.what))?;
    }
    more(page, answer.problems.len())
}

/// The columns of [`table`].
pub const COLUMNS: [&str; 15] = [
    "result",
    "device",
    "label",
    "designators",
    "file",
    "at",
    "declared",
    "observed_maker",
    "observed_model",
    "level",
    "differs",
    "confidence",
    "observed_at",
    "observed_value",
    "sentence",
];

#[derive(Serialize)]
struct Line<'a> {
    result: &'static str,
    device: Option<&'a str>,
    label: Option<&'a str>,
    designators: &'a [String],
    file: Option<&'a str>,
    at: Option<&'a str>,
    declared: Option<String>,
    observed_maker: Option<&'a str>,
    observed_model: Option<&'a str>,
    level: Option<&'static str>,
    differs: Option<&'static str>,
    confidence: f64,
    observed_at: Option<String>,
    observed_value: Option<&'a str>,
    sentence: &'a str,
}

/// Writes one line for each row, for spreadsheets and scripts.
pub fn table(out: &mut dyn Write, answer: &Verify) -> io::Result<()> {
    let lines: Vec<Line<'_>> = answer.rows.iter().map(|row| line(answer, row)).collect();
    csv::rows(out, &COLUMNS, &lines)
}

fn line<'a>(answer: &'a Verify, row: &'a Row) -> Line<'a> {
    let declared = row.declared.as_ref();
    let split = declared.map_or(0, |d| d.also.len().saturating_add(1));
    let observed = row.because.iter().skip(split).max_by_key(|b| b.weight);
    let module = row.observed.as_ref();
    let product = row.product.as_ref();
    let place = |b: &Because| {
        let file = answer.inputs.get(b.input as usize).map(|i| i.path.as_str()).unwrap_or_default();
        format!("{}, {}", clean(file), b.at)
    };
    let name = |d: &umbilical_core::answer::verify::DeclaredPart| {
        let words: Vec<&str> = d.manufacturer.iter().chain(d.mpn.as_ref().or(d.value.as_ref())).map(String::as_str).collect();
        words.join(" ")
    };
    Line {
        result: row.result.name(),
        device: row.device.as_deref(),
        label: row.label.as_deref(),
        designators: &row.designators,
        file: declared.map(|d| d.file.as_str()),
        at: declared.map(|d| d.at.as_str()),
        declared: declared.map(name),
        observed_maker: module.and_then(|m| m.maker.as_deref()).or_else(|| product.and_then(|p| p.brand.as_deref())),
        observed_model: module
            .and_then(|m| m.variant.as_deref().or(m.model.as_deref()).or(m.family.as_deref()))
            .or_else(|| product.and_then(|p| p.model.as_deref())),
        level: row.level.map(|l| l.name()),
        differs: row.differs.map(|l| l.name()),
        confidence: row.confidence,
        observed_at: observed.map(place),
        observed_value: observed.map(|b| b.value.as_str()),
        sentence: &row.sentence,
    }
}
