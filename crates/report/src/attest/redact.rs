//! A statement that gives the verdict and keeps the parts back: the signer commits to every part as a leaf of a salted
//! tree and shows those that make the verdict. It proves that the signer committed to so many parts and that the
//! signer's tool judged them so; not that the bill of materials is true, nor that nothing was left out of it.

use serde_json::{Value, json};
use umbilical_core::answer::bom::{Check, PartAnswer, State};
use umbilical_core::bom::PartKind;
use umbilical_core::signed::merkle::{self, Tree};
use umbilical_core::signed::{self, Kept, OPENING, Opened, Opening, PROOF, Proof, canonical, hex, unhex};

use super::{Claim, Signer, sign, verdict};

const PURPOSE: &str = "urn:umbilical:redaction-salt:1";

/// The statement, and what opens it.
pub fn redact(check: &Check, claims: &[Claim], signer: &Signer) -> (Vec<u8>, Opening) {
    let (mut kept, mut shown) = (Vec::new(), Vec::new());
    let hidden = verdict::state(check) == Some(State::Undisclosed);
    for (number, file) in check.files.iter().enumerate() {
        let input = check.inputs.get(file.input as usize);
        let digest = input.map(|i| &*i.sha256).unwrap_or_default();
        let mut keep = |content: Value| {
            let index = kept.len();
            let words: [&[u8]; 3] = [digest.as_bytes(), &(index as u64).to_be_bytes(), &canonical::bytes(&content)];
            kept.push(Kept { salt: hex(&signer.salt(PURPOSE, &words)), content });
            index
        };
        keep(json!({ "document": number, "path": file.path, "format": file.format, "sha256": digest, "bytes": input.map(|i| i.bytes) }));
        for (part, placed) in file.parts.iter().map(|p| (p, true)).chain(file.not_placed.iter().map(|p| (p, false))) {
            let index = keep(leaf(number, part, placed));
            if placed && makes(part, hidden) {
                shown.push(index);
            }
        }
    }
    let tree = tree(&kept);
    let root = hex(&tree.root());
    let shown: Vec<Opened> = shown.into_iter().filter_map(|index| open(&kept, &tree, index)).collect();
    let parts = || check.files.iter().flat_map(|f| &f.parts);
    let not_placed: usize = check.files.iter().map(|f| f.not_placed.len()).sum();
    let mut predicate = verdict::said(check, claims);
    // Sentences name parts and places: here they would tell what is kept back. The claims' verdicts stay.
    let bare = claims.iter().map(|c| json!({ "claim": c.claim, "verdict": c.verdict }));
    predicate.insert("claims".into(), bare.collect());
    predicate.insert("documents".into(), check.files.len().into());
    predicate.insert("parts".into(), parts().count().into());
    predicate.insert("not_placed".into(), not_placed.into());
    predicate.insert("counts".into(), json!(verdict::counts(parts())));
    predicate.insert("tree".into(), json!({ "root": root, "leaves": kept.len(), "hash": "sha256, RFC 6962 section 2.1, leaves with 16 bytes of salt in front of RFC 8785 JSON" }));
    predicate.insert("shown".into(), json!(shown));
    predicate.insert(
        "proves".into(),
        "the signer committed to exactly these leaves, and the signer's tool judged them so; not that the bill of materials is true or complete".into(),
    );
    let subjects = json!([{ "name": "bill of materials, parts kept back", "digest": { signed::TREE_DIGEST: root } }]);
    let statement = sign::statement(&subjects, signed::REDACTED, &predicate.into());
    (statement, Opening { schema: OPENING.into(), root, leaves: kept })
}

/// The proof that one leaf belongs to the statement that an opening opens.
///
/// # Errors
/// Why there is none.
pub fn reveal(opening: Opening, index: u64) -> Result<Proof, String> {
    if opening.schema != OPENING {
        return Err(format!("this is no opening of a redacted statement (schema `{}`)", opening.schema));
    }
    let leaves = opening.leaves.len() as u64;
    let tree = tree(&opening.leaves);
    if hex(&tree.root()) != opening.root {
        return Err("the opening does not lead to its own root: it was altered".into());
    }
    let opened = usize::try_from(index).ok().and_then(|index| open(&opening.leaves, &tree, index));
    let opened = opened.ok_or_else(|| format!("there is no leaf {index}: they are numbered from 0, and there are {leaves}"))?;
    Ok(Proof { schema: PROOF.into(), root: opening.root, leaves, opened })
}

fn tree(kept: &[Kept]) -> Tree {
    Tree::new(kept.iter().map(|k| merkle::leaf(&unhex(&k.salt).unwrap_or_default(), &canonical::bytes(&k.content))).collect())
}

fn open(kept: &[Kept], tree: &Tree, index: usize) -> Option<Opened> {
    let Kept { salt, content } = kept.get(index)?;
    let path = tree.path(index)?.iter().map(|hash| hex(hash)).collect();
    Some(Opened { index: index as u64, salt: salt.clone(), content: content.clone(), path })
}

/// Whether a part makes the verdict: the modules where one is named, and where one is hidden what tells of it.
fn makes(part: &PartAnswer, hidden: bool) -> bool {
    let module = part.kind == PartKind::Module || part.alternates.iter().any(|a| a.kind == PartKind::Module);
    module || (hidden && part.kind.is_tell())
}

/// What a leaf says of a part: what it is declared to be and what it is taken for. Not where it stands in a file.
fn leaf(document: usize, answer: &PartAnswer, placed: bool) -> Value {
    let part = &answer.part;
    let alternates = answer.alternates.iter().map(
        |a| json!({ "value": a.part.value, "mpn": a.part.mpn, "manufacturer": a.part.manufacturer, "kind": a.kind, "maker": a.maker.as_deref() }),
    );
    json!({
        "document": document,
        "index": answer.index,
        "assembly": *answer.path,
        "placed": placed,
        "designators": part.designators,
        "quantity": part.quantity,
        "value": part.value,
        "mpn": part.mpn,
        "manufacturer": part.manufacturer,
        "kind": answer.kind,
        "maker": answer.maker.as_deref(),
        "model": answer.module.as_deref().and_then(|m| m.model.as_ref()),
        "alternates": alternates.collect::<Vec<_>>(),
    })
}
