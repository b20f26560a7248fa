//! Reports and evidence packs: made from what is kept, as the command line makes them, for who may.

use std::sync::Arc;

use serde_json::Value;
use umbilical_core::signed::Standing;
use umbilical_evidence::signed::{Envelope, PublicKey};
use umbilical_report::attest::Signer;
use umbilical_report::pack::read;
use umbilical_store::{Role, Sites, TokenClass};
use umbilical_synth::numbers;

use crate::support::law::shelved;
use crate::support::{Client, World, evidence, run};

const BILL: &str = "Reference,Value,Manufacturer,MPN,Quantity\nU1,EG25-G,Quectel,EG25GGB-256-SGNS,1\nR1,10k,Yageo,RC0603FR-0710KL,1\nC1,100n,Murata,GRM188R71H104KA93D,1\n";

async fn uploaded(client: &Client, name: &str, bytes: &str) -> String {
    client.upload(name, bytes).await.is(202).json()["files"][0]["evidence"].as_str().unwrap().to_owned()
}

#[test]
fn a_draft_is_made_of_documents_and_what_its_writer_says() {
    run(async {
        let world = World::with(shelved).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let bill = uploaded(&ana, "bom.csv", BILL).await;
        let register = uploaded(&ana, "register.csv", &evidence::two_sites()).await;
        world.settled().await;
        let list = ana.get("/api/v1/reports").await.is(200).json();
        // What a title leaves to who asks stands open in the list, on both.
        let page = ana.get("/reports").await.is(200).text();
        assert!(page.contains("model year …"), "{page}");
        assert!(!page.contains("{model_year}") && !list.to_string().contains("{model_year}"), "{list}");
        let of = |id: &str| list.as_array().unwrap().iter().find(|r| r["id"] == id).cloned().unwrap();
        assert_eq!(list.as_array().unwrap().len(), 9);
        assert_eq!((of("fcc-attestation")["documents"].clone(), of("tender-clause")["documents"].clone()), (true.into(), false.into()));
        let asks = of("fcc-attestation")["asks"].as_array().unwrap().clone();
        let name = asks[0].as_str().unwrap();
        let hostile = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";

        let at = format!("/api/v1/reports/fcc-attestation?evidence={bill}&market=US&set={name}%3D{hostile}");
        let report = ana.get(&format!("{at}&format=json")).await.is(200);
        assert_eq!(report.header("content-disposition"), "attachment; filename=\"umbilical-fcc-attestation-2026-11-29.json\"");
        let report = report.json();
        assert_eq!((report["schema"].as_str(), report["as_of"].as_str()), (Some("umbilical.report/1"), Some("2026-11-29")));
        assert_eq!((&report["inputs"][0]["path"], report["inputs"].as_array().unwrap().len()), (&Value::from("bom.csv"), 1));
        assert!(report.to_string().contains("Quectel") && report.to_string().contains("us-fcc-covered"), "{report}");
        assert!(!report["to_supply"].as_array().unwrap().iter().any(|n| n == name), "{report}");
        let page = ana.get(&format!("{at}&format=html&as_of=2026-11-01")).await.is(200);
        assert_eq!(page.header("content-disposition"), "attachment; filename=\"umbilical-fcc-attestation-2026-11-01.html\"");
        // It is a file of its own: what pages of the server may load stays as it is.
        assert!(!page.header("content-security-policy").contains("unsafe"));
        assert!(page.text().contains("&lt;script&gt;alert(1)") && !page.text().contains("<script"), "{}", page.text());
        assert!(ana.get(&format!("{at}&format=text")).await.is(200).text().starts_with("# "));

        // The page asks for the same, and says what is wrong as a page.
        let form = ana.get(&format!("/reports/fcc-attestation?evidence={bill}")).await.is(200).text();
        assert!(form.contains(&format!("value=\"{bill}\" checked")) && form.contains(&format!("name=\"set.{name}\"")), "{form}");
        let file = format!("/reports/fcc-attestation/file?evidence={bill}&market=US&buyer=&funded_by=&as_of=&set.{name}={hostile}");
        let by_page = ana.get(&format!("{file}&format=json")).await.is(200).json();
        assert_eq!(by_page, report);
        let wrong = ana.get("/reports/fcc-attestation/file?format=html").await.is(422);
        assert!(wrong.header("content-type").starts_with("text/html") && wrong.text().contains("no document to report on"));

        let problem = ana.get(&format!("/api/v1/reports/fcc-attestation?evidence={register}")).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("nothing to report on"), "{problem}");
        let problem = ana.get(&format!("/api/v1/reports/fcc-attestation?evidence={bill}&set=colour%3Dred")).await.problem(422);
        assert!(problem["allowed"].as_array().unwrap().iter().any(|a| a == name), "{problem}");
        for wrong in ["set=alone", "as_of=soon", "format=pdf", "colour=red", "policy=..%2F..%2Fetc"] {
            ana.get(&format!("/api/v1/reports/fcc-attestation?evidence={bill}&{wrong}")).await.problem(422);
        }
        ana.get("/api/v1/reports/letter-of-love").await.problem(404);
        ana.get("/api/v1/reports/fcc-attestation?evidence=evd-000000000000").await.problem(404);
        // A clause needs no document; a letter rests on a rule that fails.
        assert!(ana.get("/api/v1/reports/tender-clause?policy=us-fcc-covered&format=text").await.is(200).text().contains("us-fcc-covered"));
        let resistor = uploaded(&ana, "resistors.csv", "Reference,Value,Manufacturer,MPN,Quantity\nR1,10k,Yageo,RC0603FR-0710KL,1\n").await;
        let problem = ana.get(&format!("/api/v1/reports/bid-refusal?evidence={resistor}&policy=us-fcc-covered")).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("no ground"), "{problem}");
        world.end().await;
    });
}

#[test]
fn the_fleet_on_one_page_is_answered_as_of_a_day() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let iccid = numbers::iccid(77);
        let register = format!(
            "name,site,module manufacturer,module model,imei,iccid\npump-1,North,Quectel,EG25-G,{},{iccid}\n",
            numbers::imei(86_769_804, 9)
        );
        uploaded(&ana, "register.csv", &register).await;
        world.settled().await;
        let page = ana.get("/reports/fleet/file?as_of=2026-11-10&format=html").await.is(200);
        assert_eq!(page.header("content-disposition"), "attachment; filename=\"umbilical-fleet-2026-11-10.html\"");
        let text = page.text();
        assert!(text.starts_with("<!doctype html>") && text.ends_with("</html>\n") && text.contains("as of 2026-11-10"), "{text}");
        assert!(text.contains("pump-1") && !text.contains(&iccid), "{text}");
        let audit = ana.get("/api/v1/reports/fleet?format=json").await.is(200).json();
        assert_eq!((&audit["schema"], &audit["coverage"]["devices"]), (&Value::from("umbilical.audit/1"), &Value::from(1)));
        assert_eq!(audit["devices"][0]["identifiers"]["iccid"][0], umbilical_core::number::Shown(&iccid).to_string());
        ana.get("/api/v1/reports/fleet?subscribers=true").await.problem(403);
        ana.get("/api/v1/reports/fleet?format=text").await.problem(422);
        let mut person = world.person("sue", &[Role::Viewer], Sites::All).await;
        person.subscribers = true;
        world.app.store().update_person(world.by(), &person).await.unwrap();
        let sue = world.session(&person).await;
        assert!(sue.get("/api/v1/reports/fleet?subscribers=true&format=json").await.is(200).text().contains(&iccid));
        assert!(!sue.get("/api/v1/reports/fleet?format=json").await.is(200).text().contains(&iccid));
        world.end().await;
    });
}

/// The lines of a member of a pack.
fn member(pack: &[u8], name: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(pack);
    // A tar without compression: members stand in it as they are.
    let from = text.split(name).nth(1).unwrap_or_else(|| panic!("no {name}"));
    from.lines().filter_map(|l| l.find('{').and_then(|at| serde_json::from_str(l[at..].trim_end_matches('\0')).ok())).collect()
}

#[test]
fn an_evidence_pack_holds_what_the_asker_sees_and_is_signed_by_the_server() {
    run(async {
        let signer = Arc::new(Signer::from_seed(&[7; 32]));
        let key = PublicKey::from_pem(&signer.public_pem()).unwrap();
        let of = Arc::clone(&signer);
        let world = World::with(move |config| config.signer = Some(of)).await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        uploaded(&ana, "two.csv", &evidence::two_sites()).await;
        world.settled().await;
        let answer = ana.get("/api/v1/export/pack").await.is(200);
        assert_eq!(answer.header("content-disposition"), "attachment; filename=\"umbilical-2026-11-29.pack\"");
        let contents = read(&answer.body[..]).unwrap();
        assert!(contents.problems.is_empty(), "{:?}", contents.problems);
        let (manifest, signed) = contents.manifest.clone().unwrap();
        assert!(signed);
        let envelope = Envelope::read(&manifest).unwrap();
        assert!(envelope.check(&[key]).iter().any(|s| s.standing == Standing::Verified));
        let statement: Value = serde_json::from_slice(&envelope.payload).unwrap();
        assert_eq!((&statement["predicate"]["devices"], &statement["predicate"]["subscribers"]), (&Value::from(3), &Value::from("masked")));
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let stated: Vec<(String, String)> =
            statement["subject"].as_array().unwrap().iter().map(|s| (text(&s["name"]), text(&s["digest"]["sha256"]))).collect();
        assert_eq!(contents.against(stated.iter().map(|(n, d)| (&**n, &**d))), Vec::<String>::new());
        // The same answer is the same file.
        assert!(ana.get("/api/v1/export/pack").await.body == answer.body);

        let one = ana.get("/api/v1/devices?q=name:gate-9").await.json()["devices"][0]["id"].as_str().unwrap().to_owned();
        let pack = ana.get(&format!("/api/v1/export/pack?q=id:{one}")).await.is(200);
        let devices = member(&pack.body, "devices.jsonl");
        assert_eq!(devices.iter().filter(|d| d.get("device").is_some()).count(), 1);
        let north = world.person("north", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        let token = world.token(&north, TokenClass::ExportOnly, &["export"]).await;
        let pack = token.get("/api/v1/export/pack").await.is(200);
        assert!(pack.text().contains("pump-1") && !pack.text().contains("gate-9") && read(&pack.body[..]).unwrap().problems.is_empty());
        ana.get("/api/v1/export/pack?q=colour:b").await.problem(422);
        // The bytes of artefacts are for who sees all sites and the numbers in them.
        let mut sue = world.person("sue", &[Role::Viewer], Sites::All).await;
        sue.subscribers = true;
        world.app.store().update_person(world.by(), &sue).await.unwrap();
        let whole = world.session(&sue).await.get("/api/v1/export/pack").await.is(200);
        let names = |pack: &[u8]| read(pack).unwrap().members.into_keys().filter(|n| n.starts_with("evidence/")).count();
        assert_eq!((names(&whole.body), names(&answer.body), names(&pack.body)), (1, 0, 0));
        // Nothing of it stays in the home.
        let left: Vec<_> = std::fs::read_dir(world.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|n| n.to_string_lossy().ends_with(".part")), "{left:?}");

        // Who sees some sites is shown what is for such eyes.
        let nils = world.session(&north).await;
        let page = nils.get("/reports").await.is(200).text();
        assert!(page.contains("/api/v1/export/pack") && !page.contains("/reports/fleet/file"), "{page}");
        nils.get("/reports/fcc-attestation").await.is(403);
        nils.get("/api/v1/reports/fleet").await.problem(403);
        world.end().await;
    });
}
