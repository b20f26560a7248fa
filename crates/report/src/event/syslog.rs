//! A message in a line of syslog (RFC 5424), with our ids as structured data.

use umbilical_core::finding::Severity;

use super::{Event, Moment};

/// The facility `local0`.
const FACILITY: u8 = 16;
/// Where a private enterprise number stands in the name of structured data; this one is for documentation (RFC 5612) and
/// clashes with nobody's.
const DATA: &str = "umbilical@32473";

/// Writes the line of an event around a message, without a line end. The host is left out: which machine asks is not part of
/// an answer.
pub fn syslog(event: &Event<'_>, message: &str) -> String {
    syslog_as(event, message, None)
}

/// The same with an id of the event itself, by which a receiver knows one that it was sent before.
pub fn syslog_as(event: &Event<'_>, message: &str, id: Option<&str>) -> String {
    let finding = event.finding;
    let mut data = String::new();
    let pairs = [
        ("event", id),
        ("finding", Some(finding.id.as_str())),
        ("code", Some(&*finding.code)),
        ("device", event.device_id()),
        ("kind", Some(event.kind.name())),
        ("basis", Some(finding.basis.name())),
        ("verdict", finding.verdict),
    ];
    for (name, value) in pairs {
        if let Some(value) = value {
            data.push_str(&format!(" {name}=\"{}\"", param(value)));
        }
    }
    head(finding.severity, event.at, &finding.code, &data, message)
}

/// A line with its structured data.
pub(super) fn head(severity: Severity, at: Moment, code: &str, data: &str, message: &str) -> String {
    let level = match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    };
    format!("<{}>1 {} - umbilical - {} [{DATA}{data}] {message}", FACILITY * 8 + level, at.rfc3339(), message_id(code))
}

/// The value of a parameter: what would end it is escaped (clause 6.3.3).
pub(super) fn param(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in super::line(text).chars() {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The type of message: at most 32 printable characters of ASCII.
fn message_id(code: &str) -> String {
    let id: String = code.chars().filter(char::is_ascii_graphic).take(32).collect();
    if id.is_empty() { "-".to_owned() } else { id }
}
