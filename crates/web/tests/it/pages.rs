//! What pages show and do beyond the first visit: the overview, lists, many decided at once, saved views.

use umbilical_store::{Role, Sites};

use crate::support::{Client, World, evidence, run};

/// A fleet of two sites, and an analyst who sees all of it.
async fn fleet(world: &World) -> Client {
    let engineer = world.signed_in("eva", &[Role::Engineer]).await;
    engineer.upload("register.csv", evidence::two_sites()).await.is(202);
    world.settled().await;
    world.signed_in("ana", &[Role::Analyst]).await
}

/// The addresses behind the numbers of a page that lead to lists.
fn lists(page: &str) -> Vec<(u64, String)> {
    let mut out = Vec::new();
    for part in page.split("<a href=\"").skip(1) {
        let (href, rest) = part.split_once('"').unwrap();
        let text: String = rest.split_once('>').unwrap().1.split("</a>").next().unwrap().replace("<strong>", "");
        let number: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        if let (true, Ok(n)) = (href.starts_with("/fleet") || href.starts_with("/findings"), number.parse()) {
            out.push((n, href.replace("&#38;", "&").replace("&amp;", "&")));
        }
    }
    out
}

#[test]
fn every_number_of_the_overview_leads_to_as_many_rows() {
    run(async {
        let world = World::new().await;
        let ana = fleet(&world).await;
        let north = world.person("nils", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        for client in [&ana, &world.session(&north).await] {
            let page = client.get("/").await.is(200).text();
            let lists = lists(&page);
            assert!(lists.len() >= 8, "{lists:?}");
            for (n, href) in lists {
                let list = client.get(&href).await.is(200).text();
                let count = list.split("<p class=\"count\"><strong data-total>").nth(1).map_or("0", |c| c.split('<').next().unwrap());
                let empty = list.contains("No device is known yet");
                assert!(count == n.to_string() || (empty && n == 0), "{href} shows {count}, the overview says {n}");
            }
        }
        let page = world.session(&north).await.get("/").await.is(200).text();
        assert!(page.contains("<strong>2</strong> devices") && !page.contains("answered"), "{page}");
        world.end().await;
    });
}

#[test]
fn the_overview_says_what_changed_since_the_last_visit() {
    run(async {
        let world = World::new().await;
        let ana = fleet(&world).await;
        assert!(ana.get("/").await.is(200).text().contains("from the next one on, what changed meanwhile stands here"));
        world.clock.forward(60_000);
        let eva = world.client();
        eva.sign_in("eva", crate::support::PASSWORD).await;
        eva.upload("more.csv", evidence::register(&[("valve-3", "South", "Telit", "LE910C4-EU")])).await.is(202);
        world.settled().await;
        world.clock.forward(60_000);
        ana.sign_in("ana", crate::support::PASSWORD).await;
        let page = ana.get("/").await.is(200).text();
        let since = page.split("href=\"/changes?since=").nth(1).expect("something changed").split('"').next().unwrap();
        assert!(page.contains(">1 new</a>") && page.contains(">0 changed</a>") && page.contains(">0 gone</a>"), "{page}");
        let changes = ana.get(&format!("/changes?since={since}")).await.is(200).text();
        assert_eq!(changes.matches("href=\"/devices/dev-").count(), 1);
        // Each number by itself, and the same of that answer alone.
        let rows = async |of: &str| ana.get(&format!("/changes?{of}")).await.is(200).text().matches("href=\"/devices/dev-").count();
        assert_eq!([rows(&format!("since={since}&what=new")).await, rows(&format!("since={since}&what=gone")).await], [1, 0]);
        assert_eq!([rows("answer=2").await, rows("answer=2&what=new").await, rows("answer=2&what=changed").await], [1, 1, 0]);
        world.end().await;
    });
}

#[test]
fn many_are_decided_about_at_once() {
    run(async {
        let world = World::new().await;
        let ana = fleet(&world).await;
        let csrf = ana.csrf().await;
        let list = ana.get("/api/v1/devices?sort=name").await.json();
        let id = |n: usize| list["devices"][n]["id"].as_str().unwrap().to_owned();
        let (a, b) = (id(0), id(1));
        let ticked = [("csrf", csrf.as_str()), ("q", ""), ("kind", "tag"), ("value", "spare"), ("to", "ticked"), ("id", &a), ("id", &b)];
        let answer = ana.form("/fleet", &ticked).await.is(303);
        assert_eq!(answer.header("location"), "/fleet?q=&done=2");
        assert!(ana.get("/fleet?q=tag:spare&done=2").await.text().contains("2 devices</span>."));

        // The ticked rows alone, as a list that can be taken out.
        let alone = [("csrf", csrf.as_str()), ("q", "maker:quectel"), ("to", "list"), ("id", a.as_str()), ("id", &b)];
        let to = ana.form("/fleet", &alone).await.is(303).header("location").to_owned();
        let page = ana.get(&to).await.is(200).text();
        assert!(page.contains("<strong data-total>2</strong> devices") && page.contains(&a) && page.contains(&b), "{to}: {page}");
        assert!(page.contains(&format!("/api/v1/export/devices?{}", to.split_once('?').unwrap().1)), "{to}: {page}");
        ana.form("/fleet", &[("csrf", csrf.as_str()), ("to", "list")]).await.is(422);
        ana.form("/fleet", &[("csrf", csrf.as_str()), ("to", "list"), ("id", "a\" OR id:*")]).await.is(422);

        // Everything that fits: first the number, then the deed.
        let all = [("csrf", csrf.as_str()), ("q", "maker:quectel"), ("kind", "triage"), ("comment", "ask them"), ("to", "all")];
        let page = ana.form("/fleet", &all).await.is(200).text();
        assert!(page.contains(">2 devices</a></h1>") && page.contains("maker:quectel") && page.contains("ask them"), "{page}");
        assert_eq!(ana.get("/api/v1/devices?q=state:triage").await.json()["count"]["n"], 0);
        let sure = |n: &'static str| [&all[..], &[("sure", "yes"), ("expected", n)]].concat();
        ana.form("/fleet", &sure("3")).await.is(409);
        assert_eq!(ana.form("/fleet", &sure("2")).await.is(303).header("location"), "/fleet?q=maker%3Aquectel&done=2");
        assert_eq!(ana.get("/api/v1/devices?q=state:triage").await.json()["count"]["n"], 2);

        for wrong in [
            vec![("csrf", csrf.as_str()), ("kind", "tag"), ("value", "x"), ("to", "ticked")],
            vec![("csrf", csrf.as_str()), ("kind", "tag"), ("to", "ticked"), ("id", &a)],
            vec![("csrf", csrf.as_str()), ("kind", "explode"), ("to", "ticked"), ("id", &a)],
            vec![("csrf", csrf.as_str()), ("kind", "tag"), ("value", "x"), ("to", "ticked"), ("id", "a\" OR id:*")],
        ] {
            ana.form("/fleet", &wrong).await.is(422);
        }
        ana.form("/fleet", &[("kind", "tag"), ("value", "x"), ("to", "ticked"), ("id", &a)]).await.is(403);
        // A row of another site is not there: the number is another one.
        let north = world.person("nora", &[Role::Analyst], Sites::Only(["North".to_owned()].into())).await;
        let nora = world.session(&north).await;
        let csrf = nora.csrf().await;
        let gate = ana.get("/api/v1/devices?q=name:gate-9").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        nora.form("/fleet", &[("csrf", csrf.as_str()), ("kind", "tag"), ("value", "x"), ("to", "ticked"), ("id", &gate)]).await.is(409);
        world.end().await;
    });
}

#[test]
fn a_view_is_saved_shown_to_a_role_and_taken_away() {
    run(async {
        let world = World::new().await;
        let ana = fleet(&world).await;
        let csrf = ana.csrf().await;
        let view = [
            ("csrf", csrf.as_str()),
            ("list", "devices"),
            ("q", "maker:telit"),
            ("sort", "-severity"),
            ("name", "Telit <b>"),
            ("share", "viewer"),
        ];
        let answer = ana.form("/views", &view).await.is(303);
        assert_eq!(answer.header("location"), "/fleet?q=maker%3Atelit&sort=-severity");
        let bo = world.signed_in("bo", &[Role::Viewer]).await;
        let page = bo.get("/fleet").await.is(200).text();
        assert!(page.contains("Telit &#60;b&#62;") && !page.contains("action=\"/views/"), "{page}");
        let page = ana.get("/fleet").await.is(200).text();
        let id = page.split("action=\"/views/").nth(1).unwrap().split('"').next().unwrap();
        let theirs = bo.csrf().await;
        bo.form(&format!("/views/{id}"), &[("csrf", &theirs)]).await.is(404);
        ana.form(&format!("/views/{id}"), &[("csrf", &csrf), ("list", "devices")]).await.is(303);
        assert!(!bo.get("/fleet").await.text().contains("Telit &#60;b"));
        world.end().await;
    });
}

#[test]
fn a_finding_has_its_page_and_its_decisions() {
    run(async {
        let world = World::new().await;
        let engineer = world.signed_in("eva", &[Role::Engineer]).await;
        // One card in two devices.
        let card = umbilical_synth::numbers::iccid(7);
        let row =
            |name: &str, serial| format!("{name},North,Quectel,EG25-G,{},{card}\n", umbilical_synth::numbers::imei(86_769_804, serial));
        let twice = format!("name,site,module manufacturer,module model,imei,iccid\n{}{}", row("p-1", 1), row("p-2", 2));
        engineer.upload("twice.csv", twice).await.is(202);
        world.settled().await;
        let found = engineer.get("/api/v1/findings").await.json();
        let id = found["findings"][0]["finding"]["id"].as_str().expect("a finding").to_owned();
        let list = engineer.get("/findings").await.is(200).text();
        assert!(list.contains(&format!("href=\"/findings/{id}\"")) && list.contains("<summary>severity</summary>"));
        let page = engineer.get(&format!("/findings/{id}")).await.is(200).text();
        assert!(page.contains("It clears when") && page.contains("What helps"), "{page}");
        let csrf = engineer.csrf().await;
        let decide = [("csrf", csrf.as_str()), ("kind", "accepted"), ("comment", "known"), ("until", "2027-01-31")];
        engineer.form(&format!("/findings/{id}"), &decide).await.is(303);
        let page = engineer.get(&format!("/findings/{id}")).await.is(200).text();
        assert!(page.contains("until 2027-01-31"), "{page}");
        assert!(engineer.get("/findings?q=state:accepted").await.is(200).text().contains(&id));
        engineer.form("/findings/dev-000000000000", &decide).await.is(404);
        engineer.get("/findings/fnd-000000000000").await.is(404);
        world.end().await;
    });
}

#[test]
fn settings_are_set_on_a_page_and_the_logs_are_walked() {
    run(async {
        let world = World::new().await;
        let admin = world.signed_in("ada", &[Role::Admin, Role::Auditor]).await;
        let csrf = admin.csrf().await;
        let keep = |bytes: &'static str| [("csrf", csrf.clone()), ("name", "keeping".into()), ("bytes", bytes.to_owned())];
        let send = async |fields: &[(&str, String)]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
            admin.form("/settings", &fields).await
        };
        send(&keep("365")).await.is(303);
        assert_eq!(admin.get("/api/v1/settings").await.json()["keeping"]["bytes"], 365);
        assert!(send(&keep("a year")).await.is(422).text().contains("this is a whole number"));
        assert!(send(&keep("0")).await.is(422).text().contains("a day at least"));
        let openid = |issuer: &str| {
            let fields =
                [("issuer", issuer), ("client_id", "umbilical"), ("client_secret", "hush"), ("roles", "ops = engineer\nsoc=analyst")];
            let more = fields.map(|(n, v)| (n, v.to_owned()));
            [vec![("csrf", csrf.clone()), ("name", "openid".into())], more.to_vec()].concat()
        };
        send(&openid("http://id.example")).await.is(422);
        send(&openid("https://id.example")).await.is(303);
        let page = admin.get("/settings").await.is(200).text();
        assert!(page.contains("https://id.example") && page.contains("ops = engineer") && !page.contains("hush"), "{page}");
        assert_eq!(admin.get("/api/v1/settings").await.json()["openid"]["roles"]["soc"], "analyst");
        send(&[("csrf", csrf.clone()), ("name", "openid".into()), ("to", "none".into())]).await.is(303);
        assert!(admin.get("/api/v1/settings").await.json()["openid"].is_null());

        let page = admin.get("/audit-log/verify").await.is(200).text();
        assert!(page.contains("Nothing is wrong"), "{page}");
        assert!(admin.get("/audit-log/verify?n=1&chain=00").await.is(200).text().contains("What does not fit"));
        admin.get("/audit-log/verify?n=1").await.is(422);
        world.signed_in("vic", &[Role::Viewer]).await.get("/settings").await.is(403);
        world.end().await;
    });
}

#[test]
fn pages_of_another_site_are_not_there() {
    run(async {
        let world = World::new().await;
        let engineer = world.signed_in("eva", &[Role::Engineer]).await;
        for (file, site, name) in [("north.csv", "North", "pump-1"), ("south.csv", "South", "gate-9")] {
            engineer.upload(file, evidence::register(&[(name, site, "Dell", "DW5821e")])).await.is(202);
        }
        world.settled().await;
        let north = world.person("nils", &[Role::Analyst], Sites::Only(["North".to_owned()].into())).await;
        let nils = world.session(&north).await;
        let id = async |path: &str, keys: [&str; 2]| {
            let list = engineer.get(path).await.is(200).json();
            let rows = if keys[0].is_empty() { &list } else { &list[keys[0]] };
            let row = &rows.as_array().unwrap()[0];
            row[keys[1]].as_str().or(row["finding"]["id"].as_str()).unwrap().to_owned()
        };
        for (site, there) in [("north", true), ("south", false)] {
            let device = id(&format!("/api/v1/devices?q=site:{site}"), ["devices", "id"]).await;
            let finding = id(&format!("/api/v1/findings?q=site:{site}"), ["findings", "none"]).await;
            let artefacts = engineer.get("/api/v1/evidence").await.json();
            let named = |e: &&serde_json::Value| e["name"] == format!("{site}.csv");
            let artefact = artefacts["evidence"].as_array().or(artefacts.as_array()).unwrap().iter().find(named).unwrap()["id"].clone();
            let csrf = nils.csrf().await;
            for path in [format!("/devices/{device}"), format!("/findings/{finding}"), format!("/evidence/{}", artefact.as_str().unwrap())]
            {
                nils.get(&path).await.is(if there { 200 } else { 404 });
                if !path.starts_with("/evidence") {
                    nils.form(&path, &[("csrf", &csrf), ("kind", "note"), ("comment", "x")]).await.is(if there { 303 } else { 404 });
                }
            }
        }
        for path in ["/", "/fleet", "/findings", "/evidence", "/changes", "/metrics"] {
            let page = nils.get(path).await.is(200).text();
            assert!(!page.contains("gate-9") && !page.contains("South") && !page.contains("south.csv"), "{path}");
        }
        let numbers = nils.get("/metrics").await.text();
        assert!(numbers.contains("umbilical_devices{cellular=\"yes\"} 1\n") && !numbers.contains("answer_timestamp"), "{numbers}");
        assert!(engineer.get("/metrics").await.text().contains("umbilical_answer_timestamp_seconds 1"));
        assert_eq!(world.client().get("/metrics").await.status.as_u16(), 401);
        world.end().await;
    });
}

#[test]
fn what_goes_wrong_is_said_under_the_bar() {
    run(async {
        let world = World::new().await;
        let vic = world.signed_in("vic", &[Role::Viewer]).await;
        for (path, status) in [("/people", 403), ("/nothing/here", 404), ("/devices/dev-000000000000", 404), ("/modules/%ff", 400)] {
            let page = vic.get(path).await.is(status).text();
            assert!(page.contains("<nav aria-label=\"Main\">") && page.contains("Sign out"), "{path}: {page}");
            assert!(!world.client().get(path).await.text().contains("<nav"), "{path}");
        }
        let refused = vic.get("/api/v1/devices/%ff").await.is(400);
        assert_eq!(refused.header("content-type"), "application/problem+json");
        assert_eq!(refused.json()["type"], "urn:umbilical:problem:bad-request");
        world.end().await;
    });
}
