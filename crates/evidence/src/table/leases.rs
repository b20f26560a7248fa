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
use umbilical_core::number;
use umbilical_core::text::short;

use super::Understood;
use super::field::{Field, Known, fold, recognise};
use super::operator::{Below, below, equipment, nothing, time};
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

/// Whether a row of heads makes a table of sessions.
fn heads<'c>(cells: impl Iterator<Item = &'c str>) -> Option<Vec<Option<Column>>> {
    let all: Vec<_> = cells.map(|cell| column(cell.trim().trim_matches('"'))).collect();
    let who = all.iter().flatten().any(|c| matches!(c, Column::Imsi | Column::Iccid | Column::Imei | Column::Msisdn));
    (who && all.contains(&Some(Column::Address))).then_some(all)
}

/// Reads a table; `each` gets every row that was understood, or the number of one that was not and why. Gives how each
/// column was understood, `head → meaning`; `None`: no row of heads has both a SIM or module and an address.
///
/// # Errors
/// The source cannot be read.
pub fn leases(source: &mut Source<'_>, each: &mut dyn FnMut(Result<Lease, (u32, String)>)) -> io::Result<Option<Understood>> {
    let mut row = |n: u32, columns: &[Option<Column>], row: Below<'_, '_>| match row {
        Below::Row(row) => each(lease(n, columns, |i| row.get(i)).map_err(|what| (n, what))),
        Below::Wrong(what) => each(Err((n, what.to_owned()))),
    };
    below(source, &|cells| heads(cells.iter().copied()), name, &mut row)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Lease>, Vec<(u32, String)>, Option<Understood>) {
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
            assert!(found.is_some() && bad.is_empty(), "{text}{bad:?}");
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
        assert_eq!(read("name,ip\nrouter,10.0.0.1\n").2, None);
        assert_eq!(read("").2, None);
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
