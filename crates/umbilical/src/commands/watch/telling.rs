//! Findings as they are made: what is listened to may go on for months, and nobody waits for its end.
//!
//! Each is told once, and again when it got worse: in a line of a file (`--findings`), on standard error, and in the store of the home,
//! from which pages and sinks have it. What was told may be taken back by the answer at the end, which is of everything.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use umbilical_core::answer::watch::SCHEMA;
use umbilical_core::finding::{Finding, Severity};
use umbilical_knowledge::Knowledge;
use umbilical_traffic::cellular::sessions::Id;
use umbilical_traffic::detect::{self, Subject};
use umbilical_traffic::time::Micros;

use super::naming::{cover_finding, subscriber};
use super::rows::number;
use super::tables::say;
use super::ways::Lines;
use super::{Trace, covered, headed, keep};
use crate::args::Global;
use crate::fail::Fail;
use crate::{home, recorded, stored};

/// How often it is looked for findings: a flood is to be known within five seconds.
const TURN: Duration = Duration::from_secs(2);
/// How often it is looked at what devices never did before and at conversations that go on, and how often the store is written at most:
/// all of that looks at everything.
const LONG_TURN: Duration = Duration::from_secs(60);

/// Findings of which it is kept that they were told; beyond, those that are found no more may be told again.
const TOLD: usize = 1 << 18;

/// Findings that a file has not taken which wait until it does.
const OWED: usize = 1 << 14;
/// Lines on standard error within [`LONG_TURN`]: beyond, nobody reads them, and the file and the answer have them all.
const LINES: usize = 200;

/// What was told.
pub(super) struct Telling {
    file: Option<Lines>,
    /// Findings that the file has not taken yet, why, and how many are lost to it.
    owed: VecDeque<Finding>,
    failed: io::Result<()>,
    lost: u64,
    /// Whether what fails may be tried again, for there is more to come.
    patient: bool,
    told: HashMap<String, Severity>,
    /// Whether lines go to standard error as well.
    loud: bool,
    /// Lines on standard error since a time, and those that were not written there.
    said: Option<(Instant, usize, u64)>,
    next: Instant,
    /// When what looks at everything was last done.
    learnt: Option<Instant>,
    /// Something was told that the store has not yet.
    pending: bool,
    stored: Option<Instant>,
    store: Option<JoinHandle<Result<(), String>>>,
}

impl Telling {
    /// Nothing was told yet.
    pub fn open(global: &Global, findings: Option<&Path>, flows: Option<&Path>, goes_on: bool) -> Result<Self, Fail> {
        let mut others = vec![("--output", global.output.as_deref())];
        others.extend(flows.map(|flows| ("--flows", Some(flows))));
        let file = findings.map(|path| Lines::open("--findings", path, &others, goes_on)).transpose()?;
        Ok(Self::to(file, goes_on))
    }

    fn to(file: Option<Lines>, patient: bool) -> Self {
        Self {
            file,
            owed: VecDeque::new(),
            failed: Ok(()),
            lost: 0,
            patient,
            told: HashMap::new(),
            loud: false,
            said: None,
            next: Instant::now(),
            learnt: None,
            pending: false,
            stored: None,
            store: None,
        }
    }

    /// Whether it was not told, or not as so bad.
    fn is_new(&self, finding: &Finding) -> bool {
        self.told.get(&finding.id).is_none_or(|before| *before < finding.severity)
    }

    /// Those that are new or worse, told.
    pub fn tell(&mut self, findings: &[Finding]) {
        for finding in findings {
            if !self.is_new(finding) {
                continue;
            }
            self.told.insert(finding.id.clone(), finding.severity);
            self.pending = true;
            if self.file.is_some() {
                if self.owed.len() >= OWED {
                    self.owed.pop_front();
                    self.lost = self.lost.saturating_add(1);
                }
                self.owed.push_back(finding.clone());
            }
            if self.loud {
                self.say(finding);
            }
        }
        self.write();
    }

    /// A finding in a line, unless there are too many.
    fn say(&mut self, finding: &Finding) {
        let (since, said, more) = self.said.get_or_insert_with(|| (Instant::now(), 0, 0));
        if since.elapsed() >= LONG_TURN {
            if *more > 0 {
                say(&format!("{more} more findings were not told here: --findings FILE has each, and the answer"));
            }
            (*since, *said, *more) = (Instant::now(), 0, 0);
        }
        if *said >= LINES {
            *more = more.saturating_add(1);
            return;
        }
        *said = said.saturating_add(1);
        let what = finding.because.first().map_or("", String::as_str);
        say(&format!("{} {}: {what} ({})", finding.severity.name(), finding.code, finding.id));
    }

    /// Writes what is owed to the file. One that takes nothing for a while, its disk being full, has it later.
    fn write(&mut self) {
        let Some(to) = &mut self.file else { return };
        let failed = self.failed.is_err();
        if failed && !self.patient {
            return;
        }
        self.failed = Ok(());
        while let (Some(finding), Ok(())) = (self.owed.front(), &self.failed) {
            self.failed = to.write(finding);
            if self.failed.is_ok() {
                self.owed.pop_front();
            }
        }
        if self.failed.is_ok() {
            self.failed = to.flush();
        }
        match &self.failed {
            Err(why) if self.patient && !failed => say(&format!("--findings {}: {why}; it is tried again", to.name)),
            Ok(()) if failed => say(&format!("--findings {} has what it was owed{}", to.name, missing(self.lost))),
            _ => {}
        }
    }

    /// Forgets what is found no more, if it is too much.
    fn forgets<'a>(&mut self, found: impl Iterator<Item = &'a str>) {
        if self.told.len() > TOLD {
            let found: HashSet<&str> = found.collect();
            self.told.retain(|id, _| found.contains(id.as_str()));
        }
    }

    /// Goes on in a file that has taken the place of the one that is written.
    pub fn again(&mut self) {
        if let Some(to) = &mut self.file {
            self.failed = to.again();
            self.write();
        }
    }

    /// Whether the file took everything so far, or may yet.
    pub fn checked(&mut self) -> Result<(), Fail> {
        if self.patient { Ok(()) } else { self.ended() }
    }

    /// Whether the file took everything.
    pub fn ended(&mut self) -> Result<(), Fail> {
        let to = self.file.as_ref().map(|to| to.name.clone()).unwrap_or_default();
        std::mem::replace(&mut self.failed, Ok(())).map_err(|source| Fail::Output { to, source })
    }

    /// Whether the store has not taken yet what it was given, or was asked of late.
    fn waits(&mut self, now: Instant) -> bool {
        self.store.is_some() || self.stored.is_some_and(|at| now.duration_since(at) < LONG_TURN)
    }

    /// Waits for the store, where it was given something. What it did not take it is given again.
    pub fn joins(&mut self) {
        let why = match self.store.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => return,
            Some(Ok(Err(why))) => why,
            Some(Err(_)) => "whoever wrote it broke off".to_owned(),
        };
        self.pending = true;
        say(&format!("what was found so far is not in the store yet: {why}"));
    }
}

/// What is lost to a file.
fn missing(lost: u64) -> String {
    if lost > 0 { format!(", but for {lost} that were too many") } else { String::new() }
}

impl Trace {
    /// While something is listened to: tells what was found until a time of the trace, now and then.
    pub(super) fn tells(&mut self, at: Micros, global: &Global, kb: &Knowledge) {
        let now = Instant::now();
        if now < self.telling.next {
            return;
        }
        number(&self.watch, &mut self.ids);
        let over = detect::Trace { words: &self.watch.words, sessions: &self.watch.sessions };
        let places = &mut self.ways.naming.places;
        let mut place = |addr| places.of(addr).cloned();
        // The first time as soon as there is something.
        let long = self.watch.flows().0 > 0 && self.telling.learnt.is_none_or(|at| now.duration_since(at) >= LONG_TURN);
        if long {
            self.detect.learn(("", Vec::new()), over, &mut place);
            self.telling.learnt = Some(now);
        }
        let (mut alerts, mut came) = self.detect.so_far(at, over, self.watch.open().take(if long { usize::MAX } else { 0 }), &mut place);
        let id = |id: Id| self.ids.get(id.0 as usize).cloned().unwrap_or_default();
        let findings: Vec<Finding> = alerts.iter().map(|alert| alert.finding(id)).collect();
        self.telling.forgets(findings.iter().map(|f| f.id.as_str()));
        let mut new = Vec::new();
        for (alert, mut finding) in alerts.iter().zip(findings) {
            if self.telling.is_new(&finding) {
                if let (Subject::Session(id), false) = (alert.subject, global.show_subscribers) {
                    let own = over.sessions.get(id).map(subscriber).unwrap_or_default();
                    cover_finding(&mut finding, &own);
                }
                new.push(finding);
            }
        }
        self.telling.loud = !global.quiet;
        self.telling.tell(&new);
        if self.telling.store.as_ref().is_some_and(JoinHandle::is_finished) {
            self.telling.joins();
        }
        if self.telling.pending && !self.telling.waits(now) {
            if !long {
                let over = detect::Trace { words: &self.watch.words, sessions: &self.watch.sessions };
                (alerts, came) = self.detect.so_far(at, over, self.watch.open(), &mut place);
            }
            self.stores(alerts, &came, global, kb);
            (self.telling.pending, self.telling.stored) = (false, Some(now));
        }
        // What takes long is done seldom: packets wait meanwhile.
        self.telling.next = Instant::now() + TURN.max(now.elapsed() * 20);
    }

    /// Gives the store what there is so far, by a thread.
    fn stores(&mut self, alerts: Vec<detect::Alert>, came: &[detect::Came], global: &Global, kb: &Knowledge) {
        // What is piped has no name until its end.
        if !matches!(&self.ways.keep, Some(Ok(keep)) if keep.begun.is_some() && keep.store().is_some()) {
            return;
        }
        let as_of = home::as_of(global);
        let mut watched = self.watched(kb, as_of, &alerts, came);
        let sessions = watched.sessions.clone();
        watched.findings = covered(&watched.findings, &sessions);
        let findings = watched.findings.clone();
        let document = headed(SCHEMA, kb, as_of, (&self.all.inputs, self.problems.clone()), watched);
        let (inputs, ids, words) = (&self.all.inputs, &self.ids, &self.watch.words);
        let (who, now) = (&recorded::person(), stored::now());
        let done = keep::Done {
            answer: &document,
            sessions: &sessions,
            findings: &findings,
            inputs,
            lesson: &Default::default(),
            ids,
            words,
            who,
            now,
        };
        let Some(Ok(keep)) = &self.ways.keep else { return };
        self.telling.store = match keep.stored(&done) {
            Ok(stored) => stored.map(|stored| thread::spawn(move || stored.write())),
            Err(why) => Some(thread::spawn(move || Err(why))),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    use super::*;

    /// A disk with so much room, and what is on it.
    #[derive(Clone, Default)]
    struct Disk(Rc<RefCell<(usize, Vec<u8>)>>);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (room, on) = &mut *self.0.borrow_mut();
            let n = bytes.len().min(*room);
            *room -= n;
            on.extend(&bytes[..n]);
            if n == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(n) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn telling(disk: &Disk, patient: bool) -> Telling {
        Telling::to(Some(Lines::of("found.jsonl", Box::new(disk.clone()))), patient)
    }

    fn finding(n: u32) -> Finding {
        serde_json::from_value(serde_json::json!({
            "id": format!("fnd-{n}"), "code": "scan", "source": "detector", "subject": {"kind": "session", "id": "ses-1"}, "verdict": null,
            "severity": "high", "confidence": 1.0, "basis": "observed", "lifecycle": "unknown", "threats": [], "first": null, "last": null,
            "because": ["tried"], "remedies": [], "clears_when": "", "detail": {},
        }))
        .unwrap()
    }

    #[test]
    fn a_full_disk_has_everything_once_there_is_room() {
        let disk = Disk::default();
        let mut telling = telling(&disk, true);
        for n in 0..500 {
            disk.0.borrow_mut().0 = if (100..300).contains(&n) { 1 } else { 4096 };
            telling.tell(&[finding(n)]);
            assert!(telling.checked().is_ok());
        }
        assert!(telling.ended().is_ok());
        let text = String::from_utf8(disk.0.borrow().1.clone()).unwrap();
        let ids: Vec<String> =
            text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, (0..500).map(|n| format!("fnd-{n}")).collect::<Vec<_>>());
    }

    #[test]
    fn what_ends_with_a_full_disk_says_so() {
        for patient in [false, true] {
            let mut telling = telling(&Disk::default(), patient);
            telling.tell(&[finding(1)]);
            assert_eq!(telling.checked().is_ok(), patient);
            let mut telling = self::telling(&Disk::default(), patient);
            telling.tell(&[finding(1)]);
            assert!(telling.ended().is_err());
        }
    }
}
