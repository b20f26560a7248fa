//! A scene as routers export it: NetFlow 5 and 9 (Cisco; RFC 3954), IPFIX (RFC 7011).

use std::net::IpAddr;

use super::{ICMP, Talk, Way};

/// A datagram, and when it was sent: microseconds since 1970.
pub type Datagram = (i64, Vec<u8>);

/// One way of a conversation, and its clock.
struct Export<'t> {
    talk: &'t Talk,
    up: bool,
    way: Way,
    boot: i64,
}

impl Export<'_> {
    /// Milliseconds since the router began.
    fn uptime(&self, micros: i64) -> [u8; 4] {
        ((micros / 1000 - self.boot) as u32).to_be_bytes()
    }
}

/// The fields of a record of one way: addresses, ports, protocol, flags, and counts in so many bytes.
pub fn one_way(talk: &Talk, up: bool, counts: usize) -> Vec<u8> {
    let way = talk.way(up);
    let (src, dst) = if up { (talk.client, talk.server) } else { (talk.server, talk.client) };
    let (from, to) = match (talk.proto, up) {
        // Type and code stand where a port does.
        (ICMP, true) => (0, 8 << 8),
        (ICMP, false) => (0, 0),
        (_, true) => talk.ports,
        (_, false) => (talk.ports.1, talk.ports.0),
    };
    let count = |n: u64| n.to_be_bytes()[8 - counts..].to_vec();
    let ports = [from.to_be_bytes(), to.to_be_bytes()].concat();
    [octets(src), octets(dst), ports, vec![talk.proto, way.flags], count(way.packets), count(way.bytes)].concat()
}

/// When a conversation is exported: a while after its end, by the second.
fn sent(talk: &Talk) -> i64 {
    (talk.end() / 1_000_000 + 16) * 1_000_000
}

/// Each way of each conversation as it is exported. Answers come before what they answer.
fn ways(talks: &[Talk]) -> Vec<Export<'_>> {
    let boot = talks.iter().map(Talk::start).min().unwrap_or_default() / 1000 - 1_000_000;
    let mut out: Vec<Export<'_>> = [false, true]
        .into_iter()
        .flat_map(|up| talks.iter().map(move |talk| Export { talk, up, way: talk.way(up), boot }))
        .filter(|e| e.way.packets > 0)
        .collect();
    out.sort_by_key(|e| (sent(e.talk), e.talk.start()));
    out
}

/// A set of NetFlow 9 or IPFIX.
pub fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &((body.len() + 4) as u16).to_be_bytes(), body].concat()
}

/// The message around sets; `boot` in milliseconds since 1970.
pub fn message9(sets: &[Vec<u8>], at: i64, boot: i64) -> Vec<u8> {
    let uptime = ((at / 1000 - boot) as u32).to_be_bytes();
    [&[0, 9, 0, 1][..], &uptime, &((at / 1_000_000) as u32).to_be_bytes(), &[0; 4], &[0, 0, 0, 5], &sets.concat()].concat()
}

/// The same of IPFIX.
pub fn message10(sets: &[Vec<u8>], at: i64) -> Vec<u8> {
    let body = sets.concat();
    let length = ((body.len() + 16) as u16).to_be_bytes();
    [&[0, 10][..], &length, &((at / 1_000_000) as u32).to_be_bytes(), &[0; 4], &[0, 0, 0, 5], &body].concat()
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

fn fields(list: &[(u16, u16)]) -> Vec<u8> {
    list.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()].concat()).collect()
}

/// As NetFlow 5, which knows IPv4 only.
pub fn five(talks: &[Talk]) -> Vec<Datagram> {
    let one = |e: &Export<'_>| {
        let at = sent(e.talk);
        let record = one_way(e.talk, e.up, 4);
        let (ends, ports, flags, counts) = (&record[..8], &record[8..12], record[13], &record[14..22]);
        let (start, end) = (e.uptime(e.way.start), e.uptime(e.way.end));
        let body = [ends, &[0; 8], counts, &start, &end, ports, &[0, flags, e.talk.proto], &[0; 9]].concat();
        let head = [&[0, 5, 0, 1][..], &e.uptime(at), &((at / 1_000_000) as u32).to_be_bytes(), &[0; 12]].concat();
        (at, [head, body].concat())
    };
    ways(talks).iter().filter(|e| e.talk.client.is_ipv4()).map(one).collect()
}

/// The same of a router past which only what clients send goes: answers take another way.
pub fn nine_one_way(talks: &[Talk]) -> Vec<Datagram> {
    let asks: Vec<Talk> =
        talks.iter().map(|t| Talk { packets: t.packets.iter().filter(|p| p.up).cloned().collect(), ..t.clone() }).collect();
    nine(&asks)
}

/// As NetFlow 9: templates (300 for IPv4, 301 for IPv6; options 400) before all, a field of a vendor's own, padding behind.
pub fn nine(talks: &[Talk]) -> Vec<Datagram> {
    let common = [(7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (40_000, 3), (22, 4), (21, 4)];
    let four = [&[(8, 4), (12, 4)][..], &common].concat();
    let six = [&[(27, 16), (28, 16)][..], &common].concat();
    let template = |id: u16, list: &[(u16, u16)]| [&id.to_be_bytes()[..], &(list.len() as u16).to_be_bytes(), &fields(list)].concat();
    let options =
        [&400u16.to_be_bytes()[..], &4u16.to_be_bytes(), &8u16.to_be_bytes(), &fields(&[(1, 4), (34, 4), (35, 1)]), &[0, 0]].concat();
    let begin = talks.iter().map(Talk::start).min().unwrap_or_default();
    let boot = begin / 1000 - 1_000_000;
    let templates = message9(&[set(0, &[template(300, &four), template(301, &six)].concat()), set(1, &options)], begin, boot);
    let record = |e: &Export<'_>| {
        let bytes = [&one_way(e.talk, e.up, 4)[..], &[1, 2, 3], &e.uptime(e.way.start), &e.uptime(e.way.end), &[0; 2]].concat();
        let at = sent(e.talk);
        (at, message9(&[set(if e.talk.client.is_ipv4() { 300 } else { 301 }, &bytes)], at, boot))
    };
    std::iter::once((begin, templates)).chain(ways(talks).iter().map(record)).collect()
}

/// As IPFIX, both ways in one record: fields of an enterprise, one that varies in length, counts that are shorter than they could be,
/// and the other way's (RFC 5103).
pub fn ipfix(talks: &[Talk]) -> Vec<Datagram> {
    let reverse = |id: u16, length: u16| [&(id | 0x8000).to_be_bytes()[..], &length.to_be_bytes(), &29305u32.to_be_bytes()].concat();
    let vendor = [&0x8064u16.to_be_bytes()[..], &0xffffu16.to_be_bytes(), &35632u32.to_be_bytes()].concat();
    let template = |id: u16, src: u16, dst: u16, size: u16| {
        let plain = fields(&[(src, size), (dst, size), (7, 2), (11, 2), (4, 1), (6, 1), (2, 3), (1, 3)]);
        let body =
            [&plain[..], &vendor, &fields(&[(96, 0xffff)]), &reverse(2, 3), &reverse(1, 3), &reverse(6, 2), &fields(&[(152, 8), (153, 8)])];
        [&id.to_be_bytes()[..], &15u16.to_be_bytes(), &body.concat()].concat()
    };
    let begin = talks.iter().map(Talk::start).min().unwrap_or_default();
    let templates = message10(&[set(2, &[template(300, 8, 12, 4), template(301, 27, 28, 16)].concat())], begin);
    let record = |e: &Export<'_>| {
        let (talk, down) = (e.talk, e.talk.way(false));
        let count = |n: u64| n.to_be_bytes()[5..].to_vec();
        let long = [&[255, 1, 4][..], &[7; 260]].concat();
        let times = [talk.start() / 1000, talk.end() / 1000].map(i64::to_be_bytes).concat();
        let body =
            [one_way(e.talk, e.up, 3), vec![2, 9, 9], long, count(down.packets), count(down.bytes), vec![0, down.flags], times].concat();
        (sent(talk), message10(&[set(if talk.client.is_ipv4() { 300 } else { 301 }, &body)], sent(talk)))
    };
    std::iter::once((begin, templates)).chain(ways(talks).iter().filter(|e| e.up).map(record)).collect()
}
