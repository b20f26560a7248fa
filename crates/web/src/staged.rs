//! Uploads that somebody looks at before they are kept: what the readers make of each, and which field each column of a table
//! has. They lie under the home and belong to one session; nothing of them is evidence yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use umbilical_core::Observations;
use umbilical_core::text::clean;
use umbilical_evidence::table::Mapping;
use umbilical_evidence::{Purpose, open::understood};
use umbilical_knowledge::Knowledge;
use umbilical_store::Time;

use crate::Problem;
use crate::ingest::{Folder, Mapped};
use crate::record::{self, FileProblem, Reading, Upload, covered, format_of, located};

/// Uploads that wait at the same time, one for each session.
const MOST: usize = 32;
/// Milliseconds after which what nobody came back to is taken away.
const AGE: i64 = 60 * 60_000;
/// Bytes of an upload that is read twice; what is larger is imported without a look.
const READ_TWICE: u64 = 256 << 20;
/// Files that are looked into.
const FILES: usize = 20;
/// Rows that are shown.
const ROWS: usize = 10;
/// Columns that can be changed on the page.
const COLUMNS: usize = 150;

/// An upload that waits.
pub struct Staged {
    /// Its id in the address: nobody guesses it.
    pub id: String,
    session: String,
    at: Time,
    bytes: u64,
    /// The files.
    pub uploads: Vec<Upload>,
    /// What was made of the first of them; empty where they are too large to be read twice.
    pub looks: Vec<Look>,
    /// Dropping it takes the files away.
    _folder: Folder,
}

/// What was made of a file.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Its name.
    pub name: String,
    /// What the readers took it for.
    pub format: String,
    /// Files in it.
    pub files: u64,
    /// Those that a reader understood.
    pub understood: u64,
    /// Facts and identifiers.
    pub observations: u64,
    /// How many things could not be understood.
    pub problem_count: u64,
    /// The first of them.
    pub problems: Vec<FileProblem>,
    /// Whether the same bytes came in before, with words about their columns: they hold until others are said.
    pub known: bool,
    /// The columns of its tables.
    pub columns: Vec<Column>,
    /// Whether there are more than can be changed here.
    pub more_columns: bool,
    /// The first rows as they were understood.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The member of an archive whose column it is; empty for a file that is none.
    pub member: String,
    /// The same for eyes that may not see the numbers of subscribers.
    pub file: String,
    /// Its head as it stands there.
    pub head: String,
    /// The same for eyes that may not see the numbers of subscribers.
    pub shown: String,
    /// As what it is read now.
    pub holds: Option<String>,
    /// What a person said that it is; empty where the reader decides.
    pub said: String,
}

/// A thing as it was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The member of an archive in which it stands; empty for a file that is none.
    pub member: String,
    /// Where it stands.
    pub at: String,
    /// What it says: kind and value.
    pub says: Vec<(String, String)>,
}

impl Look {
    /// Whether it stands in members of an archive.
    pub fn is_archive(&self) -> bool {
        self.columns.iter().any(|c| !c.member.is_empty()) || self.rows.iter().any(|r| !r.member.is_empty())
    }
}

impl Staged {
    /// An upload as it lies under the home. Reads it, so it needs a thread that may wait.
    ///
    /// `before` has, for each upload, how its columns were said to be read when the same bytes came in before.
    pub fn new(
        session: &str,
        at: Time,
        folder: Folder,
        uploads: Vec<(Upload, Option<String>)>,
        kb: &Arc<Knowledge>,
        whole: bool,
    ) -> Result<Self, Problem> {
        let (uploads, before): (Vec<Upload>, Vec<Option<String>>) = uploads.into_iter().unzip();
        let id = crate::secret::random()?;
        let bytes = uploads.iter().map(|u| std::fs::metadata(&u.path).map_or(0, |m| m.len())).fold(0u64, u64::saturating_add);
        let mut looks = Vec::new();
        if bytes <= READ_TWICE {
            for (upload, before) in uploads.iter().zip(&before).take(FILES) {
                let mut first = look(kb, upload, None, whole)?;
                first.known = before.is_some();
                if let Some(mapping) = before.as_deref().and_then(|text| Mapping::parse(text).ok()) {
                    for column in &mut first.columns {
                        column.said = mapping.columns(&column.member).remove(&column.head).unwrap_or_default();
                    }
                    first = look(kb, upload, Some(&first), whole)?;
                }
                looks.push(first);
            }
        }
        Ok(Self { id, session: session.to_owned(), at, bytes, uploads, looks, _folder: folder })
    }

    /// Takes what a person says of columns (`col.FILE.COLUMN` = field; empty leaves it to the reader).
    pub fn say(&mut self, sent: &[(String, String)]) -> Result<(), Problem> {
        for (name, field) in sent {
            let Some((file, column)) = name.strip_prefix("col.").and_then(|rest| rest.split_once('.')) else { continue };
            let known = field.is_empty() || Mapping::fields().any(|f| f == field);
            let look = file.parse::<usize>().ok().and_then(|n| self.looks.get_mut(n));
            let column = look.and_then(|l| column.parse::<usize>().ok().and_then(|n| l.columns.get_mut(n)));
            match column {
                Some(column) if known => column.said.clone_from(field),
                _ => return Err(Problem::invalid("a column or field of the form is not one of this upload: load the page again")),
            }
        }
        Ok(())
    }

    /// Looks again, with what was said.
    pub fn again(&mut self, kb: &Arc<Knowledge>, whole: bool) -> Result<(), Problem> {
        for (upload, old) in self.uploads.iter().zip(&mut self.looks) {
            // What was said before may have been taken back.
            if !old.columns.is_empty() {
                *old = look(kb, upload, Some(old), whole)?;
            }
        }
        Ok(())
    }

    /// The files with the mapping of each.
    pub fn files(&self) -> Result<Mapped, Problem> {
        let mut out = Vec::new();
        for (n, upload) in self.uploads.iter().enumerate() {
            let mapping = self.looks.get(n).map(mapping).transpose()?.flatten();
            out.push((upload.clone(), mapping));
        }
        Ok(out)
    }
}

/// What was said of the columns of a file; `None` where nothing was.
fn mapping(look: &Look) -> Result<Option<Arc<Mapping>>, Problem> {
    let mut said: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for column in look.columns.iter().filter(|c| !c.said.is_empty()) {
        said.entry(&column.member).or_default().insert(&column.head, &column.said);
    }
    // What was said before is taken back by saying nothing now.
    if said.is_empty() && !look.known {
        return Ok(None);
    }
    Mapping::parse(&Mapping::write(&said)).map(|m| Some(Arc::new(m))).map_err(|e| Problem::invalid(e.to_string()))
}

fn look(kb: &Arc<Knowledge>, upload: &Upload, before: Option<&Look>, whole: bool) -> Result<Look, Problem> {
    let reading = Reading { knowledge: Arc::clone(kb), mapping: before.map(mapping).transpose()?.flatten() };
    let read = record::read(&reading, std::slice::from_ref(upload), Purpose::Fleet).map_err(Problem::internal)?;
    let mut columns: Vec<Column> = Vec::new();
    let mut more_columns = false;
    for head in &read.heads {
        let member = member(&read, &upload.name, head.input);
        if columns.iter().any(|c| c.head == head.head && c.member == member) {
            continue;
        }
        if columns.len() >= COLUMNS {
            more_columns = true;
            break;
        }
        let old = before.and_then(|l| l.columns.iter().find(|c| c.head == head.head && c.member == member));
        columns.push(Column {
            head: head.head.clone(),
            shown: clean(&covered(None, &head.head, whole)).into_owned(),
            holds: head.holds.clone(),
            said: old.map(|c| c.said.clone()).unwrap_or_default(),
            file: clean(&covered(None, &member, whole)).into_owned(),
            member,
        });
    }
    let cover = |text: &str| clean(&covered(None, text, whole)).into_owned();
    let problems = located(&read).map(|p| FileProblem { what: cover(&p.what), ..p }).collect();
    Ok(Look {
        name: upload.name.clone(),
        format: format_of(&read),
        files: read.inputs.len() as u64,
        understood: read.inputs.iter().filter(|i| understood(i)).count() as u64,
        observations: read.inputs.iter().map(|i| i.observations).fold(0, u64::saturating_add),
        problem_count: read.problems.len() as u64,
        problems,
        known: before.is_some_and(|b| b.known),
        columns,
        more_columns,
        rows: rows(&read, &upload.name, whole),
    })
}

/// The member of an upload's archive that an input is: what stands behind `!` in its path.
fn member(read: &Observations, name: &str, input: u32) -> String {
    let path = read.inputs.get(input as usize).map_or("", |i| i.path.as_str());
    let inner = path.strip_prefix(name).and_then(|rest| rest.strip_prefix('!'));
    inner.or_else(|| path.split_once('!').map(|(_, inner)| inner)).unwrap_or_default().to_owned()
}

/// The first things, and where there are none the first parts.
fn rows(read: &Observations, name: &str, whole: bool) -> Vec<Row> {
    let text = |text: &str| clean(&umbilical_core::text::short(text, 200)).into_owned();
    let shown = |input| text(&covered(None, &member(read, name, input), whole));
    let mut out: Vec<Row> = Vec::new();
    for thing in read.things().take(ROWS) {
        let ids = thing.ids().map(|(_, kind, value)| (kind.name().to_owned(), text(&covered(Some(kind), value, whole))));
        let facts = thing.facts().map(|(_, fact, _)| (fact.kind.name().to_owned(), text(&covered(None, &fact.value, whole))));
        let mut says: Vec<(String, String)> = ids.chain(facts).collect();
        says.dedup();
        out.push(Row { member: shown(thing.input()), at: read.locate(thing.at()), says });
    }
    let parts = read.boms.iter().flat_map(|b| b.parts.iter().map(|p| (b.input, p))).take(ROWS.saturating_sub(out.len()));
    for (input, part) in parts {
        let designators = part.designators.iter().take(8).map(|d| d.to_string()).collect::<Vec<_>>().join(", ");
        let cells = [
            ("designators", Some(designators.as_str()).filter(|d| !d.is_empty())),
            ("value", part.value.as_deref()),
            ("mpn", part.mpn.as_deref()),
            ("manufacturer", part.manufacturer.as_deref()),
        ];
        let says = cells.into_iter().filter_map(|(name, cell)| Some((name.to_owned(), text(&covered(None, cell?, whole))))).collect();
        out.push(Row { member: shown(input), at: read.locate(part.at), says });
    }
    out
}

/// The uploads that wait.
#[derive(Default)]
pub struct Desk(Mutex<HashMap<String, Staged>>);

impl Desk {
    /// Puts an upload there; what the session had there before goes. `room` are the bytes that may wait together.
    ///
    /// # Errors
    /// Too many wait, or too much.
    pub fn put(&self, staged: Staged, room: u64) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, s| s.session != staged.session && staged.at.0.saturating_sub(s.at.0) < AGE);
        let bytes = all.values().map(|s| s.bytes).fold(staged.bytes, u64::saturating_add);
        if all.len() >= MOST || bytes > room {
            let full = "too much waits to be looked at: import it at once, or try again later";
            return Err(Problem { retry_after: Some(600), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, full) });
        }
        all.insert(staged.id.clone(), staged);
        Ok(())
    }

    /// Takes an upload away from there; `None` where it is not there, or another session's, or too old.
    pub fn take(&self, id: &str, session: &str, now: Time) -> Option<Staged> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, s| now.0.saturating_sub(s.at.0) < AGE);
        all.get(id).filter(|s| s.session == session)?;
        all.remove(id)
    }

    /// Shows an upload.
    pub fn show<T>(&self, id: &str, session: &str, now: Time, show: impl FnOnce(&Staged) -> T) -> Option<T> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).filter(|s| s.session == session && now.0.saturating_sub(s.at.0) < AGE).map(show)
    }

    /// Takes away what nobody came back to.
    pub fn sweep(&self, now: Time) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, s| now.0.saturating_sub(s.at.0) < AGE);
    }
}
