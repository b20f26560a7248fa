//! `bom verify`: declared against observed, radios, sweeps, and lots as shipped against lots as received.

use std::path::PathBuf;

use clap::Args;
use umbilical_assess::verify::{Ask, Extra, Options as How, verify};
use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::Observations;
use umbilical_core::answer::verify::{Outcome, Verify as Answer};
use umbilical_core::answer::{Cellular, Device};
use umbilical_core::text::clean;
use umbilical_evidence::Purpose;
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, json, junit, verify as page};

use super::common::{self, Head};
use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom verify --declared vendor.cdx.json --observed host-evidence/ --device GW-17
  umbilical bom verify --declared hw/ --observed evidence/ sweep.csv --near -45
  umbilical bom verify --declared hw/ --observed evidence/ --fail-on substituted-module,undeclared-module
  umbilical bom verify --shipped packing-list.csv --received goods-in.xlsx --find 5% --confidence 95";

/// Rows at a terminal.
const ROWS: usize = 60;

/// `bom verify`.
#[derive(Args, Debug)]
pub struct Verify {
    /// Documents that declare the product: any dialect, files and folders
    #[arg(long, value_name = "FILE", num_args = 1.., required_unless_present = "shipped", requires = "observed")]
    pub declared: Vec<PathBuf>,
    /// What was observed: the evidence that `audit` reads, surveys of Wi-Fi and Bluetooth, spectrum sweeps
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "declared")]
    pub observed: Vec<PathBuf>,
    /// The one device to compare: id, name, asset id, serial number, IMEI, path, or the folder of its evidence
    #[arg(long, value_name = "ID", requires = "observed")]
    pub device: Option<String>,
    /// The survey was taken beside the device: radios of at least this signal (dBm) are its own
    #[arg(long, value_name = "DBM", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-120..=0))]
    pub near: Option<i32>,
    /// How many dB over the noise floor count as energy
    #[arg(long, value_name = "DB", default_value_t = 10, value_parser = clap::value_parser!(i32).range(3..=80))]
    pub over: i32,
    /// List of pieces or IMEI ranges as shipped (CSV, XLSX, JSON)
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "received")]
    pub shipped: Vec<PathBuf>,
    /// List of pieces as received
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "shipped")]
    pub received: Vec<PathBuf>,
    /// The share of bad pieces that the sample is to find
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    pub find: f64,
    /// How surely the sample is to find it
    #[arg(long, value_name = "PERCENT", default_value = "95%", value_parser = percent)]
    pub confidence: f64,
    /// What the draw of the sample derives from; by default the lot itself, which its sender can compute too
    #[arg(long, value_name = "TEXT")]
    pub seed: Option<String>,
    /// How columns of tables map to fields (TOML), overriding the guess that the answer prints
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// A percentage between 0 and 100, both excluded, with its sign or without.
fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim().trim_end_matches('%').trim_end().parse().map_err(|_| format!("`{text}` is no percentage"))?;
    if number > 0.0 && number < 100.0 { Ok(number) } else { Err("a percentage between 0 and 100".to_owned()) }
}

/// Runs it.
pub fn run(global: &Global, args: &Verify) -> Result<u8, Fail> {
    let has = [Format::Table, Format::Json, Format::Csv, Format::Sarif, Format::Github, Format::Junit];
    formats(global, "bom verify", &has)?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let kb = facts(global)?;
    let read = |paths: &[PathBuf], purpose| -> Result<Option<Observations>, Fail> {
        if paths.is_empty() {
            Ok(None)
        } else {
            evidence(global, &kb, Reading { purpose, ..Reading::fleet(paths, args.map.as_deref()) }).map(Some)
        }
    };
    let declared = read(&args.declared, Purpose::Bom)?;
    let mut observed = read(&args.observed, Purpose::Fleet)?;
    if let (Some(all), Some(name)) = (&mut observed, &args.device) {
        one_folder(all, name);
    }
    let (shipped, received) = (read(&args.shipped, Purpose::Lot)?, read(&args.received, Purpose::Lot)?);
    let options = Options { as_of: home::as_of(global), show_subscribers: global.show_subscribers };
    let how = How {
        as_of: options.as_of,
        named: args.device.is_some(),
        near: args.near,
        over_db: args.over,
        ask: Ask { bad_percent: args.find, confidence_percent: args.confidence, seed: args.seed.as_deref() },
    };
    let answer = match &observed {
        None => {
            let extra = Extra { shipped: shipped.as_ref(), received: received.as_ref(), ..Extra::default() };
            verify(None, std::iter::empty(), extra, &kb, &how)
        }
        Some(all) => {
            let fleet = Fleet::new(all, &kb, options);
            let problems = fleet.audit().problems;
            let extra = Extra { observed: Some(all), problems: &problems, shipped: shipped.as_ref(), received: received.as_ref() };
            compare(&kb, &fleet, declared, args.device.as_deref(), extra, &how)?
        }
    };
    write(global, &answer, &gates)?;
    Ok(gates.code(answer.findings.iter(), seen(&answer)))
}

/// Declared against the devices of the fleet, or the one that was named.
fn compare(
    kb: &Knowledge,
    fleet: &Fleet<'_>,
    declared: Option<Observations>,
    device: Option<&str>,
    extra: Extra<'_>,
    how: &How<'_>,
) -> Result<Answer, Fail> {
    let judged = |serial: Option<String>| {
        let options = bom::Options { serial, ..bom::Options::on(how.as_of) };
        declared.map(|all| bom::check(all, kb, &options))
    };
    let Some(name) = device else {
        return Ok(verify(judged(None).as_ref(), fleet.devices(), extra, kb, how));
    };
    let mut found = fleet.find(name);
    if found.is_empty() {
        found = of_folder(fleet, extra.observed, name);
    }
    if found.is_empty() {
        return Err(Fail::usage(
            format!("nothing that was observed is called `{}`", clean(name)),
            "give a device id (dev-…), asset id, name, serial number, IMEI or evidence path, as `umbilical audit` prints them",
        ));
    }
    // As built: only lines that hold for this piece.
    Ok(verify(judged(serial(&found)).as_ref(), found.into_iter(), extra, kb, how))
}

/// A folder named as the device holds one device, though its listings name no asset: people sort evidence by device. Files
/// that speak of several things (a register, an export) keep them apart, and so do folders in it.
fn one_folder(all: &mut Observations, name: &str) {
    let named = |path: &str| path.rsplit(['/', '!']).nth(1).is_some_and(|folder| folder.eq_ignore_ascii_case(name));
    let own: Vec<bool> = all.inputs.iter().map(|i| named(&i.path)).collect();
    let mut records: Vec<Vec<u32>> = vec![Vec::new(); own.len()];
    for (record, thing) in (0u32..).zip(all.things()) {
        if own.get(thing.input() as usize) == Some(&true)
            && let Some(list) = records.get_mut(thing.input() as usize)
        {
            list.push(record);
        }
    }
    let alone: Vec<u32> = records.iter().filter_map(|r| if let [one] = r.as_slice() { Some(*one) } else { None }).collect();
    for (a, b) in alone.iter().zip(alone.iter().skip(1)) {
        all.same_thing(*a, *b);
    }
}

/// Devices whose evidence lies in a folder or archive of that name.
fn of_folder(fleet: &Fleet<'_>, observed: Option<&Observations>, name: &str) -> Vec<Device> {
    let inside = |path: &str| path.split(['/', '!']).any(|part| part.eq_ignore_ascii_case(name));
    let inputs = observed.map(|o| o.inputs.as_slice()).unwrap_or_default();
    let own: Vec<bool> = inputs.iter().map(|i| inside(&i.path)).collect();
    if !own.contains(&true) {
        return Vec::new();
    }
    fleet.devices().filter(|d| d.inputs.iter().any(|i| own.get(*i as usize) == Some(&true))).collect()
}

/// The serial number of the one device.
fn serial(found: &[Device]) -> Option<String> {
    let [device] = found else { return None };
    let [serial] = device.identifiers.serial.as_slice() else { return None };
    Some(serial.split_once('|').map_or(serial.as_str(), |(_, number)| number).to_owned())
}

/// What is open in an answer.
fn seen(answer: &Answer) -> Seen {
    let open = answer.rows.iter().any(|r| r.result == Outcome::NotSeen) || answer.devices.iter().any(|d| d.cellular == Cellular::Unknown);
    let undisclosed = answer.declared.as_ref().is_some_and(|d| d.state == umbilical_core::answer::bom::State::Undisclosed);
    Seen { unknown: open, undisclosed }
}

fn write(global: &Global, answer: &Answer, gates: &Gates) -> Result<(), Fail> {
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    let head = Head { as_of: &answer.as_of, knowledge: &answer.knowledge, inputs: &answer.inputs, problems: &answer.problems };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, answer),
        Format::Csv => page::table(w, answer),
        format @ (Format::Sarif | Format::Github) => common::machine(w, format, &head, answer.findings.iter()),
        Format::Junit => junit::write(w, &junit::verify(answer, |finding| gates.code(std::iter::once(finding), Seen::default()) == 1)),
        _ => page::verify(w, answer, &view),
    })
}
