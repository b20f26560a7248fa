//! Inputs into the trace, each as what it is.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use umbilical_core::answer::Said;
use umbilical_knowledge::Knowledge;
use umbilical_traffic::capture::Batch;
use umbilical_traffic::flow::{Each, Seen};
use umbilical_traffic::record::{Lines, Troubles, eve, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch as pipeline;

use super::Trace;
use super::source::{Opened, Rest, Sources};
use crate::args::Global;
use crate::fail::Fail;
use crate::progress::Progress;

/// A log of Zeek among others.
struct OpenLog {
    input: u32,
    rest: Rest,
    lines: Lines<Box<dyn BufRead + Send>>,
    log: zeek::Log,
}

const UNKNOWN: &str = "this is nothing that is known: neither pcap nor pcapng, no log of Zeek, no events of Suricata, no datagrams of \
                       NetFlow or IPFIX";

/// Says what is wrong with lines, datagrams or frames.
pub(super) fn troubles(all: &Troubles, unit: &str, problem: &mut dyn FnMut(&str, String)) {
    for trouble in all.iter() {
        let more = match trouble.more {
            0 => String::new(),
            n => format!("; so it is with {n} more"),
        };
        problem(&format!("{unit} {}", trouble.first), format!("{}{more}", trouble.what));
    }
}

/// Says what keeps an input from being read.
fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}

/// To whom what is found is told, and what is known.
type Told<'a> = (&'a Global, &'a Knowledge);

impl Trace {
    pub(super) fn read(&mut self, sources: Sources, progress: &Arc<Progress>, told: Told<'_>) -> Result<(), Fail> {
        match sources {
            Sources::One(path) => self.one(&path, progress, told),
            Sources::Logs(logs) => self.logs(logs, progress),
        }?;
        self.failed()
    }

    /// Whether conversations and findings could be written.
    pub(super) fn failed(&mut self) -> Result<(), Fail> {
        self.ways.checked()?;
        self.telling.checked()
    }

    /// Something is wrong with an input.
    pub(super) fn problem(&mut self, input: u32, at: &str, what: String) {
        self.problems.push(Said { input: Some(input), at: at.to_owned(), what });
    }

    fn one(&mut self, path: &Path, progress: &Arc<Progress>, (global, kb): Told<'_>) -> Result<(), Fail> {
        // A pipe may go on for months.
        let piped = path.as_os_str() == "-";
        let opened = Opened::new(path, self.threads, self.read, progress)?;
        let input = self.begins(&opened);
        let (rest, kind) = (opened.rest(), opened.kind);
        let before = self.watch.counters;
        let mut problems = Vec::new();
        let mut problem = |at: &str, what: String| problems.push((at.to_owned(), what));
        let read = match kind {
            Some(Source::Capture) => {
                let (mut frames, mut batch) = (opened.frames(), Ok(Some(Batch::default())));
                while let Ok(Some(used)) = batch {
                    used.each(|frame, content| {
                        self.step(|watch, each| watch.taken(frame, content, each));
                        if piped {
                            self.tells(|_| frame.at, global, kb);
                        }
                    });
                    batch = frames.next(used);
                }
                batch.err().into_iter().for_each(|error| problem("file", error.to_string()));
                frames.end().and_then(|reader| reader.end().broken).into_iter().for_each(|broken| problem("file", broken));
                troubles(&std::mem::take(&mut self.watch.troubles), "frame", &mut problem);
                self.watch.counters.packets.saturating_sub(before.packets)
            }
            Some(Source::Netflow(_)) => {
                let mut wrong = Troubles::default();
                let read = netflow::datagrams(opened.bytes(), &mut |number, bytes| {
                    let from = netflow::From::Input(input);
                    self.step(|watch, each| {
                        if let Some(what) = watch.export(from, bytes, None, number, each) {
                            wrong.put(number, what);
                        }
                    });
                });
                match read {
                    Ok(end) => end.into_iter().for_each(|(number, what)| wrong.put(number, what)),
                    Err(error) => problem("file", unreadable(&error)),
                }
                troubles(&wrong, "datagram", &mut problem);
                self.watch.counters.records.saturating_sub(before.records)
            }
            Some(Source::Zeek(kind)) => {
                let mut log = zeek::Log::new(kind.sees());
                let mut lines = Lines::new(opened.bytes());
                let failed = self.each_line(&mut lines, piped.then_some((global, kb)), |line, watch, each| {
                    log.line(line, watch, each);
                });
                failed.into_iter().for_each(|error| problem("file", error));
                troubles(&log.troubles, "line", &mut problem);
                log.rows
            }
            Some(Source::Eve) => {
                let mut log = eve::Log::new(&opened.head);
                let mut lines = Lines::new(opened.bytes());
                let failed = self.each_line(&mut lines, piped.then_some((global, kb)), |line, watch, each| log.line(line, watch, each));
                failed.into_iter().for_each(|error| problem("file", error));
                troubles(&log.troubles, "line", &mut problem);
                log.rows
            }
            None => {
                let why = opened.failed.as_ref().map_or_else(|| UNKNOWN.to_owned(), unreadable);
                problem("file", format!("{}: {why}", opened.name));
                0
            }
        };
        self.problems.extend(problems.into_iter().map(|(at, what)| Said { input: Some(input), at, what }));
        self.ends(input, rest, read)
    }

    /// Logs of Zeek side by side: what was said of a conversation is read before the line of the conversation itself.
    fn logs(&mut self, logs: Vec<(PathBuf, zeek::Kind, Option<Micros>)>, progress: &Arc<Progress>) -> Result<(), Fail> {
        let beside = logs.iter().fold(Seen::NOTHING, |seen, (_, kind, _)| seen.with(kind.sees()));
        let mut open: Vec<Option<OpenLog>> = Vec::new();
        open.resize_with(logs.len(), || None);
        let place = |n: usize| logs.get(n).map(|(_, kind, begin)| begin.unwrap_or(Micros(i64::MIN)).plus(kind.behind()));
        let mut next: BinaryHeap<_> = (0..logs.len()).filter_map(|n| Some(Reverse((place(n)?, n)))).collect();
        while let Some(Reverse((mut at, n))) = next.pop() {
            let (Some((path, ..)), Some(slot)) = (logs.get(n), open.get_mut(n)) else { continue };
            let log = match slot {
                Some(log) => log,
                None => {
                    let opened = Opened::new(path, self.threads, self.read, progress)?;
                    let (input, rest) = (self.begins(&opened), opened.rest());
                    opened.failed.iter().for_each(|error| self.problem(input, "file", unreadable(error)));
                    slot.insert(OpenLog { input, rest, lines: Lines::new(opened.bytes()), log: zeek::Log::new(beside) })
                }
            };
            // Up to where another has something to say, and a little more, for every change costs.
            let until = next.peek().map_or(Micros(i64::MAX), |Reverse((at, _))| at.plus(Micros::seconds(1)));
            let mut failed = None;
            let over = loop {
                match log.lines.line() {
                    Ok(Some(line)) => {
                        let OpenLog { log, .. } = log;
                        let time = self.step(|watch, each| log.line(line, watch, each));
                        at = at.max(time.unwrap_or(at));
                        if at > until {
                            break false;
                        }
                    }
                    Ok(None) => break true,
                    Err(error) => {
                        failed = Some(unreadable(&error));
                        break true;
                    }
                }
            };
            if !over {
                next.push(Reverse((at, n)));
                continue;
            }
            let Some(done) = slot.take() else { continue };
            let mut problem = |at: &str, what: String| self.problems.push(Said { input: Some(done.input), at: at.to_owned(), what });
            failed.into_iter().for_each(|error| problem("file", error));
            troubles(&done.log.troubles, "line", &mut problem);
            drop(done.lines);
            self.ends(done.input, done.rest, done.log.rows)?;
        }
        Ok(())
    }

    /// Gives each line of a log; what keeps them from being read.
    fn each_line<R: io::BufRead>(
        &mut self,
        lines: &mut Lines<R>,
        told: Option<Told<'_>>,
        mut read: impl FnMut(&[u8], &mut pipeline::Watch, Each<'_>),
    ) -> Option<String> {
        loop {
            match lines.line() {
                Ok(Some(line)) => {
                    self.step(|watch, each| read(line, watch, each));
                    if let Some((global, kb)) = told {
                        self.tells(|trace| trace.detect.range().unwrap_or_default().1, global, kb);
                    }
                }
                Ok(None) => return None,
                Err(error) => return Some(unreadable(&error)),
            }
        }
    }

    fn begins(&mut self, opened: &Opened) -> u32 {
        let format = opened.kind.map_or("unknown", Source::name);
        self.all.begin_input(&opened.name, format, String::new(), 0)
    }

    fn ends(&mut self, input: u32, rest: Rest, read: u64) -> Result<(), Fail> {
        let Some(of) = self.all.inputs.get_mut(input as usize) else { return Ok(()) };
        let (sha256, bytes) = rest.read().map_err(|source| Fail::Input { path: PathBuf::from(&of.path), source })?;
        (of.sha256, of.bytes, of.observations) = (sha256, bytes, read);
        self.read = self.read.saturating_add(bytes);
        self.homes.resize(self.watch.sessions.iter().count(), input);
        Ok(())
    }
}
