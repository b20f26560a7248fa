//! What detectors found, on pages and in the API: among the findings, with what stands behind it, and muted by who need not see it.

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_core::answer::watch::Session;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::Basis;
use umbilical_store::traffic::{Hour, NewTrace};
use umbilical_store::{Role, Sites, Time};

use crate::support::{Client, World, evidence, run};

fn beacon(session: &str, kind: &'static str, severity: Severity) -> Finding {
    Finding {
        id: umbilical_core::id::content_id("fnd-", "beacon", session),
        code: "beacon".into(),
        source: "detector",
        subject: Subject { kind, id: session.to_owned() },
        verdict: None,
        severity,
        confidence: 0.93,
        basis: Basis::Inferred,
        lifecycle: "patchable",
        threats: vec!["surveillance"],
        first: Some("2026-11-29T09:00:00.000000Z".into()),
        last: Some("2026-11-29T11:30:00.000000Z".into()),
        because: vec![format!("{session} came to time.cloud.example every 60 s"), "Frames 12 to 9000".into()],
        remedies: vec!["Ask the maker".into()],
        clears_when: "It is known what it is".into(),
        detail: json!({"score": 0.93, "peer": "time.cloud.example:443", "reasons": [{"term": "rayleigh", "value": 0.9871, "threshold": 0.8}],
                       "detector_version": 3, "at": "2026-11-29T09:20:00.000000Z", "flows": 150, "frames": [12, 9000],
                       "at_stake": "habits", "sensitivity": 0.3}),
    }
}

/// A trace of the module of `pump-1`, and of an address.
async fn watched(world: &World, client: &Client) -> (String, String) {
    let device = client.get("/api/v1/devices?q=pump-1").await.is(200).json()["devices"][0]["id"].as_str().unwrap().to_owned();
    let imei = client.get(&format!("/api/v1/devices/{device}")).await.is(200).json()["device"]["identifiers"]["imei"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let session: Session = Session {
        id: "ses-00000000000a".into(),
        imsi: None,
        imei: Some(imei),
        tac: None,
        iccid: None,
        rat: None,
        msisdn: None,
        apn: None,
        teids: Vec::new(),
        ue: vec!["10.64.0.1".into()],
        module: None,
        first: "2026-11-29T09:00:00Z".into(),
        last: "2026-11-29T12:00:00Z".into(),
        packets: 9,
        bytes_up: 9,
        bytes_down: 9,
        flows: 3,
    };
    let at = |text: &str| Time::parse(text).unwrap();
    let hour = |at: Time| Hour {
        subject: session.id.clone(),
        hour: at,
        peer: Some("time.cloud.example".into()),
        port: 443,
        proto: "tcp".into(),
        flows: 60,
        up: 4000,
        down: 9000,
    };
    let new = NewTrace {
        id: "trc-00000000000b",
        name: "gateway.pcap",
        range: (at("2026-11-29T09:00:00Z"), at("2026-11-29T12:00:00Z")),
        packets: 9000,
        bytes: 1,
        flows: 1,
        body: &json!({}),
        sessions: std::slice::from_ref(&session),
        findings: &[beacon(&session.id, "session", Severity::High), beacon("10.64.7.7", "host", Severity::Medium)],
        hours: &[hour(at("2026-11-29T09:00:00Z")), hour(at("2026-11-29T10:00:00Z"))],
    };
    world.app.store().keep_trace(world.by(), &new).await.unwrap();
    (device, beacon(&session.id, "session", Severity::High).id)
}

async fn counted(client: &Client, q: &str) -> u64 {
    client.get(&format!("/api/v1/findings?q={q}")).await.is(200).json()["count"]["n"].as_u64().unwrap()
}

#[test]
fn an_incident_stands_among_the_findings_with_what_is_behind_it() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let (device, id) = watched(&world, &ana).await;
        assert_eq!((counted(&ana, "source:detector").await, counted(&ana, "code:beacon%20severity:high").await), (2, 1));
        let line = ana.get(&format!("/api/v1/findings/{id}")).await.is(200).json();
        assert_eq!((&line["device"], &line["device_name"], &line["muted"]), (&json!(device), &json!("pump-1"), &Value::Null));
        let behind = ana.get(&format!("/api/v1/findings/{id}/incident")).await.is(200).json();
        assert_eq!((behind["sightings"][0]["name"].as_str(), behind["hours"].as_array().unwrap().len()), (Some("gateway.pcap"), 2));
        let whole = ana.get(&format!("/api/v1/devices/{device}")).await.is(200).json();
        assert!(whole["device"]["findings"].as_array().unwrap().iter().any(|f| f["id"] == id.as_str()), "{whole}");
        assert!(ana.get("/api/v1/export/findings?q=source:detector&format=csv").await.is(200).text().contains(&id));

        let page = ana.get(&format!("/findings/{id}")).await.is(200).text();
        for word in [
            "pump-1",
            "time.cloud.example:443",
            "2026-11-29 09:20 UTC",
            "rayleigh",
            "0.9871",
            "12 to 9000",
            "weight 0.3",
            "gateway.pcap",
            "/traffic/sessions/ses-00000000000a",
            "version 3",
            "Mute what is like this",
            "Bytes by hour",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        let page = ana.get(&format!("/devices/{device}")).await.is(200).text();
        assert_eq!(page.matches(&format!("/findings/{id}")).count(), 1, "{page}");
        // Triage, as of any other.
        let csrf = ana.csrf().await;
        ana.form(&format!("/findings/{id}"), &[("csrf", &csrf), ("kind", "triage"), ("comment", "looked at")]).await.is(303);
        assert_eq!(counted(&ana, "state:triage").await, 1);
        world.end().await;
    });
}

#[test]
fn who_mutes_sees_before_what_it_would_have_hidden() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let (device, id) = watched(&world, &ana).await;
        let page = ana.get(&format!("/mutes/new?finding={id}")).await.is(200).text();
        for word in
            ["would have hidden <strong data-total>1</strong> of", "2 incidents", "this device, and time.cloud.example:443", &device]
        {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(page.contains("data-count>2</a>"), "whoever speaks to this peer: {page}");
        // A rule that nobody means is said where it is written, and nothing can be saved.
        let page = ana.get("/mutes/new?code=beacon&subject=pump+7").await.is(422).text();
        assert!(page.contains("an address, or a network") && !page.contains("id=\"mute\""), "{page}");
        let page = ana.get("/mutes/new?code=beacon&peer=cloud.example").await.is(200).text();
        assert!(page.contains("<strong data-total>2</strong> of"), "{page}");

        let csrf = ana.csrf().await;
        let form = |until: &'static str, reason: &'static str| {
            vec![
                ("csrf", csrf.as_str()),
                ("code", "beacon"),
                ("subject", device.as_str()),
                ("peer", "cloud.example"),
                ("until", until),
                ("reason", reason),
            ]
        };
        for (until, reason, why) in [("2026-12-31", " ", "say why"), ("2028-01-01", "known", "366 days"), ("soon", "known", "YYYY-MM-DD")] {
            let page = ana.form("/mutes", &form(until, reason)).await.is(422).text();
            assert!(page.contains(why) && page.contains("id=\"refused\"") && page.contains("cloud.example"), "{why}: {page}");
        }
        let made = ana.form("/mutes", &form("2026-12-31", "the maker's clock")).await.is(303);
        let at = made.header("location").to_owned();
        let page = ana.get(&at).await.is(200).text();
        assert!(page.contains("maker&#39;s clock") && page.contains(&id) && page.contains("2026-12-31"), "{page}");
        ana.form("/mutes", &form("2026-12-31", "again")).await.is(409);

        // It is in no list, counted, and its own page says why.
        assert_eq!((counted(&ana, "source:detector").await, counted(&ana, "code:beacon").await), (1, 1));
        for (path, word) in [("/findings", "1 muted"), ("/traffic", "1 muted"), ("/mutes", "data-count>1</a>")] {
            let page = ana.get(path).await.is(200).text();
            assert!(page.contains(word) && !page.contains(&format!("/findings/{id}")), "{path}: {page}");
        }
        let page = ana.get(&format!("/findings/{id}")).await.is(200).text();
        assert!(page.contains("Muted until 2026-12-31 by ana") && !page.contains("Mute what is like this"), "{page}");
        assert!(!ana.get(&format!("/devices/{device}")).await.is(200).text().contains(&id));
        let log = world.app.store().audit_rows(None, 50).await.unwrap();
        assert_eq!(log.iter().find(|r| r.what == "mute.add").unwrap().detail["hides"], 1);

        ana.form(&at, &[("csrf", &csrf), ("comment", "it is another's now")]).await.is(303);
        assert_eq!(counted(&ana, "source:detector").await, 2);
        assert!(ana.get("/mutes").await.is(200).text().contains("it is another&#39;s now"));
        ana.form(&at, &[("csrf", &csrf)]).await.is(409);
        world.end().await;
    });
}

#[test]
fn programs_mute_as_people_do_and_only_who_may() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Analyst]).await;
        let eve = world.signed_in("eve", &[Role::Engineer]).await;
        eve.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let (device, id) = watched(&world, &ana).await;
        let preview = ana.get("/api/v1/mutes/preview?code=beacon&subject=10.64.0.0/16").await.is(200).json();
        assert_eq!((&preview["hides"], &preview["of"]), (&json!(1), &json!(2)));
        assert_eq!(ana.get("/api/v1/mutes/preview?code=nothing").await.problem(422)["field"], "code");
        let wanted = |until: &str| json!({"code": "beacon", "subject": device, "until": until, "reason": "the maker's clock"});
        for (body, field) in [(wanted("2028-01-01"), "until"), (json!({"code": "beacon", "until": "2026-12-31", "reason": ""}), "reason")] {
            assert_eq!(ana.json(Method::POST, "/api/v1/mutes", &body).await.problem(422)["field"], field);
        }
        let made = ana.json(Method::POST, "/api/v1/mutes", &wanted("2026-12-31")).await.is(201).json();
        let mute = made["id"].as_str().unwrap();
        let list = ana.get("/api/v1/mutes").await.is(200).json();
        assert_eq!((&list[0]["hides"], &list[0]["until"], &list[0]["ended"]), (&json!(1), &json!("2026-12-31"), &Value::Null));
        assert_eq!(list[0]["device_name"], "pump-1");
        let whole = ana.get(&format!("/api/v1/mutes/{mute}")).await.is(200).json();
        assert_eq!((whole["hidden"][0]["finding"]["id"].as_str(), whole["hidden"][0]["muted"].as_str()), (Some(id.as_str()), Some(mute)));
        assert_eq!(ana.get(&format!("/api/v1/findings/{id}")).await.is(200).json()["muted"], mute);

        // Who only looks, and who sees some sites alone, makes none; what is hidden there is counted within the site.
        let viewer = world.signed_in("viewer", &[Role::Viewer]).await;
        viewer.json(Method::POST, "/api/v1/mutes", &wanted("2026-12-31")).await.problem(403);
        viewer.get(&format!("/mutes/new?finding={id}")).await.is(403);
        let north = world.person("north", &[Role::Analyst], Sites::Only(["North".to_owned()].into())).await;
        let north = world.session(&north).await;
        north.json(Method::POST, "/api/v1/mutes", &wanted("2026-12-31")).await.problem(403);
        north.get("/mutes").await.is(403);
        assert!(north.get("/findings").await.is(200).text().contains("<span data-measure>1</span> muted"));

        ana.json(Method::POST, &format!("/api/v1/mutes/{mute}/withdraw"), &json!({"comment": "no longer"})).await.is(204);
        assert_eq!(counted(&ana, "source:detector").await, 2);
        world.end().await;
    });
}
