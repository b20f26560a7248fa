//! What holds for every sink: who may make one, where it may lead, and what is never shown.

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_store::{Role, SinkFilter, SinkKind, SinkOf, Sites};

use super::Case;
use super::receiver::{Http, ok};
use crate::support::{World, run};

#[test]
fn a_sink_leads_only_where_it_may() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        // What is no address is refused at once.
        for settings in [
            json!({"url": "ftp://x.example"}),
            json!({"url": "https://ana:word@x.example/"}),
            json!({"url": "file:///etc/passwd"}),
            json!({"url": ""}),
            json!({"url": "https://x.example", "ca": "no PEM"}),
            json!({"url": "https://x.example:99999/"}),
            json!({"url": "https://x_y.1/"}),
            json!({"url": "https://x.example", "more": 1}),
            json!({}),
        ] {
            let wanted = json!({"name": "x", "kind": "webhook", "settings": settings});
            case.ben.json(Method::POST, "/api/v1/sinks", &wanted).await.problem(422);
        }
        // Nor is anything made that leads inside; 127.0.0.1 alone is allowed here.
        let port = hook.at.port();
        for url in [
            format!("http://127.0.0.2:{port}/"),
            format!("http://[::1]:{port}/"),
            format!("http://[::ffff:127.0.0.2]:{port}/"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://[fe80::1]/".to_owned(),
            "http://0.0.0.0/".to_owned(),
        ] {
            let wanted = json!({"name": "inside", "kind": "webhook", "settings": {"url": url}});
            let problem = case.ben.json(Method::POST, "/api/v1/sinks", &wanted).await.problem(422);
            assert!(problem["field"] == "url" && problem["detail"].as_str().unwrap().contains("--allow-sink"), "{url}: {problem}");
        }
        for (kind, more) in [("syslog", json!({})), ("mail", json!({"from": "u@example.org", "to": ["a@example.org"]}))] {
            let mut settings = json!({"host": "169.254.169.254", "port": 25});
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let wanted = json!({"name": "inside", "kind": kind, "settings": settings});
            assert_eq!(case.ben.json(Method::POST, "/api/v1/sinks", &wanted).await.problem(422)["field"], "host");
        }
        // One that led there before can be paused, and led nowhere else inside.
        let url = |host: &str| json!({"url": format!("http://{host}:{port}/")});
        let of = SinkOf {
            name: "old".into(),
            kind: SinkKind::Webhook,
            settings: url("127.0.0.2"),
            filter: SinkFilter::default(),
            subscribers: false,
            running: true,
        };
        let id = case.world.app.store().add_sink(case.world.by(), &of, &json!({"value": "whsec_AAAA"})).await.unwrap();
        let said = case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
        assert!(said["taken"] == false && said["said"].as_str().unwrap().contains("--allow-sink"), "{said}");
        assert_eq!(case.shown(&id).await["last_success"], Value::Null);
        let to = |host: &str| json!({"name": "old", "kind": "webhook", "settings": url(host), "running": false});
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &to("127.0.0.2")).await.is(200);
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &to("127.0.0.3")).await.problem(422);
        assert_eq!(hook.requests().len(), 0);
        // A redirection is not followed.
        let target = format!("http://127.0.0.1:{port}/elsewhere");
        hook.answers(std::sync::Arc::new(move |_| (302, vec![("location", target.clone())], String::new())));
        let (id, _) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        let said = case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
        assert_eq!((&said["taken"], &said["said"]), (&json!(false), &json!("HTTP 302")), "{said}");
        assert_eq!(hook.requests().len(), 1);
        assert_eq!(case.shown(&id).await["last_success"], Value::Null);
        // A test that is taken is something that the receiver took.
        hook.answers(ok());
        let said = case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
        assert_eq!(said["taken"], true);
        assert!(case.shown(&id).await["last_success"].as_str().unwrap().starts_with("2026-11-29T"));
        case.world.end().await;
    });
}

#[test]
fn without_an_exception_a_name_that_means_this_machine_leads_nowhere() {
    run(async {
        let world = World::new().await;
        let ben = world.signed_in("ben", &[Role::Admin]).await;
        let hook = Http::start().await;
        for host in ["localhost", "127.0.0.1"] {
            // As it was made by a server that allowed it.
            let of = SinkOf {
                name: host.to_owned(),
                kind: SinkKind::Webhook,
                settings: json!({"url": format!("http://{host}:{}/", hook.at.port())}),
                filter: SinkFilter::default(),
                subscribers: false,
                running: true,
            };
            let id = world.app.store().add_sink(world.by(), &of, &json!({"value": "whsec_AAAA"})).await.unwrap();
            let said = ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).json();
            assert!(said["said"].as_str().unwrap().contains("this machine itself"), "{said}");
        }
        assert_eq!(hook.requests().len(), 0);
        world.end().await;
    });
}

#[test]
fn a_demonstration_sends_nothing() {
    run(async {
        let world = World::with(|config| config.demo = Some("a word".into())).await;
        let ben = world.signed_in("ben", &[Role::Admin]).await;
        let wanted = json!({"name": "x", "kind": "webhook", "settings": {"url": "https://x.example"}});
        ben.json(Method::POST, "/api/v1/sinks", &wanted).await.problem(403);
        world.end().await;
    });
}

#[test]
fn what_is_secret_is_shown_once_or_never() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        let (id, key) = case.sink("webhook", json!({"url": hook.url()}), None).await;
        let (splunk, _) = case.sink("hec", json!({"url": hook.url()}), Some("the-token-of-splunk")).await;
        let mail = json!({"host": "mail.example", "port": 587, "login": "umbilical", "from": "u@example.org", "to": ["ana@example.org"]});
        let (mail, _) = case.sink("mail", mail, Some("the-password-of-mail")).await;
        assert!(key.starts_with("whsec_") && key.len() > 40);
        let auditor = case.world.signed_in("eva", &[Role::Auditor]).await;
        let mut shown = String::new();
        for path in ["/api/v1/sinks", "/settings/integrations", "/settings", "/metrics"] {
            shown.push_str(&case.ben.get(path).await.is(200).text());
        }
        for id in [&id, &splunk, &mail] {
            shown.push_str(&case.ben.get(&format!("/api/v1/sinks/{id}")).await.is(200).text());
            shown.push_str(&case.ben.json(Method::POST, &format!("/api/v1/sinks/{id}/test"), &json!({})).await.is(200).text());
        }
        for path in ["/api/v1/audit-log?limit=1000", "/audit-log"] {
            shown.push_str(&auditor.get(path).await.is(200).text());
        }
        for word in [key.as_str(), key.trim_start_matches("whsec_"), "the-token-of-splunk", "the-password-of-mail"] {
            assert!(!shown.contains(word), "{word}");
        }
        assert!(shown.contains("sink.add") && shown.contains("sink.test"));
        // A new key is shown once; the old one no longer signs.
        let change = json!({"name": "our webhook", "kind": "webhook", "settings": {"url": hook.url()}, "new_key": true});
        let made = case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &change).await.is(200).json();
        assert!(made["key"].as_str().unwrap().starts_with("whsec_") && made["key"] != key);
        // A token goes to no other receiver than it was given for.
        let elsewhere = json!({"name": "our hec", "kind": "hec", "settings": {"url": "https://other.example"}});
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{splunk}"), &elsewhere).await.problem(422);
        let same = json!({"name": "our hec", "kind": "hec", "settings": {"url": hook.url()}, "running": false});
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{splunk}"), &same).await.is(200);
        let none = json!({"name": "x", "kind": "hec", "settings": {"url": "https://other.example"}});
        case.ben.json(Method::POST, "/api/v1/sinks", &none).await.problem(422);
        case.world.end().await;
    });
}

#[test]
fn the_page_makes_tests_pauses_and_takes_away() {
    run(async {
        let case = Case::new().await;
        let hook = Http::start().await;
        let ben = &case.ben;
        let csrf = ben.csrf().await;
        let form = async |path: &str, more: &[(&str, &str)]| {
            let mut all = vec![("csrf", csrf.as_str())];
            all.extend_from_slice(more);
            ben.form(path, &all).await
        };
        let list = "/settings/integrations";
        let url = hook.url();
        let fields = [
            ("kind", "webhook"),
            ("name", "<b>desk</b>"),
            ("url", url.as_str()),
            ("severity", "high"),
            ("verdict-fail", "on"),
            ("codes", "A*, B"),
        ];
        let wrong =
            form(list, &[&fields[..2], &[("url", "ftp://x"), ("severity", "high"), ("verdict-fail", "on")]].concat()).await.is(422).text();
        assert!(wrong.contains("begins with https:// or http://"), "{wrong}");
        let made = form(list, &fields).await.is(200).text();
        assert!(made.contains("whsec_") && made.contains("&#60;b&#62;desk") && !made.contains("<b>desk"), "{made}");
        assert!(!ben.get(list).await.is(200).text().contains("whsec_"));
        let sinks = ben.get("/api/v1/sinks").await.json();
        let filter = &sinks[0]["filter"];
        assert_eq!(
            (&filter["severity"], &filter["verdicts"], &filter["codes"], &filter["decisions"]),
            (&json!("high"), &json!(["fail"]), &json!(["A*", "B"]), &json!(false))
        );
        let own = format!("{list}/{}", sinks[0]["id"].as_str().unwrap());
        hook.answers(std::sync::Arc::new(|_| (200, Vec::new(), "<i>thanks</i>".into())));
        let tested = form(&own, &[("to", "test")]).await.is(200).text();
        assert!(tested.contains("The test was taken: HTTP 200: &#60;i&#62;thanks"), "{tested}");
        assert_eq!((hook.events()[0]["type"].as_str(), hook.events()[0]["test"]["who"].as_str()), (Some("test"), Some("ben")));
        form(&own, &[("to", "pause")]).await.is(303);
        assert!(ben.get(&own).await.text().contains("paused"));
        form(&own, &[("to", "resume")]).await.is(303);
        form(
            &own,
            &[
                ("to", "change"),
                ("name", "desk"),
                ("url", &url),
                ("severity", "low"),
                ("verdict-fail", "on"),
                ("verdict-none", "on"),
                ("decisions", "on"),
            ],
        )
        .await
        .is(303);
        let now = ben.get("/api/v1/sinks").await.json();
        assert_eq!(
            (&now[0]["name"], &now[0]["filter"]["verdicts"], &now[0]["running"]),
            (&json!("desk"), &json!(["fail", "none"]), &json!(true))
        );
        assert!(form(&own, &[("to", "key")]).await.is(200).text().contains("whsec_"));
        for (kind, more) in [
            ("syslog", vec![("host", "siem.example"), ("port", "6514"), ("tls", "on")]),
            ("hec", vec![("url", "https://splunk.example:8088"), ("secret", "a token")]),
            (
                "mail",
                vec![
                    ("host", "mail.example"),
                    ("port", "587"),
                    ("tls", "starttls"),
                    ("from", "u@example.org"),
                    ("to", "a@example.org, b@example.org"),
                    ("every_minutes", "15"),
                ],
            ),
        ] {
            let all = [&[("kind", kind), ("name", kind), ("severity", "medium"), ("verdict-fail", "on")][..], &more].concat();
            let to = form(list, &all).await.is(303).header("location").to_owned();
            let page = ben.get(&to).await.is(200).text();
            assert!(page.contains("At least once") && page.contains(more[0].1) && !page.contains("a token"), "{page}");
        }
        form(&own, &[("to", "remove")]).await.is(303);
        ben.get(&own).await.is(404);
        case.ana.get(list).await.is(403);
        case.world.end().await;
    });
}

#[test]
fn sinks_are_made_by_who_sees_every_site_and_give_no_more_than_that_person_sees() {
    run(async {
        let case = Case::new().await;
        let wanted = |subscribers: bool| json!({"name": "x", "kind": "webhook", "settings": {"url": "https://x.example"}, "subscribers": subscribers});
        let north = case.world.person("cy", &[Role::Admin], Sites::Only(["North".to_owned()].into())).await;
        let north = case.world.session(&north).await;
        north.json(Method::POST, "/api/v1/sinks", &wanted(false)).await.problem(403);
        north.get("/api/v1/sinks").await.problem(403);
        case.ben.json(Method::POST, "/api/v1/sinks", &wanted(true)).await.problem(403);
        let mut dan = case.world.person("dan", &[Role::Admin], Sites::All).await;
        dan.subscribers = true;
        case.world.app.store().update_person(case.world.by(), &dan).await.unwrap();
        let dan = case.world.session(&dan).await;
        let id = dan.json(Method::POST, "/api/v1/sinks", &wanted(true)).await.is(201).json()["id"].as_str().unwrap().to_owned();
        // Who may not see numbers does not lead them elsewhere.
        let mut elsewhere = wanted(true);
        elsewhere["settings"]["url"] = json!("https://y.example");
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &elsewhere).await.problem(403);
        let mut paused = wanted(true);
        paused["running"] = json!(false);
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &paused).await.is(200);
        case.ben.json(Method::PUT, &format!("/api/v1/sinks/{id}"), &wanted(false)).await.is(200);
        let shown: Value = case.shown(&id).await;
        assert_eq!((&shown["subscribers"], &shown["filter"]["severity"]), (&json!(false), &json!("medium")), "{shown}");
        case.ben.json(Method::DELETE, &format!("/api/v1/sinks/{id}"), &json!({})).await.is(204);
        case.ben.json(Method::DELETE, &format!("/api/v1/sinks/{id}"), &json!({})).await.problem(404);
        case.world.end().await;
    });
}
