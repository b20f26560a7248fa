//! Webhooks: signed, in order, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_web::deliver::webhook::signature;

use super::Case;
use super::receiver::{Answer, Http, Request, ok};
use crate::support::run;

/// Whether a request is signed with a key, as a receiver would look.
fn signed(request: &Request, key: &str) -> bool {
    let timestamp: i64 = request.header("webhook-timestamp").parse().unwrap();
    let expected = signature(key, request.header("webhook-id"), timestamp, &request.body).unwrap();
    request.header("webhook-signature").split(' ').any(|s| s == expected)
}

/// `finding.new pump-1`, `decision triage dev-…`.
fn said(event: &Value) -> String {
    let name = |e: &Value| e["finding"]["device"]["names"][0].as_str().unwrap_or_default().to_owned();
    match event["type"].as_str().unwrap() {
        "decision" => format!(
            "decision {} {}",
            event["decision"]["value"].as_str().unwrap(),
            event["decision"]["device_name"].as_str().unwrap_or_default()
        ),
        other => format!("{other} {}", name(event)),
    }
}

/// A schema of the book.
fn schema(name: &str) -> jsonschema::Validator {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/schema/umbilical.{name}-1.schema.json"));
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    // A member that it does not name is a mistake here.
    for at in ["", "/properties/decision", "/properties/summary", "/properties/test"] {
        if let Some(object) = schema.pointer_mut(at).and_then(Value::as_object_mut) {
            object.insert("additionalProperties".into(), false.into());
        }
    }
    jsonschema::validator_for(&schema).unwrap()
}

/// Whether events are as the book says, findings in them too.
fn as_described(events: &[Value]) {
    let (event, finding) = (schema("event"), schema("finding"));
    for e in events {
        let mut wrong: Vec<String> = event.iter_errors(e).map(|w| w.to_string()).collect();
        if let Some(inner) = e.get("finding") {
            wrong.extend(finding.iter_errors(inner).map(|w| w.to_string()));
        }
        assert!(wrong.is_empty(), "{wrong:?}\n{e}");
    }
}

#[test]
fn an_hour_without_a_receiver_loses_nothing() {
    run(async {
        let case = Case::new().await;
        let mut hook = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, key) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        hook.down().await;

        let mut expected = Vec::new();
        case.bring("second.csv", &["pump-1", "pump-2"]).await;
        expected.extend(["finding.new pump-1", "finding.new pump-1", "finding.new pump-2", "finding.new pump-2"]);
        let pump = case.device("pump-1").await;
        case.decide(&pump, "triage").await;
        expected.push("decision triage pump-1");
        // An hour by the clock, minute by minute: every try fails, and they are no more than the back-off lets through.
        for _ in 0..60 {
            case.world.clock.forward(60_000);
            tokio::time::sleep(std::time::Duration::from_millis(12)).await;
        }
        let down = case.shown(&id).await;
        assert_eq!((&down["waiting"], &down["sent"]), (&json!(5), &json!(0)), "{down}");
        assert!(down["error"].as_str().unwrap().contains("refused") && down["failing_since"].is_string(), "{down}");
        case.decide(&pump, "contained").await;
        expected.push("decision contained pump-1");

        // The machine loses its power meanwhile; the clock of the new start is an hour behind, and is turned on.
        let case = case.fall().await;
        case.world.clock.forward(7_200_000);
        case.bring("third.csv", &["pump-3"]).await;
        expected.extend(["finding.new pump-3"; 2]);
        case.decide(&pump, "replaced").await;
        expected.push("decision replaced pump-1");
        assert_eq!(hook.events().len(), 0);
        hook.up().await;
        let up = case.until(&id, 30, |s| s["waiting"] == 0).await;
        assert_eq!((&up["sent"], &up["error"], &up["refused"], &up["expired"]), (&json!(9), &Value::Null, &json!(0), &json!(0)), "{up}");

        case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200);
        let mut events = hook.events();
        as_described(&events);
        assert_eq!(events.pop().unwrap()["type"], "test");
        let told: Vec<String> = events.iter().map(said).collect();
        let mut sorted = told.clone();
        // Two devices of one answer have no order between them.
        sorted[..4].sort();
        assert_eq!(sorted, expected);
        let seqs: Vec<i64> = events.iter().map(|e| e["seq"].as_i64().unwrap()).collect();
        assert!(seqs.windows(2).all(|w| w[0] < w[1]), "{seqs:?}");
        assert_eq!(events.iter().map(|e| e["id"].as_str().unwrap()).collect::<BTreeSet<_>>().len(), events.len());
        assert!(hook.requests().iter().all(|r| signed(r, &key) && r.path == "/hook" && r.header("content-type") == "application/json"));
        assert!(!signed(&hook.requests()[0], "whsec_AAAA"));
        let link = events[0]["link"].as_str().unwrap();
        assert!(link.starts_with("https://fleet.example/findings/fnd-"), "{link}");
        case.world.end().await;
    });
}

#[test]
fn what_was_not_acknowledged_comes_again_under_its_id() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        let tries = Arc::new(AtomicU32::new(0));
        let count = tries.clone();
        // It takes the first request, and its answer is no acknowledgement.
        hook.answers(Arc::new(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) < 2 { (500, Vec::new(), "oh".into()) } else { (200, Vec::new(), "ok".into()) }
        }));
        case.bring("second.csv", &["pump-1"]).await;
        let shown = case.delivered(&id).await;
        assert_eq!(shown["sent"], 2, "{shown}");
        let ids: BTreeSet<String> = hook.events().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
        let messages: BTreeSet<String> = hook.requests().iter().map(|r| r.header("webhook-id").to_owned()).collect();
        assert_eq!((hook.requests().len(), ids.len(), messages.len()), (3, 2, 1));
        case.world.end().await;
    });
}

#[test]
fn a_receiver_that_asks_for_time_is_given_it() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        hook.answers(Arc::new(|_| (429, vec![("retry-after", "600".into())], "slowly".into())));
        case.bring("second.csv", &["pump-1"]).await;
        case.until(&id, 0, |s| !s["error"].is_null()).await;
        hook.answers(ok());
        for _ in 0..59 {
            case.world.clock.forward(10_000);
            tokio::time::sleep(std::time::Duration::from_millis(8)).await;
        }
        assert_eq!((hook.requests().len(), &case.shown(&id).await["waiting"]), (1, &json!(2)), "ten minutes are not over");
        case.until(&id, 10, |s| s["waiting"] == 0).await;
        assert_eq!(hook.requests().len(), 2);
        case.world.end().await;
    });
}

/// Refuses every request in which an event about a device stands.
fn poisoned(name: &'static str) -> Answer {
    Arc::new(move |r| {
        if r.events().iter().any(|e| said(e).ends_with(name)) {
            (422, Vec::new(), "no such pump".into())
        } else {
            (200, Vec::new(), String::new())
        }
    })
}

#[test]
fn one_event_that_is_refused_holds_up_no_other() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        hook.answers(poisoned("pump-13"));
        let names: Vec<String> = (1..=40).map(|n| format!("pump-{n}")).collect();
        case.bring("second.csv", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let shown = case.delivered(&id).await;
        assert_eq!((&shown["sent"], &shown["refused"], &shown["error"]), (&json!(78), &json!(2), &Value::Null), "{shown}");
        // What was taken is what was in the requests that were answered well.
        let good: Vec<String> = hook
            .requests()
            .iter()
            .filter(|r| !r.events().iter().any(|e| said(e).ends_with("pump-13")))
            .flat_map(|r| r.events().iter().map(said).collect::<Vec<_>>())
            .collect();
        assert_eq!((good.len(), good.iter().collect::<BTreeSet<_>>().len()), (78, 39));
        let path = format!("/api/v1/sinks/{id}/undelivered");
        let aside = case.ben.get(&path).await.is(200).json();
        assert_eq!((aside.as_array().unwrap().len(), &aside[0]["why"]), (2, &json!("HTTP 422: no such pump")), "{aside}");
        assert!(hook.requests().len() < 30, "by halves: {}", hook.requests().len());
        // Sent again: still no, then yes.
        let again = async || case.ben.json(Method::POST, &path, &json!({})).await.is(200).json();
        let tried = hook.requests().len();
        assert_eq!(again().await["events"], 2);
        case.until(&id, 1, |_| hook.requests().len() > tried + 1).await;
        assert_eq!(case.ben.get(&path).await.json().as_array().unwrap().len(), 2);
        hook.answers(ok());
        again().await;
        case.until(&id, 1, |s| s["sent"] == 80).await;
        assert_eq!(case.ben.get(&path).await.json(), json!([]));
        case.world.end().await;
    });
}

#[test]
fn a_first_import_is_one_event_and_a_receiver_that_is_down_holds_up_no_other() {
    run(async {
        let case = Case::new().await;
        let (hook, mut dead) = (Http::start().await, Http::start().await);
        dead.down().await;
        let (down, _) = case.sink("webhook", json!({"url": dead.url()}), None).await;
        let wanted = json!({"name": "second", "kind": "webhook", "settings": {"url": hook.url()}});
        let up = case.ben.json(Method::POST, "/api/v1/sinks", &wanted).await.is(201).json()["id"].as_str().unwrap().to_owned();
        case.bring("first.csv", &["pump-1", "pump-2", "pump-3"]).await;
        case.delivered(&up).await;
        let events = hook.events();
        as_described(&events);
        assert_eq!((events.len(), &events[0]["type"], &events[0]["summary"]["first"]), (1, &json!("summary"), &json!(true)), "{events:?}");
        assert_eq!((&events[0]["summary"]["findings"], &events[0]["summary"]["devices"]), (&json!(6), &json!([3, 0, 0])), "{events:?}");
        assert_eq!(case.shown(&down).await["waiting"], 1);
        case.world.end().await;
    });
}

#[test]
fn what_nobody_took_in_a_month_is_counted() {
    run(async {
        let case = Case::new().await;
        let mut hook = Http::start().await;
        hook.down().await;
        let (id, _) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        case.bring("first.csv", &["pump-0"]).await;
        case.world.clock.forward(31 * 86_400_000);
        umbilical_web::keeping::tidy(&case.world.app).await.unwrap();
        case.world.settled().await;
        case.ben.sign_in("ben", crate::support::PASSWORD).await;
        let shown = case.shown(&id).await;
        assert_eq!((&shown["expired"], &shown["sent"]), (&json!(1), &json!(0)), "{shown}");
        let metrics = case.ben.get("/metrics").await.is(200).text();
        for line in [r#"umbilical_sink_expired{sink="our webhook"} 1"#, r#"umbilical_sink_delivered{sink="our webhook"} 0"#] {
            assert!(metrics.contains(line), "{metrics}");
        }
        case.world.end().await;
    });
}

#[test]
fn a_name_of_a_device_stays_in_its_place() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, key) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        case.bring("second.csv", &["\"x\r\nwebhook-id: forged\"", "</script><script>alert(1)"]).await;
        case.delivered(&id).await;
        let by_name: BTreeMap<String, Value> = hook.events().into_iter().map(|e| (said(&e), e)).collect();
        assert_eq!(by_name.len(), 2, "{by_name:?}");
        for request in hook.requests() {
            assert!(signed(&request, &key) && request.header("webhook-id").starts_with("msg_"));
        }
        case.world.end().await;
    });
}
