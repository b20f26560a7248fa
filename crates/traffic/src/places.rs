//! Where addresses are and whose networks they stand in, by databases that the user has; and who stands behind a name, by the knowledge
//! base.
//!
//! The two differ: a server in one country is often an operator's from another, and it is the operator whose law reaches it.

mod table;

use std::net::IpAddr;

use hashbrown::HashMap;
use maxminddb::Reader;
use serde::Deserialize;
use umbilical_knowledge::Knowledge;

use crate::names::{App, Names, Word, Words, without_port};
use crate::packet::Addr;

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// ISO 3166-1 alpha-2.
    pub country: Option<[u8; 2]>,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// Whose that is, as the database has it.
    pub org: Option<Box<str>>,
}

impl Place {
    /// The country's code.
    pub fn country(&self) -> Option<&str> {
        std::str::from_utf8(self.country.as_ref()?).ok()
    }

    fn is_whole(&self) -> bool {
        self.country.is_some() && self.asn.is_some() && self.org.is_some()
    }

    fn fill(&mut self, other: Self) {
        self.country = self.country.or(other.country);
        self.asn = self.asn.or(other.asn);
        self.org = self.org.take().or(other.org);
    }
}

/// Two letters, as a code.
fn code(text: &str) -> Option<[u8; 2]> {
    let code: [u8; 2] = text.trim().as_bytes().try_into().ok()?;
    // What tables write where they do not know.
    let letters = code.iter().all(u8::is_ascii_alphabetic);
    let code = code.map(|b| b.to_ascii_uppercase());
    (letters && !matches!(&code, b"ZZ" | b"XX")).then_some(code)
}

/// `AS64500` or `64500`.
fn system(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    digits.parse().ok().filter(|n| *n != 0)
}

/// Why a file is no database.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// It has the mark of MaxMind's format and cannot be read.
    #[error("this database is broken: {0}")]
    Broken(String),
    /// It is neither of the formats.
    #[error("neither MMDB nor a table with the columns network (or start and end), country, asn, org")]
    Other,
}

#[derive(Debug)]
enum Database {
    Mmdb(Box<Reader<Vec<u8>>>),
    Table(table::Networks),
}

/// Addresses of which the answer is kept; then the older half is forgotten.
const KEPT: usize = 1 << 17;

/// Databases of addresses, in their order: a later one fills what those before leave open.
#[derive(Debug, Default)]
pub struct Places {
    all: Vec<Database>,
    of: HashMap<Addr, Place>,
    before: HashMap<Addr, Place>,
}

/// What stands before the metadata of MaxMind's format, near its end.
const MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

impl Places {
    /// Takes a database; gives the rows of a table that could not be read, with their lines.
    ///
    /// # Errors
    /// It is neither of the formats.
    pub fn add(&mut self, bytes: Vec<u8>) -> Result<Vec<(u64, String)>, PlacesError> {
        let tail = bytes.len().saturating_sub(128 << 10);
        if bytes.get(tail..).is_some_and(|tail| memchr::memmem::find(tail, MARK).is_some()) {
            let reader = Reader::from_source(bytes).map_err(|e| PlacesError::Broken(e.to_string()))?;
            self.all.push(Database::Mmdb(Box::new(reader)));
            return Ok(Vec::new());
        }
        let (networks, problems) = table::read(&bytes).ok_or(PlacesError::Other)?;
        self.all.push(Database::Table(networks));
        Ok(problems)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What is known of an address.
    pub fn of(&mut self, addr: Addr) -> Option<&Place> {
        if self.all.is_empty() {
            return None;
        }
        if !self.of.contains_key(&addr) {
            if self.of.len() >= KEPT / 2 {
                self.before = std::mem::take(&mut self.of);
            }
            let place = self.before.remove(&addr).unwrap_or_else(|| self.ask(addr.ip()));
            self.of.insert(addr, place);
        }
        self.of.get(&addr)
    }

    fn ask(&self, ip: IpAddr) -> Place {
        let mut place = Place::default();
        for database in &self.all {
            place.fill(match database {
                Database::Mmdb(reader) => mmdb(reader, ip).unwrap_or_default(),
                Database::Table(networks) => networks.of(ip),
            });
            if place.is_whole() {
                break;
            }
        }
        place
    }
}

/// A record, as the makers of such databases shape it: one says `country.iso_code`, another `country_code`, a third `country`.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow, default)]
    country: Option<Country<'a>>,
    #[serde(borrow, default)]
    registered_country: Option<Country<'a>>,
    #[serde(default)]
    country_code: Option<&'a str>,
    #[serde(default)]
    autonomous_system_number: Option<u32>,
    #[serde(default)]
    autonomous_system_organization: Option<&'a str>,
    #[serde(borrow, default)]
    asn: Option<Asn<'a>>,
    #[serde(default)]
    as_name: Option<&'a str>,
    #[serde(default)]
    as_org: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Country<'a> {
    Code(&'a str),
    Record {
        #[serde(default)]
        iso_code: Option<&'a str>,
    },
}

impl Country<'_> {
    fn code(&self) -> Option<[u8; 2]> {
        match self {
            Self::Code(text) => code(text),
            Self::Record { iso_code } => iso_code.and_then(code),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Asn<'a> {
    Number(u32),
    Text(&'a str),
}

fn mmdb(reader: &Reader<Vec<u8>>, ip: IpAddr) -> Option<Place> {
    let record: Record<'_> = reader.lookup(ip).ok()?.decode().ok()??;
    let country = record.country.as_ref().and_then(Country::code);
    let asn = record.asn.and_then(|asn| match asn {
        Asn::Number(n) => Some(n),
        Asn::Text(text) => system(text),
    });
    let org = record.autonomous_system_organization.or(record.as_name).or(record.as_org);
    Some(Place {
        country: country
            .or_else(|| record.country_code.and_then(code))
            .or_else(|| record.registered_country.as_ref().and_then(Country::code)),
        asn: record.autonomous_system_number.or(asn),
        org: org.and_then(name),
    })
}

/// A name that is safe to print and not endless.
fn name(text: &str) -> Option<Box<str>> {
    let text = umbilical_core::text::short(text.trim(), 120);
    let text = umbilical_core::text::clean(&text);
    (!text.is_empty() && text != "-").then(|| text.as_ref().into())
}

/// Who operates an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The organisation's name.
    pub name: Box<str>,
    /// The country whose law it stands under.
    pub country: Option<Box<str>>,
    /// Laws of that country that can compel, as the knowledge base has them.
    pub laws: Vec<Box<str>>,
}

/// An endpoint that the knowledge base has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What it serves, in words.
    pub what: Box<str>,
    /// Whether it is a maker's of modules; else of silicon, or anybody's.
    pub maker: bool,
    /// Who operates it.
    pub operator: Option<Operator>,
}

/// Who operates endpoints, by their names.
#[derive(Debug, Default)]
pub struct Operators {
    domains: HashMap<Box<str>, Endpoint>,
    of: HashMap<Word, Option<Box<str>>>,
}

impl Operators {
    /// Those of the knowledge base.
    pub fn new(kb: &Knowledge) -> Self {
        let operator = |brand: Option<&str>| {
            let org = kb.org_of_brand(brand?)?;
            let laws = org.country.as_deref().into_iter().flat_map(|country| kb.laws(country)).map(|law| law.law.clone());
            Some(Operator { name: org.name.clone(), country: org.country.clone(), laws: laws.collect() })
        };
        let rows = kb.endpoints().iter();
        let endpoint = |row: &umbilical_knowledge::Endpoint| Endpoint {
            what: row.what.clone(),
            maker: row.level == umbilical_knowledge::EndpointLevel::Maker,
            operator: operator(row.brand.as_deref()),
        };
        let domains = rows.map(|row| (row.domain.clone(), endpoint(row)));
        Self { domains: domains.collect(), of: HashMap::new() }
    }

    /// The endpoint of a name: a domain covers the names below it, and the longest that does counts. With that domain.
    pub fn named<'n>(&self, name: &'n str) -> Option<(&'n str, &Endpoint)> {
        let below = memchr::memchr_iter(b'.', name.as_bytes()).filter_map(|dot| name.get(dot.saturating_add(1)..));
        std::iter::once(name).chain(below).find_map(|domain| Some((domain, self.domains.get(domain)?)))
    }

    /// Who operates the server of a conversation: by the name that it was asked for in TLS or HTTP, else the one that led to it.
    pub fn of(&mut self, names: &Names, words: &Words) -> Option<&Operator> {
        // A conversation of DNS is with a resolver, whatever is asked.
        let led = names.dns.filter(|_| names.app != Some(App::Dns));
        for word in [names.sni, names.host, led].into_iter().flatten() {
            if !self.of.contains_key(&word) {
                let found = self.named(without_port(words.get(word))).map(|(domain, _)| domain.into());
                self.of.insert(word, found);
            }
        }
        let domain = [names.sni, names.host, led].into_iter().flatten().find_map(|word| self.of.get(&word)?.as_deref())?;
        self.domains.get(domain)?.operator.as_ref()
    }
}

#[cfg(test)]
mod tests;
