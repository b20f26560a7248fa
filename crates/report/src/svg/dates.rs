//! Dated events in lanes: what was, and what is to come.

use std::fmt::Write;

use umbilical_core::Day;
use umbilical_core::text::short;

use crate::markup::Esc;

const WIDTH: f64 = 1080.0;
/// Room for the names of lanes.
const LEFT: f64 = 190.0;
const LANE: f64 = 20.0;
const ABOVE: f64 = 26.0;
/// Lanes drawn; the table beside the picture has all.
const LANES: usize = 60;
/// The past that is drawn, in days.
const PAST: i64 = 5 * 366;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// A day, a month or a year: `2027-01-17`, `2027-01`, `2027`.
    pub on: String,
    /// The lane.
    pub lane: String,
    /// What.
    pub what: String,
}

/// The first day of what may be known to the month or the year alone.
fn first(on: &str) -> Option<Day> {
    let whole = match on.len() {
        4 => format!("{on}-01-01"),
        7 => format!("{on}-01"),
        _ => on.to_owned(),
    };
    whole.parse().ok()
}

/// Draws events of the last five years and of all that is to come, lane by lane in the order of their names; `None` where there is
/// none. A dot is a day: filled when it has come, a ring before.
pub fn dates(id: &str, title: &str, marks: &[Dated], today: Day) -> Option<String> {
    let all: Vec<(Day, &Dated)> =
        marks.iter().filter_map(|m| Some((first(&m.on)?, m))).filter(|(d, _)| d.days_since(today) >= -PAST).collect();
    let mut lanes: Vec<&str> = all.iter().map(|(_, m)| m.lane.as_str()).collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes.truncate(LANES);
    let (from, to) = (all.iter().map(|a| a.0).min()?.min(today), all.iter().map(|a| a.0).max()?.max(today));
    let from = Day { year: from.year, month: 1, day: 1 };
    let to = Day { year: to.year + 1, month: 1, day: 1 };
    let days = to.days_since(from).max(1) as f64;
    let x = |day: Day| LEFT + (WIDTH - LEFT - 10.0) * day.days_since(from) as f64 / days;
    let height = ABOVE + LANE * lanes.len() as f64 + 8.0;
    let coming: Vec<String> = all.iter().filter(|(d, _)| *d > today).map(|(_, m)| format!("{}: {}", m.on, short(&m.what, 90))).collect();
    let said = format!(
        "{} events in {} packs; to come: {}",
        all.len(),
        lanes.len(),
        if coming.is_empty() { "none".to_owned() } else { coming.join("; ") }
    );
    let mut out =
        super::open(id, &format!("viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\""), title, &short(&said, 4_000));
    // Writing to a string does not fail.
    for year in from.year..=to.year {
        let at = x(Day { year, month: 1, day: 1 });
        let _ = write!(out, "<line class=\"rule\" x1=\"{at:.1}\" y1=\"18\" x2=\"{at:.1}\" y2=\"{height}\"/>");
        if year < to.year {
            let _ = write!(out, "<text class=\"n\" x=\"{:.1}\" y=\"13\">{year}</text>", at + 3.0);
        }
    }
    for (n, lane) in lanes.iter().enumerate() {
        let y = ABOVE + LANE * n as f64 + LANE / 2.0;
        let _ = write!(out, "<line class=\"rule\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\"/>");
        let _ = write!(out, "<text x=\"0\" y=\"{:.1}\">{}</text>", y + 4.0, Esc(&short(lane, 26)));
        for (day, mark) in all.iter().filter(|(_, m)| m.lane == *lane) {
            let class = if *day > today { "to-come" } else { "c1" };
            let _ = write!(
                out,
                "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{y}\" r=\"5\"><title>{}: {}</title></circle>",
                x(*day),
                Esc(&mark.on),
                Esc(&short(&mark.what, 120))
            );
        }
    }
    let now = x(today);
    let _ = write!(out, "<line class=\"now\" x1=\"{now:.1}\" y1=\"18\" x2=\"{now:.1}\" y2=\"{height}\"/></svg>");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(on: &str, lane: &str, what: &str) -> Dated {
        Dated { on: on.into(), lane: lane.into(), what: what.into() }
    }

    #[test]
    fn what_is_to_come_is_a_ring_and_said_in_words() {
        let today: Day = "2026-11-29".parse().unwrap();
        let marks = [mark("2025-01-07", "a", "named"), mark("2027", "a", "begins <soon>"), mark("1999-01-01", "b", "long ago")];
        let svg = dates("t", "Dates", &marks, today).unwrap();
        assert_eq!((svg.matches("class=\"c1\"").count(), svg.matches("class=\"to-come\"").count()), (1, 1), "{svg}");
        assert!(svg.contains("2 events in 1 packs; to come: 2027: begins &lt;soon&gt;") && !svg.contains("long ago"), "{svg}");
        assert!(svg.contains("class=\"now\"") && svg.ends_with("</svg>"));
    }

    #[test]
    fn nothing_to_draw_is_no_picture() {
        let today: Day = "2026-11-29".parse().unwrap();
        assert_eq!(dates("t", "Dates", &[], today), None);
        assert_eq!(dates("t", "Dates", &[mark("soon", "a", "x")], today), None);
    }
}
