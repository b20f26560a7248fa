//! `bom answer`: what suppliers replied, and what it is worth.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use umbilical_assess::suppliers::{self, Reply, answers};
use umbilical_core::answer::Said;
use umbilical_core::answer::suppliers::{Answers, Status};
use umbilical_core::observation::Input;
use umbilical_core::signed::sha256;
use umbilical_evidence::table::raw;
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, json};

use crate::args::{Format, Global};
use crate::commands::{facts, formats};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::{home, out};

/// Shown behind the help.
pub const EXAMPLES: &str = "Examples:
  umbilical bom answer reply.xlsx --asked questions.xlsx
  umbilical bom answer replies/*.xlsx replies/*.csv --asked asked/*.json --format csv
  umbilical bom answer reply.ods --fail-on contradicted-answer,silent-supplier";

/// `bom answer`.
#[derive(Args, Debug)]
pub struct Answer {
    /// Replies: XLSX, ODS, CSV, JSON
    #[arg(value_name = "REPLY", required_unless_present = "asked")]
    pub replies: Vec<PathBuf>,
    /// Questionnaires that were sent: who was asked about what and by when
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub asked: Vec<PathBuf>,
}

/// What a path was given as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum As {
    Asked,
    Reply,
}

/// Runs it.
pub fn run(global: &Global, args: &Answer) -> Result<u8, Fail> {
    formats(global, "bom answer", &[Format::Table, Format::Json, Format::Csv])?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let kb = facts(global)?;
    let mut paths: Vec<(&Path, As)> = args.asked.iter().map(|p| (p.as_path(), As::Asked)).collect();
    paths.extend(args.replies.iter().map(|p| (p.as_path(), As::Reply)));
    // Sorted and each once, so that the order of the arguments changes nothing.
    paths.sort_unstable();
    paths.dedup();
    let mut read = Documents::default();
    for (path, given_as) in paths {
        read.take(&kb, path, given_as)?;
    }
    if let Some(what) = &read.not_understood
        && (global.strict || read.replies.is_empty() && read.asked.is_empty())
    {
        return Err(if global.strict { Fail::Strict(what.clone()) } else { Fail::NothingReadable(what.clone()) });
    }
    let answer = answers(&kb, home::as_of(global), read.inputs, read.problems, read.replies, read.asked);
    let view = View { width: out::width(), color: out::colour(global), max_rows: usize::MAX };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &answer),
        Format::Csv => umbilical_report::suppliers::csv(w, &answer),
        _ => umbilical_report::suppliers::answers(w, &answer, &view),
    })?;
    Ok(gates.code(answer.suppliers.iter().flat_map(|s| &s.findings), seen(&answer)))
}

/// What is open: a supplier that does not know, and a tier that nobody names.
fn seen(answer: &Answers) -> Seen {
    let tiers = || answer.suppliers.iter().flat_map(|s| &s.tiers);
    Seen {
        unknown: tiers().any(|t| matches!(t.status, Status::Unknown | Status::Unanswered)),
        undisclosed: tiers()
            .any(|t| t.tier.name() == "module" && matches!(t.status, Status::Withheld | Status::Unknown | Status::Unanswered)),
    }
}

#[derive(Default)]
struct Documents {
    inputs: Vec<Input>,
    problems: Vec<Said>,
    replies: Vec<Reply>,
    asked: Vec<Reply>,
    /// The first that no reader took.
    not_understood: Option<String>,
}

impl Documents {
    /// Reads one document. Only a path that cannot be read fails here.
    fn take(&mut self, kb: &Knowledge, path: &Path, given_as: As) -> Result<(), Fail> {
        let bytes = bytes(path).map_err(|source| Fail::Input { path: path.to_path_buf(), source })?;
        let input = u32::try_from(self.inputs.len()).unwrap_or(u32::MAX);
        let shown = path.display().to_string();
        let mut entry = Input {
            path: shown.clone(),
            format: "unknown".into(),
            sha256: sha256(&bytes),
            observations: 0,
            bytes: bytes.len() as u64,
            mapping: Vec::new(),
        };
        let read = raw::sheets(&bytes).and_then(|raw| {
            entry.format = raw.format.into();
            let located = raw.problems.into_iter().map(|(at, what)| Said { input: Some(input), at, what });
            self.problems.extend(located);
            suppliers::read(kb, input, &shown, &raw.sheets)
        });
        match read {
            Ok(reply) => {
                let said = reply.lines.iter().filter(|l| l.status != Status::Unanswered).count().saturating_add(reply.parts.len());
                entry.observations = said as u64;
                if given_as == As::Asked { self.asked.push(reply) } else { self.replies.push(reply) }
            }
            Err(what) => {
                entry.format = "unknown".into();
                self.not_understood.get_or_insert(format!("{shown}: {what}"));
                self.problems.push(Said { input: Some(input), at: "file".into(), what });
            }
        }
        self.inputs.push(entry);
        Ok(())
    }
}

/// The bytes of a file, or of standard input for `-`; of one that is too large only so many that it is seen.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let limit = raw::MAX_BYTES as u64 + 1;
    let mut out = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut out)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut out)?;
    }
    Ok(out)
}
