//! Looking before importing: what was understood of a file stands on a page, columns can be changed, and nothing is kept before
//! somebody says so.

use axum::http::Method;
use umbilical_store::{Role, Sites};
use umbilical_synth::numbers;

use crate::support::client::{Answer, multipart};
use crate::support::{Client, World, run};

/// Files to the form, to be looked at first.
async fn stage(client: &Client, files: &[(&str, &[u8])]) -> Answer {
    let csrf = client.csrf().await;
    let (kind, body) = multipart(&[("csrf", &csrf), ("look", "1")], files);
    client.send(Method::POST, "/import", &[("content-type", &kind)], body).await
}

async fn staged(client: &Client, files: &[(&str, &[u8])]) -> String {
    let answer = stage(client, files).await.is(303);
    let at = answer.header("location").to_owned();
    assert!(at.starts_with("/import/staged/"), "{at}");
    at
}

async fn say(client: &Client, at: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = client.csrf().await;
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend(fields);
    client.form(at, &all).await
}

/// How many uploads lie in the home.
fn lying(world: &World) -> usize {
    std::fs::read_dir(world.folder.path().join("uploads")).map(|d| d.count()).unwrap_or(0)
}

/// The row of a column on the page.
fn column<'p>(page: &'p str, head: &str) -> &'p str {
    let from = page.find(&format!("<td class=\"name\">{head}</td>")).unwrap_or_else(|| panic!("no column {head}: {page}"));
    page[from..].split("</tr>").next().unwrap()
}

/// The name of the field by which a column is changed.
fn select(row: &str) -> String {
    row.split("<select name=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn register() -> String {
    let mut out = String::from("Kennung,Standort,Funkteil,imei,iccid\n");
    for n in 0..12u32 {
        out.push_str(&format!("PLC-{n:02},North,EG25-G,{},{}\n", numbers::imei(86_769_804, 40 + n), numbers::iccid(u64::from(n))));
    }
    out.push_str("PLC-99,North,EG25-G,867698041234560,\n");
    out
}

#[test]
fn a_column_is_changed_before_the_file_is_kept_and_stays_so() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let at = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        let page = ana.get(&at).await.is(200).text();
        assert!(page.contains("Read as <strong>csv</strong>") && page.contains("plc.csv"), "{page}");
        assert!(column(&page, "imei").contains("<td>imei</td>") && column(&page, "iccid").contains("<td>iccid</td>"), "{page}");
        assert!(column(&page, "Kennung").contains("not used"), "{page}");
        // Ten rows with their places; the check digit that is wrong with its own.
        assert_eq!(page.matches("<td class=\"date\">row ").count(), 10, "{page}");
        assert!(page.contains("row 14: "), "{page}");
        assert!(
            !page.contains(&numbers::iccid(3)) && page.contains(&umbilical_core::number::Shown(&numbers::iccid(3)).to_string()),
            "{page}"
        );
        // Nothing is kept yet.
        assert_eq!(ana.get("/api/v1/evidence").await.json()["evidence"].as_array().unwrap().len(), 0);
        assert_eq!(lying(&world), 1);

        let (id, part, card) = (select(column(&page, "Kennung")), select(column(&page, "Funkteil")), select(column(&page, "iccid")));
        let said = [(id.as_str(), "asset-id"), (part.as_str(), "module-model"), (card.as_str(), "ignore")];
        let look: Vec<_> = said.iter().copied().chain([("do", "look")]).collect();
        assert_eq!(say(&ana, &at, &look).await.is(303).header("location"), at);
        let page = ana.get(&at).await.is(200).text();
        // It is understood as what was chosen.
        let chosen = column(&page, "Kennung");
        assert!(chosen.contains("<option selected>asset-id</option>") && chosen.contains("<td>asset-id</td>"), "{chosen}");
        assert!(page.contains("asset-id:</span> PLC-00") && !page.contains("iccid:</span>"), "{page}");

        let import: Vec<_> = said.iter().copied().chain([("do", "import")]).collect();
        assert_eq!(say(&ana, &at, &import).await.is(303).header("location"), "/import/1");
        world.settled().await;
        assert_eq!(lying(&world), 0);
        let list = ana.get("/api/v1/devices?q=maker:quectel&limit=100").await.json();
        assert_eq!(list["count"]["n"], 13, "{list}");
        let device = ana.get("/api/v1/devices?q=PLC-03").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let whole = ana.get(&format!("/api/v1/devices/{device}")).await.json();
        assert_eq!(whole["device"]["identifiers"]["asset_id"][0], "PLC-03");
        assert_eq!(whole["device"]["identifiers"]["iccid"].as_array().unwrap().len(), 0);
        let kept = ana.get("/api/v1/evidence").await.json()["evidence"][0]["id"].as_str().unwrap().to_owned();
        let mapping = world.app.store().mapping(&umbilical_store::Scope::ALL, &kept).await.unwrap().unwrap();
        assert_eq!(mapping, "[columns]\n\"Funkteil\" = \"module-model\"\n\"Kennung\" = \"asset-id\"\n\"iccid\" = \"ignore\"\n");
        assert!(ana.get(&format!("/evidence/{kept}")).await.text().contains("Kennung&#34; = &#34;asset-id"));
        ana.get(&at).await.is(404);

        // The same bytes again without a word change nothing; with other words they are read anew.
        ana.upload("plc.csv", register()).await.is(202);
        world.settled().await;
        assert_eq!(ana.get("/api/v1/devices?q=maker:quectel").await.json()["count"]["n"], 13);
        let device_of = async || ana.get(&format!("/api/v1/devices/{device}")).await.json()["device"]["identifiers"].clone();
        assert_eq!(device_of().await["iccid"].as_array().unwrap().len(), 0);
        let at = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        let page = ana.get(&at).await.is(200).text();
        // What was said before is chosen, and rules what is shown.
        assert!(page.contains("These bytes came in before") && column(&page, "iccid").contains("value=\"ignore\" selected"), "{page}");
        assert!(page.contains("asset-id:</span> PLC-00") && !page.contains("iccid:</span>"), "{page}");
        let import = [
            (select(column(&page, "Kennung")), "asset-id"),
            (select(column(&page, "Standort")), "ignore"),
            (select(column(&page, "Funkteil")), ""),
            (select(column(&page, "iccid")), ""),
        ];
        let import: Vec<(&str, &str)> = import.iter().map(|(n, v)| (n.as_str(), *v)).chain([("do", "import")]).collect();
        say(&ana, &at, &import).await.is(303);
        world.settled().await;
        let now = device_of().await;
        assert_eq!((now["iccid"].as_array().unwrap().len(), now["site"].as_array().unwrap().len()), (1, 0), "{now}");
        // Taken back altogether the readers decide again. A word that the form does not have imports nothing.
        let at = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        let page = ana.get(&at).await.is(200).text();
        let selects: Vec<String> = ["Kennung", "Standort", "Funkteil", "imei", "iccid"].iter().map(|c| select(column(&page, c))).collect();
        let none: Vec<(&str, &str)> = selects.iter().map(|n| (n.as_str(), "")).collect();
        say(&ana, &at, &[&none[..], &[("do", "explode")]].concat()).await.is(422);
        say(&ana, &at, &[&none[..], &[("do", "import")]].concat()).await.is(303);
        world.settled().await;
        let list = ana.get("/api/v1/devices?q=site:North&limit=100").await.json();
        assert_eq!(list["count"]["n"], 13, "{list}");
        assert_eq!(ana.get("/api/v1/devices?q=PLC-03").await.json()["count"]["n"], 0, "no column is an asset's number by itself");
        assert_eq!(ana.get("/api/v1/evidence").await.json()["evidence"].as_array().unwrap().len(), 1);
        let otto = world.signed_in("otto", &[Role::Auditor]).await;
        assert!(otto.get("/api/v1/audit-log").await.text().contains("Standort"), "the log tells of columns");
        assert!(otto.get("/api/v1/audit-log/verify").await.is(200).text().contains("\"whole\":true"));
        assert_eq!(world.app.store().verify_audit(None).await.unwrap(), Vec::<String>::new());
        world.end().await;
    });
}

#[test]
fn what_waits_belongs_to_a_session_and_goes_when_nobody_wants_it() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let bo = world.signed_in("bo", &[Role::Engineer]).await;
        let at = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        bo.get(&at).await.is(404);
        say(&bo, &at, &[("do", "cancel")]).await.is(404);
        ana.form(&at, &[("do", "import")]).await.is(403);
        say(&ana, &at, &[("do", "look"), ("col.0.0", "colour")]).await.is(422);
        say(&ana, &at, &[("do", "look"), ("col.9.0", "imei")]).await.is(422);
        say(&ana, &at, &[("do", "look"), ("col.0.99", "imei")]).await.is(422);
        ana.get(&at).await.is(200);
        assert_eq!((lying(&world), say(&ana, &at, &[("do", "cancel")]).await.is(303).header("location").to_owned()), (1, "/import".into()));
        assert_eq!(lying(&world), 0);
        ana.get(&at).await.is(404);
        // Another upload of the session takes the place of the first.
        let first = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        let second = staged(&ana, &[("plc.csv", register().as_bytes())]).await;
        ana.get(&first).await.is(404);
        ana.get(&second).await.is(200);
        assert_eq!(lying(&world), 1);
        world.clock.forward(59 * 60_000);
        bo.get("/import").await.is(200);
        ana.get(&second).await.is(200);
        world.clock.forward(2 * 60_000);
        ana.get(&second).await.is(404);
        // Another site's person may not import at all.
        let nils = world.person("nils", &[Role::Engineer], Sites::Only(["North".to_owned()].into())).await;
        stage(&world.session(&nils).await, &[("plc.csv", register().as_bytes())]).await.is(403);
        // Without the word the form imports at once, as programs do.
        let csrf = bo.csrf().await;
        let (kind, body) = multipart(&[("csrf", &csrf)], &[("plc.csv", register().as_bytes())]);
        let answer = bo.send(Method::POST, "/import", &[("content-type", &kind)], body).await.is(303);
        assert!(!answer.header("location").contains("staged"));
        world.settled().await;
        // A fall leaves files; the next start takes them away.
        staged(&bo, &[("plc.csv", register().as_bytes())]).await;
        let folder = world.fall().await;
        assert!(folder.path().join("uploads").read_dir().unwrap().count() >= 1);
        let world = World::on(folder, |_| {}).await;
        assert_eq!(lying(&world), 0);
        world.end().await;
    });
}

#[test]
fn hostile_files_are_looked_at_like_others() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let imei = numbers::imei(86_769_804, 3);
        let script = format!("<script>alert(1)</script>,=1+1,\"a\"\" onmouseover=\"\"x\",imei\n1,2,3,{imei}\n");
        let page = ana.get(&staged(&ana, &[("<img src=x onerror=alert(1)>.csv", script.as_bytes())]).await).await.is(200).text();
        assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"), "{page}");
        assert_eq!(page.matches("<script").count(), 1, "the page's own alone");
        assert!(!page.contains("<img") && !page.contains("\"a\" onmouseover"), "{page}");
        // What such a head is changed to holds for that column.
        let at = staged(&ana, &[("odd.csv", script.as_bytes())]).await;
        say(&ana, &at, &[("col.0.0", "asset-id"), ("col.0.1", "site"), ("do", "import")]).await.is(303);
        world.settled().await;
        let device = ana.get("/api/v1/devices?q=").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let ids = ana.get(&format!("/api/v1/devices/{device}")).await.json()["device"]["identifiers"].clone();
        assert_eq!((&ids["asset_id"][0], &ids["site"][0]), (&"1".into(), &"2".into()), "{ids}");

        let wide = |n: usize| {
            let heads = (0..n).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",");
            format!("imei,{heads}\n{imei},{}\n", vec!["x"; n].join(","))
        };
        let page = ana.get(&staged(&ana, &[("wide.csv", wide(4000).as_bytes())]).await).await.is(200).text();
        assert!(page.contains("There are more columns") && page.matches("<select").count() == 150, "{page}");
        assert!(page.len() < 1 << 20, "{}", page.len());
        // More than are told apart: said, and nothing breaks.
        let page = ana.get(&staged(&ana, &[("wider.csv", wide(10_000).as_bytes())]).await).await.is(200).text();
        assert!(page.contains("wider.csv") && page.len() < 1 << 20, "{}", page.len());

        let huge = format!("imei,name\n{imei},{}\n", "x".repeat(2 << 20));
        let page = ana.get(&staged(&ana, &[("huge.csv", huge.as_bytes())]).await).await.is(200).text();
        assert!(page.len() < 100_000, "{}", page.len());

        let at = staged(&ana, &[("empty.csv", b""), ("noise.bin", &[0, 159, 146, 150, 7, 7])]).await;
        let page = ana.get(&at).await.is(200).text();
        assert!(page.contains("empty.csv") && page.contains("No reader understands this file"), "{page}");
        say(&ana, &at, &[("do", "import")]).await.is(303);

        let listing = b"Bus 001 Device 004: ID 2c7c:0125 Quectel Wireless Solutions Co., Ltd. EC25 LTE modem\n";
        let page = ana.get(&staged(&ana, &[("lsusb.txt", listing)]).await).await.is(200).text();
        assert!(page.contains("2c7c:0125") && !page.contains("<select"), "{page}");
        let bill = "Reference,Value,Manufacturer,MPN,Quantity\nU1,EG25-G,Quectel,EG25GGB-256-SGNS,1\n";
        let page = ana.get(&staged(&ana, &[("bom.csv", bill.as_bytes())]).await).await.is(200).text();
        assert!(page.contains("mpn:</span> EG25GGB-256-SGNS") && column(&page, "MPN").contains("<td>mpn</td>"), "{page}");
        world.end().await;
    });
}

/// An archive of these files.
fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_column_of_one_member_of_an_archive_is_its_own() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let row = |serial| numbers::imei(86_769_804, serial);
        let north = format!("Kennung,imei\nPLC-1,{}\nPLC-2,{}\n", row(1), row(2));
        let south = format!("Kennung,imei\nHall 7,{}\nHall 8,{}\n", row(3), row(4));
        let bytes = zipped(&[("north/plc.csv", &north), ("south/plc.csv", &south)]);
        let at = staged(&ana, &[("fleet.zip", &bytes)]).await;
        let page = ana.get(&at).await.is(200).text();
        // Each row and each column says in which file it stands.
        let of = |page: &str, file: &str| {
            let from = page.find(&format!("<td>{file}</td><td class=\"name\">Kennung</td>")).unwrap_or_else(|| panic!("{file}: {page}"));
            page[from..].split("</tr>").next().unwrap().to_owned()
        };
        assert_eq!(page.matches("<td>north/plc.csv</td><td class=\"date\">row ").count(), 2, "{page}");
        assert_eq!(page.matches("<td>south/plc.csv</td><td class=\"date\">row ").count(), 2, "{page}");
        let (one, other) = (select(&of(&page, "north/plc.csv")), select(&of(&page, "south/plc.csv")));
        assert_ne!(one, other);
        say(&ana, &at, &[(&one, "asset-id"), (&other, "site"), ("do", "look")]).await.is(303);
        let page = ana.get(&at).await.is(200).text();
        assert!(of(&page, "north/plc.csv").contains("<td>asset-id</td>") && of(&page, "south/plc.csv").contains("<td>site</td>"), "{page}");
        assert!(page.contains("asset-id:</span> PLC-1") && page.contains("site:</span> Hall 7") && !page.contains("asset-id:</span> Hall"));
        // Taken back it is the reader's again, and what is shown says so.
        say(&ana, &at, &[(&one, "asset-id"), (&other, ""), ("do", "look")]).await.is(303);
        let page = ana.get(&at).await.is(200).text();
        assert!(of(&page, "south/plc.csv").contains("not used") && !page.contains("Hall 7"), "{page}");
        say(&ana, &at, &[(&one, "asset-id"), (&other, "site"), ("do", "import")]).await.is(303);
        world.settled().await;
        let q = async |q: &str| ana.get(&format!("/api/v1/devices?q={q}")).await.json()["count"]["n"].clone();
        assert_eq!(
            (q("asset:PLC-1").await, q("site:hall").await, q("asset:hall").await, q("site:plc").await),
            (1.into(), 2.into(), 0.into(), 0.into())
        );
        // The same bytes again: what was said of each member is chosen for it.
        let at = staged(&ana, &[("fleet.zip", &bytes)]).await;
        let page = ana.get(&at).await.is(200).text();
        assert!(
            of(&page, "north/plc.csv").contains("<option selected>asset-id")
                && of(&page, "south/plc.csv").contains("<option selected>site")
        );
        world.end().await;
    });
}

#[test]
fn who_sees_one_site_learns_nothing_of_other_kinds_in_an_archive() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let register = |name: &str, site: &str| {
            format!(
                "name,site,module manufacturer,module model,imei\n{name},{site},Quectel,EG25-G,{}\n",
                numbers::imei(86_769_804, name.len() as u32)
            )
        };
        // A list of the north, and of the south a list in another form.
        let south = format!(
            "[{{\"name\": \"gate-99\", \"site\": \"South\", \"manufacturer\": \"Quectel\", \"model\": \"EC25\", \"imei\": \"{}\"}}]",
            numbers::imei(86_769_804, 99)
        );
        let both = zipped(&[("north.csv", &register("pump-1", "North")), ("south.json", &south)]);
        ana.upload("both.zip", both).await.is(202);
        world.settled().await;
        let person = world.person("nils", &[Role::Analyst], Sites::Only(["North".to_owned()].into())).await;
        let nils = world.session(&person).await;
        let told = async |client: &Client| {
            let mut all = String::new();
            for path in ["/metrics", "/api/v1/evidence", "/evidence"] {
                all.push_str(&client.get(path).await.is(200).text());
            }
            let id = client.get("/api/v1/evidence").await.json()["evidence"][0]["id"].as_str().unwrap().to_owned();
            all.push_str(&client.get(&format!("/evidence/{id}")).await.is(200).text());
            all + &client.get(&format!("/api/v1/evidence/{id}")).await.is(200).text()
        };
        let whole = told(&ana).await;
        assert!(whole.contains("format=\"json\"") && whole.contains("format=\"csv\"") && !whole.contains("several"), "{whole}");
        let his = told(&nils).await;
        assert!(his.contains("format=\"several\"} ") && his.contains("\"format\":\"several\""), "{his}");
        assert!(!his.contains("format=\"json\"") && !his.contains("format=\"csv\"") && !his.contains("\"format\":\"csv\""), "{his}");
        // Nor by asking: only what is shown is there.
        let rows = async |format: &str| nils.get(&format!("/evidence?format={format}")).await.is(200).text().contains("both.zip");
        assert_eq!((rows("several").await, rows("json").await, rows("csv").await), (true, false, false));
        // An archive of his site alone is his with its kinds.
        let own = zipped(&[("a.csv", &register("pump-22", "North")), ("notes.txt", "nothing of note\n")]);
        ana.upload("own.zip", own).await.is(202);
        world.settled().await;
        assert!(nils.get("/metrics").await.text().contains("format=\"csv\""));
        world.end().await;
    });
}
