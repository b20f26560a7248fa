//! Every device with its why.

use std::io::{self, Write};

use umbilical_core::answer::{Audit, Because, Cellular, Claim, Device, Module};

use super::reach;
use crate::explain::identifiers;
use crate::layers::layers;
use crate::markup::{Esc, Prose};
use crate::say;
use crate::survey::Survey;

pub fn section(out: &mut dyn Write, audit: &Audit, survey: &Survey) -> io::Result<()> {
    writeln!(
        out,
        "<section id=\"devices\">\n<h2>Devices</h2>\n<p class=\"note\">Open a line for its evidence. E1, E2 … are pieces of evidence; weights are in nats: one is a factor of 2.7 in the odds.</p>"
    )?;
    let c = &audit.coverage;
    let parts = [
        (Cellular::Yes, "Cellular", c.cellular),
        (Cellular::Unknown, "Unknown", c.unknown),
        (Cellular::No, "Surely without a cellular module", c.not_cellular),
    ];
    for (which, title, count) in parts {
        let mut some = false;
        for device in survey.shown.iter().filter(|d| d.cellular == which) {
            if !some {
                writeln!(out, "<h3 class=\"group\">{title} ({})</h3>", say::count(count))?;
            }
            some = true;
            self::device(out, audit, survey, device)?;
        }
    }
    let rest = c.devices.max(survey.looked).saturating_sub(survey.shown.len() as u64);
    if rest > 0 {
        writeln!(
            out,
            "<p class=\"left-out\">{} are left out of this page. <code>umbilical audit … --format csv</code> lists every one, <code>--format json</code> has all of it, <code>umbilical explain DEVICE</code> shows one.</p>",
            say::counted(rest, "more device")
        )?;
    }
    writeln!(out, "</section>")
}

fn device(out: &mut dyn Write, audit: &Audit, survey: &Survey, device: &Device) -> io::Result<()> {
    let id = Esc(&device.id);
    let countries = device.modules.iter().flat_map(say::countries).fold(Vec::new(), |mut out: Vec<String>, c| {
        if !out.contains(&c) {
            out.push(c);
        }
        out
    });
    let sure = say::sure(device);
    let word = device.modules.first().map_or("", |m| m.confidence_level.name());
    let mut what = Esc(&say::content(device)).to_string();
    if let (true, Some(next)) = (device.cellular != Cellular::No && say::open(device), device.next_evidence.first()) {
        what.push_str(&format!("<span class=\"why\">; collect {}</span>", Prose(next)));
    }
    write!(
        out,
        "<details class=\"device\" id=\"{id}\"><summary><b>{}</b><span>{}</span><span class=\"pill {word}\">{}</span><span>{}</span></summary><div class=\"body\">",
        Esc(&say::label(audit, device)),
        what,
        Esc(&sure),
        Esc(&countries.join(", "))
    )?;
    write!(out, "<dl class=\"facts\"><dt>id</dt><dd class=\"mono\">{id}</dd>")?;
    for (name, values) in identifiers(device) {
        write!(out, "<dt>{name}</dt><dd>{}</dd>", Esc(&values.join(", ")))?;
    }
    if let Some(host) = &device.host {
        let words: Vec<&str> = [&host.brand, &host.model].into_iter().flatten().map(String::as_str).collect();
        write!(out, "<dt>the device around it</dt><dd>{} ({})</dd>", Esc(&words.join(" ")), host.basis.name())?;
    }
    write!(out, "<dt>cellular</dt><dd>{}, {}</dd></dl>", device.cellular.name(), say::percent(device.cellular_confidence))?;
    if !device.because.is_empty() {
        let all: Vec<&Because> = device.because.iter().collect();
        evidence(out, audit, "Why it is taken to be cellular or not", &all, true)?;
    }
    for module in &device.modules {
        self::module(out, audit, survey, module)?;
    }
    findings(out, device)?;
    if !device.next_evidence.is_empty() {
        write!(out, "<h4>What to collect next</h4><ul class=\"plain\">")?;
        for next in &device.next_evidence {
            write!(out, "<li>{}</li>", Prose(next))?;
        }
        write!(out, "</ul>")?;
    }
    if device.cellular != Cellular::No {
        write!(
            out,
            "<details class=\"more\"><summary>Seven layers</summary><div class=\"scroll\"><table><caption>What is known of this device, layer by layer</caption><thead><tr><th scope=\"col\">Layer</th><th scope=\"col\">Known</th><th scope=\"col\">What</th></tr></thead><tbody>"
        )?;
        for l in layers(device) {
            write!(
                out,
                "<tr><th scope=\"row\">{}</th><td><span class=\"pill {1}\">{1}</span></td><td>{2}</td></tr>",
                l.name,
                l.state.name(),
                Prose(&l.why)
            )?;
        }
        write!(out, "</tbody></table></div></details>")?;
    }
    writeln!(out, "</div></details>")
}

fn module(out: &mut dyn Write, audit: &Audit, survey: &Survey, module: &Module) -> io::Result<()> {
    write!(out, "<h4 class=\"module\">{}</h4>", Esc(&say::module(module)))?;
    let (rats, imei) = (module.rats.join(", "), module.imei.join(", "));
    let facts =
        [("chipset", module.chipset.as_deref()), ("radio", Some(&*rats)), ("firmware", module.firmware.as_deref()), ("IMEI", Some(&*imei))];
    let facts: Vec<(&str, &str)> = facts.into_iter().filter_map(|(n, v)| Some((n, v.filter(|v| !v.is_empty())?))).collect();
    if !facts.is_empty() {
        write!(out, "<dl class=\"facts\">")?;
        for (name, value) in facts {
            write!(out, "<dt>{name}</dt><dd>{}</dd>", Esc(value))?;
        }
        write!(out, "</dl>")?;
    }
    // Claims of one module rest on the same few facts: each is written once and referred to.
    let mut all: Vec<&Because> = Vec::new();
    let lists = module.claims.iter().flat_map(|c| c.because.iter().chain(&c.against)).chain(&module.because).chain(&module.against);
    for because in lists {
        if !all.iter().any(|b| say::same(b, because)) {
            all.push(because);
        }
    }
    if !module.claims.is_empty() {
        write!(
            out,
            "<div class=\"scroll wide\"><table><caption>Claims, the most specific first</caption><thead><tr><th scope=\"col\">Level</th><th scope=\"col\">Claim</th><th scope=\"col\">Confidence</th><th scope=\"col\">Basis</th><th scope=\"col\">For and against, in nats</th></tr></thead><tbody>"
        )?;
        for claim in &module.claims {
            self::claim(out, claim, &all)?;
        }
        write!(out, "</tbody></table></div>")?;
    }
    evidence(out, audit, "Evidence", &all, false)?;
    for conflict in &module.conflicts {
        write!(
            out,
            "<p class=\"conflict\">Conflict at {}: {} ({})</p>",
            conflict.level.name(),
            Prose(&conflict.what),
            Esc(&conflict.values.join(" or "))
        )?;
    }
    for trace in &module.ownership {
        let name = Esc(&trace.name);
        let (role, says) = (Esc(trace.role), Esc(&trace.statement));
        if survey.behind.iter().any(|b| b.who.role == trace.role && b.who.org == trace.org) {
            write!(out, "<p>Behind it as {role}: <a href=\"#{}\">{name}</a>, {says}</p>", reach::anchor(trace))?;
        } else {
            write!(out, "<p>Behind it as {role}: {name}, {says}</p>")?;
        }
    }
    Ok(())
}

fn claim(out: &mut dyn Write, claim: &Claim, all: &[&Because]) -> io::Result<()> {
    let level = claim.confidence_level.name();
    write!(
        out,
        "<tr id=\"{}\"><td>{}</td><th scope=\"row\">{}</th><td class=\"w\"><span class=\"bar\"><i style=\"width:{:.0}%\"></i></span><span class=\"pill {level}\">{level} {}</span></td><td>{}</td><td class=\"refs\">",
        Esc(&claim.id),
        claim.level.name(),
        Esc(&claim.value),
        claim.confidence.clamp(0.0, 1.0) * 100.0,
        say::percent(claim.confidence),
        claim.basis.name()
    )?;
    for because in claim.because.iter().chain(&claim.against) {
        let number = all.iter().position(|b| say::same(b, because)).map_or(0, |n| n.saturating_add(1));
        let class = if because.weight < 0 { " class=\"minus\"" } else { "" };
        write!(out, "<span{class}>E{number} {}</span>", say::nats(because.weight))?;
    }
    writeln!(out, "</td></tr>")
}

fn evidence(out: &mut dyn Write, audit: &Audit, title: &str, all: &[&Because], weighed: bool) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let first = if weighed { "Weight" } else { "" };
    write!(
        out,
        "<div class=\"scroll wide\"><table><caption>{title}</caption><thead><tr><th scope=\"col\">{first}</th><th scope=\"col\">What was read</th><th scope=\"col\">Where</th><th scope=\"col\">Basis, witness</th><th scope=\"col\">Matched with</th></tr></thead><tbody>"
    )?;
    for (number, b) in all.iter().enumerate() {
        let mark = if weighed { say::nats(b.weight) } else { format!("E{}", number.saturating_add(1)) };
        writeln!(
            out,
            "<tr><td class=\"w\">{mark}</td><td>{} <span class=\"mono\">{}</span></td><td>{}</td><td>{}, {}</td><td class=\"src\">{}</td></tr>",
            Esc(&say::kind(b.kind)),
            Esc(&b.value),
            Esc(&say::place(audit, Some(b.input), &b.at)),
            b.basis.name(),
            Esc(&say::plain(b.group)),
            Esc(&b.matched)
        )?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn findings(out: &mut dyn Write, device: &Device) -> io::Result<()> {
    if device.findings.is_empty() {
        return Ok(());
    }
    write!(out, "<h4>Findings</h4><ul class=\"plain\">")?;
    for f in &device.findings {
        write!(
            out,
            "<li><b>{}</b> <span class=\"pill {1}\">{1}</span>, {2}: {3}</li>",
            Esc(&f.code),
            f.severity.name(),
            f.basis.name(),
            Prose(&f.because.join(" "))
        )?;
    }
    writeln!(out, "</ul>")
}
