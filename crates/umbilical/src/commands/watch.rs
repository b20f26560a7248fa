//! `watch`: captures to sessions and conversations, each tied to the module that had them.

mod declared;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest as _, Sha256};
use umbilical_assess::{Fleet, Options};
use umbilical_core::answer::watch::{Counters, Detector, FlowRow, SCHEMA, Session, TunnelEnd, Watched};
use umbilical_core::answer::{Module, Said};
use umbilical_core::id::hex;
use umbilical_core::number::Shown;
use umbilical_core::observation::{At, Basis, Group, Input};
use umbilical_core::text::clean;
use umbilical_core::{Day, Observations};
use umbilical_knowledge::Knowledge;
use umbilical_report::{View, json, watch as page};
use umbilical_traffic::capture::{self, CaptureError};
use umbilical_traffic::cellular::{Side, rat_name, sessions};
use umbilical_traffic::detect::{self, Detectors};
use umbilical_traffic::flow::{Event, Flow, Limits, Why};
use umbilical_traffic::names::{Word, Words};
use umbilical_traffic::packet::proto;
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch as pipeline;

use super::{facts, formats, headed};
use crate::args::{Format, Global};
use crate::fail::Fail;
use crate::gate::{Gates, Seen};
use crate::progress::Progress;
use crate::{home, out};

/// Shown behind the flags.
pub const EXAMPLES: &str =
    "Captures are pcap or pcapng, also packed with gzip or zstd; of several those that began first are read first. `-` is standard
input. Tunnels of a mobile network (GTP) are opened, and what is in them is tied to SIM and module by the signalling that the
captures hold (GTP-C, PFCP); so is what stands outside of tunnels, by what gateways report of addresses (RADIUS, Diameter).

Examples:
  umbilical watch gateway.pcap
  umbilical watch --sessions sims.csv gi.pcap
  umbilical watch --flows flows.jsonl --format json captures/
  tcpdump -i gn0 -w - | umbilical watch -";

/// `watch`.
#[derive(Args, Debug)]
pub struct Watch {
    /// Captures and folders of them; `-` for standard input
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
    let sources = ordered(sources(&args.sources)?)?;
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
    for source in &sources {
        trace.read(source, &progress)?;
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
    let code = gates.code(watched.findings.iter(), Seen::default());
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

/// Files below what was named, each once, in the order of their paths.
fn sources(named: &[PathBuf]) -> Result<Vec<PathBuf>, Fail> {
    let mut out = Vec::new();
    for path in named {
        let fail = |source| Fail::Input { path: path.clone(), source };
        if path.as_os_str() == "-" || !path.metadata().map_err(fail)?.is_dir() {
            out.push(path.clone());
            continue;
        }
        let mut open = vec![path.clone()];
        let mut found = Vec::new();
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(&folder).map_err(fail)? {
                let path = entry.map_err(fail)?.path();
                // What a link leads to is named where it lies.
                match path.symlink_metadata() {
                    Ok(m) if m.is_dir() => open.push(path),
                    Ok(m) if m.is_file() => found.push(path),
                    _ => {}
                }
            }
        }
        found.sort();
        out.extend(found);
    }
    Ok(out)
}

/// Several captures are one trace, in the order in which they began; those that are none stay where they are.
fn ordered(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Fail> {
    if paths.len() < 2 {
        return Ok(paths);
    }
    let mut keyed = Vec::new();
    for (n, path) in paths.into_iter().enumerate() {
        let begin = if path.as_os_str() == "-" { None } else { first_time(&path)? };
        keyed.push((begin, n, path));
    }
    keyed.sort();
    Ok(keyed.into_iter().map(|(_, _, path)| path).collect())
}

/// When the first frame of a capture was seen.
fn first_time(path: &Path) -> Result<Option<Micros>, Fail> {
    let fail = |source| Fail::Input { path: path.to_path_buf(), source };
    // The first frame stands near the beginning.
    let head = File::open(path).map_err(fail)?.take(1 << 20);
    let mut first = None;
    if let Ok(from) = capture::unpacked(head) {
        let _ = capture::read(from, &mut |frame| first = first.or(Some(frame.at)));
    }
    Ok(first)
}

/// What is read is counted and hashed on its way.
struct Counted<'a, R> {
    from: R,
    hash: Sha256,
    bytes: u64,
    before: u64,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.hash.update(buffer.get(..n).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(n as u64);
        self.progress.at(self.before.saturating_add(self.bytes));
        Ok(n)
    }
}

/// What was read, and what could not be.
type WasRead = (Vec<Input>, Vec<Said>);

/// A trace of several captures.
struct Trace {
    watch: pipeline::Watch,
    detect: Detectors,
    all: Observations,
    problems: Vec<Said>,
    flows: Option<(PathBuf, BufWriter<File>)>,
    /// Identifiers of the sessions so far.
    ids: Vec<String>,
    /// The capture in which each of them was introduced.
    homes: Vec<u32>,
    read: u64,
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
        Ok(Self { watch, detect, all: Observations::new(), problems: Vec::new(), flows, ids: Vec::new(), homes: Vec::new(), read: 0 })
    }

    /// Takes what an operator wrote down.
    fn declare(&mut self, table: &Path) -> Result<(), Fail> {
        let input = declared::read(table, &mut self.watch.sessions, &mut self.all, &mut self.problems)?;
        self.homes.resize(self.watch.sessions.iter().count(), input);
        Ok(())
    }

    fn read(&mut self, source: &Path, progress: &Progress) -> Result<(), Fail> {
        let fail = |source_of| Fail::Input { path: source.to_path_buf(), source: source_of };
        let from: Box<dyn Read> =
            if source.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(File::open(source).map_err(fail)?) };
        let mut counted = Counted { from, hash: Sha256::new(), bytes: 0, before: self.read, progress };
        let name = if source.as_os_str() == "-" { "standard input".to_owned() } else { source.display().to_string() };
        let before = self.watch.counters.packets;
        let mut failed = Ok(());
        let ended = {
            let unpacked = capture::unpacked(&mut counted).map_err(fail)?;
            let (watch, detect, flows, ids) = (&mut self.watch, &mut self.detect, &mut self.flows, &mut self.ids);
            // The names are inside the trace that gives the events: what ended is written behind the frame.
            let mut over: Vec<(Flow, Why)> = Vec::new();
            let keep = flows.is_some();
            capture::read(unpacked, &mut |frame| {
                watch.frame(&frame, &mut |event| {
                    detect.see(&event);
                    if let (Event::End(flow, why), true) = (event, keep) {
                        over.push((flow.clone(), why));
                    }
                });
                if let Some((_, to)) = flows
                    && !over.is_empty()
                {
                    number(watch, ids);
                    for (flow, why) in over.drain(..) {
                        if failed.is_ok() {
                            failed = written(to, &flow, why, &watch.words, ids);
                        }
                    }
                }
            })
        };
        // What stands behind the end belongs to the file all the same.
        io::copy(&mut counted, &mut io::sink()).map_err(fail)?;
        self.read = self.read.saturating_add(counted.bytes);
        let sha256 = hex(&counted.hash.finalize());
        let format = if ended.is_ok() { "capture" } else { "unknown" };
        let input = self.all.begin_input(&clean(&name), format, sha256, counted.bytes);
        self.homes.resize(self.watch.sessions.iter().count(), input);
        let mut problem = |what: String| self.problems.push(Said { input: Some(input), at: "file".to_owned(), what });
        match ended {
            Ok(end) => {
                if let Some(broken) = end.broken {
                    problem(broken);
                }
                if let Some(input) = self.all.inputs.last_mut() {
                    input.observations = self.watch.counters.packets.saturating_sub(before);
                }
            }
            Err(CaptureError::Io(source)) => problem(CaptureError::Io(source).to_string()),
            Err(CaptureError::Other) => problem(format!("{}: {}", clean(&name), CaptureError::Other)),
        }
        failed.map_err(|source| self.flows_fail(source))
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
