//! A port to which routers export: the one source of `watch` that does not end by itself.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
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

/// An address that is listened on, and what came to it.
struct Port {
    input: u32,
    bound: SocketAddr,
    wrong: Troubles,
    count: u64,
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
        inputs.push(Port { input, bound, wrong: Troubles::default(), count: 0 });
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
            Ok((place, datagram)) => inputs.get_mut(place).into_iter().for_each(|port| takes(trace, port, &datagram)),
            Err(RecvTimeoutError::Timeout) => trace.step(|watch, each| watch.pass(now(), each)),
            Err(RecvTimeoutError::Disconnected) => break,
        }
        trace.failed()?;
    }
    // What came before the end waits yet to be read; what comes while that is done is too late.
    let end = now();
    while let Ok((place, datagram)) = receive.try_recv() {
        if datagram.at > end {
            break;
        }
        inputs.get_mut(place).into_iter().for_each(|port| takes(trace, port, &datagram));
        trace.failed()?;
    }
    let mut dropped = Some(0u64);
    for port in &inputs {
        troubles(&port.wrong, "datagram", &mut |at, what| trace.problem(port.input, at, what));
        dropped = dropped.zip(lost(port.bound)).map(|(sum, n)| sum.saturating_add(n));
    }
    trace.dropped = dropped;
    Ok(stop.load(Ordering::Relaxed))
}

fn takes(trace: &mut Trace, port: &mut Port, datagram: &Datagram) {
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
