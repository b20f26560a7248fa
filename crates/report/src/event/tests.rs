use std::borrow::Cow;

use serde_json::{Value, json};
use umbilical_core::Basis;
use umbilical_core::answer::{Cellular, Device, Identifiers};
use umbilical_core::finding::{Finding, Severity, Subject};

use super::*;

fn finding(because: &str) -> Finding {
    Finding {
        id: "fnd-0123456789ab".into(),
        code: Cow::Borrowed("identity-conflict"),
        source: "identity",
        subject: Subject { kind: "device", id: "dev-0123456789ab".into() },
        verdict: None,
        severity: Severity::High,
        confidence: 0.997,
        basis: Basis::Inferred,
        lifecycle: "patchable",
        threats: vec!["disruption"],
        first: None,
        last: None,
        because: vec![because.into()],
        remedies: vec!["look".into()],
        clears_when: "never".into(),
        detail: Value::Null,
    }
}

fn device(name: &str) -> Device {
    Device {
        id: "dev-0123456789ab".into(),
        names: vec![name.into()],
        identifiers: Identifiers::default(),
        cellular: Cellular::Yes,
        cellular_confidence: 0.9,
        because: Vec::new(),
        host: None,
        product: None,
        modules: Vec::new(),
        next_evidence: Vec::new(),
        findings: Vec::new(),
        inputs: Vec::new(),
        duty: Default::default(),
    }
}

fn at() -> Moment {
    Moment::end_of("2026-11-22".parse().unwrap())
}

#[test]
fn moments_are_those_of_the_calendar() {
    assert_eq!(at().rfc3339(), "2026-11-22T23:59:59Z");
    // date -u -d 2026-11-22T23:59:59Z +%s
    assert_eq!(at().0, 1_795_391_999);
    assert_eq!(Moment(0).rfc3339(), "1970-01-01T00:00:00Z");
}

#[test]
fn nothing_that_a_name_holds_ends_a_field() {
    let (f, d) = (finding("a=b|c\\d\r\ne"), device("x]\" =y|\\\u{202e}z\n<1>evil"));
    let event = Event { finding: &f, device: Some(&d), kind: Kind::New, at: at() };
    let line = syslog(&event, &cef(&event, "1|0"));
    assert!(!line.contains(['\n', '\r', '\u{202e}']), "{line}");
    let (head, message) = line.split_once("] ").unwrap();
    assert_eq!(
        head,
        "<131>1 2026-11-22T23:59:59Z - umbilical - identity-conflict [umbilical@32473 finding=\"fnd-0123456789ab\" \
         code=\"identity-conflict\" device=\"dev-0123456789ab\" kind=\"new\" basis=\"inferred\""
    );
    assert!(message.starts_with("CEF:0|Umbilical|Umbilical|1\\|0|identity-conflict|"), "{message}");
    assert!(message.contains("dhost=x]\" \\=y|\\\\z <1>evil "), "{message}");
    assert!(message.contains("msg=a\\=b|c\\\\d  e "), "{message}");
    let leef = leef(&event, "1|0");
    assert_eq!(leef.split('|').count(), 7 + 2, "the bars of two values behind the header: {leef}");
    assert!(leef.split('\t').all(|pair| pair.contains('=')), "{leef}");
}

#[test]
fn structured_data_escapes_what_would_end_it() {
    let mut f = finding("x");
    f.code = Cow::Borrowed("HOUSE \"1\"]\\é");
    let event = Event { finding: &f, device: None, kind: Kind::Changed, at: at() };
    let line = syslog(&event, "m");
    assert!(line.contains(r#"code="HOUSE \"1\"\]\\é" device="dev-0123456789ab" kind="changed""#), "{line}");
    assert!(line.contains(r#" umbilical - HOUSE"1"]\ [umbilical@32473 "#), "{line}");
}

#[test]
fn a_verdict_is_compliance_and_the_rest_detection() {
    let d = device("pump");
    let mut f = finding("because");
    let sent = |f: &Finding| ocsf(&Event { finding: f, device: Some(&d), kind: Kind::Gone, at: at() }, "1");
    let seen = sent(&f);
    assert_eq!((&seen["class_uid"], &seen["type_uid"], &seen["status_id"]), (&json!(2004), &json!(200_403), &json!(4)));
    // Never more sure than the evidence.
    assert_eq!(seen["confidence_score"], json!(99));
    f.verdict = Some("review");
    let judged = sent(&f);
    assert_eq!((&judged["class_uid"], &judged["compliance"]["status"]), (&json!(2003), &json!("Warning")));
    f.verdict = Some("unknown");
    assert_eq!(sent(&f)["compliance"]["status_id"], json!(0));
}

#[test]
fn an_object_stands_once_in_a_bundle_and_every_reference_leads_somewhere() {
    let mut d = device("pump");
    d.identifiers.ip = vec!["192.0.2.1".into()];
    let (a, mut b) = (finding("one"), finding("two"));
    b.id = "fnd-ba9876543210".into();
    let write = || {
        let mut out = Vec::new();
        let mut bundle = Bundle::new(&mut out).unwrap();
        for f in [&a, &b, &a] {
            bundle.event(&Event { finding: f, device: Some(&d), kind: Kind::New, at: at() }).unwrap();
        }
        bundle.finish().unwrap();
        out
    };
    let bytes = write();
    assert_eq!(bytes, write());
    let bundle: Value = serde_json::from_slice(&bytes).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let ids: Vec<&str> = objects.iter().map(|o| o["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 6, "who says it, the extension, the indicator, the device, two sightings: {ids:?}");
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len());
    for object in objects {
        // The standard: a name of a property has three characters or more, of a–z, 0–9 and _.
        let inside = object["extensions"].as_object().into_iter().flat_map(|e| e.values()).filter_map(Value::as_object);
        for name in inside.flat_map(|members| members.keys()) {
            assert!(name.len() >= 3 && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name}");
        }
        for key in ["created_by_ref", "sighting_of_ref", "source_ref", "target_ref"] {
            assert!(object.get(key).is_none_or(|r| ids.contains(&r.as_str().unwrap())), "{object}");
        }
    }
    let empty = {
        let mut out = Vec::new();
        Bundle::new(&mut out).unwrap().finish().unwrap();
        out
    };
    assert!(serde_json::from_slice::<Value>(&empty).is_ok());
}
