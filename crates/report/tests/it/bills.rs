//! A product made by hand: a list and the drawing it came from, a re-branded module with an alternate, a carrier, a holder
//! that is not placed, an assembly in an assembly, and names that mean harm.

use std::sync::Arc;

use serde_json::json;
use umbilical_core::answer::bom::*;
use umbilical_core::answer::{Because, Behind, KnowledgeStamp, Module, Said};
use umbilical_core::bom::*;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::{At, Basis, Input};
use umbilical_core::weight::ConfidenceLevel;

use crate::fleet::{AS_OF, because, claim, fenwick, module};
use umbilical_core::answer::Level;

/// A name that would like to be a command, a link, a formula, an element and a terminal's colour.
pub const EVIL: &str = "=X](http://evil.example) ::error title=a,b::<script>&\"'\u{1b}[31m\r\n::stop-commands::x%0A\u{ffff}";

pub fn cell(text: &str) -> Cell {
    Some(text.into())
}

/// A part with its designators, at a line.
pub fn part(index: u32, designators: &[&str], value: &str, line: u32) -> PartAnswer {
    PartAnswer {
        index,
        at: format!("line {line}"),
        line: Some(line),
        part: Part {
            at: At::line(line),
            designators: designators.iter().map(|d| (*d).into()).collect(),
            value: cell(value).filter(|v| !v.is_empty()),
            quantity: u32::try_from(designators.len()).ok(),
            ..Part::default()
        },
        path: Arc::new([]),
        kind: PartKind::Other,
        known_by: "".into(),
        maker: None,
        ownership: Arc::new([]),
        module: None,
        tiers: Vec::new(),
        alternates: Vec::new(),
        worst: None,
    }
}

fn rebranded() -> Module {
    let told: Vec<Because> = vec![
        because(0, "line 3", "document", "model", "FW-25", 3200, "modules.csv"),
        because(0, "line 3", "own-word", "firmware-revision", "FW25R1", 4200, "patterns.csv"),
    ];
    let claims = vec![claim(1, Level::Model, "FW-25", 0.9731, ConfidenceLevel::Probable, told, Vec::new())];
    let mut m = module(Some("Fenwick"), Some("FW-25"), 0.9731, ConfidenceLevel::Probable, claims, vec![fenwick()]);
    m.brand = Some("Gateway & Sons".into());
    m.sold_as = Some("GS-LTE".into());
    m.imei = vec!["490154203237518".into()];
    m
}

fn tier(tier: TierKind, name: Option<&str>) -> Tier {
    Tier {
        tier,
        name: name.map(str::to_owned),
        part: None,
        org: None,
        jurisdictions: Vec::new(),
        confidence: if name.is_some() { 0.9 } else { 0.0 },
        basis: name.map(|_| Basis::Declared),
        because: "ask the supplier".into(),
    }
}

pub fn finding(code: &'static str, severity: Severity, file: &str, part: Option<&PartAnswer>) -> Finding {
    let detail = match part {
        Some(p) => json!({
            "file": file, "line": p.line, "at": p.at, "path": &*p.path, "designators": p.part.designators, "value": p.part.value,
            "mpn": p.part.mpn, "manufacturer": p.part.manufacturer, "maker": p.maker.as_deref(),
        }),
        None => json!({ "file": file, "line": null, "at": "file" }),
    };
    Finding {
        id: "fnd-0123456789ab".into(),
        code: code.into(),
        source: "bom",
        subject: Subject { kind: if part.is_some() { "part" } else { "file" }, id: format!("prt-{file}") },
        verdict: None,
        severity,
        confidence: 0.9,
        basis: Basis::Declared,
        lifecycle: "not-patchable",
        threats: vec!["surveillance"],
        first: None,
        last: None,
        because: vec![format!("it says so, 100 % sure: {}", part.and_then(|p| p.part.value.as_deref()).unwrap_or("nothing"))],
        remedies: vec!["ask".into(), "replace it".into()],
        clears_when: "somebody answers".into(),
        detail,
    }
}

fn file(input: u32, path: &str, design: Design, parts: Vec<PartAnswer>, not_placed: Vec<PartAnswer>) -> FileAnswer {
    FileAnswer {
        input,
        path: path.into(),
        format: "csv".into(),
        design,
        product: Product::default(),
        state: State::Found,
        because: vec!["U2 is a cellular module".into()],
        parts,
        not_placed,
        completeness: None,
        signed: None,
        findings: Vec::new(),
        rest: Rest::default(),
    }
}

/// The product.
pub fn check() -> Check {
    let mut board = part(0, &[], "main board", 2);
    board.kind = PartKind::Assembly;
    let mut u2 = part(1, &["U2", "U 3,|%"], "GS-LTE", 3);
    u2.part.parent = Some(0);
    u2.part.mpn = cell("GS-LTE-01");
    u2.part.manufacturer = cell("Gateway & Sons");
    u2.part.description = cell("4G module");
    u2.part.version = cell(&"9".repeat(1500));
    u2.part.fcc_id = cell("2AXYZFW25");
    u2.part.certificates = vec![("US FCC".into(), "2AXYZFW25".into()), ("PTCRB".into(), "77".into()), ("DE".into(), "x".into())];
    u2.part.supplier = cell("Dealer");
    u2.part.supplier_part = cell("C12345");
    u2.part.role = cell("device, cellular modem, module");
    u2.part.alternates = vec![Alternate { value: cell("a|b%"), mpn: cell("ALT-1"), manufacturer: cell("Other") }];
    u2.part.ancestors = vec![Alternate { value: cell("FW-24"), mpn: None, manufacturer: cell("Fenwick") }];
    u2.part.effective = Effectivity { serial_from: cell("100"), serial_to: cell("199"), from: "2026-01-31".parse().ok(), to: None };
    u2.part.properties = vec![
        ("Footprint".into(), "LCC".into()),
        ("json:hashes".into(), "[{}]".into()),
        ("cdx:device:quantity".into(), "7".into()),
        ("umbilical:kind".into(), "stale".into()),
        ("json:evidence".into(), "{\"occurrences\":[{\"location\":\"old\"}]}".into()),
    ];
    u2.path = Arc::new(["main board".into()]);
    u2.kind = PartKind::Module;
    u2.known_by = "modules.csv: GS-LTE".into();
    u2.maker = Some("Fenwick".into());
    u2.ownership = Arc::new([Behind { role: "maker", trace: Arc::new(fenwick()) }]);
    u2.module = Some(Arc::new(rebranded()));
    u2.tiers = vec![tier(TierKind::Module, Some("Fenwick")), tier(TierKind::Memory, None)];
    u2.worst = Some("ALT-1".into());
    let mut holder = part(2, &["J1"], "SIM holder", 4);
    holder.part.parent = Some(0);
    holder.part.placed = Placed::No("DNP".into());
    holder.path = Arc::new(["main board".into()]);
    holder.kind = PartKind::Sim;
    let evil = part(3, &["R1", "R2"], EVIL, 5);
    let evil_again = part(4, &["R1", "R2"], EVIL, 6);
    let mut carrier = part(5, &["A1"], "Carrier", 7);
    carrier.kind = PartKind::Carrier;
    let mut firmware = part(6, &[], "", 8);
    firmware.part.mpn = cell("fw-image");
    firmware.kind = PartKind::Firmware;
    let nameless = part(7, &["TP1"], "", 9);

    let mut list = file(0, "hw/my bom,1:2.csv", Design::List, vec![board, u2, evil, evil_again, carrier, firmware, nameless], vec![holder]);
    list.product = Product { name: cell("Gateway"), brand: cell("Gateway & Sons"), version: cell("rev C"), ..Product::default() };
    list.rest.properties = vec![("title".into(), "Gateway bill".into())];
    let [u2, carrier] = [&list.parts[1], &list.parts[4]];
    list.findings = vec![
        finding("cellular-module", Severity::Info, &list.path, Some(u2)),
        finding("undisclosed-modem", Severity::High, &list.path, Some(carrier)),
        finding("missing-tier", Severity::Info, &list.path, None),
    ];
    // The drawing has the module and says more of it; it has another resistor at R1, and places what the list leaves out.
    let mut drawn = part(0, &["U2"], "gs-lte", 40);
    drawn.part.origin = cell("CN");
    drawn.part.properties = vec![("Footprint".into(), "other".into()), ("Datasheet".into(), "gs.pdf".into())];
    let placed = part(2, &["J1"], "SIM holder", 42);
    let mut other = part(1, &["R1"], "4k7", 41);
    other.line = None;
    other.at = "sheet 2 symbol 41".into();
    let drawing = file(1, "hw/board.kicad_sch", Design::Schematic, vec![drawn, other, placed], Vec::new());
    let input = |path: &str, sha256: &str| Input {
        path: path.into(),
        format: "csv".into(),
        sha256: sha256.into(),
        observations: 1,
        bytes: 1,
        mapping: Vec::new(),
    };
    let inputs = vec![input(&list.path, "aa"), input(&drawing.path, "bb")];
    Check {
        law: None,
        schema: CHECK_SCHEMA,
        as_of: AS_OF.into(),
        knowledge: KnowledgeStamp { version: "0123".into(), sources_to: "2026-08-22".into(), absent: Vec::new() },
        inputs,
        problems: vec![Said { input: Some(1), at: "line 12".into(), what: format!("odd {EVIL}") }],
        projects: vec![Project {
            path: "hw".into(),
            files: vec![0, 1],
            state: State::Undisclosed,
            because: vec!["A1 carries a module that nobody names".into()],
            findings: vec![finding("documents-disagree", Severity::Medium, "hw", None)],
        }],
        files: vec![list, drawing],
        organisations: vec![fenwick()],
    }
}

/// Every finding of the answer.
pub fn findings(check: &Check) -> Vec<&Finding> {
    check.files.iter().flat_map(|f| &f.findings).chain(check.projects.iter().flat_map(|p| &p.findings)).collect()
}
