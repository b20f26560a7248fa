//! What stops a command: the user's world, with its exit code. Bugs are panics (exit 5).

use std::io;
use std::path::PathBuf;

/// A reason to stop. Messages are lower-case fragments that fit behind `umbilical: `.
#[derive(Debug, thiserror::Error)]
pub enum Fail {
    /// A flag's value makes no sense.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        help: Option<String>,
    },
    /// A path that was named does not exist or cannot be read.
    #[error("cannot read {path}: {source}")]
    Input {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A path that was named does not exist.
    #[error("cannot read {0}")]
    Open(#[from] umbilical_evidence::open::OpenError),
    /// Nothing that was named could be read.
    #[error("nothing readable: {0}")]
    NothingReadable(String),
    /// Something could not be read, and `--strict` asks for everything.
    #[error("not understood: {0}")]
    Strict(String),
    /// The answer could not be written.
    #[error("cannot write {to}: {source}")]
    Output {
        /// Where to.
        to: String,
        /// Why.
        source: io::Error,
    },
    /// A table of facts is broken.
    #[error("failed to load knowledge: {0}")]
    Knowledge(#[from] umbilical_knowledge::TableError),
    /// A pack of rules, its cases, assets or waivers are broken; the message has lines of its own.
    #[error("{0}")]
    Policy(#[from] umbilical_knowledge::policy::PolicyError),
    /// A signature or a proof does not hold.
    #[error("{what}")]
    Proof {
        /// What does not hold.
        what: String,
        /// What to do.
        help: Option<String>,
    },
    /// What was saved in the home cannot be used.
    #[error("{what}")]
    Home {
        /// What is wrong.
        what: String,
        /// What to do.
        help: Option<String>,
    },
}

impl Fail {
    /// A mistake in the flags.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), help: Some(help.into()) }
    }

    /// The exit code: 4 where a proof fails, else 2 (bad flags, missing path, nothing readable).
    pub fn code(&self) -> u8 {
        if matches!(self, Self::Proof { .. }) { 4 } else { 2 }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Usage { help, .. } | Self::Home { help, .. } | Self::Proof { help, .. } => help.as_deref(),
            Self::Input { .. } | Self::Open(_) => Some("check the path; `-` reads standard input"),
            Self::Strict(_) => Some("without --strict it is listed as a problem and the rest is answered"),
            Self::NothingReadable(_) => Some("see the help of the command for what can be read"),
            _ => None,
        }
    }

    /// Whether the reader of our output has gone away: that ends a command quietly.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
