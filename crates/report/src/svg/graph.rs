//! Who stands behind an organisation, left to right: the organisation itself, its owners and suppliers, their owners.
//! Whom it makes for or sells to stands in the table only.
//!
//! Organisations stand in columns by their distance from the one asked about; an arrow leads from the owner to the
//! owned, with the relation and its days. Dashed is alleged, dotted has ended, thin gives no control.

use std::fmt::Write;

use umbilical_core::Basis;
use umbilical_core::answer::{Step, Trace};
use umbilical_core::text::short;

use crate::markup::Esc;
use crate::say;

const WIDTH: usize = 180;
const HEIGHT: usize = 62;
const GAP_X: usize = 168;
/// How far a line runs level at the end where its words stand.
const LEVEL: usize = 104;
const GAP_Y: usize = 26;
/// Organisations drawn; the table beside the picture has all.
const NODES: usize = 40;

/// A picture and what it leaves out.
pub struct Graph {
    /// The picture.
    pub svg: String,
    /// Relations that only the table has.
    pub left_out: usize,
}

struct Node<'a> {
    id: &'a str,
    name: &'a str,
    column: usize,
    row: usize,
}

struct Arrow<'a> {
    from: usize,
    to: usize,
    class: &'static str,
    steps: Vec<&'a Step>,
}

/// Draws a trace; `None` where nobody is known to stand behind it. `shrinks`: it may become narrower than its words need, down to
/// two thirds, and says so in a `style`; where pages take none it keeps its width, and what stands around it scrolls.
pub fn graph(id: &str, trace: &Trace, shrinks: bool) -> Option<Graph> {
    let all: Vec<(&Step, &'static str)> = trace
        .chain
        .iter()
        .map(|s| (s, if s.control { "control" } else { "minor" }))
        .chain(trace.former.iter().map(|s| (s, "ended")))
        .chain(trace.other.iter().map(|s| (s, "minor")))
        .chain(trace.alleged.iter().map(|s| (s, "alleged")))
        .collect();
    let mut nodes = vec![Node { id: &trace.org, name: &trace.name, column: 0, row: 0 }];
    let mut at = 0;
    while let Some((from, column)) = nodes.get(at).map(|n| (n.id, n.column)) {
        for (step, _) in &all {
            let room = nodes.len() < NODES;
            if step.child == from && room && !nodes.iter().any(|n| n.id == step.parent) {
                nodes.push(Node { id: &step.parent, name: &step.parent_name, column: column + 1, row: 0 });
            }
        }
        at += 1;
    }
    if nodes.len() < 2 {
        return None;
    }
    let columns = nodes.iter().map(|n| n.column + 1).max().unwrap_or(1);
    let mut rows = vec![0usize; columns];
    for node in &mut nodes {
        if let Some(next) = rows.get_mut(node.column) {
            node.row = *next;
            *next += 1;
        }
    }
    let tallest = rows.iter().copied().max().unwrap_or(1);
    let (mut arrows, mut left_out) = (Vec::<Arrow<'_>>::new(), 0usize);
    for (step, class) in &all {
        let column = |at: usize| nodes.get(at).map(|n| n.column);
        let find = |id: &str| nodes.iter().position(|n| n.id == id);
        match (find(&step.child), find(&step.parent)) {
            // What leads back to the left (whom it sells to, owners in a circle) would cross everything.
            (Some(to), Some(from)) if column(from) > column(to) => match arrows.iter_mut().find(|a| (a.from, a.to) == (from, to)) {
                // What holds decides how the arrow looks; it comes first.
                Some(arrow) => arrow.steps.push(step),
                None => arrows.push(Arrow { from, to, class, steps: vec![step] }),
            },
            _ => left_out += 1,
        }
    }
    let width = columns * WIDTH + (columns - 1) * GAP_X + 4;
    let height = tallest * (HEIGHT + GAP_Y) - GAP_Y + 4;
    let title = format!("Who stands behind {}", trace.name);
    let description = all.iter().map(|(s, class)| sentence(s, class)).collect::<Vec<_>>().join("; ");
    let least = if shrinks { format!(" style=\"min-width:{}px\"", width * 2 / 3) } else { format!(" height=\"{height}\"") };
    let mut svg = super::open(id, &format!("width=\"{width}\"{least} viewBox=\"0 0 {width} {height}\""), &title, &description);
    let _ = write!(
        svg,
        "<defs><marker id=\"{id}-a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 0 8 4 0 8z\"/></marker></defs>"
    );
    let place = |node: &Node<'_>| {
        let used = rows.get(node.column).copied().unwrap_or(1);
        let top = (tallest - used) * (HEIGHT + GAP_Y) / 2;
        (node.column * (WIDTH + GAP_X) + 2, top + node.row * (HEIGHT + GAP_Y) + 2)
    };
    let mut texts = String::new();
    for arrow in &arrows {
        let (Some(from), Some(to)) = (nodes.get(arrow.from), nodes.get(arrow.to)) else { continue };
        let ((x0, y0), (x1, y1)) = (place(from), place(to));
        let (y0, x1, y1) = (y0 + HEIGHT / 2, x1 + WIDTH, y1 + HEIGHT / 2);
        // The words stand at the end where fewer arrows meet, above and below the line, which runs level there.
        let leaving = arrows.iter().filter(|a| a.from == arrow.from).count();
        let coming = arrows.iter().filter(|a| a.to == arrow.to).count();
        let at_end = leaving > coming;
        let (start, end) = if at_end { (x0, x1 + LEVEL) } else { (x0.saturating_sub(LEVEL), x1) };
        let bend = (GAP_X - LEVEL) / 2;
        // No level run of length zero at the tip: the arrowhead takes its direction from the last one.
        let last = if end == x1 { String::new() } else { format!("H{x1}") };
        let _ = write!(
            svg,
            "<path class=\"edge {}\" d=\"M{x0} {y0}H{start}C{} {y0} {} {y1} {end} {y1}{last}\" marker-end=\"url(#{id}-a)\"/>",
            arrow.class,
            start.saturating_sub(bend),
            end + bend
        );
        let (x, y, anchor) = if at_end { (x1 + 12, y1, "start") } else { (x0.saturating_sub(7), y0, "end") };
        let (above, under) = label(arrow);
        for (line, y) in [(above, y.saturating_sub(5)), (under, y + 14)] {
            if !line.is_empty() {
                let _ = write!(texts, "<text class=\"on\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>", Esc(&line));
            }
        }
    }
    svg.push_str(&texts);
    for node in &nodes {
        let (x, y) = place(node);
        let class = if node.id == trace.org { "node self" } else { "node" };
        let _ = write!(
            svg,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>",
            Esc(node.name)
        );
        let mut lines = say::wrap(node.name, 22);
        if lines.len() > 2 {
            lines.truncate(2);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        let country = countries(trace, node.id);
        let total = lines.len() + usize::from(!country.is_empty());
        let first = y + HEIGHT / 2 + 4 - (total.saturating_sub(1)) * 8;
        for (number, line) in lines.iter().enumerate() {
            let _ = write!(svg, "<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>", x + 12, first + number * 16, Esc(line));
        }
        if !country.is_empty() {
            let _ = write!(svg, "<text class=\"where\" x=\"{}\" y=\"{}\">{}</text>", x + 12, first + lines.len() * 16, Esc(&country));
        }
        svg.push_str("</g>");
    }
    svg.push_str("</svg>");
    Some(Graph { svg, left_out })
}

fn countries(trace: &Trace, org: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for j in trace.jurisdictions.iter().filter(|j| j.org == org) {
        if !out.contains(&j.country.as_str()) {
            out.push(&j.country);
        }
    }
    out.join(", ")
}

/// What stands above and below an arrow: the relation and its days; of several relations the first that holds.
fn label(arrow: &Arrow<'_>) -> (String, String) {
    let mut steps = arrow.steps.iter().map(|step| {
        let edge = match (&*step.edge, step.basis) {
            ("affiliate-alleged", _) => "affiliate, alleged".to_owned(),
            ("customer-of", Basis::Alleged) => "customer, alleged".to_owned(),
            (edge, Basis::Alleged) => format!("{}, alleged", say::verb(edge)),
            ("brands", _) => "brands".to_owned(),
            ("state-support", _) => "state support".to_owned(),
            (edge, _) => say::verb(edge).to_owned(),
        };
        let share = step.share.as_deref().map(|s| format!(" {}", say::stake(s))).unwrap_or_default();
        (format!("{edge}{share}"), say::dates(step.from.as_deref(), step.to.as_deref()))
    });
    let cut = |text: &str| short(text, 26).into_owned();
    match (steps.next(), steps.count()) {
        (Some((one, days)), 0) => (cut(&one), cut(&days)),
        (Some((one, days)), more) if days.is_empty() => (cut(&one), format!("and {more} more")),
        (Some((one, days)), more) => (cut(&one), format!("{}, {more} more", cut(&days))),
        (None, _) => Default::default(),
    }
}

fn sentence(step: &Step, class: &str) -> String {
    let days = say::dates(step.from.as_deref(), step.to.as_deref());
    let mark = match class {
        "alleged" => ", alleged",
        "ended" => ", ended",
        _ => "",
    };
    let space = if days.is_empty() { "" } else { " " };
    format!("{}{space}{days}{mark}", say::relation(step))
}
