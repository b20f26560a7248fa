//! What people do with their own account, by page and by API.

use axum::http::Method;
use serde_json::json;
use umbilical_store::{Role, Sites, TokenClass};

use crate::support::{PASSWORD, World, run};

/// The code that an app shows.
fn code(secret: &str, unix: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(u64::try_from(unix).unwrap()).to_string()
}

#[test]
fn one_time_codes_from_offer_to_recovery() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        let unix = || crate::support::NOON.0 / 1000;
        let csrf = client.csrf().await;
        client.form("/account/totp", &[("csrf", &csrf)]).await.is(303);
        let page = client.get("/account").await.is(200).text();
        assert!(page.contains("<svg") && page.contains("Square code"), "{page}");
        let secret = page.split("<code class=\"once\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
        client.form("/account/totp/confirm", &[("csrf", &csrf), ("code", "000000")]).await.is(422);
        let answer = client.form("/account/totp/confirm", &[("csrf", &csrf), ("code", &code(&secret, unix()))]).await.is(200);
        let page = answer.text();
        let codes: Vec<&str> = page.split("<code class=\"once\">").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
        assert_eq!(codes.len(), 10);
        assert!(!client.get("/account").await.is(200).text().contains(codes[0]), "shown once");

        let other = world.client();
        let first = async || {
            let page = other.form("/sign-in", &[("login", "ana"), ("password", PASSWORD)]).await.is(200).text();
            assert!(page.contains("One more step"));
            page.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let key = first().await;
        assert!(other.cookie().is_none(), "a password alone opens nothing");
        // The code that confirmed the secret was used.
        other.form("/sign-in/code", &[("key", &key), ("code", &code(&secret, unix()))]).await.is(401);
        other.form("/sign-in/code", &[("key", "made up"), ("code", "1")]).await.is(303);
        world.clock.forward(30_000);
        let now = code(&secret, unix() + 30);
        other.form("/sign-in/code", &[("key", &key), ("code", &now)]).await.is(303);
        other.get("/api/v1/me").await.is(200);
        other.set_cookie(None);
        let key = first().await;
        other.form("/sign-in/code", &[("key", &key), ("code", &now)]).await.is(401);
        for _ in 0..4 {
            other.form("/sign-in/code", &[("key", &key), ("code", "123456")]).await.is(401);
        }
        // Five tries and no more.
        assert_eq!(other.form("/sign-in/code", &[("key", &key), ("code", codes[3])]).await.is(303).header("location"), "/sign-in");
        world.clock.forward(60_000);
        let key = first().await;
        other.form("/sign-in/code", &[("key", &key), ("code", &codes[3].to_uppercase())]).await.is(303);
        other.get("/api/v1/me").await.is(200);
        other.set_cookie(None);
        let key = first().await;
        other.form("/sign-in/code", &[("key", &key), ("code", codes[3])]).await.is(401);
        world.end().await;
    });
}

#[test]
fn another_password_ends_every_other_session() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        let other = world.client();
        other.sign_in("ana", PASSWORD).await;
        let wanted = |old: &str, new: &str| json!({"old": old, "new": new});
        client.json(Method::POST, "/api/v1/me/password", &wanted("wrong wrong wrong", "eight loud lamps")).await.problem(403);
        client.json(Method::POST, "/api/v1/me/password", &wanted(PASSWORD, "short")).await.problem(422);
        client.json(Method::POST, "/api/v1/me/password", &wanted(PASSWORD, "eight loud lamps")).await.is(204);
        client.get("/api/v1/me").await.is(200);
        other.get("/api/v1/me").await.problem(401);
        other.form("/sign-in", &[("login", "ana"), ("password", PASSWORD)]).await.is(401);
        other.sign_in("ana", "eight loud lamps").await;
        world.end().await;
    });
}

#[test]
fn tokens_are_shown_once_narrower_than_their_person_and_end() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        let make = async |body: serde_json::Value| client.json(Method::POST, "/api/v1/tokens", &body).await;
        make(json!({"name": "ci", "scopes": ["admin"]})).await.problem(403);
        make(json!({"name": "ci", "scopes": ["subscribers"]})).await.problem(403);
        make(json!({"name": "ci", "scopes": ["fly"]})).await.problem(422);
        make(json!({"name": "ci", "scopes": []})).await.problem(422);
        make(json!({"name": "ci", "scopes": ["read"], "days": 1000})).await.problem(422);
        let made = make(json!({"name": "ci", "scopes": ["read"], "days": 2})).await.is(201).json();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("umb_") && secret.len() >= 4 + 43);
        let list = client.get("/api/v1/tokens").await.is(200).text();
        assert!(!list.contains(secret));
        let program = world.client().bearer(secret);
        program.get("/api/v1/devices").await.is(200);
        program.get("/api/v1/export/devices").await.problem(403);
        program.upload("x", "y").await.problem(403);
        program.get("/api/v1/tokens").await.problem(403);
        // A token sees no more than its person does now.
        let mut person = world.app.store().person_by_login("ana").await.unwrap();
        person.sites = Sites::Only(["North".to_owned()].into());
        world.app.store().update_person(world.by(), &person).await.unwrap();
        assert_eq!(program.get("/api/v1/me").await.is(200).json()["sites"], json!(["North"]));
        world.clock.forward(2 * 86_400_000);
        program.get("/api/v1/devices").await.problem(401);

        client.sign_in("ana", PASSWORD).await;
        let made = make(json!({"name": "siem", "class": "export-only", "scopes": ["read", "import"]})).await.is(201).json();
        assert_eq!(made["scopes"], json!(["export"]));
        let program = world.client().bearer(made["secret"].as_str().unwrap());
        program.get("/api/v1/export/devices").await.is(200);
        program.get("/api/v1/devices").await.problem(403);
        // Somebody else's token is not there for me.
        let bo = world.person("bo", &[Role::Admin], Sites::Only(["North".to_owned()].into())).await;
        let bo = world.session(&bo).await;
        let at = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
        bo.json(Method::DELETE, &at, &json!({})).await.problem(404);
        client.json(Method::DELETE, &at, &json!({})).await.is(204);
        program.get("/api/v1/export/devices").await.problem(401);
        let _ = TokenClass::Full;
        world.end().await;
    });
}

#[test]
fn the_page_makes_tokens_too() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        let csrf = client.csrf().await;
        let page = client
            .form("/account/tokens", &[("csrf", &csrf), ("name", "<b>ci</b>"), ("scope-read", "on"), ("class", "full"), ("days", "30")])
            .await
            .is(200)
            .text();
        let secret = page.split("<code class=\"once\">").nth(1).unwrap().split('<').next().unwrap();
        assert!(page.contains("&#60;b&#62;ci&#60;/b&#62;"), "{page}");
        world.client().bearer(secret).get("/api/v1/devices").await.is(200);
        client.form("/account/tokens", &[("csrf", &csrf), ("name", "x"), ("class", "full"), ("days", "30")]).await.is(422);
        let id = client.get("/api/v1/tokens").await.json()[0]["id"].as_str().unwrap().to_owned();
        client.form(&format!("/account/tokens/{id}"), &[("csrf", &csrf)]).await.is(303);
        world.client().bearer(secret).get("/api/v1/devices").await.problem(401);
        world.end().await;
    });
}

#[test]
fn sessions_are_listed_and_ended_from_another() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        let other = world.client();
        other.sign_in("ana", PASSWORD).await;
        let stranger = world.signed_in("bo", &[Role::Admin]).await;
        let list = client.get("/api/v1/sessions").await.is(200).json();
        assert_eq!(list.as_array().unwrap().len(), 2);
        let id = list.as_array().unwrap().iter().find(|s| s["this"] == false).unwrap()["id"].as_str().unwrap().to_owned();
        let at = format!("/api/v1/sessions/{id}");
        stranger.json(Method::DELETE, &at, &json!({})).await.problem(404);
        client.json(Method::DELETE, &at, &json!({})).await.is(204);
        other.get("/api/v1/me").await.problem(401);
        client.get("/api/v1/me").await.is(200);
        world.end().await;
    });
}

#[test]
fn views_are_ones_own_or_shared_with_a_role() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Viewer]).await;
        let bo = world.signed_in("bo", &[Role::Analyst]).await;
        let cy = world.signed_in("cy", &[Role::Viewer]).await;
        let view =
            json!({"name": "Open at North", "shared": ["analyst"], "list": "devices", "q": "site:north state:new", "sort": "-severity"});
        let id = ana.json(Method::POST, "/api/v1/views", &view).await.is(201).json()["id"].as_str().unwrap().to_owned();
        for wrong in [
            json!({"name": "x", "list": "devices", "q": "("}),
            json!({"name": "x", "list": "people"}),
            json!({"name": "x", "list": "devices", "shared": ["king"]}),
        ] {
            ana.json(Method::POST, "/api/v1/views", &wrong).await.problem(422);
        }
        let seen = bo.get("/api/v1/views").await.is(200).json();
        assert_eq!(
            (&seen[0]["name"], &seen[0]["own"], &seen[0]["q"]),
            (&json!("Open at North"), &json!(false), &json!("site:north state:new"))
        );
        assert_eq!(cy.get("/api/v1/views").await.is(200).json(), json!([]));
        bo.json(Method::DELETE, &format!("/api/v1/views/{id}"), &json!({})).await.problem(404);
        ana.json(Method::DELETE, &format!("/api/v1/views/{id}"), &json!({})).await.is(204);
        assert_eq!(bo.get("/api/v1/views").await.is(200).json(), json!([]));
        world.end().await;
    });
}
