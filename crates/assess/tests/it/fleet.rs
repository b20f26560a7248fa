use umbilical_assess::Fleet;
use umbilical_core::number::Imei;
use umbilical_core::{Group, IdKind, Kind};
use umbilical_knowledge::Knowledge;

use super::{Thing, devices, observe, options};

fn imei(body: &str) -> String {
    Imei::canonical(body)
}

#[test]
fn a_fleet_teaches_itself() {
    // Three routers answer for themselves; a fourth is only a row in the SIM export. The TAC is in no table.
    let numbers: Vec<String> = (1..=4).map(|n| imei(&format!("999999010000{n:02}"))).collect();
    let facts: Vec<Vec<(u16, Kind, &str, Group)>> = numbers
        .iter()
        .take(3)
        .map(|i| vec![(1, Kind::FirmwareRevision, "RM520NGLAAR01A08M4G", Group::OwnWord), (1, Kind::Tac, i.as_str(), Group::OwnWord)])
        .collect();
    let last = [(IdKind::Imei, numbers[3].as_str())];
    let mut things: Vec<Thing<'_>> = facts.iter().map(|f| Thing { ids: &[], facts: f }).collect();
    things.push(Thing { ids: &last, facts: &[] });
    let all = observe(&things);
    let kb = Knowledge::embedded();
    let fleet = Fleet::new(&all, &kb, options("2026-11-25"));
    let audit = fleet.audit();
    assert_eq!(audit.learned.len(), 1);
    assert_eq!((audit.learned[0].tac.as_str(), audit.learned[0].count), ("99999901", 3));
    let taught = fleet.devices().find(|d| d.identifiers.imei == [numbers[3].clone()]).unwrap();
    assert_eq!(taught.modules[0].model.as_deref(), Some("RM520N-GL"));
    assert_eq!(audit.imeis.undecided, 0);
}

#[test]
fn ids_do_not_depend_on_the_order_of_inputs() {
    let a = [(IdKind::AssetId, "GW-1")];
    let b = [(IdKind::AssetId, "GW-2")];
    let fact = [(0, Kind::DeclaredMaker, "Quectel", Group::Document)];
    let of = |order: [&'static str; 2]| -> Vec<String> {
        let things: Vec<Thing<'_>> = order.iter().map(|w| Thing { ids: if *w == "a" { &a } else { &b }, facts: &fact }).collect();
        devices(&things).into_iter().map(|d| d.id).collect()
    };
    assert_eq!(of(["a", "b"]), of(["b", "a"]));
}

#[test]
fn things_with_one_name_keep_ids_of_their_own() {
    let name = [(IdKind::Name, "pump")];
    let fact = [(0, Kind::HostModel, "X1", Group::Document)];
    let found = devices(&[Thing { ids: &name, facts: &fact }, Thing { ids: &name, facts: &fact }]);
    assert_eq!(found.len(), 2);
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn subscriber_numbers_are_masked_and_owners_are_traced_as_of_a_day() {
    let ids = [(IdKind::Imsi, "262011234567890"), (IdKind::Iccid, "8944500102198304826")];
    let facts = [(1, Kind::UsbId, "33f8:0115", Group::OwnWord), (1, Kind::Manufacturer, "Rolling Wireless S.a.r.l.", Group::OwnWord)];
    let all = observe(&[Thing { ids: &ids, facts: &facts }]);
    let kb = Knowledge::embedded();
    let countries = |day: &str| -> Vec<String> {
        let fleet = Fleet::new(&all, &kb, options(day));
        let device = fleet.devices().next().unwrap();
        assert_eq!(device.identifiers.imsi, ["26201…90"]);
        assert_eq!(device.identifiers.iccid, ["89445…26"]);
        device.modules[0].jurisdictions.iter().map(|j| j.country.clone()).collect()
    };
    assert!(countries("2024-07-25").contains(&"CN".to_owned()));
    assert!(!countries("2024-07-26").contains(&"CN".to_owned()));
}

#[test]
fn a_cloned_imei_is_a_finding_on_both() {
    let number = imei("86882204000001");
    let (a, b) =
        ([(IdKind::AssetId, "GW-1"), (IdKind::Imei, number.as_str())], [(IdKind::AssetId, "GW-2"), (IdKind::Imei, number.as_str())]);
    let found = devices(&[Thing { ids: &a, facts: &[] }, Thing { ids: &b, facts: &[] }]);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|d| d.findings.iter().any(|f| f.code == "cloned-imei")));
}

#[test]
fn subscriber_numbers_are_covered_wherever_people_wrote_them() {
    let card = "8944500102198304826";
    let ids = [
        (IdKind::Name, "+491701234567"),
        (IdKind::AssetId, card),
        (IdKind::Iccid, card),
        (IdKind::Msisdn, "491701234567"),
        (IdKind::Site, "SIM 491701234567"),
    ];
    let facts = [(0, Kind::Text, "Quectel EC25 modem with SIM 8944500102198304826 and +49 number +491701234567", Group::Document)];
    let all = observe(&[Thing { ids: &ids, facts: &facts }]);
    let kb = Knowledge::embedded();
    let shown = |show_subscribers: bool| {
        let fleet = Fleet::new(&all, &kb, umbilical_assess::Options { show_subscribers, ..options("2026-11-25") });
        serde_json::to_string(&fleet.devices().collect::<Vec<_>>()).unwrap()
    };
    assert!(!shown(false).contains("491701234567") && !shown(false).contains(card), "{}", shown(false));
    assert!(shown(true).contains("491701234567") && shown(true).contains(card));
    // Nor is the id made of one: it could be guessed back.
    let id = Fleet::new(&all, &kb, options("2026-11-25")).devices().next().unwrap().id;
    let of = |kind: &str, value: &str| umbilical_core::id::content_id("dev-", kind, value);
    assert!(id != of("asset-id", card) && id != of("name", "+491701234567"), "{id}");
}
