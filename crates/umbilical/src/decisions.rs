//! The log of decisions in the home: read, verified, added to; and a recorded command run again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use clap::Parser as _;
use serde::Deserialize;
use umbilical_core::answer::Said;
use umbilical_core::answer::decisions::{Decision, Digest};
use umbilical_core::chain;
use umbilical_core::observation::Input;
use umbilical_core::signed::sha256;

use crate::args::{Args, Command, Format, Global};
use crate::commands;
use crate::fail::Fail;
use crate::home;
use crate::out::{self, Capture};
use crate::packs::PACK;

/// The log as it is.
#[derive(Default)]
pub struct Log {
    /// Oldest first.
    pub decisions: Vec<Decision>,
    /// Where it is broken.
    pub problems: Vec<Said>,
    /// Hash of the last line.
    pub head: Option<String>,
}

/// Reads the log. A home without one has an empty log; `head` is a hash that somebody noted.
pub fn read(global: &Global, noted: Option<&str>) -> Result<Log, Fail> {
    let folder = home::folder(global)?;
    let path = folder.join(home::DECISIONS);
    let text = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(Fail::Input { path, source }),
    };
    let head = fs::read_to_string(folder.join(home::DECISIONS_HEAD)).ok();
    let mut log = verify(&text, head.as_deref(), noted);
    let wrong = log.decisions.iter().filter_map(|d| {
        let path = answer(&folder, d.n);
        let what = match fs::read(&path) {
            Ok(bytes) if sha256(&bytes) == d.answer => return None,
            Ok(_) => format!("the answer kept in {} is not the one that was decided upon", path.display()),
            Err(e) => format!("the answer kept in {} cannot be read: {e}", path.display()),
        };
        Some(Said { input: None, at: format!("line {}", d.n), what })
    });
    log.problems.extend(wrong.collect::<Vec<_>>());
    Ok(log)
}

/// Holds every line to its hash, to the line before it and to its number, and the last line to the heads.
fn verify(text: &[u8], head: Option<&str>, noted: Option<&str>) -> Log {
    let mut log = Log::default();
    let mut hashes = BTreeSet::new();
    let problem = |n: usize, what: &str| Said { input: None, at: format!("line {n}"), what: what.to_owned() };
    let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|b| *b == b'\n').filter(|_| !text.is_empty());
    for (n, line) in (1usize..).zip(lines) {
        let read = std::str::from_utf8(line).map_err(|_| "the line is no text: it was changed");
        let sealed = read.and_then(|line| chain::open(line).map(|hash| (line, hash)));
        let (line, hash) = match sealed {
            Ok(sealed) => sealed,
            Err(what) => {
                log.problems.push(problem(n, what));
                log.head = None;
                continue;
            }
        };
        match serde_json::from_str::<Decision>(line) {
            Ok(decision) => {
                if decision.prev != log.head.as_deref().unwrap_or_default() || decision.n != n as u64 {
                    log.problems.push(problem(n, "the line does not follow the line before it: one is missing, was moved or was changed"));
                }
                log.decisions.push(decision);
            }
            Err(error) => log.problems.push(problem(n, &format!("not a decision: {error}"))),
        }
        log.head = Some(hash.to_owned());
        hashes.insert(hash.to_owned());
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        log.problems.push(Said { input: None, at: "end".into(), what: "the last line is not closed: it was cut".into() });
    }
    let end = |what: String| Said { input: None, at: "end".into(), what };
    let holds = |hash: &str, whose: &str| {
        let what = || end(format!("the log does not hold the line of {whose} ({hash}): its end was cut off, or it was written anew"));
        (!hashes.contains(hash)).then(what)
    };
    log.problems.extend(match head.map(str::trim).filter(|h| !h.is_empty()) {
        Some(head) => holds(head, home::DECISIONS_HEAD),
        None => (!text.is_empty()).then(|| end(format!("{} is missing", home::DECISIONS_HEAD))),
    });
    log.problems.extend(noted.and_then(|noted| holds(noted, "--head")));
    log
}

/// What a command answered.
pub struct Answered {
    /// The document.
    pub bytes: Vec<u8>,
    /// Exit code.
    pub exit: u8,
    /// What stands in its head.
    pub head: Head,
}

/// The members of a document that say what it stands on.
#[derive(Deserialize)]
pub struct Head {
    as_of: Days,
    knowledge: Known,
    #[serde(default)]
    packs: Vec<Pack>,
    law: Option<Law>,
    #[serde(default)]
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Days {
    One(String),
    Both(Vec<String>),
}

#[derive(Deserialize)]
struct Known {
    version: String,
    sources_to: String,
}

#[derive(Deserialize)]
struct Law {
    packs: Vec<Pack>,
}

#[derive(Deserialize)]
struct Pack {
    id: String,
    sha256: String,
}

impl Head {
    /// Packs of rules by their digests.
    pub fn packs(&self) -> Vec<Digest> {
        let packs = self.law.iter().flat_map(|l| &l.packs).chain(&self.packs);
        packs.map(|p| Digest { name: p.id.clone(), sha256: p.sha256.clone() }).collect()
    }

    /// What was read, by digests.
    pub fn inputs(&self) -> Vec<Digest> {
        self.inputs.iter().map(|i| Digest { name: i.path.clone(), sha256: i.sha256.clone() }).collect()
    }

    /// Version of the facts, and the newest day of their sources.
    pub fn knowledge(&self) -> (&str, &str) {
        (&self.knowledge.version, &self.knowledge.sources_to)
    }

    /// The day, or both days.
    fn days(&self) -> String {
        match &self.as_of {
            Days::One(day) => day.clone(),
            Days::Both(days) => days.join(" "),
        }
    }
}

/// Runs a command for its document, which is kept and not shown. `day` stands in for a day that it does not name.
pub fn run(global: &Global, command: &[String], day: Option<&str>) -> Result<(Answered, Global), Fail> {
    let said = command.join(" ");
    if command.iter().any(|c| c == "-") {
        return Err(Fail::usage("standard input cannot be read again when a decision is replayed", "name a file"));
    }
    let mut args = Args::try_parse_from(std::iter::once("umbilical").chain(command.iter().map(String::as_str))).map_err(|e| {
        Fail::usage(format!("`{said}` is no command: {}", e.kind()), "write it behind `--`, as in -- policy check bid.xlsx")
    })?;
    let answers = match &args.command {
        Command::Audit(_) => true,
        Command::Bom(bom) => bom.is_answer(),
        Command::Policy(policy) => policy.is_answer(),
        _ => false,
    };
    if !answers {
        return Err(Fail::usage(
            format!("`{said}` gives no answer to decide upon"),
            "audit, bom check, diff, verify and answer, policy check, why, markets, diff, risk and bids do",
        ));
    }
    let capture = Capture::default();
    let inner = &mut args.global;
    inner.home = inner.home.take().or_else(|| global.home.clone());
    (inner.format, inner.output, inner.no_save, inner.quiet) = (Format::Json, None, true, true);
    inner.capture = Some(capture.clone());
    if let (Some(day), true) = (day.and_then(|d| d.parse().ok()), inner.as_of.is_empty()) {
        inner.as_of = vec![day];
    }
    let exit = commands::run(&args)?;
    let bytes = capture.take();
    let head = serde_json::from_slice(&bytes)
        .map_err(|e| Fail::Home { what: format!("the answer of `{said}` is no document: {e}"), help: None })?;
    Ok((Answered { bytes, exit, head }, args.global))
}

/// Files that a command names beside its inputs, and the waivers of the home, by their digests.
pub fn files(global: &Global, command: &[String], inputs: &[Digest]) -> Result<Vec<Digest>, Fail> {
    let read: BTreeSet<&str> = inputs.iter().map(|d| d.name.as_str()).collect();
    let mut named: BTreeSet<PathBuf> = command.iter().map(|c| c.split_once('=').map_or(c.as_str(), |(_, v)| v).into()).collect();
    named.extend(command.iter().map(PathBuf::from));
    named.extend(command.iter().map(|c| Path::new(c).join(PACK)));
    named.extend(home::folder(global).ok().map(|h| h.join(home::WAIVERS)));
    let mut out = Vec::new();
    for path in named {
        let name = path.display().to_string();
        if path.is_file() && !read.contains(&*name) {
            let bytes = fs::read(&path).map_err(|source| Fail::Input { path: path.clone(), source })?;
            out.push(Digest { name, sha256: sha256(&bytes) });
        }
    }
    Ok(out)
}

/// Records a decision upon an answer. Gives its number and the hash of its line.
pub fn record(global: &Global, by: &str, decision: &str, command: &[String]) -> Result<(Decision, String), Fail> {
    let (answered, inner) = run(global, command, None)?;
    let folder = home::folder(global)?;
    home::make(&folder)?;
    let path = folder.join(home::DECISIONS);
    let fail = |source| Fail::Output { to: path.display().to_string(), source };
    let mut options = File::options();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).map_err(fail)?;
    // Two people who decide at once write one behind the other.
    file.lock().map_err(fail)?;
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut text)).map_err(fail)?;
    let head = fs::read_to_string(folder.join(home::DECISIONS_HEAD)).ok();
    let log = verify(&text, head.as_deref(), None);
    if let Some(broken) = log.problems.first() {
        return Err(Fail::Home {
            what: format!("the log of decisions {} is broken at {}: {}", path.display(), broken.at, broken.what),
            help: Some("`umbilical policy decisions --verify` shows all of it; keep the file and begin a new log beside it".into()),
        });
    }
    let inputs = answered.head.inputs();
    let (version, sources_to) = answered.head.knowledge();
    let n = (log.decisions.len() as u64).saturating_add(1);
    let decision = Decision {
        prev: log.head.unwrap_or_default(),
        n,
        at: home::time(),
        by: by.to_owned(),
        decision: decision.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        command: command.to_vec(),
        folder: std::env::current_dir().map(|d| d.display().to_string()).unwrap_or_default(),
        as_of: answered.head.days(),
        knowledge: version.to_owned(),
        sources_to: sources_to.to_owned(),
        packs: answered.head.packs(),
        files: files(&inner, command, &inputs)?,
        inputs,
        exit: answered.exit,
        answer: sha256(&answered.bytes),
    };
    let object = serde_json::to_string(&decision).unwrap_or_default();
    let (line, hash) = chain::seal(&object).ok_or_else(|| fail(io::ErrorKind::InvalidData.into()))?;
    home::make(&folder.join(home::DECIDED))?;
    // The answer stands before the line that speaks of it, the head after.
    out::private(&answer(&folder, n), |w| w.write_all(&answered.bytes))?;
    file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
    out::private(&folder.join(home::DECISIONS_HEAD), |w| writeln!(w, "{hash}"))?;
    Ok((decision, hash))
}

/// The answer that was decided upon.
pub fn answer(folder: &Path, n: u64) -> PathBuf {
    folder.join(home::DECIDED).join(format!("{n}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of three decisions, and its head.
    fn log() -> (String, String) {
        let (mut text, mut prev) = (String::new(), String::new());
        for n in 1..=3u64 {
            let object = serde_json::json!({
                "prev": prev, "n": n, "at": "2026-06-30T10:00:00Z", "by": "A", "decision": "take it", "program": "1",
                "command": ["audit", "x"], "folder": "/", "as_of": "2026-06-30", "knowledge": "k", "sources_to": "2026-06-01",
                "packs": [], "inputs": [], "files": [], "exit": 0, "answer": ""
            });
            let (line, hash) = chain::seal(&object.to_string()).unwrap();
            text.push_str(&line);
            text.push('\n');
            prev = hash;
        }
        (text, prev)
    }

    #[test]
    fn a_whole_log_is_whole_and_an_older_head_is_held() {
        let (text, head) = log();
        let first = chain::open(text.lines().next().unwrap()).unwrap();
        let log = verify(text.as_bytes(), Some(&head), Some(first));
        assert!(log.problems.is_empty(), "{:?}", log.problems);
        assert_eq!((log.decisions.len(), log.head.as_deref()), (3, Some(&*head)));
        assert!(verify(b"", None, None).problems.is_empty());
    }

    #[test]
    fn a_flipped_bit_a_missing_line_and_another_order_show() {
        let (text, head) = log();
        let broken = |text: &[u8]| !verify(text, Some(&head), None).problems.is_empty();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << (at % 8);
            assert!(broken(&bytes), "byte {at}");
        }
        for cut in 0..text.len() {
            assert!(broken(&text.as_bytes()[..cut]), "cut at {cut}");
        }
        let lines: Vec<&str> = text.lines().collect();
        for order in [vec![0, 2, 1], vec![1, 0, 2], vec![0, 2], vec![1, 2], vec![0, 0, 1, 2]] {
            let other: String = order.iter().map(|i| format!("{}\n", lines[*i])).collect();
            assert!(broken(other.as_bytes()), "{order:?}");
        }
    }

    #[test]
    fn a_log_written_anew_is_whole_by_itself_but_not_to_a_noted_head() {
        let (text, head) = log();
        let (other, other_head) = {
            let object = text.lines().next().unwrap().replace("take it", "leave it");
            let body = object.rsplit_once(",\"hash\"").unwrap().0;
            chain::seal(&format!("{body}}}")).unwrap()
        };
        let other = format!("{other}\n");
        assert!(verify(other.as_bytes(), Some(&other_head), None).problems.is_empty());
        assert!(!verify(other.as_bytes(), Some(&other_head), Some(&head)).problems.is_empty());
    }
}
