//! Horizontal bars, a label and a count above each: widths are percentages, so text keeps its size on a phone.

use std::fmt::Write;

use crate::markup::Esc;
use crate::say;

const ROW: usize = 38;
const LABEL: usize = 44;

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: u64,
    /// Class of the style sheet for its colour: `c1` … `c4`, `c0` for what is unknown.
    pub class: &'static str,
}

/// Bars against the longest of them. A label of more than 44 columns takes two lines.
pub fn bars(id: &str, title: &str, bars: &[Bar]) -> String {
    let longest = bars.iter().map(|b| b.count).max().unwrap_or(0).max(1);
    let labels: Vec<Vec<String>> = bars.iter().map(|b| lines(&b.label)).collect();
    let height: usize = labels.iter().map(|l| ROW + 16 * l.len().saturating_sub(1)).sum();
    let description = bars.iter().map(|b| format!("{}: {}", b.label, say::count(b.count))).collect::<Vec<_>>().join("; ");
    let mut out = super::open(id, &format!("width=\"100%\" height=\"{height}\""), title, &description);
    let mut y = 0usize;
    for (bar, label) in bars.iter().zip(labels) {
        for line in &label {
            y += 16;
            let _ = write!(out, "<text x=\"0\" y=\"{}\">{}</text>", y - 2, Esc(line));
        }
        let _ = write!(out, "<text class=\"n\" x=\"100%\" y=\"{}\" text-anchor=\"end\">{}</text>", y - 2, say::count(bar.count));
        let width = (bar.count as f64 * 100.0 / longest as f64).max(0.6);
        let _ = write!(
            out,
            "<rect class=\"track\" x=\"0\" y=\"{0}\" width=\"100%\" height=\"8\" rx=\"2\"/><rect class=\"{1}\" x=\"0\" y=\"{0}\" width=\"{width:.2}%\" height=\"8\" rx=\"2\"/>",
            y + 4,
            bar.class
        );
        y += ROW - 16;
    }
    out.push_str("</svg>");
    out
}

/// At most two lines; the table beside the chart has the label whole.
fn lines(label: &str) -> Vec<String> {
    let mut lines = say::wrap(&label.replace('`', ""), LABEL);
    if lines.len() > 2 {
        lines.truncate(2);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    if lines.is_empty() {
        lines.push("–".to_owned());
    }
    lines
}
