//! What a bill of materials is answered: every way in which a line can lie, and every way in which a module can hide.

use umbilical_assess::Fleet;
use umbilical_assess::bom::{Options, as_devices, check};
use umbilical_core::answer::bom::{Check, FileAnswer, PartAnswer, State, TierKind};
use umbilical_core::bom::{Alternate, Design, Effectivity, Part, PartKind, Placed};
use umbilical_core::observation::At;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;

fn day() -> Day {
    "2026-11-25".parse().unwrap()
}

fn part(designator: &str, value: &str, mpn: &str, manufacturer: &str) -> Part {
    let cell = |text: &str| (!text.is_empty()).then(|| text.into());
    let designators = if designator.is_empty() { Vec::new() } else { vec![designator.into()] };
    Part { designators, value: cell(value), mpn: cell(mpn), manufacturer: cell(manufacturer), ..Part::default() }
}

fn described(designator: &str, value: &str, description: &str) -> Part {
    Part { description: Some(description.into()), ..part(designator, value, "", "") }
}

fn observed(files: &[(&str, Design, Vec<Part>)]) -> Observations {
    let mut all = Observations::new();
    for (path, design, parts) in files {
        all.begin_input(path, "csv", String::new(), 1);
        all.bom(*design);
        for (n, part) in (2u32..).zip(parts) {
            all.part(*design, Part { at: At::line(n), ..part.clone() });
        }
    }
    all
}

fn answer(files: &[(&str, Design, Vec<Part>)]) -> Check {
    check(observed(files), &Knowledge::embedded(), &Options::on(day()))
}

fn one(parts: Vec<Part>) -> FileAnswer {
    answer(&[("a.csv", Design::List, parts)]).files.remove(0)
}

fn name(part: &PartAnswer) -> (Option<&str>, Option<&str>) {
    let module = part.module.as_deref().unwrap();
    (module.maker.as_deref(), module.model.as_deref())
}

#[test]
fn a_module_is_found_by_value_number_or_maker() {
    for (part, maker, model) in [
        (part("U2", "BC66", "", "Quectel"), "Quectel", "BC66"),
        (part("U2", "", "EC25EFA-512-STD", "Quectel Wireless Solutions"), "Quectel", "EC25-E"),
        (part("U2", "Quectel EG25-G Mini PCIe", "", ""), "Quectel", "EG25-G"),
        (part("U2", "BG95M1LA", "", ""), "Quectel", "BG95-M1"),
        (part("U2", "SIM7600G-H", "", ""), "SIMCom", "SIM7600G-H"),
        (part("U2", "U-BLOX-SARA-U260", "", ""), "u-blox", "SARA-U260"),
        (part("U2", "MODULE_SIM800C", "", ""), "SIMCom", "SIM800C"),
        (part("U2", "", "L610-CN", "广和通"), "Fibocom", "L610-CN"),
        (part("U2", "", "SARA-R410M-02B", "u-blox AG"), "u-blox", "SARA-R410M-02B"),
        (part("U2", "", "ME910C1-E1", "Telit Cinterion"), "Telit", "ME910C1-E1"),
    ] {
        let file = one(vec![part.clone()]);
        assert_eq!(file.state, State::Found, "{part:?}");
        let (found_maker, found_model) = name(&file.parts[0]);
        assert_eq!(found_maker, Some(maker), "{part:?}");
        assert!(found_model.is_some_and(|m| m.starts_with(model) || model.starts_with(m)), "{part:?}: {found_model:?}");
        let module = file.parts[0].module.as_deref().unwrap();
        assert!(module.because.iter().all(|b| b.group == "document" && b.at == "line 2"), "{part:?}");
        assert_ne!(module.confidence_level.name(), "confirmed", "a document alone confirms nothing");
    }
}

#[test]
fn a_maker_goes_by_its_usual_name() {
    for (written, usual) in [
        ("GCT", Some("Global Connector Technology")),
        ("TE", Some("TE Connectivity")),
        ("Tyco Electronics Ltd.", Some("TE Connectivity")),
        ("Infineon Technologies AG", Some("Infineon")),
        ("IR", Some("Infineon")),
        ("Intel Corp.", Some("Intel")),
        // Two letters inside a name are anything.
        ("Acme IR Sensors", None),
    ] {
        let file = one(vec![part("U7", "XYZ123", "", written)]);
        assert_eq!(file.parts[0].maker.as_deref(), usual, "{written}");
    }
}

#[test]
fn what_only_looks_like_a_module_is_none() {
    for part in [
        part("J1", "SIM8060-6-0-14-00-A", "", "Global Connector Technology"),
        part("J1", "USB_BC66", "", ""),
        part("U5", "CH340GSMD", "", "WCH"),
        part("U4", "MAX-M8Q", "MAX-M8Q-0-10", "u-blox"),
        part("SW1", "EG1390", "", ""),
        part("U3", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "", ""),
        part("R1", "EC26", "", "Yageo"),
        part("C1", "A7610", "", ""),
        part("U9", "M95", "M95640-RMN6TP", "STMicroelectronics"),
        part("U1", "level shifter for SIM7600", "", ""),
        described("U3", "LMH2110", "RF Detector IC GSM, EDGE, CDMA"),
        described("U3", "TPS62840", "buck converter for LTE modules"),
    ] {
        let file = one(vec![part.clone()]);
        assert_ne!(file.state, State::Found, "{part:?}: {:?}", file.because);
        assert!(file.parts[0].module.is_none(), "{part:?}");
    }
}

#[test]
fn names_beside_the_placed_value_are_no_evidence() {
    let mut lying = part("J2", "CONN-2X20", "", "");
    lying.properties = vec![
        ("Footprint".into(), "SIM900_SMT".into()),
        ("Library".into(), "quectel:BC66".into()),
        ("Sheet".into(), "SIM7600.kicad_sch".into()),
        ("Net".into(), "EC25_RESET".into()),
    ];
    let check = answer(&[("SIM7600-board/BG95.csv", Design::List, vec![lying])]);
    assert_eq!(check.files[0].state, State::CleanAsDeclared);
}

#[test]
fn what_is_not_placed_is_not_there() {
    let absent = Part { placed: Placed::No("DNP".into()), ..part("U2", "EC25-E", "", "Quectel") };
    let file = one(vec![absent.clone(), part("J1", "SIM card holder", "", "")]);
    assert_eq!(file.state, State::CleanAsDeclared, "its holder is explained by the place that stays empty");
    assert!(file.because[0].contains("not placed"), "{:?}", file.because);
    assert_eq!((file.parts.len(), file.not_placed.len()), (1, 1));
    assert_eq!(file.not_placed[0].kind, PartKind::Module);
    // A carrier has a module of its own.
    let file = one(vec![absent, part("A1", "Boron BRN404X", "", "Particle")]);
    assert_eq!(file.state, State::Undisclosed);
}

#[test]
fn what_tells_of_a_module_that_nobody_names_is_undisclosed_never_clean() {
    for part in [
        part("A1", "Boron", "BRN404X", "Particle"),
        part("A1", "Particle Boron LTE CAT-M1", "", ""),
        part("A1", "Thingy:91", "", "Nordic Semiconductor"),
        part("J1", "SIM card holder", "", "GCT"),
        part("J1", "SIM8060-6-0-14-00-A", "", "Global Connector Technology"),
        part("J3", "Mini PCIe socket", "", ""),
        part("U2", "4G module", "", ""),
        part("U2", "4G模块", "", ""),
        described("AE1", "ANT-1", "LTE antenna, u.FL"),
    ] {
        let file = one(vec![part.clone(), super::bom::part("R1", "10k", "", "")]);
        assert_eq!(file.state, State::Undisclosed, "{part:?}: {:?}", file.parts[0].kind);
        let found = file.findings.iter().find(|f| f.code == "undisclosed-modem").unwrap();
        assert_eq!((found.severity.name(), found.lifecycle, &found.detail["line"]), ("high", "not-patchable", &2.into()));
    }
}

#[test]
fn deleting_the_module_from_a_board_makes_it_undisclosed() {
    let board = vec![part("U2", "SIM7600G-H", "", ""), part("J1", "nano SIM", "", ""), described("AE1", "ANT", "GSM antenna")];
    assert_eq!(one(board.clone()).state, State::Found);
    assert!(one(board.clone()).findings.iter().all(|f| f.code != "undisclosed-modem"), "holder and antenna are explained");
    assert_eq!(one(board[1..].to_vec()).state, State::Undisclosed);
}

#[test]
fn each_alternate_is_judged_and_the_worst_is_named() {
    let other = |mpn: &str, maker: &str| Alternate { mpn: Some(mpn.into()), manufacturer: Some(maker.into()), value: None };
    let line =
        Part { alternates: vec![other("EC25-E", "Quectel"), other("LE910C4-EU", "Telit")], ..part("U2", "", "SARA-R410M-02B", "u-blox") };
    let file = one(vec![line]);
    let part = &file.parts[0];
    assert_eq!(part.alternates.len(), 2);
    assert!(part.alternates.iter().all(|a| a.module.is_some()));
    assert_eq!(part.worst.as_deref(), Some("EC25-E"), "most lists name its owners");
    let found = file.findings.iter().find(|f| f.code == "open-alternates").unwrap();
    assert!(found.because[0].contains("Quectel") && found.because[0].contains("u-blox"), "{:?}", found.because);
    // The first name is no module, an alternate is.
    let line = Part { alternates: vec![other("BG96", "Quectel")], ..super::bom::part("U2", "none", "", "") };
    assert_eq!(one(vec![line]).state, State::Found);
}

#[test]
fn a_module_at_depth_six_is_found_with_its_path() {
    let mut parts: Vec<Part> = (0..6u32).map(|n| Part { parent: n.checked_sub(1), ..part("", &format!("unit {n}"), "", "") }).collect();
    parts.push(Part { parent: Some(5), ..part("U7", "", "EC21-E", "Quectel") });
    let file = one(parts);
    assert_eq!(file.state, State::Found);
    let module = file.parts.iter().find(|p| p.kind == PartKind::Module).unwrap();
    assert_eq!(module.path.join(" > "), "unit 0 > unit 1 > unit 2 > unit 3 > unit 4 > unit 5");
}

#[test]
fn tiers_are_shown_and_a_missing_one_is_a_gap() {
    let module = part("U2", "", "EC25-E", "Quectel");
    let inside = |role: &str, value: &str, maker: &str| Part { parent: Some(0), role: Some(role.into()), ..part("", value, "", maker) };
    let file = one(vec![module, inside("firmware", "EC25EFAR06A08M4G", "Quectel"), inside("device", "W25N01GV", "Winbond")]);
    let tiers = &file.parts[0].tiers;
    let of = |kind: TierKind| tiers.iter().find(|t| t.tier == kind).unwrap();
    assert_eq!(tiers.len(), 6);
    assert_eq!(of(TierKind::Module).name.as_deref(), Some("Quectel"));
    assert_eq!(of(TierKind::Firmware).name.as_deref(), Some("Quectel"));
    assert!(of(TierKind::Module).jurisdictions.iter().any(|j| j.country == "CN"));
    let gap = of(TierKind::Odm);
    assert_eq!((gap.name.as_deref(), gap.confidence, gap.basis), (None, 0.0, None));
    assert!(gap.because.contains("ask"));
    assert!(file.findings.iter().any(|f| f.code == "missing-tier"));
}

#[test]
fn as_built_is_not_as_designed() {
    let until = Effectivity { serial_to: Some("GW-099".into()), ..Effectivity::default() };
    let from = Effectivity { serial_from: Some("GW-100".into()), ..Effectivity::default() };
    let parts = vec![
        Part { effective: until, ..part("U2", "SARA-R410M-02B", "", "u-blox") },
        Part { effective: from, ..part("U2", "EC21-E", "", "Quectel") },
    ];
    let built = |serial: Option<&str>| {
        let options = Options { serial: serial.map(str::to_owned), ..Options::on(day()) };
        let file = check(observed(&[("a.csv", Design::List, parts.clone())]), &Knowledge::embedded(), &options).files.remove(0);
        let makers: Vec<String> = file.parts.iter().filter_map(|p| name(p).0.map(str::to_owned)).collect();
        makers.join(" ")
    };
    assert_eq!(built(None), "u-blox Quectel");
    assert_eq!(built(Some("GW-42")), "u-blox");
    assert_eq!(built(Some("GW-1000")), "Quectel");
}

#[test]
fn a_sheet_without_a_module_is_no_clean_product() {
    let module = ("gw/modem.kicad_sch", Design::Schematic, vec![part("U2", "BG95-M3", "", "Quectel")]);
    let power = ("gw/power.kicad_sch", Design::Schematic, vec![part("U1", "TPS62840", "", "TI")]);
    let list = ("gw/bom/bom.csv", Design::List, vec![part("U1", "TPS62840", "", "TI")]);
    let check = answer(&[power.clone(), module.clone(), list]);
    assert_eq!(check.projects.len(), 1);
    assert_eq!((check.projects[0].path.as_str(), check.projects[0].state), ("gw", State::Found));
    assert_eq!(check.files[0].state, State::CleanAsDeclared);
    // Nor is a sheet with the holder of the module's SIM: the module on the next sheet explains it, a carrier it does not.
    let card = ("gw/card.kicad_sch", Design::Schematic, vec![part("J1", "nano SIM", "", "")]);
    let board = ("gw/board.kicad_sch", Design::Schematic, vec![part("A1", "Boron", "", "Particle")]);
    let hidden = |check: &Check| check.findings().filter(|f| f.code == "undisclosed-modem").count();
    let explained = answer(&[card.clone(), module.clone()]);
    assert_eq!((explained.projects[0].state, hidden(&explained), explained.hides_module()), (State::Found, 0, false));
    let carried = answer(&[card.clone(), module.clone(), board]);
    assert_eq!((carried.projects[0].state, hidden(&carried), carried.hides_module()), (State::Found, 1, true));
    let absent = Part { placed: Placed::No("DNP".into()), ..part("U2", "EC25-E", "", "Quectel") };
    let empty = answer(&[card.clone(), ("gw/modem.kicad_sch", Design::Schematic, vec![absent])]);
    assert_eq!((empty.projects[0].state, hidden(&empty)), (State::CleanAsDeclared, 0));
    let alone = answer(&[card, power.clone()]);
    assert_eq!((alone.projects[0].state, hidden(&alone)), (State::Undisclosed, 1));
    // Two products beside each other stay two.
    let check = answer(&[module, ("meter/main.kicad_sch", Design::Schematic, power.2)]);
    let states: Vec<(&str, State)> = check.projects.iter().map(|p| (p.path.as_str(), p.state)).collect();
    assert_eq!(states, [("gw/modem.kicad_sch", State::Found), ("meter/main.kicad_sch", State::CleanAsDeclared)]);
}

#[test]
fn lists_without_drawings_are_products_of_their_own() {
    let hidden = ("offers/a.csv", Design::List, vec![part("A1", "Boron", "", "Particle")]);
    let named = ("offers/b.csv", Design::List, vec![part("U2", "EC25-E", "", "Quectel")]);
    let states: Vec<State> = answer(&[hidden, named]).projects.iter().map(|p| p.state).collect();
    assert_eq!(states, [State::Undisclosed, State::Found]);
}

#[test]
fn documents_of_one_product_that_disagree_say_so() {
    let old = ("phone/autosave.kicad_sch", Design::Schematic, vec![part("U1", "SIM7080G", "", "")]);
    let new = ("phone/cellular.kicad_sch", Design::Schematic, vec![part("U1", "EC25-E", "", "")]);
    let check = answer(&[old, new]);
    let found = check.projects[0].findings.iter().find(|f| f.code == "documents-disagree").unwrap();
    assert!(
        found.because.iter().any(|b| b.contains("SIM7080G")) && found.because.iter().any(|b| b.contains("EC25")),
        "{:?}",
        found.because
    );
}

#[test]
fn a_bill_of_materials_is_a_device_of_an_audit() {
    let kb = Knowledge::embedded();
    let mut all = observed(&[
        ("gw.csv", Design::List, vec![part("U2", "", "EC25-E", "Quectel")]),
        ("tracker.csv", Design::List, vec![part("A1", "Boron BRN404X", "", "Particle")]),
        ("lamp.csv", Design::List, vec![part("U1", "TPS62840", "", "TI")]),
    ]);
    assert_eq!(as_devices(&mut all, &kb, &Options::on(day())), 3);
    let fleet = Fleet::new(&all, &kb, super::options("2026-11-25"));
    let audit = fleet.audit();
    assert_eq!(audit.coverage.undisclosed, Some(1));
    let devices: Vec<_> = fleet.devices().collect();
    let named = |n: &str| devices.iter().find(|d| d.names.iter().any(|x| x.contains(n))).unwrap();
    let gw = named("gw.csv");
    assert_eq!((gw.cellular.name(), gw.modules[0].maker.as_deref()), ("yes", Some("Quectel")));
    assert_eq!(gw.modules[0].because[0].at, "line 2");
    let tracker = named("tracker.csv");
    assert!(tracker.modules.is_empty() && tracker.findings.iter().any(|f| f.code == "undisclosed-modem"), "{tracker:?}");
}

#[test]
fn modules_of_several_documents_of_one_product_are_all_recorded() {
    let kb = Knowledge::embedded();
    let mut all = observed(&[
        ("tracker/main.kicad_sch", Design::Schematic, vec![part("U1", "EC25-E", "", "Quectel")]),
        ("tracker/power.kicad_sch", Design::Schematic, vec![part("U2", "TPS62840", "", "TI")]),
        ("tracker/radio.kicad_sch", Design::Schematic, vec![part("U3", "R1", "", ""), part("U4", "SARA-R410M-02B", "", "u-blox")]),
        ("tracker/bom.csv", Design::List, vec![part("U1", "", "EC25EFA-512-STD", "Quectel")]),
    ]);
    assert_eq!(as_devices(&mut all, &kb, &Options::on(day())), 1);
    let fleet = Fleet::new(&all, &kb, super::options("2026-11-25"));
    let devices: Vec<_> = fleet.devices().collect();
    let [device] = devices.as_slice() else { panic!("{devices:?}") };
    let mut modules: Vec<_> = device.modules.iter().map(|m| (m.maker.as_deref(), m.model.as_deref().unwrap_or_default())).collect();
    modules.sort();
    assert_eq!(modules.len(), 2, "{modules:?}");
    assert!(
        modules[0] == (Some("Quectel"), "EC25-E") && modules[1].0 == Some("u-blox") && modules[1].1.starts_with("SARA-R410M"),
        "{modules:?}"
    );
    // Each word stands at its own document.
    let places = |maker: &str| {
        let of = device.modules.iter().filter(|m| m.maker.as_deref() == Some(maker)).flat_map(|m| &m.because);
        of.map(|b| all.inputs[b.input as usize].path.as_str()).collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(places("Quectel"), ["tracker/bom.csv", "tracker/main.kicad_sch"]);
    assert_eq!(places("u-blox"), ["tracker/radio.kicad_sch"]);
}

#[test]
fn the_same_tests_for_every_maker() {
    // The answer depends on what is known of a maker, never on the order of the lines.
    let lines = vec![part("U2", "", "EC25-E", "Quectel"), part("U3", "", "LE910C4-EU", "Telit"), part("J1", "nano SIM", "", "")];
    let mut turned = lines.clone();
    turned.reverse();
    let key = |f: FileAnswer| {
        let mut all: Vec<_> = f.parts.iter().map(|p| (p.kind, p.part.mpn.clone(), p.tiers.len(), p.ownership.len())).collect();
        all.sort();
        (f.state, all)
    };
    assert_eq!(key(one(lines)), key(one(turned)));
}
