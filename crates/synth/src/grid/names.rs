//! Names that a machine made and that carry nothing.

use super::dns::{A, AAAA, NO_SUCH_NAME, PTR, SRV, TXT, asked};
use super::draw::{BASE32, BASE36, BASE64, HEX};
use super::{Cases, Draw};
use crate::scene::{Lookup, Record, labels};

/// Times that each is drawn.
const REPEATS: usize = 6;

type Make = fn(&mut Draw) -> Vec<Lookup>;

const HARMLESS: &[(&str, Make)] = &[
    ("hosts that a cloud rents out", |d| {
        let zone = d.of(&["cloudfront.net", "azureedge.net", "b-cdn.net"]);
        each(d, 80, 6.0, |d| (format!("d{}.{zone}", d.text(BASE36, 13)), A, Some(Record::A(d.outside()))))
    }),
    ("nodes of a video network", |d| {
        let zone = d.zone();
        each(d, 150, 20.0, |d| (format!("rr{}---sn-{}.{zone}", d.within(1..=6), d.text(BASE36, 8)), A, Some(Record::A(d.outside()))))
    }),
    ("files that an antivirus program asks for", |d| {
        let zone = format!("avqs.{}", d.zone());
        each(d, 400, 1.0, |d| {
            let name = format!("{}.0.0.1.{}.{}.{zone}", d.within(0..=9), d.text(HEX, 2), d.text(BASE32, 26));
            (name, A, Some(Record::A([127, 0, 0, d.within(1..=64) as u8])))
        })
    }),
    ("digests of files, answered as text", |d| {
        let zone = format!("hash.{}", d.zone());
        each(d, 100, 2.0, |d| (format!("{}.{zone}", d.text(HEX, 32)), TXT, Some(Record::Txt("1793500000 79".into()))))
    }),
    ("digests of addresses of mail, mostly unknown", |d| {
        let zone = format!("ebl.{}", d.zone());
        each(d, 300, 2.0, |d| (format!("{}.{zone}", d.text(HEX, 40)), A, None))
    }),
    ("a block list of addresses", |d| {
        let zone = format!("zen.{}", d.zone());
        each(d, 600, 1.0, |d| (format!("{}.{zone}", reversed(d)), A, d.chance(0.3).then_some(Record::A([127, 0, 0, 2]))))
    }),
    ("names of addresses", |d| {
        each(d, 300, 1.0, |d| {
            let found = d.chance(0.5).then(|| Record::Other(PTR, labels("host.example.net")));
            (format!("{}.in-addr.arpa", reversed(d)), PTR, found)
        })
    }),
    ("names of addresses of IPv6", |d| {
        each(d, 200, 1.0, |d| {
            let nibbles: Vec<String> = (0..32).map(|_| d.text(HEX, 1)).collect();
            (format!("{}.ip6.arpa", nibbles.join(".")), PTR, Some(Record::Other(PTR, labels("host.example.net"))))
        })
    }),
    ("keys and signatures of zones", |d| {
        each(d, 120, 1.5, |d| {
            // DNSKEY, DS, RRSIG (RFC 4034).
            let (kind, length) = d.of(&[(48, 260), (43, 36), (46, 280)]);
            (d.zone(), kind, Some(Record::Other(kind, d.bytes(length))))
        })
    }),
    ("keys of mail and who may send it", |d| {
        each(d, 120, 1.0, |d| {
            let zone = d.zone();
            if d.chance(0.5) {
                let key = format!("v=DKIM1; k=rsa; p={}", d.text(BASE64, 216));
                (format!("{}._domainkey.{zone}", d.text(BASE32, 32)), TXT, Some(Record::Txt(key)))
            } else {
                (zone, TXT, Some(Record::Txt("v=spf1 include:_spf.example.com include:_spf2.example.com -all".into())))
            }
        })
    }),
    ("proofs for certificates of many hosts", |d| {
        let zone = d.zone();
        each(d, 60, 5.0, |d| {
            (format!("_acme-challenge.{}-{}.{zone}", d.word(), d.within(1..=90)), TXT, Some(Record::Txt(d.text(BASE64, 43))))
        })
    }),
    ("services of a domain, by its number", |d| {
        let zone = d.zone();
        each(d, 60, 9.0, |d| {
            let name = format!("_ldap._tcp.{}-{}-{}.domains._msdcs.{zone}", d.text(HEX, 8), d.text(HEX, 4), d.text(HEX, 12));
            let data = [&[0, 10, 0, 10, 1, 0x85][..], &labels(&format!("dc1.{zone}"))].concat();
            (name, SRV, Some(Record::Other(SRV, data)))
        })
    }),
    ("hosts of one's own, by number", |d| {
        let zone = format!("prod.eu-west-1.{}", d.zone());
        each(d, 300, 1.0, |d| {
            let (name, six) = (format!("{}-{}.{zone}", d.word(), d.within(1..=400)), d.chance(0.3));
            if six { (name, AAAA, Some(Record::Other(AAAA, d.bytes(16)))) } else { (name, A, Some(Record::A(d.inside()))) }
        })
    }),
];

/// All of them.
pub(super) fn harmless(d: &mut Draw, out: &mut Cases) {
    for (what, make) in HARMLESS {
        for n in 0..REPEATS {
            let (client, lookups) = (d.inside(), make(d));
            out.spare(format!("{what}, {n}"), asked(client, lookups));
        }
    }
}

/// About so many questions, so many seconds apart in the mean. What has no answer does not exist.
fn each(d: &mut Draw, about: u32, apart: f64, mut one: impl FnMut(&mut Draw) -> (String, u16, Option<Record>)) -> Vec<Lookup> {
    let mut at = 0.0;
    (0..d.within(about * 3 / 4..=about))
        .map(|_| {
            at += d.wait(apart);
            let (name, kind, record) = one(d);
            let code = if record.is_some() { 0 } else { NO_SUCH_NAME };
            Lookup::new(at, name, kind, code, record.into_iter().collect())
        })
        .collect()
}

fn reversed(d: &mut Draw) -> String {
    (0..4).map(|_| d.within(0..=255).to_string()).collect::<Vec<_>>().join(".")
}
