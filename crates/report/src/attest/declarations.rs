//! CycloneDX 1.6 declarations: the verdict as claims about each document, with evidence, mapped to requirements that
//! they meet or do not.

use serde_json::{Value, json};
use umbilical_core::answer::bom::{Check, FileAnswer, State};

use super::{Claim, Signer, sign, tool};

const ASSESSOR: &str = "assessor:umbilical";
const NAMED: &str = "requirement:modules-named";

/// The document, signed inside where there is a signer.
///
/// # Errors
/// Why it cannot be signed.
pub fn declarations(check: &Check, claims: &[Claim], signer: Option<&Signer>) -> Result<Value, String> {
    let mut requirements = vec![json!({
        "bom-ref": NAMED,
        "identifier": "modules-named",
        "title": "Every cellular module is named",
        "text": "The documents of a product name every cellular module in it; nothing in them tells of one that is not named.",
    })];
    let (mut stated, mut evidence, mut map, mut targets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (i, file) in check.files.iter().enumerate() {
        let sha256 = check.inputs.get(file.input as usize).map(|input| &*input.sha256).unwrap_or_default();
        let (target, claim, proof) = (format!("document:{i}"), format!("claim:document:{i}"), format!("evidence:document:{i}"));
        targets.push(json!({
            "bom-ref": target,
            "type": "file",
            "name": file.path,
            "hashes": [{ "alg": "SHA-256", "content": sha256 }],
        }));
        evidence.push(json!({
            "bom-ref": proof,
            "description": format!("{} as read on {} ({}, {} parts on the board)", file.path, check.as_of, file.format, file.parts.len()),
            "data": [{ "name": "findings", "contents": { "attachment": { "contentType": "application/json", "content": json!(file.findings).to_string() } } }],
        }));
        stated.push(json!({
            "bom-ref": claim,
            "target": target,
            "predicate": sentence(file.state),
            "reasoning": file.because.join("; "),
            "evidence": [proof],
        }));
        map.push(mapped(NAMED, &claim, judged(file), &file.because));
    }
    let proofs: Vec<String> = (0..check.files.len()).map(|i| format!("evidence:document:{i}")).collect();
    for (i, claim) in claims.iter().enumerate() {
        let (reference, requirement) = (format!("claim:{i}"), format!("requirement:{i}"));
        requirements.push(json!({ "bom-ref": requirement, "identifier": format!("claim-{i}"), "title": claim.claim, "text": claim.claim }));
        let mut one = json!({ "bom-ref": reference, "predicate": claim.claim, "reasoning": claim.because.join("; ") });
        if let Some(map) = one.as_object_mut() {
            map.insert(if claim.verdict == "fail" { "counterEvidence" } else { "evidence" }.into(), json!(proofs));
            if let Some(first) = targets.first().and_then(|t| t.get("bom-ref")).filter(|_| targets.len() == 1) {
                map.insert("target".into(), first.clone());
            }
        }
        stated.push(one);
        map.push(mapped(&requirement, &reference, claim.verdict, &claim.because));
    }
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": tool().get("name"), "version": tool().get("version") }] },
            "properties": [
                { "name": "umbilical:as-of", "value": check.as_of },
                { "name": "umbilical:knowledge", "value": check.knowledge.version },
                { "name": "umbilical:knowledge-sources-to", "value": check.knowledge.sources_to },
            ],
        },
        "declarations": {
            "assessors": [{ "bom-ref": ASSESSOR, "thirdParty": false, "organization": { "name": "the signer of this document" } }],
            "attestations": [{ "summary": "What the documents declare of cellular modules", "assessor": ASSESSOR, "map": map }],
            "claims": stated,
            "evidence": evidence,
            "targets": { "components": targets },
            "affirmation": {
                "statement": "The documents named here, by their digests, were judged as stated. That they are true or complete is not affirmed.",
            },
        },
        "definitions": {
            "standards": [{
                "bom-ref": "standard:cellular-modules",
                "name": "Disclosure of cellular modules",
                "version": "1",
                "description": "What is asked of a bill of materials about cellular modules",
                "requirements": requirements,
            }],
        },
    });
    signer.map_or(Ok(document.clone()), |signer| sign::inside(document, signer))
}

/// A claim against a requirement. What is not known has no score: neither met nor unmet.
fn mapped(requirement: &str, claim: &str, verdict: &str, because: &[String]) -> Value {
    let rationale = because.join("; ");
    let (list, conformance) = match verdict {
        "pass" => ("claims", json!({ "score": 1, "rationale": rationale })),
        "fail" => ("counterClaims", json!({ "score": 0, "rationale": rationale })),
        _ => ("claims", json!({ "rationale": format!("not evaluable: {rationale}") })),
    };
    json!({ "requirement": requirement, list: [claim], "conformance": conformance })
}

fn judged(file: &FileAnswer) -> &'static str {
    if file.state == State::Undisclosed { "fail" } else { "pass" }
}

fn sentence(state: State) -> &'static str {
    match state {
        State::Found => "found: a cellular module is named",
        State::Undisclosed => "undisclosed: a cellular module must be there and is not named",
        State::CleanAsDeclared => "clean-as-declared: nothing in it is cellular, as far as it declares",
    }
}
