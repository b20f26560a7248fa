//! Names that steer terminals, spreadsheets and browsers.

use super::{Folder, imei, run};

#[test]
fn names_steer_nothing() {
    let folder = Folder::new();
    let number = imei("86769804", 9);
    let evil = [
        "=cmd|'/c calc'!A1",
        "<script>alert(1)</script>",
        "\u{1b}]0;owned\u{7}\u{1b}[2J",
        "\u{202e}gnp.exe",
        "@SUM(1+1)",
        "\"><img src=x onerror=alert(1)>",
    ];
    let mut table = String::from("asset id,name,imei\n");
    for (n, name) in evil.iter().enumerate() {
        table.push_str(&format!("X-{n},\"{}\",{}\n", name.replace('"', "\"\""), if n == 0 { number.as_str() } else { "" }));
    }
    folder.write("evil/<b>name.csv", table);
    let text = run(&folder, ["audit", "evil", "--no-save", "--color", "never"]);
    assert_eq!(text.code, 0, "{}", text.err);
    assert!(!text.out.contains('\u{1b}') && !text.out.contains('\u{7}') && !text.out.contains('\u{202e}'));
    let html = run(&folder, ["audit", "evil", "--no-save", "--format", "html"]).out;
    assert!(!html.contains("<script") && !html.contains("<img src=x") && !html.contains("<b>name"));
    assert!(html.contains("&lt;script&gt;"));
    let csv = run(&folder, ["audit", "evil", "--no-save", "--format", "csv"]).out;
    for cell in csv.split(['\n', ',']) {
        let cell = cell.trim_start_matches('"');
        assert!(!cell.starts_with(['=', '@', '+', '\t']), "{cell}");
    }
    let why = run(&folder, ["explain", "X-2", "evil"]);
    assert!(!why.out.contains('\u{1b}'), "{}", why.out);
}

#[test]
fn messages_steer_no_terminal() {
    let folder = Folder::new();
    for args in [
        &["audit", "/no\u{1b}[31msuch"][..],
        &["audit", ".", "--fail-on", "\u{1b}[31m"],
        &["audit", ".", "--knowledge", "/no\u{1b}]0;x\u{7}"],
    ] {
        let ran = run(&folder, args);
        assert_eq!(ran.code, 2);
        assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{7}'), "{}", ran.err);
    }
}

#[test]
fn broken_files_are_located_problems() {
    let folder = Folder::new();
    folder.write("e/zip.zip", b"PK\x03\x04 not really a zip");
    folder.write("e/gz.gz", b"\x1f\x8b\x08\x00 truncated");
    folder.write("e/json.json", "{\"devices\": [{\"imei\": \"");
    folder.write("e/nul.txt", [b"IMEI\0\0\0: ".as_slice(), &[0xff, 0xfe, 0x80]].concat());
    folder.write("e/csv.csv", "asset id,imei\nA-1,123\nA-2,\"never closed\n");
    folder.write("e/xlsx.xlsx", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let ran = run(&folder, ["audit", "e", "--format", "json", "--no-save"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let doc = ran.json();
    let problems = doc["problems"].as_array().unwrap();
    assert!(problems.len() >= 4, "{problems:#?}");
    assert!(problems.iter().all(|p| p["input"].is_u64() && !p["what"].as_str().unwrap().is_empty()));
}
