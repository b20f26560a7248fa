//! One file for each command.

mod audit;
pub mod backup;
pub mod bom;
pub mod demo;
pub mod doctor;
mod explain;
pub mod export;
mod export_findings;
pub mod knowledge;
mod lookup;
pub mod pack;
pub mod policy;
pub mod report;
pub mod serve;
pub mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use umbilical_core::Observations;
use umbilical_evidence::table::Mapping;
use umbilical_evidence::{Purpose, open};
use umbilical_knowledge::{Knowledge, TacOrigin};

use crate::args::{Args, Command, Format, Global};
use crate::fail::Fail;
use crate::progress::Progress;
use crate::{bundle, home, out};

/// Runs the command and gives the exit code.
pub fn run(args: &Args) -> Result<u8, Fail> {
    let global = &args.global;
    let days = global.as_of.len();
    if days > 1 && !matches!(&args.command, Command::Policy(policy::Policy::Diff(_))) {
        return Err(Fail::usage(format!("--as-of is given {days} times"), "one day; only `policy diff` compares two"));
    }
    // A script that trusts a gate must not find an open door.
    if !global.fail_on.is_empty() && !is_gate(&args.command) {
        return Err(Fail::usage("this command is no gate: --fail-on has no place in it", "the help of a command names its exit codes"));
    }
    match &args.command {
        Command::Audit(audit) => audit::run(global, audit),
        Command::Explain(explain) => explain::run(global, explain),
        Command::Lookup(lookup) => lookup::run(global, lookup),
        Command::Bom(command) => bom::run(global, command),
        Command::Policy(command) => policy::run(global, command),
        Command::Report(args) => report::run(global, args),
        Command::Knowledge(command) => knowledge::run(global, command),
        Command::Doctor => doctor::run(global),
        Command::Export(args) if args.pack.pack => pack::export(global, &args.pack),
        Command::Export(args) => export::run(global, args.what.as_ref()),
        Command::Backup(args) => backup::backup(global, args),
        Command::Restore(args) => backup::restore(global, args),
        Command::Verify(args) => pack::verify(global, args),
        Command::Watch(args) => watch::run(global, args),
        Command::Serve(args) => serve::run(global, args),
        Command::Demo(args) => demo::run(global, args),
        Command::Completions { shell } => {
            out::answer(global, |w| {
                clap_complete::generate(*shell, &mut Args::command(), "umbilical", w);
                Ok(())
            })?;
            Ok(0)
        }
        Command::Man => {
            out::answer(global, |w| clap_mangen::Man::new(Args::command()).render(w))?;
            Ok(0)
        }
    }
}

/// Whether a command has a gate.
fn is_gate(command: &Command) -> bool {
    match command {
        Command::Audit(_) | Command::Bom(_) | Command::Doctor | Command::Verify(_) | Command::Watch(_) => true,
        Command::Policy(command) => command.is_gate(),
        _ => false,
    }
}

/// The facts: built in or from `--knowledge`, with the TAC tables that are at hand.
fn facts(global: &Global) -> Result<Knowledge, Fail> {
    let mut kb = match &global.knowledge {
        Some(dir) if !dir.is_dir() => {
            return Err(Fail::usage(format!("no folder {}", dir.display()), "--knowledge names a folder of tables"));
        }
        Some(dir) => Knowledge::with_dir(dir)?,
        None => match bundle::installed(global)? {
            Some(dir) => Knowledge::with_dir(&dir)?,
            None => Knowledge::embedded(),
        },
    };
    for path in home::osmocom_places(global) {
        if let Ok(text) = fs::read_to_string(&path) {
            kb.attach_tac(&text, TacOrigin::Osmocom, "Osmocom TAC database, CC-BY-SA 3.0")?;
            break;
        }
    }
    if let Ok(folder) = home::folder(global)
        && let Ok(text) = fs::read_to_string(folder.join(home::LICENSED_TAC))
    {
        kb.attach_tac(&text, TacOrigin::Licensed, "licensed TAC table of this home")?;
    }
    Ok(kb)
}

/// A document with its head.
fn headed<'a, T>(
    schema: &'static str,
    kb: &Knowledge,
    day: umbilical_core::Day,
    read: (&'a [umbilical_core::observation::Input], Vec<umbilical_core::answer::Said>),
    of: T,
) -> umbilical_core::answer::Headed<'a, T> {
    let (inputs, problems) = read;
    umbilical_core::answer::Headed {
        schema,
        as_of: day.to_string(),
        knowledge: umbilical_assess::trace::stamp(kb, day),
        inputs,
        problems,
        of,
    }
}

/// What to read and how.
#[derive(Clone, Copy)]
struct Reading<'a> {
    paths: &'a [PathBuf],
    map: Option<&'a Path>,
    threads: Option<usize>,
    purpose: Purpose,
    validate: bool,
}

impl<'a> Reading<'a> {
    /// Evidence of a fleet.
    fn fleet(paths: &'a [PathBuf], map: Option<&'a Path>) -> Self {
        Self { paths, map, threads: None, purpose: Purpose::Fleet, validate: false }
    }

    /// Bills of materials.
    fn bom(paths: &'a [PathBuf], map: Option<&'a Path>) -> Self {
        Self { purpose: Purpose::Bom, ..Self::fleet(paths, map) }
    }
}

/// Reads evidence. Fails when a named path is missing, when nothing at all was understood, or, with `--strict`,
/// when anything was not.
fn evidence(global: &Global, kb: &Knowledge, wanted: Reading<'_>) -> Result<Observations, Fail> {
    let Reading { paths, map, threads, purpose, validate } = wanted;
    if let Some(output) = &global.output {
        not_an_input(output, paths)?;
    }
    let mapping = map.map(mapping).transpose()?;
    let progress = Progress::new(global, || open::total_bytes(paths));
    let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let mut all = Observations::new();
    let options =
        open::Options { knowledge: kb, mapping: mapping.as_ref(), purpose, validate, threads, progress: &|bytes| progress.at(bytes) };
    let read = open::read_paths(paths, &options, &mut all);
    progress.done();
    read?;
    let first = all.inputs.iter().position(|i| !open::understood(i));
    if let Some(first) = first
        && (global.strict || !all.inputs.iter().any(open::understood))
    {
        let why = all.problems.iter().find(|p| p.input == u32::try_from(first).ok()).map(|p| p.what.clone()).unwrap_or_default();
        let path = all.inputs.get(first).map(|i| umbilical_core::text::clean(&i.path).into_owned()).unwrap_or_default();
        let what = format!("{path}: {why}");
        return Err(if all.inputs.iter().any(open::understood) { Fail::Strict(what) } else { Fail::NothingReadable(what) });
    }
    Ok(all)
}

fn mapping(path: &Path) -> Result<Mapping, Fail> {
    let text = fs::read_to_string(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
    Mapping::parse(&text).map_err(|e| Fail::usage(format!("{}: {e}", path.display()), "see the page on tables for the fields"))
}

/// Refuses to write over what is read.
fn not_an_input(written: &Path, read: &[PathBuf]) -> Result<(), Fail> {
    let Ok(place) = fs::canonicalize(written) else { return Ok(()) };
    match read.iter().find(|path| place.is_file() && fs::canonicalize(path).is_ok_and(|p| p == place)) {
        Some(path) => Err(Fail::usage(format!("{} would be written over what is read", path.display()), "name another file")),
        None => Ok(()),
    }
}

/// A server answers in pages: a flag that shapes one answer would be taken and change nothing.
fn only_serves(global: &Global, command: &str) -> Result<(), Fail> {
    let given = [
        (!global.as_of.is_empty(), "--as-of", "pages ask it themselves: add ?as_of=YYYY-MM-DD, or use the form on the page of rules"),
        (global.output.is_some(), "--output", "the log goes to standard error; reports and exports are downloaded from the pages"),
        (global.no_save, "--no-save", "what is uploaded is kept in its store; `umbilical demo` leaves nothing behind"),
        (global.show_subscribers, "--show-subscribers", "each person has the right to see them or not, under People"),
        (global.strict, "--strict", "each import says which inputs could not be read"),
    ];
    match given.into_iter().find(|(given, ..)| *given) {
        Some((_, flag, help)) => Err(Fail::usage(format!("`{command}` has no use for {flag}"), help)),
        None => Ok(()),
    }
}

/// Refuses a format that a command lacks, naming those it has.
fn formats(global: &Global, command: &str, has: &[Format]) -> Result<(), Fail> {
    if has.contains(&global.format) {
        return Ok(());
    }
    let names: Vec<&str> = has.iter().map(|f| f.name()).collect();
    Err(Fail::usage(format!("`{command}` has no format `{}`", global.format.name()), format!("it has: {}", names.join(", "))))
}
