//! A small fleet made by hand: a certain module, a re-brand, a contradiction, a product, an unknown, one without, and
//! names that mean harm.

use std::sync::Arc;

use serde_json::Value;
use umbilical_core::answer::*;
use umbilical_core::finding::{Finding, Severity, Subject};
use umbilical_core::observation::{Basis, Input};
use umbilical_core::weight::ConfidenceLevel;

pub const AS_OF: &str = "2026-11-22";
const FENWICK: &str = "Fenwick Wireless Co., Ltd. 芬威克通信";

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|s| (*s).to_owned()).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub fn because(input: u32, at: &str, group: &'static str, kind: &'static str, value: &str, weight: i32, matched: &str) -> Because {
    let basis = if group == "document" { Basis::Declared } else { Basis::Observed };
    Because { input, at: at.into(), group, kind, value: value.into(), basis, weight, matched: matched.into() }
}

pub fn claim(
    n: u32,
    level: Level,
    value: &str,
    confidence: f64,
    word: ConfidenceLevel,
    because: Vec<Because>,
    against: Vec<Because>,
) -> Claim {
    Claim {
        id: format!("clm-{n:012x}"),
        level,
        value: value.into(),
        confidence,
        confidence_level: word,
        basis: Basis::Observed,
        because,
        against,
    }
}

pub fn step(
    child: &str,
    parent: &str,
    parent_name: &str,
    edge: &str,
    share: Option<&str>,
    days: (Option<&str>, Option<&str>),
    control: bool,
) -> Step {
    Step {
        child: child.into(),
        child_name: if child == "fenwick" { FENWICK.into() } else { child.into() },
        parent: parent.into(),
        parent_name: parent_name.into(),
        edge: edge.into(),
        share: share.map(str::to_owned),
        from: days.0.map(str::to_owned),
        to: days.1.map(str::to_owned),
        control,
        unclear: false,
        basis: if edge == "affiliate-alleged" { Basis::Alleged } else { Basis::Declared },
        source: "https://register.example/extract/4711; annual report".into(),
        verified: control,
    }
}

pub fn jurisdiction(org: &str, country: &str, via: &[&str], laws: &[&str]) -> Jurisdiction {
    let basis = if via.is_empty() { Basis::Declared } else { Basis::Inferred };
    Jurisdiction {
        org: org.into(),
        country: country.into(),
        via: strings(via),
        laws: strings(laws),
        basis,
        unclear: false,
        as_of: AS_OF.into(),
    }
}

pub fn trace(org: &str, name: &str, statement: &str) -> Trace {
    Trace {
        org: org.into(),
        name: name.into(),
        owner: Vec::new(),
        headquarters: None,
        rd_seat: None,
        factory: None,
        firmware_signer: None,
        chain: Vec::new(),
        former: Vec::new(),
        other: Vec::new(),
        alleged: Vec::new(),
        jurisdictions: Vec::new(),
        listings: Vec::new(),
        pending: Vec::new(),
        open_points: Vec::new(),
        statement: statement.into(),
    }
}

/// A maker with everything that a trace can have.
pub fn fenwick() -> Trace {
    let mut t = trace(
        "fenwick",
        FENWICK,
        "jurisdiction CN and LU; listed: ZZ-LIST-12 since 2025-01-07 (names Fenwick Holding Group, which stands behind it; unverified); as of 2026-11-22 (sources to 2026-08-22)",
    );
    t.owner = strings(&["State Assets Office"]);
    t.headquarters = some("Shanghai, CN");
    t.factory = some("Hefei, CN");
    t.chain = vec![
        step("fenwick", "fenwick-lux", "Fenwick Radio S.à r.l.", "owns", Some("100"), (Some("2020-11-18"), None), true),
        step("fenwick", "minor-fund", "Minor Fund LP", "owns", Some("4.5"), (Some("2016-11-30"), None), false),
        step("fenwick-lux", "fenwick-group", "Fenwick Holding Group", "owns", Some("75"), (Some("2023-01"), None), true),
        step("fenwick-group", "sao", "State Assets Office", "controls", None, (None, None), true),
    ];
    t.former = vec![step("fenwick", "old-owner", "Old Owner Inc.", "owns", Some("90"), (None, Some("2020-11-18")), false)];
    t.other = vec![
        step("fenwick", "chips", "Chips & Sons", "supplies", None, (None, None), false),
        step("dealer", "fenwick", "Fenwick Wireless Co., Ltd. 芬威克通信", "makes", None, (None, None), false),
    ];
    t.alleged = vec![step("fenwick", "shadow", "Shadow Electronics", "affiliate-alleged", None, (Some("2024"), None), false)];
    t.jurisdictions = vec![
        jurisdiction("fenwick", "CN", &[], &["National Intelligence Law, art. 7, 14", "Data Security Law, art. 35 (unverified)"]),
        jurisdiction("fenwick-lux", "LU", &["Fenwick Radio S.à r.l."], &["no row on file"]),
    ];
    t.listings = vec![Listing {
        regime: "ZZ-LIST-12".into(),
        entity: "Fenwick Holding Group".into(),
        org: "fenwick-group".into(),
        from: some("2025-01-07"),
        to: None,
        citation: "Act 12, section 60".into(),
        scope: "entity and what it controls".into(),
        list_status: "in-force".into(),
        prohibits: "agencies may not buy".into(),
        basis: Basis::Listed,
        unclear: false,
        source: "https://lists.example/12.csv".into(),
        verified: false,
    }];
    t.open_points = strings(&["Minor Fund LP holds 4.5 % of it and is listed (ZZ-LIST-12): whether that makes an affiliate is for review"]);
    t
}

pub fn module(
    maker: Option<&str>,
    model: Option<&str>,
    confidence: f64,
    word: ConfidenceLevel,
    claims: Vec<Claim>,
    ownership: Vec<Trace>,
) -> Module {
    let first = claims.first();
    Module {
        brand: maker.map(str::to_owned),
        maker: maker.map(str::to_owned),
        model: model.map(str::to_owned),
        sold_as: None,
        variant: None,
        family: None,
        level: if model.is_some() { Level::Model } else { Level::Maker },
        confidence,
        confidence_level: word,
        basis: Basis::Observed,
        chipset: None,
        rats: Vec::new(),
        imei: Vec::new(),
        because: first.map(|c| c.because.clone()).unwrap_or_default(),
        against: first.map(|c| c.against.clone()).unwrap_or_default(),
        claims,
        jurisdictions: ownership.iter().flat_map(|t| t.jurisdictions.clone()).collect(),
        // The first is the maker; who else stands behind a module does so as its brand.
        ownership: ["maker", "brand"].into_iter().zip(ownership).map(|(role, trace)| Behind { role, trace: Arc::new(trace) }).collect(),
        conflicts: Vec::new(),
        firmware: None,
    }
}

pub fn device(id: u64, name: &str, cellular: Cellular) -> Device {
    Device {
        id: format!("dev-{id:012x}"),
        names: if name.is_empty() { Vec::new() } else { strings(&[name]) },
        identifiers: Identifiers::default(),
        cellular,
        cellular_confidence: if cellular == Cellular::Unknown { 0.31 } else { 0.9999 },
        because: Vec::new(),
        host: None,
        product: None,
        modules: Vec::new(),
        next_evidence: Vec::new(),
        findings: Vec::new(),
        inputs: vec![0],
        duty: Default::default(),
    }
}

pub fn finding(device: &str, code: &'static str, severity: Severity, basis: Basis, because: &str) -> Finding {
    Finding {
        id: format!("fnd-{}", device.trim_start_matches("dev-")),
        code: code.into(),
        source: "identity",
        subject: Subject { kind: "device", id: device.into() },
        verdict: None,
        severity,
        confidence: 0.9,
        basis,
        lifecycle: "not-patchable",
        threats: vec!["surveillance"],
        first: None,
        last: None,
        because: strings(&[because]),
        remedies: strings(&["read `AT+CGMR` and the label, and compare"]),
        clears_when: "evidence of another kind names one of them".into(),
        detail: Value::Null,
    }
}

fn tally(label: &str, count: u64) -> Tally {
    Tally { label: label.into(), count }
}

/// The devices, in document order.
pub fn devices() -> Vec<Device> {
    let revision =
        because(1, "line 7", "own-word", "firmware-revision", "FW25GLR07A08", 4200, "revision grammar of Fenwick; maker's manual 1.7");
    let usb = because(0, "line 3", "own-word", "usb-id", "1b1b:0125", 1800, "USB table; kernel option.c");
    let tac = because(2, "row 88", "network", "tac", "86769804", 3000, "TAC table (unverified)");
    let own = "`AT+CGMR` and `ATI` from the module, or `mmcli -m any` on the host";

    let mut certain = device(1, "Pump house gateway", Cellular::Yes);
    certain.identifiers.asset_id = strings(&["GW-0042"]);
    certain.identifiers.imei = strings(&["867698040000079"]);
    certain.identifiers.iccid = strings(&["89882…00"]);
    certain.identifiers.site = strings(&["North"]);
    certain.inputs = vec![0, 1, 2];
    certain.because = vec![because(2, "row 88", "network", "cellular", "sim", 5000, "a SIM platform lists it")];
    certain.host = Some(Host { brand: some("Teltonika"), model: some("RUT950"), basis: Basis::Declared });
    let mut m = module(
        Some("Fenwick"),
        Some("FW25-G"),
        0.9981,
        ConfidenceLevel::Confirmed,
        vec![
            claim(1, Level::Model, "FW25-G", 0.9981, ConfidenceLevel::Confirmed, vec![revision.clone(), tac.clone()], vec![]),
            claim(2, Level::Maker, "Fenwick", 0.9994, ConfidenceLevel::Confirmed, vec![revision.clone(), tac, usb.clone()], vec![]),
            claim(
                3,
                Level::Silicon,
                "Chips",
                0.62,
                ConfidenceLevel::Possible,
                vec![because(0, "line 3", "own-word", "usb-id", "1b1b:0125", 1500, "USB table; kernel option.c")],
                vec![],
            ),
        ],
        vec![fenwick()],
    );
    m.imei = strings(&["867698040000079"]);
    m.chipset = some("MDM9207 (rule of thumb)");
    m.rats = strings(&["LTE Cat 4", "3G"]);
    m.firmware = some("FW25GLR07A08");
    certain.modules = vec![m];

    let mut rebrand = device(2, "Laptop 17", Cellular::Yes);
    let mut brand = trace("lapco", "Lapco Inc.", "jurisdiction US, not listed as of 2026-11-22 (sources to 2026-08-22)");
    brand.jurisdictions = vec![jurisdiction("lapco", "US", &[], &["FISA s. 702"])];
    let mut m = module(
        Some("Fenwick"),
        Some("T77"),
        0.93,
        ConfidenceLevel::Probable,
        vec![claim(
            4,
            Level::Model,
            "T77",
            0.93,
            ConfidenceLevel::Probable,
            vec![because(0, "line 9", "own-word", "usb-id", "413c:81d7", 3600, "re-brand table; fwupd quirk file")],
            vec![],
        )],
        vec![fenwick(), brand],
    );
    m.brand = some("Lapco");
    m.sold_as = some("LW5821e");
    m.variant = some("eSIM");
    rebrand.modules = vec![m];
    rebrand.findings =
        vec![finding(&rebrand.id, "rebranded", Severity::Info, Basis::Inferred, "sold as Lapco LW5821e, made by Fenwick (T77)")];
    rebrand.next_evidence = strings(&["the SIM platform's export with IMEIs"]);

    let mut torn = device(3, "RTU 广和通 七号", Cellular::Yes);
    let mut m = module(
        None,
        None,
        0.44,
        ConfidenceLevel::Hint,
        vec![claim(
            5,
            Level::Maker,
            "Fenwick",
            0.44,
            ConfidenceLevel::Hint,
            vec![because(1, "line 12", "own-word", "firmware-revision", "FW20R01", 2200, "revision grammar of Fenwick")],
            vec![because(0, "line 30", "own-word", "usb-id", "0bdb:1926", -1505, "USB table: Ericsson; public source text (unverified)")],
        )],
        vec![],
    );
    m.conflicts = vec![Conflict {
        level: Level::Maker,
        values: strings(&["Fenwick", "Ericsson"]),
        what: "the USB id is Ericsson's, the revision is Fenwick's".into(),
    }];
    torn.modules = vec![m];
    torn.findings = vec![finding(
        &torn.id,
        "identity-conflict",
        Severity::Medium,
        Basis::Inferred,
        "the USB id `0bdb:1926` is Ericsson's, the revision is Fenwick's",
    )];
    torn.next_evidence = strings(&[own, "the SIM platform's export with IMEIs"]);

    let mut stick = device(4, "", Cellular::Yes);
    stick.identifiers.serial = strings(&["Stickmaker|S-778"]);
    stick.product = Some(Product {
        kind: "dongle",
        brand: some("Stickmaker"),
        model: some("E33"),
        confidence: 0.97,
        basis: Basis::Observed,
        ownership: vec![],
        jurisdictions: vec![],
    });
    stick.because = vec![usb];

    let mut hostile = device(5, "<script>alert(1)</script>", Cellular::Yes);
    hostile.names.push("=cmd|'/c calc'!A1; x".into());
    hostile.identifiers.site = strings(&["\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gnp.exe\" onmouseover=\"x"]);
    let evil = "\"><img src=x onerror=alert(1)>";
    hostile.modules = vec![module(
        Some(evil),
        Some("@SUM(1+1)"),
        0.5,
        ConfidenceLevel::Possible,
        vec![claim(
            6,
            Level::Model,
            evil,
            0.5,
            ConfidenceLevel::Possible,
            vec![because(3, "line 1", "person", "text", "</style><b>", 900, "<i>")],
            vec![],
        )],
        vec![trace("x\"><u>", "&amp;<u>", "<statement>")],
    )];

    let mut unknown = device(6, "PLC 9", Cellular::Unknown);
    unknown.identifiers.imei_unusable = strings(&["355654XXXXXXXXX"]);
    unknown.next_evidence = strings(&["`lsusb -v` and `lspci -nn` of the host, or an SNMP walk of the router"]);

    let mut without = device(7, "Meter 3", Cellular::No);
    without.because = vec![because(0, "file", "own-word", "not-cellular", "no modem found", -4000, "mmcli says so")];

    vec![certain, rebrand, torn, stick, hostile, unknown, without]
}

/// The answer around them.
pub fn audit() -> Audit {
    let input = |path: &str, format: &str, bytes, observations| Input {
        path: path.into(),
        format: format.into(),
        sha256: "ab".repeat(32),
        observations,
        bytes,
        mapping: Vec::new(),
    };
    let mut sims = input("evidence/sims.csv", "csv", 61_400, 4211);
    sims.mapping = strings(&["IMEI → imei", "Geräte-ID → asset-id"]);
    Audit {
        law: None,
        schema: AUDIT_SCHEMA,
        as_of: AS_OF.into(),
        knowledge: KnowledgeStamp {
            version: "3f9ac2d1e05b7764aa".into(),
            sources_to: "2026-08-22".into(),
            absent: strings(&["no licensed TAC table: 5 of 6 IMEIs can be decided by no open table"]),
        },
        inputs: vec![
            input("evidence/lsusb.txt", "lsusb", 2048, 14),
            input("evidence/GW-0042/at.txt", "at", 900, 9),
            sims,
            input("evidence/<b>note</b>.txt", "text", 12, 1),
        ],
        problems: vec![
            Said { input: Some(2), at: "row 40".into(), what: "3 cells where the header has 4: the row was kept without the last".into() },
            Said { input: None, at: "file".into(), what: "serial `<0>` stands on 3 things: not used to join them".into() },
        ],
        coverage: Coverage { devices: 7, cellular: 5, not_cellular: 1, unknown: 1, module_known: 3, products: 1, undisclosed: None },
        imeis: Imeis { seen: 6, decided: 1, undecided: 5, licensed_table: false },
        learned: vec![Learned { tac: "86769804".into(), maker: "Fenwick".into(), model: "FW25-G".into(), count: 1, inputs: vec![1, 2] }],
        organisations: vec![fenwick()],
        tallies: Tallies {
            makers: vec![
                tally("Fenwick", 2),
                tally("\"><img src=x onerror=alert(1)>", 1),
                tally("Stickmaker (dongle)", 1),
                tally("unknown", 1),
            ],
            models: vec![tally("Fenwick FW25-G", 1), tally("Fenwick T77", 1)],
            jurisdictions: vec![tally("CN", 2), tally("LU", 2), tally("US", 1), tally("unknown", 1)],
            confidence: vec![tally("confirmed", 1), tally("hint", 1), tally("possible", 1), tally("probable", 1), tally("unknown", 1)],
            listings: vec![tally("ZZ-LIST-12", 2)],
            next_evidence: vec![
                tally("`AT+CGMR` and `ATI` from the module, or `mmcli -m any` on the host", 1),
                tally("`lsusb -v` and `lspci -nn` of the host, or an SNMP walk of the router", 1),
            ],
            findings: vec![tally("identity-conflict", 1), tally("rebranded", 1)],
        },
    }
}

/// An answer about nothing found.
pub fn nothing() -> Audit {
    let mut audit = audit();
    audit.coverage = Coverage { devices: 2, not_cellular: 1, unknown: 1, ..Coverage::default() };
    audit.tallies = Tallies { next_evidence: vec![tally("the SIM platform's export with IMEIs", 1)], ..Tallies::default() };
    audit.imeis = Imeis::default();
    audit.learned.clear();
    audit.problems.clear();
    audit.knowledge.absent.clear();
    audit
}

/// Everything that was written, as text.
pub fn written(write: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
