//! Reports for regulators, tenders and suppliers, as text and as one page to print.

use std::io::{self, Write};

use umbilical_core::answer::report::{Report, Row, Standing};
use umbilical_core::text::clean;

use crate::View;
use crate::html::sheet;
use crate::markup::{Cited, Esc, slug};
use crate::say;

/// As text, in the manner of Markdown.
pub fn text(out: &mut dyn Write, report: &Report, view: &View) -> io::Result<()> {
    let width = view.width.max(40);
    let mut put = |indent: usize, mark: &str, text: &str| -> io::Result<()> {
        for (i, line) in say::wrap(&clean(text), width.saturating_sub(indent).saturating_sub(mark.len())).iter().enumerate() {
            let blank = " ".repeat(mark.len());
            writeln!(out, "{:indent$}{}{line}", "", if i == 0 { mark } else { &blank })?;
        }
        Ok(())
    };
    put(0, "# ", &report.report.title)?;
    put(0, "", &format!("To: {}", report.report.addressed))?;
    put(0, "", &answers_to(report))?;
    put(0, "", &format!("As of {}, sources to {}.", report.as_of, report.knowledge.sources_to))?;
    for section in &report.sections {
        put(0, "## ", &section.title)?;
        for row in &section.rows {
            put(
                0,
                "- ",
                &match &row.about {
                    Some(about) => format!("{about}: {}", row.what),
                    None => row.what.clone(),
                },
            )?;
            let known = known(row);
            if !known.is_empty() {
                put(2, "", &format!("[{known}]"))?;
            }
            for because in &row.because {
                put(2, "· ", because)?;
            }
        }
    }
    if !report.to_supply.is_empty() {
        put(0, "## ", "To be supplied (--set NAME=VALUE)")?;
        put(0, "", &report.to_supply.join(", "))?;
    }
    put(0, "## ", "Judged by")?;
    for pack in &report.law.packs {
        put(
            0,
            "- ",
            &format!("{} ({}), version {}, {}, sources to {}", pack.title, pack.id, pack.version, pack.standing, pack.sources_to),
        )?;
    }
    for assumed in &report.law.assumed {
        put(0, "- ", &format!("assumed for this run: {assumed}"))?;
    }
    for problem in &report.problems {
        put(0, "- ", &format!("problem in the inputs, {}: {}", problem.at, problem.what))?;
    }
    Ok(())
}

fn answers_to(report: &Report) -> String {
    let head = &report.report;
    let mark = if head.verified { "" } else { " Unverified: a draft, for a person to compare with the text in force." };
    format!("Answers to {} [{}].{mark}", head.cite, head.source)
}

/// How a row is known, its clause and source.
fn known(row: &Row) -> String {
    let state = match row.state {
        Standing::Stated => None,
        other => Some(other.name().replace('-', " ")),
    };
    let basis = row.basis.map(|b| b.name().to_owned());
    let mark = (row.verified == Some(false)).then(|| "unverified".to_owned());
    let filled = |t: &Option<String>| t.clone().filter(|t| !t.is_empty());
    [state, basis, filled(&row.cite), mark, filled(&row.source)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// As one page.
pub fn html(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title} · Umbilical</title>\n<style>{}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the text</a>\n\
         <div class=\"sheet\">\n<header class=\"top\">\n<h1>To: {}</h1>\n<p class=\"lead\">{title}</p>\n<p>{}</p>\n\
         <p class=\"meta\">As of {}, sources to {}.</p>\n</header>\n<main id=\"main\">\n",
        sheet(),
        Esc(&report.report.addressed),
        Cited(&answers_to(report)),
        Esc(&report.as_of),
        Esc(&report.knowledge.sources_to),
        title = Esc(&report.report.title),
    )?;
    for section in &report.sections {
        writeln!(out, "<section id=\"{}\">\n<h2>{}</h2>", slug(&section.id), Esc(&section.title))?;
        for row in &section.rows {
            write!(out, "<div class=\"row\"><p>")?;
            if let Some(about) = &row.about {
                write!(out, "<b>{}</b>: ", Esc(about))?;
            }
            write!(out, "{}</p><p class=\"note\">{}</p>", Esc(&row.what), Cited(&known(row)))?;
            if !row.because.is_empty() {
                write!(out, "<ul>")?;
                for because in &row.because {
                    write!(out, "<li>{}</li>", Cited(because))?;
                }
                write!(out, "</ul>")?;
            }
            writeln!(out, "</div>")?;
        }
        writeln!(out, "</section>")?;
    }
    if !report.to_supply.is_empty() {
        writeln!(out, "<section><h2>To be supplied</h2><p>{}</p></section>", Esc(&report.to_supply.join(", ")))?;
    }
    writeln!(out, "<section><h2>Judged by</h2><ul>")?;
    for pack in &report.law.packs {
        let line = format!("{} ({}), version {}, {}, sources to {}", pack.title, pack.id, pack.version, pack.standing, pack.sources_to);
        writeln!(out, "<li>{}</li>", Esc(&line))?;
    }
    for assumed in &report.law.assumed {
        writeln!(out, "<li>assumed for this run: {}</li>", Esc(assumed))?;
    }
    for problem in &report.problems {
        writeln!(out, "<li>problem in the inputs, {}: {}</li>", Esc(&problem.at), Esc(&problem.what))?;
    }
    writeln!(out, "</ul></section>\n</main>\n</div>\n</body>\n</html>")
}
