//! `policy …`, through the real binary: mistakes in packs, facts, assumptions, waivers, gates, formats.

use serde_json::Value;

use super::docs::Schema;
use super::{Folder, Ran, run};

const FCC: &str = "us-fcc-covered";
const LISTED: &str = "quectel listed US-FCC-COVERED 2027-01-01";
const EC25: &str = "Reference,Value,Qty,Manufacturer,MPN\nR1,10k,1,Yageo,RC0402\nU3,EC25-E,1,Quectel,EC25EFA-512-STD\n";
const HL: &str = "Reference,Value,Qty,Manufacturer,MPN\nU1,HL7800,1,Sierra Wireless,HL7800\n";

/// A pack of our own over country, role and place.
const HOUSE: &str = r#"id = "house"
title = "House rules"
jurisdiction = "any"
version = "3"
sources_to = "2026-11-01"
standing = "house"

[sets]
watched = ["CN"]

[[zone]]
name = "substation-7"
corners = [[55.0, 24.0], [55.0, 25.0], [56.0, 25.0], [56.0, 24.0]]

[[rule]]
id = "HOUSE-CONTROL"
title = "No maker under a watched jurisdiction where it controls"
cite = "House rule 4"
source = "minutes of 2026-10-01"
status = "verified"
effect = "operate"
tier = ["host"]
binds = "us"
scope = { criticality = "high" }
when = "role == 'control' && confidence >= 0.9"
severity = "high"
threats = ["disruption"]
remedies = ["contain the module", "replace the module"]
surcharge_percent = 12.5
bid_weight = 30
[[rule.subject]]
jurisdiction = ["@watched"]

[[rule]]
id = "HOUSE-ZONE"
title = "No such maker in a drawn zone"
cite = "House rule 5"
source = "minutes of 2026-10-01"
status = "verified"
effect = "operate"
tier = ["host"]
binds = "us"
scope = { zone = "substation-7" }
severity = "medium"
remedies = ["none"]
surcharge_percent = 5
bid_weight = 10
[[rule.subject]]
jurisdiction = ["@watched"]
"#;

fn policy(folder: &Folder, words: &[&str]) -> Ran {
    let day: &[&str] = if words.contains(&"--as-of") { &[] } else { &["--as-of", "2026-11-25"] };
    run(folder, ["policy"].iter().chain(words).chain(day))
}

/// The document, held to its schema.
fn json(folder: &Folder, words: &[&str]) -> (i32, Value) {
    let ran = policy(folder, &[words, &["--format", "json"]].concat());
    let answer = ran.json();
    let name = answer["schema"].as_str().unwrap().strip_prefix("umbilical.").unwrap().strip_suffix("/1").unwrap().to_owned();
    let wrong = Schema::load(&name).wrong(&answer);
    assert!(wrong.is_empty(), "{words:?}\n{}", wrong.join("\n"));
    (ran.code, answer)
}

/// State and verdicts by rule of one subject.
fn of<'a>(answer: &'a Value, id: &str) -> (&'a str, Vec<(&'a str, &'a str)>) {
    let subject = answer["subjects"].as_array().unwrap().iter().find(|s| s["id"] == id).unwrap();
    let findings = subject["findings"].as_array().unwrap();
    let of = |f: &'a Value| (f["code"].as_str().unwrap(), f["verdict"].as_str().unwrap());
    (subject["state"].as_str().unwrap(), findings.iter().map(of).collect())
}

#[test]
fn a_mistake_in_a_pack_is_underlined_on_its_line() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let cases = [
        ("[\"@watched\"]", "[\"@wotched\"]", "house/pack.toml:32:17: `@wotched`", "32 | jurisdiction = [\"@wotched\"]", 17, 10),
        ("{ criticality", "{ critcality", "house/pack.toml:24:9: `critcality` is no fact", "24 | scope = {", 9, 23),
        ("\"role ==", "\"rolle ==", "house/pack.toml:25:9: `rolle`", "25 | when = ", 9, 5),
        ("status = \"verified\"", "status = \"sure\"", "house/pack.toml:20:10: `sure`", "20 | status", 10, 6),
    ];
    for (from, to, said, line, column, width) in cases {
        folder.write("house/pack.toml", HOUSE.replacen(from, to, 1));
        let ran = policy(&folder, &["check", "bom.csv", "--policy", "house"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{to}");
        let lines: Vec<&str> = ran.err.lines().collect();
        assert!(lines[0].contains(said), "{}", ran.err);
        assert!(lines.iter().any(|l| l.starts_with(line)), "{}", ran.err);
        let marks = format!("   | {}{}", " ".repeat(column - 1), "^".repeat(width));
        assert!(lines.iter().any(|l| *l == marks), "{}\n{marks}", ran.err);
    }
    // Facts of assets and waivers are read by the same eyes.
    folder.write("house/pack.toml", HOUSE);
    folder.write("assets.toml", "[[asset]]\nmatch = { nome = \"x\" }\nfacts = {}\n");
    let ran = policy(&folder, &["check", "bom.csv", "--policy", "house", "--assets", "assets.toml"]);
    assert!(ran.code == 2 && ran.err.contains("assets.toml:2:11: unknown field `nome`"), "{}", ran.err);
    folder.write(
        "waivers.toml",
        "[[waiver]]\ncode = \"HOUSE-CONTROL\"\nsubject = \"*\"\nreason = \"\"\napprover = \"me\"\nexpires = \"soon\"\n",
    );
    let ran = policy(&folder, &["check", "bom.csv", "--policy", "house", "--waivers", "waivers.toml"]);
    assert!(ran.code == 2 && ran.err.contains("waivers.toml:6:11:"), "{}", ran.err);
}

#[test]
fn what_names_nothing_is_2() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let cases: &[(&[&str], &str)] = &[
        (&["--say", "colour=red"], "`colour` is no fact"),
        (&["--say", "power_kw"], "write FACT=VALUE"),
        (&["--say", "power_kw=much"], "`much` is no number"),
        (&["--policy", "no-such-pack"], "neither a shipped pack nor a file"),
        (&["--assume", "quectel eats cake"], "assumes nothing"),
        (&["--assume", "nobody listed US-FCC-COVERED 2027-01-01"], "nobody"),
        (&["--assume", "NO-RULE in-force 2027-01-01"], "neither a rule nor a pack"),
        (&["--assets", "missing.toml"], "missing.toml"),
        (&["--fail-on", "NO-RULE"], "nothing that can be found"),
        (&["--as-of", "2026-01-01", "--as-of", "2026-01-02"], "--as-of is given 2 times"),
    ];
    for (words, said) in cases {
        let ran = policy(&folder, &[&["check", "bom.csv"], *words].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(ran.err.contains(said), "{words:?}\n{}", ran.err);
    }
    let two = ["--as-of", "2026-01-01", "--as-of", "2026-01-02"];
    for command in [&["audit", "bom.csv"][..], &["policy", "why", "x", "bom.csv"], &["policy", "markets", "bom.csv"]] {
        assert_eq!(run(&folder, command.iter().chain(&two)).code, 2, "{command:?}");
    }
    assert_eq!(policy(&folder, &["diff", "bom.csv"]).code, 2);
    assert_eq!(policy(&folder, &["timeline", "--org", "nobody-at-all"]).code, 2);
    assert_eq!(policy(&folder, &["why", "fnd-000000000000", "bom.csv", "--policy", FCC]).code, 2);
    assert_eq!(policy(&folder, &["check", "bom.csv", "--format", "html"]).code, 2);
}

/// Each of these once made a rule reach nothing, and the gate open.
#[test]
fn a_slip_in_a_word_or_number_opens_no_gate() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    for (words, said) in [
        (["--market", "UX"], "`UX` is no country"),
        (["--market", ""], "`market` is empty"),
        (["--market", "US-TE"], "no part of US"),
        (["--buyer", "dod"], "use one of us-agency, us-dod"),
        (["--buyer", "us-dodd"], "nearest is `us-dod`"),
        (["--funded-by", "usff"], "nearest is `usf`"),
        (["--say", "effect=byu"], "nearest is `buy`"),
        (["--say", "item=modul"], "nearest is `module`"),
        (["--say", "asset=rooter"], "nearest is `router`"),
        (["--say", "path_country=Chnia"], "nearest is CN (China)"),
        (["--say", "power_kw=NaN"], "`NaN` is no number"),
        (["--say", "power_kw=-5"], "at least 0"),
        (["--say", "power_kw=1e999"], "`1e999` is no number"),
        (["--say", "lat=991"], "from -90 to 90"),
        (["--say", "model_year=99999999999999999999"], "a whole year from 1900 to 2200"),
    ] {
        let ran = policy(&folder, &[&["check", "bom.csv"][..], &words].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words:?}");
        assert!(ran.err.contains(said), "{words:?}\n{}", ran.err);
    }
    // Other names and cases of a known word are that word.
    let as_us = |market: &str| {
        let answer = json(&folder, &["check", "bom.csv", "--market", market, "--buyer", "US-DoD"]).1;
        assert_eq!(answer["facts"]["market"], "US", "{market}");
        of(&answer, "bom.csv").1.iter().map(|(a, b)| format!("{a} {b}")).collect::<Vec<_>>()
    };
    assert!(!as_us("US").is_empty());
    for market in ["us", "USA", "United States"] {
        assert_eq!(as_us(market), as_us("US"), "{market}");
    }
    let texas = json(&folder, &["check", "bom.csv", "--market", "Us-Tx"]).1;
    assert_eq!(texas["facts"]["market"], "US-TX");
    let seller = ["check", "bom.csv", "--policy", "us-ndaa-805", "--market", "us", "--say", "item=module"];
    let named = |name: &str| json(&folder, &[&seller[..], &["--say", name]].concat()).1;
    assert!(of(&named("seller=Quectel"), "bom.csv").1.contains(&("US-NDAA24-805A", "fail")));
    assert_eq!(policy(&folder, &["markets", "bom.csv", "--market", "UX"]).code, 2);
    assert_eq!(json(&folder, &["markets", "bom.csv", "--market", "usa,Lithuania"]).1["markets"], serde_json::json!(["LT", "US"]));
}

#[test]
fn words_of_packs_assets_and_cases_are_read_by_the_same_list() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let wrong = [
        ("scope = { criticality = \"high\" }", "scope = { market = \"us\" }", "pack.toml:24:20: `market`: rules write `US`, not `us`"),
        ("criticality = \"high\"", "criticality = [\"low\", \"hihg\"]", "pack.toml:24:33: `criticality`: `hihg` is none"),
        ("watched = [\"CN\"]", "watched = [\"cn\"]", "pack.toml:9:12: `cn` is no country"),
        ("jurisdiction = \"any\"", "jurisdiction = \"us\"", "pack.toml:3:16: `jurisdiction`: write `US`"),
        ("[sets]", "[facts]\nsector = \"enrgy\"\n[sets]", "pack.toml:9:10: `sector`: `enrgy` is none"),
        ("[sets]", "[words]\nrole = [\"watch\"]\n[sets]", "pack.toml:9:1: words can be added to"),
        ("scope = { criticality = \"high\" }", "scope = { power_kw = \"> NaN\" }", "pack.toml:24"),
    ];
    for (from, to, said) in wrong {
        folder.write("house/pack.toml", HOUSE.replacen(from, to, 1));
        let ran = policy(&folder, &["check", "bom.csv", "--policy", "house"]);
        assert!(ran.code == 2 && ran.err.contains(said) && ran.err.contains('^'), "{to}\n{}", ran.err);
    }
    folder.write("house/pack.toml", HOUSE);
    folder.write("assets.toml", "[[asset]]\nmatch = { path = \"*\" }\nfacts = { asset = \"boyler\" }\n");
    let judged = ["check", "bom.csv", "--policy", "house", "--assets", "assets.toml"];
    let ran = policy(&folder, &judged);
    assert!(ran.code == 2 && ran.err.contains("assets.toml:3:19: `asset`: `boyler` is none"), "{}", ran.err);
    // What the house asks for, or lists, is a word of its own.
    for asks in [
        HOUSE.replacen("criticality = \"high\"", "asset = \"boyler\"", 1),
        HOUSE.replacen("[sets]", "[words]\nasset = [\"boyler\"]\n[sets]", 1),
    ] {
        folder.write("house/pack.toml", &asks);
        assert_ne!(policy(&folder, &judged).code, 2, "{asks}");
    }
    folder.write("house/pack.toml", HOUSE);
    let case = "[[case]]\nname = \"x\"\nrule = \"HOUSE-ZONE\"\nas_of = \"2026-11-01\"\nmodule = \"Quectel EC25\"\n\
                facts = { zone = \"substation-8\" }\nexpect = \"pass\"\n";
    folder.write("house/cases.toml", case);
    let ran = policy(&folder, &["test", "house"]);
    assert!(ran.code == 2 && ran.err.contains("cases.toml:6:18: `zone`: `substation-8` is none"), "{}", ran.err);
}

#[test]
fn market_buyer_and_facts_narrow_what_is_asked() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let day = ["--as-of", "2027-01-01", "--assume", LISTED, "--policy", FCC];
    let at = |words: &[&str]| json(&folder, &[&["check", "bom.csv"], &day[..], words].concat());
    let (code, unsaid) = at(&[]);
    assert_eq!((code, of(&unsaid, "bom.csv").0), (1, "fail"));
    assert!(unsaid["subjects"][0]["findings"][0]["because"].to_string().contains("judged as if the market were US"));
    let (code, us) = at(&["--market", "US-TX"]);
    assert_eq!((code, us["facts"]["market"].as_str()), (1, Some("US-TX")));
    let (code, lt) = at(&["--market", "LT"]);
    assert_eq!((code, of(&lt, "bom.csv")), (0, ("not-applicable", vec![])));
    // Own money: the subsidy rule does not reach it. `--say` says the same as the short forms.
    let (_, own) = at(&["--funded-by", "own"]);
    assert!(of(&own, "bom.csv").1.iter().all(|f| f.0 != "US-FCC-COVERED-FUND"));
    let (_, said) = at(&["--say", "funded_by=own"]);
    assert_eq!(own["subjects"], said["subjects"]);
    // A module by itself: the module rule speaks, not the one about hosts.
    let (_, module) = at(&["--say", "item=module"]);
    let rules: Vec<&str> = of(&module, "bom.csv").1.iter().map(|f| f.0).collect();
    assert!(rules.contains(&"US-FCC-COVERED-MOD") && !rules.contains(&"US-FCC-COVERED-HOST"), "{rules:?}");
    let (_, buyer) = at(&["--buyer", "us-agency,us-dod"]);
    assert_eq!(buyer["facts"]["buyer"], "us-agency, us-dod");
}

#[test]
fn an_assumed_listing_counts_from_its_day_on() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let at = |day: &str| json(&folder, &["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--as-of", day]);
    let (code, before) = at("2026-12-31");
    assert!(code == 0 && before["subjects"][0]["passed"].as_array().unwrap().iter().any(|r| r == "US-FCC-COVERED-HOST"));
    let (code, after) = at("2027-01-01");
    assert_eq!((code, after["assumed"][0].as_str()), (1, Some(LISTED)));
    assert!(of(&after, "bom.csv").1.contains(&("US-FCC-COVERED-HOST", "fail")));
    let table = policy(&folder, &["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01"]);
    assert!(table.out.contains("This is not the law as it stands."), "{}", table.out);
    // The same as a difference of two days, which a gate can hold.
    let days = ["--as-of", "2026-12-31", "--as-of", "2027-01-01"];
    let (code, diff) = json(&folder, &[&["diff", "bom.csv", "--policy", FCC, "--assume", LISTED], &days[..]].concat());
    let changes = diff["changes"].as_array().unwrap();
    assert!(code == 0 && changes.iter().any(|c| c["rule"] == "US-FCC-COVERED-HOST" && c["was"] == "pass" && c["is"] == "fail"));
    let gate = ["diff", "bom.csv", "--policy", FCC, "--assume", LISTED, "--fail-on", "fail"];
    assert_eq!(policy(&folder, &[&gate[..], &days].concat()).code, 1);
    let quiet = ["--as-of", "2026-12-30", "--as-of", "2026-12-31"];
    let (_, same) = json(&folder, &[&["diff", "bom.csv", "--policy", FCC, "--assume", LISTED], &quiet[..]].concat());
    assert_eq!(same["changes"], Value::Array(vec![]));
}

#[test]
fn facts_of_assets_reach_by_site_name_path_and_zone() {
    let folder = Folder::new();
    folder.write("house/pack.toml", HOUSE);
    folder.write("boards/pump.csv", EC25);
    folder.write("boards/toy.csv", EC25);
    let register = "asset id,name,site,notes\n1,GW-1,Substation 7,Quectel EC25-E\n2,GW-2,Depot,Quectel EC25-E\n";
    folder.write("register.csv", register);
    folder.write(
        "assets.toml",
        "[facts]\nrole = \"control\"\n\
         [[asset]]\nmatch = { path = \"boards/*\" }\nfacts = { criticality = \"high\", lat = 10, lon = 10 }\n\
         [[asset]]\nmatch = { path = \"*/TOY.csv\" }\nfacts = { criticality = \"low\" }\n\
         [[asset]]\nmatch = { site = \"substation*\" }\nfacts = { lat = 55.5, lon = 24.5, criticality = \"low\" }\n\
         [[asset]]\nmatch = { name = \"gw-2\" }\nfacts = { lat = 55.5, lon = 25.5, criticality = \"low\" }\n",
    );
    let words = ["check", "boards", "register.csv", "--policy", "house", "--assets", "assets.toml", "--fail-on", "unknown"];
    let (_, answer) = json(&folder, &words);
    assert_eq!(of(&answer, "boards/pump.csv"), ("fail", vec![("HOUSE-CONTROL", "fail")]));
    assert_eq!(of(&answer, "boards/toy.csv"), ("not-applicable", vec![]));
    let named = |name: &str| {
        let subjects = answer["subjects"].as_array().unwrap();
        let subject = subjects.iter().find(|s| s["names"].as_array().unwrap().iter().any(|n| n == name)).unwrap();
        subject["id"].as_str().unwrap()
    };
    let rules = |name: &str| of(&answer, named(name)).1.iter().map(|f| f.0).collect::<Vec<_>>();
    assert_eq!((rules("GW-1"), rules("GW-2")), (vec!["HOUSE-ZONE"], vec![]), "{answer:#}");
}

#[test]
fn a_condition_of_our_own_decides_and_asks_for_what_it_reads() {
    let folder = Folder::new();
    folder.write("house/pack.toml", HOUSE);
    folder.write("cn.csv", EC25);
    folder.write("ca.csv", HL);
    let at = |words: &[&str]| json(&folder, &[&["check", "cn.csv", "ca.csv", "--policy", "house"], words].concat());
    let (code, all) = at(&["--say", "criticality=high", "--say", "role=control", "--say", "zone=none"]);
    assert_eq!((code, of(&all, "cn.csv").0, of(&all, "ca.csv").0), (1, "fail", "pass"));
    let (code, monitor) = at(&["--say", "criticality=high", "--say", "role=monitor", "--say", "zone=none"]);
    assert_eq!((code, of(&monitor, "cn.csv").0), (0, "not-applicable"));
    let (code, open) = at(&["--say", "criticality=high", "--say", "zone=none"]);
    assert_eq!((code, of(&open, "cn.csv").0), (0, "unknown"));
    assert!(open["subjects"][1]["findings"][0]["clears_when"].as_str().unwrap().contains("say `role`"), "{open:#}");
    assert_eq!(at(&["--say", "criticality=high", "--say", "zone=none", "--fail-on", "unknown"]).0, 3);
    // One product that fails does not hide what is unknown of it.
    let (code, both) = at(&["--say", "criticality=high", "--say", "role=control", "--fail-on", "unknown"]);
    assert_eq!((code, of(&both, "cn.csv").0), (3, "fail"));
}

const WAIVER: &str = "[[waiver]]\ncode = \"US-FCC-COVERED-HOST\"\nsubject = \"b*.csv\"\nmodule = \"Quectel EC25*\"\nreason = \"contained, see 17\"\n\
                      approver = \"A. Ortiz\"\nexpires = \"2027-06-30\"\njustification = \"inline_mitigations_already_exist\"\n";

#[test]
fn a_waiver_opens_the_gate_until_its_day_and_shuts_it_from_then_on() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    folder.write("w.toml", WAIVER);
    let words = ["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--say", "funded_by=own", "--waivers", "w.toml"];
    let at = |day: &str| json(&folder, &[&words[..], &["--as-of", day]].concat());
    let (code, held) = at("2027-06-29");
    let finding = held["subjects"][0]["findings"].as_array().unwrap().iter().find(|f| f["code"] == "US-FCC-COVERED-HOST").unwrap();
    let waiver = &finding["detail"]["waiver"];
    assert_eq!((code, finding["verdict"].as_str(), waiver["expired"].as_bool()), (0, Some("fail"), Some(false)));
    assert_eq!(waiver["justification"], "inline_mitigations_already_exist");
    let answer = policy(&folder, &[&words[..], &["--as-of", "2027-06-29", "--format", "json"]].concat()).json();
    assert_ne!(answer["subjects"][0]["state"], "fail", "what is accepted does not count");
    let matrix =
        ["markets", "bom.csv", "--policy", FCC, "--assume", LISTED, "--market", "US", "--waivers", "w.toml", "--as-of", "2027-06-29"];
    let said = policy(&folder, &matrix).out;
    assert!(said.contains("waived: US-FCC-COVERED-HOST") && !said.contains("fail: US-FCC-COVERED-HOST"), "{said}");
    assert!(held["rules"].as_array().unwrap().iter().any(|r| r["rule"] == "US-FCC-COVERED-HOST" && r["waived"] == 1 && r["fail"] == 0));
    let (code, over) = at("2027-06-30");
    let found = of(&over, "bom.csv").1;
    assert_eq!(code, 1);
    assert!(found.contains(&("expired-waiver", "fail")) && found.contains(&("US-FCC-COVERED-HOST", "fail")), "{found:?}");
    // An expired waiver fails even where only it is asked about.
    let only = policy(&folder, &[&words[..], &["--as-of", "2027-06-30", "--fail-on", "expired-waiver"]].concat());
    assert_eq!(only.code, 1);
    // Without the flag the file of the home counts.
    folder.write("home/waivers.toml", WAIVER);
    let bare = ["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--say", "funded_by=own", "--as-of", "2027-06-29"];
    assert_eq!(policy(&folder, &bare).code, 0);
    let sarif = policy(&folder, &[&bare[..], &["--format", "sarif"]].concat()).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.iter().any(|r| r["ruleId"] == "US-FCC-COVERED-HOST" && r["suppressions"][0]["status"] == "accepted"));
}

#[test]
fn a_waiver_that_holds_counts_wherever_an_ended_one_stands() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let renewed = WAIVER.replace("2027-06-30", "2028-06-30");
    let words = ["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--say", "funded_by=own", "--waivers", "w.toml"];
    for (text, line) in [(format!("{WAIVER}\n{renewed}"), 2), (format!("{renewed}\n{WAIVER}"), 11)] {
        folder.write("w.toml", &text);
        let (code, all) = json(&folder, &[&words[..], &["--as-of", "2027-06-30"]].concat());
        let finding = all["subjects"][0]["findings"].as_array().unwrap().iter().find(|f| f["code"] == "US-FCC-COVERED-HOST").unwrap();
        assert_eq!((code, finding["detail"]["waiver"]["expires"].as_str()), (0, Some("2028-06-30")));
        assert!(!of(&all, "bom.csv").1.iter().any(|f| f.0 == "expired-waiver"));
        let unused = all["unused_waivers"].as_array().unwrap();
        let why = unused[0]["why"].as_str().unwrap();
        assert_eq!((unused.len(), unused[0]["line"].as_u64()), (1, Some(line)));
        assert!(why.contains(&format!("the waiver on line {} holds", 13 - line)), "{why}");
    }
}

const BOARD: &str = "Reference,Qty,Value,Manufacturer,MPN,Description\nU1,1,LE910C4-EU,Telit,LE910C4-EU,LTE module\n\
                     U2,1,DRAM,CXMT,CXDQ3BFAM-CG,DDR4 memory\nU3,1,NAND,YMTC,YMN08TB1B1HU1B,NAND flash memory\n";

/// Goods of a listed maker count where they stand on the board by themselves, beside a module or without any.
#[test]
fn memory_beside_a_module_is_judged() {
    let folder = Folder::new();
    let alone = BOARD.lines().filter(|l| !l.starts_with("U1")).collect::<Vec<_>>().join("\n");
    folder.write("board.csv", BOARD);
    folder.write("alone.csv", alone);
    folder.write("other.csv", BOARD.replace("CXMT", "Micron").replace("YMTC", "Micron"));
    let words = ["check", "board.csv", "alone.csv", "other.csv", "--policy", "us-ndaa-805", "--policy", "us-ndaa-5949"];
    let bought = ["--market", "US", "--buyer", "us-dod", "--as-of", "2028-01-01"];
    let ask = |more: &[&str]| json(&folder, &[&words[..], &bought, more].concat()).1;
    let about = |all: &Value, file: &str, rule: &str| -> Vec<(String, String, String)> {
        let subject = all["subjects"].as_array().unwrap().iter().find(|s| s["id"] == file).unwrap();
        let found = subject["findings"].as_array().unwrap().iter().filter(|f| f["code"] == rule && f["detail"]["mpn"] != "LE910C4-EU");
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        found.map(|f| (text(&f["verdict"]), text(&f["detail"]["mpn"]), text(&f["because"][0]))).collect()
    };
    let all = ask(&[]);
    for file in ["board.csv", "alone.csv"] {
        for (rule, wanted) in [("US-NDAA24-805B", "review"), ("US-NDAA24-805B-CHIP", "review"), ("US-NDAA23-5949-A", "fail")] {
            let found = about(&all, file, rule);
            for (mpn, place) in [("CXDQ3BFAM-CG", "U2, line"), ("YMN08TB1B1HU1B", "U3, line")] {
                let good = |f: &&(String, String, String)| f.0 == wanted && f.1 == mpn && f.2.contains(mpn) && f.2.contains(place);
                assert!(found.iter().any(|f| good(&f)), "{file} {rule} {mpn}: {found:?}");
            }
        }
    }
    assert!(["US-NDAA24-805B", "US-NDAA23-5949-A"].iter().all(|rule| about(&all, "other.csv", rule).is_empty()));
    // A line that calls a part of such a maker nothing is read by a person, and never passed.
    let plain = BOARD.replace("U2,1,DRAM,CXMT,CXDQ3BFAM-CG,DDR4 memory", "U2,1,X1,SMIC,SC1,X1");
    folder.write("board.csv", plain);
    let found = about(&ask(&[]), "board.csv", "US-NDAA23-5949-A");
    assert!(found.iter().any(|f| f.0 == "review" && f.1 == "SC1"), "{found:?}");
    let memory = ask(&["--say", "item=memory"]);
    assert_eq!(about(&memory, "alone.csv", "US-NDAA24-805B-CHIP").len(), 2);
    assert!(!about(&memory, "alone.csv", "US-NDAA23-5949-A").is_empty());
}

const FOUR: &str = "Reference,Value,Qty,Manufacturer,MPN\nU1,EG25-G,1,Quectel,EG25GGB-256-SGNS\nU2,ME909s-120,1,Huawei,ME909s-120\n\
                    U3,ZM8620,1,ZTE,ZM8620\nU4,SIM7600E,1,SIMCom,SIM7600E-H\nU5,ME909s-120,1,Huawei,ME909s-120\n";

/// Each module that a rule catches is a finding of its own, in its place; one that a waiver names is the only one waived.
#[test]
fn a_product_with_several_modules_is_judged_by_each() {
    let folder = Folder::new();
    folder.write("bom.csv", FOUR);
    let words = ["check", "bom.csv", "--policy", FCC, "--market", "US", "--say", "funded_by=own"];
    let (code, answer) = json(&folder, &words);
    let caught: Vec<&Value> =
        answer["subjects"][0]["findings"].as_array().unwrap().iter().filter(|f| f["code"] == "US-FCC-COVERED-HOST").collect();
    let of = |maker: &str| *caught.iter().find(|f| f["detail"]["module"].as_str().unwrap().starts_with(maker)).unwrap();
    assert_eq!((code, caught.len()), (1, 2), "{caught:#?}");
    assert_ne!(of("Huawei")["id"], of("ZTE")["id"]);
    assert_eq!(of("Huawei")["detail"]["designators"], serde_json::json!(["U2", "U5"]));
    assert_eq!((&of("Huawei")["detail"]["line"], &of("ZTE")["detail"]["line"]), (&3.into(), &4.into()));
    // One product breaks the rule, however many modules in it do.
    assert!(answer["rules"].as_array().unwrap().iter().any(|r| r["rule"] == "US-FCC-COVERED-HOST" && r["fail"] == 1));
    let waiver = |module: &str, n: usize| {
        format!(
            "[[waiver]]\ncode = \"US-FCC-COVERED-HOST\"\nsubject = \"bom.csv\"\n{module}reason = \"{n}\"\napprover = \"A\"\n\
             expires = \"2027-06-30\"\n"
        )
    };
    let only = ["--waivers", "w.toml", "--fail-on", "US-FCC-COVERED-HOST"];
    for (text, code, unused) in [
        (waiver("", 1), 1, vec!["names no module: say `module ="]),
        (waiver("module = \"ZTE*\"\n", 1), 1, vec![]),
        (waiver("module = \"ZTE*\"\n", 1) + &waiver("module = \"Huawei ME909s*\"\n", 2), 0, vec![]),
        (waiver("module = \"*\"\n", 1), 0, vec![]),
        (waiver("module = \"*\"\n", 1) + &waiver("module = \"Telit*\"\n", 2), 0, vec!["no finding of that rule about such a subject"]),
    ] {
        folder.write("w.toml", &text);
        let (got, answer) = json(&folder, &[&words[..], &only].concat());
        let told = answer["unused_waivers"].as_array().unwrap();
        assert_eq!((got, told.len()), (code, unused.len()), "{text}\n{told:?}");
        let ran = policy(&folder, &[&words[..], &only].concat());
        for why in unused {
            assert!(told[0]["why"].as_str().unwrap().contains(why) && ran.err.contains(why), "{told:?}\n{}", ran.err);
        }
    }
    // What a waiver must say.
    for (from, to, said) in [
        ("US-FCC-COVERED-HOST", "US-FCC-COVERED-HOTS", "w.toml:2:8: `US-FCC-COVERED-HOTS` is no rule"),
        ("US-FCC-COVERED-HOST", "*", "w.toml:2:8: `*`: name the rule"),
        ("reason = \"1\"", "reason = \" \"", "w.toml:4:10: `reason` is empty"),
    ] {
        folder.write("w.toml", waiver("", 1).replace(from, to));
        let ran = policy(&folder, &[&words[..], &only].concat());
        assert!(ran.code == 2 && ran.err.contains(said), "{}", ran.err);
    }
    // JUnit tells the modules apart, a difference of two days names them.
    let junit = policy(&folder, &[&words[..], &["--format", "junit"]].concat()).out;
    assert!(junit.contains("US-FCC-COVERED-HOST (ZTE ZM8620)") && junit.contains("US-FCC-COVERED-HOST (Huawei ME909s"), "{junit}");
    let days = ["--as-of", "2026-12-31", "--as-of", "2027-01-01", "--say", "funded_by=own"];
    let (_, diff) = json(&folder, &[&["diff", "bom.csv", "--policy", FCC, "--assume", LISTED], &days[..]].concat());
    let turned: Vec<&str> = diff["changes"].as_array().unwrap().iter().map(|c| c["module"].as_str().unwrap_or_default()).collect();
    assert!(!turned.is_empty() && turned.iter().all(|m| m.starts_with("Quectel EG25")), "{turned:?}");
}

#[test]
fn a_rule_is_no_pass_before_its_first_day() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let words = ["bom.csv", "--policy", "us-ndaa-805", "--buyer", "us-dod", "--say", "item=module"];
    let at = |day: &str| json(&folder, &[&["check"], &words[..], &["--as-of", day]].concat()).1;
    let (before, after) = (at("2027-06-29"), at("2027-06-30"));
    let passed = before["subjects"][0]["passed"].as_array().unwrap();
    assert!(!passed.iter().any(|r| r == "US-NDAA24-805B"), "{passed:?}");
    let upcoming = before["subjects"][0]["upcoming"].as_array().unwrap();
    assert!(upcoming.contains(&serde_json::json!({"rule": "US-NDAA24-805B", "from": "2027-06-30", "would": "fail"})), "{upcoming:?}");
    assert_eq!((&after["subjects"][0]["upcoming"], of(&after, "bom.csv").0), (&serde_json::json!([]), "fail"));
    let table = policy(&folder, &[&["check"], &words[..], &["--as-of", "2027-06-29"]].concat()).out;
    assert!(table.contains("Not yet in force") && table.contains("first on 2027-06-30"), "{table}");
    let why = policy(&folder, &[&["why", "US-NDAA24-805B"], &words[..], &["--as-of", "2027-06-29"]].concat()).out;
    assert!(why.contains("not in force until 2027-06-30: US-NDAA24-805B") && why.contains("would say fail"), "{why}");
    let markets = ["markets", "bom.csv", "--policy", "eu-cra", "--market", "EU", "--as-of", "2026-01-01"];
    let says = json(&folder, &markets).1["skus"][0]["cells"][0]["says"].as_str().unwrap().to_owned();
    assert!(says.starts_with("no rule in force as of 2026-01-01; ") && says.contains("from 2026-09-11"), "{says}");
    // Before all law there is none to keep.
    let (code, first) = json(&folder, &["check", "bom.csv", "--as-of", "0001-01-01"]);
    assert_eq!((code, &first["subjects"][0]["passed"]), (0, &serde_json::json!([])));
}

/// A pass says what it stands on, a verdict how its module was identified, and a group only what is true of all of it.
#[test]
fn verdicts_say_what_they_stand_on_and_of_whom_it_is_true() {
    let folder = Folder::new();
    folder.write("bom.csv", FOUR);
    folder.write("fib.csv", "Reference,Value,Qty,Manufacturer,MPN\nU1,L610,1,Fibocom,L610-CN\n");
    let words = ["check", "fib.csv", "--policy", FCC, "--market", "US", "--say", "funded_by=own"];
    let (_, answer) = json(&folder, &words);
    let subject = &answer["subjects"][0];
    let ids = |list: &Value| list.as_array().unwrap().iter().map(|p| p["rule"].clone()).collect::<Vec<_>>();
    assert_eq!(&Value::Array(ids(&subject["passes"])), &subject["passed"]);
    let host = subject["passes"].as_array().unwrap().iter().find(|p| p["rule"] == "US-FCC-COVERED-HOST").unwrap();
    let says = host["because"].as_array().unwrap().iter().map(|b| b.as_str().unwrap()).collect::<Vec<_>>().join("\n");
    assert!(says.contains("jurisdiction CN, not listed as of 2026-11-25 (sources to"), "{says}");
    let why = policy(&folder, &["why", "US-FCC-COVERED-HOST", "fib.csv", "--policy", FCC, "--market", "US"]).out;
    assert!(why.replace("\n", " ").contains("not listed as of 2026-11-25"), "{why}");
    // How the module is known comes first.
    let (_, answer) = json(&folder, &["check", "bom.csv", "--policy", "tw-prc-ict", "--buyer", "tw-agency", "--say", "item=module"]);
    for finding in answer["subjects"][0]["findings"].as_array().unwrap() {
        let (module, first) = (finding["detail"]["module"].as_str().unwrap(), finding["because"][0].as_str().unwrap());
        assert!(
            first.starts_with(&format!("identified as {module} (U")) && [": maker 0.", ": model 0."].iter().any(|w| first.contains(w)),
            "{first}"
        );
        assert_eq!(finding["detail"]["identified"], first);
    }
    // Reasons of one maker are not printed over another's products.
    folder.write("a/one.csv", EC25);
    folder.write("b/two.csv", FOUR);
    let table = policy(&folder, &["check", "a", "b", "--policy", "tw-prc-ict", "--buyer", "tw-agency", "--say", "item=module"]).out;
    let fails = table.split("fail: TW-PRC-ICT-MODULE").nth(1).unwrap_or_else(|| panic!("{table}"));
    let groups: Vec<&str> = fails.split("About").skip(1).collect();
    let of = |maker: &str| {
        groups.iter().find(|g| g.contains(&format!("jurisdiction CN of {maker}"))).copied().unwrap_or_else(|| panic!("{table}"))
    };
    assert!(of("Quectel").contains("one.csv") && of("Quectel").contains("two.csv") && !of("Quectel").contains("Huawei"), "{table}");
    assert!(of("Huawei").contains("two.csv") && !of("Huawei").contains("one.csv"), "{table}");
}

#[test]
fn gates_are_0_1_and_3() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let words = ["check", "bom.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01"];
    let code = |more: &[&str]| policy(&folder, &[&words[..], more].concat()).code;
    assert_eq!(code(&[]), 1);
    assert_eq!(code(&["--fail-on", "US-FCC-COVERED-HOST"]), 1);
    assert_eq!(code(&["--fail-on", "US-FCC-COVERED-MOD"]), 0);
    assert_eq!(code(&["--fail-on", "review"]), 0);
    // Words that nobody has read at their source are for review, beside a rule that fails or alone.
    folder.write("house/pack.toml", HOUSE.replace("\"verified\"", "\"unverified\""));
    let open = ["check", "bom.csv", "--policy", "house", "--say", "criticality=high", "--say", "role=control", "--say", "zone=none"];
    assert_eq!(policy(&folder, &open).code, 3);
    assert_eq!(policy(&folder, &[&open[..], &["--fail-on", "fail"]].concat()).code, 0);
    let both = ["--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01", "--fail-on"];
    assert_eq!(policy(&folder, &[&open[..], &both, &["review"]].concat()).code, 3);
    assert_eq!(policy(&folder, &[&open[..], &both, &["review,fail"]].concat()).code, 1);
    assert_eq!(code(&["--fail-on", "critical"]), 0);
    // The same engine gates `bom check` and `audit`.
    let same = |command: &[&str]| run(&folder, command.iter().chain(&["bom.csv"]).chain(&words[2..])).code;
    assert_eq!((same(&["bom", "check"]), same(&["audit", "--no-save"])), (1, 1));
    for (command, member) in [(&["bom", "check"][..], "bom-check"), (&["audit", "--no-save"], "audit")] {
        let ran = run(&folder, command.iter().chain(&["bom.csv"]).chain(&words[2..]).chain(&["--format", "json"]));
        let answer = ran.json();
        let wrong = Schema::load(member).wrong(&answer);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(answer["law"]["packs"][0]["id"], FCC);
    }
}

const KICAD: &str = "\"Reference\",\"Value\",\"Footprint\",\"Qty\",\"DNP\",\"Manufacturer\"\n\
                     \"R1,R2\",\"10k\",\"R_0402\",\"2\",\"\",\"\"\n\"U4\",\"EC25-E\",\"Module:Quectel_EC25\",\"1\",\"\",\"Quectel\"\n";

#[test]
fn a_finding_stands_on_the_line_of_the_module_in_every_format() {
    let folder = Folder::new();
    folder.write("hw/board.csv", KICAD);
    let words = ["check", "hw/board.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01", "--format"];
    let at = |format: &str| policy(&folder, &[&words[..], &[format]].concat());
    let sarif = at("sarif").json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|r| r["ruleId"] == "US-FCC-COVERED-HOST").unwrap();
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!((place["artifactLocation"]["uri"].as_str(), place["region"]["startLine"].as_u64()), (Some("hw/board.csv"), Some(3)));
    let github = at("github");
    assert!(github.out.contains("file=hw/board.csv,line=3,title=US-FCC-COVERED-HOST::"), "{}", github.out);
    let junit = at("junit").out;
    assert!(junit.contains("<testcase name=\"US-FCC-COVERED-HOST\"") && junit.contains("<failure"), "{junit}");
    let csv = at("csv").out;
    assert!(csv.lines().any(|l| l.contains(",fail,US-FCC-COVERED-HOST,")), "{csv}");
}

#[test]
fn products_against_markets() {
    let folder = Folder::new();
    folder.write("cn.csv", EC25);
    folder.write("ca.csv", HL);
    let words = ["markets", "cn.csv", "ca.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01", "--market", "US-TX,LT"];
    let (code, answer) = json(&folder, &words);
    assert_eq!((code, answer["markets"].as_array().unwrap().len()), (0, 2));
    let csv = policy(&folder, &[&words[..], &["--format", "csv"]].concat()).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "product,names,market,verdict,rules");
    assert!(lines.contains(&"cn.csv,,US-TX,fail,US-FCC-COVERED-HOST"), "{csv}");
    assert!(lines.contains(&"cn.csv,,LT,not-applicable,"), "{csv}");
    let table = policy(&folder, &words).out;
    assert!(table.contains("no rule found as of 2027-01-01"), "{table}");
}

#[test]
fn lists_cases_and_timelines_are_as_their_schemas_say() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let (_, facts) = json(&folder, &["list", "--facts"]);
    assert!(facts["facts"].as_array().unwrap().len() > 20);
    let (_, why) = json(&folder, &["why", "US-FCC-COVERED-HOST", "bom.csv", "--policy", FCC]);
    assert_eq!(why["subjects"].as_array().unwrap().len(), 1);
    let (_, list) = json(&folder, &["list"]);
    assert!(list["packs"].as_array().unwrap().iter().any(|p| p["id"] == FCC));
    assert!(policy(&folder, &["list", "--facts"]).out.contains("power_kw"));
    let (code, tested) = json(&folder, &["test", FCC]);
    assert_eq!((code, tested["failed"].as_u64()), (0, Some(0)));
    let (_, events) = json(&folder, &["timeline"]);
    assert!(!events["events"].as_array().unwrap().is_empty());
    let (_, quectel) = json(&folder, &["timeline", "--org", "quectel", "--policy", FCC]);
    assert!(
        quectel["events"].as_array().unwrap().iter().all(|e| e["what"].as_str().unwrap().contains("reported under consideration")),
        "{quectel:#}"
    );
    // A case of our own that comes out otherwise is a failure with its line.
    folder.write("house/pack.toml", HOUSE);
    let case = "[[case]]\nname = \"a toy\"\nrule = \"HOUSE-CONTROL\"\nas_of = \"2026-11-25\"\nmodule = \"Quectel EC25\"\n\
                facts = { criticality = \"high\", role = \"control\" }\nexpect = \"pass\"\n";
    folder.write("house/cases.toml", case);
    let (code, mine) = json(&folder, &["test", "house"]);
    assert_eq!((code, mine["runs"][0]["got"].as_str(), mine["runs"][0]["right"].as_bool()), (1, Some("fail"), Some(false)));
    let table = policy(&folder, &["test", "house"]).out;
    assert!(table.contains("cases.toml:2") && table.contains("pass expected, fail came out"), "{table}");
    assert!(policy(&folder, &["test", "house", "--format", "junit"]).out.contains("<failure"));
}

#[test]
fn why_shows_clause_source_basis_and_what_would_change_it() {
    let folder = Folder::new();
    folder.write("bom.csv", EC25);
    let words = ["bom.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01"];
    let (_, answer) = json(&folder, &[&["check"], &words[..]].concat());
    let id = answer["subjects"][0]["findings"][0]["id"].as_str().unwrap().to_owned();
    let shown = policy(&folder, &[&["why", &id], &words[..]].concat());
    for text in ["FCC 25-71 (90 FR 53227)", "[listed;", "Clears when:", "What helps:", "As of: 2027-01-01 (sources to"] {
        assert!(shown.out.contains(text), "{text}\n{}", shown.out);
    }
}

#[test]
fn hostile_names_stay_text() {
    let folder = Folder::new();
    folder.write("=cmd().csv", EC25.replace("EC25-E,", "\"<script>alert(1)</script> EC25-E\","));
    folder.write(
        "reg.csv",
        "asset id,name,notes\n1,=cmd|'/c calc'!A1,Quectel EC25-E\n2,<script>x</script>,Quectel EC25-E\n3,\u{1b}[31mred,Quectel EC25-E\n",
    );
    let words = ["check", "=cmd().csv", "reg.csv", "--policy", FCC, "--assume", LISTED, "--as-of", "2027-01-01"];
    let at = |format: &str| policy(&folder, &[&words[..], &["--format", format]].concat()).out;
    let csv = at("csv");
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    for row in rows.records().map(Result::unwrap) {
        assert!(row.iter().all(|cell| !cell.starts_with(['=', '+', '@'])), "{row:?}");
    }
    assert!(csv.contains("'=cmd"), "{csv}");
    let junit = at("junit");
    assert!(!junit.contains("<script>") && junit.contains("&lt;script&gt;"), "{junit}");
    let table = at("table");
    assert!(!table.contains('\u{1b}'), "{table}");
    assert!(!at("github").contains('\u{1b}'));
    at("sarif");
    json(&folder, &words);
}

#[test]
fn newer_tables_raise_one_advisory_for_each_rule_they_turn() {
    let folder = Folder::new();
    folder.write("bom.csv", "Reference,Value,Manufacturer,Qty\nU1,ME909s-821,Huawei,1\n");
    // Tables of a time at which the list did not name the maker.
    let listings = include_str!("../../knowledge/listings.csv");
    let older: Vec<&str> = listings.lines().filter(|l| !(l.starts_with("US-FCC-COVERED,") && l.contains(",huawei,"))).collect();
    assert!(older.len() < listings.lines().count());
    folder.write("older/listings.csv", older.join("\n") + "\n");
    let args = ["diff", "bom.csv", "--policy", FCC, "--against", "older", "--as-of", "2026-08-20"];
    let (code, diff) = json(&folder, &args);
    assert_eq!(code, 0);
    assert_ne!(diff["knowledge_before"]["version"], diff["knowledge"]["version"]);
    let turned = diff["changes"].as_array().unwrap();
    let host = turned.iter().find(|t| t["rule"] == "US-FCC-COVERED-HOST").unwrap();
    assert_eq!((host["was"].as_str(), host["is"].as_str(), host["subject"].as_str()), (Some("pass"), Some("fail"), Some("bom.csv")));
    assert_eq!(policy(&folder, &[&args[..], &["--fail-on", "fail"]].concat()).code, 1);
    assert_eq!(policy(&folder, &[&args[..], &["--as-of", "2026-08-21"]].concat()).code, 2);
}
