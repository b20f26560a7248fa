//! `policy …`: law and house rules. One file for each command, with its flags.

mod bids;
mod check;
mod decide;
mod decisions;
pub mod diff;
mod list;
mod markets;
mod replay;
mod risk;
pub mod subjects;
mod test;
mod timeline;
mod why;

use clap::Subcommand;

use crate::args::Global;
use crate::fail::Fail;

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Policy {
    /// Judge evidence and bills of materials by packs of rules; a gate for CI and procurement
    #[command(after_help = check::EXAMPLES)]
    Check(check::Check),
    /// Show everything that one verdict stands on, and what would change it
    #[command(after_help = why::EXAMPLES)]
    Why(why::Why),
    /// Products against markets: each cell a cited rule, or "no rule found"
    #[command(after_help = markets::EXAMPLES)]
    Markets(markets::Markets),
    /// Bids in their order: the verdict first, then the weight of broken rules, then the price with surcharges
    #[command(after_help = bids::EXAMPLES)]
    Bids(bids::Bids),
    /// Risk on four axes that are never added up, with every term and every weight
    #[command(after_help = risk::EXAMPLES)]
    Risk(risk::Risk),
    /// The same evidence judged on two days, or by two sets of tables: which verdicts differ
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Diff),
    /// The packs that are shipped, their rules, and the facts that rules may ask
    #[command(after_help = list::EXAMPLES)]
    List(list::List),
    /// Run the cases of packs: your own, or those that are shipped
    #[command(after_help = test::EXAMPLES)]
    Test(test::Test),
    /// Dated events of each regime
    #[command(after_help = timeline::EXAMPLES)]
    Timeline(timeline::Timeline),
    /// Record what was decided upon an answer, and everything that the answer stood on
    #[command(after_help = decide::EXAMPLES)]
    Decide(decide::Decide),
    /// What was decided, by whom, when and on which facts; whether the log is whole
    #[command(after_help = decisions::EXAMPLES)]
    Decisions(decisions::Decisions),
    /// Answer again what a decision stood on, and compare the bytes
    #[command(after_help = replay::EXAMPLES)]
    Replay(replay::Replay),
}

/// Runs the command and gives the exit code.
pub fn run(global: &Global, command: &Policy) -> Result<u8, Fail> {
    match command {
        Policy::Check(args) => check::run(global, args),
        Policy::Why(args) => why::run(global, args),
        Policy::Markets(args) => markets::run(global, args),
        Policy::Bids(args) => bids::run(global, args),
        Policy::Risk(args) => risk::run(global, args),
        Policy::Diff(args) => diff::run(global, args),
        Policy::List(args) => list::run(global, args),
        Policy::Test(args) => test::run(global, args),
        Policy::Timeline(args) => timeline::run(global, args),
        Policy::Decide(args) => decide::run(global, args),
        Policy::Decisions(args) => decisions::run(global, args),
        Policy::Replay(args) => replay::run(global, args),
    }
}

impl Policy {
    /// Whether it has a gate.
    pub fn is_gate(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Diff(_) | Self::Markets(_) | Self::Bids(_))
    }

    /// Whether it answers with a document that depends on its inputs, facts, rules and day alone.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Check(_) | Self::Why(_) | Self::Markets(_) | Self::Diff(_) | Self::Risk(_) | Self::Bids(_))
    }
}
