//! `audit`: read, resolve, identify, trace, judge, answer.

use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::Day;
use umbilical_core::answer::counts::RuleCounts;
use umbilical_core::answer::{Audit as Answer, Device};
use umbilical_report::{View, csv, html, json, table};

use super::{Reading, evidence, facts, formats, mapping};
use crate::args::{Audit, Format, Global};
use crate::fail::Fail;
use crate::gate::{Found, Gates, Seen};
use crate::law::{self, Unnamed};
use crate::{home, out, recorded};

/// Devices listed at a terminal.
const ROWS: usize = 40;

pub fn run(global: &Global, audit: &Audit) -> Result<u8, Fail> {
    formats(global, "audit", &[Format::Table, Format::Json, Format::Csv, Format::Html])?;
    let asked = audit.asked.is_asked(global);
    let unnamed = if asked { Unnamed::Law } else { Unnamed::Nothing };
    let (kb, law) = law::load(global, &audit.asked, facts(global)?, unnamed)?;
    let judge = law.judge(&kb, home::as_of(global));
    // Named rules make the audit a gate.
    let default: &[&str] = if global.policy.is_empty() { &[] } else { &["fail"] };
    let gates = Gates::with_rules(&global.fail_on, default, &judge.rule_ids())?;
    let mut all = evidence(global, &kb, Reading { threads: audit.threads, ..Reading::fleet(&audit.paths, audit.map.as_deref()) })?;
    let as_of = judge.as_of();
    // What a bill of materials declares is a device of the fleet like any other.
    bom::as_devices(&mut all, &kb, &bom::Options::on(as_of));
    let fleet = Fleet::new(&all, &kb, Options { as_of, show_subscribers: global.show_subscribers });
    let mut answer = fleet.audit();
    let judged = || {
        fleet.devices().map(|mut device| {
            if asked {
                device.findings.extend(law::of_device(&judge, &law, &kb, &device).findings);
                device.findings.sort_by(|a, b| a.worst_first(b));
            }
            device
        })
    };
    let found = answer.tallies.findings.iter().filter(|t| t.count > 0).map(|t| Found {
        code: &t.label,
        source: "identity",
        severity: umbilical_assess::findings::severity(&t.label),
        verdict: None,
        waived: false,
    });
    let undisclosed = answer.coverage.undisclosed.is_some_and(|n| n > 0);
    let mut code = gates.code(found, Seen { unknown: answer.coverage.unknown > 0, undisclosed });
    // Rules are counted apart: each of their findings has a verdict, and may be waived.
    if asked {
        let mut counts = RuleCounts::default();
        for device in judged() {
            let rules = || device.findings.iter().filter(|f| f.source == "rule");
            code = crate::gate::worse(code, gates.code(rules(), Seen::default()));
            counts.add(&device);
        }
        counts.into_answer(&mut answer);
        answer.law = Some(law.stamp(&judge));
    }
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    let written = out::answer(global, |w| match global.format {
        Format::Table => table::audit(w, &answer, judged(), &view),
        Format::Json => json::audit(w, &answer, judged()),
        Format::Csv => csv::audit(w, judged()),
        _ => html::audit(w, &answer, judged(), html::DEVICES),
    });
    // A reader that has seen enough (`| head`) changes neither what is kept nor what a gate says.
    match written {
        Err(problem) if !problem.is_closed_pipe() => return Err(problem),
        _ => {}
    }
    if !global.no_save {
        keep(global, &answer, judged());
    }
    let kept = if global.no_save { Ok(()) } else { record(global, audit, &answer, as_of) };
    if asked {
        law.tell_unused(global);
    }
    if !global.quiet {
        let blind = gates.wants_undisclosed() && answer.coverage.undisclosed.is_none();
        let blind = blind.then(|| "no bill of materials was read, so nothing judges `undisclosed`: it cannot trip".to_owned());
        for note in gates.powerless(asked).chain(blind) {
            eprintln!("umbilical: {note}");
        }
    }
    kept.map(|()| code)
}

/// Keeps the evidence in the store, where the home has one. The answer has been given whatever becomes of that; that a team's
/// record lacks it is a failure all the same, which a timer must see.
fn record(global: &Global, audit: &Audit, answer: &Answer, as_of: Day) -> Result<(), Fail> {
    let mapping = || audit.map.as_deref().map(mapping).transpose();
    let judge = audit.asked.is_asked(global).then(|| super::serve::judge(global.clone(), audit.asked.clone()));
    let kept = mapping().and_then(|mapping| {
        let law = answer.law.as_ref();
        recorded::keep(global, recorded::Asked { paths: &audit.paths, mapping, knowledge: facts(global)?, judge, law, as_of })
    });
    match kept {
        Ok(Some(said)) if !global.quiet => eprintln!("umbilical: {said}"),
        Ok(_) => {}
        Err(problem) => {
            let help = Some("audit once more; --no-save keeps nothing on purpose".to_owned());
            return Err(Fail::Home { what: format!("the answer is given, and not kept in the store of the home: {problem}"), help });
        }
    }
    Ok(())
}

/// Keeps the answer in the home. An answer that cannot be kept has been given all the same: a note, no failure.
fn keep(global: &Global, answer: &Answer, devices: impl Iterator<Item = Device>) {
    let kept = home::folder(global).and_then(|folder| {
        home::make(&folder)?;
        out::private(&folder.join(home::AUDIT), |w| json::packed(w, answer, devices))
    });
    if let Err(problem) = kept
        && !global.quiet
    {
        eprintln!("umbilical: the answer was not kept: {problem} (--no-save says so on purpose)");
    }
}
