//! What is on its way out is written with what made it, waits until it is acknowledged, and is never lost in silence.

use serde_json::json;
use umbilical_core::answer::Device;
use umbilical_core::finding::Severity;
use umbilical_store::query::Query;
use umbilical_store::{
    By, Decision, EACH, Happened, KEEP_DAYS, Many, OutEvent, Proposal, Scope, Sink, SinkFilter, SinkKind, SinkOf, Store, StoreError, Time,
    Turn, WaiverState,
};

use crate::answers::{answer, fleet_of, import};
use crate::support::{ME, NOW, fleet};

crate::suite!(
    nobody_listens_nothing_is_kept,
    a_first_answer_is_one_summary,
    what_an_answer_changed_is_told_finding_by_finding,
    too_many_are_told_in_one,
    a_sink_hears_what_it_asked_for,
    decisions_are_told,
    a_place_moves_with_the_acknowledgement_alone,
    what_is_refused_is_set_aside,
    what_is_too_old_is_counted,
    what_is_sent_covers_subscribers,
    secrets_stay_where_they_are,
);

fn sink_of(name: &str, filter: SinkFilter) -> SinkOf {
    SinkOf {
        name: name.into(),
        kind: SinkKind::Webhook,
        settings: json!({"url": "https://x.example"}),
        filter,
        subscribers: false,
        running: true,
    }
}

fn everything() -> SinkFilter {
    SinkFilter { severity: "info".into(), ..SinkFilter::default() }
}

async fn add(store: &Store, name: &str, filter: SinkFilter) -> Sink {
    let id = store.add_sink(ME, &sink_of(name, filter), &json!({"secret": "whsec_hidden"})).await.unwrap();
    store.sink(&id).await.unwrap()
}

async fn all(store: &Store, sink: &Sink) -> Vec<OutEvent> {
    store.outbox(sink, 1000).await.unwrap().events
}

/// `new dev-… HOUSE-1`, `decision …`, `summary`.
fn said(events: &[OutEvent]) -> Vec<String> {
    let one = |e: &OutEvent| match &e.what {
        Happened::Finding { turn, finding, device } => {
            assert_eq!(device.as_ref().unwrap().id, finding.subject.id);
            format!("{} {} {}", turn.name(), finding.subject.id, finding.code)
        }
        Happened::Decision { value, subject, .. } => format!("decision {value} {subject}"),
        Happened::Summary { first, findings, .. } => format!("summary {first} {findings}"),
        Happened::Test { .. } => panic!("tests are never kept"),
    };
    events.iter().map(one).collect()
}

async fn nobody_listens_nothing_is_kept(store: Store) {
    fleet_of(&store, 10).await;
    store.decide(&Scope::ALL, ME, &fleet::id(1), Decision::State("triage"), "", None).await.unwrap();
    let sink = add(&store, "late", everything()).await;
    assert_eq!(all(&store, &sink).await.len(), 0);
    assert!(!store.has_work(&sink).await.unwrap());
}

async fn a_first_answer_is_one_summary(store: Store) {
    let sink = add(&store, "early", SinkFilter::default()).await;
    fleet_of(&store, 1000).await;
    let events = all(&store, &sink).await;
    // HOUSE-1 fails for two of five, HOUSE-2 is unknown for each third.
    assert_eq!(said(&events), ["summary true 734"]);
    let Happened::Summary { devices, tallies, .. } = &events[0].what else { panic!() };
    assert_eq!(*devices, [1000, 0, 0]);
    let counted: Vec<_> = tallies.iter().map(|t| (t.turn, t.severity.as_str(), t.code.as_str(), t.count)).collect();
    assert_eq!(counted, [(Turn::New, "high", "HOUSE-1", 400), (Turn::New, "low", "HOUSE-2", 334)]);
}

/// The fleet with device 3 failing and device 0 passing.
fn other_way(n: usize) -> Vec<Device> {
    let turn = |mut device: Device| {
        let to = if device.id == fleet::id(3) {
            ("fail", Severity::Critical)
        } else if device.id == fleet::id(0) {
            ("pass", Severity::Info)
        } else {
            return device;
        };
        (device.findings[0].verdict, device.findings[0].severity) = (Some(to.0), to.1);
        device
    };
    fleet::devices(0..n).map(turn).collect()
}

async fn what_an_answer_changed_is_told_finding_by_finding(store: Store) {
    let inputs = import(&store, 0..8).await;
    answer(&store, &inputs, fleet::devices(0..6)).await;
    let sink = add(&store, "soc", everything()).await;
    // The same again is no news.
    answer(&store, &inputs, fleet::devices(0..6)).await;
    assert_eq!(all(&store, &sink).await.len(), 0);
    // Device 3 fails now, 0 passes, 5 is gone, 6 is new.
    let next: Vec<Device> = other_way(7).into_iter().filter(|d| d.id != fleet::id(5)).collect();
    answer(&store, &inputs, next.into_iter()).await;
    let events = all(&store, &sink).await;
    let mut told = said(&events);
    told.sort();
    let id = fleet::id;
    let mut expected = vec![
        format!("gone {} HOUSE-1", id(0)),
        format!("new {} HOUSE-1", id(3)),
        format!("gone {} HOUSE-1", id(5)),
        format!("new {} HOUSE-1", id(6)),
        format!("new {} HOUSE-2", id(6)),
    ];
    // n % 5 < 2 fails: 5 and 6 do.
    expected.sort();
    assert_eq!(told, expected);
    // In order, each with an id of its own, and with the names and modules of its device.
    let mut ids: Vec<&str> = events.iter().map(|e| e.id.as_str()).collect();
    assert!(events.windows(2).all(|w| w[0].seq < w[1].seq) && events.iter().all(|e| e.at == NOW));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let Happened::Finding { device: Some(device), finding, .. } = &events[0].what else { panic!() };
    assert!(device.names[0].starts_with("rtu-") && !device.modules.is_empty() && device.modules[0].claims.is_empty());
    assert!(finding.id.starts_with("fnd-"));

    // A verdict that is another is a change; one that is worse is told with both in reach of a filter.
    let mut worse = other_way(7);
    worse.retain(|d| d.id != fleet::id(5));
    let three = worse.iter_mut().find(|d| d.id == fleet::id(3)).unwrap();
    (three.findings[0].verdict, three.findings[0].severity) = (Some("review"), Severity::Low);
    let before = events.last().unwrap().seq;
    answer(&store, &inputs, worse.into_iter()).await;
    let strict =
        Sink { position: before, ..add(&store, "strict", SinkFilter { severity: "critical".into(), ..SinkFilter::default() }).await };
    assert_eq!(said(&all(&store, &strict).await), [format!("changed {} HOUSE-1", id(3))]);
}

async fn too_many_are_told_in_one(store: Store) {
    let inputs = import(&store, 0..3000).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let sink = add(&store, "soc", everything()).await;
    // 1,000 of `low` and 1,200 of `high` more: neither severity is told one by one.
    answer(&store, &inputs, fleet::devices(0..3000)).await;
    assert_eq!(said(&all(&store, &sink).await), ["summary false 2198"]);
    // Of 800 that are gone, 480 were high and told; with 267 low ones they are not more than the bound.
    let at = store.outbox(&sink, 1).await.unwrap().upto;
    answer(&store, &inputs, fleet::devices(0..2200)).await;
    let next = Sink { position: at, ..sink.clone() };
    let batch = store.outbox(&next, 1000).await.unwrap();
    assert!(batch.events.len() <= EACH && said(&batch.events).iter().all(|s| s.starts_with("gone")));
    let expected = (2200..3000).filter(|n| n % 5 < 2).count() + (2200..3000).filter(|n| n % 3 == 0).count();
    assert_eq!(batch.events.len(), expected);
    // 1,400 of each third and two of five: the high ones fit, the low ones are counted.
    let at = batch.upto;
    answer(&store, &inputs, fleet::devices(0..400)).await;
    let next = Sink { position: at, ..sink.clone() };
    let told = said(&store.outbox(&next, 1000).await.unwrap().events);
    let (high, low) = ((400..2200).filter(|n| n % 5 < 2).count(), (400..2200).filter(|n| n % 3 == 0).count());
    assert_eq!(
        (told.iter().filter(|t| t.ends_with("HOUSE-1")).count(), told.last().unwrap().as_str()),
        (high, &*format!("summary false {low}"))
    );
}

async fn a_sink_hears_what_it_asked_for(store: Store) {
    let inputs = import(&store, 0..40).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let with = |change: fn(&mut SinkFilter)| {
        let mut filter = everything();
        change(&mut filter);
        filter
    };
    let (high, low) = ((1..40).filter(|n| n % 5 < 2).count(), (1..40).filter(|n| n % 3 == 0).count());
    let cases: Vec<(&str, SinkFilter, usize)> = vec![
        ("all", everything(), high + low),
        ("usual", SinkFilter::default(), high),
        ("unknown", with(|f| f.verdicts = vec!["unknown".into()]), low),
        ("none", with(|f| f.verdicts = vec!["none".into()]), 0),
        ("one code", with(|f| f.codes = vec!["HOUSE-2".into()]), low),
        ("a beginning", with(|f| f.codes = vec!["HOUSE*".into()]), high + low),
        ("another", with(|f| f.codes = vec!["OTHER*".into(), "HOUSE".into(), "house*".into()]), 0),
    ];
    let mut sinks = Vec::new();
    for (name, filter, _) in &cases {
        sinks.push(add(&store, name, filter.clone()).await);
    }
    answer(&store, &inputs, fleet::devices(0..40)).await;
    for (sink, (name, _, expected)) in sinks.iter().zip(&cases) {
        assert_eq!(all(&store, sink).await.len(), *expected, "{name}");
        assert_eq!(store.waiting(sink).await.unwrap(), (*expected as u64, (*expected > 0).then_some(NOW)), "{name}");
    }
    for wrong in [
        with(|f| f.severity = "loud".into()),
        with(|f| f.verdicts = vec!["pass".into()]),
        with(|f| f.codes = vec!["A*B".into()]),
        with(|f| f.codes = vec![String::new()]),
    ] {
        assert!(matches!(store.add_sink(ME, &sink_of("wrong", wrong), &json!({})).await, Err(StoreError::Invalid(_))));
    }
    assert!(matches!(store.add_sink(ME, &sink_of("all", everything()), &json!({})).await, Err(StoreError::Conflict(_))));
}

async fn decisions_are_told(store: Store) {
    fleet_of(&store, 20).await;
    let sink = add(&store, "soc", everything()).await;
    let quiet = add(&store, "quiet", SinkFilter { decisions: false, ..everything() }).await;
    let fails = add(&store, "fails", SinkFilter { severity: "high".into(), ..SinkFilter::default() }).await;
    let id = fleet::id(3);
    let finding = store.device(&Scope::ALL, &fleet::id(1)).await.unwrap().device.findings[0].id.clone();
    let until = Some(Time(NOW.0 + 1000));
    store.decide(&Scope::ALL, ME, &id, Decision::State("triage"), "seen", None).await.unwrap();
    store.decide(&Scope::ALL, ME, &id, Decision::Tag("spare"), "", None).await.unwrap();
    store.decide(&Scope::ALL, ME, &id, Decision::Note, "a note stays here", None).await.unwrap();
    store.decide(&Scope::ALL, ME, &finding, Decision::State("accepted"), "in a cage", until).await.unwrap();
    let low = Query::parse("code:HOUSE-2").unwrap();
    let count = store.count_many(&Scope::ALL, Many::Findings, &low).await.unwrap();
    store.decide_many(&Scope::ALL, ME, (Many::Findings, &low, count), Decision::State("triage"), "", None).await.unwrap();
    store.end_expired(By { who: "umbilical", at: Time(NOW.0 + 2000) }).await.unwrap();
    let proposal = Proposal {
        code: "HOUSE-1".into(),
        subject: "*".into(),
        module: None,
        reason: "fenced".into(),
        until: "2027-01-31".into(),
        justification: None,
    };
    let waiver = store.propose_waiver(ME, "prs-1", &proposal).await.unwrap();
    store.settle_waiver(ME, &waiver, WaiverState::Approved, "", |_| Ok(())).await.unwrap();
    let events = all(&store, &sink).await;
    let told = said(&events);
    assert_eq!(told[..2], [format!("decision triage {id}"), format!("decision accepted {finding}")]);
    assert_eq!(told.len(), 2 + usize::try_from(count).unwrap() + 2, "{told:?}");
    assert_eq!(told[told.len() - 2..], [format!("decision new {finding}"), format!("decision approved {waiver}")]);
    let Happened::Decision { who, comment, device, device_name, code, expires, .. } = &events[1].what else { panic!() };
    assert_eq!(
        (who.as_str(), comment.as_str(), device.as_ref(), code.as_deref()),
        ("ana", "in a cage", Some(&fleet::id(1)), Some("HOUSE-1"))
    );
    assert_eq!((device_name.as_deref(), expires.is_some()), (Some("rtu-000001"), true));
    assert_eq!(all(&store, &quiet).await.len(), 0);
    // What concerns a finding is told to whom the finding was told.
    assert_eq!(all(&store, &fails).await.len(), 4);
    // A decision about more than the bound is one event.
    let inputs = import(&store, 20..2000).await;
    answer(&store, &inputs, fleet::devices(0..2000)).await;
    let at = store.outbox(&sink, 1000).await.unwrap().upto;
    store.decide_many(&Scope::ALL, ME, (Many::Devices, &Query::all(), 2000), Decision::State("triage"), "", None).await.unwrap();
    let late = Sink { position: store.outbox(&Sink { position: at, ..sink.clone() }, 1000).await.unwrap().upto - 1, ..sink };
    assert_eq!(said(&all(&store, &late).await), ["decision triage devices"]);
}

async fn a_place_moves_with_the_acknowledgement_alone(store: Store) {
    let inputs = import(&store, 0..40).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let sink = add(&store, "soc", everything()).await;
    answer(&store, &inputs, fleet::devices(0..40)).await;
    let first = store.outbox(&sink, 5).await.unwrap();
    assert_eq!((first.events.len(), first.upto), (5, first.events[4].seq));
    // Asked again, the same comes: nothing was acknowledged.
    let again = store.outbox(&store.sink(&sink.id).await.unwrap(), 5).await.unwrap();
    assert_eq!(again.events.iter().map(|e| &e.id).collect::<Vec<_>>(), first.events.iter().map(|e| &e.id).collect::<Vec<_>>());
    store.not_delivered(&sink.id, "connection refused", 3, Time(NOW.0 + 4000), NOW).await.unwrap();
    let failing = store.sink(&sink.id).await.unwrap();
    assert_eq!((failing.error.as_deref(), failing.tries, failing.failing, failing.position), (Some("connection refused"), 3, Some(NOW), 0));
    assert!(store.delivered(&failing, first.upto, 5, None, NOW).await.unwrap());
    // Who was behind another's back comes too late.
    assert!(!store.delivered(&failing, first.upto, 5, None, NOW).await.unwrap());
    let moved = store.sink(&sink.id).await.unwrap();
    assert_eq!((moved.sent, moved.error, moved.tries, moved.position, moved.success), (5, None, 0, first.upto, Some(NOW)));
    let (waiting, since) = store.waiting(&store.sink(&sink.id).await.unwrap()).await.unwrap();
    assert_eq!((waiting + 5, since), (said(&all(&store, &sink).await).len() as u64, Some(NOW)));

    // What every sink has behind it goes; numbers are not given again.
    let rest = store.outbox(&store.sink(&sink.id).await.unwrap(), 1000).await.unwrap();
    assert!(store.delivered(&store.sink(&sink.id).await.unwrap(), rest.upto, rest.events.len() as u64, None, NOW).await.unwrap());
    assert_eq!(store.expire_outbox(ME).await.unwrap(), []);
    assert_eq!(all(&store, &sink).await.len(), 0, "the rows are gone");
    answer(&store, &inputs, fleet::devices(0..39)).await;
    let next = all(&store, &store.sink(&sink.id).await.unwrap()).await;
    assert!(!next.is_empty() && next[0].seq == rest.upto + 1, "{next:?}");
    // One that is paused keeps its place.
    let paused = SinkOf { running: false, ..sink_of("soc", everything()) };
    store.change_sink(ME, &sink.id, &paused, None).await.unwrap();
    assert_eq!(store.waiting(&store.sink(&sink.id).await.unwrap()).await.unwrap().0, next.len() as u64);
    store.remove_sink(ME, &sink.id).await.unwrap();
    assert!(matches!(store.sink(&sink.id).await, Err(StoreError::NotFound { .. })));
}

async fn what_is_refused_is_set_aside(store: Store) {
    let inputs = import(&store, 0..8).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let sink = add(&store, "soc", everything()).await;
    answer(&store, &inputs, fleet::devices(0..8)).await;
    let events = all(&store, &sink).await;
    store.delivered(&sink, events[0].seq, 0, Some((&events[0], "400: no such field")), NOW).await.unwrap();
    let aside = store.undelivered(&sink.id, 100).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].id.as_str(), aside[0].why.as_str(), aside[0].again), (events[0].id.as_str(), "400: no such field", false));
    let now = store.sink(&sink.id).await.unwrap();
    assert_eq!((now.refused, now.sent, now.success), (1, 0, None));
    assert_eq!(all(&store, &now).await.len(), events.len() - 1, "the rest is not held up");
    // Its row may be gone: it is kept apart.
    let rest = store.outbox(&now, 1000).await.unwrap();
    store.delivered(&now, rest.upto, rest.events.len() as u64, None, NOW).await.unwrap();
    store.expire_outbox(ME).await.unwrap();
    assert!(matches!(store.send_again(ME, &sink.id, Some(99_999)).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.send_again(ME, &sink.id, None).await.unwrap(), 1);
    let now = store.sink(&sink.id).await.unwrap();
    assert!(store.has_work(&now).await.unwrap());
    let again = store.again(&now, 10).await.unwrap();
    assert_eq!((again[0].id.as_str(), said(&again)), (events[0].id.as_str(), said(&events[..1])));
    store.sent_again(&sink.id, again[0].seq, Some("413: too large"), NOW).await.unwrap();
    assert_eq!(store.undelivered(&sink.id, 100).await.unwrap()[0].why, "413: too large");
    store.send_again(ME, &sink.id, Some(again[0].seq)).await.unwrap();
    store.sent_again(&sink.id, again[0].seq, None, NOW).await.unwrap();
    assert_eq!(store.undelivered(&sink.id, 100).await.unwrap(), []);
}

async fn what_is_too_old_is_counted(store: Store) {
    let inputs = import(&store, 0..40).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let sink = add(&store, "down", SinkFilter::default()).await;
    answer(&store, &inputs, fleet::devices(0..40)).await;
    let (waiting, _) = store.waiting(&sink).await.unwrap();
    let later = |days: u32| By { who: "umbilical", at: Time(NOW.0 + i64::from(days) * 86_400_000) };
    assert_eq!(store.expire_outbox(later(KEEP_DAYS)).await.unwrap(), []);
    let expired = store.expire_outbox(later(KEEP_DAYS + 1)).await.unwrap();
    assert_eq!((expired.len(), expired[0].name.as_str(), expired[0].events), (1, "down", waiting));
    let sink = store.sink(&sink.id).await.unwrap();
    assert_eq!((sink.expired, store.waiting(&sink).await.unwrap().0), (waiting, 0));
    let log = store.audit_rows(None, 1).await.unwrap();
    assert_eq!((log[0].what.as_str(), &log[0].detail["events"]), ("sink.expire", &json!(waiting)));
    assert_eq!(store.expire_outbox(later(KEEP_DAYS + 2)).await.unwrap(), []);
}

async fn what_is_sent_covers_subscribers(store: Store) {
    let inputs = import(&store, 0..4).await;
    answer(&store, &inputs, fleet::devices(0..1)).await;
    let sink = add(&store, "soc", everything()).await;
    let whole = SinkOf { subscribers: true, ..sink_of("whole", everything()) };
    let whole = store.add_sink(ME, &whole, &json!({})).await.unwrap();
    let named = fleet::devices(0..4).map(|mut d| {
        let iccid = d.identifiers.iccid[0].clone();
        d.names = vec![format!("box {iccid}")];
        d.findings.iter_mut().for_each(|f| f.because.push(format!("the card {iccid} was seen")));
        d
    });
    answer(&store, &inputs, named).await;
    let text = |events: Vec<OutEvent>| events.iter().map(|e| serde_json::to_string(&e.what).unwrap()).collect::<String>();
    let (covered, open) = (text(all(&store, &sink).await), text(all(&store, &store.sink(&whole).await.unwrap()).await));
    let (iccid, imsi) = (fleet::iccid(1), "999700000000001");
    assert!(open.contains(&iccid) && open.contains(imsi), "{open}");
    assert!(covered.contains("HOUSE-1") && !covered.contains(&iccid) && !covered.contains(imsi), "{covered}");
}

async fn secrets_stay_where_they_are(store: Store) {
    let sink = add(&store, "soc", everything()).await;
    store.change_sink(ME, &sink.id, &sink_of("renamed", everything()), Some(&json!({"secret": "whsec_second"}))).await.unwrap();
    assert_eq!(store.sink_secret(&sink.id).await.unwrap(), json!({"secret": "whsec_second"}));
    store.change_sink(ME, &sink.id, &sink_of("renamed", SinkFilter::default()), None).await.unwrap();
    assert_eq!(store.sink_secret(&sink.id).await.unwrap(), json!({"secret": "whsec_second"}));
    let other = SinkOf { kind: SinkKind::Mail, ..sink_of("renamed", everything()) };
    assert!(matches!(store.change_sink(ME, &sink.id, &other, None).await, Err(StoreError::Invalid(_))));
    store.remove_sink(ME, &sink.id).await.unwrap();
    let log = store.audit_rows(None, 100).await.unwrap();
    assert_eq!(log.iter().filter(|r| r.what.starts_with("sink.")).count(), 4);
    assert!(log.iter().all(|r| !r.detail.to_string().contains("whsec")), "{log:?}");
    assert_eq!(store.verify_audit(None).await.unwrap(), Vec::<String>::new());
}
