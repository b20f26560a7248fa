//! Findings as they are made: what is listened to may go on for months, and nobody waits for its end.
//!
//! Each is told once, and again when it got worse: in a line of a file (`--findings`), on standard error unless there are too many, and in
//! the store of the home, from which pages and sinks have it. A disk that is full for a while ends nothing: the file has it later. What was
//! told may be taken back by the answer at the end, which is of everything.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::{self, ErrorKind};
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
/// Lines on standard error of one severity within [`LONG_TURN`]: beyond, nobody reads them, and the file and the answer have them all.
const LINES: u64 = 200;

/// What was told.
pub(super) struct Telling {
    file: Option<Lines>,
    /// Findings that are not known to be in the file, and how many of these, the first, wait only for the disk.
    owed: VecDeque<Finding>,
    waiting: usize,
    /// Why they are not there, and how many are lost to it.
    failed: io::Result<()>,
    lost: u64,
    /// The file that has its name now is to be taken.
    reopens: bool,
    /// Whether there is more to come, so that a full disk may be tried again.
    goes_on: bool,
    told: HashMap<String, Severity>,
    /// Whether lines go to standard error as well.
    loud: bool,
    /// What was told on standard error since a time, or would have been.
    said: Option<(Instant, BTreeMap<Severity, u64>)>,
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

    fn to(file: Option<Lines>, goes_on: bool) -> Self {
        Self {
            file,
            owed: VecDeque::new(),
            waiting: 0,
            failed: Ok(()),
            lost: 0,
            reopens: false,
            goes_on,
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
                self.owe(finding);
            }
            if self.loud {
                self.say(finding);
            }
        }
        self.write();
    }

    /// The file is to have it.
    fn owe(&mut self, finding: &Finding) {
        if self.owed.len() >= OWED {
            self.write();
        }
        if self.owed.len() >= OWED {
            self.owed.remove(self.waiting);
            self.lost = self.lost.saturating_add(1);
        }
        self.owed.push_back(finding.clone());
    }

    /// A finding in a line, unless there are too many.
    fn say(&mut self, finding: &Finding) {
        if self.said.as_ref().is_some_and(|(since, _)| since.elapsed() >= LONG_TURN) {
            self.unsaid();
        }
        let (_, said) = self.said.get_or_insert_with(|| (Instant::now(), BTreeMap::new()));
        let count = said.entry(finding.severity).or_default();
        *count = count.saturating_add(1);
        if *count <= LINES {
            let what = finding.because.first().map_or("", String::as_str);
            say(&format!("{} {}: {what} ({})", finding.severity.name(), finding.code, finding.id));
        }
    }

    /// How many were too many to be said.
    fn unsaid(&mut self) {
        let Some((_, said)) = self.said.take() else { return };
        let more = said.values().fold(0_u64, |sum, count| sum.saturating_add(count.saturating_sub(LINES)));
        if more > 0 {
            say(&format!("{more} more findings were not told here: the answer has them, and --findings FILE"));
        }
    }

    /// Whether what failed may be tried again.
    fn is_patient(&self) -> bool {
        let full = |why: &io::Error| matches!(why.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        self.goes_on && self.failed.as_ref().err().is_none_or(full)
    }

    /// Writes what is owed to the file. One that takes nothing for a while, its disk being full, has it later.
    fn write(&mut self) {
        let before = self.failed.is_err();
        if self.file.is_none() || before && !self.is_patient() {
            return;
        }
        self.failed = self.writes();
        let name = self.file.as_ref().map_or("", |to| &to.name);
        match &self.failed {
            Err(why) if !before && self.is_patient() => say(&format!("--findings {name}: {why}; it is tried again")),
            Ok(()) if before => say(&format!("--findings {name} has what it was owed{}", missing(self.lost))),
            _ => {}
        }
    }

    fn writes(&mut self) -> io::Result<()> {
        let Some(to) = &mut self.file else { return Ok(()) };
        if self.reopens {
            // What the one so far did not take is told once more in the new one, some of it twice rather than torn.
            if !to.again()? {
                self.waiting = 0;
            }
            self.reopens = false;
        }
        while let Some(finding) = self.owed.get(self.waiting) {
            to.write(finding)?;
            self.waiting = self.waiting.saturating_add(1);
        }
        to.flush()?;
        self.owed.clear();
        self.waiting = 0;
        Ok(())
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
        self.reopens = true;
        self.write();
    }

    /// Whether the file took everything so far, or may yet.
    pub fn checked(&mut self) -> Result<(), Fail> {
        if self.is_patient() { Ok(()) } else { self.ended() }
    }

    /// Nothing more comes: whether the file took everything.
    pub fn ended(&mut self) -> Result<(), Fail> {
        self.unsaid();
        let to = self.file.as_ref().map(|to| to.name.clone()).unwrap_or_default();
        let lost = || io::Error::other(format!("it does not have everything{}", missing(self.lost)));
        let took = if self.lost > 0 { Err(lost()) } else { Ok(()) };
        std::mem::replace(&mut self.failed, Ok(())).and(took).map_err(|source| Fail::Output { to, source })
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
    if lost > 0 { format!(", but for {lost} that were too many to wait") } else { String::new() }
}

impl Trace {
    /// While something is listened to: tells what was found until a time of the trace, now and then.
    pub(super) fn tells(&mut self, at: impl FnOnce(&Self) -> Micros, global: &Global, kb: &Knowledge) {
        let now = Instant::now();
        if now < self.telling.next {
            return;
        }
        let at = at(self);
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

    fn telling(disk: &Disk, goes_on: bool) -> Telling {
        Telling::to(Some(Lines::of("found.jsonl", Box::new(disk.clone()), None)), goes_on)
    }

    fn finding(n: u32) -> Finding {
        serde_json::from_value(serde_json::json!({
            "id": format!("fnd-{n}"), "code": "scan", "source": "detector", "subject": {"kind": "session", "id": "ses-1"}, "verdict": null,
            "severity": "high", "confidence": 1.0, "basis": "observed", "lifecycle": "unknown", "threats": [], "first": null, "last": null,
            "because": ["tried"], "remedies": [], "clears_when": "", "detail": {},
        }))
        .unwrap()
    }

    fn ids(disk: &Disk) -> Vec<String> {
        let text = String::from_utf8(disk.0.borrow().1.clone()).unwrap();
        let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        text.lines().map(id).collect()
    }

    fn numbers(to: u32) -> Vec<String> {
        (0..to).map(|n| format!("fnd-{n}")).collect()
    }

    #[test]
    fn a_full_disk_has_everything_once_there_is_room() {
        let disk = Disk::default();
        let mut telling = telling(&disk, true);
        // What is written at once is full long before there is room again.
        for n in 0..2000 {
            disk.0.borrow_mut().0 = if (100..1900).contains(&n) { 1 } else { 1 << 20 };
            telling.tell(&[finding(n)]);
            assert!(telling.checked().is_ok());
            assert_eq!(telling.owed.is_empty(), !(100..1900).contains(&n), "{n}");
        }
        assert!(telling.ended().is_ok());
        assert_eq!(ids(&disk), numbers(2000));
    }

    #[test]
    fn so_many_at_once_are_written() {
        let disk = Disk::default();
        disk.0.borrow_mut().0 = usize::MAX;
        let mut telling = telling(&disk, false);
        let all: Vec<Finding> = (0..OWED as u32 + 900).map(finding).collect();
        telling.tell(&all);
        assert!(telling.ended().is_ok());
        assert_eq!(ids(&disk), numbers(OWED as u32 + 900));
    }

    #[test]
    fn what_is_lost_is_counted() {
        let disk = Disk::default();
        let mut telling = telling(&disk, true);
        let all: Vec<Finding> = (0..OWED as u32 + 900).map(finding).collect();
        telling.tell(&all);
        assert_eq!((telling.owed.len(), telling.lost), (OWED, 900));
        disk.0.borrow_mut().0 = usize::MAX;
        telling.tell(&[]);
        assert_eq!(ids(&disk).len(), OWED);
        let Err(Fail::Output { source, .. }) = telling.ended() else { panic!("some are missing") };
        assert!(source.to_string().ends_with("but for 900 that were too many to wait"), "{source}");
    }

    #[test]
    fn only_a_full_disk_is_waited_for() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut telling = Telling::to(Some(Lines::of("a pipe", Box::new(Gone), None)), true);
        telling.tell(&[finding(1)]);
        assert!(telling.checked().is_err());
    }

    /// A file that was set aside on a full disk, and one that takes its place.
    #[test]
    fn what_the_old_file_did_not_take_is_in_the_new_one() {
        let path = std::env::temp_dir().join(format!("umbilical-found-{}.jsonl", std::process::id()));
        let disk = Disk::default();
        let lines = Lines::of("found.jsonl", Box::new(disk.clone()), Some(path.clone()));
        let mut telling = Telling::to(Some(lines), true);
        disk.0.borrow_mut().0 = 500;
        for n in 0..9 {
            telling.tell(&[finding(n)]);
        }
        assert!(telling.failed.is_err());
        telling.again();
        telling.tell(&[finding(9)]);
        assert!(telling.ended().is_ok());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(text.ends_with('\n') && text.lines().all(|l| serde_json::from_str::<serde_json::Value>(l).is_ok()));
        assert_eq!(text.lines().count(), 9, "the first was taken, and the one that was cut is told anew");
    }

    #[test]
    fn what_ends_with_a_full_disk_says_so() {
        for goes_on in [false, true] {
            let mut telling = telling(&Disk::default(), goes_on);
            telling.tell(&[finding(1)]);
            assert_eq!(telling.checked().is_ok(), goes_on);
            let mut telling = self::telling(&Disk::default(), goes_on);
            telling.tell(&[finding(1)]);
            assert!(telling.ended().is_err());
        }
    }
}
