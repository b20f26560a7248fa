//! Splunk's collector: taken is what is answered with 200 and code 0.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Case;
use super::receiver::{Answer, Http, Request};
use crate::support::run;

/// The objects that stand behind each other in a request.
fn objects(request: &Request) -> Vec<Value> {
    serde_json::Deserializer::from_slice(&request.body).into_iter().map(Result::unwrap).collect()
}

fn says(status: u16, code: i64, text: &'static str) -> Answer {
    Arc::new(move |_| (status, Vec::new(), json!({"text": text, "code": code}).to_string()))
}

#[test]
fn events_are_taken_with_code_0_alone() {
    run(async {
        let case = Case::new().await;
        let splunk = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let settings = json!({"url": format!("http://{}", splunk.at), "index": "iot"});
        let (id, _) = case.sink("hec", settings, Some("11111111-2222-3333-4444-555555555555")).await;
        for (status, code, text) in
            [(403, 4, "Invalid token"), (200, 9, "Server is busy"), (503, 9, "Server is busy"), (400, 7, "Incorrect index")]
        {
            splunk.answers(says(status, code, text));
            if case.shown(&id).await["waiting"] == 0 {
                case.bring("second.csv", &["pump-1"]).await;
            }
            let shown =
                case.until(&id, 5, |s| s["error"].as_str().is_some_and(|e| e.contains(text) && e.contains(&status.to_string()))).await;
            assert_eq!((&shown["sent"], &shown["waiting"], &shown["refused"]), (&json!(0), &json!(2), &json!(0)), "{shown}");
        }
        splunk.answers(says(200, 0, "Success"));
        let shown = case.delivered(&id).await;
        assert_eq!((&shown["sent"], &shown["error"]), (&json!(2), &Value::Null), "{shown}");
        let last = splunk.requests().pop().unwrap();
        assert_eq!(
            (last.path.as_str(), last.header("authorization")),
            ("/services/collector/event", "Splunk 11111111-2222-3333-4444-555555555555")
        );
        let sent = objects(&last);
        assert_eq!(sent.len(), 2);
        for object in &sent {
            assert_eq!(
                (&object["sourcetype"], &object["index"], &object["host"]),
                (&json!("umbilical:finding"), &json!("iot"), &json!("pump-1")),
                "{object}"
            );
            assert!(object["fields"]["event"].as_str().unwrap().starts_with("evt-"), "{object}");
        }
        let pump = case.device("pump-1").await;
        case.decide(&pump, "replaced").await;
        case.delivered(&id).await;
        let decided = objects(&splunk.requests().pop().unwrap()).remove(0);
        assert_eq!(
            (&decided["sourcetype"], &decided["event"]["decision"]["value"]),
            (&json!("umbilical:decision"), &json!("replaced")),
            "{decided}"
        );
        case.world.end().await;
    });
}

#[test]
fn one_object_that_is_no_event_is_set_aside() {
    run(async {
        let case = Case::new().await;
        let splunk = Http::start().await;
        case.bring("first.csv", &["pump-0"]).await;
        let (id, _) = case.sink("hec", json!({"url": format!("http://{}/own/path", splunk.at)}), Some("t")).await;
        splunk.answers(Arc::new(|r| match objects(r).iter().any(|o| o["host"] == "pump-5") {
            true => (400, Vec::new(), json!({"text": "Invalid data format", "code": 6}).to_string()),
            false => (200, Vec::new(), json!({"text": "Success", "code": 0}).to_string()),
        }));
        case.bring("second.csv", &["pump-1", "pump-2", "pump-3", "pump-4", "pump-5", "pump-6"]).await;
        let shown = case.delivered(&id).await;
        assert_eq!((&shown["sent"], &shown["refused"]), (&json!(10), &json!(2)), "{shown}");
        let hosts: BTreeSet<String> = splunk.requests().iter().flat_map(objects).map(|o| o["host"].as_str().unwrap().to_owned()).collect();
        assert_eq!((hosts.len(), splunk.requests()[0].path.as_str()), (6, "/own/path"));
        case.world.end().await;
    });
}
