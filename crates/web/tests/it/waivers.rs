//! Who proposes to live with what a rule found, who approves, and what then stands in the file.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};
use umbilical_core::answer::Device;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::Basis;
use umbilical_knowledge::policy::{PolicyText, Waivers, parse};
use umbilical_store::{Role, Sites};
use umbilical_web::{Judge, Judging};

use crate::support::{Client, World, evidence, run};

/// A rule that every device fails, and the waivers of a file.
fn judge(path: std::path::PathBuf) -> Judge {
    Arc::new(move |day, answer: &mut dyn FnMut(Judging<'_>)| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let waivers: Waivers = parse(&PolicyText { name: "waivers.toml".into(), text }).map_err(|e| e.to_string())?;
        let mut each = |device: &mut Device| {
            let subject = Subject { kind: "device", id: device.id.clone() };
            let mut found = vec![Finding {
                id: umbilical_core::id::content_id("fnd-", "TEST-RULE", &device.id),
                code: "TEST-RULE".into(),
                source: "rule",
                subject,
                verdict: Some("fail"),
                severity: Severity::High,
                confidence: 1.0,
                basis: Basis::Listed,
                lifecycle: "patchable",
                threats: Vec::new(),
                first: None,
                last: None,
                because: vec!["a rule of this test".into()],
                remedies: vec!["none".into()],
                clears_when: "never".into(),
                detail: json!({"module": "Quectel EG25-G"}),
            }];
            umbilical_assess::judge::waive(&mut found, &waivers, &[], "waivers.toml", day);
            device.findings.extend(found);
        };
        answer(Judging { each: &mut each, stamp: None });
        Ok(())
    })
}

async fn of_rule(client: &Client) -> Vec<Value> {
    let list = client.get("/api/v1/findings?q=code:TEST-RULE").await.is(200).json();
    list["findings"].as_array().unwrap().clone()
}

fn waived(findings: &[Value]) -> usize {
    findings.iter().filter(|f| f["finding"]["detail"]["waiver"]["expired"] == false).count()
}

#[test]
fn one_proposes_another_approves_and_it_holds_until_it_is_taken_back() {
    run(async {
        let world = World::with(|config| config.judge = Some(judge(config.home.join("waivers.toml")))).await;
        let file = world.folder.path().join("waivers.toml");
        let theirs = "# ours\n[[waiver]]\ncode = \"OTHER\"\nsubject = \"*\"\nreason = \"r\"\napprover = \"Board\"\nexpires = \"2027\"\n";
        std::fs::write(&file, theirs).unwrap();
        let ana = world.signed_in("ana", &[Role::Engineer, Role::Approver]).await;
        let ben = world.signed_in("ben", &[Role::Approver]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let found = of_rule(&ana).await;
        assert_eq!((found.len(), waived(&found)), (3, 0));
        let finding = found[0]["finding"]["id"].as_str().unwrap();

        // What is no waiver is refused, each with its reason.
        let propose = async |client: &Client, body: Value| client.json(Method::POST, "/api/v1/waivers", &body).await;
        for wrong in [
            json!({"finding": finding, "reason": "in a cage", "until": "2026-11-28"}),
            json!({"finding": finding, "reason": "in a cage", "until": "soon"}),
            json!({"finding": finding, "reason": " ", "until": "2027-01-31"}),
            json!({"finding": finding, "code": "TEST-RULE", "reason": "x", "until": "2027-01-31"}),
            json!({"code": "TEST-*", "subject": "*", "reason": "x", "until": "2027-01-31"}),
            json!({"code": "TEST-RULES", "subject": "*", "reason": "x", "until": "2027-01-31"}),
            json!({"code": "TEST-RULE", "subject": "*", "reason": "x", "until": "2027-01-31", "justification": "because"}),
            json!({"code": "TEST-RULE", "reason": "x", "until": "2027-01-31"}),
        ] {
            propose(&ana, wrong).await.problem(422);
        }
        let wanted = json!({"finding": finding, "reason": "in a \"cage\"", "until": "2027-01-31"});
        let id = propose(&ana, wanted).await.is(201).json()["id"].as_str().unwrap().to_owned();
        let list = ana.get("/api/v1/waivers").await.is(200).json();
        assert_eq!(
            (list["waivers"][0]["state"].as_str(), list["waivers"][0]["may_approve"].as_bool()),
            (Some("proposed"), Some(false)),
            "{list}"
        );
        assert_eq!(list["waivers"][0]["module"], "Quectel EG25-G");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs, "what is proposed does not hold");

        // Who proposed does not approve, whatever else it may.
        let settle = async |client: &Client, id: &str, how: &str| {
            client.json(Method::POST, &format!("/api/v1/waivers/{id}/{how}"), &json!({})).await
        };
        settle(&ana, &id, "approve").await.problem(403);
        assert_eq!(ben.get("/api/v1/waivers").await.json()["waivers"][0]["may_approve"], true);
        settle(&ben, &id, "approve").await.is(204);
        settle(&ben, &id, "approve").await.problem(409);
        world.settled().await;
        // Lists ask for it: one is waived, and the others of the rule are what counts.
        let count = async |list: &str, q: &str| {
            let path = format!("/api/v1/{list}?q={}", umbilical_web::guard::encoded(q));
            ana.get(&path).await.is(200).json()[list].as_array().unwrap().len()
        };
        for (list, q, n) in [
            ("findings", "code:TEST-RULE waived:yes", 1),
            ("findings", "code:TEST-RULE waived:no", 2),
            ("findings", "code:TEST-RULE NOT waived:yes verdict:fail", 2),
            ("devices", "waived:yes", 1),
            ("devices", "waived:no", 2),
            ("devices", "waived:YES verdict:fail", 1),
        ] {
            assert_eq!(count(list, q).await, n, "{list} {q}");
        }
        assert_eq!(ana.get("/api/v1/findings?q=waived:perhaps").await.problem(422)["allowed"], json!(["yes", "no"]));
        assert!(ana.get("/findings?q=waived:yes").await.text().contains(finding));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(theirs) && text.contains(&format!("# {id}: proposed by ana, approved by ben on 2026-11-29")), "{text}");
        let list = ana.get("/api/v1/waivers").await.json();
        let entry = &list["file"][1];
        assert_eq!(
            (&entry["approver"], &entry["expires"], &entry["reason"]),
            (&json!("ben"), &json!("2027-02-01"), &json!("in a \"cage\""))
        );
        let found = of_rule(&ana).await;
        assert_eq!(waived(&found), 1, "one finding is accepted: {found:?}");
        let log = world.app.store().audit_rows(None, 50).await.unwrap();
        let what: Vec<(&str, &str)> = log.iter().map(|r| (r.what.as_str(), r.who.as_str())).filter(|r| r.0.starts_with("waiver")).collect();
        assert_eq!(what, [("waiver.approve", "ben"), ("waiver.propose", "ana")]);

        // Taken back it is gone from the file, and counts no longer.
        settle(&ben, &id, "revoke").await.is(204);
        settle(&ben, &id, "revoke").await.problem(409);
        world.settled().await;
        assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs);
        assert_eq!((count("findings", "waived:yes").await, count("devices", "waived:yes").await), (0, 0));
        assert_eq!(waived(&of_rule(&ana).await), 0);

        // A file that cannot be read is not written to, and nothing is approved.
        let every = json!({"code": "TEST-RULE", "subject": "*", "module": "*", "reason": "all", "until": "2026-11-29"});
        let id = propose(&ana, every).await.is(201).json()["id"].as_str().unwrap().to_owned();
        std::fs::write(&file, "[[waiver]]\n").unwrap();
        settle(&ben, &id, "approve").await.problem(409);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "[[waiver]]\n");
        let list = ana.get("/api/v1/waivers").await.json();
        assert!(list["waivers"][0]["state"] == "proposed" && list["problem"].as_str().unwrap().contains("waivers.toml:"), "{list}");
        std::fs::remove_file(&file).unwrap();
        settle(&ben, &id, "approve").await.is(204);
        world.settled().await;
        assert_eq!(waived(&of_rule(&ana).await), 3);
        // An entry that somebody took over without our line is theirs to take out.
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.lines().filter(|l| !l.starts_with('#')).collect::<Vec<_>>().join("\n")).unwrap();
        settle(&ben, &id, "revoke").await.problem(409);
        assert!(world.app.store().check().await.unwrap().is_empty());
        world.end().await;
    });
}

#[test]
fn who_sees_some_sites_neither_proposes_nor_approves() {
    run(async {
        let world = World::new().await;
        let north = Sites::Only(["North".to_owned()].into());
        let person = world.person("cleo", &[Role::Engineer, Role::Approver], north).await;
        let cleo = world.session(&person).await;
        cleo.get("/api/v1/waivers").await.problem(403);
        let wanted = json!({"code": "X", "subject": "*", "reason": "x", "until": "2027-01-31"});
        cleo.json(Method::POST, "/api/v1/waivers", &wanted).await.problem(403);
        cleo.json(Method::POST, "/api/v1/waivers/wvr-000000000000/approve", &json!({})).await.problem(403);
        world.end().await;
    });
}

#[test]
fn the_same_on_pages() {
    run(async {
        let world = World::with(|config| config.judge = Some(judge(config.home.join("waivers.toml")))).await;
        let ana = world.signed_in("ana", &[Role::Engineer, Role::Approver]).await;
        let ben = world.signed_in("ben", &[Role::Approver]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let finding = of_rule(&ana).await[0]["finding"]["id"].as_str().unwrap().to_owned();
        assert!(ana.get(&format!("/findings/{finding}")).await.is(200).text().contains("Propose a waiver"));
        let (hers, his) = (ana.csrf().await, ben.csrf().await);
        let wanted = [("csrf", hers.as_str()), ("finding", &finding), ("reason", "in <b>a cage</b>"), ("until", "2027-01-31")];
        ana.form("/waivers", &wanted[..3]).await.is(422);
        assert_eq!(ana.form("/waivers", &wanted).await.is(303).header("location"), "/waivers");
        let page = ana.get("/waivers").await.is(200).text();
        assert!(page.contains("in &#60;b&#62;a cage") && !page.contains(">Approve<") && page.contains("No waiver holds"), "{page}");
        let page = ben.get("/waivers").await.is(200).text();
        assert!(page.contains(">Approve<") && !ben.get(&format!("/findings/{finding}")).await.text().contains("Propose a waiver"));
        let at = format!("/waivers/{}", page.split("action=\"/waivers/").nth(1).unwrap().split('"').next().unwrap());
        ana.form(&at, &[("csrf", &hers), ("to", "approve")]).await.is(403);
        ben.form(&at, &[("csrf", &his), ("to", "shrug")]).await.is(422);
        ben.form(&at, &[("csrf", &his), ("to", "approve"), ("comment", "seen")]).await.is(303);
        world.settled().await;
        assert_eq!(waived(&of_rule(&ana).await), 1);
        assert!(ben.get("/waivers").await.text().contains("Take back"));
        ben.form(&at, &[("csrf", &his), ("to", "revoke")]).await.is(303);
        world.settled().await;
        assert_eq!(waived(&of_rule(&ana).await), 0);
        let north = world.person("nils", &[Role::Approver], Sites::Only(["North".to_owned()].into())).await;
        world.session(&north).await.get("/waivers").await.is(403);
        world.end().await;
    });
}

#[test]
fn many_are_proposed_and_approved_together() {
    run(async {
        let world = World::with(|config| config.judge = Some(judge(config.home.join("waivers.toml")))).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let ben = world.signed_in("ben", &[Role::Approver]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        assert_eq!(of_rule(&ana).await.len(), 3);
        let form = async |client: &Client, path: &str, fields: &[(&str, &str)]| {
            let csrf = client.csrf().await;
            client.form(path, &[fields, &[("csrf", csrf.as_str())]].concat()).await
        };
        let base = [("kind", "waive"), ("comment", "in cages"), ("until", "2027-01-31"), ("q", "site:north")];
        let all = [&base[..], &[("to", "all")]].concat();
        // What is incomplete is refused, and everything is asked for twice.
        form(&ana, "/fleet", &[("kind", "waive"), ("to", "all"), ("until", "2027-01-31")]).await.is(422);
        form(&ana, "/fleet", &[("kind", "waive"), ("to", "all"), ("comment", "x")]).await.is(422);
        let asked = form(&ana, "/fleet", &all).await.is(200).text();
        assert!(asked.contains("2 devices") && asked.contains("because: in cages"), "{asked}");
        assert_eq!(ana.get("/api/v1/waivers").await.json()["waivers"], json!([]));
        let sure = [&all[..], &[("sure", "yes"), ("expected", "2")]].concat();
        form(&ana, "/fleet", &[&all[..], &[("sure", "yes"), ("expected", "7")]].concat()).await.is(409);
        form(&ana, "/fleet", &sure).await.is(303);
        let list = ana.get("/api/v1/waivers").await.json();
        assert_eq!(list["waivers"].as_array().map(Vec::len), Some(2), "{list}");
        // Of findings the ticked ones.
        let third = ana.get("/api/v1/findings?q=source:rule%20site:south").await.json();
        let id = third["findings"][0]["finding"]["id"].as_str().unwrap().to_owned();
        form(&ana, "/findings", &[&base[..3], &[("to", "ticked"), ("id", id.as_str())]].concat()).await.is(303);
        let list = ana.get("/api/v1/waivers").await.json();
        let ids: Vec<String> = list["waivers"].as_array().unwrap().iter().map(|w| w["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 3);
        // Nobody but an approver settles them, and not who proposed.
        let ticked: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).chain([("to", "approve"), ("comment", "seen")]).collect();
        form(&ana, "/waivers/settle", &ticked).await.is(403);
        form(&ben, "/waivers/settle", &[("to", "approve")]).await.is(422);
        form(&ben, "/waivers/settle", &ticked).await.is(303);
        world.settled().await;
        assert_eq!(waived(&of_rule(&ana).await), 3);
        // The same once more is there already; and two of one subject, however they came there, end one by one.
        let again = form(&ana, "/fleet", &sure).await.is(303);
        assert_eq!(again.header("location"), "/waivers?proposed=0&already=2");
        let file = world.folder.path().join("waivers.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let entry = text.split("# wvr-").nth(1).unwrap();
        std::fs::write(&file, format!("{text}\n# wvr-ffffffffffff{}", entry.split_once(':').map(|(_, rest)| format!(":{rest}")).unwrap()))
            .unwrap();
        form(&ben, "/waivers/settle", &[("to", "revoke"), ("id", &format!("wvr-{}", entry.split(':').next().unwrap()))]).await.is(303);
        assert!(std::fs::read_to_string(&file).unwrap().contains("wvr-ffffffffffff"));
        // Who sees one site proposes none: a waiver holds for all of them.
        let person = world.person("north", &[Role::Analyst], Sites::Only(["north".to_owned()].into())).await;
        let north = world.session(&person).await;
        assert!(!north.get("/fleet").await.is(200).text().contains("value=\"waive\""));
        form(&north, "/fleet", &sure).await.is(403);
        world.end().await;
    });
}

#[test]
fn who_proposed_withdraws_and_who_approves_is_told() {
    run(async {
        let world = World::with(|config| config.judge = Some(judge(config.home.join("waivers.toml")))).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let ben = world.signed_in("ben", &[Role::Approver]).await;
        let eva = world.signed_in("eva", &[Role::Analyst, Role::Approver]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let told = async |client: &Client, path: &str| {
            let page = client.get(path).await.is(200).text();
            let entry = page.split("<a href=\"/waivers\"").nth(1).and_then(|rest| rest.split("</a>").next()).unwrap_or_default().to_owned();
            let bar = page.split("</nav>").next().unwrap().contains("href=\"/waivers\"");
            (bar, entry.split("class=\"waits\" data-measure>").nth(1).map(|n| n.split('<').next().unwrap().to_owned()))
        };
        // Who may approve has an entry in the bar, without a number where nothing waits; others have none.
        assert_eq!((told(&ben, "/fleet").await, told(&ana, "/fleet").await.0), ((true, None), false));
        let found = of_rule(&ana).await;
        let mut ids = Vec::new();
        for finding in &found[..2] {
            let wanted = json!({"finding": finding["finding"]["id"], "reason": "in a cage", "until": "2027-01-31"});
            ids.push(ana.json(Method::POST, "/api/v1/waivers", &wanted).await.is(201).json()["id"].as_str().unwrap().to_owned());
        }
        let third = json!({"finding": found[2]["finding"]["id"], "reason": "in a cage", "until": "2027-01-31"});
        let hers = eva.json(Method::POST, "/api/v1/waivers", &third).await.is(201).json()["id"].as_str().unwrap().to_owned();
        // Of what waits her own is not hers to approve.
        assert_eq!(told(&ben, "/fleet").await.1.as_deref(), Some("3"));
        assert_eq!(told(&eva, "/").await.1.as_deref(), Some("2"));
        // Subjects stand there by their names, with a way to them.
        let page = ben.get("/waivers").await.is(200).text();
        let list = ben.get("/api/v1/waivers").await.json();
        for waiver in list["waivers"].as_array().unwrap() {
            let (id, name) = (waiver["device"]["id"].as_str().unwrap(), waiver["device"]["name"].as_str().unwrap());
            assert!(id == waiver["subject"] && !name.starts_with("dev-"), "{waiver}");
            assert!(page.contains(&format!("<a href=\"/devices/{id}\">{name}</a>")), "{page}");
        }
        assert!(page.contains("<h2>Waiting for approval</h2>") && !page.contains("<h2>Settled here</h2>"), "{page}");

        // Only who proposed it withdraws it, and only before it is settled.
        let withdraw = async |client: &Client, id: &str, said: &str| {
            client.json(Method::POST, &format!("/api/v1/waivers/{id}/withdraw"), &json!({"comment": said})).await
        };
        withdraw(&ben, &ids[0], "").await.problem(403);
        withdraw(&eva, &ids[0], "").await.problem(403);
        withdraw(&ana, "wvr-000000000000", "").await.problem(404);
        assert_eq!(ana.get("/waivers").await.text().matches(">Withdraw<").count(), 2);
        withdraw(&ana, &ids[0], "found a spare").await.is(204);
        withdraw(&ana, &ids[0], "").await.problem(409);
        ben.json(Method::POST, &format!("/api/v1/waivers/{}/approve", ids[0]), &json!({})).await.problem(409);
        let csrf = ana.csrf().await;
        ana.form(&format!("/waivers/{hers}/withdraw"), &[("csrf", &csrf)]).await.is(403);
        ana.form(&format!("/waivers/{}/withdraw", ids[1]), &[("csrf", &csrf), ("comment", "another")]).await.is(303);
        assert_eq!(told(&ben, "/fleet").await.1.as_deref(), Some("1"));
        let list = ana.get("/api/v1/waivers").await.json();
        let state = |id: &str| {
            let all = list["waivers"].as_array().unwrap();
            let one = all.iter().find(|w| w["id"] == id).unwrap();
            (one["state"].clone(), one["settled_by"].clone(), one["comment"].clone())
        };
        assert_eq!(state(&ids[0]), (json!("withdrawn"), json!("ana"), json!("found a spare")));
        let log = world.app.store().audit_rows(None, 10).await.unwrap();
        assert_eq!(log.iter().filter(|r| r.what == "waiver.withdraw" && r.who == "ana").count(), 2);
        // What is settled stands under a heading of its own, and what was withdrawn may be proposed anew.
        let page = ana.get("/waivers").await.text();
        let (waiting, rest) = page.split_once("<h2>In the file</h2>").unwrap();
        assert!(waiting.contains(">proposed<") && !waiting.contains(">withdrawn<"), "{page}");
        assert_eq!(rest.split_once("<h2>Settled here</h2>").unwrap().1.matches(">withdrawn<").count(), 2);
        let again = json!({"finding": found[0]["finding"]["id"], "reason": "after all", "until": "2027-01-31"});
        ana.json(Method::POST, "/api/v1/waivers", &again).await.is(201);

        // A refusal shows the list again, with what was typed.
        let csrf = eva.csrf().await;
        let sent = [("csrf", csrf.as_str()), ("to", "approve"), ("comment", "seen <it>"), ("id", hers.as_str())];
        let page = eva.form("/waivers/settle", &sent).await.is(403).text();
        assert!(page.contains("Nothing was changed: another person approves"), "{page}");
        assert!(page.contains("name=\"comment\" maxlength=\"2000\" value=\"seen &#60;it&#62;\""), "{page}");
        // One who sees one site approves nothing, and is told of nothing.
        let person = world.person("nils", &[Role::Approver], Sites::Only(["North".to_owned()].into())).await;
        assert_eq!(told(&world.session(&person).await, "/fleet").await, (false, None));
        world.end().await;
    });
}

#[test]
fn a_waiver_that_is_refused_leaves_its_form_as_it_was_typed() {
    run(async {
        let world = World::with(|config| config.judge = Some(judge(config.home.join("waivers.toml")))).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("fleet.csv", evidence::two_sites()).await.is(202);
        world.settled().await;
        let finding = of_rule(&ana).await[0]["finding"]["id"].as_str().unwrap().to_owned();
        let csrf = ana.csrf().await;
        for (until, why) in [("", "say the last day"), ("2026-11-28", "has passed")] {
            let sent = [("csrf", csrf.as_str()), ("finding", &finding), ("reason", "in a \"cage\""), ("until", until)];
            let page = ana.form("/waivers", &sent).await.is(422).text();
            assert!(page.contains("name=\"reason\" required maxlength=\"2000\" value=\"in a &#34;cage&#34;\""), "{page}");
            let field = page.split("id=\"waive-until\"").nth(1).unwrap();
            assert!(field.starts_with(&format!(" name=\"until\" type=\"date\" required value=\"{until}\" aria-invalid")), "{page}");
            assert!(page.split("id=\"refused\">").nth(1).unwrap().split("</p>").next().unwrap().contains(why), "{page}");
            assert!(page.contains(&format!("value=\"{finding}\"")) && page.contains("Propose a waiver"));
        }
        let sent = [("csrf", csrf.as_str()), ("finding", &finding), ("reason", " "), ("until", "2027-01-31")];
        assert!(ana.form("/waivers", &sent).await.is(422).text().contains("id=\"refused\">a waiver says because of what"));
        // Beside a list the same.
        let sent =
            [("csrf", csrf.as_str()), ("kind", "waive"), ("to", "all"), ("comment", "x"), ("until", "2020-01-01"), ("q", "site:north")];
        let page = ana.form("/fleet", &sent).await.is(422).text();
        assert!(page.contains("<option value=\"waive\" selected>") && page.contains("value=\"2020-01-01\""), "{page}");
        world.end().await;
    });
}
