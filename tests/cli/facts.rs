//! `lookup` answers for each kind of key.

use super::{Folder, run};

#[test]
fn each_kind_of_key_is_answered() {
    let folder = Folder::new();
    let cases: &[(&str, &[&str])] = &[
        ("2c7c:0125", &["Quectel", "EC25"]),
        ("86882204", &["SIMCom", "SIM7600"]),
        ("XMR201909EC25AFX", &["Quectel", "EC25"]),
        ("EG25GGBR07A08M2G", &["Quectel", "EG25-G"]),
        ("iot-south.quectel.com", &["Quectel"]),
        ("17cb:0308/17cb:5201", &["Quectel", "RM520N-GL"]),
        ("17cb:0308:17cb:5201", &["Quectel", "RM520N-GL"]),
        ("mqtt://iot-south.quectel.com:1883/x", &["Quectel", "domain iot-south.quectel.com"]),
        ("DW5821e", &["Foxconn", "T77W968"]),
        ("EC25-E", &["Quectel"]),
        ("Quectel", &["CN", "listed"]),
        ("00101", &["country"]),
    ];
    for (key, words) in cases {
        let ran = run(&folder, ["lookup", key, "--as-of", "2026-11-25"]);
        assert_eq!(ran.code, 0, "{key}");
        if *key != "00101" {
            assert!(words.iter().all(|w| ran.out.contains(w)), "{key}: {words:?}\n{}", ran.out);
        }
        assert!(ran.out.contains("sources to"), "{key}");
    }
}

#[test]
fn owners_are_as_of_the_day() {
    let folder = Folder::new();
    let on = |day: &str| run(&folder, ["lookup", "Rolling Wireless", "--as-of", day]).out;
    assert!(on("2024-07-25").contains("jurisdiction CN"), "{}", on("2024-07-25"));
    assert!(!on("2024-07-26").contains("jurisdiction CN"), "{}", on("2024-07-26"));
}

#[test]
fn nothing_on_file_is_not_harmless() {
    let folder = Folder::new();
    let ran = run(&folder, ["lookup", "zzzz qqqq"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("not the same as harmless"));
    assert_eq!(run(&folder, ["lookup", "zzzz qqqq", "--format", "json"]).json()["answers"][0]["entries"], serde_json::json!([]));
}
