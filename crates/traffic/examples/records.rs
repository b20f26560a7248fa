//! How many records a second are read, or frames of captures: `cargo run --release -p umbilical-traffic --example records [FILE…]`.
//!
//! Without files they are made up: as many conversations as a router exports in some minutes. Time is that of one
//! thread, all of it busy: hashes, decoding, joining and detectors as the command does it.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use umbilical_traffic::capture;
use umbilical_traffic::detect::{self, Detectors};
use umbilical_traffic::flow::{Each, Event, Limits, Seen};
use umbilical_traffic::record::{Lines, eve, netflow, zeek};
use umbilical_traffic::source::Source;
use umbilical_traffic::watch::Watch;

/// Memory as the command has it.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RECORDS: u32 = 1_000_000;

/// Five thousand modules, each with twenty servers.
fn address(n: u32) -> [u8; 4] {
    (0x0a00_0000 | (n % 5000).wrapping_mul(2_654_435_761) >> 12).to_be_bytes()
}

fn server(n: u32) -> u8 {
    ((n % 5000 * 7 + n / 5000 % 20) % 250) as u8
}

/// IPFIX: both ways of each conversation in a record of its own.
fn ipfix() -> Vec<u8> {
    let message = |set: u16, body: &[u8], at: u32| {
        let head = [&[0, 10][..], &((body.len() + 20) as u16).to_be_bytes(), &at.to_be_bytes(), &[0; 8]].concat();
        [&head[..], &set.to_be_bytes(), &((body.len() + 4) as u16).to_be_bytes(), body].concat()
    };
    let fields: [(u16, u16); 13] =
        [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (10, 4), (14, 4), (5, 1), (1, 8), (2, 8), (152, 8), (153, 8)];
    let list: Vec<u8> = fields.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()].concat()).collect();
    let mut out = message(2, &[&[1, 0, 0, 13][..], &list].concat(), 1_793_500_000);
    for chunk in 0..RECORDS / 20 {
        let mut body = Vec::new();
        let at = 1_793_500_000 + chunk / 250;
        for n in chunk * 10..chunk * 10 + 10 {
            let (client, server) = (address(n), [192, 0, 2, server(n)]);
            let ports = [(32768 + n % 28000) as u16, 443].map(u16::to_be_bytes);
            let times = [u64::from(at) * 1000 - 900, u64::from(at) * 1000].map(u64::to_be_bytes).concat();
            for (src, dst, from, to) in [(client, server, ports[0], ports[1]), (server, client, ports[1], ports[0])] {
                let counts = [u64::from(n % 9000), 7].map(u64::to_be_bytes).concat();
                body.extend([&src[..], &dst, &from, &to, &[6, 0x1b], &[0; 9], &counts, &times].concat());
            }
        }
        out.extend(message(256, &body, at));
    }
    out
}

fn conn(json: bool) -> Vec<u8> {
    let fields = [
        "ts",
        "uid",
        "id.orig_h",
        "id.orig_p",
        "id.resp_h",
        "id.resp_p",
        "proto",
        "service",
        "duration",
        "orig_bytes",
        "resp_bytes",
        "conn_state",
        "local_orig",
        "local_resp",
        "missed_bytes",
        "history",
        "orig_pkts",
        "orig_ip_bytes",
        "resp_pkts",
        "resp_ip_bytes",
        "tunnel_parents",
    ];
    let mut out = format!(
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t{}\n",
        fields.join("\t")
    );
    if json {
        out.clear();
    }
    for n in 0..RECORDS {
        let [a, b, c, d] = address(n);
        let (at, port) = (1_793_500_000 + n / 5000, 32768 + n % 28000);
        let _ = match json {
            false => writeln!(
                out,
                "{at}.{:06}\tC{n:017x}\t{a}.{b}.{c}.{d}\t{port}\t192.0.2.{}\t443\ttcp\tssl\t12.{:06}\t{}\t4242\tSF\tT\tF\t0\tShADadFf\t12\t1800\t14\t5000\t-",
                n % 1_000_000,
                server(n),
                n % 999_983,
                n % 9000
            ),
            true => writeln!(
                out,
                "{{\"ts\":{at}.{:06},\"uid\":\"C{n:017x}\",\"id.orig_h\":\"{a}.{b}.{c}.{d}\",\"id.orig_p\":{port},\"id.resp_h\":\"192.0.2.{}\",\"id.resp_p\":443,\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\":12.{:06},\"orig_bytes\":{},\"resp_bytes\":4242,\"conn_state\":\"SF\",\"local_orig\":true,\"local_resp\":false,\"missed_bytes\":0,\"history\":\"ShADadFf\",\"orig_pkts\":12,\"orig_ip_bytes\":1800,\"resp_pkts\":14,\"resp_ip_bytes\":5000}}",
                n % 1_000_000,
                server(n),
                n % 999_983,
                n % 9000
            ),
        };
    }
    out.into_bytes()
}

/// A third each of `flow`, `tls` and `dns`.
fn events() -> Vec<u8> {
    let mut out = String::new();
    for n in 0..RECORDS / 3 {
        let [a, b, c, d] = address(n);
        let (minute, second, micros) = (n / 5000 / 60 % 60, n / 5000 % 60, n % 1_000_000);
        let head = |kind: &str| {
            format!(
                "{{\"timestamp\":\"2026-11-01T02:{minute:02}:{second:02}.{micros:06}+0000\",\"flow_id\":{},\"in_iface\":\"eth1\",\"event_type\":\"{kind}\",\
                 \"src_ip\":\"{a}.{b}.{c}.{d}\",\"src_port\":{},\"dest_ip\":\"192.0.2.{}\",\"dest_port\":443,\"proto\":\"TCP\",\"pkt_src\":\"wire/pcap\"",
                1_000_000_007u64 * u64::from(n + 1),
                32768 + n % 28000,
                server(n)
            )
        };
        let time = format!("2026-11-01T02:{minute:02}:{second:02}.{micros:06}+0000");
        let _ = writeln!(
            out,
            "{},\"dns\":{{\"version\":2,\"type\":\"answer\",\"id\":27567,\"flags\":\"8180\",\"qr\":true,\"rd\":true,\"ra\":true,\"opcode\":0,\"rrname\":\"site{}.example\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":[{{\"rrname\":\"site{}.example\",\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"192.0.2.{}\"}}],\"grouped\":{{\"A\":[\"192.0.2.{}\"]}}}}}}",
            head("dns"),
            n % 5000,
            n % 5000,
            n % 250,
            n % 250
        );
        let _ = writeln!(
            out,
            "{},\"tls\":{{\"sni\":\"site{}.example\",\"version\":\"TLS 1.3\",\"ja3\":{{\"hash\":\"b5001237acdf006056b409cc433726b0\",\"string\":\"771,4865-4866-4867,0-23-65281-10-11-35-16-5-13-18-51-45-43-27-21,29-23-24,0\"}},\"ja4\":\"t13d1516h2_8daaf6152771_e5627efa2ab1\"}}}}",
            head("tls"),
            n % 5000
        );
        let _ = writeln!(
            out,
            "{},\"app_proto\":\"tls\",\"flow\":{{\"pkts_toserver\":10,\"pkts_toclient\":9,\"bytes_toserver\":{},\"bytes_toclient\":5000,\"start\":\"{time}\",\"end\":\"{time}\",\"age\":7,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false}},\"tcp\":{{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}}}",
            head("flow"),
            n % 9000
        );
    }
    out.into_bytes()
}

/// Plays an input; how many lines or records it has.
fn play(bytes: &[u8], kind: Source, watch: &mut Watch, each: Each<'_>) -> u64 {
    let mut count = 0;
    match kind {
        Source::Netflow(_) => {
            let _ = netflow::datagrams(bytes, &mut |number, bytes| {
                watch.export(netflow::From::Input(0), bytes, None, number, each);
            });
            count = watch.counters.records;
        }
        Source::Zeek(_) => {
            let (mut log, mut lines) = (zeek::Log::new(Seen::NOTHING), Lines::new(bytes));
            while let Ok(Some(line)) = lines.line() {
                count += 1;
                log.line(line, watch, each);
            }
        }
        Source::Eve => {
            let (mut log, mut lines) = (eve::Log::default(), Lines::new(bytes));
            while let Ok(Some(line)) = lines.line() {
                count += 1;
                log.line(line, watch, each);
            }
        }
        Source::Capture => {
            let (mut reader, mut batch) = (capture::Reader::new(bytes, capture::PIECE), capture::Batch::default());
            while let Ok(true) = reader.next(&mut batch) {
                batch.each(|frame, content| watch.taken(frame, content, each));
            }
            count = watch.counters.packets;
        }
    }
    watch.finish(each);
    count
}

/// Time that this thread had a processor (Linux), or that passed.
fn busy() -> Duration {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| BEGIN.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

fn main() {
    let mut inputs: Vec<(String, Vec<u8>)> = Vec::new();
    for path in std::env::args().skip(1) {
        let mut bytes = Vec::new();
        let file = std::io::BufReader::new(std::fs::File::open(&path).expect("a file"));
        capture::unpacked(file).and_then(|mut from| from.read_to_end(&mut bytes)).expect("its bytes");
        inputs.push((path, bytes));
    }
    if inputs.is_empty() {
        let made = [("IPFIX", ipfix()), ("Zeek", conn(false)), ("Zeek as JSON", conn(true)), ("EVE", events())];
        inputs.extend(made.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)));
    }
    println!("| records | format | detectors | records | conversations | alerts | records a CPU-second | MB a CPU-second |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, bytes) in inputs {
        let Some((kind, _)) = Source::of(&bytes[..bytes.len().min(1 << 16)]) else {
            println!("| {name} | nothing that is known | | | | | | |");
            continue;
        };
        for detectors in [false, true] {
            let best = (0..5).map(|_| {
                let mut watch = Watch::new(Limits::default());
                let mut detect = Detectors::new(detect::Given::default());
                let (mut ended, begin) = (0u64, busy());
                let hash = Sha256::digest(&bytes);
                let count = play(&bytes, kind, &mut watch, &mut |event, words| {
                    if detectors {
                        detect.see(&event, words);
                    }
                    ended += u64::from(matches!(event, Event::End(..)));
                });
                let alerts = detect.finish(detect::Trace { words: &watch.words, sessions: &watch.sessions }).0.len();
                (busy().saturating_sub(begin), count, ended, alerts, hash)
            });
            let (time, count, ended, alerts, _) = best.min().expect("five runs");
            let second = time.as_secs_f64();
            println!(
                "| {name} | {} | {} | {count} | {ended} | {alerts} | {:.0} | {:.0} |",
                kind.name(),
                if detectors { "with" } else { "without" },
                count as f64 / second,
                bytes.len() as f64 / second / 1e6
            );
        }
    }
}
