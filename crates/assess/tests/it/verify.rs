//! Declared against observed, on values made by hand: documents as `check` answers them, devices as the fleet does.

use std::sync::Arc;

use umbilical_assess::verify::{Ask, Extra, Options, verify};
use umbilical_core::air::{Heard, Piece, RadioKind, Sweep, SweepCell};
use umbilical_core::answer::bom::{AlternateAnswer, CHECK_SCHEMA, Check, FileAnswer, PartAnswer, Project, Rest, State};
use umbilical_core::answer::verify::{Outcome, Row, Verify};
use umbilical_core::answer::{Device, KnowledgeStamp, Level, Module};
use umbilical_core::bom::{Alternate, Design, Part, PartKind, Product};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::observation::Input;
use umbilical_core::{At, Group, IdKind, Kind, Observations};
use umbilical_knowledge::Knowledge;

use super::{Thing, devices, own_word};

const DAY: &str = "2026-11-25";

fn options() -> Options<'static> {
    Options {
        as_of: DAY.parse().unwrap(),
        named: false,
        near: None,
        over_db: 10,
        ask: Ask { bad_percent: 5.0, confidence_percent: 95.0, seed: None },
    }
}

/// A module as a document names it.
fn module(maker: &str, model: &str) -> Arc<Module> {
    let facts = [(1, Kind::DeclaredMaker, maker, Group::Document), (1, Kind::DeclaredModel, model, Group::Document)];
    let mut found = devices(&[Thing { ids: &[], facts: &facts }]);
    Arc::new(found.remove(0).modules.remove(0))
}

fn part(line: u32, kind: PartKind, designator: &str, value: &str) -> PartAnswer {
    PartAnswer {
        index: line,
        at: format!("line {line}"),
        line: Some(line),
        part: Part {
            at: At::line(line),
            designators: if designator.is_empty() { vec![] } else { vec![designator.into()] },
            value: Some(value.into()),
            ..Part::default()
        },
        path: Arc::new([]),
        kind,
        known_by: Arc::from("test"),
        maker: None,
        ownership: Arc::new([]),
        module: None,
        tiers: vec![],
        alternates: vec![],
        worst: None,
    }
}

fn named(line: u32, designator: &str, maker: &str, model: &str) -> PartAnswer {
    PartAnswer { maker: Some(Arc::from(maker)), module: Some(module(maker, model)), ..part(line, PartKind::Module, designator, model) }
}

fn alternate(maker: &str, model: &str) -> AlternateAnswer {
    AlternateAnswer {
        part: Alternate { value: Some(model.into()), mpn: None, manufacturer: Some(maker.into()) },
        kind: PartKind::Module,
        maker: Some(Arc::from(maker)),
        module: Some(module(maker, model)),
    }
}

/// A product declared in these documents.
fn check(files: Vec<Vec<PartAnswer>>) -> Check {
    let state = if files.iter().flatten().any(|p| p.kind == PartKind::Module) {
        State::Found
    } else if files.iter().flatten().any(|p| p.kind.is_tell()) {
        State::Undisclosed
    } else {
        State::CleanAsDeclared
    };
    let input = |n: usize| Input {
        path: format!("bom{n}.csv"),
        format: "csv".into(),
        sha256: format!("{n:064}"),
        observations: 1,
        bytes: 1,
        mapping: vec![],
    };
    let count = files.len();
    Check {
        law: None,
        schema: CHECK_SCHEMA,
        as_of: DAY.into(),
        knowledge: KnowledgeStamp { version: String::new(), sources_to: String::new(), absent: vec![] },
        inputs: (0..count).map(input).collect(),
        problems: vec![],
        files: (0u32..)
            .zip(files)
            .map(|(n, parts)| FileAnswer {
                input: n,
                path: format!("bom{n}.csv"),
                format: "csv".into(),
                design: Design::List,
                product: Product::default(),
                state,
                because: vec![],
                parts,
                not_placed: vec![],
                completeness: None,
                signed: None,
                findings: vec![],
                rest: Rest::default(),
            })
            .collect(),
        projects: vec![Project { path: "bom".into(), files: (0u32..).take(count).collect(), state, because: vec![], findings: vec![] }],
        organisations: vec![],
    }
}

fn run(declared: &Check, observed: Vec<Device>) -> Verify {
    verify(Some(declared), observed.into_iter(), Extra::default(), &Knowledge::embedded(), &options())
}

fn outcomes(answer: &Verify) -> Vec<Outcome> {
    answer.rows.iter().map(|r| r.result).collect()
}

fn codes(answer: &Verify) -> Vec<&str> {
    answer.findings.iter().map(|f| &*f.code).collect()
}

/// A row and its finding hold both lines.
fn both_lines(answer: &Verify, row: &Row, code: &str) -> Finding {
    let declared = row.because.iter().find(|b| b.group == "document" && b.input == 0).expect("a declared line");
    let observed = row.because.iter().find(|b| b.input >= 1).expect("an observed line");
    let finding = answer.findings.iter().find(|f| f.code == code).expect("a finding").clone();
    let text = finding.because.join("\n");
    assert!(text.contains("bom0.csv") && text.contains(&declared.at) && text.contains(&observed.value), "{text}");
    finding
}

fn revision(text: &str) -> Device {
    own_word(&[(1, Kind::FirmwareRevision, text)])
}

#[test]
fn the_same_model_matches_and_says_at_which_level() {
    let answer = run(&check(vec![vec![named(47, "U5", "Quectel", "EG25-G")]]), vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!(outcomes(&answer), [Outcome::Match]);
    let row = &answer.rows[0];
    assert!(matches!(row.level, Some(Level::Model | Level::Variant)), "{row:?}");
    assert_eq!((row.designators.as_slice(), row.device.as_ref()), (&["U5".to_owned()][..], Some(&answer.devices[0].device)));
    assert!(row.sentence.contains("bom0.csv, line 47"), "{}", row.sentence);
    assert!(!codes(&answer).contains(&"substituted-module"));
}

#[test]
fn a_family_or_an_open_build_matches_its_models() {
    for (maker, declared, seen) in [("u-blox", "SARA-R4", "SARA-R410M-02B"), ("Quectel", "EC25", "EC25-EU"), ("Quectel", "EC25-E", "EC25")]
    {
        let device = own_word(&[(1, Kind::Manufacturer, maker), (1, Kind::Model, seen)]);
        let answer = run(&check(vec![vec![named(1, "U1", maker, declared)]]), vec![device]);
        assert_eq!(outcomes(&answer), [Outcome::Match], "{declared} {seen}: {}", answer.rows[0].sentence);
        assert_eq!(answer.rows[0].level, Some(Level::Family), "{declared} {seen}: {}", answer.rows[0].sentence);
        assert!(answer.rows[0].sentence.contains("leaves the build open"), "{}", answer.rows[0].sentence);
    }
}

#[test]
fn another_maker_is_a_substitution_with_both_lines() {
    let seen = own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "2c7c:0296")]);
    let answer = run(&check(vec![vec![named(12, "U3", "u-blox", "SARA-R410M")]]), vec![seen]);
    assert_eq!(outcomes(&answer), [Outcome::Substituted], "{}", answer.rows[0].sentence);
    assert_eq!(answer.rows[0].differs, Some(Level::Maker));
    let finding = both_lines(&answer, &answer.rows[0], "substituted-module");
    assert_eq!((finding.severity, finding.lifecycle), (Severity::Critical, "not-patchable"));
    assert_eq!(finding.detail["file"], "bom0.csv");
    assert_eq!(finding.detail["line"], 12);
}

#[test]
fn another_build_of_the_family_is_a_smaller_matter() {
    let seen = own_word(&[(1, Kind::Manufacturer, "SIMCom"), (1, Kind::Model, "SIM7600E-H")]);
    let answer = run(&check(vec![vec![named(1, "U1", "SIMCom", "SIM7600G-H")]]), vec![seen]);
    assert_eq!(outcomes(&answer), [Outcome::Substituted], "{}", answer.rows[0].sentence);
    assert_eq!(answer.rows[0].differs, Some(Level::Variant));
    assert_eq!(both_lines(&answer, &answer.rows[0], "substituted-module").severity, Severity::Medium);
}

#[test]
fn one_of_several_alternates_matches_and_is_named() {
    let mut line = named(3, "U2", "u-blox", "SARA-G350");
    line.alternates = vec![alternate("u-blox", "SARA-U260"), alternate("Quectel", "EG25-G")];
    let answer = run(&check(vec![vec![line]]), vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!(outcomes(&answer), [Outcome::Match]);
    assert!(answer.rows[0].sentence.contains("the alternate Quectel EG25-G"), "{}", answer.rows[0].sentence);
}

#[test]
fn a_line_that_names_nothing_is_filled() {
    let answer = run(&check(vec![vec![part(9, PartKind::Slot, "J4", "4G module")]]), vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!((outcomes(&answer), answer.rows[0].level), (vec![Outcome::Match], Some(Level::Cellular)));
    assert!(answer.rows[0].sentence.contains("leaves open which module"), "{}", answer.rows[0].sentence);
}

#[test]
fn one_module_under_two_names_is_a_rebrand() {
    let seen = own_word(&[(1, Kind::Manufacturer, "Sierra Wireless, Incorporated"), (1, Kind::Model, "EM7455")]);
    let answer = run(&check(vec![vec![named(1, "", "Dell", "DW5811e")]]), vec![seen]);
    assert_eq!(outcomes(&answer), [Outcome::Rebrand], "{}", answer.rows[0].sentence);
    both_lines(&answer, &answer.rows[0], "rebranded");
    assert!(!codes(&answer).contains(&"substituted-module"));
}

#[test]
fn what_no_document_declares_is_undeclared() {
    let answer = run(&check(vec![vec![part(1, PartKind::Memory, "U1", "W25Q128")]]), vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!(outcomes(&answer), [Outcome::Undeclared]);
    assert!(answer.rows[0].declared.is_none() && answer.rows[0].observed.is_some());
    let finding = answer.findings.iter().find(|f| f.code == "undeclared-module").unwrap();
    assert!(finding.because.iter().any(|b| b.starts_with("observed:") && b.contains("EG25GGBR07A08M2G")), "{finding:?}");
}

#[test]
fn what_is_not_seen_says_what_would_show_it() {
    let host = own_word(&[(1, Kind::NotCellular, "no modem found")]);
    let answer = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G")]]), vec![host]);
    assert_eq!(outcomes(&answer), [Outcome::NotSeen]);
    assert!(!answer.rows[0].collect.is_empty() && answer.rows[0].sentence.contains("switched off"), "{}", answer.rows[0].sentence);
    let finding = both_lines(&answer, &answer.rows[0], "module-not-seen");
    assert_eq!(finding.severity, Severity::Low);
    // Nothing observed at all.
    let answer = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G")]]), vec![]);
    assert_eq!((outcomes(&answer), answer.rows[0].device.as_ref()), (vec![Outcome::NotSeen], None));
    assert_eq!(codes(&answer), ["module-not-seen"]);
}

#[test]
fn a_hint_accuses_nobody() {
    // A chip's default id: a modem, nobody's.
    let seen = own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "05c6:90d5")]);
    let answer = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G")]]), vec![seen]);
    assert_eq!(outcomes(&answer), [Outcome::NotSeen], "{:?}", answer.rows);
    assert!(answer.rows[0].sentence.contains("Unknown: collect"), "{}", answer.rows[0].sentence);
}

#[test]
fn two_modems_are_assigned_so_that_most_match() {
    let seen = own_word(&[
        (1, Kind::BusPath, "usb:1-1"),
        (1, Kind::FirmwareRevision, "EG25GGBR07A08M2G"),
        (2, Kind::BusPath, "usb:1-2"),
        (2, Kind::Manufacturer, "SIMCom"),
        (2, Kind::Model, "SIM7600G-H"),
    ]);
    assert_eq!(seen.modules.len(), 2, "{seen:#?}");
    let declared = check(vec![vec![part(1, PartKind::Slot, "J1", "LTE module"), named(2, "U2", "Quectel", "EG25-G")]]);
    let answer = run(&declared, vec![seen.clone()]);
    assert_eq!(outcomes(&answer), [Outcome::Match, Outcome::Match], "{:#?}", answer.rows);
    let one = run(&check(vec![vec![named(2, "U2", "Quectel", "EG25-G")]]), vec![seen]);
    assert_eq!(outcomes(&one), [Outcome::Undeclared, Outcome::Match]);
}

#[test]
fn an_open_place_hides_no_substitution() {
    let seen = own_word(&[(1, Kind::BusPath, "usb:1-1"), (1, Kind::UsbId, "2c7c:0296")]);
    let declared = check(vec![vec![named(2, "U3", "u-blox", "SARA-R410M"), part(3, PartKind::Slot, "J4", "Mini PCIe")]]);
    let answer = run(&declared, vec![seen]);
    assert_eq!(outcomes(&answer), [Outcome::Substituted, Outcome::NotSeen]);
    assert!(answer.rows[0].sentence.contains("J4, bom0.csv, line 3 leaves its module open"), "{}", answer.rows[0].sentence);
    assert!(answer.rows[0].confidence < 0.5 && answer.rows[1].sentence.contains("may be empty"));
    // A socket that may stay empty is no module that is missing.
    assert!(!codes(&answer).contains(&"module-not-seen"));
}

#[test]
fn of_several_devices_none_is_taken_for_the_product() {
    let declared = check(vec![vec![named(5, "U1", "u-blox", "SARA-R410M")]]);
    let one = |asset| Thing { ids: asset, facts: &[(1, Kind::FirmwareRevision, "EG25GGBR07A08M2G", Group::OwnWord)] };
    let answer = run(&declared, devices(&[one(&[(IdKind::AssetId, "A-1")]), one(&[(IdKind::AssetId, "A-2")])]));
    assert_eq!(outcomes(&answer), [Outcome::Substituted; 2]);
    assert!(
        answer.findings.iter().filter(|f| f.code == "substituted-module").all(|f| f.severity == Severity::Medium && f.confidence <= 0.5)
    );
    assert!(answer.limits.iter().any(|l| l.starts_with("of 2 device(s)")), "{:?}", answer.limits);
}

#[test]
fn documents_of_one_product_are_one_declaration() {
    let declared = check(vec![
        vec![named(5, "U1", "Quectel", "EG25-G")],
        vec![named(40, "U1", "Quectel", "EG25-G"), part(41, PartKind::Sim, "J9", "SIM holder")],
        vec![part(7, PartKind::Slot, "U1", "4G module")],
    ]);
    let answer = run(&declared, vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!(outcomes(&answer), [Outcome::Match], "{:#?}", answer.rows);
    assert_eq!(answer.rows[0].declared.as_ref().unwrap().also, ["bom1.csv, line 40", "bom2.csv, line 7"]);
    assert_eq!(answer.declared.as_ref().unwrap().tells.len(), 1);
}

#[test]
fn a_module_on_a_carrier_is_one_place() {
    let mut inner = named(2, "", "Quectel", "EG25-G");
    inner.part.parent = Some(1);
    let answer = run(&check(vec![vec![part(1, PartKind::Carrier, "A1", "Some carrier board"), inner]]), vec![revision("EG25GGBR07A08M2G")]);
    assert_eq!(outcomes(&answer), [Outcome::Match]);
}

#[test]
fn another_product_is_compared_and_said_to_be_one() {
    let mut declared = check(vec![vec![named(5, "U1", "u-blox", "SARA-R410M")]]);
    declared.files[0].product = Product { brand: Some("Teltonika".into()), model: Some("RUT955".into()), ..Product::default() };
    let facts = [
        (0, Kind::HostMaker, "Cradlepoint", Group::Document),
        (0, Kind::HostModel, "IBR900", Group::Document),
        (1, Kind::FirmwareRevision, "EG25GGBR07A08M2G", Group::OwnWord),
    ];
    let device = devices(&[Thing { ids: &[(IdKind::AssetId, "A-1")], facts: &facts }]);
    let answer = run(&declared, device);
    assert!(answer.devices[0].notes.iter().any(|n| n.contains("IBR900") && n.contains("RUT955")), "{:?}", answer.devices);
    let finding = answer.findings.iter().find(|f| f.code == "substituted-module").unwrap();
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.confidence <= 0.5);
}

#[test]
fn radios_by_design_are_declared_or_found() {
    let seen = || revision("EG25GGBR07A08M2G");
    let answer = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G")]]), vec![seen()]);
    let radio = &answer.radios[0];
    assert_eq!((radio.radio, radio.witness, radio.declared.as_ref()), (RadioKind::Gnss, "catalogue", None));
    let finding = answer.findings.iter().find(|f| f.code == "undeclared-radio").unwrap();
    assert!(
        finding.because.iter().any(|b| b.contains("EG25GGBR07A08M2G")) && finding.because.iter().any(|b| b.contains("bom0.csv")),
        "{finding:?}"
    );
    // Declared by a line of its own, or by the words of the module's line; not by a capacitor's.
    let mut worded = named(5, "U1", "Quectel", "EG25-G");
    worded.part.description = Some("LTE Cat 4 module with GNSS".into());
    for parts in [vec![named(5, "U1", "Quectel", "EG25-G"), part(6, PartKind::Gnss, "U7", "MAX-M8Q")], vec![worded]] {
        let answer = run(&check(vec![parts]), vec![seen()]);
        assert!(answer.radios[0].declared.is_some() && !codes(&answer).contains(&"undeclared-radio"), "{:?}", answer.radios);
    }
    let mut capacitor = part(6, PartKind::Other, "C1", "100n");
    capacitor.part.description = Some("decoupling GPS".into());
    let answer = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G"), capacitor]]), vec![seen()]);
    assert!(codes(&answer).contains(&"undeclared-radio"));
}

fn heard(address: &str, dbm: i32) -> Heard {
    Heard {
        input: 0,
        at: At::line(3),
        kind: RadioKind::Wifi,
        address: address.into(),
        name: Some("setup".into()),
        role: Some("access point".into()),
        maker: None,
        dbm: Some(dbm),
        first: None,
        last: None,
    }
}

fn surveyed(list: Vec<Heard>, sweeps: Vec<Sweep>) -> Observations {
    let mut all = Observations::new();
    all.begin_input("air.csv", "test", "0".repeat(64), 1);
    all.heard = list;
    all.sweeps = sweeps;
    all
}

#[test]
fn a_heard_radio_belongs_by_address_or_by_signal() {
    let device = devices(&[Thing {
        ids: &[(IdKind::Mac, "00:1e:42:aa:bb:10")],
        facts: &[(1, Kind::FirmwareRevision, "EG25GGBR07A08M2G", Group::OwnWord)],
    }]);
    let declared = check(vec![vec![named(5, "U1", "Quectel", "EG25-G"), part(6, PartKind::Gnss, "U7", "MAX-M8Q")]]);
    let all = surveyed(vec![heard("00:1e:42:aa:bb:12", -70), heard("12:34:56:78:9a:bc", -30), heard("22:34:56:78:9a:bc", -80)], vec![]);
    let extra = Extra { observed: Some(&all), ..Extra::default() };
    let kb = Knowledge::embedded();
    let answer = verify(Some(&declared), device.clone().into_iter(), extra, &kb, &options());
    let survey: Vec<_> = answer.radios.iter().filter(|r| r.witness == "survey").collect();
    assert_eq!(survey.len(), 1);
    assert_eq!(survey[0].device.as_deref(), Some(&*device[0].id));
    assert_eq!(survey[0].because[0].input, 1);
    assert!(answer.limits.iter().any(|l| l.starts_with("2 radio(s)") && l.contains("--near")), "{:?}", answer.limits);
    assert!(answer.findings.iter().any(|f| f.code == "undeclared-radio" && f.because.iter().any(|b| b.contains("air.csv, line 3"))));
    let near = Options { near: Some(-45), ..options() };
    let answer = verify(Some(&declared), device.into_iter(), extra, &kb, &near);
    assert_eq!(answer.radios.iter().filter(|r| r.witness == "survey").count(), 2);
}

#[test]
fn a_radio_on_the_bus_is_the_devices() {
    let facts = [
        (1, Kind::FirmwareRevision, "EG25GGBR07A08M2G", Group::OwnWord),
        (2, Kind::BusName, "Realtek RTL8188EUS 802.11n Wireless Network Adapter", Group::OwnWord),
        (3, Kind::UsbInterface, "0:e0/01/01", Group::OwnWord),
    ];
    let all = super::observe(&[Thing { ids: &[(IdKind::AssetId, "A-1")], facts: &facts }]);
    let kb = Knowledge::embedded();
    let fleet = umbilical_assess::Fleet::new(&all, &kb, super::options(DAY));
    let extra = Extra { observed: Some(&all), ..Extra::default() };
    let declared = check(vec![vec![named(5, "U1", "Quectel", "EG25-G"), part(6, PartKind::Gnss, "U7", "MAX-M8Q")]]);
    let answer = verify(Some(&declared), fleet.devices(), extra, &kb, &options());
    let bus: Vec<RadioKind> = answer.radios.iter().filter(|r| r.witness == "bus").map(|r| r.radio).collect();
    assert_eq!(bus, [RadioKind::Wifi, RadioKind::Bluetooth]);
    assert_eq!(codes(&answer).iter().filter(|c| **c == "undeclared-radio").count(), 2);
    assert_eq!(answer.radios.iter().find(|r| r.witness == "bus").unwrap().because[0].input, 1);
}

/// A sweep of 40 MHz at -60 dB, from 820 MHz, with what `loud` says: cell in kHz, passes at -30 dB.
fn swept(loud: &[(u32, u32)]) -> Sweep {
    swept_from(820_000, loud)
}

/// The same from another frequency, kHz.
fn swept_from(first: u32, loud: &[(u32, u32)]) -> Sweep {
    let cells = (0..200u32).map(|n| {
        let khz = first + n * 200;
        let at = loud.iter().find(|(from, _)| *from == khz).map_or(0, |l| l.1);
        let mut counts = vec![0; 31];
        counts[0] = 100 - at;
        counts[30] = at;
        if at == 0 {
            counts.truncate(1);
        }
        SweepCell { khz, from_db: -60, counts: counts.into(), peak_at: Some("2026-05-01 10:00:00".into()), peak_line: 7 }
    });
    Sweep { input: 0, lines: 100, first: None, last: None, cells: cells.collect() }
}

#[test]
fn bursts_in_an_uplink_beside_a_device_without_modem_are_a_finding() {
    let clean = check(vec![vec![part(1, PartKind::Memory, "U1", "W25Q128")]]);
    let kb = Knowledge::embedded();
    let run = |declared: &Check, sweep: Sweep| {
        let all = surveyed(vec![], vec![sweep]);
        verify(Some(declared), std::iter::empty(), Extra { observed: Some(&all), ..Extra::default() }, &kb, &options())
    };
    let answer = run(&clean, swept(&[(835_000, 4), (835_200, 7)]));
    let energy = &answer.sweeps[0].energy;
    assert_eq!(energy.len(), 1, "{energy:?}");
    assert_eq!(
        (energy[0].form, energy[0].direction, energy[0].over_floor_db, energy[0].passes, energy[0].of),
        ("bursts", "uplink", 30, 7, 100)
    );
    assert!(energy[0].bands.iter().any(|b| b.contains("5 (uplink)")), "{:?}", energy[0].bands);
    let finding = answer.findings.iter().find(|f| f.code == "uplink-energy").unwrap();
    assert!(finding.confidence <= 0.6 && finding.because[0].contains("could also be a phone nearby"), "{finding:?}");
    assert!(finding.because.iter().any(|b| b == "observed: air.csv, line 7") && finding.because.iter().any(|b| b.contains("bom0.csv")));
    // What devices of one region send in, the network of another does: which of them it was is not known.
    let shared = run(&clean, swept_from(1_840_000, &[(1_860_000, 4)]));
    let energy = &shared.sweeps[0].energy[0];
    assert_eq!(energy.direction, "both");
    assert!(
        energy.bands.iter().any(|b| b.ends_with("2 (uplink)")) && energy.bands.iter().any(|b| b.ends_with("3 (downlink)")),
        "{energy:?}"
    );
    assert!(shared.findings.iter().all(|f| f.severity.name() == "low"), "{:?}", shared.findings);
    // A narrow line that is always there is the receiver's own; a declared modem may send; a quiet sweep is no proof.
    let narrow = run(&clean, swept(&[(835_000, 100)]));
    assert_eq!((narrow.sweeps[0].energy[0].form, codes(&narrow).len()), ("narrow", 0));
    let wide: Vec<(u32, u32)> = (0..10).map(|n| (835_000 + n * 200, 100)).collect();
    assert_eq!(codes(&run(&clean, swept(&wide))), ["uplink-energy"]);
    let declared = run(&check(vec![vec![named(5, "U1", "Quectel", "EG25-G")]]), swept(&[(835_000, 4)]));
    assert!(!codes(&declared).contains(&"uplink-energy") && declared.sweeps[0].sentence.contains("declare a modem"));
    assert!(run(&clean, swept(&[])).sweeps[0].sentence.contains("asleep"));
}

#[test]
fn a_sweep_where_no_device_sends_is_not_evaluable() {
    let cell = SweepCell { khz: 100_000, from_db: -60, counts: [50].into(), ..SweepCell::default() };
    let all = surveyed(vec![], vec![Sweep { lines: 50, cells: vec![cell], ..Sweep::default() }]);
    let clean = check(vec![vec![part(1, PartKind::Memory, "U1", "W25Q128")]]);
    let extra = Extra { observed: Some(&all), ..Extra::default() };
    let answer = verify(Some(&clean), std::iter::empty(), extra, &Knowledge::embedded(), &options());
    assert!(answer.sweeps[0].sentence.starts_with("not evaluable"), "{}", answer.sweeps[0].sentence);
}

fn list(pieces: Vec<Piece>) -> Observations {
    let mut all = Observations::new();
    all.begin_input("list.csv", "test", "0".repeat(64), 1);
    all.pieces = pieces;
    all
}

fn piece(row: u32, serial: &str, imei: &str) -> Piece {
    let text = |t: &str| (!t.is_empty()).then(|| Box::from(t));
    Piece {
        at: At::row(row),
        lot: text("L1"),
        serial: text(serial),
        imeis: if imei.is_empty() { vec![] } else { vec![umbilical_core::number::Imei::canonical(imei).into()] },
        model: text("EG25-G"),
        firmware: text("R07"),
        hash: text("aa11"),
        ..Piece::default()
    }
}

fn lots(shipped: Vec<Piece>, received: Vec<Piece>) -> Verify {
    let (shipped, received) = (list(shipped), list(received));
    let extra = Extra { shipped: Some(&shipped), received: Some(&received), ..Extra::default() };
    verify(None, std::iter::empty(), extra, &Knowledge::embedded(), &options())
}

fn kinds(answer: &Verify) -> Vec<&str> {
    answer.custody.as_ref().unwrap().lots.iter().flat_map(|l| &l.mismatches).map(|m| m.kind).collect()
}

#[test]
fn every_way_in_which_a_lot_can_differ() {
    let shipped = || vec![piece(2, "S1", "86769804000001"), piece(3, "S2", "86769804000002"), piece(4, "S3", "86769804000003")];
    assert_eq!(kinds(&lots(shipped(), shipped())), [""; 0]);
    // Missing, extra, swapped, twice.
    let answer =
        lots(shipped(), vec![piece(2, "S1", "86769804000001"), piece(3, "S2", "86769804000003"), piece(4, "S9", "86769804000009")]);
    assert_eq!(kinds(&answer), ["swapped", "extra", "missing"]);
    let swapped = answer.findings.iter().find(|f| f.detail["kind"] == "swapped").unwrap();
    assert!(swapped.because.iter().any(|b| b.starts_with("shipped:") && b.contains("list.csv, row 3")), "{swapped:?}");
    assert!(swapped.because.iter().any(|b| b.starts_with("received:") && b.contains("list.csv, row 3")), "{swapped:?}");
    let twice = lots(shipped(), [shipped(), vec![piece(9, "S1", "86769804000001")]].concat());
    assert_eq!(kinds(&twice), ["duplicate"]);
    // Details.
    let change = |f: fn(&mut Piece)| {
        let mut received = shipped();
        f(&mut received[0]);
        kinds(&lots(shipped(), received)).join(" ")
    };
    assert_eq!(change(|p| p.hash = Some("bb22".into())), "firmware-hash");
    assert_eq!(change(|p| p.firmware = Some("R08".into())), "firmware");
    assert_eq!(change(|p| p.lot = Some("L2".into())), "other-lot");
    assert_eq!(change(|p| p.model = Some("EC25".into())), "other-model");
    assert_eq!(change(|p| p.firmware = Some("r07".into())), "");
}

#[test]
fn ranges_hold_the_numbers_between_their_ends() {
    let range = Piece { at: At::row(2), lot: Some("L1".into()), range: Some((86_769_804_000_000, 86_769_804_000_009)), ..Piece::default() };
    let received: Vec<Piece> = (0..10).map(|n| piece(2 + n, "", &format!("8676980400000{n}"))).collect();
    assert_eq!(kinds(&lots(vec![range.clone()], received.clone())), [""; 0]);
    let answer = lots(vec![range.clone()], received[..7].to_vec());
    assert_eq!(kinds(&answer), ["missing"]);
    assert!(answer.custody.unwrap().lots[0].mismatches[0].what.contains("3 were not received"));
    assert_eq!(kinds(&lots(vec![range], [received, vec![piece(20, "", "86769804000777")]].concat())), ["outside-range"]);
}

#[test]
fn an_imei_of_another_model_is_a_mismatch_and_an_unknown_one_is_not() {
    // A learned type allocation code of another module.
    let kb = Knowledge::embedded();
    let other = kb.tac_learned().iter().find(|t| t.brand.as_deref() == Some("Sierra Wireless") && t.model.starts_with("MC7700")).unwrap();
    let body = format!("{:08}000123", other.tac);
    let wrong = vec![piece(2, "S1", &body)];
    assert_eq!(kinds(&lots(wrong.clone(), wrong)), ["tac"]);
    let unknown = vec![piece(2, "S1", "99999999000123")];
    assert_eq!(kinds(&lots(unknown.clone(), unknown)), [""; 0]);
}

#[test]
fn a_sample_is_drawn_that_anybody_can_draw_again() {
    let pieces: Vec<Piece> = (0..200).map(|n| piece(2 + n, &format!("S{n}"), &format!("86769804{n:06}"))).collect();
    let custody = lots(pieces.clone(), pieces.clone()).custody.unwrap();
    let mut turned = pieces;
    turned.reverse();
    let again = lots(turned.clone(), turned).custody.unwrap();
    assert_eq!(custody.lots[0].draw, again.lots[0].draw);
    let asked = custody.lots[0].sampling.iter().find(|s| s.bad_percent == 5.0 && s.confidence_percent == 95.0).unwrap();
    assert_eq!((asked.bad_pieces, asked.take, custody.lots[0].draw.len() as u64), (10, 51, 51));
}
