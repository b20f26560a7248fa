//! Tables in Markdown (pipes, GitHub's table extension) that are lists of parts. There may be several in one text.

use umbilical_core::{At, Observations};

use super::super::fold;
use super::{Parts, nothing_found, recognise_list, sniff as sniff_rows};
use crate::{Context, Purpose};

/// How many rows of a table are looked at before its columns are decided.
const SAMPLE: usize = 200;

/// The cells of a row; a pipe behind a backslash or between backticks is text.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut out = vec![String::new()];
    let (mut escaped, mut code) = (false, false);
    for c in line.chars() {
        match c {
            '|' if !escaped && !code => {
                if out.len() >= 256 {
                    break;
                }
                out.push(String::new());
                continue;
            }
            '`' if !escaped => code = !code,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        if let Some(cell) = out.last_mut() {
            cell.push(c);
        }
    }
    // A backtick that is never closed quotes nothing.
    if code {
        out = line.split('|').take(256).map(str::to_owned).collect();
    }
    if out.len() > 1 && out.last().is_some_and(|c| c.trim().is_empty()) {
        out.pop();
    }
    out
}

/// The rule between the heads and the rows: `|---|:--:|`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains('|')
        && line.contains('-')
        && line.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' ' | b'\t'))
        && line
            .split('|')
            .filter(|c| !c.trim().is_empty())
            .all(|c| c.trim().trim_matches(':').bytes().all(|b| b == b'-') && c.contains('-'))
}

/// Each table: the index of the line of its heads and the one behind its last row.
fn tables<'t>(lines: &'t [&'t str]) -> impl Iterator<Item = (usize, usize)> + 't {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        loop {
            let rule = lines.iter().skip(at).position(|l| is_rule(l))?.saturating_add(at);
            at = rule.saturating_add(1);
            let Some(head) = rule.checked_sub(1).filter(|h| lines.get(*h).is_some_and(|l| l.contains('|'))) else { continue };
            let rows = lines.iter().skip(at).take_while(|l| l.contains('|')).count();
            at = at.saturating_add(rows);
            return Some((head, at));
        }
    })
}

fn rows(lines: &[&str], head: usize, end: usize) -> Vec<Vec<String>> {
    let all = lines.get(head..end).unwrap_or_default();
    all.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, l)| cells(l)).take(SAMPLE).collect()
}

/// How sure the text is Markdown with a list of parts: 95 = beyond doubt, 16 = if the user says so.
pub(crate) fn sniff(text: &str) -> u8 {
    if !text.contains('|') || !text.contains("--") {
        return 0;
    }
    let lines: Vec<&str> = text.lines().collect();
    let best = tables(&lines)
        .take(200)
        .map(|(head, end)| {
            let rows = rows(&lines, head, end);
            let one = || rows.first().is_some_and(|r| r.iter().any(|h| super::heads::meaning(h).is_some()));
            sniff_rows(rows.get(..1).unwrap_or_default()).max(sniff_rows(&rows)).max(u8::from(one()))
        })
        .max()
        .unwrap_or(0);
    match best {
        2 => 95,
        1 => 16,
        _ => 0,
    }
}

/// Reads the tables that are lists of parts, and gives the text back with blank lines in their places.
pub(crate) fn read(text: String, cx: &Context<'_>, out: &mut Observations) -> String {
    if !text.contains('|') {
        return text;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut missed: Option<(usize, Vec<String>)> = None;
    for (head, end) in tables(&lines) {
        let sample = rows(&lines, head, end);
        // What a heading says, it says of the tables below it: a history of changes has parts' words too.
        let Some(mut layout) = recognise_list(&sample, cx).filter(|l| l.header == Some(0)) else {
            missed.get_or_insert((head, sample.into_iter().next().unwrap_or_default()));
            continue;
        };
        for head in &mut layout.heads {
            *head = super::cells::markdown(head.trim()).into_owned();
        }
        let mut parts = Parts::new(layout, &[], true, out);
        let section =
            lines.get(..head).unwrap_or_default().iter().rev().take(400).find(|l| l.starts_with('#')).map(|l| l.trim_matches(['#', ' ']));
        if let Some(section) = section.filter(|s| !s.is_empty() && !fold(s).is_empty()) {
            super::said("section", section, out);
        }
        for (i, line) in lines.iter().enumerate().take(end).skip(head.saturating_add(2)) {
            let row = cells(line);
            let at = At::line(u32::try_from(i).unwrap_or(u32::MAX).saturating_add(1));
            parts.row(at, row.len(), |c| row.get(c).map_or("", String::as_str), out);
        }
        parts.finish(out);
        taken.push((head, end));
    }
    if let (true, Some((head, heads)), Purpose::Bom) = (taken.is_empty(), missed, cx.purpose) {
        nothing_found(At::line(u32::try_from(head).unwrap_or(0).saturating_add(1)), &heads, out);
    }
    if taken.is_empty() {
        return text;
    }
    let mut rest = String::with_capacity(text.len());
    let mut ranges = taken.into_iter().peekable();
    for (i, line) in lines.iter().enumerate() {
        while ranges.next_if(|(_, end)| *end <= i).is_some() {}
        if ranges.peek().is_none_or(|(head, _)| i < *head) {
            rest.push_str(line);
        }
        rest.push('\n');
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_in_a_text() {
        assert_eq!(cells("| a | b \\| c | `x|y` |"), [" a ", " b \\| c ", " `x|y` "]);
        assert_eq!(cells("a | b |"), ["a ", " b "]);
        let lines = ["text", "Part | Qty", "--- | ---", "BC66 | 1", "", "| x | y |", "|:-:|--|", "| 1 | 2 |"];
        assert_eq!(tables(&lines).collect::<Vec<_>>(), [(1, 4), (5, 8)]);
        assert_eq!(sniff("| Designator | Value | Qty |\n|---|---|---|\n| U1 | BC66 | 1 |\n"), 95);
        assert_eq!(sniff("| Name | IMEI |\n|---|---|\n| a | 490154203237518 |\n"), 16);
        assert_eq!(sniff("a | b\nc | d\n"), 0);
    }
}
