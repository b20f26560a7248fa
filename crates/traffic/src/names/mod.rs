//! What conversations call themselves: names that were asked for, servers that were named, programs that say who they are.
//!
//! A conversation is looked at while its first payloads come ([`Probe`]); then what was learnt stays and the rest is thrown away.

mod app;
pub mod body;
pub mod certificate;
pub mod dns;
pub mod http;
pub mod identity;
pub mod industrial;
pub mod iot;
pub mod mining;
pub mod quic;
pub mod tls;
mod words;
pub mod zone;

use std::borrow::Cow;
use std::num::NonZeroU8;

pub use app::{App, Role};
pub use body::{Body, Sort};
pub use certificate::Certificate;
pub use words::{LONGEST, Told, Word, Words};

use crate::packet::{Addr, proto};

/// What a conversation said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The application protocol.
    pub app: Option<App>,
    /// Of an industrial one: whether anything was commanded in its first payloads.
    pub role: Option<Role>,
    /// The name that a client gives itself: of MQTT, of LwM2M, of Stratum.
    pub endpoint: Option<Word>,
    /// The first topic of MQTT.
    pub topic: Option<Word>,
    /// The protocol level of MQTT: 3, 4 (3.1.1), 5.
    pub level: Option<NonZeroU8>,
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
    /// SHA-256 of the server's certificate, in hex: up to TLS 1.2 it is in clear ([`Words::certified`] says what stands in it).
    pub sha256: Option<Word>,
    /// SHA-1 of the same.
    pub sha1: Option<Word>,
    /// `Host` of HTTP, `Uri-Host` of CoAP.
    pub host: Option<Word>,
    /// The target of the first request of HTTP or CoAP.
    pub uri: Option<Word>,
    /// `User-Agent`.
    pub agent: Option<Word>,
    /// The media type of the first response.
    pub mime: Option<Word>,
    /// What the body of the first response is, by its first bytes.
    pub body: Option<Body>,
    /// Who and where a device is, as it was said in clear ([`Words::told`]).
    pub said: Option<Told>,
}

/// A host as it is named in a request, without its port.
pub fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
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
        self.sha256 = self.sha256.or(other.sha256);
        self.sha1 = self.sha1.or(other.sha1);
        self.host = self.host.or(other.host);
        self.uri = self.uri.or(other.uri);
        self.agent = self.agent.or(other.agent);
        self.mime = self.mime.or(other.mime);
        self.body = self.body.or(other.body);
        self.said = self.said.or(other.said);
    }
}

/// What is kept of a conversation while it is looked at.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// Payloads that were looked at.
    seen: u8,
    client: Stream,
    server: Stream,
    /// A client has begun TLS: what the server says first may be its certificate.
    hello: bool,
    /// What was asked for by HTTP is answered without a body.
    bodiless: bool,
    /// What the body of a request is may still have to be seen.
    posts: bool,
    /// The name in a login as pools have it, and others may.
    login: Option<String>,
    quic: Option<quic::Pieces>,
    done: bool,
}

/// What one end has sent, while it may be the beginning of something.
#[derive(Clone, Debug, Default)]
struct Stream {
    held: Vec<u8>,
    /// Where the next byte is.
    next: Option<u32>,
}

impl Stream {
    /// What was held with a payload behind it; `None`: there is a hole between them, or it is the same again.
    fn join<'a>(&mut self, payload: &Payload<'a>) -> Option<Cow<'a, [u8]>> {
        if let (Some(next), Some(sequence)) = (self.next, payload.sequence)
            && next != sequence
        {
            return None;
        }
        self.next = payload.sequence.map(|s| s.wrapping_add(u32::try_from(payload.bytes.len()).unwrap_or(u32::MAX)));
        if self.held.is_empty() {
            return Some(Cow::Borrowed(payload.bytes));
        }
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(payload.bytes);
        Some(Cow::Owned(whole))
    }

    /// Waits for more; `false`: there is too much already.
    fn hold(&mut self, stream: Cow<'_, [u8]>) -> bool {
        if stream.len() < HELD {
            self.held = stream.into_owned();
        }
        !self.held.is_empty()
    }
}

/// Payloads of one conversation that are looked at.
const PAYLOADS: u8 = 12;
/// The same of industrial protocols: between many readings there may be a command.
const INDUSTRIAL: u8 = 64;
/// Bytes of one end that are kept: a ClientHello with keys for tomorrow's computers has two thousand.
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
            Some(App::Stratum) if payload.from_client => return self.worker(payload.bytes, names, words),
            Some(App::Stratum) => return,
            _ => {}
        }
        if self.hello {
            return self.certificate(payload, names, words);
        }
        if !payload.from_client {
            // A response says what it is only where a request was understood.
            if names.uri.is_some() {
                self.response(payload, names, words);
            } else if self.client.held.is_empty() {
                self.first(payload, names, words);
            }
            return;
        }
        if names.uri.is_some() {
            if self.posts
                && let Some(joined) = self.client.join(payload)
            {
                self.posted(joined, names);
            }
            return;
        }
        let Some(joined) = self.client.join(payload) else { return };
        let stream: &[u8] = &joined;
        if tls::begins(stream) {
            names.app = Some(App::Tls);
            match tls::handshake(stream) {
                Some(message) => {
                    if let Some(hello) = tls::hello(&message) {
                        learn(&hello, tls::Over::Tcp, names, words);
                        self.hello = true;
                    }
                    self.done = !self.hello;
                }
                None => self.done = !self.client.hold(joined),
            }
        } else if http::asks(stream) {
            let ends = memchr::memmem::find(stream, b"\r\n\r\n").is_some();
            if !ends && stream.len() < HELD && self.seen < PAYLOADS / 2 {
                self.client.hold(joined);
                return;
            }
            self.bodiless = stream.starts_with(b"HEAD ");
            match http::request(stream) {
                Some(asked) => {
                    names.app = Some(App::Http);
                    names.uri = words.keep(&asked.uri);
                    names.host = asked.host.and_then(|h| words.keep(&h));
                    names.agent = asked.agent.and_then(|a| words.keep(&a));
                    self.done = names.uri.is_none();
                    if stream.starts_with(b"POST ")
                        && let Some(head) = memchr::memmem::find(stream, b"\r\n\r\n")
                    {
                        self.posted(stream.get(head.saturating_add(4)..).unwrap_or_default().into(), names);
                    }
                }
                None => self.done = true,
            }
        } else if let Some(told) = industrial::tcp(stream, true) {
            self.told(told, names);
        } else if iot::connects(stream) {
            self.mqtt(stream, names, words);
        } else if let Some(node) = mining::node(stream) {
            (names.app, self.done) = (Some(node), true);
        } else if mining::begins(stream) {
            self.pool(joined, names, words);
        } else {
            names.app = if tls::goes_on(stream) { Some(App::Tls) } else { names.app };
            self.done = true;
        }
    }

    /// What a client says first, as JSON.
    fn pool(&mut self, stream: Cow<'_, [u8]>, names: &mut Names, words: &mut Words) {
        match mining::json(&stream).0 {
            mining::Heard::Pool(_) => {
                names.app = Some(App::Stratum);
                self.worker(&stream, names, words);
            }
            mining::Heard::Perhaps(name) => self.login = Some(name.unwrap_or_default()),
            mining::Heard::More => self.done = !self.client.hold(stream),
            mining::Heard::Nothing => self.done = true,
        }
    }

    /// Under which name somebody works for a pool: it stands in one of the first messages.
    fn worker(&mut self, mut bytes: &[u8], names: &mut Names, words: &mut Words) {
        while let (mining::Heard::Pool(name), behind) = mining::json(bytes) {
            if let Some(name) = name {
                names.endpoint = words.keep(&name);
                self.done = true;
                return;
            }
            bytes = behind;
        }
    }

    /// The body of a request, as far as it is there.
    fn posted(&mut self, body: Cow<'_, [u8]>, names: &mut Names) {
        self.posts = body.is_empty();
        match mining::asks_for_work(&body) {
            mining::Heard::Pool(_) => names.app = Some(App::Getwork),
            mining::Heard::More if !body.is_empty() => self.posts = self.client.hold(body),
            _ => {}
        }
    }

    /// A server that speaks first, or of which the beginning was not seen, speaks neither TLS nor HTTP.
    fn first(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        if let Some(told) = industrial::tcp(payload.bytes, false) {
            self.told(told, names);
        } else if let Some(node) = mining::node(payload.bytes) {
            (names.app, self.done) = (Some(node), true);
        } else if mining::begins(payload.bytes) || !self.server.held.is_empty() {
            let Some(joined) = self.server.join(payload) else { return };
            match mining::json(&joined).0 {
                mining::Heard::Pool(_) => {
                    names.app = Some(App::Stratum);
                    // What a client said before is now known to be a login.
                    if let Some(login) = self.login.take() {
                        names.endpoint = words.keep(&login);
                        self.done = true;
                    }
                }
                mining::Heard::More => self.done = !self.server.hold(joined),
                _ => self.done = self.login.is_some() || self.seen > 2,
            }
        } else {
            self.done = self.seen > 2;
        }
    }

    /// What a server says first in TLS. Whoever began says nothing before that is over.
    fn certificate(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        if payload.from_client {
            self.done = self.client.join(payload).is_some();
            return;
        }
        let Some(stream) = self.server.join(payload) else { return };
        match tls::flight(&stream) {
            tls::Flight::Leaf(leaf) => {
                (names.sha256, names.sha1) = words.certificate(&leaf);
                self.done = true;
            }
            tls::Flight::More => self.done = !self.server.hold(stream),
            tls::Flight::Over => self.done = true,
        }
    }

    /// The first response of HTTP: its media type, and what its body is by its first bytes.
    fn response(&mut self, payload: &Payload<'_>, names: &mut Names, words: &mut Words) {
        let Some(stream) = self.server.join(payload) else { return };
        let Some(answer) = http::answer(&stream) else {
            self.done = true;
            return;
        };
        // What is known so far stays, should no more come.
        if let Some(media) = answer.media {
            names.mime = words.keep(&media);
        }
        let more = match answer.body {
            http::Where::Later => true,
            _ if self.bodiless => false,
            http::Where::Nowhere => false,
            http::Where::Hidden(body) => {
                names.body = Some(body);
                false
            }
            http::Where::At { from, chunked, length } => {
                let begins = http::begins(&stream, from, chunked, length);
                names.body = begins.map(|(body, _)| body);
                begins.is_none_or(|(_, more)| more)
            }
        };
        self.done = !more || !self.server.hold(stream);
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
                    (names.app, names.level) = (Some(App::Mqtt), NonZeroU8::new(level));
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
        if dns::is_port(payload.port) {
            return;
        }
        if let Some(told) = industrial::udp(payload.bytes) {
            self.told(told, names);
        } else if iot::dtls(payload.bytes) {
            names.app = Some(App::Dtls);
        } else if mining::discovery(payload.bytes) {
            names.app = Some(App::Ethereum);
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
