//! Design files: schematics, netlists, boards and the lists that design programs write.

use std::io::{self, Read};

use umbilical_core::bom::{Part, Placed};
use umbilical_core::{At, Observations};

use crate::fixtures::{read_bytes, read_stream_of, walk};

#[test]
fn fixtures() {
    walk("eda");
}

fn parts(out: &Observations) -> &[Part] {
    out.boms.first().map_or(&[], |b| &b.parts)
}

fn says(out: &Observations, what: &str) -> bool {
    out.problems.iter().any(|p| p.what.contains(what) && p.at != At::WHOLE)
}

#[test]
fn a_format_is_known_by_its_content_whatever_it_is_called() {
    for (content, format) in [
        ("\u{feff}(kicad_sch (version 20211123))", "kicad-sch"),
        ("EESchema Schematic File Version 2\n", "kicad-legacy-sch"),
        ("(export (version D)\n (components))", "kicad-netlist"),
        ("<?xml version=\"1.0\"?>\n<!DOCTYPE eagle SYSTEM \"eagle.dtd\">\n<eagle version=\"6\"/>", "eagle"),
        ("|RECORD=BOM|VERSION=2|\n", "altium-bomdoc"),
        ("*PADS-PCB*\n*PART*\nU1 a@b\n", "pads-netlist"),
        ("[\nU1\nSOIC8\nLM358\n]\n(\nN1\nU1-1\n)\n", "protel-netlist"),
        ("Item\tQuantity\tReference\tPart\n____________________\n\n1\t1\tU1\tLM358\n", "orcad-bom"),
        ("<IPC-2581 revision=\"B\"></IPC-2581>", "ipc-2581"),
    ] {
        assert_eq!(read_bytes("list.csv", content.as_bytes()).inputs[0].format, format);
    }
    for (content, not) in [
        ("[\n  1,\n  2\n]\n", "protel-netlist"),
        ("Item,Quantity,Reference,Part\n1,1,U1,LM358\n", "orcad-bom"),
        ("(kicad_wks (version 1))", "kicad-sch"),
        ("<html>InteractiveX</html>", "ibom-html"),
    ] {
        assert_ne!(read_bytes("x", content.as_bytes()).inputs[0].format, not);
    }
}

#[test]
fn utf_16_and_old_line_ends_keep_their_lines() {
    let text = "(kicad_sch\r\n (symbol (lib_id \"m:x\")\r\n  (property \"Reference\" \"U1\")\r\n  (property \"Value\" \"BC66 Ω\")))\r\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [text.as_bytes(), &utf16] {
        let out = read_bytes("a.kicad_sch", bytes);
        assert_eq!((parts(&out)[0].at, parts(&out)[0].value.as_deref()), (At::line(4), Some("BC66 Ω")));
    }
}

#[test]
fn depth_costs_no_stack() {
    let deep = format!("(kicad_sch (symbol {}", "(a ".repeat(100_000));
    assert!(says(&read_bytes("deep.kicad_sch", deep.as_bytes()), "200 deep"));
    let deep = format!("(export (version D) (components {}", "(comp ".repeat(100_000));
    assert!(says(&read_bytes("deep.net", deep.as_bytes()), "200 deep"));
    for (root, name) in
        [("<eagle version=\"9\">", "a.sch"), ("<IPC-2581 revision=\"C\">", "a.xml"), ("<export version=\"D\"><design>", "b.xml")]
    {
        let deep = format!("{root}{}", "<parts>".repeat(100_000));
        assert!(says(&read_bytes(name, deep.as_bytes()), "200 deep"), "{name}");
    }
}

#[test]
fn a_token_without_end_is_bounded() {
    let head: &[u8] = b"(kicad_sch (symbol (property \"Reference\" \"U1\") (property \"Value\" \"";
    let out = read_stream_of(head.chain(io::repeat(b'x').take(20 << 20)).chain(&b"\")))"[..]));
    assert_eq!(parts(&out)[0].value.as_deref().map(str::len), Some(16 * 1024));
    let out = read_stream_of(head.chain(io::repeat(b'x').take(513 << 20)));
    assert!(says(&out, "512 MiB"), "{:?}", out.problems);
    let head: &[u8] = b"<eagle version=\"9\"><drawing><schematic><parts><part name=\"U1\" value=\"BC66\"/>\n<part name=\"";
    let out = read_stream_of(head.chain(io::repeat(b'x').take(1 << 30)));
    assert!(says(&out, "16 MiB") && parts(&out).len() == 1, "{:?}", out.problems);
}

#[test]
fn lz_string_bombs_are_bounded() {
    // What is packed never comes out as more than a board has: words that double feed on each other.
    let page = |data: &str| {
        format!(
            "<html><title>Interactive BOM for KiCAD</title><script>\nvar pcbdata = JSON.parse(LZString.decompressFromBase64(\"{data}\"))\n</script>"
        )
    };
    for data in ["", "A", "////", "N4IgLgngDgpiBcIQ", "!"] {
        assert!(says(&read_bytes("a.html", page(data).as_bytes()), "cannot be unpacked"), "{data}");
    }
}

#[test]
fn a_hundred_thousand_parts_are_read_in_their_order() {
    let mut text = String::from("(kicad_sch\n");
    for n in 0..100_000 {
        text.push_str(&format!("(symbol (lib_id \"d:R\") (uuid {n}) (property \"Reference\" \"R{n}\") (property \"Value\" \"{n}k\"))\n"));
    }
    text.push(')');
    let out = read_bytes("big.kicad_sch", text.as_bytes());
    assert_eq!(parts(&out).len(), 100_000);
    assert!(parts(&out).iter().enumerate().all(|(n, p)| p.designators[0].as_ref() == format!("R{n}") && p.placed == Placed::Yes));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever is cut or changed in a design file, reading ends, and ends without a bug.
    #[test]
    fn changed_files_break_nothing(at in 0usize..4000, byte: u8, keep in 0usize..6000) {
        use std::fs;
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/eda");
        for file in [
            "kicad-units-and-sheets/BG95-modem.kicad_sch", "kicad-legacy/gateway.sch", "kicad-netlist/gateway.net", "eagle/board.sch",
            "altium-list/gateway.BomDoc", "altium-schematic/gateway.SchDoc", "ibom/packed.html", "ipc-2581/gateway.xml", "orcad/tabs.bom",
        ] {
            let mut bytes = fs::read(root.join(file)).unwrap();
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            bytes.truncate(keep);
            let out = read_stream_of(&bytes[..]);
            proptest::prop_assert!(!out.problems.iter().any(|p| p.what.contains("a bug")), "{file}: {:?}", out.problems);
        }
    }
}
