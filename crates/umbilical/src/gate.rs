//! `--fail-on`: what makes a command's answer a failure.

use umbilical_core::answer::doctor::Health;
use umbilical_core::finding::{CODES, Finding, Severity};

use umbilical_report::located::Entry;

use crate::fail::Fail;

/// One word of `--fail-on`.
enum Gate {
    /// A rule or check that failed.
    Fail,
    /// A verdict that software must not give.
    Review,
    /// A detector's finding.
    Incident,
    Unknown,
    Undisclosed,
    Severity(Severity),
    Code(String),
}

/// What a run is measured by.
pub struct Gates(Vec<Gate>);

/// What a gate needs to know of a finding.
#[derive(Clone, Copy, Debug)]
pub struct Found<'f> {
    /// Its code.
    pub code: &'f str,
    /// Who raised it.
    pub source: &'f str,
    /// How bad it is.
    pub severity: Severity,
    /// Its verdict, where it is one.
    pub verdict: Option<&'f str>,
    /// Somebody has accepted it until a day that has not passed.
    pub waived: bool,
}

impl<'f> From<&'f Finding> for Found<'f> {
    fn from(f: &'f Finding) -> Self {
        Self { code: &f.code, source: f.source, severity: f.severity, verdict: f.verdict, waived: Entry::from(f).is_accepted() }
    }
}

/// What an answer holds beside its findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Something is not decidable from the evidence.
    pub unknown: bool,
    /// A document leaves out a module that must be there.
    pub undisclosed: bool,
}

impl Gates {
    /// Reads the words; where none was given, the command's own.
    ///
    /// # Errors
    /// A word that names nothing that can be found.
    pub fn parse(words: &[String], default: &[&str]) -> Result<Self, Fail> {
        Self::with_rules(words, default, &[])
    }

    /// The same; the ids of rules are words too.
    ///
    /// # Errors
    /// A word that names nothing that can be found.
    pub fn with_rules(words: &[String], default: &[&str], rules: &[String]) -> Result<Self, Fail> {
        let given = words.iter().map(|w| w.trim()).filter(|w| !w.is_empty());
        if words.is_empty() {
            return default.iter().map(|w| gate(w, rules)).collect::<Result<_, _>>().map(Self);
        }
        given.map(|w| gate(w, rules)).collect::<Result<_, _>>().map(Self)
    }

    /// The exit code: 1 where something named failed or was found, 3 where something named is open, 0 otherwise.
    pub fn code<'f>(&self, findings: impl Iterator<Item = impl Into<Found<'f>>> + Clone, seen: Seen) -> u8 {
        self.0.iter().map(|gate| gate.code(findings.clone().map(Into::into).filter(|f: &Found<'_>| !f.waived), seen)).fold(0, worse)
    }

    /// The exit code of checks of an installation or a host.
    pub fn checks(&self, verdicts: impl Iterator<Item = Health> + Clone) -> u8 {
        let has = |wanted| verdicts.clone().any(|v| v == wanted);
        let of = |gate: &Gate| match gate {
            Gate::Fail => u8::from(has(Health::Fail)),
            Gate::Unknown => u8::from(has(Health::Unknown)) * 3,
            _ => 0,
        };
        self.0.iter().map(of).fold(0, worse)
    }

    /// Words that were asked for and that nothing in this run can trip: silence would look like a pass.
    pub fn powerless(&self, law_is_asked: bool) -> impl Iterator<Item = String> {
        let quiet = move |gate: &Gate| match gate {
            Gate::Fail | Gate::Review if law_is_asked => None,
            Gate::Fail => Some("no rule is asked, so nothing judges `fail`: name a pack with --policy".to_owned()),
            Gate::Review => Some("no rule is asked, so nothing judges `review`: name a pack with --policy".to_owned()),
            Gate::Incident => Some("no detector judges `incident` here, `watch` has them: it cannot trip".to_owned()),
            _ => None,
        };
        self.0.iter().filter_map(quiet)
    }

    /// Whether undisclosed modules are asked for.
    pub fn wants_undisclosed(&self) -> bool {
        self.0.iter().any(|gate| matches!(gate, Gate::Undisclosed))
    }
}

fn gate(word: &str, rules: &[String]) -> Result<Gate, Fail> {
    let severities = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    if let Some(severity) = severities.into_iter().find(|s| s.name() == word) {
        return Ok(Gate::Severity(severity));
    }
    if CODES.iter().any(|(code, _)| *code == word) || rules.iter().any(|id| id == word) {
        return Ok(Gate::Code(word.to_owned()));
    }
    match word {
        "unknown" => Ok(Gate::Unknown),
        "undisclosed" => Ok(Gate::Undisclosed),
        "fail" => Ok(Gate::Fail),
        "review" => Ok(Gate::Review),
        "incident" => Ok(Gate::Incident),
        _ => {
            let codes: Vec<&str> = CODES.iter().map(|c| c.0).collect();
            Err(Fail::usage(
                format!("--fail-on: `{word}` is nothing that can be found"),
                format!(
                    "use fail, review, unknown, undisclosed, incident, a severity (info, low, medium, high, critical) or a code: {}",
                    codes.join(", ")
                ),
            ))
        }
    }
}

impl Gate {
    fn code<'f>(&self, mut findings: impl Iterator<Item = Found<'f>>, seen: Seen) -> u8 {
        match self {
            Self::Unknown => u8::from(seen.unknown || findings.any(|f| f.verdict == Some("unknown"))) * 3,
            Self::Undisclosed => u8::from(seen.undisclosed) * 3,
            Self::Review => u8::from(findings.any(|f| f.verdict == Some("review"))) * 3,
            Self::Fail => u8::from(findings.any(|f| f.verdict == Some("fail"))),
            Self::Incident => u8::from(findings.any(|f| f.source == "detector" && f.severity > Severity::Info)),
            Self::Severity(least) => u8::from(findings.any(|f| f.severity >= *least)),
            Self::Code(code) => u8::from(findings.any(|f| f.code == code.as_str())),
        }
    }
}

/// Of two codes the one that comes first in the contract: 1 before 3 before 0.
pub fn worse(a: u8, b: u8) -> u8 {
    match (a, b) {
        (0, other) | (other, 0) => other,
        (a, b) => a.min(b),
    }
}
