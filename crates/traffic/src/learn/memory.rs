//! The lessons of many traces, and what they say before another begins.
//!
//! As text it is one JSON value for each line: a head (`{"format":"umbilical.seen/1","folded":…}`), then of each lesson a line that
//! names it (`trace`, `inputs`, `begin`, `end`) and one for each module in it (`who`, and what it `did`: [`Module`]). Times are microseconds since 1970.

use std::collections::BTreeMap;
use std::io::Write;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::lesson::{Lesson, Module, QUIET, Who};
use super::{DECAY, ENOUGH, FEW, LEARNING, LEAST};
use crate::time::Micros;

/// Name and version of the format.
const FORMAT: &str = "umbilical.seen/1";
/// Lessons that are kept apart; then the older half is folded into one.
const LESSONS: usize = 256;
/// What is kept in all: modules of lessons, their destinations, networks and peers.
const ROWS: usize = 1 << 20;

/// Why a text is no memory.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It is of another version or kind.
    #[error("its first line is not that of {FORMAT}")]
    Format,
    /// A line cannot be read.
    #[error("line {0}: {1}")]
    Line(usize, String),
}

#[derive(Deserialize, Serialize)]
struct Head {
    format: Box<str>,
    folded: Option<i64>,
}

/// How the line of a lesson begins.
const LESSON: &str = "{\"trace\"";

#[derive(Deserialize, Serialize)]
struct OfLesson {
    trace: Box<str>,
    inputs: Vec<Box<str>>,
    begin: i64,
    end: i64,
}

#[derive(Deserialize)]
struct OfModule {
    who: Who,
    did: Module,
}

#[derive(Serialize)]
struct ModuleOf<'a> {
    who: &'a Who,
    did: &'a Module,
}

fn put(to: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// Lessons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// By when they began, then by trace.
    lessons: Vec<Lesson>,
    /// Those that began until then are one, the first, and no longer told apart.
    folded: Option<Micros>,
}

/// A silence of a module across traces, as far as anybody listened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Seconds from its last conversation.
    pub seconds: u64,
    /// Of these, those in which a trace was kept.
    pub watched: u64,
}

/// What was known when a trace began.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Of each module.
    pub modules: BTreeMap<Who, Module>,
    /// How many modules spoke with a destination (and addresses, apart): `(modules, addresses)`.
    met: HashMap<Box<str>, (u32, u32)>,
    /// When traces were kept, joined, in order.
    watched: Vec<(Micros, Micros)>,
}

impl Memory {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.lessons.is_empty()
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none, or a line of it is broken.
    pub fn read(text: &str) -> Result<Self, MemoryError> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let Some((_, head)) = lines.next() else { return Ok(Self::default()) };
        let head: Head = serde_json::from_str(head).map_err(|_| MemoryError::Format)?;
        if *head.format != *FORMAT {
            return Err(MemoryError::Format);
        }
        let mut lessons: Vec<Lesson> = Vec::new();
        for (number, line) in lines {
            let wrong = |what: &str| MemoryError::Line(number, what.to_owned());
            if line.starts_with(LESSON) {
                let of: OfLesson = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
                let OfLesson { trace, inputs, begin, end } = of;
                lessons.push(Lesson { trace, inputs, begin: Micros(begin), end: Micros(end), modules: BTreeMap::new() });
            } else {
                let OfModule { who, did } = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
                let lesson = lessons.last_mut().ok_or_else(|| wrong("a module before any lesson"))?;
                lesson.modules.insert(who, did);
            }
        }
        let mut memory = Self { lessons, folded: head.folded.map(Micros) };
        memory.sort();
        Ok(memory)
    }

    /// Writes it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, to: &mut dyn Write) -> std::io::Result<()> {
        put(to, &Head { format: FORMAT.into(), folded: self.folded.map(|at| at.0) })?;
        for lesson in &self.lessons {
            let (trace, inputs) = (lesson.trace.clone(), lesson.inputs.clone());
            put(to, &OfLesson { trace, inputs, begin: lesson.begin.0, end: lesson.end.0 })?;
            lesson.modules.iter().try_for_each(|(who, did)| put(to, &ModuleOf { who, did }))?;
        }
        Ok(())
    }

    fn sort(&mut self) {
        self.lessons.sort_by(|a, b| (a.begin, &a.trace).cmp(&(b.begin, &b.trace)));
    }

    /// Takes a lesson; gives whether it is new. The same trace again takes its own place; a trace takes that of those whose inputs it
    /// has all, and one whose inputs another has all is known. What began as early as what is no longer told apart comes too late.
    pub fn learn(&mut self, mut lesson: Lesson) -> bool {
        let has = |all: &Lesson, some: &Lesson| !some.inputs.is_empty() && some.inputs.iter().all(|i| all.inputs.contains(i));
        if self.folded.is_some_and(|until| lesson.begin <= until) {
            return false;
        }
        if self.lessons.iter().any(|l| l.trace != lesson.trace && has(l, &lesson) && !has(&lesson, l)) {
            return false;
        }
        let before = self.lessons.len();
        self.lessons.retain(|l| l.trace != lesson.trace && !has(&lesson, l));
        let new = self.lessons.len() == before;
        lesson.modules.values_mut().for_each(Module::bound);
        let limit = Micros(lesson.begin.0.saturating_sub(DECAY.0.saturating_mul(2)));
        self.lessons.push(lesson);
        self.sort();
        self.forget(limit);
        if self.lessons.len() > LESSONS {
            self.fold(LESSONS / 2);
        }
        self.bound();
        new
    }

    /// Forgets what was last met before a time.
    fn forget(&mut self, before: Micros) {
        for lesson in &mut self.lessons {
            lesson.modules.retain(|_, module| module.forget(before));
        }
        self.lessons.retain(|l| l.end >= before);
    }

    /// Makes one of the oldest.
    fn fold(&mut self, count: usize) {
        let mut old = self.lessons.drain(..count.min(self.lessons.len()));
        let Some(mut one) = old.next() else { return };
        for lesson in old {
            one.end = one.end.max(lesson.end);
            self.folded = self.folded.max(Some(lesson.begin));
            lesson.modules.into_iter().for_each(|(who, module)| one.modules.entry(who).or_default().add(module));
        }
        self.folded = self.folded.max(Some(one.begin));
        (one.trace, one.inputs) = ("".into(), Vec::new());
        self.lessons.insert(0, one);
    }

    /// Keeps as much as there is room for: what was met last.
    fn bound(&mut self) {
        let rows = |m: &Self| m.lessons.iter().flat_map(|l| l.modules.values()).map(Module::rows).sum::<usize>();
        while rows(self) > ROWS {
            let mut lasts: Vec<Micros> = self.lessons.iter().flat_map(|l| l.modules.values()).map(|m| m.last).collect();
            let at = lasts.len() / 4;
            let Some(edge) = (at < lasts.len()).then(|| *lasts.select_nth_unstable(at).1) else { return };
            let next = Micros(edge.0.saturating_add(1));
            self.forget(next);
        }
    }

    /// What is known when a trace begins.
    pub fn before(&self, trace: &str, begin: Micros) -> Past {
        let counts = |l: &&Lesson| match self.folded {
            Some(until) if is_folded(l) => until < begin,
            _ => l.begin < begin && *l.trace != *trace,
        };
        let mut past = Past::default();
        let limit = Micros(begin.0.saturating_sub(DECAY.0));
        for lesson in self.lessons.iter().filter(counts) {
            // Of what is folded it is no longer known when nobody listened.
            if !is_folded(lesson) {
                match past.watched.last_mut() {
                    // They are in the order of their begin.
                    Some((_, end)) if lesson.begin <= *end => *end = lesson.end.max(*end),
                    _ => past.watched.push((lesson.begin, lesson.end)),
                }
            }
            for (who, module) in &lesson.modules {
                past.across(who, module);
                past.modules.entry(who.clone()).or_default().add(module.clone());
            }
        }
        past.modules.retain(|_, module| module.forget(limit));
        past.index();
        past
    }
}

/// Whether it is that of many traces.
fn is_folded(lesson: &Lesson) -> bool {
    lesson.trace.is_empty()
}

impl Past {
    /// A silence between two lessons is one as far as somebody listened.
    fn across(&mut self, who: &Who, next: &Module) {
        let Some(silence) = self.modules.get(who).map(|m| self.silence(m.last, next.first)) else { return };
        if let (3600.., Some(module)) = (silence.watched, self.modules.get_mut(who)) {
            module.quiet.push(silence.watched);
            module.quiet.sort_unstable_by(|a, b| b.cmp(a));
            module.quiet.truncate(QUIET);
        }
    }

    fn index(&mut self) {
        for (who, module) in &self.modules {
            let mut add = |what: Box<str>| {
                let (modules, addrs) = self.met.entry(what).or_default();
                let count = if who.is_addr() { addrs } else { modules };
                *count = count.saturating_add(1);
            };
            module.to.keys().for_each(|what| add(what.clone()));
            let systems: std::collections::BTreeSet<u32> = module.nets.values().filter_map(|n| n.asn).collect();
            systems.into_iter().for_each(|asn| add(format!("AS{asn}").into()));
        }
    }

    /// How many others spoke with a destination: modules for a module, addresses for an address.
    pub fn met_by(&self, what: &str, who: &Who) -> u32 {
        let (modules, addrs) = self.met.get(what).copied().unwrap_or_default();
        if who.is_addr() { addrs } else { modules }
    }

    /// How long a module was silent from its last conversation to a time, and for how long of that somebody listened.
    pub fn silence(&self, last: Micros, next: Micros) -> Silence {
        let seconds = |from: Micros, to: Micros| u64::try_from(to.0.saturating_sub(from.0) / 1_000_000).unwrap_or(0);
        let watched = self.watched.iter().map(|(from, to)| seconds((*from).max(last), (*to).min(next))).fold(0_u64, u64::saturating_add);
        Silence { seconds: seconds(last, next), watched }
    }

    /// Whether a module is known well enough at a time, at which it has begun so many conversations since the trace began.
    pub fn is_learnt(&self, who: &Who, first: Micros, at: Micros, talks: u64) -> bool {
        let past = self.modules.get(who);
        let first = past.map_or(first, |m| m.first.min(first));
        let (span, talks) = (at.since(first), past.map_or(0, |m| m.talks).saturating_add(talks));
        span >= LEARNING && talks >= FEW || span >= LEAST && talks >= ENOUGH
    }
}
