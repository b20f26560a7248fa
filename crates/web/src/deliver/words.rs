//! An event in the words of each format.

use serde_json::{Map, Value, json};
use umbilical_core::finding::Severity;
use umbilical_core::text;
use umbilical_report::event::{self, Event, Kind, Moment, Notice};
use umbilical_store::{Happened, OutEvent, Turn};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The schema of [`object`].
const SCHEMA: &str = "umbilical.event/1";

/// A text from outside, in one line and short.
pub fn short(words: &str) -> String {
    text::short(text::clean(words).trim(), 200).into_owned()
}

fn kind(turn: Turn) -> Kind {
    match turn {
        Turn::New => Kind::New,
        Turn::Changed => Kind::Changed,
        Turn::Gone => Kind::Gone,
    }
}

fn moment(event: &OutEvent) -> Moment {
    Moment(event.at.0.div_euclid(1000))
}

/// The finding of an event with what became of it; `None` where it is about something else.
fn finding(event: &OutEvent) -> Option<Event<'_>> {
    match &event.what {
        Happened::Finding { turn, finding, device } => {
            Some(Event { finding, device: device.as_deref(), kind: kind(*turn), at: moment(event) })
        }
        _ => None,
    }
}

/// `finding.new`, `decision`, `summary`, `test`.
pub fn kind_of(what: &Happened) -> String {
    match what {
        Happened::Finding { turn, .. } => format!("finding.{}", turn.name()),
        Happened::Decision { .. } => "decision".to_owned(),
        Happened::Summary { .. } => "summary".to_owned(),
        Happened::Test { .. } => "test".to_owned(),
    }
}

/// Where a person sees more; a path where the server's own address was never said.
fn link(what: &Happened, public: &str) -> String {
    let path = match what {
        Happened::Finding { turn: Turn::Gone, device: Some(device), .. } => format!("/devices/{}", device.id),
        Happened::Finding { finding, .. } => format!("/findings/{}", finding.id),
        Happened::Decision { subject, .. } if subject.starts_with("fnd-") => format!("/findings/{subject}"),
        Happened::Decision { subject, .. } if subject.starts_with("dev-") => format!("/devices/{subject}"),
        Happened::Decision { kind, .. } if kind == "waiver" => "/waivers".to_owned(),
        Happened::Decision { kind, subject, .. } if kind == "mute" => format!("/mutes/{subject}"),
        Happened::Decision { subject, .. } if subject == "devices" => "/fleet".to_owned(),
        Happened::Decision { .. } => "/findings".to_owned(),
        Happened::Summary { first: true, .. } => "/".to_owned(),
        Happened::Summary { .. } => "/changes".to_owned(),
        Happened::Test { .. } => "/settings/integrations".to_owned(),
    };
    format!("{public}{path}")
}

/// An event as one object of JSON.
pub fn object(event: &OutEvent, public: &str) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("schema".into(), SCHEMA.into());
    out.insert("id".into(), event.id.as_str().into());
    out.insert("seq".into(), event.seq.into());
    out.insert("type".into(), kind_of(&event.what).into());
    out.insert("at".into(), event.at.to_string().into());
    out.insert("link".into(), link(&event.what, public).into());
    match finding(event) {
        Some(found) => {
            out.insert("finding".into(), event::object(&found).into());
        }
        None => {
            // The one member of it is called as its kind: `decision`, `summary`, `test`.
            if let Ok(Value::Object(members)) = serde_json::to_value(&event.what) {
                out.extend(members);
            }
        }
    }
    out
}

/// Title, severity and pairs of what is no finding.
fn notice(event: &OutEvent, public: &str) -> (&'static str, String, Severity, Vec<(&'static str, String)>) {
    let link = ("request", link(&event.what, public));
    match &event.what {
        Happened::Decision { kind, value, subject, count, who, comment, expires, code, device, device_name } => {
            let title = match kind.as_str() {
                "waiver" | "mute" => format!("A {kind} was {value}"),
                _ => format!("Somebody decided: {value}"),
            };
            let mut pairs = vec![
                ("act", value.clone()),
                ("cnt", count.to_string()),
                ("deviceExternalId", device.clone().unwrap_or_default()),
                ("dhost", device_name.clone().unwrap_or_default()),
                ("externalId", subject.clone()),
                ("msg", comment.clone()),
                ("suser", who.clone()),
            ];
            for (value, name, own, label) in [(code, "code", "cs1", "cs1Label"), (expires, "until", "cs2", "cs2Label")] {
                if let Some(value) = value {
                    pairs.extend([(own, value.clone()), (label, name.to_owned())]);
                }
            }
            pairs.push(link);
            ("decision", title, Severity::Info, pairs)
        }
        Happened::Summary { answer, first, findings, tallies, .. } => {
            let title = if *first { "The first answer" } else { "An answer changed much" };
            let worst = ["critical", "high", "medium", "low"].into_iter().find(|s| tallies.iter().any(|t| t.severity == *s));
            let severity = match worst {
                Some("critical") => Severity::Critical,
                Some("high") => Severity::High,
                Some("medium") => Severity::Medium,
                Some("low") => Severity::Low,
                _ => Severity::Info,
            };
            let pairs = vec![("externalId", answer.to_string()), ("cnt", findings.to_string()), ("msg", in_words(&event.what)), link];
            ("summary", title.to_owned(), severity, pairs)
        }
        Happened::Test { who } => ("test", "A test of this connection".to_owned(), Severity::Info, vec![("suser", who.clone()), link]),
        Happened::Finding { .. } => ("finding", String::new(), Severity::Info, Vec::new()),
    }
}

/// A line of syslog with CEF in it.
pub fn syslog(event: &OutEvent, public: &str) -> String {
    if let Some(found) = finding(event) {
        return event::syslog_as(&found, &event::cef(&found, VERSION), Some(&event.id));
    }
    let (kind, title, severity, pairs) = notice(event, public);
    let notice = Notice { kind, title: &title, severity, at: moment(event), pairs: &pairs, data: &Map::new() };
    event::notice_syslog(&notice, &event::notice_cef(&notice, VERSION), &event.id)
}

/// An object for Splunk's collector; `fields.event` is the id by which a search drops what came twice.
pub fn hec(event: &OutEvent, public: &str) -> Value {
    let mut out = match finding(event) {
        Some(found) => event::hec(&found),
        None => {
            let (kind, title, severity, pairs) = notice(event, public);
            event::notice_hec(&Notice { kind, title: &title, severity, at: moment(event), pairs: &pairs, data: &object(event, public) })
        }
    };
    if let Some(fields) = out.get_mut("fields").and_then(Value::as_object_mut) {
        fields.insert("event".into(), json!(event.id));
    }
    out
}

/// What happened, in one line for people.
pub fn in_words(what: &Happened) -> String {
    let words = match what {
        Happened::Finding { turn, finding, device } => {
            let name = device.as_deref().map_or(finding.subject.id.as_str(), |d| d.names.first().map_or(d.id.as_str(), String::as_str));
            let verdict = finding.verdict.map(|v| format!(" {v}")).unwrap_or_default();
            format!("{} [{}{verdict}] {}: {} ({})", turn.name(), finding.severity.name(), name, finding.meaning(), finding.code)
        }
        Happened::Decision { kind, value, subject, count, who, comment, device_name, .. } => {
            let about = match (count, device_name) {
                (2.., _) => format!("{count} {subject}"),
                (_, Some(name)) => format!("{subject} of {name}"),
                _ => subject.clone(),
            };
            let what = if matches!(kind.as_str(), "waiver" | "mute") { format!("{kind} {value}") } else { value.clone() };
            format!("{what} by {who}: {about}{}{comment}", if comment.is_empty() { "" } else { " - " })
        }
        Happened::Summary { first, devices: [new, changed, gone], findings, tallies, .. } => {
            let devices = if *first {
                format!("the first answer: {new} devices")
            } else {
                format!("devices: {new} new, {changed} changed, {gone} gone")
            };
            let list: Vec<String> =
                tallies.iter().take(20).map(|t| format!("{} {} {} {}", t.count, t.turn.name(), t.severity, t.code)).collect();
            let more = tallies.len().saturating_sub(list.len());
            let more = if more > 0 { format!(", and {more} kinds more") } else { String::new() };
            format!("{devices}; {findings} findings: {}{more}", list.join(", "))
        }
        Happened::Test { who } => format!("a test that {who} asked for"),
    };
    text::short(&text::clean(&words), 600).into_owned()
}

/// The same with the way to it.
pub fn with_link(event: &OutEvent, public: &str) -> String {
    format!("{}\n  {}", in_words(&event.what), link(&event.what, public))
}
