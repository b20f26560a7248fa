//! What came on which day, along a line.

use std::fmt::Write;

use umbilical_core::Day;

use crate::markup::Esc;
use crate::say;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 12.0;
/// Height of a row of words.
const ROW: f64 = 18.0;
/// Columns of a label.
const LABEL: usize = 34;
/// Pixels of a column.
const COLUMN: f64 = 7.2;
/// Marks that are drawn; the table beside the picture has all.
const MOST: usize = 40;

/// Something on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub day: Day,
    /// What.
    pub label: String,
    /// Class of the style sheet for its colour.
    pub class: &'static str,
}

/// Draws marks in the order of their days; a label stands in the first row where it hides no other.
pub fn timeline(id: &str, title: &str, marks: &[Mark]) -> String {
    let shown = marks.get(..marks.len().min(MOST)).unwrap_or_default();
    let description = shown.iter().map(|m| format!("{}: {}", m.day, m.label)).collect::<Vec<_>>().join("; ");
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
        return super::open(id, "width=\"0\" height=\"0\"", title, "nothing") + "</svg>";
    };
    let days = last.day.days_since(first.day).max(1) as f64;
    let mut ends: Vec<f64> = Vec::new();
    let mut placed: Vec<(f64, f64, f64, String, &'static str)> = Vec::new();
    for mark in shown {
        let x = LEFT + (WIDTH - 2.0 * LEFT) * mark.day.days_since(first.day) as f64 / days;
        let text = say::wrap(&mark.label, LABEL).into_iter().next().unwrap_or_default();
        let width = text.chars().count() as f64 * COLUMN;
        // Near the right edge words stand left of their mark.
        let left = if x + width > WIDTH { (x - width).max(0.0) } else { x };
        let row = ends.iter().position(|end| *end + 10.0 <= left).unwrap_or(ends.len());
        match ends.get_mut(row) {
            Some(end) => *end = left + width,
            None => ends.push(left + width),
        }
        let y = ROW * (row as f64 + 1.0);
        placed.push((x, left, y, text, mark.class));
    }
    let axis = ROW * (ends.len() as f64 + 1.0);
    let height = axis + 26.0;
    let mut out = super::open(id, &format!("viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\""), title, &description);
    let _ = write!(out, "<line class=\"rule\" x1=\"0\" y1=\"{axis}\" x2=\"{WIDTH}\" y2=\"{axis}\"/>");
    for (x, left, y, text, class) in placed {
        let _ = write!(
            out,
            "<text x=\"{left:.1}\" y=\"{y:.1}\">{}</text><line class=\"rule\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{axis}\"/><circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{axis}\" r=\"5\"/>",
            Esc(&text),
            y + 4.0
        );
    }
    let _ = write!(out, "<text class=\"n\" x=\"0\" y=\"{:.1}\">{}</text>", axis + 20.0, first.day);
    if last.day != first.day {
        let _ = write!(out, "<text class=\"n\" x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", axis + 20.0, last.day);
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(day: &str, label: &str) -> Mark {
        Mark { day: day.parse().unwrap(), label: label.to_owned(), class: "c1" }
    }

    #[test]
    fn labels_of_one_day_stand_in_rows_of_their_own() {
        let svg = timeline("t", "Evidence", &[mark("2026-11-01", "sims.csv"), mark("2026-11-01", "<b>"), mark("2026-11-29", "lsusb")]);
        assert!(svg.contains("y=\"18.0\">sims.csv") && svg.contains("y=\"36.0\">") && svg.contains("&lt;b&gt;"), "{svg}");
        assert!(svg.contains("y=\"18.0\">lsusb"), "{svg}");
        assert!(timeline("t", "Evidence", &[]).ends_with("</svg>"));
    }
}
