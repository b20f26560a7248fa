//! A form that is refused is there again: what was typed stands in it, the reason at its field, and nothing of it was done.

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_store::Role;

use crate::support::{Client, PASSWORD, World, evidence, run};

async fn send(client: &Client, path: &str, fields: &[(&str, &str)]) -> crate::support::client::Answer {
    let csrf = client.csrf().await;
    client.form(path, &[fields, &[("csrf", csrf.as_str())]].concat()).await
}

/// What stands between the field of an id and the end of its element, and what stands right behind it.
fn field<'a>(page: &'a str, id: &str) -> (&'a str, &'a str) {
    let (_, rest) = page.split_once(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("no field {id}: {page}"));
    rest.split_once('>').unwrap()
}

/// The page has the reason once at its top and once at this field, which is the only one so marked.
#[track_caller]
fn wrong_at(page: &str, id: &str, why: &str) {
    let (attributes, behind) = field(page, id);
    assert!(attributes.contains("aria-invalid=\"true\" aria-describedby=\"refused\""), "{id}: {attributes}");
    let said = page.split_once("<p class=\"wrong\" id=\"refused\">").unwrap().1.split("</p>").next().unwrap();
    assert!(said.contains(why), "{why}: {said}");
    // It stands between the field's label and what comes after the field.
    let (label, near) = (page.find(&format!("for=\"{id}\"")).unwrap(), page.find("id=\"refused\"").unwrap());
    let next = behind.find("<label").map_or(page.len(), |at| page.len() - behind.len() + at);
    assert!((label..next).contains(&near), "{id}: {page}");
    assert_eq!((page.matches("id=\"refused\"").count(), page.matches("aria-invalid").count()), (1, 1));
    assert!(page.contains("role=\"alert\">Nothing was changed: "), "{page}");
}

#[track_caller]
fn holds(page: &str, id: &str, typed: &str) {
    let attributes = field(page, id).0;
    assert!(attributes.contains(&format!("value=\"{typed}\"")), "{id}: {attributes}");
}

async fn a_finding(client: &Client) -> Value {
    client.get("/api/v1/findings").await.is(200).json()["findings"][0].clone()
}

/// One card in two devices: a finding, and two devices.
fn twice() -> String {
    let card = umbilical_synth::numbers::iccid(7);
    let row = |name: &str, serial| format!("{name},North,Quectel,EG25-G,{},{card}\n", umbilical_synth::numbers::imei(86_769_804, serial));
    format!("name,site,module manufacturer,module model,imei,iccid\n{}{}", row("p-1", 1), row("p-2", 2))
}

#[test]
fn a_risk_is_accepted_with_a_reason_and_an_end_by_form_and_api() {
    run(async {
        let world = World::new().await;
        let eva = world.signed_in("eva", &[Role::Engineer]).await;
        eva.upload("twice.csv", twice()).await.is(202);
        world.settled().await;
        let found = a_finding(&eva).await;
        let id = found["finding"]["id"].as_str().unwrap();
        let device = eva.get("/api/v1/devices?q=name:p-1").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        // 2026-11-29 and 366 days.
        for (comment, until, at, why) in [
            ("", "2027-11-30", "comment", "say why"),
            ("   ", "2027-11-30", "comment", "say why"),
            ("in a <cage>", "", "expires", "until which day"),
            ("in a <cage>", "2026-11-28", "expires", "has passed"),
            ("in a <cage>", "2027-12-01", "expires", "366 days at most"),
            ("in a <cage>", "2999-01-01", "expires", "366 days at most"),
            ("in a <cage>", "soon", "expires", "no day"),
        ] {
            for subject in [format!("findings/{id}"), format!("devices/{device}")] {
                let expires = if until.is_empty() { Value::Null } else { until.into() };
                let wanted = json!({"kind": "state", "value": "accepted", "comment": comment, "expires": expires});
                let problem = eva.json(Method::POST, &format!("/api/v1/{subject}/decisions"), &wanted).await.problem(422);
                assert_eq!(problem["field"], at, "{problem}");
                assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
                let page = send(&eva, &format!("/{subject}"), &[("kind", "accepted"), ("comment", comment), ("until", until)]).await;
                let page = page.is(422).text();
                wrong_at(&page, if at == "comment" { "why-state" } else { "until" }, why);
                holds(&page, "why-state", comment.trim_end_matches('\0').replace('<', "&#60;").replace('>', "&#62;").as_str());
                holds(&page, "until", until);
                assert!(page.contains("<option selected>accepted</option>"), "{page}");
            }
            // Many at once: for ticked rows, and for all of them before anybody is asked whether it is sure.
            let base = [("kind", "accepted"), ("comment", comment), ("until", until), ("q", "severity>=info")];
            for (path, row) in [("/findings", id), ("/fleet", device.as_str())] {
                for to in [&[("to", "ticked"), ("id", row)][..], &[("to", "all")]] {
                    let page = send(&eva, path, &[&base[..], to].concat()).await.is(422).text();
                    wrong_at(&page, if at == "comment" { "comment" } else { "until" }, why);
                    holds(&page, "until", until);
                    assert!(page.contains("<details class=\"bulk\" open>") && page.contains("<option value=\"accepted\" selected>"));
                    assert_eq!(page.contains(&format!("value=\"{row}\" checked")), to.len() > 1, "{page}");
                }
            }
            let decision = json!({"kind": "state", "value": "accepted", "comment": comment, "expires": until});
            let many = json!({"q": "", "expected": 2, "decision": decision});
            assert_eq!(
                eva.json(Method::POST, "/api/v1/devices/decisions", &many).await.problem(422)["field"],
                if until.is_empty() { "expires" } else { at }
            );
        }
        assert_eq!(eva.get("/api/v1/findings?q=state:accepted").await.json()["findings"], json!([]));
        assert_eq!(eva.get("/api/v1/devices?q=state:accepted").await.json()["devices"], json!([]));
        // The longest that there is; who accepted it stands on the page, and in the audit log with what was said.
        send(&eva, &format!("/findings/{id}"), &[("kind", "accepted"), ("comment", "in a <cage>"), ("until", "2027-11-30")]).await.is(303);
        let page = eva.get(&format!("/findings/{id}")).await.is(200).text();
        assert!(page.contains("Accepted by eva until 2027-11-30: in a &#60;cage&#62;") && !page.contains("Nothing was changed"), "{page}");
        let log = world.app.store().audit_rows(None, 1).await.unwrap();
        assert_eq!((log[0].who.as_str(), log[0].detail["comment"].as_str()), ("eva", Some("in a <cage>")));
        // Other states ask for neither, and a decision over it takes the sentence away.
        send(&eva, &format!("/findings/{id}"), &[("kind", "triage")]).await.is(303);
        assert!(!eva.get(&format!("/findings/{id}")).await.text().contains("Accepted by"));
        world.end().await;
    });
}

#[test]
fn what_no_software_mends_is_not_offered_as_closed() {
    run(async {
        let world = World::new().await;
        let eva = world.signed_in("eva", &[Role::Engineer]).await;
        eva.upload("twice.csv", twice()).await.is(202);
        eva.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let all = eva.get("/api/v1/findings").await.json()["findings"].as_array().unwrap().clone();
        let mut met = std::collections::BTreeSet::new();
        for row in &all {
            let (id, lifecycle) = (row["finding"]["id"].as_str().unwrap(), row["finding"]["lifecycle"].as_str().unwrap());
            let page = eva.get(&format!("/findings/{id}")).await.is(200).text();
            assert_eq!(page.contains("<option>closed</option>"), lifecycle != "not-patchable", "{lifecycle}: {page}");
            met.insert(lifecycle.to_owned());
        }
        assert!(!met.is_empty());
        world.end().await;
    });
}

#[test]
fn other_forms_of_decisions_and_views_keep_what_was_typed() {
    run(async {
        let world = World::new().await;
        let eva = world.signed_in("eva", &[Role::Engineer]).await;
        eva.upload("twice.csv", twice()).await.is(202);
        world.settled().await;
        let device = eva.get("/api/v1/devices?q=name:p-1").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let at = format!("/devices/{device}");
        let long = "x".repeat(101);
        let page = send(&eva, &at, &[("kind", "tag"), ("value", &long)]).await.is(422).text();
        wrong_at(&page, "tag", "1 to 100 bytes");
        holds(&page, "tag", &long);
        let page = send(&eva, &at, &[("kind", "note"), ("comment", " ")]).await.is(422).text();
        wrong_at(&page, "note", "says something");
        // What concerns no field of it is said at the top.
        let page = send(&eva, &at, &[("kind", "shrug"), ("comment", "y")]).await.is(422).text();
        wrong_at(&page, "state", "choose what");
        send(&eva, "/devices/dev-000000000000", &[("kind", "note"), ("comment", "x")]).await.is(404);
        // Rows that were ticked on a later page are ticked there again.
        let listed = eva.get("/fleet?limit=1").await.is(200).text();
        let next = listed.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&#38;", "&");
        let second = eva.get(&next).await.is(200).text();
        let after = second.split("name=\"after\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let p2 = eva.get("/api/v1/devices?q=name:p-2").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let sent = [("kind", "tag"), ("value", ""), ("comment", "because"), ("to", "ticked"), ("id", p2.as_str()), ("after", &after)];
        let page = send(&eva, "/fleet", &sent).await.is(422).text();
        wrong_at(&page, "value", "which tag");
        holds(&page, "comment", "because");
        assert!(page.contains(&format!("value=\"{p2}\" checked")) && !page.contains(&device), "{page}");
        let page = send(&eva, "/findings", &[("kind", "tag"), ("value", "x"), ("to", "ticked")]).await.is(422).text();
        assert!(page.contains("Nothing was changed: no row is ticked"));
        holds(&page, "value", "x");
        // Views, on the page of their list.
        for (list, sort) in [("devices", "-site"), ("findings", "")] {
            let sent = [("list", list), ("q", "site:north"), ("sort", sort), ("name", " "), ("share", "engineer")];
            let page = send(&eva, "/views", &sent).await.is(422).text();
            wrong_at(&page, "view-name", "1 to 200 bytes");
            assert!(page.contains("<option value=\"engineer\" selected>") && page.contains("value=\"site:north\""), "{page}");
        }
        world.end().await;
    });
}

#[test]
fn forms_of_administration_keep_what_was_typed_and_no_secret() {
    run(async {
        let world = World::new().await;
        let ada = world.signed_in("ada", &[Role::Admin]).await;
        let add = [("login", "a b"), ("name", "Bo \"B\""), ("sites", "North, South"), ("role-viewer", "on"), ("subscribers", "on")];
        let page = send(&ada, "/people", &add).await.is(422).text();
        wrong_at(&page, "login", "without blanks");
        holds(&page, "login", "a b");
        holds(&page, "name", "Bo &#34;B&#34;");
        holds(&page, "sites", "North, South");
        assert!(page.contains("name=\"role-viewer\" value=\"on\" checked") && !page.contains("name=\"role-admin\" value=\"on\" checked"));
        assert!(page.contains("name=\"subscribers\" value=\"on\" checked"), "{page}");
        let page = send(&ada, "/people", &[("login", "ADA"), ("name", "again")]).await.is(409).text();
        wrong_at(&page, "login", "there is a person");

        let token = [("name", "nightly"), ("class", "full"), ("days", "0"), ("scope-read", "on")];
        let page = send(&ada, "/account/tokens", &token).await.is(422).text();
        wrong_at(&page, "days", "1 to 366");
        holds(&page, "token-name", "nightly");
        assert!(page.contains("name=\"scope-read\" value=\"on\" checked") && !page.contains("umb_"), "{page}");
        let page = send(&ada, "/account/tokens", &[("name", "x"), ("days", "soon"), ("scope-read", "on")]).await.is(422).text();
        wrong_at(&page, "days", "a number");
        let page = send(&ada, "/account/tokens", &[("name", "x"), ("days", "9"), ("scope-import", "on")]).await.is(403).text();
        assert!(page.contains("<p class=\"wrong\" id=\"refused\">you may not do `import` yourself"), "{page}");
        let words = [("old", PASSWORD), ("password", "four unlike words 7"), ("again", "four unlike words 8")];
        let page = send(&ada, "/account/password", &words).await.is(422).text();
        wrong_at(&page, "again", "not the same");
        assert!(!page.contains(PASSWORD) && !page.contains("four unlike"), "{page}");
        let words = [("old", "not this one at all"), ("password", "four unlike words 7"), ("again", "four unlike words 7")];
        let page = send(&ada, "/account/password", &words).await.is(403).text();
        wrong_at(&page, "old", "the password is wrong");
        assert!(!page.contains("not this one") && !page.contains("four unlike"), "{page}");

        let page = send(&ada, "/settings", &[("name", "keeping"), ("bytes", "365"), ("observations", "a <year>")]).await.is(422).text();
        wrong_at(&page, "observations", "whole number");
        holds(&page, "bytes", "365");
        holds(&page, "observations", "a &#60;year&#62;");
        let page = send(&ada, "/settings", &[("name", "keeping"), ("bytes", "0")]).await.is(422).text();
        wrong_at(&page, "bytes", "a day at least");
        let page = send(&ada, "/settings", &[("name", "backups"), ("every_hours", "9999"), ("keep", "3")]).await.is(422).text();
        wrong_at(&page, "every_hours", "1 to 744");
        holds(&page, "keep", "3");
        let provider =
            [("name", "openid"), ("issuer", "https://id.example"), ("client_id", "u"), ("client_secret", "hush-hush"), ("roles", "ops")];
        let page = send(&ada, "/settings", &provider).await.is(422).text();
        wrong_at(&page, "roles", "group = role");
        holds(&page, "issuer", "https://id.example");
        assert!(!page.contains("hush-hush") && page.contains(">ops</textarea>"), "{page}");
        assert_eq!(ada.get("/api/v1/settings").await.json()["openid"], Value::Null);

        let hook = [
            ("kind", "hec"),
            ("name", "ours"),
            ("url", "https://splunk.example:99999"),
            ("secret", "hush-hush"),
            ("severity", "low"),
            ("verdict-fail", "on"),
            ("index", "iot"),
        ];
        let page = send(&ada, "/settings/integrations", &hook).await.is(422).text();
        wrong_at(&page, "hec-url", "a port from 1 to 65535");
        holds(&page, "hec-url", "https://splunk.example:99999");
        holds(&page, "hec-index", "iot");
        assert!(!page.contains("hush-hush") && page.contains("<option selected>low</option>"), "{page}");
        assert!(page.contains("name=\"verdict-fail\" value=\"on\" checked"), "{page}");
        // The form of another kind is as it always is.
        assert!(field(&page, "webhook-url").0.contains("value=\"\""));
        let good: Vec<(&str, &str)> =
            hook.iter().copied().map(|(n, v)| if n == "url" { (n, "https://splunk.example:8088") } else { (n, v) }).collect();
        let made = send(&ada, "/settings/integrations", &good).await.is(303);
        let at = made.header("location").to_owned();
        let change: Vec<(&str, &str)> = hook.iter().copied().map(|(n, v)| if n == "name" { (n, "theirs") } else { (n, v) }).collect();
        let page = send(&ada, &at, &[&change[1..], &[("to", "change")]].concat()).await.is(422).text();
        wrong_at(&page, "hec-url", "a port");
        holds(&page, "hec-name", "theirs");
        assert!(!page.contains("hush-hush") && page.contains("<h1>ours</h1>"), "{page}");
        world.end().await;
    });
}
