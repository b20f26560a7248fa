//! Where conversations go when they are over.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use umbilical_traffic::flow::{Flow, Why};
use umbilical_traffic::names::Words;

use super::keep::Keep;
use super::naming::Naming;
use super::rows::row;
use crate::args::Global;
use crate::fail::Fail;
use crate::home;

/// What is kept of a trace, or why it cannot be.
pub(super) type Kept = Result<Keep, String>;

/// Where conversations go when they are over.
pub(super) struct Ways {
    /// A file for each to read.
    flows: Option<Lines>,
    /// Whether it could be written.
    failed: io::Result<()>,
    pub(super) naming: Naming,
    /// The home.
    pub(super) keep: Option<Kept>,
}

/// Where what is watched is kept, unless nothing is to be.
fn keeping(global: &Global) -> Option<Kept> {
    let keep = || {
        let home = home::folder(global).and_then(|home| home::make(&home).map(|()| home)).map_err(|e| e.to_string())?;
        Keep::new(home).map_err(|e| format!("the lake cannot be written: {e}"))
    };
    (!global.no_save).then(keep)
}

/// A file of lines, or standard output.
pub(super) struct Lines {
    pub name: String,
    to: BufWriter<Box<dyn Write>>,
    /// Where it is, if it is to be written on and not anew.
    goes_on: Option<PathBuf>,
    line: Vec<u8>,
}

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

impl Lines {
    /// Opens it, apart from others that are written, each by its flag; `None`: the answer goes to standard output. What is listened to
    /// (`goes_on`) is written behind what is there.
    pub fn open(flag: &str, path: &Path, others: &[(&str, Option<&Path>)], goes_on: bool) -> Result<Self, Fail> {
        for (other, of) in others {
            apart((flag, path), (other, *of))?;
        }
        let piped = path.as_os_str() == "-";
        let name = if piped { "standard output".to_owned() } else { path.display().to_string() };
        let to: io::Result<Box<dyn Write>> = match (piped, goes_on) {
            (true, _) => Ok(Box::new(io::stdout())),
            (false, true) => behind(path),
            (false, false) => File::create(path).map(|file| Box::new(file) as _),
        };
        let to = to.map_err(|source| Fail::Output { to: name.clone(), source })?;
        Ok(Self::of(&name, to, (goes_on && !piped).then(|| path.to_owned())))
    }

    /// Written to whatever takes them, which may later be found where it goes on.
    pub fn of(name: &str, to: Box<dyn Write>, goes_on: Option<PathBuf>) -> Self {
        Self { name: name.to_owned(), to: BufWriter::with_capacity(BUFFER, to), goes_on, line: Vec::new() }
    }

    /// One more: all of it, or where that fails nothing of it, unless it is longer than what is written at once.
    pub fn write(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.to.write_all(&self.line)
    }

    /// Nothing of it waits any more.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// Goes on in the file that has its name now: the one so far may have been set aside. Whether that took everything; else its last
    /// line may be torn.
    pub fn again(&mut self) -> io::Result<bool> {
        let Some(path) = &self.goes_on else { return Ok(true) };
        let to = BufWriter::with_capacity(BUFFER, behind(path)?);
        let took = self.to.flush().is_ok();
        // Taken apart it does not try once more.
        let _ = std::mem::replace(&mut self.to, to).into_parts();
        Ok(took)
    }
}

fn behind(path: &Path) -> io::Result<Box<dyn Write>> {
    Ok(Box::new(OpenOptions::new().create(true).append(true).open(path)?))
}

/// Refuses lines that would go where the answer or others go.
fn apart((flag, lines): (&str, &Path), (other, of): (&str, Option<&Path>)) -> Result<(), Fail> {
    let Some(of) = of else {
        return match lines.as_os_str() == "-" {
            true => {
                let what = format!("{flag} - and the answer would both go to standard output");
                Err(Fail::usage(what, "write the answer to a file: --output FILE"))
            }
            false => Ok(()),
        };
    };
    // One of them need not be there yet: then it is where its folder is.
    let place = |path: &Path| {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
    };
    let special = lines.metadata().is_ok_and(|m| !m.is_file());
    if !special && (lines == of || place(lines).is_some_and(|p| place(of) == Some(p))) {
        let what = format!("{} cannot be both {flag} and {other}", lines.display());
        return Err(Fail::usage(what, "name another file for one of them"));
    }
    Ok(())
}

impl Ways {
    pub(super) fn open(global: &Global, flows: Option<&Path>, goes_on: bool) -> Result<Self, Fail> {
        let flows = flows.map(|path| Lines::open("--flows", path, &[("--output", global.output.as_deref())], goes_on));
        Ok(Self { flows: flows.transpose()?, failed: Ok(()), naming: Naming::default(), keep: keeping(global) })
    }

    /// Refuses what would be found out when everything was heard: a home that cannot be written.
    pub(super) fn lasts(&self, global: &Global) -> Result<(), Fail> {
        let Some(keep) = &self.keep else { return Ok(()) };
        let help = "give one that whoever captures may write (--home DIR), or keep nothing (--no-save)";
        if let Err(what) = keep {
            return Err(Fail::Home { what: format!("the home cannot be written: {what}"), help: Some(help.to_owned()) });
        }
        let store = home::folder(global)?.join(home::STORE);
        match OpenOptions::new().append(true).open(&store) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Fail::Home { what: format!("{} cannot be written: {error}", store.display()), help: Some(help.to_owned()) })
            }
            _ => Ok(()),
        }
    }

    /// Whether anybody wants them.
    pub(super) fn is_any(&self) -> bool {
        self.flows.is_some() || matches!(self.keep, Some(Ok(_)))
    }

    /// One that is over; `own`: numbers of its subscriber.
    pub(super) fn take(&mut self, flow: &Flow, why: Why, words: &Words, ids: &[String], own: &[String]) {
        let show = self.naming.show;
        let mut told = row(flow, why, (words, ids), &mut self.naming, own, show);
        if let (Some(to), Ok(())) = (&mut self.flows, &self.failed) {
            self.failed = to.write(&told);
        }
        let Some(Ok(keep)) = &mut self.keep else { return };
        if show {
            told = row(flow, why, (words, ids), &mut self.naming, own, false);
        }
        if let Err(error) = keep.flow(flow, &told) {
            self.keep = Some(Err(format!("the lake cannot be written: {error}")));
        }
    }

    /// Goes on in files that have taken the place of those that are written.
    pub(super) fn again(&mut self) {
        if let (Some(to), Ok(())) = (&mut self.flows, &self.failed) {
            let took = to.again();
            self.failed = took.and_then(|took| if took { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) });
        }
    }

    /// Nothing more comes for the file.
    pub(super) fn close(&mut self) -> Result<(), Fail> {
        if let (Ok(()), Some(to)) = (&self.failed, &mut self.flows) {
            self.failed = to.flush();
        }
        self.checked()
    }

    /// Whether the file took everything so far.
    pub(super) fn checked(&mut self) -> Result<(), Fail> {
        let to = self.flows.as_ref().map(|to| to.name.clone()).unwrap_or_default();
        std::mem::replace(&mut self.failed, Ok(())).map_err(|source| Fail::Output { to, source })
    }
}
