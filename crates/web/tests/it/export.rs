//! Fleets and findings as files: what the API writes is what the command line writes, of what the asker sees.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use umbilical_assess::{Fleet, Options, bom};
use umbilical_core::answer::Device;
use umbilical_core::{Day, Observations};
use umbilical_evidence::{Purpose, open};
use umbilical_knowledge::Knowledge;
use umbilical_report::event::{Event, Kind, Moment, Out};
use umbilical_store::{Role, Sites, TokenClass};
use umbilical_synth::numbers;
use umbilical_web::leave::{Devices, Findings};

use crate::support::{Folder, World, run};

const DAY: &str = "2026-11-29";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Devices with cards, of two sites, one under another name than its maker's, one that is not cellular, one open.
fn register() -> String {
    let mut out = String::from("name,site,module manufacturer,module model,imei,iccid\n");
    let rows = [
        ("pump-1", "North", "Quectel", "EG25-G"),
        ("=gate-9", "South", "Dell", "DW5821e"),
        ("pump; 2", "North", "Telit", "LE910C4-EU"),
        ("mast-4", "South", "Sierra Wireless", "EM7455"),
    ];
    for (n, (name, site, maker, model)) in (0u32..).zip(rows) {
        let iccid = numbers::iccid(u64::from(7000 + n));
        out.push_str(&format!("{name},{site},{maker},{model},{},{iccid}\n", numbers::imei(86_769_804, 100 + n)));
    }
    out.push_str("printer-3,North,,,,\n");
    out
}

fn read(kb: &Knowledge, path: &Path) -> Vec<Device> {
    let mut all = Observations::new();
    let options = open::Options { knowledge: kb, mapping: None, purpose: Purpose::Fleet, validate: false, threads: 1, progress: &|_| {} };
    open::read_paths(&[path.to_path_buf()], &options, &mut all).unwrap();
    // As the server calls it: by its name.
    for input in &mut all.inputs {
        input.path = path.file_name().unwrap().to_string_lossy().into_owned();
    }
    let as_of: Day = DAY.parse().unwrap();
    bom::as_devices(&mut all, kb, &bom::Options::on(as_of));
    Fleet::new(&all, kb, Options { as_of, show_subscribers: false }).devices().collect()
}

fn ids(devices: &[Device]) -> BTreeSet<&str> {
    devices.iter().map(|d| d.id.as_str()).collect()
}

#[test]
fn a_fleet_leaves_in_every_format_as_the_command_writes_it() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("register.csv", register()).await.is(202);
        world.settled().await;
        let folder = Folder::new();
        let path = folder.path().join("register.csv");
        std::fs::write(&path, register()).unwrap();
        let kb = Knowledge::embedded();
        let devices = read(&kb, &path);
        assert_eq!(devices.len(), 5);
        for format in Devices::ALL {
            let named = format.named();
            let answer = ana.get(&format!("/api/v1/export/devices?format={}", named.name)).await.is(200);
            assert_eq!(answer.header("content-type"), named.media);
            let file = format!("attachment; filename=\"umbilical-devices-{DAY}.{}\"", named.ending);
            assert_eq!(answer.header("content-disposition"), file);
            let mut command = Vec::new();
            let mut to = format.open(&mut command, DAY, VERSION).unwrap();
            devices.iter().for_each(|d| to.device(d).unwrap());
            to.finish().unwrap();
            assert!(answer.body == command, "{}: {}\n{}", named.name, answer.text(), String::from_utf8_lossy(&command));
            if matches!(format, Devices::Csv | Devices::Xlsx | Devices::Jsonl | Devices::Parquet | Devices::Cyclonedx) {
                let back = folder.path().join(format!("back.{}", named.ending));
                std::fs::write(&back, &answer.body).unwrap();
                let back = read(&kb, &back);
                assert_eq!(ids(&back), ids(&devices), "{}", named.name);
                let modules = |list: &[Device]| {
                    let mut all: Vec<String> =
                        list.iter().flat_map(|d| d.modules.iter().map(|m| format!("{} {:?} {:?}", d.id, m.maker, m.model))).collect();
                    all.sort();
                    all
                };
                assert_eq!(modules(&back), modules(&devices), "{}", named.name);
            }
        }
        world.end().await;
    });
}

#[test]
fn a_fleet_of_many_pages_leaves_whole() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        let mut register = String::from("name,site,module manufacturer,module model,imei\n");
        for n in 0..1203u32 {
            let (maker, model) = if n % 3 == 0 { ("Telit", "LE910C4-EU") } else { ("Quectel", "EG25-G") };
            register.push_str(&format!("unit-{n},North,{maker},{model},{}\n", numbers::imei(86_769_804, 5000 + n)));
        }
        ana.upload("many.csv", register.clone()).await.is(202);
        world.settled().await;
        let folder = Folder::new();
        let path = folder.path().join("many.csv");
        std::fs::write(&path, register).unwrap();
        let devices = read(&Knowledge::embedded(), &path);
        assert_eq!(devices.len(), 1203);
        let mut command = Vec::new();
        let mut to = Devices::Csv.open(&mut command, DAY, VERSION).unwrap();
        devices.iter().for_each(|d| to.device(d).unwrap());
        to.finish().unwrap();
        assert!(ana.get("/api/v1/export/devices?format=csv").await.is(200).body == command);
        let found: usize = devices.iter().map(|d| d.findings.len()).sum();
        assert!(found > 500, "{found}");
        assert_eq!(ana.get("/api/v1/export/findings?format=jsonl").await.is(200).text().lines().count(), found);
        world.end().await;
    });
}

/// The lines of a file, whatever their order: the page has the worst in front, the command goes device by device.
fn lines(bytes: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn objects(bytes: &[u8]) -> Vec<String> {
    let bundle: Value = serde_json::from_slice(bytes).unwrap();
    let mut all: Vec<String> = bundle["objects"].as_array().unwrap().iter().map(Value::to_string).collect();
    all.sort();
    all
}

#[test]
fn findings_leave_in_every_format_as_the_command_writes_them() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("register.csv", register()).await.is(202);
        world.settled().await;
        let folder = Folder::new();
        let path = folder.path().join("register.csv");
        std::fs::write(&path, register()).unwrap();
        let devices = read(&Knowledge::embedded(), &path);
        let count: usize = devices.iter().map(|d| d.findings.len()).sum();
        assert!(count >= 2, "{count}");
        let at = Moment::end_of(DAY.parse().unwrap());
        for format in Findings::ALL {
            let named = format.named();
            let answer = ana.get(&format!("/api/v1/export/findings?format={}", named.name)).await.is(200);
            assert_eq!(answer.header("content-type"), named.media);
            let file = format!("attachment; filename=\"umbilical-findings-{DAY}.{}\"", named.ending);
            assert_eq!(answer.header("content-disposition"), file);
            let Some(one) = format.one_by_one() else {
                let log = answer.json();
                assert_eq!(log["version"], "2.1.0");
                assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), count);
                assert_eq!(log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "register.csv");
                continue;
            };
            let mut command = Vec::new();
            let mut to = Out::new(one, &mut command, VERSION).unwrap();
            for device in &devices {
                for finding in &device.findings {
                    to.event(&Event { finding, device: Some(device), kind: Kind::New, at }).unwrap();
                }
            }
            to.finish().unwrap();
            if format == Findings::Stix {
                assert_eq!(objects(&answer.body), objects(&command));
            } else {
                assert_eq!(lines(&answer.body), lines(&command), "{}", named.name);
            }
        }
        world.end().await;
    });
}

#[test]
fn files_hold_what_the_asker_sees_and_a_token_for_exports_takes_them() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("register.csv", register()).await.is(202);
        world.settled().await;
        let mut north = world.person("north", &[Role::Viewer], Sites::Only(["North".to_owned()].into())).await;
        let token = world.token(&north, TokenClass::ExportOnly, &["export"]).await;
        let full = numbers::iccid(7000);
        for format in Devices::ALL.map(|f| f.named().name) {
            let file = token.get(&format!("/api/v1/export/devices?format={format}")).await.is(200).text();
            assert!(!file.contains("gate-9") && !file.contains("mast-4") && !file.contains(&full), "{format}: {file}");
        }
        for format in Findings::ALL.map(|f| f.named().name) {
            let file = token.get(&format!("/api/v1/export/findings?format={format}")).await.is(200).text();
            assert!(!file.contains("gate-9") && !file.contains("mast-4") && !file.contains(&full), "{format}: {file}");
        }
        let csv = token.get("/api/v1/export/devices?format=csv").await.is(200).text();
        assert_eq!(csv.lines().count(), 4, "{csv}");
        assert!(csv.contains(&umbilical_core::number::Shown(&full).to_string()), "{csv}");
        let csv = token.get("/api/v1/export/devices?format=csv&q=pump").await.is(200).text();
        assert_eq!(csv.lines().count(), 3, "{csv}");
        let csv = token.get("/api/v1/export/devices?format=csv&q=maker:telit%20OR%20maker:quectel").await.is(200).text();
        assert_eq!(csv.lines().count(), 3, "{csv}");
        let csv = token.get("/api/v1/export/findings?format=csv&q=site:south").await.is(200).text();
        assert_eq!(csv.lines().count(), 1, "{csv}");
        north.subscribers = true;
        world.app.store().update_person(world.by(), &north).await.unwrap();
        let seeing = world.token(&north, TokenClass::ExportOnly, &["export", "subscribers"]).await;
        let csv = seeing.get("/api/v1/export/devices?format=csv").await.is(200).text();
        assert!(csv.contains(&full), "{csv}");
        // No cell that a spreadsheet would compute.
        let csv = ana.get("/api/v1/export/devices?format=csv&q=gate").await.is(200).text();
        assert!(csv.contains("'=gate-9") && !csv.contains(",=gate-9"), "{csv}");

        let wrong = ana.get("/api/v1/export/devices?format=docx").await.problem(422);
        assert!(wrong["detail"].as_str().unwrap().contains("netbox-items"), "{wrong}");
        ana.get("/api/v1/export/findings?format=xlsx").await.problem(422);
        ana.get("/api/v1/export/devices?format=csv&whole=true").await.problem(422);
        assert_eq!(ana.get("/api/v1/export/devices?format=csv&q=colour:b").await.problem(422)["column"], 1);
        assert_eq!(ana.get("/api/v1/export/devices?format=csv&q=nothing-like-it").await.is(200).text().lines().count(), 1);
        let auditor = world.signed_in("otto", &[Role::Auditor]).await;
        let log = auditor.get("/api/v1/audit-log").await.is(200).text();
        assert!(log.contains("\"format\":\"netbox-items\"") && log.contains("\"query\":\"pump\""), "{log}");
        world.end().await;
    });
}

#[test]
fn before_the_first_answer_a_file_is_an_empty_fleet() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Viewer]).await;
        let csv = ana.get("/api/v1/export/devices?format=csv").await.is(200);
        assert_eq!(csv.header("content-disposition"), format!("attachment; filename=\"umbilical-devices-{DAY}.csv\""));
        assert_eq!(csv.text().lines().count(), 1);
        let sarif = ana.get("/api/v1/export/findings?format=sarif").await.is(200).json();
        assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
        world.end().await;
    });
}

#[test]
fn lists_offer_what_they_show_as_files() {
    run(async {
        let world = World::new().await;
        let ana = world.signed_in("ana", &[Role::Engineer]).await;
        ana.upload("register.csv", register()).await.is(202);
        world.settled().await;
        for (path, formats) in [("/fleet?q=site%3Anorth", Devices::ALL.len() + 1), ("/findings?q=site%3Asouth", Findings::ALL.len())] {
            let page = ana.get(path).await.is(200).text();
            let menu = page.split("<details class=\"download\">").nth(1).unwrap().split("</details>").next().unwrap();
            let count = page.split("<p class=\"count\"><strong data-total>").nth(1).unwrap().split('<').next().unwrap();
            assert!(menu.contains(&format!(">{count} ")) && menu.contains("as the query") && menu.contains("are covered"), "{menu}");
            let links: Vec<String> =
                menu.split("href=\"").skip(1).map(|l| l.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&")).collect();
            assert_eq!(links.len(), formats, "{menu}");
            for link in links {
                assert!(!ana.get(&link).await.is(200).body.is_empty(), "{link}");
            }
        }
        for path in ["/fleet?q=nothing-like-it", "/fleet?q=colour%3Ab"] {
            assert!(!ana.get(path).await.text().contains("class=\"download\""), "{path}");
        }
        world.end().await;
    });
}
