//! Who looks after people, and what the audit log says of it.

use axum::http::Method;
use serde_json::json;
use umbilical_store::{Role, Sites};

use crate::support::{PASSWORD, World, evidence, run};

#[test]
fn somebody_is_added_by_a_link_that_works_once() {
    run(async {
        let world = World::new().await;
        let admin = world.signed_in("ana", &[Role::Admin, Role::Auditor]).await;
        let wanted = json!({"login": "Bo", "name": "Bo", "roles": ["viewer"], "sites": ["North"]});
        let made = admin.json(Method::POST, "/api/v1/users", &wanted).await.is(201).json();
        admin.json(Method::POST, "/api/v1/users", &wanted).await.problem(409);
        admin.json(Method::POST, "/api/v1/users", &json!({"login": "c", "roles": ["king"], "sites": null})).await.problem(422);
        let link = made["link"].as_str().unwrap();
        let id = made["id"].as_str().unwrap();
        let bo = world.client();
        bo.get(&format!("/welcome/{id}/wrong")).await.is(404);
        assert!(bo.get(link).await.is(200).text().contains("Choose a password"));
        bo.form(link, &[("password", "short"), ("again", "short")]).await.is(422);
        bo.form(link, &[("password", PASSWORD), ("again", PASSWORD)]).await.is(303);
        assert_eq!(bo.get("/api/v1/me").await.is(200).json()["sites"], json!(["North"]));
        bo.get(link).await.is(404);

        // A new link, and its week passes.
        let again = admin.json(Method::POST, &format!("/api/v1/users/{id}/link"), &json!({})).await.is(201).json();
        world.clock.forward(8 * 86_400_000);
        bo.get(again["link"].as_str().unwrap()).await.is(404);
        admin.sign_in("ana", PASSWORD).await;
        let change = json!({"login": "bo", "name": "Bo", "roles": ["viewer"], "sites": ["North"], "disabled": true});
        admin.json(Method::PUT, &format!("/api/v1/users/{id}"), &change).await.is(200);
        bo.form("/sign-in", &[("login", "bo"), ("password", PASSWORD)]).await.is(401);
        // Somebody must stay who can administer.
        let own = admin.get("/api/v1/me").await.json()["id"].as_str().unwrap().to_owned();
        let change = json!({"login": "ana", "name": "", "roles": ["viewer"], "sites": null});
        admin.json(Method::PUT, &format!("/api/v1/users/{own}"), &change).await.problem(409);

        let log = admin.get("/api/v1/audit-log?limit=1000").await.is(200).json();
        let done: Vec<&str> = log.as_array().unwrap().iter().map(|r| r["what"].as_str().unwrap()).collect();
        for what in ["person.add", "person.change", "session.begin", "sign-in.refused"] {
            assert!(done.contains(&what), "{what}: {done:?}");
        }
        let text = log.to_string();
        for secret in [PASSWORD, "argon2", link.rsplit('/').next().unwrap()] {
            assert!(!text.contains(secret), "{secret} stands in the audit log");
        }
        let verified = admin.get("/api/v1/audit-log/verify").await.is(200).json();
        assert_eq!((&verified["whole"], &verified["wrong"]), (&json!(true), &json!([])));
        let wrong = admin.get("/api/v1/audit-log/verify?n=3&chain=00").await.is(200).json();
        assert_eq!(wrong["whole"], json!(false));
        world.end().await;
    });
}

#[test]
fn who_administers_some_sites_looks_after_nobody() {
    run(async {
        let world = World::new().await;
        world.person("root", &[Role::Admin], Sites::All).await;
        let person = world.person("ana", &[Role::Admin, Role::Auditor], Sites::Only(["North".to_owned()].into())).await;
        let client = world.session(&person).await;
        for path in ["/api/v1/users", "/api/v1/audit-log", "/api/v1/audit-log/verify"] {
            client.get(path).await.problem(403);
        }
        let wanted = json!({"login": "bo", "roles": ["admin"], "sites": null});
        client.json(Method::POST, "/api/v1/users", &wanted).await.problem(403);
        client.get("/people").await.is(403);
        world.end().await;
    });
}

#[test]
fn the_page_adds_people_too() {
    run(async {
        let world = World::new().await;
        let admin = world.signed_in("ana", &[Role::Admin, Role::Auditor]).await;
        let csrf = admin.csrf().await;
        let form = [("csrf", csrf.as_str()), ("login", "bo"), ("name", ""), ("sites", "North, South"), ("role-analyst", "on")];
        let page = admin.form("/people", &form).await.is(200).text();
        let link = page.split("<code class=\"once\">").nth(1).unwrap().split('<').next().unwrap();
        world.client().get(link).await.is(200);
        assert!(page.contains("North, South") && page.contains("analyst"));
        admin.form("/people", &form).await.is(409);
        assert!(admin.get("/audit-log").await.is(200).text().contains("person.add"));
        world.end().await;
    });
}

#[test]
fn exports_are_lines_and_numbers_are_masked() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        let iccid = umbilical_synth::numbers::iccid(77);
        let text =
            format!("{}meter-1,North,Quectel,EG25-G,{},{iccid}\n", evidence::two_sites(), umbilical_synth::numbers::imei(86_769_804, 99));
        client.upload("r.csv", text).await.is(202);
        world.settled().await;
        for (path, rows) in [("devices", 4), ("devices?whole=true", 4), ("devices?q=site:south", 1), ("observations", 4)] {
            let answer = client.get(&format!("/api/v1/export/{path}")).await.is(200);
            assert_eq!(answer.header("content-type"), "application/x-ndjson");
            let text = answer.text();
            let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            assert_eq!(lines.len(), rows, "{path}");
            assert!(!text.contains(&iccid), "{path}");
        }
        assert!(client.get("/api/v1/export/observations").await.text().contains(&iccid[..5]));
        client.get("/api/v1/export/findings").await.is(200);
        client.get("/api/v1/export/devices?q=(").await.problem(422);
        let mut person = world.app.store().person_by_login("ana").await.unwrap();
        person.subscribers = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        for path in ["devices?whole=true", "observations"] {
            assert!(client.get(&format!("/api/v1/export/{path}")).await.is(200).text().contains(&iccid), "{path}");
        }
        world.end().await;
    });
}

#[test]
fn what_changed_is_one_event_for_each_answer() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        client.upload("a.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        client.upload("b.csv", evidence::register(&[("mast-4", "East", "Sierra Wireless", "EM7455")])).await.is(202);
        world.settled().await;
        let events = client.get("/api/v1/events").await.is(200).json();
        assert_eq!(events.as_array().unwrap().len(), 2);
        assert_eq!((&events[1]["kind"], &events[1]["devices"]), (&json!("baseline"), &json!(3)));
        assert_eq!((&events[0]["kind"], &events[0]["new"], &events[0]["devices"]), (&json!("changed"), &json!(1), &json!(4)));
        let changed = client.get("/api/v1/changes").await.is(200).json();
        assert_eq!(changed.as_array().unwrap().len(), 1);
        assert_eq!(changed[0]["what"], "new");
        assert_eq!(client.get("/api/v1/changes?since=2").await.is(200).json(), json!([]));
        let device = changed[0]["device"].as_str().unwrap();
        let past = client.get(&format!("/api/v1/devices/{device}/history")).await.is(200).json();
        assert_eq!((&past[0]["what"], &past[0]["event"]), (&json!("new"), &json!(2)));
        let north = world.person("north", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        let north = world.session(&north).await;
        for path in ["events", "changes"] {
            assert_eq!(north.get(&format!("/api/v1/{path}")).await.is(200).json(), json!([]));
        }
        north.get(&format!("/api/v1/devices/{device}/history")).await.problem(404);
        assert!(
            client.get("/api/v1/organisations?name=quectel").await.is(200).json().as_array().unwrap().iter().any(|o| o["id"].is_string())
        );
        assert_eq!(client.get("/api/v1/sites").await.is(200).json()[0], json!({"site": "East", "devices": 1}));
        world.end().await;
    });
}
