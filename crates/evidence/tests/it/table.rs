//! Tables of every form, and the properties that hold for all of them.

use std::fmt::Write;

use proptest::prelude::*;
use umbilical_core::{IdKind, Observations};

use crate::fixtures::{read_bytes, walk};

#[test]
fn cases() {
    walk("table");
}

fn imei(n: u64) -> String {
    umbilical_core::number::Imei::canonical(&format!("{:014}", 35_000_123_000_000 + n))
}

/// What was observed, without where and in which format.
fn essence(out: &Observations) -> Vec<String> {
    out.things()
        .map(|thing| {
            let mut text = String::new();
            for (part, kind, value) in thing.ids() {
                let _ = write!(text, "{part} {} {value}; ", kind.name());
            }
            for (part, fact, _) in thing.facts() {
                let _ = write!(text, "{part} {} {} {} {}; ", fact.kind.name(), fact.value, fact.group.name(), fact.basis.name());
            }
            text
        })
        .collect()
}

/// A fleet as a table in memory: asset tag, name, IMEI, maker, place.
fn fleet(names: &[String]) -> Vec<Vec<String>> {
    let head = ["Asset tag", "Name", "IMEI", "Manufacturer", "Location"].map(str::to_owned).to_vec();
    let rows = names.iter().enumerate().map(|(i, name)| vec![format!("T-{i}"), name.clone(), imei(i as u64), "Acme".into(), "Nord".into()]);
    std::iter::once(head).chain(rows).collect()
}

fn written(table: &[Vec<String>], delimiter: u8, always: bool) -> String {
    let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).quote_style(style).from_writer(Vec::new());
    for row in table {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn as_json(table: &[Vec<String>], lines: bool) -> String {
    let objects: Vec<serde_json::Value> = table[1..]
        .iter()
        .map(|row| serde_json::Value::Object(table[0].iter().cloned().zip(row.iter().map(|c| c.as_str().into())).collect()))
        .collect();
    if lines { objects.iter().map(|o| format!("{o}\n")).collect() } else { serde_json::json!({ "data": objects, "page": 1 }).to_string() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_table_is_the_same_in_every_form(
        names in proptest::collection::vec("[A-Za-z][A-Za-z ,;|\"é]{0,10}[a-z]", 3..8),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|')],
        always in any::<bool>(),
    ) {
        let names: Vec<String> = names.iter().map(|n| n.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let table = fleet(&names);
        let expected = essence(&read_bytes("fleet.csv", written(&table, b',', true).as_bytes()));
        prop_assert_eq!(expected.len(), names.len());
        let text = written(&table, delimiter, always);
        prop_assert_eq!(&essence(&read_bytes("a", text.as_bytes())), &expected);
        let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        prop_assert_eq!(&essence(&read_bytes("b", &utf16)), &expected);
        prop_assert_eq!(&essence(&read_bytes("c", text.replace('\n', "\r\n").as_bytes())), &expected);
        prop_assert_eq!(&essence(&read_bytes("d", as_json(&table, false).as_bytes())), &expected);
        prop_assert_eq!(&essence(&read_bytes("e", as_json(&table, true).as_bytes())), &expected);
    }

    #[test]
    fn other_encodings_of_the_same_table(n in 3usize..12) {
        let names: Vec<String> = (0..n).map(|i| format!("Gerät Süd {i}")).collect();
        let table = fleet(&names);
        let expected = essence(&read_bytes("fleet.csv", written(&table, b';', false).as_bytes()));
        let (latin, _, bad) = encoding_rs::WINDOWS_1252.encode(Box::leak(written(&table, b';', false).into_boxed_str()));
        prop_assert!(!bad);
        prop_assert_eq!(essence(&read_bytes("fleet.csv", &latin)), expected);
    }
}

#[test]
fn a_long_json_list_is_streamed_and_late_members_are_seen() {
    let mut items: Vec<String> = (0..3000).map(|n| format!(r#"{{"imei":"{}","site":"s{}"}}"#, imei(n), n % 3)).collect();
    items.push(format!(r#"{{"imei":"{}","iccid":"8988200000000123456","modem":{{"model":"EC25-E"}}}}"#, imei(3000)));
    let text = format!(r#"{{"meta":{{"total":3001}},"items":[{}],"next":null}}"#, items.join(","));
    let out = read_bytes("big.json", text.as_bytes());
    assert_eq!(out.len(), 3001);
    let last = out.thing(3000).unwrap();
    assert!(last.ids().any(|(_, kind, value)| kind == IdKind::Iccid && value == "8988200000000123456"));
    assert!(last.facts().any(|(_, fact, _)| &*fact.value == "EC25-E"));
    assert_eq!(out.locate(last.at()), "item 3001");
    // Cut in the middle: what stands before is kept, and the place is named.
    let out = read_bytes("cut.json", &text.as_bytes()[..text.len() / 2]);
    assert!(out.len() > 1000 && out.problems.iter().any(|p| p.what.contains("breaks off")), "{:?}", out.problems);
}

#[test]
fn a_small_list_cut_short_says_where() {
    let out = read_bytes(
        "cut.json",
        br#"[{"imei":"490154203237518"},
{"imei":"4901542"#,
    );
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.locate(out.problems[0].at), "line 2");
}

#[test]
fn a_second_modem_of_a_row_is_a_part_of_its_own() {
    let (one, two) = (imei(1), umbilical_core::number::Imei::canonical("86688204000001"));
    let (tac, other) = (&one[..8], &two[..8]);
    let out = read_bytes("two.csv", format!("Name,IMEI,IMEI 2,ICCID\ngate,{one},{two},8988280666000000001\n").as_bytes());
    let text = essence(&out).concat();
    for said in [format!("0 imei {one}"), format!("0 tac {tac}"), format!("1 imei {two}"), format!("1 tac {other}")] {
        assert!(text.contains(&said), "{said}: {text}");
    }
    assert!(text.contains("0 iccid 8988280666000000001") && !text.contains(&format!("0 tac {other}")), "{text}");
    // The same equipment with its software version is one modem; so is a repetition of the second.
    let out = read_bytes("one.csv", format!("Name,IMEI,IMEI 2\ngate,{one},{}07\n", &one[..14]).as_bytes());
    assert!(!essence(&out).concat().contains("1 "), "{:?}", essence(&out));
    // The modems of an object's list come behind.
    let json = format!(
        r#"[{{"name":"gate","imei":"{one}","imei2":"{two}","modems":[{{"imei":"{}","model":"EC25"}},{{"imei":"{}","model":"EC21"}}]}}]"#,
        imei(2),
        imei(3)
    );
    let text = essence(&read_bytes("three.json", json.as_bytes())).concat();
    for said in [format!("1 imei {two}"), format!("2 imei {}", imei(2)), format!("3 imei {}", imei(3))] {
        assert!(text.contains(&said), "{said}: {text}");
    }
}

#[test]
fn a_platform_that_looks_models_up_by_the_imei_is_one_witness() {
    let csv = format!("IMSI,IMEI,ICCID,Manufacturer,Model\n901405100000001,{},8988280666000000001,Quectel,EC25\n", imei(1));
    let out = read_bytes("sims.csv", csv.as_bytes());
    let facts: Vec<_> = out.things().flat_map(|t| t.facts().map(|f| f.1.clone()).collect::<Vec<_>>()).collect();
    assert!(facts.iter().any(|f| f.kind == umbilical_core::Kind::DeclaredModel), "{facts:?}");
    assert!(facts.iter().all(|f| f.group == umbilical_core::Group::Network), "{facts:?}");
    for fact in facts {
        let declared = matches!(fact.kind, umbilical_core::Kind::DeclaredMaker | umbilical_core::Kind::DeclaredModel);
        assert_eq!(fact.basis == umbilical_core::Basis::Declared, declared, "{fact:?}");
    }
}

#[test]
fn a_line_of_prose_is_no_table() {
    let out = read_bytes("note.txt", format!("Quectel EC25, IMEI {}, ICCID 89445001021983048260\n", imei(1)).as_bytes());
    assert!(!out.inputs[0].format.contains("csv"), "{out:?}");
    let text = essence(&out).concat();
    for said in [format!("imei {}", imei(1)), "iccid 89445001021983048260".into(), "text Quectel EC25".into()] {
        assert!(text.contains(&said), "{said}: {out:?}");
    }
}

#[test]
fn no_number_of_a_first_row_is_printed() {
    // A headerless table whose first row is taken for its header, and one of which nothing is known.
    for text in [
        format!("gate,491711234567,89445001021983048260,+4917112345678\nshed,491711234568,89445001021983048278,+4917112345679\n{}", ""),
        "what,491711234567,262011234567890x\none,two,three\nfour,five,six\n".to_owned(),
    ] {
        let out = read_bytes("bare.csv", text.as_bytes());
        let words = out.problems.iter().map(|p| p.what.as_str()).chain(out.inputs[0].mapping.iter().map(String::as_str));
        for word in words {
            let longest = word.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            assert!(longest < 9, "{word}");
        }
    }
}

#[test]
fn a_slot_is_no_card() {
    let json = format!(
        r#"{{"data":[{{"imei":"{}","sim":"sim1","name":"mdm-1"}},{{"imei":"{}","sim":"sim2","name":"mdm-2"}}]}}"#,
        imei(1),
        imei(2)
    );
    let out = read_bytes("router.json", json.as_bytes());
    assert!(out.len() == 2 && out.problems.is_empty(), "{out:?}");
}

#[test]
fn a_table_that_changes_its_encoding_says_so_once() {
    let mut bytes = b"Name,IMEI,Site\n".to_vec();
    for n in 0..4000 {
        bytes.extend_from_slice(format!("gate {n},{},Süd\n", imei(n)).as_bytes());
    }
    for n in 4000..4010 {
        bytes.extend_from_slice(format!("gate {n},{},", imei(n)).as_bytes());
        bytes.extend_from_slice(b"S\xfcd\n");
    }
    let out = read_bytes("mixed.csv", &bytes);
    let told: Vec<_> = out.problems.iter().map(|p| (out.locate(p.at), p.what.as_str())).collect();
    assert!(matches!(told.as_slice(), [(at, what)] if at == "line 4002" && what.contains("windows-1252")), "{told:?}");
    assert!(out.len() == 4010 && out.things().all(|t| t.ids().any(|id| id.1 == IdKind::Site && id.2 == "Süd")));
}
