use umbilical_core::answer::{Cellular, Device, Level};
use umbilical_core::weight::ConfidenceLevel;
use umbilical_core::{Group, IdKind, Kind};

use super::{Thing, devices, own_word};

/// maker, model, level of the one module.
fn module(device: &Device) -> (Option<&str>, Option<&str>, Level) {
    assert_eq!(device.modules.len(), 1, "{device:#?}");
    let m = &device.modules[0];
    (m.maker.as_deref(), m.model.as_deref(), m.level)
}

#[test]
fn a_revision_names_maker_and_model_and_alone_never_confirms() {
    let device = own_word(&[(1, Kind::FirmwareRevision, "EG25GGBR07A08M2G")]);
    let (maker, model, _) = module(&device);
    assert_eq!((maker, model), (Some("Quectel"), Some("EG25-G")));
    assert_eq!(device.modules[0].confidence_level, ConfidenceLevel::Probable);
    assert_eq!(device.cellular, Cellular::Yes);
}

#[test]
fn an_id_shared_by_models_gives_the_maker_and_no_model() {
    let device = own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "2c7c:0125")]);
    let (maker, model, level) = module(&device);
    assert_eq!((maker, model), (Some("Quectel"), None));
    assert!(level >= Level::Family);
    assert!(device.next_evidence.iter().any(|e| e.contains("AT+CGMR")));
}

#[test]
fn a_chips_default_id_names_nobody_alone() {
    let device = own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "05c6:90d5")]);
    assert!(device.modules.iter().all(|m| m.maker.is_none()), "{:#?}", device.modules);
    let with =
        own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "05c6:90d5"), (1, Kind::FirmwareRevision, "T99W175.F0.6.0.0.6.GC.004")]);
    assert_eq!(module(&with).0, Some("Foxconn"));
    assert_eq!(module(&with).1, Some("T99W175"));
}

#[test]
fn the_chip_vendor_in_the_manufacturer_field_is_not_the_maker() {
    let device = own_word(&[(1, Kind::Manufacturer, "QUALCOMM INCORPORATED"), (1, Kind::Model, "0"), (1, Kind::Plugin, "cinterion")]);
    assert_eq!(module(&device).0, Some("Cinterion"));
    let marvell = own_word(&[(1, Kind::Manufacturer, "Marvell"), (1, Kind::Model, "DM4000")]);
    assert!(marvell.modules.is_empty(), "{:#?}", marvell.modules);
}

#[test]
fn a_rebrand_keeps_brand_and_maker_apart_without_a_conflict() {
    let device = own_word(&[
        (1, Kind::UsbManufacturer, "Telit"),
        (1, Kind::UsbProduct, "Telit LN940 Mobile Broadband"),
        (2, Kind::Manufacturer, "QUALCOMM INCORPORATED"),
        (2, Kind::FirmwareRevision, "T77W676.F0.0.0.4.7.GC.017  1  [Jul 11 2018 00:00:00]"),
    ]);
    assert_eq!(device.modules.len(), 1);
    let m = &device.modules[0];
    assert_eq!(
        (m.brand.as_deref(), m.maker.as_deref(), m.model.as_deref(), m.sold_as.as_deref()),
        (Some("Telit"), Some("Foxconn"), Some("T77W676"), Some("LN940"))
    );
    assert!(m.conflicts.is_empty(), "{:#?}", m.conflicts);
    assert!(device.findings.iter().any(|f| f.code == "rebranded"));
}

#[test]
fn a_usb_id_that_contradicts_the_revision_is_a_finding() {
    let device = own_word(&[
        (1, Kind::BusPath, "usb:1-1"),
        (1, Kind::UsbId, "0bdb:1926"),
        (2, Kind::FirmwareRevision, "EC20CEFAR02A09M4G"),
        (2, Kind::AtLine, "+QCFG=\"usbid\",3035,6438"),
    ]);
    let m = &device.modules[0];
    assert_eq!(m.maker.as_deref(), Some("Quectel"));
    assert!(m.conflicts.iter().any(|c| c.values.iter().any(|v| v == "Ericsson")), "{:#?}", m.conflicts);
    let codes: Vec<&str> = device.findings.iter().map(|f| &*f.code).collect();
    assert!(codes.contains(&"identity-conflict") && codes.contains(&"usb-id-reprogrammed"), "{codes:?}");
}

#[test]
fn the_network_and_the_module_together_confirm() {
    let number = umbilical_core::number::Imei::canonical("86019505000001");
    let facts = [(1, Kind::FirmwareRevision, "EG25GGBR07A08M2G", Group::OwnWord), (1, Kind::Tac, number.as_str(), Group::OwnWord)];
    let own = Thing { ids: &[], facts: &facts };
    let sim = Thing { ids: &[(IdKind::Imei, number.as_str())], facts: &[] };
    let found = devices(&[own, sim]);
    assert_eq!(found.len(), 1, "joined on the IMEI");
    assert_eq!(found[0].modules[0].confidence_level, ConfidenceLevel::Confirmed, "{:#?}", found[0].modules[0].claims);
}

#[test]
fn dongles_receivers_and_wifi_are_not_modules() {
    let gnss = own_word(&[
        (1, Kind::BusPath, "usb:1-1"),
        (1, Kind::UsbId, "1546:01a8"),
        (1, Kind::BusName, "U-Blox AG [u-blox 8]"),
        (2, Kind::BusPath, "usb:1-2"),
        (2, Kind::UsbId, "046d:c31c"),
    ]);
    assert!(gnss.modules.is_empty() && gnss.cellular != Cellular::Yes, "{gnss:#?}");
    let wifi = own_word(&[(0, Kind::Text, "Quectel FCU760K Wi-Fi and Bluetooth"), (0, Kind::FccId, "XMR2023FCU760K")]);
    assert!(wifi.modules.is_empty() && wifi.cellular != Cellular::Yes, "{wifi:#?}");
}

#[test]
fn two_modems_of_one_router_are_two_modules() {
    let device = own_word(&[
        (1, Kind::BusPath, "usb:1-1"),
        (1, Kind::UsbId, "2c7c:0800"),
        (1, Kind::FirmwareRevision, "RM500QGLABR11A06M4G"),
        (2, Kind::BusPath, "usb:1-2"),
        (2, Kind::UsbId, "1199:9091"),
        (2, Kind::FirmwareRevision, "SWI9X50C_01.14.02.00"),
    ]);
    let makers: Vec<_> = device.modules.iter().map(|m| m.maker.as_deref()).collect();
    assert_eq!(device.modules.len(), 2, "{makers:?}");
    assert!(makers.contains(&Some("Quectel")) && makers.contains(&Some("Sierra Wireless")));
}

#[test]
fn two_modems_in_one_answer_are_two_modules_and_two_sayings_of_one_are_one() {
    let two = own_word(&[
        (1, Kind::Model, "EC25"),
        (1, Kind::Manufacturer, "Quectel"),
        (2, Kind::Model, "MC7455"),
        (2, Kind::Manufacturer, "Sierra Wireless, Incorporated"),
    ]);
    assert_eq!(two.modules.len(), 2, "{:#?}", two.modules);
    let one = own_word(&[(1, Kind::Model, "EC25"), (1, Kind::Manufacturer, "Quectel"), (2, Kind::FirmwareRevision, "EC25EFAR06A11M4G")]);
    assert_eq!(one.modules.len(), 1, "{:#?}", one.modules);
}

#[test]
fn nothing_known_is_unknown_with_what_to_collect() {
    let device = own_word(&[(0, Kind::HostMaker, "Acme"), (0, Kind::HostModel, "Pump controller 7")]);
    assert_eq!(device.cellular, Cellular::Unknown);
    assert!(!device.next_evidence.is_empty());
}

#[test]
fn a_phone_with_a_modules_imei_is_a_phone_with_a_finding() {
    // The TAC of a Sierra Wireless WP7702, on file as learned.
    let number = umbilical_core::number::Imei::canonical("35265309123456");
    let device = own_word(&[(1, Kind::Manufacturer, "SAMSUNG ELECTRONICS"), (1, Kind::Model, "SM-G960F"), (1, Kind::Tac, number.as_str())]);
    assert!(device.modules.is_empty(), "{:#?}", device.modules);
    let product = device.product.as_ref().unwrap();
    assert_eq!((product.kind, product.brand.as_deref()), ("handset", Some("Samsung")));
    assert!(device.findings.iter().any(|f| f.code == "tac-mismatch"));
}

#[test]
fn a_foreign_imei_lends_no_model_to_the_maker_that_answers() {
    // The TAC of a u-blox SARA-R410M.
    let number = umbilical_core::number::Imei::canonical("35275309004168");
    let device = own_word(&[(1, Kind::Manufacturer, "Fibocom"), (1, Kind::Model, "XYZ-1"), (1, Kind::Tac, number.as_str())]);
    let (maker, model, _) = module(&device);
    assert_eq!((maker, model), (Some("Fibocom"), Some("XYZ-1")));
    assert_eq!(device.modules[0].family, None);
    assert!(device.findings.iter().any(|f| f.code == "tac-mismatch"));
}

#[test]
fn what_modules_say_of_themselves_confirms_no_sibling() {
    let numbers: Vec<String> = (1..=20).map(|n| umbilical_core::number::Imei::canonical(&format!("999999070000{n:02}"))).collect();
    let facts: Vec<Vec<(u16, Kind, &str, Group)>> = numbers
        .iter()
        .map(|i| vec![(1, Kind::FirmwareRevision, "RM520NGLAAR01A08M4G", Group::OwnWord), (1, Kind::Tac, i.as_str(), Group::OwnWord)])
        .collect();
    let ids: Vec<[(IdKind, &str); 1]> = numbers.iter().map(|i| [(IdKind::Imei, i.as_str())]).collect();
    let mut things: Vec<Thing<'_>> = facts.iter().map(|f| Thing { ids: &[], facts: f }).collect();
    things.extend(ids.iter().map(|i| Thing { ids: i, facts: &[] }));
    let found = devices(&things);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|d| d.modules[0].confidence_level != ConfidenceLevel::Confirmed), "{:#?}", found[0].modules[0].claims);
}
