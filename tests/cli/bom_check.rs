//! `bom check`, through the real binary: states, gates, formats, schemas, inputs made to harm.

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run, run_with_input};

fn check(folder: &Folder, words: &[&str]) -> Ran {
    run(folder, ["bom", "check"].iter().chain(words).chain(&["--as-of", "2026-11-25"]))
}

fn json(folder: &Folder, words: &[&str]) -> (i32, Value) {
    let ran = check(folder, &[words, &["--format", "json"]].concat());
    let answer = ran.json();
    let wrong = Schema::load("bom-check").wrong(&answer);
    assert!(wrong.is_empty(), "{words:?}\n{}", wrong.join("\n"));
    (ran.code, answer)
}

const NAMED: &str =
    "Reference,Value,Qty,Manufacturer,MPN\n\"C1, C2\",100n,2,Murata,GRM155R71C104KA88D\nU3,EC25-E,1,Quectel,EC25EFA-512-STD\n";
const HIDDEN: &str = "Reference,Value,Qty,Manufacturer\nA1,Boron BRN404X,1,Particle\nR1,10k,1,Yageo\n";
const CLEAN: &str = "Reference,Value,Qty,Manufacturer\nU1,TPS62840,1,TI\nR1,10k,1,Yageo\n";

#[test]
fn three_states_and_what_each_is_worth_as_a_gate() {
    let folder = Folder::new();
    for (name, list, state, code) in
        [("named", NAMED, "found", 0), ("hidden", HIDDEN, "undisclosed", 3), ("clean", CLEAN, "clean-as-declared", 0)]
    {
        let path = folder.write(&format!("{name}.csv"), list).display().to_string();
        let (got, answer) = json(&folder, &[&path]);
        assert_eq!((got, answer["projects"][0]["state"].as_str()), (code, Some(state)), "{name}");
        assert_eq!(answer["files"][0]["state"], state);
    }
    assert_eq!(check(&folder, &["named.csv", "--fail-on", "cellular-module"]).code, 1);
    assert_eq!(check(&folder, &["named.csv", "--fail-on", "high"]).code, 0);
    assert_eq!(check(&folder, &["hidden.csv", "--fail-on", "high"]).code, 1);
    assert_eq!(check(&folder, &["hidden.csv", "--fail-on", "fail"]).code, 0);
    assert_eq!(check(&folder, &["clean.csv", "--fail-on", "nonsense"]).code, 2);
    // Understood, and nothing to judge: said, no failure.
    folder.write("note.txt", "the meters are in the cellar\n");
    let (code, answer) = json(&folder, &["note.txt"]);
    assert_eq!((code, answer["files"].as_array().map(Vec::len)), (0, Some(0)));
    assert!(answer["problems"][0]["what"].as_str().unwrap().contains("no bill of materials"));
}

#[test]
fn what_looks_clean_and_was_not_understood_whole_says_so_and_is_open() {
    let folder = Folder::new();
    folder.write(
        "cut.cdx.json",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"device","name":"R1"},{"type":"dev"#,
    );
    let (code, answer) = json(&folder, &["cut.cdx.json"]);
    assert_eq!((code, answer["projects"][0]["state"].as_str()), (0, Some("clean-as-declared")));
    assert_eq!(answer["projects"][0]["because"][1], "1 place was not understood: a module may stand there");
    assert_eq!(check(&folder, &["cut.cdx.json", "--fail-on", "unknown"]).code, 3);
    // Open is skipped, never passed.
    let junit = check(&folder, &["cut.cdx.json", "--format", "junit"]).out;
    assert!(junit.contains("skipped=\"1\"") && junit.contains("<skipped message"), "{junit}");
    // What is understood whole, or names its module, is not open.
    folder.write("clean.csv", CLEAN);
    folder.write("cut-behind.cdx.json", r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"device","name":"EC25-E","manufacturer":{"name":"Quectel"}},{"type":"dev"#);
    for whole in ["clean.csv", "cut-behind.cdx.json"] {
        assert_eq!(check(&folder, &[whole, "--fail-on", "unknown"]).code, 0, "{whole}");
    }
}

#[test]
fn a_sheet_that_hides_what_its_product_names_fails_no_case() {
    let sheet = |designator: &str, value: &str| {
        format!(
            "(kicad_sch (version 20230121) (generator eeschema)\n  (symbol (lib_id \"X:Y\") (in_bom yes) (on_board yes)\n    \
             (property \"Reference\" \"{designator}\")\n    (property \"Value\" \"{value}\")))\n"
        )
    };
    let folder = Folder::new();
    folder.write("board/sim.kicad_sch", sheet("J1", "nano SIM"));
    assert!(check(&folder, &["board", "--format", "junit"]).out.contains("<failure"));
    folder.write("board/modem.kicad_sch", sheet("U1", "EC25-E"));
    let ran = check(&folder, &["board", "--format", "junit"]);
    assert!(ran.code == 0 && !ran.out.contains("<failure") && !ran.out.contains("<skipped"), "{}", ran.out);
}

#[test]
fn every_part_is_there_with_its_place_and_the_module_in_full() {
    let folder = Folder::new();
    folder.write("named.csv", NAMED);
    let (_, answer) = json(&folder, &["named.csv"]);
    let parts = answer["files"][0]["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0]["at"].as_str(), parts[0]["module"].is_null()), (Some("line 2"), true));
    let module = &parts[1]["module"];
    assert_eq!((module["maker"].as_str(), module["model"].as_str()), (Some("Quectel"), Some("EC25-E")));
    assert_eq!(module["because"][0]["at"], "line 3");
    assert_eq!(parts[1]["tiers"].as_array().map(Vec::len), Some(6));
    assert!(answer["organisations"].as_array().unwrap().iter().any(|o| o["org"] == "quectel"));
}

#[test]
fn findings_stand_on_the_line_of_the_file() {
    let folder = Folder::new();
    folder.write("hidden.csv", HIDDEN);
    let github = check(&folder, &["hidden.csv", "--format", "github"]);
    assert!(github.out.contains("::error file=hidden.csv,line=2,title=undisclosed-modem::"), "{}", github.out);
    assert_eq!(github.code, 3);
    let sarif: Value = check(&folder, &["hidden.csv", "--format", "sarif"]).json();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()), (Some("hidden.csv"), Some(2)));
    assert!(check(&folder, &["hidden.csv", "--format", "junit"]).out.contains("<failure"));
    assert!(check(&folder, &["hidden.csv", "--format", "csv"]).out.lines().nth(1).unwrap().contains("undisclosed"));
    // A named module beside it does not make the carrier's known: the case fails as the command does.
    folder.write("both.csv", format!("{HIDDEN}U3,EC25-E,1,Quectel\n"));
    let both = check(&folder, &["both.csv", "--format", "junit"]);
    assert!(both.code == 3 && both.out.contains("failures=\"1\""), "{}", both.out);
    assert_eq!(check(&folder, &["hidden.csv", "--format", "html"]).code, 2);
    assert!(check(&folder, &["hidden.csv"]).out.contains("carries a cellular module that the document does not name"));
}

#[test]
fn a_line_moves_and_the_fingerprint_stays() {
    let folder = Folder::new();
    let print = |list: String| {
        folder.write("hidden.csv", list);
        let sarif = check(&folder, &["hidden.csv", "--format", "sarif"]).json();
        sarif["runs"][0]["results"][0]["partialFingerprints"].clone()
    };
    let moved = HIDDEN.replace("A1,Boron", "R7,1k,1,Yageo\nA1,Boron");
    assert_eq!(print(HIDDEN.to_owned()), print(moved));
}

#[test]
fn a_statement_that_breaks_its_schema_ends_with_4_when_asked() {
    let folder = Folder::new();
    let bom = |kind: &str| {
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{{"type":"{kind}","name":"TPS62840"}}]}}"#)
    };
    folder.write("good.json", bom("device"));
    folder.write("bad.json", bom("gadget"));
    assert_eq!(json(&folder, &["good.json", "--validate"]).0, 0);
    let (code, answer) = json(&folder, &["bad.json", "--validate"]);
    let problem = answer["problems"][0].clone();
    assert_eq!(code, 4);
    assert!(problem["what"].as_str().unwrap().contains("components[0].type"), "{problem}");
    assert_eq!(json(&folder, &["bad.json"]).0, 0, "nobody asked");
}

#[test]
fn the_signature_inside_a_document_is_shown_and_a_broken_one_stops() {
    let folder = Folder::new();
    let plain = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[
        {"type":"device","name":"EC25-E","manufacturer":{"name":"Quectel"}}]}"#;
    folder.write("plain.cdx.json", plain);
    folder.write("named.csv", NAMED);
    for words in ["--generate-key acme", "--generate-key other", "plain.cdx.json --sign-inside --key acme.pem -o signed.cdx.json"] {
        let ran = run(&folder, ["bom", "attest"].into_iter().chain(words.split(' ')));
        assert_eq!(ran.code, 0, "{words}: {}", ran.err);
    }
    let signed = std::fs::read_to_string(folder.path().join("signed.cdx.json")).unwrap();
    folder.write("altered.cdx.json", signed.replace("Quectel", "Telit"));
    folder.write("stripped.cdx.json", plain);
    for (words, code, state, finding) in [
        ("plain.cdx.json", 0, "absent", None),
        ("signed.cdx.json", 0, "not-verified", None),
        ("signed.cdx.json --public-key acme.pub.pem", 0, "verified", None),
        ("signed.cdx.json --public-key other.pub.pem --public-key acme.pub.pem", 0, "verified", None),
        ("signed.cdx.json --public-key other.pub.pem", 4, "not-verified", Some("unproved-signature")),
        ("stripped.cdx.json --public-key acme.pub.pem", 4, "absent", Some("unproved-signature")),
        ("altered.cdx.json", 4, "broken", Some("broken-signature")),
        ("altered.cdx.json --public-key acme.pub.pem", 4, "broken", Some("broken-signature")),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let (got, answer) = json(&folder, &words);
        let file = &answer["files"][0];
        assert_eq!((got, file["signed"]["state"].as_str()), (code, Some(state)), "{words:?}: {}", file["signed"]);
        let codes = || file["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap());
        assert_eq!(codes().find(|c| c.ends_with("-signature")), finding, "{words:?}");
        assert!(check(&folder, &words).out.contains(&format!("{state}: ")), "{words:?}");
    }
    let junit = check(&folder, &["altered.cdx.json", "--format", "junit"]);
    assert!(junit.code == 4 && junit.out.contains("broken-signature"), "{}", junit.out);
    // Lists hold no signature: a key asks nothing of them.
    let (code, answer) = json(&folder, &["named.csv", "--public-key", "acme.pub.pem"]);
    assert_eq!((code, &answer["files"][0]["signed"]), (0, &Value::Null));
    // What cannot be opened again is not taken for verified, nor for unsigned.
    let piped = |words: &[&str], input: &str| {
        let ran = run_with_input(&folder, &[&["bom", "check", "-", "--format", "json"], words].concat(), input.as_bytes());
        (ran.code, ran.json()["files"][0]["signed"]["state"].as_str().map(str::to_owned))
    };
    assert_eq!(piped(&["--public-key", "acme.pub.pem"], &signed), (4, Some("not-verified".into())));
    assert_eq!(piped(&[], &signed), (0, Some("not-verified".into())));
    assert_eq!(piped(&[], plain), (0, Some("absent".into())));
    assert_eq!(check(&folder, &["signed.cdx.json", "--public-key", "acme.pem"]).code, 2, "a private key is none");
}

#[test]
fn numbers_of_cards_are_covered_unless_asked_for() {
    let folder = Folder::new();
    let card = "89490200001234567892";
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{{"type":"device","name":"EC25-E","manufacturer":{{"name":"Quectel"}},
        "properties":[{{"name":"cdx:hbom:iccid","value":"{card}"}},{{"name":"cdx:hbom:ownNumbers","value":"491701234567"}}]}}]}}"#
    );
    folder.write("host.cdx.json", text);
    for words in [vec!["bom", "convert"], vec!["bom", "check", "--format", "json"], vec!["bom", "convert", "--format", "csv"]] {
        let out = run(&folder, words.iter().copied().chain(["host.cdx.json"])).out;
        assert!(!out.contains(card) && !out.contains("491701234567"), "{words:?}\n{out}");
    }
    assert!(run(&folder, ["bom", "convert", "host.cdx.json", "--show-subscribers"]).out.contains(card));
}

#[test]
fn inputs_made_to_harm_are_bounded_and_located() {
    let folder = Folder::new();
    let deep = "[".repeat(100_000);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>";
    for (name, text) in [
        ("deep.json", format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":{deep}"#)),
        (
            "bomb.xml",
            format!(
                "{bomb}<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components><component type=\"device\"><name>&b;&c;</name></component></components></bom>"
            ),
        ),
        (
            "bomb.sch",
            format!(
                "{bomb}<eagle version=\"9\"><drawing><schematic><parts><part name=\"U1\" value=\"&b;&c;\"/></parts></schematic></drawing></eagle>"
            ),
        ),
        ("deep.kicad_sch", format!("(kicad_sch {}", "(".repeat(100_000))),
        ("cell.csv", format!("Reference,Value,Qty\nU1,\"{}\n", "x".repeat(8 << 20))),
        ("names.csv", "Reference,Value,Qty\n\"<script>alert(1)</script>\",=cmd(),1\n".to_owned()),
    ] {
        folder.write(name, text);
        let ran = check(&folder, &[name, "--format", "json"]);
        assert!(matches!(ran.code, 0 | 2 | 3), "{name}: {} {}", ran.code, ran.err);
        assert!(!ran.out.contains("root:"), "{name}: a file of this machine was read");
        if name != "names.csv" && ran.code != 2 {
            assert!(ran.json()["problems"].as_array().is_some_and(|p| !p.is_empty()), "{name}: nothing was said");
        }
    }
    let csv = check(&folder, &["names.csv", "--format", "csv"]).out;
    assert!(!csv.contains(",=cmd()"), "{csv}");
}
