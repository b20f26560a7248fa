//! Bills of materials, judged: what each part is, whether a module is named, hidden or absent, who stands at each tier.
//!
//! A part is recognised by the value placed on the board, its maker's part number and its maker, and by nothing else:
//! names of files, sheets, libraries, symbols, footprints and nets lie in real designs. Descriptions and categories
//! may say that something is cellular; they never say which module it is.

mod complete;
mod device;
mod diff;
mod file;
mod kind;

mod project;
mod state;
mod subscribers;
mod tiers;

use std::sync::Arc;

use umbilical_core::answer::bom::{CHECK_SCHEMA, Check, FileAnswer, Project, Rest};
use umbilical_core::answer::{Said, Trace};
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;

use crate::owners::Owners;
pub(crate) use device::PLACED;
pub use device::as_devices;
pub use diff::{Dated, diff};
use file::{Judge, Names};
use kind::Typer;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// The day of the answer.
    pub as_of: Day,
    /// As built: only lines that hold for the piece with this serial number.
    pub serial: Option<String>,
    /// As built: only lines that hold on this day.
    pub built: Option<Day>,
    /// Numbers of cards and subscribers whole; otherwise their middle is covered.
    pub show_subscribers: bool,
}

impl Options {
    /// As designed, on a day: every line holds.
    pub fn on(as_of: Day) -> Self {
        Self { as_of, serial: None, built: None, show_subscribers: false }
    }
}

/// Every document and product, judged.
pub struct Judged {
    /// Each document, in the order of the inputs.
    pub files: Vec<FileAnswer>,
    /// Each product, sorted by path.
    pub projects: Vec<Project>,
    /// What could not be understood.
    pub problems: Vec<Said>,
    /// Every organisation that stands behind a part, by id.
    pub organisations: Vec<Trace>,
}

/// Judges every bill of materials that was read. The parts move into the answer.
pub fn check(mut all: Observations, kb: &Knowledge, options: &Options) -> Check {
    let none = all.boms.is_empty();
    let judged = judge(&mut all, kb, options);
    let mut problems: Vec<Said> =
        all.problems.iter().map(|p| Said { input: p.input, at: all.locate(p.at), what: p.what.clone() }).collect();
    problems.extend(judged.problems);
    if none {
        let what = "no bill of materials among the inputs: nothing was judged".to_owned();
        problems.push(Said { input: None, at: "file".into(), what });
    }
    let mut check = Check {
        schema: CHECK_SCHEMA,
        as_of: options.as_of.to_string(),
        knowledge: crate::trace::stamp(kb, options.as_of),
        inputs: all.inputs,
        problems,
        files: judged.files,
        projects: judged.projects,
        law: None,
        organisations: judged.organisations,
    };
    say_what_is_not_understood(&mut check);
    check
}

/// A product that looks clean says so where its documents were not understood whole.
fn say_what_is_not_understood(check: &mut Check) {
    let open: Vec<Option<usize>> = check.projects.iter().map(|p| check.is_open(p).then(|| check.not_understood(p))).collect();
    for (project, count) in check.projects.iter_mut().zip(open) {
        let Some(count) = count else { continue };
        let places = if count == 1 { "1 place was".to_owned() } else { format!("{count} places were") };
        project.because.push(format!("{places} not understood: a module may stand there"));
    }
}

/// Takes the bills out of the sink and judges them.
pub fn judge(all: &mut Observations, kb: &Knowledge, options: &Options) -> Judged {
    let boms = std::mem::take(&mut all.boms);
    let mut judge = Judge { kb, typer: Typer::new(kb), owners: Owners::new(kb, options.as_of), options };
    let mut sheets = Vec::with_capacity(boms.len());
    let mut files: Vec<FileAnswer> = Vec::with_capacity(boms.len());
    for mut bom in boms {
        let Some(input) = all.inputs.get(bom.input as usize) else { continue };
        sheets.push(std::mem::take(&mut bom.sheets));
        if !options.show_subscribers {
            let parts = bom.parts.iter_mut().map(|p| &mut p.properties);
            parts.chain([&mut bom.properties]).for_each(|p| subscribers::cover(p));
        }
        let names = Names { path: &input.path, format: &input.format, rest: Rest::of(&mut bom) };
        let mut file = judge.file(bom, names, &|at| all.locate(at));
        file.completeness = Some(complete::of(&file, kb.hbom_terms()));
        files.push(file);
    }
    let mut problems = Vec::new();
    let projects = project::projects(&mut files, &sheets, &mut problems);
    let mut organisations: Vec<Trace> = judge.owners.used().map(|t| Trace::clone(&t)).collect();
    organisations.sort_by(|a, b| a.org.cmp(&b.org));
    Judged { files, projects, problems, organisations }
}

/// Text that many answers share.
fn shared(text: &str) -> Arc<str> {
    Arc::from(text)
}
