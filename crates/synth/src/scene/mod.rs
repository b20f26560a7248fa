//! Scenes: conversations as they truly are, and each way in which somebody tells of them.
//!
//! The same [`Talk`]s are written as packets ([`pcap`]), as logs of Zeek ([`zeek`]), as events of Suricata ([`eve`]), and as routers
//! export them ([`netflow`]). Whoever reads any of them should come to the same, as far as it can be seen there.
//!
//! ```
//! use umbilical_synth::scene::{self, Talk, eve};
//! let talks = [Talk::tls(0.0, [10, 0, 0, 7], [192, 0, 2, 9], 40_000, "cloud.example")];
//! assert_eq!(scene::pcap(&talks)[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
//! assert!(eve::events(&talks, eve::Dns::Two, eve::Counts::Flow).contains("\"sni\":\"cloud.example\""));
//! ```

mod bytes;
pub mod eve;
pub mod netflow;
pub mod zeek;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use bytes::{labels, message, pcap};

/// 2026-11-01T02:26:40Z, in microseconds since 1970: where the builders count from.
pub const BEGIN: i64 = 1_793_500_000_000_000;

/// Flags of TCP.
pub const FIN: u8 = 1;
/// See above.
pub const SYN: u8 = 2;
/// See above.
pub const RST: u8 = 4;
/// See above.
pub const ACK: u8 = 16;

/// Protocols (IANA).
pub const ICMP: u8 = 1;
/// See above.
pub const TCP: u8 = 6;
/// See above.
pub const UDP: u8 = 17;

/// A conversation as it truly is.
#[derive(Clone, Debug)]
pub struct Talk {
    /// Who began.
    pub client: IpAddr,
    /// With whom.
    pub server: IpAddr,
    /// The client's port and the server's; of an echo its identifier and 0.
    pub ports: (u16, u16),
    /// The protocol.
    pub proto: u8,
    /// In the order in which they were sent, at least one.
    pub packets: Vec<Packet>,
    /// What was said in it.
    pub names: Names,
    /// Names that were asked for in it.
    pub lookups: Vec<Lookup>,
}

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Microseconds since 1970.
    pub at: i64,
    /// Whether the client sends it.
    pub up: bool,
    /// Flags of TCP.
    pub flags: u8,
    /// What the transport carries; of an echo what comes behind its number.
    pub payload: Vec<u8>,
}

/// What a conversation says of itself; empty: nothing.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The server's name in TLS.
    pub sni: String,
    /// `Host` of HTTP.
    pub host: String,
    /// Its target.
    pub uri: String,
    /// `User-Agent`.
    pub agent: String,
    /// The media type of the answer.
    pub mime: String,
}

/// A name that is asked for.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Microseconds since 1970.
    pub at: i64,
    /// The name.
    pub name: String,
    /// The number of the type that is asked for: 1 A, 16 TXT, …
    pub kind: u16,
    /// What is answered, and when.
    pub reply: Option<Reply>,
}

/// An answer of DNS.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Microseconds since 1970.
    pub at: i64,
    /// 0, or why there is nothing: 3 that there is no such name.
    pub code: u8,
    /// What it holds.
    pub records: Vec<Record>,
}

/// A record of DNS.
#[derive(Clone, Debug)]
pub enum Record {
    /// An address.
    A([u8; 4]),
    /// Text, at most 255 bytes.
    Txt(String),
    /// Another name.
    Cname(String),
    /// What a record of this type holds, as it stands in the message.
    Other(u16, Vec<u8>),
}

impl Record {
    /// The number of its type.
    fn kind(&self) -> u16 {
        match self {
            Self::A(_) => 1,
            Self::Cname(_) => 5,
            Self::Txt(_) => 16,
            Self::Other(kind, _) => *kind,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::A(addr) => Ipv4Addr::from(*addr).to_string(),
            Self::Txt(text) | Self::Cname(text) => text.clone(),
            Self::Other(28, data) if data.len() == 16 => {
                data.iter().fold(Ipv6Addr::UNSPECIFIED, |all, byte| Ipv6Addr::from_bits(all.to_bits() << 8 | u128::from(*byte))).to_string()
            }
            Self::Other(_, data) => data.iter().map(|b| format!("{b:02x}")).collect(),
        }
    }
}

/// The name of a type of record.
fn kind_name(kind: u16) -> String {
    match kind {
        1 => "A".into(),
        5 => "CNAME".into(),
        10 => "NULL".into(),
        12 => "PTR".into(),
        15 => "MX".into(),
        16 => "TXT".into(),
        28 => "AAAA".into(),
        33 => "SRV".into(),
        other => format!("TYPE{other}"),
    }
}

/// The name of a code of an answer.
fn code_name(code: u8) -> &'static str {
    match code {
        0 => "NOERROR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        5 => "REFUSED",
        _ => "NOTIMP",
    }
}

/// Seconds from [`BEGIN`] as microseconds since 1970.
fn time(seconds: f64) -> i64 {
    BEGIN + (seconds * 1e6) as i64
}

impl Talk {
    /// Nothing is said yet.
    pub fn new(client: [u8; 4], server: [u8; 4], ports: (u16, u16), proto: u8) -> Self {
        let (client, server) = (Ipv4Addr::from(client).into(), Ipv4Addr::from(server).into());
        Self { client, server, ports, proto, packets: Vec::new(), names: Names::default(), lookups: Vec::new() }
    }

    /// And then a packet, at this second of the scene.
    #[must_use]
    pub fn then(mut self, second: f64, up: bool, flags: u8, payload: Vec<u8>) -> Self {
        self.packets.push(Packet { at: time(second), up, flags, payload });
        self
    }

    /// A connection that asks, is answered, and ends within a tenth of a second.
    pub fn asked(second: f64, client: [u8; 4], server: [u8; 4], ports: (u16, u16), question: Vec<u8>, answer: Vec<u8>) -> Self {
        Self::new(client, server, ports, TCP)
            .then(second, true, SYN, Vec::new())
            .then(second + 0.01, false, SYN | ACK, Vec::new())
            .then(second + 0.02, true, ACK, question)
            .then(second + 0.03, false, ACK, answer)
            .then(second + 0.04, true, FIN | ACK, Vec::new())
            .then(second + 0.05, false, FIN | ACK, Vec::new())
    }

    /// The same in TLS, with a server of this name.
    pub fn tls(second: f64, client: [u8; 4], server: [u8; 4], port: u16, name: &str) -> Self {
        let mut talk = Self::asked(second, client, server, (port, 443), bytes::hello(name), vec![22; 700]);
        talk.names.sni = name.into();
        talk
    }

    /// The same in HTTP.
    pub fn http(second: f64, client: [u8; 4], server: [u8; 4], port: u16, names: Names, body: &[u8]) -> Self {
        let get = format!("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n\r\n", names.uri, names.host, names.agent);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {}; charset=utf-8\r\nContent-Length: {}\r\n\r\n", names.mime, body.len());
        let mut talk = Self::asked(second, client, server, (port, 80), get.into_bytes(), [head.as_bytes(), body].concat());
        talk.names = names;
        talk
    }

    /// A SYN that nobody answers.
    pub fn silent(second: f64, client: [u8; 4], server: [u8; 4], ports: (u16, u16)) -> Self {
        Self::new(client, server, ports, TCP).then(second, true, SYN, Vec::new())
    }

    /// A SYN that is refused.
    pub fn refused(second: f64, client: [u8; 4], server: [u8; 4], ports: (u16, u16)) -> Self {
        Self::silent(second, client, server, ports).then(second + 0.001, false, RST | ACK, Vec::new())
    }

    /// A datagram, and its answer.
    pub fn datagrams(second: f64, client: [u8; 4], server: [u8; 4], ports: (u16, u16), question: Vec<u8>, answer: Option<Vec<u8>>) -> Self {
        let talk = Self::new(client, server, ports, UDP).then(second, true, 0, question);
        match answer {
            Some(answer) => talk.then(second + 0.02, false, 0, answer),
            None => talk,
        }
    }

    /// Names that are asked for from one port, each with how many seconds later what was answered.
    pub fn lookups(client: [u8; 4], server: [u8; 4], port: u16, lookups: Vec<Lookup>) -> Self {
        let mut talk = Self::new(client, server, (port, 53), UDP);
        for lookup in &lookups {
            talk.packets.push(Packet { at: lookup.at, up: true, flags: 0, payload: message(lookup, false) });
            if let Some(reply) = &lookup.reply {
                talk.packets.push(Packet { at: reply.at, up: false, flags: 0, payload: message(lookup, true) });
            }
        }
        talk.packets.sort_by_key(|p| p.at);
        talk.lookups = lookups;
        talk
    }

    /// Echoes of one identifier, each a second, with what they carry and what comes back.
    pub fn echoes(second: f64, client: [u8; 4], server: [u8; 4], id: u16, carried: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Self {
        let mut talk = Self::new(client, server, (id, 0), ICMP);
        for (n, (question, answer)) in carried.into_iter().enumerate() {
            let at = second + n as f64;
            talk = talk.then(at, true, 0, question);
            if let Some(answer) = answer {
                talk = talk.then(at + 0.01, false, 0, answer);
            }
        }
        talk
    }

    /// Its first packet.
    pub fn start(&self) -> i64 {
        self.packets.iter().map(|p| p.at).min().unwrap_or_default()
    }

    /// Its last.
    pub fn end(&self) -> i64 {
        self.packets.iter().map(|p| p.at).max().unwrap_or_default()
    }

    /// What one way had.
    pub fn way(&self, up: bool) -> Way {
        let header = (if self.client.is_ipv4() { 20 } else { 40 }) + if self.proto == TCP { 20 } else { 8 };
        self.packets.iter().filter(|p| p.up == up).fold(Way::default(), |way, p| {
            let carried = p.payload.len() as u64;
            Way {
                packets: way.packets + 1,
                bytes: way.bytes + carried + header,
                payload: way.payload + carried,
                flags: way.flags | p.flags,
                start: if way.packets == 0 { p.at } else { way.start.min(p.at) },
                end: way.end.max(p.at),
            }
        })
    }

    /// Whether the server sent anything.
    pub fn answered(&self) -> bool {
        self.packets.iter().any(|p| !p.up)
    }
}

impl Lookup {
    /// A name at this second of the scene, answered a hundredth later.
    pub fn new(second: f64, name: impl Into<String>, kind: u16, code: u8, records: Vec<Record>) -> Self {
        Self { at: time(second), name: name.into(), kind, reply: Some(Reply { at: time(second + 0.01), code, records }) }
    }
}

/// One way of a conversation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// Packets.
    pub packets: u64,
    /// Bytes of IP.
    pub bytes: u64,
    /// Bytes that the transport carried.
    pub payload: u64,
    /// Flags that were ever set.
    pub flags: u8,
    /// Its first packet.
    pub start: i64,
    /// Its last.
    pub end: i64,
}

/// Seconds since 1970, or of a span, as decimals.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
