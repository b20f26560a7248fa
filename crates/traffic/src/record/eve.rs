//! Events of Suricata: one JSON object for each line (docs.suricata.io, "EVE JSON Format").
//!
//! `flow` holds a conversation when it is over; `dns` (all three versions of its shape), `tls`, `quic` and `http` say before what was in
//! it, under the same `flow_id`. `netflow` says the same as `flow`, one way a line: it counts where no `flow` is written. Alerts are
//! counted, for they are somebody else's findings.
//!
//! When it is wrong: Suricata counts the bytes of frames, those of Ethernet's header included.

use umbilical_core::text::clean;

use super::json::{self, Json, Object, Wrong};
use super::lines::{Text, Troubles};
use super::lookup::{Heard, code, kind};
use super::{Part, Record, Told, Uid, spoken, text};
use crate::flow::{Each, Half, Key, Lookup, Seen};
use crate::lists::plain::print;
use crate::names::{Certificate, Names};
use crate::packet::{Addr, Flags, proto};
use crate::time::Micros;
use crate::watch::Watch;

/// A line. What is not named here is not read. What only some lines have is apart: the whole of it is made anew for each.
#[derive(Debug, Default)]
struct Line<'a> {
    timestamp: Option<Text<'a>>,
    flow_id: Option<u64>,
    event_type: Option<Text<'a>>,
    src_ip: Option<Text<'a>>,
    src_port: u16,
    dest_ip: Option<Text<'a>>,
    dest_port: u16,
    proto: Option<Text<'a>>,
    app_proto: Option<Text<'a>>,
    icmp_type: u16,
    icmp_code: u16,
    flow: Option<Flow<'a>>,
    netflow: Option<Box<Netflow<'a>>>,
    tcp: Option<Tcp<'a>>,
    dns: Option<Box<Dns<'a>>>,
    tls: Option<Box<Tls<'a>>>,
    quic: Option<Box<Tls<'a>>>,
    http: Option<Box<Http<'a>>>,
}

impl<'a> Object<'a> for Line<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"timestamp" => self.timestamp = json.text()?,
            b"flow_id" => self.flow_id = json.number()?,
            b"event_type" => self.event_type = json.text()?,
            b"src_ip" => self.src_ip = json.text()?,
            b"src_port" => self.src_port = json.number()?.unwrap_or_default(),
            b"dest_ip" => self.dest_ip = json.text()?,
            b"dest_port" => self.dest_port = json.number()?.unwrap_or_default(),
            b"proto" => self.proto = json.text()?,
            b"app_proto" => self.app_proto = json.text()?,
            b"icmp_type" => self.icmp_type = json.number()?.unwrap_or_default(),
            b"icmp_code" => self.icmp_code = json.number()?.unwrap_or_default(),
            b"flow" => self.flow = json.object()?,
            b"netflow" => self.netflow = json.object()?.map(Box::new),
            b"tcp" => self.tcp = json.object()?,
            b"dns" => self.dns = json.object()?.map(Box::new),
            b"tls" => self.tls = json.object()?.map(Box::new),
            b"quic" => self.quic = json.object()?.map(Box::new),
            b"http" => self.http = json.object()?.map(Box::new),
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Flow<'a> {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: Option<Text<'a>>,
    end: Option<Text<'a>>,
    state: Option<Text<'a>>,
}

impl<'a> Object<'a> for Flow<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"pkts_toserver" => self.pkts_toserver = json.number()?.unwrap_or_default(),
            b"pkts_toclient" => self.pkts_toclient = json.number()?.unwrap_or_default(),
            b"bytes_toserver" => self.bytes_toserver = json.number()?.unwrap_or_default(),
            b"bytes_toclient" => self.bytes_toclient = json.number()?.unwrap_or_default(),
            b"start" => self.start = json.text()?,
            b"end" => self.end = json.text()?,
            b"state" => self.state = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Netflow<'a> {
    pkts: u64,
    bytes: u64,
    start: Option<Text<'a>>,
    end: Option<Text<'a>>,
}

impl<'a> Object<'a> for Netflow<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"pkts" => self.pkts = json.number()?.unwrap_or_default(),
            b"bytes" => self.bytes = json.number()?.unwrap_or_default(),
            b"start" => self.start = json.text()?,
            b"end" => self.end = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

/// Flags as hex digits: of both ways, and of each.
#[derive(Debug, Default)]
struct Tcp<'a> {
    tcp_flags: Option<Text<'a>>,
    tcp_flags_ts: Option<Text<'a>>,
    tcp_flags_tc: Option<Text<'a>>,
}

impl<'a> Object<'a> for Tcp<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"tcp_flags" => self.tcp_flags = json.text()?,
            b"tcp_flags_ts" => self.tcp_flags_ts = json.text()?,
            b"tcp_flags_tc" => self.tcp_flags_tc = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

/// Version 1 has a line for each record of an answer, 2 one for each answer, 3 lists what is asked.
#[derive(Debug, Default)]
struct Dns<'a> {
    kind: Option<Text<'a>>,
    rrname: Option<Text<'a>>,
    rrtype: Option<Text<'a>>,
    rcode: Option<Text<'a>>,
    rdata: Option<Text<'a>>,
    queries: Vec<Query<'a>>,
    answers: Vec<Answer<'a>>,
    grouped: Grouped<'a>,
}

impl<'a> Object<'a> for Dns<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"type" => self.kind = json.text()?,
            b"rrname" => self.rrname = json.text()?,
            b"rrtype" => self.rrtype = json.text()?,
            b"rcode" => self.rcode = json.text()?,
            b"rdata" => self.rdata = json.text()?,
            b"queries" => self.queries = json.items(Json::object)?,
            b"answers" => self.answers = json.items(Json::object)?,
            b"grouped" => self.grouped = json.object()?.unwrap_or_default(),
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Query<'a> {
    rrname: Option<Text<'a>>,
    rrtype: Option<Text<'a>>,
}

impl<'a> Object<'a> for Query<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"rrname" => self.rrname = json.text()?,
            b"rrtype" => self.rrtype = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Answer<'a> {
    rrtype: Option<Text<'a>>,
    /// An object for some types, text for addresses.
    rdata: Rdata<'a>,
}

impl<'a> Object<'a> for Answer<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"rrtype" => self.rrtype = json.text()?,
            b"rdata" => self.rdata = Rdata::of(json)?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

/// Text, an object with a name (SRV), or something that is not read.
#[derive(Debug, Default)]
enum Rdata<'a> {
    Text(Text<'a>),
    Named(Text<'a>),
    #[default]
    Other,
}

impl<'a> Rdata<'a> {
    fn of(json: &mut Json<'a>) -> Result<Self, Wrong> {
        if json.peek()? != b'{' {
            return Ok(json.text_if_any()?.map_or(Self::Other, Self::Text));
        }
        Ok(json.object()?.and_then(|Named { name }| name).map_or(Self::Other, Self::Named))
    }
}

#[derive(Default)]
struct Named<'a> {
    name: Option<Text<'a>>,
}

impl<'a> Object<'a> for Named<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"name" => self.name = json.text_if_any()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

/// A record among those of its type; what is neither text nor named counts all the same.
fn listed<'a>(json: &mut Json<'a>) -> Result<Option<Text<'a>>, Wrong> {
    if json.peek()? == b'n' {
        return json.skip().map(|()| None);
    }
    match Rdata::of(json)? {
        Rdata::Text(text) | Rdata::Named(text) => Ok(Some(text)),
        Rdata::Other => Ok(Some(Text::default())),
    }
}

#[derive(Debug, Default)]
struct Grouped<'a> {
    a: Vec<Text<'a>>,
    aaaa: Vec<Text<'a>>,
    txt: Vec<Text<'a>>,
    null: Vec<Text<'a>>,
    cname: Vec<Text<'a>>,
    mx: Vec<Text<'a>>,
}

impl<'a> Object<'a> for Grouped<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"A" => self.a = json.items(listed)?,
            b"AAAA" => self.aaaa = json.items(listed)?,
            b"TXT" => self.txt = json.items(listed)?,
            b"NULL" => self.null = json.items(listed)?,
            b"CNAME" => self.cname = json.items(listed)?,
            b"MX" => self.mx = json.items(listed)?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Tls<'a> {
    sni: Option<Text<'a>>,
    ja3: Option<Ja3<'a>>,
    ja4: Option<Text<'a>>,
    /// SHA-1 of the certificate.
    fingerprint: Option<Text<'a>>,
    subject: Option<Text<'a>>,
    issuerdn: Option<Text<'a>>,
    notbefore: Option<Text<'a>>,
    notafter: Option<Text<'a>>,
}

impl<'a> Object<'a> for Tls<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"sni" => self.sni = json.text()?,
            b"ja3" => self.ja3 = json.object()?,
            b"ja4" => self.ja4 = json.text()?,
            b"fingerprint" => self.fingerprint = json.text()?,
            b"subject" => self.subject = json.text()?,
            b"issuerdn" => self.issuerdn = json.text()?,
            b"notbefore" => self.notbefore = json.text()?,
            b"notafter" => self.notafter = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Ja3<'a> {
    hash: Option<Text<'a>>,
}

impl<'a> Object<'a> for Ja3<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"hash" => self.hash = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Http<'a> {
    hostname: Option<Text<'a>>,
    url: Option<Text<'a>>,
    http_user_agent: Option<Text<'a>>,
    http_content_type: Option<Text<'a>>,
}

impl<'a> Object<'a> for Http<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        match key {
            b"hostname" => self.hostname = json.text()?,
            b"url" => self.url = json.text()?,
            b"http_user_agent" => self.http_user_agent = json.text()?,
            b"http_content_type" => self.http_content_type = json.text()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

/// A log that is being read.
#[derive(Debug, Default)]
pub struct Log {
    /// What is wrong with it.
    pub troubles: Troubles,
    /// Lines that said something.
    pub rows: u64,
    number: u64,
    /// Which of its kinds of events a conversation could have had: Suricata writes what it is told to.
    sees: Seen,
    /// Whether it writes `flow`.
    flows: bool,
}

/// The exporter under which ways of one conversation are joined.
const EXPORTER: u32 = 0x7fff_ffff;

impl Log {
    /// One that begins so: which kinds of events it has is known from the beginning, as far as that shows it.
    pub fn new(head: &[u8]) -> Self {
        let mut log = Self::default();
        for line in head.split_inclusive(|b| *b == b'\n') {
            let mut event = Line::default();
            if json::fill(&mut event, line).is_err() {
                continue;
            }
            match event.event_type.as_ref().map(Text::bytes) {
                Some(b"flow") => log.flows = true,
                Some(b"dns") => log.sees = log.sees.with(Seen::DNS),
                Some(b"tls" | b"quic") => log.sees = log.sees.with(Seen::TLS),
                Some(b"http") => log.sees = log.sees.with(Seen::HTTP),
                _ => {}
            }
        }
        log
    }

    /// A line with its end, if it has one.
    pub fn line(&mut self, line: &[u8], watch: &mut Watch, each: Each<'_>) {
        self.number = self.number.saturating_add(1);
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let whole = line.ends_with(b"\n");
        let mut event = Line::default();
        match json::fill(&mut event, line) {
            Ok(()) if event.event_type.is_some() => {}
            Err(Wrong::Ends) if !whole => return self.troubles.put(self.number, "it breaks off in the middle of a line"),
            Ok(()) | Err(_) => return self.troubles.put(self.number, "this line is no event of Suricata"),
        }
        self.rows = self.rows.saturating_add(1);
        let Some(kind) = event.event_type.as_ref() else { return };
        match kind.bytes() {
            b"flow" => self.flow(&event, watch, each),
            b"netflow" if !self.flows => self.netflow(&event, watch, each),
            b"alert" => watch.counters.alerts = watch.counters.alerts.saturating_add(1),
            b"dns" | b"tls" | b"quic" | b"http" => self.said(&event, watch, each),
            _ => {}
        }
    }

    fn flow(&mut self, event: &Line<'_>, watch: &mut Watch, each: Each<'_>) {
        self.flows = true;
        let Some(flow) = &event.flow else { return self.troubles.put(self.number, LACKS) };
        let (Some(key), Some(start)) = (key(event), time(flow.start.as_ref())) else { return self.troubles.put(self.number, LACKS) };
        let half = |packets, bytes, flags: Option<&Text<'_>>| Half { packets, bytes, payload: 0, flags: hex(flags), fresh: 0 };
        let tcp = event.tcp.as_ref();
        let up = half(flow.pkts_toserver, flow.bytes_toserver, tcp.and_then(|t| t.tcp_flags_ts.as_ref()));
        let mut down = half(flow.pkts_toclient, flow.bytes_toclient, tcp.and_then(|t| t.tcp_flags_tc.as_ref()));
        let mut seen = self.sees.with(Seen::COUNTS);
        if tcp.is_some() {
            seen = seen.with(Seen::FLAGS).with(Seen::ANSWERS);
        } else if key.proto != proto::TCP {
            seen = seen.with(Seen::ANSWERS);
        } else if let Some(state) = &flow.state {
            if state.0 == "established" {
                down.flags.0 |= Flags::SYN | Flags::ACK;
            }
            if state.0 == "new" {
                seen = seen.with(Seen::ANSWERS);
            }
        }
        let end = time(flow.end.as_ref()).unwrap_or(start).max(start);
        let record = Record { key, start, end, number: self.number, up, down, names: named(event), seen, part: None };
        watch.counters.records = watch.counters.records.saturating_add(1);
        match event.flow_id {
            Some(id) => watch.joined(Uid::number(id), record, each),
            None => watch.record(&record, each),
        }
    }

    /// One way of a conversation.
    fn netflow(&mut self, event: &Line<'_>, watch: &mut Watch, each: Each<'_>) {
        let Some(flow) = event.netflow.as_deref() else { return self.troubles.put(self.number, LACKS) };
        let (Some(key), Some(start)) = (key(event), time(flow.start.as_ref())) else { return self.troubles.put(self.number, LACKS) };
        let end = time(flow.end.as_ref()).unwrap_or(start).max(start);
        let flags = event.tcp.as_ref().and_then(|t| t.tcp_flags.as_ref());
        let seen = self.sees.with(Seen::COUNTS).with(Seen::ANSWERS).with(if flags.is_some() { Seen::FLAGS } else { Seen::NOTHING });
        let heard = time(event.timestamp.as_ref()).unwrap_or(end);
        let record = Record {
            key,
            start,
            end,
            number: self.number,
            up: Half { packets: flow.pkts, bytes: flow.bytes, payload: 0, flags: hex(flags), fresh: 0 },
            down: Half::default(),
            names: named(event),
            seen,
            part: Some(Part { exporter: EXPORTER, heard, both: false }),
        };
        watch.counters.records = watch.counters.records.saturating_add(1);
        match event.flow_id {
            Some(id) => watch.joined(Uid::number(id), record, each),
            None => watch.record(&record, each),
        }
    }

    fn said(&mut self, event: &Line<'_>, watch: &mut Watch, each: Each<'_>) {
        let (Some(mut key), Some(at)) = (key(event), time(event.timestamp.as_ref())) else {
            return self.troubles.put(self.number, LACKS);
        };
        let mut names = Names { app: event.event_type.as_ref().and_then(|kind| spoken(kind.bytes())), ..Names::default() };
        let mut seen = Seen::NOTHING;
        if let Some(dns) = event.dns.as_deref() {
            seen = seen.with(Seen::DNS);
            // An answer may be written as the packet went.
            if key.client_port == 53 && key.server_port != 53 {
                key = key.turned();
            }
            names.dns = asked(dns, key.client, watch);
            self.lookup(dns, key, at, watch, each);
        }
        let words = &mut watch.words;
        let mut keep = |text: Option<&Text<'_>>| text.filter(|t| !t.0.is_empty()).and_then(|t| words.keep(&t.0));
        if let Some(tls) = event.tls.as_deref().or(event.quic.as_deref()) {
            seen = seen.with(Seen::TLS);
            names.sni = keep(tls.sni.as_ref().map(|n| Text(n.0.to_ascii_lowercase().into())).as_ref());
            names.ja3 = keep(tls.ja3.as_ref().and_then(|j| j.hash.as_ref()));
            names.ja4 = keep(tls.ja4.as_ref());
            names.sha1 = keep(tls.fingerprint.as_ref().map(|f| Text(print(&f.0).into())).as_ref());
        }
        if let Some(http) = event.http.as_deref() {
            seen = seen.with(Seen::HTTP);
            names.host = keep(http.hostname.as_ref().map(|h| Text(h.0.to_ascii_lowercase().into())).as_ref());
            names.uri = keep(http.url.as_ref());
            names.agent = keep(http.http_user_agent.as_ref());
            names.mime = keep(http.http_content_type.as_ref().map(|m| Text(media(&m.0).into())).as_ref());
        }
        if let (Some(tls), Some(hash)) = (event.tls.as_deref(), names.sha1) {
            let text = |text: &Option<Text<'_>>| text.as_ref().map(|t| clean(&t.0).as_ref().into());
            let (from, until) = (time(tls.notbefore.as_ref()), time(tls.notafter.as_ref()));
            watch.words.says(hash, Certificate { subject: text(&tls.subject), issuer: text(&tls.issuerdn), from, until });
        }
        self.sees = self.sees.with(seen);
        let told = Told { key, at, number: self.number, names, seen };
        match event.flow_id {
            Some(id) => watch.told(Uid::number(id), told, each),
            None => watch.record(&told.into(), each),
        }
    }
}

impl Log {
    /// What was asked for, or what was answered.
    fn lookup(&self, dns: &Dns<'_>, key: Key, at: Micros, watch: &mut Watch, each: Each<'_>) {
        let query = dns.queries.first();
        let Some(name) = dns.rrname.as_ref().or_else(|| query?.rrname.as_ref()) else { return };
        let answers = dns.kind.as_ref().is_some_and(|kind| matches!(kind.bytes(), b"answer" | b"response"));
        let asked = dns.rrtype.as_ref().or_else(|| query?.rrtype.as_ref()).map_or(0, |t| kind(&t.0));
        let mut heard = Heard::default();
        heard.answer.code = dns.rcode.as_ref().map_or(0, |c| code(&c.0));
        if let Some(data) = &dns.rdata {
            put(&mut heard, asked, data.bytes());
        }
        for answer in &dns.answers {
            let of = answer.rrtype.as_ref().map_or(asked, |t| kind(&t.0));
            match &answer.rdata {
                Rdata::Text(text) | Rdata::Named(text) => put(&mut heard, of, text.bytes()),
                Rdata::Other => put(&mut heard, of, b""),
            }
        }
        // Either of the two, or both, by how it is set up.
        if dns.answers.is_empty() {
            let Grouped { a, aaaa, txt, null, cname, mx } = &dns.grouped;
            [a, aaaa, cname, mx].into_iter().flatten().for_each(|t| heard.record(t.bytes()));
            txt.iter().chain(null).for_each(|t| heard.free(t.0.len()));
        }
        let lookup = Lookup {
            client: key.client,
            server: key.server,
            session: None,
            at,
            frame: self.number,
            name: &name.0.trim_end_matches('.').to_ascii_lowercase(),
            // A line of version 1 is about one record of an answer; a CNAME is mostly in one that was asked for an address.
            kind: if dns.rdata.is_some() && asked == CNAME { A } else { asked },
            asks: !answers,
            answer: answers.then_some(heard.answer),
            addrs: &heard.addrs,
        };
        watch.looked_up(lookup, each);
    }
}

const A: u16 = 1;
const CNAME: u16 = 5;

/// A record of an answer: TXT, NULL, KEY and what has no name carry anything.
fn put(heard: &mut Heard, kind: u16, data: &[u8]) {
    match kind {
        10 | 16 | 25 | 256.. => heard.free(data.len()),
        _ => heard.record(data),
    }
}

const LACKS: &str = "this event does not say when or between which addresses";

/// What a conversation speaks, which its own event says.
fn named(event: &Line<'_>) -> Names {
    Names { app: event.app_proto.as_ref().and_then(|word| spoken(word.bytes())), ..Names::default() }
}

/// The name that is asked for; where it leads is kept for whoever asked.
fn asked(dns: &Dns<'_>, client: Addr, watch: &mut Watch) -> Option<crate::names::Word> {
    let name = dns.rrname.as_ref().or_else(|| dns.queries.first()?.rrname.as_ref())?;
    let name = name.0.trim_end_matches('.').to_ascii_lowercase();
    let word = watch.words.keep(&name).filter(|_| !name.is_empty())?;
    let listed = dns.answers.iter().filter_map(|answer| match (&answer.rdata, answer.rrtype.as_ref()?.bytes()) {
        (Rdata::Text(text), b"A" | b"AAAA") => Some(text),
        _ => None,
    });
    for addr in dns.rdata.iter().chain(&dns.grouped.a).chain(&dns.grouped.aaaa).chain(listed).filter_map(|t| text::addr(t.bytes())) {
        watch.named(client, addr, word);
    }
    Some(word)
}

/// A media type without what is said of it (RFC 9110, 8.3.1).
fn media(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn time(text: Option<&Text<'_>>) -> Option<Micros> {
    text::stamp(text?.bytes())
}

fn hex(text: Option<&Text<'_>>) -> Flags {
    Flags(text.and_then(|t| u8::from_str_radix(&t.0, 16).ok()).unwrap_or_default())
}

fn key(event: &Line<'_>) -> Option<Key> {
    let client = text::addr(event.src_ip.as_ref()?.bytes())?;
    let server = text::addr(event.dest_ip.as_ref()?.bytes())?;
    // Names of /etc/protocols, or numbers of three digits.
    let proto = match event.proto.as_ref()?.bytes() {
        b"TCP" => proto::TCP,
        b"UDP" => proto::UDP,
        b"ICMP" => proto::ICMP,
        b"IPv6-ICMP" | b"ICMPv6" => proto::ICMPV6,
        b"SCTP" => proto::SCTP,
        b"GRE" => proto::GRE,
        b"IGMP" => 2,
        b"ESP" => 50,
        b"AH" => 51,
        other => text::number(other).and_then(|n| u8::try_from(n).ok()).unwrap_or(255),
    };
    let (client_port, server_port) = match proto {
        proto::ICMP | proto::ICMPV6 => (event.icmp_type, event.icmp_code),
        _ => (event.src_port, event.dest_port),
    };
    Some(Key::of_icmp(Key { client, server, client_port, server_port, proto }))
}

/// Whether this is the beginning of such a log, and when its first event was.
pub fn begins(head: &[u8]) -> Option<Micros> {
    let line = head.split_inclusive(|b| *b == b'\n').find(|l| !l.iter().all(u8::is_ascii_whitespace))?;
    let mut event = Line::default();
    json::fill(&mut event, line).ok()?;
    event.event_type.as_ref()?;
    time(event.timestamp.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_answers_in_every_shape() {
        let line = br#"{"event_type":"dns","src_port":null,"dns":{"type":"answer","queries":[{"rrname":"a.example","rrtype":"MX"},null],
            "answers":[{"rrtype":"A","rdata":"192.0.2.1"},{"rrtype":"SRV","rdata":{"port":80,"name":"b.example"}},{"rrtype":"SOA","soa":{"serial":1}},
                {"rdata":{"name":7}},{"rdata":[1]},{"rdata":null}],
            "grouped":{"A":["192.0.2.1"],"MX":[{"preference":1,"name":"c.example"},"d.example",3],"SRV":[{"name":"e.example"}],"TXT":["f"]}}}"#;
        let mut event = Line::default();
        assert_eq!(json::fill(&mut event, line), Ok(()));
        let dns = event.dns.unwrap();
        assert_eq!((event.src_port, dns.queries.len()), (0, 1));
        let told = |answer: &Answer<'_>| match &answer.rdata {
            Rdata::Text(text) => format!("text {}", text.0),
            Rdata::Named(name) => format!("named {}", name.0),
            Rdata::Other => "other".to_owned(),
        };
        let answers: Vec<String> = dns.answers.iter().map(told).collect();
        assert_eq!(answers, ["text 192.0.2.1", "named b.example", "other", "other", "other", "other"]);
        let mx: Vec<&str> = dns.grouped.mx.iter().map(|text| &*text.0).collect();
        assert_eq!(mx, ["c.example", "d.example", ""], "what is not known counts all the same");
    }
}
