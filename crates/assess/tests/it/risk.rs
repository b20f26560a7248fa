//! Four axes that are never summed: the same tests for every maker, and an order that changes no fact.

use std::rc::Rc;

use umbilical_assess::judge::risk::{Scale, Sight, rank};
use umbilical_core::answer::Device;
use umbilical_core::answer::risk::{AxisScore, Risked};
use umbilical_core::{Group, IdKind, Kind};
use umbilical_knowledge::policy::{Axis, Facts, PolicyText, Weights};
use umbilical_knowledge::{Knowledge, Word};

use super::{Thing, devices};

const EC25: &[(u16, Kind, &str, Group)] =
    &[(1, Kind::UsbId, "2c7c:0125", Group::OwnWord), (1, Kind::FirmwareRevision, "EC25EFAR06A07M4G", Group::OwnWord)];
const EM7455: &[(u16, Kind, &str, Group)] = &[
    (1, Kind::UsbId, "1199:9071", Group::OwnWord),
    (1, Kind::Model, "EM7455", Group::OwnWord),
    (1, Kind::Manufacturer, "Sierra Wireless", Group::OwnWord),
];

fn facts(said: &[(&str, &str)]) -> Rc<Facts> {
    let mut out = Facts::default();
    for (name, value) in said {
        out.say(name, value).unwrap();
    }
    Rc::new(out)
}

fn one(facts: &[(u16, Kind, &str, Group)]) -> Device {
    named("GW-1", facts)
}

fn named(name: &str, facts: &[(u16, Kind, &str, Group)]) -> Device {
    devices(&[Thing { ids: &[(IdKind::AssetId, name)], facts }]).remove(0)
}

fn at(device: &Device, weights: &Weights, said: &[(&str, &str)]) -> Risked {
    let kb = Knowledge::embedded();
    Scale::new(&kb, weights, "2026-11-25".parse().unwrap()).risk(&Sight::device(device, facts(said)))
}

fn shipped() -> Weights {
    Weights::shipped().unwrap()
}

fn with(text: &str) -> Weights {
    Weights::with(&PolicyText { name: "own.toml".to_owned(), text: text.to_owned() }).unwrap()
}

fn country(code: &str, steps: [u32; 3]) -> String {
    let [h, i, c] = steps;
    format!("[[country]]\ncode = \"{code}\"\nhostility = {h}\nintention = {i}\ncapability = {c}\nbecause = \"board\"\n")
}

fn axis(risked: &Risked, axis: Axis) -> &AxisScore {
    risked.axes.iter().find(|a| a.axis == axis.name()).unwrap()
}

fn terms(risked: &Risked, of: Axis) -> Vec<(&str, u32)> {
    axis(risked, of).terms.iter().map(|t| (t.term.as_str(), t.weight)).collect()
}

#[test]
fn each_axis_is_the_sum_of_its_own_terms_and_nothing_is_the_sum_of_axes() {
    let own = with(&(country("CN", [5, 5, 5]) + &country("CA", [1, 2, 3]) + &country("US", [1, 2, 3])));
    let said = [("microphone", "yes"), ("camera", "yes"), ("health_data", "yes"), ("location", "yes")];
    let clash =
        [EC25, &[(1, Kind::DeclaredMaker, "Telit", Group::Document), (1, Kind::DeclaredModel, "LE910C1", Group::Document)]].concat();
    for device in [one(EC25), one(EM7455), one(&clash)] {
        let risked = at(&device, &own, &said);
        assert_eq!(risked.axes.iter().map(|a| a.axis).collect::<Vec<_>>(), Axis::ALL.map(Word::name));
        for axis in &risked.axes {
            let sum: u32 = axis.terms.iter().map(|t| t.weight).sum();
            assert!(axis.score.is_none_or(|score| score == sum.min(100)), "{axis:?}");
            assert!(axis.score.is_some() || axis.terms.is_empty(), "{axis:?}");
            // What weighs on one axis is named on no other.
            let other = |a: &AxisScore| a.axis != axis.axis && a.terms.iter().any(|t| axis.terms.iter().any(|u| u.term == t.term));
            assert!(!risked.axes.iter().any(other), "{risked:?}");
            assert!(axis.terms.iter().all(|t| t.weight > 0 && !t.because.is_empty()), "{axis:?}");
        }
        let document = serde_json::to_value(&risked).unwrap();
        let keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(!keys.iter().any(|k| ["score", "total", "sum", "risk"].contains(k)), "{keys:?}");
        assert_eq!(axis(&risked, Axis::PrivacyExposure).score, Some(100));
    }
    let risked = at(&one(&clash), &own, &said);
    assert_eq!(terms(&risked, Axis::HardwareIntegrity), [("identity-conflict", 40)]);
    assert_eq!(axis(&risked, Axis::Jurisdiction).score, Some(100));
}

#[test]
fn what_the_operator_has_not_said_gives_no_score_and_hides_no_fact() {
    for device in [one(EC25), one(EM7455)] {
        let risked = at(&device, &shipped(), &[]);
        let jurisdiction = axis(&risked, Axis::Jurisdiction);
        assert_eq!((jurisdiction.score, jurisdiction.terms.len()), (None, 0));
        assert!(!risked.jurisdictions.is_empty() && risked.jurisdictions.iter().all(|r| !r.fact.laws.is_empty()), "{risked:?}");
        assert!(risked.jurisdictions.iter().all(|r| r.points.is_none() && r.said.is_none()));
        for reached in &risked.jurisdictions {
            let open = format!("{}: the operator has set nothing", reached.fact.country);
            assert!(jurisdiction.open.contains(&open), "{:?}", jurisdiction.open);
        }
        // One country said and another not: the other stays open.
        let other = at(&device, &with(&country("XX", [5, 5, 5])), &[]);
        assert_eq!(axis(&other, Axis::Jurisdiction), jurisdiction);
    }
    // Said to be nothing is a score, and not the same as not said.
    let none = at(&one(EC25), &with(&country("CN", [0, 0, 0])), &[]);
    assert_eq!(axis(&none, Axis::Jurisdiction).score, Some(0));
}

#[test]
fn the_same_tests_for_a_western_and_an_eastern_maker() {
    let countries =
        |device: &Device| -> Vec<String> { at(device, &shipped(), &[]).jurisdictions.into_iter().map(|r| r.fact.country).collect() };
    let (east, west) = (one(EC25), one(EM7455));
    assert!(countries(&east).contains(&"CN".to_owned()) && !countries(&west).contains(&"CN".to_owned()));
    for device in [&east, &west] {
        let mut scores = Vec::new();
        for code in countries(device) {
            let risked = at(device, &with(&country(&code, [3, 2, 4])), &[]);
            assert_eq!(terms(&risked, Axis::Jurisdiction), [("hostility", 24), ("intention", 12), ("capability", 24)], "{code}");
            scores.push(axis(&risked, Axis::Jurisdiction).score);
        }
        assert!(!scores.is_empty() && scores.iter().all(|s| *s == Some(60)));
    }
    // The highest country counts, and a second one adds nothing.
    let said: String =
        countries(&west).into_iter().collect::<std::collections::BTreeSet<_>>().iter().map(|c| country(c, [1, 1, 1])).collect();
    assert_eq!(axis(&at(&west, &with(&said), &[]), Axis::Jurisdiction).score, Some(20));
    // Both are asked for the same tiers, and a gap weighs the same for both.
    let tiers = |device: &Device| -> Vec<(String, u32)> {
        let risked = at(device, &shipped(), &[]);
        terms(&risked, Axis::Transparency).into_iter().filter(|t| t.0.ends_with("-unknown")).map(|(t, w)| (t.to_owned(), w)).collect()
    };
    for (tier, weight) in tiers(&east).iter().chain(&tiers(&west)) {
        assert_eq!(*weight, shipped().of(Axis::Transparency, tier));
    }
    for gap in ["firmware-signer-unknown", "support-end-unknown"] {
        assert!([&east, &west].iter().all(|d| tiers(d).iter().any(|t| t.0 == gap)), "{gap}");
    }
}

#[test]
fn criticality_and_sector_change_the_order_and_nothing_else() {
    let devices = [named("A", EC25), named("B", EM7455), named("C", &[(0, Kind::HostModel, "Pump", Group::Document)])];
    let own = with(&(country("CN", [4, 3, 5]) + "[rank]\nsector = [\"energy\"]\n"));
    let ranked = |said: [&[(&str, &str)]; 3]| {
        let mut all: Vec<Risked> = devices.iter().zip(said).map(|(d, s)| at(d, &own, s)).collect();
        rank(&mut all, &own.ranking);
        all
    };
    let id = |n: usize| devices[n].id.as_str();
    let order = |all: &[Risked]| all.iter().map(|r| r.id.clone()).collect::<Vec<_>>();
    let low = ranked([&[("criticality", "low")], &[("criticality", "high")], &[]]);
    let high = ranked([&[("criticality", "high")], &[("criticality", "low")], &[]]);
    // What nobody has said stands between high and medium.
    assert_eq!(order(&low), [id(1), id(2), id(0)]);
    assert_eq!(order(&high), [id(0), id(2), id(1)]);
    let same = ranked([&[], &[("sector", "water")], &[("sector", "energy")]]);
    assert_eq!(order(&same)[0], id(2));
    let bare = |all: &[Risked], n: usize| {
        let risked = all.iter().find(|r| r.id == id(n)).unwrap();
        (risked.axes.clone(), risked.jurisdictions.clone(), risked.modules.clone(), risked.names.clone())
    };
    for n in 0..3 {
        assert_eq!(bare(&low, n), bare(&high, n));
        assert_eq!(bare(&low, n), bare(&same, n));
    }
    assert_eq!(
        high[0].ranked_by[..3],
        ["criticality high".to_owned(), "sector not said".to_owned(), "hardware-integrity not known".to_owned()]
    );
    assert_eq!(high.iter().map(|r| r.rank).collect::<Vec<_>>(), [1, 2, 3]);
    // Of the rest equal, an axis of which nothing can be said stands before a 0; equals share a rank.
    let mut twins = vec![at(&devices[0], &own, &[]), at(&devices[0], &own, &[]), at(&devices[0], &with(&country("CN", [0, 0, 0])), &[])];
    twins[2].id = "dev-000000000000".to_owned();
    rank(&mut twins, &own.ranking);
    assert_eq!(twins.iter().map(|r| r.rank).collect::<Vec<_>>(), [1, 1, 3]);
    assert_eq!(twins[2].id, "dev-000000000000");
}

#[test]
fn what_one_witness_says_can_contradict_nobody() {
    let hardware = |facts: &[(u16, Kind, &str, Group)]| at(&one(facts), &shipped(), &[]);
    let alone = hardware(EC25);
    let silent = axis(&alone, Axis::HardwareIntegrity);
    assert!(silent.score.is_none() && silent.open[0].contains("only one group of evidence (own-word)"), "{silent:?}");
    let agreed =
        [EC25, &[(1, Kind::DeclaredMaker, "Quectel", Group::Document), (1, Kind::DeclaredModel, "EC25-E", Group::Document)]].concat();
    assert_eq!(axis(&hardware(&agreed), Axis::HardwareIntegrity).score, Some(0));
    // Nothing identified: nothing can be said on any axis.
    let pump = hardware(&[(0, Kind::HostModel, "Pump", Group::Document)]);
    assert!(pump.axes.iter().all(|a| a.score.is_none() && !a.open.is_empty()), "{pump:?}");
}

#[test]
fn a_rebrand_weighs_where_nothing_is_its_makers_word() {
    let dell: &[(u16, Kind, &str, Group)] =
        &[(1, Kind::UsbId, "413c:81d7", Group::OwnWord), (1, Kind::Model, "DW5821e Snapdragon X20 LTE", Group::OwnWord)];
    let quiet = at(&one(dell), &shipped(), &[]);
    assert_eq!(terms(&quiet, Axis::HardwareIntegrity), [("rebrand-unstated", 15)], "{quiet:?}");
    let stated = [dell, &[(1, Kind::Manufacturer, "Foxconn", Group::OwnWord)]].concat();
    assert_eq!(terms(&at(&one(&stated), &shipped(), &[]), Axis::HardwareIntegrity), [], "{:?}", one(&stated).modules[0].claims);
}

#[test]
fn privacy_comes_of_what_is_said_and_of_the_catalogue() {
    let privacy = |said: &[(&str, &str)]| axis(&at(&one(EC25), &shipped(), said), Axis::PrivacyExposure).clone();
    // Some builds of the module have a receiver: that is no yes and no no.
    let unsaid = privacy(&[]);
    assert!(unsaid.score.is_none() && unsaid.open.iter().any(|o| o.contains("some builds of Quectel EC25")), "{unsaid:?}");
    let all = privacy(&[("microphone", "no"), ("camera", "no"), ("location", "no"), ("health_data", "no")]);
    assert_eq!((all.score, all.terms.len(), all.open.len()), (Some(0), 0, 0));
    let some = privacy(&[("microphone", "yes"), ("camera", "no")]);
    assert_eq!((some.score, some.open.len()), (Some(30), 3));
    // A module that always has one, by a row that nobody has verified, weighs less than the operator's word.
    let sim: &[(u16, Kind, &str, Group)] =
        &[(1, Kind::Model, "SIM7600G-H", Group::OwnWord), (1, Kind::Manufacturer, "SIMCOM INCORPORATED", Group::OwnWord)];
    let of = |said: &[(&str, &str)]| at(&one(sim), &shipped(), said);
    assert_eq!(terms(&of(&[]), Axis::PrivacyExposure), [("location-unverified", 12)]);
    assert!(axis(&of(&[]), Axis::PrivacyExposure).terms[0].source.is_some());
    assert_eq!(terms(&of(&[("location", "yes")]), Axis::PrivacyExposure), [("location", 20)]);
    assert_eq!(axis(&of(&[("location", "no")]), Axis::PrivacyExposure).score, Some(0));
}

#[test]
fn a_tier_is_known_by_a_word_of_the_operator_too() {
    let tiers = |said: &[(&str, &str)]| {
        let risked = at(&one(EC25), &shipped(), said);
        terms(&risked, Axis::Transparency).iter().map(|t| t.0.to_owned()).collect::<Vec<_>>()
    };
    let bare = tiers(&[]);
    let said = tiers(&[("support_end", "2031-06-30"), ("path_operator", "quectel")]);
    let gone: Vec<&String> = bare.iter().filter(|t| !said.contains(t)).collect();
    assert_eq!(gone, ["update-path-unverified", "support-end-unknown"]);
    assert!(said.iter().all(|t| bare.contains(t)));
}
