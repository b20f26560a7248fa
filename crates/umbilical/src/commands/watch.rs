//! `watch`: captures and records to sessions and conversations, each tied to the module that had them.

mod declared;
mod source;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest as _, Sha256};
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::watch::{Counters, Detector, FlowRow, SCHEMA, Session, TunnelEnd, Watched};
use umbilical_core::answer::{Module, Said};
use umbilical_core::id::hex;
use umbilical_core::number::Shown;
use umbilical_core::observation::{At, Basis, Group, Input};
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, json, watch as page};
use umbilical_traffic::capture;
use umbilical_traffic::cellular::{Side, rat_name, sessions};
use umbilical_traffic::detect::{self, Detectors};
use umbilical_traffic::flow::{Event, Flow, Limits, Seen, Why};
use umbilical_traffic::names::{Word, Words};
use umbilical_traffic::packet::proto;
use umbilical_traffic::record::{Lines, Troubles, eve, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch as pipeline;

use self::source::{Batch, Opened, Rest};
use super::{facts, formats, headed};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::gate::{self, Gates};
use crate::progress::Progress;
use crate::{home, out};

/// Shown behind the flags.
pub const EXAMPLES: &str =
    "Captures are pcap or pcapng; NetFlow 5 and 9, IPFIX, logs of Zeek and Suricata's EVE are read beside them, all of it also packed
with gzip or zstd. Of several inputs those that began first are read first; `-` is standard input. Tunnels of a mobile network (GTP)
are opened, and what is in them is tied to SIM and module by the signalling that the captures hold (GTP-C, PFCP); so is what stands
outside of tunnels, by what gateways report of addresses (RADIUS, Diameter).

Examples:
  umbilical watch gateway.pcap
  umbilical watch --sessions sims.csv gi.pcap
  umbilical watch --flows flows.jsonl --format json captures/
  umbilical watch /opt/zeek/logs/2026-11-01
  tcpdump -i gn0 -w - | umbilical watch -";

/// `watch`.
#[derive(Args, Debug)]
pub struct Watch {
    /// Captures, logs, records, and folders of them; `-` for standard input
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// Write each conversation to a file, one JSON object for each line
    #[arg(long, value_name = "FILE")]
    flows: Option<PathBuf>,
    /// A table of who had which address when: imsi, iccid, imei, msisdn, apn, ip, start, end
    #[arg(long, value_name = "FILE")]
    sessions: Vec<PathBuf>,
    /// Silence behind which a conversation is over; 0: never [default: 60, TCP 300]
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u32>,
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

/// Sessions listed at a terminal.
const ROWS: usize = 40;

pub fn run(global: &Global, args: &Watch) -> Result<u8, Fail> {
    formats(global, "watch", &[Format::Table, Format::Json])?;
    let gates = Gates::parse(&global.fail_on, &[])?;
    let kb = facts(global)?;
    let sources = source::below(&args.sources)?;
    for written in args.flows.iter().chain(&global.output) {
        super::not_an_input(written, &sources)?;
        super::not_an_input(written, &args.sessions)?;
    }
    let total = || sources.iter().filter_map(|p| p.metadata().ok()).map(|m| m.len()).sum();
    let progress = Progress::new(global, total);
    let mut trace = Trace::new(limits(args.idle), detect::Options { rita: args.compat.is_some() }, args.flows.as_deref())?;
    for table in &args.sessions {
        trace.declare(table)?;
    }
    for batch in source::ordered(sources)? {
        trace.read(batch, &progress)?;
    }
    progress.done();
    let captures = || trace.all.inputs.iter().filter(|i| i.format != declared::FORMAT);
    let understood = captures().any(|i| i.format != "unknown");
    let whole = captures().all(|i| i.format != "unknown");
    // An empty folder is understood: there is nothing in it.
    if !understood && captures().next().is_some() || global.strict && !whole {
        let what = trace.problems.first().map(|p| p.what.clone()).unwrap_or_default();
        return Err(if understood { Fail::Strict(what) } else { Fail::NothingReadable(what) });
    }
    let as_of = home::as_of(global);
    let (watched, read) = trace.end(global, &kb, as_of)?;
    let code = gates.code(watched.findings.iter(), gate::Seen::default());
    let document = headed(SCHEMA, &kb, as_of, (&read.0, read.1), watched);
    let view = View { width: out::width(), color: out::colour(global), max_rows: ROWS };
    out::answer(global, |w| match global.format {
        Format::Json => json::one(w, &document),
        _ => page::table(w, &document, &view),
    })?;
    Ok(code)
}

fn limits(idle: Option<u32>) -> Limits {
    let seconds = |n: u32| (n > 0).then(|| Micros::seconds(n.into()));
    match idle {
        None => Limits::default(),
        Some(n) => Limits { idle: seconds(n), idle_tcp: seconds(n), ..Limits::default() },
    }
}

/// What was read, and what could not be.
type WasRead = (Vec<Input>, Vec<Said>);

/// A log of Zeek among others.
struct OpenLog<'p> {
    input: u32,
    rest: Rest<'p>,
    lines: Lines<BufReader<Box<dyn Read + 'p>>>,
    log: zeek::Log,
}

const UNKNOWN: &str = "this is nothing that is known: neither pcap nor pcapng, no log of Zeek, no events of Suricata, no datagrams of \
                       NetFlow or IPFIX";

/// Says what is wrong with lines, datagrams or frames.
fn troubles(all: &Troubles, unit: &str, problem: &mut dyn FnMut(&str, String)) {
    for trouble in all.iter() {
        let more = match trouble.more {
            0 => String::new(),
            n => format!("; so it is with {n} more"),
        };
        problem(&format!("{unit} {}", trouble.first), format!("{}{more}", trouble.what));
    }
}

/// A trace of several inputs.
struct Trace {
    watch: pipeline::Watch,
    detect: Detectors,
    all: Observations,
    problems: Vec<Said>,
    flows: Option<(PathBuf, BufWriter<File>)>,
    /// Identifiers of the sessions so far.
    ids: Vec<String>,
    /// The input in which each of them was introduced.
    homes: Vec<u32>,
    read: u64,
    /// Conversations that ended by what is just being read.
    over: Vec<(Flow, Why)>,
    /// Whether they could be written.
    failed: io::Result<()>,
}

impl Trace {
    fn new(limits: Limits, detect: detect::Options, flows: Option<&Path>) -> Result<Self, Fail> {
        let flows = flows
            .map(|path| {
                let file = File::create(path).map_err(|source| Fail::Output { to: path.display().to_string(), source })?;
                Ok::<_, Fail>((path.to_path_buf(), BufWriter::with_capacity(1 << 16, file)))
            })
            .transpose()?;
        let watch = pipeline::Watch::new(limits);
        let detect = Detectors::new(detect);
        Ok(Self {
            watch,
            detect,
            all: Observations::new(),
            problems: Vec::new(),
            flows,
            ids: Vec::new(),
            homes: Vec::new(),
            read: 0,
            over: Vec::new(),
            failed: Ok(()),
        })
    }

    /// Takes what an operator wrote down.
    fn declare(&mut self, table: &Path) -> Result<(), Fail> {
        let input = declared::read(table, &mut self.watch.sessions, &mut self.all, &mut self.problems)?;
        self.homes.resize(self.watch.sessions.iter().count(), input);
        Ok(())
    }

    fn read(&mut self, batch: Batch, progress: &Progress) -> Result<(), Fail> {
        match batch {
            Batch::One(path) => self.one(&path, progress),
            Batch::Logs(logs) => self.logs(logs, progress),
        }?;
        std::mem::replace(&mut self.failed, Ok(())).map_err(|source| self.flows_fail(source))
    }

    fn one(&mut self, path: &Path, progress: &Progress) -> Result<(), Fail> {
        let opened = Opened::new(path, self.read, progress)?;
        let input = self.begins(&opened);
        let rest = opened.rest();
        let before = self.watch.counters;
        let mut problems = Vec::new();
        let mut problem = |at: &str, what: String| problems.push((at.to_owned(), what));
        let read = match opened.kind {
            Some(Source::Capture) => {
                match capture::read(opened.from, &mut |frame| self.step(|watch, each| watch.frame(&frame, each))) {
                    Ok(end) => end.broken.into_iter().for_each(|broken| problem("file", broken)),
                    Err(error) => problem("file", error.to_string()),
                }
                troubles(&std::mem::take(&mut self.watch.troubles), "frame", &mut problem);
                self.watch.counters.packets.saturating_sub(before.packets)
            }
            Some(Source::Netflow(_)) => {
                let mut wrong = Troubles::default();
                let read = netflow::datagrams(opened.from, &mut |number, bytes| {
                    let from = netflow::From::Input(input);
                    self.step(|watch, each| {
                        if let Some(what) = watch.export(from, bytes, None, number, each) {
                            wrong.put(number, what);
                        }
                    });
                });
                match read {
                    Ok(end) => end.into_iter().for_each(|(number, what)| wrong.put(number, what)),
                    Err(error) => problem("file", format!("cannot be read: {error}")),
                }
                troubles(&wrong, "datagram", &mut problem);
                self.watch.counters.records.saturating_sub(before.records)
            }
            Some(Source::Zeek(kind)) => {
                let mut log = zeek::Log::new(kind.sees());
                let mut lines = Lines::new(source::buffered(opened.from));
                let failed = self.each_line(&mut lines, |line, watch, each| {
                    log.line(line, watch, each);
                });
                failed.into_iter().for_each(|error| problem("file", error));
                troubles(&log.troubles, "line", &mut problem);
                log.rows
            }
            Some(Source::Eve) => {
                let mut log = eve::Log::default();
                let mut lines = Lines::new(source::buffered(opened.from));
                let failed = self.each_line(&mut lines, |line, watch, each| log.line(line, watch, each));
                failed.into_iter().for_each(|error| problem("file", error));
                troubles(&log.troubles, "line", &mut problem);
                log.rows
            }
            None => {
                problem("file", format!("{}: {UNKNOWN}", opened.name));
                0
            }
        };
        self.problems.extend(problems.into_iter().map(|(at, what)| Said { input: Some(input), at, what }));
        self.ends(input, rest, read)
    }

    /// Logs of Zeek side by side: what was said of a conversation is read before the line of the conversation itself.
    fn logs(&mut self, logs: Vec<(PathBuf, zeek::Kind, Option<Micros>)>, progress: &Progress) -> Result<(), Fail> {
        let beside = logs.iter().fold(Seen::NOTHING, |seen, (_, kind, _)| seen.with(kind.sees()));
        let mut open: Vec<Option<OpenLog<'_>>> = Vec::new();
        open.resize_with(logs.len(), || None);
        let place = |n: usize| logs.get(n).map(|(_, kind, begin)| begin.unwrap_or(Micros(i64::MIN)).plus(kind.behind()));
        let mut next: BinaryHeap<_> = (0..logs.len()).filter_map(|n| Some(Reverse((place(n)?, n)))).collect();
        while let Some(Reverse((mut at, n))) = next.pop() {
            let (Some((path, ..)), Some(slot)) = (logs.get(n), open.get_mut(n)) else { continue };
            let log = match slot {
                Some(log) => log,
                None => {
                    let opened = Opened::new(path, self.read, progress)?;
                    let (input, rest) = (self.begins(&opened), opened.rest());
                    slot.insert(OpenLog { input, rest, lines: Lines::new(source::buffered(opened.from)), log: zeek::Log::new(beside) })
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
                        failed = Some(format!("cannot be read: {error}"));
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
        mut read: impl FnMut(&[u8], &mut pipeline::Watch, &mut dyn FnMut(Event<'_>)),
    ) -> Option<String> {
        loop {
            match lines.line() {
                Ok(Some(line)) => self.step(|watch, each| read(line, watch, each)),
                Ok(None) => return None,
                Err(error) => return Some(format!("cannot be read: {error}")),
            }
        }
    }

    fn begins(&mut self, opened: &Opened<'_>) -> u32 {
        let format = opened.kind.map_or("unknown", Source::name);
        self.all.begin_input(&opened.name, format, String::new(), 0)
    }

    fn ends(&mut self, input: u32, rest: Rest<'_>, read: u64) -> Result<(), Fail> {
        let Some(of) = self.all.inputs.get_mut(input as usize) else { return Ok(()) };
        let (sha256, bytes) = rest.read().map_err(|source| Fail::Input { path: PathBuf::from(&of.path), source })?;
        (of.sha256, of.bytes, of.observations) = (sha256, bytes, read);
        self.read = self.read.saturating_add(bytes);
        self.homes.resize(self.watch.sessions.iter().count(), input);
        Ok(())
    }

    /// Does something with the trace, and writes the conversations that ended by it.
    fn step<T>(&mut self, does: impl FnOnce(&mut pipeline::Watch, &mut dyn FnMut(Event<'_>)) -> T) -> T {
        let (over, keep, detect) = (&mut self.over, self.flows.is_some(), &mut self.detect);
        // The names are inside the trace that gives the events: what ended is written behind them.
        let done = does(&mut self.watch, &mut |event| {
            detect.see(&event);
            if let (Event::End(flow, why), true) = (event, keep) {
                over.push((flow.clone(), why));
            }
        });
        if let Some((_, to)) = &mut self.flows
            && !self.over.is_empty()
        {
            number(&self.watch, &mut self.ids);
            for (flow, why) in self.over.drain(..) {
                if self.failed.is_ok() {
                    self.failed = written(to, &flow, why, &self.watch.words, &self.ids);
                }
            }
        }
        done
    }

    fn flows_fail(&self, source: io::Error) -> Fail {
        let to = self.flows.as_ref().map(|(path, _)| path.display().to_string()).unwrap_or_default();
        Fail::Output { to, source }
    }

    /// The answer.
    fn end(mut self, global: &Global, kb: &Knowledge, as_of: Day) -> Result<(Watched, WasRead), Fail> {
        number(&self.watch, &mut self.ids);
        // Up to a million conversations end here at once: each is written as it does. No name is learnt any more.
        let words = std::mem::take(&mut self.watch.words);
        let (flows, ids, mut done) = (&mut self.flows, &self.ids, Ok(()));
        let detect = &mut self.detect;
        self.watch.finish(&mut |event| {
            detect.see(&event);
            if let (Event::End(flow, why), Some((_, to)), Ok(())) = (event, flows.as_mut(), &done) {
                done = written(to, flow, why, &words, ids);
            }
        });
        if let (Ok(()), Some((_, to))) = (&done, flows.as_mut()) {
            done = to.flush();
        }
        done.map_err(|source| self.flows_fail(source))?;
        let modules = modules(&self.all.inputs, &self.watch, &self.homes, kb, as_of);
        let (flows, evicted) = self.watch.flows();
        let c = &self.watch.counters;
        let counters = Counters {
            packets: c.packets,
            bytes: c.bytes,
            flows,
            undecoded: c.undecoded,
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
            names_lost: words.lost,
        };
        let covered = |number: &Option<String>| {
            let shown = |n: &String| if global.show_subscribers { n.clone() } else { Shown(n).to_string() };
            number.as_ref().map(shown)
        };
        // What was written down need not have been on the network.
        let heard = self.watch.sessions.iter().zip(&self.ids).filter(|((_, s), _)| s.heard);
        let sessions = heard.map(|((_, s), id)| Session {
            id: id.clone(),
            imsi: covered(&s.imsi),
            iccid: covered(&s.iccid),
            imei: s.imei.clone(),
            tac: s.imei.as_ref().and_then(|n| n.get(..8)).map(str::to_owned),
            msisdn: covered(&s.msisdn),
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
        let (alerts, came) = self.detect.finish(&words);
        let id = |id: sessions::Id| self.ids.get(id.0 as usize).cloned().unwrap_or_default();
        let findings = alerts.iter().map(|alert| alert.finding(id)).collect();
        let detectors = came.iter().map(detector).collect();
        let watched = Watched { sessions: sessions.collect(), findings, detectors, counters };
        Ok((watched, (self.all.inputs, self.problems)))
    }
}

fn detector(came: &detect::Came) -> Detector {
    let tally = came.tally;
    Detector {
        code: came.about.code,
        version: came.about.version,
        state: if tally.judged == 0 && tally.blind > 0 { "not-evaluable" } else { "evaluated" },
        needs: came.about.needs,
        judged: tally.judged,
        blind: tally.blind,
        forgotten: tally.forgotten,
        findings: came.alerts,
    }
}

/// Ids of the sessions that have none yet: they derive from the message that introduced each.
fn number(watch: &pipeline::Watch, ids: &mut Vec<String>) {
    for (_, session) in watch.sessions.iter().skip(ids.len()) {
        let (at, asker, sequence) = session.introduced;
        let digest = hex(&Sha256::digest(format!("session:{}:{}:{sequence}", at.0, asker.ip())));
        ids.push(format!("ses-{}", digest.get(..12).unwrap_or_default()));
    }
}

fn tunnel_end((end, side): &(umbilical_traffic::cellular::End, Side)) -> TunnelEnd {
    let side = match side {
        Side::Access => Some("access"),
        Side::Core => Some("core"),
        Side::Unknown => None,
    };
    TunnelEnd { at: end.at.ip().to_string(), teid: end.teid, side }
}

fn address(ue: &umbilical_traffic::cellular::Ue) -> String {
    match (ue.addr.ip(), ue.bits) {
        (ip, 128) => ip.to_string(),
        (ip, bits) => format!("{ip}/{bits}"),
    }
}

/// The first 14 digits of an IMEI: what is behind them is a check digit or a version.
fn body(imei: &str) -> Option<&str> {
    imei.get(..14)
}

/// The module of each IMEI, as the audit identifies it by the network's word alone.
fn modules(inputs: &[Input], watch: &pipeline::Watch, homes: &[u32], kb: &Knowledge, as_of: Day) -> BTreeMap<String, Module> {
    let mut all = Observations::new();
    for input in inputs {
        let number = all.begin_input(&input.path, &input.format, input.sha256.clone(), input.bytes);
        let introduced = watch.sessions.iter().zip(homes).filter(|((_, s), home)| s.heard && **home == number);
        for imei in introduced.filter_map(|((_, session), _)| session.imei.as_ref()) {
            all.record(At::WHOLE).imei(At::WHOLE, imei, Group::Network, Basis::Observed);
        }
    }
    let fleet = Fleet::new(&all, kb, Options { as_of, show_subscribers: false });
    let mut out = BTreeMap::new();
    for device in fleet.devices() {
        let Some(module) = device.modules.first() else { continue };
        for imei in device.identifiers.imei.iter().chain(&device.identifiers.imei_unusable) {
            if let Some(body) = body(imei) {
                out.insert(body.to_owned(), module.clone());
            }
        }
    }
    out
}

fn written(to: &mut BufWriter<File>, flow: &Flow, why: Why, words: &Words, ids: &[String]) -> io::Result<()> {
    let name = |word: Option<Word>| word.map(|w| words.get(w));
    let session = |id: sessions::Id| ids.get(id.0 as usize).map(String::as_str);
    let row = FlowRow {
        session: flow.session.and_then(session),
        start: flow.start,
        end: flow.last,
        src: flow.key.client.ip(),
        dst: flow.key.server.ip(),
        src_port: flow.key.client_port,
        dst_port: flow.key.server_port,
        proto: match flow.key.proto {
            proto::TCP => "tcp".into(),
            proto::UDP => "udp".into(),
            proto::ICMP | proto::ICMPV6 => "icmp".into(),
            proto::SCTP => "sctp".into(),
            n => n.to_string().into(),
        },
        packets: flow.packets(),
        bytes: flow.up.bytes.saturating_add(flow.down.bytes),
        bytes_up: flow.up.bytes,
        bytes_down: flow.down.bytes,
        dns: name(flow.names.dns),
        sni: name(flow.names.sni),
        alpn: name(flow.names.alpn),
        ja3: name(flow.names.ja3),
        ja4: name(flow.names.ja4),
        host: name(flow.names.host),
        uri: name(flow.names.uri),
        agent: name(flow.names.agent),
        mime: name(flow.names.mime),
        answered: flow.answered(),
        seen: flow.seen.words().collect(),
        first_frame: flow.first_frame,
        ended: why.name(),
    };
    serde_json::to_writer(&mut *to, &row)?;
    to.write_all(b"\n")
}
