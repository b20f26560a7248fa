//! What was looked at, what could not be understood, and what the words mean.

use std::io::{self, Write};

use umbilical_core::answer::Audit;

use crate::markup::{Esc, Prose};
use crate::say;

/// Rows of a list on the page.
const ROWS: usize = 300;

pub fn inputs(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    writeln!(out, "<section id=\"inputs\">\n<h2>What was looked at</h2>\n<p>{}</p>", Esc(&say::looked_at(audit)))?;
    for absent in &audit.knowledge.absent {
        writeln!(out, "<p class=\"open\">Not here: {}.</p>", Prose(absent))?;
    }
    if !audit.inputs.is_empty() {
        writeln!(
            out,
            "<div class=\"scroll\" role=\"region\" aria-label=\"Inputs\" tabindex=\"0\"><table><caption>Inputs</caption><thead><tr><th scope=\"col\">Path</th><th scope=\"col\">Taken for</th><th scope=\"col\" class=\"n\">Size</th><th scope=\"col\" class=\"n\">Facts</th><th scope=\"col\">SHA-256</th></tr></thead><tbody>"
        )?;
        for input in audit.inputs.iter().take(ROWS) {
            let mapping = if input.mapping.is_empty() {
                String::new()
            } else {
                format!("<br><span class=\"note\">columns read as {}</span>", Esc(&input.mapping.join(", ")))
            };
            writeln!(
                out,
                "<tr><th scope=\"row\">{}{mapping}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"mono\">{}</td></tr>",
                Esc(&input.path),
                Esc(&input.format),
                say::bytes(input.bytes),
                say::count(input.observations),
                Esc(&umbilical_core::text::short(&input.sha256, 16))
            )?;
        }
        writeln!(out, "</tbody></table></div>")?;
        rest(out, audit.inputs.len(), "inputs")?;
    }
    writeln!(out, "<h3 class=\"group\">What could not be understood ({})</h3>", say::count(audit.problems.len() as u64))?;
    if audit.problems.is_empty() {
        writeln!(out, "<p class=\"note\">Everything given was understood.</p>")?;
    } else {
        writeln!(out, "<ul class=\"plain\">")?;
        for said in audit.problems.iter().take(ROWS) {
            writeln!(out, "<li><b>{}</b>: {}</li>", Esc(&say::place(audit, said.input, &said.at)), Prose(&said.what))?;
        }
        writeln!(out, "</ul>")?;
        rest(out, audit.problems.len(), "problems")?;
    }
    writeln!(out, "</section>")
}

fn rest(out: &mut dyn Write, all: usize, what: &str) -> io::Result<()> {
    match all.saturating_sub(ROWS) {
        0 => Ok(()),
        more => {
            writeln!(out, "<p class=\"note\">and {} more {what}: <code>--format json</code> has every one.</p>", say::count(more as u64))
        }
    }
}

const METHOD: &[(&str, &[(&str, &str)])] = &[
    (
        "How a statement is known",
        &[
            ("observed", "Read from the thing itself, or from what saw it on the network."),
            ("inferred", "Concluded from other statements."),
            ("declared", "Said by a document, a label, a person or a register."),
            ("listed", "On a published list."),
            ("alleged", "Reported by somebody. Printed, never counted."),
        ],
    ),
    (
        "How sure",
        &[
            (
                "confirmed",
                "At least 99 %, from two independent witnesses, at least one of them observed. A module's own word alone never confirms.",
            ),
            ("probable", "At least 90 %."),
            ("possible", "At least 50 %. Names are filled in from here on."),
            ("hint", "Below that: worth collecting more, nothing to act on."),
        ],
    ),
    (
        "How it is worked out",
        &[
            (
                "Evidence",
                "Every fact has a weight. The weights of one witness count once, up to a cap, because its facts share their errors; what speaks against is kept and shown.",
            ),
            ("Unknown", "An answer, not a gap: the page says what evidence would decide. Nothing here is ever called clean."),
            (
                "Jurisdiction",
                "A country whose law can compel somebody in the chain of control on the day of the answer. “No row on file” means that nobody has written a law down here, not that there is none.",
            ),
            (
                "Same sections for all",
                "A maker from any country gets the same questions, fields and sentences. No malice is stated that was not observed.",
            ),
        ],
    ),
];

pub fn method(out: &mut dyn Write, audit: &Audit) -> io::Result<()> {
    writeln!(out, "<section id=\"method\">\n<h2>What the words mean</h2>\n<div class=\"method\">")?;
    for (title, words) in METHOD {
        write!(out, "<div><h3>{title}</h3><dl>")?;
        for (word, meaning) in *words {
            write!(out, "<dt>{word}</dt><dd>{meaning}</dd>")?;
        }
        writeln!(out, "</dl></div>")?;
    }
    writeln!(
        out,
        "</div>\n</section>\n<footer><p>As of {}. Knowledge {}, sources to {}. Nothing on this page is fetched, and nothing leaves it.</p></footer>",
        Esc(&audit.as_of),
        Esc(&audit.knowledge.version),
        Esc(&audit.knowledge.sources_to)
    )
}
