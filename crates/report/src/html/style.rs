//! Colours and type of the page. Text colours reach WCAG AA on their grounds in both themes; a test computes it.

use std::fmt::Write;

/// One colour: its name in the style sheet, light, dark.
type Colour = (&'static str, &'static str, &'static str);

const COLOURS: &[Colour] = &[
    ("paper", "#faf9f6", "#15181b"),
    ("card", "#ffffff", "#1c2024"),
    ("ink", "#1d2226", "#e6e8e8"),
    ("soft", "#59626a", "#a3adb4"),
    ("line", "#e2dfd7", "#31373d"),
    ("accent", "#0d5f66", "#74c4c7"),
    ("warn", "#8a5200", "#e3b062"),
    ("bad", "#a2331f", "#f19a85"),
    ("good", "#2b6a3f", "#8ecb9c"),
    ("c1", "#0d5f66", "#74c4c7"),
    ("c2", "#3f8288", "#57a3a8"),
    ("c3", "#b07a2c", "#c99a52"),
    ("c4", "#a2685b", "#bf8678"),
    ("c0", "#7d8791", "#7a858f"),
    ("tint", "#eef3f2", "#20292c"),
];

/// The whole style sheet.
pub fn sheet() -> String {
    let theme = |pick: fn(&Colour) -> &'static str| {
        COLOURS.iter().fold(String::new(), |mut out, colour| {
            let _ = write!(out, "--{}:{};", colour.0, pick(colour));
            out
        })
    };
    let (light, dark) = (theme(|c| c.1), theme(|c| c.2));
    format!(
        ":root{{color-scheme:light dark;{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{}",
        include_str!("page.css")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(hex: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_charts_stand_out_in_both_themes() {
        let colour = |name: &str| COLOURS.iter().find(|c| c.0 == name).unwrap();
        for ground in ["paper", "card", "tint"] {
            for (pick, theme) in [((|c| c.1) as fn(&Colour) -> &'static str, "light"), (|c| c.2, "dark")] {
                for text in ["ink", "soft", "accent", "warn", "bad", "good"] {
                    let is = contrast(pick(colour(text)), pick(colour(ground)));
                    assert!(is >= 4.5, "{text} on {ground}, {theme}: {is:.2}");
                }
                for mark in ["c0", "c1", "c2", "c3", "c4"] {
                    let is = contrast(pick(colour(mark)), pick(colour(ground)));
                    assert!(is >= 3.0, "{mark} on {ground}, {theme}: {is:.2}");
                }
            }
        }
    }
}
