//! Generated grids: does each detector find every shape that it must, and nothing in what only looks like it?
//!
//! The cases are those of `umbilical_synth::grid`, the same each time; nothing outside of the project is needed. Each is written as a
//! capture and read by the binary, as anybody would. What each kind must come to is a row of [`KINDS`].

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use umbilical_synth::grid::{self, Case};
use umbilical_synth::scene;

use super::beacon::{self, Compared, Scores};
use super::detect::{Finding, Share, Watched};
use super::{Bar, Miss};
use crate::answer;

/// All cases follow from it.
const SEED: u64 = 26;
/// Microseconds.
const DAY: i64 = 86_400_000_000;
/// Clocks, which RITA's formula is compared on.
const CLOCK: &str = "beacon";

/// What a kind of cases must come to.
struct Kind {
    name: &'static str,
    /// What its detectors say; in a case without truth none of them may.
    codes: &'static [&'static str],
    /// The share that must be found at least.
    recall: f64,
    /// Cases without truth in which something is said, at most; `None`: no bar of its own.
    alarmed: Option<usize>,
    /// As bad as this it must be told.
    severity: Option<&'static str>,
}

const fn kind(name: &'static str, codes: &'static [&'static str]) -> Kind {
    Kind { name, codes, recall: 1.0, alarmed: Some(0), severity: None }
}

const KINDS: &[Kind] = &[
    // What comes by chance looks like a clock now and then: at most one of twenty, and fewer than RITA's formula (see `beacon`).
    Kind { recall: 0.95, alarmed: Some(16), ..kind("beacon", &[CLOCK]) },
    Kind { recall: 0.80, ..kind("beacon, ragged", &[CLOCK]) },
    Kind { recall: 0.80, ..kind("beacon, worst", &[CLOCK]) },
    kind("dns-tunnel", &["dns-tunnel"]),
    kind("scan", &["scan"]),
    kind("flood", &["ddos-source", "reflection"]),
    kind("mining", &["mining"]),
    kind("icmp-tunnel", &["icmp-tunnel"]),
    // By HTTP it comes in clear text, which is one severity; out of a window it is the next.
    Kind { severity: Some("medium"), ..kind("fota in its window", &["fota"]) },
    Kind { severity: Some("high"), ..kind("fota outside of it", &["fota"]) },
    // Without truth as long as no detector is for it: only counted.
    Kind { alarmed: None, ..kind("upload", &["exfil"]) },
];

/// What one kind came to.
#[derive(Debug, Default, PartialEq, Serialize)]
struct Line {
    kind: &'static str,
    to_find: usize,
    found: usize,
    /// Cases without truth, and those in which something is said.
    negatives: usize,
    alarmed: usize,
    recall: Option<Share>,
    precision: Option<Share>,
}

/// What was measured.
#[derive(Default, Serialize)]
pub struct Measured {
    cases: usize,
    unread: usize,
    seconds: f64,
    kinds: Vec<Line>,
    beacon: Vec<Compared>,
    misses: Vec<Miss>,
}

/// Runs `watch` over each case; those without truth, and clocks, a second time as RITA scores them. `captures` are scores of harmless
/// captures, if there are any.
pub fn measure(binary: &Path, scratch: &Path, captures: &[Scores]) -> Result<Measured, String> {
    let begun = Instant::now();
    let folder = scratch.join("grid");
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    let expected = folder.join("expected.toml");
    fs::write(&expected, format!("[[window]]\nfrom = \"{}\"\nuntil = \"{}\"\n", grid::WINDOW.0, grid::WINDOW.1)).map_err(failed)?;
    let command =
        ["watch", "--no-save", "--threads", "1", "--expect", expected.to_str().ok_or("the target folder has no name in Unicode")?];
    let mut out = Measured::default();
    let (mut clocks, mut others) = (Vec::new(), Vec::new());
    for kind in KINDS {
        // One kind at a time: a flood is large.
        let cases: Vec<(usize, Case)> = grid::cases(kind.name, SEED).into_iter().enumerate().collect();
        let answers = answer::each(&cases, |(n, case)| {
            let path = folder.join(format!("{n}.pcap"));
            let answer = one(binary, &command, case, &path, scratch);
            let _ = fs::remove_file(&path);
            answer
        });
        let mut seen = Vec::new();
        for ((_, case), answer) in cases.iter().zip(&answers) {
            match answer {
                Ok((watched, scores)) => {
                    seen.push((case, watched));
                    match (case.truth, scores) {
                        (Some(CLOCK), Some(scores)) => clocks.push((*scores, span(case))),
                        (None, Some(scores)) => others.push(*scores),
                        _ => {}
                    }
                }
                Err(why) => {
                    out.unread += 1;
                    out.misses.push(miss(case, "not read", why.clone()));
                }
            }
        }
        out.cases += cases.len();
        out.kinds.push(judge(kind, &seen, &mut out.misses));
    }
    let of = |most: i64| clocks.iter().filter(|(_, span)| *span <= most).map(|(scores, _)| *scores).collect::<Vec<_>>();
    // RITA looks at the last day alone, in which the slowest beat four times.
    out.beacon = [("all clocks", i64::MAX), ("clocks of two days at most", 2 * DAY)]
        .map(|(which, most)| Compared::new(which, &of(most), &others, captures))
        .into();
    out.seconds = begun.elapsed().as_secs_f64();
    Ok(out)
}

/// What is said of a case; where it counts, with its scores.
fn one(binary: &Path, command: &[&str], case: &Case, path: &PathBuf, scratch: &Path) -> Result<(Watched, Option<Scores>), String> {
    fs::write(path, scene::pcap(&case.talks)).map_err(|e| format!("{}: {e}", path.display()))?;
    let watched: Watched = answer::document(binary, command, std::slice::from_ref(path), scratch)?;
    let scores = match case.truth {
        None | Some(CLOCK) => Some(Scores::of(&watched, &beacon::as_rita(binary, path, scratch)?)),
        Some(_) => None,
    };
    Ok((watched, scores))
}

/// From a case's first packet to its last, in microseconds.
fn span(case: &Case) -> i64 {
    let first = case.talks.iter().map(|t| t.start()).min().unwrap_or_default();
    case.talks.iter().map(|t| t.end()).max().unwrap_or_default() - first
}

fn miss(case: &Case, what: &str, answer: String) -> Miss {
    let truth = case.truth.unwrap_or("nothing").to_owned();
    Miss { file: format!("{}: {}", case.kind, case.name), truth, answer, what: what.to_owned() }
}

/// What a kind came to in what was seen.
fn judge(kind: &Kind, seen: &[(&Case, &Watched)], misses: &mut Vec<Miss>) -> Line {
    let mut line = Line { kind: kind.name, ..Line::default() };
    for (case, watched) in seen {
        let said: Vec<&Finding> = watched.findings.iter().filter(|f| kind.codes.contains(&&*f.code)).collect();
        let words = || said.iter().map(|f| format!("{} ({})", f.because.join("; "), f.severity)).collect::<Vec<_>>().join(" | ");
        match case.truth {
            Some(code) => {
                let right = |f: &&&Finding| f.code == code && kind.severity.is_none_or(|wanted| f.severity == wanted);
                line.to_find += 1;
                line.found += usize::from(said.iter().any(|f| right(&f)));
                if !said.iter().any(|f| right(&f)) {
                    misses.push(miss(case, "not found", words()));
                }
            }
            None => {
                line.negatives += 1;
                line.alarmed += usize::from(!said.is_empty());
                if !said.is_empty() {
                    misses.push(miss(case, "found where nothing is", words()));
                }
            }
        }
    }
    line.recall = Share::of(line.found, line.to_find);
    line.precision = Share::of(line.found, line.found + line.alarmed);
    line
}

impl Measured {
    /// What each kind must come to.
    pub fn bars(&self) -> Vec<Bar> {
        let mut out = vec![super::count("grids: cases that are not read", self.unread, 0)];
        for (line, kind) in self.kinds.iter().filter_map(|line| Some((line, KINDS.iter().find(|k| k.name == line.kind)?))) {
            if let Some(recall) = line.recall {
                out.push(Bar {
                    what: format!("grid {}: recall", kind.name),
                    measured: format!("{:.3}", recall.is),
                    wanted: format!("at least {:.2}", kind.recall),
                    pass: recall.is >= kind.recall,
                });
            }
            if let Some(most) = kind.alarmed {
                out.push(Bar {
                    what: format!("grid {}: cases without it that are alerted of", kind.name),
                    measured: format!("{} of {}", line.alarmed, line.negatives),
                    wanted: format!("at most {most}"),
                    pass: line.alarmed <= most,
                });
            }
        }
        out.extend(self.beacon.iter().flat_map(Compared::bars));
        out
    }

    /// Prints what was measured.
    pub fn print(&self, misses: bool) {
        println!(
            "{:<26}{:>8}{:>7}{:>8}{:>10}{:>9}  {:<20}  {:<20}",
            "grid", "to find", "found", "missed", "negatives", "alerted", "recall (95 %)", "precision (95 %)"
        );
        for line in &self.kinds {
            println!(
                "{:<26}{:>8}{:>7}{:>8}{:>10}{:>9}  {:<20}  {:<20}",
                line.kind,
                line.to_find,
                line.found,
                line.to_find - line.found,
                line.negatives,
                line.alarmed,
                Share::words(line.recall),
                Share::words(line.precision)
            );
        }
        println!("grids: {} cases, {} not read, {:.0} s", self.cases, self.unread, self.seconds);
        self.beacon.iter().for_each(Compared::print);
        for miss in self.misses.iter().filter(|_| misses) {
            println!("  {}: {} ({}) ← {}", miss.file, miss.what, miss.truth, miss.answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn watched(code: &str, severity: &str) -> Watched {
        let text = format!(
            r#"{{"findings":[{{"code":"{code}","source":"detector","severity":"{severity}","first":null,"because":["x"],"detail":{{}}}}],"detectors":[]}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_kind_has_its_bar() {
        let wanted: BTreeSet<&str> = grid::kinds().collect();
        assert_eq!(KINDS.iter().map(|k| k.name).collect::<BTreeSet<_>>(), wanted);
    }

    #[test]
    fn what_is_found_is_judged_by_truth() {
        let case = |truth| Case { kind: "a", name: "n".into(), truth, talks: Vec::new() };
        let (there, absent) = (case(Some("mining")), case(None));
        let kind = Kind { severity: Some("high"), ..kind("a", &["mining", "fota"]) };
        let (right, mild, other, foreign) =
            (watched("mining", "high"), watched("mining", "low"), watched("fota", "high"), watched("scan", "high"));
        let seen = [(&there, &right), (&there, &mild), (&there, &other), (&there, &foreign), (&absent, &other), (&absent, &foreign)];
        let mut misses = Vec::new();
        let line = judge(&kind, &seen, &mut misses);
        let wanted =
            Line { kind: "a", to_find: 4, found: 1, negatives: 2, alarmed: 1, recall: Share::of(1, 4), precision: Share::of(1, 2) };
        assert_eq!(line, wanted);
        assert_eq!(misses.iter().map(|m| &*m.what).collect::<Vec<_>>(), ["not found", "not found", "not found", "found where nothing is"]);
    }

    #[test]
    fn a_kind_under_its_bar_fails() {
        let line = |kind: &'static str, found, alarmed| Line {
            kind,
            to_find: 10,
            found,
            negatives: 10,
            alarmed,
            recall: Share::of(found, 10),
            ..Line::default()
        };
        let failing = |line: Line| {
            let measured = Measured { kinds: vec![line], ..Measured::default() };
            measured.bars().into_iter().filter(|b| !b.pass).map(|b| b.what).collect::<Vec<_>>()
        };
        assert_eq!(failing(line("beacon, worst", 8, 0)), Vec::<String>::new());
        assert_eq!(
            failing(line("beacon, worst", 7, 1)),
            ["grid beacon, worst: recall", "grid beacon, worst: cases without it that are alerted of"]
        );
        assert_eq!(failing(line("beacon", 9, 1)), ["grid beacon: recall"]);
        assert_eq!(failing(line("beacon", 10, 17)), ["grid beacon: cases without it that are alerted of"]);
    }
}
