//! The whole chain behind one device, claim or finding, as text.

use std::io::{self, Write};

use umbilical_core::answer::{Audit, Because, Claim, Device, Jurisdiction, Listing, Module, Step, Trace};
use umbilical_core::finding::Finding;
use umbilical_core::weight::ConfidenceLevel;

use crate::layers::layers;
use crate::terminal::{Page, Tone};
use crate::{View, say};

/// Writes everything that stands behind a device; with the id of one of its claims (`clm-…`) or findings (`fnd-…`) the
/// device in short and everything behind that.
pub fn device(out: &mut dyn Write, audit: &Audit, device: &Device, claim: Option<&str>, view: &View) -> io::Result<()> {
    let mut page = Page::new(out, view);
    let mut chain = Chain { audit, told: Vec::new() };
    head(&mut page, &mut chain, device)?;
    if let Some(id) = claim {
        let mut met = false;
        for module in &device.modules {
            for one in module.claims.iter().filter(|c| c.id == id) {
                page.heading(&format!("Claim {id}: {}", say::module(module)))?;
                self::claim(&mut page, &mut chain, one)?;
                ownership(&mut page, module)?;
                met = true;
            }
        }
        for one in device.findings.iter().filter(|f| f.id == id) {
            page.heading(&format!("Finding {id}"))?;
            finding(&mut page, one)?;
            met = true;
        }
        if met {
            return foot(&mut page, audit);
        }
    }
    for (number, module) in device.modules.iter().enumerate() {
        let of = if device.modules.len() > 1 { format!("Module {}", number.saturating_add(1)) } else { "Module".to_owned() };
        page.heading(&format!("{of}: {}", say::module(module)))?;
        self::module(&mut page, &mut chain, module)?;
        ownership(&mut page, module)?;
    }
    if !device.findings.is_empty() {
        page.heading("Findings")?;
        for one in &device.findings {
            finding(&mut page, one)?;
        }
    }
    page.heading("Seven layers")?;
    let rows = layers(device).map(|l| vec![l.name.to_owned(), l.state.name().to_owned(), l.why]);
    page.table(&["Layer", "Known", "What"], rows)?;
    if !device.next_evidence.is_empty() {
        page.heading("What to collect next")?;
        for next in &device.next_evidence {
            page.hanging(2, 2, Tone::Plain, &format!("- {next}"))?;
        }
    }
    foot(&mut page, audit)
}

/// The answer, and the evidence told so far: each piece is told whole once and then called by its number.
struct Chain<'a> {
    audit: &'a Audit,
    told: Vec<&'a Because>,
}

fn head<'a>(page: &mut Page<'_>, chain: &mut Chain<'a>, device: &'a Device) -> io::Result<()> {
    let audit = chain.audit;
    page.para(0, Tone::Bold, &format!("{} · {}", say::label(audit, device), device.id))?;
    let sure = say::sure(device);
    let dash = if sure.is_empty() { "" } else { ": " };
    page.hanging(0, 2, Tone::Plain, &format!("{}{dash}{sure}", say::content(device)))?;
    for (name, values) in identifiers(device) {
        page.field(2, name, &values.join(", "))?;
    }
    if let Some(host) = &device.host {
        let words: Vec<&str> = [&host.brand, &host.model].into_iter().flatten().map(String::as_str).collect();
        page.field(2, "the device around it", &format!("{} ({})", words.join(" "), host.basis.name()))?;
    }
    page.field(2, "cellular", &format!("{}, {}", device.cellular.name(), say::percent(device.cellular_confidence)))?;
    for reason in &device.because {
        because(page, chain, reason)?;
    }
    Ok(())
}

/// The identifiers a device has, named.
pub(crate) fn identifiers(device: &Device) -> Vec<(&'static str, &[String])> {
    let ids = &device.identifiers;
    let all: [(&str, &[String]); 15] = [
        ("names", &device.names),
        ("asset id", &ids.asset_id),
        ("maker and serial", &ids.serial),
        ("IMEI", &ids.imei),
        ("IMEI, unusable", &ids.imei_unusable),
        ("EID", &ids.eid),
        ("MEID", &ids.meid),
        ("ICCID", &ids.iccid),
        ("IMSI", &ids.imsi),
        ("MSISDN", &ids.msisdn),
        ("MAC", &ids.mac),
        ("IP", &ids.ip),
        ("VIN", &ids.vin),
        ("UDI", &ids.udi),
        ("site", &ids.site),
    ];
    all.into_iter().filter(|(_, values)| !values.is_empty()).collect()
}

fn module<'a>(page: &mut Page<'_>, chain: &mut Chain<'a>, module: &'a Module) -> io::Result<()> {
    let rats = module.rats.join(", ");
    let parts = [("chipset", module.chipset.as_deref()), ("radio", Some(&*rats)), ("firmware", module.firmware.as_deref())];
    for (name, value) in parts {
        page.field(2, name, value.unwrap_or_default())?;
    }
    page.field(2, "IMEI", &module.imei.join(", "))?;
    for one in &module.claims {
        // A guess beside a decision is named; its reasons are shown when it is asked for.
        let decided = module.claims.iter().any(|c| c.level == one.level && c.confidence_level > ConfidenceLevel::Hint);
        if decided && one.confidence_level == ConfidenceLevel::Hint { headline(page, one)? } else { claim(page, chain, one)? }
    }
    for conflict in &module.conflicts {
        page.hanging(
            2,
            4,
            Tone::Warn,
            &format!("conflict at {}: {} ({})", conflict.level.name(), conflict.what, conflict.values.join(" or ")),
        )?;
    }
    Ok(())
}

fn headline(page: &mut Page<'_>, claim: &Claim) -> io::Result<()> {
    let level = claim.confidence_level.name();
    let how = format!("{level} {}, {}", say::percent(claim.confidence), claim.basis.name());
    page.hanging(2, 4, Tone::of(level), &format!("{} {}: {how} · {}", claim.level.name(), claim.value, claim.id))
}

fn claim<'a>(page: &mut Page<'_>, chain: &mut Chain<'a>, claim: &'a Claim) -> io::Result<()> {
    headline(page, claim)?;
    for reason in &claim.because {
        because(page, chain, reason)?;
    }
    for reason in &claim.against {
        because(page, chain, reason)?;
    }
    Ok(())
}

/// `+4.20 [E2] firmware revision EG25G… (observed, own word) at at.txt, line 7; matched with …`; told before:
/// `+1.80 [E2] firmware revision EG25G…`.
fn because<'a>(page: &mut Page<'_>, chain: &mut Chain<'a>, reason: &'a Because) -> io::Result<()> {
    let side = if reason.weight < 0 { "against" } else { "for" };
    let start = format!("{side} {} nats", say::nats(reason.weight));
    if let Some(number) = chain.told.iter().position(|t| say::same(t, reason)) {
        return page.hanging(4, 4, Tone::Plain, &format!("{start}: [E{}] {}", number.saturating_add(1), say::read(reason)));
    }
    chain.told.push(reason);
    let place = say::place(chain.audit, Some(reason.input), &reason.at);
    let matched = if reason.matched.is_empty() { String::new() } else { format!("; matched with {}", reason.matched) };
    let read = format!("{} ({}, {})", say::read(reason), reason.basis.name(), say::plain(reason.group));
    page.hanging(4, 4, Tone::Plain, &format!("{start}: [E{}] {read} at {place}{matched}", chain.told.len()))
}

fn ownership(page: &mut Page<'_>, module: &Module) -> io::Result<()> {
    for trace in &module.ownership {
        page.heading(&format!("Behind it: {} ({})", trace.name, trace.role))?;
        self::trace(page, &trace.trace)?;
    }
    Ok(())
}

fn trace(page: &mut Page<'_>, trace: &Trace) -> io::Result<()> {
    page.hanging(2, 2, Tone::Bold, &trace.statement)?;
    let owner = trace.owner.join(", ");
    let fields = [
        ("owner", Some(&*owner)),
        ("headquarters", trace.headquarters.as_deref()),
        ("research seat", trace.rd_seat.as_deref()),
        ("factory", trace.factory.as_deref()),
        ("firmware signer", trace.firmware_signer.as_deref()),
    ];
    for (name, value) in fields {
        page.field(2, name, value.filter(|v| !v.is_empty()).unwrap_or("unknown"))?;
    }
    let lists = [
        ("relations", &trace.chain, "none on file"),
        ("ended", &trace.former, ""),
        ("state support, influence, supply", &trace.other, "none found"),
        ("alleged, printed and never counted", &trace.alleged, ""),
    ];
    for (name, steps, none) in lists {
        if steps.is_empty() {
            page.field(2, name, none)?;
            continue;
        }
        page.para(2, Tone::Plain, &format!("{name}:"))?;
        for one in steps {
            page.hanging(4, 4, Tone::Plain, &step(one))?;
        }
    }
    for one in &trace.jurisdictions {
        page.hanging(2, 4, Tone::Plain, &jurisdiction(trace, one))?;
    }
    for (name, list) in [("listed", &trace.listings), ("not counted", &trace.pending)] {
        for one in list {
            page.hanging(2, 4, Tone::Plain, &format!("{name}: {}", listing(one)))?;
        }
    }
    for point in &trace.open_points {
        page.hanging(2, 4, Tone::Warn, &format!("for review: {point}"))?;
    }
    Ok(())
}

/// One relation in a line, with its days, basis and source.
fn step(step: &Step) -> String {
    let days = say::dates(step.from.as_deref(), step.to.as_deref());
    let days = if days.is_empty() { "day unknown".to_owned() } else { days };
    let control = if step.control { ", control" } else { "" };
    let unclear = if step.unclear { ", the day is unclear" } else { "" };
    format!("{}, {days}{control}{unclear} ({}{}; {})", say::relation(step), step.basis.name(), unverified(step.verified), step.source)
}

fn jurisdiction(trace: &Trace, j: &Jurisdiction) -> String {
    let unclear = if j.unclear { ", for review: the day is unclear" } else { "" };
    format!(
        "jurisdiction {} ({}{}; {}{unclear}): {}",
        j.country,
        say::organisation(trace, &j.org),
        say::way(j),
        j.basis.name(),
        j.laws.join("; ")
    )
}

fn listing(l: &Listing) -> String {
    let days = say::dates(l.from.as_deref(), l.to.as_deref());
    let scope = if l.scope.is_empty() { String::new() } else { format!("; covers {}", l.scope) };
    let prohibits = if l.prohibits.is_empty() { String::new() } else { format!("; {}", l.prohibits) };
    format!(
        "{} names {} {days} ({}; {}{scope}{prohibits}{}; {})",
        l.regime,
        l.entity,
        l.list_status,
        l.citation,
        unverified(l.verified),
        l.source
    )
}

fn unverified(verified: bool) -> &'static str {
    if verified { "" } else { ", unverified" }
}

fn finding(page: &mut Page<'_>, finding: &Finding) -> io::Result<()> {
    let verdict = finding.verdict.map(|v| format!("{v}, ")).unwrap_or_default();
    let how = format!("{verdict}{}, {}, {}", finding.severity.name(), say::percent(finding.confidence), finding.basis.name());
    page.hanging(2, 4, Tone::of(finding.severity.name()), &format!("{}: {how} · {}", finding.code, finding.id))?;
    page.hanging(4, 2, Tone::Plain, finding.meaning())?;
    for why in &finding.because {
        page.hanging(4, 2, Tone::Plain, &format!("because {why}"))?;
    }
    page.field(4, "helps", &finding.remedies.join("; "))?;
    page.field(4, "clears when", &finding.clears_when)
}

fn foot(page: &mut Page<'_>, audit: &Audit) -> io::Result<()> {
    page.gap()?;
    page.para(0, Tone::Dim, &format!("As of {}. {} A nat is a factor of 2.7 in the odds.", audit.as_of, say::knowledge(audit)))
}
