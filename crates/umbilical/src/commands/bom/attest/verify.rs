//! What is verified.

use std::path::Path;

use serde_json::Value;
use umbilical_core::answer::KnowledgeStamp;
use umbilical_core::finding::Finding;
use umbilical_core::observation::Input;
use umbilical_core::signed::{self, PROOF, Proof, SignatureState, Standing};
use umbilical_evidence::signed::{Envelope, PublicKey, Redacted, Statement, envelopes, jsf, together};
use umbilical_report::attest::{Checked, Compared, Shown, VERIFIED_SCHEMA, Verified, page};
use umbilical_report::json;

use super::{Attest, read};
use crate::args::{Format, Global};
use crate::commands::bom::common::public_keys;
use crate::commands::facts;
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::{home, out};

/// Verifies, prints, and gives the exit code: 4 where something does not hold.
pub fn run(global: &Global, args: &Attest, path: &Path) -> Result<u8, Fail> {
    let gates = Gates::parse(&global.fail_on, &[])?;
    let keys = public_keys(&args.public_key)?;
    let text = read(path)?;
    let kb = facts(global)?;
    let as_of = home::as_of(global).to_string();
    let sources_to = kb.sources_to().map(|d| d.to_string()).unwrap_or_default();
    let mut answer = Verified {
        schema: VERIFIED_SCHEMA,
        as_of,
        knowledge: KnowledgeStamp { version: kb.version().to_owned(), sources_to, absent: Vec::new() },
        inputs: Vec::new(),
        problems: Vec::new(),
        verified: None,
        because: Vec::new(),
        envelopes: Vec::new(),
        signatures: Vec::new(),
        files: Vec::new(),
        parts: Vec::new(),
    };
    let is_document = text.windows(11).any(|w| w == b"\"bomFormat\"");
    input(&mut answer, path, if is_document { "cyclonedx" } else { "dsse" }, &text);
    answer.verified = if is_document { inside(&mut answer, args, &text, &keys)? } else { enveloped(&mut answer, args, &text, &keys)? };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        _ => page(w, &answer),
    })?;
    let unknown = answer.verified.is_none();
    Ok(if answer.verified == Some(false) { 4 } else { gates.code(std::iter::empty::<&Finding>(), Seen { unknown, undisclosed: false }) })
}

fn input(answer: &mut Verified, path: &Path, format: &str, text: &[u8]) -> u32 {
    let index = u32::try_from(answer.inputs.len()).unwrap_or(u32::MAX);
    answer.inputs.push(Input {
        path: path.display().to_string(),
        format: format.into(),
        sha256: signed::sha256(text),
        observations: 0,
        bytes: text.len() as u64,
        mapping: Vec::new(),
    });
    index
}

/// Signatures inside a document.
fn inside(answer: &mut Verified, args: &Attest, text: &[u8], keys: &[PublicKey]) -> Result<Option<bool>, Fail> {
    if !args.paths.is_empty() || !args.proof.is_empty() {
        let help = "files and proofs are compared with a statement in an envelope (.intoto.jsonl)";
        return Err(Fail::usage("this document is signed inside: there is nothing to compare with it", help));
    }
    answer.signatures = jsf(text, keys);
    let (verified, because) = together(&answer.signatures, keys, &args.accept_unsigned);
    answer.because.extend(because);
    Ok(verified)
}

fn names(keys: &[PublicKey]) -> String {
    keys.iter().map(PublicKey::id).collect::<Vec<_>>().join(", ")
}

/// Envelopes around statements.
fn enveloped(answer: &mut Verified, args: &Attest, text: &[u8], keys: &[PublicKey]) -> Result<Option<bool>, Fail> {
    if keys.is_empty() {
        return Err(Fail::usage(
            "no key to verify with",
            "name the signer's with --public-key; it must not come from where the statement does",
        ));
    }
    let mut failed = false;
    let mut trusted = Vec::new();
    for (line, envelope) in envelopes(text) {
        match envelope.and_then(|envelope| one(answer, line, &envelope, keys)) {
            Ok(statement) => trusted.push(statement),
            Err(why) => {
                answer.because.push(format!("line {line}: {why}"));
                failed = true;
            }
        }
    }
    let mut trees = Vec::new();
    for statement in &trusted {
        match Redacted::of(statement) {
            Some(Ok(tree)) => trees.push(tree),
            Some(Err(why)) => {
                answer.because.push(why);
                failed = true;
            }
            None => {}
        }
    }
    failed |= !parts(answer, args, &trees)?;
    failed |= !files(answer, args, &trusted)?;
    Ok(Some(!failed))
}

/// One envelope: its statement, if a given key vouches for it.
fn one(answer: &mut Verified, line: usize, envelope: &Envelope, keys: &[PublicKey]) -> Result<Statement, String> {
    let signatures = envelope.check(keys);
    let has = |standing| signatures.iter().any(|s: &SignatureState| s.standing == standing);
    let (good, broken) = (has(Standing::Verified), has(Standing::Broken));
    answer.envelopes.push(Checked { line: line as u64, predicate_type: None, state: None, signatures, subjects: Vec::new() });
    if broken {
        return Err("a signature does not fit the key that it names: payload, type or signature were altered".into());
    }
    if !good {
        return Err(format!("none of the keys given signed it, or it was altered: {}", names(keys)));
    }
    let statement = envelope.statement()?;
    if let Some(checked) = answer.envelopes.last_mut() {
        checked.predicate_type = Some(statement.predicate_type.clone());
        // Another predicate may have a member of that name that means something else.
        let ours = [signed::VERDICT, signed::REDACTED, signed::LABEL].contains(&&*statement.predicate_type);
        checked.state = statement.predicate.get("state").and_then(Value::as_str).filter(|_| ours).map(str::to_owned);
        checked.subjects = statement.subjects.iter().filter_map(|s| s.name.clone()).collect();
    }
    Ok(statement)
}

/// Parts shown by redacted statements and parts revealed; whether each leads to a root that was signed.
fn parts(answer: &mut Verified, args: &Attest, trees: &[Redacted]) -> Result<bool, Fail> {
    let mut all = true;
    for (tree, part) in trees.iter().flat_map(|tree| tree.shown.iter().map(move |part| (tree, part))) {
        let holds = tree.holds(part);
        all &= holds;
        answer.parts.push(Shown { index: part.index, holds, content: part.content.clone() });
    }
    if !all {
        answer.because.push("a part that the statement shows is none of those it commits to".into());
    }
    for path in &args.proof {
        let text = read(path)?;
        input(answer, path, PROOF, &text);
        let proof: Proof = serde_json::from_slice(&text)
            .map_err(|e| Fail::usage(format!("{}: no proof of a part: {e}", path.display()), "`--reveal` writes one"))?;
        let holds = trees.iter().any(|tree| tree.holds(&proof.opened));
        if !holds {
            answer.because.push(format!("{}: this part is none of those that the statement commits to", path.display()));
            all = false;
        }
        answer.parts.push(Shown { index: proof.opened.index, holds, content: proof.opened.content });
    }
    Ok(all)
}

/// Files beside the statement; whether each is one that was signed.
fn files(answer: &mut Verified, args: &Attest, trusted: &[Statement]) -> Result<bool, Fail> {
    let mut known: Vec<(Option<String>, String)> = trusted
        .iter()
        .flat_map(|s| &s.subjects)
        .filter_map(|subject| Some((subject.name.clone(), subject.digest("sha256")?.to_owned())))
        .collect();
    // A redacted statement names its documents in leaves: one that was revealed stands for the file.
    let revealed = answer.parts.iter().filter(|p| p.holds).filter_map(|p| {
        let text = |name: &str| p.content.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((text("path"), text("sha256")?))
    });
    known.extend(revealed);
    let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    let mut all = true;
    for path in &args.paths {
        let text = read(path)?;
        let index = input(answer, path, "file", &text);
        let (name, sha256) = (path.display().to_string(), signed::sha256(&text));
        let named = || known.iter().any(|(n, _)| n.as_deref().is_some_and(|n| n == name || last(n) == last(&name)));
        let (state, why) = if known.iter().any(|(_, digest)| *digest == sha256) {
            ("unchanged", None)
        } else if named() {
            ("changed", Some(format!("{name} was changed: it is not the file of that name that was signed")))
        } else {
            ("not-in-statement", Some(format!("{name} is not among what was signed")))
        };
        all &= why.is_none();
        answer.because.extend(why);
        answer.files.push(Compared { input: index, path: name, state });
    }
    let seen: Vec<&str> = answer.inputs.iter().map(|i| &*i.sha256).collect();
    let absent = known.iter().filter(|(_, digest)| !seen.contains(&&**digest)).filter_map(|(name, _)| name.as_deref());
    let absent: Vec<String> = absent.map(|name| format!("{name} was signed and not compared: it was not given")).collect();
    if args.proof.is_empty() || !args.paths.is_empty() {
        answer.because.extend(absent);
    }
    Ok(all)
}
