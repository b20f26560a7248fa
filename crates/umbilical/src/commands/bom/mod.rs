//! `bom …`: bills of materials. One file for each command, with its flags.

mod answer;
mod ask;
pub mod attest;
mod check;
mod common;
mod convert;
mod diff;
mod label;
mod verify;

pub use common::{Head, machine, public_keys};

use clap::Subcommand;

use crate::args::Global;
use crate::fail::Fail;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Bom {
    /// Find the modules that bills of materials declare or hide; a gate for CI
    #[command(after_help = check::EXAMPLES)]
    Check(check::Check),
    /// Convert a bill of materials of any dialect to CycloneDX, or to CSV with what is known beside it
    #[command(after_help = convert::EXAMPLES)]
    Convert(convert::Convert),
    /// Compare revisions: new and removed modules, other makers, alternates, origins; who supplied since when
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Diff),
    /// Declared against observed: substituted, undeclared, unseen modules, radios, sweeps, lots
    #[command(after_help = verify::EXAMPLES)]
    Verify(Box<verify::Verify>),
    /// Write the questionnaire to a supplier, as a workbook or JSON
    #[command(after_help = ask::EXAMPLES)]
    Ask(ask::Ask),
    /// Read suppliers' replies: what is disclosed, withheld, contradicted, and what to ask next
    #[command(after_help = answer::EXAMPLES)]
    Answer(answer::Answer),
    /// Sign statements about bills of materials, and verify them
    #[command(after_help = attest::EXAMPLES)]
    Attest(Box<attest::Attest>),
    /// Write the sourcing label of a product: a card to print, and the same for machines, signed
    #[command(after_help = label::EXAMPLES)]
    Label(label::Label),
}

/// Runs the command and gives the exit code.
pub fn run(global: &Global, command: &Bom) -> Result<u8, Fail> {
    match command {
        Bom::Check(args) => check::run(global, args),
        Bom::Convert(args) => convert::run(global, args),
        Bom::Diff(args) => diff::run(global, args),
        Bom::Verify(args) => verify::run(global, args),
        Bom::Ask(args) => ask::run(global, args),
        Bom::Answer(args) => answer::run(global, args),
        Bom::Attest(args) => attest::run(global, args),
        Bom::Label(args) => label::run(global, args),
    }
}

impl Bom {
    /// Whether it answers with a document that depends on its inputs, facts, rules and day alone.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Diff(_) | Self::Verify(_) | Self::Answer(_))
    }
}
