//! `export`: parts of an audit for other tools.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::Observations;
use umbilical_core::answer::{Audit, Device};
use umbilical_knowledge::Knowledge;
use umbilical_report::{csv, json};
use umbilical_web::leave;

use super::{Reading, evidence, facts, formats};
use crate::args::{Export, Format, Global};
use crate::fail::Fail;
use crate::law::{self, Asked, Law, Unnamed};
use crate::{home, out, saved};

/// Shown behind the help of `export devices`.
pub const DEVICES: &str =
    "csv, xlsx, jsonl, parquet and cyclonedx hold all that it takes to read the same fleet back: `umbilical audit FILE` restores each
claim with the confidence and basis that it had, as what that file declares, and never stronger. Without
--show-subscribers ICCID, IMSI and MSISDN are covered in them as everywhere.
netbox writes devices and netbox-items the modules in them, for NetBox's bulk import; servicenow writes an import set.

Examples:
  umbilical export devices --format xlsx -o fleet.xlsx
  umbilical export devices --format parquet -o fleet.parquet evidence/
  umbilical export devices --format jsonl | jq -r 'select(.maker == null) | .id'";

/// Shown behind the help of `export findings`.
pub const FINDINGS: &str =
    "Findings are those of the last audit in the home, with those of law if it asked any; or of the evidence named, with
--policy for law. ocsf, cef, leef, hec, jsonl and csv have one line for each finding; stix and sarif are one document.

Examples:
  umbilical export findings --format stix -o findings.stix.json
  umbilical export findings --format cef | nc -N siem.example 514
  umbilical export findings --format ocsf evidence/ --policy us-fcc-covered";

/// Formats of devices.
const OF_DEVICES: [Format; 10] = [
    Format::Table,
    Format::Csv,
    Format::Xlsx,
    Format::Jsonl,
    Format::Parquet,
    Format::Cyclonedx,
    Format::Netbox,
    Format::NetboxItems,
    Format::Servicenow,
    Format::Ocsf,
];

pub fn run(global: &Global, command: Option<&Export>) -> Result<u8, Fail> {
    let Some(command) = command else {
        return Err(Fail::usage("what is to be exported?", "devices, findings, edges, tac, or --pack: see `umbilical export --help`"));
    };
    match command {
        Export::Devices { paths } => devices(global, paths),
        Export::Findings { paths } => super::export_findings::run(global, paths),
        Export::Edges { .. } | Export::Tac { .. } => {
            formats(global, "export", &[Format::Table, Format::Csv, Format::Json])?;
            parts(global, command)
        }
    }
}

fn devices(global: &Global, paths: &[PathBuf]) -> Result<u8, Fail> {
    formats(global, "export devices", &OF_DEVICES)?;
    let fleet = Source::of(global, paths)?;
    if matches!(global.format, Format::Xlsx | Format::Parquet) && out::at_terminal(global) {
        let what = format!("`{}` is no text, and standard output is a terminal", global.format.name());
        return Err(Fail::usage(what, "name a file with --output, or send it through a pipe"));
    }
    let format = leave::Devices::from_name(global.format.name()).unwrap_or(leave::Devices::Csv);
    let mut broken = None;
    out::answer(global, |w| {
        let mut to = format.open(w, fleet.as_of(), env!("CARGO_PKG_VERSION"))?;
        each_into(&fleet, &mut broken, &mut |device| to.device(&device))?;
        to.finish()
    })
    .map_err(|fail| broken.take().unwrap_or(fail))?;
    Ok(0)
}

/// Passes every device on until one cannot be written. Half a fleet is no fleet: where the answer cannot be read to its end,
/// why is left in `broken`, and what was begun is thrown away.
pub fn each_into(source: &Source, broken: &mut Option<Fail>, write: &mut dyn FnMut(Device) -> io::Result<()>) -> io::Result<()> {
    let mut done = Ok(());
    let read = source.each(&mut |device| {
        if done.is_ok() {
            done = write(device);
        }
    });
    done?;
    read.map(drop).map_err(|fail| {
        *broken = Some(fail);
        io::Error::other("the answer cannot be read")
    })
}

/// The last audit in the home, or evidence.
pub enum Source {
    /// An audit that was kept.
    Saved {
        /// Its file.
        path: PathBuf,
        /// Its day.
        day: String,
        /// Whether subscriber numbers are to be shown whole.
        whole: bool,
    },
    /// Evidence that was read.
    Read(Box<Evidence>),
}

/// Evidence with what it takes to answer.
pub struct Evidence {
    all: Observations,
    kb: Knowledge,
    law: Option<Law>,
    options: Options,
    as_of: String,
}

impl Source {
    /// Reads evidence, or finds the last audit.
    pub fn of(global: &Global, paths: &[PathBuf]) -> Result<Self, Fail> {
        if paths.is_empty() {
            let path = home::folder(global)?.join(home::AUDIT);
            let day = saved::day(&path)?;
            if let Some(asked) = global.as_of.first().map(|d| d.to_string()).filter(|asked| *asked != day) {
                return Err(Fail::usage(
                    format!("the saved answer is as of {day}: --as-of {asked} needs the evidence"),
                    "name it behind the command",
                ));
            }
            if !global.policy.is_empty() {
                return Err(Fail::usage("the saved answer has been judged: --policy needs the evidence", "name it behind the command"));
            }
            return Ok(Self::Saved { path, day, whole: global.show_subscribers });
        }
        let asked = Asked::default();
        let kb = facts(global)?;
        let (kb, law) = if asked.is_asked(global) {
            let (kb, law) = law::load(global, &asked, kb, Unnamed::Law)?;
            (kb, Some(law))
        } else {
            (kb, None)
        };
        let mut all = evidence(global, &kb, Reading::fleet(paths, None))?;
        let options = Options { as_of: home::as_of(global), show_subscribers: global.show_subscribers };
        bom::as_devices(&mut all, &kb, &bom::Options::on(options.as_of));
        let as_of = options.as_of.to_string();
        Ok(Self::Read(Box::new(Evidence { all, kb, law, options, as_of })))
    }

    /// The day of the answer.
    pub fn as_of(&self) -> &str {
        match self {
            Self::Saved { day, .. } => day,
            Self::Read(read) => &read.as_of,
        }
    }

    /// Calls `each` for every device, in the order of the answer; gives the rest of it.
    pub fn each(&self, each: &mut dyn FnMut(Device)) -> Result<Audit, Fail> {
        match self {
            Self::Saved { path, whole, .. } => {
                let mut covered = false;
                let answer = saved::read(path, &mut |mut device| {
                    if !whole {
                        device.cover();
                    } else if device.identifiers.subscribers().flatten().any(|n| n.contains('…')) {
                        covered = true;
                    }
                    each(device);
                })?;
                if covered {
                    return Err(Fail::usage(
                        "the saved answer holds subscriber numbers covered: --show-subscribers needs the evidence",
                        "name it behind the command",
                    ));
                }
                Ok(answer)
            }
            Self::Read(read) => {
                let fleet = Fleet::new(&read.all, &read.kb, read.options);
                let judge = read.law.as_ref().map(|law| (law, law.judge(&read.kb, read.options.as_of)));
                for mut device in fleet.devices() {
                    if let Some((law, judge)) = &judge {
                        device.findings.extend(law::of_device(judge, law, &read.kb, &device).findings);
                        device.findings.sort_by(|a, b| a.worst_first(b));
                    }
                    each(device);
                }
                Ok(fleet.audit())
            }
        }
    }
}

fn parts(global: &Global, command: &Export) -> Result<u8, Fail> {
    match command {
        Export::Devices { .. } | Export::Findings { .. } => Ok(0),
        Export::Edges { paths } => {
            let mut rows = Vec::new();
            let answer = each(global, paths, &mut |device| rows.extend(edges(&device)))?;
            write(global, "umbilical.edges/1", &EDGE, &answer, &rows)
        }
        Export::Tac { paths } => {
            let answer = each(global, paths, &mut |_| {})?;
            let rows: Vec<Taught> = answer
                .learned
                .iter()
                .map(|l| {
                    let sources: Vec<&str> =
                        l.inputs.iter().filter_map(|i| answer.inputs.get(*i as usize)).map(|i| i.path.as_str()).collect();
                    Taught {
                        tac: l.tac.clone(),
                        brand: l.maker.clone(),
                        model: l.model.clone(),
                        class: "module",
                        count: l.count,
                        source: sources.join("; "),
                    }
                })
                .collect();
            write(global, "umbilical.tac/1", &TAUGHT, &answer, &rows)
        }
    }
}

/// Every device of the last audit, or of the evidence named.
fn each(global: &Global, paths: &[PathBuf], each: &mut dyn FnMut(Device)) -> Result<Audit, Fail> {
    if paths.is_empty() {
        return saved::read(&home::folder(global)?.join(home::AUDIT), each);
    }
    let kb = facts(global)?;
    let all = evidence(global, &kb, Reading::fleet(paths, None))?;
    let fleet = Fleet::new(&all, &kb, Options { as_of: home::as_of(global), show_subscribers: global.show_subscribers });
    fleet.devices().for_each(each);
    Ok(fleet.audit())
}

/// Columns of [`Edge`].
const EDGE: [&str; 10] =
    ["module_maker", "module_model", "sold_by", "oem", "oem_model", "device", "device_name", "confidence", "confidence_level", "basis"];

/// Columns of [`Taught`].
const TAUGHT: [&str; 6] = ["tac", "brand", "model", "class", "count", "source"];

/// Module → maker of the device → device.
#[derive(Serialize)]
struct Edge {
    module_maker: Option<String>,
    module_model: Option<String>,
    sold_by: Option<String>,
    oem: Option<String>,
    oem_model: Option<String>,
    device: String,
    device_name: Option<String>,
    confidence: f64,
    confidence_level: &'static str,
    basis: &'static str,
}

fn edges(device: &Device) -> Vec<Edge> {
    let host = device.host.as_ref();
    let name = device.names.first().or(device.identifiers.asset_id.first());
    device
        .modules
        .iter()
        .map(|m| Edge {
            module_maker: m.maker.clone(),
            module_model: m.model.clone(),
            sold_by: m.brand.clone().filter(|b| Some(b) != m.maker.as_ref()),
            oem: host.and_then(|h| h.brand.clone()),
            oem_model: host.and_then(|h| h.model.clone()),
            device: device.id.clone(),
            device_name: name.cloned(),
            confidence: m.confidence,
            confidence_level: m.confidence_level.name(),
            basis: m.basis.name(),
        })
        .collect()
}

/// A learned type allocation code, in the columns that `knowledge import` reads.
#[derive(Serialize)]
struct Taught {
    tac: String,
    brand: String,
    model: String,
    class: &'static str,
    count: u32,
    source: String,
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    as_of: &'a str,
    rows: &'a [T],
}

fn write<T: Serialize>(global: &Global, schema: &str, columns: &[&str], answer: &Audit, rows: &[T]) -> Result<u8, Fail> {
    out::answer(global, |w: &mut dyn Write| -> io::Result<()> {
        match global.format {
            Format::Json => json::one(w, &Document { schema, as_of: &answer.as_of, rows }),
            _ => csv::rows(w, columns, rows),
        }
    })?;
    Ok(0)
}
