//! Indicators: addresses, names, targets and fingerprints that somebody has listed.

use hashbrown::HashMap;

use super::{Problem, misp, plain, stix};
use crate::cellular::Ue;
use crate::packet::Addr;
use crate::time::Micros;

/// What is listed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// An address, or a network of them.
    Network(Ue),
    /// The name of one host.
    Host(Box<str>),
    /// A domain and every name below it.
    Domain(Box<str>),
    /// What is asked for by HTTP: host and target, without the scheme.
    Url(Box<str>),
    /// A fingerprint of a client (JA3, JA4), or the hash of a certificate.
    Print(Box<str>),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What is listed.
    pub mark: Mark,
    /// The number of the list.
    pub list: u16,
    /// Where it stands there.
    pub at: Box<str>,
    /// What the list says of it.
    pub said: Option<Box<str>>,
    /// From when it counts, where the list says so.
    pub from: Option<Micros>,
    /// Until when.
    pub until: Option<Micros>,
}

/// What a reader of lists gives: an entry of which the list is known.
pub(super) struct Entry {
    pub mark: Mark,
    pub at: String,
    pub said: Option<String>,
    pub from: Option<Micros>,
    pub until: Option<Micros>,
}

/// Why a file is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// There is nothing in it that is one.
    #[error("no indicator is in it: neither a list of addresses, names and hashes, nor MISP's or STIX's JSON")]
    Nothing,
    /// It is JSON, and broken.
    #[error("this JSON is broken at line {line}, column {column}: {what}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// In words.
        what: String,
    },
    /// It is JSON of something else.
    #[error("this JSON is neither an event of MISP nor a bundle of STIX 2")]
    Other,
    /// It is longer than anybody's.
    #[error("more than {0} entries")]
    Many(usize),
}

impl From<serde_json::Error> for ListError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Json { line: error.line(), column: error.column(), what }
    }
}

/// Entries of all lists.
const MOST: usize = 8_000_000;

/// Every list.
#[derive(Debug, Default)]
pub struct Indicators {
    all: Vec<Indicator>,
    names: Vec<Box<str>>,
    networks: HashMap<Ue, u32>,
    /// Lengths of the prefixes in `networks`, the longest first.
    lengths: Vec<u8>,
    hosts: HashMap<Box<str>, u32>,
    domains: HashMap<Box<str>, u32>,
    urls: HashMap<Box<str>, u32>,
    prints: HashMap<Box<str>, u32>,
    /// Further entries of what is listed more than once, by the first: each has its own time.
    also: HashMap<u32, Vec<u32>>,
}

impl Indicators {
    /// Takes a list; gives the lines that could not be read.
    ///
    /// # Errors
    /// Nothing in it is an indicator, or its JSON is broken. Nothing of it counts then.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> Result<Vec<Problem>, ListError> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let mut problems = Vec::new();
        let entries = match text.trim_start().bytes().next() {
            Some(b'{' | b'[') => {
                let json: serde_json::Value = serde_json::from_str(text)?;
                let read = if stix::is_one(&json) { stix::read(&json, &mut problems) } else { misp::read(&json, &mut problems) };
                read.ok_or(ListError::Other)?
            }
            _ => plain::read(text, &mut problems),
        };
        if entries.is_empty() && (!problems.is_empty() || !text.trim().is_empty()) && !text.lines().all(plain::is_remark) {
            return Err(ListError::Nothing);
        }
        if self.all.len().saturating_add(entries.len()) > MOST {
            return Err(ListError::Many(MOST));
        }
        let list = u16::try_from(self.names.len()).unwrap_or(u16::MAX);
        self.names.push(name.into());
        for Entry { mark, at, said, from, until } in entries {
            let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
            let first = match &mark {
                Mark::Network(network) => {
                    if !self.lengths.contains(&network.bits) {
                        self.lengths.push(network.bits);
                        self.lengths.sort_unstable_by(|a, b| b.cmp(a));
                    }
                    *self.networks.entry(*network).or_insert(number)
                }
                Mark::Host(name) => *self.hosts.entry(name.clone()).or_insert(number),
                Mark::Domain(name) => *self.domains.entry(name.clone()).or_insert(number),
                Mark::Url(url) => *self.urls.entry(url.clone()).or_insert(number),
                Mark::Print(print) => *self.prints.entry(print.clone()).or_insert(number),
            };
            if first != number {
                self.also.entry(first).or_default().push(number);
            }
            let short = |text: String| Box::from(umbilical_core::text::clean(&umbilical_core::text::short(&text, 160)).as_ref());
            self.all.push(Indicator { mark, list, at: at.into(), said: said.map(short), from, until });
        }
        Ok(problems)
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The name of a list.
    pub fn list(&self, indicator: &Indicator) -> &str {
        self.names.get(usize::from(indicator.list)).map_or("", |name| name)
    }

    /// The entry that an address is on, the narrowest that counts at a time; `None`: at any.
    pub fn addr(&self, addr: Addr, at: Option<Micros>) -> Option<u32> {
        self.lengths.iter().find_map(|bits| self.counting(self.networks.get(&Ue::v6(addr.0, *bits)), at))
    }

    /// The entry that a name is on: its own, or that of a domain above it.
    pub fn host(&self, name: &str, at: Option<Micros>) -> Option<u32> {
        if self.hosts.is_empty() && self.domains.is_empty() {
            return None;
        }
        let below = memchr::memchr_iter(b'.', name.as_bytes()).filter_map(|dot| name.get(dot.saturating_add(1)..));
        let above = || std::iter::once(name).chain(below).find_map(|n| self.counting(self.domains.get(n), at));
        self.counting(self.hosts.get(name), at).or_else(above)
    }

    /// The entry that what is asked for is on.
    pub fn url(&self, host: &str, target: &str, at: Option<Micros>) -> Option<u32> {
        if self.urls.is_empty() {
            return None;
        }
        // A proxy is asked for the whole of it.
        let whole = plain::bare(target).filter(|_| !target.starts_with('/'));
        self.counting(self.urls.get(whole.unwrap_or_else(|| format!("{host}{target}")).as_str()), at)
    }

    /// The entry that a fingerprint is on.
    pub fn print(&self, print: &str, at: Option<Micros>) -> Option<u32> {
        self.counting(self.prints.get(print), at)
    }

    /// Of several entries of one thing the first that counts at a time.
    fn counting(&self, first: Option<&u32>, at: Option<Micros>) -> Option<u32> {
        let first = *first?;
        let Some(at) = at else { return Some(first) };
        let all = std::iter::once(&first).chain(self.also.get(&first).into_iter().flatten());
        all.copied().find(|number| self.get(*number, at).is_some())
    }

    /// An entry, if it counts at a time.
    pub fn get(&self, number: u32, at: Micros) -> Option<&Indicator> {
        let one = self.all.get(number as usize)?;
        let counts = one.from.is_none_or(|from| from <= at) && one.until.is_none_or(|until| at < until);
        counts.then_some(one)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(ue) => {
                let (own, less) = if ue.addr.is_v4() { (32, 96) } else { (128, 0) };
                match ue.bits.saturating_sub(less) {
                    bits if bits >= own => write!(f, "{}", ue.addr.ip()),
                    bits => write!(f, "{}/{bits}", ue.addr.ip()),
                }
            }
            Self::Host(text) | Self::Domain(text) | Self::Url(text) | Self::Print(text) => f.write_str(text),
        }
    }
}
