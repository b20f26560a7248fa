//! The answer as one self-contained page: no script, nothing fetched, light and dark, on paper and on a phone.
//!
//! Coverage comes first, then what it means, then every device with its why. What the page cannot hold is counted and
//! the command that gives all of it is named. Every value goes through [`crate::markup`].

mod devices;
mod foot;
mod reach;
mod style;

pub(crate) use style::sheet;

use std::io::{self, Write};

use umbilical_core::answer::{Audit, Device, Tally};

use crate::markup::{Esc, Prose};
use crate::say;
use crate::survey::Survey;
use crate::svg::{self, Bar};

/// Devices on a page before it says how many more there are.
pub const DEVICES: usize = 2_000;

/// Writes the page. Of the devices the first `max_devices` are shown with their why.
pub fn audit(out: &mut dyn Write, audit: &Audit, devices: impl IntoIterator<Item = Device>, max_devices: usize) -> io::Result<()> {
    let survey = Survey::of(audit, devices, max_devices);
    head(out, audit, &survey)?;
    coverage(out, audit)?;
    reach::section(out, audit, &survey)?;
    findings(out, audit, &survey)?;
    modules(out, audit, &survey)?;
    next(out, audit)?;
    devices::section(out, audit, &survey)?;
    foot::inputs(out, audit)?;
    foot::method(out, audit)?;
    writeln!(out, "</main>\n</div>\n</body>\n</html>")
}

fn head(out: &mut dyn Write, audit: &Audit, survey: &Survey) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Cellular modules as of {as_of} · Umbilical</title>\n<style>{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the answer</a>\n<div class=\"sheet\">\n<header class=\"top\">\n\
         <h1>Umbilical · cellular modules as of {as_of}</h1>\n<p class=\"lead\">{}</p>\n<p>{}</p>\n",
        style::sheet(),
        Prose(&say::coverage(audit, survey.collect())),
        Prose(&say::known(audit)),
        as_of = Esc(&audit.as_of),
    )?;
    if audit.coverage.cellular == 0 {
        writeln!(
            out,
            "<p class=\"open\">No cellular module was found in what was looked at. That says what this evidence shows, no more.</p>"
        )?;
    }
    writeln!(out, "<p class=\"meta\">Looked at: {} {}</p>\n</header>", Esc(&say::looked_at(audit)), Esc(&say::knowledge(audit)))?;
    let parts = [
        ("coverage", "Coverage"),
        ("reach", "Who can reach in"),
        ("findings", "Findings"),
        ("modules", "Modules"),
        ("next", "What to collect"),
        ("devices", "Devices"),
        ("inputs", "Looked at"),
        ("method", "What the words mean"),
    ];
    write!(out, "<nav aria-label=\"Parts of this page\"><ul>")?;
    for (id, name) in parts {
        write!(out, "<li><a href=\"#{id}\">{name}</a></li>")?;
    }
    writeln!(out, "</ul></nav>\n<main id=\"main\">")
}

fn coverage(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    let c = &audit.coverage;
    writeln!(out, "<section id=\"coverage\">\n<h2>Coverage</h2>")?;
    let part = |label: &str, count, class| Bar { label: label.to_owned(), count, class };
    let mut parts = vec![part("with a cellular module", say::carrying(c), "c1")];
    if c.products > 0 {
        parts.push(part("cellular products themselves", c.products, "c2"));
    }
    parts.extend([part("unknown", c.unknown, "c3"), part("without one in the listings given", c.not_cellular, "c0")]);
    write!(out, "<figure>{}<ul class=\"key\">", svg::share("share", "Devices by whether they are cellular", &parts))?;
    for p in &parts {
        write!(out, "<li><i class=\"{}\"></i>{} {} ({})</li>", p.class, say::count(p.count), p.label, say::share(p.count, c.devices))?;
    }
    writeln!(out, "</ul></figure>")?;
    let findings: u64 = audit.tallies.findings.iter().map(|t| t.count).sum();
    let tiles = [
        ("devices", "", c.devices, "devices seen"),
        ("devices", "", say::carrying(c), "with a cellular module"),
        ("devices", "", c.products, "cellular products themselves"),
        ("modules", "", c.module_known, "module's maker known"),
        ("next", if c.unknown > 0 { "warn" } else { "" }, c.unknown, "unknown"),
        ("next", if audit.imeis.undecided > 0 { "warn" } else { "" }, audit.imeis.undecided, "IMEIs no table here decides"),
        ("findings", "", findings, "findings"),
        ("inputs", if audit.problems.is_empty() { "" } else { "warn" }, audit.problems.len() as u64, "problems in the inputs"),
    ];
    write!(out, "<div class=\"tiles\">")?;
    for (to, class, n, what) in tiles {
        write!(out, "<a href=\"#{to}\" class=\"{class}\"><b>{}</b><span>{what}</span></a>", say::count(n))?;
    }
    writeln!(out, "</div>\n</section>")
}

/// A chart of a tally with the same numbers as a table beside it. At most `TOP` bars; the table has all.
fn chart(
    out: &mut dyn Write,
    id: &str,
    title: &str,
    note: &str,
    heads: (&str, &str),
    tallies: &[Tally],
    class: fn(&str) -> &'static str,
) -> io::Result<()> {
    const TOP: usize = 12;
    if tallies.is_empty() {
        return Ok(());
    }
    let bars: Vec<Bar> = tallies.iter().take(TOP).map(|t| Bar { label: t.label.clone(), count: t.count, class: class(&t.label) }).collect();
    let rest = tallies.len().saturating_sub(TOP);
    let more = if rest > 0 { format!(" The first {TOP}; {rest} more are in the table.") } else { String::new() };
    writeln!(
        out,
        "<figure><figcaption>{title}<span>{note}{more}</span></figcaption>{}<details class=\"twin\"><summary>As a table</summary><div class=\"scroll\"><table><caption>{title}</caption><thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"n\">{}</th></tr></thead><tbody>",
        svg::bars(id, title, &bars),
        heads.0,
        heads.1
    )?;
    for t in tallies {
        writeln!(out, "<tr><td>{}</td><td class=\"n\">{}</td></tr>", Prose(&t.label), say::count(t.count))?;
    }
    writeln!(out, "</tbody></table></div></details></figure>")
}

fn accent(label: &str) -> &'static str {
    if label == "unknown" { "c0" } else { "c1" }
}

fn by_confidence(label: &str) -> &'static str {
    match label {
        "confirmed" => "c1",
        "probable" => "c2",
        "possible" => "c3",
        "hint" => "c4",
        _ => "c0",
    }
}

fn open(_: &str) -> &'static str {
    "c3"
}

fn findings(out: &mut dyn Write, audit: &Audit, survey: &Survey) -> io::Result<()> {
    writeln!(out, "<section id=\"findings\">\n<h2>Contradictions and other findings</h2>")?;
    if audit.tallies.findings.is_empty() && survey.found.is_empty() {
        writeln!(out, "<p class=\"note\">None was raised from this evidence.</p>")?;
    }
    if audit.law.is_some() {
        writeln!(out, "<p class=\"note\">{}</p>", Prose(say::UNKNOWN_LAW))?;
    }
    for found in &survey.found {
        let first = &found.first;
        let count = survey.count(audit, found);
        let verdict = first.verdict.map(|v| format!("{v}: ")).unwrap_or_default();
        writeln!(
            out,
            "<article class=\"finding\"><h3>{5}{0}<span class=\"pill {1}\">{1}</span><span class=\"n\">{2}, {3}</span></h3><p>{4}.</p>",
            Esc(&first.code),
            first.severity.name(),
            say::counted(count, "device"),
            first.basis.name(),
            Esc(first.meaning()),
            Esc(&verdict),
        )?;
        write!(out, "<ul>")?;
        for (id, name, why) in &found.examples {
            let link = survey.shown.iter().any(|d| d.id == *id);
            let name = Esc(name);
            if link {
                write!(out, "<li><a href=\"#{}\">{name}</a>: {}</li>", Esc(id), Prose(why))?
            } else {
                write!(out, "<li>{name}: {}</li>", Prose(why))?
            }
        }
        let rest = count.saturating_sub(found.examples.len() as u64);
        if rest > 0 {
            write!(out, "<li class=\"note\">and {} more</li>", say::count(rest))?;
        }
        writeln!(
            out,
            "</ul><p class=\"note\">What helps: {}. Clears when: {}.</p></article>",
            Prose(&first.remedies.join("; ")),
            Prose(&first.clears_when)
        )?;
    }
    let unmet = audit.tallies.findings.iter().filter(|t| !survey.found.iter().any(|f| f.first.code == t.label));
    for tally in unmet {
        writeln!(
            out,
            "<article class=\"finding\"><h3>{}<span class=\"n\">{}</span></h3><p>{}. None of its devices is on this page.</p></article>",
            Esc(&tally.label),
            say::counted(tally.count, "device"),
            Esc(say::code(&tally.label))
        )?;
    }
    writeln!(out, "</section>")
}

fn modules(out: &mut dyn Write, audit: &Audit, survey: &Survey) -> io::Result<()> {
    writeln!(out, "<section id=\"modules\">\n<h2>Modules</h2>")?;
    if survey.groups.is_empty() {
        return writeln!(out, "<p class=\"note\">No module was identified.</p>\n</section>");
    }
    writeln!(out, "<div class=\"charts\">")?;
    chart(
        out,
        "confidence",
        "How sure",
        "Cellular devices by the level of their best module.",
        ("Level", "Devices"),
        &audit.tallies.confidence,
        by_confidence,
    )?;
    chart(
        out,
        "models",
        "Models",
        "Devices by maker and model, where the model is known.",
        ("Model", "Devices"),
        &audit.tallies.models,
        accent,
    )?;
    writeln!(out, "</div>")?;
    let note = if survey.exact {
        "Every kind of module in this fleet.".to_owned()
    } else {
        format!(
            "Kinds of module met in the first {} of the fleet; the chart above counts all of it.",
            say::counted(survey.looked, "device")
        )
    };
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"Modules\" tabindex=\"0\"><table><caption>{note}</caption><thead><tr><th scope=\"col\">Module</th><th scope=\"col\" class=\"n\">Count</th><th scope=\"col\">Confidence</th><th scope=\"col\">Jurisdictions</th><th scope=\"col\">Where</th></tr></thead><tbody>"
    )?;
    for group in survey.groups.iter().take(500) {
        let word = group.sure();
        let reach = if group.countries.is_empty() { "unknown".to_owned() } else { group.countries.join(", ") };
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td><span class=\"pill {}\">{}</span></td><td>{}</td><td>{}</td></tr>",
            Esc(&group.title),
            say::count(group.count),
            word.split(' ').next().filter(|w| w.chars().all(char::is_alphabetic)).unwrap_or_default(),
            Esc(&word),
            Esc(&reach),
            Esc(&group.places())
        )?;
    }
    writeln!(out, "</tbody></table></div>")?;
    if survey.groups.len() > 500 {
        writeln!(
            out,
            "<p class=\"note\">and {} more kinds: <code>--format csv</code> has every one.</p>",
            say::count(survey.groups.len() as u64 - 500)
        )?;
    }
    writeln!(out, "</section>")
}

fn next(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    writeln!(out, "<section id=\"next\">\n<h2>What to collect next</h2>")?;
    if audit.tallies.next_evidence.is_empty() {
        writeln!(out, "<p>Nothing is open that more evidence of a known kind would decide.</p>")?;
    } else {
        writeln!(out, "<div class=\"charts\">")?;
        let note = "Devices that are not decided, by the evidence that would tell most.";
        chart(out, "collect", "Evidence that would decide", note, ("Evidence", "Devices"), &audit.tallies.next_evidence, open)?;
        writeln!(out, "</div>")?;
    }
    writeln!(out, "<p>{}</p>", Prose(&say::imeis(audit)))?;
    if !audit.learned.is_empty() {
        writeln!(
            out,
            "<details class=\"more\"><summary>{} learned from this evidence</summary><div class=\"scroll\"><table><caption>An IMEI and a model seen together teach which model a type allocation code belongs to.</caption><thead><tr><th scope=\"col\">Code</th><th scope=\"col\">Maker</th><th scope=\"col\">Model</th><th scope=\"col\" class=\"n\">IMEIs</th><th scope=\"col\">From</th></tr></thead><tbody>",
            say::counted(audit.learned.len() as u64, "type allocation code")
        )?;
        for l in audit.learned.iter().take(500) {
            let from: Vec<&str> = l.inputs.iter().filter_map(|i| audit.inputs.get(*i as usize)).map(|i| i.path.as_str()).collect();
            writeln!(
                out,
                "<tr><td class=\"mono\">{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
                Esc(&l.tac),
                Esc(&l.maker),
                Esc(&l.model),
                say::count(u64::from(l.count)),
                Esc(&from.join(", "))
            )?;
        }
        writeln!(out, "</tbody></table></div></details>")?;
    }
    writeln!(out, "</section>")
}
