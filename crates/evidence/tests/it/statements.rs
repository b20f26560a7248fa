//! CycloneDX as XML, SPDX, hardware manifests: what is read of them, that their forms agree, and inputs made to harm.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use umbilical_core::bom::{Part, Placed};
use umbilical_core::{At, Observations};
use umbilical_evidence::open::read_stream;
use umbilical_evidence::{Context, Purpose, Source};
use umbilical_knowledge::Knowledge;

use crate::fixtures::{read_stream_of, walk};

#[test]
fn fixtures() {
    walk("cyclonedx-xml");
    walk("spdx");
    walk("tcg");
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

fn read(text: &str) -> Observations {
    read_stream_of(io::Cursor::new(text.as_bytes().to_vec()))
}

fn read_file(path: &str) -> Observations {
    read_stream_of(fs::File::open(fixture(path)).unwrap())
}

fn judged(text: &str) -> Observations {
    let knowledge = Knowledge::embedded();
    let cx = Context { knowledge: &knowledge, mapping: None, purpose: Purpose::Bom, validate: true, path: "a" };
    let mut out = Observations::new();
    let mut source = Source::new(Box::new(io::Cursor::new(text.as_bytes().to_vec()))).unwrap();
    read_stream(&mut source, &cx, &mut out).unwrap();
    out
}

fn parts(out: &Observations) -> &[Part] {
    out.boms.first().map_or(&[], |b| &b.parts)
}

fn format(out: &Observations) -> &str {
    &out.inputs[0].format
}

/// Whether a problem says so, at a place.
fn says(out: &Observations, what: &str) -> bool {
    out.problems.iter().any(|p| p.what.contains(what) && p.at != At::WHOLE)
}

/// Parts without their places, what was kept of each in one order.
fn bare(out: &Observations) -> Vec<Part> {
    let bare = |part: &Part| {
        let mut part = Part { at: At::WHOLE, ..part.clone() };
        part.properties.sort();
        part
    };
    parts(out).iter().map(bare).collect()
}

/// The names on the way to a part, the outermost first.
fn path_to(out: &Observations, name: &str) -> Vec<String> {
    let all = parts(out);
    let named = |p: &Part| p.value.as_deref() == Some(name) || p.mpn.as_deref() == Some(name);
    let mut at = all.iter().position(named);
    let mut way = Vec::new();
    while let Some(i) = at {
        way.push(all[i].value.as_deref().unwrap_or("-").to_owned());
        at = all[i].parent.map(|p| p as usize);
        assert!(at.is_none_or(|p| p < i), "a part stands behind the one that holds it");
    }
    way.reverse();
    way
}

#[test]
fn xml_and_json_of_one_bill_give_the_same() {
    for case in ["gateway-1.6", "six-deep-1.4"] {
        let xml = read_file(&format!("cyclonedx-xml/{case}/bom.xml"));
        let json = read_file(&format!("cyclonedx-xml/{case}/bom.json"));
        assert_eq!((format(&xml), format(&json)), ("cyclonedx-xml", "cyclonedx-json"));
        assert_eq!(bare(&xml), bare(&json), "{case}");
        assert_eq!((&xml.boms[0].product, &xml.boms[0].spec), (&json.boms[0].product, &json.boms[0].spec));
        let kept = |out: &Observations| {
            let mut kept = out.boms[0].properties.clone();
            kept.sort();
            kept
        };
        assert_eq!(kept(&xml), kept(&json), "{case}");
        assert!(xml.problems.is_empty(), "{:?}", xml.problems);
    }
}

#[test]
fn json_and_tags_of_one_document_give_the_same() {
    let (json, tags) = (read_file("spdx/six-deep-2.3/device.spdx.json"), read_file("spdx/six-deep-2.3/device.spdx"));
    assert_eq!((format(&json), format(&tags)), ("spdx-json", "spdx-tag-value"));
    assert_eq!(bare(&json), bare(&tags));
    assert_eq!(json.boms[0].product, tags.boms[0].product);
    assert!(json.problems.is_empty() && tags.problems.is_empty());
}

#[test]
fn a_module_six_levels_down_is_found_with_its_path() {
    for (file, name, depth) in [
        ("cyclonedx-xml/six-deep-1.4/bom.xml", "SARA-R410M-02B", 6),
        ("spdx/six-deep-2.3/device.spdx.json", "SARA-R410M-02B", 6),
        ("spdx/six-deep-2.3/device.spdx", "SARA-R410M-02B", 6),
        ("spdx/six-deep-3.1/hardware.spdx3.json", "BG95-M3", 6),
    ] {
        let out = read_file(file);
        let way = path_to(&out, name);
        assert_eq!((way.len(), way[0].as_str()), (depth, "cabinet"), "{file}: {way:?}");
    }
}

#[test]
fn a_format_is_known_by_its_content_in_any_encoding() {
    let xml = fs::read_to_string(fixture("cyclonedx-xml/gateway-1.6/bom.xml")).unwrap();
    let spdx = fs::read_to_string(fixture("spdx/six-deep-2.3/device.spdx")).unwrap();
    for (text, format, count) in [(xml.replace("UTF-8", "UTF-16"), "cyclonedx-xml", 3), (spdx, "spdx-tag-value", 7)] {
        for big in [false, true] {
            let bytes: Vec<u8> = std::iter::once(0xfeff)
                .chain(text.encode_utf16())
                .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
                .collect();
            let out = read_stream_of(io::Cursor::new(bytes));
            assert_eq!((self::format(&out), parts(&out).len()), (format, count));
            assert!(out.problems.is_empty(), "{:?}", out.problems);
        }
    }
    for (text, expected) in [
        ("<?xml version='1.0'?><!-- a --><bom xmlns='http://cyclonedx.org/schema/bom/1.2'/>", "cyclonedx-xml"),
        ("{\"spdxVersion\":\"SPDX-2.3\"}", "spdx-json"),
        ("{\"@graph\":[],\"@context\":\"https://spdx.org/rdf/3.0.1/spdx-context.jsonld\"}", "spdx3-json"),
        ("# x\nSPDXVersion: SPDX-2.3\n", "spdx-tag-value"),
        ("{\"COMPONENTS\":[{\"COMPONENTCLASS\":{\"COMPONENTCLASSREGISTRY\":\"2.23.133.18.3.1\"}}]}", "tcg-manifest"),
    ] {
        assert_eq!(format(&read(text)), expected, "{text}");
    }
    for (text, not) in [
        ("<html>see http://cyclonedx.org/schema/bom/1.6</html>", "cyclonedx-xml"),
        ("{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"name\":\"SPDX-2.3\"}", "spdx-json"),
        ("[{\"imei\":\"490154203237518\",\"note\":\"spdxVersion SPDX-2.3\"}]", "spdx-json"),
        ("{\"PLATFORM\":\"GW-40\",\"imei\":\"490154203237518\"}", "tcg-manifest"),
    ] {
        assert_ne!(format(&read(text)), not, "{text}");
    }
}

#[test]
fn what_no_schema_judges_never_passes() {
    for file in [
        "cyclonedx-xml/gateway-1.6/bom.xml",
        "spdx/six-deep-2.3/device.spdx.json",
        "spdx/six-deep-2.3/device.spdx",
        "spdx/six-deep-3.1/hardware.spdx3.json",
        "tcg/platform/components.json",
    ] {
        let out = judged(&fs::read_to_string(fixture(file)).unwrap());
        assert_eq!(out.schema_errors, 1, "{file}");
        assert!(out.problems.iter().any(|p| p.what.starts_with("not validated: ")), "{file}");
        assert_eq!(read_file(file).schema_errors, 0, "{file}");
    }
}

#[test]
fn a_removed_component_is_not_placed() {
    let out = read_file("tcg/delta/delta.json");
    let placed: Vec<_> = parts(&out).iter().map(|p| (p.value.as_deref().unwrap(), p.is_placed())).collect();
    assert_eq!(placed, [("FN980", false), ("FM350-GL", true), ("1.3", true)]);
    assert_eq!(parts(&out)[0].placed, Placed::No("removed".into()));
    assert_eq!(parts(&out)[0].role.as_deref(), Some("5g cellular modem"));
}

#[test]
fn platform_certificates_are_named_and_not_read() {
    // The identifier of the attribute that holds the configuration of a platform, 2.23.133.5.1.7.2.
    let der =
        [&[0x30, 0x82, 0x01, 0x00, 0x30, 0x81, 0xc0, 0x02, 0x01, 0x01, 0, 0xff][..], b"\x06\x07\x67\x81\x05\x05\x01\x07\x02", &[0xfe; 40]]
            .concat();
    let pem = "-----BEGIN ATTRIBUTE CERTIFICATE-----\nMIIBAA==\n-----END ATTRIBUTE CERTIFICATE-----\n";
    for bytes in [der, pem.as_bytes().to_vec()] {
        let out = read_stream_of(io::Cursor::new(bytes));
        assert!(out.boms.is_empty() && out.problems.iter().any(|p| p.what.contains("platform certificate")), "{:?}", out.problems);
    }
}

/// Text that is on no disk.
fn repeated(head: &str, fill: &'static str, times: u64, tail: &'static str) -> impl Read + use<> {
    struct Repeat(&'static [u8], usize, u64);
    impl Read for Repeat {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let mut n = 0;
            while n < buf.len() && self.2 > 0 {
                let take = (self.0.len() - self.1).min(buf.len() - n);
                buf[n..n + take].copy_from_slice(&self.0[self.1..self.1 + take]);
                n += take;
                self.1 += take;
                if self.1 == self.0.len() {
                    (self.1, self.2) = (0, self.2 - 1);
                }
            }
            Ok(n)
        }
    }
    io::Cursor::new(head.as_bytes().to_vec()).chain(Repeat(fill.as_bytes(), 0, times)).chain(tail.as_bytes())
}

const XML: &str =
    "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components>\n<component type=\"device\"><name>EC25-E</name></component>";
const SPDX: &str = "{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[\n{\"SPDXID\":\"a\",\"name\":\"EC25-E\"},\n";
const GRAPH: &str = "{\"@context\":\"https://spdx.org/rdf/3.0.1/c\",\"@graph\":[\n{\"type\":\"software_Package\",\"name\":\"EC25-E\"},\n";
const TCG: &str = "{\"PLATFORM\":{\"PLATFORMMANUFACTURERSTR\":\"x\"},\"COMPONENTS\":[\n{\"MODEL\":\"EC25-E\"},\n";

#[test]
fn a_hundred_thousand_deep() {
    for head in [SPDX, GRAPH, TCG] {
        for (fill, end) in [("[", "]"), ("{\"a\":", "}")] {
            let out = read_stream_of(repeated(head, fill, 100_000, "1"));
            assert!(says(&out, "breaks off"), "{head}: {:?}", out.problems);
            let closed = format!(
                "{head}{}1{},{{\"name\":\"after\",\"MODEL\":\"after\",\"type\":\"Package\"}}]}}",
                fill.repeat(100_000),
                end.repeat(100_000)
            );
            let out = read(&closed);
            assert!(says(&out, "nested deeper than 100 levels"), "{:?}", out.problems);
            assert_eq!(parts(&out).last().unwrap().value.as_deref(), Some("after"));
        }
    }
    for fill in ["<x>", "<components><component type=\"device\">", "<component><components>"] {
        let out = read_stream_of(repeated(XML, fill, 100_000, ""));
        assert!(!out.problems.is_empty() && out.problems.iter().any(|p| p.at != At::WHOLE), "{fill}");
        assert_eq!(parts(&out)[0].value.as_deref(), Some("EC25-E"));
        assert!(parts(&out).len() < 300);
    }
}

#[test]
fn components_are_read_to_any_real_depth_in_xml() {
    let nested = |depth: usize| {
        let (open, close) = ("<components><component type=\"device\"><name>a</name>", "</component></components>");
        format!("<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\">{}{}</bom>", open.repeat(depth), close.repeat(depth))
    };
    assert_eq!(parts(&read(&nested(256))).len(), 256);
    let out = read(&nested(260));
    assert!(parts(&out).len() == 256 && says(&out, "more than 256 components inside one another"), "{:?}", out.problems);
}

#[test]
fn a_string_without_end_is_bounded() {
    for (head, mib) in [(SPDX, 200), (GRAPH, 6), (TCG, 6)] {
        let head = format!("{head}{{\"type\":\"Package\",\"description\":\"");
        let out = read_stream_of(repeated(
            &head,
            "0123456789abcdef",
            mib << 16,
            "\"},{\"type\":\"Package\",\"name\":\"after\",\"MODEL\":\"after\"}]}",
        ));
        assert!(says(&out, "longer than 4 MiB"), "{:?}", out.problems);
        assert_eq!(parts(&out).last().unwrap().value.as_deref(), Some("after"));
    }
    let tags = "SPDXVersion: SPDX-2.3\nPackageName: EC25-E\nPackageComment: <text>";
    let out = read_stream_of(repeated(tags, "line after line\n", 20 << 16, "</text>\nPackageName: after\n"));
    assert_eq!(parts(&out).last().unwrap().value.as_deref(), Some("after"));
    assert!(parts(&out)[0].properties.iter().all(|(_, v)| v.len() <= 4200));
    let out = read_stream_of(repeated(tags, "x", 200 << 20, "</text>\nPackageName: after\n"));
    assert!(says(&out, "longer than 1 MiB"), "{:?}", out.problems);
    let out =
        read_stream_of(repeated(&format!("{XML}<component><name>"), "0123456789abcdef", 1 << 26, "</name></component></components></bom>"));
    assert!(says(&out, "16 MiB") && parts(&out)[0].value.as_deref() == Some("EC25-E"), "{:?}", out.problems);
}

#[test]
fn entities_are_not_followed_and_a_type_definition_is_told() {
    let out = read_file("cyclonedx-xml/entities/bom.xml");
    assert!(says(&out, "entities of its own") && parts(&out)[1].value.as_deref() == Some("SIM7600G-H"));
    assert_eq!(parts(&out)[0].value.as_deref(), Some("before  and  behind"));
    let laughs: String = (1..60).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let out = read(&format!(
        "<!DOCTYPE bom [<!ENTITY l0 \"ha\">{laughs}]>{XML}<component><name>&l59;</name><description a=\"&l59;\"/></component></components></bom>"
    ));
    assert!(says(&out, "entities of its own") && parts(&out).len() == 2, "{:?}", out.problems);
    let out = read(&format!("<!DOCTYPE bom SYSTEM \"http://example.invalid/bom.dtd\">{XML}</components></bom>"));
    assert!(says(&out, "entities of its own") && parts(&out).len() == 1);
}

#[test]
fn endless_children_of_one_part_are_cut_and_the_next_is_read() {
    let head = format!("{XML}<component><name>wide</name><hashes>");
    let tail = "</hashes></component><component><name>after</name></component></components></bom>";
    let out = read_stream_of(repeated(&head, "<hash alg=\"MD5\">00</hash>", 1_000_000, tail));
    assert!(says(&out, "longer than 8 MiB"), "{:?}", out.problems);
    let names: Vec<_> = parts(&out).iter().map(|p| p.value.as_deref()).collect();
    assert_eq!(names, [Some("EC25-E"), Some("wide"), Some("after")]);
    // What one part took is free for the next.
    let full = "<component><name>full</name><hashes><hash alg=\"MD5\">00</hash></hashes></component>";
    let out = read_stream_of(repeated(XML, full, 100_000, "</components></bom>"));
    assert!(parts(&out).len() == 100_001 && out.problems.is_empty(), "{:?}", out.problems);
    let fields = "PackageFileName: a\nExternalRef: OTHER x y\n";
    let out = read_stream_of(repeated("SPDXVersion: SPDX-2.3\nPackageName: EC25-E\n", fields, 100_000, "PackageName: after\n"));
    assert!(says(&out, "more than 2000 fields") && parts(&out).len() == 2, "{:?}", out.problems);
}

#[test]
fn a_long_way_of_relationships_costs_no_stack() {
    let mut text = String::from("SPDXVersion: SPDX-2.3\n");
    for n in 0..100_000 {
        text.push_str(&format!(
            "PackageName: p{n}\nSPDXID: SPDXRef-{n}\nRelationship: SPDXRef-{} CONTAINS SPDXRef-{n}\n",
            (n + 1) % 100_000
        ));
    }
    let out = read(&text);
    assert_eq!(parts(&out).len(), 100_000);
    assert!(says(&out, "is held by what it holds"));
    assert!(parts(&out).iter().enumerate().all(|(i, p)| p.parent.is_none_or(|h| (h as usize) < i)));
    assert_eq!(parts(&out).iter().filter(|p| p.parent.is_none()).count(), 1);
}

#[test]
fn what_breaks_off_gives_what_stands_before_and_says_so() {
    for file in [
        "cyclonedx-xml/gateway-1.6/bom.xml",
        "spdx/six-deep-2.3/device.spdx.json",
        "spdx/six-deep-3.1/hardware.spdx3.json",
        "tcg/platform/components.json",
    ] {
        let whole = fs::read(fixture(file)).unwrap();
        let all = parts(&read_file(file)).len();
        for end in (whole.len() / 3..whole.trim_ascii_end().len()).step_by(37) {
            let out = read_stream_of(&whole[..end]);
            assert!(!out.problems.is_empty(), "{file}: {end}");
            assert!(!out.problems.iter().any(|p| p.what.contains("a bug")) && parts(&out).len() <= all + 1, "{file}: {end}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    /// Whatever is cut or changed in a statement, reading ends, ends without a bug, and parts stand after what holds them.
    #[test]
    fn changed_files_break_nothing(at in 0usize..5000, byte: u8, keep in 0usize..7000) {
        for file in [
            "cyclonedx-xml/gateway-1.6/bom.xml", "spdx/six-deep-2.3/device.spdx.json", "spdx/six-deep-2.3/device.spdx",
            "spdx/six-deep-3.1/hardware.spdx3.json", "tcg/platform/components.json", "tcg/traits/v2.json",
        ] {
            let mut bytes = fs::read(fixture(file)).unwrap();
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
            bytes.truncate(keep);
            let out = read_stream_of(&bytes[..]);
            proptest::prop_assert!(!out.problems.iter().any(|p| p.what.contains("a bug")), "{file}: {:?}", out.problems);
            let ordered = parts(&out).iter().enumerate().all(|(i, p)| p.parent.is_none_or(|h| (h as usize) < i));
            proptest::prop_assert!(ordered, "{file}");
        }
    }
}
