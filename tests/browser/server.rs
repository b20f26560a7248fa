//! The program's server on a home of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::folder::Folder;

/// A server that ends with its test.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// The path of the one-time link.
    pub(crate) link: String,
}

impl Server {
    /// Starts on an empty home, judging by a pack, so that pages have verdicts to show.
    pub(crate) fn start(folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umbilical"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--policy", "us-fcc-covered", "--market", "US"]);
        command.current_dir(folder.path()).env("UMBILICAL_HOME", folder.path().join("home")).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let base = lines.next().expect("it starts").strip_prefix("listening on ").unwrap().to_owned();
        let link = lines.nth(1).unwrap().trim().strip_prefix(&base).unwrap().to_owned();
        Self { child, base, link }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
