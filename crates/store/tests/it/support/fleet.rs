//! Invented fleets: evidence as a SIM platform writes it, and devices as assessment would answer.

use serde_json::json;
use umbilical_core::answer::{Audit, Device};
use umbilical_core::date::Day;
use umbilical_core::number::luhn_digit;
use umbilical_core::observation::{At, Basis, Group, IdKind, Kind, Observations};

/// Makers and models of the invented catalogue: maker, country, model, chipset.
pub const MODULES: [(&str, &str, &str, &str); 5] = [
    ("Acme Wireless Solutions", "AA", "AC25-E", "AS9207"),
    ("Acme Wireless Solutions", "AA", "AC25-G", "AS9207"),
    ("Borealis", "BB", "BX-310", "BS55"),
    ("Cumulus Radio", "CC", "CR7600", "AS9607"),
    ("Delta Modem", "AA", "DM-1", "DS1"),
];

pub fn site(n: usize) -> String {
    format!("Site {:02}", n * 7 % 40)
}

pub fn imei(n: usize) -> String {
    let body = format!("35{:06}{:06}", 123_400 + n % 5, n);
    let digit = luhn_digit(&body).unwrap();
    format!("{body}{digit}")
}

pub fn iccid(n: usize) -> String {
    format!("8999901{n:012}")
}

/// An export of a SIM platform: ten observations for each of these devices.
pub fn export(range: std::ops::Range<usize>) -> Observations {
    let mut out = Observations::new();
    out.begin_input("sims.csv", "csv", "00".repeat(32), 1 << 20);
    for n in range {
        let at = At::row(u32::try_from(n).unwrap() + 2);
        let mut record = out.record(at);
        record.seen(Day::new(2026, 9, 1 + u8::try_from(n % 28).unwrap()).unwrap());
        record.imei(at, &imei(n), Group::Network, Basis::Observed).iccid(at, &iccid(n));
        record.id(IdKind::Name, &format!("rtu-{n:06}")).id(IdKind::Site, &site(n)).id(IdKind::Imsi, &format!("99970{n:010}"));
        record.fact(Kind::Cellular, "sim", Group::Network, Basis::Observed);
        record.fact(Kind::DeclaredMaker, MODULES[n % 5].0, Group::Document, Basis::Declared);
        record.fact(Kind::DeclaredModel, MODULES[n % 5].2, Group::Document, Basis::Declared);
        record.fact(Kind::DeviceClass, "iot", Group::Document, Basis::Declared);
    }
    out
}

/// The id that assessment gives.
pub fn id(n: usize) -> String {
    umbilical_core::id::content_id("dev-", "imei", &imei(n))
}

/// A device of the answer, from input `input`.
pub fn device(n: usize, input: u32) -> Device {
    let (maker, country, model, chipset) = MODULES[n % 5];
    let confidence = [0.97, 0.91, 0.62, 0.995][n % 4];
    let because = |kind: &str, value: &str| {
        json!({"input": input, "at": format!("row {}", n + 2), "group": "document", "kind": kind, "value": value, "basis": "declared", "weight": 3100,
               "matched": "catalogue row of an invented module"})
    };
    let claim = |level: &str, value: &str| {
        json!({"id": umbilical_core::id::content_id("clm-", level, &format!("{} {value}", id(n))), "level": level, "value": value, "confidence": confidence,
               "confidence_level": "probable", "basis": "declared", "because": [because("declared-model", model)], "against": []})
    };
    let jurisdiction = json!({"org": country.to_lowercase(), "country": country, "via": [maker], "laws": ["an invented law"], "basis": "declared",
                              "unclear": false, "as_of": "2026-11-22"});
    let mut findings =
        vec![finding(&id(n), "HOUSE-1", if n % 5 < 2 { "fail" } else { "pass" }, if n % 5 < 2 { "high" } else { "info" }, n)];
    if n.is_multiple_of(3) {
        findings.push(finding(&id(n), "HOUSE-2", "unknown", "low", n));
    }
    let value = json!({
        "id": id(n), "names": [format!("rtu-{n:06}")],
        "identifiers": {"asset_id": [], "serial": [], "imei": [imei(n)], "imei_unusable": [], "eid": [], "meid": [], "iccid": [iccid(n)],
                        "imsi": [format!("99970{n:010}")], "msisdn": [], "mac": [], "ip": [], "vin": [], "udi": [], "site": [site(n)]},
        "cellular": "yes", "cellular_confidence": 0.999, "because": [because("cellular", "sim")], "host": null, "product": null,
        "modules": [{"brand": maker, "maker": maker, "model": model, "sold_as": null, "variant": null, "family": null, "level": "model",
            "confidence": confidence, "confidence_level": "probable", "basis": "declared", "chipset": chipset, "rats": ["LTE"], "imei": [imei(n)],
            "claims": [claim("model", model), claim("maker", maker)], "ownership": [{"role": "maker", "org": country.to_lowercase()}],
            "jurisdictions": [jurisdiction], "because": [because("declared-model", model)], "against": [], "conflicts": [], "firmware": null}],
        "next_evidence": [], "findings": findings, "inputs": [input],
    });
    serde_json::from_value(value).unwrap()
}

/// A finding about a device.
pub fn finding(device: &str, code: &str, verdict: &str, severity: &str, n: usize) -> serde_json::Value {
    json!({"id": umbilical_core::id::content_id("fnd-", code, device), "code": code, "source": "rule", "subject": {"kind": "device", "id": device},
           "verdict": verdict, "severity": severity, "confidence": ([0.97, 0.91, 0.62, 0.995][n % 4]), "basis": "inferred", "lifecycle": "not-patchable",
           "threats": ["disruption"], "first": null, "last": null, "because": ["the maker is named in an invented list"], "remedies": ["replace the module"],
           "clears_when": "the module changes", "detail": {"title": "An invented rule", "clause": code}})
}

/// The head of an answer.
pub fn audit() -> Audit {
    let trace = |country: &str, owner: &str| {
        json!({"org": country, "name": owner, "owner": [owner], "headquarters": country, "rd_seat": null, "factory": null, "firmware_signer": null,
               "chain": [], "former": [], "other": [], "alleged": [], "jurisdictions": [], "listings": [], "pending": [], "open_points": [],
               "statement": "invented"})
    };
    let value = json!({
        "schema": "umbilical.audit/1", "as_of": "2026-11-22", "knowledge": {"version": "1", "sources_to": "2026-08-22", "absent": []},
        "inputs": [], "problems": [],
        "coverage": {"devices": 0, "cellular": 0, "not_cellular": 0, "unknown": 0, "module_known": 0, "products": 0, "undisclosed": null},
        "imeis": {"seen": 0, "decided": 0, "undecided": 0, "licensed_table": false}, "learned": [],
        "tallies": {"makers": [], "models": [], "jurisdictions": [], "confidence": [], "listings": [], "next_evidence": [], "findings": []},
        "law": null, "organisations": [trace("aa", "Acme Holding"), trace("bb", "Borealis Group"), trace("cc", "Cumulus State Fund")],
    });
    serde_json::from_value(value).unwrap()
}

/// Devices with their traces, as assessment gives them.
pub fn devices(range: std::ops::Range<usize>) -> impl Iterator<Item = Device> {
    let organisations: Vec<std::sync::Arc<_>> = audit().organisations.into_iter().map(std::sync::Arc::new).collect();
    range.map(move |n| {
        let mut device = device(n, 0);
        device.fill(&organisations);
        device
    })
}
