//! Declared against observed: each declared part beside the module that is there, radios that no document declares,
//! energy where only modems send, and lots as shipped against lots as received.
//!
//! Nothing here accuses: a row says what was declared where and what was observed where, with both lines. What is
//! observed below *possible* is no substitution but a thing to collect evidence about.

mod custody;
mod declared;
mod fit;
mod notes;
mod radios;
mod raise;
mod rows;
mod sampling;
mod sweep;

use umbilical_core::answer::bom::{Check, State};
use umbilical_core::answer::verify::{Row, VERIFY_SCHEMA, Verify};
use umbilical_core::answer::{Because, Cellular, Device, Said, Trace};
use umbilical_core::finding::Finding;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;

pub use custody::List;
use declared::{Slot, slots};
use radios::DeclaredRadios;
pub use sampling::{Ask, take};

/// What the user asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The day of the answer.
    pub as_of: Day,
    /// Whether the user named the device: then it is the declared product, whatever it calls itself.
    pub named: bool,
    /// Radios heard with at least this signal, dBm, are taken to be at the device; `None`: the survey was not taken
    /// beside it.
    pub near: Option<i32>,
    /// How many dB over the noise floor count as energy.
    pub over_db: i32,
    /// The sample to draw.
    pub ask: Ask<'a>,
}

/// What was read beside documents and devices.
#[derive(Clone, Copy, Default)]
pub struct Extra<'a> {
    /// The observed side, for its inputs, radios and sweeps.
    pub observed: Option<&'a Observations>,
    /// What could not be understood of it, inputs numbered as there.
    pub problems: &'a [Said],
    /// The list of what was shipped.
    pub shipped: Option<&'a Observations>,
    /// The list of what was received.
    pub received: Option<&'a Observations>,
}

/// The most findings of one kind that a run raises; the rest stay in the rows and lots, and are counted.
const MOST_FINDINGS: usize = 2_000;

/// Compares what is declared with what is observed.
pub fn verify(
    declared: Option<&Check>,
    observed: impl Iterator<Item = Device>,
    extra: Extra<'_>,
    kb: &Knowledge,
    options: &Options<'_>,
) -> Verify {
    let mut out = Verify {
        schema: VERIFY_SCHEMA,
        as_of: options.as_of.to_string(),
        knowledge: declared.map_or_else(|| crate::bom::stamp(kb, options.as_of), |c| c.knowledge.clone()),
        inputs: declared.map(|c| c.inputs.clone()).unwrap_or_default(),
        problems: declared.map(|c| c.problems.clone()).unwrap_or_default(),
        declared: declared.map(declared::summary),
        devices: Vec::new(),
        rows: Vec::new(),
        radios: Vec::new(),
        sweeps: Vec::new(),
        custody: None,
        findings: Vec::new(),
        limits: Vec::new(),
        organisations: Vec::new(),
    };
    let first = count(&out.inputs);
    if let Some(all) = extra.observed {
        out.inputs.extend(all.inputs.iter().cloned());
    }
    out.problems.extend(extra.problems.iter().map(|p| Said { input: p.input.map(|i| i.saturating_add(first)), ..p.clone() }));
    let devices = compared(observed, first);
    if let Some(check) = declared {
        compare(kb, check, &devices, options, &mut out);
        air(kb, check, &devices, extra.observed, first, options, &mut out);
    }
    lots(kb, extra, options, &mut out);
    out.limits.extend(notes::limits(&out, declared.is_some()));
    out.organisations = organisations(&out.rows);
    out
}

fn count<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// The devices to compare, with inputs numbered as in the answer: those that are or may be cellular; where there are none
/// such, all.
fn compared(observed: impl Iterator<Item = Device>, first: u32) -> Vec<Device> {
    let (mut open, mut not) = (Vec::new(), Vec::new());
    for mut device in observed {
        renumber(&mut device, first);
        if device.cellular == Cellular::No { not.push(device) } else { open.push(device) }
    }
    if open.is_empty() { not } else { open }
}

/// Shifts the numbers of a device's inputs.
fn renumber(device: &mut Device, first: u32) {
    let shift = |list: &mut Vec<Because>| list.iter_mut().for_each(|b| b.input = b.input.saturating_add(first));
    shift(&mut device.because);
    for module in &mut device.modules {
        shift(&mut module.because);
        shift(&mut module.against);
        for claim in &mut module.claims {
            shift(&mut claim.because);
            shift(&mut claim.against);
        }
    }
    device.inputs.iter_mut().for_each(|i| *i = i.saturating_add(first));
}

fn compare(kb: &Knowledge, check: &Check, devices: &[Device], options: &Options<'_>, out: &mut Verify) {
    let slots: Vec<Slot<'_>> = slots(check);
    if devices.is_empty() {
        out.rows = rows::rows(kb, &slots, None);
        raise_rows(out, 0, false);
        return;
    }
    let product = out.declared.clone();
    for device in devices {
        let about = notes::about(kb, product.as_ref(), device, devices.len(), options.named, slots.is_empty());
        let from = out.rows.len();
        out.rows.extend(rows::rows(kb, &slots, Some(device)));
        let doubt = about.other_product;
        if doubt {
            for row in out.rows.iter_mut().skip(from) {
                row.sentence.push_str("; what is observed is another product than the documents are about");
            }
        }
        out.devices.push(about.compared);
        raise_rows(out, from, doubt);
    }
}

/// Raises the findings of the rows from `from` on; in doubt where the device is another product.
fn raise_rows(out: &mut Verify, from: usize, doubt: bool) {
    let new: Vec<Finding> = out.rows.iter().skip(from).filter_map(|row| raise::row(row, &out.inputs, doubt)).collect();
    push(&mut out.findings, new);
}

fn push(findings: &mut Vec<Finding>, new: impl IntoIterator<Item = Finding>) {
    let room = MOST_FINDINGS.saturating_sub(findings.len());
    findings.extend(new.into_iter().take(room));
}

/// Radios and sweeps.
fn air(
    kb: &Knowledge,
    check: &Check,
    devices: &[Device],
    observed: Option<&Observations>,
    first: u32,
    options: &Options<'_>,
    out: &mut Verify,
) {
    let declared = DeclaredRadios::of(Some(check));
    out.radios = radios::by_design(kb, &out.rows, &declared);
    if let Some(all) = observed {
        let locate = |h: &umbilical_core::air::Heard| (h.input.saturating_add(first), all.locate(h.at));
        let (heard, others) = radios::heard(kb, &all.heard, devices, options.near, &declared, &locate);
        out.radios.extend(heard);
        if others > 0 {
            out.limits.push(notes::not_tied(others, options.near));
        }
    }
    let new: Vec<Finding> = out.radios.iter().filter_map(|r| raise::radio(r, check, &out.inputs)).collect();
    push(&mut out.findings, new);
    let modem = match out.declared.as_ref().map(|d| d.state) {
        Some(State::Found) => Some("the documents declare a modem"),
        Some(State::Undisclosed) => Some("the documents say that a module must be there"),
        _ => None,
    };
    let only = if let [one] = devices { Some(one) } else { None };
    for sweep in observed.iter().flat_map(|o| &o.sweeps) {
        let at = |line: u32| format!("line {line}");
        let energy = sweep::energy(kb, sweep, options.over_db, &at);
        let answer = sweep::answer(sweep, sweep.input.saturating_add(first), energy, modem);
        if modem.is_none() {
            let new: Vec<Finding> = raise::energy(&answer, &out.inputs, only.map(|d| &*d.id), check).collect();
            push(&mut out.findings, new);
        }
        out.sweeps.push(answer);
    }
}

/// Shipped against received.
fn lots(kb: &Knowledge, extra: Extra<'_>, options: &Options<'_>, out: &mut Verify) {
    let (Some(shipped), Some(received)) = (extra.shipped, extra.received) else { return };
    let mut list = |all: &'_ Observations| {
        let first = count(&out.inputs);
        out.inputs.extend(all.inputs.iter().cloned());
        let said = all.problems.iter().map(|p| Said {
            input: p.input.map(|i| i.saturating_add(first)),
            at: all.locate(p.at),
            what: p.what.clone(),
        });
        out.problems.extend(said);
        first
    };
    let (ships, comes) = (list(shipped), list(received));
    let custody = custody::compare(kb, List { all: shipped, first: ships }, List { all: received, first: comes }, &options.ask);
    let new: Vec<Finding> =
        custody.lots.iter().flat_map(|lot| lot.mismatches.iter().filter_map(|m| raise::lot(lot, m, &out.inputs))).collect();
    push(&mut out.findings, new);
    out.custody = Some(custody);
}

/// Who stands behind the observed modules, each once, by id.
fn organisations(rows: &[Row]) -> Vec<Trace> {
    let observed = rows.iter().filter_map(|r| r.observed.as_ref()).flat_map(|m| &m.ownership);
    let declared = rows.iter().filter_map(|r| r.declared.as_ref()?.module.as_deref()).flat_map(|m| &m.ownership);
    let products = rows.iter().filter_map(|r| r.product.as_ref()).flat_map(|p| &p.ownership);
    let mut out: Vec<Trace> = Vec::new();
    for behind in observed.chain(declared).chain(products) {
        if !out.iter().any(|t| t.org == behind.trace.org) {
            out.push(Trace::clone(&behind.trace));
        }
    }
    out.sort_by(|a, b| a.org.cmp(&b.org));
    out
}
