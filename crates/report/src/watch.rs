//! A watched trace at a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};

use umbilical_core::answer::Headed;
use umbilical_core::answer::watch::{Counters, Incident, Session, Watched};
use umbilical_core::finding::{Finding, Severity};

use crate::terminal::{Page, Tone};
use crate::{View, say};

/// Writes the answer for a person at a terminal.
pub fn table(out: &mut dyn Write, answer: &Headed<'_, Watched>, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let Watched { sessions, counters, .. } = &answer.of;
    if answer.inputs.is_empty() {
        return page.para(0, Tone::Plain, "There is no file in what was named.");
    }
    let packets = [say::counted(counters.packets, "packet"), say::bytes(counters.bytes)];
    let records = [say::counted(counters.records, "record")];
    let read = match (counters.packets, counters.records) {
        (_, 0) => packets.to_vec(),
        (0, _) => records.to_vec(),
        _ => packets.into_iter().chain(records).collect(),
    };
    let behind = [say::counted(counters.flows, "conversation"), format!("{} of modules", say::counted(sessions.len() as u64, "session"))];
    page.para(0, Tone::Bold, &[read, behind.to_vec()].concat().join(", "))?;
    for line in remarks(counters) {
        page.hanging(0, 2, Tone::Plain, &line)?;
    }
    if sessions.is_empty() && counters.tunnelled == 0 {
        page.para(0, Tone::Dim, "No tunnel of a mobile network is in it: what was said is by address alone.")?;
    }
    if !sessions.is_empty() {
        let mut modules: BTreeMap<String, u64> = BTreeMap::new();
        for session in sessions {
            let count = modules.entry(module(session)).or_default();
            *count = count.saturating_add(1);
        }
        let mut modules: Vec<_> = modules.into_iter().collect();
        modules.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        page.gap()?;
        page.table(&["Module", "#Sessions"], modules.into_iter().map(|(name, count)| vec![name, say::count(count)]))?;
        page.gap()?;
        let shown = sessions.iter().take(view.max_rows).map(|s| {
            let open = || "unknown".to_owned();
            vec![
                s.id.clone(),
                s.imsi.clone().unwrap_or_else(open),
                s.apn.clone().unwrap_or_else(open),
                s.ue.join(", "),
                module(s),
                say::bytes(s.bytes_up),
                say::bytes(s.bytes_down),
                say::count(s.flows),
            ]
        });
        page.table(&["Session", "SIM", "Network", "Address", "Module", "#Up", "#Down", "#Conversations"], shown)?;
        let more = sessions.len().saturating_sub(view.max_rows);
        if more > 0 {
            page.para(0, Tone::Dim, &format!("and {} more: --format json has all of them", say::count(more as u64)))?;
        }
    }
    let publishers = &answer.of.publishers;
    if !publishers.is_empty() {
        page.gap()?;
        let shown = publishers.iter().take(view.max_rows).map(|p| {
            let name = p.name.clone().unwrap_or_else(|| "unknown".to_owned());
            vec![p.kind.to_owned(), p.mac.clone(), format!("0x{:04x}", p.appid), name, say::count(p.packets)]
        });
        page.table(&["Published", "By", "Number", "Name", "#Frames"], shown)?;
        let more = publishers.len().saturating_sub(view.max_rows);
        if more > 0 {
            page.para(0, Tone::Dim, &format!("and {} more: --format json has all of them", say::count(more as u64)))?;
        }
    }
    let (findings, incidents) = (&answer.of.findings, &answer.of.incidents);
    if !findings.is_empty() {
        page.gap()?;
        let shown = incidents.iter().take(view.max_rows).map(|i| {
            let peers = i.findings.len() as u64;
            let others = match (i.subjects.saturating_sub(1), peers.saturating_sub(1)) {
                (0, 0) => String::new(),
                (0, n) => format!("; and {} more of that kind", say::count(n)),
                (n, _) => format!("; so did {} more", say::count(n)),
            };
            let first = i.findings.first().cloned().unwrap_or_default();
            vec![
                i.severity.name().to_owned(),
                i.code.clone(),
                format!("{}{others}", i.because),
                i.first.as_deref().map(to_the_second).unwrap_or_default(),
                first,
            ]
        });
        if !incidents.is_empty() {
            page.table(&["Severity", "Finding", "What was seen", "From", "Id"], shown)?;
            page.gap()?;
            for (finding, line) in worst(answer) {
                page.hanging(0, 2, Tone::Plain, &format!("{}: {line}", finding.id))?;
            }
        }
        let known = findings.iter().filter(|f| f.severity == Severity::Info).count();
        if known > 0 {
            let what = format!("{} only worth knowing: --format json has them", say::counted(known as u64, "finding"));
            page.para(0, Tone::Dim, &what)?;
        }
        let more = incidents.len().saturating_sub(view.max_rows);
        if more > 0 {
            page.para(0, Tone::Dim, &format!("and {} more: --format json has all of them", say::count(more as u64)))?;
        }
    }
    if findings.is_empty() && counters.flows > 0 {
        let detectors = &answer.of.detectors;
        let looked = detectors.iter().filter(|d| d.state == "evaluated" && d.blind == 0).count();
        page.gap()?;
        let asked: Vec<&str> = detectors.iter().filter(|d| d.state == "not-given").map(|d| d.code).collect();
        let asked = if asked.is_empty() { String::new() } else { format!("; not given what they need: {}", asked.join(", ")) };
        let what = format!("Nothing noteworthy was found: {looked} of {} detectors could look at all of it{asked}.", detectors.len());
        page.para(0, Tone::Plain, &what)?;
    }
    for blind in answer.of.detectors.iter().filter(|d| d.blind > 0) {
        let what = if blind.state == "not-evaluable" { "was not looked for" } else { "could not be looked for everywhere" };
        page.hanging(
            0,
            2,
            Tone::Plain,
            &format!("{} {what}: it needs {}, which {} do not show", blind.code, blind.needs, say::counted(blind.blind, "conversation")),
        )?;
    }
    for (learns, learning) in answer.of.detectors.iter().filter_map(|d| Some((d, d.learning.filter(|l| l.still > 0)?))) {
        let of = say::counted(learning.of, "device");
        page.hanging(0, 2, Tone::Plain, &format!("{} is learning what is usual: {} of {of}", learns.code, say::count(learning.still)))?;
    }
    for busy in answer.of.detectors.iter().filter(|d| d.forgotten > 0) {
        page.hanging(
            0,
            2,
            Tone::Plain,
            &format!("{} had to leave out {}, for there was too much at once", busy.code, say::count(busy.forgotten)),
        )?;
    }
    for known in answer.of.detectors.iter().filter(|d| d.allowed > 0) {
        let is = if known.allowed == 1 { "is" } else { "are" };
        let what = format!("{} of {} {is} not told: written down as expected", say::counted(known.allowed, "finding"), known.code);
        page.hanging(0, 2, Tone::Plain, &what)?;
    }
    for problem in &answer.problems {
        let path = problem.input.and_then(|i| answer.inputs.get(i as usize)).map(|i| i.path.as_str()).unwrap_or_default();
        page.hanging(0, 2, Tone::Plain, &format!("not understood: {path} {}: {}", problem.at, problem.what))?;
    }
    Ok(())
}

/// A time without the fractions that machines need.
fn to_the_second(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

/// Incidents of which it is said why, what helps and what clears them.
const WORST: usize = 5;

/// The worst, each with its reasons, the first thing that helps, and what clears it.
fn worst<'a>(answer: &'a Headed<'_, Watched>) -> impl Iterator<Item = (&'a Finding, String)> {
    let (findings, incidents) = (&answer.of.findings, &answer.of.incidents);
    let first = |i: &'a Incident| findings.iter().find(|f| Some(&f.id) == i.findings.first());
    let line = |f: &'a Finding| {
        let why = f.because.iter().skip(1).filter(|b| !b.starts_with("Frames ")).take(2).cloned();
        let helps = f.remedies.first().map(|r| format!("What helps: {}", lower(r)));
        let clears = format!("Cleared when: {}", lower(&f.clears_when));
        (f, why.chain(helps).chain([clears]).map(|s| format!("{}.", s.trim_end_matches('.'))).collect::<Vec<_>>().join(" "))
    };
    incidents.iter().filter(|i| i.severity >= Severity::Medium).take(WORST).filter_map(first).map(line)
}

/// A sentence that goes on from another: its first word small, unless that is all capitals.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn module(session: &Session) -> String {
    match (&session.module, &session.imei) {
        (Some(module), _) => say::name(module),
        (None, Some(_)) => "unknown: no table at hand has its type allocation code".to_owned(),
        (None, None) => "unknown: no IMEI was said".to_owned(),
    }
}

/// What was left out, and why: nothing is dropped without a word.
fn remarks(c: &Counters) -> Vec<String> {
    let rows = [
        (c.undecoded, "frames hold no IP, and nothing else that is known"),
        (
            c.unattributed,
            "packets in tunnels are nobody's that is known: no signalling here names the tunnel, or they have another's address",
        ),
        (c.orphans, "messages of signalling are about sessions that nobody introduced"),
        (c.incomplete, "datagrams came in pieces, and not all of the pieces"),
        (c.evicted, "conversations were let go because there were too many at once"),
        (c.untemplated, "sets of records came without the template that says what is in them: collect for longer, routers send it again"),
        (c.alerts, "alerts of Suricata stand beside: they are counted, and not judged"),
        (c.names_lost, "names were not kept because there were too many"),
        (c.dropped.unwrap_or_default(), "datagrams and frames came faster than they were taken"),
    ];
    let sampled =
        (c.sampled > 1).then(|| format!("Routers looked at one packet of {} at most: counts are of those", say::count(c.sampled)));
    let rows = rows.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", say::count(n)));
    rows.chain(sampled).collect()
}
