//! Detectors: does each find what the index says is there, and nothing in harmless captures?
//!
//! Truth is the index of `DIR/traffic/`: a topic of each capture, with a label. What a detector must find is a row of [`EXPECTED`].
//! Captures whose topic is neither its own nor harmless count for nothing: whoever floods an address may well have looked for it.
//! The same captures as another program told of them (EVE with `pcap_filename`) are held to the same truth. Folders of logs have none,
//! and are only counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::beacon::{self, Scores};
use super::{Bar, Miss, rows};
use crate::answer;

/// What a detector must find. To measure another is to add one.
struct Expected {
    /// Its code; of several any will do.
    codes: &'static [&'static str],
    /// Captures in which it must find something: their topic, and a word of label or source.
    find: &'static [(&'static str, &'static str)],
    /// Captures in which it must find nothing, beside the harmless ones.
    spare: &'static [(&'static str, &'static str)],
    /// The share that must be found at least.
    recall: f64,
    /// The share of those found that must be right at least.
    precision: f64,
    /// Seconds of the trace after which it must have been said, from the first that is told of.
    within: Option<f64>,
}

/// Every capture of a topic.
const ANY: &str = "";
/// Every topic.
const ALL: &str = "*";
/// Nothing to be found, and nothing said of what is harmless.
const QUIET: Expected = Expected { codes: &[], find: &[], spare: &[], recall: 1.0, precision: 1.0, within: None };

const EXPECTED: &[Expected] = &[
    Expected { codes: &["scan"], find: &[("scan", "malicious"), ("c2_malware", "test7")], within: Some(60.0), ..QUIET },
    Expected { codes: &["brute-force"], ..QUIET },
    // Retries of connections that nobody answers are no beacon.
    Expected { codes: &["beacon"], find: &[("c2_malware", "test-cc")], spare: &[("c2_malware", "test7")], ..QUIET },
    Expected { codes: &["dns-tunnel"], find: &[("dns_tunnel", ANY)], precision: 0.95, within: Some(600.0), ..QUIET },
    Expected { codes: &["dga"], ..QUIET },
    Expected { codes: &["icmp-tunnel"], find: &[("icmp_tunnel", ANY)], ..QUIET },
    Expected { codes: &["ntp-tunnel"], ..QUIET },
    Expected { codes: &["ddos-source", "reflection"], find: &[("ddos", ANY)], within: Some(5.0), ..QUIET },
    Expected { codes: &["spoofed-source"], ..QUIET },
    Expected { codes: &["strobe"], ..QUIET },
    Expected { codes: &["mining"], find: &[("mining", ANY)], spare: &[(ALL, ANY)], ..QUIET },
    // A device that says who or where it is may stand in any capture; none of these does.
    Expected { codes: &["cleartext-identity"], ..QUIET },
    Expected { codes: &["exfil"], ..QUIET },
    // Downloads of programs are none.
    Expected { codes: &["fota"], ..QUIET },
    Expected { codes: &["proxy"], find: &[("proxy_tunnel", ANY)], recall: 0.8, precision: 0.95, ..QUIET },
    // What is known of them is in lists that their users have.
    Expected { codes: &["indicator"], find: &[("c2_malware", "trickbot"), ("c2_malware", "sha1")], recall: 0.0, ..QUIET },
];

/// Topics of which nothing is to be said; of the others, a label that begins so.
const HARMLESS: &[&str] = &["iot_benign", "iot_sentinel", "enterprise_benign", "dns_benign", "protocol_misc", "proxy_tunnel"];
const HARMLESS_LABEL: &str = "benign";
/// Topics of folders of logs, and of what is no input of `watch`.
const LOGS: &[&str] = &["logs_zeek", "logs_rita", "logs_flow"];
const TOLD: &str = "logs_eve";
const OTHERS: &[&str] = &["flow_export", "c2_letters"];

#[derive(Clone, Deserialize)]
struct Row {
    file: String,
    topic: String,
    label: String,
    source: String,
}

impl Row {
    fn is(&self, picks: &[(&str, &str)]) -> bool {
        let has = |word: &str| self.label.contains(word) || self.source.contains(word);
        picks.iter().any(|(topic, word)| (*topic == ALL || *topic == self.topic) && has(word))
    }

    fn is_harmless(&self) -> bool {
        HARMLESS.contains(&&*self.topic) || self.label.starts_with(HARMLESS_LABEL)
    }
}

/// The document, as far as it is used here.
#[derive(Default, Deserialize)]
pub(super) struct Watched {
    pub findings: Vec<Finding>,
    detectors: Vec<Detector>,
}

#[derive(Deserialize)]
pub(super) struct Finding {
    pub code: String,
    source: String,
    pub severity: String,
    first: Option<String>,
    pub because: Vec<String>,
    pub detail: serde_json::Value,
}

impl Finding {
    /// Seconds from the first that it tells of until it could be said.
    fn after(&self) -> Option<f64> {
        let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
        Some((time(self.detail.get("at")?.as_str()?)? - time(self.first.as_deref()?)?).num_milliseconds() as f64 / 1000.0)
    }
}

#[derive(Deserialize)]
struct Detector {
    code: String,
    state: String,
}

/// What one detector came to.
#[derive(Default, Serialize)]
struct Line {
    codes: String,
    to_find: usize,
    found: usize,
    not_evaluable: usize,
    harmless: usize,
    alarmed: usize,
    recall: Option<Share>,
    precision: Option<Share>,
    slowest: Option<f64>,
}

/// A share, and the bounds between which it lies with a chance of 95 % (Wilson 1927).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Share {
    pub is: f64,
    low: f64,
    high: f64,
}

impl Share {
    pub fn of(part: usize, whole: usize) -> Option<Self> {
        const Z: f64 = 1.959_963_984_540_054;
        if whole == 0 {
            return None;
        }
        let (n, is) = (whole as f64, part as f64 / whole as f64);
        let middle = is + Z * Z / (2.0 * n);
        let reach = Z * (is * (1.0 - is) / n + Z * Z / (4.0 * n * n)).sqrt();
        let all = 1.0 + Z * Z / n;
        Some(Self { is, low: ((middle - reach) / all).max(0.0), high: ((middle + reach) / all).min(1.0) })
    }

    pub fn words(this: Option<Self>) -> String {
        this.map_or_else(|| "–".into(), |s| format!("{:.3} ({:.2}–{:.2})", s.is, s.low, s.high))
    }
}

/// What was measured.
#[derive(Default, Serialize)]
pub struct Measured {
    captures: usize,
    unread: usize,
    detectors: Vec<Line>,
    /// The same captures as another program told of them.
    told: Vec<Line>,
    /// Findings in folders of logs, by code, and folders.
    logs: BTreeMap<String, usize>,
    folders: usize,
    /// Detectors for which the index has no truth: harmless captures in which they found something.
    untried: BTreeMap<String, usize>,
    /// Of harmless captures, for who compares.
    #[serde(skip)]
    pub scores: Vec<Scores>,
    misses: Vec<Miss>,
}

/// Runs `watch` over each capture and each folder of logs.
pub fn measure(dir: &Path, binary: &Path, scratch: &Path) -> Result<Measured, String> {
    let dir = dir.join("traffic");
    let index = dir.join("index.csv");
    if !index.is_file() {
        return Ok(Measured::default());
    }
    let rows: Vec<Row> = rows(&index)?;
    let watch = |paths: &Vec<PathBuf>| answer::document::<Watched>(binary, &["watch", "--no-save"], paths, scratch);
    let one = |row: &Row| vec![dir.join(&row.file)];
    let apart = |row: &&Row| !LOGS.contains(&&*row.topic) && !OTHERS.contains(&&*row.topic) && row.topic != TOLD;
    let captures: Vec<Row> = rows.iter().filter(apart).cloned().collect();
    let answers = answer::each(&captures.iter().map(one).collect::<Vec<_>>(), watch);

    let mut out = Measured { captures: captures.len(), ..Measured::default() };
    let mut there: BTreeSet<String> = BTreeSet::new();
    for (row, answer) in captures.iter().zip(&answers) {
        match answer {
            Ok(watched) => there.extend(watched.detectors.iter().map(|d| d.code.clone())),
            Err(why) => {
                out.unread += 1;
                out.misses.push(Miss { file: row.file.clone(), truth: row.label.clone(), answer: why.clone(), what: "not read".into() });
            }
        }
    }
    let expected: Vec<&Expected> = EXPECTED.iter().filter(|e| e.codes.iter().any(|c| there.contains(*c))).collect();
    let seen: Vec<(&Row, &Watched)> = captures.iter().zip(&answers).filter_map(|(row, a)| Some((row, a.as_ref().ok()?))).collect();
    out.detectors = expected.iter().map(|e| line(e, &seen, "", &mut out.misses)).collect();
    for code in there.iter().filter(|code| !expected.iter().any(|e| e.codes.contains(&&***code))) {
        let alarmed = seen.iter().filter(|(row, w)| row.is_harmless() && w.findings.iter().any(|f| f.code == *code)).count();
        out.untried.insert(code.clone(), alarmed);
    }

    let harmless: Vec<(PathBuf, &Watched)> =
        seen.iter().filter(|(row, _)| row.is_harmless()).map(|(r, w)| (dir.join(&r.file), *w)).collect();
    let scores = answer::each(&harmless, |(path, ours)| Ok(Scores::of(ours, &beacon::as_rita(binary, path, scratch)?)));
    out.scores = scores.into_iter().collect::<Result<_, String>>()?;

    let told: Vec<&Row> = rows.iter().filter(|row| row.topic == TOLD).collect();
    let parts = told.into_iter().map(|row| parts(&dir.join(&row.file), &rows, scratch)).collect::<Result<Vec<_>, _>>()?;
    let (whose, paths): (Vec<Row>, Vec<Vec<PathBuf>>) = parts.into_iter().flatten().map(|(row, path)| (row, vec![path])).unzip();
    let answers = answer::each(&paths, watch);
    let seen: Vec<(&Row, &Watched)> = whose.iter().zip(&answers).filter_map(|(row, a)| Some((row, a.as_ref().ok()?))).collect();
    out.told = expected.iter().map(|e| line(e, &seen, " as it was told", &mut out.misses)).collect();

    let mut folders: BTreeMap<(&str, &str), Vec<PathBuf>> = BTreeMap::new();
    for row in rows.iter().filter(|row| LOGS.contains(&&*row.topic)) {
        let folder = row.source.rsplit_once('/').map_or("", |(folder, _)| folder);
        folders.entry((&row.topic, folder)).or_default().extend(one(row));
    }
    let answers = answer::each(&folders.into_values().collect::<Vec<_>>(), watch);
    for watched in answers.iter().flatten() {
        out.folders += 1;
        for finding in watched.findings.iter().filter(|f| f.source == "detector") {
            *out.logs.entry(finding.code.clone()).or_default() += 1;
        }
    }
    Ok(out)
}

/// What a detector came to in what was seen.
fn line(expected: &Expected, seen: &[(&Row, &Watched)], how: &str, misses: &mut Vec<Miss>) -> Line {
    let mut line = Line { codes: expected.codes.join(" or "), ..Line::default() };
    for (row, watched) in seen {
        let found: Vec<&Finding> = watched.findings.iter().filter(|f| expected.codes.contains(&&*f.code)).collect();
        let mut miss = |what: &str| {
            misses.push(Miss {
                file: format!("{}{how}", row.file),
                truth: row.label.clone(),
                answer: found.iter().flat_map(|f| f.because.first()).map(String::as_str).collect::<Vec<_>>().join("; "),
                what: format!("{}: {what}", line.codes),
            });
        };
        if row.is(expected.find) {
            line.to_find += 1;
            let states = watched.detectors.iter().filter(|d| expected.codes.contains(&&*d.code));
            let blind = states.clone().next().is_some() && states.clone().all(|d| d.state != "evaluated");
            if found.is_empty() {
                line.not_evaluable += usize::from(blind);
                miss(if blind { "not evaluable" } else { "not found" });
            } else {
                line.found += 1;
                // The first of several is when it was said.
                let after = found.iter().filter_map(|f| f.after()).min_by(f64::total_cmp);
                line.slowest = [line.slowest, after].into_iter().flatten().max_by(f64::total_cmp);
            }
        } else if row.is_harmless() || row.is(expected.spare) {
            line.harmless += 1;
            line.alarmed += usize::from(!found.is_empty());
            if !found.is_empty() {
                miss("found where nothing is");
            }
        }
    }
    line.recall = Share::of(line.found, line.to_find - line.not_evaluable);
    line.precision = Share::of(line.found, line.found + line.alarmed);
    line
}

/// The lines of a log by the capture that each was made of, as far as the index knows it.
fn parts(path: &Path, rows: &[Row], scratch: &Path) -> Result<Vec<(Row, PathBuf)>, String> {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow)]
        pcap_filename: Option<&'a str>,
    }
    let folder = scratch.join("told");
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(failed)?;
    let mut unpack = Command::new("gzip").args(["-dcf", "--"]).arg(path).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut out: HashMap<String, (Row, PathBuf, BufWriter<File>)> = HashMap::new();
    for text in BufReader::new(unpack.stdout.take().ok_or("gzip has no output")?).lines() {
        let text = text.map_err(failed)?;
        let Some(name) = serde_json::from_str::<Told<'_>>(&text).ok().and_then(|t| t.pcap_filename.map(str::to_owned)) else { continue };
        let Some(row) = rows.iter().find(|r| r.file == name) else { continue };
        if !out.contains_key(&name) {
            let part = folder.join(format!("{}.json", out.len()));
            out.insert(name.clone(), (row.clone(), part.clone(), BufWriter::new(File::create(&part).map_err(failed)?)));
        }
        if let Some((_, _, file)) = out.get_mut(&name) {
            writeln!(file, "{text}").map_err(failed)?;
        }
    }
    unpack.wait().map_err(failed)?;
    let mut parts = Vec::new();
    for (row, path, mut file) in out.into_values() {
        file.flush().map_err(failed)?;
        parts.push((row, path));
    }
    parts.sort_by(|a, b| a.0.file.cmp(&b.0.file));
    Ok(parts)
}

impl Measured {
    /// The bars of the detectors that there are.
    pub fn bars(&self) -> Vec<Bar> {
        if self.captures == 0 {
            return Vec::new();
        }
        let mut out = vec![super::count("detectors: captures that are not read".to_owned(), self.unread, 0)];
        let of = |line: &Line| EXPECTED.iter().find(|e| e.codes.join(" or ") == line.codes);
        for (line, e) in self.detectors.iter().filter_map(|line| Some((line, of(line)?))) {
            // What cannot be judged of packets is not found.
            let recall = Share::of(line.found, line.to_find).map(|s| s.is);
            for (what, share, bar) in [("recall", recall, e.recall), ("precision", line.precision.map(|s| s.is), e.precision)] {
                if let Some(share) = share {
                    out.push(Bar {
                        what: format!("{}: {what}", line.codes),
                        measured: format!("{share:.3}"),
                        wanted: format!("at least {bar:.2}"),
                        pass: share >= bar,
                    });
                }
            }
            let most = (line.found as f64 * (1.0 / e.precision - 1.0)).floor() as usize;
            out.push(Bar {
                what: format!("{}: harmless captures with an alert", line.codes),
                measured: format!("{} of {}", line.alarmed, line.harmless),
                wanted: format!("at most {most}"),
                pass: line.alarmed <= most,
            });
            if let (Some(slowest), Some(within)) = (line.slowest, e.within) {
                out.push(Bar {
                    what: format!("{}: seconds of the trace until it is said", line.codes),
                    measured: format!("{slowest:.1}"),
                    wanted: format!("at most {within:.0}"),
                    pass: slowest <= within,
                });
            }
        }
        for line in &self.told {
            out.push(super::count(format!("{}: harmless captures with an alert, as EVE tells them", line.codes), line.alarmed, 0));
        }
        out
    }

    /// Prints what was measured.
    pub fn print(&self, misses: bool) {
        if self.captures == 0 {
            return;
        }
        println!(
            "{:<26}{:>8}{:>7}{:>8}{:>10}{:>9}  {:<20}  {:<20}  {:>8}",
            "detector", "to find", "found", "missed", "harmless", "alerted", "recall (95 %)", "precision (95 %)", "within s"
        );
        let print = |line: &Line, how: &str| {
            println!(
                "{:<26}{:>8}{:>7}{:>8}{:>10}{:>9}  {:<20}  {:<20}  {:>8}",
                format!("{}{how}", line.codes),
                line.to_find,
                line.found,
                line.to_find - line.found - line.not_evaluable,
                line.harmless,
                line.alarmed,
                Share::words(line.recall),
                Share::words(line.precision),
                line.slowest.map_or_else(|| "–".into(), |s| format!("{s:.1}"))
            );
        };
        self.detectors.iter().for_each(|line| print(line, ""));
        self.told.iter().for_each(|line| print(line, ", EVE"));
        let list = |of: &BTreeMap<String, usize>| of.iter().map(|(code, n)| format!("{code} {n}")).collect::<Vec<_>>().join(", ");
        println!("detectors: {} captures, {} not read; {} folders of logs: {}", self.captures, self.unread, self.folders, list(&self.logs));
        if !self.untried.is_empty() {
            println!("detectors without truth here, and harmless captures with an alert: {}", list(&self.untried));
        }
        for miss in self.misses.iter().filter(|_| misses) {
            println!("  {}: {} ({}) ← {}", miss.file, miss.what, miss.truth, miss.answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_wilson() {
        // Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (part, whole, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let share = Share::of(part, whole).unwrap();
            assert!((share.low - low).abs() < 1e-4 && (share.high - high).abs() < 1e-4, "{part} of {whole}: {share:?}");
        }
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn what_must_be_found_is_told_from_what_is_harmless() {
        let row = |topic: &str, label: &str| Row { file: "a".into(), topic: topic.into(), label: label.into(), source: "b".into() };
        let (scan, crawler, device) = (row("scan", "malicious: scan"), row("scan", "benign-ish: crawler"), row("iot_benign", "a plug"));
        let watched = |code: &str| {
            let text = format!(
                r#"{{"findings":[{{"code":"{code}","source":"detector","severity":"low","first":"2026-11-01T00:00:00Z","because":["x"],"detail":{{"at":"2026-11-01T00:00:07.5Z"}}}}],
                "detectors":[{{"code":"scan","state":"evaluated"}}]}}"#
            );
            serde_json::from_str::<Watched>(&text).unwrap()
        };
        let (yes, no) = (watched("scan"), watched("beacon"));
        let mut misses = Vec::new();
        let line = super::line(&EXPECTED[0], &[(&scan, &yes), (&scan, &no), (&crawler, &yes), (&device, &no)], "", &mut misses);
        assert_eq!((line.to_find, line.found, line.harmless, line.alarmed, line.slowest), (2, 1, 2, 1, Some(7.5)));
        assert_eq!((line.recall.unwrap().is, line.precision.unwrap().is), (0.5, 0.5));
        let what: Vec<&str> = misses.iter().map(|m| &*m.what).collect();
        assert_eq!(what, ["scan: not found", "scan: found where nothing is"]);
        let measured = Measured { captures: 4, detectors: vec![line], ..Measured::default() };
        let failing: Vec<String> = measured.bars().into_iter().filter(|b| !b.pass).map(|b| b.what).collect();
        assert_eq!(failing, ["scan: recall", "scan: precision", "scan: harmless captures with an alert"]);
    }
}
