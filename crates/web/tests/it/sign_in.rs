//! Sessions: how they begin, end, and what they are guarded by.

use axum::body::Body;
use axum::http::Method;
use umbilical_store::{Role, Sites};

use crate::support::{PASSWORD, World, run};

#[test]
fn a_wrong_password_and_a_login_that_is_not_there_are_answered_alike() {
    run(async {
        let world = World::new().await;
        world.person("ana", &[Role::Viewer], Sites::All).await;
        let client = world.client();
        let wrong = client.form("/sign-in", &[("login", "ana"), ("password", "not it, not it")]).await.is(401).text();
        let nobody = client.form("/sign-in", &[("login", "bob"), ("password", "not it, not it")]).await.is(401).text();
        assert_eq!(wrong.replace("ana", "X"), nobody.replace("bob", "X"));
        assert!(client.cookie().is_none());
        client.get("/api/v1/devices").await.problem(401);
        world.end().await;
    });
}

#[test]
fn five_wrong_passwords_a_minute_and_no_more() {
    run(async {
        let world = World::new().await;
        world.person("ana", &[Role::Viewer], Sites::All).await;
        let client = world.client();
        let wrong = async || client.form("/sign-in", &[("login", "ana"), ("password", "guess guess guess")]).await;
        for _ in 0..5 {
            wrong().await.is(401);
        }
        let answer = wrong().await.is(429);
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        // The right one is no way around.
        client.form("/sign-in", &[("login", "ANA "), ("password", PASSWORD)]).await.is(429);
        world.clock.forward(13_000);
        client.form("/sign-in", &[("login", "ana"), ("password", PASSWORD)]).await.is(303);
        client.get("/api/v1/me").await.is(200);
        world.end().await;
    });
}

#[test]
fn sessions_end_when_idle_and_in_any_case() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        for _ in 0..35 {
            world.clock.forward(20 * 60_000);
            client.get("/api/v1/me").await.is(200);
        }
        // Thirty-five times twenty minutes are less than twelve hours; once more is not.
        world.clock.forward(20 * 60_000);
        client.get("/api/v1/me").await.problem(401);
        client.sign_in("ana", PASSWORD).await;
        world.clock.forward(61 * 60_000);
        client.get("/api/v1/me").await.problem(401);
        client.get("/api/v1/me").await.problem(401);
        world.end().await;
    });
}

#[test]
fn signing_out_ends_the_session_for_every_copy_of_its_cookie() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        let cookie = client.cookie();
        let csrf = client.csrf().await;
        client.form("/sign-out", &[]).await.is(403);
        client.form("/sign-out", &[("csrf", &csrf)]).await.is(303);
        assert!(client.cookie().is_none());
        client.set_cookie(cookie);
        client.get("/api/v1/me").await.problem(401);
        world.end().await;
    });
}

#[test]
fn another_site_cannot_make_a_browser_write() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Analyst]).await;
        let csrf = client.csrf().await;
        let body = "{\"kind\":\"note\",\"comment\":\"x\"}";
        let json = ("content-type", "application/json");
        let token = ("x-csrf-token", csrf.as_str());
        let send =
            async |headers: &[(&str, &str)]| client.send(Method::POST, "/api/v1/devices/dev-000000000000/decisions", headers, body).await;
        send(&[json]).await.problem(403);
        send(&[json, ("x-csrf-token", "wrong")]).await.problem(403);
        for foreign in
            [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
        {
            send(&[json, token, foreign]).await.problem(403);
        }
        // With everything right it is only that there is no such device.
        let own = format!("http://{}", world.bound.address);
        send(&[json, token, ("origin", &own), ("sec-fetch-site", "same-origin")]).await.problem(404);
        // A browser under a strict referrer policy sends forms with `origin: null`, and says itself where they come from.
        send(&[json, token, ("origin", "null"), ("sec-fetch-site", "same-origin")]).await.problem(404);
        // Reading needs none of it, and signing in from elsewhere is refused, too.
        client.send(Method::GET, "/api/v1/me", &[("sec-fetch-site", "cross-site")], Body::empty()).await.is(200);
        let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")];
        client.send(Method::POST, "/sign-in", &form, "login=ana&password=x").await.is(403);
        world.end().await;
    });
}

#[test]
fn who_is_shut_out_or_changes_the_password_is_signed_out() {
    run(async {
        let world = World::new().await;
        let client = world.signed_in("ana", &[Role::Viewer]).await;
        client.get("/api/v1/me").await.is(200);
        let mut person = world.app.store().person_by_login("ana").await.unwrap();
        person.disabled = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        client.get("/api/v1/me").await.problem(401);
        client.form("/sign-in", &[("login", "ana"), ("password", PASSWORD)]).await.is(401);
        world.end().await;
    });
}
