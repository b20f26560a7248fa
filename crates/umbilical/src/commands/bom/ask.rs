//! `bom ask`: the questionnaire to a supplier, as a workbook or a document.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;
use umbilical_assess::bom;
use umbilical_assess::suppliers::{Wanted, questionnaire};
use umbilical_core::Day;
use umbilical_core::answer::suppliers::Questionnaire;
use umbilical_core::text::clean;
use umbilical_knowledge::Template;
use umbilical_report::{View, json, suppliers};

use crate::args::{Format, Global};
use crate::commands::{Reading, evidence, facts, formats};
use crate::fail::Fail;
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom ask hardware/ --device GW-17 --supplier \"Acme Gateways\" --due 2026-12-15 -o questions.xlsx
  umbilical bom ask --device Pump-3 --supplier \"Acme Medical\" --template mds2 -o questions.json
  umbilical bom ask --device GW-17 --supplier \"Acme Gateways\"        what would be asked, at the terminal";

/// `bom ask`.
#[derive(Args, Debug)]
pub struct Ask {
    /// Bills of materials at hand: their parts are filled in, open places first
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The product asked about
    #[arg(long, value_name = "NAME")]
    pub device: String,
    /// Who is asked
    #[arg(long, value_name = "NAME")]
    pub supplier: String,
    /// The form: hbom, mds2 (supplement for medical devices), tender (award criteria)
    #[arg(long, value_name = "FORM", default_value = "hbom")]
    pub template: String,
    /// The day by which an answer is asked for
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub due: Option<Day>,
    /// How many tiers are asked about, from the outside in: brand, ODM, module, chipset, memory, firmware
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=6))]
    pub tiers: u8,
    /// How columns of tables map to fields (TOML)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
}

/// Runs it.
pub fn run(global: &Global, args: &Ask) -> Result<u8, Fail> {
    formats(global, "bom ask", &[Format::Table, Format::Xlsx, Format::Json])?;
    let format = format(global)?;
    let template = Template::get(&args.template).ok_or_else(|| {
        let names: Vec<&str> = Template::all().iter().map(|t| t.id.as_str()).collect();
        Fail::usage(format!("--template: there is no form `{}`", args.template), format!("there are: {}", names.join(", ")))
    })?;
    for (flag, value) in [("--device", &args.device), ("--supplier", &args.supplier)] {
        if value.trim().is_empty() {
            return Err(Fail::usage(format!("{flag} is empty"), "the reply is known by it: write a name"));
        }
    }
    let as_of = home::as_of(global);
    if let Some(due) = args.due.filter(|due| *due < as_of) {
        return Err(Fail::usage(format!("--due: {due} lies before {as_of}"), "nobody can answer in the past: name a later day"));
    }
    let kb = facts(global)?;
    let check = if args.paths.is_empty() {
        None
    } else {
        let all = evidence(global, &kb, Reading::bom(&args.paths, args.map.as_deref()))?;
        Some(bom::check(all, &kb, &bom::Options::on(as_of)))
    };
    // The document goes to somebody else: what could not be read is said here.
    if let Some(check) = check.as_ref().filter(|_| !global.quiet) {
        for problem in &check.problems {
            let path = problem.input.and_then(|i| check.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
            eprintln!("umbilical: {}", clean(&format!("{path} {}: {}", problem.at, problem.what)));
        }
    }
    let wanted = Wanted {
        template,
        device: args.device.trim(),
        supplier: args.supplier.trim(),
        due: args.due,
        tiers: usize::from(args.tiers),
        as_of,
    };
    write(global, format, &questionnaire(&kb, &wanted, check.as_ref()))?;
    Ok(0)
}

/// The form of the answer; where none is given, as the name of the file says.
fn format(global: &Global) -> Result<Format, Fail> {
    let ending = global.output.as_ref().and_then(|p| p.extension()).map(|e| e.to_string_lossy().to_lowercase());
    let format = match (global.format, ending.as_deref()) {
        (Format::Table, Some("xlsx")) => Format::Xlsx,
        (Format::Table, Some("json")) => Format::Json,
        (given, _) => given,
    };
    if format == Format::Xlsx && global.output.is_none() && std::io::stdout().is_terminal() {
        return Err(Fail::usage("a workbook is nothing for a terminal", "name a file: -o questions.xlsx"));
    }
    Ok(format)
}

fn write(global: &Global, format: Format, document: &Questionnaire) -> Result<(), Fail> {
    match format {
        Format::Xlsx => {
            let bytes = suppliers::workbook(document)
                .map_err(|e| Fail::usage(format!("the workbook cannot be made: {e}"), "ask about fewer parts"))?;
            out::answer(global, |w| w.write_all(&bytes))
        }
        Format::Json => out::answer(global, |w| json::one(w, document)),
        _ => {
            let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
            out::answer(global, |w| suppliers::questionnaire(w, document, &view))
        }
    }
}
