//! Splunk's HTTP Event Collector: one object, the finding as it is with its device beside it.

use serde_json::{Value, json};

use super::{Event, object, present};

/// The event. Several of them make one request when they stand behind each other, as Splunk takes them.
pub fn hec(event: &Event<'_>) -> Value {
    let finding = event.finding;
    let host = event.device.map(crate::fleet::called).or(event.device_id());
    present(vec![
        ("time", event.at.0.into()),
        ("host", host.map_or(Value::Null, Value::from)),
        ("source", "umbilical".into()),
        ("sourcetype", "umbilical:finding".into()),
        ("event", object(event).into()),
        // Indexed, so that a search need not open every event.
        ("fields", json!({"code": finding.code, "severity": finding.severity, "kind": event.kind.name(), "finding": finding.id})),
    ])
}
