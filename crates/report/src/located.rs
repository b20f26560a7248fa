//! Where a finding stands and what it is about: read from the `detail` that every finding carries, whatever raised it.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::id::hex;

/// A finding as the writers for other tools take it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// Who has accepted it, where somebody has.
    pub waiver: Option<Waiver<'a>>,
}

impl<'a> From<&'a Finding> for Entry<'a> {
    fn from(finding: &'a Finding) -> Self {
        let waiver = finding.detail.get("waiver").map(|w| Waiver {
            reason: w.get("reason").and_then(Value::as_str).unwrap_or_default(),
            expired: w.get("expired").and_then(Value::as_bool).unwrap_or(true),
        });
        Self { finding, waiver }
    }
}

/// A human decision to live with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiver<'a> {
    /// Why, as written.
    pub reason: &'a str,
    /// Whether its day has passed: then it accepts nothing.
    pub expired: bool,
}

impl Entry<'_> {
    /// Whether somebody has accepted it and the day has not passed.
    pub fn is_accepted(&self) -> bool {
        self.waiver.is_some_and(|w| !w.expired)
    }
}

/// How loud a finding is in tools that know three levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Look at it: medium, a review, an unknown.
    Warning,
    /// It fails: high, critical, a rule that is broken.
    Error,
}

impl Level {
    /// The level of a finding: a verdict speaks before the severity does.
    pub fn of(finding: &Finding) -> Self {
        match (finding.verdict, finding.severity) {
            (Some("pass"), _) => Self::Note,
            (Some("fail"), _) | (_, Severity::High | Severity::Critical) => Self::Error,
            (Some("review" | "unknown"), _) | (_, Severity::Medium) => Self::Warning,
            (_, Severity::Low | Severity::Info) => Self::Note,
        }
    }
}

/// What `detail` says of the place and the thing. Missing members are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The path as the user named it.
    pub file: Option<&'a str>,
    /// The line of text, counted from 1.
    pub line: Option<u64>,
    /// In words: `sheet BOM row 12`.
    pub at: Option<&'a str>,
    /// Reference designators.
    pub designators: Vec<&'a str>,
    /// Part number, else value.
    pub name: Option<&'a str>,
    /// The maker, by its usual name where it is known, else as written.
    pub maker: Option<&'a str>,
    /// Names of the assemblies around it, the outermost first.
    pub assembly: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// Where a finding stands.
    pub fn of(finding: &'a Finding) -> Self {
        let text = |key: &str| finding.detail.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let list = |key: &str| -> Vec<&'a str> {
            finding.detail.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
        };
        Self {
            file: text("file"),
            line: finding.detail.get("line").and_then(Value::as_u64).filter(|n| *n > 0),
            at: text("at"),
            designators: list("designators"),
            name: text("mpn").or_else(|| text("value")),
            maker: text("maker").or_else(|| text("manufacturer")),
            assembly: list("path"),
        }
    }

    /// What stays the same when lines move and files are renamed: the code, the designators in any order, the part and
    /// its maker. Where a finding names none of them, its subject.
    pub fn fingerprint(&self, finding: &Finding) -> String {
        let mut hash = Sha256::new();
        let mut put = |word: &str| {
            hash.update(word.as_bytes());
            hash.update([0]);
        };
        put(&finding.code);
        if self.designators.is_empty() && self.name.is_none() {
            put(finding.subject.kind);
            put(&finding.subject.id);
        } else {
            let mut designators = self.designators.clone();
            designators.sort_unstable();
            designators.dedup();
            put(&designators.join(","));
            put(self.name.unwrap_or_default());
            put(self.maker.unwrap_or_default());
            // One part in two devices is two things.
            if let Some(device) = finding.detail.get("device").and_then(Value::as_str) {
                put(device);
            }
        }
        hex(&hash.finalize())
    }

    /// The place in words where no line says it: ` (sheet BOM row 12)`.
    pub fn in_words(&self) -> Option<&'a str> {
        self.at.filter(|at| self.line.is_none() && *at != "file")
    }
}

/// What makes it so, in one line; the meaning of its code where nothing is said.
pub fn because(finding: &Finding) -> String {
    if finding.because.is_empty() { finding.meaning().to_owned() } else { finding.because.join("; ") }
}

/// What helps, in one line; `None` when nothing does.
pub fn remedies(finding: &Finding) -> Option<String> {
    let real: Vec<&str> = finding.remedies.iter().map(String::as_str).filter(|r| *r != "none").collect();
    (!real.is_empty()).then(|| real.join("; "))
}

/// A path as a URI reference: relative ones stay relative, everything but unreserved characters, `/` and `!` is
/// percent-encoded.
pub fn uri(path: &str) -> String {
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let mut rest = path.as_str();
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter;
    }
    let drive = cfg!(windows) && rest.get(1..2) == Some(":");
    let mut out = String::with_capacity(rest.len().saturating_add(8));
    out.push_str(match (drive, rest.starts_with('/')) {
        (true, _) => "file:///",
        (false, true) => "file://",
        (false, false) => "",
    });
    for byte in rest.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'!') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
