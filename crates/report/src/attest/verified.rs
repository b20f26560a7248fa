//! What came of verifying, as a document and for people.

use std::io::{self, Write};

use serde::Serialize;
use umbilical_core::answer::{KnowledgeStamp, Said};
use umbilical_core::observation::Input;
use umbilical_core::signed::SignatureState;
use umbilical_core::text::clean;
use umbilical_core::words::Word;

/// Version of the document.
pub const VERIFIED_SCHEMA: &str = "umbilical.bom-verified/1";

/// The document of `bom attest --verify`.
#[derive(Clone, Debug, Serialize)]
pub struct Verified {
    /// [`VERIFIED_SCHEMA`].
    pub schema: Word,
    /// The day of the answer. Nothing in it depends on the day: signatures do not end.
    pub as_of: String,
    /// Which facts were used: none decides over a signature.
    pub knowledge: KnowledgeStamp,
    /// What was read: the signed file, then the files compared.
    pub inputs: Vec<Input>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// Whether everything holds; `null` where that cannot be said: no key of the signer's was given, or the algorithm is
    /// not checked here.
    pub verified: Option<bool>,
    /// What does not hold, or cannot be said, in sentences.
    pub because: Vec<String>,
    /// Each envelope, in the order of the file; none where the signature is inside the document.
    pub envelopes: Vec<Checked>,
    /// Each signature inside the document.
    pub signatures: Vec<SignatureState>,
    /// Each file that was compared.
    pub files: Vec<Compared>,
    /// Each part that was shown of a redacted statement.
    pub parts: Vec<Shown>,
}

/// One envelope.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// The line it begins on, from 1.
    pub line: u64,
    /// What its statement says; `null` where it holds none, or where nothing vouches for it.
    pub predicate_type: Option<String>,
    /// The state of a verdict.
    pub state: Option<String>,
    /// Each signature.
    pub signatures: Vec<SignatureState>,
    /// What it is about: names as the signer gave them.
    pub subjects: Vec<String>,
}

/// One file that was compared with what was signed.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Index into `inputs`.
    pub input: u32,
    /// As the user named it.
    pub path: String,
    /// `unchanged`, `changed`, `not-in-statement`.
    pub state: Word,
}

/// One part that was shown.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// Its place among the leaves.
    pub index: u64,
    /// Whether it leads to the root that was signed.
    pub holds: bool,
    /// What it says.
    pub content: serde_json::Value,
}

/// The answer for people.
pub fn page(w: &mut dyn Write, answer: &Verified) -> io::Result<()> {
    let signed = answer.inputs.first().map_or("", |i| &*i.path);
    let word = match answer.verified {
        Some(true) => "verified",
        Some(false) => "NOT verified",
        None => "not proved",
    };
    let mut line = |depth: usize, text: &str| writeln!(w, "{:depth$}{}", "", clean(text));
    line(0, &format!("{signed}: {word}"))?;
    for envelope in &answer.envelopes {
        let about = envelope.predicate_type.as_deref().unwrap_or("nothing that can be relied on");
        let state = envelope.state.as_ref().map(|s| format!(", {s}")).unwrap_or_default();
        line(2, &format!("line {}: {about}{state}", envelope.line))?;
        for signature in &envelope.signatures {
            line(4, &format!("{}: {}", signature.at, signature.what))?;
        }
        for subject in &envelope.subjects {
            line(4, &format!("about {subject}"))?;
        }
    }
    for signature in &answer.signatures {
        line(2, &format!("{}: {}", signature.at, signature.what))?;
        if !signature.unsigned.is_empty() {
            line(4, &format!("does not cover {}", signature.unsigned.join(", ")))?;
        }
    }
    for file in &answer.files {
        line(2, &format!("{}: {}", file.path, file.state.replace('-', " ")))?;
    }
    for part in &answer.parts {
        let words = if part.holds { "is one of the parts committed to" } else { "is NOT one of the parts committed to" };
        line(2, &format!("leaf {} {words}: {}", part.index, name(&part.content)))?;
    }
    for why in &answer.because {
        line(2, why)?;
    }
    Ok(())
}

/// What people know a leaf by.
fn name(content: &serde_json::Value) -> String {
    let text = |name: &str| content.get(name).and_then(serde_json::Value::as_str);
    if let Some(path) = text("path") {
        return format!("the document {path}, sha256 {}", text("sha256").unwrap_or("not stated"));
    }
    let words = [text("manufacturer").or(text("maker")), text("mpn").or(text("value"))];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    format!("{} ({})", if words.is_empty() { "unnamed part".into() } else { words.join(" ") }, text("kind").unwrap_or("of no kind"))
}
