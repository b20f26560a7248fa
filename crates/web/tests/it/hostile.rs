//! Texts that mean harm, through every field: nothing is run, nothing is lost.

use axum::http::Method;
use serde_json::json;
use umbilical_store::Role;
use umbilical_synth::attacks::{TEXTS, table, texts};

use crate::support::client::multipart;
use crate::support::{World, run};

/// The tags that our templates have, and the attributes of any of them.
const TAGS: &str = "a article aside body br button circle code dd defs details div desc dl dt fieldset figcaption figure form g h1 h2 h3 h4 head header html input label legend li line link main marker \
                    meta meter nav noscript ol optgroup option p path polygon polyline rect section select span strong summary svg table tbody td text textarea th thead title tr ul";
const ATTRIBUTES: &str = "action aria-current aria-hidden aria-label aria-labelledby aria-sort autocomplete autofocus checked class content cx cy d data-all data-count data-live data-market data-measure data-quoted data-rows data-total download enctype markerheight marker-end markerwidth orient refx refy fill for form height href http-equiv \
                          id inputmode lang label max maxlength method min minlength multiple name open placeholder r rel required role rows scope selected \
                          shape-rendering spellcheck tabindex text-anchor title type value viewbox webkitdirectory width charset x x1 x2 y y1 y2 rx points";

/// Reads a page as a browser does: every tag and attribute must be one of our own, and every address one of this server.
#[track_caller]
fn harmless(page: &str, from: &str) {
    assert!(!page.contains('\u{1b}') && !page.contains('\0'), "{from}: a control character stands in the page");
    let known = |list: &str, word: &str| list.split_ascii_whitespace().any(|w| w == word);
    let mut rest = page;
    let mut scripts = 0;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix("!DOCTYPE html>") {
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').unwrap_or(rest.len());
        let tag = rest[..end].trim_matches('/');
        if rest.starts_with("script src=\"/assets/page-") && scripts == 0 {
            // The one script, of a file of ours; nothing stands in it.
            scripts += 1;
            let (tag, after) = rest.split_once("</script>").unwrap_or_else(|| panic!("{from}: the script does not end"));
            assert!(tag.ends_with(".js\" defer>"), "{from}: {tag}");
            rest = after;
            continue;
        }
        assert!(known(TAGS, tag), "{from}: <{tag}> stands in the page");
        rest = &rest[end..];
        loop {
            rest = rest.trim_start_matches([' ', '\n', '/']);
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            let end = rest.find(['=', '>', ' ', '\n']).unwrap_or_else(|| panic!("{from}: a tag does not end"));
            let name = rest[..end].to_ascii_lowercase();
            assert!(known(ATTRIBUTES, &name), "{from}: attribute {name} of <{tag}>");
            rest = &rest[end..];
            if let Some(after) = rest.strip_prefix("=\"") {
                let end = after.find('"').unwrap_or_else(|| panic!("{from}: an attribute does not end"));
                let value = &after[..end];
                if ["href", "action"].contains(&name.as_str()) {
                    let ours = (value.starts_with('/') && !value.starts_with("//")) || value.starts_with('#');
                    assert!(ours, "{from}: {name} leads to {value}");
                }
                rest = &after[end + 1..];
            }
        }
    }
}

#[test]
fn texts_through_every_field_of_evidence() {
    run(async {
        let world = World::with(crate::support::law::shelved).await;
        let client = world.signed_in("ana", &[Role::Engineer]).await;
        // A name of a file is from outside, too.
        for (n, text) in TEXTS.iter().enumerate() {
            client.upload(text, format!("name,site\ndevice-{n},Somewhere\n")).await.is(202);
        }
        client.upload("table.csv", table()).await.is(202);
        world.settled().await;
        let outside = world.folder.path().join("uploads");
        assert_eq!(std::fs::read_dir(outside).map(|d| d.count()).unwrap_or(0), 0);
        let mut path = "/api/v1/devices?limit=1000".to_owned();
        let mut devices = Vec::new();
        loop {
            let list = client.get(&path).await.is(200).json();
            devices.extend(list["devices"].as_array().unwrap().clone());
            match list["next"].as_str() {
                Some(next) => path = format!("/api/v1/devices?limit=1000&after={next}"),
                None => break,
            }
        }
        // Each row of the table and each file is a device.
        assert!(devices.len() >= texts().len() + TEXTS.len() - 8, "{} devices of {} texts", devices.len(), texts().len());
        for device in &devices {
            let id = device["id"].as_str().unwrap();
            harmless(&client.get(&format!("/devices/{id}")).await.is(200).text(), id);
        }
        for page in [
            "/fleet?limit=1000",
            "/findings?limit=1000",
            "/modules",
            "/modules?sort=maker&page=1",
            "/modules?q=%3Cscript%3E",
            "/policy",
            "/policy/markets",
            "/policy/timeline",
            "/evidence",
            "/changes",
            "/",
            "/import",
            "/account",
        ] {
            harmless(&client.get(page).await.is(200).text(), page);
        }
        for job in 1..=TEXTS.len() + 1 {
            harmless(&client.get(&format!("/import/{job}")).await.is(200).text(), "job");
        }
        world.end().await;
    });
}

#[test]
fn texts_through_every_field_of_the_api_and_the_pages() {
    run(async {
        let world = World::with(crate::support::law::shelved).await;
        let client = world.signed_in("ana", &[Role::Engineer, Role::Admin, Role::Auditor]).await;
        client.upload("r.csv", crate::support::evidence::two_sites()).await.is(202);
        world.settled().await;
        let id = client.get("/api/v1/devices").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let at = format!("/api/v1/devices/{id}/decisions");
        let csrf = client.csrf().await;
        let mut noted = 0;
        for (n, text) in texts().iter().enumerate() {
            let text = text.as_str();
            let q = umbilical_web::guard::encoded(text);
            for path in [
                "/api/v1/devices?q=",
                "/api/v1/findings?q=",
                "/api/v1/devices?sort=",
                "/api/v1/devices?after=",
                "/api/v1/evidence?after=",
                "/api/v1/export/devices?q=",
                "/api/v1/organisations?name=",
                "/api/v1/devices/",
                "/api/v1/findings/",
                "/api/v1/evidence/",
                "/api/v1/jobs/",
                "/api/v1/changes?after=",
                "/api/v1/users/",
                "/api/v1/devices/facets?fields=",
            ] {
                let answer = client.get(&format!("{path}{q}")).await;
                assert!(answer.status.as_u16() < 500, "{path}{text}: {}", answer.text());
            }
            for path in [
                "/fleet?q=",
                "/findings?q=",
                "/modules?q=",
                "/modules?sort=",
                "/modules/",
                "/organisations/",
                "/organisations/quectel?as_of=",
                "/look-up?q=",
                "/policy/",
                "/policy/timeline?pack=",
                "/policy/markets?market=",
                "/policy/why?module=",
                "/devices/",
                "/import/",
                "/sign-in?next=",
                "/welcome/usr-1/",
                "/set-up/",
                "/assets/",
            ] {
                let answer = client.get(&format!("{path}{q}")).await;
                assert!(answer.status.as_u16() < 500, "{path}{text}");
                harmless(&answer.text(), text);
                assert!(!answer.header("location").contains("evil"), "{text}");
            }
            for body in [
                json!({"kind": "note", "comment": text}),
                json!({"kind": "tag", "value": format!("{text}{n}")}),
                json!({"kind": "assign", "value": text}),
            ] {
                let status = client.json(Method::POST, &at, &body).await.status.as_u16();
                assert!(status == 201 || status == 422, "{text}: {status}");
                noted += u32::from(status == 201 && body["kind"] == "note");
            }
            let answer = client
                .json(Method::POST, "/api/v1/users", &json!({"login": format!("u{n}"), "name": text, "roles": ["viewer"], "sites": [text]}))
                .await;
            assert_eq!(answer.status, 201, "{text}");
            let status = client.json(Method::POST, "/api/v1/tokens", &json!({"name": text, "scopes": ["read"]})).await.status.as_u16();
            // A person has a hundred tokens and no more.
            assert!(status == 201 || status == 422 || (status == 409 && n >= 99), "{text}: {status}");
            let status = client
                .json(Method::POST, "/api/v1/users", &json!({"login": text, "roles": ["viewer"], "sites": null}))
                .await
                .status
                .as_u16();
            assert!([201, 409, 422].contains(&status), "{text}: {status}");
            // Each takes the time of a password: some of them will do.
            if n % 8 == 0 {
                let page = world.client().form("/sign-in", &[("login", text), ("password", text), ("next", text)]).await;
                assert!([401, 429].contains(&page.status.as_u16()), "{text}: {}", page.status);
                harmless(&page.text(), text);
            }
            world.clock.forward(60_000);
            client.form(&format!("/devices/{id}"), &[("csrf", &csrf), ("kind", text), ("value", text)]).await.is(422);
        }
        // Every note is there as it was written, the one character apart that no database of ours takes.
        let log = client.get(&at).await.is(200).json();
        let notes: Vec<&str> =
            log.as_array().unwrap().iter().filter(|d| d["kind"] == "note").map(|d| d["comment"].as_str().unwrap()).collect();
        assert_eq!(notes.len() as u32, noted);
        for text in texts() {
            assert!(notes.contains(&text.replace('\0', "\u{2400}").as_str()), "{text} is lost");
        }
        for page in [format!("/devices/{id}"), "/people".into(), "/account".into(), "/audit-log".into(), "/fleet".into()] {
            harmless(&client.get(&page).await.is(200).text(), &page);
        }
        let (kind, body) = multipart(&[("csrf", "wrong")], &[("x.csv", b"name\nx\n")]);
        client.send(Method::POST, "/import", &[("content-type", &kind)], body).await.is(403);
        assert_eq!(client.get("/api/v1/audit-log/verify").await.is(200).json()["wrong"], json!([]));
        world.end().await;
    });
}
