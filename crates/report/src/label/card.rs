//! The card: one A6 sheet in landscape for each product, black on white.

use std::fmt::Write as _;
use std::io::{self, Write};

use umbilical_core::answer::label::{Carded, Label, Labels};

use super::{depth, first, hosts, known, makers, numbers, qr, role, state, tier, worst};
use crate::markup::Esc;
use crate::say;

/// Tenths of a millimetre: A6 in landscape.
pub(super) const WIDTH: usize = 1480;
/// The same of its height.
pub(super) const HEIGHT: usize = 1050;
/// Where the values of the rows begin.
const VALUES: usize = 330;
/// Letters of a value that fit in front of the code.
const COLUMNS: usize = 46;
/// From line to line of the rows.
const LEADING: usize = 37;
/// Where the footer begins: no row goes below.
const FOOT: usize = 962;

/// One picture: the cards of all products, one under the other.
pub fn svg(out: &mut dyn Write, labels: &Labels) -> io::Result<()> {
    let count = labels.labels.len().max(1);
    let height = HEIGHT.saturating_mul(count);
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"148mm\" height=\"{}mm\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"{FONT}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>",
        count.saturating_mul(105)
    )?;
    for (number, carded) in labels.labels.iter().enumerate() {
        writeln!(out, "<g transform=\"translate(0 {})\">{}</g>", HEIGHT.saturating_mul(number), face(carded))?;
    }
    writeln!(out, "</svg>")
}

pub(super) const FONT: &str = "'Noto Sans','DejaVu Sans','Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif";

/// What is on a card, without the picture around it.
pub(super) fn face(carded: &Carded) -> String {
    let label = &carded.label;
    let mut out = String::with_capacity(1 << 14);
    let mut put = |text: String| out.push_str(&text);
    put(format!("<title>{}</title>", Esc(&format!("Sourcing label of {}: {}", label.product.name, state(label)))));
    put(format!(
        "<rect x=\"24\" y=\"24\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#000\" stroke-width=\"4\"/>",
        WIDTH - 48,
        HEIGHT - 48
    ));
    put(text(60, 84, 27, "letter-spacing:3px", "SOURCING LABEL · CELLULAR MODULES"));
    put(text(1420, 84, 27, "text-anchor:end", &format!("as of {}", label.as_of)));
    let name: Vec<String> = cut(&label.product.name, 40, 1);
    put(text(60, 150, 56, "font-weight:700", name.first().map_or("", |n| n)));
    let (numbers, makers) = (numbers(label), makers(label));
    let who = if numbers.is_empty() { makers } else { format!("{numbers}; {makers}") };
    put(text(60, 196, 30, "", cut(&who, 90, 1).first().map_or("", |n| n)));
    // The state stands in a frame of its own, so that no colour is needed to see it.
    put(format!("<rect x=\"60\" y=\"222\" width=\"{}\" height=\"74\" fill=\"#000\"/>", WIDTH - 120));
    put(text(84, 272, 40, "font-weight:700;fill:#fff", &state(label).to_uppercase()));
    put(text(1396, 271, 27, "text-anchor:end;fill:#fff", "as the documents declare"));
    let mut y = 350;
    for (head, value, most) in rows(label) {
        if y > FOOT {
            break;
        }
        put(text(60, y, 27, "font-weight:700", &head));
        for line in cut(&value, COLUMNS, most) {
            put(text(VALUES, y, 29, "", &line));
            y = y.saturating_add(LEADING);
        }
        y = y.saturating_add(9);
    }
    put("<path d=\"M1094 322V930\" stroke=\"#000\" stroke-width=\"2\"/>".to_owned());
    put(qr::code(&carded.card, 1100.0, 316.0, 336.0));
    let beside = [
        "This code holds the digest",
        "of the machine label, for",
        "umbilical bom label --card",
        "",
        "A jurisdiction is a place whose",
        "law reaches a firm: it says",
        "nothing of what the firm does.",
        "Made from documents; the",
        "box was not looked into.",
    ];
    for (i, line) in beside.iter().enumerate() {
        put(text(1116, i.saturating_mul(29).saturating_add(680), 20, "", line));
    }
    put(format!("<path d=\"M60 {0}H1420\" stroke=\"#000\" stroke-width=\"2\"/>", FOOT - 14));
    put(text(60, FOOT + 26, 22, MONO, &digest(label)));
    put(text(1420, FOOT + 26, 22, "text-anchor:end", &format!("sources to {}", label.sources_to)));
    out
}

const MONO: &str = "font-family:'Noto Sans Mono','DejaVu Sans Mono',Menlo,Consolas,monospace";

/// Heading, value, and how many lines it may take.
fn rows(label: &Label) -> Vec<(String, String, usize)> {
    let mut out = Vec::new();
    match first(label) {
        Some(module) => {
            let row = |t: &umbilical_core::answer::label::LabelTier| (role(t.tier).to_owned(), tier(t), 2);
            // Who sells the product stands above already.
            out.extend(module.tiers.iter().filter(|t| !matches!(t.tier, "brand" | "odm")).map(row));
            if !module.named {
                out.insert(0, ("Carried by".to_owned(), module.name.clone(), 1));
            }
            if !module.alternates.is_empty() {
                out.push(("Or in its place".to_owned(), module.alternates.join(", "), 1));
            }
            let others: Vec<&str> = label.modules.iter().filter(|m| !std::ptr::eq(*m, module)).map(|m| &*m.name).collect();
            if !others.is_empty() {
                out.push((
                    "Also in it".to_owned(),
                    format!("{}: {}", say::counted(others.len() as u64, "more module"), others.join(", ")),
                    1,
                ));
            }
            out.push(("Updates from".to_owned(), hosts(label), 2));
        }
        None => out.push(("Module".to_owned(), "none is declared".to_owned(), 1)),
    }
    out.push(("Support until".to_owned(), known(&label.support_end), 1));
    out.push(("Depth known".to_owned(), depth(label), 2));
    out.push(("Worst known".to_owned(), worst(label), 2));
    out
}

fn digest(label: &Label) -> String {
    match &*label.documents {
        [one] => format!("BOM sha256 {}", one.sha256),
        many => format!("{}: their digests are in the machine label", say::counted(many.len() as u64, "document")),
    }
}

/// At most `most` lines of at most `columns` letters; what is cut away leaves `…`.
fn cut(text: &str, columns: usize, most: usize) -> Vec<String> {
    let clean = umbilical_core::text::clean(text);
    let mut lines = say::wrap(&clean, columns);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept: String = last.chars().take(columns.saturating_sub(2)).collect();
            *last = format!("{} …", kept.trim_end_matches([',', ' ', '·']));
        }
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

fn text(x: usize, y: usize, size: usize, style: &str, content: &str) -> String {
    let mut out = String::new();
    // Style, not attributes: the page around a card has rules for the text of its charts.
    let fill = if style.contains("fill:") { "" } else { "fill:#000;" };
    let font = if style.contains("font-family:") { String::new() } else { format!("font-family:{FONT};") };
    let _ = write!(out, "<text x=\"{x}\" y=\"{y}\" style=\"{font}font-size:{size}px;{fill}{style}\">{}</text>", Esc(content));
    out
}
