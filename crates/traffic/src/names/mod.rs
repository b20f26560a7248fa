//! What conversations call themselves: names that were asked for, servers that were named, programs that say who they are.
//!
//! A conversation is looked at while its first payloads come ([`Probe`]); then what was learnt stays and the rest is thrown away.

mod app;
pub mod dns;
pub mod http;
pub mod industrial;
pub mod iot;
pub mod quic;
pub mod tls;
mod words;

pub use app::{App, Role};
pub use words::{LONGEST, Word, Words};

use crate::packet::{Addr, proto};

/// What a conversation said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The application protocol.
    pub app: Option<App>,
    /// Of an industrial one: whether anything was commanded in its first payloads.
    pub role: Option<Role>,
    /// The name that a client gives itself: of MQTT, of LwM2M.
    pub endpoint: Option<Word>,
    /// The first topic of MQTT.
    pub topic: Option<Word>,
    /// The protocol level of MQTT: 3, 4 (3.1.1), 5.
    pub level: Option<u8>,
    /// The name that led to the server's address, as the module asked for it; of a conversation of DNS the first name asked for.
    pub dns: Option<Word>,
    /// The server's name in TLS or QUIC.
    pub sni: Option<Word>,
    /// The first protocol offered in TLS.
    pub alpn: Option<Word>,
    /// Fingerprints of the client.
    pub ja3: Option<Word>,
    /// See above.
    pub ja4: Option<Word>,
    /// `Host` of HTTP, `Uri-Host` of CoAP.
    pub host: Option<Word>,
    /// The target of the first request of HTTP or CoAP.
    pub uri: Option<Word>,
    /// `User-Agent`.
    pub agent: Option<Word>,
    /// The media type of the first response.
    pub mime: Option<Word>,
}

impl Names {
    /// Takes what is not known yet.
    pub fn fill(&mut self, other: &Self) {
        self.app = self.app.or(other.app);
        self.role = self.role.max(other.role);
        self.endpoint = self.endpoint.or(other.endpoint);
        self.topic = self.topic.or(other.topic);
        self.level = self.level.or(other.level);
        self.dns = self.dns.or(other.dns);
        self.sni = self.sni.or(other.sni);
        self.alpn = self.alpn.or(other.alpn);
        self.ja3 = self.ja3.or(other.ja3);
        self.ja4 = self.ja4.or(other.ja4);
        self.host = self.host.or(other.host);
        self.uri = self.uri.or(other.uri);
        self.agent = self.agent.or(other.agent);
        self.mime = self.mime.or(other.mime);
    }
}

/// What is kept of a conversation while it is looked at.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// Payloads that were looked at.
    seen: u8,
    /// The client's bytes, while they may be the beginning of something.
    client: Vec<u8>,
    /// Where the next of them begins.
    next: Option<u32>,
    quic: Option<quic::Pieces>,
    done: bool,
}

/// Payloads of one conversation that are looked at.
const PAYLOADS: u8 = 12;
/// The same of industrial protocols: between many readings there may be a command.
const INDUSTRIAL: u8 = 64;
/// Bytes of a client that are kept: a ClientHello with keys for tomorrow's computers has two thousand.
const HELD: usize = 16 << 10;

/// A payload as it comes.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The protocol.
    pub proto: u8,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Of TCP: the number of the first.
    pub sequence: Option<u32>,
    /// Whether the client sent it.
    pub from_client: bool,
    /// The server's port: a hint.
    pub port: u16,
}

impl Probe {
    /// Whether there is nothing more to be learnt.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Looks at the next payload.
    pub fn look(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        if self.done || payload.bytes.is_empty() {
            return;
        }
        self.seen = self.seen.saturating_add(1);
        match payload.proto {
            proto::TCP => self.tcp(payload, names, words),
            proto::UDP => self.udp(payload, names, words),
            _ => self.done = true,
        }
        let most = if names.app.is_some_and(App::is_industrial) { INDUSTRIAL } else { PAYLOADS };
        self.done |= self.seen >= most;
        if self.done {
            *self = Self { done: true, ..Self::default() };
        }
    }

    fn tcp(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        match names.app {
            Some(app) if app.is_industrial() => {
                return industrial::tcp(payload.bytes, payload.from_client).into_iter().for_each(|told| self.told(told, names));
            }
            Some(App::Mqtt) => return self.mqtt(payload.bytes, names, words),
            _ => {}
        }
        if !payload.from_client {
            // A response says what it is only where a request was understood.
            if names.uri.is_some() {
                names.mime = http::media(payload.bytes).and_then(|m| words.keep(&m));
                self.done = true;
            } else if self.client.is_empty() {
                match industrial::tcp(payload.bytes, false) {
                    Some(told) => self.told(told, names),
                    // Servers that speak first speak neither TLS nor HTTP.
                    None => self.done = self.seen > 2,
                }
            }
            return;
        }
        if names.uri.is_some() {
            return;
        }
        match (self.next, payload.sequence) {
            // A hole, or the same again.
            (Some(next), Some(sequence)) if next != sequence => return,
            _ => {}
        }
        self.next = payload.sequence.map(|s| s.wrapping_add(u32::try_from(payload.bytes.len()).unwrap_or(u32::MAX)));
        let whole;
        let stream: &[u8] = if self.client.is_empty() {
            payload.bytes
        } else {
            self.client.extend_from_slice(payload.bytes);
            whole = std::mem::take(&mut self.client);
            &whole
        };
        if tls::begins(stream) {
            names.app = Some(App::Tls);
            match tls::handshake(stream) {
                Some(message) => {
                    if let Some(hello) = tls::hello(&message) {
                        learn(&hello, tls::Over::Tcp, names, words);
                    }
                    self.done = true;
                }
                None if stream.len() < HELD => self.client = stream.to_vec(),
                None => self.done = true,
            }
        } else if http::asks(stream) {
            let ends = stream.windows(4).any(|w| w == b"\r\n\r\n");
            if !ends && stream.len() < HELD && self.seen < PAYLOADS / 2 {
                self.client = stream.to_vec();
                return;
            }
            match http::request(stream) {
                Some(asked) => {
                    names.app = Some(App::Http);
                    names.uri = words.keep(&asked.uri);
                    names.host = asked.host.and_then(|h| words.keep(&h));
                    names.agent = asked.agent.and_then(|a| words.keep(&a));
                    self.done = names.uri.is_none();
                }
                None => self.done = true,
            }
        } else if let Some(told) = industrial::tcp(stream, true) {
            self.told(told, names);
        } else if iot::connects(stream) {
            self.mqtt(stream, names, words);
        } else {
            names.app = if tls::goes_on(stream) { Some(App::Tls) } else { names.app };
            self.done = true;
        }
    }

    /// What an industrial protocol tells. A command is the most that there is to learn.
    fn told(&mut self, (app, role): industrial::Told, names: &mut Names) {
        if names.app.is_none() || (names.app, app) == (Some(App::Modbus), App::Sunspec) {
            names.app = Some(app);
        }
        names.role = names.role.max(role);
        self.done = names.role == Some(Role::Control);
    }

    fn mqtt(&mut self, mut bytes: &[u8], names: &mut Names, words: &mut Words) {
        while let Some((message, behind)) = iot::mqtt(bytes) {
            match message {
                iot::Mqtt::Connect { client, level } => {
                    (names.app, names.level) = (Some(App::Mqtt), Some(level));
                    names.endpoint = if client.is_empty() { None } else { words.keep(client) };
                }
                iot::Mqtt::Topic(topic) => {
                    names.topic = words.keep(topic);
                    self.done = true;
                    return;
                }
                iot::Mqtt::Other => {}
            }
            bytes = behind;
        }
    }

    fn udp(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        let bytes = payload.bytes;
        if names.app.is_some_and(App::is_industrial) {
            return industrial::udp(bytes).into_iter().for_each(|told| self.told(told, names));
        }
        if !payload.from_client {
            return;
        }
        if self.quic.is_none() && !quic::begins(bytes) {
            return self.datagram(payload, names, words);
        }
        names.app = Some(App::Quic);
        let pieces = self.quic.get_or_insert_default();
        quic::open(bytes, pieces);
        if let Some(hello) = tls::hello(&pieces.stream()) {
            learn(&hello, tls::Over::Quic, names, words);
            self.done = true;
        }
    }
}

impl Probe {
    /// A datagram that is no QUIC.
    fn datagram(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        self.done = true;
        // Those are read where they are counted.
        if dns::PORTS.contains(&payload.port) {
            return;
        }
        if let Some(told) = industrial::udp(payload.bytes) {
            self.told(told, names);
        } else if iot::dtls(payload.bytes) {
            names.app = Some(App::Dtls);
        } else if let Some(asked) = iot::coap(payload.bytes, iot::COAP.contains(&payload.port)) {
            names.app = Some(asked.app());
            names.host = asked.host.as_deref().and_then(|h| words.keep(h));
            names.endpoint = asked.endpoint.as_deref().and_then(|e| words.keep(e));
            if !asked.path.is_empty() {
                names.uri = words.keep(&asked.path);
            }
            // It may be asked for by name later.
            self.done = names.uri.is_some();
        }
    }
}

fn learn(hello: &tls::Hello, over: tls::Over, names: &mut Names, words: &mut Words) {
    names.sni = hello.sni.as_deref().and_then(|n| words.keep(n));
    names.alpn = hello.alpn.as_ref().and_then(|a| words.keep(&String::from_utf8_lossy(a)));
    names.ja3 = words.keep(&hello.ja3());
    names.ja4 = words.keep(&hello.ja4(over));
}

/// Which name led to an address, for whoever asked.
#[derive(Debug, Default)]
pub struct Asked {
    of: hashbrown::HashMap<(Addr, Addr), Word>,
    before: hashbrown::HashMap<(Addr, Addr), Word>,
}

/// Names of this many addresses are kept; then the older half goes.
const KEPT: usize = 1 << 18;

impl Asked {
    /// An answer said so.
    pub fn put(&mut self, client: Addr, server: Addr, name: Word) {
        if self.of.len() >= KEPT / 2 {
            self.before = std::mem::take(&mut self.of);
        }
        self.of.insert((client, server), name);
    }

    /// The last name that led a client to an address.
    pub fn get(&self, client: Addr, server: Addr) -> Option<Word> {
        self.of.get(&(client, server)).or_else(|| self.before.get(&(client, server))).copied()
    }
}
