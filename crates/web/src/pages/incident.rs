//! What stands behind the finding of a detector: when, what against what, how much, and in which captures.

use serde_json::Value as Json;
use umbilical_core::finding::Finding;
use umbilical_report::svg::{self, Bar};
use umbilical_store::traffic::HourRow;
use umbilical_store::{Decided, Sighting};

use super::frame::minute;
use super::traffic::address;
use crate::Problem;
use crate::api::{MuteOf, hours_of};
use crate::app::App;
use crate::guard::encoded;
use crate::rights::Permission;
use crate::who::Who;

/// What of a detector's detail is said in words here.
const SAID: [&str; 12] = [
    "score",
    "peer",
    "reasons",
    "detector_version",
    "at",
    "flows",
    "frames",
    "captures",
    "detector_severity",
    "severity_because",
    "at_stake",
    "sensitivity",
];
/// States behind which nobody expects it to go on.
const OVER: [&str; 4] = ["closed", "contained", "replaced", "false-positive"];

/// A measure against the value from which it counts.
pub struct Reason {
    pub term: String,
    pub value: String,
    pub threshold: String,
}

/// A capture that holds a part of it.
pub struct Seen {
    /// Id and name of the trace, for those who see every site.
    pub trace: Option<(String, String)>,
    pub subject: String,
    pub href: String,
    pub first: String,
    pub last: String,
    pub flows: u64,
    /// Numbers of packets in the capture.
    pub frames: String,
}

/// An incident on its finding's page.
pub struct Shown {
    /// Counted up by the detector when it may judge otherwise.
    pub version: String,
    /// Whose doing: a session or address and its page.
    pub subjects: Vec<(String, String)>,
    pub peer: Option<String>,
    /// First contact, when it was enough to be said, the last.
    pub first: Option<String>,
    pub at: Option<String>,
    pub last: Option<String>,
    pub flows: Option<u64>,
    /// What is at stake, and how much that weighs.
    pub stake: Option<(String, String)>,
    pub reasons: Vec<Reason>,
    /// What the detector said, and why it is something else on this device.
    pub step: Option<(String, String)>,
    pub picture: String,
    pub hours: Vec<HourRow>,
    pub sightings: Vec<Seen>,
    pub muted: Option<MuteOf>,
    /// The state that it was brought into before it was seen again.
    pub went_on: Option<String>,
    /// Where it is muted from, for those who may.
    pub mute: Option<String>,
}

fn text(detail: &Json, name: &str) -> Option<String> {
    detail.get(name).and_then(Json::as_str).map(str::to_owned)
}

/// A number as people write it.
fn number(value: Option<&Json>) -> String {
    match value {
        Some(Json::Number(n)) => n.as_i64().map_or_else(|| n.as_f64().map_or_else(|| n.to_string(), tidy), |whole| whole.to_string()),
        Some(Json::String(text)) => text.clone(),
        _ => String::new(),
    }
}

fn tidy(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e15 { format!("{n:.0}") } else { format!("{n}") }
}

fn reason(of: &Json) -> Reason {
    let term = of.get("term").and_then(Json::as_str).unwrap_or_default().replace(['_', '-'], " ");
    Reason { term, value: number(of.get("value")), threshold: number(of.get("threshold")) }
}

/// The same of what was kept before it had numbers.
fn said_frames(f: &Finding) -> String {
    f.because.iter().find_map(|b| b.strip_prefix("Frames ")).unwrap_or_default().to_owned()
}

/// The first and the last packet.
fn frames(detail: &Json) -> String {
    let of = detail.get("frames").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    of.iter().filter_map(Json::as_u64).map(|n| n.to_string()).collect::<Vec<_>>().join(" to ")
}

fn seen(s: Sighting) -> Seen {
    let Sighting { trace, name, finding: f } = s;
    let time = |t: Option<&String>| t.map(minute).unwrap_or_default();
    Seen {
        trace: trace.zip(name),
        href: address(f.subject.kind, &f.subject.id),
        first: time(f.first.as_ref()),
        last: time(f.last.as_ref()),
        flows: f.detail.get("flows").and_then(Json::as_u64).unwrap_or_default(),
        frames: Some(frames(&f.detail)).filter(|f| !f.is_empty()).unwrap_or_else(|| said_frames(&f)),
        subject: f.subject.id,
    }
}

/// What of a finding's detail has no words here.
pub fn rest(detail: &Json) -> Json {
    let mut out = detail.clone();
    if let Some(members) = out.as_object_mut() {
        members.retain(|name, _| !SAID.contains(&name.as_str()));
    }
    out
}

/// What stands behind a finding; `None` of one that no detector made.
pub async fn of(app: &App, who: &Who, finding: &Finding, state: &str, decided: &[Decided]) -> Result<Option<Shown>, Problem> {
    if finding.source != "detector" {
        return Ok(None);
    }
    let Some(incident) = app.store().incident(&who.scope, &finding.id).await? else { return Ok(None) };
    let hours = hours_of(app, &incident, finding).await?;
    let bar = |h: &HourRow| Bar { label: minute(h.hour.to_string()), count: h.up.saturating_add(h.down), class: "c1" };
    let picture = svg::bars("hours", "Bytes by hour (UTC)", &hours.iter().map(bar).collect::<Vec<_>>());
    let over = decided.iter().rev().find(|d| d.kind == "state").filter(|d| OVER.contains(&state) && d.at < incident.last);
    let detail = &finding.detail;
    let mutes = incident.mute.is_none() && who.may(Permission::Decide) && who.sees_all();
    Ok(Some(Shown {
        version: number(detail.get("detector_version")),
        subjects: incident.subjects.iter().map(|id| (id.clone(), address(finding.subject.kind, id))).collect(),
        peer: text(detail, "peer"),
        first: finding.first.as_ref().map(minute),
        at: text(detail, "at").map(minute),
        last: finding.last.as_ref().map(minute),
        flows: detail.get("flows").and_then(Json::as_u64),
        stake: text(detail, "at_stake").map(|stake| (stake, number(detail.get("sensitivity")))),
        reasons: detail.get("reasons").and_then(Json::as_array).into_iter().flatten().map(reason).collect(),
        step: text(detail, "detector_severity").zip(text(detail, "severity_because")),
        picture,
        hours,
        sightings: incident.sightings.into_iter().map(seen).collect(),
        muted: incident.mute.map(MuteOf::from),
        went_on: over.map(|d| d.value.clone()),
        mute: mutes.then(|| format!("/mutes/new?finding={}", encoded(&finding.id))),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn measures_are_written_as_people_do() {
        let of = |value: Json| number(Some(&value));
        assert_eq!([of(json!(7)), of(json!(7.0)), of(json!(0.25)), of(json!("x")), of(json!(null))], ["7", "7", "0.25", "x", ""]);
        let r = reason(&json!({"term": "failed_share", "value": 0.9, "threshold": 0.6}));
        assert_eq!((r.term.as_str(), r.value.as_str(), r.threshold.as_str()), ("failed share", "0.9", "0.6"));
    }

    #[test]
    fn what_has_words_is_not_repeated() {
        assert_eq!(rest(&json!({"peer": "x", "score": 1, "country": "AA"})), json!({"country": "AA"}));
    }
}
