//! What is given beside captures (`--sessions`, `--ip-db`, `--indicators`, `--expect`, `--sms`): read before anything else, and again while
//! something is listened to.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use umbilical_core::Observations;
use umbilical_core::observation::{At, Input};
use umbilical_core::text::clean;
use umbilical_evidence::Source;
use umbilical_evidence::table::Understood;
use umbilical_traffic::cellular::sessions::Declared;
use umbilical_traffic::lists::{Expected, Indicators, Messages};
use umbilical_traffic::places::Places;

use super::{Trace, declared, lists, messages, naming};
use crate::fail::Fail;

/// A table that was read: what it is, and what is wrong with it, each with its place.
pub(super) struct Table {
    pub input: Input,
    pub problems: Vec<(String, String)>,
}

/// Reads a table that an operator keeps. `read` gives how many rows there were and how columns were understood, `None` where no row is one of
/// heads: then it is said which are needed, and how they may be called.
pub(super) fn table(
    path: &Path,
    format: &str,
    (needed, example): (&str, &str),
    read: impl FnOnce(&mut Source<'_>, &mut Observations) -> io::Result<Option<(u64, Understood)>>,
) -> Result<Table, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    let file: Box<dyn io::Read> =
        if path.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(path).map_err(fail)?) };
    let mut source = Source::new(file).map_err(fail)?;
    let mut all = Observations::new();
    // The digest is known behind the last row.
    all.begin_input(&clean(&path.display().to_string()), format, String::new(), 0);
    let Some((rows, mapping)) = read(&mut source, &mut all).map_err(fail)? else {
        let what = format!("{}: no heads of a table of {needed}", path.display());
        return Err(Fail::usage(what, format!("name the columns, for example: {example}")));
    };
    if let Some(line) = source.broken() {
        all.problem(At::line(line), "the text is not in one encoding from here on: such lines are read as windows-1252");
    }
    let (sha256, bytes) = source.finish().map_err(fail)?;
    let told = std::mem::take(&mut all.problems);
    let problems = told.into_iter().map(|p| (all.locate(p.at), p.what)).collect();
    let begun = all.inputs.pop();
    let path = begun.map(|input| input.path).unwrap_or_default();
    Ok(Table { input: Input { path, format: format.to_owned(), sha256, observations: rows, bytes, mapping }, problems })
}

/// The tables of a trace.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// Who had which address when.
    pub sessions: Vec<PathBuf>,
    /// Where addresses are.
    pub databases: Vec<PathBuf>,
    /// What others have listed.
    pub indicators: Vec<PathBuf>,
    /// What is expected here.
    pub expected: Vec<PathBuf>,
    /// Short messages on record.
    pub messages: Vec<PathBuf>,
}

/// Tables of one kind and what they hold together, or why they cannot be read; `None`: there are none.
type Kind<T> = Option<Result<(Vec<Table>, T), String>>;

/// Tables that were read again, apart from the trace: reading takes its time, and packets come meanwhile.
pub(super) struct Again {
    /// The rows of each.
    sessions: Kind<Vec<Vec<Declared>>>,
    databases: Kind<Places>,
    indicators: Kind<Indicators>,
    expected: Kind<Expected>,
    messages: Kind<Messages>,
}

fn kind<T: Default>(paths: &[PathBuf], read: impl Fn(&Path, &mut T) -> Result<Table, Fail>) -> Kind<T> {
    let mut all = T::default();
    let tables: Result<Vec<_>, Fail> = paths.iter().map(|path| read(path, &mut all)).collect();
    (!paths.is_empty()).then(|| tables.map(|tables| (tables, all)).map_err(|e| e.to_string()))
}

/// The rows of a table. One of which nothing can be read says less than what it would take the place of.
fn rows(path: &Path, all: &mut Vec<Vec<Declared>>) -> Result<Table, Fail> {
    let fail = |what: String| Fail::Usage { what, help: None };
    if path.as_os_str() == "-" {
        return Err(fail("--sessions -: standard input cannot be read again".to_owned()));
    }
    let mut rows = Vec::new();
    let table = declared::read(path, &mut |row| rows.push(row))?;
    match table.problems.first() {
        Some((at, what)) if rows.is_empty() => Err(fail(format!("{}: {at}: {what}", path.display()))),
        _ => {
            all.push(rows);
            Ok(table)
        }
    }
}

/// The messages of a table. One of which none can be read says less than what it would take the place of.
fn sms(path: &Path, all: &mut Messages) -> Result<Table, Fail> {
    let fail = |what: String| Fail::Usage { what, help: None };
    if path.as_os_str() == "-" {
        return Err(fail("--sms -: standard input cannot be read again".to_owned()));
    }
    let table = messages::read(path, all)?;
    match table.problems.first() {
        Some((at, what)) if table.input.observations == 0 => Err(fail(format!("{}: {at}: {what}", path.display()))),
        _ => Ok(table),
    }
}

impl Tables {
    /// Standard input is one, and cannot be two of these or a source as well.
    pub fn one_standard_input(&self, sources: &[PathBuf]) -> Result<(), Fail> {
        let named = sources.iter().chain(&self.sessions).chain(&self.messages).filter(|path| path.as_os_str() == "-");
        match named.count() {
            0 | 1 => Ok(()),
            _ => Err(Fail::usage("`-` is named twice: standard input can be read once", "write one of them to a file first")),
        }
    }

    pub fn again(&self) -> Again {
        Again {
            sessions: kind(&self.sessions, rows),
            databases: kind(&self.databases, naming::database),
            indicators: kind(&self.indicators, lists::indicators),
            expected: kind(&self.expected, lists::expected),
            messages: kind(&self.messages, sms),
        }
    }
}

impl Trace {
    /// Reads the tables for the first time.
    pub(super) fn tables(&mut self, tables: &Tables) -> Result<(), Fail> {
        for path in &tables.databases {
            let table = naming::database(path, &mut self.ways.naming.places)?;
            self.table(table);
        }
        for path in &tables.indicators {
            let table = lists::indicators(path, &mut self.detect.given(&self.watch.words).indicators)?;
            self.table(table);
        }
        for path in &tables.expected {
            let table = lists::expected(path, &mut self.detect.given(&self.watch.words).expected)?;
            self.table(table);
        }
        for path in &tables.messages {
            let table = messages::read(path, &mut self.detect.given(&self.watch.words).messages)?;
            self.table(table);
        }
        for path in &tables.sessions {
            let sessions = &mut self.watch.sessions;
            let table = declared::read(path, &mut |row| {
                sessions.declare(row);
            })?;
            self.declares(table);
        }
        Ok(())
    }

    /// Takes the place of tables that were read before: all of a kind together, or none of them.
    pub(super) fn retake(&mut self, again: Again, quiet: bool) {
        if let Some((tables, places)) = self.anew(again.databases, ("--ip-db", naming::FORMAT), quiet) {
            self.ways.naming.places = places;
            self.list(tables);
        }
        if let Some((tables, indicators)) = self.anew(again.indicators, ("--indicators", lists::FORMATS[0]), quiet) {
            let given = self.detect.given(&self.watch.words);
            (given.indicators, given.read) = (indicators, given.read.wrapping_add(1));
            self.list(tables);
        }
        if let Some((tables, expected)) = self.anew(again.expected, ("--expect", lists::FORMATS[1]), quiet) {
            self.detect.given(&self.watch.words).expected = expected;
            self.list(tables);
        }
        if let Some((tables, messages)) = self.anew(again.messages, ("--sms", messages::FORMAT), quiet) {
            self.detect.given(&self.watch.words).messages = messages;
            self.list(tables);
        }
        if let Some((tables, rows)) = self.anew(again.sessions, ("--sessions", declared::FORMAT), quiet) {
            self.watch.sessions.rewrite();
            for (table, rows) in tables.into_iter().zip(rows) {
                for row in rows {
                    self.watch.sessions.declare(row);
                }
                self.declares(table);
            }
            self.watch.sessions.rewritten();
        }
    }

    /// What takes the place of what was read before; `None` where that stays, which is said.
    fn anew<T>(&mut self, again: Kind<T>, (flag, format): (&str, &str), quiet: bool) -> Option<(Vec<Table>, T)> {
        let (tables, all) = match again? {
            Ok(read) => read,
            Err(why) => {
                let what = format!("{why}; what was read before still counts");
                say(&what);
                let last = self.all.inputs.iter().rposition(|i| i.format == format);
                if let Some(input) = last.and_then(|n| u32::try_from(n).ok()) {
                    self.problem(input, "file", format!("when it was to be read again: {what}"));
                }
                return None;
            }
        };
        let same = |table: &Table| {
            let of = &table.input;
            let last = self.all.inputs.iter().rev().find(|i| i.path == of.path && i.format == of.format);
            last.is_some_and(|last| last.sha256 == of.sha256)
        };
        if tables.iter().all(same) {
            if !quiet {
                say(&format!("read again: {flag} holds what it held before"));
            }
            return None;
        }
        for Table { input: Input { path, observations, .. }, problems } in &tables {
            for (at, what) in problems {
                say(&format!("{path}: {at}: {what}"));
            }
            if !quiet {
                say(&match observations {
                    0 => format!("read again: {path}"),
                    n => format!("read again: {path}, {n} rows"),
                });
            }
        }
        Some((tables, all))
    }

    /// Lists a table of sessions, and ties those to it that were begun since.
    fn declares(&mut self, table: Table) {
        let input = self.table(table);
        self.homes.resize(self.watch.sessions.iter().count(), input);
    }

    fn list(&mut self, tables: Vec<Table>) {
        for table in tables {
            self.table(table);
        }
    }

    fn table(&mut self, table: Table) -> u32 {
        let Input { path, format, sha256, bytes, observations, mapping } = table.input;
        let input = self.all.begin_input(&path, &format, sha256, bytes);
        if let Some(of) = self.all.inputs.last_mut() {
            (of.observations, of.mapping) = (observations, mapping);
        }
        table.problems.into_iter().for_each(|(at, what)| self.problem(input, &at, what));
        input
    }
}

/// A line on standard error, which may be gone when something runs for long.
pub(super) fn say(what: &str) {
    let _ = writeln!(io::stderr(), "umbilical: {}", clean(what));
}
