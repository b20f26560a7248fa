//! SPDX 2 as lines of a tag and a value.

use std::io;

use serde_json::{Map, Value, json};
use umbilical_core::bom::Design;
use umbilical_core::{At, Observations};

use super::fields::{keep_of_document, package, said};
use super::tree::Tree;
use crate::pieces;
use crate::source::for_each_line;
use crate::{Context, Head, Reader, Source};

/// The longest text over several lines that is kept.
const MAX_TEXT: usize = 64 * 1024;
/// The most fields of one package.
const MAX_FIELDS: usize = 2000;

/// The reader of SPDX 2 as tags and values.
pub(crate) struct SpdxTagValue;

impl Reader for SpdxTagValue {
    fn name(&self) -> &'static str {
        "spdx-tag-value"
    }

    fn about(&self) -> &'static str {
        "SPDX 2 documents as tags and values: the same as their JSON; held to no schema."
    }

    fn sniff(&self, head: &Head<'_>) -> u8 {
        let Some(text) = head.text.as_deref() else { return 0 };
        let first = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).take(20);
        let is_version = |line: &str| line.split_once(':').is_some_and(|(t, v)| t.trim() == "SPDXVersion" && v.trim().starts_with("SPDX-"));
        if first.into_iter().any(is_version) { 96 } else { 0 }
    }

    fn read(&self, source: &mut Source<'_>, cx: &Context<'_>, out: &mut Observations) -> io::Result<()> {
        out.bom(Design::Statement);
        let mut document = Document { tree: Tree::default(), section: Section::Document, fields: Map::new(), at: At::WHOLE, count: 0 };
        // A value that goes on: its tag, its text, and where it began.
        let mut open: Option<(String, String, u32)> = None;
        for_each_line(&mut *source.utf8(), |line| {
            let text = line.text.trim();
            if line.cut {
                out.problem(At::line(line.n), "this line is longer than 1 MiB: it is cut");
            }
            if let Some((tag, mut value, n)) = open.take() {
                let end = text.split_once("</text>");
                if value.len() < MAX_TEXT {
                    value.push('\n');
                    value.push_str(end.map_or(text, |(before, _)| before));
                }
                match end {
                    Some(_) => document.field(&tag, &value, At::line(n), out),
                    None => open = Some((tag, value, n)),
                }
                return;
            }
            if text.is_empty() || text.starts_with('#') {
                return;
            }
            let Some((tag, value)) = text.split_once(':') else {
                out.problem(At::line(line.n), "no tag and value: it is left out");
                return;
            };
            let (tag, value) = (tag.trim(), value.trim());
            match value.split_once("<text>") {
                Some((_, rest)) => match rest.split_once("</text>") {
                    Some((whole, _)) => document.field(tag, whole, At::line(line.n), out),
                    None => open = Some((tag.to_owned(), rest.to_owned(), line.n)),
                },
                None => document.field(tag, value, At::line(line.n), out),
            }
        })?;
        if let Some((tag, value, n)) = open {
            out.problem(At::line(n), format!("{tag}: the text that begins here has no end"));
            document.field(&tag, &value, At::line(n), out);
        }
        document.close(out);
        document.tree.finish(out);
        pieces::not_validated(cx.validate, "SPDX", out);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Document,
    Package,
    /// A file, a snippet, a licence: nothing of it is a part.
    Other,
}

struct Document {
    tree: Tree,
    section: Section,
    /// The package that is open, by the names of the JSON form.
    fields: Map<String, Value>,
    at: At,
    count: usize,
}

impl Document {
    fn field(&mut self, tag: &str, value: &str, at: At, out: &mut Observations) {
        let section = match tag {
            "PackageName" => Some(Section::Package),
            "FileName" | "SnippetSPDXID" | "LicenseID" => Some(Section::Other),
            _ => None,
        };
        if let Some(section) = section {
            self.close(out);
            self.section = section;
            self.at = at;
        }
        if tag == "Relationship" {
            let mut words = value.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(from), Some(name), Some(to)) => self.tree.relationship(from, name, to),
                _ => out.problem(at, "a relationship without both ends and a type: it is left out"),
            }
            return;
        }
        match self.section {
            Section::Document => of_document(tag, value, out),
            Section::Package => self.of_package(tag, value, at, out),
            Section::Other => {}
        }
    }

    fn of_package(&mut self, tag: &str, value: &str, at: At, out: &mut Observations) {
        self.count = self.count.saturating_add(1);
        if self.count > MAX_FIELDS {
            if self.count == MAX_FIELDS.saturating_add(1) {
                out.problem(at, format!("more than {MAX_FIELDS} fields of one package: the rest is left out"));
            }
            return;
        }
        let (list, item) = match tag {
            "ExternalRef" => {
                let mut words = value.split_whitespace();
                let item = json!({"referenceCategory": words.next(), "referenceType": words.next(), "referenceLocator": words.next()});
                ("externalRefs", item)
            }
            "PackageChecksum" => {
                let (algorithm, sum) = value.split_once(':').unwrap_or(("", value));
                ("checksums", json!({"algorithm": algorithm.trim(), "checksumValue": sum.trim()}))
            }
            "PackageAttributionText" => ("attributionTexts", value.into()),
            _ => {
                self.fields.insert(name(tag), value.into());
                return;
            }
        };
        match self.fields.get_mut(list) {
            Some(Value::Array(items)) => items.push(item),
            _ => {
                self.fields.insert(list.to_owned(), Value::Array(vec![item]));
            }
        }
    }

    fn close(&mut self, out: &mut Observations) {
        let fields = std::mem::take(&mut self.fields);
        self.count = 0;
        if self.section == Section::Package {
            self.tree.package(package(fields, self.at), out);
        }
    }
}

/// The name of a tag of packages in the JSON form.
fn name(tag: &str) -> String {
    let known = match tag {
        "PackageName" => "name",
        "PackageVersion" => "versionInfo",
        "PackageHomePage" => "homepage",
        "FilesAnalyzed" => "filesAnalyzed",
        "PrimaryPackagePurpose" => "primaryPackagePurpose",
        "PackageVerificationCode" => "packageVerificationCode",
        "PackageLicenseInfoFromFiles" => "licenseInfoFromFiles",
        "PackageLicenseComments" => "licenseComments",
        "BuiltDate" => "builtDate",
        "ReleaseDate" => "releaseDate",
        "ValidUntilDate" => "validUntilDate",
        "SPDXID" => "SPDXID",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_owned();
    }
    let short = tag.strip_prefix("Package").filter(|s| !s.is_empty()).unwrap_or(tag);
    let mut letters = short.chars();
    letters.next().map(|first| first.to_ascii_lowercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn of_document(tag: &str, value: &str, out: &mut Observations) {
    if !said(value) {
        return;
    }
    let bom = out.bom(Design::Statement);
    let text = || super::fields::text(&value.into());
    match tag {
        "SPDXVersion" => bom.spec = text().map(|v| v.trim_start_matches("SPDX-").into()),
        "DocumentName" => bom.product.name = text(),
        "Created" => bom.product.date = text(),
        "Creator" => keep_of_document(bom, "creator", &value.into()),
        "SPDXID" | "DataLicense" => {}
        "DocumentNamespace" => keep_of_document(bom, "documentNamespace", &value.into()),
        "DocumentComment" => keep_of_document(bom, "comment", &value.into()),
        _ => keep_of_document(bom, tag, &value.into()),
    }
}
