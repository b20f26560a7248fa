//! Where conversations go when they are over.

use std::fs::File;
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
    flows: Option<(PathBuf, BufWriter<File>)>,
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

impl Ways {
    pub(super) fn open(global: &Global, flows: Option<&Path>) -> Result<Self, Fail> {
        let flows = flows.map(|path| {
            let file = File::create(path).map_err(|source| Fail::Output { to: path.display().to_string(), source })?;
            Ok::<_, Fail>((path.to_path_buf(), BufWriter::with_capacity(1 << 16, file)))
        });
        Ok(Self { flows: flows.transpose()?, failed: Ok(()), naming: Naming::default(), keep: keeping(global) })
    }

    /// Whether anybody wants them.
    pub(super) fn is_any(&self) -> bool {
        self.flows.is_some() || matches!(self.keep, Some(Ok(_)))
    }

    /// One that is over; `own`: numbers of its subscriber.
    pub(super) fn take(&mut self, flow: &Flow, why: Why, words: &Words, ids: &[String], own: &[String]) {
        let show = self.naming.show;
        let mut told = row(flow, why, (words, ids), &mut self.naming, own, show);
        if let (Some((_, to)), Ok(())) = (&mut self.flows, &self.failed) {
            self.failed = serde_json::to_writer(&mut *to, &told).map_err(io::Error::from).and_then(|()| to.write_all(b"\n"));
        }
        let Some(Ok(keep)) = &mut self.keep else { return };
        if show {
            told = row(flow, why, (words, ids), &mut self.naming, own, false);
        }
        if let Err(error) = keep.flow(flow, &told) {
            self.keep = Some(Err(format!("the lake cannot be written: {error}")));
        }
    }

    /// Nothing more comes for the file.
    pub(super) fn close(&mut self) -> Result<(), Fail> {
        if let (Ok(()), Some((_, to))) = (&self.failed, &mut self.flows) {
            self.failed = to.flush();
        }
        self.checked()
    }

    /// Whether the file took everything so far.
    pub(super) fn checked(&mut self) -> Result<(), Fail> {
        let to = self.flows.as_ref().map(|(path, _)| path.display().to_string()).unwrap_or_default();
        std::mem::replace(&mut self.failed, Ok(())).map_err(|source| Fail::Output { to, source })
    }
}
