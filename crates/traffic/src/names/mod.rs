//! What conversations call themselves: names that were asked for, servers that were named, programs that say who they are.
//!
//! A conversation is looked at while its first payloads come ([`Probe`]); then what was learnt stays and the rest is thrown away.

pub mod dns;
pub mod http;
pub mod quic;
pub mod tls;
mod words;

pub use words::{LONGEST, Word, Words};

use crate::packet::{Addr, proto};

/// What a conversation said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
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
    /// `Host` of HTTP.
    pub host: Option<Word>,
    /// The target of the first request.
    pub uri: Option<Word>,
    /// `User-Agent`.
    pub agent: Option<Word>,
    /// The media type of the first response.
    pub mime: Option<Word>,
}

impl Names {
    /// Takes what is not known yet.
    pub fn fill(&mut self, other: &Self) {
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
            proto::UDP if payload.from_client => self.udp(payload.bytes, names, words),
            proto::UDP => {}
            _ => self.done = true,
        }
        self.done |= self.seen >= PAYLOADS;
        if self.done {
            *self = Self { done: true, ..Self::default() };
        }
    }

    fn tcp(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        if !payload.from_client {
            // A response says what it is only where a request was understood.
            if names.uri.is_some() {
                names.mime = http::media(payload.bytes).and_then(|m| words.keep(&m));
                self.done = true;
            } else if self.client.is_empty() {
                // Servers that speak first speak neither TLS nor HTTP.
                self.done = self.seen > 2;
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
                    names.uri = words.keep(&asked.uri);
                    names.host = asked.host.and_then(|h| words.keep(&h));
                    names.agent = asked.agent.and_then(|a| words.keep(&a));
                    self.done = names.uri.is_none();
                }
                None => self.done = true,
            }
        } else {
            self.done = true;
        }
    }

    fn udp(&mut self, bytes: &[u8], names: &mut Names, words: &mut Words) {
        if self.quic.is_none() && !quic::begins(bytes) {
            self.done = true;
            return;
        }
        let pieces = self.quic.get_or_insert_default();
        quic::open(bytes, pieces);
        if let Some(hello) = tls::hello(&pieces.stream()) {
            learn(&hello, tls::Over::Quic, names, words);
            self.done = true;
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
