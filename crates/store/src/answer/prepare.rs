//! A device as it is kept: its document, its profile, and what it is found by.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use umbilical_core::answer::{Because, Device};
use umbilical_core::finding::{Finding, Severity};
use umbilical_core::id::hex;
use umbilical_core::number::cover;

use super::Source;
use super::fold::{fold, suffixes};
use crate::{StoreError, pack};

/// Kinds of keys that name a subscriber: only for those who may see them.
pub(crate) const SUBSCRIBER: [&str; 4] = ["iccid", "imsi", "msisdn", "subscriber"];

/// A word that devices are found by: field, folded, as it stands.
pub(crate) type Word = (&'static str, String, String);

/// What devices that differ in names and numbers alone have in common.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Profile {
    pub digest: String,
    pub words: BTreeSet<Word>,
    pub site: Option<String>,
    pub cellular: &'static str,
    pub brand: Option<String>,
    pub maker: Option<String>,
    pub model: Option<String>,
    pub level: Option<&'static str>,
    pub certainty: Option<&'static str>,
    pub confidence: f64,
    pub owner: Option<String>,
    pub country: Option<String>,
    /// The worst of what did not pass: 0 (info) to 4 (critical); -1 without any.
    pub severity: i64,
    pub verdict: Option<&'static str>,
    /// How many did not pass.
    pub findings: i64,
}

/// A finding as it is kept: what it has of its own, and the rest, which many share.
#[derive(Debug)]
pub(crate) struct KeptFinding {
    pub id: String,
    pub subject_kind: &'static str,
    pub subject_id: String,
    pub code: String,
    pub source: &'static str,
    pub verdict: Option<&'static str>,
    pub severity: i64,
    pub confidence: f64,
    /// Whether a waiver holds for it.
    pub waived: bool,
    pub body_digest: String,
    pub body: Vec<u8>,
}

/// A device ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub id: String,
    pub name: String,
    pub seen: i64,
    pub digest: i64,
    pub profile: Profile,
    pub keys: BTreeSet<(String, &'static str)>,
    pub evidence: BTreeSet<i64>,
    pub doc: Vec<u8>,
    pub findings: Vec<KeptFinding>,
}

/// The number of a severity, worst highest.
pub(crate) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The verdicts, the worst first.
const VERDICTS: [&str; 4] = ["fail", "review", "unknown", "pass"];

/// Makes a device ready under an id, with its inputs named by their numbers in the store.
pub(crate) fn prepare(mut device: Device, id: String, inputs: &[Source]) -> Result<Prepared, StoreError> {
    let computed = std::mem::replace(&mut device.id, id.clone());
    let (mut evidence, mut seen) = (BTreeSet::new(), 0);
    for input in &device.inputs {
        if let Some(source) = inputs.get(*input as usize) {
            evidence.insert(source.evidence);
            seen = seen.max(source.seen);
        }
    }
    name_inputs(&mut device, inputs)?;
    let findings = std::mem::take(&mut device.findings);
    let profile = profile(&device, &findings);
    let findings: Vec<KeptFinding> = findings.into_iter().map(|f| kept(f, &computed, &id)).collect::<Result<_, _>>()?;
    let doc = pack::json(&device)?;
    let mut hash = Sha256::new();
    hash.update(&doc);
    hash.update(profile.digest.as_bytes());
    for finding in &findings {
        for part in [&finding.body_digest, &finding.id, &finding.subject_id] {
            hash.update(part.as_bytes());
        }
    }
    let digest = hash.finalize().first_chunk::<8>().map_or(0, |b| i64::from_be_bytes(*b));
    Ok(Prepared { name: name(&device), keys: keys(&device), doc: pack::pack(&doc), id, seen, digest, profile, evidence, findings })
}

/// Every place where a device names an input.
pub(crate) fn each_input(device: &mut Device, each: &mut dyn FnMut(&mut u32) -> Result<(), StoreError>) -> Result<(), StoreError> {
    let mut because = |list: &mut Vec<Because>| list.iter_mut().try_for_each(|b| each(&mut b.input));
    because(&mut device.because)?;
    for module in &mut device.modules {
        because(&mut module.because)?;
        because(&mut module.against)?;
        for claim in &mut module.claims {
            because(&mut claim.because)?;
            because(&mut claim.against)?;
        }
    }
    device.inputs.iter_mut().try_for_each(each)
}

fn name_inputs(device: &mut Device, inputs: &[Source]) -> Result<(), StoreError> {
    each_input(device, &mut |input| {
        let source = inputs
            .get(*input as usize)
            .ok_or_else(|| StoreError::Invalid(format!("the answer names input {input}, which was not rebuilt")))?;
        *input = u32::try_from(source.input).map_err(|_| StoreError::Invalid("more inputs than can be numbered".into()))?;
        Ok(())
    })
}

fn name(device: &Device) -> String {
    let ids = &device.identifiers;
    let first = [&device.names, &ids.asset_id, &ids.serial, &ids.imei, &ids.mac, &ids.vin, &ids.udi];
    let name = first.into_iter().find_map(|list| list.first()).unwrap_or(&device.id);
    cover(name, &subscribers(device))
}

/// The device's own subscriber numbers, whole.
pub(crate) fn subscribers(device: &Device) -> Vec<&str> {
    let ids = &device.identifiers;
    [&ids.iccid, &ids.imsi, &ids.msisdn].into_iter().flatten().map(String::as_str).collect()
}

fn keys(device: &Device) -> BTreeSet<(String, &'static str)> {
    let ids = &device.identifiers;
    let mut out = BTreeSet::new();
    let own = subscribers(device);
    // What people type may be the card's number: then it is found as one.
    let mut typed = |text: &str, kind: &'static str| {
        let kind = if cover(text, &own) == text { kind } else { "subscriber" };
        let folded = fold(text);
        out.extend(suffixes(&folded).map(|s| (s.to_owned(), kind)));
    };
    device.names.iter().for_each(|t| typed(t, "name"));
    ids.asset_id.iter().for_each(|t| typed(t, "asset"));
    ids.serial.iter().for_each(|t| typed(t, "serial"));
    let plain = [
        (&ids.imei, "imei"),
        (&ids.imei_unusable, "imei"),
        (&ids.eid, "eid"),
        (&ids.meid, "meid"),
        (&ids.iccid, "iccid"),
        (&ids.imsi, "imsi"),
        (&ids.msisdn, "msisdn"),
        (&ids.mac, "mac"),
        (&ids.ip, "ip"),
        (&ids.vin, "vin"),
        (&ids.udi, "udi"),
    ];
    for (list, kind) in plain {
        out.extend(list.iter().map(|v| (fold(v), kind)));
    }
    out
}

pub(super) fn profile(device: &Device, findings: &[Finding]) -> Profile {
    let mut words: BTreeSet<Word> = BTreeSet::new();
    let mut add = |field: &'static str, text: &str| {
        let folded = fold(text);
        if !folded.is_empty() {
            words.insert((field, folded, text.to_owned()));
        }
    };
    add("cellular", device.cellular.name());
    device.identifiers.site.iter().for_each(|s| add("site", s));
    device.next_evidence.iter().for_each(|n| add("collect", n));
    device.duty.role.iter().for_each(|r| add("role", r));
    device.duty.criticality.iter().for_each(|c| add("criticality", c));
    for text in device.host.iter().flat_map(|h| [&h.brand, &h.model]).flatten() {
        add("host", text);
    }
    let (mut owner, mut country): (Option<String>, Option<String>) = (None, None);
    let behind = device.modules.iter().map(|m| (&m.ownership, &m.jurisdictions));
    for (ownership, jurisdictions) in behind.chain(device.product.iter().map(|p| (&p.ownership, &p.jurisdictions))) {
        for text in ownership.iter().flat_map(|b| &b.owner) {
            add("owner", text);
            if owner.is_none() {
                owner = Some(text.clone());
                // An owner's own: the walk to it ends with its name.
                let own =
                    jurisdictions.iter().find(|j| j.via.last().is_some_and(|name| text.strip_suffix(" (unclear)").unwrap_or(text) == name));
                country = own.map(|j| j.country.clone());
            }
        }
        ownership.iter().flat_map(|b| &b.listings).for_each(|l| add("list", &l.regime));
        for jurisdiction in jurisdictions {
            add("country", &jurisdiction.country);
            if owner.is_none() {
                country.get_or_insert_with(|| jurisdiction.country.clone());
            }
        }
    }
    for m in &device.modules {
        let texts = [("brand", &m.brand), ("maker", &m.maker), ("model", &m.model), ("model", &m.sold_as), ("variant", &m.variant)];
        for (field, text) in texts.into_iter().chain([("family", &m.family), ("chipset", &m.chipset)]) {
            text.iter().for_each(|t| add(field, t));
        }
        add("level", m.level.name());
        add("certainty", m.confidence_level.name());
        add("basis", m.basis.name());
    }
    if let Some(p) = &device.product {
        add("kind", p.kind);
        p.brand.iter().for_each(|t| add("brand", t));
        p.model.iter().for_each(|t| add("model", t));
    }
    let (mut severity, mut count) = (-1, 0);
    let mut verdict = None::<usize>;
    for finding in findings {
        let found = finding.verdict.and_then(|v| VERDICTS.iter().position(|w| *w == v));
        verdict = found.into_iter().chain(verdict).min();
        if let Some(word) = finding.verdict {
            add("verdict", word);
        }
        // What passed is no reason to look.
        if finding.verdict != Some("pass") {
            add("code", &finding.code);
            add("severity", finding.severity.name());
            add("source", finding.source);
            if finding.is_accepted() {
                add("waived", "yes");
            }
            severity = severity.max(rank(finding.severity));
            count += 1;
        }
    }
    let (first, product) = (device.modules.first(), device.product.as_ref());
    let mut out = Profile {
        site: device.identifiers.site.first().cloned(),
        cellular: device.cellular.name(),
        brand: first.and_then(|m| m.brand.clone()).or_else(|| product.and_then(|p| p.brand.clone())),
        maker: first.and_then(|m| m.maker.clone()),
        model: first.and_then(|m| m.model.clone().or_else(|| m.sold_as.clone())).or_else(|| product.and_then(|p| p.model.clone())),
        level: first.map(|m| m.level.name()),
        certainty: first.map(|m| m.confidence_level.name()),
        confidence: first.map_or_else(|| product.map_or(device.cellular_confidence, |p| p.confidence), |m| m.confidence),
        owner,
        country,
        severity,
        verdict: verdict.and_then(|v| VERDICTS.get(v).copied()),
        findings: count,
        digest: String::new(),
        words,
    };
    out.digest = digest(format!("{out:?}").as_bytes());
    out
}

/// 128 bits of SHA-256: what is kept once is told apart by it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).first_chunk::<16>().map_or(&[][..], |b| b))
}

/// Splits a finding; what its device is called in the answer becomes what the store calls it.
pub(crate) fn kept(mut finding: Finding, computed: &str, id: &str) -> Result<KeptFinding, StoreError> {
    let subject = std::mem::take(&mut finding.subject.id);
    let own = std::mem::take(&mut finding.id);
    let (body, waived) = (pack::json(&finding)?, finding.is_accepted());
    Ok(KeptFinding {
        id: own,
        subject_kind: finding.subject.kind,
        subject_id: if computed == id { subject } else { subject.replace(computed, id) },
        code: finding.code.into_owned(),
        source: finding.source,
        verdict: finding.verdict,
        severity: rank(finding.severity),
        confidence: finding.confidence,
        waived,
        body_digest: digest(&body),
        body,
    })
}
