//! SPDX 2 as JSON.

use std::io;

use serde_json::Value;
use umbilical_core::Observations;
use umbilical_core::bom::Design;

use super::fields::{keep_of_document, package, said, text};
use super::tree::Tree;
use crate::pieces::{self, Piece};
use crate::{Context, Head, Reader, Source};

/// The arrays that may be long. Files, their parts and reviews are passed over: a file is no part of hardware.
const ARRAYS: &[&str] =
    &["packages", "relationships", "files", "snippets", "hasExtractedLicensingInfos", "annotations", "revieweds", "documentDescribes"];

/// The reader of SPDX 2 as JSON.
pub(crate) struct SpdxJson;

impl Reader for SpdxJson {
    fn name(&self) -> &'static str {
        "spdx-json"
    }

    fn about(&self) -> &'static str {
        "SPDX 2 documents as JSON: packages with their purpose and maker, and what contains what; held to no schema."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = pieces::object(head) else { return 0 };
        if text.contains("\"spdxVersion\"") && text.contains("SPDX-2.") {
            return 93;
        }
        // Its version may stand behind more packages than the head holds.
        if text.contains("\"SPDXID\"") && text.contains("\"SPDXRef-") { 88 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        let by_line = pieces::by_line(&source.head(""));
        out.bom(Design::Statement);
        let mut tree = Tree::default();
        pieces::walk(source.utf8(), ARRAYS, by_line, out, |piece, at, out| match piece {
            Piece::Element("packages", Value::Object(members)) => {
                let part = package(members, at);
                tree.package(part, out);
            }
            Piece::Element("packages" | "relationships", other) if !other.is_object() => {
                out.problem(at, "an object belongs here: it is left out");
            }
            Piece::Element("relationships", item) => {
                let field = |name| item.get(name).and_then(Value::as_str);
                match (field("spdxElementId"), field("relationshipType"), field("relatedSpdxElement")) {
                    (Some(from), Some(name), Some(to)) => tree.relationship(from, name, to),
                    _ => out.problem(at, "a relationship without both ends and a type: it is left out"),
                }
            }
            Piece::Element("documentDescribes", Value::String(id)) => tree.describes(&id),
            Piece::Element(..) => {}
            Piece::Member(name, value) => {
                let bom = out.bom(Design::Statement);
                match name {
                    "spdxVersion" => bom.spec = text(&value).map(|v| v.trim_start_matches("SPDX-").into()),
                    "name" => bom.product.name = bom.product.name.take().or_else(|| text(&value)),
                    "creationInfo" => {
                        bom.product.date = value.get("created").and_then(text);
                        let creators = value.get("creators").and_then(Value::as_array).into_iter().flatten();
                        for creator in creators.filter(|c| c.as_str().is_some_and(said)) {
                            keep_of_document(bom, "creator", creator);
                        }
                    }
                    "SPDXID" | "dataLicense" => {}
                    "packages" | "relationships" => out.problem(at, format!("{name}: an array belongs here: it is left out")),
                    name => keep_of_document(bom, name, &value),
                }
            }
        })?;
        tree.finish(out);
        pieces::not_validated(cx.validate, "SPDX", out);
        Ok(())
    }
}
