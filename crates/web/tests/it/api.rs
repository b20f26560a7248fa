//! The API as programs meet it: problems, pages of lists, versions, decisions.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use umbilical_store::{Role, Sites, TokenClass};

use crate::support::{World, evidence, run};

#[test]
fn every_failure_is_a_problem() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Analyst, Role::Engineer]).await;
        let csrf = client.csrf().await;
        let token = ("x-csrf-token", csrf.as_str());
        client.get("/api/v1/nothing").await.problem(404);
        client.get("/api/v1/devices/dev-0").await.problem(404);
        client.send(Method::DELETE, "/api/v1/devices", &[token], Body::empty()).await.problem(405);
        client.get("/api/v1/devices?nonsense=1").await.problem(422);
        client.get("/api/v1/devices?limit=many").await.problem(422);
        client.get("/api/v1/devices?sort=colour").await.problem(422);
        client.get("/api/v1/devices?after=x").await.problem(422);
        let query = client.get("/api/v1/devices?q=maker:a%20colour:b").await.problem(422);
        assert_eq!(query["column"], 9);
        assert!(query["allowed"].as_array().unwrap().iter().any(|a| a == "maker"), "{query}");
        let at = "/api/v1/devices/dev-000000000000/decisions";
        client.send(Method::POST, at, &[token], "{}").await.problem(415);
        let json = ("content-type", "application/json");
        client.send(Method::POST, at, &[token, json], "{").await.problem(400);
        client.send(Method::POST, at, &[token, json], "{\"kind\":\"paint\"}").await.problem(422);
        client.send(Method::POST, at, &[token, json], vec![b' '; 2 << 20]).await.problem(413);
        client.send(Method::GET, "/api/v1/me", &[("authorization", "Bearer umb_nobody")], Body::empty()).await.problem(401);
        client.send(Method::GET, "/api/v1/me", &[("authorization", "Basic YTpi")], Body::empty()).await.problem(401);
        // A page is a page.
        let page = client.get("/nothing").await.is(404);
        assert!(page.header("content-type").starts_with("text/html"));
        world.end().await;
    });
}

#[test]
fn lists_have_pages_and_versions() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        let names: Vec<String> = (0..25).map(|n| format!("unit-{n:02}")).collect();
        let rows: Vec<(&str, &str, &str, &str)> = names.iter().map(|n| (n.as_str(), "North", "Quectel", "EG25-G")).collect();
        client.upload("r.csv", evidence::register(&rows)).await.is(202);
        world.settled().await;
        let mut seen = Vec::new();
        let mut path = "/api/v1/devices?limit=10&sort=-name".to_owned();
        loop {
            let answer = client.get(&path).await.is(200);
            let body = answer.json();
            assert_eq!(body["count"], json!({"n": 25, "exact": true}));
            seen.extend(body["devices"].as_array().unwrap().iter().map(|d| d["name"].as_str().unwrap().to_owned()));
            let link = answer.header("link");
            if body["next"].is_null() {
                assert!(link.is_empty());
                break;
            }
            path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        let mut wanted = names.clone();
        wanted.reverse();
        assert_eq!(seen, wanted);

        let first = client.get("/api/v1/devices?limit=5").await.is(200);
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'));
        let again = client.send(Method::GET, "/api/v1/devices?limit=5", &[("if-none-match", &tag)], Body::empty()).await.is(304);
        assert!(again.body.is_empty() && again.header("etag") == tag);
        client.send(Method::GET, "/api/v1/devices?limit=6", &[("if-none-match", &tag)], Body::empty()).await.is(200);
        let head = client.send(Method::HEAD, "/api/v1/devices?limit=5", &[], Body::empty()).await.is(200);
        assert!(head.body.is_empty());
        world.end().await;
    });
}

#[test]
fn decisions_survive_a_recompute_and_are_not_made_over_one_another() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        client.upload("r.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let list = client.get("/api/v1/devices?q=name:gate-9").await.is(200).json();
        let at = format!("/api/v1/devices/{}/decisions", list["devices"][0]["id"].as_str().unwrap());
        let tag = client.get(&at).await.is(200).header("etag").to_owned();
        let csrf = client.csrf().await;
        let decide = async |tag: &str, body: serde_json::Value| {
            let headers = [("content-type", "application/json"), ("x-csrf-token", csrf.as_str()), ("if-match", tag)];
            client.send(Method::POST, &at, &headers, body.to_string()).await
        };
        let made = decide(&tag, json!({"kind": "state", "value": "accepted", "comment": "spare", "expires": "2026-12-01"})).await.is(201);
        assert_ne!(made.header("etag"), tag);
        decide(&tag, json!({"kind": "tag", "value": "spare"})).await.problem(412);
        decide(made.header("etag"), json!({"kind": "tag", "value": "spare"})).await.is(201);
        decide("*", json!({"kind": "assign", "value": "bo"})).await.is(201);
        decide("*", json!({"kind": "state", "value": "nonsense"})).await.problem(422);
        decide("*", json!({"kind": "note", "comment": " "})).await.problem(422);

        client.upload("more.csv", evidence::register(&[("mast-4", "East", "Sierra Wireless", "EM7455")])).await.is(202);
        world.settled().await;
        let row = client.get("/api/v1/devices?q=tag:spare").await.is(200).json()["devices"][0].clone();
        assert_eq!((&row["name"], &row["state"], &row["assigned"]), (&json!("gate-9"), &json!("accepted"), &json!("bo")));
        let log = client.get(&at).await.is(200).json();
        assert_eq!(log.as_array().unwrap().len(), 3);
        assert_eq!(log[0]["who"], "ana");
        assert_eq!(log[0]["expires"], "2026-12-02T00:00:00.000Z");

        let many = json!({"q": "site:north", "expected": 3, "decision": {"kind": "tag", "value": "pumps"}});
        client.json(Method::POST, "/api/v1/devices/decisions", &many).await.problem(409);
        let many = json!({"q": "site:north", "expected": 2, "decision": {"kind": "tag", "value": "pumps"}});
        assert_eq!(client.json(Method::POST, "/api/v1/devices/decisions", &many).await.is(200).json()["devices"], 2);
        world.end().await;
    });
}

#[test]
fn sites_bind_lists_counts_facets_and_devices() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("r.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let gate = ana.get("/api/v1/devices?q=name:gate-9").await.is(200).json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let pump = ana.get("/api/v1/devices?q=name:pump-1").await.is(200).json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let person = world.person("north", &[Role::Analyst], Sites::Only(["north".to_owned()].into())).await;
        let north = world.token(&person, TokenClass::Full, &["read", "decide"]).await;
        let list = north.get("/api/v1/devices").await.is(200).json();
        assert_eq!(list["count"]["n"], 2);
        assert_eq!(north.get("/api/v1/devices?q=gate").await.is(200).json()["count"]["n"], 0);
        let facets = north.get("/api/v1/devices/facets?fields=site,maker").await.is(200).text();
        assert!(facets.contains("North") && !facets.contains("South"), "{facets}");
        north.get(&format!("/api/v1/devices/{pump}")).await.is(200);
        for path in ["", "/why", "/decisions"] {
            north.get(&format!("/api/v1/devices/{gate}{path}")).await.problem(404);
        }
        let note = json!({"kind": "note", "comment": "x"});
        north.json(Method::POST, &format!("/api/v1/devices/{gate}/decisions"), &note).await.problem(404);
        north.json(Method::POST, &format!("/api/v1/devices/{pump}/decisions"), &note).await.is(201);
        // Imports name files and counts of the whole fleet.
        assert_eq!(north.get("/api/v1/jobs").await.is(200).json(), json!([]));
        world.end().await;
    });
}

#[test]
fn answers_carry_what_browsers_need_to_be_told() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        for path in ["/fleet", "/api/v1/devices", "/nothing", "/api/v1/nothing"] {
            let answer = client.get(path).await;
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "same-origin");
            assert!(!answer.header("cache-control").is_empty());
            assert_eq!(answer.header("strict-transport-security"), "", "nothing is encrypted here");
        }
        let page = client.get("/fleet").await.text();
        // One script, of a file of ours.
        assert_eq!((page.matches("<script").count(), page.matches("<script src=\"/assets/page-").count()), (1, 1));
        assert!(!page.contains("style=") && !page.contains(" onclick"));
        let style = page.split("href=\"/assets/").nth(1).unwrap().split('"').next().unwrap();
        let sheet = client.get(&format!("/assets/{style}")).await.is(200);
        assert!(sheet.header("cache-control").contains("immutable"));
        client.get("/assets/style-000000000000.css").await.is(404);
        world.end().await;
    });
}
