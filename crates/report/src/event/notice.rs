//! What is no finding and is said beside findings: a decision, the summary of an answer, a test.

use serde_json::{Map, Value, json};
use umbilical_core::finding::Severity;

use super::syslog::{head, param};
use super::{Moment, cef, of_ten};

/// Something that happened and is no finding.
#[derive(Clone, Copy, Debug)]
pub struct Notice<'a> {
    /// What kind: `decision`, `summary`, `test`.
    pub kind: &'static str,
    /// In one line.
    pub title: &'a str,
    /// How bad.
    pub severity: Severity,
    /// When.
    pub at: Moment,
    /// Pairs by the keys of CEF's dictionary: `suser`, `msg`, `cnt`.
    pub pairs: &'a [(&'static str, String)],
    /// The members of its JSON.
    pub data: &'a Map<String, Value>,
}

/// The message of a notice in CEF. `version` is the program's.
pub fn notice_cef(notice: &Notice<'_>, version: &str) -> String {
    let [version, title] = [version, notice.title].map(cef::header);
    let kind = notice.kind;
    let mut out = format!("CEF:0|Umbilical|Umbilical|{version}|{kind}|{title}|{}|cat={kind}", of_ten(notice.severity));
    for (key, value) in notice.pairs {
        let value = cef::extension(value);
        if !value.is_empty() {
            out.push_str(&format!(" {key}={value}"));
        }
    }
    out.push_str(&format!(" rt={}", notice.at.millis()));
    out
}

/// The line of a notice in syslog around a message; `id` is that of the event.
pub fn notice_syslog(notice: &Notice<'_>, message: &str, id: &str) -> String {
    let data = format!(" event=\"{}\" kind=\"{}\"", param(id), param(notice.kind));
    head(notice.severity, notice.at, notice.kind, &data, message)
}

/// The object of a notice for Splunk's collector.
pub fn notice_hec(notice: &Notice<'_>) -> Value {
    json!({
        "time": notice.at.0, "source": "umbilical", "sourcetype": format!("umbilical:{}", notice.kind), "event": notice.data,
        "fields": {"kind": notice.kind, "severity": notice.severity},
    })
}
