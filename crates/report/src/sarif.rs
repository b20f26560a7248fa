//! SARIF 2.1.0, for code scanning: one run, a rule for each code, a result for each finding on the file's own line.
//!
//! No clock and no host: the same answer is the same bytes. A result keeps its fingerprint when lines move and files are
//! renamed, so that a dismissed one stays dismissed.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use umbilical_core::answer::{KnowledgeStamp, Said};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::observation::Input;
use umbilical_core::text::clean;

use crate::json;
use crate::located::{Entry, Level, Place, because, remedies, uri};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One run of a command.
#[derive(Clone, Debug)]
pub struct Run<'a, E> {
    /// Version of the program.
    pub version: &'a str,
    /// The day of the answer.
    pub as_of: &'a str,
    /// Which facts were used.
    pub knowledge: &'a KnowledgeStamp,
    /// What was read. A finding without a file is shown at the first: GitHub refuses a whole document for one result
    /// without a place.
    pub inputs: &'a [Input],
    /// What could not be understood.
    pub problems: &'a [Said],
    /// Whether the command did what it was asked to, whatever it found.
    pub successful: bool,
    /// The findings, gone through twice.
    pub findings: E,
}

/// Writes the run as one document.
pub fn write<'a, I, E>(out: &mut dyn Write, run: &Run<'a, I>) -> io::Result<()>
where
    I: IntoIterator<Item = E> + Clone,
    E: Into<Entry<'a>>,
{
    let rules = rules(run.findings.clone().into_iter().map(Into::into));
    let numbers: HashMap<&str, usize> = rules.keys().enumerate().map(|(n, code)| (*code, n)).collect();
    let driver = Driver {
        name: "Umbilical",
        version: run.version,
        semantic_version: run.version,
        rules: rules.values().collect(),
        properties: Facts { as_of: run.as_of, knowledge: &run.knowledge.version, sources_to: &run.knowledge.sources_to },
    };
    let fallback = run.inputs.first().map(|i| i.path.as_str());
    let results = Results { entries: run.findings.clone(), numbers: &numbers, fallback };
    let invocation = Invocation {
        execution_successful: run.successful,
        tool_execution_notifications: run.problems.iter().map(|p| notification(p, run.inputs)).collect(),
    };
    let run = RunJson { tool: Tool { driver }, invocations: [invocation], column_kind: "unicodeCodePoints", results };
    json::one(out, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })
}

#[derive(Serialize)]
struct Log<R> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [R; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunJson<'a, R> {
    tool: Tool<'a>,
    invocations: [Invocation<'a>; 1],
    column_kind: &'static str,
    results: R,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    version: &'a str,
    semantic_version: &'a str,
    rules: Vec<&'a Rule<'a>>,
    properties: Facts<'a>,
}

#[derive(Serialize)]
struct Facts<'a> {
    as_of: &'a str,
    knowledge: &'a str,
    sources_to: &'a str,
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule<'a> {
    id: &'a str,
    short_description: Text<&'a str>,
    full_description: Text<&'a str>,
    help: Text<String>,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<&'static str>,
    /// GitHub's scale of 0–10 in four bands: the middle of the band of the worst severity. Left out for `info`.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
}

fn band(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

/// One rule for each code, by code; its level and severity are those of its loudest finding.
fn rules<'a>(entries: impl Iterator<Item = Entry<'a>>) -> BTreeMap<&'a str, Rule<'a>> {
    let mut loudest: BTreeMap<&'a str, (Level, Severity, &'a Finding)> = BTreeMap::new();
    for Entry { finding, .. } in entries {
        let level = Level::of(finding);
        let known = loudest.entry(&*finding.code).or_insert((level, finding.severity, finding));
        known.0 = known.0.max(level);
        known.1 = known.1.max(finding.severity);
    }
    loudest.into_iter().map(|(code, (level, severity, finding))| (code, rule(code, level, severity, finding))).collect()
}

fn rule<'a>(code: &'a str, level: Level, severity: Severity, finding: &'a Finding) -> Rule<'a> {
    let helps = remedies(finding).unwrap_or_else(|| "nothing is known to help".to_owned());
    let mut tags = vec!["security", finding.source, finding.lifecycle];
    tags.extend(&finding.threats);
    Rule {
        id: code,
        short_description: Text { text: finding.meaning() },
        full_description: Text { text: finding.meaning() },
        help: Text { text: plain(&format!("{}. What helps: {helps}. Clears when: {}.", finding.meaning(), finding.clears_when)) },
        default_configuration: Configuration { level: word(level) },
        properties: RuleProperties { tags, security_severity: band(severity) },
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// Text of a message: no control characters, and nothing that a viewer would make a link of.
fn plain(text: &str) -> String {
    clean(text).replace("](", "] (")
}

struct Results<'n, 'a, I> {
    entries: I,
    numbers: &'n HashMap<&'a str, usize>,
    fallback: Option<&'a str>,
}

impl<'a, I, E> Serialize for Results<'_, 'a, I>
where
    I: IntoIterator<Item = E> + Clone,
    E: Into<Entry<'a>>,
{
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut list = to.serialize_seq(None)?;
        for entry in self.entries.clone() {
            let entry = entry.into();
            let place = Place::of(entry.finding);
            let print = place.fingerprint(entry.finding);
            let nth = *seen.entry(print.clone()).and_modify(|n| *n = n.saturating_add(1)).or_insert(1);
            list.serialize_element(&result(&entry, &place, print, nth, self))?;
        }
        list.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultJson<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    kind: &'static str,
    level: &'static str,
    message: Text<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    partial_fingerprints: Prints,
    rank: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<[Suppression; 1]>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Prints {
    #[serde(rename = "umbilical/v1")]
    own: String,
    /// The one name under which GitHub looks; with a number where several results are alike.
    #[serde(rename = "primaryLocationLineHash")]
    github: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
struct Properties<'a> {
    id: &'a str,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    severity: &'static str,
    confidence: f64,
    basis: &'static str,
    lifecycle: &'static str,
    threats: &'a [&'static str],
    remedies: &'a [String],
    clears_when: &'a str,
}

fn result<'a, I>(entry: &Entry<'a>, place: &Place<'_>, print: String, nth: u32, of: &Results<'_, '_, I>) -> ResultJson<'a> {
    let finding = entry.finding;
    let passed = finding.verdict == Some("pass");
    let short: String = print.chars().take(16).collect();
    let text = match place.in_words() {
        Some(at) => format!("{at}: {}", because(finding)),
        None => because(finding),
    };
    ResultJson {
        rule_id: &finding.code,
        rule_index: of.numbers.get(&*finding.code).copied(),
        kind: if passed { "pass" } else { "fail" },
        level: if passed { "none" } else { word(Level::of(finding)) },
        message: Text { text: plain(&text) },
        locations: locations(place, of.fallback),
        partial_fingerprints: Prints { own: print, github: format!("{short}:{nth}") },
        rank: umbilical_core::weight::round4(finding.confidence.clamp(0.0, 1.0) * 100.0),
        suppressions: entry.waiver.map(|w| {
            let status = if w.expired { "rejected" } else { "accepted" };
            [Suppression { kind: "external", status, justification: plain(w.reason) }]
        }),
        properties: Properties {
            id: &finding.id,
            source: finding.source,
            verdict: finding.verdict,
            severity: finding.severity.name(),
            confidence: finding.confidence,
            basis: finding.basis.name(),
            lifecycle: finding.lifecycle,
            threats: &finding.threats,
            remedies: &finding.remedies,
            clears_when: &finding.clears_when,
        },
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logical_locations: Option<[Logical; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

fn physical(file: &str, line: Option<u64>) -> Physical {
    Physical { artifact_location: Artifact { uri: uri(file) }, region: line.map(|start_line| Region { start_line }) }
}

fn locations(place: &Place<'_>, fallback: Option<&str>) -> Vec<Location> {
    let physical = match place.file {
        Some(file) => Some(physical(file, place.line)),
        None => fallback.map(|file| physical(file, None)),
    };
    let designators = place.designators.join(",");
    let own = [designators.as_str(), place.name.unwrap_or_default()].into_iter().find(|t| !t.is_empty());
    let way: Vec<&str> = place.assembly.iter().copied().chain(own).collect();
    let logical = way.last().map(|name| [Logical { name: plain(name), fully_qualified_name: plain(&way.join("/")), kind: "component" }]);
    if physical.is_none() && logical.is_none() {
        Vec::new()
    } else {
        vec![Location { physical_location: physical, logical_locations: logical }]
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Text<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
    properties: Where<'a>,
}

#[derive(Serialize)]
struct Where<'a> {
    at: &'a str,
}

fn notification<'a>(problem: &'a Said, inputs: &[Input]) -> Notification<'a> {
    let file = problem.input.and_then(|i| inputs.get(i as usize)).map(|i| i.path.as_str());
    let line = problem.at.strip_prefix("line ").and_then(|n| n.parse().ok()).filter(|n| *n > 0);
    Notification {
        level: "warning",
        message: Text { text: plain(&problem.what) },
        locations: file.map(|f| Location { physical_location: Some(physical(f, line)), logical_locations: None }).into_iter().collect(),
        properties: Where { at: &problem.at },
    }
}
