//! The page around the cards: on paper the cards alone, one sheet each.

use std::io::{self, Write};

use umbilical_core::answer::label::{Carded, Known, Labels};

use super::{card, countries, known, role, state};
use crate::html::sheet;
use crate::markup::{Cited, Esc};

const CSS: &str = ".card{background:#fff;border:1px solid var(--line);max-width:148mm;margin:1rem 0}\
.card>svg{display:block;width:100%;height:auto}\
@page{size:148mm 105mm;margin:0}\
@media print{body{background:#fff}.sheet{max-width:none;margin:0;padding:0}.skip,header.top,.off{display:none!important}\
main,section{margin:0;padding:0}.card{border:0;margin:0;max-width:none;width:148mm;height:105mm;break-after:page;break-inside:avoid}\
section:last-of-type .card{break-after:auto}}";

/// Writes the page.
pub fn html(out: &mut dyn Write, labels: &Labels) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>Sourcing labels as of {as_of} · Umbilical</title>\n<style>{}{CSS}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the labels</a>\n<div class=\"sheet\">\n<header class=\"top\">\n\
         <h1>Umbilical · sourcing labels as of {as_of}</h1>\n\
         <p class=\"lead\">One card for each product, to print on A6. Printed, this page is the cards alone.</p>\n\
         <p class=\"meta\">Knowledge {} (sources to {}).</p>\n</header>\n<main id=\"main\">\n",
        sheet(),
        Esc(&umbilical_core::text::short(&labels.knowledge.version, 12)),
        Esc(&labels.knowledge.sources_to),
        as_of = Esc(&labels.as_of),
    )?;
    for (number, carded) in labels.labels.iter().enumerate() {
        one(out, carded, number)?;
    }
    if !labels.problems.is_empty() {
        writeln!(out, "<section class=\"off\"><h2>Problems in the inputs</h2><ul>")?;
        for problem in &labels.problems {
            writeln!(out, "<li>{}: {}</li>", Esc(&problem.at), Esc(&problem.what))?;
        }
        writeln!(out, "</ul></section>")?;
    }
    writeln!(out, "</main>\n</div>\n</body>\n</html>")
}

fn one(out: &mut dyn Write, carded: &Carded, number: usize) -> io::Result<()> {
    let label = &carded.label;
    writeln!(
        out,
        "<section id=\"label-{number}\">\n<h2 class=\"off\">{}</h2>\n<p class=\"off\">{}, as the documents declare.</p>\n<div class=\"card\">\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" font-family=\"{}\">{}</svg></div>\n<div class=\"off\">",
        Esc(&label.product.name),
        Esc(state(label)),
        card::WIDTH,
        card::HEIGHT,
        card::FONT,
        card::face(carded)
    )?;
    writeln!(out, "<p class=\"note\">The code on the card: <code>{}</code></p>", Esc(&carded.card))?;
    for module in &label.modules {
        write!(
            out,
            "<h3>{}</h3>\n<p class=\"note\">{}{}</p>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Tier</th><th scope=\"col\">Who</th>\
             <th scope=\"col\">What</th><th scope=\"col\">Jurisdiction</th><th scope=\"col\">Basis</th><th scope=\"col\">Because</th></tr></thead><tbody>",
            Esc(&module.name),
            Esc(&module.at),
            if module.named { "" } else { ": it carries a module that nobody names" }
        )?;
        for t in &module.tiers {
            writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                role(t.tier),
                Esc(t.maker.name.as_deref().unwrap_or("unknown")),
                Esc(t.part.as_deref().unwrap_or("")),
                Esc(&if t.maker.name.is_some() { countries(&t.maker.jurisdictions) } else { String::new() }),
                t.maker.basis.map_or("", |b| b.name()),
                Esc(&t.because)
            )?;
        }
        writeln!(out, "</tbody></table></div>\n<p>Chipset: {}</p>", Esc(&sourced(&module.chipset)))?;
        writeln!(out, "<p>Firmware signed by: {}</p>", Esc(&sourced(&module.updates.signer)))?;
        if module.updates.served_from.is_empty() {
            writeln!(out, "<p>Served from: unknown; no host on file serves firmware to modules of this maker.</p>")?;
        }
        for host in &module.updates.served_from {
            let mark = if host.verified { "" } else { ", unverified" };
            writeln!(
                out,
                "<p>Served from <code>{}</code>: {} ({}{mark}; {})</p>",
                Esc(&host.host),
                Esc(&host.what),
                host.basis.name(),
                Cited(&host.source)
            )?;
        }
        if !module.alternates.is_empty() {
            writeln!(out, "<p>May stand in its place: {}.</p>", Esc(&module.alternates.join(", ")))?;
        }
    }
    writeln!(out, "<p>Support until: {}</p>", Esc(&sourced(&label.support_end)))?;
    writeln!(
        out,
        "<h3>NIST IR 8425</h3>\n<p class=\"note\">Of each capability what this label says. It never says that one is met.</p>\n\
         <div class=\"scroll\"><table><thead><tr><th scope=\"col\">Capability</th><th scope=\"col\">Kind</th><th scope=\"col\">This label says</th></tr></thead><tbody>"
    )?;
    for c in &label.capabilities {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            c.capability,
            c.kind,
            Esc(c.says.as_deref().unwrap_or("nothing"))
        )?;
    }
    writeln!(out, "</tbody></table></div>\n<h3>Made from</h3>\n<ul>")?;
    for d in &label.documents {
        writeln!(out, "<li>{} ({}), sha256 <code>{}</code></li>", Esc(&d.path), Esc(&d.format), Esc(&d.sha256))?;
    }
    writeln!(out, "</ul>\n</div>\n</section>")
}

/// What is known with where it was said; a gap with whom to ask.
fn sourced(of: &Known) -> String {
    match &of.value {
        Some(_) => format!("{} ({})", known(of), of.source),
        None => format!("unknown; {}", of.source),
    }
}
