//! One trace as packets, as logs of Zeek and Suricata, and as routers export it: the same conversations wherever that can be seen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use umbilical_traffic::capture::Frame;
use umbilical_traffic::flow::{Each, Event, Flow, Limits, Seen};
use umbilical_traffic::link::Link;
use umbilical_traffic::names::Words;
use umbilical_traffic::record::{eve, netflow, zeek};
use umbilical_traffic::time::Micros;
use umbilical_traffic::watch::Watch;

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 1;
/// 2026-11-01T02:26:40Z.
const BEGIN: i64 = 1_793_500_000_000_000;

/// A packet: microseconds from the beginning, whether the client sends it, flags, payload.
type Packet = (i64, bool, u8, Vec<u8>);

/// A conversation as it truly is.
struct Talk {
    client: IpAddr,
    server: IpAddr,
    ports: (u16, u16),
    proto: u8,
    packets: Vec<Packet>,
    names: Names,
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Names {
    dns: &'static str,
    sni: &'static str,
    host: &'static str,
    uri: &'static str,
    agent: &'static str,
    mime: &'static str,
    app: &'static str,
}

fn v4(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

fn tls(name: &str) -> Vec<u8> {
    let sized = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let list = sized(&[&[0][..], &sized(name.as_bytes())].concat());
    let extensions = sized(&[&[0, 0][..], &sized(&list)].concat());
    let body = [&[3, 3][..], &[7; 32], &[0], &sized(&[0x13, 1]), &[1, 0], &extensions].concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&message)].concat()
}

/// A question for an IPv4 address, and with it the answer.
fn dns(name: &str, answer: Option<[u8; 4]>) -> Vec<u8> {
    let labels: Vec<u8> = name.split('.').flat_map(|l| [&[l.len() as u8][..], l.as_bytes()].concat()).collect();
    let flags: [u8; 2] = if answer.is_some() { [0x81, 0x80] } else { [1, 0] };
    let question = [&[0, 7][..], &flags, &[0, 1, 0, u8::from(answer.is_some()), 0, 0, 0, 0], &labels, &[0, 0, 1, 0, 1]].concat();
    match answer {
        Some(addr) => [&question[..], &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4], &addr].concat(),
        None => question,
    }
}

/// The packets of a conversation of TCP that asks and is answered.
fn asked(at: i64, question: Vec<u8>, answer: Vec<u8>) -> Vec<Packet> {
    vec![
        (at, true, SYN, Vec::new()),
        (at + 10_000, false, SYN | ACK, Vec::new()),
        (at + 20_000, true, ACK, question),
        (at + 30_000, false, ACK, answer),
        (at + 40_000, true, FIN | ACK, Vec::new()),
        (at + 50_000, false, FIN | ACK, Vec::new()),
    ]
}

fn talks() -> Vec<Talk> {
    let six = |last: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    let web = [192, 0, 2, 9];
    let names = Names { dns: "meter.example", app: "dns", ..Names::default() };
    let get = b"GET /state HTTP/1.1\r\nHost: meter.example\r\nUser-Agent: gw/1\r\n\r\n".to_vec();
    let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\nok".to_vec();
    vec![
        Talk {
            client: v4(1),
            server: v4(53),
            ports: (40_000, 53),
            proto: 17,
            packets: vec![(0, true, 0, dns("meter.example", None)), (9_000, false, 0, dns("meter.example", Some(web)))],
            names: names.clone(),
        },
        Talk {
            client: v4(1),
            server: web.into(),
            ports: (40_001, 80),
            proto: 6,
            packets: asked(100_000, get, page),
            names: Names { host: "meter.example", uri: "/state", agent: "gw/1", mime: "text/plain", app: "http", ..names },
        },
        Talk {
            client: six(1),
            server: six(2),
            ports: (40_002, 443),
            proto: 6,
            packets: asked(200_000, tls("cloud.example"), vec![22; 700]),
            names: Names { sni: "cloud.example", app: "tls", ..Names::default() },
        },
        // Nobody answers.
        Talk {
            client: v4(1),
            server: v4(77),
            ports: (40_003, 23),
            proto: 6,
            packets: vec![(70_000_000, true, SYN, Vec::new()), (71_000_000, true, SYN, Vec::new())],
            names: Names::default(),
        },
    ]
}

impl Talk {
    fn header(&self) -> u64 {
        (if self.client.is_ipv4() { 20 } else { 40 }) + if self.proto == 6 { 20 } else { 8 }
    }

    fn start(&self) -> i64 {
        BEGIN + self.packets[0].0
    }

    fn end(&self) -> i64 {
        BEGIN + self.packets[self.packets.len() - 1].0
    }

    /// Packets, bytes of IP, bytes of payload and flags of one way.
    fn way(&self, up: bool) -> (u64, u64, u64, u8) {
        self.packets.iter().filter(|p| p.1 == up).fold((0, 0, 0, 0), |(n, bytes, payload, flags), p| {
            let carried = p.3.len() as u64;
            (n + 1, bytes + carried + self.header(), payload + carried, flags | p.2)
        })
    }

    fn answered(&self) -> bool {
        self.packets.iter().any(|p| !p.1)
    }

    /// A packet from IP on.
    fn bytes(&self, packet: &Packet, sequence: &mut [u32; 2]) -> Vec<u8> {
        let (_, up, flags, payload) = packet;
        let (src, dst) = if *up { (self.client, self.server) } else { (self.server, self.client) };
        let (from, to) = if *up { self.ports } else { (self.ports.1, self.ports.0) };
        let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
        let number = &mut sequence[usize::from(!up)];
        let segment = if self.proto == 6 {
            // A SYN that is sent again has the same number.
            if flags & SYN != 0 {
                *number = 100;
            }
            let head = [&ports[..], &number.to_be_bytes(), &[0; 4], &[0x50, *flags, 1, 0, 0, 0, 0, 0]].concat();
            *number += payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
            head
        } else {
            [&ports[..], &((payload.len() + 8) as u16).to_be_bytes(), &[0, 0]].concat()
        };
        let body = [segment, payload.clone()].concat();
        match (src, dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let length = (body.len() + 20) as u16;
                let head = [&[0x45, 0][..], &length.to_be_bytes(), &[0, 0, 0, 0, 64, self.proto, 0, 0], &src.octets(), &dst.octets()];
                [head.concat(), body].concat()
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let head = [&[0x60, 0, 0, 0][..], &(body.len() as u16).to_be_bytes(), &[self.proto, 64], &src.octets(), &dst.octets()];
                [head.concat(), body].concat()
            }
            _ => Vec::new(),
        }
    }
}

/// What is compared.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    start: i64,
    end: i64,
    ends: (IpAddr, u16, IpAddr, u16, u8),
    up: (u64, u64),
    down: (u64, u64),
    answered: Option<bool>,
    names: Names,
}

/// The rows of a trace that somebody plays.
fn rows(play: impl FnOnce(&mut Watch, Each<'_>)) -> (Vec<Row>, Watch, Vec<Seen>) {
    let mut watch = Watch::new(Limits::default());
    let mut flows: Vec<Flow> = Vec::new();
    let mut begun = 0;
    let mut each = |event: Event<'_>, _: &Words| match event {
        Event::Start(_) => begun += 1,
        Event::End(flow, _) => flows.push(flow.clone()),
        _ => {}
    };
    play(&mut watch, &mut each);
    watch.finish(&mut each);
    assert_eq!(begun, flows.len(), "each begins once and ends once");
    flows.sort_by_key(|f| f.start);
    let word = |word: Option<_>| -> &'static str { word.map_or("", |w| Box::leak(watch.words.get(w).to_owned().into_boxed_str())) };
    let row = |flow: &Flow| {
        let (key, names) = (flow.key, flow.names);
        Row {
            start: flow.start.0,
            end: flow.last.0,
            ends: (key.client.ip(), key.client_port, key.server.ip(), key.server_port, key.proto),
            up: (flow.up.packets, flow.up.bytes),
            down: (flow.down.packets, flow.down.bytes),
            answered: flow.answered(),
            names: Names {
                dns: word(names.dns),
                sni: word(names.sni),
                host: word(names.host),
                uri: word(names.uri),
                agent: word(names.agent),
                mime: word(names.mime),
                app: names.app.map_or("", |app| app.name()),
            },
        }
    };
    let all = flows.iter().map(row).collect();
    let seen = flows.iter().map(|f| f.seen).collect();
    (all, watch, seen)
}

fn truth() -> Vec<Row> {
    let row = |t: &Talk| {
        let (up, down) = (t.way(true), t.way(false));
        Row {
            start: t.start(),
            end: t.end(),
            ends: (t.client, t.ports.0, t.server, t.ports.1, t.proto),
            up: (up.0, up.1),
            down: (down.0, down.1),
            answered: Some(t.answered()),
            names: t.names.clone(),
        }
    };
    talks().iter().map(row).collect()
}

/// The same without names.
fn nameless() -> Vec<Row> {
    truth().into_iter().map(|row| Row { names: Names::default(), ..row }).collect()
}

#[test]
fn as_packets() {
    let talks = talks();
    let mut packets: Vec<(&Talk, &Packet)> = talks.iter().flat_map(|t| t.packets.iter().map(move |p| (t, p))).collect();
    packets.sort_by_key(|(_, p)| p.0);
    let (rows, ..) = rows(|watch, each| {
        let mut sequence = [100, 900];
        for (n, (talk, packet)) in packets.iter().enumerate() {
            let bytes = talk.bytes(packet, &mut sequence);
            let at = Micros(BEGIN + packet.0);
            watch.frame(&Frame { number: n as u64 + 1, at, link: Link::RAW, bytes: &bytes, length: bytes.len() as u32 }, each);
        }
    });
    assert_eq!(rows, truth());
}

fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn state(talk: &Talk) -> (&'static str, &'static str) {
    match (talk.proto, talk.answered()) {
        (6, true) => ("SF", "ShADadFf"),
        (6, false) => ("S0", "S"),
        _ => ("SF", "Dd"),
    }
}

/// The logs of Zeek, tab-separated: `conn`, `dns`, `ssl`, `http`.
pub fn tsv() -> [(&'static str, String); 4] {
    let head = |path: &str, fields: &[&str]| {
        let fields = fields.join("\t");
        format!("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n#fields\t{fields}\n")
    };
    let ids = ["uid", "ts", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p"];
    let with = |more: &[&'static str]| [&ids[..], more].concat();
    let mut out = [
        // Columns in an order of their own, some of which nobody reads.
        (
            "conn",
            head(
                "conn",
                &with(&[
                    "proto",
                    "service",
                    "duration",
                    "orig_bytes",
                    "resp_bytes",
                    "conn_state",
                    "history",
                    "orig_pkts",
                    "orig_ip_bytes",
                    "resp_pkts",
                    "resp_ip_bytes",
                ]),
            ),
        ),
        ("dns", head("dns", &with(&["proto", "query", "answers"]))),
        ("ssl", head("ssl", &with(&["version", "server_name"]))),
        ("http", head("http", &with(&["host", "uri", "user_agent", "resp_mime_types"]))),
    ];
    for (n, t) in talks().iter().enumerate() {
        let id = format!("CaaaaaaaaaaaaaaU{n}\t{}\t{}\t{}\t{}\t{}", seconds(t.start()), t.client, t.ports.0, t.server, t.ports.1);
        let proto = if t.proto == 6 { "tcp" } else { "udp" };
        let ((up, up_bytes, up_payload, _), (down, down_bytes, down_payload, _)) = (t.way(true), t.way(false));
        let (state, history) = state(t);
        let span = seconds(t.end() - t.start());
        out[0].1 += &format!(
            "{id}\t{proto}\t-\t{span}\t{up_payload}\t{down_payload}\t{state}\t{history}\t{up}\t{up_bytes}\t{down}\t{down_bytes}\n"
        );
        let names = &t.names;
        if t.proto == 17 {
            out[1].1 += &format!("{id}\t{proto}\t{}\tcname.example,192.0.2.9\n", names.dns);
        }
        if !names.sni.is_empty() {
            out[2].1 += &format!("{id}\tTLSv13\t{}\n", names.sni);
        }
        if !names.host.is_empty() {
            out[3].1 += &format!("{id}\t{}\t{}\t{}\t{}\n", names.host, names.uri, names.agent, names.mime);
        }
    }
    for (_, text) in &mut out {
        *text += "#close\t2026-11-01-03-00-00\n";
    }
    out
}

/// The same as JSON.
fn json() -> [(&'static str, String); 4] {
    tsv().map(|(path, text)| {
        let fields: Vec<&str> = text.lines().find_map(|l| l.strip_prefix("#fields\t")).unwrap().split('\t').collect();
        let object = |line: &str| {
            let values = fields.iter().zip(line.split('\t')).filter(|(_, v)| *v != "-").map(|(field, value)| match *field {
                "answers" | "resp_mime_types" => format!("\"{field}\":{:?}", value.split(',').collect::<Vec<_>>()),
                "uid" | "id.orig_h" | "id.resp_h" | "proto" | "conn_state" | "history" | "query" | "server_name" | "host" | "uri"
                | "user_agent" | "version" => format!("\"{field}\":{value:?}"),
                _ => format!("\"{field}\":{value}"),
            });
            let extra = match path {
                "dns" => ",\"trans_id\":7",
                "ssl" => ",\"established\":true",
                "http" => ",\"trans_depth\":1",
                _ => "",
            };
            format!("{{{}{extra}}}\n", values.collect::<Vec<_>>().join(","))
        };
        (path, text.lines().filter(|l| !l.starts_with('#')).map(object).collect())
    })
}

fn zeek_rows(logs: &[(&str, String)]) -> (Vec<Row>, Watch, Vec<Seen>) {
    let beside = Seen::DNS.with(Seen::TLS).with(Seen::HTTP);
    rows(|watch, each| {
        // What was said is read before the line of the conversation.
        for (_, text) in logs.iter().rev() {
            let mut log = zeek::Log::new(beside);
            for line in text.split_inclusive('\n') {
                log.line(line.as_bytes(), watch, each);
            }
            assert_eq!(log.troubles.iter().count(), 0, "{:?}", log.troubles);
        }
    })
}

#[test]
fn as_logs_of_zeek() {
    for logs in [tsv(), json()] {
        let (rows, watch, seen) = zeek_rows(&logs);
        assert_eq!(rows, truth());
        assert_eq!(watch.counters.records, 4);
        assert!(seen.iter().all(|s| s.has(Seen::COUNTS) && s.has(Seen::TLS) && !s.has(Seen::FIRSTS)));
        for (path, text) in &logs {
            let known = zeek::begins(text.as_bytes()).map(|(kind, at)| (kind.name(), at.is_some()));
            assert_eq!(known, Some((&*format!("zeek-{path}"), true)));
        }
    }
    // Names without conversations are conversations of which nothing more is known.
    let [_, dns, ..] = tsv();
    let (rows, _, seen) = zeek_rows(&[dns]);
    assert_eq!((rows.len(), rows[0].names.dns, rows[0].answered, rows[0].up), (1, "meter.example", None, (0, 0)));
    assert!(!seen[0].has(Seen::COUNTS));
}

#[test]
fn a_log_that_breaks_off_says_where() {
    let [conn, ..] = tsv();
    let text = conn.1.trim_end_matches("#close\t2026-11-01-03-00-00\n");
    for cut in 0..text.len() {
        let mut watch = Watch::new(Limits::default());
        let mut log = zeek::Log::new(Seen::NOTHING);
        for line in text[..cut].split_inclusive('\n') {
            log.line(line.as_bytes(), &mut watch, &mut |_, _| {});
        }
        for trouble in log.troubles.iter() {
            assert_eq!((trouble.first, trouble.more), (text[..cut].lines().count() as u64, 0), "{cut}: {trouble:?}");
        }
    }
    let mut watch = Watch::new(Limits::default());
    let mut log = zeek::Log::new(Seen::NOTHING);
    for line in [text, "1\t2\n"].concat().split_inclusive('\n') {
        log.line(line.as_bytes(), &mut watch, &mut |_, _| {});
    }
    let told: Vec<_> = log.troubles.iter().map(|t| (t.first, t.what.to_string())).collect();
    assert_eq!(told, [(11, "it has 2 of 17 columns".to_owned())]);
}

fn stamp(micros: i64) -> String {
    Micros(micros).to_string().replace('Z', "+0000")
}

/// Events of Suricata, with `flow` or with `netflow`.
pub fn events(version: u8, netflow: bool) -> String {
    let mut out = String::new();
    for (n, t) in talks().iter().enumerate() {
        let event = |kind: &str, at: i64, up: bool, more: String| {
            let (src, dst, from, to) =
                if up { (t.client, t.server, t.ports.0, t.ports.1) } else { (t.server, t.client, t.ports.1, t.ports.0) };
            let proto = if t.proto == 6 { "TCP" } else { "UDP" };
            format!(
                "{{\"timestamp\":\"{}\",\"flow_id\":{},\"in_iface\":\"eth0\",\"event_type\":\"{kind}\",\"src_ip\":\"{src}\",\"src_port\":{from},\
                 \"dest_ip\":\"{dst}\",\"dest_port\":{to},\"proto\":\"{proto}\",{more}}}\n",
                stamp(at),
                7000 + n,
            )
        };
        let names = &t.names;
        if t.proto == 17 {
            let name = names.dns;
            out += &match version {
                3 => event(
                    "dns",
                    t.start(),
                    true,
                    format!("\"dns\":{{\"version\":3,\"type\":\"request\",\"queries\":[{{\"rrname\":\"{name}\"}}]}}"),
                ),
                _ => event("dns", t.start(), true, format!("\"dns\":{{\"type\":\"query\",\"rrname\":\"{name}\"}}")),
            };
            out += &match version {
                1 => event(
                    "dns",
                    t.end(),
                    false,
                    format!("\"dns\":{{\"type\":\"answer\",\"rrname\":\"{name}\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.9\"}}"),
                ),
                2 => event(
                    "dns",
                    t.end(),
                    true,
                    format!("\"dns\":{{\"type\":\"answer\",\"rrname\":\"{name}\",\"grouped\":{{\"A\":[\"192.0.2.9\"]}}}}"),
                ),
                _ => event(
                    "dns",
                    t.end(),
                    true,
                    format!(
                        "\"dns\":{{\"type\":\"response\",\"queries\":[{{\"rrname\":\"{name}\"}}],\"answers\":[{{\"rrname\":\"{name}\",\"rrtype\":\"SOA\",\"rdata\":{{\"x\":1}}}},{{\"rrname\":\"{name}\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.9\"}}]}}"
                    ),
                ),
            };
        }
        if !names.sni.is_empty() {
            out += &event("tls", t.start(), true, format!("\"tls\":{{\"sni\":\"{}\",\"version\":\"TLS 1.3\"}}", names.sni));
        }
        if !names.host.is_empty() {
            let http = format!(
                "\"http\":{{\"hostname\":\"{}\",\"url\":\"{}\",\"http_user_agent\":\"{}\",\"http_content_type\":\"{}\"}}",
                names.host, names.uri, names.agent, names.mime
            );
            out += &event("http", t.start(), true, http);
        }
        out += &event("alert", t.start(), true, "\"alert\":{\"signature_id\":1}".to_owned());
        let (up, down) = (t.way(true), t.way(false));
        let times = format!("\"start\":\"{}\",\"end\":\"{}\"", stamp(t.start()), stamp(t.end()));
        // Frames have the head of Ethernet.
        let bytes = |way: (u64, u64, u64, u8)| way.1 + 14 * way.0;
        if netflow {
            for (first, way) in [(false, down), (true, up)] {
                if way.0 > 0 {
                    let tcp = if t.proto == 6 { format!(",\"tcp\":{{\"tcp_flags\":\"{:02x}\"}}", way.3) } else { String::new() };
                    let of = t.packets.iter().filter(|p| p.1 == first).map(|p| BEGIN + p.0);
                    let (start, end) = (of.clone().min().unwrap(), of.max().unwrap());
                    let times = format!("\"start\":\"{}\",\"end\":\"{}\"", stamp(start), stamp(end));
                    out += &event(
                        "netflow",
                        t.end(),
                        first,
                        format!("\"netflow\":{{\"pkts\":{},\"bytes\":{},{times}}}{tcp}", way.0, bytes(way)),
                    );
                }
            }
        } else {
            let tcp = format!(",\"tcp\":{{\"tcp_flags\":\"ff\",\"tcp_flags_ts\":\"{:02x}\",\"tcp_flags_tc\":\"{:02x}\"}}", up.3, down.3);
            let flow = format!(
                "\"flow\":{{\"pkts_toserver\":{},\"pkts_toclient\":{},\"bytes_toserver\":{},\"bytes_toclient\":{},{times},\"state\":\"closed\"}}{}",
                up.0,
                down.0,
                bytes(up),
                bytes(down),
                if t.proto == 6 { tcp } else { String::new() }
            );
            out += &event("flow", t.end(), true, flow);
        }
    }
    out
}

#[test]
fn as_events_of_suricata() {
    for (version, netflow) in [(1, false), (2, false), (3, false), (2, true)] {
        let text = events(version, netflow);
        let (rows, watch, _) = rows(|watch, each| {
            let mut log = eve::Log::new(text.as_bytes());
            for line in text.split_inclusive('\n') {
                log.line(line.as_bytes(), watch, each);
            }
            assert_eq!(log.troubles.iter().count(), 0, "{:?}", log.troubles);
        });
        let bare = |half: (u64, u64)| (half.0, half.1 - 14 * half.0);
        let rows: Vec<Row> = rows.into_iter().map(|r| Row { up: bare(r.up), down: bare(r.down), ..r }).collect();
        assert_eq!(rows, truth(), "version {version}, netflow {netflow}");
        assert_eq!(watch.counters.alerts, 4);
        assert!(eve::begins(text.as_bytes()).is_some());
    }
}

/// One way of each conversation, as a router sees it: milliseconds.
fn ways() -> Vec<(Talk, bool, i64, i64)> {
    let mut out = Vec::new();
    // Answers are exported before what they answer.
    for up in [false, true] {
        for talk in talks() {
            let of = talk.packets.iter().filter(|p| p.1 == up).map(|p| BEGIN + p.0);
            if let (Some(start), Some(end)) = (of.clone().min(), of.max()) {
                out.push((talk, up, start / 1000, end / 1000));
            }
        }
    }
    out.sort_by_key(|(talk, ..)| talk.start());
    out
}

const BOOT: i64 = BEGIN / 1000 - 1_000_000;

fn sized(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &((body.len() + 4) as u16).to_be_bytes(), body].concat()
}

fn v9(sets: &[Vec<u8>], at: i64) -> Vec<u8> {
    let uptime = ((at / 1000 - BOOT) as u32).to_be_bytes();
    [&[0, 9, 0, 1][..], &uptime, &((at / 1_000_000) as u32).to_be_bytes(), &[0; 4], &[0, 0, 0, 5], &sets.concat()].concat()
}

fn ipfix(sets: &[Vec<u8>], at: i64) -> Vec<u8> {
    let body = sets.concat();
    let length = ((body.len() + 16) as u16).to_be_bytes();
    [&[0, 10][..], &length, &((at / 1_000_000) as u32).to_be_bytes(), &[0; 4], &[0, 0, 0, 5], &body].concat()
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

fn fields(list: &[(u16, u16)]) -> Vec<u8> {
    list.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()].concat()).collect()
}

/// A record of one way: addresses, ports, protocol, flags, and counts in so many bytes.
fn one_way(talk: &Talk, up: bool, counts: usize) -> Vec<u8> {
    let (src, dst, from, to) = match up {
        true => (talk.client, talk.server, talk.ports.0, talk.ports.1),
        false => (talk.server, talk.client, talk.ports.1, talk.ports.0),
    };
    let way = talk.way(up);
    let count = |n: u64| n.to_be_bytes()[8 - counts..].to_vec();
    [octets(src), octets(dst), from.to_be_bytes().to_vec(), to.to_be_bytes().to_vec(), vec![talk.proto, way.3], count(way.0), count(way.1)]
        .concat()
}

fn exported(datagrams: &[(i64, Vec<u8>)]) -> (Vec<Row>, Watch) {
    let (rows, watch, _) = rows(|watch, each| {
        for (n, (at, bytes)) in datagrams.iter().enumerate() {
            assert_eq!(watch.export(netflow::From::Input(0), bytes, None, n as u64 + 1, each), None);
            assert_eq!(
                (netflow::length(bytes), netflow::begins(bytes).map(|b| b.1.0 / 1_000_000)),
                (Some(bytes.len()), Some(at / 1_000_000))
            );
        }
    });
    (rows, watch)
}

/// When a conversation was exported: a while after its end, by the second.
fn sent(talk: &Talk) -> i64 {
    (talk.end() / 1_000_000 + 16) * 1_000_000
}

/// As NetFlow 9, the template before (or behind) what needs it, options and their sampling between, padding behind.
pub fn nine(late: bool) -> Vec<(i64, Vec<u8>)> {
    let common = [(7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (40_000, 3), (22, 4), (21, 4)];
    let four = [&[(8, 4), (12, 4)][..], &common].concat();
    let six = [&[(27, 16), (28, 16)][..], &common].concat();
    let template = |id: u16, list: &[(u16, u16)]| [&id.to_be_bytes()[..], &(list.len() as u16).to_be_bytes(), &fields(list)].concat();
    let options =
        [&400u16.to_be_bytes()[..], &4u16.to_be_bytes(), &8u16.to_be_bytes(), &fields(&[(1, 4), (34, 4), (35, 1)]), &[0, 0]].concat();
    let templates = v9(&[sized(0, &[template(300, &four), template(301, &six)].concat()), sized(1, &options)], BEGIN);
    let unsampled = v9(&[sized(400, &[0, 0, 0, 9, 0, 0, 0, 1, 1, 0, 0, 0])], BEGIN);
    let record = |(talk, up, start, end): &(Talk, bool, i64, i64)| {
        let uptime = |ms: i64| ((ms - BOOT) as u32).to_be_bytes();
        let bytes = [&one_way(talk, *up, 4)[..], &[1, 2, 3], &uptime(*start), &uptime(*end), &[0; 2]].concat();
        (sent(talk), v9(&[sized(if talk.client.is_ipv4() { 300 } else { 301 }, &bytes)], sent(talk)))
    };
    let mut out: Vec<_> = ways().iter().map(record).collect();
    out.insert(if late { 3 } else { 0 }, (BEGIN, templates));
    out.push((BEGIN, unsampled));
    out
}

#[test]
fn as_routers_export_it() {
    let five: Vec<(i64, Vec<u8>)> = ways()
        .iter()
        .filter(|(talk, ..)| talk.client.is_ipv4())
        .map(|(talk, up, start, end)| {
            let at = sent(talk);
            let uptime = |ms: i64| ((ms - BOOT) as u32).to_be_bytes();
            let record = one_way(talk, *up, 4);
            let (ends, ports, flags, counts) = (&record[..8], &record[8..12], record[13], &record[14..22]);
            let body = [ends, &[0; 8], counts, &uptime(*start), &uptime(*end), ports, &[0, flags, talk.proto], &[0; 9]].concat();
            let head = [&[0, 5, 0, 1][..], &uptime(at / 1000), &((at / 1_000_000) as u32).to_be_bytes(), &[0; 12]].concat();
            (at, [head, body].concat())
        })
        .collect();
    let (rows, watch) = exported(&five);
    let four: Vec<Row> = nameless().into_iter().filter(|r| r.ends.0.is_ipv4()).collect();
    assert_eq!((rows, watch.counters.records), (four, 5));
    for late in [false, true] {
        let (rows, watch) = exported(&nine(late));
        assert_eq!(rows, nameless(), "late {late}");
        assert_eq!((watch.counters.records, watch.counters.untemplated, watch.counters.sampled), (7, 0, 0));
    }
}

#[test]
fn as_ipfix_both_ways_in_one_record() {
    // Fields of an enterprise, one that varies in length, counts that are shorter than they could be, and the other way's.
    let reverse = |id: u16, length: u16| [&(id | 0x8000).to_be_bytes()[..], &length.to_be_bytes(), &29305u32.to_be_bytes()].concat();
    let vendor = [&0x8064u16.to_be_bytes()[..], &0xffffu16.to_be_bytes(), &35632u32.to_be_bytes()].concat();
    let template = |id: u16, src: u16, dst: u16, size: u16| {
        let plain = fields(&[(src, size), (dst, size), (7, 2), (11, 2), (4, 1), (6, 1), (2, 3), (1, 3)]);
        let body =
            [&plain[..], &vendor, &fields(&[(96, 0xffff)]), &reverse(2, 3), &reverse(1, 3), &reverse(6, 2), &fields(&[(152, 8), (153, 8)])];
        [&id.to_be_bytes()[..], &15u16.to_be_bytes(), &body.concat()].concat()
    };
    let mut datagrams = vec![(BEGIN, ipfix(&[sized(2, &[template(300, 8, 12, 4), template(301, 27, 28, 16)].concat())], BEGIN))];
    for talk in talks() {
        let down = talk.way(false);
        let count = |n: u64| n.to_be_bytes()[5..].to_vec();
        let long = [&[255, 1, 4][..], &[7; 260]].concat();
        let times = [talk.start() / 1000, talk.end() / 1000].map(i64::to_be_bytes).concat();
        let body = [one_way(&talk, true, 3), vec![2, 9, 9], long, count(down.0), count(down.1), vec![0, down.3], times].concat();
        let id = if talk.client.is_ipv4() { 300 } else { 301 };
        datagrams.push((sent(&talk), ipfix(&[sized(id, &body)], sent(&talk))));
    }
    let (rows, watch) = exported(&datagrams);
    assert_eq!((rows, watch.counters.records), (nameless(), 4));
    // A template that is withdrawn is gone.
    let mut gone = datagrams.clone();
    gone.insert(1, (BEGIN, ipfix(&[sized(2, &[300u16.to_be_bytes(), [0, 0]].concat())], BEGIN)));
    let (rows, watch) = exported(&gone);
    assert_eq!((rows.len(), watch.counters.untemplated), (1, 3));
}

#[test]
fn export_is_known_by_its_content_on_any_port() {
    for (_, datagram) in nine(false) {
        assert!(netflow::is_export(2057, &datagram) && netflow::is_export(2055, &datagram));
        for cut in 0..datagram.len() {
            // What is cut is still looked at where export is sent, and elsewhere only where the cut is at the end of a set.
            assert!(!netflow::is_export(2057, &datagram[..cut]) || cut >= 20, "{cut}");
        }
        assert!(!netflow::is_export(2057, &[&datagram[..], &[7, 7, 7, 7]].concat()));
    }
    assert!(!netflow::is_export(2057, &dns("meter.example", None)) && !netflow::is_export(2055, &dns("meter.example", None)));
}

#[test]
fn a_conversation_that_is_exported_each_minute_is_one() {
    let talk = &talks()[1];
    let mut datagrams = Vec::new();
    let mut templates = nine(false);
    datagrams.push(templates.remove(0));
    for minute in 0..10 {
        for up in [true, false] {
            let (start, end) = (BEGIN / 1000 + minute * 60_000, BEGIN / 1000 + minute * 60_000 + 59_000);
            let at = (end / 1000 + 1) * 1_000_000;
            let uptime = |ms: i64| ((ms - BOOT) as u32).to_be_bytes();
            let mut record = one_way(talk, up, 4);
            // Neither SYN nor FIN.
            record[13] = ACK;
            let bytes = [&record[..], &[1, 2, 3], &uptime(start), &uptime(end)].concat();
            datagrams.push((at, v9(&[sized(300, &bytes)], at)));
        }
    }
    let (rows, _) = exported(&datagrams);
    let (up, down) = (talk.way(true), talk.way(false));
    assert_eq!((rows.len(), rows[0].up, rows[0].down), (1, (up.0 * 10, up.1 * 10), (down.0 * 10, down.1 * 10)));
    assert_eq!((rows[0].start, rows[0].end), (BEGIN, BEGIN + 599_000_000));
    assert_eq!(rows[0].ends.1, talk.ports.0, "the well-known port is the server's");
}

#[test]
fn what_two_routers_saw_is_not_added_up_and_what_was_sampled_says_so() {
    let mut sampled = nine(false);
    let options = v9(&[sized(400, &[0, 0, 0, 9, 0, 0, 0, 100, 1, 0, 0, 0])], BEGIN);
    sampled.insert(1, (BEGIN, options));
    let (rows, watch, seen) = rows(|watch, each| {
        for from in [0, 1] {
            for (n, (_, bytes)) in sampled.iter().enumerate() {
                watch.export(netflow::From::Input(from), bytes, None, n as u64, each);
            }
        }
    });
    assert_eq!((rows.len(), watch.counters.sampled), (8, 100));
    assert!(seen.iter().all(|s| !s.has(Seen::COUNTS)));
    assert!(rows.iter().all(|r| r.answered != Some(false)), "an answer may be among what nobody looked at");
}
