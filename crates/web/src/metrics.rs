//! Numbers for Prometheus (text format 0.0.4), of what the asker sees. Each is read when it is asked for: no counter is kept.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use umbilical_store::query::Query;

use crate::Problem;
use crate::app::App;
use crate::who::Who;

/// Values of a label.
const MOST: u32 = 200;

/// One family: its name, what it is, and its samples, labels before values.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// `GET /metrics`.
pub async fn metrics(State(app): State<App>, who: Who) -> Result<Response, Problem> {
    let store = app.store();
    let now = app.now();
    let facets = store.facets(&who.scope, &Query::all(), &["cellular", "maker", "country"], MOST).await?;
    let of = |field: &'static str| {
        let values = facets.iter().filter(|f| f.field == field).flat_map(|f| &f.values);
        values.map(|v| (vec![(field, v.value.clone())], v.devices as f64)).collect()
    };
    let codes = store.codes(&who.scope, &Query::all(), 1000).await?;
    let finding = |c: &umbilical_store::CodeRow| {
        let labels =
            vec![("code", c.code.clone()), ("severity", c.severity.to_owned()), ("verdict", c.verdict.clone().unwrap_or_default())];
        (labels, c.findings as f64)
    };
    let sources = store.sources(&who.scope).await?;
    let age =
        |s: &umbilical_store::SourceRow| (vec![("format", s.format.clone())], now.0.saturating_sub(s.newest.0).max(0) as f64 / 1000.0);
    let mut families = vec![
        Family { name: "umbilical_devices", help: "Devices, by whether they are cellular.", samples: of("cellular") },
        Family { name: "umbilical_devices_by_maker", help: "Devices, by the maker of a module in them.", samples: of("maker") },
        Family { name: "umbilical_devices_by_jurisdiction", help: "Devices, by a jurisdiction of control.", samples: of("country") },
        Family { name: "umbilical_findings", help: "Findings.", samples: codes.iter().map(finding).collect() },
        Family {
            name: "umbilical_evidence_age_seconds",
            help: "Age of the newest evidence of a format.",
            samples: sources.iter().map(age).collect(),
        },
    ];
    // Answers count the whole fleet: who sees some sites is given none.
    if let Some(last) = store.answers(&who.scope, 1).await?.first() {
        let at = last.at.0 as f64 / 1000.0;
        families.push(Family {
            name: "umbilical_answer_timestamp_seconds",
            help: "When the fleet was last answered.",
            samples: vec![(vec![], at)],
        });
    }
    // Where events go is for those who see all of them.
    if who.sees_all() {
        families.extend(sinks(&app, now).await?);
    }
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))];
    Ok((headers, text(&families)).into_response())
}

/// How sinks stand.
async fn sinks(app: &App, now: umbilical_store::Time) -> Result<Vec<Family>, Problem> {
    let mut families = [
        ("umbilical_sink_delivered", "Events that a receiver acknowledged."),
        ("umbilical_sink_waiting", "Events that wait to be delivered."),
        ("umbilical_sink_refused", "Events that a receiver refused for what they hold."),
        ("umbilical_sink_expired", "Events that were given up undelivered because they were too old."),
        ("umbilical_sink_seconds_since_success", "Seconds since a receiver last acknowledged something."),
    ]
    .map(|(name, help)| Family { name, help, samples: Vec::new() });
    for sink in app.store().sinks().await? {
        let (waiting, _) = app.store().waiting(&sink).await?;
        let since = sink.success.map(|t| now.0.saturating_sub(t.0).max(0) as f64 / 1000.0);
        let values = [Some(sink.sent as f64), Some(waiting as f64), Some(sink.refused as f64), Some(sink.expired as f64), since];
        for (family, value) in families.iter_mut().zip(values) {
            family.samples.extend(value.map(|v| (vec![("sink", sink.of.name.clone())], v)));
        }
    }
    Ok(families.into())
}

/// Families in the text format: each a gauge; what quotes and line ends could break is escaped.
fn text(families: &[Family]) -> String {
    let mut out = String::new();
    for family in families.iter().filter(|f| !f.samples.is_empty()) {
        let _ = writeln!(out, "# HELP {0} {1}\n# TYPE {0} gauge", family.name, family.help);
        for (labels, value) in &family.samples {
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(out, "{}{labels} {value}", family.name);
        }
    }
    out
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_label_stays_one_label() {
        let family = Family { name: "x", help: "h", samples: vec![(vec![("maker", "a\"} 1\nevil 2\\".into())], 3.0)] };
        assert_eq!(text(&[family]), "# HELP x h\n# TYPE x gauge\nx{maker=\"a\\\"} 1\\nevil 2\\\\\"} 3\n");
    }
}
