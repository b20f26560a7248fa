//! Revisions against each other, and how much a document says, on values made by hand.

use umbilical_assess::bom::{Dated, Options, check, diff};
use umbilical_core::answer::bom::{Completeness, FileAnswer};
use umbilical_core::answer::diff::{Change, Diff, Happened};
use umbilical_core::bom::{Alternate, Design, Effectivity, Part, PartKind, Placed};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::observation::At;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn part(designators: &str, value: &str, maker: &str) -> Part {
    let cell = |text: &str| (!text.is_empty()).then(|| text.into());
    Part {
        designators: designators.split_whitespace().map(Into::into).collect(),
        value: cell(value),
        manufacturer: cell(maker),
        ..Part::default()
    }
}

struct Document<'a> {
    name: &'a str,
    format: &'a str,
    design: Design,
    date: Option<&'a str>,
    parts: Vec<Part>,
}

impl<'a> Document<'a> {
    fn list(name: &'a str, parts: Vec<Part>) -> Self {
        Self { name, format: "csv", design: Design::List, date: None, parts }
    }
}

fn observed(document: &Document<'_>) -> Observations {
    let mut all = Observations::new();
    all.begin_input(document.name, document.format, String::new(), 1);
    all.bom(document.design).product.date = document.date.map(Into::into);
    for (n, part) in (2u32..).zip(&document.parts) {
        all.part(document.design, Part { at: At::line(n), ..part.clone() });
    }
    all
}

fn compare(documents: &[Document<'_>]) -> Diff {
    let (kb, as_of) = (Knowledge::embedded(), day("2026-11-25"));
    let all = documents.iter().map(|d| Dated { path: d.name.into(), date: None, check: check(observed(d), &kb, &Options::on(as_of)) });
    diff(all.collect(), &kb, as_of)
}

/// Two lists, one after the other.
fn two(old: Vec<Part>, new: Vec<Part>) -> Diff {
    compare(&[Document::list("old.csv", old), Document::list("new.csv", new)])
}

fn changes(answer: &Diff) -> &[Change] {
    &answer.steps[0].changes
}

fn fields(change: &Change) -> Vec<(&str, &str, &str)> {
    let text = |side: &'_ Option<String>| side.as_deref().unwrap_or("-").to_owned().leak() as &str;
    change.fields.iter().map(|f| (f.field, text(&f.old), text(&f.new))).collect()
}

fn codes(answer: &Diff) -> Vec<&str> {
    answer.findings.iter().map(|f| &*f.code).collect()
}

fn finding<'a>(answer: &'a Diff, code: &str) -> &'a Finding {
    answer.findings.iter().find(|f| f.code == code).unwrap_or_else(|| panic!("no {code} among {:?}", codes(answer)))
}

#[test]
fn what_is_the_same_raises_nothing_wherever_it_stands() {
    let parts = vec![part("U1", "EC25-E", "Quectel"), part("R1 R2", "10k", "Yageo"), part("", "case", "")];
    let turned: Vec<Part> = parts.iter().rev().cloned().collect();
    let answer = two(parts, turned);
    assert_eq!((answer.steps[0].unchanged, changes(&answer).len(), answer.findings.len()), (3, 0, 0));
}

#[test]
fn another_module_in_one_place_is_new_and_names_both_lines() {
    let answer = two(vec![part("U4", "SIM7080G", "SIMCom")], vec![part("J1", "socket", ""), part("U4", "BG95-M1", "Quectel")]);
    assert_eq!(codes(&answer), ["maker-change", "new-module", "removed-module"]);
    let new = finding(&answer, "new-module");
    let text = new.because.join(" | ");
    assert!(
        text.contains("BG95-M1") && text.contains("new.csv, line 3") && text.contains("SIM7080G") && text.contains("old.csv, line 2"),
        "{text}"
    );
    assert_eq!((new.detail["file"].as_str(), new.detail["line"].as_u64()), (Some("new.csv"), Some(3)));
    assert_eq!(new.detail["designators"][0], "U4");
    let maker = finding(&answer, "maker-change");
    assert_eq!((maker.severity, maker.detail["old"]["maker"].as_str()), (Severity::High, Some("SIMCom")));
    let one = changes(&answer).iter().find(|c| c.kind == PartKind::Module).unwrap();
    assert_eq!((one.change, one.aligned_by), (Happened::Changed, Some("designator")));
    assert!(fields(one).contains(&("maker", "SIMCom", "Quectel")) && fields(one).contains(&("model", "SIM7080G", "BG95-M1")));
}

#[test]
fn what_is_gone_stands_in_the_earlier_document() {
    let answer = two(vec![part("U1", "EC25-E", "Quectel"), part("R1", "10k", "")], vec![part("R1", "10k", "")]);
    assert_eq!(codes(&answer), ["removed-module"]);
    let gone = finding(&answer, "removed-module");
    assert_eq!((gone.detail["file"].as_str(), gone.detail["line"].as_u64(), gone.severity), (Some("old.csv"), Some(2), Severity::Info));
    assert!(gone.because.join(" ").contains("names no module (new.csv)"));
}

#[test]
fn a_module_that_is_placed_now_is_new_and_one_that_is_not_is_gone() {
    let on = || vec![part("U1", "EC25-E", "Quectel")];
    let off = || vec![Part { placed: Placed::No("DNP".into()), ..part("U1", "EC25-E", "Quectel") }];
    let placed = two(off(), on());
    assert_eq!(codes(&placed), ["new-module"]);
    assert_eq!(fields(&changes(&placed)[0]), [("placed", "not placed: DNP", "placed")]);
    assert_eq!(codes(&two(on(), off())), ["removed-module"]);
}

#[test]
fn a_board_that_is_numbered_anew_has_no_new_parts() {
    let old = vec![part("U1", "EC25-E", "Quectel"), part("U2", "NE555", "TI"), part("U3", "LM7805", "TI")];
    let new = vec![part("U2", "EC25-E", "Quectel"), part("U3", "NE555", "TI"), part("U1", "LM7805", "TI")];
    let answer = two(old, new);
    assert!(answer.findings.is_empty(), "{:?}", codes(&answer));
    let module = &changes(&answer)[0];
    assert_eq!((module.kind, module.aligned_by, fields(module)), (PartKind::Module, Some("name"), vec![("designators", "U1", "U2")]));
}

#[test]
fn a_module_in_the_place_of_another_part_is_new() {
    let answer = two(vec![part("U1", "ESP32-WROOM-32", "Espressif")], vec![part("U1", "EC25-E", "Quectel")]);
    assert!(codes(&answer).contains(&"new-module"), "{:?}", codes(&answer));
    // Where the place was kept for one, it is filled.
    let filled = two(vec![part("J1", "Mini PCIe", "")], vec![part("J1", "EC25-E", "Quectel")]);
    assert_eq!(codes(&filled), ["new-module"]);
}

#[test]
fn one_more_of_a_module_is_new_also_where_only_pieces_are_counted() {
    let listed = two(vec![part("U1", "EC25-E", "Quectel")], vec![part("U1 U2", "EC25-E", "Quectel")]);
    assert_eq!(codes(&listed), ["new-module"]);
    assert_eq!(changes(&listed)[0].designators, ["U2"]);
    let counted = |n| vec![Part { quantity: Some(n), ..part("", "EC25-E", "Quectel") }];
    let answer = two(counted(1), counted(2));
    assert_eq!((codes(&answer), fields(&changes(&answer)[0])), (vec!["new-module"], vec![("quantity", "1", "2")]));
    assert!(codes(&two(counted(2), counted(1))).is_empty());
}

#[test]
fn dialects_differ_in_what_they_can_say_and_that_is_no_change() {
    let drawing = Document {
        name: "gw.kicad_sch",
        format: "kicad-sch",
        design: Design::Schematic,
        date: None,
        parts: vec![part("U1", "EC25-E", ""), part("R1", "10k", ""), part("R2", "10k", "")],
    };
    let named = |d: &str, name: &str, maker: &str| Part { mpn: Some(name.into()), origin: Some("CN".into()), ..part(d, name, maker) };
    let statement = |module: Part| Document {
        name: "gw.cdx.json",
        format: "cyclonedx-json",
        design: Design::Statement,
        date: None,
        parts: vec![
            module,
            Part {
                quantity: Some(2),
                alternates: vec![Alternate { value: Some("10k 1%".into()), ..Alternate::default() }],
                ..part("", "10k", "")
            },
        ],
    };
    let same = compare(&[drawing, statement(named("U1", "EC25-E", "Quectel"))]);
    assert!(changes(&same).is_empty(), "{:?}", changes(&same));
    let again = Document::list("gw.csv", vec![part("U1", "EC25-E", ""), part("R1", "10k", ""), part("R2", "10k", "")]);
    let other = compare(&[again, statement(named("U1", "SIM7600G-H", "SIMCom"))]);
    assert_eq!(codes(&other), ["maker-change", "new-module", "removed-module"]);
}

#[test]
fn alternates_origin_supplier_version_and_effectivity() {
    let old = Part {
        origin: Some("Germany".into()),
        supplier: Some("LCSC".into()),
        version: Some("1".into()),
        ..part("U1", "SARA-R410M-02B", "u-blox")
    };
    let alternate = Alternate { value: Some("EC25-E".into()), manufacturer: Some("Quectel".into()), mpn: None };
    let new = Part {
        origin: Some("CN".into()),
        supplier: Some("Mouser".into()),
        version: Some("2".into()),
        alternates: vec![alternate],
        effective: Effectivity { serial_from: Some("GW-100".into()), ..Effectivity::default() },
        ..part("U1", "SARA-R410M-02B", "u-blox")
    };
    let answer = two(vec![old.clone()], vec![new]);
    let told: Vec<&str> = changes(&answer)[0].fields.iter().map(|f| f.field).collect();
    assert_eq!(told, ["alternates", "origin", "supplier", "version", "effective"]);
    assert_eq!(codes(&answer), ["origin-change", "alternates-change"]);
    assert!(finding(&answer, "origin-change").because[0].contains("CN instead of Germany"));
    // One country in two spellings is one.
    let spelled = two(vec![old.clone()], vec![Part { origin: Some("Made in DE".into()), ..old }]);
    assert!(changes(&spelled).is_empty());
}

#[test]
fn a_module_that_was_an_alternate_is_not_new() {
    let alternate = |model: &str| Alternate { value: Some(model.into()), manufacturer: Some("u-blox".into()), mpn: None };
    let old = Part { alternates: vec![alternate("SARA-U260"), alternate("SARA-U270")], ..part("U1", "SARA-G350", "u-blox") };
    assert_eq!(codes(&two(vec![old.clone()], vec![part("U1", "SARA-U260", "u-blox")])), ["alternates-change", "removed-module"]);
    let other = two(vec![old], vec![part("U1", "SARA-R410M-02B", "u-blox")]);
    assert!(codes(&other).contains(&"new-module"), "{:?}", codes(&other));
}

#[test]
fn jurisdictions_follow_the_maker_and_an_unknown_one_is_said_to_be() {
    let answer = two(vec![part("U1", "EG25-G", "Quectel")], vec![part("U1", "LE910C4-EU", "Telit")]);
    let moved = finding(&answer, "origin-change");
    assert!(moved.because[0].starts_with("other jurisdictions: ") && moved.because[0].ends_with("instead of CN"), "{}", moved.because[0]);
    let unknown = two(
        vec![part("U1", "EG25-G", "Quectel")],
        vec![Part { description: Some("LTE module".into()), ..part("U1", "ZZ-9000", "Nobody Heard Of") }],
    );
    assert!(!codes(&unknown).contains(&"origin-change"), "{:?}", codes(&unknown));
    assert!(finding(&unknown, "maker-change").because.join(" ").contains("not on file"));
}

#[test]
fn makers_of_parts_that_nothing_names_change_without_a_finding() {
    let answer = two(vec![part("R1", "10k", "Yageo")], vec![part("R1", "10k", "Vishay")]);
    assert_eq!(fields(&changes(&answer)[0]), [("maker", "Yageo", "Vishay")]);
    assert!(!codes(&answer).contains(&"maker-change"));
    let memory = |maker: &str| vec![Part { description: Some("NOR flash memory".into()), ..part("U2", "XX25-128", maker) }];
    let typed = two(memory("Winbond"), memory("GigaDevice"));
    assert_eq!(finding(&typed, "maker-change").severity, Severity::Medium);
}

#[test]
fn more_than_two_are_a_history_ordered_by_their_days() {
    let at = |name, date, parts| Document { date, ..Document::list(name, parts) };
    let third = at("c.csv", Some("2026-06-30"), vec![part("U1", "SIM7600G-H", "SIMCom"), part("C1 C2", "100n", "Samsung")]);
    let first = at("a.csv", Some("2024-03-01T10:00:00Z"), vec![part("U1", "SARA-U260", "u-blox"), part("C1 C2", "100n", "Murata")]);
    let second = at("b.csv", Some("2025-01-15"), vec![part("U1", "EC25-E", "Quectel"), part("C1 C2", "100n", "Murata")]);
    let answer = compare(&[third, first, second]);
    assert_eq!(answer.ordered_by, "dates");
    let module = &answer.history[0];
    let told: Vec<(&str, &str)> = module.spans.iter().map(|s| (s.from.as_deref().unwrap(), s.maker.as_deref().unwrap())).collect();
    assert_eq!(told, [("2024-03-01", "u-blox"), ("2025-01-15", "Quectel"), ("2026-06-30", "SIMCom")]);
    let capacitors = &answer.history[1];
    assert_eq!((capacitors.designators.join(" ").as_str(), capacitors.spans.len(), capacitors.switched), ("C1 C2", 2, true));
    // Where one has no day, the order is that of the arguments.
    let undated =
        compare(&[Document::list("x.csv", vec![]), at("y.csv", Some("2024-03-01"), vec![]), at("z.csv", Some("2023-03-01"), vec![])]);
    assert_eq!((undated.ordered_by, undated.revisions[2].path.as_str()), ("arguments", "z.csv"));
}

#[test]
fn a_hundred_thousand_parts_on_both_sides() {
    let list = |seed: u32| {
        (0..100_000u32).map(|n| part(&format!("R{}", n * 7 % 100_003), &format!("{}k", (n + seed) % 50), "Yageo")).collect::<Vec<_>>()
    };
    let (kb, as_of) = (Knowledge::embedded(), day("2026-11-25"));
    let judged = |d: Document<'_>| Dated { path: d.name.into(), date: None, check: check(observed(&d), &kb, &Options::on(as_of)) };
    // Every name repeats two thousand times, and no part keeps its own.
    let sides = vec![judged(Document::list("old.csv", list(0))), judged(Document::list("new.csv", list(1)))];
    let started = std::time::Instant::now();
    let answer = diff(sides, &kb, as_of);
    assert_eq!(changes(&answer).len(), 100_000);
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

// ---- completeness

fn judged(document: &Document<'_>) -> FileAnswer {
    check(observed(document), &Knowledge::embedded(), &Options::on(day("2026-11-25"))).files.remove(0)
}

fn scores(parts: Vec<Part>) -> Completeness {
    judged(&Document::list("a.csv", parts)).completeness.unwrap()
}

fn score(c: &Completeness, use_case: &str) -> Option<f64> {
    c.uses.iter().find(|u| u.use_case == use_case).unwrap().score
}

#[test]
fn every_term_is_listed_and_the_score_is_their_weighted_mean() {
    let c = scores(vec![part("U1", "EC25-E", "Quectel"), part("R1", "10k", "")]);
    assert_eq!(c.uses.iter().map(|u| u.use_case).collect::<Vec<_>>(), ["compliance", "security", "availability"]);
    for one in &c.uses {
        let counted = || one.terms.iter().filter(|t| t.of > 0);
        let sum: f64 = counted().map(|t| f64::from(t.weight) * t.have as f64 / t.of as f64).sum();
        let all: f64 = counted().map(|t| f64::from(t.weight)).sum();
        assert!((one.score.unwrap() - sum / all).abs() < 1e-4, "{}", one.use_case);
        assert!(one.terms.iter().all(|t| t.weight > 0 && t.have <= t.of && !t.source.is_empty()));
        let maker = one.terms.iter().find(|t| t.term == "maker of each part").unwrap();
        assert_eq!((maker.have, maker.of), (1, 2));
    }
    let fuller = scores(vec![part("U1", "EC25-E", "Quectel"), part("R1", "10k", "Yageo")]);
    assert!(score(&fuller, "security") > score(&c, "security"));
    let dashes = scores(vec![part("U1", "EC25-E", "Quectel"), part("R1", "10k", "n/a")]);
    assert_eq!(dashes, c, "no answer is no answer");
}

#[test]
fn a_dialect_is_not_failed_for_what_it_cannot_hold() {
    let parts = vec![part("U1", "EC25-E", "")];
    let netlist = Document { name: "a.net", format: "protel-netlist", design: Design::Netlist, date: None, parts: parts.clone() };
    let c = judged(&netlist).completeness.unwrap();
    assert_eq!(score(&c, "security"), Some(1.0), "name and place are all that it can say");
    let unheld = c.uses[1].terms.iter().find(|t| t.term == "country in which each part is made").unwrap();
    assert_eq!((unheld.have, unheld.of), (0, 0));
    assert!(score(&scores(parts), "security").unwrap() < 0.5);
    assert_eq!(score(&scores(vec![]), "compliance"), None, "of nothing nothing can be said");
}

#[test]
fn certificates_are_compatibility_and_raise_no_security_score() {
    let plain = || part("U1", "EC25-E", "Quectel");
    let certified = || Part {
        certificates: [("PTCRB", "1"), ("GCF", "2"), ("FCC", "XMR201605EC25"), ("RED", "3")].map(|(a, b)| (a.into(), b.into())).into(),
        fcc_id: Some("XMR201605EC25".into()),
        ..plain()
    };
    let (without, with) = (scores(vec![plain()]), scores(vec![certified()]));
    assert_eq!(score(&without, "security"), score(&with, "security"));
    assert_eq!(score(&without, "availability"), score(&with, "availability"));
    assert!(score(&with, "compliance") > score(&without, "compliance"));
}

#[test]
fn the_same_document_of_another_vendor_scores_alike() {
    let of =
        |maker: &str, model: &str| scores(vec![Part { mpn: Some(model.into()), ..part("U1", model, maker) }, part("R1", "10k", "Yageo")]);
    let first = of("Quectel", "EC25-E");
    for (maker, model) in [("Telit", "LE910C4-EU"), ("u-blox", "SARA-R410M-02B"), ("SIMCom", "SIM7600G-H"), ("Nobody Heard Of", "ZZ-9000")]
    {
        assert_eq!(of(maker, model), first, "{maker}");
    }
}

#[test]
fn a_hundred_thousand_parts_are_counted_at_once() {
    let parts: Vec<Part> = (0..100_000u32)
        .map(|n| Part { properties: vec![("Lead time (weeks)".into(), "12".into())], ..part(&format!("R{n}"), "10k", "Yageo") })
        .collect();
    let c = scores(parts);
    let lead = c.uses[2].terms.iter().find(|t| t.term.starts_with("lead time")).unwrap();
    assert_eq!((lead.have, lead.of), (100_000, 100_000));
}
