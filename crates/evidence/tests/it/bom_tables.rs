//! Tables as bills of materials. Every folder under `fixtures/bom-tables/` is read as such, those that begin with `fleet-` as
//! evidence of a fleet; what comes out is what `expected.txt` says (`UMBILICAL_BLESS=1` writes it).

use std::fs;

use umbilical_core::Observations;
use umbilical_evidence::Purpose;

use crate::fixtures::{Scratch, read_for, walk_for};

/// Reads bytes as a file of that name.
fn of(name: &str, bytes: &[u8], purpose: Purpose) -> Observations {
    let folder = Scratch::new(name);
    let path = folder.0.join(name);
    fs::write(&path, bytes).unwrap();
    read_for(&[path], None, purpose, false, 1)
}

#[test]
fn dialects() {
    walk_for("bom-tables", false, |case| if case.starts_with("fleet-") { Purpose::Fleet } else { Purpose::Bom });
}

#[test]
fn tables_made_to_harm_are_bounded() {
    // One cell of 40 MB, a head of 16,384 columns, a quote that is never closed, rows by the hundred thousand.
    let mut cell = b"Designator,Value,Quantity\nU1,\"".to_vec();
    cell.resize(40 << 20, b'x');
    let out = of("cell.csv", &cell, Purpose::Bom);
    assert!(out.problems.iter().any(|p| p.what.contains("longer than 1 MiB") && p.at.n == 2), "{:?}", out.problems);

    let wide: Vec<String> = (0..16_384).map(|i| format!("Value{i}")).collect();
    let row = vec!["x1"; 16_384].join(",");
    let out = of("wide.csv", format!("Designator,{}\nU1,{row}\nU2,{row}\n", wide.join(",")).as_bytes(), Purpose::Bom);
    assert!(out.boms.iter().all(|b| b.parts.len() <= 2 && b.parts.iter().all(|p| p.properties.len() <= 200)));

    let long = format!("Designator,Value,Quantity\nU1,BG96,1\n{}", ",,\n".repeat(300_000));
    assert_eq!(of("empty.csv", long.as_bytes(), Purpose::Bom).boms[0].parts.len(), 1);

    let range = "Designator,Value,Quantity\nR1-R4000000000,10k,9\nU1,BG96,99999999999\n";
    let out = of("range.csv", range.as_bytes(), Purpose::Bom);
    assert!(out.boms[0].parts[0].designators.len() <= 4096 && out.boms[0].parts[1].quantity.is_none());

    let deep: String = (0..20_000).map(|n| format!("{n},P{n},1\n")).collect();
    let out = of("deep.csv", format!("Level,Part number,Quantity\n{deep}").as_bytes(), Purpose::Bom);
    let parts = &out.boms[0].parts;
    assert!(parts.len() > 9_000 && parts.iter().enumerate().all(|(i, p)| p.parent.is_none_or(|n| (n as usize) < i)));
}

#[test]
fn a_history_without_heads_is_no_list() {
    for history in
        ["v1,2024-01-05,first\nv2,EC25 replaced by SIM7600,\n", "1,05.01.2024,EC25 replaced by SIM7600\n2,05.03.2024,R7 is 10k\n"]
    {
        assert!(of("changes.csv", history.as_bytes(), Purpose::Bom).boms.is_empty(), "{history}");
    }
    // Numbers of ten digits are no days.
    assert_eq!(of("list.csv", b"J1,1,1042240820\nJ2,1,1042240821\n", Purpose::Bom).boms[0].parts.len(), 2);
}

#[test]
fn a_fleet_keeps_its_devices_and_a_list_its_parts() {
    let list = "Manufacturer,Model,Quantity\nQuectel,EC25-E,10\nTelit,LE910C4-EU,2\n";
    assert!(of("list.csv", list.as_bytes(), Purpose::Fleet).boms.is_empty());
    assert_eq!(of("list.csv", list.as_bytes(), Purpose::Bom).boms[0].parts.len(), 2);
    let boards = "Designator,Value,Quantity\nU1,EC25-E,1\nC1,1u,1\n";
    for purpose in [Purpose::Fleet, Purpose::Bom] {
        assert_eq!(of("boards.csv", boards.as_bytes(), purpose).boms[0].parts.len(), 2);
    }
    // What is packed is opened whatever it is called.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packer, boards.as_bytes()).unwrap();
    assert_eq!(of("boards.xlsx", &packer.finish().unwrap(), Purpose::Bom).boms[0].parts.len(), 2);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn parents_stand_before_their_parts_and_nothing_panics(rows in proptest::collection::vec("[.0-3]{0,3}[,;]\\PC{0,12},[0-9.,]{0,4},[A-Z0-9 ,\"]{0,8}", 0..40)) {
        let text = format!("Level,Part number,Qty,Ref Des\n{}", rows.join("\n"));
        let out = of("any.csv", text.as_bytes(), Purpose::Bom);
        for bom in &out.boms {
            for (i, part) in bom.parts.iter().enumerate() {
                proptest::prop_assert!(part.parent.is_none_or(|n| (n as usize) < i));
            }
        }
    }
}
