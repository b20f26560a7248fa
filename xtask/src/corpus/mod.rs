//! Measures the binary on real evidence whose truth is known: `DIR/identity/`, `DIR/exports/` and `DIR/bom/`, each with an
//! index; on captures under `DIR/traffic/`, whose index says what is in them, and on records of conversations, whose lines another
//! program counts.
//!
//! The evidence is not part of the project (licences, subscriber data); where the folder is absent, one line says so. What is
//! generated (`grid`) is measured all the same.

mod beacon;
mod bom;
mod detect;
mod grid;
pub mod judge;
mod records;
mod score;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Outcome;
use crate::answer::{self, Audit};
use crate::cargo::{self, Metadata};
use judge::{Mark, Truth, judge, same_maker};
use score::Score;

const SCHEMA: &str = "umbilical.corpus/1";

/// Bars that must be reached.
const MAKER_RECALL: f64 = 0.92;
const MODEL_RECALL: f64 = 0.80;
const CALIBRATION_ERROR: f64 = 0.10;

/// Exports that name a module. Everything else under `exports/` documents a platform or lists products, so that no
/// module of a maker may come out of it.
const EXPORTS_WITH_MODULE: &[(&str, &[&str])] = &[
    ("fwupd/foxconn-t99w373-mbim.json", &["Foxconn"]),
    ("fwupd/qc-eg25ggc-fastboot.json", &["Quectel"]),
    // A table of ids: whoever reads it as devices may at least name nobody else.
    ("fwupd/modem-manager.quirk", &["Quectel", "Fibocom", "Foxconn", "Cinterion", "Rolling Wireless", "Dell"]),
];

#[derive(Deserialize)]
struct IdentityRow {
    file: String,
    kind: String,
    true_vendor: String,
    true_model: String,
    class: String,
    table_shares_source: String,
}

#[derive(Deserialize)]
struct SnmpRow {
    file: String,
    module_vendor: String,
    module_model: String,
    #[serde(rename = "where")]
    note: String,
}

#[derive(Deserialize)]
struct ExportRow {
    file: String,
}

/// One bar.
#[derive(Clone, Serialize)]
struct Bar {
    what: String,
    measured: String,
    wanted: String,
    pass: bool,
}

/// One file that is not as it should be.
#[derive(Serialize)]
struct Miss {
    file: String,
    truth: String,
    answer: String,
    what: String,
}

#[derive(Default)]
struct Identity {
    kinds: BTreeMap<String, Score>,
    independent: Score,
    all: Score,
    misses: Vec<Miss>,
}

#[derive(Default, Serialize)]
struct Snmp {
    walks: usize,
    labelled: usize,
    found: usize,
    unlabelled: usize,
    unknown: usize,
    traps_named: usize,
    misses: Vec<Miss>,
}

#[derive(Default, Serialize)]
struct Exports {
    files: usize,
    read: usize,
    problems: usize,
    wrong_modules: usize,
    misses: Vec<Miss>,
}

/// What is asked for.
#[derive(Default)]
pub struct Asked {
    /// One JSON document instead of tables.
    pub as_json: bool,
    /// Every file that is not right is named.
    pub verbose: bool,
    /// Only what is said of traffic.
    pub traffic: bool,
    /// A build that there is.
    pub binary: Option<PathBuf>,
}

/// Runs everything and fails under the bars.
pub fn run(dir: Option<PathBuf>, asked: Asked) -> Outcome {
    let dir = dir.unwrap_or_else(|| cargo::root().join("../shared/corpus"));
    let index = dir.join(if asked.traffic { "traffic/index.csv" } else { "identity/index.csv" });
    let there = index.is_file();
    if !there && !asked.as_json {
        println!("no corpus at {}: only what is generated is measured", dir.display());
    }
    let metadata = Metadata::load()?;
    let binary = asked.binary.map_or_else(|| cargo::binary(&metadata, cargo::PROFILE), Ok)?;
    let scratch = metadata.target_directory.join("xtask");
    let records = records::measure(&dir, &binary, &scratch)?;
    let detectors = detect::measure(&dir, &binary, &scratch)?;
    let grids = grid::measure(&binary, &scratch, &detectors.scores)?;
    let mut bars = [records.bars(), detectors.bars(), grids.bars()].concat();
    if asked.traffic || !there {
        if asked.as_json {
            print(&json!({"schema": SCHEMA, "records": records, "detectors": detectors, "grids": grids, "bars": bars}))?;
        } else {
            let misses = asked.verbose || bars.iter().any(|b| !b.pass);
            records.print(misses);
            detectors.print(misses);
            grids.print(misses);
        }
        return reached(&bars);
    }
    let identity = identity(&dir.join("identity"), &binary, &scratch)?;
    let snmp = snmp(&dir.join("exports"), &binary, &scratch)?;
    let exports = exports(&dir.join("exports"), &binary, &scratch)?;
    let boms = bom::measure(&dir.join("bom"), &binary, &scratch)?;
    bars = [self::bars(&identity, &snmp, &exports), boms.bars(), bars].concat();
    if asked.as_json {
        print_json(&identity, &snmp, &exports, (&boms, &records, &detectors, &grids), &bars)?;
    } else {
        let misses = asked.verbose || bars.iter().any(|b| !b.pass);
        print_table(&identity, &snmp, &exports, misses);
        boms.print(misses);
        records.print(misses);
        detectors.print(misses);
        grids.print(misses);
    }
    reached(&bars)
}

/// Whether every bar is.
fn reached(bars: &[Bar]) -> Outcome {
    let failing: Vec<String> =
        bars.iter().filter(|b| !b.pass).map(|b| format!("{}: {}, wanted {}", b.what, b.measured, b.wanted)).collect();
    if failing.is_empty() { Ok(()) } else { Err(format!("under the bar\n  {}", failing.join("\n  "))) }
}

fn print(document: &serde_json::Value) -> Outcome {
    println!("{}", serde_json::to_string_pretty(document).map_err(|e| e.to_string())?);
    Ok(())
}

fn rows<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>, String> {
    let failed = |e: csv::Error| format!("{}: {e}", path.display());
    csv::Reader::from_path(path).map_err(failed)?.deserialize().collect::<Result<_, _>>().map_err(failed)
}

fn identity(dir: &Path, binary: &Path, scratch: &Path) -> Result<Identity, String> {
    let rows: Vec<IdentityRow> = rows(&dir.join("index.csv"))?;
    let paths: Vec<PathBuf> = rows.iter().map(|r| dir.join(&r.file)).collect();
    let mut out = Identity::default();
    for (row, answer) in rows.iter().zip(answer::audit_all(binary, &paths, scratch)) {
        // A run that gives no document is silent on a module, and never a reason to stop.
        let (audit, failed) = match answer {
            Ok(audit) => (audit, None),
            Err(what) => (Audit::default(), Some(what)),
        };
        let mut one = Score::default();
        let mut wrong: Vec<String> = failed.into_iter().collect();
        if row.class == "module" {
            let truth = Truth::new(&row.true_vendor, &row.true_model);
            let judged = judge(&audit, &truth);
            one.module(&judged);
            for (name, mark) in [("maker", Some(judged.maker)), ("model", judged.model)] {
                match mark {
                    Some(Mark::Wrong) => wrong.push(format!("{name} wrong")),
                    Some(Mark::Silent) => wrong.push(format!("{name} silent")),
                    Some(Mark::Family) => wrong.push("only the family".into()),
                    _ => {}
                }
            }
            if judged.brand_wrong {
                wrong.push("brand wrong".into());
            }
        } else {
            let modules = || audit.devices.iter().flat_map(|d| &d.modules);
            let called = modules().next().is_some();
            one.negative(called, modules().flat_map(|m| &m.claims).filter(|c| c.level == "maker").map(|c| c.confidence));
            if called {
                wrong.push("called a module".into());
            }
        }
        out.kinds.entry(row.kind.clone()).or_default().add(&one);
        out.all.add(&one);
        if row.table_shares_source == "no" {
            out.independent.add(&one);
        }
        if !wrong.is_empty() {
            let mark = if row.table_shares_source == "no" { "" } else { " (shares a source with the tables)" };
            out.misses.push(Miss {
                file: format!("{} {}{mark}", row.file, row.kind),
                truth: format!("{} {}", row.true_vendor, row.true_model),
                answer: said(&audit),
                what: wrong.join(", "),
            });
        }
    }
    Ok(out)
}

fn snmp(dir: &Path, binary: &Path, scratch: &Path) -> Result<Snmp, String> {
    let labels: Vec<SnmpRow> = rows(&dir.join("snmp_labels.csv"))?;
    let paths: Vec<PathBuf> = labels.iter().map(|r| dir.join("snmp").join(&r.file)).collect();
    let mut out = Snmp { walks: labels.len(), ..Snmp::default() };
    for (row, answer) in labels.iter().zip(answer::audit_all(binary, &paths, scratch)) {
        let audit = answer.clone().unwrap_or_default();
        // A module entry without maker, brand and model says no more than "cellular".
        let named = audit.devices.iter().flat_map(|d| &d.modules).any(|m| m.maker.is_some() || m.brand.is_some() || m.model.is_some());
        let mut what = answer.err();
        if row.module_vendor.is_empty() {
            let trap = row.note.contains("TRAP");
            out.unlabelled += 1;
            if named {
                out.traps_named += usize::from(trap);
                what = what.or_else(|| Some("named a module that nothing in it names".into()));
            } else if !trap && !audit.devices.iter().any(|d| d.cellular != "no") {
                what = what.or_else(|| Some("neither unknown nor cellular".into()));
            }
            out.unknown += usize::from(what.is_none());
        } else {
            out.labelled += 1;
            let judged = judge(&audit, &Truth::new(&row.module_vendor, &row.module_model));
            if judged.maker == Mark::Right && judged.model == Some(Mark::Right) {
                out.found += 1;
            } else {
                what = what
                    .or_else(|| Some(format!("maker {:?}, model {:?}", judged.maker, judged.model.unwrap_or(Mark::Silent)).to_lowercase()));
            }
        }
        if let Some(what) = what {
            out.misses.push(Miss {
                file: row.file.clone(),
                truth: format!("{} {}", row.module_vendor, row.module_model),
                answer: said(&audit),
                what,
            });
        }
    }
    Ok(out)
}

fn exports(dir: &Path, binary: &Path, scratch: &Path) -> Result<Exports, String> {
    let mut files: Vec<ExportRow> = rows(&dir.join("index.csv"))?;
    files.retain(|row| !row.file.starts_with("snmp/"));
    let paths: Vec<PathBuf> = files.iter().map(|r| dir.join(&r.file)).collect();
    let mut out = Exports { files: files.len(), ..Exports::default() };
    for (row, answer) in files.iter().zip(answer::audit_all(binary, &paths, scratch)) {
        let makers = EXPORTS_WITH_MODULE.iter().find(|(file, _)| *file == row.file).map_or(&[][..], |(_, makers)| makers);
        let audit = answer.clone().unwrap_or_default();
        let wrong = audit
            .devices
            .iter()
            .flat_map(|d| &d.modules)
            .filter_map(|m| m.maker.as_deref().or(m.brand.as_deref()).or(m.model.as_deref()))
            .any(|name| !makers.iter().any(|m| same_maker(m, name)));
        out.read += usize::from(answer.is_ok());
        out.problems += audit.problems.len();
        out.wrong_modules += usize::from(wrong);
        if let Some(what) = answer.err().or(wrong.then(|| "a module that it does not speak of".into())) {
            out.misses.push(Miss { file: row.file.clone(), truth: makers.join(" or "), answer: said(&audit), what });
        }
    }
    Ok(out)
}

/// The answer in a line.
fn said(audit: &Audit) -> String {
    let device = |d: &answer::Device| {
        let modules: Vec<String> = d
            .modules
            .iter()
            .map(|m| {
                let word = |o: &Option<String>| o.clone().unwrap_or_else(|| "–".into());
                let sold = m.sold_as.as_ref().map(|s| format!(" as {} {s}", word(&m.brand))).unwrap_or_default();
                let name = m.variant.as_ref().or(m.model.as_ref()).or(m.family.as_ref()).cloned().unwrap_or_else(|| "–".into());
                format!("{} {name}{sold} {:.2}", word(&m.maker), m.confidence)
            })
            .collect();
        format!("{}{}[{}]", d.cellular, if d.product.is_some() { " product " } else { " " }, modules.join(" | "))
    };
    let formats: Vec<&str> = audit.inputs.iter().map(|i| i.format.as_str()).collect();
    let problem = audit.problems.first().map_or_else(String::new, |p| format!("; {} problems: {}: {}", audit.problems.len(), p.at, p.what));
    format!("{}: {}{problem}", formats.join("+"), audit.devices.iter().map(device).collect::<Vec<_>>().join("; "))
}

/// A bar that must be met exactly.
fn count(what: impl Into<String>, n: usize, want: usize) -> Bar {
    Bar { what: what.into(), measured: n.to_string(), wanted: want.to_string(), pass: n == want }
}

fn bars(identity: &Identity, snmp: &Snmp, exports: &Exports) -> Vec<Bar> {
    let percent = |v: f64| format!("{:.1} %", v * 100.0);
    let at_least = |what: &str, v: f64, bar: f64| Bar {
        what: what.into(),
        measured: percent(v),
        wanted: format!("at least {}", percent(bar)),
        pass: v >= bar,
    };
    // No claims at all are no calibration: the recall fails then, this bar need not.
    let error = identity.all.calibration_error().unwrap_or(0.0);
    vec![
        at_least("identity, sources apart: makers right", identity.independent.maker_recall(), MAKER_RECALL),
        at_least("identity, sources apart: models right", identity.independent.model_recall(), MODEL_RECALL),
        count("identity: makers wrong", identity.all.maker_wrong, 0),
        count("identity: negatives called a module", identity.all.false_positives, 0),
        Bar {
            what: "identity: expected calibration error of maker claims".into(),
            measured: format!("{error:.3}"),
            wanted: format!("at most {CALIBRATION_ERROR:.2}"),
            pass: error <= CALIBRATION_ERROR,
        },
        count("SNMP walks: labelled modules found", snmp.found, snmp.labelled),
        count("SNMP walks: unlabelled ones unknown", snmp.unknown, snmp.unlabelled),
        count("SNMP walks: traps called a module", snmp.traps_named, 0),
        count("exports: files read", exports.read, exports.files),
        count("exports: files with a wrong module", exports.wrong_modules, 0),
    ]
}

fn calibration(score: &Score) -> (String, String) {
    let show = |v: Option<f64>| v.map_or_else(|| "–".into(), |v| format!("{v:.3}"));
    (show(score.brier()), show(score.calibration_error()))
}

fn print_table(identity: &Identity, snmp: &Snmp, exports: &Exports, misses: bool) {
    println!(
        "{:<14}{:>6}  {:>17}  {:>23}  {:>9}  {:>6}  {:>6}  {:>6}",
        "identity", "files", "maker ok/bad/open", "model ok/family/bad/open", "negatives", "called", "Brier", "ECE"
    );
    let line = |name: &str, s: &Score| {
        let (brier, ece) = calibration(s);
        println!(
            "{:<14}{:>6}  {:>17}  {:>24}  {:>9}  {:>6}  {:>6}  {:>6}",
            name,
            s.files,
            format!("{}/{}/{}", s.maker_right, s.maker_wrong, s.maker_silent),
            format!("{}/{}/{}/{}", s.model_right, s.model_family, s.model_wrong, s.model_silent),
            s.negatives,
            s.false_positives,
            brier,
            ece
        );
    };
    for (kind, score) in &identity.kinds {
        line(kind, score);
    }
    line("sources apart", &identity.independent);
    line("all", &identity.all);
    println!(
        "sources apart: makers {:.1} %, models {:.1} %; {} maker claims weighed, {} brands wrong",
        identity.independent.maker_recall() * 100.0,
        identity.independent.model_recall() * 100.0,
        identity.all.claims(),
        identity.all.brand_wrong
    );
    println!(
        "SNMP walks: {} of {} labelled modules found, {} of {} unlabelled unknown, {} traps called a module",
        snmp.found, snmp.labelled, snmp.unknown, snmp.unlabelled, snmp.traps_named
    );
    println!(
        "exports: {} of {} read, {} problems reported, {} with a wrong module",
        exports.read, exports.files, exports.problems, exports.wrong_modules
    );
    if misses {
        for miss in identity.misses.iter().chain(&snmp.misses).chain(&exports.misses) {
            println!("  {}: {} ({}) ← {}", miss.file, miss.what, miss.truth.trim(), miss.answer);
        }
    }
}

fn print_json(
    identity: &Identity,
    snmp: &Snmp,
    exports: &Exports,
    (boms, records, detectors, grids): (&bom::Measured, &records::Measured, &detect::Measured, &grid::Measured),
    bars: &[Bar],
) -> Outcome {
    let with = |s: &Score| {
        let mut value = serde_json::to_value(s).unwrap_or_default();
        for (key, v) in [
            ("maker_recall", Some(s.maker_recall())),
            ("model_recall", Some(s.model_recall())),
            ("brier", s.brier()),
            ("expected_calibration_error", s.calibration_error()),
        ] {
            value[key] = json!(v.map(|v| (v * 10_000.0).round() / 10_000.0));
        }
        value
    };
    let kinds: BTreeMap<_, _> = identity.kinds.iter().map(|(k, s)| (k, with(s))).collect();
    let document = json!({
        "schema": SCHEMA,
        "identity": {"kinds": kinds, "sources_apart": with(&identity.independent), "all": with(&identity.all), "misses": identity.misses},
        "snmp": snmp,
        "exports": exports,
        "bom": boms,
        "records": records,
        "detectors": detectors,
        "grids": grids,
        "bars": bars,
    });
    print(&document)
}
