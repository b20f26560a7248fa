//! What people decide is a log of its own, and no recompute loses it.

use umbilical_store::query::Query;
use umbilical_store::{By, Decision, Many, Page, Scope, Store, StoreError, Time};

use crate::answers::{answer, fleet_of, import};
use crate::support::{ME, NOW, fleet};

crate::suite!(
    decisions_outlive_recomputes,
    what_no_software_mends_is_not_just_closed,
    decisions_follow_an_id,
    many_are_decided_as_seen,
    decisions_keep_to_the_scope,
    a_risk_is_accepted_with_a_reason_and_an_end,
    what_was_accepted_ends,
    changed_decisions_show
);

fn query(text: &str) -> Query {
    Query::parse(text).unwrap()
}

async fn one(store: &Store, text: &str) -> umbilical_store::DeviceRow {
    let mut page = store.devices(&Scope::ALL, &query(text), Page::default()).await.unwrap();
    assert_eq!(page.rows.len(), 1, "{text}");
    page.rows.remove(0)
}

async fn decisions_outlive_recomputes(store: Store) {
    let inputs = import(&store, 0..20).await;
    answer(&store, &inputs, fleet::devices(0..20)).await;
    let id = fleet::id(3);
    let decide = |d| store.decide(&Scope::ALL, ME, &id, d, "seen on site", None);
    decide(Decision::State("triage")).await.unwrap();
    decide(Decision::Tag("Spare Part")).await.unwrap();
    decide(Decision::Tag("second")).await.unwrap();
    decide(Decision::Untag("second")).await.unwrap();
    decide(Decision::Assign(Some("ben"))).await.unwrap();
    decide(Decision::Note).await.unwrap();
    let finding = store.device(&Scope::ALL, &id).await.unwrap().device.findings[0].id.clone();
    store.decide(&Scope::ALL, ME, &finding, Decision::State("false-positive"), "no such module", None).await.unwrap();
    assert!(matches!(decide(Decision::State("done")).await, Err(StoreError::Invalid(_))));
    assert!(matches!(store.decide(&Scope::ALL, ME, "dev-000000000000", Decision::Note, "x", None).await, Err(StoreError::NotFound { .. })));

    // It goes, and comes back.
    answer(&store, &inputs, fleet::devices(0..3)).await;
    assert_eq!(store.decisions(&Scope::ALL, &id).await.unwrap().len(), 6);
    answer(&store, &inputs, fleet::devices(0..20)).await;
    let row = one(&store, "tag:spare state:triage assigned:ben").await;
    assert_eq!((row.id, row.state, row.tags, row.assigned), (id, "triage".into(), vec!["Spare Part".into()], Some("ben".into())));
    assert_eq!(store.count_devices(&Scope::ALL, &query("state:new")).await.unwrap(), 19);
    assert_eq!(store.count_devices(&Scope::ALL, &query("NOT tag:second")).await.unwrap(), 20);
    let found = store.findings(&Scope::ALL, &query("state:false-positive"), Page::default()).await.unwrap();
    assert_eq!((found.rows.len(), found.rows[0].finding.id.as_str()), (1, finding.as_str()));
    assert_eq!(store.verify_decisions().await.unwrap(), Vec::<String>::new());
}

async fn what_no_software_mends_is_not_just_closed(store: Store) {
    let inputs = import(&store, 0..4).await;
    answer(&store, &inputs, fleet::devices(0..4)).await;
    let finding = store.device(&Scope::ALL, &fleet::id(3)).await.unwrap().device.findings[0].clone();
    assert_eq!(finding.lifecycle, "not-patchable");
    let decide = |state, until| store.decide(&Scope::ALL, ME, &finding.id, Decision::State(state), "a spare waits", until);
    for (state, field) in [("closed", "state"), ("accepted", "expires")] {
        assert_eq!(of_field(decide(state, None).await), field, "{state}");
    }
    let end = Time(NOW.0 + 86_400_000);
    let later = Some(end);
    for (state, until) in [("accepted", later), ("contained", None), ("replaced", None), ("false-positive", None)] {
        decide(state, until).await.unwrap();
    }
    // The same for many at once.
    let fails = query("verdict:fail");
    let n = store.count_many(&Scope::ALL, Many::Findings, &fails).await.unwrap();
    let many =
        |state, until| store.decide_many(&Scope::ALL, ME, (Many::Findings, &fails, n), Decision::State(state), "a spare waits", until);
    assert_eq!(of_field(many("closed", None).await), "state");
    assert_eq!(many("accepted", later).await.unwrap(), n);
    assert_eq!(store.end_expired(umbilical_store::By { who: "umbilical", at: end }).await.unwrap(), n);
}

/// The field that an error is about.
fn of_field<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> &'static str {
    match outcome {
        Err(StoreError::Field { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

async fn a_risk_is_accepted_with_a_reason_and_an_end(store: Store) {
    fleet_of(&store, 10).await;
    let device = fleet::id(0);
    let finding = store.findings(&Scope::ALL, &query("verdict:fail"), Page::default()).await.unwrap().rows[0].finding.id.clone();
    let day = 86_400_000;
    // Of today and 366 days more, the last counts whole.
    let last = Time((NOW.0.div_euclid(day) + 367) * day);
    let none = Query::parse("severity>=info").unwrap();
    let n = store.count_many(&Scope::ALL, Many::Findings, &none).await.unwrap();
    for (comment, end, field) in [
        ("", Some(last), "comment"),
        (" \t", Some(last), "comment"),
        ("in a cage", None, "expires"),
        ("in a cage", Some(NOW), "expires"),
        ("in a cage", Some(Time(last.0 + 1)), "expires"),
        ("in a cage", Some(Time(i64::MAX)), "expires"),
    ] {
        for subject in [&device, &finding] {
            assert_eq!(of_field(store.decide(&Scope::ALL, ME, subject, Decision::State("accepted"), comment, end).await), field);
        }
        let many = (Many::Findings, &none, n);
        assert_eq!(of_field(store.decide_many(&Scope::ALL, ME, many, Decision::State("accepted"), comment, end).await), field);
    }
    // Other states ask for neither, and end when they are told to.
    for (state, end) in [("triage", None), ("false-positive", Some(Time(i64::MAX)))] {
        store.decide(&Scope::ALL, ME, &finding, Decision::State(state), "", end).await.unwrap();
    }
    store.decide(&Scope::ALL, ME, &finding, Decision::State("accepted"), "in a cage", Some(last)).await.unwrap();
    store.decide_many(&Scope::ALL, ME, (Many::Findings, &none, n), Decision::State("accepted"), "all in cages", Some(last)).await.unwrap();
    // The audit log says what was accepted, by whom, why and until when.
    let log = store.audit_rows(None, 2).await.unwrap();
    for (row, why) in log.iter().zip(["all in cages", "in a cage"]) {
        let said = (row.who.as_str(), row.detail["value"].as_str(), row.detail["comment"].as_str(), row.detail["expires"].as_str());
        assert_eq!(said, (ME.who, Some("accepted"), Some(why), Some(last.to_string().as_str())));
    }
}

async fn decisions_follow_an_id(store: Store) {
    let inputs = import(&store, 0..2).await;
    let mac = |name: &str| {
        let mut d = fleet::devices(1..2).next().unwrap();
        (d.id, d.names) = (umbilical_core::id::content_id("dev-", "mac", "02:00:00:00:00:01"), vec![name.into()]);
        (d.identifiers.imei, d.identifiers.mac) = (Vec::new(), vec!["02:00:00:00:00:01".into()]);
        d
    };
    let whole = fleet::devices(1..2).next().unwrap();
    // Two that are known apart, with something decided about each.
    answer(&store, &inputs, [whole.clone(), mac("by its MAC")].into_iter()).await;
    let weak = mac("").id;
    store.decide(&Scope::ALL, ME, &weak, Decision::Tag("cabinet"), "", None).await.unwrap();
    store.decide(&Scope::ALL, ME, &weak, Decision::State("closed"), "", None).await.unwrap();
    store.decide(&Scope::ALL, ME, &whole.id, Decision::State("triage"), "", None).await.unwrap();
    // They turn out to be one.
    let mut both = whole.clone();
    both.identifiers.mac = vec!["02:00:00:00:00:01".into()];
    answer(&store, &inputs, [both].into_iter()).await;
    let row = one(&store, "tag:cabinet").await;
    assert_eq!((row.id.as_str(), row.state.as_str()), (whole.id.as_str(), "triage"));
    assert_eq!(store.decisions(&Scope::ALL, &weak).await.unwrap().len(), 3);
    assert_eq!(store.device(&Scope::ALL, &weak).await.unwrap().aliases, [weak]);
}

async fn many_are_decided_as_seen(store: Store) {
    fleet_of(&store, 100).await;
    let acme = query("maker:acme");
    let many = |n| store.decide_many(&Scope::ALL, ME, (Many::Devices, &acme, n), Decision::Tag("replace"), "", None);
    assert!(matches!(many(39).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.count_devices(&Scope::ALL, &query("tag:replace")).await.unwrap(), 0);
    assert_eq!(many(40).await.unwrap(), 40);
    assert_eq!(store.count_devices(&Scope::ALL, &query("tag:replace")).await.unwrap(), 40);
    let fails = query("verdict:fail");
    assert_eq!(store.decide_many(&Scope::ALL, ME, (Many::Findings, &fails, 40), Decision::State("triage"), "", None).await.unwrap(), 40);
    let word = query("house-2");
    let n = store.findings(&Scope::ALL, &word, Page::default()).await.unwrap().count.n;
    assert_eq!(store.decide_many(&Scope::ALL, ME, (Many::Findings, &word, n), Decision::Tag("two"), "", None).await.unwrap(), n);
    assert_eq!(store.verify_audit(None).await.unwrap(), Vec::<String>::new());
}

async fn decisions_keep_to_the_scope(store: Store) {
    fleet_of(&store, 40).await;
    let scope = Scope::sites([fleet::site(1)]);
    let (own, other) = (fleet::id(1), fleet::id(2));
    store.decide(&scope, ME, &own, Decision::Note, "mine", None).await.unwrap();
    for subject in [other.as_str(), "report-7"] {
        assert!(matches!(store.decide(&scope, ME, subject, Decision::Note, "x", None).await, Err(StoreError::NotFound { .. })));
        assert!(matches!(store.decisions(&scope, subject).await, Err(StoreError::NotFound { .. })));
    }
    let finding = store.device(&Scope::ALL, &other).await.unwrap().device.findings[0].id.clone();
    assert!(matches!(store.decide(&scope, ME, &finding, Decision::Note, "x", None).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.finding(&scope, &finding).await, Err(StoreError::NotFound { .. })));
    let all = Query::all();
    assert_eq!(store.decide_many(&scope, ME, (Many::Devices, &all, 1), Decision::Tag("x"), "", None).await.unwrap(), 1);
}

async fn what_was_accepted_ends(store: Store) {
    fleet_of(&store, 3).await;
    store.decide(&Scope::ALL, ME, &fleet::id(0), Decision::State("accepted"), "until the outage", Some(Time(NOW.0 + 10))).await.unwrap();
    store.decide(&Scope::ALL, ME, &fleet::id(0), Decision::Approve { value: "bundle-1", granted: true }, "", None).await.unwrap();
    assert_eq!(store.end_expired(ME).await.unwrap(), 0);
    assert_eq!(store.count_devices(&Scope::ALL, &query("state:accepted")).await.unwrap(), 1);
    assert_eq!(store.end_expired(By { at: Time(NOW.0 + 10), ..ME }).await.unwrap(), 1);
    assert_eq!(store.count_devices(&Scope::ALL, &query("state:new")).await.unwrap(), 3);
    assert_eq!(store.decisions(&Scope::ALL, &fleet::id(0)).await.unwrap().len(), 3);
}

async fn changed_decisions_show(store: Store) {
    fleet_of(&store, 3).await;
    for n in 0..3 {
        store.decide(&Scope::ALL, ME, &fleet::id(n), Decision::Note, "a\0b ☃", None).await.unwrap();
    }
    assert_eq!(store.verify_decisions().await.unwrap(), Vec::<String>::new());
}
