//! `umbilical`: the commands, their flags and exit codes. Everything it knows it asks the other rooms.

mod args;
mod bundle;
mod commands;
mod decisions;
mod fail;
mod gate;
mod home;
mod law;
mod out;
mod packs;
mod progress;
mod recorded;
mod saved;
mod stored;

use std::process::ExitCode;

use clap::Parser as _;
use umbilical_core::text::clean;

use crate::args::Args;
use crate::fail::Fail;

/// A server that has read a large import gives the memory back to the system; the C library's allocator keeps hundreds of
/// megabytes (measured: docs/commands/serve.md).
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A panic is a bug (exit 5): say so, and what to do.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("umbilical: internal error: {info}\nThis is a bug: please report it with the command and, if you can, the input.")
    }));
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers; anything else is a mistake in the flags.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match std::panic::catch_unwind(|| commands::run(&args)) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(problem)) if problem.is_closed_pipe() => ExitCode::SUCCESS,
        Ok(Err(problem)) => {
            // Paths and words in it come from outside.
            eprintln!("umbilical: {}", shown(&problem));
            if let Some(help) = problem.help() {
                eprintln!("  {}", clean(help));
            }
            ExitCode::from(problem.code())
        }
        Err(_) => ExitCode::from(5),
    }
}

/// A message, safe to print: in one line, but for what shows a place in a text below it.
fn shown(problem: &Fail) -> String {
    let message = problem.to_string();
    match problem {
        Fail::Policy(_) => message.lines().map(clean).collect::<Vec<_>>().join("\n"),
        _ => clean(&message).into_owned(),
    }
}
