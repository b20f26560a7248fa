//! `serve` through the real binary: what it prints, what it refuses, how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use super::{Folder, command, run};

/// A server that is ended when the test is.
pub(crate) struct Serving {
    child: Child,
    lines: Vec<String>,
}

impl Serving {
    pub(crate) fn start(folder: &Folder, more: &[&str]) -> Self {
        let mut command: Command = command(folder);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = Vec::new();
        for _ in 0..3 {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            lines.push(line.trim().to_owned());
            if lines.len() == 1 && line.is_empty() {
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("it did not start: {said}");
            }
        }
        Self { child, lines }
    }

    fn address(&self) -> &str {
        self.lines[0].strip_prefix("listening on http://").unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address()).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        heard
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_prints_a_link_that_opens_and_ends_when_asked() {
    let folder = Folder::new();
    let mut serving = Serving::start(&folder, &["--log", "json"]);
    let link = serving.lines[2].clone();
    let path = link.strip_prefix(&format!("http://{}", serving.address())).unwrap();
    assert!(serving.get(path).starts_with("HTTP/1.1 200"), "the link opens");
    assert!(serving.get("/api/v1/health").ends_with("{\"status\":\"ok\"}"));
    assert!(serving.get("/api/v1/devices").starts_with("HTTP/1.1 401"));
    let ended = Command::new("kill").args(["-TERM", &serving.child.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert!(serving.child.wait().unwrap().success());
    let mut log = String::new();
    serving.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(log.contains("/set-up/{secret}") && !log.contains(path.rsplit('/').next().unwrap()), "no secret in the log: {log}");
    // Nobody signed in: the next start prints another link, and the first is worth nothing.
    let serving = Serving::start(&folder, &["--log", "off"]);
    assert_ne!(serving.lines[2], link);
    assert!(serving.get(path).starts_with("HTTP/1.1 404"));
}

#[test]
fn it_refuses_what_would_send_passwords_in_clear() {
    let folder = Folder::new();
    let ran = run(&folder, ["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("unencrypted") && ran.err.contains("--tls-cert"), "{}", ran.err);
    let ran = run(&folder, ["serve", "--host", "https://fleet.example"]);
    assert!(ran.code == 2 && ran.err.contains("a name or address alone"), "{}", ran.err);
    let ran = run(&folder, ["serve", "--tls-cert", "x.pem"]);
    assert_eq!(ran.code, 2);
    let ran = run(&folder, ["serve", "--listen", "127.0.0.1:0", "--tls-cert", "no.pem", "--tls-key", "no.key"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no.pem"), "{}", ran.err);
    let ran = run(&folder, ["serve", "--database", "/nowhere/at/all.db"]);
    assert_eq!(ran.code, 2);
    let ran = run(&folder, ["serve", "--format", "json"]);
    assert_eq!(ran.code, 2);
}

/// A flag that would be taken and change nothing is a mistake that somebody finds out much later.
#[test]
fn it_refuses_flags_that_shape_one_answer() {
    let folder = Folder::new();
    let flags = [&["--as-of", "2026-11-22"][..], &["-o", "x"], &["--no-save"], &["--show-subscribers"], &["--strict"]];
    for command in ["serve", "demo"] {
        for flag in flags {
            let ran = run(&folder, [&[command, "--listen", "127.0.0.1:0"], flag].concat());
            assert_eq!(ran.code, 2, "{command} {flag:?}");
            assert!(ran.err.contains("has no use for --"), "{}", ran.err);
        }
    }
}

#[test]
fn it_refuses_flags_that_nobody_means() {
    let folder = Folder::new();
    for (flags, said) in [
        (&["--upload-limit", "0"][..], "0 is not in 1.."),
        (&["--public-url", "ftp://x"], "--public-url ftp://x: this is no address of a server"),
        (&["--public-url", "fleet.example"], "no address of a server"),
        (&["--public-url", "https://fleet.example/a/path"], "no address of a server"),
        (&["--public-url", "https://ana@fleet.example"], "no address of a server"),
        (&["--allow-sink", "everywhere"], "write an address or a block of them"),
    ] {
        let ran = run(&folder, [&["serve", "--listen", "127.0.0.1:0"], flags].concat());
        assert_eq!(ran.code, 2, "{flags:?}");
        assert!(ran.err.contains(said), "{flags:?}: {}", ran.err);
    }
}

#[test]
fn a_way_to_everywhere_is_opened_with_a_warning() {
    let folder = Folder::new();
    for (block, warns) in [("0.0.0.0/0", true), ("127.0.0.1", false)] {
        let mut serving = Serving::start(&folder, &["--allow-sink", block, "--public-url", "https://fleet.example/"]);
        serving.child.kill().unwrap();
        let mut said = String::new();
        serving.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said.contains(&format!("--allow-sink {block} holds addresses where clouds keep their metadata")), warns, "{said}");
    }
}

#[test]
fn a_database_that_says_nothing_is_given_up() {
    let folder = Folder::new();
    // It takes the connection, and no word comes.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/none", listener.local_addr().unwrap());
    let begin = std::time::Instant::now();
    let ran = run(&folder, ["serve", "--listen", "127.0.0.1:0", "--database", &url]);
    assert!(ran.code == 2 && ran.err.contains("does not answer") && ran.err.contains("within 15 s"), "{}", ran.err);
    drop(listener);
    // Nobody is there at all.
    let ran = run(&folder, ["serve", "--listen", "127.0.0.1:0", "--database", &url]);
    assert!(ran.code == 2 && ran.err.contains("does not answer"), "{}", ran.err);
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn what_is_no_backup_is_named_and_makes_no_home() {
    let folder = Folder::new();
    folder.write("notes.txt", "nothing of ours");
    let ran = run(&folder, ["restore", "notes.txt", "--home", "new"]);
    assert!(ran.code == 2 && ran.err.contains("notes.txt is no backup that can be restored"), "{}", ran.err);
    assert!(!folder.path().join("new").exists());
}
