//! A port to which routers export: the one source of `watch` that does not end by itself.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use umbilical_traffic::packet::Addr;
use umbilical_traffic::record::{Troubles, netflow};
use umbilical_traffic::time::Micros;

use super::Trace;
use super::read::troubles;
use crate::args::Global;
use crate::fail::Fail;

/// Datagrams that wait to be read beside those that the system keeps.
const WAITING: usize = 1 << 14;
/// How often the time is looked at where nothing comes.
const TURN: Duration = Duration::from_millis(200);

/// The address of `netflow://ADDRESS:PORT`; `None` for what is a path.
pub fn address(source: &std::path::Path) -> Option<Result<SocketAddr, Fail>> {
    let text = source.to_str()?.strip_prefix("netflow://")?;
    let usage = || Fail::Usage {
        what: format!("netflow://{text} names no address to listen on"),
        help: Some("give an address of this machine and a port: netflow://0.0.0.0:2055".to_owned()),
    };
    Some(text.parse().map_err(|_| usage()))
}

struct Datagram {
    from: Addr,
    at: Micros,
    bytes: Vec<u8>,
}

/// Listens until it is over or somebody interrupts, which is told.
pub fn listen(trace: &mut Trace, global: &Global, at: &[SocketAddr], seconds: Option<u32>) -> Result<bool, Fail> {
    let (send, receive) = mpsc::sync_channel(WAITING);
    let mut inputs = Vec::new();
    for address in at {
        let fail = |source| Fail::Input { path: PathBuf::from(format!("netflow://{address}")), source };
        let socket = UdpSocket::bind(address).map_err(fail)?;
        let bound = socket.local_addr().map_err(fail)?;
        if !global.quiet {
            eprintln!("listening on netflow://{bound}");
        }
        let input = trace.all.begin_input(&format!("netflow://{bound}"), "netflow-listener", String::new(), 0);
        trace.homes.resize(trace.watch.sessions.iter().count(), input);
        inputs.push((input, bound, Troubles::default(), 0u64));
        let send = send.clone();
        let place = inputs.len().saturating_sub(1);
        // It ends with the process, or with the first datagram that nobody takes any more.
        thread::spawn(move || receives(&socket, place, &send));
    }
    drop(send);
    let stop = interrupted();
    let begun = Instant::now();
    let over = || stop.load(Ordering::Relaxed) || seconds.is_some_and(|n| begun.elapsed() >= Duration::from_secs(n.into()));
    while !over() {
        match receive.recv_timeout(TURN) {
            Ok((place, Datagram { from, at, bytes })) => {
                let Some((input, _, wrong, count)) = inputs.get_mut(place) else { continue };
                *count = count.saturating_add(1);
                trace.step(|watch, each| {
                    if let Some(what) = watch.export(netflow::From::Addr(from), &bytes, Some(at), *count, each) {
                        wrong.put(*count, what);
                    }
                });
                if let Some(input) = trace.all.inputs.get_mut(*input as usize) {
                    input.bytes = input.bytes.saturating_add(bytes.len() as u64);
                    input.observations = *count;
                }
            }
            Err(RecvTimeoutError::Timeout) => trace.step(|watch, each| watch.pass(now(), each)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        trace.failed()?;
    }
    let mut dropped = Some(0u64);
    for (input, bound, wrong, _) in &inputs {
        troubles(wrong, "datagram", &mut |at, what| trace.problem(*input, at, what));
        dropped = dropped.zip(lost(*bound)).map(|(sum, n)| sum.saturating_add(n));
    }
    trace.dropped = dropped;
    Ok(stop.load(Ordering::Relaxed))
}

fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn receives(socket: &UdpSocket, place: usize, send: &mpsc::SyncSender<(usize, Datagram)>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match socket.recv_from(&mut buffer) {
            Ok((n, from)) => {
                let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                let from = Addr::from(from.ip().to_canonical());
                if send.send((place, Datagram { from, at: now(), bytes })).is_err() {
                    return;
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionRefused) => {}
            Err(_) => return,
        }
    }
}

/// Becomes true once somebody wants an end.
fn interrupted() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    thread::spawn(move || {
        // Without a runtime the process is interrupted as any other is.
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(crate::commands::serve::ended());
            told.store(true, Ordering::Relaxed);
        }
    });
    stop
}

/// Datagrams that the system threw away because nobody took them (Linux: the last column of `/proc/net/udp`); `None` where it does not say.
fn lost(bound: SocketAddr) -> Option<u64> {
    let table = std::fs::read_to_string(if bound.is_ipv4() { "/proc/net/udp" } else { "/proc/net/udp6" }).ok()?;
    let port = format!(":{:04X}", bound.port());
    let line = table.lines().find(|l| l.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&port)))?;
    line.split_whitespace().last()?.parse().ok()
}
