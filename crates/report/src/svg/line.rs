//! A share over time, as a line over the ground below it.

use std::fmt::Write;

use umbilical_core::Day;

use crate::markup::Esc;
use crate::say;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 150.0;
/// Room for the words at the left and below.
const LEFT: f64 = 44.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 8.0;

/// A share on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub day: Day,
    /// The part.
    pub part: u64,
    /// Of what.
    pub whole: u64,
}

impl Point {
    fn share(&self) -> f64 {
        if self.whole == 0 { 0.0 } else { (self.part as f64 / self.whole as f64).clamp(0.0, 1.0) }
    }
}

/// Draws points in the order of their days, from nothing to all. One day alone is a dot.
pub fn line(id: &str, title: &str, points: &[Point]) -> String {
    let said: Vec<String> = points
        .iter()
        .map(|p| format!("{}: {} of {} ({})", p.day, say::count(p.part), say::count(p.whole), say::share(p.part, p.whole.max(1))))
        .collect();
    let size = format!("viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\"");
    let mut out = super::open(id, &size, title, &said.join("; "));
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        out.push_str("</svg>");
        return out;
    };
    let days = last.day.days_since(first.day).max(1) as f64;
    let x = |p: &Point| LEFT + (WIDTH - LEFT - 8.0) * p.day.days_since(first.day) as f64 / days;
    let y = |share: f64| ABOVE + (HEIGHT - ABOVE - BELOW) * (1.0 - share);
    for (share, word) in [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")] {
        let at = y(share);
        let _ = write!(
            out,
            "<line class=\"rule\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{WIDTH}\" y2=\"{at:.1}\"/><text class=\"n\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{word}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let path: Vec<String> = points.iter().map(|p| format!("{:.1},{:.1}", x(p), y(p.share()))).collect();
    if points.len() > 1 {
        let (left, right, ground) = (x(first), x(last), y(0.0));
        let _ = write!(
            out,
            "<polygon class=\"ground c1\" points=\"{left:.1},{ground:.1} {} {right:.1},{ground:.1}\"/><polyline class=\"line\" points=\"{}\"/>",
            path.join(" "),
            path.join(" ")
        );
    }
    let _ = write!(out, "<circle class=\"c1\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>", x(last), y(last.share()));
    let foot = HEIGHT - 5.0;
    let _ = write!(out, "<text x=\"{LEFT}\" y=\"{foot}\">{}</text>", Esc(&first.day.to_string()));
    if points.len() > 1 {
        let _ = write!(out, "<text x=\"{WIDTH}\" y=\"{foot}\" text-anchor=\"end\">{}</text>", Esc(&last.day.to_string()));
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_says_its_numbers_in_words() {
        let points = [Point { day: day("2026-11-01"), part: 1, whole: 4 }, Point { day: day("2026-11-29"), part: 5, whole: 5 }];
        let svg = line("c", "Coverage & time", &points);
        assert!(svg.contains("2026-11-01: 1 of 4 (25.0 %); 2026-11-29: 5 of 5") && svg.contains("Coverage &amp; time"), "{svg}");
        assert!(svg.contains("<polyline class=\"line\" points=\"44.0,98.0 632.0,8.0\"/>"), "{svg}");
    }

    #[test]
    fn one_day_is_a_dot_and_none_is_empty() {
        assert!(!line("c", "t", &[]).contains("circle"));
        let svg = line("c", "t", &[Point { day: day("2026-11-29"), part: 1, whole: 2 }]);
        assert!(svg.contains("circle") && !svg.contains("polyline"));
    }
}
