//! What is expected of a network, as its owner writes it down (TOML): zones, windows in which updates may come, update servers that are
//! known, networks behind modules, which kinds of modules there are, and what is not to be told of, with the reason.
//!
//! It is taken whole or not at all: an expectation that was not read would be one that nobody is warned about.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use umbilical_core::Day;

use super::{host, network};
use crate::cellular::Ue;
use crate::cellular::sessions::Session;
use crate::packet::Addr;
use crate::time::Micros;

/// Whom something is about; nobody named: everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    networks: Vec<Ue>,
    /// Access points, type allocation codes, and the numbers of single modules and cards.
    words: Vec<(Kind, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Apn,
    Tac,
    Imei,
    Imsi,
}

impl Scope {
    /// Whether it is about a session.
    pub fn has(&self, session: &Session) -> bool {
        let said = |(kind, word): &(Kind, String)| match kind {
            Kind::Apn => session.apn.as_ref().is_some_and(|apn| apn.eq_ignore_ascii_case(word)),
            Kind::Tac => session.imei.as_ref().is_some_and(|imei| imei.starts_with(word.as_str())),
            // The last digit checks the others, or is a version.
            Kind::Imei => session.imei.as_ref().zip(word.get(..14)).is_some_and(|(imei, body)| imei.starts_with(body)),
            Kind::Imsi => session.imsi.as_ref() == Some(word),
        };
        self.is_everybody() || self.words.iter().any(said) || session.ue.iter().any(|ue| self.holds(ue.addr))
    }

    /// Whether it is about an address.
    pub fn has_addr(&self, addr: Addr) -> bool {
        self.is_everybody() || self.holds(addr)
    }

    fn holds(&self, addr: Addr) -> bool {
        self.networks.iter().any(|network| network.holds(addr))
    }

    fn is_everybody(&self) -> bool {
        self.networks.is_empty() && self.words.is_empty()
    }
}

/// When updates may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whose.
    pub who: Scope,
    /// Days of the week, Monday first, on which it begins.
    days: [bool; 7],
    /// Minutes behind midnight, by the clock of `east`.
    from: i64,
    until: i64,
    /// Minutes by which that clock is ahead of UTC.
    east: i64,
}

const DAY: i64 = 24 * 60;

impl Window {
    /// Whether a time is in it.
    pub fn holds(&self, at: Micros) -> bool {
        let minutes = at.0.div_euclid(60_000_000).saturating_add(self.east);
        let (day, minute) = (minutes.div_euclid(DAY), minutes.rem_euclid(DAY));
        // 1970-01-01 was a Thursday.
        let begins = |day: i64| usize::try_from(day.saturating_add(3).rem_euclid(7)).ok().and_then(|n| self.days.get(n)) == Some(&true);
        if self.from < self.until {
            return begins(day) && (self.from..self.until).contains(&minute);
        }
        // Over midnight, or around the clock.
        begins(day) && minute >= self.from || begins(day.saturating_sub(1)) && minute < self.until
    }
}

/// A server that updates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, and what stands below.
    pub host: String,
    /// Where it may be; empty: anywhere.
    pub networks: Vec<Ue>,
    /// Numbers of the autonomous systems in which it may be; empty: any.
    pub systems: Vec<u32>,
    /// SHA-1 or SHA-256 of the certificates that it may show, in hex; empty: any.
    pub certificates: Vec<String>,
}

impl Server {
    /// Whether a name is its own.
    pub fn has(&self, name: &str) -> bool {
        name.strip_suffix(self.host.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

/// What is not told of, for it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Codes of findings; empty: all.
    pub findings: Vec<String>,
    /// Whose doing it is.
    pub who: Scope,
    /// Networks and domains to which.
    networks: Vec<Ue>,
    hosts: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: Option<Day>,
}

/// With whom something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To<'a> {
    /// One: an address or a name, with a port or without.
    Peer(&'a str),
    /// Several, and nobody else.
    All(&'a [Ue]),
    /// Nobody knows, or not with all of them.
    Unknown,
}

impl Allow {
    /// Whether it holds for a finding then.
    fn counts(&self, code: &str, at: Micros) -> bool {
        let over = self.until.is_some_and(|until| Day::from_unix(at.0.div_euclid(1_000_000)).is_none_or(|day| day > until));
        !over && (self.findings.is_empty() || self.findings.iter().any(|c| c == code))
    }

    /// Whether it is for whatever there was, whoever it was with.
    fn is_to_all(&self) -> bool {
        self.networks.is_empty() && self.hosts.is_empty()
    }

    /// A network is reached where all of it is.
    fn holds(&self, of: Ue) -> bool {
        self.networks.iter().any(|n| n.bits <= of.bits && n.holds(of.addr))
    }

    fn reaches(&self, peer: &str) -> bool {
        let (bare, _) = ported(peer);
        if let Some(of) = network(peer).or_else(|| network(bare)) {
            return self.holds(of);
        }
        // A URL by its host.
        let bare = bare.split('/').next().unwrap_or_default();
        match bare.parse::<std::net::IpAddr>() {
            Ok(ip) => self.networks.iter().any(|n| n.holds(Addr::from(ip))),
            Err(_) => self.hosts.iter().any(|h| bare.strip_suffix(h.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))),
        }
    }
}

/// An end and its port: `a.example:443`, `[2001:db8::1]:443`, `198.51.100.1`.
fn ported(peer: &str) -> (&str, Option<u16>) {
    if let Some((addr, rest)) = peer.strip_prefix('[').and_then(|p| p.split_once(']')) {
        return (addr, rest.strip_prefix(':').and_then(|p| p.parse().ok()));
    }
    match peer.rsplit_once(':') {
        Some((bare, port)) if !bare.contains(':') => (bare, port.parse().ok()),
        _ => (peer, None),
    }
}

/// Everything that is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Windows for updates.
    pub windows: Vec<Window>,
    /// Update servers.
    pub servers: Vec<Server>,
    /// Networks behind modules: packets from there are theirs.
    pub routes: Vec<(Scope, Vec<Ue>)>,
    /// Type allocation codes of the modules that there are, eight digits each; empty: that is not written down.
    pub tacs: BTreeSet<String>,
    /// What is not told of.
    pub allowed: Vec<Allow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    #[serde(default)]
    zone: std::collections::BTreeMap<String, Zone>,
    #[serde(default)]
    window: Vec<WindowText>,
    #[serde(default)]
    update_server: Vec<ServerText>,
    #[serde(default)]
    framed_route: Vec<RouteText>,
    estate: Option<EstateText>,
    #[serde(default)]
    allow: Vec<AllowText>,
}

/// Whom something is about.
type Names = Spanned<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    who: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowText {
    who: Option<Names>,
    #[serde(default)]
    days: Vec<Spanned<String>>,
    from: Spanned<String>,
    until: Spanned<String>,
    offset: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerText {
    host: Spanned<String>,
    #[serde(default)]
    networks: Vec<Spanned<String>>,
    #[serde(default)]
    asn: Vec<Spanned<toml::Value>>,
    #[serde(default)]
    certificates: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteText {
    who: Names,
    networks: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EstateText {
    tac: Names,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowText {
    #[serde(default)]
    findings: Vec<Spanned<String>>,
    who: Option<Names>,
    #[serde(default)]
    to: Vec<Spanned<String>>,
    reason: Spanned<String>,
    until: Option<Spanned<String>>,
}

/// Where something is wrong, as bytes of the text, and what.
type Wrong = (Range<usize>, String);
type Zones = std::collections::BTreeMap<String, Scope>;

impl Expected {
    /// Reads what is expected. `codes` are those that findings have.
    ///
    /// # Errors
    /// The line of the first thing that is wrong, from 1, and what.
    pub fn read(text: &str, codes: &[&str]) -> Result<Self, (usize, String)> {
        let line = |at: usize| text.get(..at.min(text.len())).unwrap_or_default().matches('\n').count().saturating_add(1);
        let file: File = toml::from_str(text).map_err(|e| (line(e.span().map_or(0, |s| s.start)), e.message().to_owned()))?;
        Self::of(&file, codes).map_err(|(span, what)| (line(span.start), what))
    }

    /// Takes what another file expects as well.
    pub fn add(&mut self, mut more: Self) {
        self.windows.append(&mut more.windows);
        self.servers.append(&mut more.servers);
        self.routes.append(&mut more.routes);
        self.tacs.append(&mut more.tacs);
        self.allowed.append(&mut more.allowed);
    }

    fn of(file: &File, codes: &[&str]) -> Result<Self, Wrong> {
        let mut zones = Zones::new();
        for (name, zone) in &file.zone {
            zones.insert(name.clone(), scope(Some(&zone.who), &Zones::new())?);
        }
        let window = |w: &WindowText| {
            let (from, until) = (clock(&w.from)?, clock(&w.until)?);
            let mut days = [w.days.is_empty(); 7];
            for day in &w.days {
                let word = day.get_ref().to_ascii_lowercase();
                let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                let at = names.iter().position(|name| word.starts_with(name)).and_then(|n| days.get_mut(n));
                *at.ok_or_else(|| wrong(day, "a day of the week: mon, tue, wed, thu, fri, sat, sun"))? = true;
            }
            let east = w.offset.as_ref().map(offset).transpose()?.unwrap_or_default();
            Ok(Window { who: scope(w.who.as_ref(), &zones)?, days, from, until, east })
        };
        let server = |s: &ServerText| {
            let certificate = |c: &Spanned<String>| {
                let hex = c.get_ref().replace(':', "").to_ascii_lowercase();
                let fits = matches!(hex.len(), 40 | 64) && hex.bytes().all(|b| b.is_ascii_hexdigit());
                if fits { Ok(hex) } else { Err(wrong(c, "the SHA-1 or SHA-256 of a certificate in hex")) }
            };
            Ok(Server {
                host: host(s.host.get_ref()).ok_or_else(|| wrong(&s.host, "the name of a host"))?,
                networks: networks(&s.networks)?,
                systems: s.asn.iter().map(system).collect::<Result<_, _>>()?,
                certificates: s.certificates.iter().map(certificate).collect::<Result<_, _>>()?,
            })
        };
        let allow = |a: &AllowText| {
            for code in &a.findings {
                if !codes.contains(&code.get_ref().as_str()) {
                    return Err(wrong(code, &format!("a finding of a detector: {}", codes.join(", "))));
                }
            }
            if a.reason.get_ref().trim().is_empty() {
                return Err((a.reason.span(), "it needs a reason".to_owned()));
            }
            let (mut networks, mut hosts) = (Vec::new(), Vec::new());
            for to in &a.to {
                match network(to.get_ref()) {
                    Some(one) => networks.push(one),
                    None => hosts.push(host(to.get_ref()).ok_or_else(|| wrong(to, "a network or the name of a host"))?),
                }
            }
            let until = a.until.as_ref().map(|day| day.get_ref().parse().map_err(|_| wrong(day, "a day: 2027-03-31"))).transpose()?;
            let findings = a.findings.iter().map(|c| c.get_ref().clone()).collect();
            Ok(Allow {
                findings,
                who: scope(a.who.as_ref(), &zones)?,
                networks,
                hosts,
                reason: a.reason.get_ref().trim().to_owned(),
                until,
            })
        };
        Ok(Self {
            windows: file.window.iter().map(window).collect::<Result<_, Wrong>>()?,
            servers: file.update_server.iter().map(server).collect::<Result<_, Wrong>>()?,
            routes: file
                .framed_route
                .iter()
                .map(|r| Ok((scope(Some(&r.who), &zones)?, networks(&r.networks)?)))
                .collect::<Result<_, Wrong>>()?,
            tacs: file.estate.as_ref().map(tacs).transpose()?.unwrap_or_default(),
            allowed: file.allow.iter().map(allow).collect::<Result<_, Wrong>>()?,
        })
    }

    /// The rule under which something is not told of. What was with several is not where each of them is in some rule, and gives the
    /// rule of the first.
    pub fn allows(&self, code: &str, who: impl Fn(&Scope) -> bool, to: To<'_>, at: Micros) -> Option<&Allow> {
        let mut rules = self.allowed.iter().filter(|rule| rule.counts(code, at) && who(&rule.who));
        match to {
            To::Peer(peer) => rules.find(|rule| rule.is_to_all() || rule.reaches(peer)),
            To::Unknown => rules.find(|rule| rule.is_to_all()),
            To::All(ends) => {
                let rules: Vec<&Allow> = rules.collect();
                let of = |end: &Ue| rules.iter().find(|rule| rule.is_to_all() || rule.holds(*end)).copied();
                let first = ends.first().map_or_else(|| rules.iter().find(|rule| rule.is_to_all()).copied(), of)?;
                ends.iter().all(|end| of(end).is_some()).then_some(first)
            }
        }
    }

    /// The network behind some module that an address stands in.
    pub fn route(&self, addr: Addr) -> Option<Ue> {
        self.routes.iter().flat_map(|(_, networks)| networks).find(|n| n.holds(addr)).copied()
    }

    /// Whether an address stands in a network behind a module.
    pub fn is_routed(&self, session: &Session, addr: Addr) -> bool {
        self.routes.iter().any(|(who, networks)| networks.iter().any(|n| n.holds(addr)) && who.has(session))
    }
}

fn wrong(text: &Spanned<String>, wanted: &str) -> Wrong {
    let quoted = text.get_ref();
    // A number of a subscriber is not repeated.
    let long = quoted.as_bytes().split(|b| !b.is_ascii_digit()).any(|run| run.len() >= 8);
    (text.span(), if long { format!("this is not {wanted}") } else { format!("{quoted:?} is not {wanted}") })
}

fn networks(all: &[Spanned<String>]) -> Result<Vec<Ue>, Wrong> {
    all.iter().map(|text| network(text.get_ref()).ok_or_else(|| wrong(text, "a network: 192.168.7.0/24"))).collect()
}

/// The number of an autonomous system: 0 is none, and the last is nobody's (RFC 7607, RFC 7300).
fn system(text: &Spanned<toml::Value>) -> Result<u32, Wrong> {
    let number = text.get_ref().as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| !matches!(n, 0 | &u32::MAX));
    let said = || match text.get_ref() {
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::String(word) => format!("{word:?}"),
        other => format!("this {}", other.type_str()),
    };
    number.ok_or_else(|| (text.span(), format!("{} is not the number of an autonomous system: 64500", said())))
}

/// An estate without any kind of module would make each a finding by mistake.
fn tacs(estate: &EstateText) -> Result<BTreeSet<String>, Wrong> {
    if estate.tac.get_ref().is_empty() {
        return Err((estate.tac.span(), "`tac` names no kind of module: leave `estate` out where it is not written down".to_owned()));
    }
    let tac = |text: &Spanned<String>| {
        let tac = text.get_ref();
        let fits = tac.len() == 8 && tac.bytes().all(|b| b.is_ascii_digit());
        if fits { Ok(tac.clone()) } else { Err(wrong(text, "a type allocation code: 8 digits")) }
    };
    estate.tac.get_ref().iter().map(tac).collect()
}

/// Nothing that is said means everybody; a list of nobody would mean them by mistake.
fn scope(all: Option<&Names>, zones: &Zones) -> Result<Scope, Wrong> {
    let mut out = Scope::default();
    let Some(all) = all else { return Ok(out) };
    if all.get_ref().is_empty() {
        return Err((all.span(), "`who` names nobody: leave it out where everybody is meant".to_owned()));
    }
    for text in all.get_ref() {
        let word = text.get_ref().trim();
        if let Some(network) = network(word) {
            out.networks.push(network);
            continue;
        }
        let digits = |n: &str, lengths: &[usize]| lengths.contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit());
        let kind = match word.split_once(':') {
            Some(("zone", name)) => {
                let zone = zones.get(name.trim()).ok_or_else(|| wrong(text, "a zone that this file has"))?;
                out.networks.extend(&zone.networks);
                out.words.extend(zone.words.iter().cloned());
                continue;
            }
            Some(("apn", name)) if !name.trim().is_empty() => (Kind::Apn, name.trim().to_owned()),
            Some(("tac", n)) if digits(n, &[8]) => (Kind::Tac, n.to_owned()),
            Some(("imei", n)) if digits(n, &[14, 15, 16]) => (Kind::Imei, n.to_owned()),
            Some(("imsi", n)) if digits(n, &[14, 15]) => (Kind::Imsi, n.to_owned()),
            _ => {
                return Err(wrong(text, "a network (10.0.0.0/8), apn:NAME, tac:8 DIGITS, imei:15 DIGITS, imsi:15 DIGITS or zone:NAME"));
            }
        };
        out.words.push(kind);
    }
    Ok(out)
}

/// `22:30` in minutes; `24:00` is the end of the day.
fn clock(text: &Spanned<String>) -> Result<i64, Wrong> {
    let read = || {
        let (hours, minutes) = text.get_ref().split_once(':')?;
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        ((0..24).contains(&hours) && (0..60).contains(&minutes) || (hours, minutes) == (24, 0)).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| wrong(text, "a time of the day: 22:30"))
}

/// `+01:00` in minutes east of UTC.
fn offset(text: &Spanned<String>) -> Result<i64, Wrong> {
    let read = || {
        let word = text.get_ref().as_str();
        if word == "Z" {
            return Some(0);
        }
        let (sign, rest) = (if word.starts_with('-') { -1 } else { 1 }, word.strip_prefix(['+', '-'])?);
        let (hours, minutes) = rest.split_once(':')?;
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
    };
    read().ok_or_else(|| wrong(text, "how far a clock is ahead of UTC: +01:00"))
}
