//! `export`: parts of an audit for other tools.

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::{Audit, Device};
use umbilical_report::{csv, json};

use super::{Reading, evidence, facts, formats};
use crate::args::{Export, Format, Global};
use crate::fail::Fail;
use crate::{home, out, saved};

pub fn run(global: &Global, command: Option<&Export>) -> Result<u8, Fail> {
    let Some(command) = command else {
        return Err(Fail::usage("what is to be exported?", "edges, tac, or --pack: see `umbilical export --help`"));
    };
    formats(global, "export", &[Format::Table, Format::Csv, Format::Json])?;
    match command {
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
