//! A user's mapping of columns to fields (`--map FILE`), where the guess is wrong or there is none.
//!
//! ```toml
//! source = "register"            # or "platform", "modem": who speaks in this table; guessed when left out
//!
//! [columns]
//! "Gerätenummer" = "asset-id"
//! "Dev" = "module-model"
//! "IMEI (alt)" = "ignore"
//!
//! [member."north/sims.csv".columns]   # of one member of an archive: what stands above is not for it
//! "Dev" = "name"
//! ```
//!
//! The fields of a list of parts are named alike: `value`, `mpn`, `manufacturer`, `designators`, `quantity`, `description`,
//! `dnp`, `alternates`, `level`, `parent`, `origin` … A table with a column that only such a list has is one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use thiserror::Error;

use super::Witness;
use super::bom::{Col, by_name, is_only_of_parts, only_of_parts};
use super::field::{Field, fold};

/// A mapping file that cannot be used, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("mapping file line {line}, column {column}: {what}")]
pub struct MappingError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Byte range of the offending text, to underline it.
    pub span: std::ops::Range<usize>,
    /// What is wrong and what to write.
    pub what: String,
}

/// Columns the user assigned, and who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// As written, with their fields.
    columns: Vec<(String, Field)>,
    /// The same for lists of parts.
    parts: Vec<(String, Col)>,
    /// Whether a field is named that only a list of parts has.
    of_parts: bool,
    source: Option<Witness>,
    /// Members of archives that are read in a way of their own.
    members: Vec<(String, Mapping)>,
    text: String,
    met: Met,
}

/// Whether a table had a column of the mapping; no part of what the mapping is. Shared by copies.
#[derive(Clone, Debug, Default)]
struct Met(Arc<AtomicBool>);

impl PartialEq for Met {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Met {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    source: Option<toml::Spanned<String>>,
    #[serde(default)]
    columns: Columns,
    #[serde(default)]
    member: BTreeMap<String, Member>,
}

/// Columns by their heads.
type Columns = BTreeMap<toml::Spanned<String>, toml::Spanned<String>>;

/// A member of an archive.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Member {
    source: Option<toml::Spanned<String>>,
    #[serde(default)]
    columns: Columns,
}

/// Heads and fields without their places.
fn plain(columns: Columns) -> BTreeMap<String, String> {
    columns.into_iter().map(|(column, field)| (column.into_inner(), field.into_inner())).collect()
}

/// One line of a section: a head and its field.
fn push_line(out: &mut String, head: &str, field: &str) {
    push_text(out, head);
    out.push_str(" = ");
    push_text(out, field);
    out.push('\n');
}

/// A basic string, which holds no control character (TOML 1.0, String).
fn push_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let error = |span: std::ops::Range<usize>, what: String| {
            let before = text.get(..span.start).unwrap_or(text);
            let line = before.bytes().filter(|b| *b == b'\n').count().saturating_add(1);
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()).saturating_add(1);
            MappingError { line, column, span, what }
        };
        let file: File = toml::from_str(text).map_err(|e| error(e.span().unwrap_or(0..0), e.message().trim().replace('\n', ", ")))?;
        let mut out = Self::of_table(&error, file.source.as_ref(), &file.columns)?;
        for (name, member) in &file.member {
            // A member that is met is one for the whole file.
            let own = Self { met: out.met.clone(), ..Self::of_table(&error, member.source.as_ref(), &member.columns)? };
            out.members.push((name.clone(), own));
        }
        text.clone_into(&mut out.text);
        Ok(out)
    }

    fn of_table(
        error: &dyn Fn(std::ops::Range<usize>, String) -> MappingError,
        source: Option<&toml::Spanned<String>>,
        named: &Columns,
    ) -> Result<Self, MappingError> {
        let source = match source {
            None => None,
            Some(name) => Some(Witness::from_name(name.as_ref()).ok_or_else(|| {
                error(name.span(), format!("`{}` is not a kind of table: write \"platform\", \"register\" or \"modem\"", name.as_ref()))
            })?),
        };
        let mut columns = Vec::with_capacity(named.len());
        let (mut parts, mut of_parts) = (Vec::new(), false);
        for (column, name) in named {
            let part = by_name(name.as_ref());
            parts.extend(part.map(|col| (column.as_ref().clone(), col)));
            of_parts |= is_only_of_parts(name.as_ref());
            match Field::from_name(name.as_ref()) {
                Some(field) => columns.push((column.as_ref().clone(), field)),
                None if part.is_some() => {}
                None => {
                    let known: Vec<&str> = Field::ALL.iter().map(|f| f.name()).collect();
                    let (known, parts) = (known.join(", "), only_of_parts().collect::<Vec<_>>().join(", "));
                    let what = format!("`{}` is not a field; the fields are {known}, and for lists of parts {parts}", name.as_ref());
                    return Err(error(name.span(), what));
                }
            }
        }
        Ok(Self { columns, parts, of_parts, source, members: Vec::new(), text: String::new(), met: Met::default() })
    }

    /// The mapping for one input by its path (`outer.zip!inner`): a member that is named has its own.
    pub(crate) fn of(&self, path: &str) -> &Self {
        let named = |name: &str| path.strip_suffix(name).is_some_and(|outer| outer.ends_with('!'));
        self.members.iter().find(|(name, _)| named(name)).map_or(self, |(_, own)| own)
    }

    /// The text of a mapping file that gives columns these fields: of members of archives by their names, of what is no member
    /// under an empty one.
    pub fn write<'c>(tables: &BTreeMap<&'c str, BTreeMap<&'c str, &'c str>>) -> String {
        let mut out = if tables.is_empty() { "[columns]\n".to_owned() } else { String::new() };
        for (member, columns) in tables {
            match *member {
                "" => out.push_str("[columns]\n"),
                name => {
                    out.push_str("[member.");
                    push_text(&mut out, name);
                    out.push_str(".columns]\n");
                }
            }
            columns.iter().for_each(|(head, field)| push_line(&mut out, head, field));
        }
        out
    }

    /// The columns that it names for a member of an archive, or for what is none (an empty name), each with its field, as they were
    /// written.
    pub fn columns(&self, member: &str) -> BTreeMap<String, String> {
        let Ok(mut file) = toml::from_str::<File>(&self.text) else { return BTreeMap::new() };
        plain(file.member.remove(member).map_or(file.columns, |m| m.columns))
    }

    /// The file as it was written: what is read by it is kept with it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every field by its name in mapping files: those of devices, then those that only lists of parts have.
    pub fn fields() -> impl Iterator<Item = &'static str> {
        Field::ALL.iter().map(|f| f.name()).chain(only_of_parts())
    }

    /// What to do where no column is known; `name` stands for one of them.
    pub(crate) fn advice(name: &str) -> String {
        format!(
            "write a mapping file whose first line is `[columns]`, with a line such as `\"{name}\" = \"imei\"` below it for each, and give it with --map"
        )
    }

    /// Whether columns were named and no table read so far has any of them.
    pub(crate) fn is_idle(&self) -> bool {
        let all = || std::iter::once(self).chain(self.members.iter().map(|(_, own)| own));
        !(self.met.0.load(Ordering::Relaxed) || all().all(|m| m.columns.is_empty() && m.parts.is_empty()))
    }

    /// The field that the user gave a column, and the index of the entry.
    pub(crate) fn field(&self, header: &str) -> Option<(usize, Field)> {
        let found = self.columns.iter().position(|(name, _)| name.trim() == header.trim());
        let wanted = fold(header);
        let found = found.or_else(|| self.columns.iter().position(|(name, _)| !wanted.is_empty() && fold(name) == wanted))?;
        self.met.0.store(true, Ordering::Relaxed);
        self.columns.get(found).map(|(_, field)| (found, *field))
    }

    /// What the user says that a column of a list of parts holds.
    pub(crate) fn part(&self, header: &str) -> Option<Col> {
        let wanted = fold(header);
        let exact = self.parts.iter().find(|(name, _)| name.trim() == header.trim());
        let found = exact.or_else(|| self.parts.iter().find(|(name, _)| !wanted.is_empty() && fold(name) == wanted))?;
        self.met.0.store(true, Ordering::Relaxed);
        Some(found.1)
    }

    /// Whether a field is named that only a list of parts has.
    pub(crate) fn is_of_parts(&self) -> bool {
        self.of_parts
    }

    /// Who speaks, if the user said so.
    pub(super) fn source(&self) -> Option<Witness> {
        self.source
    }

    /// The column names, as written.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let all = std::iter::once(self).chain(self.members.iter().map(|(_, own)| own));
        all.flat_map(|m| &m.columns).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mapping_file() {
        let mapping =
            Mapping::parse("source = \"platform\"\n[columns]\n\"Gerätenummer\" = \"asset-id\"\nDev = \"module_model\"\n").unwrap();
        assert_eq!(mapping.source(), Some(Witness::Platform));
        assert_eq!(mapping.field("GERÄTENUMMER ").map(|f| f.1), Some(Field::AssetId));
        assert_eq!(mapping.field("dev").map(|f| f.1), Some(Field::ModuleModel));
        assert_eq!(mapping.field("other"), None);
        assert_eq!(Mapping::parse("").unwrap(), Mapping::default());
    }

    #[test]
    fn errors_say_where() {
        let wrong = Mapping::parse("[columns]\n\"Gerät\" = \"asset-idd\"\n").unwrap_err();
        assert_eq!((wrong.line, wrong.column), (2, 11));
        assert!(wrong.to_string().contains("`asset-idd` is not a field; the fields are imei, "), "{wrong}");
        let wrong = Mapping::parse("\n\n[columns]\nx = = 3\n").unwrap_err();
        assert_eq!(wrong.line, 4, "{wrong}");
        assert!(Mapping::parse("source = \"moon\"").unwrap_err().what.contains("\"platform\""));
        assert!(Mapping::parse("colums = {}").unwrap_err().what.contains("colums"));
        assert_eq!(Mapping::parse("[columns]\nx = 3").unwrap_err().line, 2);
    }

    #[test]
    fn a_member_of_an_archive_has_its_own() {
        let text = "[columns]\nDev = \"name\"\n[member.\"north/sims.csv\"]\nsource = \"platform\"\ncolumns = { Dev = \"site\" }\n";
        let mapping = Mapping::parse(text).unwrap();
        let field = |path: &str| mapping.of(path).field("dev").map(|f| f.1);
        assert_eq!(field("x.zip!north/sims.csv"), Some(Field::Site));
        assert_eq!(field("in/x.zip!deep.zip!north/sims.csv"), Some(Field::Site));
        assert_eq!((field("x.zip!south/sims.csv"), field("x.zip!the north/sims.csv")), (Some(Field::Name), Some(Field::Name)));
        assert_eq!((field("north/sims.csv"), field("x.zip")), (Some(Field::Name), Some(Field::Name)));
        assert_eq!((mapping.source(), mapping.of("x.zip!north/sims.csv").source()), (None, Some(Witness::Platform)));
        // Whichever is met, the file fits something.
        let mapping = Mapping::parse(text).unwrap();
        assert!(mapping.is_idle() && mapping.of("x.zip!north/sims.csv").field("Dev").is_some() && !mapping.is_idle());
        let wrong = Mapping::parse("[member.\"a\".columns]\nDev = \"nothing\"\n").unwrap_err();
        assert_eq!((wrong.line, wrong.column), (2, 7));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            head in "\\PC{0,40}[\\x00-\\x1f\"\\\\\\x7f]{0,3}",
            member in "(\\PC{0,40}[\\x00-\\x1f\"\\\\\\x7f]{0,3})?",
        ) {
            let text = Mapping::write(&BTreeMap::from([(member.as_str(), BTreeMap::from([(head.as_str(), "asset-id")]))]));
            let mapping = Mapping::parse(&text).unwrap();
            prop_assert_eq!(mapping.names().collect::<Vec<_>>(), vec![head.as_str()]);
            prop_assert_eq!(mapping.text(), text.as_str());
            prop_assert_eq!(mapping.columns(&member), BTreeMap::from([(head.clone(), "asset-id".to_owned())]));
            let own = mapping.of(&format!("a!b.zip!{member}"));
            prop_assert_eq!(own.columns.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), vec![head.as_str()]);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,80}") {
            let _ = Mapping::parse(&text);
        }
    }
}
