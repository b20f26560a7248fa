//! Tables of networks: `network,country,asn,org`, or with `start` and `end` of each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use csv::{ReaderBuilder, StringRecord};
use hashbrown::HashMap;

use super::{Place, code, name, system};
use crate::packet::Addr;

/// Networks with what is known of each; the smallest that holds an address speaks.
#[derive(Debug, Default)]
pub struct Networks {
    of: HashMap<(u8, u128), u32>,
    /// Lengths of prefixes, the longest first.
    lengths: Vec<u8>,
    places: Vec<Place>,
    known: HashMap<Place, u32>,
}

fn bits(ip: IpAddr) -> u128 {
    u128::from_be_bytes(Addr::from(ip).0)
}

fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        n => u128::MAX << (128 - u32::from(n.min(128))),
    }
}

impl Networks {
    /// What is known of an address.
    pub fn of(&self, ip: IpAddr) -> Place {
        let all = bits(ip);
        let mut out = Place::default();
        for length in &self.lengths {
            if let Some(n) = self.of.get(&(*length, all & mask(*length))) {
                out.fill(self.places.get(*n as usize).cloned().unwrap_or_default());
                if out.is_whole() {
                    break;
                }
            }
        }
        out
    }

    fn put(&mut self, length: u8, network: u128, place: u32) {
        self.of.entry((length, network & mask(length))).or_insert(place);
        if !self.lengths.contains(&length) {
            self.lengths.push(length);
            self.lengths.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// A place among those that are kept, each once.
    fn keep(&mut self, place: Place) -> u32 {
        let next = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        *self.known.entry(place).or_insert_with_key(|place| {
            self.places.push(place.clone());
            next
        })
    }

    /// Every address from one to another, as networks.
    fn range(&mut self, from: u128, to: u128, place: u32) {
        let mut next = from;
        while next <= to {
            // As large as where it begins and where it ends allow.
            let span = to.saturating_sub(next);
            let room = match span.checked_add(1) {
                Some(n) => 127u32.saturating_sub(n.leading_zeros()),
                None => 128,
            };
            let size = next.trailing_zeros().min(room);
            self.put(u8::try_from(128u32.saturating_sub(size)).unwrap_or(128), next, place);
            match 1u128.checked_shl(size).and_then(|n| next.checked_add(n)) {
                Some(n) => next = n,
                None => break,
            }
        }
    }
}

/// Where the columns stand.
#[derive(Clone, Copy, Default)]
struct Columns {
    network: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
    country: Option<usize>,
    asn: Option<usize>,
    org: Option<usize>,
}

fn columns(head: &StringRecord) -> Columns {
    let mut out = Columns::default();
    for (i, cell) in head.iter().enumerate() {
        let word: String = cell.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
        let place = match word.as_str() {
            "network" | "cidr" | "prefix" | "subnet" | "range" | "netblock" => &mut out.network,
            "start" | "startip" | "from" | "ipfrom" | "first" | "firstip" | "iprangestart" | "rangestart" => &mut out.from,
            "end" | "endip" | "to" | "ipto" | "last" | "lastip" | "iprangeend" | "rangeend" => &mut out.to,
            "country" | "countrycode" | "cc" | "isocode" | "countryisocode" | "iso" => &mut out.country,
            "asn" | "as" | "asnumber" | "autonomoussystemnumber" => &mut out.asn,
            "org" | "asorg" | "asname" | "organisation" | "organization" | "autonomoussystemorganization" | "name" => &mut out.org,
            _ => continue,
        };
        place.get_or_insert(i);
    }
    out
}

/// Problems that are told.
const TOLD: usize = 50;

/// Reads a table; `None` where it is none. Rows that cannot be are given with their lines.
pub fn read(bytes: &[u8]) -> Option<(Networks, Vec<(u64, String)>)> {
    let text = std::str::from_utf8(bytes.get(..bytes.len().min(1 << 12))?);
    if text.is_err_and(|e| e.error_len().is_some()) {
        return None;
    }
    let first = bytes.split(|b| *b == b'\n').next()?;
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| first.iter().filter(|b| *b == d).count())?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut row = StringRecord::new();
    let mut out = Networks::default();
    let mut problems = Vec::new();
    let mut heads: Option<Columns> = None;
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let what = match error.kind() {
                    csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8: the row is left out".to_owned(),
                    _ => format!("{error}: the row is left out"),
                };
                problems.push((line, what));
                continue;
            }
        }
        let columns = match heads {
            Some(columns) => columns,
            None => {
                let found = columns(&row);
                let place = found.country.or(found.asn).is_some() && found.network.or(found.from.and(found.to)).is_some();
                // Without heads the columns stand as they are documented.
                let bare = row.get(0).is_some_and(|cell| network(cell).is_some());
                heads = match (place, bare) {
                    (true, _) => Some(found),
                    (false, true) => Some(Columns { network: Some(0), country: Some(1), asn: Some(2), org: Some(3), ..Columns::default() }),
                    (false, false) => return None,
                };
                if place {
                    continue;
                }
                heads?
            }
        };
        if let Err(what) = out.row(&row, columns) {
            problems.push((line, what));
        }
        if problems.len() > TOLD {
            problems.truncate(TOLD);
            problems.push((line, "there are more such rows: this one and those below are left out without a word".to_owned()));
            break;
        }
    }
    // No other place is looked up by its content any more.
    out.known = HashMap::new();
    heads.map(|_| (out, problems))
}

impl Networks {
    fn row(&mut self, row: &StringRecord, columns: Columns) -> Result<(), String> {
        let cell = |column: Option<usize>| column.and_then(|i| row.get(i)).map(str::trim).filter(|c| !c.is_empty());
        let place = Place {
            country: cell(columns.country).and_then(code),
            asn: cell(columns.asn).and_then(system),
            org: cell(columns.org).and_then(name),
        };
        let wrong = |text: &str| format!("`{}` is no network: the row is left out", umbilical_core::text::short(text, 60));
        if let Some(text) = cell(columns.network) {
            let (length, network) = network(text).ok_or_else(|| wrong(text))?;
            let place = self.keep(place);
            self.put(length, network, place);
            return Ok(());
        }
        let (Some(from), Some(to)) = (cell(columns.from), cell(columns.to)) else { return Err("no network stands in this row".to_owned()) };
        let ends = (address(from).ok_or_else(|| wrong(from))?, address(to).ok_or_else(|| wrong(to))?);
        if ends.0.is_ipv4() != ends.1.is_ipv4() || bits(ends.0) > bits(ends.1) {
            return Err(wrong(&format!("{from} to {to}")));
        }
        let place = self.keep(place);
        self.range(bits(ends.0), bits(ends.1), place);
        Ok(())
    }
}

/// An address as text, or as the number that some tables write.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let number: u128 = text.parse().ok()?;
    Some(match u32::try_from(number) {
        Ok(v4) => Ipv4Addr::from(v4).into(),
        Err(_) => Ipv6Addr::from(number).into(),
    })
}

/// A network, with its length of 128 bits.
fn network(text: &str) -> Option<(u8, u128)> {
    let (address, length) = text.trim().split_once('/').unzip();
    let address: IpAddr = address.unwrap_or(text.trim()).parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        Some(length) => length.parse::<u8>().ok().filter(|n| *n <= most)?,
        None => most,
    };
    let length = length.checked_add(128u8.checked_sub(most)?)?;
    Some((length, bits(address) & mask(length)))
}
