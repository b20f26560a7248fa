//! Declared against observed: each declared part beside the module that is there, radios that no document declares,
//! energy where only modems send, and lots as shipped against lots as received.
//!
//! Nothing here accuses: a row says what was declared where and what was observed where, with both lines. What is
//! observed below *possible* is no substitution but a thing to collect evidence about.

mod bus;
mod custody;
mod declared;
mod fit;
mod notes;
mod radios;
mod raise;
mod rows;
mod sampling;
mod sweep;

use rustc_hash::FxHashMap;
use umbilical_core::answer::bom::{Check, State};
use umbilical_core::answer::verify::{Row, VERIFY_SCHEMA, Verify};
use umbilical_core::answer::{Because, Cellular, Device, Said, Trace};
use umbilical_core::finding::{Code, Finding};
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;

pub use custody::List;
use declared::{Slot, slots};
use notes::Same;
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

/// The most findings of one code that a run raises.
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
        knowledge: declared.map_or_else(|| crate::trace::stamp(kb, options.as_of), |c| c.knowledge.clone()),
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
    let mut raised = Raised::default();
    if let Some(check) = declared {
        let side = Side { kb, check, devices: &devices, options };
        side.compare(&mut out, &mut raised);
        side.air(extra.observed, first, &mut out, &mut raised);
    }
    lots(kb, extra, options, &mut out, &mut raised);
    out.findings = raised.list;
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

/// Findings under way: of each code a bounded number, the rest stand in rows, radios and lots all the same.
#[derive(Default)]
struct Raised {
    list: Vec<Finding>,
    counts: FxHashMap<Code, usize>,
}

impl Extend<Finding> for Raised {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, new: T) {
        for finding in new {
            let count = self.counts.entry(finding.code.clone()).or_default();
            *count = count.saturating_add(1);
            if *count <= MOST_FINDINGS {
                self.list.push(finding);
            }
        }
    }
}

/// What is compared.
struct Side<'a> {
    kb: &'a Knowledge,
    check: &'a Check,
    devices: &'a [Device],
    options: &'a Options<'a>,
}

impl Side<'_> {
    /// Rows, and what must be said of each device.
    fn compare(&self, out: &mut Verify, raised: &mut Raised) {
        let slots: Vec<Slot<'_>> = slots(self.check);
        if self.devices.is_empty() {
            out.rows = rows::rows(self.kb, &slots, None);
            raised.extend(out.rows.iter().filter_map(|row| raise::row(row, &out.inputs, false)));
            return;
        }
        let (count, named) = (self.devices.len(), self.options.named);
        let mut unnamed = 0usize;
        for device in self.devices {
            let about = notes::about(self.kb, out.declared.as_ref(), device, count, named, slots.is_empty());
            let doubt = match about.same {
                Same::Yes => "",
                Same::Unknown => "; whether it is the product that the documents are about is not known",
                Same::No => "; what is observed is another product than the documents are about",
            };
            unnamed = unnamed.saturating_add(usize::from(about.same == Same::Unknown));
            let mut rows = rows::rows(self.kb, &slots, Some(device));
            for row in &mut rows {
                row.label = Some(about.compared.label.clone());
                row.sentence.push_str(doubt);
            }
            raised.extend(rows.iter().filter_map(|row| raise::row(row, &out.inputs, !doubt.is_empty())));
            out.rows.append(&mut rows);
            out.devices.push(about.compared);
        }
        if unnamed > 0 {
            out.limits.push(notes::unnamed(unnamed));
        }
    }

    /// Radios and sweeps.
    fn air(&self, observed: Option<&Observations>, first: u32, out: &mut Verify, raised: &mut Raised) {
        let declared = DeclaredRadios::of(self.check);
        out.radios = radios::by_design(self.kb, &out.rows, &declared);
        if let Some(all) = observed {
            out.radios.extend(bus::radios(all, first, self.devices, &declared));
            let survey = radios::Survey { all, first, near: self.options.near };
            let (heard, others) = survey.heard(self.kb, self.devices, &declared);
            out.radios.extend(heard);
            if others > 0 {
                out.limits.push(notes::not_tied(others, self.options.near));
            }
        }
        raised.extend(out.radios.iter().filter_map(|r| raise::radio(r, self.check, &out.inputs)));
        let modem = match out.declared.as_ref().map(|d| d.state) {
            Some(State::Found) => Some("the documents declare a modem"),
            Some(State::Undisclosed) => Some("the documents say that a module must be there"),
            _ => None,
        };
        let only = if let [one] = self.devices { Some(&*one.id) } else { None };
        for sweep in observed.iter().flat_map(|o| &o.sweeps) {
            let energy = sweep::energy(self.kb, sweep, self.options.over_db, &|line| format!("line {line}"));
            let answer = sweep::answer(self.kb, sweep, sweep.input.saturating_add(first), energy, modem);
            if modem.is_none() {
                raised.extend(raise::energy(&answer, &out.inputs, only, self.check));
            }
            out.sweeps.push(answer);
        }
    }
}

/// Shipped against received.
fn lots(kb: &Knowledge, extra: Extra<'_>, options: &Options<'_>, out: &mut Verify, raised: &mut Raised) {
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
    for lot in &custody.lots {
        raised.extend(lot.mismatches.iter().filter_map(|m| raise::lot(lot, m, &out.inputs)));
    }
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
