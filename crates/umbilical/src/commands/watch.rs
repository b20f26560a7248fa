//! `watch`: captures and records to sessions and conversations, each tied to the module that had them.

mod ahead;
mod declared;
mod keep;
mod listen;
mod lists;
mod live;
mod memory;
mod messages;
mod naming;
mod read;
mod rows;
mod source;
mod tables;
mod telling;
mod ways;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use umbilical_core::answer::Said;
use umbilical_core::answer::watch::{self, Counters, SCHEMA, Session, Watched};
use umbilical_core::finding::Finding;
use umbilical_core::number::Shown;
use umbilical_core::observation::Input;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, json, watch as page};
use umbilical_traffic::cellular::{rat_name, sessions};
use umbilical_traffic::detect::{self, Detectors, Given};
use umbilical_traffic::flow::{Each, Event, Flow, Limits, Why};
use umbilical_traffic::learn::Lesson;
use umbilical_traffic::names::Words;
use umbilical_traffic::places::Operators;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch as pipeline;

use self::naming::{Naming, subscriber};
use self::rows::{address, body, detector, modules, number, publisher, tunnel_end};
use self::tables::Tables;
use self::telling::Telling;
use self::ways::{Kept, Ways};
use super::{facts, formats, headed};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::gate::{self, Gates};
use crate::progress::Progress;
use crate::{home, out, recorded, stored};

/// Shown behind the flags.
pub const EXAMPLES: &str =
    "Captures are pcap or pcapng; NetFlow 5 and 9, IPFIX, logs of Zeek and Suricata's EVE are read beside them, all of it also packed
with gzip or zstd. Of several inputs those that began first are read first; `-` is standard input. Tunnels of a mobile network (GTP)
are opened, and what is in them is tied to SIM and module by the signalling that the captures hold (GTP-C, PFCP); so is what stands
outside of tunnels, by what gateways report of addresses (RADIUS, Diameter).

Examples:
  umbilical watch gateway.pcap
  umbilical watch --sessions sims.csv gi.pcap
  umbilical watch --ip-db country.mmdb --ip-db asn.mmdb --flows flows.jsonl gi.pcap
  umbilical watch --flows flows.jsonl --format json captures/
  umbilical watch /opt/zeek/logs/2026-11-01
  umbilical watch netflow://0.0.0.0:2055 --flows flows.jsonl
  umbilical watch live://s5 live://gi --user umbilical --for 3600
  tcpdump -i gn0 -w - | umbilical watch -";

/// `watch`.
#[derive(Args, Debug)]
pub struct Watch {
    /// Captures, logs, records, and folders of them; `-`: standard input; listen on netflow://ADDRESS:PORT, live://INTERFACE
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// Write each conversation to a file, one JSON object for each line; `-`: standard output, beside --output
    #[arg(long, value_name = "FILE")]
    flows: Option<PathBuf>,
    /// Write each finding to a file, one JSON object for each line, as soon as it is made
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// A table of who had which address when: imsi, iccid, imei, msisdn, apn, ip, start, end
    #[arg(long, value_name = "FILE")]
    sessions: Vec<PathBuf>,
    /// A database of addresses: country and network of remote ends, as MMDB or CSV
    #[arg(long, value_name = "FILE")]
    ip_db: Vec<PathBuf>,
    /// What others have listed: addresses, names, URLs and hashes one a line, MISP or STIX 2
    #[arg(long, value_name = "FILE")]
    indicators: Vec<PathBuf>,
    /// What is expected here (TOML): update windows and servers, networks behind modules, what is not to be told
    #[arg(long, value_name = "FILE")]
    expect: Vec<PathBuf>,
    /// Records of short messages: time, who got them (imsi, iccid, imei, msisdn, to), direction, from; what they said is not looked at
    #[arg(long, value_name = "FILE")]
    sms: Vec<PathBuf>,
    /// Silence behind which a conversation is over; 0: never [default: 60, TCP 300]
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u32>,
    /// Listen for so long; without it until an interrupt
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u32>,
    /// Threads to use [default: as many as the machine has]; with two or more one reads ahead
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    #[command(flatten)]
    live: live::Flags,
    /// Score beacons as another tool does
    #[arg(long, value_name = "TOOL")]
    compat: Option<Compat>,
}

/// A tool whose numbers its users want to find again.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Compat {
    /// RITA 5: its beacon score, of all contacts of the last day
    Rita,
}

/// The exit code of what was interrupted, the answer notwithstanding.
const INTERRUPTED: u8 = 130;
/// Sessions listed at a terminal.
const ROWS: usize = 40;

pub fn run(global: &Global, args: &Watch) -> Result<u8, Fail> {
    formats(global, "watch", &[Format::Table, Format::Json])?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let kb = facts(global)?;
    let (mut ports, mut interfaces, mut paths) = (Vec::new(), Vec::new(), Vec::new());
    for source in &args.sources {
        match (listen::address(source), live::name(source)) {
            (Some(address), _) => ports.push(address?),
            (_, Some(name)) => interfaces.push(name?),
            _ => paths.push(source.clone()),
        }
    }
    if args.seconds.is_some() && ports.is_empty() && interfaces.is_empty() {
        let help = Some("files end by themselves; name a port: netflow://0.0.0.0:2055".to_owned());
        return Err(Fail::Usage { what: "--for needs a source that is listened to".to_owned(), help });
    }
    if let (Some(flag), true) = (args.live.given(), interfaces.is_empty()) {
        return Err(Fail::usage(format!("{flag} needs an interface"), "name one: live://eth0"));
    }
    let tables = Tables {
        sessions: args.sessions.clone(),
        databases: args.ip_db.clone(),
        indicators: args.indicators.clone(),
        expected: args.expect.clone(),
        messages: args.sms.clone(),
    };
    tables.one_standard_input(&paths)?;
    // Behind this nothing of the right to capture is left: what is read and written, is so without it.
    let ports = ports.into_iter().map(listen::bind).collect::<Result<_, _>>()?;
    let ears = listen::Ears { ports, interfaces: live::open(&interfaces, &args.live)? };
    let sources = source::below(&paths)?;
    for written in args.flows.iter().chain(&args.findings).chain(&global.output) {
        super::not_an_input(written, &sources)?;
        super::not_an_input(written, &args.sessions)?;
        super::not_an_input(written, &args.ip_db)?;
        super::not_an_input(written, &args.indicators)?;
        super::not_an_input(written, &args.expect)?;
        super::not_an_input(written, &args.sms)?;
    }
    let total = || sources.iter().filter_map(|p| p.metadata().ok()).map(|m| m.len()).sum();
    let progress = Arc::new(Progress::new(global, total));
    let mut given = Given { rita: args.compat.is_some(), operators: Operators::new(&kb), ..Given::default() };
    let goes_on = ears.is_any();
    let ways = Ways::open(global, args.flows.as_deref(), goes_on)?;
    let unread = memory::open(global, &mut given)?;
    let telling = Telling::open(global, args.findings.as_deref(), args.flows.as_deref(), goes_on)?;
    let mut trace = Trace::new(limits(args.idle), given, ways, telling);
    trace.problems.extend(unread);
    trace.ways.naming = Naming::new(&kb, global.show_subscribers);
    trace.threads = args.threads.map_or(trace.threads, usize::from);
    if !ears.interfaces.is_empty() {
        trace.ways.lasts(global)?;
    }
    trace.tables(&tables)?;
    for sources in source::ordered(sources)? {
        trace.read(sources, &progress, (global, &kb))?;
    }
    progress.done();
    let stopped = ears.is_any() && listen::listen(&mut trace, (global, &kb), ears, args.seconds, tables)?;
    let captures = || trace.all.inputs.iter().filter(|i| !is_beside(i));
    let understood = captures().any(|i| i.format != "unknown");
    let whole = captures().all(|i| i.format != "unknown");
    // An empty folder is understood: there is nothing in it.
    if !understood && captures().next().is_some() || global.strict && !whole {
        let what = trace.problems.first().map(|p| p.what.clone()).unwrap_or_default();
        return Err(if understood { Fail::Strict(what) } else { Fail::NothingReadable(what) });
    }
    let as_of = home::as_of(global);
    let mut ended = trace.end(&kb, as_of)?;
    let code = gates.code(ended.watched.findings.iter(), gate::Seen::default());
    let sessions = ended.watched.sessions.clone();
    let findings = covered(&ended.watched.findings, &sessions);
    if !global.show_subscribers {
        ended.watched.sessions.iter_mut().for_each(cover);
        ended.watched.findings.clone_from(&findings);
        ended.watched.incidents = watch::incidents(&findings);
    }
    ended.telling.tell(&ended.watched.findings);
    // What is missing there keeps nobody from the answer.
    let told = ended.telling.ended();
    let document = headed(SCHEMA, &kb, as_of, (&ended.inputs, ended.problems), ended.watched);
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    let written = out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &document),
        _ => page::table(w, &document, &view),
    });
    // A reader that has seen enough (`| head`) changes neither what is kept nor what a gate says.
    match written {
        Err(problem) if !problem.is_closed_pipe() => return Err(problem),
        _ => {}
    }
    if let Some(keep) = ended.keep {
        let (ids, words) = (&ended.ids, &ended.words);
        let (who, now) = (&recorded::person(), stored::now());
        let (inputs, lesson) = (&ended.inputs, &ended.lesson);
        let done = keep::Done { answer: &document, sessions: &sessions, findings: &findings, inputs, lesson, ids, words, who, now };
        let said = keep.and_then(|keep| keep.finish(&done)).map_err(|what| Fail::Home {
            what: format!("the answer is given, and not kept in the home: {what}"),
            help: Some("watch once more; --no-save keeps nothing on purpose".to_owned()),
        })?;
        if !global.quiet {
            eprintln!("umbilical: {said}");
        }
    }
    told?;
    Ok(if stopped { INTERRUPTED } else { code })
}

/// Watches one capture, and keeps it in the home without a word.
pub fn keep_quietly(global: &Global, path: &Path, who: &str) -> Result<(), Fail> {
    let kb = facts(global)?;
    let as_of = home::as_of(global);
    let mut given = Given { operators: Operators::new(&kb), ..Given::default() };
    let ways = Ways::open(global, None, false)?;
    let unread = memory::open(global, &mut given)?;
    let mut trace = Trace::new(limits(None), given, ways, Telling::open(global, None, None, false)?);
    trace.problems.extend(unread);
    trace.ways.naming = Naming::new(&kb, false);
    let progress = Arc::new(Progress::new(&Global { quiet: true, ..global.clone() }, || 0));
    for sources in source::ordered(vec![path.to_owned()])? {
        trace.read(sources, &progress, (global, &kb))?;
    }
    let ended = trace.end(&kb, as_of)?;
    let sessions = ended.watched.sessions.clone();
    let findings = covered(&ended.watched.findings, &sessions);
    let document = headed(SCHEMA, &kb, as_of, (&ended.inputs, ended.problems), ended.watched);
    let (ids, words, now) = (&ended.ids, &ended.words, stored::now());
    let (inputs, lesson) = (&ended.inputs, &ended.lesson);
    let done = keep::Done { answer: &document, sessions: &sessions, findings: &findings, inputs, lesson, ids, words, who, now };
    let kept = ended.keep.map(|keep| keep.and_then(|keep| keep.finish(&done)));
    kept.transpose().map(|_| ()).map_err(|what| Fail::Home { what, help: None })
}

/// Whether an input only tells of others.
fn is_beside(input: &Input) -> bool {
    [declared::FORMAT, messages::FORMAT, naming::FORMAT].contains(&input.format.as_str()) || lists::FORMATS.contains(&input.format.as_str())
}

/// Findings as they are shown to everybody.
fn covered(findings: &[Finding], sessions: &[Session]) -> Vec<Finding> {
    let own = naming::subscribers(sessions);
    let mut out = findings.to_vec();
    for finding in &mut out {
        let own = own.get(finding.subject.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        naming::cover_finding(finding, own);
    }
    out
}

/// Numbers of subscribers as they are shown to everybody.
fn cover(session: &mut Session) {
    for number in [&mut session.imsi, &mut session.iccid, &mut session.msisdn].into_iter().flatten() {
        *number = Shown(number).to_string();
    }
}

fn limits(idle: Option<u32>) -> Limits {
    let seconds = |n: u32| (n > 0).then(|| Micros::seconds(n.into()));
    match idle {
        None => Limits::default(),
        Some(n) => Limits { idle: seconds(n), idle_tcp: seconds(n), ..Limits::default() },
    }
}

/// A trace that is over.
struct Ended {
    telling: Telling,
    /// The answer, subscriber numbers whole.
    watched: Watched,
    inputs: Vec<Input>,
    problems: Vec<Said>,
    keep: Option<Kept>,
    /// What it taught.
    lesson: Lesson,
    ids: Vec<String>,
    words: Words,
}

/// A trace of several inputs.
struct Trace {
    watch: pipeline::Watch,
    detect: Detectors,
    all: Observations,
    problems: Vec<Said>,
    ways: Ways,
    /// Identifiers of the sessions so far.
    ids: Vec<String>,
    /// The input in which each of them was introduced.
    homes: Vec<u32>,
    read: u64,
    /// Threads that may be used.
    threads: usize,
    /// Conversations that ended by what is just being read.
    over: Vec<(Flow, Why)>,
    /// What was told before the end.
    telling: Telling,
    /// Datagrams and frames that came faster than they were taken; `None`: nobody listened, or the system does not say.
    dropped: Option<u64>,
}

impl Trace {
    fn new(limits: Limits, given: Given, ways: Ways, telling: Telling) -> Self {
        Self {
            watch: pipeline::Watch::new(limits),
            detect: Detectors::new(given),
            all: Observations::new(),
            problems: Vec::new(),
            ways,
            ids: Vec::new(),
            homes: Vec::new(),
            read: 0,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            over: Vec::new(),
            telling,
            dropped: None,
        }
    }

    /// Does something with the trace, and writes the conversations that ended by it.
    fn step<T>(&mut self, does: impl FnOnce(&mut pipeline::Watch, Each<'_>) -> T) -> T {
        let (over, keep, detect) = (&mut self.over, self.ways.is_any(), &mut self.detect);
        // The names are inside the trace that gives the events: what ended is written behind them.
        let done = does(&mut self.watch, &mut |event, words| {
            detect.see(&event, words);
            if let (Event::End(flow, why), true) = (event, keep) {
                over.push((flow.clone(), why));
            }
        });
        if !self.over.is_empty() {
            number(&self.watch, &mut self.ids);
            for (flow, why) in self.over.drain(..) {
                let own = flow.session.and_then(|id| self.watch.sessions.get(id)).map(subscriber).unwrap_or_default();
                self.ways.take(&flow, why, &self.watch.words, &self.ids, &own);
            }
        }
        done
    }

    /// The answer.
    fn end(mut self, kb: &Knowledge, as_of: Day) -> Result<Ended, Fail> {
        number(&self.watch, &mut self.ids);
        // Up to a million conversations end here at once: each is written as it does.
        let (ways, ids, detect) = (&mut self.ways, &self.ids, &mut self.detect);
        let keep = ways.is_any();
        let own: Vec<_> = if keep { self.watch.sessions.iter().map(|(_, s)| subscriber(s)).collect() } else { Vec::new() };
        self.watch.finish(&mut |event, words| {
            detect.see(&event, words);
            if let (Event::End(flow, why), true) = (event, keep) {
                let own = flow.session.and_then(|id| own.get(id.0 as usize)).map_or(&[][..], Vec::as_slice);
                ways.take(flow, why, words, ids, own);
            }
        });
        ways.close()?;
        let over = detect::Trace { words: &self.watch.words, sessions: &self.watch.sessions };
        let (name, inputs) = memory::named(self.all.inputs.iter().filter(|i| !is_beside(i)), self.detect.range());
        let places = &mut self.ways.naming.places;
        self.detect.learn((&name, inputs), over, &mut |addr| places.of(addr).cloned());
        let (alerts, came) = self.detect.finish(over);
        self.telling.joins();
        let watched = self.watched(kb, as_of, &alerts, &came);
        Ok(Ended {
            watched,
            telling: self.telling,
            inputs: self.all.inputs,
            problems: self.problems,
            keep: self.ways.keep,
            lesson: self.detect.into_lesson(),
            ids: self.ids,
            words: self.watch.words,
        })
    }

    /// The answer so far, by what was found.
    fn watched(&self, kb: &Knowledge, as_of: Day, alerts: &[detect::Alert], came: &[detect::Came]) -> Watched {
        let modules = modules(&self.all.inputs, &self.watch, &self.homes, kb, as_of);
        let (flows, evicted) = self.watch.flows();
        let c = &self.watch.counters;
        let counters = Counters {
            packets: c.packets,
            bytes: c.bytes,
            flows,
            undecoded: c.undecoded,
            published: c.published,
            tunnelled: c.tunnelled,
            unattributed: c.unattributed,
            strangers: c.strangers,
            signalling: c.signalling,
            orphans: self.watch.sessions.orphans,
            incomplete: self.watch.incomplete(),
            evicted,
            records: c.records,
            alerts: c.alerts,
            untemplated: c.untemplated,
            sampled: c.sampled,
            names_lost: self.watch.words.lost,
            dropped: self.dropped,
        };
        // What was written down need not have been on the network.
        let heard = self.watch.sessions.iter().zip(&self.ids).filter(|((_, s), _)| s.heard);
        let sessions = heard.map(|((_, s), id)| Session {
            id: id.clone(),
            imsi: s.imsi.clone(),
            iccid: s.iccid.clone(),
            imei: s.imei.clone(),
            tac: s.imei.as_ref().and_then(|n| n.get(..8)).map(str::to_owned),
            msisdn: s.msisdn.clone(),
            apn: s.apn.clone(),
            rat: s.rat.and_then(rat_name),
            teids: s.ends.iter().map(tunnel_end).collect(),
            ue: s.ue.iter().map(address).collect(),
            module: s.imei.as_deref().and_then(body).and_then(|b| modules.get(b)).cloned(),
            first: s.first.to_string(),
            last: s.last.to_string(),
            packets: s.packets,
            bytes_up: s.bytes_up,
            bytes_down: s.bytes_down,
            flows: s.flows,
        });
        let id = |id: sessions::Id| self.ids.get(id.0 as usize).cloned().unwrap_or_default();
        let findings: Vec<Finding> = alerts.iter().map(|alert| alert.finding(id)).collect();
        let detectors = came.iter().map(detector).collect();
        let publishers = self.watch.publishers.iter().map(publisher).collect();
        let incidents = watch::incidents(&findings);
        Watched { sessions: sessions.collect(), incidents, publishers, findings, detectors, counters }
    }
}
