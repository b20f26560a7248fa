//! Ports to which routers export, and interfaces: the sources of `watch` that do not end by themselves.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use umbilical_knowledge::Knowledge;
use umbilical_traffic::capture::Frame;
use umbilical_traffic::link::Link;
use umbilical_traffic::packet::Addr;
use umbilical_traffic::record::{Troubles, netflow};
use umbilical_traffic::time::Micros;

use super::Trace;
use super::live::{Batch, Due, End, Interface, Queues, Span};
use super::read::troubles;
use super::tables::{Again, Tables};
use crate::args::Global;
use crate::fail::Fail;

/// Datagrams that wait to be read beside those that the system keeps; frames wait in batches, of which each interface has its own.
const WAITING: usize = 1 << 14;
/// How often the time is looked at where nothing comes.
const TURN: Duration = Duration::from_millis(200);
/// An interface that says nothing for so long is gone.
const GONE: Duration = Duration::from_secs(10);

/// The address of `netflow://ADDRESS:PORT`; `None` for what is a path.
pub fn address(source: &Path) -> Option<Result<SocketAddr, Fail>> {
    let text = source.to_str()?.strip_prefix("netflow://")?;
    let usage = || Fail::Usage {
        what: format!("netflow://{text} names no address to listen on"),
        help: Some("give an address of this machine and a port: netflow://0.0.0.0:2055".to_owned()),
    };
    Some(text.parse().map_err(|_| usage()))
}

/// A datagram of a router.
pub(super) struct Datagram {
    from: Addr,
    at: Micros,
    bytes: Vec<u8>,
}

/// What came, and from which port or interface.
#[cfg_attr(not(all(feature = "live", target_os = "linux")), expect(dead_code, reason = "no interface can be opened"))]
pub(super) enum Came {
    Datagram(usize, Datagram),
    Frames(usize, Batch),
    /// Nothing more comes of an interface.
    Over(usize, End),
    Tables(Box<Again>),
}

/// The way to whoever reads.
pub(super) type Send = mpsc::SyncSender<Came>;

/// What is listened to, opened.
#[derive(Default)]
pub struct Ears {
    pub ports: Vec<UdpSocket>,
    pub interfaces: Vec<Interface>,
}

impl Ears {
    pub fn is_any(&self) -> bool {
        !self.ports.is_empty() || !self.interfaces.is_empty()
    }
}

/// Opens a port.
pub fn bind(address: SocketAddr) -> Result<UdpSocket, Fail> {
    UdpSocket::bind(address).map_err(|source| Fail::Input { path: PathBuf::from(format!("netflow://{address}")), source })
}

/// What came of a port or an interface.
struct Source {
    input: u32,
    wrong: Troubles,
    count: u64,
    /// How frames of an interface begin.
    link: Link,
}

struct Heard {
    ports: Vec<(Source, SocketAddr)>,
    interfaces: Vec<Source>,
    queues: Queues,
    /// Frames that were dropped of interfaces that ended.
    dropped: Option<u64>,
    /// Up to when frames were read: what comes later may wait.
    upto: Micros,
}

/// Listens until it is over or somebody interrupts, which is told.
pub fn listen(
    trace: &mut Trace,
    (global, kb): (&Global, &Knowledge),
    ears: Ears,
    seconds: Option<u32>,
    tables: Tables,
) -> Result<bool, Fail> {
    let (send, receive) = mpsc::sync_channel(WAITING);
    let span = Span::from(now());
    if let Some(Ok(keep)) = &mut trace.ways.keep {
        keep.begun = Some(now());
    }
    let mut heard = Heard { ports: Vec::new(), interfaces: Vec::new(), queues: Queues::default(), dropped: Some(0), upto: now() };
    for socket in ears.ports {
        let bound = socket.local_addr().map_err(|source| Fail::Input { path: PathBuf::from("netflow://"), source })?;
        let source = begins(trace, global, &format!("netflow://{bound}"), "netflow-listener", Link::UNKNOWN);
        let (send, place) = (send.clone(), heard.ports.len());
        heard.ports.push((source, bound));
        // It ends with the process, or with the first datagram that nobody takes any more.
        thread::spawn(move || receives(&socket, place, &send));
    }
    for interface in ears.interfaces {
        let mut source = begins(trace, global, &format!("live://{}", interface.name()), "live-interface", Link::UNKNOWN);
        let (link, free) = interface.start(heard.interfaces.len(), span.clone(), send.clone());
        source.link = link;
        heard.queues.add(free);
        heard.interfaces.push(source);
    }
    let stop = interrupted(tables, send);
    let begun = Instant::now();
    let over = || stop.load(Ordering::Relaxed) || seconds.is_some_and(|n| begun.elapsed() >= Duration::from_secs(n.into()));
    while !over() && (!heard.ports.is_empty() || heard.queues.is_any()) {
        match receive.recv_timeout(TURN) {
            Ok(came) => heard.takes(trace, came, None, global),
            Err(RecvTimeoutError::Timeout) => trace.step(|watch, each| watch.pass(now(), each)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        // Clocks of routers are their own.
        let told = |trace: &Trace| trace.detect.range().unwrap_or_default().1.min(now());
        let upto = |trace: &Trace| if heard.interfaces.is_empty() { told(trace) } else { heard.upto };
        trace.tells(upto, global, kb);
        trace.failed()?;
    }
    // What came before the end waits yet to be read; what comes while that is done is too late.
    let end = now();
    span.ends(end);
    loop {
        let came = if heard.queues.is_any() { receive.recv_timeout(GONE).ok() } else { receive.try_recv().ok() };
        match came {
            Some(Came::Datagram(_, datagram)) if datagram.at > end && !heard.queues.is_any() => break,
            Some(came) => heard.takes(trace, came, Some(end), global),
            None => break,
        }
        trace.failed()?;
    }
    heard.tell(trace);
    Ok(stop.load(Ordering::Relaxed))
}

fn begins(trace: &mut Trace, global: &Global, name: &str, format: &str, link: Link) -> Source {
    if !global.quiet {
        eprintln!("listening on {name}");
    }
    let input = trace.all.begin_input(name, format, String::new(), 0);
    trace.homes.resize(trace.watch.sessions.iter().count(), input);
    Source { input, wrong: Troubles::default(), count: 0, link }
}

impl Heard {
    /// What came, unless it came behind the end.
    fn takes(&mut self, trace: &mut Trace, came: Came, end: Option<Micros>, global: &Global) {
        match came {
            Came::Datagram(_, datagram) if end.is_some_and(|end| datagram.at > end) => {}
            Came::Datagram(place, datagram) => {
                self.ports.get_mut(place).into_iter().for_each(|(port, _)| datagrams(trace, port, &datagram))
            }
            Came::Frames(place, batch) => {
                self.queues.put(place, batch);
                self.due(trace);
            }
            Came::Over(place, End { dropped, wrong }) => {
                self.queues.over(place);
                self.due(trace);
                self.dropped = self.dropped.zip(dropped).map(|(sum, n)| sum.saturating_add(n));
                if let (Some(what), Some(source)) = (wrong, self.interfaces.get(place)) {
                    trace.problem(source.input, &format!("frame {}", source.count), what);
                }
            }
            Came::Tables(again) => {
                trace.retake(*again, global.quiet);
                trace.ways.again();
                trace.telling.again();
            }
        }
    }

    /// Frames whose turn it is.
    fn due(&mut self, trace: &mut Trace) {
        let (interfaces, read) = (&mut self.interfaces, &mut self.upto);
        self.queues.due(&mut |Due { place, at, length, bytes }| {
            let Some(source) = interfaces.get_mut(place) else { return };
            source.count = source.count.saturating_add(1);
            let frame = Frame { number: source.count, at, link: source.link, bytes, length };
            trace.step(|watch, each| watch.frame(&frame, each));
            *read = at;
            if let Some(input) = trace.all.inputs.get_mut(source.input as usize) {
                input.bytes = input.bytes.saturating_add(bytes.len() as u64);
                input.observations = source.count;
            }
            // What routers export over it is wrong with this interface.
            if trace.watch.troubles.iter().next().is_some() {
                let troubles = std::mem::take(&mut trace.watch.troubles);
                troubles.iter().for_each(|trouble| source.wrong.put(trouble.first, trouble.what.clone()));
            }
        });
        if let Some(upto) = self.queues.quiet() {
            trace.step(|watch, each| watch.pass(upto, each));
            self.upto = upto;
        }
    }

    /// What was wrong, and what was dropped.
    fn tell(&self, trace: &mut Trace) {
        let mut dropped = self.dropped.filter(|_| !self.queues.is_any());
        for (port, bound) in &self.ports {
            troubles(&port.wrong, "datagram", &mut |at, what| trace.problem(port.input, at, what));
            dropped = dropped.zip(lost(*bound)).map(|(sum, n)| sum.saturating_add(n));
        }
        for source in &self.interfaces {
            troubles(&source.wrong, "frame", &mut |at, what| trace.problem(source.input, at, what));
        }
        trace.dropped = dropped;
    }
}

fn datagrams(trace: &mut Trace, port: &mut Source, datagram: &Datagram) {
    port.count = port.count.saturating_add(1);
    let Datagram { from, at, bytes } = datagram;
    trace.step(|watch, each| {
        if let Some(what) = watch.export(netflow::From::Addr(*from), bytes, Some(*at), port.count, each) {
            port.wrong.put(port.count, what);
        }
    });
    if let Some(input) = trace.all.inputs.get_mut(port.input as usize) {
        input.bytes = input.bytes.saturating_add(bytes.len() as u64);
        input.observations = port.count;
    }
}

/// The time of this machine, which frames have as well.
pub(super) fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn receives(socket: &UdpSocket, place: usize, send: &Send) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((n, from)) => {
                let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                let from = Addr::from(from.ip().to_canonical());
                if send.send(Came::Datagram(place, Datagram { from, at: now(), bytes })).is_err() {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused) => {}
            Err(_) => return,
        }
    }
}

/// Becomes true once somebody wants an end; reads tables again when the process is told that they changed.
fn interrupted(tables: Tables, send: Send) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    thread::spawn(move || {
        // Without a runtime the process is interrupted as any other is.
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            tokio::select! {
                () = crate::commands::serve::ended() => {}
                () = hung_up(tables, send) => {}
            }
        });
        told.store(true, Ordering::Relaxed);
    });
    stop
}

/// Waits for hang-ups (SIGHUP): each has the tables read again, by a thread, for packets come meanwhile, and files of lines opened anew.
#[cfg(unix)]
async fn hung_up(tables: Tables, send: Send) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut signals) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    // Of several one suffices that begins behind the last.
    let (wanted, wants) = mpsc::sync_channel::<()>(1);
    thread::spawn(move || while wants.recv().is_ok() && send.send(Came::Tables(Box::new(tables.again()))).is_ok() {});
    while signals.recv().await.is_some() {
        if let Err(mpsc::TrySendError::Disconnected(())) = wanted.try_send(()) {
            return;
        }
    }
}

#[cfg(not(unix))]
async fn hung_up(_: Tables, _: Send) {
    std::future::pending().await
}

/// Datagrams that the system threw away because nobody took them (Linux: the last column of `/proc/net/udp`); `None` where it does not say.
fn lost(bound: SocketAddr) -> Option<u64> {
    let table = std::fs::read_to_string(if bound.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" }).ok()?;
    drops(&table, bound)
}

/// The same by the text of that table.
fn drops(table: &str, bound: SocketAddr) -> Option<u64> {
    // Addresses are written as the machine has them in memory, four bytes at a time.
    let octets = match bound.ip() {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    let words = octets.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
    let local = format!("{}:{:04X}", words.collect::<String>(), bound.port());
    let line = table.lines().find(|l| l.split_whitespace().nth(1) == Some(&local))?;
    line.split_whitespace().last()?.parse().ok()
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_that_of_the_address_and_its_port() {
        let line =
            |local: &str, drops: u32| format!(" 100: {local} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 7 2 0 {drops}\n");
        let four = ["  sl  local_address ... drops\n", &line("0200007F:0807", 5), &line("0100007F:0807", 7)].concat();
        assert_eq!(drops(&four, "127.0.0.1:2055".parse().unwrap()), Some(7));
        assert_eq!(drops(&four, "0.0.0.0:2055".parse().unwrap()), None);
        let six = line("B80D0120000000000000000001000000:0807", 3) + &line("00000000000000000000000001000000:0807", 9);
        assert_eq!(drops(&six, "[::1]:2055".parse().unwrap()), Some(9));
        assert_eq!(drops(&six, "[2001:db8::1]:2055".parse().unwrap()), Some(3));
    }
}
