//! The program's server on a home of its own.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::folder::Folder;

/// A server that ends with its test.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub(crate) base: String,
    /// The path of the one-time link; of a demonstration, of the way in.
    pub(crate) link: String,
    /// When the program was started.
    pub(crate) begun: Instant,
    /// Its home; `None` for a demonstration, which has one of its own.
    home: Option<PathBuf>,
}

impl Server {
    /// Starts on an empty home, judging by a pack, so that pages have verdicts to show.
    pub(crate) fn start(folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umbilical"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "off", "--policy", "us-fcc-covered", "--market", "US"]);
        command.current_dir(folder.path()).env("UMBILICAL_HOME", folder.path().join("home")).stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let base = lines.next().expect("it starts").strip_prefix("listening on ").unwrap().to_owned();
        let link = lines.nth(1).unwrap().trim().strip_prefix(&base).unwrap().to_owned();
        Self { child, base, link, begun, home: Some(folder.path().join("home")) }
    }

    /// Starts a demonstration.
    pub(crate) fn demo(folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_umbilical"));
        command.args(["demo", "--listen", "127.0.0.1:0"]).current_dir(folder.path()).stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.env("UMBILICAL_HOME", folder.path().join("home")).env("TMPDIR", folder.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let whole = lines.nth(1).expect("it starts").trim().to_owned();
        let slash = whole.find("/demo/").unwrap();
        Self { child, base: whole[..slash].to_owned(), link: whole[slash..].to_owned(), begun, home: None }
    }

    /// Watches the morning at the packet gateway of an example, into its home.
    pub(crate) fn watch(&self) {
        let Some(home) = &self.home else { return };
        let mut command = Command::new(env!("CARGO_BIN_EXE_umbilical"));
        command.env("UMBILICAL_HOME", home).args(["watch", "--quiet"]).arg(crate::example("traffic/gateway.pcap"));
        assert!(command.stdout(Stdio::null()).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
