//! Modules, organisations, look-up: what is on file beside what is in the fleet.

use umbilical_store::{Role, Sites};

use crate::support::client::multipart;
use crate::support::{World, run};

/// Three devices at two sites, each with a module of its own.
fn register() -> String {
    let imei = umbilical_synth::numbers::imei(86_769_804, 7);
    format!(
        "name,site,module manufacturer,module model,imei\npump-1,North,Quectel,EG25-G,{imei}\npump-2,North,Telit,LE910C4-EU,\ngate-9,South,Quectel,EC25-E,\n"
    )
}

/// A world with them, answered.
async fn fleet() -> World {
    let world = World::new().await;
    let ana = world.signed_in("ana", &[Role::Engineer]).await;
    ana.upload("register.csv", register()).await.is(202);
    world.settled().await;
    world
}

#[test]
fn modules_are_counted_and_every_count_leads_to_its_rows() {
    run(async {
        let world = fleet().await;
        let ana = world.session(&world.app.store().person_by_login("ana").await.unwrap()).await;
        let page = ana.get("/modules").await.is(200).text();
        for word in [
            "EG25-G",
            "EC25-E",
            "LE910C4-EU",
            "/modules/quectel-eg25-g",
            "/organisations/quectel",
            "US-DOD-1260H",
            "<strong data-total>3</strong> modules",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        let href = "/fleet?q=cellular%3Ayes%20model%3A%22EG25-G%22";
        assert!(page.contains(&format!("<a href=\"{href}\" data-count>1</a>")), "{page}");
        let rows = ana.get(href).await.is(200).text();
        assert!(rows.contains("pump-1") && !rows.contains("pump-2") && !rows.contains("gate-9"));
        let page = ana.get("/modules?q=telit").await.is(200).text();
        assert!(page.contains("LE910C4-EU") && !page.contains("EG25-G"), "{page}");
        let page = ana.get("/modules?q=le910c").await.is(200).text();
        assert!(page.contains("In the catalogue") && page.contains("/modules/telit-le910c1"), "{page}");

        let page = ana.get("/modules/quectel-ec25-e").await.is(200).text();
        for word in [
            "Quectel Wireless Solutions",
            "1 device here",
            "gate-9",
            "US-DOD-1260H",
            "2025-01-07",
            "verified",
            "What could stand in its place",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        // A module of the catalogue that no device has.
        let page = ana.get("/modules/telit-le910c4").await.is(200).text();
        assert!(page.contains("0 devices here") && page.contains("No device that you see has it"), "{page}");
        ana.get("/modules/acme-nothing").await.is(404);
        ana.get("/modules/--").await.is(404);
        world.end().await;
    });
}

#[test]
fn who_sees_one_site_counts_one_site() {
    run(async {
        let world = fleet().await;
        let person = world.person("north", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        let client = world.session(&person).await;
        for path in ["/modules", "/modules/quectel-ec25-e", "/organisations/quectel", "/look-up?q=EC25-E", "/look-up?q=gate-9"] {
            let page = client.get(path).await.is(200).text();
            assert!(!page.contains("South") && !page.contains("/devices/"), "{path}: {page}");
            assert!(path.contains("gate-9") || !page.contains("gate-9"), "{path}: {page}");
        }
        let page = client.get("/modules").await.text();
        assert!(page.contains("<strong data-total>2</strong> modules") && !page.contains("EC25-E"), "{page}");
        assert!(client.get("/modules/quectel-ec25-e").await.text().contains("0 devices here"));
        let page = client.get("/organisations/quectel").await.text();
        assert!(page.contains("cellular%3A") || page.contains("maker%3A%22Quectel%22"), "{page}");
        assert!(page.contains(">EG25-G</a>") && !page.contains(">EC25-E</a>"), "{page}");
        let page = client.get("/look-up?q=gate-9").await.text();
        assert!(page.contains("a name of a device") && page.contains(">0 devices</a>"), "{page}");
        world.end().await;
    });
}

#[test]
fn an_organisation_is_shown_as_of_a_day() {
    run(async {
        let world = fleet().await;
        let ana = world.session(&world.app.store().person_by_login("ana").await.unwrap()).await;
        let page = ana.get("/organisations/quectel?as_of=2025-01-06").await.is(200).text();
        assert!(page.contains("2025-01-06") && !page.contains("listed: US-DOD-1260H"), "{page}");
        let page = ana.get("/organisations/quectel?as_of=2025-01-07").await.is(200).text();
        assert!(page.contains("listed: US-DOD-1260H"), "{page}");
        for word in
            ["<svg class=\"chart\"", "<desc", "alleged, not counted", "National Intelligence Law", "declared", "maker%3A%22Quectel%22"]
        {
            assert!(page.contains(word), "{word}: {page}");
        }
        // A picture takes its colours from the sheet, and no style of its own.
        assert!(!page.contains("style=\""), "{page}");
        // Every relation of the picture stands in the table.
        assert!(page.matches("<path class=\"edge").count() <= page.matches("<td class=\"said\">").count());
        let page = ana.get("/organisations/quectel?as_of=yesterday").await.is(422).text();
        assert!(page.contains("is no day") && page.contains("Quectel Wireless"), "{page}");
        ana.get("/organisations/nobody").await.is(404);
        world.end().await;
    });
}

#[test]
fn looking_up_shows_what_is_on_file_and_what_is_here() {
    run(async {
        let world = fleet().await;
        let ana = world.session(&world.app.store().person_by_login("ana").await.unwrap()).await;
        let page = ana.get("/look-up?q=FCC%20ID%3A%20XMR201909EC25AFX%0AModel%3A%20LE910C4-EU").await.is(200).text();
        for word in [
            "FCC grantee XMR",
            "Quectel Wireless Solutions",
            "Telit LE910C4-EU",
            "/modules/telit-le910c4-eu",
            "maker Telit",
            ">1 device</a>",
        ] {
            assert!(page.contains(word), "{word}: {page}");
        }
        let page = ana.get("/look-up?q=86769804").await.is(200).text();
        assert!(page.contains("IMEI beginning with 86769804") && page.contains(">1 device</a>"), "{page}");
        let page = ana.get("/look-up?q=zzzz%20qqqq").await.is(200).text();
        assert!(page.contains("not the same as harmless"), "{page}");
        // A picture.
        let csrf = ana.csrf().await;
        let (kind, body) = multipart(&[("csrf", &csrf)], &[("label.png", b"not a picture")]);
        let page = ana.send(axum::http::Method::POST, "/look-up", &[("content-type", &kind)], body).await.is(422).text();
        assert!(page.contains("cannot be read as PNG or JPEG"), "{page}");
        let (kind, body) = multipart(&[("csrf", "wrong")], &[("label.png", b"x")]);
        ana.send(axum::http::Method::POST, "/look-up", &[("content-type", &kind)], body).await.is(403);
        world.end().await;
    });
}

#[test]
fn the_public_page_is_off_by_default_and_knows_nothing_of_the_fleet() {
    run(async {
        let world = fleet().await;
        let nobody = world.client();
        assert_eq!(nobody.get("/look-up?q=EC25").await.is(303).header("location"), "/sign-in?next=%2Flook-up%3Fq%3DEC25");
        let folder = world.fall().await;

        let world = World::on(folder, |config| config.public_look_up = true).await;
        let nobody = world.client();
        let page = nobody.get("/look-up?q=EC25-E").await.is(200).text();
        assert!(page.contains("Quectel EC25-E") && page.contains("Quectel Wireless Solutions"), "{page}");
        for text in ["EC25-E", "gate-9", "North", "register.csv", "86769804", "ana", "Quectel"] {
            let page = nobody.get(&format!("/look-up?q={text}")).await.is(200).text();
            for word in ["/fleet", "/devices", "/modules/", "/organisations/", "In the devices", "csrf", "Sign out", "type=\"file\""] {
                assert!(!page.contains(word), "{text}: {word}: {page}");
            }
            let shown = page.replace(&format!(">{text}<"), "");
            assert!(!shown.contains("gate-9") && !shown.contains("pump-1") && !shown.contains("register.csv"), "{page}");
        }
        // Nothing else is open: what is asked with a picture, and every other page.
        for path in ["/modules", "/organisations/quectel", "/fleet", "/"] {
            nobody.get(path).await.is(303);
        }
        nobody.form("/look-up", &[("q", "x")]).await.is(303);
        // As often as an address may try to sign in.
        let mut refused = 0;
        for _ in 0..40 {
            refused += u32::from(nobody.get("/look-up?q=x").await.status == 429);
        }
        assert!(refused >= 10, "{refused} of 40 were refused");
        world.clock.forward(60_000);
        nobody.get("/look-up?q=x").await.is(200);
        world.end().await;
    });
}

#[test]
fn packs_have_their_rules_and_their_dates() {
    run(async {
        let world = World::with(crate::support::law::shelved).await;
        let ana = world.signed_in("ana", &[Role::Viewer]).await;
        let page = ana.get("/policy").await.is(200).text();
        for word in
            ["us-fcc-covered", "us-dod-1260h", "<strong data-total>2</strong> packs on file", "<strong>1</strong> asked", "/policy/markets"]
        {
            assert!(page.contains(word), "{word}: {page}");
        }
        let page = ana.get("/policy/us-fcc-covered").await.is(200).text();
        for word in ["US-FCC-COVERED-HOST", "In force", "Binds", "Source", "asked about the devices here"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        ana.get("/policy/..%2F..%2Fetc").await.is(404);
        let page = ana.get("/policy/timeline?pack=us-dod-1260h").await.is(200).text();
        assert!(
            page.contains("edition with Quectel and CXMT") && page.contains("2025-01-07") && page.contains("<svg class=\"chart\""),
            "{page}"
        );
        ana.get("/policy/timeline?pack=nothing").await.is(404);
        world.end().await;
        // A server without packs says so.
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Viewer]).await;
        assert!(ana.get("/policy").await.is(404).text().contains("without packs"));
        world.end().await;
    });
}

#[test]
fn a_what_if_shows_what_would_turn() {
    run(async {
        let world = World::with(crate::support::law::shelved).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("register.csv", register()).await.is(202);
        world.settled().await;
        let page = ana.get("/policy/markets").await.is(200).text();
        for word in ["Quectel EG25-G", "Telit LE910C4-EU", ">US</th>", "/policy/why?module=quectel-eg25-g"] {
            assert!(page.contains(word), "{word}: {page}");
        }
        assert!(!page.contains("What would turn"), "{page}");
        let assume = "assume=quectel%20listed%20US-FCC-COVERED%202027-01-01&as_of=2027-06-01";
        let page = ana.get(&format!("/policy/markets?{assume}")).await.is(200).text();
        assert!(page.contains("What would turn against today") && page.contains("US-FCC-COVERED-HOST"), "{page}");
        let turned = &page[page.find("What would turn").unwrap()..page.find("Modules against markets").unwrap()];
        assert!(turned.contains("Quectel EC25-E") && turned.contains("US-FCC-COVERED") && !turned.contains("Telit"), "{turned}");
        let why = ana.get(&format!("/policy/why?module=quectel-ec25-e&market=US&{assume}")).await.is(200).text();
        for word in ["Quectel EC25-E in US", "assumed for this run", "Clears when", "US-FCC-COVERED-HOST", "1 device here"] {
            assert!(why.contains(word), "{word}: {why}");
        }
        // What cannot be asked is said, and today is shown.
        for wrong in
            ["assume=nonsense", "assume=nobody%20listed%20US-FCC-COVERED%202027-01-01", "market=%3Cx%3E", "as_of=soon", "pack=..%2Fx"]
        {
            let page = ana.get(&format!("/policy/markets?{wrong}")).await.is(422).text();
            assert!(page.contains("class=\"wrong\"") && page.contains("Quectel EG25-G"), "{wrong}: {page}");
        }
        // Who sees one site asks for its modules alone.
        let person = world.person("north", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        let north = world.session(&person).await;
        let page = north.get(&format!("/policy/markets?{assume}")).await.is(200).text();
        assert!(page.contains("Quectel EG25-G") && !page.contains("EC25-E"), "{page}");
        north.get("/policy/why?module=quectel-ec25-e").await.is(404);
        world.end().await;
    });
}
