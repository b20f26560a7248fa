//! Logs of Zeek: tab-separated with a head, or one JSON object for each line (docs.zeek.org, "Zeek Log Formats").
//!
//! `conn` holds the conversations, with the number under which `dns`, `ssl`, `quic`, `http` and `files` say what was in them. Those
//! lines are written while a conversation goes on and its own when it is over, so what is read in the order of these times
//! ([`Log::line`] gives them) finds what was said before.
//!
//! When it is wrong: an echo of ICMP is written without its identifier, so all of them between two hosts are one conversation; what
//! Zeek calls the media type is what it found by looking, and not what the server said.

use std::borrow::Cow;

use umbilical_core::text::clean;

use super::json::{self, Json, Object, Wrong};
use super::lines::{Stamp, Text, Troubles};
use super::lookup::Heard;
use super::{Record, Told, Uid, spoken, text};
use crate::flow::{Each, Half, Key, Lookup, Seen};
use crate::lists::plain;
use crate::names::{App, Body, Certificate, Names};
use crate::packet::{Flags, proto};
use crate::time::Micros;
use crate::watch::Watch;

/// What a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Conversations.
    Conn,
    /// Questions to name servers.
    Dns,
    /// TLS.
    Ssl,
    /// QUIC.
    Quic,
    /// HTTP.
    Http,
    /// What was transferred.
    Files,
    /// Anything else: nothing is read from it.
    Other,
}

impl Kind {
    fn of(path: &[u8]) -> Self {
        match path {
            b"conn" => Self::Conn,
            b"dns" => Self::Dns,
            b"ssl" => Self::Ssl,
            b"quic" => Self::Quic,
            b"http" => Self::Http,
            b"files" => Self::Files,
            _ => Self::Other,
        }
    }

    /// As an input's format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Conn => "zeek-conn",
            Self::Dns => "zeek-dns",
            Self::Ssl => "zeek-ssl",
            Self::Quic => "zeek-quic",
            Self::Http => "zeek-http",
            Self::Files => "zeek-files",
            Self::Other => "zeek-log",
        }
    }

    /// How far behind what it tells of its lines are written: conversations are waited for, since their lines stand behind those of
    /// what was said in them.
    pub fn behind(self) -> Micros {
        if self == Self::Conn { WAIT } else { Micros(0) }
    }

    /// What can be seen of conversations where such a log is at hand.
    pub fn sees(self) -> Seen {
        match self {
            Self::Dns => Seen::DNS,
            Self::Ssl | Self::Quic => Seen::TLS,
            Self::Http => Seen::HTTP,
            Self::Conn | Self::Files | Self::Other => Seen::NOTHING,
        }
    }
}

/// A column that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Ts,
    Uid,
    OrigH,
    OrigP,
    RespH,
    RespP,
    Proto,
    IpProto,
    Service,
    Duration,
    OrigBytes,
    RespBytes,
    State,
    History,
    OrigPkts,
    OrigIpBytes,
    RespPkts,
    RespIpBytes,
    Query,
    Answers,
    Qtype,
    Rcode,
    ServerName,
    Ja3,
    Ja4,
    Host,
    Uri,
    Agent,
    RespMime,
    Mime,
    ConnUids,
    Certificates,
    Subject,
    Issuer,
    Sha1,
    Unread,
}

impl Column {
    fn of(name: &[u8]) -> Self {
        match name {
            b"ts" => Self::Ts,
            b"uid" => Self::Uid,
            b"id.orig_h" | b"id_orig_h" => Self::OrigH,
            b"id.orig_p" | b"id_orig_p" => Self::OrigP,
            b"id.resp_h" | b"id_resp_h" => Self::RespH,
            b"id.resp_p" | b"id_resp_p" => Self::RespP,
            b"proto" => Self::Proto,
            b"ip_proto" => Self::IpProto,
            b"service" => Self::Service,
            b"duration" => Self::Duration,
            b"orig_bytes" => Self::OrigBytes,
            b"resp_bytes" => Self::RespBytes,
            b"conn_state" => Self::State,
            b"history" => Self::History,
            b"orig_pkts" => Self::OrigPkts,
            b"orig_ip_bytes" => Self::OrigIpBytes,
            b"resp_pkts" => Self::RespPkts,
            b"resp_ip_bytes" => Self::RespIpBytes,
            b"query" => Self::Query,
            b"answers" => Self::Answers,
            b"qtype" => Self::Qtype,
            b"rcode" => Self::Rcode,
            b"server_name" => Self::ServerName,
            b"ja3" => Self::Ja3,
            b"ja4" => Self::Ja4,
            b"host" => Self::Host,
            b"uri" => Self::Uri,
            b"user_agent" => Self::Agent,
            b"resp_mime_types" => Self::RespMime,
            b"mime_type" => Self::Mime,
            b"conn_uids" => Self::ConnUids,
            b"cert_chain_fps" => Self::Certificates,
            b"subject" => Self::Subject,
            b"issuer" => Self::Issuer,
            b"sha1" => Self::Sha1,
            _ => Self::Unread,
        }
    }
}

/// What stands in a column that is looked at byte by byte: nobody asks whether it is text.
#[derive(Debug)]
struct Bytes<'a>(Cow<'a, [u8]>);

impl<'a> From<Text<'a>> for Bytes<'a> {
    fn from(text: Text<'a>) -> Self {
        Self(match text.0 {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        })
    }
}

/// What a line says; `None` is what it leaves open.
#[derive(Debug, Default)]
struct Row<'a> {
    path: Option<Text<'a>>,
    ts: Option<Stamp>,
    uid: Option<Bytes<'a>>,
    orig_h: Option<Bytes<'a>>,
    orig_p: Option<u16>,
    resp_h: Option<Bytes<'a>>,
    resp_p: Option<u16>,
    proto: Option<Bytes<'a>>,
    ip_proto: Option<u64>,
    service: Option<Bytes<'a>>,
    duration: Option<Stamp>,
    orig_bytes: Option<u64>,
    resp_bytes: Option<u64>,
    conn_state: Option<Bytes<'a>>,
    history: Option<Bytes<'a>>,
    orig_pkts: Option<u64>,
    orig_ip_bytes: Option<u64>,
    resp_pkts: Option<u64>,
    resp_ip_bytes: Option<u64>,
    query: Option<Text<'a>>,
    answers: Vec<Text<'a>>,
    qtype: Option<u64>,
    rcode: Option<u64>,
    server_name: Option<Text<'a>>,
    ja3: Option<Text<'a>>,
    ja4: Option<Text<'a>>,
    host: Option<Text<'a>>,
    uri: Option<Text<'a>>,
    user_agent: Option<Text<'a>>,
    resp_mime_types: Vec<Text<'a>>,
    mime_type: Option<Text<'a>>,
    conn_uids: Vec<Text<'a>>,
    cert_chain_fps: Vec<Text<'a>>,
    subject: Option<Text<'a>>,
    issuer: Option<Text<'a>>,
    sha1: Option<Text<'a>>,
    // What tells logs from each other that do not say their name.
    trans_id: bool,
    cipher: bool,
    established: bool,
    trans_depth: bool,
    method: bool,
    fuid: bool,
}

/// What stands in a column: between tabs, or behind a name of JSON. `None` is what is left open.
trait Value<'a> {
    fn text(&mut self) -> Result<Option<Text<'a>>, Wrong>;
    fn bytes(&mut self) -> Result<Option<Bytes<'a>>, Wrong>;
    fn number<T: TryFrom<u64>>(&mut self) -> Result<Option<T>, Wrong>;
    fn time(&mut self) -> Result<Option<Stamp>, Wrong>;
    fn texts(&mut self) -> Result<Vec<Text<'a>>, Wrong>;
}

impl<'a> Value<'a> for Json<'a> {
    fn text(&mut self) -> Result<Option<Text<'a>>, Wrong> {
        Json::text(self)
    }

    fn bytes(&mut self) -> Result<Option<Bytes<'a>>, Wrong> {
        Ok(Json::text(self)?.map(Bytes::from))
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Result<Option<T>, Wrong> {
        Json::number(self)
    }

    fn time(&mut self) -> Result<Option<Stamp>, Wrong> {
        Json::time(self)
    }

    fn texts(&mut self) -> Result<Vec<Text<'a>>, Wrong> {
        self.items(Json::text)
    }
}

/// Bytes between two tabs, and what stands between several in one.
struct Cell<'a>(&'a [u8], u8);

impl<'a> Value<'a> for Cell<'a> {
    fn text(&mut self) -> Result<Option<Text<'a>>, Wrong> {
        Ok(Some(Text(String::from_utf8_lossy(self.0))))
    }

    fn bytes(&mut self) -> Result<Option<Bytes<'a>>, Wrong> {
        Ok(Some(Bytes(Cow::Borrowed(self.0))))
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Result<Option<T>, Wrong> {
        Ok(text::number(self.0).and_then(|n| T::try_from(n).ok()))
    }

    fn time(&mut self) -> Result<Option<Stamp>, Wrong> {
        Ok(text::seconds(self.0).or_else(|| text::stamp(self.0)).map(Stamp))
    }

    fn texts(&mut self) -> Result<Vec<Text<'a>>, Wrong> {
        Ok(self.0.split(|b| *b == self.1).map(|one| Text(String::from_utf8_lossy(one))).collect())
    }
}

impl<'a> Object<'a> for Row<'a> {
    fn field(&mut self, key: &[u8], json: &mut Json<'a>) -> Result<(), Wrong> {
        let column = Column::of(key);
        if column != Column::Unread {
            return self.set(column, json);
        }
        match key {
            b"_path" => self.path = json.text()?,
            b"trans_id" => self.trans_id = json.said()?,
            b"cipher" => self.cipher = json.said()?,
            b"established" => self.established = json.said()?,
            b"trans_depth" => self.trans_depth = json.said()?,
            b"method" => self.method = json.said()?,
            b"fuid" => self.fuid = json.said()?,
            _ => json.skip()?,
        }
        Ok(())
    }
}

impl<'a> Row<'a> {
    /// Sets a column.
    fn set(&mut self, column: Column, value: &mut impl Value<'a>) -> Result<(), Wrong> {
        match column {
            Column::Ts => self.ts = value.time()?,
            Column::Uid => self.uid = value.bytes()?,
            Column::OrigH => self.orig_h = value.bytes()?,
            Column::OrigP => self.orig_p = value.number()?,
            Column::RespH => self.resp_h = value.bytes()?,
            Column::RespP => self.resp_p = value.number()?,
            Column::Proto => self.proto = value.bytes()?,
            Column::IpProto => self.ip_proto = value.number()?,
            Column::Service => self.service = value.bytes()?,
            Column::Duration => self.duration = value.time()?,
            Column::OrigBytes => self.orig_bytes = value.number()?,
            Column::RespBytes => self.resp_bytes = value.number()?,
            Column::State => self.conn_state = value.bytes()?,
            Column::History => self.history = value.bytes()?,
            Column::OrigPkts => self.orig_pkts = value.number()?,
            Column::OrigIpBytes => self.orig_ip_bytes = value.number()?,
            Column::RespPkts => self.resp_pkts = value.number()?,
            Column::RespIpBytes => self.resp_ip_bytes = value.number()?,
            Column::Query => self.query = value.text()?,
            Column::Answers => self.answers = value.texts()?,
            Column::Qtype => self.qtype = value.number()?,
            Column::Rcode => self.rcode = value.number()?,
            Column::ServerName => self.server_name = value.text()?,
            Column::Ja3 => self.ja3 = value.text()?,
            Column::Ja4 => self.ja4 = value.text()?,
            Column::Host => self.host = value.text()?,
            Column::Uri => self.uri = value.text()?,
            Column::Agent => self.user_agent = value.text()?,
            Column::RespMime => self.resp_mime_types = value.texts()?,
            Column::Mime => self.mime_type = value.text()?,
            Column::ConnUids => self.conn_uids = value.texts()?,
            Column::Certificates => self.cert_chain_fps = value.texts()?,
            Column::Subject => self.subject = value.text()?,
            Column::Issuer => self.issuer = value.text()?,
            Column::Sha1 => self.sha1 = value.text()?,
            Column::Unread => {}
        }
        Ok(())
    }
}

impl Row<'_> {
    /// Which log a line of JSON is of: it says so, or its fields do.
    fn kind(&self) -> Kind {
        if let Some(path) = &self.path {
            return Kind::of(path.bytes());
        }
        if self.conn_state.is_some() || self.orig_pkts.is_some() {
            Kind::Conn
        } else if self.fuid {
            Kind::Files
        } else if self.trans_depth || self.method && self.uri.is_some() {
            Kind::Http
        } else if self.trans_id || self.query.is_some() {
            Kind::Dns
        } else if self.cipher || self.established {
            Kind::Ssl
        } else {
            Kind::Other
        }
    }
}

/// A log that is being read.
#[derive(Debug)]
pub struct Log {
    /// What it is about, once that is known.
    pub kind: Option<Kind>,
    /// What is wrong with it.
    pub troubles: Troubles,
    /// Lines that said something.
    pub rows: u64,
    /// What logs beside it could see of conversations.
    beside: Seen,
    number: u64,
    tab: u8,
    comma: u8,
    empty: Vec<u8>,
    unset: Vec<u8>,
    columns: Vec<Column>,
}

/// Silence behind which Zeek writes that a conversation is over.
const WAIT: Micros = Micros::seconds(60);

impl Log {
    /// One, beside others of which these see what conversations say.
    pub fn new(beside: Seen) -> Self {
        Self {
            kind: None,
            troubles: Troubles::default(),
            rows: 0,
            beside,
            number: 0,
            tab: b'\t',
            comma: b',',
            empty: b"(empty)".to_vec(),
            unset: b"-".to_vec(),
            columns: Vec::new(),
        }
    }

    /// A line with its end, if it has one. Gives the time at which it was written, as far as it can be told.
    pub fn line(&mut self, line: &[u8], watch: &mut Watch, each: Each<'_>) -> Option<Micros> {
        self.number = self.number.saturating_add(1);
        let (whole, line) = match line {
            [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => (true, line),
            _ => (false, line),
        };
        let line = if self.number == 1 { line.trim_ascii_start() } else { line };
        match line.first()? {
            b'#' => {
                self.head(line);
                None
            }
            b'{' => {
                let mut row = Row::default();
                if json::fill(&mut row, line).is_err() {
                    self.troubles.put(self.number, if whole { "this line is no JSON object of a log" } else { BREAKS_OFF });
                    return None;
                }
                let kind = row.kind();
                self.kind = self.kind.or(Some(kind));
                self.row(kind, &row, watch, each)
            }
            _ => {
                let (mut row, mut columns, mut more) = (Row::default(), self.columns.iter(), 0usize);
                for value in text::parts(line, self.tab) {
                    match columns.next() {
                        Some(Column::Unread) => {}
                        Some(column) if value != self.unset && value != self.empty => {
                            // Of bytes between tabs none is wrong: what is no number says none.
                            let _ = row.set(*column, &mut Cell(value, self.comma));
                        }
                        Some(_) => {}
                        None => more = more.saturating_add(1),
                    }
                }
                let less = columns.len();
                if less > 0 || more > 0 {
                    let what = match (self.columns.is_empty(), whole) {
                        (true, _) => Cow::Borrowed("no #fields above says what its columns are"),
                        (false, true) => {
                            let has = self.columns.len().saturating_sub(less).saturating_add(more);
                            Cow::Owned(format!("it has {has} of {} columns", self.columns.len()))
                        }
                        (false, false) => Cow::Borrowed(BREAKS_OFF),
                    };
                    self.troubles.put(self.number, what);
                    return None;
                }
                self.row(self.kind?, &row, watch, each)
            }
        }
    }

    fn head(&mut self, line: &[u8]) {
        let mut words = line.splitn(2, |b| *b == self.tab || *b == b' ');
        let (Some(word), Some(rest)) = (words.next(), words.next()) else { return };
        match word {
            b"#separator" => {
                // `\x09`, or the character itself.
                let hex = rest.strip_prefix(b"\\x").and_then(|h| std::str::from_utf8(h).ok());
                self.tab = hex.and_then(|h| u8::from_str_radix(h, 16).ok()).or_else(|| rest.first().copied()).unwrap_or(b'\t');
            }
            b"#set_separator" => self.comma = rest.first().copied().unwrap_or(b','),
            b"#empty_field" => self.empty = rest.to_vec(),
            b"#unset_field" => self.unset = rest.to_vec(),
            b"#path" => self.kind = Some(Kind::of(rest)),
            b"#fields" => self.columns = rest.split(|b| *b == self.tab).map(Column::of).collect(),
            _ => {}
        }
    }

    fn row(&mut self, kind: Kind, row: &Row<'_>, watch: &mut Watch, each: Each<'_>) -> Option<Micros> {
        if kind == Kind::Other {
            return None;
        }
        let Some(Stamp(at)) = row.ts else {
            self.troubles.put(self.number, "it does not say when");
            return None;
        };
        if kind == Kind::Files {
            self.rows = self.rows.saturating_add(1);
            self.file(row, at, watch, each);
            return Some(at);
        }
        let Some(key) = key(row) else {
            self.troubles.put(self.number, "it does not say between which addresses");
            return Some(at);
        };
        self.rows = self.rows.saturating_add(1);
        let id = row.uid.as_ref().and_then(|uid| Uid::text(&uid.0));
        let number = self.number;
        if kind == Kind::Conn {
            let end = at.plus(row.duration.map_or(Micros(0), |d| Micros(d.0.0.max(0))));
            let (up, down, seen) = counted(row, self.beside);
            let names = Names { app: row.service.as_ref().and_then(|s| spoken(&s.0)), ..Names::default() };
            let record = Record { key, start: at, end, number, up, down, names, seen, part: None };
            watch.counters.records = watch.counters.records.saturating_add(1);
            match id {
                Some(id) => watch.joined(id, record, each),
                None => watch.record(&record, each),
            }
            return Some(end.plus(kind.behind()));
        }
        let names = said(kind, row, key, watch);
        if kind == Kind::Dns {
            self.lookup(row, key, at, watch, each);
        }
        let told = Told { key, at, number, names, seen: kind.sees() };
        match id {
            Some(id) => watch.told(id, told, each),
            None => watch.record(&told.into(), each),
        }
        Some(at)
    }

    /// What was asked for, and what was answered.
    fn lookup(&self, row: &Row<'_>, key: Key, at: Micros, watch: &mut Watch, each: Each<'_>) {
        let Some(query) = &row.query else { return };
        let mut heard = Heard::default();
        row.answers.iter().for_each(|answer| heard.zeek(answer.bytes()));
        heard.answer.code = row.rcode.and_then(|n| u8::try_from(n).ok()).unwrap_or_default();
        let lookup = Lookup {
            client: key.client,
            server: key.server,
            session: None,
            at,
            frame: self.number,
            name: &query.0.trim_end_matches('.').to_ascii_lowercase(),
            kind: row.qtype.and_then(|n| u16::try_from(n).ok()).unwrap_or_default(),
            asks: true,
            answer: (row.rcode.is_some() || !row.answers.is_empty()).then_some(heard.answer),
            addrs: &heard.addrs,
        };
        watch.looked_up(lookup, each);
    }

    /// The media type of what was transferred, for the conversations that carried it.
    fn file(&self, row: &Row<'_>, at: Micros, watch: &mut Watch, each: Each<'_>) {
        let Some(mime) = row.mime_type.as_ref().and_then(|m| watch.words.keep(&m.0)) else { return };
        let names = match row.mime_type.as_ref().map(|m| &*m.0) {
            // A server's own: certificates are files to Zeek, and those that signed it have a type of their own.
            Some("application/x-x509-user-cert") => {
                let sha1 = row.sha1.as_ref().and_then(|hash| watch.words.keep(&hash.0.to_ascii_lowercase()));
                Names { sha1, ..Names::default() }
            }
            Some(found) if found.starts_with("application/x-x509") => return,
            found => Names { mime: Some(mime), body: found.and_then(Body::of_media), ..Names::default() },
        };
        let uids = row.uid.iter().map(|uid| &*uid.0).chain(row.conn_uids.iter().map(Text::bytes));
        for id in uids.filter_map(Uid::text) {
            // Without addresses it is no conversation, should that of it never come.
            let Some(key) = key(row) else {
                watch.adds(&id, &names);
                continue;
            };
            watch.told(id, Told { key, at, number: self.number, names, seen: Seen::NOTHING }, each);
        }
    }
}

const BREAKS_OFF: &str = "it breaks off in the middle of a line";

fn key(row: &Row<'_>) -> Option<Key> {
    let client = text::addr(&row.orig_h.as_ref()?.0)?;
    let server = text::addr(&row.resp_h.as_ref()?.0)?;
    let (client_port, server_port) = (row.orig_p.unwrap_or_default(), row.resp_p.unwrap_or_default());
    let number = row.ip_proto.and_then(|n| u8::try_from(n).ok());
    let proto = match row.proto.as_ref().map(|p| &*p.0) {
        Some(b"tcp") | None if row.query.is_none() => proto::TCP,
        Some(b"udp") | None => proto::UDP,
        Some(b"icmp") if client.is_v4() => proto::ICMP,
        Some(b"icmp") => proto::ICMPV6,
        Some(_) => number.unwrap_or(UNKNOWN),
    };
    Some(Key::of_icmp(Key { client, server, client_port, server_port, proto }))
}

/// Reserved (IANA): a protocol that its source does not name.
const UNKNOWN: u8 = 255;

/// What both ways had.
fn counted(row: &Row<'_>, beside: Seen) -> (Half, Half, Seen) {
    let half = |packets: Option<u64>, bytes: Option<u64>, payload: Option<u64>| Half {
        packets: packets.unwrap_or_default(),
        bytes: bytes.or(payload).unwrap_or_default(),
        payload: payload.unwrap_or_default(),
        flags: Flags::default(),
        fresh: 0,
    };
    let mut up = half(row.orig_pkts, row.orig_ip_bytes, row.orig_bytes);
    let mut down = half(row.resp_pkts, row.resp_ip_bytes, row.resp_bytes);
    let mut seen = beside.with(Seen::PAYLOAD);
    if row.orig_pkts.is_some() && row.orig_ip_bytes.is_some() {
        seen = seen.with(Seen::COUNTS);
    }
    // Upper case is of who began (Zeek's `Conn::Info$history`).
    if let Some(history) = &row.history {
        for letter in &*history.0 {
            let flags = match letter.to_ascii_lowercase() {
                b's' => Flags::SYN,
                b'h' => Flags::SYN | Flags::ACK,
                b'a' | b'd' => Flags::ACK,
                b'f' => Flags::FIN,
                b'r' => Flags::RST,
                _ => 0,
            };
            let half = if letter.is_ascii_uppercase() { &mut up } else { &mut down };
            half.flags.0 |= flags;
        }
        seen = seen.with(Seen::FLAGS);
    }
    if let Some(state) = &row.conn_state {
        if matches!(&*state.0, b"SF" | b"S1" | b"S2" | b"S3" | b"RSTO" | b"RSTR") && row.proto.as_ref().is_some_and(|p| *p.0 == *b"tcp") {
            down.flags.0 |= Flags::SYN | Flags::ACK;
        }
        seen = seen.with(Seen::ANSWERS);
    } else if row.history.is_some() {
        seen = seen.with(Seen::ANSWERS);
    }
    (up, down, seen)
}

/// What a conversation says of itself in a line of another log.
fn said(kind: Kind, row: &Row<'_>, key: Key, watch: &mut Watch) -> Names {
    let mut names = Names::default();
    let words = &mut watch.words;
    let mut keep = |text: &Option<Text<'_>>| text.as_ref().filter(|t| !t.0.is_empty()).and_then(|t| words.keep(&t.0));
    match kind {
        Kind::Dns => {
            names.app = Some(App::Dns);
            let asked = row.query.as_ref().map(|q| q.0.trim_end_matches('.').to_ascii_lowercase());
            names.dns = asked.filter(|name| !name.is_empty()).and_then(|name| words.keep(&name));
            if let Some(word) = names.dns {
                for addr in row.answers.iter().filter_map(|a| text::addr(a.bytes())) {
                    watch.named(key.client, addr, word);
                }
            }
        }
        Kind::Ssl | Kind::Quic => {
            names.app = Some(if kind == Kind::Ssl { App::Tls } else { App::Quic });
            names.sni = keep(&row.server_name.as_ref().map(|n| Text(Cow::Owned(n.0.to_ascii_lowercase()))));
            names.ja3 = keep(&row.ja3);
            names.ja4 = keep(&row.ja4);
            // The first is the server's own, by SHA-256 unless somebody has chosen otherwise (Zeek's `ssl.log`, from 4.1 on).
            let first = row.cert_chain_fps.first().map(|print| Text(Cow::Owned(plain::print(&print.0))));
            let hash = keep(&first);
            match first.map_or(0, |print| print.0.len()) {
                64 => names.sha256 = hash,
                40 => names.sha1 = hash,
                _ => {}
            }
            if let Some(hash) = names.sha256.or(names.sha1) {
                let text = |text: &Option<Text<'_>>| text.as_ref().map(|t| clean(&t.0).as_ref().into());
                let (subject, issuer) = (text(&row.subject), text(&row.issuer));
                words.says(hash, Certificate { subject, issuer, ..Certificate::default() });
            }
        }
        Kind::Http => {
            names.app = Some(App::Http);
            names.host = keep(&row.host.as_ref().map(|h| Text(Cow::Owned(h.0.to_ascii_lowercase()))));
            names.uri = keep(&row.uri);
            names.agent = keep(&row.user_agent);
            names.mime = row.resp_mime_types.first().and_then(|m| watch.words.keep(&m.0));
            names.body = row.resp_mime_types.first().and_then(|m| Body::of_media(&m.0));
        }
        Kind::Conn | Kind::Files | Kind::Other => {}
    }
    names
}

/// Which log this is the beginning of, and when its first line was written.
pub fn begins(head: &[u8]) -> Option<(Kind, Option<Micros>)> {
    let mut log = Log::new(Seen::NOTHING);
    let first = head.first()?;
    if !(head.starts_with(b"#separator ") || head.starts_with(b"#fields") || *first == b'{') {
        return None;
    }
    let mut watch = Watch::new(crate::flow::Limits { flows: 1, idle: None, idle_tcp: None });
    for line in head.split_inclusive(|b| *b == b'\n') {
        let at = log.line(line, &mut watch, &mut |_, _| {});
        if log.rows > 0 || line.starts_with(b"{") {
            return log.kind.filter(|_| log.rows > 0).map(|kind| (kind, at));
        }
    }
    log.kind.filter(|_| *first == b'#').map(|kind| (kind, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Row<'_> {
        let mut row = Row::default();
        assert_eq!(json::fill(&mut row, line.as_bytes()), Ok(()), "{line}");
        row
    }

    #[test]
    fn a_column_is_the_same_in_both_shapes() {
        let of = |names: &str, value: &str, json: &str| {
            for name in names.split(' ') {
                let column = Column::of(name.as_bytes());
                assert_ne!(column, Column::Unread, "{name}");
                let mut tabs = Row::default();
                assert_eq!(tabs.set(column, &mut Cell(value.as_bytes(), b',')), Ok(()));
                assert_eq!(format!("{:?}", row(&format!("{{\"x\":[{{}}],\"{name}\":{json}}}"))), format!("{tabs:?}"), "{name}");
                assert_eq!(format!("{:?}", row(&format!("{{\"{name}\":null}}"))), format!("{:?}", Row::default()), "{name}");
            }
        };
        of("ts duration", "1793500000.000001", "1793500000.000001");
        of("id.orig_p id.resp_p id_orig_p id_resp_p", "443", "443");
        of("ip_proto orig_bytes resp_bytes orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes qtype rcode", "70000", "70000");
        of("answers resp_mime_types conn_uids cert_chain_fps", "a,b", r#"["a","b"]"#);
        of("uid id.orig_h id.resp_h id_orig_h id_resp_h proto service conn_state history query server_name ja3 ja4", "a,b", r#""a,b""#);
        of("host uri user_agent mime_type subject issuer sha1", "a/b", r#""a\/b""#);
    }

    #[test]
    fn a_line_of_json_shows_which_log_it_is_of() {
        for (line, kind) in [
            (r#"{"_path":"dns","conn_state":"SF"}"#, Kind::Dns),
            (r#"{"_path":null,"conn_state":"SF"}"#, Kind::Conn),
            (r#"{"orig_pkts":0}"#, Kind::Conn),
            (r#"{"fuid":"F1","method":"GET","uri":"/"}"#, Kind::Files),
            (r#"{"trans_depth":1}"#, Kind::Http),
            (r#"{"method":"GET","uri":"/"}"#, Kind::Http),
            (r#"{"method":null,"uri":"/"}"#, Kind::Other),
            (r#"{"trans_id":1}"#, Kind::Dns),
            (r#"{"query":"a.example"}"#, Kind::Dns),
            (r#"{"cipher":"TLS_AES_128_GCM_SHA256"}"#, Kind::Ssl),
            (r#"{"established":false}"#, Kind::Ssl),
            (r#"{"established":null}"#, Kind::Other),
            ("{}", Kind::Other),
        ] {
            assert_eq!(row(line).kind(), kind, "{line}");
        }
    }
}
