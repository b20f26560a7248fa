//! A scene as packets.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{FIN, ICMP, Lookup, Packet, Record, SYN, TCP, Talk};

/// A capture of whole packets, from IP on (LINKTYPE_RAW), in the order of their times.
pub fn pcap(talks: &[Talk]) -> Vec<u8> {
    let mut out = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for (at, packet) in packets(talks) {
        let length = (packet.len() as u32).to_le_bytes();
        out.extend(((at / 1_000_000) as u32).to_le_bytes());
        out.extend(((at % 1_000_000) as u32).to_le_bytes());
        out.extend([length, length].concat());
        out.extend(packet);
    }
    out
}

/// Every packet from IP on, at its microsecond since 1970.
fn packets(talks: &[Talk]) -> Vec<(i64, Vec<u8>)> {
    let mut all: Vec<(&Talk, usize, &Packet)> =
        talks.iter().enumerate().flat_map(|(n, t)| t.packets.iter().map(move |p| (t, n, p))).collect();
    all.sort_by_key(|(.., p)| p.at);
    let mut next: HashMap<usize, Numbers> = HashMap::new();
    all.into_iter().map(|(talk, n, packet)| (packet.at, one(talk, packet, next.entry(n).or_default()))).collect()
}

/// Where each way of a conversation stands.
#[derive(Default)]
struct Numbers {
    next: [u32; 2],
    /// Of the last echo that was asked for, which is the one that is answered.
    echo: u16,
}

fn one(talk: &Talk, packet: &Packet, numbers: &mut Numbers) -> Vec<u8> {
    let (src, dst) = if packet.up { (talk.client, talk.server) } else { (talk.server, talk.client) };
    let (from, to) = if packet.up { talk.ports } else { (talk.ports.1, talk.ports.0) };
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    let way = usize::from(!packet.up);
    let head = match talk.proto {
        TCP => {
            let number = &mut numbers.next[way];
            // A SYN that is sent again has the same number.
            if packet.flags & SYN != 0 {
                *number = 100;
            }
            let head = [&ports[..], &number.to_be_bytes(), &[0; 4], &[0x50, packet.flags, 1, 0, 0, 0, 0, 0]].concat();
            *number += packet.payload.len() as u32 + u32::from(packet.flags & (SYN | FIN) != 0);
            head
        }
        ICMP => {
            numbers.echo = numbers.echo.wrapping_add(u16::from(packet.up));
            [&[if packet.up { 8 } else { 0 }, 0, 0, 0][..], &talk.ports.0.to_be_bytes(), &numbers.echo.to_be_bytes()].concat()
        }
        _ => [&ports[..], &((packet.payload.len() + 8) as u16).to_be_bytes(), &[0, 0]].concat(),
    };
    let body = [&head[..], &packet.payload].concat();
    match (src, dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let length = ((body.len() + 20) as u16).to_be_bytes();
            [&[0x45, 0][..], &length, &[0, 0, 0, 0, 64, talk.proto, 0, 0], &src.octets(), &dst.octets(), &body].concat()
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let length = (body.len() as u16).to_be_bytes();
            [&[0x60, 0, 0, 0][..], &length, &[talk.proto, 64], &src.octets(), &dst.octets(), &body].concat()
        }
        _ => Vec::new(),
    }
}

/// The first message of TLS, for a server of this name (RFC 8446, 4.1.2).
pub(super) fn hello(name: &str) -> Vec<u8> {
    let sized = |body: &[u8]| [&(body.len() as u16).to_be_bytes()[..], body].concat();
    let list = sized(&[&[0][..], &sized(name.as_bytes())].concat());
    let extensions = sized(&[&[0, 0][..], &sized(&list)].concat());
    let body = [&[3, 3][..], &[7; 32], &[0], &sized(&[0x13, 1]), &[1, 0], &extensions].concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[22, 3, 1][..], &sized(&message)].concat()
}

/// A name as messages of DNS hold it (RFC 1035, 3.1).
pub fn labels(name: &str) -> Vec<u8> {
    let each = name.split('.').filter(|l| !l.is_empty()).flat_map(|l| [&[l.len() as u8][..], l.as_bytes()].concat());
    each.chain([0]).collect()
}

/// A message of DNS that asks, or the one that answers it (RFC 1035, 4).
pub fn message(lookup: &Lookup, answers: bool) -> Vec<u8> {
    let reply = lookup.reply.as_ref().filter(|_| answers);
    let flags: [u8; 2] = reply.map_or([1, 0], |r| [0x81, 0x80 | r.code]);
    let records = reply.map_or(&[][..], |r| &r.records);
    let head = [&[0, 7][..], &flags, &[0, 1], &(records.len() as u16).to_be_bytes(), &[0; 4]].concat();
    let mut out = [&head[..], &labels(&lookup.name), &lookup.kind.to_be_bytes(), &[0, 1]].concat();
    for record in records {
        let data = match record {
            Record::A(addr) => addr.to_vec(),
            Record::Txt(text) => [&[text.len() as u8][..], text.as_bytes()].concat(),
            Record::Cname(name) => labels(name),
            Record::Other(_, data) => data.clone(),
        };
        out.extend(
            [&[0xc0, 12][..], &record.kind().to_be_bytes(), &[0, 1, 0, 0, 0, 60], &(data.len() as u16).to_be_bytes(), &data].concat(),
        );
    }
    out
}
