//! What was watched is kept, found by its device, and seen by whom it may be.

use serde_json::json;
use umbilical_core::answer::watch::Session;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::Basis;
use umbilical_store::traffic::{Hour, NewTrace, Of};
use umbilical_store::{Scope, Store, StoreError, Time};

use crate::answers::fleet_of;
use crate::support::{ME, NOW, fleet};

crate::suite!(a_trace_is_kept_and_takes_the_place_of_itself, sessions_are_found_by_device_and_seen_by_site, old_traces_go);

const HOUR: Time = Time(NOW.0 - NOW.0 % 3_600_000);

pub fn session(id: &str, imei: &str, bytes: u64) -> Session {
    Session {
        id: id.into(),
        imsi: Some("001010123456789".into()),
        imei: Some(imei.into()),
        tac: None,
        iccid: None,
        rat: None,
        msisdn: Some("491700000000".into()),
        apn: Some("meters.example".into()),
        teids: Vec::new(),
        ue: vec!["10.64.0.1".into()],
        module: None,
        first: "2026-11-30T00:00:00Z".into(),
        last: "2026-11-30T01:00:00Z".into(),
        packets: 6,
        bytes_up: bytes,
        bytes_down: 0,
        flows: 2,
    }
}

pub fn finding(kind: &'static str, subject: &str, severity: Severity) -> Finding {
    Finding {
        id: format!("fnd-{subject}"),
        code: "scan".into(),
        source: "detector",
        subject: Subject { kind, id: subject.to_owned() },
        verdict: None,
        severity,
        confidence: 0.99,
        basis: Basis::Inferred,
        lifecycle: "patchable",
        threats: vec!["disruption"],
        first: None,
        last: None,
        because: vec!["The SIM 001010123456789 tried 40 addresses".into()],
        remedies: vec!["Look".into()],
        clears_when: "It is known".into(),
        detail: json!({"score": 0.99}),
    }
}

fn hour(subject: &str, peer: Option<&str>, at: Time, up: u64) -> Hour {
    Hour { subject: subject.into(), hour: at, peer: peer.map(Into::into), port: 443, proto: "tcp".into(), flows: 1, up, down: 2 * up }
}

pub async fn keep(store: &Store, id: &str, sessions: &[Session], findings: &[Finding], hours: &[Hour]) {
    let body = json!({"counters": {"packets": 9}});
    let range = (Time(NOW.0 - 7_200_000), NOW);
    let new = NewTrace { id, name: "gn.pcap", range, packets: 9, bytes: 900, flows: 3, body: &body, sessions, findings, hours };
    store.keep_trace(ME, &new).await.unwrap();
}

async fn a_trace_is_kept_and_takes_the_place_of_itself(store: Store) {
    let later = Time(HOUR.0 + 3_600_000);
    let hours = [
        hour("ses-a", Some("cloud.example"), HOUR, 100),
        hour("ses-a", Some("cloud.example"), later, 50),
        hour("ses-a", None, later, 1),
        hour("10.0.0.7", Some("198.51.100.9"), HOUR, 9),
    ];
    let findings = [finding("session", "ses-a", Severity::High), finding("host", "10.0.0.7", Severity::Medium)];
    for _ in 0..2 {
        keep(&store, "trc-1", &[session("ses-a", &fleet::imei(0), 10), session("ses-b", &fleet::imei(1), 20)], &findings, &hours).await;
        let traces = store.traces(&Scope::ALL, 10).await.unwrap();
        assert_eq!(traces.iter().map(|t| (t.id.as_str(), t.sessions, t.findings, t.flows)).collect::<Vec<_>>(), [("trc-1", 2, 2, 3)]);
        let (sessions, count) = store.traffic_sessions(&Scope::ALL, Of::Trace("trc-1"), 1).await.unwrap();
        assert_eq!((sessions[0].id.as_str(), sessions.len(), count), ("ses-b", 1, 2));
        let peers = store.traffic_peers("ses-a", 10).await.unwrap();
        assert_eq!(
            peers.iter().map(|p| (p.peer.as_deref(), p.up, p.down, p.flows)).collect::<Vec<_>>(),
            [(Some("cloud.example"), 150, 300, 2), (None, 1, 2, 1)]
        );
        let hours = store.traffic_hours("ses-a", 10).await.unwrap();
        assert_eq!(hours.iter().map(|h| (h.hour, h.up, h.flows)).collect::<Vec<_>>(), [(HOUR, 100, 1), (later, 51, 2)]);
        let found = store.traffic_findings(&Scope::ALL, Of::All, 10).await.unwrap();
        assert_eq!(found, findings);
        assert_eq!(store.traffic_findings(&Scope::ALL, Of::Subject("10.0.0.7"), 10).await.unwrap(), findings[1..]);
    }
    assert_eq!(store.trace(&Scope::ALL, "trc-1").await.unwrap()["counters"]["packets"], 9);
    assert!(matches!(store.trace(&Scope::ALL, "trc-2").await, Err(StoreError::NotFound { .. })));
    keep(&store, "trc-1", &[], &[], &[]).await;
    assert_eq!(store.traffic_sessions(&Scope::ALL, Of::All, 10).await.unwrap(), (vec![], 0));
    assert!(store.check().await.unwrap().is_empty());
}

async fn sessions_are_found_by_device_and_seen_by_site(store: Store) {
    fleet_of(&store, 8).await;
    let stranger = session("ses-x", "86000000000000", 5);
    let sessions = [session("ses-a", &fleet::imei(0), 10), session("ses-b", &fleet::imei(1), 20), stranger];
    keep(&store, "trc-1", &sessions, &[finding("session", "ses-a", Severity::High), finding("host", "10.0.0.7", Severity::Low)], &[]).await;
    let device = fleet::id(0);
    let (found, count) = store.traffic_sessions(&Scope::ALL, Of::Device(&device), 10).await.unwrap();
    assert_eq!((found[0].id.as_str(), count), ("ses-a", 1));
    assert_eq!(store.traffic_findings(&Scope::ALL, Of::Device(&device), 10).await.unwrap().len(), 1);
    assert_eq!(found[0].imsi.as_deref(), Some("001010123456789"));
    // Numbers of subscribers are covered for whoever may not see them, in sentences too.
    let (masked, _) = store.traffic_sessions(&Scope::MASKED, Of::Device(&device), 10).await.unwrap();
    assert_eq!(masked[0].imsi.as_deref(), Some("00101…89"));
    let text = store.traffic_findings(&Scope::MASKED, Of::All, 10).await.unwrap()[0].because[0].clone();
    assert!(!text.contains("001010123456789"), "{text}");
    // Who sees one site sees the sessions of devices there, and nothing of addresses or traces.
    let site = fleet::site(0);
    let here = Scope::sites([site.as_str()]);
    let ids = |s: Vec<umbilical_store::traffic::SessionRow>| s.into_iter().map(|s| s.id).collect::<Vec<_>>();
    let (seen, _) = store.traffic_sessions(&here, Of::All, 10).await.unwrap();
    assert!(ids(seen.clone()).contains(&"ses-a".to_owned()) && !ids(seen).contains(&"ses-x".to_owned()));
    let elsewhere = Scope::sites(["nowhere"]);
    assert_eq!(store.traffic_sessions(&elsewhere, Of::All, 10).await.unwrap().1, 0);
    assert!(store.traffic_session(&elsewhere, "ses-a").await.is_err() && store.traffic_session(&here, "ses-a").await.is_ok());
    assert_eq!(store.traffic_findings(&here, Of::All, 10).await.unwrap().len(), 1);
    assert_eq!(store.traffic_findings(&elsewhere, Of::All, 10).await.unwrap().len(), 0);
    assert!(store.traces(&here, 10).await.unwrap().is_empty() && store.trace(&here, "trc-1").await.is_err());
}

async fn old_traces_go(store: Store) {
    keep(&store, "trc-1", &[session("ses-a", &fleet::imei(0), 10)], &[finding("host", "10.0.0.7", Severity::Low)], &[]).await;
    assert_eq!(store.retain_traces(ME, Time(NOW.0 - 1)).await.unwrap(), 0);
    assert_eq!(store.retain_traces(ME, Time(NOW.0 + 1)).await.unwrap(), 1);
    assert!(store.traces(&Scope::ALL, 10).await.unwrap().is_empty());
    assert!(store.traffic_findings(&Scope::ALL, Of::All, 10).await.unwrap().is_empty());
}
