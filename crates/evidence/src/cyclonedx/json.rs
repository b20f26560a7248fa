//! The reader of CycloneDX as JSON.
//!
//! The walk keeps one level for each object or array that is open: the document, `metadata`, the product, arrays of the
//! document, components inside components. All else is handed over as text and parsed piece by piece.

use std::io;

use umbilical_core::Observations;
use umbilical_core::bom::Design;

use super::walk::Walk;
use crate::{Context, Head, Reader, Source};

/// The arrays of a document that may be long: read element by element.
pub(super) const ARRAYS: &[&str] = &[
    "components",
    "services",
    "externalReferences",
    "dependencies",
    "compositions",
    "vulnerabilities",
    "annotations",
    "formulation",
    "citations",
    "properties",
];

/// The reader of CycloneDX JSON.
pub struct CycloneDxJson;

impl Reader for CycloneDxJson {
    fn name(&self) -> &'static str {
        "cyclonedx-json"
    }

    fn about(&self) -> &'static str {
        "CycloneDX bills of materials as JSON, versions 1.2 to 1.7 and the draft of 2.0: HBOMs, and what cdxgen's `hbom` prints."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        if !text.starts_with('{') {
            return 0;
        }
        if is_named(text, &["bomFormat", "specFormat"], |value| value.eq_ignore_ascii_case("cyclonedx"))
            || is_named(text, &["$schema"], |value| value.to_ascii_lowercase().contains("cyclonedx.org/schema/"))
        {
            return 95;
        }
        // Without its name: the version of the format beside what only it has.
        let version = is_named(text, &["specVersion"], |value| value.len() <= 4 && value.starts_with(|c: char| c.is_ascii_digit()));
        if version && ["\"components\"", "\"metadata\"", "\"bom-ref\""].iter().any(|member| text.contains(member)) {
            return 90;
        }
        // Its name may stand behind more parts than the head holds.
        let squeezed: String = text.chars().take(256).filter(|c| !c.is_whitespace()).collect();
        let listed = squeezed.to_ascii_lowercase().starts_with("{\"components\":[{");
        if listed && ["\"bom-ref\"", "\"type\"", "\"name\""].iter().all(|member| text.contains(member)) { 85 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let by_line = source.head("").text.as_deref().is_some_and(|t| t.trim().contains('\n'));
        out.bom(Design::Statement);
        let mut walk = Walk::new(source.utf8(), cx.validate, by_line, out);
        let outcome = walk.document();
        walk.end(outcome)
    }
}

/// Whether a text has a member of one of these names (whatever its case) with a text that fits.
fn is_named(text: &str, names: &[&str], fits: impl Fn(&str) -> bool) -> bool {
    // Every quoted word that is followed by a colon and another quoted word.
    let mut quoted = text.split('"');
    quoted.next();
    let words: Vec<&str> = quoted.collect();
    words.windows(3).any(|w| {
        let [name, colon, value] = w else { return false };
        colon.trim() == ":" && names.iter().any(|n| n.eq_ignore_ascii_case(name)) && fits(value)
    })
}
