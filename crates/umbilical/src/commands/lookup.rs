//! `lookup`: what the knowledge base says of a key, every row with its source. No evidence is read.

use std::io::{self, Write};

use serde::Serialize;
use umbilical_assess::lookup::{Answer, answer};
use umbilical_core::answer::{KnowledgeStamp, Trace};
use umbilical_core::text::clean;
use umbilical_report::json;

use super::{facts, formats};
use crate::args::{Format, Global, Lookup};
use crate::fail::Fail;
use crate::{home, out};

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    as_of: String,
    knowledge: KnowledgeStamp,
    inputs: [(); 0],
    problems: [(); 0],
    answers: Vec<Answer>,
}

pub fn run(global: &Global, command: &Lookup) -> Result<u8, Fail> {
    formats(global, "lookup", &[Format::Table, Format::Json])?;
    let kb = facts(global)?;
    let as_of = home::as_of(global);
    let answers = command.text.iter().map(|text| answer(&kb, text, as_of)).collect();
    let unread = umbilical_assess::trace::unread_lists(&kb, as_of);
    let sources_to = kb.sources_to().map(|d| d.to_string()).unwrap_or_default();
    let document = Document {
        schema: "umbilical.lookup/1",
        as_of: as_of.to_string(),
        knowledge: KnowledgeStamp {
            version: kb.version().to_owned(),
            sources_to,
            absent: unread.into_iter().map(|l| format!("the entries of {l}")).collect(),
        },
        inputs: [],
        problems: [],
        answers,
    };
    out::answer(global, |w| if global.format == Format::Json { json::one(w, &document) } else { print(w, &document) })?;
    Ok(0)
}

fn print(w: &mut dyn Write, document: &Document) -> io::Result<()> {
    for (n, answer) in document.answers.iter().enumerate() {
        if n > 0 {
            writeln!(w)?;
        }
        writeln!(w, "{}", answer.text)?;
        if answer.entries.is_empty() {
            writeln!(w, "  nothing on file (that is not the same as harmless): asked as USB and PCI id, TAC and IMEI, FCC ID, firmware")?;
            writeln!(w, "  revision, domain, MAC address, module, product, brand and organisation")?;
        }
        for entry in &answer.entries {
            writeln!(w, "  {}", clean(&entry.title))?;
            for pair in &entry.facts {
                writeln!(w, "    {:<26} {}", pair.name, clean(&pair.value))?;
            }
            writeln!(w, "    {:<26} {}{}", "source", clean(&entry.source), if entry.verified { "" } else { " (unverified)" })?;
        }
        for trace in &answer.ownership {
            owner(w, trace)?;
        }
    }
    if !document.knowledge.absent.is_empty() {
        writeln!(w, "\nnot on file, so that nobody can be said to be listed there or not: {}", document.knowledge.absent.join(", "))?;
    }
    writeln!(w, "\nas of {}, sources to {}, knowledge {}", document.as_of, document.knowledge.sources_to, document.knowledge.version)
}

fn owner(w: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    writeln!(w, "  who stands behind {}", clean(&trace.name))?;
    writeln!(w, "    {}", trace.statement)?;
    for step in &trace.chain {
        let share = step
            .share
            .as_deref()
            .map(|s| if s.bytes().all(|b| b.is_ascii_digit() || b == b'.') { format!(" {s} %") } else { format!(" {s}") })
            .unwrap_or_default();
        let from = step.from.as_deref().map(|f| format!(" since {f}")).unwrap_or_default();
        let to = step.to.as_deref().map(|t| format!(" until {t}")).unwrap_or_default();
        let mark = if step.verified { "" } else { " (unverified)" };
        writeln!(w, "    {} {} {}{share}{from}{to}{mark}", step.parent_name, step.edge, step.child_name)?;
    }
    for step in &trace.former {
        let to = step.to.as_deref().unwrap_or("?");
        writeln!(w, "    formerly: {} {} {} until {to}", step.parent_name, step.edge, step.child_name)?;
    }
    for step in &trace.alleged {
        writeln!(w, "    alleged, not counted: {} and {} ({})", step.child_name, step.parent_name, step.source)?;
    }
    for j in &trace.jurisdictions {
        let unclear = if j.unclear { " (for review: the day lies inside a bound known only by month or year)" } else { "" };
        let via = if j.via.is_empty() { String::new() } else { format!(" via {}", j.via.join(" → ")) };
        writeln!(w, "    jurisdiction {}{via}: {}{unclear}", j.country, j.laws.join("; "))?;
    }
    for l in &trace.listings {
        writeln!(w, "    listed: {} since {} as {} — {}", l.regime, l.from.as_deref().unwrap_or("?"), l.entity, l.citation)?;
    }
    Ok(())
}
