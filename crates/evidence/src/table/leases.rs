//! Tables of who had which address when: session histories of SIM platforms, accounting tables of RADIUS servers, lists that an
//! operator keeps.
//!
//! **What it reads.** Delimited text in any encoding. Columns are found by their heads: those of SIM and module by the words of device
//! tables ([`Field`]), those of address, network and times by the words below. A row gives a SIM (or a module) an address from one time
//! to another; a time that is not there leaves its side open.
//!
//! **When it is wrong.** Times without a zone are taken for UTC. A day without a time is its beginning.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use umbilical_core::text::short;
use umbilical_core::{Day, number};

use super::field::{Field, Known, fold, recognise};
use super::rows::{Form, Met, for_each_row};
use crate::Source;

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// The number of its row, from 1.
    pub row: u32,
    /// Digits of the subscription.
    pub imsi: Option<String>,
    /// Digits of the card.
    pub iccid: Option<String>,
    /// Digits of the module, 14 to 17 as they stand there.
    pub imei: Option<String>,
    /// Digits of the telephone number.
    pub msisdn: Option<String>,
    /// The network's name.
    pub apn: Option<String>,
    /// Addresses with the bits of their prefix: 32 or 128 for one address. IPv6 without a length has 64, as networks give it out.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Microseconds since 1970; `None`: no beginning is written down.
    pub from: Option<i64>,
    /// The same of its end.
    pub to: Option<i64>,
}

/// What was found in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Rows; how each column was understood, `head → meaning`.
    Leases(Vec<String>),
    /// No row of heads that has both a SIM or module and an address.
    NoTable,
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Imsi,
    Iccid,
    Imei,
    Msisdn,
    Apn,
    Address,
    From,
    To,
}

/// Words for what device tables do not have, and what RADIUS servers call the rest.
const WORDS: &[(Column, &str)] = &[
    (
        Column::Apn,
        "apn, apn name, access point, access point name, dnn, data network name, called station id, calledstationid, zugangspunkt, nom apn",
    ),
    (
        Column::Address,
        "ip, ip address, ip addr, ipv4, ipv4 address, ipv6, ipv6 address, ipv6 prefix, prefix, ue ip, ue address, ue ip address, pdp address, \
         pdn address, framed ip address, framed ipv6 prefix, delegated ipv6 prefix, assigned ip, assigned ip address, session ip, device ip, \
         ip adresse, adresse ip, dirección ip, indirizzo ip, ip地址",
    ),
    (Column::Imsi, "3gpp imsi"),
    (Column::Imei, "3gpp imeisv, imeisv, pei"),
    (Column::Msisdn, "calling station id, callingstationid"),
    (
        Column::From,
        "start, start time, start date, start timestamp, started, started at, from, begin, beginning, begin time, session start, session start time, \
         session started, last session start time, valid from, lease start, connected at, connected, connection start, acct start time, \
         date session started, ts start, time start, activation time, beginn, von, anfang, début, desde, inicio, inizio, 开始时间",
    ),
    (
        Column::To,
        "end, end time, end date, end timestamp, ended, ended at, to, until, stop, stop time, session end, session end time, session ended, \
         last session end time, valid to, valid until, lease end, disconnected at, disconnected, connection end, acct stop time, \
         date session ended, ts end, time end, deactivation time, ende, bis, fin, hasta, fine, 结束时间",
    ),
];

static HEADS: LazyLock<FxHashMap<String, Column>> = LazyLock::new(|| {
    let words = WORDS.iter().flat_map(|(column, words)| words.split(',').map(|w| (fold(w), *column)));
    words.collect()
});

fn column(head: &str) -> Option<Column> {
    let bare = head.split(['(', '[']).next().unwrap_or(head);
    if let Some(found) = HEADS.get(&fold(bare)) {
        return Some(*found);
    }
    match recognise(head)? {
        Known::Field(Field::Imsi, _) => Some(Column::Imsi),
        Known::Field(Field::Iccid, _) => Some(Column::Iccid),
        Known::Field(Field::Imei, _) => Some(Column::Imei),
        Known::Field(Field::Msisdn, _) => Some(Column::Msisdn),
        Known::Field(Field::Ip, _) => Some(Column::Address),
        _ => None,
    }
}

/// Rows above the heads that are passed over.
const TITLES: usize = 20;

/// Whether a row of heads makes a table of sessions.
fn heads<'c>(cells: impl Iterator<Item = &'c str>) -> Option<Vec<Option<Column>>> {
    let all: Vec<_> = cells.map(|cell| column(cell.trim().trim_matches('"'))).collect();
    let who = all.iter().flatten().any(|c| matches!(c, Column::Imsi | Column::Iccid | Column::Imei | Column::Msisdn));
    (who && all.contains(&Some(Column::Address))).then_some(all)
}

/// Reads a table; `each` gets every row that was understood, or the number of one that was not and why.
///
/// # Errors
/// The source cannot be read.
pub fn leases(source: &mut Source<'_>, each: &mut dyn FnMut(Result<Lease, (u32, String)>)) -> io::Result<Found> {
    let form = {
        let head = source.head("");
        let text = head.text.as_deref().unwrap_or_default();
        let end = if text.contains('\n') || !text.contains('\r') { b'\n' } else { b'\r' };
        let fits = |delimiter: &u8| text.split(char::from(end)).take(TITLES).any(|l| heads(l.split(char::from(*delimiter))).is_some());
        match [b',', b';', b'\t', b'|'].into_iter().find(fits) {
            Some(delimiter) => Form { delimiter: Some(delimiter), end },
            None => return Ok(Found::NoTable),
        }
    };
    let mut columns: Option<Vec<Option<Column>>> = None;
    let mut mapping = Vec::new();
    for_each_row(&mut *source.utf8(), form, |met| match met {
        Met::Row(_, row) if row.is_blank() => {}
        Met::Row(n, row) => match &columns {
            None => {
                columns = heads((0..row.len()).map(|i| row.get(i)));
                for (i, column) in columns.iter().flatten().enumerate() {
                    mapping.push(format!("{} → {}", short(row.get(i).trim(), 60), column.map_or("ignored", name)));
                }
            }
            Some(columns) => each(lease(n, columns, |i| row.get(i)).map_err(|what| (n, what))),
        },
        Met::TooLong(n) => each(Err((n, "this line is longer than 1 MiB: it is skipped".to_owned()))),
        Met::OpenQuote(n) => {
            each(Err((n, "a quote is opened here and never closed: from here on each line is read as a row of its own".to_owned())));
        }
    })?;
    Ok(if columns.is_some() { Found::Leases(mapping) } else { Found::NoTable })
}

fn name(column: Column) -> &'static str {
    match column {
        Column::Imsi => "imsi",
        Column::Iccid => "iccid",
        Column::Imei => "imei",
        Column::Msisdn => "msisdn",
        Column::Apn => "apn",
        Column::Address => "address",
        Column::From => "start",
        Column::To => "end",
    }
}

/// Nothing, as exports write it.
fn nothing(text: &str) -> bool {
    text.is_empty() || ["null", "none", "nil", "n/a", "na", "-", "--", "\\n", "nan"].iter().any(|w| text.eq_ignore_ascii_case(w))
}

fn lease<'c>(row: u32, columns: &[Option<Column>], cell: impl Fn(usize) -> &'c str) -> Result<Lease, String> {
    let mut out = Lease { row, ..Lease::default() };
    for (i, column) in columns.iter().enumerate() {
        let text = cell(i).trim().trim_start_matches('\'');
        let Some(column) = column.filter(|_| !nothing(text)) else { continue };
        match column {
            // A number that is none leaves the others: a row needs one.
            Column::Imsi => out.imsi = out.imsi.or_else(|| number::imsi(text)),
            Column::Iccid => out.iccid = out.iccid.or_else(|| number::iccid(text).map(|c| c.digits)),
            Column::Imei => out.imei = out.imei.or_else(|| equipment(text)),
            Column::Msisdn => out.msisdn = out.msisdn.or_else(|| number::msisdn(text)),
            Column::Apn => out.apn = Some(umbilical_core::text::clean(text).into_owned()),
            Column::Address => addresses(text, &mut out.addresses)?,
            Column::From => out.from = Some(time(text).ok_or_else(|| no_time("start", text))?),
            Column::To => out.to = Some(time(text).ok_or_else(|| no_time("end", text))?),
        }
    }
    if out.imsi.is_none() && out.iccid.is_none() && out.imei.is_none() && out.msisdn.is_none() {
        return Err("no whole IMSI, ICCID, IMEI or telephone number stands in this row: it is skipped".to_owned());
    }
    if out.addresses.is_empty() {
        return Err("no address stands in this row: it is skipped".to_owned());
    }
    if let (Some(from), Some(to)) = (out.from, out.to)
        && to < from
    {
        return Err("this session ends before it starts: it is skipped".to_owned());
    }
    Ok(out)
}

fn no_time(what: &str, text: &str) -> String {
    format!(
        "`{}` is no {what} time: write 2026-11-01T02:26:40Z, 2026-11-01 02:26:40 (UTC) or seconds since 1970; the row is skipped",
        short(text, 40)
    )
}

fn equipment(text: &str) -> Option<String> {
    match number::imei(text) {
        number::Imei::Whole { .. } => Some(text.chars().filter(char::is_ascii_digit).collect()),
        _ => None,
    }
}

/// One or several addresses, each with or without the length of its prefix.
fn addresses(text: &str, out: &mut Vec<(IpAddr, u8)>) -> Result<(), String> {
    for word in text.split([',', ';', ' ', '|']).map(str::trim).filter(|w| !w.is_empty()) {
        let wrong = || format!("`{}` is no address: the row is skipped", short(word, 60));
        let (address, bits) = match word.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (word, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (most, usual) = if address.is_ipv4() { (32, 32) } else { (128, 64) };
        let bits = bits.unwrap_or(usual);
        if bits == 0 || bits > most {
            return Err(wrong());
        }
        // The one that means none.
        if address != IpAddr::V4(Ipv4Addr::UNSPECIFIED) && address != IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            out.push((address, bits));
        }
    }
    Ok(())
}

const SECOND: i64 = 1_000_000;

/// Microseconds since 1970 of a time as exports write it: RFC 3339, the same with a blank and without a zone (UTC), or a number of
/// seconds, milliseconds or microseconds.
fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(number) = epoch(text) {
        return Some(number);
    }
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok())?
    };
    let at = |n: usize| text.as_bytes().get(n).copied();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !matches!((at(4), at(7)), (Some(b'-'), Some(b'-')) | (Some(b'/'), Some(b'/'))) {
        return None;
    }
    let day = Day::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    let days = day.days_since(Day::from_unix(0)?);
    let midnight = days.checked_mul(86_400)?.checked_mul(SECOND)?;
    let Some(rest) = text.get(10..).filter(|r| !r.is_empty()) else { return Some(midnight) };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let digits = |from: usize| {
        let part = rest.get(from..from.checked_add(2)?)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok())?
    };
    let colon = |n: usize| rest.as_bytes().get(n) == Some(&b':');
    let (hour, minute) = (digits(0)?, digits(3)?);
    // Seconds may be left out.
    let (second, mut zone) = if colon(5) { (digits(6)?, rest.get(8..)?) } else { (0, rest.get(5..)?) };
    if !colon(2) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if let Some(fraction) = zone.strip_prefix(['.', ',']) {
        let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
        let kept: String = fraction.chars().take(length.min(6)).collect();
        micros = format!("{kept:0<6}").parse().ok().filter(|_| length > 0)?;
        zone = fraction.get(length..)?;
    }
    let ahead = offset(zone.trim())?;
    let seconds = hour.checked_mul(3600)?.checked_add(minute.checked_mul(60)?)?.checked_add(second)?.checked_sub(ahead)?;
    midnight.checked_add(seconds.checked_mul(SECOND)?)?.checked_add(micros)
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("+", rest) => (1i64, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    (hours < 24 && minutes < 60).then(|| hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_mul(sign))?
}

/// Seconds (with or without a fraction), milliseconds or microseconds since 1970, told by how many digits there are.
fn epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let micros = match whole.len() {
        9 | 10 => number.checked_mul(SECOND)?,
        12 | 13 => number.checked_mul(1000)?,
        15 | 16 => number,
        _ => return None,
    };
    let part: String = fraction.chars().take(6).collect();
    let part: i64 = if whole.len() <= 10 { format!("{part:0<6}").parse().ok()? } else { 0 };
    micros.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Lease>, Vec<(u32, String)>, Found) {
        let mut source = Source::new(Box::new(io::Cursor::new(text.as_bytes().to_vec()))).unwrap();
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let found = leases(&mut source, &mut |row| match row {
            Ok(lease) => good.push(lease),
            Err(problem) => bad.push(problem),
        });
        (good, bad, found.unwrap())
    }

    /// Heads of three kinds of houses: a list by hand, a SIM platform, the table of a RADIUS server.
    #[test]
    fn heads_of_several_dialects() {
        let rows = [
            "imsi,imei,apn,ip,start,end\n001010000000001,867698040000179,iot.example,10.9.0.1,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z\n",
            "Sessions of November\n\nIMSI;IMEI;APN Name;IP Address;Session Start Time;Session End Time\n001010000000001;867698040000179;iot.example;10.9.0.1;2026-11-01 01:00:00+01:00;1793577600\n",
            "acctstarttime\tacctstoptime\tframedipaddress\tcallingstationid\tcalledstationid\t3GPP-IMSI\n2026-11-01 00:00:00\t2026-11-02 00:00:00\t10.9.0.1\t882990000001\tiot.example\t001010000000001\n",
        ];
        for text in rows {
            let (good, bad, found) = read(text);
            assert!(matches!(found, Found::Leases(_)) && bad.is_empty(), "{text}{bad:?}");
            let lease = &good[0];
            assert_eq!((lease.imsi.as_deref(), lease.apn.as_deref()), (Some("001010000000001"), Some("iot.example")));
            assert_eq!(lease.addresses, [("10.9.0.1".parse().unwrap(), 32)]);
            assert_eq!((lease.from, lease.to), (Some(1_793_491_200_000_000), Some(1_793_577_600_000_000)), "{text}");
        }
    }

    #[test]
    fn rows_that_cannot_be_are_told_where_they_stand() {
        let text = "iccid,ip,start,end\n89882390001234567894,10.0.0.1,2026-11-01,\n,10.0.0.2,,\n89882390001234567894,10.0.0.300,,\n\
                    89882390001234567894,,,\n89882390001234567894,10.0.0.4,yesterday,\n89882390001234567894,10.0.0.5,2026-11-02,2026-11-01\n";
        let (good, bad, _) = read(text);
        assert_eq!((good.len(), good[0].to), (1, None));
        let found: Vec<_> = bad.iter().map(|(n, what)| (*n, what.split(':').next().unwrap())).collect();
        assert_eq!(
            found,
            [
                (3, "no whole IMSI, ICCID, IMEI or telephone number stands in this row"),
                (4, "`10.0.0.300` is no address"),
                (5, "no address stands in this row"),
                (6, "`yesterday` is no start time"),
                (7, "this session ends before it starts"),
            ]
        );
        assert_eq!(read("name,ip\nrouter,10.0.0.1\n").2, Found::NoTable);
        assert_eq!(read("").2, Found::NoTable);
    }

    #[test]
    fn times_as_exports_write_them() {
        let noon = 1_793_534_400_000_000;
        for text in [
            "2026-11-01T12:00:00Z",
            "2026-11-01 12:00:00",
            "2026/11/01 12:00",
            "2026-11-01T14:00:00.000+02:00",
            "2026-11-01 07:00:00 -0500",
            "1793534400",
            "1793534400000",
            "1793534400.0",
            "1793534400000000",
        ] {
            assert_eq!(time(text), Some(noon), "{text}");
        }
        assert_eq!(time("2026-11-01T12:00:00.25Z"), Some(noon + 250_000));
        assert_eq!(time("2026-11-01"), Some(noon - 43_200_000_000));
        for text in
            ["", "12:00", "2026-13-01 00:00:00", "2026-11-01T25:00:00Z", "2026-11-01 12:00 CET", "20261101", "2026-11-01T12:00:00.Z"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_of_both_families_in_one_cell() {
        let mut out = Vec::new();
        addresses("10.0.0.1, 2001:db8:1::/56; 2001:db8::7", &mut out).unwrap();
        let expected = [("10.0.0.1", 32), ("2001:db8:1::", 56), ("2001:db8::7", 64)].map(|(a, n)| (a.parse::<IpAddr>().unwrap(), n));
        assert_eq!(out, expected);
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[0-9a-zA-Z:.,;/ \n\"'+-]{0,80}", head in 0usize..3) {
            let heads = ["imsi,ip,start,end\n", "iccid;ipv6 prefix;from\n", ""][head];
            let _ = read(&format!("{heads}{text}"));
            let _ = time(&text);
        }
    }
}
