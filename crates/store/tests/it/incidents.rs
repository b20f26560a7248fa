//! What detectors found stands among the findings, once for each thing that goes on, and people mute what they need not see.

use serde_json::json;
use umbilical_core::answer::Device;
use umbilical_core::date::Day;
use umbilical_core::finding::{Finding, Severity};
use umbilical_store::query::Query;
use umbilical_store::traffic::{NewTrace, Of};
use umbilical_store::{By, Decision, Happened, MuteRule, Page, Scope, Sink, SinkFilter, SinkKind, SinkOf, Store, StoreError, Time, query};

use crate::answers::{answer, fleet_of, import};
use crate::support::{ME, NOW, fleet};
use crate::traffic::{finding, session};

crate::suite!(
    an_incident_is_a_finding_like_any_other,
    it_is_told_once_and_goes_on,
    answers_leave_incidents_where_they_belong,
    what_hangs_on_a_device_moves_the_severity_by_a_step,
    what_is_muted_is_hidden_counted_and_comes_back,
    a_mute_ends_on_its_day,
    site_by_site,
);

/// A beacon of a session, at these hours of a day.
fn beacon(session: &str, severity: Severity, hours: [u8; 2], flows: u64) -> Finding {
    let at = |h: u8| format!("2026-09-20T{h:02}:00:00.000000Z");
    Finding {
        id: umbilical_core::id::content_id("fnd-", "beacon", session),
        code: "beacon".into(),
        first: Some(at(hours[0])),
        last: Some(at(hours[1])),
        detail: json!({"peer": "time.cloud.example:443", "flows": flows, "at": at(hours[0])}),
        ..finding("session", session, severity)
    }
}

async fn keep(store: &Store, by: By<'_>, id: &str, sessions: &[(&str, usize)], findings: &[Finding]) {
    let sessions: Vec<_> = sessions.iter().map(|(id, n)| session(id, &fleet::imei(*n), 10)).collect();
    let range = (Time(NOW.0 - 7_200_000), NOW);
    let body = json!({});
    let new = NewTrace {
        id,
        name: &format!("{id}.pcap"),
        range,
        packets: 9,
        bytes: 900,
        flows: 3,
        body: &body,
        sessions: &sessions,
        findings,
        hours: &[],
    };
    store.keep_trace(by, &new).await.unwrap();
}

async fn listed(store: &Store, scope: &Scope, q: &str) -> Vec<String> {
    let query = Query::parse(q).unwrap();
    let page = store.findings(scope, &query, Page { limit: 1000, ..Page::default() }).await.unwrap();
    assert!(page.count.n == page.rows.len() as u64 && page.count.exact, "{q}: {:?} of {}", page.count, page.rows.len());
    page.rows.into_iter().map(|row| row.finding.id).collect()
}

async fn devices(store: &Store, q: &str) -> Vec<String> {
    let query = Query::parse(q).unwrap();
    let page = store.devices(&Scope::ALL, &query, Page { limit: 1000, ..Page::default() }).await.unwrap();
    assert_eq!(page.count.n, page.rows.len() as u64, "{q}");
    page.rows.into_iter().map(|row| row.id).collect()
}

async fn add_sink(store: &Store) -> Sink {
    let of = SinkOf {
        name: "soc".into(),
        kind: SinkKind::Webhook,
        settings: json!({"url": "https://x.example"}),
        filter: SinkFilter { severity: "info".into(), ..SinkFilter::default() },
        subscribers: false,
        running: true,
    };
    let id = store.add_sink(ME, &of, &json!({"secret": "whsec_hidden"})).await.unwrap();
    store.sink(&id).await.unwrap()
}

/// `new medium dev-…`, `decision …`: what a sink has heard so far.
async fn heard(store: &Store, sink: &Sink) -> Vec<String> {
    let one = |what: &Happened| match what {
        Happened::Finding { turn, finding, device } => {
            let device = device.as_ref().map_or("nobody", |d| d.id.as_str());
            format!("{} {} {device}", turn.name(), finding.severity.name())
        }
        Happened::Decision { kind, value, .. } => format!("{kind} {value}"),
        other => panic!("{other:?}"),
    };
    store.outbox(sink, 1000).await.unwrap().events.iter().map(|e| one(&e.what)).collect()
}

async fn an_incident_is_a_finding_like_any_other(store: Store) {
    fleet_of(&store, 8).await;
    let (mine, host) = (beacon("ses-a", Severity::Critical, [1, 2], 7), finding("host", "10.0.0.7", Severity::Low));
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[mine.clone(), host.clone()]).await;
    for (q, ids) in [
        ("source:detector", vec![&mine.id, &host.id]),
        ("code:beacon", vec![&mine.id]),
        ("source:detector severity>=high", vec![&mine.id]),
        ("source:detector maker:cumulus", vec![&mine.id]),
        ("source:detector rtu-000003", vec![&mine.id]),
    ] {
        assert_eq!(listed(&store, &Scope::ALL, q).await, ids.into_iter().cloned().collect::<Vec<_>>(), "{q}");
    }
    // Lists of devices, counts and the device itself know it.
    let device = fleet::id(3);
    for q in ["code:beacon", "source:detector", "severity>=critical"] {
        assert_eq!(devices(&store, q).await, std::slice::from_ref(&device), "{q}");
    }
    let row = store.devices(&Scope::ALL, &Query::parse("code:beacon").unwrap(), Page::default()).await.unwrap().rows.remove(0);
    let whole = store.device(&Scope::ALL, &device).await.unwrap().device;
    assert_eq!((row.severity, row.findings), (Some("critical"), 2), "{:?}", whole.findings);
    assert_eq!(whole.findings.iter().filter(|f| f.verdict != Some("pass")).count(), 2);
    let codes = store.codes(&Scope::ALL, &Query::parse("source:detector").unwrap(), 10).await.unwrap();
    assert_eq!(codes.iter().map(|c| (c.code.as_str(), c.findings)).collect::<Vec<_>>(), [("beacon", 1), ("scan", 1)]);
    let found = store.finding(&Scope::ALL, &mine.id).await.unwrap();
    assert_eq!((&found.finding, found.device.map(|d| d.0)), (&mine, Some(device.clone())));
    // Triage as of any other; to watch the same again changes nothing of it.
    store.decide(&Scope::ALL, ME, &mine.id, Decision::State("closed"), "known", None).await.unwrap();
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[mine.clone(), host.clone()]).await;
    assert_eq!(listed(&store, &Scope::ALL, "state:closed").await, std::slice::from_ref(&mine.id));
    assert_eq!(store.traffic_findings(&Scope::ALL, Of::Device(&device), 10).await.unwrap(), [mine]);
    let kept = store.incident(&Scope::ALL, &host.id).await.unwrap().unwrap();
    assert_eq!((kept.subjects, kept.sightings.len(), kept.sightings[0].trace.as_deref()), (vec!["10.0.0.7".into()], 1, Some("trc-1")));
    assert!(store.incident(&Scope::ALL, "fnd-000000000000").await.unwrap().is_none());
    assert!(store.check().await.unwrap().is_empty());
}

async fn it_is_told_once_and_goes_on(store: Store) {
    fleet_of(&store, 8).await;
    let sink = add_sink(&store).await;
    let device = fleet::id(3);
    let first = beacon("ses-a", Severity::Medium, [1, 2], 7);
    for _ in 0..3 {
        keep(&store, ME, "trc-1", &[("ses-a", 3)], std::slice::from_ref(&first)).await;
        assert_eq!(heard(&store, &sink).await, [format!("new medium {device}")]);
    }
    // The next capture: the module has attached anew, and goes on. It is the same incident under the same id.
    let later = Time(NOW.0 + 3_600_000);
    keep(&store, By { at: later, ..ME }, "trc-2", &[("ses-b", 3)], &[beacon("ses-b", Severity::Medium, [5, 6], 4)]).await;
    assert_eq!(heard(&store, &sink).await.len(), 1);
    assert_eq!(listed(&store, &Scope::ALL, "source:detector").await, std::slice::from_ref(&first.id));
    let row = store.finding(&Scope::ALL, &first.id).await.unwrap();
    assert_eq!((row.finding.last.as_deref(), row.since), (Some("2026-09-20T06:00:00.000000Z"), NOW));
    assert_eq!((&row.finding.detail["flows"], &row.finding.detail["captures"]), (&json!(11), &json!(2)));
    // By the id that it has in the second trace it is found, too.
    assert_eq!(store.finding(&Scope::ALL, &beacon("ses-b", Severity::Low, [1, 1], 1).id).await.unwrap().finding.id, first.id);
    let behind = store.incident(&Scope::ALL, &first.id).await.unwrap().unwrap();
    assert_eq!((behind.subjects.len(), behind.sightings.len()), (2, 2));
    for session in ["ses-a", "ses-b"] {
        assert_eq!(store.traffic_findings(&Scope::ALL, Of::Subject(session), 9).await.unwrap().len(), 1, "{session}");
    }
    // Another module that does the same is another.
    keep(&store, ME, "trc-3", &[("ses-c", 4)], &[beacon("ses-c", Severity::Medium, [5, 6], 4)]).await;
    assert_eq!(listed(&store, &Scope::ALL, "source:detector").await.len(), 2);
    // It gets worse, and it is gone with the traces that held it.
    keep(&store, ME, "trc-2", &[("ses-b", 3)], &[beacon("ses-b", Severity::High, [5, 7], 9)]).await;
    keep(&store, ME, "trc-1", &[], &[]).await;
    keep(&store, ME, "trc-2", &[], &[]).await;
    let expected = ["new medium", "new medium", "changed high", "gone high"];
    let all = heard(&store, &sink).await;
    assert!(all.iter().zip(expected).all(|(a, b)| a.starts_with(b)) && all.len() == 4, "{all:?}");
    assert_eq!(devices(&store, "code:beacon").await, [fleet::id(4)]);
}

async fn answers_leave_incidents_where_they_belong(store: Store) {
    // What is watched before the fleet is known waits for it.
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[beacon("ses-a", Severity::High, [1, 2], 7)]).await;
    let id = beacon("ses-a", Severity::High, [1, 2], 7).id;
    let of = async |id: &str| store.finding(&Scope::ALL, id).await.unwrap().device.map(|d| d.0);
    assert_eq!(of(&id).await, None);
    let sink = add_sink(&store).await;
    let inputs = import(&store, 0..8).await;
    answer(&store, &inputs, fleet::devices(0..8)).await;
    assert_eq!(of(&id).await, Some(fleet::id(3)));
    let before = store.outbox(&sink, 100).await.unwrap().events.len();
    // The same answer again is no change; one of which the device is another keeps the incident; without the device it is nobody's.
    assert_eq!(answer(&store, &inputs, fleet::devices(0..8)).await.changed, 0);
    let renamed = |mut d: Device| {
        if d.id == fleet::id(3) {
            d.names = vec!["pump-3".into()];
            d.identifiers.site = vec!["Elsewhere".into()];
        }
        d
    };
    assert_eq!(answer(&store, &inputs, fleet::devices(0..8).map(renamed)).await.changed, 1);
    assert_eq!((of(&id).await, listed(&store, &Scope::ALL, "source:detector site:elsewhere").await.len()), (Some(fleet::id(3)), 1));
    assert_eq!(devices(&store, "code:beacon").await, [fleet::id(3)]);
    let without = || fleet::devices(0..8).filter(|d| d.id != fleet::id(3));
    answer(&store, &inputs, without()).await;
    assert_eq!((of(&id).await, devices(&store, "code:beacon").await.len()), (None, 0));
    assert_eq!(listed(&store, &Scope::ALL, "source:detector").await, std::slice::from_ref(&id));
    answer(&store, &inputs, fleet::devices(0..8)).await;
    assert_eq!(devices(&store, "code:beacon").await, [fleet::id(3)]);
    // Nobody was told that it came or went.
    let told = store.outbox(&sink, 100).await.unwrap().events;
    assert!(
        told.iter().skip(before).all(|e| !matches!(&e.what, Happened::Finding { finding, .. } if finding.source == "detector")),
        "{told:?}"
    );
    // What rules found is there beside it, and counted once.
    assert_eq!(
        listed(&store, &Scope::ALL, "").await.len(),
        store.codes(&Scope::ALL, &Query::all(), 99).await.unwrap().iter().map(|c| c.findings as usize).sum::<usize>()
    );
}

async fn what_hangs_on_a_device_moves_the_severity_by_a_step(store: Store) {
    let inputs = import(&store, 0..8).await;
    let with = |criticality: Option<&str>, role: Option<&str>| {
        let (criticality, role): (Vec<String>, Vec<String>) =
            (criticality.map(Into::into).into_iter().collect(), role.map(Into::into).into_iter().collect());
        fleet::devices(0..8).map(move |mut d| {
            if d.id == fleet::id(3) {
                (d.duty.criticality, d.duty.role) = (criticality.clone(), role.clone());
            }
            d
        })
    };
    answer(&store, &inputs, with(Some("high"), None)).await;
    let mine = beacon("ses-a", Severity::Medium, [1, 2], 7);
    let host = finding("host", "10.0.0.7", Severity::Medium);
    let sink = add_sink(&store).await;
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[mine.clone(), host]).await;
    let shown = async || store.finding(&Scope::ALL, &mine.id).await.unwrap().finding;
    let finding = shown().await;
    assert_eq!((finding.severity, &finding.detail["detector_severity"]), (Severity::High, &json!("medium")));
    assert!(finding.detail["severity_because"].as_str().unwrap().ends_with("criticality high"));
    assert_eq!(listed(&store, &Scope::ALL, "criticality:high source:detector").await, std::slice::from_ref(&mine.id));
    assert_eq!(devices(&store, "criticality:high").await, [fleet::id(3)]);
    // Nobody says anything of it any more; then that little hangs on it; then that it moves something all the same.
    for (criticality, role, severity) in
        [(None, None, Severity::Medium), (Some("low"), Some("monitor"), Severity::Low), (Some("low"), Some("control"), Severity::High)]
    {
        answer(&store, &inputs, with(criticality, role)).await;
        assert_eq!(shown().await.severity, severity, "{criticality:?} {role:?}");
    }
    let told: Vec<String> = heard(&store, &sink).await;
    let worse = ["new high", "new medium nobody", "changed medium", "changed low", "changed high"];
    assert!(told.len() == 5 && told.iter().zip(worse).all(|(a, b)| a.starts_with(b)), "{told:?}");
}

fn rule(subject: Option<&str>, peer: Option<&str>) -> MuteRule {
    MuteRule { code: "beacon".into(), subject: subject.map(Into::into), peer: peer.map(Into::into) }
}

const UNTIL: Day = Day { year: 2026, month: 12, day: 31 };

async fn what_is_muted_is_hidden_counted_and_comes_back(store: Store) {
    fleet_of(&store, 8).await;
    let sink = add_sink(&store).await;
    let one = |session: &str| beacon(session, Severity::High, [1, 2], 7);
    keep(&store, ME, "trc-1", &[("ses-a", 3), ("ses-b", 4)], &[one("ses-a"), one("ses-b"), finding("host", "10.0.0.7", Severity::Low)])
        .await;
    let preview = store.preview_mute(&Scope::ALL, &rule(None, Some("cloud.example")), NOW).await.unwrap();
    assert_eq!((preview.hides, preview.of, preview.rows.len()), (2, 3, 2));
    let only = rule(Some(&fleet::id(3)), Some("cloud.example"));
    assert_eq!(store.preview_mute(&Scope::ALL, &only, NOW).await.unwrap().hides, 1);
    let month = Time(NOW.0 + 40 * 86_400_000);
    let later = store.preview_mute(&Scope::ALL, &only, month).await.unwrap();
    assert_eq!((later.hides, later.of, later.older), (0, 0, 1), "older than thirty days");
    assert_eq!(store.muted_count(&Scope::ALL).await.unwrap(), 0, "a preview hides nothing");

    let mute = store.add_mute(ME, &only, UNTIL, "the maker's clock").await.unwrap();
    assert_eq!(listed(&store, &Scope::ALL, "code:beacon").await, [one("ses-b").id]);
    assert_eq!((devices(&store, "code:beacon").await, store.muted_count(&Scope::ALL).await.unwrap()), (vec![fleet::id(4)], 1));
    assert_eq!(store.muted(&Scope::ALL, Some(&mute), 10).await.unwrap()[0].finding.id, one("ses-a").id);
    assert!(store.traffic_findings(&Scope::ALL, Of::Device(&fleet::id(3)), 9).await.unwrap().is_empty());
    assert_eq!(store.traces(&Scope::ALL, 9).await.unwrap()[0].findings, 2);
    let hidden = store.finding(&Scope::ALL, &one("ses-a").id).await.unwrap();
    assert_eq!((hidden.muted.as_deref(), hidden.device.map(|d| d.0)), (Some(mute.as_str()), Some(fleet::id(3))));
    assert_eq!(store.mutes().await.unwrap()[0].hides, 1);
    // What comes later and is of this kind stays hidden, whatever the fleet's answer; what sinks were not told they hear when it is shown.
    keep(&store, ME, "trc-2", &[("ses-c", 3)], &[beacon("ses-c", Severity::Critical, [9, 10], 1)]).await;
    fleet_of(&store, 8).await;
    assert_eq!(store.muted_count(&Scope::ALL).await.unwrap(), 1);
    let told = heard(&store, &sink).await;
    assert_eq!(told.iter().filter(|t| t.starts_with("changed")).count(), 0, "{told:?}");
    assert!(matches!(store.add_mute(ME, &only, UNTIL, "again").await, Err(StoreError::Conflict(_))));
    store.withdraw_mute(ME, &mute, "it is the maker's no longer").await.unwrap();
    assert_eq!((listed(&store, &Scope::ALL, "code:beacon").await.len(), store.muted_count(&Scope::ALL).await.unwrap()), (2, 0));
    assert!(matches!(store.withdraw_mute(ME, &mute, "").await, Err(StoreError::Conflict(_))));
    let told = heard(&store, &sink).await;
    let expected = ["new", "new", "new", "mute made", "mute withdrawn", "changed critical"];
    assert!(expected.iter().all(|e| told.iter().any(|t| t.starts_with(e))) && told.len() == 6, "{told:?}");
    let rows = store.audit_rows(None, 100).await.unwrap();
    for (what, member, value) in [("mute.add", "reason", "the maker's clock"), ("mute.withdraw", "comment", "it is the maker's no longer")]
    {
        let row = rows.iter().find(|r| r.what == what).unwrap();
        assert_eq!((row.subject.as_str(), row.detail[member].as_str()), (mute.as_str(), Some(value)));
    }
}

async fn a_mute_ends_on_its_day(store: Store) {
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[beacon("ses-a", Severity::High, [1, 2], 7)]).await;
    let refused = async |rule: &MuteRule, until: Day, why: &str| match store.add_mute(ME, rule, until, why).await {
        Err(StoreError::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let all = rule(None, None);
    let far = Day { year: 2027, month: 10, day: 1 };
    assert_eq!(refused(&all, far, "known").await, "until");
    assert_eq!(refused(&all, Day { year: 2026, month: 9, day: 1 }, "known").await, "until");
    assert_eq!(refused(&all, UNTIL, " ").await, "reason");
    assert_eq!(refused(&rule(Some("dev-000000000000"), None), UNTIL, "known").await, "subject");
    assert_eq!(refused(&MuteRule { code: "no-such".into(), ..rule(None, None) }, UNTIL, "known").await, "code");
    let id = store.add_mute(ME, &all, UNTIL, "known").await.unwrap();
    let by = |day: i64| By { who: "umbilical", at: Time(1_798_675_200_000 + day * 86_400_000) };
    // 2026-12-31 counts whole.
    store.tidy_incidents(by(0)).await.unwrap();
    assert_eq!(store.muted_count(&Scope::ALL).await.unwrap(), 1);
    store.tidy_incidents(by(1)).await.unwrap();
    assert_eq!((store.muted_count(&Scope::ALL).await.unwrap(), listed(&store, &Scope::ALL, "code:beacon").await.len()), (0, 1));
    assert_eq!(store.mute(&id).await.unwrap().ended_by.as_deref(), Some("umbilical"));
    assert_eq!(query::STATES[0], "new");
}

async fn site_by_site(store: Store) {
    fleet_of(&store, 8).await;
    let mine = beacon("ses-a", Severity::High, [1, 2], 7);
    keep(&store, ME, "trc-1", &[("ses-a", 3)], &[mine.clone(), finding("host", "10.0.0.7", Severity::Low)]).await;
    let (here, elsewhere) = (Scope::sites([fleet::site(3)]), Scope::sites(["nowhere"]));
    assert_eq!(listed(&store, &here, "source:detector").await, std::slice::from_ref(&mine.id));
    assert!(listed(&store, &elsewhere, "source:detector").await.is_empty() && store.finding(&elsewhere, &mine.id).await.is_err());
    let behind = store.incident(&here, &mine.id).await.unwrap().unwrap();
    assert_eq!((behind.sightings[0].trace.as_deref(), behind.sightings[0].name.as_deref()), (None, None));
    assert!(store.incident(&elsewhere, &mine.id).await.unwrap().is_none());
    store.add_mute(ME, &rule(None, None), UNTIL, "known").await.unwrap();
    assert_eq!((store.muted_count(&here).await.unwrap(), store.muted_count(&elsewhere).await.unwrap()), (1, 0));
    assert!(store.finding(&here, &mine.id).await.is_ok() && store.finding(&elsewhere, &mine.id).await.is_err());
    // Subscriber numbers are covered in what is hidden, too.
    assert!(!store.muted(&here, None, 9).await.unwrap()[0].finding.because[0].contains("001010123456789"));
}
