//! Makers, jurisdictions, lists, and a card for every organisation that stands behind a module.

use std::io::{self, Write};

use umbilical_core::answer::{Audit, Behind, Listing, Step, Trace};

use super::{accent, chart};
use crate::markup::{Cited, Esc, slug};
use crate::say;
use crate::survey::{Counted, Survey};
use crate::svg;

/// Cards on the page.
const CARDS: usize = 60;

pub fn section(out: &mut dyn Write, audit: &Audit, survey: &Survey) -> io::Result<()> {
    writeln!(out, "<section id=\"reach\">\n<h2>Who can reach in</h2>")?;
    if audit.tallies.makers.is_empty() {
        return writeln!(out, "<p class=\"note\">No cellular device was found, so there is nobody to trace.</p>\n</section>");
    }
    let t = &audit.tallies;
    writeln!(out, "<div class=\"charts\">")?;
    chart(out, "makers", "Makers", "Cellular devices by who made the module.", ("Maker", "Devices"), &t.makers, accent)?;
    let note = "Whose law can compel somebody in the chain; a device counts once for each.";
    chart(out, "jurisdictions", "Jurisdictions", note, ("Country", "Devices"), &t.jurisdictions, accent)?;
    chart(
        out,
        "listings",
        "Lists",
        "Devices whose module's maker, brand or owner a list names.",
        ("List", "Devices"),
        &t.listings,
        accent,
    )?;
    writeln!(out, "</div>")?;
    for behind in survey.behind.iter().take(CARDS) {
        card(out, behind, survey.exact)?;
    }
    let rest = survey.behind.len().saturating_sub(CARDS);
    if rest > 0 {
        writeln!(
            out,
            "<p class=\"note\">and {} more organisations: <code>--format json</code> has every one.</p>",
            say::count(rest as u64)
        )?;
    }
    if !survey.exact {
        writeln!(out, "<p class=\"note\">Cards are of organisations met in the first {}.</p>", say::counted(survey.looked, "device"))?;
    }
    writeln!(out, "</section>")
}

/// The anchor of an organisation's card.
pub fn anchor(trace: &Behind) -> String {
    format!("org-{}-{}", trace.role, slug(&trace.org))
}

fn card(out: &mut dyn Write, behind: &Counted, exact: bool) -> io::Result<()> {
    let trace = &behind.who;
    let id = anchor(trace);
    let least = if exact { "" } else { "at least " };
    writeln!(
        out,
        "<article class=\"org\" id=\"{id}\"><h3>{}<span>{} of {least}{}</span></h3><p class=\"says\">{}</p>",
        Esc(&trace.name),
        Esc(trace.role),
        say::counted(behind.count, "device"),
        Esc(&trace.statement)
    )?;
    let owner = trace.owner.join(", ");
    let facts = [
        ("Owner", Some(&*owner)),
        ("Headquarters", trace.headquarters.as_deref()),
        ("Research seat", trace.rd_seat.as_deref()),
        ("Factory", trace.factory.as_deref()),
        ("Firmware signer", trace.firmware_signer.as_deref()),
    ];
    write!(out, "<dl class=\"facts\">")?;
    for (name, value) in facts {
        write!(out, "<dt>{name}</dt><dd>{}</dd>", Esc(value.filter(|v| !v.is_empty()).unwrap_or("unknown")))?;
    }
    writeln!(out, "</dl>")?;
    for point in &trace.open_points {
        writeln!(out, "<p class=\"open\">For review: {}</p>", Esc(point))?;
    }
    relations(out, trace, &id)?;
    laws(out, trace)?;
    let listed = listings(&trace.listings);
    table(out, "Lists that name it or a controlling owner", "No list on file names it or a controlling owner", &LISTING, &listed)?;
    let pending = listings(&trace.pending);
    table(out, "Entries that are no listing (proposed, requested, state unknown): printed, never counted", "", &LISTING, &pending)?;
    writeln!(out, "</article>")
}

fn relations(out: &mut dyn Write, trace: &Trace, id: &str) -> io::Result<()> {
    let lists: [(&str, &[Step]); 4] =
        [("holds", &trace.chain), ("ended", &trace.former), ("holds", &trace.other), ("alleged, not counted", &trace.alleged)];
    let rows: Vec<[String; 6]> = lists
        .into_iter()
        .flat_map(|(state, steps)| steps.iter().map(move |s| (state, s)))
        .map(|(state, s)| {
            let days = say::dates(s.from.as_deref(), s.to.as_deref());
            let unclear = if s.unclear { "; the day is unclear" } else { "" };
            let control = if s.control { ", control" } else { "" };
            [
                Esc(&say::relation(s)).to_string(),
                if days.is_empty() { "unknown".to_owned() } else { Esc(&days).to_string() },
                format!("{state}{control}{unclear}"),
                s.basis.name().to_owned(),
                Cited(&s.source).to_string(),
                checked(s.verified).to_owned(),
            ]
        })
        .collect();
    if let Some(graph) = svg::graph(&format!("{id}-g"), trace, true) {
        let more = if graph.left_out > 0 { format!(" The table has {} more.", say::count(graph.left_out as u64)) } else { String::new() };
        writeln!(
            out,
            "<figure><div class=\"graph\" role=\"region\" aria-label=\"Relations of {}\" tabindex=\"0\">{}</div><p class=\"note\">An arrow leads from who owns, controls, brands or supplies. Strong: control. Thin: no control. Dotted: ended. Dashed: alleged, never counted.{more}</p></figure>",
            Esc(&trace.name),
            graph.svg
        )?;
    }
    table(out, "Relations", "No relation on file: owners are unknown, not absent", &RELATION, &rows)
}

const RELATION: [&str; 6] = ["Relation", "Days", "State", "Basis", "Source", "Checked"];
const LISTING: [&str; 6] = ["List", "Names", "Days", "Covers and prohibits", "Source", "Checked"];

fn checked(verified: bool) -> &'static str {
    if verified { "yes" } else { "unverified" }
}

fn listings(list: &[Listing]) -> Vec<[String; 6]> {
    list.iter()
        .map(|l| {
            let days = say::dates(l.from.as_deref(), l.to.as_deref());
            let unclear = if l.unclear { "; for review" } else { "" };
            let covers: Vec<&str> = [&*l.scope, &*l.prohibits, &*l.citation].into_iter().filter(|t| !t.is_empty()).collect();
            [
                Esc(&l.regime).to_string(),
                format!("{} ({})", Esc(&l.entity), Esc(&l.org)),
                format!("{}<br>{}{unclear}", Esc(&days), Esc(&l.list_status)),
                Esc(&covers.join("; ")).to_string(),
                Cited(&l.source).to_string(),
                checked(l.verified).to_owned(),
            ]
        })
        .collect()
}

/// A table behind a line that says how much it holds; cells are markup already.
fn table(out: &mut dyn Write, title: &str, none: &str, heads: &[&str; 6], rows: &[[String; 6]]) -> io::Result<()> {
    if rows.is_empty() {
        return if none.is_empty() { Ok(()) } else { writeln!(out, "<p class=\"note\">{none}.</p>") };
    }
    write!(
        out,
        "<details class=\"more\"><summary>{title} ({})</summary><div class=\"scroll wide\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\"><table><caption class=\"vh\">{title}</caption><thead><tr>",
        rows.len()
    )?;
    for head in heads {
        write!(out, "<th scope=\"col\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows {
        write!(out, "<tr>")?;
        for (head, cell) in heads.iter().zip(row) {
            let class = match *head {
                "Source" => " class=\"src\"",
                "Days" => " class=\"w\"",
                _ => "",
            };
            write!(out, "<td{class}>{cell}</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div></details>")
}

fn laws(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    if trace.jurisdictions.is_empty() {
        return writeln!(out, "<p class=\"note\">Jurisdiction unknown.</p>");
    }
    writeln!(
        out,
        "<details class=\"more\"><summary>Jurisdictions and the law that can compel ({})</summary><ul class=\"plain\">",
        trace.jurisdictions.len()
    )?;
    for j in &trace.jurisdictions {
        let unclear = if j.unclear { ", for review: the day is unclear" } else { "" };
        writeln!(
            out,
            "<li><b>{}</b> ({}{}, {}{unclear}): {}</li>",
            Esc(&j.country),
            Esc(say::organisation(trace, &j.org)),
            Esc(&say::way(j)),
            j.basis.name(),
            Esc(&j.laws.join("; "))
        )?;
    }
    writeln!(out, "</ul></details>")
}
