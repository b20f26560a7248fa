//! Inputs made to harm: each gives a problem that says where, in bounded time and memory, and costs its neighbours
//! nothing.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;
use umbilical_core::{At, Observations};
use umbilical_evidence::open::read_stream;
use umbilical_evidence::{Context, Source};
use umbilical_knowledge::Knowledge;
use zip::write::SimpleFileOptions;

use crate::fixtures::read_bytes;

/// Reads a stream that is on no disk.
fn read_endless(name: &str, stream: impl Read) -> Observations {
    let knowledge = Knowledge::embedded();
    let cx = Context { knowledge: &knowledge, mapping: None, purpose: Default::default(), validate: false, path: name };
    let mut out = Observations::new();
    let mut source = Source::new(Box::new(stream)).unwrap();
    read_stream(&mut source, &cx, &mut out).unwrap();
    out
}

fn says(out: &Observations, what: &str) -> bool {
    out.problems.iter().any(|p| p.what.contains(what))
}

const SIMS: &str = "imei,iccid,imsi\n490154203237518,8988200000000123456,901405100000001\n";

/// Peak memory of this process so far, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or("VmHWM: 0 kB");
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn a_line_of_a_gigabyte_in_a_table_and_in_json_lines() {
    const GIGABYTE: u64 = 1 << 30;
    for (name, head, fill, what) in [
        ("a.csv", SIMS, b'x', "longer than 1 MiB"),
        ("b.csv", "imei,iccid,imsi\n490154203237518,8988200000000123456,901405100000001\n\"", b',', "longer than 1 MiB"),
        ("c.jsonl", "{\"imei\":\"490154203237518\"}\n{\"imei\":\"490154203237526\"}\n{\"imei\":\"", b'1', "longer than 1 MiB"),
        ("d.json", "[{\"imei\":\"490154203237518\"},{\"imei\":\"", b'1', "64 MiB"),
    ] {
        // A gigabyte once; the others show the same bound with a tenth of it.
        let size = if name == "a.csv" { GIGABYTE } else { GIGABYTE / 10 };
        let tail = "\n490154203237526,8988200000000123457,901405100000002\n";
        let out = read_endless(name, head.as_bytes().chain(io::repeat(fill).take(size)).chain(tail.as_bytes()));
        assert!(says(&out, what), "{name}: {:?}", out.problems);
        assert!(out.problems.iter().any(|p| p.at != At::WHOLE), "{name}: no place");
        if name.ends_with("csv") {
            assert_eq!(out.len(), 2, "{name}: the rows around it are read");
        }
    }
    assert!(peak() < 700, "peak memory {} MiB", peak());
}

#[test]
fn a_quote_that_never_ends() {
    let mut text = String::from("name,imei\n\"open,490154203237518\n");
    for _ in 0..200_000 {
        text.push_str("a,490154203237526\n");
    }
    let out = read_bytes("open.csv", text.as_bytes());
    assert!(says(&out, "never closed"));
    assert_eq!(out.len(), 200_001);
}

#[test]
fn nothing_but_nulls_and_noise() {
    for bytes in [vec![0u8; 100_000], (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()] {
        let out = read_bytes("noise", &bytes);
        assert_eq!((out.inputs.len(), out.inputs[0].format.as_str(), out.problems.len()), (1, "unknown", 1));
        assert_eq!(out.inputs[0].bytes, 100_000);
    }
    let out = read_bytes("nulls.csv", SIMS.replace(",89", ",\0\089").as_bytes());
    assert_eq!(out.len(), 1);
    let out = read_bytes("broken.csv", &[SIMS.as_bytes(), b"490154203237526,\xff\xfe\x80,901405100000002\n"].concat());
    assert_eq!(out.len(), 2);
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// So many MiB of zeros, deflated: one block that ends at a byte, again and again.
fn zeros(mib: usize) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(&vec![0u8; 1 << 20]).unwrap();
    deflate.flush().unwrap();
    let block = deflate.get_ref().clone();
    let mut out = block.repeat(mib);
    // A last block with nothing in it (RFC 1951, fixed codes, end of block).
    out.extend_from_slice(&[3, 0]);
    out
}

fn gzip_of_zeros(mib: usize) -> Vec<u8> {
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    out.extend_from_slice(&zeros(mib));
    out.extend_from_slice(&[0; 8]);
    out
}

/// A ZIP whose one member is this deflated stream, with whatever size the directory is to declare.
fn zip_of_deflated(name: &str, deflated: &[u8], declared: u32) -> Vec<u8> {
    let mut fields = Vec::new();
    // APPNOTE 4.3.7 from "version needed" on: version, flags, method 8, time, date, CRC, sizes, lengths.
    for field in [20u16, 0, 8, 0, 0x21] {
        fields.extend_from_slice(&field.to_le_bytes());
    }
    fields.extend_from_slice(&[0; 4]);
    fields.extend_from_slice(&u32::try_from(deflated.len()).unwrap().to_le_bytes());
    fields.extend_from_slice(&declared.to_le_bytes());
    fields.extend_from_slice(&(name.len() as u16).to_le_bytes());
    fields.extend_from_slice(&[0; 2]);
    let mut out = [b"PK\x03\x04", fields.as_slice(), name.as_bytes(), deflated].concat();
    let directory = out.len();
    out.extend_from_slice(&[b"PK\x01\x02\x14\0", fields.as_slice(), &[0; 14], name.as_bytes()].concat());
    let len = out.len() - directory;
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&(len as u32).to_le_bytes());
    out.extend_from_slice(&(directory as u32).to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

#[test]
fn bombs() {
    // Ten gigabytes of nothing, alone and beside something: they take no longer than one.
    let gz = gzip_of_zeros(10 << 10);
    let took = |gz: &[u8]| {
        let before = std::time::Instant::now();
        let out = read_bytes("bomb.gz", gz);
        assert!(says(&out, "decompression bomb does: the first 64 MiB"), "{:?}", out.problems);
        before.elapsed()
    };
    let (one, ten) = (took(&gzip_of_zeros(1 << 10)), took(&gz));
    assert!(ten < one * 4, "{one:?}, {ten:?}");
    let out = read_bytes("beside.zip", &zip_of(&[("a.csv", SIMS.as_bytes()), ("bomb.gz", &gz)]));
    assert!(says(&out, "decompression bomb") && out.len() == 1, "{:?}", out.problems);
    // The same in a ZIP, by its own account and under a lie.
    let deflated = zeros(2 << 10);
    for declared in [u32::MAX - 1, 10] {
        let out = read_bytes("bomb.zip", &zip_of_deflated("zeros", &deflated, declared));
        assert!(says(&out, "decompression bomb") || says(&out, "larger than its declared"), "{declared}: {:?}", out.problems);
    }
    // One inside the other, sixteen times at each of six levels.
    let mut nest = zip_of(&[("0", &vec![0u8; 1 << 20])]);
    for _ in 0..6 {
        let names: Vec<String> = (0..16).map(|n| format!("{n}.zip")).collect();
        nest = zip_of(&names.iter().map(|n| (n.as_str(), nest.as_slice())).collect::<Vec<_>>());
    }
    let out = read_bytes("nest.zip", &nest);
    assert!(says(&out, "four deep") || says(&out, "decompression bomb"), "{:?}", out.problems.iter().take(3).collect::<Vec<_>>());
    // A spreadsheet, whatever it declares.
    for declared in [u32::MAX - 1, 10] {
        let out = read_bytes("bomb.xlsx", &zip_of_deflated("xl/worksheets/sheet1.xml", &zeros(600), declared));
        assert!(says(&out, "more than 512 MiB") || (declared == 10 && says(&out, "cannot be opened")), "{declared}: {:?}", out.problems);
    }
    assert!(peak() < 700, "peak memory {} MiB", peak());
}

#[test]
fn documents_made_to_be_deep_or_to_multiply() {
    let out = read_bytes("deep.json", ("[".repeat(100_000) + &"]".repeat(100_000)).as_bytes());
    assert!(says(&out, "recursion limit"), "{:?}", out.problems);
    let out = read_bytes("deep.json", (r#"{"a":"#.repeat(100_000)).as_bytes());
    assert_eq!(out.problems.len(), 1, "{:?}", out.problems);
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><table:table table:name="s"><table:table-row table:number-rows-repeated="1000000000"><table:table-cell table:number-columns-repeated="1000000000"><text:p>&c;imei</text:p></table:table-cell></table:table-row></table:table></office:document-content>"#;
    let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    zip.start_file("mimetype", SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored)).unwrap();
    zip.write_all(b"application/vnd.oasis.opendocument.spreadsheet").unwrap();
    zip.start_file("content.xml", SimpleFileOptions::default()).unwrap();
    zip.write_all(laughs.as_bytes()).unwrap();
    let out = read_bytes("laughs.ods", &zip.finish().unwrap().into_inner());
    assert_eq!(out.inputs[0].format, "ods");
    assert!(peak() < 2000);
}

#[test]
fn names_steer_no_terminal() {
    let out = read_bytes("names.csv", "name,imei\n\u{1b}[31mred\u{202e}<script>,490154203237518\n=cmd()\u{7},490154203237526\n".as_bytes());
    let text = format!("{out:?}");
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']) && text.contains("[31mred<script>") && text.contains("=cmd()"), "{text}");
}

fn seeds() -> Vec<Vec<u8>> {
    let fixture = |path: &str| std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)).unwrap();
    [
        "table/xlsx/fleet.xlsx",
        "table/ods/meters.ods",
        "table/xls/units.xls",
        "table/nested-json/devices.json",
        "table/router-json/devices.json",
        "table/bad-rows/bad.csv",
        "table/masked-jsonl/sims.jsonl",
        "archive/zip/evidence.zip",
        "archive/tar-gz/evidence.tgz",
        "archive/tar-gz/plain.tar",
    ]
    .map(fixture)
    .into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 40 } else { 200 }))]

    #[test]
    fn no_damage_breaks_a_reader(which in 0usize..10, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12), cut in proptest::option::of(any::<prop::sample::Index>())) {
        let mut bytes = seeds().swap_remove(which);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let out = read_bytes("damaged", &bytes);
        prop_assert!(!says(&out, "a bug"), "{:?}", out.problems);
    }

    #[test]
    fn no_bytes_break_a_reader(
        head in prop_oneof![
            Just(&b"PK\x03\x04"[..]), Just(&b"\x1f\x8b\x08"[..]), Just(&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..]), Just(&b"{\"a\":"[..]), Just(&b"[{"[..]), Just(&b"imei,iccid\n"[..]), Just(&b""[..])
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        let out = read_bytes("any", &[head, &rest].concat());
        prop_assert!(!out.inputs.is_empty() && !says(&out, "a bug"), "{:?}", out.problems);
    }
}
