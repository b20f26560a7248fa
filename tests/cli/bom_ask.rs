//! `bom ask` and `bom answer`: asked, filled in, saved again by other programs, read.

use std::io::Write as _;

use rust_xlsxwriter::Workbook;
use serde_json::Value;
use umbilical_core::answer::suppliers::Sheet;
use umbilical_evidence::table::raw;

use super::docs::Schema;
use super::{Folder, Ran, run};

const ASK: [&str; 8] = ["bom", "ask", "--device", "GW-17", "--supplier", "Acme Gateways", "--as-of", "2026-11-25"];

fn ask(folder: &Folder, more: &[&str]) -> Ran {
    let ran = run(folder, ASK.iter().chain(more));
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran
}

fn answer(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["bom", "answer", "--as-of", "2026-12-20"].iter().chain(words))
}

fn judged(folder: &Folder, words: &[&str]) -> Value {
    let ran = answer(folder, &[words, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = ran.json();
    let wrong = Schema::load("bom-answer").wrong(&document);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    document
}

/// The sheets of a file, every row with the empty ones between.
fn sheets(folder: &Folder, name: &str) -> Vec<Sheet> {
    raw::sheets(&std::fs::read(folder.path().join(name)).unwrap()).unwrap().sheets
}

fn sheet<'s>(sheets: &'s mut [Sheet], name: &str) -> &'s mut Sheet {
    sheets.iter_mut().find(|s| s.name == name).unwrap()
}

/// Writes a text into the column of a key, in the row in which a cell has this text.
fn put(sheet: &mut Sheet, row: &str, key: &str, text: &str) {
    let keys = sheet.rows.iter().find(|(_, r)| r.iter().any(|c| *c == format!("#{key}"))).unwrap();
    let column = keys.1.iter().position(|c| *c == format!("#{key}")).unwrap();
    let (_, cells) = sheet.rows.iter_mut().find(|(_, r)| r.iter().any(|c| c == row)).unwrap();
    if cells.len() <= column {
        cells.resize(column + 1, String::new());
    }
    cells[column] = text.to_owned();
}

/// What the supplier of these tests fills in.
fn fill(sheets: &mut [Sheet]) {
    let questions = sheet(sheets, "Questions");
    for (id, status, text) in [
        ("HB-06", "disclosed", "Acme"),
        ("HB-13", "disclosed", "Telit"),
        ("HB-14", "disclosed", "EG25-G"),
        ("HB-15", "disclosed", "XMR201903EG25G"),
        ("HB-18", "withheld", ""),
        ("HB-20", "unknown", ""),
        ("HB-32", "disclosed", "=cmd|'/C calc'!A0"),
        ("HB-34", "disclosed", "<script>alert(1)</script>"),
    ] {
        put(questions, id, "status", status);
        put(questions, id, "answer", text);
        put(questions, id, "date", "2026-12-01");
    }
    put(questions, "HB-18", "reason", "agreement with the maker");
    put(questions, "HB-13", "evidence", "data sheet");
    let parts = sheet(sheets, "Parts");
    put(parts, "P1", "site_country", "Germany");
}

fn save_xlsx(folder: &Folder, name: &str, sheets: &[Sheet]) {
    let mut book = Workbook::new();
    for sheet in sheets {
        let to = book.add_worksheet().set_name(&sheet.name).unwrap();
        for (n, cells) in &sheet.rows {
            for (column, text) in (0u16..).zip(cells) {
                to.write_string(n - 1, column, text).unwrap();
            }
        }
    }
    folder.write(name, book.save_to_buffer().unwrap());
}

/// As an office suite writes it: columns in another order, empty rows and cells as repeats.
fn save_ods(folder: &Folder, name: &str, sheets: &[Sheet]) {
    let escape = |t: &str| t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut content = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>",
    );
    for sheet in sheets {
        content.push_str(&format!("<table:table table:name=\"{}\">", sheet.name));
        let width = sheet.rows.iter().map(|(_, r)| r.len()).max().unwrap();
        let mut before = 0;
        for (n, cells) in &sheet.rows {
            if n - before > 1 {
                content.push_str(&format!(
                    "<table:table-row table:number-rows-repeated=\"{}\"><table:table-cell/></table:table-row>",
                    n - before - 1
                ));
            }
            before = *n;
            content.push_str("<table:table-row><table:table-cell table:number-columns-repeated=\"3\"/>");
            // From right to left: every column stands elsewhere.
            for text in (0..width).rev().map(|c| cells.get(c).map_or("", String::as_str)) {
                content.push_str(&format!(
                    "<table:table-cell office:value-type=\"string\"><text:p>{}</text:p></table:table-cell>",
                    escape(text)
                ));
            }
            content.push_str("</table:table-row>");
        }
        content.push_str("<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"1024\"/></table:table-row></table:table>");
    }
    content.push_str("</office:spreadsheet></office:body></office:document-content>");
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("mimetype", stored).unwrap();
    zip.write_all(b"application/vnd.oasis.opendocument.spreadsheet").unwrap();
    zip.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content.as_bytes()).unwrap();
    folder.write(name, zip.finish().unwrap().into_inner());
}

/// One sheet with semicolons, headings overwritten.
fn save_csv(folder: &Folder, name: &str, sheet: &Sheet) {
    let mut to = csv::WriterBuilder::new().delimiter(b';').flexible(true).from_writer(Vec::new());
    for (n, cells) in &sheet.rows {
        if *n == 2 {
            to.write_record(["Acme Gateways", "answers of our office"]).unwrap();
        } else {
            to.write_record(cells).unwrap();
        }
    }
    folder.write(name, to.into_inner().unwrap());
}

fn status<'d>(document: &'d Value, id: &str) -> &'d Value {
    document["suppliers"][0]["answers"].as_array().unwrap().iter().find(|a| a["id"] == id).unwrap()
}

#[test]
fn what_was_filled_in_is_what_is_answered() {
    let folder = Folder::new();
    ask(&folder, &["--due", "2026-12-15", "-o", "asked.xlsx"]);
    let mut filled = sheets(&folder, "asked.xlsx");
    assert_eq!(filled.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Read me", "Questions", "Parts", "About"]);
    fill(&mut filled);
    save_xlsx(&folder, "reply.xlsx", &filled);
    save_ods(&folder, "reply.ods", &filled);
    save_csv(&folder, "reply.csv", sheet(&mut filled, "Questions"));
    for name in ["reply.xlsx", "reply.ods", "reply.csv"] {
        let document = judged(&folder, &[name, "--asked", "asked.xlsx"]);
        let [s] = document["suppliers"].as_array().unwrap().as_slice() else { panic!("{name}: {document:#}") };
        assert_eq!((&s["supplier"], &s["device"], &s["due"]), (&"Acme Gateways".into(), &"GW-17".into(), &"2026-12-15".into()), "{name}");
        let counts = &s["counts"];
        assert_eq!(
            (&counts["disclosed"], &counts["withheld"], &counts["unknown"], &counts["unanswered"]),
            (&6.into(), &1.into(), &1.into(), &33.into()),
            "{name}"
        );
        assert_eq!(status(&document, "HB-13")["answer"], "Telit");
        assert_eq!(status(&document, "HB-13")["date"], "2026-12-01");
        assert_eq!(status(&document, "HB-18")["reason"], "agreement with the maker");
        assert_eq!(status(&document, "HB-32")["answer"], "=cmd|'/C calc'!A0", "text is kept as it is");
        let checks: Vec<&str> = s["contradictions"].as_array().unwrap().iter().filter_map(|c| c["check"].as_str()).collect();
        assert!(checks.contains(&"model-maker") && checks.contains(&"fcc-grantee"), "{name}: {checks:?}");
        let at = status(&document, "HB-13")["at"].as_str().unwrap();
        assert!(at.starts_with(if name == "reply.csv" { "row " } else { "sheet Questions row " }), "{at}");
    }
}

#[test]
fn a_document_may_be_filled_in_as_json() {
    let folder = Folder::new();
    ask(&folder, &["-o", "asked.json"]);
    let mut document: Value = serde_json::from_slice(&std::fs::read(folder.path().join("asked.json")).unwrap()).unwrap();
    let wrong = Schema::load("questionnaire").wrong(&document);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    document["questions"][5]["answer"] = "Acme".into();
    document["parts"][0]["part_maker"] = "Quectel".into();
    folder.write("reply.json", document.to_string());
    let got = judged(&folder, &["reply.json", "--asked", "asked.json"]);
    assert_eq!(status(&got, "HB-06")["status"], "disclosed");
    assert_eq!(status(&got, "HB-06")["at"], "questions item 6");
    let module = &got["suppliers"][0]["tiers"][2];
    assert_eq!((&module["tier"], &module["status"], &module["org"]), (&"module".into(), &"disclosed".into(), &"quectel".into()));
}

#[test]
fn the_workbook_is_the_same_every_time_and_computes_nothing() {
    let folder = Folder::new();
    let name = "=HYPERLINK(\"http://x\")";
    for file in ["a.xlsx", "b.xlsx"] {
        let ran = run(&folder, ["bom", "ask", "--device", name, "--supplier", "@Acme", "--as-of", "2026-11-25", "-o", file]);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
    let bytes = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
    assert_eq!(bytes("a.xlsx"), bytes("b.xlsx"));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes("a.xlsx"))).unwrap();
    for n in 0..zip.len() {
        let part = std::io::read_to_string(zip.by_index(n).unwrap()).unwrap();
        assert!(!part.contains("<f>"), "a formula");
    }
    let about = sheets(&folder, "a.xlsx").into_iter().find(|s| s.name == "About").unwrap();
    assert!(about.rows.iter().any(|(_, r)| r[0] == "#device" && r[1] == format!("'{name}")), "{:?}", about.rows);
    // The guard is taken off when the reply is read.
    let got = judged(&folder, &["a.xlsx"]);
    assert_eq!((&got["suppliers"][0]["device"], &got["suppliers"][0]["supplier"]), (&name.into(), &"@Acme".into()));
    let csv = answer(&folder, &["a.xlsx", "--format", "csv"]).out;
    assert!(csv.lines().skip(1).all(|l| l.starts_with("'@Acme,")), "{csv}");
}

/// A statement about a gateway; `parts` are its components.
fn statement(parts: &[(&str, &str, &str)]) -> String {
    let part = |(name, maker, what): &(&str, &str, &str)| {
        let mut part = serde_json::json!({"type": "device", "name": name, "description": what});
        if !maker.is_empty() {
            part["manufacturer"] = serde_json::json!({"name": maker});
        }
        part
    };
    let components: Vec<Value> = parts.iter().map(part).collect();
    serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {"type": "device", "name": "GW-17"}},
        "components": components,
    })
    .to_string()
}

#[test]
fn parts_of_documents_are_filled_in_and_unnamed_ones_come_first() {
    let folder = Folder::new();
    let asked = |parts: &[(&str, &str, &str)]| {
        folder.write("gw.cdx.json", statement(parts));
        ask(&folder, &["gw.cdx.json", "-o", "asked.json"]);
        serde_json::from_slice::<Value>(&std::fs::read(folder.path().join("asked.json")).unwrap()).unwrap()
    };
    let holder = ("SIM8060-6-0-14-00-A", "", "SIM card holder");
    let document = asked(&[("EG25-G", "Quectel", "LTE module"), holder, ("RC0402", "Yageo", "resistor 10k")]);
    let rows = |document: &Value| {
        let cells = |p: &Value| {
            ["our_ref", "function", "part_maker", "maker_part_number"].map(|k| p[k].as_str().unwrap_or("–").to_owned()).join("|")
        };
        document["parts"].as_array().unwrap().iter().map(cells).collect::<Vec<_>>()
    };
    // What the catalogue holds of the module's chip is not told to the supplier.
    assert_eq!(rows(&document), ["P1|sim|–|SIM8060-6-0-14-00-A", "P2|module|Quectel|EG25-G"]);
    let text = document.to_string();
    assert!(!text.contains("gw.cdx.json") && !text.contains("MDM9"), "{text}");
    // A holder without a module: the module is asked for.
    let document = asked(&[holder]);
    assert_eq!(rows(&document), ["P1|cellular module, named in no document|–|–", "P2|sim|–|SIM8060-6-0-14-00-A"]);
}

#[test]
fn silence_is_a_finding_and_a_gate_only_where_named() {
    let folder = Folder::new();
    ask(&folder, &["--due", "2026-12-15", "-o", "asked.xlsx"]);
    assert_eq!(answer(&folder, &["--asked", "asked.xlsx"]).code, 0);
    assert_eq!(answer(&folder, &["--asked", "asked.xlsx", "--fail-on", "silent-supplier"]).code, 1);
    assert_eq!(answer(&folder, &["--asked", "asked.xlsx", "--fail-on", "contradicted-answer"]).code, 0);
    let page = answer(&folder, &["--asked", "asked.xlsx"]).out;
    assert!(page.contains("silent") && page.contains("2026-12-29"), "{page}");
    // Sent back as it was: understood, and nothing in it.
    let s = judged(&folder, &["asked.xlsx", "--asked", "asked.xlsx"]);
    assert_eq!((&s["suppliers"][0]["state"], &s["suppliers"][0]["coverage"]["by_weight"]), (&"empty".into(), &0.0.into()));
}

#[test]
fn a_row_that_comes_back_as_it_was_filled_in_is_nobodys_answer() {
    let folder = Folder::new();
    folder.write("gw.cdx.json", statement(&[("EG25-G", "Quectel", "LTE module")]));
    ask(&folder, &["gw.cdx.json", "-o", "asked.json"]);
    let module = |reply: &str| {
        let got = judged(&folder, &[reply, "--asked", "asked.json"]);
        let supplier = got["suppliers"][0].clone();
        let tier = supplier["tiers"].as_array().unwrap().iter().find(|t| t["tier"] == "module").unwrap()["status"].clone();
        (tier, supplier["listed"].as_array().unwrap().len(), supplier["label"]["score"].clone())
    };
    assert_eq!(module("asked.json"), ("unanswered".into(), 0, 0.0.into()));
    // Somebody who adds to the row stands by it.
    let mut document: Value = serde_json::from_slice(&std::fs::read(folder.path().join("asked.json")).unwrap()).unwrap();
    document["parts"][0]["fcc_id"] = "XMR201903EG25G".into();
    folder.write("reply.json", document.to_string());
    let (tier, listed, _) = module("reply.json");
    assert_eq!((tier, listed), ("disclosed".into(), 1));
}

#[test]
fn what_is_no_reply_is_exit_2_with_its_reason() {
    let folder = Folder::new();
    folder.write("bom.csv", "Ref,Value\nU1,EG25-G\n");
    folder.write("junk.xlsx", b"PK\x03\x04 not a zip");
    folder.write("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 password");
    folder.write("empty.csv", "");
    for (name, why) in [
        ("bom.csv", "no reply to a questionnaire"),
        ("junk.xlsx", "damaged"),
        ("old.xls", "save it as XLSX"),
        ("empty.csv", "no reply"),
        ("gone.xlsx", "cannot read"),
    ] {
        let ran = answer(&folder, &[name]);
        assert_eq!(ran.code, 2, "{name}");
        assert!(ran.out.is_empty() && ran.err.contains(why), "{name}: {}", ran.err);
    }
    // Beside a reply it is a problem, unless everything must be read.
    ask(&folder, &["-o", "asked.xlsx"]);
    let got = judged(&folder, &["asked.xlsx", "bom.csv"]);
    assert_eq!((got["inputs"].as_array().unwrap().len(), &got["inputs"][1]["format"]), (2, &"unknown".into()));
    assert!(got["problems"][0]["what"].as_str().unwrap().contains("no reply"), "{got:#}");
    assert_eq!(answer(&folder, &["asked.xlsx", "bom.csv", "--strict"]).code, 2);
}

#[test]
fn mistakes_in_the_flags_are_named() {
    let folder = Folder::new();
    let cases: &[(&[&str], &str)] = &[
        (&["--template", "iso"], "hbom, mds2, tender"),
        (&["--due", "2026-11-24"], "lies before"),
        (&["--tiers", "7"], "1..=6"),
        (&["--format", "html"], "table, xlsx, json"),
    ];
    for (words, expected) in cases {
        let ran = run(&folder, ASK.iter().chain(*words));
        assert_eq!(ran.code, 2, "{words:?}");
        assert!(ran.err.contains(expected), "{words:?}: {}", ran.err);
    }
    assert_eq!(run(&folder, ["bom", "ask", "--device", " ", "--supplier", "x"]).code, 2);
    assert_eq!(run(&folder, ["bom", "answer"]).code, 2);
}
