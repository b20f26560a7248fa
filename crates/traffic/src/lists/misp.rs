//! Events of MISP as it exports them: one, several under `response`, or a list of attributes (misp-project.org, "MISP core format").

use serde_json::Value;

use super::indicators::{Entry, Mark};
use super::{Problem, host, network, plain};
use crate::record::stamp;

/// Reads the attributes that can be met on a network; `None`: this is nothing of MISP.
pub(super) fn read(json: &Value, problems: &mut Vec<Problem>) -> Option<Vec<Entry>> {
    let mut out = Vec::new();
    let events: Vec<&Value> = match json {
        Value::Array(all) => all.iter().collect(),
        one => match one.get("response") {
            Some(Value::Array(all)) => all.iter().collect(),
            Some(other) => vec![other],
            None => vec![one],
        },
    };
    let mut known = false;
    for event in events {
        let event = event.get("Event").unwrap_or(event);
        let said = event.get("info").and_then(Value::as_str);
        let own = event.get("Attribute").and_then(Value::as_array);
        let objects = event.get("Object").and_then(Value::as_array);
        known |= own.is_some() || objects.is_some();
        let inside = objects.into_iter().flatten().filter_map(|o| o.get("Attribute").and_then(Value::as_array)).flatten();
        for attribute in own.into_iter().flatten().chain(inside) {
            take(attribute, said, &mut out, problems);
        }
    }
    known.then_some(out)
}

fn take(attribute: &Value, event: Option<&str>, out: &mut Vec<Entry>, problems: &mut Vec<Problem>) {
    let text = |key: &str| attribute.get(key).and_then(Value::as_str);
    // A number or a text, by who wrote it.
    let flag = |key: &str| attribute.get(key).is_some_and(|v| v.as_bool() == Some(true) || v.as_str() == Some("1"));
    let (Some(kind), Some(value)) = (text("type"), text("value")) else { return };
    if flag("deleted") {
        return;
    }
    let at = text("uuid").map_or_else(|| format!("attribute {value:?}"), |uuid| format!("attribute {uuid}"));
    let both = |value: &str| value.split('|').next().map(str::to_owned).unwrap_or_default();
    let mark = match kind {
        "ip-dst" | "ip-src" => network(value).map(Mark::Network),
        "ip-dst|port" | "ip-src|port" => network(&both(value)).map(Mark::Network),
        "domain" => host(value).map(|h| Mark::Domain(h.into())),
        "domain|ip" => host(&both(value)).map(|h| Mark::Domain(h.into())),
        "hostname" => host(value).map(|h| Mark::Host(h.into())),
        "hostname|port" => host(&both(value)).map(|h| Mark::Host(h.into())),
        "url" => plain::bare(value).map(|u| Mark::Url(u.into())).or_else(|| plain::mark(value)),
        "ja3-fingerprint-md5" | "x509-fingerprint-md5" | "x509-fingerprint-sha1" | "x509-fingerprint-sha256" | "ja4" => {
            Some(Mark::Print(plain::print(value).into()))
        }
        // Hashes of files and the like are not to be seen on a network.
        _ => return,
    };
    // Those that are kept for context alone are no indicators.
    if attribute.get("to_ids").is_some() && !flag("to_ids") {
        return;
    }
    let Some(mark) = mark else {
        problems.push((at, format!("{value:?} is no value of {kind}")));
        return;
    };
    let when = |key: &str| text(key).and_then(stamp);
    let said = match (event, text("comment").filter(|c| !c.is_empty())) {
        (Some(event), Some(comment)) => Some(format!("{event}; {comment}")),
        (event, comment) => event.or(comment).map(str::to_owned),
    };
    // When it was last met says nothing of when it ends.
    out.push(Entry { mark, at, said, from: when("first_seen"), until: None });
}
