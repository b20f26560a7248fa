//! Questionnaires and replies: what is asked, what a reply says, and how it meets the tables.

use umbilical_assess::suppliers::{Reply, Wanted, answers, questionnaire, read};
use umbilical_core::Day;
use umbilical_core::answer::bom::TierKind;
use umbilical_core::answer::suppliers::{Answers, PART_COLUMNS, Progress, Questionnaire, Sheet, Status, Strength, Supplier};
use umbilical_core::finding::Severity;
use umbilical_knowledge::{Knowledge, Template};

const HEADS: [&str; 10] =
    ["Id", "Question", "Why we ask", "Field", "Status", "Answer", "Reason if withheld", "Evidence attached", "Who answers", "Date"];
const KEYS: [&str; 10] = ["#id", "#question", "#why", "#field", "#status", "#answer", "#reason", "#evidence", "#who", "#date"];

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn today() -> Day {
    day("2026-11-25")
}

fn ask(supplier: &str, due: Option<&str>, tiers: usize) -> Questionnaire {
    let kb = Knowledge::embedded();
    let template = Template::get("hbom").unwrap();
    questionnaire(&kb, &Wanted { template, device: "GW-17", supplier, due: due.map(day), tiers, as_of: today() }, None)
}

/// What a supplier fills in: id, status, answer; further cells by key.
type Filled<'a> = (&'a str, &'a str, &'a str);

/// The sheets that a supplier sends back.
fn filled(q: &Questionnaire, lines: &[Filled<'_>], date: &str) -> Vec<Sheet> {
    let text = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    let mut rows = vec![(1, text(&[&q.questionnaire, "Questions"])), (2, text(&HEADS)), (3, text(&KEYS))];
    for (n, asked) in (4..).zip(&q.questions) {
        let (_, status, answer) = lines.iter().find(|(id, ..)| *id == asked.id).copied().unwrap_or((&asked.id, "", ""));
        let said = if status.is_empty() && answer.is_empty() { "" } else { date };
        let reason = if status == "withheld" { "contract with the maker" } else { "" };
        rows.push((n, text(&[&asked.id, &asked.question, &asked.why, "", status, answer, reason, "", "", said])));
    }
    vec![Sheet { name: "Questions".into(), unit: "sheet Questions row".into(), rows }, about(q)]
}

fn about(q: &Questionnaire) -> Sheet {
    let ids: Vec<&str> = q.questions.iter().map(|a| a.id.as_str()).collect();
    let due = q.due.clone().unwrap_or_default();
    let rows = [
        ("#questionnaire", q.questionnaire.as_str()),
        ("#template", "hbom"),
        ("#template_version", "1"),
        ("#supplier", &q.supplier),
        ("#device", &q.device),
        ("#due", &due),
        ("#questions", &ids.join("; ")),
    ]
    .map(|(k, v)| vec![k.to_owned(), v.to_owned(), "what it is".to_owned()]);
    Sheet { name: "About".into(), unit: "sheet About row".into(), rows: (1..).zip(rows).collect() }
}

fn parts(rows: &[&[(&str, &str)]]) -> Sheet {
    let keys = PART_COLUMNS.iter().map(|c| format!("#{}", c.key)).collect();
    let cells = |row: &&[(&str, &str)]| {
        let cell = |key: &str| row.iter().find(|(k, _)| *k == key).map_or(String::new(), |(_, v)| (*v).to_owned());
        PART_COLUMNS.iter().map(|c| cell(c.key)).collect::<Vec<_>>()
    };
    let rows = std::iter::once((1, keys)).chain((2..).zip(rows.iter().map(cells))).collect();
    Sheet { name: "Parts".into(), unit: "sheet Parts row".into(), rows }
}

fn reply(n: u32, path: &str, sheets: &[Sheet]) -> Reply {
    read(&Knowledge::embedded(), n, path, sheets).unwrap()
}

fn judged(replies: Vec<Reply>, asked: Vec<Reply>) -> Answers {
    judged_on(today(), replies, asked)
}

fn judged_on(as_of: Day, replies: Vec<Reply>, asked: Vec<Reply>) -> Answers {
    answers(&Knowledge::embedded(), as_of, Vec::new(), Vec::new(), replies, asked)
}

fn only(lines: &[Filled<'_>]) -> Supplier {
    let q = ask("Acme", None, 6);
    let mut answer = judged(vec![reply(0, "r.xlsx", &filled(&q, lines, "2026-11-20"))], Vec::new());
    assert_eq!(answer.suppliers.len(), 1);
    answer.suppliers.remove(0)
}

fn checks(s: &Supplier) -> Vec<(&str, Strength)> {
    s.contradictions.iter().map(|c| (c.check, c.strength)).collect()
}

#[test]
fn a_questionnaire_is_known_by_what_it_asks() {
    let (a, b) = (ask("Acme", Some("2026-12-15"), 6), ask("Acme", Some("2026-12-15"), 6));
    assert_eq!(a.questionnaire, b.questionnaire);
    assert_ne!(a.questionnaire, ask("Other", Some("2026-12-15"), 6).questionnaire);
    assert_ne!(a.questionnaire, ask("Acme", Some("2026-12-16"), 6).questionnaire);
    assert_eq!(a.questions.len(), 41);
    // Two tiers: no question about the module, its chip, memory or firmware.
    let two = ask("Acme", None, 2);
    assert!(two.questions.iter().all(|q| q.tier.is_none_or(|t| t <= TierKind::Odm)));
    assert!(two.questions.len() < 41 && two.questions.iter().any(|q| q.id == "HB-10"));
}

#[test]
fn an_honest_reply_is_counted_and_not_contradicted() {
    let s = only(&[
        ("HB-06", "disclosed", "Acme"),
        ("HB-13", "disclosed", "Quectel"),
        ("HB-14", "disclosed", "EG25-G"),
        ("HB-15", "disclosed", "XMR201903EG25G"),
        ("HB-19", "", "Qualcomm"),
        ("HB-25", "disclosed", "China"),
        ("HB-27", "disclosed", "CN"),
        ("HB-31", "withheld", ""),
        ("HB-20", "unknown", ""),
        ("HB-21", "not-applicable", ""),
    ]);
    assert_eq!(checks(&s), []);
    let c = s.counts;
    assert_eq!((c.disclosed, c.withheld, c.unknown, c.not_applicable, c.unanswered, c.not_asked), (7, 1, 1, 1, 31, 0));
    assert_eq!(s.coverage.by_count, Some(17.5), "7 of 40 that apply");
    assert_eq!(s.state, Progress::Partial);
    let status = |tier: TierKind| s.tiers.iter().find(|t| t.tier == tier).map(|t| (t.status, t.org.as_deref())).unwrap();
    assert_eq!(status(TierKind::Module), (Status::Disclosed, Some("quectel")));
    assert_eq!(status(TierKind::Chipset), (Status::Disclosed, Some("qualcomm")));
    assert_eq!(status(TierKind::Memory), (Status::Unknown, None));
    assert_eq!(status(TierKind::Odm).0, Status::Unanswered);
    let module = s.tiers.iter().find(|t| t.tier == TierKind::Module).unwrap();
    assert_eq!(module.jurisdictions.iter().map(|j| j.country.as_str()).collect::<Vec<_>>(), ["CN"]);
    assert_eq!(module.at.as_deref(), Some("r.xlsx sheet Questions row 16"));
    assert!(s.listed.iter().any(|l| l.org == "quectel"), "{:?}", s.listed);
}

#[test]
fn contradictions_name_the_row_and_its_source() {
    let s = only(&[
        ("HB-13", "disclosed", "Telit"),
        ("HB-14", "disclosed", "EG25-G"),
        ("HB-15", "disclosed", "FCC ID: XMR201903EG25G"),
        ("HB-27", "disclosed", "USA"),
        ("HB-28", "disclosed", "No"),
    ]);
    let found = checks(&s);
    assert!(found.contains(&("model-maker", Strength::Conflict)), "{found:?}");
    assert!(found.contains(&("fcc-grantee", Strength::Conflict)), "{found:?}");
    let fcc = s.contradictions.iter().find(|c| c.check == "fcc-grantee").unwrap();
    assert!(fcc.source.starts_with("identifiers/fcc.csv:") && fcc.known.contains("Quectel Wireless Solutions"), "{fcc:?}");
    assert_eq!(fcc.at, "r.xlsx sheet Questions row 18");
    let finding = s.findings.iter().find(|f| f.code == "contradicted-answer" && f.detail["check"] == "fcc-grantee").unwrap();
    assert_eq!((finding.severity, finding.subject.id.as_str()), (Severity::High, "Acme"));
}

#[test]
fn a_contradiction_holds_the_label_back() {
    let q = ask("Acme", None, 6);
    let said = |maker: &'static str| {
        let all = q.questions.iter().map(|a| match a.id.as_str() {
            "HB-13" => ("HB-13", "", maker),
            "HB-14" => ("HB-14", "", "EG25-G"),
            id => (id, "disclosed", "yes"),
        });
        let all: Vec<Filled<'_>> = all.collect();
        judged(vec![reply(0, "r.xlsx", &filled(&q, &all, "2026-11-20"))], Vec::new()).suppliers.remove(0).label
    };
    let (honest, wrong) = (said("Quectel"), said("Telit"));
    assert_eq!((honest.letter, honest.cap), (Some("B"), None), "{:?}", honest.terms);
    assert_eq!((wrong.letter, wrong.cap.as_deref()), (Some("D"), Some("an answer contradicts a known fact: at most D")));
    assert!(wrong.score < honest.score);
}

#[test]
fn made_in_usa_against_the_factories_on_file() {
    let s = only(&[
        ("HB-13", "disclosed", "Quectel"),
        ("HB-14", "disclosed", "EG25-G"),
        ("HB-25", "disclosed", "Germany"),
        ("HB-27", "disclosed", "US"),
    ]);
    assert_eq!(checks(&s), [("site-country", Strength::Conflict), ("owner-country", Strength::Conflict)]);
    let site = &s.contradictions[0];
    assert!(site.known.contains("Hefei") && site.source.starts_with("organisations.csv:"), "{site:?}");
    // A row that nobody has checked says that somebody builds for it there: a doubt, and both are named.
    let s = only(&[("HB-13", "disclosed", "Quectel"), ("HB-25", "disclosed", "Made in USA")]);
    assert_eq!(checks(&s), [("site-country", Strength::Doubt)]);
    assert!(s.contradictions[0].known.contains("Eagle Electronics Inc. is said to build for it (unverified)"), "{:?}", s.contradictions);
    // Where a contract maker is on file, its country is no contradiction.
    assert_eq!(checks(&only(&[("HB-13", "disclosed", "Quectel"), ("HB-25", "disclosed", "India")])), []);
    // Of one who is run from elsewhere and whose factories no row names, it is a doubt.
    let s = only(&[("HB-13", "disclosed", "Fibocom"), ("HB-25", "disclosed", "Germany")]);
    assert_eq!(checks(&s), [("site-country", Strength::Doubt)]);
    assert_eq!(s.findings.iter().find(|f| f.code == "contradicted-answer").unwrap().severity, Severity::Medium);
    // A contract maker of one product does not say where the others are made.
    assert_eq!(checks(&only(&[("HB-13", "disclosed", "Telit"), ("HB-25", "disclosed", "USA")])), []);
    // The same words for a western maker.
    let s = only(&[("HB-13", "disclosed", "Sequans"), ("HB-25", "disclosed", "China")]);
    assert_eq!(checks(&s), [("site-country", Strength::Doubt)]);
}

#[test]
fn a_rebrand_row_names_the_maker() {
    let s = only(&[("HB-13", "disclosed", "Dell"), ("HB-14", "disclosed", "DW5821e")]);
    assert_eq!(checks(&s), [("rebrand", Strength::Conflict)]);
    assert!(s.contradictions[0].known.contains("made by Foxconn (T77W968)"), "{:?}", s.contradictions);
    // The maker named as such is not contradicted.
    assert_eq!(checks(&only(&[("HB-13", "disclosed", "Foxconn"), ("HB-14", "disclosed", "T77W968 (Dell DW5821e)")])), []);
}

#[test]
fn a_reply_that_says_two_things_is_told_so() {
    let q = ask("Acme", None, 6);
    let said = |maker: &'static str| {
        let mut sheets = filled(&q, &[("HB-13", "", maker)], "2026-11-20");
        sheets.push(parts(&[&[
            ("our_ref", "P1"),
            ("function", "module"),
            ("part_maker", "Quectel Wireless Solutions"),
            ("version", "R1"),
        ]]));
        judged(vec![reply(0, "r.xlsx", &sheets)], Vec::new()).suppliers.remove(0)
    };
    let s = said("Telit");
    assert_eq!(checks(&s), [("itself", Strength::Doubt)]);
    assert!(s.contradictions[0].known.contains("r.xlsx sheet Parts row 2"), "{:?}", s.contradictions);
    assert_eq!(checks(&said("QUECTEL")), []);
}

#[test]
fn a_product_that_was_seen_with_another_module_is_a_doubt() {
    let of = |device: &str, maker: &'static str| {
        let kb = Knowledge::embedded();
        let template = Template::get("hbom").unwrap();
        let q = questionnaire(&kb, &Wanted { template, device, supplier: "Acme", due: None, tiers: 6, as_of: today() }, None);
        let said = filled(&q, &[("HB-06", "", "Teltonika"), ("HB-13", "", maker)], "2026-11-20");
        let s = judged(vec![reply(0, "r.xlsx", &said)], Vec::new()).suppliers.remove(0);
        s.contradictions.iter().map(|c| (c.check, c.strength)).collect::<Vec<_>>()
    };
    assert_eq!(of("RUT956", "Telit"), [("product", Strength::Doubt)]);
    assert_eq!(of("RUT956", "Quectel"), []);
    assert_eq!(of("RUT200", "Telit"), [], "no row says what is in it");
}

#[test]
fn parts_are_compared_as_well() {
    let q = ask("Acme", None, 6);
    let mut sheets = filled(&q, &[], "");
    sheets.push(parts(&[
        &[
            ("our_ref", "P1"),
            ("function", "cellular module"),
            ("part_maker", "u-blox"),
            ("maker_part_number", "EG25-G"),
            ("memory", "withheld"),
        ],
        // The maker of a resistor is not asked who makes the module.
        &[("our_ref", "P2"), ("function", "resistor"), ("part_maker", "Quectel"), ("maker_part_number", "RC0402")],
    ]));
    let s = judged(vec![reply(0, "r.xlsx", &sheets)], Vec::new()).suppliers.remove(0);
    assert_eq!(checks(&s), [("model-maker", Strength::Conflict)]);
    assert_eq!(s.contradictions[0].at, "r.xlsx sheet Parts row 2");
    let of = |tier: TierKind| s.tiers.iter().find(|t| t.tier == tier).unwrap();
    assert_eq!((of(TierKind::Module).status, of(TierKind::Module).name.as_deref()), (Status::Disclosed, Some("u-blox")));
    assert_eq!(of(TierKind::Memory).status, Status::Withheld);
    assert!(s.findings.iter().any(|f| f.code == "withheld-tier" && f.detail["tier"] == "memory"));
    assert_eq!(s.parts.len(), 2);
}

#[test]
fn an_empty_reply_is_understood() {
    let s = only(&[]);
    assert_eq!((s.state, s.coverage.by_weight, s.counts.unanswered), (Progress::Empty, Some(0.0), 41));
    assert_eq!(s.label.letter, Some("F"));
    // The most telling question first: who makes the module.
    assert_eq!(s.next[0].id, "HB-13");
    assert!(s.next[0].because.starts_with("unanswered; weight 8"), "{:?}", s.next);
    assert!(s.findings.iter().all(|f| f.code == "missing-tier"));
    assert_eq!(s.findings.len(), 6);
}

#[test]
fn where_a_name_is_withheld_the_label_is_asked_for() {
    let s = only(&[("HB-13", "withheld", ""), ("HB-14", "withheld", "")]);
    assert_eq!(s.next[0].id, "HB-15", "{:?}", s.next);
    assert!(s.next[0].because.contains("leads around it"), "{:?}", s.next);
    assert!(s.findings.iter().any(|f| f.code == "withheld-tier" && f.because[0].contains("reason: contract with the maker")));
}

#[test]
fn silence_counts_from_the_day_after() {
    let sent = ask("Acme", Some("2026-12-15"), 6);
    let asked = || vec![reply(0, "asked.xlsx", &filled(&sent, &[], ""))];
    let on = |text: &str| judged_on(day(text), Vec::new(), asked()).suppliers.remove(0);
    let s = on("2026-12-15");
    assert_eq!((s.state, s.label.letter, s.findings.len()), (Progress::Awaited, None, 0));
    assert_eq!(s.ask_again.on.as_deref(), Some("2026-12-16"));
    let s = on("2026-12-16");
    assert_eq!((s.state, s.label.letter), (Progress::Silent, Some("F")));
    assert_eq!(s.findings.iter().map(|f| &*f.code).collect::<Vec<_>>(), ["silent-supplier"]);
    assert_eq!(s.ask_again.on.as_deref(), Some("2026-12-29"), "14 days after the day it was due");
    assert_eq!(on("2026-12-29").ask_again.on.as_deref(), Some("2027-01-12"));
    // Any reply of the supplier ends the silence.
    let answered = judged_on(day("2026-12-16"), vec![reply(1, "r.xlsx", &filled(&sent, &[("HB-06", "", "Acme")], "2026-12-14"))], asked());
    assert_eq!(answered.suppliers.len(), 1);
    assert_eq!(answered.suppliers[0].state, Progress::Partial);
}

#[test]
fn moved_columns_translated_headings_and_a_lost_row_of_keys() {
    let q = ask("Acme", None, 6);
    let told = filled(&q, &[("HB-13", "disclosed", "Quectel"), ("HB-14", "withheld", ""), ("HB-06", "disclosed", "Acme")], "2026-11-20");
    let order = [5usize, 4, 9, 6, 0, 1, 2, 3, 7, 8];
    let headings = ["Antwort", "Status", "Datum", "Grund", "Nr", "Frage", "Warum", "Feld", "Nachweis", "Wer antwortet"];
    let moved = |keys: bool, heads: Option<&[&str; 10]>| {
        let mut sheet = told[0].clone();
        for (_, row) in &mut sheet.rows {
            row.resize(10, String::new());
            *row = order.iter().map(|c| row[*c].clone()).collect();
        }
        match heads {
            Some(heads) => sheet.rows[1].1 = heads.iter().map(|h| (*h).to_owned()).collect(),
            None => sheet.rows[1].1 = vec!["x".into(), "y".into()],
        }
        if !keys {
            sheet.rows.remove(2);
        }
        vec![sheet, told[1].clone()]
    };
    for sheets in [moved(true, Some(&headings)), moved(false, Some(&headings)), moved(true, None), moved(false, None)] {
        let r = reply(0, "r.csv", &sheets);
        let line = |id: &str| r.lines.iter().find(|l| l.id == id).unwrap();
        assert_eq!((line("HB-13").status, line("HB-13").answer.as_str()), (Status::Disclosed, "Quectel"));
        assert_eq!(line("HB-14").status, Status::Withheld);
        assert_eq!(r.lines.len(), 41);
    }
    // Ids deleted: the words of the questions are left.
    let mut sheet = told[0].clone();
    for (_, row) in &mut sheet.rows {
        row.remove(0);
    }
    let r = reply(0, "r.csv", &[sheet]);
    assert_eq!(r.lines.iter().find(|l| l.id == "HB-13").unwrap().answer, "Quectel");
    assert_eq!(r.supplier, None);
}

#[test]
fn added_rows_twice_answered_questions_and_odd_words_are_located() {
    let q = ask("Acme", None, 6);
    let mut sheets = filled(
        &q,
        &[("HB-13", "later", "Quectel"), ("HB-14", "disclosed", ""), ("HB-10", "n/a", ""), ("HB-25", "disclosed", "somewhere")],
        "soon",
    );
    let row = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
    sheets[0].rows.push((60, row(&["", "we also note", "", "", "", "our own remark"])));
    sheets[0].rows.push((61, row(&["HB-13", "", "", "", "disclosed", "Fibocom"])));
    let r = reply(0, "r.xlsx", &sheets);
    let said =
        |at: &str, what: &str| assert!(r.problems.iter().any(|(a, w)| a == at && w.contains(what)), "{at} {what}: {:#?}", r.problems);
    said("sheet Questions row 16", "status `later`");
    said("sheet Questions row 17", "holds no answer");
    said("sheet Questions row 13", "is no answer to it");
    said("sheet Questions row 28", "not a country");
    said("sheet Questions row 28", "`soon` is no day");
    said("sheet Questions row 60", "stands beside no question");
    said("sheet Questions row 61", "the later one counts");
    assert_eq!(r.lines.iter().find(|l| l.id == "HB-13").unwrap().answer, "Fibocom");
    assert_eq!(r.lines.iter().find(|l| l.id == "HB-10").unwrap().status, Status::Unanswered);
}

#[test]
fn a_switch_of_supplier_is_dated() {
    let q = ask("Acme", None, 6);
    let first = filled(&q, &[("HB-13", "", "Telit"), ("HB-06", "", "Acme")], "2026-03-01");
    let second = filled(&q, &[("HB-13", "", "Quectel")], "2026-10-01");
    // Named so that the order of the paths is not the order of the days.
    let answer = judged(vec![reply(0, "b.xlsx", &first), reply(1, "a.xlsx", &second)], Vec::new());
    let s = &answer.suppliers[0];
    assert_eq!(s.replies.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["b.xlsx", "a.xlsx"]);
    let [change] = s.history.as_slice() else { panic!("{:?}", s.history) };
    assert_eq!(
        (change.what.as_str(), change.tier, change.from.as_str(), change.to.as_str()),
        ("HB-13", Some(TierKind::Module), "Telit", "Quectel")
    );
    assert_eq!((change.from_date.as_deref(), change.to_date.as_deref()), (Some("2026-03-01"), Some("2026-10-01")));
    // What the second reply leaves open, the first has answered.
    assert_eq!(s.answers.iter().find(|a| a.id == "HB-06").unwrap().answer.as_deref(), Some("Acme"));
    assert_eq!(s.counts.disclosed, 2);
}

#[test]
fn deleted_rows_are_not_forgotten() {
    let q = ask("Acme", None, 6);
    let mut sheets = filled(&q, &[("HB-06", "", "Acme")], "2026-11-20");
    sheets[0].rows.retain(|(_, row)| !row[0].starts_with("HB-") || row[0] == "HB-06");
    let unanswered = |sheets: &[Sheet], asked: Vec<Reply>| {
        let s = judged(vec![reply(1, "r.xlsx", sheets)], asked).suppliers.remove(0);
        (s.counts.unanswered, s.counts.not_asked, s.open_points.len())
    };
    assert_eq!(unanswered(&sheets, Vec::new()), (40, 0, 0), "the sheet About says what was asked");
    assert_eq!(unanswered(&sheets[..1], Vec::new()), (40, 0, 1), "nothing says so: the whole form");
    // What was sent decides: two tiers.
    let two = ask("Acme", None, 2);
    let sent = reply(0, "asked.xlsx", &filled(&two, &[], ""));
    let asked = two.questions.len() as u64;
    assert_eq!(unanswered(&sheets, vec![sent]), (asked - 1, 41 - asked, 0));
}

#[test]
fn several_suppliers_have_the_same_terms() {
    let names = ["Acme", "Zenith"].map(|n| ask(n, None, 6));
    let replies = (0..).zip(&names).map(|(n, q)| reply(n, &format!("{n}.xlsx"), &filled(q, &[("HB-06", "", "x")], "2026-11-01"))).collect();
    let answer = judged(replies, Vec::new());
    let terms = |s: &Supplier| s.label.terms.iter().map(|t| (t.term.clone(), t.weight, t.have, t.of)).collect::<Vec<_>>();
    assert_eq!(answer.suppliers.len(), 2);
    assert_eq!(terms(&answer.suppliers[0]), terms(&answer.suppliers[1]));
    assert_eq!(answer.suppliers[0].label.terms.iter().map(|t| t.weight).sum::<u32>(), 100);
}

#[test]
fn what_is_no_reply_is_refused() {
    let sheet = |cells: &[&str]| Sheet {
        name: "Sheet1".into(),
        unit: "sheet Sheet1 row".into(),
        rows: vec![(1, cells.iter().map(|c| (*c).to_owned()).collect())],
    };
    for sheets in [vec![], vec![sheet(&["Ref", "Value", "MPN"])], vec![sheet(&["HB-99", "what?"])]] {
        let error = read(&Knowledge::embedded(), 0, "x.xlsx", &sheets).unwrap_err();
        assert!(error.contains("no reply to a questionnaire"), "{error}");
    }
}

#[test]
fn every_form_can_be_answered_in_full() {
    let kb = Knowledge::embedded();
    for template in Template::all() {
        let q = questionnaire(&kb, &Wanted { template, device: "D", supplier: "S", due: None, tiers: 6, as_of: today() }, None);
        let mut sheets =
            filled(&q, &q.questions.iter().map(|a| (a.id.as_str(), "disclosed", "2030 yes 50 DE")).collect::<Vec<_>>(), "2026-11-01");
        sheets[1].rows[1].1[1] = template.id.clone();
        let s = judged(vec![reply(0, "r.xlsx", &sheets)], Vec::new()).suppliers.remove(0);
        assert_eq!((s.state, s.coverage.by_weight, s.next.len()), (Progress::Complete, Some(100.0), 0), "{}", template.id);
        assert_eq!(s.ask_again.on.as_deref(), Some("2027-11-01"));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    /// Whatever stands in the cells, nothing breaks, and the numbers add up.
    #[test]
    fn any_cells_are_read(rows in proptest::collection::vec(proptest::collection::vec(cell(), 0..9), 0..14)) {
        let rows = (1..).zip(rows).collect();
        let sheet = Sheet { name: "S".into(), unit: "sheet S row".into(), rows };
        if let Ok(reply) = read(&Knowledge::embedded(), 0, "r.csv", &[sheet]) {
            let answer = judged(vec![reply], Vec::new());
            for s in &answer.suppliers {
                let c = s.counts;
                let all = c.disclosed + c.withheld + c.unknown + c.not_applicable + c.unanswered + c.not_asked;
                proptest::prop_assert_eq!(all, s.answers.len() as u64);
                proptest::prop_assert!(s.coverage.by_weight.is_none_or(|p| (0.0..=100.0).contains(&p)));
                proptest::prop_assert!(s.label.score.is_none_or(|p| (0.0..=1.0).contains(&p)));
            }
        }
    }
}

fn cell() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let words = [
        "HB-13",
        "HB-14",
        "HB-15",
        "HB-18",
        "HB-25",
        "HB-27",
        "#id",
        "#answer",
        "#status",
        "#part_maker",
        "#our_ref",
        "#fcc_id",
        "#function",
        "#maker_part_number",
        "disclosed",
        "withheld",
        "Quectel",
        "EG25-G",
        "XMR201903EG25G",
        "Made in USA",
        "Dell",
        "DW5821e",
        "MDM9207",
        "ask-0123456789ab",
        "#supplier",
        "#due",
        "2026-99-99",
        "P1",
        "module",
        "\u{202e}\u{1b}[2J",
        "=1+1",
        "",
        "移远通信",
        "İ",
        "ﬃ",
    ];
    prop_oneof![4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}
