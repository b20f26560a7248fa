//! The code on the card: a QR code as one path of black modules.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Modules of white around the code that readers need (ISO/IEC 18004).
const QUIET: usize = 4;

/// A square of side `size` with its corner at (x, y), in the units of the picture. Nothing where the text does not fit.
pub fn code(text: &str, x: f64, y: f64, size: f64) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return String::new() };
    let width = code.width();
    let colours = code.into_colors();
    let side = width.saturating_add(QUIET.saturating_mul(2));
    let mut path = String::new();
    for (row, line) in colours.chunks(width.max(1)).enumerate() {
        let mut column = 0usize;
        for run in line.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let (left, top) = (column.saturating_add(QUIET), row.saturating_add(QUIET));
                // Writing to a string does not fail.
                let _ = write!(path, "M{left} {top}h{0}v1h-{0}z", run.len());
            }
            column = column.saturating_add(run.len());
        }
    }
    format!(
        "<svg class=\"code\" x=\"{x}\" y=\"{y}\" width=\"{size}\" height=\"{size}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    )
}
