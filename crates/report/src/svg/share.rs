//! Parts of a whole as one bar.

use std::fmt::Write;

use super::Bar;
use crate::say;

/// One bar of the full width, a part for each that is not empty.
pub fn share(id: &str, title: &str, parts: &[Bar]) -> String {
    let whole: u64 = parts.iter().map(|p| p.count).sum::<u64>().max(1);
    let description = parts
        .iter()
        .map(|p| format!("{}: {} ({})", p.label, say::count(p.count), say::share(p.count, whole)))
        .collect::<Vec<_>>()
        .join("; ");
    let mut out = super::open(id, "width=\"100%\" height=\"22\"", title, &description);
    let mut x = 0.0f64;
    for part in parts.iter().filter(|p| p.count > 0) {
        let width = part.count as f64 * 100.0 / whole as f64;
        let _ = write!(out, "<rect class=\"part {}\" x=\"{x:.3}%\" y=\"0\" width=\"{width:.3}%\" height=\"22\"/>", part.class);
        x += width;
    }
    out.push_str("</svg>");
    out
}
