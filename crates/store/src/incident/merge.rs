//! What several traces hold of one thing that goes on, told as one.

use serde_json::Value as Json;
use umbilical_core::finding::Finding;

/// What findings of several traces have in common: code, whose doing it is, and with whom. A module that attaches anew has another
/// session and is the same module.
pub(crate) fn topic(finding: &Finding, imei: Option<&str>, imsi: Option<&str>) -> String {
    let whose = match (imei, imsi) {
        (Some(imei), _) => format!("imei {imei}"),
        (None, Some(imsi)) => format!("imsi {imsi}"),
        (None, None) => format!("{} {}", finding.subject.kind, finding.subject.id),
    };
    format!("{}|{whose}|{}", finding.code, peer(finding).unwrap_or_default())
}

/// With whom, as the detector has it.
pub(crate) fn peer(finding: &Finding) -> Option<&str> {
    finding.detail.get("peer").and_then(Json::as_str)
}

/// The finding that sightings make together; `None` of none. The worst of them speaks, of those the newest.
pub(crate) fn merged(mut sightings: Vec<Finding>) -> Option<Finding> {
    sightings.sort_by(|a, b| (&a.first, &a.last, &a.id).cmp(&(&b.first, &b.last, &b.id)));
    let mut out = sightings.iter().max_by(|a, b| (a.severity, &a.last).cmp(&(b.severity, &b.last)))?.clone();
    if sightings.len() == 1 {
        return Some(out);
    }
    out.first = sightings.iter().filter_map(|s| s.first.clone()).min();
    out.last = sightings.iter().filter_map(|s| s.last.clone()).max();
    for threat in sightings.iter().flat_map(|s| &s.threats) {
        if !out.threats.contains(threat) {
            out.threats.push(threat);
        }
    }
    let at = sightings.iter().filter_map(|s| s.detail.get("at").and_then(Json::as_str)).min();
    let at = at.map(str::to_owned);
    if let Some(detail) = out.detail.as_object_mut() {
        if let Some(at) = at {
            detail.insert("at".into(), at.into());
        }
        detail.insert("flows".into(), flows(&sightings).into());
        detail.insert("captures".into(), sightings.len().into());
    }
    Some(out)
}

/// Conversations of all: two captures of one time hold the same ones, so of those that overlap the most counts.
fn flows(sightings: &[Finding]) -> u64 {
    let (mut sum, mut most, mut until) = (0u64, 0u64, None::<&String>);
    for s in sightings {
        let n = s.detail.get("flows").and_then(Json::as_u64).unwrap_or(0);
        if until.is_some_and(|end| s.first.as_ref().is_some_and(|first| first > end)) {
            sum = sum.saturating_add(most);
            most = 0;
        }
        most = most.max(n);
        until = until.max(s.last.as_ref());
    }
    sum.saturating_add(most)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use umbilical_core::finding::{Severity, Subject};
    use umbilical_core::observation::Basis;

    use super::*;

    fn seen(id: &str, severity: Severity, hours: [u8; 2], flows: u64) -> Finding {
        let at = |h: u8| format!("2026-11-30T{h:02}:00:00.000000Z");
        Finding {
            id: format!("fnd-{id}"),
            code: "beacon".into(),
            source: "detector",
            subject: Subject { kind: "session", id: format!("ses-{id}") },
            verdict: None,
            severity,
            confidence: 0.9,
            basis: Basis::Inferred,
            lifecycle: "patchable",
            threats: vec!["surveillance"],
            first: Some(at(hours[0])),
            last: Some(at(hours[1])),
            because: vec![id.to_owned()],
            remedies: Vec::new(),
            clears_when: String::new(),
            detail: json!({"peer": "cloud.example:443", "flows": flows, "at": at(hours[0])}),
        }
    }

    #[test]
    fn one_capture_says_what_it_says() {
        let one = seen("a", Severity::Low, [1, 2], 7);
        assert_eq!(merged(vec![one.clone()]), Some(one));
        assert_eq!(merged(Vec::new()), None);
    }

    #[test]
    fn captures_of_one_time_are_not_counted_twice() {
        let all = [seen("b", Severity::High, [1, 4], 30), seen("a", Severity::Low, [1, 2], 10), seen("c", Severity::Low, [5, 6], 12)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let one = merged(order.iter().map(|i| all[*i].clone()).collect()).unwrap();
            assert_eq!((one.severity, one.because.as_slice()), (Severity::High, &["b".to_owned()][..]));
            assert_eq!((one.first, one.last), (all[1].first.clone(), all[2].last.clone()));
            assert_eq!((&one.detail["flows"], &one.detail["captures"]), (&json!(42), &json!(3)));
        }
    }

    #[test]
    fn a_module_is_the_same_in_its_next_session() {
        let (a, b) = (seen("a", Severity::Low, [1, 2], 1), seen("b", Severity::Low, [3, 4], 1));
        assert_eq!(topic(&a, Some("35000000000000"), Some("1")), topic(&b, Some("35000000000000"), None));
        assert_ne!(topic(&a, None, None), topic(&b, None, None));
        assert_ne!(topic(&a, None, Some("1")), topic(&a, Some("1"), None));
    }
}
